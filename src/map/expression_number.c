/* Functions of numbers, and of what is true. */
#include "map/expression_private.h"

#include <stdio.h>

static int out_of_range(struct call *c)
{
	return expression_fail(c->r->x->text, c->at->at, c->r->e, VAN_ELIMIT, "the result of $%s is too large or too small", c->builtin->name);
}

static int needed(struct call *c, const struct value *v, struct decimal *ret)
{
	char what[40];
	snprintf(what, sizeof what, "$%s takes", c->builtin->name);
	return value_need_number(c->r, c->at, v, what, ret);
}

/* --- of many ----------------------------------------------------------------------------------------------------------- */

static int add_up(struct call *c, struct decimal *sum, uint32_t *count)
{
	const struct list *l = value_list(c->r, &c->a[0]);
	int rc = l ? 0 : run_no_memory(c->r, c->at);
	*sum = decimal_int(0);
	for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
		struct decimal d;
		rc = needed(c, &l->v[i], &d);
		if (rc == 0 && decimal_add(sum, &d, sum) < 0)
			rc = out_of_range(c);
	}
	*count = rc == 0 ? l->n : 0;
	return rc;
}

static int sum(struct call *c, struct value *ret)
{
	struct decimal d;
	uint32_t count;
	int rc = add_up(c, &d, &count);
	return rc < 0 ? rc : value_number(c->r, c->at, &d, ret);
}

static int average(struct call *c, struct value *ret)
{
	struct decimal d, by;
	uint32_t count;
	int rc = add_up(c, &d, &count);
	if (rc < 0 || !count)
		return rc;
	by = decimal_int(count);
	return decimal_divide(&d, &by, &d) < 0 ? out_of_range(c) : value_number(c->r, c->at, &d, ret);
}

static int extreme(struct call *c, int sign, struct value *ret)
{
	const struct list *l = value_list(c->r, &c->a[0]);
	struct decimal best = {0}, d;
	int rc = l ? 0 : run_no_memory(c->r, c->at);
	for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
		rc = needed(c, &l->v[i], &d);
		if (rc == 0 && (i == 0 || decimal_compare(&d, &best) * sign > 0))
			best = d;
	}
	return rc < 0 || !l->n ? rc : value_number(c->r, c->at, &best, ret);
}

static int max(struct call *c, struct value *ret)
{
	return extreme(c, 1, ret);
}

static int min(struct call *c, struct value *ret)
{
	return extreme(c, -1, ret);
}

/* --- of one ------------------------------------------------------------------------------------------------------------ */

static int number(struct call *c, struct value *ret)
{
	struct decimal d;
	if (c->a[0].kind == V_BOOL)
		return value_int(c->r, c->at, c->a[0].truth, ret);
	int rc = needed(c, &c->a[0], &d);
	return rc < 0 ? rc : value_number(c->r, c->at, &d, ret);
}

static int absolute(struct call *c, struct value *ret)
{
	struct decimal d;
	int rc = needed(c, &c->a[0], &d);
	d.minus = false;
	return rc < 0 ? rc : value_number(c->r, c->at, &d, ret);
}

static int places_of(struct call *c, const struct value *v, int32_t *places)
{
	struct decimal d;
	int64_t n;
	int rc = needed(c, v, &d);
	if (rc == 0 && (!decimal_to_int(&d, &n) || n < -100 || n > 100))
		rc = run_fail(c->r, c->at, "the places of $%s are a whole number from -100 to 100", c->builtin->name);
	if (rc == 0)
		*places = (int32_t)n;
	return rc;
}

static int rounded(struct call *c, enum decimal_rounding how, struct value *ret)
{
	struct decimal d;
	int32_t places = 0;
	int rc = needed(c, &c->a[0], &d);
	if (rc == 0 && c->a[1].kind != V_NOTHING)
		rc = places_of(c, &c->a[1], &places);
	if (rc == 0 && decimal_round(&d, places, how, &d) < 0)
		rc = out_of_range(c);
	return rc < 0 ? rc : value_number(c->r, c->at, &d, ret);
}

static int rounding(struct call *c, struct value *ret)
{
	return rounded(c, DECIMAL_HALF_EVEN, ret);
}

static int floor_of(struct call *c, struct value *ret)
{
	return rounded(c, DECIMAL_FLOOR, ret);
}

static int ceiling(struct call *c, struct value *ret)
{
	return rounded(c, DECIMAL_CEILING, ret);
}

/* Exactly so many places, as a text: money keeps its cents. */
static int fixed(struct call *c, struct value *ret)
{
	char text[DECIMAL_TEXT];
	struct decimal d;
	int32_t places = 0;
	int rc = needed(c, &c->a[0], &d);
	rc = rc < 0 ? rc : places_of(c, &c->a[1], &places);
	if (rc == 0 && places < 0)
		return run_fail(c->r, c->at, "the places of $fixed are a whole number from 0 to 100");
	if (rc < 0 || decimal_round(&d, places, DECIMAL_HALF_EVEN, &d) < 0)
		return rc < 0 ? rc : out_of_range(c);
	size_t n = decimal_write_places(&d, (uint32_t)places, text);
	struct slice s = van_arena_slice(c->r->room->arena, slice_make(text, n));
	*ret = value_text(s);
	return s.p ? 0 : run_no_memory(c->r, c->at);
}

/* --- what is true ------------------------------------------------------------------------------------------------------ */

static int boolean(struct call *c, struct value *ret)
{
	*ret = value_bool(value_true(c->r, &c->a[0]));
	return 0;
}

static int not(struct call *c, struct value *ret)
{
	*ret = value_bool(!value_true(c->r, &c->a[0]));
	return 0;
}

static int exists(struct call *c, struct value *ret)
{
	*ret = value_bool(c->a[0].kind != V_NOTHING);
	return 0;
}

const struct builtin builtins_number[] = {
	{.name = "sum", .signature = "a", .fn = sum},
	{.name = "average", .signature = "a", .fn = average},
	{.name = "max", .signature = "a", .fn = max},
	{.name = "min", .signature = "a", .fn = min},
	{.name = "number", .signature = "x-", .fn = number},
	{.name = "abs", .signature = "n-", .fn = absolute},
	{.name = "round", .signature = "n-n?", .fn = rounding},
	{.name = "floor", .signature = "n-", .fn = floor_of},
	{.name = "ceil", .signature = "n-", .fn = ceiling},
	{.name = "boolean", .signature = "x-", .fn = boolean},
	{.name = "not", .signature = "x-", .fn = not},
	{.name = "exists", .signature = "x", .fn = exists, .nothing = true},
	{.name = "fixed", .signature = "nn", .fn = fixed},
	{.name = NULL},
};
