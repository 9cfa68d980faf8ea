/* Maps the other way: documents to messages, in the standard's order; what was read comes back as it was; HL; expressions; bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_input.h"

#include "map/map.h"
#include "map/tree.h"

#define COLUMNS "target,source,when,transform,table,default,required,note,way\n"

static struct edi_dictionary_set *dictionaries;
static const struct map_delimiters X12 = {'*', '>', 0, 0, '~'}, EDIFACT = {'+', ':', 0, '?', '\''};

struct fixture {
	struct map_set *set;
	struct map_run_state *run;
	struct van_arena *arena;
	struct van_buf text; /* what came out; ends with NUL */
	struct slice syntax; /* of EDIFACT; absent: UNOC:3 */
	struct van_error e;
};

static void set_up(struct fixture *f, const char *name, const char *head, const char *rows, const struct map_options *options)
{
	struct van_buf text = VAN_BUF_INIT(0);
	*f = (struct fixture){.arena = van_arena_new((size_t)256 << 20), .text = VAN_BUF_INIT(0)};
	f->run = map_run_new(options);
	van_buf_printf(&text, COLUMNS "@map,%s\n%s", head, rows);
	assert_int_equal(map_set_new(NULL, &f->set, &f->e), 0);
	map_set_dictionaries(f->set, dictionaries);
	int rc = map_set_add(f->set, SLICE("table-unit"), SLICE("from,to\nFT,FOT\nLF,FOT\nEA,EA\n"), &f->e);
	rc = rc == 0 ? map_set_add(f->set, slice_str(name), van_buf_slice(&text), &f->e) : rc;
	rc = rc == 0 ? map_set_link(f->set, &f->e) : rc;
	if (rc < 0)
		fail_msg("%s", f->e.text);
	van_buf_free(&text);
}

static void tear_down(struct fixture *f)
{
	map_run_free(f->run);
	map_set_free(f->set);
	van_arena_free(f->arena);
	van_buf_free(&f->text);
}

/* The message that the document becomes: its segments, without the envelope; or "ERROR: …". */
static const char *write_tree(struct fixture *f, const struct map *m, const struct tree *document)
{
	bool x12 = strcmp(map_standard(m), "x12") == 0;
	struct edi_outbound_terms terms = {.standard = x12 ? EDI_X12 : EDI_EDIFACT, .sender = SLICE("ZZ:A"), .receiver = SLICE("ZZ:B"),
		.version = x12 ? SLICE("00401") : f->syntax.p ? f->syntax : SLICE("UNOC:3"), .usage = 'P', .when = {.year = 2026, .month = 1, .day = 1}};
	struct edi_group_terms group;
	struct edi_outbound to;
	struct edi_output output;
	uint32_t numbers[2] = {1, 1};
	struct van_buf all = VAN_BUF_INIT(0);
	van_buf_reset(&f->text);
	assert_int_equal(edi_outbound_begin(&to, &terms, f->arena, &f->e), 0);
	if (x12) {
		assert_int_equal(map_group(m, &group, &f->e), 0);
		edi_outbound_group(&to, &group);
	}
	if (map_write(f->run, m, document, &to, &f->e) < 0) {
		van_buf_printf(&f->text, "ERROR: %s", f->e.text);
	} else {
		assert_int_equal(edi_outbound_finish(&to, &output, &f->e), 0);
		assert_int_equal(edi_output_render(&output, numbers, numbers, &all), 0);
		van_buf_append_char(&all, 0);
		const char *begin = strstr(all.p, x12 ? "~ST*" : "'UNH+") + 1;
		begin = strchr(begin, x12 ? '~' : '\'') + 1;
		const char *end = strstr(begin, x12 ? "~SE*" : "'UNT+") + 1;
		van_buf_append(&f->text, begin, (size_t)(end - begin));
	}
	van_buf_append_char(&f->text, 0);
	edi_outbound_free(&to);
	van_buf_free(&all);
	return f->text.p;
}

static const char *write_json(struct fixture *f, const char *name, const char *json)
{
	struct tree *document = NULL;
	const struct map *m = map_find(f->set, slice_str(name));
	assert_non_null(m);
	map_run_reset(f->run);
	if (map_read_json(f->run, slice_str(json), &document, &f->e) < 0)
		fail_msg("%s", f->e.text);
	return write_tree(f, m, document);
}

static void writes(const char *head, const char *rows, const char *json, const char *expected)
{
	struct fixture f;
	set_up(&f, "s", head, rows, NULL);
	assert_string_equal(write_json(&f, "s-out", json), expected);
	tear_down(&f);
}

/* --- rows to segments ------------------------------------------------------------------------------------------------------------ */

