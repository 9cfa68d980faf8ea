/* The side-car: what no row took, and what the way back needs to make the same segments again (maps/README.md). */
#include "map/out.h"

#include "base/codec.h"

#include <stdio.h>

/* --- reading: what is kept ------------------------------------------------------------------------------------------------------ */

static struct tree *add(struct map_run_state *r, struct tree *object, const char *name, enum tree_kind kind, struct slice text)
{
	struct slice s = slice_str(name);
	struct tree *t = tree_member_new(&r->room, object, s, tree_hash(s), kind);
	if (t)
		t->text = text;
	return t;
}

static void add_number(struct map_run_state *r, struct tree *object, const char *name, uint32_t n)
{
	add(r, object, name, TREE_NUMBER, map_run_number(r, n));
}

static bool is_envelope(const struct map_message *m, uint32_t i)
{
	uint32_t id = m->segments[i].id;
	return id == edi_pack("ST", 2) || id == edi_pack("SE", 2) || id == edi_pack("UNH", 3) || id == edi_pack("UNT", 3);
}

/* Raw bytes are no text: they are kept in base64. Absent: no memory. */
static struct slice as_base64(struct map_run_state *r, struct slice bytes)
{
	struct van_buf text = VAN_BUF_INIT(r->options.max_memory);
	base64_encode(&text, bytes.p, bytes.n, 0);
	struct slice s = text.error ? SLICE_NONE : van_arena_slice(r->arena, van_buf_slice(&text));
	van_buf_free(&text);
	return s;
}

static int unmapped(struct map_run_state *r, uint32_t segment, uint32_t element, uint32_t component, struct slice value)
{
	const struct map_segment *g = &r->message.segments[segment];
	struct map_note *n = map_run_note(r, MAP_NOTE_UNMAPPED, 0);
	if (!n)
		return VAN_ENOMEM;
	if (r->options.counts_only)
		return 0;
	n->segment = map_raw(&r->message, g, 0);
	n->position = segment + 1;
	n->element = element;
	n->component = component;
	n->loop = map_run_loop(r, g->owner);
	n->binary = element == map_binary(g);
	if (n->binary) {
		n->value = as_base64(r, value);
		return n->value.p ? 0 : VAN_ENOMEM;
	}
	n->value = g->odd ? map_text_in(&r->message, value) : value;
	n->value = n->value.p ? n->value : value;
	return 0;
}

/* Of an element with separators inside: all of it, or the components that are left. */
static int unmapped_parts(struct map_run_state *r, uint32_t segment, uint32_t element, struct slice raw, uint16_t taken)
{
	const struct map_delimiters *d = &r->message.delimiters;
	struct slice rest = raw, first = edi_cut(&rest, d->repetition, d->release);
	int rc = 0;
	if (!taken || (rest.p && !(taken & MAP_TAKEN_REPEATS)))
		return unmapped(r, segment, element, 0, raw);
	for (uint32_t c = 1; first.p && rc == 0; c++) {
		struct slice one = edi_cut(&first, d->component, d->release);
		uint32_t bit = c - 1 < 14 ? c - 1 : 14;
		if (one.n && !(taken >> bit & 1))
			rc = unmapped(r, segment, element, c, one);
	}
	return rc;
}

/* Of a segment whose elements have bits. */
static int unmapped_bits(struct map_run_state *r, uint32_t segment, uint64_t left)
{
	const struct map_segment *g = &r->message.segments[segment];
	int rc = 0;
	for (; left && rc == 0; left &= left - 1) {
		uint32_t k = (uint32_t)__builtin_ctzll(left);
		rc = unmapped(r, segment, k, 0, map_raw(&r->message, g, k));
	}
	return rc;
}

