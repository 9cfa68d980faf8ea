#include "queue/internal.h"

static int put(struct queue_work *w, const struct queue_delivery *d)
{
	return queue_put_record(w, w->q->delivery, d->id, &queue_delivery_table, d);
}

int queue_delivery_new(struct queue_work *w, const struct queue_message *m)
{
	struct queue_delivery d = {.id = m->id, .message = m->id, .connection = m->connection, .partner = m->partner,
				   .state = m->delivery, .created = w->now};
	return put(w, &d);
}

int queue_delivery_get(struct queue_work *w, struct slice id, struct queue_delivery *ret)
{
	int rc = van_id_valid(id) ? queue_get_record(w, w->q->delivery, id, &queue_delivery_table, ret) : VAN_ENOTFOUND;
	if (rc == VAN_ENOTFOUND)
		van_error_set(&w->err, VAN_ENOTFOUND, "no delivery %.*s: see vanctl queue list", SLICE_ARG(id));
	return rc;
}

int queue_deliveries(struct queue_work *w, int (*fn)(void *arg, const struct queue_delivery *d), void *arg)
{
	struct store_cursor *c;
	struct slice value;
	int rc = store_cursor_open(w->txn, w->q->delivery, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_delivery d;
		rc = record_decode(&queue_delivery_table, queue_keep(w, value), w->arena, &d);
		if (rc < 0 || (rc = fn(arg, &d)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_delivery_move(struct queue_work *w, struct queue_message *m, enum queue_delivery_state to)
{
	struct queue_message old = *m, parent;
	m->delivery = to;
	int rc = queue_message_put(w, &old, m);
	if (rc < 0 || !m->parent.p || slice_is(m->made_as, "ack"))
		return rc;
	rc = queue_message_get(w, m->parent, &parent);
	if (rc == VAN_ENOTFOUND)
		return 0;
	if (rc < 0 || parent.delivery == (uint32_t)to)
		return rc;
	old = parent;
	parent.delivery = to;
	return queue_message_put(w, &old, &parent);
}

static bool fits(const char *action, uint32_t state, enum queue_delivery_state *to)
{
	bool waiting = state == QUEUE_DELIVERY_QUEUED || state == QUEUE_DELIVERY_FAILED || state == QUEUE_DELIVERY_EXPIRED;
	if (strcmp(action, "retry") == 0) {
		*to = QUEUE_DELIVERY_QUEUED;
		return waiting;
	}
	if (strcmp(action, "hold") == 0) {
		*to = QUEUE_DELIVERY_HELD;
		return waiting;
	}
	if (strcmp(action, "release") == 0) {
		*to = QUEUE_DELIVERY_QUEUED;
		return state == QUEUE_DELIVERY_HELD;
	}
	*to = QUEUE_DELIVERY_DROPPED;
	return strcmp(action, "drop") == 0 && (waiting || state == QUEUE_DELIVERY_HELD);
}

int queue_delivery_act(struct queue_work *w, struct slice id, const char *action, struct slice actor)
{
	struct queue_delivery d;
	struct queue_message m;
	enum queue_delivery_state to;
	int rc = queue_delivery_get(w, id, &d);
	if (rc == 0)
		rc = queue_message_get(w, d.message, &m);
	if (rc < 0)
		return rc;
	if (!fits(action, d.state, &to))
		return van_error_set(&w->err, VAN_ESTATE, "can't %s a delivery that is %s", action,
				     queue_delivery_state_names[d.state]);
	d.state = to;
	d.next = 0;
	w->writes++;
	rc = to == QUEUE_DELIVERY_DROPPED ? store_del(w->txn, w->q->delivery, d.id) : put(w, &d);
	if (rc == 0)
		rc = queue_delivery_move(w, &m, to);
	struct slice text = van_arena_printf(w->arena, "delivery: %s", action);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &m, text, actor, NULL, 0);
}
