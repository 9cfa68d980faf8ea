/* Complete requests go to an idle worker, wait when there is none, and are answered by the worker or the store. */
#include "roles/http/restart.h"

#include "base/fault.h"
#include "base/error.h"
#include "base/log.h"
#include "partner/settings.h"

#include <stdlib.h>
#include <unistd.h>

#define RETRY_SOON 5 /* seconds */
#define STORE_PATIENCE (15 * VAN_SECOND)
#define SWEEP_EVERY VAN_SECOND

/* --- scheduling --------------------------------------------------------------------------------------------------------------
 * A worker that has a small message keeps a core busy, its own or keyd's, until it is done: more of them at a time than cores
 * only cool each other's caches. A large one waits for the disk, and must not stand in the way of small ones: it may take any
 * worker of the pool. */

static bool is_small(const struct request *q)
{
	return q->spool.fd < 0;
}

static void unbind(struct http *h, struct worker *w)
{
	h->small_busy -= w->small;
	w->small = false;
	w->request = NULL;
}

static void give(struct http *h, struct worker *w, struct request *q)
{
	w->request = q;
	w->small = is_small(q);
	h->small_busy += w->small;
	q->state = REQUEST_WORKING;
	if (w->small)
		q->facts.body = van_buf_slice(&q->spool.memory);
	int rc = ipc_send(w->channel, IPC_AS2_RECEIVE, q->id, &ipc_as2_receive_table, &q->facts, &q->spool.fd, !w->small);
	if (rc < 0) {
		unbind(h, w); /* its channel is closing; on_worker_closed follows */
		request_answer_text(h, q, 503, RETRY_SOON, "the message could not be taken; send it again");
		return;
	}
	spool_close(&q->spool);
}

/* The first in the queue that may start now, taken out of it; NULL when there is none. */
static struct request *take_waiting(struct http *h)
{
	for (struct request **at = &h->first_waiting; *at; at = &(*at)->next_waiting) {
		struct request *q = *at;
		if (is_small(q) && h->small_busy >= h->small_most)
			continue;
		*at = q->next_waiting;
		if (!*at)
			h->last_waiting = at;
		q->next_waiting = NULL;
		return q;
	}
	return NULL;
}

static void schedule(struct http *h)
{
	for (struct request *q; h->idle && (q = take_waiting(h));) {
		struct worker *w = h->idle; /* last in, first out: its caches are warm */
		h->idle = w->next_idle;
		give(h, w, q);
	}
}

static void make_idle(struct http *h, struct worker *w)
{
	unbind(h, w);
	w->next_idle = h->idle;
	h->idle = w;
	schedule(h);
}

void dispatch_request(struct http *h, struct request *q)
{
	q->state = REQUEST_WAITING;
	*h->last_waiting = q;
	h->last_waiting = &q->next_waiting;
	schedule(h);
}

/* --- answers ------------------------------------------------------------------------------------------------------------------ */

static void answer_from(struct http *h, struct ipc_message *m)
{
	struct request *q = request_find(h, m->request);
	if (!q || q->state == REQUEST_ANSWERED)
		return; /* answered 503 meanwhile: the sender's retry gets the stored MDN */
	struct van_arena *arena = van_arena_new(0);
	struct ipc_http_reply reply;
	if (arena && record_decode(&ipc_http_reply_table, m->body, arena, &reply) == 0) {
		van_fault_point("http-before-reply");
		request_answer(h, q, &reply);
	} else {
		request_answer_text(h, q, 503, RETRY_SOON, "internal error; send it again");
	}
	van_arena_free(arena);
}

static void on_worker_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct worker *w = arg;
	struct http *h = w->http;
	(void)c;
	if (m->type == IPC_AS2_HANDED) {
		struct request *q = request_find(h, m->request);
		if (q && q->state == REQUEST_WORKING) {
			q->state = REQUEST_HANDED;
			q->handed = van_clock_monotonic();
		}
	} else if (m->type == IPC_AS2_REPLY) {
		answer_from(h, m);
	} else {
		return;
	}
	make_idle(h, w);
}

