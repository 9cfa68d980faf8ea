#include "store/segment.h"

#include "base/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FOLDER "segment"
#define NAME_FORMAT "%010llu.seg"
#define NAME_MAX_LEN 32
#define BLOCK ((uint64_t)4096) /* what every disk and file system takes for direct writes */
#define ALLOCATE ((uint64_t)16 << 20) /* room made at a time, so that a write rarely changes the file's block map */
#define WINDOW_DEFAULT ((size_t)8 << 20)
#define WINDOW_MIN ((size_t)4 << 20)

/* Position p stands at window[p % size] as long as low <= p < end. */
struct segments {
	int folder;
	int fd;              /* of the file that is written, or -1 */
	uint64_t number;     /* of that file */
	uint64_t allocated;  /* bytes of it that have room on the disk */
	bool named;          /* its name is still to be flushed */
	char *window;
	size_t size;
	uint64_t kept;       /* where the batch began */
	uint64_t written;    /* up to here the file has it */
	bool unflushed;      /* something was written since the last flush */
	int failed;          /* errno of a write or flush in this batch, which can only be rolled back now */
	uint64_t behind;     /* bytes found behind the last commit's end */
	pthread_mutex_t lock; /* guards the window's bytes and what follows; the writer reads them without */
	uint64_t low, end;
};

static int fail(struct van_error *err, int errnum, const char *doing)
{
	enum van_err code = van_err_from_errno(errnum);
	if (code == VAN_EAGAIN || code == VAN_ENOTFOUND) /* no descriptor, no file: to a commit those would mean other things */
		code = VAN_EIO;
	return van_error_set(err, code, "segment file: %s: %s%s", doing, strerror(errnum),
		code == VAN_ENOSPC ? "; free space on the data folder's file system" : "");
}

static uint64_t round_up(uint64_t n)
{
	return (n + BLOCK - 1) / BLOCK * BLOCK;
}

static void name_of(uint64_t number, char to[NAME_MAX_LEN])
{
	snprintf(to, NAME_MAX_LEN, NAME_FORMAT, (unsigned long long)number);
}

/* --- opening --- */

static bool number_of(const char *name, uint64_t *ret)
{
	char same[NAME_MAX_LEN], *rest;
	unsigned long long n = strtoull(name, &rest, 10);
	name_of(n, same);
	*ret = n;
	return n < UINT64_MAX / SEGMENT_SIZE - 1 && strcmp(name, same) == 0;
}

