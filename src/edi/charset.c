/* Character repertoires: names, classes of bytes, and the way to UTF-8 and back. */
#include "edi/charset.h"

#include "edi/charset_tables.h"
#include "edi/code_extension.h"

#include <pthread.h>

#define PRIVATE 0xf700u /* U+F700 + a byte above 0x7f: a byte without a meaning */

enum form { FORM_SEVEN, FORM_PART, FORM_UTF8, FORM_2022 };

static const struct {
	char letter;
	unsigned char form, part, since;
	const char *encoding;
} sets[EDI_CHARSET_COUNT] = {
	[EDI_CHARSET_NONE] = {0, FORM_UTF8, 0, 1, "UTF-8"},
	[EDI_CHARSET_UNOA] = {'A', FORM_SEVEN, 0, 1, "US-ASCII"},
	[EDI_CHARSET_UNOB] = {'B', FORM_SEVEN, 0, 1, "US-ASCII"},
	[EDI_CHARSET_UNOC] = {'C', FORM_PART, PART_1, 2, "ISO-8859-1"},
	[EDI_CHARSET_UNOD] = {'D', FORM_PART, PART_2, 2, "ISO-8859-2"},
	[EDI_CHARSET_UNOE] = {'E', FORM_PART, PART_5, 2, "ISO-8859-5"},
	[EDI_CHARSET_UNOF] = {'F', FORM_PART, PART_7, 2, "ISO-8859-7"},
	[EDI_CHARSET_UNOG] = {'G', FORM_PART, PART_3, 4, "ISO-8859-3"},
	[EDI_CHARSET_UNOH] = {'H', FORM_PART, PART_4, 4, "ISO-8859-4"},
	[EDI_CHARSET_UNOI] = {'I', FORM_PART, PART_6, 4, "ISO-8859-6"},
	[EDI_CHARSET_UNOJ] = {'J', FORM_PART, PART_8, 4, "ISO-8859-8"},
	[EDI_CHARSET_UNOK] = {'K', FORM_PART, PART_9, 4, "ISO-8859-9"},
	[EDI_CHARSET_UNOL] = {'L', FORM_PART, PART_15, 4, "ISO-8859-15"},
	[EDI_CHARSET_UNOW] = {'W', FORM_UTF8, 0, 4, "UTF-8"},
	[EDI_CHARSET_UNOX] = {'X', FORM_2022, 0, 4, "ISO-2022"},
	[EDI_CHARSET_UNOY] = {'Y', FORM_UTF8, 0, 4, "UTF-8"},
};

enum edi_charset edi_charset_of(struct slice syntax)
{
	if (syntax.n < 4 || memcmp(syntax.p, "UNO", 3) != 0 || (syntax.n > 4 && syntax.p[4] != ':'))
		return EDI_CHARSET_NONE;
	for (int i = EDI_CHARSET_UNOA; i < EDI_CHARSET_COUNT; i++)
		if (sets[i].letter == syntax.p[3])
			return (enum edi_charset)i;
	return EDI_CHARSET_NONE;
}

const char *edi_charset_encoding(enum edi_charset c)
{
	return sets[c].encoding;
}

bool edi_charset_is_single(enum edi_charset c)
{
	return sets[c].form == FORM_PART;
}

bool edi_charset_is_utf8(enum edi_charset c)
{
	return c != EDI_CHARSET_NONE && sets[c].form == FORM_UTF8;
}

unsigned edi_charset_since(enum edi_charset c)
{
	return sets[c].since;
}

