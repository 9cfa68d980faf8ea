/* Despatch advices: canonical ones hold lines where they are packed, UBL's hold all lines at the root and handling units name theirs. */
#include "map/tree_copy.h"
#include "map/ubl_private.h"

#include <stdlib.h>

static void drop_if_empty(struct tree *object, const char *name)
{
	struct tree **at = &object->first;
	while (*at && !(slice_is((*at)->name, name) && !(*at)->first))
		at = &(*at)->next;
	if (!*at)
		return;
	if (object->tail == &(*at)->next)
		object->tail = at;
	*at = (*at)->next;
}

/* --- out --------------------------------------------------------------------------------------------------------------- */

struct despatch {
	struct tree_room *room;
	struct tree *lines, *units, *orders; /* of the copy */
};

/* A line knows its order from where it stood; UBL's names it. */
static void add_line(struct despatch *d, const struct tree *line, const struct tree *order)
{
	static const char *const none[] = {NULL};
	if (line->kind != TREE_OBJECT || !order || tree_find(line, SLICE("OrderLineReference"))) {
		tree_add(d->lines, tree_copy_node(d->room, line));
		return;
	}
	struct tree *copy = tree_add(d->lines, tree_copy_without(d->room, line, none));
	struct tree *list = copy ? tree_member(d->room, copy, SLICE("OrderLineReference"), TREE_ARRAY) : NULL;
	struct tree *reference = list ? tree_append(d->room, list, TREE_OBJECT) : NULL;
	struct tree *id = reference ? tree_member(d->room, reference, SLICE("LineID"), TREE_TEXT) : NULL;
	const struct tree *number = tree_find(line, SLICE("ID"));
	if (id)
		id->text = number && number->text.p ? number->text : SLICE("1");
	struct tree *to = reference ? tree_copy_node(d->room, order) : NULL;
	if (to)
		tree_add(reference, to)->name = SLICE("OrderReference");
}

/* `unit`: UBL names its lines there too, and tells by their numbers that they are the same; one without stays there. */
static void add_lines(struct despatch *d, const struct tree *holder, const struct tree *order, bool unit)
{
	for (const struct tree *t = tree_items(holder, "DespatchLine"); t; t = t->next)
		if (!unit || tree_find(t, SLICE("ID")))
			add_line(d, t, order);
	for (const struct tree *t = tree_items(holder, "Package"); t; t = t->next)
		for (const struct tree *l = tree_items(t, "DespatchLine"); l; l = l->next)
			add_line(d, l, order);
}

/* The units of a shipment or order; a package that stands in none becomes the only one in a unit of its own. */
static void add_level(struct despatch *d, const struct tree *level, const struct tree *order)
{
	add_lines(d, level, order, false);
	for (const struct tree *t = tree_items(level, "TransportHandlingUnit"); t; t = t->next) {
		add_lines(d, t, order, true);
		tree_add(d->units, tree_copy_node(d->room, t));
	}
	for (const struct tree *t = tree_items(level, "Package"); t; t = t->next) {
		struct tree *unit = tree_add(d->units, tree_new(d->room, TREE_OBJECT));
		struct tree *list = unit ? tree_member(d->room, unit, SLICE("Package"), TREE_ARRAY) : NULL;
		if (list)
			tree_add(list, tree_copy_node(d->room, t));
	}
}

int ubl_despatch_out(struct tree_room *room, const struct tree *document, struct tree **ret)
{
	static const char *const top[] = {"Shipment", "DespatchLine", "OrderReference", NULL};
	static const char *const levels[] = {"Order", "TransportHandlingUnit", "Package", "DespatchLine", NULL};
	const struct tree *shipment = tree_part(document, "Shipment");
	struct tree *copy = tree_copy_without(room, document, top), *inner = NULL;
	struct despatch d = {.room = room};
	if (copy && shipment)
		inner = tree_add(copy, tree_copy_without(room, shipment, levels));
	d.orders = copy ? tree_member(room, copy, SLICE("OrderReference"), TREE_ARRAY) : NULL;
	d.lines = d.orders ? tree_member(room, copy, SLICE("DespatchLine"), TREE_ARRAY) : NULL;
	d.units = inner ? tree_member(room, inner, SLICE("TransportHandlingUnit"), TREE_ARRAY) : NULL;
	if (!d.lines)
		return room->error;
	for (const struct tree *t = tree_items(document, "OrderReference"); t; t = t->next)
		tree_add(d.orders, tree_copy_node(room, t));
	for (const struct tree *t = tree_items(document, "DespatchLine"); t; t = t->next)
		add_line(&d, t, NULL);
	if (d.units) {
		add_level(&d, shipment, NULL);
		for (const struct tree *order = tree_items(shipment, "Order"); order; order = order->next) {
			const struct tree *reference = tree_part(order, "OrderReference");
			if (reference)
				tree_add(d.orders, tree_copy_node(room, reference))->name = SLICE_NONE;
			add_level(&d, order, reference);
		}
		drop_if_empty(inner, "TransportHandlingUnit");
	}
	drop_if_empty(copy, "OrderReference");
	*ret = copy;
	return room->error;
}

/* --- in ---------------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Numbers of the lines in handling units, sorted. */
static struct slice_list packed(struct tree_room *room, const struct tree *shipment)
{
	struct slice_list list = {0};
	size_t n = 0;
	for (const struct tree *u = tree_items(shipment, "TransportHandlingUnit"); u; u = u->next)
		for (const struct tree *l = tree_items(u, "DespatchLine"); l; l = l->next)
			n++;
	list.v = van_arena_array(room->arena, n + 1, sizeof *list.v);
	for (const struct tree *u = list.v ? tree_items(shipment, "TransportHandlingUnit") : NULL; u; u = u->next)
		for (const struct tree *l = tree_items(u, "DespatchLine"); l; l = l->next) {
			const struct tree *id = tree_find(l, SLICE("ID"));
			if (id)
				list.v[list.n++] = id->text;
		}
	if (list.n)
		qsort(list.v, list.n, sizeof *list.v, compare);
	if (!list.v)
		room->error = VAN_ENOMEM;
	return list;
}

int ubl_despatch_in(struct tree_room *room, struct tree *document)
{
	struct tree *lines = tree_find(document, SLICE("DespatchLine"));
	if (!lines || lines->kind != TREE_ARRAY)
		return 0;
	struct tree *shipment = tree_member(room, document, SLICE("Shipment"), TREE_OBJECT);
	struct tree *to = shipment ? tree_member(room, shipment, SLICE("DespatchLine"), TREE_ARRAY) : NULL;
	struct slice_list known = to ? packed(room, shipment) : (struct slice_list){0};
	if (!known.v)
		return room->error;
	for (struct tree *l = lines->first, *next; l; l = next) {
		const struct tree *id = tree_find(l, SLICE("ID"));
		next = l->next;
		if (!id || !known.n || !bsearch(&id->text, known.v, known.n, sizeof *known.v, compare))
			tree_add(to, l);
	}
	lines->first = NULL;
	lines->tail = &lines->first;
	drop_if_empty(document, "DespatchLine");
	drop_if_empty(shipment, "DespatchLine");
	return 0;
}
