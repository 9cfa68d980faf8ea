/* Listeners and their connections: deadlines, TLS. Requests are listener.c's. */
#ifndef OPENVAN_ROLES_HTTP_CONNECTION_H
#define OPENVAN_ROLES_HTTP_CONNECTION_H

#include "roles/http/http.h"
#include "roles/mhdloop.h"

#include <microhttpd.h>

struct tls_set;

/* A connection's head must be complete by a deadline, and its body must keep a pace: the library's own time-out is for
 * inactivity only. */
struct connection {
	struct connection *next, **at;
	int fd;
	van_time since; /* when the head of the present request began; 0 while a request is being served */
	struct request *request; /* whose body is coming in; else NULL */
	struct tls_set *tls;     /* what it was made with; NULL: plain */
	void *session;           /* gnutls_session_t */
};

struct listener {
	struct http *http;
	struct mhdloop events;
	uint64_t index;
	struct tls_set *tls; /* for connections to come; NULL: plain */
	struct connection *connections;
};

/* NULL only when memory ran out at its start. */
struct connection *connection_of(struct MHD_Connection *c);
/* The head of its request is complete: from here on the body's pace counts. */
void connection_head_is_done(struct connection *k, struct request *q);
/* The body is complete, or the request is over. */
void connection_body_is_done(struct connection *k);

/* Callbacks of the library; `cls` is the listener. */
void connection_notify(void *cls, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code);
void *connection_on_head(void *cls, const char *uri, struct MHD_Connection *c);

/* Ends the connections that are too slow, every second from now on. */
void connections_watch(struct listener *l);

#endif
