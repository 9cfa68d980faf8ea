/* Runs a map over one message: loops become objects, rows set values, what no row took is listed. */
#include "map/message.h"
#include "map/transform.h"
#include "map/tree.h"

#define DEFAULT_VALUES 1000000
#define RUN_MEMORY ((size_t)256 << 20)

/* Segments first … end - 1 are in scope; those with another owner belong to loops within it. */
struct scope {
	int32_t row;   /* the loop, -1: the message */
	int32_t owner; /* instance number */
	uint32_t first, end;
	struct tree *object;
};

struct run {
	const struct map *map;
	struct map_message message;
	const struct map_envelope *envelope;
	struct tree_room room;
	int32_t instances;
	struct van_error *e;
};

static bool is(const struct map_segment *s, struct slice id)
{
	return slice_eq(s->elements[0].value, id);
}

static bool own(const struct run *r, const struct scope *scope, uint32_t i)
{
	return r->message.segments[i].owner == scope->owner;
}

static bool holds_on(struct run *r, const struct map_condition *c, const struct map_segment *s)
{
	struct slice v = map_value(&r->message, s, c->element, c->component);
	bool found = c->values.n == 0 && v.p;
	for (size_t i = 0; i < c->values.n && !found; i++)
		found = v.p && slice_eq(v, c->values.v[i]);
	return found != c->unequal;
}

/* A condition on the candidate's own segment, or else on the first such segment in scope. */
static bool holds(struct run *r, const struct scope *scope, const struct map_condition *c, const struct map_segment *candidate)
{
	if (candidate && is(candidate, c->segment))
		return holds_on(r, c, candidate);
	for (uint32_t i = scope->first; i < scope->end; i++)
		if (own(r, scope, i) && is(&r->message.segments[i], c->segment))
			return holds_on(r, c, &r->message.segments[i]);
	return c->unequal;
}

static bool all_hold(struct run *r, const struct scope *scope, const struct map_row *row, const struct map_segment *candidate)
{
	for (uint32_t i = 0; i < row->condition_count; i++)
		if (!holds(r, scope, &row->conditions[i], candidate))
			return false;
	return true;
}

/* The elements that the conditions looked at have told what they had to tell. */
static void take_conditions(const struct map_row *row, struct map_segment *s)
{
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct map_condition *c = &row->conditions[i];
		if (!c->unequal && is(s, c->segment) && c->element < s->count)
			s->elements[c->element].taken = true;
	}
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

/* From an element or a pair of this segment; marks what was taken. */
static struct slice from_segment(struct run *r, const struct map_row *row, struct map_segment *s)
{
	if (row->kind == MAP_ELEMENT) {
		struct slice v = map_value(&r->message, s, row->element, row->component);
		if (v.p)
			s->elements[row->element].taken = true;
		return v;
	}
	for (uint32_t i = row->element; i + 1 <= row->last && i + 1 < s->count; i += 2) {
		struct slice qualifier = map_value(&r->message, s, i, 0);
		struct slice v = qualifier.p && slice_eq(qualifier, row->literal) ? map_value(&r->message, s, i + 1, 0) : SLICE_NONE;
		if (v.p) {
			s->elements[i].taken = s->elements[i + 1].taken = true;
			return v;
		}
	}
	return SLICE_NONE;
}

static struct slice from_envelope(const struct run *r, uint32_t which)
{
	const struct map_envelope *e = r->envelope;
	if (!e)
		return SLICE_NONE;
	const struct slice values[] = {e->sender, e->receiver, e->interchange_control_number, e->group_control_number,
		e->message_control_number, e->test ? SLICE("true") : SLICE("false")};
	return values[which].n ? values[which] : SLICE_NONE;
}

