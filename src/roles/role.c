#include "roles/role.h"

#include "base/error.h"
#include "base/fdio.h"
#include "base/log.h"
#include "partner/settings.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The supervisor sends everything at once; if nothing comes for this long it is gone or stuck. */
#define START_PATIENCE (60 * VAN_SECOND)

static void copy_name(char *to, size_t room, struct slice s)
{
	snprintf(to, room, "%.*s", SLICE_ARG(s));
}

static void *grow(void **list, size_t *n, size_t size)
{
	void *v = realloc(*list, (*n + 1) * size);
	if (!v)
		return NULL;
	*list = v;
	return memset((char *)v + (*n)++ * size, 0, size);
}

static int read_config(struct role *r, struct ipc_message *m)
{
	struct van_buf json = VAN_BUF_INIT(4 << 20);
	struct van_config *config = NULL;
	int fd = ipc_take_fd(m, 0);
	int rc = fd < 0 ? VAN_EINVAL : fd_read_file(fd, &json);
	if (rc == 0)
		rc = van_config_from_json(van_buf_slice(&json), &config, NULL);
	if (fd >= 0)
		close(fd);
	van_buf_free(&json);
	if (rc < 0)
		return rc;
	van_config_free(r->config);
	r->config = config;
	log_setup(r->name, (enum log_level)config->log.level, (enum log_format)config->log.format);
	return 0;
}

static int on_config(struct role *r, struct ipc_message *m, struct van_arena *arena)
{
	struct ipc_role_config c;
	int rc = record_decode(&ipc_role_config_table, m->body, arena, &c);
	if (rc < 0)
		return rc;
	copy_name(r->name, sizeof r->name, c.role);
	copy_name(r->pool, sizeof r->pool, c.pool);
	r->index = c.index;
	return read_config(r, m);
}

static struct role_file *add_file(struct role *r, struct ipc_role_thing *t, int fd)
{
	char name[sizeof r->files->name];
	copy_name(name, sizeof name, t->name);
	struct role_file *f = role_file(r, name, t->index);
	if (f) { /* reload: the fresh one takes its place and its number, which the role may have kept */
		if (f->fd >= 0 && dup3(fd, f->fd, O_CLOEXEC) == f->fd) {
			close(fd);
			fd = f->fd;
		}
		free(f->path);
	} else {
		f = grow((void **)&r->files, &r->nfiles, sizeof *f);
	}
	if (!f)
		return NULL;
	memcpy(f->name, name, sizeof name);
	f->index = t->index;
	f->path = strndup(t->path.p ? t->path.p : "", t->path.n);
	f->fd = fd;
	return f;
}

/* PEER, LISTENER and FILE: a name, a number and a descriptor. */
static int on_thing(struct role *r, struct ipc_message *m, struct van_arena *arena, struct role_peer *ret_peer)
{
	struct ipc_role_thing t;
	int rc = record_decode(&ipc_role_thing_table, m->body, arena, &t);
	if (rc < 0)
		return rc;
	int fd = ipc_take_fd(m, 0);
	if (fd < 0)
		return VAN_EINVAL;
	if (m->type == IPC_ROLE_FILE)
		return add_file(r, &t, fd) ? 0 : VAN_ENOMEM;
	if (m->type == IPC_ROLE_LISTENER) {
		struct role_listener *l = grow((void **)&r->listeners, &r->nlisteners, sizeof *l);
		if (!l)
			return VAN_ENOMEM;
		copy_name(l->name, sizeof l->name, t.name);
		l->index = t.index;
		l->fd = fd;
		return 0;
	}
	copy_name(ret_peer->name, sizeof ret_peer->name, t.name);
	ret_peer->index = t.index;
	ret_peer->fd = fd;
	return 0;
}

static int on_start_message(struct role *r, struct ipc_message *m, struct van_arena *arena)
{
	switch (m->type) {
	case IPC_ROLE_CONFIG: return on_config(r, m, arena);
	case IPC_ROLE_LISTENER:
	case IPC_ROLE_FILE: return on_thing(r, m, arena, NULL);
	case IPC_ROLE_PEER: {
		struct role_peer peer = {.fd = -1};
		int rc = on_thing(r, m, arena, &peer);
		struct role_peer *slot = rc < 0 ? NULL : grow((void **)&r->peers, &r->npeers, sizeof *slot);
		if (!slot)
			return rc < 0 ? rc : VAN_ENOMEM;
		*slot = peer;
		return 0;
	}
	default: return VAN_ESTATE;
	}
}

