#include "roles/store/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLOTS 8
#define KEEP (60 * VAN_SECOND) /* zones change their offset on full minutes */

/* The C library knows one zone at a time, so answers are kept for a minute. */
static int ask(const char *zone, van_time t)
{
	time_t seconds = (time_t)(t / VAN_SECOND);
	struct tm tm;
	setenv("TZ", zone, 1);
	tzset();
	localtime_r(&seconds, &tm);
	setenv("TZ", "UTC", 1);
	tzset();
	return (int)(tm.tm_gmtoff / 60);
}

int zone_minutes(struct slice zone, van_time t)
{
	static struct {
		char name[64];
		van_time minute;
		int offset;
	} slots[SLOTS];
	static unsigned next;
	van_time minute = t / KEEP;
	if (!zone.n || zone.n >= sizeof slots->name || slice_is(zone, "UTC"))
		return 0;
	for (unsigned i = 0; i < SLOTS; i++)
		if (slice_is(zone, slots[i].name) && slots[i].minute == minute)
			return slots[i].offset;
	unsigned at = next++ % SLOTS;
	snprintf(slots[at].name, sizeof slots[at].name, "%.*s", SLICE_ARG(zone));
	slots[at].minute = minute;
	return slots[at].offset = ask(slots[at].name, t);
}
