/* Documents to messages: rows fill segments, lists and objects become loops, in the order of the standard. */
#include "map/transform.h"
#include "map/write.h"

#include <stdio.h>

/* --- segments --------------------------------------------------------------------------------------------------------------------- */

static struct out_segment *new_segment(struct out *o, const struct map_plan_segment *p)
{
	struct out_segment *g = tree_room_take(&o->r->room, sizeof *g);
	if (g)
		*g = (struct out_segment){.plan = p, .id = p->id, .name = p->name, .node = p->node};
	return g;
}

static int set_constants(struct out *o, struct out_segment *g)
{
	int rc = 0;
	for (uint32_t i = 0; i < g->plan->constant_count && rc == 0; i++) {
		const struct map_constant *k = &g->plan->constants[i];
		rc = map_out_set_cell(o->r, g, k->element, k->component, 0, k->value, true, NULL);
	}
	return rc;
}

/* How many segments the lists of the rows need. */
static size_t needed(struct out *o, struct out_scope *s, const struct map_plan_segment *p)
{
	const struct map_row *rows = o->map->sheet->rows;
	size_t most = 1;
	if (!p->listed)
		return 1;
	for (int32_t i = 0; i < p->row_count; i++) {
		const struct map_row *row = &rows[p->rows[i]];
		size_t sharers = 0, items = 0;
		if (!row->many || row->repeats || row->kind != MAP_ELEMENT || row->scope != s->number || row->slot < 0 || !s->places[row->slot])
			continue;
		for (int32_t k = 0; k < p->row_count; k++)
			sharers += rows[p->rows[k]].slot == row->slot && rows[p->rows[k]].scope == row->scope && rows[p->rows[k]].way & MAP_WAY_OUT;
		for (const struct tree *t = s->places[row->slot]->first; t; t = t->next)
			items++;
		size_t n = (items + sharers - 1) / sharers;
		most = n > most ? n : most;
	}
	return most;
}

/* The list's next item: rows that share a list take turns, segment after segment. NULL: none is left, or no memory (latched). */
static const struct tree *next_item(struct out *o, struct out_scope *s, int32_t slot)
{
	struct out_room *room = &o->rooms[s->number];
	if (!room->lists)
		room->lists = van_arena_array(o->r->arena, (size_t)s->scope->slot_count + 1, sizeof *room->lists);
	if (!room->lists) {
		o->r->room.error = VAN_ENOMEM;
		return NULL;
	}
	struct out_list *l = &room->lists[slot];
	l->next = l->begun ? l->next ? l->next->next : NULL : s->places[slot]->first;
	l->begun = true;
	return l->next;
}

/* A row whose place is a list, in a segment of which there is one: pairs, or repetitions. */
static int write_all(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, bool *wrote)
{
	uint32_t repetition = 0;
	int rc = 0;
	for (const struct tree *t = s->places[row->slot]->first; t && rc == 0; t = t->next) {
		if (!map_out_is_leaf(t))
			continue;
		g->origin = g->origin ? g->origin : t->origin;
		map_out_take(o->r, t);
		rc = row->kind == MAP_PAIRS ? map_out_write_pair(o, s, row, g, t->text, false, wrote)
		                            : map_out_write_value(o, s, row, g, row->element, map_out_component_of(g->plan, row->element, row->component), repetition++,
		                                      t->text, false, wrote);
	}
	return rc;
}

static int missing(struct out *o, struct out_scope *s, const struct map_row *row)
{
	return van_error_set(o->r->e, VAN_ESYNTAX, "map %s, row %u: %.*s is required, but the document has nothing there; add it (%.*s) or give the row "
		"a default", o->map->name, row->line, SLICE_ARG(row->target), SLICE_ARG(map_out_path_of(s, row->slot, o->r)));
}

static int write_place(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, size_t turn, bool *wrote)
{
	const struct tree *t = s->places[row->slot];
	bool did = false;
	int rc = 0;
	if (t && row->many && t->kind == TREE_ARRAY) {
		if (row->repeats || row->kind == MAP_PAIRS) {
			rc = write_all(o, s, row, g, &did);
			*wrote |= did;
			return rc;
		}
		t = next_item(o, s, row->slot);
		if (!t)
			return 0;
	}
	if (map_out_is_leaf(t) && t->text.n) {
		rc = map_out_write_to(o, s, row, g, t->text, false, &did);
		if (did) {
			map_out_take(o->r, t);
			map_out_take_conditions(o->r, s, row);
			if (!g->origin && t->origin)
				g->origin = t->origin;
		}
		*wrote |= did;
		return rc;
	}
	if (row->fallback.p)
		return map_out_write_to(o, s, row, g, row->fallback, !row->required, wrote);
	return row->required && !turn ? missing(o, s, row) : 0;
}

