#include "map/sample.h"

#include "edi/check.h"
#include "edi/write_envelope.h"
#include "map/flat.h"
#include "map/tree_read.h"

#define REPORT_MEMORY ((size_t)256 << 20)
#define RESULT_MAX ((size_t)256 << 20)
#define VALUES_MAX 1000000
#define DIFFERENCES_SHOWN 20

/* --- running ----------------------------------------------------------------------------------------------------------------- */

struct run {
	const struct map_set *set;
	struct slice input;
	struct van_buf *to;
	struct van_error *e;
	uint64_t documents;
};

static int run_message(struct run *r, const struct edi_interchange *i, const struct edi_group *g, const struct edi_message *m)
{
	struct map_delimiters d = {i->delimiters.element, i->delimiters.component, i->delimiters.repetition, i->delimiters.release,
		i->delimiters.terminator};
	struct map_envelope envelope = {.sender = i->sender, .receiver = i->receiver, .interchange_control_number = i->control_number,
		.group_control_number = g->real ? g->control_number : SLICE_NONE, .message_control_number = m->control_number,
		.test = i->usage == 'T', .version = i->version, .date = g->real ? g->date : i->date, .time = g->real ? g->time : i->time};
	struct map_options options = {.pretty = true};
	const struct map *map = map_find_for(r->set, i->standard == EDI_EDIFACT ? "edifact" : "x12", m->type, m->version);
	if (!map)
		return van_error_set(r->e, VAN_ENOTFOUND, "the sheet has no map for the input's %.*s %.*s", SLICE_ARG(m->type), SLICE_ARG(m->version));
	if (r->documents++)
		van_buf_append_char(r->to, ',');
	return map_run(map, slice_make(r->input.p + m->offset, m->length), d, &envelope, &options, r->to, r->e);
}

static int run_messages(struct run *r, const struct edi_report *report)
{
	int rc = 0;
	van_buf_append_str(r->to, report->messages > 1 ? "[" : "");
	for (const struct edi_interchange *i = report->interchanges; i; i = i->next)
		for (const struct edi_group *g = i->groups; g; g = g->next)
			for (const struct edi_message *m = g->messages; m && rc == 0; m = m->next)
				rc = m->acknowledgement ? 0 : run_message(r, i, g, m);
	van_buf_append_str(r->to, report->messages > 1 ? "]\n" : "");
	if (rc == 0 && !r->documents)
		rc = van_error_set(r->e, VAN_ENOTFOUND, "there is no message in the input");
	return rc == 0 ? r->to->error : rc;
}

/* --- documents to messages --------------------------------------------------------------------------------------------------------- */

struct choice {
	struct slice name;  /* of the case */
	const struct map *first, *named;
};

static void consider(void *ctx, const struct map *m)
{
	struct choice *c = ctx;
	size_t n = strlen(map_name(m));
	if (map_way(m) != MAP_OUT)
		return;
	if (!c->first)
		c->first = m;
	if (c->name.n >= n && memcmp(c->name.p, map_name(m), n) == 0 && (c->name.n == n || c->name.p[n] == '.'))
		c->named = m;
}

static struct slice member(const struct tree *object, const char *name)
{
	const struct tree *t = object && object->kind == TREE_OBJECT ? tree_find(object, slice_str(name)) : NULL;
	return t && t->kind != TREE_OBJECT && t->kind != TREE_ARRAY ? t->text : SLICE_NONE;
}

static const struct map *choose_out(const struct map_set *set, struct slice name, const struct tree *document)
{
	const struct tree *source = document->kind == TREE_OBJECT ? tree_find(document, SLICE("_source")) : NULL;
	struct slice standard = member(source, "standard");
	struct choice c = {.name = name};
	const struct map *back = NULL;
	map_each(set, consider, &c);
	if (standard.p)
		back = map_find_out(set, member(document, "_document"), slice_is(standard, "x12") ? "x12" : "edifact", member(source, "type"),
			member(source, "version"));
	return c.named ? c.named : back ? back : c.first;
}