static int unmapped_elements(struct map_run_state *r, uint32_t segment)
{
	const struct map_message *m = &r->message;
	const struct map_segment *g = &m->segments[segment];
	uint32_t binary = map_binary(g);
	int rc = 0;
	for (uint32_t k = 1; k < g->count && rc == 0; k++) {
		uint16_t taken = m->taken[g->first + k];
		struct slice raw = map_raw(m, g, k);
		bool whole = !g->odd || k == binary;
		if (raw.n && !(taken && whole))
			rc = whole ? unmapped(r, segment, k, 0, raw) : unmapped_parts(r, segment, k, raw, taken);
	}
	return rc;
}

static int list_unmapped(struct map_run_state *r)
{
	const struct map_message *m = &r->message;
	int rc = 0;
	for (uint32_t i = 0; i < m->count && rc == 0; i++) {
		const struct map_segment *g = &m->segments[i];
		uint64_t left = g->masked ? g->present & ~g->taken & ~(uint64_t)1 : 1; /* without the identifier */
		if (left && !is_envelope(m, i))
			rc = g->masked ? unmapped_bits(r, i, left) : unmapped_elements(r, i);
	}
	return rc;
}

static void envelope_to_tree(struct map_run_state *r, struct tree *document)
{
	const struct map_envelope *e = r->envelope;
	struct tree *o = e ? add(r, document, "_envelope", TREE_OBJECT, SLICE_NONE) : NULL;
	if (!o)
		return;
	const struct {
		const char *name;
		struct slice value;
	} members[] = {{"sender", e->sender}, {"receiver", e->receiver}, {"interchangeControlNumber", e->interchange_control_number},
		{"groupControlNumber", e->group_control_number}, {"messageControlNumber", e->message_control_number}};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].value.n)
			add(r, o, members[i].name, TREE_TEXT, members[i].value);
	add(r, o, "test", TREE_BOOL, e->test ? SLICE("true") : SLICE("false"));
}

static void unmapped_to_tree(struct map_run_state *r, struct tree *document)
{
	struct tree *list = add(r, document, "_unmapped", TREE_ARRAY, SLICE_NONE);
	for (const struct map_note *n = r->notes; n && list; n = n->next) {
		struct tree *one = n->kind == MAP_NOTE_UNMAPPED && n->map == r->map ? tree_append(&r->room, list, TREE_OBJECT) : NULL;
		if (!one)
			continue;
		add(r, one, "segment", TREE_TEXT, n->segment);
		add_number(r, one, "position", n->position);
		if (n->loop.p)
			add(r, one, "loop", TREE_TEXT, n->loop);
		add_number(r, one, "element", n->element);
		if (n->component)
			add_number(r, one, "component", n->component);
		add(r, one, "value", TREE_TEXT, n->value);
		if (n->binary)
			add(r, one, "encoding", TREE_TEXT, SLICE("base64"));
	}
}

/* --- reading: how the way back differs ------------------------------------------------------------------------------------------- */

struct difference {
	struct map_run_state *r;
	struct out *o;
	uint32_t *place;           /* by segment of the way back: position in the message; 0: none */
	uint32_t *back;            /* by segment of the message: 1 + number of the segment that comes back; 0: none */
	const struct map_note *at; /* of the unmapped, in the order of positions */
	struct tree *changed;      /* list; NULL: not begun */
	struct tree *source;
	struct van_buf text;
};

