#include "mime/entity.h"

#include "base/buf.h"

#include <stdlib.h>

struct mime_entity {
	struct mime_entity_events ev;
	struct van_buf block;
	struct van_arena *arena;
	size_t line; /* where the current line began in `block` */
	bool in_body;
};

struct mime_entity *mime_entity_new(const struct mime_entity_events *ev, size_t header_max)
{
	struct mime_entity *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->ev = *ev;
	e->block = VAN_BUF_INIT(header_max ? header_max : MIME_HEADER_BYTES_MAX);
	e->arena = van_arena_new((size_t)1 << 20);
	if (!e->arena) {
		free(e);
		return NULL;
	}
	return e;
}

void mime_entity_free(struct mime_entity *e)
{
	if (!e)
		return;
	van_arena_free(e->arena);
	van_buf_free(&e->block);
	free(e);
}

static int end_of_headers(struct mime_entity *e)
{
	struct mime_headers h;
	e->in_body = true;
	int rc = mime_headers_parse(van_buf_slice(&e->block), e->arena, &h, NULL);
	return rc ? rc : e->ev.headers(e->ev.arg, &h, van_buf_slice(&e->block));
}

/* Takes one line or what there is of it; *used says how much. */
static int header_bytes(struct mime_entity *e, const char *p, size_t n, size_t *used)
{
	const char *lf = memchr(p, '\n', n);
	*used = lf ? (size_t)(lf - p) + 1 : n;
	int rc = van_buf_append(&e->block, p, *used);
	if (rc || !lf)
		return rc;
	size_t length = e->block.n - e->line;
	bool empty = length == 1 || (length == 2 && e->block.p[e->line] == '\r');
	e->line = e->block.n;
	return empty ? end_of_headers(e) : 0;
}

int mime_entity_feed(struct mime_entity *e, const void *data, size_t n)
{
	const char *p = data;
	while (n && !e->in_body) {
		size_t used;
		int rc = header_bytes(e, p, n, &used);
		if (rc)
			return rc;
		p += used;
		n -= used;
	}
	return n ? e->ev.body(e->ev.arg, p, n) : 0;
}

int mime_entity_finish(struct mime_entity *e)
{
	return e->in_body ? 0 : end_of_headers(e);
}
