/* Maps: CSV, rows, transforms, tables, loops, what is left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_input.h"

#include "edi/dictionary.h"
#include "map/csv.h"
#include "map/rows.h"

static const struct map_delimiters X12 = {'*', '>', 0, 0, '~'};

static void csv_as_rfc_4180(void **state)
{
	(void)state;
	struct van_arena *a = van_arena_new(0);
	struct slice f[CSV_MAX_FIELDS];
	struct csv c;
	csv_begin(&c, SLICE("\xef\xbb\xbf" "a, b ,\"x,\"\"y\"\"\nz\"\r\n\n,,\r\nlast"));
	assert_int_equal(csv_next(&c, a, f), 1);
	assert_true(slice_is(f[0], "a") && slice_is(f[1], "b") && slice_is(f[2], "x,\"y\"\nz"));
	assert_int_equal(csv_next(&c, a, f), 1);
	assert_true(slice_is(f[0], "last"));
	assert_int_equal(c.line, 5);
	assert_int_equal(csv_next(&c, a, f), 0);
	csv_begin(&c, SLICE("\"no end"));
	assert_int_equal(csv_next(&c, a, f), VAN_ESYNTAX);
	van_arena_free(a);
}

/* Runs one map made of these rows over a message; the result, or "ERROR: …". */
static void maps_from(const char *source, const struct map_delimiters *d, const char *rows, const char *message, const char *expected)
{
	struct map_set set = {.arena = van_arena_new(0)};
	struct van_buf text = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	struct van_error e = {0};
	van_buf_printf(&text, "target,source,when,transform,table,default,required,note,way\n@map,%s -> order/1.0\n%s", source, rows);
	int rc = map_parse_table(&set, SLICE("unit"), SLICE("from,to\nFT,FOT\nEA,EA\nyes,true\n"), &e);
	rc = rc == 0 ? map_parse_table(&set, SLICE("ways"), SLICE("from,to,direction\nEA,each,out\nEA,piece,in\n"), &e) : rc;
	rc = rc == 0 ? map_parse(&set, SLICE("m"), van_buf_slice(&text), &e) : rc;
	rc = rc == 0 ? map_link(&set, &e) : rc;
	if (rc == 0)
		rc = map_run(set.maps, slice_str(message), *d, NULL, NULL, &out, &e);
	if (rc < 0) {
		van_buf_reset(&out);
		van_buf_printf(&out, "ERROR: %s", e.text);
	}
	van_buf_append_char(&out, 0);
	assert_string_equal(out.p, expected);
	van_buf_free(&text);
	van_buf_free(&out);
	van_arena_free(set.arena);
}

static void maps(const char *rows, const char *message, const char *expected)
{
	maps_from("x12 850 004010", &X12, rows, message, expected);
}

#define HEAD "{\"_document\":\"order/1.0\","

static void values_and_transforms(void **state)
{
	(void)state;
	maps("ID,BEG.03\nD,BEG.05,,date\n", "ST*850*1~BEG*00*SA*P1**20260115~SE*3*1~",
		HEAD "\"ID\":\"P1\",\"D\":\"2026-01-15\",\"_unmapped\":[{\"segment\":\"BEG\",\"position\":2,\"element\":1,\"value\":\"00\"},"
		"{\"segment\":\"BEG\",\"position\":2,\"element\":2,\"value\":\"SA\"}]}");
	maps("A,X.01,,implied(2)\nB,X.02,,implied(2)\nC,X.03,,decimal\nD,X.04,,decimal\nE,X.05,,lower\nF,X.06,,time\nG,X.07,,number\n",
		"X1*1~X*1250*-5*007.50*.5*AbC*0930*12~", "ERROR: map m, row 3, source: must be like SEG.NN, SEG.NN.CC, SEG.NN-MM[QUALIFIER], "
		"'text', @name, =expression, loop SEG or also loop SEG, not 'X.01'; see maps/README.md");
	maps("A,XX.01,,implied(2)\nB,XX.02,,implied(2)\nC,XX.03,,decimal\nD,XX.04,,decimal\nE,XX.05,,lower\nF,XX.06,,time\nG,XX.07,,number\n",
		"XX*1250*-5*007.50*.5*AbC*0930*12~", HEAD "\"A\":\"12.50\",\"B\":\"-0.05\",\"C\":\"7.50\",\"D\":\"0.5\",\"E\":\"abc\","
		"\"F\":\"09:30:00\",\"G\":12,\"_unmapped\":[]}");
	maps("T,XX.01,,,,none\nS,'DAY'\nN[],XX.02\n", "XX**a~XX**b~", HEAD "\"T\":\"none\",\"S\":\"DAY\",\"N\":[\"a\",\"b\"],\"_unmapped\":[]}");
	maps("V,XX.02.02\n", "XX**a>b>c~", HEAD "\"V\":\"b\",\"_unmapped\":[{\"segment\":\"XX\",\"position\":1,\"element\":2,\"component\":1,\"value\":\"a\"},"
		"{\"segment\":\"XX\",\"position\":1,\"element\":2,\"component\":3,\"value\":\"c\"}]}");
}

