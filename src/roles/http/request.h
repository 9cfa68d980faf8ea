/* One POST from its headers to its answer. The role's table of them is bounded by limits.in_flight_messages. */
#ifndef OPENVAN_ROLES_HTTP_REQUEST_H
#define OPENVAN_ROLES_HTTP_REQUEST_H

#include "base/arena.h"
#include "ipc/messages.h"
#include "roles/http/partial.h"
#include "roles/spool.h"

struct MHD_Connection;
struct MHD_Response;

enum request_state {
	REQUEST_BODY,     /* bytes are coming in */
	REQUEST_REFUSED,  /* answered before its body: the rest is swallowed by the library */
	REQUEST_WAITING,  /* complete; no worker is free */
	REQUEST_WORKING,  /* a worker has it */
	REQUEST_HANDED,   /* the store has it */
	REQUEST_ANSWERED, /* `response` is there; the library will take it */
};

struct request {
	uint64_t id;
	enum request_state state;
	struct MHD_Connection *connection; /* NULL: the client is gone */
	bool suspended;
	struct spool spool;
	uint64_t expected;       /* counted against limits.in_flight until the end */
	van_time received;
	van_time body_began; /* monotonic */
	van_time handed; /* monotonic, since when the store has it */
	struct van_arena *arena; /* holds what the slices below point to */
	struct ipc_as2_receive facts;
	struct MHD_Response *response;
	unsigned status;
	struct request *next_waiting;
	/* AS2 Restart */
	struct partial_key key;    /* of its ETag; empty: it has none */
	bool restartable;          /* its bytes may be kept once the store knows the sender */
	struct partial *partial;   /* its spool has a name; NULL: none */
	uint64_t total;            /* bytes that the whole has; 0: unknown */
	uint64_t resumed_at;       /* bytes that were here before */
	bool ranged;               /* it came with a Content-Range: `total` is what it has to have */
	bool named;                /* its file has a name until it is answered */
};

#endif
