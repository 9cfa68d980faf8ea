/* Which rows of a loop have something to do, with which element: its steps. Decided from the loop's shape alone (shape.h); what hangs on
 * more, on expressions, tables that may drop a value, segments of a loop around, is left to the row when its turn comes. */
#include "map/shape.h"

enum filled { EMPTY, FILLED, PERHAPS };

struct planner {
	struct map_run_state *r;
	struct in_scope *s;
	unsigned char *filled;  /* by slot */
	uint64_t *taken;        /* by own segment */
	struct map_step *steps;
	uint32_t count, room;
	bool loops;             /* they have their step */
};

static int add_step(struct planner *p, struct map_step step)
{
	if (p->count == p->room) {
		uint32_t room = p->room ? 2 * p->room : 64;
		struct map_step *v = tree_room_take(&p->r->room, room * sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		if (p->count)
			memcpy(v, p->steps, p->count * sizeof *v);
		p->steps = v;
		p->room = room;
	}
	p->steps[p->count++] = step;
	return 0;
}

static void perhaps(struct planner *p, int32_t slot)
{
	if (slot >= 0 && p->filled[slot] == EMPTY)
		p->filled[slot] = PERHAPS;
}

/* A condition may say what the document has at a place. */
static bool writes(const struct map_condition *c)
{
	return c->kind == MAP_ASK_PLACE && !c->unequal && c->values.n;
}

static int leave_to_row(struct planner *p, const struct map_brief *b)
{
	const struct map_row *rows = p->r->map->sheet->rows;
	perhaps(p, b->slot);
	for (int32_t one = b->row; one >= 0; one = rows[one].group_next)
		for (uint32_t i = 0; i < rows[one].condition_count; i++)
			if (writes(&rows[one].conditions[i]))
				perhaps(p, rows[one].conditions[i].slot);
	return add_step(p, (struct map_step){.does = MAP_STEP_ROW, .row = &rows[b->row], .segment = -1});
}

static void take(struct planner *p, struct map_segment *g, uint32_t element, uint32_t component)
{
	if (!g->masked)
		map_take(&p->r->message, g, element, component);
	else if (element < 64)
		p->taken[g->nth] |= (uint64_t)1 << element;
}

/* --- conditions --------------------------------------------------------------------------------------------------------------- */

enum answer { NO, YES, OPEN };

/* NO is certain. `candidate` NULL: the row is about no segment, or one of a loop around. */
static enum answer ask(struct planner *p, const struct map_row *row, const struct map_segment *candidate)
{
	enum answer all = YES;
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct map_condition *c = &row->conditions[i];
		if (c->kind == MAP_ASK_EXPRESSION)
			return OPEN; /* which may have an error to tell, before those behind it are asked */
		if (c->kind != MAP_ASK_ELEMENT)
			continue;
		int32_t first = p->s->heads[c->segment];
		if (row->outer && c->segment == row->segment)
			all = OPEN;
		else if (candidate && candidate->number == c->segment ? !map_in_holds_on(p->r, c, candidate)
		         : first < 0 ? !c->unequal : !map_in_holds_on(p->r, c, &p->r->message.segments[first]))
			return NO;
	}
	return all;
}

/* The conditions' own elements, and whether something of the document is to be written for them. */
static void take_conditions(struct planner *p, const struct map_row *row, struct map_segment *g, struct map_step *last)
{
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct map_condition *c = &row->conditions[i];
		if (c->kind == MAP_ASK_ELEMENT && !c->unequal && g && g->number == c->segment && c->element < g->count)
			take(p, g, c->element, c->component);
		if (writes(c)) {
			last->asks = true;
			last->alone = false;
			perhaps(p, c->slot);
		}
	}
}

/* --- rows --------------------------------------------------------------------------------------------------------------------- */

/* The most frequent ways from an element to a value; the others go through all transforms. */
static int how_made(const struct map_row *row)
{
	bool in = false; /* a transform does something on the way in */
	for (uint32_t i = 0; i < row->transform_count; i++)
		in |= !map_transform_only_out(&row->transforms[i]);
	if (row->bare)
		return MAP_STEP_BARE;
	if (row->table && !in && row->value_kind != TREE_BOOL)
		return MAP_STEP_TABLE;
	bool number = row->transform_count == 1 && (row->transforms[0].kind == MAP_DECIMAL || row->transforms[0].kind == MAP_NUMBER);
	return number && !row->table ? MAP_STEP_DECIMAL : MAP_STEP_ANY;
}

/* What the places of the slot stand in, from the outside in. */
static int open_slots(struct planner *p, int32_t number)
{
	const struct map_slot *slot = number < 0 ? NULL : &p->s->scope->slots[number];
	if (!slot || p->filled[number] != EMPTY)
		return 0;
	int rc = open_slots(p, slot->parent);
	p->filled[number] = FILLED;
	return rc < 0 ? rc : add_step(p, (struct map_step){.does = MAP_STEP_OPEN, .alone = true, .kind = slot->array ? TREE_ARRAY : TREE_OBJECT, .item = slot->item,
		.slot = number, .parent = slot->parent, .hash = slot->hash, .name = slot->item ? SLICE_NONE : slot->name, .segment = -1});
}

