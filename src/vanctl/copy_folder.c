#include "vanctl/copy_folder.h"

#include "base/codec.h"
#include "base/error.h"
#include "base/fdio.h"
#include "vanctl/ctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_EVERY ((uint64_t)8 << 20) /* write-out begins while writing, so that the last flush is short and little of memory is dirty */
#define REPORT_EVERY VAN_SECOND
#define HOLE 4096

struct copy_folder {
	char *path, *part;
	int parent, fd, file;
	char name[PATH_MAX]; /* of the file at hand */
	char made[PATH_MAX]; /* the folder that was made last */
	bool owned, committed;
	bool (*given)(const char *path); /* where owned: what else gets the owner */
	uid_t user;
	gid_t group;
	EVP_MD_CTX *md;
	uint64_t at, flushed; /* in the file at hand */
	uint64_t files, bytes, rate;
	van_time began, reported;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

void copy_catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
}

/* --- beginning ------------------------------------------------------------------------------------------------------------------- */

static int failed(const struct copy_folder *f, const char *what, int errnum)
{
	const char *remedy = "";
	if (errnum == ENOSPC || errnum == EDQUOT)
		remedy = "; free space there, or name a folder on another file system";
	else if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
		remedy = "; name a folder in one that you may write to";
	else if (errnum == EIO)
		remedy = "; check that disk";
	return ctl_fail(CTL_USAGE, "%s: %s: %s%s", f->part, what, strerror(errnum), remedy);
}

static bool folder_is_empty(const char *path)
{
	DIR *d = opendir(path);
	bool empty = d != NULL;
	for (struct dirent *e; d && (e = readdir(d));)
		empty &= !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	if (d)
		closedir(d);
	return empty;
}

/* Nothing is there, or an empty folder that can be renamed over. */
static int check_place(const struct copy_folder *f)
{
	struct stat st, above;
	if (lstat(f->path, &st))
		return errno == ENOENT ? CTL_DONE : ctl_fail(CTL_USAGE, "%s: %s", f->path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || !folder_is_empty(f->path))
		return ctl_fail(CTL_NO, "%s is %s; name a new folder", f->path, S_ISDIR(st.st_mode) ? "not empty" : "no folder");
	if (fstat(f->parent, &above) == 0 && above.st_dev != st.st_dev)
		return ctl_fail(CTL_NO, "%s is where a file system is mounted; name a new folder in it, such as %s/copy", f->path, f->path);
	return CTL_DONE;
}

static int open_parent(struct copy_folder *f)
{
	char *slash = strrchr(f->path, '/'), *folder = slash == f->path ? strdup("/") : slash ? strndup(f->path, (size_t)(slash - f->path)) : strdup(".");
	f->parent = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int status = f->parent >= 0 ? CTL_DONE : ctl_fail(CTL_USAGE, "%s: %s; make that folder first", folder ? folder : f->path, strerror(errno));
	free(folder);
	return status;
}

static int make_part(struct copy_folder *f)
{
	if (mkdir(f->part, 0700) && errno == EEXIST)
		return ctl_fail(CTL_NO, "%s is there: another copy is being made, or one broke off; when none runs, remove it (rm -r) and try again", f->part);
	f->fd = open(f->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return f->fd < 0 ? failed(f, "it can't be made", errno) : CTL_DONE;
}

int copy_folder_new(const char *path, struct copy_folder **ret)
{
	struct copy_folder *f = calloc(1, sizeof *f);
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (!f)
		return ctl_fail(CTL_USAGE, "out of memory");
	f->parent = f->fd = f->file = -1;
	f->began = f->reported = van_clock_monotonic();
	f->path = strndup(path, n);
	if (f->path && asprintf(&f->part, "%s.part", f->path) < 0)
		f->part = NULL;
	f->md = EVP_MD_CTX_new();
	int status = f->path && f->part && f->md ? open_parent(f) : ctl_fail(CTL_USAGE, "out of memory");
	if (!status)
		status = check_place(f);
	if (!status)
		status = make_part(f);
	if (status) {
		copy_folder_free(f);
		return status;
	}
	*ret = f;
	return CTL_DONE;
}

void copy_folder_set_rate(struct copy_folder *f, uint64_t rate)
{
	f->rate = rate;
}

void copy_folder_set_owner(struct copy_folder *f, uid_t user, gid_t group, bool (*given)(const char *path))
{
	f->owned = user != geteuid();
	f->given = given;
	f->user = user;
	f->group = group;
}

/* --- files ------------------------------------------------------------------------------------------------------------------------ */

bool copy_path_ok(const char *path)
{
	size_t n = strlen(path);
	if (n == 0 || n >= PATH_MAX || path[0] == '/' || path[n - 1] == '/')
		return false;
	for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL) {
		size_t part = strcspn(p, "/");
		if (part == 0 || (part == 1 && p[0] == '.') || (part == 2 && p[0] == '.' && p[1] == '.'))
			return false;
	}
	return strpbrk(path, "\n\r\\") == NULL;
}

