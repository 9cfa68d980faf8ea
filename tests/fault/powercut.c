/* An interposed library that keeps a durable shadow of a data folder: what a power cut at this moment would leave.
 *
 * kill -9 does not lose the page cache, so a server that forgets to flush passes every kill test. Here a file's content
 * reaches the shadow only when it is flushed (fsync, fdatasync, syncfs, msync, or a write through an O_DSYNC or O_SYNC
 * descriptor), and a name only when its folder is. The shadow is kept by inode, so renames and links need no following:
 *
 *   $POWERCUT_SHADOW/f-KEY   a file's durable content
 *   $POWERCUT_SHADOW/d-KEY   a folder's durable entries: lines "TYPE KEY NAME"
 *   $POWERCUT_SHADOW/root    the key of the data folder
 *
 * KEY is the kernel's file handle, which holds a generation number: a reused inode is another file. Files whose name
 * ends in .mdb or .seg are written in place by one process and may be large: of these only the ranges written since the
 * last flush are copied. Any other file is copied whole, for its writer may be another process.
 *
 * POWERCUT_FAIL=KIND:N, KIND being mdb or seg: each process's files of that kind take N-1 flushes or synchronous writes (LMDB's: one a
 * commit); the next is made and reported as failed, and after it everything fails.
 *
 * POWERCUT_LOG names a shared ring that gets one line for each flush, for each arrival of bytes on a TCP socket and for
 * each MDN sent, in order. POWERCUT_DELAY (microseconds) draws out each flush, to widen the moments that a cut can hit. */
#include "powercut.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX 4096
#define RANGES_MAX 4096

enum { TRACK_RANGES = 1, TRACK_SYNC = 2 };

struct range {
	off_t from, to;
};

/* A file whose dirty ranges are followed, shared by the descriptors that this process opened on it. */
struct tracked {
	char key[POWERCUT_KEY_MAX];
	char kind[4]; /* "mdb": LMDB's; "seg": bodies and the log, where a flush is the commit */
	bool whole; /* nothing is known about earlier writes, or the list overflowed */
	size_t n;
	struct range ranges[RANGES_MAX];
	struct tracked *next;
};

static char data[PATH_MAX], shadow[PATH_MAX / 2];
static size_t data_size;
static long delay, fail_at;
static char fail_kind[4];
static _Atomic long flushed; /* of the files that fail in the end */
static struct tracked *tracked_files;
static struct {
	int flags;
	struct tracked *file;
} table[FDS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Declares `real`, the next definition of an interposed function. */
#define REAL(name) \
	static __typeof__(name) *real; \
	if (!real) \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void start(void) __attribute__((constructor));

static void start(void)
{
	const char *d = getenv("POWERCUT_DATA"), *s = getenv("POWERCUT_SHADOW"), *w = getenv("POWERCUT_DELAY");
	if (!d || !s || strlen(s) >= sizeof shadow || !realpath(d, data))
		return;
	snprintf(shadow, sizeof shadow, "%s", s);
	data_size = strlen(data);
	delay = w ? strtol(w, NULL, 10) : 0;
	w = getenv("POWERCUT_FAIL");
	if (w && strlen(w) > 4 && w[3] == ':') {
		memcpy(fail_kind, w, 3);
		fail_at = strtol(w + 4, NULL, 10);
	}
}

static void fail(const char *what)
{
	/* A shadow that can't be kept would prove nothing: end loudly. */
	char text[256];
	int n = snprintf(text, sizeof text, "powercut: %s: %s\n", what, strerror(errno));
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(98);
	abort();
}

/* Whether the descriptor is a file or folder under the data folder. */
static bool covered(int fd)
{
	char link[64], target[PATH_MAX];
	if (!data_size)
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof target - 1);
	if (n < (ssize_t)data_size)
		return false;
	target[n] = 0;
	return memcmp(target, data, data_size) == 0 && (target[data_size] == '/' || !target[data_size]);
}

/* --- the shadow ------------------------------------------------------------------------------------------------------ */

static void shadow_path(char to[PATH_MAX], char type, const char *key)
{
	snprintf(to, PATH_MAX, "%s/%c-%.*s", shadow, type, POWERCUT_KEY_MAX, key);
}

