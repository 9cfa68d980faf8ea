/* Wrapping a content key by ephemeral-static ECDH (RFC 5753): a key pair for this message alone, on the recipient's curve. */
#include "cms/wrap.h"

#include "cms/ber.h"
#include "cms/cert.h"
#include "cms/ecdh.h"
#include "cms/oid.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define POINT_MAX 160 /* bytes, uncompressed: P-521 has 133 */
#define WRAPPED_MAX (CIPHER_KEY_MAX + 8)

/* The digest that goes with the curve (RFC 5008 and its successors), and a key that wraps of the content key's own length. */
static void choose(const struct cms_cert *cert, size_t n, struct ecdh_agreement *a, struct van_buf *wrap)
{
	int bits = EVP_PKEY_get_bits(cert->key);
	a->digest = bits <= 256 ? DIGEST_SHA256 : bits <= 384 ? DIGEST_SHA384 : DIGEST_SHA512;
	a->kek = n <= 16 ? 16 : n <= 24 ? 24 : 32;
	struct van_buf oid = VAN_BUF_INIT(0);
	der_put(&oid, BER_OID, oid_of_aes_wrap(a->kek));
	der_put(wrap, BER_SEQUENCE, van_buf_slice(&oid));
	wrap->error = oid.error ? oid.error : wrap->error;
	van_buf_free(&oid);
	a->wrap = van_buf_slice(wrap);
}

static EVP_PKEY *ephemeral_key(const struct cms_cert *cert)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(cert->key, NULL);
	if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_keygen(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool wrap(const struct ecdh_agreement *a, const unsigned char *kek, const unsigned char *key, size_t n, unsigned char *to, int *ret_n)
{
	int more = 0;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	if (ctx)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	bool ok = ctx && EVP_EncryptInit_ex(ctx, ecdh_wrap_cipher(a), NULL, kek, NULL) == 1 && EVP_EncryptUpdate(ctx, to, ret_n, key, (int)n) == 1 &&
		  EVP_EncryptFinal_ex(ctx, to + *ret_n, &more) == 1;
	*ret_n += more;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* originator [0] { originatorKey [1] { algorithm, publicKey BIT STRING } }: id-ecPublicKey without parameters, which the curve of
 * the recipient's key stands in for. */
static int put_originator(struct van_buf *to, EVP_PKEY *key)
{
	unsigned char *point = NULL;
	size_t n = EVP_PKEY_get1_encoded_public_key(key, &point);
	struct van_buf oid = VAN_BUF_INIT(0), bits = VAN_BUF_INIT(0), in = VAN_BUF_INIT(0), outer = VAN_BUF_INIT(0);
	der_put(&oid, BER_OID, OID_EC_PUBLIC_KEY);
	der_put(&in, BER_SEQUENCE, van_buf_slice(&oid));
	van_buf_append_char(&bits, 0);
	van_buf_append(&bits, point, n);
	der_put(&in, BER_BITS, van_buf_slice(&bits));
	der_put(&outer, BER_CONTEXT_CONSTRUCTED + 1, van_buf_slice(&in));
	der_put(to, BER_CONTEXT_CONSTRUCTED + 0, van_buf_slice(&outer));
	int rc = n == 0 || n > POINT_MAX ? VAN_ECRYPTO : oid.error || bits.error || in.error || outer.error ? VAN_ENOMEM : to->error;
	OPENSSL_free(point);
	van_buf_free(&oid);
	van_buf_free(&bits);
	van_buf_free(&in);
	van_buf_free(&outer);
	return rc;
}

/* keyEncryptionAlgorithm { scheme, the key wrap's AlgorithmIdentifier } and recipientEncryptedKeys with one. */
static int put_rest(struct van_buf *to, const struct cms_cert *cert, const struct ecdh_agreement *a, struct slice wrapped)
{
	struct van_buf alg = VAN_BUF_INIT(0), id = VAN_BUF_INIT(0), one = VAN_BUF_INIT(0), list = VAN_BUF_INIT(0);
	der_put(&alg, BER_OID, oid_of_ecdh(a->digest));
	van_buf_append_slice(&alg, a->wrap);
	der_put(to, BER_SEQUENCE, van_buf_slice(&alg));
	van_buf_append_slice(&id, cert->issuer);
	der_put(&id, BER_INTEGER, cert->serial);
	der_put(&one, BER_SEQUENCE, van_buf_slice(&id));
	der_put(&one, BER_OCTETS, wrapped);
	der_put(&list, BER_SEQUENCE, van_buf_slice(&one));
	der_put(to, BER_SEQUENCE, van_buf_slice(&list));
	int rc = alg.error || id.error || one.error || list.error ? VAN_ENOMEM : to->error;
	van_buf_free(&alg);
	van_buf_free(&id);
	van_buf_free(&one);
	van_buf_free(&list);
	return rc;
}

static int put_info(struct van_buf *to, const struct cms_cert *cert, const struct ecdh_agreement *a, EVP_PKEY *own, struct slice wrapped)
{
	struct van_buf in = VAN_BUF_INIT(0);
	van_buf_append(&in, "\x02\x01\x03", 3);
	int rc = put_originator(&in, own);
	if (rc == 0)
		rc = put_rest(&in, cert, a, wrapped);
	if (rc == 0)
		rc = der_put(to, BER_CONTEXT_CONSTRUCTED + 1, van_buf_slice(&in));
	van_buf_free(&in);
	return rc;
}

int wrap_ecdh(const struct cms_cert *cert, const unsigned char *key, size_t n, struct van_buf *to, struct van_error *err)
{
	unsigned char kek[ECDH_KEK_MAX], wrapped[WRAPPED_MAX + 8];
	struct van_buf alg = VAN_BUF_INIT(0);
	struct ecdh_agreement a = {.ukm = SLICE_NONE};
	int wrapped_n = 0, rc = VAN_ECRYPTO;
	choose(cert, n, &a, &alg);
	EVP_PKEY *own = alg.error ? NULL : ephemeral_key(cert);
	if (own && ecdh_kek(own, cert->key, &a, kek) && wrap(&a, kek, key, n, wrapped, &wrapped_n))
		rc = put_info(to, cert, &a, own, slice_make(wrapped, (size_t)wrapped_n));
	EVP_PKEY_free(own);
	OPENSSL_cleanse(kek, sizeof kek);
	van_buf_free(&alg);
	ERR_clear_error();
	return rc ? van_error_set(err, rc, "the content key could not be agreed with the EC key of %s", cert->facts.subject) : 0;
}
