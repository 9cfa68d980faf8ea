/* Business rules: documents that go to quarantine alone, and values that must be unique. */
#include "queue/accept.h"
#include "queue/internal.h"
#include "queue/result.h"

/* --- values that must be unique ---------------------------------------------------------------------------------------------------- */

static void seen_key(struct store_key *k, const struct ipc_unique *u)
{
	*k = STORE_KEY_INIT;
	queue_key_foreign(k, u->scope);
	queue_key_foreign(k, u->key);
}

/* What came in first: of a part its whole, of what is processed again the original. */
static int origin_of(struct queue_work *w, struct slice id, struct slice *ret)
{
	struct queue_message m;
	*ret = id;
	for (int i = 0; i < 64; i++) {
		int rc = queue_message_get(w, *ret, &m);
		if (rc < 0)
			return rc == VAN_ENOTFOUND ? 0 : rc;
		struct slice before = m.reprocess_of.p ? m.reprocess_of : m.child ? m.parent : SLICE_NONE;
		if (!before.p)
			return 0;
		*ret = before;
	}
	return 0;
}

int queue_seen(struct queue_work *w, struct slice message, const struct ipc_unique *u, struct slice *ret)
{
	struct store_key k;
	struct queue_control seen;
	struct slice ours, theirs;
	*ret = SLICE_NONE;
	seen_key(&k, u);
	int rc = queue_get_record(w, w->q->seen, store_key_slice(&k), &queue_control_table, &seen);
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	rc = origin_of(w, message, &ours);
	if (rc == 0)
		rc = origin_of(w, seen.message, &theirs);
	if (rc == 0 && !slice_eq(ours, theirs) && (!u->window || w->now - seen.time < (van_time)u->window))
		*ret = seen.message;
	return rc;
}

/* Of all interchanges; `processed`: only of those that are. */
static int each_unique(struct queue_work *w, struct result *r, bool processed,
		       int (*fn)(struct queue_work *w, struct slice id, const struct ipc_unique *u))
{
	for (size_t i = 0; i < r->from->interchanges.n; i++) {
		const struct ipc_interchange *ic = RECORD_AT(r->from->interchanges, struct ipc_interchange, i);
		for (size_t n = 0; (!processed || r->targets[i].state == QUEUE_PROCESSED) && n < ic->uniques.n; n++) {
			int rc = fn(w, processed ? r->targets[i].id : r->message.id, RECORD_AT(ic->uniques, struct ipc_unique, n));
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* Another one was faster: the job is done again, and will know. */
static int still_unique(struct queue_work *w, struct slice id, const struct ipc_unique *u)
{
	struct slice seen;
	int rc = queue_seen(w, id, u, &seen);
	if (rc == 0 && seen.p && u->error)
		rc = van_error_set(&w->err, VAN_EAGAIN, "message %.*s has the same %.*s", SLICE_ARG(seen), SLICE_ARG(u->key));
	return rc;
}

static int keep_unique(struct queue_work *w, struct slice id, const struct ipc_unique *u)
{
	struct queue_control seen = {.message = id, .time = w->now};
	struct store_key k;
	seen_key(&k, u);
	return queue_put_record(w, w->q->seen, store_key_slice(&k), &queue_control_table, &seen);
}

int queue_result_still_unique(struct queue_work *w, struct result *r)
{
	return each_unique(w, r, false, still_unique);
}

int queue_result_uniques(struct queue_work *w, struct result *r)
{
	return each_unique(w, r, true, keep_unique);
}

/* --- documents set aside ----------------------------------------------------------------------------------------------------------- */

/* The whole interchange is its payload, of which it is the message of that number. */
static int put_aside(struct queue_work *w, const struct queue_message *whole, const struct ipc_aside *a, struct slice id)
{
	struct queue_part payload;
	const struct queue_transaction *t = a->number && a->number <= whole->transactions.n
						    ? RECORD_AT(whole->transactions, struct queue_transaction, a->number - 1) : NULL;
	if (!t)
		return van_error_set(&w->err, VAN_EINVAL, "a document of number %llu is set aside of %zu", (unsigned long long)a->number,
				     whole->transactions.n);
	struct queue_message m = *whole;
	m.id = id;
	m.parent = whole->id;
	m.child = true;
	m.only = a->number;
	m.set_aside = true;
	m.state = QUEUE_QUARANTINED;
	m.delivery = QUEUE_DELIVERY_NONE;
	m.ack = QUEUE_ACK_NONE;
	m.ack_due = 0;
	m.turn_back = false;
	m.error = a->error;
	m.type = t->type;
	m.version = t->version;
	m.transactions = (struct record_list){(void *)t, 1};
	m.as2_message_id = m.mdn_message_id = m.mdn_facts = m.disposition = SLICE_NONE;
	m.reprocess_of = SLICE_NONE;
	int rc = queue_part_get(w, whole->id, SLICE("payload"), &payload);
	struct queue_part p = {.kind = QUEUE_PART_STRETCH, .name = SLICE("payload"), .bytes = payload.bytes, .sha256 = payload.sha256,
			       .owner = whole->id, .within = SLICE("payload")};
	if (rc == 0)
		rc = queue_part_put(w, id, &p);
	if (rc == 0)
		rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = queue_result_search(w, &m, id);
	if (rc == 0)
		rc = queue_trail_receipt(w, RECEIPT_HELD, &m, m.error, SLICE_NONE, NULL, 0);
	for (size_t i = 0; rc == 0 && i < a->findings.n; i++)
		rc = queue_trail_event(w, id, "rule", a->findings.v[i]);
	return rc;
}

int queue_result_asides(struct queue_work *w, struct result *r)
{
	size_t used = 0;
	for (size_t i = 0; i < r->ntargets; i++) {
		const struct ipc_interchange *ic = RECORD_AT(r->from->interchanges, struct ipc_interchange, i);
		const struct queue_message *m = &r->targets[i];
		int rc = 0;
		for (size_t n = 0; rc == 0 && n < ic->findings.n; n++)
			rc = queue_trail_event(w, m->id, "rule", ic->findings.v[n]);
		for (size_t n = 0; rc == 0 && n < ic->asides.n; n++, used++)
			rc = m->state == QUEUE_PROCESSED ? put_aside(w, m, RECORD_AT(ic->asides, struct ipc_aside, n),
								     slice_make(r->ids->asides[used].text, VAN_ID_LEN)) : 0;
		if (rc == 0 && ic->asides.n && m->state == QUEUE_PROCESSED)
			rc = queue_trail_event(w, m->id, "set-aside", van_arena_printf(w->arena, "%zu of its documents went to quarantine", ic->asides.n));
		if (rc < 0)
			return rc;
	}
	return 0;
}
