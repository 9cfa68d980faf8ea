/* Checks one message against its dictionary: order, repeats, loops, elements. Internal to src/edi; use edi/check.h. */
#ifndef OPENVAN_EDI_VALIDATE_H
#define OPENVAN_EDI_VALIDATE_H

#include "base/buf.h"

#include "edi/charset.h"
#include "edi/definition.h"
#include "edi/lexer.h"
#include "edi/number_set.h"

enum edi_fault {
	EDI_FAULT_UNKNOWN_SEGMENT,    /* no such segment in the standard */
	EDI_FAULT_NOT_IN_MESSAGE,     /* the message does not have it */
	EDI_FAULT_UNEXPECTED,         /* the message has it, but only in a loop that was not begun */
	EDI_FAULT_ORDER,              /* it stands too late */
	EDI_FAULT_MISSING_SEGMENT,
	EDI_FAULT_LOOP_REPEATS,
	EDI_FAULT_SEGMENT_REPEATS,
	EDI_FAULT_MISSING_ELEMENT,
	EDI_FAULT_CONDITION,          /* P, R, C or L is not met */
	EDI_FAULT_EXCLUSION,          /* E is not met */
	EDI_FAULT_TOO_MANY_ELEMENTS,
	EDI_FAULT_TOO_MANY_COMPONENTS,
	EDI_FAULT_TOO_MANY_REPEATS,
	EDI_FAULT_TOO_SHORT,
	EDI_FAULT_TOO_LONG,
	EDI_FAULT_CHARACTER,
	EDI_FAULT_BLANK,              /* X12: nothing but blanks */
	EDI_FAULT_TYPE,               /* a number was expected */
	EDI_FAULT_CODE,
	EDI_FAULT_DATE,
	EDI_FAULT_TIME,
	EDI_FAULT_PERIOD,             /* not in the format that another element tells */
	EDI_FAULT_LEVEL_ID,           /* HL01 stood before */
	EDI_FAULT_LEVEL_PARENT,       /* HL02 names no open level, or one that this level may not stand below */
	EDI_FAULT_LOOP_ID,            /* LE01 is not that of the LS before */
	/* EDIFACT only */
	EDI_FAULT_REPERTOIRE,         /* a character that the interchange's level does not have */
	EDI_FAULT_NOTATION,           /* a decimal mark other than advised, twice or at the end */
	EDI_FAULT_NO_DIGIT,           /* none before the decimal mark */
	EDI_FAULT_NESTING,            /* an explicit nesting indicator in the segment's tag */
	EDI_FAULT_TRAILING,           /* separators at the end */
};

struct edi_problem {
	enum edi_fault fault;
	struct slice segment, loop;
	uint64_t position;
	uint32_t element, repetition, component;
	const struct edi_element_def *definition; /* NULL where no element is at fault */
	struct slice value;                       /* absent: there is none */
	const char *why;                          /* EDI_FAULT_REPERTOIRE: more exactly; NULL */
	size_t at;                                /* and at which byte of the value, from 1 */
};

typedef int (*edi_problem_fn)(void *ctx, const struct edi_problem *p);

#define EDI_CACHE 512
#define EDI_DEEPEST_LEVEL 1000 /* of HL trees; those that are sent have a dozen */

/* The HL levels that are open: each stands below the one before. */
struct edi_levels {
	struct edi_open_level {
		char id[12], kind[2];
		uint8_t id_length, kind_length;
	} open[EDI_DEEPEST_LEVEL];
	uint32_t depth;
	struct number_set ids; /* of the message */
};

#define EDI_DEEPEST_BOUNDS 8 /* of LS in LS; messages have two at most */

/* Loops that LS has begun and LE has not ended. */
struct edi_bounds {
	struct {
		char id[6]; /* 447 */
		uint8_t n;
	} open[EDI_DEEPEST_BOUNDS];
	uint32_t depth;
};

struct edi_validator {
	edi_problem_fn fn;
	void *ctx;
	const struct edi_message_def *message;
	bool strict_codes;      /* open code lists bind, too */
	bool other_list;        /* the value at hand is from another agency's list, as its composite says */
	/* of the interchange; edi_validator_syntax() */
	enum edi_charset charset;
	bool syntax4;
	char decimal_mark;      /* the one UNA advises; 0: point and comma */
	const struct edi_delimiters *delimiters;
	uint32_t *counts; /* of each node in the iteration at hand */
	int32_t room;
	int32_t at;       /* the node of the last segment that had its place */
	bool placed;      /* the last segment has its place */
	uint64_t position;
	const struct edi_segment *segment;
	struct slice loop;
	struct van_buf scratch; /* a value without release characters */
	/* of the interchange's repertoire, delimiters left out: EDI_CLASS_* of each byte */
	unsigned char classes[256];
	bool classes_made;
	/* where the transitions of a node for an identifier begin; forgotten when the message's definition changes */
	struct {
		int32_t node;
		uint32_t id;
		const struct edi_transition *first;
	} cache[EDI_CACHE];
	struct edi_levels levels;
	struct edi_bounds bounds;
	int error;
};

void edi_validator_free(struct edi_validator *v);
/* Takes up an interchange's syntax. NONE and no mark for X12. */
void edi_validator_syntax(struct edi_validator *v, enum edi_charset charset, bool syntax4, char decimal_mark);
/* For segments that no definition is there for: their characters. 0 or fn's error. */
int edi_validator_characters(struct edi_validator *v, const struct edi_segment *s, uint64_t position);
/* Takes up the message. 0 or VAN_ENOMEM. */
int edi_validator_begin(struct edi_validator *v, const struct edi_message_def *m);
/* Its segments from ST or UNH (position 1) to SE or UNT. 0, VAN_ENOMEM or fn's error. */
int edi_validator_segment(struct edi_validator *v, const struct edi_segment *s, uint64_t position);

/* The list and code that this fault has in this standard and version: of the message, in EDIFACT "4" for syntax 4. */
const char *edi_fault_code(enum edi_fault fault, enum edi_standard standard, struct slice version, const char **ret_list);

/* Whether CONTRL of syntax 3, or 4, has this error code to write. */
bool edi_0085_has(struct slice code, bool syntax4);

#endif
