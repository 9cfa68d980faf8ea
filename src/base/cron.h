/* Times of a schedule as crontab(5) writes them: "minute hour day-of-month month day-of-week", each *, numbers, ranges (1-5), steps
 * (every 15th: * / 15 without blanks) and lists; Sunday is 0 and 7, months and weekdays have names ("jan", "mon-fri"). Where both days are given,
 * either will do. A time over which clocks go forward comes when they do; one that clocks show twice comes once, unless every hour is meant. */
#ifndef OPENVAN_BASE_CRON_H
#define OPENVAN_BASE_CRON_H

#include "base/clock.h"

struct van_cron {
	uint64_t minutes;
	uint32_t hours, days, months; /* bits */
	uint8_t weekdays;             /* bit 0: Sunday */
	bool any_day, any_weekday;
};

/* 0 or VAN_ESYNTAX. */
int van_cron_parse(struct slice text, struct van_cron *ret);
/* The first full minute after `t` that fits, in that time zone; 0 when none comes within four years (31 February). */
van_time van_cron_next(const struct van_cron *c, struct slice zone, van_time t);

#endif
