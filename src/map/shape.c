#include "map/shape.h"

#include <stdlib.h>

#define BUCKETS 512u

struct map_shapes {
	struct van_arena *arena;
	struct map_shape *buckets[BUCKETS];
	bool full;
};

/* --- keys --------------------------------------------------------------------------------------------------------------------- */

struct key {
	uint64_t *words, hash;
	uint32_t n;
};

static inline void add(struct key *k, uint64_t word)
{
	k->words[k->n++] = word;
	k->hash = (k->hash ^ word) * 0x9e3779b97f4a7c15u;
	k->hash ^= k->hash >> 29;
}

/* Up to eight bytes, the others 0. */
static inline uint64_t first_bytes(const char *p, size_t n)
{
	uint64_t word = 0;
	uint32_t low, high;
	if (n >= 4) { /* two halves, which may overlap */
		n = n < 8 ? n : 8;
		memcpy(&low, p, 4);
		memcpy(&high, p + n - 4, 4);
		return low | (uint64_t)high << 8 * (n - 4);
	}
	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)(unsigned char)p[i] << 8 * i;
	return word;
}

/* Its length and its first bytes, then the others. */
static inline bool add_value(struct key *k, struct slice v)
{
	if (v.n > MAP_SHAPE_VALUE)
		return false;
	add(k, first_bytes(v.p, v.n < 7 ? v.n : 7) | (uint64_t)v.n << 56);
	for (size_t i = 7; i < v.n; i += 8)
		add(k, first_bytes(v.p + i, v.n - i));
	return true;
}

/* One that blanks fill is there and has no value. */
static bool has_blank(struct map_message *m, const struct map_segment *g)
{
	bool blank = false;
	for (uint64_t left = g->present & ~(uint64_t)1; left && !blank; left &= left - 1) {
		struct slice v = map_raw(m, g, (uint32_t)__builtin_ctzll(left));
		blank = v.p[v.n - 1] == ' ' && !map_value(m, g, (uint32_t)__builtin_ctzll(left), 0).p;
	}
	return blank;
}

#define NO_PARTS UINT32_MAX

/* A bit for each component of the element that has a value. NO_PARTS: it has too many, or one that may be of blanks and line ends alone, or
 * repetitions. */
static uint32_t parts_of(const struct map_delimiters *d, struct slice element)
{
	uint32_t parts = 0, n = 0;
	for (size_t i = 0, from = 0; i <= element.n; i++) {
		bool end = i == element.n || (d->component && element.p[i] == d->component);
		if (!end && d->repetition && element.p[i] == d->repetition)
			return NO_PARTS;
		if (!end && d->release && element.p[i] == d->release && ++i == element.n)
			return NO_PARTS;
		if (!end)
			continue;
		if (n == 14 || (i > from && (unsigned char)element.p[i - 1] <= ' '))
			return NO_PARTS;
		parts |= (uint32_t)(i > from) << n++;
		from = i + 1;
	}
	return parts;
}

/* Four elements are a word. */
static bool add_parts(struct key *k, const struct map_message *m, const struct map_segment *g)
{
	uint64_t word = 0;
	for (uint32_t i = 1; i < g->count; i++) {
		struct slice raw = map_raw(m, g, i);
		uint32_t parts = raw.n ? parts_of(&m->delimiters, raw) : 0;
		if (parts == NO_PARTS)
			return false;
		word |= (uint64_t)parts << 16 * (i & 3);
		if ((i & 3) == 3 || i + 1 == g->count) {
			add(k, word);
			word = 0;
		}
	}
	return true;
}

static bool add_odd(struct key *k, struct map_message *m, const struct map_scope *scope, const struct map_segment *g)
{
	bool fits = g->odd && m->charset != EDI_CHARSET_UNOX && !map_binary(g) && add_parts(k, m, g);
	for (int32_t i = scope->first_part[g->number]; i >= 0 && fits; i = scope->parts[i].next) {
		struct slice v = map_value(m, g, scope->parts[i].element, scope->parts[i].component);
		fits = !v.p || add_value(k, v);
	}
	return fits;
}