static void segments_stand_in_the_order_of_the_standard(void **state)
{
	(void)state;
	static const char *const rows[] = {"Total,AMT.02,AMT.01=TT,decimal\n", "Dept,REF.02,REF.01=DP\n", "ID,BEG.03\n", "Cur,CUR.02,CUR.01=BY\n",
		"Date,BEG.05,,date\n", "Ours,REF.02,REF.01=CO|CR\n", "Line[],loop PO1\nLine[].ID,PO1.01\nLine[].Vendor,PO1.06-25[VN]\n"
		"Line[].Text,PID.05,PID.01=F\nLine[].Gtin,PO1.06-25[UK]\n", "'00',BEG.01\n'SA',BEG.02\n"};
	const char *json = "{\"Line\":[{\"ID\":\"1\",\"Text\":\"x\",\"Gtin\":\"g\",\"Vendor\":\"v\"},{\"ID\":\"2\"}],\"Ours\":\"o\",\"ID\":\"P1\",\"Date\":\"2026-01-15\","
		"\"Cur\":\"USD\",\"Total\":\"5.50\",\"Dept\":\"7\"}";
	unsigned seed = 1;
	for (int round = 0; round < 40; round++) { /* whatever the order of the rows is */
		char text[2048] = "";
		size_t order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
		for (size_t i = 7; i; i--) {
			seed = seed * 1103515245 + 12345;
			size_t k = (seed >> 16) % (i + 1), t = order[i];
			order[i] = order[k];
			order[k] = t;
		}
		/* texts that only go out belong to the row before them: they follow one of the head */
		strcat(text, "Head,BEG.04\n");
		strcat(text, rows[7]);
		for (size_t i = 0; i < 8; i++)
			strcat(text, order[i] == 7 ? "" : rows[order[i]]);
		struct fixture f;
		set_up(&f, "s", "x12 850 004010 <-> order/1.0", text, NULL);
		const char *got = write_json(&f, "s-out", json);
		bool other = strstr(got, "REF*CO*o~REF*DP*7~") != NULL; /* places of one kind: in the order of rows */
		assert_string_equal(got, other ? "BEG*00*SA*P1**20260115~CUR*BY*USD~REF*CO*o~REF*DP*7~AMT*TT*5.50~PO1*1*****VN*v*UK*g~PID*F****x~PO1*2~"
		                               : "BEG*00*SA*P1**20260115~CUR*BY*USD~REF*DP*7~REF*CO*o~AMT*TT*5.50~PO1*1*****VN*v*UK*g~PID*F****x~PO1*2~");
		tear_down(&f);
	}
}

static void values_go_back(void **state)
{
	(void)state;
	const char *x12 = "x12 850 004010 <-> order/1.0", *edifact = "edifact ORDERS D:96A <-> order/1.0";
	writes(x12, "A,SAC.05,SAC.01=C,implied(2)\n", "{\"A\":\"12.5\"}", "SAC*C****1250~");
	writes(x12, "A,SAC.05,SAC.01=C,implied(2)\n", "{\"A\":\"-0.05\"}", "SAC*C****-5~");
	writes(x12, "A,SAC.05,SAC.01=C,implied(2)\n", "{\"A\":\"1.255\"}", "ERROR: map s-out, row 3 (A): 1.255 has more decimals than the element holds; "
		"round it with an expression");
	writes(x12, "U,PO1.03,,,unit\n", "{\"U\":\"FOT\"}", "PO1***FT~");
	writes(x12, "U,PO1.03,,,unit\n", "{\"U\":\"XXX\"}", "ERROR: map s-out, row 3 (U): XXX is not in the row's table: add it there, or let the row pass "
		"or default on a miss");
	writes(x12, "T,DTM.03,DTM.01=002,time\n", "{\"T\":\"09:30:00\"}", "DTM*002**0930~");
	writes(x12, "ID,BEG.03\nP,BEG.01,,,,9\nQ,REF.02,REF.01=DP,,,none\n", "{\"ID\":\"1\"}", "BEG*9**1~"); /* a default alone writes no segment */
	writes(x12, "ID,BEG.03,,,,,yes\n", "{\"Other\":\"1\"}", "ERROR: map s-out, row 3: ID is required, but the document has nothing there; add it (ID) or give "
		"the row a default");
	writes(x12, "N,N4.02\n", "{\"N\":\"State\"}", "ERROR: map s-out, row 3 (N): 'State' is longer than the 2 characters of N4.02 (state); shorten "
		"it, or add cut to the row's transform");
	writes(x12, "N,N4.02,,cut\n", "{\"N\":\"State\"}", "N1~N4**St~");
	writes(edifact, "D,DTM.01.02,DTM.01.01=137,date\n", "{\"D\":\"2026-01-15\"}", "DTM+137:20260115:102'");
	writes(edifact, "D,DTM.01.02,DTM.01.01=137,date\n", "{\"D\":\"2026-01-15T09:30:00\"}", "DTM+137:202601150930:203'");
	writes(edifact, "D,DTM.01.02,DTM.01.01=137,date\n", "{\"D\":\"2026-01-15T09:30:00+02:00\"}", "DTM+137:202601150730UTC:303'");
	writes(edifact, "D,DTM.01.02,DTM.01.01=137 and DTM.01.03=101,date\n", "{\"D\":\"2026-01-15\"}", "DTM+137:260115:101'");
	writes(edifact, "N[],FTX.04.01,FTX.01=AAI\nN[],FTX.04.02,FTX.01=AAI\n", "{\"N\":[\"a\",\"b\",\"c?d\"]}", "FTX+AAI+++a:b'FTX+AAI+++c??d'");
	writes(edifact, "L[],loop LIN\nL[].S,PIA.02-06.01[02=SA],PIA.01=1\nL[].B,PIA.02-06.01[02=IN],PIA.01=1\nL[].E,LIN.03.01,LIN.03.02=EN\n"
		"'S',^UNS.01,,,,,yes\n@count(LIN),^CNT.01.02,CNT.01.01=2,,,,yes\n", "{\"L\":[{\"S\":\"s\",\"B\":\"b\",\"E\":\"e\"},{\"S\":\"t\"}]}",
		"LIN+++e:EN'PIA+1+s:SA+b:IN'LIN'PIA+1+t:SA'UNS+S'CNT+2:2'");
	writes(edifact, "P,loop NAD,NAD.01=BY\nP.ID,NAD.02.01,/scheme=GLN and NAD.02.03=9\nP.ID,NAD.02.01,/scheme=OURS and NAD.02.03=92\nP.Name,CTA.02.02,CTA.01=PD\n"
		"P.Tel,COM.01.01,COM.01.02=TE\n", "{\"P\":{\"ID\":\"1\",\"scheme\":\"OURS\",\"Name\":\"n\",\"Tel\":\"t\"}}", "NAD+BY+1::92'CTA+PD+:n'COM+t:TE'");
}

