/* Despatch advices by order. Internal to src/map. */
#ifndef OPENVAN_MAP_BY_ORDER_H
#define OPENVAN_MAP_BY_ORDER_H

#include "map/run.h"

/* For a despatch advice whose orders are named at its head or in its lines, and a sheet (r->map) with a level of orders: *document becomes a
 * copy with the level, Shipment.Order[]. What names no order belongs to the only one there is, else it stays in the shipment; a handling
 * unit with goods of two orders stands below both. Other documents stay as they are. 0, VAN_ELIMIT, VAN_ENOMEM. */
int map_by_order(struct map_run_state *r, const struct tree **document);

#endif
