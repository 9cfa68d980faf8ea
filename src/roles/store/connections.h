/* A call of the control socket while it is under way. */
#ifndef OPENVAN_ROLES_STORE_CONNECTIONS_H
#define OPENVAN_ROLES_STORE_CONNECTIONS_H

#include "roles/store/control.h"
#include "roles/store/store_role.h"

#define CONTROL_LATER 1000 /* a read that is answered by pending_call_finish() when something else has come in */

struct pending_call {
	struct write_request base; /* used by writes; its arena by all */
	const struct control_command *command;
	struct ipc_channel *channel; /* NULL: who asked is gone */
	uint64_t request;
	json_t *json;
	struct van_buf out;
	struct control_call call;
	int status; /* of the write */
	struct van_id wake[CONTROL_WAKES]; /* jobs to dispatch after the commit */
	size_t nwake;
	struct queue_woken *woken; /* by the transaction itself; in the request's arena */
	bool awaits_status;
	struct loop_timer *awaits_keys; /* committed; answered when keyd has the keys, or then */
	struct pending_call *next, **place;
	/* apart */
	pthread_t thread;
	struct apart *apart;
};

/* Answers and frees. `rc` as a handler returns it. Loop thread. */
void pending_call_finish(struct pending_call *p, int rc);
/* The command's read or apart has ended: its write follows, or the answer. */
void pending_call_read(struct pending_call *p, int rc);
/* What the command's read waited for has come: its write follows. */
void pending_call_go_on(struct pending_call *p);
static inline struct pending_call *pending_call_of(struct control_call *c)
{
	return (struct pending_call *)((char *)c - offsetof(struct pending_call, call));
}

/* apart.c */
void control_run_apart(struct pending_call *p);
void control_apart_wait(struct store_role *s);

#endif
