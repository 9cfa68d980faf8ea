/* Functions that JSONata does not have: tables, dates and times as EDI writes them. $fixed is in expression_number.c. */
#include "map/expression_private.h"

#include "map/zone_table.h"

#include <stdio.h>
#include <stdlib.h>

/* --- tables ------------------------------------------------------------------------------------------------------------ */

static int table(struct call *c, struct value *ret)
{
	struct slice name, value, found = SLICE_NONE;
	struct run *r = c->r;
	int rc = value_to_text(r, c->at, &c->a[0], &name);
	rc = rc < 0 ? rc : value_to_text(r, c->at, &c->a[1], &value);
	if (rc == 0 && !r->context->table)
		return run_fail(r, c->at, "there are no tables here");
	rc = rc < 0 ? rc : run_steps(r, c->at, 8);
	if (rc < 0)
		return rc;
	struct van_error e = {0};
	rc = r->context->table(r->context->table_ctx, name, value, &found, &e);
	if (rc < 0)
		return expression_fail(r->x->text, c->at->at, r->e, rc, "%s", e.code ? e.text : "the table can't be read");
	if (rc > 0)
		*ret = value_text(found);
	return 0;
}

/* --- reading dates ----------------------------------------------------------------------------------------------------- */

struct stamp {
	struct van_civil civil;
	bool has_date, has_time, has_offset;
	int offset; /* minutes */
};

static bool number_at(struct slice s, size_t at, size_t n, int *ret)
{
	*ret = 0;
	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
			return false;
		*ret = *ret * 10 + (s.p[i] - '0');
	}
	return true;
}

static bool char_at(struct slice s, size_t at, char c)
{
	return at < s.n && s.p[at] == c;
}

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* YYMMDD, CCYYMMDD, and with HHMM or HHMMSS behind. */
static bool read_edi_date(struct slice s, struct stamp *t)
{
	size_t century = s.n == 8 || s.n == 12 || s.n == 14 ? 2 : 0, at = century;
	struct van_civil *c = &t->civil;
	if ((s.n != 6 && s.n != 8 && s.n != 10 && s.n != 12 && s.n != 14) || !number_at(s, 0, at + 2, &c->year))
		return false;
	if (!century)
		c->year += c->year < 50 ? 2000 : 1900;
	t->has_date = number_at(s, at + 2, 2, &c->month) && number_at(s, at + 4, 2, &c->day);
	t->has_time = s.n > 8 && number_at(s, at + 6, 2, &c->hour) && number_at(s, at + 8, 2, &c->minute);
	if (s.n == 14)
		number_at(s, 12, 2, &c->second);
	return true;
}

static size_t read_iso_time(struct slice s, size_t at, struct stamp *t)
{
	struct van_civil *c = &t->civil;
	if (!number_at(s, at, 2, &c->hour) || !char_at(s, at + 2, ':') || !number_at(s, at + 3, 2, &c->minute))
		return 0;
	t->has_time = true;
	at += 5;
	if (char_at(s, at, ':')) {
		if (!number_at(s, at + 1, 2, &c->second))
			return 0;
		at += 3;
		if (char_at(s, at, '.'))
			for (at++; at < s.n && s.p[at] >= '0' && s.p[at] <= '9';)
				at++;
	}
	return at;
}

static bool read_iso_offset(struct slice s, struct stamp *t)
{
	int hours, minutes;
	if (!s.n)
		return true;
	t->has_offset = true;
	if (slice_is(s, "Z"))
		return true;
	if (s.n != 6 || (*s.p != '+' && *s.p != '-') || s.p[3] != ':' || !number_at(s, 1, 2, &hours) || !number_at(s, 4, 2, &minutes))
		return false;
	t->offset = (hours * 60 + minutes) * (*s.p == '-' ? -1 : 1);
	return hours <= 14 && minutes < 60;
}

/* 2026-01-15, 2026-01-15T09:30:00+01:00, 09:30:00 */
static bool read_iso(struct slice s, struct stamp *t)
{
	size_t at = 0;
	if (char_at(s, 4, '-')) {
		t->has_date = number_at(s, 0, 4, &t->civil.year) && number_at(s, 5, 2, &t->civil.month) && char_at(s, 7, '-') &&
		              number_at(s, 8, 2, &t->civil.day);
		if (!t->has_date || s.n == 10)
			return t->has_date;
		at = 11;
		if (!char_at(s, 10, 'T') && !char_at(s, 10, ' '))
			return false;
	}
	at = read_iso_time(s, at, t);
	return at && read_iso_offset(slice_rest(s, at), t);
}

