/* Every code that a TA1, 997 or 999 of ours may hold, provoked: what is sent, the error that is found, and the answer.
 *
 * Not provoked, because we never write them:
 * TA105 026: an element separator that cannot be one makes ISA unrecognisable. 032 to 038: of ISX's own faults.
 * AK905 10 to 15, 17, 18, 23 to 26 and AK502 8 to 13, 15, 16: results of decryption and authentication, which the answer
 * "security is not supported" (AK905 16, AK502 17) precedes. AK905 7 to 9, 30, 31: of 005030 and later.
 * IK304, IK403 and IK502 I4 to I13: of guides, which have a test of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_dictionaries.h"

#include "edi/ack.h"

static const van_time now = 1768469400LL * VAN_SECOND; /* 2026-01-15 09:30 */

static const char four[] =
	"ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*U*00401*000000101*1*T*>~"
	"GS*PO*ACMEAPP*VOLTAPP*20260115*0930*101*X*004010~"
	"ST*850*0001~BEG*00*SA*P1**20260115~PO1*1*1*EA*2~SE*4*0001~GE*1*101~IEA*1*000000101~";
static const char five[] =
	"ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*^*00501*000000101*1*T*>~"
	"GS*PO*ACMEAPP*VOLTAPP*20260115*0930*101*X*005010~"
	"ST*850*0001~BEG*00*SA*P1**20260115~PO1*1*1*EA*2~SE*4*0001~GE*1*101~IEA*1*000000101~";

/* What `from` says is replaced by `to`; both have parts divided by '|' that belong together. */
struct row {
	const char *input, *from, *to, *list, *code, *answer;
	struct edi_check_options check;
	struct edi_ack_options ack;
	bool echo; /* the answer names the group as it came, wrong: that is an error in the answer, too */
};

#define P999 .ack = {.kind = EDI_ACK_999}

