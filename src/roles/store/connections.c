/* The control socket: connections of vanctl (and the web role's channel), one command at a time each, dispatched by name. */
#include "roles/store/connections.h"
#include "roles/store/maps.h"

#include "base/fdio.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define ARGUMENTS_MAX ((size_t)64 << 20)
#define ANSWER_MAX ((size_t)1 << 30)
#define ANSWER_INLINE ((size_t)128 * 1024)

#define KEYS_PATIENCE (20 * VAN_SECOND)

struct control_connection {
	struct store_role *s;
	struct ipc_channel *channel;
	char actor[64];
	struct control_connection *next, **place;
};

int control_say(struct control_call *c, int status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->error, sizeof c->error, fmt, ap);
	va_end(ap);
	return status;
}

int control_refuse(struct control_call *c, int rc, const struct van_error *err)
{
	bool answer_is_no = rc == VAN_ENOTFOUND || rc == VAN_ESTATE || rc == VAN_EEXISTS || rc == VAN_ECONFLICT;
	return control_say(c, answer_is_no ? 1 : 2, "%s", err && err->text[0] ? err->text : van_err_name(rc));
}

const struct van_config *control_config(const struct control_call *c)
{
	return c->role->role->config;
}

/* --- one call ----------------------------------------------------------------------------------------------------------------- */

static void call_free(struct pending_call *p)
{
	json_decref(p->json);
	van_buf_free(&p->out);
	if (p->call.in_fd >= 0)
		close(p->call.in_fd);
	if (p->call.fd >= 0)
		close(p->call.fd);
	write_request_free(&p->base);
}

/* The answer's JSON, or the answer's file; a long JSON is a file of its own and comes first. */
static int send_answer(struct pending_call *p, uint64_t status)
{
	struct slice json = van_buf_slice(&p->out);
	struct ipc_control_reply r = {.status = status, .error = status ? slice_str(p->call.error) : SLICE_NONE};
	int fds[2], long_json = -1;
	size_t n = 0;
	if (status == 0 && json.n > ANSWER_INLINE) {
		long_json = memfd_with("answer", json.p, json.n);
		if (long_json < 0)
			return long_json;
		fds[n++] = long_json;
	} else if (status == 0 && json.n) {
		r.json = json;
	}
	if (p->call.fd >= 0)
		fds[n++] = p->call.fd;
	int rc = ipc_send(p->channel, IPC_CONTROL_REPLY, p->request, &ipc_control_reply_table, &r, fds, n);
	if (long_json >= 0)
		close(long_json);
	return rc;
}

void pending_call_finish(struct pending_call *p, int rc)
{
	if (rc == 0 && p->out.error)
		rc = p->out.error;
	if (rc < 0) {
		control_say(&p->call, 2, "%s: see vand's log", van_err_name(rc));
		log_event(LOG_LEVEL_ERROR, "control-failed", "command", p->command->name, "error", van_err_name(rc), NULL);
		rc = 2;
	}
	loop_cancel(p->awaits_keys);
	*p->place = p->next;
	if (p->next)
		p->next->place = p->place;
	if (p->channel)
		send_answer(p, (uint64_t)rc);
	call_free(p);
}

/* --- reads ------------------------------------------------------------------------------------------------------------------------ */

static void run_read(struct pending_call *p)
{
	struct store_role *s = p->call.role;
	struct store_read r;
	int rc = store_read_begin(s, p->base.arena, &r);
	if (rc == 0) {
		p->call.work = &r.work;
		rc = p->command->read(&p->call);
		p->call.work = NULL;
		store_read_end(s, &r);
	}
	if (rc != CONTROL_LATER)
		pending_call_read(p, rc);
}

void pending_call_read(struct pending_call *p, int rc)
{
	if (rc == 0 && p->command->write)
		writer_submit(&p->base);
	else
		pending_call_finish(p, rc);
}

void pending_call_go_on(struct pending_call *p)
{
	writer_submit(&p->base);
}

/* --- writes ----------------------------------------------------------------------------------------------------------------------- */

static int prepare_call(struct write_request *r)
{
	struct pending_call *p = (struct pending_call *)r;
	struct store_role *s = p->call.role;
	struct queue_work work; /* without a transaction */
	if (!p->command->prepare)
		return 0;
	r->files = true;
	pthread_rwlock_rdlock(&s->directory_lock);
	queue_work_begin(&work, s->queue, NULL, r->arena, van_clock_now(), s->directory);
	p->call.work = &work;
	p->status = p->command->prepare(&p->call);
	p->call.work = NULL;
	queue_work_end(&work);
	pthread_rwlock_unlock(&s->directory_lock);
	return p->status > 0 ? VAN_ESTATE : p->status;
}

static int run_call(struct write_request *r, struct queue_work *w)
{
	struct pending_call *p = (struct pending_call *)r;
	van_buf_reset(&p->out);
	p->call.work = w;
	p->status = p->command->write(&p->call);
	p->call.work = NULL;
	p->woken = w->woken;
	if (p->status > 0) /* refused: whatever it began to write must go */
		return VAN_ESTATE;
	return p->status;
}

