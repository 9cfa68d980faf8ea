#include "map/plan.h"

#include "map/run.h"
#include "map/mould.h"

struct compiler {
	struct map_set *set;
	const struct map *map;
	const struct map_rows *sheet;
	const struct edi_message_def *d;
	struct map_plan *plan;
	struct van_error *e;
};

static int no_memory(struct compiler *c)
{
	return van_error_set(c->e, VAN_ENOMEM, "map %s: maps need more memory than their bound", c->map->name);
}

static int fail(struct compiler *c, const struct map_row *row, const char *what)
{
	uint32_t id = c->sheet->ids[row->segment];
	const char text[4] = {(char)(id >> 24), (char)(id >> 16), (char)(id >> 8), (char)id};
	const char *p = text;
	size_t n = 4;
	while (n && !*p) {
		p++;
		n--;
	}
	return van_error_set(c->e, VAN_ESYNTAX, "map %s, row %u, source: %.*s %s in %.*s %.*s; mend the row, or say way in", c->map->name,
		row->line, (int)n, p, what, SLICE_ARG(c->map->type), SLICE_ARG(c->map->version));
}

const struct edi_element_def *map_plan_element(const struct edi_segment_def *d, uint32_t element, uint32_t component)
{
	if (!d || !element || element > d->count)
		return NULL;
	const struct edi_field *f = &d->fields[element - 1];
	if (!f->composite)
		return f->element;
	component = component ? component : 1;
	return component <= f->composite->count ? f->composite->fields[component - 1].element : NULL;
}

/* --- places -------------------------------------------------------------------------------------------------------------------- */

static uint32_t id_of(const struct edi_node *n)
{
	return edi_pack(n->id.p, n->id.n);
}

static bool named(const struct compiler *c, int32_t loop, struct slice within)
{
	return !within.p || (loop >= 0 && (slice_eq(c->d->nodes[loop].loop, within) || slice_eq(c->d->nodes[loop].id, within)));
}

/* Whether rows of the scope write this segment. */
static bool scope_writes(const struct compiler *c, int32_t scope, uint32_t id)
{
	const struct map_scope *s = &c->sheet->scopes[scope];
	for (int32_t i = 0; i < s->row_count; i++) {
		const struct map_row *row = &c->sheet->rows[s->rows[i]];
		if (row->way & MAP_WAY_OUT && row->segment >= 0 && row->kind != MAP_LOOP && c->sheet->ids[row->segment] == id)
			return true;
	}
	return false;
}

static uint32_t depth_below(const struct compiler *c, int32_t node, int32_t loop)
{
	uint32_t depth = 0;
	for (int32_t at = c->d->nodes[node].parent; at != loop && at >= 0; at = c->d->nodes[at].parent)
		depth++;
	return depth;
}

/* Whether another version of the sheet has this segment: then a row may be for that one alone. */
static bool in_other_version(const struct compiler *c, uint32_t id)
{
	for (const struct map *m = c->map->sheet->set->maps; m; m = m->next) {
		const struct edi_message_def *d = NULL;
		if (m->sheet != c->sheet || m == c->map || map_run_definition(m, &d, NULL) < 0 || d == c->d)
			continue;
		for (int32_t i = 0; d && i < d->count; i++)
			if (!d->nodes[i].is_loop && id_of(&d->nodes[i]) == id)
				return true;
	}
	return false;
}

/* Whether it begins a loop there. */
static bool begins_in_other_version(const struct compiler *c, uint32_t id)
{
	for (const struct map *m = c->map->sheet->set->maps; m; m = m->next) {
		const struct edi_message_def *d = NULL;
		if (m->sheet != c->sheet || m == c->map || map_run_definition(m, &d, NULL) < 0 || d == c->d)
			continue;
		for (int32_t i = 0; d && i < d->count; i++)
			if (d->nodes[i].is_loop && id_of(&d->nodes[i]) == id)
				return true;
	}
	return false;
}

/* Where the segment stands that a row of this scope writes: in the loop itself, as the beginning of a loop below it, or in one that
 * begins with a segment that is written too; the nearest of each. MAP_NODE_NONE: nowhere. */
