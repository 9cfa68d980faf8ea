#include "roles/supervisor/roster.h"

#include "base/log.h"
#include "roles/role.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKOFF_FIRST (VAN_SECOND / 20)
#define BACKOFF_MOST (10 * VAN_SECOND)
#define HEALTHY_AFTER (30 * VAN_SECOND)

static int start_member(struct member *m);

int roster_init(struct roster *r, struct loop *l, const struct child_users *users, uint64_t receive, uint64_t job,
		const struct roster_handlers *handlers)
{
	*r = (struct roster){.loop = l, .users = *users, .handlers = *handlers};
	r->members = calloc(receive + job + WIRING_KINDS, sizeof *r->members);
	if (!r->members)
		return VAN_ENOMEM;
	for (int k = 0; k < WIRING_KINDS; k++) {
		uint64_t count = k == WIRING_RECEIVE_WORKER ? receive : k == WIRING_JOB_WORKER ? job : 1;
		uint64_t first = k == WIRING_JOB_WORKER ? receive : 0;
		for (uint64_t i = 0; i < count; i++)
			r->members[r->n++] = (struct member){.roster = r, .kind = (enum wiring_kind)k, .index = first + i};
	}
	return 0;
}

void roster_free(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++) {
		loop_cancel(r->members[i].timer);
		ipc_channel_free(r->members[i].control);
	}
	free(r->members);
	r->members = NULL;
	r->n = 0;
}

struct member *roster_find(struct roster *r, enum wiring_kind kind)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->members[i].kind == kind)
			return &r->members[i];
	return NULL;
}

const char *member_state_name(enum member_state s)
{
	static const char *const names[] = {"stopped", "starting", "running", "backing-off"};
	return names[s];
}

static int send_thing(struct ipc_channel *c, uint32_t type, const char *name, uint64_t index, int fd)
{
	struct ipc_role_thing t = {.name = slice_str(name), .index = index};
	return ipc_send(c, type, 0, &ipc_role_thing_table, &t, &fd, 1);
}

/* A fresh channel between two members, one end to each. */
static int wire(struct member *a, struct member *b)
{
	int fds[2];
	int rc = ipc_pair(fds);
	if (rc < 0)
		return rc;
	rc = send_thing(a->control, IPC_ROLE_PEER, wiring_peer_name(b->kind), b->index, fds[0]);
	if (rc == 0)
		rc = send_thing(b->control, IPC_ROLE_PEER, wiring_peer_name(a->kind), a->index, fds[1]);
	close(fds[0]);
	close(fds[1]);
	return rc;
}

static void wire_to_living(struct member *m)
{
	struct roster *r = m->roster;
	for (size_t i = 0; i < r->n; i++) {
		struct member *other = &r->members[i];
		if (other == m || !other->control || !wiring_connected(m->kind, other->kind))
			continue;
		int rc = wire(m, other);
		if (rc < 0)
			log_event(LOG_LEVEL_WARNING, "wiring-failed", "a", wiring_peer_name(m->kind), "b",
				  wiring_peer_name(other->kind), "error", van_err_name(rc), NULL);
	}
}

bool roster_all_running(const struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->members[i].state != MEMBER_RUNNING)
			return false;
	return true;
}

static void on_message(void *arg, struct ipc_channel *c, struct ipc_message *msg)
{
	struct member *m = arg;
	(void)c;
	if (msg->type != IPC_ROLE_READY) {
		m->roster->handlers.on_message(m->roster->handlers.arg, m, msg);
		return;
	}
	m->state = MEMBER_RUNNING;
	m->roster->handlers.on_ready(m->roster->handlers.arg, m);
}

static void on_closed(void *arg, struct ipc_channel *c)
{
	struct member *m = arg;
	if (m->control == c)
		m->control = NULL;
	ipc_channel_free(c); /* SIGCHLD tells the rest */
}

