/* Rows of a map file: target, source, when, transform, table, default, required, note. */
#include "map/rows.h"

#include "map/csv.h"

enum { TARGET, SOURCE, WHEN, TRANSFORM, TABLE, DEFAULT, REQUIRED, NOTE, COLUMNS };

struct reader {
	struct map_set *set;
	struct map *map;
	struct slice file;
	unsigned line;
	struct van_error *e;
};

static int fail(struct reader *r, const char *what, struct slice at)
{
	return van_error_set(r->e, VAN_ESYNTAX, "map %.*s, row %u: %s '%.*s'; see maps/README.md", SLICE_ARG(r->file), r->line, what,
		SLICE_ARG(at));
}

static int no_memory(struct reader *r)
{
	return van_error_set(r->e, VAN_ENOMEM, "map %.*s, row %u: maps need more memory than their bound", SLICE_ARG(r->file), r->line);
}

static bool small_number(struct slice s, uint32_t *ret)
{
	unsigned long long v;
	if (!slice_u64(s, &v) || v > 999)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* Words of a list, parted by any of `separators`. */
static int split(struct reader *r, struct slice s, const char *separators, struct slice_list *ret)
{
	*ret = (struct slice_list){.v = van_arena_array(r->set->arena, s.n + 1, sizeof *ret->v)};
	if (!ret->v)
		return no_memory(r);
	size_t start = 0;
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && !strchr(separators, s.p[i]))
			continue;
		if (i > start)
			ret->v[ret->n++] = slice_make(s.p + start, i - start);
		start = i + 1;
	}
	return 0;
}

/* SEG.NN or SEG.NN.CC */
static bool element_path(struct slice s, struct slice *segment, uint32_t *element, uint32_t *component)
{
	*segment = slice_cut(&s, '.');
	struct slice number = s.p ? slice_cut(&s, '.') : SLICE_NONE;
	*component = 0;
	return segment->n >= 2 && segment->n <= 3 && number.p && small_number(number, element) && *element &&
	       (!s.p || (small_number(s, component) && *component));
}

/* SEG.NN-MM[QUALIFIER] */
static bool pairs_path(struct slice s, struct map_row *row)
{
	struct slice rest = s, segment = slice_cut(&rest, '.'), qualifier = rest.p ? rest : SLICE("");
	struct slice range = slice_cut(&qualifier, '['), last = range, first = slice_cut(&last, '-');
	if (!qualifier.p || !qualifier.n || qualifier.p[qualifier.n - 1] != ']' || !last.p)
		return false;
	row->segment = segment;
	row->literal = slice_make(qualifier.p, qualifier.n - 1);
	return small_number(first, &row->element) && small_number(last, &row->last) && row->element && row->last > row->element;
}

/* loop SEG of SEG SEG … · loop SEG until SEG SEG … */
static int loop_source(struct reader *r, struct slice s, struct map_row *row)
{
	struct slice_list words;
	int rc = split(r, s, " ", &words);
	if (rc < 0)
		return rc;
	if (words.n < 2 || (words.n > 2 && !slice_is(words.v[2], "of") && !slice_is(words.v[2], "until")))
		return fail(r, "expected: loop SEGMENT of|until SEGMENTS, not", s);
	row->kind = MAP_LOOP;
	row->segment = words.v[1];
	row->until = words.n > 2 && slice_is(words.v[2], "until");
	if (words.n > 3)
		row->members = (struct slice_list){words.v + 3, words.n - 3};
	return 0;
}

static int parse_source(struct reader *r, struct slice s, struct map_row *row)
{
	static const char *const envelope[] = {"@sender", "@receiver", "@interchange", "@group", "@message", "@test"};
	if (!s.n)
		return 0;
	if (slice_starts(s, "loop "))
		return loop_source(r, s, row);
	if (s.n >= 2 && (*s.p == '"' || *s.p == '\'') && s.p[s.n - 1] == *s.p) {
		row->kind = MAP_LITERAL;
		row->literal = slice_make(s.p + 1, s.n - 2);
		return 0;
	}
	for (size_t i = 0; i < sizeof envelope / sizeof *envelope; i++)
		if (slice_is(s, envelope[i])) {
			row->kind = MAP_ENVELOPE;
			row->element = (uint32_t)i;
			return 0;
		}
	if (*s.p == '^') {
		row->outer = true;
		s = slice_make(s.p + 1, s.n - 1);
	}
	if (pairs_path(s, row))
		row->kind = MAP_PAIRS;
	else if (element_path(s, &row->segment, &row->element, &row->component))
		row->kind = MAP_ELEMENT;
	else
		return fail(r, "source must be SEG.NN, SEG.NN.CC, SEG.NN-MM[QUALIFIER], 'text', @name or loop …, not", s);
	return 0;
}

