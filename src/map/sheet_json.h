/* Sheets for machines: the cells of a CSV file as JSON, and back without loss.
 *
 * {"name":"x12-850-order","columns":["target","source",…],"rows":[{"target":"ID","source":"BEG.03"},{},…]}
 *
 * Empty cells are left out, an empty line is {}: so rows[0] is line 2 of the CSV (where no cell has a line end within). What CSV
 * can write in several ways (quotes, CRLF, blanks around a cell) comes back in one. */
#ifndef OPENVAN_MAP_SHEET_JSON_H
#define OPENVAN_MAP_SHEET_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* Appends the JSON. 0; VAN_ESYNTAX (`e` names row and remedy); VAN_ENOMEM. */
int sheet_to_json(struct slice name, struct slice csv, struct van_buf *to, struct van_error *e);
/* Appends the CSV; *ret_name (in the arena; absent: the JSON has none). 0; VAN_ESYNTAX, VAN_ELIMIT, VAN_ENOMEM. */
int sheet_from_json(struct van_arena *arena, struct slice json, struct slice *ret_name, struct van_buf *csv, struct van_error *e);
/* One cell, with quotes where it needs them. */
void sheet_put_cell(struct van_buf *to, struct slice cell);

#endif