/* The element as the way back writes it, with what is unmapped put in. */
static struct slice element_back(struct difference *d, const struct out_segment *s, uint32_t element, const struct map_note *first)
{
	const struct map_delimiters *m = &d->r->message.delimiters;
	const struct edi_delimiters e = {m->element, m->component, m->repetition, m->release, m->terminator};
	unsigned char special[256];
	struct slice parts[100];
	uint32_t n = 0, repetition = 0;
	bool plain = true;
	for (uint32_t i = 0; i < 100; i++)
		parts[i] = SLICE("");
	for (uint32_t i = 0; s && i < s->count; i++) {
		const struct out_cell *c = &s->cells[i];
		if (c->element != element)
			continue;
		uint32_t k = c->component ? c->component : 1;
		repetition += c->repetition;
		if (k < 100 && !c->repetition) {
			parts[k - 1] = c->value;
			n = k > n ? k : n;
		}
	}
	for (const struct map_note *u = first; u && u->position == first->position; u = u->next) {
		if (u->kind != MAP_NOTE_UNMAPPED || u->element != element)
			continue;
		if (!u->component)
			return u->value;
		if (u->component < 100) {
			parts[u->component - 1] = u->value;
			n = u->component > n ? u->component : n;
			plain = false;
		}
	}
	if (repetition)
		return SLICE_NONE; /* repetitions are compared no further: the element is kept whole */
	if (n <= 1 && plain) {
		bool clean = true;
		edi_special_bytes(&e, special);
		for (size_t i = 0; i < parts[0].n && clean; i++)
			clean = !special[(unsigned char)parts[0].p[i]];
		if (clean)
			return parts[0];
	}
	edi_special_bytes(&e, special);
	van_buf_reset(&d->text);
	while (n && !parts[n - 1].n)
		n--;
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			van_buf_append_char(&d->text, m->component);
		bool own = false; /* what is unmapped has its release characters */
		for (const struct map_note *u = first; u && u->position == first->position && !own; u = u->next)
			own = u->kind == MAP_NOTE_UNMAPPED && u->element == element && u->component == i + 1;
		if (own)
			van_buf_append_slice(&d->text, parts[i]);
		else
			edi_escape(parts[i], special, m->release, &d->text);
	}
	return van_buf_slice(&d->text);
}

static int change(struct difference *d, uint32_t segment, uint32_t element, struct slice raw)
{
	struct map_run_state *r = d->r;
	const struct map_segment *g = &r->message.segments[segment];
	if (!d->changed)
		d->changed = tree_new(&r->room, TREE_ARRAY);
	struct tree *one = d->changed ? tree_append(&r->room, d->changed, TREE_OBJECT) : NULL;
	if (!one)
		return r->room.error;
	bool binary = element == map_binary(g);
	struct slice value = binary ? as_base64(r, raw) : raw.n ? map_text_in(&r->message, raw) : SLICE("");
	value = binary || (value.p && value.n == raw.n) ? value : raw.n && value.p && g->odd ? value : raw; /* blanks at the end are kept */
	add(r, one, "segment", TREE_TEXT, map_raw(&r->message, g, 0));
	add_number(r, one, "position", segment + 1);
	add_number(r, one, "element", element);
	add(r, one, "value", TREE_TEXT, value);
	if (binary)
		add(r, one, "encoding", TREE_TEXT, SLICE("base64"));
	return value.p ? 0 : VAN_ENOMEM;
}

static bool is_listed(const struct map_note *first, uint32_t element)
{
	for (const struct map_note *u = first; u && u->position == first->position; u = u->next)
		if (u->kind == MAP_NOTE_UNMAPPED && u->element == element)
			return true;
	return false;
}

/* Elements of one segment that would not come back as they were. */
static int compare_segment(struct difference *d, uint32_t segment, const struct out_segment *s)
{
	const struct map_message *m = &d->r->message;
	const struct map_segment *g = &m->segments[segment];
	while (d->at && (d->at->kind != MAP_NOTE_UNMAPPED || d->at->position < segment + 1))
		d->at = d->at->next;
	const struct map_note *first = d->at && d->at->position == segment + 1 ? d->at : NULL;
	uint32_t last = g->count - 1;
	bool any = first != NULL;
	int rc = 0;
	if (s && s->count && s->cells[s->count - 1].element > last)
		last = s->cells[s->count - 1].element;
	for (uint32_t k = 1; k <= last && rc == 0; k++) {
		if (k == map_binary(g) && is_listed(first, k))
			continue;
		struct slice raw = k < g->count ? map_raw(m, g, k) : SLICE(""), back = element_back(d, s, k, first);
		if (back.p && slice_eq(raw, back))
			continue;
		rc = change(d, segment, k, raw);
		any = true;
	}
	return rc == 0 && !any && !s ? change(d, segment, 1, SLICE("")) : rc;
}

