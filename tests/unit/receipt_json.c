/* RFC 8785 vectors, the strict reader, and leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "receipt/json.h"
#include "receipt/leaf.h"

static int canonical(struct slice in, struct van_buf *to)
{
	struct van_arena *arena = van_arena_new(0);
	struct canon_value *v;
	int rc = canon_parse(in, arena, &v);
	if (rc == 0)
		rc = canon_put(v, to);
	van_arena_free(arena);
	return rc;
}

static void becomes(const char *in, const char *out)
{
	struct van_buf b = VAN_BUF_INIT(0);
	assert_int_equal(canonical(slice_str(in), &b), 0);
	van_buf_append_char(&b, 0);
	assert_string_equal(b.p, out);
	van_buf_free(&b);
}

static void canonical_forms(void **state)
{
	(void)state;
	becomes("{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
		"\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\", \"literals\": [null, true, false]}",
		"{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
		"\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
	becomes("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
		"{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
	becomes(" [ ] ", "[]");
	becomes("{\"b\":{\"z\":[],\"a\":{}},\"a\":\"\\u007f\\u001f\\b\\f\\t\"}",
		"{\"a\":\"\x7f\\u001f\\b\\f\\t\",\"b\":{\"a\":{},\"z\":[]}}");
}

static void canonical_numbers(void **state)
{
	(void)state;
	static const struct {
		double in;
		const char *out;
	} cases[] = {
		{0.0, "0"}, {-0.0, "0"}, {5e-324, "5e-324"}, {-5e-324, "-5e-324"}, {DBL_MAX, "1.7976931348623157e+308"},
		{9007199254740992.0, "9007199254740992"}, {-9007199254740992.0, "-9007199254740992"}, {295147905179352830000.0, "295147905179352830000"},
		{9.999999999999997e22, "9.999999999999997e+22"}, {1e23, "1e+23"}, {1.0000000000000001e23, "1.0000000000000001e+23"},
		{999999999999999700000.0, "999999999999999700000"}, {999999999999999900000.0, "999999999999999900000"}, {1e21, "1e+21"},
		{9.999999999999997e-7, "9.999999999999997e-7"}, {0.000001, "0.000001"}, {333333333.3333332, "333333333.3333332"},
		{333333333.33333325, "333333333.33333325"}, {333333333.3333334, "333333333.3333334"}, {-0.0000033333333333333333, "-0.0000033333333333333333"},
		{1424953923781206.2, "1424953923781206.2"}, {1, "1"}, {10, "10"}, {123456789, "123456789"}, {0.1, "0.1"}, {100.5, "100.5"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct van_buf b = VAN_BUF_INIT(0);
		assert_int_equal(canon_put_number(&b, cases[i].in), 0);
		van_buf_append_char(&b, 0);
		assert_string_equal(b.p, cases[i].out);
		van_buf_free(&b);
	}
	struct van_buf b = VAN_BUF_INIT(0);
	assert_int_equal(canon_put_number(&b, HUGE_VAL), VAN_EINVAL);
	van_buf_free(&b);
}

static void bad_json_is_refused(void **state)
{
	(void)state;
	static const struct slice cases[] = {SLICE(""), SLICE(" "), SLICE("{"), SLICE("{}x"), SLICE("{\"a\"}"), SLICE("{\"a\":}"), SLICE("{\"a\":1,}"),
		SLICE("[1,]"), SLICE("[1 2]"), SLICE("01"), SLICE("-"), SLICE("1."), SLICE(".5"), SLICE("1e"), SLICE("+1"), SLICE("nul"), SLICE("\"abc"),
		SLICE("\"\\x\""), SLICE("\"\\u12\""), SLICE("\"\\ud800\""), SLICE("\"\\udc00\""), SLICE("\"\\ud800\\u0041\""), SLICE("\"\n\""),
		SLICE("\"\xff\""), SLICE("\"\xc0\x80\""), SLICE("\"\xed\xa0\x80\""), SLICE("\"\xf4\x90\x80\x80\""), SLICE("{\"a\":1,\"a\":2}"),
		SLICE("{\"a\":1,\"\\u0061\":2}"), SLICE("\"\0\""), SLICE("\0"), SLICE("[\0]"), SLICE("NaN"), SLICE("1e999")};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct van_buf b = VAN_BUF_INIT(0);
		assert_int_not_equal(canonical(cases[i], &b), 0);
		van_buf_free(&b);
	}
	char deep[200];
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	struct van_buf b = VAN_BUF_INIT(0);
	assert_int_equal(canonical(slice_make(deep, 200), &b), VAN_ELIMIT);
	assert_int_equal(canonical(slice_make(deep + 70, 60), &b), 0);
	van_buf_free(&b);
}

/* --- leaves --- */

