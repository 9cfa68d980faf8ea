/* The writer thread: requests of all roles gathered into one transaction and one flush, to the log. While one batch flushes the next one
 * gathers. Whatever waits for an answer gets it after the commit, on the loop's thread or before that. Every few hundred milliseconds the store is
 * settled: the database gets what the log has.
 * Where one small request comes at a time, the loop's thread commits it itself: to wake another one takes as long as half a flush. */
#ifndef OPENVAN_ROLES_STORE_WRITER_H
#define OPENVAN_ROLES_STORE_WRITER_H

#include "ipc/loop.h"
#include "queue/queue.h"

#include <pthread.h>

struct writer;
struct write_request;

struct write_ops {
	/* Writer thread (the loop's for small ones, as the next three), before the transaction, once: links payload files. A refusal ends the request. May be
	 * NULL. */
	int (*prepare)(struct write_request *r);
	/* Writer thread, in the transaction; again after an abort. A negative return refuses this request alone. */
	int (*run)(struct write_request *r, struct queue_work *w);
	/* Writer thread, after the commit of a request that was not refused; then the batch ends with it. May be NULL. */
	void (*committed)(struct write_request *r);
	/* Writer thread, after the commit of a request that was not refused, where few came with it: for somebody outside who waits. The loop
	 * then needn't be woken first. May be NULL; `done` still follows. */
	void (*answer)(struct write_request *r);
	/* Loop thread: r->rc is 0 or why not (r->err says more). Ends with write_request_free(). */
	void (*done)(struct write_request *r);
};

struct write_request {
	const struct write_ops *ops;
	struct writer *writer;
	struct write_request *next;
	struct van_arena *arena; /* the request's memory and its work's */
	bool files;              /* prepare linked something */
	bool small;              /* its commit is a write and a flush of the log and nothing more: the loop's thread may do it */
	bool prepared;           /* prepare was called */
	bool patient;            /* nobody outside waits: may ride on a later flush, see writer.c */
	bool aside;              /* ... nor for anything that comes with it: however many there are, they are no sign of load */
	bool job;                /* its commit ends a job: a named point for fault tests */
	int rc;
	struct van_error err;
};

struct writer_options {
	struct loop *loop;
	struct queue *queue;
	struct store *store;
	struct directory *directory;
	pthread_rwlock_t *directory_lock;
	van_time gather; /* longest wait for others under load */
	van_time settle; /* longest that commits stand in the log alone */
	size_t settle_bytes;
};

/* Starts the thread. 0 or negative. */
int writer_new(const struct writer_options *o, struct writer **ret);
/* Writes what waits, ends the thread, gives the loop's part of what is done. */
void writer_stop(struct writer *w);
void writer_free(struct writer *w);

/* A request of `size` bytes that begin with a struct write_request, zeroed. NULL when out of memory. Loop thread. */
void *write_request_new(struct writer *w, size_t size, const struct write_ops *ops);
void write_request_free(struct write_request *r);
/* Loop thread; `done` follows always. */
void writer_submit(struct write_request *r);
/* Loop thread, when everything that came was looked at, before it waits: commits what it may itself, and wakes the writer for the rest. */
void writer_serve(struct writer *w);
/* Returns when everything that was committed before the call is settled, for a snapshot to see; at once when the thread has ended.
 * Any thread but the writer's and the loop's. */
void writer_settle(struct writer *w);
/* Between the two nothing is settled: a snapshot that begins in this time is the newest there is, and the log takes the commits. For
 * moments only: the redo of all that time is in memory. One thread at a time, not the writer's. */
void writer_settling_hold(struct writer *w);
void writer_settling_release(struct writer *w);
struct payload_dir *writer_payload(struct writer *w);
/* How long the loop may rest before it looks for more: under load everything waits for a flush anyway, and a process that is not
 * woken for every single request costs its senders less too. 0 when few come. Any thread. */
van_time writer_rest(struct writer *w);

#endif
