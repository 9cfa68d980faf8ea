#include "store_conformance.h"

#include "store/key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *backend_name;

struct fixture {
	struct scratch dir;
	struct store *s;
	store_table_id a, b;
};

static void open_small(struct fixture *f, uint64_t map)
{
	struct store_options o = {.backend = backend_name, .dirfd = f->dir.fd, .map_size = map, .map_growth = 1 << 20};
	struct van_error err = {0};
	if (store_open(&o, &f->s, &err))
		fail_msg("%s", err.text);
	assert_int_equal(store_table(f->s, "a", &f->a, NULL), 0);
	assert_int_equal(store_table(f->s, "b", &f->b, NULL), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_make(&f->dir);
	open_small(f, 1 << 20);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	scratch_remove(&f->dir);
	free(f);
	return 0;
}

static struct store_txn *begin(struct fixture *f, enum store_mode mode)
{
	struct store_txn *t;
	assert_int_equal(store_begin(f->s, mode, &t, NULL), 0);
	return t;
}

static void put_str(struct store_txn *t, store_table_id table, const char *k, const char *v)
{
	assert_int_equal(store_put(t, table, slice_str(k), slice_str(v)), 0);
}

static void has(struct store_txn *t, store_table_id table, const char *k, const char *v)
{
	struct slice got;
	int rc = store_get(t, table, slice_str(k), &got);
	assert_int_equal(rc, v ? 0 : VAN_ENOTFOUND);
	if (v)
		assert_true(slice_is(got, v));
}

static void values_are_kept_and_replaced(void **state)
{
	struct fixture *f = *state;
	struct store_txn *t = begin(f, STORE_WRITE);
	put_str(t, f->a, "k", "one");
	put_str(t, f->b, "k", "other table");
	assert_int_equal(store_put_new(t, f->a, SLICE("k"), SLICE("two")), VAN_EEXISTS);
	assert_int_equal(store_put_new(t, f->a, SLICE("n"), SLICE("")), 0);
	has(t, f->a, "k", "one");
	put_str(t, f->a, "k", "three");
	assert_int_equal(store_del(t, f->a, SLICE("none")), VAN_ENOTFOUND);
	assert_int_equal(store_txn_error(t), 0);
	assert_int_equal(store_commit(t, NULL), 0);
	store_close(f->s);
	open_small(f, 1 << 20);
	t = begin(f, STORE_READ);
	has(t, f->a, "k", "three");
	has(t, f->b, "k", "other table");
	has(t, f->a, "n", "");
	has(t, f->a, "x", NULL);
	uint64_t n;
	assert_int_equal(store_count(t, f->a, &n), 0);
	assert_int_equal(n, 2);
	store_abort(t);
}

static void abort_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_txn *t = begin(f, STORE_WRITE);
	put_str(t, f->a, "k", "v");
	store_abort(t);
	t = begin(f, STORE_READ);
	has(t, f->a, "k", NULL);
	assert_int_equal(store_commit(t, NULL), 0);
}

static void readers_see_the_commit_before_them(void **state)
{
	struct fixture *f = *state;
	struct store_txn *r = begin(f, STORE_READ), *w = begin(f, STORE_WRITE);
	put_str(w, f->a, "k", "v");
	has(r, f->a, "k", NULL);
	assert_int_equal(store_commit(w, NULL), 0);
	has(r, f->a, "k", NULL);
	store_abort(r);
	r = begin(f, STORE_READ);
	has(r, f->a, "k", "v");
	store_abort(r);
}

static void errors_latch_until_commit(void **state)
{
	struct fixture *f = *state;
	struct store_txn *t = begin(f, STORE_WRITE);
	put_str(t, f->a, "k", "v");
	assert_int_equal(store_put(t, f->a, SLICE(""), SLICE("v")), VAN_EINVAL);
	struct slice got;
	assert_int_equal(store_get(t, f->a, SLICE("k"), &got), VAN_EINVAL);
	struct van_error err = {0};
	assert_int_equal(store_commit(t, &err), VAN_EINVAL);
	assert_true(err.text[0]);
	t = begin(f, STORE_READ);
	has(t, f->a, "k", NULL);
	assert_int_equal(store_put(t, f->a, SLICE("k"), SLICE("v")), VAN_EINVAL); /* a read transaction */
	store_abort(t);
}

