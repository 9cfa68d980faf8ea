#include "vanctl/keystore.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys come before or after their certificates, so they are gathered first and put together at the end. */
struct loose_key {
	EVP_PKEY *key;
	char alias[256];
};

struct opening {
	struct keystore *store;
	struct loose_key *keys;
	size_t nkeys;
	const char *password;
};

static void alias_of(PKCS12_SAFEBAG *bag, char to[256])
{
	char *name = PKCS12_get_friendlyname(bag);
	snprintf(to, 256, "%s", name ? name : "");
	OPENSSL_free(name);
}

static int add_certificate(struct opening *o, PKCS12_SAFEBAG *bag)
{
	X509 *x = PKCS12_SAFEBAG_get1_cert(bag);
	struct keystore_entry *v = x && o->store->n < KEYSTORE_ENTRIES_MAX ? realloc(o->store->v, (o->store->n + 1) * sizeof *v) : NULL;
	if (!v) {
		X509_free(x);
		return x ? VAN_ELIMIT : 0; /* of a kind that is not X.509: not ours to use */
	}
	o->store->v = v;
	v[o->store->n].certificate = x;
	v[o->store->n].key = NULL;
	alias_of(bag, v[o->store->n++].alias);
	return 0;
}

static int add_key(struct opening *o, PKCS12_SAFEBAG *bag, const PKCS8_PRIV_KEY_INFO *info)
{
	EVP_PKEY *key = info ? EVP_PKCS82PKEY(info) : NULL;
	struct loose_key *v = key && o->nkeys < KEYSTORE_ENTRIES_MAX ? realloc(o->keys, (o->nkeys + 1) * sizeof *v) : NULL;
	if (!v) {
		EVP_PKEY_free(key);
		return key ? VAN_ELIMIT : VAN_EDENIED;
	}
	o->keys = v;
	v[o->nkeys].key = key;
	alias_of(bag, v[o->nkeys++].alias);
	return 0;
}

static int take_bag(struct opening *o, PKCS12_SAFEBAG *bag)
{
	PKCS8_PRIV_KEY_INFO *info;
	int rc = 0;
	switch (PKCS12_SAFEBAG_get_nid(bag)) {
	case NID_keyBag:
		return add_key(o, bag, PKCS12_SAFEBAG_get0_p8inf(bag));
	case NID_pkcs8ShroudedKeyBag:
		info = PKCS12_decrypt_skey(bag, o->password, (int)strlen(o->password));
		rc = add_key(o, bag, info);
		PKCS8_PRIV_KEY_INFO_free(info);
		return rc;
	case NID_certBag:
		return add_certificate(o, bag);
	default:
		return 0;
	}
}

static int take_all(struct opening *o, PKCS12 *p12)
{
	STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
	int rc = safes ? 0 : VAN_ESYNTAX;
	for (int i = 0; rc == 0 && i < sk_PKCS7_num(safes); i++) {
		PKCS7 *p7 = sk_PKCS7_value(safes, i);
		int kind = OBJ_obj2nid(p7->type);
		STACK_OF(PKCS12_SAFEBAG) *bags = kind == NID_pkcs7_data        ? PKCS12_unpack_p7data(p7)
						 : kind == NID_pkcs7_encrypted ? PKCS12_unpack_p7encdata(p7, o->password, (int)strlen(o->password))
									       : NULL;
		rc = bags ? 0 : VAN_EDENIED;
		for (int k = 0; rc == 0 && k < sk_PKCS12_SAFEBAG_num(bags); k++)
			rc = take_bag(o, sk_PKCS12_SAFEBAG_value(bags, k));
		sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	}
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return rc;
}

/* A chain may come along, so a key's certificate is the one that fits it; that one may have no alias of its own. */
static void join(struct opening *o)
{
	for (size_t i = 0; i < o->nkeys; i++) {
		struct keystore_entry *found = NULL;
		for (size_t k = 0; k < o->store->n && !found; k++)
			if (!o->store->v[k].key && X509_check_private_key(o->store->v[k].certificate, o->keys[i].key) == 1)
				found = &o->store->v[k];
		if (!found) {
			EVP_PKEY_free(o->keys[i].key);
			continue;
		}
		found->key = o->keys[i].key;
		if (o->keys[i].alias[0])
			snprintf(found->alias, sizeof found->alias, "%s", o->keys[i].alias);
	}
	free(o->keys);
}

int keystore_open(struct slice bytes, const char *password, struct keystore *ret, struct van_error *err)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	struct opening o = {.store = ret, .password = password};
	*ret = (struct keystore){0};
	PKCS12 *p12 = bytes.n ? d2i_PKCS12(NULL, &p, (long)bytes.n) : NULL;
	int rc = !p12 ? VAN_ESYNTAX : PKCS12_verify_mac(p12, password, (int)strlen(password)) == 1 ? take_all(&o, p12) : VAN_EDENIED;
	join(&o);
	PKCS12_free(p12);
	ERR_clear_error();
	if (rc == 0)
		return 0;
	keystore_free(ret);
	return van_error_set(err, (enum van_err)rc, rc == VAN_ESYNTAX  ? "it is no PKCS #12 key store (one of type JKS is written as PKCS #12 by keytool -importkeystore)"
					      : rc == VAN_ELIMIT ? "it has too many entries"
								 : "it does not open: is the password right? One that was encrypted in an old way opens after openssl pkcs12 "
								   "-legacy has written it anew");
}

void keystore_free(struct keystore *k)
{
	for (size_t i = 0; i < k->n; i++) {
		X509_free(k->v[i].certificate);
		EVP_PKEY_free(k->v[i].key);
	}
	free(k->v);
	*k = (struct keystore){0};
}

const struct keystore_entry *keystore_find(const struct keystore *k, struct slice alias)
{
	for (size_t i = 0; alias.n && i < k->n; i++)
		if (slice_case_is(alias, k->v[i].alias))
			return &k->v[i];
	return NULL;
}
