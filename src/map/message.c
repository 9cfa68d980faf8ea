#include "map/message.h"

#include "edi/code_extension.h"
#include "edi/lexer.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define LARGEST_MESSAGE_SEGMENTS 2000000u
#define LARGEST_MESSAGE_ELEMENTS 50000000u

enum { PLAIN, ELEMENT, TERMINATOR, RELEASE, ODD };

void map_message_free(struct map_message *m)
{
	free(m->segments);
	free(m->starts);
	free(m->taken);
	van_buf_free(&m->text);
}

static bool blank(char c)
{
	return c == ' ' || c == '\r' || c == '\n' || c == '\t';
}

static void make_classes(struct map_message *m, struct map_delimiters d)
{
	if (m->classes_made && memcmp(&d, &m->delimiters, sizeof d) == 0)
		return;
	memset(m->classes, PLAIN, 128);
	memset(m->classes + 128, ODD, 128);
	m->classes['\n'] = m->classes['\r'] = ODD;
	if (d.component)
		m->classes[(unsigned char)d.component] = ODD;
	if (d.repetition)
		m->classes[(unsigned char)d.repetition] = ODD;
	if (d.release)
		m->classes[(unsigned char)d.release] = RELEASE;
	m->classes[(unsigned char)d.element] = ELEMENT;
	m->classes[(unsigned char)d.terminator] = TERMINATOR;
	m->delimiters = d;
	m->classes_made = true;
	const char marks[MAP_MARKS] = {d.element, d.terminator, d.component, d.repetition, d.release, '\n', '\r'};
	for (size_t i = 0; i < MAP_MARKS; i++)
		memset(m->marks[i], marks[i], sizeof m->marks[i]);
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

/* There is room: map_message_split() sees to it. */
static inline void add_start(struct map_message *m, uint32_t at)
{
	m->taken[m->element_count] = 0;
	m->starts[m->element_count++] = at;
}

/* BIN and BDS: where the raw bytes end whose length the element before them tells; 0: it is no number. */
static uint32_t binary_end(const struct map_message *m, const struct map_segment *s, uint32_t at, uint32_t n)
{
	unsigned long long length;
	uint32_t which = s->id == edi_pack("BIN", 3) ? 2 : s->id == edi_pack("BDS", 3) ? 3 : 0; /* as map_binary(), while it is read */
	if (!which || m->element_count - s->first != which)
		return 0;
	uint32_t from = m->starts[m->element_count - 1];
	return slice_u64(slice_make(m->bytes + from, at - from), &length) && length <= n - at - 1 ? at + 1 + (uint32_t)length : 0;
}

static int begin_segment(struct map_message *m, uint32_t at)
{
	if (m->count == m->room && more_segments(m) < 0)
		return m->count >= LARGEST_MESSAGE_SEGMENTS ? VAN_ELIMIT : VAN_ENOMEM;
	m->segments[m->count] = (struct map_segment){.first = m->element_count, .number = -1, .owner = -1, .next = -1, .node = -1};
	add_start(m, at);
	return 0;
}

static void pack_id(const struct map_message *m, struct map_segment *s, uint32_t end)
{
	uint32_t at = m->starts[s->first];
	if (m->element_count == s->first + 1)
		s->id = edi_pack(m->bytes + at, end - at);
}

static void end_segment(struct map_message *m, uint32_t at)
{
	struct map_segment *s = &m->segments[m->count++];
	pack_id(m, s, at);
	s->count = m->element_count - s->first;
	add_start(m, at + 1); /* where the next would begin */
}

/* The byte at i is not plain. Returns the first byte behind it that counts again. */
static uint32_t take_byte(struct map_message *m, unsigned char class, uint32_t i, uint32_t n)
{
	struct map_segment *s = &m->segments[m->count];
	uint32_t end;
	switch (class) {
	case PLAIN: return i;
	case ELEMENT:
		pack_id(m, s, i);
		end = binary_end(m, s, i, n);
		add_start(m, i + 1);
		return end ? end : i + 1;
	default:
		s->odd = true;
		return i + 1 + (class == RELEASE);
	}
}

static uint32_t past_blanks(const struct map_message *m, uint32_t at, uint32_t n)
{
	while (at < n && blank(m->bytes[at]) && m->bytes[at] != m->delimiters.terminator)
		at++;
	return at;
}

/* All that is not plain among n bytes, at most 64: a bit for each. A byte of another kind may be among them. */
#ifdef __SSE2__
static inline uint64_t find_marks(const struct map_message *m, const char *p, uint32_t n)
{
	char padded[64] = {0};
	uint64_t marks = 0;
	if (n < sizeof padded) {
		memcpy(padded, p, n);
		p = padded;
	}
	for (int k = 0; k < 4; k++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * k)), all = v; /* the high bit is one, too */
		for (size_t i = 0; i < MAP_MARKS; i++)
			all = _mm_or_si128(all, _mm_cmpeq_epi8(v, _mm_loadu_si128((const __m128i *)(const void *)m->marks[i])));
		marks |= (uint64_t)(uint32_t)_mm_movemask_epi8(all) << 16 * k;
	}
	return n < sizeof padded ? marks & (((uint64_t)1 << n) - 1) : marks;
}
#else
static inline uint64_t find_marks(const struct map_message *m, const char *p, uint32_t n)
{
	uint64_t marks = 0;
	for (uint32_t i = 0; i < n; i++)
		marks |= (uint64_t)(m->classes[(unsigned char)p[i]] != PLAIN) << i;
	return marks;
}
#endif

