/* Payload files: links, batches, rollback, sweep, full disk. */
#include "store_conformance.h"

#include "base/fdio.h"
#include "base/id.h"
#include "store/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
	struct scratch dir;
	struct payload_dir *d;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_make(&f->dir);
	assert_int_equal(payload_dir_open(f->dir.fd, &f->d, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	payload_dir_close(f->d);
	scratch_remove(&f->dir);
	free(f);
	return 0;
}

static struct van_id new_id(void)
{
	return van_id_new(van_clock_now());
}

static int unnamed_with(struct payload_dir *d, const char *text)
{
	int fd = payload_create_unnamed(d, NULL);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	return fd;
}

static void holds(struct payload_dir *d, const struct van_id *id, const char *part, const char *text)
{
	int fd = payload_open(d, slice_str(id->text), part, NULL);
	if (!text) {
		assert_int_equal(fd, VAN_ENOTFOUND);
		return;
	}
	assert_true(fd >= 0);
	struct van_buf b = VAN_BUF_INIT(0);
	assert_int_equal(fd_read_file(fd, &b), 0);
	assert_true(slice_is(van_buf_slice(&b), text));
	van_buf_free(&b);
	close(fd);
}

static void files_get_their_names(void **state)
{
	struct fixture *f = *state;
	struct van_id id = new_id(), other = new_id();
	int fd = unnamed_with(f->d, "hello");
	holds(f->d, &id, "raw", NULL);
	assert_int_equal(payload_link(f->d, fd, slice_str(id.text), "raw", NULL), 0);
	close(fd);
	assert_int_equal(payload_write(f->d, SLICE("world"), slice_str(id.text), "mdn-headers", NULL), 0);
	assert_int_equal(payload_sync(f->d, NULL), 0);
	payload_keep(f->d);
	holds(f->d, &id, "raw", "hello");
	holds(f->d, &id, "mdn-headers", "world");
	holds(f->d, &other, "raw", NULL);
	assert_int_equal(payload_remove(f->d, slice_str(id.text), "raw", NULL), 0);
	assert_int_equal(payload_remove(f->d, slice_str(id.text), "raw", NULL), 0);
	holds(f->d, &id, "raw", NULL);
	payload_dir_close(f->d);
	assert_int_equal(payload_dir_open(f->dir.fd, &f->d, NULL), 0);
	holds(f->d, &id, "mdn-headers", "world");
}

static void a_replayed_batch_links_once(void **state)
{
	struct fixture *f = *state;
	struct van_id id = new_id();
	int fd = unnamed_with(f->d, "one"), second = unnamed_with(f->d, "two");
	assert_int_equal(payload_link(f->d, fd, slice_str(id.text), "raw", NULL), 0);
	assert_int_equal(payload_link(f->d, fd, slice_str(id.text), "raw", NULL), 0);
	assert_int_equal(payload_link(f->d, second, slice_str(id.text), "raw", NULL), VAN_EEXISTS);
	assert_int_equal(payload_sync(f->d, NULL), 0);
	assert_int_equal(payload_link(f->d, fd, slice_str(id.text), "raw", NULL), 0);
	assert_int_equal(payload_sync(f->d, NULL), 0);
	payload_keep(f->d);
	assert_int_equal(payload_link(f->d, second, slice_str(id.text), "raw", NULL), VAN_EEXISTS);
	holds(f->d, &id, "raw", "one");
	close(fd);
	close(second);
}

static void foreign_descriptors_are_copied(void **state)
{
	struct fixture *f = *state;
	struct van_id id = new_id();
	int fd = memfd_with("t", "memory", 6);
	assert_true(fd >= 0);
	assert_int_equal(payload_link(f->d, fd, slice_str(id.text), "raw", NULL), 0);
	assert_int_equal(payload_link(f->d, fd, slice_str(id.text), "raw", NULL), 0); /* a replay */
	assert_int_equal(payload_sync(f->d, NULL), 0);
	payload_keep(f->d);
	close(fd);
	holds(f->d, &id, "raw", "memory");
	int again = memfd_with("t", "other", 5);
	assert_int_equal(payload_link(f->d, again, slice_str(id.text), "raw", NULL), VAN_EEXISTS);
	close(again);
	holds(f->d, &id, "raw", "memory");
}

static void rollback_removes_the_batch(void **state)
{
	struct fixture *f = *state;
	struct van_id kept = new_id(), gone = new_id(), unsynced = new_id();
	assert_int_equal(payload_write(f->d, SLICE("k"), slice_str(kept.text), "raw", NULL), 0);
	assert_int_equal(payload_sync(f->d, NULL), 0);
	payload_keep(f->d);
	assert_int_equal(payload_write(f->d, SLICE("g"), slice_str(gone.text), "raw", NULL), 0);
	assert_int_equal(payload_sync(f->d, NULL), 0);
	assert_int_equal(payload_write(f->d, SLICE("u"), slice_str(unsynced.text), "raw", NULL), 0);
	payload_rollback(f->d);
	holds(f->d, &kept, "raw", "k");
	holds(f->d, &gone, "raw", NULL);
	holds(f->d, &unsynced, "raw", NULL);
}

/* Flushes of one batch of `n` files. */
static uint64_t flushes_of(struct fixture *f, int n)
{
	uint64_t before = payload_flushes(f->d);
	van_time now = van_clock_now();
	for (int i = 0; i < n; i++)
		assert_int_equal(payload_write(f->d, SLICE("x"), slice_str(van_id_new(now).text), "raw", NULL), 0);
	assert_int_equal(payload_flushes(f->d), before);
	assert_int_equal(payload_sync(f->d, NULL), 0);
	payload_keep(f->d);
	return payload_flushes(f->d) - before;
}

static void a_batch_is_flushed_with_few_calls(void **state)
{
	struct fixture *f = *state;
	flushes_of(f, 1); /* makes the folder */
	assert_in_range(flushes_of(f, 1), 2, 3); /* the file, its folder; another one at the turn of 17 minutes */
	assert_in_range(flushes_of(f, 3), 4, 5);
	assert_int_equal(flushes_of(f, 20), 1);
	assert_int_equal(flushes_of(f, 0), 0);
}

static void many_folders_in_one_batch(void **state)
{
	struct fixture *f = *state;
	struct van_id ids[40];
	van_time t = van_clock_now() + 86400 * VAN_SECOND;
	for (int i = 0; i < 40; i++) {
		ids[i] = van_id_new(t + i * 1200 * VAN_SECOND);
		assert_int_equal(payload_write(f->d, SLICE("x"), slice_str(ids[i].text), "raw", NULL), 0);
	}
	assert_int_equal(payload_sync(f->d, NULL), 0);
	payload_keep(f->d);
	for (int i = 0; i < 40; i++)
		holds(f->d, &ids[i], "raw", "x");
}

static void bad_names_are_refused(void **state)
{
	struct fixture *f = *state;
	struct van_id id = new_id();
	static const char *const parts[] = {"", "../x", "a/b", "UP", ".x", "a.b", "0123456789012345678901234567890123"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		assert_int_equal(payload_write(f->d, SLICE("x"), slice_str(id.text), parts[i], NULL), VAN_EINVAL);
	assert_int_equal(payload_open(f->d, SLICE("../../../../../etc/passwd"), "raw", NULL), VAN_EINVAL);
	assert_int_equal(payload_remove(f->d, SLICE("short"), "raw", NULL), VAN_EINVAL);
}

static bool only_first(void *arg, struct slice id, struct slice part)
{
	return slice_is(id, ((struct van_id *)arg)->text) && slice_is(part, "raw");
}

static void the_sweep_sets_orphans_aside(void **state)
{
	struct fixture *f = *state;
	struct van_id old = {"01AAAAAAAAAAAAAAAAAAAAAAAA"}, first = new_id(), second = new_id();
	assert_int_equal(payload_write(f->d, SLICE("a"), slice_str(first.text), "raw", NULL), 0);
	assert_int_equal(payload_write(f->d, SLICE("b"), slice_str(first.text), "mdn", NULL), 0);
	assert_int_equal(payload_write(f->d, SLICE("c"), slice_str(second.text), "raw", NULL), 0);
	assert_int_equal(payload_write(f->d, SLICE("d"), slice_str(old.text), "raw", NULL), 0);
	assert_int_equal(payload_sync(f->d, NULL), 0);
	payload_keep(f->d);
	char copy[64];
	snprintf(copy, sizeof copy, "payload/%.6s/.copy-1-1", first.text);
	int fd = openat(f->dir.fd, copy, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	payload_dir_close(f->d);
	assert_int_equal(payload_dir_open(f->dir.fd, &f->d, NULL), 0);
	uint64_t aside = 99;
	assert_int_equal(payload_sweep(f->d, van_clock_now(), only_first, &first, &aside, NULL), 0);
	assert_int_equal(aside, 2);
	assert_int_equal(faccessat(f->dir.fd, copy, F_OK, 0), -1);
	holds(f->d, &first, "raw", "a");
	holds(f->d, &first, "mdn", NULL);
	holds(f->d, &second, "raw", NULL);
	holds(f->d, &old, "raw", "d");
	assert_int_equal(payload_sweep(f->d, 0, only_first, &first, &aside, NULL), 0);
	assert_int_equal(aside, 1);
	holds(f->d, &old, "raw", NULL);
	assert_int_equal(faccessat(f->dir.fd, "payload/01AAAA", F_OK, 0), -1);
	const char *const there[] = {old.text, first.text, second.text}, *const parts[] = {"raw", "mdn", "raw"}, *const bytes = "dbc";
	for (int i = 0; i < 3; i++) {
		char name[100], c = 0;
		snprintf(name, sizeof name, "payload/unreferenced/%s.%s", there[i], parts[i]);
		fd = openat(f->dir.fd, name, O_RDONLY);
		assert_int_equal(read(fd, &c, 1), 1);
		assert_int_equal(c, bytes[i]);
		close(fd);
	}
}

static int on_a_full_disk(const char *path)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 77;
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (mount("openvan-test", path, "tmpfs", 0, "size=1m"))
		return 77;
	int dirfd = open(path, O_RDONLY | O_DIRECTORY);
	struct payload_dir *d;
	struct van_error err = {0};
	if (dirfd < 0 || payload_dir_open(dirfd, &d, &err))
		return 2;
	static char big[2 << 20];
	struct van_id id = van_id_new(van_clock_now());
	int mem = memfd_with("t", big, sizeof big);
	/* Both ways: our own unnamed file, and a copy from elsewhere. */
	if (payload_write(d, slice_make(big, sizeof big), slice_str(id.text), "raw", &err) != VAN_ENOSPC || err.code != VAN_ENOSPC)
		return 3;
	if (payload_link(d, mem, slice_str(id.text), "raw", &err) != VAN_ENOSPC)
		return 4;
	if (payload_open(d, slice_str(id.text), "raw", NULL) != VAN_ENOTFOUND)
		return 5;
	payload_rollback(d);
	if (payload_write(d, slice_make(big, 1000), slice_str(id.text), "raw", &err) || payload_sync(d, &err))
		return 6;
	payload_keep(d);
	uint64_t room;
	if (payload_room(d, &room) || room > 1 << 20 || room < 900 << 10)
		return 7;
	payload_dir_close(d);
	return 0;
}

/* A copy of what a snapshot refers to still finds what was removed since. */
static void pinned_files_outlive_their_removal(void **state)
{
	struct fixture *f = *state;
	struct van_id kept = new_id(), gone = new_id();
	struct slice id = slice_str(kept.text);
	char path[PAYLOAD_PATH_MAX], wanted[PAYLOAD_PATH_MAX];
	assert_int_equal(payload_write(f->d, SLICE("first"), id, "raw", NULL), 0);
	assert_int_equal(payload_write(f->d, SLICE("second"), slice_str(gone.text), "raw", NULL), 0);
	assert_int_equal(payload_sync(f->d, NULL), 0);
	payload_keep(f->d);
	snprintf(wanted, sizeof wanted, "payload/%.6s/%s.raw", kept.text, kept.text);
	assert_string_equal(payload_path(id, "raw", path), wanted);
	assert_null(payload_path(id, "../raw", path));
	assert_int_equal(payload_remove(f->d, slice_str(gone.text), "raw", NULL), 0);
	assert_int_equal(payload_pin(f->d, NULL), 0);
	assert_int_equal(payload_pin(f->d, NULL), 0);
	assert_int_equal(payload_remove(f->d, id, "raw", NULL), 0);
	assert_int_equal(payload_remove(f->d, id, "raw", NULL), 0);
	holds(f->d, &kept, "raw", NULL);
	payload_unpin(f->d);
	int fd = payload_open_pinned(f->d, id, "raw", NULL);
	char text[6] = "";
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof text), 5);
	assert_string_equal(text, "first");
	close(fd);
	assert_int_equal(payload_open_pinned(f->d, slice_str(gone.text), "raw", NULL), VAN_ENOTFOUND); /* before the pin */
	payload_unpin(f->d);
	assert_int_equal(payload_open_pinned(f->d, id, "raw", NULL), VAN_ENOTFOUND);
	/* What a crash leaves of it goes at the next start. */
	assert_int_equal(payload_write(f->d, SLICE("third"), id, "raw", NULL), 0);
	payload_keep(f->d);
	assert_int_equal(payload_pin(f->d, NULL), 0);
	assert_int_equal(payload_remove(f->d, id, "raw", NULL), 0);
	payload_dir_close(f->d);
	assert_int_equal(payload_dir_open(f->dir.fd, &f->d, NULL), 0);
	assert_int_equal(payload_open_pinned(f->d, id, "raw", NULL), VAN_ENOTFOUND);
}

static void a_full_disk_leaves_nothing_half_linked(void **state)
{
	struct fixture *f = *state;
	scratch_small_disk(&f->dir, on_a_full_disk);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(files_get_their_names),
		TEST(a_replayed_batch_links_once),
		TEST(foreign_descriptors_are_copied),
		TEST(rollback_removes_the_batch),
		TEST(a_batch_is_flushed_with_few_calls),
		TEST(many_folders_in_one_batch),
		TEST(bad_names_are_refused),
		TEST(the_sweep_sets_orphans_aside),
		TEST(pinned_files_outlive_their_removal),
		TEST(a_full_disk_leaves_nothing_half_linked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