static int begin_outbound(struct edi_outbound *o, const struct map *m, struct van_arena *a, struct van_error *e)
{
	bool x12 = strcmp(map_standard(m), "x12") == 0;
	struct edi_outbound_terms terms = {.standard = x12 ? EDI_X12 : EDI_EDIFACT, .sender = SLICE("ZZ:SENDER"), .receiver = SLICE("ZZ:RECEIVER"),
		.version = x12 ? SLICE("00401") : SLICE("UNOC:3"), .usage = 'T', .lines = true, .when = {.year = 2000, .month = 1, .day = 1}};
	struct edi_group_terms group;
	int rc = edi_outbound_begin(o, &terms, a, e);
	if (rc == 0 && x12 && (rc = map_group(m, &group, e)) == 0)
		edi_outbound_group(o, &group);
	return rc;
}

static int run_document(const struct map_set *set, struct slice name, struct map_run_state *run, const struct tree *document, struct van_arena *a,
	struct van_buf *to, struct van_error *e)
{
	const struct map *m = choose_out(set, name, document);
	struct edi_outbound o;
	struct edi_output made;
	uint32_t one = 1;
	if (!m)
		return van_error_set(e, VAN_ENOTFOUND, "the sheet has no map that makes messages of documents");
	int rc = begin_outbound(&o, m, a, e);
	if (rc < 0)
		return rc;
	rc = map_write(run, m, document, &o, e);
	if (rc == 0)
		rc = edi_outbound_finish(&o, &made, e);
	if (rc == 0)
		rc = edi_output_render(&made, &one, &one, to);
	edi_outbound_free(&o);
	return rc;
}

static int run_documents(const struct map_set *set, struct slice name, struct slice input, struct van_buf *to, struct van_error *e)
{
	struct map_run_state *run = map_run_new(NULL);
	struct van_arena *a = van_arena_new(REPORT_MEMORY);
	struct tree *all = NULL;
	int rc = run && a ? map_read_json(run, input, &all, e) : VAN_ENOMEM;
	if (rc == 0 && all->kind == TREE_ARRAY && !all->first)
		rc = van_error_set(e, VAN_ENOTFOUND, "there is no document in the input");
	for (const struct tree *t = rc < 0 ? NULL : all->kind == TREE_ARRAY ? all->first : all; rc == 0 && t;
		t = all->kind == TREE_ARRAY ? t->next : NULL)
		rc = run_document(set, name, run, t, a, to, e);
	map_run_free(run);
	van_arena_free(a);
	return rc;
}

/* --- comparing --------------------------------------------------------------------------------------------------------------- */

static bool is_json(struct slice s)
{
	s = slice_trim(slice_starts(s, "\xef\xbb\xbf") ? slice_make(s.p + 3, s.n - 3) : s);
	return s.n && (*s.p == '{' || *s.p == '[');
}

static int run_edi(const struct map_set *set, struct slice input, struct van_buf *to, struct van_error *e)
{
	struct run r = {.set = set, .input = input, .to = to, .e = e};
	struct edi_check_options options = {.envelopes_only = true};
	struct van_arena *arena = van_arena_new(REPORT_MEMORY);
	struct edi_report *report = NULL;
	int rc = arena ? edi_check_bytes(input, NULL, &options, arena, &report, e) : VAN_ENOMEM;
	if (rc == 0 && !report->interchanges)
		rc = van_error_set(e, VAN_ESYNTAX, "the input is no EDI: %.*s", report->errors ? (int)report->errors->text.n : 0,
			report->errors ? report->errors->text.p : "");
	if (rc == 0)
		rc = run_messages(&r, report);
	van_arena_free(arena);
	return rc;
}

