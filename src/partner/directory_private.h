/* Between directory.c and directory_check.c only. */
#ifndef OPENVAN_PARTNER_DIRECTORY_PRIVATE_H
#define OPENVAN_PARTNER_DIRECTORY_PRIVATE_H

#include "partner/directory.h"
#include "partner/directory_index.h"

struct directory {
	bool borrowed; /* profiles belong to somebody else */
	struct directory_index profiles[3];   /* (id) → profile, by kind */
	struct directory_index as2_stations;  /* (AS2 name) → station */
	struct directory_index as2_pairs;     /* (station id, their AS2 name) → connection */
	struct directory_index users;         /* (SFTP user) → connection */
	struct directory_index connections;   /* (id) → connection */
	struct directory_index identities;    /* (canonical) → identity */
	struct directory_index pairs;         /* (from, to) → agreement */
	size_t agreements_with_folder;        /* how many name a subfolder: mostly none */
	struct directory_index froms, tos;    /* (from), (to) → agreement */
};

/* Calls fn for every key of the profile with the index it belongs to, until fn returns non-zero. */
typedef int directory_key_fn(void *arg, struct directory_index *ix, struct slice a, struct slice b, const struct profile *p,
			     const void *item);
int directory_each_key(struct directory *d, const struct profile *p, directory_key_fn *fn, void *arg);

/* The identity as its owner at that time has it; *ret_owner is NULL when nobody does. */
const struct profile_identity *directory_identity(const struct directory *d, struct slice identity, van_time now,
						  const struct profile **ret_owner);

#endif
