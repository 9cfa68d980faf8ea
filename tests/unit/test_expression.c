/* Decimals, and what an expression may not do. What expressions give is shown by tests/map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "map/decimal.h"
#include "map/expression.h"

#include <stdio.h>
#include <stdlib.h>

static void calculates(const char *a, char op, const char *b, const char *expected)
{
	struct decimal x, y, z = {0};
	char text[DECIMAL_TEXT];
	assert_int_equal(decimal_read(slice_str(a), &x), 0);
	assert_int_equal(decimal_read(slice_str(b), &y), 0);
	int rc = op == '+' ? decimal_add(&x, &y, &z) : op == '-' ? decimal_subtract(&x, &y, &z) : op == '*' ? decimal_multiply(&x, &y, &z)
		: op == '/' ? decimal_divide(&x, &y, &z) : op == '%' ? decimal_remainder(&x, &y, &z)
		: decimal_round(&x, atoi(b), op == 'f' ? DECIMAL_FLOOR : op == 'c' ? DECIMAL_CEILING : DECIMAL_HALF_EVEN, &z);
	if (rc < 0)
		snprintf(text, sizeof text, "%s", van_err_name(rc));
	else
		decimal_write(&z, text);
	if (strcmp(text, expected) != 0)
		fail_msg("%s %c %s is %s, not %s", a, op, b, text, expected);
}

static void decimals_are_exact(void **state)
{
	(void)state;
	calculates("0.1", '+', "0.2", "0.3");
	calculates("-5", '+', "5.00", "0");
	calculates("1e30", '+', "1e-3", "1000000000000000000000000000000.001");
	calculates("1", '-', "1e-33", "0.999999999999999999999999999999999");
	calculates("1e40", '+', "1", "10000000000000000000000000000000000000000");
	calculates("1e40", '-', "1e-900", "10000000000000000000000000000000000000000");
	calculates("9999999999999999999999999999999999", '+', "0.5", "10000000000000000000000000000000000");
	calculates("9999999999999999999999999999999998", '+', "0.5", "9999999999999999999999999999999998");
	calculates("9999999999999999999999999999999999", '*', "9999999999999999999999999999999999",
		"99999999999999999999999999999999980000000000000000000000000000000000");
	calculates("1.10", '*', "3", "3.3");
	calculates("-0.5", '*', "0", "0");
	calculates("1", '/', "3", "0.3333333333333333333333333333333333");
	calculates("2", '/', "3", "0.6666666666666666666666666666666667");
	calculates("1", '/', "8", "0.125");
	calculates("9999999999999999999999999999999999", '/', "0.0000000000000000000000000000000007",
		"14285714285714285714285714285714280000000000000000000000000000000000");
	calculates("1", '/', "0", van_err_name(VAN_EINVAL));
	calculates("7", '%', "4", "3");
	calculates("-7", '%', "4", "-3");
	calculates("7.5", '%', "-2", "1.5");
	calculates("1e900", '%', "7", "1");
	calculates("0.3", '%', "1e30", "0.3");
	calculates("1e900", '*', "1e900", van_err_name(VAN_ELIMIT));
	calculates("2.345", 'r', "2", "2.34");
	calculates("2.355", 'r', "2", "2.36");
	calculates("2.3451", 'r', "2", "2.35");
	calculates("0.0000000000000000000001", 'r', "2", "0");
	calculates("-0.001", 'f', "0", "-1");
	calculates("-0.001", 'c', "0", "0");
	calculates("0.001", 'c', "0", "1");
	calculates("1e-900", 'c', "2", "0.01");
	calculates("150", 'r', "-2", "200");
	calculates("0", 'r', "-2", "0");
}

static void what_is_a_number(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int rc;
	} cases[] = {{"0", 0}, {"-0.0", 0}, {"007.50", 0}, {"1e3", 0}, {"1E-3", 0}, {"1234567890123456789012345678901234", 0},
		{"12345678901234567890123456789012340000", 0}, {"0.00000000000000000000000000000000000001", 0},
		{"12345678901234567890123456789012345", VAN_ELIMIT}, {"1e1001", VAN_ELIMIT}, {"1e99999999999999999999", VAN_ESYNTAX},
		{"", VAN_ESYNTAX}, {"-", VAN_ESYNTAX}, {".5", VAN_ESYNTAX}, {"5.", VAN_ESYNTAX}, {"1.2.3", VAN_ESYNTAX}, {"1,5", VAN_ESYNTAX}, {"1e", VAN_ESYNTAX},
		{" 1", VAN_ESYNTAX}, {"+1", VAN_ESYNTAX}, {"0x10", VAN_ESYNTAX}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct decimal d;
		if (decimal_read(slice_str(cases[i].text), &d) != cases[i].rc)
			fail_msg("'%s' does not give %d", cases[i].text, cases[i].rc);
	}
}

/* The error of an expression over {"a":[1,2,3]}, or its result's text. */
static void says(const char *text, const struct expression_context *limits, const char *expected)
{
	struct tree_room room = {.arena = van_arena_new((size_t)4 << 20), .left = 2000};
	struct expression_context context = limits ? *limits : (struct expression_context){0};
	struct tree *input = tree_new(&room, TREE_OBJECT), *a = tree_member(&room, input, SLICE("a"), TREE_ARRAY);
	struct van_error e = {0};
	const struct expression *x = NULL;
	const struct tree *t = NULL;
	for (int i = 1; i <= 3; i++)
		tree_append(&room, a, TREE_NUMBER)->text = van_arena_printf(room.arena, "%d", i);
	context.room = &room;
	int rc = expression_compile(room.arena, slice_str(text), &x, &e);
	rc = rc < 0 ? rc : expression_run(x, input, &context, &t, &e);
	struct slice got = rc < 0 ? slice_str(e.text) : t ? expression_text(&room, t) : SLICE("nothing");
	if (got.n != strlen(expected) || memcmp(got.p, expected, got.n) != 0)
		fail_msg("%.60s gives %.*s, not %s", text, SLICE_ARG(got), expected);
	van_arena_free(room.arena);
}

