/* A sink: where a streaming reader puts bytes. `write` returns 0 or a negative enum van_err, which stops the stream and
 * is handed back to whoever feeds it. */
#ifndef OPENVAN_MIME_SINK_H
#define OPENVAN_MIME_SINK_H

#include <stddef.h>

struct byte_sink {
	int (*write)(void *arg, const void *p, size_t n);
	void *arg;
};

static inline int sink_write(const struct byte_sink *s, const void *p, size_t n)
{
	return n && s->write ? s->write(s->arg, p, n) : 0;
}

#endif