/* X12's two forms, and EDIFACT's formats of 2379. */
static void dates_become_iso(void **state)
{
	(void)state;
	static const struct map_delimiters edifact = {'+', ':', 0, '?', '\''};
	static const struct {
		const char *value, *date; /* NULL: refused */
	} x12[] = {
		{"20260115", "2026-01-15"}, {"260115", "2026-01-15"}, {"490101", "2049-01-01"}, {"500101", "1950-01-01"}, {"991231", "1999-12-31"}, {"19491231", "1949-12-31"},
		{"20261301", NULL}, {"20260001", NULL}, {"20260132", NULL}, {"20260431", NULL}, {"260229", NULL}, {"20280229", "2028-02-29"}, {"20260100", NULL}, {"2026011", NULL}, {"2026-1-5", NULL},
	}, times[] = {
		{"0930", "09:30:00"}, {"093007", "09:30:07"}, {"09300725", "09:30:07"}, {"2400", "24:00:00"}, {"2500", NULL}, {"0960", NULL}, {"093061", NULL}, {"930", NULL},
		{"09300", NULL}, {"9:30", NULL},
	}, formats[] = {
		{"20260115:102", "2026-01-15"}, {"260115:101", "2026-01-15"}, {"150126:2", "2026-01-15"}, {"011526:3", "2026-01-15"}, {"15012026:4", "2026-01-15"},
		{"2601150930:201", "2026-01-15T09:30:00"}, {"260115093007:202", "2026-01-15T09:30:07"}, {"202601150930:203", "2026-01-15T09:30:00"},
		{"20260115093007:204", "2026-01-15T09:30:07"}, {"2601150930EST:301", "2026-01-15T09:30:00-05:00"}, {"260115093007UTC:302", "2026-01-15T09:30:07Z"},
		{"202601150930CET:303", "2026-01-15T09:30:00+01:00"}, {"202601150930BST:303", "2026-01-15T09:30:00+01:00"}, {"202601150930?+02:303", "2026-01-15T09:30:00+02:00"},
		{"202601150930-11:303", "2026-01-15T09:30:00-11:00"}, {"20260115093007JST:304", "2026-01-15T09:30:07+09:00"}, {"2026:602", "2026"}, {"2601:609", "2026-01"},
		{"202601:610", "2026-01"}, {"2607:615", "2026-W07"}, {"202653:616", "2026-W53"}, {"5001010930:201", "1950-01-01T09:30:00"}, {"4901010930:201", "2049-01-01T09:30:00"},
		{"202654:616", NULL}, {"202600:616", NULL}, {"202613:610", NULL}, {"310426:2", NULL}, {"202602290930:203", NULL}, {"202601152560:203", NULL}, {"202601150960:203", NULL}, {"202601150930XYZ:303", NULL},
		{"20260115:203", NULL}, {"2026011520260131:718", NULL},
	};
	char message[100], expected[400];
	for (size_t i = 0; i < sizeof x12 / sizeof *x12; i++) {
		snprintf(message, sizeof message, "DD*%s~", x12[i].value);
		snprintf(expected, sizeof expected, x12[i].date ? HEAD "\"D\":\"%s\",\"_unmapped\":[]}" : "ERROR: map m, row 3 (D): %s in segment 1 (DD) is not a date (YYMMDD or CCYYMMDD)",
			x12[i].date ? x12[i].date : x12[i].value);
		maps("D,DD.01,,date\n", message, expected);
	}
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		snprintf(message, sizeof message, "DD*%s~", times[i].value);
		snprintf(expected, sizeof expected, times[i].date ? HEAD "\"D\":\"%s\",\"_unmapped\":[]}" : "ERROR: map m, row 3 (D): %s in segment 1 (DD) is not a time (HHMM or HHMMSS)",
			times[i].date ? times[i].date : times[i].value);
		maps("D,DD.01,,time\n", message, expected);
	}
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct slice rest = slice_str(formats[i].value), value = slice_cut(&rest, ':');
		char text[40];
		snprintf(text, sizeof text, "%.*s", SLICE_ARG(value));
		snprintf(message, sizeof message, "DTM+%s'", formats[i].value);
		snprintf(expected, sizeof expected, formats[i].date ? HEAD "\"D\":\"%s\",\"_unmapped\":[]}" : "ERROR: map m, row 3 (D): %s in segment 1 (DTM) is %s",
			formats[i].date ? formats[i].date : text, slice_is(rest, "718") ? "in a format of 2379 that 'date' does not know; take it without 'date'"
			: "not a date of the format that stands behind it");
		maps_from("edifact ORDERS D:96A", &edifact, "D,DTM.01.01,,date\n", message, expected);
	}
}

