/* Reading bodies: from memory what came lately, all else from the files, a few of which are kept open. Partners fetch what waits for them
 * in the order in which it came, which is the order of the log: whoever reads one body behind another soon wants the next, and should
 * not wait for the disk each time. */
#include "store/segment_private.h"

#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define NEAR ((uint64_t)128 << 10)  /* so close behind the body before counts as the next: results of jobs stand in between */
#define AHEAD ((uint64_t)512 << 10) /* is asked of the disk then; again when half of it is read */

void segment_readers_init(struct segment_readers *r)
{
	pthread_rwlock_init(&r->lock, NULL);
	for (size_t i = 0; i < SEGMENT_READERS; i++)
		r->files[i].fd = -1;
}

void segment_readers_free(struct segment_readers *r)
{
	for (size_t i = 0; i < SEGMENT_READERS; i++)
		if (r->files[i].fd >= 0)
			close(r->files[i].fd);
	pthread_rwlock_destroy(&r->lock);
}

/* The lock is held. */
static int find(const struct segment_readers *r, uint64_t number)
{
	for (size_t i = 0; i < SEGMENT_READERS; i++)
		if (r->files[i].fd >= 0 && r->files[i].number == number)
			return r->files[i].fd;
	return -1;
}

/* In the place of the one that was opened first. Returns 0 or an errno. */
static int add(struct segments *s, uint64_t number)
{
	struct segment_readers *r = &s->readers;
	char name[SEGMENT_NAME_MAX];
	segment_name(number, name);
	int fd = openat(s->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno;
	pthread_rwlock_wrlock(&r->lock);
	if (find(r, number) < 0) {
		struct segment_reader *f = &r->files[r->turn++ % SEGMENT_READERS];
		int before = f->fd;
		*f = (struct segment_reader){number, fd};
		fd = before;
	}
	pthread_rwlock_unlock(&r->lock);
	if (fd >= 0) /* another thread's, or an old one */
		close(fd);
	return 0;
}

static bool in_memory(struct segments *s, uint64_t position, void *to, size_t n, uint64_t *ret_low)
{
	size_t start = (size_t)(position % s->size), first = s->size - start < n ? s->size - start : n;
	pthread_mutex_lock(&s->lock);
	bool is = position >= s->low && position <= s->end && n <= s->end - position;
	if (is && n) {
		memcpy(to, s->window + start, first);
		memcpy((char *)to + first, s->window, n - first);
	}
	*ret_low = s->low;
	pthread_mutex_unlock(&s->lock);
	return is;
}

/* Up to `low` only: behind it all is in memory, and somewhere the writer writes. Threads that read at the same time may spoil each
 * other's guess, no more. */
static void look_ahead(struct segment_readers *r, int fd, uint64_t position, size_t n, uint64_t low)
{
	uint64_t last = atomic_exchange_explicit(&r->last, position + n, memory_order_relaxed);
	uint64_t asked = atomic_load_explicit(&r->asked, memory_order_relaxed);
	bool next = position >= last && position - last < NEAR;
	if (!next || (position < asked && asked - position > AHEAD / 2 && asked - position <= AHEAD))
		return;
	uint64_t end = (position / SEGMENT_SIZE + 1) * SEGMENT_SIZE;
	uint64_t to = position + AHEAD < low ? position + AHEAD : low;
	to = to < end ? to : end;
	if (to <= position)
		return;
	posix_fadvise(fd, (off_t)(position % SEGMENT_SIZE), (off_t)(to - position), POSIX_FADV_WILLNEED);
	atomic_store_explicit(&r->asked, to, memory_order_relaxed);
}

int segments_read(struct segments *s, uint64_t position, void *to, size_t n, struct van_error *err)
{
	struct segment_readers *r = &s->readers;
	uint64_t number = position / SEGMENT_SIZE, low;
	int rc = 0, fd;
	if (n == 0 || in_memory(s, position, to, n, &low))
		return 0;
	pthread_rwlock_rdlock(&r->lock);
	while ((fd = find(r, number)) < 0 && rc == 0) {
		pthread_rwlock_unlock(&r->lock);
		rc = add(s, number);
		pthread_rwlock_rdlock(&r->lock);
	}
	if (fd < 0) {
		pthread_rwlock_unlock(&r->lock);
		return segment_fail(err, rc, "opening it to read");
	}
	look_ahead(r, fd, position, n, low);
	rc = fd_pread_all(fd, to, n, (off_t)(position % SEGMENT_SIZE));
	pthread_rwlock_unlock(&r->lock);
	return rc ? van_error_set(err, rc, "segment file %llu: reading %zu bytes: %s", (unsigned long long)number, n, van_err_name(rc)) : 0;
}

/* --- whole files ------------------------------------------------------------------------------------------------------------------- */

int segments_each_file(struct segments *s, uint64_t end, segments_file_fn fn, void *ctx, struct van_error *err)
{
	char path[sizeof SEGMENT_FOLDER + SEGMENT_NAME_MAX] = SEGMENT_FOLDER "/";
	int rc = 0;
	for (uint64_t at = 0; at < end && rc >= 0; at += SEGMENT_SIZE) {
		char *name = path + sizeof SEGMENT_FOLDER;
		segment_name(at / SEGMENT_SIZE, name);
		int fd = openat(s->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno != ENOENT)
			return segment_fail(err, errno, "opening it to copy");
		if (fd < 0 && at + SEGMENT_SIZE <= atomic_load(&s->released)) /* nothing stood in it but old log */
			continue;
		if (fd >= 0) /* nothing is read ahead: behind the end the writer writes past the cache */
			posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
		rc = fn(ctx, path, fd, end - at < SEGMENT_SIZE ? end - at : SEGMENT_SIZE, err);
		if (fd >= 0)
			close(fd);
	}
	/* Last: what it says was released, the copies of the files may have still; the other way round they would miss something. */
	int fd = rc < 0 ? -1 : openat(s->folder, SEGMENT_RELEASED, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		rc = fn(ctx, SEGMENT_FOLDER "/" SEGMENT_RELEASED, fd, UINT64_MAX, err);
		close(fd);
	} else if (rc >= 0 && errno != ENOENT) {
		rc = segment_fail(err, errno, "opening " SEGMENT_RELEASED " to copy");
	}
	return rc < 0 ? rc : 0;
}