static struct receipt_leaf full_leaf(struct receipt_artefact *a)
{
	static const unsigned char cert[32] = {0xab, 0xcd};
	receipt_artefact_of(&a[0], "payload", SLICE("ISA*00"));
	receipt_artefact_of(&a[1], "mdn", SLICE(""));
	return (struct receipt_leaf){.event = RECEIPT_RECEIVED, .time = 1767225600000001, .direction = SLICE("in"), .station = SLICE("hub"),
		.partner = SLICE("acme"), .connection = SLICE("acme-as2"), .as2_from = SLICE("ACME \"AS2\""), .as2_to = SLICE("HUBNET"),
		.as2_message_id = SLICE("<1@acme>"), .from = SLICE("x12 ZZ:ACME"), .to = SLICE("x12 ZZ:VOLT"), .control_interchange = SLICE("000000001"),
		.control_group = SLICE("1"), .control_message = SLICE("0001"), .business_key = SLICE("po \xff""77"), .mic = SLICE("abc="),
		.micalg = SLICE("sha-256"), .disposition = SLICE("processed"), .message = SLICE("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
		.agreement = SLICE("default"), .agreement_version = 3, .actor = SLICE("cli root"), .text = SLICE(""), .signer_cert = slice_make(cert, 32),
		.size = 9007199254740991, .has_size = true, .artefacts = a, .n_artefacts = 2, .previous = 12, .previous_log = SLICE("h/receipts/2025")};
}

static void leaves_are_canonical_and_read_back(void **state)
{
	(void)state;
	struct receipt_artefact a[2];
	struct receipt_leaf leaf = full_leaf(a), got;
	struct van_buf b = VAN_BUF_INIT(0), again = VAN_BUF_INIT(0), generic = VAN_BUF_INIT(0);
	assert_int_equal(receipt_leaf_write(&leaf, &b, NULL), 0);
	assert_int_equal(canonical(van_buf_slice(&b), &generic), 0);
	assert_true(slice_eq(van_buf_slice(&b), van_buf_slice(&generic)));
	struct van_arena *arena = van_arena_new(0);
	struct van_error err = {0};
	if (receipt_leaf_parse(van_buf_slice(&b), arena, &got, &err))
		fail_msg("%s", err.text);
	assert_true(slice_is(got.business_key, "po \xef\xbf\xbd""77"));
	assert_true(slice_eq(got.as2_from, leaf.as2_from));
	assert_true(slice_eq(got.signer_cert, leaf.signer_cert));
	assert_true(got.text.p && got.text.n == 0);
	assert_true(got.time == leaf.time && got.size == leaf.size && got.has_size && got.previous == 12 && got.agreement_version == 3);
	assert_int_equal(got.n_artefacts, 2);
	assert_memory_equal(got.artefacts[0].sha256.b, a[0].sha256.b, 32);
	assert_false(got.artefacts[0].has_salt);
	assert_int_equal(receipt_leaf_write(&got, &again, NULL), 0);
	assert_true(slice_eq(van_buf_slice(&b), van_buf_slice(&again)));
	van_arena_free(arena);
	van_buf_free(&b);
	van_buf_free(&again);
	van_buf_free(&generic);
}

static void a_small_leaf_has_few_members(void **state)
{
	(void)state;
	struct receipt_leaf leaf = {.event = RECEIPT_OPERATOR, .time = 0, .text = SLICE("\t\x01\""), .previous = RECEIPT_NO_LEAF};
	struct van_buf b = VAN_BUF_INIT(0);
	assert_int_equal(receipt_leaf_write(&leaf, &b, NULL), 0);
	van_buf_append_char(&b, 0);
	assert_string_equal(b.p, "{\"event\":\"operator\",\"text\":\"\\t\\u0001\\\"\",\"time\":\"1970-01-01T00:00:00.000000Z\",\"version\":1}");
	van_buf_free(&b);
}

static void unfit_leaves_are_refused(void **state)
{
	(void)state;
	struct receipt_artefact a[2];
	struct van_buf b = VAN_BUF_INIT(0);
	struct receipt_leaf leaf = full_leaf(a);
	static char text[70000];
	memset(text, 'x', sizeof text);
	leaf.text = slice_make(text, sizeof text);
	assert_int_equal(receipt_leaf_write(&leaf, &b, NULL), VAN_ELIMIT);
	assert_int_equal(b.n, 0);
	leaf = full_leaf(a);
	leaf.size++;
	assert_int_equal(receipt_leaf_write(&leaf, &b, NULL), VAN_EINVAL);
	leaf = full_leaf(a);
	leaf.event = RECEIPT_EVENTS;
	assert_int_equal(receipt_leaf_write(&leaf, &b, NULL), VAN_EINVAL);
	static const char *const names[] = {"", ".x", "a/b", "a b", "mdn", "../../etc/passwd"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		leaf = full_leaf(a);
		a[0].name = slice_str(names[i]);
		assert_int_equal(receipt_leaf_write(&leaf, &b, NULL), VAN_EINVAL);
	}
	van_buf_free(&b);
}

static void foreign_leaves_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		int rc;
	} cases[] = {
		{"{\"event\":\"sent\",\"time\":\"2026-01-01T00:00:00Z\",\"version\":1}", 0},
		{"{\"event\":\"sent\",\"later\":[1,{}],\"time\":\"2026-01-01T00:00:00Z\",\"version\":1}", 0},
		{"{\"event\":\"sent\",\"time\":\"2026-01-01T00:00:00Z\",\"version\":2}", VAN_EVERSION},
		{"{\"event\":\"sent\",\"time\":\"2026-01-01T00:00:00Z\"}", VAN_ESYNTAX},
		{"{\"event\":\"?\",\"time\":\"2026-01-01T00:00:00Z\",\"version\":1}", VAN_ESYNTAX},
		{"{\"event\":\"sent\",\"time\":\"yesterday\",\"version\":1}", VAN_ESYNTAX},
		{"{\"event\":\"sent\",\"partner\":7,\"time\":\"2026-01-01T00:00:00Z\",\"version\":1}", VAN_ESYNTAX},
		{"{\"event\":\"sent\",\"size\":-1,\"time\":\"2026-01-01T00:00:00Z\",\"version\":1}", VAN_ESYNTAX},
		{"{\"event\":\"sent\",\"size\":1.5,\"time\":\"2026-01-01T00:00:00Z\",\"version\":1}", VAN_ESYNTAX},
		{"{\"artefacts\":[{\"name\":\"../x\",\"length\":1,\"sha256\":\"00\"}],\"event\":\"sent\",\"time\":\"2026-01-01T00:00:00Z\",\"version\":1}",
			VAN_ESYNTAX},
		{"[]", VAN_ESYNTAX},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct van_arena *arena = van_arena_new(0);
		struct receipt_leaf leaf;
		assert_int_equal(receipt_leaf_parse(slice_str(cases[i].json), arena, &leaf, NULL), cases[i].rc);
		van_arena_free(arena);
	}
}

