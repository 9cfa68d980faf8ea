/* ipc: channels carry messages and descriptors in order, queue for slow peers, notice death; the loop's timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fdio.h"
#include "ipc/channel.h"
#include "ipc/messages.h"

struct receiver {
	struct loop *loop;
	size_t messages, expected, fds;
	bool closed;
};

static void on_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct receiver *r = arg;
	(void)c;
	assert_int_equal(m->request, r->messages);
	r->messages++;
	for (size_t i = 0; i < m->nfds; i++) {
		char text[8] = "";
		assert_int_equal(pread(m->fds[i], text, 5, 0), 5);
		assert_string_equal(text, "hello");
		r->fds++;
	}
	if (r->messages == r->expected)
		loop_stop(r->loop);
}

static void on_closed(void *arg, struct ipc_channel *c)
{
	struct receiver *r = arg;
	r->closed = true;
	ipc_channel_free(c);
	loop_stop(r->loop);
}

/* More than any socket buffer holds, with descriptors: all must arrive, in order. */
static void queues_for_a_slow_peer(void **state)
{
	(void)state;
	int fds[2];
	struct receiver r = {.loop = loop_new(), .expected = 2000}, sink = {.loop = r.loop};
	assert_int_equal(ipc_pair(fds), 0);
	struct ipc_channel *a = ipc_channel_new(fds[0]), *b = ipc_channel_new(fds[1]);
	assert_int_equal(ipc_channel_attach(a, r.loop, on_message, on_closed, &sink), 0);
	static char big[16000];
	memset(big, 'x', sizeof big);
	int fd = memfd_with("t", "hello", 5);
	assert_true(fd >= 0);
	for (size_t i = 0; i < r.expected; i++) {
		bool with_fd = i % 10 == 0;
		assert_int_equal(ipc_send_raw(a, 7, i, slice_make(big, sizeof big), &fd, with_fd), 0);
	}
	close(fd);
	assert_int_equal(ipc_channel_attach(b, r.loop, on_message, on_closed, &r), 0);
	assert_int_equal(loop_run(r.loop), 0);
	assert_int_equal(r.messages, 2000);
	assert_int_equal(r.fds, 200);
	ipc_channel_free(a);
	assert_int_equal(loop_run(r.loop), 0);
	assert_true(r.closed);
	loop_free(r.loop);
}

/* --- more descriptors under way than the kernel lets a process add to ---------------------------------------------------------------------- */

#define PAIRS 20
#define OPEN_MAX_HERE 128

/* As a session: few descriptors, no powers. */
static void be_small(void)
{
	struct rlimit few = {OPEN_MAX_HERE, OPEN_MAX_HERE};
	if (setrlimit(RLIMIT_NOFILE, &few) < 0 || (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0))
		_exit(2);
}

