#include "vanctl/edi_sheets.h"

#include "base/datafolder.h"
#include "map/flat.h"
#include "vanctl/edi_command.h"
#include "vanctl/map.h"

#define FILE_MEMORY ((size_t)64 << 20)

static bool is_path(const char *what)
{
	struct slice s = slice_str(what);
	return what && (strchr(what, '/') || slice_ends(s, ".csv") || slice_ends(s, ".json"));
}

static int add_file(const char *path, struct edi_dictionary_set *dictionaries, struct edi_sheets *s)
{
	struct slice name, text;
	struct van_error e = {0};
	s->arena = van_arena_new(FILE_MEMORY);
	if (!s->arena || map_set_new(s->installed, &s->own, &e) < 0)
		return edi_fail(EDI_USAGE, "no memory");
	map_set_dictionaries(s->own, dictionaries);
	int status = map_read_sheet(path, s->arena, &name, &text);
	if (status == EDI_DONE && (map_set_add(s->own, name, text, &e) < 0 || map_set_link(s->own, &e) < 0))
		status = edi_fail(EDI_USAGE, "%s", e.text);
	return status;
}

int edi_sheets_open(const char *what, struct edi_dictionary_set *dictionaries, struct edi_sheets *ret)
{
	char folder[4096];
	struct van_error e = {0};
	bool found = van_data_folder("maps", folder, sizeof folder) == 0;
	*ret = (struct edi_sheets){.own = NULL};
	if (map_set_open(found ? folder : NULL, &ret->installed, &e) < 0)
		return edi_fail(EDI_USAGE, "%s", e.text);
	map_set_dictionaries(ret->installed, dictionaries);
	ret->named = what ? map_find(ret->installed, slice_str(what)) : NULL;
	return is_path(what) ? add_file(what, dictionaries, ret) : EDI_DONE;
}

void edi_sheets_close(struct edi_sheets *s)
{
	map_set_free(s->own);
	map_set_free(s->installed);
	van_arena_free(s->arena);
}

struct first {
	const struct edi_sheets_wanted *wanted;
	const struct map *found;
};

static bool fits(struct slice wanted, struct slice is)
{
	return !wanted.p || slice_eq(wanted, is);
}

static void take_first(void *ctx, const struct map *m)
{
	struct first *f = ctx;
	const struct edi_sheets_wanted *w = f->wanted;
	if (!f->found && map_way(m) == w->way && strcmp(map_standard(m), w->standard) == 0 && fits(w->document, slice_str(map_target(m))) &&
	    fits(w->type, map_type(m)) && fits(w->version, map_version(m)))
		f->found = m;
}

const struct map *edi_sheets_map(const struct edi_sheets *s, const struct edi_sheets_wanted *wanted)
{
	struct first f = {.wanted = wanted};
	if (s->own) {
		map_each(s->own, take_first, &f);
		return f.found;
	}
	f.found = s->named;
	if (f.found && wanted->way == MAP_OUT && map_way(f.found) == MAP_IN && map_reverse(f.found))
		f.found = map_reverse(f.found); /* one name for both ways of a sheet */
	return f.found;
}

const struct flat_sheet *edi_sheets_flat(const struct edi_sheets *s, const char *what)
{
	const struct flat_sheet *found = s->own ? flat_alone(s->own) : flat_find(s->installed, slice_str(what));
	if (!found)
		edi_fail(EDI_USAGE, s->own ? "%s is no flat sheet; flat sheets have a row @map,csv …" : "there is no flat sheet %s; flat sheets have a row @map,csv …", what);
	return found;
}