/* What the row asks of its own segment. */
static int write_asked(struct out *o, const struct map_row *row, struct out_segment *g)
{
	int rc = 0;
	for (uint32_t i = 0; i < row->condition_count && rc == 0; i++) {
		const struct map_condition *c = &row->conditions[i];
		if (c->kind == MAP_ASK_ELEMENT && !c->unequal && c->values.n && c->segment == row->segment)
			rc = map_out_set_cell(o->r, g, c->element, map_out_component_of(g->plan, c->element, c->component), 0, c->values.v[0], true, NULL);
	}
	return rc;
}

static int write_source(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, size_t turn, bool *wrote)
{
	int rc;
	if (row->to == MAP_TO_PLACE)
		return write_place(o, s, row, g, turn, wrote);
	if (row->to == MAP_TO_LITERAL)
		return map_out_write_to(o, s, row, g, row->text, !row->required, wrote);
	if (row->to == MAP_TO_COUNT) {
		uint32_t component = map_out_component_of(g->plan, row->element, row->component);
		rc = map_out_set_cell(o->r, g, row->element, component, 0, SLICE("0"), !row->required, row);
		struct out_cell *c = rc == 0 ? map_out_cell(o->r, g, row->element, component, 0) : NULL;
		if (c) {
			c->count = o->map->sheet->ids[row->counted];
			o->counted = true;
		}
		*wrote |= row->required;
		return rc;
	}
	const struct tree *result = NULL;
	rc = map_run_expression(o->r, row, "target", row->computed, s->object, s->object, &result);
	struct slice v = rc == 0 ? expression_text(&o->r->room, result) : SLICE_NONE;
	return rc == 0 && v.n ? map_out_write_to(o, s, row, g, v, false, wrote) : rc;
}

/* Most values that are written: *did is whether this was one of them. */
static int write_direct(struct out *o, const struct out_scope *s, int32_t number, struct out_segment *g, bool *did)
{
	const struct map_plan_row *known = &o->plan->rows[number];
	const struct tree *t = known->direct ? s->places[known->slot] : NULL;
	if (!map_out_is_leaf(t) || !t->text.n || (known->element && t->text.n > known->element->max) || o->r->options.explain)
		return 0;
	const struct map_row *row = &o->map->sheet->rows[number];
	*did = true;
	map_out_take(o->r, t);
	g->origin = g->origin ? g->origin : t->origin;
	return map_out_set_cell(o->r, g, row->element, known->component, 0, t->text, false, row);
}

static int write_row(struct out *o, struct out_scope *s, int32_t number, struct out_segment *g, size_t turn, bool *wrote)
{
	const struct map_plan_row *known = &o->plan->rows[number];
	const struct map_row *row = &o->map->sheet->rows[number];
	bool did = false;
	if (known->scope != s->number || (known->slot >= 0 && !s->places[known->slot] && !known->insists))
		return 0;
	int rc = write_direct(o, s, number, g, &did);
	if (rc == 0 && !did)
		rc = known->free ? 1 : map_out_may_write(o->r, o, s, number);
	if (rc == 1)
		rc = write_source(o, s, row, g, turn, &did);
	*wrote |= did;
	return rc == 0 && did && g->plan->begins ? write_asked(o, row, g) : rc;
}

/* --- loops ------------------------------------------------------------------------------------------------------------------------ */

static struct out_loop *new_loop(struct out *o, int32_t node, struct out_loop *parent)
{
	struct out_loop *l = tree_room_take(&o->r->room, sizeof *l);
	struct out_item *item = parent ? tree_room_take(&o->r->room, sizeof *item) : NULL;
	if (!l || (parent && !item))
		return NULL;
	*l = (struct out_loop){.node = node, .parent = parent};
	if (!parent)
		return l;
	*item = (struct out_item){.node = node, .loop = l};
	if (!parent->first || parent->last->node <= node) {
		*(parent->first ? &parent->last->next : &parent->first) = item;
		parent->last = item;
		return l;
	}
	struct out_item **at = &parent->first;
	while ((*at)->node <= node)
		at = &(*at)->next;
	item->next = *at;
	*at = item;
	return l;
}

