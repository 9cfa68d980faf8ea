#include "map/decimal.h"

#define PRODUCT_DIGITS 38 /* most digits that a shift in one step may add: 10^38 fits 128 bits */

/* 256 bits, least first: a product of two numbers, or one shifted by 10^38. */
struct wide {
	uint64_t w[4];
};

static decimal_digits power_of_ten(unsigned n)
{
	decimal_digits v = 1;
	while (n--)
		v *= 10;
	return v;
}

/* --- wide numbers ------------------------------------------------------------------------------------------------------ */

static struct wide widen(decimal_digits v)
{
	return (struct wide){{(uint64_t)v, (uint64_t)(v >> 64), 0, 0}};
}

static struct wide wide_multiply(decimal_digits a, decimal_digits b)
{
	uint64_t x[2] = {(uint64_t)a, (uint64_t)(a >> 64)}, y[2] = {(uint64_t)b, (uint64_t)(b >> 64)};
	struct wide r = {{0}};
	for (int i = 0; i < 2; i++) {
		decimal_digits carry = 0;
		for (int k = 0; k < 2; k++) {
			decimal_digits t = (decimal_digits)x[i] * y[k] + r.w[i + k] + carry;
			r.w[i + k] = (uint64_t)t;
			carry = t >> 64;
		}
		r.w[i + 2] = (uint64_t)carry;
	}
	return r;
}

static int wide_compare(const struct wide *a, const struct wide *b)
{
	for (int i = 3; i >= 0; i--)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	return 0;
}

static struct wide wide_add(const struct wide *a, const struct wide *b)
{
	struct wide r;
	decimal_digits carry = 0;
	for (int i = 0; i < 4; i++) {
		carry += (decimal_digits)a->w[i] + b->w[i];
		r.w[i] = (uint64_t)carry;
		carry >>= 64;
	}
	return r;
}

/* a - b, a not below b. */
static struct wide wide_subtract(const struct wide *a, const struct wide *b)
{
	struct wide r;
	uint64_t borrow = 0;
	for (int i = 0; i < 4; i++) {
		decimal_digits t = (decimal_digits)a->w[i] - b->w[i] - borrow;
		r.w[i] = (uint64_t)t;
		borrow = (t >> 64) != 0;
	}
	return r;
}

/* Returns the remainder. */
static unsigned wide_divide_by_ten(struct wide *a)
{
	decimal_digits rest = 0;
	for (int i = 3; i >= 0; i--) {
		rest = rest << 64 | a->w[i];
		a->w[i] = (uint64_t)(rest / 10);
		rest %= 10;
	}
	return (unsigned)rest;
}

/* By a number below 2^127, bit by bit. */
static struct wide wide_divide(const struct wide *a, decimal_digits by, decimal_digits *rest)
{
	struct wide q = {{0}};
	*rest = 0;
	for (int i = 255; i >= 0; i--) {
		*rest = *rest << 1 | (a->w[i / 64] >> (i % 64) & 1);
		if (*rest >= by) {
			*rest -= by;
			q.w[i / 64] |= (uint64_t)1 << (i % 64);
		}
	}
	return q;
}

/* --- the one form ------------------------------------------------------------------------------------------------------ */

static int settle(struct decimal d, struct decimal *ret)
{
	while (d.digits && d.digits % 10 == 0) {
		d.digits /= 10;
		d.exponent++;
	}
	if (!d.digits)
		d = (struct decimal){0};
	if (d.exponent > DECIMAL_EXPONENT || d.exponent < -DECIMAL_EXPONENT)
		return VAN_ELIMIT;
	*ret = d;
	return 0;
}

/* Rounds to 34 digits, half to even. `more`: what is cut off already is not zero. */
static int settle_wide(struct wide v, int32_t exponent, bool minus, bool more, struct decimal *ret)
{
	const struct wide limit = widen(power_of_ten(DECIMAL_DIGITS));
	unsigned last = 0;
	while (wide_compare(&v, &limit) >= 0) {
		more |= last != 0;
		last = wide_divide_by_ten(&v);
		exponent++;
	}
	decimal_digits digits = (decimal_digits)v.w[1] << 64 | v.w[0];
	digits += last > 5 || (last == 5 && (more || digits & 1));
	return settle((struct decimal){digits, exponent, minus}, ret);
}

