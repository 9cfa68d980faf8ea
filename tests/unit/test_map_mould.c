/* What came of documents before is remembered for those that are like them: nothing may come out in another way than row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>

#include "edi_input.h"

#include "map/map.h"
#include "map/tree.h"

#define USUAL ((size_t)512 << 10) /* bytes of moulds */

static struct edi_dictionary_set *dictionaries;
static unsigned seed = 1;

static unsigned below(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* One way of writing, with all that can be seen of it. */
struct writer {
	struct map_set *set;
	struct map_run_state *run;
	struct van_arena *arena;
	struct van_buf told;
};

/* Shipped maps, or the one sheet "s". */
static void set_up(struct writer *w, const struct map_options *options, const char *sheet, size_t remember)
{
	char path[4096];
	struct van_error e = {0};
	*w = (struct writer){.run = map_run_new(options), .arena = van_arena_new((size_t)64 << 20), .told = VAN_BUF_INIT((size_t)64 << 20)};
	assert_non_null(w->run);
	assert_non_null(w->arena);
	if (sheet) {
		assert_int_equal(map_set_new(NULL, &w->set, &e), 0);
		assert_int_equal(map_set_add(w->set, SLICE("s"), slice_str(sheet), &e), 0);
	} else {
		assert_int_equal(map_set_open(edi_source_path(path, sizeof path, "maps"), &w->set, &e), 0);
	}
	map_set_dictionaries(w->set, dictionaries);
	if (sheet)
		assert_int_equal(map_set_link(w->set, &e), 0);
	map_set_remember(w->set, remember);
}

static void tear_down(struct writer *w)
{
	map_run_free(w->run);
	map_set_free(w->set);
	van_arena_free(w->arena);
	van_buf_free(&w->told);
}

/* The message or the error, then the notes. */
static void write_with(struct writer *w, const struct map *like, struct slice json)
{
	const struct map *m = map_find(w->set, slice_str(map_name(like)));
	assert_non_null(m);
	bool x12 = strcmp(map_standard(m), "x12") == 0;
	struct edi_outbound_terms terms = {.standard = x12 ? EDI_X12 : EDI_EDIFACT, .sender = SLICE("ZZ:A"), .receiver = SLICE("ZZ:B"),
		.version = x12 ? SLICE("00501") : SLICE("UNOC:3"), .usage = 'P', .when = {.year = 2026, .month = 1, .day = 1}};
	struct edi_group_terms group;
	struct edi_outbound to;
	struct van_error e = {0};
	struct tree *document = NULL;
	van_arena_reset(w->arena);
	van_buf_reset(&w->told);
	map_run_reset(w->run);
	int rc = map_read_json(w->run, json, &document, &e);
	if (rc < 0) {
		van_buf_append_str(&w->told, e.text);
		return;
	}
	assert_int_equal(edi_outbound_begin(&to, &terms, w->arena, &e), 0);
	assert_int_equal(map_group(m, &group, &e), 0);
	if (x12)
		edi_outbound_group(&to, &group);
	rc = map_write(w->run, m, document, &to, &e);
	if (rc < 0)
		van_buf_printf(&w->told, "%d: %s\n", rc, e.text);
	else
		van_buf_append_slice(&w->told, van_buf_slice(&to.draft.text));
	for (int kind = MAP_NOTE_TAKEN; kind <= MAP_NOTE_CUT; kind++)
		van_buf_printf(&w->told, "\n%d: %llu", kind, (unsigned long long)map_run_count(w->run, (enum map_note_kind)kind));
	for (const struct map_note *n = rc == 0 ? map_run_notes(w->run) : NULL; n; n = n->next)
		van_buf_printf(&w->told, "\n%d %u %.*s '%.*s'", n->kind, n->row, SLICE_ARG(n->place), SLICE_ARG(n->value));
	edi_outbound_free(&to);
}

/* Row by row, and by what is remembered. */
struct pair {
	struct writer rows, moulds;
};

static void same(struct pair *p, const struct map *m, struct slice json)
{
	write_with(&p->rows, m, json);
	write_with(&p->moulds, m, json);
	van_buf_append_char(&p->rows.told, 0);
	van_buf_append_char(&p->moulds.told, 0);
	if (strcmp(p->rows.told.p, p->moulds.told.p) != 0)
		fail_msg("%s: of\n%.*s\nrow by row:\n%s\nas remembered:\n%s", map_name(m), SLICE_ARG(json), p->rows.told.p, p->moulds.told.p);
}

/* --- documents ------------------------------------------------------------------------------------------------------------------ */

static bool kept(const struct tree *t)
{
	return t->name.n && *t->name.p == '_';
}

/* Takes away members and items, doubles items, turns members round. */
static void change_form(struct tree_room *room, struct tree *t)
{
	for (struct tree **at = &t->first; *at;) {
		struct tree *c = *at;
		if (!kept(c) && below(12) == 0) {
			*at = c->next;
			continue;
		}
		if (c->kind == TREE_OBJECT || c->kind == TREE_ARRAY)
			change_form(room, c);
		if (t->kind == TREE_ARRAY && below(6) == 0) {
			struct tree *twin = tree_new(room, c->kind);
			assert_non_null(twin);
			twin->text = c->text;
			twin->first = c->first;
			twin->tail = c->first ? c->tail : &twin->first;
			twin->next = c->next;
			c->next = twin;
			at = &c->next;
		}
		at = &(*at)->next;
	}
	if (t->first && below(4) == 0) { /* the first becomes the last */
		struct tree *moved = t->first, **end = &t->first->next;
		while (*end)
			end = &(*end)->next;
		t->first = moved->next;
		*(moved->next ? end : &t->first) = moved;
		moved->next = NULL;
	}
	t->tail = &t->first;
	while (*t->tail)
		t->tail = &(*t->tail)->next;
}

/* Other values: longer, empty, of another kind, of another list, those of other places. */
static void change_values(struct van_arena *arena, struct tree *t)
{
	static const char *const texts[] = {"", "EA", "7", "1.50", "0", "2026-02-30", "2026-02-28", "ZZZ", "a'b+c:d?e*f~g>h", "\xc3\xa4\xc3\xb6\xc3\xbc", "VN", "220", "92", "9",
		"a text that is much too long for any of the elements that it could ever go to, for certain, as there are some of seventy and eighty characters",
		"00000000012345678901234567890123456789012345"};
	for (struct tree *c = t->first; c; c = c->next) {
		if (kept(c))
			continue;
		if (c->kind == TREE_OBJECT || c->kind == TREE_ARRAY)
			change_values(arena, c);
		else if (c->kind == TREE_TEXT && below(9) == 0)
			c->text = slice_str(texts[below(sizeof texts / sizeof *texts)]);
		else if (c->kind == TREE_TEXT && below(3) == 0 && c->text.n) {
			char *text = van_arena_str(arena, c->text);
			assert_non_null(text);
			text[c->text.n - 1] = (char)('0' + below(10));
			c->text = slice_make(text, c->text.n);
		}
	}
}

/* Each document in some forms, each form with some values: the second of a form is recorded, the others are as remembered. */
static void change(struct pair *p, const char *path, unsigned forms)
{
	struct map_run_state *run = map_run_new(NULL);
	struct van_buf text = VAN_BUF_INIT(0), form = VAN_BUF_INIT(0), values = VAN_BUF_INIT(0);
	struct van_arena *arena = van_arena_new(0);
	struct van_error e = {0};
	struct tree *t = NULL;
	assert_int_equal(file_read(path, &text), 0);
	assert_int_equal(map_read_json(run, van_buf_slice(&text), &t, &e), 0);
	if (t->kind == TREE_ARRAY)
		t = t->first;
	struct slice document = tree_find(t, SLICE("_document"))->text;
	van_buf_reset(&text);
	tree_write(t, false, &text);
	for (unsigned i = 0; i < forms; i++) {
		struct tree_room room = {.arena = arena, .left = 1000000};
		van_arena_reset(arena);
		van_buf_reset(&form);
		assert_int_equal(map_read_json(run, van_buf_slice(&text), &t, &e), 0);
		document = van_arena_slice(arena, tree_find(t, SLICE("_document"))->text);
		if (i)
			change_form(&room, t);
		tree_write(t, false, &form);
		for (unsigned k = 0; k < 6; k++) {
			van_buf_reset(&values);
			map_run_reset(run);
			if (map_read_json(run, van_buf_slice(&form), &t, &e) < 0)
				break; /* a member that came to stand there twice */
			if (k > 1)
				change_values(arena, t);
			tree_write(t, false, &values);
			static const char *const to[][3] = {{"x12", "850", "004010"}, {"edifact", "ORDERS", "D:96A"}, {"x12", "855", "005010"}, {"edifact", "ORDRSP", "D:01B"},
				{"x12", "856", "004010"}, {"edifact", "DESADV", "D:96A"}, {"x12", "810", "005010"}, {"edifact", "INVOIC", "D:01B"}, {"x12", "820", "004010"},
				{"edifact", "REMADV", "D:96A"}, {"x12", "846", "004010"}, {"edifact", "INVRPT", "D:96A"}, {"x12", "860", "004010"}, {"x12", "861", "004010"},
				{"x12", "867", "004010"}, {"x12", "940", "004010"}, {"x12", "945", "005010"}};
			for (size_t n = 0; n < sizeof to / sizeof *to; n++) {
				const struct map *m = map_find_out(p->rows.set, document, to[n][0], slice_str(to[n][1]), slice_str(to[n][2]));
				if (m)
					same(p, m, van_buf_slice(&values));
			}
		}
		map_run_reset(run);
	}
	map_run_free(run);
	van_arena_free(arena);
	van_buf_free(&text);
	van_buf_free(&form);
	van_buf_free(&values);
}

static void with(struct map_options options, unsigned forms, size_t remember)
{
	char path[4096];
	glob_t found = {0};
	struct pair p;
	set_up(&p.moulds, &options, NULL, remember);
	options.row_by_row = true;
	set_up(&p.rows, &options, NULL, 0);
	assert_int_equal(glob(edi_source_path(path, sizeof path, "maps/samples/*/*.expected.json"), 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 20);
	for (size_t i = 0; i < found.gl_pathc; i++)
		change(&p, found.gl_pathv[i], forms);
	globfree(&found);
	tear_down(&p.rows);
	tear_down(&p.moulds);
}

static void nothing_comes_out_in_another_way(void **state)
{
	(void)state;
	with((struct map_options){0}, 24, USUAL);
}

/* What standards bound, and rows that meet in one cell: in no shipped sample. */
static void loops_that_are_full(void **state)
{
	(void)state;
	static const char sheet[] = "target,source,when,transform,table,default,required,note,way\n@map,x12 850 004010 <-> s/1\n'00',BEG.01\nID,BEG.03\n"
		"Ref[],loop PER,PER.01=BD\nRef[].ID,PER.02\nRef[].Text,PER.09\nOne,AMT.02,AMT.01=TT,decimal\nTwo,AMT.02,AMT.01=TT,decimal\n"
		"Line[],loop PO1\nLine[].ID,PO1.01\nLine[].Note[],PID.05,PID.01=F\n";
	struct pair p;
	set_up(&p.moulds, NULL, sheet, USUAL);
	set_up(&p.rows, &(struct map_options){.row_by_row = true}, sheet, 0);
	const struct map *m = map_find(p.rows.set, SLICE("s-out"));
	assert_non_null(m);
	for (unsigned i = 0; i < 400; i++) {
		struct van_buf json = VAN_BUF_INIT(0);
		van_buf_printf(&json, "{\"_document\":\"s/1\",\"ID\":\"P%u\",\"One\":\"%u\",\"Two\":\"%u\",\"Ref\":[", i, below(2), below(2));
		for (unsigned k = below(30); k; k--)
			van_buf_printf(&json, "{\"ID\":\"%u\"%s}%s", below(99), below(3) ? "" : ",\"Text\":\"t\"", k > 1 ? "," : "");
		van_buf_append_str(&json, "],\"Line\":[{\"ID\":\"1\",\"Note\":[");
		unsigned notes = below(20) ? below(6) : 252; /* with what else is told of a list, one more than a byte holds */
		for (unsigned k = notes; k; k--)
			van_buf_printf(&json, "\"n%u\"%s", k, k > 1 ? "," : "");
		van_buf_append_str(&json, "]}]}");
		same(&p, m, van_buf_slice(&json));
		assert_int_equal(strstr(p.rows.told.p, "*n1~") != NULL, notes > 0); /* nothing is left of the lists before */
		van_buf_free(&json);
	}
	tear_down(&p.rows);
	tear_down(&p.moulds);
}

static void moulds_are_forgotten(void **state)
{
	(void)state;
	with((struct map_options){0}, 4, 6000); /* room for a few */
	with((struct map_options){0}, 2, 300); /* for none */
}

static void counts_are_the_same(void **state)
{
	(void)state;
	with((struct map_options){.counts_only = true, .no_side_car = true}, 8, USUAL);
}

static void steps_are_the_same(void **state)
{
	(void)state;
	for (uint64_t steps = 50; steps < 6000; steps *= 3)
		with((struct map_options){.max_steps = steps}, 3, USUAL);
}

int main(void)
{
	dictionaries = edi_test_dictionaries();
	if (!dictionaries)
		return 99;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_comes_out_in_another_way),
		cmocka_unit_test(loops_that_are_full),
		cmocka_unit_test(moulds_are_forgotten),
		cmocka_unit_test(counts_are_the_same),
		cmocka_unit_test(steps_are_the_same),
	};
	int failed = cmocka_run_group_tests_name("map-mould", tests, NULL, NULL);
	edi_dictionary_set_free(dictionaries);
	return failed;
}
