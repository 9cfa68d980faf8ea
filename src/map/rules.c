#include "map/rules.h"

#include "map/csv.h"

#include <ctype.h>

#define ROWS_MAX 2000
#define PLACES_MAX 8

enum { RULE, SEVERITY, EACH, WHEN, KIND, VALUE, WINDOW, SHOW, TEXT, CODE, COLUMNS };
static const char *const column_names[COLUMNS] = {"rule", "severity", "each", "when", "kind", "value", "window", "show", "text", "code"};
const char *const map_severity_names[] = {"error", "warning", "information", NULL};

enum kind { CHECK, TOGETHER, ORDER, UNIQUE };
static const char *const kind_names[] = {"check", "together", "order", "unique", NULL};

struct rule {
	struct rule *next;
	unsigned row;
	struct slice name, each_text, text, code;
	enum map_severity severity;
	enum kind kind;
	const struct expression *each, *when, *show, *value[PLACES_MAX]; /* NULL: none */
	struct slice places[PLACES_MAX];
	unsigned count; /* of value */
	van_time window;
};

struct map_rules {
	struct slice name;
	struct rule *first;
};

/* --- reading ----------------------------------------------------------------------------------------------------------------------- */

struct reader {
	struct van_arena *arena;
	struct map_rules *rules;
	struct csv csv;
	struct van_error *e;
	int columns[COLUMNS];
	unsigned rows;
};

static int bad(struct reader *r, int column, struct slice value, const char *what)
{
	return van_error_set(r->e, VAN_ESYNTAX, "%.*s, row %u, %s '%.*s': %s; see maps/README.md", SLICE_ARG(r->rules->name), r->csv.line,
		column_names[column], SLICE_ARG(value), what);
}

static struct slice cell(const struct reader *r, const struct slice *f, int k)
{
	return r->columns[k] < 0 ? SLICE("") : f[r->columns[k]];
}

static int read_head(struct reader *r, const struct slice *f)
{
	csv_columns(f, column_names, COLUMNS, r->columns);
	if (r->columns[RULE] < 0 || r->columns[VALUE] < 0)
		return bad(r, RULE, f[0], "the first line must name the columns rule and value");
	return 0;
}

static int name_index(const char *const *names, struct slice s, int otherwise)
{
	for (int i = 0; names[i]; i++)
		if (slice_is(s, names[i]))
			return i;
	return s.n ? -1 : otherwise;
}

/* "30d", "12h", "90m", "60s" */
static bool read_window(struct slice s, van_time *ret)
{
	static const struct {
		char unit;
		van_time length;
	} units[] = {{'d', 86400 * VAN_SECOND}, {'h', 3600 * VAN_SECOND}, {'m', 60 * VAN_SECOND}, {'s', VAN_SECOND}};
	unsigned long long n;
	for (size_t i = 0; s.n && i < sizeof units / sizeof *units; i++)
		if (s.p[s.n - 1] == units[i].unit && slice_u64(slice_make(s.p, s.n - 1), &n) && n <= 36500) {
			*ret = (van_time)n * units[i].length;
			return true;
		}
	*ret = 0;
	return s.n == 0;
}

static int compile(struct reader *r, int column, struct slice text, const struct expression **ret)
{
	struct van_error e = {0};
	if (!text.n)
		return 0;
	int rc = expression_compile(r->arena, text, ret, &e);
	if (rc == VAN_ENOMEM)
		return rc;
	return rc < 0 ? bad(r, column, text, e.text) : 0;
}

/* The value's expression, or the places of it, with blanks between. */
static int compile_value(struct reader *r, struct rule *rule, struct slice text)
{
	if (!text.n)
		return bad(r, VALUE, text, "a rule needs one: an expression, or places in the document");
	if (rule->kind == CHECK || rule->kind == UNIQUE) {
		rule->count = 1;
		rule->places[0] = text;
		return compile(r, VALUE, text, &rule->value[0]);
	}
	for (struct slice rest = text; rest.p;) {
		struct slice place = slice_cut(&rest, ' ');
		if (!place.n)
			continue;
		if (rule->count == PLACES_MAX)
			return bad(r, VALUE, text, "at most 8 places, with blanks between");
		rule->places[rule->count] = place;
		int rc = compile(r, VALUE, place, &rule->value[rule->count++]);
		if (rc < 0)
			return rc;
	}
	return rule->count < 2 ? bad(r, VALUE, text, "name two places or more, with blanks between") : 0;
}

