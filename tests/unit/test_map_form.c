/* JSON and XML forms: there and back gives the same bytes, in any chunking; bad documents are refused with their line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_input.h"

#include "map/form.h"

#include <dirent.h>

static int take(void *ctx, struct slice bytes)
{
	return van_buf_append_slice(ctx, bytes);
}

static const struct form_options all = {.fallback = EDI_CHARSET_NONE};

static int to_form(enum form form, struct slice in, size_t chunk, const struct form_options *options, struct van_buf *to, struct van_error *e)
{
	struct form_writer *w = form_writer_new(form, options, take, to);
	assert_non_null(w);
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < in.n; at += chunk) {
		size_t n = in.n - at < chunk ? in.n - at : chunk;
		char *copy = malloc(n);
		memcpy(copy, in.p + at, n);
		rc = form_writer_feed(w, slice_make(copy, n), false, e);
		free(copy);
	}
	if (rc == 0)
		rc = form_writer_feed(w, SLICE(""), true, e);
	form_writer_free(w);
	return rc;
}

static int from_form(enum form form, struct slice in, size_t chunk, const struct form_options *options, struct van_buf *to,
	struct van_error *e)
{
	struct form_reader *r = form_reader_new(form, options, take, to);
	assert_non_null(r);
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < in.n; at += chunk) {
		size_t n = in.n - at < chunk ? in.n - at : chunk;
		char *copy = malloc(n);
		memcpy(copy, in.p + at, n);
		rc = form_reader_feed(r, slice_make(copy, n), false, e);
		free(copy);
	}
	if (rc == 0)
		rc = form_reader_feed(r, SLICE(""), true, e);
	form_reader_free(r);
	return rc;
}

/* What must come back: the input without line ends between segments, one behind each interchange. */
static void there_and_back(enum form form, struct slice in, size_t chunk)
{
	struct van_buf document = {0}, again = {0}, back = {0};
	struct van_error e = {0};
	assert_int_equal(to_form(form, in, chunk, &all, &document, &e), 0);
	if (from_form(form, van_buf_slice(&document), chunk, &all, &back, &e) < 0)
		fail_msg("%s in: %.*s", e.text, (int)document.n, document.p);
	struct slice trimmed = van_buf_slice(&back);
	if (trimmed.n && trimmed.n == in.n + 1)
		trimmed.n--;
	if (!slice_eq(trimmed, in))
		fail_msg("%.*s\n---\n%.*s\n---\n%.*s", SLICE_ARG(in), (int)document.n, document.p, (int)back.n, back.p);
	assert_int_equal(to_form(form, van_buf_slice(&back), chunk, &all, &again, &e), 0);
	assert_true(slice_eq(van_buf_slice(&again), van_buf_slice(&document)));
	van_buf_free(&document);
	van_buf_free(&again);
	van_buf_free(&back);
}

#define ISA(repetition, version, component) "ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*" \
	repetition "*" version "*000000101*0*T*" component "~"