static int add_item(struct out *o, struct out_loop *l, struct out_segment *s)
{
	struct out_item *item = tree_room_take(&o->r->room, sizeof *item);
	if (!item)
		return VAN_ENOMEM;
	*item = (struct out_item){.node = s->node, .segment = s};
	s->loop = l;
	l->segments++;
	if (!l->first || l->last->node <= s->node) {
		*(l->first ? &l->last->next : &l->first) = item;
		l->last = item;
		return 0;
	}
	struct out_item **at = &l->first;
	while ((*at)->node <= s->node)
		at = &(*at)->next;
	item->next = *at;
	*at = item;
	return 0;
}

/* The loop `node` below `l` that is open: the last one there is, or a new one. */
static struct out_loop *open_loop(struct out *o, struct out_loop *l, int32_t node, bool fresh)
{
	const struct edi_node *nodes = o->plan->definition->nodes;
	if (node == l->node || node < 0)
		return l;
	struct out_loop *parent = nodes[node].parent == l->node ? l : open_loop(o, l, nodes[node].parent, false), *found = NULL;
	if (!parent)
		return NULL;
	for (struct out_item *i = fresh ? NULL : parent->first; i; i = i->next)
		if (i->loop && i->node == node)
			found = i->loop;
	return found ? found : new_loop(o, node, parent);
}

int map_out_add(struct out *o, struct out_loop *loop, struct out_segment *s)
{
	const struct edi_node *nodes = o->plan->definition->nodes;
	int32_t parent = nodes[s->node].parent;
	bool begins = parent >= 0 && parent == s->node - 1;
	struct out_loop *l = parent == loop->node ? loop : open_loop(o, loop, parent, begins);
	return l ? add_item(o, l, s) : VAN_ENOMEM;
}

/* Whether what `g` holds fits into `there`: nothing differs. */
static bool fits(const struct out_segment *g, const struct out_segment *there)
{
	const struct out_cell *other;
	for (uint32_t i = 0; i < g->count; i++)
		if (map_out_find_cell(there, g->cells[i].element, g->cells[i].component, &other) && !slice_eq(other->value, g->cells[i].value) &&
		    !(g->cells[i].weak || other->weak))
			return false;
	return true;
}

/* A segment without conditions of its own may fill one that stands at the same place already. */
static int merge(struct out *o, struct out_segment *g, const struct map_plan_scope *plan, struct out_segment **written, bool *did)
{
	int rc = 0;
	*did = false;
	for (int32_t i = 0; i < plan->count && !*did; i++) {
		if (plan->segments[i].node != g->node)
			continue;
		for (struct out_segment *t = written[i]; t && !*did; t = t->next) {
			*did = fits(g, t);
			for (uint32_t k = 0; *did && k < g->count && rc == 0; k++) {
				const struct out_cell *c = &g->cells[k];
				rc = map_out_set_cell(o->r, t, c->element, c->component, c->repetition, c->value, c->weak, NULL);
			}
		}
	}
	return rc;
}

/* Does the loop have as many of them as the standard allows? Then what else there is stays untaken, and is told. What goes back to where
 * it came from may have had more. */
static bool is_full(const struct out *o, const struct out_loop *l, int32_t node)
{
	const struct edi_node *n = &o->plan->definition->nodes[node];
	uint32_t count = 0;
	if (o->back || n->parent != l->node || !n->max || l->segments < n->max)
		return false;
	for (const struct out_item *i = l->first; i && i->node <= node && count < n->max; i = i->next)
		count += i->segment && i->node == node;
	return count >= n->max;
}

