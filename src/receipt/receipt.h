/* The receipt log over the store. Leaves are appended in the same transaction as what they record; keyd signs checkpoints
 * over what has been committed.
 *
 * There is a log for each year, origin HOST/receipts/YYYY (UTC); the first leaf of a new year begins a new log, whose first
 * leaf (log-started) carries size and root of the log before. A leaf is named by log (year) and index. */
#ifndef OPENVAN_RECEIPT_RECEIPT_H
#define OPENVAN_RECEIPT_RECEIPT_H

#include "receipt/checkpoint.h"
#include "receipt/leaf.h"
#include "store/store.h"

struct receipts; /* unchanging after receipts_open(): any thread may use it */

/* Opens the tables (so before the first transaction). `host` as in vand.yaml. VAN_EINVAL for a host unfit for an origin. */
int receipts_open(struct store *s, struct slice host, struct receipts **ret, struct van_error *err);
void receipts_close(struct receipts *r); /* may be NULL */

struct receipt_ref {
	uint32_t log; /* the year */
	uint64_t index;
};

/* Appends; also stores the artefacts' salts and fills in version, time (kept from going back) and previous. *ret may be NULL.
 * Errors latch in the transaction, except VAN_EINVAL and VAN_ELIMIT for a leaf that can't be written: nothing is changed. */
int receipt_append(struct store_txn *t, struct receipts *r, const struct receipt_leaf *leaf, struct receipt_ref *ret,
	struct van_error *err);

/* One year's log. */
struct receipt_log {
	uint32_t year;
	char origin[RECEIPT_ORIGIN_MAX + 1];
	uint64_t size;
	struct receipt_hash root;
	van_time last; /* time of the newest leaf */
	uint64_t signed_size; /* of the newest stored checkpoint; 0 when there is none */
	van_time signed_at;
};
/* `year` 0 means the newest. VAN_ENOTFOUND when there is no such log. */
int receipt_log_get(struct store_txn *t, struct receipts *r, uint32_t year, struct receipt_log *ret);
/* Every log, oldest first. `fn` returns 0 to go on; another value ends and is returned. */
int receipt_log_each(struct store_txn *t, struct receipts *r, int (*fn)(void *arg, const struct receipt_log *log), void *arg);

/* The leaf's canonical bytes (the store's: see store_get()). */
int receipt_get(struct store_txn *t, struct receipts *r, struct receipt_ref ref, struct slice *ret);
/* Leaves from `from` (inclusive) on, through all following logs, in order. `fn` as above. */
int receipt_each(struct store_txn *t, struct receipts *r, struct receipt_ref from,
	int (*fn)(void *arg, struct receipt_ref ref, struct slice leaf), void *arg);
/* Every leaf of one message, oldest first. */
int receipt_each_of_message(struct store_txn *t, struct receipts *r, struct slice message,
	int (*fn)(void *arg, struct receipt_ref ref, struct slice leaf), void *arg);
/* The first leaf of the year's log whose time is >= `time`; the log's size when there is none. O(log n). */
int receipt_find_time(struct store_txn *t, struct receipts *r, uint32_t year, van_time time, uint64_t *ret_index);

/* Salts, which are deleted together with what they salt. VAN_ENOTFOUND. */
int receipt_salt_get(struct store_txn *t, struct receipts *r, struct receipt_ref ref, struct slice name, unsigned char salt[RECEIPT_SALT]);
int receipt_salt_delete(struct store_txn *t, struct receipts *r, struct receipt_ref ref, struct slice name);

/* --- checkpoints ---
 * The store's loop, at most once a second, for each log whose signed_size is below its size: begin a read transaction, take
 * receipt_log_get() and receipt_consistency_proof(signed_size → size), end it; ask keyd, which checks the proof against what it
 * signed last (receipt_consistency_check) and signs receipt_checkpoint_text(); receipt_checkpoint_assemble(); then in a write
 * transaction receipt_checkpoint_put(). */

/* Number of hashes written to `to` (room for RECEIPT_PROOF_MAX), or a negative enum van_err. O(log n) reads. */
int receipt_consistency_proof(struct store_txn *t, struct receipts *r, uint32_t year, uint64_t old_size, uint64_t new_size,
	struct receipt_hash *to);
int receipt_inclusion_proof(struct store_txn *t, struct receipts *r, struct receipt_ref ref, uint64_t size,
	struct receipt_hash *to);
/* Root of the log as it was at `size`. */
int receipt_root_at(struct store_txn *t, struct receipts *r, uint32_t year, uint64_t size, struct receipt_hash *ret);

/* Keeps the note. Refuses one that is not about this log's tree (VAN_ECRYPTO) or smaller than the newest kept (VAN_ESTATE).
 * Signatures are not checked here. Of older notes one for each hour stays. */
int receipt_checkpoint_put(struct store_txn *t, struct receipts *r, struct slice note, van_time now, struct van_error *err);
/* The newest note kept (`year` 0: of the newest log), and the newest of at most `size` leaves. VAN_ENOTFOUND. */
int receipt_checkpoint_newest(struct store_txn *t, struct receipts *r, uint32_t year, struct slice *ret_note);
int receipt_checkpoint_at_most(struct store_txn *t, struct receipts *r, uint32_t year, uint64_t size, struct slice *ret_note);

#endif
