/* Sheets in force: shipped and stored versions, active ones, what is in error; sheets as JSON; samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "map/library.h"
#include "map/sample.h"
#include "map/sheet_json.h"
#include "map/table.h"

#define HEAD "target,source,when,transform,table,default,required,note\n@map,x12 850 004010 -> order/1.0\n"
#define ORDER "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*U*00401*000000001*0*P*>~" \
	"GS*PO*A*B*20260101*1200*1*X*004010~ST*850*0001~BEG*00*SA*PO-1**20260102~PO1*1*5*EA~SE*4*0001~GE*1*1~IEA*1*000000001~"

static struct van_arena *arena;
static char folder[] = "/tmp/test-map-library-XXXXXX";

static void put_file(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	put_file("x12-004010-850-to-order.csv", HEAD "ID,BEG.03\nUnit,PO1.03,,,unit\n");
	put_file("table-unit.csv", "from,to\nEA,EA\nCA,XCA\n");
	unsetenv("OPENVAN_MAPS");
	return 0;
}

static int remove_folder(void **state)
{
	char path[256];
	(void)state;
	snprintf(path, sizeof path, "%s/x12-004010-850-to-order.csv", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/table-unit.csv", folder);
	unlink(path);
	return rmdir(folder);
}

static struct map_library *opened(void)
{
	struct map_library *l;
	struct van_error e = {0};
	if (map_library_open(folder, &l, &e) < 0)
		fail_msg("%s", e.text);
	return l;
}

#define NAME SLICE("x12-004010-850-to-order")

static void expect_in(struct map_library *l, uint64_t version, uint64_t of, const char *text)
{
	const struct map *m;
	const struct map_sheet *s;
	struct van_error e = {0};
	struct van_buf out = VAN_BUF_INIT(0);
	struct map_set *set;
	if (map_library_find(l, NAME, version, &m, &s, &e) < 0 || map_library_compile(l, NAME, s->text, &set, &e) < 0 ||
	    map_sample_run(set, SLICE("case"), SLICE(ORDER), &out, &e) < 0)
		fail_msg("%s", e.text);
	map_set_free(set);
	assert_int_equal(s->version, of);
	van_buf_append_char(&out, 0);
	if (!strstr(out.p, text))
		fail_msg("%s is not in %s", text, out.p);
	van_buf_free(&out);
}

static void the_active_version_is_found(void **state)
{
	(void)state;
	struct map_library *l = opened();
	struct van_error e = {0};
	const struct map *m;
	expect_in(l, MAP_VERSION_ACTIVE, 0, "\"ID\": \"PO-1\"");
	struct map_sheet v[] = {{NAME, 1, false, SLICE(HEAD "First,BEG.03\n")}, {NAME, 2, true, SLICE(HEAD "Second,BEG.03\n")}};
	assert_int_equal(map_library_set(l, v, 2, &e), 0);
	expect_in(l, MAP_VERSION_ACTIVE, 2, "\"Second\": \"PO-1\"");
	expect_in(l, 1, 1, "\"First\": \"PO-1\"");
	expect_in(l, MAP_VERSION_SHIPPED, 0, "\"ID\": \"PO-1\"");
	assert_int_equal(map_library_find(l, NAME, 3, &m, NULL, &e), VAN_ENOTFOUND);
	assert_int_equal(map_library_find_for(l, "x12", SLICE("850"), SLICE("004010"), &m, NULL, &e), 0);
	assert_string_equal(map_name(m), "x12-004010-850-to-order");
	assert_int_equal(map_library_set(l, NULL, 0, &e), 0);
	expect_in(l, MAP_VERSION_ACTIVE, 0, "\"ID\": \"PO-1\"");
	map_library_free(l);
}

static void an_error_spoils_nothing_else(void **state)
{
	(void)state;
	struct map_library *l = opened();
	struct van_error e = {0};
	const struct map *m;
	struct map_sheet v[] = {{SLICE("other"), 1, true, SLICE(HEAD "ID,nonsense\n")}};
	assert_int_equal(map_library_set(l, v, 1, &e), 0);
	expect_in(l, MAP_VERSION_ACTIVE, 0, "\"ID\": \"PO-1\"");
	assert_int_equal(map_library_find(l, SLICE("other"), MAP_VERSION_ACTIVE, &m, NULL, &e), VAN_ESYNTAX);
	assert_non_null(strstr(e.text, "row 3"));
	assert_int_equal(map_library_find(l, SLICE("neither"), 7, &m, NULL, &e), VAN_ENOTFOUND);
	map_library_free(l);
}

static void own_tables_come_first(void **state)
{
	(void)state;
	struct map_library *l = opened();
	struct van_error e = {0};
	expect_in(l, MAP_VERSION_ACTIVE, 0, "\"Unit\": \"EA\"");
	struct map_sheet v[] = {{SLICE("table-unit"), 4, true, SLICE("from,to\nEA,H87\n")}};
	assert_int_equal(map_library_set(l, v, 1, &e), 0);
	expect_in(l, MAP_VERSION_ACTIVE, 0, "\"Unit\": \"H87\"");
	map_library_free(l);
}

static void expect_unit(const char *partner, const char *day, enum map_table_way way, const char *value, const char *expected,
	const struct map_table *t)
{
	struct map_table_scope scope = {.partner = slice_str(partner)};
	struct map_table copy = *t;
	strcpy(scope.day, day);
	copy.scope = &scope;
	const struct map_table_row *row = map_table_find(&copy, way, slice_str(value));
	if (!expected) {
		assert_null(row);
		return;
	}
	assert_non_null(row);
	assert_string_equal(van_arena_str(arena, way == MAP_TABLE_IN ? row->to : row->from), expected);
}

static void the_most_specific_row_wins(void **state)
{
	static const char *const base = "from,to\nEA,each\nCA,case\n";
	static const char *const own = "from,to,partner,direction,valid_from,valid_until\n"
		"EA,acme each,acme,,,\nEA,acme in,acme,in,,\nEA,all in,,in,,\nC*,any c,,,,\n*,any,,,,\n*,acme any,acme,,,\nBX,old,,,,2025-12-31\n"
		"BX,new,,,2026-01-01,\nPK,each,,,,\n";
	struct map_table *t, *b;
	struct van_error e = {0};
	(void)state;
	arena = van_arena_new(0);
	assert_int_equal(map_table_parse(arena, SLICE("unit"), slice_str(base), &b, &e), 0);
	if (map_table_parse(arena, SLICE("unit"), slice_str(own), &t, &e) < 0)
		fail_msg("%s", e.text);
	t->base = b;
	expect_unit("acme", "2026-01-01", MAP_TABLE_IN, "EA", "acme in", t);
	expect_unit("volt", "2026-01-01", MAP_TABLE_IN, "EA", "all in", t);
	expect_unit(NULL, "", MAP_TABLE_IN, "EA", "all in", t);
	expect_unit("volt", "", MAP_TABLE_IN, "CA", "case", t); /* exact of the base before a '*' */
	expect_unit("volt", "", MAP_TABLE_IN, "CT", "any c", t);
	expect_unit("volt", "", MAP_TABLE_IN, "KG", "any", t);
	expect_unit("acme", "", MAP_TABLE_IN, "CA", "acme any", t); /* the partner's before all others */
	expect_unit("volt", "2025-12-31", MAP_TABLE_IN, "BX", "old", t);
	expect_unit("volt", "2026-01-01", MAP_TABLE_IN, "BX", "new", t);
	expect_unit("acme", "", MAP_TABLE_OUT, "acme each", "EA", t);
	expect_unit("volt", "", MAP_TABLE_OUT, "acme each", NULL, t);
	expect_unit("volt", "", MAP_TABLE_OUT, "acme in", NULL, t);
	expect_unit("volt", "", MAP_TABLE_OUT, "each", "PK", t); /* the table's before its base's */
	expect_unit("volt", "", MAP_TABLE_OUT, "any", NULL, t);  /* a '*' can't be written */
	van_arena_free(arena);
}

