/* What a row does while a message is read: looks for its value where its conditions hold, and sets the place. */
#include "map/read.h"
#include "map/transform.h"

#include <stdio.h>
#include <stdlib.h>

/* --- places of the document ----------------------------------------------------------------------------------------------------- */

/* The member of an object that rows of another loop may have set, too. */
static struct tree *shared_member(struct map_run_state *r, const struct in_scope *s, struct tree *object, const struct map_slot *p, enum tree_kind kind)
{
	struct tree *t = s->alone ? tree_member_new(&r->room, object, p->name, p->hash, kind) : tree_member(&r->room, object, p->name, kind);
	if (t) {
		t->hash = p->hash;
		t->shared |= p->object || p->array;
	}
	return t;
}

struct tree *map_in_place_new(struct map_run_state *r, struct in_scope *s, int32_t slot, enum tree_kind kind)
{
	const struct map_slot *p = &s->scope->slots[slot];
	struct tree *parent = p->parent < 0 ? s->object : map_in_place(r, s, p->parent, s->scope->slots[p->parent].array ? TREE_ARRAY : TREE_OBJECT);
	struct tree *t = NULL;
	if (!parent)
		return NULL;
	if (p->item) {
		t = parent->first ? parent->first : tree_append(&r->room, parent, TREE_OBJECT);
		if (t)
			t->shared |= parent->shared;
	} else {
		t = parent->shared ? shared_member(r, s, parent, p, kind) : tree_member_new(&r->room, parent, p->name, p->hash, kind);
	}
	return s->places[slot] = t;
}

static enum tree_kind kind_of(const struct map_slot *p, enum tree_kind leaf)
{
	return p->array ? TREE_ARRAY : p->object ? TREE_OBJECT : leaf;
}

int map_in_put(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct slice value, uint32_t origin)
{
	struct tree *t = map_in_place(r, s, row->slot, kind_of(&s->scope->slots[row->slot], row->value_kind));
	if (t && row->many)
		t = tree_append(&r->room, t, row->value_kind);
	if (!t)
		return r->room.error ? r->room.error
		                     : van_error_set(r->e, VAN_EINVAL, "map %s, row %u: target %.*s is an object in one row and a value in another",
		                                     r->map->name, row->line, SLICE_ARG(row->target));
	t->text = value;
	t->origin = origin;
	return 0;
}

/* --- conditions ------------------------------------------------------------------------------------------------------------------- */

bool map_in_holds_on(struct map_run_state *r, const struct map_condition *c, const struct map_segment *s)
{
	struct slice v = map_value(&r->message, s, c->element, c->component);
	bool found = c->values.n == 0 && v.p;
	for (size_t i = 0; i < c->values.n && !found; i++)
		found = v.p && slice_eq(v, c->values.v[i]);
	return found != c->unequal;
}

int map_in_list(struct map_run_state *r, struct in_scope *s)
{
	size_t n = (size_t)r->map->sheet->id_count + 1;
	if (s->heads)
		return 0;
	s->heads = tree_room_take(&r->room, n * sizeof *s->heads);
	if (!s->heads)
		return VAN_ENOMEM;
	memset(s->heads, 0xff, n * sizeof *s->heads);
	for (uint32_t i = s->own_count; i--;) {
		struct map_segment *g = &r->message.segments[s->own[i]];
		g->next = s->heads[g->number];
		s->heads[g->number] = (int32_t)s->own[i];
	}
	return 0;
}

/* The first own segment of this kind. While a loop's row is chosen there are no lists yet. */
static int32_t first_of(struct map_run_state *r, const struct in_scope *s, int32_t number)
{
	if (s->heads)
		return s->heads[number];
	for (uint32_t i = s->first; i < s->end; i++)
		if (r->message.segments[i].owner == s->owner && r->message.segments[i].number == number)
			return (int32_t)i;
	return -1;
}

/* "_03", of a component behind the first "_03_02". */
static struct slice seen_name(struct map_run_state *r, uint32_t element, uint32_t component)
{
	const uint32_t numbers[] = {element, component};
	char *p = tree_room_alloc(&r->room, 24), *to = p;
	for (int i = 0; p && i < (component == 1 ? 1 : 2); i++) {
		*to++ = '_';
		if (numbers[i] < 10)
			*to++ = '0';
		to = map_run_digits(numbers[i], to);
	}
	return p ? slice_make(p, (size_t)(to - p)) : SLICE_NONE;
}

