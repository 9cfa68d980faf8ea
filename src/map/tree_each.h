/* JSON documents of which one in error spoils itself alone. */
#ifndef OPENVAN_MAP_TREE_EACH_H
#define OPENVAN_MAP_TREE_EACH_H

#include "map/tree_read.h"

/* Where each document of a file begins, in their order: lines or bytes, whichever its format counts. */
struct tree_starts {
	uint64_t *v;
	size_t n, room;
};
int tree_starts_add(struct van_arena *arena, struct tree_starts *s, uint64_t at); /* 0, VAN_ENOMEM. s may be NULL */

/* As tree_read. Of an array each item that is no JSON is there as an object with `_error`, the text, where the text leaves no doubt of where
 * it ends: brackets and quotes are in pairs, and between quotes and outside of them stands nothing that cannot stand there. Else, and where
 * the text is no array, it is an error. `starts` (may be NULL): the byte at which each item begins; none are told of what is not cut into items. */
int tree_read_each(struct tree_room *room, struct slice json, struct tree **ret, struct tree_starts *starts, struct van_error *e);

#endif
