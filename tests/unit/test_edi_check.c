/* EDI checks: every fault at its place with its code, envelopes, keys, acknowledgements written and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_dictionaries.h"

#include "edi/ack.h"
#include "edi/definition.h"
#include "edi/number_set.h"

#include <dirent.h>


/* --- building inputs --------------------------------------------------------------------------------------------------- */

#define ISA(version, ack) "ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*U*" version "*000000101*" ack "*T*>~"
#define GS(version) "GS*PO*ACMEAPP*VOLTAPP*20260115*0930*101*X*" version "~"
#define TAIL "GE*1*101~IEA*1*000000101~"
#define GOOD_850 "ST*850*0001~BEG*00*SA*P1**20260115~PO1*1*1*EA*2~SE*4*0001~"

/* An interchange with one 850 of these segments between ST and SE. */
static struct slice with_body(char *room, size_t n, const char *version, const char *body)
{
	unsigned segments = 2;
	for (const char *p = body; *p; p++)
		segments += *p == '~';
	int length = snprintf(room, n, "%sGS*PO*ACMEAPP*VOLTAPP*20260115*0930*101*X*%s~ST*850*0001~%sSE*%u*0001~" TAIL,
		strcmp(version, "005010") == 0 ? "ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*^*00501*000000101*0*T*>~"
		                               : ISA("00401", "0"), version, body, segments);
	return slice_make(room, (size_t)length);
}

static struct edi_report *checked(struct slice input, struct van_arena *arena, const struct edi_check_options *options)
{
	struct edi_report *r = NULL;
	struct van_error e = {0};
	assert_int_equal(edi_check_bytes(input, dictionaries, options, arena, &r, &e), 0);
	return r;
}

/* "PO1/3/3/0 AK403:7 " for each error. */
static void list_errors(const struct edi_error *errors, struct van_buf *to)
{
	for (const struct edi_error *e = errors; e; e = e->next)
		van_buf_printf(to, "%.*s/%u/%u/%u %s:%s ", SLICE_ARG(e->segment), (unsigned)e->position, e->element, e->component, e->list,
			e->code);
}

static void all_errors(const struct edi_report *r, struct van_buf *to)
{
	list_errors(r->errors, to);
	for (const struct edi_interchange *i = r->interchanges; i; i = i->next) {
		list_errors(i->errors, to);
		for (const struct edi_group *g = i->groups; g; g = g->next) {
			list_errors(g->errors, to);
			for (const struct edi_message *m = g->messages; m; m = m->next)
				list_errors(m->errors, to);
		}
	}
	van_buf_append_char(to, 0);
}

static void finds(struct slice input, const char *expected)
{
	struct van_arena *arena = van_arena_new(0);
	struct van_buf text = VAN_BUF_INIT(0);
	all_errors(checked(input, arena, NULL), &text);
	assert_string_equal(text.p, expected);
	van_buf_free(&text);
	van_arena_free(arena);
}

static void body_finds(const char *version, const char *body, const char *expected)
{
	char room[8192];
	finds(with_body(room, sizeof room, version, body), expected);
}

#define BEG "BEG*00*SA*P1**20260115~"
#define PO1 "PO1*1*1*EA*2~"

/* --- messages ---------------------------------------------------------------------------------------------------------- */

static void every_fault_has_its_code(void **state)
{
	(void)state;
	body_finds("004010", BEG PO1, "");
	body_finds("004010", BEG "XX9*1~" PO1, "XX9/3/0/0 AK304:1 ");
	body_finds("004010", BEG "N3*Street 1~" PO1, "N3/3/0/0 AK304:2 ");
	body_finds("004010", PO1, "BEG/2/0/0 AK304:3 ");
	body_finds("004010", BEG, "PO1/3/0/0 AK304:3 ");
	body_finds("004010", BEG BEG PO1, "BEG/3/0/0 AK304:5 ");
	body_finds("004010", BEG "HL*1**S~" PO1, "HL/3/0/0 AK304:6 ");
	body_finds("004010", BEG PO1 BEG, "BEG/4/0/0 AK304:7 ");
	body_finds("004010", "BEG*00*SA***20260115~" PO1, "BEG/2/3/0 AK403:1 ");
	body_finds("004010", BEG "PO1*1*1**2*PE~", "");
	body_finds("004010", BEG "PO1*1**EA*2~", "PO1/3/2/0 AK403:2 ");
	body_finds("004010", BEG "PO1*1*1*EA*2**VN~", "PO1/3/7/0 AK403:2 ");
	body_finds("004010", BEG "N1*BY~" PO1, "N1/3/2/0 AK403:2 ");
	body_finds("004010", BEG "CTT*1~" PO1, "PO1/3/0/0 AK304:3 PO1/4/0/0 AK304:7 ");
	body_finds("004010", BEG "REF*DP*1*x*IV>1>DP>y>IA>a>b~" PO1, "REF/3/4/7 AK403:3 ");
	body_finds("004010", BEG "N3*a*b*c~" PO1, "N3/3/0/0 AK304:2 N3/3/3/0 AK403:3 ");
	body_finds("004010", BEG "N1*BY*A~N4*X~" PO1, "N4/4/1/0 AK403:4 ");
	body_finds("004010", BEG "N1*BY*A~N4*Rome*LAZ~" PO1, "N4/4/2/0 AK403:5 ");
	body_finds("004010", BEG "PO1*1*1x*EA*2~", "PO1/3/2/0 AK403:6 ");
	body_finds("004010", BEG "MSG*a\tb~" PO1, "MSG/3/0/0 AK304:2 MSG/3/1/0 AK403:6 ");
	body_finds("004010", BEG "PO1*1*1*QQ*2~", "PO1/3/3/0 AK403:7 ");
	body_finds("004010", "BEG*00*SA*P1**20260230~" PO1, "BEG/2/5/0 AK403:8 ");
	body_finds("004010", BEG "DTM*002*20260202*2460~" PO1, "DTM/3/3/0 AK403:9 ");
	body_finds("004010", BEG "SAC*A~" PO1, "SAC/3/2/0 AK403:2 ");
}

