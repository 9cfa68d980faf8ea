#include "store/payload_dir.h"

#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define COPY_PIECE (256 * 1024)
/* From so many files on, one syncfs() instead of a flush for each: 64 files took 8 ms instead of 200. It also waits for what
 * else is dirty on the file system, so who streams large files there has to begin their write-out while writing. */
#define SYNCFS_FROM 4

static int fail(struct van_error *err, int errnum, const char *doing)
{
	enum van_err code = van_err_from_errno(errnum);
	return van_error_set(err, code, "payload file: %s: %s%s", doing, strerror(errnum),
		code == VAN_ENOSPC ? "; free space on the data folder's file system" : "");
}

static int flush(struct payload_dir *d, int fd, bool data_only)
{
	atomic_fetch_add_explicit(&d->flushes, 1, memory_order_relaxed);
	int rc;
	do
		rc = data_only ? fdatasync(fd) : fsync(fd);
	while (rc && errno == EINTR);
	return rc ? errno : 0;
}

/* --- opening --- */

int payload_dir_open(int dirfd, struct payload_dir **ret, struct van_error *err)
{
	struct payload_dir *d = calloc(1, sizeof *d);
	if (!d)
		return van_error_set(err, VAN_ENOMEM, "payload folder: out of memory");
	for (size_t i = 0; i < PAYLOAD_FOLDERS; i++)
		d->folders[i].fd = -1;
	bool made = mkdirat(dirfd, PAYLOAD_TOP, 0700) == 0;
	d->fd = made || errno == EEXIST ? openat(dirfd, PAYLOAD_TOP, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	/* Flushed even when it was there: whoever made it may have been killed before doing so. */
	if (d->fd < 0 || flush(d, dirfd, false)) {
		int rc = fail(err, errno, "opening the folder " PAYLOAD_TOP);
		payload_dir_close(d);
		return rc;
	}
	payload_pinned_drop(d);
	*ret = d;
	return 0;
}

static void folder_drop(struct payload_folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->touched = false;
}

void payload_dir_close(struct payload_dir *d)
{
	if (!d)
		return;
	if (d->fd >= 0) {
		payload_rollback(d);
		close(d->fd);
	}
	for (size_t i = 0; i < PAYLOAD_FOLDERS; i++)
		folder_drop(&d->folders[i]);
	free(d->files);
	free(d);
}

int payload_create_unnamed(struct payload_dir *d, struct van_error *err)
{
	int fd = openat(d->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return fail(err, errno, "creating an unnamed file");
	/* A file system without unnamed files: a name that goes at once. payload_link() will have to copy. */
	char name[64];
	unsigned long long random;
	van_random(&random, sizeof random);
	snprintf(name, sizeof name, PAYLOAD_COPY "%016llx", random);
	fd = openat(d->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, errno, "creating an unnamed file");
	unlinkat(d->fd, name, 0);
	return fd;
}

/* --- linking --- */

/* The open folder of this name, made where absent; NULL with errno. */
static struct payload_folder *folder_get(struct payload_dir *d, const char *name)
{
	struct payload_folder *f = NULL;
	for (size_t i = 0; i < PAYLOAD_FOLDERS; i++) {
		if (d->folders[i].fd >= 0 && strcmp(d->folders[i].name, name) == 0)
			return &d->folders[i];
		if (!f && d->folders[i].fd < 0)
			f = &d->folders[i];
	}
	if (!f) {
		f = &d->folders[d->turn++ % PAYLOAD_FOLDERS];
		if (f->touched && (errno = flush(d, f->fd, false)))
			return NULL;
		folder_drop(f);
	}
	if (mkdirat(d->fd, name, 0700) && errno != EEXIST)
		return NULL;
	d->touched = true; /* also when it was there: whoever made it may have been killed before the flush */
	f->fd = openat(d->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return NULL;
	snprintf(f->name, sizeof f->name, "%s", name);
	return f;
}

static int link_unnamed(int fd, int folder, const char *name)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno == EEXIST || errno == ENOSPC || errno == EDQUOT)
		return errno;
	/* No /proc here; a right of our own, or a kernel that knows whose descriptor it is, does as well. */
	return linkat(fd, "", folder, name, AT_EMPTY_PATH) == 0 ? 0 : errno;
}

static int copy_bytes(int from, int to)
{
	char *piece = malloc(COPY_PIECE);
	if (!piece)
		return ENOMEM;
	off_t at = 0;
	ssize_t n = 0;
	int rc = 0;
	while (!rc && (n = pread(from, piece, COPY_PIECE, at)) > 0) {
		for (ssize_t done = 0; done < n && !rc;) {
			ssize_t w = pwrite(to, piece + done, (size_t)(n - done), at + done);
			if (w > 0)
				done += w;
			else if (w == 0 || errno != EINTR)
				rc = w ? errno : EIO;
		}
		at += n;
	}
	if (!rc && n < 0)
		rc = errno;
	free(piece);
	return rc;
}

/* From another file system, or a memfd: a copy that gets its name when it is whole. Returns its descriptor or -errno. */
static int link_copy(struct payload_dir *d, int fd, int folder, const char *name)
{
	char temp[64];
	snprintf(temp, sizeof temp, PAYLOAD_COPY "%d-%llu", (int)getpid(), d->copies++);
	unlinkat(folder, temp, 0);
	int copy = openat(folder, temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (copy < 0)
		return -errno;
	int rc = copy_bytes(fd, copy);
	if (!rc && linkat(folder, temp, folder, name, 0)) /* unlike rename: never over another file */
		rc = errno;
	unlinkat(folder, temp, 0);
	if (rc) {
		close(copy);
		return -rc;
	}
	return copy;
}

/* Was this very file linked under this name in this batch? */
static bool repeated(const struct payload_dir *d, const char *name, const struct stat *st)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->files[i].name, name) == 0)
			return d->files[i].dev == st->st_dev && d->files[i].ino == st->st_ino;
	return false;
}

