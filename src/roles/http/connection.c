#include "roles/http/connection.h"

#include "base/log.h"
#include "partner/settings.h"
#include "roles/http/tls.h"

#include <stdlib.h>
#include <sys/socket.h>

#define SWEEP_EVERY VAN_SECOND

struct connection *connection_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return i ? i->socket_context : NULL;
}

/* --- start and end --------------------------------------------------------------------------------------------------------- */

static void begin_tls(struct listener *l, struct connection *k, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!i)
		return;
	k->tls = tls_set_hold(l->tls);
	k->session = i->tls_session;
	tls_session_prepare(i->tls_session, k->tls);
}

static struct connection *begin(struct listener *l, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *k = i ? calloc(1, sizeof *k) : NULL;
	if (!k)
		return NULL;
	*k = (struct connection){.next = l->connections, .at = &l->connections, .fd = i->connect_fd, .since = van_clock_monotonic()};
	if (k->next)
		k->next->at = &k->next;
	l->connections = k;
	if (l->tls)
		begin_tls(l, k, c);
	return k;
}

void connection_notify(void *cls, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct connection *k = *socket_context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = begin(cls, c);
	} else if (k) {
		*k->at = k->next;
		if (k->next)
			k->next->at = k->at;
		tls_set_release(k->tls);
		free(k);
		*socket_context = NULL;
	}
}

/* --- deadlines ---------------------------------------------------------------------------------------------------------------- */

/* Called with the request line, before the headers are complete: the head's clock starts here on a kept-alive connection. */
void *connection_on_head(void *cls, const char *uri, struct MHD_Connection *c)
{
	struct connection *k = connection_of(c);
	(void)cls;
	(void)uri;
	if (k && !k->since)
		k->since = van_clock_monotonic();
	return NULL;
}

void connection_head_is_done(struct connection *k, struct request *q)
{
	if (!k)
		return;
	k->since = 0;
	k->request = q;
	if (q)
		q->body_began = van_clock_monotonic();
}

void connection_body_is_done(struct connection *k)
{
	if (!k)
		return;
	k->since = 0; /* kept alive: the idle time-out rules until the next request's head */
	k->request = NULL;
}

/* Not as many bytes as could have come since the body began, with body_timeout as a start. */
static bool body_is_slow(const struct van_config_http *h, const struct request *q, van_time now)
{
	van_time late = now - q->body_began - h->body_timeout;
	return late > 0 && (double)(q->spool.bytes - q->resumed_at) < (double)late / VAN_SECOND * (double)h->body_rate;
}

/* libmicrohttpd 0.9.75 takes a short read for the end of what there is; when the client's end came with the same bytes, it is
 * not told again, and waits until its time-out. */
static bool client_has_left(const struct connection *k)
{
	char byte;
	return recv(k->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void sweep(void *arg)
{
	struct listener *l = arg;
	const struct van_config_http *h = &l->http->role->config->http;
	van_time now = van_clock_monotonic();
	for (struct connection *k = l->connections; k; k = k->next) {
		bool slow = k->request && body_is_slow(h, k->request, now);
		bool late = k->since && now - k->since > h->header_timeout;
		if (!slow && !late && !((k->request || k->since) && client_has_left(k)))
			continue;
		if (slow)
			log_event(LOG_LEVEL_WARNING, "body-too-slow", "peer", log_slice(k->request->facts.peer), "bytes",
				  log_u64(k->request->spool.bytes), NULL);
		shutdown(k->fd, SHUT_RDWR);
		connection_body_is_done(k);
	}
	loop_after(l->http->role->loop, SWEEP_EVERY, sweep, l);
}

void connections_watch(struct listener *l)
{
	sweep(l);
}
