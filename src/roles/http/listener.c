/* HTTP through libmicrohttpd, on the role's own event loop: each listener is a daemon with an epoll descriptor that we
 * watch. Only HTTP here: no MIME, no AS2 semantics. */
#include "roles/http/connection.h"
#include "roles/http/restart.h"
#include "roles/http/tls.h"

#include "base/error.h"
#include "base/fdio.h"
#include "base/log.h"
#include "partner/settings.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#define RETRY_LATER 30 /* seconds */

/* --- answers ----------------------------------------------------------------------------------------------------------- */

static void set_answer(struct http *h, struct request *q, unsigned status, struct MHD_Response *response)
{
	if (!q->connection) { /* the client is gone; what was accepted stays accepted */
		if (response)
			MHD_destroy_response(response);
		request_free(h, q);
		return;
	}
	q->status = status;
	q->response = response;
	q->state = REQUEST_ANSWERED;
	if (q->suspended) {
		q->suspended = false;
		MHD_resume_connection(q->connection);
		h->resumed = true;
	}
}

static void add_header(struct MHD_Response *r, struct slice name, struct slice value)
{
	char n[128], v[2048];
	if (name.n >= sizeof n || value.n >= sizeof v)
		return;
	snprintf(n, sizeof n, "%.*s", SLICE_ARG(name));
	snprintf(v, sizeof v, "%.*s", SLICE_ARG(value));
	MHD_add_response_header(r, n, v);
}

void request_answer(struct http *h, struct request *q, const struct ipc_http_reply *reply)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(reply->body.n, (void *)(uintptr_t)(reply->body.p ? reply->body.p : ""),
								  MHD_RESPMEM_MUST_COPY);
	for (size_t i = 0; r && i < reply->headers.n; i++) {
		const struct ipc_header *f = RECORD_AT(reply->headers, struct ipc_header, i);
		add_header(r, f->name, f->value);
	}
	if (r && reply->drop)
		MHD_add_response_header(r, "Connection", "close");
	set_answer(h, q, (unsigned)reply->status, r);
}

static struct MHD_Response *text_response(unsigned retry_after, const char *text)
{
	char body[512], seconds[16];
	int n = snprintf(body, sizeof body, "%s\n", text);
	struct MHD_Response *r = MHD_create_response_from_buffer((size_t)n, body, MHD_RESPMEM_MUST_COPY);
	if (!r)
		return NULL;
	MHD_add_response_header(r, "Content-Type", "text/plain; charset=utf-8");
	if (retry_after) {
		snprintf(seconds, sizeof seconds, "%u", retry_after);
		MHD_add_response_header(r, "Retry-After", seconds);
	}
	return r;
}

void request_answer_text(struct http *h, struct request *q, unsigned status, unsigned retry_after, const char *text)
{
	set_answer(h, q, status, text_response(retry_after, text));
}

/* An answer before the body: the connection is closed after it, so that an unread body is not taken for a request. */
static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, unsigned retry_after, const char *allow, const char *text)
{
	struct MHD_Response *r = text_response(retry_after, text);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Connection", "close");
	if (allow)
		MHD_add_response_header(r, "Allow", allow);
	if (status == 415)
		MHD_add_response_header(r, "Accept-Encoding", "identity");
	enum MHD_Result rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

/* --- a request comes in --------------------------------------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* libmicrohttpd 0.9.75 appends a folded line to its header's name instead of its value ("AS2-To:\r\n HUB" is a header "AS2-ToHUB").
 * Of these, what matters for a message, the name's length is known. */
static const char *const foldable[] = {
	"AS2-From", "AS2-To", "AS2-Version", "Content-Disposition", "Content-Transfer-Encoding", "Content-Type",
	"Disposition-Notification-Options", "Disposition-Notification-To", "EDIINT-Features", "Message-ID", "Receipt-Delivery-Option",
	"Subject",
};

static bool stands_before(const char *known, const char *name)
{
	size_t n = strlen(known);
	return strncasecmp(name, known, n) == 0 && name[n] && name[n] != '-';
}

static size_t name_length(const char *name)
{
	for (size_t i = 0; i < sizeof foldable / sizeof *foldable; i++)
		if (stands_before(foldable[i], name))
			return strlen(foldable[i]);
	return strlen(name);
}

/* What says where the body ends has to say so once and clearly: a proxy in front of us must not read it differently. */
struct framing {
	unsigned lengths, encodings;
	bool unclear;
};

static enum MHD_Result look_at_framing(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *f = cls;
	(void)kind;
	f->lengths += strcasecmp(name, "Content-Length") == 0;
	f->encodings += strcasecmp(name, "Transfer-Encoding") == 0;
	f->unclear |= stands_before("Content-Length", name) || stands_before("Transfer-Encoding", name) ||
		      (strcasecmp(name, "Transfer-Encoding") == 0 && (!value || strcasecmp(value, "chunked") != 0));
	return MHD_YES;
}

static bool framing_is_unclear(struct MHD_Connection *c)
{
	struct framing f = {0};
	MHD_get_connection_values(c, MHD_HEADER_KIND, look_at_framing, &f);
	return f.unclear || f.lengths > 1 || f.encodings > 1;
}

/* Compressed for the way by HTTP's own means: AS2 has its own, within what is signed. Only the codings that there are: some software
 * writes a transfer encoding's name here, and means nothing by it. */
static bool is_coded(const char *coding)
{
	static const char *const known[] = {"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"};
	struct slice list = slice_str(coding);
	while (list.p) {
		struct slice one = slice_trim(slice_cut(&list, ','));
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (slice_case_is(one, known[i]))
				return true;
	}
	return false;
}

/* A request may name the path as part of a whole address (RFC 9112 section 3.2.2). */
static const char *path_of(const char *url)
{
	const char *host = strncasecmp(url, "http://", 7) == 0 ? url + 7 : strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
	const char *path = host ? strchr(host, '/') : url;
	return path ? path : "/";
}

struct header_list {
	struct request *q;
	size_t n;
	bool failed;
};

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	(void)name;
	(void)value;
	++*(size_t *)cls;
	return MHD_YES;
}

