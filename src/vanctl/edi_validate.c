/* vanctl edi stats and validate: stream any size of file in little memory; JSON is written while it is read. */
#include "vanctl/edi_command.h"

#include "base/clock.h"
#include "base/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_TYPES 256
#define FLUSH_AT ((size_t)64 << 10)

struct output {
	const struct edi_command *c;
	struct van_buf text;
	bool any_interchange, any_group, any_message;
	uint64_t interchanges, groups, messages;
	uint64_t bad; /* levels that are not accepted */
	struct {
		char type[16], version[24];
		uint64_t count, bytes;
	} types[MAX_TYPES];
	size_t type_count;
};

static int room(struct output *o)
{
	return o->text.n < FLUSH_AT ? van_buf_error(&o->text) : edi_flush(&o->text);
}

/* In quotes; controls, which a terminal would obey, as dots. */
static void put_printable(struct van_buf *to, struct slice value)
{
	van_buf_append_str(to, " '");
	for (size_t i = 0; i < value.n; i++)
		van_buf_append_char(to, (unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f ? '.' : value.p[i]);
	van_buf_append_char(to, '\'');
}

static void errors_as_text(struct output *o, const struct edi_error *errors, const char *what, struct slice number)
{
	for (const struct edi_error *e = errors; e; e = e->next) {
		van_buf_printf(&o->text, "  %s %.*s", what, SLICE_ARG(number));
		if (e->position)
			van_buf_printf(&o->text, ", segment %" PRIu64, e->position);
		if (e->segment.n)
			van_buf_printf(&o->text, " (%.*s)", SLICE_ARG(e->segment));
		if (e->element)
			van_buf_printf(&o->text, " element %u", e->element);
		if (e->component)
			van_buf_printf(&o->text, "-%u", e->component);
		van_buf_printf(&o->text, ": %s %s", e->list, e->code);
		if (e->value.p)
			put_printable(&o->text, e->value);
		van_buf_printf(&o->text, ": %.*s%s\n", SLICE_ARG(e->text), e->tolerated ? " (tolerated)" : "");
	}
}

/* --- validate ---------------------------------------------------------------------------------------------------------- */

static int json_interchange_begin(void *ctx, const struct edi_interchange *i)
{
	struct output *o = ctx;
	(void)i;
	van_buf_append_str(&o->text, o->any_interchange ? ",{\"groups\":[" : "{\"groups\":[");
	o->any_interchange = true;
	o->any_group = false;
	return room(o);
}

static int json_group_begin(void *ctx, const struct edi_group *g)
{
	struct output *o = ctx;
	(void)g;
	van_buf_append_str(&o->text, o->any_group ? ",{\"messages\":[" : "{\"messages\":[");
	o->any_group = true;
	o->any_message = false;
	return room(o);
}

static int json_message(void *ctx, const struct edi_message *m)
{
	struct output *o = ctx;
	if (o->any_message)
		van_buf_append_char(&o->text, ',');
	o->any_message = true;
	o->bad += m->status != EDI_ACCEPTED;
	edi_message_to_json(m, &o->text);
	return room(o);
}

static int json_group_end(void *ctx, const struct edi_group *g)
{
	struct output *o = ctx;
	van_buf_append_str(&o->text, "],");
	o->bad += g->status != EDI_ACCEPTED;
	edi_group_members_to_json(g, &o->text);
	van_buf_append_char(&o->text, '}');
	return room(o);
}

static int json_interchange_end(void *ctx, const struct edi_interchange *i)
{
	struct output *o = ctx;
	van_buf_append_str(&o->text, "],");
	o->interchanges++;
	o->bad += i->status != EDI_ACCEPTED;
	edi_interchange_members_to_json(i, &o->text);
	van_buf_append_char(&o->text, '}');
	return room(o);
}

static int text_message(void *ctx, const struct edi_message *m)
{
	struct output *o = ctx;
	o->messages++;
	o->bad += m->status != EDI_ACCEPTED;
	if (m->status != EDI_ACCEPTED)
		van_buf_printf(&o->text, "%.*s %.*s: %s, %" PRIu64 " errors%s%.*s\n", SLICE_ARG(m->type), SLICE_ARG(m->control_number),
			edi_status_name(m->status), m->error_count, m->known ? "" : m->checked_as.p ? "; checked as " :
			"; no dictionary for this type and version", SLICE_ARG(m->checked_as));
	errors_as_text(o, m->errors, "message", m->control_number);
	return room(o);
}

static int text_group_end(void *ctx, const struct edi_group *g)
{
	struct output *o = ctx;
	o->bad += g->status != EDI_ACCEPTED;
	if (g->real)
		van_buf_printf(&o->text, "group %.*s %.*s %.*s: %s, %" PRIu64 " of %" PRIu64 " messages accepted\n", SLICE_ARG(g->code),
			SLICE_ARG(g->version), SLICE_ARG(g->control_number), edi_status_name(g->status), g->accepted_count, g->message_count);
	errors_as_text(o, g->errors, "group", g->control_number);
	return room(o);
}

static int text_interchange_end(void *ctx, const struct edi_interchange *i)
{
	struct output *o = ctx;
	o->interchanges++;
	o->bad += i->status != EDI_ACCEPTED;
	van_buf_printf(&o->text, "%s interchange %.*s from %.*s to %.*s: %s\n", edi_standard_name(i->standard),
		SLICE_ARG(i->control_number), SLICE_ARG(i->sender), SLICE_ARG(i->receiver), edi_status_name(i->status));
	for (unsigned k = 0; k < EDI_TOLERATED_KINDS; k++)
		if (i->tolerated[k].count)
			van_buf_printf(&o->text, "  tolerated: %s (%" PRIu64 ", first at byte %" PRIu64 ")\n", edi_tolerated_text((enum edi_tolerated)k),
				i->tolerated[k].count, i->tolerated[k].first);
	errors_as_text(o, i->errors, "interchange", i->control_number);
	return room(o);
}

/* Runs the checker over the file. EDI_DONE, or EDI_USAGE after an error was printed. */
static int check(struct output *o, struct edi_checker *checker)
{
	struct van_error e = {0};
	int fd = checker ? edi_open(o->c) : -1;
	if (!checker)
		return edi_fail(EDI_USAGE, "no memory");
	if (fd < 0)
		return EDI_USAGE;
	int rc = edi_checker_read(checker, fd, &e);
	if (fd != STDIN_FILENO)
		close(fd);
	return rc < 0 ? edi_fail(EDI_USAGE, "%s: %s", o->c->file, e.text[0] ? e.text : van_err_name(rc)) : EDI_DONE;
}

static int validate_json(struct output *o, struct edi_checker *checker)
{
	van_buf_append_str(&o->text, "{\"file\":");
	json_put_text(&o->text, slice_str(o->c->file));
	van_buf_append_str(&o->text, ",\"interchanges\":[");
	int status = check(o, checker);
	if (status != EDI_DONE)
		return status;
	const struct edi_report *r = edi_checker_report(checker);
	van_buf_printf(&o->text, "],\"bytes\":%" PRIu64 ",\"segments\":%" PRIu64 ",\"byte_order_mark\":%s,\"errors\":", r->bytes,
		r->segments, r->byte_order_mark ? "true" : "false");
	edi_errors_to_json(r->errors, &o->text);
	van_buf_append_str(&o->text, "}\n");
	return EDI_DONE;
}

static int validate_text(struct output *o, struct edi_checker *checker)
{
	int status = check(o, checker);
	if (status != EDI_DONE)
		return status;
	const struct edi_report *r = edi_checker_report(checker);
	for (const struct edi_error *e = r->errors; e; e = e->next)
		van_buf_printf(&o->text, "%s: %.*s\n", o->c->file, SLICE_ARG(e->text));
	van_buf_printf(&o->text, "%s: %" PRIu64 " interchanges, %" PRIu64 " messages, %" PRIu64 " rejected, %" PRIu64 " with errors\n",
		o->c->file, o->interchanges, r->messages, r->messages_rejected, r->messages_with_errors);
	return EDI_DONE;
}

int edi_run_validate(const struct edi_command *c)
{
	struct output o = {.c = c, .text = VAN_BUF_INIT((size_t)4 << 20)};
	const struct edi_check_sink json = {json_interchange_begin, json_group_begin, json_message, json_group_end, json_interchange_end, &o};
	const struct edi_check_sink text = {NULL, NULL, text_message, text_group_end, text_interchange_end, &o};
	struct edi_dictionary_set *set = edi_dictionaries(c);
	if (!set)
		return EDI_USAGE;
	struct edi_check_options options = edi_options(c);
	options.max_errors = UINT32_MAX;
	struct edi_checker *checker = edi_checker_new(set, &options, c->json ? &json : &text);
	int status = c->json ? validate_json(&o, checker) : validate_text(&o, checker);
	if (status == EDI_DONE && (o.bad || !o.interchanges || edi_checker_report(checker)->errors))
		status = EDI_NO;
	if (status != EDI_USAGE && edi_flush(&o.text) < 0)
		status = edi_fail(EDI_USAGE, "standard output cannot be written");
	edi_checker_free(checker);
	edi_dictionary_set_free(set);
	van_buf_free(&o.text);
	return status;
}

/* --- stats ------------------------------------------------------------------------------------------------------------- */

static bool same_type(const struct output *o, size_t i, const struct edi_message *m)
{
	return slice_is(m->type, o->types[i].type) && slice_is(m->version, o->types[i].version);
}

static int count_message(void *ctx, const struct edi_message *m)
{
	struct output *o = ctx;
	size_t i = o->type_count ? o->type_count - 1 : 0; /* most often the same as the last */
	o->messages++;
	if (o->type_count && !same_type(o, i, m))
		for (i = 0; i < o->type_count && !same_type(o, i, m);)
			i++;
	if (i == o->type_count && i < MAX_TYPES) {
		snprintf(o->types[i].type, sizeof o->types[i].type, "%.*s", SLICE_ARG(m->type));
		snprintf(o->types[i].version, sizeof o->types[i].version, "%.*s", SLICE_ARG(m->version));
		o->type_count++;
	}
	if (i < MAX_TYPES) {
		o->types[i].count++;
		o->types[i].bytes += m->length;
	}
	return 0;
}

static int count_group(void *ctx, const struct edi_group *g)
{
	struct output *o = ctx;
	o->groups += g->real;
	o->bad += g->errors != NULL;
	return 0;
}

static int count_interchange(void *ctx, const struct edi_interchange *i)
{
	struct output *o = ctx;
	o->interchanges++;
	o->bad += i->errors != NULL;
	return 0;
}

static void print_stats(struct output *o, const struct edi_report *r, double seconds)
{
	double rate = seconds > 0 ? (double)r->bytes / seconds / 1e6 : 0;
	struct van_buf *t = &o->text;
	if (o->c->json) {
		van_buf_append_str(t, "{\"file\":");
		json_put_text(t, slice_str(o->c->file));
		van_buf_printf(t, ",\"bytes\":%" PRIu64 ",\"segments\":%" PRIu64 ",\"interchanges\":%" PRIu64 ",\"groups\":%" PRIu64
			",\"messages\":%" PRIu64 ",\"envelope_errors\":%" PRIu64 ",\"junk_bytes\":%" PRIu64 ",\"seconds\":%.6f,\"mb_per_second\":%.1f,\"types\":[",
			r->bytes, r->segments, o->interchanges, o->groups, o->messages, o->bad + r->messages_rejected, r->junk, seconds, rate);
	} else {
		van_buf_printf(t, "bytes         %" PRIu64 "\nsegments      %" PRIu64 "\ninterchanges  %" PRIu64 "\ngroups        %" PRIu64
			"\nmessages      %" PRIu64 "\n", r->bytes, r->segments, o->interchanges, o->groups, o->messages);
	}
	for (size_t i = 0; i < o->type_count; i++) {
		if (o->c->json) {
			van_buf_append_str(t, i ? ",{\"type\":" : "{\"type\":");
			json_put_text(t, slice_str(o->types[i].type));
			van_buf_append_str(t, ",\"version\":");
			json_put_text(t, slice_str(o->types[i].version));
			van_buf_printf(t, ",\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", o->types[i].count, o->types[i].bytes);
		} else {
			van_buf_printf(t, "  %-8s %-10s %" PRIu64 "\n", o->types[i].type, o->types[i].version, o->types[i].count);
		}
	}
	if (o->c->json)
		van_buf_append_str(t, "]}\n");
	else
		van_buf_printf(t, "envelope errors %" PRIu64 ", bytes outside of interchanges %" PRIu64 "\n%.1f MB/s\n",
			o->bad + r->messages_rejected, r->junk, rate);
}

int edi_run_stats(const struct edi_command *c)
{
	struct output o = {.c = c, .text = VAN_BUF_INIT((size_t)4 << 20)};
	const struct edi_check_sink sink = {NULL, NULL, count_message, count_group, count_interchange, &o};
	struct edi_check_options options = {.envelopes_only = true, .max_errors = UINT32_MAX};
	struct edi_checker *checker = edi_checker_new(NULL, &options, &sink);
	van_time begin = van_clock_monotonic();
	int status = check(&o, checker);
	if (status == EDI_DONE) {
		print_stats(&o, edi_checker_report(checker), (double)(van_clock_monotonic() - begin) / 1e6);
		status = edi_flush(&o.text) < 0 ? edi_fail(EDI_USAGE, "standard output cannot be written") : o.interchanges ? EDI_DONE : EDI_NO;
		const struct edi_error *why = edi_checker_report(checker)->errors;
		if (status == EDI_NO)
			edi_fail(EDI_NO, "%s: %.*s", c->file, SLICE_ARG(why ? why->text : SLICE("no interchange")));
	}
	edi_checker_free(checker);
	van_buf_free(&o.text);
	return status;
}
