/* The lexer's states, what it keeps between chunks, and the slow path for binary data, wrapped lines and code extension. */
#include "edi/lexer_private.h"

#include <stdlib.h>

#define DEFAULT_SEGMENT ((size_t)1 << 20)
#define LARGEST_SEGMENT ((size_t)16 << 20)
#define DEFAULT_ELEMENTS 8192
#define CARRY_STEP 512     /* bytes added to the carry at a time, so that little is copied */
#define LARGEST_WINDOW ((size_t)1 << 30) /* element positions have 32 bits */

struct slice edi_cut(struct slice *rest, char separator, char release)
{
	struct slice s = *rest;
	for (size_t i = 0; separator && i < s.n; i++) {
		if (release && s.p[i] == release) {
			i++;
		} else if (s.p[i] == separator) {
			*rest = slice_make(s.p + i + 1, s.n - i - 1);
			return slice_make(s.p, i);
		}
	}
	*rest = SLICE_NONE;
	return s;
}

struct slice edi_unescape(struct slice s, char release, char *room)
{
	if (!release || !s.n || !memchr(s.p, release, s.n))
		return s;
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == release && i + 1 < s.n)
			i++;
		room[n++] = s.p[i];
	}
	return slice_make(room, n);
}

bool edi_delimiters_allow_shifts(const struct edi_delimiters *d)
{
	const char all[] = {d->element, d->component, d->repetition, d->release, d->terminator};
	for (size_t i = 0; i < sizeof all; i++)
		if (edi_shift_is_reserved(all[i]))
			return false;
	return true;
}

struct edi_lexer *edi_lexer_new(const struct edi_lexer_options *options, edi_segment_fn fn, void *ctx)
{
	struct edi_lexer *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->fn = fn;
	l->ctx = ctx;
	l->object = options ? options->object : NULL;
	l->max_segment = options && options->max_segment ? options->max_segment : DEFAULT_SEGMENT;
	if (l->max_segment > LARGEST_SEGMENT)
		l->max_segment = LARGEST_SEGMENT;
	l->max_elements = options && options->max_elements ? options->max_elements : DEFAULT_ELEMENTS;
	l->cap = l->max_elements + 2;
	l->at = calloc(l->cap + LEX_BATCH + 64, sizeof *l->at);
	struct lex_finder finders[LEX_FINDERS];
	lex_finders(finders);
	l->finder = finders[0];
	l->carry.max = l->max_segment + 2 * CARRY_STEP;
	l->slow.max = l->max_segment + 2 * CARRY_STEP;
	l->n = 1;
	if (!l->at) {
		free(l);
		return NULL;
	}
	return l;
}

void edi_lexer_free(struct edi_lexer *l)
{
	if (!l)
		return;
	van_buf_free(&l->carry);
	van_buf_free(&l->slow);
	free(l->at);
	free(l);
}

struct edi_lexer_counts edi_lexer_counts(const struct edi_lexer *l)
{
	struct edi_lexer_counts counts = l->counts;
	counts.end = l->end;
	return counts;
}

const struct edi_tolerance *edi_lexer_tolerated(const struct edi_lexer *l)
{
	return l->tolerated;
}

void edi_lexer_heads_only(struct edi_lexer *l, bool on)
{
	l->heads_only = on;
}

static bool at_end_of_interchange(const struct edi_lexer *l, const struct edi_segment *s)
{
	return l->standard == EDI_X12 ? edi_segment_is(s, "IEA") : edi_segment_is(s, "UNZ");
}

/* ISX (X12 from 007040 on) names a release character for what follows. */
static void take_isx(struct edi_lexer *l, const struct edi_segment *s)
{
	struct slice e = edi_segment_element(s, 1);
	if (e.n == 1 && !lex_alnum((unsigned char)*e.p) && *e.p != l->delimiters.terminator)
		l->delimiters.release = *e.p;
}