/* SEG.NN=A|B, SEG.NN!=A|B or SEG.NN, joined by " and " */
static int parse_when(struct reader *r, struct slice s, struct map_row *row)
{
	while (s.n) {
		size_t end = 0;
		while (end < s.n && !(s.n - end >= 5 && memcmp(s.p + end, " and ", 5) == 0))
			end++;
		struct slice one = slice_trim(slice_make(s.p, end)), values = one, path = slice_cut(&values, '=');
		s = end < s.n ? slice_make(s.p + end + 5, s.n - end - 5) : SLICE("");
		if (row->condition_count == MAP_MAX_CONDITIONS)
			return fail(r, "too many conditions at", one);
		struct map_condition *c = &row->conditions[row->condition_count++];
		if (path.n && path.p[path.n - 1] == '!') {
			c->unequal = true;
			path.n--;
		}
		if (!element_path(slice_trim(path), &c->segment, &c->element, &c->component))
			return fail(r, "when must be like REF.01=DP|IA, not", one);
		if (values.p && split(r, values, "|", &c->values) < 0)
			return VAN_ENOMEM;
	}
	return 0;
}

static int parse_transform(struct reader *r, struct slice s, struct map_row *row)
{
	static const char *const names[] = {"date", "time", "decimal", "implied", "upper", "lower", "number", "bool"};
	struct slice_list words;
	int rc = split(r, s, " ;", &words);
	for (size_t i = 0; i < words.n && rc == 0; i++) {
		struct slice argument = words.v[i], name = slice_cut(&argument, '(');
		size_t k = 0;
		while (k < sizeof names / sizeof *names && !slice_is(name, names[k]))
			k++;
		if (k == sizeof names / sizeof *names || row->transform_count == MAP_MAX_TRANSFORMS)
			return fail(r, "transform is one of date time decimal implied(N) upper lower number bool, not", words.v[i]);
		struct map_transform *t = &row->transforms[row->transform_count++];
		t->kind = k;
		if (argument.n && argument.p[argument.n - 1] == ')' && !small_number(slice_make(argument.p, argument.n - 1), &t->argument))
			return fail(r, "a number is expected in", words.v[i]);
	}
	return rc;
}

static int parse_table_name(struct reader *r, struct slice s, struct map_row *row)
{
	struct slice miss = s;
	row->table_name = slice_cut(&miss, ':');
	if (!miss.p || slice_is(miss, "fail"))
		row->miss = MAP_MISS_FAIL;
	else if (slice_is(miss, "pass"))
		row->miss = MAP_MISS_PASS;
	else if (slice_is(miss, "default"))
		row->miss = MAP_MISS_DEFAULT;
	else
		return fail(r, "after the table's name: fail, pass or default, not", miss);
	return 0;
}

/* The innermost loop whose target the row's target begins with. */
static int32_t loop_of(const struct map *m, struct slice target, struct slice *rest)
{
	int32_t best = -1;
	*rest = target;
	for (int32_t i = 0; i < m->count; i++) {
		struct slice t = m->rows[i].target;
		if (m->rows[i].kind != MAP_LOOP || target.n <= t.n + 1 || memcmp(target.p, t.p, t.n) != 0 || target.p[t.n] != '.')
			continue;
		if (best < 0 || t.n >= m->rows[best].target.n)
			best = i;
	}
	if (best >= 0)
		*rest = slice_make(target.p + m->rows[best].target.n + 1, target.n - m->rows[best].target.n - 1);
	return best;
}

static int parse_target(struct reader *r, struct slice target, struct map_row *row)
{
	struct slice rest;
	row->target = target;
	row->loop = loop_of(r->map, target, &rest);
	while (rest.p) {
		struct slice part = slice_cut(&rest, '.');
		if (row->part_count == MAP_MAX_PARTS || !part.n)
			return fail(r, "target has an empty part or too many of them:", target);
		bool array = slice_ends(part, "[]");
		part.n -= array ? 2 : 0;
		row->array[row->part_count] = array;
		row->parts[row->part_count++] = part;
	}
	return 0;
}

/* @map STANDARD TYPE VERSION -> TARGET, in the source column: "x12 850 004010 -> order/1.0" */
static int parse_head(struct reader *r, struct slice s)
{
	struct slice_list words;
	int rc = split(r, s, " ", &words);
	if (rc < 0)
		return rc;
	if (words.n != 5 || !slice_is(words.v[3], "->"))
		return fail(r, "@map needs a source like: x12 850 004010 -> order/1.0, not", s);
	r->map->standard = van_arena_str(r->set->arena, words.v[0]);
	r->map->type = words.v[1];
	r->map->version = words.v[2];
	r->map->target = van_arena_str(r->set->arena, words.v[4]);
	return r->map->standard && r->map->target ? 0 : no_memory(r);
}

static int add_row(struct reader *r, const struct map_row *row)
{
	struct map *m = r->map;
	if (m->count == m->room) {
		int32_t room = m->room ? 2 * m->room : 64;
		struct map_row *more = van_arena_array(r->set->arena, (size_t)room, sizeof *more);
		if (!more)
			return no_memory(r);
		if (m->count)
			memcpy(more, m->rows, (size_t)m->count * sizeof *more);
		m->rows = more;
		m->room = room;
	}
	m->rows[m->count++] = *row;
	return 0;
}

