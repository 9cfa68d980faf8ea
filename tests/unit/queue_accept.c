/* Accepting AS2 messages, jobs and their results. */
#include "queue_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static int setup(void **state)
{
	*state = fixture_new();
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static void stored_reply(struct fixture *f, const char *message_id, const char *content, struct van_buf *to)
{
	struct queue_accept_result result;
	struct van_id id = van_id_new(f->now);
	struct ipc_as2_accept a = fixture_accept(f, message_id, content, true);
	struct ipc_http_reply reply;
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_accept_as2(&f->w, id_slice(&id), &a, &result), 0);
	assert_int_equal(result.outcome, QUEUE_ACCEPT_REPEATED);
	assert_int_equal(record_decode(&ipc_http_reply_table, result.reply, f->arena, &reply), 0);
	van_buf_append_slice(to, reply.body);
	fixture_commit(f);
}

static void test_new_message(void **state)
{
	struct fixture *f = *state;
	struct queue_content c;
	struct van_id id = fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_NEW);
	struct queue_message m = fixture_message(f, &id);
	assert_int_equal(m.state, QUEUE_RECEIVED);
	assert_int_equal(m.bytes, 5);
	assert_int_equal(queue_part_open(&f->w, id_slice(&id), SLICE("payload"), &c), 0);
	assert_true(slice_is(c.bytes, "order"));
	fixture_commit(f);
	assert_true(fixture_history_has(f, &id, "received", ""));
	assert_true(fixture_history_has(f, &id, "mdn-issued", "processed"));
}

static void test_repeat_gets_the_stored_reply(void **state)
{
	struct fixture *f = *state;
	struct queue_filter all = QUEUE_FILTER_ANY;
	struct van_buf body = VAN_BUF_INIT(1000);
	struct van_id first = fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_NEW);
	struct van_id again = fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_REPEATED);
	assert_string_equal(first.text, again.text);
	stored_reply(f, "<1@acme>", "order", &body);
	assert_true(slice_is(van_buf_slice(&body), "MDN for order"));
	assert_int_equal(fixture_count(f, &all), 1);
	van_buf_free(&body);
}

static void test_conflict_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct queue_filter all = QUEUE_FILTER_ANY;
	struct van_id first = fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_NEW);
	struct van_id other = fixture_receive(f, "<1@acme>", "another", QUEUE_ACCEPT_CONFLICT);
	assert_string_equal(first.text, other.text);
	assert_int_equal(fixture_count(f, &all), 1);
	fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_REPEATED);
}

static void test_rejected_does_not_block_its_retry(void **state)
{
	struct fixture *f = *state;
	struct queue_filter rejected = QUEUE_FILTER_ANY;
	struct van_id bad = fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_REJECTED);
	fixture_assert_states(f, &bad, "rejected//none");
	rejected.state = QUEUE_REJECTED;
	assert_int_equal(fixture_count(f, &rejected), 1);
	fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_NEW);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_message_release(&f->w, id_slice(&bad), SLICE("uid 0")), VAN_ESTATE); /* never verified, never processed */
	assert_int_equal(f->w.writes, 0);
	fixture_abort(f);
}

static void test_window_of_repeats(void **state)
{
	struct fixture *f = *state;
	queue_set_as2_window(f->queue, VAN_SECOND);
	fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_NEW);
	f->now += VAN_SECOND / 2;
	fixture_receive(f, "<1@acme>", "order", QUEUE_ACCEPT_REPEATED);
	f->now += VAN_SECOND / 2;
	fixture_receive(f, "<1@acme>", "another", QUEUE_ACCEPT_NEW); /* forgotten: neither a repeat nor a conflict */
	fixture_receive(f, "<1@acme>", "another", QUEUE_ACCEPT_REPEATED);
	queue_set_as2_window(f->queue, 0);
	f->now += 3650 * 86400 * VAN_SECOND;
	fixture_receive(f, "<1@acme>", "another", QUEUE_ACCEPT_REPEATED);
}

static void test_same_id_in_one_batch(void **state)
{
	struct fixture *f = *state;
	struct queue_accept_result one, two;
	struct van_id a = van_id_new(f->now), b = van_id_new(f->now);
	struct ipc_as2_accept accept = fixture_accept(f, "<1@acme>", "order", true);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_accept_as2(&f->w, id_slice(&a), &accept, &one), 0);
	assert_int_equal(queue_accept_as2(&f->w, id_slice(&b), &accept, &two), 0);
	fixture_commit(f);
	assert_int_equal(one.outcome, QUEUE_ACCEPT_NEW);
	assert_int_equal(two.outcome, QUEUE_ACCEPT_REPEATED);
}

