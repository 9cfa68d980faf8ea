/* Inside of the lexer: its state, and the seam between lexer.c (states, carry-over), lexer_header.c (delimiters) and
 * lexer_find.c and lexer_scan.c (the fast loop). */
#ifndef OPENVAN_EDI_LEXER_PRIVATE_H
#define OPENVAN_EDI_LEXER_PRIVATE_H

#include "base/buf.h"

#include "edi/code_extension.h"
#include "edi/lexer.h"

enum edi_lexer_state {
	LEX_JUNK,    /* before, between and after interchanges: looking for ISA, UNA, UNB */
	LEX_START,   /* a segment may begin here; its first bytes decide how it is read */
	LEX_HEADER,  /* at ISA, UNA or UNB; all of the delimiters are not here yet */
	LEX_SEGMENT, /* inside a segment, fast scan */
	LEX_SLOW,    /* inside a segment read byte by byte into `slow`: binary, wrapped lines, or code extension */
	LEX_SKIP,    /* inside a segment past max_segment: its head is in `slow` */
	LEX_OBJECT,  /* behind UNO: raw bytes */
	LEX_DONE,
};

#define LEX_BATCH ((size_t)1024)     /* bytes that the fast loop looks through before it gives out segments; a multiple of 64 */
#define LEX_HEADS_BATCH ((size_t)128) /* the same where it then passes over segments again */

/* What the first stage of the fast loop found in a batch. Positions are in the window. */
struct lex_batch {
	struct edi_delimiters delimiters;
	uint32_t *list;     /* the segment in hand's start and elements, then 1 + position of each separator and terminator */
	uint32_t count;
	uint32_t end_count, release_count;
	bool released;      /* the byte before the batch was a release character; then, its last byte is one */
	bool odd, parts;    /* it holds bytes that are not printable ASCII; component or repetition separators */
	uint32_t ends[LEX_BATCH];     /* entries of `list` that are terminators */
	uint32_t releases[LEX_BATCH]; /* positions of release characters */
};

/* Looks through window[from, to); one for each instruction set that this processor has, the fastest first. Their results
 * are the same. */
typedef void (*lex_find_fn)(struct lex_batch *b, const char *window, size_t from, size_t to);

/* Segments that were passed over: none is a header or trailer or needs more of a look, and there is nothing to tell of them but one or
 * two line ends behind their terminators. */
struct lex_passed {
	uint64_t segments, lines;
	size_t end;        /* position behind the terminator of the last one */
	size_t first_line; /* position of the first of the line ends */
	size_t to;         /* position behind all of them: there, segments and blanks need a look, or the window ends soon */
};

/* From a segment's first byte on, until there is something that can't be passed over. No separator may be a blank. */
typedef struct lex_passed (*lex_pass_fn)(const struct edi_delimiters *d, const char *window, size_t from, size_t to);

#define LEX_FINDERS 4
struct lex_finder {
	const char *name;
	lex_find_fn find;
	lex_pass_fn pass;
};
size_t lex_finders(struct lex_finder list[static LEX_FINDERS]);

struct edi_lexer {
	edi_segment_fn fn;
	int (*object)(void *ctx, struct slice bytes);
	void *ctx;
	size_t max_segment;
	uint32_t max_elements, cap; /* cap: elements that the slow paths may write down */
	uint32_t *at;       /* positions; the fast loop writes a batch ahead */
	struct lex_finder finder;
	struct lex_batch batch;
	enum edi_lexer_state state;
	int error;
	/* of the segment in hand; positions are relative to its first byte, so it may move */
	uint32_t n;         /* elements begun */
	uint32_t flags;
	size_t scanned;     /* bytes of it already looked at */
	bool released;      /* the last byte looked at was a release character */
	bool odd, parts;    /* as in struct edi_segment */
	bool heads_only;    /* see edi_lexer_heads_only() */
	uint64_t base;      /* input offset of the window's first byte */
	uint64_t end;       /* input offset after the terminator of the last segment */
	uint64_t slow_offset;
	uint64_t binary_left; /* LEX_SLOW: raw bytes still to come */
	bool binary_done;
	bool objects;         /* the interchange may have UNO and UNP (EDIFACT syntax 4) */
	uint64_t object_left; /* LEX_OBJECT: bytes still to come */
	bool wrapped;
	struct edi_shift shift; /* LEX_SLOW, where delimiters.shifts */
	char lead[3];       /* bytes before the terminator that belong to it: it is a UTF-8 character */
	size_t lead_length;
	bool una;           /* delimiters are from UNA, waiting for its UNB */
	char before;        /* LEX_JUNK: the byte before the window */
	struct van_buf carry, slow;
	struct edi_delimiters delimiters;
	enum edi_standard standard;
	struct edi_lexer_counts counts;
	struct edi_tolerance tolerated[EDI_TOLERATED_KINDS];
	uint32_t header;    /* bits of what was tolerated in the header at hand */
	bool advised;       /* UNB after UNA: what was tolerated between counts */
};

