/* Samples of a map: an input, and what the map is expected to make of it. They lie beside the sheet, in samples/NAME/: CASE.EXT is the
 * input, CASE.expected.EXT what comes of it (maps/README.md). */
#ifndef OPENVAN_MAP_SAMPLE_H
#define OPENVAN_MAP_SAMPLE_H

#include "map/map.h"

#include <stdint.h>

#define MAP_SAMPLE_MAX ((size_t)4 << 20) /* bytes of an input or an expected result */

/* Runs a sheet's map over a whole input and appends what comes of it. EDI: a document for each message, by the map for its type and
 * version. JSON, a document or an array of them: the messages, without an envelope, by the map that the case's name begins with
 * ("order-to-x12-005010-850.small"), else the one back to where the document came from (its `_source`), else the sheet's first way out.
 * 0; VAN_ESYNTAX, VAN_EINVAL (the input, or a row: `e` says which); VAN_ENOTFOUND (there is no message in it, or no map for one);
 * VAN_ELIMIT; VAN_ENOMEM. */
int map_sample_run(const struct map_set *set, struct slice name, struct slice input, struct van_buf *to, struct van_error *e);

/* One line for each difference, "path: expected X, not Y", to `differences`; *ret_count counts them all, of which at most `most`
 * are written. JSON is compared value by value, whatever the order of members; anything else segment by segment, without envelopes.
 * 0; VAN_ESYNTAX (the expected result is no JSON, where the map made JSON); VAN_ENOMEM. */
int map_sample_compare(struct slice expected, struct slice got, size_t most, struct van_buf *differences, size_t *ret_count,
	struct van_error *e);

/* Both: 0 it came out as expected; VAN_ECONFLICT it did not, `differences` says how; else as map_sample_run(). */
int map_sample_check(const struct map_set *set, struct slice name, struct slice input, struct slice expected, struct van_buf *differences,
	struct van_error *e);

#endif
