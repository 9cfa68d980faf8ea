/* sftp: listens, and gives each session a process of its own that talks to the store over a channel of its own. */
#include "base/log.h"
#include "partner/settings.h"
#include "roles/role.h"
#include "roles/sftp/listener.h"

#include <unistd.h>

struct sftp {
	struct role *role;
	struct sftpd_listener *listener;
	struct ipc_channel *store;
};

static uint32_t bounded(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static struct sftpd_limits limits_of(const struct van_config *c)
{
	struct sftpd_limits l = sftpd_limits_default();
	l.connections = bounded(c->limits.sftp_sessions < c->limits.connections ? c->limits.sftp_sessions : c->limits.connections);
	l.connections_per_address = bounded(c->limits.connections_per_address);
	l.login_grace = c->sftp.login_timeout;
	l.idle = c->sftp.idle_timeout;
	l.session = c->sftp.session_timeout;
	l.login_failures = bounded(c->sftp.login_tries);
	l.passwords = c->sftp.passwords;
	l.folder_entries = c->limits.sftp_folder_entries;
	l.handles = bounded(c->sftp.handles);
	l.channels = bounded(c->sftp.channels);
	l.memory = c->limits.memory_sftp;
	l.disk_reserve = c->limits.disk_reserve;
	l.file_size = c->limits.message == UINT64_MAX ? 0 : c->limits.message;
	return l;
}

/* A key that can't be used is reported and left out, so that one bad file doesn't close the listener. */
static int load_keys(struct sftp *s)
{
	struct van_error e = {0};
	int rc = sftpd_listener_begin_keys(s->listener);
	for (size_t i = 0; rc == 0 && i < s->role->nfiles; i++) {
		struct role_file *f = &s->role->files[i];
		if (strcmp(f->name, "host-key") != 0 || f->fd < 0)
			continue;
		if (sftpd_listener_add_key(s->listener, f->fd, f->path ? f->path : "host key", &e) < 0)
			log_event(LOG_LEVEL_ERROR, "host-key-refused", "error", e.text, NULL);
		close(f->fd);
		f->fd = -1;
	}
	if (rc == 0)
		rc = sftpd_listener_use_keys(s->listener, &e);
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "host-keys-missing", "error", e.text, NULL);
	return rc;
}

static void on_store_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct sftp *s = arg;
	struct ipc_bans bans;
	struct van_arena *arena = m->type == IPC_BANS ? van_arena_new(0) : NULL; /* sessions have channels of their own */
	(void)c;
	if (arena && record_decode(&ipc_bans_table, m->body, arena, &bans) == 0)
		sftpd_listener_set_bans(s->listener, &bans.networks);
	van_arena_free(arena);
}

static void on_store_closed(void *arg, struct ipc_channel *c)
{
	struct sftp *s = arg;
	if (s->store == c) {
		s->store = NULL;
		sftpd_listener_set_store(s->listener, NULL);
	}
	ipc_channel_free(c);
}

static int use_store(struct sftp *s, int fd)
{
	struct ipc_channel *c = fd >= 0 ? ipc_channel_new(fd) : NULL;
	if (!c)
		return VAN_ENOMEM;
	int rc = ipc_channel_attach(c, s->role->loop, on_store_message, on_store_closed, s);
	if (rc < 0) {
		ipc_channel_free(c);
		return rc;
	}
	ipc_channel_free(s->store);
	s->store = c;
	sftpd_listener_set_store(s->listener, c);
	return 0;
}

static void on_peer(void *arg, struct role_peer *peer)
{
	if (strcmp(peer->name, "store") != 0)
		return;
	use_store(arg, peer->fd);
	peer->fd = -1;
}

static void set_up_listeners(struct sftp *s)
{
	const struct record_list *l = &s->role->config->listen.sftp;
	for (size_t i = 0; i < l->n; i++)
		if (sftpd_listener_set_proxies(s->listener, i, &RECORD_AT(*l, struct van_config_listener, i)->proxies) < 0)
			log_event(LOG_LEVEL_ERROR, "proxies-not-set", NULL);
	for (size_t i = 0; i < l->n; i++)
		if (sftpd_listener_set_legacy(s->listener, i, &RECORD_AT(*l, struct van_config_listener, i)->legacy) < 0)
			log_event(LOG_LEVEL_ERROR, "legacy-not-set", NULL);
}

static void on_reload(void *arg)
{
	struct sftp *s = arg;
	struct sftpd_limits limits = limits_of(s->role->config);
	sftpd_listener_set_limits(s->listener, &limits);
	load_keys(s); /* the former ones stay when this fails */
	set_up_listeners(s);
}

static void on_stop(void *arg)
{
	struct sftp *s = arg;
	sftpd_listener_end_sessions(s->listener);
	loop_stop(s->role->loop);
}

static int take_listeners(struct sftp *s)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->role->nlisteners; i++) {
		struct role_listener *l = &s->role->listeners[i];
		if (strcmp(l->name, "sftp") != 0 || l->fd < 0)
			continue;
		rc = sftpd_listener_add_socket(s->listener, l->fd, l->index);
		l->fd = -1;
	}
	return rc;
}

static int start(struct sftp *s, struct van_error *e)
{
	struct sftpd_limits limits = limits_of(s->role->config);
	int fd = role_take_peer(s->role, "store", 0);
	s->listener = sftpd_listener_new(s->role->loop, &limits, e);
	if (!s->listener)
		return e->code;
	if (s->role->config->listen.sftp.n && load_keys(s) < 0)
		return van_error_set(e, VAN_EINVAL, "no host key");
	if (fd >= 0 && use_store(s, fd) < 0)
		return van_error_set(e, VAN_ENOMEM, "the store's channel can't be used");
	if (take_listeners(s) < 0)
		return van_error_set(e, VAN_ELIMIT, "a listener can't be used");
	set_up_listeners(s);
	return 0;
}

int role_sftp(struct role *r)
{
	struct sftp s = {.role = r};
	const struct role_handlers handlers = {.on_peer = on_peer, .on_reload = on_reload, .on_stop = on_stop, .arg = &s};
	struct van_error e = {0};
	int rc = start(&s, &e);
	if (rc == 0)
		rc = role_attach(r, &handlers);
	if (rc < 0) {
		log_event(LOG_LEVEL_ERROR, "sftp-start-failed", "error", e.text[0] ? e.text : van_err_name(rc), NULL);
		return 1;
	}
	role_ready(r);
	rc = loop_run(r->loop);
	sftpd_listener_free(s.listener);
	ipc_channel_free(s.store);
	return rc < 0;
}
