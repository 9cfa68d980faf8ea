/* Deliveries: the state machine, the schedule, lanes, and what operators set going. */
#include "queue_fixture.h"

#include "queue/delivery.h"
#include "queue/send.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE (60 * VAN_SECOND)

static const char profiles[] =
	"kind: partner\nid: west\nidentities: [{standard: x12, id: 'ZZ:WEST'}]\nconnections:\n"
	"  - {id: west-as2, protocol: as2, station: hub, as2_id: WEST, receive: {require: []},\n"
	"     send: {url: 'http://west.example/as2', sign: none, encrypt: none, mdn: {mode: async, signed: false}, retry: [1m, 2m]}}\n"
	"---\n"
	"kind: partner\nid: east\nidentities: [{standard: x12, id: 'ZZ:EAST'}]\nconnections:\n"
	"  - {id: east-as2, protocol: as2, station: hub, as2_id: EAST, receive: {require: []},\n"
	"     send: {url: 'http://east.example/as2', sign: none, encrypt: none, mdn: {signed: false}, retry: []}}\n";

static int setup(void **state)
{
	struct fixture *f = fixture_new();
	struct profile_set *set;
	struct profile_errors errors = {0};
	if (profile_text_load(slice_str(profiles), "profiles.yaml", &set, &errors) < 0)
		fail_msg("%s", errors.n ? errors.v[0].text : "profiles");
	profile_errors_free(&errors);
	for (size_t i = 0; i < set->n; i++) {
		assert_int_equal(directory_put(f->directory, set->v[i]), 0);
		set->v[i] = NULL;
	}
	profile_set_free(set);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static struct van_id send_to(struct fixture *f, const char *partner, const char *connection)
{
	struct van_id id = van_id_new(f->now);
	struct queue_send s = {.id = id_slice(&id), .station = SLICE("hub"), .partner = slice_str(partner), .connection = slice_str(connection),
			       .file_name = SLICE("a.edi"), .bytes = SLICE("ISA*document"), .actor = SLICE("uid 0")};
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_send(&f->w, &s), 0);
	fixture_commit(f);
	return id;
}

static int begin(struct fixture *f, const struct van_id *id)
{
	struct queue_try t = {.url = SLICE("http://x/"), .as2_message_id = SLICE("<the-id@hub>"), .as2_from = SLICE("HUB"), .as2_to = SLICE("WEST"),
			      .mic = SLICE("mic"), .micalg = SLICE("sha-256"), .headers = SLICE("A: b\r\n"), .entity_headers = SLICE("C: d\r\n")};
	fixture_begin(f, STORE_WRITE);
	int rc = queue_delivery_begin(&f->w, id_slice(id), &t);
	rc < 0 ? fixture_abort(f) : fixture_commit(f);
	return rc;
}

static int end(struct fixture *f, const struct van_id *id, enum queue_outcome_kind kind, const char *mdn, uint32_t *ret_state)
{
	struct queue_outcome o = {.kind = kind, .text = SLICE("because"), .due = f->now + MINUTE,
				  .mdn = mdn ? slice_str(mdn) : SLICE_NONE, .disposition = mdn ? SLICE("automatic-action; processed") : SLICE_NONE};
	uint32_t unused;
	fixture_begin(f, STORE_WRITE);
	int rc = queue_delivery_end(&f->w, id_slice(id), &o, ret_state ? ret_state : &unused);
	rc < 0 ? fixture_abort(f) : fixture_commit(f);
	return rc;
}

/* "queued 2 60": state, tries, seconds from now until the next; "gone". */
static void assert_delivery(struct fixture *f, const struct van_id *id, const char *expected)
{
	struct queue_delivery d;
	char text[80] = "gone";
	fixture_begin(f, STORE_READ);
	if (queue_delivery_get(&f->w, id_slice(id), &d) == 0)
		snprintf(text, sizeof text, "%s %llu %lld", queue_delivery_state_names[d.state], (unsigned long long)d.tries,
			 d.next ? (long long)((d.next - f->now) / VAN_SECOND) : 0);
	fixture_commit(f);
	assert_string_equal(text, expected);
}

