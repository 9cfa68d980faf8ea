#include "edi/number_set.h"

#include <stdlib.h>

#define LARGEST_ROOM ((uint64_t)1 << 21)

void number_set_reset(struct number_set *s)
{
	free(s->hashes);
	*s = (struct number_set){0};
}

static uint64_t hash(struct slice number)
{
	uint64_t h = 1469598103934665603u;
	for (size_t i = 0; i < number.n; i++)
		h = (h ^ (unsigned char)number.p[i]) * 1099511628211u;
	return h ? h : 1;
}

/* Leading zeros are no part of the number. */
static struct slice plain(struct slice number)
{
	while (number.n > 1 && *number.p == '0')
		number = slice_make(number.p + 1, number.n - 1);
	return number;
}

static bool put(struct number_set *s, uint64_t h)
{
	uint64_t i = h & (s->room - 1);
	while (s->hashes[i] && s->hashes[i] != h)
		i = (i + 1) & (s->room - 1);
	if (s->hashes[i])
		return false;
	s->hashes[i] = h;
	s->used++;
	return true;
}

static void grow(struct number_set *s)
{
	struct number_set wider = {.room = s->room ? 2 * s->room : 1024};
	while (wider.room < 4 * s->count)
		wider.room *= 2;
	if (wider.room > LARGEST_ROOM || !(wider.hashes = calloc(wider.room, sizeof *wider.hashes)))
		return;
	for (uint64_t i = 0; i < s->room; i++)
		if (s->hashes && s->hashes[i])
			put(&wider, s->hashes[i]);
	if (!s->hashes)
		for (uint64_t i = 0; i < s->count; i++) {
			char digits[24], *p = digits + sizeof digits;
			uint64_t v = s->first + i;
			do
				*--p = (char)('0' + v % 10);
			while (v /= 10);
			put(&wider, hash(slice_make(p, (size_t)(digits + sizeof digits - p))));
		}
	free(s->hashes);
	*s = wider;
}

bool number_set_add(struct number_set *s, struct slice number)
{
	unsigned long long v;
	bool is_number = slice_u64(number, &v);
	if (!s->hashes) {
		if (is_number && (s->count == 0 || v == s->first + s->count)) {
			s->first = s->count ? s->first : v;
			s->count++;
			return true;
		}
		if (is_number && s->count && v >= s->first && v < s->first + s->count)
			return false;
		grow(s);
	}
	if (s->hashes && s->used >= s->room / 2)
		grow(s);
	if (!s->hashes || s->used >= s->room / 2)
		return true;
	return put(s, hash(plain(number)));
}
