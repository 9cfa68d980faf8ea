/* status: what the supervisor says of the roles, and what the store knows itself. */
#include "roles/store/connections.h"

#include "base/log.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

#define EXPIRES_SOON ((van_time)30 * 86400 * VAN_SECOND)

/* --- the store's own figures ------------------------------------------------------------------------------------------------------ */

static void put_time(struct van_buf *to, van_time t)
{
	char text[VAN_TIME_TEXT];
	json_put_text(to, t ? slice_str(van_time_rfc3339(text, t)) : SLICE_NONE);
}

struct expiring {
	struct van_buf *to;
	van_time now;
	bool more;
};

static void put_expiring(struct expiring *x, struct slice owner, const struct profile_certificate *c)
{
	if (!c->not_after || c->not_after > x->now + EXPIRES_SOON)
		return;
	van_buf_append_str(x->to, x->more ? ",{\"profile\":" : "{\"profile\":");
	x->more = true;
	json_put_text(x->to, owner);
	van_buf_append_str(x->to, ",\"subject\":");
	json_put_text(x->to, c->subject);
	van_buf_append_str(x->to, ",\"fingerprint\":");
	json_put_text(x->to, c->fingerprint);
	van_buf_append_str(x->to, ",\"not_after\":");
	put_time(x->to, c->not_after);
	van_buf_append_char(x->to, '}');
}

static int expiring_station(void *arg, const struct profile *p)
{
	const struct profile_station_as2 *as2 = p->station->as2;
	for (size_t i = 0; as2 && i < as2->sign.n; i++)
		put_expiring(arg, p->id, RECORD_AT(as2->sign, struct profile_key_pair, i)->certificate);
	for (size_t i = 0; as2 && i < as2->decrypt.n; i++)
		put_expiring(arg, p->id, RECORD_AT(as2->decrypt, struct profile_key_pair, i)->certificate);
	return 0;
}

static bool is_receiving(const struct profile_connection *c, struct slice fingerprint)
{
	for (size_t k = 0; c->receive && k < c->receive->certificates.n; k++)
		if (slice_eq(RECORD_AT(c->receive->certificates, struct profile_certificate, k)->fingerprint, fingerprint))
			return true;
	return false;
}

static int expiring_partner(void *arg, const struct profile *p)
{
	for (size_t i = 0; i < p->partner->connections.n; i++) {
		const struct profile_connection *c = RECORD_AT(p->partner->connections, struct profile_connection, i);
		for (size_t k = 0; c->receive && k < c->receive->certificates.n; k++)
			put_expiring(arg, p->id, RECORD_AT(c->receive->certificates, struct profile_certificate, k));
		for (size_t k = 0; c->send && k < c->send->certificates.n; k++) {
			const struct profile_certificate *one = RECORD_AT(c->send->certificates, struct profile_certificate, k);
			if (!is_receiving(c, one->fingerprint))
				put_expiring(arg, p->id, one);
		}
	}
	return 0;
}

struct receipts_size {
	uint64_t size;
	van_time signed_at, last;
	bool behind;
};

static int add_log(void *arg, const struct receipt_log *log)
{
	struct receipts_size *r = arg;
	r->size += log->size;
	r->signed_at = log->signed_at;
	r->behind |= log->signed_size < log->size;
	return 0;
}

