/* Commands of the control socket: name, what it does, in which thread.
 *
 * A command has one of these functions (or read and write, see below):
 *   read   loop thread, in a read transaction; must be quick.
 *   write  writer thread, in the batch's write transaction. It may run again after an abort (then `out` is empty again), and
 *          decides before it writes: what it refuses leaves nothing behind. The answer goes out after the commit.
 *   apart  a thread of its own with its own read transaction, for what may take long (lists, export, backup); work->directory is
 *          NULL there.
 * With `read` or `apart` and `write`, the write follows when the first returned 0 (it leaves what it found in c->state and c->fd); a read that
 * returns CONTROL_LATER waits for something, which ends with pending_call_go_on() or pending_call_finish() (connections.h).
 * Each returns 0 (done: `out` is the answer), 1 or 2 (control_say or control_refuse said why), or a negative enum van_err.
 * work->directory may be used in read and write; work->arena lives as long as the call. */
#ifndef OPENVAN_ROLES_STORE_CONTROL_H
#define OPENVAN_ROLES_STORE_CONTROL_H

#include "base/id.h"
#include "queue/queue.h"
#include "roles/store/control_args.h"

struct store_role;
struct van_config;

struct control_call {
	struct store_role *role;
	struct queue_work *work;
	struct control_args args;
	struct slice actor;   /* who asks: "uid 0" */
	struct van_buf *out;  /* the answer: one JSON value */
	int in_fd;            /* the file that came with the request, or -1; closed after the call */
	int fd;               /* of the answer, or -1; a handler sets it, the dispatcher closes it */
	struct van_id id;     /* for a message the command makes; the same when it runs again */
	struct van_arena *arena; /* work->arena */
	void *state;          /* the handler's own, from prepare to committed */
	char error[512];      /* what control_say and control_refuse said */
};

typedef int control_fn(struct control_call *c);

struct control_command {
	const char *name; /* "message.list" */
	control_fn *read, *write, *apart;
	/* With `write` only. prepare: writer thread, before the transaction (work->txn is NULL), once: for checks against the
	 * directory, and where payload files are linked (payload_link). committed: after the commit, with the directory to change; others read it never meanwhile. Each write
	 * with `committed` ends its batch, so that the next one sees the directory changed. */
	control_fn *prepare;
	void (*committed)(struct control_call *c, struct directory *d);
	bool write_first; /* with `apart` and `write`: the write comes first, in a commit of its own, and what is done apart sees it */
	bool maps; /* what it writes changes maps or tables: workers ask for them anew */
};

/* Ends with a NULL name. control_table.c lists them all. */
extern const struct control_command control_commands[];

/* Says why not, one line with a remedy; returns `status` (1 the answer is no, 2 usage or environment) for the handler to return. */
int control_say(struct control_call *c, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same from an error: 1 for what is not found or does not fit, 2 for the rest. `err` may be NULL. */
int control_refuse(struct control_call *c, int rc, const struct van_error *err);

/* What handlers may ask of the role (any thread). */
const struct van_config *control_config(const struct control_call *c);
/* keyd's receipt key, once a checkpoint was signed. False before. */
bool control_receipt_key(const struct control_call *c, unsigned char key[RECEIPT_KEY]);
/* `apart` only: waits until every receipt that is committed now is under a signed checkpoint, at most `patience`. Call it before
 * reading: the transaction is renewed. 0, VAN_ETIMEOUT or VAN_ECLOSED. */
int control_await_checkpoint(struct control_call *c, van_time patience);
/* `apart` only: ends the call's snapshot: before waiting for the writer, which may wait until no snapshot is there. */
void control_snapshot_end(struct control_call *c);
/* `apart` only: a snapshot of what is settled now, instead of the call's first one. 0 or negative, as above. */
int control_snapshot_again(struct control_call *c);
/* Dispatches the job of a message whose release was committed: call it in `committed` or `write`'s success path; for at most CONTROL_WAKES
 * messages in one call. */
#define CONTROL_WAKES 64
void control_wake_job(struct control_call *c, struct slice message);

#endif
