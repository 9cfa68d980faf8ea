/* Compiled dictionaries: what the loader makes of the text files and the validator walks.
 *
 * dictionary.c finds and reads files, dictionary_parse.c reads one file's text, dictionary_link.c looks things up along
 * `extends` and links a message with what it uses, dictionary_codes.c holds code lists and meanings, and
 * dictionary_compile.c makes transitions of a message's structure. */
#ifndef OPENVAN_EDI_DEFINITION_H
#define OPENVAN_EDI_DEFINITION_H

#include "base/arena.h"

#include "edi/dictionary.h"

enum edi_type { EDI_AN, EDI_ID, EDI_A, EDI_N, EDI_R, EDI_DT, EDI_TM, EDI_B };

/* A closed code list. Codes of up to three letters and digits are bits; the others are sorted text. */
struct edi_codes {
	uint64_t *bits;
	uint32_t words; /* of bits: few while no code is longer than two */
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
	bool adds;                 /* until it is linked: only the codes that it adds to the inherited element */
};

struct edi_composite_def;
struct edi_dictionary;

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
	uint32_t period;         /* position of an EDIFACT date (2380) whose format (2379) stands behind it; 0: none */
	struct edi_note *notes;
	uint32_t note_count;
	const struct edi_dictionary *from; /* whose file defines it, in this line */
	uint32_t line;
	bool linked;
};

struct edi_segment_def {
	struct edi_segment_def *next;
	struct slice id, name;
	struct edi_field *fields;
	uint32_t count;
	uint64_t periods;        /* bit i: field i is an X12 date format (1250), the next a date in it (1251) */
	uint32_t last_mandatory; /* position of the last mandatory field; 0: none */
	bool repeats;            /* a field may be repeated */
	struct edi_note *notes;
	uint32_t note_count;
	const struct edi_dictionary *from; /* whose file defines it, in this line */
	uint32_t line;
	bool known_only; /* the release has it, but no definition is here */
	bool linked;
};

/* One place in a message: a segment, or a loop whose first child is its trigger. Nodes are numbered in order. */
struct edi_node {
	struct slice id;                       /* segment identifier (of the trigger, for a loop) */
	const struct edi_segment_def *segment; /* NULL for a loop */
	struct slice loop;                     /* name of the loop it stands in, or is */
	int32_t parent;                        /* node of the loop it stands in, -1 at the top */
	int32_t last;                          /* loop: its last descendant */
	uint32_t max;                          /* 0: any number */
	uint32_t line;                         /* of the file */
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
	int32_t counted;           /* the one of the two whose repeats are counted */
	uint32_t max;              /* of those; 0: any number */
	bool conditional;          /* one of the two has a `when` */
	const int32_t *missing;
	uint32_t missing_count;
};
/* The first of the node's transitions to a segment of this identifier; the others follow it, in order of preference. Where there is none: the first
 * behind its place, which may be their end. */
static inline const struct edi_transition *edi_transitions_to(const struct edi_node *n, uint32_t id)
{
	const struct edi_transition *low = n->transitions, *high = low + n->transition_count;
	while (low < high) {
		const struct edi_transition *middle = low + (high - low) / 2;
		if (middle->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Below which levels an HL level may stand. */
struct edi_hl_rule {
	struct edi_hl_rule *next;
	struct slice code;   /* HL03 */
	struct slice *under; /* of the parent */
	uint32_t count;
	bool top;            /* or below none */
};

struct edi_message_def {
	struct edi_message_def *next;
	struct edi_dictionary *dictionary;  /* where its segments are looked up */
	const struct edi_dictionary *from;  /* whose file defines it */
	struct slice type, group, name;
	struct edi_node *nodes;
	int32_t count, room;
	struct edi_hl_rule *levels;
	uint32_t line;
	bool compiled;
};

/* What a code means, for people. Has no part in validation. */
struct edi_meaning {
	struct edi_meaning *next; /* same bucket */
	struct slice element, value, text;
};

#define EDI_BUCKETS 256

/* What one file says, over the dictionary that it extends or, for a message's file, the one of its version. */
struct edi_dictionary {
	struct edi_dictionary *next;
	enum edi_standard standard;
	struct slice version, extends;
	struct slice path;   /* of the file, for messages to people */
	uint32_t line;       /* of `extends` */
	struct edi_dictionary *base;
	bool open_codes;     /* code lists of the base do not close this version's elements */
	bool defines;        /* elements, composites or segments of its own */
	struct edi_element_def *elements[EDI_BUCKETS];
	struct edi_composite_def *composites[EDI_BUCKETS];
	struct edi_segment_def *segments[EDI_BUCKETS];
	struct edi_meaning **meanings; /* EDI_BUCKETS; NULL: none were wanted */
	struct edi_message_def *messages;
};

/* Up to four bytes of an identifier; longer ones never match. */
static inline uint32_t edi_pack(const char *p, size_t n)
{
	uint32_t v = 0;
	for (size_t i = 0; i < n && i < 4; i++)
		v = v << 8 | (unsigned char)p[i];
	return n > 4 ? 0 : v;
}

unsigned edi_bucket(struct slice id);

bool edi_codes_has(const struct edi_codes *c, struct slice value);
int edi_codes_add(struct van_arena *a, struct edi_codes *c, struct slice value);
int edi_codes_add_all(struct van_arena *a, struct edi_codes *c, const struct edi_codes *more);
int edi_meaning_add(struct van_arena *a, struct edi_dictionary *d, struct slice element, struct slice value, struct slice text);
/* Here or in the dictionaries it extends; absent. */
struct slice edi_meaning_find(const struct edi_dictionary *d, struct slice element, struct slice value);

/* Here or in the dictionaries it extends; NULL. Fields of a segment or composite found so need not be linked. */
const struct edi_element_def *edi_find_element(const struct edi_dictionary *d, struct slice id);
const struct edi_composite_def *edi_find_composite(const struct edi_dictionary *d, struct slice id);
const struct edi_segment_def *edi_find_segment(const struct edi_dictionary *d, struct slice id);
/* The segment as it is in `d`, with its fields linked. *ret is NULL when there is no definition. 0, VAN_ESYNTAX (it uses
 * something that is not defined), VAN_ENOMEM. */
int edi_link_segment(struct edi_dictionary *d, struct slice id, struct van_arena *arena, const struct edi_segment_def **ret,
	struct van_error *e);
/* Links all that `d` itself defines, its messages too: to find every error. */
int edi_link_all(struct edi_dictionary *d, struct van_arena *arena, struct van_error *e);

/* Parses one file's text into `d`, whose standard and version (unless absent) it must have. */
int edi_dictionary_parse(struct edi_dictionary *d, struct slice text, struct van_arena *arena, struct van_error *e);
/* Links one message with what it uses and compiles its transitions. */
int edi_message_compile(struct edi_message_def *m, struct van_arena *arena, struct van_error *e);

#endif
