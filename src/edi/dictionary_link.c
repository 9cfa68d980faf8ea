/* Looking things up along `extends`, and linking what a message uses with its elements. A definition that is inherited is
 * copied into the dictionary that uses it, because its elements may be others there; only what is used is copied. */
#include "edi/definition.h"

/* --- look-up ----------------------------------------------------------------------------------------------------------- */

static struct edi_element_def *own_element(const struct edi_dictionary *d, struct slice id)
{
	struct edi_element_def *x = d->elements[edi_bucket(id)];
	while (x && !slice_eq(x->id, id))
		x = x->next;
	return x;
}

static struct edi_composite_def *own_composite(const struct edi_dictionary *d, struct slice id)
{
	struct edi_composite_def *x = d->composites[edi_bucket(id)];
	while (x && !slice_eq(x->id, id))
		x = x->next;
	return x;
}

/* Definitions stand before mere mentions in a bucket. */
static struct edi_segment_def *own_segment(const struct edi_dictionary *d, struct slice id)
{
	struct edi_segment_def *x = d->segments[edi_bucket(id)];
	while (x && !slice_eq(x->id, id))
		x = x->next;
	return x;
}

const struct edi_element_def *edi_find_element(const struct edi_dictionary *d, struct slice id)
{
	const struct edi_element_def *x = NULL;
	for (; d && (!x || x->adds); d = d->base)
		x = own_element(d, id);
	return x && x->adds ? NULL : x;
}

const struct edi_composite_def *edi_find_composite(const struct edi_dictionary *d, struct slice id)
{
	const struct edi_composite_def *x = NULL;
	for (; d && !x; d = d->base)
		x = own_composite(d, id);
	return x;
}

const struct edi_segment_def *edi_find_segment(const struct edi_dictionary *d, struct slice id)
{
	const struct edi_segment_def *mention = NULL;
	for (; d; d = d->base) {
		const struct edi_segment_def *x = own_segment(d, id);
		if (x && !x->known_only)
			return x;
		mention = x ? x : mention;
	}
	return mention;
}

/* --- linking ----------------------------------------------------------------------------------------------------------- */

struct linker {
	struct van_arena *arena;
	struct van_error *e;
};

static int no_memory(const struct linker *l)
{
	return van_error_set(l->e, VAN_ENOMEM, "dictionaries need more memory than their bound");
}

static int copy_fields(const struct linker *l, struct edi_field **fields, uint32_t count)
{
	struct edi_field *copy = van_arena_array(l->arena, count + 1, sizeof *copy);
	if (!copy)
		return no_memory(l);
	if (count)
		memcpy(copy, *fields, count * sizeof *copy);
	*fields = copy;
	return 0;
}

static const struct edi_element_def *link_element(const struct linker *l, struct edi_dictionary *d, struct slice id);

/* more-codes: the inherited element with these codes, too. */
static const struct edi_element_def *add_codes(const struct linker *l, struct edi_dictionary *d, struct edi_element_def *x)
{
	const struct edi_element_def *from = d->base ? link_element(l, d->base, x->id) : NULL;
	if (!from || !from->codes) {
		if (!l->e || !l->e->code)
			van_error_set(l->e, VAN_ESYNTAX, "%.*s: more-codes %.*s, but the dictionary it extends has no codes for it; list them under "
				"an element of its own", SLICE_ARG(d->path), SLICE_ARG(x->id));
		return NULL;
	}
	struct edi_element_def *next = x->next;
	struct edi_codes *codes = x->codes;
	if (edi_codes_add_all(l->arena, codes, from->codes) < 0) {
		no_memory(l);
		return NULL;
	}
	*x = *from;
	x->codes = codes;
	x->next = next;
	return x;
}

/* The element as it is in `d`: with open codes it loses an inherited list. NULL: there is none, or (l->e) no memory. */
static const struct edi_element_def *link_element(const struct linker *l, struct edi_dictionary *d, struct slice id)
{
	struct edi_element_def *own = own_element(d, id);
	if (own && own->adds)
		return add_codes(l, d, own);
	if (own || !d->base)
		return own;
	const struct edi_element_def *x = link_element(l, d->base, id);
	if (!x || !x->codes || !d->open_codes)
		return x;
	struct edi_element_def *copy = van_arena_alloc(l->arena, sizeof *copy), **bucket = &d->elements[edi_bucket(id)];
	if (!copy) {
		no_memory(l);
		return NULL;
	}
	*copy = *x;
	copy->codes = NULL;
	copy->next = *bucket;
	return *bucket = copy;
}

