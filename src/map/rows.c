/* Sheets: columns, the @map row, rows; which rows belong together. */
#include "map/rows.h"

#include "map/csv.h"
#include "map/flat.h"

#include <stdio.h>

enum { TARGET, SOURCE, WHEN, TRANSFORM, TABLE, DEFAULT, REQUIRED, NOTE, WAY, COLUMNS };
static const char *const columns[COLUMNS] = {"target", "source", "when", "transform", "table", "default", "required", "note", "way"};

int map_reader_fail(struct map_reader *r, const char *what, struct slice at)
{
	return van_error_set(r->e, VAN_ESYNTAX, "map %.*s, row %u%s%s: %s '%.*s'; see maps/README.md", SLICE_ARG(r->sheet->name), r->line,
		r->cell ? ", " : "", r->cell ? r->cell : "", what, SLICE_ARG(at));
}

int map_reader_no_memory(struct map_reader *r)
{
	return van_error_set(r->e, VAN_ENOMEM, "map %.*s, row %u: maps need more memory than their bound", SLICE_ARG(r->sheet->name), r->line);
}

int map_reader_split(struct map_reader *r, struct slice s, const char *separators, struct slice_list *ret)
{
	*ret = (struct slice_list){.v = van_arena_array(r->set->arena, s.n + 1, sizeof *ret->v)};
	if (!ret->v)
		return map_reader_no_memory(r);
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

int map_reader_segment(struct map_reader *r, struct slice id, int32_t *ret)
{
	struct map_rows *s = r->sheet;
	uint32_t packed = edi_pack(id.p, id.n);
	if (id.n < 2 || id.n > 3)
		return map_reader_fail(r, "a segment's identifier has two or three characters, not", id);
	*ret = map_segment_number(s, packed);
	if (*ret >= 0)
		return 0;
	if (s->id_count == MAP_MAX_IDS)
		return map_reader_fail(r, "names more kinds of segments than 250 at", id);
	uint32_t at = packed * 2654435761u >> 22;
	while (s->id_at[at] >= 0)
		at = (at + 1) & 1023;
	s->ids[s->id_count] = packed;
	*ret = s->id_at[at] = (int16_t)s->id_count++;
	if (slice_is(id, "HL") || slice_is(id, "CPS")) /* own number in element 1, the parent's in element 2 */
		s->level = *ret;
	return 0;
}

int map_reader_expression(struct map_reader *r, struct slice text, const struct expression **ret)
{
	struct van_error e = {0};
	int rc = expression_compile(r->set->arena, slice_make(text.p + 1, text.n - 1), ret, &e);
	if (rc < 0)
		van_error_set(r->e, (enum van_err)rc, "map %.*s, row %u, %s: %s", SLICE_ARG(r->sheet->name), r->line, r->cell, e.text);
	return rc;
}

static int parse_transform(struct map_reader *r, struct slice s, struct map_row *row)
{
	static const char *const names[] = {"date", "time", "decimal", "implied", "upper", "lower", "number", "bool", "cut", "listed",
		"compact"};
	struct slice_list words;
	r->cell = "transform";
	row->transforms = s.n ? van_arena_array(r->set->arena, MAP_MAX_TRANSFORMS, sizeof *row->transforms) : NULL;
	if (s.n && !row->transforms)
		return map_reader_no_memory(r);
	if (s.n && *s.p == '=') {
		row->transforms[0].kind = MAP_COMPUTED;
		row->transform_count = 1;
		return map_reader_expression(r, s, &row->transforms[0].expression);
	}
	int rc = map_reader_split(r, s, " ;", &words);
	for (size_t i = 0; i < words.n && rc == 0; i++) {
		struct slice argument = words.v[i], name = slice_cut(&argument, '(');
		unsigned long long number = 0;
		size_t k = 0;
		while (k < sizeof names / sizeof *names && !slice_is(name, names[k]))
			k++;
		if (k == sizeof names / sizeof *names)
			return map_reader_fail(r, "is one of date time decimal implied(N) upper lower number bool cut(N) listed compact, not", words.v[i]);
		if (row->transform_count == MAP_MAX_TRANSFORMS)
			return map_reader_fail(r, "has more than four transforms: leave out one; too many begin at", words.v[i]);
		if (k == MAP_IMPLIED ? !argument.n : argument.p && k != MAP_CUT)
			return map_reader_fail(r, k == MAP_IMPLIED ? "how many decimals are implied is a number, as in implied(2), which is missing in"
				: "only implied and cut have a number, not", words.v[i]);
		if (argument.n && (argument.p[argument.n - 1] != ')' || !slice_u64(slice_make(argument.p, argument.n - 1), &number) || number > 9999))
			return map_reader_fail(r, "a number is expected in", words.v[i]);
		row->transforms[row->transform_count++] = (struct map_transform){.kind = k, .argument = (uint32_t)number};
		if (k == MAP_IMPLIED && number > 9)
			return map_reader_fail(r, "has more decimals than nine:", words.v[i]);
		if (k == MAP_NUMBER || k == MAP_BOOL)
			row->value_kind = k == MAP_NUMBER ? TREE_NUMBER : TREE_BOOL;
	}
	return rc;
}

static int parse_table_name(struct map_reader *r, struct slice s, struct map_row *row)
{
	struct slice miss = s;
	r->cell = "table";
	row->table_name = slice_cut(&miss, ':');
	if (!miss.p || slice_is(miss, "fail"))
		row->miss = MAP_MISS_FAIL;
	else if (slice_is(miss, "pass"))
		row->miss = MAP_MISS_PASS;
	else if (slice_is(miss, "default"))
		row->miss = MAP_MISS_DEFAULT;
	else
		return map_reader_fail(r, "behind the table's name stands fail, pass or default, not", miss);
	return 0;
}

/* STANDARD TYPE VERSION… <->|->|<- DOCUMENT, in the source column */
static int parse_head(struct map_reader *r, struct slice s)
{
	struct map_rows *m = r->sheet;
	struct slice_list words;
	r->cell = "source";
	if (m->ways)
		return map_reader_fail(r, "a sheet has one row @map: name all versions in it, or make a second sheet for", s);
	int rc = map_reader_split(r, s, " ", &words);
	if (rc < 0)
		return rc;
	struct slice arrow = words.n >= 5 ? words.v[words.n - 2] : SLICE("");
	m->ways = slice_is(arrow, "<->") ? MAP_WAY_IN | MAP_WAY_OUT : slice_is(arrow, "->") ? MAP_WAY_IN : slice_is(arrow, "<-") ? MAP_WAY_OUT : 0;
	if (!m->ways || (!slice_is(words.v[0], "x12") && !slice_is(words.v[0], "edifact")))
		return map_reader_fail(r, "@map needs a source like: x12 850 004010 005010 <-> order/1.0, not", s);
	m->standard = words.v[0];
	m->type = words.v[1];
	m->versions = (struct slice_list){words.v + 2, words.n - 4};
	m->document = words.v[words.n - 1];
	return 0;
}

/* A place, or 'text', =expression, @count(SEG): what only goes out. */
static int parse_target(struct map_reader *r, struct slice s, struct map_row *row)
{
	r->cell = "target";
	if (s.n >= 2 && (*s.p == '\'' || *s.p == '"') && s.p[s.n - 1] == *s.p) {
		row->to = MAP_TO_LITERAL;
		row->text = slice_make(s.p + 1, s.n - 2);
	} else if (s.n && *s.p == '=') {
		row->to = MAP_TO_EXPRESSION;
		return map_reader_expression(r, s, &row->computed);
	} else if (slice_starts(s, "@count(") && s.p[s.n - 1] == ')') {
		row->to = MAP_TO_COUNT;
	} else if (!s.n || *s.p == '@') {
		return map_reader_fail(r, "must be a place, 'text', =expression or @count(SEG), not", s);
	}
	return 0;
}

static int parse_way(struct map_reader *r, struct slice s, struct map_row *row)
{
	bool one_way = row->kind == MAP_EXPRESSION || row->to != MAP_TO_PLACE || row->also;
	r->cell = "way";
	row->way = slice_case_is(s, "in") ? MAP_WAY_IN : slice_case_is(s, "out") ? MAP_WAY_OUT : MAP_WAY_IN | MAP_WAY_OUT;
	if (s.n && row->way == (MAP_WAY_IN | MAP_WAY_OUT))
		return map_reader_fail(r, "is in, out or blank, not", s);
	if (!s.n && one_way) /* clear by what it holds */
		row->way = row->kind == MAP_EXPRESSION ? MAP_WAY_IN : MAP_WAY_OUT;
	if (one_way && row->way != (row->kind == MAP_EXPRESSION ? MAP_WAY_IN : MAP_WAY_OUT))
		return map_reader_fail(r, row->kind == MAP_EXPRESSION ? "an expression as source goes in only, not" : "this target goes out only, not", s);
	for (uint32_t i = 0; i < row->condition_count; i++)
		if (row->conditions[i].kind == MAP_ASK_EXPRESSION && row->way == (MAP_WAY_IN | MAP_WAY_OUT))
			return map_reader_fail(r, "an expression in 'when' holds one way: say in or out, not", s);
	if (row->transform_count && row->transforms[0].kind == MAP_COMPUTED && row->way == (MAP_WAY_IN | MAP_WAY_OUT))
		return map_reader_fail(r, "an expression in 'transform' holds one way: say in or out, not", s);
	return 0;
}

static int add_row(struct map_reader *r, const struct map_row *row)
{
	struct map_rows *m = r->sheet;
	if (m->count == MAP_MAX_ROWS)
		return map_reader_fail(r, "the sheet has more rows than 4,000 at", row->target);
	if (m->count == m->room) {
		int32_t room = m->room ? 2 * m->room : 64;
		struct map_row *more = van_arena_array(r->set->arena, (size_t)room, sizeof *more);
		if (!more)
			return map_reader_no_memory(r);
		if (m->count)
			memcpy(more, m->rows, (size_t)m->count * sizeof *more);
		m->rows = more;
		m->room = room;
	}
	m->rows[m->count++] = *row;
	return 0;
}

/* Where the row stands: its scope, its place, the scope of its own when it is a loop. */
static int place_row(struct map_reader *r, struct slice when, struct map_row *row)
{
	struct slice rest;
	int32_t number = r->sheet->count;
	int rc = 0;
	row->slot = -1;
	row->loop_scope = -1;
	r->cell = "target";
	row->scope = row->to == MAP_TO_PLACE ? map_place_scope(r->sheet, row->target, &rest) : 0;
	if (map_row_is_here(row) && row->kind != MAP_LOOP)
		return map_reader_fail(r, "is the object at hand itself: only a loop row may have it, not", row->target);
	if (map_row_is_here(row) && row->also)
		return map_reader_fail(r, "is the object at hand itself, which is written once; also loop needs a place, not", row->target);
	if (row->to == MAP_TO_PLACE && !map_row_is_here(row))
		rc = map_place_slot(r, row->scope, rest, row->kind == MAP_LOOP, &row->slot, &row->many);
	if (rc == 0)
		rc = add_row(r, row);
	if (rc == 0 && row->kind == MAP_LOOP)
		rc = map_place_scope_new(r, row->scope, number, &row->loop_scope);
	if (rc == 0)
		rc = map_source_conditions(r, when, row->kind == MAP_LOOP ? row->loop_scope : row->scope, row);
	if (rc == 0)
		rc = map_place_add_row(r, row->scope, number);
	return rc;
}

/* A row that only goes out has no place in the document: it belongs to the scope of the row before it. */
static int place_out_row(struct map_reader *r, struct slice when, struct map_row *row)
{
	const struct map_rows *m = r->sheet;
	const struct map_row *before = m->count ? &m->rows[m->count - 1] : NULL;
	int32_t number = m->count;
	row->slot = row->loop_scope = -1;
	row->scope = !before || row->outer ? 0 : before->kind == MAP_LOOP ? before->loop_scope : before->scope;
	int rc = add_row(r, row);
	if (rc == 0)
		rc = map_source_conditions(r, when, row->scope, row);
	return rc == 0 ? map_place_add_row(r, row->scope, number) : rc;
}

/* Of several sheets for one message the one is taken whose conditions hold: BIG.07=CR|CN. */
static int parse_choice(struct map_reader *r, struct slice s)
{
	struct map_row *row = &r->sheet->when;
	int rc = map_source_conditions(r, s, 0, row);
	for (uint32_t i = 0; i < row->condition_count && rc == 0; i++)
		if (row->conditions[i].kind != MAP_ASK_ELEMENT)
			return map_reader_fail(r, "of @map asks for elements, like BIG.07=CR|CN, not", s);
	return rc;
}

static int parse_row(struct map_reader *r, const struct slice *f)
{
	struct map_row row = {.line = r->line, .target = f[TARGET], .value_kind = TREE_TEXT, .group_next = -1, .segment = -1,
		.fallback = f[DEFAULT].n ? f[DEFAULT] : SLICE_NONE};
	if (!f[TARGET].n || *f[TARGET].p == '#')
		return f[TARGET].n || !f[SOURCE].n ? 0 : map_reader_fail(r, "target is missing for", f[SOURCE]);
	if (slice_is(f[TARGET], "@map")) {
		int bad = parse_head(r, f[SOURCE]);
		r->sheet->when.target = f[TARGET];
		return bad < 0 ? bad : parse_choice(r, f[WHEN]);
	}
	row.required = slice_case_is(f[REQUIRED], "yes");
	r->cell = "required";
	if (f[REQUIRED].n && !row.required && !slice_case_is(f[REQUIRED], "no"))
		return map_reader_fail(r, "is yes or no, not", f[REQUIRED]);
	int rc = parse_target(r, f[TARGET], &row);
	if (rc == 0 && row.to == MAP_TO_COUNT)
		rc = map_reader_segment(r, slice_make(f[TARGET].p + 7, f[TARGET].n - 8), &row.counted);
	if (rc == 0)
		rc = map_source_parse(r, f[SOURCE], &row);
	if (rc == 0)
		rc = parse_transform(r, f[TRANSFORM], &row);
	if (rc == 0 && f[TABLE].n)
		rc = parse_table_name(r, f[TABLE], &row);
	if (rc < 0)
		return rc;
	r->cell = "source";
	if (row.kind == MAP_NOTHING && !row.fallback.p)
		return map_reader_fail(r, "a row needs a source or a default:", f[TARGET]);
	if (row.to != MAP_TO_PLACE && row.kind != MAP_ELEMENT && row.kind != MAP_PAIRS)
		return map_reader_fail(r, "what only goes out needs an element to go to, not", f[SOURCE]);
	row.bare = !row.table_name.n;
	for (uint32_t i = 0; i < row.transform_count; i++)
		row.bare &= map_transform_only_out(&row.transforms[i]);
	row.hollow = row.kind == MAP_NOTHING || row.kind == MAP_LITERAL || row.kind == MAP_ENVELOPE || row.kind == MAP_EXPRESSION ||
	             row.fallback.p || row.required;
	int32_t number = r->sheet->count;
	rc = row.to == MAP_TO_PLACE ? place_row(r, f[WHEN], &row) : place_out_row(r, f[WHEN], &row);
	if (rc == 0)
		rc = parse_way(r, f[WAY], &row);
	if (rc == 0)
		r->sheet->rows[number] = row;
	return rc;
}

/* Which column holds what. */
static int parse_columns(struct map_reader *r, const struct slice *f, int *at)
{
	for (int i = 0; i < COLUMNS; i++)
		at[i] = -1;
	for (int k = 0; k < CSV_MAX_FIELDS; k++)
		for (int i = 0; i < COLUMNS; i++)
			if (slice_case_is(f[k], columns[i]) && at[i] < 0)
				at[i] = k;
	if (at[TARGET] < 0 || at[SOURCE] < 0)
		return map_reader_fail(r, "the first line must be: target,source,when,transform,table,default,required,note,way, not", f[0]);
	return 0;
}

/* Rows of a scope that collect values of one segment into one list go together. */
static void chain_groups(struct map_rows *m, struct map_scope *scope)
{
	for (int32_t i = 0; i < scope->row_count; i++) {
		struct map_row *row = &m->rows[scope->rows[i]];
		if (!row->many || row->kind != MAP_ELEMENT || row->group_later || !(row->way & MAP_WAY_IN))
			continue;
		struct map_row *last = row;
		for (int32_t k = i + 1; k < scope->row_count; k++) {
			struct map_row *other = &m->rows[scope->rows[k]];
			if (other->many && other->way & MAP_WAY_IN && other->kind == MAP_ELEMENT && other->slot == row->slot && other->segment == row->segment &&
			    other->outer == row->outer && other->condition_count == row->condition_count) {
				last->group_next = scope->rows[k];
				other->group_later = true;
				last = other;
			}
		}
	}
}

static int list_names(struct map_reader *r, struct map_scope *scope)
{
	uint32_t size = 4;
	while (size < 2 * (uint32_t)scope->slot_count)
		size *= 2;
	scope->name_mask = size - 1;
	scope->names = van_arena_array(r->set->arena, size, sizeof *scope->names);
	if (!scope->names)
		return VAN_ENOMEM;
	memset(scope->names, 0xff, size * sizeof *scope->names);
	for (int32_t i = 0; i < scope->slot_count; i++) {
		uint32_t at = map_name_at(scope, scope->slots[i].parent, scope->slots[i].hash);
		while (scope->names[at] >= 0)
			at = (at + 1) & scope->name_mask;
		scope->names[at] = i; /* an item has no name, and is never found */
	}
	return 0;
}

/* What the way out goes through again and again. */
static int list_loops(struct map_reader *r, struct map_scope *scope)
{
	scope->loops = van_arena_array(r->set->arena, (size_t)scope->row_count + 1, sizeof *scope->loops);
	scope->lists = van_arena_array(r->set->arena, (size_t)scope->slot_count + 1, sizeof *scope->lists);
	if (!scope->loops || !scope->lists)
		return VAN_ENOMEM;
	for (int32_t i = 0; i < scope->row_count; i++)
		if (r->sheet->rows[scope->rows[i]].kind == MAP_LOOP)
			scope->loops[scope->loop_count++] = scope->rows[i];
	for (int32_t i = 0; i < scope->slot_count; i++) {
		int32_t item = scope->slots[i].array && scope->slots[i].loops < 0 ? scope->slots[i].first : -1;
		while (item >= 0 && !scope->slots[item].item)
			item = scope->slots[item].next;
		if (item >= 0)
			scope->lists[scope->list_count++] = i;
	}
	return 0;
}

static int finish_scopes(struct map_reader *r)
{
	struct map_rows *m = r->sheet;
	for (int32_t i = 0; i < m->scope_count; i++) {
		struct map_scope *scope = &m->scopes[i];
		scope->trigger = van_arena_array(r->set->arena, (size_t)m->id_count + 1, sizeof *scope->trigger);
		if (!scope->trigger)
			return map_reader_no_memory(r);
		for (int32_t k = 0; k < m->id_count; k++)
			scope->trigger[k] = -1;
		for (int32_t k = scope->row_count - 1; k >= 0; k--) {
			struct map_row *row = &m->rows[scope->rows[k]];
			if (row->kind != MAP_LOOP)
				continue;
			if (row->also) /* nothing comes in by it */
				continue;
			row->loop_next = scope->trigger[row->segment];
			scope->trigger[row->segment] = scope->rows[k];
			if (row->slot >= 0)
				scope->slots[row->slot].loops = scope->rows[k];
			else
				scope->here = row->loop_scope;
			scope->has_loops = true;
			scope->shares |= !row->many;
			scope->levels |= row->segment == m->level;
		}
		chain_groups(m, scope);
		if (map_brief_scope(r, scope) < 0 || list_loops(r, scope) < 0 || list_names(r, scope) < 0)
			return map_reader_no_memory(r);
	}
	return 0;
}

int map_parse(struct map_set *set, struct slice name, struct slice text, struct van_error *e)
{
	struct map_rows *m = van_arena_alloc(set->arena, sizeof *m);
	struct slice f[CSV_MAX_FIELDS], sorted[COLUMNS];
	struct csv csv;
	int at[COLUMNS];
	if (!m || !(m->name = van_arena_slice(set->arena, name)).p)
		return van_error_set(e, VAN_ENOMEM, "map %.*s: maps need more memory than their bound", SLICE_ARG(name));
	struct map_reader r = {.set = set, .sheet = m, .line = 1, .e = e};
	m->set = set;
	m->level = -1;
	memset(m->id_at, 0xff, sizeof m->id_at);
	csv_begin(&csv, text);
	int rc = csv_next(&csv, set->arena, f);
	int32_t scope;
	if (rc == 1) {
		rc = parse_columns(&r, f, at);
		if (rc == 0)
			rc = map_place_scope_new(&r, -1, -1, &scope);
		if (rc < 0)
			return rc;
		rc = 1;
	}
	while (rc == 1 && (rc = csv_next(&csv, set->arena, f)) == 1) {
		r.line = csv.line;
		r.cell = NULL;
		for (int i = 0; i < COLUMNS; i++)
			sorted[i] = at[i] < 0 ? SLICE("") : f[at[i]];
		rc = parse_row(&r, sorted);
		if (rc < 0)
			return rc;
		rc = 1;
	}
	r.line = csv.line;
	r.cell = NULL;
	if (rc < 0)
		return rc == VAN_ENOMEM ? map_reader_no_memory(&r)
		                        : map_reader_fail(&r, "a quote has no end, or the row has too many columns", SLICE(""));
	if (!m->ways)
		return van_error_set(e, VAN_ESYNTAX, "map %.*s: there is no row @map: add one like @map,x12 850 004010 <-> order/1.0 below the first line; see maps/README.md",
				     SLICE_ARG(name));
	rc = finish_scopes(&r);
	if (rc < 0)
		return rc;
	m->next = set->sheets;
	set->sheets = m;
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

static const struct map_table *find_table(const struct map_set *set, struct slice name)
{
	const struct map_table *t = set->tables;
	while (t && !slice_eq(t->name, name))
		t = t->next;
	return t;
}

int map_link(struct map_set *set, struct van_error *e)
{
	int rc = flat_link(set, e);
	for (struct map_rows *m = set->sheets; m && rc == 0; m = m->next) {
		for (int32_t i = 0; i < m->count; i++) {
			struct map_row *row = &m->rows[i];
			if (!row->table_name.n)
				continue;
			for (const struct map_set *in = set; in && !row->table; in = in->more)
				row->table = find_table(in, row->table_name);
			if (!row->table)
				return van_error_set(e, VAN_ESYNTAX, "map %.*s, row %u, table: there is no table %.*s; add table-%.*s.csv, or vanctl "
					"table import it",
					SLICE_ARG(m->name), row->line, SLICE_ARG(row->table_name), SLICE_ARG(row->table_name));
		}
		rc = map_yield(set, m, e);
	}
	return rc;
}