static int32_t find_segment(const struct compiler *c, int32_t scope, int32_t loop, uint32_t id, struct slice within)
{
	const struct edi_node *nodes = c->d->nodes;
	int32_t first = loop < 0 ? 0 : loop + 1, last = loop < 0 ? c->d->count - 1 : nodes[loop].last;
	int32_t best = MAP_NODE_NONE;
	uint32_t best_rank = UINT32_MAX;
	for (int32_t i = first; i <= last; i++) {
		if (nodes[i].is_loop || id_of(&nodes[i]) != id || (within.p && !named(c, nodes[i].parent, within)))
			continue;
		uint32_t depth = depth_below(c, i, loop), rank;
		bool begins = nodes[i].parent >= 0 && nodes[i].parent == i - 1;
		if (depth == 0)
			rank = 0;
		else if (begins)
			rank = 100 + depth;
		else
			rank = (scope_writes(c, scope, id_of(&nodes[nodes[i].parent])) ? 200 : 300) + depth;
		if (rank < best_rank) {
			best_rank = rank;
			best = i;
		}
	}
	return best;
}

int32_t map_plan_place(const struct edi_message_def *d, int32_t loop, uint32_t id)
{
	const struct compiler c = {.d = d};
	int32_t first = loop < 0 ? 0 : loop, last = loop < 0 ? d->count - 1 : d->nodes[loop].last, best = MAP_NODE_NONE;
	uint32_t nearest = UINT32_MAX;
	for (int32_t i = first; i <= last; i++) {
		uint32_t depth = d->nodes[i].is_loop || id_of(&d->nodes[i]) != id ? UINT32_MAX : depth_below(&c, i, loop);
		if (depth < nearest) {
			nearest = depth;
			best = i;
		}
	}
	return best;
}

static bool when_fits(const struct edi_node *n, const struct map_row *row)
{
	for (uint32_t i = 0; i < row->condition_count && n->when_element; i++) {
		const struct map_condition *q = &row->conditions[i];
		if (q->kind != MAP_ASK_ELEMENT || q->unequal || !q->values.n || q->element != n->when_element)
			continue;
		for (uint32_t k = 0; k < n->when_count; k++)
			if (slice_eq(n->when[k], q->values.v[0]))
				return true;
		return false;
	}
	return true;
}

/* The loop of the dictionary that a loop row stands for; MAP_NODE_NONE: there is none, it is a segment of its own. */
static int32_t find_loop(const struct compiler *c, const struct map_row *row, int32_t outer)
{
	const struct edi_node *nodes = c->d->nodes;
	uint32_t id = c->sheet->ids[row->segment];
	int32_t first = outer < 0 ? 0 : outer + 1, last = outer < 0 ? c->d->count - 1 : nodes[outer].last, best = MAP_NODE_NONE;
	uint32_t best_depth = UINT32_MAX;
	bool plain = false;
	if (row->segment == c->sheet->level && outer >= 0 && id_of(&nodes[outer]) == id)
		return outer; /* HL below HL: the same loop */
	for (int32_t i = first; i <= last; i++) {
		if (nodes[i].is_loop && id_of(&nodes[i]) == id && when_fits(&nodes[i], row) &&
		    (!row->within.p || named(c, i, row->within) || named(c, nodes[i].parent, row->within))) {
			uint32_t depth = depth_below(c, i, outer);
			if (depth < best_depth) {
				best_depth = depth;
				best = i;
			}
		}
		plain |= !nodes[i].is_loop && nodes[i].parent == outer && id_of(&nodes[i]) == id;
	}
	return plain && best_depth > 0 ? MAP_NODE_NONE : best;
}

/* --- segments ------------------------------------------------------------------------------------------------------------------ */

static uint32_t constants_of(const struct map_row *row, int32_t segment, struct map_constant *to)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct map_condition *q = &row->conditions[i];
		if (q->kind == MAP_ASK_ELEMENT && !q->unequal && q->values.n && q->segment == segment)
			to[n++] = (struct map_constant){q->element, q->component, q->values.v[0]};
	}
	return n;
}

