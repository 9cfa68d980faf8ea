/* What a row does to a value on its way. */
#ifndef OPENVAN_MAP_TRANSFORM_H
#define OPENVAN_MAP_TRANSFORM_H

#include "map/rows.h"

/* Applies the row's transforms and table. 0; VAN_ESYNTAX with *ret_what set to what is wrong; VAN_ENOMEM. An absent *value
 * stays absent; a table's miss with "default" makes it absent. */
int map_transform_value(const struct map_row *row, struct van_arena *arena, struct slice *value, const char **ret_what);

bool map_has_transform(const struct map_row *row, int kind);

#endif
