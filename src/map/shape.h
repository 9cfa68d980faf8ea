/* What the rows of a loop do is decided by its shape: which segments it has, which elements there are, and the values that conditions
 * and qualifiers ask for. Messages are alike, so the steps that came out (read_plan.c) are remembered by shape. Internal to src/map. */
#ifndef OPENVAN_MAP_SHAPE_H
#define OPENVAN_MAP_SHAPE_H

#include "map/read.h"

/* One thing to do, in the order of the rows. */
struct map_step {
	enum {
		MAP_STEP_TAKE,     /* the element, or the row's text, goes to the row's place */
		MAP_STEP_OPEN,     /* the object or list that the next place stands in, unless it is there */
		MAP_STEP_ROW,      /* what the row does hangs on more than the shape */
		MAP_STEP_CONSTANT, /* the element is taken where it is the row's text */
		MAP_STEP_COUNT,    /* a constant row that has to look for itself */
		MAP_STEP_LOOPS,    /* the loops within */
	} does : 8;
	bool alone;            /* take: nothing but the element makes the value, which goes to a place that is not there yet; open: always */
	enum { MAP_STEP_ANY, MAP_STEP_BARE, MAP_STEP_DECIMAL, MAP_STEP_TABLE } makes : 8; /* take: as it is; a number; what the table has for it */
	bool whole;            /* take: all of an element that is there, without its blanks */
	bool asks;             /* take: what the row's conditions say of the document is written, too */
	uint32_t element, component;
	int32_t segment;       /* among the loop's own; -1: none */
	const struct map_row *row;
	/* take, open: of the row and its place, what is asked each time */
	enum tree_kind kind : 8;
	bool item;             /* open: the first one of its list */
	int32_t slot, parent;
	uint32_t hash;
	struct slice name;
};

struct map_shape {
	struct map_shape *next;    /* same bucket */
	uint64_t hash;
	const struct map_scope *scope;
	const struct map *map;
	uint32_t words, own, count, parts;
	uint32_t alone;            /* how many of the steps are */
	const uint64_t *key;
	const uint64_t *taken;     /* by own segment: elements that the steps take */
	const uint16_t *taken_parts; /* the same of the elements of odd segments, one after the other, as in the message's `taken` */
	const struct map_step *steps;
};

#define MAP_SHAPE_VALUE 56u /* most bytes of a value that is asked for; what has a longer one, or a longer key, is not remembered */

/* The key of the loop's own segments into the run's `key`. Returns its words; 0: it has none, and is not remembered. */
uint32_t map_shape_key(struct map_run_state *r, const struct in_scope *s, uint64_t *ret_hash);
/* What is remembered for the key; NULL. It stays until the next map_shapes_tidy(). */
const struct map_shape *map_shape_find(const struct map_set *set, const struct map_shape *like);
/* Remembers a copy, as far as there is room. */
void map_shape_keep(struct map_set *set, const struct map_shape *shape);
/* Between messages: forgets all when there was no room left. */
void map_shapes_tidy(struct map_set *set);
void map_shapes_free(struct map_shapes *all); /* NULL is fine */

#endif
