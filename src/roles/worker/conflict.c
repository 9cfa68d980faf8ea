/* A Message-ID or a file name that was used before, for another document: the sender gets an error MDN, the original stays untouched. */
#include "as2/receive.h"
#include "base/log.h"
#include "roles/worker/job.h"

#include <stdio.h>

static struct slice artefact_bytes(const struct ipc_as2_accept *a, const char *name)
{
	for (size_t i = 0; i < a->artefacts.n; i++) {
		const struct ipc_artefact *f = RECORD_AT(a->artefacts, struct ipc_artefact, i);
		if (slice_is(f->name, name))
			return f->bytes;
	}
	return SLICE_NONE;
}

static void describe(const struct ipc_as2_accept *a, const struct ipc_job *j, struct as2_received *got)
{
	*got = (struct as2_received){.disposition = (enum as2_disposition)j->disposition, .mic_alg = digest_from_name(a->micalg)};
	snprintf(got->text, sizeof got->text, "%.*s", SLICE_ARG(j->conflict));
	snprintf(got->mic_text, sizeof got->mic_text, "%.*s", SLICE_ARG(a->mdn_facts));
}

static int find_station(struct worker *w, const struct as2_request *q, struct directory_as2 *ret)
{
	struct ipc_lookup l = {.kind = IPC_LOOKUP_AS2, .as2_from = q->from, .as2_to = q->to};
	struct slice record;
	int rc = worker_lookup(w, &l, &record, NULL);
	return rc < 0 ? rc : record_decode(&directory_as2_table, record, w->arena, ret);
}

/* The request's headers, as they were kept. */
static int read_request(struct worker *w, const struct ipc_as2_accept *a, struct as2_request *q, struct van_error *e)
{
	struct mime_headers headers;
	int rc = mime_headers_parse(artefact_bytes(a, "headers"), w->arena, &headers, e);
	return rc < 0 ? rc : as2_request_parse(&headers, w->arena, q, e);
}

/* Only headers and the new MDN are kept: the body that conflicts was never accepted. */
static int send_rejection(struct worker *w, uint64_t request, struct ipc_as2_accept *a, struct worker_answer *answer)
{
	struct artefacts kept = {0};
	int rc = artefact_add_bytes(&kept, w, "headers", artefact_bytes(a, "headers"));
	if (rc == 0 && answer->mdn.p)
		rc = artefact_add_bytes(&kept, w, "mdn", answer->mdn);
	a->outcome = IPC_AS2_OUTCOME_REJECTED;
	a->reply = &answer->http;
	a->mdn_message_id = answer->message_id;
	a->mdn_url = answer->url;
	a->artefacts = (struct record_list){kept.v, kept.n};
	return rc < 0 ? rc : ipc_send(w->dispatch, IPC_AS2_ACCEPT, request, &ipc_as2_accept_table, a, NULL, 0);
}

void worker_conflict(struct worker *w, uint64_t request, const struct ipc_job *j)
{
	struct ipc_as2_accept a;
	struct as2_request q;
	struct as2_received got;
	struct directory_as2 d;
	struct worker_answer answer;
	struct van_error e = {0};
	int rc = record_decode(&ipc_as2_accept_table, j->accept, w->arena, &a);
	if (rc == 0)
		rc = read_request(w, &a, &q, &e);
	if (rc == 0)
		rc = find_station(w, &q, &d);
	if (rc == 0) {
		describe(&a, j, &got);
		a.disposition = slice_str(as2_disposition_text(got.disposition, q.version_minor));
		a.error = slice_str(got.text);
		rc = worker_mdn(w, &q, &got, &d, &answer, &e);
	}
	if (rc == 0)
		rc = send_rejection(w, request, &a, &answer);
	if (rc < 0) {
		struct ipc_job_failed f = {.message = j->message, .error = slice_str(e.text[0] ? e.text : van_err_name(rc))};
		log_event(LOG_LEVEL_ERROR, "conflict-failed", "text", e.text[0] ? e.text : van_err_name(rc), NULL);
		ipc_send(w->dispatch, IPC_JOB_FAILED, request, &ipc_job_failed_table, &f, NULL, 0);
	}
}