static void keys_have_a_longest_length(void **state)
{
	struct fixture *f = *state;
	char key[STORE_KEY_MAX + 1];
	memset(key, 'k', sizeof key);
	struct store_txn *t = begin(f, STORE_WRITE);
	assert_int_equal(store_put(t, f->a, slice_make(key, STORE_KEY_MAX), SLICE("v")), 0);
	struct slice got;
	assert_int_equal(store_get(t, f->a, slice_make(key, STORE_KEY_MAX), &got), 0);
	assert_int_equal(store_commit(t, NULL), 0);
	t = begin(f, STORE_WRITE);
	assert_int_equal(store_put(t, f->a, slice_make(key, STORE_KEY_MAX + 1), SLICE("v")), VAN_EINVAL);
	store_abort(t);
}

static void transactions_of_one_thread_do_not_deadlock(void **state)
{
	struct fixture *f = *state;
	struct store_txn *t = begin(f, STORE_WRITE), *second;
	assert_int_equal(store_begin(f->s, STORE_WRITE, &second, NULL), VAN_ESTATE);
	assert_int_equal(store_grow(f->s, NULL), VAN_ESTATE);
	store_abort(t);
	assert_int_equal(store_grow(f->s, NULL), 0);
}

/* --- cursors --- */

static void fill_cursor_keys(struct fixture *f)
{
	static const char *const keys[] = {"a", "b1", "b2", "b3", "b\xff", "b\xff\xff", "c", "\xff", "\xff\xff"};
	struct store_txn *t = begin(f, STORE_WRITE);
	for (size_t i = sizeof keys / sizeof *keys; i-- > 0;)
		put_str(t, f->a, keys[i], keys[i]);
	assert_int_equal(store_commit(t, NULL), 0);
}

/* All keys under the prefix, joined by blanks, forwards or backwards. */
static void walk(struct store_txn *t, store_table_id table, const char *prefix, bool back, const char *expected)
{
	char got[256] = "";
	struct store_cursor *c;
	struct slice k;
	assert_int_equal(store_cursor_open(t, table, slice_str(prefix), &c), 0);
	while ((back ? store_cursor_prev(c, &k, NULL) : store_cursor_next(c, &k, NULL)) == 0) {
		strncat(got, k.p, k.n);
		strcat(got, " ");
	}
	/* The end is passed once: the way back begins at the last one again. */
	assert_int_equal(back ? store_cursor_prev(c, &k, NULL) : store_cursor_next(c, &k, NULL), VAN_ENOTFOUND);
	store_cursor_close(c);
	assert_string_equal(got, expected);
}

static void cursors_keep_to_their_prefix(void **state)
{
	struct fixture *f = *state;
	fill_cursor_keys(f);
	struct store_txn *t = begin(f, STORE_READ);
	walk(t, f->a, "", false, "a b1 b2 b3 b\xff b\xff\xff c \xff \xff\xff ");
	walk(t, f->a, "", true, "\xff\xff \xff c b\xff\xff b\xff b3 b2 b1 a ");
	walk(t, f->a, "b", false, "b1 b2 b3 b\xff b\xff\xff ");
	walk(t, f->a, "b", true, "b\xff\xff b\xff b3 b2 b1 ");
	walk(t, f->a, "b\xff", true, "b\xff\xff b\xff ");
	walk(t, f->a, "\xff", false, "\xff \xff\xff ");
	walk(t, f->a, "\xff", true, "\xff\xff \xff ");
	walk(t, f->a, "bb", false, "");
	walk(t, f->a, "bb", true, "");
	walk(t, f->b, "", false, "");
	walk(t, f->b, "x", true, "");
	store_abort(t);
}

static void at(int rc, struct slice k, const char *expected)
{
	assert_int_equal(rc, expected ? 0 : VAN_ENOTFOUND);
	if (expected)
		assert_true(slice_is(k, expected));
}

