/* PKCS #12 key stores with several entries, each under an alias, as Java's programs keep them. */
#ifndef OPENVAN_VANCTL_KEYSTORE_H
#define OPENVAN_VANCTL_KEYSTORE_H

#include "base/error.h"
#include "base/slice.h"

#include <openssl/types.h>

#define KEYSTORE_ENTRIES_MAX 4096

struct keystore_entry {
	char alias[256];
	X509 *certificate;
	EVP_PKEY *key; /* NULL: somebody else's certificate */
};

struct keystore {
	struct keystore_entry *v;
	size_t n;
};

/* VAN_ESYNTAX: no PKCS #12; VAN_EDENIED: it does not open with this password; both with a text. */
int keystore_open(struct slice bytes, const char *password, struct keystore *ret, struct van_error *err);
void keystore_free(struct keystore *k);

/* Capitals don't matter. NULL: there is none. */
const struct keystore_entry *keystore_find(const struct keystore *k, struct slice alias);

#endif
