/* The dispatcher of job workers: one task each at a time, or a list of small jobs. Received messages are processed, conflicting
 * Message-IDs get another MDN, passwords are checked. A worker that dies with a job has it tried once more; the second time the
 * message is quarantined. */
#include "roles/store/jobs_private.h"
#include "roles/store/maps.h"

#include "as2/disposition.h"
#include "base/log.h"
#include "partner/settings.h"

#include <stdlib.h>
#include <unistd.h>

#define ACCEPT_MAX ((size_t)128 * 1024)
#define PASSWORD_TRIES 2
#define JOBS_AT_ONCE 16 /* to one worker, and … */
#define JOBS_BYTES ((size_t)96 * 1024) /* … their payloads: a packet holds IPC_MESSAGE_MAX */

struct conflict {
	struct conflict *next;
	uint64_t http_started, http_request;
	struct van_id original;
	bool file_name; /* it was used before, not the Message-ID */
	struct van_buf accept;
};

struct password_check {
	struct password_check *next;
	struct van_buf hash, password;
	password_fn *fn; /* NULL: the asker is gone */
	void *arg;
	unsigned tries;
};

struct delayed {
	struct store_role *s;
	struct van_id id;
	struct loop_timer *timer;
	struct delayed *next, **place;
};

struct jobs {
	struct van_id *ring;
	size_t room, first, n;
	bool added; /* since the last look */
	struct delayed *delayed;
	struct conflict *conflicts, **last_conflict;
	struct password_check *passwords, **last_password;
};

/* --- what waits ---------------------------------------------------------------------------------------------------------------- */

static bool push(struct jobs *j, const struct van_id *id)
{
	if (j->n == j->room) {
		size_t room = j->room ? 2 * j->room : 1024;
		struct van_id *ring = malloc(room * sizeof *ring);
		if (!ring)
			return false;
		for (size_t i = 0; i < j->n; i++)
			ring[i] = j->ring[(j->first + i) % j->room];
		free(j->ring);
		j->ring = ring;
		j->room = room;
		j->first = 0;
	}
	j->ring[(j->first + j->n++) % j->room] = *id;
	return true;
}

/* After a pop(): there is room. */
static void push_back_first(struct jobs *j, const struct van_id *id)
{
	j->first = (j->first + j->room - 1) % j->room;
	j->ring[j->first] = *id;
	j->n++;
}

static bool pop(struct jobs *j, struct van_id *ret)
{
	if (!j->n)
		return false;
	*ret = j->ring[j->first];
	j->first = (j->first + 1) % j->room;
	j->n--;
	return true;
}

static void on_due(void *arg)
{
	struct delayed *d = arg;
	struct store_role *s = d->s;
	*d->place = d->next;
	if (d->next)
		d->next->place = d->place;
	push(s->jobs, &d->id);
	free(d);
	jobs_dispatch(s);
}

static void push_later(struct store_role *s, const struct van_id *id, van_time delay)
{
	struct delayed *d = calloc(1, sizeof *d);
	if (d)
		d->timer = loop_after(s->role->loop, delay, on_due, d);
	if (!d || !d->timer) {
		free(d);
		push(s->jobs, id);
		return;
	}
	d->s = s;
	d->id = *id;
	d->next = s->jobs->delayed;
	d->place = &s->jobs->delayed;
	if (d->next)
		d->next->place = &d->next;
	s->jobs->delayed = d;
}

void jobs_add(struct store_role *s, struct slice message, van_time not_before)
{
	struct van_id id = {{0}};
	van_time now = not_before ? van_clock_now() : 0;
	if (message.n != VAN_ID_LEN)
		return;
	memcpy(id.text, message.p, VAN_ID_LEN);
	if (not_before > now)
		push_later(s, &id, not_before - now);
	else
		push(s->jobs, &id);
	s->jobs->added = true;
}

void jobs_dispatch_added(struct store_role *s)
{
	if (!s->jobs->added)
		return;
	s->jobs->added = false;
	jobs_dispatch(s);
}