/* One segment of the plan (or as many as its lists need) from what the document has. */
static int write_segment(struct out *o, struct out_scope *s, const struct map_plan_scope *plan, int32_t number, struct out_segment **written,
	struct out_loop *loop, bool force)
{
	const struct map_plan_segment *p = &plan->segments[number];
	size_t n = needed(o, s, p);
	bool outer = p->outer != NULL, mergeable = outer || (!p->listed && !p->begins && !p->constant_count);
	int rc = map_run_step(o->r, (uint64_t)p->row_count * n);
	for (size_t turn = 0; turn < n && rc == 0; turn++) {
		if (!mergeable && (!p->begins || s->plan->node < 0) && is_full(o, loop, p->node))
			break;
		struct out_segment *g = new_segment(o, p);
		bool wrote = false, merged = false;
		rc = g ? 0 : VAN_ENOMEM;
		if (p->constant_count && rc == 0)
			rc = set_constants(o, g);
		for (int32_t i = 0; i < p->row_count && rc == 0; i++)
			rc = write_row(o, s, p->rows[i], g, turn, &wrote);
		if (rc < 0 || (!wrote && !force))
			continue;
		if (!p->listed && !p->begins && mergeable)
			rc = merge(o, g, plan, written, &merged);
		if (merged || rc < 0)
			continue;
		if (outer && written[number])
			continue; /* the head has one, with other values: those here are told as not written */
		if (p->begins && s->object && !g->origin)
			g->origin = s->object->origin;
		rc = map_out_add(o, loop, g);
		if (p->numbered)
			g->loop->level = g;
		g->next = written[number];
		written[number] = g;
	}
	return rc;
}

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
		struct out_loop *parent = open_loop(o, around, o->plan->definition->nodes[inner.plan->node].parent, false);
		inner.loop = parent ? new_loop(o, inner.plan->node, parent) : NULL;
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
	if (!s->scope->has_loops)
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

static bool has_anything(const struct out_loop *l)
{
	bool any = l->segments != 0;
	for (const struct out_item *i = l->first; i && !any; i = i->next)
		any = i->loop && has_anything(i->loop);
	return any;
}

/* A row that is not written, and yet tells what is there: a text, what the envelope has, a way in. */
static void take_others(struct out *o, struct out_scope *s)
{
	for (int32_t i = 0; i < s->plan->other_count; i++) {
		const struct map_row *row = &o->map->sheet->rows[s->plan->others[i]];
		const struct tree *t = s->places[row->slot];
		if (t && (!(row->way & MAP_WAY_OUT) || row->kind != MAP_LITERAL || (map_out_is_leaf(t) && slice_eq(t->text, row->literal))))
			map_out_take_all(o->r, t);
	}
}

/* The segments for which the document has something, and those that insist. */
static int write_segments(struct out *o, struct out_scope *s)
{
	const struct map_plan_scope *p = s->plan;
	int rc = 0;
	for (uint32_t w = 0; w < p->words && rc == 0; w++)
		for (uint64_t bits = s->live[w] | p->always[w]; bits && rc == 0; bits &= bits - 1) {
			int32_t i = (int32_t)(w * 64) + __builtin_ctzll(bits);
			rc = i < p->count ? write_segment(o, s, p, i, s->written, s->loop, false)
			                  : write_segment(o, s, &o->plan->scopes[0], p->outer[i - p->count], o->written, o->root, false);
		}
	return rc;
}

/* Room for the scope, as good as new. Items of a loop are many: it is made once for a message, and left as it was found. */
static int enter(struct out *o, struct out_scope *s)
{
	struct van_arena *a = o->r->arena;
	struct out_room *room = &o->rooms[s->number];
	size_t slots = (size_t)s->scope->slot_count + 1;
	if (!room->places) {
		room->places = van_arena_array(a, slots, sizeof *room->places);
		room->done = van_arena_array(a, slots, sizeof *room->done);
		room->filled = van_arena_array(a, slots, sizeof *room->filled);
		room->written = s->number ? van_arena_array(a, (size_t)s->plan->count + 1, sizeof *room->written) : o->written;
		room->live = van_arena_array(a, s->plan->words + 1, sizeof *room->live);
		if (!room->places || !room->done || !room->filled || !room->written || !room->live)
			return VAN_ENOMEM;
	}
	s->places = room->places;
	s->done = room->done;
	s->filled = room->filled;
	s->written = room->written;
	s->live = room->live;
	return 0;
}

static void leave(struct out *o, struct out_scope *s)
{
	struct out_list *lists = o->rooms[s->number].lists;
	for (uint32_t i = 0; i < s->filled_count; i++) {
		s->places[s->filled[i]] = NULL;
		s->done[s->filled[i]] = false;
		if (lists)
			lists[s->filled[i]] = (struct out_list){0};
	}
	memset(s->live, 0, s->plan->words * sizeof *s->live);
	if (s->number)
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
	if (rc == 0 && s->plan->node >= 0 && s->plan->count && s->plan->segments[0].begins && !s->written[0] && (has_anything(s->loop) || s->loop->below))
		rc = write_segment(o, s, s->plan, 0, s->written, s->loop, true);
	leave(o, s);
	return rc;
}

