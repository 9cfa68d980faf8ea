/* Where a sheet is: a file, the store of a vand, or what is installed. */
#include "vanctl/map.h"

#include "base/codec.h"
#include "base/datafolder.h"
#include "base/fdio.h"
#include "ipc/messages.h"
#include "map/sample.h"
#include "vanctl/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_path(const char *what)
{
	struct slice s = slice_str(what);
	return strchr(what, '/') || slice_ends(s, ".csv") || slice_ends(s, ".json");
}

/* The store's sheets before the shipped ones. */
static int take_sources(struct ctl *c, struct map_source *s)
{
	struct van_buf record = VAN_BUF_INIT((size_t)1 << 30);
	struct ipc_sheets all;
	struct van_error e = {0};
	json_t *answer = NULL;
	int fd = -1, status = client_ask(c, "map.sources", NULL, &answer, &fd), rc = 0;
	json_decref(answer);
	if (status)
		return status;
	rc = fd < 0 ? VAN_EIO : fd_read_file(fd, &record);
	if (rc == 0)
		rc = record_decode(&ipc_sheets_table, van_buf_slice(&record), s->arena, &all);
	struct map_sheet *v = rc == 0 ? van_arena_array(s->arena, all.sheets.n + 1, sizeof *v) : NULL;
	for (size_t i = 0; v && i < all.sheets.n; i++) {
		const struct ipc_sheet *from = RECORD_AT(all.sheets, struct ipc_sheet, i);
		v[i] = (struct map_sheet){from->name, from->version, from->active, from->text};
	}
	if (rc == 0)
		rc = v ? map_library_set(s->library, v, all.sheets.n, &e) : VAN_ENOMEM;
	if (fd >= 0)
		close(fd);
	van_buf_free(&record);
	return rc < 0 ? ctl_fail(CTL_USAGE, "the maps of vand could not be read: %s", van_err_name(rc)) : CTL_DONE;
}

static int open_library(struct map_source *s, char *folder, size_t room)
{
	struct van_error e = {0};
	char dictionaries[4096];
	bool found = van_data_folder("maps", folder, room) == 0;
	const char *own = getenv("OPENVAN_MAPS");
	if (own && *own)
		snprintf(folder, room, "%s", own);
	if (map_library_open(found ? folder : NULL, &s->library, &e) < 0)
		return ctl_fail(CTL_USAGE, "%s", e.text);
	found = van_data_folder("dict", dictionaries, sizeof dictionaries) == 0;
	if (edi_dictionary_set_open(found ? dictionaries : NULL, &s->dictionaries, &e) < 0)
		return ctl_fail(CTL_USAGE, "%s", e.text);
	map_library_dictionaries(s->library, s->dictionaries);
	return CTL_DONE;
}

static int open_file(const char *path, struct map_source *s)
{
	const char *slash = strrchr(path, '/');
	struct slice folder = slash ? van_arena_slice(s->arena, slice_make(path, (size_t)(slash - path))) : SLICE(".");
	int status = map_read_sheet(path, s->arena, &s->name, &s->text);
	s->file = path;
	s->version = MAP_VERSION_ACTIVE;
	return status ? status : map_read_cases(folder.n ? folder.p : "/", s->name, s);
}

/* --- by name ---------------------------------------------------------------------------------------------------------------------- */

struct shipped {
	struct map_source *s;
	struct slice name;
};

static int match_shipped(void *arg, const struct map_sheet *sheet)
{
	struct shipped *q = arg;
	if (sheet->version != MAP_VERSION_SHIPPED || !slice_eq(sheet->name, q->name))
		return 0;
	q->s->name = van_arena_slice(q->s->arena, sheet->name);
	q->s->text = van_arena_slice(q->s->arena, sheet->text);
	q->s->version = MAP_VERSION_SHIPPED;
	return 1;
}

/* A sheet's name, or that of one of its maps. */
static struct slice sheet_name(struct map_source *s, const char *what)
{
	const struct map *m;
	const struct map_sheet *sheet;
	if (map_library_find(s->library, slice_str(what), MAP_VERSION_ACTIVE, &m, &sheet, NULL) == 0)
		return van_arena_slice(s->arena, sheet->name);
	return slice_str(what);
}

static struct slice decode(struct map_source *s, const json_t *v)
{
	struct van_buf bytes = VAN_BUF_INIT(2 * MAP_SAMPLE_MAX);
	struct slice ret = SLICE_NONE;
	if (json_is_string(v) && base64_decode(&bytes, slice_make(json_string_value(v), json_string_length(v))) == 0)
		ret = van_arena_slice(s->arena, van_buf_slice(&bytes));
	van_buf_free(&bytes);
	return ret;
}

static struct slice keep(struct map_source *s, const json_t *v)
{
	return json_is_string(v) ? van_arena_slice(s->arena, slice_make(json_string_value(v), json_string_length(v))) : SLICE_NONE;
}