static bool is_real(const struct stamp *t)
{
	const struct van_civil *c = &t->civil;
	if (c->hour > 23 || c->minute > 59 || c->second > 60)
		return false;
	if (!t->has_date)
		return true;
	struct van_civil day = {.year = c->year, .month = c->month, .day = c->day};
	if (c->year < 1 || c->month < 1 || c->month > 12 || c->day < 1 || c->day > 31)
		return false;
	struct van_civil back = van_time_civil(van_time_from_civil(&day));
	return back.month == c->month && back.day == c->day;
}

static int read_date(struct call *c, const struct value *v, struct stamp *t)
{
	struct slice s;
	int rc = value_to_text(c->r, c->at, v, &s);
	*t = (struct stamp){.has_date = false};
	if (rc < 0)
		return rc;
	if ((all_digits(s) ? read_edi_date(s, t) : read_iso(s, t)) && t->has_date && is_real(t))
		return 0;
	return run_fail(c->r, c->at, "$%s takes a date (CCYYMMDD, YYMMDD, CCYYMMDDHHMM, 2026-01-15, 2026-01-15T09:30:00Z), not '%.*s'",
		c->builtin->name, (int)(s.n < 60 ? s.n : 60), s.p);
}

/* HHMM, HHMMSS, HHMMSSDD, 09:30, or the time of a date with one. */
static int read_time(struct call *c, const struct value *v, struct stamp *t)
{
	struct slice s;
	int rc = value_to_text(c->r, c->at, v, &s);
	*t = (struct stamp){.has_date = false};
	if (rc < 0)
		return rc;
	if (all_digits(s) && s.n <= 8 && s.n != 5 && s.n >= 4) {
		t->has_time = number_at(s, 0, 2, &t->civil.hour) && number_at(s, 2, 2, &t->civil.minute) &&
		              (s.n < 6 || number_at(s, 4, 2, &t->civil.second));
	} else if (!(all_digits(s) ? read_edi_date(s, t) : read_iso(s, t))) {
		t->has_time = false;
	}
	if (t->has_time && is_real(t))
		return 0;
	return run_fail(c->r, c->at, "$%s takes a time (HHMM, HHMMSS, 09:30, 2026-01-15T09:30:00Z), not '%.*s'", c->builtin->name,
		(int)(s.n < 60 ? s.n : 60), s.p);
}

/* To the zone that the call names. */
static int move(struct call *c, struct stamp *t)
{
	if (!c->at->zone)
		return 0;
	if (!t->has_offset || !t->has_date || !t->has_time)
		return run_fail(c->r, c->at, "$%s needs a date with time and offset to change its zone; $timestamp makes one", c->builtin->name);
	van_time utc = van_time_from_civil(&t->civil) - t->offset * 60 * VAN_SECOND;
	t->offset = zone_minutes_at(c->at->zone, utc);
	t->civil = van_time_civil(utc + t->offset * 60 * VAN_SECOND);
	return 0;
}

/* --- writing them ------------------------------------------------------------------------------------------------------ */

static int made(struct call *c, struct slice s, struct value *ret)
{
	*ret = value_text(s);
	return s.p ? 0 : run_no_memory(c->r, c->at);
}

static int put_date(struct call *c, const struct stamp *t, struct value *ret)
{
	return made(c, van_arena_printf(c->r->room->arena, "%04d-%02d-%02d", t->civil.year, t->civil.month, t->civil.day), ret);
}

static int date(struct call *c, struct value *ret)
{
	struct stamp t;
	int rc = read_date(c, &c->a[0], &t);
	rc = rc < 0 ? rc : move(c, &t);
	return rc < 0 ? rc : put_date(c, &t, ret);
}

static int time_of_day(struct call *c, struct value *ret)
{
	struct stamp t;
	int rc = read_time(c, &c->a[0], &t);
	rc = rc < 0 ? rc : move(c, &t);
	return rc < 0 ? rc : made(c, van_arena_printf(c->r->room->arena, "%02d:%02d:%02d", t.civil.hour, t.civil.minute, t.civil.second), ret);
}

