/* One lexer for X12 and EDIFACT. Push interface: bytes in any chunking give the same segments.
 *
 * A segment that lies whole in a chunk is not copied; one that crosses chunks is gathered in a buffer of bounded size.
 * Delimiters come from ISA, or UNA and the defaults of UNB's syntax, anew for each interchange. Blanks, line ends, NUL and
 * Ctrl-Z between segments are skipped, as is a byte-order mark; all else outside an interchange is counted as junk. */
#ifndef OPENVAN_EDI_LEXER_H
#define OPENVAN_EDI_LEXER_H

#include "base/error.h"
#include "base/slice.h"

#include "edi/report.h"

/* 0: there is none. */
struct edi_delimiters {
	char element, component, repetition, release, terminator;
	bool shifts; /* UNOX: characters behind escape sequences hold no delimiters; they are hidden (edi/code_extension.h) in what the lexer
	              * gives, and written as they were */
};

/* False: one of them occurs in escape sequences, so there cannot be any (`shifts`). */
bool edi_delimiters_allow_shifts(const struct edi_delimiters *d);

enum edi_segment_flag {
	EDI_SEGMENT_RELEASE = 1,      /* holds release characters: values need edi_unescape() */
	EDI_SEGMENT_BINARY = 2,       /* BIN or BDS: the last element is raw bytes of the declared length */
	EDI_SEGMENT_UNTERMINATED = 4, /* the input ended inside it */
	EDI_SEGMENT_TOO_LONG = 8,     /* past max_segment: only the first max_segment bytes are here */
	EDI_SEGMENT_TOO_MANY = 16,    /* past max_elements: only the first max_elements are here */
	EDI_SEGMENT_UNA = 32,         /* service string advice: not a segment; has no elements */
	EDI_SEGMENT_MALFORMED = 64,   /* ISA without its sixteen elements: delimiters are a guess */
	EDI_SEGMENT_WRAPPED = 128,    /* line ends inside segments (80-column files) were left out */
	EDI_SEGMENT_BAD_TERMINATOR = 512, /* ISA: its terminator cannot be one; nothing can be read up to the next header */
	EDI_SEGMENT_BAD_COMPONENT = 1024, /* ISA: its component separator cannot be one; there is none */
	EDI_SEGMENT_BAD_LENGTH = 256, /* BIN or BDS whose length is not a number or runs past the input */
};

/* Between UNO and UNP of EDIFACT syntax 4 lies an object, raw bytes from UNO's `end` to UNP's `offset`: no segment.
 * Valid during the call only. */
struct edi_segment {
	const char *bytes;   /* without terminator */
	uint32_t length;
	uint32_t count;      /* elements, the identifier (number 0) included; at least 1 */
	const char *base;
	const uint32_t *at;  /* element i is base[at[i]] up to, not including, base[at[i + 1] - 1]; bytes is base + at[0] */
	uint32_t flags;      /* enum edi_segment_flag */
	enum edi_standard standard;
	uint64_t offset;     /* of its first byte in the input */
	uint64_t end;        /* offset after its terminator */
	uint64_t before;     /* offset after the terminator of the segment before it */
	uint64_t ordinal;    /* in the input, from 1 */
	/* False: it holds only printable ASCII; no component or repetition separator. True tells nothing. */
	bool odd, parts;
	const struct edi_delimiters *delimiters;
};

/* Element i, absent past the last. Element 0 is the identifier. */
static inline struct slice edi_segment_element(const struct edi_segment *s, uint32_t i)
{
	return i < s->count ? slice_make(s->base + s->at[i], s->at[i + 1] - 1 - s->at[i]) : SLICE_NONE;
}

static inline bool edi_segment_is(const struct edi_segment *s, const char *id)
{
	size_t n = s->at[1] - 1 - s->at[0];
	return strlen(id) == n && memcmp(s->bytes, id, n) == 0;
}

/* The element of BIN and BDS that is raw bytes; 0: none is. */
static inline uint32_t edi_segment_binary(const struct edi_segment *s)
{
	return !(s->flags & EDI_SEGMENT_BINARY) ? 0 : edi_segment_is(s, "BIN") ? 2 : 3;
}

/* Cuts *rest at the first `separator` that no release character precedes; returns what stood before it. When there is
 * none, returns all and sets *rest absent. separator 0: never cuts. Use it for repetitions, then for components. */
struct slice edi_cut(struct slice *rest, char separator, char release);
/* Without release characters. `room` holds s.n bytes; returns a slice of it, or `s` itself when there is nothing to do. */
struct slice edi_unescape(struct slice s, char release, char *room);

struct edi_lexer_options {
	size_t max_segment;    /* bytes, default 1 MiB, at most 16 MiB */
	uint32_t max_elements; /* default 8192 */
	int (*object)(void *ctx, struct slice bytes); /* of an object the next bytes, in pieces as they come; NULL: passed over */
};

/* A negative return stops the lexer for good; feed returns it. The same for `object`, which has the same ctx. */
typedef int (*edi_segment_fn)(void *ctx, const struct edi_segment *s);

struct edi_lexer;
struct edi_lexer *edi_lexer_new(const struct edi_lexer_options *options, edi_segment_fn fn, void *ctx); /* NULL: no memory */
void edi_lexer_free(struct edi_lexer *l); /* NULL is fine */
/* `last`: the input ends with this chunk (which may be empty). 0, VAN_ENOMEM, VAN_ESTATE after last, or fn's error. */
int edi_lexer_feed(struct edi_lexer *l, struct slice chunk, bool last);

/* For fn, in a message that nobody looks into: from now on segments that cannot belong to an envelope (they begin with none
 * of G, I, S in X12, with no U in EDIFACT) need not be given to fn. Their delimiters are found, and they are counted, as ever. */
void edi_lexer_heads_only(struct edi_lexer *l, bool on);

struct edi_lexer_counts {
	uint64_t bytes, segments;
	uint64_t end;        /* offset after the last segment's terminator */
	uint64_t junk;       /* bytes outside interchanges that are not blanks or line ends */
	uint64_t junk_at;    /* offset of the first of them */
	bool byte_order_mark;
};
struct edi_lexer_counts edi_lexer_counts(const struct edi_lexer *l);
/* What was tolerated in the interchange at hand, EDI_TOLERATED_KINDS of them; good until the next interchange's header was given. */
const struct edi_tolerance *edi_lexer_tolerated(const struct edi_lexer *l);

#endif
