/* The life of messages and deliveries, as functions over a store transaction.
 *
 * Each function that writes decides first and writes then: a refusal (VAN_ENOTFOUND, VAN_ESTATE, VAN_ECONFLICT …) leaves
 * nothing changed, so that one request's refusal does not touch the others of its batch. Failures of the store latch in the
 * transaction. Everything can run again after an abort: identifiers come from the caller, memory from the work's arena. */
#ifndef OPENVAN_QUEUE_QUEUE_H
#define OPENVAN_QUEUE_QUEUE_H

#include "base/id.h"
#include "ipc/messages.h"
#include "partner/directory.h"
#include "queue/records.h"
#include "receipt/receipt.h"
#include "store/payload.h"
#include "store/segment.h"
#include "store/store.h"

#define QUEUE_INLINE_MAX IPC_INLINE_MAX /* larger artefacts are kept in files */

struct queue; /* any thread may use it, with one write transaction at a time */

/* Opens the tables (so before the first transaction), and in `dirfd` the segments; repeats what their log has and the store has not,
 * and is the store's log from then on. `receipts`, `payload` and `dirfd` stay the caller's; the first two must outlive it. */
int queue_open(struct store *s, struct receipts *receipts, struct payload_dir *payload, int dirfd, struct queue **ret,
	       struct van_error *err);
/* The network's time zone, of archive folders and file names (copied); before other threads use it. 0 or VAN_ENOMEM. */
int queue_set_zone(struct queue *q, struct slice zone);
/* For how long the Message-ID of an accepted AS2 message is remembered; 0, the default: for ever. Before the first use. */
void queue_set_as2_window(struct queue *q, van_time window);
void queue_close(struct queue *q); /* may be NULL */
struct receipts *queue_receipts(const struct queue *q);
struct payload_dir *queue_payload(const struct queue *q);
/* Bytes of bodies that stood in the segments at the start and that no record can refer to: see segments_behind(). */
uint64_t queue_unreferenced(const struct queue *q);
/* Commits that were repeated from the log at the start: vand did not stop in order. */
unsigned queue_repeated(const struct queue *q);

/* How every write transaction with queue work in it ends: small bodies and what repeats the transaction go to the segments, with one
 * flush. As store_commit() and store_abort(). */
int queue_commit(struct queue *q, struct store_txn *t, struct van_error *err);
void queue_abort(struct queue *q, struct store_txn *t);
/* As store_settle(). */
int queue_settle(struct queue *q, struct van_error *err);
/* As segments_release(), of what the store has on the disk. VAN_ESTATE while the payload folder is pinned: a copy of an older snapshot is being
 * made, and its list of what was released must not be newer than that. Any thread that holds no transaction; one at a time. */
int queue_release_log(struct queue *q, van_time before, struct segments_released *ret, struct van_error *err);
/* As segments_make_ready(): when the writer has nothing to do. */
int queue_make_ready(struct queue *q, struct van_error *err);
bool queue_wants_ready(const struct queue *q);
/* The disk failed within a commit: whether it counts is known after the next start only. Until then nobody may be told yes or no,
 * and files that it refers to must stay. */
bool queue_in_doubt(const struct queue *q);

struct queue_woken {
	struct queue_woken *next;
	struct van_id id;
	van_time when; /* 0: now */
};

/* One piece of work inside a transaction. */
struct queue_work {
	struct queue *q;
	struct store_txn *txn;
	struct van_arena *arena;   /* for what is decoded and built */
	van_time now;
	const struct directory *directory; /* where routing is needed; else NULL */
	struct van_error err;      /* why the last function refused */
	struct van_buf scratch;    /* for encoding */
	struct queue_woken *woken; /* jobs that this transaction makes due, newest first; in the arena */
	unsigned writes;           /* how many; a refusal with writes (a defect, or a full disk) spoils the transaction */
};
/* `txn`, `arena` and `directory` (may be NULL) stay the caller's; what the work gives out lives as long as both first. */
void queue_work_begin(struct queue_work *w, struct queue *q, struct store_txn *txn, struct van_arena *arena, van_time now,
		      const struct directory *directory);
void queue_work_end(struct queue_work *w);

/* --- messages ---------------------------------------------------------------------------------------------------- */

/* VAN_ENOTFOUND when there is none. */
int queue_message_get(struct queue_work *w, struct slice id, struct queue_message *ret);
/* The object of PROFILES.md; absent values are null. `show` adds history, parts and children. */
int queue_message_json(const struct queue_message *m, struct van_buf *to);
int queue_message_show_json(struct queue_work *w, struct slice id, struct van_buf *to);

