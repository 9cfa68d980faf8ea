/* One try of a delivery: how it begins, how it ends. */
#include "queue/delivery.h"

#include "queue/internal.h"

#define SOON VAN_SECOND
#define POSTPONED_FOR (60 * VAN_SECOND)
#define INTERRUPTIONS_MAX 3 /* in a row; more are taken for the payload's fault, and follow the schedule */

/* Where a connection names no schedule (it only receives): the one profiles have by default. */
static const van_time retry_default[] = {300 * VAN_SECOND, 600 * VAN_SECOND, 1200 * VAN_SECOND, 2400 * VAN_SECOND};

/* --- beginning ---------------------------------------------------------------------------------------------------------- */

/* Keeps the bytes as part `name`, or as NAME-2 … where an earlier try's stand already, which its receipt names: those stay. The
 * same bytes again are the same part. */
static int put_part(struct queue_work *w, struct slice id, struct slice name, struct slice bytes, struct receipt_artefact *artefact)
{
	struct receipt_hash h = receipt_sha256(bytes.p, bytes.n);
	struct queue_part earlier;
	struct slice base = name;
	int rc;
	for (unsigned n = 2; (rc = queue_part_get(w, id, name, &earlier)) == 0; n++) {
		if (slice_eq(earlier.sha256, slice_make(h.b, sizeof h.b)))
			break;
		name = van_arena_printf(w->arena, "%.*s-%u", SLICE_ARG(base), n);
		if (!name.p)
			return VAN_ENOMEM;
	}
	struct queue_part p = {.kind = QUEUE_PART_INLINE, .name = name, .bytes = bytes.n, .content = bytes,
			       .sha256 = slice_make(h.b, sizeof h.b)};
	receipt_artefact_of(artefact, "", bytes);
	artefact->name = name;
	return rc == VAN_ENOTFOUND ? queue_part_put(w, id, &p) : rc;
}

static void take(struct slice *to, struct slice from)
{
	if (from.p)
		*to = from;
}

static int begin_message(struct queue_work *w, const struct queue_delivery *d, const struct queue_try *t, struct queue_message *m)
{
	struct queue_message old = *m;
	struct receipt_artefact artefacts[2];
	size_t n = 0;
	int rc = 0;
	take(&m->as2_message_id, t->as2_message_id);
	take(&m->as2_from, t->as2_from);
	take(&m->as2_to, t->as2_to);
	m->mic = t->mic;
	m->micalg = t->micalg;
	if (t->as2_message_id.p && !old.as2_message_id.p)
		rc = queue_search_put(w, m->as2_message_id, m->id);
	if (rc == 0 && t->headers.p)
		rc = put_part(w, m->id, SLICE("headers"), t->headers, &artefacts[n++]);
	if (rc == 0 && t->entity_headers.p)
		rc = put_part(w, m->id, SLICE("signed-headers"), t->entity_headers, &artefacts[n++]);
	if (rc == 0)
		rc = queue_delivery_move_from(w, &old, m, QUEUE_DELIVERY_TRYING);
	struct slice text = van_arena_printf(w->arena, "try %llu to %.*s", (unsigned long long)d->tries, SLICE_ARG(t->url));
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SENT, m, text, SLICE_NONE, artefacts, n);
}

int queue_delivery_begin(struct queue_work *w, struct slice id, const struct queue_try *t)
{
	struct queue_delivery d, old;
	struct queue_message m;
	int rc = queue_delivery_get(w, id, &d);
	if (rc == 0)
		rc = queue_message_get(w, d.message, &m);
	if (rc < 0)
		return rc;
	if (d.state != QUEUE_DELIVERY_QUEUED && d.state != QUEUE_DELIVERY_TRYING)
		return van_error_set(&w->err, VAN_ESTATE, "delivery %.*s is not to be tried: it is %s", SLICE_ARG(id),
				     queue_delivery_state_names[d.state]);
	old = d;
	/* found trying: nobody knows how that try ended, so it doesn't count against the schedule */
	d.round += d.state == QUEUE_DELIVERY_QUEUED;
	d.state = QUEUE_DELIVERY_TRYING;
	d.tries++;
	d.compress = t->compress;
	rc = queue_delivery_put(w, &old, &d);
	if (rc < 0)
		return rc;
	if (d.kind != QUEUE_TO_MDN)
		return begin_message(w, &d, t, &m);
	struct slice text = van_arena_printf(w->arena, "try %llu to %.*s", (unsigned long long)d.tries, SLICE_ARG(d.url));
	return queue_trail_event(w, m.id, "mdn-sent", text);
}

/* --- ending ------------------------------------------------------------------------------------------------------------- */