static int put(struct run *r, const struct scope *scope, const struct map_row *row, struct slice value)
{
	struct tree *at = scope->object;
	enum tree_kind value_kind = map_has_transform(row, MAP_NUMBER) ? TREE_NUMBER : map_has_transform(row, MAP_BOOL) ? TREE_BOOL : TREE_TEXT;
	for (uint32_t i = 0; i < row->part_count && at; i++) {
		bool leaf = i + 1 == row->part_count;
		enum tree_kind kind = row->array[i] ? TREE_ARRAY : leaf ? value_kind : TREE_OBJECT;
		at = tree_member(&r->room, at, row->parts[i], kind);
		if (at && kind == TREE_ARRAY)
			at = leaf || !at->first ? tree_append(&r->room, at, leaf ? value_kind : TREE_OBJECT) : at->first;
	}
	if (!at)
		return r->room.error ? r->room.error
		                     : van_error_set(r->e, VAN_EINVAL, "map %s, row %u: target %.*s is an object in one row and a value in another",
		                                     r->map->name, row->line, SLICE_ARG(row->target));
	at->text = value;
	return 0;
}

static int bad_value(struct run *r, const struct map_row *row, uint32_t segment, struct slice value, const char *what)
{
	return van_error_set(r->e, VAN_ESYNTAX, "map %s, row %u (%.*s): %.*s in segment %u (%.*s) %s", r->map->name, row->line,
		SLICE_ARG(row->target), SLICE_ARG(value), segment + 1, SLICE_ARG(r->message.segments[segment].elements[0].value), what);
}

/* Transforms and sets. *set tells whether there was a value in the end. */
static int take_value(struct run *r, const struct scope *scope, const struct map_row *row, uint32_t segment, struct slice value, bool *set)
{
	struct slice raw = value;
	const char *what = "";
	int rc = map_transform_value(row, r->room.arena, &value, &what);
	if (rc == VAN_ESYNTAX)
		return bad_value(r, row, segment, raw, what);
	if (rc < 0 || !value.p)
		return rc;
	*set = true;
	return put(r, scope, row, value);
}

static bool taken_already(const struct scope *scope, const struct map_row *row)
{
	const struct tree *at = scope->object;
	for (uint32_t i = 0; i < row->part_count && at; i++) {
		if (row->array[i])
			return false;
		at = tree_find(at, row->parts[i]);
	}
	return at != NULL;
}

static int run_segments(struct run *r, const struct scope *scope, const struct map_row *row, bool *set)
{
	bool many = row->part_count && row->array[row->part_count - 1];
	struct scope message = {.row = -1, .owner = -1, .first = 0, .end = r->message.count, .object = scope->object};
	const struct scope *inner = scope;
	int rc = 0;
	if (row->outer)
		scope = &message;
	for (uint32_t i = scope->first; i < scope->end && rc == 0 && (many || !*set); i++) {
		struct map_segment *s = &r->message.segments[i];
		if (!own(r, scope, i) || !is(s, row->segment) || !all_hold(r, inner, row, s))
			continue;
		struct slice value = from_segment(r, row, s);
		if (!value.p)
			continue;
		take_conditions(row, s);
		rc = take_value(r, inner, row, i, value, set);
	}
	return rc;
}

static int run_row(struct run *r, const struct scope *scope, const struct map_row *row)
{
	bool set = taken_already(scope, row);
	int rc = 0;
	if (set)
		return 0;
	if (row->kind == MAP_ELEMENT || row->kind == MAP_PAIRS)
		rc = run_segments(r, scope, row, &set);
	else if (row->kind != MAP_NOTHING && all_hold(r, scope, row, NULL))
		rc = take_value(r, scope, row, scope->first, row->kind == MAP_LITERAL ? row->literal : from_envelope(r, row->element), &set);
	if (rc < 0 || set)
		return rc;
	if (row->fallback.p && all_hold(r, scope, row, NULL))
		return put(r, scope, row, row->fallback);
	if (row->required)
		return van_error_set(r->e, VAN_ESYNTAX, "map %s, row %u: %.*s is required, but %.*s is missing after segment %u (%.*s); ask the "
			"sender for it or give the row a default", r->map->name, row->line, SLICE_ARG(row->target), SLICE_ARG(row->segment),
			scope->first + 1, SLICE_ARG(r->message.segments[scope->first].elements[0].value));
	return 0;
}

static int32_t first_row(const struct run *r, const struct scope *scope)
{
	return scope->row < 0 ? r->map->first : r->map->rows[scope->row].first;
}

static int32_t first_loop(const struct run *r, const struct scope *scope)
{
	return scope->row < 0 ? r->map->first_loop : r->map->rows[scope->row].first_loop;
}

/* --- loops ------------------------------------------------------------------------------------------------------------- */

