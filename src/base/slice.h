/* A slice: bytes that somebody else owns. p == NULL means "absent"; an empty slice has p != NULL and n == 0. */
#ifndef OPENVAN_BASE_SLICE_H
#define OPENVAN_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

struct slice_list {
	struct slice *v;
	size_t n;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})
/* for printf("%.*s", SLICE_ARG(s)) */
#define SLICE_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct slice slice_make(const void *p, size_t n)
{
	return (struct slice){p, n};
}

static inline struct slice slice_str(const char *z)
{
	return z ? (struct slice){z, strlen(z)} : SLICE_NONE;
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || (*a.p == *b.p && memcmp(a.p, b.p, a.n) == 0));
}

static inline bool slice_is(struct slice a, const char *z)
{
	return slice_eq(a, slice_str(z));
}

/* ASCII case is ignored; no locale. */
bool slice_case_eq(struct slice a, struct slice b);
static inline bool slice_case_is(struct slice a, const char *z)
{
	return slice_case_eq(a, slice_str(z));
}

bool slice_starts(struct slice s, const char *prefix);
bool slice_ends(struct slice s, const char *suffix);

/* memcmp order, shorter first on a tie. */
int slice_cmp(struct slice a, struct slice b);

/* Without blanks, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice s);

/* Cuts *rest at the first `sep`; returns what stood before it. When there is no `sep`, returns all and sets *rest absent. */
struct slice slice_cut(struct slice *rest, char sep);

/* Decimal digits only, no sign; false on overflow, empty or any other byte. */
bool slice_u64(struct slice s, unsigned long long *ret);
/* The same, of one to `digits` digits and at most `most`. */
bool slice_number(struct slice s, size_t digits, unsigned most, unsigned *ret);

#endif
