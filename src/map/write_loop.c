/* Loops of a message while it is put together: where segments stand in them, and their final order. */
#include "map/write.h"

/* Behind all that stand no later. Lines come one by one, and what ends the message is there before them: the search begins at the last one. */
static void put(struct out_loop *l, struct out_item *item)
{
	if (!l->first || l->last->node <= item->node) {
		*(l->first ? &l->last->next : &l->first) = item;
		l->last = item;
	} else {
		struct out_item **at = l->near && l->near->node <= item->node ? &l->near->next : &l->first;
		while ((*at)->node <= item->node)
			at = &(*at)->next;
		item->next = *at;
		*at = item;
	}
	l->near = item;
}

struct out_loop *map_out_new_loop(struct out *o, int32_t node, struct out_loop *parent)
{
	struct out_loop *l = tree_room_take(&o->r->room, sizeof *l);
	if (!l)
		return NULL;
	*l = (struct out_loop){.item = {.node = node, .is_loop = true}, .parent = parent};
	if (parent)
		put(parent, &l->item);
	return l;
}

struct out_loop *map_out_open_loop(struct out *o, struct out_loop *l, int32_t node, bool fresh)
{
	const struct edi_node *nodes = o->plan->definition->nodes;
	if (node == l->item.node || node < 0)
		return l;
	struct out_loop *parent = nodes[node].parent == l->item.node ? l : map_out_open_loop(o, l, nodes[node].parent, false), *found = NULL;
	if (!parent)
		return NULL;
	for (struct out_item *i = fresh ? NULL : parent->first; i; i = i->next)
		if (i->is_loop && i->node == node)
			found = map_out_item_loop(i);
	return found ? found : map_out_new_loop(o, node, parent);
}

int map_out_add(struct out *o, struct out_loop *loop, struct out_segment *s)
{
	const struct edi_node *nodes = o->plan->definition->nodes;
	int32_t node = s->item.node, parent = nodes[node].parent;
	bool begins = parent >= 0 && parent == node - 1;
	struct out_loop *l = parent == loop->item.node ? loop : map_out_open_loop(o, loop, parent, begins);
	if (!l)
		return VAN_ENOMEM;
	s->loop = l;
	l->segments++;
	put(l, &s->item);
	return 0;
}

int map_out_settle(struct out *o, const struct out_scope *s, int32_t number, struct out_segment **written, struct out_loop *loop, struct out_segment *g)
{
	if (g->plan->begins && s->object && !g->origin)
		g->origin = s->object->origin;
	int rc = map_out_add(o, loop, g);
	if (rc == 0 && g->plan->numbered)
		g->loop->level = g;
	g->next = written[number];
	written[number] = g;
	return rc;
}

/* What goes back to where it came from may have had more than the standard allows. */
uint32_t map_out_left(const struct out *o, const struct out_loop *l, int32_t node)
{
	const struct edi_node *n = &o->plan->definition->nodes[node];
	uint32_t count = 0;
	if (o->back || n->parent != l->item.node || !n->max)
		return UINT32_MAX;
	if (l->segments < n->max)
		return n->max - l->segments;
	for (const struct out_item *i = l->last->node < node ? NULL : l->first; i && i->node <= node; i = i->next)
		count += !i->is_loop && i->node == node;
	return n->max > count ? n->max - count : 0;
}

bool map_out_has_anything(const struct out_loop *l)
{
	bool any = l->segments != 0;
	for (struct out_item *i = l->first; i && !any; i = i->next)
		any = i->is_loop && map_out_has_anything(map_out_item_loop(i));
	return any;
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
	if (!map_out_has_anything(l))
		return 0;
	int32_t node = l->item.node + 1; /* of its first segment */
	bool begun = !node || (l->first && !l->first->is_loop && l->first->node == node);
	if (!begun) {
		struct out_segment *g = tree_room_alloc(&o->r->room, sizeof *g);
		if (!g)
			return VAN_ENOMEM;
		*g = (struct out_segment){.item = {.node = node}, .id = edi_pack(nodes[node].id.p, nodes[node].id.n), .name = nodes[node].id, .loop = l};
		rc = map_out_append(o, g);
	}
	for (struct out_item *i = l->first; i && rc == 0; i = i->next)
		rc = i->is_loop ? flatten(o, map_out_item_loop(i)) : map_out_append(o, map_out_item_segment(i));
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
	for (uint32_t i = 0; i < o->count && rc == 0; i++)
		for (uint32_t k = 0; o->all[i]->counted && k < o->all[i]->count && rc == 0; k++) {
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