struct queue_filter { /* absent or negative: any */
	struct slice partner, type, from, to, search, connection, parent;
	int direction, env, state, delivery, ack; /* -1: any */
	van_time since, until; /* since <= time < until; 0: open */
	struct slice before;   /* only messages with a smaller id: the next page */
	uint64_t limit;        /* 0: 100 */
};
#define QUEUE_FILTER_ANY ((struct queue_filter){.direction = -1, .env = -1, .state = -1, .delivery = -1, .ack = -1})
/* Newest first. `fn` returns 0 to go on; another value ends and is returned. The message is good until fn returns. */
int queue_message_list(struct queue_work *w, const struct queue_filter *f, int (*fn)(void *arg, const struct queue_message *m),
		       void *arg);
int queue_message_children(struct queue_work *w, struct slice id, int (*fn)(void *arg, const struct queue_message *m), void *arg);

/* Steps of a message in the order of time, those of the receipt log and those without a receipt. */
struct queue_step {
	van_time time;
	struct slice event, text;
	bool has_receipt;
	struct receipt_ref receipt;
};
int queue_message_history(struct queue_work *w, struct slice id, int (*fn)(void *arg, const struct queue_step *s), void *arg);

/* --- parts (artefacts) -------------------------------------------------------------------------------------------- */

int queue_part_get(struct queue_work *w, struct slice id, struct slice name, struct queue_part *ret);
int queue_parts(struct queue_work *w, struct slice id, int (*fn)(void *arg, const struct queue_part *p), void *arg);
/* Where the bytes are: in memory (good as long as the work's transaction), or `length` bytes at `offset` of `fd`. */
struct queue_content {
	struct slice bytes; /* used when fd is -1 */
	int fd;             /* the caller's */
	uint64_t offset, length;
};
int queue_part_open(struct queue_work *w, struct slice id, struct slice name, struct queue_content *ret);
/* Parts that receipts name are never changed: what comes again is another part, NAME-2, NAME-3 … The newest one's name; VAN_ENOTFOUND. */
int queue_part_newest(struct queue_work *w, struct slice id, struct slice name, struct slice *ret_name);
/* What a copy of the store needs beside the database, as the transaction sees it: where the log's settled part ends, the segment files
 * before that (segments_each_file), and each body in a payload file. `fn` returns 0 to go on. */
int queue_log_end(struct queue_work *w, uint64_t *ret);
int queue_segments_each(struct queue_work *w, uint64_t end, segments_file_fn fn, void *arg);
int queue_files_each(struct queue_work *w, int (*fn)(void *arg, struct slice id, const char *part, uint64_t bytes), void *arg);
/* A receipt of what an operator did to the installation as a whole. */
int queue_note(struct queue_work *w, struct slice actor, struct slice text);

/* Is there a record of this file? Also true where nobody knows, because a record can't be read. For payload_sweep() at start. */
bool queue_part_is_file(struct queue_work *w, struct slice id, struct slice name);

/* --- who looked ------------------------------------------------------------------------------------------------------ */

/* Somebody got a document's bytes, not as its receiver: a receipt "looked-at" that says who and what ("the payload"). The same who and what
 * have one in so long, so that a script which looks every minute fills no log. */
#define QUEUE_LOOK_ONCE_IN (24 * 3600 * VAN_SECOND)
int queue_message_looked_at(struct queue_work *w, struct slice id, struct slice what, struct slice actor);
/* The same of many documents at a time, always with a receipt, which is of no message. */
int queue_bundle_handed_out(struct queue_work *w, struct slice what, struct slice actor);

/* --- holding, releasing, doing again -------------------------------------------------------------------------------- */

/* A held, duplicate, unroutable, rejected or quarantined message runs its job again, under today's agreements. VAN_ESTATE
 * for another state. `accept_duplicate`: this time its control number is no obstacle. The caller dispatches the job. */
int queue_message_release(struct queue_work *w, struct slice id, struct slice actor);
int queue_message_hold(struct queue_work *w, struct slice id, struct slice actor);
/* A held message that somebody has dealt with: processed, and `text` says how. VAN_ESTATE for another state. */
int queue_message_settle(struct queue_work *w, struct slice id, struct slice actor, struct slice text);
/* Releases what waits because its agreement (absent: any) was on hold, oldest first: of the held messages behind `after` (absent: the first)
 * at most `most` are looked at. fn is told each that was released. *ret_last: the last that was looked at; absent: there are no more. */
int queue_release_agreement(struct queue_work *w, struct slice agreement, struct slice after, unsigned most, struct slice actor,
			    void (*fn)(void *arg, struct slice id), void *arg, struct slice *ret_last);
/* Is this what the message waits for? */
bool queue_waits_for_agreement(const struct queue_message *m);
/* Keeps the message, forgets that it wants something: rejected with this reason. */
int queue_message_reject(struct queue_work *w, struct slice id, struct slice actor, struct slice reason);

/* --- business rules ---------------------------------------------------------------------------------------------------- */

