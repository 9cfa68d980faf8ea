/* The files under segments: their names, what is found in them at the start, direct writes, flushes. */
#include "store/segment_private.h"

#include "base/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define ALLOCATE ((uint64_t)16 << 20) /* room made at a time, so that a write rarely changes the file's block map */
#define READY ((uint64_t)256 << 10)   /* made ready at a time, when less than half of it is left … */
#define SMALL (READY / 4)             /* … behind a batch of so many bytes at most */

int segment_fail(struct van_error *err, int errnum, const char *doing)
{
	enum van_err code = van_err_from_errno(errnum);
	if (code == VAN_EAGAIN || code == VAN_ENOTFOUND) /* no descriptor, no file: to a commit those would mean other things */
		code = VAN_EIO;
	return van_error_set(err, code, "segment file: %s: %s%s", doing, strerror(errnum),
		code == VAN_ENOSPC ? "; free space on the data folder's file system" : "");
}

void segment_name(uint64_t number, char to[SEGMENT_NAME_MAX])
{
	snprintf(to, SEGMENT_NAME_MAX, SEGMENT_NAME_FORMAT, (unsigned long long)number);
}

/* --- at the start ---------------------------------------------------------------------------------------------------------------- */

static bool number_of(const char *name, uint64_t *ret)
{
	char same[SEGMENT_NAME_MAX], *rest;
	unsigned long long n = strtoull(name, &rest, 10);
	segment_name(n, same);
	*ret = n;
	return n < UINT64_MAX / SEGMENT_SIZE - 1 && strcmp(name, same) == 0;
}

int segment_find(int folder, uint64_t from, uint64_t *ret, void (*visit)(void *ctx, uint64_t number, uint64_t size), void *ctx)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	struct stat st;
	uint64_t number;
	int rc = list ? 0 : errno;
	*ret = UINT64_MAX;
	if (!list && fd >= 0)
		close(fd);
	for (struct dirent *e; !rc && (errno = 0, e = readdir(list));) {
		if (!number_of(e->d_name, &number) || number < from)
			continue;
		if (fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			rc = errno;
		else if (visit)
			visit(ctx, number, (uint64_t)st.st_size);
		*ret = number < *ret ? number : *ret;
	}
	if (!rc)
		rc = errno;
	if (list)
		closedir(list);
	return rc;
}

struct behind {
	struct segments *s;
	uint64_t *begin;
};

static void see_file(void *ctx, uint64_t number, uint64_t size)
{
	struct behind *b = ctx;
	if (size && *b->begin <= number * SEGMENT_SIZE)
		*b->begin = (number + 1) * SEGMENT_SIZE;
	b->s->behind += size;
}

static bool all_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

int segment_used_end(int fd, uint64_t from, uint64_t size, uint64_t *ret)
{
	static const uint64_t step = 65536;
	char *chunk = malloc(step);
	int rc = chunk ? 0 : ENOMEM;
	while (!rc && size > from) {
		uint64_t start = (size - 1) / step * step;
		start = start < from ? from : start;
		if (fd_pread_all(fd, chunk, (size_t)(size - start), (off_t)start))
			rc = EIO;
		else if (!all_zero(chunk, (size_t)(size - start)))
			break;
		else
			size = start;
	}
	free(chunk);
	*ret = size;
	return rc;
}