static void repeats_and_loops(void **state)
{
	(void)state;
	char body[8192] = BEG;
	for (int i = 0; i < 4; i++)
		strcat(body, "PER*BD*A~");
	strcat(body, PO1);
	body_finds("004010", body, "PER/6/0/0 AK304:5 ");
	strcpy(body, BEG);
	for (int i = 0; i < 26; i++)
		strcat(body, "SAC*A*C310***100~");
	strcat(body, PO1);
	body_finds("004010", body, "SAC/28/0/0 AK304:4 ");
	body_finds("004010", BEG PO1 "LS*LDT~LDT*AF*1*DA~LE*LDT~" PO1, "");
	body_finds("004010", BEG PO1 "LS*LDT~LDT*AF*1*DA~LE*LDX~" PO1, "LE/6/1/0 AK403:7 ");
	body_finds("004010", BEG PO1 "LS*LDT~LDT*AF*1*DA~LE*LDT~LE*X~" PO1, "LE/7/0/0 AK304:5 ");
	body_finds("004010", BEG PO1 "LS*LDT~" PO1, "LDT/5/0/0 AK304:3 LE/5/0/0 AK304:3 ");
	body_finds("004010", BEG PO1 "PID*F****A~PID*F****B~N9*ZZ*1~MSG*x~N1*ST*A~N3*b~SLN*1**I~" PO1 "CTT*2~AMT*TT*1~", "");
}

/* Numbers are looked at eight bytes at a time, or one by one: the verdicts are the same. PO102 is R 1-15, PO401 is
 * N0 1-6. */
