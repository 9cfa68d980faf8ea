/* Where the segments of a message stand in the dictionary's message, and so where loops end. */
#include "map/message.h"

struct walk {
	struct map_message *m;
	const struct edi_message_def *d;
	uint32_t *counts, *hints;
	int32_t at;                     /* node of the last segment that had its place */
	uint32_t opened[64];            /* first segments of the loops that are open, outermost first */
	int32_t loops[64];
	uint32_t depth;
};

static bool when_holds(const struct walk *w, const struct edi_node *n, const struct map_segment *s)
{
	struct slice value = map_value(w->m, s, n->when_element, 1);
	for (uint32_t i = 0; i < n->when_count; i++)
		if (value.p && slice_eq(n->when[i], value))
			return true;
	return !n->when_element;
}

/* The first transition to the segment, or where it would be. Mostly it is the one that was taken from this node before. */
static const struct edi_transition *first_to(const struct walk *w, const struct edi_node *n, uint32_t id)
{
	uint32_t hint = w->hints[w->at];
	const struct edi_transition *all = n->transitions;
	if (hint < n->transition_count && all[hint].id == id && (!hint || all[hint - 1].id != id))
		return all + hint;
	const struct edi_transition *first = edi_transitions_to(n, id);
	w->hints[w->at] = (uint32_t)(first - all);
	return first;
}

static const struct edi_transition *choose(const struct walk *w, const struct map_segment *s)
{
	const struct edi_node *nodes = w->d->nodes, *n = &nodes[w->at];
	const struct edi_transition *end = n->transitions + n->transition_count, *full = NULL;
	for (const struct edi_transition *t = first_to(w, n, s->id); t < end && t->id == s->id; t++) {
		if (t->conditional && (!when_holds(w, &nodes[t->to], s) || (t->loop >= 0 && !when_holds(w, &nodes[t->loop], s))))
			continue;
		if (!t->max || w->counts[t->counted] < t->max)
			return t;
		full = full ? full : t;
	}
	return full;
}

static bool inside(const struct edi_node *nodes, int32_t loop, int32_t node)
{
	return node >= loop && node <= nodes[loop].last;
}

/* Loops that `node` is not in end before segment i. */
static void close_loops(struct walk *w, int32_t node, uint32_t i)
{
	while (w->depth && (node < 0 || !inside(w->d->nodes, w->loops[w->depth - 1], node)))
		w->m->segments[w->opened[--w->depth]].end = i;
}

static void open_loop(struct walk *w, int32_t loop, uint32_t i)
{
	close_loops(w, w->d->nodes[loop].parent, i);
	w->counts[loop]++;
	memset(w->counts + loop + 1, 0, (size_t)(w->d->nodes[loop].last - loop) * sizeof *w->counts);
	if (w->depth < 64) {
		w->loops[w->depth] = loop;
		w->opened[w->depth++] = i;
	}
}

/* One that stands where the standard does not have it: in the innermost open loop that knows it, else where it is. */
static void misplaced(struct walk *w, struct map_segment *s)
{
	const struct edi_node *nodes = w->d->nodes;
	for (uint32_t k = w->depth; k--;)
		for (int32_t i = w->loops[k] + 1; i <= nodes[w->loops[k]].last; i = nodes[i].last + 1)
			if (!nodes[i].is_loop && edi_pack(nodes[i].id.p, nodes[i].id.n) == s->id) {
				s->node = i;
				return;
			}
}

void map_message_place(struct map_message *m, const struct edi_message_def *d, uint32_t *counts, uint32_t *hints)
{
	struct walk w = {.m = m, .d = d, .counts = counts, .hints = hints};
	memset(counts, 0, (size_t)d->count * sizeof *counts);
	for (uint32_t i = 1; i < m->count; i++) {
		struct map_segment *s = &m->segments[i];
		const struct edi_transition *t = choose(&w, s);
		if (!t) {
			misplaced(&w, s);
			continue;
		}
		if (t->loop >= 0) {
			/* the transition names the outermost loop that begins; those in it begin with it */
			for (int32_t loop = t->loop; loop < t->to; loop++)
				if (d->nodes[loop].is_loop)
					open_loop(&w, loop, i);
		} else {
			close_loops(&w, t->to, i);
		}
		counts[t->to]++;
		s->node = w.at = t->to;
	}
	while (w.depth)
		m->segments[w.opened[--w.depth]].end = m->count;
}
