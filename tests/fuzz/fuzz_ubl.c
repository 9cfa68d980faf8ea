/* Fuzz target: any bytes as UBL XML are read or refused, alike in any chunking; what is read is written, and read and written again
 * it is the same. Any bytes as an expression are compiled or refused, and run over what was read. */
#include "map/expression.h"
#include "map/tree_read.h"
#include "map/ubl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tree *read_document(struct tree_room *room, struct slice in, size_t chunk)
{
	struct ubl_reader *r = ubl_reader_new(room, NULL);
	struct van_error e = {0};
	int rc = r ? 0 : VAN_ENOMEM;
	for (size_t at = 0; rc == 0 && at < in.n; at += chunk)
		rc = ubl_reader_feed(r, slice_make(in.p + at, in.n - at < chunk ? in.n - at : chunk), false, &e);
	if (rc == 0)
		rc = ubl_reader_feed(r, SLICE(""), true, &e);
	struct tree *t = rc == 0 ? ubl_reader_document(r) : NULL;
	if (rc < 0 && !e.text[0])
		abort();
	ubl_reader_free(r);
	return t;
}

static void json_of(const struct tree *t, struct van_buf *to)
{
	van_buf_reset(to);
	if (t)
		tree_write(t, false, to);
}

static void there_and_back(struct tree_room *room, const struct tree *document)
{
	struct van_buf first = {0}, second = {0};
	struct van_error e = {0};
	if (ubl_write(document, room, &first, NULL, NULL, &e) == 0) {
		const struct tree *again = read_document(room, van_buf_slice(&first), first.n);
		/* nothing but the bounds may come between */
		if (!again && !room->error)
			abort();
		if (again && ubl_write(again, room, &second, NULL, NULL, &e) == 0 && !slice_eq(van_buf_slice(&first), van_buf_slice(&second)))
			abort();
	}
	van_buf_free(&first);
	van_buf_free(&second);
}

static void run_expression(struct tree_room *room, struct slice text, const struct tree *document)
{
	struct expression_context context = {.room = room, .max_steps = 20000};
	const struct expression *x = NULL;
	const struct tree *t = NULL;
	struct van_error e = {0};
	int rc = expression_compile(room->arena, text, &x, &e);
	rc = rc < 0 ? rc : expression_run(x, document, &context, &t, &e);
	if (rc < 0 && !e.text[0])
		abort();
	if (rc == 0 && t)
		expression_text(room, t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree_room room = {.arena = van_arena_new((size_t)16 << 20), .left = 100000};
	struct slice in = slice_make(data, size);
	struct van_buf a = {0}, b = {0};
	if (!room.arena)
		return 0;
	struct tree *document = read_document(&room, in, size ? size : 1);
	if (size < 20000) {
		json_of(document, &a);
		json_of(read_document(&room, in, 1), &b);
		if (!room.error && !slice_eq(van_buf_slice(&a), van_buf_slice(&b)))
			abort();
	}
	if (document)
		there_and_back(&room, document);
	van_buf_free(&a);
	van_buf_free(&b);
	van_arena_free(room.arena);
	room = (struct tree_room){.arena = van_arena_new((size_t)16 << 20), .left = 100000};
	struct tree *json = NULL;
	struct van_error e = {0};
	const char *end = size ? memchr(data, '\n', size) : NULL; /* an expression in the first line, a document behind it */
	struct slice line = slice_make(data, end ? (size_t)(end - (const char *)data) : size);
	if (room.arena && end)
		tree_read(&room, slice_make(end + 1, size - line.n - 1), &json, &e);
	if (room.arena && size < EXPRESSION_TEXT_MAX)
		run_expression(&room, line, json);
	van_arena_free(room.arena);
	return 0;
}
