#include "cms/digest.h"

#include "base/error.h"
#include "cms/evp.h"

#include <openssl/err.h>

const EVP_MD *evp_digest(enum digest_alg d)
{
	switch (d) {
	case DIGEST_MD5: return EVP_md5();
	case DIGEST_SHA1: return EVP_sha1();
	case DIGEST_SHA224: return EVP_sha224();
	case DIGEST_SHA256: return EVP_sha256();
	case DIGEST_SHA384: return EVP_sha384();
	case DIGEST_SHA512: return EVP_sha512();
	default: return NULL;
	}
}

const EVP_CIPHER *evp_cipher(enum cipher_alg c)
{
	switch (c) {
	case CIPHER_3DES_CBC: return EVP_des_ede3_cbc();
	case CIPHER_AES128_CBC: return EVP_aes_128_cbc();
	case CIPHER_AES192_CBC: return EVP_aes_192_cbc();
	case CIPHER_AES256_CBC: return EVP_aes_256_cbc();
	case CIPHER_AES128_GCM: return EVP_aes_128_gcm();
	case CIPHER_AES192_GCM: return EVP_aes_192_gcm();
	case CIPHER_AES256_GCM: return EVP_aes_256_gcm();
	default: return NULL;
	}
}

int digest_set_begin(struct digest_set *s, uint32_t mask)
{
	for (int d = DIGEST_MD5; d < DIGEST_COUNT; d++) {
		if (!(mask & ALG_BIT(d)) || s->ctx[d])
			continue;
		s->ctx[d] = EVP_MD_CTX_new();
		if (!s->ctx[d])
			return VAN_ENOMEM;
		if (EVP_DigestInit_ex(s->ctx[d], evp_digest((enum digest_alg)d), NULL) != 1) {
			ERR_clear_error();
			EVP_MD_CTX_free(s->ctx[d]);
			s->ctx[d] = NULL;
			return VAN_ECRYPTO;
		}
	}
	return 0;
}

int digest_set_update(struct digest_set *s, const void *p, size_t n)
{
	for (int d = DIGEST_MD5; d < DIGEST_COUNT; d++)
		if (s->ctx[d] && EVP_DigestUpdate(s->ctx[d], p, n) != 1)
			return VAN_ECRYPTO;
	return 0;
}

int digest_set_end(struct digest_set *s, enum digest_alg d, unsigned char *to)
{
	if ((unsigned)d >= DIGEST_COUNT || !s->ctx[d])
		return VAN_ENOTFOUND;
	int ok = EVP_DigestFinal_ex(s->ctx[d], to, NULL);
	EVP_MD_CTX_free(s->ctx[d]);
	s->ctx[d] = NULL;
	return ok == 1 ? 0 : VAN_ECRYPTO;
}

void digest_set_free(struct digest_set *s)
{
	for (int d = DIGEST_MD5; d < DIGEST_COUNT; d++) {
		EVP_MD_CTX_free(s->ctx[d]);
		s->ctx[d] = NULL;
	}
}

int digest_bytes(enum digest_alg d, const void *p, size_t n, unsigned char *to)
{
	const EVP_MD *md = evp_digest(d);
	return md && EVP_Digest(p, n, to, NULL, md, NULL) == 1 ? 0 : VAN_ECRYPTO;
}
