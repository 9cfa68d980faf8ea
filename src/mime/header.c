#include "mime/header.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t mime_headers_end(struct slice block)
{
	size_t line = 0;
	for (size_t at = 0; at < block.n;) {
		const char *lf = memchr(block.p + at, '\n', block.n - at);
		if (!lf)
			return 0;
		at = (size_t)(lf - block.p) + 1;
		size_t n = at - 1 - line;
		if (n == 0 || (n == 1 && block.p[line] == '\r'))
			return at;
		line = at;
	}
	return 0;
}

/* One field with its folded lines; `rest` moves behind it. */
static struct slice cut_field(struct slice *rest)
{
	size_t at = 0;
	while (at < rest->n) {
		const char *lf = memchr(rest->p + at, '\n', rest->n - at);
		at = lf ? (size_t)(lf - rest->p) + 1 : rest->n;
		if (at == rest->n || !is_blank(rest->p[at]))
			break;
	}
	struct slice field = slice_make(rest->p, at);
	*rest = slice_make(rest->p + at, rest->n - at);
	return field;
}

/* Unfolding removes the line ends and nothing else (RFC 5322 section 2.2.3). */
static int unfold(struct slice s, struct van_arena *arena, struct slice *ret)
{
	if (!s.n || !memchr(s.p, '\n', s.n)) {
		*ret = s;
		return 0;
	}
	char *to = van_arena_alloc(arena, s.n);
	if (!to)
		return VAN_ENOMEM;
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\n' && !(s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n'))
			to[n++] = s.p[i];
	*ret = slice_make(to, n);
	return 0;
}

static bool name_valid(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' || (unsigned char)name.p[i] >= 127)
			return false;
	return name.n > 0;
}

static int parse_field(struct slice field, struct van_arena *arena, struct mime_header *ret, struct van_error *err)
{
	struct slice value = field, name = slice_cut(&value, ':');
	if (!value.p)
		return van_error_set(err, VAN_ESYNTAX, "a header line has no colon: the sender's MIME headers are damaged");
	while (name.n && is_blank(name.p[name.n - 1]))
		name.n--;
	if (!name_valid(name))
		return van_error_set(err, VAN_ESYNTAX, "a header's name is not printable ASCII: the MIME headers are damaged");
	ret->name = name;
	int rc = unfold(slice_trim(value), arena, &ret->value);
	return rc ? van_error_set(err, rc, "no memory for a header block") : 0;
}

int mime_headers_parse(struct slice block, struct van_arena *arena, struct mime_headers *ret, struct van_error *err)
{
	if (block.n > MIME_HEADER_BYTES_MAX)
		return van_error_set(err, VAN_ELIMIT, "a header block is longer than %d bytes", MIME_HEADER_BYTES_MAX);
	struct mime_headers h = {.v = van_arena_array(arena, 16, sizeof *h.v)};
	size_t room = 16;
	while (h.v && block.n) {
		struct slice field = cut_field(&block);
		if (slice_trim(field).n == 0)
			break; /* the empty line */
		if (h.n == MIME_HEADERS_MAX)
			return van_error_set(err, VAN_ELIMIT, "more than %d header fields", MIME_HEADERS_MAX);
		if (h.n == room) {
			struct mime_header *more = van_arena_array(arena, room * 4, sizeof *more);
			if (more)
				memcpy(more, h.v, h.n * sizeof *more);
			h.v = more;
			room *= 4;
			if (!more)
				break;
		}
		int rc = parse_field(field, arena, &h.v[h.n++], err);
		if (rc)
			return rc;
	}
	if (!h.v)
		return van_error_set(err, VAN_ENOMEM, "no memory for a header block");
	*ret = h;
	return 0;
}

struct slice mime_header_get(const struct mime_headers *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (slice_case_is(h->v[i].name, name))
			return h->v[i].value;
	return SLICE_NONE;
}

size_t mime_header_count(const struct mime_headers *h, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < h->n; i++)
		n += slice_case_is(h->v[i].name, name);
	return n;
}
