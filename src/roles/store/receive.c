/* IPC_AS2_ACCEPT: a received AS2 message is stored, and its answer goes to http after the commit. IPC_LOOKUP: what workers ask of
 * the directory. */
#include "roles/store/store_role.h"

#include "base/log.h"
#include "base/zone.h"
#include "partner/settings.h"

#include <stdlib.h>
#include <unistd.h>

#define RETRY_AFTER "30"

/* --- accepting ---------------------------------------------------------------------------------------------------------------- */

struct accepting {
	struct write_request base;
	struct store_role *s;
	struct ipc_as2_accept accept;
	uint64_t http_started;
	struct van_id id;
	int fds[IPC_FDS_MAX];
	size_t nfds;
	struct queue_accept_result result;
};

static void send_reply(struct store_role *s, uint64_t http_started, uint64_t request, struct slice reply)
{
	if (!s->http || s->http_started != http_started)
		return; /* who asked is gone: the sender's retry gets the stored answer */
	int rc = ipc_send_raw(s->http, IPC_AS2_REPLY, request, reply, NULL, 0);
	if (rc < 0)
		log_event(LOG_LEVEL_WARNING, "reply-not-sent", "error", van_err_name(rc), NULL);
}

void receive_reply_busy(struct store_role *s, uint64_t http_started, uint64_t request, const char *text)
{
	struct ipc_header retry = {SLICE("Retry-After"), SLICE(RETRY_AFTER)};
	struct ipc_http_reply r = {.status = 503, .headers = {&retry, 1}, .body = slice_str(text)};
	if (s->http && s->http_started == http_started)
		ipc_send(s->http, IPC_AS2_REPLY, request, &ipc_http_reply_table, &r, NULL, 0);
}

static const char *artefact_name(struct accepting *a, size_t fd_number)
{
	for (size_t i = 0; i < a->accept.artefacts.n; i++) {
		const struct ipc_artefact *f = RECORD_AT(a->accept.artefacts, struct ipc_artefact, i);
		if (f->fd_number == fd_number)
			return van_arena_str(a->base.arena, f->name);
	}
	return NULL;
}

static int prepare_accept(struct write_request *r)
{
	struct accepting *a = (struct accepting *)r;
	struct slice id = slice_make(a->id.text, VAN_ID_LEN);
	for (size_t i = 0; i < a->nfds; i++) {
		const char *name = artefact_name(a, i + 1);
		if (!name)
			continue;
		int rc = payload_link(writer_payload(r->writer), a->fds[i], id, name, &r->err);
		if (rc < 0)
			return rc;
		r->files = true;
	}
	return 0;
}

static int run_accept(struct write_request *r, struct queue_work *w)
{
	struct accepting *a = (struct accepting *)r;
	return queue_accept_as2(w, slice_make(a->id.text, VAN_ID_LEN), &a->accept, &a->result);
}

/* Files of a message that was not kept. */
static void remove_files(struct accepting *a)
{
	for (size_t i = 0; i < a->nfds; i++) {
		const char *name = artefact_name(a, i + 1);
		if (name)
			payload_remove(a->s->payload, slice_make(a->id.text, VAN_ID_LEN), name, NULL);
	}
}

static void answer(struct accepting *a)
{
	struct store_role *s = a->s;
	struct van_buf reply = VAN_BUF_INIT(IPC_MESSAGE_MAX);
	if (a->result.outcome == QUEUE_ACCEPT_REPEATED) {
		send_reply(s, a->http_started, a->accept.http_request, a->result.reply);
		return;
	}
	struct ipc_http_reply empty = {.status = 200};
	if (record_encode(&ipc_http_reply_table, a->accept.reply ? a->accept.reply : &empty, &reply) == 0)
		send_reply(s, a->http_started, a->accept.http_request, van_buf_slice(&reply));
	van_buf_free(&reply);
}

