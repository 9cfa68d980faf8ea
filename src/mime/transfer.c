#include "mime/transfer.h"

#include "base/codec.h"
#include "base/error.h"

enum mime_encoding mime_encoding_parse(struct slice value)
{
	size_t n = 0;
	value = slice_trim(value);
	while (n < value.n && value.p[n] != ' ' && value.p[n] != '\t' && value.p[n] != ';' && value.p[n] != '(')
		n++;
	value.n = n;
	if (n >= 2 && value.p[0] == '"' && value.p[n - 1] == '"')
		value = slice_make(value.p + 1, n - 2);
	if (!value.n || slice_case_is(value, "binary") || slice_case_is(value, "7bit") || slice_case_is(value, "8bit"))
		return MIME_BINARY;
	if (slice_case_is(value, "base64"))
		return MIME_BASE64;
	return slice_case_is(value, "quoted-printable") ? MIME_QUOTED_PRINTABLE : MIME_ENCODING_UNKNOWN;
}

void mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding, struct byte_sink to)
{
	*d = (struct mime_decoder){.encoding = encoding, .to = to};
}

/* Decoded bytes gather here before they go to the sink. */
struct chunk {
	char p[4096];
	size_t n;
	int rc;
};

static void put(struct mime_decoder *d, struct chunk *c, char byte)
{
	if (c->n == sizeof c->p) {
		if (!c->rc)
			c->rc = sink_write(&d->to, c->p, c->n);
		c->n = 0;
	}
	c->p[c->n++] = byte;
}

static int flush(struct mime_decoder *d, struct chunk *c)
{
	if (!c->rc)
		c->rc = sink_write(&d->to, c->p, c->n);
	c->n = 0;
	return c->rc;
}

#define B64_BAD 255
#define B64_SKIP 254
#define B64_PAD 253

/* By ASCII code. */
static const uint8_t base64_table[128] = {
	255, 255, 255, 255, 255, 255, 255, 255, 255, 254, 254, 255, 255, 254, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	254, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 62, 255, 255, 255, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 255, 255, 255, 253, 255, 255,
	255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 255, 255, 255, 255, 255,
	255, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 255, 255, 255, 255, 255,
};

static uint8_t base64_class(unsigned char c)
{
	return c < 128 ? base64_table[c] : B64_BAD;
}

/* Four digits at a time, as long as nothing else comes; returns how many bytes were taken. */
static size_t base64_run(struct mime_decoder *d, struct chunk *out, const unsigned char *p, size_t n)
{
	size_t i = 0;
	while (i + 4 <= n && !out->rc) {
		uint32_t a = base64_class(p[i]), b = base64_class(p[i + 1]), c = base64_class(p[i + 2]), e = base64_class(p[i + 3]);
		if ((a | b | c | e) > 63)
			break;
		if (out->n + 3 > sizeof out->p)
			out->rc = flush(d, out);
		uint32_t v = a << 18 | b << 12 | c << 6 | e;
		out->p[out->n++] = (char)(v >> 16);
		out->p[out->n++] = (char)(v >> 8);
		out->p[out->n++] = (char)v;
		i += 4;
	}
	return i;
}

static int base64_byte(struct mime_decoder *d, struct chunk *out, uint8_t v)
{
	if (v == B64_SKIP)
		return 0;
	if (v == B64_BAD || (d->pad && v != B64_PAD))
		return VAN_ESYNTAX;
	if (v == B64_PAD) {
		d->pad = d->have == 2 && d->pad == 0 ? 1 : 2;
		return 0;
	}
	d->bits = d->bits << 6 | v;
	if (++d->have == 4) {
		put(d, out, (char)(d->bits >> 16));
		put(d, out, (char)(d->bits >> 8));
		put(d, out, (char)d->bits);
		d->bits = d->have = 0;
	}
	return 0;
}

static int feed_base64(struct mime_decoder *d, const unsigned char *p, size_t n)
{
	struct chunk out = {.n = 0, .rc = 0};
	for (size_t i = 0; i < n && !out.rc;) {
		if (d->have == 0 && d->pad == 0)
			i += base64_run(d, &out, p + i, n - i);
		if (i == n)
			break;
		int rc = base64_byte(d, &out, base64_class(p[i++]));
		if (rc)
			return rc;
	}
	return flush(d, &out);
}

static int finish_base64(struct mime_decoder *d)
{
	struct chunk out = {.n = 0, .rc = 0};
	if (d->have == 1 || (d->pad && d->have == 0))
		return d->have == 1 ? VAN_ESYNTAX : 0;
	if (d->have >= 2)
		put(d, &out, (char)(d->have == 2 ? d->bits >> 4 : d->bits >> 10));
	if (d->have == 3)
		put(d, &out, (char)(d->bits >> 2));
	return flush(d, &out);
}

static void release_held(struct mime_decoder *d, struct chunk *out)
{
	for (uint8_t i = 0; i < d->nheld; i++)
		put(d, out, d->held[i]);
	d->nheld = 0;
}

/* d->held starts with "=": an escape, a soft line break, or, when it is neither, plain text. */
static void quoted_escape(struct mime_decoder *d, struct chunk *out, char c)
{
	char second = d->nheld > 1 ? d->held[1] : 0;
	if (d->nheld == 1 || second == ' ') {
		if (c == '\n') {
			d->nheld = 0;
		} else if (c == ' ' || c == '\t') {
			d->held[1] = ' '; /* blanks between "=" and the line end say nothing */
			d->nheld = 2;
		} else if (c == '\r' || (second != ' ' && hex_digit(c) >= 0)) {
			d->held[1] = c;
			d->nheld = 2;
		} else {
			release_held(d, out);
			put(d, out, c);
		}
	} else if (second == '\r' && c == '\n') {
		d->nheld = 0;
	} else if (second != '\r' && hex_digit(c) >= 0) {
		d->nheld = 0;
		put(d, out, (char)(hex_digit(second) << 4 | hex_digit(c)));
	} else {
		release_held(d, out);
		put(d, out, c);
	}
}

static int feed_quoted(struct mime_decoder *d, const char *p, size_t n)
{
	struct chunk out = {.n = 0, .rc = 0};
	for (size_t i = 0; i < n && !out.rc; i++) {
		char c = p[i];
		if (d->nheld && d->held[0] == '=') {
			quoted_escape(d, &out, c);
		} else if (c == ' ' || c == '\t') {
			if (d->nheld == sizeof d->held)
				release_held(d, &out);
			d->held[d->nheld++] = c;
		} else if (c == '\r' || c == '\n') {
			d->nheld = 0; /* blanks at a line's end were added on the way */
			put(d, &out, c);
		} else {
			release_held(d, &out);
			if (c == '=')
				d->held[d->nheld++] = c;
			else
				put(d, &out, c);
		}
	}
	return flush(d, &out);
}

int mime_decoder_feed(struct mime_decoder *d, const void *p, size_t n)
{
	switch (d->encoding) {
	case MIME_BASE64: return feed_base64(d, p, n);
	case MIME_QUOTED_PRINTABLE: return feed_quoted(d, p, n);
	default: return sink_write(&d->to, p, n);
	}
}

int mime_decoder_finish(struct mime_decoder *d)
{
	if (d->encoding == MIME_BASE64)
		return finish_base64(d);
	d->nheld = 0; /* a soft break or blanks at the very end */
	return 0;
}
