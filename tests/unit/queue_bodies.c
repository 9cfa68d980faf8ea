/* Bodies come back as their message's and no other's, whatever was aborted before; Message-IDs that look alike are several. */
#include "queue_fixture.h"

#include "queue/internal.h"

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

/* --- bodies -------------------------------------------------------------------------------------------------------------- */

#define MESSAGES_MAX 400

struct sent {
	struct van_id id;
	unsigned number;
	size_t n;
};

static char *content_of(const struct sent *s)
{
	static char text[40000];
	int head = snprintf(text, sizeof text, "message %u of %zu bytes: ", s->number, s->n);
	for (size_t i = (size_t)head; i < s->n; i++)
		text[i] = (char)('A' + (s->number * 7 + i / 13) % 26);
	text[s->n] = 0;
	return text;
}

static void accept_one(struct fixture *f, struct sent *s, unsigned number)
{
	char message_id[40];
	struct queue_accept_result result;
	*s = (struct sent){van_id_new(f->now), number, 40 + (size_t)rand() % 33000};
	snprintf(message_id, sizeof message_id, "<%u@acme>", number);
	struct ipc_as2_accept a = fixture_accept(f, message_id, content_of(s), true);
	assert_int_equal(queue_accept_as2(&f->w, id_slice(&s->id), &a, &result), 0);
	assert_int_equal(result.outcome, QUEUE_ACCEPT_NEW);
}

static void has_its_body(struct fixture *f, const struct sent *s)
{
	struct queue_content c;
	assert_int_equal(queue_part_open(&f->w, id_slice(&s->id), SLICE("payload"), &c), 0);
	assert_true(slice_eq(c.bytes, slice_str(content_of(s))));
	assert_int_equal(queue_part_open(&f->w, id_slice(&s->id), SLICE("signed"), &c), 0);
	assert_int_equal(c.length, s->n + 7);
}

/* Batches that are aborted leave their positions to others; a restart forgets what was not committed. */
static void bodies_are_nobody_elses(void **state)
{
	struct fixture *f = *state;
	struct sent *kept = calloc(MESSAGES_MAX, sizeof *kept);
	size_t n = 0;
	for (unsigned number = 1; n + 12 < MESSAGES_MAX && number < 2000;) {
		size_t batch = 1 + (size_t)rand() % 12;
		van_arena_reset(f->arena);
		fixture_begin(f, STORE_WRITE);
		for (size_t i = 0; i < batch; i++)
			accept_one(f, &kept[n + i], number++);
		has_its_body(f, &kept[n + batch - 1]); /* also before the commit */
		if (rand() % 3 == 0) {
			fixture_abort(f);
		} else {
			fixture_commit(f);
			n += batch;
		}
		if (rand() % 10 == 0)
			fixture_reopen(f);
		fixture_begin(f, STORE_READ);
		for (size_t i = 0; i < n; i += n < 20 ? 1 : n / 10)
			has_its_body(f, &kept[i]);
		fixture_commit(f);
	}
	fixture_reopen(f);
	for (size_t i = 0; i < n; i++) {
		van_arena_reset(f->arena);
		fixture_begin(f, STORE_READ);
		has_its_body(f, &kept[i]);
		fixture_commit(f);
	}
	free(kept);
}

/* A file is removed at start only when it is certain that no record wants it. */
static void an_unreadable_record_spares_its_file(void **state)
{
	struct fixture *f = *state;
	struct van_id id = van_id_new(f->now);
	struct queue_part file = {.kind = QUEUE_PART_FILE, .name = SLICE("raw"), .bytes = 7};
	struct store_key k = STORE_KEY_INIT;
	store_key_fixed(&k, id.text, VAN_ID_LEN);
	store_key_text(&k, SLICE("mdn"));
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_part_put(&f->w, id_slice(&id), &file), 0);
	assert_int_equal(store_put(f->w.txn, f->queue->part, store_key_slice(&k), SLICE("\xff\xff\xff damaged")), 0);
	fixture_commit(f);
	fixture_begin(f, STORE_READ);
	assert_true(queue_part_is_file(&f->w, id_slice(&id), SLICE("raw")));
	assert_true(queue_part_is_file(&f->w, id_slice(&id), SLICE("mdn")));
	assert_false(queue_part_is_file(&f->w, id_slice(&id), SLICE("payload")));
	fixture_commit(f);
}

/* --- Message-IDs --------------------------------------------------------------------------------------------------------- */

#define LONG_ID 1000

/* Found by the same text, or by a hash, and yet each is another message's. */
static void alike_is_not_the_same(void **state)
{
	struct fixture *f = *state;
	char longs[3][LONG_ID + 1], content[32];
	const char *ids[] = {"<1>", "1", "<01>", "<001>", "0", "<00>", "<>", " 1", "< 1>", "<1@acme>", "1@acme", "<a b@acme>", "<a  b@acme>",
			     "<A b@acme>", longs[0], longs[1], longs[2], "<\x01@x>", "<\x01\x02@x>"};
	struct van_id first[sizeof ids / sizeof *ids];
	for (size_t i = 0; i < 3; i++) {
		memset(longs[i], '7', LONG_ID);
		longs[i][LONG_ID] = 0;
		longs[i][LONG_ID - i] = 0; /* one digit less each */
	}
	longs[1][0] = '0'; /* without its zero the same number as longs[2] */
	longs[1][LONG_ID - 1] = 0;
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
			snprintf(content, sizeof content, "content %zu", i);
			struct van_id id = fixture_receive(f, ids[i], content, again ? QUEUE_ACCEPT_REPEATED : QUEUE_ACCEPT_NEW);
			if (again)
				assert_string_equal(id.text, first[i].text);
			first[i] = id;
			fixture_receive(f, ids[i], "another", QUEUE_ACCEPT_CONFLICT);
		}
		fixture_reopen(f);
	}
}

/* An index entry whose message is gone does not hide the next one. */
static void a_gone_message_hides_no_repeat(void **state)
{
	struct fixture *f = *state;
	struct van_id gone = fixture_receive(f, "<01>", "first", QUEUE_ACCEPT_NEW);
	struct van_id there = fixture_receive(f, "<1>", "second", QUEUE_ACCEPT_NEW);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(store_del(f->w.txn, f->queue->message, id_slice(&gone)), 0);
	fixture_commit(f);
	struct van_id again = fixture_receive(f, "<1>", "second", QUEUE_ACCEPT_REPEATED);
	assert_string_equal(again.text, there.text);
	fixture_receive(f, "<01>", "first", QUEUE_ACCEPT_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bodies_are_nobody_elses, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unreadable_record_spares_its_file, setup, teardown),
		cmocka_unit_test_setup_teardown(alike_is_not_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gone_message_hides_no_repeat, setup, teardown),
	};
	return cmocka_run_group_tests_name("queue: bodies and Message-IDs", tests, NULL, NULL);
}