static bool has_constant(const struct map_plan_segment *s, const struct map_constant *k)
{
	for (uint32_t i = 0; i < s->constant_count; i++)
		if (s->constants[i].element == k->element && s->constants[i].component == k->component && slice_eq(s->constants[i].value, k->value))
			return true;
	return false;
}

/* The first segment of a loop has what the loop's row asks, besides what its own rows ask. */
static bool same(const struct map_plan_segment *s, uint32_t id, const struct map_constant *k, uint32_t n, struct slice within, bool outer)
{
	if (s->id != id || !slice_eq(s->within, within) || (s->outer != NULL) != outer)
		return false;
	if (s->begins)
		return true;
	bool all = s->constant_count == n;
	for (uint32_t i = 0; i < n && all; i++)
		all = has_constant(s, &k[i]);
	return all;
}

static int add_segment(struct compiler *c, struct map_plan_scope *p, const struct map_plan_segment *s)
{
	if (p->count == p->room) {
		int32_t room = p->room ? 2 * p->room : 8;
		struct map_plan_segment *v = van_arena_array(c->set->arena, (size_t)room, sizeof *v);
		if (!v)
			return no_memory(c);
		if (p->count)
			memcpy(v, p->segments, (size_t)p->count * sizeof *v);
		p->segments = v;
		p->room = room;
	}
	p->segments[p->count++] = *s;
	return 0;
}

static int add_row(struct compiler *c, struct map_plan_segment *s, int32_t row)
{
	if (s->row_count == s->row_room) {
		int32_t room = s->row_room ? 2 * s->row_room : 8;
		int32_t *v = van_arena_array(c->set->arena, (size_t)room, sizeof *v);
		if (!v)
			return no_memory(c);
		if (s->row_count)
			memcpy(v, s->rows, (size_t)s->row_count * sizeof *v);
		s->rows = v;
		s->row_room = room;
	}
	const struct map_row *r = &c->sheet->rows[row];
	s->rows[s->row_count++] = row;
	s->listed |= r->many && !r->repeats && r->kind == MAP_ELEMENT;
	return 0;
}

/* The segment that the row writes to, new or known, in the plan of its scope (or the head's). */
static int join(struct compiler *c, int32_t scope, int32_t number, const struct map_row *row)
{
	int32_t target = row->outer ? 0 : scope;
	struct map_plan_scope *p = &c->plan->scopes[target];
	struct map_constant constants[MAP_MAX_CONDITIONS];
	uint32_t n = constants_of(row, row->segment, constants), id = c->sheet->ids[row->segment];
	bool outer = row->outer && scope != 0;
	for (int32_t i = 0; i < p->count; i++)
		if (same(&p->segments[i], id, constants, n, row->within, outer)) {
			c->plan->segment_of[number] = i;
			return add_row(c, &p->segments[i], number);
		}
	int32_t loop = p->node;
	for (int32_t up = target; loop == MAP_NODE_NONE; loop = c->plan->scopes[up].node)
		up = c->sheet->scopes[up].parent;
	struct map_plan_segment s = {.id = id, .within = row->within, .constant_count = n, .outer = outer ? row : NULL};
	memcpy(s.constants, constants, sizeof constants);
	s.node = find_segment(c, target, loop, id, row->within);
	if (s.node == MAP_NODE_NONE)
		return in_other_version(c, id) ? 0 : fail(c, row, "has no place");
	s.name = c->d->nodes[s.node].id;
	s.definition = c->d->nodes[s.node].segment;
	c->plan->segment_of[number] = p->count;
	int rc = add_segment(c, p, &s);
	return rc == 0 ? add_row(c, &p->segments[p->count - 1], number) : rc;
}

