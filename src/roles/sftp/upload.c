#include "roles/sftp/upload.h"

#include "base/fdio.h"
#include "base/id.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#define SPANS_MAX 1024 /* separate stretches written so far: a client has at most some requests under way */
#define WRITEBACK ((uint64_t)8 << 20) /* the disk is set to work after so many bytes, so that little is left at the end */
#define FLUSH_HERE ((uint64_t)64 << 10) /* smaller files are flushed by the store, many at once */
#define REREAD ((size_t)256 << 10)

struct span {
	uint64_t from, to;
};

struct sftpd_upload {
	int fd;
	uint64_t max, size;
	EVP_MD_CTX *plain, *salted;
	unsigned char salt[SFTPD_SALT];
	uint64_t hashed;     /* bytes from the beginning that both contexts have seen */
	bool in_order;       /* false: they have seen something that was written over */
	uint64_t writeback;  /* handed to the disk */
	enum sftpd_status failed; /* the first failure: the file can't become whole any more */
	struct sftpd_why why;
	struct span spans[SPANS_MAX]; /* written, in order, none touching another */
	size_t nspans;
};

static bool begin_hashes(struct sftpd_upload *u)
{
	u->hashed = 0;
	u->in_order = true;
	return EVP_DigestInit_ex(u->plain, EVP_sha256(), NULL) == 1 && EVP_DigestInit_ex(u->salted, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(u->salted, u->salt, sizeof u->salt) == 1;
}

static void add_to_hashes(struct sftpd_upload *u, const void *p, size_t n)
{
	if (EVP_DigestUpdate(u->plain, p, n) == 1 && EVP_DigestUpdate(u->salted, p, n) == 1)
		u->hashed += n;
	else
		u->in_order = false;
}

struct sftpd_upload *sftpd_upload_new(int fd, uint64_t max)
{
	struct sftpd_upload *u = calloc(1, sizeof *u);
	if (!u) {
		close(fd);
		return NULL;
	}
	u->fd = fd;
	u->max = max;
	u->plain = EVP_MD_CTX_new();
	u->salted = EVP_MD_CTX_new();
	van_random(u->salt, sizeof u->salt);
	if (u->plain && u->salted && begin_hashes(u))
		return u;
	sftpd_upload_free(u);
	return NULL;
}

void sftpd_upload_free(struct sftpd_upload *u)
{
	if (!u)
		return;
	EVP_MD_CTX_free(u->plain);
	EVP_MD_CTX_free(u->salted);
	close(u->fd);
	free(u);
}

int sftpd_upload_fd(const struct sftpd_upload *u)
{
	return u->fd;
}

uint64_t sftpd_upload_size(const struct sftpd_upload *u)
{
	return u->size;
}

/* Joins [from, to) to what was written. false when there are too many separate stretches. */
static bool add_span(struct sftpd_upload *u, uint64_t from, uint64_t to)
{
	size_t i = u->nspans;
	while (i > 0 && u->spans[i - 1].to >= from) /* the last one in nearly every case */
		i--;
	size_t end = i;
	while (end < u->nspans && u->spans[end].from <= to) {
		from = u->spans[end].from < from ? u->spans[end].from : from;
		to = u->spans[end].to > to ? u->spans[end].to : to;
		end++;
	}
	if (end == i && u->nspans == SPANS_MAX)
		return false;
	memmove(&u->spans[i + 1], &u->spans[end], (u->nspans - end) * sizeof *u->spans);
	u->spans[i] = (struct span){from, to};
	u->nspans = u->nspans + 1 - (end - i);
	return true;
}

static enum sftpd_status fail(struct sftpd_upload *u, struct sftpd_why *why, const char *text)
{
	u->failed = sftpd_refuse(&u->why, SFTPD_FAILURE, "%s", text);
	return sftpd_refuse(why, u->failed, "%s", text);
}

static const char *disk_text(int rc)
{
	return rc == VAN_ENOSPC ? "The mailbox has no room left: try again later" : "The file could not be written: try again later";
}

enum sftpd_status sftpd_upload_write(struct sftpd_upload *u, uint64_t at, const void *p, size_t n, struct sftpd_why *why)
{
	if (u->failed)
		return sftpd_refuse(why, u->failed, "%s", u->why.text);
	if (u->max && (at > u->max || n > u->max - at))
		return fail(u, why, "The file is larger than this mailbox takes");
	int rc = fd_pwrite_all(u->fd, p, n, (off_t)at);
	if (rc < 0)
		return fail(u, why, disk_text(rc));
	if (!add_span(u, at, at + n))
		return fail(u, why, "The file was written in too many separate pieces: send it in order");
	if (at == u->hashed && u->in_order)
		add_to_hashes(u, p, n);
	else if (at < u->hashed)
		u->in_order = false;
	if (at + n > u->size)
		u->size = at + n;
	if (u->hashed - u->writeback >= WRITEBACK && u->hashed > u->writeback) {
		sync_file_range(u->fd, (off_t)u->writeback, (off_t)(u->hashed - u->writeback), SYNC_FILE_RANGE_WRITE);
		u->writeback = u->hashed;
	}
	return SFTPD_OK;
}

enum sftpd_status sftpd_upload_resize(struct sftpd_upload *u, uint64_t size, struct sftpd_why *why)
{
	if (u->failed)
		return sftpd_refuse(why, u->failed, "%s", u->why.text);
	if (size == u->size)
		return SFTPD_OK;
	if ((u->max && size > u->max) || size > INT64_MAX)
		return fail(u, why, "The file is larger than this mailbox takes");
	if (ftruncate(u->fd, (off_t)size) < 0)
		return fail(u, why, disk_text(van_err_from_errno(errno)));
	u->size = size;
	while (u->nspans && u->spans[u->nspans - 1].from >= size)
		u->nspans--;
	if (u->nspans && u->spans[u->nspans - 1].to > size)
		u->spans[u->nspans - 1].to = size;
	if (size < u->hashed)
		u->in_order = false;
	return SFTPD_OK;
}

/* For files that were not written in order. */
static enum sftpd_status hash_again(struct sftpd_upload *u, struct sftpd_why *why)
{
	char *buf = malloc(REREAD);
	int rc = buf && begin_hashes(u) ? 0 : VAN_ENOMEM;
	while (rc == 0 && u->hashed < u->size) {
		uint64_t left = u->size - u->hashed;
		size_t n = left < REREAD ? (size_t)left : REREAD;
		rc = fd_pread_all(u->fd, buf, n, (off_t)u->hashed);
		if (rc == 0)
			add_to_hashes(u, buf, n);
		if (rc == 0 && !u->in_order)
			rc = VAN_ECRYPTO;
	}
	free(buf);
	return rc < 0 ? fail(u, why, "The file could not be read back: send it again") : SFTPD_OK;
}

enum sftpd_status sftpd_upload_finish(struct sftpd_upload *u, struct sftpd_upload_hashes *ret, struct sftpd_why *why)
{
	if (u->failed)
		return sftpd_refuse(why, u->failed, "%s", u->why.text);
	if (u->size && !(u->nspans == 1 && u->spans[0].from == 0 && u->spans[0].to == u->size))
		return fail(u, why, "A part of the file was never sent (resuming is not supported): send the whole file again");
	if (u->size >= FLUSH_HERE && fdatasync(u->fd) < 0)
		return fail(u, why, disk_text(van_err_from_errno(errno)));
	if (!u->in_order || u->hashed != u->size) {
		enum sftpd_status status = hash_again(u, why);
		if (status != SFTPD_OK)
			return status;
	}
	if (EVP_DigestFinal_ex(u->plain, ret->sha256, NULL) != 1 || EVP_DigestFinal_ex(u->salted, ret->salted_sha256, NULL) != 1)
		return fail(u, why, "The file could not be hashed: send it again");
	memcpy(ret->salt, u->salt, sizeof ret->salt);
	u->in_order = false; /* the contexts are used up */
	return SFTPD_OK;
}
