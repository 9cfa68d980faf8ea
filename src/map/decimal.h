/* Decimal numbers of 34 significant digits, as IEEE 754's decimal128 has them: what fits is exact, the rest is rounded half to even.
 * No binary fractions: 0.1 + 0.2 is 0.3. */
#ifndef OPENVAN_MAP_DECIMAL_H
#define OPENVAN_MAP_DECIMAL_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

#define DECIMAL_DIGITS 34
#define DECIMAL_EXPONENT 1000 /* numbers of more places, before or behind the point, are refused */
#define DECIMAL_TEXT 2080     /* bytes that any number's text needs, with its NUL */

__extension__ typedef unsigned __int128 decimal_digits;

/* (minus ? -1 : 1) · digits · 10^exponent, with no zero at the end of digits: each number has one form. */
struct decimal {
	decimal_digits digits; /* below 10^34 */
	int32_t exponent;      /* 0 for zero */
	bool minus;            /* never for zero */
};

struct decimal decimal_int(int64_t v);
/* "-12.50", "1e3": digits before and behind the point, an exponent. VAN_ESYNTAX: not a number; VAN_ELIMIT: it has more than 34
 * significant digits, or too large an exponent. */
int decimal_read(struct slice s, struct decimal *ret);
/* Plain digits, never an exponent; `to` holds DECIMAL_TEXT bytes. Returns its length. */
size_t decimal_write(const struct decimal *d, char *to);
/* The same with exactly that many places (at most 100) behind the point; the number has no more (decimal_round first). */
size_t decimal_write_places(const struct decimal *d, uint32_t places, char *to);

/* 0 or VAN_ELIMIT (too large or small); division by zero is VAN_EINVAL. */
int decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *ret);
int decimal_subtract(const struct decimal *a, const struct decimal *b, struct decimal *ret);
int decimal_multiply(const struct decimal *a, const struct decimal *b, struct decimal *ret);
int decimal_divide(const struct decimal *a, const struct decimal *b, struct decimal *ret);
int decimal_remainder(const struct decimal *a, const struct decimal *b, struct decimal *ret); /* exact; has the sign of a */

int decimal_compare(const struct decimal *a, const struct decimal *b); /* below 0, 0, above 0 */

enum decimal_rounding { DECIMAL_HALF_EVEN, DECIMAL_FLOOR, DECIMAL_CEILING };
/* To `places` behind the point; negative: to tens, hundreds … */
int decimal_round(const struct decimal *a, int32_t places, enum decimal_rounding how, struct decimal *ret);

/* False: it is no whole number, or past int64_t. */
bool decimal_to_int(const struct decimal *a, int64_t *ret);

#endif
