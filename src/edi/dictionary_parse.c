/* Dictionary files: one statement on a line, blanks between words, "quoted names", # comments. */
#include "edi/definition.h"

#include <stdio.h>

struct parser {
	struct van_arena *arena;
	struct van_error *e;
	unsigned line;
	struct slice rest; /* of the line */
	struct edi_dictionary *dictionary;
	bool begun;        /* a dictionary statement was there */
	/* what indented lines belong to */
	struct slice explained; /* the element of a `meanings` block */
	struct edi_element_def *element;
	struct edi_composite_def *composite;
	struct edi_segment_def *segment;
	struct edi_message_def *message;
	int32_t loops[32];
	int depth;
};

static int fail(struct parser *p, const char *what, struct slice word)
{
	return van_error_set(p->e, VAN_ESYNTAX, "%.*s:%u: %s '%.*s'; see doc/dictionary-format.md", SLICE_ARG(p->dictionary->path), p->line,
		what, SLICE_ARG(word));
}

static int no_memory(struct parser *p)
{
	return van_error_set(p->e, VAN_ENOMEM, "%.*s:%u: dictionaries need more memory than their bound",
		SLICE_ARG(p->dictionary->path), p->line);
}

/* The next word of the line, absent at its end. */
static struct slice word(struct parser *p)
{
	struct slice s = p->rest;
	while (s.n && (*s.p == ' ' || *s.p == '\t' || *s.p == '\r'))
		s = slice_make(s.p + 1, s.n - 1);
	if (!s.n || *s.p == '#') {
		p->rest = slice_make("", 0);
		return SLICE_NONE;
	}
	size_t n = 0;
	if (*s.p == '"') {
		const char *end = memchr(s.p + 1, '"', s.n - 1);
		n = end ? (size_t)(end - s.p) - 1 : s.n - 1;
		p->rest = slice_make(s.p + n + 1 + (end != NULL), s.n - n - 1 - (end != NULL));
		return slice_make(s.p + 1, n);
	}
	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '\r')
		n++;
	p->rest = slice_make(s.p + n, s.n - n);
	return slice_make(s.p, n);
}

static bool at_quote(struct parser *p)
{
	struct slice s = slice_trim(p->rest);
	return s.n && *s.p == '"';
}

static int number(struct parser *p, struct slice s, uint32_t *ret)
{
	unsigned long long v;
	if (!slice_u64(s, &v) || v > 1000000000)
		return fail(p, "a number is expected, not", s);
	*ret = (uint32_t)v;
	return 0;
}

static int parse_dictionary(struct parser *p)
{
	struct slice standard = word(p), version = word(p), extends = SLICE_NONE;
	enum edi_standard s = slice_is(standard, "x12") ? EDI_X12 : slice_is(standard, "edifact") ? EDI_EDIFACT : EDI_UNKNOWN;
	if (!s || !version.n)
		return fail(p, "expected: dictionary x12|edifact VERSION [extends VERSION], not", standard);
	struct edi_dictionary *d = p->dictionary;
	if (d->standard != s || (d->version.p && !slice_eq(d->version, version)))
		return fail(p, "one file holds one standard and version, those of its name, not", version);
	if (!d->version.p)
		d->version = van_arena_slice(p->arena, version);
	if (slice_is(word(p), "extends"))
		extends = word(p);
	if (extends.n) {
		d->extends = van_arena_slice(p->arena, extends);
		d->line = p->line;
	}
	p->begun = true;
	return d->version.p ? 0 : no_memory(p);
}

static enum edi_type type_of(struct slice s, unsigned *decimals)
{
	*decimals = 0;
	if (slice_is(s, "ID"))
		return EDI_ID;
	if (slice_is(s, "A"))
		return EDI_A;
	if (slice_is(s, "R"))
		return EDI_R;
	if (slice_is(s, "DT"))
		return EDI_DT;
	if (slice_is(s, "TM"))
		return EDI_TM;
	if (slice_is(s, "B"))
		return EDI_B;
	if (s.n == 2 && s.p[0] == 'N' && s.p[1] >= '0' && s.p[1] <= '9')
		*decimals = (unsigned)(s.p[1] - '0');
	return s.n && s.p[0] == 'N' ? (slice_is(s, "N") ? EDI_R : EDI_N) : EDI_AN;
}

