#include "queue/send.h"

#include "queue/attachment.h"
#include "queue/delivery.h"
#include "queue/internal.h"

/* A mailbox at once, any other connection by a delivery; the message must not be stored yet. */
static int deliver(struct queue_work *w, struct queue_message *m)
{
	const struct profile_connection *c = w->directory ? directory_connection(w->directory, m->connection, NULL) : NULL;
	int kind = c ? queue_delivery_kind_of(c) : -1;
	if (c && c->protocol == PROFILE_SFTP_MAILBOX) {
		const char *dot = m->file_name.p ? memrchr(m->file_name.p, '.', m->file_name.n) : NULL;
		size_t n = dot ? (size_t)(m->file_name.p + m->file_name.n - dot - 1) : 0;
		m->protocol = SLICE("sftp");
		m->delivery = QUEUE_DELIVERY_AVAILABLE;
		return queue_mailbox_deliver(w, c, m, n && n <= 8 ? slice_make(dot + 1, n) : SLICE("edi"));
	}
	if (kind < 0)
		return van_error_set(&w->err, VAN_ESTATE, "nothing can be sent over connection %.*s: add \"send\" to its profile",
				     SLICE_ARG(m->connection));
	m->protocol = slice_str(queue_delivery_kind_names[kind]);
	if (kind == QUEUE_TO_SFTP && !m->file_name.n && queue_mailbox_name(w, c->push->file_name, m, SLICE("edi")) < 0)
		return VAN_ENOMEM;
	m->delivery = QUEUE_DELIVERY_QUEUED;
	return queue_delivery_new(w, m, (enum queue_delivery_kind)kind);
}

static int put_search(struct queue_work *w, const struct queue_message *m)
{
	int rc = queue_search_put(w, m->file_name, m->id);
	return rc == 0 ? queue_search_put(w, m->sha256, m->id) : rc;
}

/* Can anything be sent that way? Asked before anything is written. */
static int check_connection(struct queue_work *w, struct slice connection)
{
	const struct profile_connection *c = w->directory ? directory_connection(w->directory, connection, NULL) : NULL;
	if (!c)
		return van_error_set(&w->err, VAN_ESTATE, "connection %.*s is not there any more: send the file anew", SLICE_ARG(connection));
	if (c->protocol != PROFILE_SFTP_MAILBOX && queue_delivery_kind_of(c) < 0)
		return van_error_set(&w->err, VAN_ESTATE, "nothing can be sent over connection %.*s: add \"send\" to its profile",
				     SLICE_ARG(connection));
	return 0;
}

int queue_send(struct queue_work *w, const struct queue_send *s)
{
	struct queue_message m = {.id = s->id, .time = w->now, .direction = QUEUE_OUT, .state = QUEUE_PROCESSED, .partner = s->partner,
				  .connection = s->connection, .station = s->station, .file_name = s->file_name,
				  .content_type = s->content_type, .bytes = s->bytes.p ? s->bytes.n : s->length, .made_as = SLICE("sent")};
	struct queue_part p = {.kind = s->bytes.p ? QUEUE_PART_INLINE : QUEUE_PART_FILE, .name = SLICE("payload"), .bytes = m.bytes,
			       .content = s->bytes, .sha256 = s->sha256};
	struct receipt_artefact artefact;
	struct receipt_hash h;
	size_t n = 0;
	int rc = check_connection(w, s->connection);
	if (rc < 0)
		return rc;
	if (s->bytes.p) {
		h = receipt_sha256(s->bytes.p, s->bytes.n);
		p.sha256 = slice_make(h.b, sizeof h.b);
		receipt_artefact_of(&artefact, "payload", s->bytes);
		n = 1;
	} else {
		n = queue_artefact(&artefact, SLICE("payload"), s->length, s->salt, s->salted_sha256);
	}
	m.sha256 = queue_sha256_hex(w, p.sha256);
	rc = queue_part_put(w, m.id, &p);
	if (rc == 0)
		rc = deliver(w, &m);
	if (rc == 0)
		rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = put_search(w, &m);
	struct slice text = van_arena_printf(w->arena, "sent by %.*s over %.*s", SLICE_ARG(s->actor), SLICE_ARG(s->connection));
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_QUEUED, &m, text, s->actor, &artefact, n);
}

/* --- again ----------------------------------------------------------------------------------------------------------------- */

/* The document of another message and what came beside it, without a copy. */
static int borrow_content(struct queue_work *w, const struct queue_message *from, struct slice to)
{
	int rc = queue_part_borrow(w, from->id, SLICE("payload"), to);
	return rc < 0 ? rc : queue_attachments_lend(w, from->id, to);
}