/* The first segment of a loop, with what the loop's row asks. */
static int begin_loop(struct compiler *c, int32_t scope)
{
	const struct map_scope *s = &c->sheet->scopes[scope];
	struct map_plan_scope *p = &c->plan->scopes[scope];
	if (s->row < 0)
		return 0;
	const struct map_row *row = &c->sheet->rows[s->row];
	int32_t outer = c->plan->scopes[s->parent].node, up = s->parent;
	while (outer == MAP_NODE_NONE) {
		up = c->sheet->scopes[up].parent;
		outer = c->plan->scopes[up].node;
	}
	p->node = find_loop(c, row, outer);
	struct map_plan_segment first = {.id = c->sheet->ids[row->segment], .begins = true};
	first.node = p->node >= 0 ? p->node + 1 : find_segment(c, s->parent, outer, first.id, row->within);
	p->absent = p->node < 0 && begins_in_other_version(c, first.id) && (first.node == MAP_NODE_NONE || c->d->nodes[first.node].parent != outer);
	if (first.node == MAP_NODE_NONE)
		return row->way & MAP_WAY_OUT && !in_other_version(c, first.id) ? fail(c, row, "begins no loop") : 0;
	first.constant_count = constants_of(row, row->segment, first.constants);
	first.name = c->d->nodes[first.node].id;
	first.definition = c->d->nodes[first.node].segment;
	first.within = SLICE_NONE;
	first.numbered = row->segment == c->sheet->level;
	return add_segment(c, p, &first);
}

/* In the order of places; numbers in segment_of follow. */
static int sort_segments(struct compiler *c, int32_t scope)
{
	struct map_plan_scope *p = &c->plan->scopes[scope];
	int32_t *moved = van_arena_array(c->set->arena, (size_t)p->count + 1, sizeof *moved);
	struct map_plan_segment *v = van_arena_array(c->set->arena, (size_t)p->count + 1, sizeof *v);
	int32_t n = 0;
	if (!moved || !v)
		return no_memory(c);
	for (int32_t i = 0; i < p->count; i++) {
		int32_t at = n++;
		for (; at && v[at - 1].node > p->segments[i].node; at--)
			v[at] = v[at - 1];
		v[at] = p->segments[i];
	}
	p->segments = v;
	p->room = p->count + 1;
	for (int32_t i = 0; i < n; i++)
		for (int32_t k = 0; k < v[i].row_count; k++)
			c->plan->segment_of[v[i].rows[k]] = i;
	return 0;
}

static int link_rows(struct compiler *c, int32_t scope)
{
	const struct map_scope *s = &c->sheet->scopes[scope];
	int rc = 0;
	for (int32_t i = 0; i < s->row_count && rc == 0; i++) {
		const struct map_row *row = &c->sheet->rows[s->rows[i]];
		if (!(row->way & MAP_WAY_OUT) || (row->kind != MAP_ELEMENT && row->kind != MAP_PAIRS))
			continue;
		rc = join(c, scope, s->rows[i], row);
		for (int32_t k = i; row->slot >= 0 && k-- && c->plan->earlier[s->rows[i]] < 0;) {
			const struct map_row *other = &c->sheet->rows[s->rows[k]];
			if (other->slot == row->slot && other->way & MAP_WAY_OUT && (other->kind == MAP_ELEMENT || other->kind == MAP_PAIRS))
				c->plan->earlier[s->rows[i]] = s->rows[k];
		}
	}
	return rc;
}

/* Which segments of the head rows of this scope write to. */
static int list_outer(struct compiler *c, int32_t scope)
{
	const struct map_scope *s = &c->sheet->scopes[scope];
	struct map_plan_scope *p = &c->plan->scopes[scope];
	p->outer = van_arena_array(c->set->arena, (size_t)s->row_count + 1, sizeof *p->outer);
	if (!p->outer)
		return no_memory(c);
	for (int32_t i = 0; i < s->row_count && scope; i++) {
		int32_t segment = c->plan->segment_of[s->rows[i]];
		bool known = segment < 0 || !c->sheet->rows[s->rows[i]].outer;
		for (int32_t k = 0; k < p->outer_count && !known; k++)
			known = p->outer[k] == segment;
		if (!known)
			p->outer[p->outer_count++] = segment;
	}
	return 0;
}

uint32_t map_plan_component(const struct edi_segment_def *d, uint32_t element, uint32_t component)
{
	bool composite = d && element && element <= d->count && d->fields[element - 1].composite;
	return composite && !component ? 1 : !composite && component == 1 ? 0 : component;
}

