/* What a row of a flat sheet does to a value. */
#include "map/decimal.h"
#include "map/flat_private.h"

#include "base/utf8.h"
#include "edi/calendar.h"

#include <stdarg.h>
#include <stdio.h>

int flat_fail(struct flat_run *r, const struct flat_row *row, enum van_err code, const char *format, ...)
{
	char what[300], column[80] = "";
	va_list ap;
	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	if (row && row->column >= 0)
		snprintf(column, sizeof column, ", column %.60s", r->s->columns[row->column].p);
	return van_error_set(r->e, code, "map %.*s: row %u%s: %s", SLICE_ARG(r->s->name), r->line, column, what);
}

int flat_no_memory(struct flat_run *r)
{
	if (r->room->error == VAN_ELIMIT)
		return flat_fail(r, NULL, VAN_ELIMIT, "more values than a file may have here: send it in parts");
	r->room->error = VAN_ENOMEM;
	return flat_fail(r, NULL, VAN_ENOMEM, "the file needs more memory than it may have");
}

enum tree_kind flat_kind(const struct flat_row *row)
{
	for (uint32_t i = 0; i < row->transform_count; i++)
		if (row->transforms[i].kind == FLAT_NUMBER || row->transforms[i].kind == FLAT_BOOL)
			return row->transforms[i].kind == FLAT_NUMBER ? TREE_NUMBER : TREE_BOOL;
	return TREE_TEXT;
}

static int bad(struct flat_run *r, const struct flat_row *row, struct slice v, const char *what)
{
	return flat_fail(r, row, VAN_ESYNTAX, "'%.*s' %s; mend the file, or row %u of the sheet", (int)(v.n < 60 ? v.n : 60), v.p, what, row->line);
}

static int made(struct flat_run *r, struct slice v, struct slice *ret)
{
	*ret = v;
	return v.p ? 0 : flat_no_memory(r);
}

/* --- numbers ----------------------------------------------------------------------------------------------------------- */

static int decimal_in(struct flat_run *r, const struct flat_row *row, struct slice *v)
{
	char *to = van_arena_alloc(r->room->arena, v->n + 2);
	size_t n = 0, digits = 0;
	struct decimal d;
	if (!to)
		return flat_no_memory(r);
	for (size_t i = 0; i < v->n; i++) {
		char c = v->p[i];
		if (c == r->s->thousands && c)
			continue;
		if (c == r->s->decimal) {
			if (!digits)
				to[n++] = '0';
			c = '.';
		} else if (c == '.') {
			return bad(r, row, *v, "has a point, and @decimal says that decimals stand behind a comma");
		}
		digits += c >= '0' && c <= '9';
		if (!(c == '+' && i == 0))
			to[n++] = c;
	}
	if (n && to[n - 1] == '.')
		n--;
	struct slice s = slice_make(to, n);
	if (decimal_read(s, &d) == VAN_ESYNTAX || memchr(to, 'e', n) || memchr(to, 'E', n))
		return bad(r, row, *v, r->s->decimal == ',' ? "is not a decimal number (digits and a comma)" : "is not a decimal number (digits and a point)");
	/* no zeros before other digits */
	size_t minus = n && *to == '-', zeros = 0;
	while (minus + zeros + 1 < n && to[minus + zeros] == '0' && to[minus + zeros + 1] != '.')
		zeros++;
	memmove(to + minus, to + minus + zeros, n - minus - zeros);
	*v = slice_make(to, n - zeros);
	return 0;
}

static int decimal_out(struct flat_run *r, struct slice *v)
{
	char *to = van_arena_str(r->room->arena, *v);
	if (!to)
		return flat_no_memory(r);
	for (size_t i = 0; i < v->n; i++)
		if (to[i] == '.')
			to[i] = r->s->decimal;
	*v = slice_make(to, v->n);
	return 0;
}

/* --- dates ------------------------------------------------------------------------------------------------------------- */

