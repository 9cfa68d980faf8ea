#include "base/zone.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLOTS 8
#define KEEP (60 * VAN_SECOND) /* zones change their offset on full minutes */

/* The C library knows one zone at a time, so answers are kept for a minute, and one thread asks at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

static int look_up(struct slice zone, van_time t)
{
	static struct {
		char name[64];
		van_time minute;
		int offset;
	} slots[SLOTS];
	static unsigned next;
	van_time minute = t / KEEP;
	for (unsigned i = 0; i < SLOTS; i++)
		if (slice_is(zone, slots[i].name) && slots[i].minute == minute)
			return slots[i].offset;
	unsigned at = next++ % SLOTS;
	snprintf(slots[at].name, sizeof slots[at].name, "%.*s", SLICE_ARG(zone));
	slots[at].minute = minute;
	return slots[at].offset = ask(slots[at].name, t);
}

int van_zone_minutes(struct slice zone, van_time t)
{
	if (!zone.n || zone.n >= 64 || slice_is(zone, "UTC"))
		return 0;
	pthread_mutex_lock(&lock);
	int offset = look_up(zone, t);
	pthread_mutex_unlock(&lock);
	return offset;
}

char *van_zone_date(char to[VAN_DATE_TEXT], struct slice zone, van_time t)
{
	char text[VAN_TIME_TEXT];
	snprintf(to, VAN_DATE_TEXT, "%.10s", van_time_rfc3339(text, t + van_zone_minutes(zone, t) * 60 * VAN_SECOND));
	return to;
}
