#include "base/error.h"
#include "partner/schema.h"

#include <inttypes.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first, for printing. */
static const struct unit duration_units[] = {{"d", UINT64_C(86400000000)}, {"h", UINT64_C(3600000000)}, {"m", 60000000},
					     {"s", 1000000}, {"ms", 1000}, {"us", 1}, {NULL, 0}};
static const struct unit size_units[] = {{"TiB", UINT64_C(1) << 40}, {"GiB", UINT64_C(1) << 30}, {"MiB", UINT64_C(1) << 20},
					 {"KiB", UINT64_C(1) << 10}, {"TB", UINT64_C(1000000000000)}, {"GB", 1000000000},
					 {"MB", 1000000}, {"kB", 1000}, {"KB", 1000}, {"B", 1}, {"", 1}, {NULL, 0}};

/* One "NUMBER UNIT"; moves s past it. */
static int take_quantity(struct slice *s, const struct unit *units, uint64_t *ret)
{
	size_t digits = 0, letters;
	while (digits < s->n && s->p[digits] >= '0' && s->p[digits] <= '9')
		digits++;
	unsigned long long v;
	if (!slice_u64(slice_make(s->p, digits), &v))
		return VAN_ESYNTAX;
	letters = digits;
	while (letters < s->n && ((s->p[letters] | 32) >= 'a' && (s->p[letters] | 32) <= 'z'))
		letters++;
	struct slice unit = slice_make(s->p + digits, letters - digits);
	for (const struct unit *u = units; u->name; u++) {
		if (!slice_is(unit, u->name))
			continue;
		if (v > (uint64_t)INT64_MAX / u->factor)
			return VAN_ESYNTAX;
		*ret = v * u->factor;
		*s = slice_make(s->p + letters, s->n - letters);
		return 0;
	}
	return VAN_ESYNTAX;
}

int schema_duration_parse(struct slice s, van_time *ret)
{
	uint64_t sum = 0;
	if (slice_is(s, "0")) {
		*ret = 0;
		return 0;
	}
	do {
		uint64_t v;
		if (take_quantity(&s, duration_units, &v) < 0 || sum > INT64_MAX - v)
			return VAN_ESYNTAX;
		sum += v;
	} while (s.n);
	*ret = (van_time)sum;
	return 0;
}

int schema_size_parse(struct slice s, uint64_t *ret)
{
	uint64_t v;
	if (slice_is(s, "unlimited")) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (take_quantity(&s, size_units, &v) < 0 || s.n)
		return VAN_ESYNTAX;
	*ret = v;
	return 0;
}

static void print_quantity(struct van_buf *to, uint64_t v, const struct unit *units, uint64_t last)
{
	for (const struct unit *u = units; u->name; u++)
		if (v % u->factor == 0 && (v || u->factor == last)) {
			van_buf_printf(to, "%" PRIu64 "%s", v / u->factor, u->name);
			return;
		}
}

void schema_duration_print(struct van_buf *to, van_time t)
{
	print_quantity(to, t > 0 ? (uint64_t)t : 0, duration_units, 1000000);
}

void schema_size_print(struct van_buf *to, uint64_t n)
{
	if (n == UINT64_MAX)
		van_buf_append_str(to, "unlimited");
	else
		print_quantity(to, n, size_units, 1);
}

static char folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c == '-' ? '_' : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, changes, and two neighbours swapped, each one edit. */
unsigned schema_distance(struct slice a, struct slice b)
{
	enum { MAX = 64 };
	unsigned rows[3][MAX + 1];
	unsigned *older = rows[0], *last = rows[1], *row = rows[2];
	size_t an = a.n < MAX ? a.n : MAX, bn = b.n < MAX ? b.n : MAX;
	for (unsigned j = 0; j <= bn; j++) {
		last[j] = j;
		older[j] = 0;
	}
	for (size_t i = 1; i <= an; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= bn; j++) {
			char x = folded(a.p[i - 1]), y = folded(b.p[j - 1]);
			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == folded(b.p[j - 2]) && y == folded(a.p[i - 2]))
				row[j] = least(row[j], older[j - 2] + 1);
		}
		unsigned *spare = older;
		older = last;
		last = row;
		row = spare;
	}
	return last[bn];
}

int schema_name_find(const char *const *names, struct slice s, const char **ret_near)
{
	const char *near = NULL;
	unsigned best = 0;
	for (int i = 0; names[i]; i++) {
		if (slice_is(s, names[i]))
			return i;
		unsigned d = schema_distance(s, slice_str(names[i]));
		if (!near || d < best) {
			near = names[i];
			best = d;
		}
	}
	if (ret_near)
		*ret_near = near && best <= 1 + strlen(near) / 3 ? near : NULL;
	return -1;
}