/* Dates as documents have them, in the formats that the row asks for; what a format has no room for is left, and no day moves by that. */
static void dates_go_back(void **state)
{
	(void)state;
	static const struct {
		const char *format, *date, *expected; /* format NULL: the usual one */
	} known[] = {
		{NULL, "2026-01-15", "20260115:102"}, {NULL, "2026-01-15T09:30:00", "202601150930:203"}, {NULL, "2026-01-15T09:30:07", "20260115093007:204"},
		{NULL, "2026-01-15T23:30:00-05:00", "202601160430UTC:303"}, {NULL, "2026-01-01T00:30:15+02:00", "20251231223015UTC:304"},
		{NULL, "2026-01", "202601:610"}, {NULL, "2026", "2026:602"}, {NULL, "2026-W07", "202607:616"}, {NULL, "2026-01-15Z", "20260115:102"},
		{NULL, "2026-01-15-05:00", "20260115:102"}, {"2", "2026-01-15", "150126:2"}, {"3", "2026-01-15", "011526:3"}, {"4", "2026-01-15", "15012026:4"},
		{"101", "2026-01-15", "260115:101"}, {"102", "2026-01-15T23:30:00-05:00", "20260115:102"}, {"201", "2026-01-15T09:30:00", "2601150930:201"},
		{"202", "2026-01-15T09:30:07", "260115093007:202"}, {"203", "2026-01-15T23:30:00-05:00", "202601152330:203"}, {"301", "2026-01-15T23:30:00-05:00", "2601160430UTC:301"},
		{"302", "2026-01-15T09:30:07Z", "260115093007UTC:302"}, {"609", "2026-01-15", "2601:609"}, {"615", "2026-W07", "2607:615"},
	};
	static const struct {
		const char *format, *date;
	} refused[] = {{"102", "2026-01"}, {"616", "2026-01-15"}, {"718", "2026-01-15"}, {NULL, "2026-13-01"}, {NULL, "2026-00-01"}, {NULL, "2026-01-32"}, {NULL, "2026-01-00"},
		{NULL, "2026-W54"}, {NULL, "15.01.2026"}, {NULL, "2026-01-15T09:60:00"}, {NULL, "2026-01-15T9:30"}, {NULL, "2026-01-15T09:30:00+0200"}, {NULL, "2026-01-15X"}};
	char row[200], json[100], expected[100];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		snprintf(row, sizeof row, "D,DTM.01.02,DTM.01.01=137%s%s,date\n", known[i].format ? " and DTM.01.03=" : "", known[i].format ? known[i].format : "");
		snprintf(json, sizeof json, "{\"D\":\"%s\"}", known[i].date);
		snprintf(expected, sizeof expected, "DTM+137:%s'", known[i].expected);
		writes("edifact ORDERS D:96A <-> order/1.0", row, json, expected);
	}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct fixture f;
		snprintf(row, sizeof row, "D,DTM.01.02,DTM.01.01=137%s%s,date\n", refused[i].format ? " and DTM.01.03=" : "", refused[i].format ? refused[i].format : "");
		snprintf(json, sizeof json, "{\"D\":\"%s\"}", refused[i].date);
		set_up(&f, "s", "edifact ORDERS D:96A <-> order/1.0", row, NULL);
		const char *got = write_json(&f, "s-out", json);
		if (strncmp(got, "ERROR: map s-out, row 3 (D): ", 29) != 0 || !strstr(got, refused[i].date))
			fail_msg("%s in %s: %s", refused[i].date, refused[i].format ? refused[i].format : "the usual format", got);
		tear_down(&f);
	}
	const char *x12 = "x12 850 004010 <-> order/1.0", *rows = "D,DTM.02,DTM.01=002,date\nD2,DTM.03,DTM.01=002,time\n";
	writes(x12, rows, "{\"D\":\"2026-01-15T23:30:00-05:00\",\"D2\":\"2026-01-15T23:30:07-05:00\"}", "DTM*002*20260115*233007~");
	writes(x12, rows, "{\"D\":\"2026-01\"}", "ERROR: map s-out, row 3 (D): 2026-01 is not a date (2026-01-15, or with a time 2026-01-15T09:30:00)");
	writes(x12, rows, "{\"D2\":\"9:30\"}", "ERROR: map s-out, row 4 (D2): 9:30 is not a time (09:30:00)");
}

static const struct map_note *note(const struct fixture *f, enum map_note_kind kind, const char *place);

/* An amount in another currency than the message says is told: neither rows that only read the head's nor those that write it can say it. */
static void other_currencies_are_told(void **state)
{
	(void)state;
	static const char *const rows[] = {"L[].A.c,^CUR.02,,,,,,,in\n", "L[].A.c,^CUR.02\n"};
	const char *json = "{\"C\":\"EUR\",\"L\":[{\"A\":{\"v\":\"1\",\"c\":\"EUR\"}},{\"A\":{\"v\":\"2\",\"c\":\"USD\"}},{\"A\":{\"v\":\"3\",\"c\":\"EUR\"}}]}";
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;
		char text[300];
		snprintf(text, sizeof text, "C,CUR.02,CUR.01=BY\nL[],loop PO1\nL[].A.v,PO1.04,,decimal\n%s", rows[i]);
		set_up(&f, "s", "x12 850 004010 <-> order/1.0", text, NULL);
		assert_string_equal(write_json(&f, "s-out", json), "CUR*BY*EUR~PO1****1~PO1****2~PO1****3~");
		assert_null(note(&f, MAP_NOTE_UNWRITTEN, "L[1].A.c"));
		assert_non_null(note(&f, MAP_NOTE_UNWRITTEN, "L[2].A.c"));
		assert_null(note(&f, MAP_NOTE_UNWRITTEN, "L[3].A.c"));
		tear_down(&f);
	}
}

