#include "queue/accept.h"
#include "queue/internal.h"

#include "partner/agreement.h"

#include <unistd.h>

#define BACKOFF_FIRST VAN_SECOND
#define BACKOFF_MAX (300 * VAN_SECOND)
#define CRASHES_MAX 2

int queue_job_put(struct queue_work *w, struct slice id, const struct queue_job *j)
{
	return queue_put_record(w, w->q->job, id, &queue_job_table, j);
}

int queue_jobs(struct queue_work *w, int (*fn)(void *arg, struct slice message, const struct queue_job *j), void *arg)
{
	struct store_cursor *c;
	struct slice id, value;
	int rc = store_cursor_open(w->txn, w->q->job, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, &id, &value)) == 0) {
		struct queue_job j;
		rc = record_decode(&queue_job_table, value, w->arena, &j);
		if (rc < 0 || (rc = fn(arg, id, &j)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static int get_job(struct queue_work *w, struct slice id, struct queue_job *job, struct queue_message *m)
{
	int rc = van_id_valid(id) ? queue_get_record(w, w->q->job, id, &queue_job_table, job) : VAN_ENOTFOUND;
	if (rc == VAN_ENOTFOUND)
		return van_error_set(&w->err, VAN_ENOTFOUND, "no job waits for message %.*s", SLICE_ARG(id));
	return rc < 0 ? rc : queue_message_get(w, id, m);
}

static int fill_kind(struct queue_work *w, const struct queue_job *job, const struct queue_message *m, struct ipc_job *ret, int ret_fds[2])
{
	return job->kind == QUEUE_JOB_ANSWER ? queue_answer_fill(w, m, ret, ret_fds) : 0;
}

int queue_job_fill(struct queue_work *w, struct slice message, struct ipc_job *ret, int ret_fds[2])
{
	struct queue_job job;
	struct queue_message m;
	struct queue_content content;
	ret_fds[0] = ret_fds[1] = -1;
	int rc = get_job(w, message, &job, &m);
	if (rc == 0 && job.kind == QUEUE_JOB_BATCH) {
		*ret = (struct ipc_job){.kind = IPC_JOB_BATCH, .message = m.id, .received = m.time};
		return queue_batch_fill(w, &m, ret, &ret_fds[0]);
	}
	if (rc == 0)
		rc = queue_part_open(w, m.id, SLICE("payload"), &content);
	if (rc < 0)
		return rc;
	*ret = (struct ipc_job){
		.kind = IPC_JOB_PROCESS, .message = m.id, .protocol = m.protocol, .partner = m.partner,
		.connection = m.connection, .file_name = m.file_name, .content_type = m.content_type, .received = m.time,
		.payload = content.fd < 0 ? content.bytes : SLICE_NONE, .offset = content.offset, .length = content.length,
	};
	ret->only = m.only;
	ret->documents = m.documents;
	ret->division = m.division;
	ret->waive = job.waive;
	ret->answered = job.answered;
	ret_fds[0] = content.fd;
	rc = fill_kind(w, &job, &m, ret, ret_fds);
	if (rc < 0 && content.fd >= 0)
		close(content.fd);
	return rc;
}

static int end_job(struct queue_work *w, struct slice id)
{
	w->writes++;
	int rc = store_del(w->txn, w->q->job, id);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* The job is over without a result. */
static int park(struct queue_work *w, struct queue_message *m, enum queue_state state, struct slice error,
		enum receipt_event event, struct slice actor)
{
	struct queue_message old = *m;
	if (m->state == QUEUE_PROCESSED) /* what was to be made of it was not: it stays what it is, and people are told */
		state = QUEUE_PROCESSED;
	m->state = state;
	m->error = error;
	int rc = end_job(w, m->id);
	if (rc == 0 && m->direction == QUEUE_OUT)
		rc = queue_batch_close(w, m->id);
	if (rc == 0)
		rc = m->direction == QUEUE_OUT ? queue_delivery_move_from(w, &old, m, QUEUE_DELIVERY_HELD) : queue_message_put(w, &old, m);
	return rc < 0 ? rc : queue_trail_receipt(w, event, m, error, actor, NULL, 0);
}

static van_time backoff(uint64_t tries)
{
	van_time t = BACKOFF_FIRST;
	while (--tries && t < BACKOFF_MAX)
		t *= 2;
	return t < BACKOFF_MAX ? t : BACKOFF_MAX;
}

int queue_job_failed(struct queue_work *w, const struct ipc_job_failed *f, van_time *ret_next)
{
	struct queue_job job;
	struct queue_message m;
	int rc = get_job(w, f->message, &job, &m);
	if (rc < 0)
		return rc;
	if (!f->retry) {
		*ret_next = 0;
		return park(w, &m, QUEUE_HELD, f->error.p ? f->error : SLICE("its job failed"), RECEIPT_HELD, SLICE_NONE);
	}
	job.tries++;
	job.error = f->error;
	job.next = w->now + backoff(job.tries);
	rc = queue_job_put(w, f->message, &job);
	if (rc == 0)
		rc = queue_trail_event(w, f->message, "job-failed", f->error);
	if (rc == 0)
		*ret_next = job.next;
	return rc;
}

int queue_job_crashed(struct queue_work *w, struct slice message, van_time *ret_next)
{
	struct queue_job job;
	struct queue_message m;
	int rc = get_job(w, message, &job, &m);
	if (rc < 0)
		return rc;
	if (++job.crashes >= CRASHES_MAX) {
		*ret_next = 0;
		return park(w, &m, QUEUE_QUARANTINED,
			    SLICE("processing it ended its worker twice: look at it with vanctl message get, then release or reject it"),
			    RECEIPT_DEAD_LETTER, SLICE_NONE);
	}
	job.next = w->now;
	rc = queue_job_put(w, message, &job);
	if (rc == 0)
		rc = queue_trail_event(w, message, "job-crashed", SLICE("its worker ended; it is tried once more"));
	if (rc == 0)
		*ret_next = job.next;
	return rc;
}

bool queue_message_verified(const struct queue_message *m)
{
	return !slice_is(m->protocol, "as2") || slice_is(m->disposition, "processed") || !m->disposition.p || m->child;
}

int queue_message_release(struct queue_work *w, struct slice id, struct slice actor)
{
	struct queue_message m, old;
	int rc = queue_message_get(w, id, &m);
	if (rc < 0)
		return rc;
	if (m.direction != QUEUE_IN || m.state == QUEUE_RECEIVED || m.state == QUEUE_PROCESSED)
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s is not waiting for a release: it is %s", SLICE_ARG(id),
				     queue_state_names[m.state]);
	if (!queue_message_verified(&m))
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s was refused (%.*s): ask the sender to send it again",
				     SLICE_ARG(id), SLICE_ARG(m.disposition));
	struct queue_job job = {.accept_duplicate = m.state == QUEUE_DUPLICATE || m.set_aside, .waive = m.set_aside, .answered = m.set_aside};
	old = m;
	m.state = QUEUE_RECEIVED;
	m.error = SLICE_NONE;
	m.set_aside = false;
	rc = queue_job_put(w, id, &job);
	if (rc == 0)
		rc = queue_message_put(w, &old, &m);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &m, SLICE("released"), actor, NULL, 0);
}

bool queue_waits_for_agreement(const struct queue_message *m)
{
	return m->state == QUEUE_HELD && m->agreement.n && slice_starts(m->error, "agreement ") && slice_ends(m->error, " " AGREEMENT_ON_HOLD);
}

/* Of the held ones from the cursor on. */
static int next_held(struct queue_work *w, struct slice after, unsigned most, struct slice *v, unsigned *ret_n)
{
	struct store_key prefix = STORE_KEY_INIT, from;
	struct store_cursor *c;
	struct slice key;
	*ret_n = 0;
	store_key_u8(&prefix, QUEUE_INDEX_STATE);
	store_key_text(&prefix, slice_str(queue_state_names[QUEUE_HELD]));
	from = prefix;
	store_key_fixed(&from, after.p, after.n);
	int rc = store_cursor_open(w->txn, w->q->index, store_key_slice(&prefix), &c);
	if (rc < 0)
		return rc;
	rc = after.n ? store_cursor_seek(c, store_key_slice(&from), &key, NULL) : store_cursor_first(c, &key, NULL);
	for (; rc == 0 && *ret_n < most; rc = store_cursor_next(c, &key, NULL)) {
		struct slice id = key.n == prefix.n + VAN_ID_LEN ? slice_make(key.p + prefix.n, VAN_ID_LEN) : SLICE_NONE;
		if (!id.p || (after.n && slice_cmp(id, after) <= 0))
			continue;
		v[*ret_n] = van_arena_slice(w->arena, id);
		if (!v[(*ret_n)++].p)
			rc = VAN_ENOMEM;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_release_agreement(struct queue_work *w, struct slice agreement, struct slice after, unsigned most, struct slice actor,
			    void (*fn)(void *arg, struct slice id), void *arg, struct slice *ret_last)
{
	struct slice *v = van_arena_array(w->arena, most, sizeof *v);
	unsigned n = 0;
	int rc = v ? next_held(w, after, most, v, &n) : VAN_ENOMEM;
	*ret_last = rc == 0 && n == most ? v[n - 1] : SLICE_NONE;
	for (unsigned i = 0; i < n && rc == 0; i++) {
		struct queue_message m;
		rc = queue_message_get(w, v[i], &m);
		if (rc < 0 || !queue_waits_for_agreement(&m) || (agreement.p && !slice_eq(agreement, m.agreement)))
			continue;
		rc = queue_message_release(w, v[i], actor);
		if (rc == 0)
			fn(arg, v[i]);
	}
	return rc;
}

int queue_message_hold(struct queue_work *w, struct slice id, struct slice actor)
{
	struct queue_message m;
	int rc = queue_message_get(w, id, &m);
	if (rc < 0)
		return rc;
	if (m.state != QUEUE_RECEIVED)
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s can't be held any more: it is %s", SLICE_ARG(id),
				     queue_state_names[m.state]);
	return park(w, &m, QUEUE_HELD, SLICE("held by an operator"), RECEIPT_HELD, actor);
}

int queue_message_settle(struct queue_work *w, struct slice id, struct slice actor, struct slice text)
{
	struct queue_message m, old;
	int rc = queue_message_get(w, id, &m);
	if (rc < 0)
		return rc;
	if (m.direction != QUEUE_IN || m.state != QUEUE_HELD)
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s does not wait for anybody: it is %s", SLICE_ARG(id), queue_state_names[m.state]);
	old = m;
	m.state = QUEUE_PROCESSED;
	m.error = SLICE_NONE;
	rc = queue_message_put(w, &old, &m);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &m, text, actor, NULL, 0);
}

int queue_message_reject(struct queue_work *w, struct slice id, struct slice actor, struct slice reason)
{
	struct queue_message m;
	int rc = queue_message_get(w, id, &m);
	if (rc < 0)
		return rc;
	if (m.direction != QUEUE_IN || m.state == QUEUE_PROCESSED || m.state == QUEUE_REJECTED)
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s can't be rejected: it is %s", SLICE_ARG(id),
				     queue_state_names[m.state]);
	return park(w, &m, QUEUE_REJECTED, reason, RECEIPT_REJECTED, actor);
}
