/* A request's body on its way in: a memory file while it is small, an unnamed file of the spool folder when it grows. */
#ifndef OPENVAN_ROLES_HTTP_SPOOL_H
#define OPENVAN_ROLES_HTTP_SPOOL_H

#include "ipc/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool {
	int fd;      /* -1: nothing yet */
	int folder;  /* where unnamed files are made; not owned */
	bool on_disk;
	uint64_t bytes;
};

/* `expected`: Content-Length, or 0 when unknown. 0 or a negative enum van_err. */
int spool_open(struct spool *s, int folder, uint64_t expected);
int spool_write(struct spool *s, const void *p, size_t n);
void spool_close(struct spool *s);
/* Bytes free on the folder's file system (for unprivileged users); 0 when unknown. */
uint64_t spool_free_bytes(int folder);

#endif