static int make_folders(struct copy_folder *f, const char *path, bool given)
{
	char folder[PATH_MAX];
	const char *last = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", last ? (int)(last - path) : 0, path);
	if (!last || strcmp(folder, f->made) == 0)
		return CTL_DONE;
	for (char *at = folder; at; ) {
		at = strchr(at + 1, '/');
		if (at)
			*at = 0;
		if (mkdirat(f->fd, folder, 0700) == 0) {
			if (given && fchownat(f->fd, folder, f->user, f->group, AT_SYMLINK_NOFOLLOW))
				return failed(f, folder, errno);
		} else if (errno != EEXIST) {
			return failed(f, folder, errno);
		}
		if (at)
			*at = '/';
	}
	snprintf(f->made, sizeof f->made, "%s", folder);
	return CTL_DONE;
}

int copy_file_begin(struct copy_folder *f, const char *path, mode_t mode)
{
	if (!copy_path_ok(path))
		return ctl_fail(CTL_USAGE, "'%.200s' is no path that can be copied", path);
	bool given = f->owned && f->given(path);
	int status = make_folders(f, path, given);
	if (status)
		return status;
	snprintf(f->name, sizeof f->name, "%s", path);
	f->file = openat(f->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (f->file < 0 || fchmod(f->file, mode) || (given && fchown(f->file, f->user, f->group)))
		return failed(f, path, errno);
	f->at = f->flushed = 0;
	f->files++;
	EVP_DigestInit_ex(f->md, EVP_sha256(), NULL);
	return CTL_DONE;
}

static void keep_to_rate(const struct copy_folder *f)
{
	van_time due = f->rate ? (van_time)((double)f->bytes / (double)f->rate * (double)VAN_SECOND) : 0;
	van_time early = due - (van_clock_monotonic() - f->began);
	if (early > 0)
		nanosleep(&(struct timespec){.tv_sec = early / VAN_SECOND, .tv_nsec = (long)(early % VAN_SECOND) * 1000}, NULL);
}

static void report(struct copy_folder *f, bool last)
{
	van_time now = van_clock_monotonic();
	if (!isatty(STDERR_FILENO) || (!last && now - f->reported < REPORT_EVERY))
		return;
	f->reported = now;
	if (last)
		fputs("\r\033[K", stderr);
	else
		fprintf(stderr, "\r\033[K%.1f MB in %llu files, %.0f MB/s", (double)f->bytes / 1e6, (unsigned long long)f->files,
			(double)f->bytes / (double)(now - f->began + 1));
}

/* Started, then waited for: no more than two stretches are dirty, and pages that nobody reads again leave memory. */
static void write_out(struct copy_folder *f)
{
	if (f->at - f->flushed < FLUSH_EVERY)
		return;
	sync_file_range(f->file, (off_t)f->flushed, (off_t)(f->at - f->flushed), SYNC_FILE_RANGE_WRITE);
	if (f->flushed >= FLUSH_EVERY) {
		off_t before = (off_t)(f->flushed - FLUSH_EVERY);
		sync_file_range(f->file, before, (off_t)FLUSH_EVERY, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
		posix_fadvise(f->file, before, (off_t)FLUSH_EVERY, POSIX_FADV_DONTNEED);
	}
	f->flushed = f->at;
}

/* Blocks of zeros, such as released log, become holes again. */
static int write_around_holes(const struct copy_folder *f, const char *p, size_t n)
{
	static const char zero[HOLE];
	int rc = 0;
	for (size_t at = 0, end; at < n && rc == 0; at = end) {
		size_t first = HOLE - (size_t)((f->at + at) % HOLE), from = at;
		for (end = at; end < n; end += first, first = HOLE) {
			first = first < n - end ? first : n - end;
			if (first == HOLE && memcmp(p + end, zero, HOLE) == 0)
				break;
		}
		if (end > from)
			rc = fd_pwrite_all(f->file, p + from, end - from, (off_t)(f->at + from));
		while (end < n && n - end >= HOLE && memcmp(p + end, zero, HOLE) == 0)
			end += HOLE;
	}
	return rc;
}

int copy_file_write(struct copy_folder *f, const void *p, size_t n)
{
	int rc = write_around_holes(f, p, n);
	if (rc < 0)
		return failed(f, f->name, rc == VAN_ENOSPC ? ENOSPC : errno ? errno : EIO);
	if (interrupted)
		return ctl_fail(CTL_USAGE, "interrupted: nothing was kept");
	EVP_DigestUpdate(f->md, p, n);
	f->at += n;
	f->bytes += n;
	write_out(f);
	report(f, false);
	keep_to_rate(f);
	return CTL_DONE;
}

void copy_file_own(struct copy_folder *f, const struct stat *like)
{
	if (geteuid() == 0 && fchown(f->file, like->st_uid, like->st_gid)) /* a file system that has no owners */
		return;
}

int copy_file_end(struct copy_folder *f, char hash[COPY_HASH_TEXT])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int bad = ftruncate(f->file, (off_t)f->at) ? errno : 0; /* what it ends with may be a hole */
	if (close(f->file) && !bad)
		bad = errno;
	f->file = -1;
	if (bad)
		return failed(f, f->name, bad);
	if (EVP_DigestFinal_ex(f->md, sum, &n) != 1 || n != 32)
		return ctl_fail(CTL_USAGE, "a hash could not be made: OpenSSL has no SHA-256");
	hex_encode(hash, sum, n);
	return CTL_DONE;
}

int copy_folder_list(struct copy_folder *f, const char *name, FILE **ret)
{
	int fd = openat(f->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	*ret = fd < 0 ? NULL : fdopen(fd, "w+");
	if (!*ret && fd >= 0)
		close(fd);
	return *ret ? CTL_DONE : failed(f, name, errno);
}

uint64_t copy_folder_files(const struct copy_folder *f)
{
	return f->files;
}

uint64_t copy_folder_bytes(const struct copy_folder *f)
{
	return f->bytes;
}

/* --- the end ---------------------------------------------------------------------------------------------------------------------- */

int copy_folder_flush(struct copy_folder *f)
{
	report(f, true);
	return syncfs(f->fd) ? failed(f, "flushing", errno) : CTL_DONE;
}

int copy_folder_commit(struct copy_folder *f)
{
	int status = copy_folder_flush(f);
	if (status)
		return status;
	if (f->owned && fchown(f->fd, f->user, f->group))
		return failed(f, "giving it its owner", errno);
	if (rename(f->part, f->path))
		return failed(f, "giving it its name", errno);
	f->committed = true;
	return fsync(f->parent) ? failed(f, "flushing the folder above", errno) : CTL_DONE;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

void copy_folder_free(struct copy_folder *f)
{
	if (!f)
		return;
	if (f->file >= 0)
		close(f->file);
	if (f->fd >= 0 && !f->committed && nftw(f->part, remove_one, 16, FTW_DEPTH | FTW_PHYS))
		ctl_fail(CTL_USAGE, "%s could not be removed: %s; remove it (rm -r)", f->part, strerror(errno));
	if (f->fd >= 0)
		close(f->fd);
	if (f->parent >= 0)
		close(f->parent);
	EVP_MD_CTX_free(f->md);
	free(f->path);
	free(f->part);
	free(f);
}
