/* What of a sheet's rows is asked of each loop that is read: which of them look for which segment, what hangs on the loop's shape alone, and the
 * values that decide. Found once, when the sheet is read. */
#include "map/message.h"
#include "map/rows.h"

/* Which briefs there may be something for when a segment is there. */
static int make_brief_sets(struct map_reader *r, struct map_scope *scope)
{
	uint32_t words = scope->brief_words = (uint32_t)(scope->brief_count + 63) / 64;
	scope->brief_sets = van_arena_array(r->set->arena, ((size_t)r->sheet->id_count + 1) * words, sizeof *scope->brief_sets);
	scope->brief_always = van_arena_array(r->set->arena, words + 1, sizeof *scope->brief_always);
	if (!scope->brief_sets || !scope->brief_always)
		return VAN_ENOMEM;
	for (int32_t i = 0; i < scope->brief_count; i++) {
		const struct map_brief *b = &scope->briefs[i];
		uint64_t *set = b->always || b->outer ? scope->brief_always : scope->brief_sets + (size_t)b->segment * words;
		set[i / 64] |= (uint64_t)1 << (i & 63);
	}
	return 0;
}

/* A value that the row takes is there in the end, or the message is refused. */
static bool keeps_values(const struct map_row *row)
{
	bool keeps = !row->table_name.n || row->miss != MAP_MISS_DEFAULT;
	for (uint32_t i = 0; i < row->transform_count; i++)
		keeps &= row->transforms[i].kind != MAP_COMPUTED;
	for (uint32_t i = 0; i < row->condition_count; i++)
		keeps &= row->conditions[i].kind != MAP_ASK_EXPRESSION;
	return keeps;
}

/* The same for all rows that it takes turns with. */
static bool is_fixed(const struct map_rows *m, const struct map_scope *scope, const struct map_row *row)
{
	bool fixed = row->to == MAP_TO_LITERAL ? row->kind == MAP_ELEMENT && !row->outer : row->kind == MAP_ELEMENT || row->kind == MAP_PAIRS || row->kind == MAP_LITERAL;
	if (row->to == MAP_TO_PLACE)
		fixed &= row->slot >= 0 && scope->slots[row->slot].loops < 0 && !row->outer;
	for (; row && fixed; row = row->group_next < 0 ? NULL : &m->rows[row->group_next])
		fixed = keeps_values(row) && !row->repeats && (row->to == MAP_TO_LITERAL || row->to == MAP_TO_PLACE);
	return fixed;
}

static int add_asked(struct map_reader *r, struct map_scope *scope, int32_t segment, uint32_t element, uint32_t component)
{
	component = component ? component : 1;
	if (element < 64 && component == 1)
		scope->asked[segment] |= (uint64_t)1 << element;
	for (int32_t i = scope->first_part[segment]; i >= 0; i = scope->parts[i].next)
		if (scope->parts[i].element == element && scope->parts[i].component == component)
			return 0;
	if (scope->part_count == scope->part_room) {
		int32_t room = scope->part_room ? 2 * scope->part_room : 64;
		struct map_asked *v = van_arena_array(r->set->arena, (size_t)room, sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		if (scope->part_count)
			memcpy(v, scope->parts, (size_t)scope->part_count * sizeof *v);
		scope->parts = v;
		scope->part_room = room;
	}
	scope->parts[scope->part_count] = (struct map_asked){scope->first_part[segment], element, component};
	scope->first_part[segment] = scope->part_count++;
	return 0;
}

/* The elements whose values decide what rows do. */
static int list_asked(struct map_reader *r, struct map_scope *scope)
{
	size_t n = (size_t)r->sheet->id_count + 1;
	scope->asked = van_arena_array(r->set->arena, n, sizeof *scope->asked);
	scope->first_part = van_arena_array(r->set->arena, n, sizeof *scope->first_part);
	int rc = scope->asked && scope->first_part ? 0 : VAN_ENOMEM;
	if (rc == 0)
		memset(scope->first_part, 0xff, n * sizeof *scope->first_part);
	for (int32_t i = 0; i < scope->brief_count && rc == 0; i++) {
		const struct map_row *row = &r->sheet->rows[scope->briefs[i].row];
		for (uint32_t k = 0; k < row->condition_count && rc == 0; k++) {
			const struct map_condition *c = &row->conditions[k];
			if (c->kind == MAP_ASK_ELEMENT && c->values.n)
				rc = add_asked(r, scope, c->segment, c->element, c->component);
		}
		for (uint32_t k = row->element; row->kind == MAP_PAIRS && k <= row->last && rc == 0; k += row->qualifier ? 1 : 2)
			rc = add_asked(r, scope, row->segment, k, row->qualifier);
	}
	return rc;
}

int map_brief_scope(struct map_reader *r, struct map_scope *scope)
{
	scope->briefs = van_arena_array(r->set->arena, (size_t)scope->row_count + 1, sizeof *scope->briefs);
	for (int32_t i = 0; scope->briefs && i < scope->row_count; i++) {
		const struct map_row *row = &r->sheet->rows[scope->rows[i]];
		bool constant = row->to == MAP_TO_LITERAL || row->to == MAP_TO_COUNT, plain = row->kind == MAP_PAIRS && !row->outer;
		if (!constant && row->kind != MAP_LOOP && !(row->way & MAP_WAY_IN && row->to == MAP_TO_PLACE))
			continue;
		for (uint32_t k = 0; k < row->condition_count; k++) /* an expression may have an error to tell */
			plain &= row->conditions[k].kind != MAP_ASK_EXPRESSION;
		scope->briefs[scope->brief_count++] = (struct map_brief){.row = scope->rows[i], .segment = (int16_t)row->segment, .outer = row->outer,
			.always = row->kind == MAP_LOOP || (!constant && (row->hollow || row->segment < 0)),
			.does = constant || row->to != MAP_TO_PLACE ? MAP_BRIEF_CONSTANT : row->kind == MAP_LOOP ? MAP_BRIEF_LOOP : MAP_BRIEF_PLACE,
			.fixed = is_fixed(r->sheet, scope, row), .slot = row->slot,
			.qualifier = plain && !constant && !row->hollow ? map_qualifier_bit(row->literal) : 0};
	}
	if (!scope->briefs || make_brief_sets(r, scope) < 0)
		return VAN_ENOMEM;
	return list_asked(r, scope);
}
