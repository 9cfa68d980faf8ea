/* What the system call filters let through, refuse and end. Sanitizer builds have no filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "base/error.h"
#include "roles/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum outcome { DONE, REFUSED, KILLED };

static int folder = -1;
static bool fenced; /* sandbox_folder() first */

/* What happens when a process of this kind does that: `act` returns -1 with EPERM when it is refused. */
static enum outcome try(enum sandbox_kind kind, int (*act)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (fenced)
			sandbox_folder(folder);
		if (sandbox_enter(kind, (uint64_t)1 << 30) < 0)
			_exit(90);
		int rc = act();
		_exit(rc >= 0 ? DONE : errno == EPERM ? REFUSED : 91);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return KILLED;
	}
	assert_true(WEXITSTATUS(status) <= REFUSED);
	return (enum outcome)WEXITSTATUS(status);
}

static int start_program(void)
{
	char *none[] = {NULL};
	return execve("/bin/true", none, none);
}

static int become_another(void)
{
	return (int)syscall(SYS_setuid, 65534);
}

static int look_into_another(void)
{
	return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static int open_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

/* A folder is open before; as http, names below it can be used, those elsewhere can't. */
static int names_below(void)
{
	int fd = openat(folder, ".", O_RDWR | O_TMPFILE, 0600);
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd < 0 || linkat(AT_FDCWD, path, folder, "a", AT_SYMLINK_FOLLOW) || renameat(folder, "a", folder, "b"))
		return -1;
	return openat(folder, "b", O_RDWR) < 0 ? -1 : unlinkat(folder, "b", 0);
}

static int names_elsewhere(void)
{
	int fd = openat(folder, "/etc/passwd", O_RDONLY);
	if (fd < 0 && errno == EACCES)
		errno = EPERM;
	return fd;
}

static int read_file(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int write_file(void)
{
	return open("/tmp/openvan-never", O_WRONLY | O_CREAT, 0600);
}

static int unnamed_file(void)
{
	return open("/tmp", O_RDWR | O_TMPFILE, 0600);
}

static int remove_file(void)
{
	return unlink("/tmp/openvan-never");
}

static int start_process(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid;
}

/* Signal 0 harms nobody, but tells whether it may be sent. */
static int signal_itself(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), 0) ? -1 : 0;
}

static int signal_another(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0) && kill(getppid(), 0) && kill(-1, 0) ? -1 : 0;
}

/* deliver's children confine themselves once more. */
static int transfer_signals_itself(void)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(sandbox_enter(SANDBOX_TRANSFER, 0) < 0 || signal_itself() || !signal_another());
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static void *nothing(void *arg)
{
	return arg;
}

static int start_thread(void)
{
	pthread_t t;
	errno = pthread_create(&t, NULL, nothing, NULL);
	return errno ? -1 : 0;
}

static const enum sandbox_kind kinds[] = {SANDBOX_WORKER, SANDBOX_KEYD, SANDBOX_HTTP, SANDBOX_DELIVER, SANDBOX_TRANSFER};

static void nobody_starts_programs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		assert_int_equal(try(kinds[i], start_program), KILLED);
		assert_int_equal(try(kinds[i], become_another), KILLED);
		assert_int_equal(try(kinds[i], look_into_another), KILLED);
	}
}

static void nobody_touches_named_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		assert_int_equal(try(kinds[i], write_file), REFUSED);
		assert_int_equal(try(kinds[i], remove_file), REFUSED);
	}
}

static void each_has_what_it_needs(void **state)
{
	(void)state;
	static const struct {
		int (*act)(void);
		enum outcome of[5]; /* as in kinds */
	} table[] = {
		{open_socket, {REFUSED, REFUSED, REFUSED, DONE, DONE}},
		{read_file, {REFUSED, REFUSED, REFUSED, DONE, DONE}},
		{unnamed_file, {DONE, REFUSED, REFUSED, REFUSED, REFUSED}},
		{start_process, {REFUSED, REFUSED, REFUSED, DONE, REFUSED}},
		{start_thread, {REFUSED, DONE, REFUSED, DONE, DONE}},
		{signal_itself, {DONE, DONE, DONE, DONE, DONE}},
		{signal_another, {REFUSED, REFUSED, REFUSED, DONE, REFUSED}},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (size_t k = 0; k < 5; k++)
			if (try(kinds[k], table[i].act) != table[i].of[k])
				fail_msg("row %zu, kind %zu: not %d", i, k, table[i].of[k]);
}

static void a_transfer_within_deliver(void **state)
{
	(void)state;
	assert_int_equal(try(SANDBOX_DELIVER, transfer_signals_itself), DONE);
}

static bool can_fence(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 2;
}

static void http_keeps_to_its_folder(void **state)
{
	(void)state;
	char path[] = "/tmp/openvan-sandbox-XXXXXX";
	assert_non_null(mkdtemp(path));
	folder = open(path, O_RDONLY | O_DIRECTORY);
	fenced = true;
	assert_int_equal(try(SANDBOX_HTTP, names_below), DONE);
	assert_int_equal(try(SANDBOX_HTTP, names_elsewhere), can_fence() ? REFUSED : DONE);
	fenced = false;
	assert_int_equal(try(SANDBOX_HTTP, names_elsewhere), DONE);
	assert_int_equal(try(SANDBOX_WORKER, names_below), REFUSED);
	close(folder);
	rmdir(path);
}

int main(void)
{
#ifdef VAN_SANITIZERS
	print_message("1..0 # SKIP sanitizer builds have no filter\n");
	return 0;
#endif
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_starts_programs),
		cmocka_unit_test(nobody_touches_named_files),
		cmocka_unit_test(each_has_what_it_needs),
		cmocka_unit_test(a_transfer_within_deliver),
		cmocka_unit_test(http_keeps_to_its_folder),
	};
	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
