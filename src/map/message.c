#include "map/message.h"

#include "edi/code_extension.h"
#include "edi/lexer.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define LARGEST_MESSAGE_SEGMENTS 2000000u
#define LARGEST_MESSAGE_ELEMENTS 50000000u

enum { PLAIN, ELEMENT, TERMINATOR, RELEASE, PART, ODD };

void map_message_free(struct map_message *m)
{
	free(m->segments);
	free(m->starts);
	free(m->taken);
	van_buf_free(&m->text);
}

static inline bool blank(char c)
{
	return (unsigned char)c <= ' ' && (c == ' ' || c == '\r' || c == '\n' || c == '\t');
}

static void make_classes(struct map_message *m, struct map_delimiters d)
{
	if (m->classes_made && memcmp(&d, &m->delimiters, sizeof d) == 0)
		return;
	memset(m->classes, PLAIN, 128);
	memset(m->classes + 128, ODD, 128);
	m->classes['\n'] = m->classes['\r'] = ODD;
	if (d.component)
		m->classes[(unsigned char)d.component] = PART;
	if (d.repetition)
		m->classes[(unsigned char)d.repetition] = ODD;
	if (d.release)
		m->classes[(unsigned char)d.release] = RELEASE;
	m->classes[(unsigned char)d.element] = ELEMENT;
	m->classes[(unsigned char)d.terminator] = TERMINATOR;
	m->delimiters = d;
	m->classes_made = true;
	const char marks[MAP_MARKS] = {d.element, d.terminator, d.component, d.repetition, d.release, '\n', '\r'};
	m->mark_count = 0;
	for (size_t i = 0; i < MAP_MARKS; i++)
		if (marks[i])
			memset(m->marks[m->mark_count++], marks[i], sizeof *m->marks);
}

static int more_segments(struct map_message *m)
{
	uint32_t room = m->room ? 2 * m->room : 256;
	if (m->count >= LARGEST_MESSAGE_SEGMENTS)
		return VAN_ELIMIT;
	struct map_segment *v = realloc(m->segments, room * sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	m->segments = v;
	m->room = room;
	return 0;
}

static int more_elements(struct map_message *m)
{
	uint32_t room = m->element_room ? 2 * m->element_room : 2048;
	if (m->element_count >= LARGEST_MESSAGE_ELEMENTS)
		return VAN_ELIMIT;
	uint32_t *starts = realloc(m->starts, room * sizeof *starts);
	if (starts)
		m->starts = starts;
	uint16_t *taken = starts ? realloc(m->taken, room * sizeof *taken) : NULL;
	if (!taken)
		return VAN_ENOMEM;
	m->taken = taken;
	m->element_room = room;
	return 0;
}

static inline uint32_t past_blanks(const struct map_message *m, uint32_t at, uint32_t n)
{
	while (at < n && blank(m->bytes[at]) && m->bytes[at] != m->delimiters.terminator)
		at++;
	return at;
}

/* The blanks among 64 bytes, a bit for each; all of them where they cannot be asked at once. */
static inline uint64_t find_blanks(const char *p)
{
#ifdef __SSE2__
	const __m128i *from = (const __m128i *)(const void *)p, blank = _mm_set1_epi8(' ');
	uint64_t blanks = 0;
	for (int i = 0; i < 4; i++)
		blanks |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(from + i), blank)) << 16 * i;
	return blanks;
#else
	(void)p;
	return ~(uint64_t)0;
#endif
}

/* All that is not plain among 64 bytes: a bit for each. A byte of another kind may be among them. */
#ifdef __SSE2__
static inline uint64_t find_marks(const struct map_message *m, const char *p)
{
	const __m128i *from = (const __m128i *)(const void *)p;
	__m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1), c = _mm_loadu_si128(from + 2), d = _mm_loadu_si128(from + 3);
	__m128i in_a = a, in_b = b, in_c = c, in_d = d; /* the high bit is a mark, too */
	for (uint32_t i = 0; i < m->mark_count; i++) {
		__m128i mark = _mm_loadu_si128((const __m128i *)(const void *)m->marks[i]);
		in_a = _mm_or_si128(in_a, _mm_cmpeq_epi8(a, mark));
		in_b = _mm_or_si128(in_b, _mm_cmpeq_epi8(b, mark));
		in_c = _mm_or_si128(in_c, _mm_cmpeq_epi8(c, mark));
		in_d = _mm_or_si128(in_d, _mm_cmpeq_epi8(d, mark));
	}
	return (uint64_t)(uint32_t)_mm_movemask_epi8(in_a) | (uint64_t)(uint32_t)_mm_movemask_epi8(in_b) << 16 |
	       (uint64_t)(uint32_t)_mm_movemask_epi8(in_c) << 32 | (uint64_t)(uint32_t)_mm_movemask_epi8(in_d) << 48;
}
#else
static inline uint64_t find_marks(const struct map_message *m, const char *p)
{
	uint64_t marks = 0;
	for (uint32_t i = 0; i < 64; i++)
		marks |= (uint64_t)(m->classes[(unsigned char)p[i]] != PLAIN) << i;
	return marks;
}
#endif

