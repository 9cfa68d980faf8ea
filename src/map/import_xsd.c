/* EDI schemas of BizTalk Server and Azure Logic Apps: one XSD for one message. Its elements are, by their place, loops (their
 * names hold "Loop"), segments, composites and elements; a segment or composite that stands in several places is defined for
 * each ("MOA_11"), and here once, in its widest form. */
#include "map/import.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGEST_SCHEMA ((size_t)64 << 20)
#define LARGEST_DEPTH 24

struct schema {
	struct import *m;
	struct van_error *e;
	xmlNode *root;
	xmlHashTable *elements, *types; /* global ones by name */
	bool failed;
};

static bool is(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

/* Lives as long as the document; absent when there is none. */
static struct slice attribute(const xmlNode *n, const char *name)
{
	const xmlAttr *a = n ? xmlHasProp((xmlNode *)(uintptr_t)n, (const xmlChar *)name) : NULL;
	return a && a->children && a->children->content ? slice_str((const char *)a->children->content) : SLICE_NONE;
}

static xmlNode *child(const xmlNode *n, const char *name)
{
	xmlNode *c = n ? n->children : NULL;
	while (c && !is(c, name))
		c = c->next;
	return c;
}

static uint32_t number(struct slice s, uint32_t otherwise)
{
	unsigned long long n;
	if (slice_is(s, "unbounded"))
		return 0;
	return s.p && slice_u64(s, &n) && n <= 1000000000 ? (uint32_t)n : otherwise;
}

static struct slice local(struct slice s)
{
	const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	return colon ? slice_make(colon + 1, s.n - (size_t)(colon + 1 - s.p)) : s;
}

static xmlNode *look_up(xmlHashTable *table, struct slice name)
{
	char z[256];
	name = local(name);
	if (!name.n || name.n >= sizeof z)
		return NULL;
	memcpy(z, name.p, name.n);
	z[name.n] = 0;
	return xmlHashLookup(table, (const xmlChar *)z);
}

/* What an element is: itself, or the global one it refers to. */
static const xmlNode *definition(const struct schema *s, const xmlNode *n)
{
	struct slice ref = attribute(n, "ref");
	const xmlNode *d = ref.p ? look_up(s->elements, ref) : n;
	return d ? d : n;
}

static struct slice name_of(const xmlNode *n)
{
	struct slice ref = attribute(n, "ref");
	return ref.p ? local(ref) : attribute(n, "name");
}

/* "MOA_11" is MOA, "BEG01__PurposeCode" is BEG01. */
static struct slice before_underscore(struct slice name)
{
	return slice_cut(&name, '_');
}

/* The complex type's particles; NULL for a simple element. */
static const xmlNode *particles(const struct schema *s, const xmlNode *n)
{
	const xmlNode *d = definition(s, n), *type = child(d, "complexType");
	struct slice named = attribute(d, "type");
	if (!type && named.p)
		type = look_up(s->types, named);
	if (!type || !is(type, "complexType"))
		return NULL;
	const xmlNode *p = child(type, "sequence");
	p = p ? p : child(type, "all");
	return p ? p : child(type, "choice");
}

static struct slice notes_of(const xmlNode *n)
{
	const xmlNode *info = child(child(n, "annotation"), "appinfo");
	const xmlNode *record = info ? child(info, "recordInfo") : NULL;
	if (info && !record)
		record = child(info, "fieldInfo");
	return attribute(record, "notes");
}

static struct slice keep(struct schema *s, struct slice text)
{
	struct slice copy = text.p ? van_arena_slice(s->m->arena, text) : SLICE_NONE;
	s->failed |= text.p && !copy.p;
	return copy;
}

/* --- elements ---------------------------------------------------------------------------------------------------------- */

/* "X12_N2" is N2, "EDIFACT_AN" AN, "X12_ID" and any list of values ID. */
static void type_of(struct slice base, bool listed, bool x12, char type[4])
{
	static const char *const known[] = {"AN", "ID", "A", "N", "R", "DT", "TM", "B", "N0", "N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9"};
	base = local(base);
	struct slice rest = base;
	slice_cut(&rest, '_');
	snprintf(type, 4, "%s", listed ? "ID" : "AN");
	for (size_t i = 0; rest.p && i < sizeof known / sizeof *known; i++)
		if (slice_is(rest, known[i]))
			snprintf(type, 4, "%s", x12 && strcmp(known[i], "N") == 0 ? "N0" : known[i]);
	if (!x12 && strcmp(type, "ID") == 0)
		snprintf(type, 4, "AN");
}

struct facets {
	char type[4];
	uint32_t min, max;
	const xmlNode *list; /* the restriction that holds enumerations; NULL: none */
	struct slice named;  /* the global type's name */
};

static struct facets facets_of(const struct schema *s, const xmlNode *field)
{
	struct facets f = {.min = 1, .max = 0};
	const xmlNode *d = definition(s, field), *simple = child(d, "simpleType");
	f.named = attribute(d, "type");
	if (!simple && f.named.p)
		simple = look_up(s->types, f.named);
	const xmlNode *r = child(simple, "restriction");
	struct slice base = r ? attribute(r, "base") : f.named;
	uint32_t longest = 0, shortest = UINT32_MAX;
	for (const xmlNode *c = r ? r->children : NULL; c; c = c->next) {
		struct slice value = c->type == XML_ELEMENT_NODE ? attribute(c, "value") : SLICE_NONE;
		if (is(c, "minLength") || is(c, "length"))
			f.min = number(value, 1);
		if (is(c, "maxLength") || is(c, "length"))
			f.max = number(value, 0);
		if (is(c, "enumeration") && value.n) {
			f.list = r;
			longest = value.n > longest ? (uint32_t)value.n : longest;
			shortest = value.n < shortest ? (uint32_t)value.n : shortest;
		}
	}
	type_of(slice_is(local(base), "string") && f.named.p ? f.named : base, f.list != NULL, s->m->standard == EDI_X12, f.type);
	if (!f.max && f.list && s->m->standard == EDI_X12) { /* all values of an X12 list have the element's lengths */
		f.max = longest;
		f.min = shortest;
	} else if (!f.max && f.list) { /* nothing says how long an..3 or an..17 other codes may be: the list decides */
		f.max = longest > 35 ? longest : 35;
	}
	if (!f.max)
		f.max = strcmp(f.type, "DT") == 0 ? 8 : 65535; /* the schema says nothing */
	f.min = f.min ? f.min : 1;
	return f;
}

static struct slice trailing_digits(struct slice s)
{
	size_t n = 0;
	while (n < s.n && isdigit((unsigned char)s.p[s.n - 1 - n]))
		n++;
	return n && n < s.n && s.p[s.n - 1 - n] == '_' ? slice_make(s.p + s.n - n, n) : SLICE_NONE;
}

/* The element number, which the list's name or the notes end in; else the place's name in small letters. */
static struct slice element_id(struct schema *s, const xmlNode *field, const struct facets *f)
{
	struct slice id = trailing_digits(local(f->named));
	if (!id.p)
		id = trailing_digits(notes_of(field));
	if (!id.p)
		id = trailing_digits(notes_of(definition(s, field)));
	if (id.p)
		return id;
	struct slice place = keep(s, before_underscore(name_of(field)));
	for (size_t i = 0; i < place.n; i++)
		((char *)(uintptr_t)place.p)[i] = (char)tolower((unsigned char)place.p[i]);
	return place;
}

static bool same(const struct import_element *x, const struct facets *f)
{
	return strcmp(x->type, f->type) == 0 && x->min == f->min && x->max == f->max && (x->codes != NULL) == (f->list != NULL);
}

/* The element of this field: a number that has other lengths elsewhere becomes another element, 1131-2. */
static struct slice take_element(struct schema *s, const xmlNode *field)
{
	struct facets f = facets_of(s, field);
	struct slice id = element_id(s, field, &f), use = id;
	for (unsigned n = 2; !s->failed && n < 100; n++) {
		struct import_element *x = import_get_element(s->m, use);
		if (!x) {
			s->failed = true;
			break;
		}
		if (!x->max) {
			memcpy(x->type, f.type, sizeof x->type);
			x->min = f.min;
			x->max = f.max;
			struct slice notes = notes_of(field), digits = trailing_digits(notes);
			x->name = keep(s, digits.p ? slice_make(notes.p, notes.n - digits.n - 1) : notes);
		} else if (!x->closed && !same(x, &f)) { /* schemas have no list for UNS 0081 */
			use = van_arena_printf(s->m->arena, "%.*s-%u", SLICE_ARG(id), n);
			continue;
		}
		for (const xmlNode *c = f.list ? f.list->children : NULL; c && !s->failed; c = c->next)
			if (is(c, "enumeration") && attribute(c, "value").n)
				s->failed |= !import_add_code(s->m, x, attribute(c, "value"), SLICE_NONE);
		break;
	}
	return use;
}

/* --- composites and segments ------------------------------------------------------------------------------------------- */

static struct slice take_group(struct schema *s, const xmlNode *n, bool segment);

static struct slice take_field(struct schema *s, const xmlNode *n)
{
	return particles(s, n) ? take_group(s, n, false) : take_element(s, n);
}

/* Makes `a` accept what `b` does. */
static void widen(struct schema *s, struct import_element *a, const struct import_element *b)
{
	a->min = a->min < b->min ? a->min : b->min;
	a->max = a->max > b->max ? a->max : b->max;
	if (!b->codes)
		a->codes = NULL;
	for (const struct import_code *c = a->codes ? b->codes : NULL; c; c = c->next)
		s->failed |= !import_add_code(s->m, a, c->value, SLICE_NONE);
	if (strcmp(a->type, b->type) != 0)
		snprintf(a->type, sizeof a->type, "AN");
}

static struct import_element *find_element(const struct schema *s, struct slice id)
{
	struct import_element *x = s->m->elements;
	while (x && !slice_eq(x->id, id))
		x = x->next;
	return x;
}

/* The widest of two forms: mandatory only where both are, the larger number of repeats, fields that only one has. */
static void merge(struct schema *s, struct import_field **at, struct slice id, bool mandatory, uint32_t repeat, bool *changed)
{
	struct import_field *f = *at;
	if (!f) {
		*at = f = van_arena_alloc(s->m->arena, sizeof *f);
		s->failed |= !f;
		if (f)
			*f = (struct import_field){.id = keep(s, id), .repeat = repeat};
		*changed = true;
		return;
	}
	*changed |= f->mandatory != mandatory || f->repeat != repeat || !slice_eq(f->id, id);
	struct import_element *old = slice_eq(f->id, id) ? NULL : find_element(s, f->id), *other = old ? find_element(s, id) : NULL;
	if (other)
		widen(s, old, other);
	f->mandatory = f->mandatory && mandatory;
	f->repeat = !f->repeat || !repeat ? 0 : f->repeat > repeat ? f->repeat : repeat;
}

/* Where an element or composite stands in its segment; 0: nowhere. */
static unsigned place_of(const struct schema *s, const xmlNode *segment, struct slice field)
{
	const xmlNode *p = particles(s, segment);
	unsigned place = 0;
	for (const xmlNode *c = p ? p->children : NULL; c; c = c->next) {
		if (!is(c, "element"))
			continue;
		place++;
		if (slice_eq(name_of(c), field))
			return place;
	}
	return 0;
}

/* Subjects are fields of the segment. The first of a conditional rule is its qualifier. */
static void add_note(struct schema *s, struct import_group *g, const xmlNode *segment, const xmlNode *rule)
{
	static const char *const kinds[][2] = {{"Paired", "P"}, {"Required", "R"}, {"Exclusion", "E"}, {"ListConditional", "L"},
		{"List", "L"}, {"Conditional", "C"}};
	struct slice subjects = attribute(rule, "subjects");
	char note[64] = "";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !note[0]; i++) {
		size_t n = strlen(kinds[i][0]);
		for (size_t k = 0; k + n <= subjects.n && !note[0]; k++)
			if (memcmp(subjects.p + k, kinds[i][0], n) == 0)
				snprintf(note, sizeof note, "%s", kinds[i][1]);
	}
	size_t length = strlen(note);
	for (const xmlNode *c = rule; c && note[0] && length + 2 < sizeof note; c = c == rule ? rule->children : c->next) {
		struct slice field = c == rule ? attribute(c, "qualifier") : is(c, "Subject") ? attribute(c, "name") : SLICE_NONE;
		unsigned place = field.p ? place_of(s, segment, field) : 0;
		if (place && place < 100)
			length += (size_t)snprintf(note + length, sizeof note - length, "%02u", place);
	}
	if (length >= 5 && !(g->notes.n && memmem(g->notes.p, g->notes.n, note, length)))
		g->notes = van_arena_printf(s->m->arena, "%.*s%s%s", SLICE_ARG(g->notes), g->notes.n ? " " : "", note);
}

