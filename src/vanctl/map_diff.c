/* map diff: two versions of a sheet, by rows and cells. */
#include "map/csv.h"
#include "vanctl/map.h"
#include "vanctl/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	struct slice f[CSV_MAX_FIELDS];
	unsigned line;
};
struct rows {
	struct slice columns[CSV_MAX_FIELDS];
	struct row *v;
	size_t n, room;
};

static int read_rows(struct map_source *s, struct rows *to)
{
	struct csv csv;
	struct row r;
	csv_begin(&csv, s->text);
	int rc = csv_next(&csv, s->arena, to->columns);
	while (rc == 1 && (rc = csv_next(&csv, s->arena, r.f)) == 1) {
		if (to->n == to->room) {
			size_t room = to->room ? 2 * to->room : 256;
			struct row *more = realloc(to->v, room * sizeof *more);
			if (!more)
				return ctl_fail(CTL_USAGE, "out of memory");
			to->v = more;
			to->room = room;
		}
		r.line = csv.line;
		to->v[to->n++] = r;
	}
	return rc < 0 ? ctl_fail(CTL_NO, "%s: row %u can't be read", map_source_place(s), csv.line) : CTL_DONE;
}

static int column_of(const struct rows *r, struct slice name)
{
	for (int i = 0; i < CSV_MAX_FIELDS; i++)
		if (name.n && slice_eq(r->columns[i], name))
			return i;
	return -1;
}

static struct slice cell(const struct rows *in, const struct row *r, struct slice column)
{
	int i = column_of(in, column);
	return i < 0 ? SLICE("") : r->f[i];
}

static bool same(const struct rows *a, const struct row *x, const struct rows *b, const struct row *y)
{
	for (int i = 0; i < CSV_MAX_FIELDS; i++)
		if ((a->columns[i].n && !slice_eq(x->f[i], cell(b, y, a->columns[i]))) ||
		    (b->columns[i].n && !slice_eq(y->f[i], cell(a, x, b->columns[i]))))
			return false;
	return true;
}

/* The same row, perhaps with other cells: target and source are what it is about. */
static bool akin(const struct rows *a, const struct row *x, const struct rows *b, const struct row *y)
{
	return slice_eq(cell(a, x, SLICE("target")), cell(b, y, SLICE("target"))) &&
	       slice_eq(cell(a, x, SLICE("source")), cell(b, y, SLICE("source")));
}

struct diff {
	const struct rows *a, *b;
	json_t *list;
	size_t count;
};

static void put(struct diff *d, const char *change, unsigned row, struct slice column, struct slice before, struct slice after)
{
	d->count++;
	json_array_append_new(d->list, json_pack("{s:s, s:i, s:s%, s:s%, s:s%}", "change", change, "row", (int)row, "cell",
						 column.p ? column.p : "", column.n, "before", before.p ? before.p : "", before.n, "after",
						 after.p ? after.p : "", after.n));
}

static struct slice summary(const struct rows *in, const struct row *r, char *to, size_t room)
{
	struct slice target = cell(in, r, SLICE("target")), source = cell(in, r, SLICE("source"));
	int n = snprintf(to, room, "%.*s%s%.*s", SLICE_ARG(target.n ? target : r->f[0]), target.n ? " <- " : " ",
			 SLICE_ARG(target.n ? source : r->f[1]));
	return slice_make(to, n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1);
}

static void put_changed(struct diff *d, const struct row *x, const struct row *y)
{
	for (int i = 0; i < CSV_MAX_FIELDS; i++) {
		struct slice column = d->b->columns[i];
		if (column.n && !slice_eq(cell(d->a, x, column), y->f[i]))
			put(d, "changed", y->line, column, cell(d->a, x, column), y->f[i]);
	}
	for (int i = 0; i < CSV_MAX_FIELDS; i++)
		if (d->a->columns[i].n && column_of(d->b, d->a->columns[i]) < 0 && x->f[i].n)
			put(d, "changed", y->line, d->a->columns[i], x->f[i], SLICE(""));
}

static void put_row(struct diff *d, bool added, const struct row *r)
{
	char text[400];
	struct slice s = summary(added ? d->b : d->a, r, text, sizeof text);
	put(d, added ? "added" : "removed", r->line, SLICE_NONE, added ? SLICE_NONE : s, added ? s : SLICE_NONE);
}

/* Longest common subsequence of rows, weighted: equal rows before akin ones. */
static int walk(struct diff *d)
{
	size_t n = d->a->n, m = d->b->n;
	uint32_t *w = n < 20000 && m < 20000 ? calloc((n + 1) * (m + 1), sizeof *w) : NULL;
#define W(i, k) w[(i) * (m + 1) + (k)]
	if (!w)
		return ctl_fail(CTL_USAGE, "the sheets are too long to be compared");
	for (size_t i = n; i-- > 0;)
		for (size_t k = m; k-- > 0;) {
			const struct row *x = &d->a->v[i], *y = &d->b->v[k];
			uint32_t best = W(i + 1, k) > W(i, k + 1) ? W(i + 1, k) : W(i, k + 1);
			uint32_t gain = same(d->a, x, d->b, y) ? 3 : akin(d->a, x, d->b, y) ? 2 : 0;
			W(i, k) = gain && gain + W(i + 1, k + 1) > best ? gain + W(i + 1, k + 1) : best;
		}
	for (size_t i = 0, k = 0; i < n || k < m;) {
		const struct row *x = i < n ? &d->a->v[i] : NULL, *y = k < m ? &d->b->v[k] : NULL;
		bool equal = x && y && same(d->a, x, d->b, y), near = x && y && akin(d->a, x, d->b, y);
		if ((equal || near) && W(i, k) == W(i + 1, k + 1) + (equal ? 3 : 2)) {
			if (!equal)
				put_changed(d, x, y);
			i++, k++;
		} else if (y && (!x || W(i, k + 1) > W(i + 1, k))) {
			put_row(d, true, y);
			k++;
		} else {
			put_row(d, false, x);
			i++;
		}
	}
#undef W
	free(w);
	return CTL_DONE;
}

static const struct print_column columns[] = {
	{"ROW", "row"}, {"CHANGE", "change"}, {"CELL", "cell"}, {"BEFORE", "before"}, {"AFTER", "after"}, {NULL, NULL},
};

static int show(struct ctl *c, struct map_source *x, struct map_source *y)
{
	struct rows a = {.n = 0}, b = {.n = 0};
	struct diff d = {.a = &a, .b = &b, .list = json_array()};
	int status = read_rows(x, &a);
	if (!status)
		status = read_rows(y, &b);
	if (!status)
		status = walk(&d);
	if (!status && c->json)
		print_json(d.list);
	else if (!status && d.count)
		print_table(d.list, columns);
	if (!status && d.count)
		status = CTL_NO;
	free(a.v);
	free(b.v);
	json_decref(d.list);
	return status;
}

/* V1 and V2: numbers, "shipped", or files. */
static int open_version(struct ctl *c, const char *version, struct map_source *to)
{
	if (strchr(version, '/') || strchr(version, '.'))
		return map_source_open(c, version, to);
	json_object_set_new(c->options, "map_version", json_string(version));
	return map_source_open(c, c->args[0], to);
}

int map_diff(struct ctl *c)
{
	struct map_source a = {0}, b = {0};
	int status = open_version(c, c->args[1], &a);
	json_object_del(c->options, "map_version");
	if (!status)
		status = c->nargs > 2 ? open_version(c, c->args[2], &b) : map_source_open(c, c->args[0], &b);
	if (!status)
		status = show(c, &a, &b);
	map_source_free(&a);
	map_source_free(&b);
	return status;
}