/* A loop without members is one segment: it is set apart only when a row wants it, so that other rows may read it. */
static const struct map_row *loop_that_begins(struct run *r, const struct scope *scope, const struct map_segment *s)
{
	for (int32_t i = first_loop(r, scope); i >= 0; i = r->map->rows[i].next_loop) {
		const struct map_row *row = &r->map->rows[i];
		if (is(s, row->segment) &&
		    (row->members.n || all_hold(r, scope, row, s)))
			return row;
	}
	return NULL;
}

static bool listed(const struct map_row *row, const struct map_segment *s)
{
	for (size_t i = 0; i < row->members.n; i++)
		if (is(s, row->members.v[i]))
			return true;
	return false;
}

/* Where the instance that begins at `i` ends. */
static uint32_t instance_end(struct run *r, const struct scope *scope, const struct map_row *row, uint32_t i)
{
	const struct map_segment *segments = r->message.segments;
	for (i++; i < scope->end; i++) {
		if (!own(r, scope, i) || is(&segments[i], row->segment) || (listed(row, &segments[i]) == row->until))
			break;
	}
	return i;
}

static int run_scope(struct run *r, const struct scope *scope);

/* Gives the instance to the first loop row whose condition holds; to none, and it stays unmapped. */
static int run_instance(struct run *r, const struct scope *scope, struct scope inner)
{
	struct map_segment *trigger = &r->message.segments[inner.first];
	for (int32_t i = first_loop(r, scope); i >= 0; i = r->map->rows[i].next_loop) {
		const struct map_row *row = &r->map->rows[i];
		if (!is(trigger, row->segment) || !all_hold(r, &inner, row, trigger))
			continue;
		struct tree *at = scope->object;
		for (uint32_t k = 0; k < row->part_count && at; k++) {
			bool leaf = k + 1 == row->part_count;
			at = tree_member(&r->room, at, row->parts[k], row->array[k] ? TREE_ARRAY : TREE_OBJECT);
			if (at && leaf && !row->array[k]) {
				if (at->closed)
					return 0; /* an object is filled once; the rest is listed as unmapped */
				at->closed = true;
			}
			if (at && row->array[k])
				at = leaf || !at->first ? tree_append(&r->room, at, TREE_OBJECT) : at->first;
		}
		if (!at)
			return r->room.error ? r->room.error : VAN_EINVAL;
		take_conditions(row, trigger);
		inner.row = i;
		inner.object = at;
		return run_scope(r, &inner);
	}
	return 0;
}

static int run_loops(struct run *r, const struct scope *scope)
{
	int rc = 0;
	for (uint32_t i = scope->first; i < scope->end && rc == 0; i++) {
		bool trigger_of_scope = scope->row >= 0 && i == scope->first;
		if (trigger_of_scope || !own(r, scope, i))
			continue;
		const struct map_row *row = loop_that_begins(r, scope, &r->message.segments[i]);
		if (!row)
			continue;
		struct scope inner = {.owner = ++r->instances, .first = i, .end = instance_end(r, scope, row, i)};
		for (uint32_t k = i; k < inner.end; k++)
			r->message.segments[k].owner = inner.owner;
		i = inner.end - 1;
	}
	return rc;
}

/* The instances that run_loops() marked out in this scope. Their own loops have other owners by then, so the
 * instance is found by the range that begins at its trigger. */
static int run_marked(struct run *r, const struct scope *scope, int32_t first_instance, int32_t last_instance)
{
	int rc = 0;
	uint32_t i = scope->first;
	for (int32_t owner = first_instance; owner <= last_instance && rc == 0; owner++) {
		while (i < scope->end && r->message.segments[i].owner != owner)
			i++;
		uint32_t end = i;
		while (end < scope->end && r->message.segments[end].owner == owner)
			end++;
		rc = run_instance(r, scope, (struct scope){.owner = owner, .first = i, .end = end});
		i = end;
	}
	return rc;
}

static int run_scope(struct run *r, const struct scope *scope)
{
	int32_t before = r->instances;
	int rc = run_loops(r, scope);
	int32_t after = r->instances;
	bool loops_done = false;
	for (int32_t next = first_row(r, scope); next >= 0 && rc == 0; next = r->map->rows[next].next) {
		const struct map_row *row = &r->map->rows[next];
		if (row->kind != MAP_LOOP)
			rc = run_row(r, scope, row);
		else if (!loops_done) {
			loops_done = true;
			rc = run_marked(r, scope, before + 1, after);
		}
	}
	return rc;
}