uint32_t lex_trim(struct edi_lexer *l, const char *base, uint32_t *at, uint32_t *count, uint32_t length)
{
	uint32_t n = *count;
	if (l->lead_length && length >= l->lead_length && memcmp(base + at[0] + length - l->lead_length, l->lead, l->lead_length) == 0)
		length -= (uint32_t)l->lead_length;
	if (length > l->max_segment) {
		length = (uint32_t)l->max_segment;
		l->flags |= EDI_SEGMENT_TOO_LONG;
	}
	while (n > 1 && at[n - 1] - at[0] > length) /* elements that began in what was cut off */
		n--;
	at[n] = at[0] + length + 1;
	if (n > l->max_elements) {
		n = l->max_elements;
		l->flags |= EDI_SEGMENT_TOO_MANY;
	}
	*count = n;
	return length;
}

/* The object follows UNO's terminator at once; S022 0810 says how many bytes it has (ISO 9735-8). */
static void take_uno(struct edi_lexer *l, const struct edi_segment *s)
{
	unsigned long long n;
	struct slice rest = edi_segment_element(s, 4);
	struct slice length = rest.p ? edi_cut(&rest, l->delimiters.component, l->delimiters.release) : rest;
	if (length.n && length.n <= 18 && slice_u64(length, &n) && n) {
		l->object_left = n;
		l->state = LEX_OBJECT;
	}
}

static bool at_header(const struct edi_lexer *l, const struct edi_segment *s)
{
	return s->flags & EDI_SEGMENT_UNA || (l->standard == EDI_X12 ? edi_segment_is(s, "ISA") : edi_segment_is(s, "UNB"));
}

/* The interchange before, if any, was ended by this header: now counts its own. */
static void begin_tolerated(struct edi_lexer *l, const struct edi_segment *s)
{
	bool trailing = l->standard == EDI_EDIFACT && s->count > 1 && s->at[s->count - 1] + 1 == s->at[s->count];
	if (!l->advised)
		memset(l->tolerated, 0, sizeof l->tolerated);
	for (unsigned k = 0; k < EDI_TOLERATED_KINDS; k++)
		if (l->header >> k & 1)
			lex_tolerate(l, (enum edi_tolerated)k, s->offset);
	if (trailing && !l->advised)
		lex_tolerate(l, EDI_TOLERATED_TRAILING, s->offset);
	l->header = 0;
	l->advised = false;
}

void lex_after(struct edi_lexer *l, const struct edi_segment *s)
{
	if (at_header(l, s))
		begin_tolerated(l, s);
	if (l->objects && l->standard == EDI_EDIFACT && edi_segment_is(s, "UNO"))
		take_uno(l, s);
	if (at_end_of_interchange(l, s)) {
		l->state = LEX_JUNK;
		l->wrapped = false;
		l->flags = 0;
		l->before = 0;
	} else if (l->standard == EDI_X12 && edi_segment_is(s, "ISX")) {
		take_isx(l, s);
		l->state = LEX_START; /* the fast loop must begin anew with it */
	}
}

int lex_emit(struct edi_lexer *l, const char *bytes, size_t length, uint64_t offset, uint64_t end)
{
	uint32_t n = l->n;
	l->at[n] = (uint32_t)length + 1;
	l->n = 1;
	l->released = false;
	l->scanned = 0;
	l->odd = l->parts = true;
	bool whole = n <= l->max_elements && length <= l->max_segment && !(l->flags & EDI_SEGMENT_BINARY);
	if (n > 1 && l->at[n - 1] == length && whole)
		lex_tolerate(l, EDI_TOLERATED_TRAILING, offset);
	if (l->flags & EDI_SEGMENT_UNTERMINATED)
		lex_tolerate(l, EDI_TOLERATED_UNTERMINATED, offset);
	int rc = lex_give(l, bytes, l->at, n, (uint32_t)length, offset, end);
	l->end = end;
	return rc;
}

/* --- outside interchanges --------------------------------------------------------------------------------------------- */

static bool header_here(const char *p)
{
	return memcmp(p, "ISA", 3) == 0 ? !lex_alnum((unsigned char)p[3]) && !lex_blank((unsigned char)p[3])
	                                : memcmp(p, "UNA", 3) == 0 || (memcmp(p, "UNB", 3) == 0 && !lex_alnum((unsigned char)p[3]));
}

