/* What a backend implements. store.c does everything that is the same for all: bounds, latching of errors, prefixes of
 * cursors, the gate that keeps transactions out while the map grows. Each function returns 0 or a negative enum van_err,
 * VAN_EAGAIN only for "no room, store_grow() helps". Structs of a backend begin with the ones below. */
#ifndef OPENVAN_STORE_BACKEND_H
#define OPENVAN_STORE_BACKEND_H

#include "base/buf.h"
#include "store/store.h"

#include <pthread.h>

#define STORE_TABLES_MAX 256

enum store_move { STORE_FIRST, STORE_LAST, STORE_NEXT, STORE_PREV, STORE_SEEK };

struct store_ops {
	const char *name, *file;
	int (*open)(const struct store_options *o, struct store **ret, struct van_error *err);
	void (*close)(struct store *s);
	int (*table)(struct store *s, const char *name, store_table_id *ret, struct van_error *err);
	int (*begin)(struct store *s, enum store_mode mode, struct store_txn **ret, struct van_error *err);
	/* A read transaction that sees a write transaction's changes; it ends before the other goes on, and ending it changes nothing. */
	int (*share)(struct store_txn *write, struct store_txn **ret);
	int (*commit)(struct store_txn *t, struct van_error *err); /* frees the transaction, whatever it returns */
	void (*abort)(struct store_txn *t);
	int (*get)(struct store_txn *t, store_table_id table, struct slice key, struct slice *ret);
	int (*put)(struct store_txn *t, store_table_id table, struct slice key, struct slice value, bool only_new);
	int (*del)(struct store_txn *t, store_table_id table, struct slice key);
	int (*count)(struct store_txn *t, store_table_id table, uint64_t *ret);
	int (*cursor_open)(struct store_txn *t, store_table_id table, struct store_cursor **ret);
	void (*cursor_close)(struct store_cursor *c);
	int (*cursor_move)(struct store_cursor *c, enum store_move m, struct slice seek, struct slice *key, struct slice *value);
	int (*cursor_del)(struct store_cursor *c); /* also copies the key to c->deleted */
	int (*grow)(struct store *s, struct van_error *err); /* no transaction is open */
	int (*copy)(struct store_txn *snapshot, const struct store_copy_to *to, struct van_error *err);
	int (*stat)(struct store *s, struct store_stat *ret);
};

struct store {
	const struct store_ops *ops;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct store_txn *open; /* every open transaction, a list */
	unsigned holds;         /* figures being read: they keep the map from growing as transactions do */
	bool growing, look_only;
	uint64_t growths;
	unsigned tables;
	const char *names[STORE_TABLES_MAX];
	struct epoch *epoch; /* epoch.c; NULL: there is no log */
};

struct store_txn {
	struct store *s;
	enum store_mode mode;
	int error; /* latched */
	bool shared;          /* made by the backend's share() */
	struct van_buf *redo; /* what was changed is written here; NULL: nowhere */
	pthread_t owner;
	struct store_txn *prev, *next; /* in s->open */
	struct store_cursor *cursors;
};

enum cursor_state { CURSOR_UNSET, CURSOR_AT, CURSOR_BEFORE, CURSOR_AFTER, CURSOR_DELETED };

struct store_cursor {
	struct store_txn *t;
	store_table_id table;
	struct store_cursor *prev, *next; /* in t->cursors */
	enum cursor_state state;
	size_t n_prefix, n_deleted;
	char prefix[STORE_KEY_MAX];
	char deleted[STORE_KEY_MAX]; /* the key that cursor_del took away */
};

extern const struct store_ops store_lmdb_ops;

/* epoch.c: transactions of a store with a log. */
int epoch_begin(struct store *s, enum store_mode mode, struct store_txn **ret, struct van_error *err);
int epoch_commit(struct store_txn *t, struct van_error *err); /* of a write transaction */
void epoch_abort(struct store_txn *t);                        /* of a write transaction */
void epoch_read_end(struct store_txn *t);                     /* of a shared one */
int epoch_grow(struct store *s, struct van_error *err);
/* store.c: without regard to a log. */
int store_begin_plain(struct store *s, enum store_mode mode, struct store_txn **ret, struct van_error *err);
int store_grow_plain(struct store *s, struct van_error *err);
void store_close_cursors(struct store_txn *t);

/* gate.c: who may be inside. */
void store_gate_enter(struct store *s, struct store_txn *t); /* waits while growing */
void store_gate_leave(struct store *s, struct store_txn *t);
void store_gate_hold(struct store *s);
void store_gate_release(struct store *s);
bool store_gate_mine(struct store *s, enum store_mode mode); /* has this thread such a transaction? */
int store_gate_close(struct store *s); /* waits until empty, then keeps everyone out; VAN_ESTATE from inside */
void store_gate_open(struct store *s);

#endif
