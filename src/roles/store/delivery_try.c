/* One try: packaged by a worker, written down, sent by deliver, its end written down. */
#include "roles/store/deliveries.h"

#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "queue/package.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define ERROR_BODY_MAX 200

/* --- ending it --------------------------------------------------------------------------------------------------------------- */

struct ending {
	struct write_request base;
	struct outgoing *o;
	struct queue_outcome outcome;
	uint32_t state;
	bool package; /* there was one, and nobody needs it any more */
};

static int run_end(struct write_request *r, struct queue_work *w)
{
	struct ending *e = (struct ending *)r;
	struct slice id = slice_str(e->o->id.text);
	int rc = queue_delivery_end(w, id, &e->outcome, &e->state);
	bool over = e->state == QUEUE_DELIVERY_DELIVERED || e->state == QUEUE_DELIVERY_FAILED || e->state == QUEUE_DELIVERY_EXPIRED;
	return rc == 0 && over ? queue_package_forget(w, id, &e->package) : rc;
}

static void done_end(struct write_request *r)
{
	struct ending *e = (struct ending *)r;
	struct outgoing *o = e->o;
	bool quiet = r->rc == VAN_ENOTFOUND || r->rc == VAN_ESTATE;
	if (r->rc == 0)
		log_event(e->state == QUEUE_DELIVERY_FAILED || e->state == QUEUE_DELIVERY_EXPIRED ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
			  "delivery", "message", o->id.text, "state", queue_delivery_state_names[e->state], "text",
			  log_slice(e->outcome.text), NULL);
	if (r->rc == 0 && e->package)
		payload_remove(o->s->payload, slice_str(o->id.text), QUEUE_PACKAGE_PART, NULL);
	if (r->rc < 0 && !quiet) /* it stays `trying`, and is tried again */
		log_event(LOG_LEVEL_ERROR, "delivery-not-written", "message", o->id.text, "error", van_err_name(r->rc), NULL);
	if (o->http_request)
		outgoing_answer_post(o, r->rc == 0 || quiet ? 200 : 503, "");
	write_request_free(r);
	outgoing_free(o);
}

static const struct write_ops end_ops = {.run = run_end, .done = done_end};

void outgoing_end(struct outgoing *o, const struct queue_outcome *outcome)
{
	struct ending *e = write_request_new(o->s->writer, sizeof *e, &end_ops);
	o->phase = OUTGOING_END;
	if (!e) {
		if (o->http_request)
			outgoing_answer_post(o, 503, "");
		outgoing_free(o);
		return;
	}
	e->o = o;
	e->outcome = *outcome;
	e->base.patient = !o->http_request;
	writer_submit(&e->base);
}

void outgoing_end_text(struct outgoing *o, enum queue_outcome_kind kind, const char *fmt, ...)
{
	struct van_buf text = VAN_BUF_INIT(4096);
	va_list ap;
	va_start(ap, fmt);
	van_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	struct queue_outcome outcome = {.kind = kind, .text = van_arena_slice(o->arena, van_buf_slice(&text))};
	van_buf_free(&text);
	outgoing_end(o, &outcome);
}

/* --- sending ------------------------------------------------------------------------------------------------------------------ */

/* How this connection is reached, by today's profile. */
static int fill_transport(struct store_read *r, struct outgoing *o, struct ipc_deliver *to)
{
	struct directory_as2 d;
	int rc = directory_as2_connection(r->work.directory, slice_str(o->lane->connection), r->work.now, o->arena, &d);
	to->check_name = true;
	to->answer_timeout = 60 * (uint64_t)VAN_SECOND;
	if (rc < 0 || !d.send) /* an MDN for a connection that only receives */
		return o->kind == QUEUE_TO_MDN ? 0 : VAN_ENOTFOUND;
	const struct directory_send *s = d.send;
	to->url = s->url; /* of an MDN: fill_mdn() puts its own */
	if (o->kind == QUEUE_TO_AS2) {
		to->answer_timeout = s->mdn == PROFILE_MDN_SYNC ? s->mdn_timeout : to->answer_timeout;
	}
	to->chunked = s->chunked && o->kind == QUEUE_TO_AS2;
	to->expect_continue = s->expect_continue && o->kind == QUEUE_TO_AS2;
	to->redirects = s->redirects;
	to->proxy = s->proxy;
	to->user = s->user;
	to->password_file = s->password_file;
	to->trust = s->trust;
	to->check_name = s->check_name;
	to->client_certificate = s->client_certificate;
	to->client_key_file = s->client_key_file;
	return 0;
}