static void numbers_keep_their_digits(void **state)
{
	(void)state;
	static const struct {
		const char *value, *number; /* NULL: refused */
	} decimals[] = {{"12,50", "12.50"}, {"-007.10", "-7.10"}, {"+5", "5"}, {"5.", "5"}, {".5", "0.5"}, {"-,5", "-0.5"}, {"0", "0"}, {"00", "0"}, {"12345678901234567890123.45", "12345678901234567890123.45"},
		{"1.2.3", NULL}, {"1,000.5", NULL}, {"-", NULL}, {".", NULL}, {"1e5", NULL}, {"12A", NULL}},
	implied[] = {{"1250", "12.50"}, {"-5", "-0.05"}, {"-1250", "-12.50"}, {"5", "0.05"}, {"000", "0.00"}, {"12.5", NULL}, {"+5", NULL}, {"-", NULL}};
	char message[100], expected[200];
	for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++) {
		snprintf(message, sizeof message, "XX*%s~", decimals[i].value);
		snprintf(expected, sizeof expected, decimals[i].number ? HEAD "\"N\":\"%s\",\"_unmapped\":[]}" : "ERROR: map m, row 3 (N): %s in segment 1 (XX) is not a decimal number",
			decimals[i].number ? decimals[i].number : decimals[i].value);
		maps("N,XX.01,,decimal\n", message, expected);
	}
	for (size_t i = 0; i < sizeof implied / sizeof *implied; i++) {
		snprintf(message, sizeof message, "XX*%s~", implied[i].value);
		snprintf(expected, sizeof expected, implied[i].number ? HEAD "\"N\":\"%s\",\"_unmapped\":[]}"
			: "ERROR: map m, row 3 (N): %s in segment 1 (XX) is not a whole number with implied decimals", implied[i].number ? implied[i].number : implied[i].value);
		maps("N,XX.01,,implied(2)\n", message, expected);
	}
	maps("B,XX.01,,bool,unit\n", "XX*yes~", HEAD "\"B\":true,\"_unmapped\":[]}");
	maps("B,XX.01,,bool,unit:pass\n", "XX*no~", "ERROR: map m, row 3 (B): no in segment 1 (XX) is not true or false after the row's table");
}

