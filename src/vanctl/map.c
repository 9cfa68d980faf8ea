/* map list, show, import, export, activate, lock, unlock, sample add. */
#include "vanctl/map.h"

#include "base/buf.h"
#include "base/codec.h"
#include "base/error.h"
#include "map/sample.h"
#include "map/sheet_json.h"
#include "vanctl/client.h"
#include "vanctl/simple.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- list ------------------------------------------------------------------------------------------------------------------------ */

static bool is_table(const char *name)
{
	return !strncmp(name, "table-", 6);
}

struct listing {
	json_t *list;
};

static int add_shipped(void *arg, const struct map_sheet *s)
{
	struct listing *l = arg;
	json_t *one;
	size_t i;
	if (s->version != MAP_VERSION_SHIPPED || slice_starts(s->name, "table-"))
		return 0;
	json_array_foreach (l->list, i, one)
		if (slice_is(s->name, json_string_value(json_object_get(one, "name")))) {
			json_object_set_new(one, "shipped", json_true());
			return 0;
		}
	json_array_append_new(l->list, json_pack("{s:s%, s:i, s:i, s:b, s:n, s:n, s:b}", "name", s->name.p, s->name.n, "active", 0, "newest", 0,
						 "locked", 0, "time", "actor", "shipped", 1));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "name")),
		      json_string_value(json_object_get(*(json_t *const *)b, "name")));
}

static json_t *sorted(json_t *list)
{
	size_t n = json_array_size(list), i;
	json_t **v = calloc(n + 1, sizeof *v), *one, *to = json_array();
	json_array_foreach (list, i, one)
		v[i] = one;
	qsort(v, n, sizeof *v, by_name);
	for (i = 0; i < n; i++) {
		bool stored = json_integer_value(json_object_get(v[i], "active")) > 0, shipped = json_is_true(json_object_get(v[i], "shipped"));
		char active[32];
		snprintf(active, sizeof active, stored ? "version %lld" : shipped ? "shipped" : "none",
			 (long long)json_integer_value(json_object_get(v[i], "active")));
		json_object_set_new(v[i], "in_force", json_string(active));
		if (!json_object_get(v[i], "shipped"))
			json_object_set_new(v[i], "shipped", json_false());
		json_array_append(to, v[i]);
	}
	free(v);
	return to;
}

static int map_list(struct ctl *c)
{
	static const struct print_column columns[] = {
		{"NAME", "name"}, {"ACTIVE", "in_force"}, {"NEWEST", "newest"}, {"LOCKED", "locked"}, {"CHANGED", "time"}, {"BY", "actor"}, {NULL, NULL},
	};
	struct map_source s;
	json_t *stored = NULL, *one;
	size_t i;
	bool up = client_up(c);
	struct listing l = {json_array()};
	int status = map_source_library(c, &s);
	if (!status && up)
		status = client_ask(c, "map.list", NULL, &stored, NULL);
	json_array_foreach (stored, i, one)
		if (!is_table(json_string_value(json_object_get(one, "name"))))
			json_array_append(l.list, one);
	if (!status) {
		map_library_each(s.library, add_shipped, &l);
		json_t *list = sorted(l.list);
		c->json ? print_json(list) : print_table(list, columns);
		json_decref(list);
		if (!up)
			fputs("vanctl: no vand answers: these are the shipped ones\n", stderr);
	}
	json_decref(stored);
	json_decref(l.list);
	map_source_free(&s);
	return status;
}

/* --- show -------------------------------------------------------------------------------------------------------------------------- */

static const struct ctl_option version_options[] = {
	{"--map-version", "V", "map_version", CTL_TEXT, NULL, "this version, or shipped; default: the active one"},
	{NULL},
};

static json_t *sample_names(const struct map_source *s)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->ncases; i++)
		json_array_append_new(list, json_stringn(s->cases[i].name.p, s->cases[i].name.n));
	return list;
}

