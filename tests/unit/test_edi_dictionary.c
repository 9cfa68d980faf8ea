/* Dictionary sets: which files are read, what goes before what, meanings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_input.h"

#include "edi/definition.h"

#include <unistd.h>

/* Two folders of files that are removed at the end. */
struct rig {
	char folder[2][64];
	char made[16][128];
	size_t count;
	struct edi_dictionary_set *set;
	struct van_error e;
};

static int begin(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	if (!r)
		return -1;
	for (int i = 0; i < 2; i++) {
		strcpy(r->folder[i], "/tmp/openvan-test-XXXXXX");
		if (!mkdtemp(r->folder[i]))
			return -1;
	}
	*state = r;
	return 0;
}

static int finish(void **state)
{
	struct rig *r = *state;
	edi_dictionary_set_free(r->set);
	for (size_t i = 0; i < r->count; i++)
		remove(r->made[i]);
	for (int i = 0; i < 2; i++)
		rmdir(r->folder[i]);
	free(r);
	return 0;
}

static void make(struct rig *r, int folder, const char *name, const char *text)
{
	assert_true(r->count < 16);
	char path[128];
	snprintf(path, sizeof path, "%s/%s", r->folder[folder], name);
	memcpy(r->made[r->count++], path, sizeof path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void open_set(struct rig *r)
{
	unsetenv("OPENVAN_DICT");
	assert_int_equal(edi_dictionary_set_open(r->folder[0], &r->set, &r->e), 0);
}

static const struct edi_message_def *find(struct rig *r, const char *version, const char *type)
{
	const struct edi_message_def *m;
	memset(&r->e, 0, sizeof r->e);
	assert_int_equal(edi_dictionary_find(r->set, EDI_X12, slice_str(version), slice_str(type), &m, &r->e), 0);
	return m;
}

#define BASE "dictionary x12 009010\nelement 1 ID 1-3\n  codes A B\nelement 2 AN 1-5\ncomposite C1\n  1 M\n  2 O\n" \
	"segment ST\n  1 M\nsegment XX\n  1 M\n  C1 O\nknown-segments YY ZZ\n"

static void reads_only_what_a_message_needs(void **state)
{
	struct rig *r = *state;
	make(r, 0, "x12-009010.dict", BASE);
	make(r, 0, "x12-009010-100.dict", "dictionary x12 009010\nmessage 100\n  ST M 1\n  XX O 1\n");
	make(r, 0, "x12-009010-200.dict", "this is no dictionary\n");
	make(r, 0, "x12-009020.dict", "neither is this\n");
	open_set(r);
	const struct edi_message_def *m = find(r, "009010", "100"), *none;
	assert_non_null(m);
	assert_ptr_equal(m, find(r, "009010ASSOC", "100"));
	assert_null(find(r, "009030", "100"));
	assert_null(find(r, "009010", "300"));
	assert_int_equal(edi_dictionary_find(r->set, EDI_X12, SLICE("009010"), SLICE("200"), &none, &r->e), VAN_ESYNTAX);
	assert_non_null(strstr(r->e.text, "x12-009010-200.dict:1"));
	assert_true(edi_find_segment(m->dictionary, SLICE("YY"))->known_only);
}

static void preloaded_sets_open_no_file(void **state)
{
	struct rig *r = *state;
	make(r, 0, "x12-009010.dict", BASE);
	make(r, 0, "x12-009010-100.dict", "dictionary x12 009010\nmessage 100\n  ST M 1\n");
	open_set(r);
	assert_int_equal(edi_dictionary_set_preload(r->set, &r->e), 0);
	for (size_t i = 0; i < r->count; i++)
		remove(r->made[i]);
	assert_non_null(find(r, "009010", "100"));
}

static const struct edi_field *field(const struct edi_message_def *m, int node, uint32_t i)
{
	assert_true(node < m->count && m->nodes[node].segment && i < m->nodes[node].segment->count);
	return &m->nodes[node].segment->fields[i];
}

/* A version that extends another: elements given anew are also those of inherited segments, and inherited lists are open. */
static void versions_extend_versions(void **state)
{
	struct rig *r = *state;
	make(r, 0, "x12-009010.dict", BASE);
	make(r, 0, "x12-009010-100.dict", "dictionary x12 009010\nmessage 100\n  XX M 1\n");
	make(r, 0, "x12-009020.dict", "dictionary x12 009020 extends 009010\nopen-codes\nelement 2 AN 1-9\n");
	make(r, 0, "x12-009020-100.dict", "dictionary x12 009020\nmessage 100\n  XX M 1\n");
	open_set(r);
	const struct edi_message_def *old = find(r, "009010", "100"), *new = find(r, "009020", "100");
	assert_non_null(field(old, 0, 0)->element->codes);
	assert_null(field(new, 0, 0)->element->codes);
	assert_int_equal(field(old, 0, 1)->composite->fields[1].element->max, 5);
	assert_int_equal(field(new, 0, 1)->composite->fields[1].element->max, 9);
}

static void circles_are_refused(void **state)
{
	struct rig *r = *state;
	const struct edi_message_def *m;
	make(r, 0, "x12-009010.dict", "dictionary x12 009010 extends 009020\n");
	make(r, 0, "x12-009020.dict", "dictionary x12 009020 extends 009010\n");
	make(r, 0, "x12-009010-100.dict", "dictionary x12 009010\nmessage 100\n  XX M 1\n");
	open_set(r);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(edi_dictionary_find(r->set, EDI_X12, SLICE("009010"), SLICE("100"), &m, &r->e), VAN_ESYNTAX);
		assert_non_null(strstr(r->e.text, "circle"));
	}
}

/* What stands in a message's own file is for that message alone. */
static void a_message_has_its_own(void **state)
{
	struct rig *r = *state;
	make(r, 0, "x12-009010.dict", BASE);
	make(r, 0, "x12-009010-100.dict", "dictionary x12 009010\nelement 1 AN 7-7\nmessage 100\n  XX M 1\n");
	make(r, 0, "x12-009010-200.dict", "dictionary x12 009010\nmessage 200\n  XX M 1\n");
	open_set(r);
	assert_int_equal(field(find(r, "009010", "100"), 0, 0)->element->min, 7);
	assert_int_equal(field(find(r, "009010", "200"), 0, 0)->element->min, 1);
}

/* A folder that is added goes before; the rest of the version comes from where it is. */
static void an_added_folder_goes_before(void **state)
{
	struct rig *r = *state;
	make(r, 0, "x12-009010.dict", BASE);
	make(r, 0, "x12-009010-100.dict", "dictionary x12 009010\nmessage 100 \"shipped\"\n  XX M 1\n");
	make(r, 0, "x12-009010-200.dict", "dictionary x12 009010\nmessage 200 \"shipped\"\n  XX M 1\n");
	make(r, 1, "x12-009010-100.dict", "dictionary x12 009010\nmessage 100 \"own\"\n  XX M 1\n");
	make(r, 1, "x12-009010.dict", "dictionary x12 009010 extends 009010\nelement 2 AN 1-8\n");
	open_set(r);
	assert_int_equal(edi_dictionary_set_add(r->set, r->folder[1], &r->e), 0);
	const struct edi_message_def *own = find(r, "009010", "100"), *shipped = find(r, "009010", "200");
	assert_true(slice_is(own->name, "own"));
	assert_true(slice_is(shipped->name, "shipped"));
	assert_int_equal(field(own, 0, 1)->composite->fields[1].element->max, 8);
	assert_int_equal(field(shipped, 0, 1)->composite->fields[1].element->max, 5);
	assert_int_equal(edi_dictionary_set_add(r->set, "/nonexistent", &r->e), VAN_ENOTFOUND);
}

static void names_must_tell(void **state)
{
	struct rig *r = *state;
	make(r, 0, "hello.dict", BASE);
	assert_int_equal(edi_dictionary_set_open(r->folder[0], &r->set, &r->e), VAN_EINVAL);
	assert_non_null(strstr(r->e.text, "hello.dict"));
}

static void meanings_explain_and_close_nothing(void **state)
{
	struct rig *r = *state;
	make(r, 0, "x12-009010.dict", "dictionary x12 009010\nelement 1 ID 1-3\n  codes A B\n  code C \"see\"\nelement 2 ID 1-3 open\n"
		"meanings 2\n  code D \"of this version\"\nsegment XX\n  1 M\n  2 M\n");
	make(r, 0, "x12-009010-100.dict", "dictionary x12 009010\nmessage 100\n  XX M 1\n");
	make(r, 0, "x12-codes.dict", "dictionary x12 *\nmeanings 2\n  code D \"of all\"\n  code E \"of all\"\n");
	make(r, 0, "x12-envelope.dict", "dictionary x12 *\nelement 3 AN 1-1\nsegment ISA \"begin\"\n  3 M\n");
	open_set(r);
	edi_dictionary_set_explain(r->set);
	const struct edi_message_def *m = find(r, "009010", "100");
	const struct edi_segment_def *s;
	assert_int_equal(edi_dictionary_segment(r->set, EDI_X12, m, SLICE("XX"), &s, &r->e), 0);
	assert_non_null(s);
	assert_true(edi_codes_has(s->fields[0].element->codes, SLICE("C")));
	assert_null(s->fields[1].element->codes);
	assert_true(slice_is(edi_dictionary_meaning(r->set, EDI_X12, m, SLICE("1"), SLICE("C")), "see"));
	assert_true(slice_is(edi_dictionary_meaning(r->set, EDI_X12, m, SLICE("2"), SLICE("D")), "of this version"));
	assert_true(slice_is(edi_dictionary_meaning(r->set, EDI_X12, m, SLICE("2"), SLICE("E")), "of all"));
	assert_true(slice_is(edi_dictionary_meaning(r->set, EDI_X12, NULL, SLICE("2"), SLICE("D")), "of all"));
	assert_null(edi_dictionary_meaning(r->set, EDI_X12, m, SLICE("1"), SLICE("A")).p);
	assert_int_equal(edi_dictionary_segment(r->set, EDI_X12, NULL, SLICE("ISA"), &s, &r->e), 0);
	assert_true(s && slice_is(s->name, "begin"));
}

/* Every file that is shipped, with all that it defines. */
static void shipped_files_are_sound(void **state)
{
	struct rig *r = *state;
	char path[4096];
	assert_int_equal(edi_dictionary_set_open(edi_source_path(path, sizeof path, "dict"), &r->set, &r->e), 0);
	edi_dictionary_set_explain(r->set);
	if (edi_dictionary_set_check(r->set, &r->e) < 0)
		fail_msg("%s", r->e.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_only_what_a_message_needs, begin, finish),
		cmocka_unit_test_setup_teardown(preloaded_sets_open_no_file, begin, finish),
		cmocka_unit_test_setup_teardown(versions_extend_versions, begin, finish),
		cmocka_unit_test_setup_teardown(circles_are_refused, begin, finish),
		cmocka_unit_test_setup_teardown(a_message_has_its_own, begin, finish),
		cmocka_unit_test_setup_teardown(an_added_folder_goes_before, begin, finish),
		cmocka_unit_test_setup_teardown(names_must_tell, begin, finish),
		cmocka_unit_test_setup_teardown(meanings_explain_and_close_nothing, begin, finish),
		cmocka_unit_test_setup_teardown(shipped_files_are_sound, begin, finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