/* Waiting time before the next try; negative: there is none. */
static van_time schedule(struct queue_work *w, const struct queue_delivery *d)
{
	const struct profile_connection *c = w->directory ? directory_connection(w->directory, d->connection, NULL) : NULL;
	const van_time *v = retry_default;
	size_t n = sizeof retry_default / sizeof *retry_default;
	if (c && c->send) {
		v = c->send->retry.v;
		n = c->send->retry.n;
	}
	if (c && c->push) {
		v = c->push->retry.v;
		n = c->push->retry.n;
	}
	size_t place = d->round ? (size_t)d->round - 1 : 0;
	return place < n ? v[place] : -1;
}

static void queue_again(struct queue_work *w, struct queue_delivery *d, uint32_t finally)
{
	van_time pause = schedule(w, d);
	d->state = pause < 0 ? finally : QUEUE_DELIVERY_QUEUED;
	d->next = pause < 0 ? 0 : w->now + pause;
}

/* Does the outcome belong to what the delivery is in? An MDN may come before the answer to the request that it is about, and an
 * operator may have been there first: then what comes later changes nothing. */
static bool applies(const struct queue_outcome *o, const struct queue_delivery *d)
{
	bool trying = d->state == QUEUE_DELIVERY_TRYING;
	switch ((enum queue_outcome_kind)o->kind) {
	case QUEUE_OUTCOME_AWAITING: return trying;
	case QUEUE_OUTCOME_OVERDUE: return d->state == QUEUE_DELIVERY_AWAITING_MDN;
	case QUEUE_OUTCOME_RETRY:
	case QUEUE_OUTCOME_INTERRUPTED:
	case QUEUE_OUTCOME_POSTPONED: return trying || d->state == QUEUE_DELIVERY_QUEUED;
	case QUEUE_OUTCOME_FAILED: return o->mdn.p || trying || d->state == QUEUE_DELIVERY_QUEUED;
	case QUEUE_OUTCOME_DELIVERED: return true;
	}
	return false;
}

/* What the delivery becomes. */
static void settle(struct queue_work *w, const struct queue_outcome *o, struct queue_delivery *d)
{
	bool interrupted = o->kind == QUEUE_OUTCOME_INTERRUPTED, begun = d->state != QUEUE_DELIVERY_QUEUED;
	d->interruptions = interrupted ? d->interruptions + 1 : 0;
	if (!begun && o->kind == QUEUE_OUTCOME_RETRY) { /* it could not even be packaged */
		d->tries++;
		d->round++;
	}
	switch ((enum queue_outcome_kind)o->kind) {
	case QUEUE_OUTCOME_DELIVERED: d->state = QUEUE_DELIVERY_DELIVERED; return;
	case QUEUE_OUTCOME_AWAITING:
		d->state = QUEUE_DELIVERY_AWAITING_MDN;
		d->next = o->due;
		d->last_error = SLICE_NONE;
		return;
	case QUEUE_OUTCOME_OVERDUE: queue_again(w, d, QUEUE_DELIVERY_EXPIRED); break;
	case QUEUE_OUTCOME_FAILED: d->state = QUEUE_DELIVERY_FAILED; d->next = 0; break;
	case QUEUE_OUTCOME_POSTPONED:
		d->state = QUEUE_DELIVERY_QUEUED;
		d->next = w->now + POSTPONED_FOR;
		break;
	case QUEUE_OUTCOME_INTERRUPTED:
		if (d->interruptions <= INTERRUPTIONS_MAX) {
			d->state = QUEUE_DELIVERY_QUEUED;
			d->round -= begun && d->round > 0;
			d->next = w->now + SOON;
			break;
		} /* fall through */
	case QUEUE_OUTCOME_RETRY: queue_again(w, d, QUEUE_DELIVERY_FAILED); break;
	}
	d->last_error = o->text;
}

/* Into the message's fields, which the caller stores. */
static int put_mdn(struct queue_work *w, const struct queue_outcome *o, struct queue_message *m)
{
	struct receipt_artefact artefact;
	int rc = put_part(w, m->id, SLICE("mdn"), o->mdn, &artefact);
	m->disposition = o->disposition;
	m->signer_sha256 = o->signer_sha256;
	struct slice text = van_arena_printf(w->arena, "%.*s", SLICE_ARG(o->disposition));
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_MDN_RECEIVED, m, text, SLICE_NONE, &artefact, 1);
}

