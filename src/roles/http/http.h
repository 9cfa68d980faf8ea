/* The http role's inner interface: requests come from listener.c, dispatch.c gives them to workers. */
#ifndef OPENVAN_ROLES_HTTP_HTTP_H
#define OPENVAN_ROLES_HTTP_HTTP_H

#include "roles/http/request.h"
#include "roles/role.h"

struct worker {
	struct http *http;
	uint64_t index;
	struct ipc_channel *channel; /* NULL: it died and its successor has not come yet */
	struct request *request;     /* NULL: idle, or the request is gone */
	bool small;                  /* counted in small_busy */
	struct worker *next_idle;
};

struct http {
	struct role *role;
	int spool_folder;
	struct partials *partials; /* NULL: nothing can be kept */
	struct listener **listeners;
	size_t nlisteners;
	struct ipc_channel *store;
	struct worker **workers;
	size_t nworkers;
	struct worker *idle;
	size_t small_busy, small_most; /* workers with a small message, see dispatch.c */
	struct request *first_waiting, **last_waiting;
	struct request **requests; /* slot = id % room */
	size_t room, in_flight;
	uint64_t in_flight_bytes, last_id;
	bool stopping;
	bool resumed; /* a connection was, since the last pump */
};

/* requests.c: the table */
int requests_init(struct http *h);
/* NULL when limits are reached. */
struct request *request_new(struct http *h, uint64_t expected);
struct request *request_find(struct http *h, uint64_t id);
void request_free(struct http *h, struct request *q);

/* dispatch.c: workers and the store */
int dispatch_init(struct http *h);
void dispatch_request(struct http *h, struct request *q);
void dispatch_peer(struct http *h, struct role_peer *peer);

/* listener.c: libmicrohttpd */
int listeners_start(struct http *h);
void listeners_pump(struct http *h); /* after a round of events: lets the library act on resumed connections and time-outs */
void listeners_quiesce(struct http *h);
void listeners_reload(struct http *h); /* fresh configuration and files are in the role: TLS keys and clocks follow them */
/* Takes the answer; the connection goes on. */
void request_answer(struct http *h, struct request *q, const struct ipc_http_reply *reply);
void request_answer_text(struct http *h, struct request *q, unsigned status, unsigned retry_after, const char *text);

#endif
