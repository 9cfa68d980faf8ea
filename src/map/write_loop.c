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
	struct out_item *item = parent ? tree_room_take(&o->r->room, sizeof *item) : NULL;
	if (!l || (parent && !item))
		return NULL;
	*l = (struct out_loop){.node = node, .parent = parent};
	if (!parent)
		return l;
	*item = (struct out_item){.node = node, .loop = l};
	put(parent, item);
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
	put(l, item);
	return 0;
}

struct out_loop *map_out_open_loop(struct out *o, struct out_loop *l, int32_t node, bool fresh)
{
	const struct edi_node *nodes = o->plan->definition->nodes;
	if (node == l->node || node < 0)
		return l;
	struct out_loop *parent = nodes[node].parent == l->node ? l : map_out_open_loop(o, l, nodes[node].parent, false), *found = NULL;
	if (!parent)
		return NULL;
	for (struct out_item *i = fresh ? NULL : parent->first; i; i = i->next)
		if (i->loop && i->node == node)
			found = i->loop;
	return found ? found : map_out_new_loop(o, node, parent);
}

int map_out_add(struct out *o, struct out_loop *loop, struct out_segment *s)
{
	const struct edi_node *nodes = o->plan->definition->nodes;
	int32_t parent = nodes[s->node].parent;
	bool begins = parent >= 0 && parent == s->node - 1;
	struct out_loop *l = parent == loop->node ? loop : map_out_open_loop(o, loop, parent, begins);
	return l ? add_item(o, l, s) : VAN_ENOMEM;
}

/* What goes back to where it came from may have had more than the standard allows. */
uint32_t map_out_left(const struct out *o, const struct out_loop *l, int32_t node)
{
	const struct edi_node *n = &o->plan->definition->nodes[node];
	uint32_t count = 0;
	if (o->back || n->parent != l->node || !n->max)
		return UINT32_MAX;
	if (l->segments < n->max)
		return n->max - l->segments;
	for (const struct out_item *i = l->last->node < node ? NULL : l->first; i && i->node <= node; i = i->next)
		count += i->segment && i->node == node;
	return n->max > count ? n->max - count : 0;
}

bool map_out_has_anything(const struct out_loop *l)
{
	bool any = l->segments != 0;
	for (const struct out_item *i = l->first; i && !any; i = i->next)
		any = i->loop && map_out_has_anything(i->loop);
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