/* "Name: value" lines up to the empty one, then the body. */
static int split_entity(struct outgoing *o, struct slice entity, struct ipc_deliver *to)
{
	struct ipc_header *v = van_arena_array(o->arena, 64, sizeof *v);
	size_t n = 0;
	struct slice rest = entity;
	while (v && rest.p && n < 64) {
		struct slice value = slice_cut(&rest, '\n');
		if (!slice_trim(value).n)
			break;
		struct slice name = slice_cut(&value, ':');
		v[n++] = (struct ipc_header){slice_trim(name), slice_trim(value)};
	}
	to->headers = (struct record_list){v, n};
	to->body = rest.p ? rest : SLICE("");
	return v ? 0 : VAN_ENOMEM;
}

static int fill_mdn(struct store_read *r, struct outgoing *o, struct ipc_deliver *to)
{
	struct queue_delivery d;
	struct queue_content mdn;
	int rc = queue_delivery_get(&r->work, slice_str(o->id.text), &d);
	if (rc == 0)
		rc = queue_part_open(&r->work, d.message, SLICE("mdn"), &mdn);
	if (rc < 0)
		return rc;
	if (mdn.fd >= 0) { /* MDNs are small: this is none */
		close(mdn.fd);
		return VAN_EINVAL;
	}
	/* whoever posts a message names this address: it gets no password in clear that is kept for https */
	if (slice_starts(to->url, "https:") && !slice_starts(d.url, "https:"))
		to->user = to->password_file = SLICE_NONE;
	to->url = d.url;
	return split_entity(o, mdn.bytes, to);
}

static int fill_deliver(struct outgoing *o, struct ipc_deliver *to)
{
	struct store_read r;
	*to = (struct ipc_deliver){.kind = o->kind, .delivery = slice_str(o->id.text)};
	int rc = store_read_begin(o->s, o->arena, &r);
	if (rc < 0)
		return rc;
	rc = o->kind == QUEUE_TO_SFTP ? outgoing_fill_sftp(&r, o, to) : fill_transport(&r, o, to);
	if (rc == 0 && o->kind == QUEUE_TO_MDN)
		rc = fill_mdn(&r, o, to);
	if (rc == 0 && o->kind == QUEUE_TO_AS2) {
		to->headers = o->packaged.headers;
		to->body = o->packaged.body;
		to->offset = o->packaged.offset;
		to->bytes = o->packaged.bytes;
		to->etag = o->packaged.etag;
		to->again = o->kept;
	}
	/* out of the transaction before its end */
	struct van_buf record = VAN_BUF_INIT(IPC_MESSAGE_MAX);
	if (rc == 0)
		rc = record_encode(&ipc_deliver_table, to, &record);
	struct slice kept = rc == 0 ? van_arena_slice(o->arena, van_buf_slice(&record)) : SLICE_NONE;
	van_buf_free(&record);
	store_read_end(o->s, &r);
	if (rc == 0)
		rc = kept.p ? record_decode(&ipc_deliver_table, kept, o->arena, to) : VAN_ENOMEM;
	return rc;
}

static void send_it(struct outgoing *o)
{
	struct ipc_deliver d;
	struct store_role *s = o->s;
	int rc = s->deliver ? fill_deliver(o, &d) : VAN_ECLOSED;
	if (rc == 0) {
		o->phase = OUTGOING_SENDING;
		van_fault_point("store-before-deliver");
		rc = ipc_send(s->deliver, IPC_DELIVER, o->number, &ipc_deliver_table, &d, d.body.p ? NULL : &o->body, !d.body.p);
	}
	if (rc < 0)
		outgoing_end_text(o, rc == VAN_ENOTFOUND ? QUEUE_OUTCOME_POSTPONED : QUEUE_OUTCOME_INTERRUPTED, "it could not be sent: %s",
				  van_err_name(rc));
}

