/* Documents to messages: rows fill segments, lists and objects become loops, in the order of the standard. */
#include "map/mould.h"
#include "map/write.h"

static int write_scope(struct out *o, struct out_scope *s);

/* How much of an item the rows of a loop would write. */
static uint32_t worth(const struct map_scope *scope, const struct map_rows *sheet, const struct tree *object, int32_t parent, uint32_t depth)
{
	uint32_t sum = 0;
	for (const struct tree *c = object->first; c && depth < MAP_MAX_PARTS * MAP_MAX_LOOPS; c = c->next) {
		int32_t slot = map_out_child_slot(scope, parent, c);
		if (slot < 0)
			continue;
		const struct map_slot *p = &scope->slots[slot];
		int32_t item = p->array ? map_out_item_slot(scope, slot) : -1;
		const struct tree *inner = item >= 0 && c->kind == TREE_ARRAY ? c->first : c;
		if (p->loops >= 0 || (p->array && item < 0) || p->leaf)
			sum++;
		else if (inner && inner->kind == TREE_OBJECT)
			sum += worth(scope, sheet, inner, item >= 0 ? item : slot, depth + 1);
	}
	return sum;
}

/* Whether the loop row may take the item: what it asks of the document below the item. */
static int asks(struct out *o, const struct map_row *row, const struct tree *object)
{
	const struct map_scope *scope = &o->map->sheet->scopes[row->loop_scope];
	bool any = false;
	for (uint32_t i = 0; i < row->condition_count; i++)
		any |= row->conditions[i].kind != MAP_ASK_ELEMENT;
	if (!any)
		return 1;
	const struct out_scope s = {.scope = scope, .number = row->loop_scope, .object = object};
	return map_out_eligible(o->r, &s, row);
}

/* What the loop row asks of the item is told by that. */
static void take_asked(struct out *o, const struct map_row *row, const struct tree *object)
{
	const struct map_scope *scope = &o->map->sheet->scopes[row->loop_scope];
	for (uint32_t i = 0; i < row->condition_count; i++)
		if (row->conditions[i].kind == MAP_ASK_PLACE && row->conditions[i].values.n)
			map_out_take(o->r, map_out_find_place(scope, row->conditions[i].slot, object));
}

/* The loop row that takes the item: of those that may, the first that writes most of it. */
static int choose_row(struct out *o, struct out_scope *s, int32_t slot, const struct tree *object, const struct map_row **ret)
{
	const struct map_rows *sheet = o->map->sheet;
	const struct map_row *only = NULL;
	uint32_t best = 0, candidates = 0;
	*ret = NULL;
	for (int32_t i = s->plan->takers[slot]; i >= 0; i = s->plan->next_taker[i]) {
		const struct map_row *row = &sheet->rows[s->scope->loops[i]];
		if (row->also || !(row->way & MAP_WAY_OUT) || o->plan->scopes[row->loop_scope].absent)
			continue;
		int rc = asks(o, row, object);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		if (!candidates++) {
			only = row;
			continue;
		}
		if (candidates == 2) {
			*ret = only;
			best = 1 + worth(&sheet->scopes[only->loop_scope], sheet, object, -1, 0);
		}
		uint32_t value = 1 + worth(&sheet->scopes[row->loop_scope], sheet, object, -1, 0);
		if (value > best) {
			best = value;
			*ret = row;
		}
	}
	*ret = candidates == 1 ? only : *ret;
	return 0;
}

static int write_loop(struct out *o, struct out_scope *s, const struct map_row *row, const struct tree *object, struct slice path)
{
	struct out_scope inner = {.scope = &o->map->sheet->scopes[row->loop_scope], .plan = &o->plan->scopes[row->loop_scope],
		.number = row->loop_scope, .object = object, .path = path};
	bool level = row->segment == o->map->sheet->level;
	struct out_loop *around = level && s->outer && s->loop->is_level ? s->outer : s->loop;
	inner.outer = around;
	inner.loop = around;
	if (inner.plan->node >= 0) {
		struct out_loop *parent = map_out_open_loop(o, around, o->plan->definition->nodes[inner.plan->node].parent, false);
		inner.loop = parent ? map_out_new_loop(o, inner.plan->node, parent) : NULL;
		if (!inner.loop)
			return VAN_ENOMEM;
		inner.outer = parent;
		inner.loop->is_level = level;
		if (level && s->loop->is_level)
			inner.loop->above = s->loop;
	}
	int rc = write_scope(o, &inner);
	if (rc == 0 && inner.loop->level && inner.loop->above)
		inner.loop->above->below++;
	return rc;
}

