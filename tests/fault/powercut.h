/* The parts of the power-cut library: the key of a file, and the log of flushes, arrivals and answers. */
#ifndef OPENVAN_TESTS_POWERCUT_H
#define OPENVAN_TESTS_POWERCUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#define POWERCUT_KEY_MAX 300

/* The name of an inode that is never used again, as hexadecimal text: of `name` in the folder `fd`, or, with NULL, of
 * `fd` itself. 0 or -1. */
int powercut_key(int fd, const char *name, char ret[POWERCUT_KEY_MAX]);

/* One line in the log, when there is one. Lines of all processes are in the order in which they were logged. */
__attribute__((format(printf, 1, 2))) void powercut_log(const char *format, ...);

/* Called before bytes go out: logs them when they begin an HTTP answer on a followed socket. */
void powercut_sent(int fd, const void *p, size_t n);
void powercut_sent_iov(int fd, const struct iovec *iov, size_t count);
/* A descriptor is closed: its number may be anything next. */
void powercut_forget(int fd);

#endif
