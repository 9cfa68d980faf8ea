/* The seam between ack.c (parts and slots), ack_x12.c and ack_edifact.c. */
#ifndef OPENVAN_EDI_ACK_PRIVATE_H
#define OPENVAN_EDI_ACK_PRIVATE_H

#include "edi/ack.h"

struct ack_writer {
	const struct edi_interchange *in; /* what is answered */
	struct edi_ack_options options;
	struct van_civil when;
	struct van_arena *arena;
	struct edi_output out;
	struct van_buf text;      /* literal bytes not yet in a part */
	size_t room;              /* parts allocated */
	char element, component, release, terminator, repetition;
	uint64_t segments;        /* since ack_count_from_here() */
	int error;
};

void ack_text(struct ack_writer *w, const char *z);
void ack_slice(struct ack_writer *w, struct slice s);
void ack_slot(struct ack_writer *w, enum edi_level level, uint32_t index, uint32_t width);
void ack_number(struct ack_writer *w, uint64_t n);
void ack_padded(struct ack_writer *w, struct slice s, size_t width); /* blanks on the right */
void ack_digits(struct ack_writer *w, uint64_t n, int width);        /* zeros on the left */
void ack_separator(struct ack_writer *w);                            /* element separator */
void ack_end(struct ack_writer *w);                                  /* segment terminator */
/* "QUAL:ID" or "QUAL:ID:SUB" in its pieces. */
struct slice ack_qualifier(struct slice party);
struct slice ack_id(struct slice party, struct slice *ret_sub);
/* "1A, 2B …": the codes of a list, each once, at most `max`, each after an element separator. */
void ack_codes(struct ack_writer *w, const struct edi_error *errors, const char *list, const char *first, unsigned max);

void ack_write_x12(struct ack_writer *w);
void ack_write_edifact(struct ack_writer *w);

/* True when the interchange's own errors (not those below it) reject it. */
bool ack_refused(const struct edi_error *errors);
/* A message list that holds something else than acknowledgements. */
bool ack_wanted(const struct edi_group *g);

#endif