/* element ID TYPE MIN-MAX [open] ["name"] */
static int parse_element(struct parser *p)
{
	struct slice id = word(p), type = word(p), lengths = word(p), max = lengths, min = slice_cut(&max, '-');
	struct edi_element_def *d = van_arena_alloc(p->arena, sizeof *d);
	if (!d)
		return no_memory(p);
	unsigned long long n;
	d->id = van_arena_slice(p->arena, id);
	d->number = slice_u64(id, &n) && n < 100000 ? (uint32_t)n : 0;
	/* an EDIFACT "N" may hold a decimal mark and sign, as X12's R */
	d->type = type_of(type, &d->decimals);
	int rc = number(p, min, &d->min);
	if (rc == 0)
		rc = number(p, max, &d->max);
	if (rc < 0)
		return rc;
	if (!at_quote(p) && slice_is(word(p), "open"))
		d->open = true;
	if (at_quote(p))
		d->name = van_arena_slice(p->arena, word(p));
	struct edi_element_def **bucket = &p->dictionary->elements[edi_bucket(id)];
	d->next = *bucket;
	*bucket = d;
	p->element = d;
	p->dictionary->defines = true;
	return 0;
}

static struct edi_codes *codes_here(struct parser *p)
{
	if (!p->element->codes)
		p->element->codes = van_arena_alloc(p->arena, sizeof *p->element->codes);
	return p->element->codes;
}

static int parse_codes(struct parser *p)
{
	if (!p->element)
		return fail(p, "codes belong under an element", SLICE_NONE);
	if (!codes_here(p))
		return no_memory(p);
	for (struct slice s = word(p); s.p; s = word(p))
		if (edi_codes_add(p->arena, p->element->codes, s) < 0)
			return no_memory(p);
	return 0;
}

/* more-codes ELEMENT A B C …: what is added to the codes of an element of the dictionary it extends */
static int parse_more_codes(struct parser *p)
{
	struct slice id = word(p);
	struct edi_element_def **bucket = &p->dictionary->elements[edi_bucket(id)], *x = *bucket;
	while (x && !slice_eq(x->id, id))
		x = x->next;
	if (!id.n || (x && !x->adds))
		return fail(p, "more-codes is for elements of the dictionary it extends, not", id);
	if (!x) {
		if (!(x = van_arena_alloc(p->arena, sizeof *x)))
			return no_memory(p);
		*x = (struct edi_element_def){.next = *bucket, .id = van_arena_slice(p->arena, id), .adds = true};
		*bucket = x;
	}
	p->element = x;
	p->dictionary->defines = true;
	int rc = parse_codes(p);
	p->element = NULL;
	return rc;
}

/* code VALUE "meaning": under an element it lists the value too, under `meanings` it only explains it. */
static int parse_code(struct parser *p)
{
	struct slice value = word(p), text = at_quote(p) ? word(p) : SLICE_NONE, element = p->element ? p->element->id : p->explained;
	if (!element.p)
		return fail(p, "a code belongs under an element or meanings, not", value);
	if (!value.n || !text.n || word(p).p)
		return fail(p, "expected: code VALUE \"meaning\", at", value);
	if (p->element && (!codes_here(p) || edi_codes_add(p->arena, p->element->codes, value) < 0))
		return no_memory(p);
	return p->dictionary->meanings && edi_meaning_add(p->arena, p->dictionary, element, value, text) < 0 ? no_memory(p) : 0;
}

/* meanings ELEMENT */
static int parse_meanings(struct parser *p)
{
	p->explained = word(p);
	return p->explained.n ? 0 : fail(p, "expected: meanings ELEMENT", SLICE_NONE);
}

static int parse_composite(struct parser *p)
{
	struct edi_composite_def *d = van_arena_alloc(p->arena, sizeof *d);
	if (!d)
		return no_memory(p);
	d->id = van_arena_slice(p->arena, word(p));
	d->name = van_arena_slice(p->arena, word(p));
	struct edi_composite_def **bucket = &p->dictionary->composites[edi_bucket(d->id)];
	d->next = *bucket;
	d->from = p->dictionary;
	d->line = p->line;
	*bucket = d;
	p->composite = d;
	p->dictionary->defines = true;
	return 0;
}

static int parse_segment(struct parser *p)
{
	struct edi_segment_def *d = van_arena_alloc(p->arena, sizeof *d);
	if (!d)
		return no_memory(p);
	d->id = van_arena_slice(p->arena, word(p));
	d->name = van_arena_slice(p->arena, word(p));
	struct edi_segment_def **bucket = &p->dictionary->segments[edi_bucket(d->id)];
	d->next = *bucket;
	d->from = p->dictionary;
	d->line = p->line;
	*bucket = d;
	p->segment = d;
	p->dictionary->defines = true;
	return 0;
}

