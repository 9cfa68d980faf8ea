/* Flat documents: CSV files of partners without EDI, one row for each line of an order or invoice, the head's columns repeated in each or
 * only in the first. A sheet (doc/flat-documents.md) ties columns to places of a canonical document, both ways. */
#ifndef OPENVAN_MAP_FLAT_H
#define OPENVAN_MAP_FLAT_H

#include "map/map.h"
#include "map/tree.h"

#define FLAT_MAX_COLUMNS 250
#define FLAT_MAX_BYTES ((size_t)64 << 20) /* of a file, unless the caller says otherwise; rows count against the room's values */

struct flat_sheet;

/* Is this the text of a flat sheet (@map,csv …)? */
bool flat_is_sheet(struct slice text);
/* Adds it to the set. VAN_ESYNTAX (text names file, row, cell and remedy), VAN_ENOMEM. */
int flat_parse(struct map_set *set, struct slice name, struct slice text, struct van_error *e);
/* When all files are added: sheets find their tables. */
int flat_link(struct map_set *set, struct van_error *e);

/* The sheet of a set that has this one sheet and no map; else NULL. */
const struct flat_sheet *flat_alone(const struct map_set *set);
/* By name ("csv-order"); NULL: there is none. */
const struct flat_sheet *flat_find(const struct map_set *set, struct slice name);
/* The only sheet that writes this document ("order/1.0"), or NULL. */
const struct flat_sheet *flat_find_out(const struct map_set *set, struct slice document);

/* Reads a file: *ret is an array of its documents. What no row took is in their _unmapped. 0; VAN_ESYNTAX (text names row, column
 * and remedy); VAN_ELIMIT; VAN_ENOMEM. `max_bytes` 0: FLAT_MAX_BYTES. */
int flat_read(const struct flat_sheet *s, struct tree_room *room, struct slice text, size_t max_bytes, struct tree **ret, struct van_error *e);

/* The same, but where the sheet tells documents apart (@document) a row in error spoils its own document alone: that one is there with `_error`,
 * the text, and an ID. `starts` (tree_each.h; may be NULL): the line of the file at which each document begins. */
struct tree_starts;
int flat_read_each(const struct flat_sheet *s, struct tree_room *room, struct slice text, size_t max_bytes, struct tree **ret, struct tree_starts *starts,
	struct van_error *e);

/* The same of a file that is fed in any pieces and may be of any length: each document is given to fn as soon as it is whole, and gone when that
 * returns. `memory` bytes and `values`: of one document. A negative return of fn stops. */
struct flat_reader;
typedef int (*flat_document_fn)(void *ctx, struct tree *document);
struct flat_reader *flat_reader_new(const struct flat_sheet *s, size_t memory, size_t values, flat_document_fn fn, void *ctx); /* NULL: no memory */
void flat_reader_free(struct flat_reader *r); /* NULL is fine */
/* As flat_read; `last`: the file ends behind the chunk. */
int flat_reader_feed(struct flat_reader *r, struct slice chunk, bool last, struct van_error *e);

/* A value of the document that no row took: its place ("OrderLine[0].Item.Colour"); valid during the call. */
typedef void (*flat_remark_fn)(void *ctx, struct slice place);
/* Appends one document, or an array of them, as a file with one first line. As flat_read; VAN_EINVAL: a character that the encoding
 * has not. */
int flat_write(const struct flat_sheet *s, struct tree_room *room, const struct tree *documents, struct van_buf *to, flat_remark_fn fn,
	void *ctx, struct van_error *e);

/* The same, one document after the other: the first line is written with the first. */
struct flat_writer;
struct flat_writer *flat_writer_new(const struct flat_sheet *s, flat_remark_fn fn, void *ctx); /* NULL: no memory */
void flat_writer_free(struct flat_writer *w); /* NULL is fine */
/* The room is for what is made on the way, and may be emptied between documents. */
int flat_writer_document(struct flat_writer *w, struct tree_room *room, const struct tree *document, struct van_buf *to, struct van_error *e);

#endif
