/* Payload files: bodies too large for the store, named by message id, on stable storage before the store's commit.
 *
 *	fd = payload_create_unnamed(d, &err);          any thread or, through the descriptor, another process writes it
 *	payload_link(d, fd, id, "raw", &err);          … for each file of the batch
 *	payload_sync(d, &err);                         a few files: a flush for each and for the folder; more: one syncfs()
 *	store_commit(...) == 0 ? payload_keep(d) : payload_rollback(d);
 *
 * A crash before the commit leaves files that nothing refers to; payload_sweep() at start sets them aside. The folder of a
 * file is the id's time to about 17 minutes (its first 6 characters), so that a batch touches one folder, usually. */
#ifndef OPENVAN_STORE_PAYLOAD_H
#define OPENVAN_STORE_PAYLOAD_H

#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct payload_dir;

#define PAYLOAD_PATH_MAX 96

/* Uses (makes) the folder "payload" in `dirfd`; the caller keeps the descriptor. */
int payload_dir_open(int dirfd, struct payload_dir **ret, struct van_error *err);
void payload_dir_close(struct payload_dir *d); /* rolls back what was not kept; may be NULL */

/* An unnamed file of mode 0600, open for reading and writing, close-on-exec; the caller closes it. Any thread. */
int payload_create_unnamed(struct payload_dir *d, struct van_error *err);

/* Gives the file its name, "ID.PART": `id` as from van_id_new(), `part` of 1 to 32 characters a-z 0-9 '-'. Flushing starts.
 * The caller still closes `fd`, and may at once. Also takes a descriptor of another file system or a memfd: then the
 * bytes are copied. The same file again in the same batch (a replay) is fine; another one is VAN_EEXISTS.
 * Link, sync, keep and rollback belong to one thread, the writer. */
int payload_link(struct payload_dir *d, int fd, struct slice id, const char *part, struct van_error *err);
/* As payload_link for bytes in memory. */
int payload_write(struct payload_dir *d, struct slice bytes, struct slice id, const char *part, struct van_error *err);
/* Returns 0 when every file linked in this batch, and its name, is on stable storage. On failure the batch was rolled back. */
int payload_sync(struct payload_dir *d, struct van_error *err);
void payload_keep(struct payload_dir *d);
void payload_rollback(struct payload_dir *d); /* removes what was linked since the last keep or rollback */

/* Read-only descriptor, the caller's, or VAN_ENOTFOUND. Any thread. */
int payload_open(struct payload_dir *d, struct slice id, const char *part, struct van_error *err);
/* The same to write as well, for one holder at a time: VAN_ESTATE while an earlier descriptor, or a copy of it in any process, is open. For what
 * comes behind the first `bytes` alone; whatever stands there is cut off. */
int payload_open_to_append(struct payload_dir *d, struct slice id, const char *part, uint64_t bytes, struct van_error *err);
/* 0 also when it is not there. Remove after the commit that forgets the file. Any thread. */
int payload_remove(struct payload_dir *d, struct slice id, const char *part, struct van_error *err);

/* From the first pin until the last unpin files that are removed stay readable by payload_open_pinned(): for a copy of what a snapshot
 * refers to. Pin before the snapshot begins. What a crash leaves of them goes when the folder is opened. Any thread. */
int payload_pin(struct payload_dir *d, struct van_error *err);
void payload_unpin(struct payload_dir *d);
bool payload_is_pinned(const struct payload_dir *d); /* any thread */
/* As payload_open(), also of a file that was removed since the pin. */
int payload_open_pinned(struct payload_dir *d, struct slice id, const char *part, struct van_error *err);
/* Where the file is below the data folder, "payload/…", for a copy of it. Returns `to`, or NULL where no file can have that name. */
const char *payload_path(struct slice id, const char *part, char to[PAYLOAD_PATH_MAX]);

/* Calls `wanted` for every file in the folders of `since` (less 20 minutes) and later, 0 for all, and moves those for which it says
 * false into the folder "unreferenced": nobody can tell what a crash broke off from what a newer database refers to, when an
 * older one was restored. Unfinished copies are removed, files with other names left alone. Before the first payload_link() only.
 * *ret_aside (may be NULL) counts files. */
int payload_sweep(struct payload_dir *d, van_time since, bool (*wanted)(void *arg, struct slice id, struct slice part), void *arg,
	uint64_t *ret_aside, struct van_error *err);

/* Bytes that may still be written on the file system of the folder. */
int payload_room(struct payload_dir *d, uint64_t *ret);
/* Flushes issued since the folder was opened: the fault tests count them. */
uint64_t payload_flushes(const struct payload_dir *d);

#endif