static void describe_row(struct compiler *c, int32_t number, const struct map_plan_segment *s)
{
	const struct map_row *row = &c->sheet->rows[number];
	struct map_plan_row *to = &c->plan->rows[number];
	to->component = map_plan_component(s->definition, row->element, row->component);
	to->element = map_plan_element(s->definition, row->element, to->component);
	to->free = c->plan->earlier[number] < 0;
	for (uint32_t i = 0; i < row->condition_count; i++)
		to->free &= row->conditions[i].kind == MAP_ASK_ELEMENT;
	to->decided = true;
	for (int32_t i = number; i >= 0; i = c->plan->earlier[i]) /* as map_out_may_write() */
		for (uint32_t k = 0; k < c->sheet->rows[i].condition_count; k++) {
			const struct map_condition *q = &c->sheet->rows[i].conditions[k];
			to->decided &= q->kind == MAP_ASK_ELEMENT || (q->kind == MAP_ASK_PLACE && !q->values.n);
			to->asks |= i == number && q->kind == MAP_ASK_PLACE && q->values.n;
		}
	to->plain = !row->table;
	for (uint32_t i = 0; i < row->transform_count; i++) /* what shortens leaves alone what fits */
		to->plain &= row->transforms[i].kind == MAP_COMPACT || (row->transforms[i].kind == MAP_CUT && !row->transforms[i].argument);
	to->direct = to->plain && to->free && row->to == MAP_TO_PLACE && row->kind == MAP_ELEMENT && !row->many && row->slot >= 0;
	to->scope = row->scope;
	to->slot = row->slot;
	to->insists = row->required || row->fallback.p;
}

/* Which segments there is something for when a place is there. */
static void want(struct compiler *c, int32_t scope, int32_t bit, const struct map_plan_segment *s)
{
	struct map_plan_scope *p = &c->plan->scopes[scope];
	uint64_t one = (uint64_t)1 << (bit & 63);
	for (int32_t i = 0; i < s->row_count; i++) {
		const struct map_row *row = &c->sheet->rows[s->rows[i]];
		if (row->slot >= 0 && row->scope == scope)
			p->wanted[(uint32_t)row->slot * p->words + (uint32_t)bit / 64] |= one;
		if (row->required || row->to == MAP_TO_EXPRESSION)
			p->always[bit / 64] |= one;
	}
}

static int make_sets(struct compiler *c, int32_t scope)
{
	struct map_plan_scope *p = &c->plan->scopes[scope];
	const struct map_plan_scope *head = &c->plan->scopes[0];
	p->words = (uint32_t)(p->count + p->outer_count + 63) / 64;
	p->wanted = van_arena_array(c->set->arena, ((size_t)c->sheet->scopes[scope].slot_count + 1) * p->words, sizeof *p->wanted);
	p->always = van_arena_array(c->set->arena, p->words + 1, sizeof *p->always);
	if (!p->wanted || !p->always)
		return no_memory(c);
	for (int32_t i = 0; i < p->count; i++) {
		if (!p->segments[i].outer)
			want(c, scope, i, &p->segments[i]);
		p->segments[i].alone = (!i || p->segments[i - 1].node != p->segments[i].node) &&
		                       (i + 1 == p->count || p->segments[i + 1].node != p->segments[i].node);
		for (uint32_t k = 0; k < p->segments[i].constant_count; k++) { /* all are known now: as they are written */
			struct map_constant *own = &p->segments[i].constants[k];
			own->component = map_plan_component(p->segments[i].definition, own->element, own->component);
		}
		for (int32_t k = 0; k < p->segments[i].row_count; k++)
			describe_row(c, p->segments[i].rows[k], &p->segments[i]);
	}
	for (int32_t i = 0; i < p->outer_count; i++)
		want(c, scope, p->count + i, &head->segments[p->outer[i]]);
	return 0;
}