/* A full map aborts the batch, the map grows, and everything runs again with the same identifiers. */
static void test_replay_after_an_abort(void **state)
{
	struct fixture *f = *state;
	struct queue_filter all = QUEUE_FILTER_ANY;
	struct ipc_as2_accept accept = fixture_accept(f, "<1@acme>", "order", true);
	struct van_id id = van_id_new(f->now);
	struct receipt_log log;
	for (int i = 0; i < 3; i++) {
		struct queue_accept_result r;
		fixture_begin(f, STORE_WRITE);
		assert_int_equal(queue_accept_as2(&f->w, id_slice(&id), &accept, &r), 0);
		assert_int_equal(r.outcome, QUEUE_ACCEPT_NEW);
		if (i < 2)
			fixture_abort(f);
		else
			fixture_commit(f);
	}
	assert_int_equal(fixture_count(f, &all), 1);
	fixture_begin(f, STORE_READ);
	assert_int_equal(receipt_log_get(f->w.txn, f->receipts, 0, &log), 0);
	assert_int_equal(log.size, 2);
	fixture_commit(f);
}

static void test_bad_artefacts_are_refused_before_writing(void **state)
{
	struct fixture *f = *state;
	struct queue_accept_result r;
	struct van_id id = van_id_new(f->now);
	struct ipc_as2_accept a = fixture_accept(f, "<1@acme>", "order", true);
	RECORD_AT(a.artefacts, struct ipc_artefact, 0)->name = SLICE("../x");
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_accept_as2(&f->w, id_slice(&id), &a, &r), VAN_EINVAL);
	assert_int_equal(f->w.writes, 0);
	fixture_abort(f);
}

/* --- jobs ---------------------------------------------------------------------------------------------------------------- */

static void test_pass_through(void **state)
{
	struct fixture *f = *state;
	struct queue_content c;
	struct queue_mailbox_entry e;
	struct van_id id = fixture_receive(f, "<1@acme>", "ISA~\n", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = fixture_result(f, &id, VOLT, "000000017");
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "volt", "volt-box")->control_number = SLICE("000000017");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &id, "processed/available/none");
	struct van_id out = fixture_child(f, &id, 0);
	struct queue_message m = fixture_message(f, &out);
	assert_true(slice_starts(m.file_name, "850_123456789_000000017_"));
	assert_true(slice_is(m.made_as, "pass-through"));
	assert_int_equal(queue_mailbox_find(&f->w, &(struct queue_place){SLICE("volt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, m.file_name}, &e), 0);
	assert_int_equal(e.bytes, 5); /* a lone interchange is passed on with all around it */
	assert_int_equal(queue_part_open(&f->w, m.id, SLICE("payload"), &c), 0);
	assert_true(slice_is(c.bytes, "ISA~\n"));
	fixture_commit(f);
	assert_int_equal(fixture_done(f, &r), VAN_ENOTFOUND); /* a job ends once */
}

static void test_numbers_and_counters(void **state)
{
	struct fixture *f = *state;
	struct queue_content c;
	struct van_id id = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = fixture_result(f, &id, VOLT, "1");
	struct ipc_part parts[] = {
		{.kind = IPC_PART_BYTES, .bytes = SLICE("ISA*")}, {.kind = IPC_PART_INTERCHANGE_NUMBER, .width = 9},
		{.kind = IPC_PART_BYTES, .bytes = SLICE("~GS*")}, {.kind = IPC_PART_GROUP_NUMBER}, {.kind = IPC_PART_BYTES, .bytes = SLICE("~GE*")},
		{.kind = IPC_PART_GROUP_NUMBER}, {.kind = IPC_PART_BYTES, .bytes = SLICE("~IEA*")},
		{.kind = IPC_PART_INTERCHANGE_NUMBER, .width = 9}, {.kind = IPC_PART_BYTES, .bytes = SLICE("~")},
	};
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_counter_set(&f->w, SLICE(VOLT), SLICE(ACME), QUEUE_PRODUCTION, QUEUE_LEVEL_INTERCHANGE, 999999999,
					   SLICE("uid 0")), 0);
	fixture_commit(f);
	struct ipc_output *o = fixture_add_output(f, &r, IPC_OUTPUT_ACK, "acme", "acme-box");
	o->from = SLICE(VOLT);
	o->to = SLICE(ACME);
	o->type = SLICE("997");
	o->parts = (struct record_list){parts, sizeof parts / sizeof *parts};
	assert_int_equal(fixture_done(f, &r), 0);
	struct van_id out = fixture_child(f, &id, 0);
	struct queue_message m = fixture_message(f, &out);
	assert_true(slice_is(m.control_number, "000000001")); /* after 999999999, never 0 */
	assert_int_equal(queue_part_open(&f->w, m.id, SLICE("payload"), &c), 0);
	assert_true(slice_is(c.bytes, "ISA*000000001~GS*1~GE*1~IEA*000000001~"));
	fixture_commit(f);
	fixture_assert_states(f, &id, "processed//none"); /* an acknowledgement is not the document's delivery */
}

static void test_several_interchanges(void **state)
{
	struct fixture *f = *state;
	struct van_id id = fixture_receive(f, "<1@acme>", "ISA1ISA2", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = fixture_result(f, &id, VOLT, "1"), other = fixture_result(f, &id, "x12 ZZ:NOBODY", "2");
	struct ipc_interchange *v = van_arena_array(f->arena, 2, sizeof *v);
	v[0] = *RECORD_AT(r.interchanges, struct ipc_interchange, 0);
	v[1] = *RECORD_AT(other.interchanges, struct ipc_interchange, 0);
	v[1].offset = 4;
	v[1].state = IPC_INTERCHANGE_UNROUTABLE;
	v[1].error = SLICE("nobody has that address");
	r.interchanges = (struct record_list){v, 2};
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "volt", "volt-box");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &id, "processed//none");
	struct van_id second = fixture_child(f, &id, 0), first = fixture_child(f, &id, 1);
	fixture_assert_states(f, &first, "processed/available/none");
	fixture_assert_states(f, &second, "unroutable//none");
	/* Released, it runs as a job of its own, over its stretch. */
	struct ipc_job job;
	int fds[2];
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_message_release(&f->w, id_slice(&second), SLICE("uid 0")), 0);
	assert_int_equal(queue_job_fill(&f->w, id_slice(&second), &job, fds), 0);
	assert_true(slice_is(job.payload, "ISA2"));
	fixture_commit(f);
}

