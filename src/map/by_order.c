/* Despatch advices by order. An 856 says which order goods belong to by where they stand (HL: shipment, order, tare, pack, item); EDIFACT and
 * UBL name the order at the head, or in each line. Documents of these get their levels of orders here, on the way into a sheet that has
 * them. */
#include "map/by_order.h"

#include "map/tree_copy.h"

struct by_order {
	struct map_run_state *r;
	const struct tree *shipment;
	const struct tree **orders; /* their references, in the order of the document */
	uint32_t count, room;
	struct slice alone;         /* of the only order there is: what names none belongs to it; absent */
};

static struct slice id_of(const struct tree *reference)
{
	const struct tree *id = reference ? tree_find(reference, SLICE("ID")) : NULL;
	return id && id->kind == TREE_TEXT ? id->text : SLICE_NONE;
}

/* What a line says of its order; NULL. */
static const struct tree *reference_of(const struct tree *line)
{
	const struct tree *first = tree_items(line, "OrderLineReference"), *reference = first ? tree_part(first, "OrderReference") : NULL;
	return id_of(reference).n ? reference : NULL;
}

/* The order of a line, by its number; absent: it is not known. */
static struct slice order_of(const struct by_order *b, const struct tree *line)
{
	const struct tree *reference = reference_of(line);
	return reference ? id_of(reference) : b->alone;
}