/* ELEMENT-OR-COMPOSITE M|O|C [REPEAT]; fields of one owner lie in one array that is grown by doubling. */
static int add_field(struct parser *p, struct slice id, struct edi_field **fields, uint32_t *count)
{
	struct slice req = word(p), repeat = word(p);
	if (!slice_is(req, "M") && !slice_is(req, "O") && !slice_is(req, "C"))
		return fail(p, "requirement is M, O or C, not", req);
	if ((*count & (*count - 1)) == 0) { /* 0, 1, 2, 4, 8 … */
		struct edi_field *more = van_arena_array(p->arena, *count ? 2 * (size_t)*count : 1, sizeof **fields);
		if (!more)
			return no_memory(p);
		if (*count)
			memcpy(more, *fields, *count * sizeof *more);
		*fields = more;
	}
	struct edi_field *f = &(*fields)[(*count)++];
	*f = (struct edi_field){.id = van_arena_slice(p->arena, id), .mandatory = slice_is(req, "M"), .repeat = 1};
	if (slice_is(repeat, "*"))
		f->repeat = 0;
	else if (repeat.p)
		return number(p, repeat, &f->repeat);
	return 0;
}

/* note P0304 C0506 … */
static int parse_notes(struct parser *p)
{
	struct edi_note **notes = p->segment ? &p->segment->notes : p->composite ? &p->composite->notes : NULL;
	if (!notes)
		return fail(p, "a note belongs under a segment or composite", SLICE_NONE);
	uint32_t *count = p->segment ? &p->segment->note_count : &p->composite->note_count;
	for (struct slice w = word(p); w.p; w = word(p)) {
		struct edi_note n = {.kind = w.p[0]};
		if (!strchr("PRECL", n.kind) || w.n < 5 || w.n % 2 == 0 || w.n / 2 > sizeof n.at)
			return fail(p, "a note is one of P R E C L and pairs of digits, not", w);
		for (size_t i = 1; i < w.n; i += 2) {
			uint32_t v = 0;
			int rc = number(p, slice_make(w.p + i, 2), &v);
			if (rc < 0)
				return rc;
			if (!v || v > 63)
				return fail(p, "a note names elements 01 to 63, not", w);
			n.at[n.n++] = (unsigned char)v;
			n.all |= (uint64_t)1 << v;
		}
		struct edi_note *more = van_arena_array(p->arena, *count + 1, sizeof n);
		if (!more)
			return no_memory(p);
		if (*count)
			memcpy(more, *notes, *count * sizeof n);
		more[(*count)++] = n;
		*notes = more;
	}
	return 0;
}

static int parse_known(struct parser *p)
{
	for (struct slice w = word(p); w.p; w = word(p)) {
		struct edi_segment_def *d = van_arena_alloc(p->arena, sizeof *d);
		if (!d)
			return no_memory(p);
		d->id = van_arena_slice(p->arena, w);
		d->known_only = true;
		struct edi_segment_def **at = &p->dictionary->segments[edi_bucket(w)];
		while (*at) /* behind a real definition */
			at = &(*at)->next;
		*at = d;
	}
	p->dictionary->defines = true;
	return 0;
}

/* message TYPE [GROUP] ["name"] */
static int parse_message(struct parser *p)
{
	struct edi_message_def *m = van_arena_alloc(p->arena, sizeof *m);
	if (!m)
		return no_memory(p);
	m->type = van_arena_slice(p->arena, word(p));
	m->group = at_quote(p) ? SLICE("") : van_arena_slice(p->arena, word(p));
	m->name = van_arena_slice(p->arena, word(p));
	m->dictionary = p->dictionary;
	m->from = p->dictionary;
	m->line = p->line;
	m->next = p->dictionary->messages;
	p->dictionary->messages = m;
	p->message = m;
	p->depth = 0;
	return 0;
}

/* when ELEMENT=VALUE,VALUE… */
static int parse_when(struct parser *p, struct edi_node *n)
{
	struct slice values = word(p), element = slice_cut(&values, '=');
	int rc = number(p, element, &n->when_element);
	if (rc < 0 || !values.n)
		return rc < 0 ? rc : fail(p, "expected: when ELEMENT=VALUE,…, not", element);
	n->when = van_arena_array(p->arena, values.n, sizeof *n->when);
	if (!n->when)
		return no_memory(p);
	while (values.p)
		n->when[n->when_count++] = van_arena_slice(p->arena, slice_cut(&values, ','));
	return 0;
}

