/* The fast loop, in two stages over a batch of bytes that stays in the first-level cache.
 *
 * 1. 64 bytes at a time become bit masks of separators, and the masks lists: of all positions, of those that end a segment,
 *    of release characters. There is no branch for a position; one for each instruction set (lex_find_fn).
 * 2. Segments are given out as stretches of the list of positions: nothing is copied or looked at that is no terminator. */
#include "edi/lexer_private.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define BLOCK 64

/* Bit i is byte i of the block. `odd`: it is not printable ASCII; `part`: a component or repetition separator. */
struct masks {
	uint64_t terminator, element, release, odd, part, line_end;
};

typedef struct masks (*masks_fn)(const char *p, const struct edi_delimiters *d);
/* Writes first + i for each set bit i, in order; may write up to BLOCK entries whatever the bits are. */
typedef void (*flatten_fn)(uint32_t *to, uint64_t bits, uint32_t first);

/* --- first stage ------------------------------------------------------------------------------------------------------- */

/* The bytes that a release character takes the meaning of. *carry says whether the first is one, and then of the next
 * block's; *release keeps the characters that count as such. */
static inline uint64_t escaped_bytes(uint64_t *release, bool *carry)
{
	uint64_t escaped = *carry, left = *release & ~escaped;
	*release = 0;
	*carry = false;
	while (left) {
		uint64_t bit = left & -left;
		*release |= bit;
		*carry = bit >> (BLOCK - 1);
		escaped |= bit << 1;
		left &= ~(bit | bit << 1);
	}
	return escaped;
}

static inline __attribute__((always_inline)) struct masks tail_masks(const char *p, size_t n, const struct edi_delimiters *d,
	masks_fn masks)
{
	char padded[BLOCK] = {0};
	uint64_t there = ((uint64_t)1 << n) - 1;
	memcpy(padded, p, n);
	struct masks m = masks(padded, d);
	return (struct masks){m.terminator & there, m.element & there, m.release & there, m.odd & there, m.part & there,
		m.line_end & there};
}

static inline void list_releases(struct lex_batch *b, uint64_t bits, uint32_t first)
{
	for (; bits; bits &= bits - 1)
		b->releases[b->release_count++] = first + (uint32_t)__builtin_ctzll(bits);
}

static inline __attribute__((always_inline)) void find(struct lex_batch *b, const char *window, size_t from, size_t to,
	masks_fn masks, flatten_fn flatten)
{
	const struct edi_delimiters d = b->delimiters;
	uint32_t *list = b->list, n = b->count, ends = 0;
	uint64_t odd = 0, parts = 0, after_end = 0, after_first = 0;
	for (size_t at = from; at < to; at += BLOCK) {
		struct masks m = to - at >= BLOCK ? masks(window + at, &d) : tail_masks(window + at, to - at, &d, masks);
		if (d.release) {
			uint64_t escaped = escaped_bytes(&m.release, &b->released);
			if (to - at < BLOCK)
				b->released = escaped >> (to - at) & 1;
			m.terminator &= ~escaped;
			m.element &= ~escaped;
			list_releases(b, m.release, (uint32_t)at);
		}
		uint64_t all = m.terminator | m.element;
		/* one or two line ends right after a terminator are in no segment */
		uint64_t first = m.line_end & (m.terminator << 1 | after_end), second = m.line_end & (first << 1 | after_first);
		odd |= m.odd & ~all & ~first & ~second;
		after_end = m.terminator >> (BLOCK - 1);
		after_first = first >> (BLOCK - 1);
		parts |= m.part & ~all;
		flatten(list + n, all, (uint32_t)at + 1);
		for (uint64_t left = m.terminator; left; left &= left - 1)
			b->ends[ends++] = n + (uint32_t)__builtin_popcountll(all & ((left & -left) - 1));
		n += (uint32_t)__builtin_popcountll(all);
	}
	b->count = n;
	b->end_count = ends;
	b->odd = odd != 0;
	b->parts = parts != 0;
}

/* --- second stage ------------------------------------------------------------------------------------------------------ */

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

