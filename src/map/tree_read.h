/* JSON documents as trees. */
#ifndef OPENVAN_MAP_TREE_READ_H
#define OPENVAN_MAP_TREE_READ_H

#include "base/error.h"

#include "map/tree.h"

#define TREE_READ_MEMBERS 1000 /* most members of one object; it is written out in errors */

/* Reads one document into the room: numbers keep their digits, a null is as if it were not there. Bounded by the room's values
 * and arena, JSON_DEPTH and TREE_READ_MEMBERS. 0; VAN_ESYNTAX (`e` names the line; a member that is there twice is one);
 * VAN_ELIMIT; VAN_ENOMEM. */
int tree_read(struct tree_room *room, struct slice json, struct tree **ret, struct van_error *e);
/* The same of a text that begins in that line of a larger one. */
int tree_read_at(struct tree_room *room, struct slice json, uint64_t line, struct tree **ret, struct van_error *e);

/* The same of a text that is fed in any pieces, and holds one document or an array of them: each is given to fn as soon as it is whole,
 * which may empty the room behind it. A negative return stops. */
struct tree_reader;
typedef int (*tree_document_fn)(void *ctx, struct tree *document);
struct tree_reader *tree_reader_new(struct tree_room *room, tree_document_fn fn, void *ctx); /* NULL: no memory */
void tree_reader_free(struct tree_reader *r); /* NULL is fine */
int tree_reader_feed(struct tree_reader *r, struct slice chunk, bool last, struct van_error *e);

#endif
