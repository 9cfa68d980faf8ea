/* JSON documents as trees: what is read is written again; what is too large or not JSON is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "map/tree_read.h"

static void gives(const char *json, const char *expected)
{
	struct tree_room room = {.arena = van_arena_new(1 << 20), .left = 2000};
	struct van_buf out = VAN_BUF_INIT(0);
	struct van_error e = {0};
	struct tree *t = NULL;
	if (tree_read(&room, slice_str(json), &t, &e) == 0)
		tree_write(t, false, &out);
	else
		van_buf_printf(&out, "ERROR: %s", e.text);
	van_buf_append_char(&out, 0);
	assert_string_equal(out.p, expected);
	van_buf_free(&out);
	van_arena_free(room.arena);
}

static void documents(void **state)
{
	(void)state;
	gives("{\"a\": [1, 2.50, -0, 1e5], \"b\": {\"c\": \"x\\u00e9\\n\"}, \"d\": true, \"e\": []}",
		"{\"a\":[1,2.50,-0,1e5],\"b\":{\"c\":\"x\xc3\xa9\\n\"},\"d\":true,\"e\":[]}");
	gives("\xef\xbb\xbf{\"a\":null,\"b\":[null,1]}", "{\"b\":[1]}");
	gives("\"text\"", "\"text\"");
}

static void refusals(void **state)
{
	(void)state;
	gives("{\"a\":1,\n\"a\":2}", "ERROR: line 2: \"a\" is there twice in one object");
	gives("{\"a\":01}", "ERROR: line 1: not JSON: 01 is not a number; a text needs quotes");
	gives("[1.]", "ERROR: line 1: not JSON: 1. is not a number; a text needs quotes");
	gives("[1-2]", "ERROR: line 1: not JSON: 1-2 is not a number; a text needs quotes");
	gives("null", "ERROR: the document is null");
	gives("{\"a\":", "ERROR: line 1: not JSON: it ends too early");
}

static void bounds(void **state)
{
	(void)state;
	struct van_buf text = VAN_BUF_INIT(0);
	for (int i = 0; i < 100000; i++)
		van_buf_append_char(&text, '[');
	van_buf_append_char(&text, 0);
	gives(text.p, "ERROR: line 1: nested deeper than 64");
	van_buf_reset(&text);
	for (int i = 0; i < 1100; i++)
		van_buf_printf(&text, "%s\"m%d\":1", i ? "," : "{", i);
	van_buf_append(&text, "}", 2);
	gives(text.p, "ERROR: line 1: more than 1000 members in one object");
	van_buf_reset(&text);
	for (int i = 0; i < 2100; i++)
		van_buf_append_str(&text, i ? ",1" : "[1");
	van_buf_append(&text, "]", 2);
	gives(text.p, "ERROR: line 1: more values than a document may have here");
	van_buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents),
		cmocka_unit_test(refusals),
		cmocka_unit_test(bounds),
	};
	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