static void count_junk(struct edi_lexer *l, char c, uint64_t offset)
{
	if (lex_blank((unsigned char)c))
		return;
	if (!l->counts.junk++)
		l->counts.junk_at = offset;
}

/* Skips to a header: at the beginning of the input, or after a byte that is neither letter nor digit. */
static void skip_junk(struct edi_lexer *l, const char *window, size_t length, size_t *pos, bool last)
{
	size_t i = *pos;
	while (i < length) {
		if (window[i] == 'I' || window[i] == 'U') {
			if (length - i < 4 && !last)
				break;
			if (length - i >= 4 && !lex_alnum((unsigned char)l->before) && header_here(window + i)) {
				l->state = LEX_HEADER;
				break;
			}
		}
		if (window[i] == '\xef') {
			if (length - i < 3 && !last)
				break; /* a byte-order mark may be cut */
			if (length - i >= 3 && memcmp(window + i, "\xef\xbb\xbf", 3) == 0) {
				l->counts.byte_order_mark = true;
				i += 3;
				continue;
			}
		}
		count_junk(l, window[i], l->base + i);
		l->before = window[i++];
	}
	*pos = i;
}

/* --- byte by byte ------------------------------------------------------------------------------------------------------ */

static int slow_end(struct edi_lexer *l, uint64_t end)
{
	struct slice s = van_buf_slice(&l->slow);
	l->state = LEX_START;
	l->shift = (struct edi_shift){0};
	if (!s.n)
		lex_tolerate(l, EDI_TOLERATED_EMPTY, end - 1);
	int rc = s.n ? lex_emit(l, s.p, s.n, l->slow_offset, end) : 0;
	van_buf_reset(&l->slow);
	return rc;
}

/* At the separator before the raw bytes: how many there are. BIN*length*data, BDS*filter*length*data. */
static void slow_binary_begin(struct edi_lexer *l)
{
	struct slice s = van_buf_slice(&l->slow);
	bool bin = slice_starts(s, "BIN"), bds = slice_starts(s, "BDS");
	uint32_t which = bin ? 2 : 3; /* elements begun when the data begins, identifier not counted */
	if (l->standard != EDI_X12 || !(bin || bds) || l->binary_done || l->n != which + 1 || l->at[1] != 4)
		return;
	unsigned long long n;
	l->binary_done = true;
	if (slice_u64(slice_make(s.p + l->at[which - 1], s.n - 1 - l->at[which - 1]), &n)) {
		l->binary_left = n;
		l->flags |= EDI_SEGMENT_BINARY;
	} else {
		l->flags |= EDI_SEGMENT_BAD_LENGTH;
	}
}

static int slow_put(struct edi_lexer *l, char c)
{
	if (l->slow.n > l->max_segment)
		return 0; /* lex_emit sees one byte too many and says so */
	return van_buf_append_char(&l->slow, c);
}

static int slow_byte(struct edi_lexer *l, char c, uint64_t offset)
{
	if (l->binary_left) {
		l->binary_left--;
		return slow_put(l, c);
	}
	if (l->wrapped && (c == '\n' || c == '\r'))
		return 0;
	if (!l->slow.n && !l->released && lex_blank((unsigned char)c) && c != l->delimiters.element) {
		lex_tolerate(l, lex_blank_kind(c), offset);
		return 0;
	}
	if (!l->slow.n)
		l->slow_offset = offset;
	if (l->delimiters.shifts) {
		enum edi_shift_byte kind = edi_shift_step(&l->shift, c);
		if (kind != EDI_BYTE_PLAIN) {
			l->released = false;
			return slow_put(l, kind == EDI_BYTE_SHIFTED ? edi_shift_invert(c) : c);
		}
	}
	if (l->released) {
		l->released = false;
		return slow_put(l, c);
	}
	if (l->delimiters.release && c == l->delimiters.release) {
		l->released = true;
		l->flags |= EDI_SEGMENT_RELEASE;
		return slow_put(l, c);
	}
	if (c == l->delimiters.terminator)
		return slow_end(l, offset + 1);
	int rc = slow_put(l, c);
	if (rc == 0 && c == l->delimiters.element && l->slow.n <= l->max_segment) {
		if (l->n < l->cap)
			l->at[l->n++] = (uint32_t)l->slow.n;
		slow_binary_begin(l);
	}
	return rc;
}

