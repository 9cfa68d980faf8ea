/* A file on its way in: an unnamed file of the store's, written at any offsets, hashed as it comes when it comes in order. */
#ifndef OPENVAN_ROLES_SFTP_UPLOAD_H
#define OPENVAN_ROLES_SFTP_UPLOAD_H

#include "sftp/sftpd.h"

#define SFTPD_SALT 16

struct sftpd_upload;

/* Owns `fd`. `max`: largest size in bytes, 0 for no limit. NULL when out of memory. */
struct sftpd_upload *sftpd_upload_new(int fd, uint64_t max);
/* Closes the file, which vanishes unless the store has linked it. u may be NULL. */
void sftpd_upload_free(struct sftpd_upload *u);

int sftpd_upload_fd(const struct sftpd_upload *u);
uint64_t sftpd_upload_size(const struct sftpd_upload *u);

enum sftpd_status sftpd_upload_write(struct sftpd_upload *u, uint64_t at, const void *p, size_t n, struct sftpd_why *why);
/* The client sets the length before or after it writes. */
enum sftpd_status sftpd_upload_resize(struct sftpd_upload *u, uint64_t size, struct sftpd_why *why);

struct sftpd_upload_hashes {
	unsigned char sha256[32], salt[SFTPD_SALT], salted_sha256[32]; /* the second of salt‖bytes */
};
/* Whole, and on the disk: refused when a write failed or a stretch is missing. */
enum sftpd_status sftpd_upload_finish(struct sftpd_upload *u, struct sftpd_upload_hashes *ret, struct sftpd_why *why);

#endif
