/* Segments: bodies come back, batches are forgotten whole, what a crash left stays aside, files follow one
 * another. */
#include "store_conformance.h"

#include "store/segment.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW ((size_t)4 << 20)

struct fixture {
	struct scratch dir;
	struct segments *s;
	char *body;
};

static void open_at(struct fixture *f, uint64_t end)
{
	struct van_error err = {0};
	if (segments_open(f->dir.fd, end, WINDOW, &f->s, &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_make(&f->dir);
	f->body = malloc(SEGMENT_BODY_MAX);
	open_at(f, 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	segments_close(f->s);
	scratch_remove(&f->dir);
	free(f->body);
	free(f);
	return 0;
}

/* Bytes that tell where they belong. */
static struct slice body_of(struct fixture *f, unsigned seed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->body[i] = (char)(seed * 31 + i * 7 + (i >> 8));
	return slice_make(f->body, n);
}

static uint64_t append(struct fixture *f, unsigned seed, size_t n)
{
	struct van_error err = {0};
	uint64_t at;
	if (segments_append(f->s, body_of(f, seed, n), &at, &err))
		fail_msg("%s", err.text);
	return at;
}

static void holds(struct fixture *f, uint64_t at, unsigned seed, size_t n)
{
	struct van_error err = {0};
	char *got = malloc(n ? n : 1);
	if (segments_read(f->s, at, got, n, &err))
		fail_msg("%s", err.text);
	assert_memory_equal(got, body_of(f, seed, n).p, n);
	free(got);
}

static void commit(struct fixture *f)
{
	assert_int_equal(segments_flush(f->s, NULL), 0);
	segments_keep(f->s);
}

static off_t file_size(struct fixture *f, const char *name)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof path, "segment/%s", name);
	return fstatat(f->dir.fd, path, &st, 0) == 0 ? st.st_size : -1;
}

static void comes_back(void **state)
{
	static const size_t sizes[] = {1, 0, 4095, 4096, 4097, 70000, 13};
	struct fixture *f = *state;
	uint64_t at[7], end;
	for (unsigned i = 0; i < 7; i++) {
		at[i] = append(f, i, sizes[i]);
		holds(f, at[i], i, sizes[i]); /* before the flush too */
		if (i == 3)
			commit(f);
	}
	commit(f);
	end = segments_end(f->s);
	assert_int_equal(end % 4096, 0);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 7; i++)
			holds(f, at[i], i, sizes[i]);
		segments_close(f->s); /* and from the file, after a restart */
		f->s = NULL;
		open_at(f, end);
	}
}

static void nothing_appended_nothing_flushed(void **state)
{
	struct fixture *f = *state;
	assert_false(segments_appended(f->s));
	commit(f);
	assert_int_equal(segments_end(f->s), 0);
	assert_int_equal(file_size(f, "0000000000.seg"), -1);
}

static void rollback_forgets(void **state)
{
	struct fixture *f = *state;
	uint64_t kept = append(f, 1, 5000), lost, again;
	commit(f);
	lost = append(f, 2, 9000);
	assert_int_equal(segments_flush(f->s, NULL), 0); /* the store's commit may fail after the flush */
	segments_rollback(f->s);
	assert_false(segments_appended(f->s));
	again = append(f, 3, 9000);
	assert_int_equal(again, lost);
	commit(f);
	holds(f, kept, 1, 5000);
	holds(f, again, 3, 9000);
	uint64_t end = segments_end(f->s);
	segments_close(f->s);
	f->s = NULL;
	open_at(f, end);
	holds(f, again, 3, 9000);
}

/* More than the window in one batch, with rollback and then for good; old bodies come from the file. */
static void larger_than_the_window(void **state)
{
	struct fixture *f = *state;
	uint64_t first = append(f, 99, 777), at[12];
	commit(f);
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 12; i++)
			at[i] = append(f, i, SEGMENT_BODY_MAX - i * 1000);
		if (round == 0)
			segments_rollback(f->s);
	}
	holds(f, first, 99, 777);
	commit(f);
	holds(f, first, 99, 777);
	for (unsigned i = 0; i < 12; i++)
		holds(f, at[i], i, SEGMENT_BODY_MAX - i * 1000);
}

static void too_large(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	uint64_t at;
	char *big = calloc(1, SEGMENT_BODY_MAX + 1);
	assert_int_equal(segments_append(f->s, slice_make(big, SEGMENT_BODY_MAX + 1), &at, &err), VAN_ELIMIT);
	free(big);
}