/* *ret: the message that has this value of a rule, within its window, unless it is of the same origin as `message` (itself, what it is a
 * part of, what it is processed again for); absent: none. */
int queue_seen(struct queue_work *w, struct slice message, const struct ipc_unique *u, struct slice *ret);

/* A value that is kept, and by which message. Of old ones that were long neither sheet, rule, sender nor value are known: empty. */
struct queue_kept {
	struct slice sheet, rule, from, value, message;
	van_time time;
	uint64_t window; /* microseconds; 0: ever, or an old one */
};
struct queue_kept_filter { /* absent, 0: any */
	struct slice sheet, rule, from, value, message; /* sheet: with or without "rules-" */
	van_time until; /* kept before then */
};
/* In no order that means anything; good until fn returns. fn returns 0 to go on; another value ends and is returned. */
int queue_unique_list(struct queue_work *w, const struct queue_kept_filter *f, uint64_t limit, int (*fn)(void *arg, const struct queue_kept *k), void *arg);
/* Forgets them: the next document may have these values. Each leaves a receipt at its message; fn is told each. `most` at a time. */
int queue_unique_clear(struct queue_work *w, const struct queue_kept_filter *f, uint64_t most, struct slice actor,
		       int (*fn)(void *arg, const struct queue_kept *k), void *arg);

/* --- acknowledgements ------------------------------------------------------------------------------------------------ */

/* Is it about an interchange of our own writing? Then it goes no further. */
int queue_ack_ours(struct queue_work *w, const struct ipc_ack_seen *a, bool *ret);
/* Closes an awaited or overdue acknowledgement by hand. */
int queue_ack_close(struct queue_work *w, struct slice id, struct slice actor, struct slice reason);
/* When the next deadline of an acknowledgement is; 0: none. */
int queue_ack_next(struct queue_work *w, van_time *ret);
/* Marks what is due as overdue, looking at `limit` deadlines at most. How many were marked, or negative. */
int queue_ack_scan(struct queue_work *w, unsigned limit);

/* --- control numbers ------------------------------------------------------------------------------------------------- */

enum queue_level { QUEUE_LEVEL_INTERCHANGE, QUEUE_LEVEL_GROUP };
struct queue_counter {
	struct slice from, to;
	uint32_t env;   /* enum queue_env */
	uint32_t level; /* enum queue_level */
	uint64_t last;  /* 0: none used yet */
};
/* 1 to 999999999, then 1 again. */
int queue_counter_next(struct queue_work *w, struct slice from, struct slice to, uint32_t env, uint32_t level, uint64_t *ret);
int queue_counter_set(struct queue_work *w, struct slice from, struct slice to, uint32_t env, uint32_t level, uint64_t last,
		      struct slice actor);
int queue_counters(struct queue_work *w, int (*fn)(void *arg, const struct queue_counter *c), void *arg);

/* Received interchanges: numbers that are missing between two that came. */
struct queue_gap {
	struct slice from, to, standard;
	uint32_t env;
	uint64_t first, last;
};
typedef int queue_gap_fn(void *arg, const struct queue_gap *g);
/* Numbers that are no numbers do not count. As queue_counters(). */
int queue_control_gaps(struct queue_work *w, queue_gap_fn *fn, void *arg);

/* --- profiles -------------------------------------------------------------------------------------------------------- */

/* The next version of a profile: `p` as checked by directory_check(). Unchanged ones keep their version (*ret_changed
 * false). A receipt is appended. Sets p->version. */
int queue_profile_put(struct queue_work *w, struct profile *p, struct slice actor, bool *ret_changed);
int queue_profile_remove(struct queue_work *w, enum profile_kind kind, struct slice id, struct slice actor);
/* `version` 0: the current one. VAN_ENOTFOUND also when it is removed. */
int queue_profile_get(struct queue_work *w, enum profile_kind kind, struct slice id, uint64_t version, struct queue_profile *ret);
/* Every version, oldest first. */
int queue_profile_versions(struct queue_work *w, enum profile_kind kind, struct slice id,
			   int (*fn)(void *arg, const struct queue_profile *p), void *arg);
/* All current profiles into a directory: at start. VAN_EINVAL with w->err when a stored one can't be read. */
int queue_profiles_load(struct queue_work *w, struct directory *d);

/* --- figures --------------------------------------------------------------------------------------------------------- */

struct queue_figures {
	uint64_t jobs, deliveries; /* waiting */
	uint64_t batches;          /* open: they wait for more, and are no jobs yet */
	uint64_t deliveries_failed; /* and neither retried nor dropped; messages */
	van_time oldest;           /* of both; 0: none */
	uint64_t acks_overdue;
	uint64_t messages;
};
int queue_figures(struct queue_work *w, struct queue_figures *ret);

#endif
