/* One message as segments and elements, with marks on what rows took. Internal to src/map. */
#ifndef OPENVAN_MAP_MESSAGE_H
#define OPENVAN_MAP_MESSAGE_H

#include "map/map.h"

#include "edi/charset.h"
#include "edi/definition.h"

#include <stdint.h>

struct map_segment {
	uint32_t first;  /* index of its identifier in `starts` and `taken` */
	uint32_t count;  /* elements, the identifier included */
	uint32_t id;     /* packed */
	int32_t number;  /* of the identifier in the sheet; -1 */
	int32_t owner;   /* while running: the loop instance it stands in */
	int32_t next;    /* the next one with this identifier in its instance; -1 */
	uint32_t nth;    /* among those of its instance that the sheet names, from 0 */
	uint32_t end;    /* it begins a loop of the dictionary: behind the loop's last segment; else 0 */
	int32_t node;    /* its place in the dictionary's message; -1: none */
	bool given;      /* it stands in a loop that no row took: only rows that name the loop (N9/MSG.01) see it */
	uint64_t qualifiers; /* bits of the values in it (map_qualifier_bit); 0: not asked for yet */
	bool odd;        /* holds separators inside elements, release characters, line ends or bytes above ASCII */
	bool parts;      /* odd, but of these only separators of components */
	bool masked;     /* it is not odd and has 64 elements at most: of each a bit in … */
	uint64_t present; /* … there is something in it */
	uint64_t taken;   /* … a row took it. Where it is not masked: in the message's `taken` */
};

/* A bit for each value, the same for the same one: where it is not among those of a segment, the value is not there. */
static inline uint64_t map_qualifier_bit(struct slice v)
{
	uint32_t h = v.n ? (uint32_t)(unsigned char)v.p[0] * 31 + (unsigned char)v.p[v.n - 1] * 7 + (uint32_t)v.n : 0;
	return (uint64_t)1 << (h * 2654435761u >> 26);
}

/* What rows took of an element: a bit for each component of the first repetition. */
#define MAP_TAKEN_REPEATS 0x8000u

#define MAP_MARKS 7

struct map_message {
	const char *bytes;
	struct map_segment *segments;
	uint32_t count, room;
	uint32_t *starts;  /* element i of segment s is bytes[starts[s.first + i]] up to, not including, bytes[starts[s.first + i + 1] - 1] */
	uint16_t *taken;   /* of segments that are not masked */
	uint32_t element_count, element_room;
	struct map_delimiters delimiters;
	enum edi_charset charset;
	unsigned char classes[256];
	char marks[MAP_MARKS][16]; /* the bytes below 128 that are not plain, each as often as a vector holds */
	uint32_t mark_count;
	bool classes_made;
	bool blanks;       /* there may be elements that end in a blank */
	struct van_arena *arena;
	struct van_buf text; /* while a character set is left */
};

void map_message_free(struct map_message *m); /* what it keeps between messages */
/* Splits the bytes. 0, VAN_ENOMEM or VAN_ELIMIT. */
int map_message_split(struct map_message *m, struct slice bytes, struct map_delimiters delimiters);
/* Finds each segment's place in the dictionary's message, and where loops end. `counts` and `hints` have room for each of its places; in
 * `hints`, zeroed once, stays where it went from there, which is tried first in the next message, of whatever kind. */
void map_message_place(struct map_message *m, const struct edi_message_def *d, uint32_t *counts, uint32_t *hints);

/* The element as it came. */
static inline struct slice map_raw(const struct map_message *m, const struct map_segment *s, uint32_t element)
{
	if (element >= s->count)
		return SLICE_NONE;
	const uint32_t *at = &m->starts[s->first + element];
	return slice_make(m->bytes + at[0], at[1] - 1 - at[0]);
}

/* The value of element.component (component 0: the first, or all when there is none) of one repetition, from 0: unescaped, in UTF-8,
 * without blanks at its end. Absent when empty. */
struct slice map_value_slow(struct map_message *m, const struct map_segment *s, uint32_t element, uint32_t repetition, uint32_t component);

/* Bytes of the message in UTF-8, without blanks at their end. Absent when empty. */
struct slice map_text_in(struct map_message *m, struct slice v);

static inline struct slice map_without_blanks(struct slice v)
{
	while (v.n && v.p[v.n - 1] == ' ')
		v.n--;
	return v.n ? v : SLICE_NONE;
}

/* The same of an element that nothing but separators of components makes odd. */
struct slice map_part(const struct map_message *m, struct slice element, uint32_t component);

static inline struct slice map_value(struct map_message *m, const struct map_segment *s, uint32_t element, uint32_t component)
{
	if (element >= s->count)
		return SLICE_NONE;
	if (s->odd)
		return s->parts ? map_part(m, map_raw(m, s, element), component) : map_value_slow(m, s, element, 0, component);
	return component <= 1 ? map_without_blanks(map_raw(m, s, element)) : SLICE_NONE;
}

/* The element of BIN and BDS that is raw bytes of a declared length; 0: none. */
static inline uint32_t map_binary(const struct map_segment *s)
{
	uint32_t which = s->id == edi_pack("BIN", 3) ? 2 : s->id == edi_pack("BDS", 3) ? 3 : 0;
	return which < s->count ? which : 0;
}

/* The bits of all its values; all of them where it has components, repetitions or release characters. */
static inline uint64_t map_qualifiers(struct map_message *m, struct map_segment *s)
{
	if (s->odd)
		return ~(uint64_t)0;
	uint64_t all = s->qualifiers;
	for (uint32_t i = 1; !s->qualifiers && i < s->count; i++)
		all |= map_qualifier_bit(map_value(m, s, i, 0));
	return s->qualifiers = all;
}

static inline uint16_t map_part_bit(uint32_t component)
{
	uint32_t bit = component ? component - 1 : 0;
	return (uint16_t)(1u << (bit < 14 ? bit : 14));
}

static inline void map_take(struct map_message *m, struct map_segment *s, uint32_t element, uint32_t component)
{
	if (!s->masked)
		m->taken[s->first + element] |= map_part_bit(component);
	else if (element < 64)
		s->taken |= (uint64_t)1 << element;
}

#endif
