/* Writes a file from its beginning to its end and hashes it on the way, both beside the session: blocks are handed to a
 * thread, which writes them past the page cache. A file of less than a block is gathered and written when it ends. */
#ifndef OPENVAN_ROLES_SFTP_WRITER_H
#define OPENVAN_ROLES_SFTP_WRITER_H

#include "base/error.h"
#include "base/slice.h"
#include "roles/sftp/hashing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sftpd_writer;

/* Gives the file to write to, when it is needed; or negative. */
typedef int sftpd_file_fn(void *arg);
/* The descriptor that `file` gives becomes the writer's; the caller must leave it alone until _drain. NULL when out of memory. */
struct sftpd_writer *sftpd_writer_new(sftpd_file_fn *file, void *arg);
int sftpd_writer_fd(const struct sftpd_writer *w); /* -1: none was needed yet; always one after _drain */
/* Waits for what is being written; w may be NULL. */
void sftpd_writer_free(struct sftpd_writer *w);
/* Makes one that held a small file good for another. False: it has a file or failed, and can only be freed. */
bool sftpd_writer_renew(struct sftpd_writer *w);

/* A new writer goes on with a file, which becomes its own, where sftpd_writer_kept() was told of it. False: it can't, and the descriptor stays the
 * caller's. */
bool sftpd_writer_resume(struct sftpd_writer *w, int fd, struct slice hashing);
/* After _drain: how far the file is hashed, and what sftpd_writer_resume() wants. */
uint64_t sftpd_writer_kept(struct sftpd_writer *w, unsigned char to[SFTPD_HASHING_KEPT]);

/* Appends. 0, or a negative enum van_err: of this call or of an earlier block. */
int sftpd_writer_append(struct sftpd_writer *w, const void *p, size_t n);
/* Puts everything into the file; from now on the caller may read and write it, and append goes straight through. */
int sftpd_writer_drain(struct sftpd_writer *w);
/* Drains, and gives the hashes. Once. */
int sftpd_writer_finish(struct sftpd_writer *w, struct sftpd_hashes *ret);
/* The same for a file that is still in memory, `max` bytes at most, and stays there: *ret_bytes, until _free. False: it is not, and
 * nothing was done. */
bool sftpd_writer_finish_small(struct sftpd_writer *w, size_t max, struct sftpd_hashes *ret, struct slice *ret_bytes);
/* Forgets what was hashed and hashes the first `size` bytes of the file instead; after _drain, before _finish. */
int sftpd_writer_rehash(struct sftpd_writer *w, uint64_t size);

#endif