static void test_duplicate_control_number(void **state)
{
	struct fixture *f = *state;
	struct queue_filter search = QUEUE_FILTER_ANY;
	struct van_id first = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW), second;
	struct ipc_job_result r = fixture_result(f, &first, VOLT, "000000017");
	assert_int_equal(fixture_done(f, &r), 0);
	second = fixture_receive(f, "<2@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	r = fixture_result(f, &second, VOLT, "000000017");
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "volt", "volt-box");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &second, "duplicate//none");
	search.search = SLICE("17"); /* leading zeros don't matter */
	assert_int_equal(fixture_count(f, &search), 2);
	/* An operator lets it pass. */
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_message_release(&f->w, id_slice(&second), SLICE("uid 0")), 0);
	fixture_commit(f);
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &second, "processed/available/none");
}

/* Whoever sends in another's name must not use up that other's control numbers. */
static void test_held_takes_no_number(void **state)
{
	struct fixture *f = *state;
	struct van_id spoofed = fixture_receive(f, "<1@evil>", "ISA~", QUEUE_ACCEPT_NEW), real;
	struct ipc_job_result r = fixture_result(f, &spoofed, VOLT, "000000018");
	((struct ipc_interchange *)r.interchanges.v)[0].state = IPC_INTERCHANGE_HELD;
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &spoofed, "held//none");
	real = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	r = fixture_result(f, &real, VOLT, "000000018");
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "volt", "volt-box");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &real, "processed/available/none");
}

/* A document of thousands of groups takes time and memory by their number, not by its square. */
static void test_many_groups(void **state)
{
	enum { GROUPS = 3000 };
	struct fixture *f = *state;
	struct van_id id = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = fixture_result(f, &id, BOLT, "000000019");
	struct ipc_interchange *ic = r.interchanges.v;
	struct ipc_transaction *v = calloc(GROUPS, sizeof *v), one = *RECORD_AT(ic->transactions, struct ipc_transaction, 0);
	char (*numbers)[12] = calloc(GROUPS, sizeof *numbers);
	assert_true(v && numbers);
	for (int i = 0; i < GROUPS; i++) {
		snprintf(numbers[i], sizeof numbers[i], "%d", i / 2 + 1);
		v[i] = one;
		v[i].group_control_number = slice_str(numbers[i]);
	}
	ic->transactions = (struct record_list){v, GROUPS};
	ic->ack = SLICE("expected");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &id, "processed//expected");
	free(v);
	free(numbers);
}

