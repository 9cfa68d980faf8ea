#include "roles/keyd/keyring.h"

#include "base/fdio.h"
#include "base/id.h"
#include "cms/cert.h"
#include "cms/sign.h"
#include "receipt/checkpoint.h"
#include "receipt/tree.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#define KEY_FILE_MAX 65536
#define PROOF_MAX 64

struct entry {
	struct entry *next;
	char key_id[KEY_ID_LEN + 1];
	struct cms_signer *signer;
	struct cms_unwrapper *unwrapper; /* NULL for keys that can't */
};

/* What was signed last for each log: a log of each year has its own origin. */
struct signed_tree {
	struct signed_tree *next;
	char *origin;
	uint64_t size;
	struct receipt_hash root;
};

struct keyring {
	pthread_rwlock_t lock; /* entries and receipt key; held for reading while a key is in use */
	struct entry *entries;
	EVP_PKEY *receipt_key;
	pthread_mutex_t trees_lock;
	struct signed_tree *trees;
};

struct keyring *keyring_new(void)
{
	struct keyring *k = calloc(1, sizeof *k);
	if (k) {
		pthread_rwlock_init(&k->lock, NULL);
		pthread_mutex_init(&k->trees_lock, NULL);
	}
	return k;
}

static void entry_free(struct entry *e)
{
	cms_signer_free(e->signer);
	cms_unwrapper_free(e->unwrapper);
	free(e);
}

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	while (k->entries) {
		struct entry *e = k->entries;
		k->entries = e->next;
		entry_free(e);
	}
	while (k->trees) {
		struct signed_tree *t = k->trees;
		k->trees = t->next;
		free(t->origin);
		free(t);
	}
	EVP_PKEY_free(k->receipt_key);
	pthread_rwlock_destroy(&k->lock);
	pthread_mutex_destroy(&k->trees_lock);
	free(k);
}

static int read_key(int fd, EVP_PKEY **ret, struct van_error *e)
{
	struct van_buf pem = VAN_BUF_INIT(KEY_FILE_MAX);
	int rc = fd_read_file(fd, &pem);
	if (rc < 0)
		rc = van_error_set(e, (enum van_err)rc, "the private key file can't be read: %s", van_err_name(rc));
	else
		rc = cms_private_key(van_buf_slice(&pem), ret, e);
	if (pem.p)
		OPENSSL_cleanse(pem.p, pem.room);
	van_buf_free(&pem);
	return rc;
}

static int make_entry(const struct ipc_key *key, EVP_PKEY *private_key, struct entry **ret, struct van_error *e)
{
	struct cms_cert *cert = NULL;
	struct entry *fresh = calloc(1, sizeof *fresh);
	int rc = fresh ? cms_cert_new(key->certificate, &cert, e) : VAN_ENOMEM;
	if (rc == 0)
		rc = cms_signer_new(private_key, cert, &fresh->signer, e);
	if (rc == 0)
		cms_unwrapper_new(private_key, &fresh->unwrapper, NULL); /* some kinds of keys sign only */
	if (rc == 0)
		memcpy(fresh->key_id, cert->facts.key_id, sizeof fresh->key_id);
	cms_cert_free(cert);
	if (rc < 0) {
		if (fresh)
			entry_free(fresh);
		return rc;
	}
	*ret = fresh;
	return 0;
}

int keyring_add(struct keyring *k, const struct ipc_key *key, int fd, struct van_error *e)
{
	EVP_PKEY *private_key = NULL;
	struct entry *fresh = NULL;
	int rc = read_key(fd, &private_key, e);
	if (rc == 0)
		rc = make_entry(key, private_key, &fresh, e);
	cms_private_key_free(private_key);
	if (rc < 0)
		return rc;
	pthread_rwlock_wrlock(&k->lock);
	struct entry **at = &k->entries;
	while (*at && strcmp((*at)->key_id, fresh->key_id) != 0)
		at = &(*at)->next;
	struct entry *old = *at;
	fresh->next = old ? old->next : NULL;
	*at = fresh;
	pthread_rwlock_unlock(&k->lock);
	if (old)
		entry_free(old);
	return 0;
}

int keyring_set_receipt_key(struct keyring *k, int fd, struct van_error *e)
{
	EVP_PKEY *key = NULL;
	int rc = read_key(fd, &key, e);
	if (rc == 0 && !EVP_PKEY_is_a(key, "ED25519")) {
		EVP_PKEY_free(key);
		return van_error_set(e, VAN_EINVAL, "the receipt key is not Ed25519: make one with openssl genpkey -algorithm ed25519");
	}
	if (rc < 0)
		return rc;
	pthread_rwlock_wrlock(&k->lock);
	EVP_PKEY *old = k->receipt_key;
	k->receipt_key = key;
	pthread_rwlock_unlock(&k->lock);
	EVP_PKEY_free(old);
	return 0;
}

static struct entry *find(struct keyring *k, struct slice key_id)
{
	for (struct entry *e = k->entries; e; e = e->next)
		if (slice_is(key_id, e->key_id))
			return e;
	return NULL;
}

int keyring_unwrap(struct keyring *k, const struct ipc_unwrap *u, unsigned char *key)
{
	if (u->expected == 0 || u->expected > CIPHER_KEY_MAX)
		return VAN_EINVAL;
	pthread_rwlock_rdlock(&k->lock);
	struct entry *e = find(k, u->key_id);
	bool held = e && e->unwrapper;
	if (held)
		cms_unwrap(e->unwrapper, (enum wrap_alg)u->algorithm, u->parameters, u->blob, u->expected, key);
	pthread_rwlock_unlock(&k->lock);
	return held ? 0 : VAN_ENOTFOUND;
}

