/* Segments: what is done ahead, blocks to be written and bodies to be read, changes nothing but the time it takes. */
#include "store_segment_rig.h"

/* The program is linked so that posix_fadvise() comes here. */
static unsigned asked; /* reads ahead, ... */
static off_t asked_to; /* ... the last of which reached so far */
int __real_posix_fadvise(int fd, off_t from, off_t n, int advice);
int __wrap_posix_fadvise(int fd, off_t from, off_t n, int advice);

int __wrap_posix_fadvise(int fd, off_t from, off_t n, int advice)
{
	if (advice == POSIX_FADV_WILLNEED) {
		asked++;
		asked_to = from + n;
	}
	return __real_posix_fadvise(fd, from, n, advice);
}

/* --- blocks to be written ----------------------------------------------------------------------------------------------- */

/* What is not zero, behind `end`. */
static void scribble(struct fixture *f, uint64_t end, size_t n)
{
	char *noise = malloc(n);
	int fd = openat(f->dir.fd, "segment/0000000000.seg", O_WRONLY);
	memset(noise, 0x55, n);
	assert_int_equal(pwrite(fd, noise, n, (off_t)end), n);
	assert_int_equal(fdatasync(fd), 0);
	close(fd);
	free(noise);
}

static size_t zeros_from(struct fixture *f, uint64_t end, size_t n)
{
	char *got = malloc(n);
	int fd = openat(f->dir.fd, "segment/0000000000.seg", O_RDONLY);
	size_t zeros = 0;
	assert_int_equal(pread(fd, got, n, (off_t)end), n);
	while (zeros < n && !got[zeros])
		zeros++;
	for (size_t i = zeros; i < n; i++)
		assert_int_equal(got[i], 0x55);
	close(fd);
	free(got);
	return zeros;
}

/* Behind a small batch, and only as far as it says; nothing that was committed changes, and a start finds the log's end. */
static void the_next_blocks_are_made_ready(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	uint64_t at[40];
	size_t room = (size_t)1 << 20;
	assert_int_equal(segments_make_ready(f->s, &err), 0); /* there is no file yet */
	at[0] = append(f, 0, 9000);
	assert_int_equal(segments_make_ready(f->s, &err), 0); /* within a batch: nothing */
	commit(f);
	uint64_t first = end_of(f);
	scribble(f, first, room);
	assert_int_equal(segments_make_ready(f->s, &err), 0);
	size_t ready = zeros_from(f, end_of(f), room);
	assert_true(ready > 0 && ready < room);
	for (unsigned i = 1; i < 40; i++) {
		at[i] = append(f, i, 9000);
		if (i == 20) { /* one that fails */
			segments_rollback(f->s);
			at[i] = append(f, i, 9000);
		}
		commit(f);
		assert_int_equal(segments_make_ready(f->s, &err), 0);
	}
	for (unsigned i = 0; i < 40; i++)
		holds(f, at[i], i, 9000);
	struct segments_mark mark = segments_mark(f->s);
	reopen(f, mark.end);
	uint64_t noise = first + room - mark.end; /* what nothing came to is found, as ever */
	assert_true(segments_behind(f->s) >= noise && segments_behind(f->s) < noise + 65536);
	for (unsigned i = 0; i < 40; i++)
		holds(f, at[i], i, 9000);
}

/* A large one needs more than that anyway, and shares its flush with many. */
static void behind_a_large_batch_nothing_is_made_ready(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	append(f, 1, 500000);
	commit(f);
	scribble(f, end_of(f), 4096);
	assert_int_equal(segments_make_ready(f->s, &err), 0);
	assert_int_equal(zeros_from(f, end_of(f), 4096), 0);
}

/* At the end of a file there is no room for it. */
static void nothing_is_made_ready_behind_a_file(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	near_the_end(f, 65536);
	append(f, 1, 6000);
	commit(f);
	assert_int_equal(segments_make_ready(f->s, &err), 0);
	assert_true(file_size(f, "0000000000.seg") <= (off_t)SEGMENT_SIZE);
}

/* --- bodies to be read -------------------------------------------------------------------------------------------------- */

/* Whoever reads in the order of the log has the disk read ahead, but never what the writer may be writing; who jumps about has not. */
static void what_comes_next_is_read_ahead(void **state)
{
	struct fixture *f = *state;
	uint64_t at[900];
	for (unsigned i = 0; i < 900; i++) { /* 10.8 MB, of which 4 MiB are in memory */
		at[i] = append(f, i, 12000);
		if (i % 10 == 9)
			commit(f);
	}
	asked = 0;
	for (unsigned i = 0; i < 400; i++)
		holds(f, at[i * 7919 % 400], i * 7919 % 400, 12000);
	assert_true(asked < 40); /* neighbours by chance */
	asked = 0;
	for (unsigned i = 0; i < 900; i++)
		holds(f, at[i], i, 12000);
	assert_in_range(asked, 10, 60);
	assert_true((uint64_t)asked_to <= end_of(f) - WINDOW);
	uint64_t end = end_of(f);
	segments_close(f->s);
	f->s = NULL;
	open_at(f, end);
	asked = 0;
	holds(f, at[898], 898, 12000);
	holds(f, at[899], 899, 12000);
	assert_true((uint64_t)asked_to <= end); /* nothing is in memory, but there is nothing more */
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* More than are kept open to be read. */
static void many_files_take_few_descriptors(void **state)
{
	struct fixture *f = *state;
	unsigned before = open_descriptors(), most = 0;
	uint64_t at[20];
	for (unsigned i = 0; i < 20; i++) {
		reopen(f, 0); /* an older store: each time another file */
		at[i] = append(f, i, 9000);
		commit(f);
		assert_int_equal(at[i], i * SEGMENT_SIZE + HEADER);
	}
	reopen(f, 0);
	for (unsigned i = 0; i < 100; i++) {
		holds(f, at[i * 7 % 20], i * 7 % 20, 9000);
		most = open_descriptors() > most ? open_descriptors() : most;
	}
	assert_in_range(most, before + 1, before + 8);
	reopen(f, 0);
	assert_int_equal(open_descriptors(), before); /* it had the folder open, too */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_next_blocks_are_made_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(behind_a_large_batch_nothing_is_made_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_made_ready_behind_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(what_comes_next_is_read_ahead, setup, teardown),
		cmocka_unit_test_setup_teardown(many_files_take_few_descriptors, setup, teardown),
	};
	return cmocka_run_group_tests_name("segments ahead", tests, NULL, NULL);
}