static int write_object(struct out *o, struct out_scope *s, int32_t slot, const struct tree *object, struct slice path)
{
	const struct map_row *row;
	int rc = choose_row(o, s, slot, object, &row);
	if (rc == 0 && row) {
		take_asked(o, row, object);
		rc = write_loop(o, s, row, object, path);
	}
	for (int32_t i = s->plan->takers[slot]; i >= 0 && rc == 0; i = s->plan->next_taker[i]) {
		row = &o->map->sheet->rows[s->scope->loops[i]];
		if (!row->also || o->plan->scopes[row->loop_scope].absent)
			continue;
		rc = asks(o, row, object);
		rc = rc == 1 ? write_loop(o, s, row, object, path) : rc;
	}
	return rc;
}

/* Whether a loop row with the target "." and the same segment stands before this one and may write: it is the one that does. */
static bool same_before(struct out *o, struct out_scope *s, int32_t at)
{
	const struct map_row *rows = o->map->sheet->rows, *row = &rows[s->scope->loops[at]];
	for (int32_t i = 0; i < at; i++) {
		const struct map_row *other = &rows[s->scope->loops[i]];
		if (other->slot < 0 && other->segment == row->segment && other->way & MAP_WAY_OUT &&
		    asks(o, other, s->object) == 1)
			return true;
	}
	return false;
}

static int write_loops(struct out *o, struct out_scope *s);

/* A list that has no loop itself, but loops in its items: the first item is written with what is around it, here are the others. */
static int write_other_items(struct out *o, struct out_scope *s)
{
	int rc = 0;
	if (!s->scope->has_loops)
		return 0;
	for (int32_t i = 0; i < s->scope->list_count && rc == 0; i++) {
		const struct tree *list = s->places[s->scope->lists[i]];
		if (!list || list->kind != TREE_ARRAY || !list->first || !list->first->next)
			continue;
		int32_t item = map_out_item_slot(s->scope, s->scope->lists[i]);
		for (const struct tree *c = list->first->next; c && rc == 0; c = c->next) {
			struct out_scope other = *s;
			size_t n = (size_t)s->scope->slot_count + 1;
			other.places = van_arena_array(o->r->arena, n, sizeof *other.places);
			other.done = van_arena_array(o->r->arena, n, sizeof *other.done);
			if (!other.places || !other.done)
				return VAN_ENOMEM;
			if (c->kind != TREE_OBJECT)
				continue;
			other.filled = NULL;
			other.places[item] = c;
			map_out_scatter(&other, c, item);
			rc = write_loops(o, &other);
		}
	}
	return rc;
}

static int write_loops(struct out *o, struct out_scope *s)
{
	int rc = 0;
	if (!s->scope->has_loops || !(s->loops || s->plan->here))
		return 0;
	for (int32_t i = 0; i < s->scope->loop_count && rc == 0; i++) {
		const struct map_row *row = &o->map->sheet->rows[s->scope->loops[i]];
		if (row->slot < 0) { /* fills the object itself */
			rc = same_before(o, s, i) || !(row->way & MAP_WAY_OUT) ? 0 : asks(o, row, s->object);
			rc = rc == 1 ? write_loop(o, s, row, s->object, s->path) : rc;
			continue;
		}
		const struct tree *t = s->places[row->slot];
		if (!t || s->done[row->slot])
			continue;
		struct slice path = o->r->options.explain ? map_out_path_of(s, row->slot, o->r) : SLICE("");
		unsigned n = 0;
		s->done[row->slot] = true;
		if (t->kind == TREE_OBJECT)
			rc = write_object(o, s, row->slot, t, path);
		for (const struct tree *c = t->kind == TREE_ARRAY ? t->first : NULL; c && rc == 0; c = c->next) {
			struct slice item = o->r->options.explain ? van_arena_printf(o->r->arena, "%.*s[%u]", SLICE_ARG(path), ++n) : path;
			rc = c->kind == TREE_OBJECT ? write_object(o, s, row->slot, c, item) : 0;
		}
	}
	return rc;
}

static bool same_text(const struct tree *a, const struct tree *b)
{
	return map_out_is_leaf(a) && map_out_is_leaf(b) && slice_eq(a->text, b->text);
}

/* A row that is not written, and yet tells what is there: a text, what the envelope has, a way in. */
static void take_others(struct out *o, struct out_scope *s)
{
	for (int32_t i = 0; i < s->plan->other_count; i++) {
		const struct map_row *row = &o->map->sheet->rows[s->plan->others[i]];
		const struct tree *t = s->places[row->slot], *const *places = row->outer ? o->plan->scopes[0].work->places : s->places;
		int32_t by = s->plan->told_by[i];
		if (!t || (by >= 0 && !same_text(t, places[by])))
			continue;
		if (!(row->way & MAP_WAY_OUT) || row->kind != MAP_LITERAL || (map_out_is_leaf(t) && slice_eq(t->text, row->literal)))
			map_out_take_all(o->r, t);
	}
}

