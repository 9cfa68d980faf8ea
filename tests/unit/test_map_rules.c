/* Business rules over canonical documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "map/rules.h"
#include "map/tree_read.h"

#define HEAD "rule,severity,each,when,kind,value,window,show,text,code\n"
#define ORDER "{\"ID\":\"PO-1\",\"IssueDate\":\"2026-01-10\",\"Delivery\":{\"LatestDate\":\"2026-01-05\",\"Name\":\"X\"},\"Total\":\"30.00\"," \
	"\"Line\":[{\"ID\":\"1\",\"Quantity\":2,\"Amount\":\"10.00\"},{\"ID\":\"2\",\"Quantity\":0,\"Amount\":\"20.5\"}]}"

static int hold_list(void *ctx, struct slice name, struct slice value, struct slice *ret, struct van_error *e)
{
	(void)ctx;
	if (!slice_is(name, "hold"))
		return van_error_set(e, VAN_ENOTFOUND, "no table");
	*ret = SLICE("credit");
	return slice_is(value, "PO-1");
}

/* The findings of these rows, a line each; or "ERROR: …". */
static void finds(const char *rows, const char *expected)
{
	struct van_arena *a = van_arena_new(0);
	struct tree_room room = {.arena = a, .left = 10000};
	struct van_buf text = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	struct van_error e = {0};
	const struct map_rules *rules;
	struct map_findings found = {0};
	struct tree *document;
	van_buf_printf(&text, HEAD "%s", rows);
	assert_int_equal(tree_read(&room, SLICE(ORDER), &document, &e), 0);
	int rc = map_rules_compile(a, SLICE("rules-order"), van_buf_slice(&text), &rules, &e);
	if (rc == 0)
		rc = map_rules_run(rules, document, &room, hold_list, NULL, &found, &e);
	if (rc < 0)
		van_buf_printf(&out, "ERROR: %s", e.text);
	for (const struct map_finding *f = found.first; f; f = f->next)
		van_buf_printf(&out, "%s %.*s\n", map_severity_names[f->severity], SLICE_ARG(map_finding_text(a, f)));
	for (const struct map_unique *u = found.unique; u; u = u->next)
		van_buf_printf(&out, "unique %.*s within %lld s\n", SLICE_ARG(u->finding.value), (long long)(u->window / VAN_SECOND));
	van_buf_append_char(&out, 0);
	assert_string_equal(out.p, expected);
	van_buf_free(&text);
	van_buf_free(&out);
	van_arena_free(a);
}

static void conditions(void **state)
{
	(void)state;
	finds("id,,,,,ID = 'PO-1',,,,\n", "");
	finds("id,,,,,ID = 'PO-2',,ID,wrong order,E1\n", "error rule id of rules-order, row 2: wrong order (PO-1)\n");
	finds("total,warning,,,,$sum(Line.Amount) = $number(Total),,$sum(Line.Amount),does not add up,\n",
		"warning rule total of rules-order, row 2: does not add up (30.5)\n");
	finds("q,,Line,,check,Quantity > 0,,Quantity,no quantity,\n", "error rule q of rules-order, row 2: no quantity (Line[2]: 0)\n");
	finds("q,,Line,ID != '2',check,Quantity > 0,,,,\n", "");
	finds("hold,information,,,,\"$not($exists($table('hold', ID)))\",,,held,\n", "information rule hold of rules-order, row 2: held\n");
}

static void places(void **state)
{
	(void)state;
	finds("t,,,,together,Delivery.Name Delivery.Street,,,address,\n",
		"error rule t of rules-order, row 2: address (Delivery.Street is missing)\n");
	finds("t,,,,together,Delivery.City Delivery.Street,,,,\n", "");
	finds("d,,,,order,IssueDate Delivery.LatestDate,,,,\n",
		"error rule d of rules-order, row 2: the dates are not in order (IssueDate 2026-01-10, Delivery.LatestDate 2026-01-05)\n");
	finds("d,,,,order,Delivery.LatestDate Nowhere IssueDate,,,,\n", "");
	finds("u,,,,unique,ID,30d,,,\n", "unique PO-1 within 2592000 s\n");
}

static void errors_name_row_and_cell(void **state)
{
	(void)state;
	finds("x,fatal,,,,ID,,,,\n", "ERROR: rules-order, row 2, severity 'fatal': it is error, warning or information; see maps/README.md");
	finds("a,,,,,ID,,,,\nx,,,,perhaps,ID,,,,\n", "ERROR: rules-order, row 3, kind 'perhaps': it is check, together, order or unique; see maps/README.md");
	finds("x,,,,unique,ID,soon,,,\n", "ERROR: rules-order, row 2, window 'soon': only a rule of kind unique has one, and it is like 30d, 12h, 90m; see maps/README.md");
	finds("x,,,,order,ID,,,,\n", "ERROR: rules-order, row 2, value 'ID': name two places or more, with blanks between; see maps/README.md");
	finds(",,,,,ID,,,,\n", "ERROR: rules-order, row 2, rule '': a rule needs a name; see maps/README.md");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(conditions), cmocka_unit_test(places), cmocka_unit_test(errors_name_row_and_cell)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
