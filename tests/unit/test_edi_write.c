/* Writing segments and interchanges: separators, escaping, padding, counts, slots, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_input.h"

#include "edi/charset.h"
#include "edi/write_copy.h"
#include "edi/write_envelope.h"

static void same(const struct van_buf *b, const char *expected)
{
	if (b->n != strlen(expected) || memcmp(b->p, expected, b->n) != 0)
		fail_msg("\n%.*s\nis not\n%s", (int)b->n, b->p, expected);
}

static void segments(void **state)
{
	(void)state;
	const struct edi_delimiters edifact = {'+', ':', '*', '?', '\''}, x12 = {'*', '>', 0, 0, '~'};
	struct van_buf b = {0};
	struct edi_writer w;
	edi_writer_begin(&w, &b, EDI_EDIFACT, &edifact);
	edi_write_segment(&w, SLICE("FTX"));
	edi_write_element(&w, SLICE("AAI"));
	edi_write_element(&w, SLICE(""));
	edi_write_element(&w, SLICE("a+b:c'd?e*f"));
	edi_write_value(&w, SLICE("second"));
	edi_write_value(&w, SLICE(""));
	edi_write_repeat(&w);
	edi_write_value(&w, SLICE("again"));
	edi_write_element(&w, SLICE(""));
	edi_write_end(&w);
	assert_int_equal(edi_writer_error(&w, NULL), 0);
	same(&b, "FTX+AAI++a?+b?:c?'d??e?*f:second*again'");
	van_buf_reset(&b);
	edi_writer_begin(&w, &b, EDI_X12, &x12);
	w.lines = true;
	edi_write_segment(&w, SLICE("ISX"));
	edi_write_element(&w, SLICE("\\"));
	edi_write_end(&w);
	edi_write_segment(&w, SLICE("MSG"));
	edi_write_element(&w, SLICE("5*4>3\\"));
	edi_write_number(&w, 12);
	edi_write_padded(&w, SLICE("ab"), 4);
	edi_write_end(&w);
	assert_int_equal(edi_writer_error(&w, NULL), 0);
	same(&b, "ISX*\\~\nMSG*5\\*4\\>3\\\\*12*ab  ~\n");
	assert_int_equal(w.segments, 2);
	van_buf_free(&b);
}

static void refused(const char *value, size_t padded, const char *why)
{
	const struct edi_delimiters x12 = {'*', '>', 0, 0, '~'};
	struct van_buf b = {0};
	struct edi_writer w;
	struct van_error e = {0};
	edi_writer_begin(&w, &b, EDI_X12, &x12);
	edi_write_segment(&w, SLICE("PID"));
	edi_write_element(&w, SLICE("F"));
	if (padded)
		edi_write_padded(&w, slice_str(value), padded);
	else
		edi_write_element(&w, slice_str(value));
	edi_write_end(&w);
	assert_int_equal(edi_writer_error(&w, &e), VAN_EINVAL);
	if (!strstr(e.text, why))
		fail_msg("%s", e.text);
	van_buf_free(&b);
}

static void values_that_cannot_be_written(void **state)
{
	(void)state;
	refused("a*b", 0, "PID02: 'a*b' holds a delimiter");
	refused("a>b", 0, "PID02: 'a>b' holds a delimiter");
	refused("a~b", 0, "choose delimiters that do not occur");
	refused("abcde", 4, "PID02: 'abcde' is too long");
}

static void text_segment(struct edi_outbound *w, const char *id, const char *text)
{
	edi_write_segment(&w->writer, slice_str(id));
	edi_write_element(&w->writer, slice_str(text));
	edi_write_end(&w->writer);
}

static void render(struct edi_outbound *w, struct van_buf *to)
{
	struct edi_output out;
	struct van_error e = {0};
	const uint32_t interchange = 77, groups[] = {501, 502};
	if (edi_outbound_finish(w, &out, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(out.interchanges, 1);
	assert_int_equal(edi_output_render(&out, &interchange, groups, to), 0);
	edi_outbound_free(w);
}

static void no_envelope_errors(const struct van_buf *b)
{
	struct van_arena *arena = van_arena_new(0);
	const struct edi_check_options options = {.envelopes_only = true};
	struct edi_report *r;
	assert_int_equal(edi_check_bytes(van_buf_slice(b), NULL, &options, arena, &r, NULL), 0);
	assert_non_null(r->interchanges);
	assert_int_equal(r->interchanges->status, EDI_ACCEPTED);
	assert_null(r->errors);
	van_arena_free(arena);
}

static void x12_interchanges(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_outbound w;
	struct van_buf b = {0};
	struct van_error e;
	const struct edi_outbound_terms terms = {.standard = EDI_X12, .sender = SLICE("ZZ:ACME"), .receiver = SLICE("01:123456789"),
		.version = SLICE("00401"), .usage = 'T', .when = {.year = 2026, .month = 1, .day = 5, .hour = 9, .minute = 7}};
	const struct edi_group_terms orders = {.code = SLICE("PO"), .version = SLICE("004010")}, texts = {.code = SLICE("TX"), .version = SLICE("004010"),
		.sender = SLICE("DEPT"), .receiver = SLICE("OTHER")};
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), 0);
	edi_outbound_group(&w, &orders);
	edi_outbound_message(&w, SLICE("850"), SLICE_NONE, SLICE_NONE, SLICE_NONE);
	text_segment(&w, "BEG", "00");
	edi_outbound_message(&w, SLICE("850"), SLICE_NONE, SLICE_NONE, SLICE_NONE);
	text_segment(&w, "BEG", "05");
	edi_outbound_group(&w, &texts);
	edi_outbound_message(&w, SLICE("864"), SLICE_NONE, SLICE_NONE, SLICE_NONE);
	render(&w, &b);
	same(&b, "ISA*00*          *00*          *ZZ*ACME           *01*123456789      *260105*0907*U*00401*000000077*0*T*>~"
		"GS*PO*ACME*123456789*20260105*0907*501*X*004010~ST*850*0001~BEG*00~SE*3*0001~ST*850*0002~BEG*05~SE*3*0002~GE*2*501~"
		"GS*TX*DEPT*OTHER*20260105*0907*502*X*004010~ST*864*0001~SE*2*0001~GE*1*502~IEA*2*000000077~");
	no_envelope_errors(&b);
	van_buf_free(&b);
	van_arena_free(arena);
}

static void edifact_interchanges(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_outbound w;
	struct van_buf b = {0};
	struct van_error e;
	struct edi_outbound_terms terms = {.standard = EDI_EDIFACT, .sender = SLICE("14:4000000000001"), .receiver = SLICE("14:4000000000002:DEPT"),
		.version = SLICE("UNOC:3"), .application = SLICE("APP"), .usage = 'T', .ack_requested = true,
		.when = {.year = 2026, .month = 1, .day = 5, .hour = 9, .minute = 7}};
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), 0);
	edi_outbound_message(&w, SLICE("ORDERS"), SLICE("D:96A"), SLICE_NONE, SLICE("EAN008"));
	text_segment(&w, "FTX", "it's");
	render(&w, &b);
	same(&b, "UNB+UNOC:3+4000000000001:14+4000000000002:14:DEPT+260105:0907+77++APP++1++1'UNH+1+ORDERS:D:96A:UN:EAN008'FTX+it?'s'UNT+3+1'UNZ+1+77'");
	no_envelope_errors(&b);
	van_buf_reset(&b);
	terms = (struct edi_outbound_terms){.standard = EDI_EDIFACT, .sender = SLICE("14:4000000000001"), .receiver = SLICE("14:4000000000002"),
		.version = SLICE("UNOC:4"), .usage = 'P', .delimiters = {.element = '|'}, .lines = true,
		.when = {.year = 2026, .month = 1, .day = 5, .hour = 9, .minute = 7}};
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), 0);
	edi_outbound_group(&w, &(struct edi_group_terms){.code = SLICE("ORDERS"), .version = SLICE("D:96A")});
	edi_outbound_message(&w, SLICE("ORDERS"), SLICE("D:96A"), SLICE("UN"), SLICE_NONE);
	render(&w, &b);
	same(&b, "UNA:|.?*'\nUNB|UNOC:4|4000000000001:14|4000000000002:14|20260105:0907|77'\n"
		"UNG|ORDERS|4000000000001|4000000000002|20260105:0907|501|UN|D:96A'\nUNH|1|ORDERS:D:96A:UN'\nUNT|2|1'\nUNE|1|501'\nUNZ|1|77'\n");
	no_envelope_errors(&b);
	van_buf_free(&b);
	van_arena_free(arena);
}

#define SHIFTED "\x1b$B'+':?+:?\x1b(B"

/* What is written by hand, put right, or copied from one interchange into another: bytes of shifted characters look like separators. */
static void code_extension(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_outbound w;
	struct van_buf b = {0}, value = {0};
	struct van_error e;
	struct edi_outbound_terms terms = {.standard = EDI_EDIFACT, .sender = SLICE("14:4000000000001"), .receiver = SLICE("14:4000000000002"),
		.version = SLICE("UNOX:4"), .usage = 'P', .when = {.year = 2026, .month = 1, .day = 5, .hour = 9, .minute = 7}};
	static const struct slice kanji = SLICE("\xd0\x99\xd0\xa8\xe8\xbe\xb1\xe9\x8e\x96");
	static const char written[] = "UNB+UNOX:4+4000000000001:14+4000000000002:14+20260105:0907+77'UNH+1+ORDERS:D:96A:UN'FTX+" SHIFTED "?+'UNT+3+1'UNZ+1+77'";
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), 0);
	edi_outbound_message(&w, SLICE("ORDERS"), SLICE("D:96A"), SLICE_NONE, SLICE_NONE);
	edi_charset_from_utf8(EDI_CHARSET_UNOX, kanji, &value, NULL);
	van_buf_append_char(&value, '+');
	van_buf_append_char(&value, 0);
	text_segment(&w, "FTX", value.p);
	render(&w, &b);
	same(&b, written);
	no_envelope_errors(&b);
	van_buf_reset(&b);
	assert_int_equal(edi_rewrite(SLICE("UNB+UNOX:4+4000000000001:14+4000000000002:14+20260105:0907+77'UNH+1+ORDERS:D:96A:UN'\r\nFTX+" SHIFTED "?++'UNT+9+1'UNZ+4+77'"),
		NULL, &b), 0);
	same(&b, written);
	van_buf_reset(&b);
	const struct edi_delimiters from = {.element = '+', .component = ':', .repetition = '*', .release = '?', .terminator = '\'', .shifts = true};
	const struct slice message = SLICE("UNH+1+ORDERS:D:96A:UN'FTX+" SHIFTED "?+'UNT+3+1'");
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), 0);
	edi_outbound_message(&w, SLICE("ORDERS"), SLICE("D:96A"), SLICE_NONE, SLICE_NONE);
	assert_int_equal(edi_outbound_copy(&w, message, &from), 0);
	render(&w, &b);
	same(&b, written);
	van_buf_reset(&b);
	assert_int_equal(edi_rewrite(SLICE("UNB+UNOX:4+A+B'UNZ+0+\x1b$B"), NULL, &b), VAN_ESYNTAX);
	struct edi_writer x;
	edi_writer_begin(&x, &b, EDI_EDIFACT, &from);
	edi_write_segment(&x, SLICE("FTX"));
	edi_write_element(&x, SLICE("\x1b$B\xb0\xa1"));
	edi_write_end(&x);
	assert_int_equal(edi_writer_error(&x, &e), VAN_EINVAL);
	assert_non_null(strstr(e.text, "does not return to ASCII"));
	/* there its bytes would be separators */
	terms.version = SLICE("UNOC:4");
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), 0);
	edi_outbound_message(&w, SLICE("ORDERS"), SLICE("D:96A"), SLICE_NONE, SLICE_NONE);
	assert_int_equal(edi_outbound_copy(&w, message, &from), VAN_EINVAL);
	edi_outbound_free(&w);
	van_buf_free(&value);
	van_buf_free(&b);
	van_arena_free(arena);
}