static void add_notes(struct schema *s, struct import_group *g, const xmlNode *n)
{
	const xmlNode *places[] = {child(child(n, "annotation"), "appinfo"),
		child(child(child(n, "complexType"), "annotation"), "appinfo")};
	for (size_t i = 0; i < 2; i++)
		for (const xmlNode *c = places[i] ? places[i]->children : NULL; c; c = c->next) {
			if (is(c, "Rule"))
				add_note(s, g, n, c);
			for (const xmlNode *r = c->children; r; r = r->next)
				if (is(r, "Rule"))
					add_note(s, g, n, r);
		}
}

static bool composite_id(struct slice id)
{
	return id.n == 4 && isupper((unsigned char)*id.p) && isdigit((unsigned char)id.p[1]) && isdigit((unsigned char)id.p[2]) &&
	       isdigit((unsigned char)id.p[3]);
}

/* Returns its identifier. */
static struct slice take_group(struct schema *s, const xmlNode *n, bool segment)
{
	struct slice id = before_underscore(name_of(n));
	if (!segment && !composite_id(id)) { /* an X12 composite is named after its place */
		id = keep(s, id);
		for (size_t i = 0; i < id.n; i++)
			((char *)(uintptr_t)id.p)[i] = (char)tolower((unsigned char)id.p[i]);
	}
	struct import_group *g = import_get_group(s->m, segment ? &s->m->segments : &s->m->composites, id);
	if (!g) {
		s->failed = true;
		return id;
	}
	bool again = g->fields != NULL, changed = false;
	if (!g->name.p)
		g->name = keep(s, notes_of(n).p ? notes_of(n) : notes_of(definition(s, n)));
	const xmlNode *p = particles(s, n);
	struct import_field **at = &g->fields;
	for (const xmlNode *c = p ? p->children : NULL; c && !s->failed; c = c->next) {
		if (!is(c, "element"))
			continue;
		bool mandatory = number(attribute(c, "minOccurs"), 1) > 0;
		struct slice field = take_field(s, c);
		bool fresh = !*at;
		merge(s, at, field, mandatory, number(attribute(c, "maxOccurs"), 1), &changed);
		if (fresh && *at)
			(*at)->mandatory = mandatory && !again;
		if (*at)
			at = &(*at)->next;
	}
	for (; *at; at = &(*at)->next) {
		changed |= again && (*at)->mandatory;
		(*at)->mandatory = false;
	}
	add_notes(s, g, definition(s, n));
	s->m->merged += again && changed && segment;
	return g->id;
}

