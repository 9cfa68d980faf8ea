/* Looking at and fetching the files of /out, one after the other or here and there: what the store is asked, over a store that is played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipc/messages.h"
#include "roles/sftp/mailbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAITING 100 /* files in /out: e00 to e99 */

/* What the store was asked, and what has become of its files. Shared with the process that plays it. */
struct asked {
	volatile int stats, lists, opens, contents, told;
	volatile bool gone[WAITING], large[WAITING];
};

#define LARGE 50000 /* bytes: more than travel with an answer */

static struct slice waiting_name(char to[8], size_t i)
{
	snprintf(to, 8, "e%02zu", i);
	return slice_make(to, 3);
}

static uint64_t waiting_bytes(const struct asked *a, size_t i)
{
	return a->large[i] ? LARGE : 1000 + i;
}

static struct slice waiting_content(const struct asked *a, size_t i)
{
	static char bytes[WAITING][1000 + WAITING];
	memset(bytes[i], (int)i, sizeof bytes[i]);
	return a->large[i] ? SLICE_NONE : slice_make(bytes[i], 1000 + i);
}

static void answer_list(struct ipc_channel *c, struct van_arena *arena, const struct ipc_message *m, struct asked *a)
{
	struct ipc_mailbox_list ask;
	struct ipc_mailbox_entry v[WAITING];
	static char names[WAITING][8];
	struct ipc_mailbox_entries page = {.entries = {v, 0}};
	if (record_decode(&ipc_mailbox_list_table, m->body, arena, &ask) < 0)
		_exit(2);
	a->lists += !ask.contents;
	a->contents += ask.contents;
	for (size_t i = 0; i < WAITING && page.entries.n < ask.limit; i++) {
		if (a->gone[i] || (ask.after.p && slice_cmp(waiting_name(names[i], i), ask.after) <= 0))
			continue;
		if (ask.contents && a->large[i])
			break;
		v[page.entries.n++] = (struct ipc_mailbox_entry){.name = waiting_name(names[i], i), .id = SLICE("m"), .bytes = waiting_bytes(a, i),
								 .content = ask.contents ? waiting_content(a, i) : SLICE_NONE};
	}
	ipc_send(c, IPC_MAILBOX_ENTRIES, m->request, &ipc_mailbox_entries_table, &page, NULL, 0);
}

