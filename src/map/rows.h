/* Sheets as they are read: rows with their places in the document, scopes of loops. Internal to src/map. */
#ifndef OPENVAN_MAP_ROWS_H
#define OPENVAN_MAP_ROWS_H

#include "map/expression.h"
#include "map/map.h"
#include "map/table.h"
#include "map/tree.h"

#include "edi/definition.h"

enum map_source_kind { MAP_NOTHING, MAP_ELEMENT, MAP_PAIRS, MAP_LITERAL, MAP_ENVELOPE, MAP_LOOP, MAP_EXPRESSION };

/* What stands in the target cell: a place, or what only goes out. */
enum map_target_kind { MAP_TO_PLACE, MAP_TO_LITERAL, MAP_TO_COUNT, MAP_TO_EXPRESSION };

#define MAP_WAY_IN 1u
#define MAP_WAY_OUT 2u

#define MAP_MAX_PARTS 12
#define MAP_MAX_CONDITIONS 4
#define MAP_MAX_TRANSFORMS 4
#define MAP_MAX_ROWS 4000
#define MAP_MAX_LOOPS 12      /* in one another */
#define MAP_MAX_IDS 250       /* segment identifiers of a sheet */

struct map_condition {
	enum { MAP_ASK_ELEMENT, MAP_ASK_PLACE, MAP_ASK_EXPRESSION } kind;
	int32_t segment;              /* number of the identifier in the sheet */
	uint32_t element, component;
	int32_t slot;                 /* place, in the scope of the row (of the loop, for a loop row) */
	bool unequal;
	struct slice_list values;     /* none: it must be there */
	const struct expression *expression;
};

struct map_transform {
	enum { MAP_DATE, MAP_TIME, MAP_DECIMAL, MAP_IMPLIED, MAP_UPPER, MAP_LOWER, MAP_NUMBER, MAP_BOOL, MAP_CUT, MAP_LISTED, MAP_COMPACT, MAP_COMPUTED } kind;
	uint32_t argument;
	const struct expression *expression;
};

/* Does nothing on the way in. */
static inline bool map_transform_only_out(const struct map_transform *t)
{
	return t->kind == MAP_CUT || t->kind == MAP_LISTED || t->kind == MAP_COMPACT;
}

struct map_row {
	/* what every message looks at stands together */
	unsigned line;
	unsigned way;                      /* MAP_WAY_IN | MAP_WAY_OUT */
	enum map_target_kind to;
	enum map_source_kind kind;
	enum tree_kind value_kind;
	int32_t scope;                     /* that its target stands in */
	int32_t slot;                      /* its place there; -1: none */
	int32_t segment;                   /* element, pairs; loop: its first segment; -1: none */
	uint32_t element, last, component; /* pairs: qualifiers at element, element + 2 …; or each element from element to last */
	uint32_t qualifier;                /* pairs: the component that holds it, 0: the element before */
	int32_t group_next;                /* the next row of the same scope, segment and list; -1 */
	uint32_t condition_count, transform_count;
	bool many;                         /* the place is a list of values (or, for a loop, of objects) */
	bool group_later;                  /* it is such a next row */
	bool repeats;                      /* every repetition */
	bool outer;                        /* looked for in the message, outside of its loops */
	bool bare;                         /* in: the value goes as it is */
	bool hollow;                       /* in: does something even when its segment is not there */
	bool required;
	struct map_condition *conditions;
	struct map_transform *transforms;
	const struct map_table *table;
	struct slice within;               /* LOOP/ of the source; absent */
	struct slice literal;              /* literal; qualifier of the pairs */
	struct slice fallback;             /* default; absent: none */
	enum { MAP_MISS_FAIL, MAP_MISS_PASS, MAP_MISS_DEFAULT } miss;

	struct slice target;
	struct slice text;                 /* of a literal target */
	const struct expression *computed; /* of an expression as target, or as source */
	int32_t loop_scope;                /* of a loop row: what its rows stand in */
	int32_t loop_next;                 /* the next loop row of its scope with the same first segment; -1 */
	int32_t counted;                   /* target @count: this segment */
	enum { MAP_SENDER, MAP_RECEIVER, MAP_INTERCHANGE, MAP_GROUP, MAP_MESSAGE, MAP_TEST, MAP_ENVELOPE_DATE, MAP_ENVELOPE_TIME } envelope;
	int32_t *members;                  /* loop: identifiers of segments it holds, or that end it */
	uint32_t member_count;
	bool until;                        /* loop: members end it */
	bool also;                         /* loop: out, the items for which it holds are written once more */
	struct slice table_name;
};

