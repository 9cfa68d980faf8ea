/* Functions of trade: units of measure, GS1 and D-U-N-S numbers. */
#include "map/expression_private.h"
#include "map/units.h"

/* --- units --------------------------------------------------------------------------------------------------------------------- */

/* A table that nobody has made says nothing. */
static int ask_table(void *ctx, struct slice table, struct slice unit, struct slice *ret, struct van_error *e)
{
	const struct expression_context *c = ctx;
	struct van_error why = {0};
	int rc = c->table ? c->table(c->table_ctx, table, unit, ret, &why) : 0;
	if (rc < 0 && rc != VAN_ENOTFOUND && e)
		*e = why;
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static int convert(struct call *c, struct value *ret)
{
	struct decimal q, places, result;
	struct slice from, to;
	struct van_error e = {0};
	struct run *r = c->r;
	int64_t n = UNITS_EXACT;
	int rc = value_need_number(r, c->at, &c->a[0], "$convert takes", &q);
	rc = rc < 0 ? rc : value_to_text(r, c->at, &c->a[1], &from);
	rc = rc < 0 ? rc : value_to_text(r, c->at, &c->a[2], &to);
	if (rc == 0 && c->a[3].kind != V_NOTHING) {
		rc = value_need_number(r, c->at, &c->a[3], "$convert takes", &places);
		if (rc == 0 && (!decimal_to_int(&places, &n) || n < 0 || n > 30))
			return run_fail(r, c->at, "the places of $convert are a whole number from 0 to 30");
	}
	rc = rc < 0 ? rc : run_steps(r, c->at, 64);
	if (rc < 0)
		return rc;
	rc = units_convert(&q, from, to, (int)n, ask_table, (void *)r->context, &result, &e);
	if (rc < 0)
		return expression_fail(r->x->text, c->at->at, r->e, rc == VAN_ELIMIT ? VAN_ELIMIT : VAN_ESYNTAX, "$convert: %s", e.text);
	return value_number(r, c->at, &result, ret);
}

/* --- numbers with check digits --------------------------------------------------------------------------------------------------- */

typedef const char *check_fn(struct slice s);

static int checked(struct call *c, check_fn *check, struct slice *ret)
{
	int rc = value_to_text(c->r, c->at, &c->a[0], ret);
	const char *why = rc < 0 ? NULL : check(*ret);
	return why ? run_fail(c->r, c->at, "%s: '%.*s'", why, SLICE_ARG(*ret)) : rc;
}

static int just_checked(struct call *c, check_fn *check, struct value *ret)
{
	struct slice s;
	int rc = checked(c, check, &s);
	if (rc == 0)
		*ret = value_text(s);
	return rc;
}

static int is_one(struct call *c, check_fn *check, struct value *ret)
{
	struct slice s;
	int rc = value_to_text(c->r, c->at, &c->a[0], &s);
	if (rc == 0)
		*ret = value_bool(check(s) == NULL);
	return rc;
}

/* With as many digits as the second argument says: zeros before it come or go. */
static int gtin(struct call *c, struct value *ret)
{
	struct slice s;
	struct decimal d;
	int64_t digits = 0;
	int rc = checked(c, units_check_gtin, &s);
	if (rc < 0 || c->a[1].kind == V_NOTHING) {
		*ret = value_text(s);
		return rc;
	}
	rc = value_need_number(c->r, c->at, &c->a[1], "$gtin takes", &d);
	if (rc == 0 && (!decimal_to_int(&d, &digits) || (digits != 8 && digits != 12 && digits != 13 && digits != 14)))
		return run_fail(c->r, c->at, "the digits of a GTIN are 8, 12, 13 or 14");
	char *to = rc == 0 ? run_alloc(c->r, 14) : NULL;
	if (!to)
		return rc < 0 ? rc : run_no_memory(c->r, c->at);
	for (size_t n = (size_t)digits; s.n > n; s = slice_make(s.p + 1, s.n - 1))
		if (*s.p != '0')
			return run_fail(c->r, c->at, "a GTIN of so many digits can't be written with %d", (int)digits);
	memset(to, '0', 14);
	memcpy(to + digits - s.n, s.p, s.n);
	*ret = value_text(slice_make(to, (size_t)digits));
	return 0;
}

static int gln(struct call *c, struct value *ret) { return just_checked(c, units_check_gln, ret); }
static int sscc(struct call *c, struct value *ret) { return just_checked(c, units_check_sscc, ret); }
static int duns(struct call *c, struct value *ret) { return just_checked(c, units_check_duns, ret); }
static int is_gtin(struct call *c, struct value *ret) { return is_one(c, units_check_gtin, ret); }
static int is_gln(struct call *c, struct value *ret) { return is_one(c, units_check_gln, ret); }
static int is_sscc(struct call *c, struct value *ret) { return is_one(c, units_check_sscc, ret); }
static int is_duns(struct call *c, struct value *ret) { return is_one(c, units_check_duns, ret); }

const struct builtin builtins_trade[] = {
	{.name = "convert", .signature = "nxxn?", .fn = convert},
	{.name = "gtin", .signature = "xn?", .fn = gtin},
	{.name = "gln", .signature = "x", .fn = gln},
	{.name = "sscc", .signature = "x", .fn = sscc},
	{.name = "duns", .signature = "x", .fn = duns},
	{.name = "isGtin", .signature = "x", .fn = is_gtin},
	{.name = "isGln", .signature = "x", .fn = is_gln},
	{.name = "isSscc", .signature = "x", .fn = is_sscc},
	{.name = "isDuns", .signature = "x", .fn = is_duns},
	{.name = NULL},
};
