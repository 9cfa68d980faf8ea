#include "queue/delivery.h"

#include "queue/internal.h"

static bool waits(uint32_t state)
{
	return state == QUEUE_DELIVERY_QUEUED || state == QUEUE_DELIVERY_TRYING || state == QUEUE_DELIVERY_AWAITING_MDN;
}

/* --- the record and its place among what is due ------------------------------------------------------------------------ */

static void lane_key(struct store_key *k, uint32_t kind, struct slice connection)
{
	*k = STORE_KEY_INIT;
	store_key_u8(k, (uint8_t)kind);
	store_key_text(k, connection);
}

static void next_key(struct store_key *k, const struct queue_delivery *d)
{
	lane_key(k, d->kind, d->connection);
	store_key_time(k, d->next);
	store_key_fixed(k, d->id.p, d->id.n);
}

static int move_next(struct queue_work *w, const struct queue_delivery *old, const struct queue_delivery *d)
{
	struct store_key from, to;
	bool was = old && waits(old->state), is = d && waits(d->state);
	int rc = 0;
	if (was)
		next_key(&from, old);
	if (is)
		next_key(&to, d);
	if (was && is && slice_eq(store_key_slice(&from), store_key_slice(&to)))
		return 0;
	w->writes++;
	if (was)
		rc = store_del(w->txn, w->q->delivery_next, store_key_slice(&from));
	if (rc == VAN_ENOTFOUND)
		rc = 0;
	return rc < 0 || !is ? rc : store_put(w->txn, w->q->delivery_next, store_key_slice(&to), SLICE(""));
}

int queue_delivery_put(struct queue_work *w, const struct queue_delivery *old, const struct queue_delivery *d)
{
	int rc = move_next(w, old, d);
	return rc < 0 ? rc : queue_put_record(w, w->q->delivery, d->id, &queue_delivery_table, d);
}

int queue_delivery_forget(struct queue_work *w, const struct queue_delivery *old)
{
	int rc = move_next(w, old, NULL);
	w->writes++;
	return rc < 0 ? rc : store_del(w->txn, w->q->delivery, old->id);
}

int queue_delivery_new(struct queue_work *w, const struct queue_message *m, enum queue_delivery_kind kind)
{
	struct queue_delivery d = {.id = m->id, .message = m->id, .connection = m->connection, .partner = m->partner,
				   .state = m->delivery, .created = w->now, .kind = kind};
	return queue_delivery_put(w, NULL, &d);
}

int queue_delivery_mdn(struct queue_work *w, const struct queue_message *m, struct slice url)
{
	struct queue_delivery old, d = {.id = m->id, .message = m->id, .connection = m->connection, .partner = m->partner,
					.state = QUEUE_DELIVERY_QUEUED, .created = w->now, .kind = QUEUE_TO_MDN, .url = url};
	int rc = queue_get_record(w, w->q->delivery, m->id, &queue_delivery_table, &old);
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	if (rc == 0 && old.state == QUEUE_DELIVERY_TRYING)
		return 0; /* on its way just now */
	if (rc == 0)
		d.tries = old.tries;
	return queue_delivery_put(w, rc == 0 ? &old : NULL, &d);
}

/* --- looking ------------------------------------------------------------------------------------------------------------ */

int queue_delivery_get(struct queue_work *w, struct slice id, struct queue_delivery *ret)
{
	int rc = van_id_valid(id) ? queue_get_record(w, w->q->delivery, id, &queue_delivery_table, ret) : VAN_ENOTFOUND;
	if (rc == VAN_ENOTFOUND)
		van_error_set(&w->err, VAN_ENOTFOUND, "no delivery %.*s waits: see vanctl queue list", SLICE_ARG(id));
	return rc;
}

