/* What a row does to a value on its way in and out. Internal to src/map. */
#ifndef OPENVAN_MAP_TRANSFORM_H
#define OPENVAN_MAP_TRANSFORM_H

#include "map/run.h"

/* Applies the row's transforms, then its table. `format`: of 2379 behind an EDIFACT date; absent. 0; VAN_ESYNTAX with *ret_what set
 * to what is wrong (NULL: the run's error tells); VAN_ENOMEM. An absent *value stays absent; a table's miss with "default" makes
 * it absent. */
int map_transform_in(struct map_run_state *r, const struct map_row *row, struct slice format, struct slice *value, const char **ret_what);

/* The way back: table, then transforms. `element`: where it goes; NULL: not known. *format: the one of 2379 to write where it is
 * given, or the one that was chosen (EDIFACT; left alone where there is no date). As map_transform_in. */
int map_transform_out(struct map_run_state *r, const struct map_row *row, const struct edi_element_def *element, struct slice *format,
	struct slice *value, const char **ret_what);

/* Dates (transform_date.c): CCYYMMDD, YYMMDD or EDIFACT's `format` to ISO 8601, and back. */
int map_date_in(struct van_arena *a, struct slice format, struct slice *v, const char **what);
int map_date_out(struct van_arena *a, bool edifact, bool short_year, struct slice *format, struct slice *v, const char **what);
int map_time_in(struct van_arena *a, struct slice *v, const char **what);
int map_time_out(struct van_arena *a, struct slice *v, const char **what);

bool map_digits(struct slice s); /* only, and some */
bool map_is_canonical(struct slice s); /* a number as documents have it, which 'decimal' leaves alone */

#endif
