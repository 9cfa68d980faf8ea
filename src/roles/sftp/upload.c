#include "roles/sftp/upload.h"

#include "base/fdio.h"
#include "base/log.h"
#include "ipc/messages.h"
#include "roles/sftp/confine.h"
#include "roles/sftp/spans.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FLUSH_HERE ((uint64_t)64 << 10)
#define COPY_BLOCK ((size_t)256 << 10)

struct sftpd_upload {
	uint64_t max, size;
	struct sftpd_writer *writer, **idle;
	sftpd_file_fn *file;
	void *arg;
	uint64_t appended; /* bytes that went through the writer */
	uint64_t borrowed; /* so much stood in the file before: it is an earlier upload's, which may be wanted again */
	bool named;        /* that file had a name when it was handed out */
	bool in_order;     /* nothing went another way: what the writer hashed is the file */
	enum sftpd_status failed; /* the first failure: the file can't become whole any more */
	struct sftpd_why why;
	struct sftpd_spans written;
	struct slice bytes; /* of a small file, when it is finished */
};

struct sftpd_upload *sftpd_upload_new(sftpd_file_fn *file, void *arg, uint64_t max, struct sftpd_writer **idle)
{
	struct sftpd_upload *u = calloc(1, sizeof *u);
	if (!u)
		return NULL;
	if (idle && *idle) {
		u->writer = *idle;
		*idle = NULL;
	} else if (!(u->writer = sftpd_writer_new(file, arg))) {
		free(u);
		return NULL;
	}
	u->idle = idle;
	u->file = file;
	u->arg = arg;
	u->max = max;
	u->in_order = true;
	return u;
}

void sftpd_upload_free(struct sftpd_upload *u)
{
	if (!u)
		return;
	if (u->idle && !*u->idle && sftpd_writer_renew(u->writer))
		*u->idle = u->writer;
	else
		sftpd_writer_free(u->writer);
	sftpd_spans_free(&u->written);
	free(u);
}

bool sftpd_upload_resume(struct sftpd_upload *u, int fd, struct slice hashing)
{
	unsigned char unused[SFTPD_HASHING_KEPT];
	uint64_t names;
	if (sftpd_count_names(fd, &names) < 0 || !sftpd_writer_resume(u->writer, fd, hashing))
		return false;
	u->named = names > 0;
	u->borrowed = u->appended = u->size = sftpd_writer_kept(u->writer, unused);
	sftpd_spans_add(&u->written, 0, u->size); /* the first one always has room */
	return true;
}

bool sftpd_upload_kept(struct sftpd_upload *u, unsigned char to[SFTPD_HASHING_KEPT])
{
	return u->in_order && u->appended == u->size && sftpd_writer_kept(u->writer, to) == u->size;
}

int sftpd_upload_fd(const struct sftpd_upload *u)
{
	return sftpd_writer_fd(u->writer);
}

struct slice sftpd_upload_bytes(const struct sftpd_upload *u)
{
	return u->bytes;
}

uint64_t sftpd_upload_size(const struct sftpd_upload *u)
{
	return u->size;
}

enum sftpd_status sftpd_upload_fail(struct sftpd_upload *u, enum sftpd_status status, const char *text, struct sftpd_why *why)
{
	u->failed = sftpd_refuse(&u->why, status, "%s", text);
	return sftpd_refuse(why, status, "%s", text);
}

static enum sftpd_status fail(struct sftpd_upload *u, struct sftpd_why *why, const char *text)
{
	return sftpd_upload_fail(u, SFTPD_FAILURE, text, why);
}

static enum sftpd_status too_large(struct sftpd_upload *u, struct sftpd_why *why)
{
	return sftpd_upload_fail(u, SFTPD_PERMISSION_DENIED, "The file is larger than this mailbox takes", why);
}

static enum sftpd_status fail_disk(struct sftpd_upload *u, struct sftpd_why *why, int rc)
{
	return fail(u, why, rc == VAN_ENOSPC ? "The mailbox has no room left: try again later"
					     : "The file could not be written: try again later");
}

static enum sftpd_status failed_before(const struct sftpd_upload *u, struct sftpd_why *why)
{
	return u->failed ? sftpd_refuse(why, u->failed, "%s", u->why.text) : SFTPD_OK;
}

void sftpd_upload_give_back(struct sftpd_upload *u)
{
	if (!u->borrowed)
		return;
	sftpd_writer_drain(u->writer); /* nothing is written any more */
	if (ftruncate(sftpd_upload_fd(u), (off_t)u->borrowed))
		log_event(LOG_LEVEL_WARNING, "upload-not-cut", "error", van_err_name(van_err_from_errno(errno)), NULL);
}

/* Copies what is there into a file of the upload's own, in which it may change everything. */
static int leave_borrowed(struct sftpd_upload *u)
{
	struct sftpd_writer *own = sftpd_writer_new(u->file, u->arg);
	char *block = malloc(COPY_BLOCK);
	int rc = own && block ? sftpd_writer_drain(u->writer) : VAN_ENOMEM;
	for (uint64_t at = 0; rc == 0 && at < u->size;) {
		size_t n = u->size - at < COPY_BLOCK ? (size_t)(u->size - at) : COPY_BLOCK;
		rc = fd_pread_all(sftpd_upload_fd(u), block, n, (off_t)at);
		if (rc == 0)
			rc = sftpd_writer_append(own, block, n);
		at += n;
	}
	free(block);
	if (rc == 0)
		rc = sftpd_writer_drain(own);
	if (rc < 0) {
		sftpd_writer_free(own);
		return rc;
	}
	sftpd_upload_give_back(u);
	sftpd_writer_free(u->writer);
	u->writer = own;
	u->borrowed = 0;
	return 0;
}

