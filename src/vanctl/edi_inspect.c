/* vanctl edi inspect: two passes over the file. The first finds the errors, the second prints each segment with its
 * names and the errors that are at it. */
#include "vanctl/edi_command.h"

#include "base/record.h"
#include "edi/code_extension.h"
#include "edi/definition.h"
#include "edi/envelope.h"

#include <inttypes.h>
#include <stdio.h>

#define REPORT_MEMORY ((size_t)512 << 20)
#define FLUSH_AT ((size_t)64 << 10)

struct inspect {
	const struct edi_command *c;
	struct edi_dictionary_set *set;
	const struct edi_interchange *interchange; /* of the report, in step with the segments */
	const struct edi_group *group;
	const struct edi_message *message;
	const struct edi_message_def *def;         /* of the message at hand; NULL: not known, or between messages */
	struct edi_envelope envelope;
	struct van_error e;
	struct van_buf out, value, text;
	bool first;
};

/* What is printed now. */
struct spot {
	const struct edi_segment *segment;
	const struct edi_segment_def *def; /* NULL: no names */
	const struct edi_error *errors;    /* those of the segment are among them */
	uint64_t position;                 /* 0: between messages */
	uint32_t element, repetition;      /* repetition 0: the element does not repeat */
	const struct edi_field *field;     /* NULL: no definition */
};

/* A value, without release characters, and what is known of it. */
struct described {
	const struct edi_element_def *element;
	struct slice name, value, meaning;
};

static int room(struct inspect *x)
{
	return x->out.n < FLUSH_AT ? van_buf_error(&x->out) : edi_flush(&x->out);
}

static const struct edi_error *errors_here(const struct inspect *x, const struct edi_segment *s)
{
	if (edi_segment_is(s, "ISA") || edi_segment_is(s, "IEA") || edi_segment_is(s, "UNB") || edi_segment_is(s, "UNZ"))
		return x->interchange ? x->interchange->errors : NULL;
	if (edi_segment_is(s, "GS") || edi_segment_is(s, "GE") || edi_segment_is(s, "UNG") || edi_segment_is(s, "UNE"))
		return x->group ? x->group->errors : NULL;
	return x->message ? x->message->errors : NULL;
}

static bool is_one_of(struct slice id, const char *const *ids)
{
	while (*ids && !slice_is(id, *ids))
		ids++;
	return *ids != NULL;
}

/* What has no segment of its own to stand beside is told at the first of its interchange or group: a trailer that is missing, and of
 * the interchange's errors those of other segments (GS, TA1, what stands outside of messages), for they don't say of which one. */
static bool told_at_head(const struct edi_error *e, const struct spot *at)
{
	static const char *const heads[] = {"ISA", "UNB", "GS", "UNG", NULL}, *const groups[] = {"GS", "UNG", NULL};
	static const char *const trailers[] = {"IEA", "UNZ", "GE", "UNE", NULL}, *const own[] = {"ISA", "IEA", "UNB", "UNZ", NULL};
	static const char *const missing[] = {"023", "3", "13", NULL};
	struct slice id = edi_segment_element(at->segment, 0);
	if (at->position || !is_one_of(id, heads))
		return false;
	if (!e->element && is_one_of(e->segment, trailers) && is_one_of(slice_str(e->code), missing))
		return true;
	return !is_one_of(id, groups) && !is_one_of(e->segment, own);
}

/* Is the error at this segment, and at this element of it? element 0: at the segment itself. */
static bool error_at(const struct edi_error *e, const struct spot *at, uint32_t element)
{
	if (told_at_head(e, at))
		return element == 0;
	if (e->position && at->position ? e->position != at->position : !slice_eq(e->segment, edi_segment_element(at->segment, 0)))
		return false;
	return e->element == element;
}

