/* cert import, cert roll: a new certificate beside the old one in a profile, and when which of them is used. */
#include "vanctl/certificate.h"

#include "base/buf.h"
#include "base/fdio.h"
#include "cms/cert.h"
#include "vanctl/apply.h"
#include "vanctl/client.h"
#include "vanctl/init_keys.h"
#include "vanctl/print.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_ ((size_t)1 << 20)
#define OVERLAP (14 * 86400 * VAN_SECOND) /* partners get a new certificate so long before it signs */

static const char *field(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s ? s : "";
}

static int fetch(const struct ctl *c, const char *id, const char *kind, json_t **ret)
{
	json_t *ask = json_pack("{s:s}", "id", id);
	int status = client_ask(c, "partner.show", ask, ret, NULL);
	json_decref(ask);
	if (!status && strcmp(field(*ret, "kind"), kind))
		status = ctl_fail(CTL_NO, "'%s' is no %s but a %s", id, kind, field(*ret, "kind"));
	return status;
}

/* --- lists of certificates, or of pairs ------------------------------------------------------------------------------------------------ */

static json_t *certificate_in(json_t *entry)
{
	json_t *inner = json_object_get(entry, "certificate");
	return inner ? inner : entry;
}

/* `until`, where given, ends the others' use: a sooner end of their own stays. */
static void retire(json_t *list, const char *until)
{
	van_time at = 0, own;
	size_t i;
	json_t *one;
	if (!until || van_time_parse(slice_str(until), &at) < 0)
		return;
	json_array_foreach(list, i, one) {
		json_t *cert = certificate_in(one);
		const char *text = field(cert, "until");
		if (!*text || van_time_parse(slice_str(text), &own) < 0 || own > at)
			json_object_set_new(cert, "until", json_string(until));
	}
}

static bool holds(json_t *list, const char *fingerprint)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
		if (!strcmp(field(certificate_in(one), "fingerprint"), fingerprint))
			return true;
	return false;
}

/* `first`: where the first that is in use counts. False: it was there before. */
static bool add(json_t *owner, const char *key, json_t *entry, const char *fingerprint, bool first, const char *until)
{
	json_t *list = json_object_get(owner, key);
	if (!list)
		json_object_set_new(owner, key, list = json_array());
	if (holds(list, fingerprint))
		return false;
	retire(list, until);
	return (first ? json_array_insert(list, 0, entry) : json_array_append(list, entry)) == 0;
}

/* {"pem":…,"from":…} */
static json_t *entry_of(const struct cms_cert *cert, const char *from)
{
	json_t *entry = json_object();
	json_object_set_new(entry, "pem", certificate_pem(cert->x509));
	if (from)
		json_object_set_new(entry, "from", json_string(from));
	return entry;
}

/* --- of partners ---------------------------------------------------------------------------------------------------------------------------- */

static int connection_of(const struct ctl *c, const json_t *profile, json_t **ret)
{
	const char *wanted = ctl_text(c, "connection");
	size_t i, n = 0;
	json_t *one;
	json_array_foreach(json_object_get(profile, "connections"), i, one)
		if (!strcmp(field(one, "protocol"), "as2") && (!wanted || !strcmp(wanted, field(one, "id")))) {
			*ret = one;
			n++;
		}
	if (n == 1)
		return CTL_DONE;
	return ctl_fail(n ? CTL_USAGE : CTL_NO, n ? "partner '%s' has %zu connections over AS2: say which with --connection" :
			"partner '%s' has no such connection over AS2; vanctl partner show", field(profile, "id"), n);
}

static int add_to_connection(const struct ctl *c, json_t *connection, const struct cms_cert *cert)
{
	const char *use = ctl_text(c, "for") ? ctl_text(c, "for") : "both", *until = ctl_text(c, "retire"), *sha = cert->facts.sha256;
	json_t *receive = json_object_get(connection, "receive"), *send = json_object_get(connection, "send"), *entry = entry_of(cert, ctl_text(c, "from"));
	bool both = !strcmp(use, "both"), sends = json_is_object(send), added = false;
	int status = CTL_DONE;
	if (!strcmp(use, "decrypt"))
		status = ctl_fail(CTL_USAGE, "--for decrypt is for our own stations; what we encrypt for a partner is --for encrypt");
	else if (!sends && (!strcmp(use, "encrypt") || !strcmp(use, "tls-server")))
		status = ctl_fail(CTL_NO, "nothing is sent over connection %s, so it needs no certificate for that", field(connection, "id"));
	if (!status && !receive)
		json_object_set_new(connection, "receive", receive = json_object());
	if (!status && (both || !strcmp(use, "sign")))
		added |= add(receive, "certificates", entry, sha, false, until);
	if (!status && sends && (both || !strcmp(use, "encrypt")))
		added |= add(send, "certificates", entry, sha, true, until);
	if (!status && !strcmp(use, "tls-client"))
		added |= add(receive, "client_certificates", entry, sha, false, until);
	if (!status && !strcmp(use, "tls-server")) {
		if (!json_is_object(json_object_get(send, "tls")))
			json_object_set_new(send, "tls", json_object());
		added |= add(json_object_get(send, "tls"), "trust", entry, sha, false, until);
	}
	json_decref(entry);
	return status || added ? status : ctl_fail(CTL_NO, "connection %s has this certificate already", field(connection, "id"));
}