static bool has_high(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

enum edi_charset edi_charset_guess(enum edi_charset declared, struct slice input)
{
	bool seven = declared == EDI_CHARSET_NONE || sets[declared].form == FORM_SEVEN;
	if (!seven || !has_high(input))
		return declared;
	return edi_utf8_valid(input) ? EDI_CHARSET_UNOW : EDI_CHARSET_UNOC;
}

/* --- UTF-8 ------------------------------------------------------------------------------------------------------------- */

size_t edi_utf8_length(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	if (!s.n)
		return 0;
	if (p[0] < 0x80)
		return 1;
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
	bool surrogate = p[0] == 0xed && p[1] >= 0xa0, past = p[0] == 0xf4 && p[1] >= 0x90;
	return overlong || surrogate || past ? 0 : n;
}

bool edi_utf8_valid(struct slice s)
{
	for (size_t i = 0, n; i < s.n; i += n)
		if (!(n = edi_utf8_length(slice_make(s.p + i, s.n - i))))
			return false;
	return true;
}

/* A character of the basic plane. */
static void put(struct van_buf *to, unsigned c)
{
	if (c >= 0x800)
		van_buf_append_char(to, (char)(0xe0 | c >> 12));
	if (c >= 0x80)
		van_buf_append_char(to, (char)((c >= 0x800 ? 0x80 : 0xc0) | (c >> 6 & (c >= 0x800 ? 0x3f : 0x1f))));
	van_buf_append_char(to, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
}

/* Of a valid sequence of `n` bytes. */
static unsigned decode(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	switch (n) {
	case 1: return p[0];
	case 2: return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	case 3: return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	default: return (p[0] & 7u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
	}
}

static bool is_private(unsigned c)
{
	return c >= PRIVATE + 0x80 && c <= PRIVATE + 0xff;
}

/* --- conversion -------------------------------------------------------------------------------------------------------- */

static unsigned meaning(enum edi_part part, unsigned char byte)
{
	return byte < 0xa0 || part == PART_1 ? byte : edi_parts[part][byte - 0xa0];
}

/* Valid sequences as they are, other bytes as private characters; and so what would look like one of those. */
static void keep_utf8(struct slice s, struct van_buf *to)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = edi_utf8_length(slice_make(s.p + i, s.n - i));
		if (n && !(n == 3 && is_private(decode(s.p + i, n)))) {
			van_buf_append(to, s.p + i, n);
			i += n;
			continue;
		}
		for (n = n ? n : 1; n; n--)
			put(to, PRIVATE + (unsigned char)s.p[i++]);
	}
}

int edi_charset_to_utf8(enum edi_charset c, struct slice s, struct van_buf *to)
{
	if (sets[c].form == FORM_2022 && edi_shift_any(s))
		return edi_shift_to_utf8(s, to);
	if (!has_high(s)) {
		van_buf_append_slice(to, s);
	} else if (sets[c].form == FORM_PART) {
		for (size_t i = 0; i < s.n; i++) {
			unsigned m = meaning(sets[c].part, (unsigned char)s.p[i]);
			put(to, m || !s.p[i] ? m : PRIVATE + (unsigned char)s.p[i]);
		}
	} else {
		keep_utf8(s, to);
	}
	return van_buf_error(to);
}

/* The byte of the part that means `c`; 0: none. */
static unsigned char byte_of(enum edi_part part, unsigned c)
{
	if (c < 0xa0 || (part == PART_1 && c < 0x100))
		return (unsigned char)c;
	for (unsigned i = 0; part != PART_1 && i < 96; i++)
		if (edi_parts[part][i] == c)
			return (unsigned char)(0xa0 + i);
	return 0;
}

int edi_charset_from_utf8(enum edi_charset c, struct slice s, struct van_buf *to, size_t *ret_lost)
{
	size_t lost = 0;
	if (sets[c].form == FORM_2022 && edi_shift_any(s))
		return edi_shift_from_utf8(s, to, ret_lost);
	for (size_t i = 0, n; i < s.n; i += n) {
		n = edi_utf8_length(slice_make(s.p + i, s.n - i));
		unsigned u = n ? decode(s.p + i, n) : 0;
		unsigned char byte = sets[c].form == FORM_PART && n ? byte_of(sets[c].part, u) : 0;
		if (!n)
			n = 1; /* not UTF-8: as it is */
		if (is_private(u)) {
			van_buf_append_char(to, (char)(u - PRIVATE));
		} else if (u < 0x80 || !byte) {
			lost += u >= 0x80 && (sets[c].form == FORM_PART || sets[c].form == FORM_SEVEN);
			van_buf_append(to, s.p + i, n);
		} else {
			van_buf_append_char(to, (char)byte);
		}
	}
	if (ret_lost)
		*ret_lost = lost;
	return van_buf_error(to);
}

/* --- repertoires ------------------------------------------------------------------------------------------------------- */

static unsigned char classes[EDI_CHARSET_COUNT][256];
static pthread_once_t classes_once = PTHREAD_ONCE_INIT;

/* Controls are data only in UNOX, whose escape and shift characters are controls. */
static unsigned char class_of(enum edi_charset c, unsigned char byte)
{
	static const char marks[] = " .,-()/='+:?!\"%&*;<>";
	bool upper = byte >= 'A' && byte <= 'Z', lower = byte >= 'a' && byte <= 'z', digit = byte >= '0' && byte <= '9';
	bool control = byte < 0x20 || byte == 0x7f || (byte >= 0x80 && byte < 0xa0);
	switch (sets[c].form) {
	case FORM_SEVEN:
		return upper || digit || (lower && c == EDI_CHARSET_UNOB) || (byte && strchr(marks, byte)) ? 0 : EDI_CHARACTER_BAD;
	case FORM_PART: return control || !meaning(sets[c].part, byte) ? EDI_CHARACTER_BAD : 0;
	case FORM_2022: return byte == 0x1b || byte == 0x0e || byte == 0x0f ? 0 : control && byte < 0x80 ? EDI_CHARACTER_BAD : 0;
	default: return byte >= 0x80 ? EDI_CHARACTER_MULTI : control ? EDI_CHARACTER_BAD : 0;
	}
}

static void make_classes(void)
{
	for (unsigned c = 0; c < EDI_CHARSET_COUNT; c++)
		for (unsigned b = 0; b < 256; b++)
			classes[c][b] = class_of((enum edi_charset)c, (unsigned char)b);
}

const unsigned char *edi_charset_classes(enum edi_charset c)
{
	pthread_once(&classes_once, make_classes);
	return classes[c];
}