static int add_take(struct planner *p, int32_t number, struct map_segment *g, uint32_t element, uint32_t component)
{
	const struct map_row *row = &p->r->map->sheet->rows[number];
	bool dated = component && row->transform_count && row->transforms[0].kind == MAP_DATE;
	const struct map_scope *scope = p->s->scope;
	const struct map_slot *slot = &scope->slots[row->slot];
	struct map_step step = {.does = MAP_STEP_TAKE, .alone = !dated, .makes = how_made(row), .whole = g && g->masked, .row = row,
		.segment = g ? (int32_t)g->nth : -1, .element = element, .component = component, .kind = row->value_kind,
		.slot = row->slot, .parent = slot->parent, .hash = slot->hash, .name = slot->name};
	if (row->many) { /* an item, which has no name, and no place that rows know */
		step.slot = scope->slot_count;
		step.parent = row->slot;
		step.hash = 0;
		step.name = SLICE_NONE;
	}
	int rc = dated ? 0 : open_slots(p, step.parent);
	p->filled[row->slot] = FILLED;
	if (g)
		take(p, g, element, component);
	return rc < 0 ? rc : add_step(p, step);
}

static int plan_pairs(struct planner *p, int32_t number, struct map_segment *g, bool *set)
{
	const struct map_row *row = &p->r->map->sheet->rows[number];
	struct map_message *m = &p->r->message;
	uint32_t step = row->qualifier ? 1 : 2;
	int rc = 0;
	for (uint32_t i = row->element; i <= row->last && i < g->count && rc == 0 && (row->many || !*set); i += step) {
		struct slice qualifier = map_value(m, g, i, row->qualifier);
		uint32_t element = row->qualifier ? i : i + 1, component = row->qualifier && !row->component ? 1 : row->component;
		if (!qualifier.p || !slice_eq(qualifier, row->literal) || !map_value(m, g, element, component).p)
			continue;
		take(p, g, i, row->qualifier);
		rc = add_take(p, number, g, element, component);
		*set = true;
	}
	return rc;
}

/* Rows of one list and segment take turns. */
static int plan_segments(struct planner *p, int32_t number)
{
	const struct map_row *rows = p->r->map->sheet->rows, *row = &rows[number];
	bool set = false;
	int rc = 0;
	for (int32_t i = p->s->heads[row->segment]; i >= 0 && rc == 0 && (row->many || !set); i = p->r->message.segments[i].next) {
		struct map_segment *g = &p->r->message.segments[i];
		for (int32_t one = number; one >= 0 && rc == 0; one = rows[one].group_next) {
			bool took = false;
			if (!(rows[one].way & MAP_WAY_IN) || !map_in_is_within(p->r, &rows[one], g) || ask(p, &rows[one], g) != YES)
				continue;
			if (row->kind == MAP_PAIRS)
				rc = plan_pairs(p, one, g, &took);
			else if ((took = map_value(&p->r->message, g, rows[one].element, rows[one].component).p != NULL))
				rc = add_take(p, one, g, rows[one].element, rows[one].component);
			if (took && rc == 0)
				take_conditions(p, &rows[one], g, &p->steps[p->count - 1]);
			set |= took;
		}
	}
	return rc;
}

static int plan_row(struct planner *p, const struct map_brief *b)
{
	const struct map_row *row = &p->r->map->sheet->rows[b->row];
	uint32_t before = p->count;
	int rc = 0;
	if (p->r->options.row_by_row)
		return leave_to_row(p, b);
	if (row->group_later || (!row->many && p->filled[row->slot] == FILLED))
		return 0;
	if (row->outer || row->kind == MAP_EXPRESSION || row->kind == MAP_ENVELOPE) {
		bool idle = !row->fallback.p && !row->required && row->group_next < 0;
		return idle && ask(p, row, NULL) == NO ? 0 : leave_to_row(p, b);
	}
	if (!b->fixed || p->filled[row->slot] == PERHAPS)
		return leave_to_row(p, b);
	if (row->kind != MAP_LITERAL) {
		rc = plan_segments(p, b->row);
	} else if (ask(p, row, NULL) == YES) {
		rc = add_take(p, b->row, NULL, 0, 0);
		if (rc == 0)
			take_conditions(p, row, NULL, &p->steps[p->count - 1]);
	}
	/* nothing, and something is due: the row knows what */
	return rc == 0 && p->count == before && (row->fallback.p || row->required) ? leave_to_row(p, b) : rc;
}

static int plan_constant(struct planner *p, const struct map_brief *b)
{
	const struct map_row *row = &p->r->map->sheet->rows[b->row];
	int rc = 0;
	if (!b->fixed || p->r->options.row_by_row)
		return add_step(p, (struct map_step){.does = MAP_STEP_COUNT, .row = row, .segment = -1});
	for (int32_t i = p->s->heads[row->segment]; i >= 0 && rc == 0; i = p->r->message.segments[i].next) {
		struct map_segment *g = &p->r->message.segments[i];
		if (map_value(&p->r->message, g, row->element, row->component).p && map_in_is_within(p->r, row, g) && ask(p, row, g) == YES)
			rc = add_step(p, (struct map_step){.does = MAP_STEP_CONSTANT, .row = row, .segment = (int32_t)g->nth,
				.element = row->element, .component = row->component});
	}
	return rc;
}

