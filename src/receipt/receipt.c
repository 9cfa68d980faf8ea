/* Opening, appending, reading. Checkpoints and proofs are in receipt_checkpoints.c. */
#include "receipt/log_state.h"

#include "base/codec.h"

#include <stdio.h>
#include <stdlib.h>

static int open_tables(struct receipts *r, struct van_error *err)
{
	const struct {
		const char *name;
		store_table_id *id;
	} tables[] = {
		{"receipt-log", &r->logs}, {"receipt-leaf", &r->leaves}, {"receipt-node", &r->nodes},
		{"receipt-message", &r->messages}, {"receipt-salt", &r->salts}, {"receipt-checkpoint", &r->checkpoints},
	};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		int rc = store_table(r->s, tables[i].name, tables[i].id, err);
		if (rc)
			return rc;
	}
	return 0;
}

static void origin_of(const struct receipts *r, uint32_t year, char to[RECEIPT_ORIGIN_MAX + 1])
{
	snprintf(to, RECEIPT_ORIGIN_MAX + 1, "%.200s/receipts/%04u", r->host, year);
}

int receipts_open(struct store *s, struct slice host, struct receipts **ret, struct van_error *err)
{
	struct receipts *r = calloc(1, sizeof *r);
	if (!r)
		return van_error_set(err, VAN_ENOMEM, "receipt log: out of memory");
	r->s = s;
	snprintf(r->host, sizeof r->host, "%.*s", SLICE_ARG(host));
	char origin[RECEIPT_ORIGIN_MAX + 1];
	struct receipt_vkey unused;
	origin_of(r, 2000, origin);
	int rc = 0;
	if (host.n == 0 || host.n > 200 || receipt_vkey_make(slice_str(origin), (const unsigned char[RECEIPT_KEY]){0}, &unused))
		rc = van_error_set(err, VAN_EINVAL, "network.host \"%.100s\" can't name a receipt log: use a host name such as van.example",
			r->host);
	if (rc == 0)
		rc = open_tables(r, err);
	if (rc) {
		free(r);
		return rc;
	}
	*ret = r;
	return 0;
}

void receipts_close(struct receipts *r)
{
	free(r);
}

/* --- appending --- */

struct node_sink {
	struct store_txn *t;
	struct receipts *r;
	uint32_t year;
};

static void keep_node(void *arg, unsigned level, uint64_t index, const struct receipt_hash *h)
{
	struct node_sink *s = arg;
	if (level)
		receipt_node_put(s->t, s->r, s->year, level, index, h); /* a failure latches */
}

static struct store_key salt_key(struct receipt_ref ref, struct slice name)
{
	struct store_key k = receipt_leaf_key(ref.log, ref.index);
	store_key_text(&k, name);
	return k;
}

static void keep_salts(struct store_txn *t, struct receipts *r, struct receipt_ref ref, const struct receipt_leaf *leaf)
{
	for (size_t i = 0; i < leaf->n_artefacts; i++) {
		const struct receipt_artefact *a = &leaf->artefacts[i];
		if (!a->has_salt)
			continue;
		struct store_key k = salt_key(ref, a->name);
		store_put(t, r->salts, store_key_slice(&k), slice_make(a->salt, RECEIPT_SALT));
	}
}

static void keep_message(struct store_txn *t, struct receipts *r, struct receipt_ref ref, struct slice message)
{
	if (!message.n)
		return;
	struct store_key k = STORE_KEY_INIT;
	store_key_text(&k, message);
	store_key_u32(&k, ref.log);
	store_key_u64(&k, ref.index);
	store_put(t, r->messages, store_key_slice(&k), SLICE(""));
}

/* Writes the leaf as the next one of this log. Nothing is changed when it can't be written. */
static int append(struct store_txn *t, struct receipts *r, struct log_state *st, struct receipt_leaf *leaf, struct van_error *err)
{
	struct van_buf json = VAN_BUF_INIT(2 * RECEIPT_LEAF_MAX);
	if (leaf->time < st->last)
		leaf->time = st->last;
	int rc = receipt_leaf_write(leaf, &json, err);
	if (rc == 0) {
		struct receipt_ref ref = {st->year, st->edge.size};
		struct store_key k = receipt_leaf_key(ref.log, ref.index);
		struct receipt_hash h = receipt_leaf_hash(van_buf_slice(&json));
		store_put(t, r->leaves, store_key_slice(&k), van_buf_slice(&json));
		receipt_edge_add(&st->edge, &h, keep_node, &(struct node_sink){t, r, st->year});
		keep_message(t, r, ref, leaf->message);
		keep_salts(t, r, ref, leaf);
		st->last = leaf->time;
		rc = log_state_put(t, r, st);
		if (rc)
			van_error_set(err, rc, "the receipt log can't be written: %s", van_err_name(rc));
	}
	van_buf_free(&json);
	return rc;
}

