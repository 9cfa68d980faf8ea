/* Maps and tables in the store: sheets, by name and version.
 *
 * A version is never changed: what is imported becomes the next one. One version of a sheet is active, or none: then the shipped
 * sheet of that name is, where there is one ("version 0"). Names are those of files without .csv: "table-unit" is a table. Every
 * change is a receipt. */
#ifndef OPENVAN_QUEUE_SHEETS_H
#define OPENVAN_QUEUE_SHEETS_H

#include "queue/queue.h"

#define QUEUE_SHEET_MAX ((size_t)8 << 20) /* bytes of a version, with its samples */
#define QUEUE_SHEET_SHIPPED 0

struct queue_sample {
	struct slice name, input, expected;
};
struct queue_sheet_version {
	struct slice name;
	uint64_t version; /* from 1 */
	van_time time;
	struct slice actor, note; /* note: why; may be absent */
	struct slice text;        /* CSV */
	struct record_list samples; /* struct queue_sample */
};
struct queue_sheet {
	struct slice name;
	uint64_t active; /* QUEUE_SHEET_SHIPPED: none of the store's */
	uint64_t newest; /* 0: none yet */
	bool locked;     /* nothing is imported or activated */
	van_time time;   /* of the last change */
	struct slice actor;
};

/* VAN_ENOTFOUND with w->err. */
int queue_sheet_get(struct queue_work *w, struct slice name, struct queue_sheet *ret);
int queue_sheet_version_get(struct queue_work *w, struct slice name, uint64_t version, struct queue_sheet_version *ret);
/* In the order of names. `fn` returns 0 to go on; another value ends and is returned. */
int queue_sheets(struct queue_work *w, int (*fn)(void *arg, const struct queue_sheet *s), void *arg);
/* Oldest first. */
int queue_sheet_versions(struct queue_work *w, struct slice name, int (*fn)(void *arg, const struct queue_sheet_version *v), void *arg);

#define QUEUE_SHEET_ANY UINT64_MAX
/* The next version, active at once where `activate`. v->version and v->time are set; text and samples as those of the newest
 * version: no new one is made, and v->version is that one (*ret_changed false). `newest`: of what it was made; VAN_ECONFLICT when
 * that is not the newest any more (QUEUE_SHEET_ANY: whatever there is). VAN_ESTATE: locked; VAN_ELIMIT. */
int queue_sheet_put(struct queue_work *w, struct queue_sheet_version *v, uint64_t newest, bool activate, bool *ret_changed);
/* VAN_ENOTFOUND: there is no such version; VAN_ESTATE: locked. */
int queue_sheet_activate(struct queue_work *w, struct slice name, uint64_t version, struct slice actor);
/* Also a shipped sheet, of which the store has nothing yet. */
int queue_sheet_lock(struct queue_work *w, struct slice name, bool locked, struct slice actor);

#endif
