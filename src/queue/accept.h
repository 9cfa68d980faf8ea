/* Accepting what came over AS2, and jobs: their results, failures and crashes. Input is the message of the role that asks. */
#ifndef OPENVAN_QUEUE_ACCEPT_H
#define OPENVAN_QUEUE_ACCEPT_H

#include "base/id.h"
#include "ipc/messages.h"
#include "queue/queue.h"

enum queue_accept_outcome {
	QUEUE_ACCEPT_NEW,      /* stored; reply as given; a job waits */
	QUEUE_ACCEPT_REJECTED, /* stored as rejected; reply as given */
	QUEUE_ACCEPT_REPEATED, /* seen before, same MIC: answer with *ret_reply, the stored one */
	QUEUE_ACCEPT_CONFLICT, /* seen before, another MIC: nothing was written */
	QUEUE_ACCEPT_NAME_USED, /* its file name was used before, and unique_file_name asks for a new one: nothing was written */
};
struct queue_accept_result {
	enum queue_accept_outcome outcome;
	struct slice message; /* the stored message: new, or the one repeated, in conflict, or of that name */
	struct slice reply;   /* REPEATED: encoded struct ipc_http_reply */
};
/* `id`: for the message. Artefacts with fd_number have been linked as parts of it. */
int queue_accept_as2(struct queue_work *w, struct slice id, const struct ipc_as2_accept *a, struct queue_accept_result *ret);

/* Every waiting job, oldest first: at start. */
int queue_jobs(struct queue_work *w, int (*fn)(void *arg, struct slice message, const struct queue_job *j), void *arg);
/* Fills the request for a job worker; descriptors that belong to it, if any, are in ret_fds (the caller's), else -1: the payload's first.
 * VAN_ENOTFOUND when the job is gone. */
int queue_job_fill(struct queue_work *w, struct slice message, struct ipc_job *ret, int ret_fds[2]);

/* Of an output that came in a file: read and hashed before the transaction. */
struct queue_output_file {
	struct slice bytes; /* short ones: kept in the store itself; absent: a stretch of the file, which is linked */
	struct receipt_hash sha256;
	struct receipt_artefact artefact; /* named "payload" */
	bool hashed; /* false: longer than what is worth the time here */
};
/* Identifiers for what a result makes; made before the transaction, so that a replay uses the same. */
struct queue_job_ids {
	const struct van_id *children; /* one for each interchange, where there are several */
	const struct van_id *outputs;  /* one for each output */
	const struct van_id *asides;   /* one for each document that is set aside */
	const struct queue_output_file *files; /* one for each output, filled for those with fd_number */
	const char *made_name; /* a linked fd[n-1] of the result is part "made-NAME-n" of the job's message */
};
#define QUEUE_OUTPUT_INLINE_MAX ((size_t)64 * 1024) /* linking and flushing a file costs more than so many bytes in the store */
/* Fills `files` from the result's descriptors. 0 or negative. */
int queue_result_hash_files(const struct ipc_job_result *r, const int *fds, size_t nfds, struct van_arena *arena,
			    struct queue_output_file *files);
/* Applies the result: children, outputs with their control numbers, deliveries and mailbox entries, acknowledgements, receipts;
 * ends the job. VAN_ENOTFOUND when no job waits for that message (it was done already); VAN_EAGAIN: a batch has grown since. */
int queue_job_done(struct queue_work *w, const struct ipc_job_result *r, const struct queue_job_ids *ids);
/* The worker could not do it. With retry the job waits (*ret_next); else the message is held with the error. */
int queue_job_failed(struct queue_work *w, const struct ipc_job_failed *f, van_time *ret_next);
/* The worker died with it. The second time the message is quarantined (*ret_next is then 0). */
int queue_job_crashed(struct queue_work *w, struct slice message, van_time *ret_next);

#endif
