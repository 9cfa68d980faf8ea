/* Parts and slots of acknowledgements; the standards' own forms are in ack_x12.c and ack_edifact.c. */
#include "edi/ack_private.h"

#include "edi/validate.h"

#include <inttypes.h>
#include <stdio.h>

#define LARGEST_ACK ((size_t)256 << 20)

static void latch(struct ack_writer *w, int rc)
{
	if (rc < 0 && !w->error)
		w->error = rc;
}

static struct edi_output_part *add_part(struct ack_writer *w)
{
	if (w->error)
		return NULL;
	if (w->out.part_count == w->room) {
		size_t room = w->room ? 2 * w->room : 16;
		struct edi_output_part *more = van_arena_array(w->arena, room, sizeof *more);
		if (!more) {
			latch(w, VAN_ENOMEM);
			return NULL;
		}
		if (w->out.part_count)
			memcpy(more, w->out.parts, w->out.part_count * sizeof *more);
		w->out.parts = more;
		w->room = room;
	}
	return &w->out.parts[w->out.part_count++];
}

static void flush(struct ack_writer *w)
{
	latch(w, van_buf_error(&w->text));
	struct slice copy = w->text.n && !w->error ? van_arena_slice(w->arena, van_buf_slice(&w->text)) : SLICE_NONE;
	if (!w->text.n)
		return;
	if (!copy.p)
		latch(w, VAN_ENOMEM);
	struct edi_output_part *part = add_part(w);
	if (part)
		*part = (struct edi_output_part){.bytes = copy};
	van_buf_reset(&w->text);
}

void ack_text(struct ack_writer *w, const char *z)
{
	van_buf_append_str(&w->text, z);
}

/* Values are written as they are in X12, which has no release character; EDIFACT's separators are escaped. */
void ack_slice(struct ack_writer *w, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool special = c == w->element || c == w->component || c == w->terminator || c == w->release ||
		               (w->repetition && c == w->repetition);
		if (special && w->release)
			van_buf_append_char(&w->text, w->release);
		van_buf_append_char(&w->text, special && !w->release ? ' ' : c);
	}
}

void ack_slot(struct ack_writer *w, enum edi_level level, uint32_t index, uint32_t width)
{
	flush(w);
	struct edi_output_part *part = add_part(w);
	if (part)
		*part = (struct edi_output_part){.bytes = SLICE_NONE, .level = level, .index = index, .width = width};
}

void ack_number(struct ack_writer *w, uint64_t n)
{
	van_buf_printf(&w->text, "%" PRIu64, n);
}

void ack_digits(struct ack_writer *w, uint64_t n, int width)
{
	van_buf_printf(&w->text, "%0*" PRIu64, width, n);
}

void ack_padded(struct ack_writer *w, struct slice s, size_t width)
{
	ack_slice(w, s);
	for (size_t i = s.n; i < width; i++)
		van_buf_append_char(&w->text, ' ');
}

void ack_separator(struct ack_writer *w)
{
	van_buf_append_char(&w->text, w->element);
}

void ack_end(struct ack_writer *w)
{
	van_buf_append_char(&w->text, w->terminator);
	if (w->options.lines && w->terminator != '\n')
		van_buf_append_char(&w->text, '\n');
	w->segments++;
}

struct slice ack_qualifier(struct slice party)
{
	return slice_cut(&party, ':');
}

struct slice ack_id(struct slice party, struct slice *ret_sub)
{
	slice_cut(&party, ':');
	struct slice rest = party.p ? party : SLICE("");
	if (!ret_sub)
		return rest;
	struct slice id = slice_cut(&rest, ':');
	*ret_sub = rest;
	return id;
}

void ack_codes(struct ack_writer *w, const struct edi_error *errors, const char *list, const char *first, unsigned max)
{
	char written[8][4] = {{0}};
	unsigned n = 0;
	if (max > sizeof written / sizeof *written)
		max = sizeof written / sizeof *written;
	if (first && max) {
		ack_separator(w);
		ack_text(w, first);
		snprintf(written[n++], sizeof *written, "%s", first);
	}
	for (const struct edi_error *e = errors; e && n < max; e = e->next) {
		bool again = strcmp(e->list, list) != 0;
		for (unsigned i = 0; i < n; i++)
			again = again || strcmp(written[i], e->code) == 0;
		if (again)
			continue;
		ack_separator(w);
		ack_text(w, e->code);
		memcpy(written[n++], e->code, sizeof e->code);
	}
}

bool ack_refused(const struct edi_error *errors)
{
	while (errors && errors->tolerated)
		errors = errors->next;
	return errors != NULL;
}

bool ack_wanted(const struct edi_group *g)
{
	const struct edi_message *m = g->messages;
	while (m && m->acknowledgement)
		m = m->next;
	return (m || !g->messages) && !slice_is(g->code, "FA");
}

int edi_ack_write(const struct edi_interchange *i, const struct edi_ack_options *options, van_time now, struct van_arena *arena,
	struct edi_output *ret, struct van_error *e)
{
	if (i->standard != EDI_X12 && i->standard != EDI_EDIFACT)
		return van_error_set(e, VAN_EINVAL, "only X12 and EDIFACT interchanges can be acknowledged");
	*ret = (struct edi_output){.type = SLICE(""), .version = SLICE("")};
	if (i->standard == EDI_EDIFACT && options && options->refusal &&
	    !edi_0085_has(slice_str(options->refusal), slice_ends(i->version, ":4")))
		return van_error_set(e, VAN_EINVAL, "CONTRL has no code %s for a refusal in this syntax version", options->refusal);
	if (!i->control_number.n || !ack_id(i->sender, NULL).n || !ack_id(i->receiver, NULL).n)
		return 0; /* nobody to address, or nothing to refer to */
	struct ack_writer w = {.in = i, .arena = arena, .text = VAN_BUF_INIT(LARGEST_ACK), .out = {.type = SLICE(""), .version = SLICE("")}};
	if (options)
		w.options = *options;
	w.when = van_time_civil(now + (van_time)w.options.offset_minutes * 60 * VAN_SECOND);
	w.element = i->delimiters.element;
	w.terminator = (unsigned char)i->delimiters.terminator >= 0x80 ? '~' : i->delimiters.terminator; /* not half a character */
	if (i->standard == EDI_X12)
		ack_write_x12(&w);
	else
		ack_write_edifact(&w);
	flush(&w);
	van_buf_free(&w.text);
	if (w.error)
		return van_error_set(e, (enum van_err)w.error, "no memory for the acknowledgement");
	*ret = w.out;
	return 0;
}

int edi_output_render(const struct edi_output *o, const uint32_t *interchange, const uint32_t *group, struct van_buf *to)
{
	for (size_t i = 0; i < o->part_count; i++) {
		const struct edi_output_part *p = &o->parts[i];
		if (p->bytes.p) {
			van_buf_append_slice(to, p->bytes);
			continue;
		}
		uint32_t number = p->level == EDI_LEVEL_INTERCHANGE ? interchange[p->index] : group[p->index];
		char digits[16];
		int n = snprintf(digits, sizeof digits, "%0*u", (int)(p->width < 10 ? p->width : 10), number);
		if (!number || (p->width && n > (int)p->width))
			return VAN_EINVAL;
		van_buf_append(to, digits, (size_t)n);
	}
	return van_buf_error(to);
}
