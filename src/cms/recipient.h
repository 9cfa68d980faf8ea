/* RecipientInfos of EnvelopedData and AuthEnvelopedData. Private to src/cms. */
#ifndef OPENVAN_CMS_RECIPIENT_H
#define OPENVAN_CMS_RECIPIENT_H

#include "base/arena.h"
#include "cms/reader.h"

/* The content octets of RecipientInfos. Kinds that AS2 has no use for (passwords, key encryption keys) are passed over.
 * Slices point into `set` or `arena`. VAN_ESYNTAX, VAN_ENOMEM, VAN_ELIMIT: more than `max`. */
int recipients_parse(struct slice set, size_t max, struct van_arena *arena, struct cms_recipient **ret, size_t *ret_n);

#endif