static int take_stored(struct map_source *s, const json_t *answer)
{
	const json_t *samples = json_object_get(answer, "samples"), *one;
	size_t i;
	s->name = keep(s, json_object_get(answer, "name"));
	s->text = keep(s, json_object_get(answer, "text"));
	s->version = (uint64_t)json_integer_value(json_object_get(answer, "version"));
	s->cases = van_arena_array(s->arena, json_array_size(samples) + 1, sizeof *s->cases);
	if (!s->cases)
		return ctl_fail(CTL_USAGE, "out of memory");
	json_array_foreach (samples, i, one)
		s->cases[s->ncases++] = (struct map_case){keep(s, json_object_get(one, "name")), decode(s, json_object_get(one, "input")),
							   decode(s, json_object_get(one, "expected"))};
	return CTL_DONE;
}

static bool is_stored(struct ctl *c, struct slice name)
{
	json_t *list = NULL, *one;
	size_t i;
	bool found = false;
	if (client_ask(c, "map.list", NULL, &list, NULL) != CTL_DONE)
		return false;
	json_array_foreach (list, i, one)
		found = found || (slice_is(name, json_string_value(json_object_get(one, "name"))) &&
				  json_integer_value(json_object_get(one, "newest")) > 0);
	json_decref(list);
	return found;
}

static int open_stored(struct ctl *c, struct slice name, const char *version, struct map_source *s)
{
	json_t *answer = NULL, *ask = json_pack("{s:s%}", "name", name.p, name.n);
	if (version)
		json_object_set_new(ask, "version", json_string(version));
	int status = client_ask(c, "map.show", ask, &answer, NULL);
	if (!status)
		status = take_stored(s, answer);
	json_decref(ask);
	json_decref(answer);
	return status;
}

static int open_named(struct ctl *c, const char *what, bool up, const char *folder, struct map_source *s)
{
	struct slice name = sheet_name(s, what);
	const char *version = ctl_text(c, "map_version");
	bool shipped = version && (!strcmp(version, "shipped") || !strcmp(version, "0"));
	if (!shipped && up && is_stored(c, name)) {
		int status = open_stored(c, name, version, s);
		if (status || s->version != MAP_VERSION_SHIPPED)
			return status;
		*s = (struct map_source){.arena = s->arena, .library = s->library, .dictionaries = s->dictionaries};
	} else if (version && !shipped) {
		return ctl_fail(up ? CTL_NO : CTL_USAGE, "%.*s version %s: %s", SLICE_ARG(name), version,
				up ? "the store has no such sheet; vanctl map list shows them" : "versions are in the store, and no vand answers; start it, or name its configuration with -c FILE");
	}
	struct shipped q = {s, name};
	if (map_library_each(s->library, match_shipped, &q) == 1)
		return map_read_cases(folder, s->name, s);
	return ctl_fail(CTL_NO, "there is no map %s; vanctl map list shows them%s", what,
			up ? "" : " (no vand answers: only shipped ones are known; name its configuration with -c FILE)");
}

static int begin(struct ctl *c, bool up, char *folder, size_t room, struct map_source *ret)
{
	*folder = 0;
	*ret = (struct map_source){.arena = van_arena_new((size_t)1 << 30)};
	if (!ret->arena)
		return ctl_fail(CTL_USAGE, "out of memory");
	int status = open_library(ret, folder, room);
	return !status && up ? take_sources(c, ret) : status;
}

int map_source_library(struct ctl *c, struct map_source *ret)
{
	char folder[4096];
	return begin(c, client_up(c), folder, sizeof folder, ret);
}

int map_source_newest(struct ctl *c, const char *name, struct map_source *ret)
{
	char folder[4096], version[32];
	json_t *list = NULL, *one;
	size_t i;
	uint64_t newest = 0;
	int status = begin(c, false, folder, sizeof folder, ret);
	if (!status)
		status = client_ask(c, "map.list", NULL, &list, NULL);
	json_array_foreach (list, i, one)
		if (!strcmp(json_string_value(json_object_get(one, "name")), name))
			newest = (uint64_t)json_integer_value(json_object_get(one, "newest"));
	json_decref(list);
	if (!status && !newest)
		status = ctl_fail(CTL_NO, "the store has no sheet %s; vanctl map import it first", name);
	snprintf(version, sizeof version, "%llu", (unsigned long long)newest);
	return status ? status : open_stored(c, slice_str(name), version, ret);
}

int map_source_open(struct ctl *c, const char *what, struct map_source *ret)
{
	char folder[4096];
	bool up = client_up(c);
	int status = begin(c, up, folder, sizeof folder, ret);
	if (!status)
		status = is_path(what) ? open_file(what, ret) : open_named(c, what, up, folder, ret);
	return status;
}

void map_source_free(struct map_source *s)
{
	map_library_free(s->library);
	edi_dictionary_set_free(s->dictionaries);
	van_arena_free(s->arena);
}

const char *map_source_place(const struct map_source *s)
{
	struct slice place = s->file ? slice_str(s->file)
			   : s->version == MAP_VERSION_SHIPPED
				   ? van_arena_printf(s->arena, "%.*s (shipped)", SLICE_ARG(s->name))
				   : van_arena_printf(s->arena, "%.*s version %llu", SLICE_ARG(s->name), (unsigned long long)s->version);
	return place.p ? place.p : "map";
}
