/* Flat sheets: their rows and options. */
#include "map/flat_private.h"

#include "map/csv.h"

#include <stdio.h>

enum { TARGET, SOURCE, WHEN, TRANSFORM, TABLE, DEFAULT, REQUIRED, NOTE, WAY, COLUMNS };
static const char *const columns[COLUMNS] = {"target", "source", "when", "transform", "table", "default", "required", "note", "way"};

struct reader {
	struct van_arena *arena;
	struct flat_sheet *s;
	unsigned line;
	const char *cell;
	struct van_error *e;
};

static int fail(struct reader *r, const char *what, struct slice at)
{
	return van_error_set(r->e, VAN_ESYNTAX, "map %.*s, row %u%s%s: %s '%.*s'; see doc/flat-documents.md", SLICE_ARG(r->s->name), r->line,
		r->cell ? ", " : "", r->cell ? r->cell : "", what, SLICE_ARG(at));
}

static int no_memory(struct reader *r)
{
	return van_error_set(r->e, VAN_ENOMEM, "map %.*s, row %u: maps need more memory than their bound", SLICE_ARG(r->s->name), r->line);
}

bool flat_is_sheet(struct slice text)
{
	for (struct slice line; text.p && text.n;) {
		line = slice_trim(slice_cut(&text, '\n'));
		if (slice_starts(line, "@map,csv ") || slice_starts(line, "@map,\"csv "))
			return true;
		if (slice_starts(line, "@map"))
			return false;
	}
	return false;
}

/* The number of a column, new or known. */
static int column_of(struct reader *r, struct slice name, int32_t *ret)
{
	struct flat_sheet *s = r->s;
	for (uint32_t i = 0; i < s->column_count; i++)
		if (slice_case_eq(s->columns[i], name)) {
			*ret = (int32_t)i;
			return 0;
		}
	if (!s->columns)
		s->columns = van_arena_array(r->arena, FLAT_MAX_COLUMNS, sizeof *s->columns);
	if (!s->columns)
		return no_memory(r);
	if (s->column_count == FLAT_MAX_COLUMNS)
		return fail(r, "names more columns than 250 at", name);
	s->columns[s->column_count] = van_arena_slice(r->arena, name);
	*ret = (int32_t)s->column_count;
	return s->columns[s->column_count++].p ? 0 : no_memory(r);
}

static int compile(struct reader *r, struct slice text, const struct expression **ret)
{
	struct van_error e = {0};
	int rc = expression_compile(r->arena, slice_make(text.p + 1, text.n - 1), ret, &e);
	if (rc < 0)
		van_error_set(r->e, (enum van_err)rc, "map %.*s, row %u, %s: %s", SLICE_ARG(r->s->name), r->line, r->cell, e.text);
	return rc;
}

static bool in_quotes(struct slice s)
{
	return s.n >= 2 && (*s.p == '\'' || *s.p == '"') && s.p[s.n - 1] == *s.p;
}

/* --- options ----------------------------------------------------------------------------------------------------------- */

static int one_character(struct reader *r, struct slice v, char *to)
{
	if (slice_case_is(v, "tab"))
		v = SLICE("\t");
	if (v.n != 1 || (unsigned char)*v.p >= 0x80)
		return fail(r, "is one character (or tab), not", v);
	*to = *v.p;
	return 0;
}

static int yes_or_no(struct reader *r, struct slice v, bool *to)
{
	*to = slice_case_is(v, "yes");
	return *to || slice_case_is(v, "no") ? 0 : fail(r, "is yes or no, not", v);
}

static int encoding(struct reader *r, struct slice v)
{
	r->s->charset = EDI_CHARSET_NONE;
	if (slice_case_is(v, "UTF-8"))
		return 0;
	for (int c = EDI_CHARSET_UNOC; c < EDI_CHARSET_COUNT; c++)
		if (edi_charset_is_single((enum edi_charset)c) && slice_case_is(v, edi_charset_encoding((enum edi_charset)c))) {
			r->s->charset = (enum edi_charset)c;
			return 0;
		}
	return fail(r, "is UTF-8 or one like ISO-8859-1, not", v);
}

static int number_sign(struct reader *r, struct slice v, char *to)
{
	if (slice_case_is(v, "comma"))
		*to = ',';
	else if (slice_case_is(v, "point"))
		*to = '.';
	else
		return one_character(r, v, to);
	return 0;
}

