#include "cms/digest.h"

#include "base/error.h"
#include "cms/evp.h"

#include <openssl/err.h>
#include <pthread.h>

/* OpenSSL 3.0 looks an algorithm up by name, under locks, at every use of EVP_sha256() and its like: some microseconds each
 * time. They are fetched once for the process; what is fetched never changes. */
static EVP_MD *digests[DIGEST_COUNT];
static EVP_CIPHER *ciphers[CIPHER_COUNT];
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch_all(void)
{
	static const char *const digest_names[DIGEST_COUNT] = {NULL, "MD5", "SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512"};
	static const char *const cipher_names[CIPHER_COUNT] = {NULL,	      "DES-EDE3-CBC", "AES-128-CBC", "AES-192-CBC",
							       "AES-256-CBC", "AES-128-GCM",  "AES-192-GCM", "AES-256-GCM"};
	for (int d = DIGEST_MD5; d < DIGEST_COUNT; d++)
		digests[d] = EVP_MD_fetch(NULL, digest_names[d], NULL);
	for (int c = CIPHER_3DES_CBC; c < CIPHER_COUNT; c++)
		ciphers[c] = EVP_CIPHER_fetch(NULL, cipher_names[c], NULL);
	ERR_clear_error();
}

const EVP_MD *evp_digest(enum digest_alg d)
{
	pthread_once(&fetched, fetch_all);
	return d > DIGEST_NONE && d < DIGEST_COUNT ? digests[d] : NULL;
}

const EVP_CIPHER *evp_cipher(enum cipher_alg c)
{
	pthread_once(&fetched, fetch_all);
	return c > CIPHER_NONE && c < CIPHER_COUNT ? ciphers[c] : NULL;
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