/* What has no room, or stands where another value stands already. */
static void there_is_room_for_so_much(void **state)
{
	(void)state;
	const char *x12 = "x12 850 004010 <-> order/1.0";
	struct fixture f;
	set_up(&f, "s", x12, "N,N4.02,,cut\n", NULL);
	assert_string_equal(write_json(&f, "s-out", "{\"N\":\"State\"}"), "N1~N4**St~");
	assert_non_null(note(&f, MAP_NOTE_CUT, "N"));
	tear_down(&f);
	writes(x12, "N,N4.02,,cut\n", "{\"N\":\"\xc3\x84\xc3\x96\xc3\x9c\"}", "N1~N4**\xc3\x84\xc3\x96~");
	writes(x12, "N,N4.03,,compact\n", "{\"N\":\"000000000000012345\"}", "N1~N4***000000000012345~");
	writes(x12, "N,N4.03,,compact\n", "{\"N\":\"00000000000001234A\"}", "ERROR: map s-out, row 3 (N): '00000000000001234A' is longer than the 15 characters of N4.03 "
		"(postal code); shorten it, or add cut to the row's transform");
	writes(x12, "A,PO1.02,,decimal\nU,PO1.03,,listed\n", "{\"A\":\"1\",\"U\":\"qq\"}", "PO1**1~");
	writes(x12, "A,PO1.02,,decimal\nU,PO1.03,,listed\n", "{\"A\":\"1\",\"U\":\"EA\"}", "PO1**1*EA~");
	writes(x12, "A,BEG.03\nB,BEG.03\n", "{\"A\":\"a\",\"B\":\"b\"}", "BEG***a~");
	writes(x12, "A,PO1.06-09[VN]\nB,PO1.06-09[BP]\nC,PO1.06-09[UP]\n", "{\"A\":\"a\",\"B\":\"b\"}", "PO1******VN*a*BP*b~");
	writes(x12, "A,PO1.06-09[VN]\nB,PO1.06-09[BP]\nC,PO1.06-09[UP]\n", "{\"A\":\"a\",\"B\":\"b\",\"C\":\"c\"}", "ERROR: map s-out, row 5 (C): there is no pair left for it in "
		"PO1.06-09; give the row another place");
	set_up(&f, "s", x12, "P,loop N1,N1.01=BY\nP.N,N1.02\nP.S[],N3.01\n", NULL);
	assert_string_equal(write_json(&f, "s-out", "{\"P\":{\"N\":\"n\",\"S\":[\"a\",\"b\",\"c\"]}}"), "N1*BY*n~N3*a~N3*b~");
	assert_non_null(note(&f, MAP_NOTE_UNWRITTEN, "P.S[3]"));
	tear_down(&f);
}

/* What the dictionary says of a number decides how it is written. */
static void numbers_go_back(void **state)
{
	(void)state;
	const char *x12 = "x12 850 004010 <-> order/1.0";
	writes(x12, "N,CTT.01,,decimal\n", "{\"N\":\"12.0\"}", "CTT*12~");
	writes(x12, "N,CTT.01,,number\n", "{\"N\":12}", "CTT*12~");
	writes(x12, "N,CTT.01,,decimal\n", "{\"N\":\"12.5\"}", "ERROR: map s-out, row 3 (N): 12.5 has more decimals than the element holds; round it with an expression");
	writes(x12, "N,SAC.05,SAC.01=C,decimal\n", "{\"N\":\"12.5\"}", "SAC*C****1250~");
	writes(x12, "N,PO1.02,,decimal\n", "{\"N\":\"007,50\"}", "PO1**7.50~");
	writes(x12, "N,PO1.02,,decimal\n", "{\"N\":\"-12345678901234.5\"}", "PO1**-12345678901234.5~"); /* 15 digits: sign and point are none */
	writes(x12, "N,PO1.02,,decimal\n", "{\"N\":\"-1234567890123456\"}", "ERROR: map s-out, row 3 (N): '-1234567890123456' is longer than the 15 characters of PO1.02 (quantity ordered); shorten "
		"it, or add cut to the row's transform");
}

static void expressions_in_cells(void **state)
{
	(void)state;
	struct fixture f;
	struct tree *document = NULL;
	struct van_buf out = VAN_BUF_INIT(0);
	writes("x12 850 004010 <-> order/1.0", "L[],loop PO1\nL[].Q,PO1.02,,decimal\n=$sum(L.Q),^CTT.02\n@count(PO1),^CTT.01\n",
		"{\"L\":[{\"Q\":\"1.5\"},{\"Q\":\"2\"}]}", "PO1**1.5~PO1**2~CTT*2*3.5~");
	writes("x12 850 004010 <-> order/1.0", "ID,BEG.03\n=$sum(L.Q.$number(v)),CTT.02\n@count(PO1),CTT.01\nL[],loop PO1\nL[].Q.v,PO1.02,,decimal\n",
		"{\"ID\":\"1\",\"L\":[{\"Q\":{\"v\":\"1.5\"}},{\"Q\":{\"v\":\"2\"}}]}", "BEG***1~PO1**1.5~PO1**2~CTT*2*3.5~");
	writes("x12 850 004010 <-> order/1.0", "G,PO1.06-25[UK],=$length(G)=14,,,,,,out\nG,PO1.06-25[EN],=$length(G)=13,,,,,,out\n", "{\"G\":\"1234567890123\"}",
		"PO1******EN*1234567890123~");
	set_up(&f, "s", "x12 850 004010 -> order/1.0", "Name,=N2._01 & ' ' & N2._02\n", NULL);
	assert_int_equal(map_read(f.run, map_find(f.set, SLICE("s")), SLICE("ST*850*1~BEG*00~N1*BY~N2*a*b~SE*4*1~"), X12, NULL, &document, &f.e), 0);
	assert_int_equal(tree_write(tree_find(document, SLICE("Name")), false, &out), 0);
	assert_true(slice_is(van_buf_slice(&out), "\"a b\""));
	van_buf_free(&out);
	tear_down(&f);
}

