/* Segments to bytes, by the writer of src/edi. */
#include "map/by_order.h"
#include "map/emit_plain.h"
#include "map/out.h"

#include "edi/charset.h"

struct emitter {
	struct out *o;
	struct edi_writer *w;
	enum edi_charset charset; /* NONE: UTF-8 goes out as it is */
	struct van_buf text;
	struct emit_plain *plain;
};

/* Every byte goes out as it is. */
static bool is_clean(const struct emitter *x, struct slice v)
{
	for (size_t i = 0; i < v.n; i++)
		if (x->plain->special[(unsigned char)v.p[i]])
			return false;
	return true;
}

static int lost(struct emitter *x, const struct out_segment *s, const struct out_cell *c)
{
	return van_error_set(x->o->r->e, VAN_EINVAL, "map %s, row %u: '%.*s' in %.*s.%02u has characters that %s does not have; let the interchange be in "
		"another character set, or replace them", x->o->map->name, c->row, c->value.n > 80 ? 80 : (int)c->value.n, c->value.p,
		SLICE_ARG(s->name), c->element, edi_charset_encoding(x->charset));
}

static int put(struct emitter *x, const struct out_segment *s, const struct out_cell *c, struct slice v)
{
	if (!x->w->delimiters.shifts && is_clean(x, v)) {
		edi_write_bytes(x->w, v);
		return 0;
	}
	if (x->charset != EDI_CHARSET_NONE) {
		size_t n = 0;
		van_buf_reset(&x->text);
		if (edi_charset_from_utf8(x->charset, v, &x->text, &n) < 0)
			return VAN_ENOMEM;
		if (n)
			return lost(x, s, c);
		v = van_buf_slice(&x->text);
	}
	edi_write_value(x->w, v);
	return 0;
}

/* A value as it stood in the message: its own separators, its own release characters. */
static int put_raw(struct emitter *x, const struct out_segment *s, const struct out_cell *c, bool whole)
{
	const struct map_delimiters *d = &x->o->delimiters;
	struct slice rest = c->value;
	int rc = 0;
	for (bool first = true; rest.p && rc == 0; first = false) {
		struct slice components = whole ? edi_cut(&rest, d->repetition, d->release) : rest;
		if (!whole)
			rest = SLICE_NONE;
		if (!first)
			edi_write_repeat(x->w);
		while (components.p && rc == 0) {
			struct slice one = edi_cut(&components, d->component, d->release);
			char *room = d->release ? van_arena_alloc(x->o->r->arena, one.n + 1) : NULL;
			rc = d->release && !room ? VAN_ENOMEM : put(x, s, c, room ? edi_unescape(one, d->release, room) : one);
		}
	}
	return rc;
}

/* By the writer, value by value. */
static int emit_slowly(struct emitter *x, const struct out_segment *s)
{
	uint32_t element = 0, repetition = 0, component = 0;
	int rc = 0;
	edi_write_segment(x->w, s->name);
	for (uint32_t i = 0; i < s->count && rc == 0; i++) {
		const struct out_cell *c = &s->cells[i];
		uint32_t wanted = c->component ? c->component : 1;
		if (!c->value.n)
			continue;
		for (; element < c->element; element++) {
			edi_write_next(x->w);
			repetition = component = 0;
		}
		for (; repetition < c->repetition; repetition++) {
			edi_write_repeat(x->w);
			component = 0;
		}
		for (; component + 1 < wanted; component++)
			edi_write_value(x->w, SLICE(""));
		component = wanted;
		if (c->binary)
			edi_write_bytes(x->w, c->value);
		else
			rc = c->raw ? put_raw(x, s, c, !c->component) : put(x, s, c, c->value);
	}
	edi_write_end(x->w);
	return rc;
}

/* UNOX: the writer keeps an account of escape sequences, over all segments. */
static int emit_segment(struct emitter *x, const struct out_segment *s)
{
	return !x->w->delimiters.shifts && map_emit_plain(x->plain, s) ? 0 : emit_slowly(x, s);
}

