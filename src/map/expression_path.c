/* Paths and what filters them; operators between two values. */
#include "map/expression_private.h"

/* --- filters ----------------------------------------------------------------------------------------------------------- */

/* A number counts from the beginning, or from the end. */
static bool is_index(const struct decimal *d, uint32_t count, uint32_t index)
{
	struct decimal whole;
	int64_t i;
	if (decimal_round(d, 0, DECIMAL_FLOOR, &whole) < 0 || !decimal_to_int(&whole, &i))
		return false;
	return (i < 0 ? i + (int64_t)count : i) == (int64_t)index;
}

static int by_index(struct run *r, const struct node *predicate, const struct list *l, struct value *ret)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (is_index(&predicate->number, l->n, i)) {
			if (l->v[i].kind != V_ARRAY)
				return list_push(r, predicate, ret->list, &l->v[i]);
			*ret = l->v[i];
			return 0;
		}
	return 0;
}

/* Adds the item as often as the numbers name it; *numbers: they were numbers. */
static int by_numbers(struct run *r, const struct node *at, const struct value *found, const struct list *l, uint32_t index,
	struct list *to, bool *numbers)
{
	struct value single[1] = {*found};
	struct list one = {.v = single, .n = 1};
	const struct list *all = found->kind == V_ARRAY ? value_list(r, found) : &one;
	struct decimal d;
	int rc = all ? 0 : run_no_memory(r, at);
	*numbers = rc == 0 && all->n > 0;
	for (uint32_t i = 0; rc == 0 && *numbers && i < all->n; i++)
		*numbers = all->v[i].kind == V_NUMBER;
	for (uint32_t i = 0; rc == 0 && *numbers && i < all->n; i++) {
		rc = value_read_number(r, at, &all->v[i], &d);
		if (rc == 0 && is_index(&d, l->n, index))
			rc = list_push(r, at, to, &l->v[index]);
	}
	return rc;
}

int run_filter(struct run *r, const struct node *predicate, const struct value *input, struct frame *frame, struct value *ret)
{
	struct value in = *input;
	int rc = value_new_list(r, predicate, true, ret);
	if (rc == 0 && in.kind != V_ARRAY) {
		rc = value_new_list(r, predicate, true, &in);
		if (rc == 0 && input->kind != V_NOTHING)
			rc = list_push(r, predicate, in.list, input);
	}
	const struct list *l = rc == 0 ? value_list(r, &in) : NULL;
	if (!l)
		return rc < 0 ? rc : run_no_memory(r, predicate);
	if (predicate->kind == N_NUMBER && !predicate->predicates)
		return by_index(r, predicate, l, ret);
	for (uint32_t i = 0; i < l->n && rc == 0; i++) {
		struct value found;
		bool numbers = false;
		rc = run_node(r, predicate, &l->v[i], frame, &found);
		if (rc == 0 && (found.kind == V_NUMBER || found.kind == V_ARRAY))
			rc = by_numbers(r, predicate, &found, l, i, ret->list, &numbers);
		if (rc == 0 && !numbers && value_true(r, &found))
			rc = list_push(r, predicate, ret->list, &l->v[i]);
	}
	return rc;
}

/* --- paths ------------------------------------------------------------------------------------------------------------- */

static int run_stages(struct run *r, const struct node *step, struct frame *frame, struct value *v)
{
	int rc = 0;
	for (const struct node *s = step->stages; s && rc == 0; s = s->next) {
		struct value all = *v;
		rc = run_filter(r, s->a, &all, frame, v);
	}
	return rc;
}

/* One step for all that the steps before have found; arrays are flattened, unless one is all there is in the end. */
static int run_step(struct run *r, const struct node *step, const struct list *in, bool last, struct frame *frame, struct value *ret)
{
	struct value found;
	int rc = value_new_list(r, step, true, &found);
	for (uint32_t i = 0; i < in->n && rc == 0; i++) {
		struct value v;
		rc = run_node(r, step, &in->v[i], frame, &v);
		rc = rc < 0 ? rc : run_stages(r, step, frame, &v);
		if (rc == 0 && v.kind != V_NOTHING)
			rc = list_push(r, step, found.list, &v);
	}
	if (rc < 0)
		return rc;
	const struct list *l = found.list;
	if (last && l->n == 1 && l->v[0].kind == V_ARRAY && !(l->v[0].list && l->v[0].list->sequence)) {
		*ret = l->v[0];
		return 0;
	}
	rc = value_new_list(r, step, true, ret);
	for (uint32_t i = 0; i < l->n && rc == 0; i++)
		rc = l->v[i].kind == V_ARRAY && l->v[i].list && l->v[i].list->cons ? list_push(r, step, ret->list, &l->v[i])
		                                                                  : list_push_all(r, step, ret->list, &l->v[i]);
	return rc;
}