/* The segments of a loop as an expression sees them. */
struct tree *map_in_seen(struct map_run_state *r, struct in_scope *s, const struct expression *x)
{
	if (!expression_takes_input(x))
		return NULL;
	struct tree *all = s->seen ? s->seen : tree_new(&r->room, TREE_OBJECT);
	if (!all || s->seen)
		return all;
	for (uint32_t i = s->first; i < s->end; i++) {
		const struct map_segment *g = &r->message.segments[i];
		if (g->owner != s->owner)
			continue;
		struct tree *list = tree_member(&r->room, all, map_raw(&r->message, g, 0), TREE_ARRAY);
		struct tree *one = list ? tree_append(&r->room, list, TREE_OBJECT) : NULL;
		for (uint32_t k = 1; one && k < g->count; k++)
			for (uint32_t c = 1; c < 100; c++) {
				struct slice v = map_value(&r->message, g, k, c);
				struct slice name = v.p ? seen_name(r, k, c) : SLICE_NONE;
				struct tree *leaf = name.p ? tree_member_new(&r->room, one, name, 0, TREE_TEXT) : NULL;
				if (leaf)
					leaf->text = v;
				if (!g->odd || (!v.p && !map_value(&r->message, g, k, c + 1).p))
					break;
			}
	}
	return s->seen = all;
}

/* 1: holds; 0: not; negative. */
static int holds(struct map_run_state *r, struct in_scope *s, const struct map_row *row, const struct map_condition *c,
	const struct map_segment *candidate)
{
	if (c->kind == MAP_ASK_PLACE)
		return 1; /* it is written */
	if (c->kind == MAP_ASK_EXPRESSION)
		return map_run_condition(r, row, c->expression, map_in_seen(r, s, c->expression), s->object);
	if (candidate && candidate->number == c->segment)
		return map_in_holds_on(r, c, candidate);
	int32_t first = first_of(r, s, c->segment);
	return first < 0 ? c->unequal : map_in_holds_on(r, c, &r->message.segments[first]);
}

int map_in_all_hold(struct map_run_state *r, struct in_scope *s, const struct map_row *row, const struct map_segment *candidate)
{
	int rc = 1;
	for (uint32_t i = 0; i < row->condition_count && rc == 1; i++)
		rc = holds(r, s, row, &row->conditions[i], candidate);
	return rc;
}

/* The elements that the conditions looked at have told what they had to tell; what they say of the document is written there. */
int map_in_take_conditions(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct map_segment *g)
{
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct map_condition *c = &row->conditions[i];
		if (c->kind == MAP_ASK_ELEMENT && !c->unequal && g && g->number == c->segment && c->element < g->count)
			map_take(&r->message, g, c->element, c->component);
		if (c->kind == MAP_ASK_PLACE && !c->unequal && c->values.n && !s->places[c->slot]) {
			struct tree *t = map_in_place(r, s, c->slot, TREE_TEXT);
			if (!t)
				return r->room.error ? r->room.error : VAN_EINVAL;
			t->text = c->values.v[0];
		}
	}
	return 0;
}

/* --- values ----------------------------------------------------------------------------------------------------------------------- */

bool map_in_is_within(const struct map_run_state *r, const struct map_row *row, const struct map_segment *g)
{
	const struct edi_node *nodes = r->map->definition ? r->map->definition->nodes : NULL;
	if (!row->within.p)
		return !g->given;
	if (!nodes || g->node < 0)
		return false;
	const struct edi_node *n = &nodes[g->node];
	return slice_eq(n->loop, row->within) || (n->parent >= 0 && slice_eq(nodes[n->parent].id, row->within));
}

static int bad_value(struct map_run_state *r, const struct map_row *row, const struct map_segment *g, struct slice value, const char *what)
{
	if (!what)
		return VAN_ESYNTAX; /* told already */
	return van_error_set(r->e, VAN_ESYNTAX, "map %s, row %u (%.*s): %.*s in segment %u (%.*s) %s", r->map->name, row->line,
		SLICE_ARG(row->target), value.n > 80 ? 80 : (int)value.n, value.p, (unsigned)(g - r->message.segments) + 1,
		SLICE_ARG(map_raw(&r->message, g, 0)), what);
}

int map_in_explain(struct map_run_state *r, struct in_scope *s, const struct map_row *row, const struct map_segment *g, uint32_t element,
	uint32_t component, struct slice value)
{
	struct map_note *n = map_run_note(r, MAP_NOTE_TAKEN, row->line);
	if (!n)
		return VAN_ENOMEM;
	n->place = map_run_place(r, s->scope, row->slot, s->path);
	if (row->many) {
		size_t count = 0;
		for (const struct tree *t = s->places[row->slot]->first; t; t = t->next)
			count++;
		n->place = van_arena_printf(r->arena, "%.*s[%zu]", SLICE_ARG(n->place), count);
	}
	n->value = value;
	if (g) {
		n->segment = map_raw(&r->message, g, 0);
		n->position = (uint32_t)(g - r->message.segments) + 1;
		n->element = element;
		n->component = component;
		n->loop = map_run_loop(r, g->owner);
	}
	return 0;
}