static void numbers(void **state)
{
	(void)state;
	static const struct {
		const char *value, *verdict;
	} rows[] = {
		{"1", ""}, {"0", ""}, {".5", ""}, {"5.", ""}, {"-5", ""}, {"-.5", ""}, {"1234567", ""}, {"12345678", ""}, {"1234567.", ""},
		{"123456.8", ""}, {"123456789", ""}, {"1234567.89", ""}, {"123456789012345", ""}, {"-12345678901234.5", ""},
		{".", "6"}, {"-", "6"}, {"1.2.3", "6"}, {"..", "6"}, {"1-", "6"}, {"1 2", "6"}, {" 12", "6"}, {"+1", "6"}, {"1,5", "6"},
		{"1/2", "6"}, {"1:2", "6"}, {"12345a78", "6"}, {"x2345678", "6"}, {"1234567x", "6"}, {"12345678901234567", "5"},
		{"1E5", ""}, {"-12.5E-3", ""}, {".5E10", ""}, {"1234567890123E45", ""}, {"1234567890123E-456", "5"}, {"E5", "6"}, {"1E", "6"},
		{"1E-", "6"}, {"1E+5", "6"}, {"1E.5", "6"}, {"1E5E6", "6"}, {"1e5", "6"}, {"1E5-", "6"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int before = 0; before < 20; before++) { /* wherever the value stands */
			char body[200], expected[40] = "";
			snprintf(body, sizeof body, BEG "PO1*%.*s*%s*EA*2~", before, "12345678901234567890", rows[i].value);
			if (*rows[i].verdict)
				snprintf(expected, sizeof expected, "PO1/3/2/0 AK403:%s ", rows[i].verdict);
			body_finds("004010", body, expected);
		}
	body_finds("004010", BEG PO1 "PO4*12~", "");
	body_finds("004010", BEG PO1 "PO4*1.5~", "PO4/4/1/0 AK403:6 ");
	body_finds("004010", BEG PO1 "PO4*1.~", "PO4/4/1/0 AK403:6 ");
	body_finds("004010", BEG PO1 "PO4*1E1~", "PO4/4/1/0 AK403:6 ");
}

/* A byte that is not allowed is found wherever it stands, also at the ends of what the lexer takes at a time. */
static void odd_bytes_are_found_anywhere(void **state)
{
	(void)state;
	static const char odd[] = "\x01\t\n\r\x1f\x7f>";
	char body[4000] = BEG "PO1*1*1*EA*2~";
	for (int i = 0; i < 60; i++)
		strcat(body, "PID*F****Twenty characters..~\n");
	for (char *p = body; (p = strstr(p, "Twenty")); p += 7)
		for (size_t i = 0; odd[i]; i++) {
			char expected[40], *at = p + i * 2, good = *at;
			unsigned position = 2;
			for (const char *q = body; q < p; q++)
				position += *q == '~';
			*at = odd[i];
			snprintf(expected, sizeof expected, "PID/%u/5/0 AK403:6 ", position);
			body_finds("004010", body, expected);
			*at = good;
		}
}

/* Line ends after a terminator are in no segment; two bytes later they are. */
static void line_ends_next_to_terminators(void **state)
{
	(void)state;
	body_finds("004010", BEG "\r\nPO1*1*1*EA*2~\n\r", "");
	body_finds("004010", BEG "X\n*1~" PO1, "X\n/3/0/0 AK304:1 ");
	body_finds("004010", BEG "\r\nN1*BY*A\n~" PO1, "N1/3/2/0 AK403:6 ");
}

static void later_version_has_its_own_codes(void **state)
{
	(void)state;
	body_finds("005010", BEG PO1, "");
	body_finds("005010", BEG "REF*DP*1*x*IV>1>DP>y>IA>a>b~" PO1, "REF/3/4/7 AK403:13 ");
	body_finds("005010", "BEG*00*SA*P1^P2**20260115~" PO1, "BEG/2/3/0 AK403:12 ");
	body_finds("005010", BEG "PO1*1*1*QQ*2~", "PO1/3/3/0 AK403:7 ");
	body_finds("005010", BEG "REF*ZY*1~" PO1, ""); /* a code of both releases */
	body_finds("004010", BEG "REF*AFA*1~" PO1, "REF/3/1/0 AK403:7 "); /* 005010 has it, 004010 has not */
	body_finds("005010", BEG "REF*AFA*1~" PO1, "");
}

static void acknowledgements_of_any_version_are_known(void **state)
{
	(void)state;
	static const char *const versions[] = {"003040", "004010", "004030", "005010X231A1", "006020"};
	for (size_t i = 0; i < 5; i++) {
		struct van_arena *arena = van_arena_new(0);
		struct slice text = van_arena_printf(arena, ISA("00401", "0") "GS*FA*A*B*20260115*0930*7*X*%s~ST*997*0001~AK1*PO*1~AK5*A~AK9*A*1*1*1~"
			"SE*5*0001~GE*1*7~IEA*1*000000101~", versions[i]);
		const struct edi_message *m = checked(text, arena, NULL)->interchanges->groups->messages;
		assert_true(m->known);
		assert_string_equal(m->errors->code, "2");
		assert_true(slice_is(m->errors->segment, "AK5"));
		assert_null(m->errors->next);
		van_arena_free(arena);
	}
}

static void unknown_types_are_told(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_report *r = checked(SLICE(ISA("00401", "0") "GS*IN*A*B*20260115*0930*7*X*002003~ST*810*0001~BIG*20260115*INV7**PO9~"
		"SE*3*0001~GE*1*7~IEA*1*000000101~"), arena, NULL);
	const struct edi_message *m = r->interchanges->groups->messages;
	assert_false(m->known);
	assert_int_equal(m->status, EDI_ACCEPTED);
	assert_string_equal(m->keys->kind, "invoice");
	assert_true(slice_is(m->keys->value, "INV7"));
	assert_string_equal(m->keys->next->kind, "po");
	assert_true(slice_is(m->keys->next->value, "PO9"));
	van_arena_free(arena);
}

static void edifact_orders(void **state)
{
	(void)state;
#define UNB "UNB+UNOA:3+ACME:14+VOLT:14:DEPT+260115:0930+77++ORDERS++1++1'"
#define UNH "UNH+1+ORDERS:D:96A:UN'"
	finds(SLICE(UNB UNH "BGM+220+PO1+9'DTM+137:20260115:102'UNS+S'UNT+5+1'UNZ+1+77'"), "");
	finds(SLICE(UNB UNH "BGM+220+PO1+9'UNS+S'UNT+4+1'UNZ+1+77'"), "DTM/3/0/0 0085:13 ");
	finds(SLICE(UNB UNH "BGM+2200+PO1+9'DTM+137:20260115:102'LIN+x'XYZ'UNS+S'UNT+9+2'UNZ+2+78'"),
		"UNZ/0/2/0 0085:28 UNZ/0/1/0 0085:29 BGM/2/1/1 0085:39 LIN/4/1/0 0085:37 XYZ/5/0/0 0085:15 UNT/7/2/0 0085:28 UNT/7/1/0 0085:29 ");
	struct van_arena *arena = van_arena_new(0);
	struct edi_report *r = checked(SLICE(UNB UNH "BGM+220+PO?+1+9'DTM+137:20260115:102'UNS+S'UNT+5+1'UNZ+1+77'"), arena, NULL);
	const struct edi_interchange *i = r->interchanges;
	assert_true(slice_is(i->sender, "14:ACME"));
	assert_true(slice_is(i->receiver, "14:VOLT:DEPT"));
	assert_true(slice_is(i->version, "UNOA:3"));
	assert_int_equal(i->usage, 'T');
	assert_true(i->ack_requested);
	assert_false(i->groups->real);
	assert_true(slice_is(i->groups->messages->keys->value, "PO+1"));
	van_arena_free(arena);
}

/* --- envelopes --------------------------------------------------------------------------------------------------------- */

static void envelopes(void **state)
{
	(void)state;
	finds(SLICE("nothing"), "/0/0/0 TA105:022 ");
	finds(SLICE(ISA("00401", "0") GS("004010") GOOD_850 TAIL), "");
	finds(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "GE*1*101~IEA*1*000000102~"), "IEA/0/2/0 TA105:001 ");
	finds(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "GE*1*101~IEA*2*000000101~"), "IEA/0/1/0 TA105:021 ");
	finds(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "GE*1*101~"), "IEA/0/0/0 TA105:023 ");
	finds(SLICE(ISA("00401", "7") GS("004010") GOOD_850 TAIL), "ISA/0/14/0 TA105:019 ");
	finds(SLICE(ISA("004x1", "0") GS("004010") GOOD_850 TAIL), "ISA/0/12/0 TA105:017 ");
	finds(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "GE*1*102~IEA*1*000000101~"), "GE/0/2/0 AK905:4 ");
	finds(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "GE*2*101~IEA*1*000000101~"), "GE/0/1/0 AK905:5 ");
	finds(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "IEA*1*000000101~"), "GE/0/0/0 AK905:3 ");
	finds(SLICE(ISA("00401", "0") "GS*PO*A*B*20260115*0930*x*X*004010~" GOOD_850 "GE*1*x~IEA*1*000000101~"), "GS/0/6/0 AK905:6 ");
	finds(SLICE(ISA("00401", "0") GS("004010") "ST*850*0001~" BEG PO1 "GE*1*101~IEA*1*000000101~"), "SE/3/0/0 AK502:2 ");
	finds(SLICE(ISA("00401", "0") GS("004010") "ST*850*0001~" BEG PO1 "SE*4*0002~" TAIL), "SE/4/2/0 AK502:3 ");
	finds(SLICE(ISA("00401", "0") GS("004010") "ST*850*0001~" BEG PO1 "SE*9*0001~" TAIL), "SE/4/1/0 AK502:4 ");
	finds(SLICE(ISA("00401", "0") GS("004010") GOOD_850 GOOD_850 "GE*2*101~IEA*1*000000101~"), "ST/1/2/0 AK502:23 ");
	finds(SLICE(ISA("00401", "0") GOOD_850 "IEA*0*000000101~"), "ST/0/0/0 TA105:022 ");
	finds(SLICE("ISA*00**00**ZZ*A*ZZ*B*260115*0930~" GS("004010") GOOD_850 "GE*1*101~IEA*1*1~"), "ISA/0/0/0 TA105:022 IEA/0/2/0 TA105:001 ");
}