/* A sheet with a name of its own has one name for all its versions. */
static void add_map(void *arg, const struct map *m)
{
	json_t *one;
	size_t i;
	json_array_foreach (arg, i, one)
		if (!strcmp(json_string_value(one), map_name(m)))
			return;
	json_array_append_new(arg, json_string(map_name(m)));
}

static json_t *map_names(struct map_source *s)
{
	json_t *list = json_array();
	struct map_set *set = NULL;
	if (map_library_compile(s->library, s->name, s->text, &set, NULL) == 0)
		map_each(set, add_map, list);
	map_set_free(set);
	return list;
}

static json_t *versions_of(struct ctl *c, const struct map_source *s)
{
	json_t *answer = NULL, *ask = json_pack("{s:s%}", "name", s->name.p, s->name.n), *versions = NULL;
	if (client_ask(c, "map.show", ask, &answer, NULL) == CTL_DONE)
		versions = json_incref(json_object_get(answer, "versions"));
	json_decref(answer);
	json_decref(ask);
	return versions ? versions : json_array();
}

static int map_show(struct ctl *c)
{
	static const struct print_column fields[] = {{"Name", "name"}, {"Version", "version"}, {"Maps", "maps"}, {"Samples", "samples"}, {NULL, NULL}};
	static const struct print_column columns[] = {
		{"VERSION", "version"}, {"TIME", "time"}, {"BY", "actor"}, {"SAMPLES", "samples"}, {"NOTE", "note"}, {NULL, NULL},
	};
	struct map_source s;
	int status = map_source_open(c, c->args[0], &s);
	if (!status) {
		json_t *versions = s.file || s.version == MAP_VERSION_SHIPPED ? json_array() : versions_of(c, &s);
		json_t *v = json_pack("{s:s%, s:o, s:o, s:o, s:o, s:s%}", "name", s.name.p, s.name.n, "version",
				      s.version == MAP_VERSION_SHIPPED ? json_string("shipped") : s.file ? json_null() : json_integer((json_int_t)s.version),
				      "maps", map_names(&s), "samples", sample_names(&s), "versions", versions, "text", s.text.p, s.text.n);
		if (c->json) {
			print_json(v);
		} else {
			print_fields(v, fields);
			if (json_array_size(versions))
				print_table(versions, columns);
			printf("\n%.*s", SLICE_ARG(s.text));
		}
		json_decref(v);
	}
	map_source_free(&s);
	return status;
}

/* --- import and samples -------------------------------------------------------------------------------------------------------------- */

static json_t *encoded(struct slice s)
{
	struct van_buf text = VAN_BUF_INIT(4 * MAP_SAMPLE_MAX);
	base64_encode(&text, s.p, s.n, 0);
	json_t *v = json_stringn(text.p ? text.p : "", text.n);
	van_buf_free(&text);
	return v;
}

static json_t *encoded_cases(const struct map_source *s)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->ncases; i++)
		json_array_append_new(list, json_pack("{s:s%, s:o, s:o}", "name", s->cases[i].name.p, s->cases[i].name.n, "input",
						      encoded(s->cases[i].input), "expected", encoded(s->cases[i].expected)));
	return list;
}

/* Sends text and samples (none: those of the version before stay) as the next version. */
static int send_version(struct ctl *c, const struct map_source *s, struct slice name, bool samples)
{
	const char *note = ctl_text(c, "note");
	json_t *answer = NULL, *ask = json_pack("{s:s%, s:s%}", "name", name.p, name.n, "text", s->text.p, s->text.n);
	if (!ask)
		return ctl_fail(CTL_USAGE, "the sheet is not UTF-8");
	if (note)
		json_object_set_new(ask, "note", json_string(note));
	if (samples)
		json_object_set_new(ask, "samples", encoded_cases(s));
	int status = client_ask(c, "map.import", ask, &answer, NULL);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		printf("%.*s version %lld %s; vanctl map activate %.*s\n", SLICE_ARG(name),
		       (long long)json_integer_value(json_object_get(answer, "version")),
		       json_is_true(json_object_get(answer, "changed")) ? "is there, inactive" : "is the same", SLICE_ARG(name));
	json_decref(ask);
	json_decref(answer);
	return status;
}