static int receive_until_start(struct role *r, struct van_arena *arena)
{
	for (;;) {
		struct ipc_message m;
		int rc = ipc_receive(r->supervisor, START_PATIENCE, &m);
		if (rc < 0)
			return rc;
		if (m.type == IPC_ROLE_START)
			return r->config ? 0 : VAN_ESTATE;
		if (m.type == IPC_ROLE_STOP)
			exit(0);
		van_arena_reset(arena);
		rc = on_start_message(r, &m, arena);
		for (size_t i = 0; i < m.nfds; i++)
			if (m.fds[i] >= 0)
				close(m.fds[i]);
		if (rc < 0)
			return rc;
	}
}

/* No core dumps, no ptrace by a role of the same user. The leak checker needs ptrace, so sanitizer builds stay as they are. */
static void become_undumpable(void)
{
#ifndef VAN_SANITIZERS
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* For ps and top: otherwise every role is called "exe", after /proc/self/exe. */
static void name_process(const struct role *r)
{
	char name[32]; /* the kernel keeps 15 characters */
	snprintf(name, sizeof name, "vand-%s", r->pool[0] ? r->pool : r->name);
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

struct role *role_start(void)
{
	become_undumpable();
	struct role *r = calloc(1, sizeof *r);
	struct van_arena *arena = van_arena_new(0);
	if (r)
		r->supervisor = ipc_channel_new(ROLE_CONTROL_FD);
	int rc = r && arena && r->supervisor ? receive_until_start(r, arena) : VAN_ENOMEM;
	van_arena_free(arena);
	if (rc == 0)
		name_process(r);
	if (rc < 0) {
		log_event(LOG_LEVEL_ERROR, "role-start-failed", "role_name", r ? r->name : NULL, "error", van_err_name(rc), NULL);
		role_free(r);
		return NULL;
	}
	r->loop = loop_new();
	return r;
}

void role_free(struct role *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->npeers; i++)
		if (r->peers[i].fd >= 0)
			close(r->peers[i].fd);
	for (size_t i = 0; i < r->nlisteners; i++)
		if (r->listeners[i].fd >= 0)
			close(r->listeners[i].fd);
	for (size_t i = 0; i < r->nfiles; i++) {
		if (r->files[i].fd >= 0)
			close(r->files[i].fd);
		free(r->files[i].path);
	}
	free(r->peers);
	free(r->listeners);
	free(r->files);
	van_config_free(r->config);
	ipc_channel_free(r->supervisor);
	loop_free(r->loop);
	free(r);
}

static void on_running_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct role *r = arg;
	struct role_peer peer = {.fd = -1};
	struct van_arena *arena;
	(void)c;
	switch (m->type) {
	case IPC_ROLE_STOP:
		if (r->handlers.on_stop)
			r->handlers.on_stop(r->handlers.arg);
		else
			loop_stop(r->loop);
		return;
	case IPC_ROLE_RELOAD: return; /* CONFIG and FILEs follow; START ends them */
	case IPC_ROLE_START:
		if (r->handlers.on_reload)
			r->handlers.on_reload(r->handlers.arg);
		return;
	case IPC_ROLE_PEER:
	case IPC_ROLE_CONFIG:
	case IPC_ROLE_FILE:
		arena = van_arena_new(0);
		if (!arena || (m->type == IPC_ROLE_CONFIG ? on_config(r, m, arena) : on_thing(r, m, arena, &peer)) < 0)
			log_event(LOG_LEVEL_ERROR, "supervisor-message-refused", "type", log_u64(m->type), NULL);
		van_arena_free(arena);
		if (peer.fd >= 0 && r->handlers.on_peer)
			r->handlers.on_peer(r->handlers.arg, &peer);
		if (peer.fd >= 0)
			close(peer.fd);
		return;
	default:
		if (r->handlers.on_message)
			r->handlers.on_message(r->handlers.arg, m);
	}
}

static void on_supervisor_gone(void *arg, struct ipc_channel *c)
{
	(void)arg;
	(void)c;
	/* At once, without clean-up: whoever starts next needs the data folder, and nothing here may answer any more. */
	_exit(0);
}

int role_attach(struct role *r, const struct role_handlers *handlers)
{
	if (handlers)
		r->handlers = *handlers;
	return ipc_channel_attach(r->supervisor, r->loop, on_running_message, on_supervisor_gone, r);
}

void role_ready(struct role *r)
{
	ipc_send(r->supervisor, IPC_ROLE_READY, 0, NULL, NULL, NULL, 0);
}

int role_take_peer(struct role *r, const char *name, uint64_t index)
{
	for (size_t i = 0; i < r->npeers; i++) {
		struct role_peer *p = &r->peers[i];
		if (p->fd >= 0 && p->index == index && strcmp(p->name, name) == 0) {
			int fd = p->fd;
			p->fd = -1;
			return fd;
		}
	}
	return -1;
}

struct role_file *role_file(struct role *r, const char *name, uint64_t index)
{
	for (size_t i = 0; i < r->nfiles; i++)
		if (r->files[i].index == index && strcmp(r->files[i].name, name) == 0)
			return &r->files[i];
	return NULL;
}