/* In the same element: at this repetition and component? Both count from 1, and 0 is the whole. */
static bool error_within(const struct edi_error *e, const struct spot *at, uint32_t component)
{
	uint32_t repetition = e->repetition ? e->repetition : 1;
	return repetition == (at->repetition ? at->repetition : 1) && e->component == component;
}

static struct described describe(struct inspect *x, const struct spot *at, const struct edi_field *field, struct slice raw)
{
	struct described d = {.element = field ? field->element : NULL, .value = raw, .meaning = SLICE_NONE};
	van_buf_reset(&x->value);
	char *to = raw.n ? van_buf_reserve(&x->value, raw.n) : NULL;
	if (to)
		d.value = edi_unescape(raw, at->segment->delimiters->release, to);
	if (at->segment->delimiters->shifts && edi_shift_any(d.value)) {
		van_buf_reset(&x->text);
		edi_shift_to_utf8(d.value, &x->text);
		size_t n = 0;
		for (size_t i = 0; i < x->text.n; i++) /* not to the terminal: escape sequences that say more than the characters do */
			if (x->text.p[i] != EDI_ESC && x->text.p[i] != EDI_SO && x->text.p[i] != EDI_SI)
				x->text.p[n++] = x->text.p[i];
		d.value = slice_make(x->text.p, n);
	}
	d.name = d.element ? d.element->name : field && field->composite ? field->composite->name : SLICE_NONE;
	if (d.element && d.value.n)
		d.meaning = edi_dictionary_meaning(x->set, at->segment->standard, x->def, d.element->id, d.value);
	return d;
}

static const struct edi_field *component_field(const struct spot *at, uint32_t component)
{
	const struct edi_field *f = at->field;
	if (f && !f->composite)
		return component == 1 ? f : NULL;
	return f && component <= f->composite->count ? &f->composite->fields[component - 1] : NULL;
}

static bool has_components(const struct spot *at, struct slice value)
{
	const struct edi_delimiters *d = at->segment->delimiters;
	if (at->field && at->field->composite)
		return true;
	struct slice rest = value;
	edi_cut(&rest, d->component, d->release);
	return rest.p != NULL && !edi_segment_is(at->segment, "ISA");
}

/* The bytes of BIN and BDS are not printed. */
static bool is_binary(const struct spot *at)
{
	return at->element == edi_segment_binary(at->segment);
}

/* --- text -------------------------------------------------------------------------------------------------------------- */

static void text_error(struct inspect *x, const struct edi_error *e, bool of_element)
{
	van_buf_printf(&x->out, "%s! %s %s %.*s: %.*s\n", of_element ? "           " : "     ", e->list, e->code, SLICE_ARG(e->segment),
		SLICE_ARG(e->text));
}

static void text_errors(struct inspect *x, const struct spot *at, uint32_t component)
{
	for (const struct edi_error *e = at->errors; e; e = e->next)
		if (error_at(e, at, at->element) && error_within(e, at, component))
			text_error(x, e, true);
}

/* Errors at what is not there: a component behind the last, a repetition that was not begun. */
static void text_errors_beyond(struct inspect *x, const struct spot *at, uint32_t components)
{
	for (const struct edi_error *e = at->errors; e; e = e->next)
		if (error_at(e, at, at->element) && (e->repetition > (at->repetition ? at->repetition : 1) || e->component > components))
			text_error(x, e, true);
}

static void text_value(struct inspect *x, const struct spot *at, uint32_t component, const struct edi_field *field, struct slice raw)
{
	struct slice id = edi_segment_element(at->segment, 0);
	if (raw.n) {
		struct described d = describe(x, at, field, raw);
		van_buf_printf(&x->out, "        %.*s%02u", SLICE_ARG(id), at->element);
		if (at->repetition)
			van_buf_printf(&x->out, "[%u]", at->repetition);
		if (component)
			van_buf_printf(&x->out, "-%u", component);
		if (is_binary(at))
			van_buf_printf(&x->out, "  %zu bytes", raw.n);
		else
			van_buf_printf(&x->out, "  %.*s", SLICE_ARG(d.value));
		if (d.name.n || d.meaning.n)
			van_buf_printf(&x->out, "  (%.*s%s%.*s)", SLICE_ARG(d.name), d.name.n && d.meaning.n ? ": " : "", SLICE_ARG(d.meaning));
		van_buf_append_char(&x->out, '\n');
	}
	text_errors(x, at, component);
}