/* CSV documents to canonical ones, and back. */
static int run_flat(const struct flat_sheet *s, struct slice input, struct van_buf *to, struct van_error *e)
{
	struct tree_room room = {.arena = van_arena_new(REPORT_MEMORY), .left = VALUES_MAX};
	struct tree *t = NULL;
	int rc = room.arena ? 0 : van_error_set(e, VAN_ENOMEM, "no memory for a sample");
	if (rc == 0 && is_json(input)) {
		rc = tree_read(&room, slice_trim(input), &t, e);
		rc = rc < 0 ? rc : flat_write(s, &room, t, to, NULL, NULL, e);
	} else if (rc == 0) {
		rc = flat_read(s, &room, input, 0, &t, e);
		rc = rc < 0 ? rc : tree_write(t->first && !t->first->next ? t->first : t, true, to);
	}
	van_arena_free(room.arena);
	return rc;
}

int map_sample_run(const struct map_set *set, struct slice name, struct slice input, struct van_buf *to, struct van_error *e)
{
	const struct flat_sheet *flat = flat_alone(set);
	if (flat)
		return run_flat(flat, input, to, e);
	return is_json(input) ? run_documents(set, name, input, to, e) : run_edi(set, input, to, e);
}

struct compare {
	struct van_buf *to;
	size_t count, most;
	struct van_buf path;
};

static struct slice shown(struct slice s)
{
	return s.n > 120 ? slice_make(s.p, 120) : s;
}

static void differ(struct compare *c, struct slice expected, struct slice got)
{
	if (c->count++ >= c->most)
		return;
	van_buf_append_slice(c->to, c->path.n ? van_buf_slice(&c->path) : SLICE("the whole"));
	if (expected.p)
		van_buf_printf(c->to, ": expected %.*s", SLICE_ARG(shown(expected)));
	else
		van_buf_append_str(c->to, ": not expected");
	if (got.p)
		van_buf_printf(c->to, "%s%.*s", expected.p ? ", not " : ": ", SLICE_ARG(shown(got)));
	else
		van_buf_append_str(c->to, ", but it is not there");
	van_buf_append_char(c->to, '\n');
}

static void differ_trees(struct compare *c, const struct tree *expected, const struct tree *got)
{
	struct van_buf a = VAN_BUF_INIT(RESULT_MAX), b = VAN_BUF_INIT(RESULT_MAX);
	if (expected)
		tree_write(expected, false, &a);
	if (got)
		tree_write(got, false, &b);
	differ(c, expected ? slice_trim(van_buf_slice(&a)) : SLICE_NONE, got ? slice_trim(van_buf_slice(&b)) : SLICE_NONE);
	van_buf_free(&a);
	van_buf_free(&b);
}

static void compare_trees(struct compare *c, const struct tree *a, const struct tree *b);

static void compare_members(struct compare *c, const struct tree *a, const struct tree *b)
{
	size_t length = c->path.n;
	for (const struct tree *m = a->first; m; m = m->next) {
		van_buf_printf(&c->path, "%s%.*s", length ? "." : "", SLICE_ARG(m->name));
		compare_trees(c, m, tree_find(b, m->name));
		c->path.n = length;
	}
	for (const struct tree *m = b->first; m; m = m->next) {
		if (tree_find(a, m->name))
			continue;
		van_buf_printf(&c->path, "%s%.*s", length ? "." : "", SLICE_ARG(m->name));
		differ_trees(c, NULL, m);
		c->path.n = length;
	}
}

static void compare_items(struct compare *c, const struct tree *a, const struct tree *b)
{
	size_t length = c->path.n, i = 0;
	const struct tree *x = a->first, *y = b->first;
	for (; x || y; x = x ? x->next : NULL, y = y ? y->next : NULL) {
		van_buf_printf(&c->path, "[%zu]", i++);
		compare_trees(c, x, y);
		c->path.n = length;
	}
}

