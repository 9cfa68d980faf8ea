/* Moulds: what the rows of a scope made of an object is remembered for the objects that are like it. Internal to src/map.
 *
 * Two objects are of one mould when the same places are filled, in the same order, by the same kinds of things (values that are empty or
 * not, lists of as many items). Then the same rows have something to write, in the same cells. What still depends on values is asked again for
 * each object: conditions that look at them, transforms and tables, their length. Where an answer is another one than it was, the rows of that
 * segment are gone through as if nothing were remembered; so a mould is never more than a shorter way to the same segments.
 *
 * One is made when an object of it is met for the second time. Rows that compute or repeat, segments that may join others and the like have no
 * part in it: such a segment is gone through by its rows each time. With --explain there are none at all. How much memory they may take is
 * said by map_set_remember(); when it is full, all of them are forgotten. */
#ifndef OPENVAN_MAP_MOULD_H
#define OPENVAN_MAP_MOULD_H

#include "map/write.h"

#define MAP_MOULDS_MAX 16  /* of one scope; then all are forgotten, too */
#define MAP_MOULDS_SEEN 8  /* objects of one scope that were met once, by their hash alone */

struct map_mould_list {
	struct map_mould *first;
	uint32_t count;
	uint32_t seen[MAP_MOULDS_SEEN], seen_next;
};

void map_moulds_free(struct map_set *set); /* forgets all */

/* That of the scope's object, after map_out_scatter(); NULL: there is none. */
const struct map_mould *map_mould_find(const struct out *o, const struct out_scope *s);
/* The segments of the scope, as map_out_bit() of all that are live makes them. */
int map_mould_write(struct out *o, struct out_scope *s, const struct map_mould *mould);

/* --- recording (mould_record.c) ------------------------------------------------------------------------------------------------ */

/* What is told of while rows write; NULL: it is not to be recorded. */
struct mould_recorder *map_mould_record(const struct out *o, const struct out_scope *s);
/* The segments of this bit are next. */
void map_mould_entry(struct mould_recorder *x, int32_t bit);
/* They are of this plan, `n` at most. `joins`: they may go into one that is there; `bounded`: the standard may have no room for them. */
void map_mould_segments(struct mould_recorder *x, const struct map_plan_segment *p, size_t n, bool joins, bool bounded);
/* Something happened that does not follow from the mould. */
void map_mould_is_odd(struct mould_recorder *x);
/* Whether a row may write was found by values. */
void map_mould_guard(struct mould_recorder *x, int32_t row, int outcome);
/* The row begins to write the value of its place, or (`next`) the next item of the list there; and has done so, or not. */
void map_mould_source(struct mould_recorder *x, const struct map_row *row, bool next);
void map_mould_source_end(struct mould_recorder *x, bool wrote);
/* The row writes a constant. */
void map_mould_constant(struct mould_recorder *x, const struct map_row *row, struct slice v);
/* A value is about to go to a cell, and its format to the one behind it. */
void map_mould_value(struct mould_recorder *x, const struct out_segment *g, const struct edi_element_def *d, uint32_t element, uint32_t component,
	struct slice v, struct slice format);
/* The segment is complete. */
void map_mould_segment(struct mould_recorder *x, const struct out_segment *g);
/* The scope is complete: it is remembered, if there is memory for it. */
void map_mould_keep(const struct out *o, const struct out_scope *s);

/* --- what is remembered ---------------------------------------------------------------------------------------------------------- */

#define MOULD_NO_CELL UINT16_MAX
#define MOULD_TURNS 8 /* most segments that one entry makes, and items of lists that it takes */

/* A value goes to a cell. */
struct mould_step {
	const struct map_row *row;
	const struct edi_element_def *element;
	size_t most;                 /* bytes that fit for certain */
	int32_t slot;
	uint16_t cell, format;       /* numbers of the cells; of the format's: MOULD_NO_CELL, none */
	bool next;                   /* the list's next item */
	enum { MOULD_ANY, MOULD_BARE, MOULD_NUMBER, MOULD_TABLE } makes : 8; /* as it is; a number as documents have it; what the table has for it */
	bool asks;                   /* what the row asks for is told */
};

struct mould_segment {
	struct out_segment like;      /* its cells: constants in place */
	const struct mould_step *steps;
	uint32_t step_count;
};

/* The segments that came of one of the plan. */
struct mould_entry {
	int32_t bit;
	bool known;                  /* else its rows are gone through */
	bool next;                   /* steps take items of lists */
	bool bounded;                /* there may be too many of them in the loop */
	uint32_t guard_count, segment_count;
	const int32_t *guards;       /* row << 1 | whether it may write */
	const struct mould_segment *segments;
	uint64_t cost;               /* steps of the run */
};

struct map_mould {
	struct map_mould *next;
	uint32_t filled_count;
	const uint32_t *filled;
	uint32_t entry_count;
	const struct mould_entry *entries;
	uint64_t cost;               /* of the segments of which nothing came, whatever the values were */
};

#endif
