#include "map/emit_plain.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void map_emit_plain_begin(struct emit_plain *x, struct edi_writer *w, bool high)
{
	const struct edi_delimiters *d = &w->delimiters;
	const char marks[EMIT_MARKS] = {d->element, d->component, d->repetition, d->release, d->terminator};
	x->w = w;
	edi_special_bytes(d, x->special);
	for (size_t i = 128; i < sizeof x->special; i++)
		x->special[i] |= !high;
	for (size_t i = 0; i < EMIT_MARKS; i++)
		memset(x->marks[i], marks[i] ? marks[i] : d->element, sizeof x->marks[i]);
	memset(x->high, high ? 0 : 0x80, sizeof x->high);
	x->bare = !w->terminator && !w->lines && !d->shifts && !w->release_next;
}

/* How many bytes the segment has at most, without its end. 0: it is none of these. */
static size_t size_of(const struct emit_plain *x, const struct out_segment *s)
{
	uint32_t components = 0;
	size_t n = s->name.n;
	bool plain = !x->w->keep_empty;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct out_cell *c = &s->cells[i];
		plain &= !c->raw && !c->repetition;
		components += c->component;
		n += c->value.n;
	}
	if (!plain || (components && !x->w->delimiters.component))
		return 0;
	return n + components + (s->count ? s->cells[s->count - 1].element : 0);
}

/* --- copying: *special becomes true where a byte does not stand for itself ------------------------------------------------------------ */

static inline void copy_bytes(const struct emit_plain *x, const char *p, size_t n, char *to, int *special)
{
	for (size_t i = 0; i < n; i++) {
		*special |= x->special[(unsigned char)p[i]];
		to[i] = p[i];
	}
}

#ifdef __SSE2__
static inline int look(const struct emit_plain *x, __m128i v)
{
	__m128i any = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(const void *)x->high));
	for (size_t i = 0; i < EMIT_MARKS; i++)
		any = _mm_or_si128(any, _mm_cmpeq_epi8(v, _mm_loadu_si128((const __m128i *)(const void *)x->marks[i])));
	return _mm_movemask_epi8(any);
}

/* 4 to 16 bytes as their first and last 4 or 8, which may be the same ones: nothing is read or written beside them. */
static inline void copy_short(const struct emit_plain *x, const char *p, size_t n, char *to, int *special)
{
	uint64_t first, last;
	if (n >= 8) {
		memcpy(&first, p, 8);
		memcpy(&last, p + n - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + n - 8, &last, 8);
	} else {
		uint32_t a, b;
		memcpy(&a, p, 4);
		memcpy(&b, p + n - 4, 4);
		memcpy(to, &a, 4);
		memcpy(to + n - 4, &b, 4);
		first = last = (uint64_t)b << 32 | a;
	}
	*special |= look(x, _mm_set_epi64x((long long)last, (long long)first));
}

static inline char *copy(const struct emit_plain *x, struct slice v, char *to, int *special)
{
	char *end = to + v.n;
	for (; v.n > 16; v = slice_make(v.p + 16, v.n - 16), to += 16) {
		__m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)v.p);
		*special |= look(x, chunk);
		_mm_storeu_si128((__m128i *)(void *)to, chunk);
	}
	if (v.n >= 4)
		copy_short(x, v.p, v.n, to, special);
	else
		copy_bytes(x, v.p, v.n, to, special);
	return end;
}
#else
static inline char *copy(const struct emit_plain *x, struct slice v, char *to, int *special)
{
	copy_bytes(x, v.p, v.n, to, special);
	return to + v.n;
}
#endif

bool map_emit_plain(struct emit_plain *x, const struct out_segment *s)
{
	struct van_buf *b = x->w->to;
	const char element_separator = x->w->delimiters.element, component_separator = x->w->delimiters.component;
	size_t most = size_of(x, s);
	if (!most)
		return false;
	char *begin = b->p && !b->error && b->room - b->n > most ? b->p + b->n : van_buf_reserve(b, most + 1), *to = begin;
	uint32_t element = 0, component = 1;
	int special = 0;
	if (!begin)
		return false;
	to = copy(x, s->name, to, &special);
	for (uint32_t i = 0; i < s->count; i++) {
		const struct out_cell *c = &s->cells[i];
		if (!c->value.n)
			continue;
		for (; element < c->element; element++) {
			*to++ = element_separator;
			component = 1;
		}
		for (; component < c->component; component++)
			*to++ = component_separator;
		to = copy(x, c->value, to, &special);
	}
	if (special)
		return false;
	if (x->bare) {
		*to++ = x->w->delimiters.terminator;
		x->w->segments++;
	}
	b->n += (size_t)(to - begin);
	if (!x->bare)
		edi_write_end(x->w);
	return true;
}