static void cursors_seek_both_ways(void **state)
{
	struct fixture *f = *state;
	fill_cursor_keys(f);
	struct store_txn *t = begin(f, STORE_READ);
	struct store_cursor *c;
	struct slice k = SLICE_NONE;
	assert_int_equal(store_cursor_open(t, f->a, SLICE("b"), &c), 0);
	at(store_cursor_seek(c, SLICE("b2"), &k, NULL), k, "b2");
	at(store_cursor_seek(c, SLICE("b21"), &k, NULL), k, "b3");
	at(store_cursor_prev(c, &k, NULL), k, "b2");
	at(store_cursor_seek(c, SLICE("a"), &k, NULL), k, "b1");
	at(store_cursor_prev(c, &k, NULL), k, NULL);
	at(store_cursor_next(c, &k, NULL), k, "b1");
	at(store_cursor_seek(c, SLICE("c"), &k, NULL), k, NULL);
	at(store_cursor_prev(c, &k, NULL), k, "b\xff\xff");
	at(store_cursor_seek_before(c, SLICE("b2"), &k, NULL), k, "b1");
	at(store_cursor_seek_before(c, SLICE("b1"), &k, NULL), k, NULL);
	at(store_cursor_seek_before(c, SLICE("z"), &k, NULL), k, "b\xff\xff");
	at(store_cursor_first(c, &k, NULL), k, "b1");
	at(store_cursor_last(c, &k, NULL), k, "b\xff\xff");
	store_abort(t); /* closes it */
}

static void cursors_delete_as_they_go(void **state)
{
	struct fixture *f = *state;
	struct store_txn *t = begin(f, STORE_WRITE);
	char key[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "k%04d", i);
		put_str(t, f->a, key, "some value that takes room");
	}
	struct store_cursor *c;
	struct slice k;
	assert_int_equal(store_cursor_open(t, f->a, SLICE("k"), &c), 0);
	int seen = 0;
	while (store_cursor_next(c, &k, NULL) == 0)
		if (seen++ % 3)
			assert_int_equal(store_cursor_del(c), 0);
	assert_int_equal(seen, 1000);
	while (store_cursor_prev(c, &k, NULL) == 0) {
		assert_int_equal(strtol(k.p + 1, NULL, 10) % 3, 0);
		assert_int_equal(store_cursor_del(c), 0);
	}
	uint64_t n;
	assert_int_equal(store_count(t, f->a, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_cursor_del(c), VAN_EINVAL);
	store_abort(t);
}

static void order_is_byte_order(void **state)
{
	struct fixture *f = *state;
	struct store_txn *t = begin(f, STORE_WRITE);
	unsigned seed = 7;
	for (int i = 0; i < 2000; i++) {
		unsigned char key[8];
		size_t n = 1 + (size_t)rand_r(&seed) % sizeof key;
		for (size_t j = 0; j < n; j++)
			key[j] = (unsigned char)(rand_r(&seed) % 5 * 63);
		assert_int_equal(store_put(t, f->a, slice_make(key, n), SLICE("v")), 0);
	}
	struct store_cursor *c;
	struct slice k, before = SLICE("");
	assert_int_equal(store_cursor_open(t, f->a, SLICE_NONE, &c), 0);
	while (store_cursor_next(c, &k, NULL) == 0) {
		assert_true(slice_cmp(before, k) < 0);
		before = k;
	}
	store_abort(t);
}

/* --- growth --- */

struct batch {
	struct fixture *f;
	uint64_t first;
	int runs;
};

static int put_batch(struct store_txn *t, void *arg)
{
	struct batch *b = arg;
	char value[1000];
	memset(value, 'v', sizeof value);
	b->runs++;
	for (uint64_t i = b->first; i < b->first + 64; i++) {
		struct store_key k = STORE_KEY_INIT;
		store_key_u64(&k, i);
		store_put(t, b->f->a, store_key_slice(&k), slice_make(value, sizeof value));
	}
	return 0;
}

struct reader {
	struct fixture *f;
	atomic_bool stop;
	atomic_ullong reads;
	atomic_int wrong;
};

