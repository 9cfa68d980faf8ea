/* The log of what left and what was flushed, in one order for all processes. It is a shared mapping and not a
 * descriptor, because roles close descriptors that they don't know and forbid themselves system calls.
 *
 *   PID arrived FD BYTES          bytes came in on a TCP connection that this process accepted
 *   PID answered FD LINE          the first line of an HTTP answer is about to leave
 *   PID begin HOW · PID flush HOW KEY KIND      a flush begins, and has ended */
#include "powercut.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS_MAX 4096

struct ring {
	_Atomic size_t at; /* bytes used of text */
	char text[];
};

static struct ring *ring;
static size_t ring_size;
static bool followed[FDS_MAX];

#define REAL(name) \
	static __typeof__(name) *real; \
	if (!real) \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("POWERCUT_LOG");
	struct stat st;
	int fd = path ? openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof *ring) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED) {
			ring_size = (size_t)st.st_size - sizeof *ring;
			ring = p;
		}
	}
	close(fd);
}

void powercut_log(const char *format, ...)
{
	char line[512];
	if (!ring)
		return;
	int n = snprintf(line, sizeof line, "%d ", (int)getpid());
	va_list args;
	va_start(args, format);
	n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
	va_end(args);
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	size_t at = atomic_fetch_add(&ring->at, (size_t)n);
	if (at + (size_t)n <= ring_size)
		memcpy(ring->text + at, line, (size_t)n);
}

void powercut_sent(int fd, const void *p, size_t n)
{
	if (!ring || fd < 0 || fd >= FDS_MAX || !followed[fd] || n < 12 || memcmp(p, "HTTP/1.", 7) != 0)
		return;
	powercut_log("answered %d %.12s", fd, (const char *)p);
}

void powercut_sent_iov(int fd, const struct iovec *iov, size_t count)
{
	if (count)
		powercut_sent(fd, iov[0].iov_base, iov[0].iov_len);
}

void powercut_forget(int fd)
{
	if (fd >= 0 && fd < FDS_MAX)
		followed[fd] = false;
}

static int accepted(int fd)
{
	int saved = errno;
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	if (ring && fd >= 0 && fd < FDS_MAX) {
		followed[fd] = getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
			       (address.ss_family == AF_INET || address.ss_family == AF_INET6);
		if (followed[fd])
			powercut_log("accepted %d", fd);
	}
	errno = saved;
	return fd;
}

static ssize_t arrived(int fd, ssize_t n)
{
	if (ring && n > 0 && fd >= 0 && fd < FDS_MAX && followed[fd])
		powercut_log("arrived %d %zd", fd, n);
	return n;
}

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	REAL(accept);
	return accepted(real(fd, address, size));
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags)
{
	REAL(accept4);
	return accepted(real(fd, address, size, flags));
}

ssize_t recv(int fd, void *p, size_t size, int flags)
{
	REAL(recv);
	return arrived(fd, real(fd, p, size, flags));
}

ssize_t recvfrom(int fd, void *restrict p, size_t size, int flags, struct sockaddr *restrict address, socklen_t *restrict n)
{
	REAL(recvfrom);
	return arrived(fd, real(fd, p, size, flags, address, n));
}

ssize_t read(int fd, void *p, size_t size)
{
	REAL(read);
	return arrived(fd, real(fd, p, size));
}

ssize_t send(int fd, const void *p, size_t size, int flags)
{
	REAL(send);
	powercut_sent(fd, p, size);
	return real(fd, p, size, flags);
}

ssize_t sendto(int fd, const void *p, size_t size, int flags, const struct sockaddr *address, socklen_t n)
{
	REAL(sendto);
	powercut_sent(fd, p, size);
	return real(fd, p, size, flags, address, n);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	REAL(sendmsg);
	powercut_sent_iov(fd, m->msg_iov, m->msg_iovlen);
	return real(fd, m, flags);
}
