#include "base/utf8.h"

size_t van_utf8_length(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	if (!s.n)
		return 0;
	if (p[0] < 0x80)
		return 1;
	size_t n = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
	if (!n || s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

bool van_utf8_valid(struct slice s)
{
	for (size_t i = 0, n; i < s.n; i += n)
		if (!(n = van_utf8_length(slice_make(s.p + i, s.n - i))))
			return false;
	return true;
}

unsigned van_utf8_decode(struct slice s, size_t *ret_length)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = van_utf8_length(s);
	*ret_length = n ? n : 1;
	switch (n) {
	case 0: return 0;
	case 1: return p[0];
	case 2: return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	case 3: return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	default: return (p[0] & 7u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
	}
}

void van_utf8_append(struct van_buf *to, unsigned c)
{
	if (c >= 0x800)
		van_buf_append_char(to, (char)(0xe0 | c >> 12));
	if (c >= 0x80)
		van_buf_append_char(to, (char)((c >= 0x800 ? 0x80 : 0xc0) | (c >> 6 & (c >= 0x800 ? 0x3f : 0x1f))));
	van_buf_append_char(to, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
}
