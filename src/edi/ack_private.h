/* The seam between ack.c (text, slots, the order of things), ack_x12.c and ack_edifact.c.
 *
 * An acknowledgement is written while the interchange is checked. What stands first in it (TA1, UCI) follows from what was
 * found last, so the body is written as messages and groups end, and the head when the interchange ends. */
#ifndef OPENVAN_EDI_ACK_PRIVATE_H
#define OPENVAN_EDI_ACK_PRIVATE_H

#include "edi/ack.h"

#include "edi/charset.h"

/* A control number to be filled in, before byte `at` of the text. */
struct ack_slot {
	size_t at;
	enum edi_level level;
	uint32_t index, width;
};

struct ack_piece {
	struct van_buf text;
	struct ack_slot *slots;
	size_t n, room;
};

struct ack_writer {
	const struct edi_interchange *in; /* what is answered; complete when it has ended */
	struct edi_ack_options options;
	struct van_civil when;
	struct edi_output out;
	struct ack_piece head, body, *to; /* `to`: the one that is written */
	struct van_arena *arena;          /* of the parts */
	struct edi_delimiters given;      /* of the interchange, or what the options have instead */
	char element, component, release, terminator, repetition;
	uint64_t segments;                /* written since the caller set it to 0 */
	int error;
	/* of the interchange so far */
	bool any, others;                 /* messages; some that are no acknowledgements */
	bool wrong;                       /* a group has errors */
	/* of the group at hand */
	size_t group_at, group_slots;     /* where the body's part for it begins */
	uint64_t group_segments;
	bool group_any, group_others;
	struct slice interchange_version; /* X12: ISA12 of the answer */
	char version[13];                 /* X12: GS08 of the last group's answer */
	struct {                          /* EDIFACT */
		enum edi_charset declared; /* of UNB */
		bool syntax4;
		bool fits, fits_a;         /* what is repeated has only characters of the declared repertoire, of UNOA */
		bool told;                 /* a message of the group at hand was told */
		bool nameless;             /* a group or message at fault that its own answer segment cannot name; why: */
		struct edi_error why;
		char why_segment[4];
	} edifact;
};

void ack_text(struct ack_writer *w, const char *z);
void ack_char(struct ack_writer *w, char c);
void ack_slice(struct ack_writer *w, struct slice s);
void ack_slot(struct ack_writer *w, enum edi_level level, uint32_t index, uint32_t width);
void ack_number(struct ack_writer *w, uint64_t n);
void ack_padded(struct ack_writer *w, struct slice s, size_t width); /* blanks on the right */
void ack_digits(struct ack_writer *w, uint64_t n, int width);        /* zeros on the left */
void ack_separator(struct ack_writer *w);                            /* element separator */
void ack_element(struct ack_writer *w, struct slice value);          /* and before it the separator */
void ack_end(struct ack_writer *w);                                  /* segment terminator */
/* Moves what was written since `from` before what stands at `at`, which holds no slots. */
void ack_move_up(struct ack_writer *w, size_t at, size_t from);
/* Forgets what was written for the group at hand. */
void ack_drop_group(struct ack_writer *w);
void ack_drop_body(struct ack_writer *w);
/* "QUAL:ID" or "QUAL:ID:SUB" in its pieces. */
struct slice ack_qualifier(struct slice party);
struct slice ack_id(struct slice party, struct slice *ret_sub);
/* The first that is not tolerated; NULL: none. An interchange's own errors, not those below it, refuse it. */
const struct edi_error *ack_refusal(const struct edi_error *errors);

/* At the beginning of an interchange, at the end of a message, both of a group, at the end of the interchange (which
 * writes head and tail, or leaves w->out.type empty when nothing is owed). */
void ack_x12_begin(struct ack_writer *w);
void ack_x12_group_begin(struct ack_writer *w, const struct edi_group *g);
void ack_x12_message(struct ack_writer *w, const struct edi_group *g, const struct edi_message *m);
void ack_x12_group_end(struct ack_writer *w, const struct edi_group *g);
void ack_x12_end(struct ack_writer *w);

void ack_edifact_begin(struct ack_writer *w);
void ack_edifact_message(struct ack_writer *w, const struct edi_group *g, const struct edi_message *m);
void ack_edifact_group_end(struct ack_writer *w, const struct edi_group *g);
void ack_edifact_end(struct ack_writer *w);

#endif
