/* The fast loop, in two stages over a batch of bytes that stays in the first-level cache.
 *
 * 1. 64 bytes at a time become bit masks of separators, and the masks lists: of all positions, of those that end a segment,
 *    of release characters. There is no branch for a position (lexer_find.c).
 * 2. Segments are given out as stretches of the list of positions: nothing is copied or looked at that is no terminator.
 *
 * Where nobody looks into messages, their segments are only counted, on the masks. */
#include "edi/lexer_private.h"

/* What the first byte of a segment may mean, and what stands before one. */
enum { BLANK = 1, LOOK = 2, X12_ENVELOPE = 4, EDIFACT_ENVELOPE = 8 };
static const unsigned char first_bytes[256] = {
	[0] = BLANK, ['\t'] = BLANK, ['\n'] = BLANK, ['\r'] = BLANK, [0x1a] = BLANK, [' '] = BLANK,
	['B'] = LOOK, ['G'] = X12_ENVELOPE, ['I'] = LOOK | X12_ENVELOPE, ['S'] = X12_ENVELOPE, ['U'] = LOOK | EDIFACT_ENVELOPE,
};

/* ISA, UNA, UNB, BIN and BDS need more than the fast loop. */
static bool needs_look(const char *p, size_t left)
{
	if (left < 3)
		return true;
	return memcmp(p, "ISA", 3) == 0 || memcmp(p, "UNA", 3) == 0 || memcmp(p, "UNB", 3) == 0 || memcmp(p, "BIN", 3) == 0 ||
	       memcmp(p, "BDS", 3) == 0;
}

/* The segment in hand: the entry of the list that holds its start, and the start. */
struct hand {
	uint32_t entry, start;
	uint32_t release; /* next of the batch's release characters */
};

static inline void flag_releases(struct edi_lexer *l, const struct lex_batch *b, struct hand *h, uint32_t end)
{
	while (h->release < b->release_count && b->releases[h->release] < end) {
		l->flags |= EDI_SEGMENT_RELEASE;
		h->release++;
	}
}

/* The segment in hand ends at `entry` of the list. */
static inline int give(struct edi_lexer *l, const struct lex_batch *b, const char *window, const struct hand *h, uint32_t entry,
	uint32_t end)
{
	bool trailing = b->list[entry - 1] == end; /* the last element is empty */
	if (trailing && entry - h->entry <= l->max_elements && end - h->start <= l->max_segment)
		lex_tolerate(l, EDI_TOLERATED_TRAILING, l->base + h->start);
	const unsigned envelope = l->standard == EDI_X12 ? X12_ENVELOPE : EDIFACT_ENVELOPE;
	if (l->heads_only && !(first_bytes[(unsigned char)window[h->start]] & envelope)) {
		l->counts.segments++;
		l->flags = 0;
	} else {
		int rc = lex_give(l, window, b->list + h->entry, entry - h->entry, end - h->start, l->base + h->start, l->base + end + 1);
		if (rc < 0)
			return rc;
	}
	l->end = l->base + end + 1;
	return 0;
}

/* The segments that end in the batch. Returns 1 to go on, 0 when the state changed, or an error. */
static int give_out(struct edi_lexer *l, const struct lex_batch *b, const char *window, size_t length, struct hand *h)
{
	const char element = l->delimiters.element;
	for (uint32_t i = 0; i < b->end_count; i++) {
		uint32_t entry = b->ends[i], end = b->list[entry] - 1, start = end + 1;
		unsigned first = BLANK;
		if (b->release_count)
			flag_releases(l, b, h, end);
		if (end > h->start) {
			int rc = give(l, b, window, h, entry, end);
			if (rc < 0)
				return rc;
			if (l->state != LEX_SEGMENT) { /* what follows is read otherwise, from its first byte */
				h->entry = entry;
				h->start = b->list[entry] = start;
				return 0;
			}
		} else if (end < h->start) { /* one of several line ends that were skipped as blanks */
			start = h->start;
		} else {
			lex_tolerate(l, EDI_TOLERATED_EMPTY, l->base + end);
		}
		for (; start < length && (first = first_bytes[(unsigned char)window[start]]) & BLANK && window[start] != element; start++)
			if (l->state != LEX_JUNK)
				lex_tolerate(l, lex_blank_kind(window[start]), l->base + start);
		h->entry = entry;
		h->start = b->list[entry] = start;
		if (start >= length || (first & LOOK && needs_look(window + start, length - start))) {
			l->state = LEX_START;
			return 0;
		}
	}
	flag_releases(l, b, h, UINT32_MAX);
	return 1;
}

/* Moves the segment in hand to the list's beginning; elements past the bound are only counted. */
static void make_room(const struct edi_lexer *l, struct lex_batch *b, struct hand *h)
{
	b->count -= h->entry;
	if (b->count > l->max_elements + 2)
		b->count = l->max_elements + 2;
	memmove(b->list, b->list + h->entry, b->count * sizeof *b->list);
	h->entry = 0;
	h->release = b->release_count = 0;
}

/* Whether segments may be passed over. */
static bool may_pass(const struct edi_lexer *l)
{
	const struct edi_delimiters *d = &l->delimiters;
	return l->heads_only && !((first_bytes[(unsigned char)d->terminator] | first_bytes[(unsigned char)d->element]) & BLANK);
}

/* Counts segments that nobody looks at. True: *pos moved on, and what is there is looked at from its first byte. */
static bool pass_over(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	struct edi_tolerance *t = &l->tolerated[EDI_TOLERATED_LINE_ENDS];
	struct lex_passed p = l->finder.pass(&l->delimiters, window, *pos, length);
	if (!p.segments)
		return false;
	if (p.lines && !t->count)
		t->first = l->base + p.first_line;
	t->count += p.lines;
	l->counts.segments += p.segments;
	l->end = l->base + p.end;
	l->flags = 0;
	l->state = LEX_START;
	*pos = p.to;
	return true;
}

/* Between windows the list holds the segment in hand alone, its positions counted from its first byte. */
int lex_scan(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	const bool passing = may_pass(l);
	const size_t batch = passing ? LEX_HEADS_BATCH : LEX_BATCH;
	if (passing && !l->scanned && pass_over(l, window, length, pos))
		return 0;
	struct lex_batch *b = &l->batch;
	b->delimiters = l->delimiters;
	b->list = l->at;
	b->count = l->n;
	b->released = l->released;
	b->release_count = 0;
	struct hand h = {.start = (uint32_t)*pos};
	int rc = 1;
	if (!l->scanned)
		l->odd = l->parts = false;
	for (uint32_t i = 0; i < b->count; i++)
		b->list[i] += h.start;
	for (size_t at = *pos + l->scanned; at < length && rc > 0; at += batch) {
		size_t end = length - at < batch ? length : at + batch;
		l->finder.find(b, window, at, end);
		l->odd |= b->odd;
		l->parts |= b->parts;
		rc = give_out(l, b, window, length, &h);
		make_room(l, b, &h);
		if (b->end_count) { /* the segment in hand began in this batch, else before it */
			l->odd = b->odd;
			l->parts = b->parts;
		}
		if (passing && b->end_count && rc > 0) {
			l->state = LEX_START;
			rc = 0;
		}
	}
	*pos = h.start;
	l->n = rc > 0 ? b->count : 1;
	for (uint32_t i = 0; i < l->n; i++)
		b->list[i] -= h.start;
	l->scanned = rc > 0 ? length - h.start : 0;
	l->released = rc > 0 && b->released;
	return rc < 0 ? rc : 0;
}