/* Where the picture's letters stand: CC (century), YY, MM, DD. */
static int part_at(struct slice picture, size_t i)
{
	static const char *const parts[] = {"CC", "YY", "MM", "DD"};
	for (int k = 0; k < 4; k++)
		if (picture.n - i >= 2 && memcmp(picture.p + i, parts[k], 2) == 0)
			return k;
	return -1;
}

static int date_in(struct flat_run *r, const struct flat_row *row, struct slice *v)
{
	struct slice picture = r->s->date;
	int values[4] = {-1, 0, 0, 0};
	char what[80];
	bool fine = v->n == picture.n;
	for (size_t i = 0; fine && i < picture.n; i++) {
		int part = part_at(picture, i);
		if (part < 0) {
			fine = v->p[i] == picture.p[i];
			continue;
		}
		char a = v->p[i], b = v->p[i + 1];
		fine = a >= '0' && a <= '9' && b >= '0' && b <= '9';
		values[part] = (a - '0') * 10 + (b - '0');
		i++;
	}
	if (values[0] < 0)
		values[0] = values[1] < 50 ? 20 : 19;
	if (!fine || !edi_day_exists((unsigned)(values[0] * 100 + values[1]), (unsigned)values[2], (unsigned)values[3])) {
		snprintf(what, sizeof what, "is not a date (%.*s)", (int)(picture.n < 40 ? picture.n : 40), picture.p);
		return bad(r, row, *v, what);
	}
	return made(r, van_arena_printf(r->room->arena, "%02d%02d-%02d-%02d", values[0], values[1], values[2], values[3]), v);
}

static int date_out(struct flat_run *r, const struct flat_row *row, struct slice *v)
{
	static const unsigned char from[] = {0, 2, 5, 8};
	struct slice picture = r->s->date;
	if (v->n < 10 || v->p[4] != '-' || v->p[7] != '-')
		return bad(r, row, *v, "is not a date (CCYY-MM-DD)");
	char *to = van_arena_str(r->room->arena, picture);
	if (!to)
		return flat_no_memory(r);
	for (size_t i = 0; i < picture.n; i++) {
		int part = part_at(picture, i);
		if (part >= 0) {
			memcpy(to + i, v->p + from[part], 2);
			i++;
		}
	}
	*v = slice_make(to, picture.n);
	return 0;
}

/* --- the others -------------------------------------------------------------------------------------------------------- */

static int letters(struct flat_run *r, struct slice *v, bool upper)
{
	char *to = van_arena_str(r->room->arena, *v);
	if (!to)
		return flat_no_memory(r);
	for (size_t i = 0; i < v->n; i++)
		if ((to[i] | 32) >= 'a' && (to[i] | 32) <= 'z')
			to[i] = (char)(upper ? to[i] & ~32 : to[i] | 32);
	*v = slice_make(to, v->n);
	return 0;
}

/* HH:MM or HH:MM:SS */
static int time_in(struct flat_run *r, const struct flat_row *row, struct slice *v)
{
	int h, m, s = 0, n = 0;
	char text[16];
	snprintf(text, sizeof text, "%.*s", (int)(v->n < 12 ? v->n : 12), v->p);
	if ((sscanf(text, "%2d:%2d:%2d%n", &h, &m, &s, &n) < 3 || n != (int)v->n) && (s = 0, sscanf(text, "%2d:%2d%n", &h, &m, &n) < 2 || n != (int)v->n))
		return bad(r, row, *v, "is not a time (HH:MM)");
	if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60)
		return bad(r, row, *v, "is not a time (HH:MM)");
	return made(r, van_arena_printf(r->room->arena, "%02d:%02d:%02d", h, m, s), v);
}

static size_t characters(struct slice s, uint32_t most)
{
	size_t at = 0;
	for (uint32_t i = 0; i < most && at < s.n; i++) {
		size_t n = van_utf8_length(slice_make(s.p + at, s.n - at));
		at += n ? n : 1;
	}
	return at;
}

