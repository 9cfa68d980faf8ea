/* Segments that stand somewhere else, written again: in other delimiters, or put right where they stand. */
#ifndef OPENVAN_EDI_WRITE_COPY_H
#define OPENVAN_EDI_WRITE_COPY_H

#include "edi/write_envelope.h"

/* Gives each segment of a stretch of an interchange (a message, a group) to fn; `d`: the interchange's delimiters. 0, VAN_EINVAL (delimiters
 * that cannot be such, or characters of several bytes; no component separator, and no control character to stand for it), VAN_ENOMEM, fn's error. */
int edi_stretch_segments(struct slice stretch, enum edi_standard standard, const struct edi_delimiters *d, edi_segment_fn fn, void *ctx);

/* Its tag, without the nesting that may stand behind it, is one of an envelope: a "UNB:" would begin an interchange where it is written again. */
bool edi_segment_is_service(const struct edi_segment *s);

/* Appends the segment's elements by the writer's delimiters: trailing empty ones are left out, binary data stays. */
void edi_copy_segment(struct edi_writer *to, const struct edi_segment *s, struct van_buf *scratch);
void edi_copy_element(struct edi_writer *to, const struct edi_segment *s, uint32_t i, struct van_buf *scratch);

/* Appends a message, exactly its bytes from ST (UNH) to SE (UNT), whose head was written by edi_outbound_message: what stands between. What
 * cannot be written is told at the end. 0, or as edi_stretch_segments; VAN_EINVAL also where segments of envelopes stand within it, or escape sequences (UNOX) that
 * the interchange at hand cannot have. */
int edi_outbound_copy(struct edi_outbound *w, struct slice message, const struct edi_delimiters *d);

struct edi_rewrite_options {
	/* Messages to leave out, counted from 0 in the interchange; groups that are empty then go, too. NULL: none */
	bool (*drop)(void *ctx, uint64_t message);
	void *ctx;
};

/* Appends the same interchange with its form put right: ISA padded, counts that are true, nothing between segments nor at their
 * ends. Delimiters, control numbers and values stay. 0; VAN_ESYNTAX: its structure leaves no doubt that it must stay as it is (a trailer is missing,
 * an ISA that is none), nothing was appended; VAN_ENOMEM. */
int edi_rewrite(struct slice interchange, const struct edi_rewrite_options *options, struct van_buf *to);

#endif
