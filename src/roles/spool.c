#include "roles/spool.h"

#include "base/error.h"
#include "base/fdio.h"
#include "ipc/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FLUSH_HERE ((uint64_t)1 << 20)
#define WRITE_OUT ((uint64_t)8 << 20)

static int open_unnamed(int folder)
{
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? (int)van_err_from_errno(errno) : fd;
}

int spool_open(struct spool *s, int folder, uint64_t expected)
{
	*s = (struct spool){.memory = VAN_BUF_INIT(IPC_INLINE_MAX), .fd = -1, .folder = folder};
	if (expected <= IPC_INLINE_MAX)
		return 0;
	int fd = open_unnamed(folder);
	if (fd < 0)
		return fd;
	s->fd = fd;
	return 0;
}

static int spill(struct spool *s)
{
	int fd = open_unnamed(s->folder);
	if (fd < 0)
		return fd;
	int rc = fd_pwrite_all(fd, s->memory.p, s->memory.n, 0);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	van_buf_free(&s->memory);
	s->fd = fd;
	return 0;
}

int spool_use_file(struct spool *s)
{
	return s->fd < 0 ? spill(s) : 0;
}

void spool_adopt(struct spool *s, int fd, uint64_t bytes)
{
	spool_close(s);
	s->fd = fd;
	s->bytes = s->written_out = bytes;
}

/* So that a flush at the end finds little left to do. It is only a hint: failing changes nothing. */
static void write_out(struct spool *s)
{
	if (s->fd < 0 || s->bytes - s->written_out < WRITE_OUT)
		return;
	sync_file_range(s->fd, (off_t)s->written_out, (off_t)(s->bytes - s->written_out), SYNC_FILE_RANGE_WRITE);
	s->written_out = s->bytes;
}

int spool_flush_fd(int fd, uint64_t bytes)
{
	if (fd < 0 || bytes < FLUSH_HERE)
		return 0;
	int rc;
	do
		rc = fdatasync(fd);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? (int)van_err_from_errno(errno) : 0;
}

int spool_flush(const struct spool *s)
{
	return spool_flush_fd(s->fd, s->bytes);
}

int spool_write(struct spool *s, const void *p, size_t n)
{
	int rc = 0;
	if (s->fd < 0 && s->bytes + n <= IPC_INLINE_MAX) {
		rc = van_buf_append(&s->memory, p, n);
	} else {
		if (s->fd < 0)
			rc = spill(s);
		if (rc == 0)
			rc = fd_pwrite_all(s->fd, p, n, (off_t)s->bytes);
	}
	if (rc < 0)
		return rc;
	s->bytes += n;
	write_out(s);
	return 0;
}

int spool_read(const struct spool *s, uint64_t at, void *p, size_t n)
{
	if (at > s->bytes || n > s->bytes - at)
		return VAN_EINVAL;
	if (s->fd >= 0)
		return fd_pread_all(s->fd, p, n, (off_t)at);
	if (n)
		memcpy(p, s->memory.p + at, n);
	return 0;
}

void spool_close(struct spool *s)
{
	van_buf_free(&s->memory);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

uint64_t spool_free_bytes(int folder)
{
	struct statvfs v;
	return fstatvfs(folder, &v) < 0 ? 0 : (uint64_t)v.f_bavail * v.f_frsize;
}
