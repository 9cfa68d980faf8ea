/* Character repertoires of EDIFACT (UNB S001 0001: UNOA … UNOL, UNOW, UNOX, UNOY) and their way to UTF-8 and back.
 *
 * Both ways are exact: what goes to UTF-8 comes back as the same bytes, also what the repertoire does not hold. A byte
 * without a meaning (0xae under UNOF, a lone 0xff under UNOW) becomes U+F700 plus that byte, a private-use character; no
 * other character does, so the way back is clear. Own tables: nothing is opened, for sandboxed roles. */
#ifndef OPENVAN_EDI_CHARSET_H
#define OPENVAN_EDI_CHARSET_H

#include "base/buf.h"
#include "base/slice.h"

enum edi_charset {
	EDI_CHARSET_NONE, /* not EDIFACT, or an identifier that nobody knows: read as UTF-8 */
	EDI_CHARSET_UNOA, /* capitals, digits, some marks; bytes above 0x7f are read as UTF-8 */
	EDI_CHARSET_UNOB, /* the same with small letters */
	EDI_CHARSET_UNOC, /* ISO 8859-1 */
	EDI_CHARSET_UNOD, /* ISO 8859-2 */
	EDI_CHARSET_UNOE, /* ISO 8859-5, Cyrillic */
	EDI_CHARSET_UNOF, /* ISO 8859-7, Greek */
	EDI_CHARSET_UNOG, /* ISO 8859-3; from here on syntax 4 */
	EDI_CHARSET_UNOH, /* ISO 8859-4 */
	EDI_CHARSET_UNOI, /* ISO 8859-6, Arabic */
	EDI_CHARSET_UNOJ, /* ISO 8859-8, Hebrew */
	EDI_CHARSET_UNOK, /* ISO 8859-9 */
	EDI_CHARSET_UNOL, /* ISO 8859-15 */
	EDI_CHARSET_UNOW, /* ISO 10646 as UTF-8 */
	EDI_CHARSET_UNOX, /* ISO 2022 with escape sequences; what is shifted is hidden, see edi/code_extension.h */
	EDI_CHARSET_UNOY, /* ISO 10646 without code extension: read as UTF-8 */
	EDI_CHARSET_COUNT
};

/* Of "UNOC", or "UNOC:3" as in edi_interchange.version. */
enum edi_charset edi_charset_of(struct slice syntax);
/* "US-ASCII", "ISO-8859-1", "UTF-8", "ISO-2022": what its bytes are. */
const char *edi_charset_encoding(enum edi_charset c);
/* The set to convert this input with when `declared` is what its UNB says: partners that declare a seven-bit set (or none,
 * as in X12) and send more mean UTF-8 where all of it is UTF-8, else ISO 8859-1 (EDI_CHARSET_UNOC). */
enum edi_charset edi_charset_guess(enum edi_charset declared, struct slice input);
/* One byte is one character; UTF-8. Neither: seven bits, or escape sequences. */
bool edi_charset_is_single(enum edi_charset c);
bool edi_charset_is_utf8(enum edi_charset c);
/* The oldest syntax version (1 to 4) that knows the set. */
unsigned edi_charset_since(enum edi_charset c);

/* Appends `s` in UTF-8, or back from it. Characters that the set cannot hold come back as UTF-8 bytes; *ret_lost (may be NULL)
 * counts them. 0 or the buffer's error. */
int edi_charset_to_utf8(enum edi_charset c, struct slice s, struct van_buf *to);
int edi_charset_from_utf8(enum edi_charset c, struct slice s, struct van_buf *to, size_t *ret_lost);

/* The set's bytes: EDI_CHARACTER_* of each of the 256. */
#define EDI_CHARACTER_BAD 1   /* not in the repertoire */
#define EDI_CHARACTER_MULTI 2 /* part of a sequence: look at the whole value with van_utf8_length() */
const unsigned char *edi_charset_classes(enum edi_charset c);

/* In UTF-8: + a byte above 0x7f that means nothing. */
#define EDI_BYTE_AS_CHARACTER 0xf700u
static inline bool edi_stands_for_byte(unsigned character)
{
	return character >= EDI_BYTE_AS_CHARACTER + 0x80 && character <= EDI_BYTE_AS_CHARACTER + 0xff;
}

#endif