static void reopen(struct fixture *f, uint64_t end)
{
	segments_close(f->s);
	f->s = NULL;
	open_at(f, end);
}

/* Nobody refers to it; but nobody is sure of that either. */
static void what_a_crash_left_stays_aside(void **state)
{
	struct fixture *f = *state;
	append(f, 1, 5000);
	commit(f);
	uint64_t end = segments_end(f->s), left = append(f, 2, 50000);
	assert_int_equal(segments_flush(f->s, NULL), 0);
	close(openat(f->dir.fd, "segment/0000000001.seg", O_CREAT | O_WRONLY, 0600)); /* empty: as good as none */
	close(openat(f->dir.fd, "segment/notes.txt", O_CREAT | O_WRONLY, 0600));
	reopen(f, end);
	assert_true(segments_behind(f->s) >= 50000 && segments_behind(f->s) < 50000 + 65536);
	assert_true(file_size(f, "0000000000.seg") < 200000); /* without the room that was reserved */
	assert_int_equal(file_size(f, "notes.txt"), 0);
	assert_int_equal(append(f, 3, 300), SEGMENT_SIZE);
	commit(f);
	holds(f, 0, 1, 5000);
	holds(f, left, 2, 50000);
	holds(f, SEGMENT_SIZE, 3, 300);
}

/* Room that was reserved and not used is no reason for another file. */
static void a_crash_between_batches_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	append(f, 1, 5000);
	commit(f);
	uint64_t end = segments_end(f->s);
	assert_true(file_size(f, "0000000000.seg") >= (off_t)end);
	reopen(f, end);
	assert_int_equal(segments_behind(f->s), 0);
	assert_int_equal(append(f, 2, 300), end);
}

/* An older store is started with its segments (or none, with those of another): nothing of the newer one's is lost. */
static void an_older_store_spares_newer_bodies(void **state)
{
	struct fixture *f = *state;
	uint64_t at[6], ends[7] = {0};
	for (unsigned i = 0; i < 6; i++) {
		at[i] = append(f, i, 9000);
		commit(f);
		ends[i + 1] = segments_end(f->s);
	}
	for (unsigned back = 0; back < 6; back++) {
		reopen(f, ends[back]);
		assert_int_equal(append(f, 100 + back, 9000), (back + 1) * SEGMENT_SIZE);
		commit(f);
	}
	reopen(f, ends[6]);
	for (unsigned i = 0; i < 6; i++)
		holds(f, at[i], i, 9000);
	for (unsigned back = 0; back < 6; back++)
		holds(f, (back + 1) * SEGMENT_SIZE, 100 + back, 9000);
}

static void a_file_that_lost_something_is_refused(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	append(f, 1, 9000);
	commit(f);
	uint64_t end = segments_end(f->s);
	segments_close(f->s);
	f->s = NULL;
	int fd = openat(f->dir.fd, "segment/0000000000.seg", O_WRONLY);
	assert_int_equal(ftruncate(fd, 4096), 0);
	close(fd);
	assert_int_equal(segments_open(f->dir.fd, end, WINDOW, &f->s, &err), VAN_EIO);
	assert_non_null(strstr(err.text, "restore the last backup"));
	assert_int_equal(unlinkat(f->dir.fd, "segment/0000000000.seg", 0), 0);
	assert_int_equal(segments_open(f->dir.fd, end, WINDOW, &f->s, &err), VAN_EIO);
	assert_int_equal(file_size(f, "0000000000.seg"), -1); /* and none is made in its place */
}

/* Begins close to the end of a file, so that what follows goes into the next one. */
static void near_the_end(struct fixture *f, uint64_t left)
{
	segments_close(f->s);
	f->s = NULL;
	int fd = openat(f->dir.fd, "segment/0000000000.seg", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, (off_t)(SEGMENT_SIZE - left)), 0);
	close(fd);
	open_at(f, SEGMENT_SIZE - left);
}

static void files_follow_one_another(void **state)
{
	struct fixture *f = *state;
	near_the_end(f, 8192);
	uint64_t a = append(f, 1, 6000), b = append(f, 2, 6000);
	assert_int_equal(a, SEGMENT_SIZE - 8192);
	assert_int_equal(b, SEGMENT_SIZE);
	segments_rollback(f->s);
	assert_int_equal(append(f, 3, 100), a);
	b = append(f, 4, 9000);
	assert_int_equal(b, SEGMENT_SIZE);
	commit(f);
	uint64_t end = segments_end(f->s);
	segments_close(f->s);
	f->s = NULL;
	open_at(f, end);
	holds(f, a, 3, 100);
	holds(f, b, 4, 9000);
}