/* Between windows the list holds the segment in hand alone, its positions counted from its first byte. */
int lex_scan(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	struct lex_batch b; /* its lists are large: no zeros are written over them */
	b.delimiters = l->delimiters;
	b.list = l->at;
	b.count = l->n;
	b.released = l->released;
	b.release_count = 0;
	struct hand h = {.start = (uint32_t)*pos};
	int rc = 1;
	if (!l->scanned)
		l->odd = l->parts = false;
	for (uint32_t i = 0; i < b.count; i++)
		b.list[i] += h.start;
	for (size_t at = *pos + l->scanned; at < length && rc > 0; at += LEX_BATCH) {
		size_t end = length - at < LEX_BATCH ? length : at + LEX_BATCH;
		l->find(&b, window, at, end);
		l->odd |= b.odd;
		l->parts |= b.parts;
		rc = give_out(l, &b, window, length, &h);
		make_room(l, &b, &h);
		if (b.end_count) { /* the segment in hand began in this batch, else before it */
			l->odd = b.odd;
			l->parts = b.parts;
		}
	}
	*pos = h.start;
	l->n = rc > 0 ? b.count : 1;
	for (uint32_t i = 0; i < l->n; i++)
		b.list[i] -= h.start;
	l->scanned = rc > 0 ? length - h.start : 0;
	l->released = rc > 0 && b.released;
	return rc < 0 ? rc : 0;
}

/* --- one for each instruction set -------------------------------------------------------------------------------------- */

static inline void flatten_plain(uint32_t *to, uint64_t bits, uint32_t first)
{
	while (bits) {
		for (int i = 0; i < 4; i++) { /* past the last bit: an entry that is overwritten */
			*to++ = first + (bits ? (uint32_t)__builtin_ctzll(bits) : 0);
			bits &= bits - 1;
		}
	}
}

static inline struct masks masks_plain(const char *p, const struct edi_delimiters *d)
{
	struct masks m = {0};
	for (unsigned i = 0; i < BLOCK; i++) {
		m.terminator |= (uint64_t)(p[i] == d->terminator) << i;
		m.element |= (uint64_t)(p[i] == d->element) << i;
		m.release |= (uint64_t)(d->release && p[i] == d->release) << i;
		m.odd |= (uint64_t)((unsigned char)p[i] - 0x20u > 0x5e) << i;
		m.part |= (uint64_t)(p[i] == d->component || p[i] == d->repetition) << i;
		m.line_end |= (uint64_t)(p[i] == '\n' || p[i] == '\r') << i;
	}
	return m;
}

static void find_plain(struct lex_batch *b, const char *window, size_t from, size_t to)
{
	find(b, window, from, to, masks_plain, flatten_plain);
}