/* STANDARD "csv" TYPE VERSION ARROW DOCUMENT */
static int head(struct reader *r, struct slice v)
{
	struct slice words[8];
	size_t n = 0;
	for (struct slice rest = v; rest.p && n < 8;) {
		struct slice word = slice_cut(&rest, ' ');
		if (word.n)
			words[n++] = word;
	}
	struct slice arrow = n >= 4 ? words[n - 2] : SLICE("");
	r->s->ways = slice_is(arrow, "<->") ? MAP_WAY_IN | MAP_WAY_OUT : slice_is(arrow, "->") ? MAP_WAY_IN : slice_is(arrow, "<-") ? MAP_WAY_OUT : 0;
	if (!r->s->ways)
		return fail(r, "@map needs a source like: csv order 1 <-> order/1.0, not", v);
	r->s->document = van_arena_slice(r->arena, words[n - 1]);
	return r->s->document.p ? 0 : no_memory(r);
}

static int option(struct reader *r, struct slice name, struct slice v)
{
	struct flat_sheet *s = r->s;
	r->cell = "source";
	if (slice_is(name, "@map"))
		return head(r, v);
	if (slice_is(name, "@delimiter"))
		return one_character(r, v, &s->delimiter);
	if (slice_is(name, "@quote"))
		return one_character(r, v, &s->quote);
	if (slice_is(name, "@decimal"))
		return number_sign(r, v, &s->decimal);
	if (slice_is(name, "@thousands"))
		return number_sign(r, v, &s->thousands);
	if (slice_is(name, "@encoding"))
		return encoding(r, v);
	if (slice_is(name, "@repeat"))
		return yes_or_no(r, v, &s->repeat);
	if (slice_is(name, "@header"))
		return yes_or_no(r, v, &s->header);
	if (slice_is(name, "@document"))
		return column_of(r, v, &s->key);
	if (slice_is(name, "@date")) {
		s->date = van_arena_slice(r->arena, v);
		return s->date.p ? 0 : no_memory(r);
	}
	r->cell = "target";
	return fail(r, "is one of @map @delimiter @quote @decimal @thousands @encoding @date @repeat @header @document, not", name);
}

/* --- rows -------------------------------------------------------------------------------------------------------------- */

static int transforms(struct reader *r, struct slice v, struct flat_row *row)
{
	static const char *const names[] = {"date", "time", "decimal", "number", "bool", "upper", "lower", "cut"};
	r->cell = "transform";
	while (v.p && v.n) {
		struct slice word = slice_cut(&v, ' '), argument = word, name = slice_cut(&argument, '(');
		unsigned long long n = 0;
		size_t k = 0;
		if (!word.n)
			continue;
		while (k < sizeof names / sizeof *names && !slice_is(name, names[k]))
			k++;
		if (k == sizeof names / sizeof *names || row->transform_count == MAP_MAX_TRANSFORMS)
			return fail(r, "is one of date time decimal number bool upper lower cut(N), not", word);
		if (argument.p && (!slice_ends(argument, ")") || !slice_u64(slice_make(argument.p, argument.n - 1), &n) || n > 9999))
			return fail(r, "a number is expected in", word);
		if (k == FLAT_CUT && !n)
			return fail(r, "needs a number of characters, cut(35), not", word);
		row->transforms[row->transform_count].kind = (enum flat_transform)k;
		row->transforms[row->transform_count++].argument = (uint32_t)n;
	}
	return 0;
}

static int values_of(struct reader *r, struct slice v, struct slice_list *ret)
{
	*ret = (struct slice_list){.v = van_arena_array(r->arena, v.n + 1, sizeof *ret->v)};
	if (!ret->v)
		return no_memory(r);
	while (v.p)
		ret->v[ret->n++] = slice_trim(slice_cut(&v, '|'));
	return 0;
}

