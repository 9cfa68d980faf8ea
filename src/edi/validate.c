/* Where each segment stands in its message. */
#include "edi/validate.h"

#include "edi/validate_private.h"

#include <stdlib.h>

#define LEVEL_SEGMENT ((uint32_t)'H' << 8 | 'L')
#define BEGIN_SEGMENT ((uint32_t)'L' << 8 | 'S')
#define END_SEGMENT ((uint32_t)'L' << 8 | 'E')

void edi_validator_free(struct edi_validator *v)
{
	number_set_reset(&v->levels.ids);
	free(v->counts);
	van_buf_free(&v->scratch);
	v->counts = NULL;
	v->room = 0;
}

int edi_validator_begin(struct edi_validator *v, const struct edi_message_def *m)
{
	if (m->count > v->room) {
		uint32_t *counts = realloc(v->counts, (size_t)m->count * sizeof *counts);
		if (!counts)
			return VAN_ENOMEM;
		v->counts = counts;
		v->room = m->count;
	}
	memset(v->counts, 0, (size_t)m->count * sizeof *v->counts);
	if (v->message != m)
		for (size_t i = 0; i < EDI_CACHE; i++)
			v->cache[i].node = -1;
	v->message = m;
	v->at = 0;
	v->levels.depth = 0;
	v->bounds.depth = 0;
	number_set_reset(&v->levels.ids);
	v->error = 0;
	return 0;
}

void edi_problem_add(struct edi_validator *v, const struct edi_problem *p)
{
	if (!v->error) {
		struct edi_problem full = *p;
		full.position = v->position;
		if (!full.segment.p)
			full.segment = edi_segment_element(v->segment, 0);
		if (!full.loop.p)
			full.loop = v->loop;
		int rc = v->fn(v->ctx, &full);
		if (rc < 0)
			v->error = rc;
	}
}

static bool when_holds(const struct edi_node *n, const struct edi_segment *s)
{
	struct slice rest = edi_segment_element(s, n->when_element);
	struct slice value = edi_cut(&rest, s->delimiters->component, s->delimiters->release);
	for (uint32_t i = 0; i < n->when_count; i++)
		if (slice_eq(n->when[i], value))
			return true;
	return false;
}

/* The conditions of its segment and its loop. */
static bool fits(const struct edi_validator *v, const struct edi_transition *t)
{
	const struct edi_node *nodes = v->message->nodes;
	return (!nodes[t->to].when_element || when_holds(&nodes[t->to], v->segment)) &&
	       (t->loop < 0 || !nodes[t->loop].when_element || when_holds(&nodes[t->loop], v->segment));
}

static const struct edi_transition *first_for(struct edi_validator *v, uint32_t id)
{
	size_t slot = ((uint32_t)v->at * 2654435761u ^ id * 2246822519u) >> 16 & (EDI_CACHE - 1);
	if (v->cache[slot].node != v->at || v->cache[slot].id != id) {
		v->cache[slot].node = v->at;
		v->cache[slot].id = id;
		v->cache[slot].first = edi_transitions_to(&v->message->nodes[v->at], id);
	}
	return v->cache[slot].first;
}

static const struct edi_transition *choose(struct edi_validator *v, uint32_t id, bool *exceeded)
{
	const struct edi_node *at = &v->message->nodes[v->at];
	const struct edi_transition *full = NULL, *end = at->transitions + at->transition_count;
	for (const struct edi_transition *t = first_for(v, id); t < end && t->id == id; t++) {
		if (t->conditional && !fits(v, t))
			continue;
		if (!t->max || v->counts[t->counted] < t->max)
			return t;
		/* of those that are used up, a loop's repetition tells more than its trigger standing twice */
		if (!full || (t->loop >= 0 && full->to == t->to))
			full = t;
	}
	*exceeded = full != NULL;
	return full;
}

static void advance(struct edi_validator *v, const struct edi_transition *t)
{
	const struct edi_node *nodes = v->message->nodes;
	if (t->loop >= 0) {
		v->counts[t->loop]++;
		memset(v->counts + t->loop + 1, 0, (size_t)(nodes[t->loop].last - t->loop) * sizeof *v->counts);
	}
	v->counts[t->to]++;
	v->at = t->to;
}