int keyring_sign(struct keyring *k, const struct ipc_sign *s, struct van_buf *der, struct van_error *e)
{
	int rc;
	pthread_rwlock_rdlock(&k->lock);
	struct entry *entry = find(k, s->key_id);
	if (!entry)
		rc = van_error_set(e, VAN_ENOTFOUND, "keyd holds no key %.*s: see the station's sign list and `vanctl cert list`",
				   SLICE_ARG(s->key_id));
	else if (s->digest.n == 0 || s->digest.n != digest_size((enum digest_alg)s->algorithm))
		rc = van_error_set(e, VAN_EINVAL, "digest of the wrong length");
	else
		rc = cms_sign_digest(entry->signer, (enum sign_scheme)s->scheme, (enum digest_alg)s->algorithm,
				     (const unsigned char *)s->digest.p, s->signing_time, der, e);
	pthread_rwlock_unlock(&k->lock);
	return rc;
}

static struct signed_tree *find_tree(struct keyring *k, struct slice origin)
{
	for (struct signed_tree *t = k->trees; t; t = t->next)
		if (slice_is(origin, t->origin))
			return t;
	struct signed_tree *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->origin = strndup(origin.p, origin.n);
	t->next = k->trees;
	k->trees = t;
	return t->origin ? t : NULL;
}

/* Does the new tree contain the old one? What this process signed last counts; after a restart what the store says. */
static int check_growth(struct signed_tree *last, const struct ipc_checkpoint *c, struct van_error *e)
{
	struct receipt_hash proof[PROOF_MAX], old_root = {{0}}, new_root;
	if (c->root.n != sizeof new_root || c->proof.n > PROOF_MAX || (c->old_size && c->old_root.n != sizeof old_root))
		return van_error_set(e, VAN_EINVAL, "checkpoint request is malformed");
	memcpy(&new_root, c->root.p, sizeof new_root);
	if (c->old_size)
		memcpy(&old_root, c->old_root.p, sizeof old_root);
	for (size_t i = 0; i < c->proof.n; i++) {
		if (c->proof.v[i].n != sizeof *proof)
			return van_error_set(e, VAN_EINVAL, "checkpoint request is malformed");
		memcpy(&proof[i], c->proof.v[i].p, sizeof *proof);
	}
	if (last->size && (last->size != c->old_size || memcmp(&last->root, &old_root, sizeof old_root) != 0))
		return van_error_set(e, VAN_ECONFLICT,
				     "the receipt log does not continue the tree of size %llu that was signed last: restore the store from a "
				     "backup that does, and keep the present one for the auditor", (unsigned long long)last->size);
	if (c->size < c->old_size)
		return van_error_set(e, VAN_ECONFLICT, "the receipt log has shrunk from %llu to %llu", (unsigned long long)c->old_size,
				     (unsigned long long)c->size);
	if (c->old_size && receipt_consistency_check(c->old_size, &old_root, c->size, &new_root, proof, c->proof.n) < 0)
		return van_error_set(e, VAN_ECONFLICT, "the receipt log of size %llu is not an extension of that of size %llu",
				     (unsigned long long)c->size, (unsigned long long)c->old_size);
	last->size = c->size;
	last->root = new_root;
	return 0;
}

static int sign_text(EVP_PKEY *key, struct slice text, unsigned char signature[64], unsigned char public_key[32])
{
	size_t n = 64, m = 32;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		  EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text.p, text.n) == 1 && n == 64 &&
		  EVP_PKEY_get_raw_public_key(key, public_key, &m) == 1 && m == 32;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : VAN_ECRYPTO;
}

int keyring_checkpoint(struct keyring *k, const struct ipc_checkpoint *c, unsigned char signature[64], unsigned char public_key[32],
		       struct van_error *e)
{
	struct van_buf text = VAN_BUF_INIT(4096);
	struct receipt_hash root;
	pthread_mutex_lock(&k->trees_lock);
	struct signed_tree *last = find_tree(k, c->origin);
	int rc = last ? check_growth(last, c, e) : VAN_ENOMEM;
	pthread_mutex_unlock(&k->trees_lock);
	if (rc < 0)
		return rc;
	memcpy(&root, c->root.p, sizeof root);
	rc = receipt_checkpoint_text(c->origin, c->size, &root, &text);
	pthread_rwlock_rdlock(&k->lock);
	if (rc == 0 && !k->receipt_key)
		rc = van_error_set(e, VAN_ENOTFOUND, "keyd holds no receipt key: see receipts.key in vand.yaml");
	if (rc == 0)
		rc = sign_text(k->receipt_key, van_buf_slice(&text), signature, public_key);
	pthread_rwlock_unlock(&k->lock);
	van_buf_free(&text);
	return rc;
}

uint64_t keyring_signed_size(struct keyring *k, struct slice origin)
{
	uint64_t size = 0;
	pthread_mutex_lock(&k->trees_lock);
	for (struct signed_tree *t = k->trees; t; t = t->next)
		if (slice_is(origin, t->origin))
			size = t->size;
	pthread_mutex_unlock(&k->trees_lock);
	return size;
}
