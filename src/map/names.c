/* The maps that a sheet yields, one for each version and way, and how they are found. */
#include "map/rows.h"

#include <ctype.h>
#include <string.h>

/* "D:96A" becomes "d96a", "ORDERS" "orders". */
static struct slice lower(struct map_set *set, struct slice s)
{
	char *copy = van_arena_alloc(set->arena, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; copy && i < s.n; i++)
		if (s.p[i] != ':')
			copy[n++] = (char)tolower((unsigned char)s.p[i]);
	return copy ? slice_make(copy, n) : SLICE_NONE;
}

/* "order/1.0" is "order". */
static struct slice document_name(struct slice document)
{
	return slice_cut(&document, '/');
}

struct yield {
	struct map_set *set;
	struct map_rows *sheet;
	struct slice document, type;
	struct map *made[2]; /* in, out, of the version at hand */
};

static char *usual_name(const struct yield *y, struct slice version, enum map_way way)
{
	struct slice v = lower(y->set, version);
	const struct map_rows *s = y->sheet;
	struct slice name = way == MAP_IN ? van_arena_printf(y->set->arena, "%.*s-%.*s-%.*s-to-%.*s", SLICE_ARG(s->standard), SLICE_ARG(v),
	                                            SLICE_ARG(y->type), SLICE_ARG(y->document))
	                                  : van_arena_printf(y->set->arena, "%.*s-to-%.*s-%.*s-%.*s", SLICE_ARG(y->document),
	                                            SLICE_ARG(s->standard), SLICE_ARG(v), SLICE_ARG(y->type));
	return (char *)(uintptr_t)name.p;
}

static bool is_usual(const struct yield *y)
{
	const struct map_rows *s = y->sheet;
	struct slice sheet = van_arena_printf(y->set->arena, "%.*s-%.*s-%.*s", SLICE_ARG(s->standard), SLICE_ARG(y->type), SLICE_ARG(y->document));
	bool found = sheet.p && slice_eq(sheet, s->name);
	for (size_t i = 0; i < s->versions.n && !found; i++)
		for (int way = MAP_IN; way <= MAP_OUT && !found; way++) {
			const char *name = usual_name(y, s->versions.v[i], way);
			found = name && slice_is(s->name, name);
		}
	return found;
}

static int yield(struct yield *y, struct slice version, enum map_way way)
{
	struct van_arena *a = y->set->arena;
	const struct map_rows *s = y->sheet;
	struct map *m = van_arena_alloc(a, sizeof *m);
	if (!m)
		return VAN_ENOMEM;
	*m = (struct map){.target = van_arena_str(a, s->document), .standard = van_arena_str(a, s->standard), .type = s->type,
		.version = version, .way = way, .sheet = y->sheet};
	m->name = s->usual ? usual_name(y, version, way)
	                   : (char *)(uintptr_t)van_arena_printf(a, "%.*s%s", SLICE_ARG(s->name), way == MAP_IN ? "" : "-out").p;
	if (!m->name || !m->target || !m->standard)
		return VAN_ENOMEM;
	struct map **last = &y->set->maps; /* the first version is found first */
	while (*last)
		last = &(*last)->next;
	*last = m;
	y->made[way] = m;
	return 0;
}

int map_yield(struct map_set *set, struct map_rows *s, struct van_error *e)
{
	struct yield y = {.set = set, .sheet = s, .document = document_name(s->document), .type = lower(set, s->type)};
	int rc = y.type.p ? 0 : VAN_ENOMEM;
	s->usual = rc == 0 && is_usual(&y);
	for (size_t i = 0; i < s->versions.n && rc == 0; i++) {
		y.made[MAP_IN] = y.made[MAP_OUT] = NULL;
		if (s->ways & MAP_WAY_IN)
			rc = yield(&y, s->versions.v[i], MAP_IN);
		if (rc == 0 && s->ways & MAP_WAY_OUT)
			rc = yield(&y, s->versions.v[i], MAP_OUT);
		if (rc == 0 && y.made[MAP_IN] && y.made[MAP_OUT]) {
			y.made[MAP_IN]->reverse = y.made[MAP_OUT];
			y.made[MAP_OUT]->reverse = y.made[MAP_IN];
		}
	}
	return rc < 0 ? van_error_set(e, VAN_ENOMEM, "map %.*s: maps need more memory than their bound", SLICE_ARG(s->name)) : 0;
}

const struct map *map_find(const struct map_set *set, struct slice name)
{
	const struct map *m = set ? set->maps : NULL;
	while (m && !slice_is(name, m->name))
		m = m->next;
	return m;
}

/* The only one among those named as usual, else among the others. Absent: any. */
static const struct map *find(const struct map_set *set, enum map_way way, struct slice document, const char *standard,
	struct slice type, struct slice version)
{
	if (strcmp(standard, "x12") == 0 && version.n > 6)
		version.n = 6;
	for (int usual = 1; usual >= 0; usual--) {
		const struct map *found = NULL;
		unsigned count = 0;
		for (const struct map *m = set ? set->maps : NULL; m; m = m->next) {
			if (m->way != way || m->sheet->usual != usual || strcmp(m->standard, standard) != 0 || (type.p && !slice_eq(m->type, type)) ||
			    (version.p && !slice_eq(m->version, version)) || (document.p && !slice_is(document, m->target)))
				continue;
			found = found ? found : m;
			count += !m->sheet->when.condition_count;
		}
		if (found)
			return count <= 1 ? found : NULL; /* more than one that does not choose its messages: it must be named */
	}
	return NULL;
}

const struct map *map_find_for(const struct map_set *set, const char *standard, struct slice type, struct slice version)
{
	return find(set, MAP_IN, SLICE_NONE, standard, type, version);
}

const struct map *map_find_out(const struct map_set *set, struct slice document, const char *standard, struct slice type,
	struct slice version)
{
	return find(set, MAP_OUT, document, standard, type, version);
}

void map_each(const struct map_set *set, void (*fn)(void *ctx, const struct map *m), void *ctx)
{
	for (const struct map *m = set ? set->maps : NULL; m; m = m->next)
		fn(ctx, m);
}

const char *map_name(const struct map *m)
{
	return m->name;
}

const char *map_target(const struct map *m)
{
	return m->target;
}

const char *map_standard(const struct map *m)
{
	return m->standard;
}

enum map_way map_way(const struct map *m)
{
	return m->way;
}

struct slice map_type(const struct map *m)
{
	return m->type;
}

struct slice map_version(const struct map *m)
{
	return m->version;
}

const struct map *map_reverse(const struct map *m)
{
	return m->reverse;
}
