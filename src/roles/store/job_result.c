/* What became of a job: its result goes into a batch of the writer, and so does that there is none. */
#include "roles/store/jobs_private.h"

#include "base/fdio.h"
#include "base/log.h"
#include "queue/delivery.h"

#include <stdlib.h>
#include <unistd.h>

#define RESULT_MAX ((size_t)256 << 20)

struct finishing {
	struct write_request base;
	struct store_role *s;
	struct ipc_job_result result;
	struct queue_job_ids ids;
	int fds[IPC_FDS_MAX];
	size_t nfds;
	struct van_buf body; /* a long result */
	struct queue_woken *woken;
};

static bool stays_file(const struct finishing *f, size_t number)
{
	for (size_t i = 0; i < f->result.outputs.n; i++)
		if (RECORD_AT(f->result.outputs, struct ipc_output, i)->fd_number == number && !f->ids.files[i].bytes.p)
			return true;
	return false;
}

/* A file of the result may hold several outputs: it is kept once, with the message, and they are stretches of it. */
static int prepare_result(struct write_request *r)
{
	struct finishing *f = (struct finishing *)r;
	int rc = queue_result_hash_files(&f->result, f->fds, f->nfds, r->arena, (struct queue_output_file *)f->ids.files);
	for (size_t i = 0; rc == 0 && i < f->nfds; i++) {
		if (!stays_file(f, i + 1))
			continue;
		const char *name = van_arena_printf(r->arena, "made-%s-%zu", f->ids.made_name, i + 1).p;
		rc = name ? payload_link(writer_payload(r->writer), f->fds[i], f->result.message, name, &r->err) : VAN_ENOMEM;
		r->files = true;
	}
	return rc;
}

static int run_result(struct write_request *r, struct queue_work *w)
{
	struct finishing *f = (struct finishing *)r;
	int rc = queue_job_done(w, &f->result, &f->ids);
	f->woken = w->woken;
	return rc;
}

struct giving_up {
	struct write_request base;
	struct store_role *s;
	struct ipc_job_failed failed;
	bool crashed;
	van_time next;
};

static int run_giving_up(struct write_request *r, struct queue_work *w)
{
	struct giving_up *g = (struct giving_up *)r;
	return g->crashed ? queue_job_crashed(w, g->failed.message, &g->next) : queue_job_failed(w, &g->failed, &g->next);
}

static void done_giving_up(struct write_request *r)
{
	struct giving_up *g = (struct giving_up *)r;
	if (r->rc == 0 && g->next)
		jobs_add(g->s, g->failed.message, g->next);
	else if (r->rc == 0)
		log_event(LOG_LEVEL_WARNING, g->crashed ? "message-quarantined" : "message-held", "message", log_slice(g->failed.message),
			  "text", log_slice(g->failed.error), NULL);
	else if (r->rc != VAN_ENOTFOUND)
		jobs_add(g->s, g->failed.message, van_clock_now() + JOB_AGAIN_LATER);
	write_request_free(r);
}

static const struct write_ops giving_up_ops = {.run = run_giving_up, .done = done_giving_up};

void job_give_up(struct store_role *s, struct slice message, bool retry, struct slice error, bool crashed)
{
	struct giving_up *g = write_request_new(s->writer, sizeof *g, &giving_up_ops);
	if (!g)
		return; /* found again at the next start */
	g->s = s;
	g->crashed = crashed;
	g->failed = (struct ipc_job_failed){.message = van_arena_slice(g->base.arena, message), .retry = retry,
					    .error = van_arena_slice(g->base.arena, error)};
	writer_submit(&g->base);
}

/* What was linked for a result that did not come to be. */
static void drop_files(struct finishing *f)
{
	for (size_t i = 0; i < f->nfds; i++) {
		const char *name = stays_file(f, i + 1) ? van_arena_printf(f->base.arena, "made-%s-%zu", f->ids.made_name, i + 1).p : NULL;
		if (name)
			payload_remove(writer_payload(f->base.writer), f->result.message, name, NULL);
	}
}

/* Its outputs that go to no mailbox are due now. */
static void wake_deliveries(const struct finishing *f)
{
	struct store_role *s = f->s;
	for (size_t i = 0; i < f->result.outputs.n; i++) {
		struct slice connection = RECORD_AT(f->result.outputs, struct ipc_output, i)->connection;
		pthread_rwlock_rdlock(&s->directory_lock);
		const struct profile_connection *c = connection.p ? directory_connection(s->directory, connection, NULL) : NULL;
		int kind = c ? queue_delivery_kind_of(c) : -1;
		pthread_rwlock_unlock(&s->directory_lock);
		if (kind >= 0)
			deliveries_wake(s, (uint32_t)kind, connection);
	}
}