/* --- the document ------------------------------------------------------------------------------------------------------ */

static struct tree *add(struct run *r, struct tree *object, const char *name, enum tree_kind kind, struct slice text)
{
	struct tree *t = tree_member(&r->room, object, slice_str(name), kind);
	if (t)
		t->text = text;
	return t;
}

static void list_unmapped(struct run *r, struct tree *document)
{
	struct tree *list = add(r, document, "_unmapped", TREE_ARRAY, SLICE_NONE);
	for (uint32_t i = 0; i < r->message.count && list; i++) {
		struct map_segment *s = &r->message.segments[i];
		struct slice id = s->elements[0].value;
		if (slice_is(id, "ST") || slice_is(id, "SE") || slice_is(id, "UNH") || slice_is(id, "UNT"))
			continue;
		for (uint32_t k = 1; k < s->count; k++) {
			if (s->elements[k].taken || !s->elements[k].value.n)
				continue;
			struct tree *one = tree_append(&r->room, list, TREE_OBJECT);
			if (!one)
				return;
			add(r, one, "segment", TREE_TEXT, id);
			add(r, one, "position", TREE_NUMBER, van_arena_printf(r->room.arena, "%u", i + 1));
			add(r, one, "element", TREE_NUMBER, van_arena_printf(r->room.arena, "%u", k));
			add(r, one, "value", TREE_TEXT, s->elements[k].value);
		}
	}
}

static void envelope_to_tree(struct run *r, struct tree *document)
{
	const struct map_envelope *e = r->envelope;
	struct tree *o = e ? add(r, document, "_envelope", TREE_OBJECT, SLICE_NONE) : NULL;
	if (!o)
		return;
	const struct {
		const char *name;
		struct slice value;
	} members[] = {{"sender", e->sender}, {"receiver", e->receiver}, {"interchangeControlNumber", e->interchange_control_number},
		{"groupControlNumber", e->group_control_number}, {"messageControlNumber", e->message_control_number}};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].value.n)
			add(r, o, members[i].name, TREE_TEXT, members[i].value);
	add(r, o, "test", TREE_BOOL, e->test ? SLICE("true") : SLICE("false"));
}

static int run_message(struct run *r, struct slice bytes, bool pretty, struct van_buf *to)
{
	struct tree *document = tree_new(&r->room, TREE_OBJECT);
	int rc = document ? map_message_split(&r->message, bytes) : r->room.error;
	if (rc == 0 && !r->message.count)
		return van_error_set(r->e, VAN_ESYNTAX, "map %s: the message has no segments", r->map->name);
	if (rc == 0) {
		add(r, document, "_document", TREE_TEXT, slice_str(r->map->target));
		rc = run_scope(r, &(struct scope){.row = -1, .owner = -1, .first = 0, .end = r->message.count, .object = document});
	}
	if (rc == 0) {
		envelope_to_tree(r, document);
		list_unmapped(r, document);
		rc = r->room.error;
	}
	return rc == 0 ? tree_write(document, pretty, to) : rc;
}

int map_run(const struct map *m, struct slice message, struct map_delimiters delimiters, const struct map_envelope *envelope,
	const struct map_options *options, struct van_buf *to, struct van_error *e)
{
	struct van_error own_error = {0};
	struct van_arena *arena = van_arena_new(RUN_MEMORY);
	if (!arena)
		return van_error_set(e, VAN_ENOMEM, "no memory to run map %s", m->name);
	struct run r = {.map = m, .envelope = envelope, .e = e ? e : &own_error,
		.message = {.delimiters = delimiters, .arena = arena},
		.room = {.arena = arena, .left = options && options->max_values ? options->max_values : DEFAULT_VALUES}};
	r.e->code = VAN_OK;
	int rc = run_message(&r, message, options && options->pretty, to);
	if (rc < 0 && r.e->code == VAN_OK)
		van_error_set(r.e, (enum van_err)rc, "map %s: the message is larger than the map may hold (%s)", m->name, van_err_name(rc));
	van_arena_free(arena);
	return rc;
}
