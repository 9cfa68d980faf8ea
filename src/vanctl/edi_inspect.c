/* vanctl edi inspect: two passes over the file. The first finds the errors, the second prints each segment with its
 * names and the errors that are at it. */
#include "vanctl/edi_command.h"

#include "base/record.h"
#include "edi/definition.h"
#include "edi/envelope.h"

#include <inttypes.h>
#include <stdio.h>

#define REPORT_MEMORY ((size_t)512 << 20)
#define FLUSH_AT ((size_t)64 << 10)

struct inspect {
	const struct edi_command *c;
	const struct edi_dictionary_set *set;
	const struct edi_interchange *interchange; /* of the report, in step with the segments */
	const struct edi_group *group;
	const struct edi_message *message;
	const struct edi_dictionary *dictionary;
	struct edi_envelope envelope;
	struct van_buf out;
	bool first;
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

/* Is the error at this segment, and at this element of it? element 0: at the segment itself. */
static bool error_at(const struct edi_error *e, const struct edi_segment *s, uint64_t position, uint32_t element)
{
	if (e->position && position ? e->position != position : !slice_eq(e->segment, edi_segment_element(s, 0)))
		return false;
	return e->element == element;
}

static void text_errors(struct inspect *x, const struct edi_segment *s, uint64_t position, uint32_t element)
{
	for (const struct edi_error *e = errors_here(x, s); e; e = e->next)
		if (error_at(e, s, position, element))
			van_buf_printf(&x->out, "%s! %s %s %.*s: %.*s\n", element ? "           " : "     ", e->list, e->code, SLICE_ARG(e->segment),
				SLICE_ARG(e->text));
}

static void print_text(struct inspect *x, const struct edi_segment *s, uint64_t position, const struct edi_segment_def *def)
{
	struct slice id = edi_segment_element(s, 0);
	if (position)
		van_buf_printf(&x->out, "%5" PRIu64 " %.*s", position, SLICE_ARG(id));
	else
		van_buf_printf(&x->out, "      %.*s", SLICE_ARG(id));
	if (def && def->name.n)
		van_buf_printf(&x->out, "  %.*s", SLICE_ARG(def->name));
	van_buf_append_char(&x->out, '\n');
	text_errors(x, s, position, 0);
	uint32_t last = s->count;
	for (const struct edi_error *e = errors_here(x, s); e; e = e->next)
		if (error_at(e, s, position, e->element) && e->element >= last)
			last = e->element + 1; /* elements that are missing at the end */
	for (uint32_t i = 1; i < last; i++) {
		struct slice value = edi_segment_element(s, i);
		const struct edi_element_def *element = def && i <= def->count ? def->fields[i - 1].element : NULL;
		if (value.n)
			van_buf_printf(&x->out, "        %.*s%02u  %.*s%s%.*s%s\n", SLICE_ARG(id), i, SLICE_ARG(value),
				element && element->name.n ? "  (" : "", SLICE_ARG(element ? element->name : SLICE_NONE),
				element && element->name.n ? ")" : "");
		text_errors(x, s, position, i);
	}
}

static void json_errors(struct inspect *x, const struct edi_segment *s, uint64_t position, uint32_t element)
{
	bool first = true;
	van_buf_append_str(&x->out, ",\"errors\":[");
	for (const struct edi_error *e = errors_here(x, s); e; e = e->next) {
		if (!error_at(e, s, position, element))
			continue;
		van_buf_printf(&x->out, "%s{\"list\":\"%s\",\"code\":\"%s\",\"component\":%u,\"text\":", first ? "" : ",", e->list, e->code,
			e->component);
		json_put_text(&x->out, e->text);
		van_buf_append_char(&x->out, '}');
		first = false;
	}
	van_buf_append_char(&x->out, ']');
}

static void print_json(struct inspect *x, const struct edi_segment *s, uint64_t position, const struct edi_segment_def *def)
{
	van_buf_append_str(&x->out, x->first ? "\n{\"segment\":" : ",\n{\"segment\":");
	x->first = false;
	json_put_text(&x->out, edi_segment_element(s, 0));
	van_buf_append_str(&x->out, ",\"name\":");
	json_put_text(&x->out, def && def->name.n ? def->name : SLICE_NONE);
	van_buf_printf(&x->out, ",\"position\":%" PRIu64 ",\"offset\":%" PRIu64, position, s->offset);
	json_errors(x, s, position, 0);
	van_buf_append_str(&x->out, ",\"elements\":[");
	for (uint32_t i = 1; i < s->count; i++) {
		const struct edi_element_def *element = def && i <= def->count ? def->fields[i - 1].element : NULL;
		van_buf_printf(&x->out, "%s{\"element\":%u,\"name\":", i > 1 ? "," : "", i);
		json_put_text(&x->out, element && element->name.n ? element->name : SLICE_NONE);
		van_buf_append_str(&x->out, ",\"value\":");
		json_put_text(&x->out, edi_segment_element(s, i));
		json_errors(x, s, position, i);
		van_buf_append_char(&x->out, '}');
	}
	van_buf_append_str(&x->out, "]}");
}

static void print(struct inspect *x, const struct edi_segment *s, uint64_t position)
{
	const struct edi_segment_def *def = x->dictionary ? edi_find_segment(x->dictionary, edi_segment_element(s, 0)) : NULL;
	if (x->c->json)
		print_json(x, s, position, def);
	else
		print_text(x, s, position, def);
}

/* Keeps in step with the report: the n-th interchange, group and message of both are the same. */
static int on_event(void *ctx, enum edi_event event, const struct edi_envelope *e, const struct edi_segment *s)
{
	struct inspect *x = ctx;
	switch (event) {
	case EDI_EVENT_INTERCHANGE: x->group = x->interchange ? x->interchange->groups : NULL; break;
	case EDI_EVENT_GROUP: x->message = x->group ? x->group->messages : NULL; break;
	case EDI_EVENT_MESSAGE: {
		const struct edi_message_def *def = x->message ? edi_dictionary_find(x->set, x->interchange->standard, x->message->version,
			x->message->type) : NULL;
		x->dictionary = def ? def->dictionary : NULL;
		return 0; /* its SEGMENT event follows */
	}
	case EDI_EVENT_SEGMENT: print(x, s, e->position); return room(x);
	case EDI_EVENT_MESSAGE_END:
		x->message = x->message ? x->message->next : NULL;
		x->dictionary = NULL;
		return 0;
	case EDI_EVENT_SERVICE: break;
	case EDI_EVENT_GROUP_END:
	case EDI_EVENT_INTERCHANGE_END: break;
	}
	if (s)
		print(x, s, 0);
	if (event == EDI_EVENT_GROUP_END)
		x->group = x->group ? x->group->next : NULL;
	if (event == EDI_EVENT_INTERCHANGE_END)
		x->interchange = x->interchange ? x->interchange->next : NULL;
	return room(x);
}

static int second_pass(struct inspect *x, struct slice in)
{
	x->envelope = (struct edi_envelope){.on_event = on_event, .ctx = x};
	struct edi_lexer *lexer = edi_lexer_new(NULL, edi_envelope_segment, &x->envelope);
	int rc = lexer ? edi_lexer_feed(lexer, in, true) : VAN_ENOMEM;
	if (rc == 0)
		rc = edi_envelope_finish(&x->envelope);
	edi_lexer_free(lexer);
	edi_envelope_free(&x->envelope);
	return rc;
}

int edi_run_inspect(const struct edi_command *c)
{
	struct edi_dictionary_set *set = edi_dictionaries();
	struct van_arena *arena = van_arena_new(REPORT_MEMORY);
	struct van_buf in = {0};
	struct edi_report *r = NULL;
	struct van_error e = {0};
	int status = set && arena ? edi_read(c, &in) : EDI_USAGE;
	if (status == EDI_DONE && edi_check_bytes(van_buf_slice(&in), set, NULL, arena, &r, &e) < 0)
		status = edi_fail(EDI_USAGE, "%s: %s", c->file, e.text);
	struct inspect x = {.c = c, .set = set, .out = VAN_BUF_INIT((size_t)64 << 20), .first = true};
	if (status == EDI_DONE) {
		x.interchange = r->interchanges;
		van_buf_append_str(&x.out, c->json ? "[" : "");
		int rc = second_pass(&x, van_buf_slice(&in));
		van_buf_append_str(&x.out, c->json ? "\n]\n" : "");
		if (rc < 0 || edi_flush(&x.out) < 0)
			status = edi_fail(EDI_USAGE, "%s: %s", c->file, van_err_name(rc < 0 ? rc : VAN_EIO));
		else if (!r->interchanges)
			status = edi_fail(EDI_NO, "%s: %.*s", c->file, SLICE_ARG(r->errors->text));
	}
	van_buf_free(&x.out);
	van_buf_free(&in);
	van_arena_free(arena);
	edi_dictionary_set_free(set);
	return status;
}
