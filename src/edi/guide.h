/* Guides: what a partner asks for beyond the standard, as rules over a message's dictionary. A guide only narrows; it is checked
 * with the message, and its errors are marked as such (doc/edi-guides.md). src/map/guide.c reads the rows of a file. */
#ifndef OPENVAN_EDI_GUIDE_H
#define OPENVAN_EDI_GUIDE_H

#include "base/arena.h"
#include "base/error.h"

#include "edi/definition.h"
#include "edi/lexer.h"

#include <regex.h>

enum edi_guide_kind { EDI_GUIDE_OCCURS, EDI_GUIDE_REQUIRED, EDI_GUIDE_UNUSED, EDI_GUIDE_CODES, EDI_GUIDE_LENGTH, EDI_GUIDE_PATTERN,
	EDI_GUIDE_EQUALS };

/* An element of a segment: "PO102", "MOA01-2". */
struct edi_guide_place {
	struct slice segment;
	uint32_t element, component; /* component 0: the first, or the whole */
};

/* In the same segment: the element has one of these values. No values: no condition. */
struct edi_guide_when {
	uint32_t element, component;
	struct slice *values;
	uint32_t count;
};

struct edi_guide_rule {
	enum edi_guide_kind kind;
	struct slice loop;             /* empty: any (for `occurs`: where the segment stands first) */
	struct edi_guide_place place;  /* element 0: the segment */
	struct edi_guide_when when;
	uint32_t min, max;             /* occurs, length; max UINT32_MAX: any */
	struct edi_codes *codes;
	regex_t *pattern;
	/* equals: count(place) or sum(first * second) over the message */
	bool count;
	struct edi_guide_place first, second; /* second: no segment: there is none */
	struct edi_guide_when of;
	struct slice text;             /* for people; may be empty */
};

struct edi_guide {
	struct van_arena *arena;
	enum edi_standard standard;
	struct slice version, type;    /* version empty: any */
	struct slice name;
	struct edi_guide_rule *rules;
	uint32_t count;
};

struct edi_guide_problem {
	const struct edi_guide_rule *rule;
	struct slice loop, segment;
	uint64_t position;
	uint32_t element, component, repetition;
	const struct edi_element_def *definition;
	struct slice value;            /* absent: none */
	const char *text;
	const char *list, *code, *guide, *edifact; /* code: of a 997; guide: of a 999; edifact: 0085 */
};

typedef int (*edi_guide_fn)(void *ctx, const struct edi_guide_problem *p);

struct edi_guide_state;
/* `guide` must outlive it. NULL: no memory. */
struct edi_guide_state *edi_guide_state_new(const struct edi_guide *guide, edi_guide_fn fn, void *ctx);
void edi_guide_state_free(struct edi_guide_state *s); /* NULL is fine */
/* True when the guide is for this message, which is then followed. */
bool edi_guide_begin(struct edi_guide_state *s, const struct edi_message_def *m, enum edi_standard standard, struct slice version);
/* A segment of it that has its place, `node`. 0 or fn's error. */
int edi_guide_segment(struct edi_guide_state *s, const struct edi_segment *segment, int32_t node, uint64_t position);
int edi_guide_end(struct edi_guide_state *s);

void edi_guide_free(struct edi_guide *g); /* NULL is fine */

#endif