static bool same_segment(struct difference *d, uint32_t segment, const struct out_segment *s)
{
	const struct map_message *m = &d->r->message;
	const struct map_segment *g = &m->segments[segment];
	uint32_t last = s->count ? s->cells[s->count - 1].element : 0;
	last = last > g->count - 1 ? last : g->count - 1;
	for (uint32_t k = 1; k <= last; k++) {
		struct slice back = element_back(d, s, k, NULL);
		if (!back.p || !slice_eq(k < g->count ? map_raw(m, g, k) : SLICE(""), back))
			return false;
	}
	return true;
}

/* Which segment of the message each that comes back was. */
static int align(struct difference *d)
{
	const struct map_message *m = &d->r->message;
	int rc = 0;
	for (uint32_t i = 0; i < d->o->count; i++) {
		const struct out_segment *s = d->o->all[i];
		if (!s->origin || s->origin > m->count || d->back[s->origin - 1] || m->segments[s->origin - 1].id != s->id)
			continue;
		d->place[i] = s->origin;
		d->back[s->origin - 1] = i + 1;
	}
	for (uint32_t i = 0; i < d->o->count && rc == 0; i++) {
		if (d->place[i])
			continue;
		rc = map_run_step(d->r, m->count);
		for (uint32_t k = 1; k < m->count && !d->place[i]; k++)
			if (!d->back[k] && m->segments[k].id == d->o->all[i]->id && same_segment(d, k, d->o->all[i])) {
				d->place[i] = k + 1;
				d->back[k] = i + 1;
			}
	}
	return rc;
}

static void numbers(struct difference *d, const char *name, const uint32_t *v, uint32_t n)
{
	struct tree *list = n ? add(d->r, d->source, name, TREE_ARRAY, SLICE_NONE) : NULL;
	for (uint32_t i = 0; i < n && list; i++) {
		struct tree *one = tree_append(&d->r->room, list, TREE_NUMBER);
		if (one)
			one->text = map_run_number(d->r, v[i]);
	}
}

static int differences(struct difference *d)
{
	const struct map_message *m = &d->r->message;
	struct van_arena *a = d->r->arena;
	uint32_t *kept = van_arena_array(a, m->count + 1, sizeof *kept), n = 0, last = 0;
	d->place = van_arena_array(a, d->o->count + 1, sizeof *d->place);
	d->back = van_arena_array(a, m->count + 1, sizeof *d->back);
	if (!kept || !d->place || !d->back)
		return VAN_ENOMEM;
	int rc = align(d);
	bool moved = false;
	for (uint32_t i = 0; i < d->o->count; i++) {
		moved |= d->place[i] <= last;
		last = d->place[i];
	}
	for (uint32_t i = 0; i < m->count && rc == 0; i++) {
		if (is_envelope(m, i) && (i == 0 || i + 1 == m->count))
			continue;
		if (!d->back[i])
			kept[n++] = i + 1;
		rc = compare_segment(d, i, d->back[i] ? d->o->all[d->back[i] - 1] : NULL);
	}
	add_number(d->r, d->source, "segments", m->count);
	numbers(d, "kept", kept, n);
	if (moved)
		numbers(d, "order", d->place, d->o->count);
	if (d->changed && rc == 0) {
		struct tree *list = add(d->r, d->source, "changed", TREE_ARRAY, SLICE_NONE);
		if (list)
			list->first = d->changed->first;
	}
	return rc;
}

/* Are its texts in Latin-1? Raw bytes are none. */
static bool is_latin(const struct map_message *m)
{
	bool latin = false;
	for (uint32_t i = 0; i < m->count && !latin; i++) {
		const struct map_segment *g = &m->segments[i];
		uint32_t binary = map_binary(g), last = binary ? binary - 1 : g->count - 1;
		struct slice all = map_raw(m, g, 0), end = map_raw(m, g, last);
		latin = g->odd && edi_charset_guess(EDI_CHARSET_NONE, slice_make(all.p, (size_t)(end.p + end.n - all.p))) == EDI_CHARSET_UNOC;
	}
	return latin;
}

