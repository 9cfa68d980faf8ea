/* Offsets of time zones, for envelope times. */
#ifndef OPENVAN_ROLES_STORE_ZONE_H
#define OPENVAN_ROLES_STORE_ZONE_H

#include "base/clock.h"

/* Minutes east of UTC of the zone ("Europe/Berlin") at that time; 0 for an unknown or absent one. Loop thread only. */
int zone_minutes(struct slice zone, van_time t);

#endif
