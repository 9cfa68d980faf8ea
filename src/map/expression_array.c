/* Functions of arrays and objects. */
#include "map/expression_private.h"

static int count(struct call *c, struct value *ret)
{
	const struct list *l = c->a[0].kind == V_ARRAY ? value_list(c->r, &c->a[0]) : NULL;
	if (c->a[0].kind == V_ARRAY && !l)
		return run_no_memory(c->r, c->at);
	return value_int(c->r, c->at, l ? l->n : 0, ret);
}

static int append(struct call *c, struct value *ret)
{
	if (c->a[0].kind == V_NOTHING || c->a[1].kind == V_NOTHING) {
		*ret = c->a[0].kind == V_NOTHING ? c->a[1] : c->a[0];
		return 0;
	}
	int rc = value_new_list(c->r, c->at, false, ret);
	rc = rc < 0 ? rc : list_push_all(c->r, c->at, ret->list, &c->a[0]);
	return rc < 0 ? rc : list_push_all(c->r, c->at, ret->list, &c->a[1]);
}

static int reverse(struct call *c, struct value *ret)
{
	const struct list *l = value_list(c->r, &c->a[0]);
	if (!l)
		return run_no_memory(c->r, c->at);
	*ret = c->a[0];
	if (l->n <= 1)
		return 0;
	int rc = value_new_list(c->r, c->at, false, ret);
	for (uint32_t i = l->n; rc == 0 && i-- > 0;)
		rc = list_push(c->r, c->at, ret->list, &l->v[i]);
	return rc;
}

static int distinct(struct call *c, struct value *ret)
{
	const struct list *l = c->a[0].kind == V_ARRAY ? value_list(c->r, &c->a[0]) : NULL;
	if (c->a[0].kind == V_ARRAY && !l)
		return run_no_memory(c->r, c->at);
	*ret = c->a[0];
	if (!l || l->n <= 1)
		return 0;
	int rc = value_new_list(c->r, c->at, l->sequence, ret);
	for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
		bool known = false;
		for (uint32_t k = 0; rc == 0 && !known && k < ret->list->n; k++)
			rc = value_equal(c->r, c->at, &l->v[i], &ret->list->v[k], &known);
		if (rc == 0 && !known)
			rc = list_push(c->r, c->at, ret->list, &l->v[i]);
	}
	return rc;
}

/* --- sorting ----------------------------------------------------------------------------------------------------------- */

struct sorting {
	struct call *c;
	bool numbers;
};

/* Does b go before a? */
static int goes_before(struct sorting *s, struct value *a, struct value *b, bool *ret)
{
	struct call *c = s->c;
	struct value found, pair[2] = {*a, *b};
	struct decimal x, y;
	int rc = run_steps(c->r, c->at, 1);
	if (rc < 0)
		return rc;
	if (c->count > 1 && c->a[1].kind == V_FUNCTION) {
		rc = run_function(c->r, c->at, &c->a[1], pair, function_arity(&c->a[1]) < 2 ? 1 : 2, &NOTHING, &found);
		*ret = rc == 0 && value_true(c->r, &found);
		return rc;
	}
	if (!s->numbers) {
		*ret = slice_cmp(a->text, b->text) > 0;
		return 0;
	}
	rc = value_read_number(c->r, c->at, a, &x);
	rc = rc < 0 ? rc : value_read_number(c->r, c->at, b, &y);
	*ret = rc == 0 && decimal_compare(&x, &y) > 0;
	return rc;
}

/* Stable, from the bottom up. */
static int merge_sort(struct sorting *s, struct value *v, struct value *other, uint32_t n)
{
	int rc = 0;
	for (uint32_t width = 1; width < n && rc == 0; width *= 2) {
		for (uint32_t from = 0; from < n && rc == 0; from += 2 * width) {
			uint32_t middle = n - from < width ? n : from + width, end = n - from < 2 * width ? n : from + 2 * width, a = from, b = middle;
			for (uint32_t to = from; to < end && rc == 0; to++) {
				bool take = a == middle;
				if (a < middle && b < end)
					rc = goes_before(s, &v[a], &v[b], &take);
				other[to] = take ? v[b++] : v[a++];
			}
		}
		memcpy(v, other, n * sizeof *v);
	}
	return rc;
}

/* All numbers or digits, or else all texts. */
static int find_order(struct sorting *s, const struct list *l)
{
	struct call *c = s->c;
	bool texts = true;
	s->numbers = true;
	for (uint32_t i = 0; i < l->n; i++) {
		struct decimal d;
		int rc = value_read_number(c->r, c->at, &l->v[i], &d);
		if (rc < 0)
			return rc;
		s->numbers = s->numbers && rc == 0;
		texts = texts && l->v[i].kind == V_TEXT;
	}
	return s->numbers || texts ? 0 : run_fail(c->r, c->at, "$sort takes numbers or texts; for others say how: $sort(a, function($x, $y) { $x.Price "
		"> $y.Price })");
}

