#include "map/hint_schema.h"

#include "base/fdio.h"
#include "map/tree_read.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define SCHEMAS 64             /* that are looked at */
#define MEMORY ((size_t)32 << 20)
#define VALUES 200000
#define FILE_MAX ((size_t)4 << 20)
#define REFERENCES 16          /* from one to the next */
#define ALIKE 2                /* letters by which a name may differ from the one that was meant */

struct schema {
	struct slice name;     /* "order-1.0" */
	const struct tree *root; /* NULL: there is none */
};

struct hint_schemas {
	const char *folder;
	struct tree_room room;
	struct schema v[SCHEMAS];
	size_t n;
};

struct hint_schemas *hint_schemas_new(const char *folder)
{
	struct hint_schemas *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->folder = folder;
	s->room = (struct tree_room){.arena = van_arena_new(MEMORY), .left = VALUES};
	if (s->room.arena)
		return s;
	free(s);
	return NULL;
}

void hint_schemas_free(struct hint_schemas *s)
{
	if (!s)
		return;
	van_arena_free(s->room.arena);
	free(s);
}

/* --- files ------------------------------------------------------------------------------------------------------------- */

static int load(struct hint_schemas *s, struct slice name, struct schema *to, struct van_error *e)
{
	struct van_buf text = VAN_BUF_INIT(FILE_MAX);
	struct tree *root = NULL;
	char path[4352];
	to->name = van_arena_slice(s->room.arena, name);
	if (!to->name.p)
		return VAN_ENOMEM;
	if (memchr(name.p, '/', name.n) || (size_t)snprintf(path, sizeof path, "%s/%.*s.json", s->folder, SLICE_ARG(name)) >= sizeof path)
		return 0;
	int rc = file_read(path, &text);
	if (rc == 0)
		rc = tree_read(&s->room, van_buf_slice(&text), &root, e);
	else if (rc == VAN_ENOTFOUND)
		rc = 0;
	to->root = root;
	van_buf_free(&text);
	return rc;
}

static int find(struct hint_schemas *s, struct slice name, const struct tree **ret, struct van_error *e)
{
	*ret = NULL;
	for (size_t i = 0; i < s->n; i++)
		if (slice_eq(s->v[i].name, name)) {
			*ret = s->v[i].root;
			return 0;
		}
	if (s->n == SCHEMAS)
		return 0;
	int rc = load(s, name, &s->v[s->n], e);
	if (rc == 0)
		*ret = s->v[s->n++].root;
	return rc;
}

/* --- schemas ----------------------------------------------------------------------------------------------------------- */

static const struct tree *member(const struct tree *object, const char *name)
{
	return object && object->kind == TREE_OBJECT ? tree_find(object, slice_str(name)) : NULL;
}

/* "#/$defs/party" */
static const struct tree *inside(const struct tree *root, struct slice path)
{
	const struct tree *at = root;
	slice_cut(&path, '/');
	while (path.p && at)
		at = at->kind == TREE_OBJECT ? tree_find(at, slice_cut(&path, '/')) : NULL;
	return at;
}

/* Behind references: what is meant. *root becomes that of its file. "urn:openvan:canonical:common:1.0#/$defs/date", "#/$defs/lineItem" */
static int resolve(struct hint_schemas *s, const struct tree **root, const struct tree **at, struct van_error *e)
{
	static const char own[] = "urn:openvan:canonical:";
	for (int i = 0; i < REFERENCES; i++) {
		const struct tree *ref = member(*at, "$ref");
		if (!ref)
			return 0;
		struct slice path = ref->text, file = slice_cut(&path, '#');
		if (slice_starts(file, own)) {
			struct slice version = slice_make(file.p + sizeof own - 1, file.n - (sizeof own - 1)), name = slice_cut(&version, ':');
			char whole[256];
			snprintf(whole, sizeof whole, "%.*s-%.*s", SLICE_ARG(name), SLICE_ARG(version));
			int rc = find(s, slice_str(whole), root, e);
			if (rc < 0)
				return rc;
		}
		*at = path.p ? inside(*root, path) : *root;
	}
	*at = NULL;
	return 0;
}

/* --- names that are alike ------------------------------------------------------------------------------------------------ */

static unsigned distance(struct slice a, struct slice b)
{
	unsigned row[64];
	if (a.n >= 64 || b.n >= 64)
		return 64;
	for (unsigned k = 0; k <= b.n; k++)
		row[k] = k;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned corner = row[0];
		row[0] = i;
		for (unsigned k = 1; k <= b.n; k++) {
			unsigned change = corner + ((a.p[i - 1] | 32) != (b.p[k - 1] | 32)), least = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;
			corner = row[k];
			row[k] = change < least ? change : least;
		}
	}
	return row[b.n];
}

