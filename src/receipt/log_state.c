#include "receipt/log_state.h"

#include <stdio.h>

#define STATE_VERSION 1

struct store_key receipt_year_key(uint32_t year)
{
	struct store_key k = STORE_KEY_INIT;
	store_key_u32(&k, year);
	return k;
}

struct store_key receipt_leaf_key(uint32_t year, uint64_t index)
{
	struct store_key k = receipt_year_key(year);
	store_key_u64(&k, index);
	return k;
}

/* The record: version, size, time of the last leaf, signed size and time, length and text of the origin, then one hash for each
 * 1-bit of the size. */
int log_state_put(struct store_txn *t, struct receipts *r, const struct log_state *st)
{
	char bytes[8 * 4 + 3 + RECEIPT_ORIGIN_MAX + RECEIPT_PROOF_MAX * RECEIPT_HASH];
	struct store_key head = STORE_KEY_INIT, k = receipt_year_key(st->year);
	size_t n_origin = strlen(st->origin), n_edge = (size_t)__builtin_popcountll(st->edge.size) * RECEIPT_HASH;
	store_key_u8(&head, STATE_VERSION);
	store_key_u64(&head, st->edge.size);
	store_key_time(&head, st->last);
	store_key_u64(&head, st->signed_size);
	store_key_time(&head, st->signed_at);
	store_key_u8(&head, (uint8_t)n_origin);
	memcpy(bytes, head.p, head.n);
	memcpy(bytes + head.n, st->origin, n_origin);
	memcpy(bytes + head.n + n_origin, st->edge.h, n_edge);
	return store_put(t, r->logs, store_key_slice(&k), slice_make(bytes, head.n + n_origin + n_edge));
}

int log_state_decode(struct slice key, struct slice bytes, struct log_state *ret)
{
	struct wire k = store_key_wire(key), w = store_key_wire(bytes);
	ret->year = store_key_take_u32(&k);
	if (wire_u8(&w) != STATE_VERSION)
		return w.bad ? VAN_EIO : VAN_EVERSION;
	ret->edge.size = store_key_take_u64(&w);
	ret->last = store_key_take_time(&w);
	ret->signed_size = store_key_take_u64(&w);
	ret->signed_at = store_key_take_time(&w);
	struct slice origin = wire_bytes(&w, wire_u8(&w));
	struct slice edge = wire_bytes(&w, (size_t)__builtin_popcountll(ret->edge.size) * RECEIPT_HASH);
	if (w.bad || k.bad || w.n)
		return VAN_EIO;
	snprintf(ret->origin, sizeof ret->origin, "%.*s", SLICE_ARG(origin));
	memcpy(ret->edge.h, edge.p, edge.n);
	return 0;
}

int log_state_get(struct store_txn *t, struct receipts *r, uint32_t year, struct log_state *ret)
{
	if (year == 0)
		return log_state_newest(t, r, ret);
	struct store_key k = receipt_year_key(year);
	struct slice v;
	int rc = store_get(t, r->logs, store_key_slice(&k), &v);
	return rc ? rc : log_state_decode(store_key_slice(&k), v, ret);
}

int log_state_newest(struct store_txn *t, struct receipts *r, struct log_state *ret)
{
	struct store_cursor *c;
	struct slice k, v;
	int rc = store_cursor_open(t, r->logs, SLICE_NONE, &c);
	if (rc)
		return rc;
	rc = store_cursor_last(c, &k, &v);
	if (rc == 0)
		rc = log_state_decode(k, v, ret);
	store_cursor_close(c);
	return rc;
}

static struct store_key node_key(uint32_t year, unsigned level, uint64_t index)
{
	struct store_key k = receipt_year_key(year);
	store_key_u8(&k, (uint8_t)level);
	store_key_u64(&k, index);
	return k;
}

int receipt_node_put(struct store_txn *t, struct receipts *r, uint32_t year, unsigned level, uint64_t index,
	const struct receipt_hash *h)
{
	struct store_key k = node_key(year, level, index);
	return store_put(t, r->nodes, store_key_slice(&k), slice_make(h->b, RECEIPT_HASH));
}

/* Leaf hashes are not stored: the leaves are. */
int receipt_node_get(void *arg, unsigned level, uint64_t index, struct receipt_hash *ret)
{
	struct node_source *s = arg;
	struct store_key k = level ? node_key(s->year, level, index) : receipt_leaf_key(s->year, index);
	struct slice v;
	int rc = store_get(s->t, level ? s->r->nodes : s->r->leaves, store_key_slice(&k), &v);
	if (rc == VAN_ENOTFOUND || (rc == 0 && level && v.n != RECEIPT_HASH))
		return VAN_EIO; /* the log is damaged */
	if (rc)
		return rc;
	if (level)
		memcpy(ret->b, v.p, RECEIPT_HASH);
	else
		*ret = receipt_leaf_hash(v);
	return 0;
}