static void text_repetition(struct inspect *x, const struct spot *at, struct slice raw, bool last)
{
	const struct edi_delimiters *d = at->segment->delimiters;
	uint32_t component = 0;
	if (is_binary(at) || !has_components(at, raw)) {
		text_value(x, at, 0, component_field(at, 1), raw);
		text_errors(x, at, component = 1);
	} else {
		text_errors(x, at, 0);
		while (raw.p) {
			component++;
			text_value(x, at, component, component_field(at, component), edi_cut(&raw, d->component, d->release));
		}
	}
	if (last)
		text_errors_beyond(x, at, component);
}

static void text_segment(struct inspect *x, const struct spot *at)
{
	if (at->position)
		van_buf_printf(&x->out, "%5" PRIu64 " %.*s", at->position, SLICE_ARG(edi_segment_element(at->segment, 0)));
	else
		van_buf_printf(&x->out, "      %.*s", SLICE_ARG(edi_segment_element(at->segment, 0)));
	if (at->def && at->def->name.n)
		van_buf_printf(&x->out, "  %.*s", SLICE_ARG(at->def->name));
	van_buf_append_char(&x->out, '\n');
	for (const struct edi_error *e = at->errors; e; e = e->next)
		if (error_at(e, at, 0))
			text_error(x, e, false);
}

/* --- JSON -------------------------------------------------------------------------------------------------------------- */

static void json_member(struct inspect *x, const char *name, struct slice value)
{
	van_buf_printf(&x->out, ",\"%s\":", name);
	json_put_text(&x->out, value.n ? value : SLICE_NONE);
}

/* component: that one; UINT32_MAX: all that are at the element but at none of its first `components`. */
static void json_errors(struct inspect *x, const struct spot *at, uint32_t component, uint32_t components, bool last)
{
	bool first = true;
	van_buf_append_str(&x->out, ",\"errors\":[");
	for (const struct edi_error *e = at->errors; e; e = e->next) {
		bool here = error_at(e, at, at->element) && (!at->element || error_within(e, at, component) ||
			(last && (e->component > components || e->repetition > (at->repetition ? at->repetition : 1))));
		if (!here)
			continue;
		van_buf_printf(&x->out, "%s{\"list\":\"%s\",\"code\":\"%s\",\"repetition\":%u,\"component\":%u,\"segment\":", first ? "" : ",",
			e->list, e->code, e->repetition, e->component);
		json_put_text(&x->out, e->segment);
		van_buf_append_str(&x->out, ",\"text\":");
		json_put_text(&x->out, e->text);
		van_buf_append_char(&x->out, '}');
		first = false;
	}
	van_buf_append_char(&x->out, ']');
}

static void json_value(struct inspect *x, const struct spot *at, const struct edi_field *field, struct slice raw)
{
	struct described d = describe(x, at, field, raw);
	json_member(x, "id", field ? field->id : SLICE_NONE);
	json_member(x, "name", d.name);
	van_buf_append_str(&x->out, ",\"value\":");
	json_put_text(&x->out, is_binary(at) ? SLICE_NONE : d.value);
	if (is_binary(at))
		van_buf_printf(&x->out, ",\"bytes\":%zu", raw.n);
	json_member(x, "meaning", d.meaning);
}

