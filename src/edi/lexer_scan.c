/* The fast loop: 64 bytes at a time become bit masks of separators, which are walked from set bit to set bit. */
#include "edi/lexer_private.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define SCAN_BLOCK 64

struct scan_masks {
	uint64_t terminator, element, release;
};

/* True when the segment that begins with this byte may need more than the fast loop: ISA, UNA, UNB, BIN, BDS. */
static inline bool needs_look(unsigned char c)
{
	return c == 'I' || c == 'U' || c == 'B';
}

typedef struct scan_masks (*masks_fn)(const char *p, const struct edi_delimiters *d);

/* Walks the bits of one block. Returns 1 to go on, 0 when the state changed, or an error. */
static inline __attribute__((always_inline)) int walk(struct edi_lexer *l, const char *window, size_t length, size_t block,
	struct scan_masks m, size_t *pos)
{
	uint64_t all = m.terminator | m.element | m.release;
	if (l->released) {
		all &= ~(uint64_t)1;
		l->released = false;
	}
	if (l->n + SCAN_BLOCK >= l->cap)
		l->n = l->cap - SCAN_BLOCK - 1; /* the entries that may be given out are below */
	size_t start = *pos;
	uint32_t n = l->n;
	uint32_t *at = l->at;
	while (all) {
		unsigned i = (unsigned)__builtin_ctzll(all);
		uint64_t bit = all & -all;
		all &= all - 1;
		if (!(bit & (m.terminator | m.release))) {
			at[n++] = (uint32_t)(block + i + 1 - start);
			continue;
		}
		if (bit & m.release) {
			l->flags |= EDI_SEGMENT_RELEASE;
			if (i == SCAN_BLOCK - 1)
				l->released = true;
			else
				all &= ~(bit << 1);
			continue;
		}
		size_t end = block + i;
		l->n = n;
		if (end > start) {
			int rc = lex_emit(l, window + start, end - start, l->base + start, l->base + end + 1);
			if (rc < 0)
				return rc;
		}
		n = l->n = 1;
		start = end + 1;
		if (l->state != LEX_SEGMENT) {
			*pos = start;
			return 0;
		}
		while (start < length && lex_blank((unsigned char)window[start]) && window[start] != l->delimiters.element)
			start++;
		*pos = start;
		if (start >= length || start >= block + SCAN_BLOCK || needs_look((unsigned char)window[start])) {
			l->state = LEX_START;
			return 0;
		}
		all &= ~(uint64_t)0 << (start - block);
	}
	l->n = n;
	return 1;
}

static inline __attribute__((always_inline)) int scan(struct edi_lexer *l, const char *window, size_t length, size_t *pos,
	masks_fn masks)
{
	size_t block = *pos + l->scanned;
	const struct edi_delimiters d = l->delimiters;
	while (length - block >= SCAN_BLOCK) {
		int rc = walk(l, window, length, block, masks(window + block, &d), pos);
		if (rc <= 0)
			return rc;
		block += SCAN_BLOCK;
	}
	if (block < length) {
		char tail[SCAN_BLOCK] = {0};
		size_t left = length - block;
		memcpy(tail, window + block, left);
		struct scan_masks m = masks(tail, &d);
		uint64_t there = ((uint64_t)1 << left) - 1;
		m = (struct scan_masks){m.terminator & there, m.element & there, m.release & there};
		int rc = walk(l, window, length, block, m, pos);
		if (rc <= 0)
			return rc;
		/* walk() takes the block for whole: a release character as its last byte meant nothing to it */
		if (m.release >> (left - 1) & 1) {
			size_t run = 0;
			while (run < length - *pos && window[length - 1 - run] == d.release)
				run++;
			l->released = run & 1;
		}
	}
	l->scanned = length - *pos;
	return 0;
}

/* Portable: eight bytes at a time would need care with carries; a plain loop is short and the compiler vectorises it. */
#if !defined(__x86_64__)
static struct scan_masks masks_plain(const char *p, const struct edi_delimiters *d)
{
	struct scan_masks m = {0};
	for (unsigned i = 0; i < SCAN_BLOCK; i++) {
		m.terminator |= (uint64_t)(p[i] == d->terminator) << i;
		m.element |= (uint64_t)(p[i] == d->element) << i;
		m.release |= (uint64_t)(d->release && p[i] == d->release) << i;
	}
	return m;
}

int lex_scan(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	return scan(l, window, length, pos, masks_plain);
}
#else
static inline __attribute__((always_inline)) uint64_t equal_sse2(const __m128i v[4], char c)
{
	__m128i k = _mm_set1_epi8(c);
	uint64_t a = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[0], k)), b = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[1], k));
	uint64_t e = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[2], k)), f = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[3], k));
	return a | b << 16 | e << 32 | f << 48;
}

static inline __attribute__((always_inline)) struct scan_masks masks_sse2(const char *p, const struct edi_delimiters *d)
{
	__m128i v[4];
	for (int i = 0; i < 4; i++)
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
	return (struct scan_masks){equal_sse2(v, d->terminator), equal_sse2(v, d->element),
		d->release ? equal_sse2(v, d->release) : 0};
}

static int scan_sse2(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	return scan(l, window, length, pos, masks_sse2);
}

#define AVX2 __attribute__((target("avx2,bmi")))

static inline AVX2 uint64_t equal_avx2(__m256i a, __m256i b, char c)
{
	__m256i k = _mm256_set1_epi8(c);
	uint64_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, k));
	return low | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, k)) << 32;
}

static inline AVX2 struct scan_masks masks_avx2(const char *p, const struct edi_delimiters *d)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	return (struct scan_masks){equal_avx2(a, b, d->terminator), equal_avx2(a, b, d->element),
		d->release ? equal_avx2(a, b, d->release) : 0};
}

static AVX2 int scan_avx2(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	return scan(l, window, length, pos, masks_avx2);
}

int lex_scan(struct edi_lexer *l, const char *window, size_t length, size_t *pos)
{
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
		return scan_avx2(l, window, length, pos);
	return scan_sse2(l, window, length, pos);
}
#endif
