/* A file on its way in: an unnamed file of the store's, written at any offsets; whole, or refused. */
#ifndef OPENVAN_ROLES_SFTP_UPLOAD_H
#define OPENVAN_ROLES_SFTP_UPLOAD_H

#include "roles/sftp/writer.h"
#include "sftp/sftpd.h"

struct sftpd_upload;

/* `file` gives the file, which becomes the upload's, when it is needed: a small one is gathered in memory. `max`: largest size in bytes,
 * 0 for no limit. `idle` (may be NULL) keeps the writer of a small file for the next one: the same for all uploads of a `file` and `arg`,
 * it must outlive them, and what it holds in the end is the caller's to free. NULL when out of memory. */
struct sftpd_upload *sftpd_upload_new(sftpd_file_fn *file, void *arg, uint64_t max, struct sftpd_writer **idle);
/* A new upload goes on with the file of one that broke off, as sftpd_upload_keep() left it. `fd` becomes the upload's. False: it can't, and `fd`
 * stays the caller's. What was there is never changed: a client that writes over it makes the upload copy it into a file of its own. */
bool sftpd_upload_resume(struct sftpd_upload *u, int fd, struct slice hashing);
/* Nothing of it was taken: what it wrote behind the end of an earlier upload's file goes, for no record counts it. Not after the store may have
 * taken the file. */
void sftpd_upload_give_back(struct sftpd_upload *u);
/* Closes the file, which vanishes unless the store has linked it. u may be NULL. */
void sftpd_upload_free(struct sftpd_upload *u);

/* To be read or written after _finish or _keep; -1 where there is but sftpd_upload_bytes(), or nothing was written out so far. */
int sftpd_upload_fd(const struct sftpd_upload *u);
struct slice sftpd_upload_bytes(const struct sftpd_upload *u); /* after _finish, of a small file; good until _free */
uint64_t sftpd_upload_size(const struct sftpd_upload *u);

enum sftpd_status sftpd_upload_write(struct sftpd_upload *u, uint64_t at, const void *p, size_t n, struct sftpd_why *why);
enum sftpd_status sftpd_upload_read(struct sftpd_upload *u, uint64_t at, void *to, size_t n, size_t *ret_n, struct sftpd_why *why);
/* The client sets the length before or after it writes. */
enum sftpd_status sftpd_upload_resize(struct sftpd_upload *u, uint64_t size, struct sftpd_why *why);
enum sftpd_status sftpd_upload_sync(struct sftpd_upload *u, struct sftpd_why *why);

/* It can't be taken, for a reason that lies outside of it: this write fails, and so does all that follows. */
enum sftpd_status sftpd_upload_fail(struct sftpd_upload *u, enum sftpd_status status, const char *text, struct sftpd_why *why);

/* The connection broke: what is there from the start on, without a gap, is on the disk afterwards and is all there is. Its
 * length, or negative; 0: nothing worth keeping. */
int64_t sftpd_upload_keep(struct sftpd_upload *u);
/* ... and what sftpd_upload_resume() wants. False: it was not sent in order, and must be read again. */
bool sftpd_upload_kept(struct sftpd_upload *u, unsigned char to[SFTPD_HASHING_KEPT]);

/* The client is done. Refused when a write failed or a stretch is missing. Larger files are on the disk afterwards; small ones
 * are flushed by the store, many at once. */
enum sftpd_status sftpd_upload_finish(struct sftpd_upload *u, struct sftpd_hashes *ret, struct sftpd_why *why);

#endif
