/* The MIME readers against any bytes: no crash, bounded, and the same events in any split. The first byte says how the rest
 * is cut up, the second what it is taken for. */
#include "base/buf.h"
#include "mime/entity.h"
#include "mime/header.h"
#include "mime/multipart.h"
#include "mime/transfer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int log_begin(void *arg, unsigned part)
{
	return van_buf_printf(arg, "<%u:", part);
}

static int log_part(void *arg, unsigned part, const void *p, size_t n)
{
	(void)part;
	return van_buf_append(arg, p, n);
}

static int log_end(void *arg, unsigned part)
{
	return van_buf_printf(arg, ":%u>", part);
}

static int log_bytes(void *arg, const void *p, size_t n)
{
	return van_buf_append(arg, p, n);
}

static int log_headers(void *arg, const struct mime_headers *h, struct slice block)
{
	for (size_t i = 0; i < h->n; i++)
		van_buf_printf(arg, "%.*s=%.*s;", SLICE_ARG(h->v[i].name), SLICE_ARG(h->v[i].value));
	return van_buf_printf(arg, "%zu|", block.n);
}

/* One of the streaming readers over the input in steps; the log holds what came out. */
static int run(unsigned kind, struct slice in, size_t step, struct van_buf *log)
{
	struct mime_multipart m;
	struct mime_decoder d;
	struct mime_multipart_events parts = {log, log_begin, log_part, log_end};
	struct mime_entity_events entity = {log, log_headers, log_bytes};
	struct mime_entity *e = mime_entity_new(&entity, 0);
	int rc = mime_multipart_init(&m, kind == 3 ? SLICE("b") : SLICE_NONE, 0, &parts);
	mime_decoder_init(&d, kind == 0 ? MIME_BASE64 : MIME_QUOTED_PRINTABLE, (struct byte_sink){log_bytes, log});
	for (size_t at = 0; e && !rc && at < in.n; at += step) {
		size_t n = in.n - at < step ? in.n - at : step;
		rc = kind <= 1 ? mime_decoder_feed(&d, in.p + at, n) : kind <= 3 ? mime_multipart_feed(&m, in.p + at, n)
									      : mime_entity_feed(e, in.p + at, n);
	}
	if (!rc)
		rc = kind <= 1 ? mime_decoder_finish(&d) : kind <= 3 ? mime_multipart_finish(&m) : mime_entity_finish(e);
	mime_entity_free(e);
	return rc;
}

static void values(struct slice in)
{
	struct van_arena *arena = van_arena_new((size_t)1 << 22);
	struct mime_headers h;
	struct mime_value v;
	char name[64];
	size_t end = mime_headers_end(in);
	check(end <= in.n);
	if (mime_headers_parse(in, arena, &h, NULL) == 0)
		for (size_t i = 0; i < h.n; i++)
			mime_value_parse(h.v[i].value, arena, &v);
	if (mime_value_parse(in, arena, &v) == 0)
		mime_safe_file_name(name, sizeof name, mime_value_param(&v, "filename"));
	mime_safe_file_name(name, sizeof name, in);
	check(!strchr(name, '/') && !strchr(name, '\\') && name[0] != '.');
	mime_encoding_parse(in);
	van_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 1 << 16)
		return 0;
	struct slice in = slice_make(data + 2, size - 2);
	struct van_buf whole = VAN_BUF_INIT(0), cut = VAN_BUF_INIT(0);
	unsigned kind = data[1] % 5;
	int a = run(kind, in, in.n ? in.n : 1, &whole), b = run(kind, in, 1 + data[0], &cut);
	check(a == b);
	check(a || slice_eq(van_buf_slice(&whole), van_buf_slice(&cut)));
	van_buf_free(&whole);
	van_buf_free(&cut);
	values(in);
	return 0;
}
