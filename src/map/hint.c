#include "map/hint.h"

#include "map/flat_private.h"
#include "map/hint_schema.h"
#include "map/rows.h"
#include "map/rules.h"
#include "map/run.h"

#define MEMORY ((size_t)16 << 20)
#define VERSIONS 16 /* of a sheet, that are looked at */

struct hinting {
	const struct map_rows *sheet;
	const struct edi_message_def *messages[VERSIONS]; /* of its versions, those that there are dictionaries for */
	uint32_t message_count;
	bool unknown;           /* there is a version without: nothing is said of its segments */
	struct hint_schemas *schemas; /* NULL: they are not looked at */
	struct van_arena *arena;
	map_hint_fn fn;
	void *ctx;
};

static void tell(struct hinting *h, const struct map_row *row, const char *cell, struct slice text)
{
	if (text.p)
		h->fn(h->ctx, row->line, cell, text);
}

/* --- segments ----------------------------------------------------------------------------------------------------------- */

static const char *id_text(uint32_t packed, char text[5])
{
	int n = 0;
	for (int shift = 24; shift >= 0; shift -= 8)
		if (packed >> shift & 255)
			text[n++] = (char)(packed >> shift & 255);
	text[n] = 0;
	return text;
}

/* Where its message has it; the dictionary's definition, of which there may be none. */
static bool has_segment(const struct edi_message_def *m, uint32_t id, const struct edi_segment_def **ret)
{
	for (int32_t i = 0; i < m->count; i++) {
		const struct edi_node *n = &m->nodes[i];
		if (!n->is_loop && edi_pack(n->id.p, n->id.n) == id) {
			*ret = n->segment;
			return true;
		}
	}
	return false;
}

/* What may stand at that place of the segment, NULL: nothing; *count: how many places there are. In EDIFACT an element that may be repeated has as many
 * places as repeats: COM+…:TE+…:FX. */
static const struct edi_field *field_at(const struct edi_segment_def *s, bool edifact, uint32_t element, uint32_t *count)
{
	const struct edi_field *found = NULL;
	*count = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		*count += edifact && s->fields[i].repeat > 1 ? s->fields[i].repeat : 1;
		if (!found && element && element <= *count)
			found = &s->fields[i];
	}
	return found;
}

/* A segment as the versions have it. */
struct size {
	bool segment, unknown;
	uint32_t elements, components; /* of it, of its element: the most that a version has */
};

static void look(const struct hinting *h, uint32_t id, uint32_t element, struct size *ret)
{
	*ret = (struct size){.segment = false};
	for (uint32_t i = 0; i < h->message_count; i++) {
		const struct edi_segment_def *s = NULL;
		if (!has_segment(h->messages[i], id, &s))
			continue;
		ret->segment = true;
		if (!s || s->known_only) {
			ret->unknown = true;
			continue;
		}
		uint32_t count;
		const struct edi_field *f = field_at(s, slice_is(h->sheet->standard, "edifact"), element, &count);
		ret->elements = count > ret->elements ? count : ret->elements;
		uint32_t components = f && f->composite ? f->composite->count : 1;
		ret->components = f && components > ret->components ? components : ret->components;
	}
}

/* X12's and EDIFACT's service segments are in no message's table. */
static bool is_service(struct slice id)
{
	static const char *const ids[] = {"ST", "SE", "UNH", "UNT", NULL};
	for (int i = 0; ids[i]; i++)
		if (slice_is(id, ids[i]))
			return true;
	return false;
}

static void ask_element(struct hinting *h, const struct map_row *row, const char *cell, int32_t segment, uint32_t element, uint32_t component)
{
	char id[5];
	struct size size;
	if (segment < 0 || h->unknown || !h->message_count || is_service(slice_str(id_text(h->sheet->ids[segment], id))))
		return;
	look(h, h->sheet->ids[segment], element, &size);
	if (!size.segment)
		tell(h, row, cell, van_arena_printf(h->arena, "%.*s has no segment %s: nothing is ever found there", SLICE_ARG(h->sheet->type), id));
	else if (!size.unknown && element > size.elements)
		tell(h, row, cell, van_arena_printf(h->arena, "%s has %u elements: there is no %s.%02u", id, size.elements, id, element));
	else if (!size.unknown && component > 1 && component > size.components)
		tell(h, row, cell, size.components == 1
			? van_arena_printf(h->arena, "%s.%02u has no components: leave out .%02u", id, element, component)
			: van_arena_printf(h->arena, "%s.%02u has %u components: there is no %s.%02u.%02u", id, element, size.components, id, element, component));
}

/* --- conditions --------------------------------------------------------------------------------------------------------- */

static bool holds_word(struct slice s, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= s.n; i++)
		if (slice_case_is(slice_make(s.p + i, n), word))
			return true;
	return false;
}

static void ask_values(struct hinting *h, const struct map_row *row, const struct map_condition *c)
{
	for (size_t i = 0; i < c->values.n; i++) {
		struct slice v = c->values.v[i];
		if (holds_word(v, " or ") || slice_ends(v, " and") || slice_starts(v, "="))
			tell(h, row, "when", van_arena_printf(h->arena, "'%.*s' is compared as it stands: one of several values is REF.01=DP|IA, two conditions are joined by "
				"\" and \", and either of two elements needs two rows", SLICE_ARG(v)));
	}
}

