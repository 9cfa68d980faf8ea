/* Decrypting content as a stream: CBC with PKCS #7 padding, GCM. Private to src/cms. */
#ifndef OPENVAN_CMS_DECRYPT_H
#define OPENVAN_CMS_DECRYPT_H

#include "cms/algorithm.h"
#include "mime/sink.h"

struct decryptor;
/* `params`: DER of the content encryption algorithm's parameters. VAN_ESYNTAX, VAN_ENOMEM, VAN_ECRYPTO. */
int decryptor_new(enum cipher_alg cipher, struct slice params, const unsigned char *key, struct byte_sink to,
		  struct decryptor **ret);
void decryptor_free(struct decryptor *d);
int decryptor_feed(struct decryptor *d, const void *p, size_t n);
/* Checks padding or tag: VAN_ECRYPTO. `tag` is looked at for GCM only. */
int decryptor_finish(struct decryptor *d, struct slice tag);

#endif
