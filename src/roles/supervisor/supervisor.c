#include "roles/supervisor/supervisor.h"

#include "base/datafolder.h"
#include "base/fdio.h"
#include "base/log.h"
#include "partner/settings.h"
#include "roles/role.h"
#include "roles/supervisor/credentials.h"
#include "roles/supervisor/files.h"
#include "roles/supervisor/keys.h"
#include "roles/supervisor/roster.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#define STOP_PATIENCE (20 * VAN_SECOND)
#define LISTENERS_MAX 64

struct listener {
	const char *name;
	uint64_t index;
	int fd;
	char label[160];
};

struct supervisor {
	const char *config_path;
	struct van_config *config;
	struct loop *loop;
	struct child_users users;
	struct roster roster;
	struct keys keys;
	struct credentials credentials;
	int data, lock, spool, signals;
	struct loop_watch *signal_watch;
	struct listener listeners[LISTENERS_MAX];
	size_t nlisteners;
	bool announced, stopping;
	int status;
};

static int print_problems(const struct profile_errors *errors)
{
	struct van_buf text = VAN_BUF_INIT(0);
	profile_errors_print(errors, &text);
	fwrite(text.p ? text.p : "", 1, text.n, stderr);
	van_buf_free(&text);
	return errors->errors ? 1 : 0;
}