static int add_order(struct by_order *b, const struct tree *reference)
{
	int rc = map_run_step(b->r, b->count + 1);
	if (rc < 0 || !id_of(reference).n)
		return rc;
	for (uint32_t i = 0; i < b->count; i++)
		if (slice_eq(id_of(b->orders[i]), id_of(reference)))
			return 0;
	if (b->count == b->room) {
		uint32_t room = b->room ? 2 * b->room : 16;
		const struct tree **v = van_arena_array(b->r->arena, room, sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		if (b->count)
			memcpy(v, b->orders, b->count * sizeof *v);
		b->orders = v;
		b->room = room;
	}
	b->orders[b->count++] = reference;
	return 0;
}

/* Orders that the lines of a shipment, handling unit or package name. */
static int collect(struct by_order *b, const struct tree *holder, unsigned depth)
{
	static const char *const holders[] = {"TransportHandlingUnit", "Package"};
	int rc = 0;
	for (const struct tree *l = tree_items(holder, "DespatchLine"); l && rc == 0; l = l->next)
		rc = add_order(b, reference_of(l));
	for (size_t i = 0; i < 2 && depth < 3; i++)
		for (const struct tree *t = tree_items(holder, holders[i]); t && rc == 0; t = t->next)
			rc = collect(b, t, depth + 1);
	return rc;
}

static bool same_order(struct slice a, struct slice b)
{
	return a.n == b.n && (!a.n || slice_eq(a, b));
}

/* A line below its order need not name it, unless it names the order's line as well. */
static struct tree *copy_line(struct by_order *b, const struct tree *line, struct slice order)
{
	static const char *const reference[] = {"OrderLineReference", NULL};
	const struct tree *first = tree_items(line, "OrderLineReference");
	bool says_more = !first || first->next || !order.n || tree_find(first, SLICE("LineID"));
	return says_more ? tree_copy_node(&b->r->room, line) : tree_copy_without(&b->r->room, line, reference);
}

static bool copy_part(struct by_order *b, const struct tree *holder, struct tree *to, const char *name, struct slice order, unsigned depth);

/* Copies what of the holder belongs to the order. Whether there was anything. */
static bool copy_level(struct by_order *b, const struct tree *holder, struct tree *to, struct slice order, unsigned depth)
{
	bool any = copy_part(b, holder, to, "TransportHandlingUnit", order, depth);
	any |= copy_part(b, holder, to, "Package", order, depth);
	any |= copy_part(b, holder, to, "DespatchLine", order, depth);
	return any;
}

static bool has_lines(const struct tree *holder, unsigned depth)
{
	bool any = tree_items(holder, "DespatchLine") != NULL;
	for (const struct tree *t = tree_items(holder, "Package"); t && !any && depth < 3; t = t->next)
		any = has_lines(t, depth + 1);
	return any;
}

static bool copy_part(struct by_order *b, const struct tree *holder, struct tree *to, const char *name, struct slice order, unsigned depth)
{
	static const char *const below[] = {"TransportHandlingUnit", "Package", "DespatchLine", NULL};
	struct tree_room *room = &b->r->room;
	struct tree *list = NULL;
	bool line = name[0] == 'D';
	for (const struct tree *t = tree_items(holder, name); t && depth < 3 && !room->error; t = t->next) {
		struct tree *copy = NULL;
		if (map_run_step(b->r, 1) < 0) {
			room->error = VAN_ELIMIT;
			return false;
		}
		if (line) {
			copy = same_order(order_of(b, t), order) ? copy_line(b, t, order) : NULL;
		} else if (!has_lines(t, 0)) { /* empty ones are of the only order, or of none */
			copy = same_order(b->alone, order) ? tree_copy_node(room, t) : NULL;
		} else {
			copy = tree_copy_without(room, t, below);
			if (copy && !copy_level(b, t, copy, order, depth + 1))
				copy = NULL;
		}
		if (copy && !list)
			list = tree_member(room, to, slice_str(name), TREE_ARRAY);
		if (copy && list)
			tree_add(list, copy);
	}
	return list != NULL;
}

/* The document's own reference says more than a line's: a date, a release. */
static const struct tree *best_reference(const struct tree *document, const struct tree *reference)
{
	for (const struct tree *t = tree_items(document, "OrderReference"); t; t = t->next)
		if (slice_eq(id_of(t), id_of(reference)))
			return t;
	return reference;
}

/* BSN05 of goods that stood above their orders: not what is written. NULL: it says nothing else. The copy's own. */
static struct tree *hierarchy_of(struct tree *copy)
{
	struct tree *code = tree_find(copy, SLICE("HierarchyCode"));
	return code && slice_is(code->text, "0003") ? code : NULL;
}

static int arrange(struct by_order *b, const struct tree *document, struct tree **ret)
{
	static const char *const head[] = {"Shipment", "OrderReference", NULL};
	static const char *const levels[] = {"TransportHandlingUnit", "Package", "DespatchLine", NULL};
	struct tree_room *room = &b->r->room;
	struct tree *copy = tree_copy_without(room, document, head), *shipment = NULL, *list = NULL;
	if (copy)
		shipment = tree_add(copy, tree_copy_without(room, b->shipment, levels));
	if (shipment)
		list = tree_member(room, shipment, SLICE("Order"), TREE_ARRAY);
	for (uint32_t i = 0; list && i < b->count && !room->error; i++) {
		struct tree *order = tree_append(room, list, TREE_OBJECT);
		struct tree *reference = order ? tree_copy_node(room, best_reference(document, b->orders[i])) : NULL;
		if (!reference)
			break;
		tree_add(order, reference)->name = SLICE("OrderReference");
		reference->hash = 0;
		copy_level(b, b->shipment, order, id_of(reference), 0);
	}
	struct tree *code = copy ? hierarchy_of(copy) : NULL;
	if (code)
		code->text = SLICE("0001");
	if (list && !room->error && !b->alone.n)
		copy_level(b, b->shipment, shipment, SLICE_NONE, 0);
	*ret = copy;
	return room->error;
}

/* The sheet has a level of orders: Shipment.Order[],loop HL. */
static bool has_orders(const struct map_rows *sheet)
{
	bool found = false;
	for (int32_t i = 0; i < sheet->scope_count && !found; i++) {
		const struct map_row *row = sheet->scopes[i].row < 0 ? NULL : &sheet->rows[sheet->scopes[i].row];
		found = row && row->segment == sheet->level && row->way & MAP_WAY_OUT && slice_is(row->target, "Shipment.Order[]");
	}
	return found;
}

int map_by_order(struct map_run_state *r, const struct tree **document)
{
	struct by_order b = {.r = r, .shipment = tree_part(*document, "Shipment")};
	struct tree *copy = NULL;
	if (r->map->sheet->level < 0 || !slice_starts(r->map->sheet->document, "despatch-advice/") || !has_orders(r->map->sheet) || !b.shipment ||
	    tree_find(b.shipment, SLICE("Order")))
		return 0;
	int rc = 0;
	for (const struct tree *t = tree_items(*document, "OrderReference"); t && rc == 0; t = t->next)
		rc = add_order(&b, t);
	if (rc == 0)
		rc = collect(&b, b.shipment, 0);
	if (rc < 0 || !b.count)
		return rc;
	if (b.count == 1)
		b.alone = id_of(b.orders[0]);
	rc = arrange(&b, *document, &copy);
	if (rc == 0)
		*document = copy;
	return rc;
}