static void errors_name_column_and_remedy(void **state)
{
	(void)state;
	says("'\xc3\xa9' + 1", NULL, "column 5: left of + stands a number, not the text '\xc3\xa9'");
	says("a[", NULL, "column 3: the expression ends where a value is expected");
	says("(a; b", NULL, "column 6: the expression ends too early: ')' is missing at the end of a block");
	says("{'a' 1}", NULL, "column 6: an operator is expected, not '1'; texts need quotes");
	says("'open", NULL, "column 1: the text has no end; close it with a quote");
	says("a = null", NULL, "column 5: there is no null here: a member that is not there is nothing, and $exists asks for it");
	says("$match(a, /x/)", NULL, "column 11: there are no regular expressions here; $contains, $split and $replace take texts");
	says("$substring(a)", NULL, "column 1: argument 1 of $substring is a text, not an array");
	says("$uppercase(5)", NULL, "column 1: argument 1 of $uppercase is a text, not a number; $string makes one of it");
	says("1 / 0", NULL, "column 3: division by zero; ask for it first: b = 0 ? 0 : a / b");
	says("$table('unit', 'EA')", NULL, "column 1: there are no tables here");
	says("$date('20260115', 'Nowhere/Else')", NULL, "column 19: there is no time zone Nowhere/Else on this machine; write one like "
		"'Europe/Berlin', or an offset like '+01:00'");
	says("$date('20260115', a)", NULL, "column 19: a zone is written out as a text, 'Europe/Berlin' or '+01:00'");
	says("a ^ (b)", NULL, "column 3: an operator is expected, not '^'; texts need quotes");
}

