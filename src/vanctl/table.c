/* table list, show, import, export, set, unset, history, activate: cross-reference lists, sheets named table-NAME. */
#include "vanctl/table.h"

#include "base/clock.h"
#include "map/table.h"
#include "vanctl/client.h"
#include "vanctl/simple.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_ 64

/* "unit" or "table-unit"; false: too long. */
static bool sheet_name(const char *name, char to[NAME_MAX_ + 8])
{
	if (!strncmp(name, "table-", 6))
		name += 6;
	return snprintf(to, NAME_MAX_ + 8, "table-%s", name) < NAME_MAX_;
}

static int with_name(const char *name, char to[NAME_MAX_ + 8])
{
	return sheet_name(name, to) ? CTL_DONE : ctl_fail(CTL_USAGE, "'%s' is too long for the name of a table", name);
}

/* --- list ----------------------------------------------------------------------------------------------------------------------- */

static size_t rows_of(struct slice text)
{
	struct van_arena *a = van_arena_new(0);
	struct map_table *t;
	size_t n = a && map_table_parse(a, SLICE("x"), text, &t, NULL) == 0 ? t->count : 0;
	van_arena_free(a);
	return n;
}

static int add_table(void *arg, const struct map_sheet *s)
{
	json_t *list = arg, *one, *at = NULL;
	size_t i;
	struct slice name = slice_make(s->name.p + 6, s->name.n - 6);
	if (!slice_starts(s->name, "table-") || (!s->active && s->version != MAP_VERSION_SHIPPED))
		return 0;
	json_array_foreach (list, i, one)
		if (slice_is(name, json_string_value(json_object_get(one, "name"))))
			at = one;
	if (!at) {
		at = json_pack("{s:s%, s:i, s:i, s:i}", "name", name.p, name.n, "shipped_rows", 0, "own_rows", 0, "version", 0);
		json_array_append_new(list, at);
	}
	json_object_set_new(at, s->version == MAP_VERSION_SHIPPED ? "shipped_rows" : "own_rows", json_integer((json_int_t)rows_of(s->text)));
	if (s->version != MAP_VERSION_SHIPPED)
		json_object_set_new(at, "version", json_integer((json_int_t)s->version));
	return 0;
}

static int table_list(struct ctl *c)
{
	static const struct print_column columns[] = {
		{"NAME", "name"}, {"SHIPPED ROWS", "shipped_rows"}, {"OWN ROWS", "own_rows"}, {"VERSION", "version"}, {NULL, NULL},
	};
	struct map_source s;
	json_t *list = json_array();
	int status = map_source_library(c, &s);
	if (!status) {
		map_library_each(s.library, add_table, list);
		c->json ? print_json(list) : print_table(list, columns);
	}
	json_decref(list);
	map_source_free(&s);
	return status;
}

/* --- show ------------------------------------------------------------------------------------------------------------------------- */

static const struct ctl_option show_options[] = {
	{"--partner", "P", "partner", CTL_TEXT, NULL, "only what counts for this partner"},
	{"--direction", NULL, "direction", CTL_TEXT, "in|out", "only what counts this way"},
	{"--value", "V", "value", CTL_TEXT, NULL, "only the row that this value finds: in (or by default) in from, out in to"},
	{NULL},
};

struct showing {
	struct ctl *c;
	struct van_arena *arena;
	struct slice name;
	struct map_table *own, *shipped;
	struct map_table_scope scope;
	struct van_error e;
};

static int read_table(void *arg, const struct map_sheet *s)
{
	struct showing *w = arg;
	struct map_table **to = s->version == MAP_VERSION_SHIPPED ? &w->shipped : &w->own;
	if (!slice_eq(s->name, w->name) || (!s->active && s->version != MAP_VERSION_SHIPPED))
		return 0;
	return map_table_parse(w->arena, slice_make(s->name.p + 6, s->name.n - 6), s->text, to, &w->e);
}

static json_t *row_json(const struct map_table_row *r, const char *origin)
{
	static const char *const ways[] = {"", "in", "out"};
#define TEXT(field) r->field.p ? r->field.p : "", r->field.n
	return json_pack("{s:s%, s:s%, s:s%, s:s, s:s%, s:s%, s:s, s:i}", "from", TEXT(from), "to", TEXT(to), "partner", TEXT(partner), "direction",
			 ways[r->way], "valid_from", TEXT(valid_from), "valid_until", TEXT(valid_until), "origin", origin, "row", (int)r->line);
#undef TEXT
}