#if defined(__x86_64__)
static inline __attribute__((always_inline)) uint64_t bits_sse2(__m128i a, __m128i b, __m128i c, __m128i d)
{
	return (uint32_t)_mm_movemask_epi8(a) | (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
	       (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 | (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}

static inline __attribute__((always_inline)) uint64_t equal_sse2(const __m128i v[4], char c)
{
	__m128i k = _mm_set1_epi8(c);
	return bits_sse2(_mm_cmpeq_epi8(v[0], k), _mm_cmpeq_epi8(v[1], k), _mm_cmpeq_epi8(v[2], k), _mm_cmpeq_epi8(v[3], k));
}

/* Bytes from 0x80 on are negative: they are below a blank, too. */
static inline __attribute__((always_inline)) uint64_t odd_sse2(const __m128i v[4])
{
	__m128i k = _mm_set1_epi8(0x20);
	return bits_sse2(_mm_cmplt_epi8(v[0], k), _mm_cmplt_epi8(v[1], k), _mm_cmplt_epi8(v[2], k), _mm_cmplt_epi8(v[3], k)) |
	       equal_sse2(v, 0x7f);
}

static inline __attribute__((always_inline)) struct masks masks_sse2(const char *p, const struct edi_delimiters *d)
{
	__m128i v[4];
	for (int i = 0; i < 4; i++)
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
	return (struct masks){equal_sse2(v, d->terminator), equal_sse2(v, d->element), d->release ? equal_sse2(v, d->release) : 0,
		odd_sse2(v), equal_sse2(v, d->component) | equal_sse2(v, d->repetition), equal_sse2(v, '\n') | equal_sse2(v, '\r')};
}

static void find_sse2(struct lex_batch *b, const char *window, size_t from, size_t to)
{
	find(b, window, from, to, masks_sse2, flatten_plain);
}

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

static inline AVX2 uint64_t bits_avx2(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

static inline AVX2 uint64_t equal_avx2(__m256i a, __m256i b, char c)
{
	__m256i k = _mm256_set1_epi8(c);
	return bits_avx2(_mm256_cmpeq_epi8(a, k), _mm256_cmpeq_epi8(b, k));
}

static inline AVX2 uint64_t odd_avx2(__m256i a, __m256i b)
{
	__m256i k = _mm256_set1_epi8(0x20);
	return bits_avx2(_mm256_cmpgt_epi8(k, a), _mm256_cmpgt_epi8(k, b)) | equal_avx2(a, b, 0x7f);
}

static inline AVX2 struct masks masks_avx2(const char *p, const struct edi_delimiters *d)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	return (struct masks){equal_avx2(a, b, d->terminator), equal_avx2(a, b, d->element),
		d->release ? equal_avx2(a, b, d->release) : 0, odd_avx2(a, b), equal_avx2(a, b, d->component) | equal_avx2(a, b, d->repetition),
		equal_avx2(a, b, '\n') | equal_avx2(a, b, '\r')};
}

/* Eight at a time, most blocks have fewer than sixteen: a count of nothing (64) is overwritten later. */
static inline AVX2 void flatten_avx2(uint32_t *to, uint64_t bits, uint32_t first)
{
	while (bits) {
		for (int i = 0; i < 8; i++) {
			to[i] = first + (uint32_t)_tzcnt_u64(bits);
			bits = _blsr_u64(bits);
		}
		to += 8;
	}
}

static AVX2 void find_avx2(struct lex_batch *b, const char *window, size_t from, size_t to)
{
	find(b, window, from, to, masks_avx2, flatten_avx2);
}

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,popcnt")))

static inline AVX512 uint64_t equal_avx512(__m512i v, char c)
{
	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

static inline AVX512 struct masks masks_avx512(const char *p, const struct edi_delimiters *d)
{
	__m512i v = _mm512_loadu_si512(p);
	return (struct masks){equal_avx512(v, d->terminator), equal_avx512(v, d->element), d->release ? equal_avx512(v, d->release) : 0,
		_mm512_cmpgt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(0x20)), _mm512_set1_epi8(0x5e)),
		equal_avx512(v, d->component) | equal_avx512(v, d->repetition), equal_avx512(v, '\n') | equal_avx512(v, '\r')};
}

/* The numbers 0 to 63 as bytes; those whose bit is set are pushed together, widened and moved to the block's place. */
static inline AVX512 void flatten_avx512(uint32_t *to, uint64_t bits, uint32_t first)
{
	const __m512i numbers = _mm512_set_epi64(0x3f3e3d3c3b3a3938, 0x3736353433323130, 0x2f2e2d2c2b2a2928, 0x2726252423222120,
		0x1f1e1d1c1b1a1918, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100);
	__m512i packed = _mm512_maskz_compress_epi8(bits, numbers), base = _mm512_set1_epi32((int)first);
	int n = __builtin_popcountll(bits);
	_mm512_storeu_si512(to, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed))));
	if (__builtin_expect(n > 16, 0)) {
		_mm512_storeu_si512(to + 16, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 1))));
		_mm512_storeu_si512(to + 32, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 2))));
		_mm512_storeu_si512(to + 48, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 3))));
	}
}

static AVX512 void find_avx512(struct lex_batch *b, const char *window, size_t from, size_t to)
{
	find(b, window, from, to, masks_avx512, flatten_avx512);
}
#endif

size_t lex_finders(struct lex_finder list[static LEX_FINDERS])
{
	size_t n = 0;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2"))
		list[n++] = (struct lex_finder){"AVX-512", find_avx512};
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt"))
		list[n++] = (struct lex_finder){"AVX2", find_avx2};
	list[n++] = (struct lex_finder){"SSE2", find_sse2};
#endif
	list[n++] = (struct lex_finder){"plain", find_plain};
	return n;
}