static int plan_brief(struct planner *p, const struct map_brief *b)
{
	if (b->does == MAP_BRIEF_CONSTANT)
		return plan_constant(p, b);
	if (b->does == MAP_BRIEF_PLACE)
		return plan_row(p, b);
	bool had = p->loops;
	p->loops = true;
	return had ? 0 : add_step(p, (struct map_step){.does = MAP_STEP_LOOPS, .segment = -1});
}

/* False: the row's qualifier is in none of its segments. */
static bool has_qualifier(struct planner *p, const struct map_brief *b)
{
	struct map_message *m = &p->r->message;
	bool has = false;
	for (int32_t i = p->s->heads[b->segment]; i >= 0 && !has; i = m->segments[i].next)
		has = map_qualifiers(m, &m->segments[i]) & b->qualifier;
	return has;
}

/* Constants whose element a row takes in any case have nothing to do. */
static void drop_taken(struct planner *p)
{
	const struct map_message *m = &p->r->message;
	uint32_t n = 0;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct map_step *step = &p->steps[i];
		const struct map_segment *g = step->does == MAP_STEP_CONSTANT ? &m->segments[p->s->own[step->segment]] : NULL;
		if (!g || !(g->masked ? p->taken[step->segment] >> step->element & 1 :
		            m->taken[g->first + step->element] & map_part_bit(step->component)))
			p->steps[n++] = *step;
	}
	p->count = n;
}

/* What was taken of odd segments stands in the message: it is kept with the steps. */
static int keep_parts(struct planner *p, struct map_shape *ret)
{
	const struct map_message *m = &p->r->message;
	uint32_t n = 0;
	for (uint32_t i = 0; i < p->s->own_count; i++)
		n += m->segments[p->s->own[i]].masked ? 0 : m->segments[p->s->own[i]].count;
	uint16_t *all = tree_room_take(&p->r->room, (n + 1) * sizeof *all);
	if (!all)
		return VAN_ENOMEM;
	ret->taken_parts = all;
	ret->parts = n;
	for (uint32_t i = 0; i < p->s->own_count; i++) {
		const struct map_segment *g = &m->segments[p->s->own[i]];
		if (g->masked)
			continue;
		memcpy(all, m->taken + g->first, g->count * sizeof *all);
		all += g->count;
	}
	return 0;
}

static int begin(struct planner *p)
{
	const struct map_scope *scope = p->s->scope;
	p->filled = tree_room_alloc(&p->r->room, (size_t)scope->slot_count + 1);
	p->taken = tree_room_alloc(&p->r->room, (p->s->own_count + 1) * sizeof *p->taken);
	if (!p->filled || !p->taken)
		return VAN_ENOMEM;
	for (int32_t i = 0; i < scope->slot_count; i++)
		p->filled[i] = p->s->places[i] ? FILLED : EMPTY; /* what the loop's own row wrote */
	return map_in_list(p->r, p->s);
}

/* All that there are. */
static void take_briefs(const struct map_scope *scope, uint64_t *live)
{
	for (int32_t i = 0; i < scope->brief_count; i++)
		live[i / 64] |= (uint64_t)1 << (i & 63);
}

int map_in_plan(struct map_run_state *r, struct in_scope *s, struct map_shape *ret)
{
	const struct map_scope *scope = s->scope;
	struct planner p = {.r = r, .s = s};
	uint32_t words = scope->brief_words;
	uint64_t *live = tree_room_take(&r->room, (words + 1) * sizeof *live);
	int rc = live ? begin(&p) : VAN_ENOMEM;
	if (rc < 0)
		return rc;
	/* the briefs for which there is a segment, or that need none */
	memcpy(live, scope->brief_always, words * sizeof *live);
	if (r->options.row_by_row)
		take_briefs(scope, live);
	for (int32_t k = 0; k < r->map->sheet->id_count; k++)
		for (uint32_t w = 0; s->heads[k] >= 0 && w < words; w++)
			live[w] |= scope->brief_sets[(uint32_t)k * words + w];
	for (uint32_t w = 0; w < words; w++)
		for (uint64_t bits = live[w]; bits && rc == 0; bits &= bits - 1) {
			const struct map_brief *b = &scope->briefs[w * 64 + (uint32_t)__builtin_ctzll(bits)];
			if (r->options.row_by_row || !b->qualifier || has_qualifier(&p, b))
				rc = plan_brief(&p, b);
		}
	drop_taken(&p);
	if (rc == 0 && ret->words)
		rc = keep_parts(&p, ret);
	ret->taken = p.taken;
	ret->steps = p.steps;
	ret->count = p.count;
	for (uint32_t i = 0; i < p.count; i++)
		ret->alone += p.steps[i].alone;
	return rc;
}