/* Goes the way back with the document as it is now, and keeps where it would not end at the message. */
static int keep_source(struct map_run_state *r, struct tree *document)
{
	const struct map *in = r->map;
	struct map_note **notes = r->last_note;
	uint64_t noted[5];
	struct van_error e = {0}, *outer = r->e;
	struct out o = {.r = r, .map = in->reverse, .back = true, .quiet = true};
	bool explain = r->options.explain;
	const char all[] = {r->message.delimiters.element, r->message.delimiters.component, r->message.delimiters.repetition,
		r->message.delimiters.release, r->message.delimiters.terminator};
	char delimiters[sizeof all];
	struct difference d = {.r = r, .o = &o, .at = r->notes, .text = VAN_BUF_INIT(r->options.max_memory)};
	if (!in->reverse || !in->definition)
		return 0;
	for (size_t i = 0; i < sizeof all; i++)
		delimiters[i] = all[i] ? all[i] : ' ';
	memcpy(noted, r->noted, sizeof noted);
	r->e = &e;
	r->map = in->reverse;
	r->options.explain = false;
	int rc = map_plan_get(in->reverse, &o.plan, &e);
	if (rc == 0)
		rc = map_out_make(&o, document);
	r->map = in;
	r->options.explain = explain;
	*notes = NULL; /* what the way back would tell is told when it is gone */
	r->last_note = notes;
	memcpy(r->noted, noted, sizeof noted);
	r->e = outer;
	if (rc == VAN_ENOMEM || rc == VAN_ELIMIT)
		return rc;
	d.source = add(r, document, "_source", TREE_OBJECT, SLICE_NONE);
	if (!d.source)
		return r->room.error;
	add(r, d.source, "standard", TREE_TEXT, slice_str(in->standard));
	add(r, d.source, "type", TREE_TEXT, in->type);
	add(r, d.source, "version", TREE_TEXT, in->version);
	add(r, d.source, "map", TREE_TEXT, in->sheet->name);
	add(r, d.source, "delimiters", TREE_TEXT, van_arena_slice(r->arena, slice_make(delimiters, sizeof delimiters)));
	if (*in->standard == 'x' && is_latin(&r->message))
		add(r, d.source, "charset", TREE_TEXT, SLICE("UNOC"));
	if (rc == 0) /* else the way back ends in an error, which it tells then */
		rc = differences(&d);
	else
		rc = 0;
	van_buf_free(&d.text);
	return rc;
}

int map_sidecar_make(struct map_run_state *r, struct tree *document)
{
	int rc = list_unmapped(r);
	if (rc < 0 || r->options.no_side_car)
		return rc;
	rc = keep_source(r, document);
	struct tree **source = NULL; /* stands last */
	for (struct tree **t = &document->first; *t; t = &(*t)->next)
		if (slice_is((*t)->name, "_source"))
			source = t;
	struct tree *last = source ? *source : NULL;
	if (last) {
		*source = NULL;
		document->tail = source;
	}
	envelope_to_tree(r, document);
	unmapped_to_tree(r, document);
	if (last) {
		*document->tail = last;
		document->tail = &last->next;
	}
	return rc;
}

/* --- writing: what was kept goes back -------------------------------------------------------------------------------------------- */

struct patch {
	struct patch *next;
	uint32_t element, component;
	struct slice segment, loop, value;
	bool changed, binary;
};

struct restore {
	struct out *o;
	const struct tree *source;
	uint32_t segments;       /* of the message, the envelope's too */
	struct patch **patches;  /* by position */
	bool *kept;              /* by position */
};

