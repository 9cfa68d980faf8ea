/* An open hash table with the oldest entry dropped when it is full. */
#include "cms/cert.h"
#include "cms/digest.h"

#include <stdlib.h>

struct entry {
	unsigned char hash[32]; /* of the bytes that were given */
	struct cms_cert *cert;
	struct entry *next;     /* in the bucket */
	struct entry *younger;
};

struct cms_cert_cache {
	struct entry **buckets;
	size_t nbuckets, n, max;
	struct entry *oldest, *youngest;
};

struct cms_cert_cache *cms_cert_cache_new(size_t max)
{
	struct cms_cert_cache *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->max = max ? max : 4096;
	c->nbuckets = 1;
	while (c->nbuckets < c->max)
		c->nbuckets *= 2;
	c->buckets = calloc(c->nbuckets, sizeof(struct entry *));
	if (!c->buckets) {
		free(c);
		return NULL;
	}
	return c;
}

static void free_entry(struct entry *e)
{
	cms_cert_free(e->cert);
	free(e);
}

void cms_cert_cache_free(struct cms_cert_cache *c)
{
	if (!c)
		return;
	for (struct entry *e = c->oldest; e;) {
		struct entry *younger = e->younger;
		free_entry(e);
		e = younger;
	}
	free(c->buckets);
	free(c);
}

static struct entry **bucket(struct cms_cert_cache *c, const unsigned char *hash)
{
	size_t h;
	memcpy(&h, hash, sizeof h);
	return &c->buckets[h & (c->nbuckets - 1)];
}

static void drop_oldest(struct cms_cert_cache *c)
{
	struct entry *e = c->oldest, **at = bucket(c, e->hash);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	c->oldest = e->younger;
	if (!c->oldest)
		c->youngest = NULL;
	c->n--;
	free_entry(e);
}

static int add(struct cms_cert_cache *c, const unsigned char *hash, struct slice bytes, struct entry **ret,
	       struct van_error *err)
{
	struct entry *e = calloc(1, sizeof *e);
	int rc = e ? cms_cert_new(bytes, &e->cert, err) : van_error_set(err, VAN_ENOMEM, "no memory for a certificate");
	if (rc) {
		free(e);
		return rc;
	}
	if (c->n >= c->max)
		drop_oldest(c);
	memcpy(e->hash, hash, sizeof e->hash);
	struct entry **at = bucket(c, hash);
	e->next = *at;
	*at = e;
	if (c->youngest)
		c->youngest->younger = e;
	else
		c->oldest = e;
	c->youngest = e;
	c->n++;
	*ret = e;
	return 0;
}

int cms_cert_cache_get(struct cms_cert_cache *c, struct slice pem_or_der, const struct cms_cert **ret,
		       struct van_error *err)
{
	unsigned char hash[DIGEST_SIZE_MAX];
	struct entry *e;
	if (digest_bytes(DIGEST_SHA256, pem_or_der.p, pem_or_der.n, hash) != 0)
		return van_error_set(err, VAN_ECRYPTO, "no SHA-256 in the crypto library");
	for (e = *bucket(c, hash); e; e = e->next)
		if (memcmp(e->hash, hash, sizeof e->hash) == 0)
			break;
	int rc = e ? 0 : add(c, hash, pem_or_der, &e, err);
	if (!rc)
		*ret = e->cert;
	return rc;
}
