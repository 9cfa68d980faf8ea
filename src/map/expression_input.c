/* Whether an expression looks at its input: what is not asked for need not be made. */
#include "map/expression_private.h"

static bool looks(const struct node *n);

static bool any_looks(const struct node *first)
{
	bool any = false;
	for (const struct node *n = first; n && !any; n = n->next)
		any = looks(n);
	return any;
}

/* An argument that is left out may be the input. */
static bool call_looks(const struct node *n)
{
	uint32_t given = 0, takes = 0;
	for (const struct node *a = n->a; a; a = a->next)
		given++;
	for (const char *s = n->builtin ? n->builtin->signature : ""; *s; s++)
		takes += *s != '?' && *s != '-';
	return !n->builtin || (given < takes && strchr(n->builtin->signature, '-')) || any_looks(n->a);
}

/* Steps behind the first look at what the one before has found. */
static bool path_looks(const struct node *n)
{
	bool any = !n->a || n->a->stages || looks(n->a);
	for (const struct node *step = n->a ? n->a->next : NULL; step && !any; step = step->next)
		any = step->kind != N_NAME || step->stages || step->predicates;
	return any;
}

/* What is not known here counts as looking. */
static bool looks(const struct node *n)
{
	if (n->predicates || n->stages)
		return true;
	switch (n->kind) {
	case N_TEXT:
	case N_NUMBER:
	case N_BOOL: return false;
	case N_VARIABLE: return !n->text.n || slice_is(n->text, "$");
	case N_PATH: return path_looks(n);
	case N_BINARY: return looks(n->a) || looks(n->b);
	case N_NEGATE: return looks(n->a);
	case N_CONDITION:
	case N_ELSE:
	case N_COALESCE: return looks(n->a) || (n->b && looks(n->b)) || (n->c && looks(n->c));
	case N_CALL: return call_looks(n);
	default: return true;
	}
}

bool expression_takes_input(const struct expression *x)
{
	return x->input;
}

void expression_find_input(struct expression *x)
{
	x->input = looks(x->root);
}