/* Process and control channel; the caller wires and sends START. */
static int spawn(struct member *m)
{
	struct roster *r = m->roster;
	int fds[2];
	int rc = ipc_pair(fds);
	if (rc < 0)
		return rc;
	bool keyd = m->kind == WIRING_KEYD;
	pid_t pid = child_start(wiring_role_name(m->kind), fds[1], keyd ? r->users.key_user : r->users.user,
				keyd ? r->users.key_group : r->users.group, r->users.switching);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return (int)pid;
	}
	m->pid = pid;
	m->state = MEMBER_STARTING;
	m->started = van_clock_monotonic();
	m->control = ipc_channel_new(fds[0]);
	rc = m->control ? ipc_channel_attach(m->control, r->loop, on_message, on_closed, m) : VAN_ENOMEM;
	if (rc == 0)
		rc = r->handlers.equip(r->handlers.arg, m);
	if (rc < 0)
		kill(pid, SIGKILL); /* reaped like any other death */
	return rc;
}

static void start(struct member *m)
{
	if (m->control)
		ipc_send(m->control, IPC_ROLE_START, 0, NULL, NULL, NULL, 0);
}

int roster_start(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++) {
		int rc = spawn(&r->members[i]);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < r->n; i++)
		for (size_t j = i + 1; j < r->n; j++)
			if (wiring_connected(r->members[i].kind, r->members[j].kind)) {
				int rc = wire(&r->members[i], &r->members[j]);
				if (rc < 0)
					return rc;
			}
	for (size_t i = 0; i < r->n; i++)
		start(&r->members[i]);
	return 0;
}

static void schedule_restart(struct member *m);

static void on_restart(void *arg)
{
	struct member *m = arg;
	m->timer = NULL;
	if (m->roster->stopping)
		return;
	if (start_member(m) < 0)
		schedule_restart(m);
}

static int start_member(struct member *m)
{
	m->restarts++;
	int rc = spawn(m);
	if (rc < 0 && m->state != MEMBER_STARTING)
		return rc; /* no process: try again */
	if (rc == 0) {
		wire_to_living(m);
		start(m);
	}
	return 0;
}

static void schedule_restart(struct member *m)
{
	if (van_clock_monotonic() - m->started > HEALTHY_AFTER || m->backoff == 0)
		m->backoff = BACKOFF_FIRST;
	else
		m->backoff = m->backoff * 2 < BACKOFF_MOST ? m->backoff * 2 : BACKOFF_MOST;
	m->state = MEMBER_BACKING_OFF;
	m->timer = loop_after(m->roster->loop, m->backoff, on_restart, m);
}

static void on_death(struct member *m, int status)
{
	bool expected = m->roster->stopping;
	log_event(expected ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "role-ended", "name", wiring_peer_name(m->kind), "index",
		  log_u64(m->index), "pid", log_u64((unsigned long long)m->pid), WIFSIGNALED(status) ? "signal" : "status",
		  log_u64((unsigned long long)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status))), NULL);
	m->pid = 0;
	ipc_channel_free(m->control);
	m->control = NULL;
	m->state = MEMBER_STOPPED;
	if (!expected)
		schedule_restart(m);
}

void roster_reap(struct roster *r)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		for (size_t i = 0; i < r->n; i++)
			if (r->members[i].pid == pid)
				on_death(&r->members[i], status);
}

void roster_stop(struct roster *r)
{
	r->stopping = true;
	for (size_t i = 0; i < r->n; i++) {
		loop_cancel(r->members[i].timer);
		r->members[i].timer = NULL;
	}
	/* last started, first stopped: doors close before the store does */
	for (size_t i = r->n; i-- > 0;)
		if (r->members[i].control)
			ipc_send(r->members[i].control, IPC_ROLE_STOP, 0, NULL, NULL, NULL, 0);
}

void roster_kill(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->members[i].pid > 0)
			kill(r->members[i].pid, SIGKILL);
}

size_t roster_running(const struct roster *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		n += r->members[i].pid > 0;
	return n;
}
