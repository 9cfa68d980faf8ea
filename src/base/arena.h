/* An arena: allocations that live and die together, with a hard maximum in bytes. */
#ifndef OPENVAN_BASE_ARENA_H
#define OPENVAN_BASE_ARENA_H

#include "base/slice.h"

struct van_arena;

/* `max`: most bytes it will ever hand out, 0 for 64 MiB. NULL when out of memory. */
struct van_arena *van_arena_new(size_t max);
void van_arena_free(struct van_arena *a);  /* a may be NULL */
void van_arena_reset(struct van_arena *a); /* forgets everything, keeps one block of up to 64 KiB */

/* Zeroed, aligned for any type; NULL when out of memory or past the maximum. */
void *van_arena_alloc(struct van_arena *a, size_t n);
void *van_arena_array(struct van_arena *a, size_t count, size_t size);
/* As van_arena_alloc(), but not zeroed: for what is written whole. */
void *van_arena_room(struct van_arena *a, size_t n);
void *van_arena_copy(struct van_arena *a, const void *from, size_t n); /* from may be NULL where n is 0 */

/* A copy with a terminating NUL that is not counted; absent on failure (and for an absent slice). */
struct slice van_arena_slice(struct van_arena *a, struct slice s);
char *van_arena_str(struct van_arena *a, struct slice s);
struct slice van_arena_printf(struct van_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
