/* EDIFACT's own rules: every error code of CONTRL in syntax 3 and 4 is provoked, found at its place, and answered by a CONTRL
 * that our own dictionaries find no fault with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_input.h"

#include "edi/ack.h"
#include "edi/validate.h"

#include <sys/stat.h>
#include <unistd.h>

static struct edi_dictionary_set *dictionaries;
static char written[2][64][4]; /* codes that a CONTRL of syntax 3, or 4, held */

/* A message with a condition between its elements, as a partner's guide may add. */
static const char guide[] = "dictionary edifact T:1\nelement 0062 AN 1-14\nelement 0065 AN 1-6\nelement 9000 AN 1-3\nelement 9001 AN 1-3 open\n"
	"  codes A B\ncomposite S009\n  0065 M\nsegment UNH\n  0062 M\n  S009 M\nsegment XYZ\n  9000 C\n  9000 C\n  9001 C\n  note C0102\n"
	"segment UNT\n  9000 M\nmessage TESTER\n  UNH M 1\n  XYZ C 9\n  UNT M 1\n";

static char folder[64];

static int setup(void **state)
{
	(void)state;
	char path[128];
	struct van_error e = {0};
	strcpy(folder, "/tmp/edifact-XXXXXX");
	dictionaries = edi_test_dictionaries();
	if (!dictionaries || !mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/edifact-T1-TESTER.dict", folder);
	FILE *file = fopen(path, "w");
	if (!file || fputs(guide, file) < 0 || fclose(file) != 0)
		return -1;
	return edi_dictionary_set_add(dictionaries, folder, &e);
}

static int teardown(void **state)
{
	(void)state;
	char path[128];
	snprintf(path, sizeof path, "%s/edifact-T1-TESTER.dict", folder);
	unlink(path);
	rmdir(folder);
	edi_dictionary_set_free(dictionaries);
	return 0;
}

/* --- one case ---------------------------------------------------------------------------------------------------------- */

#define UNB3 "UNB+UNOC:3+ACME:14+VOLT:14+260115:0930+77'"
#define UNB4 "UNB+UNOC:4+ACME:14+VOLT:14+20260115:0930+77'"
#define UNH3 "UNH+1+ORDERS:D:96A:UN'"
#define UNH4 "UNH+1+ORDERS:D:01B:UN'"
#define BODY "BGM+220+PO1+9'DTM+137:20260115:102'UNS+S'"
#define GOOD3 UNH3 BODY "UNT+5+1'"
#define GOOD4 UNH4 BODY "UNT+5+1'"
#define UNZ "UNZ+1+77'"
#define UCI "UCI+77+ACME:14+VOLT:14+"

struct policy {
	struct edi_check_options check;
	struct edi_ack_options ack;
};

static void list_errors(const struct edi_error *errors, struct van_buf *to)
{
	for (const struct edi_error *e = errors; e; e = e->next) {
		assert_string_equal(e->list, "0085");
		assert_true(e->text.n > 0);
		van_buf_printf(to, "%.*s/%u/%u/%u %s%s ", SLICE_ARG(e->segment), (unsigned)e->position, e->element, e->component, e->code,
			e->tolerated ? "t" : "");
	}
}

static void all_errors(const struct edi_interchange *i, struct van_buf *to)
{
	list_errors(i->errors, to);
	for (const struct edi_group *g = i->groups; g; g = g->next) {
		list_errors(g->errors, to);
		for (const struct edi_message *m = g->messages; m; m = m->next)
			list_errors(m->errors, to);
	}
	van_buf_append_char(to, 0);
}

static struct edi_report *checked(struct slice input, struct van_arena *arena, const struct edi_check_options *options)
{
	struct edi_report *r = NULL;
	struct van_error e = {0};
	if (edi_check_bytes(input, dictionaries, options, arena, &r, &e) != 0)
		fail_msg("%s", e.text);
	return r;
}

/* Codes in UCI, UCM, UCF, UCS and UCD, by the position that 0085 has in each. */
static void note_codes(struct slice answer, bool syntax4)
{
	const char element = answer.p[3], terminator = answer.p[answer.n - 1];
	while (answer.p) {
		struct slice segment = slice_cut(&answer, terminator), id = slice_cut(&segment, element), code = SLICE_NONE;
		int at = slice_is(id, "UCI") ? 5 : slice_is(id, "UCM") ? 4 : slice_is(id, "UCF") ? 5 : slice_is(id, "UCS") ? 2 : slice_is(id, "UCD") ? 1 : 0;
		for (int i = 0; i < at; i++)
			code = segment.p ? slice_cut(&segment, element) : SLICE_NONE;
		for (int i = 0; code.n && i < 64; i++) {
			if (slice_is(code, written[syntax4][i]))
				break;
			if (!*written[syntax4][i]) {
				memcpy(written[syntax4][i], code.p, code.n);
				break;
			}
		}
	}
}

/* What we write must be without fault to ourselves, with every list closed and the syntax taken strictly. */
static void is_valid(struct slice answer)
{
	struct van_arena *arena = van_arena_new(0);
	struct van_buf errors = VAN_BUF_INIT(100000);
	const struct edi_check_options strict = {.policy.strict_codes = true, .policy.strict_syntax = true};
	struct edi_report *r = checked(answer, arena, &strict);
	assert_non_null(r->interchanges);
	all_errors(r->interchanges, &errors);
	if (errors.n > 1)
		fail_msg("%.*s: %s", SLICE_ARG(answer), errors.p);
	assert_true(r->interchanges->groups->messages->known);
	assert_int_equal(r->messages_rejected, 0);
	van_buf_free(&errors);
	van_arena_free(arena);
}

/* `answer`: from UCI to before UNT; NULL: none is owed. */
static void with_policy(const struct policy *p, struct slice input, const char *errors, const char *answer)
{
	struct van_arena *arena = van_arena_new(0);
	struct van_buf found = VAN_BUF_INIT(100000), text = VAN_BUF_INIT(100000);
	struct edi_output out;
	struct van_error e = {0};
	struct edi_report *r = checked(input, arena, &p->check);
	assert_non_null(r->interchanges);
	all_errors(r->interchanges, &found);
	if (strcmp(found.p, errors) != 0)
		fail_msg("%.*s\n  expected: %s\n  found:    %s", SLICE_ARG(input), errors, found.p);
	assert_int_equal(edi_ack_write(r->interchanges, &p->ack, (van_time)1768473000 * VAN_SECOND, arena, &out, &e), 0);
	const uint32_t numbers[] = {55};
	assert_int_equal(edi_output_render(&out, numbers, NULL, &text), 0);
	van_buf_append_char(&text, 0);
	char *body = text.p ? strstr(text.p, "UCI") : NULL, *end = NULL;
	for (char *at = body; at && (at = strstr(at, "UNT")); at++)
		end = at;
	if (body && end) {
		is_valid(slice_make(text.p, text.n - 1));
		note_codes(slice_make(body, (size_t)(end - body)), strstr(text.p, "CONTRL:4:1") != NULL);
		*end = 0;
	}
	if ((answer != NULL) != (body != NULL) || (answer && strcmp(answer, body) != 0))
		fail_msg("%.*s\n  expected: %s\n  written:  %s", SLICE_ARG(input), answer ? answer : "nothing", body ? body : "nothing");
	van_buf_free(&found);
	van_buf_free(&text);
	van_arena_free(arena);
}

static void gives(const char *input, const char *errors, const char *answer)
{
	const struct policy usual = {{0}, {0}};
	with_policy(&usual, slice_str(input), errors, answer);
}

static void strictly(const char *input, const char *errors, const char *answer)
{
	const struct policy strict = {.check = {.policy.strict_syntax = true}};
	with_policy(&strict, slice_str(input), errors, answer);
}

/* --- interchanges ------------------------------------------------------------------------------------------------------ */

static void good_ones(void **state)
{
	(void)state;
	gives(UNB3 GOOD3 UNZ, "", UCI "7'");
	gives(UNB4 GOOD4 UNZ, "", UCI "7'");
	gives("UNB+UNOC:1+ACME:14+VOLT:14+260115:0930+77'" GOOD3 UNZ, "UNB/0/1/1 2t ", UCI "7'"); /* level C came with version 2 */
	const struct policy listed = {.ack = {.accepted_messages = true}}, received = {.ack = {.received_only = true}};
	with_policy(&listed, SLICE(UNB3 GOOD3 UNZ), "", UCI "7'UCM+1+ORDERS:D:96A:UN+7'");
	with_policy(&received, SLICE(UNB3 GOOD3 UNZ), "", UCI "8'");
	/* never for CONTRL, also when it is bad */
	gives(UNB3 "UNH+1+CONTRL:D:3:UN'UCI+5+VOLT+ACME+7'UNT+3+1'" UNZ, "", NULL);
	gives(UNB3 "UNH+1+CONTRL:D:3:UN'UCI+5+VOLT+ACME'UNT+3+1'UNZ+2+77'", "UNZ/0/1/0 29 UCI/2/4/0 13 ", NULL);
	gives(UNB4 "UNH+1+CONTRL:4:1:UN'UCI+5+VOLT+ACME+4+13+UNB+6'UNT+3+1'" UNZ, "", NULL);
	/* EANCOM's association code is repeated */
	gives(UNB3 "UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'UNS+S'UNT+4+1'" UNZ, "DTM/3/0/0 13 ",
		UCI "7'UCM+1+ORDERS:D:96A:UN:EAN008+4'UCS+2+13'");
}

static void heads_of_interchanges(void **state)
{
	(void)state;
	gives("UNB+UNOZ:3+ACME:14+VOLT:14+260115:0930+77'" GOOD3 UNZ, "UNB/0/1/1 2 ", UCI "4+2+UNB+2:1'");
	gives("UNB+IATA:1+ACME:14+VOLT:14+260115:0930+77'" GOOD3 UNZ, "UNB/0/1/1 2t ", UCI "7'"); /* airlines */
	gives("UNB+UNOC:9+ACME:14+VOLT:14+260115:0930+77'" GOOD3 UNZ, "UNB/0/1/2 2 UNB/0/4/1 40t ", UCI "4+2+UNB+2:2'");
	gives("UNB+UNOC:3+ACME:14:X:Y+VOLT:14+260115:0930+77'" GOOD3 UNZ, "UNB/0/2/4 16 ", "UCI+77+ACME:14:X+VOLT:14+4+16+UNB+3:4'");
	gives("UNB+UNOC:4+ACME:14:X:Y+VOLT:14+20260115:0930+77'" GOOD4 UNZ, "", "UCI+77+ACME:14:X+VOLT:14+7'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+260115+77'" GOOD3 UNZ, "UNB/0/4/2 13 ", UCI "4+13+UNB+5:2'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+261315:0930+77'" GOOD3 UNZ, "UNB/0/4/1 12 ", UCI "4+12+UNB+5:1'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+230229:0930+77'" GOOD3 UNZ, "UNB/0/4/1 12 ", UCI "4+12+UNB+5:1'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+240229:0930+77'" GOOD3 UNZ, "", UCI "7'");
	gives("UNB+UNOC:4+ACME:14+VOLT:14+20230431:0930+77'" GOOD4 UNZ, "UNB/0/4/1 12 ", UCI "4+12+UNB+5:1'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+260115:2460+77'" GOOD3 UNZ, "UNB/0/4/2 12 ", UCI "4+12+UNB+5:2'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+2601AB:0930+77'" GOOD3 UNZ, "UNB/0/4/1 37 ", UCI "4+37+UNB+5:1'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+2601:0930+77'" GOOD3 UNZ, "UNB/0/4/1 40 ", UCI "4+40+UNB+5:1'");
	gives("UNB+UNOC:3+ACME:14444+VOLT:14+260115:0930+77'" GOOD3 UNZ, "UNB/0/2/2 39 ", "UCI+77+ACME:1444+VOLT:14+4+39+UNB+3:2'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+20260115:0930+77'" GOOD3 UNZ, "UNB/0/4/1 39t ", UCI "7'"); /* eight digits are understood */
	strictly("UNB+UNOC:3+ACME:14+VOLT:14+20260115:0930+77'" GOOD3 UNZ, "UNB/0/4/1 39 ", UCI "4+39+UNB+5:1'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+260115:0930+77++++++7'" GOOD3 UNZ, "UNB/0/11/0 12 ", UCI "4+12+UNB+12'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+260115:0930+77+++7'" GOOD3 UNZ, "UNB/0/8/0 37 ", UCI "4+37+UNB+9'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+260115:0930+77+++++++X'" GOOD3 UNZ, "UNB/0/12/0 16 ", UCI "4+16+UNB+13'");
	gives("UNB+UNOC:3+ACME:14+VOLT:14+260115:0930+77:1'" GOOD3 "UNZ+1+77:1'", "UNB/0/5/2 16 UNZ/0/2/2 16 ", "UCI+77?:1+ACME:14+VOLT:14+4+16+UNB+6:2'");
	gives(UNB3 GOOD3 "UNZ+2+77'", "UNZ/0/1/0 29 ", UCI "4+29+UNZ+2'");
	gives(UNB4 GOOD4 "UNZ+2+77'", "UNZ/0/1/0 29 ", UCI "4+29+UNZ+2'");
	gives(UNB3 GOOD3 "UNZ+1+78'", "UNZ/0/2/0 28 ", UCI "4+28+UNZ+3'");
	gives(UNB3 GOOD3 "UNZ+1'", "UNZ/0/2/0 13 ", UCI "4+13+UNZ+3'");
	gives(UNB3 GOOD3, "UNZ/0/0/0 13 ", UCI "4+13+UNZ'");
	gives(UNB3 "UNZ+0+77'", "UNZ/0/0/0 32 ", UCI "4+32+UNZ'");
	gives(UNB3 "FTX+AAI'" GOOD3 UNZ, "FTX/0/0/0 33 ", UCI "4+33'");
	gives(UNB4 "FTX+AAI'" GOOD4 UNZ, "FTX/0/0/0 33 ", UCI "4+33'");
	gives(UNB4 "UNZ+0+77'", "UNZ/0/0/0 32 ", UCI "4+32+UNZ'");
	gives(UNB3 "USH+1'" GOOD3 UNZ, "USH/0/0/0 27 ", UCI "4+27'");
	gives(UNB4 "USH+1'" GOOD4 UNZ, "USH/0/0/0 47 ", UCI "4+47'");
	/* test, sub-addresses and what must be released are repeated as they came */
	gives("UNB+UNOC:3+AC?+ME:14:D+VO??LT:ZZ:E?:F+260115:0930+77++++++1'" GOOD3 UNZ, "", "UCI+77+AC?+ME:14:D+VO??LT:ZZ:E?:F+7'");
}

/* 0035: 1 a test; in syntax 4 also 2 a test of the syntax, 3 a request for an echo, 4 the echo. None of them is business. */
static void tests_are_no_production(void **state)
{
	(void)state;
	static const char *const rows[] = {"", "1", "2", "3", "4", "7"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct van_arena *arena = van_arena_new(0);
		struct slice input = van_arena_printf(arena, "UNB+UNOC:4+ACME:14+VOLT:14+20260115:0930+77++++++%s'" GOOD4 UNZ, rows[i]);
		assert_int_equal(checked(input, arena, NULL)->interchanges->usage, i ? 'T' : 'P');
		van_arena_free(arena);
	}
}

static void refused_by_the_network(void **state)
{
	(void)state;
	static const char *const both[] = {"2", "7", "14", "17", "18", "23", "24", "25", "26"}, *const three[] = {"27", "41", "42", "43"};
	char expected[64];
	for (size_t i = 0; i < sizeof both / sizeof *both + sizeof three / sizeof *three; i++) {
		bool old = i >= sizeof both / sizeof *both;
		struct policy p = {.ack = {.refusal = old ? three[i - sizeof both / sizeof *both] : both[i]}};
		snprintf(expected, sizeof expected, UCI "4+%s'", p.ack.refusal);
		with_policy(&p, SLICE(UNB3 GOOD3 UNZ), "", expected);
		if (!old)
			with_policy(&p, SLICE(UNB4 GOOD4 UNZ), "", expected);
	}
	struct van_arena *arena = van_arena_new(0);
	struct edi_output out;
	struct van_error e = {0};
	const struct edi_ack_options withdrawn = {.refusal = "9"}, later = {.refusal = "46"}, earlier = {.refusal = "41"};
	struct edi_report *r = checked(SLICE(UNB3 GOOD3 UNZ), arena, NULL), *r4 = checked(SLICE(UNB4 GOOD4 UNZ), arena, NULL);
	assert_int_equal(edi_ack_write(r->interchanges, &withdrawn, 0, arena, &out, &e), VAN_EINVAL);
	assert_int_equal(edi_ack_write(r->interchanges, &later, 0, arena, &out, &e), VAN_EINVAL);
	assert_int_equal(edi_ack_write(r4->interchanges, &earlier, 0, arena, &out, &e), VAN_EINVAL);
	van_arena_free(arena);
}

static void service_characters(void **state)
{
	(void)state;
	gives("UNA:+.? '" UNB3 GOOD3 UNZ, "", UCI "7'");
	gives("UNA:+;? '" UNB3 GOOD3 UNZ, "UNA/0/0/0 20t ", UCI "7'");
	strictly("UNA:+;? '" UNB3 GOOD3 UNZ, "UNA/0/0/0 20 ", UCI "4+20+UNA'");
	strictly("UNA:+.?:'" UNB4 GOOD4 UNZ, "UNA/0/0/0 20 ", UCI "4+20+UNA'");
	/* other separators, advised or not */
	gives("UNA:*.? ~UNB*UNOC:3*ACME:14*VOLT:14*260115:0930*77~UNH*1*ORDERS:D:96A:UN~BGM*220*PO1*9~DTM*137:20260115:102~UNS*S~UNT*5*1~UNZ*1*77~", "",
		"UCI*77*ACME:14*VOLT:14*7~");
	gives("UNB*UNOC:3*ACME:14*VOLT:14*260115:0930*77'UNH*1*ORDERS:D:96A:UN'BGM*220*PO1*9'DTM*137:20260115:102'UNS*S'UNT*5*1'UNZ*1*77'",
		"UNB/0/0/0 22t ", "UCI*77*ACME:14*VOLT:14*7'");
	strictly("UNB*UNOC:3*ACME:14*VOLT:14*260115:0930*77'UNH*1*ORDERS:D:96A:UN'BGM*220*PO1*9'DTM*137:20260115:102'UNS*S'UNT*5*1'UNZ*1*77'",
		"UNB/0/0/0 22 ", "UCI*77*ACME:14*VOLT:14*4*22*UNB'");
	strictly("UNB*UNOC:4*ACME:14*VOLT:14*20260115:0930*77'UNH*1*ORDERS:D:01B:UN'BGM*220*PO1*9'DTM*137:20260115:102'UNS*S'UNT*5*1'UNZ*1*77'",
		"UNB/0/0/0 22 ", "UCI*77*ACME:14*VOLT:14*4*22*UNB'");
	/* level B with its separators, which nobody can print */
	gives("UNB\x1dUNOB\x1f" "1\x1d" "ACME\x1f" "14\x1dVOLT\x1f" "14\x1d" "260115\x1f" "0930\x1d" "77\x1c" "UNH\x1d" "1\x1dORDERS\x1f" "D\x1f" "96A\x1fUN\x1c"
		"BGM\x1d" "220\x1dPO1\x1d" "9\x1c" "DTM\x1d" "137\x1f" "20260115\x1f" "102\x1cUNS\x1dS\x1cUNT\x1d" "5\x1d" "1\x1cUNZ\x1d" "1\x1d" "77\x1c", "",
		"UCI\x1d" "77\x1d" "ACME\x1f" "14\x1dVOLT\x1f" "14\x1d" "7\x1c");
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */

#define UNG3 "UNG+ORDERS+A1:ZZ+V1:ZZ+260115:0930+G1+UN+D:96A'"
#define UCF "UCF+G1+A1+V1+"

static void groups(void **state)
{
	(void)state;
	gives(UNB3 UNG3 GOOD3 "UNE+1+G1'" UNZ, "", UCI "7'");
	gives(UNB3 UNG3 GOOD3 "UNE+2+G1'" UNZ, "UNE/0/1/0 29 ", UCI "7'" UCF "4+29+UNE+2'");
	gives(UNB3 UNG3 GOOD3 "UNE+1+G2'" UNZ, "UNE/0/2/0 28 ", UCI "7'" UCF "4+28+UNE+3'");
	gives(UNB3 UNG3 GOOD3 UNZ, "UNE/0/0/0 13 ", UCI "7'" UCF "4+13+UNE'");
	gives(UNB3 UNG3 "UNE+0+G1'" UNZ, "UNE/0/0/0 32 ", UCI "7'" UCF "4+32+UNE'");
	gives(UNB3 UNG3 GOOD3 "UNE+1+G1'" UNG3 GOOD3 "UNE+1+G1'UNZ+2+77'", "UNG/0/5/0 26 ", UCI "7'" UCF "4+26+UNG+6'");
	gives(UNB3 UNG3 GOOD3 "UNH+1" "+ORDERS:D:96A:UN'" BODY "UNT+5+1'UNE+2+G1'" UNZ, "UNH/1/1/0 26 ",
		UCI "7'" UCF "7'UCM+1+ORDERS:D:96A:UN+4+26+UNH+2'");
	gives(UNB3 UNG3 GOOD3 "UNH+2+ORDRSP:D:96A:UN'" BODY "UNT+5+2'UNE+2+G1'" UNZ, "UNG/0/0/0 31 ", UCI "7'" UCF "4+31+UNG'");
	gives("UNB+UNOC:4+ACME:14+VOLT:14+20260115:0930+77'UNG++++20260115:0930+G1'" GOOD4 "UNH+2+ORDRSP:D:01B:UN'" BODY "UNT+5+2'UNE+2+G1'" UNZ, "",
		UCI "7'");
	gives(UNB3 UNG3 GOOD3 "UNE+1+G1'" GOOD3 "UNZ+2+77'", "UNH/0/0/0 30 ", UCI "4+30'");
	gives(UNB4 GOOD4 "UNG++++20260115:0930+G1'" GOOD4 "UNE+1+G1'UNZ+1+77'", "UNG/0/0/0 30 UNZ/0/1/0 29 ", UCI "4+30'");
	gives(UNB3 "UNG+ORDERS++V1+260115:0930+G1+UN+D:96A'" GOOD3 "UNE+1+G1'" UNZ, "UNG/0/2/1 13 ", UCI "4+13'"); /* UCF cannot say who */
	gives(UNB3 "UNG+ORDERS+A1+V1+261315:0930+G1+UN+D:96A'" GOOD3 "UNE+1+G1'" UNZ, "UNG/0/4/1 12 ", UCI "7'" UCF "4+12+UNG+5:1'");
}

/* --- messages ---------------------------------------------------------------------------------------------------------- */

#define UCM3 UCI "7'UCM+1+ORDERS:D:96A:UN+4"
#define UCM4 UCI "7'UCM+1+ORDERS:D:01B:UN+4"

static void heads_of_messages(void **state)
{
	(void)state;
	gives(UNB3 UNH3 BODY "UNT+6+1'" UNZ, "UNT/5/1/0 29 ", UCM3 "+29+UNT+2'");
	gives(UNB3 UNH3 BODY "UNT+5+2'" UNZ, "UNT/5/2/0 28 ", UCM3 "+28+UNT+3'");
	gives(UNB3 UNH3 BODY UNZ, "UNT/4/0/0 13 ", UCM3 "+13+UNT'");
	gives(UNB3 "UNH+1+ORDERS:D:96A'" BODY "UNT+5+1'" UNZ, "UNH/1/2/4 13 ", UCM3 "+13+UNH+3:4'");
	gives(UNB3 "UNH+123456789012345+ORDERS:D:96A:UN'" BODY "UNT+5+123456789012345'" UNZ, "UNH/1/1/0 39 UNT/5/2/0 39 ",
		UCI "7'UCM+12345678901234+ORDERS:D:96A:UN+4+39+UNH+2'");
	gives(UNB3 "UNH+1+ORDERS:D:96A:UN+++++++X'" BODY "UNT+5+1'" UNZ, "UNH/1/9/0 16 ", UCM3 "+16+UNH+10'");
	/* without a type, version 3 has no way to name the message */
	gives(UNB3 "UNH+1'" BODY "UNT+5+1'" UNZ, "UNH/1/2/1 13 UNH/1/2/2 13 UNH/1/2/3 13 UNH/1/2/4 13 ", UCI "4+13'");
	gives(UNB4 "UNH+1'" BODY "UNT+5+1'" UNZ, "UNH/1/2/1 13 UNH/1/2/2 13 UNH/1/2/3 13 UNH/1/2/4 13 ", UCI "7'UCM+1++4+13+UNH+3:1'");
	const struct policy known = {.check = {.policy.known_only = true}};
	with_policy(&known, SLICE(UNB3 "UNH+1+QUOTES:D:96A:UN'BGM+310'UNT+3+1'" UNZ), "UNH/1/2/1 14 ",
		UCI "7'UCM+1+QUOTES:D:96A:UN+4+14+UNH+3:1'");
	gives(UNB3 "UNH+1+QUOTES:D:96A:UN'BGM+310'UNT+3+1'" UNZ, "", UCI "7'");
}

static void places_of_segments(void **state)
{
	(void)state;
	gives(UNB3 UNH3 "DTM+137:20260115:102'UNS+S'UNT+4+1'" UNZ, "BGM/2/0/0 13 ", UCM3 "'UCS+1+13'");
	gives(UNB3 UNH3 "BGM+220'BGM+220'DTM+137:20260115:102'UNS+S'UNT+6+1'" UNZ, "BGM/3/0/0 35 ", UCM3 "'UCS+3+35'");
	gives(UNB3 UNH3 "BGM+220'DTM+137'CUX+2:EUR'CUX+2:EUR'CUX+2:EUR'CUX+2:EUR'CUX+2:EUR'CUX+2:EUR'UNS+S'UNT+11+1'" UNZ, "CUX/9/0/0 36 ",
		UCM3 "'UCS+9+36'");
	gives(UNB4 UNH4 "BGM+220'BGM+220'DTM+137:20260115:102'UNS+S'UNT+6+1'" UNZ, "BGM/3/0/0 35 ", UCM4 "'UCS+3+35'");
	gives(UNB4 UNH4 "BGM+220'DTM+137'CUX+2:EUR'CUX+2:EUR'CUX+2:EUR'CUX+2:EUR'CUX+2:EUR'CUX+2:EUR'UNS+S'UNT+11+1'" UNZ, "CUX/9/0/0 36 ",
		UCM4 "'UCS+9+36'");
	gives(UNB3 UNH3 BODY "BGM+220'UNT+6+1'" UNZ, "BGM/5/0/0 15 ", UCM3 "'UCS+5+15'");
	gives(UNB3 UNH3 "BGM:1+220'DTM+137'UNS+S'UNT+5+1'" UNZ, "BGM:1/2/0/0 34 ", UCM3 "'UCS+2+34'");
	gives(UNB4 UNH4 "BGM:1+220'DTM+137'UNS+S'UNT+5+1'" UNZ, "BGM:1/2/0/0 15 ", UCM4 "'UCS+2+15'");
	/* several in one segment, several segments */
	gives(UNB3 UNH3 "BGM+2200+PO1+9999'QQQ'DTM+:1'UNS+X'UNT+6+1'" UNZ, "BGM/2/1/1 39 BGM/2/3/0 39 QQQ/3/0/0 15 DTM/4/1/1 13 UNS/5/1/0 12 ",
		UCM3 "'UCS+2'UCD+39+2:1'UCD+39+4'UCS+3+15'UCS+4'UCD+13+2:1'UCS+5'UCD+12+2'");
}

static void values(void **state)
{
	(void)state;
	gives(UNB3 UNH3 BODY "MOA+79:1,5'MOA+79:1.5'MOA+79:-12'UNT+8+1'" UNZ, "", UCI "7'");
	gives("UNA:+,? '" UNB3 UNH3 BODY "MOA+79:1,5'MOA+79:1.5'UNT+7+1'" UNZ, "MOA/6/1/2 19 ", UCM3 "'UCS+6'UCD+19+2:2'");
	gives("UNA:+,?*'" UNB4 UNH4 BODY "MOA+79:1,5'MOA+79:1.5'MOA+79:-15E-2'UNT+8+1'" UNZ, "", UCI "7'"); /* UNA's mark says nothing there */
	gives(UNB3 UNH3 BODY "MOA+79:1.000.5'UNT+6+1'" UNZ, "MOA/5/1/2 19 ", UCM3 "'UCS+5'UCD+19+2:2'");
	gives(UNB4 UNH4 BODY "MOA+79:1.000.5'UNT+6+1'" UNZ, "MOA/5/1/2 12 ", UCM4 "'UCS+5'UCD+12+2:2'");
	gives(UNB3 UNH3 BODY "MOA+79:.5'MOA+79:5.'UNT+7+1'" UNZ, "MOA/5/1/2 38 MOA/6/1/2 19 ", UCM3 "'UCS+5'UCD+38+2:2'UCS+6'UCD+19+2:2'");
	gives(UNB4 UNH4 BODY "MOA+79:.5'UNT+6+1'" UNZ, "MOA/5/1/2 12 ", UCM4 "'UCS+5'UCD+12+2:2'");
	gives(UNB3 UNH3 BODY "MOA+79:ABC'MOA+79:1E2'MOA+79:5-'UNT+8+1'" UNZ, "MOA/5/1/2 37 MOA/6/1/2 37 MOA/7/1/2 37 ",
		UCM3 "'UCS+5'UCD+37+2:2'UCS+6'UCD+37+2:2'UCS+7'UCD+37+2:2'");
	gives(UNB4 UNH4 BODY "MOA+79:1E'UNT+6+1'" UNZ, "MOA/5/1/2 37 ", UCM4 "'UCS+5'UCD+37+2:2'");
	gives(UNB3 "UNH+1+IFTMIN:D:96A:UN'BGM+610'NAD+CZ'GID+1'DGS+ADR+++12:CEL'UNT+6+1'" UNZ, "DGS/5/4/1 40 ",
		UCI "7'UCM+1+IFTMIN:D:96A:UN+4'UCS+5'UCD+40+5:1'");
	gives(UNB4 "UNH+1+IFTMIN:D:01B:UN'BGM+610'NAD+CZ'GID+1'DGS+ADR+++12:CEL'UNT+6+1'" UNZ, "DGS/5/4/1 40 ",
		UCI "7'UCM+1+IFTMIN:D:01B:UN+4'UCS+5'UCD+40+5:1'");
	gives(UNB3 UNH3 "BGM+220:1:2:3:4+PO1:X+9+AB+X'DTM+137'UNS+S'UNT+5+1'" UNZ, "BGM/2/1/5 16 BGM/2/2/2 16 BGM/2/5/0 16 ",
		UCM3 "'UCS+2'UCD+16+2:5'UCD+16+3:2'UCD+16+6'");
	gives(UNB4 UNH4 "BGM+220+PO1+9+AB+X'DTM+137'UNS+S'UNT+5+1'" UNZ, "BGM/2/5/0 16 ", UCM4 "'UCS+2'UCD+16+6'");
	/* codes: open lists bind only where the agreement says so */
	const struct policy codes = {.check = {.policy.strict_codes = true}};
	with_policy(&codes, SLICE(UNB3 UNH3 "BGM+ZYX'DTM+137'UNS+S'UNT+5+1'" UNZ), "BGM/2/1/1 12 ", UCM3 "'UCS+2'UCD+12+2:1'");
	gives(UNB3 UNH3 "BGM+ZYX'DTM+137'UNS+S'UNT+5+1'" UNZ, "", UCI "7'");
	with_policy(&codes, SLICE(UNB3 UNH3 "BGM+ZYX::9'DTM+137'UNS+S'UNT+5+1'" UNZ), "", UCI "7'"); /* another agency's list */
	with_policy(&codes, SLICE(UNB3 UNH3 "BGM+ZYX::6'DTM+137'UNS+S'UNT+5+1'" UNZ), "BGM/2/1/1 12 ", UCM3 "'UCS+2'UCD+12+2:1'");
	/* COM's address repeats: in places of its own before syntax 4, in one place there */
	gives(UNB3 "UNH+1+ORDERS:D:01B:UN'BGM+220'DTM+137'NAD+BY'CTA+OC'COM+1:TE+2:FX+3:EM'UNS+S'UNT+8+1'" UNZ, "", UCI "7'");
	gives(UNB3 "UNH+1+ORDERS:D:01B:UN'BGM+220'DTM+137'NAD+BY'CTA+OC'COM+1:TE+2:FX+3:EM+4:TE'UNS+S'UNT+8+1'" UNZ, "COM/6/4/0 16 ",
		UCI "7'UCM+1+ORDERS:D:01B:UN+4'UCS+6'UCD+16+5'");
	gives(UNB4 UNH4 "BGM+220'DTM+137'NAD+BY'CTA+OC'COM+1:TE*2:FX*3:EM'UNS+S'UNT+8+1'" UNZ, "", UCI "7'");
	gives(UNB4 UNH4 "BGM+220'DTM+137'NAD+BY'CTA+OC'COM+1:TE*2:FX*3:EM*4:TE'UNS+S'UNT+8+1'" UNZ, "COM/6/1/0 35 ", UCM4 "'UCS+6'UCD+35+2::4'");
	/* an element that is missing though another one needs it */
	gives(UNB3 "UNH+1+TESTER:T:1:UN'XYZ+A'UNT+3+1'" UNZ, "XYZ/2/2/0 13 ", UCI "7'UCM+1+TESTER:T:1:UN+4'UCS+2'UCD+13+3'");
	gives(UNB4 "UNH+1+TESTER:T:1:UN'XYZ+A'UNT+3+1'" UNZ, "XYZ/2/2/0 48 ", UCI "7'UCM+1+TESTER:T:1:UN+4'UCS+2'UCD+48+3'");
}

/* 2380 in the format that 2379 tells. */
static void dates_in_their_formats(void **state)
{
	(void)state;
	static const struct {
		const char *format, *good, *bad; /* divided by blanks */
	} rows[] = {
		{"2", "290224", "290223 320124 022924"}, {"3", "022924", "290224 022923"}, {"4", "29022024", "29022023 20240229"},
		{"5", "290220242359", "290220242360"}, {"101", "260228", "260229 20260228 26022A"}, {"102", "20240229", "20230229 20261301 20260100 240229 202402291200"},
		{"103", "26537", "26540 26018 260"}, {"105", "24366 26365", "26366 26000 26367"}, {"106", "0229 1231", "0230 1301"},
		{"107", "366", "000 367 12"}, {"108", "53 01", "00 54"}, {"109", "12", "13 00"}, {"110", "31", "32 00"},
		{"201", "2602282359", "2602282400"}, {"202", "260228235959", "260228235960"}, {"203", "202602282359", "202602292359 202602282460 20260228 20260228235959"},
		{"204", "20260228235959", "202602282359"}, {"205", "202602282359?+0100 202602282359-0930", "2026022823590100 202602282359?+2500"},
		{"301", "2602282359CET", "2602282359 2602282359CEST"}, {"303", "202602282359GMT", "202602282359"}, {"304", "20260228235959GMT", "20260228235959"},
		{"305", "02292359", "02302359"}, {"306", "312359", "322359"}, {"401", "2359", "2400 23595 1260"}, {"402", "235959", "2359"},
		{"404", "235959UTC", "235959"}, {"501", "09301700 0930-1700", "09302400 0930/1700"}, {"602", "2026", "26 202A"}, {"609", "2612", "2613"},
		{"610", "202612", "202613 2612"}, {"615", "2653", "2654"}, {"616", "202653", "202600 2026531"}, {"710", "202601202612", "202601202613"},
		{"711", "2026010120261231 20260101-20261231", "2026010120260229 20260101 20260101--20261231"}, {"713", "26010109302601011700", "2601010930"},
		{"715", "26012653", "26012654"}, {"716", "202601202653", "202601202654"}, {"717", "260101261231", "260101261301"},
		{"718", "2026010120261231", "2026010120260631"}, {"719", "202601010930202601011700", "202601010930202601012460"},
		{"804", "30 X", ""}, {"ZZZ", "20230229", ""}, /* not looked into */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int good = 0; good < 2; good++) {
			struct slice values = slice_str(good ? rows[i].good : rows[i].bad);
			for (struct slice v = slice_cut(&values, ' '); v.n; v = slice_cut(&values, ' ')) {
				char input[500], *at = input + snprintf(input, sizeof input, UNB3 UNH3 "BGM+220+PO1+9'DTM+137:%.*s:%s'UNS+S'UNT+5+1'" UNZ, SLICE_ARG(v), rows[i].format);
				assert_true(at < input + sizeof input);
				gives(input, good ? "" : "DTM/3/1/2 12 ", good ? UCI "7'" : UCM3 "'UCS+3'UCD+12+2:2'");
			}
		}
	gives(UNB4 UNH4 "BGM+220+PO1+9'DTM+137:20230229:102'UNS+S'UNT+5+1'" UNZ, "DTM/3/1/2 12 ", UCM4 "'UCS+3'UCD+12+2:2'");
	gives(UNB3 UNH3 "BGM+220+PO1+9'DTM+137:20230229'UNS+S'UNT+5+1'" UNZ, "", UCI "7'"); /* no format is told */
}

static void separators_at_the_end(void **state)
{
	(void)state;
	gives(UNB4 UNH4 "BGM+220+PO1+9++'DTM+137:20260115:102:'UNS+S'UNT+5+1'" UNZ, "BGM/2/5/0 45t DTM/3/1/4 45t DTM/3/1/0 45t ", UCI "7'");
	strictly(UNB4 UNH4 "BGM+220+PO1+9+'DTM+137:20260115:102'UNS+S'UNT+5+1'" UNZ, "BGM/2/4/0 45 ", UCM4 "'UCS+2'UCD+45+5'");
	gives(UNB3 UNH3 "BGM+220+PO1+9++'DTM+137:20260115:102:'UNS+S'UNT+5+1'" UNZ, "DTM/3/1/4 16t ", UCI "7'");
	gives(UNB4 UNH4 "BGM+220+PO1?+'DTM+137:20260115:102'UNS+S'UNT+5+1'" UNZ, "", UCI "7'");
}

/* --- characters -------------------------------------------------------------------------------------------------------- */

#define LEVEL(x, version, date) "UNB+" x ":" version "+ACME:14+VOLT:14+" date ":0930+77'"
#define TEXT3(text) UNH3 "BGM+220+PO1+9'DTM+137:20260115:102'FTX+AAI+++" text "'UNS+S'UNT+6+1'" UNZ
#define TEXT4(text) UNH4 "BGM+220+PO1+9'DTM+137:20260115:102'FTX+AAI+++" text "'UNS+S'UNT+6+1'" UNZ

static void repertoires(void **state)
{
	(void)state;
	static const char foreign[] = "FTX/4/4/1 21t ", *const fine = UCI "7'";
	gives(LEVEL("UNOA", "1", "260115") TEXT3("CAPITALS, (1=2)/3!\"%&*;<>"), "", fine);
	gives(LEVEL("UNOA", "1", "260115") TEXT3("Small"), foreign, fine);
	strictly(LEVEL("UNOA", "3", "260115") TEXT3("Small"), "FTX/4/4/1 21 ", UCM3 "'UCS+4'UCD+21+5:1'");
	strictly(LEVEL("UNOA", "4", "20260115") TEXT4("Small"), "FTX/4/4/1 21 ", UCM4 "'UCS+4'UCD+21+5:1'");
	gives(LEVEL("UNOB", "3", "260115") TEXT3("Small"), "", fine);
	gives(LEVEL("UNOB", "3", "260115") TEXT3("a@b"), foreign, fine);
	gives(LEVEL("UNOC", "3", "260115") TEXT3("caf\xe9 @"), "", fine);
	gives(LEVEL("UNOC", "3", "260115") TEXT3("\x85"), foreign, fine);
	gives(LEVEL("UNOF", "3", "260115") TEXT3("\xe1\xe2"), "", fine);
	gives(LEVEL("UNOF", "3", "260115") TEXT3("\xae"), foreign, fine);
	gives(LEVEL("UNOJ", "4", "20260115") TEXT4("\xe0\xfa"), "", fine);
	gives(LEVEL("UNOJ", "4", "20260115") TEXT4("\xc0"), foreign, fine);
	gives(LEVEL("UNOL", "3", "260115") TEXT3("\xa4"), "UNB/0/1/1 2t ", UCI "7'"); /* levels from G on came with version 4 */
	gives(LEVEL("UNOW", "4", "20260115") TEXT4("\xe2\x82\xac"), "", fine);
	gives(LEVEL("UNOW", "4", "20260115") TEXT4("caf\xe9"), foreign, fine);
	gives(LEVEL("UNOY", "4", "20260115") TEXT4("\xd0\x96"), "", fine);
	/* escape sequences, and bytes between them that look like separators */
	gives(LEVEL("UNOX", "4", "20260115") TEXT4("\x1b$B8l\x1b(B"), "", fine);
	strictly(LEVEL("UNOX", "4", "20260115") TEXT4("\x1b$B'+':?+:?\x1b(B:\x1b$)C\x0e" "0!\x0f"), "", fine);
	gives(LEVEL("UNOX", "3", "260115") TEXT3("\x1b$B'+':?+:?\x1b(B"), "UNB/0/1/1 2t ", fine);
	gives(LEVEL("UNOX", "4", "20260115") TEXT4("\x1b$(Z8l\x1b(B"), foreign, fine);
	strictly(LEVEL("UNOX", "4", "20260115") TEXT4("\x1b$B8\x1b(B"), "FTX/4/4/1 21 ", UCM4 "'UCS+4'UCD+21+5:1'");
	gives(LEVEL("UNOX", "4", "20260115") TEXT4("caf\xe9"), foreign, fine);
	gives(LEVEL("UNOX", "4", "20260115") "UNH+1+QUOTES:D:96A:UN'FTX+AAI+++\x1b$B8\x1b(B'UNT+3+1'" UNZ, "FTX/2/4/0 21t ", fine);
	/* never left: all that follows is in it */
	gives(LEVEL("UNOX", "4", "20260115") TEXT4("\x1b$B8l"), "UNZ/0/0/0 13 FTX/4/4/1 21t UNT/4/0/0 13 ", UCI "4+13+UNZ'");
	const struct policy refused = {.ack = {.refusal = "46"}}; /* nothing else is refused for that in syntax 4 but an encoding that a UNB names */
	with_policy(&refused, SLICE(UNB4 GOOD4 UNZ), "", UCI "4+46'");

	gives("UNB+UNOY:4::5+ACME:14+VOLT:14+20260115:0930+77'" TEXT4("X"), "UNB/0/1/4 46 ", UCI "4+46+UNB+2:4'");
	gives(UNB3 TEXT3("a\r\nb"), foreign, fine); /* many senders leave line ends in their texts */
	/* controls are data nowhere; unknown messages are looked at, too; so is UNB */
	gives(UNB3 TEXT3("a\x07" "b"), "FTX/4/4/1 21 ", UCM3 "'UCS+4'UCD+21+5:1'");
	gives(LEVEL("UNOA", "3", "260115") "UNH+1+QUOTES:D:96A:UN'FTX+AAI+++Small'UNT+3+1'" UNZ, "FTX/2/4/0 21t ", fine);
	gives("UNB+UNOA:3+Acme+VOLT:14+260115:0930+77'" GOOD3 UNZ, "UNB/0/2/0 21t ", "UCI+77+Acme+VOLT:14+7'");
}

/* Characters, not bytes, count. */
static void lengths(void **state)
{
	(void)state;
	static const char umlauts[] = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4";
	char input[512];
	snprintf(input, sizeof input, LEVEL("UNOW", "4", "20260115") UNH4 "BGM+220+%s%s+9'DTM+137'UNS+S'UNT+5+1'" UNZ, umlauts, umlauts);
	gives(input, "", UCI "7'"); /* 34 characters of 35, 68 bytes */
	snprintf(input, sizeof input, LEVEL("UNOC", "4", "20260115") UNH4 "BGM+220+%s%s+9'DTM+137'UNS+S'UNT+5+1'" UNZ, umlauts, umlauts);
	gives(input, "BGM/2/2/1 39 ", UCM4 "'UCS+2'UCD+39+3:1'"); /* 68 characters there; some that a control stands for are none of UNOC */
}

/* --- what is searched for ---------------------------------------------------------------------------------------------- */

static void keys_are(const char *name, const char *expected)
{
	char path[4096], file[64];
	struct van_buf text = VAN_BUF_INIT(1 << 20), found = VAN_BUF_INIT(1000);
	struct van_arena *arena = van_arena_new(0);
	snprintf(file, sizeof file, "tests/edi/edifact/%s.edi", name);
	assert_int_equal(file_read(edi_source_path(path, sizeof path, file), &text), 0);
	struct edi_report *r = checked(van_buf_slice(&text), arena, NULL);
	for (const struct edi_key *k = r->interchanges->groups->messages->keys; k; k = k->next)
		van_buf_printf(&found, "%s %.*s ", k->kind, SLICE_ARG(k->value));
	van_buf_append_char(&found, 0);
	assert_string_equal(found.p, expected);
	van_buf_free(&text);
	van_buf_free(&found);
	van_arena_free(arena);
}

static void business_keys(void **state)
{
	(void)state;
	keys_are("ORDERS-D96A", "po PO-2026-0417 ");
	keys_are("ORDRSP-D01B", "po PO-2026-0417 ");
	keys_are("ORDCHG-D96A", "po PO-2026-0417 "); /* the order that is changed, not the number of the change */
	keys_are("DESADV-D01B", "shipment DES-587441 po PO-2026-0417 ");
	keys_are("INVOIC-D96A", "invoice INV-2026-093 po PO-2026-0417 shipment DES-587441 ");
	keys_are("RECADV-D96A", "shipment DES-587441 po PO-2026-0417 ");
	keys_are("REMADV-D01B", "invoice INV-2026-093 ");
	keys_are("APERAK-D96A", "po PO-2026-0418 ");
	keys_are("IFTSTA-D96A", "shipment CUST-44 shipment TRA-568 ");
}

/* --- versions without a dictionary ------------------------------------------------------------------------------------- */

static void checked_as(const char *version, const char *type, const char *expected, const char *errors)
{
	const struct policy nearest = {.check = {.policy.nearest_version = true}};
	char input[512];
	struct van_arena *arena = van_arena_new(0);
	snprintf(input, sizeof input, UNB3 "UNH+1+%s:%s:UN'BGM+220'DTM+137'UNT+4+1'" UNZ, type, version);
	struct edi_report *r = checked(slice_str(input), arena, &nearest.check);
	const struct edi_message *m = r->interchanges->groups->messages;
	struct van_buf found = VAN_BUF_INIT(1000);
	list_errors(m->errors, &found);
	van_buf_append_char(&found, 0);
	assert_string_equal(found.p, errors);
	assert_true(expected ? slice_is(m->checked_as, expected) : !m->checked_as.p);
	van_buf_free(&found);
	van_arena_free(arena);
}

static void nearest_versions(void **state)
{
	(void)state;
	checked_as("D:97A", "ORDERS", "D:96A", "UNS/4/0/0 13 ");
	checked_as("D:01A", "ORDERS", "D:96A", "UNS/4/0/0 13 ");
	checked_as("D:02A", "ORDERS", "D:01B", "UNS/4/0/0 13 ");
	checked_as("D:22B", "ORDERS", "D:01B", "UNS/4/0/0 13 ");
	checked_as("D:93A", "ORDERS", "D:96A", "UNS/4/0/0 13 "); /* nothing older is there */
	checked_as("D:96A", "ORDERS", NULL, "UNS/4/0/0 13 ");    /* it has its own */
	checked_as("D:97A", "QUOTES", NULL, "");
	checked_as("1:921", "ORDERS", NULL, "");                 /* not of the row of directories */
}

/* --- packages ---------------------------------------------------------------------------------------------------------- */

static void packages(void **state)
{
	(void)state;
	static const char good[] = UNB4 "UNO+P1+ACE:REF1+1+12'AB'CD\n+?\x00\xff" "EFUNP+12+P1'UNZ+1+77'";
	static const char wrong[] = UNB4 "UNO+P1+ACE:REF1+1+12'AB'CD\n+?\x00\xff" "EFUNP+11+P2'UNZ+1+77'";
	static const char late[] = UNB4 "UNO+P1+ACE:REF1+1+13'AB'CD\n+?\x00\xff" "EFUNP+12+P1'UNZ+1+77'";
	const struct policy usual = {.ack = {.accepted_messages = true}};
	with_policy(&usual, slice_make(good, sizeof good - 1), "", UCI "7'UCM+++7++++P1+ACE:REF1'");
	with_policy(&usual, slice_make(wrong, sizeof wrong - 1), "UNP/2/2/0 28 UNP/2/1/0 29 ", UCI "7'UCM+++4+28+UNP+3+P1+ACE:REF1'");
	with_policy(&usual, slice_make(late, sizeof late - 1), "UNP/2/0/0 13 ", UCI "7'UCM+++4+13+UNP++P1+ACE:REF1'");
	for (size_t chunk = 1; chunk < 40; chunk++) {
		struct edi_digest whole = edi_digest_of(slice_make(good, sizeof good - 1), 0, NULL), parts = edi_digest_of(slice_make(good, sizeof good - 1), chunk, NULL);
		assert_true(whole.h == parts.h && whole.segments == 4 && parts.segments == 4);
	}
}

/* --- whatever comes ---------------------------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

/* A few bytes changed, taken out or put in twice. */
static size_t damaged(char *p, size_t n, uint32_t *state)
{
	static const char bytes[] = "'+:?*AZ09az .,-\n\x00\x07\x1c\xe9\xff\xc3";
	for (unsigned times = 1 + next_random(state) % 4; times && n > 8; times--) {
		size_t at = next_random(state) % n, length = 1 + next_random(state) % 8;
		if (at + length > n)
			length = n - at;
		switch (next_random(state) % 3) {
		case 0: p[at] = bytes[next_random(state) % (sizeof bytes - 1)]; break;
		case 1:
			memmove(p + at, p + at + length, n - at - length);
			n -= length;
			break;
		default:
			memmove(p + at + length, p + at, n - at);
			n += length;
		}
	}
	return n;
}

/* What we answer to anything at all is without fault. */
static void answers_to_damaged_files(void **state)
{
	(void)state;
	static const char *const names[] = {"ORDERS-D96A", "ORDERS-D01B", "INVOIC-D01B", "DESADV-D96A", "IFTSTA-D01B"};
	uint32_t random = 2463534242u;
	unsigned answered = 0;
	for (unsigned round = 0; round < 4000; round++) {
		char path[4096], name[64];
		struct van_buf text = VAN_BUF_INIT(1 << 20), answer = VAN_BUF_INIT(1 << 20);
		struct van_arena *arena = van_arena_new(0);
		struct edi_output out;
		struct van_error e = {0};
		snprintf(name, sizeof name, "tests/edi/edifact/%s.edi", names[round % 5]);
		assert_int_equal(file_read(edi_source_path(path, sizeof path, name), &text), 0);
		assert_non_null(van_buf_reserve(&text, 64));
		text.n = damaged(text.p, text.n, &random);
		struct edi_report *r = checked(van_buf_slice(&text), arena, NULL);
		for (const struct edi_interchange *i = r->interchanges; i; i = i->next) {
			const uint32_t numbers[] = {55};
			if (i->standard != EDI_EDIFACT)
				continue;
			van_buf_reset(&answer);
			assert_int_equal(edi_ack_write(i, NULL, 0, arena, &out, &e), 0);
			assert_int_equal(edi_output_render(&out, numbers, NULL, &answer), 0);
			if (answer.n)
				is_valid(van_buf_slice(&answer));
			answered += answer.n != 0;
		}
		van_buf_free(&text);
		van_buf_free(&answer);
		van_arena_free(arena);
	}
	assert_true(answered > 1000);
}

/* --- the lists --------------------------------------------------------------------------------------------------------- */

/* Runs last: what the tests above have made CONTRL write. */
static void every_code_was_written(void **state)
{
	(void)state;
	for (int syntax4 = 0; syntax4 < 2; syntax4++)
		for (int code = 1; code < 60; code++) {
			char text[16];
			bool seen = false;
			snprintf(text, sizeof text, "%d", code);
			for (int i = 0; i < 64; i++)
				seen |= strcmp(written[syntax4][i], text) == 0;
			if (edi_0085_has(slice_str(text), syntax4) != seen)
				fail_msg("syntax %d: code %d was %swritten", syntax4 ? 4 : 3, code, seen ? "" : "not ");
		}
	/* of every fault that the engine knows */
	for (int fault = EDI_FAULT_UNKNOWN_SEGMENT; fault <= EDI_FAULT_TRAILING; fault++) {
		const char *list;
		assert_true(edi_0085_has(slice_str(edi_fault_code((enum edi_fault)fault, EDI_EDIFACT, SLICE("3"), &list)), false));
		assert_true(edi_0085_has(slice_str(edi_fault_code((enum edi_fault)fault, EDI_EDIFACT, SLICE("4"), &list)), true));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(heads_of_interchanges),
		cmocka_unit_test(tests_are_no_production), cmocka_unit_test(refused_by_the_network),
		cmocka_unit_test(service_characters),
		cmocka_unit_test(groups),
		cmocka_unit_test(heads_of_messages),
		cmocka_unit_test(places_of_segments),
		cmocka_unit_test(values),
		cmocka_unit_test(dates_in_their_formats), cmocka_unit_test(separators_at_the_end),
		cmocka_unit_test(repertoires),
		cmocka_unit_test(lengths),
		cmocka_unit_test(business_keys),
		cmocka_unit_test(nearest_versions),
		cmocka_unit_test(packages),
		cmocka_unit_test(answers_to_damaged_files),
		cmocka_unit_test(every_code_was_written),
	};
	return cmocka_run_group_tests_name("edifact", tests, setup, teardown);
}