/* --- hierarchies ------------------------------------------------------------------------------------------------------------------ */

#define ASN_ROWS "ID,BSN.02\n@count(HL),CTT.01,,,,,yes\nS,loop HL,HL.03=S\nS.Carrier,TD5.03\nS.O[],loop HL,HL.03=O\nS.O[].PO,PRF.01\n" \
	"S.O[].P[],loop HL,HL.03=P\nS.O[].P[].Mark,MAN.02,MAN.01=GM\nS.O[].P[].I[],loop HL,HL.03=I\nS.O[].P[].I[].Q,SN1.02,,decimal\n" \
	"S.O[].I[],loop HL,HL.03=I\nS.O[].I[].Q,SN1.02,,decimal\n"

static void hierarchies_nest_and_come_back(void **state)
{
	(void)state;
	const char *segments = "BSN**A1~HL*1**S*1~TD5***UPSN~HL*2*1*O*1~PRF*P1~HL*3*2*P*1~MAN*GM*m1~HL*4*3*I*0~SN1**5~HL*5*3*I*0~SN1**6~HL*6*2*I*0~SN1**7~"
		"HL*7*1*O*0~PRF*P2~CTT*7~";
	struct fixture f;
	struct tree *document = NULL;
	struct van_buf message = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	set_up(&f, "s", "x12 856 004010 <-> despatch-advice/1.0", ASN_ROWS, &(struct map_options){.no_side_car = true});
	van_buf_printf(&message, "ST*856*0001~%sSE*18*0001~", segments);
	assert_int_equal(map_read(f.run, map_find(f.set, SLICE("s")), van_buf_slice(&message), X12, NULL, &document, &f.e), 0);
	assert_int_equal(tree_write(document, false, &out), 0);
	van_buf_append_char(&out, 0);
	assert_string_equal(out.p, "{\"_document\":\"despatch-advice/1.0\",\"ID\":\"A1\",\"S\":{\"Carrier\":\"UPSN\",\"O\":[{\"PO\":\"P1\",\"P\":[{\"Mark\":\"m1\","
		"\"I\":[{\"Q\":\"5\"},{\"Q\":\"6\"}]}],\"I\":[{\"Q\":\"7\"}]},{\"PO\":\"P2\"}]}}");
	assert_string_equal(write_tree(&f, map_find(f.set, SLICE("s-out")), document), segments);
	van_buf_free(&message);
	van_buf_free(&out);
	tear_down(&f);
	/* a level that holds nothing but levels is there all the same */
	writes("x12 856 004010 <-> despatch-advice/1.0", ASN_ROWS, "{\"ID\":\"1\",\"S\":{\"O\":[{\"PO\":\"x\"}]}}", "BSN**1~HL*1**S*1~HL*2*1*O*0~PRF*x~CTT*2~");
}

/* --- what was read comes back ---------------------------------------------------------------------------------------------------- */

#define ORDER_ROWS "ID,BEG.03\nDate,BEG.05,,date\nDept,REF.02,REF.01=DP\nOurs,REF.02,REF.01=CO|CR\nCur,CUR.02,CUR.01=BY\nCur,CUR.02\nNeeded,DTM.02,DTM.01=002,date\n" \
	"Buyer,loop N1,N1.01=BY\nBuyer.Name,N1.02\nBuyer.City,N4.01\nShip[],loop N1,N1.01=ST\nShip[].Name,N1.02\nShip[].Street,N3.01\nShip[].Cur,^CUR.02,N1.04\n" \
	"Line[],loop PO1\nLine[].ID,PO1.01\nLine[].Q,PO1.02,,decimal\nLine[].U,PO1.03,,,unit:pass\nLine[].Vendor,PO1.06-25[VN]\nLine[].Vendor,PO1.06-25[VP]\n" \
	"Line[].Text[],PID.05,PID.01\nLine[].Part[],loop SCH\nLine[].Part[].Q,SCH.01,,decimal\nCount,CTT.01,,number\n"

/* Reads and writes; what comes out must be what went in. */
static void comes_back(struct fixture *f, const char *name, const char *body, bool x12)
{
	struct tree *document = NULL, *again = NULL;
	struct van_buf message = VAN_BUF_INIT(0), json = VAN_BUF_INIT(0);
	const struct map *in = map_find(f->set, slice_str(name));
	assert_non_null(in);
	van_buf_printf(&message, x12 ? "ST*850*0001~%sSE*1*0001~" : "UNH+1+ORDERS:D:96A:UN'%sUNT+1+1'", body);
	map_run_reset(f->run);
	van_arena_reset(f->arena);
	if (map_read(f->run, in, van_buf_slice(&message), x12 ? X12 : EDIFACT, NULL, &document, &f->e) < 0)
		fail_msg("%s", f->e.text);
	assert_int_equal(tree_write(document, false, &json), 0);
	map_run_reset(f->run); /* through its text: nothing is remembered but what is in it */
	if (map_read_json(f->run, van_buf_slice(&json), &again, &f->e) < 0)
		fail_msg("%s", f->e.text);
	assert_string_equal(write_tree(f, map_reverse(in), again), body);
	van_buf_free(&message);
	van_buf_free(&json);
}

