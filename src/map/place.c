/* Places in documents, while a sheet is read: each scope has a tree of its places. */
#include "map/rows.h"

/* An array in the arena that has room for one more. */
static int grow(struct van_arena *arena, void **v, int32_t count, int32_t *room, size_t size)
{
	if (count < *room)
		return 0;
	int32_t more = *room ? 2 * *room : 16;
	void *bigger = van_arena_array(arena, (size_t)more, size);
	if (!bigger)
		return VAN_ENOMEM;
	if (count)
		memcpy(bigger, *v, (size_t)count * size);
	*v = bigger;
	*room = more;
	return 0;
}

int map_place_scope_new(struct map_reader *r, int32_t parent, int32_t row, int32_t *ret)
{
	struct map_rows *s = r->sheet;
	uint32_t depth = parent < 0 ? 0 : s->scopes[parent].depth + 1;
	if (depth > MAP_MAX_LOOPS)
		return map_reader_fail(r, "more loops in one another than twelve at", s->rows[row].target);
	if (grow(r->set->arena, (void **)&s->scopes, s->scope_count, &s->scope_room, sizeof *s->scopes) < 0)
		return map_reader_no_memory(r);
	*ret = s->scope_count++;
	s->scopes[*ret] = (struct map_scope){.row = row, .parent = parent, .depth = depth, .first_slot = -1};
	return 0;
}

int map_place_add_row(struct map_reader *r, int32_t scope, int32_t row)
{
	struct map_scope *s = &r->sheet->scopes[scope];
	if (grow(r->set->arena, (void **)&s->rows, s->row_count, &s->row_room, sizeof *s->rows) < 0)
		return map_reader_no_memory(r);
	s->rows[s->row_count++] = row;
	return 0;
}

/* What targets of rows in the scope begin with. */
static struct slice prefix_of(const struct map_rows *s, int32_t scope)
{
	while (scope && s->rows[s->scopes[scope].row].slot < 0)
		scope = s->scopes[scope].parent;
	return scope ? s->rows[s->scopes[scope].row].target : SLICE("");
}

int32_t map_place_scope(const struct map_rows *s, struct slice target, struct slice *rest)
{
	int32_t best = 0;
	size_t longest = 0;
	*rest = target;
	for (int32_t i = 1; i < s->scope_count; i++) {
		struct slice t = prefix_of(s, i);
		if (t.n < longest || (t.n && (target.n <= t.n + 1 || memcmp(target.p, t.p, t.n) != 0 || target.p[t.n] != '.')))
			continue;
		best = i;
		longest = t.n;
	}
	if (longest)
		*rest = slice_make(target.p + longest + 1, target.n - longest - 1);
	return best;
}

static void add_name(struct map_names *t, struct slice name)
{
	uint32_t at = tree_hash(name) & (t->room - 1);
	while (t->v[at].p)
		at = (at + 1) & (t->room - 1);
	t->v[at] = name;
	t->count++;
}

/* The name as the set has it; absent: no memory. */
static struct slice intern(struct map_set *set, struct slice name)
{
	struct map_names *t = &set->names;
	if (2 * t->count >= t->room) {
		struct map_names more = {.room = t->room ? 2 * t->room : 256};
		more.v = van_arena_array(set->arena, more.room, sizeof *more.v);
		if (!more.v)
			return SLICE_NONE;
		for (uint32_t i = 0; i < t->room; i++)
			if (t->v[i].p)
				add_name(&more, t->v[i]);
		*t = more;
	}
	uint32_t at = tree_hash(name) & (t->room - 1);
	while (t->v[at].p && !slice_eq(t->v[at], name))
		at = (at + 1) & (t->room - 1);
	if (!t->v[at].p)
		add_name(t, name);
	return t->v[at];
}

/* The place `name` below `parent`, new or known. */
static int child(struct map_reader *r, struct map_scope *scope, int32_t parent, struct slice name, bool item, int32_t *ret)
{
	uint32_t hash = item ? 0 : tree_hash(name);
	int32_t *last = parent < 0 ? &scope->first_slot : &scope->slots[parent].first;
	for (; *last >= 0; last = &scope->slots[*last].next)
		if (scope->slots[*last].item == item && scope->slots[*last].hash == hash && slice_eq(scope->slots[*last].name, name)) {
			*ret = *last;
			return 0;
		}
	if (scope->slot_count == scope->slot_room) {
		size_t at = last == &scope->first_slot ? SIZE_MAX : (size_t)((char *)last - (char *)scope->slots);
		if (grow(r->set->arena, (void **)&scope->slots, scope->slot_count, &scope->slot_room, sizeof *scope->slots) < 0)
			return map_reader_no_memory(r);
		if (at != SIZE_MAX)
			last = (int32_t *)(void *)((char *)scope->slots + at);
	}
	name = intern(r->set, name);
	if (!name.p)
		return map_reader_no_memory(r);
	*ret = *last = scope->slot_count++;
	scope->slots[*ret] = (struct map_slot){.parent = parent, .first = -1, .next = -1, .name = name, .hash = hash, .item = item, .loops = -1};
	return 0;
}

/* A place is an object, a list or a value, not two of these. */
static int is(struct map_reader *r, struct map_slot *s, bool object, bool array, bool leaf, struct slice path)
{
	s->object |= object;
	s->array |= array;
	s->leaf |= leaf;
	if (s->object + s->array + s->leaf > 1)
		return map_reader_fail(r, "is an object, a list or a value in one row and another in a second:", path);
	return 0;
}

int map_place_slot(struct map_reader *r, int32_t scope, struct slice path, bool loop, int32_t *ret, bool *many)
{
	struct map_scope *s = &r->sheet->scopes[scope];
	struct slice rest = path;
	int32_t at = -1;
	int rc = 0;
	unsigned parts = 0;
	*many = false;
	while (rest.p && rc == 0) {
		struct slice part = slice_cut(&rest, '.');
		bool array = slice_ends(part, "[]"), last = !rest.p;
		part.n -= array ? 2 : 0;
		if (!part.n || ++parts > MAP_MAX_PARTS)
			return map_reader_fail(r, "has an empty part or too many of them:", path);
		rc = child(r, s, at, part, false, &at);
		if (rc == 0)
			rc = is(r, &s->slots[at], !array && (!last || loop), array, !array && last && !loop, path);
		*many = array && last;
		if (rc == 0 && array && !last) {
			rc = child(r, s, at, SLICE("[]"), true, &at);
			if (rc == 0)
				rc = is(r, &s->slots[at], true, false, false, path);
		}
	}
	*ret = at;
	return rc;
}
