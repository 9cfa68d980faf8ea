#include "map/units.h"

#include <stdbool.h>

#define STEPS_MAX 8   /* CA of BX of EA … */
#define EXACT_DIGITS ((decimal_digits)10000000000000000u * 100000000000000000u) /* 10^33: as many digits as a rounded result has */

/* A unit as a multiple of another, and the item whose packs count. */
struct unit {
	struct slice item, name;
	struct decimal factor;
};

struct conversion {
	units_table_fn table;
	void *ctx;
	struct van_error *e;
};

static struct unit split(struct slice s)
{
	struct unit u = {.name = slice_trim(s), .factor = decimal_int(1)};
	const char *blank = u.name.n ? memrchr(u.name.p, ' ', u.name.n) : NULL;
	if (blank) {
		u.item = slice_make(u.name.p, (size_t)(blank - u.name.p));
		u.name = slice_make(blank + 1, u.name.n - u.item.n - 1);
	}
	return u;
}

/* "12 EA" */
static int take_step(struct conversion *c, struct unit *u, struct slice of, struct slice what)
{
	struct slice rest = slice_trim(what), number = slice_cut(&rest, ' ');
	struct decimal factor;
	if (!rest.p || decimal_read(number, &factor) < 0 || factor.minus || !factor.digits)
		return van_error_set(c->e, VAN_EINVAL, "the table says that one %.*s is '%.*s'; it must be a number and a unit, like 12 EA",
			SLICE_ARG(of), SLICE_ARG(what));
	u->name = slice_trim(rest);
	if (decimal_multiply(&u->factor, &factor, &u->factor) < 0 || u->factor.digits >= EXACT_DIGITS)
		return van_error_set(c->e, VAN_ELIMIT, "the factors of %.*s have too many digits to stay exact", SLICE_ARG(of));
	return 1;
}

/* One step: the item's pack, a pack of any item, a factor. 0: there is none. */
static int step(struct conversion *c, struct unit *u)
{
	char key[256];
	struct slice what, of = u->name;
	int rc = 0;
	if (u->item.n && u->item.n + u->name.n + 1 <= sizeof key) {
		memcpy(key, u->item.p, u->item.n);
		key[u->item.n] = ' ';
		memcpy(key + u->item.n + 1, u->name.p, u->name.n);
		of = slice_make(key, u->item.n + u->name.n + 1);
		rc = c->table(c->ctx, SLICE("pack"), of, &what, c->e);
	}
	if (rc == 0) {
		of = u->name;
		rc = c->table(c->ctx, SLICE("pack"), of, &what, c->e);
	}
	if (rc == 0)
		rc = c->table(c->ctx, SLICE("unit-factor"), of, &what, c->e);
	return rc == 1 ? take_step(c, u, of, what) : rc;
}

/* All the ways from a unit down to what is made of nothing else. */
static int walk(struct conversion *c, struct slice unit, struct slice item, struct unit *v, int *ret_n)
{
	struct unit u = split(unit);
	int n = 0, rc = 1;
	if (!u.item.n)
		u.item = item;
	while (rc == 1) {
		if (n == STEPS_MAX)
			return van_error_set(c->e, VAN_ELIMIT, "%.*s is made of more than %d units, one in another, or of itself; look at the tables pack and "
				"unit-factor", SLICE_ARG(unit), STEPS_MAX);
		v[n++] = u;
		rc = step(c, &u);
	}
	*ret_n = n;
	return rc;
}

static int exact(struct conversion *c, const struct decimal *a, const struct decimal *product, const struct decimal *by, struct slice from, struct slice to)
{
	struct decimal back;
	if (a->digits < EXACT_DIGITS && decimal_multiply(a, by, &back) == 0 && decimal_compare(&back, product) == 0)
		return 0;
	return van_error_set(c->e, VAN_EINVAL, "%.*s in %.*s does not come out exact; say to how many places it is rounded", SLICE_ARG(from), SLICE_ARG(to));
}

static int compute(struct conversion *c, const struct decimal *q, const struct unit *a, const struct unit *b, int places, struct slice from,
	struct slice to, struct decimal *ret)
{
	struct decimal product;
	int rc = decimal_multiply(q, &a->factor, &product);
	if (rc == 0)
		rc = decimal_divide(&product, &b->factor, ret);
	if (rc < 0)
		return van_error_set(c->e, VAN_ELIMIT, "the quantity is too large or too small");
	if (places == UNITS_EXACT)
		return exact(c, ret, &product, &b->factor, from, to);
	return decimal_round(ret, places, DECIMAL_HALF_EVEN, ret);
}

int units_convert(const struct decimal *quantity, struct slice from, struct slice to, int places, units_table_fn table, void *ctx,
	struct decimal *ret, struct van_error *e)
{
	struct conversion c = {table, ctx, e};
	struct unit a[STEPS_MAX], b[STEPS_MAX];
	int na, nb, rc = walk(&c, from, SLICE_NONE, a, &na);
	if (rc == 0)
		rc = walk(&c, to, a[0].item, b, &nb);
	if (rc < 0)
		return rc;
	for (int i = 0; i < na; i++)
		for (int k = 0; k < nb; k++)
			if (slice_eq(a[i].name, b[k].name))
				return compute(&c, quantity, &a[i], &b[k], places, from, to, ret);
	return van_error_set(e, VAN_EINVAL, "nothing says how many %.*s a %.*s is; add it to the table pack (of an item) or unit-factor", SLICE_ARG(to),
		SLICE_ARG(from));
}

/* --- check digits ---------------------------------------------------------------------------------------------------------------- */

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n != 0;
}

char units_check_digit(struct slice digits)
{
	unsigned sum = 0;
	if (!all_digits(digits))
		return 0;
	for (size_t i = 0; i < digits.n; i++)
		sum += (unsigned)(digits.p[digits.n - 1 - i] - '0') * (i % 2 ? 1 : 3);
	return (char)('0' + (10 - sum % 10) % 10);
}

static bool check_digit_fits(struct slice s)
{
	return units_check_digit(slice_make(s.p, s.n - 1)) == s.p[s.n - 1];
}

const char *units_check_gtin(struct slice s)
{
	if (!all_digits(s) || (s.n != 8 && s.n != 12 && s.n != 13 && s.n != 14))
		return "a GTIN has 8, 12, 13 or 14 digits";
	return check_digit_fits(s) ? NULL : "the check digit of the GTIN is wrong";
}

const char *units_check_gln(struct slice s)
{
	if (!all_digits(s) || s.n != 13)
		return "a GLN has 13 digits";
	return check_digit_fits(s) ? NULL : "the check digit of the GLN is wrong";
}

const char *units_check_sscc(struct slice s)
{
	if (!all_digits(s) || s.n != 18)
		return "an SSCC has 18 digits";
	return check_digit_fits(s) ? NULL : "the check digit of the SSCC is wrong";
}

const char *units_check_duns(struct slice s)
{
	return all_digits(s) && (s.n == 9 || s.n == 13) ? NULL : "a D-U-N-S number has 9 digits, or 13 with a suffix";
}
