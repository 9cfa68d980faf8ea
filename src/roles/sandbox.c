#include "roles/sandbox.h"

#include "base/error.h"
#include "base/log.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifdef VAN_SANITIZERS

void sandbox_folder(int folder)
{
	(void)folder;
}

int sandbox_enter(enum sandbox_kind kind, uint64_t memory)
{
	(void)kind;
	(void)memory;
	log_event(LOG_LEVEL_WARNING, "sandbox-relaxed", "text", "sanitizer build: no seccomp filter, no memory bound", NULL);
	return 0;
}

#else

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ACCESS_REFER ((uint64_t)1 << 13) /* from its second version on: giving an unnamed file a name in another folder */

static const int calls_of_all[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup3),
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(sched_getaffinity), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
};
static const int calls_of_workers[] = {
	SCMP_SYS(alarm), SCMP_SYS(setitimer), SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fdatasync),
	SCMP_SYS(fsync), SCMP_SYS(sync_file_range),
};

static const int calls_of_http[] = {
	SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(sendfile), SCMP_SYS(shutdown), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(epoll_create1), SCMP_SYS(fstatfs), SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range), SCMP_SYS(memfd_create), SCMP_SYS(getdents64),
};
/* Also what the resolver needs: sockets of its own, files, a look at the machine's addresses. */
static const int calls_of_clients[] = {
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(socketpair), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
	SCMP_SYS(shutdown), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(ioctl),
	SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(eventfd2), SCMP_SYS(epoll_create1), SCMP_SYS(pipe2), SCMP_SYS(access), SCMP_SYS(faccessat2),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(alarm), SCMP_SYS(setitimer),
	SCMP_SYS(ftruncate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range), SCMP_SYS(fadvise64), SCMP_SYS(memfd_create), SCMP_SYS(getrusage),
};
static const int calls_of_deliver[] = {
	SCMP_SYS(clone), SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(prlimit64), SCMP_SYS(close_range), SCMP_SYS(seccomp),
};
/* No library tries these beside its work: whoever does is not us any more. */
static const int calls_of_nobody[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups),
	SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(capset), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(listen), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(io_uring_setup),
};

static int allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) < 0)
			return VAN_EINTERNAL;
	return 0;
}

/* Channels set their time-out; no other socket option. */
static int allow_time_out(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2, SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET),
				SCMP_A2(SCMP_CMP_EQ, SO_RCVTIMEO)) < 0 ? VAN_EINTERNAL : 0;
}

static int rule(scmp_filter_ctx ctx, uint32_t action, int call, unsigned n, struct scmp_arg_cmp arg)
{
	return seccomp_rule_add_array(ctx, action, call, n, &arg) < 0 ? VAN_EINTERNAL : 0;
}

/* With O_TMPFILE openat can only make a new unnamed file: never open what is there. */
static int allow_unnamed(scmp_filter_ctx ctx)
{
	return rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, O_TMPFILE, O_TMPFILE));
}

/* Names relative to a folder that is open; which folders, sandbox_folder() says. Negative: AT_FDCWD. */
static int allow_names(scmp_filter_ctx ctx)
{
	static const uint64_t sign = 0x80000000u;
	int rc = rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, sign, 0));
	if (rc == 0)
		rc = rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(unlinkat), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, sign, 0));
	if (rc == 0)
		rc = rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(renameat), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, sign, 0));
	return rc < 0 ? rc : rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(linkat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, sign, 0));
}

static int allow_reading(scmp_filter_ctx ctx)
{
	return rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
}