static int act(struct fixture *f, const struct van_id *id, const char *action)
{
	fixture_begin(f, STORE_WRITE);
	int rc = queue_delivery_act(&f->w, id_slice(id), action, SLICE("uid 0"));
	rc < 0 ? fixture_abort(f) : fixture_commit(f);
	return rc;
}

static void delivered_at_once(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2");
	fixture_assert_states(f, &id, "processed/queued/none");
	assert_delivery(f, &id, "queued 0 0");
	assert_int_equal(begin(f, &id), 0);
	fixture_assert_states(f, &id, "processed/trying/none");
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_DELIVERED, "MDN", NULL), 0);
	fixture_assert_states(f, &id, "processed/delivered/none");
	assert_delivery(f, &id, "gone");
	assert_true(fixture_history_has(f, &id, "sent", "try 1") && fixture_history_has(f, &id, "mdn-received", "processed") &&
		    fixture_history_has(f, &id, "delivered", "because"));
	struct queue_message m = fixture_message(f, &id);
	assert_true(slice_is(m.as2_message_id, "<the-id@hub>") && slice_is(m.mic, "mic") && !m.error.p);
	fixture_commit(f);
}

static void the_schedule_ends_in_failed(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2");
	static const char *const after[] = {"queued 1 60", "queued 2 120", "failed 3 0"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(begin(f, &id), 0);
		assert_int_equal(end(f, &id, QUEUE_OUTCOME_RETRY, NULL, NULL), 0);
		assert_delivery(f, &id, after[i]);
	}
	fixture_assert_states(f, &id, "processed/failed/none");
	assert_true(fixture_history_has(f, &id, "dead-letter", "because"));
	assert_int_equal(begin(f, &id), VAN_ESTATE);
	assert_int_equal(act(f, &id, "retry"), 0); /* begins the schedule anew */
	assert_int_equal(begin(f, &id), 0);
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_RETRY, NULL, NULL), 0);
	assert_delivery(f, &id, "queued 4 60");
	struct van_id once = send_to(f, "east", "east-as2"); /* retry: [] */
	assert_int_equal(begin(f, &once), 0);
	assert_int_equal(end(f, &once, QUEUE_OUTCOME_RETRY, NULL, NULL), 0);
	assert_delivery(f, &once, "failed 1 0");
}

/* Receipts name what each try sent: a later one changes nothing of it. */
static void parts_of_each_try_are_kept(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2");
	struct slice name = SLICE_NONE;
	struct queue_part p;
	for (int i = 0; i < 3; i++) {
		struct queue_try t = {.headers = i < 2 ? SLICE("first") : SLICE("other"), .as2_message_id = SLICE("<the-id@hub>")};
		fixture_begin(f, STORE_WRITE);
		assert_int_equal(queue_delivery_begin(&f->w, id_slice(&id), &t), 0);
		fixture_commit(f);
	}
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_FAILED, "negative", NULL), 0);
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_DELIVERED, "positive", NULL), 0);
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_part_newest(&f->w, id_slice(&id), SLICE("headers"), &name), 0);
	assert_true(slice_is(name, "headers-2")); /* the second try sent the same as the first */
	assert_int_equal(queue_part_newest(&f->w, id_slice(&id), SLICE("mdn"), &name), 0);
	assert_true(slice_is(name, "mdn-2"));
	assert_int_equal(queue_part_get(&f->w, id_slice(&id), SLICE("mdn"), &p), 0);
	assert_true(slice_is(p.content, "negative"));
	name = SLICE_NONE;
	assert_int_equal(queue_part_newest(&f->w, id_slice(&id), SLICE("nothing"), &name), VAN_ENOTFOUND);
	fixture_commit(f);
}

static void a_refusal_is_final(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2");
	assert_int_equal(begin(f, &id), 0);
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_FAILED, "negative MDN", NULL), 0);
	assert_delivery(f, &id, "failed 1 0");
	struct queue_message m = fixture_message(f, &id);
	assert_true(slice_is(m.error, "because"));
	fixture_commit(f);
}