/* Begins a year's log with a leaf that says how the one before it ended. */
static int start_after(struct store_txn *t, struct receipts *r, struct log_state *st, const struct log_state *old, van_time now,
	struct van_error *err)
{
	struct receipt_hash root = receipt_edge_root(&old->edge);
	struct van_buf text = VAN_BUF_INIT(1024);
	van_buf_printf(&text, "previous log %s size %llu root ", old->origin, (unsigned long long)old->edge.size);
	base64_encode(&text, root.b, RECEIPT_HASH, 0);
	struct receipt_leaf leaf = {.event = RECEIPT_LOG_STARTED, .time = now, .text = van_buf_slice(&text), .previous = RECEIPT_NO_LEAF};
	int rc = append(t, r, st, &leaf, err);
	van_buf_free(&text);
	return rc;
}

/* The log that a leaf of this time belongs to: the newest, or a new one where its year has come. */
static int current_log(struct store_txn *t, struct receipts *r, van_time time, struct log_state *st, struct van_error *err)
{
	struct log_state old;
	uint32_t year = (uint32_t)van_time_civil(time).year;
	int rc = log_state_newest(t, r, st);
	if (rc == 0 && year <= st->year)
		return 0;
	if (rc && rc != VAN_ENOTFOUND)
		return van_error_set(err, rc, "the receipt log can't be read: %s", van_err_name(rc));
	bool first = rc == VAN_ENOTFOUND;
	if (!first)
		old = *st;
	*st = (struct log_state){.year = year};
	origin_of(r, year, st->origin);
	return first ? 0 : start_after(t, r, st, &old, time > old.last ? time : old.last, err);
}

/* This message's newest leaf. */
static int find_previous(struct store_txn *t, struct receipts *r, struct slice message, struct receipt_ref *ret)
{
	struct store_key prefix = STORE_KEY_INIT;
	struct store_cursor *c;
	struct slice k;
	store_key_text(&prefix, message);
	int rc = store_cursor_open(t, r->messages, store_key_slice(&prefix), &c);
	if (rc)
		return rc;
	rc = store_cursor_last(c, &k, NULL);
	if (rc == 0) {
		struct wire w = store_key_wire(slice_make(k.p + prefix.n, k.n - prefix.n));
		ret->log = store_key_take_u32(&w);
		ret->index = store_key_take_u64(&w);
		rc = w.bad ? VAN_EIO : 0;
	}
	store_cursor_close(c);
	return rc;
}

static int link_previous(struct store_txn *t, struct receipts *r, uint32_t year, struct receipt_leaf *leaf, struct log_state *other)
{
	struct receipt_ref ref;
	leaf->previous = RECEIPT_NO_LEAF;
	leaf->previous_log = SLICE_NONE;
	int rc = leaf->message.n ? find_previous(t, r, leaf->message, &ref) : VAN_ENOTFOUND;
	if (rc)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	leaf->previous = ref.index;
	if (ref.log == year)
		return 0;
	rc = log_state_get(t, r, ref.log, other);
	leaf->previous_log = slice_str(other->origin);
	return rc;
}

int receipt_append(struct store_txn *t, struct receipts *r, const struct receipt_leaf *leaf, struct receipt_ref *ret,
	struct van_error *err)
{
	struct log_state st, other;
	struct receipt_leaf l = *leaf;
	l.version = 0;
	int rc = current_log(t, r, leaf->time, &st, err);
	if (rc)
		return rc;
	rc = link_previous(t, r, st.year, &l, &other);
	if (rc)
		return van_error_set(err, rc, "the receipt log can't be read: %s", van_err_name(rc));
	struct receipt_ref ref = {st.year, st.edge.size};
	rc = append(t, r, &st, &l, err);
	if (rc == 0 && ret)
		*ret = ref;
	return rc;
}

/* --- reading --- */

static void describe(const struct log_state *st, struct receipt_log *ret)
{
	*ret = (struct receipt_log){.year = st->year, .size = st->edge.size, .root = receipt_edge_root(&st->edge), .last = st->last,
		.signed_size = st->signed_size, .signed_at = st->signed_at};
	memcpy(ret->origin, st->origin, sizeof ret->origin);
}

int receipt_log_get(struct store_txn *t, struct receipts *r, uint32_t year, struct receipt_log *ret)
{
	struct log_state st;
	int rc = log_state_get(t, r, year, &st);
	if (rc == 0)
		describe(&st, ret);
	return rc;
}