static void offsets_cut_exact_bytes(void **state)
{
	(void)state;
	const char *first = ISA("00401", "0") GS("004010") GOOD_850 TAIL, *second = UNB UNH "UNT+2+1'UNZ+1+77'";
	char input[4096];
	int n = snprintf(input, sizeof input, "\xef\xbb\xbf%s\r\n\r\nUNA:+.? '%s\n", first, second);
	struct van_arena *arena = van_arena_new(0);
	struct edi_report *r = checked(slice_make(input, (size_t)n), arena, NULL);
	const struct edi_interchange *a = r->interchanges, *b = a->next;
	assert_true(slice_is(slice_make(input + a->offset, a->length), first));
	assert_memory_equal(input + b->offset, "UNA:+.? 'UNB", 12);
	assert_int_equal(b->length, strlen(second) + 9);
	const struct edi_message *m = a->groups->messages;
	assert_true(slice_is(slice_make(input + m->offset, m->length), GOOD_850));
	assert_true(r->byte_order_mark);
	assert_null(b->next);
	van_arena_free(arena);
}

static void policies(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_check_options tolerant = {.policy.tolerate_counts = true, .policy.tolerate_elements = true, .max_message_errors = 2};
	struct edi_report *r = checked(SLICE(ISA("00401", "0") GS("004010") "ST*850*0001~" BEG "PO1*1*1*QQ*x~PO1*1*1*QQ*x~SE*9*0001~" TAIL),
		arena, &tolerant);
	const struct edi_message *m = r->interchanges->groups->messages;
	assert_int_equal(m->status, EDI_ACCEPTED_WITH_ERRORS);
	assert_int_equal(m->error_count, 5);
	assert_non_null(m->errors->next);
	assert_null(m->errors->next->next);
	assert_true(r->truncated);
	assert_int_equal(r->interchanges->groups->status, EDI_ACCEPTED_WITH_ERRORS);
	assert_int_equal(r->interchanges->status, EDI_ACCEPTED_WITH_ERRORS);
	van_arena_free(arena);
}

/* --- any chunking ------------------------------------------------------------------------------------------------------ */

struct streamed {
	struct van_buf text;
};

static int stream_message(void *ctx, const struct edi_message *m)
{
	edi_message_to_json(m, &((struct streamed *)ctx)->text);
	return 0;
}

static int stream_group(void *ctx, const struct edi_group *g)
{
	edi_group_members_to_json(g, &((struct streamed *)ctx)->text);
	return 0;
}

static int stream_interchange(void *ctx, const struct edi_interchange *i)
{
	struct streamed *s = ctx;
	edi_interchange_members_to_json(i, &s->text);
	van_buf_printf(&s->text, "@%llu+%llu", (unsigned long long)i->offset, (unsigned long long)i->length);
	return 0;
}

static void stream(struct slice input, size_t chunk, struct streamed *s)
{
	const struct edi_check_sink sink = {NULL, NULL, stream_message, stream_group, stream_interchange, s};
	struct edi_checker *c = edi_checker_new(dictionaries, NULL, &sink);
	s->text = VAN_BUF_INIT(0);
	for (size_t at = 0; at < input.n; at += chunk)
		assert_int_equal(edi_checker_feed(c, slice_make(input.p + at, input.n - at < chunk ? input.n - at : chunk), false), 0);
	assert_int_equal(edi_checker_feed(c, slice_make("", 0), true), 0);
	edi_errors_to_json(edi_checker_report(c)->errors, &s->text);
	edi_checker_free(c);
}

static void same_in_chunks(struct slice input)
{
	static const size_t chunks[] = {1, 2, 3, 7, 64, 65, 1000};
	struct streamed whole, other;
	stream(input, input.n ? input.n : 1, &whole);
	for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
		stream(input, chunks[i], &other);
		assert_true(slice_eq(van_buf_slice(&whole.text), van_buf_slice(&other.text)));
		van_buf_free(&other.text);
	}
	van_buf_free(&whole.text);
}

