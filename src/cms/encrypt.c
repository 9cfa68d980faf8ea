#include "cms/encrypt.h"

#include "base/buf.h"
#include "cms/ber.h"
#include "cms/cert.h"
#include "cms/evp.h"
#include "cms/oid.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#define CHUNK 16384
#define BLOCK 16
#define GCM_NONCE 12
#define GCM_TAG 16
#define WRAPPED_MAX 2048 /* bytes: RSA with 16384 bits */

struct cms_encryptor {
	EVP_CIPHER_CTX *ctx;
	struct byte_sink to;
	bool gcm;
	uint64_t left;
};

/* RSAES-OAEP-params with SHA-256 and MGF1-SHA-256 (RFC 4055): everything is constant. */
static const unsigned char oaep_sha256[] = {
	0x30, 0x2f, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
	0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
	0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
};

static uint64_t sized(uint64_t content)
{
	return der_head_size(content) + content;
}

static bool set_padding(EVP_PKEY_CTX *ctx, enum wrap_alg wrap)
{
	if (wrap == WRAP_RSA_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
}

static int wrap_key(const struct cms_cert *cert, enum wrap_alg wrap, const unsigned char *key, size_t n, unsigned char *to,
		    size_t *ret_n, struct van_error *err)
{
	if (EVP_PKEY_is_a(cert->key, "RSA") != 1 || EVP_PKEY_get_size(cert->key) > WRAPPED_MAX)
		return van_error_set(err, VAN_EDENIED, "the certificate of %s has a key of type %s: to encrypt for it, it needs an RSA key",
				     cert->facts.subject, cert->facts.key_type);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(cert->key, NULL);
	*ret_n = WRAPPED_MAX;
	bool ok = ctx && EVP_PKEY_encrypt_init(ctx) == 1 && set_padding(ctx, wrap) && EVP_PKEY_encrypt(ctx, to, ret_n, key, n) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : van_error_set(err, VAN_ECRYPTO, "the content key could not be encrypted for %s", cert->facts.subject);
}

/* KeyTransRecipientInfo { version 0, issuerAndSerialNumber, algorithm, encryptedKey } */
static void put_recipient(struct van_buf *to, const struct cms_cert *cert, enum wrap_alg wrap, struct slice key)
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
	if (id.error || alg.error || in.error)
		to->error = VAN_ENOMEM;
	van_buf_free(&in);
	van_buf_free(&id);
	van_buf_free(&alg);
}

static void put_cipher(struct van_buf *to, enum cipher_alg cipher, bool gcm, struct slice iv)
{
	struct van_buf in = VAN_BUF_INIT(0), params = VAN_BUF_INIT(0);
	der_put(&in, BER_OID, oid_of_cipher(cipher));
	if (gcm) {
		der_put(&params, BER_OCTETS, iv);
		van_buf_append(&params, "\x02\x01\x10", 3); /* the tag's length; 12 would be the default */
		der_put(&in, BER_SEQUENCE, van_buf_slice(&params));
	} else {
		der_put(&in, BER_OCTETS, iv);
	}
	der_put(to, BER_SEQUENCE, van_buf_slice(&in));
	van_buf_free(&in);
	van_buf_free(&params);
}

static uint64_t cipher_length(enum cipher_alg cipher, bool gcm, uint64_t n)
{
	uint64_t block = cipher == CIPHER_3DES_CBC ? 8 : BLOCK;
	return gcm ? n : (n / block + 1) * block;
}

/* Everything up to the first byte of ciphertext. */
static int put_head(struct van_buf *to, const struct cms_encryptor *e, enum cipher_alg cipher, struct slice recipient, struct slice iv)
{
	struct van_buf alg = VAN_BUF_INIT(0);
	put_cipher(&alg, cipher, e->gcm, iv);
	uint64_t n = cipher_length(cipher, e->gcm, e->left);
	uint64_t content = sized(OID_DATA.n) + alg.n + sized(n);
	uint64_t body = 3 + sized(recipient.n) + sized(content) + (e->gcm ? sized(GCM_TAG) : 0);
	struct slice type = e->gcm ? OID_AUTH_ENVELOPED_DATA : OID_ENVELOPED_DATA;
	der_head(to, BER_SEQUENCE, sized(type.n) + sized(sized(body)));
	der_put(to, BER_OID, type);
	der_head(to, BER_CONTEXT_CONSTRUCTED + 0, sized(body));
	der_head(to, BER_SEQUENCE, body);
	van_buf_append(to, "\x02\x01\x00", 3);
	der_put(to, BER_SET, recipient);
	der_head(to, BER_SEQUENCE, content);
	der_put(to, BER_OID, OID_DATA);
	van_buf_append_slice(to, van_buf_slice(&alg));
	der_head(to, BER_CONTEXT + 0, n);
	int rc = alg.error ? alg.error : to->error;
	van_buf_free(&alg);
	return rc;
}