static int link_composite(const struct linker *l, struct edi_dictionary *d, struct slice id, const struct edi_composite_def **ret);

static int link_fields(const struct linker *l, struct edi_dictionary *d, struct edi_field *fields, uint32_t n, struct slice owner,
	const struct edi_dictionary *from, uint32_t line)
{
	for (uint32_t i = 0; i < n; i++) {
		struct edi_field *f = &fields[i];
		f->composite = NULL;
		f->element = link_element(l, d, f->id);
		int rc = f->element ? 0 : l->e && l->e->code ? l->e->code : link_composite(l, d, f->id, &f->composite);
		if (rc < 0)
			return rc;
		if (!f->element && !f->composite)
			return van_error_set(l->e, VAN_ESYNTAX, "%.*s:%u: %.*s uses %.*s, which is not defined; define it (element %.*s TYPE MIN-MAX) "
				"or correct the name", SLICE_ARG(from->path), line, SLICE_ARG(owner), SLICE_ARG(f->id), SLICE_ARG(f->id));
	}
	return 0;
}

static int link_composite(const struct linker *l, struct edi_dictionary *d, struct slice id, const struct edi_composite_def **ret)
{
	struct edi_composite_def *own = own_composite(d, id);
	*ret = own;
	if (own && own->linked)
		return 0;
	if (!own) {
		const struct edi_composite_def *from = edi_find_composite(d->base, id);
		if (!from)
			return 0;
		own = van_arena_alloc(l->arena, sizeof *own);
		if (!own)
			return no_memory(l);
		*own = *from;
		own->next = d->composites[edi_bucket(id)];
		d->composites[edi_bucket(id)] = own;
		if (copy_fields(l, &own->fields, own->count) < 0)
			return VAN_ENOMEM;
	}
	own->linked = true; /* before its fields: one that holds itself ends here */
	for (uint32_t i = 1; i < own->count; i++)
		if (slice_is(own->fields[i - 1].id, "2380") && slice_is(own->fields[i].id, "2379"))
			own->period = i;
	*ret = own;
	return link_fields(l, d, own->fields, own->count, own->id, own->from, own->line);
}

static int link_segment(const struct linker *l, struct edi_dictionary *d, struct slice id, const struct edi_segment_def **ret)
{
	struct edi_segment_def *own = own_segment(d, id);
	*ret = NULL;
	if (!own || own->known_only) {
		const struct edi_segment_def *from = edi_find_segment(d, id);
		if (!from || from->known_only)
			return 0;
		own = van_arena_alloc(l->arena, sizeof *own);
		if (!own)
			return no_memory(l);
		*own = *from;
		own->linked = false;
		own->next = d->segments[edi_bucket(id)];
		d->segments[edi_bucket(id)] = own;
		if (copy_fields(l, &own->fields, own->count) < 0)
			return VAN_ENOMEM;
	}
	int rc = own->linked ? 0 : link_fields(l, d, own->fields, own->count, own->id, own->from, own->line);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < own->count; i++) {
		own->repeats |= own->fields[i].repeat != 1;
		own->last_mandatory = own->fields[i].mandatory ? i + 1 : own->last_mandatory;
		if (i && i < 64 && slice_is(own->fields[i - 1].id, "1250") && slice_is(own->fields[i].id, "1251"))
			own->periods |= (uint64_t)1 << (i - 1);
	}
	own->linked = true;
	*ret = own;
	return 0;
}

int edi_link_segment(struct edi_dictionary *d, struct slice id, struct van_arena *arena, const struct edi_segment_def **ret,
	struct van_error *e)
{
	struct linker l = {arena, e};
	return link_segment(&l, d, id, ret);
}

int edi_link_all(struct edi_dictionary *d, struct van_arena *arena, struct van_error *e)
{
	struct linker l = {arena, e};
	int rc = 0;
	for (unsigned i = 0; i < EDI_BUCKETS && rc == 0; i++) {
		for (struct edi_element_def *x = d->elements[i]; x && rc == 0; x = x->next)
			rc = link_element(&l, d, x->id) ? 0 : e->code;
		const struct edi_composite_def *composite;
		const struct edi_segment_def *segment;
		for (struct edi_composite_def *c = d->composites[i]; c && rc == 0; c = c->next)
			rc = link_composite(&l, d, c->id, &composite);
		for (struct edi_segment_def *s = d->segments[i]; s && rc == 0; s = s->next)
			rc = s->known_only ? 0 : link_segment(&l, d, s->id, &segment);
	}
	for (struct edi_message_def *m = d->messages; m && rc == 0; m = m->next)
		rc = edi_message_compile(m, arena, e);
	return rc;
}
