/* Opening, transactions and single keys: what is the same for every backend. Cursors are in cursor.c. */
#include "store/redo.h"

#include <stdlib.h>

#define FORMAT_TABLE "store"
#define FORMAT_KEY SLICE("format")
#define FORMAT_VALUE SLICE("openvan-store 1")

static const struct store_ops *const backends[] = {&store_lmdb_ops};
static const char *const names[] = {"lmdb", NULL};

const char *const *store_backends(void)
{
	return names;
}

static const struct store_ops *backend_named(const char *name)
{
	for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
		if (!name || strcmp(name, backends[i]->name) == 0)
			return backends[i];
	return NULL;
}

/* Writes the format's name into a new store, and refuses another one in an old store. */
static int check_format(struct store *s, struct van_error *err)
{
	store_table_id table;
	int rc = store_table(s, FORMAT_TABLE, &table, err);
	if (rc)
		return rc;
	struct store_txn *t;
	if ((rc = store_begin(s, s->look_only ? STORE_SNAPSHOT : STORE_WRITE, &t, err)))
		return rc;
	struct slice found;
	rc = store_get(t, table, FORMAT_KEY, &found);
	if (rc == VAN_ENOTFOUND && !s->look_only) {
		store_put(t, table, FORMAT_KEY, FORMAT_VALUE);
		return store_commit(t, err);
	}
	if (rc == 0 && !slice_eq(found, FORMAT_VALUE))
		rc = van_error_set(err, VAN_EVERSION, "the store has format \"%.40s\", this program reads \"%s\": use the program that wrote it",
			found.n ? found.p : "", FORMAT_VALUE.p);
	else if (rc)
		van_error_set(err, rc, "the store's format can't be read: %s", van_err_name(rc));
	store_abort(t);
	return rc;
}