static int list_takers(struct compiler *c, int32_t scope)
{
	const struct map_scope *s = &c->sheet->scopes[scope];
	struct map_plan_scope *p = &c->plan->scopes[scope];
	size_t slots = (size_t)s->slot_count + 1;
	p->takers = van_arena_array(c->set->arena, slots, sizeof *p->takers);
	p->next_taker = van_arena_array(c->set->arena, (size_t)s->loop_count + 1, sizeof *p->next_taker);
	if (!p->takers || !p->next_taker)
		return no_memory(c);
	memset(p->takers, 0xff, slots * sizeof *p->takers);
	for (int32_t i = s->loop_count; i--;) {
		int32_t slot = c->sheet->rows[s->loops[i]].slot;
		p->next_taker[i] = slot < 0 ? -1 : p->takers[slot];
		if (slot >= 0)
			p->takers[slot] = i;
	}
	return 0;
}

/* What is needed to find places, and to remember moulds. */
static int list_slots(struct compiler *c, int32_t scope)
{
	const struct map_scope *s = &c->sheet->scopes[scope];
	struct map_plan_scope *p = &c->plan->scopes[scope];
	struct map_plan_slot *v = van_arena_array(c->set->arena, (size_t)s->slot_count + 1, sizeof *v);
	p->moulds = van_arena_alloc(c->set->arena, sizeof *p->moulds);
	p->work = van_arena_alloc(c->set->arena, sizeof *p->work);
	if (!v || !p->moulds || !p->work)
		return no_memory(c);
	*v = (struct map_plan_slot){.name_n = SIZE_MAX, .slot = -1, .item = -1, .first = v, .behind = v};
	p->slots = v + 1;
	for (int32_t i = 0; i < s->slot_count; i++) {
		const struct map_slot *of = &s->slots[i];
		p->slots[i] = (struct map_plan_slot){.name = of->name.p, .name_n = of->name.n, .slot = i, .item = -1, .first = v, .behind = v,
			.object = of->object};
		for (int32_t k = of->array ? of->first : -1; k >= 0 && p->slots[i].item < 0; k = s->slots[k].next)
			p->slots[i].item = s->slots[k].item ? k : -1;
	}
	for (int32_t i = 0; i < s->row_count; i++) {
		const struct map_row *row = &c->sheet->rows[s->rows[i]];
		if (row->slot >= 0 && row->many && row->way & MAP_WAY_OUT && row->kind != MAP_LOOP)
			p->slots[row->slot].listed = true;
		if (row->slot >= 0 && row->kind == MAP_LOOP)
			p->slots[row->slot].loops = true;
		p->here |= row->slot < 0 && row->kind == MAP_LOOP;
	}
	for (int32_t i = 0; i < s->slot_count; i++)
		p->slots[i].plain = !p->slots[i].loops && p->slots[i].item < 0;
	return 0;
}

/* Whether another row of the scope writes the place that this one only reads: then the value is told when it is written. */
static bool goes_out_elsewhere(const struct compiler *c, const struct map_scope *s, const struct map_row *row)
{
	for (int32_t i = 0; i < s->row_count && (row->kind == MAP_ELEMENT || row->kind == MAP_PAIRS); i++) {
		const struct map_row *other = &c->sheet->rows[s->rows[i]];
		if (other->slot == row->slot && other->way & MAP_WAY_OUT && other->kind != MAP_LOOP)
			return true;
	}
	return false;
}

/* The place that writes what a row only reads, such as the head's currency for that of an amount: the message says the same there, or it does
 * not say it. -1: none does. */
static int32_t written_by(const struct compiler *c, int32_t scope, const struct map_row *row)
{
	const struct map_scope *s = &c->sheet->scopes[row->outer ? 0 : scope];
	for (int32_t i = 0; i < s->row_count && row->kind == MAP_ELEMENT && !(row->way & MAP_WAY_OUT) && !row->many; i++) {
		const struct map_row *other = &c->sheet->rows[s->rows[i]];
		if (other->kind == MAP_ELEMENT && other->way & MAP_WAY_OUT && other->to == MAP_TO_PLACE && other->slot >= 0 && !other->many &&
		    other->segment == row->segment && other->element == row->element && other->component == row->component)
			return other->slot;
	}
	return -1;
}