/* --- the message ------------------------------------------------------------------------------------------------------- */

static bool is_loop(const xmlNode *n)
{
	struct slice name = name_of(n);
	return name.n >= 4 && memmem(name.p, name.n, "Loop", 4) != NULL;
}

/* HIPAA: which values of a field make it this place. */
static struct slice trigger(struct schema *s, const xmlNode *n)
{
	const xmlNode *info = child(child(child(definition(s, n), "annotation"), "appinfo"), "recordInfo");
	struct slice field = before_underscore(attribute(info, "trigger_field")), values = attribute(info, "trigger_value");
	if (field.n < 3 || !values.n || !isdigit((unsigned char)field.p[field.n - 1]))
		return SLICE_NONE;
	unsigned long long element;
	if (!slice_u64(slice_make(field.p + field.n - 2, 2), &element))
		return SLICE_NONE;
	struct slice list = van_arena_printf(s->m->arena, "%llu=%.*s", element, SLICE_ARG(values));
	for (size_t i = 0; i < list.n; i++)
		if (list.p[i] == ' ' || list.p[i] == '|')
			((char *)(uintptr_t)list.p)[i] = ',';
	return list;
}

static void take_nodes(struct schema *s, const xmlNode *p, struct import_node ***at, int depth);

static void take_node(struct schema *s, const xmlNode *c, struct import_node ***at, int depth)
{
	struct import_node *n = van_arena_alloc(s->m->arena, sizeof *n);
	if (!n || depth == LARGEST_DEPTH) {
		s->failed = true;
		return;
	}
	*n = (struct import_node){.loop = is_loop(c), .mandatory = number(attribute(c, "minOccurs"), 1) > 0,
		.max = number(attribute(c, "maxOccurs"), 1), .when = SLICE_NONE};
	const xmlNode *inside = particles(s, c);
	if (n->loop) {
		struct import_node **first = &n->first;
		n->id = keep(s, name_of(c));
		take_nodes(s, inside, &first, depth + 1);
		if (n->first && n->first->loop) { /* a loop of loops, which bounds nothing: its loops stand for themselves */
			**at = n->first;
			while (**at)
				*at = &(**at)->next;
			return;
		}
		if (!n->first)
			return;
	} else {
		struct slice id = before_underscore(name_of(c));
		bool service = slice_is(id, "ST") || slice_is(id, "SE") || slice_is(id, "UNH") || slice_is(id, "UNT");
		n->id = service ? keep(s, id) : take_group(s, c, true);
		n->when = trigger(s, c);
		if (service) {
			n->mandatory = true;
			n->max = 1;
		}
	}
	**at = n;
	*at = &n->next;
}

