#include "base/buf.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

void van_buf_free(struct van_buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = (struct van_buf){.max = b->max};
}

void van_buf_reset(struct van_buf *b)
{
	b->n = 0;
	b->error = 0;
}

char *van_buf_reserve(struct van_buf *b, size_t n)
{
	size_t max = b->max ? b->max : VAN_BUF_DEFAULT_MAX;
	if (b->error)
		return NULL;
	if (n > max || b->n > max - n) {
		b->error = VAN_ELIMIT;
		return NULL;
	}
	size_t need = b->n + n;
	if (need > b->room || !b->p) {
		size_t room = b->room ? b->room : 256;
		while (room < need)
			room *= 2;
		if (room > max)
			room = max;
		if (room < need)
			room = need;
		char *p = realloc(b->p, room ? room : 1);
		if (!p) {
			b->error = VAN_ENOMEM;
			return NULL;
		}
		b->p = p;
		b->room = room;
	}
	return b->p + b->n;
}

int van_buf_append_growing(struct van_buf *b, const void *p, size_t n)
{
	char *to = van_buf_reserve(b, n);
	if (!to)
		return b->error;
	if (n)
		memcpy(to, p, n);
	b->n += n;
	return 0;
}

int van_buf_append_str(struct van_buf *b, const char *z)
{
	return van_buf_append(b, z, strlen(z));
}

int van_buf_vprintf(struct van_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	size_t room = b->error || !b->p ? 0 : b->room - b->n; /* mostly enough: then it is printed once */
	int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, ap);
	if (n < 0 && !b->error) {
		b->error = VAN_EINVAL;
	} else if (n >= 0 && (size_t)n < room) {
		b->n += (size_t)n;
	} else if (n >= 0) {
		char *to = van_buf_reserve(b, (size_t)n + 1);
		if (to) {
			vsnprintf(to, (size_t)n + 1, fmt, again);
			b->n += (size_t)n;
		}
	}
	va_end(again);
	return b->error;
}

int van_buf_printf(struct van_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int rc = van_buf_vprintf(b, fmt, ap);
	va_end(ap);
	return rc;
}

void van_buf_consume(struct van_buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}
