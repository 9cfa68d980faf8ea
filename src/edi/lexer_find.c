/* The first stage of the fast loop: what stands where in a stretch of bytes, 64 at a time, for each instruction set. */
#include "edi/lexer_private.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define BLOCK 64
#define TOP ((uint64_t)1 << (BLOCK - 1))

/* Bit i is byte i of the block. `odd`: it is not printable ASCII; `part`: a component or repetition separator. */
struct masks {
	uint64_t terminator, element, release, odd, part, line_end;
};

typedef struct masks (*masks_fn)(const char *p, const struct edi_delimiters *d);
/* Writes first + i for each set bit i, in order; may write up to BLOCK entries whatever the bits are. */
typedef void (*flatten_fn)(uint32_t *to, uint64_t bits, uint32_t first);
/* Bytes where a head may begin (see begins_head()) or a blank is: no other byte of the two, but some that are neither. */
typedef uint64_t (*heads_fn)(const char *p);

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

static inline uint64_t lowest(uint64_t bits)
{
	return bits & -bits;
}

static inline uint64_t highest(uint64_t bits)
{
	return bits ? TOP >> __builtin_clzll(bits) : 0;
}

static inline void count_passed(struct lex_passed *p, size_t at, uint64_t ends, uint64_t lines)
{
	if (lines && !p->lines)
		p->first_line = at + (size_t)__builtin_ctzll(lines);
	if (ends)
		p->end = at + BLOCK - (size_t)__builtin_clzll(ends);
	p->segments += (uint64_t)__builtin_popcountll(ends);
	p->lines += (uint64_t)__builtin_popcountll(lines);
}

/* Headers, trailers, security segments (S1S to S4E), BIN and BDS: in all standards, for any of them may stand in any. */
static inline bool begins_head(char one, char two)
{
	switch (one) {
	case 'B': return two == 'I' || two == 'D';
	case 'G':
	case 'I': return two == 'S' || two == 'E';
	case 'S': return two == 'T' || two == 'E' || (two >= '1' && two <= '4');
	case 'U': return two == 'N';
	case ' ': return true;
	default: return false;
	}
}

static inline uint64_t really_heads(uint64_t maybe, const char *p, const char *end)
{
	uint64_t are = 0;
	for (; maybe; maybe &= maybe - 1) {
		const char *at = p + __builtin_ctzll(maybe);
		are |= end - at < 2 || begins_head(at[0], at[1]) ? lowest(maybe) : 0;
	}
	return are;
}

/* Whole blocks only: the rest is left to the other way. */
static inline __attribute__((always_inline)) struct lex_passed pass(const struct edi_delimiters *delimiters, const char *window, size_t from,
	size_t to, masks_fn masks, heads_fn heads)
{
	const struct edi_delimiters d = *delimiters;
	struct lex_passed p = {.to = from};
	uint64_t end = 0, first = 0, second = 0, element = 0; /* of the block before: only the last byte's are looked at */
	uint64_t start = 1;                                   /* of this one, known before */
	bool released = false;
	size_t at = from;
	for (; to - at >= BLOCK; at += BLOCK, start = 0) {
		struct masks m = masks(window + at, &d);
		uint64_t escaped = d.release ? escaped_bytes(&m.release, &released) : 0;
		m.terminator &= ~escaped;
		m.element &= ~escaped;
		uint64_t behind = m.terminator << 1 | end >> (BLOCK - 1), empty = m.terminator & (m.element << 1 | element >> (BLOCK - 1));
		uint64_t line = m.line_end & behind, behind_line = line << 1 | first >> (BLOCK - 1), next = m.line_end & behind_line;
		start |= (behind & ~line) | (behind_line & ~next) | next << 1 | second >> (BLOCK - 1);
		uint64_t stop = start & (m.terminator | m.odd);
		stop |= really_heads(start & heads(window + at), window + at, window + to);
		if (empty) { /* the last element of a segment: stop where that begins */
			uint64_t own = highest(start & (lowest(empty) - 1));
			if (!own)
				return p;
			stop |= own;
		}
		if (stop) {
			uint64_t before = lowest(stop) - 1;
			count_passed(&p, at, m.terminator & before, (line | next) & before);
			p.to = at + (size_t)__builtin_ctzll(stop);
			return p;
		}
		count_passed(&p, at, m.terminator, line | next);
		if (start)
			p.to = at + BLOCK - 1 - (size_t)__builtin_clzll(start);
		end = m.terminator;
		first = line;
		second = next;
		element = m.element;
	}
	if ((end | first | second) & TOP) /* the next segment, or a line end before it, begins here */
		p.to = at;
	return p;
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

/* A head begins with one of I, G, S, B, U, and then has one of S, E, T, I, D, N or a digit of 1 to 4: bits 1 and 2 are of the first
 * letter, 4, 8 and 16 of the second. A byte has those bits that the entries of its two halves share. */
#define FIRST_LETTER 3
#define SECOND_LETTER 28
static const unsigned char letters_low[16] = {[1] = 16, [2] = 1 | 16, [3] = 2 | 8 | 16, [4] = 4 | 8 | 16, [5] = 2 | 4, [7] = 1, [9] = 1 | 4,
	[14] = 4};
static const unsigned char letters_high[16] = {[3] = 16, [4] = 1 | 4, [5] = 2 | 8};

/* What the byte behind the block is, is not known. */
static inline uint64_t heads_of(uint64_t first_letters, uint64_t second_letters, uint64_t blanks)
{
	return (first_letters & (second_letters >> 1 | TOP)) | blanks;
}

static uint64_t heads_plain(const char *p)
{
	uint64_t first = 0, second = 0, blank = 0;
	for (unsigned i = 0; i < BLOCK; i++) {
		unsigned c = (unsigned char)p[i], is = letters_low[c & 15] & letters_high[c >> 4];
		first |= (uint64_t)((is & FIRST_LETTER) != 0) << i;
		second |= (uint64_t)((is & SECOND_LETTER) != 0) << i;
		blank |= (uint64_t)(c == ' ') << i;
	}
	return heads_of(first, second, blank);
}

static void find_plain(struct lex_batch *b, const char *window, size_t from, size_t to)
{
	find(b, window, from, to, masks_plain, flatten_plain);
}

static struct lex_passed pass_plain(const struct edi_delimiters *d, const char *window, size_t from, size_t to)
{
	return pass(d, window, from, to, masks_plain, heads_plain);
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

static inline __attribute__((always_inline)) uint64_t any_of_sse2(const __m128i v[4], const char *set)
{
	uint64_t bits = 0;
	for (; *set; set++)
		bits |= equal_sse2(v, *set);
	return bits;
}

static inline __attribute__((always_inline)) uint64_t heads_sse2(const char *p)
{
	__m128i v[4];
	for (int i = 0; i < 4; i++)
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
	return heads_of(any_of_sse2(v, "IGSBU"), any_of_sse2(v, "SETIDN1234"), equal_sse2(v, ' '));
}

static void find_sse2(struct lex_batch *b, const char *window, size_t from, size_t to)
{
	find(b, window, from, to, masks_sse2, flatten_plain);
}

static struct lex_passed pass_sse2(const struct edi_delimiters *d, const char *window, size_t from, size_t to)
{
	return pass(d, window, from, to, masks_sse2, heads_sse2);
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

static inline AVX2 __m256i letters_avx2(__m256i v)
{
	const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)letters_low));
	const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)letters_high));
	const __m256i half = _mm256_set1_epi8(15);
	return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(v, half)),
		_mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(v, 4), half)));
}

