/* What a sheet says that nothing can come of: segments and elements that its messages do not have, places that its document does not have.
 * Not errors: partners have segments of their own, and maps may be for documents of one's own. */
#ifndef OPENVAN_MAP_HINT_H
#define OPENVAN_MAP_HINT_H

#include "map/map.h"

/* `cell`: the column; `text`: what and what to do; valid during the call. */
typedef void (*map_hint_fn)(void *ctx, unsigned row, const char *cell, struct slice text);

/* Of all sheets that were added to the set. `folder`: where the documents' schemas are, "order-1.0.json" and the others; NULL: they are not
 * looked at. 0; VAN_ESYNTAX (a schema or dictionary is broken), VAN_ENOMEM. */
int map_hints(const struct map_set *set, const char *folder, map_hint_fn fn, void *ctx, struct van_error *e);

/* The same of business rules: places that no document has. Such a rule holds for ever, and nobody learns of it. */
struct map_rules;
int map_rules_hints(const struct map_rules *rules, const char *folder, map_hint_fn fn, void *ctx, struct van_error *e);

#endif
