#include "cms/inflate.h"

#include "base/error.h"

#include <stdlib.h>
#include <zlib.h>

#define FREE_BYTES ((uint64_t)1 << 20) /* inflated bytes that no ratio is asked of */

struct inflater {
	z_stream z;
	struct byte_sink to;
	uint64_t in, out;
	unsigned ratio_max;
	int ended;
};

struct inflater *inflater_new(struct byte_sink to, unsigned ratio_max)
{
	struct inflater *f = calloc(1, sizeof *f);
	if (f && inflateInit(&f->z) != Z_OK) {
		free(f);
		return NULL;
	}
	if (f) {
		f->to = to;
		f->ratio_max = ratio_max;
	}
	return f;
}

void inflater_free(struct inflater *f)
{
	if (!f)
		return;
	inflateEnd(&f->z);
	free(f);
}

/* One turn: a buffer of output. */
static int turn(struct inflater *f)
{
	unsigned char out[16384];
	f->z.next_out = out;
	f->z.avail_out = sizeof out;
	int z = inflate(&f->z, Z_NO_FLUSH);
	if (z == Z_MEM_ERROR)
		return VAN_ENOMEM;
	if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
		return VAN_ESYNTAX;
	f->ended = z == Z_STREAM_END;
	size_t n = sizeof out - f->z.avail_out;
	f->out += n;
	if (f->out > FREE_BYTES && f->out / f->ratio_max > f->in)
		return VAN_ELIMIT;
	return sink_write(&f->to, out, n);
}

int inflater_feed(struct inflater *f, const void *p, size_t n)
{
	f->z.next_in = (unsigned char *)(uintptr_t)p;
	f->z.avail_in = (unsigned)n;
	f->in += n;
	while (!f->ended) {
		int rc = turn(f);
		if (rc)
			return rc;
		if (f->z.avail_in == 0 && f->z.avail_out != 0)
			break;
	}
	return 0; /* what follows the stream's end says nothing */
}

int inflater_finish(const struct inflater *f)
{
	return f->ended ? 0 : VAN_ESYNTAX;
}
