/* Certificates: reading their files, and what is shown and looked up of them. Private keys: private_key.c. */
#include "base/codec.h"
#include "base/error.h"
#include "base/fdio.h"
#include "partner/profile_private.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PEM_MAX ((size_t)1 << 20)
#define SUBJECT_MAX 300

struct slice profile_folder_of(struct van_arena *a, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct slice folder = slash ? slice_make(file, (size_t)(slash - file)) : SLICE(".");
	if (slash == file)
		folder = SLICE("/");
	char *given = van_arena_str(a, folder);
	char *real = given ? realpath(given, NULL) : NULL;
	/* A folder that can't be resolved fails later, where its files are read, with a better message. */
	struct slice s = van_arena_slice(a, real ? slice_str(real) : folder);
	free(real);
	return s;
}

int profile_read_file(struct schema_reader *r, const struct schema_node *at, const char *key, struct slice path, size_t max,
		      struct van_buf *to)
{
	struct stat st;
	*to = VAN_BUF_INIT(max);
	errno = 0;
	/* A FIFO would wait for ever. */
	int rc = stat(path.p, &st) == 0 && !S_ISREG(st.st_mode) ? VAN_EINVAL : file_read(path.p, to);
	if (rc == 0)
		return 0;
	const char *remedy = errno == ENOENT	? "put the file there or correct the path"
			     : errno == EACCES ? "let this user read it"
					       : "it must be a readable file";
	if (rc == VAN_ELIMIT)
		schema_problem(r, at, key, false, "%.*s is larger than %zu bytes: is it the right file?", SLICE_ARG(path), max);
	else
		schema_problem(r, at, key, false, "can't read %.*s: %s: %s", SLICE_ARG(path), errno ? strerror(errno) : van_err_name(rc),
			       remedy);
	van_buf_free(to);
	return rc == VAN_ENOMEM ? rc : VAN_EINVAL;
}

/* The first certificate of a PEM text; other blocks (a private key before it, the chain behind it) are passed over. */
static X509 *parse_pem(struct slice pem)
{
	BIO *b = pem.n <= PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, (void *)(uintptr_t) "") : NULL;
	BIO_free(b);
	ERR_clear_error();
	return x;
}

struct slice profile_pem_to_der(struct van_arena *a, struct slice pem)
{
	X509 *x = pem.p ? parse_pem(pem) : NULL;
	unsigned char *der = NULL;
	int n = x ? i2d_X509(x, &der) : -1;
	struct slice s = n > 0 ? van_arena_slice(a, slice_make(der, (size_t)n)) : SLICE_NONE;
	OPENSSL_free(der);
	X509_free(x);
	return s;
}

/* The bytes of the first certificate, without looking into them: an X.509 parse costs a hundred times as much. */
static struct slice decode_pem(struct van_arena *a, struct slice pem)
{
	BIO *b = pem.n <= PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long n = 0;
	struct slice s = SLICE_NONE;
	if (b && PEM_read_bio(b, &name, &header, &data, &n) == 1 && strcmp(name, PEM_STRING_X509) == 0)
		s = van_arena_slice(a, slice_make(data, (size_t)n));
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	BIO_free(b);
	ERR_clear_error();
	return s;
}

static van_time time_of(const ASN1_TIME *t)
{
	struct tm tm;
	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	struct van_civil c = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, 0};
	return van_time_from_civil(&c);
}

static struct slice hex_sha256(struct van_arena *a, const void *p, size_t n)
{
	unsigned char hash[32];
	char *to = van_arena_alloc(a, 65);
	if (!to || EVP_Digest(p, n, hash, NULL, EVP_sha256(), NULL) != 1)
		return SLICE_NONE;
	return slice_make(hex_encode(to, hash, sizeof hash), 64);
}

