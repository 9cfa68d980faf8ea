/* IPC_JOB: split, check, route, acknowledge and translate what was received. The result says what the store is to make of
 * it; the store makes it in one transaction. */
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "map/cem.h"
#include "partner/settings.h"
#include "roles/worker/interchange.h"

#include <stdlib.h>
#include <unistd.h>

#define RESULT_INLINE_MAX ((size_t)128 * 1024)

#define STRETCH_LEAST ((size_t)256 << 20) /* also what is not translated is read: in another form, in another envelope, from a batch */

static size_t stretch_max(const struct van_config_translation *bounds)
{
	size_t n = bounds->message > bounds->file ? bounds->message : bounds->file;
	return n > STRETCH_LEAST ? n : STRETCH_LEAST;
}

/* --- payload ---------------------------------------------------------------------------------------------------------------- */

static int find_payload(struct job *j, int fd)
{
	const struct ipc_job *from = j->from;
	uint64_t size = 0;
	j->payload.bytes = from->payload;
	j->payload.fd = fd;
	j->payload.offset = from->offset;
	j->payload.length = from->payload.p ? from->payload.n : from->length;
	if (from->payload.p)
		return 0;
	int rc = fd < 0 ? VAN_EINVAL : fd_size(fd, &size);
	if (rc == 0 && (from->offset > size || from->length > size - from->offset))
		rc = VAN_EIO;
	return rc;
}

int job_payload_bytes(struct job *j, uint64_t offset, uint64_t length, struct slice *ret)
{
	if (offset > j->payload.length || length > j->payload.length - offset)
		return VAN_EINVAL;
	if (j->payload.bytes.p) {
		*ret = slice_make(j->payload.bytes.p + offset, length);
		return 0;
	}
	van_buf_reset(&j->stretch);
	char *to = van_buf_reserve(&j->stretch, length);
	int rc = to ? fd_pread_all(j->payload.fd, to, length, (off_t)(j->payload.offset + offset)) : j->stretch.error;
	if (rc == 0)
		*ret = slice_make(to, length);
	return rc;
}

/* Checked in one pass in bounded memory, whatever its size. */
static int check(struct job *j, struct van_error *e)
{
	const struct edi_check_options options = {.policy_for = job_policy, .policy_ctx = j};
	struct worker *w = j->worker;
	uint64_t size;
	if (j->payload.bytes.p)
		return edi_check_bytes(j->payload.bytes, w->dictionaries, &options, w->arena, &j->report, e);
	int rc = fd_size(j->payload.fd, &size);
	if (rc == 0 && j->payload.offset + j->payload.length == size && lseek(j->payload.fd, (off_t)j->payload.offset, SEEK_SET) >= 0)
		return edi_check_fd(j->payload.fd, w->dictionaries, &options, w->arena, &j->report, e);
	/* a stretch with something behind it: rare, and read whole */
	struct slice all;
	if (rc == 0)
		rc = job_payload_bytes(j, 0, j->payload.length, &all);
	return rc < 0 ? rc : edi_check_bytes(all, w->dictionaries, &options, w->arena, &j->report, e);
}

/* --- sending ----------------------------------------------------------------------------------------------------------------- */

/* A result that is too long for one packet travels as a memory file, its last descriptor, with an empty body. */
static int send_result(struct worker *w, uint64_t request, const struct ipc_job_result *r, int content)
{
	struct van_buf body = VAN_BUF_INIT((size_t)1 << 30);
	int fds[2], rc = record_encode(&ipc_job_result_table, r, &body);
	size_t n = 0;
	if (content >= 0)
		fds[n++] = content;
	van_fault_point("worker-before-result");
	if (rc == 0 && body.n <= RESULT_INLINE_MAX) {
		rc = ipc_send_raw(w->dispatch, IPC_JOB_RESULT, request, van_buf_slice(&body), fds, n);
	} else if (rc == 0) {
		int fd = memfd_with("result", body.p, body.n);
		if (fd >= 0)
			fds[n++] = fd;
		rc = fd < 0 ? fd : ipc_send_raw(w->dispatch, IPC_JOB_RESULT, request, SLICE(""), fds, n);
		if (fd >= 0)
			close(fd);
	}
	van_buf_free(&body);
	return rc;
}