/* A place below the object of a scope: a member of `parent`, or the first item of it. */
struct map_slot {
	int32_t parent;      /* -1: the scope's object */
	int32_t first, next; /* its own places; the next of its parent's */
	struct slice name;
	uint32_t hash;       /* of the name, never 0; 0 for an item */
	bool item, object, array, leaf;
	int32_t loops;       /* the first loop row whose loops become this object, or items of this list; -1 */
};

/* An element, or a component of it, whose value decides what rows do. */
struct map_asked {
	int32_t next;                 /* of the same segment; -1 */
	uint32_t element, component;  /* from 1 */
};

/* What of a row is looked at while it is skipped, on the way in. */
struct map_brief {
	int32_t row;
	int16_t segment;     /* -1: none */
	bool outer, always;  /* has something to do whether or not its segment is there */
	enum { MAP_BRIEF_PLACE, MAP_BRIEF_LOOP, MAP_BRIEF_CONSTANT } does;
	bool fixed;          /* what it does hangs on the loop's own segments alone: where its conditions hold, a value sets the place */
	int32_t slot;
	uint64_t qualifier;  /* of pairs: nothing is to be done where no element may hold it; 0: not known */
};

/* What rows see: the message, or a loop. */
struct map_scope {
	int32_t row;        /* loop row; -1: the message */
	int32_t parent;     /* -1 */
	uint32_t depth;
	struct map_slot *slots;
	int32_t slot_count, slot_room, first_slot;
	int32_t *names;     /* slots of members by parent and name: open addressing, -1: free */
	uint32_t name_mask;
	int32_t *rows;      /* its rows in order, loop rows too */
	int32_t row_count, row_room;
	struct map_brief *briefs; /* of those that go in */
	int32_t brief_count;
	uint32_t brief_words;     /* of a set of briefs */
	uint64_t *brief_sets;     /* by segment, `brief_words` each: those that look for it in this scope */
	uint64_t *brief_always;   /* those that look elsewhere too, or do something in any case */
	uint64_t *asked;          /* by segment: a bit for each of its first 64 elements whose values conditions or qualifiers ask for */
	struct map_asked *parts;  /* the same, with components … */
	int32_t *first_part;      /* … by segment: the first; -1 */
	int32_t part_count, part_room;
	int32_t *loops;     /* its loop rows in order */
	int32_t loop_count;
	int32_t *lists;     /* slots of lists that have places in their items, and no loops */
	int32_t list_count;
	int32_t *trigger;   /* by segment: the first loop row that begins with it; -1 */
	bool has_loops, levels; /* a loop HL */
	bool shares;        /* a loop of it sets members of an object of its own: it is no list */
	int32_t here;       /* the scope of a loop row with the target ".": it shares the object; 0: none */
};

struct map_rows {
	struct map_rows *next;
	struct map_set *set;
	struct slice name;          /* of the file */
	struct slice standard, type, document;
	struct slice_list versions;
	struct map_row when;        /* conditions of the row @map: for which messages the sheet is, among those of its type */
	unsigned ways;
	bool usual;                 /* named after standard, type and document */
	struct map_row *rows;
	int32_t count, room;
	struct map_scope *scopes;
	int32_t scope_count, scope_room;
	uint32_t ids[MAP_MAX_IDS];  /* packed identifiers of the segments it names */
	int32_t id_count;
	int16_t id_at[1024];        /* open addressing, -1: free */
	int32_t level;              /* number of HL or CPS; -1: the sheet names neither */
};

/* Where the search for a member begins in scope->names. */
static inline uint32_t map_name_at(const struct map_scope *s, int32_t parent, uint32_t hash)
{
	return ((hash ^ (uint32_t)(parent + 1) * 2654435761u) * 2246822519u >> 15) & s->name_mask;
}

/* Target ".": the loop fills the object around it. */
static inline bool map_row_is_here(const struct map_row *row)
{
	return row->to == MAP_TO_PLACE && slice_is(row->target, ".");
}

