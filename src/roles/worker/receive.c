/* IPC_AS2_RECEIVE: from a spooled POST to IPC_AS2_ACCEPT. Nothing is accepted here: the store does that, and answers the
 * client itself. */
#include "as2/mdn_read.h"
#include "as2/receive.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/record.h"
#include "partner/directory.h"
#include "partner/settings.h"
#include "roles/worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define CHUNK ((size_t)65536)
#define RETRY_SOON "5"

/* One message being received. */
struct receiving {
	struct worker *worker;
	struct ipc_as2_receive facts;
	struct mime_headers headers;
	struct as2_request request;
	struct directory_as2 directory;
	struct as2_received result;
	struct spool entity, payload, attachments;
	int body; /* the spooled body where it is not inline, else -1 */
};

/* --- answers that are not stored ------------------------------------------------------------------------------------------ */

static void reply(struct worker *w, uint64_t request, unsigned status, const char *text)
{
	struct ipc_header retry = {SLICE("Retry-After"), SLICE(RETRY_SOON)};
	struct ipc_http_reply r = {.status = status, .body = van_arena_printf(w->arena, "%s\n", text)};
	if (status == 503)
		r.headers = (struct record_list){&retry, 1};
	ipc_send(w->dispatch, IPC_AS2_REPLY, request, &ipc_http_reply_table, &r, NULL, 0);
}

/* --- profile ------------------------------------------------------------------------------------------------------------- */

static int find_profile(struct receiving *r)
{
	struct ipc_lookup l = {.kind = IPC_LOOKUP_AS2, .as2_from = r->request.from, .as2_to = r->request.to};
	struct slice record;
	int rc = worker_lookup(r->worker, &l, &record, NULL);
	return rc < 0 ? rc : record_decode(&directory_as2_table, record, r->worker->arena, &r->directory);
}

static uint32_t digest_mask(const struct slice_list *names)
{
	uint32_t mask = 0;
	for (size_t i = 0; i < names->n; i++)
		mask |= ALG_BIT(digest_from_name(names->v[i]));
	return mask & ~ALG_BIT(DIGEST_NONE);
}

static uint32_t cipher_mask(const struct slice_list *names)
{
	uint32_t mask = 0;
	for (size_t i = 0; i < names->n; i++)
		mask |= ALG_BIT(cipher_from_name(names->v[i]));
	return mask & ~ALG_BIT(CIPHER_NONE);
}

/* Decoded certificates; one that can't be decoded is left out and logged. */
static size_t load_certs(struct worker *w, const struct slice *der, size_t n, const struct cms_cert **to)
{
	size_t have = 0;
	for (size_t i = 0; i < n && have < PROFILE_CERTIFICATES_MAX; i++) {
		struct van_error e;
		if (cms_cert_cache_get(w->certs, der[i], &to[have], &e) == 0)
			have++;
		else
			log_event(LOG_LEVEL_WARNING, "certificate-unreadable", "text", e.text, NULL);
	}
	return have;
}

/* --- callbacks of the receiver --------------------------------------------------------------------------------------------- */

static int on_unwrap(void *arg, const struct cms_cert *cert, const struct cms_recipient *recipient, unsigned char *key, size_t n)
{
	struct receiving *r = arg;
	return worker_unwrap(r->worker, slice_str(cert->facts.key_id), recipient->wrap, recipient->wrap_params,
			     recipient->encrypted_key, key, n);
}

static int on_payload(void *arg, const void *p, size_t n)
{
	struct receiving *r = arg;
	return spool_write(&r->payload, p, n);
}

static int on_attachment(void *arg, const void *p, size_t n)
{
	struct receiving *r = arg;
	return spool_write(&r->attachments, p, n);
}

static int on_entity(void *arg, const void *p, size_t n)
{
	struct receiving *r = arg;
	return spool_write(&r->entity, p, n);
}

static int on_entity_read(void *arg, uint64_t at, void *p, size_t n)
{
	struct receiving *r = arg;
	return spool_read(&r->entity, at, p, n);
}

/* --- the body ---------------------------------------------------------------------------------------------------------------- */