struct decimal decimal_int(int64_t v)
{
	struct decimal d = {v < 0 ? (decimal_digits)0 - (decimal_digits)v : (decimal_digits)v, 0, v < 0};
	settle(d, &d);
	return d;
}

/* --- text -------------------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool read_exponent(struct slice s, int32_t *exponent)
{
	bool minus = s.n && *s.p == '-';
	if (s.n && (*s.p == '-' || *s.p == '+'))
		s = slice_make(s.p + 1, s.n - 1);
	unsigned long long v;
	if (!s.n || !slice_u64(s, &v))
		return false;
	v = v > 100000 ? 100000 : v;
	*exponent += minus ? -(int32_t)v : (int32_t)v;
	return true;
}

int decimal_read(struct slice s, struct decimal *ret)
{
	struct decimal d = {.minus = s.n && *s.p == '-'};
	size_t i = d.minus, places = 0, zeros = 0, whole = 0;
	bool point = false, exact = true;
	int significant = 0;
	for (; i < s.n && (is_digit(s.p[i]) || (s.p[i] == '.' && !point && whole)); i++) {
		if (s.p[i] == '.') {
			point = true;
			continue;
		}
		places += point;
		whole += !point;
		if (s.p[i] == '0') {
			zeros++;
			continue;
		}
		/* zeros count only when a digit comes behind them */
		for (; zeros && exact; zeros--) {
			exact = !significant || significant < DECIMAL_DIGITS;
			d.digits *= 10;
			significant += significant > 0;
		}
		exact = exact && significant < DECIMAL_DIGITS;
		if (exact)
			d.digits = d.digits * 10 + (unsigned)(s.p[i] - '0');
		significant++;
	}
	if (!whole || (point && !places) || places > 100000)
		return VAN_ESYNTAX;
	d.exponent = (int32_t)zeros - (int32_t)places;
	if (i < s.n && ((s.p[i] | 32) != 'e' || !read_exponent(slice_make(s.p + i + 1, s.n - i - 1), &d.exponent)))
		return VAN_ESYNTAX;
	return exact ? settle(d, ret) : VAN_ELIMIT;
}

/* Digits of a number, most significant first; returns how many. */
static int split_digits(decimal_digits v, char to[40])
{
	char reverse[40];
	int n = 0;
	do {
		reverse[n++] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v);
	for (int i = 0; i < n; i++)
		to[i] = reverse[n - 1 - i];
	return n;
}

size_t decimal_write_places(const struct decimal *d, uint32_t places, char *to)
{
	char digits[40];
	int n = split_digits(d->digits, digits), whole = n + d->exponent;
	size_t at = 0;
	if (d->minus)
		to[at++] = '-';
	if (whole <= 0)
		to[at++] = '0';
	for (int i = 0; i < whole; i++)
		to[at++] = i < n ? digits[i] : '0';
	if (places)
		to[at++] = '.';
	for (int i = whole; i < whole + (int)places; i++)
		to[at++] = i >= 0 && i < n && d->digits ? digits[i] : '0';
	to[at] = 0;
	return at;
}

size_t decimal_write(const struct decimal *d, char *to)
{
	return decimal_write_places(d, d->exponent < 0 ? (uint32_t)-d->exponent : 0, to);
}

/* --- arithmetic -------------------------------------------------------------------------------------------------------- */

/* Brings both to the smaller exponent; what is more than 38 places smaller counts only as "something". */
static void align(const struct decimal *large, const struct decimal *small, struct wide *a, struct wide *b, int32_t *exponent)
{
	int32_t d = large->exponent - small->exponent;
	bool far = d > PRODUCT_DIGITS;
	*a = wide_multiply(large->digits, power_of_ten(far ? PRODUCT_DIGITS : (unsigned)d));
	*b = widen(far ? small->digits != 0 : small->digits);
	*exponent = far ? large->exponent - PRODUCT_DIGITS : small->exponent;
}

int decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *ret)
{
	struct wide x, y;
	int32_t exponent;
	if (!a->digits || !b->digits) {
		*ret = a->digits ? *a : *b;
		return 0;
	}
	if (a->exponent < b->exponent) {
		const struct decimal *t = a;
		a = b;
		b = t;
	}
	align(a, b, &x, &y, &exponent);
	if (a->minus == b->minus)
		return settle_wide(wide_add(&x, &y), exponent, a->minus, false, ret);
	bool swapped = wide_compare(&x, &y) < 0;
	return settle_wide(swapped ? wide_subtract(&y, &x) : wide_subtract(&x, &y), exponent, swapped ? b->minus : a->minus, false, ret);
}

