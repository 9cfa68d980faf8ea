/* CSV as RFC 4180 has it: commas, "quotes" doubled inside quotes, LF or CRLF; a byte-order mark is skipped. */
#ifndef OPENVAN_MAP_CSV_H
#define OPENVAN_MAP_CSV_H

#include "base/arena.h"

#define CSV_MAX_FIELDS 16
#define CSV_MAX_FIELD ((size_t)65535) /* bytes of one field */

struct csv {
	struct slice rest;
	unsigned line; /* of the record last read */
	unsigned next_line;
	char delimiter, quote; /* after csv_begin: ',' and '"' */
};

void csv_begin(struct csv *c, struct slice text);
/* The next record that is not empty; fields past its last are empty. Fields live in the arena.
 * 1: read; 0: the end; VAN_ENOMEM; VAN_ESYNTAX (a quote without its end, a field that is too long, or too many fields). */
int csv_next(struct csv *c, struct van_arena *a, struct slice fields[CSV_MAX_FIELDS]);
/* The same with room for `max` fields; *count: how many there were. */
int csv_read(struct csv *c, struct van_arena *a, struct slice *fields, size_t max, size_t *count);

/* Does the next record end within the text, so that more of it would change nothing? Empty lines before it count. */
bool csv_is_whole(const struct csv *c);

/* Which field of a first line names each column, whatever the case: the last one that does; -1: none. */
void csv_columns(const struct slice *fields, const char *const *names, int n, int *ret);

#endif
