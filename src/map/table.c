#include "map/table.h"

#include "map/csv.h"

#include <stdlib.h>

struct pair {
	struct slice key, value;
	size_t order;
};

static int compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = slice_cmp(x->key, y->key);
	return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts, keeps the first of each key. */
static int sorted(struct van_arena *arena, struct pair *pairs, size_t n, struct slice **keys, struct slice **values, size_t *count)
{
	qsort(pairs, n, sizeof *pairs, compare);
	*keys = van_arena_array(arena, n ? n : 1, sizeof **keys);
	*values = van_arena_array(arena, n ? n : 1, sizeof **values);
	if (!*keys || !*values)
		return VAN_ENOMEM;
	*count = 0;
	for (size_t i = 0; i < n; i++) {
		if (*count && slice_eq((*keys)[*count - 1], pairs[i].key))
			continue;
		(*keys)[*count] = pairs[i].key;
		(*values)[(*count)++] = pairs[i].value;
	}
	return 0;
}

static int build(struct map_table *t, struct van_arena *arena, struct pair *pairs, size_t n)
{
	int rc = sorted(arena, pairs, n, &t->from, &t->to, &t->count);
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct pair){pairs[i].value, pairs[i].key, pairs[i].order};
	return rc < 0 ? rc : sorted(arena, pairs, n, &t->back_to, &t->back_from, &t->back_count);
}

int map_table_parse(struct van_arena *arena, struct slice name, struct slice text, struct map_table **ret, struct van_error *e)
{
	struct map_table *t = van_arena_alloc(arena, sizeof *t);
	struct slice f[CSV_MAX_FIELDS];
	struct csv csv;
	struct pair *pairs = NULL;
	size_t n = 0, room = 0;
	csv_begin(&csv, text);
	int rc = t ? csv_next(&csv, arena, f) : VAN_ENOMEM;
	while (rc == 1 && (rc = csv_next(&csv, arena, f)) == 1) {
		if (n == room) {
			struct pair *more = realloc(pairs, (room ? 2 * room : 64) * sizeof *more);
			if (!more) {
				rc = VAN_ENOMEM;
				break;
			}
			pairs = more;
			room = room ? 2 * room : 64;
		}
		pairs[n] = (struct pair){f[0], f[1], n};
		n++;
	}
	if (rc == 0) {
		t->name = van_arena_slice(arena, name);
		rc = t->name.p ? build(t, arena, pairs, n) : VAN_ENOMEM;
	}
	free(pairs);
	if (rc == VAN_ENOMEM)
		return van_error_set(e, VAN_ENOMEM, "table %.*s: maps need more memory than their bound", SLICE_ARG(name));
	if (rc < 0)
		return van_error_set(e, VAN_ESYNTAX, "table %.*s, row %u: a quote has no end, or the row has too many columns; mend the file",
			SLICE_ARG(name), csv.line);
	*ret = t;
	return 0;
}

static bool look_up(const struct slice *keys, const struct slice *values, size_t high, struct slice key, struct slice *ret)
{
	size_t low = 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = slice_cmp(keys[middle], key);
		if (order == 0) {
			*ret = values[middle];
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool map_table_in(const struct map_table *t, struct slice from, struct slice *ret)
{
	return look_up(t->from, t->to, t->count, from, ret);
}

bool map_table_out(const struct map_table *t, struct slice to, struct slice *ret)
{
	return look_up(t->back_to, t->back_from, t->back_count, to, ret);
}