static uint32_t json_components(struct inspect *x, const struct spot *at, struct slice raw)
{
	const struct edi_delimiters *d = at->segment->delimiters;
	uint32_t n = 0;
	van_buf_append_str(&x->out, ",\"components\":[");
	while (raw.p) {
		struct slice value = edi_cut(&raw, d->component, d->release);
		n++;
		van_buf_printf(&x->out, "%s{\"component\":%u", n > 1 ? "," : "", n);
		json_value(x, at, component_field(at, n), value);
		json_errors(x, at, n, n, false);
		van_buf_append_char(&x->out, '}');
	}
	van_buf_append_char(&x->out, ']');
	return n;
}

static void json_repetition(struct inspect *x, const struct spot *at, struct slice raw, bool last)
{
	bool parts = raw.p && !is_binary(at) && has_components(at, raw);
	van_buf_printf(&x->out, "%s{\"element\":%u,\"repetition\":%u", x->first ? "" : ",", at->element, at->repetition);
	x->first = false;
	if (!parts) {
		json_value(x, at, at->field, raw);
		json_errors(x, at, 0, 0, last);
	} else {
		json_member(x, "id", at->field ? at->field->id : SLICE_NONE);
		json_member(x, "name", at->field && at->field->composite ? at->field->composite->name : SLICE_NONE);
		van_buf_append_str(&x->out, ",\"value\":");
		json_put_text(&x->out, raw);
		json_member(x, "meaning", SLICE_NONE);
		uint32_t n = json_components(x, at, raw);
		json_errors(x, at, 0, n, last);
	}
	van_buf_append_char(&x->out, '}');
}

static void json_segment(struct inspect *x, const struct spot *at)
{
	van_buf_append_str(&x->out, x->first ? "\n{\"segment\":" : ",\n{\"segment\":");
	json_put_text(&x->out, edi_segment_element(at->segment, 0));
	json_member(x, "name", at->def ? at->def->name : SLICE_NONE);
	van_buf_printf(&x->out, ",\"position\":%" PRIu64 ",\"offset\":%" PRIu64, at->position, at->segment->offset);
	json_errors(x, at, 0, 0, false);
	van_buf_append_str(&x->out, ",\"elements\":[");
	x->first = true;
}

/* --- both -------------------------------------------------------------------------------------------------------------- */

/* How many elements are printed: those that are there, and those behind them that an error is at. */
static uint32_t elements_shown(const struct spot *at)
{
	uint32_t last = at->segment->count;
	for (const struct edi_error *e = at->errors; e; e = e->next)
		if (error_at(e, at, e->element) && e->element >= last)
			last = e->element + 1;
	return last;
}

static void print_element(struct inspect *x, struct spot *at)
{
	const struct edi_delimiters *d = at->segment->delimiters;
	struct slice rest = edi_segment_element(at->segment, at->element);
	bool whole = is_binary(at) || edi_segment_is(at->segment, "ISA") || !d->repetition;
	at->field = at->def && at->element <= at->def->count ? &at->def->fields[at->element - 1] : NULL;
	at->repetition = 0;
	do {
		struct slice one = rest.p && !whole ? edi_cut(&rest, d->repetition, d->release) : rest;
		if (whole)
			rest = SLICE_NONE;
		if (rest.p || at->repetition)
			at->repetition++;
		if (x->c->json)
			json_repetition(x, at, one, !rest.p);
		else
			text_repetition(x, at, one, !rest.p);
	} while (rest.p);
}

static int print(struct inspect *x, const struct edi_segment *s, uint64_t position)
{
	struct spot at = {.segment = s, .position = position, .errors = errors_here(x, s)};
	int rc = edi_dictionary_segment(x->set, s->standard, position ? x->def : NULL, edi_segment_element(s, 0), &at.def, &x->e);
	if (rc < 0)
		return rc;
	if (x->c->json)
		json_segment(x, &at);
	else
		text_segment(x, &at);
	uint32_t end = elements_shown(&at);
	for (at.element = 1; at.element < end; at.element++)
		print_element(x, &at);
	if (x->c->json)
		van_buf_append_str(&x->out, "]}");
	x->first = false;
	return room(x);
}