static const struct ctl_option import_options[] = {
	{"--name", "N", "name", CTL_TEXT, NULL, "name of the sheet; default: that of the file"},
	{"--note", "TEXT", "note", CTL_TEXT, NULL, "why, for the history"},
	{"--no-samples", NULL, "no_samples", CTL_FLAG, NULL, "without any; default: those in samples/NAME/, or those of the version before"},
	{NULL},
};

static int import_source(struct ctl *c, struct map_source *s)
{
	bool none = json_is_true(json_object_get(c->options, "no_samples"));
	if (none)
		s->ncases = 0;
	int status = map_cases_complete(s);
	return status ? status : send_version(c, s, s->name, none || s->ncases > 0);
}

static int map_import(struct ctl *c)
{
	struct map_source s;
	int status = map_source_open(c, c->args[0], &s);
	if (!status && !s.file)
		status = ctl_fail(CTL_USAGE, "import what? give the path of a .csv or .json file");
	if (!status && ctl_text(c, "name"))
		s.name = slice_str(ctl_text(c, "name"));
	if (!status && map_print_errors(&s, NULL))
		status = ctl_fail(CTL_NO, "nothing was imported; mend what is named above and import again");
	if (!status)
		status = import_source(c, &s);
	map_source_free(&s);
	return status;
}

static const struct ctl_option sample_options[] = {
	{"--expect", "FILE", "expect", CTL_TEXT, NULL, "what is expected to come of it"},
	{"--sample", "CASE", "sample", CTL_TEXT, NULL, "its name; default: that of FILE without what follows its first dot"},
	{"--note", "TEXT", "note", CTL_TEXT, NULL, "why, for the history"},
	{NULL},
};

static struct slice case_name(struct ctl *c)
{
	const char *named = ctl_text(c, "sample"), *slash = strrchr(c->args[1], '/');
	struct slice rest = slice_str(named ? named : slash ? slash + 1 : c->args[1]);
	return named ? rest : slice_cut(&rest, '.');
}

/* The newest version with one sample more (or other) becomes the next one. */
static int sample_add(struct ctl *c)
{
	struct map_source s;
	struct map_case k = {.name = case_name(c)}, *v;
	size_t n = 0;
	if (!ctl_text(c, "expect"))
		return ctl_fail(CTL_USAGE, "what is expected of it? --expect FILE");
	int status = map_source_newest(c, c->args[0], &s);
	if (!status)
		status = map_read_file(c->args[1], MAP_SAMPLE_MAX, s.arena, &k.input);
	if (!status)
		status = map_read_file(ctl_text(c, "expect"), MAP_SAMPLE_MAX, s.arena, &k.expected);
	v = status ? NULL : van_arena_array(s.arena, s.ncases + 1, sizeof *v);
	for (size_t i = 0; v && i < s.ncases; i++)
		if (!slice_eq(s.cases[i].name, k.name))
			v[n++] = s.cases[i];
	if (v) {
		v[n++] = k;
		s.cases = v;
		s.ncases = n;
		status = send_version(c, &s, s.name, true);
	}
	map_source_free(&s);
	return status;
}

/* --- export ---------------------------------------------------------------------------------------------------------------------------- */

static const struct ctl_option export_options[] = {
	{"--format", NULL, "format", CTL_TEXT, "csv|json", "default: csv"},
	{"--map-version", "V", "map_version", CTL_TEXT, NULL, "this version, or shipped; default: the active one"},
	{"-o", "FILE", "output", CTL_TEXT, NULL, "write to FILE instead of standard output"},
	{NULL},
};

