#include "map/table.h"

#include "edi/calendar.h"
#include "map/csv.h"

#include <stdlib.h>

enum { FROM, TO, PARTNER, DIRECTION, VALID_FROM, VALID_UNTIL, COLUMNS };
static const char *const column_names[COLUMNS] = {"from", "to", "partner", "direction", "valid_from", "valid_until"};

struct reader {
	struct van_arena *arena;
	struct slice name;
	struct csv csv;
	struct van_error *e;
	int columns[COLUMNS]; /* -1: not there */
	struct map_table_row *rows;
	size_t n, room;
};

static int bad(struct reader *r, const char *cell, struct slice value, const char *what)
{
	return van_error_set(r->e, VAN_ESYNTAX, "table %.*s, row %u, %s '%.*s': %s", SLICE_ARG(r->name), r->csv.line, cell, SLICE_ARG(value), what);
}

/* Without names for them the first two columns are from and to. */
static int read_head(struct reader *r, const struct slice *f)
{
	csv_columns(f, column_names, COLUMNS, r->columns);
	if (r->columns[FROM] < 0 || r->columns[TO] < 0)
		return bad(r, "first line", f[0], "it must name the columns from and to");
	return 0;
}

static struct slice cell(const struct reader *r, const struct slice *f, int k)
{
	return r->columns[k] < 0 ? SLICE("") : f[r->columns[k]];
}

/* One that exists, or none. */
static bool is_day(struct slice s)
{
	char digits[8];
	if (!s.n)
		return true;
	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
		return false;
	memcpy(digits, s.p, 4);
	memcpy(digits + 4, s.p + 5, 2);
	memcpy(digits + 6, s.p + 8, 2);
	return edi_good_date(slice_make(digits, sizeof digits));
}

static int add_row(struct reader *r, const struct slice *f)
{
	struct map_table_row row = {.from = cell(r, f, FROM), .to = cell(r, f, TO), .partner = cell(r, f, PARTNER), .line = r->csv.line,
		.valid_from = cell(r, f, VALID_FROM), .valid_until = cell(r, f, VALID_UNTIL)};
	struct slice way = cell(r, f, DIRECTION);
	if (row.from.n && *row.from.p == '#')
		return 0;
	if (!row.from.n)
		return bad(r, "from", row.from, "a row needs a value; * stands for any");
	if (way.n && !slice_is(way, "in") && !slice_is(way, "out"))
		return bad(r, "direction", way, "it is in, out or empty (both)");
	row.way = slice_is(way, "in") ? MAP_TABLE_IN : slice_is(way, "out") ? MAP_TABLE_OUT : MAP_TABLE_BOTH;
	if (!is_day(row.valid_from) || !is_day(row.valid_until))
		return bad(r, is_day(row.valid_from) ? "valid_until" : "valid_from", is_day(row.valid_from) ? row.valid_until : row.valid_from,
			"a day is written like 2026-01-31, and exists");
	if (row.valid_from.n && row.valid_until.n && slice_cmp(row.valid_from, row.valid_until) > 0)
		return bad(r, "valid_until", row.valid_until, "it is before valid_from: the row would never hold");
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 64;
		struct map_table_row *more = realloc(r->rows, room * sizeof *more);
		if (!more)
			return VAN_ENOMEM;
		r->rows = more;
		r->room = room;
	}
	r->rows[r->n++] = row;
	return 0;
}

static bool is_wild(const struct map_table_row *row)
{
	return row->from.p[row->from.n - 1] == '*';
}