static int import_for_partner(struct ctl *c)
{
	struct cms_cert *cert = NULL;
	json_t *profile = NULL, *connection = NULL;
	int status = certificate_read(c->args[0], &cert);
	if (!status)
		status = fetch(c, ctl_text(c, "partner"), "partner", &profile);
	if (!status)
		status = connection_of(c, profile, &connection);
	if (!status)
		status = add_to_connection(c, connection, cert);
	if (!status)
		status = apply_profile(c, profile);
	json_decref(profile);
	cms_cert_free(cert);
	return status;
}

/* --- of stations ------------------------------------------------------------------------------------------------------------------------------ */

/* The key must be the certificate's; where it can't be read from here, vand will say so. */
static int key_fits(const char *path, const struct cms_cert *cert)
{
	struct van_error e = {0};
	struct van_buf pem = VAN_BUF_INIT(FILE_MAX_);
	EVP_PKEY *key = NULL;
	int status = CTL_DONE, rc = file_read(path, &pem);
	if (rc == 0 && ((rc = cms_private_key(van_buf_slice(&pem), &key, &e)) < 0 || (rc = cms_key_matches(key, cert, &e)) < 0))
		status = ctl_fail(CTL_NO, "%s: %s", path, e.text);
	else if (rc < 0 && rc != VAN_EDENIED)
		status = ctl_fail(CTL_USAGE, "%s: %s", path, van_err_name(rc));
	cms_private_key_free(key);
	if (pem.p)
		explicit_bzero(pem.p, pem.n);
	van_buf_free(&pem);
	return status;
}

/* `sign`: the first that is in use signs; `decrypt`: all are tried. */
static int add_to_station(struct ctl *c, const char *station, const char *use, const struct cms_cert *cert, const char *key, const char *from)
{
	bool sign = !strcmp(use, "sign");
	json_t *profile = NULL, *pair = json_pack("{s:o,s:s}", "certificate", entry_of(cert, from), "key", key);
	int status = key_fits(key, cert);
	if (!status)
		status = fetch(c, station, "station", &profile);
	json_t *as2 = json_object_get(profile, "as2");
	if (!status && !as2)
		status = ctl_fail(CTL_NO, "station '%s' does not speak AS2: give its profile the key as2 first", station);
	if (!status && !add(as2, use, pair, cert->facts.sha256, sign, ctl_text(c, "retire")))
		status = ctl_fail(CTL_NO, "station '%s' has this certificate already", station);
	if (!status)
		status = apply_profile(c, profile);
	json_decref(pair);
	json_decref(profile);
	return status;
}

int certificate_password(const struct ctl *c, char to[1024])
{
	const char *path = ctl_text(c, "password_file");
	struct van_buf text = VAN_BUF_INIT(1023);
	to[0] = 0;
	if (!path)
		return CTL_DONE;
	int rc = file_read(path, &text);
	struct slice rest = rc == 0 ? van_buf_slice(&text) : SLICE(""), line = slice_cut(&rest, '\n');
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	snprintf(to, 1024, "%.*s", SLICE_ARG(line));
	if (text.p)
		explicit_bzero(text.p, text.n);
	van_buf_free(&text);
	return rc < 0 ? ctl_fail(CTL_USAGE, "%s: %s", path, van_err_name(rc)) : CTL_DONE;
}