static void done_result(struct write_request *r)
{
	struct finishing *f = (struct finishing *)r;
	struct store_role *s = f->s;
	bool later = r->rc == VAN_ENOSPC || r->rc == VAN_EIO;
	if (r->rc < 0)
		drop_files(f);
	if (later || r->rc == VAN_EAGAIN)
		jobs_add(s, f->result.message, later ? van_clock_now() + JOB_AGAIN_LATER : 0);
	else if (r->rc < 0 && r->rc != VAN_ENOTFOUND)
		job_give_up(s, f->result.message, false, slice_str(r->err.text[0] ? r->err.text : van_err_name(r->rc)), false);
	else
		log_event(LOG_LEVEL_DEBUG, "job-done", "message", log_slice(f->result.message), "outputs", log_u64(f->result.outputs.n), NULL);
	if (r->rc == 0)
		wake_deliveries(f);
	for (const struct queue_woken *n = r->rc == 0 ? f->woken : NULL; n; n = n->next)
		jobs_add(s, slice_make(n->id.text, VAN_ID_LEN), n->when);
	for (size_t i = 0; i < f->nfds; i++)
		if (f->fds[i] >= 0)
			close(f->fds[i]);
	van_buf_free(&f->body);
	write_request_free(r);
}

static const struct write_ops result_ops = {.prepare = prepare_result, .run = run_result, .done = done_result};

static int read_result(struct finishing *f, struct ipc_message *m)
{
	struct slice body = van_arena_slice(f->base.arena, m->body);
	f->body = VAN_BUF_INIT(RESULT_MAX);
	for (; f->nfds < m->nfds; f->nfds++)
		f->fds[f->nfds] = ipc_take_fd(m, f->nfds);
	if (body.n == 0 && f->nfds) { /* too long for a packet: in the last descriptor */
		int fd = f->fds[--f->nfds];
		int rc = fd_read_file(fd, &f->body);
		close(fd);
		if (rc < 0)
			return rc;
		body = van_buf_slice(&f->body);
	}
	int rc = record_decode(&ipc_job_result_table, body, f->base.arena, &f->result);
	for (size_t i = 0; rc == 0 && i < f->result.outputs.n; i++)
		if (RECORD_AT(f->result.outputs, struct ipc_output, i)->fd_number > f->nfds)
			rc = VAN_EINVAL;
	return rc;
}

static int make_ids(struct finishing *f)
{
	struct van_arena *a = f->base.arena;
	size_t children = f->result.interchanges.n, outputs = f->result.outputs.n;
	size_t asides = 0;
	for (size_t i = 0; i < children; i++)
		asides += RECORD_AT(f->result.interchanges, struct ipc_interchange, i)->asides.n;
	struct van_id *ids = van_arena_array(a, children + outputs + asides + 1, sizeof *ids);
	struct queue_output_file *files = van_arena_array(a, outputs + 1, sizeof *files);
	van_time now = van_clock_now();
	if (!ids || !files)
		return VAN_ENOMEM;
	bool split = children > 1;
	for (size_t i = split ? 0 : children; i < children + outputs + asides; i++)
		ids[i] = van_id_new(now);
	unsigned long long unique = (unsigned long long)now;
	const char *name = van_arena_printf(a, "%llx", unique).p;
	f->ids = (struct queue_job_ids){.children = ids, .outputs = ids + children, .asides = ids + children + outputs, .files = files, .made_name = name};
	return name ? 0 : VAN_ENOMEM;
}

void job_result(struct store_role *s, const struct van_id *job, struct ipc_message *m)
{
	struct finishing *f = write_request_new(s->writer, sizeof *f, &result_ops);
	if (!f) {
		jobs_add(s, slice_make(job->text, VAN_ID_LEN), van_clock_now() + JOB_AGAIN_LATER);
		return;
	}
	f->s = s;
	int rc = read_result(f, m);
	if (rc == 0 && !slice_is(f->result.message, job->text))
		rc = VAN_EINVAL;
	if (rc == 0)
		rc = make_ids(f);
	if (rc == 0) {
		f->base.job = f->base.patient = true;
		f->base.small = !f->nfds && !f->body.n; /* a long one keeps the store busy for a while */
		writer_submit(&f->base);
		return;
	}
	log_event(LOG_LEVEL_ERROR, "result-refused", "message", job->text, "error", van_err_name(rc), NULL);
	job_give_up(s, slice_make(job->text, VAN_ID_LEN), false, SLICE("its result could not be read"), false);
	for (size_t i = 0; i < f->nfds; i++)
		close(f->fds[i]);
	van_buf_free(&f->body);
	write_request_free(&f->base);
}

