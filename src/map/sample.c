#include "map/sample.h"

#include "edi/check.h"
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
	struct map_envelope envelope = {i->sender, i->receiver, i->control_number, g->real ? g->control_number : SLICE_NONE,
		m->control_number, i->usage == 'T', i->version, g->real ? g->date : i->date, g->real ? g->time : i->time};
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

int map_sample_run(const struct map_set *set, struct slice name, struct slice input, struct van_buf *to, struct van_error *e)
{
	(void)name;
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

/* --- comparing --------------------------------------------------------------------------------------------------------------- */

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

static bool is_json(struct slice s)
{
	s = slice_trim(s);
	return s.n && (*s.p == '{' || *s.p == '[');
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

/* The next segment, or line; absent at the end. */
static struct slice next_segment(struct slice *rest)
{
	while (rest->n) {
		size_t n = 0;
		while (n < rest->n && !strchr("\n~'", rest->p[n]))
			n++;
		struct slice s = slice_trim(slice_make(rest->p, n));
		n += n < rest->n;
		*rest = slice_make(rest->p + n, rest->n - n);
		if (s.n)
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