static int timestamp(struct call *c, struct value *ret)
{
	struct stamp d, t;
	int rc = read_date(c, &c->a[0], &d);
	rc = rc < 0 ? rc : read_time(c, &c->a[1], &t);
	if (rc < 0)
		return rc;
	if (!c->at->zone)
		return run_fail(c->r, c->at, "$timestamp is called by its name, with a zone that is written out");
	t.civil.year = d.civil.year;
	t.civil.month = d.civil.month;
	t.civil.day = d.civil.day;
	/* the offset depends on UTC, and UTC on the offset: the second guess is right but for the hour that a change takes */
	van_time local = van_time_from_civil(&t.civil);
	int offset = zone_minutes_at(c->at->zone, local);
	offset = zone_minutes_at(c->at->zone, local - offset * 60 * VAN_SECOND);
	return made(c, van_arena_printf(c->r->room->arena, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", t.civil.year, t.civil.month, t.civil.day,
		t.civil.hour, t.civil.minute, t.civil.second, offset < 0 ? '-' : '+', abs(offset) / 60, abs(offset) % 60), ret);
}

/* CC YY MM DD HH MM SS: behind HH, MM is minutes. */
static int format_date(struct call *c, struct value *ret)
{
	struct stamp t;
	struct slice picture = c->a[1].text;
	int rc = read_date(c, &c->a[0], &t);
	char *to = rc == 0 ? van_arena_alloc(c->r->room->arena, picture.n + 1) : NULL;
	bool hours = false;
	if (!to)
		return rc < 0 ? rc : run_no_memory(c->r, c->at);
	for (size_t i = 0; i < picture.n;) {
		struct slice two = slice_make(picture.p + i, picture.n - i < 2 ? 1 : 2);
		int v = slice_is(two, "CC") ? t.civil.year / 100 : slice_is(two, "YY") ? t.civil.year % 100 : slice_is(two, "DD") ? t.civil.day
			: slice_is(two, "HH") ? t.civil.hour : slice_is(two, "SS") ? t.civil.second : slice_is(two, "MM") && hours ? t.civil.minute
			: slice_is(two, "MM") ? t.civil.month : -1;
		hours = hours || slice_is(two, "HH");
		to[i] = picture.p[i];
		if (v >= 0) {
			to[i++] = (char)('0' + v / 10);
			to[i] = (char)('0' + v % 10);
		}
		i++;
	}
	*ret = value_text(slice_make(to, picture.n));
	return 0;
}

static int add_days(struct call *c, struct value *ret)
{
	struct stamp t;
	struct decimal d;
	int64_t days = 0;
	int rc = read_date(c, &c->a[0], &t);
	rc = rc < 0 ? rc : value_need_number(c->r, c->at, &c->a[1], "$addDays takes", &d);
	if (rc == 0 && (!decimal_to_int(&d, &days) || days > 1000000 || days < -1000000))
		rc = run_fail(c->r, c->at, "the days of $addDays are a whole number of at most a million");
	if (rc < 0)
		return rc;
	struct van_civil day = {.year = t.civil.year, .month = t.civil.month, .day = t.civil.day};
	t.civil = van_time_civil(van_time_from_civil(&day) + days * 86400 * VAN_SECOND);
	if (t.civil.year < 1 || t.civil.year > 9999)
		return run_fail(c->r, c->at, "the date that $addDays makes is out of range");
	return put_date(c, &t, ret);
}

static int days_between(struct call *c, struct value *ret)
{
	struct stamp from, to;
	int rc = read_date(c, &c->a[0], &from);
	rc = rc < 0 ? rc : read_date(c, &c->a[1], &to);
	if (rc < 0)
		return rc;
	struct van_civil a = {.year = from.civil.year, .month = from.civil.month, .day = from.civil.day};
	struct van_civil b = {.year = to.civil.year, .month = to.civil.month, .day = to.civil.day};
	return value_int(c->r, c->at, (van_time_from_civil(&b) - van_time_from_civil(&a)) / (86400 * VAN_SECOND), ret);
}

const struct builtin builtins_own[] = {
	{.name = "table", .signature = "xx", .fn = table},
	{.name = "date", .signature = "xs?", .fn = date, .zone = true},
	{.name = "time", .signature = "xs?", .fn = time_of_day, .zone = true},
	{.name = "timestamp", .signature = "xxs", .fn = timestamp, .zone = true},
	{.name = "formatDate", .signature = "xs", .fn = format_date},
	{.name = "addDays", .signature = "xn", .fn = add_days},
	{.name = "days", .signature = "xx", .fn = days_between},
	{.name = NULL},
};

const struct builtin *builtin_find(struct slice name)
{
	static const struct builtin *const all[] = {builtins_number, builtins_text, builtins_array, builtins_own, builtins_trade};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (const struct builtin *b = all[i]; b->name; b++)
			if (slice_is(name, b->name))
				return b;
	return NULL;
}