static int add_rule(struct reader *r, const struct slice *f, struct rule ***last)
{
	struct slice severity = cell(r, f, SEVERITY), kind = cell(r, f, KIND), window = cell(r, f, WINDOW);
	int s = name_index(map_severity_names, severity, MAP_RULE_ERROR), k = name_index(kind_names, kind, CHECK);
	struct rule *rule = van_arena_alloc(r->arena, sizeof *rule);
	if (!rule)
		return VAN_ENOMEM;
	if (!f[r->columns[RULE]].n)
		return bad(r, RULE, SLICE(""), "a rule needs a name");
	if (s < 0)
		return bad(r, SEVERITY, severity, "it is error, warning or information");
	if (k < 0)
		return bad(r, KIND, kind, "it is check, together, order or unique");
	if (++r->rows > ROWS_MAX)
		return bad(r, RULE, cell(r, f, RULE), "a sheet has at most 2000 rules");
	*rule = (struct rule){.row = r->csv.line, .name = cell(r, f, RULE), .each_text = cell(r, f, EACH), .text = cell(r, f, TEXT),
		.code = cell(r, f, CODE), .severity = (enum map_severity)s, .kind = (enum kind)k};
	if (!read_window(window, &rule->window) || (window.n && k != UNIQUE))
		return bad(r, WINDOW, window, "only a rule of kind unique has one, and it is like 30d, 12h, 90m");
	int rc = compile(r, EACH, rule->each_text, &rule->each);
	if (rc == 0)
		rc = compile(r, WHEN, cell(r, f, WHEN), &rule->when);
	if (rc == 0)
		rc = compile(r, SHOW, cell(r, f, SHOW), &rule->show);
	if (rc == 0)
		rc = compile_value(r, rule, cell(r, f, VALUE));
	**last = rule;
	*last = &rule->next;
	return rc;
}

int map_rules_compile(struct van_arena *arena, struct slice name, struct slice text, const struct map_rules **ret, struct van_error *e)
{
	struct van_error none;
	struct map_rules *rules = van_arena_alloc(arena, sizeof *rules);
	struct reader r = {.arena = arena, .rules = rules, .e = e ? e : &none};
	struct slice f[CSV_MAX_FIELDS];
	struct rule **last;
	r.e->text[0] = 0;
	if (!rules || !(rules->name = van_arena_slice(arena, name)).p)
		return van_error_set(e, VAN_ENOMEM, "no memory for the rules");
	last = &rules->first;
	csv_begin(&r.csv, text);
	int rc = csv_next(&r.csv, arena, f);
	if (rc == 1 && read_head(&r, f) < 0)
		return VAN_ESYNTAX;
	while (rc == 1 && (rc = csv_next(&r.csv, arena, f)) == 1) {
		int bad_row = *f[0].p == '#' && f[0].n ? 0 : add_rule(&r, f, &last);
		if (bad_row < 0)
			return bad_row == VAN_ENOMEM ? van_error_set(e, VAN_ENOMEM, "no memory for the rules") : bad_row;
	}
	if (rc < 0)
		return rc == VAN_ENOMEM ? van_error_set(e, VAN_ENOMEM, "no memory for the rules")
					: van_error_set(e, VAN_ESYNTAX, "%.*s, row %u: a quote has no end, or the row has too many columns; mend it",
						  SLICE_ARG(name), r.csv.line);
	*ret = rules;
	return 0;
}

/* "OrderLine[0].LineItem.ID" and no expression. */
static bool is_place(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !strchr("_.[]", s.p[i]))
			return false;
	return s.n && isalpha((unsigned char)*s.p);
}

