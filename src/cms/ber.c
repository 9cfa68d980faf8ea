#include "cms/ber.h"

struct ber ber_over(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	return (struct ber){.start = p, .p = p, .end = p ? p + s.n : p};
}

static bool fail(struct ber *b)
{
	b->bad = true;
	return false;
}

static bool short_of(struct ber *b, size_t n)
{
	b->need = (size_t)(b->p - b->start) + n;
	return false;
}

unsigned char ber_peek(const struct ber *b)
{
	return ber_more(b) ? *b->p : 0;
}

bool ber_head(struct ber *b, unsigned char *tag, uint64_t *len)
{
	size_t left = (size_t)(b->end - b->p);
	if (!ber_ok(b))
		return false;
	if (left < 2)
		return short_of(b, 2);
	*tag = b->p[0];
	if ((*tag & 0x1f) == 0x1f)
		return fail(b);
	unsigned octets = b->p[1] & 0x7f;
	if (!(b->p[1] & 0x80)) {
		*len = b->p[1];
		b->p += 2;
		return true;
	}
	if (octets == 0) {
		*len = BER_INDEFINITE;
		b->p += 2;
		return *tag & BER_CONSTRUCTED ? true : fail(b);
	}
	if (octets > 7)
		return fail(b);
	if (left < 2 + octets)
		return short_of(b, 2 + octets);
	*len = 0;
	for (unsigned i = 0; i < octets; i++)
		*len = *len << 8 | b->p[2 + i];
	b->p += 2 + octets;
	return true;
}

/* Moves behind the end-of-contents octets of an indefinite element whose head was read; *content_end is before them. */
static bool skip_indefinite(struct ber *b, const unsigned char **content_end)
{
	unsigned depth = 1;
	while (ber_ok(b)) {
		unsigned char tag;
		uint64_t len;
		*content_end = b->p;
		if (!ber_head(b, &tag, &len))
			return false;
		if (tag == 0) {
			if (len != 0)
				return fail(b);
			if (--depth == 0)
				return true;
		} else if (len == BER_INDEFINITE) {
			if (++depth > BER_DEPTH_MAX)
				return fail(b);
		} else if (len > (uint64_t)(b->end - b->p)) {
			return len > SIZE_MAX / 2 ? fail(b) : short_of(b, (size_t)len);
		} else {
			b->p += len;
		}
	}
	return false;
}

bool ber_next(struct ber *b, struct ber_element *ret)
{
	const unsigned char *from = b->p;
	uint64_t len;
	if (!ber_head(b, &ret->tag, &len))
		return false;
	const unsigned char *content = b->p, *end;
	if (len == BER_INDEFINITE) {
		if (!skip_indefinite(b, &end))
			return false;
	} else {
		if (len > (uint64_t)(b->end - b->p))
			return len > SIZE_MAX / 2 ? fail(b) : short_of(b, (size_t)len);
		end = b->p += len;
	}
	ret->content = slice_make(content, (size_t)(end - content));
	ret->whole = slice_make(from, (size_t)(b->p - from));
	return true;
}

struct slice ber_expect(struct ber *b, unsigned char tag)
{
	struct ber_element e;
	if (!ber_next(b, &e))
		return SLICE_NONE;
	if (e.tag != tag) {
		fail(b);
		return SLICE_NONE;
	}
	return e.content;
}

void ber_enter(struct ber *b, unsigned char tag)
{
	unsigned char seen;
	uint64_t len;
	if (ber_head(b, &seen, &len) && seen != tag)
		fail(b);
}

void ber_skip_if(struct ber *b, unsigned char tag)
{
	struct ber_element e;
	if (ber_ok(b) && b->p == b->end)
		short_of(b, 1);
	else if (ber_peek(b) == tag)
		ber_next(b, &e);
}

static bool join(struct slice content, char *to, size_t *n, unsigned depth)
{
	struct ber b = ber_over(content);
	struct ber_element e;
	if (depth > BER_DEPTH_MAX)
		return false;
	while (ber_more(&b)) {
		if (!ber_next(&b, &e))
			return false;
		if (e.tag == BER_OCTETS) {
			memcpy(to + *n, e.content.p, e.content.n);
			*n += e.content.n;
		} else if (e.tag != BER_OCTETS_CONSTRUCTED || !join(e.content, to, n, depth + 1)) {
			return false;
		}
	}
	return true;
}

struct slice ber_octets(struct ber *b, unsigned char primitive, struct van_arena *arena)
{
	struct ber_element e;
	if (!ber_next(b, &e))
		return SLICE_NONE;
	if (e.tag == primitive)
		return e.content;
	size_t n = 0;
	char *to = e.tag == (primitive | BER_CONSTRUCTED) ? van_arena_alloc(arena, e.content.n + 1) : NULL;
	if (!to || !join(e.content, to, &n, 0)) {
		fail(b);
		return SLICE_NONE;
	}
	return slice_make(to, n);
}

struct slice ber_algorithm(struct ber *b, struct slice *params)
{
	struct slice content = ber_expect(b, BER_SEQUENCE);
	struct ber in = ber_over(content);
	*params = SLICE_NONE;
	if (!ber_ok(b))
		return SLICE_NONE;
	struct slice oid = ber_expect(&in, BER_OID);
	struct ber_element e;
	if (ber_more(&in) && ber_next(&in, &e))
		*params = e.whole;
	if (!ber_ok(&in))
		fail(b);
	return oid;
}

bool ber_only_ends(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != 0 && s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != ' ')
			return false;
	return true;
}

size_t der_head_size(size_t len)
{
	size_t n = 2;
	for (size_t rest = len; len >= 128 && rest; rest >>= 8)
		n++;
	return n;
}

int der_head(struct van_buf *to, unsigned char tag, size_t len)
{
	unsigned char head[2 + sizeof len] = {tag, (unsigned char)len};
	size_t n = der_head_size(len);
	if (n > 2) {
		head[1] = (unsigned char)(0x80 | (n - 2));
		for (size_t i = 0; i < n - 2; i++)
			head[n - 1 - i] = (unsigned char)(len >> (8 * i));
	}
	return van_buf_append(to, head, n);
}

int der_put(struct van_buf *to, unsigned char tag, struct slice content)
{
	der_head(to, tag, content.n);
	return van_buf_append_slice(to, content);
}