/* Bytes that have one of the bits. */
static inline AVX2 uint64_t with_avx2(__m256i a, __m256i b, char bits)
{
	const __m256i k = _mm256_set1_epi8(bits), none = _mm256_setzero_si256();
	return ~bits_avx2(_mm256_cmpeq_epi8(_mm256_and_si256(a, k), none), _mm256_cmpeq_epi8(_mm256_and_si256(b, k), none));
}

static inline AVX2 uint64_t heads_avx2(const char *p)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	__m256i x = letters_avx2(a), y = letters_avx2(b);
	return heads_of(with_avx2(x, y, FIRST_LETTER), with_avx2(x, y, SECOND_LETTER), equal_avx2(a, b, ' '));
}

static AVX2 void find_avx2(struct lex_batch *b, const char *window, size_t from, size_t to)
{
	find(b, window, from, to, masks_avx2, flatten_avx2);
}

static AVX2 struct lex_passed pass_avx2(const struct edi_delimiters *d, const char *window, size_t from, size_t to)
{
	return pass(d, window, from, to, masks_avx2, heads_avx2);
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

static inline AVX512 uint64_t heads_avx512(const char *p)
{
	const __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)letters_low));
	const __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)letters_high));
	const __m512i half = _mm512_set1_epi8(15), v = _mm512_loadu_si512(p);
	__m512i is = _mm512_and_si512(_mm512_shuffle_epi8(low, _mm512_and_si512(v, half)),
		_mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(v, 4), half)));
	return heads_of(_mm512_test_epi8_mask(is, _mm512_set1_epi8(FIRST_LETTER)), _mm512_test_epi8_mask(is, _mm512_set1_epi8(SECOND_LETTER)),
		equal_avx512(v, ' '));
}

static AVX512 void find_avx512(struct lex_batch *b, const char *window, size_t from, size_t to)
{
	find(b, window, from, to, masks_avx512, flatten_avx512);
}

static AVX512 struct lex_passed pass_avx512(const struct edi_delimiters *d, const char *window, size_t from, size_t to)
{
	return pass(d, window, from, to, masks_avx512, heads_avx512);
}
#endif

size_t lex_finders(struct lex_finder list[static LEX_FINDERS])
{
	size_t n = 0;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2"))
		list[n++] = (struct lex_finder){"AVX-512", find_avx512, pass_avx512};
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt"))
		list[n++] = (struct lex_finder){"AVX2", find_avx2, pass_avx2};
	list[n++] = (struct lex_finder){"SSE2", find_sse2, pass_sse2};
#endif
	list[n++] = (struct lex_finder){"plain", find_plain, pass_plain};
	return n;
}
