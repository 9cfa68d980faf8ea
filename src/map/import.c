/* The model that importers fill, and writing it as a dictionary. */
#include "map/import.h"

#include <stdio.h>
#include <stdlib.h>

struct import_element *import_get_element(struct import *m, struct slice id)
{
	struct import_element **at = &m->elements;
	while (*at && !slice_eq((*at)->id, id))
		at = &(*at)->next;
	if (!*at && (*at = van_arena_alloc(m->arena, sizeof **at)))
		(*at)->id = van_arena_slice(m->arena, id);
	return *at;
}

struct import_group *import_get_group(struct import *m, struct import_group **list, struct slice id)
{
	while (*list && !slice_eq((*list)->id, id))
		list = &(*list)->next;
	if (!*list && (*list = van_arena_alloc(m->arena, sizeof **list)))
		(*list)->id = van_arena_slice(m->arena, id);
	return *list;
}

struct import_field *import_add_field(struct import *m, struct import_group *g, struct slice id)
{
	struct import_field **at = &g->fields;
	while (*at)
		at = &(*at)->next;
	if ((*at = van_arena_alloc(m->arena, sizeof **at)))
		**at = (struct import_field){.id = van_arena_slice(m->arena, id), .repeat = 1};
	return *at;
}

bool import_add_code(struct import *m, struct import_element *x, struct slice value, struct slice text)
{
	struct import_code **at = &x->codes;
	while (*at && !slice_eq((*at)->value, value))
		at = &(*at)->next;
	if (*at)
		return true;
	*at = van_arena_alloc(m->arena, sizeof **at);
	if (!*at)
		return false;
	(*at)->value = van_arena_slice(m->arena, value);
	(*at)->text = text.n ? van_arena_slice(m->arena, text) : SLICE_NONE;
	return (*at)->value.p != NULL;
}

/* --- service segments -------------------------------------------------------------------------------------------------- */

struct service_element {
	const char *id, *type;
	uint32_t min, max;
	const char *codes; /* all there are; NULL: any */
};

static const struct service_element edifact_elements[] = {{"0051", "AN", 1, 3}, {"0052", "AN", 1, 3}, {"0054", "AN", 1, 3},
	{"0057", "AN", 1, 6}, {"0062", "AN", 1, 14}, {"0065", "AN", 1, 6}, {"0068", "AN", 1, 35}, {"0070", "N", 1, 2}, {"0073", "A", 1, 1, "C F"},
	{"0074", "N", 1, 10}, {"0081", "A", 1, 1, "D S"}, {"0110", "AN", 1, 6}, {"0113", "AN", 1, 6}, {"0115", "AN", 1, 14}, {"0116", "AN", 1, 3},
	{"0118", "AN", 1, 3}, {"0121", "AN", 1, 14}, {"0122", "AN", 1, 3}, {"0124", "AN", 1, 3}, {"0127", "AN", 1, 14}, {"0128", "AN", 1, 3},
	{"0130", "AN", 1, 3}};
static const struct service_element x12_elements[] = {{"96", "N0", 1, 10}, {"143", "ID", 3, 3}, {"329", "AN", 4, 9}, {"1705", "AN", 1, 35}};

/* "ID field! field": a `!` behind a field makes it mandatory. */
static const char *const edifact_groups[] = {"S009 0065! 0052! 0054! 0051! 0057 0110 0113", "S010 0070! 0073",
	"S016 0115! 0116 0118 0051", "S017 0121! 0122 0124 0051", "S018 0127! 0128 0130 0051", "UNH 0062! S009! 0068 S010 S016 S017 S018",
	"UNS 0081!", "UNT 0074! 0062!"};
static const char *const x12_groups[] = {"ST 143! 329! 1705", "SE 96! 329!"};

static bool service_group(struct import *m, const char *text)
{
	struct slice rest = slice_str(text), id = slice_cut(&rest, ' ');
	struct import_group *g = import_get_group(m, *id.p == 'S' && id.n == 4 ? &m->composites : &m->segments, id);
	if (!g || g->fields)
		return g != NULL;
	while (rest.p) {
		struct slice field = slice_cut(&rest, ' ');
		bool mandatory = slice_ends(field, "!");
		field.n -= mandatory;
		struct import_field *f = import_add_field(m, g, field);
		if (!f)
			return false;
		f->mandatory = mandatory;
	}
	return true;
}

static bool service_element(struct import *m, const struct service_element *from)
{
	struct import_element *e = import_get_element(m, slice_str(from->id));
	if (!e)
		return false;
	if (!e->max) {
		snprintf(e->type, sizeof e->type, "%s", from->type);
		e->min = from->min;
		e->max = from->max;
	}
	e->closed = from->codes != NULL;
	bool fine = true;
	for (struct slice rest = from->codes ? slice_str(from->codes) : SLICE_NONE; rest.p && fine;)
		fine = import_add_code(m, e, slice_cut(&rest, ' '), SLICE(""));
	return fine;
}

bool import_service_segments(struct import *m)
{
	bool x12 = m->standard == EDI_X12, fine = true;
	const struct service_element *elements = x12 ? x12_elements : edifact_elements;
	size_t n = x12 ? sizeof x12_elements / sizeof *x12_elements : sizeof edifact_elements / sizeof *edifact_elements;
	for (size_t i = 0; i < n && fine; i++)
		fine = service_element(m, &elements[i]);
	n = x12 ? 2 : sizeof edifact_groups / sizeof *edifact_groups;
	for (size_t i = 0; i < n && fine; i++)
		fine = service_group(m, (x12 ? x12_groups : edifact_groups)[i]);
	return fine;
}

