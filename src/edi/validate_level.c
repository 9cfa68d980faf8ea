/* HL segments: each level has an identifier of its own (HL01), names the one it stands below (HL02), which must still be
 * open as the tree is sent depth first, and may only be of a kind (HL03) that can stand there (`level` in dictionaries).
 *
 * Acknowledgements have no code for a wrong tree; a wrong reference is an invalid code value (AK403 7). So is an LE that ends
 * another loop than its LS began. */
#include "edi/validate_private.h"

#define ID_ELEMENT 1
#define PARENT_ELEMENT 2
#define KIND_ELEMENT 3

static void problem(struct edi_validator *v, enum edi_fault fault, unsigned element, struct slice value)
{
	const struct edi_segment_def *def = v->message->nodes[v->at].segment;
	edi_problem_add(v, &(struct edi_problem){.fault = fault, .element = element, .value = value,
		.definition = def && element <= def->count ? def->fields[element - 1].element : NULL});
}

/* Is the level that is named still open? Those below it are closed then. */
static bool find_parent(struct edi_levels *l, struct slice id)
{
	for (uint32_t depth = l->depth; depth > 0; depth--) {
		const struct edi_open_level *open = &l->open[depth - 1];
		if (slice_eq(slice_make(open->id, open->id_length), id)) {
			l->depth = depth;
			return true;
		}
	}
	return false;
}

static bool may_stand(const struct edi_message_def *m, struct slice kind, struct slice parent)
{
	bool listed = false;
	for (const struct edi_hl_rule *x = m->levels; x; x = x->next) {
		if (!slice_eq(x->code, kind))
			continue;
		listed = true;
		if (!parent.p && x->top)
			return true;
		for (uint32_t i = 0; parent.p && i < x->count; i++)
			if (slice_eq(x->under[i], parent))
				return true;
	}
	return !listed;
}

static void open_level(struct edi_levels *l, struct slice id, struct slice kind)
{
	if (l->depth == EDI_DEEPEST_LEVEL)
		l->depth--; /* the one above stays findable */
	struct edi_open_level *open = &l->open[l->depth++];
	open->id_length = (uint8_t)(id.n < sizeof open->id ? id.n : sizeof open->id);
	open->kind_length = (uint8_t)(kind.n < sizeof open->kind ? kind.n : sizeof open->kind);
	memcpy(open->id, id.p, open->id_length);
	memcpy(open->kind, kind.p, open->kind_length);
}

void edi_check_level(struct edi_validator *v, const struct edi_segment *s)
{
	struct edi_levels *l = &v->levels;
	struct slice id = edi_segment_element(s, ID_ELEMENT), parent = edi_segment_element(s, PARENT_ELEMENT);
	struct slice kind = edi_segment_element(s, KIND_ELEMENT);
	if (!id.n || !kind.n)
		return; /* reported as missing */
	if (!number_set_add(&l->ids, id))
		problem(v, EDI_FAULT_LEVEL_ID, ID_ELEMENT, id);
	if (!parent.n) {
		if (may_stand(v->message, kind, SLICE_NONE))
			l->depth = 0;
		else
			problem(v, EDI_FAULT_MISSING_ELEMENT, PARENT_ELEMENT, SLICE_NONE);
	} else if (find_parent(l, parent)) {
		const struct edi_open_level *open = &l->open[l->depth - 1];
		if (!may_stand(v->message, kind, slice_make(open->kind, open->kind_length)))
			problem(v, EDI_FAULT_LEVEL_PARENT, PARENT_ELEMENT, parent);
	} else {
		problem(v, EDI_FAULT_LEVEL_PARENT, PARENT_ELEMENT, parent);
	}
	open_level(l, id, kind);
}

void edi_check_bounds(struct edi_validator *v, const struct edi_segment *s, bool begin)
{
	struct edi_bounds *b = &v->bounds;
	struct slice id = edi_segment_element(s, ID_ELEMENT);
	if (begin && b->depth < EDI_DEEPEST_BOUNDS) {
		b->open[b->depth].n = (uint8_t)(id.n < sizeof b->open->id ? id.n : sizeof b->open->id);
		memcpy(b->open[b->depth].id, id.p, b->open[b->depth].n);
	}
	if (begin) {
		b->depth++;
		return;
	}
	if (!b->depth)
		return; /* its LS is missing: reported */
	if (--b->depth < EDI_DEEPEST_BOUNDS && id.n && !slice_eq(id, slice_make(b->open[b->depth].id, b->open[b->depth].n)))
		problem(v, EDI_FAULT_LOOP_ID, ID_ELEMENT, id);
}