static void compare_trees(struct compare *c, const struct tree *a, const struct tree *b)
{
	if (!a || !b || a->kind != b->kind)
		differ_trees(c, a, b);
	else if (a->kind == TREE_OBJECT)
		compare_members(c, a, b);
	else if (a->kind == TREE_ARRAY)
		compare_items(c, a, b);
	else if (!slice_eq(a->text, b->text))
		differ_trees(c, a, b);
}

static int compare_json(struct compare *c, struct slice expected, struct slice got, struct van_error *e)
{
	struct tree_room room = {.arena = van_arena_new(RESULT_MAX), .left = VALUES_MAX};
	struct tree *a, *b;
	int rc = room.arena ? tree_read(&room, slice_trim(expected), &a, e) : VAN_ENOMEM;
	if (rc == VAN_ESYNTAX && e) {
		struct van_error why = *e;
		van_error_set(e, VAN_ESYNTAX, "the expected result: %.400s", why.text);
	}
	if (rc == 0)
		rc = tree_read(&room, slice_trim(got), &b, e);
	if (rc == 0)
		compare_trees(c, a, b);
	van_arena_free(room.arena);
	return rc;
}

static bool is_envelope(struct slice s)
{
	static const char *const tags[] = {"ISA", "TA1", "GS", "GE", "IEA", "UNA", "UNB", "UNG", "UNE", "UNZ"};
	size_t n = 0;
	while (n < s.n && ((s.p[n] >= 'A' && s.p[n] <= 'Z') || (s.p[n] >= '0' && s.p[n] <= '9')))
		n++;
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		if (slice_is(slice_make(s.p, n), tags[i]))
			return true;
	return false;
}

/* The next segment, or line, of a message; absent at the end. */
static struct slice next_segment(struct slice *rest)
{
	while (rest->n) {
		size_t n = 0;
		while (n < rest->n && !strchr("\n~'", rest->p[n]))
			n++;
		struct slice s = slice_trim(slice_make(rest->p, n));
		n += n < rest->n;
		*rest = slice_make(rest->p + n, rest->n - n);
		if (s.n && !is_envelope(s))
			return s;
	}
	return SLICE_NONE;
}

static void compare_segments(struct compare *c, struct slice expected, struct slice got)
{
	struct slice a, b;
	unsigned i = 0;
	do {
		a = next_segment(&expected);
		b = next_segment(&got);
		van_buf_reset(&c->path);
		van_buf_printf(&c->path, "segment %u", ++i);
		if ((a.p || b.p) && (!a.p || !b.p || !slice_eq(a, b)))
			differ(c, a, b);
	} while (a.p || b.p);
}

int map_sample_compare(struct slice expected, struct slice got, size_t most, struct van_buf *differences, size_t *ret_count,
	struct van_error *e)
{
	struct compare c = {.to = differences, .most = most, .path = VAN_BUF_INIT(65536)};
	int rc = 0;
	if (is_json(got))
		rc = compare_json(&c, expected, got, e);
	else
		compare_segments(&c, expected, got);
	van_buf_free(&c.path);
	if (rc == 0)
		*ret_count = c.count;
	return rc < 0 ? rc : differences->error;
}

int map_sample_check(const struct map_set *set, struct slice name, struct slice input, struct slice expected, struct van_buf *differences,
	struct van_error *e)
{
	struct van_buf got = VAN_BUF_INIT(RESULT_MAX);
	size_t count = 0;
	int rc = map_sample_run(set, name, input, &got, e);
	if (rc == 0)
		rc = map_sample_compare(expected, van_buf_slice(&got), DIFFERENCES_SHOWN, differences, &count, e);
	van_buf_free(&got);
	if (rc == 0 && count > DIFFERENCES_SHOWN)
		van_buf_printf(differences, "and %zu more\n", count - DIFFERENCES_SHOWN);
	if (rc == 0 && count)
		rc = van_error_set(e, VAN_ECONFLICT, "%zu difference%s", count, count == 1 ? "" : "s");
	return rc;
}