int receipt_log_each(struct store_txn *t, struct receipts *r, int (*fn)(void *arg, const struct receipt_log *log), void *arg)
{
	struct store_cursor *c;
	struct slice k, v;
	int rc = store_cursor_open(t, r->logs, SLICE_NONE, &c);
	if (rc)
		return rc;
	while (rc == 0 && (rc = store_cursor_next(c, &k, &v)) == 0) {
		struct log_state st;
		struct receipt_log log;
		rc = log_state_decode(k, v, &st);
		if (rc == 0) {
			describe(&st, &log);
			rc = fn(arg, &log);
		}
		if (rc) {
			store_cursor_close(c);
			return rc;
		}
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int receipt_get(struct store_txn *t, struct receipts *r, struct receipt_ref ref, struct slice *ret)
{
	struct store_key k = receipt_leaf_key(ref.log, ref.index);
	return store_get(t, r->leaves, store_key_slice(&k), ret);
}

/* Reads "year, index" from the end of a key. */
static struct receipt_ref ref_of(struct slice key)
{
	struct wire w = store_key_wire(key.n >= 12 ? slice_make(key.p + key.n - 12, 12) : key);
	struct receipt_ref ref;
	ref.log = store_key_take_u32(&w);
	ref.index = store_key_take_u64(&w);
	return ref;
}

int receipt_each(struct store_txn *t, struct receipts *r, struct receipt_ref from,
	int (*fn)(void *arg, struct receipt_ref ref, struct slice leaf), void *arg)
{
	struct store_key first = receipt_leaf_key(from.log, from.index);
	struct store_cursor *c;
	struct slice k, v;
	int rc = store_cursor_open(t, r->leaves, SLICE_NONE, &c);
	if (rc)
		return rc;
	rc = store_cursor_seek(c, store_key_slice(&first), &k, &v);
	int stop = 0;
	while (rc == 0 && (stop = fn(arg, ref_of(k), v)) == 0)
		rc = store_cursor_next(c, &k, &v);
	store_cursor_close(c);
	return stop ? stop : rc == VAN_ENOTFOUND ? 0 : rc;
}

int receipt_each_of_message(struct store_txn *t, struct receipts *r, struct slice message,
	int (*fn)(void *arg, struct receipt_ref ref, struct slice leaf), void *arg)
{
	struct store_key prefix = STORE_KEY_INIT;
	struct store_cursor *c;
	struct slice k, leaf;
	store_key_text(&prefix, message);
	int rc = store_cursor_open(t, r->messages, store_key_slice(&prefix), &c);
	if (rc)
		return rc;
	int stop = 0;
	while (!stop && (rc = store_cursor_next(c, &k, NULL)) == 0) {
		struct receipt_ref ref = ref_of(k);
		rc = receipt_get(t, r, ref, &leaf);
		stop = rc == 0 ? fn(arg, ref, leaf) : rc == VAN_ENOTFOUND ? VAN_EIO : rc;
	}
	store_cursor_close(c);
	return stop ? stop : rc == VAN_ENOTFOUND ? 0 : rc;
}

static int time_of(struct store_txn *t, struct receipts *r, struct receipt_ref ref, struct van_arena *arena, van_time *ret)
{
	struct slice json;
	struct receipt_leaf leaf;
	int rc = receipt_get(t, r, ref, &json);
	van_arena_reset(arena);
	if (rc == 0)
		rc = receipt_leaf_parse(json, arena, &leaf, NULL);
	if (rc == 0)
		*ret = leaf.time;
	return rc;
}

int receipt_find_time(struct store_txn *t, struct receipts *r, uint32_t year, van_time time, uint64_t *ret_index)
{
	struct log_state st;
	int rc = log_state_get(t, r, year, &st);
	if (rc)
		return rc;
	struct van_arena *arena = van_arena_new(1 << 20);
	if (!arena)
		return VAN_ENOMEM;
	uint64_t low = 0, high = st.edge.size;
	while (rc == 0 && low < high) {
		uint64_t middle = low + (high - low) / 2;
		van_time at;
		rc = time_of(t, r, (struct receipt_ref){st.year, middle}, arena, &at);
		if (rc == 0 && at < time)
			low = middle + 1;
		else
			high = middle;
	}
	van_arena_free(arena);
	if (rc == 0)
		*ret_index = low;
	return rc;
}

/* --- salts --- */

int receipt_salt_get(struct store_txn *t, struct receipts *r, struct receipt_ref ref, struct slice name, unsigned char salt[RECEIPT_SALT])
{
	struct store_key k = salt_key(ref, name);
	struct slice v;
	int rc = store_get(t, r->salts, store_key_slice(&k), &v);
	if (rc == 0 && v.n != RECEIPT_SALT)
		return VAN_EIO;
	if (rc == 0)
		memcpy(salt, v.p, RECEIPT_SALT);
	return rc;
}

int receipt_salt_delete(struct store_txn *t, struct receipts *r, struct receipt_ref ref, struct slice name)
{
	struct store_key k = salt_key(ref, name);
	return store_del(t, r->salts, store_key_slice(&k));
}
