#include "roles/http/http.h"

#include "base/error.h"
#include "partner/settings.h"

#include <stdlib.h>

#define ARENA_MAX ((size_t)1 << 20)

int requests_init(struct http *h)
{
	h->room = h->role->config->limits.in_flight_messages;
	/* Never the numbers of an earlier http process, whose last answers may still be under way. */
	h->last_id = (uint64_t)van_clock_now();
	h->requests = calloc(h->room ? h->room : 1, sizeof(*h->requests));
	return h->requests ? 0 : VAN_ENOMEM;
}

struct request *request_new(struct http *h, uint64_t expected)
{
	uint64_t most = h->role->config->limits.in_flight;
	/* limits.message says how large a message may be; one that is larger than the bytes in flight comes alone */
	bool alone = h->in_flight == 0;
	if (h->in_flight >= h->room || (!alone && (expected > most || h->in_flight_bytes > most - expected)))
		return NULL;
	struct request *q = calloc(1, sizeof *q);
	if (q)
		q->arena = van_arena_new(ARENA_MAX);
	if (!q || !q->arena || spool_open(&q->spool, h->spool_folder, expected) < 0) {
		van_arena_free(q ? q->arena : NULL);
		free(q);
		return NULL;
	}
	do
		q->id = ++h->last_id;
	while (h->requests[q->id % h->room]);
	h->requests[q->id % h->room] = q;
	q->expected = expected;
	h->in_flight++;
	h->in_flight_bytes += expected;
	return q;
}

struct request *request_find(struct http *h, uint64_t id)
{
	struct request *q = h->requests[id % h->room];
	return q && q->id == id ? q : NULL;
}

static void forget_waiting(struct http *h, struct request *q)
{
	for (struct request **at = &h->first_waiting; *at; at = &(*at)->next_waiting)
		if (*at == q) {
			*at = q->next_waiting;
			if (!*at)
				h->last_waiting = at;
			return;
		}
}

void request_free(struct http *h, struct request *q)
{
	forget_waiting(h, q);
	if (h->partials) {
		partials_end(h->partials, &h->role->config->as2.restart, q, q->state == REQUEST_BODY);
		partials_done(h->partials, q);
	}
	for (size_t i = 0; i < h->nworkers; i++)
		if (h->workers[i]->request == q)
			h->workers[i]->request = NULL;
	h->requests[q->id % h->room] = NULL;
	h->in_flight--;
	h->in_flight_bytes -= q->expected;
	spool_close(&q->spool);
	van_arena_free(q->arena);
	free(q);
}
