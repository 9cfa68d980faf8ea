#include "edi/write_copy.h"

#include "edi/code_extension.h"

#include <ctype.h>
#include <stdio.h>

/* --- a stretch of an interchange --------------------------------------------------------------------------------------- */

struct stretch {
	edi_segment_fn fn;
	void *ctx;
	uint64_t head; /* bytes of the header that is put before it */
};

static int on_segment(void *ctx, const struct edi_segment *s)
{
	const struct stretch *x = ctx;
	return s->offset < x->head ? 0 : x->fn(x->ctx, s);
}

/* A byte that stands for a component separator where there is none; 0: every control character is in use. */
static char unused_byte(struct slice stretch, const struct edi_delimiters *d)
{
	const char all[] = {d->element, d->repetition, d->release, d->terminator, '\t', '\n', '\r', 0x1a};
	for (char c = 0x1f; c; c--)
		if (!memchr(all, c, sizeof all) && (!stretch.n || !memchr(stretch.p, c, stretch.n)))
			return c;
	return 0;
}

/* What tells the lexer these delimiters: nobody sees it. */
static void put_isa(struct van_buf *b, const struct edi_delimiters *d)
{
	const char e = d->element;
	van_buf_printf(b, "ISA%c00%c%10s%c00%c%10s%cZZ%c%-15s%cZZ%c%-15s%c260101%c0000%c%c%c%s%c000000001%c0%cP%c%c%c", e, e, "", e, e, "", e, e, "A", e,
		e, "B", e, e, e, d->repetition ? d->repetition : 'U', e, d->release ? "00801" : d->repetition ? "00501" : "00401", e, e, e, e,
		d->component, d->terminator);
	if (d->release)
		van_buf_printf(b, "ISX%c%c%c", e, d->release, d->terminator);
}

static void put_unb(struct van_buf *b, const struct edi_delimiters *d)
{
	const char e = d->element, c = d->component;
	van_buf_printf(b, "UNA%c%c.%c%c%cUNB%cUNO%c%c%c%cA%cB%c260101%c0000%c1%c", c, e, d->release ? d->release : ' ',
		d->repetition ? d->repetition : ' ', d->terminator, e, d->shifts ? 'X' : 'Y', c, d->repetition ? '4' : '3', e, e, e, c, e, d->terminator);
}

int edi_stretch_segments(struct slice stretch, enum edi_standard standard, const struct edi_delimiters *d, edi_segment_fn fn, void *ctx)
{
	struct van_buf head = VAN_BUF_INIT(512);
	struct stretch x = {.fn = fn, .ctx = ctx};
	const struct edi_lexer_options options = {.max_segment = (size_t)16 << 20};
	struct edi_delimiters told = *d;
	told.component = d->component ? d->component : unused_byte(stretch, d);
	if (!d->element || !d->terminator || !told.component || (unsigned char)d->terminator >= 0x80 || (unsigned char)d->element >= 0x80)
		return VAN_EINVAL;
	if (standard == EDI_X12)
		put_isa(&head, &told);
	else
		put_unb(&head, &told);
	x.head = head.n;
	struct edi_lexer *l = edi_lexer_new(&options, on_segment, &x);
	int rc = l && !head.error ? edi_lexer_feed(l, van_buf_slice(&head), false) : VAN_ENOMEM;
	if (rc == 0)
		rc = edi_lexer_feed(l, stretch, true);
	edi_lexer_free(l);
	van_buf_free(&head);
	return rc;
}

/* --- segments ---------------------------------------------------------------------------------------------------------- */

static void copy_value(struct edi_writer *to, const struct edi_segment *s, struct slice value, struct van_buf *scratch)
{
	if (s->flags & EDI_SEGMENT_RELEASE) {
		van_buf_reset(scratch);
		char *room = van_buf_reserve(scratch, value.n + 1);
		if (!room) {
			van_error_set(&to->error, VAN_ENOMEM, "no memory for a value");
			return;
		}
		value = edi_unescape(value, s->delimiters->release, room);
	}
	edi_write_value(to, value);
}

static void copy_components(struct edi_writer *to, const struct edi_segment *s, struct slice e, struct van_buf *scratch)
{
	const struct edi_delimiters *d = s->delimiters;
	if (!s->parts) {
		copy_value(to, s, e, scratch);
		return;
	}
	for (bool more = true; more; more = e.p != NULL)
		copy_value(to, s, edi_cut(&e, d->component, d->release), scratch);
}