static void test_duplicate_policies(void **state)
{
	struct fixture *f = *state;
	struct van_id first = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW), id;
	struct ipc_job_result r = fixture_result(f, &first, VOLT, "17");
	assert_int_equal(fixture_done(f, &r), 0);
	id = fixture_receive(f, "<2@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	r = fixture_result(f, &id, VOLT, "17");
	RECORD_AT(r.interchanges, struct ipc_interchange, 0)->duplicates = SLICE("reject");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &id, "rejected//none");
	id = fixture_receive(f, "<3@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	r = fixture_result(f, &id, VOLT, "17");
	RECORD_AT(r.interchanges, struct ipc_interchange, 0)->duplicates = SLICE("allow");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &id, "processed//none");
	/* Past the window the number is free again. */
	f->now += 2 * VAN_SECOND;
	id = fixture_receive(f, "<4@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	r = fixture_result(f, &id, VOLT, "17");
	RECORD_AT(r.interchanges, struct ipc_interchange, 0)->duplicate_window = VAN_SECOND;
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &id, "processed//none");
}

static int count_job(void *arg, struct slice message, const struct queue_job *j)
{
	(void)message;
	(void)j;
	++*(int *)arg;
	return 0;
}

static void test_jobs_survive_a_restart(void **state)
{
	struct fixture *f = *state;
	int jobs = 0;
	fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	fixture_receive(f, "<2@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	fixture_reopen(f);
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_jobs(&f->w, count_job, &jobs), 0);
	fixture_commit(f);
	assert_int_equal(jobs, 2);
}

static void test_quarantine(void **state)
{
	struct fixture *f = *state;
	van_time next;
	struct van_id id = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	for (int i = 0; i < 2; i++) {
		fixture_begin(f, STORE_WRITE);
		assert_int_equal(queue_job_crashed(&f->w, id_slice(&id), &next), 0);
		fixture_commit(f);
		assert_int_equal(next != 0, i == 0);
	}
	fixture_assert_states(f, &id, "quarantined//none");
	assert_true(fixture_history_has(f, &id, "dead-letter", ""));
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_job_crashed(&f->w, id_slice(&id), &next), VAN_ENOTFOUND);
	assert_int_equal(queue_message_release(&f->w, id_slice(&id), SLICE("uid 0")), 0);
	fixture_commit(f);
	fixture_assert_states(f, &id, "received//none");
}

static void test_failed_jobs(void **state)
{
	struct fixture *f = *state;
	van_time first, second, none;
	struct van_id id = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	struct ipc_job_failed failed = {.message = id_slice(&id), .retry = true, .error = SLICE("no store")};
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_job_failed(&f->w, &failed, &first), 0);
	assert_int_equal(queue_job_failed(&f->w, &failed, &second), 0);
	assert_true(first > f->now && second - f->now > first - f->now);
	failed.retry = false;
	assert_int_equal(queue_job_failed(&f->w, &failed, &none), 0);
	assert_int_equal(none, 0);
	fixture_commit(f);
	fixture_assert_states(f, &id, "held//none");
}

static void test_no_interchange(void **state)
{
	struct fixture *f = *state;
	struct van_id id = fixture_receive(f, "<1@acme>", "rubbish", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = {.message = id_slice(&id), .state = SLICE("rejected"), .error = SLICE("no interchange in it")};
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &id, "rejected//none");
}

static void test_bad_result_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct queue_filter all = QUEUE_FILTER_ANY;
	struct van_id id = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = fixture_result(f, &id, VOLT, "1");
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "volt", "volt-box")->interchange = 7;
	assert_int_equal(fixture_done(f, &r), VAN_EINVAL);
	assert_int_equal(fixture_count(f, &all), 1);
	fixture_assert_states(f, &id, "received//none");
}

static void test_shown_as_json(void **state)
{
	struct fixture *f = *state;
	struct van_buf json = VAN_BUF_INIT(100000);
	struct van_id id = fixture_receive(f, "<1@acme>", "ISA~", QUEUE_ACCEPT_NEW);
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_message_show_json(&f->w, id_slice(&id), &json), 0);
	fixture_commit(f);
	van_buf_append_char(&json, 0);
	assert_non_null(strstr(json.p, "\"state\":\"received\",\"delivery\":null,\"ack\":\"none\",\"agreement\":null,\"parent\":null,\"error\":null"));
	assert_non_null(strstr(json.p, "\"event\":\"mdn-issued\""));
	assert_non_null(strstr(json.p, "{\"name\":\"payload\",\"bytes\":4,"));
	assert_null(strstr(json.p, "\"reply\""));
	van_buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_message, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repeat_gets_the_stored_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window_of_repeats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflict_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rejected_does_not_block_its_retry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_id_in_one_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay_after_an_abort, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_artefacts_are_refused_before_writing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pass_through, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_and_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several_interchanges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_duplicate_control_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held_takes_no_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_duplicate_policies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jobs_survive_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quarantine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_jobs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_interchange, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_result_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shown_as_json, setup, teardown),
	};
	return cmocka_run_group_tests_name("queue: acceptance and jobs", tests, NULL, NULL);
}
