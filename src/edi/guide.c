/* Following a message with a guide's rules: occurrences in each turn of a loop, elements where they stand, sums at the end. */
#include "edi/guide.h"

#include <stdlib.h>

#define LONGEST_TEXT 256   /* of a value that a pattern or a sum looks at */
#define FRACTION 9         /* digits behind the decimal mark that count */

/* Decimal numbers, scaled by 10 to the power of FRACTION (a product: of twice that). */
__extension__ typedef __int128 decimal;

struct follow {
	int32_t loop;        /* occurs: node of the loop whose turns are counted; -1: the message */
	bool open, there;    /* a turn is open; the segment has a place in this message */
	uint32_t seen;
	/* equals */
	decimal sum, value;
	bool value_seen, bad;
	uint64_t position;
	char text[LONGEST_TEXT];
	size_t text_length;
};

struct edi_guide_state {
	const struct edi_guide *guide;
	edi_guide_fn fn;
	void *ctx;
	const struct edi_message_def *message;
	const struct edi_segment *segment;
	const struct edi_node *node;
	uint64_t position;
	struct follow *follow; /* one for each rule */
	int error;
};

struct edi_guide_state *edi_guide_state_new(const struct edi_guide *guide, edi_guide_fn fn, void *ctx)
{
	struct edi_guide_state *s = calloc(1, sizeof *s);
	if (s)
		s->follow = calloc(guide->count ? guide->count : 1, sizeof *s->follow);
	if (!s || !s->follow) {
		free(s);
		return NULL;
	}
	s->guide = guide;
	s->fn = fn;
	s->ctx = ctx;
	return s;
}

void edi_guide_state_free(struct edi_guide_state *s)
{
	if (!s)
		return;
	free(s->follow);
	free(s);
}

void edi_guide_free(struct edi_guide *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; i < g->count; i++)
		if (g->rules[i].pattern)
			regfree(g->rules[i].pattern);
	van_arena_free(g->arena);
	free(g);
}

/* --- where things stand ------------------------------------------------------------------------------------------------ */

/* The loop that a segment is counted in; the one that begins a loop belongs to the loop around it. */
static int32_t home(const struct edi_message_def *m, int32_t node)
{
	int32_t parent = m->nodes[node].parent;
	return parent >= 0 && parent == node - 1 ? m->nodes[parent].parent : parent;
}

static struct slice loop_name(const struct edi_message_def *m, int32_t loop)
{
	return loop < 0 ? SLICE("") : m->nodes[loop].loop;
}

/* Stands this node where the rule means? */
static bool in_loop(const struct edi_message_def *m, int32_t node, const struct edi_guide_rule *r)
{
	return !r->loop.n || slice_eq(m->nodes[node].loop, r->loop) || slice_eq(loop_name(m, home(m, node)), r->loop);
}

static void find_place(const struct edi_message_def *m, const struct edi_guide_rule *r, struct follow *f)
{
	for (int32_t i = 0; i < m->count && !f->there; i++) {
		if (m->nodes[i].is_loop || !slice_eq(m->nodes[i].id, r->place.segment))
			continue;
		int32_t loop = home(m, i);
		if (r->loop.n && !slice_eq(loop_name(m, loop), r->loop))
			continue;
		f->there = true;
		f->loop = loop;
	}
}