/* --- beginning ------------------------------------------------------------------------------------------------------------------ */

struct beginning {
	struct write_request base;
	struct outgoing *o;
	struct queue_try try;
	struct slice package; /* to be kept for later tries: facts of it; absent: it is not */
};

/* --- packages that are kept ---------------------------------------------------------------------------------------------------- */

/* A package is good as long as nobody has changed a profile: the next one may be for another certificate. */
static struct slice made_for(const struct directory *d, struct slice connection, struct van_arena *arena)
{
	const struct profile *partner = NULL;
	const struct profile_connection *c = directory_connection(d, connection, &partner);
	const struct profile *station = c ? directory_get(d, PROFILE_STATION, c->station) : NULL;
	return partner && station ? van_arena_printf(arena, "%.*s %llu, %.*s %llu", SLICE_ARG(partner->id), (unsigned long long)partner->version,
						      SLICE_ARG(station->id), (unsigned long long)station->version) : SLICE_NONE;
}

static struct slice package_facts(struct outgoing *o)
{
	struct ipc_packaged facts = o->packaged;
	struct van_buf b = VAN_BUF_INIT(1 << 18);
	pthread_rwlock_rdlock(&o->s->directory_lock);
	facts.made_for = made_for(o->s->directory, slice_str(o->lane->connection), o->arena);
	pthread_rwlock_unlock(&o->s->directory_lock);
	struct slice s = record_encode(&ipc_packaged_table, &facts, &b) == 0 ? van_arena_slice(o->arena, van_buf_slice(&b)) : SLICE_NONE;
	van_buf_free(&b);
	return s;
}

static int prepare_begin(struct write_request *r)
{
	struct beginning *b = (struct beginning *)r;
	struct slice id = slice_str(b->o->id.text);
	if (!b->package.p)
		return 0;
	payload_remove(writer_payload(r->writer), id, QUEUE_PACKAGE_PART, NULL); /* one that was made for other profiles */
	r->files = true;
	return payload_link(writer_payload(r->writer), b->o->body, id, QUEUE_PACKAGE_PART, &r->err);
}

/* False: there is none that is still good. */
static bool take_kept(struct outgoing *o)
{
	struct store_read r;
	struct slice facts, id = slice_str(o->id.text);
	struct queue_content body = {.fd = -1};
	struct queue_message m;
	if (store_read_begin(o->s, o->arena, &r) < 0)
		return false;
	int rc = queue_package_get(&r.work, id, &facts, &body);
	if (rc == 0)
		rc = queue_message_get(&r.work, id, &m);
	if (rc == 0)
		facts = van_arena_slice(o->arena, facts);
	bool good = rc == 0 && facts.p && record_decode(&ipc_packaged_table, facts, o->arena, &o->packaged) == 0 && body.fd >= 0 &&
		    slice_eq(o->packaged.made_for, made_for(r.work.directory, slice_str(o->lane->connection), o->arena));
	if (good) {
		o->as2_message_id = van_arena_slice(o->arena, m.as2_message_id);
		o->body = body.fd;
		o->kept = true;
	} else if (body.fd >= 0) {
		close(body.fd);
	}
	store_read_end(o->s, &r);
	return good;
}

static struct slice header_lines(struct outgoing *o)
{
	struct van_buf b = VAN_BUF_INIT(1 << 17);
	for (size_t i = 0; i < o->packaged.headers.n; i++) {
		const struct ipc_header *h = RECORD_AT(o->packaged.headers, struct ipc_header, i);
		van_buf_printf(&b, "%.*s: %.*s\r\n", SLICE_ARG(h->name), SLICE_ARG(h->value));
	}
	struct slice s = b.error ? SLICE_NONE : van_arena_slice(o->arena, van_buf_slice(&b));
	van_buf_free(&b);
	return s;
}

