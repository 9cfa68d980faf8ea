#include "map/emit_plain.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void map_emit_plain_begin(struct emit_plain *x, struct edi_writer *w, bool high)
{
	const struct edi_delimiters *d = &w->delimiters;
	const char marks[EMIT_MARKS] = {d->element, d->component, d->repetition, d->release, d->terminator, 0};
	x->w = w;
	edi_special_bytes(d, x->special);
	for (size_t i = 128; i < sizeof x->special; i++)
		x->special[i] |= !high;
	for (size_t i = 0; i < EMIT_MARKS; i++)
		memset(x->marks[i], marks[i] ? marks[i] : d->element, sizeof x->marks[i]);
	memset(x->marks[EMIT_MARKS - 1], high ? 0 : 0x80, sizeof x->marks[EMIT_MARKS - 1]);
	x->bare = !w->terminator && !w->lines && !d->shifts && !w->release_next;
}

/* --- into room that has SLACK bytes more: what is written or read there says nothing ------------------------------------------------- */

#define SLACK 16
#define LONGEST 1000 /* bytes of a segment; others go the other way, and those with more than SLACK separators in a row */

/* How many of n bytes do not stand for themselves. */
#ifdef __SSE2__
static inline __m128i load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline uint32_t count_special(const struct emit_plain *x, const char *p, size_t n)
{
	static const unsigned char all[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	__m128i sum = _mm_setzero_si128();
	for (size_t at = 0; at < n; at += 16) {
		__m128i v = load(p + at), any = _mm_and_si128(v, load(x->marks[EMIT_MARKS - 1]));
#pragma GCC unroll 8
		for (size_t i = 0; i + 1 < EMIT_MARKS; i++)
			any = _mm_or_si128(any, _mm_cmpeq_epi8(v, load(x->marks[i])));
		__m128i ones = load((const char *)all + (n - at < 16 ? 16 - (n - at) : 0)); /* as many as bytes count */
		sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_min_epu8(any, ones), _mm_setzero_si128()));
	}
	return (uint32_t)_mm_cvtsi128_si32(sum) + (uint32_t)_mm_cvtsi128_si32(_mm_srli_si128(sum, 8));
}
#else
static inline uint32_t count_special(const struct emit_plain *x, const char *p, size_t n)
{
	uint32_t count = 0;
	while (n--)
		count += x->special[(unsigned char)*p++] != 0;
	return count;
}
#endif

/* Most values have up to 16 bytes: they are copied as their first and last 8, 4 or 1, which may be the same ones. */
static inline char *copy(struct slice v, char *to)
{
	uint64_t words[2];
	uint32_t halves[2];
	if (v.n > 16) {
		memcpy(to, v.p, v.n);
	} else if (v.n >= 8) {
		memcpy(&words[0], v.p, 8);
		memcpy(&words[1], v.p + v.n - 8, 8);
		memcpy(to, &words[0], 8);
		memcpy(to + v.n - 8, &words[1], 8);
	} else if (v.n >= 4) {
		memcpy(&halves[0], v.p, 4);
		memcpy(&halves[1], v.p + v.n - 4, 4);
		memcpy(to, &halves[0], 4);
		memcpy(to + v.n - 4, &halves[1], 4);
	} else if (v.n) {
		to[0] = v.p[0];
		to[v.n / 2] = v.p[v.n / 2];
		to[v.n - 1] = v.p[v.n - 1];
	}
	return to + v.n;
}

bool map_emit_plain(struct emit_plain *x, const struct out_segment *s)
{
	struct van_buf *b = x->w->to;
	size_t room = LONGEST + 3 * SLACK, values = s->name.n;
	char *begin = !b->error && b->room - b->n >= room ? b->p + b->n : van_buf_reserve(b, room), *most = begin + LONGEST;
	uint32_t element = 0, component = 1;
	if (!begin || x->w->keep_empty || s->name.n > LONGEST)
		return false;
	char *to = copy(s->name, begin);
	for (const struct out_cell *c = s->cells, *end = c + s->count; c < end; c++) {
		if (!c->value.n)
			continue;
		if (c->raw || c->repetition)
			return false;
		if (element != c->element) {
			if (c->element - element > SLACK)
				return false;
			memcpy(to, x->marks[EMIT_ELEMENT], SLACK);
			to += c->element - element;
			element = c->element;
			component = 1;
		}
		if (component < c->component) {
			if (c->component - component > SLACK || !x->w->delimiters.component)
				return false;
			memcpy(to, x->marks[EMIT_COMPONENT], SLACK);
			to += c->component - component;
			component = c->component;
		}
		if (to > most || c->value.n > (size_t)(most - to))
			return false;
		to = copy(c->value, to);
		values += c->value.n;
	}
	size_t n = (size_t)(to - begin);
	if (count_special(x, begin, n) != n - values) /* more than stand between the values */
		return false;
	if (x->bare) {
		*to++ = x->w->delimiters.terminator;
		x->w->segments++;
		b->n += n + 1;
	} else {
		b->n += n;
		edi_write_end(x->w);
	}
	return true;
}