static struct slice nearest(const struct tree *properties, struct slice name)
{
	struct slice found = SLICE_NONE;
	unsigned best = ALIKE + 1;
	for (const struct tree *t = properties->first; t; t = t->next) {
		unsigned d = distance(name, t->name);
		if (d < best && d < name.n) {
			best = d;
			found = t->name;
		}
	}
	return found;
}

/* --- places ------------------------------------------------------------------------------------------------------------- */

static struct slice no_member(const struct tree *properties, struct slice document, struct slice name, struct van_arena *a)
{
	struct slice meant = nearest(properties, name);
	if (meant.p)
		return van_arena_printf(a, "%.*s has no %.*s there: is %.*s meant?", SLICE_ARG(document), SLICE_ARG(name), SLICE_ARG(meant));
	return van_arena_printf(a, "%.*s has no %.*s there: doc/canonical-fields.md lists what it has", SLICE_ARG(document), SLICE_ARG(name));
}

static bool is_list(const struct tree *schema)
{
	const struct tree *type = member(schema, "type");
	return type && slice_is(type->text, "array");
}

/* One part of the place: *at becomes its schema, NULL where nothing is known. */
static int step(struct hint_schemas *s, struct slice document, struct slice part, const struct tree **root, const struct tree **at, struct van_arena *a,
	struct slice *ret, struct van_error *e)
{
	bool list = slice_ends(part, "[]");
	struct slice name = slice_make(part.p, part.n - (list ? 2 : 0));
	const struct tree *properties = member(*at, "properties");
	const struct tree *found = properties && properties->kind == TREE_OBJECT ? tree_find(properties, name) : NULL;
	if (properties && !found)
		*ret = no_member(properties, document, name, a);
	*at = found;
	int rc = found ? resolve(s, root, at, e) : 0;
	if (rc < 0 || !*at)
		return rc;
	if (is_list(*at) != list)
		*ret = van_arena_printf(a, list ? "%.*s is no list: write %.*s without []" : "%.*s is a list: write %.*s[]", SLICE_ARG(name), SLICE_ARG(name));
	if (is_list(*at)) {
		*at = member(*at, "items");
		rc = resolve(s, root, at, e);
	}
	return rc;
}

int hint_schema_place(struct hint_schemas *s, struct slice document, struct slice place, bool value, struct van_arena *arena, struct slice *ret,
	struct van_error *e)
{
	char name[256];
	struct slice version = document, kind = slice_cut(&version, '/');
	const struct tree *root, *at;
	*ret = SLICE_NONE;
	snprintf(name, sizeof name, "%.*s-%.*s", SLICE_ARG(kind), SLICE_ARG(version));
	int rc = find(s, slice_str(name), &root, e);
	at = root;
	for (struct slice rest = place; rc == 0 && at && rest.p && !ret->p && !slice_starts(rest, "_");)
		rc = step(s, document, slice_cut(&rest, '.'), &root, &at, arena, ret, e);
	const struct tree *members = rc == 0 && value && !ret->p && !slice_starts(place, "_") ? member(at, "properties") : NULL;
	if (members && members->first)
		*ret = van_arena_printf(arena, "%.*s is no value: what is in it has names, such as %.*s.%.*s", SLICE_ARG(place), SLICE_ARG(place),
			SLICE_ARG(members->first->name));
	return rc;
}

/* --- places of any document ----------------------------------------------------------------------------------------------- */

static int has(struct hint_schemas *s, const struct tree *root, struct slice place, bool *ret, struct van_error *e)
{
	const struct tree *at = root;
	int rc = 0;
	while (rc == 0 && at && place.p) {
		struct slice rest = slice_cut(&place, '.'), name = slice_cut(&rest, '[');
		const struct tree *properties = member(at, "properties");
		if (!properties && !is_list(at))
			break; /* nothing is known of what is in it */
		at = properties && properties->kind == TREE_OBJECT ? tree_find(properties, name) : NULL;
		rc = at ? resolve(s, &root, &at, e) : 0;
		if (rc == 0 && at && is_list(at)) {
			at = member(at, "items");
			rc = resolve(s, &root, &at, e);
		}
	}
	*ret = at != NULL;
	return rc;
}

int hint_schema_any(struct hint_schemas *s, struct slice place, bool *ret, struct van_error *e)
{
	DIR *d = opendir(s->folder);
	bool any = false;
	int rc = 0;
	*ret = false;
	for (struct dirent *one = d ? readdir(d) : NULL; one && rc == 0 && !*ret; one = readdir(d)) {
		struct slice name = slice_str(one->d_name);
		const struct tree *root;
		if (!slice_ends(name, ".json") || slice_starts(name, "common-"))
			continue;
		rc = find(s, slice_make(name.p, name.n - 5), &root, e);
		any |= rc == 0 && root;
		if (rc == 0 && root)
			rc = has(s, root, place, ret, e);
	}
	if (d)
		closedir(d);
	*ret |= !any;
	return rc;
}
