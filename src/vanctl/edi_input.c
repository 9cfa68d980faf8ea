#include "vanctl/edi_input.h"

#include "map/tree_read.h"

#include <errno.h>
#include <unistd.h>

#define LARGEST ((size_t)1 << 30)

static int no_room(const struct edi_input *in, const struct van_buf *to, const char *what)
{
	return edi_fail(EDI_USAGE, "%s: %s", in->name, to->error == VAN_ENOMEM ? "no memory" : what);
}

int edi_input_next(struct edi_input *in, struct van_buf *to, const char *what, size_t *ret)
{
	char *room = van_buf_reserve(to, EDI_INPUT_CHUNK);
	ssize_t n = 0;
	int status = in->make && !in->head.n ? in->make(in->ctx, &in->head) : EDI_DONE;
	if (status != EDI_DONE)
		return status;
	if (!room)
		return no_room(in, to, what);
	if (in->head.n) {
		n = (ssize_t)(in->head.n < EDI_INPUT_CHUNK ? in->head.n : EDI_INPUT_CHUNK);
		memcpy(room, in->head.p, (size_t)n);
		in->head = slice_make(in->head.p + n, in->head.n - (size_t)n);
	} else if (in->fd >= 0) {
		do
			n = read(in->fd, room, EDI_INPUT_CHUNK);
		while (n < 0 && errno == EINTR);
	}
	if (n < 0)
		return edi_fail(EDI_USAGE, "%s: %s", in->name, strerror(errno));
	to->n += (size_t)n;
	*ret = (size_t)n;
	return EDI_DONE;
}

int edi_input_all(struct edi_input *in, struct van_buf *to)
{
	size_t n = 1;
	int status = EDI_DONE;
	to->max = LARGEST;
	while (n && status == EDI_DONE)
		status = edi_input_next(in, to, "larger than 1 GiB; this command holds it in memory", &n);
	return status;
}

struct documents {
	struct tree_room room;
	edi_document_fn fn;
	void *ctx;
	int status;
};

static int take_document(void *ctx, struct tree *document)
{
	struct documents *d = ctx;
	d->status = d->fn(d->ctx, document);
	van_arena_reset(d->room.arena);
	d->room = (struct tree_room){.arena = d->room.arena, .left = EDI_DOCUMENT_VALUES};
	return d->status == EDI_DONE ? 0 : VAN_ECLOSED;
}

int edi_input_documents(struct edi_input *in, edi_document_fn fn, void *ctx)
{
	struct documents d = {.room = {.arena = van_arena_new(EDI_DOCUMENT_MEMORY), .left = EDI_DOCUMENT_VALUES}, .fn = fn, .ctx = ctx};
	struct tree_reader *r = d.room.arena ? tree_reader_new(&d.room, take_document, &d) : NULL;
	struct van_buf chunk = VAN_BUF_INIT(0);
	struct van_error e = {0};
	int rc = 0, status = r ? EDI_DONE : edi_fail(EDI_USAGE, "no memory");
	for (size_t n = 1; n && rc == 0 && status == EDI_DONE;) {
		van_buf_reset(&chunk);
		status = edi_input_next(in, &chunk, "no memory", &n);
		rc = status == EDI_DONE ? tree_reader_feed(r, van_buf_slice(&chunk), !n, &e) : 0;
	}
	if (rc < 0)
		status = d.status != EDI_DONE ? d.status : edi_fail(EDI_NO, "%s: %s", in->name, e.text);
	tree_reader_free(r);
	van_buf_free(&chunk);
	van_arena_free(d.room.arena);
	return status;
}

void edi_input_close(struct edi_input *in)
{
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	in->fd = -1;
}
