#include "receipt/utf8.h"

static uint32_t bad(struct slice *s)
{
	*s = slice_make(s->p + 1, s->n - 1);
	return UTF8_BAD;
}

uint32_t utf8_next(struct slice *s)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s->p;
	size_t more = p[0] < 0x80 ? 0 : (p[0] & 0xe0) == 0xc0 ? 1 : (p[0] & 0xf0) == 0xe0 ? 2 : (p[0] & 0xf8) == 0xf0 ? 3 : 4;
	if (more == 4 || s->n <= more)
		return bad(s);
	uint32_t c = more ? p[0] & (0x3fu >> more) : p[0];
	for (size_t i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return bad(s);
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return bad(s);
	*s = slice_make(s->p + more + 1, s->n - more - 1);
	return c;
}

int utf8_put(struct van_buf *to, uint32_t c)
{
	if (c < 0x80)
		return van_buf_append_char(to, (char)c);
	if (c < 0x800)
		return van_buf_append(to, (char[]){(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))}, 2);
	if (c < 0x10000)
		return van_buf_append(to, (char[]){(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f))}, 3);
	return van_buf_append(to, (char[]){(char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 0x3f)), (char)(0x80 | (c >> 6 & 0x3f)),
		(char)(0x80 | (c & 0x3f))}, 4);
}
