/* The way out, compiled for one version: where in the dictionary's message the rows of a sheet write. Internal to src/map. */
#ifndef OPENVAN_MAP_PLAN_H
#define OPENVAN_MAP_PLAN_H

#include "map/rows.h"

#define MAP_NODE_NONE (-2)

/* A constant that a condition writes. */
struct map_constant {
	uint32_t element, component;
	struct slice value;
};

/* Rows that fill one segment: the same identifier, conditions and place. */
struct map_plan_segment {
	uint32_t id;                        /* packed */
	struct slice name;
	int32_t node;                       /* its place */
	const struct edi_segment_def *definition;
	int32_t *rows;
	int32_t row_count, row_room;
	struct map_constant constants[2 * MAP_MAX_CONDITIONS];
	uint32_t constant_count;
	struct slice within;
	bool listed;                        /* a row has a list: as many segments as it needs */
	bool alone;                         /* no other one of its scope stands at its place */
	bool begins;                        /* the first segment of the scope's own loop */
	bool numbered;                      /* HL: the engine numbers it */
	const struct map_row *outer;        /* of rows in other loops that write to the head; NULL */
};

/* A place, as it is looked for. */
struct map_plan_slot {
	const char *name;
	size_t name_n;                      /* SIZE_MAX: it is the object itself, and no member has its name */
	int32_t slot;                       /* its number */
	int32_t item;                       /* of a list: the slot of its items; -1 */
	struct map_plan_slot *first, *behind; /* found there last time: the first member below it, the one behind it; else the object itself */
	bool object;
	bool listed;                        /* rows write the items of the list there, one by one */
	bool loops;                         /* loop rows make loops of what is there */
	bool plain;                         /* neither these nor a list with places in its items */
};

struct map_plan_scope {
	bool absent;                        /* its loop is only in another version of the sheet */
	int32_t node;                       /* its loop; -1 the message, MAP_NODE_NONE: no loop of the dictionary, its one segment */
	struct map_plan_segment *segments;  /* in the order of their places */
	int32_t count, room;
	int32_t *outer;                     /* segments of the head that rows of this scope write to, by number there */
	int32_t outer_count;
	uint32_t words;                     /* of a set of segments: bit i is segment i, bit count + k segment outer[k] of the head */
	uint64_t *wanted;                   /* by slot, `words` each: segments with a row that reads it */
	uint64_t *always;                   /* segments that may be written without any of that */
	struct map_plan_slot *slots;        /* by slot; one more before the first is of the object itself */
	struct out_room *work;              /* what its loops use while they are written (write.h) */
	bool here;                          /* there are loop rows that fill the object itself */
	int32_t *takers;                    /* by slot: the first of its loop rows, as a number in scope->loops; -1 */
	int32_t *next_taker;                /* by number in scope->loops: the next one with its slot; -1 */
	struct map_mould_list *moulds;      /* what is remembered of objects (mould.h) */
	int32_t *others;                    /* rows that are not written, and yet tell what is at their place */
	int32_t *told_by;                   /* by number in others: the slot (of the head for `^`) that writes the element which the row reads; -1: none */
	int32_t other_count;
};

/* What is known of a row's element. */
struct map_plan_row {
	const struct edi_element_def *element; /* NULL: nothing */
	uint32_t component;                    /* as written: 0 where the element has none */
	int32_t scope, slot;                   /* the row's */
	bool insists;                          /* it may write though there is nothing at its place */
	bool free;                             /* nothing decides whether the row may write */
	bool decided;                          /* or only which places are filled, of no matter what */
	bool asks;                             /* it asks for values of places, which are told by that */
	bool plain;                            /* the value goes as it is, but for its length */
	bool direct;                           /* and from its place to one element, whatever other rows do */
};

struct map_plan {
	const struct edi_message_def *definition;
	struct map_plan_scope *scopes;
	struct map_plan_row *rows;
	int32_t *earlier;                   /* by row: the row before it in its scope with the same place that goes out; -1 */
	int32_t *segment_of;                /* by row: the number of its segment (of the head for `^`); -1: it writes none */
};

/* Compiles it once; the map keeps it. 0; VAN_ENOTFOUND (no dictionary); VAN_ESYNTAX (a row names what the message has not); VAN_ENOMEM. */
int map_plan_get(const struct map *out, const struct map_plan **ret, struct van_error *e);

/* The place nearest to the loop `loop` (-1: the message) of this segment in it or below; MAP_NODE_NONE: it has none. */
int32_t map_plan_place(const struct edi_message_def *d, int32_t loop, uint32_t id);
/* Components of composites are numbered: 0 is the first of one, and 1 of an element that is none is 0. */
uint32_t map_plan_component(const struct edi_segment_def *d, uint32_t element, uint32_t component);
/* What the standard says of an element; NULL: nothing. */
const struct edi_element_def *map_plan_element(const struct edi_segment_def *d, uint32_t element, uint32_t component);

#endif