static bool add_masked(struct key *k, struct map_message *m, const struct map_scope *scope, const struct map_segment *g)
{
	bool fits = !m->blanks || !has_blank(m, g);
	add(k, g->present);
	for (uint64_t asked = scope->asked[g->number] & g->present; asked && fits; asked &= asked - 1)
		fits = add_value(k, map_value(m, g, (uint32_t)__builtin_ctzll(asked), 0));
	return fits;
}

/* What a segment may add to a key at most. */
static uint32_t most_words(const struct map_scope *scope, const struct map_segment *g)
{
	uint32_t values = g->masked ? 64 : (uint32_t)scope->part_count;
	return 3 + g->count / 4 + values * (1 + MAP_SHAPE_VALUE / 8);
}

uint32_t map_shape_key(struct map_run_state *r, const struct in_scope *s, uint64_t *ret_hash)
{
	struct key k = {.words = r->key, .hash = (uint64_t)(uintptr_t)s->scope ^ (uint64_t)(uintptr_t)r->map << 7};
	for (uint32_t i = 0; i < s->own_count; i++) {
		const struct map_segment *g = &r->message.segments[s->own[i]];
		if (k.n + most_words(s->scope, g) > MAP_SHAPE_WORDS)
			return 0;
		add(&k, (uint64_t)g->number | (uint64_t)g->odd << 14 | (uint64_t)g->given << 15 | (uint64_t)(uint32_t)g->node << 16 | (uint64_t)g->count << 48);
		if (!(g->masked ? add_masked(&k, &r->message, s->scope, g) : add_odd(&k, &r->message, s->scope, g)))
			return 0;
	}
	*ret_hash = k.hash;
	return k.n;
}

/* --- what is remembered ------------------------------------------------------------------------------------------------------- */

static struct map_shapes *shapes_new(size_t most)
{
	struct map_shapes *all = calloc(1, sizeof *all);
	if (all && !(all->arena = van_arena_new(most))) {
		free(all);
		return NULL;
	}
	return all;
}

void map_shapes_free(struct map_shapes *all)
{
	if (!all)
		return;
	van_arena_free(all->arena);
	free(all);
}

const struct map_shape *map_shape_find(const struct map_set *set, const struct map_shape *like)
{
	const struct map_shape *one = set->shapes ? set->shapes->buckets[like->hash % BUCKETS] : NULL;
	while (one && (one->hash != like->hash || one->scope != like->scope || one->map != like->map || one->own != like->own ||
	               one->words != like->words || memcmp(one->key, like->key, like->words * sizeof *like->key) != 0))
		one = one->next;
	return one;
}

void map_shape_keep(struct map_set *set, const struct map_shape *shape)
{
	if (!set->shapes && set->remembered)
		set->shapes = shapes_new(set->remembered);
	struct map_shapes *all = set->shapes;
	if (!all || all->full)
		return;
	struct map_shape *one = van_arena_copy(all->arena, shape, sizeof *shape);
	const uint64_t *key = van_arena_copy(all->arena, shape->key, shape->words * sizeof *key), *taken = van_arena_copy(all->arena, shape->taken, shape->own * sizeof *taken);
	const uint16_t *parts = van_arena_copy(all->arena, shape->taken_parts, shape->parts * sizeof *parts);
	const struct map_step *steps = van_arena_copy(all->arena, shape->steps, shape->count * sizeof *steps);
	all->full = !one || !key || !taken || !parts || !steps;
	if (all->full)
		return;
	one->key = key;
	one->taken = taken;
	one->taken_parts = parts;
	one->steps = steps;
	one->next = all->buckets[one->hash % BUCKETS];
	all->buckets[one->hash % BUCKETS] = one;
}

void map_shapes_tidy(struct map_set *set)
{
	struct map_shapes *all = set->shapes;
	if (!all || !all->full)
		return;
	van_arena_reset(all->arena);
	memset(all->buckets, 0, sizeof all->buckets);
	all->full = false;
}