/* Raw data as long as the element before it says; what stands behind that is none, and may hold delimiters. */
static bool is_raw(const struct edi_segment *s, uint32_t i)
{
	unsigned long long n;
	return i == edi_segment_binary(s) && slice_u64(edi_segment_element(s, i - 1), &n) && n == edi_segment_element(s, i).n;
}

void edi_copy_element(struct edi_writer *to, const struct edi_segment *s, uint32_t i, struct van_buf *scratch)
{
	const struct edi_delimiters *d = s->delimiters;
	struct slice e = edi_segment_element(s, i);
	edi_write_next(to);
	if (i == edi_segment_binary(s)) {
		if (is_raw(s, i))
			edi_write_bytes(to, e);
		else
			edi_write_value(to, e);
		return;
	}
	for (bool first = true; e.p; first = false) {
		if (!first)
			edi_write_repeat(to);
		copy_components(to, s, s->parts ? edi_cut(&e, d->repetition, d->release) : e, scratch);
		if (!s->parts)
			break;
	}
}

void edi_copy_segment(struct edi_writer *to, const struct edi_segment *s, struct van_buf *scratch)
{
	struct slice id = edi_segment_element(s, 0), tag = edi_cut(&id, s->delimiters->component, s->delimiters->release);
	edi_write_segment(to, tag);
	while (id.p) /* explicit nesting */
		copy_value(to, s, edi_cut(&id, s->delimiters->component, s->delimiters->release), scratch);
	for (uint32_t i = 1; i < s->count; i++)
		edi_copy_element(to, s, i, scratch);
	edi_write_end(to);
}

struct copying {
	struct edi_outbound *to;
	struct van_buf scratch;
};

/* Whatever stands before it, the lexer begins an interchange with it. */
static bool begins_interchange(struct slice tag)
{
	if (slice_starts(tag, "UNA"))
		return true;
	return (slice_starts(tag, "ISA") || slice_starts(tag, "UNB")) && (tag.n == 3 || !isalnum((unsigned char)tag.p[3]));
}

bool edi_segment_is_service(const struct edi_segment *s)
{
	static const char *const tags[2][8] = {{"ISA", "IEA", "GS", "GE", "ST", "SE"}, {"UNA", "UNB", "UNZ", "UNG", "UNE", "UNH", "UNT", "UNO"}};
	struct slice id = edi_segment_element(s, 0), tag = edi_cut(&id, s->delimiters->component, s->delimiters->release);
	for (size_t i = 0; i < 8 && tags[s->standard == EDI_EDIFACT][i]; i++)
		if (slice_is(tag, tags[s->standard == EDI_EDIFACT][i]))
			return true;
	return s->flags & EDI_SEGMENT_UNA || begins_interchange(tag);
}

static int copy_body(void *ctx, const struct edi_segment *s)
{
	struct copying *c = ctx;
	bool x12 = s->standard == EDI_X12;
	if (edi_segment_is(s, x12 ? "ST" : "UNH") || edi_segment_is(s, x12 ? "SE" : "UNT") || (!x12 && edi_segment_is(s, "UNP")))
		return 0; /* a UNP that ends a message ends it like a UNT, and is as wrong */
	const uint32_t cut = EDI_SEGMENT_TOO_LONG | EDI_SEGMENT_TOO_MANY | EDI_SEGMENT_BAD_LENGTH | EDI_SEGMENT_UNTERMINATED;
	const struct slice all = slice_make(s->bytes, s->length);
	bool shifts = s->delimiters->shifts && edi_shift_any(all);
	if (edi_segment_is_service(s) || s->flags & cut || (shifts && (!c->to->writer.delimiters.shifts || !edi_shift_can_be_written(all))))
		return VAN_EINVAL;
	edi_copy_segment(&c->to->writer, s, &c->scratch);
	return 0;
}

int edi_outbound_copy(struct edi_outbound *w, struct slice message, const struct edi_delimiters *d)
{
	struct copying c = {.to = w, .scratch = VAN_BUF_INIT((size_t)32 << 20)};
	int rc = edi_stretch_segments(message, w->terms.standard, d, copy_body, &c);
	van_buf_free(&c.scratch);
	return rc;
}