static int load_job(void *arg, struct slice message, const struct queue_job *j)
{
	jobs_add(arg, message, j->next);
	return 0;
}

int jobs_start(struct store_role *s)
{
	struct store_read r;
	s->jobs = calloc(1, sizeof *s->jobs);
	if (!s->jobs)
		return VAN_ENOMEM;
	s->jobs->last_conflict = &s->jobs->conflicts;
	s->jobs->last_password = &s->jobs->passwords;
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return rc;
	rc = queue_jobs(&r.work, load_job, s);
	store_read_end(s, &r);
	if (s->jobs->n)
		log_event(LOG_LEVEL_INFO, "jobs-waiting", "jobs", log_u64(s->jobs->n), NULL);
	return rc;
}

static void conflict_free(struct conflict *c)
{
	van_buf_free(&c->accept);
	free(c);
}

static void password_free(struct password_check *p)
{
	if (p->password.p)
		explicit_bzero(p->password.p, p->password.n);
	van_buf_free(&p->hash);
	van_buf_free(&p->password);
	free(p);
}

void jobs_free(struct store_role *s)
{
	struct jobs *j = s->jobs;
	if (!j)
		return;
	while (j->delayed) {
		struct delayed *d = j->delayed;
		j->delayed = d->next;
		free(d);
	}
	while (j->conflicts) {
		struct conflict *c = j->conflicts;
		j->conflicts = c->next;
		conflict_free(c);
	}
	while (j->passwords) {
		struct password_check *p = j->passwords;
		j->passwords = p->next;
		password_free(p);
	}
	for (size_t i = 0; i < s->nworkers; i++) {
		if (s->workers[i]->task == WORKER_CONFLICT)
			conflict_free(s->workers[i]->work);
		if (s->workers[i]->task == WORKER_PASSWORD)
			password_free(s->workers[i]->work);
	}
	free(j->ring);
	free(j);
	s->jobs = NULL;
}

/* --- giving -------------------------------------------------------------------------------------------------------------------- */

static bool give_password(struct store_role *s, struct peer_worker *w)
{
	struct jobs *j = s->jobs;
	struct password_check *p = j->passwords;
	if (!p)
		return false;
	j->passwords = p->next;
	if (!j->passwords)
		j->last_password = &j->passwords;
	if (!p->fn) {
		password_free(p);
		return true;
	}
	struct ipc_password_check c = {.hash = van_buf_slice(&p->hash), .password = van_buf_slice(&p->password)};
	p->tries++;
	w->task = WORKER_PASSWORD;
	w->work = p;
	ipc_send(w->channel, IPC_PASSWORD_CHECK, ++w->request, &ipc_password_check_table, &c, NULL, 0);
	return true;
}

static bool give_conflict(struct store_role *s, struct peer_worker *w)
{
	struct jobs *j = s->jobs;
	struct conflict *c = j->conflicts;
	if (!c)
		return false;
	j->conflicts = c->next;
	if (!j->conflicts)
		j->last_conflict = &j->conflicts;
	struct slice original = slice_make(c->original.text, VAN_ID_LEN);
	struct ipc_job job = {.kind = IPC_JOB_AS2_CONFLICT, .generation = s->generation, .message = original, .protocol = SLICE("as2"),
			      .received = van_clock_now(), .accept = van_buf_slice(&c->accept),
			      .disposition = c->file_name ? AS2_DUPLICATE_FILENAME : AS2_UNEXPECTED_ERROR,
			      .conflict = c->file_name ? SLICE("The file name was used before for another document, and our agreement asks "
							       "for a new one with each. Send the document under another name.")
						       : SLICE("Message-ID reused: it was used before for a document with another content")};
	w->task = WORKER_CONFLICT;
	w->work = c;
	struct ipc_job_list list = {.jobs = {&job, 1}};
	ipc_send(w->channel, IPC_JOB, ++w->request, &ipc_job_list_table, &list, NULL, 0);
	return true;
}

