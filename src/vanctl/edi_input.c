#include "vanctl/edi_input.h"

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

void edi_input_close(struct edi_input *in)
{
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	in->fd = -1;
}