static void order_comes_back(void **state)
{
	(void)state;
	static const char *const bodies[] = {
		"BEG*00*SA*P1**20260115~REF*IA*9~REF*DP*7~CUR*SE*USD~N1*ST*s~N3*st~N1*BY*b~N4*c*OH~PO1*1*007.50*LF**PE*VP*v*UP*u~CTT*1*99~",
		"BEG*00*SA*P1**260115~REF*CR*7~ZZZ*what*is*this~CUR*BY*USD~DTM*002*20260101~DTM*002*20260102~N1*SF*f~N3*x~N1*ST*s**n~PO1*1*.5*EA~PID*F****a~PID*F****b~SCH*1*EA~SCH*2*EA~"
		"PO1*2*5*ZZ~AMT*TT*5~CTT*2~AMT*TT*1~",
		"BEG*00*SA*P1**20260115*~PO1**1~PER*BD~PO1*~N1*ST*s~",
		"BEG*  *SA*P1 **20260115~PO1**1~SLN*1**I*1*EA>x~",
	};
	struct fixture f;
	set_up(&f, "s", "x12 850 004010 <-> order/1.0", ORDER_ROWS, NULL);
	comes_back(&f, "s", bodies[0], true);
	comes_back(&f, "s", bodies[1], true);
	comes_back(&f, "s", bodies[3], true);
	/* separators at a segment's end say nothing, and go */
	struct tree *document = NULL;
	map_run_reset(f.run);
	assert_int_equal(map_read(f.run, map_find(f.set, SLICE("s")), SLICE("ST*850*1~BEG*00*SA*P1**20260115*~PO1**1~PER*BD~PO1*~N1*ST*s~SE*1*1~"), X12, NULL,
		&document, &f.e), 0);
	assert_string_equal(write_tree(&f, map_find(f.set, SLICE("s-out")), document), "BEG*00*SA*P1**20260115~PO1**1~PER*BD~PO1~N1*ST*s~");
	tear_down(&f);
	set_up(&f, "s", "edifact ORDERS D:96A <-> order/1.0", "ID,BGM.02\nDate,DTM.01.02,DTM.01.01=137,date\nP,loop NAD,NAD.01=BY\nP.ID,NAD.02.01\nP.Tel,COM.01.01,COM.01.02=TE\n"
		"L[],loop LIN\nL[].ID,LIN.01\nL[].Q,QTY.01.02,QTY.01.01=21,decimal\n", NULL);
	comes_back(&f, "s", "BGM+220+P?'1+9'DTM+137:260115:101'DTM+2:20260202:102'RFF+CT:1'NAD+SE+1::9'NAD+BY+2::9++n:m'CTA+PD+:x'COM+1:FX'COM+2:TE'LIN+1++3:EN'QTY+21:05:PCE'QTY+1:2'"
		"UNS+S'CNT+2:1'", false);
	tear_down(&f);
}

/* The standard leaves free in what order the segments of one kind, and the loops of one kind, stand. */
static void shuffled_orders_come_back(void **state)
{
	(void)state;
	static const char *const references[] = {"REF*DP*7~", "REF*IA*8~", "REF*CO*9~", "REF*CR*10~", "REF*ZZ*11*d~"};
	static const char *const dates[] = {"DTM*002*20260101~", "DTM*010*20260102~", "DTM*002*260103~", "DTM*063*20260104~"};
	static const char *const parties[] = {"N1*BY*b*92*1~N4*c*OH~", "N1*ST*s~N3*st*more~", "N1*ST*t**x~N2*n2~", "N1*SF*f~N3*f3~N4*f4~REF*AA*1~", "N1*BY*second~"};
	static const char *const lines[] = {"PO1*1*5*EA**PE*VN*v*BP*b~PID*F****t~", "PO1*2*007*LF***VP*w~PID*F****t~PID*S****u~SCH*1*EA~", "PO1**.25*FT~N9*ZZ*1~MSG*m~", "PO1*9*1*XX~PO4*1~N1*ST*l~"};
	const struct {
		const char *const *v;
		size_t n;
	} parts[] = {{references, 5}, {dates, 4}, {parties, 5}, {lines, 4}};
	struct fixture f;
	unsigned seed = 7;
	set_up(&f, "s", "x12 850 004010 <-> order/1.0", ORDER_ROWS, NULL);
	for (int round = 0; round < 300; round++) {
		char body[2048] = "BEG*00*SA*P1**20260115~CUR*BY*USD~";
		for (size_t p = 0; p < 4; p++) {
			size_t order[8], n = parts[p].n;
			for (size_t i = 0; i < n; i++)
				order[i] = i;
			for (size_t i = n - 1; i; i--) {
				seed = seed * 1103515245 + 12345;
				size_t k = (seed >> 16) % (i + 1), t = order[i];
				order[i] = order[k];
				order[k] = t;
			}
			seed = seed * 1103515245 + 12345;
			for (size_t i = 0; i < 1 + (seed >> 16) % n; i++)
				strcat(body, parts[p].v[order[i]]);
		}
		strcat(body, "CTT*4~");
		comes_back(&f, "s", body, true);
	}
	tear_down(&f);
}