static int conditions(struct reader *r, struct slice v, struct flat_row *row)
{
	r->cell = "when";
	while (v.n) {
		const char *and = memmem(v.p, v.n, " and ", 5);
		struct slice one = slice_trim(and ? slice_make(v.p, (size_t)(and - v.p)) : v), values = one, path = slice_cut(&values, '=');
		v = and ? slice_make(and + 5, v.n - (size_t)(and + 5 - v.p)) : SLICE("");
		if (row->condition_count == MAP_MAX_CONDITIONS || !path.n)
			return fail(r, "is like Type=380|381 or /schemeID=0088, joined by and, not", one);
		struct flat_condition *c = &row->conditions[row->condition_count++];
		*c = (struct flat_condition){.column = -1, .unequal = slice_ends(path, "!")};
		path = slice_trim(slice_make(path.p, path.n - c->unequal));
		if (*path.p == '/')
			c->place = slice_make(path.p + 1, path.n - 1);
		int rc = *path.p == '/' ? 0 : column_of(r, path, &c->column);
		if (rc == 0 && values.p)
			rc = values_of(r, values, &c->values);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int table_name(struct reader *r, struct slice v, struct flat_row *row)
{
	struct slice miss = v;
	r->cell = "table";
	row->table_name = slice_cut(&miss, ':');
	row->miss = !miss.p || slice_is(miss, "fail") ? FLAT_MISS_FAIL : slice_is(miss, "pass") ? FLAT_MISS_PASS : FLAT_MISS_DEFAULT;
	if (row->miss == FLAT_MISS_DEFAULT && !slice_is(miss, "default"))
		return fail(r, "behind the table's name stands fail, pass or default, not", miss);
	return 0;
}

/* Names joined by dots. */
static bool is_place(struct slice s)
{
	while (s.p) {
		struct slice part = slice_cut(&s, '.');
		part.n -= slice_ends(part, "[]") ? 2 : 0;
		if (!part.n || memchr(part.p, ' ', part.n) || memchr(part.p, '[', part.n))
			return false;
	}
	return true;
}

static int target(struct reader *r, struct slice v, struct flat_row *row)
{
	size_t n = r->s->loop.n;
	r->cell = "target";
	row->target = row->place = v;
	if (in_quotes(v)) {
		row->literal = slice_make(v.p + 1, v.n - 2);
		row->place = SLICE_NONE;
	} else if (*v.p == '=') {
		row->place = SLICE_NONE;
		return compile(r, v, &row->computed);
	} else if (!is_place(v)) {
		return fail(r, "is a place, 'text', =expression or @option, not", v);
	} else if (n && v.n > n + 1 && memcmp(v.p, r->s->loop.p, n) == 0 && v.p[n] == '.') {
		row->in_line = true;
		row->place = slice_make(v.p + n + 1, v.n - n - 1);
	}
	return 0;
}

static int source(struct reader *r, struct slice v, struct flat_row *row)
{
	r->cell = "source";
	if (!v.n)
		return row->fallback.p ? 0 : fail(r, "a row needs a source or a default:", row->target);
	if (*v.p == '=' && row->place.p)
		return compile(r, v, &row->computed);
	if (in_quotes(v) && row->place.p) {
		row->literal = slice_make(v.p + 1, v.n - 2);
		return 0;
	}
	return *v.p == '=' || in_quotes(v) ? fail(r, "what only goes out needs a column to go to, not", v) : column_of(r, v, &row->column);
}

static int add(struct reader *r, const struct flat_row *row)
{
	struct flat_sheet *s = r->s;
	if (s->count == MAP_MAX_ROWS)
		return fail(r, "the sheet has more rows than 4,000 at", row->target);
	if (s->count == s->room) {
		uint32_t room = s->room ? 2 * s->room : 32;
		struct flat_row *more = van_arena_array(r->arena, room, sizeof *more);
		if (!more)
			return no_memory(r);
		if (s->count)
			memcpy(more, s->rows, s->count * sizeof *more);
		s->rows = more;
		s->room = room;
	}
	s->rows[s->count++] = *row;
	return 0;
}

static int way(struct reader *r, struct slice v, struct flat_row *row)
{
	unsigned only = row->computed && row->place.p ? MAP_WAY_IN : !row->place.p ? MAP_WAY_OUT : MAP_WAY_IN | MAP_WAY_OUT;
	r->cell = "way";
	row->way = slice_case_is(v, "in") ? MAP_WAY_IN : slice_case_is(v, "out") ? MAP_WAY_OUT : only;
	if ((v.n && !slice_case_is(v, "in") && !slice_case_is(v, "out")) || !(row->way & only))
		return fail(r, "is in, out or blank, and what an expression or a text allows, not", v);
	return 0;
}

static int parse_row(struct reader *r, const struct slice *f)
{
	struct flat_row row = {.line = r->line, .column = -1, .fallback = f[DEFAULT].n ? f[DEFAULT] : SLICE_NONE};
	if (!f[TARGET].n || *f[TARGET].p == '#')
		return f[TARGET].n || !f[SOURCE].n ? 0 : fail(r, "target is missing for", f[SOURCE]);
	if (*f[TARGET].p == '@')
		return option(r, f[TARGET], f[SOURCE]);
	if (slice_is(f[SOURCE], "loop row")) {
		r->cell = "target";
		if (r->s->loop.n || !slice_ends(f[TARGET], "[]") || !is_place(f[TARGET]))
			return fail(r, "of loop row is a list, OrderLine[], once in a sheet, not", f[TARGET]);
		r->s->loop = f[TARGET];
		return 0;
	}
	row.required = slice_case_is(f[REQUIRED], "yes");
	r->cell = "required";
	if (f[REQUIRED].n && !row.required && !slice_case_is(f[REQUIRED], "no"))
		return fail(r, "is yes or no, not", f[REQUIRED]);
	int rc = target(r, f[TARGET], &row);
	rc = rc < 0 ? rc : source(r, f[SOURCE], &row);
	rc = rc < 0 ? rc : transforms(r, f[TRANSFORM], &row);
	rc = rc < 0 || !f[TABLE].n ? rc : table_name(r, f[TABLE], &row);
	rc = rc < 0 ? rc : conditions(r, f[WHEN], &row);
	rc = rc < 0 ? rc : way(r, f[WAY], &row);
	/* a row that only goes out belongs to the line when the one before it does */
	if (rc == 0 && !row.place.p)
		row.in_line = r->s->count ? r->s->rows[r->s->count - 1].in_line : r->s->loop.n > 0;
	return rc < 0 ? rc : add(r, &row);
}

static int parse_columns(struct reader *r, const struct slice *f, int *at)
{
	for (int i = 0; i < COLUMNS; i++) {
		at[i] = -1;
		for (int k = CSV_MAX_FIELDS; k-- > 0;)
			at[i] = slice_case_is(f[k], columns[i]) ? k : at[i];
	}
	if (at[TARGET] < 0 || at[SOURCE] < 0)
		return fail(r, "the first line must be: target,source,when,transform,table,default,required,note,way, not", f[0]);
	return 0;
}

int flat_parse(struct map_set *set, struct slice name, struct slice text, struct van_error *e)
{
	struct flat_sheet *s = van_arena_alloc(set->arena, sizeof *s);
	struct slice f[CSV_MAX_FIELDS], sorted[COLUMNS];
	struct csv csv;
	int at[COLUMNS];
	if (!s || !(s->name = van_arena_slice(set->arena, name)).p)
		return van_error_set(e, VAN_ENOMEM, "map %.*s: maps need more memory than their bound", SLICE_ARG(name));
	struct reader r = {.arena = set->arena, .s = s, .line = 1, .e = e};
	s->set = set;
	s->delimiter = ',';
	s->quote = '"';
	s->decimal = '.';
	s->date = SLICE("CCYY-MM-DD");
	s->key = -1;
	s->repeat = s->header = true;
	csv_begin(&csv, text);
	int rc = csv_next(&csv, set->arena, f);
	int bad = rc == 1 ? parse_columns(&r, f, at) : 0;
	while (rc == 1 && bad == 0 && (rc = csv_next(&csv, set->arena, f)) == 1) {
		r.line = csv.line;
		r.cell = NULL;
		for (int i = 0; i < COLUMNS; i++)
			sorted[i] = at[i] < 0 ? SLICE("") : f[at[i]];
		bad = parse_row(&r, sorted);
	}
	r.cell = NULL;
	if (bad < 0)
		return bad;
	if (rc < 0)
		return rc == VAN_ENOMEM ? no_memory(&r) : fail(&r, "a quote has no end, or the row has too many columns", SLICE(""));
	if (!s->ways)
		return fail(&r, "there is no row @map", SLICE(""));
	if (s->delimiter == s->quote)
		return fail(&r, "@delimiter and @quote are the same:", slice_make(&s->quote, 1));
	s->next = set->flats;
	set->flats = s;
	return 0;
}

int flat_link(struct map_set *set, struct van_error *e)
{
	for (struct flat_sheet *s = set->flats; s; s = s->next)
		for (uint32_t i = 0; i < s->count; i++) {
			struct flat_row *row = &s->rows[i];
			for (const struct map_set *in = set; in && row->table_name.n && !row->table; in = in->more)
				for (const struct map_table *t = in->tables; t && !row->table; t = t->next)
					row->table = slice_eq(t->name, row->table_name) ? t : NULL;
			if (row->table_name.n && !row->table)
				return van_error_set(e, VAN_ESYNTAX, "map %.*s, row %u, table: there is no table %.*s; add table-%.*s.csv, or vanctl table import it",
					SLICE_ARG(s->name), row->line, SLICE_ARG(row->table_name), SLICE_ARG(row->table_name));
		}
	return 0;
}

const struct flat_sheet *flat_alone(const struct map_set *set)
{
	return set->flats && !set->flats->next && !set->sheets ? set->flats : NULL;
}

const struct flat_sheet *flat_find(const struct map_set *set, struct slice name)
{
	const struct flat_sheet *s = set->flats;
	while (s && !slice_eq(s->name, name))
		s = s->next;
	return s;
}

const struct flat_sheet *flat_find_out(const struct map_set *set, struct slice document)
{
	const struct flat_sheet *found = NULL;
	for (const struct flat_sheet *s = set->flats; s; s = s->next)
		if (slice_eq(s->document, document) && s->ways & MAP_WAY_OUT) {
			if (found)
				return NULL;
			found = s;
		}
	return found;
}