/* The process ended while it was trying: tried again, and not counted against the schedule. */
static void a_restart_does_not_count(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(begin(f, &id), 0);
		fixture_reopen(f);
	}
	assert_delivery(f, &id, "trying 5 0");
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_RETRY, NULL, NULL), 0);
	assert_delivery(f, &id, "queued 5 60");
}

static void interruptions_come_soon_and_then_by_schedule(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2");
	static const char *const after[] = {"queued 1 1", "queued 2 1", "queued 3 1", "queued 4 60", "queued 5 120", "failed 6 0"};
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(begin(f, &id), 0);
		assert_int_equal(end(f, &id, QUEUE_OUTCOME_INTERRUPTED, NULL, NULL), 0);
		assert_delivery(f, &id, after[i]);
	}
	struct van_id later = send_to(f, "west", "west-as2");
	assert_int_equal(end(f, &later, QUEUE_OUTCOME_POSTPONED, NULL, NULL), 0);
	assert_delivery(f, &later, "queued 0 60");
	assert_int_equal(end(f, &later, QUEUE_OUTCOME_RETRY, NULL, NULL), 0); /* it could not even be packaged */
	assert_delivery(f, &later, "queued 1 60");
}

static void asynchronous_mdns(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2");
	uint32_t now;
	static const char *const after[] = {"queued 1 60", "queued 2 120", "expired 3 0"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(begin(f, &id), 0);
		assert_int_equal(end(f, &id, QUEUE_OUTCOME_OVERDUE, NULL, NULL), VAN_ESTATE);
		assert_int_equal(end(f, &id, QUEUE_OUTCOME_AWAITING, NULL, NULL), 0);
		assert_int_equal(end(f, &id, QUEUE_OUTCOME_OVERDUE, NULL, NULL), 0);
		assert_delivery(f, &id, after[i]);
	}
	assert_true(fixture_history_has(f, &id, "overdue", "because"));
	fixture_assert_states(f, &id, "processed/expired/none");
	/* late */
	struct queue_message m;
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_delivery_of_mdn(&f->w, SLICE("the-id@hub"), SLICE("WEST"), SLICE("HUB"), &m), 0);
	assert_true(slice_is(m.id, id.text));
	assert_int_equal(queue_delivery_of_mdn(&f->w, SLICE("<the-id@hub>"), SLICE("EAST"), SLICE("HUB"), &m), VAN_ENOTFOUND);
	assert_int_equal(queue_delivery_of_mdn(&f->w, SLICE("<other@hub>"), SLICE("WEST"), SLICE("HUB"), &m), VAN_ENOTFOUND);
	fixture_commit(f);
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_DELIVERED, "late MDN", &now), 0);
	assert_int_equal(now, QUEUE_DELIVERY_DELIVERED);
	/* again, and contradicting */
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_FAILED, "another MDN", &now), 0);
	assert_int_equal(now, QUEUE_DELIVERY_DELIVERED);
	assert_true(fixture_history_has(f, &id, "mdn-repeated", "while the delivery was delivered"));
	fixture_assert_states(f, &id, "processed/delivered/none");
}

/* The MDN is posted before the answer to the request has been seen. */
static void an_mdn_may_come_first(void **state)
{
	struct fixture *f = *state;
	struct van_id good = send_to(f, "west", "west-as2"), bad = send_to(f, "west", "west-as2");
	assert_int_equal(begin(f, &good), 0);
	assert_int_equal(end(f, &good, QUEUE_OUTCOME_DELIVERED, "MDN", NULL), 0);
	assert_int_equal(end(f, &good, QUEUE_OUTCOME_AWAITING, NULL, NULL), VAN_ENOTFOUND);
	fixture_assert_states(f, &good, "processed/delivered/none");
	assert_int_equal(begin(f, &bad), 0);
	assert_int_equal(end(f, &bad, QUEUE_OUTCOME_FAILED, "negative MDN", NULL), 0);
	assert_int_equal(end(f, &bad, QUEUE_OUTCOME_AWAITING, NULL, NULL), VAN_ESTATE);
	assert_int_equal(end(f, &bad, QUEUE_OUTCOME_RETRY, NULL, NULL), VAN_ESTATE);
	fixture_assert_states(f, &bad, "processed/failed/none");
}