static int sort(struct call *c, struct value *ret)
{
	struct sorting s = {.c = c};
	const struct list *l = value_list(c->r, &c->a[0]);
	*ret = c->a[0];
	if (!l)
		return run_no_memory(c->r, c->at);
	if (l->n <= 1)
		return 0;
	bool own = c->count > 1 && c->a[1].kind == V_FUNCTION;
	struct value *other = van_arena_array(c->r->room->arena, l->n, sizeof *other);
	int rc = !other ? run_no_memory(c->r, c->at) : own ? 0 : find_order(&s, l);
	rc = rc < 0 ? rc : value_new_list(c->r, c->at, false, ret);
	for (uint32_t i = 0; rc == 0 && i < l->n; i++)
		rc = list_push(c->r, c->at, ret->list, &l->v[i]);
	return rc < 0 ? rc : merge_sort(&s, ret->list->v, other, l->n);
}

/* --- functions for each item ------------------------------------------------------------------------------------------- */

/* Calls with the item, its number and the array, as many of them as the function takes. */
static int call_item(struct call *c, const struct list *l, uint32_t i, struct value *ret)
{
	struct value a[3] = {l->v[i], NOTHING, c->a[0]};
	uint32_t arity = function_arity(&c->a[1]);
	int rc = value_int(c->r, c->at, i, &a[1]);
	return rc < 0 ? rc : run_function(c->r, c->at, &c->a[1], a, arity < 1 ? 1 : arity > 3 ? 3 : arity, &NOTHING, ret);
}

static int each(struct call *c, bool filter, struct value *ret)
{
	const struct list *l = value_list(c->r, &c->a[0]);
	int rc = l ? value_new_list(c->r, c->at, true, ret) : run_no_memory(c->r, c->at);
	for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
		struct value v;
		rc = call_item(c, l, i, &v);
		if (rc == 0 && (filter ? value_true(c->r, &v) : v.kind != V_NOTHING))
			rc = list_push(c->r, c->at, ret->list, filter ? &l->v[i] : &v);
	}
	return rc;
}

static int map(struct call *c, struct value *ret)
{
	return each(c, false, ret);
}

static int filter(struct call *c, struct value *ret)
{
	return each(c, true, ret);
}

static int reduce(struct call *c, struct value *ret)
{
	const struct list *l = c->a[0].kind == V_ARRAY ? value_list(c->r, &c->a[0]) : NULL;
	uint32_t arity = c->a[1].kind == V_FUNCTION ? function_arity(&c->a[1]) : 0, i = 0;
	if (c->a[0].kind == V_NOTHING)
		return 0;
	if (!l)
		return run_no_memory(c->r, c->at);
	if (arity < 2)
		return run_fail(c->r, c->at, "the function that $reduce takes has two parameters: what came before, and the item");
	*ret = c->a[2];
	if (ret->kind == V_NOTHING && l->n)
		*ret = l->v[i++];
	for (int rc; i < l->n; i++) {
		struct value a[4] = {*ret, l->v[i], NOTHING, c->a[0]};
		rc = value_int(c->r, c->at, i, &a[2]);
		rc = rc < 0 ? rc : run_function(c->r, c->at, &c->a[1], a, arity > 4 ? 4 : arity, &NOTHING, ret);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- objects ----------------------------------------------------------------------------------------------------------- */

static int keys(struct call *c, struct value *ret)
{
	int rc = value_new_list(c->r, c->at, true, ret);
	for (const struct tree *t = c->a[0].kind == V_OBJECT ? c->a[0].tree->first : NULL; t && rc == 0; t = t->next) {
		struct value v = value_text(t->name);
		rc = list_push(c->r, c->at, ret->list, &v);
	}
	return rc;
}

static int lookup(struct call *c, struct value *ret)
{
	return value_member(c->r, c->at, &c->a[0], c->a[1].text, ret);
}

const struct builtin builtins_array[] = {
	{.name = "count", .signature = "a", .fn = count, .nothing = true},
	{.name = "append", .signature = "xx", .fn = append, .nothing = true},
	{.name = "reverse", .signature = "a", .fn = reverse},
	{.name = "distinct", .signature = "x", .fn = distinct},
	{.name = "sort", .signature = "af?", .fn = sort},
	{.name = "map", .signature = "af", .fn = map},
	{.name = "filter", .signature = "af", .fn = filter},
	{.name = "reduce", .signature = "afx?", .fn = reduce, .nothing = true},
	{.name = "keys", .signature = "x-", .fn = keys},
	{.name = "lookup", .signature = "x-s", .fn = lookup},
	{.name = NULL},
};
