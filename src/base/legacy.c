#include "base/legacy.h"

static const struct {
	const char *name;
	enum van_legacy_kind kind;
} table[] = {
	{"diffie-hellman-group14-sha1", VAN_LEGACY_KEX},
	{"diffie-hellman-group-exchange-sha1", VAN_LEGACY_KEX},
	{"diffie-hellman-group1-sha1", VAN_LEGACY_KEX}, /* 1024 bits */
	{"ssh-rsa", VAN_LEGACY_SIGNATURE}, /* RSA with SHA-1, by the host and by users; not the type of key, which is called the same */
	{"aes128-cbc", VAN_LEGACY_CIPHER},
	{"aes192-cbc", VAN_LEGACY_CIPHER},
	{"aes256-cbc", VAN_LEGACY_CIPHER},
	{"3des-cbc", VAN_LEGACY_CIPHER},
	{"hmac-sha1", VAN_LEGACY_MAC},
};

bool van_legacy_find(struct slice name, enum van_legacy_kind *ret)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (slice_is(name, table[i].name)) {
			*ret = table[i].kind;
			return true;
		}
	return false;
}
