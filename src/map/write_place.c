/* The places of a document that rows of the way out look into, and which rows may write. */
#include "map/transform.h"
#include "map/write.h"

#include <stdio.h>

/* --- the document's places ------------------------------------------------------------------------------------------------------- */

int32_t map_out_child_slot(const struct map_scope *s, int32_t parent, const struct tree *t)
{
	uint32_t hash = t->hash ? t->hash : tree_hash(t->name), at = map_name_at(s, parent, hash);
	for (int32_t i; (i = s->names[at]) >= 0; at = (at + 1) & s->name_mask) {
		const struct map_slot *p = &s->slots[i];
		if (p->hash == hash && p->parent == parent && (t->name.p == p->name.p ? t->name.n == p->name.n : slice_eq(t->name, p->name)))
			return i;
	}
	return -1;
}

int32_t map_out_item_slot(const struct map_scope *s, int32_t array)
{
	int32_t i = s->slots[array].first;
	while (i >= 0 && !s->slots[i].item)
		i = s->slots[i].next;
	return i;
}

struct slice map_out_path_of(struct out_scope *s, int32_t slot, struct map_run_state *r)
{
	return map_run_place(r, s->scope, slot, s->path);
}

void map_out_take_all(const struct map_run_state *r, const struct tree *t)
{
	map_out_take(r, t);
	for (const struct tree *c = t && (t->kind == TREE_OBJECT || t->kind == TREE_ARRAY) ? t->first : NULL; c; c = c->next)
		map_out_take_all(r, c);
}

static size_t trail_length(const struct map_trail *t)
{
	return !t ? 0 : trail_length(t->up) + (t->name.p ? t->name.n + 1 : 12);
}

static char *trail_write(const struct map_trail *t, char *to)
{
	if (t->up)
		to = trail_write(t->up, to);
	if (!t->name.p) {
		*to++ = '[';
		to = map_run_digits(t->index, to);
		*to++ = ']';
		return to;
	}
	if (t->up)
		*to++ = '.';
	memcpy(to, t->name.p, t->name.n);
	return to + t->name.n;
}

/* The same where nobody asks which ones. */
static uint64_t count_unwritten(uint32_t writings, const struct tree *t)
{
	uint64_t n = 0;
	if (t->kind != TREE_OBJECT && t->kind != TREE_ARRAY)
		return 1;
	for (const struct tree *c = t->first; c; c = c->next)
		n += c->taken == writings ? 0 : c->kind < TREE_OBJECT ? 1 : count_unwritten(writings, c);
	return n;
}

/* Values that no row took. */
void map_out_note_unwritten(struct map_run_state *r, const struct tree *t, const struct map_trail *at)
{
	uint32_t i = 0;
	for (const struct tree *c = t->first; c; c = c->next) {
		i++;
		if (c->taken == r->writings || (!at && c->name.n && *c->name.p == '_'))
			continue;
		if (r->options.counts_only) {
			r->noted[MAP_NOTE_UNWRITTEN] += count_unwritten(r->writings, c);
			continue;
		}
		const struct map_trail below = {at, t->kind == TREE_ARRAY ? SLICE_NONE : c->name, i};
		if (c->kind == TREE_OBJECT || c->kind == TREE_ARRAY) {
			map_out_note_unwritten(r, c, &below);
			continue;
		}
		struct map_note *n = map_run_note(r, MAP_NOTE_UNWRITTEN, 0);
		char *place = n ? tree_room_alloc(&r->room, trail_length(&below)) : NULL;
		if (place) {
			n->place = slice_make(place, (size_t)(trail_write(&below, place) - place));
			n->value = c->text;
		}
	}
}

/* A list whose items rows write one by one. */
static uint32_t filled_by_items(struct out_scope *s, const struct tree *list)
{
	uint32_t n = FILLED_ITEMS;
	for (const struct tree *c = list->first; c && !s->odd; c = c->next)
		s->odd = ++n > UINT8_MAX || !map_out_is_leaf(c) || !c->text.n;
	return n < UINT8_MAX ? n : UINT8_MAX;
}

/* There is something at the slot. */
static inline void set_place(struct out_scope *s, int32_t slot, const struct tree *t, uint32_t as)
{
	const struct tree *known = s->places[slot];
	s->places[slot] = t;
	if (known)
		s->odd = true;
	else if (s->filled)
		s->filled[s->filled_count++] = (uint32_t)slot << 8 | as;
}