static const struct row rows[] = {
	{four, "", "", "", "", "TA1*000000101*260115*0930*A*000~"},
	{four, "IEA*1*000000101", "IEA*1*000000102", "TA105", "001", "*R*001~"},
	{four, "", "", "", "", "*R*002~", .ack = {.refusal = "002"}},
	{four, "00401*0000", "00901*0000", "TA105", "003", "*R*003~"},
	{four, ">~GS", ">XGS", "TA105", "004", "*R*004~"},
	{four, "*ZZ*ACME ", "*Z *ACME ", "TA105", "005", "*R*005~"},
	{four, "ACME           ", "               ", "TA105", "006", ""}, /* there is nobody to answer */
	{four, "*ZZ*VOLT ", "*Z *VOLT ", "TA105", "007", "*R*007~"},
	{four, "VOLT           ", "               ", "TA105", "008", ""},
	{four, "*000000101*1*T*", "*>*1*T*", "TA105", "018", ""}, /* nor a number that could be named */
	{four, "", "", "", "", "*R*009~", .ack = {.refusal = "009"}},
	{four, "ISA*00", "ISA*09", "TA105", "010", "*R*010~"},
	{four, "ISA*00", "ISA*01", "TA105", "011", "*R*011~"},
	{four, "          *00*          ", "          *02*          ", "TA105", "012", "*R*012~"},
	{four, "          *00*          ", "          *01*          ", "TA105", "013", "*R*013~"},
	{four, "260115*0930*U", "260230*0930*U", "TA105", "014", "*260230*0930*R*014~"},
	{four, "260115*0930*U", "260115*2430*U", "TA105", "015", "*R*015~"},
	{four, "0930*U*", "0930*X*", "TA105", "016", "*E*016~"},
	{four, "0930*U*", "0930*X*", "TA105", "016", "*R*016~", .check = {.policy.strict_syntax = true}},
	{five, "0930*^*", "0930*U*", "TA105", "016", "*E*016~"},
	{four, "00401*0000", "0040A*0000", "TA105", "017", "*R*017~"},
	{four, "000000101*1*T", "00000010A*1*T", "TA105", "018", "*R*018~"},
	{four, "*1*T*>", "*2*T*>", "TA105", "019", "*R*019~"},
	{four, "*1*T*>", "*1*X*>", "TA105", "020", "*R*020~"},
	{four, "IEA*1", "IEA*2", "TA105", "021", "*R*021~"},
	{four, "IEA*1", "IEA*2", "TA105", "021", "*E*021~", .check = {.policy.tolerate_counts = true}},
	{four, "GE*1*101~", "GE*1*101~XYZ*1~", "TA105", "022", "*R*022~"},
	{four, "~BEG", "~ BEG", "TA105", "022", "*R*022~", .check = {.policy.strict_syntax = true}}, /* what others tolerate */
	{four, "~BEG", "~~BEG", "TA105", "022", "*R*022~", .check = {.policy.strict_syntax = true}},
	{four, "*EA*2~", "*EA*2**~", "TA105", "022", "*R*022~", .check = {.policy.strict_syntax = true}},
	{four, "ACME           ", "ACME", "TA105", "022", "*R*022~", .check = {.policy.strict_syntax = true}},
	{four, "~BEG|*EA*2~|ACME           ", "~ BEG|*EA*2**~|ACME", "", "", "*A*000~"},
	{four, "IEA*1*000000101~", "", "TA105", "023", "*R*023~"},
	{four, "*X*004010~", "~", "TA105", "024", "*R*024~"},
	{four, "GS*PO*ACMEAPP*", "GS*PO**", "TA105", "024", "*R*024~"},
	{four, "*VOLTAPP*2026", "**2026", "TA105", "024", "*R*024~"},
	{four, "*ACMEAPP*VOLT", "*ACMEAPPACMEAPP12*VOLT", "TA105", "024", "*E*024~GS*FA*VOLTAPP*ACMEAPPACMEAPP1*"},
	{four, "VOLTAPP*20260115*0930", "VOLTAPP*20260230*0930", "TA105", "024", "*E*024~"},
	{four, "VOLTAPP*20260115*0930", "VOLTAPP*20260115*2460", "TA105", "024", "*R*024~", .check = {.policy.strict_syntax = true}},
	{four, "101*X*004010~", "101*Q*004010~", "TA105", "024", "*E*024~"},
	{four, "101*X*004010~", "101*X*004010*Z~", "TA105", "024", "*E*024~"},
	{four, "101*X*004010~", "101*X*004010*~", "", "", "*A*000~"},
	{four, "GE*1*101~", "GE*1*101*Z~", "TA105", "022", "*E*022~"},
	{four, "IEA*1*000000101~", "IEA*1*000000101*Z~", "TA105", "022", "*E*022~"},
	{four, "IEA*1*000000101~", "IEA*1*101~", "TA105", "001", "*E*001~"},
	{four, "IEA*1*000000101~", "IEA*1*101~", "TA105", "001", "*R*001~", .check = {.policy.strict_syntax = true}},
	{four, "IEA*1", "GS*PO*ACMEAPP*VOLTAPP*20260115*0930*101*X*004010~ST*850*0001~BEG*00*SA*P1**20260115~PO1*1*1*EA*2~SE*4*0001~"
		"GE*1*101~IEA*2", "TA105", "022", "*E*022~"}, /* AK905 19 is of 005010 */
	{four, "~GS*PO", "~TA1*000000009*260101*0000*A*000~GS*PO", "", "", "*A*000~"},
	{four, "~GS*PO", "~TA1**260101*0000*A*000~GS*PO", "TA105", "022", "*R*022~"},
	{four, "~GS*PO", "~TA1*000000009*260101*0000*Q*000~GS*PO", "TA105", "022", "*R*022~"},
	{four, "~GS*PO", "~TA1*000000009*260101*0000*A*039~GS*PO", "TA105", "022", "*R*022~"},
	{four, "~GS*PO", "~TA1*000000009*260101*0000*A~GS*PO", "TA105", "022", "*R*022~"},
	{four, "~GS*PO", "~TA1*000000009*260101*0000*A*000*Z~GS*PO", "TA105", "022", "*E*022~"},
	{four, "", "", "", "", "*R*025~", .ack = {.refusal = "025"}},
	{four, "*>~GS", "**~GS", "TA105", "027", "*R*027~"},
	{four, "*>~GS", "*0~GS", "TA105", "027", "*T*>~TA1*000000101*260115*0930*R*027~"}, /* its numbers stay numbers */
	{four, "260115*0930*U", "26\x01\x02" "15*0930*U", "TA105", "014", "*26  15*0930*R*014~"},
	{four, "~GS*PO", "~ISE*260230*0930*ES~GS*PO", "TA105", "028", "*R*028~"},
	{four, "~GS*PO", "~ISE*260115*2530*ES~GS*PO", "TA105", "029", "*R*029~"},
	{four, "~GS*PO", "~ISE*260115*0930*E~GS*PO", "TA105", "030", "*R*030~"},
	{four, "~GS*PO", "~ISB*X~GS*PO", "TA105", "031", "*R*031~"},

	{four, "", "", "", "", "AK1*PO*101~AK9*A*1*1*1~"},
	{four, "GS*PO", "GS*P", "AK905", "1", "AK9*R*1*1*0*1~", .echo = true},
	{four, "X*004010", "X*0040", "AK905", "2", "AK9*R*1*1*0*2~"},
	{four, "GE*1*101~", "", "AK905", "3", "AK9*R*1*1*0*3~"},
	{four, "GE*1*101", "GE*1*102", "AK905", "4", "AK9*R*1*1*0*4~"},
	{four, "GE*1*101", "GE*2*101", "AK905", "5", "AK9*R*2*1*0*5~"},
	{four, "GE*1*101", "GE*0*101", "AK905", "5", "AK9*R*0*1*0*5~"},
	{four, "GE*1*101", "GE*X*101", "AK905", "5", "AK9*R*1*1*0*5~"}, /* no count: that of what was received */
	{four, "GE*1*101", "GE*2*101", "AK905", "5", "AK9*E*2*1*1*5~", .check = {.policy.tolerate_counts = true}},
	{four, "0930*101*X|GE*1*101", "0930*1X1*X|GE*1*1X1", "AK905", "6", "AK9*R*1*1*0*6~", .echo = true},
	{four, "~ST*850|GE*1", "~S1S*1~ST*850|S1E*1~GE*1", "AK905", "16", "AK9*R*1*1*0*16~"},
	{four, "~ST*850", "~S1S*1~ST*850", "AK905", "19", "AK9*R*1*1*0*16*19~"},
	{four, "GE*1*", "S1E*1~GE*1*", "AK905", "20", "AK9*R*1*1*0*16*20~"},
	{four, "~ST*850", "~S2S*1~ST*850", "AK905", "21", "AK9*R*1*1*0*16*21~"},
	{four, "GE*1*", "S2E*1~GE*1*", "AK905", "22", "AK9*R*1*1*0*16*22~"},
	{four, "~ST*850", "~S1S*1~ST*850", "AK905", "19", "AK9*R*1*1*0*16~", P999}, /* 999 gives 19 another meaning */
	{five, "~ST*850", "~S1S*1~ST*850", "AK905", "16", "AK9*R*1*1*0*16~"},
	{five, "IEA*1", "GS*PO*ACMEAPP*VOLTAPP*20260115*0930*101*X*005010~ST*850*0001~BEG*00*SA*P1**20260115~PO1*1*1*EA*2~SE*4*0001~"
		"GE*1*101~IEA*2", "AK905", "19", "AK9*R*1*1*0*19~"},

	{four, "850*0001~BEG", "898*0001~BEG", "AK502", "1", "AK5*R*1~AK9*R*1*1*0~", .check = {.policy.known_only = true}},
	{four, "SE*4*0001~", "", "AK502", "2", "AK5*R*2~"},
	{four, "SE*4*0001", "SE*4*0002", "AK502", "3", "AK5*R*3~"},
	{four, "SE*4*0001", "SE*5*0001", "AK502", "4", "AK5*R*4~"},
	{four, "SE*4*0001", "SE*5*0001", "AK502", "4", "AK5*E*4~AK9*E*1*1*1~", .check = {.policy.tolerate_counts = true}},
	{four, "*1*EA", "*X*EA", "AK403", "6", "AK3*PO1*3**8~AK4*2*330*6*X~AK5*R*5~"},
	{four, "*1*EA", "*X*EA", "AK403", "6", "AK4*2*330*6*X~AK5*E*5~AK9*E*1*1*1~", .check = {.policy.tolerate_elements = true}},
	{four, "GS*PO", "GS*IN", "AK502", "6", "AK5*R*6~"},
	{four, "ST*850*0001", "ST*85X*0001", "AK502", "6", "AK9*R*1*1*0~"}, /* AK2 cannot name it */
	{four, "ST*850*0001|SE*4*0001", "ST*850*001|SE*4*001", "AK502", "7", "AK9*R*1*1*0~"},
	{four, "~BEG|SE*4", "~S3S*1~BEG|S3E*1~SE*6", "AK502", "17", "AK5*R*17~"},
	{four, "SE*4*0001~|GE*1", "SE*4*0001~ST*850*0001~BEG*00*SA*P1**20260115~PO1*1*1*EA*2~SE*4*0001~|GE*2", "AK502", "23",
		"AK5*R*23~AK9*P*2*2*1~"},
	{four, "~BEG|SE*4", "~S3S*1~BEG|SE*5", "AK502", "24", "AK5*R*17*24~"},
	{four, "~SE*4", "~S3E*1~SE*5", "AK502", "25", "AK5*R*17*25~"},
	{four, "~BEG|SE*4", "~S4S*1~BEG|SE*5", "AK502", "26", "AK5*R*17*26~"},
	{four, "~SE*4", "~S4E*1~SE*5", "AK502", "27", "AK5*R*17*27~"},
	{five, "GS*PO", "GS*IN", "IK502", "18", "IK5*R*18~", P999},
	{five, "GS*PO", "GS*IN", "IK502", "18", "AK5*R*6~"}, /* 997 has no such code */
	{five, "X*005010~|ST*850*0001~", "X*005010A1~|ST*850*0001*005010A2~", "IK502", "19", "IK5*E*19~", P999},

	{four, "PO1*", "XX9*1~PO1*", "AK304", "1", "AK3*XX9*3**1~"},
	{four, "PO1*", "LONGER*1~PO1*", "AK304", "1", "AK3*LON*3**1~"}, /* AK301 has at most three characters … */
	{four, "PO1*", "X*1~PO1*", "AK304", "1", "AK1*PO*101~AK2*850*0001~AK5*R*5~"}, /* … and at least two */
	{four, "PO1*", "*1~PO1*", "AK304", "1", "AK1*PO*101~AK2*850*0001~AK5*R*5~"},
	{four, "PO1*1*1*EA*2~", "N3*A~PO1*1*1*EA*2~", "AK304", "2", "AK3*N3*3**2~"},
	{four, "PO1*1*1*EA*2~SE*4", "SE*3", "AK304", "3", "AK3*PO1*3**3~"},
	{four, "PO1*1*1*EA*2~SE*4", "PO1*1*1*EA*2~CTT*1~AMT*TT*1~AMT*TT*1~CTT*1~SE*8", "AK304", "4", "AK3*CTT*7**4~"},
	{four, "PO1*", "BEG*00*SA*P1**20260115~PO1*", "AK304", "5", "AK3*BEG*3**5~"},
	{four, "PO1*", "HL*1**S~PO1*", "AK304", "6", "AK3*HL*3**6~"},
	{four, "~SE*4", "~BEG*00*SA*P1**20260115~SE*5", "AK304", "7", "AK3*BEG*4**7~"},
	{four, "*1*EA", "*X*EA", "AK403", "6", "IK3*PO1*3**8~IK4*2*330*6*X~IK5*R*5~", P999}, /* AK304 and IK304 8 */
	{four, "SA*P1*", "SA**", "AK403", "1", "AK4*3*324*1~"},
	{four, "SA*P1*", "SA*  *", "AK403", "6", "AK4*3*324*6~"}, /* blanks alone are no data, in AK404 neither */
	{four, "*1*EA*2", "**EA*2", "AK403", "2", "AK4*2*330*2~"},
	{four, "PO1*", "CUR*BY*USD*1*2*3*4*5*6*7*8*9*0*1*2*3*4*5*6*7*8*9*X~PO1*", "AK403", "3", "AK4*22**3*X~"},
	{four, "EA*2", "EA*2**VN*A**", "", "", "AK5*A~"}, /* separators at the end are no elements */
	{four, "*1*EA", "*1*E", "AK403", "4", "AK4*3*355*4*E~"},
	{four, "*1*EA", "*1234567890123456*EA", "AK403", "5", "AK4*2*330*5*1234567890123456~"},
	{four, "*1*EA", "*1*QQ", "AK403", "7", "AK4*3*355*7*QQ~"},
	{four, "**20260115~PO", "**20260230~PO", "AK403", "8", "AK4*5*373*8*20260230~"},
	{four, "PO1*", "DTM*002*20260202*2460~PO1*", "AK403", "9", "AK4*3*337*9*2460~"},
	{four, "PO1*", "TD1*CTN*1****5~PO1*", "AK403", "2", "AK4*6"},
	{five, "SA*P1*", "SA*P1^P2*", "AK403", "12", "AK4*3>>2*324*12*P2~"},
	{five, "PO1*", "REF*DP*1*x*IV>1>DP>y>IA>a>b~PO1*", "AK403", "13", "AK4*4>7**13*b~"},
};