/* Looks for files that begin at or behind `end`. *begin moves behind them. */
static int look_for_files(struct segments *s, uint64_t end, uint64_t *begin)
{
	int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	struct stat st;
	uint64_t number;
	int rc = list ? 0 : errno;
	if (!list && fd >= 0)
		close(fd);
	for (struct dirent *e; !rc && (errno = 0, e = readdir(list));) {
		if (!number_of(e->d_name, &number) || number * SEGMENT_SIZE < end)
			continue;
		if (fstatat(s->folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			rc = errno;
		else if (st.st_size && *begin <= number * SEGMENT_SIZE)
			*begin = (number + 1) * SEGMENT_SIZE;
		if (!rc)
			s->behind += (uint64_t)st.st_size;
	}
	if (!rc)
		rc = errno;
	if (list)
		closedir(list);
	return rc;
}

static bool all_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Where the bytes of a file end that are not just reserved room, looking from its end back to `from`. 0 or an errno. */
static int used_end(int fd, uint64_t from, uint64_t size, uint64_t *ret)
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
	char name[NAME_MAX_LEN];
	struct stat st = {0};
	uint64_t size = end % SEGMENT_SIZE, used = size;
	if (size == 0)
		return 0;
	name_of(end / SEGMENT_SIZE, name);
	int fd = openat(s->folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 || fstat(fd, &st) ? errno : 0;
	bool lost = rc == ENOENT || (!rc && (uint64_t)st.st_size < size);
	if (!rc && !lost)
		rc = used_end(fd, size, (uint64_t)st.st_size, &used);
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
	return rc ? fail(err, rc, "looking behind what was committed") : 0;
}

/* Opens the file of the position `at` for writing; past the page cache where the file system can do that. */
static int open_file(struct segments *s, uint64_t at)
{
	char name[NAME_MAX_LEN];
	struct stat st;
	uint64_t number = at / SEGMENT_SIZE;
	name_of(number, name);
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
	s->named = true; /* also when it was there: whoever made it may have been killed before the flush */
	return 0;
}

static int setup(struct segments *s, int dirfd, uint64_t end, struct van_error *err)
{
	uint64_t begin = round_up(end);
	s->window = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->window == MAP_FAILED) {
		s->window = NULL;
		return fail(err, errno, "reserving memory");
	}
	bool made = mkdirat(dirfd, FOLDER, 0700) == 0;
	s->folder = made || errno == EEXIST ? openat(dirfd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (s->folder < 0 || fsync(dirfd))
		return fail(err, errno, "opening the folder " FOLDER);
	int rc = look_at_tail(s, end, &begin, err);
	if (rc < 0)
		return rc;
	rc = look_for_files(s, end, &begin);
	s->kept = s->written = s->low = s->end = begin;
	return rc ? fail(err, rc, "listing the folder") : 0;
}

int segments_open(int dirfd, uint64_t end, size_t window, struct segments **ret, struct van_error *err)
{
	struct segments *s = calloc(1, sizeof *s);
	if (!s)
		return van_error_set(err, VAN_ENOMEM, "segments: out of memory");
	pthread_mutex_init(&s->lock, NULL);
	s->folder = s->fd = -1;
	s->size = round_up(window == 0 ? WINDOW_DEFAULT : window < WINDOW_MIN ? WINDOW_MIN : window);
	int rc = setup(s, dirfd, end, err);
	if (rc < 0)
		segments_close(s);
	else
		*ret = s;
	return rc;
}

void segments_close(struct segments *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->folder >= 0)
		close(s->folder);
	if (s->window)
		munmap(s->window, s->size);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* --- writing --- */

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

/* Writes up to `to`, a whole number of blocks. */
static int write_up_to(struct segments *s, uint64_t to)
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

static int flush_written(struct segments *s)
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

/* The end moves to the next block; what lies between is zero. */
static void pad(struct segments *s)
{
	uint64_t to = round_up(s->end);
	pthread_mutex_lock(&s->lock);
	memset(s->window + s->end % s->size, 0, (size_t)(to - s->end)); /* a block never wraps */
	s->end = to;
	if (s->end > s->size && s->low < s->end - s->size)
		s->low = s->end - s->size;
	pthread_mutex_unlock(&s->lock);
}

/* After a failure the batch is lost: a second flush may say "yes" of what the first one could not write. */
static int batch_failed(struct segments *s, int rc, struct van_error *err)
{
	s->failed = rc;
	return rc ? fail(err, rc, "writing") : 0;
}

int segments_flush(struct segments *s, struct van_error *err)
{
	if (!segments_appended(s))
		return 0;
	int rc = s->failed;
	if (rc == 0) {
		pad(s);
		rc = write_up_to(s, s->end);
	}
	if (rc == 0)
		rc = flush_written(s);
	return batch_failed(s, rc, err);
}

static void put(struct segments *s, struct slice body)
{
	size_t start = (size_t)(s->end % s->size), first = s->size - start;
	if (first > body.n)
		first = body.n;
	pthread_mutex_lock(&s->lock);
	if (s->end + body.n > s->size && s->low < s->end + body.n - s->size)
		s->low = s->end + body.n - s->size;
	if (first)
		memcpy(s->window + start, body.p, first);
	if (body.n > first)
		memcpy(s->window, body.p + first, body.n - first);
	s->end += body.n;
	pthread_mutex_unlock(&s->lock);
}

/* A body stands in one file: where it does not fit any more, the rest of the file stays empty. */
static int next_file(struct segments *s)
{
	pad(s);
	int rc = write_up_to(s, s->end);
	if (rc == 0)
		rc = flush_written(s);
	if (rc)
		return rc;
	pthread_mutex_lock(&s->lock);
	s->end = s->written = s->low = (s->end + SEGMENT_SIZE - 1) / SEGMENT_SIZE * SEGMENT_SIZE;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

int segments_append(struct segments *s, struct slice body, uint64_t *ret_position, struct van_error *err)
{
	int rc = s->failed;
	if (body.n > SEGMENT_BODY_MAX)
		return van_error_set(err, VAN_ELIMIT, "segment file: a body of %zu bytes is larger than %zu", body.n, SEGMENT_BODY_MAX);
	uint64_t in_file = s->end % SEGMENT_SIZE;
	if (rc == 0 && (in_file + body.n > SEGMENT_SIZE || (in_file == 0 && s->end > s->written)))
		rc = next_file(s);
	else if (rc == 0 && s->end + body.n - s->written > s->size - BLOCK) /* a batch larger than the window */
		rc = write_up_to(s, s->end / BLOCK * BLOCK);
	if (rc)
		return batch_failed(s, rc, err);
	*ret_position = s->end;
	put(s, body);
	return 0;
}

bool segments_appended(const struct segments *s)
{
	return s->end != s->kept;
}

uint64_t segments_end(const struct segments *s)
{
	return s->end;
}

void segments_keep(struct segments *s)
{
	s->kept = s->end;
}

void segments_rollback(struct segments *s)
{
	pthread_mutex_lock(&s->lock);
	s->end = s->kept;
	if (s->low > s->end)
		s->low = s->end;
	pthread_mutex_unlock(&s->lock);
	s->written = s->kept;
	s->failed = 0;
}

uint64_t segments_behind(const struct segments *s)
{
	return s->behind;
}

/* --- reading --- */

static bool in_memory(struct segments *s, uint64_t position, void *to, size_t n)
{
	size_t start = (size_t)(position % s->size), first = s->size - start < n ? s->size - start : n;
	pthread_mutex_lock(&s->lock);
	bool is = position >= s->low && position <= s->end && n <= s->end - position;
	if (is && n) {
		memcpy(to, s->window + start, first);
		memcpy((char *)to + first, s->window, n - first);
	}
	pthread_mutex_unlock(&s->lock);
	return is;
}

int segments_read(struct segments *s, uint64_t position, void *to, size_t n, struct van_error *err)
{
	char name[NAME_MAX_LEN];
	if (n == 0 || in_memory(s, position, to, n))
		return 0;
	name_of(position / SEGMENT_SIZE, name);
	int fd = openat(s->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail(err, errno, "opening it to read");
	int rc = fd_pread_all(fd, to, n, (off_t)(position % SEGMENT_SIZE));
	close(fd);
	return rc ? van_error_set(err, rc, "segment file: reading %zu bytes of %s: %s", n, name, van_err_name(rc)) : 0;
}
