/* Public-key contexts kept from one operation to the next. To set one up (algorithm look-ups by name, over all that the provider
 * knows) costs as much as verifying an RSA signature. A context that was prepared for one key, operation and set of parameters is
 * taken, used and given back; each belongs to one thread meanwhile. Private to src/cms. */
#ifndef OPENVAN_CMS_PREPARED_H
#define OPENVAN_CMS_PREPARED_H

#include <openssl/evp.h>

struct prepared;

/* A keeper of contexts for one key, of `kinds` sets of operation and parameters. NULL when out of memory. */
struct prepared *prepared_new(size_t kinds);
void prepared_free(struct prepared *p); /* nothing is taken any more; may be NULL */
/* NULL when there is none: the caller sets one up. Any thread. */
EVP_PKEY_CTX *prepared_take(struct prepared *p, size_t kind);
/* After a success; after a failure the caller frees the context instead. */
void prepared_give(struct prepared *p, size_t kind, EVP_PKEY_CTX *ctx);

#endif