static void a_file_filled_to_its_last_byte(void **state)
{
	struct fixture *f = *state;
	near_the_end(f, 8192);
	uint64_t a = append(f, 1, 8192), b = append(f, 2, 10);
	assert_int_equal(b, SEGMENT_SIZE);
	commit(f);
	holds(f, a, 1, 8192);
	holds(f, b, 2, 10);
}

/* A disk that takes no more: the batch fails with a reason, and the next one works when there is room. */
static void a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit all, little;
	struct van_error err = {0};
	uint64_t kept = append(f, 1, 100);
	commit(f);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	little = (struct rlimit){4096, all.rlim_max};
	setrlimit(RLIMIT_FSIZE, &little);
	append(f, 2, 100);
	assert_true(segments_flush(f->s, &err) < 0);
	assert_int_not_equal(err.text[0], 0);
	segments_rollback(f->s);
	setrlimit(RLIMIT_FSIZE, &all);
	uint64_t at = append(f, 3, 100);
	commit(f);
	holds(f, kept, 1, 100);
	holds(f, at, 3, 100);
}

static struct rlimit limit_files(rlim_t bytes)
{
	struct rlimit was, now;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	now = (struct rlimit){bytes, was.rlim_max};
	setrlimit(RLIMIT_FSIZE, &now);
	return was;
}

/* Inside a block, where a direct write of the rest is not possible: an error, and not another try for ever. */
static void a_disk_full_inside_a_block(void **state)
{
	struct fixture *f = *state;
	alarm(300);
	uint64_t kept = append(f, 1, 100);
	commit(f);
	struct rlimit was = limit_files(4096 + 4096 + 100);
	append(f, 2, 9000);
	assert_true(segments_flush(f->s, NULL) < 0);
	segments_rollback(f->s);
	setrlimit(RLIMIT_FSIZE, &was);
	alarm(0);
	uint64_t at = append(f, 3, 9000);
	commit(f);
	reopen(f, segments_end(f->s));
	holds(f, kept, 1, 100);
	holds(f, at, 3, 9000);
}

/* What failed once in a batch is not asked again: the second flush of lost pages reports success. */
static void a_failed_batch_stays_failed(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	uint64_t at;
	int rc = 0;
	append(f, 1, 100);
	commit(f);
	struct rlimit was = limit_files(4096);
	for (unsigned i = 0; i < 8 && rc == 0; i++)
		rc = segments_append(f->s, body_of(f, i, SEGMENT_BODY_MAX), &at, &err);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_true(rc < 0);
	assert_int_equal(segments_append(f->s, body_of(f, 9, 10), &at, &err), rc);
	assert_int_equal(segments_flush(f->s, &err), rc);
	assert_int_equal(segments_flush(f->s, &err), rc);
	segments_rollback(f->s);
	at = append(f, 2, 100);
	commit(f);
	reopen(f, segments_end(f->s));
	holds(f, 0, 1, 100);
	holds(f, at, 2, 100);
}

/* --- everything in any order ------------------------------------------------------------------------------------------- */

#define MODEL_MAX 4096

struct model {
	struct { uint64_t at; unsigned seed; size_t n; } bodies[MODEL_MAX];
	size_t n, kept;
	uint64_t end; /* of the last commit */
};

/* A body that lives through other calls of body_of(). */
static void any_body(struct fixture *f, struct model *m)
{
	static const size_t sizes[] = {0, 1, 256, 4095, 4096, 30000, 200000, SEGMENT_BODY_MAX};
	unsigned seed = (unsigned)rand();
	size_t n = sizes[rand() % 8];
	if (m->n == MODEL_MAX)
		return;
	m->bodies[m->n].seed = seed;
	m->bodies[m->n].n = n ? n - (size_t)rand() % (n / 2 + 1) : 0;
	m->bodies[m->n].at = append(f, seed, m->bodies[m->n].n);
	m->n++;
}

static void check_all(struct fixture *f, const struct model *m, size_t every)
{
	for (size_t i = m->n; i-- > 0;)
		if (i >= m->kept || rand() % (int)every == 0)
			holds(f, m->bodies[i].at, m->bodies[i].seed, m->bodies[i].n);
}

/* Crashes lose the batch; what was committed is there, whatever was flushed or written behind it. */
static void crash(struct fixture *f, struct model *m)
{
	if (rand() % 2)
		assert_int_equal(segments_flush(f->s, NULL), 0);
	m->n = m->kept;
	reopen(f, m->end);
}