static enum MHD_Result keep_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct header_list *l = cls;
	(void)kind;
	if (l->n == l->q->facts.headers.n)
		return MHD_NO;
	struct ipc_header *f = &((struct ipc_header *)l->q->facts.headers.v)[l->n++];
	size_t n = name_length(name);
	f->name = van_arena_slice(l->q->arena, slice_make(name, n));
	f->value = name[n] ? van_arena_printf(l->q->arena, "%s%s%s", value ? value : "", value && *value ? " " : "", name + n)
			   : van_arena_slice(l->q->arena, slice_str(value ? value : ""));
	l->failed |= !f->name.p || !f->value.p;
	return MHD_YES;
}

static bool keep_headers(struct request *q, struct MHD_Connection *c)
{
	size_t n = 0;
	MHD_get_connection_values(c, MHD_HEADER_KIND, count_header, &n);
	q->facts.headers.v = van_arena_array(q->arena, n ? n : 1, sizeof(struct ipc_header));
	q->facts.headers.n = q->facts.headers.v ? n : 0;
	struct header_list l = {.q = q, .failed = !q->facts.headers.v};
	MHD_get_connection_values(c, MHD_HEADER_KIND, keep_header, &l);
	return !l.failed;
}

static struct slice peer_address(struct van_arena *arena, struct MHD_Connection *c)
{
	char text[INET6_ADDRSTRLEN] = "";
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (i && i->client_addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)i->client_addr)->sin_addr, text, sizeof text);
	else if (i && i->client_addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)i->client_addr)->sin6_addr, text, sizeof text);
	return van_arena_slice(arena, slice_str(text));
}

/* 0 when the head is fine; else the answer has been queued and *ret tells the library so. */
static bool head_is_refused(struct http *h, struct MHD_Connection *c, const char *url, const char *method, uint64_t *ret_length,
			    enum MHD_Result *ret)
{
	struct van_config *config = h->role->config;
	const char *length = header(c, "Content-Length");
	unsigned long long n = 0;
	char mdn_path[512];
	snprintf(mdn_path, sizeof mdn_path, "%.*s/mdn", SLICE_ARG(config->as2.path));
	if (!slice_is(config->as2.path, url) && strcmp(url, mdn_path) != 0)
		*ret = refuse(c, 404, 0, NULL, "nothing here; AS2 messages go to the path that vand.yaml names in as2.path (/as2)");
	else if (strcmp(method, "HEAD") == 0 && slice_is(config->as2.path, url) && restart_head(h, c, ret))
		return true;
	else if (strcmp(method, "HEAD") == 0) /* some look whether the address is there before they post */
		*ret = refuse(c, 200, 0, "POST", "AS2 messages come by POST");
	else if (strcmp(method, "POST") != 0)
		*ret = refuse(c, 405, 0, "POST", "AS2 messages come by POST");
	else if (length && header(c, "Transfer-Encoding"))
		*ret = refuse(c, 400, 0, NULL, "both Content-Length and Transfer-Encoding: send one of them");
	else if (framing_is_unclear(c))
		*ret = refuse(c, 400, 0, NULL, "it is not clear where the body ends: send one Content-Length, or Transfer-Encoding: chunked");
	else if (length && !slice_u64(slice_str(length), &n))
		*ret = refuse(c, 400, 0, NULL, "Content-Length is not a number");
	else if (!length && !header(c, "Transfer-Encoding")) /* a body that comes all the same would be lost, and the loss be called a success */
		*ret = refuse(c, 411, 0, NULL, "how long is the body? Send Content-Length, or Transfer-Encoding: chunked");
	else if (is_coded(header(c, "Content-Encoding")))
		*ret = refuse(c, 415, 0, NULL, "a body under Content-Encoding is not taken: send it as it is, or compressed within AS2");
	else if (n > config->limits.message)
		*ret = refuse(c, 413, 0, NULL, "the message is larger than limits.message allows");
	else if (h->stopping)
		*ret = refuse(c, 503, RETRY_LATER, NULL, "stopping; send it again later");
	else {
		*ret_length = n;
		return false;
	}
	return true;
}

