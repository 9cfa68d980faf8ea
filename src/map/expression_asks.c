/* Conditions mostly ask whether something is there, $exists($object.Item.ID) or $not($exists(Price)): for that no values are made. */
#include "map/expression_private.h"

static bool is_plain(const struct node *n)
{
	return !n->predicates && !n->stages && !n->keep && !n->cons;
}

/* Names from an object or a variable on. */
static bool is_way(struct node *n)
{
	if (n->kind != N_PATH || !is_plain(n) || (n->a->kind == N_VARIABLE && (!n->a->text.n || slice_is(n->a->text, "$") || !n->a->next)))
		return false;
	for (struct node *step = n->a; step; step = step->next) {
		if (!is_plain(step) || (step->kind != N_NAME && !(step == n->a && step->kind == N_VARIABLE)))
			return false;
		step->hash = tree_hash(step->text);
	}
	return true;
}

bool expression_only_asks(struct node *n)
{
	if (!is_plain(n))
		return false;
	if (n->kind == N_BINARY)
		return (n->op == OP_OR || n->op == OP_AND) && expression_only_asks(n->a) && expression_only_asks(n->b);
	if (n->kind != N_CALL || !n->builtin || !n->a || n->a->next)
		return false;
	if (strcmp(n->builtin->name, "not") == 0)
		return expression_only_asks(n->a);
	return strcmp(n->builtin->name, "exists") == 0 && is_way(n->a);
}

static const struct tree *member(const struct tree *object, const struct node *step)
{
	const struct tree *t = object->first;
	while (t && ((t->hash && t->hash != step->hash) || !slice_eq(t->name, step->text)))
		t = t->next;
	return t;
}

static int is_there(const struct node *way, const struct tree *at, const struct expression_variable *variables, size_t count)
{
	const struct node *step = way->a;
	if (step->kind == N_VARIABLE) {
		at = NULL;
		for (size_t i = 0; i < count; i++)
			if (slice_eq(variables[i].name, step->text))
				at = variables[i].value;
		step = step->next;
	}
	for (; step && at && at->kind == TREE_OBJECT; step = step->next) {
		at = member(at, step);
		if (!at)
			return 0;
	}
	return step || !at || at->kind == TREE_ARRAY ? -1 : 1;
}

static int answer(const struct node *n, const struct tree *input, const struct expression_variable *variables, size_t count)
{
	if (n->kind == N_BINARY) {
		int left = answer(n->a, input, variables, count);
		return left < 0 || left == (n->op == OP_OR) ? left : answer(n->b, input, variables, count);
	}
	if (n->a->kind == N_PATH)
		return is_there(n->a, input, variables, count);
	int not = answer(n->a, input, variables, count);
	return not < 0 ? not : !not;
}

int expression_asks(const struct expression *x, const struct tree *input, const struct expression_variable *variables, size_t count)
{
	return x->asks ? answer(x->root, input, variables, count) : -1;
}
