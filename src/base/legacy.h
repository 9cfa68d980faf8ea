/* SSH algorithms that old software needs and that are no longer offered, unless a listener's `legacy` in vand.yaml names them. */
#ifndef OPENVAN_BASE_LEGACY_H
#define OPENVAN_BASE_LEGACY_H

#include "base/slice.h"

enum van_legacy_kind { VAN_LEGACY_KEX, VAN_LEGACY_SIGNATURE, VAN_LEGACY_CIPHER, VAN_LEGACY_MAC, VAN_LEGACY_KINDS };

/* Is there one of that name (RFC 4253's, as clients send it)? Then its kind. */
bool van_legacy_find(struct slice name, enum van_legacy_kind *ret);
/* All of the names, for messages. */
#define VAN_LEGACY_NAMES                                                                                                          \
	"diffie-hellman-group14-sha1, diffie-hellman-group-exchange-sha1, diffie-hellman-group1-sha1, ssh-rsa, aes128-cbc, "       \
	"aes192-cbc, aes256-cbc, 3des-cbc, hmac-sha1"

#endif