static int feed_body(struct receiving *r, struct as2_receiver *receiver)
{
	if (r->facts.body.p)
		return as2_receiver_feed(receiver, r->facts.body.p, r->facts.body.n);
	char *chunk = van_arena_alloc(r->worker->arena, CHUNK);
	if (!chunk)
		return VAN_ENOMEM;
	for (uint64_t at = 0; at < r->facts.bytes;) {
		ssize_t n = pread(r->body, chunk, CHUNK, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)van_err_from_errno(errno) : VAN_EIO;
		worker_progress(r->worker);
		int rc = as2_receiver_feed(receiver, chunk, (size_t)n);
		if (rc < 0)
			return rc;
		at += (uint64_t)n;
	}
	return 0;
}

static int read_body(struct receiving *r, struct van_error *e)
{
	const struct cms_cert *decrypt[PROFILE_CERTIFICATES_MAX], *partner[PROFILE_CERTIFICATES_MAX], *authorities[PROFILE_CERTIFICATES_MAX];
	struct slice keys[PROFILE_CERTIFICATES_MAX];
	const struct directory_as2 *d = &r->directory;
	size_t nkeys = d->decrypt.n < PROFILE_CERTIFICATES_MAX ? d->decrypt.n : PROFILE_CERTIFICATES_MAX;
	for (size_t i = 0; i < nkeys; i++)
		keys[i] = RECORD_AT(d->decrypt, struct directory_key, i)->certificate;
	struct cms_trust trust = {.now = van_clock_now(), .expiry = d->check_expiry, .purpose = d->check_purpose, .chain = d->check_chain,
				  .authorities = authorities, .revocation = (enum cms_revocation)d->check_revocation, .crls = r->worker->crls,
				  .nauthorities = load_certs(r->worker, d->authorities.v, d->authorities.n, authorities)};
	struct as2_receiver_config c = {
		.request = &r->request,
		.policy = {.require_signed = d->require_signed,
			   .require_encrypted = d->require_encrypted,
			   .digests = digest_mask(&d->digests),
			   .ciphers = cipher_mask(&d->ciphers),
			   .payload_max = d->max_message == UINT64_MAX ? 0 : d->max_message,
			   .expansion_max = (unsigned)d->max_expansion,
			   .payload_sha256 = true,
			   .refuse_illegal_file_name = d->refuse_illegal_file_name},
		.decrypt_certs = decrypt,
		.ndecrypt_certs = load_certs(r->worker, keys, nkeys, decrypt),
		.partner_certs = partner,
		.npartner_certs = load_certs(r->worker, d->certificates.v, d->certificates.n, partner),
		.trust = trust.expiry || trust.purpose || trust.chain || trust.revocation ? &trust : NULL,
		.arg = r,
		.unwrap = on_unwrap,
		.payload = on_payload,
		.attachment = on_attachment,
		.entity = on_entity,
		.entity_read = on_entity_read,
		.payload_within_entity = true,
	};
	struct as2_receiver *receiver = NULL;
	int rc = as2_receiver_new(&c, &receiver, e);
	if (rc == 0)
		rc = feed_body(r, receiver);
	if (rc == 0)
		rc = as2_receiver_finish(receiver, &r->result, e);
	as2_receiver_free(receiver);
	return rc;
}

/* --- acceptance --------------------------------------------------------------------------------------------------------------- */

static bool is_secret(struct slice name)
{
	return slice_case_is(name, "Authorization") || slice_case_is(name, "Proxy-Authorization") || slice_case_is(name, "Cookie");
}

static struct slice header_text(struct receiving *r)
{
	struct van_buf b = VAN_BUF_INIT(1 << 17);
	for (size_t i = 0; i < r->headers.n; i++) {
		const struct mime_header *h = &r->headers.v[i];
		if (is_secret(h->name))
			continue;
		van_buf_append_slice(&b, h->name);
		van_buf_append_str(&b, ": ");
		van_buf_append_slice(&b, h->value);
		van_buf_append_str(&b, "\r\n");
	}
	struct slice s = van_arena_slice(r->worker->arena, van_buf_slice(&b));
	van_buf_free(&b);
	return s;
}

