#include "queue/accept.h"
#include "queue/internal.h"

#define ARTEFACTS_MAX 24
#define HEADERS_MAX 24 /* of an MDN */

/* The message as it is stored, before anybody has looked into its payload. */
static struct queue_message message_of(struct queue_work *w, struct slice id, const struct ipc_as2_accept *a)
{
	bool accepted = a->outcome == IPC_AS2_OUTCOME_ACCEPTED;
	return (struct queue_message){
		.id = id, .time = a->received ? a->received : w->now, .direction = QUEUE_IN,
		.state = accepted ? QUEUE_RECEIVED : QUEUE_REJECTED, .protocol = SLICE("as2"),
		.partner = a->partner, .connection = a->connection, .station = a->station, .peer = a->peer,
		.partner_version = a->partner_version, .as2_from = a->as2_from, .as2_to = a->as2_to,
		.as2_message_id = a->as2_message_id, .mic = a->mic, .micalg = a->micalg, .disposition = a->disposition,
		.error = accepted ? SLICE_NONE : a->error, .file_name = a->file_name, .content_type = a->content_type,
		.signer_sha256 = a->signer_sha256, .mdn_message_id = a->mdn_message_id, .mdn_facts = a->mdn_facts,
	};
}

static int check_artefacts(struct queue_work *w, const struct ipc_as2_accept *a)
{
	if (a->artefacts.n > ARTEFACTS_MAX)
		return van_error_set(&w->err, VAN_EINVAL, "more than %d artefacts", ARTEFACTS_MAX);
	for (size_t i = 0; i < a->artefacts.n; i++) {
		const struct ipc_artefact *f = RECORD_AT(a->artefacts, struct ipc_artefact, i);
		if (!queue_part_name_ok(f->name) || (f->within.p && !queue_part_name_ok(f->within)))
			return van_error_set(&w->err, VAN_EINVAL, "an artefact's name is not allowed");
		for (size_t j = 0; j < i; j++)
			if (slice_eq(f->name, RECORD_AT(a->artefacts, struct ipc_artefact, j)->name))
				return van_error_set(&w->err, VAN_EINVAL, "two artefacts have the same name");
	}
	return 0;
}

static struct queue_part part_of(const struct ipc_artefact *f)
{
	struct queue_part p = {.name = f->name, .bytes = f->length, .sha256 = f->sha256};
	if (f->within.p) {
		p.kind = QUEUE_PART_STRETCH;
		p.within = f->within;
		p.offset = f->offset;
	} else if (f->fd_number) {
		p.kind = QUEUE_PART_FILE;
	} else {
		p.content = f->bytes.p ? f->bytes : SLICE("");
		p.bytes = p.content.n;
	}
	return p;
}

/* Bytes of an artefact that stands in the request itself, also as a stretch of another. Absent otherwise. */
static struct slice artefact_bytes(const struct ipc_as2_accept *a, const struct ipc_artefact *f)
{
	uint64_t offset = 0, length = f->within.p ? f->length : f->bytes.n;
	for (size_t depth = 0; f && f->within.p; depth++) {
		const struct ipc_artefact *outer = NULL;
		for (size_t i = 0; i < a->artefacts.n && depth < ARTEFACTS_MAX; i++)
			if (slice_eq(f->within, RECORD_AT(a->artefacts, struct ipc_artefact, i)->name))
				outer = RECORD_AT(a->artefacts, struct ipc_artefact, i);
		offset += f->offset;
		f = outer;
	}
	if (!f || !f->bytes.p || offset > f->bytes.n || length > f->bytes.n - offset)
		return SLICE_NONE;
	return slice_make(f->bytes.p + offset, length);
}

static bool receipt_artefact_for(const struct ipc_as2_accept *a, const struct ipc_artefact *f, struct receipt_artefact *ret)
{
	if (queue_artefact(ret, f->name, f->within.p || f->fd_number ? f->length : f->bytes.n, f->salt, f->salted_sha256))
		return true;
	struct slice bytes = artefact_bytes(a, f);
	if (!bytes.p)
		return false;
	receipt_artefact_of(ret, "", bytes);
	ret->name = f->name;
	return true;
}