static void rows_in_error_are_named(void **state)
{
	static const char *const texts[][2] = {
		{"a,b\n", "row 1"}, {"from,to\nA,B\n,C\n", "row 3, from"}, {"from,to,direction\nA,B,up\n", "row 2, direction 'up'"},
		{"from,to,valid_from\nA,B,31.12.2025\n", "row 2, valid_from '31.12.2025'"},
		{"from,to,valid_until\nA,B,2026-02-29\n", "row 2, valid_until '2026-02-29': a day is written like 2026-01-31, and exists"},
		{"from,to,valid_from,valid_until\nA,B,2026-05-01,2026-04-30\n", "row 2, valid_until '2026-04-30': it is before valid_from"}, {"from,to\n\"A,B\n", "quote"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct van_arena *a = van_arena_new(0);
		struct map_table *t;
		struct van_error e = {0};
		assert_int_equal(map_table_parse(a, SLICE("x"), slice_str(texts[i][0]), &t, &e), VAN_ESYNTAX);
		if (!strstr(e.text, texts[i][1]))
			fail_msg("%s", e.text);
		van_arena_free(a);
	}
}

static void json_and_back(void **state)
{
	static const char *const sheets[] = {
		HEAD "ID,BEG.03,,,,,yes,order number\n",
		"target,source,extra\n\n\nA,'x',\" blank \"\nB,\"'a,\"\"b\"\"'\",\n\n# note,,\"two\nlines\"\nC,'y',\n",
		"only\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof sheets / sizeof *sheets; i++) {
		struct van_buf json = VAN_BUF_INIT(0), csv = VAN_BUF_INIT(0), again = VAN_BUF_INIT(0);
		struct van_arena *a = van_arena_new(0);
		struct van_error e = {0};
		struct slice name;
		if (sheet_to_json(SLICE("a \"name\""), slice_str(sheets[i]), &json, &e) < 0 ||
		    sheet_from_json(a, van_buf_slice(&json), &name, &csv, &e) < 0 ||
		    sheet_to_json(name, van_buf_slice(&csv), &again, &e) < 0)
			fail_msg("%s", e.text);
		assert_true(slice_is(name, "a \"name\""));
		assert_true(slice_eq(van_buf_slice(&json), van_buf_slice(&again)));
		if (i)
			assert_true(slice_is(van_buf_slice(&csv), sheets[i]));
		van_buf_free(&json);
		van_buf_free(&csv);
		van_buf_free(&again);
		van_arena_free(a);
	}
}

static void json_that_is_no_sheet(void **state)
{
	static const char *const texts[] = {"[]", "{}", "{\"columns\":[\"a\"],\"rows\":[{\"b\":\"c\"}]}", "{\"columns\":[\"a\"],\"rows\":[[]]}",
		"{\"columns\":[\"a\"],\"rows\":[{\"a\":{}}]}", "{\"columns\":[],\"rows\":[]}", "{"};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct van_buf csv = VAN_BUF_INIT(0);
		struct van_arena *a = van_arena_new(0);
		struct van_error e = {0};
		struct slice name;
		assert_int_equal(sheet_from_json(a, slice_str(texts[i]), &name, &csv, &e), VAN_ESYNTAX);
		assert_true(e.text[0]);
		van_buf_free(&csv);
		van_arena_free(a);
	}
}

