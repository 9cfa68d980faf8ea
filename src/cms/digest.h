/* Message digests: several at once over one stream. */
#ifndef OPENVAN_CMS_DIGEST_H
#define OPENVAN_CMS_DIGEST_H

#include "cms/algorithm.h"

#include <openssl/types.h>

/* Several digests over one stream. Plain memory; zero it before the first use. */
struct digest_set {
	EVP_MD_CTX *ctx[DIGEST_COUNT];
};

/* Starts the digests of the mask (ALG_BIT). 0, VAN_ENOMEM, VAN_ECRYPTO. */
int digest_set_begin(struct digest_set *s, uint32_t mask);
int digest_set_update(struct digest_set *s, const void *p, size_t n);
/* Ends one of them: `to` holds DIGEST_SIZE_MAX bytes; its size is digest_size(d). VAN_ENOTFOUND when it was not started. */
int digest_set_end(struct digest_set *s, enum digest_alg d, unsigned char *to);
void digest_set_free(struct digest_set *s);

/* One shot. 0 or VAN_ECRYPTO. */
int digest_bytes(enum digest_alg d, const void *p, size_t n, unsigned char *to);

#endif
