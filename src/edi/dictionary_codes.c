/* Code lists, and what codes mean. */
#include "edi/definition.h"

unsigned edi_bucket(struct slice id)
{
	unsigned h = 5381;
	for (size_t i = 0; i < id.n; i++)
		h = h * 33 + (unsigned char)id.p[i];
	return h % EDI_BUCKETS;
}

static const unsigned char digit37[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16, ['G'] = 17, ['H'] = 18, ['I'] = 19,
	['J'] = 20, ['K'] = 21, ['L'] = 22, ['M'] = 23, ['N'] = 24, ['O'] = 25, ['P'] = 26, ['Q'] = 27, ['R'] = 28,
	['S'] = 29, ['T'] = 30, ['U'] = 31, ['V'] = 32, ['W'] = 33, ['X'] = 34, ['Y'] = 35, ['Z'] = 36,
};

#define LARGEST_WORDS (37 * 37 * 37 / 64 + 1)
#define SMALL_WORDS (37 * 37 / 64 + 1) /* codes of one and two */

/* A number of its own for each code of one to three letters and digits, 0 for others. Lower case is another code. */
static unsigned code_bit(struct slice s)
{
	if (s.n < 1 || s.n > 3)
		return 0;
	unsigned a = digit37[(unsigned char)s.p[0]], b = s.n > 1 ? digit37[(unsigned char)s.p[1]] : 0;
	unsigned c = s.n > 2 ? digit37[(unsigned char)s.p[2]] : 0;
	if (!a || (s.n > 1 && !b) || (s.n > 2 && !c))
		return 0;
	return s.n == 1 ? a : s.n == 2 ? a * 37 + b : (a * 37 + b) * 37 + c;
}

/* Where the value stands among the sorted others, or would stand. */
static size_t place_of(const struct edi_codes *c, struct slice value)
{
	size_t low = 0, high = c->other_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_cmp(c->others[middle], value) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool edi_codes_has(const struct edi_codes *c, struct slice value)
{
	unsigned bit = code_bit(value);
	if (bit)
		return bit / 64 < c->words && (c->bits[bit / 64] >> (bit % 64) & 1);
	size_t at = c->other_count ? place_of(c, value) : 0;
	return at < c->other_count && slice_eq(c->others[at], value);
}

static int widen(struct van_arena *a, struct edi_codes *c, uint32_t words)
{
	uint64_t *more = van_arena_array(a, words, sizeof *more);
	if (!more)
		return VAN_ENOMEM;
	if (c->words)
		memcpy(more, c->bits, c->words * sizeof *more);
	c->bits = more;
	c->words = words;
	return 0;
}

int edi_codes_add(struct van_arena *a, struct edi_codes *c, struct slice value)
{
	unsigned bit = code_bit(value);
	if (bit) {
		if (bit / 64 >= c->words && widen(a, c, bit / 64 < SMALL_WORDS ? SMALL_WORDS : LARGEST_WORDS) < 0)
			return VAN_ENOMEM;
		c->bits[bit / 64] |= (uint64_t)1 << (bit % 64);
		return 0;
	}
	size_t at = place_of(c, value);
	if (at < c->other_count && slice_eq(c->others[at], value))
		return 0;
	if (c->other_count == c->other_room) {
		size_t room = c->other_room ? 2 * c->other_room : 8;
		struct slice *more = van_arena_array(a, room, sizeof *more);
		if (!more)
			return VAN_ENOMEM;
		if (c->other_count)
			memcpy(more, c->others, c->other_count * sizeof *more);
		c->others = more;
		c->other_room = room;
	}
	memmove(c->others + at + 1, c->others + at, (c->other_count - at) * sizeof *c->others);
	c->others[at] = van_arena_slice(a, value);
	c->other_count++;
	return c->others[at].p ? 0 : VAN_ENOMEM;
}

int edi_codes_add_all(struct van_arena *a, struct edi_codes *c, const struct edi_codes *more)
{
	if (c->words < more->words && widen(a, c, more->words) < 0)
		return VAN_ENOMEM;
	for (uint32_t i = 0; i < more->words; i++)
		c->bits[i] |= more->bits[i];
	for (size_t i = 0; i < more->other_count; i++)
		if (edi_codes_add(a, c, more->others[i]) < 0)
			return VAN_ENOMEM;
	return 0;
}

/* --- meanings ---------------------------------------------------------------------------------------------------------- */

static unsigned meaning_bucket(struct slice element, struct slice value)
{
	return (edi_bucket(element) * 31 + edi_bucket(value)) % EDI_BUCKETS;
}

int edi_meaning_add(struct van_arena *a, struct edi_dictionary *d, struct slice element, struct slice value, struct slice text)
{
	if (!d->meanings && !(d->meanings = van_arena_array(a, EDI_BUCKETS, sizeof(struct edi_meaning *))))
		return VAN_ENOMEM;
	struct edi_meaning *m = van_arena_alloc(a, sizeof *m), **bucket = &d->meanings[meaning_bucket(element, value)];
	if (!m)
		return VAN_ENOMEM;
	*m = (struct edi_meaning){*bucket, van_arena_slice(a, element), van_arena_slice(a, value), van_arena_slice(a, text)};
	*bucket = m;
	return m->element.p && m->value.p && m->text.p ? 0 : VAN_ENOMEM;
}

struct slice edi_meaning_find(const struct edi_dictionary *d, struct slice element, struct slice value)
{
	unsigned bucket = meaning_bucket(element, value);
	for (; d; d = d->base)
		for (const struct edi_meaning *m = d->meanings ? d->meanings[bucket] : NULL; m; m = m->next)
			if (slice_eq(m->value, value) && slice_eq(m->element, element))
				return m->text;
	return SLICE_NONE;
}
