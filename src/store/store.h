/* The store: ordered keys and values in named tables, with transactions, behind one interface for every backend.
 *
 * One process opens a store, once. Any number of threads may have one transaction each; write transactions wait for
 * one another. Nothing is durable until store_commit() has returned 0, and everything in that transaction is then.
 *
 * With a log (store_set_log) a commit is durable as soon as the log has it, which is one write and one flush; the backend gets many
 * commits at a time, later, by store_settle(). After a crash, what the log has and the backend has not is repeated.
 *
 * Errors latch: after the first failed call (VAN_ENOTFOUND and VAN_EEXISTS are answers, not failures) every later call
 * on the transaction returns the same error and store_commit() aborts with it. So a batch is checked once, at commit.
 *
 * VAN_EAGAIN means one thing here: the map is full. Abort (or let the commit fail), store_grow(), and run the same
 * batch again; store_write() does all of that. */
#ifndef OPENVAN_STORE_STORE_H
#define OPENVAN_STORE_STORE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct store_txn;
struct store_cursor;
typedef unsigned store_table_id;

#define STORE_KEY_MAX 511 /* bytes; a longer or empty key is the caller's mistake: VAN_EINVAL */

/* A snapshot stands still for as long as it lasts, and sees what was settled. The other two see the last commit; where there is a log,
 * they keep each other out: a read transaction must be very short then. */
enum store_mode { STORE_READ, STORE_WRITE, STORE_SNAPSHOT };

struct store_options {
	const char *backend;  /* NULL means "lmdb" */
	int dirfd;            /* existing folder that only this store uses; the caller keeps the descriptor */
	uint64_t map_size;    /* bytes of address space to begin with; 0 means 64 GiB, less where that can't be had */
	uint64_t map_growth;  /* least bytes that store_grow() adds; 0 means 1 GiB */
	uint64_t map_max;     /* never more than this; 0 means 16 TiB */
	unsigned max_tables;  /* 0 means 64 */
	unsigned max_readers; /* read transactions open at one time; 0 means 126 */
	bool look_only;       /* a copy that nobody uses: nothing is written, no table made, only STORE_SNAPSHOT is there */
};

/* Opens or creates. The working directory is changed and restored meanwhile, so call it before starting threads.
 * VAN_EINVAL for an unknown backend, VAN_EVERSION for another format, else what the disk said. */
int store_open(const struct store_options *o, struct store **ret, struct van_error *err);
void store_close(struct store *s); /* may be NULL; every transaction must be over */

/* The names that store_open() takes, ending with NULL. */
const char *const *store_backends(void);

/* Opens the table, creating it when absent. Only before the first store_begin(), from one thread.
 * The name is kept by the caller for as long as the store is open. */
int store_table(struct store *s, const char *name, store_table_id *ret, struct van_error *err);

/* A thread may hold one transaction of each mode; with a log one, though the writer may write besides a snapshot. store_begin() waits
 * while the map is being grown (not when the thread already holds one). Read transactions see the last commit before them, and must be
 * short: the space of what was deleted since they began can't be used again, and the map can't grow, until they end. */
int store_begin(struct store *s, enum store_mode mode, struct store_txn **ret, struct van_error *err);
/* Always ends the transaction and frees it and its cursors. 0 means durable; otherwise nothing was changed. */
int store_commit(struct store_txn *t, struct van_error *err);
void store_abort(struct store_txn *t); /* may be NULL */
int store_txn_error(const struct store_txn *t); /* the latched error, or 0 */
enum store_mode store_txn_mode(const struct store_txn *t);

/* The value's bytes belong to the store; in a write transaction they are good until its next change, in a read
 * transaction until its end. VAN_ENOTFOUND. */
int store_get(struct store_txn *t, store_table_id table, struct slice key, struct slice *ret);
int store_put(struct store_txn *t, store_table_id table, struct slice key, struct slice value);
/* VAN_EEXISTS (not latched) where the key is there already. */
int store_put_new(struct store_txn *t, store_table_id table, struct slice key, struct slice value);
/* VAN_ENOTFOUND (not latched) where there was none. */
int store_del(struct store_txn *t, store_table_id table, struct slice key);
int store_count(struct store_txn *t, store_table_id table, uint64_t *ret);

/* A cursor over the keys that begin with `prefix` (copied; absent or empty means all), in byte order. Each move returns
 * 0 and sets *key and *value (either may be NULL), or VAN_ENOTFOUND past the end. Before any other move, _next() is
 * the first and _prev() the last. Ends with its transaction at the latest. */