static void drop_from_idle(struct http *h, struct worker *w)
{
	for (struct worker **at = &h->idle; *at; at = &(*at)->next_idle)
		if (*at == w) {
			*at = w->next_idle;
			return;
		}
}

static void on_worker_closed(void *arg, struct ipc_channel *c)
{
	struct worker *w = arg;
	struct http *h = w->http;
	if (w->channel == c) {
		struct request *q = w->request;
		w->channel = NULL;
		unbind(h, w);
		drop_from_idle(h, w);
		if (q && q->state == REQUEST_WORKING) {
			log_event(LOG_LEVEL_ERROR, "worker-lost", "index", log_u64(w->index), "request", log_u64(q->id), NULL);
			request_answer_text(h, q, 503, RETRY_SOON, "the message was not accepted; send it again");
		}
	}
	ipc_channel_free(c);
}

static void on_store_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	(void)c;
	if (m->type == IPC_AS2_REPLY)
		answer_from(arg, m);
	else if (m->type == IPC_LOOKUP_REPLY)
		restart_known(arg, m);
}

static void on_store_closed(void *arg, struct ipc_channel *c)
{
	struct http *h = arg;
	if (h->store == c)
		h->store = NULL;
	ipc_channel_free(c);
	for (size_t i = 0; i < h->room; i++)
		if (h->requests[i] && h->requests[i]->state == REQUEST_HANDED)
			request_answer_text(h, h->requests[i], 503, RETRY_SOON, "it is not known whether the message was accepted; send it again");
}

/* A store that can't answer (out of descriptors, a disk that hangs) must not hold clients for ever. Should it have accepted the
 * message all the same, the retry gets the stored MDN. */
static void sweep(void *arg)
{
	struct http *h = arg;
	van_time now = van_clock_monotonic();
	for (size_t i = 0; i < h->room; i++) {
		struct request *q = h->requests[i];
		if (q && q->state == REQUEST_HANDED && now - q->handed > STORE_PATIENCE)
			request_answer_text(h, q, 503, RETRY_SOON, "it is not known whether the message was accepted; send it again");
	}
	if (h->partials)
		partials_expire(h->partials, &h->role->config->as2.restart);
	loop_after(h->role->loop, SWEEP_EVERY, sweep, h);
}

static struct worker *worker_slot(struct http *h, uint64_t index)
{
	for (size_t i = 0; i < h->nworkers; i++)
		if (h->workers[i]->index == index)
			return h->workers[i];
	struct worker **list = realloc(h->workers, (h->nworkers + 1) * sizeof *list);
	if (!list)
		return NULL;
	h->workers = list;
	struct worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	*w = (struct worker){.http = h, .index = index};
	return h->workers[h->nworkers++] = w;
}

void dispatch_peer(struct http *h, struct role_peer *peer)
{
	bool worker = strcmp(peer->name, "receive-worker") == 0;
	struct worker *w = worker ? worker_slot(h, peer->index) : NULL;
	struct ipc_channel *c = !worker || w ? ipc_channel_new(peer->fd) : NULL;
	if (!c)
		return;
	peer->fd = -1;
	if (!worker) {
		h->store = c;
		ipc_channel_attach(c, h->role->loop, on_store_message, on_store_closed, h);
		return;
	}
	if (w->channel) /* the old one's end has not been noticed yet */
		on_worker_closed(w, w->channel);
	w->channel = c;
	ipc_channel_attach(c, h->role->loop, on_worker_message, on_worker_closed, w);
	make_idle(h, w);
}

int dispatch_init(struct http *h)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	h->small_most = cores > 2 ? (size_t)cores : 2;
	h->last_waiting = &h->first_waiting;
	for (size_t i = 0; i < h->role->npeers; i++)
		dispatch_peer(h, &h->role->peers[i]);
	sweep(h);
	return h->nworkers ? 0 : VAN_EINVAL;
}
