/* Lists of messages, newest first: from the index that fits the filter best, else by time. */
#include "queue/internal.h"

#define LIMIT_DEFAULT 100
/* Identifiers never go back, clocks do, and messages carry the time of their arrival: so much the two may differ. */
#define SLACK (600 * VAN_SECOND)

/* Identifiers begin with 48 bits of milliseconds: the smallest one of a time. */
static struct slice id_floor(char to[VAN_ID_LEN + 1], van_time t)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t ms = t > 0 ? (uint64_t)(t / 1000) : 0;
	memset(to, '0', VAN_ID_LEN);
	to[VAN_ID_LEN] = 0;
	/* 130 bits in 26 digits, 2 of them before the time: 50 bits are 10 digits. */
	for (int d = 9; d >= 0; d--, ms >>= 5)
		to[d] = alphabet[ms & 31];
	return slice_make(to, VAN_ID_LEN);
}

static bool text_fits(struct slice want, struct slice have)
{
	return !want.p || slice_eq(want, have);
}

static bool number_fits(int want, uint32_t have)
{
	return want < 0 || (uint32_t)want == have;
}

/* An identity as it is stored ("x12 ZZ:ACME"), or without the standard. */
static bool identity_fits(struct slice want, struct slice have)
{
	if (text_fits(want, have))
		return true;
	struct slice rest = have;
	slice_cut(&rest, ' ');
	return rest.p && slice_eq(want, rest);
}

static bool fits(const struct queue_filter *f, const struct queue_message *m)
{
	return text_fits(f->partner, m->partner) && text_fits(f->type, m->type) && identity_fits(f->from, m->from) &&
	       identity_fits(f->to, m->to) && text_fits(f->connection, m->connection) && text_fits(f->parent, m->parent) &&
	       number_fits(f->direction, m->direction) && number_fits(f->env, m->env) && number_fits(f->state, m->state) &&
	       number_fits(f->delivery, m->delivery) && number_fits(f->ack, m->ack) && (!f->since || m->time >= f->since) &&
	       (!f->until || m->time < f->until);
}

/* Fills the prefix of the index to walk; false where the messages themselves are walked. */
static bool choose(const struct queue_filter *f, struct store_key *k)
{
	char kind = 0;
	struct slice value = SLICE_NONE;
	if (f->search.p) {
		kind = QUEUE_INDEX_SEARCH;
		value = queue_search_text(f->search);
	} else if (f->parent.p) {
		kind = QUEUE_INDEX_PARENT;
		value = f->parent;
	} else if (f->state > QUEUE_RECEIVED && f->state < QUEUE_PROCESSED) {
		kind = QUEUE_INDEX_STATE;
		value = slice_str(queue_state_names[f->state]);
	} else if (f->delivery > QUEUE_DELIVERY_NONE && f->delivery != QUEUE_DELIVERY_DELIVERED &&
		   f->delivery != QUEUE_DELIVERY_COLLECTED) {
		kind = QUEUE_INDEX_DELIVERY;
		value = slice_str(queue_delivery_state_names[f->delivery]);
	} else if (f->ack > QUEUE_ACK_NONE && f->ack != QUEUE_ACK_ACCEPTED) {
		kind = QUEUE_INDEX_ACK;
		value = slice_str(queue_ack_state_names[f->ack]);
	} else if (f->partner.p) {
		kind = QUEUE_INDEX_PARTNER;
		value = f->partner;
	}
	*k = STORE_KEY_INIT;
	if (!kind)
		return false;
	store_key_u8(k, (uint8_t)kind);
	store_key_text(k, value);
	return true;
}

struct walk {
	struct queue_work *w;
	const struct queue_filter *filter;
	struct store_cursor *cursor;
	size_t prefix;      /* bytes of the key before the identifier */
	uint64_t left;
	char floor[VAN_ID_LEN + 1], ceiling[VAN_ID_LEN + 1];
	struct van_arena *arena; /* reused for each message */
	int (*fn)(void *arg, const struct queue_message *m);
	void *arg;
};

static int visit(struct walk *v, struct slice id)
{
	struct van_arena *outer = v->w->arena;
	struct queue_message m;
	van_arena_reset(v->arena);
	v->w->arena = v->arena;
	int rc = queue_message_get(v->w, id, &m);
	v->w->arena = outer;
	if (rc == VAN_ENOTFOUND)
		return 0;
	if (rc == 0 && fits(v->filter, &m)) {
		v->left--;
		rc = v->fn(v->arg, &m);
	}
	return rc;
}

/* Where the newest wanted identifier ends: the page before, or the time. */
static struct slice upper_bound(struct walk *v)
{
	const struct queue_filter *f = v->filter;
	struct slice by_time = f->until ? id_floor(v->ceiling, f->until + SLACK) : SLICE_NONE;
	if (!f->before.p)
		return by_time;
	return by_time.p && slice_cmp(by_time, f->before) < 0 ? by_time : f->before;
}

static int walk(struct walk *v, const struct store_key *prefix)
{
	struct slice key, before = upper_bound(v), since = SLICE_NONE;
	struct store_key end = *prefix;
	if (v->filter->since)
		since = id_floor(v->floor, v->filter->since - SLACK);
	int rc;
	if (before.p) {
		store_key_fixed(&end, before.p, before.n);
		rc = store_cursor_seek_before(v->cursor, store_key_slice(&end), &key, NULL);
	} else {
		rc = store_cursor_last(v->cursor, &key, NULL);
	}
	for (; rc == 0 && v->left; rc = store_cursor_prev(v->cursor, &key, NULL)) {
		if (key.n != v->prefix + VAN_ID_LEN)
			return VAN_EINTERNAL;
		char copy[VAN_ID_LEN];
		memcpy(copy, key.p + v->prefix, VAN_ID_LEN);
		struct slice id = slice_make(copy, VAN_ID_LEN);
		if (since.p && slice_cmp(id, since) < 0)
			break;
		rc = visit(v, id);
		if (rc)
			return rc;
	}
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_message_list(struct queue_work *w, const struct queue_filter *f, int (*fn)(void *arg, const struct queue_message *m),
		       void *arg)
{
	struct walk v = {.w = w, .filter = f, .left = f->limit ? f->limit : LIMIT_DEFAULT, .fn = fn, .arg = arg};
	struct store_key prefix;
	bool indexed = choose(f, &prefix);
	v.prefix = prefix.n;
	v.arena = van_arena_new(0);
	if (!v.arena)
		return VAN_ENOMEM;
	int rc = store_cursor_open(w->txn, indexed ? w->q->index : w->q->message, store_key_slice(&prefix), &v.cursor);
	if (rc == 0)
		rc = walk(&v, &prefix);
	store_cursor_close(v.cursor);
	van_arena_free(v.arena);
	return rc;
}

int queue_message_children(struct queue_work *w, struct slice id, int (*fn)(void *arg, const struct queue_message *m), void *arg)
{
	struct queue_filter f = QUEUE_FILTER_ANY;
	f.parent = id;
	f.limit = UINT64_MAX;
	return queue_message_list(w, &f, fn, arg);
}
