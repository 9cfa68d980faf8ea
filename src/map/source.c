/* The cells source and when of a row. */
#include "map/rows.h"

static bool small_number(struct slice s, uint32_t *ret)
{
	unsigned long long v;
	if (!slice_u64(s, &v) || v > 999)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool identifier(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return s.n >= 2 && s.n <= 3;
}

/* SEG.NN or SEG.NN.CC */
static bool element_path(struct slice s, struct slice *segment, uint32_t *element, uint32_t *component)
{
	*segment = slice_cut(&s, '.');
	struct slice number = s.p ? slice_cut(&s, '.') : SLICE_NONE;
	*component = 0;
	return identifier(*segment) && number.p && small_number(number, element) && *element &&
	       (!s.p || (small_number(s, component) && *component));
}

/* What stands in brackets at the end: a qualifier, QQ or KK=QQ, or nothing. */
static bool bracket(struct slice *s, struct map_row *row, bool *qualified)
{
	struct slice inner = *s, path = slice_cut(&inner, '['), value;
	*qualified = false;
	if (!inner.p)
		return true;
	if (!inner.n || inner.p[inner.n - 1] != ']')
		return false;
	*s = path;
	inner.n--;
	if (!inner.n)
		return row->repeats = true;
	value = inner;
	struct slice component = slice_cut(&value, '=');
	if (value.p && (!small_number(component, &row->qualifier) || !row->qualifier))
		return false;
	row->literal = value.p ? value : inner;
	*qualified = true;
	return row->literal.n > 0;
}

/* [^][LOOP/]SEG.NN[-MM][.CC][[…]] */
static bool message_path(struct slice s, struct map_row *row, struct slice *segment)
{
	bool qualified;
	if (s.n && *s.p == '^') {
		row->outer = true;
		s = slice_make(s.p + 1, s.n - 1);
	}
	struct slice rest = s, within = slice_cut(&rest, '/');
	if (rest.p && !memchr(within.p, '[', within.n)) {
		row->within = within;
		s = rest;
	}
	if (!bracket(&s, row, &qualified))
		return false;
	*segment = slice_cut(&s, '.');
	struct slice component = s.p ? s : SLICE("");
	struct slice range = slice_cut(&component, '.'), last = range, first = slice_cut(&last, '-');
	if (!identifier(*segment) || !small_number(first, &row->element) || !row->element)
		return false;
	row->last = row->element;
	if (last.p && (!small_number(last, &row->last) || row->last <= row->element || !qualified))
		return false;
	if (component.p && (!small_number(component, &row->component) || !row->component))
		return false;
	if (qualified && !row->qualifier && (!last.p || row->component))
		return false; /* pairs of elements need a range, and have no components */
	row->kind = qualified ? MAP_PAIRS : MAP_ELEMENT;
	return true;
}

/* loop SEG of SEG SEG … · loop SEG until SEG SEG … · also loop SEG, whose `also` is cut off */
static int loop_source(struct map_reader *r, struct slice s, struct map_row *row)
{
	struct slice_list words;
	int rc = map_reader_split(r, s, " ", &words);
	if (rc < 0)
		return rc;
	if (words.n < 2 || (words.n > 2 && !slice_is(words.v[2], "of") && !slice_is(words.v[2], "until")))
		return map_reader_fail(r, "expected: loop SEGMENT, or loop SEGMENT of|until SEGMENTS, not", s);
	row->kind = MAP_LOOP;
	row->until = words.n > 2 && slice_is(words.v[2], "until");
	struct slice rest = words.v[1], within = slice_cut(&rest, '/');
	if (rest.p)
		row->within = within;
	rc = map_reader_segment(r, rest.p ? rest : words.v[1], &row->segment);
	if (rc < 0 || words.n < 4)
		return rc;
	row->members = van_arena_array(r->set->arena, words.n, sizeof *row->members);
	if (!row->members)
		return map_reader_no_memory(r);
	for (size_t i = 3; i < words.n && rc == 0; i++)
		rc = map_reader_segment(r, words.v[i], &row->members[row->member_count++]);
	return rc;
}

int map_source_parse(struct map_reader *r, struct slice s, struct map_row *row)
{
	static const char *const envelope[] = {"@sender", "@receiver", "@interchange", "@group", "@message", "@test", "@date", "@time"};
	struct slice segment;
	r->cell = "source";
	row->segment = -1;
	if (!s.n)
		return 0;
	if (*s.p == '=') {
		row->kind = MAP_EXPRESSION;
		return map_reader_expression(r, s, &row->computed);
	}
	if (slice_starts(s, "also loop "))
		row->also = true;
	if (row->also || slice_starts(s, "loop "))
		return loop_source(r, row->also ? slice_make(s.p + 5, s.n - 5) : s, row);
	if (s.n >= 2 && (*s.p == '"' || *s.p == '\'') && s.p[s.n - 1] == *s.p) {
		row->kind = MAP_LITERAL;
		row->literal = slice_make(s.p + 1, s.n - 2);
		return 0;
	}
	for (size_t i = 0; i < sizeof envelope / sizeof *envelope; i++)
		if (slice_is(s, envelope[i])) {
			row->kind = MAP_ENVELOPE;
			row->envelope = i;
			return 0;
		}
	if (!message_path(s, row, &segment))
		return map_reader_fail(r, "must be like SEG.NN, SEG.NN.CC, SEG.NN-MM[QUALIFIER], 'text', @name, =expression, loop SEG or also loop SEG, "
			"not", s);
	return map_reader_segment(r, segment, &row->segment);
}

static int condition(struct map_reader *r, struct slice one, int32_t scope, struct map_row *row)
{
	struct slice values = one, path = slice_cut(&values, '='), segment;
	bool many;
	if (row->condition_count == MAP_MAX_CONDITIONS)
		return map_reader_fail(r, "has too many conditions at", one);
	struct map_condition *c = &row->conditions[row->condition_count++];
	*c = (struct map_condition){.segment = -1, .slot = -1};
	if (path.n && path.p[path.n - 1] == '!') {
		c->unequal = true;
		path.n--;
	}
	path = slice_trim(path);
	if (values.p) {
		int rc = map_reader_split(r, values, "|", &c->values);
		for (size_t i = 0; i < c->values.n; i++)
			c->values.v[i] = slice_trim(c->values.v[i]);
		if (rc < 0)
			return rc;
		if (!c->values.n)
			return map_reader_fail(r, "nothing stands behind = (an element that is there at all is asked for without it):", one);
	}
	if (path.n > 1 && *path.p == '/') {
		c->kind = MAP_ASK_PLACE;
		return map_place_slot(r, scope, slice_make(path.p + 1, path.n - 1), false, &c->slot, &many);
	}
	if (!element_path(path, &segment, &c->element, &c->component))
		return map_reader_fail(r, "must be like REF.01=DP|IA, or /place=value, not", one);
	return map_reader_segment(r, segment, &c->segment);
}

int map_source_conditions(struct map_reader *r, struct slice s, int32_t scope, struct map_row *row)
{
	int rc = 0;
	r->cell = "when";
	row->conditions = s.n ? van_arena_array(r->set->arena, MAP_MAX_CONDITIONS, sizeof *row->conditions) : NULL;
	if (s.n && !row->conditions)
		return map_reader_no_memory(r);
	if (s.n && *s.p == '=') {
		row->condition_count = 1;
		row->conditions[0] = (struct map_condition){.kind = MAP_ASK_EXPRESSION, .segment = -1, .slot = -1};
		return map_reader_expression(r, s, &row->conditions[0].expression);
	}
	while (s.n && rc == 0) {
		size_t end = 0;
		while (end < s.n && !(s.n - end >= 5 && memcmp(s.p + end, " and ", 5) == 0))
			end++;
		struct slice one = slice_trim(slice_make(s.p, end));
		s = end < s.n ? slice_make(s.p + end + 5, s.n - end - 5) : SLICE("");
		rc = condition(r, one, scope, row);
	}
	return rc;
}
