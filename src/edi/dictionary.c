/* Dictionary sets: finding and reading the files, inheritance, linking. */
#include "edi/definition.h"

#include "base/datafolder.h"

#include <stdio.h>
#include <stdlib.h>

#define SET_MEMORY ((size_t)64 << 20)
#define FILE_MEMORY ((size_t)16 << 20)

unsigned edi_bucket(struct slice id)
{
	unsigned h = 5381;
	for (size_t i = 0; i < id.n; i++)
		h = h * 33 + (unsigned char)id.p[i];
	return h % EDI_BUCKETS;
}

/* --- code lists -------------------------------------------------------------------------------------------------------- */

static const unsigned char digit37[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16, ['G'] = 17, ['H'] = 18, ['I'] = 19,
	['J'] = 20, ['K'] = 21, ['L'] = 22, ['M'] = 23, ['N'] = 24, ['O'] = 25, ['P'] = 26, ['Q'] = 27, ['R'] = 28,
	['S'] = 29, ['T'] = 30, ['U'] = 31, ['V'] = 32, ['W'] = 33, ['X'] = 34, ['Y'] = 35, ['Z'] = 36,
};

/* 1 + the number of the code among all of one to three letters and digits; 0 for others. Lower case is another code. */
static unsigned code_bit(struct slice s)
{
	if (s.n < 1 || s.n > 3)
		return 0;
	unsigned v = 0;
	for (size_t i = 0; i < 3; i++) {
		unsigned d = i < s.n ? digit37[(unsigned char)s.p[i]] : 0;
		if (i < s.n && !d)
			return 0;
		v = v * 37 + d;
	}
	return v + 1;
}

bool edi_codes_has(const struct edi_codes *c, struct slice value)
{
	unsigned bit = code_bit(value);
	if (bit)
		return c->bits && (c->bits[(bit - 1) / 64] >> ((bit - 1) % 64) & 1);
	for (size_t i = 0; i < c->other_count; i++)
		if (slice_eq(c->others[i], value))
			return true;
	return false;
}

int edi_codes_add(struct van_arena *a, struct edi_codes *c, struct slice value)
{
	unsigned bit = code_bit(value);
	if (bit) {
		if (!c->bits && !(c->bits = van_arena_array(a, EDI_CODE_BITS / 64 + 1, sizeof *c->bits)))
			return VAN_ENOMEM;
		c->bits[(bit - 1) / 64] |= (uint64_t)1 << ((bit - 1) % 64);
		return 0;
	}
	if (c->other_count == c->other_room) {
		size_t room = c->other_room ? 2 * c->other_room : 8;
		struct slice *more = van_arena_array(a, room, sizeof *more);
		if (!more)
			return VAN_ENOMEM;
		if (c->other_count)
			memcpy(more, c->others, c->other_count * sizeof *more);
		c->others = more;
		c->other_room = room;
	}
	c->others[c->other_count++] = van_arena_slice(a, value);
	return 0;
}

/* --- look-up ----------------------------------------------------------------------------------------------------------- */

struct edi_dictionary *edi_dictionary_get(const struct edi_dictionary_set *set, enum edi_standard s, struct slice version)
{
	struct edi_dictionary *d = set->dictionaries;
	while (d && !(d->standard == s && slice_eq(d->version, version)))
		d = d->next;
	return d;
}

const struct edi_element_def *edi_find_element(const struct edi_dictionary *d, struct slice id)
{
	const struct edi_element_def *x = d->elements[edi_bucket(id)];
	while (x && !slice_eq(x->id, id))
		x = x->next;
	return x;
}

const struct edi_composite_def *edi_find_composite(const struct edi_dictionary *d, struct slice id)
{
	const struct edi_composite_def *x = d->composites[edi_bucket(id)];
	while (x && !slice_eq(x->id, id))
		x = x->next;
	return x;
}

const struct edi_segment_def *edi_find_segment(const struct edi_dictionary *d, struct slice id)
{
	const struct edi_segment_def *x = d->segments[edi_bucket(id)];
	while (x && !slice_eq(x->id, id))
		x = x->next;
	return x;
}

static const struct edi_message_def *find_message(const struct edi_dictionary *d, struct slice type)
{
	const struct edi_message_def *m = d ? d->messages : NULL;
	while (m && !slice_eq(m->type, type))
		m = m->next;
	return m;
}

const struct edi_message_def *edi_dictionary_find(const struct edi_dictionary_set *set, enum edi_standard standard,
	struct slice version, struct slice type)
{
	if (!set)
		return NULL;
	/* The service message's own version and release tell nothing about its content (doc/dictionary-format.md). */
	if (standard == EDI_EDIFACT && slice_is(type, "CONTRL"))
		version = SLICE("D:3");
	if (standard == EDI_X12 && version.n > 6)
		version.n = 6;
	return find_message(edi_dictionary_get(set, standard, version), type);
}

/* --- inheritance and linking ------------------------------------------------------------------------------------------- */

static int inherit_segments(struct edi_dictionary *d, struct van_arena *a)
{
	for (unsigned i = 0; i < EDI_BUCKETS; i++)
		for (const struct edi_segment_def *s = d->base->segments[i]; s; s = s->next) {
			const struct edi_segment_def *own = edi_find_segment(d, s->id);
			if (own && (!own->known_only || s->known_only))
				continue;
			struct edi_segment_def *copy = van_arena_alloc(a, sizeof *copy);
			if (!copy)
				return VAN_ENOMEM;
			*copy = *s;
			if (s->count && !(copy->fields = van_arena_array(a, s->count, sizeof *s->fields)))
				return VAN_ENOMEM;
			if (s->count)
				memcpy(copy->fields, s->fields, s->count * sizeof *s->fields);
			copy->next = d->segments[i];
			d->segments[i] = copy;
		}
	return 0;
}