static void job_unreadable(struct store_role *s, const struct van_id *id, int rc, const struct van_error *err)
{
	bool retry = rc == VAN_ENOMEM || rc == VAN_EIO || rc == VAN_EAGAIN || rc == VAN_ENOSPC;
	log_event(LOG_LEVEL_ERROR, "job-unreadable", "message", id->text, "error", van_err_name(rc), "text", err->text, NULL);
	job_give_up(s, slice_make(id->text, VAN_ID_LEN), retry, slice_str(err->text[0] ? err->text : van_err_name(rc)), false);
}

/* Reads what the job needs. ret_fds: a large payload's, and what else belongs to it. */
static int fill(struct store_role *s, struct store_read *r, const struct van_id *id, struct ipc_job *job, int ret_fds[2])
{
	int rc = queue_job_fill(&r->work, slice_make(id->text, VAN_ID_LEN), job, ret_fds);
	if (rc == 0) {
		job->generation = s->generation;
		job->maps = maps_generation(s);
		job->time_zone = s->role->config->time_zone;
	} else if (rc != VAN_ENOTFOUND) {
		job_unreadable(s, id, rc, &r->work.err);
	}
	return rc;
}

/* How many one worker takes, so that the others have their share. */
static size_t share(const struct store_role *s)
{
	size_t workers = 0, n;
	for (size_t i = 0; i < s->nworkers; i++)
		workers += s->workers[i]->jobs;
	n = s->jobs->n / (workers ? workers : 1) + 1;
	return n < JOBS_AT_ONCE ? n : JOBS_AT_ONCE;
}

struct given {
	struct ipc_job jobs[JOBS_AT_ONCE];
	struct van_id ids[JOBS_AT_ONCE];
	size_t n, bytes;
	int fds[2]; /* of the only one, or -1 */
	size_t nfds;
};

static void close_given(struct given *g)
{
	for (size_t i = 0; i < g->nfds; i++)
		close(g->fds[i]);
	g->nfds = 0;
}

/* Small jobs until there are enough, or one large one. */
static void gather_jobs(struct store_role *s, struct store_read *r, struct given *g)
{
	size_t most = share(s);
	struct van_id id;
	while (g->n < most && !g->nfds && g->bytes < JOBS_BYTES - IPC_INLINE_MAX && pop(s->jobs, &id)) {
		if (fill(s, r, &id, &g->jobs[g->n], g->fds) != 0)
			continue;
		g->nfds = (g->fds[0] >= 0) + (g->fds[1] >= 0);
		if (g->nfds && g->n) { /* the next list is its own */
			close_given(g);
			push_back_first(s->jobs, &id);
			return;
		}
		g->bytes += g->jobs[g->n].payload.n;
		g->ids[g->n++] = id;
	}
}

static void later_all(struct store_role *s, const struct given *g)
{
	for (size_t i = 0; i < g->n; i++)
		push_later(s, &g->ids[i], VAN_SECOND);
}

static void note_given(struct peer_worker *w, const struct given *g)
{
	w->task = WORKER_JOB;
	w->job = g->ids[0];
	w->nahead = g->n - 1;
	memcpy(w->ahead, g->ids + 1, w->nahead * sizeof *w->ahead);
}

/* 1 sent, 0 nothing waits; negative: this worker can take nothing now. */
static int send_jobs(struct store_role *s, struct peer_worker *w)
{
	struct store_read r;
	struct given *g = NULL;
	if (!s->jobs->n)
		return 0;
	van_arena_reset(s->arena);
	if (!w->ahead)
		w->ahead = calloc(JOBS_AT_ONCE, sizeof *w->ahead);
	int rc = w->ahead ? store_read_begin(s, s->arena, &r) : VAN_ENOMEM;
	if (rc < 0)
		return rc; /* with the next event */
	g = van_arena_alloc(s->arena, sizeof *g);
	if (g) {
		g->nfds = 0;
		gather_jobs(s, &r, g);
	}
	if (g && g->n) {
		struct ipc_job_list list = {.jobs = {g->jobs, g->n}};
		rc = ipc_send(w->channel, IPC_JOB, ++w->request, &ipc_job_list_table, &list, g->fds, g->nfds);
		if (rc == 0)
			note_given(w, g);
		else
			later_all(s, g); /* its channel is closing: nobody saw them */
	}
	store_read_end(s, &r);
	if (g)
		close_given(g);
	return rc < 0 ? rc : g && g->n;
}

