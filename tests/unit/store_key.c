/* Composed keys: order, escapes, hashes of long parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/key.h"

static struct store_key two(struct slice a, struct slice b)
{
	struct store_key k = STORE_KEY_INIT;
	store_key_text(&k, a);
	store_key_text(&k, b);
	return k;
}

static int order(struct store_key a, struct store_key b)
{
	int c = slice_cmp(store_key_slice(&a), store_key_slice(&b));
	return c < 0 ? -1 : c > 0;
}

static void order_is_that_of_the_parts(void **state)
{
	(void)state;
	static const struct slice texts[] = {SLICE(""), SLICE("\0"), SLICE("\0\0"), SLICE("\0a"), SLICE("\1"), SLICE("\1\0"), SLICE("\2"),
		SLICE("a"), SLICE("a\0"), SLICE("a\0b"), SLICE("a\1"), SLICE("ab"), SLICE("b"), SLICE("\xff"), SLICE("\xff\xff")};
	enum { N = sizeof texts / sizeof *texts };
	for (int a = 0; a < N * N; a++)
		for (int b = 0; b < N * N; b++)
			assert_int_equal(order(two(texts[a / N], texts[a % N]), two(texts[b / N], texts[b % N])), a < b ? -1 : a > b);
}

static void numbers_and_times_sort(void **state)
{
	(void)state;
	static const van_time times[] = {INT64_MIN, -1, 0, 1, 1000000, INT64_MAX};
	for (size_t i = 0; i + 1 < sizeof times / sizeof *times; i++) {
		struct store_key a = STORE_KEY_INIT, b = STORE_KEY_INIT;
		store_key_time(&a, times[i]);
		store_key_time(&b, times[i + 1]);
		assert_int_equal(order(a, b), -1);
		struct wire w = store_key_wire(store_key_slice(&a));
		assert_true(store_key_take_time(&w) == times[i]);
		assert_false(w.bad);
	}
}

static void parts_are_read_back(void **state)
{
	(void)state;
	struct store_key k = STORE_KEY_INIT;
	store_key_text(&k, SLICE("a\0b\1c"));
	store_key_u32(&k, 77);
	store_key_str(&k, "");
	store_key_u64(&k, UINT64_MAX - 1);
	struct wire w = store_key_wire(store_key_slice(&k));
	char to[STORE_KEY_TEXT_MAX];
	assert_true(slice_eq(store_key_take_text(&w, to), SLICE("a\0b\1c")));
	assert_int_equal(store_key_take_u32(&w), 77);
	assert_int_equal(store_key_take_text(&w, to).n, 0);
	assert_true(store_key_take_u64(&w) == UINT64_MAX - 1);
	assert_false(w.bad);
	assert_int_equal(w.n, 0);
	store_key_take_u32(&w);
	assert_true(w.bad);
}

static void long_texts_become_hashes(void **state)
{
	(void)state;
	char text[400], to[STORE_KEY_TEXT_MAX];
	memset(text, 'x', sizeof text);
	struct store_key a = two(slice_make(text, STORE_KEY_TEXT_MAX), SLICE(""));
	struct wire w = store_key_wire(store_key_slice(&a));
	assert_int_equal(store_key_take_text(&w, to).n, STORE_KEY_TEXT_MAX);
	struct store_key b = two(slice_make(text, STORE_KEY_TEXT_MAX + 1), SLICE(""));
	struct store_key c = two(slice_make(text, STORE_KEY_TEXT_MAX + 2), SLICE(""));
	assert_int_equal(b.n, 2 + 64 + 1 + 1);
	assert_int_not_equal(order(b, c), 0);
	w = store_key_wire(store_key_slice(&b));
	assert_null(store_key_take_text(&w, to).p);
	assert_true(w.bad);
	/* The escaped length counts. */
	memset(text, 0, sizeof text);
	struct store_key d = two(slice_make(text, STORE_KEY_TEXT_MAX / 2 + 1), SLICE(""));
	assert_int_equal(d.n, 2 + 64 + 1 + 1);
}

static void too_many_parts_latch(void **state)
{
	(void)state;
	struct store_key k = STORE_KEY_INIT;
	char text[STORE_KEY_TEXT_MAX];
	memset(text, 'x', sizeof text);
	for (int i = 0; i < 4; i++)
		store_key_text(&k, slice_make(text, sizeof text));
	assert_null(store_key_slice(&k).p);
	store_key_u8(&k, 1);
	assert_null(store_key_slice(&k).p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_that_of_the_parts),
		cmocka_unit_test(numbers_and_times_sort),
		cmocka_unit_test(parts_are_read_back),
		cmocka_unit_test(long_texts_become_hashes),
		cmocka_unit_test(too_many_parts_latch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
