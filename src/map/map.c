/* Sets of sheets: *.csv files; those named table-NAME.csv are tables. */
#include "map/mould.h"
#include "map/shape.h"

#include "map/flat.h"
#include "map/folder.h"

#include <stdlib.h>

#define SUFFIX ".csv"
#define SET_MEMORY ((size_t)64 << 20)

int map_set_add(struct map_set *set, struct slice name, struct slice text, struct van_error *e)
{
	if (!slice_starts(name, "table-"))
		return flat_is_sheet(text) ? flat_parse(set, name, text, e) : map_parse(set, name, text, e);
	int rc = map_parse_table(set, slice_make(name.p + 6, name.n - 6), text, e);
	if (rc < 0)
		return rc;
	struct map_table *t = set->tables, *base = t->next;
	while (base && !slice_eq(base->name, t->name))
		base = base->next;
	t->base = base;
	t->scope = set->scope;
	return 0;
}

static int take_file(void *arg, struct slice name, const char *path, struct slice text, struct van_error *e)
{
	(void)path;
	name.n -= strlen(SUFFIX);
	return map_set_add(arg, name, text, e);
}

int map_set_new(const struct map_set *tables, struct map_set **ret, struct van_error *e)
{
	return map_set_of(tables, tables ? SET_MEMORY : MAP_TABLES_MEMORY, ret, e);
}

int map_set_of(const struct map_set *tables, size_t memory, struct map_set **ret, struct van_error *e)
{
	struct map_set *set = calloc(1, sizeof *set);
	if (!set || !(set->arena = van_arena_new(memory))) {
		free(set);
		return van_error_set(e, VAN_ENOMEM, "no memory for the maps");
	}
	set->more = tables;
	set->remembered = MAP_REMEMBER;
	*ret = set;
	return 0;
}

void map_set_scope(struct map_set *set, const struct map_table_scope *scope)
{
	set->scope = scope;
}

void map_set_remember(struct map_set *set, size_t bytes)
{
	map_shapes_free(set->shapes);
	set->shapes = NULL;
	map_moulds_free(set);
	set->remembered = bytes;
}

int map_set_link(struct map_set *set, struct van_error *e)
{
	return map_link(set, e);
}

int map_folder_each(const char *path, van_data_file_fn *fn, void *arg, struct van_error *e)
{
	const char *folders[] = {getenv("OPENVAN_MAPS"), path, VAN_DATADIR "/maps"};
	int rc = VAN_ENOTFOUND;
	for (size_t i = 0; i < 3 && rc == VAN_ENOTFOUND; i++)
		if (folders[i] && *folders[i])
			rc = van_data_files(folders[i], SUFFIX, MAP_TEXT_MAX, fn, arg, e);
	if (rc == VAN_ENOTFOUND)
		van_error_set(e, VAN_ENOTFOUND, "no maps (*.csv) in %s; set OPENVAN_MAPS or run make install", path ? path : VAN_DATADIR "/maps");
	return rc;
}

int map_set_open(const char *path, struct map_set **ret, struct van_error *e)
{
	struct map_set *set;
	int rc = map_set_new(NULL, &set, e);
	if (rc < 0)
		return rc;
	rc = map_folder_each(path, take_file, set, e);
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
	map_shapes_free(set->shapes);
	map_moulds_free(set);
	van_arena_free(set->arena);
	free(set);
}

void map_set_dictionaries(struct map_set *set, struct edi_dictionary_set *dictionaries)
{
	set->dictionaries = dictionaries;
}