/* The flags of clone3 can't be seen, and libc then falls back to clone. */
static int allow_threads(scmp_filter_ctx ctx)
{
	int rc = rule(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, SCMP_A0(SCMP_CMP_EQ, 0));
	return rc < 0 ? rc : rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

/* All roles have one user: nothing else keeps one from ending the others. deliver ends its transfers, which inherit its filter and
 * may signal themselves: their own filter says who that is. */
static int allow_signals(scmp_filter_ctx ctx, bool children)
{
	static const int both[] = {SCMP_SYS(kill), SCMP_SYS(tgkill)};
	uint64_t self = (uint64_t)getpid();
	if (children)
		return allow(ctx, both, 2);
	int rc = rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self));
	return rc < 0 ? rc : rule(ctx, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, SCMP_A0(SCMP_CMP_EQ, self));
}

static int refuse_nobodys(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < sizeof calls_of_nobody / sizeof *calls_of_nobody; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, calls_of_nobody[i], 0) < 0)
			return VAN_EINTERNAL;
	return 0;
}

static int allow_client(scmp_filter_ctx ctx, bool transfer)
{
	int rc = allow(ctx, calls_of_clients, sizeof calls_of_clients / sizeof *calls_of_clients);
	if (rc == 0)
		rc = allow_reading(ctx);
	if (rc == 0 && transfer)
		return allow_threads(ctx);
	if (rc == 0)
		rc = rule(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, SCMP_A0(SCMP_CMP_EQ, 0));
	return rc < 0 ? rc : allow(ctx, calls_of_deliver, sizeof calls_of_deliver / sizeof *calls_of_deliver);
}

static int load_filter(scmp_filter_ctx ctx, enum sandbox_kind kind)
{
	int rc = allow(ctx, calls_of_all, sizeof calls_of_all / sizeof *calls_of_all);
	if (rc == 0)
		rc = refuse_nobodys(ctx);
	if (rc == 0)
		rc = allow_signals(ctx, kind == SANDBOX_DELIVER);
	if (rc == 0 && (kind == SANDBOX_WORKER || kind == SANDBOX_KEYD))
		rc = allow_time_out(ctx);
	if (rc == 0 && kind == SANDBOX_HTTP)
		rc = allow(ctx, calls_of_http, sizeof calls_of_http / sizeof *calls_of_http);
	if (rc == 0 && (kind == SANDBOX_DELIVER || kind == SANDBOX_TRANSFER))
		rc = allow_client(ctx, kind == SANDBOX_TRANSFER);
	if (rc == 0 && kind == SANDBOX_KEYD)
		rc = allow_threads(ctx);
	if (rc == 0 && kind == SANDBOX_WORKER)
		rc = allow(ctx, calls_of_workers, sizeof calls_of_workers / sizeof *calls_of_workers);
	if (rc == 0 && kind == SANDBOX_WORKER)
		rc = allow_unnamed(ctx);
	if (rc == 0 && kind == SANDBOX_HTTP)
		rc = allow_names(ctx);
	return rc < 0 ? rc : seccomp_load(ctx) < 0 ? VAN_EDENIED : 0;
}

void sandbox_folder(int folder)
{
	const uint64_t all = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1, /* everything of the first version, which ends there */
		       here = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			      LANDLOCK_ACCESS_FS_MAKE_REG;
	struct landlock_ruleset_attr rules = {.handled_access_fs = all | ACCESS_REFER};
	struct landlock_path_beneath_attr below = {.allowed_access = here | ACCESS_REFER, .parent_fd = folder};
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int fd = version < 2 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
	if (fd < 0 || syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &below, 0) || syscall(SYS_landlock_restrict_self, fd, 0))
		log_event(LOG_LEVEL_INFO, "folder-not-fenced", "error", fd < 0 && version < 2 ? "this kernel has no Landlock" : strerror(errno), NULL);
	if (fd >= 0)
		close(fd);
}

int sandbox_enter(enum sandbox_kind kind, uint64_t memory)
{
	if (memory) {
		struct rlimit r = {memory, memory};
		setrlimit(RLIMIT_AS, &r);
	}
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = ctx ? load_filter(ctx, kind) : VAN_ENOMEM;
	seccomp_release(ctx);
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "sandbox-failed", "error", van_err_name(rc), NULL);
	return rc;
}

#endif