int decimal_subtract(const struct decimal *a, const struct decimal *b, struct decimal *ret)
{
	struct decimal negative = *b;
	negative.minus = b->digits && !b->minus;
	return decimal_add(a, &negative, ret);
}

int decimal_multiply(const struct decimal *a, const struct decimal *b, struct decimal *ret)
{
	return settle_wide(wide_multiply(a->digits, b->digits), a->exponent + b->exponent, a->minus != b->minus, false, ret);
}

int decimal_divide(const struct decimal *a, const struct decimal *b, struct decimal *ret)
{
	if (!b->digits)
		return VAN_EINVAL;
	char room[40];
	/* so many zeros that the quotient has 35 digits or more */
	int shift = DECIMAL_DIGITS + 1 + split_digits(b->digits, room) - split_digits(a->digits, room);
	struct wide scaled = wide_multiply(a->digits, power_of_ten(shift > PRODUCT_DIGITS ? PRODUCT_DIGITS : (unsigned)shift));
	for (int i = PRODUCT_DIGITS; i < shift; i++) { /* times ten: 8 and 2 */
		struct wide two = wide_add(&scaled, &scaled), four = wide_add(&two, &two), eight = wide_add(&four, &four);
		scaled = wide_add(&eight, &two);
	}
	decimal_digits rest;
	struct wide q = wide_divide(&scaled, b->digits, &rest);
	return settle_wide(q, a->exponent - b->exponent - shift, a->minus != b->minus, rest != 0, ret);
}

int decimal_remainder(const struct decimal *a, const struct decimal *b, struct decimal *ret)
{
	if (!b->digits)
		return VAN_EINVAL;
	decimal_digits rest;
	if (a->exponent >= b->exponent) {
		rest = a->digits % b->digits;
		for (int32_t i = b->exponent; i < a->exponent; i++)
			rest = rest * 10 % b->digits;
		return settle((struct decimal){rest, b->exponent, a->minus}, ret);
	}
	struct decimal size = *a, by = *b;
	size.minus = by.minus = false;
	*ret = *a;
	if (decimal_compare(&size, &by) < 0)
		return 0;
	/* b is not above a, so its digits at a's exponent are not above a's */
	return settle((struct decimal){a->digits % (b->digits * power_of_ten((unsigned)(b->exponent - a->exponent))), a->exponent, a->minus}, ret);
}

static int compare_size(const struct decimal *a, const struct decimal *b)
{
	struct wide x, y;
	int32_t exponent;
	bool swapped = a->exponent < b->exponent;
	if (!a->digits || !b->digits)
		return (a->digits != 0) - (b->digits != 0);
	align(swapped ? b : a, swapped ? a : b, &x, &y, &exponent);
	int order = wide_compare(&x, &y);
	return swapped ? -order : order;
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
	if (a->minus != b->minus)
		return a->minus ? -1 : 1;
	int order = compare_size(a, b);
	return a->minus ? -order : order;
}

int decimal_round(const struct decimal *a, int32_t places, enum decimal_rounding how, struct decimal *ret)
{
	struct decimal d = *a;
	unsigned last = 0;
	bool more = false;
	*ret = d;
	if (!d.digits || -d.exponent <= places)
		return 0;
	for (int cut = -d.exponent - places; cut > 0; cut--) {
		more |= last != 0;
		last = (unsigned)(d.digits % 10);
		d.digits /= 10;
		if (!d.digits && !last && cut > 1) { /* all is gone, and its half too */
			more = true;
			break;
		}
	}
	bool away = how == DECIMAL_HALF_EVEN ? last > 5 || (last == 5 && (more || d.digits & 1))
	                                     : (last || more) && d.minus == (how == DECIMAL_FLOOR);
	d.digits += away;
	d.exponent = -places;
	return settle(d, ret);
}

bool decimal_to_int(const struct decimal *a, int64_t *ret)
{
	if (a->exponent < 0 || a->exponent > 18)
		return false;
	struct wide v = wide_multiply(a->digits, power_of_ten((unsigned)a->exponent));
	if (v.w[1] || v.w[2] || v.w[3] || v.w[0] > INT64_MAX)
		return false;
	*ret = a->minus ? -(int64_t)v.w[0] : (int64_t)v.w[0];
	return true;
}
