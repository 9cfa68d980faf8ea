/* Despatch advices: canonical ones hold lines where they are packed, UBL's hold all lines at the root and handling units name theirs. */
#include "map/decimal.h"
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

/* A line with a number: one of the root, or one in a handling unit. */
struct numbered {
	struct slice id;
	struct tree *line;
	size_t order; /* in the document */
};

struct numbered_list {
	struct numbered *v; /* sorted by number, then as the document has them */
	size_t n;
};

static int by_number(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int order = slice_cmp(x->id, y->id);
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void number(struct numbered_list *l, struct tree *first, size_t *order)
{
	for (struct tree *t = first; t; t = t->next, ++*order) {
		const struct tree *id = t->kind == TREE_OBJECT ? tree_find(t, SLICE("ID")) : NULL;
		if (id && l->v)
			l->v[l->n] = (struct numbered){id->text, t, *order};
		l->n += id != NULL;
	}
}

/* Those of `holders`' lines; without holders, those of `lines`. */
static bool list_numbered(struct tree_room *room, struct tree *lines, const struct tree *holders, struct numbered_list *l)
{
	for (int turn = 0; turn < 2; turn++) { /* counted, and then kept */
		size_t order = 0, n = l->n;
		l->v = turn ? van_arena_array(room->arena, n + 1, sizeof *l->v) : NULL;
		l->n = 0;
		if (turn && !l->v) {
			room->error = VAN_ENOMEM;
			return false;
		}
		if (lines)
			number(l, lines, &order);
		for (const struct tree *u = holders; u; u = u->next)
			number(l, (struct tree *)(uintptr_t)tree_items(u, "DespatchLine"), &order); /* of our own making */
	}
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_number);
	return true;
}

/* What the line in the unit does not say itself, the root's line says; quantities are shared out apart. */
static void complete(struct tree_room *room, struct tree *to, const struct tree *from, bool all)
{
	for (const struct tree *m = from->first; m; m = m->next) {
		struct tree *there = tree_find(to, m->name);
		bool object = m->kind == TREE_OBJECT, list = m->kind == TREE_ARRAY;
		if (slice_is(m->name, "DeliveredQuantity") || (!all && !slice_is(m->name, "Item") && !slice_is(m->name, "OrderLineReference")))
			continue;
		if (!there)
			tree_add(to, tree_copy_node(room, m));
		else if (object && there->kind == TREE_OBJECT)
			complete(room, there, m, true);
		else if (list && there->kind == TREE_ARRAY && there->first && there->first->kind == TREE_OBJECT && m->first && m->first->kind == TREE_OBJECT)
			complete(room, there->first, m->first, true);
	}
}

static const struct tree *quantity_of(const struct tree *line)
{
	return tree_part(line, "DeliveredQuantity");
}

static struct slice text_in(const struct tree *t, const char *name)
{
	const struct tree *m = t ? tree_find(t, slice_str(name)) : NULL;
	return m ? m->text : SLICE("");
}

/* What lines with one number deliver together, and how many say nothing of it. False: their units are not `unit`, or it is no number. */
static bool sum(const struct numbered *v, size_t n, struct slice unit, struct decimal *ret, size_t *silent)
{
	*ret = decimal_int(0);
	*silent = 0;
	for (size_t i = 0; i < n; i++) {
		const struct tree *q = quantity_of(v[i].line);
		struct decimal d;
		if (!q)
			++*silent;
		else if (!slice_eq(text_in(q, "unitCode"), unit) || decimal_read(text_in(q, "value"), &d) < 0 || decimal_add(ret, &d, ret) < 0)
			return false;
	}
	return true;
}

static void set_quantity(struct tree_room *room, struct tree *line, const struct tree *like, const struct decimal *value)
{
	char text[DECIMAL_TEXT];
	struct tree *q = tree_member(room, line, SLICE("DeliveredQuantity"), TREE_OBJECT), *v = q ? tree_member(room, q, SLICE("value"), TREE_TEXT) : NULL;
	struct slice unit = text_in(like, "unitCode");
	if (v)
		v->text = van_arena_slice(room->arena, slice_make(text, decimal_write(value, text)));
	if (v && unit.n && (v = tree_member(room, q, SLICE("unitCode"), TREE_TEXT)))
		v->text = unit;
}