/* Names from object to object need no lists. Returns the first step that does, NULL at the end. */
static const struct node *run_plain_steps(const struct node *step, struct value *v)
{
	for (; step && step->kind == N_NAME && !step->stages && !step->keep && v->kind == V_OBJECT; step = step->next) {
		struct value next = value_of_tree(tree_find(v->tree, step->text));
		if (next.kind == V_ARRAY && step->next)
			return step;
		*v = next;
	}
	return v->kind == V_NOTHING ? NULL : step;
}

/* A variable that holds an object, and names from there on. */
static bool begins_at_object(struct run *r, const struct node *first, const struct value *input, struct frame *frame, struct value *at)
{
	return first->kind == N_VARIABLE && !first->stages && !first->keep && !first->predicates && run_node(r, first, input, frame, at) == 0 &&
	       at->kind == V_OBJECT;
}

int run_path(struct run *r, const struct node *n, const struct value *input, struct frame *frame, struct value *ret)
{
	struct value at = *input;
	const struct node *step = n->a;
	int rc = 0;
	if (!n->keep && n->a->next && begins_at_object(r, n->a, input, frame, &at)) {
		step = run_plain_steps(n->a->next, &at);
	} else {
		at = *input;
		step = n->keep ? n->a : run_plain_steps(n->a, &at);
	}
	if (!step) {
		*ret = at;
		return 0;
	}
	if (at.kind != V_ARRAY || n->a->kind == N_VARIABLE) {
		struct value one = at;
		rc = value_new_list(r, n, true, &at);
		rc = rc < 0 || one.kind == V_NOTHING ? rc : list_push(r, n, at.list, &one);
	}
	*ret = at;
	for (bool first = step == n->a; step && rc == 0; step = step->next, first = false) {
		struct value in = *ret;
		const struct list *l = in.kind == V_ARRAY ? value_list(r, &in) : NULL;
		if (in.kind == V_ARRAY && !l)
			return run_no_memory(r, step);
		if (first && step->cons)
			rc = run_node(r, step, &in, frame, ret);
		else if (l)
			rc = run_step(r, step, l, !step->next, frame, ret);
		if (rc == 0 && (ret->kind != V_ARRAY || (ret->list && !ret->list->n)))
			break;
	}
	if (rc == 0 && n->keep && ret->kind == V_ARRAY && ret->list)
		ret->list->keep = true;
	return rc;
}

/* --- operators --------------------------------------------------------------------------------------------------------- */

static int arithmetic(struct run *r, const struct node *n, const struct value *a, const struct value *b, struct value *ret)
{
	static const struct {
		char op;
		const char *left, *right;
		int (*fn)(const struct decimal *, const struct decimal *, struct decimal *);
	} operators[] = {{'+', "left of + stands", "right of + stands", decimal_add}, {'-', "left of - stands", "right of - stands", decimal_subtract},
		{'*', "left of * stands", "right of * stands", decimal_multiply}, {'/', "left of / stands", "right of / stands", decimal_divide},
		{'%', "left of % stands", "right of % stands", decimal_remainder}};
	struct decimal x = {0}, y = {0}, z;
	size_t i = 0;
	while (operators[i].op != n->op)
		i++;
	int rc = a->kind == V_NOTHING ? 0 : value_need_number(r, n, a, operators[i].left, &x);
	rc = rc < 0 || b->kind == V_NOTHING ? rc : value_need_number(r, n, b, operators[i].right, &y);
	if (rc < 0 || a->kind == V_NOTHING || b->kind == V_NOTHING)
		return rc;
	rc = operators[i].fn(&x, &y, &z);
	if (rc == VAN_EINVAL)
		return run_fail(r, n, "division by zero; ask for it first: b = 0 ? 0 : a / b");
	if (rc < 0)
		return expression_fail(r->x->text, n->at, r->e, VAN_ELIMIT, "the result is too large or too small");
	return value_number(r, n, &z, ret);
}

static bool can_be_compared(const struct value *v)
{
	return v->kind == V_NOTHING || v->kind == V_TEXT || v->kind == V_NUMBER || (v->kind == V_OBJECT && tree_find(v->tree, SLICE("value")));
}

