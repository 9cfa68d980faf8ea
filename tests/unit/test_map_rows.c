/* The shipped samples, with every row looking for itself and as loops are planned and remembered: messages to documents, documents to the messages
 * they came from, and documents to messages of every kind, byte for byte. (test_map_shape and test_map_mould do the same with changed ones.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>

#include "edi_input.h"

#include "map/map.h"
#include "map/tree.h"

#define TWICE 3 /* what is remembered is used from the second on; what is recorded, from the third */

struct side {
	struct map_set *set;
	struct map_run_state *run;
	struct van_buf told;
};

struct both {
	struct edi_dictionary_set *dictionaries;
	struct van_arena *arena;
	struct side side[2]; /* row by row; as planned */
	unsigned read, written;
};

static void set_up(struct both *b)
{
	char path[4096];
	struct van_error e = {0};
	*b = (struct both){.dictionaries = edi_test_dictionaries(), .arena = van_arena_new((size_t)64 << 20)};
	assert_non_null(b->dictionaries);
	for (int i = 0; i < 2; i++) {
		struct side *s = &b->side[i];
		s->told = VAN_BUF_INIT((size_t)64 << 20);
		s->run = map_run_new(&(struct map_options){.row_by_row = i == 0});
		assert_int_equal(map_set_open(edi_source_path(path, sizeof path, "maps"), &s->set, &e), 0);
		map_set_dictionaries(s->set, b->dictionaries);
	}
}

static void tear_down(struct both *b)
{
	for (int i = 0; i < 2; i++) {
		map_run_free(b->side[i].run);
		map_set_free(b->side[i].set);
		van_buf_free(&b->side[i].told);
	}
	van_arena_free(b->arena);
	edi_dictionary_set_free(b->dictionaries);
}

static void tell_notes(struct side *s, int rc, const struct van_error *e)
{
	if (rc < 0)
		van_buf_printf(&s->told, "%d: %s", rc, e->text);
	for (const struct map_note *n = rc == 0 ? map_run_notes(s->run) : NULL; n; n = n->next)
		van_buf_printf(&s->told, "\n%d %u %u %.*s '%.*s'", n->kind, n->row, n->position, SLICE_ARG(n->place), SLICE_ARG(n->value));
}

static void write_with(struct both *b, struct side *s, const struct map *m, const struct tree *document)
{
	bool x12 = strcmp(map_standard(m), "x12") == 0;
	struct edi_outbound_terms terms = {.standard = x12 ? EDI_X12 : EDI_EDIFACT, .sender = SLICE("ZZ:A"), .receiver = SLICE("ZZ:B"),
		.version = x12 ? SLICE("00501") : SLICE("UNOC:3"), .usage = 'P', .when = {.year = 2026, .month = 1, .day = 1}};
	struct edi_group_terms group;
	struct edi_outbound to;
	struct van_error e = {0};
	assert_int_equal(edi_outbound_begin(&to, &terms, b->arena, &e), 0);
	assert_int_equal(map_group(m, &group, &e), 0);
	if (x12)
		edi_outbound_group(&to, &group);
	int rc = map_write(s->run, m, document, &to, &e);
	if (rc == 0)
		van_buf_append_slice(&s->told, van_buf_slice(&to.draft.text));
	tell_notes(s, rc, &e);
	edi_outbound_free(&to);
}

static void same(struct both *b, const char *path, const char *map)
{
	for (int i = 0; i < 2; i++)
		van_buf_append_char(&b->side[i].told, 0);
	if (strcmp(b->side[0].told.p, b->side[1].told.p) != 0) {
		fprintf(stderr, "%s, %s, row by row:\n%s\nas planned:\n%s\n", path, map, b->side[0].told.p, b->side[1].told.p);
		fail();
	}
	van_arena_reset(b->arena);
	for (int i = 0; i < 2; i++) {
		van_buf_reset(&b->side[i].told);
		map_run_reset(b->side[i].run);
	}
}

/* --- messages ------------------------------------------------------------------------------------------------------------------- */