/* `base` with the parts of `from` replaced by those of `to`; the count in SE is put right unless it is about that. */
static struct slice made(const struct row *row, char *room, size_t size)
{
	struct slice from = slice_str(row->from), to = slice_str(row->to);
	snprintf(room, size, "%s", row->input);
	while (from.n) {
		struct slice a = slice_cut(&from, '|'), b = slice_cut(&to, '|');
		char *at = memmem(room, strlen(room), a.p, a.n);
		if (!at)
			fail_msg("%.*s is not in the base", SLICE_ARG(a));
		memmove(at + b.n, at + a.n, strlen(at + a.n) + 1);
		memcpy(at, b.p ? b.p : "", b.n);
	}
	char *se = strstr(room, "~SE*4*0001"), *st = strstr(room, "~ST*850*0001");
	if (se && st && strcmp(row->code, "4") != 0) {
		int n = 1;
		for (char *p = st + 1; p <= se; p++)
			n += *p == '~';
		se[4] = (char)('0' + n);
	}
	return slice_str(room);
}

static bool has(const struct edi_error *errors, const struct row *row)
{
	for (; errors; errors = errors->next)
		if (strcmp(errors->list, row->list) == 0 && strcmp(errors->code, row->code) == 0)
			return true;
	return false;
}

static bool found(const struct edi_report *r, const struct row *row)
{
	bool any = !*row->list;
	for (const struct edi_interchange *i = r->interchanges; i && !any; i = i->next) {
		any = has(i->errors, row);
		for (const struct edi_group *g = i->groups; g && !any; g = g->next) {
			any = has(g->errors, row);
			for (const struct edi_message *m = g->messages; m && !any; m = m->next)
				any = has(m->errors, row);
		}
	}
	return any;
}