int map_message_split(struct map_message *m, struct slice bytes, struct map_delimiters delimiters)
{
	uint32_t n = (uint32_t)bytes.n;
	if (bytes.n > UINT32_MAX - 64)
		return VAN_ELIMIT;
	make_classes(m, delimiters);
	m->bytes = bytes.p;
	m->count = m->element_count = 0;
	/* `from`: bytes before it do not count; between segments it is where the next one begins, or an empty one ends */
	uint32_t from = past_blanks(m, 0, n);
	bool open = false;
	int rc = 0;
	for (uint32_t base = 0; base < n && rc == 0; base += 64) {
		uint32_t here = n - base < 64 ? n - base : 64;
		uint64_t marks = find_marks(m, bytes.p + base, here);
		if (m->element_room - m->element_count < 3 * 64) /* a byte makes two starts at most */
			rc = more_elements(m);
		for (; marks && rc == 0; marks &= marks - 1) {
			uint32_t i = base + (uint32_t)__builtin_ctzll(marks);
			unsigned char class = m->classes[(unsigned char)bytes.p[i]];
			if (i < from)
				continue;
			if (!open && (class != TERMINATOR || i > from)) {
				rc = begin_segment(m, from);
				open = true;
			}
			if (class != TERMINATOR) {
				from = rc == 0 ? take_byte(m, class, i, n) : n;
				continue;
			}
			if (open && rc == 0)
				end_segment(m, i);
			open = false;
			from = past_blanks(m, i + 1, n);
		}
	}
	if (!open && rc == 0 && from < n) {
		rc = begin_segment(m, from);
		open = true;
	}
	if (open && rc == 0)
		end_segment(m, n);
	return rc;
}

/* --- places ------------------------------------------------------------------------------------------------------------------ */

struct walk {
	struct map_message *m;
	const struct edi_message_def *d;
	uint32_t *counts;
	int32_t at;                     /* node of the last segment that had its place */
	uint32_t opened[64];            /* first segments of the loops that are open, outermost first */
	int32_t loops[64];
	uint32_t depth;
};

static bool when_holds(const struct walk *w, const struct edi_node *n, const struct map_segment *s)
{
	struct slice value = map_value(w->m, s, n->when_element, 1);
	for (uint32_t i = 0; i < n->when_count; i++)
		if (value.p && slice_eq(n->when[i], value))
			return true;
	return !n->when_element;
}

static const struct edi_transition *choose(const struct walk *w, const struct map_segment *s)
{
	const struct edi_node *nodes = w->d->nodes, *n = &nodes[w->at];
	const struct edi_transition *low = n->transitions, *end = low + n->transition_count, *high = end, *full = NULL;
	while (low < high) {
		const struct edi_transition *middle = low + (high - low) / 2;
		if (middle->id < s->id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < end && low->id == s->id; low++) {
		if (!when_holds(w, &nodes[low->to], s) || (low->loop >= 0 && !when_holds(w, &nodes[low->loop], s)))
			continue;
		int32_t node = low->loop >= 0 ? low->loop : low->to;
		if (!nodes[node].max || w->counts[node] < nodes[node].max)
			return low;
		full = full ? full : low;
	}
	return full;
}

static bool inside(const struct edi_node *nodes, int32_t loop, int32_t node)
{
	return node >= loop && node <= nodes[loop].last;
}

/* Loops that `node` is not in end before segment i. */
static void close_loops(struct walk *w, int32_t node, uint32_t i)
{
	while (w->depth && (node < 0 || !inside(w->d->nodes, w->loops[w->depth - 1], node)))
		w->m->segments[w->opened[--w->depth]].end = i;
}

static void open_loop(struct walk *w, int32_t loop, uint32_t i)
{
	close_loops(w, w->d->nodes[loop].parent, i);
	w->counts[loop]++;
	memset(w->counts + loop + 1, 0, (size_t)(w->d->nodes[loop].last - loop) * sizeof *w->counts);
	if (w->depth < 64) {
		w->loops[w->depth] = loop;
		w->opened[w->depth++] = i;
	}
}

/* One that stands where the standard does not have it: in the innermost open loop that knows it, else where it is. */
static void misplaced(struct walk *w, struct map_segment *s)
{
	const struct edi_node *nodes = w->d->nodes;
	for (uint32_t k = w->depth; k--;)
		for (int32_t i = w->loops[k] + 1; i <= nodes[w->loops[k]].last; i = nodes[i].last + 1)
			if (!nodes[i].is_loop && edi_pack(nodes[i].id.p, nodes[i].id.n) == s->id) {
				s->node = i;
				return;
			}
}

void map_message_place(struct map_message *m, const struct edi_message_def *d, uint32_t *counts)
{
	struct walk w = {.m = m, .d = d, .counts = counts};
	memset(counts, 0, (size_t)d->count * sizeof *counts);
	for (uint32_t i = 1; i < m->count; i++) {
		struct map_segment *s = &m->segments[i];
		const struct edi_transition *t = choose(&w, s);
		if (!t) {
			misplaced(&w, s);
			continue;
		}
		if (t->loop >= 0) {
			/* the transition names the outermost loop that begins; those in it begin with it */
			for (int32_t loop = t->loop; loop < t->to; loop++)
				if (d->nodes[loop].is_loop)
					open_loop(&w, loop, i);
		} else {
			close_loops(&w, t->to, i);
		}
		counts[t->to]++;
		s->node = w.at = t->to;
	}
	while (w.depth)
		m->segments[w.opened[--w.depth]].end = m->count;
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