/* A message while it is cut: 64 bytes at a time become marks, and marks segments. */
struct cut {
	struct map_message *m;
	uint32_t n;       /* bytes */
	uint32_t base;    /* of the marks at hand */
	uint64_t marks;   /* those that were not looked at yet */
	uint64_t blanks;  /* of the bytes at hand */
	int rc;
	/* of the segment at hand */
	uint32_t from, first, k; /* its first byte and element; the element at hand, from 0 */
	uint32_t length;  /* BIN and BDS: the element that tells the length of the raw bytes behind it; 0: none */
	bool odd, parts;
};

/* The marks of the next bytes; false: there are none. A byte makes two starts at most, for which room is made. */
static bool more_marks(struct cut *c)
{
	struct map_message *m = c->m;
	c->base += 64;
	m->element_count = c->first + c->k + 1;
	if (c->base >= c->n)
		return false;
	if (m->element_room - m->element_count < 3 * 64 && (c->rc = more_elements(m)) < 0)
		return false;
	char padded[64];
	const char *p = m->bytes + c->base;
	uint32_t left = c->n - c->base;
	if (left < sizeof padded)
		p = memcpy(padded, p, left);
	uint64_t before = c->blanks >> 63, all = find_marks(m, p);
	c->blanks = find_blanks(p);
	c->marks = left < sizeof padded ? all & (((uint64_t)1 << left) - 1) : all;
	m->blanks |= ((c->blanks << 1 | before) & c->marks) != 0;
	return true;
}

static uint32_t length_element(const struct cut *c)
{
	const char *p = c->m->bytes + c->from;
	if (*p != 'B' || c->n - c->from < 4 || p[3] != c->m->delimiters.element)
		return 0;
	return memcmp(p, "BIN", 3) == 0 ? 1 : memcmp(p, "BDS", 3) == 0 ? 2 : 0;
}

/* Where the raw bytes end whose length stands from `start` to `at`; 0: it is no number. */
static uint32_t binary_end(const struct cut *c, uint32_t start, uint32_t at)
{
	unsigned long long length;
	return slice_u64(slice_make(c->m->bytes + start, at - start), &length) && length <= c->n - at - 1 ? at + 1 + (uint32_t)length : 0;
}

/* Elements up to the first mark that does not end one: returns where it stands, behind all bytes when there is none. */
static uint32_t cut_plain(struct cut *c)
{
	const char *bytes = c->m->bytes, separator = c->m->delimiters.element;
	uint32_t *at = c->m->starts + c->first + c->k, i = c->n;
	uint64_t marks = c->marks;
	for (;; marks &= marks - 1) {
		while (!marks) {
			c->k = (uint32_t)(at - c->m->starts) - c->first;
			if (!more_marks(c))
				return c->n;
			at = c->m->starts + c->first + c->k;
			marks = c->marks;
		}
		i = c->base + (uint32_t)__builtin_ctzll(marks);
		if (bytes[i] != separator)
			break;
		*++at = i + 1;
	}
	c->k = (uint32_t)(at - c->m->starts) - c->first;
	c->marks = marks;
	return i;
}

/* The rest of a segment of any kind: returns where its terminator stands, or behind all bytes. */
static uint32_t cut_any(struct cut *c)
{
	struct map_message *m = c->m;
	uint32_t skip = c->from, *starts = m->starts + c->first;
	for (;; c->marks &= c->marks - 1) {
		while (!c->marks)
			if (!more_marks(c))
				return c->n;
		uint32_t i = c->base + (uint32_t)__builtin_ctzll(c->marks);
		unsigned char class = m->classes[(unsigned char)m->bytes[i]];
		starts = m->starts + c->first;
		if (i < skip) /* blanks before it; raw or released */
			continue;
		if (class == TERMINATOR)
			return i;
		if (class == ELEMENT) {
			skip = c->k && c->k == c->length ? binary_end(c, starts[c->k], i) : 0;
			starts[++c->k] = i + 1;
		} else if (class != PLAIN) {
			c->odd = true;
			c->parts &= class == PART;
			skip = i + 1 + (class == RELEASE);
		}
	}
}

/* A bit for each of the first 64 elements that holds something. Four are looked at at once: there is room behind the last. */
static inline uint64_t present_of(const uint32_t *starts, uint32_t count)
{
	uint64_t present = 0;
	uint32_t n = count < 64 ? count : 64;
#ifdef __SSE2__
	const __m128i empty = _mm_set1_epi32(1);
	for (uint32_t k = 0; k < n; k += 4) {
		__m128i from = _mm_loadu_si128((const __m128i *)(const void *)(starts + k)), next = _mm_loadu_si128((const __m128i *)(const void *)(starts + k + 1));
		present |= (uint64_t)(uint32_t)(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(_mm_sub_epi32(next, from), empty))) ^ 15) << k;
	}
	return n < 64 ? present & (((uint64_t)1 << n) - 1) : present;
