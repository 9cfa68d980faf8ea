/* A run: memory of one translation after the other, notes, expressions. */
#include "map/run.h"

#include "map/tree_read.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_VALUES 1000000
#define DEFAULT_MEMORY ((size_t)256 << 20)
#define DEFAULT_STEPS 10000000

struct map_run_state *map_run_new(const struct map_options *options)
{
	struct map_run_state *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	if (options)
		r->options = *options;
	r->options.max_values = r->options.max_values ? r->options.max_values : DEFAULT_VALUES;
	r->options.max_memory = r->options.max_memory ? r->options.max_memory : DEFAULT_MEMORY;
	r->options.max_steps = r->options.max_steps ? r->options.max_steps : DEFAULT_STEPS;
	r->arena = van_arena_new(r->options.max_memory);
	r->message.text.max = r->options.max_memory;
	if (!r->arena) {
		free(r);
		return NULL;
	}
	map_run_reset(r);
	return r;
}

void map_run_free(struct map_run_state *r)
{
	if (!r)
		return;
	map_message_free(&r->message);
	van_arena_free(r->arena);
	free(r->counts);
	free(r->ranges);
	free(r->levels);
	free(r);
}

void map_run_reset(struct map_run_state *r)
{
	van_arena_reset(r->arena);
	r->room = (struct tree_room){.arena = r->arena, .left = r->options.max_values};
	r->steps = r->options.max_steps;
	r->message.arena = r->arena;
	r->notes = NULL;
	r->last_note = &r->notes;
	memset(r->noted, 0, sizeof r->noted);
	r->range_count = r->level_count = 0;
}

const struct map_note *map_run_notes(const struct map_run_state *r)
{
	return r->notes;
}

uint64_t map_run_count(const struct map_run_state *r, enum map_note_kind kind)
{
	return r->noted[kind];
}

int map_run_fail(struct map_run_state *r, int code)
{
	const char *name = r->map ? r->map->name : "";
	if (r->e->code != VAN_OK)
		return code;
	if (r->room.error == VAN_ELIMIT)
		return van_error_set(r->e, VAN_ELIMIT, "map %s: the document has more than %zu values: divide it", name, r->options.max_values);
	if (code == VAN_ENOMEM)
		return van_error_set(r->e, VAN_ENOMEM, "map %s: the document needs more than %zu MiB of memory: divide it", name, r->options.max_memory >> 20);
	return van_error_set(r->e, (enum van_err)code, "map %s: the message has more segments or elements than a map can hold: divide it", name);
}

int map_run_definition(const struct map *m, const struct edi_message_def **ret, struct van_error *e)
{
	struct map *own = (struct map *)(uintptr_t)m; /* what is looked up is kept */
	int rc = 0;
	if (!m->looked && m->sheet->set->dictionaries)
		rc = edi_dictionary_find(m->sheet->set->dictionaries, strcmp(m->standard, "x12") == 0 ? EDI_X12 : EDI_EDIFACT, m->version, m->type,
			&own->definition, e);
	if (rc == 0 && m->sheet->set->dictionaries)
		own->looked = true;
	*ret = m->definition;
	return rc;
}

struct map_note *map_run_note(struct map_run_state *r, enum map_note_kind kind, unsigned row)
{
	r->noted[kind]++;
	if (r->options.counts_only) {
		r->lost_note = (struct map_note){.kind = kind, .map = r->map, .row = row};
		return &r->lost_note;
	}
	struct map_note *n = tree_room_alloc(&r->room, sizeof *n);
	if (!n) {
		r->room.error = VAN_ENOMEM;
		return NULL;
	}
	*n = (struct map_note){.kind = kind, .map = r->map, .row = row};
	*r->last_note = n;
	r->last_note = &n->next;
	return n;
}

struct slice map_run_id(struct map_run_state *r, uint32_t packed)
{
	char *p = van_arena_alloc(r->arena, 4);
	size_t n = 0;
	for (int shift = 24; p && shift >= 0; shift -= 8)
		if (packed >> shift & 0xff)
			p[n++] = (char)(packed >> shift & 0xff);
	return p ? slice_make(p, n) : SLICE("");
}

char *map_run_digits(uint32_t n, char *to)
{
	char digits[10];
	size_t k = sizeof digits;
	do
		digits[--k] = (char)('0' + n % 10);
	while (n /= 10);
	memcpy(to, digits + k, sizeof digits - k);
	return to + sizeof digits - k;
}

struct slice map_run_number(struct map_run_state *r, uint32_t n)
{
	char *p = tree_room_alloc(&r->room, 10);
	return p ? slice_make(p, (size_t)(map_run_digits(n, p) - p)) : SLICE_NONE;
}