static void any_chunking_gives_the_same_report(void **state)
{
	(void)state;
	char path[4096];
	struct van_buf sample = VAN_BUF_INIT(0);
	assert_int_equal(file_read(edi_source_path(path, sizeof path, "partners/samples/850.edi"), &sample), 0);
	same_in_chunks(van_buf_slice(&sample));
	van_buf_free(&sample);
	same_in_chunks(SLICE(UNB UNH "BGM+2200+P?'O1+9'DTM+137:20260115:102'LIN+x'XYZ'UNS+S'UNT+9+2'UNZ+2+78'"));
}

/* --- acknowledgements -------------------------------------------------------------------------------------------------- */

static const van_time TIME = 1768473000 * VAN_SECOND; /* 2026-01-15T10:30:00Z */

static void answers(struct slice input, const struct edi_ack_options *options, const char *expected)
{
	struct van_arena *arena = van_arena_new(0);
	struct edi_report *r = checked(input, arena, NULL);
	struct edi_output ack;
	struct van_buf text = VAN_BUF_INIT(0);
	uint32_t interchange = 55, groups[] = {7, 8, 9};
	assert_int_equal(edi_ack_write(r->interchanges, options, TIME, arena, &ack, NULL), 0);
	assert_int_equal(edi_output_render(&ack, &interchange, groups, &text), 0);
	van_buf_append_char(&text, 0);
	assert_string_equal(text.p, expected);
	if (text.n > 1) {
		text.n--;
		struct edi_report *own = checked(van_buf_slice(&text), arena, NULL);
		assert_int_equal(own->interchanges->status, EDI_ACCEPTED);
		struct edi_output none = {0};
		assert_int_equal(edi_ack_write(own->interchanges, NULL, TIME, arena, &none, NULL), 0);
		assert_int_equal(none.part_count, 0); /* never for an acknowledgement */
	}
	van_buf_free(&text);
	van_arena_free(arena);
}

#define BACK "ISA*00*          *00*          *ZZ*VOLT           *ZZ*ACME           *260115*1030*U*00401*000000055*0*T*>~"
#define BACK_GS "GS*FA*VOLTAPP*ACMEAPP*20260115*1030*7*X*004010~ST*997*0001~AK1*PO*101~"
#define BACK_TAIL "GE*1*7~IEA*1*000000055~"

static void writes_997(void **state)
{
	(void)state;
	struct edi_ack_options all = {.accepted_messages = true};
	answers(SLICE(ISA("00401", "0") GS("004010") GOOD_850 TAIL), NULL, BACK BACK_GS "AK9*A*1*1*1~SE*4*0001~" BACK_TAIL);
	answers(SLICE(ISA("00401", "0") GS("004010") GOOD_850 TAIL), &all, BACK BACK_GS "AK2*850*0001~AK5*A~AK9*A*1*1*1~SE*6*0001~" BACK_TAIL);
	/* computed by hand: a town's state and postal code, an unknown segment, a missing quantity and an unknown unit */
	answers(SLICE(ISA("00401", "0") GS("004010") "ST*850*0001~" BEG "N1*BY*A~N4*Rome*LAZ*1~XX9*1~PO1*1**QQ*2~SE*7*0001~" TAIL), NULL,
		BACK BACK_GS "AK2*850*0001~AK3*N4*4**8~AK4*2*156*5*LAZ~AK4*3*116*4*1~AK3*XX9*5**1~AK3*PO1*6**8~AK4*3*355*7*QQ~AK4*2*330*2~"
		"AK5*R*5~AK9*R*1*1*0~SE*13*0001~" BACK_TAIL);
	/* count, control number and a segment in error: the codes of AK5 stand in the order 5, then as found */
	answers(SLICE(ISA("00401", "0") GS("004010") "ST*850*0001~" BEG "PO1*1*1*EA*2~HL*1~SE*9*0002~" TAIL), NULL,
		BACK BACK_GS "AK2*850*0001~AK3*HL*4**6~AK5*R*5*3*4~AK9*R*1*1*0~SE*7*0001~" BACK_TAIL);
	/* two of three accepted, and the group's count is wrong as well: the group is rejected, none counts as accepted */
	answers(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "ST*850*0002~" BEG "SE*3*0002~" "GE*2*101~IEA*1*000000101~"), NULL,
		BACK BACK_GS "AK2*850*0002~AK3*PO1*3**3~AK5*R*5~AK9*P*2*2*1~SE*7*0001~" BACK_TAIL);
	answers(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "GE*3*101~IEA*1*000000101~"), NULL,
		BACK BACK_GS "AK9*R*3*1*0*5~SE*4*0001~" BACK_TAIL);
}

static void writes_ta1(void **state)
{
	(void)state;
	struct edi_ack_options asked = {.ta1 = true}, never = {.no_ta1 = true};
	answers(SLICE(ISA("00401", "1") GS("004010") GOOD_850 TAIL), NULL,
		BACK "TA1*000000101*260115*0930*A*000~" BACK_GS "AK9*A*1*1*1~SE*4*0001~" BACK_TAIL);
	answers(SLICE(ISA("00401", "0") GS("004010") GOOD_850 TAIL), &asked,
		BACK "TA1*000000101*260115*0930*A*000~" BACK_GS "AK9*A*1*1*1~SE*4*0001~" BACK_TAIL);
	/* a rejected ISA gets a TA1 and no 997 */
	answers(SLICE(ISA("00401", "0") GS("004010") GOOD_850 "GE*1*101~IEA*1*000000102~"), NULL,
		BACK "TA1*000000101*260115*0930*R*001~IEA*0*000000055~");
	answers(SLICE(ISA("00401", "1") GS("004010") GOOD_850 "GE*1*101~IEA*1*000000102~"), &never, "");
	answers(SLICE(ISA("00401", "1") "TA1*000000009*260101*0000*A*000~IEA*0*000000101~"), NULL, "");
}