static void copy_range(int from, int to, off_t at, off_t end)
{
	REAL(pwrite);
	static _Thread_local char buffer[64 * 1024];
	while (at < end) {
		size_t want = (size_t)(end - at) < sizeof buffer ? (size_t)(end - at) : sizeof buffer;
		ssize_t n = pread(from, buffer, want, at);
		if (n < 0)
			fail("read");
		if (n == 0)
			return;
		if (real(to, buffer, (size_t)n, at) != n)
			fail("write to the shadow");
		at += n;
	}
}

static int file_open(const char *path, int flags)
{
	REAL(open);
	return real(path, flags | O_CLOEXEC, 0666);
}

/* Copies ranges (or, with none, everything) of an open file into its shadow. */
static void shadow_file(int fd, const char *key, const struct range *ranges, size_t n)
{
	char path[PATH_MAX], self[64];
	struct stat st;
	shadow_path(path, 'f', key);
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	int from = file_open(self, O_RDONLY), to = file_open(path, O_WRONLY | O_CREAT);
	if (from < 0 || to < 0 || fstat(from, &st) != 0)
		fail(path);
	if (!ranges)
		copy_range(from, to, 0, st.st_size);
	for (size_t i = 0; i < n; i++)
		copy_range(from, to, ranges[i].from, ranges[i].to);
	if (ftruncate(to, st.st_size) != 0)
		fail("truncate");
	close(from);
	close(to);
}