void map_rules_places(const struct map_rules *rules, map_rules_place_fn fn, void *ctx)
{
	for (const struct rule *r = rules->first; r; r = r->next) {
		bool inside = r->each_text.n > 0;
		if (inside && is_place(r->each_text))
			fn(ctx, r->row, column_names[EACH], SLICE(""), r->each_text);
		for (unsigned i = 0; i < r->count && r->kind != CHECK; i++)
			if (is_place(r->places[i]) && (!inside || is_place(r->each_text)))
				fn(ctx, r->row, column_names[VALUE], r->each_text, r->places[i]);
	}
}

/* --- running ----------------------------------------------------------------------------------------------------------------------- */

struct run {
	const struct map_rules *rules;
	const struct rule *rule;
	struct tree_room *room;
	struct expression_context context;
	struct map_findings *to;
	struct map_finding **last;
	struct map_unique **last_unique;
	struct slice place;
	struct van_error *e;
};

static int evaluate(struct run *r, const struct expression *x, int column, const struct tree *input, const struct tree **ret)
{
	struct van_error e = {0};
	int rc = expression_run(x, input, &r->context, ret, &e);
	if (rc < 0)
		return van_error_set(r->e, (enum van_err)rc, "%.*s, row %u, %s: %s", SLICE_ARG(r->rules->name), r->rule->row, column_names[column],
			e.text[0] ? e.text : van_err_name(rc));
	return 0;
}

static bool is_there(const struct tree *t)
{
	return t && (t->kind == TREE_OBJECT || t->kind == TREE_ARRAY ? t->first != NULL : t->text.n != 0);
}

static int text_of(struct run *r, const struct tree *t, struct slice *ret)
{
	*ret = expression_text(r->room, t);
	return r->room->error;
}

static struct map_finding finding_of(const struct run *r, struct slice value, const char *otherwise)
{
	const struct rule *rule = r->rule;
	return (struct map_finding){.severity = rule->severity, .sheet = r->rules->name, .rule = rule->name, .place = r->place, .value = value,
		.text = rule->text.n ? rule->text : slice_str(otherwise), .code = rule->code, .row = rule->row};
}

/* `value` is what there is to show, where the row has nothing else. */
static int broken(struct run *r, const struct tree *input, struct slice value, const char *otherwise)
{
	const struct tree *shown = NULL;
	struct map_finding *f = van_arena_alloc(r->room->arena, sizeof *f);
	int rc = f ? 0 : VAN_ENOMEM;
	if (rc == 0 && r->rule->show) {
		rc = evaluate(r, r->rule->show, SHOW, input, &shown);
		if (rc == 0)
			rc = text_of(r, shown, &value);
	}
	if (rc < 0)
		return rc;
	*f = finding_of(r, value, otherwise);
	*r->last = f;
	r->last = &f->next;
	return 0;
}

static int run_check(struct run *r, const struct tree *input)
{
	const struct tree *v = NULL;
	int rc = evaluate(r, r->rule->value[0], VALUE, input, &v);
	return rc < 0 || expression_true(v) ? rc : broken(r, input, SLICE_NONE, "the rule does not hold");
}

static int run_together(struct run *r, const struct tree *input)
{
	struct slice missing = SLICE_NONE;
	unsigned there = 0;
	for (unsigned i = 0; i < r->rule->count; i++) {
		const struct tree *v = NULL;
		int rc = evaluate(r, r->rule->value[i], VALUE, input, &v);
		if (rc < 0)
			return rc;
		if (is_there(v))
			there++;
		else if (!missing.p)
			missing = r->rule->places[i];
	}
	if (!there || there == r->rule->count)
		return 0;
	return broken(r, input, van_arena_printf(r->room->arena, "%.*s is missing", SLICE_ARG(missing)), "these belong together");
}