static void writes_999_and_contrl(void **state)
{
	(void)state;
	struct edi_ack_options as_999 = {.kind = EDI_ACK_999};
	answers(SLICE("ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*^*00501*000000101*0*T*>~" GS("005010")
		"ST*850*0001~" BEG "REF*DP*1*x*IV>1>DP>y>IA>a>b~PO1*1*1*EA*2~SE*5*0001~" TAIL), &as_999,
		"ISA*00*          *00*          *ZZ*VOLT           *ZZ*ACME           *260115*1030*^*00501*000000055*0*T*>~"
		"GS*FA*VOLTAPP*ACMEAPP*20260115*1030*7*X*005010X231A1~ST*999*0001*005010X231A1~AK1*PO*101*005010~AK2*850*0001~"
		"IK3*REF*3**8~IK4*4>7**13*b~IK5*R*5~AK9*R*1*1*0~SE*8*0001~" BACK_TAIL);
	answers(SLICE(UNB UNH "BGM+220+PO1+9'DTM+137:20260115:102'UNS+S'UNT+5+1'UNZ+1+77'"), NULL,
		"UNB+UNOA:3+VOLT:14:DEPT+ACME:14+260115:1030+55++++++1'UNH+1+CONTRL:D:3:UN'UCI+77+ACME:14+VOLT:14:DEPT+7'UNT+3+1'UNZ+1+55'");
	answers(SLICE(UNB UNH "BGM+2200+PO1+9'DTM+137:20260115:102'XYZ'UNS+S'UNT+6+1'UNZ+1+77'"), NULL,
		"UNB+UNOA:3+VOLT:14:DEPT+ACME:14+260115:1030+55++++++1'UNH+1+CONTRL:D:3:UN'UCI+77+ACME:14+VOLT:14:DEPT+7'"
		"UCM+1+ORDERS:D:96A:UN+4'UCS+2'UCD+39+2:1'UCS+4+15'UNT+7+1'UNZ+1+55'");
}

static void slots_take_only_numbers_that_fit(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_output ack;
	struct van_buf text = VAN_BUF_INIT(0);
	uint32_t zero = 0, large = 1000000000, one = 1;
	struct edi_report *r = checked(SLICE(ISA("00401", "0") GS("004010") GOOD_850 TAIL), arena, NULL);
	assert_int_equal(edi_ack_write(r->interchanges, NULL, TIME, arena, &ack, NULL), 0);
	assert_int_equal(ack.interchanges, 1);
	assert_int_equal(ack.groups, 1);
	assert_true(slice_is(ack.type, "997"));
	assert_int_equal(edi_output_render(&ack, &zero, &one, &text), VAN_EINVAL);
	assert_int_equal(edi_output_render(&ack, &large, &one, &text), VAN_EINVAL);
	van_buf_free(&text);
	van_arena_free(arena);
}

static void reads_acknowledgements(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_report *r = checked(SLICE(ISA("00401", "0") "TA1*000000009*260101*0000*R*018~GS*FA*A*B*20260115*0930*3*X*004010~"
		"ST*997*0001~AK1*PO*101~AK2*850*0001~AK5*A~AK2*850*0002~AK3*PO1*3**3~AK5*R*5~AK9*P*2*2*1~SE*9*0001~GE*1*3~IEA*1*000000101~"), arena, NULL);
	const struct edi_message *m = r->interchanges->groups->messages;
	const struct edi_ack *a = m->ack;
	assert_int_equal(m->error_count, 0);
	assert_true(m->acknowledgement);
	assert_true(slice_is(a->functional_code, "PO"));
	assert_true(slice_is(a->group_control_number, "101"));
	assert_int_equal(a->status, EDI_PARTIALLY_ACCEPTED);
	assert_int_equal(a->accepted, 1);
	assert_true(slice_is(a->messages->control_number, "0001"));
	assert_int_equal(a->messages->status, EDI_ACCEPTED);
	assert_int_equal(a->messages->next->status, EDI_REJECTED);
	assert_null(a->messages->next->next);
	assert_true(slice_is(r->interchanges->ta1->status, "R"));
	assert_true(slice_is(r->interchanges->ta1->code, "018"));
	van_arena_free(arena);
}

/* --- number sets, dictionaries ----------------------------------------------------------------------------------------- */

static void number_sets(void **state)
{
	(void)state;
	struct number_set s = {0};
	char text[16];
	for (unsigned i = 5; i < 3000; i++) {
		snprintf(text, sizeof text, "%04u", i);
		assert_true(number_set_add(&s, slice_str(text)));
	}
	assert_null(s.hashes);
	assert_false(number_set_add(&s, SLICE("0005")));
	assert_true(number_set_add(&s, SLICE("9999")));
	assert_false(number_set_add(&s, SLICE("2999")));
	assert_false(number_set_add(&s, SLICE("09999")));
	assert_true(number_set_add(&s, SLICE("A1")));
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(text, sizeof text, "%u", 100000 + i * 7);
		assert_true(number_set_add(&s, slice_str(text)));
		assert_false(number_set_add(&s, slice_str(text)));
	}
	number_set_reset(&s);
}

