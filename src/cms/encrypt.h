/* EnvelopedData and, with GCM, AuthEnvelopedData (RFC 5652 section 6, RFC 5083, RFC 5084) for one recipient with an RSA
 * or EC key, in DER, as a stream: the length of the content is known before. */
#ifndef OPENVAN_CMS_ENCRYPT_H
#define OPENVAN_CMS_ENCRYPT_H

#include "base/error.h"
#include "cms/algorithm.h"
#include "mime/sink.h"

#include <stdint.h>

struct cms_cert;
struct cms_encryptor;

/* Writes what comes before the content. `length`: bytes of plain content to come. A fresh content key. `wrap`, for an RSA key:
 * WRAP_RSA_PKCS1 or WRAP_RSA_OAEP (SHA-256 for both hashes); with an EC key it is agreed upon (RFC 5753). VAN_EDENIED for a certificate
 * with another kind of key, with a text; VAN_ENOMEM, VAN_ECRYPTO, or what the sink returned. */
int cms_encryptor_new(enum cipher_alg cipher, enum wrap_alg wrap, const struct cms_cert *recipient, uint64_t length,
		      struct byte_sink to, struct cms_encryptor **ret, struct van_error *err);
void cms_encryptor_free(struct cms_encryptor *e);
int cms_encryptor_feed(struct cms_encryptor *e, const void *p, size_t n);
/* VAN_EINVAL when not exactly `length` bytes were fed. */
int cms_encryptor_finish(struct cms_encryptor *e);

#endif
