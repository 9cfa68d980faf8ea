/* Messages to documents: loops become objects, rows set values, what no row took is listed. */
#include "map/shape.h"
#include "map/transform.h"

#include "edi/code_extension.h"
#include "edi/lexer.h"

#include <stdio.h>
#include <stdlib.h>

/* --- loops ------------------------------------------------------------------------------------------------------------------------ */

static int add_range(struct map_run_state *r, struct map_range range)
{
	if (r->range_count == r->range_room) {
		int32_t room = r->range_room ? 2 * r->range_room : 64;
		struct map_range *v = realloc(r->ranges, (size_t)room * sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		r->ranges = v;
		r->range_room = room;
	}
	r->ranges[r->range_count++] = range;
	return 0;
}

/* An object that is no list is filled once. */
static bool is_filled(const struct in_scope *s, const struct map_row *row)
{
	if (row->slot < 0)
		return s->here_filled;
	return !row->many && s->places[row->slot] && s->places[row->slot]->closed;
}

/* The first loop row of this scope that takes the instance; NULL: none. */
static int row_for(struct map_run_state *r, struct in_scope *outer, struct in_scope *inner, const struct map_row **ret)
{
	const struct map_rows *sheet = r->map->sheet;
	const struct map_segment *trigger = &r->message.segments[inner->first];
	*ret = NULL;
	for (int32_t i = outer->scope->trigger[trigger->number]; i >= 0; i = sheet->rows[i].loop_next) {
		const struct map_row *row = &sheet->rows[i];
		if (!map_is_places_row(row) || (row->within.p ? !map_in_is_within(r, row, trigger) : trigger->given) || is_filled(outer, row))
			continue;
		inner->object = outer->object;
		int rc = row->condition_count ? map_in_all_hold(r, inner, row, trigger) : 1;
		if (rc < 0)
			return rc;
		if (rc == 1) {
			*ret = row;
			return 0;
		}
	}
	return 0;
}

static bool listed(const struct map_row *row, const struct map_segment *g)
{
	for (uint32_t i = 0; i < row->member_count; i++)
		if (g->number == row->members[i])
			return true;
	return false;
}

/* Where the loop ends that begins at segment i: as the dictionary says, or the row's list. 0: one segment, no loop. */
static uint32_t loop_end(const struct map_run_state *r, const struct in_scope *s, const struct map_row *row, uint32_t i)
{
	const struct map_segment *all = r->message.segments;
	if (all[i].end)
		return all[i].end < s->end ? all[i].end : s->end;
	if (!row->member_count || all[i].node >= 0)
		return 0;
	uint32_t end = i + 1;
	while (end < s->end && all[end].owner == s->owner && all[end].number != row->segment && listed(row, &all[end]) != row->until)
		end++;
	return end;
}

/* The first segment of a loop that no row takes is seen by the rows around it; what else is in the loop, by those that name it. */
static int give_back(struct map_run_state *r, struct in_scope *s, int32_t owner)
{
	struct in_scope inner = {.owner = owner, .level = -1, .first = r->ranges[owner].first, .end = r->ranges[owner].end};
	const struct map_row *taker;
	int rc = row_for(r, s, &inner, &taker);
	for (uint32_t i = inner.first; i < inner.end && rc == 0 && !taker; i++) {
		r->message.segments[i].owner = s->owner;
		r->message.segments[i].given = i > inner.first;
	}
	return rc;
}

/* Sets apart the loops that begin in this scope. */
static int mark_loops(struct map_run_state *r, struct in_scope *s)
{
	const struct map_rows *sheet = r->map->sheet;
	struct map_segment *all = r->message.segments;
	uint32_t *ordinals = tree_room_alloc(&r->room, ((size_t)sheet->id_count + 1) * sizeof *ordinals);
	int rc = ordinals ? map_run_step(r, s->end - s->first) : VAN_ENOMEM;
	for (uint32_t i = s->first + (s->owner ? 1 : 0); i < s->end && rc == 0; i++) {
		if (all[i].owner != s->owner || all[i].number < 0 || s->scope->trigger[all[i].number] < 0)
			continue;
		const struct map_row *row = &sheet->rows[s->scope->trigger[all[i].number]], *taker = NULL;
		if (row->segment == sheet->level && s->level >= 0)
			continue;
		uint32_t end = loop_end(r, s, row, i);
		if (!end) { /* set apart only when a row wants it, so that other rows may read it */
			struct in_scope one = {.owner = s->owner, .first = i, .end = i + 1, .level = -1};
			rc = row_for(r, s, &one, &taker);
			if (rc < 0 || !taker)
				continue;
			end = i + 1;
		} else if (row->within.p) { /* all loops of another place stay where they are */
			bool wanted = false;
			for (int32_t k = 0; k < s->scope->row_count && !wanted; k++) {
				const struct map_row *other = &sheet->rows[s->scope->rows[k]];
				wanted = other->kind == MAP_LOOP && other->segment == row->segment && map_in_is_within(r, other, &all[i]);
			}
			if (!wanted)
				continue;
		}
		int32_t owner = r->range_count;
		rc = add_range(r, (struct map_range){i, end, s->owner, ++ordinals[all[i].number], false, SLICE_NONE});
		for (uint32_t k = i; k < end && rc == 0; k++)
			all[k].owner = owner;
		if (rc == 0 && row->segment != sheet->level)
			rc = give_back(r, s, owner);
		i = end - 1;
	}
	return rc;
}

static int run_scope(struct map_run_state *r, struct in_scope *s);

/* Numbers of a hierarchy: the way out makes them anew. */
static void take_numbers(struct map_run_state *r, struct map_segment *g)
{
	static const uint32_t numbers[] = {1, 2, 4};
	uint32_t n = slice_is(map_raw(&r->message, g, 0), "HL") ? 3 : 2;
	for (uint32_t i = 0; i < n && numbers[i] < g->count; i++)
		map_take(&r->message, g, numbers[i], 0);
}

/* No place of the object is there yet. */
static int list_places(struct map_run_state *r, struct in_scope *s)
{
	struct tree **places = tree_room_alloc(&r->room, ((size_t)s->scope->slot_count + 2) * sizeof *places);
	if (!places)
		return VAN_ENOMEM;
	*places = s->object;
	s->places = places + 1;
	return 0;
}

/* Gives the loop to the first row whose conditions hold; to none, and it stays unmapped. *took: it was taken. `around`: where its rows look for
 * what stands around it (^); that is `outer`, or a level below that which was passed over. */
static int run_instance(struct map_run_state *r, struct in_scope *outer, struct in_scope *around, int32_t owner, int32_t level, bool *took)
{
	const struct map_range range = r->ranges[owner];
	struct in_scope inner = {.owner = owner, .level = level, .first = range.first, .end = range.end, .message = outer->message, .up = around};
	const struct map_row *row;
	int rc = row_for(r, outer, &inner, &row);
	*took = false;
	if (rc < 0 || !row)
		return rc;
	struct tree *at = row->slot < 0 ? outer->object : map_in_place(r, outer, row->slot, row->many ? TREE_ARRAY : TREE_OBJECT);
	if (at && row->many) {
		at = tree_append(&r->room, at, TREE_OBJECT);
	} else if (at) {
		outer->here_filled |= row->slot < 0;
		at->closed |= row->slot >= 0;
		at->shared = true;
	}
	if (!at)
		return r->room.error ? r->room.error : VAN_EINVAL;
	at->origin = row->slot < 0 ? at->origin : range.first + 1;
	if (level >= 0)
		take_numbers(r, &r->message.segments[range.first]);
	r->ranges[owner].taken = *took = true;
	inner.number = row->loop_scope;
	inner.scope = &r->map->sheet->scopes[row->loop_scope];
	inner.object = at;
	inner.alone = !at->first && !inner.scope->shares;
	if (r->options.explain) {
		size_t count = 0;
		for (const struct tree *t = row->many ? outer->places[row->slot]->first : NULL; t; t = t->next)
			count++;
		struct slice path = row->slot < 0 ? outer->path : map_run_place(r, outer->scope, row->slot, outer->path);
		inner.path = row->many ? van_arena_printf(r->arena, "%.*s[%zu]", SLICE_ARG(path), count) : path;
	}
	if (list_places(r, &inner) < 0)
		return VAN_ENOMEM;
	rc = map_in_take_conditions(r, &inner, row, &r->message.segments[range.first]);
	if (rc == 0)
		rc = run_scope(r, &inner);
	return rc;
}

/* --- HL levels -------------------------------------------------------------------------------------------------------------------- */

static int add_level(struct map_run_state *r, int32_t owner)
{
	if (r->level_count == r->level_room) {
		int32_t room = r->level_room ? 2 * r->level_room : 64;
		struct map_level *v = realloc(r->levels, (size_t)room * sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		r->levels = v;
		r->level_room = room;
	}
	r->levels[r->level_count++] = (struct map_level){owner, -1, -1, -1, -1};
	return 0;
}

static struct slice level_element(struct map_run_state *r, int32_t level, uint32_t element)
{
	return map_value(&r->message, &r->message.segments[r->ranges[r->levels[level].owner].first], element, 0);
}

/* HL02 names the nearest HL01 before it. Numbered 1, 2, 3 … as nearly always, it is found at once. */
static int32_t parent_of(struct map_run_state *r, int32_t level)
{
	unsigned long long n;
	struct slice parent = level_element(r, level, 2);
	if (!parent.p)
		return -1;
	if (slice_u64(parent, &n) && n && n <= (unsigned long long)level && slice_eq(level_element(r, (int32_t)n - 1, 1), parent))
		return (int32_t)n - 1;
	for (int32_t i = level; i--;)
		if (r->steps-- && slice_eq(level_element(r, i, 1), parent))
			return i;
	return -1;
}

/* Makes the tree of the levels among the ranges from `first` on. */
static int find_levels(struct map_run_state *r, int32_t first)
{
	int rc = 0;
	for (int32_t i = first; i < r->range_count && rc == 0; i++)
		if (r->message.segments[r->ranges[i].first].number == r->map->sheet->level)
			rc = add_level(r, i);
	for (int32_t i = 0; i < r->level_count && rc == 0; i++) {
		int32_t parent = parent_of(r, i);
		r->levels[i].parent = parent;
		if (parent < 0)
			continue;
		struct map_level *p = &r->levels[parent];
		if (p->last_child < 0)
			p->child = i;
		else
			r->levels[p->last_child].next = i;
		p->last_child = i;
		rc = map_run_step(r, 1);
	}
	return rc;
}

static int list_own(struct map_run_state *r, struct in_scope *s);
static int run_levels_below(struct map_run_state *r, struct in_scope *s, struct in_scope *around, int32_t level, uint32_t depth);

/* What rows below it have seen there goes back to its place with the rest of the level. */
static void untake(struct map_run_state *r, const struct in_scope *s)
{
	for (uint32_t i = 0; i < s->own_count; i++) {
		struct map_segment *g = &r->message.segments[s->own[i]];
		g->taken = 0;
		if (!g->masked)
			memset(r->message.taken + g->first, 0, g->count * sizeof *r->message.taken);
	}
}

/* A level that no row takes is passed over: those below it count as its parent's, and see its segments around them (^). */
static int run_level(struct map_run_state *r, struct in_scope *s, struct in_scope *around, int32_t level, uint32_t depth)
{
	const struct map_range range = r->ranges[r->levels[level].owner];
	struct in_scope passed = {.scope = s->scope, .owner = r->levels[level].owner, .level = level, .first = range.first, .end = range.end,
		.message = s->message, .up = around};
	bool took;
	int rc = run_instance(r, s, around, passed.owner, level, &took);
	if (rc < 0 || took || r->levels[level].child < 0)
		return rc;
	rc = list_own(r, &passed);
	if (rc == 0)
		rc = run_levels_below(r, s, &passed, level, depth + 1);
	untake(r, &passed);
	return rc;
}

static int run_levels_below(struct map_run_state *r, struct in_scope *s, struct in_scope *around, int32_t level, uint32_t depth)
{
	int rc = depth > MAP_MAX_LOOPS * 2 ? van_error_set(r->e, VAN_ELIMIT, "map %s: HL levels stand deeper in one another than maps go",
		r->map->name) : 0;
	for (int32_t i = r->levels[level].child; i >= 0 && rc == 0; i = r->levels[i].next)
		rc = run_level(r, s, around, i, depth);
	return rc;
}

/* --- scopes ----------------------------------------------------------------------------------------------------------------------- */

static int run_loops(struct map_run_state *r, struct in_scope *s, int32_t first, int32_t end)
{
	int rc = 0;
	bool took;
	for (int32_t i = first; i < end && rc == 0; i++)
		if (r->message.segments[r->ranges[i].first].number != r->map->sheet->level)
			rc = run_instance(r, s, s, i, -1, &took);
	if (rc < 0 || !s->scope->levels)
		return rc;
	if (s->level >= 0)
		return run_levels_below(r, s, s, s->level, 0);
	for (int32_t i = 0; i < r->level_count && rc == 0; i++)
		if (r->levels[i].parent < 0)
			rc = run_level(r, s, s, i, 0);
	return rc;
}

static int list_own(struct map_run_state *r, struct in_scope *s)
{
	s->own = tree_room_take(&r->room, (size_t)(s->end - s->first + 1) * sizeof *s->own);
	if (!s->own)
		return VAN_ENOMEM;
	for (uint32_t i = s->first; i < s->end; i++) {
		struct map_segment *g = &r->message.segments[i];
		if (g->owner != s->owner || g->number < 0)
			continue;
		g->nth = s->own_count;
		s->own[s->own_count++] = i;
	}
	return 0;
}

static inline struct slice value_of(struct map_run_state *r, struct map_segment *g, const struct map_step *step)
{
	struct map_message *m = &r->message;
	if (!step->whole)
		return g ? map_value(m, g, step->element, step->component) : step->row->literal;
	const uint32_t *at = &m->starts[g->first + step->element];
	struct slice v = slice_make(m->bytes + at[0], at[1] - 1 - at[0]);
	return m->blanks ? map_without_blanks(v) : v;
}

/* The element's value as the row makes it. False: it does not, or has something to say of it. */
static inline bool make_value(struct map_run_state *r, const struct map_step *step, struct slice *v)
{
	const char *what;
	if (step->makes == MAP_STEP_BARE || (step->makes == MAP_STEP_DECIMAL && map_is_canonical(*v)))
		return true;
	if (step->makes == MAP_STEP_TABLE && map_table_in(step->row->table, *v, v))
		return v->p != NULL;
	return map_transform_in(r, step->row, SLICE_NONE, v, &what) == 0 && v->p;
}

/* Makes places from step *at on, as long as nothing but the step decides on them; where it stops, the rest is left to the row. They stand one
 * behind the other in memory. */
static void make_places(struct map_run_state *r, struct in_scope *s, const struct map_shape *shape, uint32_t *at, struct tree **nodes)
{
	struct tree *t = *nodes;
	uint32_t i = *at;
	if (r->room.left < shape->alone) /* the row tells when there are too many */
		return;
	for (; i < shape->count && shape->steps[i].alone; i++) {
		const struct map_step *step = &shape->steps[i];
		struct tree *parent = s->places[step->parent];
		if (!parent || (parent->shared && !s->alone))
			break;
		if (step->does == MAP_STEP_TAKE) {
			struct map_segment *g = step->segment < 0 ? NULL : &r->message.segments[s->own[step->segment]];
			struct slice v = value_of(r, g, step);
			if (!make_value(r, step, &v))
				break;
			*t = (struct tree){.tail = &t->first, .kind = step->kind, .hash = step->hash, .origin = g ? s->own[step->segment] + 1 : 0,
				.name = step->name, .text = v};
		} else if (s->places[step->slot]) {
			continue;
		} else if (step->item && parent->first) {
			break;
		} else {
			*t = (struct tree){.tail = &t->first, .kind = step->kind, .shared = parent->shared, .hash = step->hash, .name = step->name};
		}
		*parent->tail = t;
		parent->tail = &t->next;
		s->places[step->slot] = t++;
	}
	r->room.left -= (size_t)(t - *nodes);
	*nodes = t;
	*at = i;
}

/* Memory for all that make_places() may make; NULL: there is none, or each value is to be told, and rows do it. */
static struct tree *room_for_places(struct map_run_state *r, const struct map_shape *shape)
{
	return r->options.explain || r->room.error ? NULL : tree_room_take(&r->room, shape->alone * sizeof(struct tree));
}

static int take_element(struct map_run_state *r, struct in_scope *s, const struct map_step *step)
{
	struct map_segment *g = step->segment < 0 ? NULL : &r->message.segments[s->own[step->segment]];
	struct slice v = value_of(r, g, step);
	bool set;
	int rc = map_in_take_value(r, s, step->row, g, step->element, step->component, v, &set); /* tells what is wrong with it, too */
	return rc == 0 && step->asks ? map_in_take_conditions(r, s, step->row, g) : rc;
}

static void take_constant(struct map_run_state *r, struct in_scope *s, const struct map_step *step)
{
	struct map_segment *g = &r->message.segments[s->own[step->segment]];
	if (slice_eq(map_value(&r->message, g, step->element, step->component), step->row->text))
		map_take(&r->message, g, step->element, step->component);
}

/* The row looks for itself, also in the loops around. */
static int run_row(struct map_run_state *r, struct in_scope *s, const struct map_step *step)
{
	const struct map_row *row = step->row;
	int rc = map_in_list(r, s);
	for (struct in_scope *at = row->outer ? s->up : NULL; at && rc == 0; at = at->up)
		rc = map_in_list(r, at);
	if (rc == 0 && step->does == MAP_STEP_COUNT)
		map_in_take_constant(r, s, row);
	return rc == 0 && step->does == MAP_STEP_ROW ? map_in_run_row(r, s, row) : rc;
}

/* What the steps are known to take. */
static void take_all(struct map_run_state *r, const struct in_scope *s, const struct map_shape *shape)
{
	const uint16_t *parts = shape->taken_parts;
	for (uint32_t i = 0; i < s->own_count; i++) {
		struct map_segment *g = &r->message.segments[s->own[i]];
		g->taken |= shape->taken[i];
		for (uint32_t k = 0; parts && !g->masked && k < g->count; k++)
			r->message.taken[g->first + k] |= *parts++;
	}
}

/* What is to be done in a scope of this shape: as it is known, or found out (in *room) and remembered. NULL: no memory. */
static const struct map_shape *find_steps(struct map_run_state *r, struct in_scope *s, struct map_shape *room)
{
	*room = (struct map_shape){.scope = s->scope, .map = r->map, .own = s->own_count, .key = r->key};
	room->words = r->options.row_by_row ? 0 : map_shape_key(r, s, &room->hash);
	const struct map_shape *known = room->words ? map_shape_find(r->map->sheet->set, room) : NULL;
	if (!known) {
		if (map_in_plan(r, s, room) < 0)
			return NULL;
		if (room->words)
			map_shape_keep(r->map->sheet->set, room);
		known = room;
	}
	take_all(r, s, known);
	return known;
}

static int run_scope(struct map_run_state *r, struct in_scope *s)
{
	int32_t first = r->range_count;
	int rc = s->scope->has_loops ? mark_loops(r, s) : 0;
	int32_t end = r->range_count;
	struct map_shape room;
	const struct map_shape *shape = NULL;
	if (rc == 0 && s->scope->levels && s->level < 0)
		rc = find_levels(r, first);
	if (rc == 0)
		rc = list_own(r, s);
	if (rc == 0)
		rc = map_run_step(r, (uint64_t)s->scope->row_count);
	if (rc == 0 && !(shape = find_steps(r, s, &room)))
		rc = VAN_ENOMEM;
	struct tree *nodes = rc == 0 ? room_for_places(r, shape) : NULL;
	for (uint32_t i = 0; rc == 0 && i < shape->count; i++) {
		if (nodes)
			make_places(r, s, shape, &i, &nodes);
		if (i == shape->count)
			break;
		const struct map_step *step = &shape->steps[i];
		switch (step->does) {
		case MAP_STEP_TAKE: rc = take_element(r, s, step); break;
		case MAP_STEP_OPEN: rc = r->room.error; break; /* the value makes it */
		case MAP_STEP_ROW: case MAP_STEP_COUNT: rc = run_row(r, s, step); break;
		case MAP_STEP_CONSTANT: take_constant(r, s, step); break;
		case MAP_STEP_LOOPS: rc = run_loops(r, s, first, end); break;
		}
	}
	return rc;
}

/* --- of several sheets for a message ------------------------------------------------------------------------------------------- */

static bool is_for(struct map_run_state *r, const struct map *m)
{
	const struct map_rows *sheet = m->sheet;
	for (uint32_t i = 0; i < sheet->when.condition_count; i++) {
		const struct map_condition *c = &sheet->when.conditions[i];
		uint32_t at = 0;
		while (at < r->message.count && r->message.segments[at].id != sheet->ids[c->segment])
			at++;
		if (at == r->message.count ? !c->unequal : !map_in_holds_on(r, c, &r->message.segments[at]))
			return false;
	}
	return true;
}

/* The map itself, or the one of another sheet for such messages; NULL: there is none. */
static const struct map *choose(struct map_run_state *r, const struct map *in)
{
	if (is_for(r, in))
		return in;
	for (const struct map *m = in->sheet->set->maps; m; m = m->next)
		if (m->way == in->way && m->sheet->usual == in->sheet->usual && strcmp(m->standard, in->standard) == 0 && slice_eq(m->type, in->type) &&
		    slice_eq(m->version, in->version) && is_for(r, m))
			return m;
	return NULL;
}

/* --- the message ------------------------------------------------------------------------------------------------------------------ */

static int place_segments(struct map_run_state *r)
{
	const struct edi_message_def *d;
	int rc = map_run_definition(r->map, &d, r->e);
	if (rc < 0 || !d)
		return rc;
	if (d->count > r->count_room) {
		uint32_t *v = calloc((size_t)d->count, 2 * sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		free(r->counts);
		r->counts = v;
		r->count_room = d->count;
	}
	map_message_place(&r->message, d, r->counts, r->counts + r->count_room);
	return 0;
}

static int run_message(struct map_run_state *r, struct tree *document)
{
	struct map_message *m = &r->message;
	for (uint32_t i = 0; i < m->count; i++) {
		m->segments[i].number = map_segment_number(r->map->sheet, m->segments[i].id);
		m->segments[i].owner = 0;
		m->segments[i].given = false;
	}
	int rc = add_range(r, (struct map_range){.end = m->count});
	struct in_scope s = {.scope = &r->map->sheet->scopes[0], .level = -1, .end = m->count, .object = document};
	s.message = &s;
	s.path = SLICE("");
	if (rc < 0 || list_places(r, &s) < 0)
		return VAN_ENOMEM;
	return run_scope(r, &s);
}

int map_read(struct map_run_state *r, const struct map *in, struct slice message, struct map_delimiters delimiters,
	const struct map_envelope *envelope, struct tree **ret, struct van_error *e)
{
	struct van_error own = {0};
	r->e = e ? e : &own;
	r->e->code = VAN_OK;
	r->map = in;
	r->envelope = envelope;
	map_shapes_tidy(in->sheet->set);
	r->message.charset = *in->standard == 'e' && envelope && envelope->version.p ? edi_charset_of(envelope->version) : EDI_CHARSET_NONE;
	r->range_count = r->level_count = 0;
	if (in->way != MAP_IN)
		return van_error_set(r->e, VAN_EINVAL, "map %s makes messages of documents; the other way needs %s", in->name,
			in->reverse ? in->reverse->name : "a sheet that goes in");
	const struct edi_delimiters d = {delimiters.element, delimiters.component, delimiters.repetition, delimiters.release, delimiters.terminator, false};
	if (r->message.charset == EDI_CHARSET_UNOX && edi_delimiters_allow_shifts(&d)) {
		message = van_arena_slice(r->arena, message); /* no separator equals a byte of what is shifted */
		if (!message.p)
			return VAN_ENOMEM;
		edi_shift_invert_all((char *)(uintptr_t)message.p, message.n);
	}
	struct tree *document = tree_new(&r->room, TREE_OBJECT);
	r->document = document;
	int rc = document ? map_message_split(&r->message, message, delimiters) : r->room.error;
	if (rc == 0 && !r->message.count)
		return van_error_set(r->e, VAN_ESYNTAX, "map %s: the message has no segments", in->name);
	if (rc == 0 && !(r->map = choose(r, in)))
		return van_error_set(r->e, VAN_ESYNTAX, "map %s: the message is not one that the sheet is for, as its row @map says in 'when'; name "
			"another map", in->name);
	struct tree *name = rc == 0 ? tree_member(&r->room, document, SLICE("_document"), TREE_TEXT) : NULL;
	if (name)
		name->text = slice_str(r->map->target);
	if (rc == 0)
		rc = place_segments(r);
	if (rc == 0)
		rc = map_run_step(r, r->message.count);
	if (rc == 0)
		rc = run_message(r, document);
	if (rc == 0)
		rc = r->room.error ? r->room.error : map_sidecar_make(r, document);
	if (rc == 0)
		rc = r->room.error;
	if (rc < 0)
		return map_run_fail(r, rc);
	*ret = document;
	return 0;
}
