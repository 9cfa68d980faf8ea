/* Time: signed microseconds since 1970-01-01T00:00:00Z. Stored and compared in UTC. Libraries take a clock value;
 * only roles and programs ask the clock. */
#ifndef OPENVAN_BASE_CLOCK_H
#define OPENVAN_BASE_CLOCK_H

#include "base/slice.h"

#include <stdint.h>

typedef int64_t van_time;
#define VAN_SECOND ((van_time)1000000)

van_time van_clock_now(void);       /* wall clock */
van_time van_clock_monotonic(void); /* for deadlines; its zero means nothing */

/* "2026-01-31T12:34:56.123456Z"; `to` holds VAN_TIME_TEXT bytes. Returns `to`. */
#define VAN_TIME_TEXT 40
char *van_time_rfc3339(char *to, van_time t);
/* RFC 3339 with any offset, or a bare date (midnight UTC). 0 or VAN_ESYNTAX. */
int van_time_parse(struct slice s, van_time *ret);

/* Civil fields in UTC. */
struct van_civil {
	int year, month, day, hour, minute, second, micros;
};
struct van_civil van_time_civil(van_time t);
van_time van_time_from_civil(const struct van_civil *c);

#endif