static void committed_call(struct write_request *r)
{
	struct pending_call *p = (struct pending_call *)r;
	pthread_rwlock_wrlock(&p->call.role->directory_lock);
	p->command->committed(&p->call, p->call.role->directory);
	pthread_rwlock_unlock(&p->call.role->directory_lock);
}

static void keys_are_late(void *arg)
{
	struct pending_call *p = arg;
	p->awaits_keys = NULL;
	p->call.role->keys_awaited = 0;
	log_event(LOG_LEVEL_WARNING, "keys-not-reported", "command", p->command->name, "text", "answered before keyd has the stations' keys", NULL);
	pending_call_finish(p, p->status);
}

void control_keys_settled(struct store_role *s)
{
	struct pending_call *next;
	for (struct pending_call *p = s->calls; p; p = next) {
		next = p->next;
		if (p->awaits_keys)
			pending_call_finish(p, p->status);
	}
}

/* Whoever is told that a profile is applied may use it: its keys, too. */
static bool await_keys(struct pending_call *p)
{
	struct store_role *s = p->call.role;
	if (p->status != 0 || !p->command->committed || !s->keys_awaited || s->stopping)
		return false;
	p->awaits_keys = loop_after(s->role->loop, KEYS_PATIENCE, keys_are_late, p);
	return p->awaits_keys != NULL;
}

static void done_call(struct write_request *r)
{
	struct pending_call *p = (struct pending_call *)r;
	struct store_role *s = p->call.role;
	if (r->rc == 0 && p->command->committed)
		store_directory_changed(s);
	if (r->rc == 0 && p->command->maps)
		maps_changed(s);
	for (size_t i = 0; r->rc == 0 && i < p->nwake; i++)
		jobs_add(s, slice_make(p->wake[i].text, VAN_ID_LEN), 0);
	for (const struct queue_woken *n = r->rc == 0 ? p->woken : NULL; n; n = n->next)
		jobs_add(s, slice_make(n->id.text, VAN_ID_LEN), n->when);
	if (r->rc == 0)
		deliveries_look(s); /* an operator's command may have queued something */
	if (r->rc < 0 && p->status <= 0)
		p->status = control_refuse(&p->call, r->rc, &r->err);
	if (p->command->write_first && r->rc == 0 && p->status == 0)
		control_run_apart(p);
	else if (!await_keys(p))
		pending_call_finish(p, p->status);
}

static const struct write_ops write_ops = {.prepare = prepare_call, .run = run_call, .done = done_call};
static const struct write_ops change_ops = {.prepare = prepare_call, .run = run_call, .committed = committed_call, .done = done_call};

void control_wake_job(struct control_call *c, struct slice message)
{
	struct pending_call *p = pending_call_of(c);
	for (size_t i = 0; i < p->nwake; i++)
		if (slice_is(message, p->wake[i].text))
			return;
	if (p->nwake < sizeof p->wake / sizeof *p->wake && message.n == VAN_ID_LEN)
		memcpy(p->wake[p->nwake++].text, message.p, VAN_ID_LEN);
}

/* --- dispatch ---------------------------------------------------------------------------------------------------------------------- */

static const struct control_command *find_command(struct slice name)
{
	for (const struct control_command *c = control_commands; c->name; c++)
		if (slice_is(name, c->name))
			return c;
	return NULL;
}

static void refuse(struct ipc_channel *c, uint64_t request, const char *text)
{
	struct ipc_control_reply r = {.status = 2, .error = slice_str(text)};
	ipc_send(c, IPC_CONTROL_REPLY, request, &ipc_control_reply_table, &r, NULL, 0);
}

/* The arguments: in the message, or in its first descriptor; a file of the command itself comes after. */
static json_t *read_arguments(const struct ipc_control *m, struct ipc_message *msg, size_t *ret_fds_used)
{
	struct van_buf text = VAN_BUF_INIT(ARGUMENTS_MAX);
	*ret_fds_used = 0;
	if (m->json.n)
		return json_loadb(m->json.p, m->json.n, 0, NULL);
	int fd = ipc_take_fd(msg, 0);
	if (fd < 0)
		return json_object();
	*ret_fds_used = 1;
	json_t *json = fd_read_file(fd, &text) == 0 ? json_loadb(text.p ? text.p : "", text.n, 0, NULL) : NULL;
	close(fd);
	van_buf_free(&text);
	return json;
}

static struct pending_call *call_new(struct store_role *s, struct ipc_channel *c, struct ipc_message *m,
				     const struct control_command *command, json_t *json, struct slice actor, size_t fds_used)
{
	struct pending_call *p = write_request_new(s->writer, sizeof *p, command->committed ? &change_ops : &write_ops);
	if (!p)
		return NULL;
	p->command = command;
	p->channel = c;
	p->request = m->request;
	p->json = json;
	p->out = VAN_BUF_INIT(ANSWER_MAX);
	p->call = (struct control_call){.role = s, .args = {.object = json}, .actor = van_arena_slice(p->base.arena, actor), .out = &p->out,
					.in_fd = ipc_take_fd(m, fds_used), .fd = -1, .id = van_id_new(van_clock_now()),
					.arena = p->base.arena};
	p->next = s->calls;
	p->place = &s->calls;
	if (p->next)
		p->next->place = &p->next;
	s->calls = p;
	return p;
}

