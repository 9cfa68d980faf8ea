#include "roles/sftp/confine.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "base/error.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A refused call fails with EPERM instead of killing the session: what libraries try beside their work (reading a locale or
 * a configuration file) must not end a transfer, and nothing is gained by being refused. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(close), SCMP_SYS(shutdown), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(ftruncate),
	SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range), SCMP_SYS(fadvise64), SCMP_SYS(readahead),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(alarm), SCMP_SYS(setitimer),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(getpid), SCMP_SYS(getrusage), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Of a 64-bit argument, which stands in the byte order of the machine. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_WORD(offset) (offset)
#else
#define LOW_WORD(offset) ((offset) + 4)
#endif

struct sftpd_confinement {
	struct sock_fprog program;
};

#ifndef VAN_SANITIZERS
static int export_program(scmp_filter_ctx ctx, struct sock_fprog *ret)
{
	struct van_buf bytes = VAN_BUF_INIT(1 << 20);
	int fd = memfd_new("filter");
	int rc = fd < 0 ? fd : seccomp_export_bpf(ctx, fd) < 0 ? VAN_EINTERNAL : fd_read_file(fd, &bytes);
	if (fd >= 0)
		close(fd);
	if (rc == 0) {
		ret->len = (unsigned short)(bytes.n / sizeof(struct sock_filter));
		ret->filter = (struct sock_filter *)(void *)bytes.p;
	}
	return rc;
}
#endif

struct sftpd_confinement *sftpd_confinement_new(const char **ret_error)
{
	const char *error = "out of memory";
	struct sftpd_confinement *c = calloc(1, sizeof *c);
#ifdef VAN_SANITIZERS
	/* The sanitizers open files and start processes of their own to report: the filter stays empty. */
	(void)allowed;
#else
	scmp_filter_ctx ctx = c ? seccomp_init(SCMP_ACT_ERRNO(EPERM)) : NULL;
	int rc = ctx ? 0 : -ENOMEM;
	for (size_t i = 0; rc == 0 && i < sizeof allowed / sizeof *allowed; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (rc == 0)
		/* Only what tells about a descriptor or its flags: no locks, leases or owners of signals. */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_LE, F_SETFL));
	if (rc == 0) /* threads, but no processes; the flags of clone3 can't be seen, and libc then falls back */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = export_program(ctx, &c->program);
	if (ctx)
		seccomp_release(ctx);
	if (rc < 0) {
		error = "libseccomp can't build the filter on this machine";
		free(c);
		c = NULL;
	}
#endif
	if (!c && ret_error)
		*ret_error = error;
	return c;
}

void sftpd_confinement_free(struct sftpd_confinement *c)
{
	if (!c)
		return;
	free(c->program.filter);
	free(c);
}

/* A network that is served by root, without a user of its own, still gives its sessions no powers. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	return (int)syscall(SYS_capset, &header, none);
}

static void limit(int resource, rlim_t n)
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)resource, &r) == 0 && (r.rlim_max == RLIM_INFINITY || r.rlim_max > n)) {
		r.rlim_cur = r.rlim_max = n;
		setrlimit((__rlimit_resource_t)resource, &r);
	}
}

int sftpd_confine_process(const struct sftpd_limits *l, int *fds, unsigned nfds)
{
	int rc = fd_keep_only(fds, nfds);
	if (rc < 0)
		return rc;
#ifndef VAN_SANITIZERS /* the leak checker traces its own process */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return van_err_from_errno(errno);
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || drop_capabilities() < 0)
		return van_err_from_errno(errno);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, 3 + nfds + l->handles + 8);
#ifndef VAN_SANITIZERS /* their shadow memory is terabytes of address space */
	if (l->memory)
		limit(RLIMIT_AS, l->memory);
#endif
	return 0;
}

/* The listener's filter can't know the process's number. All roles have one user: without this, a session could end the others. */
static int own_signals_only(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW_WORD(offsetof(struct seccomp_data, args[0]))),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? (int)van_err_from_errno(errno) : 0;
}

int sftpd_confine_calls(const struct sftpd_confinement *c)
{
	if (!c || !c->program.len)
		return 0;
	int rc = own_signals_only(); /* first: the other one lets no further filter in */
	if (rc < 0)
		return rc;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &c->program) < 0 ? (int)van_err_from_errno(errno) : 0;
}

int sftpd_count_names(int fd, uint64_t *ret)
{
	struct stat st; /* the kernel's own, where a long has 64 bits */
	if (syscall(SYS_fstat, fd, &st) < 0)
		return (int)van_err_from_errno(errno);
	*ret = st.st_nlink;
	return 0;
}
