/* Tables that maps look values up in: from, to; perhaps for one partner, one way, some days only. */
#ifndef OPENVAN_MAP_TABLE_H
#define OPENVAN_MAP_TABLE_H

#include "base/arena.h"
#include "base/error.h"

#include <stdint.h>

/* For whom, and when, a table is asked. */
struct map_table_scope {
	struct slice partner; /* absent: only rows for all */
	char day[11];         /* "2026-01-31"; "": rows hold whatever their days are */
};

enum map_table_way { MAP_TABLE_BOTH, MAP_TABLE_IN, MAP_TABLE_OUT };

struct map_table_row {
	struct slice from, to; /* `from` with a '*' at its end stands for all that begin so */
	struct slice partner;  /* empty: all */
	enum map_table_way way;
	struct slice valid_from, valid_until; /* days, "2026-01-31"; the last one included; empty: no bound */
	unsigned line;
};

struct map_table {
	struct map_table *next;
	struct slice name;
	struct map_table_row *rows; /* sorted by from */
	struct map_table_row **back; /* sorted by to; those with a '*' are left out */
	struct map_table_row **wild; /* with a '*' */
	size_t count, back_count, wild_count;
	uint32_t *in_at, *out_at; /* by value: 1 + number of its first row in `rows`, in `back`; open addressing, 0: free */
	uint32_t mask;
	bool plain; /* no row asks for a partner, a way or a day */
	const struct map_table *base;        /* whose rows count less; NULL: none */
	const struct map_table_scope *scope; /* NULL: nobody's, any day */
};

/* Reads a table's CSV: columns from and to, and partner, direction (in, out), valid_from, valid_until where the first line names them;
 * other columns are for people. All it holds lives in the arena (`text` is copied). 0; VAN_ESYNTAX (text names file, row, cell and
 * remedy); VAN_ENOMEM. */
int map_table_parse(struct van_arena *arena, struct slice name, struct slice text, struct map_table **ret, struct van_error *e);

/* What `from` becomes on the way in; false: it is not there. Rows of the partner come before those of all, those of the way before
 * those of both, exact ones before those with a '*' (longer before shorter), the table's before its base's, earlier before later. */
bool map_table_in(const struct map_table *t, struct slice from, struct slice *ret);
/* The way out: the row with this `to`, by the same order. */
bool map_table_out(const struct map_table *t, struct slice to, struct slice *ret);
/* The row itself; NULL: none. */
const struct map_table_row *map_table_find(const struct map_table *t, enum map_table_way way, struct slice value);

#endif