static void add_rows(const struct showing *w, const struct map_table *t, const char *origin, json_t *to)
{
	const char *direction = ctl_text(w->c, "direction");
	for (size_t i = 0; t && i < t->count; i++) {
		const struct map_table_row *r = &t->rows[i];
		if (w->scope.partner.p && r->partner.n && !slice_eq(r->partner, w->scope.partner))
			continue;
		if (direction && r->way != MAP_TABLE_BOTH && r->way != (*direction == 'i' ? MAP_TABLE_IN : MAP_TABLE_OUT))
			continue;
		json_array_append_new(to, row_json(r, origin));
	}
}

static bool is_row_of(const struct map_table *t, const struct map_table_row *r)
{
	return t && r >= t->rows && r < t->rows + t->count;
}

static int show_rows(struct showing *w)
{
	static const struct print_column columns[] = {
		{"FROM", "from"}, {"TO", "to"}, {"PARTNER", "partner"}, {"WAY", "direction"}, {"VALID FROM", "valid_from"},
		{"VALID UNTIL", "valid_until"}, {"ORIGIN", "origin"}, {NULL, NULL},
	};
	const char *value = ctl_text(w->c, "value"), *direction = ctl_text(w->c, "direction");
	json_t *list = json_array();
	struct map_table *first = w->own ? w->own : w->shipped;
	if (w->own)
		w->own->base = w->shipped;
	for (struct map_table *t = first; t; t = t == w->own ? w->shipped : NULL)
		t->scope = &w->scope;
	if (!value) {
		add_rows(w, w->own, "own", list);
		add_rows(w, w->shipped, "shipped", list);
	} else {
		const struct map_table_row *r = map_table_find(first, direction && *direction == 'o' ? MAP_TABLE_OUT : MAP_TABLE_IN, slice_str(value));
		if (r)
			json_array_append_new(list, row_json(r, is_row_of(w->own, r) ? "own" : "shipped"));
	}
	w->c->json ? print_json(list) : print_table(list, columns);
	int status = value && !json_array_size(list) ? ctl_fail(CTL_NO, "no row of %s fits '%s'", w->c->args[0], value) : CTL_DONE;
	json_decref(list);
	return status;
}

static int table_show(struct ctl *c)
{
	char name[NAME_MAX_ + 8], day[VAN_TIME_TEXT];
	struct map_source s;
	struct showing w = {.c = c};
	int status = with_name(c->args[0], name);
	if (status)
		return status;
	status = map_source_library(c, &s);
	w.arena = s.arena;
	w.name = slice_str(name);
	w.scope.partner = slice_str(ctl_text(c, "partner"));
	memcpy(w.scope.day, van_time_rfc3339(day, van_clock_now()), 10);
	if (!status && map_library_each(s.library, read_table, &w) < 0)
		status = ctl_fail(CTL_NO, "%s", w.e.text);
	if (!status && !w.own && !w.shipped)
		status = ctl_fail(CTL_NO, "there is no table %s; vanctl table list shows them", c->args[0]);
	if (!status)
		status = show_rows(&w);
	map_source_free(&s);
	return status;
}

/* --- import, set, unset -------------------------------------------------------------------------------------------------------------- */

static int check(struct slice name, struct slice text, const char *place)
{
	struct van_arena *a = van_arena_new((size_t)256 << 20);
	struct map_table *t;
	struct van_error e = {0};
	int rc = a ? map_table_parse(a, slice_make(name.p + 6, name.n - 6), text, &t, &e) : VAN_ENOMEM;
	van_arena_free(a);
	return rc < 0 ? ctl_fail(CTL_NO, "%s: %s; nothing was changed", place, rc == VAN_ENOMEM ? "out of memory" : e.text) : CTL_DONE;
}

/* `newest`: the version that the text was made of; negative: whatever there is. */
static int send_table(struct ctl *c, struct slice name, struct slice text, json_int_t newest, json_t **ret_answer)
{
	const char *note = ctl_text(c, "note");
	json_t *ask = json_pack("{s:s%, s:s%}", "name", name.p, name.n, "text", text.p, text.n);
	if (!ask)
		return ctl_fail(CTL_USAGE, "the table is not UTF-8");
	if (note)
		json_object_set_new(ask, "note", json_string(note));
	if (newest >= 0)
		json_object_set_new(ask, "newest", json_integer(newest));
	int status = client_ask(c, "map.import", ask, ret_answer, NULL);
	json_decref(ask);
	return status;
}

