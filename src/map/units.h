/* Units of measure, and numbers with check digits. */
#ifndef OPENVAN_MAP_UNITS_H
#define OPENVAN_MAP_UNITS_H

#include "map/decimal.h"

/* What one of a unit is in others, "12 EA": 1 with *ret set, 0 where the table has nothing, or negative with `e` set. */
typedef int (*units_table_fn)(void *ctx, struct slice table, struct slice unit, struct slice *ret, struct van_error *e);

#define UNITS_EXACT (-1)

/* `quantity` of unit `from` in unit `to`, exactly. A unit may have an item before it ("A-100 CA"): then the item's own packs count
 * first. Tables: "pack" (of the network: "A-100 CA" is "12 EA") and "unit-factor" ("LBR" is "0.45359237 KGM"). What does not come
 * out exact is an error, unless `places` says to how many places behind the point it is rounded (half to even). 0; VAN_EINVAL (no way from one to
 * the other, a factor that is none, not exact: `e` says the remedy); VAN_ELIMIT; what the table function returned. */
int units_convert(const struct decimal *quantity, struct slice from, struct slice to, int places, units_table_fn table, void *ctx,
	struct decimal *ret, struct van_error *e);

/* The check digit of these digits without it: weights 3 and 1 from the right (GS1 General Specifications 7.9). '0' to '9'; 0: they are
 * not all digits. */
char units_check_digit(struct slice digits);
/* GTIN-8, -12, -13, -14; GLN: 13 digits; SSCC: 18. NULL when it is one; else why not, for people. */
const char *units_check_gtin(struct slice s);
const char *units_check_gln(struct slice s);
const char *units_check_sscc(struct slice s);
/* 9 digits, or 13 with a suffix. D-U-N-S numbers given since 2006 have no check digit: none is asked for. */
const char *units_check_duns(struct slice s);

#endif