static void read_with(struct both *b, struct side *s, const struct map *like, const struct edi_interchange *i, struct slice message)
{
	const struct map_delimiters d = {i->delimiters.element, i->delimiters.component, i->delimiters.repetition, i->delimiters.release, i->delimiters.terminator};
	const struct map_envelope envelope = {.sender = SLICE("ZZ:A"), .receiver = SLICE("ZZ:B"), .version = SLICE("UNOC:3"), .date = SLICE("20260115")};
	const struct map *m = map_find(s->set, slice_str(map_name(like)));
	struct tree *document = NULL;
	struct van_error e = {0};
	int rc = map_read(s->run, m, message, d, &envelope, &document, &e);
	if (rc == 0)
		tree_write(document, false, &s->told);
	tell_notes(s, rc, &e);
	if (rc == 0 && map_reverse(m))
		write_with(b, s, map_reverse(m), document);
}

static void try_messages(struct both *b, const char *path)
{
	struct van_buf in = VAN_BUF_INIT(0);
	struct van_arena *a = van_arena_new(0);
	struct edi_report *report = NULL;
	struct van_error e = {0};
	assert_int_equal(file_read(path, &in), 0);
	assert_int_equal(edi_check_bytes(van_buf_slice(&in), NULL, NULL, a, &report, &e), 0);
	for (const struct edi_interchange *i = report->interchanges; i; i = i->next)
		for (const struct edi_group *g = i->groups; g; g = g->next)
			for (const struct edi_message *m = g->messages; m; m = m->next) {
				const struct map *map = map_find_for(b->side[0].set, i->standard == EDI_X12 ? "x12" : "edifact", m->type, m->version);
				for (int n = 0; map && n < TWICE; n++) {
					for (int k = 0; k < 2; k++)
						read_with(b, &b->side[k], map, i, slice_make(in.p + m->offset, m->length));
					same(b, path, map_name(map));
					b->read++;
				}
			}
	van_arena_free(a);
	van_buf_free(&in);
}

/* --- documents ------------------------------------------------------------------------------------------------------------------ */

struct writing {
	struct both *b;
	const char *path;
	struct slice json;
};

static void try_map(void *ctx, const struct map *like)
{
	struct writing *w = ctx;
	if (map_way(like) != MAP_OUT)
		return;
	for (int n = 0; n < TWICE; n++) {
		for (int k = 0; k < 2; k++) {
			struct side *s = &w->b->side[k];
			struct tree *t = NULL;
			struct van_error e = {0};
			assert_int_equal(map_read_json(s->run, w->json, &t, &e), 0);
			for (t = t->kind == TREE_ARRAY ? t->first : t; t; t = t->next)
				if (slice_is(tree_find(t, SLICE("_document"))->text, map_target(like))) {
					write_with(w->b, s, map_find(s->set, slice_str(map_name(like))), t);
					w->b->written++;
				}
		}
		same(w->b, w->path, map_name(like));
	}
}

static void try_documents(struct both *b, const char *path)
{
	struct van_buf in = VAN_BUF_INIT(0);
	assert_int_equal(file_read(path, &in), 0);
	struct writing w = {b, path, van_buf_slice(&in)};
	map_each(b->side[0].set, try_map, &w);
	van_buf_free(&in);
}

static void each_sample(void **state)
{
	(void)state;
	static const char *const patterns[] = {"maps/samples/*/*.x12", "maps/samples/*/*.edi", "maps/samples/*/*.json", "partners/samples/*.edi"};
	char path[4096];
	struct both b;
	set_up(&b);
	for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
		glob_t found = {0};
		assert_int_equal(glob(edi_source_path(path, sizeof path, patterns[p]), 0, NULL, &found), 0);
		for (size_t i = 0; i < found.gl_pathc; i++)
			(p == 2 ? try_documents : try_messages)(&b, found.gl_pathv[i]);
		globfree(&found);
	}
	print_message("%u messages read and written back, %u written of documents\n", b.read, b.written);
	assert_true(b.read > 100 && b.written > 400);
	tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_sample)};
	return cmocka_run_group_tests_name("map-rows", tests, NULL, NULL);
}
