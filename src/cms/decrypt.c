#include "cms/decrypt.h"

#include "base/error.h"
#include "cms/ber.h"
#include "cms/evp.h"

#include <openssl/err.h>
#include <stdlib.h>

#define CHUNK 16384

struct decryptor {
	EVP_CIPHER_CTX *ctx;
	struct byte_sink to;
	bool gcm;
	size_t tag_size;
};

/* GCMParameters ::= SEQUENCE { aes-nonce OCTET STRING, aes-ICVlen INTEGER DEFAULT 12 } (RFC 5084). */
static int parse_params(struct decryptor *d, struct slice params, struct slice *iv)
{
	struct ber b = ber_over(params);
	if (!d->gcm) {
		*iv = ber_expect(&b, BER_OCTETS);
		return ber_ok(&b) ? 0 : VAN_ESYNTAX;
	}
	struct ber in = ber_over(ber_expect(&b, BER_SEQUENCE));
	*iv = ber_expect(&in, BER_OCTETS);
	d->tag_size = 12;
	if (ber_more(&in)) {
		struct slice n = ber_expect(&in, BER_INTEGER);
		d->tag_size = n.n == 1 ? (unsigned char)n.p[0] : 0;
	}
	bool fine = ber_ok(&b) && ber_ok(&in) && iv->n >= 1 && iv->n <= 64 && d->tag_size >= 12 && d->tag_size <= 16;
	return fine ? 0 : VAN_ESYNTAX;
}

static int start(struct decryptor *d, enum cipher_alg cipher, struct slice iv, const unsigned char *key)
{
	const EVP_CIPHER *c = evp_cipher(cipher);
	d->ctx = EVP_CIPHER_CTX_new();
	if (!d->ctx)
		return VAN_ENOMEM;
	if (!d->gcm && iv.n != (size_t)EVP_CIPHER_get_iv_length(c))
		return VAN_ESYNTAX;
	if (EVP_DecryptInit_ex(d->ctx, c, NULL, NULL, NULL) != 1)
		return VAN_ECRYPTO;
	if (d->gcm && EVP_CIPHER_CTX_ctrl(d->ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)iv.n, NULL) != 1)
		return VAN_ECRYPTO;
	int ok = EVP_DecryptInit_ex(d->ctx, NULL, NULL, key, (const unsigned char *)iv.p);
	return ok == 1 ? 0 : VAN_ECRYPTO;
}

int decryptor_new(enum cipher_alg cipher, struct slice params, const unsigned char *key, struct byte_sink to,
		  struct decryptor **ret)
{
	struct decryptor *d = calloc(1, sizeof *d);
	struct slice iv;
	if (!d)
		return VAN_ENOMEM;
	d->to = to;
	d->gcm = cipher >= CIPHER_AES128_GCM;
	int rc = parse_params(d, params, &iv);
	if (!rc)
		rc = start(d, cipher, iv, key);
	if (rc) {
		ERR_clear_error();
		decryptor_free(d);
		return rc;
	}
	*ret = d;
	return 0;
}

void decryptor_free(struct decryptor *d)
{
	if (!d)
		return;
	EVP_CIPHER_CTX_free(d->ctx);
	free(d);
}

int decryptor_feed(struct decryptor *d, const void *data, size_t n)
{
	unsigned char out[CHUNK + EVP_MAX_BLOCK_LENGTH];
	const unsigned char *p = data;
	while (n) {
		int take = n < CHUNK ? (int)n : CHUNK, got = 0;
		if (EVP_DecryptUpdate(d->ctx, out, &got, p, take) != 1) {
			ERR_clear_error();
			return VAN_ECRYPTO;
		}
		int rc = sink_write(&d->to, out, (size_t)got);
		if (rc)
			return rc;
		p += take;
		n -= (size_t)take;
	}
	return 0;
}

int decryptor_finish(struct decryptor *d, struct slice tag)
{
	unsigned char out[EVP_MAX_BLOCK_LENGTH];
	int got = 0;
	if (d->gcm && (tag.n != d->tag_size ||
		       EVP_CIPHER_CTX_ctrl(d->ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag.n, (void *)(uintptr_t)tag.p) != 1)) {
		ERR_clear_error();
		return VAN_ECRYPTO;
	}
	if (EVP_DecryptFinal_ex(d->ctx, out, &got) != 1) {
		ERR_clear_error();
		return VAN_ECRYPTO;
	}
	return sink_write(&d->to, out, (size_t)got);
}