static struct slice subject_of(struct van_arena *a, X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	if (!b)
		return SLICE_NONE;
	X509_NAME_print_ex(b, X509_get_subject_name(x), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	long n = BIO_get_mem_data(b, &p);
	struct slice s = van_arena_slice(a, slice_make(p ? p : "", n > SUBJECT_MAX ? SUBJECT_MAX : n > 0 ? (size_t)n : 0));
	BIO_free(b);
	return s;
}

static struct slice pem_of(struct van_arena *a, X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	struct slice s = SLICE_NONE;
	if (b && PEM_write_bio_X509(b, x) == 1) {
		long n = BIO_get_mem_data(b, &p);
		s = van_arena_slice(a, slice_make(p, (size_t)n));
	}
	BIO_free(b);
	return s;
}

/* Everything that follows from the certificate; the PEM is written anew, so that nothing else of the file is stored. */
static int describe(struct van_arena *a, X509 *x, struct profile_certificate *c)
{
	unsigned char *der = NULL, *spki = NULL;
	int der_n = i2d_X509(x, &der), spki_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
	if (der_n > 0 && spki_n > 0) {
		c->fingerprint = hex_sha256(a, der, (size_t)der_n);
		c->key_id = hex_sha256(a, spki, (size_t)spki_n);
		c->der = van_arena_slice(a, slice_make(der, (size_t)der_n));
	}
	OPENSSL_free(der);
	OPENSSL_free(spki);
	c->subject = subject_of(a, x);
	c->pem = pem_of(a, x);
	c->not_before = time_of(X509_get0_notBefore(x));
	c->not_after = time_of(X509_get0_notAfter(x));
	return c->fingerprint.p && c->key_id.p && c->der.p && c->subject.p && c->pem.p ? 0 : VAN_ENOMEM;
}

static void check_key(struct schema_reader *r, const struct schema_node *at, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	if (!key)
		schema_problem(r, at, NULL, false, "the certificate's public key is of an unknown kind: use an RSA key of 2048 bits or more");
	else if (EVP_PKEY_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) < 2048)
		schema_problem(r, at, NULL, true, "an RSA key of %d bits is too weak: ask for a certificate of 2048 bits or more",
			       EVP_PKEY_bits(key));
	ERR_clear_error();
}

int profile_certificate_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_certificate *c = object;
	struct van_buf content = {0};
	struct slice pem = c->pem;
	if (r->trusted && pem.p && c->key_id.n == 64 && c->fingerprint.n == 64 && c->subject.p && c->not_after) {
		c->der = decode_pem(r->arena, pem);
		if (c->der.p)
			return 0;
	}
	if (c->from && c->until && c->from >= c->until)
		schema_problem(r, at, "until", false, "must be later than \"from\"");
	if (!pem.p && (!c->file.p || !r->folder.p)) {
		schema_problem(r, at, NULL, false, c->file.p ? "the certificate itself is missing here: give \"pem\""
							     : "missing: give \"file\" or \"pem\"");
		return 0;
	}
	if (!pem.p) {
		int rc = profile_read_file(r, at, NULL, c->file, PEM_MAX, &content);
		if (rc < 0)
			return rc == VAN_ENOMEM ? rc : 0;
		pem = van_buf_slice(&content);
	}
	X509 *x = parse_pem(pem);
	int rc = 0;
	if (!x && c->pem.p)
		schema_problem(r, at, "pem", false, "holds no certificate: it begins with -----BEGIN CERTIFICATE-----");
	else if (!x)
		schema_problem(r, at, NULL, false,
			       "%.*s holds no PEM certificate (-----BEGIN CERTIFICATE-----): a DER file is turned into one with "
			       "\"openssl x509 -inform DER -in FILE -out FILE.pem\"",
			       SLICE_ARG(c->file));
	else
		rc = describe(r->arena, x, c);
	if (x && rc == 0)
		check_key(r, at, x);
	X509_free(x);
	van_buf_free(&content);
	return rc;
}

int profile_key_pair_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_key_pair *k = object;
	k->key_id = k->certificate->key_id;
	/* with a path we came from a file; a certificate that was no good has been named already */
	bool as2 = strncmp(r->path, "as2.", 4) == 0;
	return r->folder.p ? profile_private_key_check(r, at, "key", k->key, k->certificate->der, as2) : 0;
}
