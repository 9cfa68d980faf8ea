/* File names that peers give (RFC 2183, RFC 2047), made safe: the trap is path traversal. */
#include "base/buf.h"
#include "base/codec.h"
#include "base/utf8.h"
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
			int hi = text.p[i] == '=' && i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
			int lo = hi >= 0 ? hex_digit(text.p[i + 2]) : -1;
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

/* Blanks between two words are no part of the name (RFC 2047 section 6.2): long names come in several. */
static void decode_words(struct slice s, struct van_buf *to)
{
	size_t words_end = 0; /* in `to`, behind the word that stood last; 0: something else stood there */
	for (size_t i = 0; i < s.n;) {
		size_t used = 0, before = to->n;
		struct slice here = slice_make(s.p + i, s.n - i);
		if (slice_starts(here, "=?") && decode_word(here, to, &used)) {
			if (words_end && slice_trim(slice_make(to->p + words_end, before - words_end)).n == 0) {
				memmove(to->p + words_end, to->p + before, to->n - before);
				to->n -= before - words_end;
			}
			words_end = to->n;
			i += used;
		} else {
			van_buf_append_char(to, s.p[i]);
			i++;
		}
	}
}

static bool is_utf8(struct slice s)
{
	for (size_t i = 0, n; i < s.n; i += n)
		if (!(n = van_utf8_length(slice_make(s.p + i, s.n - i))))
			return false;
	return true;
}

/* The name as UTF-8. Old software writes Latin-1 without saying so. */
static void name_text(struct slice name, struct van_buf *text)
{
	decode_words(slice_trim(name), text);
	if (text->error || is_utf8(van_buf_slice(text)))
		return;
	struct van_buf latin = VAN_BUF_INIT(8192);
	char *p = van_buf_reserve(&latin, 2 * text->n);
	if (p)
		latin.n += mime_to_utf8(p, van_buf_slice(text), SLICE("iso-8859-1"));
	van_buf_free(text);
	*text = latin;
}

/* C1 controls, and those that turn the direction of what follows, so that "gpj.exe" can look like "exe.jpg". */
static bool is_hidden(struct slice c)
{
	const unsigned char *p = (const unsigned char *)c.p;
	if (c.n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	return c.n == 3 && p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

char *mime_safe_file_name(char *to, size_t size, struct slice name)
{
	struct van_buf text = VAN_BUF_INIT(4096);
	size_t n = 0, length;
	name_text(name, &text);
	for (size_t i = 0; i < text.n; i += length) {
		unsigned char c = (unsigned char)text.p[i];
		struct slice whole = slice_make(text.p + i, text.n - i);
		length = van_utf8_length(whole);
		length = length ? length : 1;
		whole.n = length;
		if (c == '/' || c == '\\' || c == ':' || c == 0) {
			n = 0;
		} else if (c >= ' ' && c != 127 && !is_hidden(whole) && !(n == 0 && (c == '.' || c == ' '))) {
			if (n + length >= size)
				break;
			memcpy(to + n, whole.p, length);
			n += length;
		}
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
	name_text(name, &text);
	bool changed = text.error || !slice_is(text.p ? van_buf_slice(&text) : SLICE(""), safe);
	van_buf_free(&text);
	return changed;
}