static void errors_name_row_and_remedy(void **state)
{
	(void)state;
	maps("ID,BEG.03,,,,,yes\n", "ST*850*1~", "ERROR: map m, row 3: ID is required, but BEG is missing after segment 1 (ST); ask the sender "
		"for it or give the row a default");
	maps("D,BEG.05,,date\n", "BEG*00*SA*P1**2026~", "ERROR: map m, row 3 (D): 2026 in segment 1 (BEG) is not a date (YYMMDD or CCYYMMDD)");
	maps("U,PO1.03,,,unit\n", "PO1*1*1*QQ~", "ERROR: map m, row 3 (U): QQ in segment 1 (PO1) is not in the row's table: add it there, or let "
		"the row pass or default on a miss");
	maps("U,PO1.03,,,nothing\n", "PO1*1*1*QQ~", "ERROR: map m, row 3, table: there is no table nothing; add table-nothing.csv, or vanctl table import it");
	maps("U,PO1.03,REF=x\n", "PO1~", "ERROR: map m, row 3, when: must be like REF.01=DP|IA, or /place=value, not 'REF=x'; see maps/README.md");
	maps(".,also loop N1\n", "PO1~", "ERROR: map m, row 3, target: is the object at hand itself, which is written once; also loop needs a place, not '.'; "
		"see maps/README.md");
	maps("P,also loop N1\n", "N1*BY~", HEAD "\"_unmapped\":[{\"segment\":\"N1\",\"position\":1,\"element\":1,\"value\":\"BY\"}]}");
}

static void tables_and_pairs(void **state)
{
	(void)state;
	maps("U,PO1.03,,,unit:pass\nV,PO1.06-25[VN]\nW,PO1.06-25[UP]\n", "PO1*1*1*QQ***BP*b*VN*v~",
		HEAD "\"U\":\"QQ\",\"V\":\"v\",\"_unmapped\":[{\"segment\":\"PO1\",\"position\":1,\"element\":1,\"value\":\"1\"},"
		"{\"segment\":\"PO1\",\"position\":1,\"element\":2,\"value\":\"1\"},{\"segment\":\"PO1\",\"position\":1,\"element\":6,\"value\":\"BP\"},"
		"{\"segment\":\"PO1\",\"position\":1,\"element\":7,\"value\":\"b\"}]}");
	maps("U,PO1.03,,,unit:default,EA\n", "PO1***QQ~", HEAD "\"U\":\"EA\",\"_unmapped\":[{\"segment\":\"PO1\",\"position\":1,\"element\":3,\"value\":\"QQ\"}]}");
}

