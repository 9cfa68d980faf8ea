/* The report as JSON. An absent value is null, never missing. */
#include "edi/check.h"

#include "base/record.h"

#include <inttypes.h>

static void member(struct van_buf *to, const char *name, struct slice value)
{
	van_buf_printf(to, "\"%s\":", name);
	json_put_text(to, value);
	van_buf_append_char(to, ',');
}

void edi_errors_to_json(const struct edi_error *errors, struct van_buf *to)
{
	van_buf_append_char(to, '[');
	for (const struct edi_error *e = errors; e; e = e->next) {
		van_buf_append_str(to, e == errors ? "{" : ",{");
		member(to, "segment", e->segment.n ? e->segment : SLICE_NONE);
		van_buf_printf(to, "\"position\":%" PRIu64 ",\"element\":%u,\"repetition\":%u,\"component\":%u,", e->position, e->element,
			e->repetition, e->component);
		member(to, "loop", e->loop.n ? e->loop : SLICE_NONE);
		member(to, "list", slice_str(e->list));
		member(to, "code", slice_str(e->code));
		member(to, "value", e->value);
		member(to, "guide", slice_str(e->guide));
		van_buf_printf(to, "\"tolerated\":%s,\"text\":", e->tolerated ? "true" : "false");
		json_put_text(to, e->text);
		van_buf_append_char(to, '}');
	}
	van_buf_append_char(to, ']');
}

static void keys_to_json(const struct edi_key *keys, struct van_buf *to)
{
	van_buf_append_char(to, '[');
	for (const struct edi_key *k = keys; k; k = k->next) {
		van_buf_append_str(to, k == keys ? "{" : ",{");
		member(to, "kind", slice_str(k->kind));
		van_buf_append_str(to, "\"value\":");
		json_put_text(to, k->value);
		van_buf_append_char(to, '}');
	}
	van_buf_append_char(to, ']');
}

void edi_message_to_json(const struct edi_message *m, struct van_buf *to)
{
	van_buf_append_char(to, '{');
	member(to, "type", m->type);
	member(to, "version", m->version);
	member(to, "control_number", m->control_number);
	van_buf_printf(to, "\"segments\":%" PRIu64 ",", m->segments);
	member(to, "status", slice_str(edi_status_name(m->status)));
	van_buf_printf(to, "\"known\":%s,", m->known ? "true" : "false");
	member(to, "checked_as", m->checked_as);
	van_buf_append_str(to, "\"keys\":");
	keys_to_json(m->keys, to);
	van_buf_printf(to, ",\"error_count\":%" PRIu64 ",\"errors\":", m->error_count);
	edi_errors_to_json(m->errors, to);
	van_buf_append_char(to, '}');
}

void edi_group_members_to_json(const struct edi_group *g, struct van_buf *to)
{
	member(to, "code", g->real ? g->code : SLICE_NONE);
	member(to, "version", g->version.n ? g->version : SLICE_NONE);
	member(to, "control_number", g->real ? g->control_number : SLICE_NONE);
	member(to, "sender", g->real ? g->sender : SLICE_NONE);
	member(to, "receiver", g->real ? g->receiver : SLICE_NONE);
	member(to, "status", slice_str(edi_status_name(g->status)));
	van_buf_append_str(to, "\"errors\":");
	edi_errors_to_json(g->errors, to);
}

void edi_interchange_members_to_json(const struct edi_interchange *i, struct van_buf *to)
{
	member(to, "standard", slice_str(edi_standard_name(i->standard)));
	member(to, "version", i->version);
	member(to, "control_number", i->control_number);
	member(to, "sender", i->sender);
	member(to, "receiver", i->receiver);
	member(to, "usage", slice_make(&i->usage, 1));
	member(to, "status", slice_str(edi_status_name(i->status)));
	van_buf_append_str(to, "\"tolerated\":[");
	bool any = false;
	for (unsigned k = 0; k < EDI_TOLERATED_KINDS; k++) {
		const struct edi_tolerance *t = &i->tolerated[k];
		if (!t->count)
			continue;
		van_buf_printf(to, "%s{\"kind\":\"%s\",\"count\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"text\":\"%s\"}", any ? "," : "",
			edi_tolerated_name((enum edi_tolerated)k), t->count, t->first, edi_tolerated_text((enum edi_tolerated)k));
		any = true;
	}
	van_buf_append_str(to, "],\"errors\":");
	edi_errors_to_json(i->errors, to);
}

static void group_to_json(const struct edi_group *g, struct van_buf *to)
{
	van_buf_append_char(to, '{');
	edi_group_members_to_json(g, to);
	van_buf_append_str(to, ",\"messages\":[");
	for (const struct edi_message *m = g->messages; m; m = m->next) {
		if (m != g->messages)
			van_buf_append_char(to, ',');
		edi_message_to_json(m, to);
	}
	van_buf_append_str(to, "]}");
}

int edi_report_to_json(const struct edi_report *r, const char *file, struct van_buf *to)
{
	van_buf_append_char(to, '{');
	member(to, "file", slice_str(file));
	van_buf_printf(to, "\"bytes\":%" PRIu64 ",\"segments\":%" PRIu64 ",\"errors\":", r->bytes, r->segments);
	edi_errors_to_json(r->errors, to);
	van_buf_append_str(to, ",\"interchanges\":[");
	for (const struct edi_interchange *i = r->interchanges; i; i = i->next) {
		van_buf_append_str(to, i == r->interchanges ? "{" : ",{");
		edi_interchange_members_to_json(i, to);
		van_buf_append_str(to, ",\"groups\":[");
		for (const struct edi_group *g = i->groups; g; g = g->next) {
			if (g != i->groups)
				van_buf_append_char(to, ',');
			group_to_json(g, to);
		}
		van_buf_append_str(to, "]}");
	}
	van_buf_append_str(to, "]}");
	return van_buf_error(to);
}