/* A whole file's worth of nothing, so that the next one is not far. */
static void go_near_the_end(struct fixture *f, struct model *m)
{
	char name[64];
	segments_rollback(f->s);
	m->n = m->kept;
	uint64_t at = (segments_end(f->s) / SEGMENT_SIZE + 1) * SEGMENT_SIZE - 4096 * (uint64_t)(1 + rand() % 600);
	if (at <= segments_end(f->s))
		return;
	snprintf(name, sizeof name, "segment/%010llu.seg", (unsigned long long)(at / SEGMENT_SIZE));
	int fd = openat(f->dir.fd, name, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, (off_t)(at % SEGMENT_SIZE)), 0);
	close(fd);
	m->end = at;
	reopen(f, at);
}

static void any_order(void **state)
{
	struct fixture *f = *state;
	struct model *m = calloc(1, sizeof *m);
	const char *seed = getenv("SEED"), *steps = getenv("STEPS");
	srand(seed ? (unsigned)atoi(seed) : 1);
	for (int i = steps ? atoi(steps) : 500; i > 0; i--) {
		int dice = rand() % 100;
		if (dice < 75) {
			any_body(f, m);
		} else if (dice < 87) {
			commit(f);
			m->end = segments_end(f->s);
			m->kept = m->n;
		} else if (dice < 94) {
			if (rand() % 2)
				assert_int_equal(segments_flush(f->s, NULL), 0);
			segments_rollback(f->s);
			m->n = m->kept;
		} else if (dice < 97) {
			crash(f, m);
		} else {
			go_near_the_end(f, m);
		}
		check_all(f, m, 40);
	}
	check_all(f, m, 1);
	free(m);
}

/* --- readers meanwhile --------------------------------------------------------------------------------------------------- */

#define SHARED_MAX 3000
#define SHARED_BODY 20000

struct shared {
	struct segments *s;
	_Atomic size_t n; /* committed */
	uint64_t at[SHARED_MAX];
	atomic_bool over;
};

static void shared_body(char *to, size_t i)
{
	for (size_t k = 0; k < SHARED_BODY; k++)
		to[k] = (char)(i * 131 + k * 7 + (k >> 9));
}

static void *reader(void *arg)
{
	struct shared *sh = arg;
	unsigned seed = 7;
	char *got = malloc(SHARED_BODY), *want = malloc(SHARED_BODY);
	bool right = true;
	while (right && !atomic_load(&sh->over)) {
		size_t n = atomic_load(&sh->n), far = (size_t)rand_r(&seed) % 2 ? 20 : SHARED_MAX;
		if (!n)
			continue;
		size_t i = n - 1 - (size_t)rand_r(&seed) % (n < far ? n : far);
		shared_body(want, i);
		right = segments_read(sh->s, sh->at[i], got, SHARED_BODY, NULL) == 0 && memcmp(got, want, SHARED_BODY) == 0;
	}
	free(got);
	free(want);
	return right ? NULL : arg;
}

/* Batches are taken back and come again with other bodies, while others read what was committed. */
static void readers_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct shared *sh = calloc(1, sizeof *sh);
	char *body = malloc(SHARED_BODY);
	pthread_t threads[3];
	void *wrong;
	near_the_end(f, 8 << 20);
	sh->s = f->s;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, sh), 0);
	for (size_t n = 0; n < SHARED_MAX;) {
		size_t batch = 1 + (size_t)rand() % 64;
		for (int again = rand() % 3; again >= 0; again--) {
			for (size_t i = n; i < n + batch && i < SHARED_MAX; i++) {
				shared_body(body, again ? i + 1000 : i);
				assert_int_equal(segments_append(f->s, slice_make(body, SHARED_BODY), &sh->at[i], NULL), 0);
			}
			if (again)
				segments_rollback(f->s);
		}
		commit(f);
		n = n + batch < SHARED_MAX ? n + batch : SHARED_MAX;
		atomic_store(&sh->n, n);
	}
	atomic_store(&sh->over, true);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	free(body);
	free(sh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_appended_nothing_flushed, setup, teardown),
		cmocka_unit_test_setup_teardown(rollback_forgets, setup, teardown),
		cmocka_unit_test_setup_teardown(larger_than_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_crash_left_stays_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash_between_batches_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(an_older_store_spares_newer_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_lost_something_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(files_follow_one_another, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_filled_to_its_last_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(a_disk_full_inside_a_block, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_batch_stays_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_meanwhile, setup, teardown),
	};
	return cmocka_run_group_tests_name("segments", tests, NULL, NULL);
}
