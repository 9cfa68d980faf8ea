#include "map/csv.h"

#include "base/error.h"

void csv_begin(struct csv *c, struct slice text)
{
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = slice_make(text.p + 3, text.n - 3);
	*c = (struct csv){.rest = text, .next_line = 1};
}

/* One field; *i ends at the comma, line end or end of text after it. */
static int field(struct csv *c, struct van_arena *a, size_t *i, struct slice *ret)
{
	const char *p = c->rest.p;
	size_t n = c->rest.n, start = *i;
	if (start == n || p[start] != '"') {
		while (*i < n && p[*i] != ',' && p[*i] != '\n')
			++*i;
		*ret = van_arena_slice(a, slice_trim(slice_make(p + start, *i - start)));
		return ret->p ? 0 : VAN_ENOMEM;
	}
	char *to = van_arena_alloc(a, n - start > 65536 ? 65536 : n - start + 1);
	size_t length = 0;
	if (!to)
		return VAN_ENOMEM;
	for (++*i; *i < n && length < 65535; ++*i) {
		if (p[*i] == '\n')
			c->next_line++;
		if (p[*i] == '"' && ++*i && (*i >= n || p[*i] != '"')) {
			*ret = slice_make(to, length);
			while (*i < n && p[*i] != ',' && p[*i] != '\n')
				++*i;
			return 0;
		}
		to[length++] = p[*i];
	}
	return VAN_ESYNTAX;
}

int csv_next(struct csv *c, struct van_arena *a, struct slice fields[CSV_MAX_FIELDS])
{
	while (c->rest.n) {
		size_t i = 0, count = 0;
		bool empty = true, more = true;
		c->line = c->next_line;
		for (size_t k = 0; k < CSV_MAX_FIELDS; k++)
			fields[k] = SLICE("");
		while (more) {
			if (count == CSV_MAX_FIELDS)
				return VAN_ESYNTAX;
			int rc = field(c, a, &i, &fields[count]);
			if (rc < 0)
				return rc;
			empty = empty && !fields[count].n;
			count++;
			more = i < c->rest.n && c->rest.p[i] == ',';
			i += more;
		}
		i += i < c->rest.n;
		c->next_line++;
		c->rest = slice_make(c->rest.p + i, c->rest.n - i);
		if (!empty)
			return 1;
	}
	return 0;
}
