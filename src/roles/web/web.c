/* web: health, status and metrics on the admin listener, and the page that shows them. It holds nothing: every answer is
 * asked of the store over the same commands that vanctl uses. */
#include "base/error.h"
#include "base/fdio.h"
#include "base/log.h"
#include "partner/settings.h"
#include "roles/mhdloop.h"
#include "roles/role.h"
#include "roles/web/page.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE (10 * VAN_SECOND)

struct web {
	struct role *role;
	struct ipc_channel *store;
	struct mhdloop *listeners;
	size_t nlisteners;
	struct query *queries;
	uint64_t last_id;
	bool resumed; /* a connection was, since the last pump */
};

/* A request that waits for the store. */
struct query {
	struct query *next;
	struct web *web;
	uint64_t id;
	struct MHD_Connection *connection;
	const struct route *route;
	struct loop_timer *timer;
	bool asked, answered;
	unsigned status;
	struct van_buf body;
};

struct route {
	const char *path, *command, *type;
	/* Turns the store's JSON into the body; NULL: as it is. */
	unsigned (*answer)(const struct ipc_control_reply *r, struct van_buf *body);
};

static unsigned answer_json(const struct ipc_control_reply *r, struct van_buf *body)
{
	van_buf_append_slice(body, r->json.p ? r->json : SLICE("{}"));
	return r->status == 0 ? 200 : 503;
}

static unsigned answer_ready(const struct ipc_control_reply *r, struct van_buf *body)
{
	bool ready = r->status == 0;
	van_buf_append_str(body, ready ? "ready\n" : "not ready\n");
	return ready ? 200 : 503;
}

static const struct route routes[] = {
	{"/", NULL, "text/html; charset=utf-8", NULL},
	{"/livez", NULL, "text/plain; charset=utf-8", NULL},
	{"/readyz", "status", "text/plain; charset=utf-8", answer_ready},
	{"/healthz", "status", "text/plain; charset=utf-8", answer_ready},
	{"/metrics", "metrics", "text/plain; version=0.0.4; charset=utf-8", NULL},
	{"/api/v1/status", "status", "application/json", answer_json},
	{"/api/v1/messages", "message.list", "application/json", answer_json},
};

static enum MHD_Result respond(struct MHD_Connection *c, unsigned status, const char *type, struct slice body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Content-Security-Policy", "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "Cache-Control", "no-store");
	if (status == 405)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	enum MHD_Result rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static void finish(struct query *q, unsigned status)
{
	if (q->answered)
		return;
	q->answered = true;
	q->status = status;
	loop_cancel(q->timer);
	q->timer = NULL;
	MHD_resume_connection(q->connection);
	q->web->resumed = true;
}

static void on_patience_over(void *arg)
{
	struct query *q = arg;
	q->timer = NULL;
	van_buf_append_str(&q->body, "the store does not answer\n");
	finish(q, 503);
}

static void on_store_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct web *w = arg;
	struct query *q = w->queries;
	(void)c;
	while (q && q->id != m->request)
		q = q->next;
	if (!q || m->type != IPC_CONTROL_REPLY)
		return;
	struct van_arena *arena = van_arena_new(0);
	struct van_buf large = VAN_BUF_INIT((size_t)64 << 20);
	struct ipc_control_reply r;
	unsigned status = 503;
	if (arena && record_decode(&ipc_control_reply_table, m->body, arena, &r) == 0) {
		int fd = ipc_take_fd(m, 0);
		if (fd >= 0 && fd_read_file(fd, &large) == 0)
			r.json = van_buf_slice(&large);
		if (fd >= 0)
			close(fd);
		q->body.max = (size_t)64 << 20;
		status = (q->route->answer ? q->route->answer : answer_json)(&r, &q->body);
	}
	van_buf_free(&large);
	van_arena_free(arena);
	finish(q, status);
}

static void on_store_closed(void *arg, struct ipc_channel *c)
{
	struct web *w = arg;
	if (w->store == c)
		w->store = NULL;
	ipc_channel_free(c);
	for (struct query *q = w->queries; q; q = q->next)
		if (q->asked && !q->answered)
			finish(q, 503);
}

static void ask(struct web *w, struct query *q)
{
	struct ipc_control command = {.command = slice_str(q->route->command), .json = SLICE("{}"), .actor = SLICE("web")};
	q->asked = true;
	MHD_suspend_connection(q->connection);
	if (!w->store || ipc_send(w->store, IPC_CONTROL, q->id, &ipc_control_table, &command, NULL, 0) < 0) {
		finish(q, 503);
		return;
	}
	q->timer = loop_after(w->role->loop, PATIENCE, on_patience_over, q);
}