static void send_failed(struct worker *w, uint64_t request, struct slice message, bool retry, const char *text)
{
	struct ipc_job_failed f = {.message = message, .retry = retry, .error = slice_str(text)};
	log_event(LOG_LEVEL_ERROR, "job-failed", "message", log_slice(message), "text", text, NULL);
	int rc = ipc_send(w->dispatch, IPC_JOB_FAILED, request, &ipc_job_failed_table, &f, NULL, 0);
	if (rc < 0 && rc != VAN_ECLOSED)
		_exit(1); /* answers come in the order of the jobs: none may be left out */
}

/* --- process -------------------------------------------------------------------------------------------------------------------- */

static struct slice first_error(struct job *j)
{
	struct slice why = j->report->errors ? j->report->errors->text : SLICE("the document holds no EDI interchange");
	return van_arena_printf(j->worker->arena, "%.*s. Files that are no EDI go by \"documents\" of their connection%s%.*s; add what this one is, and "
		"reprocess it", SLICE_ARG(why), j->from->connection.p ? " " : "", SLICE_ARG(j->from->connection));
}

static int process_interchanges(struct job *j)
{
	struct ipc_job_result *out = &j->result;
	size_t n = 0;
	for (const struct edi_interchange *i = j->report->interchanges; i; i = i->next)
		n++;
	if (n == 0) {
		bool edi = j->report->errors && j->report->bytes;
		out->state = edi ? SLICE("rejected") : SLICE("held");
		out->error = first_error(j);
		return out->error.p ? 0 : VAN_ENOMEM;
	}
	struct ipc_interchange *v = van_arena_array(j->worker->arena, n, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	out->interchanges = (struct record_list){v, n};
	out->standard = slice_str(edi_standard_name(j->report->interchanges->standard));
	n = 0;
	for (const struct edi_interchange *i = j->report->interchanges; i; i = i->next, n++) {
		int rc = job_interchange(j, i, n, &v[n]);
		if (rc < 0)
			return rc;
	}
	out->outputs = job_list_take(&j->outputs);
	out->acks = job_list_take(&j->acks);
	return 0;
}

/* A partner's new certificates wait for a person; its answer about ours needs nobody. */
static int process_exchange(struct job *j, struct van_error *e)
{
	struct van_arena *arena = j->worker->arena;
	struct ipc_job_result *out = &j->result;
	struct cem *c = van_arena_alloc(arena, sizeof *c);
	struct slice xml;
	unsigned accepted = 0;
	int rc = !c ? VAN_ENOMEM : j->payload.length > CEM_BYTES_MAX ? VAN_ESYNTAX : job_payload_bytes(j, 0, j->payload.length, &xml);
	if (rc == 0)
		rc = cem_parse(xml, arena, c, e);
	if (rc == VAN_ESYNTAX || rc == VAN_ELIMIT) {
		out->state = SLICE("rejected");
		out->error = van_arena_slice(arena, slice_str(e->text[0] ? e->text : "the certificate exchange is too long"));
		return out->error.p ? 0 : VAN_ENOMEM;
	}
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < c->n; i++)
		accepted += c->items[i].accepted;
	out->type = c->response ? SLICE("CEM-RESPONSE") : SLICE("CEM-REQUEST");
	out->reference = c->request_id;
	out->state = c->response && accepted == c->n ? SLICE("processed") : SLICE("held");
	if (!c->response)
		out->error = van_arena_printf(arena, "certificate exchange %.*s: the partner has new certificates; vanctl cert exchange ID shows them",
					      SLICE_ARG(c->request_id));
	else
		out->error = van_arena_printf(arena, "certificate exchange %.*s: the partner accepts %u of our %zu certificates%s%.*s", SLICE_ARG(c->request_id),
					      accepted, c->n, c->items[0].reason.n ? ": " : "", SLICE_ARG(c->items[0].reason));
	return out->error.p ? 0 : VAN_ENOMEM;
}

