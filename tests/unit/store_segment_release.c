/* Old log is given back to the disk: bodies stay, whoever is killed in between, and an older store is refused and not left behind. */
#include "store_segment_rig.h"

#include "store/segment_part.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define BATCHES 40
#define REDO_BYTES 50000
#define NOW (van_clock_now() + VAN_SECOND)

struct placed {
	uint64_t at[BATCHES];
	size_t n[BATCHES];
};

/* --- a log with files that are complete ---------------------------------------------------------------------------------------------- */

static void commit_redo(struct fixture *f, size_t n)
{
	char *redo = malloc(n);
	for (size_t i = 0; i < n; i++)
		redo[i] = (char)(i % 251 + 1);
	assert_int_equal(segments_commit(f->s, slice_make(redo, n), NULL), 0);
	segments_keep(f->s);
	free(redo);
}

/* Every third batch has no body, every fourth one that fills its blocks. */
static void fill(struct fixture *f, struct placed *p)
{
	for (unsigned i = 0; i < BATCHES; i++) {
		p->n[i] = i % 3 == 0 ? 0 : i % 4 == 0 ? 2 * SEGMENT_BLOCK - HEADER : 300 + i * 777;
		p->at[i] = p->n[i] ? append(f, i, p->n[i]) : 0;
		commit_redo(f, REDO_BYTES + i);
	}
}

static void all_hold(struct fixture *f, const struct placed *p)
{
	for (unsigned i = 0; i < BATCHES; i++)
		if (p->n[i])
			holds(f, p->at[i], i, p->n[i]);
}

static void start_again(struct fixture *f, const struct segments_mark *mark)
{
	struct van_error err = {0};
	segments_close(f->s);
	f->s = NULL;
	if (segments_open(f->dir.fd, mark, WINDOW, &f->s, &err))
		fail_msg("%s", err.text);
}

/* The next batch begins two files further on, for somebody has the one between. */
static void next_file(struct fixture *f)
{
	char name[64];
	struct segments_mark mark = segments_mark(f->s);
	snprintf(name, sizeof name, "segment/" SEGMENT_NAME_FORMAT, (unsigned long long)(mark.end / SEGMENT_SIZE + 1));
	int fd = openat(f->dir.fd, name, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, 4096), 0);
	close(fd);
	start_again(f, &mark);
}

