/* Compiled dictionaries: what the loader makes of the text files and the validator walks. */
#ifndef OPENVAN_EDI_DEFINITION_H
#define OPENVAN_EDI_DEFINITION_H

#include "base/arena.h"

#include "edi/dictionary.h"

enum edi_type { EDI_AN, EDI_ID, EDI_A, EDI_N, EDI_R, EDI_DT, EDI_TM, EDI_B };

/* A closed code list. Codes of up to three letters and digits are bits; the others are sorted text. */
#define EDI_CODE_BITS (37 * 37 * 37)
struct edi_codes {
	uint64_t *bits; /* EDI_CODE_BITS of them */
	struct slice *others;
	size_t other_count, other_room;
};

struct edi_element_def {
	struct edi_element_def *next; /* same bucket */
	struct slice id, name;
	uint32_t number;           /* 0 when the id is not a number */
	enum edi_type type;
	unsigned decimals;         /* Nn */
	uint32_t min, max;
	bool open;                 /* ID without a list: any value */
	struct edi_codes *codes;   /* NULL: any value */
};

struct edi_composite_def;

/* An element or composite where it stands in a segment or composite. */
struct edi_field {
	const struct edi_element_def *element;     /* one of these two is set after resolving */
	const struct edi_composite_def *composite;
	struct slice id;
	bool mandatory;
	uint32_t repeat;
};

struct edi_note {
	char kind; /* P R E C L */
	unsigned n;
	unsigned char at[14]; /* element positions */
	uint64_t all;         /* their bits; element 1 is bit 1 */
};

struct edi_composite_def {
	struct edi_composite_def *next;
	struct slice id, name;
	struct edi_field *fields;
	uint32_t count;
};

struct edi_segment_def {
	struct edi_segment_def *next;
	struct slice id, name;
	struct edi_field *fields;
	uint32_t count;
	struct edi_note *notes;
	uint32_t note_count;
	bool known_only; /* the release has it, but no definition is here */
};

/* One place in a message: a segment, or a loop whose first child is its trigger. Nodes are numbered in order. */
struct edi_node {
	struct slice id;                       /* segment identifier (of the trigger, for a loop) */
	const struct edi_segment_def *segment; /* NULL for a loop */
	struct slice loop;                     /* name of the loop it stands in, or is */
	int32_t parent;                        /* node of the loop it stands in, -1 at the top */
	int32_t last;                          /* loop: its last descendant */
	uint32_t max;                          /* 0: any number */
	bool mandatory, is_loop;
	uint32_t when_element;                 /* 0: no condition */
	struct slice *when;                    /* the element's first component must be one of these */
	uint32_t when_count;
	const struct edi_transition *transitions; /* sorted by id, in order of preference within one */
	uint32_t transition_count;
};

/* From a node to the next segment: what is entered, and which mandatory nodes were passed over. */
struct edi_transition {
	uint32_t id;               /* packed identifier */
	int32_t to;                /* node of the segment */
	int32_t loop;              /* loop node that a new iteration of begins (outermost), or -1 */
	const int32_t *missing;
	uint32_t missing_count;
};

struct edi_message_def {
	struct edi_message_def *next;
	const struct edi_dictionary *dictionary;
	struct slice type, group, name;
	struct edi_node *nodes;
	int32_t count, room;
};

#define EDI_BUCKETS 256

struct edi_dictionary {
	struct edi_dictionary *next;
	enum edi_standard standard;
	struct slice version, extends;
	const struct edi_dictionary *base;
	bool open_codes; /* code lists of the base do not close this version's elements */
	bool resolved;
	struct edi_element_def *elements[EDI_BUCKETS];
	struct edi_composite_def *composites[EDI_BUCKETS];
	struct edi_segment_def *segments[EDI_BUCKETS];
	struct edi_message_def *messages;
};

struct edi_dictionary_set {
	struct van_arena *arena;
	struct edi_dictionary *dictionaries;
};

/* Up to four bytes of an identifier; longer ones never match. */
static inline uint32_t edi_pack(const char *p, size_t n)
{
	uint32_t v = 0;
	for (size_t i = 0; i < n && i < 4; i++)
		v = v << 8 | (unsigned char)p[i];
	return n > 4 ? 0 : v;
}

bool edi_codes_has(const struct edi_codes *c, struct slice value);
int edi_codes_add(struct van_arena *a, struct edi_codes *c, struct slice value);

struct edi_dictionary *edi_dictionary_get(const struct edi_dictionary_set *set, enum edi_standard s, struct slice version);
/* Here or in the dictionaries it extends; NULL. */
const struct edi_element_def *edi_find_element(const struct edi_dictionary *d, struct slice id);
const struct edi_composite_def *edi_find_composite(const struct edi_dictionary *d, struct slice id);
const struct edi_segment_def *edi_find_segment(const struct edi_dictionary *d, struct slice id);
unsigned edi_bucket(struct slice id);

/* Adds one file's text. `name` is for errors. */
int edi_dictionary_parse(struct edi_dictionary_set *set, struct slice text, const char *name, struct van_error *e);
/* Links everything and compiles the messages. */
int edi_dictionary_resolve(struct edi_dictionary_set *set, struct van_error *e);
/* Compiles one message's transitions. */
int edi_message_compile(struct edi_message_def *m, struct van_arena *arena, struct van_error *e);

#endif
