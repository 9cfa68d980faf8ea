/* Much of it: groups of very many messages, levels below levels, every release's envelope. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_dictionaries.h"

#include "edi/ack.h"

#include <stdio.h>

#define ISA(version, eleven) "ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*" eleven "*" version "*000000101*0*T*>~"
#define MANY 168000


struct seen {
	uint64_t messages, good, groups;
	struct slice last; /* in `room` */
	char room[16];
};

static int on_message(void *ctx, const struct edi_message *m)
{
	struct seen *s = ctx;
	s->messages++;
	s->good += m->status == EDI_ACCEPTED;
	memcpy(s->room, m->control_number.p, m->control_number.n);
	s->last = slice_make(s->room, m->control_number.n);
	return 0;
}

static int on_group(void *ctx, const struct edi_group *g)
{
	struct seen *s = ctx;
	s->groups++;
	assert_int_equal(g->message_count, MANY);
	assert_int_equal(g->accepted_count, MANY - 1);
	assert_int_equal(g->status, EDI_PARTIALLY_ACCEPTED);
	assert_null(g->errors);
	return 0;
}

static void put(struct edi_checker *c, const char *text)
{
	assert_int_equal(edi_checker_feed(c, slice_str(text), false), 0);
}

static void put_order(struct edi_checker *c, unsigned number, bool whole)
{
	char text[200];
	snprintf(text, sizeof text, "ST*850*%06u~BEG*00*SA*P1**20260115~%sSE*%d*%06u~", number, whole ? "PO1*1*1*EA*2~" : "", whole ? 4 : 3, number);
	put(c, text);
}

/* One of them is wrong, and found; nothing is kept of the others. */
static void very_many_messages_in_one_group(void **state)
{
	(void)state;
	struct seen s = {0};
	const struct edi_check_sink sink = {.message_end = on_message, .group_end = on_group, .ctx = &s};
	struct edi_checker *c = edi_checker_new(dictionaries, NULL, &sink);
	assert_non_null(c);
	put(c, ISA("00401", "U") "GS*PO*A*B*20260115*0930*101*X*004010~");
	for (unsigned i = 1; i <= MANY; i++)
		put_order(c, i, i != 99999);
	put(c, "GE*168000*101~IEA*1*000000101~");
	assert_int_equal(edi_checker_feed(c, SLICE(""), true), 0);
	const struct edi_report *r = edi_checker_report(c);
	assert_int_equal(r->messages, MANY);
	assert_int_equal(r->messages_rejected, 1);
	assert_int_equal(r->junk, 0);
	assert_int_equal(s.messages, MANY);
	assert_int_equal(s.good, MANY - 1);
	assert_int_equal(s.groups, 1);
	assert_true(slice_is(s.last, "168000"));
	edi_checker_free(c);
}

/* Far deeper than any level is remembered: each is found to be below what is not known any more, and nothing grows. */
static void levels_below_levels(void **state)
{
	(void)state;
	struct seen s = {0};
	const struct edi_check_sink sink = {.message_end = on_message, .ctx = &s};
	struct edi_checker *c = edi_checker_new(dictionaries, NULL, &sink);
	assert_non_null(c);
	put(c, ISA("00401", "U") "GS*SH*A*B*20260115*0930*101*X*004010~ST*856*0001~BSN*00*S1*20260115*0930~HL*1**S~");
	for (unsigned i = 2; i < 20000; i++) {
		char text[64];
		snprintf(text, sizeof text, "HL*%u*%u*I~LIN**VP*X~", i, i - 1);
		put(c, text);
	}
	put(c, "SE*40000*0001~GE*1*101~IEA*1*000000101~");
	assert_int_equal(edi_checker_feed(c, SLICE(""), true), 0);
	assert_int_equal(s.messages, 1);
	assert_int_equal(edi_checker_report(c)->segments, 2 + 3 + 2 * 19998 + 3);
	edi_checker_free(c);
}

/* As deep as levels are remembered, and from there back to each level above, the first included. */
static void deep_trees(void **state)
{
	(void)state;
	struct seen s = {0};
	const struct edi_check_sink sink = {.message_end = on_message, .ctx = &s};
	struct edi_checker *c = edi_checker_new(dictionaries, NULL, &sink);
	const unsigned deepest = 1000;
	char text[64];
	assert_non_null(c);
	put(c, ISA("00401", "U") "GS*SH*A*B*20260115*0930*101*X*004010~ST*856*0001~BSN*00*S1*20260115*0930~HL*1**S~");
	for (unsigned i = 2; i <= deepest; i++) {
		snprintf(text, sizeof text, "HL*%u*%u*I~", i, i - 1);
		put(c, text);
	}
	for (unsigned i = deepest + 1; i < 2 * deepest; i++) {
		snprintf(text, sizeof text, "HL*%u*%u*I~", i, 2 * deepest - i);
		put(c, text);
	}
	snprintf(text, sizeof text, "SE*%u*0001~GE*1*101~IEA*1*000000101~", 2 * deepest + 2);
	put(c, text);
	assert_int_equal(edi_checker_feed(c, SLICE(""), true), 0);
	assert_int_equal(s.messages, 1);
	assert_int_equal(s.good, 1);
	edi_checker_free(c);
}

static void envelopes_of_every_release(void **state)
{
	(void)state;
	static const char *const releases[] = {"002000", "002001", "002002", "002003", "002040", "003010", "003020", "003030", "003040", "003050",
		"003060", "003070", "004010", "004020", "004030", "004040", "004050", "004060", "005010", "005020", "005030", "005040", "005050",
		"006010", "006020", "006030", "006040", "007010", "007020", "007030", "007040", "007050", "007060", "008010", "008020"};
	for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
		struct van_arena *arena = van_arena_new(0);
		struct edi_report *r;
		char input[700], isa12[6];
		snprintf(isa12, sizeof isa12, "%.5s", releases[i]);
		bool repeats = strcmp(isa12, "00402") >= 0, short_date = strcmp(releases[i], "004010") < 0;
		int n = snprintf(input, sizeof input,
			"ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*%s*%s*000000101*0*T*>~"
			"GS*PO*A*B*%s*0930*101*X*%s~ST*850*0001~BEG*00*SA*P1**20260115~PO1*1*1*EA*2~SE*4*0001~GE*1*101~IEA*1*000000101~",
			repeats ? "^" : "U", isa12, short_date ? "260115" : "20260115", releases[i]);
		const struct edi_check_options nearest = {.policy.nearest_version = true};
		assert_int_equal(edi_check_bytes(slice_make(input, (size_t)n), dictionaries, &nearest, arena, &r, NULL), 0);
		assert_int_equal(r->interchange_count, 1);
		assert_null(r->interchanges->errors);
		assert_null(r->interchanges->groups->errors);
		assert_int_equal(r->interchanges->delimiters.repetition, repeats ? '^' : 0);
		const struct edi_message *m = r->interchanges->groups->messages;
		bool own = strcmp(releases[i], "004010") == 0 || strcmp(releases[i], "005010") == 0;
		assert_int_equal(m->known, own);
		assert_true(own || slice_is(m->checked_as, strcmp(releases[i], "005010") < 0 ? "004010" : "005010"));
		assert_int_equal(m->status, EDI_ACCEPTED);
		van_arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(very_many_messages_in_one_group),
		cmocka_unit_test(levels_below_levels), cmocka_unit_test(deep_trees),
		cmocka_unit_test(envelopes_of_every_release),
	};
	return cmocka_run_group_tests_name("edi large", tests, open_dictionaries, free_dictionaries);
}