int store_open(const struct store_options *o, struct store **ret, struct van_error *err)
{
	const struct store_ops *ops = backend_named(o->backend);
	if (!ops)
		return van_error_set(err, VAN_EINVAL, "store backend \"%s\" is unknown; known: lmdb", o->backend);
	struct store *s;
	int rc = ops->open(o, &s, err);
	if (rc)
		return rc;
	s->ops = ops;
	s->look_only = o->look_only;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	if ((rc = check_format(s, err))) {
		store_close(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_drop_log(s);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	s->ops->close(s);
}

int store_table(struct store *s, const char *name, store_table_id *ret, struct van_error *err)
{
	int rc = s->ops->table(s, name, ret, err);
	if (rc == VAN_EAGAIN && (rc = store_grow(s, err)) == 0)
		rc = s->ops->table(s, name, ret, err);
	if (rc == 0 && *ret >= STORE_TABLES_MAX)
		rc = van_error_set(err, VAN_ELIMIT, "a defect: more than %d tables", STORE_TABLES_MAX);
	if (rc == 0) {
		s->names[*ret] = name;
		s->tables++;
	}
	return rc;
}

/* --- transactions --- */

int store_begin_plain(struct store *s, enum store_mode mode, struct store_txn **ret, struct van_error *err)
{
	/* Enter with a stand-in, because the transaction must not exist before the gate lets us in. */
	struct store_txn standin = {.s = s, .mode = mode};
	store_gate_enter(s, &standin);
	struct store_txn *t;
	int rc = s->ops->begin(s, mode, &t, err);
	if (rc == 0) {
		t->s = s;
		t->mode = mode;
		store_gate_enter(s, t);
		*ret = t;
	}
	store_gate_leave(s, &standin);
	return rc;
}

int store_begin(struct store *s, enum store_mode mode, struct store_txn **ret, struct van_error *err)
{
	if (store_gate_mine(s, mode))
		return van_error_set(err, VAN_ESTATE, "a defect: this thread already holds a %s transaction",
			mode == STORE_WRITE ? "write" : "read");
	return s->epoch && mode != STORE_SNAPSHOT ? epoch_begin(s, mode, ret, err) : store_begin_plain(s, mode, ret, err);
}

void store_close_cursors(struct store_txn *t)
{
	while (t->cursors)
		store_cursor_close(t->cursors);
}

/* Both endings: the gate is left only after the backend has ended the transaction, which frees it, so a stand-in leaves. */

int store_commit(struct store_txn *t, struct van_error *err)
{
	struct store *s = t->s;
	int rc = t->error;
	if (rc) {
		van_error_set(err, rc, rc == VAN_EAGAIN ? "the store's map is full: grow it and repeat"
						       : "nothing was stored: %s earlier in the transaction", van_err_name(rc));
		store_abort(t);
		return rc;
	}
	if (s->epoch && t->mode == STORE_WRITE)
		return epoch_commit(t, err);
	if (t->shared) {
		epoch_read_end(t);
		return 0;
	}
	struct store_txn standin = {.s = s, .mode = t->mode};
	store_gate_enter(s, &standin);
	store_close_cursors(t);
	store_gate_leave(s, t);
	rc = s->ops->commit(t, err);
	store_gate_leave(s, &standin);
	return rc;
}

void store_abort(struct store_txn *t)
{
	if (!t)
		return;
	struct store *s = t->s;
	if (s->epoch && t->mode == STORE_WRITE) {
		epoch_abort(t);
		return;
	}
	if (t->shared) {
		epoch_read_end(t);
		return;
	}
	struct store_txn standin = {.s = s, .mode = t->mode};
	store_gate_enter(s, &standin);
	store_close_cursors(t);
	store_gate_leave(s, t);
	s->ops->abort(t);
	store_gate_leave(s, &standin);
}

int store_txn_error(const struct store_txn *t)
{
	return t->error;
}

enum store_mode store_txn_mode(const struct store_txn *t)
{
	return t->mode;
}

/* --- keys --- */

/* Failures latch; answers don't. */
static int latch(struct store_txn *t, int rc)
{
	if (rc < 0 && rc != VAN_ENOTFOUND && rc != VAN_EEXISTS)
		t->error = rc;
	return rc;
}

static bool key_fits(struct slice key)
{
	return key.p && key.n > 0 && key.n <= STORE_KEY_MAX;
}

int store_get(struct store_txn *t, store_table_id table, struct slice key, struct slice *ret)
{
	if (t->error)
		return t->error;
	if (!key_fits(key))
		return latch(t, VAN_EINVAL);
	return latch(t, t->s->ops->get(t, table, key, ret));
}

static int put(struct store_txn *t, store_table_id table, struct slice key, struct slice value, bool only_new)
{
	if (t->error)
		return t->error;
	if (!key_fits(key) || t->mode != STORE_WRITE)
		return latch(t, VAN_EINVAL);
	size_t before = t->redo ? t->redo->n : 0;
	redo_put(t, table, key, value); /* first: both may stand in a page that the backend is about to change */
	int rc = t->redo && t->redo->error ? t->redo->error : t->s->ops->put(t, table, key, value, only_new);
	if (rc && t->redo)
		t->redo->n = before;
	return latch(t, rc);
}

int store_put(struct store_txn *t, store_table_id table, struct slice key, struct slice value)
{
	return put(t, table, key, value, false);
}

int store_put_new(struct store_txn *t, store_table_id table, struct slice key, struct slice value)
{
	return put(t, table, key, value, true);
}

int store_del(struct store_txn *t, store_table_id table, struct slice key)
{
	if (t->error)
		return t->error;
	if (!key_fits(key) || t->mode != STORE_WRITE)
		return latch(t, VAN_EINVAL);
	size_t before = t->redo ? t->redo->n : 0;
	redo_del(t, table, key);
	int rc = t->redo && t->redo->error ? t->redo->error : t->s->ops->del(t, table, key);
	if (rc && t->redo)
		t->redo->n = before;
	return latch(t, rc);
}

int store_count(struct store_txn *t, store_table_id table, uint64_t *ret)
{
	if (t->error)
		return t->error;
	return latch(t, t->s->ops->count(t, table, ret));
}

/* --- the whole store --- */

int store_grow_plain(struct store *s, struct van_error *err)
{
	int rc = store_gate_close(s);
	if (rc)
		return van_error_set(err, rc, "a defect: the map can't grow while this thread holds a transaction");
	rc = s->ops->grow(s, err);
	if (rc == 0)
		s->growths++;
	store_gate_open(s);
	return rc;
}

int store_grow(struct store *s, struct van_error *err)
{
	return s->epoch ? epoch_grow(s, err) : store_grow_plain(s, err);
}

int store_write(struct store *s, int (*fn)(struct store_txn *t, void *arg), void *arg, struct van_error *err)
{
	for (;;) {
		struct store_txn *t;
		int rc = store_begin(s, STORE_WRITE, &t, err);
		if (rc)
			return rc;
		rc = fn(t, arg);
		if (t->error == VAN_EAGAIN)
			rc = 0; /* the commit below says so */
		if (rc < 0) {
			store_abort(t);
			return rc;
		}
		rc = store_commit(t, err);
		if (rc != VAN_EAGAIN)
			return rc;
		if ((rc = store_grow(s, err)))
			return rc;
	}
}

int store_copy(struct store_txn *snapshot, const struct store_copy_to *to, struct van_error *err)
{
	if (snapshot->mode == STORE_SNAPSHOT)
		return snapshot->s->ops->copy(snapshot, to, err);
	to->begun(to->ctx);
	return van_error_set(err, VAN_EINVAL, "a defect: a copy is of a snapshot");
}

const char *store_file_name(const struct store *s)
{
	return s->ops->file;
}

bool store_growth_waits(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool waits = s->growing;
	pthread_mutex_unlock(&s->lock);
	return waits;
}

int store_stat(struct store *s, struct store_stat *ret)
{
	struct store_stat st = {0};
	store_gate_hold(s);
	int rc = s->ops->stat(s, &st);
	store_gate_release(s);
	if (rc)
		return rc;
	pthread_mutex_lock(&s->lock);
	st.growths = s->growths;
	st.tables = s->tables;
	for (const struct store_txn *t = s->open; t; t = t->next)
		st.readers += t->mode != STORE_WRITE;
	pthread_mutex_unlock(&s->lock);
	*ret = st;
	return 0;
}