static int run_begin(struct write_request *r, struct queue_work *w)
{
	struct beginning *b = (struct beginning *)r;
	const struct profile_connection *c = directory_connection(w->directory, slice_str(b->o->lane->connection), NULL);
	const struct profile *station = c ? directory_get(w->directory, PROFILE_STATION, c->station) : NULL;
	struct queue_try try = b->try;
	if (b->o->kind == QUEUE_TO_SFTP && c && c->server)
		try.url = van_arena_printf(w->arena, "sftp://%.*s:%llu/%.*s", SLICE_ARG(c->server->host), (unsigned long long)c->server->port,
					   SLICE_ARG(c->push ? c->push->folder : SLICE("")));
	if (b->o->kind == QUEUE_TO_AS2 && c && c->send && station && station->station->as2) {
		try.url = c->send->url;
		try.as2_from = station->station->as2->id;
		try.as2_to = c->as2_id;
	}
	int rc = queue_delivery_begin(w, slice_str(b->o->id.text), &try);
	return rc == 0 && b->package.p ? queue_package_put(w, slice_str(b->o->id.text), b->package, b->o->packaged.offset + b->try.bytes) : rc;
}

static void done_begin(struct write_request *r)
{
	struct beginning *b = (struct beginning *)r;
	struct outgoing *o = b->o;
	int rc = r->rc;
	write_request_free(r);
	if (rc == 0) {
		send_it(o);
		return;
	}
	if (rc != VAN_ESTATE && rc != VAN_ENOTFOUND)
		log_event(LOG_LEVEL_ERROR, "delivery-not-begun", "message", o->id.text, "error", van_err_name(rc), NULL);
	outgoing_free(o);
}

static const struct write_ops begin_ops = {.prepare = prepare_begin, .run = run_begin, .done = done_begin};

void outgoing_begin(struct outgoing *o)
{
	struct beginning *b = write_request_new(o->s->writer, sizeof *b, &begin_ops);
	o->phase = OUTGOING_BEGIN;
	if (!b) {
		outgoing_free(o);
		return;
	}
	b->o = o;
	b->try = (struct queue_try){.as2_message_id = o->as2_message_id, .mic = o->packaged.mic, .micalg = o->packaged.micalg,
				    .headers = o->kind == QUEUE_TO_AS2 ? header_lines(o) : SLICE_NONE,
				    .entity_headers = o->packaged.entity_headers, .compress = o->packaged.compress,
				    .bytes = o->packaged.bytes};
	if (o->kind == QUEUE_TO_AS2 && o->packaged.etag.p && o->body >= 0 && !o->kept)
		b->package = package_facts(o);
	b->base.patient = true;
	writer_submit(&b->base);
}

void outgoing_start(struct outgoing *o, uint32_t state)
{
	if (state == QUEUE_DELIVERY_AWAITING_MDN)
		outgoing_end_text(o, QUEUE_OUTCOME_OVERDUE, "no MDN came in time");
	else if (o->kind == QUEUE_TO_MDN)
		outgoing_begin(o);
	else if (o->kind == QUEUE_TO_SFTP)
		outgoing_start_sftp(o);
	else if (take_kept(o))
		outgoing_begin(o);
	else
		outgoing_task(o, OUTGOING_PACKAGE);
}

/* --- packaging ------------------------------------------------------------------------------------------------------------------- */

bool outgoing_give(struct outgoing *o, struct peer_worker *w)
{
	struct store_role *s = o->s;
	struct store_read r;
	struct ipc_package p;
	int from[2] = {-1, -1}, fds[2], rc = store_read_begin(s, o->arena, &r);
	size_t n = 0;
	if (rc < 0) {
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "the store could not be read: %s", van_err_name(rc));
		return false;
	}
	rc = outgoing_fill_package(&r, o, &p, from);
	for (size_t i = 0; i < 2; i++)
		if (from[i] >= 0)
			fds[n++] = from[i];
	if (rc == 0) {
		w->task = WORKER_DELIVERY;
		w->work = o;
		o->with_worker = true;
		rc = ipc_send(w->channel, IPC_PACKAGE, ++w->request, &ipc_package_table, &p, fds, n);
		if (rc < 0) { /* its channel is closing: nobody saw it */
			w->task = WORKER_IDLE;
			w->work = NULL;
		}
	}
	store_read_end(s, &r);
	while (n)
		close(fds[--n]);
	if (rc == VAN_ESTATE)
		outgoing_end_text(o, QUEUE_OUTCOME_POSTPONED, "%s", r.work.err.text);
	else if (rc < 0)
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "it could not be packaged: %s",
				  r.work.err.text[0] ? r.work.err.text : van_err_name(rc));
	return rc == 0;
}