static struct payload_file *file_room(struct payload_dir *d)
{
	if (d->n == d->room) {
		size_t room = d->room ? d->room * 2 : 64;
		struct payload_file *more = realloc(d->files, room * sizeof *more);
		if (!more)
			return NULL;
		d->files = more;
		d->room = room;
	}
	return &d->files[d->n];
}

/* The descriptor to flush later, or -errno. */
static int link_any(struct payload_dir *d, int fd, int folder, const char *name)
{
	int keep = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (keep < 0)
		return -errno;
	int rc = link_unnamed(fd, folder, name);
	if (rc == 0)
		return keep;
	close(keep);
	if (rc == EEXIST || rc == ENOSPC || rc == EDQUOT || rc == EIO)
		return -rc;
	return link_copy(d, fd, folder, name);
}

int payload_link(struct payload_dir *d, int fd, struct slice id, const char *part, struct van_error *err)
{
	char name[PAYLOAD_NAME_MAX + 1];
	struct stat st;
	if (payload_name(id, part, name))
		return van_error_set(err, VAN_EINVAL, "payload file: a defect: no name for part \"%.40s\"", part);
	if (fstat(fd, &st))
		return fail(err, errno, "looking at it");
	if (repeated(d, name, &st))
		return 0;
	struct payload_file *f = file_room(d);
	if (!f)
		return van_error_set(err, VAN_ENOMEM, "payload file: out of memory");
	snprintf(f->folder, sizeof f->folder, "%.*s", PAYLOAD_FOLDER_LEN, id.p);
	struct payload_folder *folder = folder_get(d, f->folder);
	if (!folder)
		return fail(err, errno, "opening its folder");
	int keep = link_any(d, fd, folder->fd, name);
	if (keep < 0)
		return fail(err, -keep, "naming it");
	/* Writing begins while the rest of the batch is gathered. */
	sync_file_range(keep, 0, 0, SYNC_FILE_RANGE_WRITE);
	folder->touched = true;
	snprintf(f->name, sizeof f->name, "%s", name);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->fd = keep;
	d->n++;
	return 0;
}

int payload_write(struct payload_dir *d, struct slice bytes, struct slice id, const char *part, struct van_error *err)
{
	int fd = payload_create_unnamed(d, err);
	if (fd < 0)
		return fd;
	int rc = fd_pwrite_all(fd, bytes.p, bytes.n, 0);
	if (rc)
		van_error_set(err, rc, "payload file: writing it: %s", van_err_name(rc));
	else
		rc = payload_link(d, fd, id, part, err);
	close(fd);
	return rc;
}

/* --- the end of a batch --- */

static int sync_files(struct payload_dir *d)
{
	int first = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct payload_file *f = &d->files[i];
		if (f->fd < 0)
			continue;
		int rc = flush(d, f->fd, true);
		if (close(f->fd) && !rc)
			rc = errno;
		f->fd = -1;
		first = first ? first : rc;
	}
	return first;
}

static int sync_folders(struct payload_dir *d)
{
	for (size_t i = 0; i < PAYLOAD_FOLDERS; i++) {
		struct payload_folder *f = &d->folders[i];
		int rc = f->touched ? flush(d, f->fd, false) : 0;
		if (rc)
			return rc;
		f->touched = false;
	}
	int rc = d->touched ? flush(d, d->fd, false) : 0;
	if (rc == 0)
		d->touched = false;
	return rc;
}

