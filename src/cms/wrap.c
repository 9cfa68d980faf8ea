#include "cms/wrap.h"

#include "cms/ber.h"
#include "cms/cert.h"
#include "cms/oid.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#define WRAPPED_MAX 2048 /* bytes: RSA with 16384 bits */

/* RSAES-OAEP-params with SHA-256 and MGF1-SHA-256 (RFC 4055): everything is constant. */
static const unsigned char oaep_sha256[] = {
	0x30, 0x2f, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
	0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
	0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
};

static bool set_padding(EVP_PKEY_CTX *ctx, enum wrap_alg wrap)
{
	if (wrap == WRAP_RSA_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
}

static int encrypt_key(const struct cms_cert *cert, enum wrap_alg wrap, const unsigned char *key, size_t n, unsigned char *to,
		    size_t *ret_n, struct van_error *err)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(cert->key, NULL);
	*ret_n = WRAPPED_MAX;
	bool ok = ctx && EVP_PKEY_encrypt_init(ctx) == 1 && set_padding(ctx, wrap) && EVP_PKEY_encrypt(ctx, to, ret_n, key, n) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : van_error_set(err, VAN_ECRYPTO, "the content key could not be encrypted for %s", cert->facts.subject);
}

/* KeyTransRecipientInfo { version 0, issuerAndSerialNumber, algorithm, encryptedKey } */
static int put_recipient(struct van_buf *to, const struct cms_cert *cert, enum wrap_alg wrap, struct slice key)
{
	struct van_buf in = VAN_BUF_INIT(0), id = VAN_BUF_INIT(0), alg = VAN_BUF_INIT(0);
	van_buf_append_slice(&id, cert->issuer);
	der_put(&id, BER_INTEGER, cert->serial);
	der_put(&alg, BER_OID, wrap == WRAP_RSA_OAEP ? OID_RSA_OAEP : OID_RSA);
	if (wrap == WRAP_RSA_OAEP)
		van_buf_append(&alg, oaep_sha256, sizeof oaep_sha256);
	else
		van_buf_append(&alg, "\x05\x00", 2);
	van_buf_append(&in, "\x02\x01\x00", 3);
	der_put(&in, BER_SEQUENCE, van_buf_slice(&id));
	der_put(&in, BER_SEQUENCE, van_buf_slice(&alg));
	der_put(&in, BER_OCTETS, key);
	der_put(to, BER_SEQUENCE, van_buf_slice(&in));
	int rc = id.error || alg.error || in.error ? VAN_ENOMEM : to->error;
	van_buf_free(&in);
	van_buf_free(&id);
	van_buf_free(&alg);
	return rc;
}

bool wrap_is_agreement(const struct cms_cert *cert)
{
	return EVP_PKEY_is_a(cert->key, "EC") == 1;
}

int wrap_key(const struct cms_cert *cert, enum wrap_alg alg, const unsigned char *key, size_t n, struct van_buf *to, struct van_error *err)
{
	unsigned char wrapped[WRAPPED_MAX];
	size_t wrapped_n;
	if (wrap_is_agreement(cert))
		return wrap_ecdh(cert, key, n, to, err);
	if (EVP_PKEY_is_a(cert->key, "RSA") != 1 || EVP_PKEY_get_size(cert->key) > WRAPPED_MAX)
		return van_error_set(err, VAN_EDENIED, "the certificate of %s has a key of type %s: to encrypt for it, it needs an RSA or EC key",
				     cert->facts.subject, cert->facts.key_type);
	int rc = encrypt_key(cert, alg, key, n, wrapped, &wrapped_n, err);
	return rc ? rc : put_recipient(to, cert, alg, slice_make(wrapped, wrapped_n));
}