static void say_version(struct ctl *c, const json_t *answer)
{
	if (c->json)
		print_json(answer);
	else
		printf("%s version %lld is active\n", json_string_value(json_object_get(answer, "name")),
		       (long long)json_integer_value(json_object_get(answer, "version")));
}

static const struct ctl_option import_options[] = {
	{"--name", "N", "name", CTL_TEXT, NULL, "name of the table; default: that of the file"},
	{"--note", "TEXT", "note", CTL_TEXT, NULL, "why, for the history"},
	{NULL},
};

static int table_import(struct ctl *c)
{
	char name[NAME_MAX_ + 8], plain[256];
	struct van_arena *a = van_arena_new((size_t)256 << 20);
	struct slice of_file, text;
	json_t *answer = NULL;
	int status = a ? map_read_sheet(c->args[0], a, &of_file, &text) : ctl_fail(CTL_USAGE, "out of memory");
	if (!status) {
		snprintf(plain, sizeof plain, "%.*s", SLICE_ARG(of_file));
		status = with_name(ctl_text(c, "name") ? ctl_text(c, "name") : plain, name);
	}
	if (!status)
		status = check(slice_str(name), text, c->args[0]);
	if (!status)
		status = send_table(c, slice_str(name), text, -1, &answer);
	if (!status)
		say_version(c, answer);
	json_decref(answer);
	van_arena_free(a);
	return status;
}

/* The own rows that are active (none: empty), and which version is the newest (0: none). */
static int fetch(struct ctl *c, const char *name, struct van_arena *a, struct slice *ret_text, json_int_t *ret_newest)
{
	json_t *list = NULL, *one, *answer = NULL, *ask;
	json_int_t active = 0;
	size_t i;
	int status = client_ask(c, "map.list", NULL, &list, NULL);
	*ret_newest = 0;
	json_array_foreach (list, i, one)
		if (!strcmp(json_string_value(json_object_get(one, "name")), name)) {
			active = json_integer_value(json_object_get(one, "active"));
			*ret_newest = json_integer_value(json_object_get(one, "newest"));
		}
	json_decref(list);
	*ret_text = SLICE("");
	if (status || !active)
		return status;
	ask = json_pack("{s:s, s:I}", "name", name, "version", active);
	status = client_ask(c, "map.show", ask, &answer, NULL);
	if (!status)
		*ret_text = van_arena_slice(a, slice_str(json_string_value(json_object_get(answer, "text"))));
	json_decref(ask);
	json_decref(answer);
	return status;
}

static int change(struct ctl *c, const struct table_change *k)
{
	char name[NAME_MAX_ + 8];
	struct van_arena *a = van_arena_new((size_t)256 << 20);
	struct van_buf csv = VAN_BUF_INIT((size_t)16 << 20);
	struct slice text;
	json_t *answer = NULL;
	json_int_t newest;
	bool found = false;
	int status = a ? with_name(c->args[0], name) : ctl_fail(CTL_USAGE, "out of memory");
	if (!status)
		status = fetch(c, name, a, &text, &newest);
	if (!status && table_edit(a, text, k, &csv, &found) < 0)
		status = ctl_fail(CTL_USAGE, "the table of the store can't be changed; export it, mend it, and import it");
	if (!status && k->remove && !found)
		status = ctl_fail(CTL_NO, "%s has no own row of '%.*s' like that; vanctl table show %s lists them (shipped ones can't be removed, but others "
				  "set before them)", c->args[0], SLICE_ARG(k->from), c->args[0]);
	if (!status)
		status = check(slice_str(name), van_buf_slice(&csv), name);
	if (!status)
		status = send_table(c, slice_str(name), van_buf_slice(&csv), newest, &answer);
	if (!status)
		say_version(c, answer);
	json_decref(answer);
	van_buf_free(&csv);
	van_arena_free(a);
	return status;
}

