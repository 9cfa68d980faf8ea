/* IPC_JOB: split, check, route, acknowledge and translate what was received. The result says what the store is to make of
 * it; the store makes it in one transaction. */
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "partner/settings.h"
#include "roles/worker/job.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define RESULT_INLINE_MAX ((size_t)128 * 1024)

/* --- payload ---------------------------------------------------------------------------------------------------------------- */

struct mapping {
	void *base;
	size_t length;
};

static int map_payload(const struct ipc_job *j, int fd, struct slice *ret, struct mapping *ret_map)
{
	*ret_map = (struct mapping){0};
	if (j->payload.p) {
		*ret = j->payload;
		return 0;
	}
	if (fd < 0)
		return VAN_EINVAL;
	if (j->length == 0) {
		*ret = SLICE("");
		return 0;
	}
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), skip = j->offset % page;
	void *p = mmap(NULL, j->length + skip, PROT_READ, MAP_PRIVATE, fd, (off_t)(j->offset - skip));
	if (p == MAP_FAILED)
		return VAN_ENOMEM;
	*ret_map = (struct mapping){p, j->length + skip};
	*ret = slice_make((char *)p + skip, j->length);
	return 0;
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
	ipc_send(w->dispatch, IPC_JOB_FAILED, request, &ipc_job_failed_table, &f, NULL, 0);
}

/* --- process -------------------------------------------------------------------------------------------------------------------- */

static struct slice first_error(const struct edi_report *r)
{
	return r->errors ? r->errors->text : SLICE("the document holds no EDI interchange, and no rule routes other content");
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
		out->error = first_error(j->report);
		return 0;
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

static int process(struct job *j, struct van_error *e)
{
	const struct edi_check_options options = {.max_messages = 0};
	int rc = edi_check_bytes(j->payload, j->worker->dictionaries, &options, j->worker->arena, &j->report, e);
	if (rc == 0 && j->report->truncated)
		rc = van_error_set(e, VAN_ELIMIT, "the document holds more messages than one job takes: send it in several interchanges");
	return rc < 0 ? rc : process_interchanges(j);
}

static void run_process(struct worker *w, uint64_t request, const struct ipc_job *from, int fd)
{
	struct job j = {.worker = w, .from = from};
	struct mapping map;
	struct van_error e = {0};
	j.result.message = from->message;
	spool_open(&j.content, w->spool_folder, 0);
	int rc = map_payload(from, fd, &j.payload, &map);
	if (rc == 0)
		rc = process(&j, &e);
	if (rc == 0)
		rc = send_result(w, request, &j.result, j.content.fd);
	if (rc < 0)
		send_failed(w, request, from->message, rc == VAN_ECLOSED || rc == VAN_ETIMEOUT || rc == VAN_EAGAIN || rc == VAN_ENOSPC,
			    e.text[0] ? e.text : van_err_name(rc));
	job_list_free(&j.outputs);
	job_list_free(&j.acks);
	spool_close(&j.content);
	if (map.base)
		munmap(map.base, map.length);
}

void worker_job(struct worker *w, struct ipc_message *m)
{
	struct ipc_job j;
	int fd = ipc_take_fd(m, 0);
	/* look-ups go over the same channel and would overwrite the message */
	struct slice body = van_arena_slice(w->arena, m->body);
	int rc = body.p ? record_decode(&ipc_job_table, body, w->arena, &j) : VAN_ENOMEM;
	if (rc < 0) {
		send_failed(w, m->request, SLICE_NONE, false, "the job can't be read");
	} else {
		worker_generation(w, j.generation);
		if (j.kind == IPC_JOB_AS2_CONFLICT)
			worker_conflict(w, m->request, &j);
		else
			run_process(w, m->request, &j, fd);
	}
	if (fd >= 0)
		close(fd);
}