static bool number_of(const struct tree *t, uint32_t most, uint32_t *ret)
{
	unsigned long long n;
	if (!t || t->kind == TREE_OBJECT || t->kind == TREE_ARRAY || !slice_u64(t->text, &n) || n > most)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static struct slice text_of(const struct tree *object, const char *name)
{
	const struct tree *t = object && object->kind == TREE_OBJECT ? tree_find(object, slice_str(name)) : NULL;
	return t && t->kind != TREE_OBJECT && t->kind != TREE_ARRAY ? t->text : SLICE_NONE;
}

/* The bytes of what was kept in base64. */
static int take_bytes(struct restore *x, struct patch *p)
{
	struct van_buf bytes = VAN_BUF_INIT(x->o->r->options.max_memory);
	int rc = base64_decode(&bytes, p->value);
	if (rc == 0) {
		p->value = van_arena_slice(x->o->r->arena, van_buf_slice(&bytes));
		rc = p->value.p ? 0 : VAN_ENOMEM;
	}
	van_buf_free(&bytes);
	p->binary = true;
	return rc != VAN_ESYNTAX ? rc : van_error_set(x->o->r->e, VAN_ESYNTAX, "map %s: an entry of _unmapped or _source.changed (%.*s, element %u) is not the "
		"base64 that it says; keep it as it was, or remove _source", x->o->map->name, SLICE_ARG(p->segment), p->element);
}

static int collect(struct restore *x, const struct tree *list, bool changed)
{
	for (const struct tree *t = list ? list->first : NULL; t; t = t->next) {
		uint32_t position;
		struct patch p = {.segment = text_of(t, "segment"), .loop = text_of(t, "loop"), .value = text_of(t, "value"), .changed = changed};
		if (t->kind != TREE_OBJECT || !number_of(tree_find(t, SLICE("position")), x->segments, &position) || !position || !p.segment.n ||
		    !p.value.p || !number_of(tree_find(t, SLICE("element")), 9999, &p.element) || !p.element)
			return van_error_set(x->o->r->e, VAN_ESYNTAX, "map %s: an entry of _unmapped or _source.changed has no proper segment, position, element "
				"and value; keep them as they were, or remove _source", x->o->map->name);
		if (tree_find(t, SLICE("component")))
			number_of(tree_find(t, SLICE("component")), 999, &p.component);
		int rc = slice_is(text_of(t, "encoding"), "base64") ? take_bytes(x, &p) : 0;
		if (rc < 0)
			return rc;
		struct patch *one = van_arena_alloc(x->o->r->arena, sizeof *one);
		if (!one)
			return VAN_ENOMEM;
		*one = p;
		struct patch **last = &x->patches[position];
		while (*last)
			last = &(*last)->next;
		*last = one;
	}
	return 0;
}

static int apply(struct restore *x, struct out_segment *s, const struct patch *p)
{
	if (!p->component) { /* the whole element: what is in it goes */
		uint32_t n = 0;
		for (uint32_t i = 0; i < s->count; i++)
			if (s->cells[i].element != p->element)
				s->cells[n++] = s->cells[i];
		s->count = n;
	}
	struct out_cell *c = map_out_cell(x->o->r, s, p->element, p->component, 0);
	if (!c)
		return VAN_ENOMEM;
	c->value = p->value;
	c->raw = true;
	c->binary = p->binary;
	return 0;
}

static int apply_all(struct restore *x, struct out_segment *s, const struct patch *p)
{
	int rc = 0;
	for (; p && rc == 0; p = p->next)
		rc = apply(x, s, p);
	return rc;
}

static struct out_segment *kept_segment(struct restore *x, uint32_t position)
{
	const struct patch *p = x->patches[position];
	struct out_segment *s = p ? van_arena_alloc(x->o->r->arena, sizeof *s) : NULL;
	if (!s)
		return NULL;
	*s = (struct out_segment){.name = p->segment, .id = edi_pack(p->segment.p, p->segment.n), .item = {.node = MAP_NODE_NONE}};
	return apply_all(x, s, p) < 0 ? NULL : s;
}

/* Each segment at the position that it had. false: there are not as many as there were, the document is another one. */
static int exactly(struct restore *x, const struct tree *order, bool *ret)
{
	struct out *o = x->o;
	struct out_segment **v = van_arena_array(o->r->arena, x->segments + 1, sizeof *v);
	const struct tree *t = order ? order->first : NULL;
	uint32_t at = 2, i = 0, count = 0;
	int rc = v ? 0 : VAN_ENOMEM;
	for (; rc == 0 && i < o->count; i++) {
		uint32_t position = 0;
		if (order && (!t || !number_of(t, x->segments, &position)))
			return rc;
		if (order) {
			t = t->next;
			if (!position)
				continue; /* the message had none like it */
		} else {
			while (at < x->segments && x->kept[at])
				at++;
			position = at++;
		}
		if (position < 2 || position >= x->segments || v[position] || x->kept[position])
			return 0;
		v[position] = o->all[i];
	}
	if (rc < 0 || t)
		return rc;
	for (uint32_t p = 2; p < x->segments; p++)
		if (!v[p] && !x->kept[p])
			return 0;
	for (uint32_t p = 2; p < x->segments && rc == 0; p++) {
		if (x->kept[p])
			rc = (v[p] = kept_segment(x, p)) ? 0 : VAN_ESYNTAX;
		else
			rc = apply_all(x, v[p], x->patches[p]);
		v[count++] = v[p];
	}
	if (rc == 0) {
		o->all = v;
		o->count = o->room = count;
		*ret = true;
	}
	return rc == VAN_ESYNTAX ? van_error_set(o->r->e, VAN_ESYNTAX, "map %s: _source.kept names a segment that _unmapped does not have; keep both as "
		"they were, or remove both", o->map->name) : rc;
}

/* The loop that a note calls "PO1[3]/N1[1]". */
static struct out_loop *find_loop(struct out *o, struct out_loop *l, uint32_t id, uint32_t *left)
{
	const struct edi_node *nodes = o->plan->definition->nodes;
	for (struct out_item *i = l->first; i; i = i->next) {
		struct out_loop *inner = map_out_item_loop(i);
		if (!inner)
			continue;
		if (edi_pack(nodes[i->node].id.p, nodes[i->node].id.n) == id) {
			if (--*left == 0)
				return inner;
			continue;
		}
		struct out_loop *found = find_loop(o, inner, id, left);
		if (found)
			return found;
	}
	return NULL;
}

static struct out_loop *loop_named(struct out *o, struct slice name)
{
	struct out_loop *l = o->root;
	while (name.n && l) {
		struct slice step = slice_cut(&name, '/'), number = step, id = slice_cut(&number, '[');
		unsigned long long n;
		if (!number.n || !slice_u64(slice_make(number.p, number.n - 1), &n) || !n || n > UINT32_MAX)
			return NULL;
		uint32_t left = (uint32_t)n;
		l = find_loop(o, l, edi_pack(id.p, id.n), &left);
	}
	return l;
}

static bool has(const struct out_segment *s, uint32_t element)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->cells[i].element == element)
			return true;
	return false;
}

