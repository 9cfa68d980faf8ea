/* Nearly all segments: bytes that stand for themselves, put straight into the output. Internal to src/map. */
#ifndef OPENVAN_MAP_EMIT_PLAIN_H
#define OPENVAN_MAP_EMIT_PLAIN_H

#include "map/out.h"

enum { EMIT_ELEMENT, EMIT_COMPONENT, EMIT_MARKS = 6 };

struct emit_plain {
	struct edi_writer *w;
	unsigned char special[256];  /* bytes that do not stand for themselves: delimiters, and those above ASCII where they are not `high` */
	char marks[EMIT_MARKS][16];  /* the delimiters, each as often as a vector holds; the last: bits that no byte may have */
	bool bare;                   /* a terminator alone ends a segment */
};

/* `high`: bytes above ASCII go out as they are. */
void map_emit_plain_begin(struct emit_plain *x, struct edi_writer *w, bool high);
/* False: it is not one of these, and nothing is written. */
bool map_emit_plain(struct emit_plain *x, const struct out_segment *s);

#endif
