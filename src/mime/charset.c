#include "mime/charset.h"

size_t mime_to_utf8(char *to, struct slice s, struct slice charset)
{
	bool latin = slice_case_is(charset, "iso-8859-1") || slice_case_is(charset, "latin1") ||
		     slice_case_is(charset, "windows-1252");
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (latin && c >= 128) {
			to[n++] = (char)(0xc0 | c >> 6);
			to[n++] = (char)(0x80 | (c & 63));
		} else {
			to[n++] = (char)c;
		}
	}
	return n;
}
