#include "roles/worker/worker.h"

#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void output_init(struct output *o, struct worker *w)
{
	*o = (struct output){.worker = w, .memory = VAN_BUF_INIT(IPC_INLINE_MAX), .fd = -1};
}

static int spill(struct output *o)
{
	int fd = openat(o->worker->spool_folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return van_err_from_errno(errno);
	int rc = fd_write_all(fd, o->memory.p, o->memory.n);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	o->fd = fd;
	return 0;
}

int output_write(struct output *o, const void *p, size_t n)
{
	int rc = 0;
	if (o->fd < 0 && o->bytes + n <= IPC_INLINE_MAX) {
		rc = van_buf_append(&o->memory, p, n);
	} else {
		if (o->fd < 0)
			rc = spill(o);
		if (rc == 0)
			rc = fd_write_all(o->fd, p, n);
	}
	if (rc == 0)
		o->bytes += n;
	return rc;
}

int output_read(struct output *o, uint64_t at, void *p, size_t n)
{
	if (at > o->bytes || n > o->bytes - at)
		return VAN_EINVAL;
	if (o->fd >= 0)
		return fd_pread_all(o->fd, p, n, (off_t)at);
	memcpy(p, o->memory.p + at, n);
	return 0;
}

void output_free(struct output *o)
{
	van_buf_free(&o->memory);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}
