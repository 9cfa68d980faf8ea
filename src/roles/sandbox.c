#include "roles/sandbox.h"

#include "base/error.h"
#include "base/log.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifdef VAN_SANITIZERS

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
#include <seccomp.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>

static const int calls_of_all[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup3),
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(kill), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(sched_getaffinity), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
};
static const int calls_of_workers[] = {
	SCMP_SYS(alarm), SCMP_SYS(setitimer), SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fdatasync),
	SCMP_SYS(fsync), SCMP_SYS(sync_file_range),
};
static const int calls_of_keyd[] = {
	SCMP_SYS(clone3), SCMP_SYS(clone),
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

static int load_filter(scmp_filter_ctx ctx, enum sandbox_kind kind)
{
	int rc = allow(ctx, calls_of_all, sizeof calls_of_all / sizeof *calls_of_all);
	if (rc == 0)
		rc = allow_time_out(ctx);
	if (rc == 0 && kind == SANDBOX_KEYD)
		rc = allow(ctx, calls_of_keyd, sizeof calls_of_keyd / sizeof *calls_of_keyd);
	if (rc == 0 && kind == SANDBOX_WORKER)
		rc = allow(ctx, calls_of_workers, sizeof calls_of_workers / sizeof *calls_of_workers);
	/* with O_TMPFILE openat can only make a new unnamed file: never open what is there */
	if (rc == 0 && kind == SANDBOX_WORKER &&
	    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, O_TMPFILE, O_TMPFILE)) < 0)
		rc = VAN_EINTERNAL;
	return rc < 0 ? rc : seccomp_load(ctx) < 0 ? VAN_EDENIED : 0;
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