static int process(struct job *j, struct van_error *e)
{
	if (slice_is(j->from->content_type, CEM_CONTENT_TYPE))
		return process_exchange(j, e);
	bool plain;
	int rc = job_plain_find(j, &plain);
	if (rc < 0 || plain)
		return rc < 0 ? rc : job_plain(j);
	rc = check(j, e);
	if (rc == 0 && j->report->truncated)
		rc = van_error_set(e, VAN_ELIMIT, "the document holds more messages than one job takes: send it in several interchanges");
	return rc < 0 ? rc : process_interchanges(j);
}

static int batch(struct job *j, struct van_error *e)
{
	struct slice all;
	int rc = job_payload_bytes(j, 0, j->payload.length, &all);
	return rc < 0 ? rc : job_batch(j, all, e);
}

/* The same document, judged again: our own errors of what was not translated are told with their places. */
static int answer(struct job *j, int fd, struct van_error *e)
{
	int rc = check(j, e);
	if (rc == 0 && !j->report->interchanges)
		rc = van_error_set(e, VAN_EINVAL, "what was acknowledged cannot be read any more");
	return rc < 0 ? rc : job_answer(j, fd);
}

static int do_kind(struct job *j, const int fds[2], struct van_error *e)
{
	switch ((enum ipc_job_kind)j->from->kind) {
	case IPC_JOB_BATCH: return batch(j, e);
	case IPC_JOB_ANSWER: return answer(j, j->from->payload.p ? fds[0] : fds[1], e);
	default: return process(j, e);
	}
}

static void run_process(struct worker *w, uint64_t request, const struct ipc_job *from, const int fds[2])
{
	struct job j = {.worker = w, .from = from};
	struct van_error e = {0};
	j.result.message = from->message;
	spool_open(&j.content, w->spool_folder, 0);
	j.stretch = VAN_BUF_INIT(stretch_max(worker_bounds(w)));
	int rc = worker_maps(w, from->maps);
	if (rc == 0)
		rc = find_payload(&j, fds[0]);
	if (rc == 0)
		rc = do_kind(&j, fds, &e);
	if (rc == 0)
		rc = send_result(w, request, &j.result, j.content.fd);
	if (rc < 0)
		send_failed(w, request, from->message, rc == VAN_ECLOSED || rc == VAN_ETIMEOUT || rc == VAN_EAGAIN || rc == VAN_ENOSPC,
			    e.text[0] ? e.text : van_err_name(rc));
	job_plain_free(&j);
	job_list_free(&j.outputs);
	job_list_free(&j.acks);
	spool_close(&j.content);
	van_buf_free(&j.stretch);
}

static void run(struct worker *w, uint64_t request, const struct ipc_job *j, const int fds[2])
{
	worker_progress(w);
	worker_generation(w, j->generation);
	if (j->kind == IPC_JOB_AS2_CONFLICT)
		worker_conflict(w, request, j);
	else
		run_process(w, request, j, fds);
}

void worker_job(struct worker *w, struct ipc_message *m)
{
	struct ipc_job_list list;
	int fds[2] = {ipc_take_fd(m, 0), m->nfds > 1 ? ipc_take_fd(m, 1) : -1};
	/* The list outlives the memory of each of its jobs; and look-ups go over the same channel, and would overwrite the message. */
	van_arena_reset(w->list_arena);
	struct slice body = van_arena_slice(w->list_arena, m->body);
	int rc = body.p ? record_decode(&ipc_job_list_table, body, w->list_arena, &list) : VAN_ENOMEM;
	if (rc < 0) {
		log_event(LOG_LEVEL_ERROR, "jobs-unreadable", "error", van_err_name(rc), NULL);
		_exit(1); /* the store gives them to another */
	}
	for (size_t i = 0; i < list.jobs.n; i++) {
		van_arena_reset(w->arena);
		run(w, m->request, RECORD_AT(list.jobs, struct ipc_job, i), fds);
	}
	/* A job that never ends ends its worker; the second time its message is quarantined. */
	alarm(0);
	for (size_t i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