/* Why the segment has no place here. */
static enum edi_fault misplaced(struct edi_validator *v, const struct edi_segment_def *def, struct slice id)
{
	enum edi_fault fault = !def ? EDI_FAULT_UNKNOWN_SEGMENT : EDI_FAULT_NOT_IN_MESSAGE;
	const struct edi_node *nodes = v->message->nodes;
	for (int32_t i = 0; def && i < v->message->count; i++) {
		if (nodes[i].is_loop || !slice_eq(nodes[i].id, id))
			continue;
		fault = fault == EDI_FAULT_ORDER ? fault : EDI_FAULT_UNEXPECTED;
		/* a trigger stands where its loop does */
		int32_t home = i && nodes[i - 1].is_loop ? nodes[nodes[i].parent].parent : nodes[i].parent;
		for (int32_t up = v->at; up >= 0 && i <= v->at; up = nodes[up].parent)
			if (nodes[up].parent == home)
				fault = EDI_FAULT_ORDER;
	}
	edi_problem_add(v, &(struct edi_problem){.fault = fault});
	return fault;
}

/* "LIN:1:2": a tag with explicit nesting, which EDIFACT messages no longer have. It is read as the tag alone. */
static bool without_nesting(struct edi_validator *v, struct slice *id)
{
	char component = v->delimiters->component;
	if (v->segment->standard != EDI_EDIFACT || !component || !memchr(id->p, component, id->n))
		return false;
	*id = slice_cut(&(struct slice){id->p, id->n}, component);
	edi_problem_add(v, &(struct edi_problem){.fault = EDI_FAULT_NESTING});
	return true;
}

/* UNH and UNT are the envelope reader's. */
static inline bool is_envelope(const struct edi_segment *s, struct slice id)
{
	return s->standard == EDI_EDIFACT && id.n == 3 && id.p[0] == 'U' && id.p[1] == 'N' && (id.p[2] == 'H' || id.p[2] == 'T');
}

int edi_validator_segment(struct edi_validator *v, const struct edi_segment *s, uint64_t position)
{
	const struct edi_node *nodes = v->message->nodes;
	struct slice id = edi_segment_element(s, 0);
	v->segment = s;
	v->delimiters = s->delimiters;
	v->position = position;
	v->loop = nodes[v->at].loop;
	const struct edi_segment_def *def;
	bool exceeded = false;
	const struct edi_transition *t = choose(v, edi_pack(id.p, id.n), &exceeded);
	if (!t && without_nesting(v, &id))
		t = choose(v, edi_pack(id.p, id.n), &exceeded);
	v->placed = t != NULL;
	if (t) {
		for (uint32_t i = 0; i < t->missing_count; i++) {
			const struct edi_node *n = &nodes[t->missing[i]];
			edi_problem_add(v, &(struct edi_problem){.fault = EDI_FAULT_MISSING_SEGMENT, .segment = n->id, .loop = n->loop});
		}
		v->loop = nodes[t->to].loop;
		if (exceeded)
			edi_problem_add(v, &(struct edi_problem){.fault = t->loop >= 0 ? EDI_FAULT_LOOP_REPEATS : EDI_FAULT_SEGMENT_REPEATS});
		advance(v, t);
		def = nodes[t->to].segment;
	} else {
		def = edi_find_segment(v->message->dictionary, id);
		if (misplaced(v, def, id) == EDI_FAULT_NOT_IN_MESSAGE)
			def = NULL; /* what the message does not have is not looked into */
	}
	if (def && !def->known_only && !is_envelope(s, id) && !v->error)
		edi_check_elements(v, def, s);
	if (t && t->id == LEVEL_SEGMENT && s->standard == EDI_X12)
		edi_check_level(v, s);
	else if (t && (t->id == BEGIN_SEGMENT || t->id == END_SEGMENT) && s->standard == EDI_X12)
		edi_check_bounds(v, s, t->id == BEGIN_SEGMENT);
	return v->error;
}
