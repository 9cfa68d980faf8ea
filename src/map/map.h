/* Maps: rows of a spreadsheet turn one EDI message into a canonical document (maps/README.md says how rows work). */
#ifndef OPENVAN_MAP_MAP_H
#define OPENVAN_MAP_MAP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

struct map_set;
struct map;

/* Reads all *.csv below the first of these folders that exists: $OPENVAN_MAPS, `path` (may be NULL), VAN_DATADIR/maps.
 * Opens files: call it before rights are dropped. 0, VAN_ENOTFOUND, VAN_ESYNTAX (text names file, row and remedy). */
int map_set_open(const char *path, struct map_set **ret, struct van_error *e);
void map_set_free(struct map_set *set); /* NULL is fine */

/* By name, e.g. "x12-004010-850-to-order"; NULL when there is none. */
const struct map *map_find(const struct map_set *set, struct slice name);
/* The only map from this message type and version to the canonical document, or NULL. standard "x12". */
const struct map *map_find_for(const struct map_set *set, const char *standard, struct slice type, struct slice version);
const char *map_name(const struct map *m);
const char *map_target(const struct map *m); /* "order/1.0" */

/* What the envelope says of the message; copied into the document. Absent slices are left out. */
struct map_envelope {
	struct slice sender, receiver;   /* "ZZ:ACME" */
	struct slice interchange_control_number, group_control_number, message_control_number;
	bool test;
};

struct map_options {
	size_t max_values;   /* most JSON values in the document; 0: 1,000,000 */
	bool pretty;         /* indented */
};

/* Appends the JSON document made from one message: exactly the bytes ST..SE (or UNH..UNT) of the report's offset and
 * length, with the interchange's delimiters {element, component, repetition, release, terminator} (0: none).
 * What no row took is listed in its `_unmapped`. 0; VAN_ESYNTAX (text names row, segment and remedy), VAN_ELIMIT, VAN_ENOMEM. */
struct map_delimiters {
	char element, component, repetition, release, terminator;
};
int map_run(const struct map *m, struct slice message, struct map_delimiters delimiters, const struct map_envelope *envelope,
	const struct map_options *options, struct van_buf *to, struct van_error *e);

#endif
