/* Time zones whose files were read: base/zone.h asks the C library, which opens files, and workers can't. */
#ifndef OPENVAN_MAP_ZONE_TABLE_H
#define OPENVAN_MAP_ZONE_TABLE_H

#include "base/arena.h"
#include "base/clock.h"

struct zone;

/* "Europe/Berlin" from /usr/share/zoneinfo (or $TZDIR), "UTC", "Z", "+01:00". 0; VAN_ENOTFOUND; VAN_ENOMEM. */
int zone_open(struct van_arena *arena, struct slice name, const struct zone **ret);
/* Minutes east of UTC at that time. */
int zone_minutes_at(const struct zone *z, van_time t);

#endif
