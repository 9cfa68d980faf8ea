/* Samples of a map: an input, and what the map is expected to make of it. They lie beside the sheet, in samples/NAME/: CASE.EXT is the
 * input, CASE.expected.EXT what comes of it (maps/README.md). */
#ifndef OPENVAN_MAP_SAMPLE_H
#define OPENVAN_MAP_SAMPLE_H

#include "map/map.h"

#include <stdint.h>

#define MAP_SAMPLE_MAX ((size_t)4 << 20) /* bytes of an input or an expected result */

/* Runs a sheet's map over a whole input as `vanctl edi convert --map` does, and appends what that prints. The map is the one that takes
 * the type and version of each message. 0; VAN_ESYNTAX (the input, or a row: `e` says which); VAN_ENOTFOUND (there is no message
 * in it, or no map for one); VAN_ELIMIT; VAN_ENOMEM. */
int map_sample_run(const struct map_set *set, struct slice name, struct slice input, struct van_buf *to, struct van_error *e);

/* One line for each difference, "path: expected X, not Y", to `differences`; *ret_count counts them all, of which at most `most`
 * are written. JSON is compared value by value, whatever the order of members; anything else segment by segment.
 * 0; VAN_ESYNTAX (the expected result is no JSON, where the map made JSON); VAN_ENOMEM. */
int map_sample_compare(struct slice expected, struct slice got, size_t most, struct van_buf *differences, size_t *ret_count,
	struct van_error *e);

/* Both: 0 it came out as expected; VAN_ECONFLICT it did not, `differences` says how; else as map_sample_run(). */
int map_sample_check(const struct map_set *set, struct slice name, struct slice input, struct slice expected, struct van_buf *differences,
	struct van_error *e);

#endif