static const struct slice samples[] = {
	SLICE(ISA("U", "00401", ">") "GS*PO*ACME*VOLT*20260115*0930*101*X*004010~ST*850*0001~BEG*00*SA*1***~N9**>>~SE*3*0001~GE*1*101~IEA*1*000000101~"),
	SLICE(ISA("^", "00501", ":") "GS*PO*A*B*20260115*0930*1*X*005010~ST*850*0001~A1*a^b:c^^:~A2*^~A3*a:b:~SE*3*0001~GE*1*1~IEA*1*000000101~"),
	SLICE(ISA("U", "00401", "\\") "GS*PO*A*B*20260115*0930*1*X*004010~ST*850*1~X*\"quoted\"<&>\t*\x01\x1f~SE*2*1~GE*1*1~IEA*1*000000101~"),
	SLICE(ISA("U", "00401", ">") "GS*PO*A*B*20260115*0930*1*X*004010~ST*841*1~BIN*9*a~*\0\r\n>\xff\xfe~SE*2*1~GE*1*1~IEA*1*000000101~"),
	SLICE(ISA("U", "00401", ">") "ST*850*1~C\nT*1~SE*3*1~IEA*1*000000101~"),
	SLICE(ISA("U", "00401", ">") "ST*841*1~BIN*3*a~**b*c~SE*2*1~IEA*1*000000101~"),
	SLICE(ISA("^", "00704", ":") "ISX*?~GS*PO*A*B*20260115*0930*1*X*007040~ST*850*1~X*a?*b*c??d*?e~SE*2*1~GE*1*1~IEA*1*000000101~"),
	SLICE("UNB+UNOA:3+A+B+260115:0930+1'UNH+1+ORDERS:D:96A:UN'FTX+AAI+++a?+b?:c?'d??e'UNT+3+1'UNZ+1+1'"),
	SLICE("UNA:+.? 'UNB+UNOC:3+A+B+260115:0930+1'UNH+1+ORDERS:D:96A:UN'FTX+AAI+++caf\xe9 ?x*?*'UNT+3+1'UNZ+1+1'"),
	SLICE("UNA:+,?*'UNB+UNOF:4+A+B+20260115:0930+1'UNH+1+ORDERS:D:01B:UN'FTX+AAI*\xe1:\xae++:::'UNT+3+1'UNZ+1+1'"),
	SLICE("ISA*00*          *00*          *ZZ*A              *ZZ*B              *260115*0930*<*00501*000000101*0*T*&>GS*PO*A*B*20260115*0930*1*X*"
	      "005010>ST*850*1>X*a&b<c*\"*'>SE*2*1>GE*1*1>IEA*1*000000101>"),
	SLICE("UNB+UNOC:4+A+B+20260115:0930+1'UNH+1+ORDERS:D:01B:UN'*N?+H:x+1'UNT+3+1'UNZ+1+1'"),
	SLICE("UNB\x1dUNOB\x1f" "3\x1d" "A\x1d" "B\x1d" "260115\x1f" "0930\x1d" "1\x1cUNH\x1d" "1\x1dORDERS\x1f" "D\x1f" "96A\x1fUN\x1c" "DTM:1:2\x1d\x1f'\x1c"
	      "UNT\x1d" "3\x1d" "1\x1cUNZ\x1d" "1\x1d" "1\x1c"),
	SLICE("UNB+UNOW:4+A+B+20260115:0930+1'UNH+1+ORDERS:D:01B:UN'FTX:1+\xe2\x82\xac \xf0\x9f\x98\x80\xff\xef\x9f\xa9'UNT+3+1'UNZ+1+1'"),
	SLICE("UNB+UNOX:4+A+B+20260115:0930+1'UNH+1+ORDERS:D:01B:UN'FTX+\x1b$B'+':?+:?\x1b(B?+:\x1b$B0!\x1b(B*\x1b(I'\x1b(B+\x1b$)C\x0e'+\x0f?+:\x1b$@'+\n'UNT+3+1'"),
	SLICE("UNB+UNOC:4+A+B+20260115:0930+1'UNO+P1+ACE:R1+1+9'AB'\0\xff?+\n'UNP+9+P1'UNO+P2+ACE:R2+1+2'UNUNP+2+P2'UNZ+2+1'"),
	SLICE("UNB+UNOX:4+A+B+20260115:0930+1'UNO+P1+ACE:R1+1+4'\x1b$B'UNP+4+P1'UNZ+1+1'"),
	SLICE("UNB+UNOC:4+A+B+20260115:0930+1'UNO+P1+ACE:R1+1+99'cut o"),
	SLICE("UNB+UNOX:4+A+B'FTX+\x1b$B0!\xa7\xba\xbf\xab\x1b(B:x+\x1b$B\xa7\x1b(T:y'UNZ+0+1'"),
	SLICE("UNB+UNOX:4+A+B'\x1b$B'+\x1b(B*x+1:\x1b(J\x01\x1b$B'+\x1b(B?A+\x1b(J'UNZ+0+1'"),
	SLICE("ISA*00*          *00*          *ZZ*A              *ZZ*B              *260115*0930*U*00401*000000101*0*T*>\xc2\xa7GS*PO*A*B*20260115*0930*1*X*"
	      "004010\xc2\xa7GE*0*1\xc2\xa7IEA*1*000000101\xc2\xa7"),
};

static void comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		for (int form = FORM_JSON; form <= FORM_XML; form++) {
			there_and_back((enum form)form, samples[i], 1);
			there_and_back((enum form)form, samples[i], 7);
			there_and_back((enum form)form, samples[i], samples[i].n);
		}
}

