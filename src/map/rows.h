/* Compiled maps: the rows of a CSV file, and the tables they name. */
#ifndef OPENVAN_MAP_ROWS_H
#define OPENVAN_MAP_ROWS_H

#include "map/map.h"
#include "map/table.h"

#include <stdint.h>

enum map_source_kind { MAP_NOTHING, MAP_ELEMENT, MAP_PAIRS, MAP_LITERAL, MAP_ENVELOPE, MAP_LOOP };

struct map_condition {
	struct slice segment;
	uint32_t element, component;
	bool unequal;
	struct slice_list values; /* none: the element must be there */
};

struct map_transform {
	enum { MAP_DATE, MAP_TIME, MAP_DECIMAL, MAP_IMPLIED, MAP_UPPER, MAP_LOWER, MAP_NUMBER, MAP_BOOL } kind;
	uint32_t argument;
};

#define MAP_MAX_PARTS 12
#define MAP_MAX_CONDITIONS 4
#define MAP_MAX_TRANSFORMS 4

struct map_row {
	unsigned line;
	struct slice target;
	struct slice parts[MAP_MAX_PARTS]; /* of the target, below the loop's own; without [] */
	bool array[MAP_MAX_PARTS];         /* had [] */
	uint32_t part_count;
	int32_t loop;                      /* row of the loop it belongs to, -1: the message */
	int32_t next;                      /* row of the same loop, -1: the last */
	int32_t first;                     /* loop: its first row, -1: none */
	int32_t next_loop, first_loop;     /* the same among rows that are loops: each segment is compared with them */
	enum map_source_kind kind;
	struct slice segment;              /* element, pairs; loop: its first segment */
	uint32_t element, last, component; /* pairs: qualifiers at element, element + 2 … up to last - 1 */
	struct slice literal;              /* literal, name in the envelope, qualifier of the pairs */
	struct slice_list members;         /* loop: segments it holds, or that end it */
	bool until;                        /* loop: members end it */
	bool outer;                        /* element: looked for in the message, outside of its loops */
	struct map_condition conditions[MAP_MAX_CONDITIONS];
	uint32_t condition_count;
	struct map_transform transforms[MAP_MAX_TRANSFORMS];
	uint32_t transform_count;
	const struct map_table *table;
	struct slice table_name;
	enum { MAP_MISS_FAIL, MAP_MISS_PASS, MAP_MISS_DEFAULT } miss;
	struct slice fallback; /* default; absent: none */
	bool required;
};

struct map {
	struct map *next;
	char *name, *target, *standard;
	struct slice type, version;
	struct map_row *rows;
	int32_t count, room;
	int32_t first, first_loop; /* rows of the message itself, -1: none */
};

struct map_set {
	struct van_arena *arena;
	struct map *maps;
	struct map_table *tables;
	const struct map_set *more; /* its tables count as well */
	const struct map_table_scope *scope; /* of its tables */
};

/* Adds a map or table from its file's text. */
int map_parse(struct map_set *set, struct slice name, struct slice text, struct van_error *e);
int map_parse_table(struct map_set *set, struct slice name, struct slice text, struct van_error *e);
/* After all files: rows find their tables. */
int map_link(struct map_set *set, struct van_error *e);

#endif
