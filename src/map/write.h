/* Writing a message: a loop while its rows write, the places of its document, the cells of its segments. Internal to src/map. */
#ifndef OPENVAN_MAP_WRITE_H
#define OPENVAN_MAP_WRITE_H

#include "map/out.h"

/* The way from the document to a value. */
struct map_trail {
	const struct map_trail *up;
	struct slice name; /* absent: item `index` */
	uint32_t index;
};

/* How far the items of a list have been written. */
struct out_list {
	const struct tree *next; /* the last one that was taken */
	bool begun;
};

/* What the loops of one scope use, one after the other: all zero between two of them. */
struct out_room {
	const struct tree **places;
	uint64_t *live;
	bool *done;
	uint32_t *filled;
	struct out_segment **written;
	struct out_list *lists;        /* by slot */
};

/* What there is at a slot, as far as rows can tell without its text. */
enum { FILLED_OBJECT, FILLED_LIST, FILLED_EMPTY, FILLED_VALUE, FILLED_ITEMS /* and how many they are, where rows write them one by one */ };

/* A loop while its rows write: its room, and what is its own. */
struct out_scope {
	const struct map_scope *scope;
	const struct map_plan_scope *plan;
	int32_t number;
	const struct tree *object;
	const struct tree **places;    /* by slot; NULL: the document has nothing there */
	uint64_t *live;                /* set of plan->words: segments that read a place where there is something */
	bool *done;                    /* by slot: its loops were written */
	uint32_t *filled;              /* its mould: each slot of which there is something, << 8 | what that is; NULL: nobody asks */
	uint32_t filled_count;
	bool odd;                      /* there is what no mould can tell */
	bool loops;                    /* there is something of which loops are made */
	struct out_loop *loop, *outer; /* its own (or the one it stands in); where loops beside it go */
	struct out_segment **written;  /* by segment of the plan */
	struct slice path;             /* "OrderLine[2]"; only to explain */
};

/* --- write_place.c -------------------------------------------------------------------------------------------------------------- */

/* The slot of a member of an object in its parent slot (-1: the loop's own object); -1: the sheet has none. */
int32_t map_out_child_slot(const struct map_scope *s, int32_t parent, const struct tree *t);
/* The slot of a list's items; -1. */
int32_t map_out_item_slot(const struct map_scope *s, int32_t array);
/* "OrderLine[2].Item.Name"; only to explain. */
struct slice map_out_path_of(struct out_scope *s, int32_t slot, struct map_run_state *r);
/* A row took the value, or what it says is told in another way. */
static inline void map_out_take(const struct map_run_state *r, const struct tree *t)
{
	struct tree *own = (struct tree *)(uintptr_t)t; /* the mark is no part of the value */
	if (own)
		own->taken = r->writings;
}
/* The same with all below it. */
void map_out_take_all(const struct map_run_state *r, const struct tree *t);
/* Tells of every value below that no row took; `at`: the way there, NULL at the top. */
void map_out_note_unwritten(struct map_run_state *r, const struct tree *t, const struct map_trail *at);
/* Fills s->places from the object. */
void map_out_scatter(struct out_scope *s, const struct tree *object, int32_t parent);
/* The value at a slot below the object; NULL. */
const struct tree *map_out_find_place(const struct map_scope *s, int32_t slot, const struct tree *object);
/* A text, number or truth value. */
static inline bool map_out_is_leaf(const struct tree *t)
{
	return t && t->kind != TREE_OBJECT && t->kind != TREE_ARRAY;
}
/* 1: the row's conditions about the document hold; 0: not; or negative. Without s->places they are looked for below s->object. */
int map_out_eligible(struct map_run_state *r, const struct out_scope *s, const struct map_row *row);
/* What conditions asked for has told what it had to tell. */
void map_out_take_conditions(const struct map_run_state *r, struct out_scope *s, const struct map_row *row);
/* 1: the row may write now; 0; or negative. */
int map_out_may_write(struct map_run_state *r, const struct out *o, struct out_scope *s, int32_t number);

/* --- write.c -------------------------------------------------------------------------------------------------------------------- */

/* The segment `bit` of the scope's set (plan.h), by its rows. */
int map_out_bit(struct out *o, struct out_scope *s, int32_t bit);

/* --- write_segment.c ------------------------------------------------------------------------------------------------------------ */

/* The list's next item: rows that share a list take turns, segment after segment. NULL: none is left. */
const struct tree *map_out_next_item(struct out_scope *s, int32_t slot);
/* One segment of the plan (or as many as its lists need) from what the document has. `force`: it is there in any case. */
int map_out_segment(struct out *o, struct out_scope *s, const struct map_plan_scope *plan, int32_t number, struct out_segment **written,
	struct out_loop *loop, bool force);

/* --- write_loop.c --------------------------------------------------------------------------------------------------------------- */

/* A loop at this place of the dictionary inside `parent` (NULL: the message). NULL: no memory. */
struct out_loop *map_out_new_loop(struct out *o, int32_t node, struct out_loop *parent);
/* The loop `node` below `l` that is open: the last one there is, or a new one. */
struct out_loop *map_out_open_loop(struct out *o, struct out_loop *l, int32_t node, bool fresh);
/* The segment goes to its place below `loop`, as the last of its plan. */
int map_out_settle(struct out *o, const struct out_scope *s, int32_t number, struct out_segment **written, struct out_loop *loop, struct out_segment *g);
bool map_out_has_anything(const struct out_loop *l);
/* How many more of the segments at this place the standard allows the loop, at least; 0: it is full, and what else there is stays untaken, and is told. */
uint32_t map_out_left(const struct out *o, const struct out_loop *l, int32_t node);

/* --- write_cell.c --------------------------------------------------------------------------------------------------------------- */

/* The first cell of element and component. False: there is none. */
bool map_out_find_cell(const struct out_segment *s, uint32_t element, uint32_t component, const struct out_cell **ret);
/* Another row has written another value there, which stays: this one is not written, and is told. */
static inline bool map_out_differs(const struct out_cell *c, struct slice v)
{
	return c->value.p && !c->weak && !slice_eq(c->value, v);
}
/* The first value stays; a weak one gives way to another row's. */
static inline void map_out_fill_cell(struct out_cell *c, struct slice v, bool weak, const struct map_row *row)
{
	if (c->value.p && (weak || !c->weak))
		return;
	c->value = v;
	c->weak = weak;
	c->row = row ? row->line : 0;
}
/* The same of a cell that may not be there yet. 0, or negative. */
int map_out_set_cell(struct map_run_state *r, struct out_segment *s, uint32_t element, uint32_t component, uint32_t repetition, struct slice v,
	bool weak, const struct map_row *row);
/* 0 where the element has no components: its first one is all of it. */
uint32_t map_out_component_of(const struct map_plan_segment *p, uint32_t element, uint32_t component);
/* What the row makes of a value for its element. 1; 0: nothing that has room there; negative, and *what is wrong with it. */
int map_out_convert(struct map_run_state *r, const struct map_row *row, const struct edi_element_def *d, struct slice *format, struct slice *v,
	const char **what);
/* *wrote: whether there was room for the value: an element holds one, but for repetitions. */
int map_out_write_value(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, uint32_t element,
	uint32_t component, uint32_t repetition, struct slice v, bool weak, bool *wrote);
/* Into the first pair of qualifier and value that is free. */
int map_out_write_pair(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, struct slice v, bool weak, bool *wrote);
/* To where the row's source points: an element, or one of its pairs. */
int map_out_write_to(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, struct slice v, bool weak, bool *wrote);

#endif
