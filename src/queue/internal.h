/* What the files of this folder share. */
#ifndef OPENVAN_QUEUE_INTERNAL_H
#define OPENVAN_QUEUE_INTERNAL_H

#include "base/id.h"
#include "queue/queue.h"
#include "store/segment.h"
#include "store/key.h"

struct queue {
	struct store *store;
	struct receipts *receipts;
	struct payload_dir *payload;
	struct slice zone;        /* the network's time zone; absent: UTC */
	struct segments *segments;
	bool in_doubt;            /* see queue_in_doubt() */
	unsigned repeated;        /* commits that the log had and the store had not */
	van_time as2_window;      /* how long a Message-ID is remembered; 0: for ever */
	store_table_id message;   /* id → message */
	store_table_id part;      /* id, name → part */
	store_table_id event;     /* id, time, random → event */
	store_table_id job;       /* id → job */
	store_table_id delivery;  /* id → delivery */
	store_table_id delivery_next; /* kind, connection, next, id → nothing: what is queued, under way or awaiting its MDN */
	store_table_id mailbox;   /* connection, folder, section, name → mailbox entry */
	store_table_id mailbox_usage; /* connection → what its uploads take */
	store_table_id pickup;    /* connection, name on the partner's server → what became of it */
	store_table_id look;      /* message id, who, what → when that had its receipt last */
	store_table_id login;     /* address, user → failures; address → failures with unknown names, last success */
	store_table_id ban;       /* network, user → ban */
	store_table_id expect;    /* env, group parties, code, number, message id → expect */
	store_table_id due;       /* time, message id → nothing */
	store_table_id counter;   /* env, level, from, to → number */
	store_table_id control;   /* env, from, to, standard, control number → message id and time */
	store_table_id index;     /* kind, value, message id → nothing */
	store_table_id profile;   /* kind, id → profile */
	store_table_id profile_version; /* kind, id, version → profile */
	store_table_id seen;      /* rule, value → message id and time */
	store_table_id sheet;     /* name → sheet */
	store_table_id sheet_version; /* name, version → sheet version */
	store_table_id segment;   /* "end" → how far the log is settled */
	store_table_id batch;      /* message id → batch */
	store_table_id batch_item; /* message id, number → item */
	store_table_id batch_open; /* terms, from, to, env → message id of the batch that takes more */
};

/* --- reading and writing records: queue.c --- */

/* The value, copied into the arena in a write transaction, where the store's bytes may move. */
int queue_get(struct queue_work *w, store_table_id table, struct slice key, struct slice *ret);
int queue_get_record(struct queue_work *w, store_table_id table, struct slice key, const struct record_table *t, void *ret);
int queue_put_record(struct queue_work *w, store_table_id table, struct slice key, const struct record_table *t, const void *rec);
struct slice queue_keep(struct queue_work *w, struct slice value); /* copies in a write transaction */
/* Foreign text as a part of a key: long ones by their hash, so that a few of them always fit. */
void queue_key_foreign(struct store_key *k, struct slice s);
struct slice queue_hex(struct queue_work *w, const void *p, size_t n); /* lower-case, in the arena */
struct slice queue_sha256_hex(struct queue_work *w, struct slice raw);  /* of 32 raw bytes; absent for anything else */

/* --- messages: message.c --- */

/* Writes the record and keeps the indexes right; `old` is what is stored, NULL for a new one. */
int queue_message_put(struct queue_work *w, const struct queue_message *old, const struct queue_message *m);
int queue_index_put(struct queue_work *w, char kind, struct slice value, struct slice id);
int queue_index_del(struct queue_work *w, char kind, struct slice value, struct slice id);
/* Makes the message findable by this text: control number, key, name, hash. Absent and empty ones are skipped. */
int queue_search_put(struct queue_work *w, struct slice text, struct slice id);
/* The Message-ID of an accepted message: findable, and known when it comes again. */
int queue_accepted_put(struct queue_work *w, struct slice as2_message_id, struct slice id);
/* Every accepted message whose Message-ID is found by the same text, oldest first. As queue_message_list(). */
int queue_accepted_each(struct queue_work *w, struct slice as2_message_id, int (*fn)(void *arg, const struct queue_message *m),
			void *arg);
/* "<id>" without brackets, numbers without leading zeros. */
struct slice queue_search_text(struct slice text);

enum {
	QUEUE_INDEX_PARTNER = 'p',
	QUEUE_INDEX_STATE = 's',
	QUEUE_INDEX_DELIVERY = 'd',
	QUEUE_INDEX_ACK = 'a',
	QUEUE_INDEX_PARENT = 'c',
	QUEUE_INDEX_SEARCH = 'k',
	QUEUE_INDEX_ACCEPTED = 'm', /* Message-IDs of accepted messages; searched as well */
};

/* --- the trail of a message: trail.c --- */

/* A receipt about the message, with `artefacts`. */
int queue_trail_receipt(struct queue_work *w, enum receipt_event event, const struct queue_message *m, struct slice text,
			struct slice actor, struct receipt_artefact *artefacts, size_t n);
