/* Encrypting a content key for one recipient. Private to src/cms. */
#ifndef OPENVAN_CMS_WRAP_H
#define OPENVAN_CMS_WRAP_H

#include "base/buf.h"
#include "base/error.h"
#include "cms/algorithm.h"

struct cms_cert;

/* Appends the RecipientInfo: KeyTransRecipientInfo for an RSA key, by `alg` (WRAP_RSA_PKCS1, or WRAP_RSA_OAEP with SHA-256 for both
 * hashes); KeyAgreeRecipientInfo for an EC key, whatever `alg` is. VAN_EDENIED for other kinds of keys, with a text; VAN_ECRYPTO,
 * VAN_ENOMEM. */
int wrap_key(const struct cms_cert *cert, enum wrap_alg alg, const unsigned char *key, size_t n, struct van_buf *to, struct van_error *err);

/* Does EnvelopedData with this recipient have version 2, and not 0 (RFC 5652 section 6.1)? */
bool wrap_is_agreement(const struct cms_cert *cert);

/* wrap_ecdh.c: the KeyAgreeRecipientInfo. */
int wrap_ecdh(const struct cms_cert *cert, const unsigned char *key, size_t n, struct van_buf *to, struct van_error *err);

#endif