int map_in_take_value(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct map_segment *g, uint32_t element,
	uint32_t component, struct slice value, bool *set)
{
	struct slice raw = value, format = SLICE_NONE;
	const char *what = "";
	bool dated = g && row->transform_count && row->transforms[0].kind == MAP_DATE && component && *r->map->standard == 'e';
	if (dated)
		format = map_value(&r->message, g, element, component + 1);
	int rc = !row->bare ? map_transform_in(r, row, format, &value, &what) : 0;
	if (rc == VAN_ESYNTAX)
		return g ? bad_value(r, row, g, raw, what) : bad_value(r, row, &r->message.segments[s->first], raw, what);
	if (rc < 0 || !value.p)
		return rc;
	*set = true;
	if (format.p)
		map_take(&r->message, g, element, component + 1);
	rc = map_in_put(r, s, row, value, g ? (uint32_t)(g - r->message.segments) + 1 : 0);
	return rc == 0 && r->options.explain ? map_in_explain(r, s, row, g, element, component, raw) : rc;
}

/* Every repetition of the element. */
static int take_repetitions(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct map_segment *g, bool *set)
{
	struct slice raw = map_raw(&r->message, g, row->element), rest = raw;
	int rc = 0;
	for (uint32_t k = 0; rest.p && rc == 0; k++) {
		edi_cut(&rest, r->message.delimiters.repetition, r->message.delimiters.release);
		struct slice v = map_value_slow(&r->message, g, row->element, k, row->component);
		if (v.p)
			rc = map_in_take_value(r, s, row, g, row->element, row->component, v, set);
	}
	if (*set && !g->masked)
		r->message.taken[g->first + row->element] |= MAP_TAKEN_REPEATS;
	map_take(&r->message, g, row->element, row->component);
	return rc;
}

static int take_pairs(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct map_segment *g, bool *set)
{
	uint32_t step = row->qualifier ? 1 : 2;
	for (uint32_t i = row->element; i <= row->last && i < g->count; i += step) {
		struct slice qualifier = map_value(&r->message, g, i, row->qualifier);
		if (!qualifier.p || !slice_eq(qualifier, row->literal))
			continue;
		uint32_t element = row->qualifier ? i : i + 1, component = row->qualifier && !row->component ? 1 : row->component;
		struct slice v = map_value(&r->message, g, element, component);
		if (!v.p)
			continue;
		int rc = map_in_take_value(r, s, row, g, element, component, v, set);
		if (rc < 0)
			return rc;
		if (*set) {
			map_take(&r->message, g, i, row->qualifier);
			map_take(&r->message, g, element, component);
		}
		if (*set && !row->many)
			return 0;
	}
	return 0;
}

static int take_segment(struct map_run_state *r, struct in_scope *s, const struct map_row *row, struct map_segment *g, bool *set)
{
	bool had = *set;
	if (row->kind == MAP_PAIRS)
		return take_pairs(r, s, row, g, set);
	if (row->repeats)
		return take_repetitions(r, s, row, g, set);
	struct slice v = map_value(&r->message, g, row->element, row->component);
	if (!v.p)
		return 0;
	*set = false;
	int rc = map_in_take_value(r, s, row, g, row->element, row->component, v, set);
	if (*set)
		map_take(&r->message, g, row->element, row->component);
	*set |= had;
	return rc;
}

/* --- rows ------------------------------------------------------------------------------------------------------------------------- */

/* `^`: the nearest loop around that has the segment, else the message. */
const struct in_scope *map_in_where_of(const struct in_scope *s, const struct map_row *row)
{
	if (!row->outer)
		return s;
	const struct in_scope *at = s->up;
	while (at && at != s->message && at->heads[row->segment] < 0)
		at = at->up;
	return at ? at : s->message;
}

