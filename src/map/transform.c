#include "map/transform.h"

static bool digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* CCYYMMDD or YYMMDD (50 and above are 19YY) to CCYY-MM-DD. */
static int date(struct van_arena *a, struct slice *v, const char **what)
{
	struct slice s = *v;
	*what = "is not a date (YYMMDD or CCYYMMDD)";
	if (!digits(s) || (s.n != 6 && s.n != 8))
		return VAN_ESYNTAX;
	const char *century = s.n == 8 ? "" : s.p[0] >= '5' ? "19" : "20";
	*v = van_arena_printf(a, "%s%.*s-%.2s-%.2s", century, (int)s.n - 4, s.p, s.p + s.n - 4, s.p + s.n - 2);
	return v->p ? 0 : VAN_ENOMEM;
}

/* HHMM or HHMMSS… to HH:MM:SS. */
static int time_of_day(struct van_arena *a, struct slice *v, const char **what)
{
	struct slice s = *v;
	*what = "is not a time (HHMM or HHMMSS)";
	if (!digits(s) || (s.n != 4 && s.n < 6))
		return VAN_ESYNTAX;
	*v = van_arena_printf(a, "%.2s:%.2s:%.2s", s.p, s.p + 2, s.n >= 6 ? s.p + 4 : "00");
	return v->p ? 0 : VAN_ENOMEM;
}

/* Exact: the digits are kept as text. ".5" becomes "0.5", "5." "5", "007" "7"; a decimal comma becomes a point. */
static int decimal(struct van_arena *a, struct slice *v, const char **what)
{
	struct slice s = *v;
	bool minus = s.n && *s.p == '-';
	*what = "is not a decimal number";
	if (s.n && (*s.p == '-' || *s.p == '+'))
		s = slice_make(s.p + 1, s.n - 1);
	size_t whole = 0;
	while (whole < s.n && s.p[whole] != '.' && s.p[whole] != ',')
		whole++;
	struct slice integer = slice_make(s.p, whole), fraction = whole < s.n ? slice_make(s.p + whole + 1, s.n - whole - 1) : SLICE("");
	if ((integer.n && !digits(integer)) || (fraction.n && !digits(fraction)) || !(integer.n || fraction.n))
		return VAN_ESYNTAX;
	while (integer.n > 1 && *integer.p == '0')
		integer = slice_make(integer.p + 1, integer.n - 1);
	if (!integer.n)
		integer = SLICE("0");
	*v = van_arena_printf(a, "%s%.*s%s%.*s", minus ? "-" : "", SLICE_ARG(integer), fraction.n ? "." : "", SLICE_ARG(fraction));
	return v->p ? 0 : VAN_ENOMEM;
}

/* N2 and its like: the last `places` digits are decimals. */
static int implied(struct van_arena *a, struct slice *v, uint32_t places, const char **what)
{
	struct slice s = *v;
	bool minus = s.n && *s.p == '-';
	*what = "is not a whole number with implied decimals";
	if (minus)
		s = slice_make(s.p + 1, s.n - 1);
	if (!digits(s) || places > 9)
		return VAN_ESYNTAX;
	char zeros[] = "0000000000";
	size_t pad = s.n > places ? 0 : places + 1 - s.n;
	struct slice full = van_arena_printf(a, "%.*s%.*s", (int)pad, zeros, SLICE_ARG(s));
	if (!full.p)
		return VAN_ENOMEM;
	*v = van_arena_printf(a, "%s%.*s%s%.*s", minus ? "-" : "", (int)(full.n - places), full.p, places ? "." : "", (int)places,
		full.p + full.n - places);
	return v->p ? decimal(a, v, what) : VAN_ENOMEM;
}

static int letters(struct van_arena *a, struct slice *v, bool upper)
{
	char *copy = van_arena_str(a, *v);
	if (!copy)
		return VAN_ENOMEM;
	for (size_t i = 0; i < v->n; i++)
		if (upper ? copy[i] >= 'a' && copy[i] <= 'z' : copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] ^= 0x20;
	*v = slice_make(copy, v->n);
	return 0;
}

bool map_has_transform(const struct map_row *row, int kind)
{
	for (uint32_t i = 0; i < row->transform_count; i++)
		if ((int)row->transforms[i].kind == kind)
			return true;
	return false;
}

int map_transform_value(const struct map_row *row, struct van_arena *arena, struct slice *value, const char **ret_what)
{
	int rc = 0;
	for (uint32_t i = 0; i < row->transform_count && value->p && rc == 0; i++) {
		const struct map_transform *t = &row->transforms[i];
		switch (t->kind) {
		case MAP_DATE: rc = date(arena, value, ret_what); break;
		case MAP_TIME: rc = time_of_day(arena, value, ret_what); break;
		case MAP_DECIMAL: rc = decimal(arena, value, ret_what); break;
		case MAP_IMPLIED: rc = implied(arena, value, t->argument, ret_what); break;
		case MAP_UPPER: rc = letters(arena, value, true); break;
		case MAP_LOWER: rc = letters(arena, value, false); break;
		case MAP_NUMBER: rc = decimal(arena, value, ret_what); break;
		case MAP_BOOL: break; /* after the table */
		}
	}
	if (rc < 0 || !value->p)
		return rc;
	bool found = !row->table || map_table_in(row->table, *value, value);
	if (map_has_transform(row, MAP_BOOL) && !slice_is(*value, "true") && !slice_is(*value, "false")) {
		*ret_what = "is not true or false after the row's table";
		return VAN_ESYNTAX;
	}
	if (found)
		return 0;
	if (row->miss == MAP_MISS_FAIL) {
		*ret_what = "is not in the row's table: add it there, or let the row pass or default on a miss";
		return VAN_ESYNTAX;
	}
	if (row->miss == MAP_MISS_DEFAULT)
		*value = SLICE_NONE;
	return 0;
}
