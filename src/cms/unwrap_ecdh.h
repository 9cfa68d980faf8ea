/* Unwrapping content keys by ephemeral-static ECDH (RFC 5753). Private to src/cms. */
#ifndef OPENVAN_CMS_UNWRAP_ECDH_H
#define OPENVAN_CMS_UNWRAP_ECDH_H

#include "cms/algorithm.h"

#include <openssl/types.h>

/* `params`: DER of SEQUENCE { keyEncryptionAlgorithm AlgorithmIdentifier, the originator's point OCTET STRING,
 * ukm OCTET STRING OPTIONAL }. Writes `len` bytes to `out` and returns true; on any failure `out` is left undefined.
 * Thread-safe. */
bool unwrap_ecdh(EVP_PKEY *key, struct slice params, struct slice blob, size_t len, unsigned char out[CIPHER_KEY_MAX]);

#endif