static uint64_t any_errors(const struct edi_report *r)
{
	uint64_t n = r->errors != NULL;
	for (const struct edi_interchange *i = r->interchanges; i; i = i->next) {
		n += i->errors != NULL;
		for (const struct edi_group *g = i->groups; g; g = g->next) {
			n += g->errors != NULL;
			for (const struct edi_message *m = g->messages; m; m = m->next)
				n += m->error_count;
		}
	}
	return n;
}

static bool check_row(const struct row *row)
{
	char room[2048];
	const uint32_t one = 1, groups[] = {1, 2};
	struct van_arena *arena = van_arena_new(0);
	struct van_buf text = VAN_BUF_INIT(0);
	struct edi_report *r = NULL, *own = NULL;
	struct edi_output ack;
	struct edi_ack_options options = row->ack;
	options.accepted_messages = strstr(row->answer, "K5*A") != NULL;
	struct slice input = made(row, room, sizeof room);
	assert_int_equal(edi_check_bytes(input, dictionaries, &row->check, arena, &r, NULL), 0);
	assert_non_null(r->interchanges);
	assert_int_equal(edi_ack_write(r->interchanges, &options, now, arena, &ack, NULL), 0);
	assert_int_equal(edi_output_render(&ack, &one, groups, &text), 0);
	van_buf_append_char(&text, 0);
	bool good = found(r, row) && strstr(text.p, row->answer) && (*row->answer || text.n == 1);
	if (!good)
		print_message("# %s %s%s: %s\n# answered by %s\n# instead of  %s\n", row->list, row->code, found(r, row) ? "" : " not found", room,
			text.p, row->answer);
	if (*row->answer && good) {
		const struct edi_check_options strict = {.policy.strict_syntax = true};
		assert_int_equal(edi_check_bytes(slice_make(text.p, text.n - 1), dictionaries, &strict, arena, &own, NULL), 0);
		good = own->interchanges && any_errors(own) == row->echo;
		if (!good)
			print_message("# our own answer has errors: %s\n", text.p);
		struct edi_output none = {0};
		assert_int_equal(edi_ack_write(own->interchanges, NULL, now, arena, &none, NULL), 0);
		assert_int_equal(none.part_count, 0); /* never acknowledged */
	}
	van_buf_free(&text);
	van_arena_free(arena);
	return good;
}