bool edi_guide_begin(struct edi_guide_state *s, const struct edi_message_def *m, enum edi_standard standard, struct slice version)
{
	const struct edi_guide *g = s->guide;
	s->message = NULL;
	if (!m || standard != g->standard || !slice_eq(m->type, g->type) || (g->version.n && !slice_starts(version, g->version.p)))
		return false;
	s->message = m;
	s->error = 0;
	memset(s->follow, 0, g->count * sizeof *s->follow);
	for (uint32_t i = 0; i < g->count; i++) {
		find_place(m, &g->rules[i], &s->follow[i]);
		s->follow[i].open = s->follow[i].there && s->follow[i].loop < 0;
	}
	return true;
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

static struct slice value_at(const struct edi_segment *s, uint32_t element, uint32_t component)
{
	struct slice rest = edi_segment_element(s, element), value = rest;
	for (uint32_t i = 0; i < component && rest.p; i++)
		value = edi_cut(&rest, s->delimiters->component, s->delimiters->release);
	return component && !value.p ? SLICE_NONE : value;
}

/* Past the last component there is none. */
static struct slice component_of(struct slice whole, uint32_t component, const struct edi_delimiters *d)
{
	struct slice one = whole;
	for (uint32_t i = 0; i < component; i++) {
		if (!whole.p)
			return SLICE_NONE;
		one = edi_cut(&whole, d->component, d->release);
	}
	return one;
}

static bool holds(const struct edi_segment *s, const struct edi_guide_when *w)
{
	if (!w->count)
		return true;
	struct slice value = value_at(s, w->element, w->component);
	for (uint32_t i = 0; i < w->count; i++)
		if (slice_eq(value, w->values[i]))
			return true;
	return false;
}

/* "12.50", "12,5", "-3": false for what is none or has more digits than fit. `implied`: decimals without a mark. */
static bool number(struct slice s, unsigned implied, decimal *ret)
{
	decimal n = 0;
	int fraction = -1, digits = 0;
	bool minus = s.n && *s.p == '-';
	for (size_t i = minus; i < s.n; i++) {
		if ((s.p[i] == '.' || s.p[i] == ',') && fraction < 0) {
			fraction = 0;
		} else if (s.p[i] >= '0' && s.p[i] <= '9' && digits++ < 18) {
			n = n * 10 + (s.p[i] - '0');
			fraction += fraction >= 0;
		} else {
			return false;
		}
	}
	int missing = FRACTION - (fraction < 0 ? (int)implied : fraction);
	if (!digits || missing < 0)
		return false;
	while (missing--)
		n *= 10;
	*ret = minus ? -n : n;
	return true;
}

/* Implied decimals of an element as the dictionary has it (X12's N2). */
static unsigned implied_decimals(const struct edi_segment_def *def, const struct edi_guide_place *p)
{
	const struct edi_field *f = def && p->element <= def->count ? &def->fields[p->element - 1] : NULL;
	if (f && f->composite && p->component && p->component <= f->composite->count)
		f = &f->composite->fields[p->component - 1];
	return f && f->element && f->element->type == EDI_N ? f->element->decimals : 0;
}

/* --- errors ------------------------------------------------------------------------------------------------------------ */

struct codes {
	const char *list, *code, *guide, *edifact;
};

static void tell(struct edi_guide_state *s, const struct edi_guide_rule *r, struct codes codes, uint32_t repetition, struct slice value,
	const char *text)
{
	struct edi_guide_problem p = {.rule = r, .loop = s->node ? s->node->loop : SLICE(""), .segment = r->place.segment,
		.position = s->position, .element = r->place.element, .component = r->place.component, .repetition = repetition, .value = value,
		.text = text, .list = codes.list, .code = codes.code, .guide = codes.guide, .edifact = codes.edifact};
	const struct edi_segment_def *def = s->node ? s->node->segment : NULL;
	if (def && slice_eq(def->id, r->place.segment) && r->place.element && r->place.element <= def->count)
		p.definition = def->fields[r->place.element - 1].element;
	int rc = s->fn(s->ctx, &p);
	if (rc < 0 && !s->error)
		s->error = rc;
}

/* --- occurrences ------------------------------------------------------------------------------------------------------- */

static void close_turn(struct edi_guide_state *s, const struct edi_guide_rule *r, struct follow *f)
{
	bool begins_loop = false;
	for (int32_t i = 0; i < s->message->count; i++)
		begins_loop |= s->message->nodes[i].is_loop && slice_eq(s->message->nodes[i].id, r->place.segment) && s->message->nodes[i].parent == f->loop;
	if (f->open && f->seen < r->min) {
		const char *guide = r->when.count ? "I6" : begins_loop ? "I7" : "I8";
		tell(s, r, (struct codes){"AK304", "3", guide, "13"}, 0, SLICE_NONE, "the guide requires it, and it is missing; add it");
	}
	f->open = false;
	f->seen = 0;
}

static void occurs(struct edi_guide_state *s, const struct edi_guide_rule *r, struct follow *f, int32_t node)
{
	const struct edi_message_def *m = s->message;
	if (!f->there)
		return;
	if (f->loop >= 0) {
		bool inside = node > f->loop && node <= m->nodes[f->loop].last, begins = node == f->loop + 1;
		if (f->open && (!inside || begins))
			close_turn(s, r, f);
		if (begins)
			f->open = true;
	}
	if (!f->open || !slice_eq(m->nodes[node].id, r->place.segment) || home(m, node) != f->loop || !holds(s->segment, &r->when))
		return;
	if (++f->seen <= r->max)
		return;
	if (r->max)
		tell(s, r, (struct codes){"AK304", "5", "5", "35"}, 0, SLICE_NONE, "it occurs more often than the guide allows; send fewer");
	else
		tell(s, r, (struct codes){"AK304", "2", r->when.count ? "I9" : "I4", "15"}, 0, SLICE_NONE, "the guide does not use it here; leave it out");
}

/* --- elements ---------------------------------------------------------------------------------------------------------- */

static void one_value(struct edi_guide_state *s, const struct edi_guide_rule *r, struct slice raw, uint32_t repetition)
{
	char room[LONGEST_TEXT];
	struct slice value = raw.n < sizeof room ? edi_unescape(raw, s->segment->delimiters->release, room) : raw;
	if (!raw.n)
		return;
	switch (r->kind) {
	case EDI_GUIDE_UNUSED:
		tell(s, r, (struct codes){"AK403", "10", r->when.count ? "I13" : "I10", "15"}, repetition, value, "is not used by the guide; leave it out");
		break;
	case EDI_GUIDE_CODES:
		if (!edi_codes_has(r->codes, value))
			tell(s, r, (struct codes){"AK403", "7", "I6", "12"}, repetition, value, "is not one of the guide's values");
		break;
	case EDI_GUIDE_LENGTH:
		if (value.n < r->min)
			tell(s, r, (struct codes){"AK403", "4", "4", "40"}, repetition, value, "is shorter than the guide allows");
		else if (value.n > r->max)
			tell(s, r, (struct codes){"AK403", "5", "5", "39"}, repetition, value, "is longer than the guide allows");
		break;
	case EDI_GUIDE_PATTERN: {
		char text[LONGEST_TEXT];
		bool fits = value.n < sizeof text && !memchr(value.p, 0, value.n);
		if (fits) {
			memcpy(text, value.p, value.n);
			text[value.n] = 0;
			fits = regexec(r->pattern, text, 0, NULL, 0) == 0;
		}
		if (!fits)
			tell(s, r, (struct codes){"AK403", "7", "I12", "12"}, repetition, value, "does not have the form that the guide asks for");
		break;
	}
	default: break;
	}
}

static void element(struct edi_guide_state *s, const struct edi_guide_rule *r)
{
	const struct edi_delimiters *d = s->segment->delimiters;
	struct slice rest = edi_segment_element(s->segment, r->place.element);
	if (r->kind == EDI_GUIDE_REQUIRED) {
		if (!component_of(rest, r->place.component, d).n)
			tell(s, r, (struct codes){"AK403", r->when.count ? "2" : "1", r->when.count ? "I9" : "1", "13"}, 0, SLICE_NONE,
				"is required by the guide, and missing; add it");
		return;
	}
	uint32_t n = 0;
	while (rest.p) {
		struct slice one = edi_cut(&rest, d->repetition, d->release);
		n++;
		one_value(s, r, component_of(one, r->place.component, d), n > 1 || rest.p ? n : 0);
	}
}

/* --- sums -------------------------------------------------------------------------------------------------------------- */

static void add_up(struct edi_guide_state *s, const struct edi_guide_rule *r, struct follow *f)
{
	decimal a, b = 1;
	if (!slice_eq(s->node->id, r->first.segment) || !holds(s->segment, &r->of))
		return;
	for (int i = 0; i < FRACTION; i++)
		b *= 10;
	if (r->count) {
		f->sum += b * b;
		return;
	}
	struct slice first = value_at(s->segment, r->first.element, r->first.component);
	struct slice second = r->second.segment.p ? value_at(s->segment, r->second.element, r->second.component) : SLICE_NONE;
	if (!first.n || (r->second.segment.p && !second.n))
		return; /* what is not there counts nothing */
	f->bad |= !number(first, implied_decimals(s->node->segment, &r->first), &a) ||
	          (r->second.segment.p && !number(second, implied_decimals(s->node->segment, &r->second), &b));
	if (!f->bad)
		f->sum += a * b;
}

static void take_total(struct edi_guide_state *s, const struct edi_guide_rule *r, struct follow *f, int32_t node)
{
	if (!slice_eq(s->node->id, r->place.segment) || !in_loop(s->message, node, r) || !holds(s->segment, &r->when) || f->value_seen)
		return;
	struct slice value = value_at(s->segment, r->place.element, r->place.component);
	if (!value.n || value.n >= sizeof f->text)
		return;
	f->value_seen = true;
	f->bad |= !number(value, implied_decimals(s->node->segment, &r->place), &f->value);
	f->position = s->position;
	f->text_length = value.n;
	memcpy(f->text, value.p, value.n);
}

static void compare(struct edi_guide_state *s, const struct edi_guide_rule *r, const struct follow *f)
{
	decimal total = f->value;
	for (int i = 0; i < FRACTION; i++)
		total *= 10;
	if (!f->value_seen || f->bad || total == f->sum)
		return; /* what is no number has an error of its own */
	s->position = f->position;
	tell(s, r, (struct codes){"AK403", "7", "I12", "12"}, 0, slice_make(f->text, f->text_length), "is not what the guide's sum comes to");
}

/* --- the message ------------------------------------------------------------------------------------------------------- */

int edi_guide_segment(struct edi_guide_state *s, const struct edi_segment *segment, int32_t node, uint64_t position)
{
	if (!s->message)
		return 0;
	s->segment = segment;
	s->node = &s->message->nodes[node];
	s->position = position;
	for (uint32_t i = 0; i < s->guide->count; i++) {
		const struct edi_guide_rule *r = &s->guide->rules[i];
		if (r->kind == EDI_GUIDE_OCCURS) {
			occurs(s, r, &s->follow[i], node);
		} else if (r->kind == EDI_GUIDE_EQUALS) {
			add_up(s, r, &s->follow[i]);
			take_total(s, r, &s->follow[i], node);
		} else if (slice_eq(s->node->id, r->place.segment) && in_loop(s->message, node, r) && holds(segment, &r->when)) {
			element(s, r);
		}
	}
	return s->error;
}

int edi_guide_end(struct edi_guide_state *s)
{
	if (!s->message)
		return 0;
	s->node = NULL;
	for (uint32_t i = 0; i < s->guide->count; i++) {
		if (s->guide->rules[i].kind == EDI_GUIDE_OCCURS)
			close_turn(s, &s->guide->rules[i], &s->follow[i]);
		else if (s->guide->rules[i].kind == EDI_GUIDE_EQUALS)
			compare(s, &s->guide->rules[i], &s->follow[i]);
	}
	s->message = NULL;
	return s->error;
}
