/* A growing buffer with a hard maximum. An append that fails (no memory, or past the maximum) latches: later appends
 * do nothing, and van_buf_error() tells. So a sequence of appends is checked once, at its end. */
#ifndef OPENVAN_BASE_BUF_H
#define OPENVAN_BASE_BUF_H

#include "base/slice.h"

#include <stdarg.h>
#include <stdint.h>

struct van_buf {
	char *p;
	size_t n;    /* bytes used */
	size_t room; /* bytes allocated */
	size_t max;  /* never more than this; 0 means VAN_BUF_DEFAULT_MAX */
	int error;   /* 0, VAN_ENOMEM or VAN_ELIMIT */
};

#define VAN_BUF_DEFAULT_MAX ((size_t)64 << 20)
#define VAN_BUF_INIT(maximum) ((struct van_buf){.max = (maximum)})

void van_buf_free(struct van_buf *b); /* frees and zeroes; b may be NULL */
void van_buf_reset(struct van_buf *b); /* keeps the memory, forgets content and error */

/* Each returns 0 or the latched error. */
int van_buf_append_growing(struct van_buf *b, const void *p, size_t n);
static inline int van_buf_append(struct van_buf *b, const void *p, size_t n)
{
	if (b->error || !n || n > b->room - b->n)
		return van_buf_append_growing(b, p, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}
int van_buf_append_str(struct van_buf *b, const char *z);
static inline int van_buf_append_slice(struct van_buf *b, struct slice s)
{
	return van_buf_append(b, s.p, s.n);
}
static inline int van_buf_append_char(struct van_buf *b, char c)
{
	return van_buf_append(b, &c, 1);
}
int van_buf_printf(struct van_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int van_buf_vprintf(struct van_buf *b, const char *fmt, va_list ap);

/* Room for `n` more bytes at b->p + b->n, or NULL with the error latched; the caller then adds to b->n. */
char *van_buf_reserve(struct van_buf *b, size_t n);

/* Drops the first `n` bytes. */
void van_buf_consume(struct van_buf *b, size_t n);

static inline struct slice van_buf_slice(const struct van_buf *b)
{
	return slice_make(b->p ? b->p : "", b->n);
}

static inline int van_buf_error(const struct van_buf *b)
{
	return b->error;
}

#endif