static int flush_files(struct receiving *r)
{
	int rc = spool_flush_fd(r->body, r->facts.bytes);
	if (rc == 0)
		rc = spool_flush(&r->entity);
	if (rc == 0)
		rc = spool_flush(&r->attachments);
	return rc ? rc : spool_flush(&r->payload);
}

/* What came besides the payload: all of it as one part, each as a stretch of it, and a list that says what they are. */
static int collect_attachments(struct receiving *r, struct artefacts *a)
{
	struct worker *w = r->worker;
	const struct as2_received *got = &r->result;
	struct van_buf list = VAN_BUF_INIT(65536);
	uint64_t at = 0;
	int rc = artefact_add_spool(a, w, "attachments", &r->attachments);
	for (unsigned i = 0; i < got->nattachments && rc == 0; i++) {
		const struct as2_attachment *f = &got->attachments[i];
		struct slice name = van_arena_printf(w->arena, "attachment-%u", i + 1);
		if (!name.p)
			rc = VAN_ENOMEM;
		else
			artefact_add_within(a, name.p, "attachments", at, f->bytes, slice_make(f->sha256, sizeof f->sha256));
		at += f->bytes;
		van_buf_printf(&list, "%s{\"part\":\"attachment-%u\",\"file_name\":", i ? "," : "[", i + 1);
		json_put_text(&list, f->file_name[0] ? slice_str(f->file_name) : SLICE_NONE);
		van_buf_append_str(&list, ",\"content_type\":");
		json_put_text(&list, f->content_type[0] ? slice_str(f->content_type) : SLICE_NONE);
		van_buf_printf(&list, ",\"bytes\":%llu}", (unsigned long long)f->bytes);
	}
	van_buf_append_str(&list, "]");
	if (rc == 0)
		rc = list.error;
	struct slice text = rc == 0 ? van_arena_slice(w->arena, van_buf_slice(&list)) : SLICE_NONE;
	van_buf_free(&list);
	return rc == 0 ? artefact_add_bytes(a, w, "attachment-list", text) : rc;
}

/* Headers, body as it came, signed entity, payload (within it where it stands there unchanged), MDN. */
static int collect(struct receiving *r, struct slice mdn, struct artefacts *a)
{
	struct worker *w = r->worker;
	bool accepted = as2_disposition_ok(r->result.disposition), known = r->directory.match == DIRECTORY_FOUND;
	int rc = artefact_add_bytes(a, w, "headers", header_text(r));
	if (rc == 0)
		rc = flush_files(r);
	/* Strangers don't get to fill the disk: of their messages the headers are kept. */
	if (rc == 0 && known) {
		if (r->facts.body.p)
			rc = artefact_add_bytes(a, w, "raw", r->facts.body);
		else
			rc = artefact_add_fd(a, w, "raw", r->body, r->facts.bytes);
	}
	if (rc == 0 && accepted && r->entity.bytes)
		rc = artefact_add_spool(a, w, "signed", &r->entity);
	if (rc == 0 && accepted) {
		struct slice hash = slice_make(r->result.payload_sha256, sizeof r->result.payload_sha256);
		if (r->entity.bytes && r->result.payload_offset != AS2_NO_OFFSET) {
			artefact_add_within(a, "payload", "signed", r->result.payload_offset, r->result.payload_size, hash);
		} else {
			rc = artefact_add_spool(a, w, "payload", &r->payload);
			a->v[a->n - 1].sha256 = hash;
		}
	}
	if (rc == 0 && accepted && r->result.nattachments)
		rc = collect_attachments(r, a);
	if (rc == 0 && mdn.p)
		rc = artefact_add_bytes(a, w, "mdn", mdn);
	return rc;
}

