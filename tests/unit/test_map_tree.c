/* JSON documents as trees: what is read is written again; what is too large or not JSON is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "map/tree_each.h"

typedef int reader_fn(struct tree_room *room, struct slice json, struct tree **ret, struct van_error *e);

static void reads(reader_fn *read, const char *json, const char *expected)
{
	struct tree_room room = {.arena = van_arena_new(1 << 20), .left = 2000};
	struct van_buf out = VAN_BUF_INIT(0);
	struct van_error e = {0};
	struct tree *t = NULL;
	if (read(&room, slice_str(json), &t, &e) == 0)
		tree_write(t, false, &out);
	else
		van_buf_printf(&out, "ERROR: %s", e.text);
	van_buf_append_char(&out, 0);
	assert_string_equal(out.p, expected);
	van_buf_free(&out);
	van_arena_free(room.arena);
}

static void gives(const char *json, const char *expected)
{
	reads(tree_read, json, expected);
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

struct pieces {
	struct tree_room room;
	struct van_buf out;
	int most; /* documents until it is stopped */
};

static int document(void *ctx, struct tree *t)
{
	struct pieces *p = ctx;
	tree_write(t, false, &p->out);
	van_buf_append_char(&p->out, ';');
	van_arena_reset(p->room.arena); /* nothing of a document is needed for the next */
	p->room = (struct tree_room){.arena = p->room.arena, .left = 2000};
	return --p->most ? 0 : VAN_ECLOSED;
}

static void gives_documents(const char *json, size_t step, int most, const char *expected)
{
	struct pieces p = {.room = {.arena = van_arena_new(1 << 20), .left = 2000}, .out = VAN_BUF_INIT(0), .most = most};
	struct tree_reader *r = tree_reader_new(&p.room, document, &p);
	struct van_error e = {0};
	size_t n = strlen(json);
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i += step)
		rc = tree_reader_feed(r, slice_make(json + i, step < n - i ? step : n - i), false, &e);
	if (rc == 0)
		rc = tree_reader_feed(r, SLICE(""), true, &e);
	if (rc < 0)
		van_buf_printf(&p.out, "ERROR: %s", rc == VAN_ECLOSED ? "closed" : e.text);
	van_buf_append_char(&p.out, 0);
	assert_string_equal(p.out.p, expected);
	tree_reader_free(r);
	van_buf_free(&p.out);
	van_arena_free(p.room.arena);
}

/* Whatever the pieces, the documents are the same. */
static void in_pieces(void **state)
{
	(void)state;
	for (size_t step = 1; step < 60; step++) {
		gives_documents("\xef\xbb\xbf[ {\"a\":[1,[2]],\"b\":{\"c\":\"x\\u00e9\"}}, null, [3,{\"d\":4}],\"e\",5,true]", step, 100,
			"{\"a\":[1,[2]],\"b\":{\"c\":\"x\xc3\xa9\"}};[3,{\"d\":4}];\"e\";5;true;");
		gives_documents("{\"a\":[1]}\n", step, 100, "{\"a\":[1]};");
		gives_documents("[]", step, 100, "");
		gives_documents("null", step, 100, "ERROR: the document is null");
		gives_documents("[{\"a\":1},\n{\"a\":1,\"a\":2}]", step, 100, "{\"a\":1};ERROR: line 2: \"a\" is there twice in one object");
		gives_documents("[{\"a\":1},{\"b\":2}", step, 100, "{\"a\":1};{\"b\":2};ERROR: line 1: not JSON: it ends too early");
		gives_documents("[{\"a\":1},{\"b\":2}]", step, 1, "{\"a\":1};ERROR: closed");
	}
}

static int read_each(struct tree_room *room, struct slice json, struct tree **ret, struct van_error *e)
{
	return tree_read_each(room, json, ret, NULL, e);
}

static void gives_each(const char *json, const char *expected)
{
	reads(read_each, json, expected);
}

/* Where items begin tells one division of a file from another. */
static void starts_of_items(void **state)
{
	(void)state;
	struct tree_room room = {.arena = van_arena_new(1 << 20), .left = 2000};
	struct tree_starts s = {0};
	struct tree *t;
	const uint64_t where[] = {1, 13, 16};
	assert_int_equal(tree_read_each(&room, SLICE("[{},null,{a},\n{},{}]"), &t, &s, NULL), 0);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.v[0], where[0]);
	assert_int_equal(s.v[2], where[1]);
	assert_int_equal(s.v[3], where[2] + 1);
	van_arena_free(room.arena);
}

/* An item in error spoils itself alone, as long as nobody can doubt where it ends. */
static void each_item(void **state)
{
	(void)state;
	gives_each("{\"a\":[1]}", "{\"a\":[1]}");
	gives_each(" [{\"a\":\"],[\\\"\"},\n null, {\"b\":[1,{}]} ]\n", "[{\"a\":\"],[\\\"\"},{\"b\":[1,{}]}]");
	gives_each("[ ]", "[]");
	gives_each("[{\"a\":1},\n\n{\"a\":01},{\"b\":NaN,\"c\":{}},{\"d\":2}]",
		"[{\"a\":1},{\"_error\":\"line 3: not JSON: 01 is not a number; a text needs quotes\"},"
		"{\"_error\":\"line 3: not JSON: a value is expected\"},{\"d\":2}]");
	gives_each("[{\"a\":1,\n\"a\":2},{\"d\":2}]", "[{\"_error\":\"line 2: \\\"a\\\" is there twice in one object\"},{\"d\":2}]");
	gives_each("[{\"a\":1} {\"b\":1},{\"d\":2}]", "[{\"_error\":\"line 1: not JSON: something stands behind its end\"},{\"d\":2}]");
	gives_each("[{\"a\":1},]", "[{\"a\":1},{\"_error\":\"line 1: not JSON: it ends too early\"}]");
	gives_each("[{\"a\":1},", "ERROR: line 1: not JSON: it ends too early");
	gives_each("[{\"a\":1}] {\"b\":1}", "ERROR: line 1: not JSON: something stands behind its end");
	gives_each("[{\"a\":\"x},{\"_b\":\"y\"},{\"c\":1}]", "ERROR: line 1: not JSON: ',' or an end is expected");
	gives_each("[{\"a\":\"x\ny\"},{\"c\":1}]", "ERROR: line 2: not JSON: a control character stands in a text");
	gives_each("[{\"a\":[1}],{\"c\":1}]", "ERROR: line 1: not JSON: '}' closes nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents),
		cmocka_unit_test(refusals),
		cmocka_unit_test(bounds),
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(each_item),
		cmocka_unit_test(starts_of_items),
	};
	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
