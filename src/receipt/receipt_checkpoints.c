/* Proofs from the stored tree, and the checkpoints kept beside it. */
#include "receipt/log_state.h"

#define HOUR (3600 * VAN_SECOND)

static int source(struct store_txn *t, struct receipts *r, uint32_t year, uint64_t size, struct node_source *ret)
{
	struct log_state st;
	int rc = log_state_get(t, r, year, &st);
	if (rc)
		return rc;
	*ret = (struct node_source){t, r, st.year};
	return size <= st.edge.size ? 0 : VAN_EINVAL;
}

int receipt_consistency_proof(struct store_txn *t, struct receipts *r, uint32_t year, uint64_t old_size, uint64_t new_size,
	struct receipt_hash *to)
{
	struct node_source s;
	int rc = source(t, r, year, new_size, &s);
	return rc ? rc : receipt_tree_consistency(receipt_node_get, &s, old_size, new_size, to);
}

int receipt_inclusion_proof(struct store_txn *t, struct receipts *r, struct receipt_ref ref, uint64_t size,
	struct receipt_hash *to)
{
	struct node_source s;
	int rc = source(t, r, ref.log, size, &s);
	return rc ? rc : receipt_tree_inclusion(receipt_node_get, &s, ref.index, size, to);
}

int receipt_root_at(struct store_txn *t, struct receipts *r, uint32_t year, uint64_t size, struct receipt_hash *ret)
{
	struct node_source s;
	int rc = source(t, r, year, size, &s);
	return rc ? rc : receipt_tree_root(receipt_node_get, &s, size, ret);
}

/* The year's log whose origin this is. */
static int log_named(struct store_txn *t, struct receipts *r, const char *origin, struct log_state *ret)
{
	const char *slash = strrchr(origin, '/');
	unsigned long long year;
	if (!slash || !slice_u64(slice_str(slash + 1), &year) || year == 0 || year > UINT32_MAX)
		return VAN_ENOTFOUND;
	int rc = log_state_get(t, r, (uint32_t)year, ret);
	return rc == 0 && strcmp(ret->origin, origin) != 0 ? VAN_ENOTFOUND : rc;
}

int receipt_checkpoint_put(struct store_txn *t, struct receipts *r, struct slice note, van_time now, struct van_error *err)
{
	struct receipt_checkpoint c;
	struct log_state st;
	struct receipt_hash root;
	int rc = receipt_checkpoint_parse(note, &c, err);
	if (rc)
		return rc;
	rc = log_named(t, r, c.origin, &st);
	if (rc)
		return van_error_set(err, rc, "there is no receipt log %.200s", c.origin);
	rc = receipt_root_at(t, r, st.year, c.size, &root);
	if (rc == VAN_EINVAL || (rc == 0 && memcmp(root.b, c.root.b, RECEIPT_HASH) != 0))
		return van_error_set(err, VAN_ECRYPTO, "a checkpoint of %llu leaves does not fit the receipt log", (unsigned long long)c.size);
	if (rc)
		return van_error_set(err, rc, "the receipt log can't be read: %s", van_err_name(rc));
	if (c.size < st.signed_size)
		return van_error_set(err, VAN_ESTATE, "a checkpoint of %llu leaves came after one of %llu", (unsigned long long)c.size,
			(unsigned long long)st.signed_size);
	if (st.signed_size != c.size && st.signed_at / HOUR == now / HOUR) { /* the last of each hour stays */
		struct store_key old = receipt_leaf_key(st.year, st.signed_size);
		store_del(t, r->checkpoints, store_key_slice(&old));
	}
	struct store_key k = receipt_leaf_key(st.year, c.size);
	store_put(t, r->checkpoints, store_key_slice(&k), note);
	st.signed_size = c.size;
	st.signed_at = now;
	rc = log_state_put(t, r, &st);
	return rc ? van_error_set(err, rc, "the checkpoint can't be stored: %s", van_err_name(rc)) : 0;
}

int receipt_checkpoint_newest(struct store_txn *t, struct receipts *r, uint32_t year, struct slice *ret_note)
{
	struct log_state st;
	int rc = log_state_get(t, r, year, &st);
	if (rc)
		return rc;
	struct store_key k = receipt_leaf_key(st.year, st.signed_size);
	return store_get(t, r->checkpoints, store_key_slice(&k), ret_note);
}

int receipt_checkpoint_at_most(struct store_txn *t, struct receipts *r, uint32_t year, uint64_t size, struct slice *ret_note)
{
	struct store_key prefix = receipt_year_key(year), bound = receipt_leaf_key(year, size + 1);
	struct store_cursor *c;
	int rc = store_cursor_open(t, r->checkpoints, store_key_slice(&prefix), &c);
	if (rc)
		return rc;
	rc = store_cursor_seek_before(c, store_key_slice(&bound), NULL, ret_note);
	store_cursor_close(c);
	return rc;
}
