/* A spool: bytes that stay in memory while they are few and go to an unnamed file of a folder when they grow. What is in
 * memory travels inside messages; a file travels as a descriptor, and the store links it without a copy. */
#ifndef OPENVAN_ROLES_SPOOL_H
#define OPENVAN_ROLES_SPOOL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct spool {
	struct van_buf memory; /* at most IPC_INLINE_MAX */
	int fd;                /* -1: all in memory */
	int folder;            /* where unnamed files are made; not owned */
	uint64_t bytes;
	uint64_t written_out;  /* of them, writing to the disk has begun */
};

/* `expected`: bytes to come, or 0 when unknown; large ones go to a file at once. 0 or a negative enum van_err. */
int spool_open(struct spool *s, int folder, uint64_t expected);
/* What is in memory goes to a file now. */
int spool_use_file(struct spool *s);
/* Goes on with a file that holds `bytes` bytes; it is the spool's from here on. */
void spool_adopt(struct spool *s, int fd, uint64_t bytes);
int spool_write(struct spool *s, const void *p, size_t n);
/* A large file goes to the disk now, while only its writer waits: what the store flushes, everybody waits for. */
int spool_flush(const struct spool *s);
/* The same for a descriptor that holds so many bytes. */
int spool_flush_fd(int fd, uint64_t bytes);
/* Exactly `n` bytes from `at`. */
int spool_read(const struct spool *s, uint64_t at, void *p, size_t n);
void spool_close(struct spool *s);
/* Bytes free on the folder's file system (for unprivileged users); 0 when unknown. */
uint64_t spool_free_bytes(int folder);

#endif