/* A document that was changed keeps what no row took where it was, as far as there is such a place. */
static void changed_documents_keep_their_rest(void **state)
{
	(void)state;
	struct fixture f;
	struct tree *document = NULL;
	set_up(&f, "s", "x12 850 004010 <-> order/1.0", ORDER_ROWS, NULL);
	assert_int_equal(map_read(f.run, map_find(f.set, SLICE("s")), SLICE("ST*850*1~BEG*00*SA*P1**20260115~REF*IA*9~PO1*1*5*EA~PO4*1~PO1*2*6*EA~PO4*2~SE*1*1~"), X12,
		NULL, &document, &f.e), 0);
	tree_find(document, SLICE("ID"))->text = SLICE("P2");
	assert_string_equal(write_tree(&f, map_find(f.set, SLICE("s-out")), document), "BEG*00*SA*P2**20260115~REF*IA*9~PO1*1*5*EA~PO4*1~PO1*2*6*EA~PO4*2~");
	struct tree *lines = tree_find(document, SLICE("Line"));
	lines->first->next = NULL; /* the second line goes, and its rest with it */
	assert_string_equal(write_tree(&f, map_find(f.set, SLICE("s-out")), document), "BEG*00*SA*P2**20260115~REF*IA*9~PO1*1*5*EA~PO4*1~");
	bool told = false;
	for (const struct map_note *n = map_run_notes(f.run); n; n = n->next)
		told |= n->kind == MAP_NOTE_UNWRITTEN && slice_is(n->value, "2") && slice_starts(n->place, "_unmapped (PO4");
	assert_true(told);
	tear_down(&f);
}

/* Damaged messages, and documents whose side-car was tampered with: an error or a message, never more. */
static void damage_is_survived(void **state)
{
	(void)state;
	static const char body[] = "ST*850*0001~BEG*00*SA*P1**20260115~REF*IA*9~REF*DP*7~CUR*SE*USD~N1*ST*s~N3*st~N1*BY*b~N4*c*OH~PO1*1*007.50*LF**PE*VP*v*UP*u~SCH*1*EA~HL*1**S~CTT*1*99~SE*1*0001~";
	static const char bytes[] = "~*>0129A\"[]{}:,";
	struct fixture f;
	unsigned seed = 3, written = 0;
	set_up(&f, "s", "x12 850 004010 <-> order/1.0", ORDER_ROWS, NULL);
	const struct map *in = map_find(f.set, SLICE("s"));
	for (int round = 0; round < 600; round++) {
		struct tree *document = NULL;
		struct van_buf message = VAN_BUF_INIT(0), json = VAN_BUF_INIT(0);
		bool sidecar = round % 2;
		van_buf_append_str(&message, body);
		map_run_reset(f.run);
		van_arena_reset(f.arena);
		for (int i = 0; i < 3 && !sidecar; i++) {
			seed = seed * 1103515245 + 12345;
			message.p[(seed >> 8) % message.n] = bytes[(seed >> 24) % (sizeof bytes - 1)];
		}
		int rc = map_read(f.run, in, van_buf_slice(&message), X12, NULL, &document, &f.e);
		assert_true(rc == 0 || !sidecar);
		if (rc == 0 && sidecar) {
			assert_int_equal(tree_write(document, false, &json), 0);
			for (int i = 0; i < 2; i++) {
				seed = seed * 1103515245 + 12345;
				json.p[(seed >> 8) % json.n] = bytes[(seed >> 24) % (sizeof bytes - 1)];
			}
			map_run_reset(f.run);
			rc = map_read_json(f.run, van_buf_slice(&json), &document, &f.e);
		}
		if (rc == 0 && document->kind == TREE_OBJECT)
			written += strncmp(write_tree(&f, map_reverse(in), document), "ERROR", 5) != 0;
		van_buf_free(&message);
		van_buf_free(&json);
	}
	assert_in_range(written, 100, 600);
	tear_down(&f);
}

/* --- the report, bounds ---------------------------------------------------------------------------------------------------------- */

static const struct map_note *note(const struct fixture *f, enum map_note_kind kind, const char *place)
{
	for (const struct map_note *n = map_run_notes(f->run); n; n = n->next)
		if (n->kind == kind && n->place.p && slice_is(n->place, place))
			return n;
	return NULL;
}

static void report_says_where_from(void **state)
{
	(void)state;
	struct fixture f;
	struct tree *document = NULL;
	set_up(&f, "s", "x12 850 004010 <-> order/1.0", ORDER_ROWS, &(struct map_options){.explain = true});
	assert_int_equal(map_read(f.run, map_find(f.set, SLICE("s")), SLICE("ST*850*1~BEG*00*SA*P1~PO1*1*5*EA~PO1*2*6*EA~PO4*2~SE*1*1~"), X12, NULL, &document, &f.e), 0);
	const struct map_note *n = note(&f, MAP_NOTE_TAKEN, "Line[2].Q");
	assert_non_null(n);
	assert_true(slice_is(n->segment, "PO1") && n->position == 4 && n->element == 2 && n->row == 19 && slice_is(n->loop, "PO1[2]") && slice_is(n->value, "6"));
	write_json(&f, "s-out", "{\"ID\":\"P1\",\"Line\":[{\"ID\":\"1\",\"Strange\":{\"deep\":\"x\"}}]}");
	n = note(&f, MAP_NOTE_UNWRITTEN, "Line[1].Strange.deep");
	assert_true(n && slice_is(n->value, "x"));
	n = note(&f, MAP_NOTE_WRITTEN, "Line[1].ID");
	assert_true(n && slice_is(n->segment, "PO1") && n->element == 1 && n->position == 3);
	tear_down(&f);
}

