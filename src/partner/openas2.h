/* What OpenAS2 knows of its partners: the file partnerships.xml. */
#ifndef OPENVAN_PARTNER_OPENAS2_H
#define OPENVAN_PARTNER_OPENAS2_H

#include "base/arena.h"
#include "base/error.h"

#define OPENAS2_BYTES_MAX ((size_t)16 << 20)

struct openas2_party {
	struct slice name, as2_id, alias, email; /* alias: of its certificate in the key store */
};

struct openas2_attribute {
	struct slice name, value;
};

/* One direction between two parties. */
struct openas2_partnership {
	struct slice name, sender, receiver; /* sender, receiver: names of parties */
	struct openas2_attribute *attributes;
	size_t n;
};

struct openas2 {
	struct openas2_party *parties;
	struct openas2_partnership *partnerships;
	size_t nparties, npartnerships;
};

/* Slices are in `arena`. VAN_ESYNTAX with a text, VAN_ENOMEM. */
int openas2_parse(struct slice xml, struct van_arena *arena, struct openas2 *ret, struct van_error *err);

/* By name; NULL: there is none. */
const struct openas2_party *openas2_party(const struct openas2 *o, struct slice name);
/* An attribute's value, as text with a NUL behind it; absent: there is none. */
struct slice openas2_attribute(const struct openas2_partnership *p, const char *name);

#endif