/* What is not there is none of the values; a default stands under the same conditions; pairs are looked for up to the last. */
static void conditions_and_ranges(void **state)
{
	(void)state;
	maps("T,'x',REF.01!=DP\n", "BEG*00~", HEAD "\"T\":\"x\",\"_unmapped\":[{\"segment\":\"BEG\",\"position\":1,\"element\":1,\"value\":\"00\"}]}");
	maps("T,'x',REF.01!=DP\n", "REF*DP~", HEAD "\"_unmapped\":[{\"segment\":\"REF\",\"position\":1,\"element\":1,\"value\":\"DP\"}]}");
	maps("T,XX.01,YY.01=a|b,,,none\n", "YY*b~", HEAD "\"T\":\"none\",\"_unmapped\":[{\"segment\":\"YY\",\"position\":1,\"element\":1,\"value\":\"b\"}]}");
	maps("T,XX.01,YY.01=a,,,none\n", "YY*b~", HEAD "\"_unmapped\":[{\"segment\":\"YY\",\"position\":1,\"element\":1,\"value\":\"b\"}]}");
	maps("T[],XX.02-04.01[02=SA]\n", "XX**a>SA*b>BP*c>SA~", HEAD "\"T\":[\"a\",\"c\"],\"_unmapped\":[{\"segment\":\"XX\",\"position\":1,\"element\":3,\"value\":\"b>BP\"}]}");
	maps("A,XX.01,YY.01!=a\n", "XX*1~", HEAD "\"A\":\"1\",\"_unmapped\":[]}"); /* another segment, which is not there */
	maps("A,XX.01,YY.01\n", "XX*1~", HEAD "\"_unmapped\":[{\"segment\":\"XX\",\"position\":1,\"element\":1,\"value\":\"1\"}]}");
	maps("N[],XX.01-06[SN]\n", "XX*SN*1*BP*2*SN*3~", HEAD "\"N\":[\"1\",\"3\"],\"_unmapped\":[{\"segment\":\"XX\",\"position\":1,\"element\":3,\"value\":\"BP\"},"
		"{\"segment\":\"XX\",\"position\":1,\"element\":4,\"value\":\"2\"}]}");
	/* the same where an expression asks, too, and the row can't be planned */
	maps("T[],XX.02-04.01[02=SA],=$exists(XX),,,,,,in\n", "XX**a>SA*b>BP*c>SA~", HEAD "\"T\":[\"a\",\"c\"],\"_unmapped\":[{\"segment\":\"XX\",\"position\":1,\"element\":3,\"value\":\"b>BP\"}]}");
	maps("L[],loop PO1 until CTT,REF.01!=x\nL[].ID,PO1.01\n", "PO1*1~", HEAD "\"L\":[{\"ID\":\"1\"}],\"_unmapped\":[]}");
	maps("U,XX.01,,,ways\n", "XX*EA~", HEAD "\"U\":\"piece\",\"_unmapped\":[]}");
	maps("L[],loop PO1 until CTT\nL[].P[],loop SCH of XX\nL[].P[].C,^XX.01\n", "XX*head~PO1~XX*line~SCH~PO1~SCH~CTT~",
		HEAD "\"L\":[{\"P\":[{\"C\":\"line\"}]},{\"P\":[{\"C\":\"head\"}]}],\"_unmapped\":[]}");
}

/* A place that a row's condition has written is not written by another row; whether it was hangs on the table. */
static void conditions_that_write(void **state)
{
	(void)state;
	const char *rows = "U,XX.01,/B=fixed,,unit:default\nB,XX.02\nC,XX.03,/D=too\nD,XX.04\n";
	maps(rows, "XX*EA*other*c*d~", HEAD "\"U\":\"EA\",\"B\":\"fixed\",\"C\":\"c\",\"D\":\"too\","
		"\"_unmapped\":[{\"segment\":\"XX\",\"position\":1,\"element\":2,\"value\":\"other\"},{\"segment\":\"XX\",\"position\":1,\"element\":4,\"value\":\"d\"}]}");
	maps(rows, "XX*QQ*other**d~", HEAD "\"B\":\"other\",\"D\":\"d\",\"_unmapped\":[{\"segment\":\"XX\",\"position\":1,\"element\":1,\"value\":\"QQ\"}]}");
}

static void loops_see_their_own_segments(void **state)
{
	(void)state;
	const char *rows = "Ref,REF.02\nBuyer,loop N1 of N3 REF,N1.01=BY\nBuyer.Name,N1.02\nBuyer.Ref,REF.02\nShip[],loop N1,N1.01=ST\nShip[].Name,N1.02\n"
	                   "Line[],loop PO1 until CTT\nLine[].ID,PO1.01\nLine[].Cur,^CUR.02\nLine[].Part[],loop SCH of DTM\nLine[].Part[].Q,SCH.01\nTotal,CTT.01\n";
	maps(rows, "N1*BY*B~REF*ZZ*inner~N1*ST*S1~N1*ST*S2~REF*XX*s2~CUR*BY*USD~REF*YY*outer~PO1*1~SCH*5~SCH*6~PO1*2~CTT*2~",
		HEAD "\"Ref\":\"outer\",\"Buyer\":{\"Name\":\"B\",\"Ref\":\"inner\"},\"Ship\":[{\"Name\":\"S1\"},{\"Name\":\"S2\"}],"
		"\"Line\":[{\"ID\":\"1\",\"Cur\":\"USD\",\"Part\":[{\"Q\":\"5\"},{\"Q\":\"6\"}]},{\"ID\":\"2\",\"Cur\":\"USD\"}],\"Total\":\"2\","
		"\"_unmapped\":[{\"segment\":\"REF\",\"position\":2,\"loop\":\"N1[1]\",\"element\":1,\"value\":\"ZZ\"},{\"segment\":\"REF\",\"position\":5,\"loop\":\"N1[3]\",\"element\":1,\"value\":\"XX\"},"
		"{\"segment\":\"REF\",\"position\":5,\"loop\":\"N1[3]\",\"element\":2,\"value\":\"s2\"},{\"segment\":\"CUR\",\"position\":6,\"element\":1,\"value\":\"BY\"},"
		"{\"segment\":\"REF\",\"position\":7,\"element\":1,\"value\":\"YY\"}]}");
}