int map_out_append(struct out *o, struct out_segment *s)
{
	if (o->count == o->room) {
		uint32_t room = o->room ? 2 * o->room : 128;
		struct out_segment **v = van_arena_array(o->r->arena, room, sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		if (o->count)
			memcpy(v, o->all, o->count * sizeof *v);
		o->all = v;
		o->room = room;
	}
	o->all[o->count++] = s;
	return 0;
}

/* A loop below that holds something, but whose first segment no row wrote, gets a bare one. */
static int flatten(struct out *o, struct out_loop *l)
{
	const struct edi_node *nodes = o->plan->definition->nodes;
	int rc = 0;
	if (!has_anything(l))
		return 0;
	bool begun = l->node < 0 || (l->first && l->first->segment && l->first->node == l->node + 1);
	if (!begun) {
		struct out_segment *g = tree_room_alloc(&o->r->room, sizeof *g);
		if (!g)
			return VAN_ENOMEM;
		*g = (struct out_segment){.node = l->node + 1, .id = edi_pack(nodes[l->node + 1].id.p, nodes[l->node + 1].id.n),
			.name = nodes[l->node + 1].id, .loop = l};
		rc = map_out_append(o, g);
	}
	for (struct out_item *i = l->first; i && rc == 0; i = i->next)
		rc = i->segment ? map_out_append(o, i->segment) : flatten(o, i->loop);
	return rc;
}

static int set_number(struct out *o, struct out_segment *s, uint32_t element, uint32_t value)
{
	struct out_cell *c = map_out_cell(o->r, s, element, 0, 0);
	if (!c)
		return VAN_ENOMEM;
	c->value = map_run_number(o->r, value);
	return c->value.p ? 0 : VAN_ENOMEM;
}

int map_out_number(struct out *o)
{
	uint32_t levels = 0;
	int rc = 0;
	for (uint32_t i = 0; i < o->count && rc == 0 && o->map->sheet->level >= 0; i++) {
		struct out_segment *s = o->all[i];
		if (!s->plan || !s->plan->numbered)
			continue;
		s->loop->number = ++levels;
		rc = set_number(o, s, 1, levels);
		if (rc == 0 && s->loop->above)
			rc = set_number(o, s, 2, s->loop->above->number);
		if (rc == 0 && slice_is(s->name, "HL"))
			rc = set_number(o, s, 4, s->loop->below ? 1 : 0);
	}
	for (uint32_t i = 0; i < o->count && rc == 0 && o->counted; i++)
		for (uint32_t k = 0; k < o->all[i]->count && rc == 0; k++) {
			struct out_cell *c = &o->all[i]->cells[k];
			uint32_t n = 0;
			for (uint32_t j = 0; c->count && j < o->count; j++)
				n += o->all[j]->id == c->count;
			if (c->count) {
				c->value = map_run_number(o->r, n);
				rc = c->value.p ? 0 : VAN_ENOMEM;
			}
		}
	return rc;
}

int map_out_flatten(struct out *o)
{
	int rc = flatten(o, o->root);
	return rc == 0 ? map_out_number(o) : rc;
}

int map_out_make(struct out *o, const struct tree *document)
{
	o->root = new_loop(o, -1, NULL);
	o->written = van_arena_array(o->r->arena, (size_t)o->plan->scopes[0].count + 1, sizeof *o->written);
	o->rooms = van_arena_array(o->r->arena, (size_t)o->map->sheet->scope_count + 1, sizeof *o->rooms);
	if (!o->root || !o->written || !o->rooms)
		return VAN_ENOMEM;
	struct out_scope s = {.scope = &o->map->sheet->scopes[0], .plan = &o->plan->scopes[0], .object = document, .loop = o->root,
		.path = SLICE("")};
	o->r->writings++;
	int rc = write_scope(o, &s);
	if (rc == 0 && !o->quiet)
		map_out_note_unwritten(o->r, document, NULL);
	return rc == 0 ? map_out_flatten(o) : rc;
}