/* An object is written in pieces, the same in any chunks, and stands right behind UNO where segments have lines of their own. */
static void large_objects(void **state)
{
	(void)state;
	struct van_buf in = {0}, document = {0}, other = {0}, back = {0};
	struct van_error e = {0};
	const struct form_options lines = {.lines = true};
	van_buf_append_str(&in, "UNB+UNOC:4+A+B+20260115:0930+1'\nUNO+P1+ACE:R1+1+200000'");
	for (unsigned i = 0; i < 200000; i++)
		van_buf_append_char(&in, (char)(i * 31 >> 3));
	van_buf_append_str(&in, "UNP+200000+P1'\nUNZ+1+1'\n");
	for (int form = FORM_JSON; form <= FORM_XML; form++) {
		van_buf_reset(&document);
		assert_int_equal(to_form((enum form)form, van_buf_slice(&in), in.n, &all, &document, &e), 0);
		for (size_t chunk = 1; chunk < in.n; chunk = chunk * 3 + 1) {
			van_buf_reset(&other);
			assert_int_equal(to_form((enum form)form, van_buf_slice(&in), chunk, &all, &other, &e), 0);
			assert_true(slice_eq(van_buf_slice(&document), van_buf_slice(&other)));
		}
		van_buf_reset(&back);
		assert_int_equal(from_form((enum form)form, van_buf_slice(&document), 1000, &lines, &back, &e), 0);
		assert_true(slice_eq(van_buf_slice(&in), van_buf_slice(&back)));
	}
	van_buf_free(&in);
	van_buf_free(&document);
	van_buf_free(&other);
	van_buf_free(&back);
}

static void several_interchanges_in_one_file(void **state)
{
	(void)state;
	struct van_buf in = {0}, document = {0}, back = {0}, x12 = {0};
	struct van_error e = {0};
	van_buf_append_slice(&in, samples[0]);
	van_buf_append_str(&in, "\n");
	van_buf_append_slice(&in, samples[8]);
	van_buf_append_str(&in, "\n");
	for (int form = FORM_JSON; form <= FORM_XML; form++) {
		van_buf_reset(&document);
		van_buf_reset(&back);
		van_buf_reset(&x12);
		assert_int_equal(to_form((enum form)form, van_buf_slice(&in), 100, &all, &document, &e), 0);
		assert_int_equal(from_form((enum form)form, van_buf_slice(&document), 100, &all, &back, &e), 0);
		assert_true(slice_eq(van_buf_slice(&in), van_buf_slice(&back)));
		const struct form_options only = {.standard = EDI_X12};
		assert_int_equal(from_form((enum form)form, van_buf_slice(&document), 100, &only, &x12, &e), 0);
		assert_int_equal(x12.n, samples[0].n + 1);
	}
	van_buf_free(&in);
	van_buf_free(&document);
	van_buf_free(&back);
	van_buf_free(&x12);
}

static void holds(const struct van_buf *b, const char *what)
{
	if (!memmem(b->p, b->n, what, strlen(what)))
		fail_msg("%s is not in: %.*s", what, (int)b->n, b->p);
}

/* The shape is a promise: doc/edi-forms.md. */
static void looks_as_promised(void **state)
{
	(void)state;
	struct van_buf json = {0}, xml = {0};
	struct van_error e;
	assert_int_equal(to_form(FORM_JSON, samples[1], 64, &all, &json, &e), 0);
	holds(&json, "\"envelope\":{\"standard\":\"X12\",\"charset\":\"UTF-8\",\"una\":null,\"delimiters\":{\"element\":\"*\",\"component\":\":\",\"repetition\":\"^\",\"release\":null,\"terminator\":\"~\"}}");
	holds(&json, "[\"A1\",[[\"a\"],[\"b\",\"c\"],[\"\"],[\"\",\"\"]]]");
	holds(&json, "[\"A3\",[\"a\",\"b\",\"\"]]");
	assert_int_equal(to_form(FORM_XML, samples[1], 64, &all, &xml, &e), 0);
	holds(&xml, "<segment id=\"A1\"><e><r><c>a</c></r><r><c>b</c><c>c</c></r><r><c/></r><r><c/><c/></r></e></segment>");
	van_buf_reset(&json);
	assert_int_equal(to_form(FORM_JSON, samples[8], 64, &all, &json, &e), 0);
	holds(&json, "\"charset\":\"ISO-8859-1\",\"una\":\":+.? '\"");
	holds(&json, "{\"raw\":\"caf\xc3\xa9 ?x*?*\"}");
	van_buf_reset(&json);
	assert_int_equal(to_form(FORM_JSON, samples[7], 64, &all, &json, &e), 0);
	holds(&json, "[\"FTX\",\"AAI\",\"\",\"\",\"a+b:c'd?e\"]");
	van_buf_reset(&json);
	assert_int_equal(to_form(FORM_JSON, samples[3], 64, &all, &json, &e), 0);
	holds(&json, "[\"BIN\",\"9\",{\"base64\":\"YX4qAA0KPv/+\"}]");
	van_buf_free(&json);
	van_buf_free(&xml);
}