/* Looks at what stands behind `end` in its file. *begin moves to the next file when there is something. */
static int look_at_tail(struct segments *s, uint64_t end, uint64_t *begin, struct van_error *err)
{
	char name[SEGMENT_NAME_MAX];
	struct stat st = {0};
	uint64_t size = end % SEGMENT_SIZE, used = size;
	if (size == 0)
		return 0;
	segment_name(end / SEGMENT_SIZE, name);
	int fd = openat(s->folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 || fstat(fd, &st) ? errno : 0;
	bool lost = rc == ENOENT || (!rc && (uint64_t)st.st_size < size);
	if (!rc && !lost)
		rc = segment_used_end(fd, size, (uint64_t)st.st_size, &used);
	if (!rc && used > size) {
		*begin = (end / SEGMENT_SIZE + 1) * SEGMENT_SIZE;
		s->behind += used - size;
		if (ftruncate(fd, (off_t)used)) /* room that was only reserved */
			rc = errno;
	}
	if (fd >= 0)
		close(fd);
	if (lost)
		return van_error_set(err, VAN_EIO, "segment file %s has %llu bytes, and %llu were committed; check the disk, then "
			"restore the last backup", name, (unsigned long long)st.st_size, (unsigned long long)size);
	return rc ? segment_fail(err, rc, "looking behind what was committed") : 0;
}

int segment_look_behind(struct segments *s, uint64_t end, uint64_t *begin, struct van_error *err)
{
	struct behind b = {s, begin};
	uint64_t unused;
	int rc = look_at_tail(s, end, begin, err);
	if (rc < 0)
		return rc;
	rc = segment_find(s->folder, (end + SEGMENT_SIZE - 1) / SEGMENT_SIZE, &unused, see_file, &b);
	return rc ? segment_fail(err, rc, "listing the folder") : 0;
}

/* --- writing ----------------------------------------------------------------------------------------------------------------------- */

/* Opens the file of the position `at` for writing; past the page cache where the file system can do that. */
static int open_file(struct segments *s, uint64_t at)
{
	char name[SEGMENT_NAME_MAX];
	struct stat st;
	uint64_t number = at / SEGMENT_SIZE;
	segment_name(number, name);
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(s->folder, name, flags | O_DIRECT, 0600);
	if (fd < 0 && errno == EINVAL)
		fd = openat(s->folder, name, flags, 0600);
	if (fd < 0 || fstat(fd, &st)) {
		int rc = errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
	s->number = number;
	s->allocated = (uint64_t)st.st_size;
	s->ready = 0;
	s->named = true; /* also when it was there: whoever made it may have been killed before the flush */
	return 0;
}

/* Makes room ahead. Where the file system can't, or has too little left, the write itself will tell. */
static void allocate(struct segments *s, uint64_t need)
{
	if (need <= s->allocated)
		return;
	uint64_t to = (need + ALLOCATE - 1) / ALLOCATE * ALLOCATE;
	if (to > SEGMENT_SIZE)
		to = SEGMENT_SIZE;
	if (fallocate(s->fd, 0, (off_t)s->allocated, (off_t)(to - s->allocated)) == 0)
		s->allocated = to;
}

/* For a file system that opens files for direct writes and then refuses ours. */
static bool through_cache(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	errno = EINVAL;
	return flags >= 0 && (flags & O_DIRECT) && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

static int write_piece(struct segments *s, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t start = (size_t)(from % s->size), n = (size_t)(to - from), whole = s->size - start;
		struct iovec v[2] = {{s->window + start, n < whole ? n : whole}, {s->window, n < whole ? 0 : n - whole}};
		ssize_t w = pwritev(s->fd, v, v[1].iov_len ? 2 : 1, (off_t)(from % SEGMENT_SIZE));
		if (w < 0 && (errno == EINTR || (errno == EINVAL && through_cache(s->fd))))
			continue;
		if (w <= 0)
			return w ? errno : EIO;
		from += (uint64_t)w; /* cut short inside a block: a direct write of the rest is refused, and goes through the cache */
	}
	return 0;
}

int segment_write_up_to(struct segments *s, uint64_t to)
{
	if (to <= s->written)
		return 0;
	int rc = s->fd < 0 || s->written / SEGMENT_SIZE != s->number ? open_file(s, s->written) : 0;
	if (rc)
		return rc;
	allocate(s, (to - 1) % SEGMENT_SIZE + 1);
	rc = write_piece(s, s->written, to);
	if (rc)
		return rc;
	s->written = to;
	s->unflushed = true;
	return 0;
}

static int retry_eintr(int (*sync)(int), int fd)
{
	int rc;
	do
		rc = sync(fd);
	while (rc && errno == EINTR);
	return rc ? errno : 0;
}

int segment_flush_written(struct segments *s)
{
	if (!s->unflushed)
		return 0;
	int rc = retry_eintr(s->named ? fsync : fdatasync, s->fd);
	if (rc == 0 && s->named)
		rc = retry_eintr(fsync, s->folder);
	if (rc)
		return rc;
	s->named = s->unflushed = false;
	return 0;
}

/* --- ahead ------------------------------------------------------------------------------------------------------------------------- */

bool segments_want_ready(const struct segments *s)
{
	uint64_t at = s->written % SEGMENT_SIZE;
	bool between = s->fd >= 0 && !s->failed && !s->unflushed && s->end == s->kept && s->written == s->kept;
	return between && s->written / SEGMENT_SIZE == s->number && s->batch <= SMALL && s->ready < at + READY / 2;
}

int segment_make_ready(struct segments *s)
{
	static char zero[READY] __attribute__((aligned(SEGMENT_BLOCK)));
	if (!segments_want_ready(s))
		return 0;
	uint64_t at = s->written % SEGMENT_SIZE, from = s->ready > at ? s->ready : at, to = at + READY;
	allocate(s, to);
	if (to > s->allocated)
		return 0;
	ssize_t n = pwrite(s->fd, zero, (size_t)(to - from), (off_t)from);
	if (n != (ssize_t)(to - from))
		return 0;
	int rc = retry_eintr(fdatasync, s->fd);
	if (rc == 0)
		s->ready = to;
	return rc;
}
