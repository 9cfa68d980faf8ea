/* Sheets are maps and tables ("table-NAME"); a table is active as soon as it is imported.
 *
 * map.list, map.show, map.sources, map.import, map.activate, map.lock: sheets in the store. Samples travel in base64, because EDI need
 * not be UTF-8. Whether a sheet is sound vanctl says before it imports it; before one is activated a worker tries it. */
#include "base/codec.h"
#include "queue/sheets.h"
#include "roles/store/connections.h"
#include "roles/store/control_handlers.h"
#include "roles/store/maps.h"

#include <inttypes.h>

/* --- lists ----------------------------------------------------------------------------------------------------------------------- */

struct listing {
	struct control_call *call;
	bool first;
};

static void put_time(struct van_buf *to, van_time t)
{
	char text[VAN_TIME_TEXT];
	json_put_text(to, t ? slice_str(van_time_rfc3339(text, t)) : SLICE_NONE);
}

static void put_sheet(struct van_buf *to, const struct queue_sheet *s)
{
	van_buf_append_str(to, "{\"name\":");
	json_put_text(to, s->name);
	van_buf_printf(to, ",\"active\":%" PRIu64 ",\"newest\":%" PRIu64 ",\"locked\":%s,\"time\":", s->active, s->newest,
		       s->locked ? "true" : "false");
	put_time(to, s->time);
	van_buf_append_str(to, ",\"actor\":");
	json_put_text(to, s->actor);
}

static int list_sheet(void *arg, const struct queue_sheet *s)
{
	struct listing *l = arg;
	van_buf_append_str(l->call->out, l->first ? "" : ",");
	l->first = false;
	put_sheet(l->call->out, s);
	return van_buf_append_char(l->call->out, '}');
}

int control_map_list(struct control_call *c)
{
	struct listing l = {c, true};
	van_buf_append_char(c->out, '[');
	int rc = queue_sheets(c->work, list_sheet, &l);
	return rc < 0 ? rc : van_buf_append_char(c->out, ']');
}

/* --- one --------------------------------------------------------------------------------------------------------------------------- */

static void put_base64(struct van_buf *to, struct slice s)
{
	van_buf_append_char(to, '"');
	base64_encode(to, s.p, s.n, 0);
	van_buf_append_char(to, '"');
}

static void put_samples(struct van_buf *to, const struct record_list *samples)
{
	van_buf_append_str(to, ",\"samples\":[");
	for (size_t i = 0; i < samples->n; i++) {
		const struct queue_sample *s = RECORD_AT(*samples, struct queue_sample, i);
		van_buf_append_str(to, i ? ",{\"name\":" : "{\"name\":");
		json_put_text(to, s->name);
		van_buf_append_str(to, ",\"input\":");
		put_base64(to, s->input);
		van_buf_append_str(to, ",\"expected\":");
		put_base64(to, s->expected);
		van_buf_append_char(to, '}');
	}
	van_buf_append_char(to, ']');
}

static int list_version(void *arg, const struct queue_sheet_version *v)
{
	struct listing *l = arg;
	struct van_buf *to = l->call->out;
	van_buf_printf(to, "%s{\"version\":%" PRIu64 ",\"time\":", l->first ? "" : ",", v->version);
	l->first = false;
	put_time(to, v->time);
	van_buf_append_str(to, ",\"actor\":");
	json_put_text(to, v->actor);
	van_buf_append_str(to, ",\"note\":");
	json_put_text(to, v->note);
	return van_buf_printf(to, ",\"samples\":%zu}", v->samples.n);
}

/* Which version is meant: as asked for, else the active one, else the newest. */
static uint64_t wanted_version(struct control_call *c, const struct queue_sheet *s)
{
	uint64_t version = control_arg_number(&c->args, "version", UINT64_MAX, INT64_MAX);
	return version != UINT64_MAX ? version : s->active ? s->active : s->newest;
}

int control_map_show(struct control_call *c)
{
	struct slice name = control_arg_text(&c->args, "name");
	struct listing l = {c, true};
	struct queue_sheet s;
	struct queue_sheet_version v = {.text = SLICE_NONE};
	int rc = queue_sheet_get(c->work, name, &s);
	uint64_t version = rc < 0 ? 0 : wanted_version(c, &s);
	if (rc == 0 && version)
		rc = queue_sheet_version_get(c->work, name, version, &v);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	put_sheet(c->out, &s);
	van_buf_printf(c->out, ",\"version\":%" PRIu64 ",\"note\":", version);
	json_put_text(c->out, v.note);
	van_buf_append_str(c->out, ",\"text\":");
	json_put_text(c->out, v.text);
	put_samples(c->out, &v.samples);
	van_buf_append_str(c->out, ",\"versions\":[");
	rc = queue_sheet_versions(c->work, name, list_version, &l);
	return rc < 0 ? rc : van_buf_append_str(c->out, "]}");
}

/* All that is in force, as workers get it: for vanctl, which tests maps with the tables of the store. */
int control_map_sources(struct control_call *c)
{
	c->fd = maps_file(c->work);
	return c->fd < 0 ? c->fd : van_buf_append_str(c->out, "{}");
}

/* --- import ------------------------------------------------------------------------------------------------------------------------- */

static bool name_ok(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-._", name.p[i]))
			return false;
	return name.n && name.n <= 64 && name.p[0] != '.' && name.p[0] != '-';
}

static struct slice decoded(struct control_call *c, const json_t *text)
{
	struct van_buf bytes = VAN_BUF_INIT(QUEUE_SHEET_MAX);
	struct slice s = SLICE_NONE;
	if (json_is_string(text) && base64_decode(&bytes, slice_make(json_string_value(text), json_string_length(text))) == 0)
		s = van_arena_slice(c->arena, van_buf_slice(&bytes));
	van_buf_free(&bytes);
	return s;
}