/* Makes a folder's present entries durable. */
static void shadow_folder(int fd, const char *key)
{
	char path[PATH_MAX], temporary[PATH_MAX + 32], child[POWERCUT_KEY_MAX];
	shadow_path(path, 'd', key);
	snprintf(temporary, sizeof temporary, "%s.%d.%p", path, (int)getpid(), (void *)&path);
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	FILE *out = fopen(temporary, "w");
	if (!d || !out)
		fail(temporary);
	for (struct dirent *e; (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (e->d_type != DT_REG && e->d_type != DT_DIR)
			continue; /* sockets need no durability */
		if (powercut_key(dirfd(d), e->d_name, child) != 0)
			continue; /* gone meanwhile */
		fprintf(out, "%c %s %s\n", e->d_type == DT_DIR ? 'd' : 'f', child, e->d_name);
	}
	closedir(d);
	if (fclose(out) != 0 || rename(temporary, path) != 0)
		fail(path);
}

/* The caller was held up just before its flush. */
static void pause_before(void)
{
	if (delay)
		usleep((useconds_t)(rand() % (delay + 1)));
}

/* Makes durable what a flush of this descriptor covers. It comes before the real flush: what other processes write
 * after the call need not be covered by it. */
static void flush(int fd, const char *how)
{
	char key[POWERCUT_KEY_MAX];
	struct stat st;
	if (!covered(fd) || fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return;
	if (powercut_key(fd, NULL, key) != 0)
		fail("file handle");
	powercut_log("begin %s", how);
	pause_before();
	struct tracked *t = fd < FDS_MAX ? table[fd].file : NULL;
	if (S_ISDIR(st.st_mode)) {
		shadow_folder(fd, key);
	} else if (t && !t->whole) {
		static _Thread_local struct range ranges[RANGES_MAX];
		pthread_mutex_lock(&lock);
		size_t n = t->n;
		memcpy(ranges, t->ranges, n * sizeof *ranges);
		t->n = 0;
		pthread_mutex_unlock(&lock);
		shadow_file(fd, key, ranges, n);
	} else {
		if (t) {
			pthread_mutex_lock(&lock);
			t->whole = false;
			t->n = 0;
			pthread_mutex_unlock(&lock);
		}
		shadow_file(fd, key, NULL, 0);
	}
	powercut_log("flush %s %s %s", how, key, t ? t->kind : "other");
}

/* --- following descriptors -------------------------------------------------------------------------------------------- */

static struct tracked *tracked_get(const char *key)
{
	struct tracked *t = tracked_files;
	while (t && strcmp(t->key, key) != 0)
		t = t->next;
	if (t)
		return t;
	t = calloc(1, sizeof *t);
	if (!t)
		fail("memory");
	snprintf(t->key, sizeof t->key, "%s", key);
	t->whole = true;
	t->next = tracked_files;
	tracked_files = t;
	return t;
}

static int opened(int fd, const char *path, int flags)
{
	if (fd < 0 || fd >= FDS_MAX || !data_size)
		return fd;
	int saved = errno;
	size_t n = strlen(path);
	bool ranges = n > 4 && (strcmp(path + n - 4, ".mdb") == 0 || strcmp(path + n - 4, ".seg") == 0);
	bool sync = (flags & (O_DSYNC | O_SYNC)) != 0;
	char key[POWERCUT_KEY_MAX];
	pthread_mutex_lock(&lock);
	table[fd].flags = 0;
	table[fd].file = NULL;
	if ((ranges || sync) && (flags & O_ACCMODE) != O_RDONLY && covered(fd)) {
		table[fd].flags = (ranges ? TRACK_RANGES : 0) | (sync ? TRACK_SYNC : 0);
		if (ranges && powercut_key(fd, NULL, key) == 0) {
			table[fd].file = tracked_get(key);
			memcpy(table[fd].file->kind, path + n - 3, 3);
		}
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return fd;
}

static void range_add(struct tracked *t, off_t from, off_t to)
{
	pthread_mutex_lock(&lock);
	if (t->n && t->ranges[t->n - 1].to == from)
		t->ranges[t->n - 1].to = to;
	else if (t->n < RANGES_MAX)
		t->ranges[t->n++] = (struct range){from, to};
	else
		t->whole = true;
	pthread_mutex_unlock(&lock);
}

/* After a write of n bytes at an offset (negative: where the file position is now, minus n). */
static void written(int fd, off_t at, ssize_t n)
{
	if (n <= 0 || fd < 0 || fd >= FDS_MAX || !table[fd].flags)
		return;
	int saved = errno;
	struct tracked *t = table[fd].file;
	if (at < 0)
		at = lseek(fd, 0, SEEK_CUR) - n;
	struct range r = {at, at + n};
	char key[POWERCUT_KEY_MAX];
	if (!(table[fd].flags & TRACK_SYNC)) {
		range_add(t, r.from, r.to);
	} else if (powercut_key(fd, NULL, key) == 0) {
		powercut_log("begin dsync");
		pause_before();
		shadow_file(fd, key, &r, 1);
		powercut_log("flush dsync %s %s", key, t ? t->kind : "other");
	}
	errno = saved;
}

/* --- interposed: opening, writing, flushing ---------------------------------------------------------------------------- */

#define MODE(flags, last) \
	mode_t mode = 0; \
	if ((flags) & (O_CREAT | __O_TMPFILE)) { \
		va_list args; \
		va_start(args, last); \
		mode = va_arg(args, mode_t); \
		va_end(args); \
	}

int open(const char *path, int flags, ...)
{
	REAL(open);
	MODE(flags, flags)
	return opened(real(path, flags, mode), path, flags);
}

int open64(const char *path, int flags, ...)
{
	REAL(open64);
	MODE(flags, flags)
	return opened(real(path, flags, mode), path, flags);
}

int openat(int folder, const char *path, int flags, ...)
{
	REAL(openat);
	MODE(flags, flags)
	return opened(real(folder, path, flags, mode), path, flags);
}

int openat64(int folder, const char *path, int flags, ...)
{
	REAL(openat64);
	MODE(flags, flags)
	return opened(real(folder, path, flags, mode), path, flags);
}

int close(int fd)
{
	REAL(close);
	if (fd >= 0 && fd < FDS_MAX)
		table[fd].flags = 0, table[fd].file = NULL;
	powercut_forget(fd);
	return real(fd);
}

/* Is it a file of those that fail? */
static bool will_fail(int fd)
{
	return fail_at && fd >= 0 && fd < FDS_MAX && table[fd].file && memcmp(table[fd].file->kind, fail_kind, 3) == 0;
}

static bool failed_before(int fd)
{
	return will_fail(fd) && flushed >= fail_at;
}

/* Does it fail now, after this flush, or this write to a synchronous descriptor? */
static bool fails_now(int fd, bool synchronous)
{
	return will_fail(fd) && synchronous && ++flushed >= fail_at;
}

static bool is_synchronous(int fd)
{
	return fd >= 0 && fd < FDS_MAX && table[fd].flags & TRACK_SYNC;
}

#define WRITER(name, offset, parameters, arguments) \
	ssize_t name parameters \
	{ \
		REAL(name); \
		bool failed = failed_before(fd); \
		ssize_t n = failed ? -1 : real arguments; \
		written(fd, offset, n); \
		if (failed || fails_now(fd, is_synchronous(fd))) { \
			errno = EIO; \
			return -1; \
		} \
		return n; \
	}

WRITER(pwrite, at, (int fd, const void *p, size_t size, off_t at), (fd, p, size, at))
WRITER(pwrite64, at, (int fd, const void *p, size_t size, off64_t at), (fd, p, size, at))
WRITER(pwritev, at, (int fd, const struct iovec *iov, int count, off_t at), (fd, iov, count, at))
WRITER(pwritev64, at, (int fd, const struct iovec *iov, int count, off64_t at), (fd, iov, count, at))

ssize_t write(int fd, const void *p, size_t size)
{
	REAL(write);
	powercut_sent(fd, p, size);
	ssize_t n = real(fd, p, size);
	written(fd, -1, n);
	return n;
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
	REAL(writev);
	powercut_sent_iov(fd, iov, (size_t)count);
	ssize_t n = real(fd, iov, count);
	written(fd, -1, n);
	return n;
}

static int flush_or_fail(int fd, const char *how, int (*real)(int))
{
	if (!failed_before(fd)) {
		flush(fd, how);
		int rc = real(fd);
		if (!fails_now(fd, true))
			return rc;
	}
	errno = EIO;
	return -1;
}

int fsync(int fd)
{
	REAL(fsync);
	return flush_or_fail(fd, "fsync", real);
}

int fdatasync(int fd)
{
	REAL(fdatasync);
	return flush_or_fail(fd, "fdatasync", real);
}

/* A whole file system: here everything below the data folder, and the unnamed files this process holds. */
static void flush_below(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (e->d_type == DT_DIR)
			flush_below(fd);
		else
			flush(fd, "syncfs");
		close(fd);
	}
	flush(dirfd(d), "syncfs");
	closedir(d);
}

static void flush_unnamed(void)
{
	char link[64], target[PATH_MAX];
	for (int fd = 3; fd < FDS_MAX; fd++) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, target, sizeof target - 1);
		if (n > 10 && memcmp(target + n - 10, " (deleted)", 10) == 0)
			flush(fd, "syncfs");
	}
}

