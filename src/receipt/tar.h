/* As much of tar as bundles need: POSIX ustar, with a pax record for sizes that ustar can't say; regular files only. */
#ifndef OPENVAN_RECEIPT_TAR_H
#define OPENVAN_RECEIPT_TAR_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdint.h>

#define TAR_BLOCK 512
#define TAR_NAME_MAX 255

/* Called with every finished file's name and SHA-256. */
struct tar_writer {
	int fd;
	van_time now;
	int error; /* latched */
	uint64_t bytes; /* written so far */
	uint64_t left;  /* of the present file */
	uint64_t pad;
	struct van_buf out;
	void *digest; /* EVP_MD_CTX */
	char name[TAR_NAME_MAX + 1];
	void (*done)(void *arg, const char *name, const unsigned char sha256[32]);
	void *arg;
};

int tar_writer_start(struct tar_writer *w, int fd, van_time now);
/* One file: begin with its size, data in pieces, end. Each returns the latched error. */
int tar_begin(struct tar_writer *w, const char *name, uint64_t size, unsigned mode);
int tar_data(struct tar_writer *w, const void *p, size_t n);
int tar_end_file(struct tar_writer *w);
int tar_file(struct tar_writer *w, const char *name, struct slice bytes, unsigned mode);
/* `length` bytes at `offset` of a descriptor; VAN_EIO when there are fewer. */
int tar_file_fd(struct tar_writer *w, const char *name, int fd, uint64_t offset, uint64_t length);
int tar_finish(struct tar_writer *w); /* writes the end of the archive */
void tar_writer_free(struct tar_writer *w);

/* Reads the headers of a seekable file, from its beginning to its end. `file` is called for each regular file; a non-zero return
 * ends the scan and is returned. VAN_ESYNTAX with a text for anything that tar_writer does not write: other types, wrong
 * checksums, files that reach beyond the end, a missing or a false end. Allocates nothing. */
int tar_scan(int fd, int (*file)(void *arg, const char *name, uint64_t offset, uint64_t size), void *arg, struct van_error *err);

#endif
