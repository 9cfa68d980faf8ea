/* What the receiver gets that is no EDI: each document as canonical JSON, UBL or CSV; or the interchange whole, as JSON or XML. */
#include "map/flat.h"
#include "map/form.h"
#include "map/library.h"
#include "map/tree.h"
#include "map/ubl.h"
#include "partner/settings.h"
#include "roles/worker/interchange.h"

#define LEFT_OUT_SHOWN 5 /* places in the report of what the form has no room for */

static struct van_arena *arena_of(struct work *w)
{
	return w->job->worker->arena;
}

static int hold_why(struct work *w, const char *text)
{
	return work_hold(w, IPC_INTERCHANGE_HELD,
			 van_arena_printf(arena_of(w), "agreement %.*s translates: %s", SLICE_ARG(w->route.agreement), text));
}

/* --- one document ------------------------------------------------------------------------------------------------------------------ */

/* While a document is written. */
struct writing {
	struct work *w;
	const struct tree *document;
	struct van_buf text;
	struct slice extension, version, map; /* map: for the history */
	struct van_buf left_out;
	unsigned left_out_count;
};

static void leave_out(struct writing *x, struct slice place)
{
	if (x->left_out_count++ < LEFT_OUT_SHOWN)
		van_buf_printf(&x->left_out, "%s%.*s", x->left_out.n ? ", " : "", SLICE_ARG(place));
}

static void ubl_remark(void *ctx, enum ubl_remark what, struct slice place)
{
	if (what == UBL_LEFT_OUT)
		leave_out(ctx, place);
}

static void flat_remark(void *ctx, struct slice place)
{
	leave_out(ctx, place);
}

/* For the history: "x12-850-order as shipped". */
static struct slice named(struct work *w, struct slice name, const struct map_sheet *sheet)
{
	return sheet->version == MAP_VERSION_SHIPPED
		       ? van_arena_printf(arena_of(w), "%.*s as shipped", SLICE_ARG(name))
		       : van_arena_printf(arena_of(w), "%.*s version %llu", SLICE_ARG(name), (unsigned long long)sheet->version);
}

static int write_csv(struct writing *x, struct tree_room *room, struct van_error *e)
{
	struct work *w = x->w;
	const struct flat_sheet *flat = NULL;
	const struct map_sheet *sheet = NULL;
	int rc = map_library_flat(w->job->worker->maps, w->route.sheet, x->version, w->route.sheet.p ? w->route.map_pin : MAP_VERSION_ACTIVE, &flat, &sheet, e);
	if (rc < 0)
		return rc;
	struct slice by = named(w, sheet->name, sheet);
	x->map = x->map.p ? van_arena_printf(arena_of(w), "%.*s, %.*s", SLICE_ARG(x->map), SLICE_ARG(by)) : by;
	return x->map.p ? flat_write(flat, room, x->document, &x->text, flat_remark, x, e) : VAN_ENOMEM;
}

static int write_form(struct writing *x, struct van_error *e)
{
	struct tree_room room = {.arena = arena_of(x->w), .left = worker_bounds(x->w->job->worker)->document_values};
	struct slice format = x->w->route.format;
	if (slice_is(format, "csv")) {
		x->extension = SLICE("csv");
		return write_csv(x, &room, e);
	}
	if (slice_is(format, "ubl-xml") || slice_is(format, "canonical-xml")) {
		x->extension = SLICE("xml");
		return ubl_write(x->document, &room, &x->text, ubl_remark, x, e);
	}
	x->extension = SLICE("json");
	return tree_write(x->document, false, &x->text);
}

static struct slice report_of(struct writing *x)
{
	if (!x->left_out_count)
		return SLICE_NONE;
	return van_arena_printf(arena_of(x->w), "%u value%s had no place in it: %.*s%s", x->left_out_count, x->left_out_count == 1 ? "" : "s",
				SLICE_ARG(van_buf_slice(&x->left_out)), x->left_out_count > LEFT_OUT_SHOWN ? " …" : "");
}

static int put_output(struct writing *x, const struct edi_message *m)
{
	struct work *w = x->w;
	struct ipc_output *o = work_output(w, IPC_OUTPUT_TRANSLATED, &w->route);
	if (!o)
		return VAN_ENOMEM;
	o->type = m->type;
	o->version = x->version;
	o->from = w->out->from;
	o->to = w->out->to;
	o->control_number = m->control_number;
	o->extension = x->extension;
	o->map = x->map;
	o->report = report_of(x);
	int rc = work_keys(arena_of(w), m->keys, &o->keys);
	return rc == 0 ? work_content(w, o, van_buf_slice(&x->text)) : rc;
}

static int translate_message(struct work *w, const struct map *map, const struct map_sheet *sheet, const struct edi_group *g, const struct edi_message *m,
			     uint64_t number)
{
	struct writing x = {.w = w, .text = VAN_BUF_INIT(worker_bounds(w->job->worker)->result), .left_out = VAN_BUF_INIT(65536)};
	struct van_error e = {0};
	struct map_run_state *run = worker_map_run(w->job->worker);
	struct tree *document = NULL;
	int rc = run ? work_document(w, g, m, number, map, run, &document) : VAN_ENOMEM;
	if (rc == 0 && document) {
		const struct tree *kind = tree_find(document, SLICE("_document"));
		x.document = document;
		x.version = map ? slice_str(map_target(map)) : kind ? kind->text : SLICE_NONE;
		x.map = map ? named(w, slice_str(map_name(map)), sheet) : SLICE_NONE;
		map_library_scope(w->job->worker->maps, w->route.to_party, van_clock_now());
		rc = map && !x.map.p ? VAN_ENOMEM : write_form(&x, &e);
		if (work_is_verdict(rc) && e.text[0])
			rc = work_set_aside(w, m, number, van_arena_slice(arena_of(w), slice_str(e.text)));
		else if (rc == 0)
			rc = put_output(&x, m);
	}
	van_buf_free(&x.text);
	van_buf_free(&x.left_out);
	return rc;
}