static void event_names_go_both_ways(void **state)
{
	(void)state;
	for (int e = 1; e < RECEIPT_EVENTS; e++) {
		enum receipt_event got;
		assert_non_null(receipt_event_name((enum receipt_event)e));
		assert_int_equal(receipt_event_parse(slice_str(receipt_event_name((enum receipt_event)e)), &got), 0);
		assert_int_equal(got, e);
	}
	assert_null(receipt_event_name((enum receipt_event)0));
}

static void artefact_hashes_take_bytes_in_any_pieces(void **state)
{
	(void)state;
	unsigned char salt[RECEIPT_SALT] = {1, 2, 3};
	struct slice bytes = SLICE("some bytes that stream by");
	struct receipt_hash whole = receipt_artefact_hash(salt, bytes);
	for (size_t cut = 0; cut <= bytes.n; cut++) {
		struct receipt_hasher *h = receipt_hasher_new(salt);
		receipt_hasher_add(h, bytes.p, cut);
		receipt_hasher_add(h, bytes.p + cut, bytes.n - cut);
		struct receipt_hash got = receipt_hasher_end(h);
		assert_memory_equal(got.b, whole.b, 32);
	}
	receipt_hasher_free(receipt_hasher_new(salt));
	receipt_hasher_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_forms),
		cmocka_unit_test(canonical_numbers),
		cmocka_unit_test(bad_json_is_refused),
		cmocka_unit_test(leaves_are_canonical_and_read_back),
		cmocka_unit_test(a_small_leaf_has_few_members),
		cmocka_unit_test(unfit_leaves_are_refused),
		cmocka_unit_test(foreign_leaves_are_checked),
		cmocka_unit_test(event_names_go_both_ways),
		cmocka_unit_test(artefact_hashes_take_bytes_in_any_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