struct slice map_run_loop(struct map_run_state *r, int32_t owner)
{
	if (owner <= 0)
		return SLICE_NONE;
	struct map_range *g = &r->ranges[owner];
	if (g->name.p)
		return g->name;
	struct slice outer = map_run_loop(r, g->parent), id = map_raw(&r->message, &r->message.segments[g->first], 0);
	char *p = van_arena_alloc(r->arena, outer.n + id.n + 13), *to = p;
	if (!p)
		return SLICE_NONE;
	if (outer.n) {
		memcpy(to, outer.p, outer.n);
		to += outer.n;
		*to++ = '/';
	}
	memcpy(to, id.p, id.n);
	to += id.n;
	*to++ = '[';
	to = map_run_digits(g->ordinal, to);
	*to++ = ']';
	return g->name = slice_make(p, (size_t)(to - p));
}

struct slice map_run_place(struct map_run_state *r, const struct map_scope *scope, int32_t slot, struct slice inside)
{
	if (slot < 0)
		return inside.n && inside.p[inside.n - 1] == '.' ? slice_make(inside.p, inside.n - 1) : inside;
	const struct map_slot *s = &scope->slots[slot];
	struct slice parent = map_run_place(r, scope, s->parent, inside);
	if (s->item)
		return van_arena_printf(r->arena, "%.*s[1]", SLICE_ARG(parent));
	return van_arena_printf(r->arena, "%.*s%s%.*s", SLICE_ARG(parent), parent.n ? "." : "", SLICE_ARG(s->name));
}

static int look_up(void *ctx, struct slice name, struct slice value, struct slice *ret, struct van_error *e)
{
	const struct map_run_state *r = ctx;
	for (const struct map_set *set = r->map->sheet->set; set; set = set->more)
		for (const struct map_table *t = set->tables; t; t = t->next)
			if (slice_eq(t->name, name))
				return map_table_in(t, value, ret);
	return van_error_set(e, VAN_ENOTFOUND, "there is no table %.*s; add table-%.*s.csv", SLICE_ARG(name), SLICE_ARG(name));
}

int map_run_expression(struct map_run_state *r, const struct map_row *row, const char *cell, const struct expression *x,
	const struct tree *input, const struct tree *object, const struct tree **ret)
{
	const struct expression_variable variables[] = {{SLICE("object"), object}, {SLICE("document"), r->document}};
	struct expression_context c = {.room = &r->room, .variables = variables, .variable_count = 2, .table = look_up, .table_ctx = r,
		.max_steps = r->steps};
	struct van_error e = {0};
	int rc = map_run_step(r, 100);
	if (rc < 0)
		return rc;
	rc = expression_run(x, input, &c, ret, &e);
	if (rc < 0)
		van_error_set(r->e, (enum van_err)rc, "map %s, row %u, %s: %s", r->map->name, row->line, cell, e.text);
	return rc;
}

int map_run_condition(struct map_run_state *r, const struct map_row *row, const struct expression *x, const struct tree *input,
	const struct tree *object)
{
	const struct expression_variable variables[] = {{SLICE("object"), object}, {SLICE("document"), r->document}};
	const struct tree *result = NULL;
	int answer = !r->options.row_by_row && r->steps > 2 * EXPRESSION_TEXT_MAX ? expression_asks(x, input, variables, 2) : -1; /* its own steps are no more than its letters */
	int rc = answer < 0 ? map_run_expression(r, row, "when", x, input, object, &result) : map_run_step(r, 100);
	return rc < 0 ? rc : answer < 0 ? expression_true(result) : answer;
}

int map_read_json(struct map_run_state *r, struct slice json, struct tree **ret, struct van_error *e)
{
	return tree_read(&r->room, json, ret, e);
}

struct map_documents {
	struct map_run_state *run;
	struct tree_reader *reader;
	map_document_fn fn;
	void *ctx;
};

static int document_done(void *ctx, struct tree *document)
{
	const struct map_documents *d = ctx;
	int rc = d->fn(d->ctx, document);
	map_run_reset(d->run);
	return rc;
}

struct map_documents *map_documents_new(struct map_run_state *r, map_document_fn fn, void *ctx)
{
	struct map_documents *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	*d = (struct map_documents){.run = r, .fn = fn, .ctx = ctx, .reader = tree_reader_new(&r->room, document_done, d)};
	if (!d->reader) {
		free(d);
		return NULL;
	}
	map_run_reset(r);
	return d;
}

void map_documents_free(struct map_documents *d)
{
	if (!d)
		return;
	tree_reader_free(d->reader);
	free(d);
}

int map_documents_feed(struct map_documents *d, struct slice chunk, bool last, struct van_error *e)
{
	return tree_reader_feed(d->reader, chunk, last, e);
}

int map_run(const struct map *m, struct slice message, struct map_delimiters delimiters, const struct map_envelope *envelope,
	const struct map_options *options, struct van_buf *to, struct van_error *e)
{
	struct map_run_state *r = map_run_new(options);
	struct tree *document = NULL;
	if (!r)
		return van_error_set(e, VAN_ENOMEM, "no memory to run map %s", m->name);
	int rc = map_read(r, m, message, delimiters, envelope, &document, e);
	if (rc == 0)
		rc = tree_write(document, r->options.pretty, to);
	map_run_free(r);
	return rc;
}