static void on_packaged(struct outgoing *o, struct ipc_message *m)
{
	struct slice body = van_arena_slice(o->arena, m->body);
	int rc = body.p ? record_decode(&ipc_packaged_table, body, o->arena, &o->packaged) : VAN_ENOMEM;
	o->body = ipc_take_fd(m, 0);
	if (rc == 0 && o->packaged.ok && !o->packaged.body.p && o->body < 0)
		rc = VAN_EINVAL;
	if (rc < 0)
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "the package could not be read: %s", van_err_name(rc));
	else if (!o->packaged.ok)
		outgoing_end_text(o, o->packaged.refused ? QUEUE_OUTCOME_FAILED : QUEUE_OUTCOME_RETRY, "not packaged: %.*s",
				  SLICE_ARG(o->packaged.error));
	else
		outgoing_begin(o);
}

void deliveries_on_worker(struct store_role *s, struct peer_worker *w, struct ipc_message *m)
{
	struct outgoing *o = w->work;
	(void)s;
	w->task = WORKER_IDLE;
	w->work = NULL;
	o->with_worker = false;
	if (m->type == IPC_PACKAGED && o->phase == OUTGOING_PACKAGE)
		on_packaged(o, m);
	else if (m->type == IPC_MDN_CHECKED && o->phase == OUTGOING_CHECK)
		outgoing_checked(o, m);
	else
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "its worker answered something else");
}

void deliveries_worker_gone(struct store_role *s, void *work)
{
	struct outgoing *o = work;
	(void)s;
	o->with_worker = false;
	log_event(LOG_LEVEL_WARNING, "delivery-worker-died", "message", o->id.text, NULL);
	if (!o->lane) {
		outgoing_answer_post(o, 503, "");
		outgoing_free(o);
		return;
	}
	outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "the worker that %s ended",
			  o->phase == OUTGOING_CHECK ? "looked at the MDN" : "packaged it");
}

/* --- what the receiver said --------------------------------------------------------------------------------------------------------- */

/* A short, printable piece of an error page. */
static const char *excerpt(const struct outgoing *o, char to[ERROR_BODY_MAX + 3])
{
	size_t n = 0;
	struct slice body = slice_trim(van_buf_slice(&o->answer));
	for (size_t i = 0; i < body.n && n < ERROR_BODY_MAX; i++) {
		char c = body.p[i];
		if (c == '\n' || c == '\r')
			break;
		to[n++] = (c >= ' ' && c < 127) ? c : '?';
	}
	to[n] = 0;
	return to;
}

static struct slice header(const struct record_list *headers, const char *name)
{
	for (size_t i = 0; i < headers->n; i++) {
		const struct ipc_header *h = RECORD_AT(*headers, struct ipc_header, i);
		if (slice_case_is(h->name, name))
			return h->value;
	}
	return SLICE_NONE;
}

void outgoing_refused(struct outgoing *o)
{
	char text[ERROR_BODY_MAX + 3];
	uint64_t status = o->status;
	bool again = status >= 500 || status == 408 || status == 425 || status == 429;
	struct slice location = header(&o->answer_headers, "Location");
	if (status >= 300 && status < 400 && !location.n)
		outgoing_end_text(o, QUEUE_OUTCOME_FAILED, "HTTP %llu without a Location: is the address right?", (unsigned long long)status);
	else if (status >= 300 && status < 400)
		outgoing_end_text(o, QUEUE_OUTCOME_FAILED, "HTTP %llu: the receiver points to %.*s: set that address, or send.redirects",
				  (unsigned long long)status, SLICE_ARG(location));
	else
		outgoing_end_text(o, again ? QUEUE_OUTCOME_RETRY : QUEUE_OUTCOME_FAILED, "HTTP %llu%s%s", (unsigned long long)status,
				  o->answer.n ? ": " : "", excerpt(o, text));
}

