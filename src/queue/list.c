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

/* One run of keys that end with identifiers. */
struct run {
	struct store_cursor *cursor;
	struct store_key prefix;
	struct slice key; /* where it stands; absent past the end */
	char id[VAN_ID_LEN];
};

struct walk {
	struct queue_work *w;
	const struct queue_filter *filter;
	struct run runs[2]; /* a search looks through two */
	size_t nruns;
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

/* After a move of the cursor. The identifier is copied: whoever sees the message may change the store. */
static int stand(struct run *r, int rc)
{
	if (rc == VAN_ENOTFOUND) {
		r->key = SLICE_NONE;
		return 0;
	}
	if (rc < 0)
		return rc;
	if (r->key.n != r->prefix.n + VAN_ID_LEN)
		return VAN_EINTERNAL;
	memcpy(r->id, r->key.p + r->prefix.n, VAN_ID_LEN);
	return 0;
}

static int run_open(struct walk *v, store_table_id table, const struct store_key *prefix, struct slice before)
{
	struct run *r = &v->runs[v->nruns];
	struct store_key end = *prefix;
	r->prefix = *prefix;
	int rc = store_cursor_open(v->w->txn, table, store_key_slice(prefix), &r->cursor);
	if (rc < 0)
		return rc;
	v->nruns++;
	if (!before.p)
		return stand(r, store_cursor_last(r->cursor, &r->key, NULL));
	store_key_fixed(&end, before.p, before.n);
	return stand(r, store_cursor_seek_before(r->cursor, store_key_slice(&end), &r->key, NULL));
}

/* The run that stands on the newest identifier, or NULL. */
static struct run *newest(struct walk *v)
{
	struct run *best = NULL;
	for (struct run *r = v->runs; r < v->runs + v->nruns; r++)
		if (r->key.p && (!best || memcmp(r->id, best->id, VAN_ID_LEN) > 0))
			best = r;
	return best;
}

/* Every run moves off this identifier. */
static int step(struct walk *v, const char id[VAN_ID_LEN])
{
	int rc = 0;
	for (struct run *r = v->runs; r < v->runs + v->nruns && rc == 0; r++)
		while (rc == 0 && r->key.p && memcmp(r->id, id, VAN_ID_LEN) == 0)
			rc = stand(r, store_cursor_prev(r->cursor, &r->key, NULL));
	return rc;
}

static int walk(struct walk *v)
{
	struct slice since = v->filter->since ? id_floor(v->floor, v->filter->since - SLACK) : SLICE_NONE;
	int rc = 0;
	for (struct run *r; rc == 0 && v->left && (r = newest(v));) {
		char id[VAN_ID_LEN];
		memcpy(id, r->id, VAN_ID_LEN);
		if (since.p && slice_cmp(slice_make(id, VAN_ID_LEN), since) < 0)
			break;
		rc = visit(v, slice_make(id, VAN_ID_LEN));
		if (rc == 0)
			rc = step(v, id);
	}
	return rc;
}

static int open_runs(struct walk *v)
{
	struct store_key prefix;
	bool indexed = choose(v->filter, &prefix);
	struct slice before = upper_bound(v);
	int rc = run_open(v, indexed ? v->w->q->index : v->w->q->message, &prefix, before);
	if (rc < 0 || !v->filter->search.p)
		return rc;
	prefix.p[0] = QUEUE_INDEX_ACCEPTED; /* the same text among the Message-IDs of accepted messages */
	return run_open(v, v->w->q->index, &prefix, before);
}

int queue_message_list(struct queue_work *w, const struct queue_filter *f, int (*fn)(void *arg, const struct queue_message *m),
		       void *arg)
{
	struct walk v = {.w = w, .filter = f, .left = f->limit ? f->limit : LIMIT_DEFAULT, .fn = fn, .arg = arg};
	v.arena = van_arena_new(0);
	if (!v.arena)
		return VAN_ENOMEM;
	int rc = open_runs(&v);
	if (rc == 0)
		rc = walk(&v);
	for (size_t i = 0; i < v.nruns; i++)
		store_cursor_close(v.runs[i].cursor);
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
