/* Writes segments: separators, release characters, trailing empty elements left out.
 *
 * A value that holds a delimiter is escaped where there is a release character (EDIFACT; X12 after ISX) and refused where
 * there is none: nothing is changed silently. Errors latch, and are asked for once: edi_writer_error(). */
#ifndef OPENVAN_EDI_WRITE_H
#define OPENVAN_EDI_WRITE_H

#include "base/buf.h"
#include "base/error.h"

#include "edi/lexer.h"

struct edi_writer {
	struct van_buf *to;
	struct edi_delimiters delimiters;
	enum edi_standard standard;
	bool lines;              /* a line feed after each segment */
	bool keep_empty;         /* empty elements and components at the end of a segment are written */
	const char *terminator;  /* instead of delimiters.terminator when it is a character of several bytes; NULL: it is not */
	uint64_t segments;       /* written so far */
	/* of the segment in hand */
	size_t start;            /* in `to` */
	char id[4];
	uint32_t element, component;
	uint32_t owed_elements, owed_repetitions, owed_components; /* separators not yet written */
	char release_next;       /* ISX names a release character for what follows it */
	unsigned char special[256];
	struct van_error error;
};

/* What is written is appended to `to`. */
void edi_writer_begin(struct edi_writer *w, struct van_buf *to, enum edi_standard standard, const struct edi_delimiters *d);
/* For answers, which repeat what others sent whatever that is: a byte that cannot be written becomes a blank, and nothing is refused for
 * it. Those are delimiters where there is no release character, and what `foreign` (256 of them; NULL: none) marks. */
void edi_writer_blank(struct edi_writer *w, const bool *foreign);
void edi_write_segment(struct edi_writer *w, struct slice id);
void edi_write_next(struct edi_writer *w);   /* the next element begins */
void edi_write_repeat(struct edi_writer *w); /* the next repetition of this element begins */
/* The next component of this element (for a simple element: its value). */
void edi_write_value(struct edi_writer *w, struct slice value);
/* The same with release characters already in it, or with bytes that need none (binary data, ISA). Where delimiters.shifts, values are as
 * the lexer gives them, what is shifted hidden. */
void edi_write_bytes(struct edi_writer *w, struct slice bytes);
/* A component whose bytes are put here later: the separators before it are written. */
void edi_write_hole(struct edi_writer *w);
/* An element of one component. */
void edi_write_element(struct edi_writer *w, struct slice value);
void edi_write_number(struct edi_writer *w, uint64_t value);
/* A number as the next component of this element. */
void edi_write_value_number(struct edi_writer *w, uint64_t value);
/* An element of fixed length, filled with blanks on the right; longer values are refused. */
void edi_write_padded(struct edi_writer *w, struct slice value, size_t width);
void edi_write_end(struct edi_writer *w);
/* 0 or the first error: VAN_EINVAL (a value that cannot be written; `e` names the element and says what to do), or the
 * buffer's. */
int edi_writer_error(const struct edi_writer *w, struct van_error *e);

/* What a byte of a value is written as. */
enum { EDI_SPECIAL_NO, EDI_SPECIAL_DELIMITER, EDI_SPECIAL_BLANK };
/* Appends `value`, each byte of it that is special as a delimiter behind a release character. False: there is one, and no release. */
bool edi_escape(struct slice value, const unsigned char special[256], char release, struct van_buf *to);
/* Letters, digits and blanks: never a delimiter of what is written. */
bool edi_is_data(char c);
/* Marks the delimiters in a table of 256 bytes. */
void edi_special_bytes(const struct edi_delimiters *d, unsigned char special[256]);

#endif