/* Which folder object is the root: written when a shadow is begun. */
static void root_record(int fd)
{
	char path[PATH_MAX + 8], key[POWERCUT_KEY_MAX];
	snprintf(path, sizeof path, "%s/root", shadow);
	FILE *f = powercut_key(fd, NULL, key) == 0 ? fopen(path, "w") : NULL;
	if (!f || fprintf(f, "%s\n", key) < 0 || fclose(f) != 0)
		fail(path);
}

static void flush_all(void)
{
	int fd = data_size ? openat(AT_FDCWD, data, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	flush_below(fd);
	root_record(fd);
	close(fd);
	flush_unnamed();
}

int syncfs(int fd)
{
	REAL(syncfs);
	if (covered(fd))
		flush_all();
	return real(fd);
}

void sync(void)
{
	REAL(sync);
	flush_all();
	real();
}

/* The file behind a mapping, found in /proc/self/maps and copied whole. */
static void flush_mapping(const void *at)
{
	char line[PATH_MAX + 128], path[PATH_MAX];
	unsigned long from, to;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %4095[^\n]", &from, &to, path) != 3 || (unsigned long)at < from || (unsigned long)at >= to)
			continue;
		int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			flush(fd, "msync");
			close(fd);
		}
		break;
	}
	if (maps)
		fclose(maps);
}

int msync(void *p, size_t size, int flags)
{
	REAL(msync);
	if ((flags & MS_SYNC) && data_size)
		flush_mapping(p);
	return real(p, size, flags);
}