static int slow(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	int rc = 0;
	while (rc == 0 && *pos < length && l->state == LEX_SLOW) {
		rc = slow_byte(l, window[*pos], l->base + *pos);
		++*pos;
	}
	return rc;
}

/* Past max_segment: keeps the head that `slow` holds, drops bytes up to the terminator. */
static int skip(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	for (; *pos < length; ++*pos) {
		char c = window[*pos];
		if (l->released) {
			l->released = false;
		} else if (l->delimiters.release && c == l->delimiters.release) {
			l->released = true;
			l->flags |= EDI_SEGMENT_RELEASE;
		} else if (c == l->delimiters.terminator) {
			++*pos;
			return slow_end(l, l->base + *pos);
		}
	}
	return 0;
}

/* --- states ------------------------------------------------------------------------------------------------------------ */

/* A segment begins: skips blanks and decides how it is read. 0: more bytes are needed, 1: state is set. */
static int start(struct edi_lexer *l, const char *window, size_t length, size_t *pos, bool last)
{
	for (; *pos < length && lex_blank((unsigned char)window[*pos]) && window[*pos] != l->delimiters.element; ++*pos)
		lex_tolerate(l, lex_blank_kind(window[*pos]), l->base + *pos);
	size_t left = length - *pos;
	const char *p = window + *pos;
	if (!left)
		return 0;
	l->scanned = 0;
	l->state = lex_usual_state(l);
	if (*p != 'I' && *p != 'U' && *p != 'B')
		return 1;
	if (left < 4) {
		l->state = last ? l->state : LEX_START;
		return last;
	}
	if (header_here(p) && p[3] != l->delimiters.terminator) {
		l->state = LEX_HEADER;
	} else if (l->standard == EDI_X12 && (memcmp(p, "BIN", 3) == 0 || memcmp(p, "BDS", 3) == 0) && p[3] == l->delimiters.element) {
		l->state = LEX_SLOW;
		l->binary_left = 0;
		l->binary_done = false;
	}
	return 1;
}

/* A header that is none: outside an interchange its first byte is junk, inside one it is a segment like others. */
static void refuse_header(struct edi_lexer *l, const char *window, size_t *pos)
{
	if (l->standard == EDI_UNKNOWN || l->una) {
		count_junk(l, window[*pos], l->base + *pos);
		l->before = 'x';
		++*pos;
		l->una = false;
		l->state = LEX_JUNK;
	} else {
		l->state = lex_usual_state(l);
	}
}

static int pass_object(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	size_t left = length - *pos, n = l->object_left < left ? (size_t)l->object_left : left;
	int rc = l->object ? l->object(l->ctx, slice_make(window + *pos, n)) : 0;
	l->object_left -= n;
	*pos += n;
	if (!l->object_left)
		l->state = LEX_START;
	return rc;
}

/* Uses up what it can of the window; *pos is then the first byte that must be seen again. */
static int step(struct edi_lexer *l, const char *window, size_t length, size_t *pos, bool last)
{
	int rc = 0;
	while (rc >= 0 && *pos < length) {
		size_t before = *pos;
		enum edi_lexer_state state = l->state;
		switch (state) {
		case LEX_JUNK: skip_junk(l, window, length, pos, last); break;
		case LEX_START: rc = start(l, window, length, pos, last); break;
		case LEX_HEADER:
			rc = lex_header(l, window, length, pos, last);
			if (rc == LEX_NO_HEADER)
				refuse_header(l, window, pos);
			break;
		case LEX_SEGMENT: rc = lex_scan(l, window, length, pos); break;
		case LEX_SLOW: rc = slow(l, window, length, pos); break;
		case LEX_SKIP: rc = skip(l, window, length, pos); break;
		case LEX_OBJECT: rc = pass_object(l, window, length, pos); break;
		case LEX_DONE: return VAN_ESTATE;
		}
		if (rc >= 0 && l->state == state && (*pos == before || state == LEX_SEGMENT))
			break; /* needs more */
	}
	return rc < 0 ? rc : 0;
}

