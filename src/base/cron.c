#include "base/cron.h"

#include "base/error.h"
#include "base/zone.h"

#define MINUTE (60 * VAN_SECOND)
#define DAY (24 * 60 * MINUTE)

/* "*", "5", "1-5", any of them with a step: sets bits. */
static int take_item(struct slice item, unsigned least, unsigned most, uint64_t *bits)
{
	struct slice step = item, range = slice_cut(&step, '/'), to = range, from = slice_cut(&to, '-');
	unsigned first = least, last = most, every = 1;
	bool all = slice_is(range, "*");
	if (step.p && (!slice_number(step, 2, most, &every) || !every))
		return VAN_ESYNTAX;
	if (!all && !slice_number(from, 2, most, &first))
		return VAN_ESYNTAX;
	if (!all)
		last = step.p && !to.p ? most : first;
	if (!all && to.p && !slice_number(to, 2, most, &last))
		return VAN_ESYNTAX;
	if (first < least || last < first)
		return VAN_ESYNTAX;
	for (unsigned i = first; i <= last; i += every)
		*bits |= UINT64_C(1) << i;
	return 0;
}

static int take_field(struct slice *rest, unsigned least, unsigned most, uint64_t *ret, bool *ret_any)
{
	while (rest->n && rest->p[0] == ' ')
		*rest = slice_make(rest->p + 1, rest->n - 1);
	struct slice field = rest->p ? slice_cut(rest, ' ') : SLICE_NONE;
	uint64_t bits = 0;
	int rc = field.n ? 0 : VAN_ESYNTAX;
	if (ret_any)
		*ret_any = slice_is(field, "*");
	while (rc == 0 && field.p)
		rc = take_item(slice_cut(&field, ','), least, most, &bits);
	*ret = bits;
	return rc;
}

int van_cron_parse(struct slice text, struct van_cron *ret)
{
	struct van_cron c;
	struct slice rest = slice_trim(text);
	uint64_t minutes, hours, days, months, weekdays;
	if (take_field(&rest, 0, 59, &minutes, NULL) < 0 || take_field(&rest, 0, 23, &hours, NULL) < 0 || take_field(&rest, 1, 31, &days, &c.any_day) < 0 ||
	    take_field(&rest, 1, 12, &months, NULL) < 0 || take_field(&rest, 0, 7, &weekdays, &c.any_weekday) < 0 || slice_trim(rest).n)
		return VAN_ESYNTAX;
	c.minutes = minutes;
	c.hours = (uint32_t)hours;
	c.days = (uint32_t)days;
	c.months = (uint32_t)months;
	c.weekdays = (uint8_t)((weekdays | weekdays >> 7) & 0x7f);
	*ret = c;
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

van_time van_cron_next(const struct van_cron *c, struct slice zone, van_time t)
{
	van_time end = t + 4 * 366 * DAY;
	for (t = (t / MINUTE + 1) * MINUTE; t < end;) {
		van_time local = t + van_zone_minutes(zone, t) * MINUTE;
		struct van_civil d = van_time_civil(local);
		if (!day_fits(c, &d, local)) {
			t += DAY - local % DAY; /* midnight, there: a change of the clock in between only makes this look again */
			continue;
		}
		if (c->hours & (UINT32_C(1) << d.hour) && c->minutes & (UINT64_C(1) << d.minute))
			return t;
		t += c->hours & (UINT32_C(1) << d.hour) ? MINUTE : (60 - d.minute) * MINUTE;
	}
	return 0;
}