#else
	for (uint32_t k = 0; k < n; k++)
		present |= (uint64_t)(starts[k + 1] - starts[k] != 1) << k;
	return present;
#endif
}

/* The segment that begins at `from`. Returns where it ends. */
static uint32_t cut_segment(struct cut *c, uint32_t from)
{
	struct map_message *m = c->m;
	c->from = from;
	c->first = m->element_count;
	c->k = 0;
	c->odd = false;
	c->parts = m->charset != EDI_CHARSET_UNOX; /* whose escape sequences are plain bytes */
	c->length = length_element(c);
	m->starts[c->first] = from;
	uint32_t end = c->n;
	bool plain = !c->length && from - c->base < 64;
	if (plain) {
		c->marks &= ~(uint64_t)0 << (from - c->base);
		end = cut_plain(c);
	}
	if (!plain || (end < c->n && m->bytes[end] != m->delimiters.terminator))
		end = cut_any(c);
	const uint32_t *starts = m->starts + c->first;
	m->element_count = c->first + ++c->k + 1;
	m->starts[c->first + c->k] = end + 1; /* where the next would begin */
	m->segments[m->count++] = (struct map_segment){.first = c->first, .count = c->k, .id = edi_pack(m->bytes + from, starts[1] - 1 - from),
		.number = -1, .owner = -1, .next = -1, .node = -1, .odd = c->odd, .parts = c->odd && c->parts, .masked = !c->odd && c->k <= 64,
		.present = present_of(starts, c->k)};
	if (c->odd || c->k > 64)
		memset(m->taken + c->first, 0, c->k * sizeof *m->taken);
	return end;
}

int map_message_split(struct map_message *m, struct slice bytes, struct map_delimiters delimiters)
{
	struct cut c = {.m = m, .n = (uint32_t)bytes.n, .base = (uint32_t)-64};
	if (bytes.n > UINT32_MAX - 64)
		return VAN_ELIMIT;
	make_classes(m, delimiters);
	m->bytes = bytes.p;
	m->count = m->element_count = 0;
	m->blanks = false;
	if (!m->element_room)
		c.rc = more_elements(m);
	for (uint32_t at = past_blanks(m, 0, c.n); at < c.n && c.rc == 0; at = past_blanks(m, at + 1, c.n)) {
		if (bytes.p[at] == m->delimiters.terminator) /* of nothing */
			continue;
		if (m->count == m->room)
			c.rc = more_segments(m);
		if (c.rc == 0)
			at = cut_segment(&c, at);
	}
	m->blanks |= c.n && bytes.p[c.n - 1] == ' '; /* no mark stands behind it */
	return c.rc;
}

/* --- values ------------------------------------------------------------------------------------------------------------------ */

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

struct slice map_part(const struct map_message *m, struct slice element, uint32_t component)
{
	const char *p = element.p, *end = p + element.n, *from = p;
	for (; p < end; p++) {
		if (*p != m->delimiters.component)
			continue;
		if (component <= 1)
			break;
		component--;
		from = p + 1;
	}
	return component <= 1 ? map_without_blanks(slice_make(from, (size_t)(p - from))) : SLICE_NONE;
}

struct slice map_value_slow(struct map_message *m, const struct map_segment *s, uint32_t element, uint32_t repetition, uint32_t component)
{
	const struct map_delimiters *d = &m->delimiters;
	struct slice rest = map_raw(m, s, element), v = rest;
	for (uint32_t i = 0; i <= repetition; i++)
		v = rest.p ? edi_cut(&rest, d->repetition, d->release) : SLICE_NONE;
	rest = v;
	if (d->component)
		for (uint32_t i = 0; i < (component ? component : 1); i++)
			v = rest.p ? edi_cut(&rest, d->component, d->release) : SLICE_NONE;
	else if (component > 1)
		return SLICE_NONE;
	if (v.n && d->release && memchr(v.p, d->release, v.n)) {
		char *room = van_arena_alloc(m->arena, v.n);
		if (room)
			v = edi_unescape(v, d->release, room);
	}
	return map_text_in(m, without_line_ends(m, v));
}

/* A copy in UTF-8, without blanks at its end; absent when nothing is left. */
struct slice map_text_in(struct map_message *m, struct slice v)
{
	bool high = false;
	while (v.n && v.p[v.n - 1] == ' ')
		v.n--;
	for (size_t i = 0; i < v.n && !high; i++)
		high = (unsigned char)v.p[i] >= 0x80 || (m->charset == EDI_CHARSET_UNOX && v.p[i] == EDI_ESC);
	if (high && !edi_charset_is_utf8(edi_charset_guess(m->charset, v))) {
		van_buf_reset(&m->text);
		if (edi_charset_to_utf8(edi_charset_guess(m->charset, v), v, &m->text) == 0)
			v = van_arena_slice(m->arena, van_buf_slice(&m->text));
	}
	return v.n ? v : SLICE_NONE;
}