static void terms_that_cannot_be_kept(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_outbound w;
	struct edi_output out;
	struct van_error e = {0};
	struct edi_outbound_terms terms = {.standard = EDI_X12, .sender = SLICE("ZZ:ACME"), .receiver = SLICE("ZZ:B"), .version = SLICE("00401"),
		.usage = 'P', .delimiters = {.element = '~'}};
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), VAN_EINVAL);
	assert_non_null(strstr(e.text, "two delimiters are '~'"));
	terms.delimiters = (struct edi_delimiters){.component = 'x'};
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), VAN_EINVAL);
	terms.delimiters = (struct edi_delimiters){.component = ':'};
	terms.sender = SLICE("ZZ:SIXTEEN CHARS  X");
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), 0);
	assert_int_equal(edi_outbound_finish(&w, &out, &e), VAN_EINVAL);
	assert_non_null(strstr(e.text, "ISA06"));
	edi_outbound_free(&w);
	van_arena_free(arena);
}

/* Where the numbers are known there are no slots: the bytes can be taken as they come. */
static void known_numbers(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_outbound w;
	struct edi_output out;
	struct van_buf b = {0};
	struct van_error e;
	struct edi_outbound_terms terms = {.standard = EDI_X12, .sender = SLICE("ZZ:ACME"), .receiver = SLICE("01:123456789"), .version = SLICE("00401"),
		.usage = 'P', .control = 77, .group_control = 999999999, .when = {.year = 2026, .month = 1, .day = 5, .hour = 9, .minute = 7}};
	assert_int_equal(edi_outbound_begin(&w, &terms, arena, &e), 0);
	for (int i = 0; i < 2; i++) {
		edi_outbound_group(&w, &(struct edi_group_terms){.code = SLICE("PO"), .version = SLICE("004010")});
		edi_outbound_message(&w, SLICE("850"), SLICE_NONE, SLICE_NONE, SLICE_NONE);
		edi_outbound_message_end(&w);
		van_buf_append_slice(&b, van_buf_slice(&w.draft.text));
		van_buf_reset(&w.draft.text);
	}
	assert_int_equal(edi_outbound_finish(&w, &out, &e), 0);
	assert_int_equal(out.part_count, 0);
	assert_int_equal(out.groups, 2);
	van_buf_append_slice(&b, van_buf_slice(&w.draft.text));
	same(&b, "ISA*00*          *00*          *ZZ*ACME           *01*123456789      *260105*0907*U*00401*000000077*0*P*>~"
		"GS*PO*ACME*123456789*20260105*0907*999999999*X*004010~ST*850*0001~SE*2*0001~GE*1*999999999~"
		"GS*PO*ACME*123456789*20260105*0907*1*X*004010~ST*850*0001~SE*2*0001~GE*1*1~IEA*2*000000077~");
	no_envelope_errors(&b);
	edi_outbound_free(&w);
	van_buf_free(&b);
	van_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(segments), cmocka_unit_test(values_that_cannot_be_written),
		cmocka_unit_test(x12_interchanges), cmocka_unit_test(edifact_interchanges), cmocka_unit_test(known_numbers),
		cmocka_unit_test(code_extension), cmocka_unit_test(terms_that_cannot_be_kept)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