static const struct ctl_option set_options[] = {
	{"--partner", "P", "partner", CTL_TEXT, NULL, "for this partner; default: for all"},
	{"--direction", NULL, "direction", CTL_TEXT, "in|out", "default: both"},
	{"--valid-from", "DAY", "valid_from", CTL_TEXT, NULL, "2026-01-31: from this day on"},
	{"--valid-until", "DAY", "valid_until", CTL_TEXT, NULL, "until this day, which is included"},
	{"--note", "TEXT", "note", CTL_TEXT, NULL, "why, for the history and the row"},
	{NULL},
};
static const struct ctl_option unset_options[] = {
	{"--partner", "P", "partner", CTL_TEXT, NULL, "this partner's; default: that for all"},
	{"--direction", NULL, "direction", CTL_TEXT, "in|out", "default: that for both"},
	{"--valid-from", "DAY", "valid_from", CTL_TEXT, NULL, "the one from this day on"},
	{"--note", "TEXT", "note", CTL_TEXT, NULL, "why, for the history"},
	{NULL},
};

static struct slice option(struct ctl *c, const char *key)
{
	const char *text = ctl_text(c, key);
	return text ? slice_str(text) : SLICE("");
}

static int table_set(struct ctl *c)
{
	struct table_change k = {.from = slice_str(c->args[1]), .to = slice_str(c->args[2]), .partner = option(c, "partner"),
				 .direction = option(c, "direction"), .valid_from = option(c, "valid_from"),
				 .valid_until = option(c, "valid_until"), .note = option(c, "note")};
	return change(c, &k);
}

static int table_unset(struct ctl *c)
{
	struct table_change k = {.from = slice_str(c->args[1]), .partner = option(c, "partner"), .direction = option(c, "direction"),
				 .valid_from = option(c, "valid_from"), .remove = true};
	return change(c, &k);
}

/* --- export, history, activate ------------------------------------------------------------------------------------------------------- */

static const struct ctl_option export_options[] = {
	{"--format", NULL, "format", CTL_TEXT, "csv|json", "default: csv"},
	{"--map-version", "V", "map_version", CTL_TEXT, NULL, "this version, or shipped; default: the own rows that are active, else the shipped ones"},
	{"-o", "FILE", "output", CTL_TEXT, NULL, "write to FILE instead of standard output"},
	{NULL},
};

/* The same commands, for the sheet of that name. */
static int as_map(struct ctl *c, int (*run)(struct ctl *c))
{
	char name[NAME_MAX_ + 8];
	int status = with_name(c->args[0], name);
	c->args[0] = name;
	return status ? status : run(c);
}

static int table_export(struct ctl *c)
{
	return as_map(c, map_export);
}

static int table_activate(struct ctl *c)
{
	return as_map(c, map_activate);
}

static int table_diff(struct ctl *c)
{
	return as_map(c, map_diff);
}

static int table_history(struct ctl *c)
{
	static const struct print_column columns[] = {{"VERSION", "version"}, {"TIME", "time"}, {"BY", "actor"}, {"NOTE", "note"}, {NULL, NULL}};
	char name[NAME_MAX_ + 8];
	json_t *answer = NULL, *ask;
	int status = with_name(c->args[0], name);
	if (status)
		return status;
	ask = json_pack("{s:s}", "name", name);
	status = client_ask(c, "map.show", ask, &answer, NULL);
	if (!status)
		c->json ? print_json(json_object_get(answer, "versions")) : print_table(json_object_get(answer, "versions"), columns);
	json_decref(ask);
	json_decref(answer);
	return status;
}

const struct ctl_command commands_table[] = {
	{"table", "list", "", 0, 0, "List tables: how many rows are shipped, how many are of one's own", NULL, table_list},
	{"table", "show", "NAME", 1, 1, "Show the rows of a table, or the one that a value finds", show_options, table_show},
	{"table", "import", "FILE", 1, 1, "Replace the own rows of a table by those of a file (.csv, .json), at once", import_options, table_import},
	{"table", "export", "NAME", 1, 1, "Write the own rows of a table (or the shipped ones) as CSV or JSON", export_options, table_export},
	{"table", "set", "NAME FROM TO", 3, 3, "Set one row; FROM may end in *", set_options, table_set},
	{"table", "unset", "NAME FROM", 2, 2, "Remove an own row", unset_options, table_unset},
	{"table", "history", "NAME", 1, 1, "Who changed a table, and when", NULL, table_history},
	{"table", "diff", "NAME V1 [V2]", 2, 3, "Compare two versions by rows and cells; exit status 1: they differ", NULL, table_diff},
	{"table", "activate", "NAME [VERSION]", 1, 2, "Go back to an older version, or to shipped", NULL, table_activate},
	{NULL},
};
