/* cert create, cert export: certificates as files. */
#include "vanctl/certificate.h"

#include "base/buf.h"
#include "base/fdio.h"
#include "base/id.h"
#include "cms/cert.h"
#include "cms/certs_only.h"
#include "vanctl/client.h"
#include "vanctl/init_keys.h"
#include "vanctl/print.h"
#include "vanctl/simple.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_ ((size_t)1 << 20)
#define NAME_MAX_ 100
#define SMIME_DAYS (3 * 365)
#define TLS_DAYS (2 * 365)

/* --- places ------------------------------------------------------------------------------------------------------------------------- */

static bool name_is_fine(const char *name)
{
	size_t n = strlen(name);
	return n && n <= NAME_MAX_ && name[0] != '.' && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

int certificate_place_open(const struct ctl *c, const char *name, struct certificate_place *ret)
{
	char config[PATH_MAX], *slash;
	*ret = (struct certificate_place){.folder = -1};
	if (!name_is_fine(name))
		return ctl_fail(CTL_USAGE, "'%s' is no name for files: letters, digits, '.', '_' and '-', at most %d", name, NAME_MAX_);
	if (!realpath(c->config, config) || !(slash = strrchr(config, '/')))
		return ctl_fail(CTL_USAGE, "%s: %s; vanctl -c FILE names the configuration, beside which certs and keys lie", c->config, strerror(errno));
	slash[slash == config] = 0;
	snprintf(ret->path, sizeof ret->path, "%s", config);
	snprintf(ret->certificate, sizeof ret->certificate, "certs/%s.pem", name);
	snprintf(ret->key, sizeof ret->key, "keys/%s.key", name);
	ret->folder = open(config, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool there = ret->folder >= 0 && (mkdirat(ret->folder, "certs", 0755) == 0 || errno == EEXIST) &&
		     (mkdirat(ret->folder, "keys", 0700) == 0 || errno == EEXIST) && (mkdirat(ret->folder, "partners", 0755) == 0 || errno == EEXIST);
	return there ? CTL_DONE : ctl_fail(CTL_USAGE, "%s: %s", config, strerror(errno));
}

void certificate_place_close(struct certificate_place *p)
{
	if (p->folder >= 0)
		close(p->folder);
	p->folder = -1;
}

/* --- making and reading --------------------------------------------------------------------------------------------------------------- */

int certificate_make(const struct certificate_place *at, const struct certificate_wish *wish)
{
	struct van_error e = {0};
	bool tls = !strcmp(wish->use, "tls");
	struct init_certificate make = {
		.use = tls ? INIT_TLS : !strcmp(wish->use, "decrypt") ? INIT_DECRYPT : INIT_SIGN, .name = wish->name, .organization = wish->organization,
		.host = wish->host ? wish->host : wish->name, .key_path = at->key, .certificate_path = at->certificate, .now = van_clock_now(),
		.days = wish->days ? wish->days : tls ? TLS_DAYS : SMIME_DAYS,
	};
	struct stat st;
	if (fstatat(at->folder, at->certificate, &st, AT_SYMLINK_NOFOLLOW) == 0) /* before there is a key without its certificate */
		return ctl_fail(CTL_NO, "%s/%s is there already; give another name", at->path, at->certificate);
	if (init_make_certificate(at->folder, &make, &e) == 0)
		return CTL_DONE;
	return ctl_fail(e.code == VAN_EEXISTS ? CTL_NO : CTL_USAGE, "%s/%s", at->path, e.text);
}

int certificate_read(const char *path, struct cms_cert **ret)
{
	struct van_error e = {0};
	struct van_buf bytes = VAN_BUF_INIT(FILE_MAX_);
	struct van_arena *arena = van_arena_new(0);
	struct slice all[CERTS_ONLY_MAX];
	size_t n = 0;
	int status = CTL_DONE, rc = file_read(path, &bytes);
	*ret = NULL;
	if (rc < 0)
		status = ctl_fail(CTL_USAGE, "%s: %s", path, rc == VAN_ELIMIT ? "is too large for a certificate" : van_err_name(rc));
	else if (cms_cert_new(van_buf_slice(&bytes), ret, &e) == 0)
		;
	else if (!arena || cms_certs_only_read(van_buf_slice(&bytes), arena, all, &n) < 0)
		status = ctl_fail(CTL_NO, "%s: %s; PEM, DER and PKCS #7 are understood", path, e.text);
	else if (n != 1)
		status = ctl_fail(CTL_NO, "%s holds %zu certificates: name a file with the one that is meant", path, n);
	else if (cms_cert_new(all[0], ret, &e) < 0)
		status = ctl_fail(CTL_NO, "%s: %s", path, e.text);
	van_arena_free(arena);
	van_buf_free(&bytes);
	return status;
}

json_t *certificate_pem(X509 *x)
{
	char *p = NULL;
	BIO *b = BIO_new(BIO_s_mem());
	long n = b && PEM_write_bio_X509(b, x) == 1 ? BIO_get_mem_data(b, &p) : 0;
	json_t *text = n > 0 ? json_stringn(p, (size_t)n) : NULL;
	BIO_free(b);
	return text;
}

/* --- cert create ------------------------------------------------------------------------------------------------------------------------ */

const struct ctl_option certificate_create_options[] = {
	{"--for", "USE", "for", CTL_TEXT, "sign|decrypt|tls", "what it is for; default: sign"},
	{"--subject", "NAME", "subject", CTL_TEXT, NULL, "its common name; default: NAME"},
	{"--organization", "NAME", "organization", CTL_TEXT, NULL, "its organization; default: the common name"},
	{"--host", "HOST", "host", CTL_TEXT, NULL, "for tls: the host name that it is valid for; default: the common name"},
	{"--days", "N", "days", CTL_NUMBER, NULL, "how long it is valid; default: 1095, for tls 730"},
	{"--request", NULL, "request", CTL_FLAG, NULL, "also write a request (certs/NAME.csr) for an authority to sign"},
	{NULL},
};

/* The same names and key, for an authority, which decides about everything else. */
static int write_request(const struct certificate_place *at, const char *name, char to[300])
{
	struct van_error e = {0};
	struct van_buf pem = VAN_BUF_INIT(FILE_MAX_);
	char path[PATH_MAX + 300];
	struct cms_cert *cert = NULL;
	EVP_PKEY *key = NULL;
	snprintf(path, sizeof path, "%s/%s", at->path, at->certificate);
	snprintf(to, 300, "certs/%s.csr", name);
	int status = certificate_read(path, &cert);
	snprintf(path, sizeof path, "%s/%s", at->path, at->key);
	bool ok = !status && file_read(path, &pem) == 0 && cms_private_key(van_buf_slice(&pem), &key, &e) == 0;
	X509_REQ *request = ok ? X509_to_X509_REQ(cert->x509, key, EVP_sha256()) : NULL;
	BIO *text = BIO_new(BIO_s_mem());
	char *p = NULL;
	ok = request && text && PEM_write_bio_X509_REQ(text, request) == 1;
	long n = ok ? BIO_get_mem_data(text, &p) : 0;
	if (!status && !ok)
		status = ctl_fail(CTL_USAGE, "no request could be made of %s", path);
	if (!status && init_write_file(at->folder, to, p, (size_t)n, 0644, &e) < 0)
		status = ctl_fail(CTL_USAGE, "%s/%s", at->path, e.text);
	X509_REQ_free(request);
	BIO_free(text);
	cms_private_key_free(key);
	cms_cert_free(cert);
	if (pem.p)
		explicit_bzero(pem.p, pem.n);
	van_buf_free(&pem);
	return status;
}

static void tell_created(const struct ctl *c, const struct certificate_place *at, const struct cms_cert *cert, const char *request)
{
	static const struct print_column fields[] = {{"Certificate", "certificate"}, {"Key", "key"}, {"Request", "request"}, {"Fingerprint", "fingerprint"},
						     {"Not after", "not_after"}, {NULL, NULL}};
	char until[VAN_TIME_TEXT];
	json_t *o = json_pack("{s:s++,s:s++,s:s,s:s}", "certificate", at->path, "/", at->certificate, "key", at->path, "/", at->key, "fingerprint",
			      cert->facts.sha256, "not_after", van_time_rfc3339(until, cert->facts.not_after));
	json_object_set_new(o, "request", request ? json_pack("s++", at->path, "/", request) : json_null());
	c->json ? print_json(o) : print_fields(o, fields);
	json_decref(o);
}

int certificate_create(struct ctl *c)
{
	const char *name = c->args[0], *subject = ctl_text(c, "subject") ? ctl_text(c, "subject") : name;
	json_int_t days = json_integer_value(json_object_get(c->options, "days"));
	bool wants_request = json_is_true(json_object_get(c->options, "request"));
	struct certificate_place at;
	struct cms_cert *cert = NULL;
	char request[300], path[PATH_MAX + 300];
	if (days < 0 || days > 36500)
		return ctl_fail(CTL_USAGE, "--days takes a number up to 36500");
	int status = certificate_place_open(c, name, &at);
	if (!status) {
		struct certificate_wish wish = {.use = ctl_text(c, "for") ? ctl_text(c, "for") : "sign", .name = subject, .host = ctl_text(c, "host"),
						.organization = ctl_text(c, "organization") ? ctl_text(c, "organization") : subject, .days = (int)days};
		status = certificate_make(&at, &wish);
	}
	if (!status && wants_request)
		status = write_request(&at, name, request);
	snprintf(path, sizeof path, "%s/%s", at.path, at.certificate);
	if (!status)
		status = certificate_read(path, &cert);
	if (!status)
		tell_created(c, &at, cert, wants_request ? request : NULL);
	cms_cert_free(cert);
	certificate_place_close(&at);
	return status;
}

/* --- cert export ------------------------------------------------------------------------------------------------------------------------ */

const struct ctl_option certificate_export_options[] = {
	{"--format", NULL, "format", CTL_TEXT, "pem|der|p7c", "how it is written; default: pem"},
	{"-o", "FILE", "output", CTL_TEXT, NULL, "write here; default standard output"},
	{NULL},
};

int certificate_export(struct ctl *c)
{
	const char *format = ctl_text(c, "format") ? ctl_text(c, "format") : "pem";
	json_t *ask = json_pack("{s:s}", "fingerprint", c->args[0]), *answer = NULL;
	struct cms_cert *cert = NULL;
	struct van_buf p7c = VAN_BUF_INIT(FILE_MAX_);
	struct van_error e = {0};
	int status = client_ask(c, "cert.show", ask, &answer, NULL);
	const char *text = json_string_value(json_object_get(json_is_array(answer) ? json_array_get(answer, 0) : answer, "pem"));
	struct slice bytes = text ? slice_str(text) : SLICE("");
	if (!status && cms_cert_new(bytes, &cert, &e) < 0)
		status = ctl_fail(CTL_NO, "the stored certificate can't be read: %s", e.text);
	if (!status && !strcmp(format, "der"))
		bytes = cert->der;
	if (!status && !strcmp(format, "p7c")) {
		cms_certs_only_write(&p7c, &cert->der, 1);
		bytes = van_buf_slice(&p7c);
	}
	int fd = status ? -1 : memfd_with("certificate", bytes.p, bytes.n);
	if (!status)
		status = fd < 0 ? ctl_fail(CTL_USAGE, "%s", van_err_name(fd)) : simple_save(fd, 0, SIMPLE_ALL, ctl_text(c, "output"));
	van_buf_free(&p7c);
	cms_cert_free(cert);
	json_decref(ask);
	json_decref(answer);
	return status;
}
