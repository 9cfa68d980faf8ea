/* Tables that maps look values up in: from, to. */
#ifndef OPENVAN_MAP_TABLE_H
#define OPENVAN_MAP_TABLE_H

#include "base/arena.h"
#include "base/error.h"

struct map_table {
	struct map_table *next;
	struct slice name;
	struct slice *from, *to;         /* sorted by from */
	struct slice *back_to, *back_from; /* sorted by to; the file's first row with this `to` */
	size_t count, back_count;
};

/* Reads a table's CSV, columns from and to first; all it holds lives in the arena (`text` is copied). 0; VAN_ESYNTAX (text names
 * file, row and remedy); VAN_ENOMEM. */
int map_table_parse(struct van_arena *arena, struct slice name, struct slice text, struct map_table **ret, struct van_error *e);
/* What `from` becomes on the way in; false: it is not there. */
bool map_table_in(const struct map_table *t, struct slice from, struct slice *ret);
/* The way out. */
bool map_table_out(const struct map_table *t, struct slice to, struct slice *ret);

#endif
