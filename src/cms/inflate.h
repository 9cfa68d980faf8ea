/* ZLIB content of CompressedData (RFC 3274), inflated with a bound. Private to src/cms. */
#ifndef OPENVAN_CMS_INFLATE_H
#define OPENVAN_CMS_INFLATE_H

#include "mime/sink.h"

#include <stdint.h>

struct inflater;
/* `ratio_max`: inflated bytes for each compressed byte, past the first MiB. */
struct inflater *inflater_new(struct byte_sink to, unsigned ratio_max);
void inflater_free(struct inflater *f);
/* 0, VAN_ESYNTAX (not ZLIB), VAN_ELIMIT, or what the sink returned. */
int inflater_feed(struct inflater *f, const void *p, size_t n);
/* VAN_ESYNTAX when the stream has not ended. */
int inflater_finish(const struct inflater *f);

#endif