/* One note for each value that a row of the document wrote. */
static int explain(struct out *o)
{
	for (uint32_t i = 0; i < o->count; i++)
		for (uint32_t k = 0; k < o->all[i]->count; k++) {
			const struct out_cell *c = &o->all[i]->cells[k];
			if (!c->place)
				continue;
			struct map_note *n = map_run_note(o->r, MAP_NOTE_WRITTEN, c->row);
			if (!n)
				return VAN_ENOMEM;
			n->place = *c->place;
			n->segment = o->all[i]->name;
			n->position = i + 2;
			n->element = c->element;
			n->component = c->component;
			n->value = c->value;
		}
	return 0;
}

static int emit(struct out *o, struct edi_outbound *to, enum edi_charset x12_charset)
{
	bool x12 = *o->map->standard == 'x';
	struct emit_plain plain;
	struct emitter x = {.o = o, .w = &to->writer, .plain = &plain, .text = VAN_BUF_INIT(o->r->options.max_memory),
		.charset = x12 ? x12_charset : edi_charset_of(to->terms.version)};
	if (edi_charset_is_utf8(x.charset))
		x.charset = EDI_CHARSET_NONE;
	int rc = 0;
	map_emit_plain_begin(&plain, &to->writer, x.charset == EDI_CHARSET_NONE);
	edi_outbound_message(to, o->map->type, o->map->version, SLICE("UN"), SLICE(""));
	for (uint32_t i = 0; i < o->count && rc == 0; i++)
		rc = emit_segment(&x, o->all[i]);
	edi_outbound_message_end(to);
	van_buf_free(&x.text);
	if (rc == 0)
		rc = edi_writer_error(&to->writer, o->r->e);
	return rc == 0 && o->r->options.explain ? explain(o) : rc;
}

int map_write(struct map_run_state *r, const struct map *out, const struct tree *document, struct edi_outbound *to,
	struct van_error *e)
{
	struct van_error own = {0};
	struct out o = {.r = r, .map = out};
	enum edi_charset charset = EDI_CHARSET_NONE;
	r->e = e ? e : &own;
	r->e->code = VAN_OK;
	r->map = out;
	r->document = document;
	if (out->way != MAP_OUT)
		return van_error_set(r->e, VAN_EINVAL, "map %s makes documents of messages; the other way needs %s", out->name,
			out->reverse ? out->reverse->name : "a sheet that goes out");
	if (document->kind != TREE_OBJECT)
		return van_error_set(r->e, VAN_ESYNTAX, "map %s: the document is no JSON object", out->name);
	o.back = map_sidecar_is_of(document, out);
	int rc = map_plan_get(out, &o.plan, r->e);
	if (rc == 0 && !o.back)
		rc = map_by_order(r, &document);
	if (rc == 0)
		rc = map_out_make(&o, document);
	if (rc == 0)
		rc = map_sidecar_restore(&o, document, &charset);
	if (rc == 0)
		rc = emit(&o, to, charset);
	if (rc == 0)
		rc = r->room.error;
	return rc < 0 ? map_run_fail(r, rc) : 0;
}

int map_group(const struct map *out, struct edi_group_terms *ret, struct van_error *e)
{
	const struct edi_message_def *d;
	int rc = map_run_definition(out, &d, e);
	if (rc < 0)
		return rc;
	if (!d)
		return van_error_set(e, VAN_ENOTFOUND, "map %s: there is no dictionary for %.*s %.*s; add one", out->name, SLICE_ARG(out->type),
			SLICE_ARG(out->version));
	*ret = (struct edi_group_terms){.code = d->group.p ? d->group : SLICE(""), .version = out->version, .agency = SLICE(""),
		.sender = SLICE(""), .receiver = SLICE("")};
	return 0;
}