/* A batch is there whole or not at all, also while the map moves. */
static void *read_on(void *arg)
{
	struct reader *r = arg;
	while (!r->stop || (!r->reads && !r->wrong)) { /* however late this thread came to run */
		struct store_txn *t;
		struct store_cursor *c;
		struct slice k, v;
		uint64_t n = 0;
		if (store_begin(r->f->s, STORE_READ, &t, NULL)) {
			r->wrong++;
			break;
		}
		store_cursor_open(t, r->f->a, SLICE_NONE, &c);
		if (store_cursor_last(c, &k, &v) == 0) {
			struct wire w = store_key_wire(k);
			r->wrong += store_key_take_u64(&w) % 64 != 63 || v.n != 1000 || v.p[999] != 'v';
		}
		store_count(t, r->f->a, &n);
		r->wrong += n % 64 != 0;
		store_abort(t);
		r->reads++;
	}
	return NULL;
}

static void the_map_grows_under_load(void **state)
{
	struct fixture *f = *state;
	struct reader readers[2] = {{.f = f}, {.f = f}};
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
	int runs = 0;
	for (uint64_t i = 0; i < 150; i++) {
		struct batch b = {f, i * 64, 0};
		assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
		runs += b.runs;
	}
	for (int i = 0; i < 2; i++) {
		readers[i].stop = true;
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].wrong, 0);
		assert_true(readers[i].reads > 0);
	}
	struct store_stat st;
	assert_int_equal(store_stat(f->s, &st), 0);
	assert_true(st.growths >= 3);
	assert_int_equal(runs, 150 + (int)st.growths);
	assert_true(st.map_size > 10 << 20);
	assert_int_equal(st.readers, 0);
	struct store_txn *t = begin(f, STORE_READ);
	uint64_t n;
	assert_int_equal(store_count(t, f->a, &n), 0);
	assert_int_equal(n, 150 * 64);
	store_abort(t);
	store_close(f->s);
	open_small(f, 1 << 20); /* smaller than what is in it */
	t = begin(f, STORE_READ);
	assert_int_equal(store_count(t, f->a, &n), 0);
	assert_int_equal(n, 150 * 64);
	store_abort(t);
	struct batch b = {f, 150 * 64, 0};
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
}

static void the_map_has_a_largest_size(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	struct store_options o = {.backend = backend_name, .dirfd = f->dir.fd, .map_size = 1 << 20, .map_growth = 1 << 20,
		.map_max = 2 << 20};
	assert_int_equal(store_open(&o, &f->s, NULL), 0);
	assert_int_equal(store_table(f->s, "a", &f->a, NULL), 0);
	int rc = 0;
	struct van_error err = {0};
	for (uint64_t i = 0; i < 100 && rc == 0; i++) {
		struct batch b = {f, i * 64, 0};
		rc = store_write(f->s, put_batch, &b, &err);
	}
	assert_int_equal(rc, VAN_ENOSPC);
	assert_non_null(strstr(err.text, "map_max"));
	struct store_txn *t = begin(f, STORE_READ);
	uint64_t n;
	assert_int_equal(store_count(t, f->a, &n), 0);
	assert_true(n > 0 && n % 64 == 0);
	store_abort(t);
}

/* --- crashes and full disks --- */

