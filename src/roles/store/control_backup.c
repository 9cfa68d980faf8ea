/* backup: streams a copy of the data folder, as of one moment, into the pipe that came with the request (ipc/copy_stream.h), while the
 * store goes on serving. First a receipt, so that the copy holds it; then, in a thread of its own, the database as a snapshot sees it,
 * the segment files up to where that was settled, and the payload files that it refers to. */
#include "roles/store/control.h"
#include "roles/store/control_handlers.h"
#include "roles/store/store_role.h"

#include "queue/package.h"

#include "base/fault.h"
#include "base/log.h"
#include "ipc/copy_stream.h"
#include "partner/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define LOOK_MS 200 /* while the pipe is full: how often it is asked whether the store stops */

struct backup {
	struct control_call *c;
	int pipe;
	bool held;               /* nothing is settled now */
	char *piece;             /* COPY_FRAME_MAX bytes */
	uint64_t files, bytes, missing;
};

/* --- the pipe ------------------------------------------------------------------------------------------------------------------- */

static int wait_room(struct backup *b, van_time since, struct van_error *err)
{
	struct pollfd p = {.fd = b->pipe, .events = POLLOUT};
	poll(&p, 1, LOOK_MS);
	if (atomic_load(&b->c->role->backups_end))
		return van_error_set(err, VAN_ECLOSED, "vand is stopping: the backup is not complete");
	if (store_growth_waits(b->c->role->store))
		return van_error_set(err, VAN_EAGAIN, "the database has to grow, which waits for the copy to end: make the backup again");
	van_time patience = b->c->role->role->config->store.backup_patience;
	if (van_clock_monotonic() - since > patience)
		return van_error_set(err, VAN_ETIMEOUT, "nothing was written to the backup's folder for %llu s (store.backup_patience): the backup was given up; look at its disk",
			(unsigned long long)(patience / VAN_SECOND));
	return 0;
}

static int push(struct backup *b, struct iovec *v, int n, struct van_error *err)
{
	van_time since = van_clock_monotonic();
	int rc = 0;
	while (n && rc == 0) {
		ssize_t w = writev(b->pipe, v, n);
		if (w < 0 && errno == EAGAIN)
			rc = wait_room(b, since, err);
		else if (w < 0 && errno != EINTR)
			return van_error_set(err, VAN_ECLOSED, "vanctl ended: the backup is not complete");
		for (; w > 0; since = van_clock_monotonic()) {
			size_t step = (size_t)w < v->iov_len ? (size_t)w : v->iov_len;
			v->iov_base = (char *)v->iov_base + step;
			v->iov_len -= step;
			w -= (ssize_t)step;
			if (!v->iov_len && n-- > 0)
				v++;
		}
	}
	return rc;
}

static int frame(struct backup *b, enum copy_kind kind, const void *p, size_t n, struct van_error *err)
{
	struct copy_header h = {.kind = kind, .length = (uint32_t)n};
	struct iovec v[2] = {{&h, sizeof h}, {(void *)(uintptr_t)p, n}};
	return push(b, v, n ? 2 : 1, err);
}

static int begin_file(struct backup *b, const char *path, struct van_error *err)
{
	if (!copy_path_streamed(path)) /* restored, it would not be the store's */
		return van_error_set(err, VAN_EINTERNAL, "a defect: %s is in none of the store's folders", path);
	b->files++;
	return frame(b, COPY_FILE, path, strlen(path), err);
}

static int data(struct backup *b, const char *p, size_t n, struct van_error *err)
{
	b->bytes += n;
	while (n) {
		size_t step = n < COPY_FRAME_MAX ? n : COPY_FRAME_MAX;
		int rc = frame(b, COPY_DATA, p, step, err);
		if (rc < 0)
			return rc;
		p += step;
		n -= step;
	}
	return 0;
}

/* --- database ------------------------------------------------------------------------------------------------------------------- */

static void release(void *ctx)
{
	struct backup *b = ctx;
	if (b->held)
		writer_settling_release(b->c->role->writer);
	b->held = false;
}

static int write_database(void *ctx, const void *p, size_t n, struct van_error *err)
{
	return data(ctx, p, n, err);
}

static int copy_database(struct backup *b, struct van_error *err)
{
	struct store_role *s = b->c->role;
	struct store_copy_to to = {.begun = release, .write = write_database, .ctx = b};
	char path[COPY_PATH_MAX];
	snprintf(path, sizeof path, "store/%s", store_file_name(s->store));
	int rc = begin_file(b, path, err); /* before anything is held up: whoever reads the pipe may be slow */
	if (rc < 0)
		return rc;
	writer_settling_hold(s->writer);
	b->held = true;
	rc = control_snapshot_again(b->c);
	van_fault_point("store-before-copy");
	if (rc == 0)
		rc = store_copy(b->c->work->txn, &to, err);
	release(b);
	return rc;
}

/* --- files ------------------------------------------------------------------------------------------------------------------------ */