static void the_fallback_names_the_character_set(void **state)
{
	(void)state;
	struct slice in = SLICE(ISA("U", "00401", ">") "GS*PO*A*B*20260115*0930*1*X*004010~ST*850*1~X*caf\xe9~SE*2*1~GE*1*1~IEA*1*000000101~");
	struct form_guess guess = {0}, utf8 = {0};
	for (size_t i = 0; i < in.n; i++)
		form_guess_feed(&guess, slice_make(in.p + i, 1));
	assert_int_equal(form_guess_fallback(&guess), EDI_CHARSET_UNOC);
	form_guess_feed(&utf8, SLICE("caf\xc3"));
	form_guess_feed(&utf8, SLICE("\xa9 \xe2\x82\xac"));
	assert_int_equal(form_guess_fallback(&utf8), EDI_CHARSET_NONE);
	const struct form_options options = {.fallback = EDI_CHARSET_UNOC};
	struct van_buf json = {0}, back = {0};
	struct van_error e;
	assert_int_equal(to_form(FORM_JSON, in, 1000, &options, &json, &e), 0);
	holds(&json, "\"caf\xc3\xa9\"");
	holds(&json, "\"charset\":\"ISO-8859-1\"");
	assert_int_equal(from_form(FORM_JSON, van_buf_slice(&json), 1000, &all, &back, &e), 0);
	assert_true(back.n == in.n + 1 && memcmp(back.p, in.p, in.n) == 0);
	van_buf_free(&json);
	van_buf_free(&back);
}

#define HEAD "{\"interchanges\":[{\"envelope\":{\"standard\":\"X12\",\"delimiters\":{\"element\":\"*\",\"component\":\":\",\"terminator\":\"~\"}},\"segments\":["
#define XHEAD "<edi><interchange standard=\"X12\" element=\"*\" component=\":\" terminator=\"~\">"