static int look_up(struct flat_run *r, const struct flat_row *row, bool in, struct slice *v)
{
	struct slice found;
	if (!row->table)
		return 0;
	if (in ? map_table_in(row->table, *v, &found) : map_table_out(row->table, *v, &found)) {
		*v = found;
		return 0;
	}
	if (row->miss == FLAT_MISS_FAIL)
		return flat_fail(r, row, VAN_ESYNTAX, "'%.*s' is not in table %.*s; add it there, or let row %u of the sheet pass it (%.*s:pass)",
			(int)(v->n < 60 ? v->n : 60), v->p, SLICE_ARG(row->table_name), row->line, SLICE_ARG(row->table_name));
	if (row->miss == FLAT_MISS_DEFAULT)
		*v = SLICE_NONE;
	return 0;
}

int flat_value_in(struct flat_run *r, const struct flat_row *row, struct slice *v)
{
	int rc = 0;
	bool truth = false;
	for (uint32_t i = 0; i < row->transform_count && rc == 0; i++) {
		switch (row->transforms[i].kind) {
		case FLAT_DATE: rc = date_in(r, row, v); break;
		case FLAT_TIME: rc = time_in(r, row, v); break;
		case FLAT_DECIMAL:
		case FLAT_NUMBER: rc = decimal_in(r, row, v); break;
		case FLAT_UPPER:
		case FLAT_LOWER: rc = letters(r, v, row->transforms[i].kind == FLAT_UPPER); break;
		case FLAT_BOOL: truth = true; break;
		case FLAT_CUT: break;
		}
	}
	rc = rc < 0 ? rc : look_up(r, row, true, v);
	if (rc == 0 && truth && v->p) {
		bool yes = slice_case_is(*v, "true") || slice_case_is(*v, "yes") || slice_is(*v, "1");
		if (!yes && !slice_case_is(*v, "false") && !slice_case_is(*v, "no") && !slice_is(*v, "0"))
			return bad(r, row, *v, "is not true or false");
		*v = yes ? SLICE("true") : SLICE("false");
	}
	return rc;
}

int flat_value_out(struct flat_run *r, const struct flat_row *row, struct slice *v)
{
	int rc = look_up(r, row, false, v);
	for (uint32_t i = row->transform_count; i-- > 0 && rc == 0 && v->p;) {
		switch (row->transforms[i].kind) {
		case FLAT_DATE: rc = date_out(r, row, v); break;
		case FLAT_TIME: *v = slice_make(v->p, v->n == 8 && slice_ends(*v, ":00") ? 5 : v->n); break;
		case FLAT_DECIMAL:
		case FLAT_NUMBER: rc = decimal_out(r, v); break;
		case FLAT_CUT: *v = slice_make(v->p, characters(*v, row->transforms[i].argument)); break;
		default: break;
		}
	}
	return rc;
}

static int find_table(void *ctx, struct slice name, struct slice value, struct slice *ret, struct van_error *e)
{
	const struct flat_run *r = ctx;
	for (const struct map_set *set = r->s->set; set; set = set->more)
		for (const struct map_table *t = set->tables; t; t = t->next)
			if (slice_eq(t->name, name))
				return map_table_in(t, value, ret);
	return van_error_set(e, VAN_ENOTFOUND, "there is no table %.*s; add table-%.*s.csv", SLICE_ARG(name), SLICE_ARG(name));
}

int flat_compute(struct flat_run *r, const struct flat_row *row, const struct tree *input, const struct tree *more, struct slice *ret)
{
	struct expression_variable variables[] = {{SLICE("rows"), more}, {SLICE("document"), more}};
	struct expression_context context = {.room = r->room, .variables = variables, .variable_count = 2, .table = find_table, .table_ctx = r};
	const struct tree *t = NULL;
	struct van_error e = {0};
	int rc = expression_run(row->computed, input, &context, &t, &e);
	if (rc < 0)
		return flat_fail(r, row, (enum van_err)rc, "row %u of the sheet: %s", row->line, e.text);
	*ret = t ? expression_text(r->room, t) : SLICE_NONE;
	return r->room->error ? flat_no_memory(r) : 0;
}