int queue_deliveries(struct queue_work *w, int state, struct slice connection,
		     int (*fn)(void *arg, const struct queue_delivery *d), void *arg)
{
	struct store_cursor *c;
	struct slice value;
	int rc = store_cursor_open(w->txn, w->q->delivery, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_delivery d;
		rc = record_decode(&queue_delivery_table, queue_keep(w, value), w->arena, &d);
		if (rc < 0)
			break;
		if ((state >= 0 && d.state != (uint32_t)state) || (connection.p && !slice_eq(d.connection, connection)))
			continue;
		rc = fn(arg, &d);
		if (rc)
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* From one lane's first key to the next lane's: what they hold is not read. */
int queue_lanes(struct queue_work *w, int (*fn)(void *arg, const struct queue_lane *l), void *arg)
{
	struct store_cursor *c;
	struct slice key;
	int rc = store_cursor_open(w->txn, w->q->delivery_next, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	rc = store_cursor_first(c, &key, NULL);
	while (rc == 0) {
		char text[STORE_KEY_TEXT_MAX];
		struct store_key past;
		struct wire wire = store_key_wire(key);
		struct queue_lane l = {.kind = wire_u8(&wire)};
		l.connection = store_key_take_text(&wire, text);
		if (wire.bad) {
			rc = VAN_EINTERNAL;
			break;
		}
		rc = fn(arg, &l);
		if (rc)
			break;
		lane_key(&past, l.kind, l.connection);
		store_key_u64(&past, UINT64_MAX);
		rc = store_cursor_seek(c, store_key_slice(&past), &key, NULL);
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_lane_each(struct queue_work *w, const struct queue_lane *l, int (*fn)(void *arg, struct slice id, van_time when),
		    void *arg)
{
	struct store_cursor *c;
	struct store_key prefix;
	struct slice key;
	lane_key(&prefix, l->kind, l->connection);
	int rc = store_cursor_open(w->txn, w->q->delivery_next, store_key_slice(&prefix), &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, &key, NULL)) == 0) {
		struct wire wire = store_key_wire(slice_make(key.p + prefix.n, key.n - prefix.n));
		van_time when = store_key_take_time(&wire);
		struct slice id = wire_bytes(&wire, VAN_ID_LEN);
		rc = wire.bad ? VAN_EINTERNAL : fn(arg, id, when);
		if (rc)
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_delivery_kind_of(const struct profile_connection *c)
{
	if (c->protocol == PROFILE_SFTP)
		return c->push ? QUEUE_TO_SFTP : -1;
	return c->protocol == PROFILE_AS2 && c->send ? QUEUE_TO_AS2 : -1;
}

/* --- messages ------------------------------------------------------------------------------------------------------------ */

static int show(struct queue_work *w, struct slice id, enum queue_delivery_state to)
{
	struct queue_message old, m;
	int rc = queue_message_get(w, id, &m);
	if (rc == VAN_ENOTFOUND)
		return 0;
	if (rc < 0 || m.delivery == (uint32_t)to)
		return rc;
	old = m;
	m.delivery = to;
	return queue_message_put(w, &old, &m);
}

int queue_delivery_show(struct queue_work *w, const struct queue_message *m, enum queue_delivery_state to)
{
	int rc = m->parent.p ? show(w, m->parent, to) : 0;
	for (size_t i = 0; i < m->origins.n && rc == 0; i++)
		rc = show(w, m->origins.v[i], to);
	return rc;
}

int queue_delivery_move(struct queue_work *w, struct queue_message *m, enum queue_delivery_state to)
{
	struct queue_message old = *m;
	return queue_delivery_move_from(w, &old, m, to);
}

int queue_delivery_move_from(struct queue_work *w, const struct queue_message *stored, struct queue_message *m,
			     enum queue_delivery_state to)
{
	m->delivery = to;
	int rc = queue_message_put(w, stored, m);
	return rc < 0 || slice_is(m->made_as, "ack") || slice_is(m->made_as, "attachment") ? rc : queue_delivery_show(w, m, to);
}

/* --- operators ------------------------------------------------------------------------------------------------------------ */

bool queue_delivery_fits(const char *action, uint32_t state, enum queue_delivery_state *to)
{
	bool waiting = state == QUEUE_DELIVERY_QUEUED || state == QUEUE_DELIVERY_FAILED || state == QUEUE_DELIVERY_EXPIRED ||
		       state == QUEUE_DELIVERY_AWAITING_MDN;
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

/* Held because there was no connection to its receiver: is there one now? */
static int find_connection(struct queue_work *w, struct queue_delivery *d, struct queue_message *m)
{
	const struct profile *owner = w->directory && m->to.p ? directory_owner(w->directory, m->to, w->now) : NULL;
	const struct profile_connection *c = NULL;
	if (owner && owner->kind == PROFILE_PARTNER)
		for (size_t i = 0; i < owner->partner->connections.n && !c; i++) {
			const struct profile_connection *k = RECORD_AT(owner->partner->connections, struct profile_connection, i);
			c = queue_delivery_kind_of(k) >= 0 ? k : NULL;
		}
	if (!c)
		return van_error_set(&w->err, VAN_ESTATE, "there is no connection to the receiver of %.*s: add one to its profile",
				     SLICE_ARG(d->id));
	d->kind = (uint32_t)queue_delivery_kind_of(c);
	d->connection = m->connection = c->id;
	d->partner = m->partner = owner->id;
	m->protocol = slice_str(queue_delivery_kind_names[d->kind]);
	m->error = SLICE_NONE;
	return 0;
}

int queue_delivery_act(struct queue_work *w, struct slice id, const char *action, struct slice actor)
{
	struct queue_delivery d, old;
	struct queue_message m, before;
	enum queue_delivery_state to;
	int rc = queue_batch_act(w, id, action, actor);
	if (rc != VAN_ENOTFOUND)
		return rc;
	rc = queue_delivery_get(w, id, &d);
	if (rc == 0)
		rc = queue_message_get(w, d.message, &m);
	if (rc < 0)
		return rc;
	if (!queue_delivery_fits(action, d.state, &to))
		return van_error_set(&w->err, VAN_ESTATE, "can't %s a delivery that is %s", action,
				     queue_delivery_state_names[d.state]);
	old = d;
	before = m;
	if (to == QUEUE_DELIVERY_QUEUED && !d.connection.p)
		rc = find_connection(w, &d, &m);
	if (rc < 0)
		return rc;
	d.state = to;
	d.next = 0;
	d.round = d.interruptions = 0;
	rc = to == QUEUE_DELIVERY_DROPPED ? queue_delivery_forget(w, &old) : queue_delivery_put(w, &old, &d);
	if (rc == 0 && d.kind != QUEUE_TO_MDN) {
		m.error = to == QUEUE_DELIVERY_QUEUED ? SLICE_NONE : m.error;
		rc = queue_delivery_move_from(w, &before, &m, to);
	}
	struct slice text = van_arena_printf(w->arena, "delivery: %s", action);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &m, text, actor, NULL, 0);
}