static void refuses(void **state)
{
	(void)state;
	static const struct {
		enum form form;
		const char *text, *why;
	} cases[] = {
		{FORM_JSON, "", "ends too early"}, {FORM_JSON, "{}", "interchanges"}, {FORM_JSON, "{\"interchanges\":[\n1]}", "line 2"},
		{FORM_JSON, "{\"interchanges\":[]", "ends too early"}, {FORM_JSON, "{\"interchanges\":[{\"segments\":[[\"ST\"]]}]}", "envelope"},
		{FORM_JSON, HEAD "[\"X\",\"a*b\"]]}]}", "X01: 'a*b' holds a delimiter"}, {FORM_JSON, HEAD "[]]}]}", "identifier"},
		{FORM_JSON, HEAD "[\"X\",[[\"a\"],[\"b\"]]]]}]}", "repetition separator"}, {FORM_JSON, HEAD "[\"X\",{\"some\":\"a\"}]]}]}", "raw"},
		{FORM_JSON, HEAD "[\"X\",[\"a\",[\"b\"]]]]}]}", "not both"}, {FORM_JSON, HEAD "[\"X\",true]]}]}", "not true"},
		{FORM_JSON, HEAD "[\"X\",{\"base64\":\"?\"}]]}]}", "base64"}, {FORM_JSON, HEAD "[\"X\",\"\\ud800x\"]]}]}", "pair"},
		{FORM_JSON, HEAD "{\"x\":\"a\"}]}]}", "a package's bytes"}, {FORM_JSON, HEAD "{\"object\":\"?\"}]}]}", "base64"},
		{FORM_XML, XHEAD "<object>?</object></interchange></edi>", "base64"}, {FORM_XML, XHEAD "<object><e/></object></interchange></edi>", "does not belong"},
		{FORM_JSON, HEAD "[\"X\",\"\\q\"]]}]}", "escape"}, {FORM_JSON, HEAD "[\"X\",\"\n\"]]}]}", "control character"}, {FORM_JSON, "{\"a\" 1}", "':'"},
		{FORM_JSON, "{\"interchanges\":[]} x", "behind its end"},
		{FORM_XML, "", "XML"}, {FORM_XML, "<other/>", "not <edi>"}, {FORM_XML, "<edi><p/></edi>", "does not belong"}, {FORM_XML, "<edi>\n\n<", "line 3"},
		{FORM_XML, "<!DOCTYPE edi [<!ENTITY a \"b\">]><edi/>", "document type"}, {FORM_XML, "<!DOCTYPE edi SYSTEM \"file:///etc/passwd\"><edi/>", "document type"},
		{FORM_XML, XHEAD "<segment id=\"X\"><e>a*b</e></segment></interchange></edi>", "X01: 'a*b' holds a delimiter"},
		{FORM_XML, XHEAD "<segment id=\"X\"><e><c>a</c><r>b</r></e></segment></interchange></edi>", "not both"},
		{FORM_XML, XHEAD "<segment/></interchange></edi>", "identifier"}, {FORM_XML, XHEAD "<segment id=\"X\"><e>&lol;</e></segment></interchange></edi>", "XML"},
		{FORM_XML, "<edi><interchange standard=\"X13\"/></edi>", "X12 or EDIFACT"},
		{FORM_XML, "<edi><interchange standard=\"X12\" element=\"ab\" terminator=\"~\"/></edi>", "one character"},
		{FORM_XML, "<edi><interchange standard=\"X12\" element=\"*\"/></edi>", "terminator"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t chunk = 1; chunk < 1000; chunk += 998) {
			struct van_buf out = {0};
			struct van_error e = {0};
			assert_true(from_form(cases[i].form, slice_str(cases[i].text), chunk, &all, &out, &e) < 0);
			if (!strstr(e.text, cases[i].why))
				fail_msg("%s: %s", cases[i].text, e.text);
			van_buf_free(&out);
		}
}

/* Written by people or other programs: blanks, members that are not known, numbers, null. */
static void reads_what_others_write(void **state)
{
	(void)state;
	struct van_buf out = {0};
	struct van_error e = {0};
	struct slice json = SLICE("\xef\xbb\xbf{ \"about\": {\"x\": [1, {\"y\": null}]}, \"interchanges\": [ {\n\"envelope\": {\"charset\": \"utf-8\", \"delimiters\":"
		"{\"component\": \":\", \"element\": \"*\", \"terminator\": \"~\"}, \"standard\": \"X12\", \"una\": null}, \"segments\":"
		"[ [\"X\", 12.50, null, \"\\u00e9\\ud83d\\ude00\", []] ] , \"more\": true } ] }\n");
	assert_int_equal(from_form(FORM_JSON, json, 1, &all, &out, &e), 0);
	assert_true(slice_is(van_buf_slice(&out), "X*12.50**\xc3\xa9\xf0\x9f\x98\x80*~\n"));
	van_buf_reset(&out);
	struct slice xml = SLICE("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<o:edi xmlns:o=\"urn:openvan:edi:1\"><!-- by hand -->\n"
		"<o:interchange standard=\"X12\" element=\"*\" component=\":\" terminator=\"0x0A\">\n <o:segment id=\"X\">\n  <o:e>12.50</o:e>\n <o:e/>"
		"<o:e><![CDATA[\xe9]]></o:e></o:segment></o:interchange></o:edi>");
	if (from_form(FORM_XML, xml, 1, &all, &out, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(slice_is(van_buf_slice(&out), "X*12.50**\xc3\xa9\n"));
	van_buf_free(&out);
}

static void input_without_interchange_is_refused(void **state)
{
	(void)state;
	struct van_buf out = {0};
	struct van_error e;
	assert_int_equal(to_form(FORM_JSON, SLICE("nothing"), 3, &all, &out, &e), VAN_ENOTFOUND);
	van_buf_free(&out);
}

static void segments_past_the_bound_are_refused(void **state)
{
	(void)state;
	struct van_buf in = {0}, out = {0};
	struct van_error e;
	const struct form_options options = {.max_segment = 2000};
	van_buf_append_str(&in, "UNB+UNOA:3+A+B+260115:0930+1'UNH+1+ORDERS:D:96A:UN'FTX+");
	for (int i = 0; i < 3000; i++)
		van_buf_append_char(&in, 'x');
	van_buf_append_str(&in, "'UNT+3+1'UNZ+1+1'");
	assert_int_equal(to_form(FORM_JSON, van_buf_slice(&in), 100, &options, &out, &e), VAN_ELIMIT);
	assert_non_null(strstr(e.text, "FTX"));
	van_buf_free(&in);
	van_buf_free(&out);
}

/* --- corpus ------------------------------------------------------------------------------------------------------------ */

/* Everything of a segment but where it stands. */
static int digest(void *ctx, const struct edi_segment *s)
{
	struct edi_digest *d = ctx;
	d->segments++;
	for (uint32_t i = 0; i < s->count; i++) {
		struct slice one = edi_segment_element(s, i);
		edi_digest_add(d, one.p, one.n);
		edi_digest_add(d, &one.n, sizeof one.n);
	}
	edi_digest_add(d, s->delimiters, sizeof *s->delimiters);
	return 0;
}

static struct edi_digest segments_of(struct slice in)
{
	struct edi_digest d = {1469598103934665603u, 0};
	struct edi_lexer *l = edi_lexer_new(NULL, digest, &d);
	edi_lexer_feed(l, in, true);
	edi_lexer_free(l);
	return d;
}

static void one_file(const char *path, unsigned *files)
{
	struct van_buf in = {0}, document = {0}, back = {0};
	struct van_error e;
	assert_int_equal(file_read(path, &in), 0);
	for (int form = FORM_JSON; form <= FORM_XML; form++) {
		van_buf_reset(&document);
		van_buf_reset(&back);
		if (to_form((enum form)form, van_buf_slice(&in), 4096, &all, &document, &e) == VAN_ENOTFOUND)
			break;
		if (from_form((enum form)form, van_buf_slice(&document), 4096, &all, &back, &e) < 0)
			fail_msg("%s: %s", path, e.text);
		struct edi_digest a = segments_of(van_buf_slice(&in)), b = segments_of(van_buf_slice(&back));
		if (a.h != b.h || a.segments != b.segments)
			fail_msg("%s: %llu segments, back %llu, or others", path, (unsigned long long)a.segments, (unsigned long long)b.segments);
		*files += form == FORM_JSON;
	}
	van_buf_free(&in);
	van_buf_free(&document);
	van_buf_free(&back);
}

static void corpus_comes_back(void **state)
{
	(void)state;
	static const char *const kinds[] = {"x12", "edifact"};
	unsigned files = 0;
	for (int i = 0; i < 2; i++) {
		char folder[3000], path[4096];
		const char *corpus = getenv("OPENVAN_CORPUS"), *root = getenv("VAN_SRCDIR");
		snprintf(folder, sizeof folder, "%s%s/edi/%s", corpus ? corpus : root ? root : ".", corpus ? "" : "/../shared/corpus", kinds[i]);
		DIR *d = opendir(folder);
		for (struct dirent *f; d && (f = readdir(d));)
			if (*f->d_name != '.') {
				snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
				one_file(path, &files);
			}
		if (d)
			closedir(d);
	}
	if (!files)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(large_objects),
		cmocka_unit_test(several_interchanges_in_one_file),
		cmocka_unit_test(looks_as_promised),
		cmocka_unit_test(the_fallback_names_the_character_set),
		cmocka_unit_test(refuses),
		cmocka_unit_test(reads_what_others_write),
		cmocka_unit_test(input_without_interchange_is_refused),
		cmocka_unit_test(segments_past_the_bound_are_refused),
		cmocka_unit_test(corpus_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
