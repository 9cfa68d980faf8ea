/* The store role: the only opener of the database. What its files share. */
#ifndef OPENVAN_ROLES_STORE_STORE_ROLE_H
#define OPENVAN_ROLES_STORE_STORE_ROLE_H

#include "ipc/messages.h"
#include "queue/accept.h"
#include "queue/mailbox.h"
#include "roles/role.h"
#include "roles/store/writer.h"

#include <stdatomic.h>

struct control_connection;
struct pending_call;
struct jobs;
struct overdue;
struct releasing;
struct tidy;
struct session;
struct bans;
struct throttles;
struct polls;
struct checkpoints;
struct deliveries;
struct maps;

/* What a job worker is busy with. */
enum worker_task { WORKER_IDLE, WORKER_JOB, WORKER_CONFLICT, WORKER_PASSWORD, WORKER_DELIVERY, WORKER_TRIAL };

struct peer_worker {
	struct store_role *s;
	uint64_t index;
	bool jobs;                /* of the job pool */
	struct ipc_channel *channel; /* NULL: gone, the supervisor sends another */
	enum worker_task task;
	struct van_id job;        /* WORKER_JOB: the present one */
	struct van_id *ahead;     /* … and those it was given with it, JOBS_AT_ONCE at most */
	size_t nahead;
	void *work;               /* WORKER_CONFLICT, WORKER_PASSWORD, WORKER_DELIVERY, WORKER_TRIAL: the waiting thing */
	bool delivery_last;       /* jobs and deliveries take turns */
	uint64_t request;
};

struct store_role {
	struct role *role;
	struct store *store;
	struct receipts *receipts;
	struct payload_dir *payload;
	struct queue *queue;
	struct writer *writer;
	struct directory *directory;
	pthread_rwlock_t directory_lock; /* written by the writer thread after a commit, read by both */
	uint64_t generation;             /* of the directory; loop thread */
	struct van_arena *arena;         /* of the present message; loop thread */

	struct ipc_channel *http, *keyd, *sftp, *deliver, *web;
	uint64_t http_started; /* counts http processes: a request of an earlier one has no one to answer */
	struct peer_worker **workers;
	size_t nworkers;
	struct jobs *jobs;
	struct session *sessions;
	uint64_t sessions_seen;
	struct bans *bans;
	struct throttles *throttles;
	struct polls *polls;
	struct maps *maps;
	struct control_connection *connections;
	size_t nconnections;
	struct pending_call *calls; /* of the control socket, under way */
	unsigned naparts;
	atomic_bool sending_held; /* restored.c: nothing goes out until an operator says so */
	char restored[40];        /* the point in time of the backup that this store came from */
	atomic_bool backups_end; /* for the threads that make one: the role stops */
	size_t keys_awaited; /* keys of the changes of profiles that keyd has not reported on yet */
	struct key_trouble *key_troubles; /* keys that a station names and keyd has not: keys.c */
	struct checkpoints *checkpoints;
	struct overdue *overdue;
	struct releasing *releasing;
	struct tidy *tidy;
	struct deliveries *deliveries;
	int control_listener;
	struct loop_watch *control_watch;
	bool stopping;
};

/* Reading in the loop's thread: a read transaction around it. *ret_work is good until store_read_end. 0 or negative. */
struct store_read {
	struct queue_work work;
	struct store_txn *txn;
};
int store_read_begin(struct store_role *s, struct van_arena *arena, struct store_read *ret);
void store_read_end(struct store_role *s, struct store_read *r);

/* Is there room on the disk for new messages? */
bool store_has_room(struct store_role *s);

/* receive.c: IPC_AS2_ACCEPT and IPC_LOOKUP */
void receive_accept(struct store_role *s, struct peer_worker *from, struct ipc_message *m);
void receive_lookup(struct store_role *s, struct ipc_channel *to, struct ipc_message *m);
void receive_reply_busy(struct store_role *s, uint64_t http_started, uint64_t http_request, const char *text);