void jobs_dispatch(struct store_role *s)
{
	for (size_t i = 0; i < s->nworkers && !s->stopping; i++) {
		struct peer_worker *w = s->workers[i];
		while (w->jobs && w->channel && w->task == WORKER_IDLE) {
			if (give_password(s, w) || give_conflict(s, w) || maps_give(s, w))
				continue;
			w->delivery_last = !w->delivery_last && deliveries_give(s, w);
			if (w->delivery_last)
				continue;
			int rc = atomic_load(&s->sending_held) ? 0 : send_jobs(s, w); /* what is made takes control numbers, and is in mailboxes at once */
			if (rc < 0)
				break;
			if (rc == 0 && !deliveries_give(s, w))
				return;
		}
	}
}

/* The present job is over; the worker goes on with the next that it was given. */
static void job_over(struct peer_worker *w)
{
	if (!w->nahead) {
		w->task = WORKER_IDLE;
		return;
	}
	w->job = w->ahead[0];
	memmove(w->ahead, w->ahead + 1, --w->nahead * sizeof *w->ahead);
}

static void *take_work(struct peer_worker *w)
{
	void *work = w->work;
	w->task = WORKER_IDLE;
	w->work = NULL;
	return work;
}

/* --- conflicts ------------------------------------------------------------------------------------------------------------------ */

void jobs_conflict(struct store_role *s, uint64_t http_started, const struct ipc_as2_accept *a, const struct queue_accept_result *r)
{
	struct jobs *j = s->jobs;
	struct ipc_as2_accept copy = *a;
	struct ipc_artefact headers[1];
	struct conflict *c = calloc(1, sizeof *c);
	if (!c) {
		receive_reply_busy(s, http_started, a->http_request, "no memory; send it again later\n");
		return;
	}
	/* Of the body nothing is needed for another MDN. */
	copy.artefacts.n = 0;
	for (size_t i = 0; i < a->artefacts.n; i++) {
		const struct ipc_artefact *f = RECORD_AT(a->artefacts, struct ipc_artefact, i);
		if (slice_is(f->name, "headers")) {
			headers[0] = *f;
			copy.artefacts = (struct record_list){headers, 1};
		}
	}
	*c = (struct conflict){.http_started = http_started, .http_request = a->http_request, .accept = VAN_BUF_INIT(ACCEPT_MAX)};
	c->file_name = r->outcome == QUEUE_ACCEPT_NAME_USED;
	memcpy(c->original.text, r->message.p, VAN_ID_LEN);
	if (record_encode(&ipc_as2_accept_table, &copy, &c->accept) < 0) {
		receive_reply_busy(s, http_started, a->http_request, "no memory; send it again later\n");
		conflict_free(c);
		return;
	}
	*j->last_conflict = c;
	j->last_conflict = &c->next;
	jobs_dispatch(s);
}

static void conflict_failed(struct store_role *s, struct conflict *c)
{
	receive_reply_busy(s, c->http_started, c->http_request, "the message could not be taken; send it again\n");
	conflict_free(c);
}

uint64_t jobs_accepting(struct store_role *s, struct peer_worker *w)
{
	if (!w->jobs || w->task != WORKER_CONFLICT)
		return s->http_started;
	struct conflict *c = take_work(w);
	uint64_t started = c->http_started;
	conflict_free(c);
	return started;
}

/* --- passwords ------------------------------------------------------------------------------------------------------------------- */

static void queue_password(struct store_role *s, struct password_check *p)
{
	p->next = NULL;
	*s->jobs->last_password = p;
	s->jobs->last_password = &p->next;
	jobs_dispatch(s);
}

