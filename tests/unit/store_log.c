/* A store with a log: commits count as soon as the log has them, are seen by readers at once, survive a crash before and after the store
 * was settled, and what fails leaves nothing behind. The log is a list in memory. */
#include "store_conformance.h"

#include "base/buf.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMITS_MAX 4096
#define KEYS 200

/* The program is linked so that realloc() comes here. */
static bool no_memory;
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_realloc(void *p, size_t n)
{
	return no_memory ? NULL : __real_realloc(p, n);
}

struct fixture {
	struct scratch dir;
	struct store *s;
	store_table_id a, b;
	struct van_buf redo[COMMITS_MAX]; /* the log */
	size_t n, settled;                /* commits in it; so many the backend has */
	bool full;                        /* it takes no more */
	bool map_full;                    /* for the next mark, once */
	uint64_t map_size;
};

static int log_write(void *ctx, struct slice redo, struct van_error *err)
{
	struct fixture *f = ctx;
	assert_true(redo.n > 0 && f->n < COMMITS_MAX);
	if (f->full)
		return van_error_set(err, VAN_ENOSPC, "the log is full");
	f->redo[f->n] = VAN_BUF_INIT((size_t)64 << 20);
	van_buf_append_slice(&f->redo[f->n], redo);
	f->n++;
	return 0;
}

static int log_mark(void *ctx, struct store_txn *t)
{
	struct fixture *f = ctx;
	if (f->map_full) {
		f->map_full = false;
		return VAN_EAGAIN;
	}
	return store_put(t, f->b, SLICE("mark"), slice_make(&f->n, sizeof f->n));
}

static int repeat(struct store_txn *t, void *arg)
{
	struct fixture *f = arg;
	struct slice mark;
	int rc = store_get(t, f->b, SLICE("mark"), &mark);
	assert_true(rc == 0 || rc == VAN_ENOTFOUND);
	f->settled = 0;
	if (rc == 0)
		memcpy(&f->settled, mark.p, sizeof f->settled);
	for (size_t i = f->settled; i < f->n; i++)
		if ((rc = store_redo(t, van_buf_slice(&f->redo[i]))))
			return rc;
	return log_mark(f, t);
}

/* What a process does when it begins. */
static void begin(struct fixture *f)
{
	struct van_error err = {0};
	struct store_options o = {.dirfd = f->dir.fd, .map_size = f->map_size, .map_growth = 256 * 1024};
	if (store_open(&o, &f->s, &err) || store_table(f->s, "a", &f->a, &err) || store_table(f->s, "b", &f->b, &err) ||
	    store_write(f->s, repeat, f, &err))
		fail_msg("%s", err.text);
	assert_int_equal(store_set_log(f->s, &(struct store_log){.write = log_write, .mark = log_mark, .ctx = f}), 0);
}