static void ask_conditions(struct hinting *h, const struct map_row *row)
{
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct map_condition *c = &row->conditions[i];
		if (c->kind == MAP_ASK_ELEMENT)
			ask_element(h, row, "when", c->segment, c->element, c->component);
		if (c->kind != MAP_ASK_EXPRESSION)
			ask_values(h, row, c);
	}
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static int ask_place(struct hinting *h, const struct map_row *row, struct van_error *e)
{
	struct slice text;
	bool loop = row->kind == MAP_LOOP, computed = row->kind == MAP_EXPRESSION; /* which may give an object */
	if (!h->schemas || row->to != MAP_TO_PLACE || map_row_is_here(row))
		return 0;
	int rc = hint_schema_place(h->schemas, h->sheet->document, row->target, !loop && !computed, h->arena, &text, e);
	if (rc == 0)
		tell(h, row, "target", text);
	return rc;
}

static int ask_row(struct hinting *h, const struct map_row *row, struct van_error *e)
{
	int rc = ask_place(h, row, e);
	if (row->kind == MAP_ELEMENT || row->kind == MAP_PAIRS)
		ask_element(h, row, "source", row->segment, row->last > row->element ? row->last : row->element, row->component);
	else if (row->kind == MAP_LOOP)
		ask_element(h, row, "source", row->segment, 0, 0);
	if (row->to == MAP_TO_COUNT)
		ask_element(h, row, "target", row->counted, 0, 0);
	ask_conditions(h, row);
	van_arena_reset(h->arena);
	return rc;
}

static int find_messages(struct hinting *h, const struct map_set *set, struct van_error *e)
{
	h->message_count = 0;
	h->unknown = false;
	for (const struct map *m = set->maps; m; m = m->next) {
		const struct edi_message_def *d = NULL;
		if (m->sheet != h->sheet || (m->way == MAP_OUT && m->reverse))
			continue;
		int rc = map_run_definition(m, &d, e);
		if (rc < 0)
			return rc;
		if (!d || h->message_count == VERSIONS)
			h->unknown = true;
		else
			h->messages[h->message_count++] = d;
	}
	return 0;
}

/* The places of a CSV sheet. */
static int ask_flat(struct hinting *h, const struct flat_sheet *s, struct van_error *e)
{
	int rc = 0;
	for (uint32_t i = 0; i < s->count && rc == 0 && h->schemas; i++) {
		const struct flat_row *row = &s->rows[i];
		struct slice text = SLICE_NONE;
		if (row->place.p)
			rc = hint_schema_place(h->schemas, s->document, row->target, !row->computed, h->arena, &text, e);
		if (text.p)
			h->fn(h->ctx, row->line, "target", text);
		van_arena_reset(h->arena);
	}
	return rc;
}

int map_hints(const struct map_set *set, const char *folder, map_hint_fn fn, void *ctx, struct van_error *e)
{
	struct hinting h = {.arena = van_arena_new(MEMORY), .schemas = folder ? hint_schemas_new(folder) : NULL, .fn = fn, .ctx = ctx};
	int rc = h.arena && (h.schemas || !folder) ? 0 : VAN_ENOMEM;
	for (h.sheet = set->sheets; h.sheet && rc == 0; h.sheet = h.sheet->next) {
		rc = find_messages(&h, set, e);
		for (int32_t i = 0; i < h.sheet->count && rc == 0; i++)
			rc = ask_row(&h, &h.sheet->rows[i], e);
	}
	for (const struct flat_sheet *s = set->flats; s && rc == 0; s = s->next)
		rc = ask_flat(&h, s, e);
	hint_schemas_free(h.schemas);
	van_arena_free(h.arena);
	return rc;
}

/* --- business rules ------------------------------------------------------------------------------------------------------ */

struct rule_hinting {
	struct hint_schemas *schemas;
	struct van_arena *arena;
	map_hint_fn fn;
	void *ctx;
	struct van_error *e;
	int rc;
};

static void ask_rule(void *ctx, unsigned row, const char *cell, struct slice each, struct slice place)
{
	struct rule_hinting *h = ctx;
	bool there = true;
	struct slice whole = van_arena_printf(h->arena, "%.*s%s%.*s", SLICE_ARG(each), each.n ? "." : "", SLICE_ARG(place));
	if (h->rc == 0)
		h->rc = whole.p ? hint_schema_any(h->schemas, whole, &there, h->e) : VAN_ENOMEM;
	if (h->rc == 0 && !there) {
		struct slice text = van_arena_printf(h->arena, "no document has %.*s: nothing is ever found there; doc/canonical-fields.md lists what they have", SLICE_ARG(whole));
		h->fn(h->ctx, row, cell, text);
	}
	van_arena_reset(h->arena);
}

int map_rules_hints(const struct map_rules *rules, const char *folder, map_hint_fn fn, void *ctx, struct van_error *e)
{
	struct rule_hinting h = {.schemas = hint_schemas_new(folder), .arena = van_arena_new(MEMORY), .fn = fn, .ctx = ctx, .e = e};
	if (!h.schemas || !h.arena)
		h.rc = VAN_ENOMEM;
	else
		map_rules_places(rules, ask_rule, &h);
	hint_schemas_free(h.schemas);
	van_arena_free(h.arena);
	return h.rc;
}
