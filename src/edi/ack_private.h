/* The seam between ack.c (the order of things), ack_x12.c and ack_edifact.c. What they write goes through the writer that everything
 * else is written by (edi/write.h), with blanks for what cannot be written of what the answer repeats.
 *
 * An acknowledgement is written while the interchange is checked. What stands first in it (TA1, UCI) follows from what was
 * found last, so the body is written as messages and groups end, and the head when the interchange ends. */
#ifndef OPENVAN_EDI_ACK_PRIVATE_H
#define OPENVAN_EDI_ACK_PRIVATE_H

#include "edi/ack.h"

#include "edi/charset.h"
#include "edi/write_envelope.h"

#define PARTY_ROOM 80 /* "QUAL:ID:SUB": 4, 35 and 35 bytes */

struct ack_writer {
	const struct edi_interchange *in; /* what is answered; complete when it has ended */
	struct edi_ack_options options;
	struct van_civil when;
	struct edi_output out;
	struct edi_draft head, body;
	struct edi_writer writer;         /* of one of them; its count of segments begins anew where the standard's does */
	struct edi_outbound_terms terms;  /* of the answer's envelope; parties are in the two below */
	char sender[PARTY_ROOM], receiver[PARTY_ROOM];
	struct van_buf readable;          /* a value whose bytes are no UTF-8 */
	struct van_arena *arena;          /* of the parts */
	int error;
	/* of the interchange so far */
	bool any, others;                 /* messages; some that are no acknowledgements */
	bool wrong;                       /* a group has errors */
	/* of the group at hand */
	size_t group_at, group_slots;     /* where the body's part for it begins */
	uint64_t group_segments;
	bool group_any, group_others;
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

/* The draft that is written from now on. */
void ack_to(struct ack_writer *w, struct edi_draft *draft);
/* Begins the writer: these are the answer's delimiters, each different and none a letter, digit or blank. `foreign`: as edi_writer_blank(). */
void ack_begin_writer(struct ack_writer *w, const struct edi_delimiters *d, const bool *foreign);
/* An element, or the next component of one, that repeats something of the input. */
void ack_element(struct ack_writer *w, struct slice value);
void ack_component(struct ack_writer *w, struct slice value);
/* "QUAL:ID:SUB" as a party of the answer's envelope, each piece cut to what its element holds. */
struct slice ack_party(struct ack_writer *w, char to[static PARTY_ROOM], struct slice qualifier, struct slice id, struct slice sub);
/* No longer than the element takes. */
static inline struct slice ack_bounded(struct slice s, size_t max)
{
	return slice_make(s.p, s.n < max ? s.n : max);
}
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
void ack_x12_begin(struct ack_writer *w, struct edi_delimiters given);
void ack_x12_group_begin(struct ack_writer *w, const struct edi_group *g);
void ack_x12_message(struct ack_writer *w, const struct edi_group *g, const struct edi_message *m);
void ack_x12_group_end(struct ack_writer *w, const struct edi_group *g);
void ack_x12_end(struct ack_writer *w);

void ack_edifact_begin(struct ack_writer *w, struct edi_delimiters given);
void ack_edifact_message(struct ack_writer *w, const struct edi_group *g, const struct edi_message *m);
void ack_edifact_group_end(struct ack_writer *w, const struct edi_group *g);
void ack_edifact_end(struct ack_writer *w);

#endif