static void bounds(void **state)
{
	(void)state;
	struct expression_context few = {.max_steps = 50}, flat = {.max_depth = 10};
	char deep[400];
	says("[1..100]", &few, "column 3: the expression takes more steps than it may");
	says("$sum([1..3])", &few, "6");
	says("((((((1))))))", &flat, "1");
	says("((((((((((1))))))))))", &flat, "column 11: the expression is nested too deep, or calls itself too often");
	says("($f := function($n) { $f($n + 1) }; $f(0))", NULL, "column 26: the expression is nested too deep, or calls itself too often");
	says("$count([1..5000].{'a': $})", NULL, "column 18: the expression makes more values than a document may have here");
	says("$reduce([1..30], function($t, $i) { $t & $t }, 'aaaaaaaaaaaaaaaa')", NULL,
		"column 40: the expression needs more memory than it may have");
	memset(deep, '(', sizeof deep);
	deep[sizeof deep - 1] = 0;
	says(deep, NULL, "column 65: nested deeper than 64; cut the expression into several rows");
	struct tree_room room = {.arena = van_arena_new(0), .left = 10};
	const struct expression *x;
	struct van_error e = {0};
	char *text = calloc(1, EXPRESSION_TEXT_MAX + 1);
	memset(text, ' ', EXPRESSION_TEXT_MAX + 1);
	assert_int_equal(expression_compile(room.arena, slice_make(text, EXPRESSION_TEXT_MAX + 1), &x, &e), VAN_ELIMIT);
	free(text);
	van_arena_free(room.arena);
}

static void variables_and_truth(void **state)
{
	(void)state;
	struct tree_room room = {.arena = van_arena_new(0), .left = 100};
	struct tree *input = tree_new(&room, TREE_OBJECT), *t = tree_new(&room, TREE_TEXT);
	t->text = SLICE("7.50");
	struct expression_variable v[] = {{SLICE("qty"), t}, {SLICE("none"), NULL}};
	struct expression_context context = {.room = &room, .variables = v, .variable_count = 2};
	const struct expression *x;
	const struct tree *ret;
	assert_int_equal(expression_compile(room.arena, SLICE("$qty"), &x, NULL), 0);
	assert_int_equal(expression_run(x, input, &context, &ret, NULL), 0);
	assert_ptr_equal(ret, t); /* what is passed on is itself */
	assert_int_equal(expression_compile(room.arena, SLICE("[$qty * 2, $none, $exists($none)]"), &x, NULL), 0);
	assert_int_equal(expression_run(x, NULL, &context, &ret, NULL), 0);
	assert_true(slice_is(expression_text(&room, ret), "[15,false]"));
	assert_true(expression_true(ret));
	assert_false(expression_true(input) || expression_true(NULL));
	van_arena_free(room.arena);
}

/* One that does not look at its input gives the same whatever that is. */
static void inputs(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool looks;
	} expressions[] = {{"$exists($o.a.b)", false}, {"$o.a.b = 1 and $not($exists($o.c))", false}, {"'x' & $o.a.b", false},
		{"$o.c ? 1 : -$number($o.a.b)", false}, {"$sum($o.list)", false}, {"$o.list[0]", true}, {"a", true}, {"$", true}, {"$$.a", true},
		{"$length()", true}, {"$o.a.(b + $$.a)", true}, {"$o.list[$ > $$.a]", true}, {"$uppercase($)", true}, {"$o.a ? a : 1", true},
		{"$o.*", true}, {"$map($o.list, function($x) { $x })", true}};
	struct van_arena *arena = van_arena_new(0);
	struct tree_room room = {.arena = arena, .left = 10000};
	struct tree *o = tree_new(&room, TREE_OBJECT), *a = tree_member(&room, o, SLICE("a"), TREE_OBJECT), *input = tree_new(&room, TREE_OBJECT);
	tree_member(&room, a, SLICE("b"), TREE_NUMBER)->text = SLICE("1");
	tree_member(&room, input, SLICE("a"), TREE_NUMBER)->text = SLICE("7");
	struct tree *list = tree_member(&room, o, SLICE("list"), TREE_ARRAY);
	for (int i = 0; i < 2; i++)
		tree_append(&room, list, TREE_NUMBER)->text = SLICE("8");
	const struct expression_variable variables[] = {{SLICE("o"), o}};
	const struct expression_context context = {.room = &room, .variables = variables, .variable_count = 1};
	for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
		const struct expression *x = NULL;
		const struct tree *with = NULL, *without = NULL;
		struct van_error e = {0};
		if (expression_compile(arena, slice_str(expressions[i].text), &x, &e) < 0)
			fail_msg("%s: %s", expressions[i].text, e.text);
		if (expression_takes_input(x) != expressions[i].looks)
			fail_msg("%s: looks at its input: %d", expressions[i].text, !expressions[i].looks);
		if (expressions[i].looks)
			continue;
		assert_int_equal(expression_run(x, input, &context, &with, &e), 0);
		assert_int_equal(expression_run(x, NULL, &context, &without, &e), 0);
		assert_true(slice_eq(expression_text(&room, with), expression_text(&room, without)));
	}
	van_arena_free(arena);
}

