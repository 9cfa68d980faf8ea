#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t)8192)  /* of the first block; each is twice the one before, until … */
#define KEEP_MAX ((size_t)64 << 10) /* … this: also the largest that a reset keeps */
#define ALIGN sizeof(max_align_t)

struct block {
	struct block *next;
	size_t used;
	size_t room;
	max_align_t data[];
};

struct van_arena {
	struct block *first;
	size_t given;
	size_t max;
};

struct van_arena *van_arena_new(size_t max)
{
	struct van_arena *a = calloc(1, sizeof *a);
	if (a)
		a->max = max ? max : (size_t)64 << 20;
	return a;
}

static void free_blocks(struct block *b)
{
	while (b) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
}

void van_arena_free(struct van_arena *a)
{
	if (!a)
		return;
	free_blocks(a->first);
	free(a);
}

void van_arena_reset(struct van_arena *a)
{
	struct block *keep = NULL;
	for (struct block *b = a->first; b;) {
		struct block *next = b->next, *drop = b;
		if (b->room <= KEEP_MAX && (!keep || b->room > keep->room)) {
			drop = keep;
			keep = b;
		}
		free(drop);
		b = next;
	}
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
	}
	a->first = keep;
	a->given = 0;
}

/* What a block that has no room for `n` bytes is followed by. */
static struct block *add_block(struct van_arena *a, size_t n)
{
	size_t room = a->first ? 2 * a->first->room : BLOCK_SIZE;
	room = room > KEEP_MAX ? KEEP_MAX : room;
	room = room < n ? n : room;
	struct block *b = malloc(sizeof *b + room);
	if (!b)
		return NULL;
	*b = (struct block){.next = a->first, .room = room};
	a->first = b;
	return b;
}

void *van_arena_room(struct van_arena *a, size_t n)
{
	if (n > SIZE_MAX - ALIGN)
		return NULL;
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (n == 0)
		n = ALIGN;
	if (n > a->max || a->given > a->max - n)
		return NULL;
	struct block *b = a->first;
	if (!b || b->room - b->used < n)
		b = add_block(a, n);
	if (!b)
		return NULL;
	void *p = (char *)b->data + b->used;
	b->used += n;
	a->given += n;
	return p;
}

void *van_arena_alloc(struct van_arena *a, size_t n)
{
	void *p = van_arena_room(a, n);
	return p ? memset(p, 0, n) : NULL;
}

void *van_arena_copy(struct van_arena *a, const void *from, size_t n)
{
	void *p = van_arena_room(a, n);
	return p && n ? memcpy(p, from, n) : p;
}

void *van_arena_array(struct van_arena *a, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	return van_arena_alloc(a, count * size);
}

struct slice van_arena_slice(struct van_arena *a, struct slice s)
{
	if (!s.p || s.n == SIZE_MAX)
		return SLICE_NONE;
	char *p = van_arena_room(a, s.n + 1);
	if (!p)
		return SLICE_NONE;
	memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return slice_make(p, s.n);
}

char *van_arena_str(struct van_arena *a, struct slice s)
{
	return (char *)van_arena_slice(a, s).p;
}

struct slice van_arena_printf(struct van_arena *a, const char *fmt, ...)
{
	va_list ap;
	struct block *b = a->first;
	char *at = b ? (char *)b->data + b->used : NULL;
	size_t room = b ? b->room - b->used : 0; /* mostly enough: then it is printed once */
	va_start(ap, fmt);
	int n = vsnprintf(at, room, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : van_arena_room(a, (size_t)n + 1);
	if (!p)
		return SLICE_NONE;
	if (p != at) {
		va_start(ap, fmt);
		vsnprintf(p, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	return slice_make(p, (size_t)n);
}
