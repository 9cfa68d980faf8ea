/* Offsets of time zones: for envelope times, archive folders and file names. */
#ifndef OPENVAN_BASE_ZONE_H
#define OPENVAN_BASE_ZONE_H

#include "base/clock.h"

/* Minutes east of UTC of the zone ("Europe/Berlin") at that time; 0 for an unknown or absent one. Any thread. */
int van_zone_minutes(struct slice zone, van_time t);

/* "2026-01-31": the day of `t` in that zone. `to` holds VAN_DATE_TEXT bytes. Returns `to`. */
#define VAN_DATE_TEXT 11
char *van_zone_date(char to[VAN_DATE_TEXT], struct slice zone, van_time t);

#endif
