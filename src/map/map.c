/* Sets of maps: *.csv files; those named table-NAME.csv are tables. */
#include "map/rows.h"

#include "base/fdio.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define SET_MEMORY ((size_t)64 << 20)
#define FILE_MEMORY ((size_t)16 << 20)

static int is_map(const struct dirent *d)
{
	return d->d_name[0] != '.' && slice_ends(slice_str(d->d_name), ".csv");
}

static int read_one(struct map_set *set, const char *folder, const char *file, struct van_error *e)
{
	char path[4096];
	struct van_buf text = VAN_BUF_INIT(FILE_MEMORY);
	struct slice name = slice_str(file);
	name.n -= 4;
	snprintf(path, sizeof path, "%s/%s", folder, file);
	int rc = file_read(path, &text);
	if (rc < 0)
		rc = van_error_set(e, (enum van_err)rc, "%s: cannot be read; check its rights", path);
	else if (slice_starts(name, "table-"))
		rc = map_parse_table(set, slice_make(name.p + 6, name.n - 6), van_buf_slice(&text), e);
	else
		rc = map_parse(set, name, van_buf_slice(&text), e);
	van_buf_free(&text);
	return rc;
}

static int read_folder(struct map_set *set, const char *folder, struct van_error *e)
{
	struct dirent **names;
	int n = scandir(folder, &names, is_map, alphasort);
	if (n < 0)
		return VAN_ENOTFOUND;
	int rc = n ? 0 : VAN_ENOTFOUND;
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = read_one(set, folder, names[i]->d_name, e);
		free(names[i]);
	}
	free(names);
	return rc;
}

int map_set_open(const char *path, struct map_set **ret, struct van_error *e)
{
	const char *folders[] = {getenv("OPENVAN_MAPS"), path, VAN_DATADIR "/maps"};
	struct map_set *set = calloc(1, sizeof *set);
	if (!set || !(set->arena = van_arena_new(SET_MEMORY))) {
		free(set);
		return van_error_set(e, VAN_ENOMEM, "no memory for the maps");
	}
	int rc = VAN_ENOTFOUND;
	for (size_t i = 0; i < 3 && rc == VAN_ENOTFOUND; i++)
		if (folders[i] && *folders[i])
			rc = read_folder(set, folders[i], e);
	if (rc == VAN_ENOTFOUND)
		van_error_set(e, VAN_ENOTFOUND, "no maps (*.csv) in %s; set OPENVAN_MAPS or run make install", path ? path : VAN_DATADIR "/maps");
	if (rc == 0)
		rc = map_link(set, e);
	if (rc < 0) {
		map_set_free(set);
		return rc;
	}
	*ret = set;
	return 0;
}

void map_set_free(struct map_set *set)
{
	if (!set)
		return;
	van_arena_free(set->arena);
	free(set);
}

const struct map *map_find(const struct map_set *set, struct slice name)
{
	const struct map *m = set ? set->maps : NULL;
	while (m && !slice_is(name, m->name))
		m = m->next;
	return m;
}

const struct map *map_find_for(const struct map_set *set, const char *standard, struct slice type, struct slice version)
{
	const struct map *found = NULL;
	bool x12 = strcmp(standard, "x12") == 0;
	if (x12 && version.n > 6)
		version.n = 6;
	for (const struct map *m = set ? set->maps : NULL; m; m = m->next) {
		if (strcmp(m->standard, standard) != 0 || !slice_eq(m->type, type) || !slice_eq(m->version, version))
			continue;
		if (found)
			return NULL; /* more than one: the agreement must name it */
		found = m;
	}
	return found;
}

const char *map_name(const struct map *m)
{
	return m->name;
}

const char *map_target(const struct map *m)
{
	return m->target;
}