/* Fills in who shows which TLS certificate. False: it is none that may be shown here. */
static bool look_at_client(const struct connection *k, struct request *q)
{
	char sha256[65];
	if (!k || !k->tls)
		return true;
	q->facts.tls = true;
	if (!tls_session_client(k->session, k->tls, sha256))
		return false;
	q->facts.client_sha256 = sha256[0] ? van_arena_slice(q->arena, slice_str(sha256)) : SLICE_NONE;
	return true;
}

static enum MHD_Result begin_request(struct listener *l, struct MHD_Connection *c, const char *url, const char *method, void **state)
{
	struct http *h = l->http;
	uint64_t length = 0, free_bytes, reserve = h->role->config->limits.disk_reserve;
	enum MHD_Result rc;
	struct restart_wish wish;
	const char *text = NULL;
	if (head_is_refused(h, c, url, method, &length, &rc))
		return rc;
	unsigned status = restart_look(h, c, length, &wish, &text);
	if (status)
		return refuse(c, status, 0, NULL, text);
	free_bytes = spool_free_bytes(h->spool_folder);
	/* received, decrypted and stored at the same time: up to three times its size */
	if (free_bytes < reserve || free_bytes - reserve < 3 * wish.total)
		return refuse(c, 503, RETRY_LATER, NULL, "no room for this message now; send it again later");
	struct request *q = request_new(h, wish.total);
	if (!q)
		return refuse(c, 503, RETRY_LATER, NULL, "too many messages at the same time; send it again later");
	q->connection = c;
	q->received = van_clock_now();
	q->facts.received = q->received;
	q->facts.peer = peer_address(q->arena, c);
	q->facts.path = van_arena_slice(q->arena, slice_str(url));
	connection_head_is_done(connection_of(c), q);
	if (!look_at_client(connection_of(c), q)) {
		status = 403;
		text = "the TLS client certificate is not signed by an authority that is trusted here";
	} else if (!keep_headers(q, c)) {
		status = 431;
		text = "the headers are too large";
	} else {
		status = restart_begin(h, q, &wish, &text);
	}
	if (status) {
		connection_body_is_done(connection_of(c));
		request_free(h, q);
		return refuse(c, status, 0, NULL, text);
	}
	*state = q;
	return MHD_YES;
}

/* Bytes of a body whose length was not announced count against the limit as they come. */
static enum MHD_Result take_body(struct http *h, struct request *q, const char *data, size_t *size)
{
	struct van_config *config = h->role->config;
	unsigned refusal = 0;
	if (q->state == REQUEST_BODY) {
		uint64_t total = q->spool.bytes + *size;
		if (total > q->expected) {
			h->in_flight_bytes += total - q->expected;
			q->expected = total;
		}
		int rc = 0;
		if (total > config->limits.message)
			refusal = 413;
		else if ((h->in_flight_bytes > config->limits.in_flight && h->in_flight > 1) || (rc = spool_write(&q->spool, data, *size)) < 0)
			refusal = 503;
		if (rc < 0)
			log_event(LOG_LEVEL_ERROR, "spool-failed", "error", van_err_name(rc), NULL);
		if (refusal) {
			q->state = REQUEST_REFUSED;
			q->status = refusal;
			spool_close(&q->spool);
		}
	}
	*size = 0; /* taken; a refused body is read to its end, for many senders read no answer before they have written all */
	return MHD_YES;
}