static int run_order(struct run *r, const struct tree *input)
{
	struct slice before = SLICE_NONE, place = SLICE_NONE;
	for (unsigned i = 0; i < r->rule->count; i++) {
		const struct tree *v = NULL;
		struct slice now;
		int rc = evaluate(r, r->rule->value[i], VALUE, input, &v);
		if (rc < 0)
			return rc;
		if (!is_there(v))
			continue;
		if ((rc = text_of(r, v, &now)) < 0)
			return rc;
		size_t n = before.n < now.n ? before.n : now.n; /* a date and a date with a time: by the date */
		if (before.p && memcmp(before.p, now.p, n) > 0)
			return broken(r, input, van_arena_printf(r->room->arena, "%.*s %.*s, %.*s %.*s", SLICE_ARG(place), SLICE_ARG(before),
				SLICE_ARG(r->rule->places[i]), SLICE_ARG(now)), "the dates are not in order");
		before = now;
		place = r->rule->places[i];
	}
	return 0;
}

static int run_unique(struct run *r, const struct tree *input)
{
	const struct tree *v = NULL;
	struct slice key;
	struct map_unique *u = van_arena_alloc(r->room->arena, sizeof *u);
	int rc = u ? evaluate(r, r->rule->value[0], VALUE, input, &v) : VAN_ENOMEM;
	if (rc == 0 && is_there(v))
		rc = text_of(r, v, &key);
	if (rc < 0 || !is_there(v))
		return rc;
	*u = (struct map_unique){.finding = finding_of(r, key, "it was received before"), .window = r->rule->window};
	*r->last_unique = u;
	r->last_unique = &u->next;
	return 0;
}

static int run_rule(struct run *r, const struct tree *input)
{
	const struct tree *applies = NULL;
	if (r->rule->when) {
		int rc = evaluate(r, r->rule->when, WHEN, input, &applies);
		if (rc < 0 || !expression_true(applies))
			return rc;
	}
	switch (r->rule->kind) {
	case CHECK: return run_check(r, input);
	case TOGETHER: return run_together(r, input);
	case ORDER: return run_order(r, input);
	case UNIQUE: return run_unique(r, input);
	}
	return 0;
}

static int run_each(struct run *r, const struct tree *document)
{
	const struct tree *items = NULL;
	unsigned i = 0;
	r->place = SLICE("");
	if (!r->rule->each)
		return run_rule(r, document);
	int rc = evaluate(r, r->rule->each, EACH, document, &items);
	if (rc < 0 || !items)
		return rc;
	const struct tree *item = items->kind == TREE_ARRAY ? items->first : items;
	for (; rc == 0 && item; item = items->kind == TREE_ARRAY ? item->next : NULL) {
		i++; /* no more than the document has values */
		r->place = van_arena_printf(r->room->arena, "%.*s[%u]", SLICE_ARG(r->rule->each_text), i);
		rc = r->place.p ? run_rule(r, item) : VAN_ENOMEM;
	}
	return rc;
}

int map_rules_run(const struct map_rules *rules, const struct tree *document, struct tree_room *room, expression_table_fn look_up,
	void *look_up_ctx, struct map_findings *ret, struct van_error *e)
{
	struct expression_variable variables[] = {{SLICE("document"), document}};
	struct run r = {.rules = rules, .room = room, .to = ret, .e = e, .last = &ret->first, .last_unique = &ret->unique,
		.context = {.room = room, .variables = variables, .variable_count = 1, .table = look_up, .table_ctx = look_up_ctx}};
	int rc = 0;
	while (*r.last)
		r.last = &(*r.last)->next;
	while (*r.last_unique)
		r.last_unique = &(*r.last_unique)->next;
	for (r.rule = rules->first; rc == 0 && r.rule; r.rule = r.rule->next)
		rc = run_each(&r, document);
	if (rc == VAN_ENOMEM)
		van_error_set(e, VAN_ENOMEM, "%.*s: no memory for its findings", SLICE_ARG(rules->name));
	return rc;
}

struct slice map_finding_text(struct van_arena *arena, const struct map_finding *f)
{
	bool place = f->place.n, value = f->value.n;
	return van_arena_printf(arena, "rule %.*s of %.*s, row %u: %.*s%s%.*s%s%.*s%s", SLICE_ARG(f->rule), SLICE_ARG(f->sheet), f->row,
		SLICE_ARG(f->text), place || value ? " (" : "", SLICE_ARG(f->place), place && value ? ": " : "", SLICE_ARG(f->value),
		place || value ? ")" : "");
}