/* Files, names and folders in one. Linux reports lost writes here since 5.8. */
static int sync_all(struct payload_dir *d)
{
	atomic_fetch_add_explicit(&d->flushes, 1, memory_order_relaxed);
	int rc = syncfs(d->fd) ? errno : 0;
	for (size_t i = 0; i < d->n; i++) {
		if (d->files[i].fd >= 0)
			close(d->files[i].fd);
		d->files[i].fd = -1;
	}
	for (size_t i = 0; i < PAYLOAD_FOLDERS && !rc; i++)
		d->folders[i].touched = false;
	d->touched = d->touched && rc;
	return rc;
}

static size_t unflushed(const struct payload_dir *d)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		n += d->files[i].fd >= 0;
	return n;
}

int payload_sync(struct payload_dir *d, struct van_error *err)
{
	int rc;
	if (unflushed(d) >= SYNCFS_FROM) {
		rc = sync_all(d);
	} else {
		rc = sync_files(d);
		if (!rc)
			rc = sync_folders(d);
	}
	if (rc)
		payload_rollback(d);
	return rc ? fail(err, rc, "flushing it") : 0;
}

void payload_keep(struct payload_dir *d)
{
	d->n = 0;
}

void payload_rollback(struct payload_dir *d)
{
	char path[PAYLOAD_FOLDER_LEN + 1 + PAYLOAD_NAME_MAX + 1];
	for (size_t i = 0; i < d->n; i++) {
		struct payload_file *f = &d->files[i];
		if (f->fd >= 0)
			close(f->fd);
		snprintf(path, sizeof path, "%s/%s", f->folder, f->name);
		unlinkat(d->fd, path, 0);
	}
	d->n = 0;
}

/* --- single files --- */

int payload_path_in(struct slice id, const char *part, char *to, size_t room)
{
	char name[PAYLOAD_NAME_MAX + 1];
	if (payload_name(id, part, name))
		return VAN_EINVAL;
	snprintf(to, room, "%.*s/%s", PAYLOAD_FOLDER_LEN, id.p, name);
	return 0;
}

int payload_open(struct payload_dir *d, struct slice id, const char *part, struct van_error *err)
{
	char path[PAYLOAD_FOLDER_LEN + 1 + PAYLOAD_NAME_MAX + 1];
	if (payload_path_in(id, part, path, sizeof path))
		return van_error_set(err, VAN_EINVAL, "payload file: a defect: no name for part \"%.40s\"", part);
	int fd = openat(d->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 ? fd : fail(err, errno, "opening it");
}

int payload_open_to_append(struct payload_dir *d, struct slice id, const char *part, uint64_t bytes, struct van_error *err)
{
	char path[PAYLOAD_FOLDER_LEN + 1 + PAYLOAD_NAME_MAX + 1];
	struct stat st;
	if (payload_path_in(id, part, path, sizeof path))
		return van_error_set(err, VAN_EINVAL, "payload file: a defect: no name for part \"%.40s\"", part);
	int fd = openat(d->fd, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail(err, errno, "opening it");
	/* The lock is the descriptor's: it goes with it to another process, and ends with its last copy. */
	int rc = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? VAN_ESTATE : fail(err, errno, "locking it");
	if (rc == 0 && fstat(fd, &st))
		rc = fail(err, errno, "looking at it");
	if (rc == 0 && (uint64_t)st.st_size < bytes)
		rc = van_error_set(err, VAN_EINTERNAL, "payload file %s is shorter than its record says", path);
	if (rc == 0 && (uint64_t)st.st_size > bytes && ftruncate(fd, (off_t)bytes))
		rc = fail(err, errno, "cutting it");
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int payload_remove(struct payload_dir *d, struct slice id, const char *part, struct van_error *err)
{
	char path[PAYLOAD_FOLDER_LEN + 1 + PAYLOAD_NAME_MAX + 1];
	if (payload_path_in(id, part, path, sizeof path))
		return van_error_set(err, VAN_EINVAL, "payload file: a defect: no name for part \"%.40s\"", part);
	int rc = atomic_load(&d->pins) ? payload_pinned_keep(d, path) : unlinkat(d->fd, path, 0) ? errno : 0;
	return rc && rc != ENOENT ? fail(err, rc, "removing it") : 0;
}

int payload_room(struct payload_dir *d, uint64_t *ret)
{
	struct statvfs v;
	if (fstatvfs(d->fd, &v))
		return van_err_from_errno(errno);
	*ret = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

uint64_t payload_flushes(const struct payload_dir *d)
{
	return atomic_load_explicit(&d->flushes, memory_order_relaxed);
}
