/* CompressedData with ZLIB (RFC 3274, RFC 5402) as a stream: what is around the content, and the content itself. The compressed
 * bytes are put away by the sink; when their number is known, head and tail are written around them in DER. */
#ifndef OPENVAN_CMS_COMPRESS_H
#define OPENVAN_CMS_COMPRESS_H

#include "base/buf.h"
#include "mime/sink.h"

struct cms_compressor;
/* NULL when out of memory. */
struct cms_compressor *cms_compressor_new(struct byte_sink to);
void cms_compressor_free(struct cms_compressor *c);
/* 0, or what the sink returned. */
int cms_compressor_feed(struct cms_compressor *c, const void *p, size_t n);
int cms_compressor_finish(struct cms_compressor *c);

/* Appends the ContentInfo up to the first of `compressed` content bytes; nothing follows the last. */
int cms_compressed_head(struct van_buf *to, uint64_t compressed);

#endif