/* A byte or segment that is tolerated, at this offset of the input. */
static inline void lex_tolerate(struct edi_lexer *l, enum edi_tolerated kind, uint64_t offset)
{
	struct edi_tolerance *t = &l->tolerated[kind];
	if (!t->count++)
		t->first = offset;
}

static inline enum edi_tolerated lex_blank_kind(char c)
{
	return c == '\n' || c == '\r' ? EDI_TOLERATED_LINE_ENDS : EDI_TOLERATED_BLANKS;
}

static inline bool lex_blank(unsigned char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0 || c == 0x1a;
}

static inline bool lex_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* What UNA says where there is no release character: a blank, by ISO 9735 section 7; letters, digits and line ends can't be meant. */
static inline bool lex_no_release(char c)
{
	return lex_blank((unsigned char)c) || lex_alnum((unsigned char)c);
}

/* How most segments of the interchange are read. */
static inline enum edi_lexer_state lex_usual_state(const struct edi_lexer *l)
{
	return l->wrapped || l->delimiters.shifts ? LEX_SLOW : LEX_SEGMENT;
}

/* Gives the segment [bytes, bytes + length) with l->at, l->n, l->flags to fn and makes ready for the next. */
int lex_emit(struct edi_lexer *l, const char *bytes, size_t length, uint64_t offset, uint64_t end);
/* After fn saw the end of an interchange, or ISX: the state that follows from it. */
void lex_after(struct edi_lexer *l, const struct edi_segment *s);
/* Keeps the bounds: shortens the segment, says so in its flags, returns its length. */
uint32_t lex_trim(struct edi_lexer *l, const char *base, uint32_t *at, uint32_t *count, uint32_t length);

/* Gives the segment of `length` bytes whose elements begin at base[at[0]] … base[at[count - 1]] to fn; at[count] is 1 past
 * its last byte. `offset` and `end`: of its first byte and after its terminator, in the input. at[count] may be changed. */
static inline int lex_give(struct edi_lexer *l, const char *base, uint32_t *at, uint32_t count, uint32_t length, uint64_t offset,
	uint64_t end)
{
	if (__builtin_expect(length > l->max_segment || count > l->max_elements || l->lead_length, 0)) {
		length = lex_trim(l, base, at, &count, length);
	}
	l->counts.segments += !(l->flags & EDI_SEGMENT_UNA);
	struct edi_segment s = {.base = base, .bytes = base + at[0], .length = length, .count = count, .at = at, .flags = l->flags,
		.standard = l->standard, .offset = offset, .end = end, .before = l->end, .ordinal = l->counts.segments, .odd = l->odd, .parts = l->parts,
		.delimiters = &l->delimiters};
	l->flags = l->wrapped ? EDI_SEGMENT_WRAPPED : 0;
	int rc = l->fn(l->ctx, &s);
	if (rc == 0 && (s.bytes[0] == 'I' || s.bytes[0] == 'U'))
		lex_after(l, &s);
	return rc;
}

/* Scans the window from its segment start *pos. Gives out whole segments, moves *pos to the start of the unfinished one and
 * leaves when the window is used up or the state is no longer LEX_SEGMENT. */
int lex_scan(struct edi_lexer *l, const char *window, size_t length, size_t *pos);

/* At ISA, UNA or UNB: sets the delimiters. 1: done, *pos and the state moved on; 0: more bytes are needed; negative: an
 * error of fn; LEX_NO_HEADER: these bytes are no header. */
#define LEX_NO_HEADER 2
int lex_header(struct edi_lexer *l, const char *window, size_t length, size_t *pos, bool last);

#endif