static void take_nodes(struct schema *s, const xmlNode *p, struct import_node ***at, int depth)
{
	for (const xmlNode *c = p ? p->children : NULL; c && !s->failed; c = c->next) {
		if (is(c, "element"))
			take_node(s, c, at, depth);
		else if (is(c, "sequence") || is(c, "all") || is(c, "choice"))
			take_nodes(s, c, at, depth);
	}
}

static bool has_end(const struct import_node *n, const char *id)
{
	while (n && n->next)
		n = n->next;
	return n && slice_is(n->id, id);
}

/* Schemas without ST and SE, or UNH and UNT, leave them to the envelope; our messages have them. */
static void add_ends(struct schema *s)
{
	bool x12 = s->m->standard == EDI_X12;
	const char *first = x12 ? "ST" : "UNH", *last = x12 ? "SE" : "UNT";
	struct import_node **at = &s->m->nodes, *n;
	if (!s->m->nodes || !slice_is(s->m->nodes->id, first)) {
		n = van_arena_alloc(s->m->arena, sizeof *n);
		s->failed |= !n;
		if (n) {
			*n = (struct import_node){.next = *at, .id = slice_str(first), .mandatory = true, .max = 1, .when = SLICE_NONE};
			*at = n;
		}
	}
	if (has_end(s->m->nodes, last))
		return;
	while (*at)
		at = &(*at)->next;
	n = van_arena_alloc(s->m->arena, sizeof *n);
	s->failed |= !n;
	if (n)
		*n = (struct import_node){.id = slice_str(last), .mandatory = true, .max = 1, .when = SLICE_NONE};
	*at = n;
}