/* Until the kernel takes no more; how many it took. */
static int fill(int fds[PAIRS][2], int fd)
{
	int n = 0;
	for (;; n++) {
		union {
			char room[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control = {.align = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
		char byte = 0;
		struct iovec iov = {&byte, 1};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
		memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
		if (sendmsg(fds[n % PAIRS][0], &m, MSG_DONTWAIT) < 0)
			return errno == ETOOMANYREFS ? n : -1;
	}
}

/* Fills, says so and sends: at once, or with a loop. */
static void send_in_a_crowd(int fds[PAIRS][2], int to, int said, bool with_loop)
{
	int fd = memfd_with("t", "hello", 5);
	struct ipc_channel *c = ipc_channel_new(to);
	struct receiver r = {.loop = with_loop ? loop_new() : NULL};
	be_small();
	if (fd < 0 || !c || fill(fds, fd) < 1 || write(said, "x", 1) != 1)
		_exit(3);
	if (with_loop && ipc_channel_attach(c, r.loop, on_message, on_closed, &r) < 0)
		_exit(4);
	if (ipc_send_raw(c, 7, 0, SLICE("body"), &fd, 1) < 0)
		_exit(5);
	_exit(with_loop ? loop_run(r.loop) < 0 || !r.closed : 0);
}

static void empty(int fds[PAIRS][2])
{
	char byte;
	for (int i = 0; i < PAIRS; i++)
		while (recv(fds[i][1], &byte, 1, MSG_DONTWAIT) == 1) /* without room for descriptors: they are closed */
			;
}

static void waits_in_a_crowd_of_descriptors(void **state)
{
	(void)state;
	for (int with_loop = 0; with_loop < 2; with_loop++) {
		int fds[PAIRS][2], pair[2], said[2], status;
		char byte;
		struct ipc_message m;
		for (int i = 0; i < PAIRS; i++)
			assert_int_equal(ipc_pair(fds[i]), 0);
		assert_int_equal(ipc_pair(pair), 0);
		assert_int_equal(pipe(said), 0);
		pid_t pid = fork();
		if (pid == 0) {
			close(pair[1]);
			send_in_a_crowd(fds, pair[0], said[1], with_loop);
		}
		close(pair[0]);
		close(said[1]);
		struct ipc_channel *c = ipc_channel_new(pair[1]);
		assert_int_equal(read(said[0], &byte, 1), 1);
		assert_int_equal(ipc_receive(c, VAN_SECOND / 5, &m), VAN_ETIMEOUT); /* as long as nobody receives the others */
		empty(fds);
		assert_int_equal(ipc_receive(c, -1, &m), 1);
		assert_int_equal(m.nfds, 1);
		close(ipc_take_fd(&m, 0));
		ipc_channel_free(c);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		close(said[0]);
		for (int i = 0; i < PAIRS; i++)
			close(fds[i][0]), close(fds[i][1]);
	}
}

static void refuses_what_is_too_long(void **state)
{
	(void)state;
	int fds[2];
	static char big[IPC_MESSAGE_MAX];
	assert_int_equal(ipc_pair(fds), 0);
	struct ipc_channel *a = ipc_channel_new(fds[0]), *b = ipc_channel_new(fds[1]);
	assert_int_equal(ipc_send_raw(a, 1, 1, slice_make(big, sizeof big), NULL, 0), VAN_ELIMIT);
	struct ipc_message m;
	assert_int_equal(ipc_receive(b, 0, &m), VAN_ETIMEOUT);
	assert_int_equal(ipc_send_raw(a, 1, 1, slice_make(big, sizeof big - 64), NULL, 0), 0);
	assert_int_equal(ipc_receive(b, 1000000, &m), 1);
	assert_int_equal(m.body.n, sizeof big - 64);
	ipc_channel_free(a);
	assert_int_equal(ipc_receive(b, 1000000, &m), VAN_ECLOSED);
	assert_int_equal(ipc_send_raw(b, 1, 1, SLICE("x"), NULL, 0), VAN_ECLOSED);
	ipc_channel_free(b);
}

/* A peer that is killed leaves what it had said, also when it had not read all that was said to it. */
static void the_last_words_of_a_peer_count(void **state)
{
	(void)state;
	for (int by = 0; by < 3; by++) {
		int fds[2];
		struct receiver r = {.loop = loop_new(), .expected = 100};
		struct ipc_message m;
		assert_int_equal(ipc_pair(fds), 0);
		struct ipc_channel *a = ipc_channel_new(fds[0]), *b = ipc_channel_new(fds[1]);
		for (uint64_t i = 0; i < 3; i++) {
			assert_int_equal(ipc_send_raw(a, 1, i, SLICE("done"), NULL, 0), 0);
			assert_int_equal(ipc_send_raw(b, 1, i, SLICE("never read"), NULL, 0), 0);
		}
		ipc_channel_free(a);
		if (by == 0) {
			for (uint64_t i = 0; i < 3; i++) {
				assert_int_equal(ipc_receive(b, VAN_SECOND, &m), 1);
				assert_int_equal(m.request, i);
			}
			assert_int_equal(ipc_receive(b, VAN_SECOND, &m), VAN_ECLOSED);
			ipc_channel_free(b);
			loop_free(r.loop);
			continue;
		}
		assert_int_equal(ipc_channel_attach(b, r.loop, on_message, on_closed, &r), 0);
		if (by == 1)
			loop_run(r.loop);
		else
			ipc_channel_drain(b);
		assert_int_equal(r.messages, 3);
		assert_true(r.closed);
		loop_free(r.loop);
	}
}

/* Of a living one: what has come, and no more. */
static void draining_does_not_wait(void **state)
{
	(void)state;
	int fds[2];
	struct receiver r = {.loop = loop_new(), .expected = 100};
	assert_int_equal(ipc_pair(fds), 0);
	struct ipc_channel *a = ipc_channel_new(fds[0]), *b = ipc_channel_new(fds[1]);
	assert_int_equal(ipc_channel_attach(b, r.loop, on_message, on_closed, &r), 0);
	assert_int_equal(ipc_send_raw(a, 1, 0, SLICE("x"), NULL, 0), 0);
	ipc_channel_drain(b);
	assert_int_equal(r.messages, 1);
	assert_false(r.closed);
	ipc_channel_free(a);
	ipc_channel_free(b);
	loop_free(r.loop);
}

/* A whole accept message, with its nested lists, through the table and back. */
static void messages_round_trip(void **state)
{
	(void)state;
	struct ipc_header headers[2] = {{SLICE("AS2-From"), SLICE("a")}, {SLICE("AS2-To"), SLICE("b")}};
	struct ipc_http_reply reply = {.status = 200, .headers = {headers, 2}, .body = SLICE("mdn")};
	struct ipc_artefact artefacts[2] = {{.name = SLICE("raw"), .bytes = SLICE("\0\1\2"), .length = 3},
					    {.name = SLICE("payload"), .within = SLICE("raw"), .offset = 1, .length = 2}};
	struct ipc_as2_accept in = {.http_request = 77, .outcome = IPC_AS2_OUTCOME_REJECTED, .as2_message_id = SLICE("<x y>"),
				    .artefacts = {artefacts, 2}, .reply = &reply},
			      out;
	struct van_buf b = VAN_BUF_INIT(0);
	struct van_arena *arena = van_arena_new(0);
	assert_int_equal(record_encode(&ipc_as2_accept_table, &in, &b), 0);
	assert_int_equal(record_decode(&ipc_as2_accept_table, van_buf_slice(&b), arena, &out), 0);
	assert_int_equal(out.outcome, IPC_AS2_OUTCOME_REJECTED);
	assert_true(slice_is(out.as2_message_id, "<x y>"));
	assert_true(slice_eq(RECORD_AT(out.artefacts, struct ipc_artefact, 0)->bytes, SLICE("\0\1\2")));
	assert_int_equal(RECORD_AT(out.artefacts, struct ipc_artefact, 1)->offset, 1);
	assert_true(slice_is(RECORD_AT(out.reply->headers, struct ipc_header, 1)->value, "b"));
	assert_null(out.station.p);
	van_arena_free(arena);
	van_buf_free(&b);
}

static char order[16];
static void note(void *arg)
{
	strncat(order, arg, 1);
}
static void stop(void *arg)
{
	loop_stop(arg);
}

static void timers_fire_in_order(void **state)
{
	(void)state;
	struct loop *l;
	for (;;) {
		van_time begun = van_clock_monotonic();
		l = loop_new();
		loop_after(l, 30000, note, (void *)"c");
		loop_after(l, 10000, note, (void *)"a");
		loop_cancel(loop_after(l, 15000, note, (void *)"x"));
		loop_after(l, 20000, note, (void *)"b");
		loop_after(l, 40000, stop, l);
		if (van_clock_monotonic() - begun < 10000)
			break;
		loop_free(l); /* each counts from its own call, and these were further apart than what they count */
	}
	assert_int_equal(loop_run(l), 0);
	assert_string_equal(order, "abc");
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_for_a_slow_peer),
		cmocka_unit_test(waits_in_a_crowd_of_descriptors),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(the_last_words_of_a_peer_count),
		cmocka_unit_test(draining_does_not_wait),
		cmocka_unit_test(messages_round_trip),
		cmocka_unit_test(timers_fire_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