static void log_accept(const struct accepting *a)
{
	static const char *const events[] = {"message-accepted", "message-rejected", "message-repeated", "message-conflict", "file-name-used"};
	const struct ipc_as2_accept *in = &a->accept;
	log_event(LOG_LEVEL_INFO, events[a->result.outcome], "message", log_slice(a->result.message), "partner", log_slice(in->partner),
		  "peer", log_slice(in->peer), "as2_message_id", log_slice(in->as2_message_id), "disposition",
		  log_slice(in->disposition), "error", log_slice(in->error), NULL);
}

static void done_accept(struct write_request *r)
{
	struct accepting *a = (struct accepting *)r;
	struct store_role *s = a->s;
	if (r->rc < 0) {
		receive_reply_busy(s, a->http_started, a->accept.http_request, "the message could not be stored; send it again later\n");
		remove_files(a);
	} else if (a->result.outcome == QUEUE_ACCEPT_CONFLICT || a->result.outcome == QUEUE_ACCEPT_NAME_USED) {
		log_accept(a);
		jobs_conflict(s, a->http_started, &a->accept, &a->result);
		remove_files(a);
	} else {
		answer(a);
		log_accept(a);
		if (a->result.outcome == QUEUE_ACCEPT_REPEATED)
			remove_files(a);
		if (a->result.outcome == QUEUE_ACCEPT_NEW)
			jobs_add(s, slice_make(a->id.text, VAN_ID_LEN), 0);
		if (a->accept.mdn_url.p)
			deliveries_wake(s, QUEUE_TO_MDN, a->accept.connection);
	}
	for (size_t i = 0; i < a->nfds; i++)
		if (a->fds[i] >= 0)
			close(a->fds[i]);
	write_request_free(r);
}

static const struct write_ops accept_ops = {.prepare = prepare_accept, .run = run_accept, .done = done_accept};

static bool fds_fit(const struct ipc_as2_accept *a, size_t nfds)
{
	for (size_t i = 0; i < a->artefacts.n; i++)
		if (RECORD_AT(a->artefacts, struct ipc_artefact, i)->fd_number > nfds)
			return false;
	return true;
}

void receive_accept(struct store_role *s, struct peer_worker *from, struct ipc_message *m)
{
	struct accepting *a = write_request_new(s->writer, sizeof *a, &accept_ops);
	struct slice body = a ? van_arena_slice(a->base.arena, m->body) : SLICE_NONE;
	int rc = body.p ? record_decode(&ipc_as2_accept_table, body, a->base.arena, &a->accept) : VAN_ENOMEM;
	if (rc < 0 || !fds_fit(&a->accept, m->nfds)) {
		log_event(LOG_LEVEL_ERROR, "accept-refused", "error", van_err_name(rc < 0 ? rc : VAN_EINVAL), NULL);
		receive_reply_busy(s, s->http_started, m->request, "internal error; send it again\n");
		if (a)
			write_request_free(&a->base);
		return;
	}
	a->s = s;
	a->http_started = jobs_accepting(s, from);
	a->id = van_id_new(van_clock_now());
	if (a->accept.outcome == IPC_AS2_OUTCOME_ACCEPTED && !store_has_room(s)) {
		receive_reply_busy(s, a->http_started, a->accept.http_request, "no room on the disk; send it again later\n");
		log_event(LOG_LEVEL_ERROR, "disk-reserve-reached", NULL);
		write_request_free(&a->base);
		return;
	}
	for (; a->nfds < m->nfds; a->nfds++)
		a->fds[a->nfds] = ipc_take_fd(m, a->nfds);
	writer_submit(&a->base);
	if (from->jobs)
		jobs_dispatch(s);
}

/* --- look-ups ------------------------------------------------------------------------------------------------------------------ */

/* ISA15 and UNB 0035: T is test; I (information) goes the way of production. */
static uint32_t environment_of(struct slice usage)
{
	return slice_is(usage, "T") || slice_is(usage, "1") ? PROFILE_TEST : PROFILE_PRODUCTION;
}