/* The unfinished segment that window ends with: keeps it, or its head when it is past the bound. */
static int keep(struct edi_lexer *l, const char *rest, size_t n)
{
	if (n <= l->max_segment || l->state != LEX_SEGMENT) {
		if (n && rest != l->carry.p) {
			van_buf_reset(&l->carry);
			return van_buf_append(&l->carry, rest, n);
		}
		l->carry.n = n;
		return 0;
	}
	van_buf_reset(&l->slow);
	int rc = van_buf_append(&l->slow, rest, l->max_segment + 1);
	l->slow_offset = l->base;
	l->state = LEX_SKIP;
	l->carry.n = 0;
	l->base += n;
	return rc;
}

/* Feeds while something is carried; *chunk is what is left to be read in place. */
static int feed_carry(struct edi_lexer *l, struct slice *chunk, bool last)
{
	while (l->carry.n && chunk->n) {
		size_t old = l->carry.n, take = chunk->n < CARRY_STEP ? chunk->n : CARRY_STEP, pos = 0;
		int rc = van_buf_append(&l->carry, chunk->p, take);
		if (rc == 0)
			rc = step(l, l->carry.p, l->carry.n, &pos, last && take == chunk->n);
		if (rc < 0)
			return rc;
		if (pos >= old) {
			l->base += pos;
			l->carry.n = 0;
			*chunk = slice_make(chunk->p + (pos - old), chunk->n - (pos - old));
			return 0;
		}
		van_buf_consume(&l->carry, pos);
		l->base += pos;
		*chunk = slice_make(chunk->p + take, chunk->n - take);
		rc = keep(l, l->carry.p, l->carry.n);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The input is over: what is left is a segment without terminator, or nothing. */
static int finish(struct edi_lexer *l)
{
	int rc = 0;
	size_t pos = 0;
	if (l->carry.n)
		rc = step(l, l->carry.p, l->carry.n, &pos, true);
	if (rc == 0 && l->state == LEX_SEGMENT && l->carry.n > pos) {
		size_t n = l->carry.n - pos;
		while (n && lex_blank((unsigned char)l->carry.p[pos + n - 1]))
			n--;
		while (l->n > 1 && l->at[l->n - 1] > n)
			l->n--;
		l->flags |= EDI_SEGMENT_UNTERMINATED;
		if (n)
			rc = lex_emit(l, l->carry.p + pos, n, l->base + pos, l->counts.bytes);
	} else if (rc == 0 && (l->state == LEX_SLOW || l->state == LEX_SKIP) && l->slow.n) {
		l->flags |= EDI_SEGMENT_UNTERMINATED | (l->binary_left ? EDI_SEGMENT_BAD_LENGTH : 0);
		rc = slow_end(l, l->counts.bytes);
	}
	l->state = LEX_DONE;
	return rc;
}

static int feed_window(struct edi_lexer *l, struct slice chunk, bool last)
{
	int rc = feed_carry(l, &chunk, last);
	if (rc == 0 && chunk.n) {
		size_t pos = 0;
		rc = step(l, chunk.p, chunk.n, &pos, last);
		if (rc == 0) {
			l->base += pos;
			rc = keep(l, chunk.p + pos, chunk.n - pos);
		}
	}
	return rc;
}

int edi_lexer_feed(struct edi_lexer *l, struct slice chunk, bool last)
{
	if (l->error)
		return l->error;
	if (l->state == LEX_DONE)
		return VAN_ESTATE;
	int rc = 0;
	while (rc == 0 && chunk.n) {
		size_t n = chunk.n < LARGEST_WINDOW ? chunk.n : LARGEST_WINDOW;
		l->counts.bytes += n;
		rc = feed_window(l, slice_make(chunk.p, n), last && n == chunk.n);
		chunk = slice_make(chunk.p + n, chunk.n - n);
	}
	if (rc == 0 && last)
		rc = finish(l);
	return l->error = rc;
}