static void describe(struct receiving *r, struct ipc_as2_accept *to)
{
	const struct as2_received *got = &r->result;
	const struct directory_as2 *d = &r->directory;
	bool accepted = as2_disposition_ok(got->disposition);
	to->outcome = accepted ? IPC_AS2_OUTCOME_ACCEPTED : IPC_AS2_OUTCOME_REJECTED;
	to->received = r->facts.received;
	to->peer = r->facts.peer;
	to->station = d->station;
	to->partner = d->partner;
	to->connection = d->connection;
	to->partner_version = d->version;
	to->as2_from = r->request.from;
	to->as2_to = r->request.to;
	to->as2_message_id = r->request.message_id;
	if (got->mic_alg != DIGEST_NONE) {
		to->micalg = slice_str(digest_micalg(got->mic_alg));
		struct slice text = slice_str(got->mic_text);
		to->mic = van_arena_slice(r->worker->arena, slice_trim(slice_cut(&text, ',')));
	}
	to->disposition = slice_str(as2_disposition_text(got->disposition, r->request.version_minor));
	to->error = accepted ? SLICE_NONE : slice_str(got->text);
	to->file_name = got->file_name[0] ? slice_str(got->file_name) : SLICE_NONE;
	to->content_type = got->content_type[0] ? slice_str(got->content_type) : SLICE_NONE;
	to->signer_sha256 = got->signer_sha256[0] ? slice_str(got->signer_sha256) : SLICE_NONE;
	to->mdn_facts = slice_str(got->mic_text);
	to->unique_file_name = d->refuse_duplicate_file_name && got->file_name[0];
}

static int hand_over(struct receiving *r, uint64_t request, struct van_error *e)
{
	struct worker *w = r->worker;
	struct ipc_as2_accept accept = {.http_request = request};
	struct worker_answer answer;
	struct artefacts artefacts = {0};
	int rc = worker_mdn(w, &r->request, &r->result, &r->directory, &answer, e);
	if (rc == 0)
		rc = collect(r, answer.mdn, &artefacts);
	if (rc < 0)
		return rc;
	describe(r, &accept);
	accept.reply = &answer.http;
	accept.mdn_message_id = answer.message_id;
	accept.mdn_url = answer.url;
	accept.artefacts = (struct record_list){artefacts.v, artefacts.n};
	van_fault_point("worker-before-accept");
	rc = w->store ? ipc_send(w->store, IPC_AS2_ACCEPT, request, &ipc_as2_accept_table, &accept, artefacts.fds, artefacts.nfds)
		      : VAN_ECLOSED;
	van_fault_point("worker-after-accept");
	return rc;
}

/* --- one message ---------------------------------------------------------------------------------------------------------------- */

/* Refused because of the way it came: answered at once, nothing is kept. */
static bool admitted(struct receiving *r, uint64_t request)
{
	struct worker_post p = {&r->facts, &r->headers, &r->request, &r->directory};
	struct ipc_http_reply answer;
	if (worker_admit(r->worker, &p, &answer))
		return true;
	ipc_send(r->worker->dispatch, IPC_AS2_REPLY, request, &ipc_http_reply_table, &answer, NULL, 0);
	return false;
}

/* 0: the store has it; 1: answered here; or negative. */
static int process(struct receiving *r, uint64_t request, struct van_error *e)
{
	int rc = find_profile(r);
	if (rc < 0)
		return rc;
	if (r->directory.match != DIRECTORY_FOUND || !r->directory.enabled)
		as2_received_unknown(&r->request, &r->result);
	else if (!admitted(r, request))
		return 1;
	else if (r->directory.strict_message_id && !as2_message_id_proper(r->request.message_id))
		as2_received_bad_message_id(&r->result);
	else
		rc = read_body(r, e);
	return rc < 0 ? rc : hand_over(r, request, e);
}

int worker_mime_headers(struct worker *w, const struct record_list *headers, struct mime_headers *ret)
{
	struct mime_header *v = van_arena_array(w->arena, headers->n + 1, sizeof *v);
	for (size_t i = 0; v && i < headers->n; i++) {
		const struct ipc_header *h = RECORD_AT(*headers, struct ipc_header, i);
		v[i] = (struct mime_header){h->name, h->value};
	}
	*ret = (struct mime_headers){v, v ? headers->n : 0};
	return v ? 0 : VAN_ENOMEM;
}

/* A signed MDN is told from a document by what it holds. Only where it may be one is that worth a look: it does not ask for an MDN
 * itself, or comes to where we asked for it. */
