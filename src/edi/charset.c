/* Character repertoires: names, classes of bytes, and the way to UTF-8 and back. */
#include "edi/charset.h"

#include "base/utf8.h"
#include "edi/charset_tables.h"
#include "edi/code_extension.h"

#include <pthread.h>

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
	return van_utf8_valid(input) ? EDI_CHARSET_UNOW : EDI_CHARSET_UNOC;
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
		size_t n;
		unsigned c = van_utf8_decode(slice_make(s.p + i, s.n - i), &n);
		if ((c || !s.p[i]) && !edi_stands_for_byte(c)) {
			van_buf_append(to, s.p + i, n);
			i += n;
			continue;
		}
		for (; n; n--)
			van_utf8_append(to, EDI_BYTE_AS_CHARACTER + (unsigned char)s.p[i++]);
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
			van_utf8_append(to, m || !s.p[i] ? m : EDI_BYTE_AS_CHARACTER + (unsigned char)s.p[i]);
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
		unsigned u = van_utf8_decode(slice_make(s.p + i, s.n - i), &n); /* 0: not UTF-8, as it is */
		unsigned char byte = sets[c].form == FORM_PART ? byte_of(sets[c].part, u) : 0;
		if (edi_stands_for_byte(u)) {
			van_buf_append_char(to, (char)(u - EDI_BYTE_AS_CHARACTER));
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