/* Is the acknowledgement about an interchange of our own writing? */
static int lookup_ack(struct store_role *s, const struct ipc_lookup *l, struct van_buf *record)
{
	const struct ipc_ack_seen seen = {
		.env = environment_of(l->usage) == PROFILE_TEST ? SLICE("test") : SLICE("production"), .from = l->from, .to = l->to,
		.group_from = l->group_from, .group_to = l->group_to, .group_code = l->group_code,
		.group_control_number = l->group_control_number, .whole = l->whole,
	};
	struct ipc_verdict v = {0};
	struct store_read r;
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return rc;
	rc = queue_ack_ours(&r.work, &seen, &v.ok);
	store_read_end(s, &r);
	return rc < 0 ? rc : record_encode(&ipc_verdict_table, &v, record);
}

static int lookup(struct store_role *s, const struct ipc_lookup *l, struct van_buf *record, uint64_t *zone_offset)
{
	van_time now = van_clock_now();
	if (l->kind == IPC_LOOKUP_AS2) {
		struct directory_as2 answer;
		int rc = directory_find_as2(s->directory, l->as2_to, l->as2_from, now, s->arena, &answer);
		return rc < 0 ? rc : record_encode(&directory_as2_table, &answer, record);
	}
	if (l->kind == IPC_LOOKUP_DOCUMENT) {
		struct directory_document answer;
		int rc = directory_find_document(s->directory, l->connection, l->file_name, l->content_type, now, s->arena, &answer);
		return rc < 0 ? rc : record_encode(&directory_document_table, &answer, record);
	}
	struct agreement_query q = {.from = l->from, .to = l->to, .type = l->type, .version = l->version,
				    .environment = environment_of(l->usage), .now = now};
	struct directory_route answer;
	int rc = directory_find_route(s->directory, &q, s->arena, &answer, NULL);
	if (rc < 0)
		return rc;
	if (l->connection.p && !directory_may_present(s->directory, l->connection, l->from, now)) {
		answer.outcome = AGREEMENT_UNAUTHORISED;
		answer.reason = van_arena_printf(s->arena,
						 "connection %.*s may not present %.*s: add it to `presents` if it may, then release the message",
						 SLICE_ARG(l->connection), SLICE_ARG(l->from));
	}
	*zone_offset = (uint64_t)(1440 + van_zone_minutes(answer.time_zone.p ? answer.time_zone : s->role->config->time_zone, now));
	return record_encode(&directory_route_table, &answer, record);
}

/* Had another received message this value of a rule? */
static int lookup_seen(struct store_role *s, const struct ipc_lookup *l, struct van_buf *record)
{
	const struct ipc_unique u = {.scope = l->scope, .key = l->key, .window = l->window};
	struct ipc_verdict v = {0};
	struct store_read r;
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return rc;
	rc = queue_seen(&r.work, l->message, &u, &v.error);
	v.ok = rc == 0 && v.error.p;
	if (rc == 0)
		rc = record_encode(&ipc_verdict_table, &v, record);
	store_read_end(s, &r);
	return rc;
}

void receive_lookup(struct store_role *s, struct ipc_channel *to, struct ipc_message *m)
{
	struct van_buf record = VAN_BUF_INIT(IPC_MESSAGE_MAX);
	struct ipc_lookup l;
	uint64_t zone_offset = 1440;
	int rc = record_decode(&ipc_lookup_table, m->body, s->arena, &l);
	if (rc == 0 && l.kind == IPC_LOOKUP_ACK)
		rc = lookup_ack(s, &l, &record);
	if (rc == 0 && l.kind == IPC_LOOKUP_SEEN)
		rc = lookup_seen(s, &l, &record);
	pthread_rwlock_rdlock(&s->directory_lock);
	if (rc == 0 && l.kind != IPC_LOOKUP_ACK && l.kind != IPC_LOOKUP_SEEN)
		rc = lookup(s, &l, &record, &zone_offset);
	struct ipc_lookup_reply reply = {.generation = s->generation, .zone_offset = zone_offset, .record = rc < 0 ? SLICE_NONE : van_buf_slice(&record)};
	rc = ipc_send(to, IPC_LOOKUP_REPLY, m->request, &ipc_lookup_reply_table, &reply, NULL, 0);
	pthread_rwlock_unlock(&s->directory_lock);
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "lookup-failed", "error", van_err_name(rc), NULL);
	van_buf_free(&record);
}
