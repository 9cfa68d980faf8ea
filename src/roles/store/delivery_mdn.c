/* MDNs for what we sent: the answer to a try, or posted to us later. A worker looks at both in the same way. */
#include "roles/store/deliveries.h"

#include "base/fdio.h"
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

#define CONNECTION_MAX ((size_t)96 * 1024)

/* --- the question ------------------------------------------------------------------------------------------------------------ */

static int fill_connection(struct store_read *r, struct outgoing *o, struct slice connection, struct slice *ret)
{
	struct van_buf record = VAN_BUF_INIT(CONNECTION_MAX);
	struct directory_as2 d;
	int rc = directory_as2_connection(r->work.directory, connection, r->work.now, o->arena, &d);
	if (rc == VAN_ENOTFOUND || (rc == 0 && (!d.send || d.match != DIRECTORY_FOUND)))
		return van_error_set(&r->work.err, VAN_ESTATE, "connection %.*s is not there any more, or nothing is sent over it", SLICE_ARG(connection));
	if (rc == 0 && !d.enabled && o->phase == OUTGOING_PACKAGE)
		return van_error_set(&r->work.err, VAN_ESTATE, "partner %.*s or its connection %.*s is disabled", SLICE_ARG(d.partner),
				     SLICE_ARG(connection));
	if (rc == 0)
		rc = record_encode(&directory_as2_table, &d, &record);
	*ret = rc == 0 ? van_arena_slice(o->arena, van_buf_slice(&record)) : SLICE_NONE;
	van_buf_free(&record);
	return rc < 0 ? rc : ret->p ? 0 : VAN_ENOMEM;
}

/* What came beside the document, where it goes on with it. */
static int fill_attachments(struct store_read *r, struct outgoing *o, struct slice message, struct ipc_package *ret, int *ret_fd)
{
	struct queue_content list, all;
	int rc = queue_part_open(&r->work, message, SLICE("attachment-list"), &list);
	if (rc == VAN_ENOTFOUND)
		return 0;
	if (rc == 0 && list.fd >= 0) { /* it is short */
		close(list.fd);
		rc = VAN_EINVAL;
	}
	if (rc == 0)
		rc = queue_part_open(&r->work, message, SLICE("attachments"), &all);
	if (rc < 0)
		return rc;
	ret->attachment_list = van_arena_slice(o->arena, list.bytes);
	ret->attachments_offset = all.offset;
	if (all.fd < 0 && all.bytes.n > IPC_INLINE_MAX / 8) {
		all.fd = memfd_with("attachments", all.bytes.p, all.bytes.n);
		if (all.fd < 0)
			return all.fd;
	} else if (all.fd < 0) {
		ret->attachments = all.bytes.n ? all.bytes : SLICE("");
	}
	*ret_fd = all.fd;
	return ret->attachment_list.p ? 0 : VAN_ENOMEM;
}

int outgoing_fill_package(struct store_read *r, struct outgoing *o, struct ipc_package *ret, int ret_fds[2])
{
	struct queue_message m;
	struct queue_content content = {.fd = -1};
	struct slice host = o->s->role->config->network.host;
	*ret = (struct ipc_package){.message = slice_str(o->id.text)};
	int rc = queue_message_get(&r->work, ret->message, &m);
	if (rc == 0)
		rc = fill_connection(r, o, m.connection, &ret->connection);
	if (rc == 0)
		rc = queue_part_open(&r->work, m.id, SLICE("payload"), &content);
	if (rc < 0)
		return rc;
	/* The same Message-ID for every try: made of the stored message's id, kept with the first try. */
	o->as2_message_id = m.as2_message_id.p ? van_arena_slice(o->arena, m.as2_message_id)
					       : van_arena_printf(o->arena, "<%s@%.*s>", o->id.text, SLICE_ARG(host));
	ret->as2_message_id = o->as2_message_id;
	ret->file_name = m.file_name;
	ret->content_type = m.content_type;
	ret->standard = m.standard;
	ret->offset = content.offset;
	ret->length = content.length;
	if (content.fd < 0 && content.bytes.n > IPC_INLINE_MAX) {
		content.fd = memfd_with("payload", content.bytes.p, content.bytes.n);
		if (content.fd < 0)
			return content.fd;
	} else if (content.fd < 0) {
		ret->payload = content.bytes;
	}
	ret_fds[0] = content.fd;
	return fill_attachments(r, o, m.id, ret, &ret_fds[1]);
}