/* Does it say that it is an MDN? Some put quotes around the whole value. */
static bool holds_report(const struct outgoing *o)
{
	static const char *const kinds[] = {"multipart/report", "multipart/signed", "message/disposition-notification"};
	struct slice type = header(&o->answer_headers, "Content-Type");
	while (type.n && (*type.p == '"' || *type.p == ' '))
		type = slice_make(type.p + 1, type.n - 1);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct slice kind = slice_str(kinds[i]);
		if (type.n >= kind.n && slice_case_eq(slice_make(type.p, kind.n), kind))
			return true;
	}
	return false;
}

/* 2xx: what does the agreement expect? */
static void answered(struct outgoing *o)
{
	struct store_role *s = o->s;
	struct directory_as2 d;
	pthread_rwlock_rdlock(&s->directory_lock);
	int rc = o->kind == QUEUE_TO_AS2
			 ? directory_as2_connection(s->directory, slice_str(o->lane->connection), van_clock_now(), o->arena, &d) : 0;
	pthread_rwlock_unlock(&s->directory_lock);
	if (o->kind != QUEUE_TO_AS2)
		outgoing_end_text(o, QUEUE_OUTCOME_DELIVERED, "asynchronous MDN delivered");
	else if (rc < 0 || !d.send)
		outgoing_end_text(o, QUEUE_OUTCOME_POSTPONED, "its connection is gone from the profile");
	else if (d.send->mdn == PROFILE_MDN_NONE)
		outgoing_end_text(o, QUEUE_OUTCOME_DELIVERED, "accepted by HTTP; no MDN was asked for");
	else if (d.send->mdn == PROFILE_MDN_SYNC || holds_report(o))
		outgoing_task(o, OUTGOING_CHECK);
	else {
		struct queue_outcome w = {.kind = QUEUE_OUTCOME_AWAITING, .due = van_clock_now() + (van_time)d.send->mdn_timeout,
					  .text = SLICE("sent; its MDN comes later")};
		outgoing_end(o, &w);
	}
}

static struct outgoing *find(struct store_role *s, uint64_t number)
{
	for (struct outgoing *o = s->deliveries->all; o; o = o->next)
		if (o->number == number && o->phase == OUTGOING_SENDING)
			return o;
	return NULL;
}

void deliveries_delivered(struct store_role *s, struct ipc_message *m)
{
	struct outgoing *o = find(s, m->request);
	struct ipc_delivered r;
	if (!o)
		return;
	van_fault_point("store-after-deliver");
	struct slice record = van_arena_slice(o->arena, m->body);
	int fd = ipc_take_fd(m, 0);
	int rc = record.p ? record_decode(&ipc_delivered_table, record, o->arena, &r) : VAN_ENOMEM;
	if (rc == 0 && fd >= 0)
		rc = fd_read_file(fd, &o->answer);
	else if (rc == 0)
		rc = van_buf_append_slice(&o->answer, r.body);
	if (fd >= 0)
		close(fd);
	if (o->body >= 0) /* the spool's room is not needed any more */
		close(o->body);
	o->body = -1;
	o->answer_headers = rc == 0 ? r.headers : (struct record_list){NULL, 0};
	o->status = rc == 0 ? r.status : 0;
	if (rc == 0 && !r.not_ready)
		lane_answered(o->lane, r.answered);
	if (rc < 0)
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "the answer could not be read: %s", van_err_name(rc));
	else if (r.not_ready)
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "%.*s", SLICE_ARG(r.error));
	else if (o->kind == QUEUE_TO_SFTP)
		outgoing_delivered_sftp(o, &r);
	else if (!r.answered)
		outgoing_end_text(o, QUEUE_OUTCOME_RETRY, "%.*s", SLICE_ARG(r.error));
	else if (r.status >= 200 && r.status < 300)
		answered(o);
	else if (o->kind == QUEUE_TO_AS2 && holds_report(o)) /* it says more than the status, when it is the receiver's own word */
		outgoing_task(o, OUTGOING_CHECK);
	else
		outgoing_refused(o);
}
