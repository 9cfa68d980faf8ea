/* What both ends of ephemeral-static ECDH do (RFC 5753): a shared secret, and the key that wraps the content key. Private to
 * src/cms. */
#ifndef OPENVAN_CMS_ECDH_H
#define OPENVAN_CMS_ECDH_H

#include "cms/algorithm.h"

#include <openssl/types.h>

#define ECDH_SHARED_MAX 72 /* bytes; P-521: 66 */
#define ECDH_KEK_MAX 32

struct ecdh_agreement {
	enum digest_alg digest;  /* of the key derivation */
	bool cofactor;
	struct slice wrap;       /* the whole AlgorithmIdentifier of the key wrap: it is part of what is derived from */
	size_t kek;              /* bytes of the key that wraps */
	bool tdes;               /* 3DES key wrap, else AES key wrap (RFC 3394) */
	struct slice ukm;        /* absent: none */
};

/* `kek` has room for ECDH_KEK_MAX bytes. `own` is a private key, `peer` a public one of the same curve. The secret is wiped. */
bool ecdh_kek(EVP_PKEY *own, EVP_PKEY *peer, const struct ecdh_agreement *a, unsigned char *kek);
const EVP_CIPHER *ecdh_wrap_cipher(const struct ecdh_agreement *a);

#endif