static int add_node(struct parser *p, struct slice id, bool is_loop)
{
	struct edi_message_def *m = p->message;
	if (m->count == m->room) {
		int32_t room = m->room ? 2 * m->room : 32;
		struct edi_node *more = van_arena_array(p->arena, (size_t)room, sizeof *more);
		if (!more)
			return no_memory(p);
		if (m->count)
			memcpy(more, m->nodes, (size_t)m->count * sizeof *more);
		m->nodes = more;
		m->room = room;
	}
	struct slice req = word(p), max = word(p), when = word(p);
	struct edi_node *n = &m->nodes[m->count];
	*n = (struct edi_node){.is_loop = is_loop, .line = p->line, .parent = p->depth ? p->loops[p->depth - 1] : -1, .last = m->count};
	n->mandatory = slice_is(req, "M");
	if (!n->mandatory && !slice_is(req, "O") && !slice_is(req, "C"))
		return fail(p, "requirement is M, O or C, not", req);
	struct slice name = van_arena_slice(p->arena, id);
	n->id = is_loop ? SLICE_NONE : name;
	n->loop = is_loop ? name : p->depth ? m->nodes[n->parent].loop : SLICE("");
	if (!slice_is(max, "*")) {
		int rc = number(p, max, &n->max);
		if (rc < 0)
			return rc;
	}
	if (is_loop) {
		if (p->depth == (int)(sizeof p->loops / sizeof *p->loops))
			return fail(p, "loops are nested too deeply at", id);
		p->loops[p->depth++] = m->count;
	}
	m->count++;
	return slice_is(when, "when") ? parse_when(p, n) : 0;
}

/* level CODE under CODE|- … */
static int parse_level(struct parser *p)
{
	struct edi_hl_rule *x = van_arena_alloc(p->arena, sizeof *x);
	if (!p->message || p->depth)
		return fail(p, "levels belong behind a message's structure, not", p->rest);
	if (!x || !(x->under = van_arena_array(p->arena, p->rest.n + 1, sizeof *x->under)))
		return no_memory(p);
	x->code = van_arena_slice(p->arena, word(p));
	struct slice under = word(p);
	for (struct slice w = word(p); w.p; w = word(p))
		if (slice_is(w, "-"))
			x->top = true;
		else
			x->under[x->count++] = van_arena_slice(p->arena, w);
	if (!slice_is(under, "under") || (!x->top && !x->count))
		return fail(p, "expected: level CODE under CODE … (- for none), not", under);
	x->next = p->message->levels;
	p->message->levels = x;
	return 0;
}

static int parse_structure(struct parser *p, struct slice first)
{
	if (slice_is(first, "loop"))
		return add_node(p, word(p), true);
	if (!slice_is(first, "end"))
		return add_node(p, first, false);
	if (!p->depth)
		return fail(p, "no loop is open at", first);
	p->message->nodes[p->loops[--p->depth]].last = p->message->count - 1;
	return 0;
}

static void close_block(struct parser *p)
{
	p->element = NULL;
	p->explained = SLICE_NONE;
	p->composite = NULL;
	p->segment = NULL;
	p->message = NULL;
}

static int parse_line(struct parser *p)
{
	struct slice first = word(p);
	if (!first.p)
		return 0;
	static const struct {
		const char *name;
		int (*parse)(struct parser *);
		bool block;
	} statements[] = {{"dictionary", parse_dictionary, true}, {"element", parse_element, true}, {"composite", parse_composite, true},
		{"segment", parse_segment, true}, {"message", parse_message, true}, {"known-segments", parse_known, true},
		{"meanings", parse_meanings, true}, {"more-codes", parse_more_codes, true},
		{"level", parse_level, false}, {"codes", parse_codes, false}, {"code", parse_code, false}, {"note", parse_notes, false}};
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
		if (!slice_is(first, statements[i].name))
			continue;
		if (i && !p->begun)
			return fail(p, "a dictionary statement must come before", first);
		if (statements[i].block && p->depth)
			return fail(p, "a loop has no end before", first);
		if (statements[i].block)
			close_block(p);
		return statements[i].parse(p);
	}
	if (slice_is(first, "open-codes") && p->begun) {
		p->dictionary->open_codes = true;
		return 0;
	}
	if (p->message)
		return parse_structure(p, first);
	if (p->segment)
		return add_field(p, first, &p->segment->fields, &p->segment->count);
	if (p->composite)
		return add_field(p, first, &p->composite->fields, &p->composite->count);
	return fail(p, "unknown statement", first);
}

int edi_dictionary_parse(struct edi_dictionary *d, struct slice text, struct van_arena *arena, struct van_error *e)
{
	struct parser p = {.dictionary = d, .arena = arena, .e = e};
	int rc = 0;
	while (rc == 0 && text.p) {
		p.rest = slice_cut(&text, '\n');
		p.line++;
		rc = parse_line(&p);
	}
	if (rc == 0 && p.depth)
		rc = fail(&p, "a loop has no end at the end of the file", SLICE_NONE);
	return rc;
}
