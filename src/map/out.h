/* A message while it is put together from a document. Internal to src/map. */
#ifndef OPENVAN_MAP_OUT_H
#define OPENVAN_MAP_OUT_H

#include "map/plan.h"
#include "map/run.h"

struct out_cell {
	uint16_t element, component, repetition; /* component 0: the element's only one; repetition from 0 */
	bool weak : 1;         /* a text, default or condition's: another row may write here */
	bool binary : 1;       /* bytes that go as they are */
	bool raw : 1;          /* with the delimiters that the message had when it was read (out.delimiters) */
	uint32_t count;        /* packed identifier: how many segments of it there are; 0: value */
	unsigned row;
	struct slice value;
	const struct slice *place; /* explain: where it came from; else NULL */
};

/* Segments and loops inside a loop, by the order of their places: the first member of each. */
struct out_item {
	struct out_item *next;
	int32_t node;                        /* its place; of a loop -1: the message */
	bool is_loop;
};

struct out_segment {
	struct out_item item;
	const struct map_plan_segment *plan; /* NULL: put back from the side-car */
	uint32_t id;
	uint32_t origin;                     /* position it was read from; 0 */
	struct slice name;
	struct out_cell *cells;              /* by element, repetition, component */
	uint32_t count, room;
	bool counted;                        /* there are cells with a count */
	struct out_loop *loop;
	struct out_segment *next;            /* of the same plan in its scope */
};

struct out_loop {
	struct out_item item;
	struct out_loop *parent;
	struct out_item *first, *last;
	struct out_item *near;               /* that was put there last */
	uint32_t segments;                   /* in it, not in loops below */
	bool is_level;
	struct out_segment *level;           /* its HL */
	struct out_loop *above;              /* the HL loop of its parent */
	uint32_t number, below;              /* HL01; how many HL stand below it */
};

/* NULL: it is the other one. */
static inline struct out_segment *map_out_item_segment(struct out_item *i)
{
	return i->is_loop ? NULL : (struct out_segment *)i;
}
static inline struct out_loop *map_out_item_loop(struct out_item *i)
{
	return i->is_loop ? (struct out_loop *)i : NULL;
}

struct out {
	struct map_run_state *r;
	const struct map *map;
	const struct map_plan *plan;
	struct out_loop *root;
	struct mould_recorder *recorder;     /* while what is written shall be remembered; else NULL */
	struct out_segment **all;            /* in their final order, without the envelope's */
	uint32_t count, room;
	struct map_delimiters delimiters;    /* of raw cells */
	bool quiet;                          /* what no row takes is not told */
	bool back;                           /* to where it came from: what was too long there may be so again */
};

/* Puts the document's segments together: out->all in the standard's order. What no row took is noted. */
int map_out_make(struct out *o, const struct tree *document);
/* Counts, HL numbers. */
int map_out_number(struct out *o);
/* Whether the document came from this message type, version and sheet. */
bool map_sidecar_is_of(const struct tree *document, const struct map *out);
/* Puts back what the side-car keeps; nothing where it is not of this message type, version and sheet (sidecar.c). */
int map_sidecar_restore(struct out *o, const struct tree *document, enum edi_charset *charset);
/* Lists the segments of `root` in their order. */
int map_out_flatten(struct out *o);

/* A cell of the segment, new or the one there is. NULL: no memory. */
struct out_cell *map_out_cell(struct map_run_state *r, struct out_segment *s, uint32_t element, uint32_t component, uint32_t repetition);
/* A segment at this place below `loop`, whose loops are made where they are missing. */
int map_out_add(struct out *o, struct out_loop *loop, struct out_segment *s);
int map_out_append(struct out *o, struct out_segment *s); /* to `all` */

#endif