static void operators_act(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2");
	assert_int_equal(act(f, &id, "release"), VAN_ESTATE);
	assert_int_equal(act(f, &id, "hold"), 0);
	fixture_assert_states(f, &id, "processed/held/none");
	assert_int_equal(begin(f, &id), VAN_ESTATE); /* it was being packaged just then */
	assert_int_equal(act(f, &id, "retry"), VAN_ESTATE);
	assert_int_equal(act(f, &id, "release"), 0);
	assert_int_equal(begin(f, &id), 0);
	assert_int_equal(act(f, &id, "drop"), VAN_ESTATE); /* bytes are on their way */
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_AWAITING, NULL, NULL), 0);
	assert_int_equal(act(f, &id, "drop"), 0);
	assert_delivery(f, &id, "gone");
	fixture_assert_states(f, &id, "processed/dropped/none");
	assert_int_equal(end(f, &id, QUEUE_OUTCOME_DELIVERED, "MDN", NULL), 0);
	assert_true(fixture_history_has(f, &id, "mdn-repeated", "dropped"));
}

/* --- lanes --------------------------------------------------------------------------------------------------------------------- */

struct seen {
	char text[200];
	van_time last;
};

static int see_lane(void *arg, const struct queue_lane *l)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof s->text - n, "%s:%.*s ", queue_delivery_kind_names[l->kind], SLICE_ARG(l->connection));
	return 0;
}

static int see_place(void *arg, struct slice id, van_time when)
{
	struct seen *s = arg;
	assert_true(when >= s->last && id.n == VAN_ID_LEN);
	s->last = when;
	size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof s->text - n, "x");
	return 0;
}

static void lanes_hold_what_is_due(void **state)
{
	struct fixture *f = *state;
	struct van_id ids[5];
	struct seen lanes = {{0}, 0}, west = {{0}, 0};
	struct queue_lane lane = {QUEUE_TO_AS2, SLICE("west-as2")};
	for (size_t i = 0; i < 5; i++)
		ids[i] = send_to(f, i < 4 ? "west" : "east", i < 4 ? "west-as2" : "east-as2");
	begin(f, &ids[0]);
	end(f, &ids[0], QUEUE_OUTCOME_DELIVERED, NULL, NULL);
	begin(f, &ids[1]);
	end(f, &ids[1], QUEUE_OUTCOME_RETRY, NULL, NULL);
	begin(f, &ids[2]);
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_lanes(&f->w, see_lane, &lanes), 0);
	assert_int_equal(queue_lane_each(&f->w, &lane, see_place, &west), 0);
	fixture_commit(f);
	assert_string_equal(lanes.text, "as2:east-as2 as2:west-as2 ");
	assert_string_equal(west.text, "xxx"); /* trying, queued, later */
	begin(f, &ids[4]);
	end(f, &ids[4], QUEUE_OUTCOME_FAILED, NULL, NULL);
	lanes.text[0] = 0;
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_lanes(&f->w, see_lane, &lanes), 0);
	fixture_commit(f);
	assert_string_equal(lanes.text, "as2:west-as2 ");
}

/* --- asynchronous MDNs of ours ----------------------------------------------------------------------------------------------------- */

static void owed_mdns_are_deliveries(void **state)
{
	struct fixture *f = *state;
	struct queue_accept_result result;
	struct van_id id = van_id_new(f->now);
	struct ipc_as2_accept a = fixture_accept(f, "<in@acme>", "hello", true);
	a.mdn_url = SLICE("http://acme.example/mdn");
	for (int i = 0; i < 2; i++) { /* the second is a repeat: it gets its MDN again */
		fixture_begin(f, STORE_WRITE);
		assert_int_equal(queue_accept_as2(&f->w, id_slice(&id), &a, &result), 0);
		assert_int_equal(result.outcome, i ? QUEUE_ACCEPT_REPEATED : QUEUE_ACCEPT_NEW);
		fixture_commit(f);
		assert_delivery(f, &id, i ? "queued 1 0" : "queued 0 0");
		fixture_assert_states(f, &id, "received//none"); /* says nothing about the document's own delivery */
		struct queue_try t = {.url = SLICE_NONE};
		fixture_begin(f, STORE_WRITE);
		assert_int_equal(queue_delivery_begin(&f->w, id_slice(&id), &t), 0);
		fixture_commit(f);
		assert_int_equal(end(f, &id, i ? QUEUE_OUTCOME_DELIVERED : QUEUE_OUTCOME_RETRY, NULL, NULL), 0);
	}
	assert_delivery(f, &id, "gone");
	fixture_assert_states(f, &id, "received//none");
	assert_true(fixture_history_has(f, &id, "mdn-sent", "try 1 to http://acme.example/mdn"));
}

