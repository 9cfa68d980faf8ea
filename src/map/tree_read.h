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

#endif