static int put_figures(struct control_call *c)
{
	struct queue_figures f;
	struct receipts_size r = {0};
	struct expiring x = {.to = c->out, .now = c->work->now};
	int rc = queue_figures(c->work, &f);
	if (rc == 0)
		rc = receipt_log_each(c->work->txn, queue_receipts(c->work->q), add_log, &r);
	if (rc < 0)
		return rc;
	van_buf_printf(c->out, "\"queue\":{\"depth\":%" PRIu64 ",\"oldest\":", f.jobs + f.deliveries);
	put_time(c->out, f.oldest);
	van_buf_printf(c->out, ",\"jobs\":%" PRIu64 ",\"deliveries\":%" PRIu64 "},\"messages\":%" PRIu64 ",\"acks_overdue\":%" PRIu64
		       ",\"certificates_expiring\":[", f.jobs, f.deliveries, f.messages, f.acks_overdue);
	directory_each(c->work->directory, PROFILE_STATION, expiring_station, &x);
	directory_each(c->work->directory, PROFILE_PARTNER, expiring_partner, &x);
	van_buf_append_str(c->out, "],\"keys_unusable\":");
	keys_put_troubles(c->role, c->out);
	van_buf_printf(c->out, ",\"receipts\":{\"size\":%" PRIu64 ",\"checkpoint_age\":", r.size);
	if (r.signed_at)
		van_buf_printf(c->out, "%.3f", (double)(c->work->now - r.signed_at) / (double)VAN_SECOND);
	else
		van_buf_append_str(c->out, "null");
	van_buf_printf(c->out, ",\"signed\":%s},\"sending_held\":", r.behind ? "false" : "true");
	if (atomic_load(&c->role->sending_held))
		return van_buf_printf(c->out, "\"restored from the backup of %s: vanctl queue resume\"", c->role->restored);
	return van_buf_append_str(c->out, "null");
}

/* --- the supervisor's answer ---------------------------------------------------------------------------------------------------- */

/* "job-worker-3" is a worker, of the job pool. */
static void put_role(struct van_buf *to, const struct ipc_role_status *r)
{
	bool receive = slice_starts(r->name, "receive-worker"), job = slice_starts(r->name, "job-worker");
	van_buf_append_str(to, "{\"name\":");
	json_put_text(to, receive || job ? SLICE("worker") : r->name);
	van_buf_printf(to, ",\"pid\":%" PRIu64 ",\"state\":", r->pid);
	json_put_text(to, r->state);
	van_buf_printf(to, ",\"restarts\":%" PRIu64 ",\"pool\":%s}", r->restarts,
		       receive ? "\"receive\"" : job ? "\"job\"" : "null");
}

static void put_roles(struct van_buf *to, const struct ipc_status *st)
{
	bool ready = st->roles.n > 0;
	for (size_t i = 0; i < st->roles.n; i++)
		ready &= slice_is(RECORD_AT(st->roles, struct ipc_role_status, i)->state, "running");
	van_buf_printf(to, "{\"ready\":%s,\"roles\":[", ready ? "true" : "false");
	for (size_t i = 0; i < st->roles.n; i++) {
		if (i)
			van_buf_append_char(to, ',');
		put_role(to, RECORD_AT(st->roles, struct ipc_role_status, i));
	}
	van_buf_append_str(to, "],\"listeners\":[");
	for (size_t i = 0; i < st->listeners.n; i++) {
		if (i)
			van_buf_append_char(to, ',');
		json_put_text(to, st->listeners.v[i]);
	}
	van_buf_append_str(to, "],");
}

static void answer(struct pending_call *p, const struct ipc_status *st)
{
	struct store_role *s = p->call.role;
	struct store_read r;
	int rc = store_read_begin(s, p->base.arena, &r);
	if (rc == 0) {
		put_roles(&p->out, st);
		p->call.work = &r.work;
		rc = put_figures(&p->call);
		van_buf_append_char(&p->out, '}');
		p->call.work = NULL;
		store_read_end(s, &r);
	}
	pending_call_finish(p, rc);
}

void control_status_reply(struct store_role *s, struct ipc_message *m)
{
	struct ipc_status st;
	struct pending_call *next;
	if (record_decode(&ipc_status_table, m->body, s->arena, &st) < 0)
		return;
	for (struct pending_call *p = s->calls; p; p = next) {
		next = p->next;
		if (p->awaits_status)
			answer(p, &st);
	}
}

int control_status(struct control_call *c)
{
	pending_call_of(c)->awaits_status = true;
	int rc = ipc_send(c->role->role->supervisor, IPC_STATUS, 0, NULL, NULL, NULL, 0);
	return rc < 0 ? rc : CONTROL_LATER;
}