/* --- again ---------------------------------------------------------------------------------------------------------------------------- */

static void resend_is_a_new_message(void **state)
{
	struct fixture *f = *state;
	struct van_id id = send_to(f, "west", "west-as2"), again = van_id_new(f->now), received;
	begin(f, &id);
	end(f, &id, QUEUE_OUTCOME_FAILED, "MDN", NULL);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_resend(&f->w, id_slice(&id), id_slice(&again), SLICE("uid 0")), 0);
	fixture_commit(f);
	fixture_assert_states(f, &again, "processed/queued/none");
	struct queue_content c;
	struct queue_message m = fixture_message(f, &again);
	assert_true(slice_is(m.resend_of, id.text) && !m.as2_message_id.p && !m.mic.p && !m.disposition.p && !m.error.p);
	assert_int_equal(queue_part_open(&f->w, id_slice(&again), SLICE("payload"), &c), 0);
	assert_true(slice_is(c.bytes, "ISA*document"));
	fixture_commit(f);
	fixture_assert_states(f, &id, "processed/failed/none");
	assert_true(fixture_history_has(f, &id, "resent", again.text) && fixture_history_has(f, &again, "resent", id.text));
	received = fixture_receive(f, "<in@acme>", "hello", QUEUE_ACCEPT_NEW);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_resend(&f->w, id_slice(&received), id_slice(&again), SLICE("uid 0")), VAN_ESTATE);
	fixture_abort(f);
}

static void reprocess_runs_a_job_anew(void **state)
{
	struct fixture *f = *state;
	struct van_id id = fixture_receive(f, "<in@acme>", "document", QUEUE_ACCEPT_NEW), again = van_id_new(f->now);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_reprocess(&f->w, id_slice(&id), id_slice(&again), SLICE("uid 0")), VAN_ESTATE); /* under way */
	fixture_abort(f);
	struct ipc_job_result r = fixture_result(f, &id, VOLT, "77");
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "volt", "volt-box");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_reprocess(&f->w, id_slice(&id), id_slice(&again), SLICE("uid 0")), 0);
	fixture_commit(f);
	fixture_assert_states(f, &again, "received//none");
	r = fixture_result(f, &again, VOLT, "77"); /* its control number is no obstacle */
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "volt", "volt-box");
	fixture_add_output(f, &r, IPC_OUTPUT_ACK, "acme", "acme-box");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &again, "processed/available/none");
	struct queue_filter filter = QUEUE_FILTER_ANY;
	filter.parent = id_slice(&again);
	assert_int_equal(fixture_count(f, &filter), 1); /* no second acknowledgement */
	struct van_id refused = fixture_receive(f, "<bad@acme>", "broken", QUEUE_ACCEPT_REJECTED);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_reprocess(&f->w, id_slice(&refused), id_slice(&again), SLICE("uid 0")), VAN_ESTATE);
	fixture_abort(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(delivered_at_once), T(the_schedule_ends_in_failed), T(parts_of_each_try_are_kept), T(a_refusal_is_final), T(a_restart_does_not_count),
		T(interruptions_come_soon_and_then_by_schedule), T(asynchronous_mdns), T(an_mdn_may_come_first), T(operators_act),
		T(lanes_hold_what_is_due), T(owed_mdns_are_deliveries), T(resend_is_a_new_message), T(reprocess_runs_a_job_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