/* Beside the document: a quantity of the root that those in the units contradict. */
static void put_aside(struct tree_room *room, struct tree *document, const struct numbered *root)
{
	struct tree *list = tree_member(room, document, SLICE("_unmapped"), TREE_ARRAY), *one = list ? tree_append(room, list, TREE_OBJECT) : NULL;
	const struct tree *q = quantity_of(root->line);
	const struct {
		const char *name;
		enum tree_kind kind;
		struct slice text;
	} members[] = {{"segment", TREE_TEXT, SLICE("DeliveredQuantity")}, {"position", TREE_NUMBER, van_arena_printf(room->arena, "%zu", root->order + 1)},
		{"element", TREE_NUMBER, SLICE("0")},
		{"value", TREE_TEXT, van_arena_printf(room->arena, "%.*s %.*s", SLICE_ARG(text_in(q, "value")), SLICE_ARG(text_in(q, "unitCode")))}};
	for (size_t i = 0; one && i < sizeof members / sizeof *members; i++) {
		struct tree *m = tree_member(room, one, slice_str(members[i].name), members[i].kind);
		if (m)
			m->text = members[i].text;
	}
}

/* Root lines and lines in units of one number. The root says how much there is of it in all, and mostly what it is; the units say what of that they hold.
 * *loose: how many of the root's lines stay outside of units: those of which nobody knows where they are. */
static void settle(struct tree_room *room, struct tree *document, const struct numbered *root, size_t n, const struct numbered *unit, size_t units, size_t *loose)
{
	const struct tree *first = quantity_of(root->line);
	struct slice of = text_in(first, "unitCode");
	struct decimal total, packed, rest;
	size_t silent = 0, none = 0;
	*loose = 0;
	bool known = first && sum(root, n, of, &total, &none) && sum(unit, units, of, &packed, &silent) && decimal_subtract(&total, &packed, &rest) == 0;
	bool all_silent = silent == units;
	for (size_t i = 0; i < n && !known; i++)
		if (quantity_of(root[i].line))
			put_aside(room, document, &root[i]);
	if (known && rest.minus)
		put_aside(room, document, root);
	if (known && !rest.minus && rest.digits) {
		if (silent == 1)
			for (size_t i = 0; i < units; i++) {
				if (!quantity_of(unit[i].line) && (packed.digits || n > 1))
					set_quantity(room, unit[i].line, first, &rest);
				else if (!quantity_of(unit[i].line))
					tree_add(unit[i].line, tree_copy_node(room, first)); /* with its own digits */
			}
		else
			*loose = silent && all_silent ? n - none : 1; /* those that say how much stand first */
		if (*loose == 1 && packed.digits)
			set_quantity(room, root->line, first, &rest);
	}
	for (size_t i = 0; i < units; i++)
		complete(room, unit[i].line, root->line, !i && !*loose);
}

int ubl_despatch_in(struct tree_room *room, struct tree *document)
{
	struct tree *lines = tree_find(document, SLICE("DespatchLine"));
	struct numbered_list roots = {0}, units = {0};
	if (!lines || lines->kind != TREE_ARRAY)
		return 0;
	struct tree *shipment = tree_member(room, document, SLICE("Shipment"), TREE_OBJECT);
	struct tree *to = shipment ? tree_member(room, shipment, SLICE("DespatchLine"), TREE_ARRAY) : NULL;
	if (!to || !list_numbered(room, lines->first, NULL, &roots) || !list_numbered(room, NULL, tree_items(shipment, "TransportHandlingUnit"), &units))
		return room->error;
	size_t count = 0, order = 0;
	for (struct tree *l = lines->first; l; l = l->next)
		count++;
	bool *packed = van_arena_array(room->arena, count + 1, sizeof *packed);
	if (!packed)
		return room->error = VAN_ENOMEM;
	for (size_t i = 0, u = 0, n, m; i < roots.n; i += n, u += m) {
		size_t loose = 0;
		for (n = 1; i + n < roots.n && slice_eq(roots.v[i + n].id, roots.v[i].id);)
			n++;
		while (u < units.n && slice_cmp(units.v[u].id, roots.v[i].id) < 0)
			u++;
		for (m = 0; u + m < units.n && slice_eq(units.v[u + m].id, roots.v[i].id);)
			m++;
		if (m)
			settle(room, document, &roots.v[i], n, &units.v[u], m, &loose);
		for (size_t k = loose; m && k < n; k++)
			packed[roots.v[i + k].order] = true;
	}
	for (struct tree *l = lines->first, *next; l; l = next, order++) {
		next = l->next;
		if (!packed[order])
			tree_add(to, l);
	}
	lines->first = NULL;
	lines->tail = &lines->first;
	drop_if_empty(document, "DespatchLine");
	drop_if_empty(shipment, "DespatchLine");
	return room->error;
}
