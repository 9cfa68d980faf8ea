/* JSON documents of which one in error spoils itself alone. */
#ifndef OPENVAN_MAP_TREE_EACH_H
#define OPENVAN_MAP_TREE_EACH_H

#include "map/tree_read.h"

/* As tree_read. Of an array each item that is no JSON is there as an object with `_error`, the text, where the text leaves no doubt of where
 * it ends: brackets and quotes are in pairs, and between quotes and outside of them stands nothing that cannot stand there. Else, and where
 * the text is no array, it is an error. */
int tree_read_each(struct tree_room *room, struct slice json, struct tree **ret, struct van_error *e);

#endif