static uint64_t on_disk(struct fixture *f, const char *name)
{
	char path[80];
	struct stat st;
	snprintf(path, sizeof path, "segment/%s", name);
	return fstatat(f->dir.fd, path, &st, 0) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static int release(struct fixture *f, van_time before, struct segments_released *ret)
{
	struct van_error err = {0};
	int rc = segments_release(f->s, segments_mark(f->s).end, before, ret, &err);
	if (rc == VAN_EVERSION) {
		print_message("%s\n", err.text);
		skip();
	}
	if (rc < 0)
		fail_msg("%s", err.text);
	return rc;
}

static int no_redo(void *ctx, struct slice redo, const struct segments_mark *behind)
{
	(void)redo, (void)behind;
	++*(unsigned *)ctx;
	return 0;
}

/* --- what stays, what goes ------------------------------------------------------------------------------------------------------------- */

static void log_goes_and_bodies_stay(void **state)
{
	struct fixture *f = *state;
	struct placed p;
	struct segments_released done;
	fill(f, &p);
	next_file(f);
	append(f, 99, 5000);
	commit(f);
	uint64_t before = on_disk(f, "0000000000.seg"), bodies = 0;
	for (unsigned i = 0; i < BATCHES; i++)
		bodies += p.n[i] ? p.n[i] + 2 * SEGMENT_BLOCK : 0;
	assert_int_equal(release(f, NOW, &done), 0);
	uint64_t after = on_disk(f, "0000000000.seg");
	assert_true(before >= BATCHES * REDO_BYTES + bodies / 2);
	assert_in_range(after, 1, bodies);
	assert_true(done.bytes >= BATCHES * (REDO_BYTES - 2 * SEGMENT_BLOCK));
	assert_int_equal(done.files, 0);
	all_hold(f, &p);
	struct segments_mark mark = segments_mark(f->s);
	start_again(f, &mark);
	all_hold(f, &p);
	release(f, NOW, &done);
	assert_int_equal(done.bytes, 0); /* there is nothing more */
}

static void an_older_store_is_refused(void **state)
{
	struct fixture *f = *state;
	struct placed p;
	struct segments_released done;
	struct van_error err = {0};
	fill(f, &p);
	struct segments_mark first = {0}, last = segments_mark(f->s);
	next_file(f);
	commit(f);
	unsigned n = 0;
	struct segments_mark mark = first;
	assert_int_equal(segments_replay(f->dir.fd, &mark, no_redo, &n, NULL), 0);
	assert_int_equal(n, BATCHES + 1); /* it could catch up */
	release(f, NOW, &done);
	n = 0;
	mark = first;
	assert_int_equal(segments_replay(f->dir.fd, &mark, no_redo, &n, &err), VAN_EVERSION);
	assert_non_null(strstr(err.text, "store.keep_log"));
	assert_int_equal(n, 0);
	mark = last; /* the newest that was released: what comes behind it is there */
	assert_int_equal(segments_replay(f->dir.fd, &mark, no_redo, &n, NULL), 0);
	assert_int_equal(n, 1);
}

static void what_is_new_stays(void **state)
{
	struct fixture *f = *state;
	struct placed p;
	struct segments_released done;
	struct van_error err = {0};
	fill(f, &p);
	release(f, NOW, &done); /* in the file that is written to */
	assert_int_equal(done.bytes, 0);
	uint64_t settled = segments_mark(f->s).end;
	next_file(f);
	commit(f);
	release(f, NOW - 3600 * VAN_SECOND, &done); /* too young */
	assert_int_equal(done.bytes, 0);
	assert_int_equal(segments_release(f->s, settled, NOW, &done, &err), 0); /* the store may have to repeat it */
	assert_int_equal(done.bytes, 0);
	release(f, NOW, &done);
	assert_true(done.bytes > 0);
}

struct listed {
	unsigned n, missing;
	char last[64];
};

static int list(void *ctx, const char *path, int fd, uint64_t bytes, struct van_error *err)
{
	struct listed *l = ctx;
	(void)bytes, (void)err;
	l->n++;
	l->missing += fd < 0;
	snprintf(l->last, sizeof l->last, "%s", path);
	return 0;
}

/* And no copy misses it. */
static void a_file_without_bodies_goes(void **state)
{
	struct fixture *f = *state;
	struct segments_released done;
	struct listed l = {0};
	for (unsigned i = 0; i < BATCHES; i++)
		commit_redo(f, REDO_BYTES);
	next_file(f);
	uint64_t at = append(f, 7, 5000);
	commit(f);
	release(f, NOW, &done);
	assert_int_equal(done.files, 1);
	assert_int_equal(file_size(f, "0000000000.seg"), -1);
	holds(f, at, 7, 5000);
	assert_int_equal(segments_each_file(f->s, end_of(f), list, &l, NULL), 0);
	assert_int_equal(l.missing, 0);
	assert_int_equal(l.n, 3); /* the one between, the newest, and what says so */
	assert_string_equal(l.last, "segment/released");
	struct segments_mark mark = segments_mark(f->s);
	start_again(f, &mark);
	holds(f, at, 7, 5000);
}

/* It may be somebody's document. */
static void what_a_crash_left_stays(void **state)
{
	struct fixture *f = *state;
	struct segments_released done;
	char left[3000], got[sizeof left];
	for (unsigned i = 0; i < BATCHES; i++)
		commit_redo(f, REDO_BYTES);
	struct segments_mark mark = segments_mark(f->s);
	memset(left, 'x', sizeof left);
	int fd = openat(f->dir.fd, "segment/0000000000.seg", O_RDWR);
	assert_int_equal(pwrite(fd, left, sizeof left, (off_t)mark.end), sizeof left);
	start_again(f, &mark);
	commit(f);
	assert_int_equal(end_of(f) / SEGMENT_SIZE, 1);
	release(f, NOW, &done);
	assert_true(done.bytes > 0);
	assert_int_equal(done.files, 0);
	assert_int_equal(pread(fd, got, sizeof got, (off_t)mark.end), sizeof got);
	assert_memory_equal(got, left, sizeof left);
	close(fd);
}

/* --- trouble ----------------------------------------------------------------------------------------------------------------------------- */

/* In a process of its own, which a fault point kills; NULL: none does. True: it was. Which point is armed a process finds out once, so the
 * tests that use them come first, and release nothing here before. */
static bool killed_at(struct fixture *f, const char *point)
{
	struct segments_released done;
	int status;
	pid_t child = fork();
	if (child == 0) {
		if (point)
			setenv("OPENVAN_FAULT", point, 1);
		struct van_error err = {0};
		int rc = segments_release(f->s, segments_mark(f->s).end, NOW, &done, &err);
		if (rc < 0)
			fprintf(stderr, "%s\n", err.text);
		_exit(rc != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void killed_anywhere(void **state)
{
	static const char *const points[] = {"segment-before-released:1", "segment-before-holes:1", "segment-amid-holes:1", "segment-amid-holes:9",
					     "segment-after-holes:1"};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		struct placed p;
		uint64_t number = end_of(f) / SEGMENT_SIZE;
		char name[64];
		snprintf(name, sizeof name, SEGMENT_NAME_FORMAT, (unsigned long long)number);
		fill(f, &p);
		next_file(f);
		commit(f);
		if (!killed_at(f, points[i])) {
			print_message("no fault points in this build, or no holes: %s\n", points[i]);
			skip();
		}
		struct segments_mark mark = segments_mark(f->s);
		start_again(f, &mark);
		all_hold(f, &p);
		assert_false(killed_at(f, NULL));
		assert_in_range(on_disk(f, name), 1, BATCHES * REDO_BYTES / 2);
		assert_in_range(file_size(f, "released"), 1, 200); /* nothing is left to do */
		start_again(f, &mark);
		all_hold(f, &p);
	}
}

/* A list that says other places than it did would make holes in documents. */
static void a_damaged_list_is_refused(void **state)
{
	struct fixture *f = *state;
	struct placed p;
	struct segments_released done;
	struct segments_mark mark;
	struct van_error err = {0};
	char text[65536];
	fill(f, &p);
	next_file(f);
	commit(f);
	if (!killed_at(f, "segment-before-holes:1"))
		skip();
	int fd = openat(f->dir.fd, "segment/released", O_RDWR);
	ssize_t n = pread(fd, text, sizeof text, 0);
	assert_true(n > 200 && n < (ssize_t)sizeof text);
	for (ssize_t i = 0; i < n; i += 1 + i / 8) {
		char wrong = text[i] == '7' ? '3' : '7';
		assert_int_equal(pwrite(fd, &wrong, 1, i), 1);
		assert_int_equal(segments_release(f->s, end_of(f), NOW, &done, &err), VAN_ESYNTAX);
		mark = segments_mark(f->s);
		assert_int_equal(segments_replay(f->dir.fd, &mark, no_redo, NULL, &err), VAN_ESYNTAX);
		assert_int_equal(pwrite(fd, text + i, 1, i), 1);
	}
	assert_int_equal(ftruncate(fd, n / 2), 0);
	assert_int_equal(segments_release(f->s, end_of(f), NOW, &done, &err), VAN_ESYNTAX);
	assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
	close(fd);
	release(f, NOW, &done);
	assert_true(done.bytes > 0);
	all_hold(f, &p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_list_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(log_goes_and_bodies_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(an_older_store_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_new_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_without_bodies_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_crash_left_stays, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