static int find_map(struct work *w, const struct edi_message *m, const struct map **ret, const struct map_sheet **ret_sheet, struct van_error *e)
{
	struct map_library *maps = w->job->worker->maps;
	bool pinned = !slice_is(w->route.format, "csv") || !w->route.sheet.p; /* the version is the sheet's where there is one */
	if (w->job->plain)
		return 0;
	if (w->route.map.p)
		return map_library_find(maps, w->route.map, pinned ? w->route.map_pin : MAP_VERSION_ACTIVE, ret, ret_sheet, e);
	return map_library_find_for(maps, w->in->standard == EDI_EDIFACT ? "edifact" : "x12", m->type, m->version, ret, ret_sheet, e);
}

/* --- the interchange in another form --------------------------------------------------------------------------------------------------- */

struct form_run {
	struct work *w;
	struct van_buf text;
};

static int take_form(void *ctx, struct slice bytes)
{
	struct form_run *f = ctx;
	van_buf_append_slice(&f->text, bytes);
	return f->text.error;
}

static bool is_rejected(void *ctx, uint64_t message)
{
	const struct work *w = ctx;
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next)
			if (!message--)
				return m->status == EDI_REJECTED;
	return false;
}

static bool any_rejected(const struct work *w)
{
	bool any = false;
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next)
			any |= m->status == EDI_REJECTED;
	return any;
}

/* Its bytes, without the messages that were rejected. */
static int sound_bytes(struct work *w, struct van_buf *to, struct slice *ret)
{
	const struct edi_rewrite_options options = {.drop = is_rejected, .ctx = w};
	int rc = job_payload_bytes(w->job, w->in->offset, w->in->length, ret);
	if (rc < 0 || !any_rejected(w))
		return rc;
	rc = edi_rewrite(*ret, &options, to);
	*ret = van_buf_slice(to);
	return rc;
}

static enum edi_charset fallback_of(struct slice bytes)
{
	struct form_guess guess = {.latin = false};
	form_guess_feed(&guess, bytes);
	return form_guess_fallback(&guess);
}

static int write_whole(struct work *w)
{
	bool xml = slice_is(w->route.format, "xml");
	struct form_run f = {.w = w, .text = VAN_BUF_INIT(worker_bounds(w->job->worker)->result)};
	struct van_buf scratch = VAN_BUF_INIT(worker_bounds(w->job->worker)->result);
	struct van_error e = {0};
	struct slice bytes = SLICE_NONE;
	int rc = sound_bytes(w, &scratch, &bytes);
	const struct form_options options = {.fallback = rc == 0 ? fallback_of(bytes) : EDI_CHARSET_NONE};
	struct form_writer *writer = rc == 0 ? form_writer_new(xml ? FORM_XML : FORM_JSON, &options, take_form, &f) : NULL;
	if (rc == 0)
		rc = writer ? form_writer_feed(writer, bytes, true, &e) : VAN_ENOMEM;
	form_writer_free(writer);
	struct ipc_output *o = rc == 0 ? work_output(w, IPC_OUTPUT_TRANSLATED, &w->route) : NULL;
	if (o) {
		o->type = w->mixed_types ? SLICE_NONE : w->type;
		o->version = w->version;
		o->from = w->out->from;
		o->to = w->out->to;
		o->control_number = w->in->control_number;
		o->extension = xml ? SLICE("xml") : SLICE("json");
		rc = work_content(w, o, van_buf_slice(&f.text));
	} else if (rc == 0) {
		rc = VAN_ENOMEM;
	}
	van_buf_free(&f.text);
	van_buf_free(&scratch);
	return work_is_verdict(rc) ? hold_why(w, e.text[0] ? e.text : "its envelopes are too damaged to be written in another form") : rc;
}

/* --- all of it ----------------------------------------------------------------------------------------------------------------------------- */

/* Rejected messages are not translated: the acknowledgement tells their sender. Acknowledgements are for the network itself. */
static int translate_messages(struct work *w)
{
	uint64_t number = 0, only = work_only(w);
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			const struct map *map = NULL;
			const struct map_sheet *sheet = NULL;
			struct van_error e = {0};
			number++;
			if (m->status == EDI_REJECTED || m->acknowledgement || (only && number != only))
				continue;
			int rc = find_map(w, m, &map, &sheet, &e);
			if (rc == VAN_ENOTFOUND || rc == VAN_ESYNTAX)
				return hold_why(w, e.text);
			if (rc == 0)
				rc = translate_message(w, map, sheet, g, m, number);
			if (rc < 0 || w->out->state != IPC_INTERCHANGE_PROCESSED)
				return rc;
		}
	return 0;
}

int work_translate(struct work *w)
{
	bool whole = slice_is(w->route.format, "xml") || (slice_is(w->route.format, "json") && !w->route.map.p);
	if (w->job->plain && !w->job->plain->documents)
		return hold_why(w, "its connection says of this file that it may be anything (format: any), which only passes through: write csv, ubl-xml or "
				   "canonical-json there, or mode: pass-through here");
	if (whole && w->job->plain)
		return hold_why(w, "output.format json and xml are forms of an interchange, and this came without one: write canonical-json, ubl-xml or csv");
	return whole ? write_whole(w) : translate_messages(w);
}
