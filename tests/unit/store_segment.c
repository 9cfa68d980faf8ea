/* Segments: bodies come back, batches are forgotten whole, the tail of a crash goes, files follow one another. */
#include "store_conformance.h"

#include "store/segment.h"

#include <fcntl.h>
#include <signal.h>
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

static void what_a_crash_left_goes(void **state)
{
	struct fixture *f = *state;
	append(f, 1, 5000);
	commit(f);
	uint64_t end = segments_end(f->s);
	append(f, 2, 50000);
	assert_int_equal(segments_flush(f->s, NULL), 0);
	assert_true(file_size(f, "0000000000.seg") > (off_t)end);
	close(openat(f->dir.fd, "segment/0000000001.seg", O_CREAT | O_WRONLY, 0600));
	close(openat(f->dir.fd, "segment/notes.txt", O_CREAT | O_WRONLY, 0600));
	segments_close(f->s);
	f->s = NULL;
	open_at(f, end);
	assert_int_equal(file_size(f, "0000000000.seg"), end);
	assert_int_equal(file_size(f, "0000000001.seg"), -1);
	assert_int_equal(file_size(f, "notes.txt"), 0);
	holds(f, 0, 1, 5000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_appended_nothing_flushed, setup, teardown),
		cmocka_unit_test_setup_teardown(rollback_forgets, setup, teardown),
		cmocka_unit_test_setup_teardown(larger_than_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_crash_left_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_lost_something_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(files_follow_one_another, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_filled_to_its_last_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk, setup, teardown),
	};
	return cmocka_run_group_tests_name("segments", tests, NULL, NULL);
}