/* --- writing ----------------------------------------------------------------------------------------------------------- */

/* In quotes; a quote in it becomes an apostrophe, a line end a blank, and bytes above ASCII (old code pages) a question mark. */
static void put_name(struct van_buf *to, struct slice name)
{
	if (!name.n)
		return;
	van_buf_append_str(to, " \"");
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		van_buf_append_char(to, c == '"' ? '\'' : c < ' ' && c >= 0 ? ' ' : c & 0x80 ? '?' : c);
	}
	van_buf_append_char(to, '"');
}

/* In quotes where it would begin a comment. */
static void put_code(struct van_buf *to, struct slice value)
{
	bool quotes = *value.p == '#' || memchr(value.p, ' ', value.n);
	van_buf_printf(to, quotes ? " \"%.*s\"" : " %.*s", SLICE_ARG(value));
}

static void put_count(struct van_buf *to, uint32_t n)
{
	if (n)
		van_buf_printf(to, " %u", n);
	else
		van_buf_append_str(to, " *");
}

static void put_header(const struct import *m, struct van_buf *to)
{
	van_buf_printf(to, "dictionary %s %.*s\n\n", m->standard == EDI_X12 ? "x12" : "edifact", SLICE_ARG(m->version));
}

static void put_element(const struct import *m, const struct import_element *x, struct van_buf *to)
{
	size_t width = 0;
	van_buf_printf(to, "element %.*s %s %u-%u%s", SLICE_ARG(x->id), x->type, x->min, x->max, x->codes && m->open_codes && !x->closed ? " open" : "");
	put_name(to, x->name);
	van_buf_append_char(to, '\n');
	for (const struct import_code *c = x->codes; c; c = c->next) {
		if (c->text.n) {
			van_buf_append_str(to, width ? "\n  code" : "  code");
			put_code(to, c->value);
			put_name(to, c->text);
			van_buf_append_char(to, '\n');
			width = 0;
			continue;
		}
		if (!width)
			van_buf_append_str(to, "  codes");
		put_code(to, c->value);
		width += c->value.n + 1;
		if (width > 100) {
			van_buf_append_char(to, '\n');
			width = 0;
		}
	}
	if (width)
		van_buf_append_char(to, '\n');
}

static void put_group(const char *kind, const struct import_group *g, struct van_buf *to)
{
	van_buf_printf(to, "%s %.*s", kind, SLICE_ARG(g->id));
	put_name(to, g->name);
	van_buf_append_char(to, '\n');
	for (const struct import_field *f = g->fields; f; f = f->next) {
		van_buf_printf(to, "  %.*s %s", SLICE_ARG(f->id), f->mandatory ? "M" : "C");
		if (f->repeat != 1)
			put_count(to, f->repeat);
		van_buf_append_char(to, '\n');
	}
	if (g->notes.n)
		van_buf_printf(to, "  note %.*s\n", SLICE_ARG(g->notes));
}

int import_write_shared(const struct import *m, struct van_buf *to)
{
	put_header(m, to);
	for (const struct import_element *x = m->elements; x; x = x->next)
		if (x->max)
			put_element(m, x, to);
	van_buf_append_char(to, '\n');
	for (const struct import_group *g = m->composites; g; g = g->next)
		put_group("composite", g, to);
	van_buf_append_char(to, '\n');
	for (const struct import_group *g = m->segments; g; g = g->next)
		put_group("segment", g, to);
	return van_buf_error(to);
}

static void put_nodes(const struct import_node *n, int depth, struct van_buf *to)
{
	for (; n; n = n->next) {
		van_buf_printf(to, "%*s%s%.*s %s", 2 * depth, "", n->loop ? "loop " : "", SLICE_ARG(n->id), n->mandatory ? "M" : "C");
		put_count(to, n->max);
		if (n->when.n)
			van_buf_printf(to, " when %.*s", SLICE_ARG(n->when));
		van_buf_append_char(to, '\n');
		if (!n->loop)
			continue;
		put_nodes(n->first, depth + 1, to);
		van_buf_printf(to, "%*send\n", 2 * depth, "");
	}
}

int import_write_message(const struct import *m, bool follows, struct van_buf *to)
{
	if (follows)
		van_buf_append_char(to, '\n');
	else
		put_header(m, to);
	van_buf_printf(to, "message %.*s%s%.*s", SLICE_ARG(m->type), m->group.n ? " " : "", SLICE_ARG(m->group));
	put_name(to, m->name);
	van_buf_append_char(to, '\n');
	put_nodes(m->nodes, 1, to);
	return van_buf_error(to);
}

struct slice import_file_name(const struct import *m, bool message)
{
	char version[24];
	size_t n = 0;
	for (size_t i = 0; i < m->version.n && n < sizeof version - 1; i++)
		if (m->version.p[i] != ':')
			version[n++] = m->version.p[i];
	version[n] = 0;
	struct slice type = message ? m->type : SLICE_NONE;
	return van_arena_printf(m->arena, "%s-%s%s%.*s.dict", m->standard == EDI_X12 ? "x12" : "edifact", version, message ? "-" : "",
		SLICE_ARG(type));
}