void control_on_message(struct store_role *s, struct ipc_channel *c, struct ipc_message *m, struct slice actor)
{
	struct ipc_control request;
	size_t used;
	if (m->type != IPC_CONTROL || record_decode(&ipc_control_table, m->body, s->arena, &request) < 0) {
		refuse(c, m->request, "the request can't be read: vanctl and vand are of different versions");
		return;
	}
	const struct control_command *command = find_command(request.command);
	if (!command) {
		refuse(c, m->request, "vand does not know this command: vanctl and vand are of different versions");
		return;
	}
	json_t *json = read_arguments(&request, m, &used);
	struct pending_call *p = json && json_is_object(json) ? call_new(s, c, m, command, json, actor, used) : NULL;
	if (!p) {
		json_decref(json);
		refuse(c, m->request, "the arguments are no JSON object");
		return;
	}
	if (command->read)
		run_read(p);
	else if (command->apart && !command->write_first)
		control_run_apart(p);
	else
		writer_submit(&p->base);
}

/* --- connections -------------------------------------------------------------------------------------------------------------------- */

void control_channel_gone(struct store_role *s, struct ipc_channel *c)
{
	for (struct pending_call *p = s->calls; p; p = p->next)
		if (p->channel == c)
			p->channel = NULL;
}

static void connection_end(struct control_connection *k)
{
	control_channel_gone(k->s, k->channel);
	ipc_channel_free(k->channel);
	*k->place = k->next;
	if (k->next)
		k->next->place = k->place;
	k->s->nconnections--;
	free(k);
}

static void on_closed(void *arg, struct ipc_channel *c)
{
	(void)c;
	connection_end(arg);
}

static void on_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct control_connection *k = arg;
	van_arena_reset(k->s->arena);
	control_on_message(k->s, c, m, slice_str(k->actor));
}

#define NO_LOGIN 4294967295UL /* a service, or a kernel without audit */

/* Who asks. The socket is for root and the server's own user, so of somebody who came by sudo the kernel knows more: as whom they logged in. */
static void name_actor(char *to, size_t max, const struct ucred *who)
{
	char path[64], text[24] = "";
	unsigned long login = NO_LOGIN;
	snprintf(path, sizeof path, "/proc/%d/loginuid", (int)who->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
		login = strtoul(text, NULL, 10);
	if (fd >= 0)
		close(fd);
	if (login == NO_LOGIN || login == who->uid)
		snprintf(to, max, "uid %u", (unsigned)who->uid);
	else
		snprintf(to, max, "uid %u, logged in as uid %lu", (unsigned)who->uid, login);
}

static void add_connection(struct store_role *s, int fd)
{
	struct ucred who;
	socklen_t size = sizeof who;
	struct control_connection *k = calloc(1, sizeof *k);
	struct ipc_channel *c = k ? ipc_channel_new(fd) : NULL;
	if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 ||
	    ipc_channel_attach(c, s->role->loop, on_message, on_closed, k) < 0) {
		if (c)
			ipc_channel_free(c);
		else
			close(fd);
		free(k);
		return;
	}
	*k = (struct control_connection){.s = s, .channel = c, .next = s->connections, .place = &s->connections};
	name_actor(k->actor, sizeof k->actor, &who);
	if (k->next)
		k->next->place = &k->next;
	s->connections = k;
	s->nconnections++;
}

static void on_listener(void *arg, uint32_t events)
{
	struct store_role *s = arg;
	(void)events;
	int fd = accept4(s->control_listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (s->nconnections >= CONNECTIONS_MAX)
		close(fd);
	else
		add_connection(s, fd);
}

int control_start(struct store_role *s)
{
	for (size_t i = 0; i < s->role->nlisteners; i++) {
		struct role_listener *l = &s->role->listeners[i];
		if (strcmp(l->name, "control") != 0)
			continue;
		s->control_listener = l->fd;
		int rc = fd_set_nonblock(l->fd);
		if (rc < 0)
			return rc;
		s->control_watch = loop_watch(s->role->loop, l->fd, EPOLLIN, on_listener, s);
		return s->control_watch ? 0 : VAN_ENOMEM;
	}
	return 0;
}

void control_free(struct store_role *s)
{
	loop_unwatch(s->control_watch);
	atomic_store(&s->backups_end, true);
	control_apart_wait(s);
	while (s->calls)
		pending_call_finish(s->calls, s->calls->awaits_keys ? s->calls->status : control_say(&s->calls->call, 2, "vand is stopping"));
	while (s->connections)
		connection_end(s->connections);
}