/* The answer is kept for repeats. Its body stands in the part "mdn" already, at that part's end: not kept twice. */
static int put_reply(struct queue_work *w, struct slice id, const struct ipc_as2_accept *a)
{
	struct ipc_http_reply reply = a->reply ? *a->reply : (struct ipc_http_reply){.status = 200};
	struct queue_part p = {.kind = QUEUE_PART_INLINE, .name = SLICE("reply")};
	struct van_buf bytes = VAN_BUF_INIT((size_t)1 << 20);
	for (size_t i = 0; i < a->artefacts.n; i++) {
		const struct ipc_artefact *f = RECORD_AT(a->artefacts, struct ipc_artefact, i);
		struct slice mdn = slice_is(f->name, "mdn") ? f->bytes : SLICE_NONE;
		if (reply.body.n && mdn.n >= reply.body.n &&
		    memcmp(mdn.p + mdn.n - reply.body.n, reply.body.p, reply.body.n) == 0) {
			p.within = SLICE("mdn");
			p.offset = mdn.n - reply.body.n;
			reply.body = SLICE_NONE;
		}
	}
	int rc = record_encode(&ipc_http_reply_table, &reply, &bytes);
	p.content = van_buf_slice(&bytes);
	p.bytes = bytes.n;
	if (rc == 0)
		rc = queue_part_put(w, id, &p);
	van_buf_free(&bytes);
	return rc;
}

static int encode_reply(struct queue_work *w, const struct ipc_http_reply *reply, struct slice *ret)
{
	van_buf_reset(&w->scratch);
	int rc = record_encode(&ipc_http_reply_table, reply, &w->scratch);
	if (rc < 0)
		return rc;
	*ret = van_arena_slice(w->arena, van_buf_slice(&w->scratch));
	return ret->p ? 0 : VAN_ENOMEM;
}

/* The stored answer, whole again. */
static int get_reply(struct queue_work *w, struct slice id, struct slice *ret)
{
	struct queue_part p;
	struct queue_content head, mdn;
	struct ipc_http_reply reply;
	int rc = queue_part_get(w, id, SLICE("reply"), &p);
	if (rc == 0)
		rc = queue_part_open(w, id, SLICE("reply"), &head);
	if (rc < 0)
		return rc;
	if (!p.within.p) {
		*ret = head.bytes;
		return 0;
	}
	rc = record_decode(&ipc_http_reply_table, head.bytes, w->arena, &reply);
	if (rc == 0)
		rc = queue_part_open(w, id, p.within, &mdn);
	if (rc < 0)
		return rc;
	if (p.offset > mdn.bytes.n)
		return van_error_set(&w->err, VAN_EINTERNAL, "the stored answer of %.*s is damaged", SLICE_ARG(id));
	reply.body = slice_make(mdn.bytes.p + p.offset, mdn.bytes.n - p.offset);
	return encode_reply(w, &reply, ret);
}

/* The MDN that went out by itself, as the answer to a repeat that asks for it on the same connection. */
static int mdn_as_reply(struct queue_work *w, struct slice id, struct slice *ret)
{
	struct queue_content mdn;
	struct ipc_header headers[HEADERS_MAX];
	struct ipc_http_reply reply = {.status = 200, .headers = {headers, 0}};
	int rc = queue_part_open(w, id, SLICE("mdn"), &mdn);
	if (rc < 0)
		return rc;
	reply.body = mdn.bytes;
	while (reply.body.p) {
		struct slice value = slice_cut(&reply.body, '\n'), name;
		if (!slice_trim(value).n)
			break;
		name = slice_cut(&value, ':');
		if (reply.headers.n < HEADERS_MAX)
			headers[reply.headers.n++] = (struct ipc_header){slice_trim(name), slice_trim(value)};
	}
	return reply.body.p ? encode_reply(w, &reply, ret) : van_error_set(&w->err, VAN_EINTERNAL, "the stored MDN is damaged");
}

static const struct ipc_artefact *artefact(const struct ipc_as2_accept *a, const char *name)
{
	for (size_t i = 0; i < a->artefacts.n; i++) {
		const struct ipc_artefact *f = RECORD_AT(a->artefacts, struct ipc_artefact, i);
		if (slice_is(f->name, name))
			return f;
	}
	return NULL;
}

static const struct ipc_artefact *new_mdn(const struct ipc_as2_accept *a)
{
	const struct ipc_artefact *f = artefact(a, "mdn");
	return f && f->bytes.p ? f : NULL;
}

