/* Inside of the lexer: its state, and the seam between lexer.c (states, carry-over), lexer_header.c (delimiters) and
 * lexer_scan.c (the fast loop). */
#ifndef OPENVAN_EDI_LEXER_PRIVATE_H
#define OPENVAN_EDI_LEXER_PRIVATE_H

#include "base/buf.h"

#include "edi/lexer.h"

enum edi_lexer_state {
	LEX_JUNK,    /* before, between and after interchanges: looking for ISA, UNA, UNB */
	LEX_START,   /* a segment may begin here; its first bytes decide how it is read */
	LEX_HEADER,  /* at ISA, UNA or UNB; all of the delimiters are not here yet */
	LEX_SEGMENT, /* inside a segment, fast scan */
	LEX_SLOW,    /* inside a segment read byte by byte into `slow`: binary, or wrapped lines */
	LEX_SKIP,    /* inside a segment past max_segment: its head is in `slow` */
	LEX_DONE,
};

struct edi_lexer {
	edi_segment_fn fn;
	void *ctx;
	size_t max_segment;
	uint32_t max_elements, cap; /* cap: entries of `at` */
	uint32_t *at;
	enum edi_lexer_state state;
	int error;
	/* of the segment in hand; positions are relative to its first byte, so it may move */
	uint32_t n;         /* elements begun */
	uint32_t flags;
	size_t scanned;     /* bytes of it already looked at */
	bool released;      /* the last byte looked at was a release character */
	uint64_t base;      /* input offset of the window's first byte */
	uint64_t slow_offset;
	uint64_t binary_left; /* LEX_SLOW: raw bytes still to come */
	bool binary_done;
	bool wrapped;
	char lead[3];       /* bytes before the terminator that belong to it: it is a UTF-8 character */
	size_t lead_length;
	bool una;           /* delimiters are from UNA, waiting for its UNB */
	char before;        /* LEX_JUNK: the byte before the window */
	struct van_buf carry, slow;
	struct edi_delimiters delimiters;
	enum edi_standard standard;
	struct edi_lexer_counts counts;
};

static inline bool lex_blank(unsigned char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0 || c == 0x1a;
}

static inline bool lex_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* Gives the segment [bytes, bytes + length) with l->at, l->n, l->flags to fn and makes ready for the next. */
int lex_emit(struct edi_lexer *l, const char *bytes, size_t length, uint64_t offset, uint64_t end);

/* Scans the window from its segment start *pos. Emits whole segments, moves *pos to the start of the unfinished one and
 * leaves when the window is used up or the state is no longer LEX_SEGMENT. */
int lex_scan(struct edi_lexer *l, const char *window, size_t length, size_t *pos);

/* At ISA, UNA or UNB: sets the delimiters. 1: done, *pos and the state moved on; 0: more bytes are needed; negative: an
 * error of fn; LEX_NO_HEADER: these bytes are no header. */
#define LEX_NO_HEADER 2
int lex_header(struct edi_lexer *l, const char *window, size_t length, size_t *pos, bool last);

#endif
