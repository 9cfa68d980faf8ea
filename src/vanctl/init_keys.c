#include "vanctl/init_keys.h"

#include "base/fdio.h"
#include "base/id.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int init_write_file(int dir, const char *path, const void *p, size_t n, unsigned mode, struct van_error *e)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
	if (fd < 0)
		return van_error_set(e, van_err_from_errno(errno), "%s: %s", path, strerror(errno));
	int rc = fd_write_all(fd, p, n);
	if (rc == 0 && fsync(fd) < 0)
		rc = van_err_from_errno(errno);
	close(fd);
	return rc < 0 ? van_error_set(e, (enum van_err)rc, "%s: %s", path, van_err_name(rc)) : 0;
}

static int write_bio(int dir, const char *path, BIO *bio, unsigned mode, struct van_error *e)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);
	return init_write_file(dir, path, p, n > 0 ? (size_t)n : 0, mode, e);
}

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = ext && X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	return ok;
}

static bool add_name(X509 *x, const char *field, const char *value)
{
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(x), field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

/* A random positive serial number of 127 bits. */
static bool set_serial(X509 *x)
{
	unsigned char random[16];
	van_random(random, sizeof random);
	random[0] = (unsigned char)((random[0] & 0x7f) | 0x40);
	BIGNUM *n = BN_bin2bn(random, sizeof random, NULL);
	bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

static bool add_extensions(X509 *x, const struct init_certificate *c)
{
	static const char *const usage[] = {
		[INIT_SIGN] = "critical,digitalSignature,nonRepudiation",
		[INIT_DECRYPT] = "critical,keyEncipherment",
		[INIT_TLS] = "critical,digitalSignature,keyEncipherment",
	};
	char names[400];
	if (!add_extension(x, NID_basic_constraints, "critical,CA:FALSE") || !add_extension(x, NID_key_usage, usage[c->use]) ||
	    !add_extension(x, NID_subject_key_identifier, "hash"))
		return false;
	if (c->use != INIT_TLS)
		return add_extension(x, NID_ext_key_usage, "emailProtection");
	snprintf(names, sizeof names, "DNS:%s,DNS:localhost,IP:127.0.0.1", c->host);
	return add_extension(x, NID_ext_key_usage, "serverAuth") && add_extension(x, NID_subject_alt_name, names);
}

static bool fill(X509 *x, EVP_PKEY *key, const struct init_certificate *c)
{
	time_t from = (time_t)(c->now / VAN_SECOND);
	return X509_set_version(x, 2) && set_serial(x) && X509_time_adj_ex(X509_getm_notBefore(x), 0, -3600, &from) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), c->days, 0, &from) && X509_set_pubkey(x, key) &&
	       add_name(x, "O", c->organization) && add_name(x, "CN", c->name) &&
	       X509_set_issuer_name(x, X509_get_subject_name(x)) && add_extensions(x, c) && X509_sign(x, key, EVP_sha256());
}

int init_make_certificate(int dir, const struct init_certificate *c, struct van_error *e)
{
	EVP_PKEY *key = c->use == INIT_TLS ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
	X509 *x = X509_new();
	BIO *key_text = BIO_new(BIO_s_secmem()), *text = BIO_new(BIO_s_mem());
	int rc = 0;
	if (!key || !x || !key_text || !text || !fill(x, key, c) || !PEM_write_bio_X509(text, x) ||
	    !PEM_write_bio_PKCS8PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL))
		rc = van_error_set(e, VAN_ECRYPTO, "no certificate for '%s' could be made; are name and host plain text of at most 64 characters?",
				   c->name);
	if (rc == 0)
		rc = write_bio(dir, c->key_path, key_text, 0600, e);
	if (rc == 0)
		rc = write_bio(dir, c->certificate_path, text, 0644, e);
	BIO_free(key_text);
	BIO_free(text);
	X509_free(x);
	EVP_PKEY_free(key);
	return rc;
}

/* libssh writes by path: /proc/self/fd/N/… reaches below a folder whose path may be long or not enterable by others. */
static int write_host_key(int dir, ssh_key key, const char *path, struct van_error *e)
{
	char at[300];
	struct van_error ignored;
	int rc = init_write_file(dir, path, "", 0, 0600, e);
	if (rc < 0)
		return rc;
	snprintf(at, sizeof at, "/proc/self/fd/%d/%s", dir, path);
	if (ssh_pki_export_privkey_file(key, NULL, NULL, NULL, at) != SSH_OK)
		return van_error_set(e, VAN_EIO, "%s could not be written", path);
	if (fchmodat(dir, path, 0600, 0) < 0)
		return van_error_set(e, van_err_from_errno(errno), "%s: %s", path, strerror(errno));
	char *public = NULL;
	struct van_buf line = VAN_BUF_INIT(65536);
	if (ssh_pki_export_pubkey_base64(key, &public) == SSH_OK)
		van_buf_printf(&line, "%s %s openvan\n", ssh_key_type_to_char(ssh_key_type(key)), public);
	snprintf(at, sizeof at, "%s.pub", path);
	rc = init_write_file(dir, at, line.p, line.n, 0644, e ? e : &ignored);
	ssh_string_free_char(public);
	van_buf_free(&line);
	return rc;
}

int init_make_host_key(int dir, const char *type, const char *path, struct van_error *e)
{
	ssh_key key = NULL;
	bool rsa = !strcmp(type, "rsa"), ecdsa = !strcmp(type, "ecdsa");
	if (ssh_pki_generate(rsa ? SSH_KEYTYPE_RSA : ecdsa ? SSH_KEYTYPE_ECDSA_P256 : SSH_KEYTYPE_ED25519, rsa ? 3072 : ecdsa ? 256 : 0, &key) != SSH_OK)
		return van_error_set(e, VAN_ECRYPTO, "no SSH host key of type %s could be made", type);
	int rc = write_host_key(dir, key, path, e);
	ssh_key_free(key);
	return rc;
}