/* The same answer once more, the way that the repeat asks for; where none was asked for at first, the repeat's. */
static int reply_again(struct queue_work *w, struct slice id, const struct ipc_as2_accept *a, struct slice *ret)
{
	struct ipc_http_reply stored;
	struct queue_part p;
	int rc = new_mdn(a) ? queue_part_get(w, id, SLICE("mdn"), &p) : 0;
	if (rc == VAN_ENOTFOUND) {
		p = part_of(new_mdn(a));
		rc = queue_part_put(w, id, &p);
		return rc < 0 ? rc : encode_reply(w, a->reply, ret);
	}
	if (rc == 0)
		rc = get_reply(w, id, ret);
	if (rc == 0)
		rc = record_decode(&ipc_http_reply_table, *ret, w->arena, &stored);
	if (rc < 0 || !new_mdn(a) || (!a->mdn_url.p && stored.body.n))
		return rc;
	return a->mdn_url.p ? encode_reply(w, a->reply, ret) : mdn_as_reply(w, id, ret);
}

/* SHA-256 of the payload, raw; absent when it is not known here. */
static struct slice payload_sha256(struct queue_work *w, const struct ipc_as2_accept *a, const struct ipc_artefact *f)
{
	struct slice bytes = f->sha256.n == RECEIPT_HASH ? SLICE_NONE : artefact_bytes(a, f);
	if (!bytes.p)
		return f->sha256;
	struct receipt_hash h = receipt_sha256(bytes.p, bytes.n);
	return van_arena_slice(w->arena, slice_make(h.b, sizeof h.b));
}

static int put_parts(struct queue_work *w, const struct ipc_as2_accept *a, struct queue_message *m)
{
	for (size_t i = 0; i < a->artefacts.n; i++) {
		const struct ipc_artefact *f = RECORD_AT(a->artefacts, struct ipc_artefact, i);
		struct queue_part p = part_of(f);
		if (slice_is(f->name, "payload")) {
			p.sha256 = payload_sha256(w, a, f);
			m->bytes = p.bytes;
			m->sha256 = queue_sha256_hex(w, p.sha256);
		} else if (slice_is(f->name, "raw") && !m->bytes) {
			m->bytes = p.bytes;
		}
		int rc = queue_part_put(w, m->id, &p);
		if (rc < 0)
			return rc;
	}
	return put_reply(w, m->id, a);
}

static int put_receipts(struct queue_work *w, const struct ipc_as2_accept *a, const struct queue_message *m)
{
	struct receipt_artefact in[ARTEFACTS_MAX], mdn[1];
	size_t n = 0, nmdn = 0;
	for (size_t i = 0; i < a->artefacts.n; i++) {
		const struct ipc_artefact *f = RECORD_AT(a->artefacts, struct ipc_artefact, i);
		if (slice_is(f->name, "mdn"))
			nmdn += receipt_artefact_for(a, f, &mdn[0]);
		else
			n += receipt_artefact_for(a, f, &in[n]);
	}
	bool accepted = a->outcome == IPC_AS2_OUTCOME_ACCEPTED;
	int rc = queue_trail_receipt(w, accepted ? RECEIPT_RECEIVED : RECEIPT_REJECTED, m,
				     accepted ? SLICE("received over AS2") : m->error, SLICE_NONE, in, n);
	if (rc < 0 || (!nmdn && !a->mdn_message_id.p))
		return rc;
	return queue_trail_receipt(w, RECEIPT_MDN_ISSUED, m, a->disposition, SLICE_NONE, mdn, nmdn);
}

/* The entry of an accepted message's Message-ID is the duplicate index too: a failed one never blocks its retry. */
static int put_search(struct queue_work *w, const struct queue_message *m)
{
	int rc = m->state == QUEUE_RECEIVED ? queue_accepted_put(w, m->as2_message_id, m->id)
					    : queue_search_put(w, m->as2_message_id, m->id);
	if (rc == 0)
		rc = queue_search_put(w, m->file_name, m->id);
	return rc == 0 ? queue_search_put(w, m->sha256, m->id) : rc;
}

static int accept_new(struct queue_work *w, struct slice id, const struct ipc_as2_accept *a)
{
	struct queue_message m = message_of(w, id, a);
	int rc = put_parts(w, a, &m);
	if (rc == 0)
		rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = put_search(w, &m);
	if (rc == 0)
		rc = put_receipts(w, a, &m);
	if (rc == 0 && a->mdn_url.p)
		rc = queue_delivery_mdn(w, &m, a->mdn_url);
	if (rc < 0 || m.state != QUEUE_RECEIVED)
		return rc;
	struct queue_job job = {0};
	return queue_job_put(w, id, &job);
}

/* --- the same again --- */

struct search {
	const struct ipc_as2_accept *a;
	van_time since; /* what is older has been forgotten */
	struct queue_message *found; /* the newest */
	bool any;
};