/* The segment `bit` of the scope's set: one of its own, or of the head. */
int map_out_bit(struct out *o, struct out_scope *s, int32_t bit)
{
	const struct map_plan_scope *p = s->plan;
	return bit < p->count ? map_out_segment(o, s, p, bit, s->written, s->loop, false)
	                      : map_out_segment(o, s, &o->plan->scopes[0], p->outer[bit - p->count], o->plan->scopes[0].work->written, o->root, false);
}

/* The segments for which the document has something, and those that insist. */
static int write_live(struct out *o, struct out_scope *s)
{
	const struct map_plan_scope *p = s->plan;
	int rc = 0;
	for (uint32_t i = 0; i < s->filled_count; i++)
		for (uint32_t w = 0; w < p->words; w++)
			s->live[w] |= p->wanted[(s->filled[i] >> 8) * p->words + w];
	for (uint32_t w = 0; w < p->words && rc == 0; w++)
		for (uint64_t bits = s->live[w] | p->always[w]; bits && rc == 0; bits &= bits - 1) {
			int32_t bit = (int32_t)(w * 64) + __builtin_ctzll(bits);
			if (o->recorder)
				map_mould_entry(o->recorder, bit);
			rc = map_out_bit(o, s, bit);
		}
	return rc;
}

/* As for the object of this mould before, or else row by row. */
static int write_segments(struct out *o, struct out_scope *s)
{
	const struct map_mould *mould = map_mould_find(o, s);
	if (mould)
		return map_mould_write(o, s, mould);
	o->recorder = map_mould_record(o, s);
	int rc = write_live(o, s);
	if (o->recorder && rc == 0)
		map_mould_keep(o, s);
	o->recorder = NULL;
	return rc;
}

/* Room for the scope, as good as new: it is made once, and left as it was found. A scope is never inside itself. */
static int enter(struct out *o, struct out_scope *s)
{
	struct van_arena *a = o->map->sheet->set->arena;
	struct out_room *room = s->plan->work;
	size_t slots = (size_t)s->scope->slot_count + 1;
	if (!room->filled) {
		room->places = van_arena_array(a, slots, sizeof *room->places);
		room->done = van_arena_array(a, slots, sizeof *room->done);
		room->written = van_arena_array(a, (size_t)s->plan->count + 1, sizeof *room->written);
		room->live = van_arena_array(a, s->plan->words + 1, sizeof *room->live);
		room->lists = van_arena_array(a, slots, sizeof *room->lists);
		if (!room->places || !room->done || !room->written || !room->live || !room->lists)
			return VAN_ENOMEM;
		room->filled = van_arena_array(a, slots, sizeof *room->filled);
		if (!room->filled)
			return VAN_ENOMEM;
	}
	s->places = room->places;
	s->done = room->done;
	s->filled = room->filled;
	s->written = room->written;
	s->live = room->live;
	return 0;
}

static void leave(struct out_scope *s)
{
	struct out_list *lists = s->plan->work->lists;
	for (uint32_t i = 0; i < s->filled_count; i++) {
		uint32_t slot = s->filled[i] >> 8;
		s->places[slot] = NULL;
		s->done[slot] = false;
		if ((s->filled[i] & 0xff) >= FILLED_ITEMS)
			lists[slot] = (struct out_list){0};
	}
	memset(s->live, 0, s->plan->words * sizeof *s->live);
	memset(s->written, 0, (size_t)s->plan->count * sizeof *s->written);
}

static int write_scope(struct out *o, struct out_scope *s)
{
	int rc = enter(o, s);
	if (rc < 0)
		return rc;
	map_out_scatter(s, s->object, -1);
	take_others(o, s);
	rc = write_segments(o, s);
	if (rc == 0)
		rc = write_loops(o, s);
	if (rc == 0)
		rc = write_other_items(o, s);
	/* a loop in which there is something begins with its first segment */
	if (rc == 0 && s->plan->node >= 0 && s->plan->count && s->plan->segments[0].begins && !s->written[0] && (map_out_has_anything(s->loop) || s->loop->below))
		rc = map_out_segment(o, s, s->plan, 0, s->written, s->loop, true);
	leave(s);
	return rc;
}

int map_out_make(struct out *o, const struct tree *document)
{
	o->root = map_out_new_loop(o, -1, NULL);
	if (!o->root)
		return VAN_ENOMEM;
	struct out_scope s = {.scope = &o->map->sheet->scopes[0], .plan = &o->plan->scopes[0], .object = document, .loop = o->root,
		.path = SLICE("")};
	o->r->writings++;
	int rc = write_scope(o, &s);
	if (rc == 0 && !o->quiet)
		map_out_note_unwritten(o->r, document, NULL);
	return rc == 0 ? map_out_flatten(o) : rc;
}
