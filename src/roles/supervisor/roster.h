/* The roster: every role's process, its channel, its state; starting, wiring and restarting. */
#ifndef OPENVAN_ROLES_SUPERVISOR_ROSTER_H
#define OPENVAN_ROLES_SUPERVISOR_ROSTER_H

#include "ipc/channel.h"
#include "ipc/messages.h"
#include "roles/supervisor/child.h"
#include "roles/supervisor/wiring.h"

enum member_state { MEMBER_STOPPED, MEMBER_STARTING, MEMBER_RUNNING, MEMBER_BACKING_OFF };

struct roster;

struct member {
	struct roster *roster;
	enum wiring_kind kind;
	uint64_t index; /* running number within both worker pools; 0 for others */
	enum member_state state;
	pid_t pid;
	struct ipc_channel *control;
	uint64_t restarts;
	van_time started, backoff;
	struct loop_timer *timer;
};

/* What the supervisor does for the roster. */
struct roster_handlers {
	int (*equip)(void *arg, struct member *m); /* send CONFIG, LISTENERs and FILEs; 0 or negative */
	void (*on_message)(void *arg, struct member *m, struct ipc_message *msg);
	void (*on_ready)(void *arg, struct member *m); /* this member serves now (for the first time, or again) */
	void *arg;
};

struct roster {
	struct loop *loop;
	struct child_users users;
	struct roster_handlers handlers;
	struct member *members;
	size_t n;
	bool stopping;
};

/* One member of each kind, `receive` and `job` workers. 0 or VAN_ENOMEM. */
int roster_init(struct roster *r, struct loop *l, const struct child_users *users, uint64_t receive, uint64_t job,
		const struct roster_handlers *handlers);
void roster_free(struct roster *r);

/* Starts all, wires all, START. 0 or negative. */
int roster_start(struct roster *r);
/* Call when SIGCHLD arrived: reaps; what died is started again with back-off unless stopping. */
void roster_reap(struct roster *r);
/* Sends STOP to all in an order that lets answers out; returns at once: reap until roster_running is 0. */
void roster_stop(struct roster *r);
void roster_kill(struct roster *r);
size_t roster_running(const struct roster *r);
bool roster_all_running(const struct roster *r);
struct member *roster_find(struct roster *r, enum wiring_kind kind);
const char *member_state_name(enum member_state s);

#endif
