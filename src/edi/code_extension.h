/* ISO 2022 code extension, the repertoire UNOX of EDIFACT: escape sequences and shifts within values, as ISO-2022-JP (RFC 1468, and its
 * successor of RFC 1554 but for the halves of ISO 8859), ISO-2022-KR (RFC 1557) and the GB 2312 part of ISO-2022-CN (RFC 1922) have them.
 *
 * A byte of a character of two bytes may look like any separator. So what is shifted is *hidden* as soon as it is read: bit 8 of its bytes
 * is inverted, as EUC has them, and nothing that cuts, compares or escapes needs to know of it. The writer reveals it again. Both are the
 * same operation, keep the length, and are exact for any bytes.
 *
 * Each segment begins in ASCII. A separator is one only in ASCII or the Roman half of JIS X 0201; a line end leads back there. */
#ifndef OPENVAN_EDI_CODE_EXTENSION_H
#define OPENVAN_EDI_CODE_EXTENSION_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdint.h>

#define EDI_ESC '\x1b'
#define EDI_SO '\x0e' /* shift out: G1 is in force */
#define EDI_SI '\x0f' /* shift in: G0 is */

/* Between two bytes: zeros at a segment's beginning. */
struct edi_shift {
	unsigned char g[2];        /* what was designated to G0 and G1 */
	bool out;                  /* G1 is in force */
	bool broken;               /* the last byte ended an escape sequence that is none */
	unsigned char sequence[4]; /* ESC and what follows it, so far */
	unsigned char length;
};

enum edi_shift_byte {
	EDI_BYTE_PLAIN,   /* of ASCII or its like: may be a separator */
	EDI_BYTE_CONTROL, /* of an escape sequence or a shift */
	EDI_BYTE_SHIFTED, /* of a character of another set */
};
enum edi_shift_byte edi_shift_step(struct edi_shift *s, char c);

/* A delimiter that occurs in escape sequences: then there is no code extension. */
bool edi_shift_is_reserved(char delimiter);

static inline char edi_shift_invert(char c)
{
	return (c & 0x7f) > 0x20 && (c & 0x7f) < 0x7f ? (char)(c ^ 0x80) : c;
}

/* Hides what is shifted, or reveals what is hidden, in a segment or value that begins in ASCII. */
void edi_shift_invert_all(char *p, size_t n);

/* Escape sequences, shifts, or bytes above ASCII: worth a look. */
bool edi_shift_any(struct slice hidden);

/* False: where a set of seven bits is in force stands a byte above ASCII, which looks like a separator when it is hidden; or what follows
 * would be shifted, too. Such bytes are nothing that has a meaning; they can be kept, not written again. */
bool edi_shift_can_be_written(struct slice hidden);

/* Looks at a value, hidden. True: it is one, and *ret_characters is how many characters it has. False: what is wrong (a literal), and at
 * which of its bytes, counted from 1. */
bool edi_shift_check(struct slice hidden, size_t *ret_characters, const char **ret_why, size_t *ret_at);

/* Appends in UTF-8 what a value, hidden, says; and back. What a sender writes most plainly (as ISO-2022-JP) is text alone; what could be
 * written in several ways keeps its escape sequences and shifts between the characters, so that the way back is exact for any bytes; a
 * byte without a meaning is U+F700 and that byte. Back: *ret_lost (may be NULL) counts what no set has; those stay UTF-8. 0 or the buffer's
 * error. */
int edi_shift_to_utf8(struct slice hidden, struct van_buf *to);
int edi_shift_from_utf8(struct slice utf8, struct van_buf *to, size_t *ret_lost);

#endif
