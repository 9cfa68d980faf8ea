/* Whose terms a document is judged by, asked while it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_dictionaries.h"

#define ISA(version, ack) "ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*U*" version "*000000101*" ack "*T*>~"
#define GS(version) "GS*PO*ACMEAPP*VOLTAPP*20260115*0930*101*X*" version "~"
#define BEG "BEG*00*SA*P1**20260115~"
#define PO1 "PO1*1*1*EA*2~"
#define GOOD_850 "ST*850*0001~" BEG PO1 "SE*4*0001~"


/* Terms by type: 850s may have wrong elements, of a 997 nothing is known; what one rejected message takes along. */
static int terms_of(void *ctx, const struct edi_interchange *i, const struct edi_group *g, const struct edi_message *m,
	const struct edi_check_policy **ret)
{
	assert_true(i->sender.n && g->code.n && m->control_number.n);
	if (slice_is(m->type, "850"))
		*ret = ctx;
	return 0;
}

#define BAD_850(number) "ST*850*" number "~" BEG "PO1*1*1*QQ*x~SE*4*" number "~"
#define WRONG_850(number) "ST*850*" number "~" BEG "PO1*1*1*EA*2~XYZ~SE*5*" number "~"
#define MIXED(version) ISA("00401", "0") "GS*PO*ACMEAPP*VOLTAPP*20260115*0930*101*X*" version "~" \
	"ST*850*0001~" BEG PO1 "SE*4*0001~" WRONG_850("0002") "GE*2*101~" \
	"GS*PO*ACMEAPP*VOLTAPP*20260115*0930*102*X*" version "~ST*850*0001~" BEG PO1 "SE*4*0001~GE*1*102~IEA*2*000000101~"

static struct edi_report *judged(const char *input, const struct edi_check_policy *p, struct van_arena *arena)
{
	struct edi_check_options options = {.policy_for = terms_of, .policy_ctx = (void *)p};
	struct edi_report *r;
	assert_int_equal(edi_check_bytes(slice_str(input), dictionaries, &options, arena, &r, NULL), 0);
	return r;
}

static void terms_are_asked_for_each_message(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	const struct edi_check_policy lenient = {.tolerate_elements = true, .tolerate_counts = true}, strict = {.strict_syntax = true};
	struct edi_report *r = judged(ISA("00401", "0") GS("004010") BAD_850("0001") "GE*2*101~IEA*1*000000101~", &lenient, arena);
	assert_int_equal(r->interchanges->groups->messages->status, EDI_ACCEPTED_WITH_ERRORS);
	assert_int_equal(r->interchanges->groups->status, EDI_ACCEPTED_WITH_ERRORS); /* its count, by its message's terms */
	r = judged(ISA("00401", "0") GS("004010") GOOD_850 "GE*2*101~IEA*1*000000101~", &strict, arena);
	assert_int_equal(r->interchanges->groups->status, EDI_REJECTED);
	r = judged(ISA("00401", "0") GS("004010") GOOD_850 "GE*1*101~ IEA*1*000000101~", &strict, arena);
	assert_int_equal(r->interchanges->status, EDI_REJECTED);
	assert_string_equal(r->interchanges->errors->code, "022");
	van_arena_free(arena);
}

static void a_rejected_message_takes_along_what_was_agreed(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	static const struct {
		enum edi_reach rejects;
		enum edi_status interchange, first, second, good;
		uint64_t rejected;
	} cases[] = {
		{EDI_REJECTS_MESSAGE, EDI_PARTIALLY_ACCEPTED, EDI_PARTIALLY_ACCEPTED, EDI_ACCEPTED, EDI_ACCEPTED, 1},
		{EDI_REJECTS_GROUP, EDI_PARTIALLY_ACCEPTED, EDI_REJECTED, EDI_ACCEPTED, EDI_REJECTED, 2},
		{EDI_REJECTS_INTERCHANGE, EDI_REJECTED, EDI_REJECTED, EDI_REJECTED, EDI_REJECTED, 3},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct edi_check_policy p = {.rejects = cases[i].rejects};
		struct edi_report *r = judged(MIXED("004010"), &p, arena);
		const struct edi_group *g = r->interchanges->groups;
		assert_int_equal(r->interchanges->status, cases[i].interchange);
		assert_int_equal(g->status, cases[i].first);
		assert_int_equal(g->next->status, cases[i].second);
		assert_int_equal(g->messages->status, cases[i].good);
		assert_int_equal(r->messages_rejected, cases[i].rejected);
		assert_int_equal(g->accepted_count, cases[i].first == EDI_REJECTED ? 0 : 1);
	}
	van_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms_are_asked_for_each_message),
		cmocka_unit_test(a_rejected_message_takes_along_what_was_agreed),
	};
	return cmocka_run_group_tests_name("edi policy", tests, open_dictionaries, free_dictionaries);
}
