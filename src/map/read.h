/* Reading a message: a loop while its rows run, and what a row does in it. Internal to src/map. */
#ifndef OPENVAN_MAP_READ_H
#define OPENVAN_MAP_READ_H

#include "map/run.h"

/* A loop's segments while its rows run: first … end - 1 that have its owner; others belong to loops within it. */
struct in_scope {
	const struct map_scope *scope;
	int32_t number;           /* of the scope in the sheet */
	int32_t owner;
	int32_t level;            /* its HL; -1 */
	uint32_t first, end;
	struct tree *object;
	struct tree **places;     /* by slot; NULL: not there yet. One more before the first is the object, one behind the last of whatever was made last
	                           * that has no slot */
	uint32_t *own;            /* its segments that the sheet names, in order */
	uint32_t own_count;
	int32_t *heads;           /* by segment number: the first of its own; -1. NULL: nobody asked yet (map_in_list) */
	struct in_scope *message; /* the outermost */
	struct in_scope *up;      /* the one around; NULL */
	struct tree *seen;        /* its segments as expressions see them; NULL: not made yet */
	bool here_filled;         /* a loop has filled the object itself, target "." */
	bool alone;               /* nobody else has set members of the object or below it, nor does while its rows run */
	struct slice path;        /* of the object, with a dot behind it; only to explain */
};

static inline bool map_is_places_row(const struct map_row *row)
{
	return row->to == MAP_TO_PLACE && row->way & MAP_WAY_IN;
}

/* --- read_plan.c --------------------------------------------------------------------------------------------------------------- */

struct map_shape;

/* What the scope's rows have to do, in the run's memory: sets what stands behind the key in *ret, which has its `words`. 0, VAN_ENOMEM. */
int map_in_plan(struct map_run_state *r, struct in_scope *s, struct map_shape *ret);

/* --- read_row.c ---------------------------------------------------------------------------------------------------------------- */

/* The place at a slot, made where it is missing. NULL: no room (latched in it), or it is of another kind. */
struct tree *map_in_place_new(struct map_run_state *r, struct in_scope *s, int32_t slot, enum tree_kind kind);
static inline struct tree *map_in_place(struct map_run_state *r, struct in_scope *s, int32_t slot, enum tree_kind kind)
{
	return s->places[slot] ? s->places[slot] : map_in_place_new(r, s, slot, kind);
}
/* Sets the row's place, or adds to its list. `origin`: position of the segment it came from; 0. */
int map_in_put(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct slice value, uint32_t origin);
/* Transforms the value and sets the row's place. *set tells whether there was a value in the end. `g` NULL: it comes from no segment. */
int map_in_take_value(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct map_segment *g, uint32_t element,
	uint32_t component, struct slice value, bool *set);
/* Lists of the scope's own segments, by identifier, unless they are there. 0, VAN_ENOMEM. */
int map_in_list(struct map_run_state *r, struct in_scope *s);
/* Does the condition hold on this segment? */
bool map_in_holds_on(struct map_run_state *r, const struct map_condition *c, const struct map_segment *s);
/* The loop's segments as the expression sees them; NULL where it does not look, and without memory (latched in the room). */
struct tree *map_in_seen(struct map_run_state *r, struct in_scope *s, const struct expression *x);
/* 1: all conditions of the row hold, those about the candidate's segment on it; 0; or negative. */
int map_in_all_hold(struct map_run_state *r, struct in_scope *s, const struct map_row *row, const struct map_segment *candidate);
/* What the conditions looked at has told what it had to tell: it is not left over. */
int map_in_take_conditions(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct map_segment *g);
/* Does the segment stand in the loop that the row's source names? */
bool map_in_is_within(const struct map_run_state *r, const struct map_row *row, const struct map_segment *g);
/* Notes where the row's value came from. */
int map_in_explain(struct map_run_state *r, struct in_scope *s, const struct map_row *row, const struct map_segment *g, uint32_t element,
	uint32_t component, struct slice value);
/* The loop in which the row looks: this one, one around it, or the message. */
const struct in_scope *map_in_where_of(const struct in_scope *s, const struct map_row *row);
/* Looks for the row's value and sets its place. The scope has its lists, for a row that looks outside those around it, too. */
int map_in_run_row(struct map_run_state *r, struct in_scope *s, const struct map_row *row);
/* A source that is a text takes the element that holds that text on the way back. */
void map_in_take_constant(struct map_run_state *r, struct in_scope *s, const struct map_row *row);

#endif