static void dictionaries_name_file_and_line(void **state)
{
	(void)state;
	char folder[] = "/tmp/openvan-test-XXXXXX", path[64];
	struct edi_dictionary_set *set = NULL;
	struct van_error e = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/x12-009999-850.dict", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("dictionary x12 009999\nelement 1 AN 1-3\nsegment AB\n  1 Q\n", f);
	fclose(f);
	assert_int_equal(edi_dictionary_set_open(folder, &set, &e), 0);
	const struct edi_message_def *m;
	for (int i = 0; i < 2; i++) { /* the answer stays the same */
		memset(&e, 0, sizeof e);
		assert_int_equal(edi_dictionary_find(set, EDI_X12, SLICE("009999"), SLICE("850"), &m, &e), VAN_ESYNTAX);
		assert_non_null(strstr(e.text, "x12-009999-850.dict:4"));
		assert_null(m);
	}
	edi_dictionary_set_free(set);
	remove(path);
	set = NULL;
	assert_int_equal(edi_dictionary_set_open("/nonexistent", &set, &e) == 0, set != NULL);
	edi_dictionary_set_free(set);
	remove(folder);
}

static void write_dictionary(const char *folder, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Of a message AB of version 009999 over 009998, whose element 1 has the codes A, BB, CCC and DDDD. */
static int find_over(const char *base, const char *message, struct van_error *e, const char *good, const char *bad)
{
	static const char *const names[] = {"x12-009998.dict", "x12-009999.dict", "x12-009999-850.dict"};
	char folder[] = "/tmp/openvan-test-XXXXXX", path[64];
	struct edi_dictionary_set *set = NULL;
	const struct edi_message_def *m = NULL;
	assert_non_null(mkdtemp(folder));
	write_dictionary(folder, names[0], "dictionary x12 009998\nelement 1 ID 1-6\n  codes DDDD CCC A BB\nelement 2 AN 1-2\nsegment AB\n  1 M\n");
	write_dictionary(folder, names[1], base);
	write_dictionary(folder, names[2], message);
	memset(e, 0, sizeof *e);
	assert_int_equal(edi_dictionary_set_open(folder, &set, e), 0);
	int rc = edi_dictionary_find(set, EDI_X12, SLICE("009999"), SLICE("850"), &m, e);
	const struct edi_element_def *x = m ? m->nodes[0].segment->fields[0].element : NULL;
	struct slice rest = slice_str(good);
	for (struct slice w = slice_cut(&rest, ' '); x && w.n; w = slice_cut(&rest, ' '))
		assert_true(edi_codes_has(x->codes, w));
	rest = slice_str(bad);
	for (struct slice w = slice_cut(&rest, ' '); x && w.n; w = slice_cut(&rest, ' '))
		assert_false(edi_codes_has(x->codes, w));
	edi_dictionary_set_free(set);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		remove(path);
	}
	remove(folder);
	return rc;
}

static void overlays_add_codes(void **state)
{
	(void)state;
	struct van_error e;
	const char *over = "dictionary x12 009999 extends 009998\n", *message = "dictionary x12 009999\nmessage 850\n  AB M 1\n";
	char base[256];
	assert_int_equal(find_over(over, message, &e, "A BB CCC DDDD", "E EE EEE EEEE AB AAA a AAAA ZZZZZZ"), 0);
	snprintf(base, sizeof base, "%smore-codes 1 E AAAA\nmore-codes 1 ZZZZZZ 1E\n", over);
	assert_int_equal(find_over(base, message, &e, "A BB CCC DDDD E 1E AAAA ZZZZZZ", "EE EEE EEEE AB AAA a ZZZZZ"), 0);
	snprintf(base, sizeof base, "%smore-codes 2 E\n", over);
	assert_int_equal(find_over(base, message, &e, "", ""), 0); /* not used */
	assert_int_equal(find_over(base, "dictionary x12 009999\nsegment AC\n  2 M\nmessage 850\n  AC M 1\n", &e, "", ""), VAN_ESYNTAX);
	assert_non_null(strstr(e.text, "x12-009999.dict: more-codes 2"));
	snprintf(base, sizeof base, "%selement 1 ID 1-1\nmore-codes 1 E\n", over);
	assert_int_equal(find_over(base, message, &e, "", ""), VAN_ESYNTAX);
	assert_non_null(strstr(e.text, "x12-009999.dict:3"));
	assert_int_equal(find_over(over, "dictionary x12 009999\nmessage 850\n  AB M 1\n  level A under - B\n", &e, "A", ""), 0);
	assert_int_equal(find_over(over, "dictionary x12 009999\nmessage 850\n  AB M 1\n  level A below B\n", &e, "", ""), VAN_ESYNTAX);
	assert_int_equal(find_over(over, "dictionary x12 009999\nlevel A under B\nmessage 850\n  AB M 1\n", &e, "", ""), VAN_ESYNTAX);
	assert_non_null(strstr(e.text, "x12-009999-850.dict:2"));
}

/* --- corpus ------------------------------------------------------------------------------------------------------------ */

static const char *corpus(char *room, size_t n, const char *kind)
{
	const char *root = getenv("VAN_SRCDIR");
	snprintf(room, n, "%s/../shared/corpus/edi/%s", root ? root : ".", kind);
	return room;
}

struct acks {
	struct van_buf text;
	const uint32_t *interchange, *groups;
	bool too_many;
};