/* Root names: X12_00401_850, EFACT_D96A_ORDERS, X12_00501_837_P; anything behind the type is left out. */
static int read_root_name(struct schema *s, struct slice name)
{
	struct import *m = s->m;
	struct slice rest = name, standard = slice_cut(&rest, '_'), version = rest.p ? slice_cut(&rest, '_') : SLICE_NONE;
	struct slice type = rest.p ? slice_cut(&rest, '_') : SLICE_NONE;
	m->standard = slice_is(standard, "X12") ? EDI_X12 : slice_is(standard, "EFACT") ? EDI_EDIFACT : EDI_UNKNOWN;
	if (!m->standard || version.n < 4 || type.n < 3)
		return van_error_set(s->e, VAN_ESYNTAX, "'%.*s' is no EDI message of BizTalk: its name is not X12_VERSION_TYPE or EFACT_VERSION_TYPE",
			SLICE_ARG(name));
	if (m->standard == EDI_X12)
		m->version = version.n == 5 ? van_arena_printf(m->arena, "%.*s0", SLICE_ARG(version)) : van_arena_slice(m->arena, version);
	else
		m->version = van_arena_printf(m->arena, "%c:%.*s", *version.p, (int)version.n - 1, version.p + 1);
	m->type = van_arena_slice(m->arena, type);
	return m->type.p && m->version.p ? 0 : van_error_set(s->e, VAN_ENOMEM, "no memory for the schema");
}