static int load_config(const char *path, struct van_config **ret)
{
	struct profile_errors errors = {0};
	struct van_config *c = NULL;
	int rc = van_config_load(path, &c, &errors);
	if (rc == 0)
		rc = van_config_check_files(c, &errors);
	int bad = print_problems(&errors);
	if (rc < 0 && !bad)
		fprintf(stderr, "vand: %s: %s\n", path, van_err_name(rc));
	profile_errors_free(&errors);
	if (rc < 0) {
		van_config_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

/* --- listeners --------------------------------------------------------------------------------------------------------- */

static int add_listener(struct supervisor *s, const char *name, uint64_t index, int fd, const char *label)
{
	if (fd < 0)
		return fd;
	struct listener *l = &s->listeners[s->nlisteners++];
	*l = (struct listener){.name = name, .index = index, .fd = fd};
	snprintf(l->label, sizeof l->label, "%s", label);
	return 0;
}

static int bind_list(struct supervisor *s, const char *name, const struct record_list *list, struct van_error *e)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct van_config_listener *c = RECORD_AT(*list, struct van_config_listener, i);
		char label[160];
		if (s->nlisteners == LISTENERS_MAX)
			return van_error_set(e, VAN_ELIMIT, "listen: more than %d listeners", LISTENERS_MAX);
		snprintf(label, sizeof label, "%s%s %.*s:%u", name, c->tls ? "+tls" : "", SLICE_ARG(c->address), (unsigned)c->port);
		int rc = add_listener(s, name, i, files_listen(c->address, c->port, e), label);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int bind_all(struct supervisor *s, struct van_error *e)
{
	int rc = bind_list(s, "as2", &s->config->listen.as2, e);
	if (rc == 0)
		rc = bind_list(s, "sftp", &s->config->listen.sftp, e);
	if (rc == 0)
		rc = bind_list(s, "admin", &s->config->listen.admin, e);
	if (rc == 0)
		rc = add_listener(s, "control", 0, files_listen_control(s->data, &s->users, e), "control");
	return rc;
}

/* --- equipping a role -------------------------------------------------------------------------------------------------- */

static int send_config(struct supervisor *s, struct member *m)
{
	struct van_buf json = VAN_BUF_INIT(4 << 20);
	int rc = van_config_to_json(s->config, &json);
	int fd = rc < 0 ? rc : memfd_with("config", json.p, json.n);
	van_buf_free(&json);
	if (fd < 0)
		return fd;
	struct ipc_role_config c = {
		.role = slice_str(wiring_role_name(m->kind)),
		.index = m->index,
		.pool = m->kind == WIRING_RECEIVE_WORKER ? SLICE("receive") : m->kind == WIRING_JOB_WORKER ? SLICE("job") : SLICE_NONE,
	};
	rc = ipc_send(m->control, IPC_ROLE_CONFIG, 0, &ipc_role_config_table, &c, &fd, 1);
	close(fd);
	return rc;
}

static int send_descriptor(struct member *m, uint32_t type, const char *name, uint64_t index, struct slice path, int fd)
{
	struct ipc_role_thing t = {.name = slice_str(name), .index = index, .path = path};
	return ipc_send(m->control, type, 0, &ipc_role_thing_table, &t, &fd, 1);
}

static int send_file(struct member *m, const char *name, uint64_t index, struct slice path)
{
	struct van_error e;
	int fd = files_open(path, name, &e);
	if (fd < 0) {
		log_event(LOG_LEVEL_ERROR, "file-missing", "text", e.text, NULL);
		return fd;
	}
	int rc = send_descriptor(m, IPC_ROLE_FILE, name, index, path, fd);
	close(fd);
	return rc;
}

static int send_tls_files(struct member *m, const struct record_list *listeners)
{
	for (size_t i = 0; i < listeners->n; i++) {
		const struct van_config_tls *tls = RECORD_AT(*listeners, struct van_config_listener, i)->tls;
		if (!tls)
			continue;
		int rc = send_file(m, "tls-certificate", i, tls->certificate);
		if (rc == 0)
			rc = send_file(m, "tls-key", i, tls->key);
		if (rc == 0 && tls->client_ca.p)
			rc = send_file(m, "client-ca", i, tls->client_ca);
		if (rc == 0 && tls->client_crl.p)
			rc = send_file(m, "client-crl", i, tls->client_crl);
		if (rc == 0 && tls->ocsp.p)
			rc = send_file(m, "ocsp", i, tls->ocsp);
		for (size_t k = 0; k < tls->sni.n && rc == 0; k++) {
			const struct van_config_tls_pair *p = RECORD_AT(tls->sni, struct van_config_tls_pair, k);
			rc = send_file(m, "tls-certificate", ROLE_SNI_FILE(i, k), p->certificate);
			if (rc == 0)
				rc = send_file(m, "tls-key", ROLE_SNI_FILE(i, k), p->key);
			if (rc == 0 && p->ocsp.p)
				rc = send_file(m, "ocsp", ROLE_SNI_FILE(i, k), p->ocsp);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int send_host_keys(struct supervisor *s, struct member *m)
{
	uint64_t running = 0;
	for (size_t i = 0; i < s->config->listen.sftp.n; i++) {
		const struct van_config_listener *l = RECORD_AT(s->config->listen.sftp, struct van_config_listener, i);
		for (size_t k = 0; k < l->host_keys.n; k++) {
			int rc = send_file(m, "host-key", running++, l->host_keys.v[k]);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* The folders of one's own, behind the installed one: number 1 is searched first. */
static int send_own_folders(struct member *m, const char *name, const struct slice_list *folders)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < folders->n; i++) {
		char path[4096];
		struct van_error e;
		snprintf(path, sizeof path, "%.*s", SLICE_ARG(folders->v[i]));
		int fd = files_open_folder(path, &e);
		if (fd < 0) {
			log_event(LOG_LEVEL_ERROR, "data-missing", "folder", path, "text", e.text, NULL);
			return fd;
		}
		rc = send_descriptor(m, IPC_ROLE_FILE, name, i + 1, slice_str(path), fd);
		close(fd);
	}
	return rc;
}

/* Dictionaries and maps: opened here, because the role's user may not be able to reach them by path. */
static int send_job_folders(struct supervisor *s, struct member *m)
{
	static const char *const folders[][2] = {{"dict", "dictionaries"}, {"maps", "maps"}};
	int rc = send_descriptor(m, IPC_ROLE_FILE, "spool", 0, SLICE("spool"), s->spool);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		char path[4096];
		struct van_error e;
		int fd = van_data_folder(folders[i][0], path, sizeof path) == 0 ? files_open_folder(path, &e) : VAN_ENOTFOUND;
		if (fd < 0) {
			log_event(LOG_LEVEL_ERROR, "data-missing", "folder", folders[i][0], "text",
				  "not found; install OpenVAN or set OPENVAN_DATADIR", NULL);
			return fd;
		}
		rc = send_descriptor(m, IPC_ROLE_FILE, folders[i][1], 0, slice_str(path), fd);
		close(fd);
	}
	if (rc == 0)
		rc = send_own_folders(m, "dictionaries", &s->config->dictionaries);
	return rc == 0 ? send_own_folders(m, "guides", &s->config->guides) : rc;
}

/* Files and folders a role may have; sent at start and again on reload. */
static int send_files(struct supervisor *s, struct member *m)
{
	switch (m->kind) {
	case WIRING_STORE: {
		int rc = send_descriptor(m, IPC_ROLE_FILE, "data", 0, s->config->data, s->data);
		return rc < 0 ? rc : send_descriptor(m, IPC_ROLE_FILE, "lock", 0, SLICE("vand.lock"), s->lock);
	}
	case WIRING_HTTP: {
		int rc = send_descriptor(m, IPC_ROLE_FILE, "spool", 0, SLICE("spool"), s->spool);
		return rc < 0 ? rc : send_tls_files(m, &s->config->listen.as2);
	}
	case WIRING_RECEIVE_WORKER: {
		int rc = send_descriptor(m, IPC_ROLE_FILE, "spool", 0, SLICE("spool"), s->spool);
		for (size_t i = 0; i < s->config->as2.crls.n && rc == 0; i++)
			rc = send_file(m, "crl", i, s->config->as2.crls.v[i]);
		return rc;
	}
	case WIRING_JOB_WORKER: return send_job_folders(s, m);
	case WIRING_DELIVER: return credentials_send(&s->credentials, m->control);
	case WIRING_WEB: return send_tls_files(m, &s->config->listen.admin);
	case WIRING_SFTP: return send_host_keys(s, m);
	case WIRING_KEYD:
		return send_file(m, "receipt-key", 0, s->config->receipts.key);
	default: return 0;
	}
}

static int send_listeners(struct supervisor *s, struct member *m)
{
	static const char *const of_kind[WIRING_KINDS] = {
		[WIRING_HTTP] = "as2", [WIRING_SFTP] = "sftp", [WIRING_WEB] = "admin", [WIRING_STORE] = "control"};
	for (size_t i = 0; i < s->nlisteners; i++) {
		struct listener *l = &s->listeners[i];
		if (!of_kind[m->kind] || strcmp(of_kind[m->kind], l->name) != 0)
			continue;
		int rc = send_descriptor(m, IPC_ROLE_LISTENER, l->name, l->index, slice_str(l->label), l->fd);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int equip(void *arg, struct member *m)
{
	struct supervisor *s = arg;
	int rc = send_config(s, m);
	if (rc == 0)
		rc = send_listeners(s, m);
	if (rc == 0)
		rc = send_files(s, m);
	return rc;
}

/* --- messages of roles ------------------------------------------------------------------------------------------------- */

static void answer_status(struct supervisor *s, struct member *m, uint64_t request)
{
	struct van_arena *arena = van_arena_new(0);
	struct ipc_role_status *roles = arena ? van_arena_array(arena, s->roster.n + 1, sizeof *roles) : NULL;
	struct slice *labels = arena ? van_arena_array(arena, s->nlisteners + 1, sizeof *labels) : NULL;
	if (roles && labels) {
		roles[0] = (struct ipc_role_status){SLICE("supervisor"), (uint64_t)getpid(), SLICE("running"), 0};
		for (size_t i = 0; i < s->roster.n; i++) {
			struct member *k = &s->roster.members[i];
			bool worker = k->kind == WIRING_RECEIVE_WORKER || k->kind == WIRING_JOB_WORKER;
			roles[i + 1] = (struct ipc_role_status){
				.name = worker ? van_arena_printf(arena, "%s-%u", wiring_peer_name(k->kind), (unsigned)k->index)
					       : slice_str(wiring_peer_name(k->kind)),
				.pid = (uint64_t)k->pid,
				.state = slice_str(member_state_name(k->state)),
				.restarts = k->restarts,
			};
		}
		for (size_t i = 0; i < s->nlisteners; i++)
			labels[i] = slice_str(s->listeners[i].label);
		struct ipc_status st = {.roles = {roles, s->roster.n + 1}, .listeners = {labels, s->nlisteners}};
		ipc_send(m->control, IPC_STATUS_REPLY, request, &ipc_status_table, &st, NULL, 0);
	}
	van_arena_free(arena);
}

/* `ready` means that a document can come in: every role serves and keyd has read the keys. */
static void announce(struct supervisor *s)
{
	if (s->announced || s->keys.pending || !roster_all_running(&s->roster))
		return;
	s->announced = true;
	puts("ready");
	fflush(stdout);
#ifdef HAVE_SYSTEMD
	sd_notify(0, "READY=1");
#endif
	log_event(LOG_LEVEL_INFO, "ready", "network", log_slice(s->config->network.name), NULL);
}

static struct ipc_channel *serving(struct supervisor *s, enum wiring_kind kind)
{
	struct member *m = roster_find(&s->roster, kind);
	return m->state == MEMBER_RUNNING ? m->control : NULL;
}

static void send_keys(struct supervisor *s)
{
	struct ipc_channel *keyd = serving(s, WIRING_KEYD);
	if (keyd && keys_send_all(&s->keys, keyd, serving(s, WIRING_STORE)) < 0)
		log_event(LOG_LEVEL_ERROR, "keys-not-sent", NULL);
}

static void on_ready(void *arg, struct member *m)
{
	struct supervisor *s = arg;
	if (m->kind == WIRING_KEYD)
		send_keys(s);
	announce(s);
}

static void forward_key_status(struct supervisor *s, struct ipc_message *msg)
{
	struct ipc_channel *store = serving(s, WIRING_STORE);
	if (store)
		ipc_send_raw(store, IPC_KEY_STATUS, 0, msg->body, NULL, 0);
	if (s->keys.pending)
		s->keys.pending--;
	announce(s);
}

static void on_message(void *arg, struct member *m, struct ipc_message *msg)
{
	struct supervisor *s = arg;
	if (m->kind == WIRING_STORE && msg->type == IPC_KEYS_WANTED)
		keys_want(&s->keys, msg->body, serving(s, WIRING_KEYD), m->control);
	else if (m->kind == WIRING_STORE && msg->type == IPC_CREDENTIALS_WANTED)
		credentials_want(&s->credentials, msg->body, roster_find(&s->roster, WIRING_DELIVER)->control);
	else if (m->kind == WIRING_STORE && msg->type == IPC_STATUS)
		answer_status(s, m, msg->request);
	else if (m->kind == WIRING_KEYD && msg->type == IPC_KEY_STATUS)
		forward_key_status(s, msg);
	else
		log_event(LOG_LEVEL_WARNING, "unexpected-message", "from", wiring_peer_name(m->kind), "type", log_u64(msg->type), NULL);
}

/* --- signals ------------------------------------------------------------------------------------------------------------- */

static void reload(struct supervisor *s)
{
	struct van_config *fresh = NULL;
	if (load_config(s->config_path, &fresh) < 0) {
		log_event(LOG_LEVEL_ERROR, "reload-refused", "text", "the configuration has errors; the running one stays", NULL);
		return;
	}
	/* Folders and listeners are bound for this process's life; a change of theirs takes a restart. */
	if (!slice_eq(fresh->data, s->config->data))
		log_event(LOG_LEVEL_WARNING, "reload-needs-restart", "text", "data has changed; restart vand to use it", NULL);
	van_config_free(s->config);
	s->config = fresh;
	for (size_t i = 0; i < s->roster.n; i++) {
		struct member *m = &s->roster.members[i];
		if (!m->control)
			continue;
		ipc_send(m->control, IPC_ROLE_RELOAD, 0, NULL, NULL, NULL, 0);
		if (send_config(s, m) < 0 || send_files(s, m) < 0)
			log_event(LOG_LEVEL_ERROR, "reload-incomplete", "role_name", wiring_peer_name(m->kind), NULL);
		ipc_send(m->control, IPC_ROLE_START, 0, NULL, NULL, NULL, 0);
	}
	send_keys(s);
	log_event(LOG_LEVEL_INFO, "reloaded", NULL);
}

static void give_up_waiting(void *arg)
{
	struct supervisor *s = arg;
	log_event(LOG_LEVEL_WARNING, "stop-forced", "roles", log_u64(roster_running(&s->roster)), NULL);
	roster_kill(&s->roster);
}

static void begin_stop(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
#ifdef HAVE_SYSTEMD
	sd_notify(0, "STOPPING=1");
#endif
	roster_stop(&s->roster);
	loop_after(s->loop, STOP_PATIENCE, give_up_waiting, s);
}

static void on_signal(void *arg, uint32_t events)
{
	struct supervisor *s = arg;
	struct signalfd_siginfo info;
	(void)events;
	while (read(s->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			roster_reap(&s->roster);
		else if (info.ssi_signo == SIGHUP)
			reload(s);
		else
			begin_stop(s);
	}
	if (s->stopping && roster_running(&s->roster) == 0)
		loop_stop(s->loop);
}

static int watch_signals(struct supervisor *s)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->signal_watch = s->signals < 0 ? NULL : loop_watch(s->loop, s->signals, EPOLLIN, on_signal, s);
	return s->signal_watch ? 0 : VAN_EIO;
}

/* --- start --------------------------------------------------------------------------------------------------------------- */

/* Workers spend most of a message waiting for keyd and for each other, so there are more of them than cores. */
static void worker_counts(const struct van_config *c, uint64_t *ret_receive, uint64_t *ret_job)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t n = cores > 0 ? (uint64_t)cores : 1;
	*ret_receive = c->workers ? c->workers : 4 * n;
	*ret_job = c->workers ? (c->workers + 1) / 2 : n;
}

static int prepare(struct supervisor *s, struct van_error *e)
{
	int rc = child_users_resolve(s->config, &s->users, e);
	if (rc == 0)
		rc = files_open_data(s->config, &s->users, &s->data, &s->lock, e);
	if (rc == 0)
		rc = s->spool = files_open_below(s->data, "spool", &s->users, e);
	if (rc >= 0)
		rc = files_ensure_receipt_key(s->config->receipts.key, e);
	if (rc >= 0)
		rc = bind_all(s, e);
	return rc < 0 ? rc : 0;
}

static int serve(struct supervisor *s)
{
	uint64_t receive, job;
	const struct roster_handlers handlers = {equip, on_message, on_ready, s};
	worker_counts(s->config, &receive, &job);
	s->loop = loop_new();
	int rc = s->loop ? watch_signals(s) : VAN_ENOMEM;
	if (rc == 0)
		rc = roster_init(&s->roster, s->loop, &s->users, receive, job, &handlers);
	if (rc == 0)
		rc = roster_start(&s->roster);
	if (rc == 0)
		rc = loop_run(s->loop);
	if (rc < 0) {
		log_event(LOG_LEVEL_ERROR, "start-failed", "error", van_err_name(rc), NULL);
		roster_kill(&s->roster);
	}
	roster_free(&s->roster);
	loop_unwatch(s->signal_watch);
	loop_free(s->loop);
	return rc;
}

int supervisor_run(const char *config_path)
{
	struct supervisor s = {.config_path = config_path, .data = -1, .lock = -1, .spool = -1};
	struct van_error e = {0};
	if (load_config(config_path, &s.config) < 0)
		return 1;
	log_setup("supervisor", (enum log_level)s.config->log.level, (enum log_format)s.config->log.format);
	int rc = prepare(&s, &e);
	if (rc < 0)
		fprintf(stderr, "vand: %s\n", e.text);
	else
		rc = serve(&s);
	keys_free(&s.keys);
	credentials_free(&s.credentials);
	van_config_free(s.config);
	return rc < 0 ? 1 : 0;
}
