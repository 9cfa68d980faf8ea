/* Whole reads and writes on descriptors. All return 0 or a negative enum van_err; none changes errno on success. */
#ifndef OPENVAN_BASE_FDIO_H
#define OPENVAN_BASE_FDIO_H

#include "base/buf.h"

#include <stdint.h>
#include <sys/types.h>

int fd_write_all(int fd, const void *p, size_t n);
int fd_pwrite_all(int fd, const void *p, size_t n, off_t at);
/* Exactly `n` bytes from `at`, else VAN_EIO. */
int fd_read_all(int fd, void *p, size_t n);
int fd_pread_all(int fd, void *p, size_t n, off_t at);
/* Appends everything from the descriptor's beginning to `to` (bounded by to->max); the file offset is left alone. */
int fd_read_file(int fd, struct van_buf *to);
/* Opens and reads a file by path. */
int file_read(const char *path, struct van_buf *to);
int fd_size(int fd, uint64_t *ret);
/* An unnamed memory file, close-on-exec; negative enum van_err on failure. */
/* Moves the descriptors to 3, 4, … (`fds` becomes that) and closes all others but the standard ones. For a process just forked. */
int fd_keep_only(int *fds, unsigned n);
int memfd_new(const char *name);
/* A memory file that holds these bytes. */
int memfd_with(const char *name, const void *p, size_t n);
int fd_set_nonblock(int fd);
int fd_set_cloexec(int fd, int on);

#endif
