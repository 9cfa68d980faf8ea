/* The order in which acknowledgements are written, and what both standards' have in common; their own forms are in ack_x12.c and
 * ack_edifact.c. */
#include "edi/ack_private.h"

#include "base/utf8.h"
#include "edi/validate.h"

#include <stdio.h>
#include <stdlib.h>

#define LARGEST_ACK ((size_t)256 << 20)

static void latch(struct ack_writer *w, int rc)
{
	if (rc < 0 && !w->error)
		w->error = rc;
}

/* --- text -------------------------------------------------------------------------------------------------------------- */

void ack_to(struct ack_writer *w, struct edi_draft *draft)
{
	w->writer.to = &draft->text;
}

void ack_begin_writer(struct ack_writer *w, const struct edi_delimiters *d, const bool *foreign)
{
	edi_writer_begin(&w->writer, &w->body.text, w->in->standard, d);
	edi_writer_blank(&w->writer, foreign);
	w->writer.lines = w->options.lines;
}

/* Where the answer's bytes are UTF-8, a value's are so, or those above ASCII are blanks. */
static struct slice readable(struct ack_writer *w, struct slice s)
{
	if (w->in->standard != EDI_EDIFACT || !edi_charset_is_utf8(w->edifact.declared) || van_utf8_valid(s))
		return s;
	van_buf_reset(&w->readable);
	for (size_t i = 0; i < s.n; i++)
		van_buf_append_char(&w->readable, (unsigned char)s.p[i] >= 0x80 ? ' ' : s.p[i]);
	latch(w, van_buf_error(&w->readable));
	return van_buf_slice(&w->readable);
}

void ack_element(struct ack_writer *w, struct slice value)
{
	edi_write_element(&w->writer, readable(w, value));
}

void ack_component(struct ack_writer *w, struct slice value)
{
	edi_write_value(&w->writer, readable(w, value));
}

struct slice ack_party(struct ack_writer *w, char to[static PARTY_ROOM], struct slice qualifier, struct slice id, struct slice sub)
{
	const struct slice pieces[] = {ack_bounded(qualifier, 4), ack_bounded(id, 35), ack_bounded(sub, 35)};
	size_t n = 0;
	for (size_t i = 0; i < 3 && (i < 2 || sub.n); i++) {
		struct slice piece = readable(w, pieces[i]);
		if (i)
			to[n++] = ':';
		memcpy(to + n, piece.n ? piece.p : "", piece.n);
		n += piece.n;
	}
	return slice_make(to, n);
}

void ack_move_up(struct ack_writer *w, size_t at, size_t from)
{
	struct van_buf *b = w->writer.to;
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
	w->writer.segments = w->group_segments;
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
	*w = (struct ack_writer){.head = EDI_DRAFT_INIT(LARGEST_ACK), .body = EDI_DRAFT_INIT(LARGEST_ACK)};
	if (options)
		w->options = *options;
	w->when = van_time_civil(now + (van_time)w->options.offset_minutes * 60 * VAN_SECOND);
}

static void writer_free(struct ack_writer *w)
{
	edi_draft_free(&w->head);
	edi_draft_free(&w->body);
	van_buf_free(&w->readable);
}

static bool x12(const struct ack_writer *w)
{
	return w->in->standard == EDI_X12;
}

/* Of the interchange, or what the options have instead. */
static struct edi_delimiters given_delimiters(const struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	const struct edi_delimiters *o = &w->options.delimiters;
	char terminator = o->terminator ? o->terminator : in->delimiters.terminator;
	return (struct edi_delimiters){
		.element = o->element ? o->element : in->delimiters.element,
		.component = o->component ? o->component : in->delimiters.component,
		.repetition = o->repetition ? o->repetition : in->delimiters.repetition,
		.release = o->release ? o->release : in->delimiters.release,
		.terminator = (unsigned char)terminator >= 0x80 ? '~' : terminator, /* not half a character */
	};
}

static void begin(struct ack_writer *w, const struct edi_interchange *i)
{
	w->in = i;
	w->out = (struct edi_output){.type = SLICE(""), .version = SLICE("")};
	edi_draft_reset(&w->head);
	edi_draft_reset(&w->body);
	w->any = w->others = w->wrong = false;
	w->terms = (struct edi_outbound_terms){.standard = i->standard, .when = w->when,
		.usage = i->usage == 'T' || i->usage == 'I' ? i->usage : 'P'};
	if (x12(w))
		ack_x12_begin(w, given_delimiters(w));
	else
		ack_edifact_begin(w, given_delimiters(w));
}

static void begin_group(struct ack_writer *w, const struct edi_group *g)
{
	w->group_at = w->body.text.n;
	w->group_slots = w->body.n;
	w->group_segments = w->writer.segments;
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

/* X12 has no release character: of what is nothing but separators no byte would be left. */
static bool can_be_told(const struct ack_writer *w, struct slice s)
{
	bool any = false;
	for (size_t i = 0; i < s.n; i++)
		any |= !x12(w) || !w->writer.special[(unsigned char)s.p[i]];
	return any;
}

/* 0 or VAN_ENOMEM. The parts' bytes are the arena's where `copy`, else they stay in the writer. */
static int end(struct ack_writer *w, bool copy)
{
	const struct edi_draft *const drafts[] = {&w->head, &w->body};
	struct slice sub, *cut = x12(w) ? NULL : &sub;
	if (!can_be_told(w, w->in->control_number) || !can_be_told(w, ack_id(w->in->sender, cut)) || !can_be_told(w, ack_id(w->in->receiver, cut)))
		return w->error; /* nobody to address, or nothing to refer to */
	if (x12(w))
		ack_x12_end(w);
	else
		ack_edifact_end(w);
	latch(w, edi_writer_error(&w->writer, NULL));
	if (w->out.type.n)
		latch(w, edi_drafts_output(drafts, 2, copy, w->arena, &w->out));
	return w->error;
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
	rc = end(&w, true);
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
	int rc = end(&a->writer, false);
	if (rc == 0 && a->writer.out.part_count)
		rc = a->fn(a->ctx, &a->writer.out);
	van_arena_reset(a->writer.arena);
	return rc;
}

struct edi_check_sink edi_acknowledger_sink(struct edi_acknowledger *a)
{
	return (struct edi_check_sink){on_interchange, on_group, on_message, on_group_end, on_interchange_end, a};
}
