/* Cursors: a prefix and a place in it, over the backend's five moves. */
#include "store/redo.h"

#include <stdlib.h>

int store_cursor_open(struct store_txn *t, store_table_id table, struct slice prefix, struct store_cursor **ret)
{
	if (t->error)
		return t->error;
	if (prefix.n > STORE_KEY_MAX)
		return t->error = VAN_EINVAL;
	struct store_cursor *c;
	int rc = t->s->ops->cursor_open(t, table, &c);
	if (rc)
		return t->error = rc;
	c->t = t;
	c->table = table;
	c->state = CURSOR_UNSET;
	c->n_prefix = prefix.n;
	if (prefix.n)
		memcpy(c->prefix, prefix.p, prefix.n);
	c->prev = NULL;
	c->next = t->cursors;
	if (t->cursors)
		t->cursors->prev = c;
	t->cursors = c;
	*ret = c;
	return 0;
}

void store_cursor_close(struct store_cursor *c)
{
	if (!c)
		return;
	if (c->prev)
		c->prev->next = c->next;
	else
		c->t->cursors = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->t->s->ops->cursor_close(c);
}

static bool inside(const struct store_cursor *c, struct slice key)
{
	return key.n >= c->n_prefix && memcmp(key.p, c->prefix, c->n_prefix) == 0;
}

/* Moves; outside the prefix is the end. `edge`: where the cursor then stands. */
static int move(struct store_cursor *c, enum store_move m, struct slice seek, enum cursor_state edge, struct slice *key,
	struct slice *value)
{
	if (c->t->error)
		return c->t->error;
	struct slice k, v;
	int rc = c->t->s->ops->cursor_move(c, m, seek, &k, &v);
	if (rc == 0 && !inside(c, k))
		rc = VAN_ENOTFOUND;
	if (rc == VAN_ENOTFOUND)
		c->state = edge;
	if (rc < 0) {
		if (rc != VAN_ENOTFOUND)
			c->t->error = rc;
		return rc;
	}
	c->state = CURSOR_AT;
	if (key)
		*key = k;
	if (value)
		*value = v;
	return 0;
}

int store_cursor_first(struct store_cursor *c, struct slice *key, struct slice *value)
{
	if (c->n_prefix == 0)
		return move(c, STORE_FIRST, SLICE_NONE, CURSOR_AFTER, key, value);
	return move(c, STORE_SEEK, slice_make(c->prefix, c->n_prefix), CURSOR_AFTER, key, value);
}

/* The last entry before `bound`; without a bound the table's last. */
static int before(struct store_cursor *c, struct slice bound, struct slice *key, struct slice *value)
{
	if (c->t->error)
		return c->t->error;
	struct slice k, v;
	int rc = bound.n ? c->t->s->ops->cursor_move(c, STORE_SEEK, bound, &k, &v) : VAN_ENOTFOUND;
	if (rc == 0)
		return move(c, STORE_PREV, SLICE_NONE, CURSOR_BEFORE, key, value);
	if (rc != VAN_ENOTFOUND)
		return c->t->error = rc;
	return move(c, STORE_LAST, SLICE_NONE, CURSOR_BEFORE, key, value);
}

int store_cursor_last(struct store_cursor *c, struct slice *key, struct slice *value)
{
	char bound[STORE_KEY_MAX];
	size_t n = c->n_prefix;
	memcpy(bound, c->prefix, n);
	while (n && (unsigned char)bound[n - 1] == 0xff) /* the first key after all that begin with the prefix */
		n--;
	if (n)
		bound[n - 1]++;
	return before(c, slice_make(bound, n), key, value);
}

int store_cursor_next(struct store_cursor *c, struct slice *key, struct slice *value)
{
	switch (c->state) {
	case CURSOR_AT:
		return move(c, STORE_NEXT, SLICE_NONE, CURSOR_AFTER, key, value);
	case CURSOR_DELETED:
		return move(c, STORE_SEEK, slice_make(c->deleted, c->n_deleted), CURSOR_AFTER, key, value);
	case CURSOR_AFTER:
		return c->t->error ? c->t->error : VAN_ENOTFOUND;
	default:
		return store_cursor_first(c, key, value);
	}
}

int store_cursor_prev(struct store_cursor *c, struct slice *key, struct slice *value)
{
	switch (c->state) {
	case CURSOR_AT:
		return move(c, STORE_PREV, SLICE_NONE, CURSOR_BEFORE, key, value);
	case CURSOR_DELETED:
		return before(c, slice_make(c->deleted, c->n_deleted), key, value);
	case CURSOR_BEFORE:
		return c->t->error ? c->t->error : VAN_ENOTFOUND;
	default:
		return store_cursor_last(c, key, value);
	}
}

static bool below_prefix(const struct store_cursor *c, struct slice key)
{
	return slice_cmp(key, slice_make(c->prefix, c->n_prefix)) < 0;
}

int store_cursor_seek(struct store_cursor *c, struct slice key, struct slice *ret_key, struct slice *value)
{
	if (key.n == 0 || below_prefix(c, key))
		return store_cursor_first(c, ret_key, value);
	if (key.n > STORE_KEY_MAX)
		return c->t->error ? c->t->error : (c->t->error = VAN_EINVAL);
	return move(c, STORE_SEEK, key, CURSOR_AFTER, ret_key, value);
}

int store_cursor_seek_before(struct store_cursor *c, struct slice key, struct slice *ret_key, struct slice *value)
{
	if (key.n == 0 || key.n > STORE_KEY_MAX)
		return c->t->error ? c->t->error : (c->t->error = VAN_EINVAL);
	if (!below_prefix(c, key) && !inside(c, key)) /* beyond the prefix */
		return store_cursor_last(c, ret_key, value);
	return before(c, key, ret_key, value);
}

int store_cursor_del(struct store_cursor *c)
{
	if (c->t->error)
		return c->t->error;
	if (c->state != CURSOR_AT || c->t->mode != STORE_WRITE)
		return c->t->error = VAN_EINVAL;
	int rc = c->t->s->ops->cursor_del(c);
	if (rc)
		return c->t->error = rc;
	redo_del(c->t, c->table, slice_make(c->deleted, c->n_deleted));
	c->state = CURSOR_DELETED;
	return c->t->error = c->t->redo ? c->t->redo->error : 0; /* deleted and not recorded: the transaction is spoilt */
}
