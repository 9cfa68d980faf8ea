/* Messages cut into segments and elements 64 bytes at a time: the same as byte by byte, wherever what counts stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "map/message.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST 400

/* What is expected: of each segment its elements' bounds. */
struct plain {
	uint32_t from[MOST], end[MOST], first[MOST], odd[MOST]; /* elements; by segment */
	uint32_t elements, segments;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\r' || c == '\n' || c == '\t';
}

static uint32_t raw_bytes(const struct plain *p, const char *text, uint32_t i, uint32_t n)
{
	uint32_t first = p->first[p->segments - 1], element = p->elements - 1, length = 0;
	bool bin = memcmp(text + p->from[first], "BIN", 3) == 0 && p->end[first] - p->from[first] == 3;
	if (!bin || element - first != 1 || p->end[element] == p->from[element])
		return 0;
	for (uint32_t k = p->from[element]; k < p->end[element]; k++) {
		if (text[k] < '0' || text[k] > '9')
			return 0;
		length = length * 10 + (uint32_t)(text[k] - '0');
	}
	return length <= n - i - 1 ? length : 0;
}

static void cut_plainly(const char *text, uint32_t n, struct map_delimiters d, struct plain *p)
{
	p->elements = p->segments = 0;
	for (uint32_t i = 0; i < n;) {
		if (text[i] == d.terminator || is_blank(text[i])) {
			i++;
			continue;
		}
		p->first[p->segments] = p->elements;
		p->odd[p->segments++] = 0;
		p->from[p->elements++] = i;
		for (; i < n && text[i] != d.terminator; i++) {
			char c = text[i];
			if (c == d.element) {
				p->end[p->elements - 1] = i;
				uint32_t raw = raw_bytes(p, text, i, n);
				p->from[p->elements++] = i + 1;
				i += raw;
			} else if ((d.release && c == d.release) || (d.component && c == d.component) || (d.repetition && c == d.repetition) || c == '\r' ||
			           c == '\n' || (unsigned char)c >= 0x80) {
				p->odd[p->segments - 1] = 1;
				i += d.release && c == d.release && i + 1 < n;
			}
		}
		p->end[p->elements - 1] = i;
		i++;
	}
}

static void same(struct map_message *m, const char *text, uint32_t n, struct map_delimiters d)
{
	static struct plain p;
	cut_plainly(text, n, d, &p);
	assert_int_equal(map_message_split(m, slice_make(text, n), d), 0);
	if (m->count != p.segments)
		fail_msg("%u segments, not %u, in '%.*s'", m->count, p.segments, (int)n, text);
	for (uint32_t i = 0; i < p.segments; i++) {
		uint32_t count = (i + 1 < p.segments ? p.first[i + 1] : p.elements) - p.first[i];
		if (m->segments[i].count != count || m->segments[i].odd != (p.odd[i] != 0))
			fail_msg("segment %u: %u elements, not %u; odd %d, not %u: '%.*s'", i, m->segments[i].count, count, m->segments[i].odd, p.odd[i], (int)n, text);
		for (uint32_t k = 0; k < count; k++) {
			struct slice v = map_raw(m, &m->segments[i], k);
			uint32_t from = p.from[p.first[i] + k], end = p.end[p.first[i] + k];
			if (v.p != text + from || v.n != end - from)
				fail_msg("segment %u, element %u is '%.*s', not '%.*s', in '%.*s'", i, k, (int)v.n, v.p, (int)(end - from), text + from, (int)n, text);
		}
		assert_int_equal(m->segments[i].id, edi_pack(text + p.from[p.first[i]], p.end[p.first[i]] - p.from[p.first[i]]));
	}
}

/* Bytes of all kinds in any order, at any distance from the end of a vector. */
static void any_bytes(void **state)
{
	(void)state;
	static const struct map_delimiters kinds[] = {{'*', '>', 0, 0, '~'}, {'+', ':', '*', '?', '\''}, {'*', '>', '^', 0, '\n'}, {'|', 0, 0, 0, '\r'}};
	static const char letters[] = "AB7 \r\n\t*>^~+:?'|\xe9";
	struct map_message m = {0};
	char text[MOST];
	srand(11);
	for (int round = 0; round < 60000; round++) {
		uint32_t n = (uint32_t)rand() % (round % 2 ? MOST : 80), dense = 1 + (uint32_t)rand() % 12;
		for (uint32_t i = 0; i < n; i++)
			text[i] = rand() % (int)dense ? (char)('A' + rand() % 26) : letters[(size_t)rand() % sizeof letters]; /* its NUL too */
		if (round % 7 == 0 && n > 30)
			memcpy(text + rand() % (int)(n - 24), "~BIN*12*~*~ab\n>*~\xff?'**~", 24);
		same(&m, text, n, kinds[round % 4]);
	}
	map_message_free(&m);
}

/* A qualifier that a segment has is never taken for missing. */
static void qualifiers(void **state)
{
	(void)state;
	struct map_message m = {0};
	const char text[] = "PO1*1*5*EA*2.5*PE*UP*012345678905*VN*VS-1  *BP**IN*~PIA*5*A:SA~PO1~";
	assert_int_equal(map_message_split(&m, slice_make(text, sizeof text - 1), (struct map_delimiters){'*', ':', 0, 0, '~'}), 0);
	for (uint32_t i = 0; i < m.count; i++)
		for (uint32_t k = 1; k < m.segments[i].count; k++)
			assert_true(map_qualifiers(&m, &m.segments[i]) & map_qualifier_bit(map_value(&m, &m.segments[i], k, 0)));
	assert_false(map_qualifiers(&m, &m.segments[0]) & map_qualifier_bit(SLICE("SK")));
	assert_true(map_qualifiers(&m, &m.segments[1]) & map_qualifier_bit(SLICE("SA"))); /* it has components: any may be there */
	map_message_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(any_bytes), cmocka_unit_test(qualifiers)};
	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