/* A page of another site can make a browser ask here under that site's name (DNS rebinding); so only our names count. */
static bool host_is_ours(const struct web *w, struct MHD_Connection *c)
{
	const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
	if (!value)
		return true; /* no browser */
	struct slice host = slice_str(value);
	const char *colon = strrchr(value, ':');
	if (colon && !strchr(colon, ']'))
		host.n = (size_t)(colon - value);
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = slice_make(host.p + 1, host.n - 2);
	const struct van_config *config = w->role->config;
	if (slice_case_is(host, "localhost") || slice_case_eq(host, config->network.host))
		return true;
	for (size_t i = 0; i < config->listen.admin.n; i++)
		if (slice_eq(host, RECORD_AT(config->listen.admin, struct van_config_listener, i)->address))
			return true;
	return slice_is(host, "127.0.0.1") || slice_is(host, "::1");
}

static enum MHD_Result begin(struct web *w, struct MHD_Connection *c, const char *url, const char *method, void **state)
{
	const struct route *route = NULL;
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (strcmp(url, routes[i].path) == 0)
			route = &routes[i];
	if (!host_is_ours(w, c))
		return respond(c, 421, "text/plain", SLICE("not a name of this server: use its address, localhost, or network.host of vand.yaml\n"));
	if (!route)
		return respond(c, 404, "text/plain", SLICE("nothing here\n"));
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return respond(c, 405, "text/plain", SLICE("read only\n"));
	if (!route->command)
		return respond(c, 200, route->type, route->path[1] ? SLICE("alive\n") : web_page);
	struct query *q = calloc(1, sizeof *q);
	if (!q)
		return MHD_NO;
	*q = (struct query){.next = w->queries, .web = w, .id = ++w->last_id, .connection = c, .route = route};
	w->queries = q;
	*state = q;
	ask(w, q);
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
				  const char *data, size_t *size, void **state)
{
	struct query *q = *state;
	(void)version;
	(void)data;
	if (!q)
		return begin(cls, c, url, method, state);
	*size = 0;
	return q->answered ? respond(c, q->status, q->route->type, van_buf_slice(&q->body)) : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
	struct web *w = cls;
	struct query *q = *state;
	(void)c;
	(void)code;
	if (!q)
		return;
	for (struct query **at = &w->queries; *at; at = &(*at)->next)
		if (*at == q) {
			*at = q->next;
			break;
		}
	loop_cancel(q->timer);
	van_buf_free(&q->body);
	free(q);
	*state = NULL;
}

static void on_peer(void *arg, struct role_peer *peer)
{
	struct web *w = arg;
	struct ipc_channel *c = ipc_channel_new(peer->fd);
	if (!c)
		return;
	peer->fd = -1;
	w->store = c;
	ipc_channel_attach(c, w->role->loop, on_store_message, on_store_closed, w);
}

static void pump(void *arg)
{
	struct web *w = arg;
	bool resumed = w->resumed;
	w->resumed = false;
	for (size_t i = 0; i < w->nlisteners; i++)
		mhdloop_pump(&w->listeners[i], resumed);
}

static int start_listeners(struct web *w)
{
	struct role *r = w->role;
	w->listeners = calloc(r->nlisteners + 1, sizeof *w->listeners);
	for (size_t i = 0; w->listeners && i < r->nlisteners; i++) {
		struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, w,
							MHD_OPTION_LISTEN_SOCKET, r->listeners[i].fd, MHD_OPTION_CONNECTION_LIMIT, 256u,
							MHD_OPTION_CONNECTION_TIMEOUT, 30u, MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
							MHD_OPTION_END);
		r->listeners[i].fd = -1;
		int rc = d ? mhdloop_attach(&w->listeners[w->nlisteners++], d, r->loop) : VAN_EIO;
		if (rc < 0)
			return rc;
	}
	return w->listeners ? 0 : VAN_ENOMEM;
}

int role_web(struct role *r)
{
	struct web w = {.role = r};
	const struct role_handlers handlers = {.on_peer = on_peer, .arg = &w};
	for (size_t i = 0; i < r->npeers; i++)
		on_peer(&w, &r->peers[i]);
	if (start_listeners(&w) < 0 || role_attach(r, &handlers) < 0) {
		log_event(LOG_LEVEL_ERROR, "web-start-failed", NULL);
		return 1;
	}
	loop_set_before_wait(r->loop, pump, &w);
	role_ready(r);
	loop_run(r->loop);
	_exit(0); /* connections may be suspended, and the library aborts when it is stopped with such */
}