/* What only asks whether something is there is answered as if it was run. */
static void askings(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool answered;
	} expressions[] = {{"$exists($o.a.b)", true}, {"$exists($o.a)", true}, {"$exists($o.c)", true}, {"$exists($o.a.c.d)", true}, {"$exists(a)", true},
		{"$exists(a.b)", false}, {"$not($exists(c.d))", true}, {"$exists($o.c) or $exists($o.a.b)", true}, {"$exists($o.c) and $exists($o.list)", true},
		{"$exists($o.a) and $exists($o.list)", false}, {"$not($exists($o.c) or $not($exists($o.a)))", true}, {"$exists($o.a) or $exists($o.list)", true},
		{"$exists($o.list)", false}, {"$exists($o.list.x)", false}, {"$exists($o.a.b.c)", false}, {"$exists($none.a)", false}, {"$exists($$.a)", false},
		{"$exists($o.a[b = 2])", false}, {"$exists($o.list[0])", false}, {"$exists($o)", false}, {"$o.a.b = 1", false}, {"$not($o.c)", false}};
	struct van_arena *arena = van_arena_new(0);
	struct tree_room room = {.arena = arena, .left = 10000};
	struct tree *o = tree_new(&room, TREE_OBJECT), *a = tree_member(&room, o, SLICE("a"), TREE_OBJECT), *input = tree_new(&room, TREE_OBJECT);
	tree_member_new(&room, a, SLICE("b"), tree_hash(SLICE("b")), TREE_NUMBER)->text = SLICE("1");
	tree_member(&room, input, SLICE("a"), TREE_NUMBER)->text = SLICE("7");
	tree_append(&room, tree_member(&room, o, SLICE("list"), TREE_ARRAY), TREE_NUMBER)->text = SLICE("8");
	const struct expression_variable variables[] = {{SLICE("o"), o}, {SLICE("none"), NULL}};
	const struct expression_context context = {.room = &room, .variables = variables, .variable_count = 2};
	for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
		const struct expression *x = NULL;
		const struct tree *ret = NULL;
		assert_int_equal(expression_compile(arena, slice_str(expressions[i].text), &x, NULL), 0);
		int answer = expression_asks(x, input, variables, 2);
		if ((answer >= 0) != expressions[i].answered)
			fail_msg("%s: answered with %d", expressions[i].text, answer);
		assert_int_equal(expression_run(x, input, &context, &ret, NULL), 0);
		if (answer >= 0 && answer != expression_true(ret))
			fail_msg("%s is %d, not %d", expressions[i].text, expression_true(ret), answer);
	}
	van_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimals_are_exact),
		cmocka_unit_test(what_is_a_number),
		cmocka_unit_test(errors_name_column_and_remedy),
		cmocka_unit_test(bounds),
		cmocka_unit_test(variables_and_truth),
		cmocka_unit_test(inputs),
		cmocka_unit_test(askings),
	};
	return cmocka_run_group_tests_name("expression", tests, NULL, NULL);
}
