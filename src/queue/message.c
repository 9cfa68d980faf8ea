#include "queue/internal.h"

int queue_message_get(struct queue_work *w, struct slice id, struct queue_message *ret)
{
	if (!van_id_valid(id))
		return van_error_set(&w->err, VAN_ENOTFOUND, "no message %.*s: see vanctl message list", SLICE_ARG(id));
	int rc = queue_get_record(w, w->q->message, id, &queue_message_table, ret);
	if (rc == VAN_ENOTFOUND)
		van_error_set(&w->err, VAN_ENOTFOUND, "no message %.*s: see vanctl message list", SLICE_ARG(id));
	return rc;
}

static void index_key(struct store_key *k, char kind, struct slice value)
{
	*k = STORE_KEY_INIT;
	store_key_u8(k, (uint8_t)kind);
	store_key_text(k, value);
}

int queue_index_put(struct queue_work *w, char kind, struct slice value, struct slice id)
{
	struct store_key k;
	index_key(&k, kind, value);
	store_key_fixed(&k, id.p, id.n);
	w->writes++;
	return store_put(w->txn, w->q->index, store_key_slice(&k), SLICE(""));
}

int queue_index_del(struct queue_work *w, char kind, struct slice value, struct slice id)
{
	struct store_key k;
	index_key(&k, kind, value);
	store_key_fixed(&k, id.p, id.n);
	w->writes++;
	int rc = store_del(w->txn, w->q->index, store_key_slice(&k));
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

struct slice queue_search_text(struct slice s)
{
	s = slice_trim(s);
	if (s.n > 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = slice_make(s.p + 1, s.n - 2);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return s;
	while (s.n > 1 && s.p[0] == '0')
		s = slice_make(s.p + 1, s.n - 1);
	return s;
}

int queue_search_put(struct queue_work *w, struct slice text, struct slice id)
{
	struct slice s = queue_search_text(text);
	return s.n ? queue_index_put(w, QUEUE_INDEX_SEARCH, s, id) : 0;
}

int queue_accepted_put(struct queue_work *w, struct slice as2_message_id, struct slice id)
{
	return as2_message_id.n ? queue_index_put(w, QUEUE_INDEX_ACCEPTED, queue_search_text(as2_message_id), id) : 0;
}

int queue_accepted_each(struct queue_work *w, struct slice as2_message_id, int (*fn)(void *arg, const struct queue_message *m),
			void *arg)
{
	struct store_key k;
	struct store_cursor *c;
	struct slice key;
	index_key(&k, QUEUE_INDEX_ACCEPTED, queue_search_text(as2_message_id));
	int rc = store_cursor_open(w->txn, w->q->index, store_key_slice(&k), &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, &key, NULL)) == 0) {
		struct queue_message m;
		rc = key.n == k.n + VAN_ID_LEN ? queue_message_get(w, slice_make(key.p + k.n, VAN_ID_LEN), &m) : VAN_EINTERNAL;
		if (rc == VAN_ENOTFOUND) /* the entry of a message that is gone must not hide those of others */
			continue;
		if (rc < 0 || (rc = fn(arg, &m)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* States that most messages end in are not indexed: lists find those by scanning. */
static const char *indexed_state(uint32_t s)
{
	return s == QUEUE_RECEIVED || s == QUEUE_PROCESSED ? NULL : queue_state_names[s];
}

static const char *indexed_delivery(uint32_t d)
{
	return d == QUEUE_DELIVERY_NONE || d == QUEUE_DELIVERY_DELIVERED || d == QUEUE_DELIVERY_COLLECTED
		       ? NULL : queue_delivery_state_names[d];
}

static const char *indexed_ack(uint32_t a)
{
	return a == QUEUE_ACK_NONE || a == QUEUE_ACK_ACCEPTED ? NULL : queue_ack_state_names[a];
}

static int move_index(struct queue_work *w, char kind, const char *from, const char *to, struct slice id)
{
	int rc = 0;
	if (from == to)
		return 0;
	if (from)
		rc = queue_index_del(w, kind, slice_str(from), id);
	if (rc == 0 && to)
		rc = queue_index_put(w, kind, slice_str(to), id);
	return rc;
}

/* The name under which a partner's messages are listed; unknown senders have a list too. */
static int index_new(struct queue_work *w, const struct queue_message *m)
{
	int rc = 0;
	if (m->partner.p)
		rc = queue_index_put(w, QUEUE_INDEX_PARTNER, m->partner, m->id);
	if (rc == 0 && m->parent.p)
		rc = queue_index_put(w, QUEUE_INDEX_PARENT, m->parent, m->id);
	return rc;
}

int queue_message_put(struct queue_work *w, const struct queue_message *old, const struct queue_message *m)
{
	int rc = old ? 0 : index_new(w, m);
	if (rc == 0)
		rc = move_index(w, QUEUE_INDEX_STATE, old ? indexed_state(old->state) : NULL, indexed_state(m->state), m->id);
	if (rc == 0)
		rc = move_index(w, QUEUE_INDEX_DELIVERY, old ? indexed_delivery(old->delivery) : NULL,
				indexed_delivery(m->delivery), m->id);
	if (rc == 0)
		rc = move_index(w, QUEUE_INDEX_ACK, old ? indexed_ack(old->ack) : NULL, indexed_ack(m->ack), m->id);
	return rc < 0 ? rc : queue_put_record(w, w->q->message, m->id, &queue_message_table, m);
}