static void answer_name(struct ipc_channel *c, struct van_arena *arena, const struct ipc_message *m, struct asked *a)
{
	struct ipc_mailbox_name ask;
	char name[8];
	size_t i = 0;
	if (record_decode(&ipc_mailbox_name_table, m->body, arena, &ask) < 0)
		_exit(2);
	while (i < WAITING && (a->gone[i] || !slice_eq(ask.name, waiting_name(name, i))))
		i++;
	if (!m->request) {
		a->told++;
		return;
	}
	struct ipc_mailbox_entry entry = {.name = ask.name, .id = SLICE("m"), .bytes = i < WAITING ? waiting_bytes(a, i) : 0};
	struct ipc_mailbox_reply r = {.status = i < WAITING ? IPC_MAILBOX_OK : IPC_MAILBOX_NO_FILE, .entry = i < WAITING ? &entry : NULL};
	int fd = -1;
	if (m->type == IPC_MAILBOX_REMOVE && i < WAITING)
		a->gone[i] = true;
	if (m->type == IPC_MAILBOX_OPEN && i < WAITING) {
		r.content = waiting_content(a, i);
		fd = a->large[i] ? open("/dev/zero", O_RDONLY | O_CLOEXEC) : -1;
	}
	ipc_send(c, IPC_MAILBOX_REPLY, m->request, &ipc_mailbox_reply_table, &r, &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
}

static void play_store(int fd, struct asked *a)
{
	struct ipc_channel *c = ipc_channel_new(fd);
	struct van_arena *arena = van_arena_new((size_t)1 << 20);
	struct ipc_message m;
	while (c && arena && ipc_receive(c, -1, &m) > 0) {
		a->stats += m.type == IPC_MAILBOX_STAT;
		a->opens += m.type == IPC_MAILBOX_OPEN;
		van_arena_reset(arena);
		if (m.type == IPC_MAILBOX_LIST)
			answer_list(c, arena, &m, a);
		else
			answer_name(c, arena, &m, a);
	}
	_exit(0);
}

struct looking {
	struct asked *asked;
	struct sftpd_store store;
	struct sftpd_mailbox *mailbox;
	pid_t child;
};

static void begin_looking_where(struct looking *l, const char *taken)
{
	int pair[2];
	static const struct sftpd_limits limits = {.handles = 16};
	const struct ipc_auth_reply who = {.taken = slice_str(taken)};
	l->asked = mmap(NULL, sizeof *l->asked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(l->asked != MAP_FAILED);
	assert_int_equal(ipc_pair(pair), 0);
	l->child = fork();
	if (l->child == 0) {
		close(pair[0]);
		play_store(pair[1], l->asked);
	}
	close(pair[1]);
	assert_int_equal(sftpd_store_open(&l->store, pair[0], 60 * VAN_SECOND), 0);
	l->mailbox = sftpd_mailbox_new(&l->store, &who, &limits, van_clock_now());
	assert_non_null(l->mailbox);
}

static void begin_looking(struct looking *l)
{
	begin_looking_where(l, "delete");
}

static void end_looking(struct looking *l)
{
	int status;
	sftpd_mailbox_free(l->mailbox);
	sftpd_store_close(&l->store);
	assert_int_equal(waitpid(l->child, &status, 0), l->child);
	assert_int_equal(status, 0);
	munmap(l->asked, sizeof *l->asked);
}

static void check_look(struct looking *l, size_t i, enum sftpd_status expected)
{
	char path[16];
	struct sftpd_attributes found = {0};
	snprintf(path, sizeof path, "/out/e%02zu", i);
	assert_int_equal(sftpd_mailbox_ops.stat(l->mailbox, slice_str(path), &found, NULL), expected);
	if (expected == SFTPD_OK)
		assert_int_equal(found.size, 1000 + i);
}

static void check_asked(const struct looking *l, int stats, int lists)
{
	assert_int_equal(l->asked->stats, stats);
	assert_int_equal(l->asked->lists, lists);
}

/* As `get *` does: the store is asked for many at a time. */
static void test_looks_in_order(void **state)
{
	struct looking l;
	(void)state;
	begin_looking(&l);
	for (size_t i = 0; i < WAITING; i++)
		check_look(&l, i, SFTPD_OK);
	assert_int_equal(l.asked->stats, 1);
	assert_in_range(l.asked->lists, 4, 8); /* 32 with each, where all of this takes less than a second */
	check_look(&l, WAITING, SFTPD_NO_SUCH_FILE); /* behind the last */
	end_looking(&l);
}

/* Whoever looks here and there costs the store two questions too many, and no more. */
static void test_looks_in_disorder(void **state)
{
	struct looking l;
	(void)state;
	begin_looking(&l);
	for (size_t i = 0; i < 10; i++)
		check_look(&l, 90 - 7 * i, SFTPD_OK);
	check_asked(&l, 10, 2);
	end_looking(&l);
}

/* What the session takes away itself is gone at once; what others take, within a second. */
static void test_looks_are_not_kept(void **state)
{
	struct looking l;
	(void)state;
	begin_looking(&l);
	check_look(&l, 0, SFTPD_OK);
	check_look(&l, 1, SFTPD_OK);
	check_asked(&l, 1, 1);
	assert_int_equal(sftpd_mailbox_ops.remove(l.mailbox, SLICE("/out/e02"), NULL), SFTPD_OK);
	check_look(&l, 1, SFTPD_OK);
	check_asked(&l, 2, 1);
	check_look(&l, 2, SFTPD_NO_SUCH_FILE);
	check_look(&l, 3, SFTPD_OK);
	check_look(&l, 4, SFTPD_OK);
	check_asked(&l, 3, 2);
	l.asked->gone[6] = true;
	check_look(&l, 5, SFTPD_OK);
	nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 10000000}, NULL);
	check_look(&l, 6, SFTPD_NO_SUCH_FILE);
	end_looking(&l);
}

/* --- fetching one file after the other ------------------------------------------------------------------------------------ */