/* A PKCS #12 file's key and certificate become files. *ret is the certificate; the key lies where `at` says. */
static int unpack(const struct ctl *c, const struct certificate_place *at, struct slice bytes, struct cms_cert **ret)
{
	char password[1024];
	struct van_error e = {0};
	const unsigned char *p = (const unsigned char *)bytes.p;
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	int status = certificate_password(c, password);
	PKCS12 *p12 = status ? NULL : d2i_PKCS12(NULL, &p, (long)bytes.n);
	bool ok = p12 && PKCS12_parse(p12, password, &key, &x, NULL) == 1 && key && x;
	OPENSSL_cleanse(password, sizeof password);
	if (!status && !ok)
		status = ctl_fail(CTL_NO, "%s: %s", c->args[0], p12 ? "does not open: is it the right --password-file, and holds it a key and its certificate? One that was "
				  "encrypted in an old way opens after openssl pkcs12 -legacy has written it anew" : "is no PKCS #12 file; with --key a certificate alone will do");
	BIO *key_text = BIO_new(BIO_s_secmem());
	json_t *pem = ok ? certificate_pem(x) : NULL;
	char *k = NULL;
	if (!status && (!pem || !key_text || PEM_write_bio_PKCS8PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) != 1))
		status = ctl_fail(CTL_USAGE, "%s: its key can't be written", c->args[0]);
	long n = status ? 0 : BIO_get_mem_data(key_text, &k);
	if (!status && (init_write_file(at->folder, at->key, k, (size_t)n, 0600, &e) < 0 ||
			init_write_file(at->folder, at->certificate, json_string_value(pem), json_string_length(pem), 0644, &e) < 0))
		status = ctl_fail(CTL_NO, "%s/%s; give another --name", at->path, e.text);
	if (!status && cms_cert_new(slice_str(json_string_value(pem)), ret, &e) < 0)
		status = ctl_fail(CTL_NO, "%s: %s", c->args[0], e.text);
	json_decref(pem);
	BIO_free(key_text);
	EVP_PKEY_free(key);
	X509_free(x);
	PKCS12_free(p12);
	ERR_clear_error();
	return status;
}

/* The name of a file without folder and ending. */
static void stem(const char *path, char to[128])
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
	snprintf(to, 128, "%.*s", dot && dot != base ? (int)(dot - base) : (int)strlen(base), base);
}

static int import_for_station(struct ctl *c)
{
	const char *use = ctl_text(c, "for"), *key = ctl_text(c, "key");
	char name[128], path[PATH_MAX + 300];
	struct certificate_place at = {.folder = -1};
	struct van_buf bytes = VAN_BUF_INIT(FILE_MAX_);
	struct cms_cert *cert = NULL;
	int status = CTL_DONE;
	if (!use || (strcmp(use, "sign") && strcmp(use, "decrypt")))
		return ctl_fail(CTL_USAGE, "say what the station uses it for: --for sign or --for decrypt");
	if (key) {
		status = realpath(key, path) ? certificate_read(c->args[0], &cert) : ctl_fail(CTL_USAGE, "%s: %s", key, strerror(errno));
	} else {
		int rc = file_read(c->args[0], &bytes);
		stem(c->args[0], name);
		status = rc < 0 ? ctl_fail(CTL_USAGE, "%s: %s", c->args[0], van_err_name(rc))
				: certificate_place_open(c, ctl_text(c, "name") ? ctl_text(c, "name") : name, &at);
		if (!status)
			status = unpack(c, &at, van_buf_slice(&bytes), &cert);
		snprintf(path, sizeof path, "%s/%s", at.path, at.key);
	}
	if (!status)
		status = add_to_station(c, ctl_text(c, "station"), use, cert, path, ctl_text(c, "from"));
	if (bytes.p)
		explicit_bzero(bytes.p, bytes.n);
	van_buf_free(&bytes);
	certificate_place_close(&at);
	cms_cert_free(cert);
	return status;
}

/* --- cert import ---------------------------------------------------------------------------------------------------------------------------- */

const struct ctl_option certificate_import_options[] = {
	{"--partner", "P", "partner", CTL_TEXT, NULL, "a partner's: into its profile"},
	{"--connection", "C", "connection", CTL_TEXT, NULL, "of the partner; default: its only one over AS2"},
	{"--station", "S", "station", CTL_TEXT, NULL, "our own, with its key: into this station's profile"},
	{"--for", "USE", "for", CTL_TEXT, "sign|encrypt|both|decrypt|tls-server|tls-client",
	 "partner: sign (what it signs), encrypt (what we encrypt for it), both (default), tls-server, tls-client; station: sign, decrypt"},
	{"--key", "FILE", "key", CTL_TEXT, NULL, "station: the private key; without it FILE is PKCS #12 and holds both"},
	{"--password-file", "FILE", "password_file", CTL_TEXT, NULL, "its first line opens the PKCS #12 file"},
	{"--name", "NAME", "name", CTL_TEXT, NULL, "PKCS #12: written to certs/NAME.pem and keys/NAME.key; default: by FILE"},
	{"--from", "TIME", "from", CTL_TIME, NULL, "used from then on; default: now"},
	{"--retire", "TIME", "retire", CTL_TIME, NULL, "the certificates that are there for the same use end then; default: they stay"},
	{NULL},
};

