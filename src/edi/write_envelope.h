/* Writes whole interchanges: ISA and UNB with their padding, groups, messages, counts; delimiters as the agreement has them.
 *
 * Control numbers of interchanges and groups are durable counters, taken when the output is committed: slots stand for them
 * (edi/output.h). Messages are numbered 1, 2, 3 … in their group or interchange.
 *
 *   edi_outbound_begin, then for each group (X12 always, EDIFACT when it has a group) edi_outbound_group, then for each
 *   message edi_outbound_message, its segments by edi_write_*(&w->writer, …), edi_outbound_message_end; edi_outbound_finish. */
#ifndef OPENVAN_EDI_WRITE_ENVELOPE_H
#define OPENVAN_EDI_WRITE_ENVELOPE_H

#include "base/clock.h"

#include "edi/output.h"
#include "edi/write.h"

struct edi_outbound_terms {
	enum edi_standard standard;
	struct edi_delimiters delimiters; /* 0: the usual one; X12 has a repetition separator from 00402 on */
	struct slice sender, receiver;    /* "QUAL:ID", EDIFACT "QUAL:ID:SUB" too */
	struct slice version;             /* ISA12; "UNOC:3" */
	struct slice application;         /* UNB 0026; may be empty */
	char usage;                       /* P, T or I */
	bool ack_requested;
	bool una;                         /* UNA even where the delimiters are the usual ones */
	bool lines;
	/* Numbers of the interchange and of its first group, where they are known; 0: slots stand for them. With both there are no slots, and
	 * the output has no parts: the caller takes the bytes out of draft.text, after any message and after edi_outbound_finish(). */
	uint32_t control, group_control;
	struct van_civil when;            /* in the agreement's time zone */
};

struct edi_group_terms {
	struct slice code, version, agency;   /* GS01, GS08, GS07; EDIFACT 0038, "D:96A", 0051 */
	struct slice sender, receiver;        /* GS02, GS03; empty: those of the interchange, without qualifier */
};

struct edi_outbound {
	struct edi_writer writer;
	struct edi_outbound_terms terms;
	struct edi_group_terms group_terms;
	struct edi_draft draft;
	struct van_arena *arena;
	bool in_group, in_message;
	uint32_t groups;
	uint64_t messages, group_messages, all_messages;
	uint64_t message_start; /* segments written before the message */
	struct slice type;
};

/* The segments around messages, for writers with an order of their own (acknowledgements). The writer's text is the draft's. ISA, or UNB
 * and before it UNA where it is needed; IEA or UNZ around so many groups or messages; GS or UNG and GE or UNE of the group `index`. */
void edi_write_interchange_head(struct edi_writer *w, struct edi_draft *to, const struct edi_outbound_terms *t);
void edi_write_interchange_tail(struct edi_writer *w, struct edi_draft *to, uint64_t inside);
void edi_write_group_head(struct edi_writer *w, struct edi_draft *to, const struct edi_outbound_terms *t, const struct edi_group_terms *g,
	uint32_t index);
void edi_write_group_tail(struct edi_writer *w, struct edi_draft *to, uint64_t messages, uint32_t index);

/* "ID", or "ID:SUB", of "QUAL:ID:SUB". */
struct slice edi_party_id(struct slice party);
/* The usual delimiters where `d` has none. VAN_EINVAL: two are the same, or one is a letter, digit or blank. */
int edi_outbound_delimiters(enum edi_standard standard, struct slice version, struct edi_delimiters *d, struct van_error *e);

/* 0, VAN_EINVAL (delimiters). What is wrong with values is told at the end. */
int edi_outbound_begin(struct edi_outbound *w, const struct edi_outbound_terms *terms, struct van_arena *arena,
	struct van_error *e);
void edi_outbound_group(struct edi_outbound *w, const struct edi_group_terms *terms); /* ends the one before */
/* type "850", or "ORDERS" with version "D:96A", agency "UN", association "EAN008" (X12: ST03; may be empty). */
void edi_outbound_message(struct edi_outbound *w, struct slice type, struct slice version, struct slice agency,
	struct slice association);
void edi_outbound_message_end(struct edi_outbound *w);
/* Ends all that is open. The output's parts live in the arena. 0, VAN_EINVAL (`e` names the element), VAN_ENOMEM. */
int edi_outbound_finish(struct edi_outbound *w, struct edi_output *ret, struct van_error *e);
void edi_outbound_free(struct edi_outbound *w);

#endif