static void runs_are_bounded(void **state)
{
	(void)state;
	struct fixture f;
	struct tree *document = NULL;
	const struct slice message = SLICE("ST*850*1~BEG*00*SA*P1~PO1*1*5*EA~PO1*2*6*EA~PO4*2~SE*1*1~");
	static const struct map_options tight[] = {{.max_values = 6}, {.max_steps = 20}, {.max_memory = 3000}};
	for (size_t i = 0; i < 3; i++) {
		set_up(&f, "s", "x12 850 004010 <-> order/1.0", ORDER_ROWS, &tight[i]);
		int rc = map_read(f.run, map_find(f.set, SLICE("s")), message, X12, NULL, &document, &f.e);
		assert_true(rc == VAN_ELIMIT || rc == VAN_ENOMEM);
		assert_true(strstr(f.e.text, "map s") != NULL);
		tear_down(&f);
	}
}

static void sheets_yield_maps_both_ways(void **state)
{
	(void)state;
	struct fixture f;
	set_up(&f, "x12-850-order", "x12 850 004010 005010 <-> order/1.0", "ID,BEG.03\n", NULL);
	const struct map *in = map_find(f.set, SLICE("x12-005010-850-to-order")), *out = map_find(f.set, SLICE("order-to-x12-005010-850"));
	assert_non_null(in);
	assert_non_null(out);
	assert_ptr_equal(map_reverse(in), out);
	assert_ptr_equal(map_find_for(f.set, "x12", SLICE("850"), SLICE("005010X123")), in);
	assert_ptr_equal(map_find_out(f.set, SLICE("order/1.0"), "x12", SLICE("850"), SLICE("005010")), out);
	assert_null(map_find_out(f.set, SLICE("order/1.0"), "x12", SLICE_NONE, SLICE_NONE)); /* two versions: which? */
	tear_down(&f);
	set_up(&f, "edifact-orders-order", "edifact ORDERS D:96A <- order/1.0", "ID,BGM.02\n", NULL);
	assert_non_null(map_find(f.set, SLICE("order-to-edifact-d96a-orders")));
	assert_null(map_find(f.set, SLICE("edifact-d96a-orders-to-order")));
	assert_string_equal(write_json(&f, "order-to-edifact-d96a-orders", "{\"ID\":\"1\"}"), "BGM++1'");
	tear_down(&f);
	set_up(&f, "acme", "x12 850 009990 <-> order/1.0", "ID,BEG.03\n", NULL);
	struct edi_group_terms group;
	assert_int_equal(map_group(map_find(f.set, SLICE("acme-out")), &group, &f.e), VAN_ENOTFOUND);
	assert_non_null(strstr(f.e.text, "no dictionary for 850 009990"));
	tear_down(&f);
}

/* UNOX: the same escape sequences, however many segments without any follow. */
static void escape_sequences(void **state)
{
	(void)state;
	struct fixture f;
	set_up(&f, "s", "edifact ORDERS D:96A <- order/1.0",
		"ID,BGM.02,,,,,,,\nT,FTX.04.01,FTX.01=AAA,,,,,,\nU,RFF.01.02,RFF.01.01=CT,,,,,,\nV,PAI.01.01,,,,,,,\n", NULL);
	f.syntax = SLICE("UNOX:3");
	const char *name = "s-out";
	assert_string_equal(write_json(&f, name, "{\"ID\":\"\u65e5\u672c\"}"), "BGM++\x1b$BF|K\\\x1b(B'");
	assert_string_equal(write_json(&f, name, "{\"ID\":\"\u65e5\u672c\",\"T\":\"abc\"}"), "BGM++\x1b$BF|K\\\x1b(B'FTX+AAA+++abc'");
	assert_string_equal(write_json(&f, name, "{\"ID\":\"\u65e5\u672c\",\"T\":\"abc\",\"U\":\"1\"}"), "BGM++\x1b$BF|K\\\x1b(B'FTX+AAA+++abc'RFF+CT:1'");
	assert_string_equal(write_json(&f, name, "{\"ID\":\"\u65e5\u672c\",\"V\":\"1\",\"T\":\"abc\",\"U\":\"1\"}"),
		"BGM++\x1b$BF|K\\\x1b(B'PAI+1'FTX+AAA+++abc'RFF+CT:1'");
	/* one that a value leaves open would swallow the separators behind it */
	assert_memory_equal(write_json(&f, name, "{\"ID\":\"1\\u001b$B\",\"T\":\"abc\"}"), "ERROR", 5);
	tear_down(&f);
}

int main(void)
{
	dictionaries = edi_test_dictionaries();
	if (!dictionaries)
		return 99;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_sequences), cmocka_unit_test(segments_stand_in_the_order_of_the_standard),
		cmocka_unit_test(values_go_back),
		cmocka_unit_test(dates_go_back),
		cmocka_unit_test(numbers_go_back),
		cmocka_unit_test(there_is_room_for_so_much),
		cmocka_unit_test(other_currencies_are_told),
		cmocka_unit_test(expressions_in_cells),
		cmocka_unit_test(hierarchies_nest_and_come_back),
		cmocka_unit_test(order_comes_back),
		cmocka_unit_test(shuffled_orders_come_back),
		cmocka_unit_test(changed_documents_keep_their_rest),
		cmocka_unit_test(damage_is_survived),
		cmocka_unit_test(report_says_where_from),
		cmocka_unit_test(runs_are_bounded),
		cmocka_unit_test(sheets_yield_maps_both_ways),
	};
	int failed = cmocka_run_group_tests_name("map-out", tests, NULL, NULL);
	edi_dictionary_set_free(dictionaries);
	return failed;
}