/* Byte for byte: <0123> and <123> are two messages, though both are found by the number. */
static int same_name(void *arg, const struct queue_message *m)
{
	struct search *s = arg;
	if (m->time <= s->since || !slice_eq(m->as2_message_id, s->a->as2_message_id) || !slice_eq(m->as2_from, s->a->as2_from) ||
	    !slice_eq(m->as2_to, s->a->as2_to))
		return 0;
	if (!s->any || m->time > s->found->time)
		*s->found = *m;
	s->any = true;
	return 0;
}

/* Senders encrypt anew for every try: MICs are compared, not ciphertexts. A sender that asks for another digest by now, or signs with
 * another, has another MIC of the same document: then the documents are compared. */
static bool same_content(struct queue_work *w, const struct queue_message *m, const struct ipc_as2_accept *a)
{
	const struct ipc_artefact *payload = artefact(a, "payload");
	if (slice_case_eq(m->micalg, a->micalg))
		return slice_eq(m->mic, a->mic);
	return payload && m->sha256.n && !artefact(a, "attachments") &&
	       slice_eq(m->sha256, queue_sha256_hex(w, payload_sha256(w, a, payload)));
}

static int repeat(struct queue_work *w, const struct queue_message *m, const struct ipc_as2_accept *a,
		  struct queue_accept_result *ret)
{
	struct slice reply;
	if (!same_content(w, m, a)) {
		*ret = (struct queue_accept_result){.outcome = QUEUE_ACCEPT_CONFLICT, .message = m->id};
		return 0;
	}
	int rc = reply_again(w, m->id, a, &reply);
	if (rc == 0)
		rc = queue_trail_receipt(w, RECEIPT_MDN_ISSUED, m, SLICE("sent again: the message was repeated"), SLICE_NONE, NULL, 0);
	if (rc == 0 && a->mdn_url.p)
		rc = queue_delivery_mdn(w, m, a->mdn_url);
	if (rc == 0)
		*ret = (struct queue_accept_result){.outcome = QUEUE_ACCEPT_REPEATED, .message = m->id, .reply = reply};
	return rc;
}

struct same_file {
	const struct ipc_as2_accept *accept;
	char id[VAN_ID_LEN + 1];
};

static int find_name(void *arg, const struct queue_message *m)
{
	struct same_file *s = arg;
	if (!slice_eq(m->file_name, s->accept->file_name) || !slice_is(m->disposition, "processed") || m->id.n != VAN_ID_LEN)
		return 0;
	memcpy(s->id, m->id.p, VAN_ID_LEN);
	return 1;
}

/* The accepted message of this connection that had the same file name, VAN_ENOTFOUND when there is none. */
static int name_used(struct queue_work *w, const struct ipc_as2_accept *a, struct slice *ret_message)
{
	struct queue_filter f = QUEUE_FILTER_ANY;
	struct same_file s = {.accept = a};
	f.search = a->file_name;
	f.connection = a->connection;
	f.direction = QUEUE_IN;
	f.limit = UINT64_MAX;
	int rc = queue_message_list(w, &f, find_name, &s);
	if (rc != 1)
		return rc < 0 ? rc : VAN_ENOTFOUND;
	*ret_message = van_arena_slice(w->arena, slice_make(s.id, VAN_ID_LEN));
	return ret_message->p ? 0 : VAN_ENOMEM;
}

int queue_accept_as2(struct queue_work *w, struct slice id, const struct ipc_as2_accept *a, struct queue_accept_result *ret)
{
	struct queue_message m;
	struct search search = {a, w->q->as2_window ? w->now - w->q->as2_window : INT64_MIN, &m, false};
	bool accepted = a->outcome == IPC_AS2_OUTCOME_ACCEPTED;
	int rc = check_artefacts(w, a);
	if (rc == 0 && accepted && a->as2_message_id.n)
		rc = queue_accepted_each(w, a->as2_message_id, same_name, &search);
	if (rc < 0)
		return rc;
	if (search.any)
		return repeat(w, &m, a, ret);
	if (accepted && a->unique_file_name) {
		struct slice other;
		rc = name_used(w, a, &other);
		if (rc == 0)
			*ret = (struct queue_accept_result){.outcome = QUEUE_ACCEPT_NAME_USED, .message = other};
		if (rc != VAN_ENOTFOUND)
			return rc;
	}
	rc = accept_new(w, id, a);
	if (rc == 0)
		*ret = (struct queue_accept_result){.outcome = accepted ? QUEUE_ACCEPT_NEW : QUEUE_ACCEPT_REJECTED, .message = id};
	return rc;
}
