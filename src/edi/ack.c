/* Text and slots of acknowledgements, and the order in which they are written; the standards' own forms are in ack_x12.c
 * and ack_edifact.c. */
#include "edi/ack_private.h"

#include "edi/validate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGEST_ACK ((size_t)256 << 20)

static void latch(struct ack_writer *w, int rc)
{
	if (rc < 0 && !w->error)
		w->error = rc;
}

/* --- text -------------------------------------------------------------------------------------------------------------- */

void ack_text(struct ack_writer *w, const char *z)
{
	van_buf_append_str(&w->to->text, z);
}

void ack_char(struct ack_writer *w, char c)
{
	van_buf_append_char(&w->to->text, c);
}

/* Values are written as they are in X12, which has no release character; EDIFACT's separators are escaped, and a blank stands
 * for what no level of its syntax holds. */
void ack_slice(struct ack_writer *w, struct slice s)
{
	const bool edifact = w->in->standard == EDI_EDIFACT, utf8 = edifact && edi_charset_is_utf8(w->edifact.declared);
	const unsigned first_high = utf8 ? edi_utf8_valid(s) ? 0x80 : 0x100 : 0xa0; /* of the bytes above 0x7f that are characters */
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned char byte = (unsigned char)c;
		bool foreign = edifact && (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && byte < first_high));
		bool special = c == w->element || c == w->component || c == w->terminator || c == w->release ||
		               (w->repetition && c == w->repetition);
		if (special && w->release)
			ack_char(w, w->release);
		ack_char(w, (special && !w->release) || (foreign && !special) ? ' ' : c);
	}
}

void ack_slot(struct ack_writer *w, enum edi_level level, uint32_t index, uint32_t width)
{
	struct ack_piece *p = w->to;
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : 16;
		struct ack_slot *more = realloc(p->slots, room * sizeof *more);
		if (!more) {
			latch(w, VAN_ENOMEM);
			return;
		}
		p->slots = more;
		p->room = room;
	}
	p->slots[p->n++] = (struct ack_slot){p->text.n, level, index, width};
}

void ack_number(struct ack_writer *w, uint64_t n)
{
	ack_digits(w, n, 1);
}

void ack_digits(struct ack_writer *w, uint64_t n, int width)
{
	char digits[24], *p = digits + sizeof digits;
	for (; n || width > 0; n /= 10, width--)
		*--p = (char)('0' + n % 10);
	van_buf_append(&w->to->text, p, (size_t)(digits + sizeof digits - p));
}

void ack_padded(struct ack_writer *w, struct slice s, size_t width)
{
	ack_slice(w, s);
	for (size_t i = s.n; i < width; i++)
		ack_char(w, ' ');
}

void ack_separator(struct ack_writer *w)
{
	ack_char(w, w->element);
}

void ack_element(struct ack_writer *w, struct slice value)
{
	ack_separator(w);
	ack_slice(w, value);
}

void ack_end(struct ack_writer *w)
{
	ack_char(w, w->terminator);
	if (w->options.lines && w->terminator != '\n')
		ack_char(w, '\n');
	w->segments++;
}

void ack_move_up(struct ack_writer *w, size_t at, size_t from)
{
	struct van_buf *b = &w->to->text;
	size_t n = b->n - from;
	char *p = van_buf_reserve(b, n);
	if (!p)
		return;
	memcpy(p, b->p + from, n);
	memmove(b->p + at + n, b->p + at, from - at);
	memcpy(b->p + at, b->p + b->n, n);
}

void ack_drop_group(struct ack_writer *w)
{
	if (!van_buf_error(&w->body.text))
		w->body.text.n = w->group_at;
	w->body.n = w->group_slots;
	w->segments = w->group_segments;
}

