/* vanctl table …: cross-reference lists. */
#ifndef OPENVAN_VANCTL_TABLE_H
#define OPENVAN_VANCTL_TABLE_H

#include "vanctl/map.h"

extern const struct ctl_command commands_table[];

/* One row to set or remove. The row that has the same from, partner, direction and valid_from is that row. */
struct table_change {
	struct slice from, to, partner, direction, valid_from, valid_until, note;
	bool remove;
};

/* table_edit.c. Appends the CSV with that change; `text` empty: a new table. *ret_found: the row was there. Columns that are missing
 * are added. Empty lines go. 0; VAN_ESYNTAX, VAN_ELIMIT (columns), VAN_ENOMEM. */
int table_edit(struct van_arena *a, struct slice text, const struct table_change *k, struct van_buf *csv, bool *ret_found);

#endif