static int fill_check(struct store_read *r, struct outgoing *o, struct ipc_package *p, struct ipc_mdn_check *ret, int ret_fds[2])
{
	struct queue_message m;
	struct queue_content headers;
	struct queue_delivery d;
	int rc = outgoing_fill_package(r, o, p, ret_fds);
	if (rc == 0)
		rc = queue_message_get(&r->work, p->message, &m);
	if (rc < 0)
		return rc;
	*ret = (struct ipc_mdn_check){.package = p, .headers = o->answer_headers, .posted = !o->lane, .mic = m.mic, .micalg = m.micalg};
	struct slice name = SLICE_NONE;
	if (queue_part_newest(&r->work, m.id, SLICE("signed-headers"), &name) == 0 && queue_part_open(&r->work, m.id, name, &headers) == 0 &&
	    headers.fd < 0)
		ret->entity_headers = headers.bytes;
	if (queue_delivery_get(&r->work, m.id, &d) == 0)
		ret->compress = d.compress;
	return 0;
}

bool outgoing_give_check(struct outgoing *o, struct peer_worker *w)
{
	struct store_read r;
	struct ipc_package p;
	struct ipc_mdn_check c;
	int fds[3], from[2] = {-1, -1}, body = -1, rc = store_read_begin(o->s, o->arena, &r);
	size_t n = 0;
	if (rc == 0) {
		rc = fill_check(&r, o, &p, &c, from);
		for (size_t i = 0; i < 2; i++)
			if (from[i] >= 0)
				fds[n++] = from[i];
		if (rc == 0 && o->answer.n > IPC_INLINE_MAX) {
			body = memfd_with("mdn", o->answer.p, o->answer.n);
			rc = body < 0 ? body : 0;
			fds[n++] = body;
		} else if (rc == 0) {
			c.body = van_buf_slice(&o->answer);
		}
		if (rc == 0) {
			w->task = WORKER_DELIVERY;
			w->work = o;
			o->with_worker = true;
			rc = ipc_send(w->channel, IPC_MDN_CHECK, ++w->request, &ipc_mdn_check_table, &c, fds, n);
		}
		store_read_end(o->s, &r);
	}
	for (size_t i = 0; i < 2; i++)
		if (from[i] >= 0)
			close(from[i]);
	if (body >= 0)
		close(body);
	if (rc == 0)
		return true;
	w->task = WORKER_IDLE;
	w->work = NULL;
	if (o->lane) {
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "its MDN could not be looked at: %s", van_err_name(rc));
	} else {
		outgoing_answer_post(o, 503, "");
		outgoing_free(o);
	}
	return false;
}

/* --- the answer --------------------------------------------------------------------------------------------------------------- */

struct slice outgoing_mdn(struct outgoing *o)
{
	struct van_buf b = VAN_BUF_INIT((size_t)2 << 20);
	for (size_t i = 0; i < o->answer_headers.n; i++) {
		const struct ipc_header *h = RECORD_AT(o->answer_headers, struct ipc_header, i);
		van_buf_printf(&b, "%.*s: %.*s\r\n", SLICE_ARG(h->name), SLICE_ARG(h->value));
	}
	van_buf_append_str(&b, "\r\n");
	van_buf_append_slice(&b, van_buf_slice(&o->answer));
	struct slice s = b.error ? SLICE_NONE : van_arena_slice(o->arena, van_buf_slice(&b));
	van_buf_free(&b);
	return s;
}

/* A posted MDN that proves nothing changes nothing: whoever sent it is told, so that a partner whose certificate is not known
 * here yet may send it again. */
static void post_unverified(struct outgoing *o, struct slice text)
{
	log_event(LOG_LEVEL_WARNING, "mdn-unverified", "message", o->id.text, "text", log_slice(text), NULL);
	outgoing_answer_post(o, 403, "the MDN could not be verified\n");
	outgoing_free(o);
}