static bool worth_a_look(const struct receiving *r)
{
	const struct as2_request *q = &r->request;
	return q->is_mdn || (q->maybe_mdn && (!q->mdn_wanted || slice_ends(r->facts.path, "/mdn")));
}

/* A posted MDN goes to the store, which knows what it is for; another worker looks at it. True: it was one, and somebody else
 * answers. */
static bool hand_over_mdn(struct receiving *r, uint64_t request)
{
	struct worker *w = r->worker;
	struct van_buf read = VAN_BUF_INIT(AS2_MDN_SIZE_MAX);
	struct as2_mdn mdn;
	struct van_error e = {0};
	if (!worth_a_look(r) || r->facts.bytes > AS2_MDN_SIZE_MAX)
		return false;
	struct slice body = r->facts.body;
	int rc = body.p ? 0 : fd_read_file(r->body, &read);
	if (rc == 0 && !body.p)
		body = van_buf_slice(&read);
	if (rc == 0)
		rc = as2_mdn_parse(&r->headers, body, w->arena, &mdn, &e);
	if (rc == 0) {
		struct ipc_mdn_posted p = {.http_request = request, .peer = r->facts.peer, .as2_from = r->request.from, .as2_to = r->request.to,
					   .original_message_id = mdn.original_message_id, .headers = r->facts.headers, .body = r->facts.body};
		rc = w->store ? ipc_send(w->store, IPC_MDN_POSTED, request, &ipc_mdn_posted_table, &p, &r->body, !p.body.p) : VAN_ECLOSED;
		if (rc == 0)
			ipc_send(w->dispatch, IPC_AS2_HANDED, request, NULL, NULL, NULL, 0);
		else
			reply(w, request, 503, "the MDN could not be taken now; send it again");
	} else if (r->request.is_mdn) {
		log_event(LOG_LEVEL_WARNING, "mdn-unreadable", "peer", log_slice(r->facts.peer), "text", e.text, NULL);
		reply(w, request, 400, e.text[0] ? e.text : "the MDN can't be read");
		rc = 0;
	}
	van_buf_free(&read);
	return rc == 0 || rc == VAN_ECLOSED;
}

static void receive(struct receiving *r, uint64_t request)
{
	struct worker *w = r->worker;
	struct van_error e = {0};
	worker_mime_headers(w, &r->facts.headers, &r->headers);
	if (as2_request_parse(&r->headers, w->arena, &r->request, &e) < 0) {
		log_event(LOG_LEVEL_INFO, "as2-refused", "peer", log_slice(r->facts.peer), "text", e.text, NULL);
		reply(w, request, 400, e.text);
		return;
	}
	if (hand_over_mdn(r, request))
		return;
	if (as2_request_named(&r->request, &e) < 0) {
		reply(w, request, 400, e.text);
		return;
	}
	int rc = process(r, request, &e);
	if (rc < 0) {
		log_event(LOG_LEVEL_ERROR, "as2-receive-failed", "peer", log_slice(r->facts.peer), "error", van_err_name(rc), "text",
			  e.text[0] ? e.text : NULL, NULL);
		reply(w, request, 503, "the message could not be taken now; send it again");
		return;
	}
	if (rc == 0)
		ipc_send(w->dispatch, IPC_AS2_HANDED, request, NULL, NULL, NULL, 0);
}

void worker_receive(struct worker *w, struct ipc_message *m)
{
	struct receiving r = {.worker = w, .body = ipc_take_fd(m, 0)};
	spool_open(&r.entity, w->spool_folder, 0);
	spool_open(&r.payload, w->spool_folder, 0);
	spool_open(&r.attachments, w->spool_folder, 0);
	worker_progress(w);
	int rc = record_decode(&ipc_as2_receive_table, m->body, w->arena, &r.facts);
	if (rc < 0 || (r.body < 0 && !r.facts.body.p))
		reply(w, m->request, 503, "internal error; send it again");
	else
		receive(&r, m->request);
	alarm(0);
	spool_close(&r.entity);
	spool_close(&r.payload);
	spool_close(&r.attachments);
	if (r.body >= 0)
		close(r.body);
}