/* Decoded once, whatever becomes of the transaction. */
int control_map_import_prepare(struct control_call *c)
{
	const json_t *samples = json_object_get(c->args.object, "samples");
	size_t n = json_array_size(samples);
	struct queue_sheet_version *v = van_arena_alloc(c->arena, sizeof *v);
	struct queue_sample *s = van_arena_array(c->arena, n + 1, sizeof *s);
	if (!v || !s)
		return VAN_ENOMEM;
	*v = (struct queue_sheet_version){.name = control_arg_text(&c->args, "name"), .text = control_arg_text(&c->args, "text"),
					  .note = control_arg_text(&c->args, "note"), .actor = c->actor};
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (!name_ok(v->name))
		return control_say(c, 2, "the name of a sheet has 1 to 64 small letters, digits, '.', '-' or '_', not '%.*s'", SLICE_ARG(v->name));
	if (!v->text.n)
		return control_say(c, 2, "the sheet is empty");
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(samples, i);
		const char *name = json_string_value(json_object_get(one, "name"));
		s[i] = (struct queue_sample){slice_str(name), decoded(c, json_object_get(one, "input")),
					     decoded(c, json_object_get(one, "expected"))};
		if (!name || !s[i].input.p || !s[i].expected.p)
			return control_say(c, 2, "a sample has a name, an input and an expected result (in base64)");
	}
	v->samples = (struct record_list){s, n};
	c->state = v;
	return 0;
}

/* Without samples of its own a sheet keeps those of the version before. */
static int inherit_samples(struct control_call *c, struct queue_sheet_version *v)
{
	struct queue_sheet s;
	struct queue_sheet_version before;
	int rc = queue_sheet_get(c->work, v->name, &s);
	if (rc == VAN_ENOTFOUND || (rc == 0 && !s.newest))
		return 0;
	if (rc == 0)
		rc = queue_sheet_version_get(c->work, v->name, s.newest, &before);
	if (rc == 0)
		v->samples = before.samples;
	return rc;
}

int control_map_import(struct control_call *c)
{
	struct queue_sheet_version v = *(struct queue_sheet_version *)c->state;
	bool changed = false;
	int rc = json_is_array(json_object_get(c->args.object, "samples")) ? 0 : inherit_samples(c, &v);
	if (rc == 0)
		rc = queue_sheet_put(c->work, &v, control_arg_number(&c->args, "newest", QUEUE_SHEET_ANY, INT64_MAX), slice_starts(v.name, "table-"),
				     &changed);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_str(c->out, "{\"name\":");
	json_put_text(c->out, v.name);
	return van_buf_printf(c->out, ",\"version\":%" PRIu64 ",\"changed\":%s,\"samples\":%zu}", v.version, changed ? "true" : "false",
			      v.samples.n);
}

/* --- activate ------------------------------------------------------------------------------------------------------------------------ */

/* The newest version, where none is named. */
static int version_to_activate(struct control_call *c, struct slice name, uint64_t *ret)
{
	struct queue_sheet s;
	int rc = queue_sheet_get(c->work, name, &s);
	*ret = rc < 0 ? 0 : control_arg_number(&c->args, "version", s.newest, INT64_MAX);
	return rc;
}

static void tried(void *arg, bool ok, struct slice error)
{
	struct pending_call *p = arg;
	if (ok)
		pending_call_go_on(p);
	else
		pending_call_finish(p, control_say(&p->call, 1, "%.*s; nothing was activated", SLICE_ARG(error)));
}

int control_map_try(struct control_call *c)
{
	struct ipc_sheet_samples sheet = {.name = control_arg_text(&c->args, "name")};
	struct queue_sheet_version v = {.text = SLICE_NONE};
	uint64_t version;
	int rc = version_to_activate(c, sheet.name, &version);
	if (rc == 0 && version != QUEUE_SHEET_SHIPPED)
		rc = queue_sheet_version_get(c->work, sheet.name, version, &v);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	struct ipc_sample *samples = van_arena_array(c->arena, v.samples.n + 1, sizeof *samples);
	for (size_t i = 0; samples && i < v.samples.n; i++) {
		const struct queue_sample *s = RECORD_AT(v.samples, struct queue_sample, i);
		samples[i] = (struct ipc_sample){s->name, s->input, s->expected};
	}
	uint64_t *chosen = c->state = van_arena_alloc(c->arena, sizeof *chosen); /* what is tried is activated, whatever is imported meanwhile */
	if (chosen)
		*chosen = version;
	sheet.text = v.text;
	sheet.samples = (struct record_list){samples, v.samples.n};
	rc = samples && chosen ? maps_try(c->role, &sheet, tried, pending_call_of(c)) : VAN_ENOMEM;
	return rc < 0 ? rc : CONTROL_LATER;
}

int control_map_activate(struct control_call *c)
{
	struct slice name = control_arg_text(&c->args, "name");
	uint64_t version = *(const uint64_t *)c->state;
	int rc = queue_sheet_activate(c->work, name, version, c->actor);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_str(c->out, "{\"name\":");
	json_put_text(c->out, name);
	return van_buf_printf(c->out, ",\"active\":%" PRIu64 "}", version);
}

int control_map_lock(struct control_call *c)
{
	struct slice name = control_arg_text(&c->args, "name");
	bool locked = control_arg_flag(&c->args, "locked");
	if (!name_ok(name))
		return control_say(c, 2, "a sheet's name is missing");
	int rc = queue_sheet_lock(c->work, name, locked, c->actor);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_str(c->out, "{\"name\":");
	json_put_text(c->out, name);
	return van_buf_printf(c->out, ",\"locked\":%s}", locked ? "true" : "false");
}