static int by_from(const void *a, const void *b)
{
	const struct map_table_row *x = a, *y = b;
	int order = slice_cmp(x->from, y->from);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int by_to(const void *a, const void *b)
{
	const struct map_table_row *x = *(struct map_table_row *const *)a, *y = *(struct map_table_row *const *)b;
	int order = slice_cmp(x->to, y->to);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static uint32_t hash_of(struct slice s)
{
	uint32_t h = (uint32_t)s.n;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h ^ h >> 15;
}

/* Where each value's first row is. */
static int index_rows(struct map_table *t, struct van_arena *arena)
{
	uint32_t size = 4;
	while (size < 2 * t->count)
		size *= 2;
	t->mask = size - 1;
	t->in_at = van_arena_array(arena, size, sizeof *t->in_at);
	t->out_at = van_arena_array(arena, size, sizeof *t->out_at);
	if (!t->in_at || !t->out_at)
		return VAN_ENOMEM;
	for (size_t i = 0; i < t->count; i++) {
		uint32_t at = hash_of(t->rows[i].from) & t->mask;
		if (i && slice_eq(t->rows[i].from, t->rows[i - 1].from))
			continue;
		while (t->in_at[at])
			at = (at + 1) & t->mask;
		t->in_at[at] = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < t->back_count; i++) {
		uint32_t at = hash_of(t->back[i]->to) & t->mask;
		if (i && slice_eq(t->back[i]->to, t->back[i - 1]->to))
			continue;
		while (t->out_at[at])
			at = (at + 1) & t->mask;
		t->out_at[at] = (uint32_t)i + 1;
	}
	return 0;
}

static int build(struct map_table *t, struct reader *r)
{
	t->name = van_arena_slice(r->arena, r->name);
	t->rows = van_arena_array(r->arena, r->n + 1, sizeof *t->rows);
	t->back = van_arena_array(r->arena, r->n + 1, sizeof *t->back);
	t->wild = van_arena_array(r->arena, r->n + 1, sizeof *t->wild);
	if (!t->name.p || !t->rows || !t->back || !t->wild)
		return VAN_ENOMEM;
	if (r->n)
		memcpy(t->rows, r->rows, r->n * sizeof *t->rows);
	t->count = r->n;
	t->plain = true;
	for (size_t i = 0; i < t->count; i++)
		t->plain &= t->rows[i].way == MAP_TABLE_BOTH && !t->rows[i].partner.n && !t->rows[i].valid_from.n && !t->rows[i].valid_until.n;
	qsort(t->rows, t->count, sizeof *t->rows, by_from);
	for (size_t i = 0; i < t->count; i++) {
		if (is_wild(&t->rows[i]))
			t->wild[t->wild_count++] = &t->rows[i];
		else
			t->back[t->back_count++] = &t->rows[i];
	}
	qsort(t->back, t->back_count, sizeof *t->back, by_to);
	return index_rows(t, r->arena);
}

int map_table_parse(struct van_arena *arena, struct slice name, struct slice text, struct map_table **ret, struct van_error *e)
{
	struct map_table *t = van_arena_alloc(arena, sizeof *t);
	struct reader r = {.arena = arena, .name = name, .e = e};
	struct van_error none = {0};
	struct slice f[CSV_MAX_FIELDS];
	if (!e)
		r.e = &none;
	r.e->text[0] = 0;
	csv_begin(&r.csv, text);
	int rc = t ? csv_next(&r.csv, arena, f) : VAN_ENOMEM;
	if (rc == 1)
		rc = read_head(&r, f) < 0 ? VAN_ESYNTAX : 1;
	while (rc == 1 && (rc = csv_next(&r.csv, arena, f)) == 1)
		rc = add_row(&r, f) < 0 ? VAN_ESYNTAX : 1;
	if (rc == 0)
		rc = build(t, &r);
	free(r.rows);
	if (rc == VAN_ENOMEM)
		return van_error_set(e, VAN_ENOMEM, "table %.*s: maps need more memory than their bound", SLICE_ARG(name));
	if (rc < 0)
		return r.e->text[0] ? rc : van_error_set(e, VAN_ESYNTAX, "table %.*s, row %u: a quote has no end, or the row has too many columns; mend the "
			"file", SLICE_ARG(name), r.csv.line);
	*ret = t;
	return 0;
}

/* --- looking up ---------------------------------------------------------------------------------------------------------------- */

struct search {
	const struct map_table_scope *scope;
	enum map_table_way way;
	const struct map_table_row *best;
	uint64_t rank; /* of the best; 0: none */
};

/* How well a row fits; 0: it does not. Of equal ones the first asked about stays. */
static uint64_t rank_of(const struct search *s, const struct map_table_row *row)
{
	struct slice day = s->scope ? slice_str(s->scope->day) : SLICE("");
	if (row->way != MAP_TABLE_BOTH && row->way != s->way)
		return 0;
	if (row->partner.n && !(s->scope && s->scope->partner.p && slice_eq(row->partner, s->scope->partner)))
		return 0;
	if (day.n && row->valid_from.n && slice_cmp(row->valid_from, day) > 0)
		return 0;
	if (day.n && row->valid_until.n && slice_cmp(row->valid_until, day) < 0)
		return 0;
	uint64_t exact = is_wild(row) ? row->from.n : UINT32_MAX;
	return (uint64_t)(row->partner.n != 0) << 34 | (uint64_t)(row->way != MAP_TABLE_BOTH) << 33 | exact;
}

static void consider(struct search *s, const struct map_table_row *row)
{
	uint64_t rank = rank_of(s, row);
	if (rank > s->rank) {
		s->rank = rank;
		s->best = row;
	}
}

/* The first row of the value; t->count: none. */
static size_t first_from(const struct map_table *t, struct slice from)
{
	uint32_t at = hash_of(from) & t->mask;
	while (t->in_at[at] && !slice_eq(t->rows[t->in_at[at] - 1].from, from))
		at = (at + 1) & t->mask;
	return t->in_at[at] ? t->in_at[at] - 1 : t->count;
}

static size_t first_to(const struct map_table *t, struct slice to)
{
	uint32_t at = hash_of(to) & t->mask;
	while (t->out_at[at] && !slice_eq(t->back[t->out_at[at] - 1]->to, to))
		at = (at + 1) & t->mask;
	return t->out_at[at] ? t->out_at[at] - 1 : t->back_count;
}

static void search_from(struct search *s, const struct map_table *t, struct slice from)
{
	size_t low = first_from(t, from);
	for (; low < t->count && slice_eq(t->rows[low].from, from); low++)
		if (!is_wild(&t->rows[low]))
			consider(s, &t->rows[low]);
	for (size_t i = 0; i < t->wild_count; i++) {
		struct slice stem = t->wild[i]->from;
		stem.n--;
		if (stem.n <= from.n && memcmp(stem.p, from.p, stem.n) == 0)
			consider(s, t->wild[i]);
	}
}

static void search_to(struct search *s, const struct map_table *t, struct slice to)
{
	size_t low = first_to(t, to);
	for (; low < t->back_count && slice_eq(t->back[low]->to, to); low++)
		consider(s, t->back[low]);
}

/* Where all rows fit everybody, always and both ways, the value's first one is the best. NULL: it has none; a wild one may fit. */
static const struct map_table_row *find_plainly(const struct map_table *t, enum map_table_way way, struct slice value)
{
	size_t i = way == MAP_TABLE_OUT ? first_to(t, value) : first_from(t, value);
	if (way == MAP_TABLE_OUT)
		return i < t->back_count ? t->back[i] : NULL;
	return i < t->count && !is_wild(&t->rows[i]) ? &t->rows[i] : NULL;
}

const struct map_table_row *map_table_find(const struct map_table *t, enum map_table_way way, struct slice value)
{
	const struct map_table_row *plainly = t->plain && !t->base ? find_plainly(t, way, value) : NULL;
	if (plainly || (t->plain && !t->base && !t->wild_count))
		return plainly;
	struct search s = {.scope = t->scope, .way = way};
	for (; t; t = t->base) {
		if (way == MAP_TABLE_OUT)
			search_to(&s, t, value);
		else
			search_from(&s, t, value);
	}
	return s.best;
}

bool map_table_in(const struct map_table *t, struct slice from, struct slice *ret)
{
	const struct map_table_row *row = map_table_find(t, MAP_TABLE_IN, from);
	if (row)
		*ret = row->to;
	return row != NULL;
}

bool map_table_out(const struct map_table *t, struct slice to, struct slice *ret)
{
	const struct map_table_row *row = map_table_find(t, MAP_TABLE_OUT, to);
	if (row)
		*ret = row->from;
	return row != NULL;
}