static void sample_becomes_an_order(void **state)
{
	(void)state;
	char path[4096];
	struct map_set *set = NULL;
	struct van_error e = {0};
	struct van_buf in = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	struct van_arena *a = van_arena_new(0);
	struct edi_report *r = NULL;
	struct edi_dictionary_set *dictionaries = NULL;
	assert_int_equal(map_set_open(edi_source_path(path, sizeof path, "maps"), &set, &e), 0);
	assert_int_equal(edi_dictionary_set_open(edi_source_path(path, sizeof path, "dict"), &dictionaries, &e), 0);
	map_set_dictionaries(set, dictionaries);
	assert_int_equal(file_read(edi_source_path(path, sizeof path, "partners/samples/850.edi"), &in), 0);
	assert_int_equal(edi_check_bytes(van_buf_slice(&in), NULL, NULL, a, &r, &e), 0);
	const struct edi_message *m = r->interchanges->groups->messages;
	const struct map *map = map_find_for(set, "x12", m->type, m->version);
	assert_non_null(map);
	assert_ptr_equal(map, map_find(set, SLICE("x12-004010-850-to-order")));
	assert_string_equal(map_target(map), "order/1.0");
	struct map_envelope envelope = {.sender = r->interchanges->sender, .receiver = r->interchanges->receiver, .test = true};
	assert_int_equal(map_run(map, slice_make(in.p + m->offset, m->length), X12, &envelope, NULL, &out, &e), 0);
	van_buf_append_char(&out, 0);
	static const char *const parts[] = {"\"ID\":\"PO-2026-0417\"", "\"IssueDate\":\"2026-01-15\"", "\"DocumentCurrencyCode\":\"USD\"",
		"\"value\":\"7.995\"", "\"unitCode\":\"FOT\"", "\"StartDate\":\"2026-02-16\"", "\"PayableAmount\":{\"value\":\"4169.22\",\"currencyID\":\"USD\"}",
		"\"ChargeIndicator\":false", "\"sender\":\"ZZ:ACME\"", "{\"segment\":\"CTT\",\"position\":49,\"element\":2,\"value\":\"472\"}"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (!strstr(out.p, parts[i]))
			fail_msg("%s is not in %s", parts[i], out.p);
	struct map_options few = {.max_values = 20};
	out.n = 0;
	assert_int_equal(map_run(map, slice_make(in.p + m->offset, m->length), X12, &envelope, &few, &out, &e), VAN_ELIMIT);
	van_buf_free(&in);
	van_buf_free(&out);
	van_arena_free(a);
	map_set_free(set);
	edi_dictionary_set_free(dictionaries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_as_rfc_4180),
		cmocka_unit_test(values_and_transforms),
		cmocka_unit_test(dates_become_iso),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(errors_name_row_and_remedy),
		cmocka_unit_test(tables_and_pairs),
		cmocka_unit_test(conditions_and_ranges),
		cmocka_unit_test(conditions_that_write),
		cmocka_unit_test(loops_see_their_own_segments),
		cmocka_unit_test(sample_becomes_an_order),
	};
	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