static int inherit_rest(struct edi_dictionary *d, struct van_arena *a)
{
	for (unsigned i = 0; i < EDI_BUCKETS; i++) {
		for (const struct edi_element_def *s = d->base->elements[i]; s; s = s->next) {
			if (edi_find_element(d, s->id))
				continue;
			struct edi_element_def *copy = van_arena_alloc(a, sizeof *copy);
			if (!copy)
				return VAN_ENOMEM;
			*copy = *s;
			if (d->open_codes)
				copy->codes = NULL;
			copy->next = d->elements[i];
			d->elements[i] = copy;
		}
		for (const struct edi_composite_def *s = d->base->composites[i]; s; s = s->next) {
			if (edi_find_composite(d, s->id))
				continue;
			struct edi_composite_def *copy = van_arena_alloc(a, sizeof *copy);
			if (!copy || !(copy->fields = van_arena_array(a, s->count + 1, sizeof *s->fields)))
				return VAN_ENOMEM;
			struct edi_field *fields = copy->fields;
			*copy = *s;
			copy->fields = fields;
			memcpy(fields, s->fields, s->count * sizeof *fields);
			copy->next = d->composites[i];
			d->composites[i] = copy;
		}
	}
	return 0;
}

static int link_fields(const struct edi_dictionary *d, struct edi_field *fields, uint32_t n, struct slice owner,
	struct van_error *e)
{
	for (uint32_t i = 0; i < n; i++) {
		fields[i].element = edi_find_element(d, fields[i].id);
		fields[i].composite = fields[i].element ? NULL : edi_find_composite(d, fields[i].id);
		if (!fields[i].element && !fields[i].composite)
			return van_error_set(e, VAN_ESYNTAX, "dictionary %.*s: %.*s uses element %.*s, which is not defined",
				SLICE_ARG(d->version), SLICE_ARG(owner), SLICE_ARG(fields[i].id));
	}
	return 0;
}

static int link_dictionary(struct edi_dictionary *d, struct van_arena *a, struct van_error *e)
{
	int rc = 0;
	for (unsigned i = 0; i < EDI_BUCKETS && rc == 0; i++) {
		for (struct edi_composite_def *c = d->composites[i]; c && rc == 0; c = c->next)
			rc = link_fields(d, c->fields, c->count, c->id, e);
		for (struct edi_segment_def *s = d->segments[i]; s && rc == 0; s = s->next)
			rc = link_fields(d, s->fields, s->count, s->id, e);
	}
	for (struct edi_message_def *m = d->messages; m && rc == 0; m = m->next)
		rc = edi_message_compile(m, a, e);
	return rc;
}

static int resolve(struct edi_dictionary_set *set, struct edi_dictionary *d, int depth, struct van_error *e)
{
	if (d->resolved)
		return 0;
	if (d->extends.n) {
		struct edi_dictionary *base = edi_dictionary_get(set, d->standard, d->extends);
		if (!base || base == d || depth > 8)
			return van_error_set(e, VAN_ESYNTAX, "dictionary %.*s extends %.*s, which is not there or goes round in a circle",
				SLICE_ARG(d->version), SLICE_ARG(d->extends));
		int rc = resolve(set, base, depth + 1, e);
		if (rc < 0)
			return rc;
		d->base = base;
		if (inherit_segments(d, set->arena) < 0 || inherit_rest(d, set->arena) < 0)
			return van_error_set(e, VAN_ENOMEM, "dictionaries need more than %zu MiB", SET_MEMORY >> 20);
	}
	d->resolved = true;
	return link_dictionary(d, set->arena, e);
}

int edi_dictionary_resolve(struct edi_dictionary_set *set, struct van_error *e)
{
	int rc = 0;
	for (struct edi_dictionary *d = set->dictionaries; d && rc == 0; d = d->next)
		rc = resolve(set, d, 0, e);
	return rc;
}

/* --- files ------------------------------------------------------------------------------------------------------------- */

static int take_file(void *arg, struct slice name, const char *path, struct slice text, struct van_error *e)
{
	(void)name;
	return edi_dictionary_parse(arg, text, path, e);
}

int edi_dictionary_set_open(const char *path, struct edi_dictionary_set **ret, struct van_error *e)
{
	const char *folders[] = {getenv("OPENVAN_DICT"), path, VAN_DATADIR "/dict"};
	struct edi_dictionary_set *set = calloc(1, sizeof *set);
	if (!set || !(set->arena = van_arena_new(SET_MEMORY))) {
		free(set);
		return van_error_set(e, VAN_ENOMEM, "no memory for the dictionaries");
	}
	int rc = VAN_ENOTFOUND;
	for (size_t i = 0; i < 3 && rc == VAN_ENOTFOUND; i++)
		if (folders[i] && *folders[i])
			rc = van_data_files(folders[i], ".dict", FILE_MEMORY, take_file, set, e);
	if (rc == VAN_ENOTFOUND)
		van_error_set(e, VAN_ENOTFOUND, "no dictionaries (*.dict) in %s; set OPENVAN_DICT or run make install",
			path ? path : VAN_DATADIR "/dict");
	if (rc == 0)
		rc = edi_dictionary_resolve(set, e);
	if (rc < 0) {
		edi_dictionary_set_free(set);
		return rc;
	}
	*ret = set;
	return 0;
}

void edi_dictionary_set_free(struct edi_dictionary_set *set)
{
	if (!set)
		return;
	van_arena_free(set->arena);
	free(set);
}