/* A document that was changed: what is kept goes to the loop that it came from, as far as there is such a loop. */
static int roughly(struct restore *x)
{
	struct out *o = x->o;
	int rc = 0;
	for (uint32_t p = 2; p < x->segments && rc == 0; p++) {
		const struct patch *first = x->patches[p];
		if (!first)
			continue;
		struct out_loop *l = loop_named(o, first->loop);
		uint32_t id = edi_pack(first->segment.p, first->segment.n);
		struct out_segment *s = x->kept[p] && l ? kept_segment(x, p) : NULL;
		if (s)
			s->item.node = map_plan_place(o->plan->definition, l->item.node, id);
		if (s && s->item.node != MAP_NODE_NONE) {
			rc = map_out_add(o, l, s);
			continue;
		}
		s = NULL; /* the loop has no place for it */
		for (struct out_item *i = l && !x->kept[p] ? l->first : NULL; i && !s; i = i->next) {
			struct out_segment *there = map_out_item_segment(i);
			s = there && there->id == id && !has(there, first->element) ? there : NULL;
		}
		for (const struct patch *q = first; s && q && !x->kept[p] && rc == 0; q = q->next)
			if (!q->changed && !has(s, q->element))
				rc = apply(x, s, q);
		for (const struct patch *q = s ? NULL : first; q; q = q->next) {
			struct map_note *n = q->changed ? NULL : map_run_note(o->r, MAP_NOTE_UNWRITTEN, 0);
			if (n) {
				n->place = van_arena_printf(o->r->arena, "_unmapped (%.*s, position %u, element %u)", SLICE_ARG(q->segment), p, q->element);
				n->value = q->value;
			}
		}
	}
	o->count = 0;
	return rc < 0 ? rc : map_out_flatten(o);
}