static int write_out(struct ctl *c, struct slice text)
{
	const char *path = ctl_text(c, "output");
	FILE *f = path ? fopen(path, "w") : stdout;
	bool bad = !f || fwrite(text.p, 1, text.n, f) != text.n;
	if (f && path)
		bad = fclose(f) != 0 || bad;
	return bad ? ctl_fail(CTL_USAGE, "%s could not be written; name a file in a folder that exists, is writable and has room",
			      path ? path : "standard output")
		   : CTL_DONE;
}

int map_export(struct ctl *c)
{
	struct map_source s;
	struct van_buf json = VAN_BUF_INIT((size_t)64 << 20);
	struct van_error e = {0};
	const char *format = ctl_text(c, "format");
	int status = map_source_open(c, c->args[0], &s);
	if (!status && (c->json || (format && !strcmp(format, "json"))))
		status = sheet_to_json(s.name, s.text, &json, &e) < 0 ? ctl_fail(CTL_NO, "%s: %s", map_source_place(&s), e.text)
								      : write_out(c, van_buf_slice(&json));
	else if (!status)
		status = write_out(c, s.text);
	van_buf_free(&json);
	map_source_free(&s);
	return status;
}

/* --- activate, lock ---------------------------------------------------------------------------------------------------------------------- */

int map_activate(struct ctl *c)
{
	json_t *answer = NULL, *ask = json_pack("{s:s}", "name", c->args[0]);
	if (c->nargs > 1)
		json_object_set_new(ask, "version", json_string(strcmp(c->args[1], "shipped") ? c->args[1] : "0"));
	int status = ask ? client_ask(c, "map.activate", ask, &answer, NULL) : ctl_fail(CTL_USAGE, "the argument is not UTF-8");
	long long version = json_integer_value(json_object_get(answer, "active"));
	if (!status && c->json)
		print_json(answer);
	else if (!status && version)
		printf("%s version %lld is active\n", c->args[0], version);
	else if (!status)
		printf("%s as shipped is active\n", c->args[0]);
	json_decref(ask);
	json_decref(answer);
	return status;
}

static int lock(struct ctl *c, bool locked)
{
	json_object_set_new(c->options, "locked", json_boolean(locked));
	return simple_do(c, "map.lock", "name", locked ? "is locked; tables that it uses may still be changed" : "is unlocked");
}

static int map_lock(struct ctl *c)
{
	return lock(c, true);
}

static int map_unlock(struct ctl *c)
{
	return lock(c, false);
}

const struct ctl_command commands_map[] = {
	{"map", "list", "", 0, 0, "List maps: which version of each sheet is active", NULL, map_list},
	{"map", "show", "NAME", 1, 1, "Show a sheet, its maps, samples and versions", version_options, map_show},
	{"map", "check", "FILE|NAME…", 1, 1000, "Check sheets; every error with file, row and remedy", version_options, map_check},
	{"map", "test", "FILE|NAME [SAMPLE]", 1, 2, "Run the samples of a map; or run it over a file and print what comes of it", version_options, map_test},
	{"map", "import", "FILE", 1, 1, "Import a sheet (.csv, .json) as a new version, inactive, with its samples", import_options, map_import},
	{"map", "export", "NAME", 1, 1, "Write a sheet as CSV or JSON", export_options, map_export},
	{"map", "activate", "NAME [VERSION]", 1, 2, "Use this version (the newest; shipped) from the next document on, if its samples pass", NULL, map_activate},
	{"map", "diff", "NAME V1 [V2]", 2, 3, "Compare two versions (numbers, shipped, files) by rows and cells; exit status 1: they differ", NULL, map_diff},
	{"map", "lock", "NAME", 1, 1, "Refuse new versions and activations of a sheet", NULL, map_lock},
	{"map", "unlock", "NAME", 1, 1, "Allow them again", NULL, map_unlock},
	{"map", "sample add", "NAME FILE", 2, 2, "Add a sample to the newest version, as a new version", sample_options, sample_add},
	{NULL},
};
