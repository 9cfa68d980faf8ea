/* What reading and writing share while they run. Internal to src/map. */
#ifndef OPENVAN_MAP_RUN_H
#define OPENVAN_MAP_RUN_H

#include "map/message.h"
#include "map/rows.h"
#include "map/tree.h"

/* Segments that a loop row (or several with the same first segment) set apart. */
struct map_range {
	uint32_t first, end;
	int32_t parent;        /* owner that it stands in; 0: the message */
	uint32_t ordinal;      /* among those of its parent that begin with the same segment, from 1 */
	bool taken;            /* by a row */
	struct slice name;     /* "PO1[3]", once it was asked for */
};

/* An HL and where it stands. */
struct map_level {
	int32_t owner;         /* its range */
	int32_t parent;        /* -1: none */
	int32_t child, next, last_child;
};

#define MAP_SHAPE_WORDS 1024u

struct map_run_state {
	struct map_options options;
	struct van_arena *arena;
	struct tree_room room;
	uint64_t steps;        /* left */
	uint32_t writings;     /* so far: the mark of the values that rows take */
	struct map_message message;
	uint32_t *counts;      /* of the dictionary's places; behind them where each led to (map_message_place) */
	int32_t count_room;
	struct map_range *ranges;
	int32_t range_count, range_room; /* 0 is the message */
	struct map_level *levels;
	int32_t level_count, level_room;
	uint64_t key[MAP_SHAPE_WORDS]; /* of the loop at hand (shape.h) */
	const struct map *map;
	const struct map_envelope *envelope;
	const struct tree *document;
	struct map_note *notes, **last_note, lost_note;
	uint64_t noted[5];     /* by kind */
	struct van_error *e;
};

/* The map's dictionary; NULL: there is none. Looked up once. 0 or what edi_dictionary_find returns. */
int map_run_definition(const struct map *m, const struct edi_message_def **ret, struct van_error *e);
/* The run fails with `code`, unless it has said why before. */
int map_run_fail(struct map_run_state *r, int code);
/* VAN_ELIMIT when no steps are left. */
static inline int map_run_step(struct map_run_state *r, uint64_t n)
{
	if (r->steps < n)
		return van_error_set(r->e, VAN_ELIMIT, "map %s: the message takes more than %llu steps: divide it", r->map->name,
			(unsigned long long)r->options.max_steps);
	r->steps -= n;
	return 0;
}
/* A new note, NULL when out of memory (latched in the room). */
struct map_note *map_run_note(struct map_run_state *r, enum map_note_kind kind, unsigned row);
/* The identifier of a segment of the sheet, as text in the arena. */
struct slice map_run_id(struct map_run_state *r, uint32_t packed);
/* The digits of a number, from `to` on; returns where they end. */
char *map_run_digits(uint32_t n, char *to);
struct slice map_run_number(struct map_run_state *r, uint32_t n); /* in the arena */
/* "PO1[3]/N1[1]"; absent for the message. */
struct slice map_run_loop(struct map_run_state *r, int32_t owner);
/* "LineItem.ID" of a place; `inside` stands before it ("OrderLine[2]."). */
struct slice map_run_place(struct map_run_state *r, const struct map_scope *scope, int32_t slot, struct slice inside);
/* $object, $document; what tables the sheet's expressions see. `input` is $. */
int map_run_expression(struct map_run_state *r, const struct map_row *row, const char *cell, const struct expression *x,
	const struct tree *input, const struct tree *object, const struct tree **ret);

/* Does the condition hold? 1, 0, or negative. As map_run_expression. */
int map_run_condition(struct map_run_state *r, const struct map_row *row, const struct expression *x, const struct tree *input,
	const struct tree *object);

/* The _unmapped and _source of the document that was read (sidecar.c). */
int map_sidecar_make(struct map_run_state *r, struct tree *document);

#endif