static int parse_row(struct reader *r, const struct slice *f)
{
	struct map_row row = {.line = r->line, .loop = -1, .fallback = f[DEFAULT].n ? f[DEFAULT] : SLICE_NONE};
	if (*f[TARGET].p == '#')
		return 0;
	if (slice_is(f[TARGET], "@map"))
		return parse_head(r, f[SOURCE]);
	row.required = slice_case_is(f[REQUIRED], "yes");
	if (f[REQUIRED].n && !row.required && !slice_case_is(f[REQUIRED], "no"))
		return fail(r, "required is yes or no, not", f[REQUIRED]);
	int rc = parse_source(r, f[SOURCE], &row);
	if (rc == 0)
		rc = parse_target(r, f[TARGET], &row);
	if (rc == 0)
		rc = parse_when(r, f[WHEN], &row);
	if (rc == 0)
		rc = parse_transform(r, f[TRANSFORM], &row);
	if (rc == 0 && f[TABLE].n)
		rc = parse_table_name(r, f[TABLE], &row);
	if (rc == 0 && row.kind == MAP_NOTHING && !row.fallback.p)
		rc = fail(r, "a row needs a source or a default:", f[TARGET]);
	return rc < 0 ? rc : add_row(r, &row);
}

int map_parse(struct map_set *set, struct slice name, struct slice text, struct van_error *e)
{
	static const char *const columns[] = {"target", "source", "when", "transform", "table", "default", "required", "note"};
	struct reader r = {.set = set, .file = name, .e = e, .map = van_arena_alloc(set->arena, sizeof *r.map)};
	struct slice f[CSV_MAX_FIELDS];
	struct csv csv;
	if (!r.map || !(r.map->name = van_arena_str(set->arena, name)))
		return no_memory(&r);
	csv_begin(&csv, text);
	int rc = csv_next(&csv, set->arena, f);
	r.line = csv.line;
	for (size_t i = 0; i < COLUMNS && rc == 1; i++)
		if (!slice_case_is(f[i], columns[i]))
			return fail(&r, "the first line must name the columns target,source,when,transform,table,default,required,note; wrong is", f[i]);
	while (rc == 1 && (rc = csv_next(&csv, set->arena, f)) == 1) {
		r.line = csv.line;
		int bad = f[TARGET].n ? parse_row(&r, f) : fail(&r, "a row needs a target", f[SOURCE]);
		if (bad < 0)
			return bad;
	}
	r.line = csv.line;
	if (rc == VAN_ENOMEM)
		return no_memory(&r);
	if (rc < 0)
		return fail(&r, "a quote has no end, or the row has too many columns", SLICE(""));
	if (!r.map->target)
		return fail(&r, "there is no @map row", SLICE(""));
	r.map->next = set->maps;
	set->maps = r.map;
	return 0;
}

int map_parse_table(struct map_set *set, struct slice name, struct slice text, struct van_error *e)
{
	struct map_table *t = NULL;
	int rc = map_table_parse(set->arena, name, text, &t, e);
	if (rc < 0)
		return rc;
	t->next = set->tables;
	set->tables = t;
	return 0;
}

/* Chains the rows of each loop, in their order. */
static void chain_rows(struct map *m)
{
	m->first = m->first_loop = -1;
	for (int32_t i = 0; i < m->count; i++)
		m->rows[i].first = m->rows[i].first_loop = -1;
	for (int32_t i = m->count - 1; i >= 0; i--) {
		struct map_row *row = &m->rows[i], *loop = row->loop < 0 ? NULL : &m->rows[row->loop];
		int32_t *first = loop ? &loop->first : &m->first, *first_loop = loop ? &loop->first_loop : &m->first_loop;
		row->next = *first;
		*first = i;
		row->next_loop = *first_loop;
		if (row->kind == MAP_LOOP)
			*first_loop = i;
	}
}

static const struct map_table *find_table(const struct map_set *set, struct slice name)
{
	const struct map_table *t = set->tables;
	while (t && !slice_eq(t->name, name))
		t = t->next;
	return t;
}

int map_link(struct map_set *set, struct van_error *e)
{
	for (struct map *m = set->maps; m; m = m->next) {
		chain_rows(m);
		for (int32_t i = 0; i < m->count; i++) {
			struct map_row *row = &m->rows[i];
			if (!row->table_name.n)
				continue;
			for (const struct map_set *in = set; in && !row->table; in = in->more)
				row->table = find_table(in, row->table_name);
			if (!row->table)
				return van_error_set(e, VAN_ESYNTAX, "map %s, row %u: there is no table %.*s; add table-%.*s.csv, or vanctl table import it", m->name, row->line,
					SLICE_ARG(row->table_name), SLICE_ARG(row->table_name));
		}
	}
	return 0;
}