static uint32_t filled_as(struct out_scope *s, const struct map_plan_slot *p, const struct tree *t)
{
	if (t->kind == TREE_ARRAY)
		return p->listed ? filled_by_items(s, t) : FILLED_LIST;
	return t->kind == TREE_OBJECT ? FILLED_OBJECT : t->text.n ? FILLED_VALUE : FILLED_EMPTY;
}

/* Lays the object's members to the scope's places. Documents of a kind are alike: a member is mostly the one that stood there last time,
 * under the name that all sheets have it by. */
void map_out_scatter(struct out_scope *s, const struct tree *object, int32_t parent)
{
	struct map_plan_slot *slots = s->plan->slots;
	struct map_plan_slot **guess = &slots[parent].first; /* of this parent, as is all that is behind it */
	for (const struct tree *c = object->first; c; c = c->next) {
		struct map_plan_slot *p = *guess;
		if (p->name != c->name.p || p->name_n != c->name.n) {
			int32_t slot = map_out_child_slot(s->scope, parent, c);
			if (slot < 0)
				continue;
			*guess = p = &slots[slot];
		}
		guess = &p->behind;
		if (p->plain && c->kind != TREE_ARRAY) {
			bool inside = c->kind == TREE_OBJECT;
			set_place(s, p->slot, c, inside ? FILLED_OBJECT : c->text.n ? FILLED_VALUE : FILLED_EMPTY);
			if (inside && p->object)
				map_out_scatter(s, c, p->slot);
			continue;
		}
		s->loops |= p->loops;
		set_place(s, p->slot, c, filled_as(s, p, c));
		const struct tree *inner = p->object ? c : p->item >= 0 ? c->kind == TREE_ARRAY ? c->first : c : NULL;
		if (inner && p->item >= 0) {
			s->loops |= slots[p->item].loops;
			set_place(s, p->item, inner, filled_as(s, &slots[p->item], inner));
		}
		if (inner && inner->kind == TREE_OBJECT)
			map_out_scatter(s, inner, p->object ? p->slot : p->item);
	}
}

/* One place of an object, as map_out_scatter() finds it: what should be a list and is none is its only item. */
const struct tree *map_out_find_place(const struct map_scope *s, int32_t slot, const struct tree *object)
{
	const struct map_slot *p = &s->slots[slot];
	const struct tree *parent = p->parent < 0 ? object : map_out_find_place(s, p->parent, object);
	if (!parent || p->item)
		return parent && parent->kind == TREE_ARRAY ? parent->first : parent;
	return parent->kind == TREE_OBJECT ? tree_find(parent, p->name) : NULL;
}

/* --- conditions ------------------------------------------------------------------------------------------------------------------- */

/* 1: the row may be used; 0: not; negative. What is asked of the document is told by that. */
int map_out_eligible(struct map_run_state *r, const struct out_scope *s, const struct map_row *row)
{
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct map_condition *c = &row->conditions[i];
		if (c->kind == MAP_ASK_EXPRESSION) {
			int rc = map_run_condition(r, row, c->expression, s->object, s->object);
			if (rc != 1)
				return rc;
		}
		if (c->kind != MAP_ASK_PLACE)
			continue;
		const struct tree *t = s->places ? s->places[c->slot] : map_out_find_place(s->scope, c->slot, s->object);
		bool found = c->values.n == 0 && t;
		for (size_t k = 0; k < c->values.n && !found; k++)
			found = map_out_is_leaf(t) && slice_eq(t->text, c->values.v[k]);
		if (found == c->unequal)
			return 0;
	}
	return 1;
}

void map_out_take_conditions(const struct map_run_state *r, struct out_scope *s, const struct map_row *row)
{
	for (uint32_t i = 0; i < row->condition_count; i++)
		if (row->conditions[i].kind == MAP_ASK_PLACE && map_out_is_leaf(s->places[row->conditions[i].slot]) && row->conditions[i].values.n)
			map_out_take(r, s->places[row->conditions[i].slot]);
}

/* The first row with this place that can write takes it; rows of one list and segment share it. */
int map_out_may_write(struct map_run_state *r, const struct out *o, struct out_scope *s, int32_t number)
{
	const struct map_row *rows = o->map->sheet->rows;
	int rc = map_out_eligible(r, s, &rows[number]);
	for (int32_t i = o->plan->earlier[number]; i >= 0 && rc == 1; i = o->plan->earlier[i]) {
		if (rows[i].many && o->plan->segment_of[i] == o->plan->segment_of[number] && rows[i].outer == rows[number].outer)
			continue;
		int other = map_out_eligible(r, s, &rows[i]);
		rc = other < 0 ? other : !other;
	}
	return rc;
}