void outgoing_checked(struct outgoing *o, struct ipc_message *m)
{
	struct ipc_mdn_checked c;
	struct slice record = van_arena_slice(o->arena, m->body);
	int rc = record.p ? record_decode(&ipc_mdn_checked_table, record, o->arena, &c) : VAN_ENOMEM;
	struct queue_outcome w = {.kind = QUEUE_OUTCOME_FAILED};
	if (rc < 0) {
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "the verdict on its MDN could not be read");
		return;
	}
	if (c.verdict == IPC_MDN_UNVERIFIED && !o->lane) {
		post_unverified(o, c.text);
		return;
	}
	if (c.verdict == IPC_MDN_UNVERIFIED && (o->status < 200 || o->status >= 300)) {
		outgoing_refused(o);
		return;
	}
	if (c.verdict == IPC_MDN_POSITIVE)
		w.kind = QUEUE_OUTCOME_DELIVERED;
	else if (c.verdict == IPC_MDN_UNVERIFIED)
		w.kind = QUEUE_OUTCOME_RETRY;
	w.text = c.text;
	if (c.verdict != IPC_MDN_UNVERIFIED) {
		w.mdn = outgoing_mdn(o);
		w.disposition = c.disposition;
		w.signer_sha256 = c.signer_sha256;
	}
	outgoing_end(o, &w);
}

/* --- posted ---------------------------------------------------------------------------------------------------------------------- */

static void answer(struct store_role *s, uint64_t http_started, uint64_t request, unsigned status, const char *text)
{
	struct ipc_header retry = {SLICE("Retry-After"), SLICE("5")};
	struct ipc_http_reply r = {.status = status, .body = slice_str(text)};
	if (status == 503)
		r.headers = (struct record_list){&retry, 1};
	if (s->http && s->http_started == http_started)
		ipc_send(s->http, IPC_AS2_REPLY, request, &ipc_http_reply_table, &r, NULL, 0);
}

void outgoing_answer_post(struct outgoing *o, unsigned status, const char *text)
{
	answer(o->s, o->http_started, o->http_request, status, text);
}

static int find_original(struct store_role *s, const struct ipc_mdn_posted *p, struct van_id *ret)
{
	struct store_read r;
	struct queue_message m;
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return rc;
	rc = queue_delivery_of_mdn(&r.work, p->original_message_id, p->as2_from, p->as2_to, &m);
	if (rc == 0)
		memcpy(ret->text, m.id.p, VAN_ID_LEN);
	store_read_end(s, &r);
	return rc;
}

static int take_post(struct outgoing *o, struct ipc_message *m)
{
	struct ipc_mdn_posted p;
	struct slice record = van_arena_slice(o->arena, m->body);
	int fd = ipc_take_fd(m, 0);
	int rc = record.p ? record_decode(&ipc_mdn_posted_table, record, o->arena, &p) : VAN_ENOMEM;
	if (rc == 0)
		o->answer_headers = p.headers;
	if (rc == 0)
		rc = p.body.p ? van_buf_append_slice(&o->answer, p.body) : fd >= 0 ? fd_read_file(fd, &o->answer) : VAN_EINVAL;
	if (fd >= 0)
		close(fd);
	return rc;
}

void deliveries_mdn_posted(struct store_role *s, struct ipc_message *m)
{
	struct ipc_mdn_posted p;
	struct van_id id = {{0}};
	int rc = record_decode(&ipc_mdn_posted_table, m->body, s->arena, &p);
	if (rc == 0)
		rc = find_original(s, &p, &id);
	if (rc == VAN_ENOTFOUND) {
		log_event(LOG_LEVEL_WARNING, "mdn-unmatched", "peer", log_slice(p.peer), "as2_message_id", log_slice(p.original_message_id), NULL);
		answer(s, s->http_started, m->request, 404, "no message with this Original-Message-ID was sent to you from here\n");
		return;
	}
	struct outgoing *o = rc == 0 ? outgoing_new(s, NULL, slice_str(id.text), QUEUE_TO_AS2) : NULL;
	if (!o) {
		answer(s, s->http_started, m->request, 503, "send it again later\n");
		return;
	}
	o->http_started = s->http_started;
	o->http_request = m->request;
	rc = take_post(o, m);
	if (rc < 0) {
		outgoing_answer_post(o, 503, "send it again later\n");
		outgoing_free(o);
		return;
	}
	outgoing_task(o, OUTGOING_CHECK);
}
