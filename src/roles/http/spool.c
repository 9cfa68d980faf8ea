#include "roles/http/spool.h"

#include "base/error.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int open_unnamed(int folder)
{
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? (int)van_err_from_errno(errno) : fd;
}

int spool_open(struct spool *s, int folder, uint64_t expected)
{
	bool on_disk = expected > IPC_INLINE_MAX;
	int fd = on_disk ? open_unnamed(folder) : memfd_new("spool");
	if (fd < 0)
		return fd;
	*s = (struct spool){.fd = fd, .folder = folder, .on_disk = on_disk};
	return 0;
}

static int move_to_disk(struct spool *s)
{
	int fd = open_unnamed(s->folder);
	if (fd < 0)
		return fd;
	off_t at = 0;
	while ((uint64_t)at < s->bytes) {
		ssize_t n = sendfile(fd, s->fd, &at, s->bytes - (uint64_t)at);
		if (n <= 0) {
			int err = n < 0 ? errno : EIO;
			close(fd);
			return van_err_from_errno(err);
		}
	}
	close(s->fd);
	s->fd = fd;
	s->on_disk = true;
	return 0;
}

int spool_write(struct spool *s, const void *p, size_t n)
{
	int rc = !s->on_disk && s->bytes + n > IPC_INLINE_MAX ? move_to_disk(s) : 0;
	if (rc == 0)
		rc = fd_pwrite_all(s->fd, p, n, (off_t)s->bytes);
	if (rc == 0)
		s->bytes += n;
	return rc;
}

void spool_close(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

uint64_t spool_free_bytes(int folder)
{
	struct statvfs v;
	return fstatvfs(folder, &v) < 0 ? 0 : (uint64_t)v.f_bavail * v.f_frsize;
}
