/* Content transfer encodings (RFC 2045 section 6), decoded as a stream in any chunking. */
#ifndef OPENVAN_MIME_TRANSFER_H
#define OPENVAN_MIME_TRANSFER_H

#include "base/slice.h"
#include "mime/sink.h"

#include <stdint.h>

enum mime_encoding {
	MIME_BINARY, /* also 7bit, 8bit and absent: bytes pass unchanged */
	MIME_BASE64,
	MIME_QUOTED_PRINTABLE,
	MIME_ENCODING_UNKNOWN,
};

/* Case, blanks and comments after the token are ignored; absent means binary. */
enum mime_encoding mime_encoding_parse(struct slice value);

struct mime_decoder {
	enum mime_encoding encoding;
	struct byte_sink to;
	uint32_t bits;
	uint8_t have, pad;
	char held[80]; /* quoted-printable: an escape, or blanks that may end a line */
	uint8_t nheld;
};

void mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding, struct byte_sink to);
/* 0, VAN_ESYNTAX, or what the sink returned. In base64, blanks and line ends are skipped; other bytes outside the
 * alphabet, and digits behind the padding, are refused. Nothing is allocated. */
int mime_decoder_feed(struct mime_decoder *d, const void *p, size_t n);
int mime_decoder_finish(struct mime_decoder *d);

#endif
