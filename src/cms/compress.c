#include "cms/compress.h"

#include "base/error.h"
#include "cms/ber.h"
#include "cms/oid.h"

#include <stdlib.h>
#include <zlib.h>

struct cms_compressor {
	z_stream z;
	struct byte_sink to;
};

struct cms_compressor *cms_compressor_new(struct byte_sink to)
{
	struct cms_compressor *c = calloc(1, sizeof *c);
	if (c && deflateInit(&c->z, Z_DEFAULT_COMPRESSION) != Z_OK) {
		free(c);
		return NULL;
	}
	if (c)
		c->to = to;
	return c;
}

void cms_compressor_free(struct cms_compressor *c)
{
	if (!c)
		return;
	deflateEnd(&c->z);
	free(c);
}

static int turn(struct cms_compressor *c, const void *p, size_t n, int flush)
{
	unsigned char out[16384];
	c->z.next_in = (unsigned char *)(uintptr_t)p;
	c->z.avail_in = (unsigned)n;
	do {
		c->z.next_out = out;
		c->z.avail_out = sizeof out;
		if (deflate(&c->z, flush) == Z_STREAM_ERROR)
			return VAN_EINTERNAL;
		int rc = sink_write(&c->to, out, sizeof out - c->z.avail_out);
		if (rc)
			return rc;
	} while (c->z.avail_out == 0);
	return 0;
}

int cms_compressor_feed(struct cms_compressor *c, const void *p, size_t n)
{
	const char *from = p;
	while (n) {
		size_t take = n < ((size_t)1 << 30) ? n : (size_t)1 << 30;
		int rc = turn(c, from, take, Z_NO_FLUSH);
		if (rc)
			return rc;
		from += take;
		n -= take;
	}
	return 0;
}

int cms_compressor_finish(struct cms_compressor *c)
{
	return turn(c, "", 0, Z_FINISH);
}

static uint64_t sized(uint64_t content)
{
	return der_head_size(content) + content;
}

/* ContentInfo { compressedData, [0] { version 0, { zlib }, { id-data, [0] { OCTET STRING } } } } */
int cms_compressed_head(struct van_buf *to, uint64_t n)
{
	uint64_t algorithm = sized(OID_ZLIB.n), content = sized(sized(n)), encap = sized(OID_DATA.n) + content;
	uint64_t body = 3 + sized(algorithm) + sized(encap);
	der_head(to, BER_SEQUENCE, sized(OID_COMPRESSED_DATA.n) + sized(sized(body)));
	der_put(to, BER_OID, OID_COMPRESSED_DATA);
	der_head(to, BER_CONTEXT_CONSTRUCTED + 0, sized(body));
	der_head(to, BER_SEQUENCE, body);
	van_buf_append(to, "\x02\x01\x00", 3);
	der_head(to, BER_SEQUENCE, algorithm);
	der_put(to, BER_OID, OID_ZLIB);
	der_head(to, BER_SEQUENCE, encap);
	der_put(to, BER_OID, OID_DATA);
	der_head(to, BER_CONTEXT_CONSTRUCTED + 0, sized(n));
	der_head(to, BER_OCTETS, n);
	return to->error;
}