struct password_check *jobs_password(struct store_role *s, struct slice hash, struct slice password, password_fn *fn, void *arg)
{
	struct password_check *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->hash = VAN_BUF_INIT(4096);
	p->password = VAN_BUF_INIT(4096);
	van_buf_append_slice(&p->hash, hash);
	van_buf_append_slice(&p->password, password);
	p->fn = fn;
	p->arg = arg;
	if (p->hash.error || p->password.error) {
		password_free(p);
		return NULL;
	}
	queue_password(s, p);
	return p;
}

void jobs_password_forget(struct password_check *p)
{
	if (p)
		p->fn = NULL;
}

static void password_answer(struct password_check *p, bool ok)
{
	if (p->fn)
		p->fn(p->arg, ok);
	password_free(p);
}

/* --- answers --------------------------------------------------------------------------------------------------------------------- */

static void on_failed(struct store_role *s, struct peer_worker *w, struct ipc_message *m)
{
	struct ipc_job_failed f;
	if (record_decode(&ipc_job_failed_table, m->body, s->arena, &f) < 0)
		f = (struct ipc_job_failed){.error = SLICE("its job failed")};
	job_give_up(s, slice_make(w->job.text, VAN_ID_LEN), f.retry, f.error, false);
}

static void on_verdict(struct store_role *s, struct peer_worker *w, struct ipc_message *m)
{
	struct ipc_verdict v;
	bool ok = record_decode(&ipc_verdict_table, m->body, s->arena, &v) == 0 && v.ok;
	password_answer(take_work(w), ok);
}

void jobs_on_message(struct store_role *s, struct peer_worker *w, struct ipc_message *m)
{
	if (m->request != w->request || w->task == WORKER_IDLE) {
		log_event(LOG_LEVEL_WARNING, "message-unexpected", "type", log_u64(m->type), NULL);
		return;
	}
	if (w->task == WORKER_DELIVERY) {
		deliveries_on_worker(s, w, m);
	} else if (w->task == WORKER_TRIAL) {
		maps_on_worker(s, w, m);
	} else if (m->type == IPC_JOB_RESULT && w->task == WORKER_JOB) {
		job_result(s, &w->job, m);
		job_over(w);
	} else if (m->type == IPC_JOB_FAILED && w->task == WORKER_JOB) {
		on_failed(s, w, m);
		job_over(w);
	} else if (m->type == IPC_JOB_FAILED && w->task == WORKER_CONFLICT) {
		conflict_failed(s, take_work(w));
	} else if (m->type == IPC_PASSWORD_CHECK_REPLY && w->task == WORKER_PASSWORD) {
		on_verdict(s, w, m);
	} else {
		log_event(LOG_LEVEL_WARNING, "message-unexpected", "type", log_u64(m->type), NULL);
	}
	jobs_dispatch(s);
}

void jobs_worker_gone(struct store_role *s, struct peer_worker *w)
{
	enum worker_task task = w->task;
	void *work = take_work(w);
	if (s->stopping || !s->jobs)
		return;
	if (task == WORKER_JOB) {
		log_event(LOG_LEVEL_WARNING, "job-worker-died", "message", w->job.text, NULL);
		job_give_up(s, slice_make(w->job.text, VAN_ID_LEN), true, SLICE("its worker ended"), true);
		for (size_t i = 0; i < w->nahead; i++) /* which it had not begun */
			push(s->jobs, &w->ahead[i]);
		w->nahead = 0;
	} else if (task == WORKER_CONFLICT) {
		conflict_failed(s, work);
	} else if (task == WORKER_DELIVERY) {
		deliveries_worker_gone(s, work);
	} else if (task == WORKER_TRIAL) {
		maps_worker_gone(s, work);
	} else if (task == WORKER_PASSWORD) {
		struct password_check *p = work;
		if (p->tries < PASSWORD_TRIES)
			queue_password(s, p);
		else
			password_answer(p, false);
	}
	jobs_dispatch(s);
}
