#include "cms/algorithm.h"

static const struct {
	const char *name, *micalg;
	size_t size;
} digests[DIGEST_COUNT] = {
	[DIGEST_NONE] = {"none", "", 0},        [DIGEST_MD5] = {"md5", "md5", 16},
	[DIGEST_SHA1] = {"sha1", "sha-1", 20},  [DIGEST_SHA224] = {"sha224", "sha-224", 28},
	[DIGEST_SHA256] = {"sha256", "sha-256", 32}, [DIGEST_SHA384] = {"sha384", "sha-384", 48},
	[DIGEST_SHA512] = {"sha512", "sha-512", 64},
};

static const struct {
	const char *name;
	size_t key;
} ciphers[CIPHER_COUNT] = {
	[CIPHER_NONE] = {"none", 0},
	[CIPHER_3DES_CBC] = {"des-ede3-cbc", 24},
	[CIPHER_AES128_CBC] = {"aes128-cbc", 16},
	[CIPHER_AES192_CBC] = {"aes192-cbc", 24},
	[CIPHER_AES256_CBC] = {"aes256-cbc", 32},
	[CIPHER_AES128_GCM] = {"aes128-gcm", 16},
	[CIPHER_AES192_GCM] = {"aes192-gcm", 24},
	[CIPHER_AES256_GCM] = {"aes256-gcm", 32},
};

size_t digest_size(enum digest_alg d)
{
	return (unsigned)d < DIGEST_COUNT ? digests[d].size : 0;
}

const char *digest_name(enum digest_alg d)
{
	return digests[(unsigned)d < DIGEST_COUNT ? d : DIGEST_NONE].name;
}

const char *digest_micalg(enum digest_alg d)
{
	return digests[(unsigned)d < DIGEST_COUNT ? d : DIGEST_NONE].micalg;
}

/* Letters and digits only, lower case; a "rsa" or "ecdsa" in front is left out. */
static struct slice plain(struct slice name, char *to, size_t room)
{
	size_t n = 0;
	for (size_t i = 0; i < name.n && n < room; i++) {
		char c = name.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			to[n++] = c;
	}
	struct slice s = slice_make(to, n);
	size_t skip = slice_starts(s, "rsa") ? 3 : slice_starts(s, "ecdsa") ? 5 : 0;
	return slice_make(to + skip, n - skip);
}

enum digest_alg digest_from_name(struct slice name)
{
	char text[24];
	if (name.n > sizeof text)
		return DIGEST_NONE;
	struct slice s = plain(name, text, sizeof text);
	if (slice_is(s, "sha"))
		return DIGEST_SHA1;
	for (int d = DIGEST_MD5; d < DIGEST_COUNT; d++)
		if (slice_is(s, digests[d].name))
			return (enum digest_alg)d;
	return DIGEST_NONE;
}

const char *cipher_name(enum cipher_alg c)
{
	return ciphers[(unsigned)c < CIPHER_COUNT ? c : CIPHER_NONE].name;
}

enum cipher_alg cipher_from_name(struct slice name)
{
	for (int c = CIPHER_3DES_CBC; c < CIPHER_COUNT; c++)
		if (slice_case_is(name, ciphers[c].name))
			return (enum cipher_alg)c;
	return CIPHER_NONE;
}

size_t cipher_key_size(enum cipher_alg c)
{
	return (unsigned)c < CIPHER_COUNT ? ciphers[c].key : 0;
}