static void expect_differences(const char *expected, const char *got, const char *lines, size_t n)
{
	struct van_buf to = VAN_BUF_INIT(0);
	struct van_error e = {0};
	size_t count;
	assert_int_equal(map_sample_compare(slice_str(expected), slice_str(got), 10, &to, &count, &e), 0);
	van_buf_append_char(&to, 0);
	assert_string_equal(to.p, lines);
	assert_int_equal(count, n);
	van_buf_free(&to);
}

static void differences_are_named(void **state)
{
	(void)state;
	expect_differences("{\"a\":1,\"b\":[\"x\"]}", "{\"b\":[\"x\"],\"a\":1}", "", 0);
	expect_differences("{\"a\":{\"b\":\"1.0\"}}", "{\"a\":{\"b\":\"1.00\"}}", "a.b: expected \"1.0\", not \"1.00\"\n", 1);
	expect_differences("[{\"a\":1},{\"c\":2}]", "[{\"a\":1,\"d\":true}]",
		"[0].d: not expected: true\n[1]: expected {\"c\":2}, but it is not there\n", 2);
	expect_differences("ST*850*1~SE*2*1~", "ST*850*1~\nBEG*00~\nSE*2*1~\n",
		"segment 2: expected SE*2*1, not BEG*00\nsegment 3: not expected: SE*2*1\n", 2);
}

static void a_sample_passes_or_not(void **state)
{
	(void)state;
	struct map_library *l = opened();
	struct van_error e = {0};
	struct van_buf differences = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	struct map_set *set;
	assert_int_equal(map_library_compile(l, NAME, SLICE(HEAD "ID,BEG.03\n"), &set, &e), 0);
	assert_int_equal(map_sample_run(set, SLICE("a"), SLICE(ORDER), &out, &e), 0);
	assert_int_equal(map_sample_check(set, SLICE("a"), SLICE(ORDER), van_buf_slice(&out), &differences, &e), 0);
	assert_int_equal(map_sample_check(set, SLICE("a"), SLICE(ORDER), SLICE("{\"ID\":\"PO-2\"}"), &differences, &e), VAN_ECONFLICT);
	van_buf_append_char(&differences, 0);
	assert_non_null(strstr(differences.p, "ID: expected \"PO-2\", not \"PO-1\""));
	assert_int_equal(map_sample_check(set, SLICE("a"), SLICE("nothing"), SLICE("{}"), &differences, &e), VAN_ESYNTAX);
	map_set_free(set);
	van_buf_free(&differences);
	van_buf_free(&out);
	map_library_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_active_version_is_found), cmocka_unit_test(an_error_spoils_nothing_else),
		cmocka_unit_test(own_tables_come_first), cmocka_unit_test(the_most_specific_row_wins),
		cmocka_unit_test(rows_in_error_are_named), cmocka_unit_test(json_and_back), cmocka_unit_test(json_that_is_no_sheet),
		cmocka_unit_test(differences_are_named), cmocka_unit_test(a_sample_passes_or_not),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