/* Commits batches for ever, and says the number of each when it is committed. */
static void commit_for_ever(struct fixture *f, int to)
{
	for (uint64_t i = 0;; i++) {
		struct batch b = {f, i * 64, 0};
		if (store_write(f->s, put_batch, &b, NULL) || write(to, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

static void what_was_committed_survives_a_kill(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	uint64_t last = 0;
	for (int round = 0; round < 5; round++) {
		int fds[2];
		assert_int_equal(pipe(fds), 0);
		pid_t pid = fork();
		if (pid == 0) {
			open_small(f, 1 << 20);
			commit_for_ever(f, fds[1]);
		}
		close(fds[1]);
		uint64_t n;
		for (int i = 0; i < 5 + round * 3; i++)
			assert_int_equal(read(fds[0], &n, sizeof n), sizeof n);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(fds[0], &n, sizeof n) == sizeof n)
			;
		close(fds[0]);
		last = n > last ? n : last;
		open_small(f, 1 << 20);
		struct store_txn *t = begin(f, STORE_READ);
		uint64_t count;
		assert_int_equal(store_count(t, f->a, &count), 0);
		assert_int_equal(count % 64, 0);
		assert_true(count >= (last + 1) * 64);
		store_abort(t);
		struct batch b = {f, 0, 0};
		assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
		store_close(f->s);
	}
	open_small(f, 1 << 20);
}

/* Runs in a child with a 3 MiB file system of its own; exit codes: 0 good, 77 not possible here. */
static int on_a_full_disk(const char *path)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 77;
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (mount("openvan-test", path, "tmpfs", 0, "size=3m"))
		return 77;
	struct fixture f = {.dir.fd = open(path, O_RDONLY | O_DIRECTORY)};
	struct store_options o = {.backend = backend_name, .dirfd = f.dir.fd, .map_size = 1 << 20, .map_growth = 1 << 20};
	if (f.dir.fd < 0 || store_open(&o, &f.s, NULL) || store_table(f.s, "a", &f.a, NULL))
		return 2;
	struct van_error err = {0};
	int rc = 0;
	uint64_t i = 0, n = 0;
	for (; i < 100 && rc == 0; i++) {
		struct batch b = {&f, i * 64, 0};
		rc = store_write(f.s, put_batch, &b, &err);
	}
	if (rc != VAN_ENOSPC || err.code != VAN_ENOSPC || err.disposition != VAN_DISPOSE_RETRY)
		return 3;
	struct store_txn *t;
	if (store_begin(f.s, STORE_READ, &t, NULL) || store_count(t, f.a, &n) || n != (i - 1) * 64)
		return 4; /* the batch that failed is not there, the ones before it are */
	store_abort(t);
	struct batch again = {&f, (i - 1) * 64, 0};
	if (mount("openvan-test", path, "tmpfs", MS_REMOUNT, "size=9m") || store_write(f.s, put_batch, &again, &err))
		return 5; /* with room the same batch goes through, without opening again */
	store_close(f.s);
	return 0;
}

static void a_full_disk_loses_nothing(void **state)
{
	struct fixture *f = *state;
	scratch_small_disk(&f->dir, on_a_full_disk);
}

struct copied {
	int fd;
	size_t bytes, most; /* a write past `most` fails */
	int begun;
};

static void has_begun(void *ctx)
{
	((struct copied *)ctx)->begun++;
}

static int write_copy(void *ctx, const void *p, size_t n, struct van_error *err)
{
	struct copied *c = ctx;
	assert_int_equal(c->begun, 1);
	c->bytes += n;
	if (c->bytes > c->most)
		return van_error_set(err, VAN_ECLOSED, "enough");
	assert_int_equal(write(c->fd, p, n), n);
	return 0;
}

static int copy_into(struct fixture *f, struct fixture *copy, struct copied *c, struct van_error *err)
{
	struct store_copy_to to = {has_begun, write_copy, c};
	struct store_txn *t = begin(f, STORE_SNAPSHOT);
	scratch_make(&copy->dir);
	c->fd = openat(copy->dir.fd, store_file_name(f->s), O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(c->fd >= 0);
	int rc = store_copy(t, &to, err);
	store_abort(t);
	close(c->fd);
	assert_int_equal(c->begun, 1);
	return rc;
}

static void copies_are_whole_stores(void **state)
{
	struct fixture *f = *state, copy = {0};
	struct batch b = {f, 0, 0};
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
	struct copied c = {.most = SIZE_MAX};
	assert_int_equal(copy_into(f, &copy, &c, NULL), 0);
	b.first = 64;
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
	open_small(&copy, 1 << 20);
	struct store_txn *t = begin(&copy, STORE_READ);
	uint64_t n;
	assert_int_equal(store_count(t, copy.a, &n), 0);
	assert_int_equal(n, 64);
	store_abort(t);
	store_close(copy.s);
	scratch_remove(&copy.dir);
}

static void a_copy_can_be_looked_at_without_a_trace(void **state)
{
	struct fixture *f = *state, copy = {0};
	struct batch b = {f, 0, 0};
	struct copied c = {.most = SIZE_MAX};
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
	assert_int_equal(copy_into(f, &copy, &c, NULL), 0);
	struct store_options o = {.backend = backend_name, .dirfd = copy.dir.fd, .look_only = true};
	struct store_txn *t;
	store_table_id table;
	uint64_t n;
	assert_int_equal(store_open(&o, &copy.s, NULL), 0);
	assert_int_equal(store_table(copy.s, "none of these", &table, NULL), VAN_ENOTFOUND);
	assert_int_equal(store_table(copy.s, "a", &table, NULL), 0);
	assert_int_equal(store_begin(copy.s, STORE_SNAPSHOT, &t, NULL), 0);
	assert_int_equal(store_count(t, table, &n), 0);
	assert_int_equal(n, 64);
	store_abort(t);
	store_close(copy.s);
	DIR *d = opendir(copy.dir.path);
	n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	assert_int_equal(n, 3); /* itself, its parent, the one file */
	scratch_remove(&copy.dir);
}

/* Who takes the copy ends it: the error comes back, and the store goes on. */
static void a_copy_can_be_broken_off(void **state)
{
	struct fixture *f = *state, copy = {0};
	struct batch b = {f, 0, 0};
	struct copied c = {.most = 100};
	struct van_error err = {0};
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
	assert_int_equal(copy_into(f, &copy, &c, &err), VAN_ECLOSED);
	assert_string_equal(err.text, "enough");
	b.first = 64;
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
	scratch_remove(&copy.dir);
}

static int never(void *ctx, const void *p, size_t n, struct van_error *err)
{
	(void)ctx, (void)p, (void)n, (void)err;
	fail_msg("bytes of another snapshot came");
	return 0;
}

/* What was committed behind the snapshot would be in the copy, and not in what else is copied by it. */
static void a_copy_of_another_snapshot_is_refused(void **state)
{
	struct fixture *f = *state;
	struct batch b = {f, 0, 0};
	struct copied c = {0};
	struct store_copy_to to = {has_begun, never, &c};
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
	struct store_txn *t = begin(f, STORE_SNAPSHOT);
	b.first = 64;
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
	assert_int_equal(store_copy(t, &to, NULL), VAN_ESTATE);
	assert_int_equal(c.begun, 1);
	store_abort(t);
}

static void opening_needs_no_way_to_the_folder(void **state)
{
	struct fixture *f = *state;
	char here[512], after[512];
	assert_non_null(getcwd(here, sizeof here));
	store_close(f->s);
	char moved[600];
	snprintf(moved, sizeof moved, "%s.moved", f->dir.path);
	assert_int_equal(rename(f->dir.path, moved), 0);
	open_small(f, 1 << 20);
	assert_non_null(getcwd(after, sizeof after));
	assert_string_equal(here, after);
	struct batch b = {f, 0, 0};
	assert_int_equal(store_write(f->s, put_batch, &b, NULL), 0);
	assert_int_equal(rename(moved, f->dir.path), 0);
}

static void another_format_is_refused(void **state)
{
	struct fixture *f = *state;
	store_table_id table;
	assert_int_equal(store_table(f->s, "store", &table, NULL), 0);
	struct store_txn *t = begin(f, STORE_WRITE);
	put_str(t, table, "format", "openvan-store 2");
	assert_int_equal(store_commit(t, NULL), 0);
	store_close(f->s);
	struct store_options o = {.backend = backend_name, .dirfd = f->dir.fd};
	struct van_error err = {0};
	assert_int_equal(store_open(&o, &f->s, &err), VAN_EVERSION);
	assert_true(err.text[0]);
	f->s = NULL;
}

int store_conformance(const char *backend)
{
	backend_name = backend;
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(values_are_kept_and_replaced),
		TEST(abort_changes_nothing),
		TEST(readers_see_the_commit_before_them),
		TEST(errors_latch_until_commit),
		TEST(keys_have_a_longest_length),
		TEST(transactions_of_one_thread_do_not_deadlock),
		TEST(cursors_keep_to_their_prefix),
		TEST(cursors_seek_both_ways),
		TEST(cursors_delete_as_they_go),
		TEST(order_is_byte_order),
		TEST(the_map_grows_under_load),
		TEST(the_map_has_a_largest_size),
		TEST(what_was_committed_survives_a_kill),
		TEST(a_full_disk_loses_nothing),
		TEST(copies_are_whole_stores),
		TEST(a_copy_can_be_looked_at_without_a_trace),
		TEST(a_copy_can_be_broken_off),
		TEST(a_copy_of_another_snapshot_is_refused),
		TEST(opening_needs_no_way_to_the_folder),
		TEST(another_format_is_refused),
	};
	return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}
