#include "map/transform.h"

bool map_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* As documents have it: no sign but minus, no zero before other digits, a digit on each side of the point. */
bool map_is_canonical(struct slice s)
{
	size_t i = s.n && *s.p == '-', from = i;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	if (i == from || (s.p[from] == '0' && i > from + 1))
		return false;
	if (i == s.n)
		return true;
	from = i + 1;
	if (s.p[i] != '.')
		return false;
	for (i = from; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
		i++;
	return i == s.n && i > from;
}

/* Exact: the digits are kept as text. ".5" becomes "0.5", "5." "5", "007" "7"; a decimal comma becomes a point. */
static int decimal(struct van_arena *a, struct slice *v, const char **what)
{
	struct slice s = *v;
	if (map_is_canonical(s))
		return 0;
	bool minus = s.n && *s.p == '-';
	*what = "is not a decimal number";
	if (s.n && (*s.p == '-' || *s.p == '+'))
		s = slice_make(s.p + 1, s.n - 1);
	size_t whole = 0;
	while (whole < s.n && s.p[whole] != '.' && s.p[whole] != ',')
		whole++;
	struct slice integer = slice_make(s.p, whole), fraction = whole < s.n ? slice_make(s.p + whole + 1, s.n - whole - 1) : SLICE("");
	if ((integer.n && !map_digits(integer)) || (fraction.n && !map_digits(fraction)) || !(integer.n || fraction.n))
		return VAN_ESYNTAX;
	while (integer.n > 1 && *integer.p == '0')
		integer = slice_make(integer.p + 1, integer.n - 1);
	if (!integer.n)
		integer = SLICE("0");
	*v = van_arena_printf(a, "%s%.*s%s%.*s", minus ? "-" : "", SLICE_ARG(integer), fraction.n ? "." : "", SLICE_ARG(fraction));
	return v->p ? 0 : VAN_ENOMEM;
}

/* N2 and its like: the last `places` digits are decimals. */
static int implied_in(struct van_arena *a, struct slice *v, uint32_t places, const char **what)
{
	struct slice s = *v;
	bool minus = s.n && *s.p == '-';
	*what = "is not a whole number with implied decimals";
	if (minus)
		s = slice_make(s.p + 1, s.n - 1);
	if (!map_digits(s) || places > 9)
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

static int implied_out(struct van_arena *a, struct slice *v, uint32_t places, const char **what)
{
	int rc = decimal(a, v, what);
	struct slice fraction = *v, whole = slice_cut(&fraction, '.');
	if (rc < 0)
		return rc;
	*what = "has more decimals than the element holds; round it with an expression";
	while (fraction.n > places) {
		if (fraction.p[fraction.n - 1] != '0')
			return VAN_ESYNTAX;
		fraction.n--;
	}
	bool minus = whole.n && *whole.p == '-';
	if (minus)
		whole = slice_make(whole.p + 1, whole.n - 1);
	struct slice all = van_arena_printf(a, "%.*s%.*s%.*s", SLICE_ARG(whole), (int)fraction.n, fraction.n ? fraction.p : "",
		(int)(places - fraction.n), "0000000000");
	while (all.n > 1 && *all.p == '0')
		all = slice_make(all.p + 1, all.n - 1);
	*v = minus ? van_arena_printf(a, "-%.*s", SLICE_ARG(all)) : all;
	return v->p ? 0 : VAN_ENOMEM;
}

/* N0 has no room for decimals that say nothing. */
static int decimal_out(struct van_arena *a, const struct edi_element_def *element, bool x12, struct slice *v, const char **what)
{
	int rc = decimal(a, v, what);
	if (rc < 0 || !element || !x12 || element->type != EDI_N)
		return rc;
	if (element->decimals)
		return implied_out(a, v, element->decimals, what);
	return implied_out(a, v, 0, what);
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

static int computed(struct map_run_state *r, const struct map_row *row, const struct expression *x, struct slice *v, const char **what)
{
	struct tree input = {.kind = TREE_TEXT, .text = *v};
	const struct tree *result = NULL;
	*what = NULL;
	int rc = map_run_expression(r, row, "transform", x, &input, NULL, &result);
	if (rc == 0)
		*v = expression_text(&r->room, result);
	return rc < 0 ? rc : r->room.error;
}

static int table_miss(const struct map_row *row, struct slice *value, const char **what)
{
	if (row->miss == MAP_MISS_FAIL) {
		*what = "is not in the row's table: add it there, or let the row pass or default on a miss";
		return VAN_ESYNTAX;
	}
	if (row->miss == MAP_MISS_DEFAULT)
		*value = SLICE_NONE;
	return 0;
}

int map_transform_in(struct map_run_state *r, const struct map_row *row, struct slice format, struct slice *value, const char **ret_what)
{
	struct van_arena *a = r->arena;
	int rc = 0;
	for (uint32_t i = 0; i < row->transform_count && value->p && rc == 0; i++) {
		const struct map_transform *t = &row->transforms[i];
		switch (t->kind) {
		case MAP_DATE: rc = map_date_in(a, format, value, ret_what); break;
		case MAP_TIME: rc = map_time_in(a, value, ret_what); break;
		case MAP_DECIMAL: rc = decimal(a, value, ret_what); break;
		case MAP_IMPLIED: rc = implied_in(a, value, t->argument, ret_what); break;
		case MAP_UPPER: rc = letters(a, value, true); break;
		case MAP_LOWER: rc = letters(a, value, false); break;
		case MAP_NUMBER: rc = decimal(a, value, ret_what); break;
		case MAP_COMPUTED: rc = computed(r, row, t->expression, value, ret_what); break;
		case MAP_BOOL: /* after the table */
		case MAP_CUT: case MAP_LISTED: case MAP_COMPACT: break;
		}
	}
	if (rc < 0 || !value->p)
		return rc;
	if (row->table && !map_table_in(row->table, *value, value))
		rc = table_miss(row, value, ret_what);
	if (rc == 0 && row->value_kind == TREE_BOOL && value->p && !slice_is(*value, "true") && !slice_is(*value, "false")) {
		*ret_what = "is not true or false after the row's table";
		return VAN_ESYNTAX;
	}
	return rc;
}

int map_transform_out(struct map_run_state *r, const struct map_row *row, const struct edi_element_def *element, struct slice *format,
	struct slice *value, const char **ret_what)
{
	struct van_arena *a = r->arena;
	bool x12 = *r->map->standard == 'x';
	int rc = 0;
	if (row->table && !map_table_out(row->table, *value, value))
		rc = table_miss(row, value, ret_what);
	for (uint32_t i = row->transform_count; i-- && value->p && rc == 0;) {
		const struct map_transform *t = &row->transforms[i];
		switch (t->kind) {
		case MAP_DATE: rc = map_date_out(a, !x12, element && element->max == 6, format, value, ret_what); break;
		case MAP_TIME: rc = map_time_out(a, value, ret_what); break;
		case MAP_DECIMAL:
		case MAP_NUMBER: rc = decimal_out(a, element, x12, value, ret_what); break;
		case MAP_IMPLIED: rc = implied_out(a, value, t->argument, ret_what); break;
		case MAP_COMPUTED: rc = computed(r, row, t->expression, value, ret_what); break;
		case MAP_UPPER:
		case MAP_LOWER:
		case MAP_BOOL:
		case MAP_CUT: case MAP_LISTED: case MAP_COMPACT: break;
		}
	}
	return rc;
}