/* The step in the history: a receipt where something is settled, else an event. */
static int put_step(struct queue_work *w, const struct queue_delivery *d, const struct queue_outcome *o, const struct queue_message *m)
{
	char when[VAN_TIME_TEXT];
	const char *event = o->kind == QUEUE_OUTCOME_POSTPONED ? "postponed" : d->kind == QUEUE_TO_MDN ? "mdn-try-failed" : "try-failed";
	switch ((enum queue_delivery_state)d->state) {
	case QUEUE_DELIVERY_DELIVERED: return queue_trail_receipt(w, RECEIPT_DELIVERED, m, o->text, SLICE_NONE, NULL, 0);
	case QUEUE_DELIVERY_FAILED:
	case QUEUE_DELIVERY_EXPIRED: return queue_trail_receipt(w, RECEIPT_DEAD_LETTER, m, o->text, SLICE_NONE, NULL, 0);
	case QUEUE_DELIVERY_AWAITING_MDN: return queue_trail_event(w, m->id, "awaiting-mdn", o->text);
	default: break;
	}
	struct slice text = van_arena_printf(w->arena, "%.*s; next try at %s", SLICE_ARG(o->text), van_time_rfc3339(when, d->next));
	if (o->kind == QUEUE_OUTCOME_OVERDUE)
		return queue_trail_receipt(w, RECEIPT_OVERDUE, m, text, SLICE_NONE, NULL, 0);
	return queue_trail_event(w, m->id, event, text);
}

static int end_message(struct queue_work *w, const struct queue_delivery *d, const struct queue_outcome *o,
		       const struct queue_message *stored, struct queue_message *m)
{
	bool final = d->state == QUEUE_DELIVERY_FAILED || d->state == QUEUE_DELIVERY_EXPIRED;
	m->error = final ? o->text : SLICE_NONE;
	return queue_delivery_move_from(w, stored, m, (enum queue_delivery_state)d->state);
}

/* An MDN that comes when all is settled: again, or after the operator dropped the delivery. */
static int note(struct queue_work *w, struct slice id, const struct queue_outcome *o, uint32_t *ret_state)
{
	struct queue_message m;
	int rc = queue_message_get(w, id, &m);
	if (rc < 0)
		return rc;
	*ret_state = m.delivery;
	if (!o->mdn.p)
		return van_error_set(&w->err, VAN_ENOTFOUND, "no delivery %.*s waits", SLICE_ARG(id));
	struct slice text = van_arena_printf(w->arena, "%.*s, while the delivery was %s", SLICE_ARG(o->disposition),
					     queue_delivery_state_names[m.delivery]);
	return queue_trail_event(w, id, "mdn-repeated", text);
}

int queue_delivery_end(struct queue_work *w, struct slice id, const struct queue_outcome *o, uint32_t *ret_state)
{
	struct queue_delivery d, old;
	struct queue_message m, stored;
	int rc = queue_delivery_get(w, id, &d);
	if (rc == VAN_ENOTFOUND && van_id_valid(id))
		return note(w, id, o, ret_state);
	if (rc == 0)
		rc = queue_message_get(w, d.message, &m);
	if (rc < 0)
		return rc;
	if (!applies(o, &d))
		return van_error_set(&w->err, VAN_ESTATE, "delivery %.*s is %s meanwhile", SLICE_ARG(id),
				     queue_delivery_state_names[d.state]);
	old = d;
	stored = m;
	settle(w, o, &d);
	if (o->mdn.p)
		rc = put_mdn(w, o, &m);
	if (rc == 0)
		rc = d.state == QUEUE_DELIVERY_DELIVERED ? queue_delivery_forget(w, &old) : queue_delivery_put(w, &old, &d);
	if (rc == 0 && d.kind != QUEUE_TO_MDN)
		rc = end_message(w, &d, o, &stored, &m);
	if (rc == 0)
		rc = put_step(w, &d, o, &m);
	*ret_state = d.state;
	return rc;
}

/* --- MDNs ----------------------------------------------------------------------------------------------------------------- */

/* With or without angle brackets: some answer so, some so. */
static struct slice bare(struct slice id)
{
	id = slice_trim(id);
	return id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>' ? slice_make(id.p + 1, id.n - 2) : id;
}

int queue_delivery_of_mdn(struct queue_work *w, struct slice original, struct slice from, struct slice to, struct queue_message *ret)
{
	struct store_key k = STORE_KEY_INIT;
	struct store_cursor *c;
	struct slice key, wanted = bare(original);
	if (!wanted.n)
		return VAN_ENOTFOUND;
	store_key_u8(&k, QUEUE_INDEX_SEARCH);
	store_key_text(&k, queue_search_text(original));
	int rc = store_cursor_open(w->txn, w->q->index, store_key_slice(&k), &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, &key, NULL)) == 0) {
		struct slice id = queue_keep(w, slice_make(key.p + k.n, key.n - k.n));
		rc = queue_message_get(w, id, ret);
		if (rc < 0)
			break;
		if (ret->direction == QUEUE_OUT && slice_eq(bare(ret->as2_message_id), wanted) && slice_eq(ret->as2_from, to) &&
		    slice_eq(ret->as2_to, from))
			break;
	}
	store_cursor_close(c);
	return rc;
}