/* A step without a receipt. */
int queue_trail_event(struct queue_work *w, struct slice id, const char *event, struct slice text);
/* Fills an artefact from hashes made elsewhere. False when they are not there. */
bool queue_artefact(struct receipt_artefact *ret, struct slice name, uint64_t bytes, struct slice salt, struct slice salted);

/* --- parts: part.c --- */

int queue_part_put(struct queue_work *w, struct slice id, const struct queue_part *p);
/* A part of `from` becomes one of `to`, too, of the same name and without a copy. */
int queue_part_borrow(struct queue_work *w, struct slice from, struct slice name, struct slice to);
int queue_part_forget(struct queue_work *w, struct slice id, struct slice name); /* the record; 0 also when there is none */
bool queue_part_name_ok(struct slice name);

/* --- jobs: job.c --- */

/* Bytes whose signature did not verify must never be processed, whoever asks. */
bool queue_message_verified(const struct queue_message *m);
int queue_job_put(struct queue_work *w, struct slice id, const struct queue_job *j);

/* --- mailboxes: mailbox.c --- */

/* Puts an output into its mailbox under a name made from the profile's pattern, which becomes m->file_name. */
/* m->file_name by a pattern, for what is put elsewhere. 0 or VAN_ENOMEM. */
int queue_mailbox_name(struct queue_work *w, struct slice pattern, struct queue_message *m, struct slice extension);
int queue_mailbox_deliver(struct queue_work *w, const struct profile_connection *c, struct queue_message *m, struct slice extension);

/* --- deliveries: delivery.c --- */

/* For a message that has just been made; its delivery state (queued or held) becomes the delivery's. */
int queue_delivery_new(struct queue_work *w, const struct queue_message *m, enum queue_delivery_kind kind);
/* Queues the part "mdn" of a received message for `url`, in the transaction that keeps it; again (from the beginning of its
 * schedule) when that was done before. The caller wakes QUEUE_TO_MDN of m->connection after the commit. */
int queue_delivery_mdn(struct queue_work *w, const struct queue_message *m, struct slice url);
/* Writes the record and its place among what is due; `old` is what is stored, NULL for a new one. */
int queue_delivery_put(struct queue_work *w, const struct queue_delivery *old, const struct queue_delivery *d);
int queue_delivery_forget(struct queue_work *w, const struct queue_delivery *old);
/* Moves an output's delivery state; a received message shows that of its outputs (acknowledgements aside). */
int queue_delivery_move(struct queue_work *w, struct queue_message *m, enum queue_delivery_state to);
/* What an output was made of shows that state. */
int queue_delivery_show(struct queue_work *w, const struct queue_message *m, enum queue_delivery_state to);
/* The same, where other fields of *m have changed, too; `stored` is what is stored. */
int queue_delivery_move_from(struct queue_work *w, const struct queue_message *stored, struct queue_message *m,
			     enum queue_delivery_state to);

/* --- batches: batch.c --- */

struct result;
/* Puts output `i`, a message that waits for others, into the batch of its terms; without one it opens it. Sets m. */
int queue_batch_add(struct queue_work *w, struct result *r, size_t i, struct queue_message *m);
int queue_batch_fill(struct queue_work *w, const struct queue_message *m, struct ipc_job *ret, int *ret_fd);
/* The batch became interchanges: what waited is let go. VAN_EAGAIN: more has come since it was given to the worker. */
int queue_batch_end(struct queue_work *w, struct slice id, uint64_t messages);
/* As queue_delivery_act. VAN_ENOTFOUND: it is no batch that waits or is held. */
int queue_batch_act(struct queue_work *w, struct slice id, const char *action, struct slice actor);
/* Its job is over without a result, or it goes now: nobody joins it any more. */
int queue_batch_close(struct queue_work *w, struct slice id);
/* May an operator do this with what is in this state, and what is it then? */
bool queue_delivery_fits(const char *action, uint32_t state, enum queue_delivery_state *to);
/* What was made of a batch belongs to all whose messages are in it. */
int queue_batch_origins(struct queue_work *w, struct queue_message *m);

/* --- answers: answer.c --- */

/* Asks for the acknowledgement that a message's sender is owed, once. */
int queue_answer_want(struct queue_work *w, struct queue_message *m);
int queue_answer_fill(struct queue_work *w, const struct queue_message *m, struct ipc_job *ret, int ret_fds[2]);
/* Work that is due now because of what this transaction does. */
int queue_wake(struct queue_work *w, struct slice id, van_time when);

/* --- acknowledgements: ack.c --- */

/* Registers what is awaited for a received message: its groups. */
int queue_ack_expect(struct queue_work *w, const struct queue_message *m);
struct ipc_ack_seen;
/* The documents that a run of acknowledgements is about; all of it in w->arena. Begins as zeros. */
struct queue_ack_run {
	struct queue_message last; /* the last one, as it was before the run */
	struct slice *touched;     /* their identifiers */
	size_t n, room;
};
/* Matches an acknowledgement that came in message `carrier`. 1 matched, 0 matched nothing, or negative. */
int queue_ack_match(struct queue_work *w, struct queue_ack_run *run, const struct queue_message *carrier, const struct ipc_ack_seen *a);
/* After the last of the run: gives the documents the state that follows from all their groups. */
int queue_ack_settle(struct queue_work *w, struct queue_ack_run *run);

#endif