/* Opens, reads to the end, closes. */
static void check_fetch(struct looking *l, size_t i, enum sftpd_status expected)
{
	char path[16], got[2 * 1000];
	void *file;
	size_t n = 0;
	uint64_t size = waiting_bytes(l->asked, i);
	snprintf(path, sizeof path, "/out/e%02zu", i);
	assert_int_equal(sftpd_mailbox_ops.open(l->mailbox, slice_str(path), SFTPD_OPEN_READ, NULL, &file, NULL), expected);
	if (expected != SFTPD_OK)
		return;
	for (uint64_t at = 0; at < size; at += n) {
		assert_int_equal(sftpd_mailbox_ops.read(l->mailbox, file, at, got, sizeof got, &n, NULL), SFTPD_OK);
		assert_true(n > 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(got[k], size == LARGE ? 0 : (int)i);
	}
	assert_int_equal(sftpd_mailbox_ops.close(l->mailbox, file, NULL), SFTPD_OK);
}

static void check_fetched(struct looking *l, int opens, int contents, int told)
{
	struct sftpd_attributes found;
	assert_int_equal(sftpd_mailbox_ops.stat(l->mailbox, SLICE("/in/none"), &found, NULL), SFTPD_NO_SUCH_FILE); /* what is owed goes with it */
	assert_int_equal(l->asked->opens, opens);
	assert_int_equal(l->asked->contents, contents);
	assert_int_equal(l->asked->told, told);
}

/* One, then 2, 4, 8 and 16 at a time; each that was read is told, and no other. */
static void test_fetches_in_order(void **state)
{
	struct looking l;
	(void)state;
	begin_looking(&l);
	for (size_t i = 0; i < 40; i++)
		check_fetch(&l, i, SFTPD_OK);
	check_fetched(&l, 1, 5, 40);
	end_looking(&l);
}

/* A client that looks at each before it opens it. */
static void test_fetches_after_looks(void **state)
{
	struct looking l;
	(void)state;
	begin_looking(&l);
	for (size_t i = 0; i < 20; i++) {
		check_look(&l, i, SFTPD_OK);
		check_fetch(&l, i, SFTPD_OK);
	}
	check_fetched(&l, 1, 4, 20);
	assert_int_equal(l.asked->stats, 2); /* the first, and that of check_fetched() */
	end_looking(&l);
}

/* Large ones come as ever. */
static void test_fetches_of_large_files(void **state)
{
	struct looking l;
	(void)state;
	begin_looking(&l);
	l.asked->large[3] = l.asked->large[4] = true;
	for (size_t i = 0; i < 8; i++)
		check_fetch(&l, i, SFTPD_OK);
	check_fetched(&l, 4, 3, 8); /* 0, 3, 4 and 5 alone; several behind 0, none behind 2, several behind 5 */
	end_looking(&l);
}

/* What the session takes away itself is gone at once, what others take within a second; and whoever goes another way gets what is there. */
static void test_fetches_are_not_kept(void **state)
{
	struct looking l;
	(void)state;
	begin_looking(&l);
	for (size_t i = 0; i < 4; i++)
		check_fetch(&l, i, SFTPD_OK); /* 4, 5 and 6 are here */
	assert_int_equal(sftpd_mailbox_ops.remove(l.mailbox, SLICE("/out/e04"), NULL), SFTPD_OK);
	check_fetch(&l, 4, SFTPD_NO_SUCH_FILE);
	for (size_t i = 10; i < 14; i++)
		check_fetch(&l, i, SFTPD_OK);
	l.asked->gone[9] = l.asked->gone[14] = true;
	check_fetch(&l, 9, SFTPD_NO_SUCH_FILE);
	check_fetch(&l, 14, SFTPD_NO_SUCH_FILE);
	for (size_t i = 20; i < 24; i++)
		check_fetch(&l, i, SFTPD_OK);
	l.asked->gone[24] = true;
	nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 10000000}, NULL);
	check_fetch(&l, 24, SFTPD_NO_SUCH_FILE);
	end_looking(&l);
}

/* Where a download takes the file, another session may have done so: each is opened when the client says so. */
static void test_fetches_that_take(void **state)
{
	struct looking l;
	(void)state;
	begin_looking_where(&l, "download");
	for (size_t i = 0; i < 10; i++)
		check_fetch(&l, i, SFTPD_OK);
	check_fetched(&l, 10, 0, 0);
	end_looking(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks_in_order),
		cmocka_unit_test(test_looks_in_disorder),
		cmocka_unit_test(test_looks_are_not_kept),
		cmocka_unit_test(test_fetches_in_order),
		cmocka_unit_test(test_fetches_after_looks),
		cmocka_unit_test(test_fetches_of_large_files),
		cmocka_unit_test(test_fetches_are_not_kept),
		cmocka_unit_test(test_fetches_that_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