static int start(struct cms_encryptor *e, enum cipher_alg cipher, enum wrap_alg wrap, const struct cms_cert *cert, struct van_error *err)
{
	unsigned char key[CIPHER_KEY_MAX], iv[BLOCK], wrapped[WRAPPED_MAX];
	struct van_buf recipient = VAN_BUF_INIT(0), head = VAN_BUF_INIT(0);
	size_t wrapped_n, iv_n = e->gcm ? GCM_NONCE : cipher == CIPHER_3DES_CBC ? 8 : BLOCK;
	e->ctx = EVP_CIPHER_CTX_new();
	int rc = e->ctx && RAND_bytes(key, sizeof key) == 1 && RAND_bytes(iv, sizeof iv) == 1 ? 0 : VAN_ENOMEM;
	if (rc == 0)
		rc = wrap_key(cert, wrap, key, cipher_key_size(cipher), wrapped, &wrapped_n, err);
	if (rc == 0) {
		put_recipient(&recipient, cert, wrap, slice_make(wrapped, wrapped_n));
		rc = recipient.error;
	}
	if (rc == 0 && EVP_EncryptInit_ex(e->ctx, evp_cipher(cipher), NULL, key, iv) != 1) /* GCM's nonce has its usual length */
		rc = van_error_set(err, VAN_ECRYPTO, "the cipher %s is not available", cipher_name(cipher));
	OPENSSL_cleanse(key, sizeof key);
	if (rc == 0)
		rc = put_head(&head, e, cipher, van_buf_slice(&recipient), slice_make(iv, iv_n));
	if (rc == 0)
		rc = sink_write(&e->to, head.p, head.n);
	van_buf_free(&recipient);
	van_buf_free(&head);
	return rc;
}

int cms_encryptor_new(enum cipher_alg cipher, enum wrap_alg wrap, const struct cms_cert *recipient, uint64_t length,
		      struct byte_sink to, struct cms_encryptor **ret, struct van_error *err)
{
	struct cms_encryptor *e = calloc(1, sizeof *e);
	if (!e)
		return van_error_set(err, VAN_ENOMEM, "no memory to encrypt");
	e->to = to;
	e->left = length;
	e->gcm = cipher >= CIPHER_AES128_GCM;
	int rc = start(e, cipher, wrap, recipient, err);
	if (rc) {
		cms_encryptor_free(e);
		return rc;
	}
	*ret = e;
	return 0;
}

void cms_encryptor_free(struct cms_encryptor *e)
{
	if (!e)
		return;
	EVP_CIPHER_CTX_free(e->ctx);
	free(e);
}

int cms_encryptor_feed(struct cms_encryptor *e, const void *data, size_t n)
{
	unsigned char out[CHUNK + BLOCK];
	const unsigned char *p = data;
	if (n > e->left)
		return VAN_EINVAL;
	e->left -= n;
	while (n) {
		int take = n < CHUNK ? (int)n : CHUNK, got = 0;
		if (EVP_EncryptUpdate(e->ctx, out, &got, p, take) != 1)
			return VAN_ECRYPTO;
		int rc = sink_write(&e->to, out, (size_t)got);
		if (rc)
			return rc;
		p += take;
		n -= (size_t)take;
	}
	return 0;
}

int cms_encryptor_finish(struct cms_encryptor *e)
{
	unsigned char out[BLOCK], tag[2 + GCM_TAG] = {BER_OCTETS, GCM_TAG};
	int got = 0;
	if (e->left)
		return VAN_EINVAL;
	if (EVP_EncryptFinal_ex(e->ctx, out, &got) != 1)
		return VAN_ECRYPTO;
	int rc = sink_write(&e->to, out, (size_t)got);
	if (rc || !e->gcm)
		return rc;
	if (EVP_CIPHER_CTX_ctrl(e->ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, tag + 2) != 1)
		return VAN_ECRYPTO;
	return sink_write(&e->to, tag, sizeof tag);
}
