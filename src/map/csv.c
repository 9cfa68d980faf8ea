#include "map/csv.h"

#include "base/error.h"

void csv_begin(struct csv *c, struct slice text)
{
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = slice_make(text.p + 3, text.n - 3);
	*c = (struct csv){.rest = text, .next_line = 1, .delimiter = ',', .quote = '"'};
}

/* What stands between quotes; *i stands behind the first one, and at the end behind the last. */
static int quoted(struct csv *c, struct van_arena *a, size_t *i, struct slice *ret)
{
	const char *p = c->rest.p;
	size_t n = c->rest.n, start = *i, end = start, doubled = 0;
	for (; end < n; end++) {
		if (p[end] == '\n')
			c->next_line++;
		if (p[end] != c->quote)
			continue;
		if (end + 1 >= n || p[end + 1] != c->quote)
			break;
		doubled++;
		end++;
	}
	if (end >= n || end - start - doubled > CSV_MAX_FIELD)
		return VAN_ESYNTAX;
	char *to = van_arena_alloc(a, end - start - doubled + 1);
	size_t length = 0;
	if (!to)
		return VAN_ENOMEM;
	for (size_t k = start; k < end; k++) {
		to[length++] = p[k];
		k += p[k] == c->quote;
	}
	*ret = slice_make(to, length);
	*i = end + 1;
	return 0;
}

/* One field; *i ends at the delimiter, line end or end of text after it. */
static int field(struct csv *c, struct van_arena *a, size_t *i, struct slice *ret)
{
	const char *p = c->rest.p;
	size_t n = c->rest.n, start = *i;
	bool in_quotes = start < n && p[start] == c->quote;
	if (in_quotes) {
		++*i;
		int rc = quoted(c, a, i, ret);
		if (rc < 0)
			return rc;
	}
	while (*i < n && p[*i] != c->delimiter && p[*i] != '\n')
		++*i;
	if (in_quotes)
		return 0;
	struct slice s = slice_trim(slice_make(p + start, *i - start));
	if (s.n > CSV_MAX_FIELD)
		return VAN_ESYNTAX;
	*ret = van_arena_slice(a, s);
	return ret->p ? 0 : VAN_ENOMEM;
}

int csv_read(struct csv *c, struct van_arena *a, struct slice *fields, size_t max, size_t *ret_count)
{
	while (c->rest.n) {
		size_t i = 0, count = 0;
		bool empty = true, more = true;
		c->line = c->next_line;
		for (size_t k = 0; k < max; k++)
			fields[k] = SLICE("");
		while (more) {
			if (count == max)
				return VAN_ESYNTAX;
			int rc = field(c, a, &i, &fields[count]);
			if (rc < 0)
				return rc;
			empty = empty && !fields[count].n;
			count++;
			more = i < c->rest.n && c->rest.p[i] == c->delimiter;
			i += more;
		}
		i += i < c->rest.n;
		c->next_line++;
		c->rest = slice_make(c->rest.p + i, c->rest.n - i);
		*ret_count = count;
		if (!empty)
			return 1;
	}
	return 0;
}

/* Behind the record that begins there, or 0: its end is not there. As field() and quoted() have it. */
static size_t record_end(const struct csv *c, size_t i)
{
	const char *p = c->rest.p;
	size_t n = c->rest.n;
	for (bool begins = true, quotes = false; i < n; i++) {
		if (quotes) {
			if (p[i] != c->quote)
				continue;
			if (i + 1 == n)
				return 0; /* perhaps doubled */
			quotes = p[i + 1] == c->quote;
			i += quotes;
		} else if (p[i] == '\n') {
			return i + 1;
		} else {
			quotes = begins && p[i] == c->quote;
			begins = p[i] == c->delimiter;
		}
	}
	return 0;
}

bool csv_is_whole(const struct csv *c)
{
	size_t at = 0, end;
	while ((end = record_end(c, at)))
		for (; at < end; at++)
			if (!strchr("\r\n\t ", c->rest.p[at]) && c->rest.p[at] != c->delimiter && c->rest.p[at] != c->quote)
				return true;
	return false;
}

int csv_next(struct csv *c, struct van_arena *a, struct slice fields[CSV_MAX_FIELDS])
{
	size_t count;
	return csv_read(c, a, fields, CSV_MAX_FIELDS, &count);
}

void csv_columns(const struct slice *fields, const char *const *names, int n, int *ret)
{
	for (int k = 0; k < n; k++) {
		ret[k] = -1;
		for (int i = 0; i < CSV_MAX_FIELDS; i++)
			if (slice_case_is(fields[i], names[k]))
				ret[k] = i;
	}
}