struct map_plan;
struct map_shapes;
struct map_moulds;

/* One version and way of a sheet. */
struct map {
	struct map *next;
	char *name, *target, *standard;
	struct slice type, version;
	enum map_way way;
	struct map_rows *sheet;
	struct map *reverse;
	/* looked up when it is first used */
	bool looked;
	const struct edi_message_def *definition;
	struct map_plan *plan;
};

/* Names of members, each once: the same name is the same bytes, in whichever sheet. */
struct map_names {
	struct slice *v; /* open addressing, absent: free */
	uint32_t count, room;
};

struct map_set {
	struct van_arena *arena;
	struct map_names names;
	struct map_rows *sheets;
	struct map *maps;
	struct map_table *tables;
	struct flat_sheet *flats; /* of CSV documents (flat.h) */
	struct edi_dictionary_set *dictionaries;
	const struct map_set *more; /* its tables count as well */
	const struct map_table_scope *scope; /* of its tables */
	size_t remembered;           /* most bytes of each of these two */
	struct map_shapes *shapes;   /* what was found out about loops (shape.h); NULL: nothing yet */
	struct map_moulds *moulds;   /* and about objects (mould.h) */
};

/* Adds a sheet or table from its file's text. */
/* As map_set_new(), with most bytes of all that is compiled. */
int map_set_of(const struct map_set *tables, size_t memory, struct map_set **ret, struct van_error *e);
#define MAP_TABLES_MEMORY ((size_t)512 << 20) /* of a set that others see: all tables */

int map_parse(struct map_set *set, struct slice name, struct slice text, struct van_error *e);
int map_parse_table(struct map_set *set, struct slice name, struct slice text, struct van_error *e);
/* After all files: rows find their tables, and sheets yield their maps. */
int map_link(struct map_set *set, struct van_error *e);
/* The maps that one sheet yields (names.c). */
int map_yield(struct map_set *set, struct map_rows *s, struct van_error *e);

/* Number of the packed identifier among those that the sheet names; -1: it names it not. */
static inline int32_t map_segment_number(const struct map_rows *s, uint32_t id)
{
	uint32_t at = id * 2654435761u >> 22;
	while (s->id_at[at] >= 0 && s->ids[s->id_at[at]] != id)
		at = (at + 1) & 1023;
	return s->id_at[at];
}

/* --- while reading a sheet (place.c, source.c, brief.c) ------------------------------------------------------------------------------ */

struct map_reader {
	struct map_set *set;
	struct map_rows *sheet;
	unsigned line;
	const char *cell; /* column, for errors */
	struct van_error *e;
};

/* "map NAME, row N, CELL: WHAT 'AT'; see maps/README.md" */
int map_reader_fail(struct map_reader *r, const char *what, struct slice at);
int map_reader_no_memory(struct map_reader *r);
int map_reader_split(struct map_reader *r, struct slice s, const char *separators, struct slice_list *ret);
/* The number of a segment's identifier, new or known. VAN_ESYNTAX, VAN_ENOMEM, VAN_ELIMIT. */
int map_reader_segment(struct map_reader *r, struct slice id, int32_t *ret);
int map_reader_expression(struct map_reader *r, struct slice text, const struct expression **ret);

/* The innermost scope that the target belongs to, and what of the target stands below its object. */
int32_t map_place_scope(const struct map_rows *s, struct slice target, struct slice *rest);
/* The place of this path below the scope's object. *many: it ends in []. */
int map_place_slot(struct map_reader *r, int32_t scope, struct slice path, bool loop, int32_t *ret, bool *many);
int map_place_scope_new(struct map_reader *r, int32_t parent, int32_t row, int32_t *ret);
int map_place_add_row(struct map_reader *r, int32_t scope, int32_t row);

/* The scope's briefs, their sets, and what they ask for; after all its rows. 0, VAN_ENOMEM. */
int map_brief_scope(struct map_reader *r, struct map_scope *scope);

int map_source_parse(struct map_reader *r, struct slice s, struct map_row *row);
/* After the row's scope is known. */
int map_source_conditions(struct map_reader *r, struct slice s, int32_t scope, struct map_row *row);

#endif