static int run_segments(struct map_run_state *r, struct in_scope *s, const struct map_row *row, bool *set)
{
	const struct in_scope *where = map_in_where_of(s, row);
	int rc = 0;
	for (int32_t i = where->heads[row->segment]; i >= 0 && rc == 0 && (row->many || !*set); i = r->message.segments[i].next) {
		struct map_segment *g = &r->message.segments[i];
		/* rows of one list and segment take turns */
		for (const struct map_row *one = row; one && rc == 0; one = one->group_next < 0 ? NULL : &r->map->sheet->rows[one->group_next]) {
			bool took = false;
			if (!(one->way & MAP_WAY_IN) || !map_in_is_within(r, one, g))
				continue;
			rc = map_in_all_hold(r, s, one, g);
			if (rc == 1)
				rc = take_segment(r, s, one, g, &took);
			if (took && rc == 0)
				rc = map_in_take_conditions(r, s, one, g);
			*set |= took;
		}
	}
	return rc;
}

static struct slice from_envelope(const struct map_run_state *r, const struct map_row *row)
{
	const struct map_envelope *e = r->envelope;
	if (!e)
		return SLICE_NONE;
	const struct slice values[] = {e->sender, e->receiver, e->interchange_control_number, e->group_control_number,
		e->message_control_number, e->test ? SLICE("true") : SLICE("false"), e->date, e->time};
	return values[row->envelope].n ? values[row->envelope] : SLICE_NONE;
}

/* Texts, the envelope, expressions: of no segment. */
static int run_hollow(struct map_run_state *r, struct in_scope *s, const struct map_row *row, bool *set)
{
	struct slice v = SLICE_NONE;
	int rc = map_in_all_hold(r, s, row, NULL);
	if (rc != 1)
		return rc;
	if (row->kind == MAP_EXPRESSION) {
		const struct tree *result = NULL;
		rc = map_run_expression(r, row, "source", row->computed, map_in_seen(r, s, row->computed), s->object, &result);
		if (rc < 0)
			return rc;
		if (result && result->kind == TREE_ARRAY && row->many) {
			rc = 0;
			for (const struct tree *t = result->first; t && rc == 0; t = t->next)
				rc = map_in_take_value(r, s, row, NULL, 0, 0, expression_text(&r->room, t), set);
			return rc;
		}
		v = expression_text(&r->room, result);
	} else {
		v = row->kind == MAP_LITERAL ? row->literal : from_envelope(r, row);
	}
	rc = v.p ? map_in_take_value(r, s, row, NULL, 0, 0, v, set) : r->room.error;
	return rc == 0 && *set ? map_in_take_conditions(r, s, row, NULL) : rc;
}

static int required(struct map_run_state *r, const struct in_scope *s, const struct map_row *row)
{
	struct slice id = row->segment >= 0 ? map_run_id(r, r->map->sheet->ids[row->segment]) : SLICE("its source");
	return van_error_set(r->e, VAN_ESYNTAX, "map %s, row %u: %.*s is required, but %.*s is missing after segment %u (%.*s); ask the "
		"sender for it or give the row a default", r->map->name, row->line, SLICE_ARG(row->target), SLICE_ARG(id), s->first + 1,
		SLICE_ARG(map_raw(&r->message, &r->message.segments[s->first], 0)));
}

int map_in_run_row(struct map_run_state *r, struct in_scope *s, const struct map_row *row)
{
	bool set = s->places[row->slot] && !row->many;
	int rc = 0;
	if (set || row->group_later)
		return 0;
	if (row->kind == MAP_ELEMENT || row->kind == MAP_PAIRS)
		rc = run_segments(r, s, row, &set);
	else if (row->kind != MAP_NOTHING)
		rc = run_hollow(r, s, row, &set);
	if (rc < 0 || set || !row->hollow)
		return rc < 0 ? rc : 0;
	if (row->fallback.p && (rc = map_in_all_hold(r, s, row, NULL)) != 0)
		return rc < 0 ? rc : map_in_put(r, s, row, row->fallback, 0);
	return row->required ? required(r, s, row) : 0;
}

/* What the way out would write by itself has told nothing: it counts as taken where it is the same. */
void map_in_take_constant(struct map_run_state *r, struct in_scope *s, const struct map_row *row)
{
	struct slice text = row->text;
	char digits[16];
	if (row->to == MAP_TO_COUNT) {
		unsigned count = 0;
		for (uint32_t i = 0; i < r->message.count; i++)
			count += r->message.segments[i].number == row->counted;
		text = slice_make(digits, (size_t)(map_run_digits(count, digits) - digits));
	}
	for (int32_t i = s->heads[row->segment]; i >= 0; i = r->message.segments[i].next) {
		struct map_segment *g = &r->message.segments[i];
		struct slice v = map_value(&r->message, g, row->element, row->component);
		if (v.p && slice_eq(v, text) && map_in_is_within(r, row, g) && map_in_all_hold(r, s, row, g) == 1)
			map_take(&r->message, g, row->element, row->component);
	}
}
