/* An index from a key of two texts to entries of profiles: a balanced tree, so that foreign keys can't make it slow. */
#ifndef OPENVAN_PARTNER_DIRECTORY_INDEX_H
#define OPENVAN_PARTNER_DIRECTORY_INDEX_H

#include "partner/profile.h"

struct directory_entry {
	const struct profile *p;
	const void *item; /* the connection, identity … of p that the key belongs to */
};

struct directory_entries {
	const struct directory_entry *v;
	size_t n;
};

struct directory_index {
	void *root; /* of tsearch(3) */
};

void directory_index_free(struct directory_index *ix);
/* Keys are copied. 0 or VAN_ENOMEM. */
int directory_index_add(struct directory_index *ix, struct slice a, struct slice b, const struct profile *p, const void *item);
/* Forgets p's entries under the key. */
void directory_index_remove(struct directory_index *ix, struct slice a, struct slice b, const struct profile *p);
struct directory_entries directory_index_find(const struct directory_index *ix, struct slice a, struct slice b);
/* Each entry in the order of keys. */
void directory_index_each(const struct directory_index *ix, void (*fn)(void *arg, const struct directory_entry *e), void *arg);

#endif