/* A file whose last name is gone, because its upload was deleted or replaced meanwhile, can't get another: it is copied here, and not by the
 * store's writer, for which all would wait. */
static int leave_nameless(struct sftpd_upload *u)
{
	uint64_t names;
	return u->borrowed && u->named && sftpd_count_names(sftpd_upload_fd(u), &names) == 0 && !names ? leave_borrowed(u) : 0;
}

/* From now on the file is written where the client says; it is hashed when it is done. */
static int leave_order(struct sftpd_upload *u)
{
	u->in_order = false;
	return sftpd_writer_drain(u->writer);
}

enum sftpd_status sftpd_upload_write(struct sftpd_upload *u, uint64_t at, const void *p, size_t n, struct sftpd_why *why)
{
	enum sftpd_status status = failed_before(u, why);
	if (status != SFTPD_OK)
		return status;
	if (u->max && (at > u->max || n > u->max - at))
		return too_large(u, why);
	if (!sftpd_spans_add(&u->written, at, at + n))
		return fail(u, why, "The file was written in too many separate pieces: send it in order");
	int rc = at < u->borrowed ? leave_borrowed(u) : 0;
	if (rc == 0 && u->in_order && at != u->appended)
		rc = leave_order(u);
	if (rc == 0)
		rc = u->in_order ? sftpd_writer_append(u->writer, p, n) : fd_pwrite_all(sftpd_upload_fd(u), p, n, (off_t)at);
	if (rc < 0)
		return fail_disk(u, why, rc);
	if (u->in_order)
		u->appended += n;
	if (at + n > u->size)
		u->size = at + n;
	return SFTPD_OK;
}

enum sftpd_status sftpd_upload_read(struct sftpd_upload *u, uint64_t at, void *to, size_t n, size_t *ret_n, struct sftpd_why *why)
{
	enum sftpd_status status = failed_before(u, why);
	if (status != SFTPD_OK)
		return status;
	int rc = sftpd_writer_drain(u->writer);
	if (at >= u->size)
		n = 0;
	else if (n > u->size - at)
		n = (size_t)(u->size - at);
	if (rc == 0 && n)
		rc = fd_pread_all(sftpd_upload_fd(u), to, n, (off_t)at);
	if (rc < 0)
		return fail_disk(u, why, rc);
	*ret_n = n;
	return SFTPD_OK;
}

enum sftpd_status sftpd_upload_resize(struct sftpd_upload *u, uint64_t size, struct sftpd_why *why)
{
	enum sftpd_status status = failed_before(u, why);
	if (status != SFTPD_OK || size == u->size)
		return status;
	if ((u->max && size > u->max) || size > INT64_MAX)
		return too_large(u, why);
	int rc = size < u->borrowed ? leave_borrowed(u) : sftpd_writer_drain(u->writer);
	if (rc == 0 && ftruncate(sftpd_upload_fd(u), (off_t)size) < 0)
		rc = (int)van_err_from_errno(errno);
	if (rc < 0)
		return fail_disk(u, why, rc);
	u->size = size;
	sftpd_spans_cut(&u->written, size);
	if (size < u->appended)
		u->in_order = false;
	return SFTPD_OK;
}

enum sftpd_status sftpd_upload_sync(struct sftpd_upload *u, struct sftpd_why *why)
{
	enum sftpd_status status = failed_before(u, why);
	if (status != SFTPD_OK)
		return status;
	int rc = sftpd_writer_drain(u->writer);
	if (rc == 0 && fdatasync(sftpd_upload_fd(u)) < 0)
		rc = (int)van_err_from_errno(errno);
	return rc < 0 ? fail_disk(u, why, rc) : SFTPD_OK;
}

int64_t sftpd_upload_keep(struct sftpd_upload *u)
{
	uint64_t size = sftpd_spans_prefix(&u->written);
	if (u->failed || size > u->size || size > INT64_MAX)
		return 0;
	int rc = leave_nameless(u);
	if (rc == 0)
		rc = sftpd_writer_drain(u->writer);
	if (rc == 0 && ftruncate(sftpd_upload_fd(u), (off_t)size) < 0)
		rc = (int)van_err_from_errno(errno);
	if (rc == 0 && size >= FLUSH_HERE && fdatasync(sftpd_upload_fd(u)) < 0)
		rc = (int)van_err_from_errno(errno);
	u->size = size;
	return rc < 0 ? rc : (int64_t)size;
}

enum sftpd_status sftpd_upload_finish(struct sftpd_upload *u, struct sftpd_hashes *ret, struct sftpd_why *why)
{
	enum sftpd_status status = failed_before(u, why);
	if (status != SFTPD_OK)
		return status;
	if (!sftpd_spans_cover(&u->written, u->size))
		return fail(u, why, "A part of the file was never sent: send the whole file again");
	if (u->in_order && u->appended == u->size && sftpd_writer_finish_small(u->writer, IPC_INLINE_MAX, ret, &u->bytes)) {
		u->in_order = false; /* the hashes are used up */
		return SFTPD_OK;
	}
	int rc = leave_nameless(u);
	if (rc == 0)
		rc = sftpd_writer_drain(u->writer);
	if (rc == 0 && u->size >= FLUSH_HERE && fdatasync(sftpd_upload_fd(u)) < 0)
		rc = (int)van_err_from_errno(errno);
	if (rc == 0 && (!u->in_order || u->appended != u->size))
		rc = sftpd_writer_rehash(u->writer, u->size);
	if (rc == 0)
		rc = sftpd_writer_finish(u->writer, ret);
	if (rc < 0)
		return fail_disk(u, why, rc);
	u->in_order = false; /* the hashes are used up */
	return SFTPD_OK;
}
