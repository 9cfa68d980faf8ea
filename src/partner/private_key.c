/* Private keys are looked at where profiles and vand.yaml are checked, so that a key that does not fit is an error with a line
 * number and not a word in a log later. Nothing of them is kept. */
#include "base/error.h"
#include "base/fdio.h"
#include "partner/profile_private.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_MAX ((size_t)65536) /* as keyd reads them */

static int read_key(struct slice path, struct van_buf *to)
{
	struct stat st;
	*to = VAN_BUF_INIT(KEY_MAX);
	errno = 0;
	int rc = stat(path.p, &st) < 0 ? (int)van_err_from_errno(errno) : S_ISREG(st.st_mode) ? file_read(path.p, to) : VAN_EINVAL;
	return rc;
}

static EVP_PKEY *parse_key(const struct van_buf *pem)
{
	char no_passphrase[] = "";
	BIO *b = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, no_passphrase) : NULL;
	BIO_free(b);
	ERR_clear_error();
	return key;
}

static bool belongs_to(EVP_PKEY *key, struct slice der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	bool same = x && EVP_PKEY_eq(X509_get0_pubkey(x), key) == 1;
	X509_free(x);
	ERR_clear_error();
	return same;
}

static void look_at(struct schema_reader *r, const struct schema_node *at, const char *field, struct slice path, const struct van_buf *pem,
		    struct slice der, bool as2)
{
	EVP_PKEY *key = parse_key(pem);
	if (!key && memmem(pem->p ? pem->p : "", pem->n, "ENCRYPTED", 9))
		schema_problem(r, at, field, false, "%.*s is locked with a passphrase that nobody could give at start: take it off with "
						    "\"openssl pkey -in FILE -out NEW\" and keep the file readable by root only", SLICE_ARG(path));
	else if (!key)
		schema_problem(r, at, field, false, "%.*s holds no PEM private key (-----BEGIN PRIVATE KEY-----): a DER file is turned into "
						    "one with \"openssl pkey -inform DER -in FILE -out FILE.pem\"", SLICE_ARG(path));
	else if (der.p && !belongs_to(key, der))
		schema_problem(r, at, field, false, "%.*s is not the private key of the certificate beside it: name the key that the "
						    "certificate was made with; \"openssl pkey -in KEY -pubout\" and \"openssl x509 -in "
						    "CERTIFICATE -noout -pubkey\" must print the same", SLICE_ARG(path));
	else if (as2 && !EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "EC"))
		schema_problem(r, at, field, false, "%.*s is a key of type %s, which can't sign AS2 messages: use an RSA or EC key, with a "
						    "certificate of its own", SLICE_ARG(path), EVP_PKEY_get0_type_name(key));
	EVP_PKEY_free(key);
}

int profile_private_key_check(struct schema_reader *r, const struct schema_node *at, const char *field, struct slice path, struct slice der,
			      bool as2)
{
	struct van_buf pem;
	int rc = read_key(path, &pem), err = errno;
	if (rc == 0)
		look_at(r, at, field, path, &pem, der, as2);
	else if (rc == VAN_ELIMIT)
		schema_problem(r, at, field, false, "%.*s is larger than %zu bytes: is it the right file?", SLICE_ARG(path), KEY_MAX);
	else if (rc == VAN_EINVAL)
		schema_problem(r, at, field, false, "%.*s is not a regular file: name the PEM file of the private key", SLICE_ARG(path));
	else if (rc != VAN_ENOMEM && (err == ENOENT || err == ENOTDIR))
		schema_problem(r, at, field, false, "there is no file %.*s: put the private key there or correct the path", SLICE_ARG(path));
	else if (rc != VAN_ENOMEM) /* vand opens it as root; this user need not be able to */
		schema_problem(r, at, field, true, "%.*s can't be read by this user (%s), so that it was not compared with its certificate: "
						   "run this as root to be sure, or look at `vanctl status` afterwards", SLICE_ARG(path),
			       err ? strerror(err) : van_err_name(rc));
	if (pem.p)
		OPENSSL_cleanse(pem.p, pem.room);
	van_buf_free(&pem);
	return rc == VAN_ENOMEM ? rc : 0;
}
