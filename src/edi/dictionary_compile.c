/* From a message's tree to transitions: for each segment, what may come next, in order of preference, and which
 * mandatory segments are then missing. Counts and `when` conditions are looked at while validating. */
#include "edi/definition.h"

#include <stdlib.h>

#define LARGEST_MISSING 64
#define LARGEST_LIST 4096

struct compiler {
	struct edi_message_def *m;
	struct van_arena *arena;
	struct edi_transition list[LARGEST_LIST];
	uint32_t count;
	int32_t missing[LARGEST_MISSING];
	uint32_t missing_count;
	const int32_t *saved; /* arena copy of `missing`, valid while saved_count equals missing_count */
	uint32_t saved_count;
	bool failed;
};

static void candidate(struct compiler *c, int32_t to, int32_t loop)
{
	const struct edi_node *nodes = c->m->nodes, *n = &nodes[to], *counted = loop >= 0 ? &nodes[loop] : n;
	if (c->count == LARGEST_LIST) {
		c->failed = true;
		return;
	}
	if (c->missing_count && c->saved_count != c->missing_count) {
		int32_t *copy = van_arena_array(c->arena, c->missing_count, sizeof *copy);
		if (!copy) {
			c->failed = true;
			return;
		}
		memcpy(copy, c->missing, c->missing_count * sizeof *copy);
		c->saved = copy;
		c->saved_count = c->missing_count;
	}
	c->list[c->count++] = (struct edi_transition){.id = edi_pack(n->id.p, n->id.n), .to = to, .loop = loop,
		.counted = (int32_t)(counted - nodes), .max = counted->max, .conditional = n->when_element || counted->when_element,
		.missing = c->missing_count ? c->saved : NULL, .missing_count = c->missing_count};
}

static void passed_over(struct compiler *c, int32_t node)
{
	const struct edi_node *n = &c->m->nodes[node];
	if (!n->mandatory)
		return;
	if (c->missing_count == LARGEST_MISSING)
		return; /* more than anybody reads */
	c->missing[c->missing_count++] = n->is_loop ? node + 1 : node;
}

/* The siblings that follow `node` in its loop. */
static void siblings(struct compiler *c, int32_t node)
{
	const struct edi_node *nodes = c->m->nodes;
	int32_t parent = nodes[node].parent, end = parent < 0 ? c->m->count - 1 : nodes[parent].last;
	for (int32_t i = nodes[node].last + 1; i <= end; i = nodes[i].last + 1) {
		if (nodes[i].is_loop)
			candidate(c, i + 1, i);
		else
			candidate(c, i, -1);
		passed_over(c, i);
	}
}

static int finish_node(struct compiler *c, struct edi_node *n)
{
	struct edi_transition *t = van_arena_array(c->arena, c->count ? c->count : 1, sizeof *t);
	if (!t)
		return VAN_ENOMEM;
	for (uint32_t i = 0; i < c->count; i++) { /* stable: the order of preference stays */
		uint32_t at = i;
		for (; at && t[at - 1].id > c->list[i].id; at--)
			t[at] = t[at - 1];
		t[at] = c->list[i];
	}
	n->transitions = t;
	n->transition_count = c->count;
	return 0;
}

static int compile_node(struct compiler *c, int32_t node)
{
	c->count = c->missing_count = c->saved_count = 0;
	candidate(c, node, -1);
	for (int32_t at = node; at >= 0; at = c->m->nodes[at].parent) {
		siblings(c, at);
		int32_t parent = c->m->nodes[at].parent;
		if (parent >= 0)
			candidate(c, parent + 1, parent);
	}
	return c->failed ? VAN_ENOMEM : finish_node(c, &c->m->nodes[node]);
}

/* Links the nodes with their segments; a loop takes its trigger's identifier. */
static int link_nodes(struct edi_message_def *m, struct van_arena *arena, struct van_error *e)
{
	const struct slice path = m->from->path;
	for (int32_t i = m->count - 1; i >= 0; i--) {
		struct edi_node *n = &m->nodes[i];
		if (n->is_loop) {
			if (n->last == i || m->nodes[i + 1].is_loop)
				return van_error_set(e, VAN_ESYNTAX, "%.*s:%u: loop %.*s does not begin with a segment; put the segment that begins it first",
					SLICE_ARG(path), n->line, SLICE_ARG(n->loop));
			n->id = m->nodes[i + 1].id;
			continue;
		}
		int rc = edi_link_segment(m->dictionary, n->id, arena, &n->segment, e);
		if (rc < 0)
			return rc;
		if (!n->segment)
			return van_error_set(e, VAN_ESYNTAX, "%.*s:%u: message %.*s uses segment %.*s, which is not defined; define it (segment %.*s) or "
				"correct the name", SLICE_ARG(path), n->line, SLICE_ARG(m->type), SLICE_ARG(n->id), SLICE_ARG(n->id));
	}
	return 0;
}

int edi_message_compile(struct edi_message_def *m, struct van_arena *arena, struct van_error *e)
{
	int rc = m->compiled ? 0 : link_nodes(m, arena, e);
	if (rc < 0 || m->compiled)
		return rc;
	struct compiler *c = calloc(1, sizeof *c);
	if (!c)
		return van_error_set(e, VAN_ENOMEM, "no memory to compile message %.*s", SLICE_ARG(m->type));
	c->m = m;
	c->arena = arena;
	for (int32_t i = 0; i < m->count && rc == 0; i++)
		if (!m->nodes[i].is_loop)
			rc = compile_node(c, i);
	free(c);
	m->compiled = rc == 0;
	return rc < 0 ? van_error_set(e, (enum van_err)rc, "message %.*s is too large", SLICE_ARG(m->type)) : 0;
}
