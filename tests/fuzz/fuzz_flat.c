/* Fuzz target: any bytes as a flat sheet and, behind a form feed, a file for it: read or refused; what is read is written, and that can be
 * read again. Files with the shipped sheet's columns come without a form feed. */
#include "base/fdio.h"
#include "map/flat.h"
#include "map/rows.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice shipped(void)
{
	static struct van_buf text;
	char path[4096];
	const char *root = getenv("VAN_SRCDIR");
	if (!text.n) {
		snprintf(path, sizeof path, "%s/maps/csv-order.csv", root ? root : ".");
		if (file_read(path, &text) < 0)
			abort();
	}
	return van_buf_slice(&text);
}

struct pieces {
	struct van_buf text;
	bool any;
};

static int add_document(void *ctx, struct tree *document)
{
	struct pieces *p = ctx;
	van_buf_append_char(&p->text, p->any ? ',' : '[');
	p->any = true;
	return tree_write(document, false, &p->text);
}

/* Fed in pieces it gives the same documents; where the file is refused, those before the error. */
static void compare(const struct flat_sheet *s, struct slice file, size_t step, const struct tree *whole, bool sound)
{
	struct pieces p = {.text = VAN_BUF_INIT((size_t)8 << 20)};
	struct van_buf expected = VAN_BUF_INIT((size_t)8 << 20);
	struct van_error e = {0};
	struct flat_reader *r = flat_reader_new(s, (size_t)16 << 20, 50000, add_document, &p);
	int rc = 0;
	for (size_t at = 0; r && rc == 0 && at < file.n; at += step)
		rc = flat_reader_feed(r, slice_make(file.p + at, step < file.n - at ? step : file.n - at), false, &e);
	if (r && rc == 0)
		rc = flat_reader_feed(r, SLICE(""), true, &e);
	if (sound) {
		van_buf_append_char(&p.text, ']');
		tree_write(whole, false, &expected);
		if (!van_buf_error(&expected) && (rc < 0 || !slice_eq(van_buf_slice(&p.text), van_buf_slice(&expected))))
			abort();
	} else if (rc == 0 || !e.text[0]) {
		abort();
	}
	flat_reader_free(r);
	van_buf_free(&p.text);
	van_buf_free(&expected);
}

static void read_and_write(const struct flat_sheet *s, struct slice file)
{
	struct tree_room room = {.arena = van_arena_new((size_t)16 << 20), .left = 50000};
	struct van_buf out = VAN_BUF_INIT((size_t)8 << 20);
	struct van_error e = {0};
	struct tree *t = NULL, *again = NULL;
	int rc = room.arena ? flat_read(s, &room, file, 0, &t, &e) : VAN_ENOMEM;
	if (rc == 0 || rc == VAN_ESYNTAX)
		for (size_t step = 1; step < 2 * file.n + 2; step = 3 * step + 1)
			compare(s, file, step, t, rc == 0);
	if (rc == 0 && flat_write(s, &room, t, &out, NULL, NULL, &e) == 0)
		flat_read(s, &room, van_buf_slice(&out), 0, &again, &e);
	else if (room.arena && !e.text[0])
		abort();
	van_buf_free(&out);
	van_arena_free(room.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end = size ? memchr(data, '\f', size) : NULL;
	struct slice sheet = end ? slice_make(data, (size_t)(end - (const char *)data)) : shipped();
	struct slice file = end ? slice_make(end + 1, size - sheet.n - 1) : slice_make(data, size);
	struct map_set *set = NULL;
	struct van_error e = {0};
	if (map_set_new(NULL, &set, &e) < 0)
		return 0;
	int rc = map_set_add(set, SLICE("table-unit"), SLICE("from,to\nA,B\n"), &e);
	rc = rc < 0 ? rc : flat_parse(set, SLICE("s"), sheet, &e);
	rc = rc < 0 ? rc : map_set_link(set, &e);
	if (rc < 0 && !e.text[0])
		abort();
	if (rc == 0)
		read_and_write(flat_find(set, SLICE("s")), file);
	map_set_free(set);
	return 0;
}