static void every_code_is_provoked(void **state)
{
	(void)state;
	unsigned failed = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		failed += !check_row(&rows[i]);
	assert_int_equal(failed, 0);
}

static void written(const char *input, const struct edi_ack_options *options, const char *expected)
{
	struct row row = {.input = input, .from = "", .list = "", .code = "", .answer = expected, .ack = *options};
	assert_true(check_row(&row));
}

static void a_999_is_of_005010(void **state)
{
	(void)state;
	const struct edi_ack_options options = {.kind = EDI_ACK_999, .accepted_messages = true};
	written(four, &options, "*260115*0930*^*00501*000000001*0*T*>~TA1");
	written(four, &options, "GS*FA*VOLTAPP*ACMEAPP*20260115*0930*1*X*005010X231A1~ST*999*0001*005010X231A1~AK1*PO*101*004010~"
		"AK2*850*0001~IK5*A~AK9*A*1*1*1~SE*6*0001~GE*1*1~IEA*1*000000001~");
	written(four, &(struct edi_ack_options){.accepted_messages = true}, "*260115*0930*U*00401*000000001*0*T*>~TA1");
	written(five, &(struct edi_ack_options){.accepted_messages = true}, "*X*005010~ST*997*0001~AK1*PO*101~AK2*850*0001~AK5*A~AK9*A*1*1*1~");
}

static void wrong_refusals_are_told(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	struct edi_report *r;
	struct edi_output ack;
	struct van_error e = {0};
	assert_int_equal(edi_check_bytes(slice_str(four), dictionaries, NULL, arena, &r, NULL), 0);
	assert_int_equal(edi_ack_write(r->interchanges, &(struct edi_ack_options){.refusal = "032"}, now, arena, &ack, &e), VAN_EINVAL);
	assert_int_equal(edi_ack_write(r->interchanges, &(struct edi_ack_options){.refusal = "9"}, now, arena, &ack, &e), VAN_EINVAL);
	assert_non_null(strstr(e.text, "TA1 has no code 9"));
	van_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_provoked),
		cmocka_unit_test(a_999_is_of_005010),
		cmocka_unit_test(wrong_refusals_are_told),
	};
	return cmocka_run_group_tests_name("edi ack", tests, open_dictionaries, free_dictionaries);
}
