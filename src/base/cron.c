#include "base/cron.h"

#include "base/error.h"
#include "base/zone.h"

#include <strings.h>

#define MINUTE (60 * VAN_SECOND)
#define DAY (24 * 60 * MINUTE)

struct field {
	unsigned least, most;
	const char *names; /* of three letters each, the first is `least`; or NULL */
};
static const struct field fields[] = {
	{0, 59, NULL}, {0, 23, NULL}, {1, 31, NULL}, {1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"}, {0, 7, "sunmontuewedthufrisat"},
};
enum { MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS, FIELDS };

static bool take_value(struct slice s, const struct field *f, unsigned *ret)
{
	for (size_t i = 0; s.n == 3 && f->names && f->names[3 * i]; i++)
		if (strncasecmp(s.p, f->names + 3 * i, 3) == 0) {
			*ret = f->least + (unsigned)i;
			return true;
		}
	return slice_number(s, 2, f->most, ret) && *ret >= f->least;
}

/* "*", "5", "1-5", "mon-fri", any of them with a step: sets bits. */
static int take_item(struct slice item, const struct field *f, uint64_t *bits)
{
	struct slice step = item, range = slice_cut(&step, '/'), to = range, from = slice_cut(&to, '-');
	unsigned first = f->least, last = f->most, every = 1;
	bool all = slice_is(range, "*");
	if (step.p && (!slice_number(step, 2, f->most, &every) || !every))
		return VAN_ESYNTAX;
	if (!all && !take_value(from, f, &first))
		return VAN_ESYNTAX;
	if (!all)
		last = step.p && !to.p ? f->most : first;
	if (!all && to.p && !take_value(to, f, &last))
		return VAN_ESYNTAX;
	if (last < first)
		return VAN_ESYNTAX;
	for (unsigned i = first; i <= last; i += every)
		*bits |= UINT64_C(1) << i;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int take_field(struct slice *rest, const struct field *f, uint64_t *ret, bool *ret_any)
{
	size_t n = 0;
	while (rest->n && is_blank(rest->p[0]))
		*rest = slice_make(rest->p + 1, rest->n - 1);
	while (n < rest->n && !is_blank(rest->p[n]))
		n++;
	struct slice field = slice_make(rest->p, n);
	*rest = slice_make(rest->p + n, rest->n - n);
	int rc = n ? 0 : VAN_ESYNTAX;
	*ret_any = slice_is(field, "*");
	*ret = 0;
	while (rc == 0 && field.p)
		rc = take_item(slice_cut(&field, ','), f, ret);
	return rc;
}

int van_cron_parse(struct slice text, struct van_cron *ret)
{
	struct slice rest = slice_trim(text);
	uint64_t bits[FIELDS];
	bool any[FIELDS];
	for (int i = 0; i < FIELDS; i++)
		if (take_field(&rest, &fields[i], &bits[i], &any[i]) < 0)
			return VAN_ESYNTAX;
	if (rest.n)
		return VAN_ESYNTAX;
	*ret = (struct van_cron){.minutes = bits[MINUTES], .hours = (uint32_t)bits[HOURS], .days = (uint32_t)bits[DAYS], .months = (uint32_t)bits[MONTHS],
				 .weekdays = (uint8_t)((bits[WEEKDAYS] | bits[WEEKDAYS] >> 7) & 0x7f), .any_day = any[DAYS], .any_weekday = any[WEEKDAYS]};
	return 0;
}

static bool day_fits(const struct van_cron *c, const struct van_civil *d, van_time local)
{
	unsigned weekday = (unsigned)((local / DAY + 4) % 7); /* 1 January 1970 was a Thursday */
	bool day = c->days & (UINT32_C(1) << d->day), week = c->weekdays & (1u << weekday);
	if (!(c->months & (UINT32_C(1) << d->month)))
		return false;
	return c->any_day ? week : c->any_weekday ? day : day || week;
}

static bool hour_fits(const struct van_cron *c, const struct van_civil *d)
{
	return c->hours & (UINT32_C(1) << d->hour);
}

static bool fits(const struct van_cron *c, van_time local)
{
	struct van_civil d = van_time_civil(local);
	return day_fits(c, &d, local) && hour_fits(c, &d) && c->minutes & (UINT64_C(1) << d.minute);
}

/* Clocks went forward at `t`, and over a time that fits. */
static bool fits_in_gap(const struct van_cron *c, struct slice zone, van_time t, van_time offset)
{
	for (van_time local = t + van_zone_minutes(zone, t - MINUTE) * MINUTE; local < t + offset; local += MINUTE)
		if (fits(c, local))
			return true;
	return false;
}

/* Clocks went back by an hour or half of one, and showed the same before. Who names every hour means this one, too. */
static bool was_before(const struct van_cron *c, struct slice zone, van_time t, van_time offset)
{
	const uint32_t every_hour = (UINT32_C(1) << 24) - 1;
	for (int minutes = 30; c->hours != every_hour && minutes <= 60; minutes += 30)
		if (van_zone_minutes(zone, t - minutes * MINUTE) * MINUTE - offset == minutes * MINUTE)
			return true;
	return false;
}

van_time van_cron_next(const struct van_cron *c, struct slice zone, van_time t)
{
	van_time end = t + 4 * 366 * DAY;
	for (t = (t / MINUTE + 1) * MINUTE; t < end;) {
		van_time offset = van_zone_minutes(zone, t) * MINUTE, local = t + offset;
		struct van_civil d = van_time_civil(local);
		if (fits_in_gap(c, zone, t, offset) || (fits(c, local) && !was_before(c, zone, t, offset)))
			return t;
		if (day_fits(c, &d, local))
			t += hour_fits(c, &d) ? MINUTE : (60 - d.minute) * MINUTE;
		else if (d.hour < 20) /* to midnight, but by the hour at the end: the day may be shorter or longer than others */
			t += (20 - d.hour) * 60 * MINUTE - d.minute * MINUTE;
		else
			t += (60 - d.minute) * MINUTE;
	}
	return 0;
}