/* jobs.c: the dispatcher of job workers */
int jobs_start(struct store_role *s); /* loads what waits */
void jobs_free(struct store_role *s);
/* It waits until the loop has nothing else to do: answers go first, and what a commit brought goes out together. */
void jobs_add(struct store_role *s, struct slice message, van_time not_before);
void jobs_dispatch_added(struct store_role *s); /* before the loop waits */
void jobs_dispatch(struct store_role *s);
void jobs_on_message(struct store_role *s, struct peer_worker *w, struct ipc_message *m);
void jobs_worker_gone(struct store_role *s, struct peer_worker *w);
/* Asks a worker for another MDN: the Message-ID or the file name was used for another document, as `r` says. Copies what it
 * needs. */
void jobs_conflict(struct store_role *s, uint64_t http_started, const struct ipc_as2_accept *a, const struct queue_accept_result *r);
/* A worker asks to accept a message: which http process waits for the answer. Ends its conflict task, if it has one. */
uint64_t jobs_accepting(struct store_role *s, struct peer_worker *w);
/* Checks a password in a worker; `fn` is called once, also when no worker could. */
typedef void password_fn(void *arg, bool ok);
struct password_check;
struct password_check *jobs_password(struct store_role *s, struct slice hash, struct slice password, password_fn *fn, void *arg);
void jobs_password_forget(struct password_check *p); /* the asker is gone; p may be NULL */

/* deliveries.c, delivery_try.c, delivery_mdn.c: what goes out */
int deliveries_start(struct store_role *s);
void deliveries_free(struct store_role *s);
/* After a commit that queued something for this connection; enum queue_delivery_kind. */
void deliveries_wake(struct store_role *s, uint32_t kind, struct slice connection);
/* After a commit that may have queued something anywhere. 0 or negative. */
int deliveries_look(struct store_role *s);
void deliveries_channel_gone(struct store_role *s); /* deliver has ended */
void deliveries_delivered(struct store_role *s, struct ipc_message *m); /* IPC_DELIVERED */
void deliveries_mdn_posted(struct store_role *s, struct ipc_message *m); /* IPC_MDN_POSTED */
/* Gives an idle worker what waits for one. False: nothing does. */
bool deliveries_give(struct store_role *s, struct peer_worker *w);
void deliveries_on_worker(struct store_role *s, struct peer_worker *w, struct ipc_message *m);
void deliveries_worker_gone(struct store_role *s, void *work);

/* sessions.c: SFTP sessions */
void sessions_open(struct store_role *s, struct ipc_message *m);
void sessions_free(struct store_role *s);
/* The directory has changed: sessions of accounts that may not log in any more end. */
void sessions_check(struct store_role *s);

/* connections.c: the control socket */
int control_start(struct store_role *s);
void control_free(struct store_role *s);
void control_channel_gone(struct store_role *s, struct ipc_channel *c); /* answers for it are dropped */
void control_on_message(struct store_role *s, struct ipc_channel *c, struct ipc_message *m, struct slice actor);
/* Status waits for the supervisor's answer: control_status.c */
void control_status_reply(struct store_role *s, struct ipc_message *m);

/* checkpoint.c */
int checkpoints_start(struct store_role *s);
void checkpoints_free(struct store_role *s);
void checkpoints_signed(struct store_role *s, struct ipc_message *m);
void checkpoints_keyd_changed(struct store_role *s);

/* keys.c: which keys keyd is to hold */
/* How many: keyd reports on each. */
size_t keys_wanted_send(struct store_role *s);
/* What became of a key: IPC_KEY_STATUS. Those that can't be used are kept for the status, [{"key_id","text"}]. */
void keys_status(struct store_role *s, struct ipc_message *m);
void keys_put_troubles(const struct store_role *s, struct van_buf *to);
void keys_forget(struct store_role *s);
/* connections.c: keyd has reported on all keys; answers that waited for it go out. */
void control_keys_settled(struct store_role *s);
/* ... and which client keys and passwords deliver is to have */
void credentials_wanted_send(struct store_role *s);

/* overdue.c: deadlines of acknowledgements */
int overdue_start(struct store_role *s);
void overdue_free(struct store_role *s);

/* store.c: after a commit that changed the directory; loop thread */
void store_directory_changed(struct store_role *s);

#endif