int store_cursor_open(struct store_txn *t, store_table_id table, struct slice prefix, struct store_cursor **ret);
void store_cursor_close(struct store_cursor *c); /* may be NULL */
int store_cursor_first(struct store_cursor *c, struct slice *key, struct slice *value);
int store_cursor_last(struct store_cursor *c, struct slice *key, struct slice *value);
int store_cursor_next(struct store_cursor *c, struct slice *key, struct slice *value);
int store_cursor_prev(struct store_cursor *c, struct slice *key, struct slice *value);
/* The first key that is >= `key` (a whole key, with the prefix). */
int store_cursor_seek(struct store_cursor *c, struct slice key, struct slice *ret_key, struct slice *value);
/* The last key that is < `key`: pages of a list, newest first. */
int store_cursor_seek_before(struct store_cursor *c, struct slice key, struct slice *ret_key, struct slice *value);
/* Deletes the entry the cursor stands on; the next _next() is the one after it. Write transactions only. */
int store_cursor_del(struct store_cursor *c);

/* --- a log before the backend --- */

struct store_log {
	/* Makes `redo`, which repeats the transaction's changes, durable. Negative: it is not, and the transaction is undone. */
	int (*write)(void *ctx, struct slice redo, struct van_error *err);
	/* Puts into the transaction what tells where in the log the settled part ends. Negative with the transaction's error latched. */
	int (*mark)(void *ctx, struct store_txn *t);
	void *ctx;
};

/* From now on commits go to the log. Before the first of them, with no transaction open, when what the log held has been repeated.
 * Write transactions, store_settle() and store_grow() then belong to one thread, the writer's. 0 or VAN_ENOMEM. */
int store_set_log(struct store *s, const struct store_log *log);
/* A write transaction for another thread, where one of the writer's is open, for a batch or a few of them since the store was settled. It ends as others do;
 * where it fails, readers wait until the writer has begun its next one, or settles: which it must, soon. VAN_ESTATE: nothing is open, the writer has to begin. */
int store_borrow(struct store *s, struct store_txn **ret);
void store_drop_log(struct store *s); /* no longer; what is not settled stays in the log */
/* Repeats a commit that the log had, in a write transaction. 0, VAN_ESYNTAX (damaged), VAN_EVERSION (a table that this program does
 * not know), or what store_put() says, which latches. */
int store_redo(struct store_txn *t, struct slice redo);
/* Commits to the backend what only the log has. On failure everything stays as it was, durable in the log, and can be tried again;
 * except after VAN_EIO, when the process must end and a new one repeat the log. */
int store_settle(struct store *s, struct van_error *err);
/* Bytes of redo that only the log has. From the thread that writes. */
size_t store_unsettled(const struct store *s);
/* Not 0: what only the log has could not be kept in memory; the process must end, and a new one repeat the log. */
int store_broken(const struct store *s);

/* Makes the map larger (by half, at least map_growth). Waits until no transaction is open in the process; new ones wait
 * meanwhile. VAN_ESTATE when the calling thread holds one, VAN_ENOSPC at map_max. */
int store_grow(struct store *s, struct van_error *err);

/* Runs `fn` in a write transaction and commits; on VAN_EAGAIN grows the map and runs it again, so `fn` must not change
 * anything that a second run would see. A negative return of `fn` aborts and is returned. */
int store_write(struct store *s, int (*fn)(struct store_txn *t, void *arg), void *arg, struct van_error *err);

struct store_copy_to {
	void (*begun)(void *ctx); /* from here on the store may be settled again */
	int (*write)(void *ctx, const void *p, size_t n, struct van_error *err); /* the next bytes; negative ends the copy with that error */
	void *ctx;
};
/* A compacted copy of what `snapshot` (STORE_SNAPSHOT) sees, as the bytes of one file that a store's folder holds under the name
 * store_file_name(); serving goes on. Between the snapshot's beginning and `begun` nobody may settle the store: VAN_ESTATE when
 * somebody did. VAN_EAGAIN when the map has to grow, which waits for snapshots: end this one, and try again. `begun` is called once, in any case. */
int store_copy(struct store_txn *snapshot, const struct store_copy_to *to, struct van_error *err);
const char *store_file_name(const struct store *s);
/* Does somebody wait for snapshots to end? Who holds one for long asks now and then. Any thread. */
bool store_growth_waits(struct store *s);

struct store_stat {
	uint64_t map_size;  /* bytes */
	uint64_t used;      /* bytes of it in use (free pages inside not subtracted) */
	uint64_t commits;   /* since the store was made */
	uint64_t growths;   /* since it was opened */
	unsigned readers;   /* open read transactions */
	unsigned tables;
};
int store_stat(struct store *s, struct store_stat *ret);

#endif