/* A text, what the envelope has, a row that only goes in. */
static int list_others(struct compiler *c, int32_t scope)
{
	const struct map_scope *s = &c->sheet->scopes[scope];
	struct map_plan_scope *p = &c->plan->scopes[scope];
	p->others = van_arena_array(c->set->arena, (size_t)s->row_count + 1, sizeof *p->others);
	p->told_by = van_arena_array(c->set->arena, (size_t)s->row_count + 1, sizeof *p->told_by);
	if (!p->others || !p->told_by)
		return no_memory(c);
	for (int32_t i = 0; i < s->row_count; i++) {
		const struct map_row *row = &c->sheet->rows[s->rows[i]];
		bool other = (!(row->way & MAP_WAY_OUT) && !goes_out_elsewhere(c, s, row)) || row->kind == MAP_ENVELOPE || row->kind == MAP_NOTHING || row->kind == MAP_LITERAL;
		if (row->slot < 0 || row->kind == MAP_LOOP || !other)
			continue;
		p->told_by[p->other_count] = written_by(c, scope, row);
		p->others[p->other_count++] = s->rows[i];
	}
	return 0;
}

static int compile(struct compiler *c)
{
	struct van_arena *a = c->set->arena;
	struct map_plan *plan = c->plan = van_arena_alloc(a, sizeof *plan);
	if (!plan)
		return no_memory(c);
	plan->definition = c->d;
	plan->scopes = van_arena_array(a, (size_t)c->sheet->scope_count, sizeof *plan->scopes);
	plan->earlier = van_arena_array(a, (size_t)c->sheet->count + 1, sizeof *plan->earlier);
	plan->segment_of = van_arena_array(a, (size_t)c->sheet->count + 1, sizeof *plan->segment_of);
	plan->rows = van_arena_array(a, (size_t)c->sheet->count + 1, sizeof *plan->rows);
	if (!plan->rows || !plan->scopes || !plan->earlier || !plan->segment_of)
		return no_memory(c);
	memset(plan->earlier, 0xff, (size_t)c->sheet->count * sizeof *plan->earlier);
	memset(plan->segment_of, 0xff, (size_t)c->sheet->count * sizeof *plan->segment_of);
	plan->scopes[0].node = -1;
	int rc = 0;
	for (int32_t i = 0; i < c->sheet->scope_count && rc == 0; i++)
		rc = begin_loop(c, i);
	for (int32_t i = 0; i < c->sheet->scope_count && rc == 0; i++)
		rc = link_rows(c, i);
	for (int32_t i = 0; i < c->sheet->scope_count && rc == 0; i++)
		rc = sort_segments(c, i);
	for (int32_t i = 0; i < c->sheet->scope_count && rc == 0; i++)
		rc = list_outer(c, i);
	for (int32_t i = 0; i < c->sheet->scope_count && rc == 0; i++)
		rc = list_others(c, i);
	for (int32_t i = 0; i < c->sheet->scope_count && rc == 0; i++)
		rc = list_takers(c, i);
	for (int32_t i = 0; i < c->sheet->scope_count && rc == 0; i++)
		rc = list_slots(c, i);
	for (int32_t i = 0; i < c->sheet->scope_count && rc == 0; i++)
		rc = make_sets(c, i);
	return rc;
}

int map_plan_get(const struct map *out, const struct map_plan **ret, struct van_error *e)
{
	const struct edi_message_def *d;
	struct map *own = (struct map *)(uintptr_t)out; /* what is compiled is kept */
	if (out->plan) {
		*ret = out->plan;
		return 0;
	}
	int rc = map_run_definition(out, &d, e);
	if (rc < 0)
		return rc;
	if (!d)
		return van_error_set(e, VAN_ENOTFOUND, "map %s: there is no dictionary for %.*s %.*s, which says where its segments stand; add one "
			"(vanctl edi dict list shows those there are)", out->name, SLICE_ARG(out->type), SLICE_ARG(out->version));
	struct compiler c = {.set = out->sheet->set, .map = out, .sheet = out->sheet, .d = d, .e = e};
	rc = compile(&c);
	if (rc == 0)
		*ret = own->plan = c.plan;
	return rc;
}
