/* vanctl edi convert to and from UBL XML: canonical documents stand between. */
#include "vanctl/edi_command.h"

#include "map/tree_read.h"
#include "map/ubl.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define MEMORY ((size_t)128 << 20)
#define VALUES 1000000

struct remarks {
	const char *file;
	unsigned left_out, missing;
};

static void print_remark(void *ctx, enum ubl_remark what, struct slice path)
{
	struct remarks *r = ctx;
	r->left_out += what == UBL_LEFT_OUT;
	r->missing += what == UBL_MISSING;
	fprintf(stderr, "vanctl edi: %s: %s: %.*s\n", r->file, what == UBL_LEFT_OUT ? "left out, UBL 2.1 has no place for it" : "UBL 2.1 wants it",
		SLICE_ARG(path));
}

/* Out of several documents the one that --document names. NULL after an error was printed. */
static const struct tree *choose(const struct edi_command *c, const struct tree *t)
{
	uint32_t count = 0;
	if (t->kind != TREE_ARRAY)
		return t;
	for (const struct tree *d = t->first; d; d = d->next)
		if (++count == c->document)
			return d;
	if (count == 1)
		return t->first;
	edi_fail(EDI_NO, "%s: it has %u documents, and a UBL file holds one; name it with --document 1 to %u", c->file, count, count);
	return NULL;
}

int edi_ubl_write(const struct edi_command *c, struct slice json, struct van_buf *to)
{
	struct tree_room room = {.arena = van_arena_new(MEMORY), .left = VALUES};
	struct remarks remarks = {.file = c->file};
	struct van_error e = {0};
	struct tree *t = NULL;
	int status = EDI_DONE;
	if (!room.arena || tree_read(&room, json, &t, &e) < 0)
		status = edi_fail(EDI_NO, "%s: %s", c->file, room.arena ? e.text : "no memory");
	const struct tree *document = status == EDI_DONE ? choose(c, t) : NULL;
	if (!document)
		status = EDI_NO;
	else if (ubl_write(document, &room, to, print_remark, &remarks, &e) < 0)
		status = edi_fail(EDI_NO, "%s: %s", c->file, e.text);
	van_arena_free(room.arena);
	return status;
}

static int feed_rest(const struct edi_command *c, struct ubl_reader *r, int fd, struct slice head)
{
	char chunk[65536];
	struct van_error e = {0};
	ssize_t n = 1;
	int rc = ubl_reader_feed(r, head, false, &e);
	while (rc == 0 && n > 0) {
		do
			n = read(fd, chunk, sizeof chunk);
		while (n < 0 && errno == EINTR);
		if (n >= 0)
			rc = ubl_reader_feed(r, slice_make(chunk, (size_t)n), n == 0, &e);
	}
	if (n < 0)
		return edi_fail(EDI_USAGE, "%s: %s", c->file, strerror(errno));
	return rc < 0 ? edi_fail(EDI_NO, "%s: %s", c->file, e.text) : EDI_DONE;
}

int edi_ubl_read(const struct edi_command *c, int fd, struct slice head, struct van_buf *json)
{
	struct tree_room room = {.arena = van_arena_new(MEMORY), .left = VALUES};
	struct ubl_reader *r = room.arena ? ubl_reader_new(&room, NULL) : NULL;
	int status = r ? feed_rest(c, r, fd, head) : edi_fail(EDI_USAGE, "no memory");
	if (status == EDI_DONE && tree_write(ubl_reader_document(r), !c->json, json) < 0)
		status = edi_fail(EDI_USAGE, "no memory");
	if (status == EDI_DONE && c->json)
		van_buf_append_char(json, '\n');
	ubl_reader_free(r);
	van_arena_free(room.arena);
	if (fd != STDIN_FILENO)
		close(fd);
	return status;
}
