/* EVP algorithms for ours. Private to src/cms. */
#ifndef OPENVAN_CMS_EVP_H
#define OPENVAN_CMS_EVP_H

#include "cms/algorithm.h"

#include <openssl/evp.h>

const EVP_MD *evp_digest(enum digest_alg d); /* NULL for DIGEST_NONE */
const EVP_CIPHER *evp_cipher(enum cipher_alg c);

#endif
