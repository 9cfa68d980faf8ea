/* File names that peers give (RFC 2183, RFC 2047), made safe: the trap is path traversal. */
#include "base/buf.h"
#include "base/codec.h"
#include "mime/charset.h"
#include "mime/header.h"

/* "=?charset?B|Q?text?=" at s.p: decoded into `to`, its length in *used; false when it is no such word. */
static bool decode_word(struct slice s, struct van_buf *to, size_t *used)
{
	struct slice rest = slice_make(s.p + 2, s.n - 2);
	struct slice charset = slice_cut(&rest, '?'), kind = slice_cut(&rest, '?'), text = slice_cut(&rest, '?');
	struct van_buf raw = VAN_BUF_INIT(4096);
	if (!rest.p || !rest.n || rest.p[0] != '=' || kind.n != 1)
		return false;
	if (kind.p[0] == 'B' || kind.p[0] == 'b') {
		base64_decode(&raw, text);
	} else {
		for (size_t i = 0; i < text.n; i++) {
			int hi = text.p[i] == '=' && i + 2 < text.n ? mime_hex(text.p[i + 1]) : -1;
			int lo = hi >= 0 ? mime_hex(text.p[i + 2]) : -1;
			van_buf_append_char(&raw, lo >= 0 ? (char)(hi << 4 | lo) : text.p[i] == '_' ? ' ' : text.p[i]);
			i += lo >= 0 ? 2 : 0;
		}
	}
	char *p = van_buf_reserve(to, 2 * raw.n);
	if (p)
		to->n += mime_to_utf8(p, van_buf_slice(&raw), charset);
	van_buf_free(&raw);
	*used = (size_t)(rest.p + 1 - s.p);
	return true;
}

static void decode_words(struct slice s, struct van_buf *to)
{
	for (size_t i = 0; i < s.n;) {
		size_t used = 0;
		struct slice here = slice_make(s.p + i, s.n - i);
		if (slice_starts(here, "=?") && decode_word(here, to, &used)) {
			i += used;
		} else {
			van_buf_append_char(to, s.p[i]);
			i++;
		}
	}
}

char *mime_safe_file_name(char *to, size_t size, struct slice name)
{
	struct van_buf text = VAN_BUF_INIT(4096);
	size_t n = 0;
	decode_words(slice_trim(name), &text);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == '/' || c == '\\' || c == ':' || c == 0)
			n = 0;
		else if (c >= ' ' && c != 127 && !(n == 0 && (c == '.' || c == ' ')) && n + 1 < size)
			to[n++] = (char)c;
	}
	while (n && (to[n - 1] == ' ' || to[n - 1] == '.'))
		n--;
	to[n] = 0;
	van_buf_free(&text);
	return to;
}

bool mime_file_name_changed(const char *safe, struct slice name)
{
	struct van_buf text = VAN_BUF_INIT(4096);
	decode_words(slice_trim(name), &text);
	bool changed = text.error || !slice_is(text.p ? van_buf_slice(&text) : SLICE(""), safe);
	van_buf_free(&text);
	return changed;
}