/* Keeps in step with the report: the n-th interchange, group and message of both are the same. */
static int on_event(void *ctx, enum edi_event event, const struct edi_envelope *e, const struct edi_segment *s)
{
	struct inspect *x = ctx;
	switch (event) {
	case EDI_EVENT_INTERCHANGE: x->group = x->interchange ? x->interchange->groups : NULL; break;
	case EDI_EVENT_GROUP: x->message = x->group ? x->group->messages : NULL; break;
	case EDI_EVENT_MESSAGE:
		x->def = NULL;
		return !x->message ? 0 : edi_dictionary_find(x->set, x->interchange->standard, x->message->version, x->message->type, &x->def,
			&x->e); /* its SEGMENT event follows */
	case EDI_EVENT_SEGMENT: return print(x, s, e->position);
	case EDI_EVENT_MESSAGE_END:
		x->message = x->message ? x->message->next : NULL;
		x->def = NULL;
		return 0;
	case EDI_EVENT_SERVICE: break;
	case EDI_EVENT_GROUP_END:
	case EDI_EVENT_INTERCHANGE_END: break;
	}
	int rc = s ? print(x, s, 0) : 0;
	if (event == EDI_EVENT_GROUP_END)
		x->group = x->group ? x->group->next : NULL;
	if (event == EDI_EVENT_INTERCHANGE_END)
		x->interchange = x->interchange ? x->interchange->next : NULL;
	return rc;
}

static int second_pass(struct inspect *x, struct slice in)
{
	x->envelope = (struct edi_envelope){.on_event = on_event, .ctx = x};
	struct edi_lexer *lexer = edi_lexer_new(NULL, edi_envelope_segment, &x->envelope);
	int rc = lexer ? edi_lexer_feed(lexer, in, true) : VAN_ENOMEM;
	struct edi_lexer_counts counts = lexer ? edi_lexer_counts(lexer) : (struct edi_lexer_counts){0};
	if (rc == 0)
		rc = edi_envelope_finish(&x->envelope, &counts);
	edi_lexer_free(lexer);
	edi_envelope_free(&x->envelope);
	return rc;
}

int edi_run_inspect(const struct edi_command *c)
{
	struct edi_dictionary_set *set = edi_dictionaries(c);
	struct van_arena *arena = van_arena_new(REPORT_MEMORY);
	struct van_buf in = {0};
	struct edi_report *r = NULL;
	struct van_error e = {0};
	int status = set && arena ? edi_read(c, &in) : EDI_USAGE;
	if (set)
		edi_dictionary_set_explain(set);
	struct edi_check_options options = edi_options(c);
	if (status == EDI_DONE && edi_check_bytes(van_buf_slice(&in), set, &options, arena, &r, &e) < 0)
		status = edi_fail(EDI_USAGE, "%s: %s", c->file, e.text);
	struct inspect x = {.c = c, .set = set, .out = VAN_BUF_INIT((size_t)64 << 20), .value = VAN_BUF_INIT((size_t)16 << 20), .text = VAN_BUF_INIT((size_t)64 << 20), .first = true};
	if (status == EDI_DONE) {
		x.interchange = r->interchanges;
		van_buf_append_str(&x.out, c->json ? "[" : "");
		int rc = second_pass(&x, van_buf_slice(&in));
		van_buf_append_str(&x.out, c->json ? "\n]\n" : "");
		if (rc < 0 || edi_flush(&x.out) < 0)
			status = edi_fail(EDI_USAGE, "%s: %s", c->file, x.e.code ? x.e.text : van_err_name(rc < 0 ? rc : VAN_EIO));
		else if (!r->interchanges)
			status = edi_fail(EDI_NO, "%s: %.*s", c->file, SLICE_ARG(r->errors->text));
	}
	van_buf_free(&x.out);
	van_buf_free(&x.value);
	van_buf_free(&x.text);
	van_buf_free(&in);
	van_arena_free(arena);
	edi_dictionary_set_free(set);
	return status;
}
