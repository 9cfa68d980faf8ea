/* vanctl edi convert of UBL XML: it becomes canonical JSON. */
#include "vanctl/edi_command.h"

#include "map/tree.h"
#include "map/ubl.h"

#include <errno.h>
#include <unistd.h>

#define MEMORY ((size_t)128 << 20)
#define VALUES 1000000

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