void ack_drop_body(struct ack_writer *w)
{
	w->group_at = w->group_slots = 0;
	w->group_segments = 0;
	ack_drop_group(w);
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

const struct edi_error *ack_refusal(const struct edi_error *errors)
{
	while (errors && errors->tolerated)
		errors = errors->next;
	return errors;
}

/* --- the order of things ----------------------------------------------------------------------------------------------- */

static void writer_init(struct ack_writer *w, const struct edi_ack_options *options, van_time now)
{
	*w = (struct ack_writer){.head.text = VAN_BUF_INIT(LARGEST_ACK), .body.text = VAN_BUF_INIT(LARGEST_ACK)};
	if (options)
		w->options = *options;
	w->when = van_time_civil(now + (van_time)w->options.offset_minutes * 60 * VAN_SECOND);
}

static void writer_free(struct ack_writer *w)
{
	van_buf_free(&w->head.text);
	van_buf_free(&w->body.text);
	free(w->head.slots);
	free(w->body.slots);
}

static bool x12(const struct ack_writer *w)
{
	return w->in->standard == EDI_X12;
}

static void take_delimiters(struct ack_writer *w)
{
	const struct edi_delimiters *o = &w->options.delimiters;
	w->given = (struct edi_delimiters){
		.element = o->element ? o->element : w->in->delimiters.element,
		.component = o->component ? o->component : w->in->delimiters.component,
		.repetition = o->repetition ? o->repetition : w->in->delimiters.repetition,
		.release = o->release ? o->release : w->in->delimiters.release,
		.terminator = o->terminator ? o->terminator : w->in->delimiters.terminator,
	};
}

static void begin(struct ack_writer *w, const struct edi_interchange *i)
{
	w->in = i;
	w->out = (struct edi_output){.type = SLICE(""), .version = SLICE("")};
	van_buf_reset(&w->head.text);
	van_buf_reset(&w->body.text);
	w->head.n = w->body.n = 0;
	w->to = &w->body;
	w->segments = 0;
	w->any = w->others = w->wrong = false;
	take_delimiters(w);
	w->element = w->given.element;
	w->terminator = (unsigned char)w->given.terminator >= 0x80 ? '~' : w->given.terminator; /* not half a character */
	if (x12(w))
		ack_x12_begin(w);
	else
		ack_edifact_begin(w);
}

static void begin_group(struct ack_writer *w, const struct edi_group *g)
{
	w->group_at = w->body.text.n;
	w->group_slots = w->body.n;
	w->group_segments = w->segments;
	w->group_any = w->group_others = false;
	w->edifact.told = false;
	if (x12(w))
		ack_x12_group_begin(w, g);
}

static void tell_message(struct ack_writer *w, const struct edi_group *g, const struct edi_message *m)
{
	w->any = w->group_any = true;
	w->others |= !m->acknowledgement;
	w->group_others |= !m->acknowledgement;
	if (x12(w))
		ack_x12_message(w, g, m);
	else
		ack_edifact_message(w, g, m);
}

static void end_group(struct ack_writer *w, const struct edi_group *g)
{
	w->wrong |= g->errors != NULL;
	if (x12(w))
		ack_x12_group_end(w, g);
	else
		ack_edifact_group_end(w, g);
}

/* Literal bytes and slots in turn. */
static void add_parts(struct ack_writer *w, const struct ack_piece *p)
{
	struct slice text = van_buf_slice(&p->text);
	size_t at = 0;
	for (size_t i = 0; i <= p->n; i++) {
		size_t end = i < p->n ? p->slots[i].at : text.n;
		if (end > at)
			w->out.parts[w->out.part_count++] = (struct edi_output_part){.bytes = slice_make(text.p + at, end - at)};
		if (i < p->n)
			w->out.parts[w->out.part_count++] = (struct edi_output_part){.bytes = SLICE_NONE, .level = p->slots[i].level,
				.index = p->slots[i].index, .width = p->slots[i].width};
		at = end;
	}
}

/* 0 or VAN_ENOMEM. The parts' bytes stay in the writer. */
static int end(struct ack_writer *w)
{
	struct slice sub, *cut = x12(w) ? NULL : &sub;
	if (!w->in->control_number.n || !ack_id(w->in->sender, cut).n || !ack_id(w->in->receiver, cut).n)
		return w->error; /* nobody to address, or nothing to refer to */
	if (x12(w))
		ack_x12_end(w);
	else
		ack_edifact_end(w);
	latch(w, van_buf_error(&w->head.text));
	latch(w, van_buf_error(&w->body.text));
	if (w->error || !w->out.type.n)
		return w->error;
	w->out.parts = van_arena_array(w->arena, 2 * (w->head.n + w->body.n) + 2, sizeof *w->out.parts);
	if (!w->out.parts)
		return VAN_ENOMEM;
	add_parts(w, &w->head);
	add_parts(w, &w->body);
	return 0;
}

static int check_options(const struct edi_interchange *i, const struct edi_ack_options *options, struct van_error *e)
{
	if (i->standard != EDI_X12 && i->standard != EDI_EDIFACT)
		return van_error_set(e, VAN_EINVAL, "only X12 and EDIFACT interchanges can be acknowledged");
	if (!options || !options->refusal)
		return 0;
	struct slice code = slice_str(options->refusal);
	if (i->standard == EDI_EDIFACT && !edi_0085_has(code, slice_ends(i->version, ":4")))
		return van_error_set(e, VAN_EINVAL, "CONTRL has no code %s for a refusal in this syntax version", options->refusal);
	unsigned long long number;
	if (i->standard == EDI_X12 && (code.n != 3 || !slice_u64(code, &number) || number < 1 || number > 31))
		return van_error_set(e, VAN_EINVAL, "TA1 has no code %s for a refusal", options->refusal);
	return 0;
}

/* The text moves to the arena: the writer goes. */
static int keep_text(struct ack_writer *w)
{
	for (size_t i = 0; i < w->out.part_count; i++) {
		struct edi_output_part *p = &w->out.parts[i];
		if (p->bytes.p && !(p->bytes = van_arena_slice(w->arena, p->bytes)).p)
			return VAN_ENOMEM;
	}
	return 0;
}

int edi_ack_write(const struct edi_interchange *i, const struct edi_ack_options *options, van_time now, struct van_arena *arena,
	struct edi_output *ret, struct van_error *e)
{
	int rc = check_options(i, options, e);
	*ret = (struct edi_output){.type = SLICE(""), .version = SLICE("")};
	if (rc < 0)
		return rc;
	struct ack_writer w;
	writer_init(&w, options, now);
	w.arena = arena;
	begin(&w, i);
	for (const struct edi_group *g = i->groups; g; g = g->next) {
		begin_group(&w, g);
		for (const struct edi_message *m = g->messages; m; m = m->next)
			tell_message(&w, g, m);
		end_group(&w, g);
	}
	rc = end(&w);
	if (rc == 0)
		rc = keep_text(&w);
	if (rc == 0 && w.out.version.n)
		w.out.version = van_arena_slice(arena, w.out.version);
	if (rc == 0)
		*ret = w.out;
	writer_free(&w);
	return rc < 0 ? van_error_set(e, (enum van_err)rc, "no memory for the acknowledgement") : 0;
}

/* --- while checking ---------------------------------------------------------------------------------------------------- */

struct edi_acknowledger {
	struct ack_writer writer;
	const struct edi_group *group;
	edi_ack_fn fn;
	void *ctx;
};

struct edi_acknowledger *edi_acknowledger_new(const struct edi_ack_options *options, van_time now, edi_ack_fn fn, void *ctx)
{
	struct edi_acknowledger *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	writer_init(&a->writer, options, now);
	a->writer.arena = van_arena_new(0);
	a->fn = fn;
	a->ctx = ctx;
	if (a->writer.arena)
		return a;
	edi_acknowledger_free(a);
	return NULL;
}

void edi_acknowledger_free(struct edi_acknowledger *a)
{
	if (!a)
		return;
	writer_free(&a->writer);
	van_arena_free(a->writer.arena);
	free(a);
}

static int on_interchange(void *ctx, const struct edi_interchange *i)
{
	struct edi_acknowledger *a = ctx;
	int rc = check_options(i, &a->writer.options, NULL);
	if (rc == 0)
		begin(&a->writer, i);
	return rc;
}

static int on_group(void *ctx, const struct edi_group *g)
{
	struct edi_acknowledger *a = ctx;
	a->group = g;
	begin_group(&a->writer, g);
	return a->writer.error;
}

static int on_message(void *ctx, const struct edi_message *m)
{
	struct edi_acknowledger *a = ctx;
	tell_message(&a->writer, a->group, m);
	return a->writer.error;
}

static int on_group_end(void *ctx, const struct edi_group *g)
{
	struct edi_acknowledger *a = ctx;
	end_group(&a->writer, g);
	return a->writer.error;
}

static int on_interchange_end(void *ctx, const struct edi_interchange *i)
{
	struct edi_acknowledger *a = ctx;
	(void)i;
	int rc = end(&a->writer);
	if (rc == 0 && a->writer.out.part_count)
		rc = a->fn(a->ctx, &a->writer.out);
	van_arena_reset(a->writer.arena);
	return rc;
}

struct edi_check_sink edi_acknowledger_sink(struct edi_acknowledger *a)
{
	return (struct edi_check_sink){on_interchange, on_group, on_message, on_group_end, on_interchange_end, a};
}

/* --- control numbers --------------------------------------------------------------------------------------------------- */

int edi_slot_render(const struct edi_output_part *p, uint32_t number, char to[static EDI_SLOT_MAX], size_t *ret_length)
{
	int n = snprintf(to, EDI_SLOT_MAX, "%0*" PRIu32, (int)(p->width < 10 ? p->width : 10), number);
	if (!number || (p->width && n > (int)p->width))
		return VAN_EINVAL;
	*ret_length = (size_t)n;
	return 0;
}

int edi_output_render(const struct edi_output *o, const uint32_t *interchange, const uint32_t *group, struct van_buf *to)
{
	for (size_t i = 0; i < o->part_count; i++) {
		const struct edi_output_part *p = &o->parts[i];
		char digits[EDI_SLOT_MAX];
		size_t n;
		if (p->bytes.p)
			van_buf_append_slice(to, p->bytes);
		else if (edi_slot_render(p, p->level == EDI_LEVEL_INTERCHANGE ? interchange[p->index] : group[p->index], digits, &n) == 0)
			van_buf_append(to, digits, n);
		else
			return VAN_EINVAL;
	}
	return van_buf_error(to);
}
