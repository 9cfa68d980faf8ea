/* An interchange whose control numbers are not known yet.
 *
 * Control numbers are durable counters of the store, taken inside its transaction, so writers leave slots for them: the output is a
 * list of parts, literal bytes and slots. Equal `index` at a level means the same number (ISA13 and IEA02; GS06 and GE02). */
#ifndef OPENVAN_EDI_OUTPUT_H
#define OPENVAN_EDI_OUTPUT_H

#include "base/arena.h"
#include "base/buf.h"

#include "edi/report.h"

struct edi_output_part {
	struct slice bytes;   /* literal; absent for a slot */
	enum edi_level level; /* slot: which counter */
	uint32_t index;       /* slot: 0 for the first interchange/group/message of this output, 1 … */
	uint32_t width;       /* slot: digits, padded with zeros on the left; 0: no padding */
};

struct edi_output {
	struct edi_output_part *parts;
	size_t part_count;
	uint32_t interchanges, groups; /* how many numbers of each level are needed */
	uint64_t messages;             /* messages in it; their numbers (ST02, UNH 0062) are literal, not slots */
	struct slice type;             /* "850", "997", "TA1", "CONTRL" … of its messages */
	struct slice version;          /* of the group: "004010" */
};

/* The digits of a control number in this slot. 0, or VAN_EINVAL when it has more digits than the slot or is 0. */
#define EDI_SLOT_MAX 16
int edi_slot_render(const struct edi_output_part *p, uint32_t number, char to[static EDI_SLOT_MAX], size_t *ret_length);
/* Appends the output with these control numbers (interchange[index], group[index]). 0, the buffer's error, or VAN_EINVAL
 * when a number has more digits than its slot or is 0. */
int edi_output_render(const struct edi_output *o, const uint32_t *interchange, const uint32_t *group, struct van_buf *to);

/* --- while it is written ----------------------------------------------------------------------------------------------- */

struct edi_slot {
	size_t at; /* before this byte of the text */
	enum edi_level level;
	uint32_t index, width;
};

struct edi_draft {
	struct van_buf text;
	struct edi_slot *slots; /* in their order */
	size_t n, room;
	uint32_t known[2];      /* by enum edi_level: the number of index 0, of which no slots are made; 0: not known */
};

#define EDI_DRAFT_INIT(maximum) ((struct edi_draft){.text = VAN_BUF_INIT(maximum)})

void edi_draft_free(struct edi_draft *d);
void edi_draft_reset(struct edi_draft *d); /* keeps the memory */
/* A slot at the text's end, or the number itself where it is known: after 999999999 comes 1. What fails is told by the text's error. */
void edi_draft_slot(struct edi_draft *d, enum edi_level level, uint32_t index, uint32_t width);
/* Sets parts and part_count of *ret to the drafts' text and slots, one draft after the other. Parts live in the arena; their bytes, too,
 * where `copy`, else in the drafts. 0, VAN_ENOMEM, or a text's error. */
int edi_drafts_output(const struct edi_draft *const *drafts, size_t n, bool copy, struct van_arena *arena, struct edi_output *ret);

#endif