/* What is copied is cold, mostly: it should not put out of memory what is not. */
static int copy_bytes(struct backup *b, int fd, uint64_t most, struct van_error *err)
{
	for (uint64_t at = 0; at < most;) {
		size_t want = most - at < COPY_FRAME_MAX ? (size_t)(most - at) : COPY_FRAME_MAX;
		ssize_t n = pread(fd, b->piece, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return van_error_set(err, van_err_from_errno(errno), "reading a file of the data folder: %s", strerror(errno));
		if (n == 0)
			return 0;
		if (store_growth_waits(b->c->role->store))
			return van_error_set(err, VAN_EAGAIN, "the database has to grow, which waits for the copy to end");
		int rc = data(b, b->piece, (size_t)n, err);
		if (rc < 0)
			return rc;
		posix_fadvise(fd, (off_t)at, n, POSIX_FADV_DONTNEED);
		at += (uint64_t)n;
	}
	return 0;
}

static int copy_missing(struct backup *b, const char *path, struct van_error *err)
{
	b->missing++;
	log_event(LOG_LEVEL_ERROR, "backup-file-missing", "path", path, NULL);
	return frame(b, COPY_MISSING, path, strlen(path), err);
}

static int copy_segment(void *ctx, const char *path, int fd, uint64_t bytes, struct van_error *err)
{
	struct backup *b = ctx;
	if (fd < 0)
		return copy_missing(b, path, err);
	int rc = begin_file(b, path, err);
	return rc < 0 ? rc : copy_bytes(b, fd, bytes, err);
}

/* --- payload files: one that is shorter than its record says counts as missing, too ------------------------------------------------ */

/* A package may be gone before its record is: without it a delivery is packaged anew. */
static bool needed(const char *part)
{
	return strcmp(part, QUEUE_PACKAGE_PART) != 0;
}

static int copy_payload(void *arg, struct slice id, const char *part, uint64_t bytes)
{
	struct backup *b = arg;
	struct van_error *err = &b->c->work->err;
	char path[PAYLOAD_PATH_MAX];
	int fd = payload_path(id, part, path) ? payload_open_pinned(b->c->role->payload, id, part, err) : VAN_EINTERNAL;
	if (fd == VAN_ENOTFOUND)
		return needed(part) ? copy_missing(b, path, err) : 0;
	if (fd < 0)
		return fd;
	struct stat st;
	int rc = fstat(fd, &st) ? van_error_set(err, van_err_from_errno(errno), "%s: %s", path, strerror(errno)) : begin_file(b, path, err);
	if (rc == 0)
		rc = copy_bytes(b, fd, UINT64_MAX, err);
	if (rc == 0 && (uint64_t)st.st_size < bytes) /* more is fine: an upload goes on in its file */
		rc = copy_missing(b, path, err);
	close(fd);
	return rc;
}

/* --- the whole ---------------------------------------------------------------------------------------------------------------------- */

static int copy_all(struct backup *b, struct van_error *err)
{
	struct queue_work *w = b->c->work;
	uint64_t end = 0;
	int rc = copy_database(b, err);
	if (rc == 0)
		rc = queue_log_end(w, &end);
	if (rc == 0)
		rc = queue_segments_each(w, end, copy_segment, b);
	if (rc == 0)
		rc = queue_files_each(w, copy_payload, b);
	if (rc == 0)
		rc = frame(b, COPY_END, NULL, 0, err);
	if (rc < 0 && !err->text[0])
		*err = w->err;
	return rc;
}

static int answer(struct backup *b)
{
	char point[VAN_TIME_TEXT];
	struct queue_figures f;
	int rc = queue_figures(b->c->work, &f);
	if (rc < 0)
		return rc;
	return van_buf_printf(b->c->out, "{\"point\":\"%s\",\"files\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"missing\":%" PRIu64
			      ",\"messages\":%" PRIu64 ",\"jobs\":%" PRIu64 ",\"deliveries\":%" PRIu64 "}",
			      van_time_rfc3339(point, b->c->work->now), b->files, b->bytes, b->missing, f.messages, f.jobs, f.deliveries);
}

static int run(struct backup *b, struct van_error *err)
{
	van_time began = van_clock_monotonic();
	int rc = fcntl(b->pipe, F_SETFL, O_WRONLY | O_NONBLOCK) ? VAN_EINVAL : copy_all(b, err);
	log_event(rc < 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, rc < 0 ? "backup-failed" : "backup-copied", "files", log_u64(b->files), "bytes",
		  log_u64(b->bytes), "ms", log_u64((unsigned long long)(van_clock_monotonic() - began) / 1000), "text",
		  rc < 0 ? err->text : NULL, NULL);
	return rc < 0 ? control_refuse(b->c, rc, err) : answer(b);
}

int control_backup(struct control_call *c)
{
	struct van_error err = {0};
	struct backup b = {.c = c, .pipe = c->in_fd, .piece = van_arena_alloc(c->arena, COPY_FRAME_MAX)};
	if (!b.piece)
		return VAN_ENOMEM;
	int rc = payload_pin(c->role->payload, &err);
	if (rc < 0)
		return control_refuse(c, rc, &err);
	van_fault_point("store-before-backup");
	/* A file that was removed before is of no record then: the snapshot is of what is settled from here on. Until there is that one, none
	 * is held: the writer, which is waited for, may be waiting for all of them to end (store_grow). */
	control_snapshot_end(c);
	writer_settle(c->role->writer);
	rc = run(&b, &err);
	payload_unpin(c->role->payload);
	return rc;
}

/* Before anything is copied: who takes all documents leaves a receipt, also when the copy is not completed. */
int control_backup_begin(struct control_call *c)
{
	if (c->in_fd < 0)
		return control_say(c, 2, "a backup goes through vanctl: vanctl backup DIR");
	int rc = queue_note(c->work, c->actor, SLICE("began a backup"));
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

/* {"sha256":…,"point":…}: the copy is complete and stands on its disk. */
int control_backup_done(struct control_call *c)
{
	struct slice sha256 = control_arg_text(&c->args, "sha256"), point = control_arg_text(&c->args, "point");
	if (sha256.n != 64 || !point.n)
		return control_say(c, 2, "the backup's hash or its time is missing");
	struct slice text = van_arena_printf(c->arena, "completed the backup of %.*s; SHA-256 of its backup.json: %.*s", SLICE_ARG(point), SLICE_ARG(sha256));
	int rc = text.p ? queue_note(c->work, c->actor, text) : VAN_ENOMEM;
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}
