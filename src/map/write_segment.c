/* Rows to segments: which of them write, one segment for those that share it, as many as their lists need. */
#include "map/mould.h"
#include "map/transform.h"
#include "map/write.h"

/* --- rows --------------------------------------------------------------------------------------------------------------------- */

static struct out_segment *new_segment(struct out *o, const struct map_plan_segment *p)
{
	struct out_segment *g = tree_room_take(&o->r->room, sizeof *g);
	if (g)
		*g = (struct out_segment){.plan = p, .id = p->id, .name = p->name, .item = {.node = p->node}};
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

const struct tree *map_out_next_item(struct out_scope *s, int32_t slot)
{
	struct out_list *l = &s->plan->work->lists[slot];
	l->next = l->begun ? l->next ? l->next->next : NULL : s->places[slot]->first;
	l->begun = true;
	return l->next;
}

/* A row whose place is a list, in a segment of which there is one: pairs, or repetitions. */
static int write_all(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, bool *wrote)
{
	uint32_t repetition = 0;
	int rc = 0;
	if (o->recorder)
		map_mould_is_odd(o->recorder);
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
		t = map_out_next_item(s, row->slot);
		if (!t)
			return 0;
	}
	if (map_out_is_leaf(t) && t->text.n) {
		if (o->recorder)
			map_mould_source(o->recorder, row, t != s->places[row->slot]);
		rc = map_out_write_to(o, s, row, g, t->text, false, &did);
		if (o->recorder)
			map_mould_source_end(o->recorder, did);
		if (did) {
			map_out_take(o->r, t);
			map_out_take_conditions(o->r, s, row);
			if (!g->origin && t->origin)
				g->origin = t->origin;
		}
		*wrote |= did;
		return rc;
	}
	if (o->recorder && row->fallback.p)
		map_mould_constant(o->recorder, row, row->fallback);
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
	if (o->recorder && row->to == MAP_TO_LITERAL)
		map_mould_constant(o->recorder, row, row->text);
	if (row->to == MAP_TO_LITERAL)
		return map_out_write_to(o, s, row, g, row->text, !row->required, wrote);
	if (row->to == MAP_TO_COUNT) {
		uint32_t component = map_out_component_of(g->plan, row->element, row->component);
		rc = map_out_set_cell(o->r, g, row->element, component, 0, SLICE("0"), !row->required, row);
		struct out_cell *c = rc == 0 ? map_out_cell(o->r, g, row->element, component, 0) : NULL;
		if (c) {
			c->count = o->map->sheet->ids[row->counted];
			g->counted = true;
		}
		*wrote |= row->required;
		return rc;
	}
	const struct tree *result = NULL;
	if (o->recorder)
		map_mould_is_odd(o->recorder);
	rc = map_run_expression(o->r, row, "target", row->computed, s->object, s->object, &result);
	struct slice v = rc == 0 ? expression_text(&o->r->room, result) : SLICE_NONE;
	return rc == 0 && v.n ? map_out_write_to(o, s, row, g, v, false, wrote) : rc;
}

/* Most values that are written: *did is whether this was one of them. */
static int write_direct(struct out *o, const struct out_scope *s, int32_t number, struct out_segment *g, bool *did)
{
	const struct map_plan_row *known = &o->plan->rows[number];
	const struct tree *t = known->direct ? s->places[known->slot] : NULL;
	if (!map_out_is_leaf(t) || !t->text.n || (known->element && t->text.n > known->element->max) || o->r->options.explain || o->r->options.row_by_row)
		return 0;
	const struct map_row *row = &o->map->sheet->rows[number];
	struct out_cell *c = map_out_cell(o->r, g, row->element, known->component, 0);
	if (!c || map_out_differs(c, t->text))
		return c ? 0 : VAN_ENOMEM;
	*did = true;
	map_out_take(o->r, t);
	g->origin = g->origin ? g->origin : t->origin;
	if (o->recorder) {
		map_mould_source(o->recorder, row, false);
		map_mould_value(o->recorder, g, known->element, row->element, known->component, t->text, SLICE_NONE);
		map_mould_source_end(o->recorder, true);
	}
	map_out_fill_cell(c, t->text, false, row);
	return 0;
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
	if (o->recorder && !did && !known->free && !known->decided)
		map_mould_guard(o->recorder, number, rc);
	if (rc == 1)
		rc = write_source(o, s, row, g, turn, &did);
	*wrote |= did;
	return rc == 0 && did && g->plan->begins ? write_asked(o, row, g) : rc;
}

/* --- segments --------------------------------------------------------------------------------------------------------------------- */

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
		if (plan->segments[i].node != g->item.node)
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

/* The head has such a segment with other values, and no room for another: those here are told as not written. */
static void untake(struct out *o, const struct out_scope *s, const struct map_plan_segment *p)
{
	for (int32_t i = 0; i < p->row_count; i++) {
		const struct map_plan_row *known = &o->plan->rows[p->rows[i]];
		const struct tree *t = known->scope == s->number && known->slot >= 0 ? s->places[known->slot] : NULL;
		if (map_out_is_leaf(t))
			((struct tree *)(uintptr_t)t)->taken = 0;
	}
}

/* Whether there may be no room for them in the loop. */
static bool is_bounded(const struct out_scope *s, const struct map_plan_segment *p)
{
	bool mergeable = p->outer || (!p->listed && !p->begins && !p->constant_count);
	return !mergeable && (!p->begins || s->plan->node < 0);
}

int map_out_segment(struct out *o, struct out_scope *s, const struct map_plan_scope *plan, int32_t number, struct out_segment **written,
	struct out_loop *loop, bool force)
{
	const struct map_plan_segment *p = &plan->segments[number];
	size_t n = needed(o, s, p);
	bool outer = p->outer != NULL, mergeable = outer || (!p->listed && !p->begins && !p->constant_count);
	int rc = map_run_step(o->r, (uint64_t)p->row_count * n);
	if (o->recorder)
		map_mould_segments(o->recorder, p, n, mergeable && (outer || !p->alone), is_bounded(s, p));
	for (size_t turn = 0; turn < n && rc == 0; turn++) {
		if (is_bounded(s, p) && !map_out_left(o, loop, p->node)) {
			if (o->recorder)
				map_mould_is_odd(o->recorder);
			break;
		}
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
		if (outer && (written[number] || !map_out_left(o, loop, p->node))) {
			untake(o, s, p);
			continue;
		}
		if (o->recorder)
			map_mould_segment(o->recorder, g);
		rc = map_out_settle(o, s, number, written, loop, g);
	}
	return rc;
}