static int take_ack(void *ctx, const struct edi_output *ack)
{
	struct acks *s = ctx;
	s->too_many |= ack->groups > 64;
	return ack->groups > 64 ? 0 : edi_output_render(ack, s->interchange, s->groups, &s->text);
}

/* What an acknowledger writes while the input is checked. */
static struct acks stream_acks(struct slice input, const struct edi_ack_options *options, const uint32_t *interchange, const uint32_t *groups)
{
	struct acks s = {.text = VAN_BUF_INIT(0), .interchange = interchange, .groups = groups};
	struct edi_acknowledger *a = edi_acknowledger_new(options, TIME, take_ack, &s);
	struct edi_check_sink sink = edi_acknowledger_sink(a);
	struct edi_checker *c = edi_checker_new(dictionaries, NULL, &sink);
	for (size_t at = 0; at < input.n; at += 997)
		assert_int_equal(edi_checker_feed(c, slice_make(input.p + at, input.n - at < 997 ? input.n - at : 997), false), 0);
	assert_int_equal(edi_checker_feed(c, SLICE(""), true), 0);
	edi_checker_free(c);
	edi_acknowledger_free(a);
	return s;
}

/* Every byte up to 64 KiB is where a chunk ends, once at least; of larger files a thousand places. */
static void lexed_in_any_chunks(struct slice input)
{
	const size_t small = (size_t)64 << 10, step = input.n / 1000 + 1;
	const uint64_t whole = edi_digest_of(input, 0, NULL).h;
	for (size_t chunk = 1; chunk < input.n; chunk += input.n > small && chunk > 64 ? step : 1)
		assert_int_equal(edi_digest_of(input, chunk, NULL).h, whole);
}

static void corpus_file(const char *path)
{
	struct van_buf in = VAN_BUF_INIT(0);
	struct van_arena *arena = van_arena_new(0);
	assert_int_equal(file_read(path, &in), 0);
	struct slice input = van_buf_slice(&in);
	lexed_in_any_chunks(input);
	same_in_chunks(input);
	struct edi_report *r = checked(input, arena, NULL);
	assert_int_equal(r->bytes, input.n);
	uint32_t one = 1, groups[64];
	for (uint32_t k = 0; k < 64; k++)
		groups[k] = k + 1;
	for (unsigned kind = 0; kind < 2; kind++) {
		const struct edi_ack_options options = {.kind = kind ? EDI_ACK_999 : EDI_ACK_DEFAULT, .accepted_messages = kind, .ta1 = kind};
		struct van_buf all = VAN_BUF_INIT(0);
		for (const struct edi_interchange *i = r->interchanges; i; i = i->next) {
			struct edi_output ack;
			assert_true(i->offset + i->length <= input.n);
			assert_int_equal(edi_ack_write(i, &options, TIME, arena, &ack, NULL), 0);
			if (ack.part_count && ack.groups <= 64)
				assert_int_equal(edi_output_render(&ack, &one, groups, &all), 0);
		}
		struct acks streamed = stream_acks(input, &options, &one, groups);
		assert_int_equal(streamed.text.n, all.n);
		assert_true(!all.n || memcmp(streamed.text.p, all.p, all.n) == 0);
		if (all.n) { /* our own acknowledgements are without fault, down to the envelopes */
			struct van_buf errors = VAN_BUF_INIT(0);
			all_errors(checked(van_buf_slice(&all), arena, &(struct edi_check_options){.policy.strict_syntax = true}), &errors);
			if (errors.n > 1)
				print_message("# %s: %.*s: %s\n", path, (int)all.n, all.p, errors.p);
			assert_string_equal(errors.p, "");
			van_buf_free(&errors);
		}
		van_buf_free(&streamed.text);
		van_buf_free(&all);
	}
	van_arena_free(arena);
	van_buf_free(&in);
}

static void corpus_runs(void **state)
{
	(void)state;
	static const char *const kinds[] = {"x12", "edifact"};
	unsigned files = 0;
	for (size_t k = 0; k < 2; k++) {
		char folder[4096], path[8192];
		DIR *d = opendir(corpus(folder, sizeof folder, kinds[k]));
		if (!d) {
			print_message("# no corpus\n");
			skip();
		}
		for (struct dirent *e = readdir(d); e; e = readdir(d)) {
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
			corpus_file(path);
			files++;
		}
		closedir(d);
	}
	assert_true(files > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_has_its_code),
		cmocka_unit_test(repeats_and_loops),
		cmocka_unit_test(numbers),
		cmocka_unit_test(odd_bytes_are_found_anywhere),
		cmocka_unit_test(line_ends_next_to_terminators),
		cmocka_unit_test(later_version_has_its_own_codes),
		cmocka_unit_test(unknown_types_are_told), cmocka_unit_test(acknowledgements_of_any_version_are_known),
		cmocka_unit_test(edifact_orders),
		cmocka_unit_test(envelopes),
		cmocka_unit_test(offsets_cut_exact_bytes),
		cmocka_unit_test(policies),
		cmocka_unit_test(any_chunking_gives_the_same_report),
		cmocka_unit_test(writes_997),
		cmocka_unit_test(writes_ta1),
		cmocka_unit_test(writes_999_and_contrl),
		cmocka_unit_test(slots_take_only_numbers_that_fit),
		cmocka_unit_test(reads_acknowledgements),
		cmocka_unit_test(number_sets),
		cmocka_unit_test(dictionaries_name_file_and_line), cmocka_unit_test(overlays_add_codes),
		cmocka_unit_test(corpus_runs),
	};
	return cmocka_run_group_tests_name("edi check", tests, open_dictionaries, free_dictionaries);
}