static int read_message(struct schema *s)
{
	const xmlNode *message = NULL;
	for (xmlNode *c = s->root->children; c; c = c->next) {
		struct slice name = c->type == XML_ELEMENT_NODE ? attribute(c, "name") : SLICE_NONE;
		if (!name.n)
			continue;
		if (is(c, "element")) {
			message = message ? message : c;
			xmlHashAddEntry(s->elements, (const xmlChar *)name.p, c);
		} else if (is(c, "simpleType") || is(c, "complexType")) {
			xmlHashAddEntry(s->types, (const xmlChar *)name.p, c);
		}
	}
	if (!message)
		return van_error_set(s->e, VAN_ESYNTAX, "the schema defines no element");
	int rc = read_root_name(s, attribute(message, "name"));
	if (rc < 0)
		return rc;
	struct import_node **at = &s->m->nodes;
	s->m->name = keep(s, notes_of(message));
	s->failed |= !import_service_segments(s->m);
	take_nodes(s, particles(s, message), &at, 0);
	add_ends(s);
	if (!s->failed && !s->m->nodes->next->next)
		return van_error_set(s->e, VAN_ESYNTAX, "message %.*s holds no segments", SLICE_ARG(s->m->type));
	return s->failed ? van_error_set(s->e, VAN_ENOMEM, "the schema is nested too deeply, or needs more memory than its bound") : 0;
}

static void silent(void *ctx, const char *format, ...)
{
	(void)ctx, (void)format;
}

int import_xsd(struct import *m, struct slice text, struct van_error *e)
{
	if (text.n > LARGEST_SCHEMA)
		return van_error_set(e, VAN_ELIMIT, "the schema is larger than %zu MiB", LARGEST_SCHEMA >> 20);
	xmlSetGenericErrorFunc(NULL, silent);
	xmlDoc *doc = xmlReadMemory(text.p, (int)text.n, "schema", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlSetGenericErrorFunc(NULL, NULL);
	const xmlError *why = xmlGetLastError();
	if (!doc)
		return van_error_set(e, VAN_ESYNTAX, "line %d: not XML: %.*s", why ? why->line : 1,
			SLICE_ARG(slice_trim(slice_str(why && why->message ? why->message : "unreadable"))));
	struct schema s = {.m = m, .e = e, .root = xmlDocGetRootElement(doc), .elements = xmlHashCreate(512), .types = xmlHashCreate(512)};
	int rc = 0;
	if (doc->intSubset)
		rc = van_error_set(e, VAN_ESYNTAX, "a document type is not accepted");
	else if (!s.root || !is(s.root, "schema"))
		rc = van_error_set(e, VAN_ESYNTAX, "this is no XML schema");
	else if (!s.elements || !s.types)
		rc = van_error_set(e, VAN_ENOMEM, "no memory for the schema");
	else
		rc = read_message(&s);
	xmlHashFree(s.elements, NULL);
	xmlHashFree(s.types, NULL);
	xmlFreeDoc(doc);
	return rc;
}
