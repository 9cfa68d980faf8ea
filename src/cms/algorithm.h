/* The algorithms that AS2 uses, and their names: profile names ("sha256", "aes256-cbc"), micalg spellings, OIDs. */
#ifndef OPENVAN_CMS_ALGORITHM_H
#define OPENVAN_CMS_ALGORITHM_H

#include "base/slice.h"

#include <stdint.h>

/* Values are stored and sent between roles: never renumber. */
enum digest_alg {
	DIGEST_NONE = 0,
	DIGEST_MD5 = 1,
	DIGEST_SHA1 = 2,
	DIGEST_SHA224 = 3,
	DIGEST_SHA256 = 4,
	DIGEST_SHA384 = 5,
	DIGEST_SHA512 = 6,
	DIGEST_COUNT = 7,
};

enum cipher_alg {
	CIPHER_NONE = 0,
	CIPHER_3DES_CBC = 1,
	CIPHER_AES128_CBC = 2,
	CIPHER_AES192_CBC = 3,
	CIPHER_AES256_CBC = 4,
	CIPHER_AES128_GCM = 5,
	CIPHER_AES192_GCM = 6,
	CIPHER_AES256_GCM = 7,
	CIPHER_COUNT = 8,
};

/* How a content key is wrapped. */
enum wrap_alg {
	WRAP_NONE = 0, /* unknown */
	WRAP_RSA_PKCS1 = 1,
	WRAP_RSA_OAEP = 2,
	WRAP_ECDH = 3, /* ephemeral-static, RFC 5753 */
};

/* Sets of algorithms: bit masks for policies. */
#define ALG_BIT(a) ((uint32_t)1 << (a))
#define DIGESTS_SHA2 (ALG_BIT(DIGEST_SHA256) | ALG_BIT(DIGEST_SHA384) | ALG_BIT(DIGEST_SHA512))
#define CIPHERS_AES                                                                                                    \
	(ALG_BIT(CIPHER_AES128_CBC) | ALG_BIT(CIPHER_AES192_CBC) | ALG_BIT(CIPHER_AES256_CBC) |                        \
	 ALG_BIT(CIPHER_AES128_GCM) | ALG_BIT(CIPHER_AES192_GCM) | ALG_BIT(CIPHER_AES256_GCM))

#define DIGEST_SIZE_MAX 64
#define CIPHER_KEY_MAX 32

size_t digest_size(enum digest_alg d);       /* 0 for DIGEST_NONE */
const char *digest_name(enum digest_alg d);  /* as in profiles: "sha256"; "none" */
const char *digest_micalg(enum digest_alg d);/* RFC 8551 spelling: "sha-256" */
/* Any spelling seen in the field: sha256 SHA-256 sha_256 rsa-sha256 …; DIGEST_NONE when unknown. */
enum digest_alg digest_from_name(struct slice name);

const char *cipher_name(enum cipher_alg c);  /* "aes256-cbc"; "none" */
enum cipher_alg cipher_from_name(struct slice name);
size_t cipher_key_size(enum cipher_alg c);   /* bytes */

#endif