static enum MHD_Result finish_body(struct http *h, struct request *q, struct MHD_Connection *c)
{
	connection_body_is_done(connection_of(c));
	if (q->state == REQUEST_REFUSED)
		return refuse(c, q->status, q->status == 503 ? RETRY_LATER : 0, NULL,
			      q->status == 413 ? "the message is larger than limits.message allows"
					       : "no room for this message now; send it again later");
	const char *text;
	unsigned status = restart_finish(h, q, &text);
	if (status) {
		q->state = REQUEST_REFUSED;
		return refuse(c, status, 0, NULL, text);
	}
	q->facts.bytes = q->spool.bytes;
	q->suspended = true;
	MHD_suspend_connection(c);
	dispatch_request(h, q);
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
				  const char *data, size_t *size, void **state)
{
	struct listener *l = cls;
	struct request *q = *state;
	(void)version;
	if (!q)
		return begin_request(l, c, path_of(url), method, state);
	if (q->state == REQUEST_ANSWERED) {
		enum MHD_Result rc = q->response ? MHD_queue_response(c, q->status, q->response) : MHD_NO;
		if (q->response)
			MHD_destroy_response(q->response);
		q->response = NULL;
		return rc;
	}
	if (*size)
		return take_body(l->http, q, data, size);
	if (q->state == REQUEST_BODY || q->state == REQUEST_REFUSED)
		return finish_body(l->http, q, c);
	return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
	struct listener *l = cls;
	struct request *q = *state;
	(void)code;
	*state = NULL;
	connection_body_is_done(connection_of(c));
	if (!q)
		return;
	q->connection = NULL;
	if (q->state == REQUEST_WORKING || q->state == REQUEST_HANDED)
		return; /* freed when the answer comes */
	if (q->response)
		MHD_destroy_response(q->response);
	request_free(l->http, q);
}

/* --- start ------------------------------------------------------------------------------------------------------------------ */

void listeners_pump(struct http *h)
{
	bool resumed = h->resumed;
	h->resumed = false;
	for (size_t i = 0; i < h->nlisteners; i++)
		mhdloop_pump(&h->listeners[i]->events, resumed);
}

static struct MHD_Daemon *start_daemon(struct listener *l, int fd)
{
	struct van_config *c = l->http->role->config;
	struct MHD_OptionItem options[16];
	size_t n = 0;
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_LISTEN_SOCKET, fd, NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_LIMIT, (intptr_t)c->limits.connections, NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)c->limits.connections_per_address, NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)(c->http.body_timeout / VAN_SECOND), NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)c->http.header_size + 32768, NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, l};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_notify, l};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)connection_on_head, l};
	if (l->tls) {
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)tls_session_certificate};
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES};
	}
	options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (l->tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, l,
				MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static int start_listener(struct http *h, struct role_listener *from)
{
	const struct van_config_listener *c = RECORD_AT(h->role->config->listen.as2, struct van_config_listener, from->index);
	struct listener *l = calloc(1, sizeof *l);
	if (!l)
		return VAN_ENOMEM;
	l->http = h;
	l->index = from->index;
	struct van_error e = {0};
	int rc = c->tls ? tls_set_load(h->role, from->index, c->tls, &l->tls, &e) : 0;
	if (rc < 0) {
		log_event(LOG_LEVEL_ERROR, "tls-unusable", "listener", log_u64(from->index), "text", e.text, NULL);
		free(l);
		return rc;
	}
	struct MHD_Daemon *daemon = start_daemon(l, from->fd);
	from->fd = -1; /* the library's now */
	rc = daemon ? mhdloop_attach(&l->events, daemon, h->role->loop) : VAN_EIO;
	if (rc < 0)
		return rc;
	connections_watch(l);
	h->listeners[h->nlisteners++] = l;
	return 0;
}

int listeners_start(struct http *h)
{
	h->listeners = calloc(h->role->nlisteners + 1, sizeof(*h->listeners));
	for (size_t i = 0; h->listeners && i < h->role->nlisteners; i++) {
		int rc = start_listener(h, &h->role->listeners[i]);
		if (rc < 0) {
			log_event(LOG_LEVEL_ERROR, "listener-failed", "index", log_u64(h->role->listeners[i].index), "error",
				  van_err_name(rc), NULL);
			return rc;
		}
	}
	return h->listeners ? 0 : VAN_ENOMEM;
}

void listeners_reload(struct http *h)
{
	for (size_t i = 0; i < h->nlisteners; i++) {
		struct listener *l = h->listeners[i];
		const struct record_list *configured = &h->role->config->listen.as2;
		const struct van_config_tls *tls = l->index < configured->n ? RECORD_AT(*configured, struct van_config_listener, l->index)->tls : NULL;
		struct van_error e = {0};
		struct tls_set *fresh = NULL;
		if (!l->tls != !tls) {
			log_event(LOG_LEVEL_WARNING, "reload-needs-restart", "text", "listeners have changed; restart vand to use them", NULL);
		} else if (tls && tls_set_load(h->role, l->index, tls, &fresh, &e) < 0) {
			log_event(LOG_LEVEL_ERROR, "tls-unusable", "listener", log_u64(l->index), "text", e.text, NULL);
		} else if (tls) {
			tls_set_release(l->tls);
			l->tls = fresh;
		}
	}
}

void listeners_quiesce(struct http *h)
{
	for (size_t i = 0; i < h->nlisteners; i++)
		MHD_quiesce_daemon(h->listeners[i]->events.daemon);
}
