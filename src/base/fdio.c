#include "base/fdio.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int fd_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;
	while (n) {
		ssize_t k = write(fd, at, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? (int)van_err_from_errno(errno) : VAN_EIO;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

int fd_pwrite_all(int fd, const void *p, size_t n, off_t at)
{
	const char *from = p;
	while (n) {
		ssize_t k = pwrite(fd, from, n, at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? (int)van_err_from_errno(errno) : VAN_EIO;
		from += k;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

int fd_read_all(int fd, void *p, size_t n)
{
	char *to = p;
	while (n) {
		ssize_t k = read(fd, to, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? (int)van_err_from_errno(errno) : VAN_EIO;
		to += k;
		n -= (size_t)k;
	}
	return 0;
}

int fd_pread_all(int fd, void *p, size_t n, off_t at)
{
	char *to = p;
	while (n) {
		ssize_t k = pread(fd, to, n, at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? (int)van_err_from_errno(errno) : VAN_EIO;
		to += k;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

int fd_size(int fd, uint64_t *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return van_err_from_errno(errno);
	*ret = (uint64_t)st.st_size;
	return 0;
}

int fd_read_file(int fd, struct van_buf *to)
{
	off_t at = 0;
	for (;;) {
		char *p = van_buf_reserve(to, 16384);
		size_t want = 16384;
		if (!p && to->error == VAN_ELIMIT && to->n < to->max) {
			to->error = 0;
			want = to->max - to->n;
			p = van_buf_reserve(to, want);
		}
		char probe;
		ssize_t k = pread(fd, p ? p : &probe, p ? want : 1, at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return van_err_from_errno(errno);
		if (k == 0) {
			if (to->error == VAN_ELIMIT)
				to->error = 0;
			return to->error;
		}
		if (!p)
			return to->error;
		to->n += (size_t)k;
		at += k;
	}
}

int file_read(const char *path, struct van_buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return van_err_from_errno(errno);
	int rc = fd_read_file(fd, to);
	close(fd);
	return rc;
}

int memfd_new(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	return fd < 0 ? (int)van_err_from_errno(errno) : fd;
}

int memfd_with(const char *name, const void *p, size_t n)
{
	int fd = memfd_new(name);
	if (fd < 0)
		return fd;
	int rc = fd_pwrite_all(fd, p, n, 0);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int fd_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return van_err_from_errno(errno);
	return 0;
}

int fd_set_cloexec(int fd, int on)
{
	if (fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0)
		return van_err_from_errno(errno);
	return 0;
}

int fd_keep_only(int *fds, unsigned nfds)
{
	for (unsigned i = 0; i < nfds; i++) { /* first out of the way of each other */
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, (int)(3 + nfds));
		if (fds[i] < 0)
			return van_err_from_errno(errno);
	}
	for (unsigned i = 0; i < nfds; i++) {
		if (dup3(fds[i], (int)(3 + i), O_CLOEXEC) < 0)
			return van_err_from_errno(errno);
		fds[i] = (int)(3 + i);
	}
	return close_range(3 + nfds, ~0u, 0) < 0 ? (int)van_err_from_errno(errno) : 0;
}
