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

static inline char *separate(const char separator[SLACK], size_t n, char *to)
{
	if (n <= SLACK)
		memcpy(to, separator, SLACK);
	else
		memset(to, *separator, n);
	return to + n;
}

/* How many bytes the values of the segment have, and most with all that stands between them. False: it is none of these. */
static inline bool measure(const struct emit_plain *x, const struct out_segment *s, size_t *values, size_t *most)
{
	bool odd = x->w->keep_empty;
	uint32_t components = 0;
	size_t n = s->name.n;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct out_cell *c = &s->cells[i];
		odd |= c->raw || c->repetition;
		components += c->component;
		n += c->value.n;
	}
	*values = n;
	*most = n + components + (s->count ? s->cells[s->count - 1].element : 0);
	return !odd && (!components || x->w->delimiters.component);
}

bool map_emit_plain(struct emit_plain *x, const struct out_segment *s)
{
	struct van_buf *b = x->w->to;
	size_t values, most;
	if (!measure(x, s, &values, &most))
		return false;
	most += 1 + SLACK;
	char *begin = !b->error && b->room - b->n >= most ? b->p + b->n : van_buf_reserve(b, most), *to = begin;
	uint32_t element = 0, component = 1;
	if (!begin)
		return false;
	to = copy(s->name, to);
	for (uint32_t i = 0; i < s->count; i++) {
		const struct out_cell *c = &s->cells[i];
		if (!c->value.n)
			continue;
		if (element != c->element) {
			to = separate(x->marks[EMIT_ELEMENT], c->element - element, to);
			element = c->element;
			component = 1;
		}
		if (component < c->component) {
			to = separate(x->marks[EMIT_COMPONENT], c->component - component, to);
			component = c->component;
		}
		to = copy(c->value, to);
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