static int begin(struct restore *x, const struct tree *document)
{
	struct van_arena *a = x->o->r->arena;
	if (!number_of(tree_find(x->source, SLICE("segments")), 2000000, &x->segments) || x->segments < 2)
		return 0;
	x->patches = van_arena_array(a, x->segments + 1, sizeof *x->patches);
	x->kept = van_arena_array(a, x->segments + 1, sizeof *x->kept);
	if (!x->patches || !x->kept)
		return VAN_ENOMEM;
	const struct tree *kept = tree_find(x->source, SLICE("kept"));
	for (const struct tree *t = kept ? kept->first : NULL; t; t = t->next) {
		uint32_t p;
		if (number_of(t, x->segments, &p))
			x->kept[p] = true;
	}
	int rc = collect(x, tree_find(document, SLICE("_unmapped")), false);
	return rc == 0 ? collect(x, tree_find(x->source, SLICE("changed")), true) : rc;
}

/* What goes elsewhere than it came from is told. */
static int tell_kept(struct out *o, const struct tree *list)
{
	for (const struct tree *t = list ? list->first : NULL; t; t = t->next) {
		struct map_note *n = t->kind == TREE_OBJECT ? map_run_note(o->r, MAP_NOTE_UNWRITTEN, 0) : NULL;
		if (!n)
			return t->kind == TREE_OBJECT ? VAN_ENOMEM : 0;
		n->place = van_arena_printf(o->r->arena, "_unmapped (%.*s, position %.*s, element %.*s)", SLICE_ARG(text_of(t, "segment")),
			SLICE_ARG(text_of(t, "position")), SLICE_ARG(text_of(t, "element")));
		n->value = text_of(t, "value");
	}
	return 0;
}

bool map_sidecar_is_of(const struct tree *document, const struct map *out)
{
	const struct tree *source = tree_find(document, SLICE("_source"));
	return source && source->kind == TREE_OBJECT && slice_is(text_of(source, "standard"), out->standard) &&
	       slice_eq(text_of(source, "type"), out->type) && slice_eq(text_of(source, "version"), out->version) &&
	       slice_eq(text_of(source, "map"), out->sheet->name);
}

int map_sidecar_restore(struct out *o, const struct tree *document, enum edi_charset *charset)
{
	struct restore x = {.o = o, .source = tree_find(document, SLICE("_source"))};
	struct slice delimiters = text_of(x.source, "delimiters");
	bool done = false;
	if (!o->back || delimiters.n != 5)
		return tell_kept(o, tree_find(document, SLICE("_unmapped")));
	char v[5];
	for (size_t i = 0; i < sizeof v; i++)
		v[i] = delimiters.p[i] == ' ' ? 0 : delimiters.p[i];
	o->delimiters = (struct map_delimiters){v[0], v[1], v[2], v[3], v[4]};
	if (slice_is(text_of(x.source, "charset"), "UNOC"))
		*charset = EDI_CHARSET_UNOC;
	int rc = begin(&x, document);
	if (rc < 0 || !x.segments || !x.patches)
		return rc;
	rc = exactly(&x, tree_find(x.source, SLICE("order")), &done);
	return rc < 0 || done ? rc : roughly(&x);
}