static int link_both(struct queue_work *w, const struct queue_message *original, const struct queue_message *made, enum receipt_event event,
		     const char *verb, struct slice actor)
{
	struct slice there = van_arena_printf(w->arena, "%s as message %.*s", verb, SLICE_ARG(made->id));
	struct slice here = van_arena_printf(w->arena, "message %.*s %s", SLICE_ARG(original->id), verb);
	int rc = queue_trail_receipt(w, event, made, here, actor, NULL, 0);
	return rc < 0 ? rc : queue_trail_event(w, original->id, receipt_event_name(event), there);
}

int queue_resend(struct queue_work *w, struct slice id, struct slice new_id, struct slice actor)
{
	struct queue_message old, m;
	int rc = queue_message_get(w, id, &old);
	if (rc == 0 && old.direction != QUEUE_OUT)
		rc = van_error_set(&w->err, VAN_ESTATE, "message %.*s was received, not sent: see vanctl message reprocess", SLICE_ARG(id));
	if (rc == 0 && !old.connection.p)
		rc = van_error_set(&w->err, VAN_ESTATE, "message %.*s never had a connection to its receiver: add one, then vanctl queue release", SLICE_ARG(id));
	if (rc == 0)
		rc = check_connection(w, old.connection);
	if (rc < 0)
		return rc;
	m = old;
	m.id = new_id;
	m.time = w->now;
	m.resend_of = old.id;
	m.as2_message_id = m.as2_from = m.as2_to = m.mic = m.micalg = m.disposition = m.mdn_message_id = m.signer_sha256 = SLICE_NONE;
	m.error = SLICE_NONE;
	m.collected = m.taken = 0;
	m.downloads = 0;
	rc = borrow_content(w, &old, new_id);
	if (rc == 0)
		rc = deliver(w, &m);
	if (rc == 0)
		rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = put_search(w, &m);
	if (rc == 0)
		rc = queue_search_put(w, m.control_number, m.id);
	return rc < 0 ? rc : link_both(w, &old, &m, RECEIPT_RESENT, "sent again", actor);
}

static bool waits(const struct queue_message *m)
{
	return m->state == QUEUE_HELD || m->state == QUEUE_DUPLICATE || m->state == QUEUE_UNROUTABLE || m->state == QUEUE_QUARANTINED;
}

/* What waited for a decision has one: else somebody might release it, too. */
static int settle(struct queue_work *w, const struct queue_message *waiting)
{
	struct queue_message m = *waiting;
	m.state = QUEUE_PROCESSED;
	m.set_aside = false;
	m.error = SLICE_NONE;
	return queue_message_put(w, waiting, &m);
}

int queue_reprocess(struct queue_work *w, struct slice id, struct slice new_id, struct slice actor)
{
	struct queue_message old;
	int rc = queue_message_get(w, id, &old);
	if (rc == 0 && old.direction == QUEUE_OUT && old.parent.p) /* what it was made of */
		rc = queue_message_get(w, old.parent, &old);
	if (rc < 0)
		return rc;
	if (old.direction != QUEUE_IN)
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s was made of no other: see vanctl message resend", SLICE_ARG(id));
	if (old.state == QUEUE_RECEIVED)
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s is being processed just now", SLICE_ARG(old.id));
	if (!queue_message_verified(&old))
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s was refused (%.*s): ask the sender to send it again",
				     SLICE_ARG(old.id), SLICE_ARG(old.disposition));
	struct queue_message m = {
		.id = new_id, .time = w->now, .direction = QUEUE_IN, .state = QUEUE_RECEIVED, .protocol = old.protocol, .partner = old.partner,
		.connection = old.connection, .station = old.station, .peer = old.peer, .file_name = old.file_name,
		.content_type = old.content_type, .bytes = old.bytes, .sha256 = old.sha256, .reprocess_of = old.id,
		.only = old.only, .documents = old.documents, .division = old.division,
	};
	bool acknowledged = old.state == QUEUE_PROCESSED || old.state == QUEUE_REJECTED || old.set_aside;
	struct queue_job job = {.accept_duplicate = true, .answered = acknowledged};
	rc = borrow_content(w, &old, new_id);
	if (rc == 0)
		rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = put_search(w, &m);
	if (rc == 0)
		rc = queue_job_put(w, new_id, &job);
	if (rc == 0 && waits(&old))
		rc = settle(w, &old);
	return rc < 0 ? rc : link_both(w, &old, &m, RECEIPT_REPROCESSED, "processed again", actor);
}
