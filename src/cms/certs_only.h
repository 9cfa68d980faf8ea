/* Certificates in a SignedData that signs nothing, as application/pkcs7-mime; smime-type=certs-only carries them (RFC 8551 section
 * 3.8). */
#ifndef OPENVAN_CMS_CERTS_ONLY_H
#define OPENVAN_CMS_CERTS_ONLY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define CERTS_ONLY_MAX 32

/* Appends one with these certificates, each in DER. */
int cms_certs_only_write(struct van_buf *to, const struct slice *certs, size_t n);
/* From DER or BER, or their PEM or base64: slices point into `bytes` or `arena`. VAN_ESYNTAX, VAN_ELIMIT, VAN_ENOMEM. */
int cms_certs_only_read(struct slice bytes, struct van_arena *arena, struct slice ret[CERTS_ONLY_MAX], size_t *ret_n);

#endif