int certificate_import(struct ctl *c)
{
	if (!ctl_text(c, "partner") == !ctl_text(c, "station"))
		return ctl_fail(CTL_USAGE, "say whose it is: --partner P, or --station S for our own");
	return ctl_text(c, "partner") ? import_for_partner(c) : import_for_station(c);
}

/* --- cert roll -------------------------------------------------------------------------------------------------------------------------------- */

const struct ctl_option certificate_roll_options[] = {
	{"--for", "USE", "for", CTL_TEXT, "sign|decrypt", "which of the station's certificates"},
	{"--from", "TIME", "from", CTL_TIME, NULL, "sign: the new one signs from then on; default: in 14 days. decrypt: both are tried at once"},
	{"--retire", "TIME", "retire", CTL_TIME, NULL, "the old ones end then; default: they stay"},
	{"--days", "N", "days", CTL_NUMBER, NULL, "how long the new one is valid; default 1095"},
	{"--name", "NAME", "name", CTL_TEXT, NULL, "files certs/NAME.pem and keys/NAME.key; default: STATION-USE-DATE"},
	{NULL},
};

static void tell_next(const char *station, const char *use, const char *path, const char *from)
{
	bool sign = !strcmp(use, "sign");
	if (sign)
		printf("\n%s signs with the new certificate from %s on. Give it to every partner before:\n", station, from);
	else
		printf("\nWhat is encrypted for the new certificate can be read from now on, and for the old one as before. Give it to every partner:\n");
	printf("  %s\n"
	       "A partner whose software knows certificate exchange is asked by\n"
	       "  vanctl cert request %s --from %s --to PARTNER --usage %s\n", path, path, station, sign ? "signature" : "encryption");
}

int certificate_roll(struct ctl *c)
{
	const char *station = c->args[0], *use = ctl_text(c, "for"), *from = ctl_text(c, "from");
	json_int_t days = json_integer_value(json_object_get(c->options, "days"));
	char name[128], date[VAN_TIME_TEXT], later[VAN_TIME_TEXT], path[PATH_MAX + 300], key[PATH_MAX + 300];
	struct certificate_place at = {.folder = -1};
	struct cms_cert *cert = NULL;
	json_t *profile = NULL;
	if (!use)
		return ctl_fail(CTL_USAGE, "say which: --for sign or --for decrypt");
	if (days < 0 || days > 36500)
		return ctl_fail(CTL_USAGE, "--days takes a number up to 36500");
	snprintf(name, sizeof name, "%.64s-%s-%.10s", station, use, van_time_rfc3339(date, van_clock_now()));
	if (!from && !strcmp(use, "sign"))
		from = van_time_rfc3339(later, (van_clock_now() + OVERLAP) / VAN_SECOND * VAN_SECOND);
	int status = fetch(c, station, "station", &profile);
	const char *as2_id = field(json_object_get(profile, "as2"), "id");
	if (!status && !as2_id[0])
		status = ctl_fail(CTL_NO, "station '%s' does not speak AS2", station);
	if (!status)
		status = certificate_place_open(c, ctl_text(c, "name") ? ctl_text(c, "name") : name, &at);
	if (!status) {
		char subject[64], organization[64];
		snprintf(subject, sizeof subject, "%.63s", as2_id);
		snprintf(organization, sizeof organization, "%.63s", field(profile, "name")[0] ? field(profile, "name") : as2_id);
		struct certificate_wish wish = {.use = use, .name = subject, .organization = organization, .days = (int)days};
		status = certificate_make(&at, &wish);
	}
	snprintf(path, sizeof path, "%s/%s", at.path, at.certificate);
	snprintf(key, sizeof key, "%s/%s", at.path, at.key);
	if (!status)
		status = certificate_read(path, &cert);
	if (!status)
		status = add_to_station(c, station, use, cert, key, from);
	if (!status && !c->json)
		tell_next(station, use, path, from);
	cms_cert_free(cert);
	json_decref(profile);
	certificate_place_close(&at);
	return status;
}
