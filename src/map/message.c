#include "map/message.h"

#include "edi/lexer.h"

#define LARGEST_MESSAGE_SEGMENTS 2000000u

static bool blank(char c)
{
	return c == ' ' || c == '\r' || c == '\n' || c == '\t';
}

static uint32_t count_of(struct slice s, char separator, char release)
{
	uint32_t n = 0;
	while (s.p) {
		edi_cut(&s, separator, release);
		n++;
	}
	return n;
}

static int add_segment(struct map_message *m, struct slice text)
{
	struct map_segment *s = &m->segments[m->count++];
	s->count = count_of(text, m->delimiters.element, m->delimiters.release);
	s->elements = van_arena_array(m->arena, s->count, sizeof *s->elements);
	if (!s->elements)
		return VAN_ENOMEM;
	s->owner = -1;
	for (uint32_t i = 0; i < s->count; i++)
		s->elements[i].value = edi_cut(&text, m->delimiters.element, m->delimiters.release);
	return 0;
}

int map_message_split(struct map_message *m, struct slice bytes)
{
	const struct map_delimiters *d = &m->delimiters;
	uint32_t room = count_of(bytes, d->terminator, d->release);
	int rc = room > LARGEST_MESSAGE_SEGMENTS ? VAN_ELIMIT : 0;
	m->segments = rc == 0 ? van_arena_array(m->arena, room, sizeof *m->segments) : NULL;
	if (!m->segments)
		return rc < 0 ? rc : VAN_ENOMEM;
	while (rc == 0 && bytes.p) {
		struct slice one = edi_cut(&bytes, d->terminator, d->release);
		while (one.n && blank(*one.p))
			one = slice_make(one.p + 1, one.n - 1);
		if (one.n)
			rc = add_segment(m, one);
	}
	return rc;
}

/* Line ends inside a value come from files that are wrapped at a column. */
static struct slice without_line_ends(struct map_message *m, struct slice s)
{
	if (!s.n || (!memchr(s.p, '\n', s.n) && !memchr(s.p, '\r', s.n)))
		return s;
	char *copy = van_arena_alloc(m->arena, s.n);
	size_t n = 0;
	for (size_t i = 0; copy && i < s.n; i++)
		if (s.p[i] != '\n' && s.p[i] != '\r')
			copy[n++] = s.p[i];
	return copy ? slice_make(copy, n) : s;
}

struct slice map_value(struct map_message *m, const struct map_segment *s, uint32_t element, uint32_t component)
{
	if (element >= s->count)
		return SLICE_NONE;
	struct slice rest = s->elements[element].value, v = rest;
	if (m->delimiters.component)
		for (uint32_t i = 0; i < (component ? component : 1); i++)
			v = rest.p ? edi_cut(&rest, m->delimiters.component, m->delimiters.release) : SLICE_NONE;
	else if (component > 1)
		return SLICE_NONE;
	if (v.n && m->delimiters.release && memchr(v.p, m->delimiters.release, v.n)) {
		char *room = van_arena_alloc(m->arena, v.n);
		if (room)
			v = edi_unescape(v, m->delimiters.release, room);
	}
	v = without_line_ends(m, v);
	while (v.n && v.p[v.n - 1] == ' ')
		v.n--;
	return v.n ? v : SLICE_NONE;
}
