/* Copies of documents that are arranged anew: nodes are copied, what is below them is shared. */
#ifndef OPENVAN_MAP_TREE_COPY_H
#define OPENVAN_MAP_TREE_COPY_H

#include "map/tree.h"

/* Puts the node at the end of an object or list; returns it. NULL is left out. */
struct tree *tree_add(struct tree *parent, struct tree *child);
/* A copy of the node; what is below is shared. NULL: no room (latched). */
struct tree *tree_copy_node(struct tree_room *room, const struct tree *t);
/* A copy of an object with copies of its members, without those that `without` (ends with NULL) names. NULL: no room (latched). */
struct tree *tree_copy_without(struct tree_room *room, const struct tree *object, const char *const *without);
/* The first item of the list `name`; NULL: there is none. */
const struct tree *tree_items(const struct tree *object, const char *name);
/* The object `name`; NULL. */
const struct tree *tree_part(const struct tree *object, const char *name);

#endif
