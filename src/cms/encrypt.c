#include "cms/encrypt.h"

#include "base/buf.h"
#include "cms/ber.h"
#include "cms/evp.h"
#include "cms/oid.h"
#include "cms/wrap.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>

#define CHUNK 16384
#define BLOCK 16
#define GCM_NONCE 12
#define GCM_TAG 16

struct cms_encryptor {
	EVP_CIPHER_CTX *ctx;
	struct byte_sink to;
	bool gcm;
	bool agreed;   /* the content key, with the recipient's EC key */
	uint64_t left;
};

static uint64_t sized(uint64_t content)
{
	return der_head_size(content) + content;
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
	/* AuthEnvelopedData is always version 0 (RFC 5083 section 2.1) */
	van_buf_append(to, e->agreed && !e->gcm ? "\x02\x01\x02" : "\x02\x01\x00", 3);
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
	unsigned char key[CIPHER_KEY_MAX], iv[BLOCK];
	struct van_buf recipient = VAN_BUF_INIT(0), head = VAN_BUF_INIT(0);
	size_t iv_n = e->gcm ? GCM_NONCE : cipher == CIPHER_3DES_CBC ? 8 : BLOCK;
	e->ctx = EVP_CIPHER_CTX_new();
	int rc = e->ctx && RAND_bytes(key, sizeof key) == 1 && RAND_bytes(iv, sizeof iv) == 1 ? 0 : VAN_ENOMEM;
	if (rc == 0)
		rc = wrap_key(cert, wrap, key, cipher_key_size(cipher), &recipient, err);
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
	e->agreed = wrap_is_agreement(recipient);
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