static int comparison(struct run *r, const struct node *n, const struct value *a, const struct value *b, struct value *ret)
{
	int order = 0;
	if (!can_be_compared(a) || !can_be_compared(b))
		return run_fail(r, n, "texts and numbers can be compared by size, not %s", value_kind_name(can_be_compared(a) ? b : a));
	if (a->kind == V_NOTHING || b->kind == V_NOTHING)
		return 0;
	int rc = value_order(r, n, a, b, &order);
	*ret = value_bool(n->op == '<' ? order < 0 : n->op == '>' ? order > 0 : n->op == OP_BELOW_EQUAL ? order <= 0 : order >= 0);
	return rc;
}

static int equality(struct run *r, const struct node *n, const struct value *a, const struct value *b, struct value *ret)
{
	bool equal = false, both = a->kind != V_NOTHING && b->kind != V_NOTHING;
	int rc = both ? value_equal(r, n, a, b, &equal) : 0;
	*ret = value_bool(both && equal == (n->op == '='));
	return rc;
}

static int is_in(struct run *r, const struct node *n, const struct value *a, const struct value *b, struct value *ret)
{
	bool found = false;
	struct value single[1] = {*b};
	struct list one = {.v = single, .n = 1};
	*ret = value_bool(false);
	if (a->kind == V_NOTHING || b->kind == V_NOTHING || a->kind >= V_OBJECT)
		return 0;
	const struct list *l = b->kind == V_ARRAY ? value_list(r, b) : &one;
	int rc = l ? 0 : run_no_memory(r, n);
	for (uint32_t i = 0; rc == 0 && !found && i < l->n; i++)
		if (l->v[i].kind < V_OBJECT)
			rc = value_equal(r, n, a, &l->v[i], &found);
	*ret = value_bool(found);
	return rc;
}

static int concatenation(struct run *r, const struct node *n, const struct value *a, const struct value *b, struct value *ret)
{
	struct slice x, y;
	int rc = value_to_text(r, n, a, &x);
	rc = rc < 0 ? rc : value_to_text(r, n, b, &y);
	if (rc < 0)
		return rc;
	rc = run_steps(r, n, (x.n + y.n) / 64);
	char *to = rc == 0 ? van_arena_alloc(r->room->arena, x.n + y.n + 1) : NULL;
	if (!to)
		return rc < 0 ? rc : run_no_memory(r, n);
	memcpy(to, x.p, x.n);
	memcpy(to + x.n, y.p, y.n);
	*ret = value_text(slice_make(to, x.n + y.n));
	return 0;
}

static int range(struct run *r, const struct node *n, const struct value *a, const struct value *b, struct value *ret)
{
	struct decimal d;
	int64_t from = 0, to = 0;
	const struct value *ends[] = {a, b};
	for (int i = 0; i < 2; i++) {
		if (ends[i]->kind == V_NOTHING)
			continue;
		int rc = value_need_number(r, n, ends[i], i ? "right of .. stands" : "left of .. stands", &d);
		if (rc < 0)
			return rc;
		if (!decimal_to_int(&d, i ? &to : &from))
			return run_fail(r, n, "ranges are of whole numbers");
	}
	if (a->kind == V_NOTHING || b->kind == V_NOTHING || from > to)
		return 0;
	int rc = run_steps(r, n, (uint64_t)to - (uint64_t)from);
	rc = rc < 0 ? rc : value_new_list(r, n, true, ret);
	for (int64_t i = from; rc == 0; i++) {
		struct value v;
		rc = value_int(r, n, i, &v);
		rc = rc < 0 ? rc : list_push(r, n, ret->list, &v);
		if (i == to)
			break;
	}
	return rc;
}

int run_binary(struct run *r, const struct node *n, const struct value *input, struct frame *frame, struct value *ret)
{
	struct value a, b;
	int rc = run_node(r, n->a, input, frame, &a);
	if (rc < 0)
		return rc;
	if (n->op == OP_AND || n->op == OP_OR) {
		bool yes = value_true(r, &a);
		if (yes == (n->op == OP_AND)) {
			rc = run_node(r, n->b, input, frame, &b);
			yes = rc == 0 && value_true(r, &b);
		}
		*ret = value_bool(yes);
		return rc;
	}
	rc = run_node(r, n->b, input, frame, &b);
	if (rc < 0)
		return rc;
	*ret = NOTHING;
	switch (n->op) {
	case '=':
	case OP_UNEQUAL: return equality(r, n, &a, &b, ret);
	case '<':
	case '>':
	case OP_BELOW_EQUAL:
	case OP_ABOVE_EQUAL: return comparison(r, n, &a, &b, ret);
	case '&': return concatenation(r, n, &a, &b, ret);
	case OP_IN: return is_in(r, n, &a, &b, ret);
	case OP_RANGE: return range(r, n, &a, &b, ret);
	default: return arithmetic(r, n, &a, &b, ret);
	}
}