static void crash(struct fixture *f)
{
	store_close(f->s);
	begin(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_make(&f->dir);
	f->map_size = 64 << 20;
	begin(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	for (size_t i = 0; i < f->n; i++)
		van_buf_free(&f->redo[i]);
	scratch_remove(&f->dir);
	free(f);
	return 0;
}

static struct store_txn *txn(struct fixture *f, enum store_mode mode)
{
	struct store_txn *t;
	struct van_error err = {0};
	if (store_begin(f->s, mode, &t, &err))
		fail_msg("%s", err.text);
	return t;
}

static void put(struct fixture *f, const char *key, const char *value)
{
	struct store_txn *t = txn(f, STORE_WRITE);
	assert_int_equal(store_put(t, f->a, slice_str(key), slice_str(value)), 0);
	assert_int_equal(store_commit(t, NULL), 0);
}

/* The value, or NULL; in a fresh transaction. */
static bool has(struct fixture *f, enum store_mode mode, const char *key, const char *value)
{
	struct store_txn *t = txn(f, mode);
	struct slice got;
	int rc = store_get(t, f->a, slice_str(key), &got);
	bool same = value ? rc == 0 && slice_is(got, value) : rc == VAN_ENOTFOUND;
	store_abort(t);
	return same;
}

static void seen_at_once_and_after_a_crash(void **state)
{
	struct fixture *f = *state;
	put(f, "k", "1");
	assert_true(store_unsettled(f->s) > 0);
	assert_true(has(f, STORE_READ, "k", "1"));
	assert_true(has(f, STORE_SNAPSHOT, "k", NULL)); /* the backend has nothing yet */
	crash(f);
	assert_int_equal(f->settled, 0);
	assert_true(has(f, STORE_READ, "k", "1"));
	put(f, "k", "2");
	assert_int_equal(store_settle(f->s, NULL), 0);
	assert_int_equal(store_unsettled(f->s), 0);
	assert_true(has(f, STORE_SNAPSHOT, "k", "2"));
	put(f, "k", "3");
	assert_true(has(f, STORE_SNAPSHOT, "k", "2"));
	crash(f);
	assert_int_equal(f->settled, 2);
	assert_true(has(f, STORE_READ, "k", "3"));
}

/* A snapshot stands still while the store is settled under it. */
static void a_snapshot_stands_still(void **state)
{
	struct fixture *f = *state;
	put(f, "k", "1");
	assert_int_equal(store_settle(f->s, NULL), 0);
	struct store_txn *t = txn(f, STORE_SNAPSHOT);
	struct slice got;
	put(f, "k", "2");
	assert_int_equal(store_settle(f->s, NULL), 0);
	assert_int_equal(store_get(t, f->a, SLICE("k"), &got), 0);
	assert_true(slice_is(got, "1"));
	assert_int_equal(store_put(t, f->a, SLICE("k"), SLICE("x")), VAN_EINVAL);
	store_abort(t);
	assert_true(has(f, STORE_READ, "k", "2"));
}

static void what_the_log_refuses_is_undone(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	put(f, "kept", "1");
	f->full = true;
	struct store_txn *t = txn(f, STORE_WRITE);
	assert_int_equal(store_put(t, f->a, SLICE("kept"), SLICE("2")), 0);
	assert_int_equal(store_put(t, f->a, SLICE("new"), SLICE("2")), 0);
	assert_int_equal(store_commit(t, &err), VAN_ENOSPC);
	assert_string_equal(err.text, "the log is full");
	assert_true(has(f, STORE_READ, "kept", "1") && has(f, STORE_READ, "new", NULL));
	f->full = false;
	put(f, "new", "3");
	crash(f);
	assert_true(has(f, STORE_READ, "kept", "1") && has(f, STORE_READ, "new", "3"));
}

static void readers_change_nothing(void **state)
{
	struct fixture *f = *state;
	put(f, "k", "1");
	struct store_txn *t = txn(f, STORE_READ), *second;
	assert_int_equal(store_txn_mode(t), STORE_READ);
	assert_int_equal(store_put(t, f->a, SLICE("k"), SLICE("2")), VAN_EINVAL);
	assert_int_equal(store_begin(f->s, STORE_WRITE, &second, NULL), VAN_ESTATE); /* it would wait for itself */
	store_abort(t);
	t = txn(f, STORE_WRITE);
	assert_int_equal(store_begin(f->s, STORE_READ, &second, NULL), VAN_ESTATE);
	store_abort(t);
	t = txn(f, STORE_SNAPSHOT);
	assert_int_equal(store_begin(f->s, STORE_READ, &second, NULL), VAN_ESTATE); /* growth may be waiting for the snapshot */
	store_abort(t);
	assert_true(has(f, STORE_READ, "k", "1"));
}

/* A commit without changes is no business of the log's. */
static void nothing_changed_nothing_logged(void **state)
{
	struct fixture *f = *state;
	struct slice got;
	put(f, "k", "1");
	struct store_txn *t = txn(f, STORE_WRITE);
	assert_int_equal(store_put_new(t, f->a, SLICE("k"), SLICE("2")), VAN_EEXISTS);
	assert_int_equal(store_del(t, f->a, SLICE("none")), VAN_ENOTFOUND);
	assert_int_equal(store_get(t, f->a, SLICE("k"), &got), 0);
	assert_int_equal(store_commit(t, NULL), 0);
	assert_int_equal(f->n, 1);
	assert_true(has(f, STORE_READ, "k", "1"));
}

static void damaged_redo_is_refused(void **state)
{
	struct fixture *f = *state;
	static const struct { struct slice redo; int rc; } cases[] = {
		{{"\3\1a\1k\1v", 7}, VAN_ESYNTAX}, {{"\1\1a\1k\2v", 7}, VAN_ESYNTAX}, {{"\1\1a\1k", 5}, VAN_ESYNTAX},
		{{"\1\1z\1k\1v", 7}, VAN_EVERSION}, {{"\1\1a\0\1v", 6}, VAN_EINVAL}, {{"\1\1a\1k\1v", 7}, 0}, {{"\2\1a\1k", 5}, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct store_txn *t = txn(f, STORE_WRITE);
		assert_int_equal(store_redo(t, cases[i].redo), cases[i].rc);
		store_abort(t);
	}
}

/* What can't be recorded is not committed, for half a record could not be repeated. */
static void no_memory_to_record_a_deletion(void **state)
{
	struct fixture *f = *state;
	struct store_cursor *c;
	char key[STORE_KEY_MAX + 1] = {0};
	memset(key, 'k', STORE_KEY_MAX);
	put(f, key, "1");
	for (int how = 0; how < 2; how++) {
		assert_int_equal(store_settle(f->s, NULL), 0);
		crash(f); /* with small buffers */
		put(f, "small", "1");
		struct store_txn *t = txn(f, STORE_WRITE);
		assert_int_equal(store_cursor_open(t, f->a, slice_str(key), &c), 0);
		assert_int_equal(store_cursor_first(c, NULL, NULL), 0);
		no_memory = true;
		assert_int_equal(store_cursor_del(c), VAN_ENOMEM);
		no_memory = false;
		if (how == 0)
			assert_int_equal(store_commit(t, NULL), VAN_ENOMEM);
		else
			store_abort(t);
		assert_true(has(f, STORE_READ, key, "1"));
		crash(f);
		assert_true(has(f, STORE_READ, key, "1") && has(f, STORE_READ, "small", "1"));
	}
}

/* Then nobody could repeat it when the store has to be settled twice. */
static void no_memory_for_what_the_log_would_have(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	char value[300] = {0};
	put(f, "first", "1");
	struct store_txn *t = txn(f, STORE_WRITE);
	no_memory = f->map_full = true;
	assert_int_equal(store_put(t, f->a, SLICE("second"), slice_make(value, sizeof value)), VAN_ENOMEM);
	assert_int_equal(store_commit(t, &err), VAN_ENOMEM);
	no_memory = f->map_full = false;
	assert_int_not_equal(err.text[0], 0);
	assert_int_equal(f->n, 1);
	assert_true(has(f, STORE_READ, "first", "1") && has(f, STORE_READ, "second", NULL));
	put(f, "second", "2");
	f->map_full = true;
	assert_int_equal(store_settle(f->s, NULL), 0);
	assert_true(has(f, STORE_READ, "first", "1") && has(f, STORE_READ, "second", "2"));
	crash(f);
	assert_int_equal(f->settled, 2);
	assert_true(has(f, STORE_READ, "first", "1") && has(f, STORE_READ, "second", "2"));
}

/* A commit of nothing leaves nothing that waits to be settled. */
static void nothing_changed_nothing_open(void **state)
{
	struct fixture *f = *state;
	struct store_stat before, after;
	store_stat(f->s, &before);
	struct store_txn *t = txn(f, STORE_WRITE);
	assert_int_equal(store_put_new(t, f->b, SLICE("mark"), SLICE("2")), VAN_EEXISTS);
	assert_int_equal(store_commit(t, NULL), 0);
	assert_int_equal(store_unsettled(f->s), 0);
	assert_int_equal(store_settle(f->s, NULL), 0);
	store_stat(f->s, &after);
	assert_int_equal(before.commits, after.commits);
}

/* --- a transaction that another thread borrows ------------------------------------------------------------------------------------ */

enum borrowed_end { COMMIT, ABORT, REFUSED, UNCHANGED };

struct borrowed {
	struct fixture *f;
	const char *value;
	enum borrowed_end how;
	int rc;
};

static void *borrow(void *arg)
{
	struct borrowed *b = arg;
	struct store_txn *t;
	b->rc = store_borrow(b->f->s, &t);
	if (b->rc)
		return NULL;
	b->f->full = b->how == REFUSED;
	if (b->how != UNCHANGED)
		b->rc = store_put(t, b->f->a, SLICE("k"), slice_str(b->value));
	if (b->how == ABORT || b->how == UNCHANGED)
		store_abort(t);
	else
		b->rc = store_commit(t, NULL);
	b->f->full = false;
	return NULL;
}

static int borrow_elsewhere(struct fixture *f, const char *value, enum borrowed_end how)
{
	struct borrowed b = {f, value, how, 0};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, borrow, &b), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return b.rc;
}

static void another_thread_borrows(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(borrow_elsewhere(f, "1", COMMIT), VAN_ESTATE); /* nothing is open */
	put(f, "k", "1");
	assert_int_equal(borrow_elsewhere(f, "2", COMMIT), 0);
	assert_int_equal(f->n, 2);
	assert_true(has(f, STORE_READ, "k", "2"));
	assert_int_equal(borrow_elsewhere(f, "3", UNCHANGED), 0);
	assert_true(has(f, STORE_READ, "k", "2"));
	crash(f);
	assert_true(has(f, STORE_READ, "k", "2"));
	put(f, "other", "1");
	assert_int_equal(borrow_elsewhere(f, "4", COMMIT), 0);
	assert_int_equal(store_settle(f->s, NULL), 0);
	assert_int_equal(borrow_elsewhere(f, "5", COMMIT), VAN_ESTATE);
	assert_true(has(f, STORE_SNAPSHOT, "k", "4"));
}

static void *look(void *arg)
{
	struct borrowed *b = arg;
	b->rc = has(b->f, STORE_READ, "k", "1") && has(b->f, STORE_READ, "other", b->value);
	return NULL;
}

/* What failed there is never seen: readers wait for the writer. */
static void what_fails_elsewhere_is_mended(void **state)
{
	struct fixture *f = *state;
	static const enum borrowed_end ends[] = {ABORT, REFUSED};
	put(f, "k", "1");
	for (unsigned i = 0; i < 6; i++) {
		char value[8];
		snprintf(value, sizeof value, "%u", i);
		put(f, "other", value);
		assert_int_equal(borrow_elsewhere(f, "2", ends[i % 2]), ends[i % 2] == REFUSED ? VAN_ENOSPC : 0);
		assert_int_equal(borrow_elsewhere(f, "3", COMMIT), VAN_ESTATE);
		struct borrowed reader = {f, value, COMMIT, 0};
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, look, &reader), 0);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* it waits by now */
		if (i < 2)
			store_abort(txn(f, STORE_WRITE));
		else
			assert_int_equal(i < 4 ? store_settle(f->s, NULL) : store_grow(f->s, NULL), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(reader.rc, 1);
	}
	assert_int_equal(borrow_elsewhere(f, "2", ABORT), 0);
	crash(f);
	assert_true(has(f, STORE_READ, "k", "1") && has(f, STORE_READ, "other", "5"));
}

/* --- everything in any order, with a map that has to grow ------------------------------------------------------------------------- */

struct model {
	unsigned value[2][KEYS]; /* of table a, b; 0: not there */
};

static void name_of(unsigned k, char to[16])
{
	snprintf(to, 16, "key-%03u", k);
}

static void fill(char *to, unsigned v, size_t *n)
{
	*n = 4 + v % 3000;
	memset(to, (int)(v & 0xff), *n);
	memcpy(to, &v, 4);
}

/* False: the transaction is spoilt (the map is full). */
static bool change(struct fixture *f, struct store_txn *t, struct model *m)
{
	unsigned which = (unsigned)rand() % 2, k = (unsigned)rand() % KEYS, v = 1 + (unsigned)rand() % 1000000;
	store_table_id table = which ? f->b : f->a;
	char name[16], value[4096];
	size_t n;
	int rc;
	name_of(k, name);
	fill(value, v, &n);
	switch (rand() % 4) {
	case 0:
		rc = store_del(t, table, slice_str(name));
		assert_true(rc == (m->value[which][k] ? 0 : VAN_ENOTFOUND) || rc == VAN_EAGAIN);
		v = 0;
		break;
	case 1:
		rc = store_put_new(t, table, slice_str(name), slice_make(value, n));
		assert_true(rc == (m->value[which][k] ? VAN_EEXISTS : 0) || rc == VAN_EAGAIN);
		v = rc == VAN_EEXISTS ? m->value[which][k] : v;
		break;
	case 2: {
		struct store_cursor *c;
		struct slice key;
		v = 0;
		rc = store_cursor_open(t, table, slice_str(name), &c);
		if (rc == 0 && (rc = store_cursor_first(c, &key, NULL)) == 0)
			rc = store_cursor_del(c);
		break;
	}
	default:
		rc = store_put(t, table, slice_str(name), slice_make(value, n));
	}
	m->value[which][k] = v;
	return !store_txn_error(t);
}

static void check(struct fixture *f, enum store_mode mode, const struct model *m)
{
	struct store_txn *t = txn(f, mode);
	for (unsigned which = 0; which < 2; which++)
		for (unsigned k = 0; k < KEYS; k++) {
			char name[16], value[4096];
			size_t n;
			struct slice got;
			name_of(k, name);
			int rc = store_get(t, which ? f->b : f->a, slice_str(name), &got);
			if (!m->value[which][k]) {
				assert_int_equal(rc, VAN_ENOTFOUND);
				continue;
			}
			fill(value, m->value[which][k], &n);
			assert_int_equal(rc, 0);
			assert_true(got.n == n && memcmp(got.p, value, n) == 0);
		}
	store_abort(t);
}

struct attempt {
	struct fixture *f;
	struct model next;
	bool borrow;
	unsigned how;
	int rc;
};

static void *attempt(void *arg)
{
	struct attempt *a = arg;
	struct fixture *f = a->f;
	struct store_txn *t;
	a->rc = a->borrow ? store_borrow(f->s, &t) : 0;
	if (a->rc)
		return NULL;
	if (!a->borrow)
		t = txn(f, STORE_WRITE);
	a->how = (unsigned)rand() % 8;
	bool whole = true;
	for (int i = rand() % 30; i >= 0 && whole; i--)
		whole = change(f, t, &a->next);
	f->full = a->how == 1;
	if (a->how == 0)
		store_abort(t);
	else
		a->rc = store_commit(t, NULL);
	f->full = false;
	return NULL;
}

/* On another thread, which may not begin the backend's transaction nor end it. */
static void attempt_elsewhere(struct attempt *a)
{
	pthread_t thread;
	a->borrow = true;
	assert_int_equal(pthread_create(&thread, NULL, attempt, a), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	a->borrow = false;
}

/* A transaction of a few changes that is committed, given up or refused. True: on another thread. */
static bool transact(struct fixture *f, struct model *m)
{
	unsigned seed = (unsigned)rand();
	bool elsewhere = rand() % 3 == 0;
	for (;;) {
		struct attempt a = {.f = f, .next = *m, .rc = VAN_ESTATE};
		srand(seed); /* the same again after growth */
		if (elsewhere)
			attempt_elsewhere(&a);
		bool lent = a.rc != VAN_ESTATE;
		if (!lent)
			attempt(&a);
		if (a.rc != VAN_EAGAIN) {
			assert_true(a.rc == 0 || (a.how == 1 && a.rc == VAN_ENOSPC));
			if (a.how > 1)
				*m = a.next;
			else if (lent && rand() % 2) /* else the next of this thread mends it */
				store_abort(txn(f, STORE_WRITE));
			else
				assert_int_equal(store_settle(f->s, NULL), 0);
			return lent;
		}
		assert_int_equal(store_grow(f->s, NULL), 0);
	}
}

static void any_order(void **state)
{
	struct fixture *f = *state;
	struct model m = {0}, settled = {0};
	const char *seed = getenv("SEED");
	struct store_stat before, after;
	store_close(f->s);
	f->map_size = 128 * 1024;
	begin(f);
	srand(seed ? (unsigned)atoi(seed) : 1);
	store_stat(f->s, &before);
	unsigned growths = 0, lent = 0;
	for (int i = 0; i < 1500; i++) {
		int dice = rand() % 100;
		if (dice < 80) {
			lent += transact(f, &m);
		} else if (dice < 90) {
			assert_int_equal(store_settle(f->s, NULL), 0);
			settled = m;
			check(f, STORE_SNAPSHOT, &settled);
		} else if (dice < 92) {
			store_stat(f->s, &after);
			growths += (unsigned)after.growths;
			crash(f);
			settled = m;
		}
		if (i % 10 == 0)
			check(f, STORE_READ, &m);
	}
	store_stat(f->s, &after);
	assert_true(growths + after.growths > 0 && lent > 100); /* else the test is too tame */
	check(f, STORE_READ, &m);
}

/* --- a reader in another thread --------------------------------------------------------------------------------------------------- */

struct reader {
	struct fixture *f;
	atomic_bool over;
	size_t read;
};

/* Both keys of one commit are always alike. */
static void *read_on(void *arg)
{
	struct reader *r = arg;
	do {
		struct store_txn *t;
		struct slice one, two;
		if (store_begin(r->f->s, STORE_READ, &t, NULL))
			return (void *)"store_begin";
		int rc = store_get(t, r->f->a, SLICE("one"), &one);
		if (rc == 0)
			rc = store_get(t, r->f->b, SLICE("two"), &two);
		bool same = rc == VAN_ENOTFOUND || (rc == 0 && slice_eq(one, two));
		store_abort(t);
		if (!same)
			return (void *)"a commit was seen in part";
		r->read++;
	} while (!atomic_load(&r->over));
	return NULL;
}

static void readers_see_whole_commits(void **state)
{
	struct fixture *f = *state;
	struct reader r = {.f = f};
	pthread_t thread;
	void *wrong;
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (unsigned i = 0; i < 3000; i++) {
		struct store_txn *t = txn(f, STORE_WRITE);
		assert_int_equal(store_put(t, f->a, SLICE("one"), slice_make(&i, sizeof i)), 0);
		if (i % 100 == 0) { /* half of one is never seen */
			store_abort(t);
			continue;
		}
		assert_int_equal(store_put(t, f->b, SLICE("two"), slice_make(&i, sizeof i)), 0);
		assert_int_equal(store_commit(t, NULL), 0);
		if (i % 50 == 0)
			assert_int_equal(store_settle(f->s, NULL), 0);
	}
	atomic_store(&r.over, true);
	pthread_join(thread, &wrong);
	assert_null(wrong);
	assert_true(r.read > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(seen_at_once_and_after_a_crash), TEST(a_snapshot_stands_still), TEST(what_the_log_refuses_is_undone),
		TEST(readers_change_nothing), TEST(nothing_changed_nothing_logged), TEST(damaged_redo_is_refused),
		TEST(no_memory_to_record_a_deletion), TEST(no_memory_for_what_the_log_would_have), TEST(nothing_changed_nothing_open),
		TEST(another_thread_borrows), TEST(what_fails_elsewhere_is_mended),
		TEST(any_order),
		TEST(readers_see_whole_commits),
	};
	return cmocka_run_group_tests_name("store with a log", tests, NULL, NULL);
}
