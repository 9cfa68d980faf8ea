/* Acknowledgements, mailboxes, log-ins, profiles. */
#include "queue_fixture.h"

#include "queue/logins.h"
#include "queue/mailbox_private.h"

#include <stdio.h>

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

/* --- acknowledgements ------------------------------------------------------------------------------------------------------ */

/* An order to VOLT that awaits a 997, passed through. */
static struct van_id order(struct fixture *f, const char *message_id, const char *control, van_time within)
{
	struct van_id id = fixture_receive(f, message_id, "ISA~", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = fixture_result(f, &id, VOLT, control);
	struct ipc_interchange *ic = RECORD_AT(r.interchanges, struct ipc_interchange, 0);
	ic->ack = SLICE("expected");
	ic->ack_within = (uint64_t)within;
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "volt", "volt-box")->ack = SLICE("expected");
	assert_int_equal(fixture_done(f, &r), 0);
	fixture_assert_states(f, &id, "processed/available/expected");
	return id;
}

/* VOLT's 997 for a group; the id of the message it came in. */
static struct van_id acknowledge(struct fixture *f, const char *message_id, const char *control, const char *group, const char *status,
				 const char *from)
{
	struct van_id id = fixture_receive(f, message_id, "ISA~", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = fixture_result(f, &id, ACME, control);
	struct ipc_interchange *ic = RECORD_AT(r.interchanges, struct ipc_interchange, 0);
	struct ipc_ack_seen *a = van_arena_alloc(f->arena, sizeof *a);
	ic->from = slice_str(from);
	ic->acknowledgement = true;
	*a = (struct ipc_ack_seen){.env = SLICE("production"), .from = SLICE(ACME), .to = slice_str(from), .group_from = SLICE("123456789"),
				   .group_to = SLICE("SUPPLIER"), .group_code = SLICE("PO"),
				   .group_control_number = van_arena_slice(f->arena, slice_str(group)),
				   .status = van_arena_slice(f->arena, slice_str(status))};
	r.acks = (struct record_list){a, 1};
	fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "acme", "acme-box");
	assert_int_equal(fixture_done(f, &r), 0);
	return id;
}

#define MANY 1500

/* One document of many groups, each of two messages, answered by one 997 with as many answers. */
static void test_many_groups(void **state)
{
	struct fixture *f = *state;
	struct van_id id = fixture_receive(f, "<1@a>", "ISA~", QUEUE_ACCEPT_NEW);
	struct ipc_job_result r = fixture_result(f, &id, VOLT, "17");
	struct ipc_interchange *ic = RECORD_AT(r.interchanges, struct ipc_interchange, 0);
	struct ipc_transaction *t = van_arena_array(f->arena, 2 * MANY, sizeof *t);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		t[i] = *RECORD_AT(ic->transactions, struct ipc_transaction, 0);
		t[i].group_control_number = van_arena_printf(f->arena, "%u", 1 + i / 2);
		t[i].control_number = van_arena_printf(f->arena, "%04u", 1 + i % 2);
	}
	ic->transactions = (struct record_list){t, 2 * MANY};
	ic->ack = SLICE("expected");
	assert_int_equal(fixture_done(f, &r), 0);
	for (unsigned round = 0; round < 2; round++) { /* all groups but the last, then the last one */
		unsigned n = round ? 1 : MANY - 1;
		struct van_id carrier = fixture_receive(f, round ? "<3@a>" : "<2@a>", "ISA~", QUEUE_ACCEPT_NEW);
		r = fixture_result(f, &carrier, ACME, round ? "502" : "501");
		ic = RECORD_AT(r.interchanges, struct ipc_interchange, 0);
		ic->from = SLICE(VOLT);
		ic->acknowledgement = true;
		struct ipc_ack_seen *a = van_arena_array(f->arena, n, sizeof *a);
		struct ipc_ack_item *item = van_arena_alloc(f->arena, sizeof *item);
		*item = (struct ipc_ack_item){.type = SLICE("850"), .control_number = SLICE("2"), .status = SLICE("rejected")};
		for (unsigned i = 0; i < n; i++)
			a[i] = (struct ipc_ack_seen){.env = SLICE("production"), .from = SLICE(ACME), .to = SLICE(VOLT), .group_from = SLICE("123456789"),
						     .group_to = SLICE("SUPPLIER"), .group_code = SLICE("PO"),
						     .group_control_number = van_arena_printf(f->arena, "%u", round ? MANY : i + 1),
						     .status = round ? SLICE("partially-accepted") : SLICE("accepted"),
						     .items = {item, round ? 1 : 0}};
		r.acks = (struct record_list){a, n};
		assert_int_equal(fixture_done(f, &r), 0);
		fixture_assert_states(f, &id, round ? "processed//partially-accepted" : "processed//expected");
	}
}

static void test_matched(void **state)
{
	struct fixture *f = *state;
	struct van_id id = order(f, "<1@a>", "17", 0), out = fixture_child(f, &id, 0);
	struct van_id ack = acknowledge(f, "<2@a>", "501", "000017", "accepted", VOLT); /* groups are compared as numbers */
	fixture_assert_states(f, &id, "processed/available/accepted");
	fixture_assert_states(f, &out, "processed/available/accepted"); /* what was made of it shows the same */
	fixture_assert_states(f, &ack, "processed/available/none");     /* and the 997 goes on to the buyer */
	assert_true(fixture_history_has(f, &id, "ack-received", "accepted of group 000017"));
}

static void test_unmatched(void **state)
{
	struct fixture *f = *state;
	struct queue_filter unmatched = QUEUE_FILTER_ANY;
	struct van_id id = order(f, "<1@a>", "17", 0);
	struct van_id other = acknowledge(f, "<2@a>", "501", "18", "accepted", VOLT);
	struct van_id forged = acknowledge(f, "<3@a>", "502", "17", "rejected", BOLT); /* not the receiver of that order */
	fixture_assert_states(f, &id, "processed/available/expected");
	fixture_assert_states(f, &other, "processed/available/unmatched");
	fixture_assert_states(f, &forged, "processed/available/unmatched");
	unmatched.ack = QUEUE_ACK_UNMATCHED;
	assert_int_equal(fixture_count(f, &unmatched), 2);
}

static void test_contradictions(void **state)
{
	struct fixture *f = *state;
	struct van_id id = order(f, "<1@a>", "17", 0);
	acknowledge(f, "<2@a>", "501", "17", "rejected", VOLT);
	fixture_assert_states(f, &id, "processed/available/rejected");
	acknowledge(f, "<3@a>", "502", "17", "accepted", VOLT);
	fixture_assert_states(f, &id, "processed/available/rejected");
	assert_true(fixture_history_has(f, &id, "ack-received", "which stands"));
	acknowledge(f, "<4@a>", "503", "17", "rejected", VOLT);
	assert_true(fixture_history_has(f, &id, "ack-received", "(repeated)"));
	id = order(f, "<5@a>", "18", 0);
	acknowledge(f, "<6@a>", "504", "18", "accepted", VOLT);
	acknowledge(f, "<7@a>", "505", "18", "partially-accepted", VOLT);
	fixture_assert_states(f, &id, "processed/available/partially-accepted"); /* never silently better, visibly worse */
}

static void test_overdue_and_late(void **state)
{
	struct fixture *f = *state;
	van_time next;
	struct van_id id = order(f, "<1@a>", "17", 10 * VAN_SECOND), in_time = order(f, "<2@a>", "18", 10 * VAN_SECOND);
	acknowledge(f, "<3@a>", "501", "18", "accepted", VOLT);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_ack_scan(&f->w, 100), 0);
	assert_int_equal(queue_ack_next(&f->w, &next), 0);
	assert_true(next == f->now + 10 * VAN_SECOND);
	fixture_commit(f);
	f->now += 11 * VAN_SECOND;
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_ack_scan(&f->w, 100), 1);
	assert_int_equal(queue_ack_next(&f->w, &next), 0);
	assert_true(next == 0);
	fixture_commit(f);
	fixture_assert_states(f, &id, "processed/available/overdue");
	fixture_assert_states(f, &in_time, "processed/available/accepted");
	assert_true(fixture_history_has(f, &id, "overdue", ""));
	acknowledge(f, "<4@a>", "502", "17", "accepted-with-errors", VOLT);
	fixture_assert_states(f, &id, "processed/available/accepted-with-errors");
	assert_true(fixture_history_has(f, &id, "ack-received", "(late)"));
}

static void test_closed_by_hand(void **state)
{
	struct fixture *f = *state;
	struct van_id id = order(f, "<1@a>", "17", 0);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_ack_close(&f->w, id_slice(&id), SLICE("uid 0"), SLICE("by telephone")), 0);
	assert_int_equal(queue_ack_close(&f->w, id_slice(&id), SLICE("uid 0"), SLICE("again")), VAN_ESTATE);
	fixture_commit(f);
	fixture_assert_states(f, &id, "processed/available/none");
}

/* --- mailboxes --------------------------------------------------------------------------------------------------------------- */

struct names {
	char text[1000];
	size_t n;
};

static int add_name(void *arg, const struct queue_mailbox_entry *e)
{
	struct names *n = arg;
	n->n += (size_t)snprintf(n->text + n->n, sizeof n->text - n->n, "%.*s(%s) ", SLICE_ARG(e->name), queue_mailbox_state_names[e->state]);
	return 0;
}

static int add_date(void *arg, struct slice date)
{
	struct names *n = arg;
	n->n += (size_t)snprintf(n->text + n->n, sizeof n->text - n->n, "%.*s ", SLICE_ARG(date));
	return 0;
}

static void assert_folder(struct fixture *f, const char *box, enum queue_folder folder, const char *date, const char *after, const char *expected)
{
	struct names n = {.text = ""};
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_mailbox_each(&f->w, &(struct queue_place){slice_str(box), folder, slice_str(date), SLICE_NONE}, slice_str(after), add_name, &n), 0);
	fixture_commit(f);
	assert_string_equal(n.text, expected);
}

static struct van_id upload(struct fixture *f, const char *name, const char *content, bool staged, int expected)
{
	struct van_id id = van_id_new(f->now);
	struct queue_upload u = {.id = id_slice(&id), .partner = SLICE("volt"), .connection = SLICE("volt-box"), .name = slice_str(name),
				 .kind = staged ? QUEUE_UPLOAD_STAGED : QUEUE_UPLOAD_FINAL, .content = slice_str(content), .bytes = strlen(content)};
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_upload(&f->w, &u, NULL), expected);
	fixture_commit(f);
	return id;
}

static const char *today(struct fixture *f)
{
	static char text[VAN_TIME_TEXT];
	van_time_rfc3339(text, f->now);
	text[10] = 0;
	return text;
}

#define STAGED(name_) ((struct queue_place){SLICE("volt-box"), QUEUE_FOLDER_STAGED, SLICE_NONE, SLICE(name_)})

static void test_uploads(void **state)
{
	struct fixture *f = *state;
	struct queue_mailbox_entry e;
	struct names dates = {.text = ""};
	struct van_id id = upload(f, "ack.edi", "ISA~", false, 0);
	fixture_assert_states(f, &id, "received//none");
	assert_true(fixture_history_has(f, &id, "sftp-in", ""));
	assert_folder(f, "volt-box", QUEUE_FOLDER_STAGED, NULL, NULL, "");
	assert_folder(f, "volt-box", QUEUE_FOLDER_IN_ARCHIVE, today(f), NULL, "ack.edi(taken) ");
	struct van_id again = upload(f, "ack.edi", "other", false, 0); /* the same name is another message */
	assert_string_not_equal(id.text, again.text);
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_mailbox_find_uploaded(&f->w, SLICE("volt-box"), SLICE("ack.edi"), QUEUE_UPLOADED_LATELY, &e), 0);
	assert_int_equal(e.bytes, 5); /* the newest has the name */
	assert_int_equal(queue_mailbox_find_uploaded(&f->w, SLICE("acme-box"), SLICE("ack.edi"), QUEUE_UPLOADED_LATELY, &e), VAN_ENOTFOUND);
	assert_int_equal(queue_mailbox_sections(&f->w, SLICE("volt-box"), QUEUE_FOLDER_IN_ARCHIVE, add_date, &dates), 0);
	fixture_commit(f);
	assert_true(strncmp(dates.text, today(f), 10) == 0 && dates.n == 11);
	for (int day = 1; day <= 2; day++) { /* of today and of yesterday */
		f->now += 86400 * VAN_SECOND;
		fixture_begin(f, STORE_READ);
		assert_int_equal(queue_mailbox_find_uploaded(&f->w, SLICE("volt-box"), SLICE("ack.edi"), QUEUE_UPLOADED_LATELY, &e), day == 1 ? 0 : VAN_ENOTFOUND);
		assert_int_equal(queue_mailbox_find_uploaded(&f->w, SLICE("volt-box"), SLICE("ack.edi"), QUEUE_UPLOADED_STATUS, &e), 0);
		fixture_commit(f);
	}
	f->now -= 2 * 86400 * VAN_SECOND; /* ids of later times would stay ahead */
	upload(f, "a/b", "x", false, VAN_EINVAL);
	upload(f, "..", "x", false, VAN_EINVAL);
}

static void test_staged_uploads(void **state)
{
	struct fixture *f = *state;
	struct queue_filter all = QUEUE_FILTER_ANY;
	struct queue_upload who = {.partner = SLICE("volt"), .connection = SLICE("volt-box")};
	const struct queue_removal by = {RECEIPT_SFTP_IN, SLICE("volt"), SLICE("sftp user volt")};
	struct slice message, replaced;
	struct van_id id = upload(f, "ack.edi.part", "ISA~", true, 0);
	assert_int_equal(fixture_count(f, &all), 0);
	assert_folder(f, "volt-box", QUEUE_FOLDER_STAGED, NULL, NULL, "ack.edi.part(staged) ");
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_rename_staged(&f->w, &STAGED("ack.edi.part"), &STAGED("ack.edi"), false, false, &who, &message, &replaced), 0);
	assert_true(slice_is(message, id.text));
	fixture_commit(f);
	fixture_assert_states(f, &id, "received//none");
	assert_folder(f, "volt-box", QUEUE_FOLDER_STAGED, NULL, NULL, "");
	assert_true(fixture_history_has(f, &id, "sftp-in", "uploaded as ack.edi.part, a temporary name"));
	struct van_id first = upload(f, "x.tmp", "1", true, 0);
	id = upload(f, "x.tmp", "22", true, 0);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_remove_staged(&f->w, &STAGED("x.tmp"), &by, &message), 0);
	assert_true(slice_is(message, id.text));
	assert_int_equal(queue_mailbox_remove_staged(&f->w, &STAGED("x.tmp"), &by, &message), VAN_ENOTFOUND);
	struct queue_part part;
	assert_int_equal(queue_part_get(&f->w, id_slice(&first), SLICE("payload"), &part), VAN_ENOTFOUND); /* their bytes are gone, too */
	assert_int_equal(queue_part_get(&f->w, id_slice(&id), SLICE("payload"), &part), VAN_ENOTFOUND);
	fixture_commit(f);
	assert_int_equal(fixture_count(f, &all), 1);
	assert_true(fixture_history_has(f, &first, "sftp-in", "upload x.tmp replaced by a later one")); /* though there is no message */
	assert_true(fixture_history_has(f, &id, "sftp-in", "upload x.tmp deleted before it was taken"));
}

/* A file that an operator puts there. */
static struct van_id hand_in(struct fixture *f, const char *name, const char *content)
{
	struct van_id id = van_id_new(f->now);
	struct queue_upload u = {.id = id_slice(&id), .partner = SLICE("volt"), .connection = SLICE("volt-box"), .name = slice_str(name),
				 .actor = SLICE("uid 0"), .content = slice_str(content), .bytes = strlen(content)};
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_hand_in(&f->w, &u), 0);
	fixture_commit(f);
	return id;
}

/* Where names come again, what is put back must not push another document out: it gets its id between `stem` and `end`. */
static void restored_beside(struct fixture *f, const char *name, const char *stem, const char *end)
{
	char both[700];
	struct van_id first = hand_in(f, name, "1");
	struct queue_place at = {SLICE("volt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, slice_str(name)};
	struct queue_mailbox_entry e;
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_taken(&f->w, &at, SLICE("sftp user volt")), 0);
	fixture_commit(f);
	struct van_id second = hand_in(f, name, "22");
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_restore(&f->w, id_slice(&first), SLICE("uid 0")), 0);
	fixture_commit(f);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_find(&f->w, &at, &e), 0);
	assert_true(slice_is(e.message, second.text));
	snprintf(both, sizeof both, "%s_%s%s", stem, first.text, end);
	at.name = slice_str(both);
	assert_int_equal(queue_mailbox_find(&f->w, &at, &e), 0);
	assert_true(slice_is(e.message, first.text));
	struct queue_message m;
	assert_int_equal(queue_message_get(&f->w, id_slice(&first), &m), 0);
	assert_true(slice_is(m.file_name, both));
	assert_int_equal(queue_mailbox_taken(&f->w, &at, SLICE("sftp user volt")), 0);
	fixture_commit(f);
}

static void test_restored_beside_another(void **state)
{
	struct fixture *f = *state;
	char longest[MAILBOX_NAME_MAX + 1], stem[MAILBOX_NAME_MAX];
	restored_beside(f, "850_17.edi", "850_17", ".edi");
	restored_beside(f, "noend", "noend", "");
	memset(longest, 'x', sizeof longest);
	memcpy(longest + MAILBOX_NAME_MAX - 4, ".edi", 5);
	snprintf(stem, sizeof stem, "%.*s", MAILBOX_NAME_MAX - 4 - 1 - VAN_ID_LEN, longest);
	restored_beside(f, longest, stem, ".edi");
}

static struct queue_mailbox_usage usage(struct fixture *f)
{
	struct queue_mailbox_usage u;
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_mailbox_usage(&f->w, SLICE("volt-box"), &u), 0);
	fixture_commit(f);
	return u;
}

static int bounded(struct fixture *f, const char *name, const char *content, struct queue_mailbox_limits limits)
{
	struct van_id id = van_id_new(f->now);
	struct queue_upload u = {.id = id_slice(&id), .partner = SLICE("volt"), .connection = SLICE("volt-box"), .name = slice_str(name),
				 .kind = QUEUE_UPLOAD_STAGED, .content = slice_str(content), .bytes = strlen(content), .limits = limits};
	fixture_begin(f, STORE_WRITE);
	int rc = queue_mailbox_upload(&f->w, &u, NULL);
	fixture_commit(f);
	return rc;
}

/* What is kept counts until it goes, what came counts until midnight. */
static void test_usage(void **state)
{
	struct fixture *f = *state;
	const struct queue_removal by = {RECEIPT_SFTP_IN, SLICE("volt"), SLICE("sftp user volt")};
	struct slice message;
	f->now = 1795305600 * VAN_SECOND - VAN_SECOND; /* 2026-11-21T23:59:59Z */
	upload(f, "a.edi", "12345", false, 0);
	upload(f, "b.tmp", "1", true, 0);
	upload(f, "b.tmp", "", true, 0); /* replaced */
	struct queue_mailbox_usage u = usage(f);
	assert_true(u.bytes == 5 && u.files == 2 && u.uploads == 3);
	assert_int_equal(bounded(f, "c.tmp", "", (struct queue_mailbox_limits){.files = 2}), VAN_ELIMIT);
	assert_int_equal(bounded(f, "b.tmp", "", (struct queue_mailbox_limits){.files = 2}), 0); /* in the place of another */
	assert_int_equal(bounded(f, "c.tmp", "", (struct queue_mailbox_limits){.uploads = 4}), VAN_ELIMIT);
	f->now += VAN_SECOND;
	u = usage(f);
	assert_true(u.bytes == 5 && u.files == 2 && u.uploads == 0);
	assert_int_equal(bounded(f, "c.tmp", "123456", (struct queue_mailbox_limits){.uploads = 1, .storage = 11}), 0);
	assert_int_equal(bounded(f, "d.tmp", "", (struct queue_mailbox_limits){.uploads = 1}), VAN_ELIMIT);
	assert_int_equal(bounded(f, "d.tmp", "1", (struct queue_mailbox_limits){.storage = 11}), VAN_ELIMIT);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_remove_staged(&f->w, &STAGED("c.tmp"), &by, &message), 0);
	fixture_commit(f);
	u = usage(f);
	assert_true(u.bytes == 5 && u.files == 2 && u.uploads == 1); /* deleted or not, it came today */
	/* a mailbox of which nothing was noted is counted */
	fixture_begin(f, STORE_WRITE);
	struct store_key k = STORE_KEY_INIT;
	queue_key_foreign(&k, SLICE("volt-box"));
	assert_int_equal(store_del(f->w.txn, f->queue->mailbox_usage, store_key_slice(&k)), 0);
	fixture_commit(f);
	u = usage(f);
	assert_true(u.bytes == 5 && u.files == 2 && u.uploads == 0);
}

static int count_looks(void *arg, const struct queue_step *s)
{
	*(int *)arg += slice_is(s->event, "looked-at");
	return 0;
}

static int looks(struct fixture *f, const struct van_id *id, const char *what, const char *actor)
{
	int n = 0;
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_message_looked_at(&f->w, id_slice(id), slice_str(what), slice_str(actor)), 0);
	fixture_commit(f);
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_message_history(&f->w, id_slice(id), count_looks, &n), 0);
	fixture_commit(f);
	return n;
}

/* Each who and what once in 24 hours. */
static void test_looks(void **state)
{
	struct fixture *f = *state;
	struct van_id id = upload(f, "ack.edi", "ISA~", false, 0), other = upload(f, "x.tmp", "", true, 0);
	assert_int_equal(looks(f, &id, "payload", "uid 0"), 1);
	assert_int_equal(looks(f, &id, "payload", "uid 0"), 1);
	assert_int_equal(looks(f, &id, "raw", "uid 0"), 2);
	assert_int_equal(looks(f, &id, "payload", "uid 1000"), 3);
	f->now += QUEUE_LOOK_ONCE_IN - VAN_SECOND;
	assert_int_equal(looks(f, &id, "payload", "uid 0"), 3);
	f->now += VAN_SECOND;
	assert_int_equal(looks(f, &id, "payload", "uid 0"), 4);
	assert_int_equal(looks(f, &id, "payload", "uid 0"), 4);
	assert_int_equal(looks(f, &other, "payload", "uid 0"), 1); /* no message yet */
}

#define LITTLE ((size_t)64 << 10)

/* A look with little memory, in which the receipts of a document that has many could not be read. */
static int look_with_little(struct fixture *f, const struct van_id *id, const char *actor)
{
	struct van_arena *all = f->w.arena, *little = van_arena_new(LITTLE);
	assert_non_null(little);
	fixture_begin(f, STORE_WRITE);
	f->w.arena = little;
	int rc = queue_message_looked_at(&f->w, id_slice(id), SLICE("payload"), slice_str(actor));
	f->w.arena = all;
	fixture_commit(f);
	van_arena_free(little);
	return rc;
}

/* A look costs the same, however many receipts the document has. */
static void test_looks_at_what_many_looked_at(void **state)
{
	struct fixture *f = *state;
	struct van_id id = upload(f, "ack.edi", "ISA~", false, 0);
	fixture_begin(f, STORE_WRITE);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(queue_message_looked_at(&f->w, id_slice(&id), SLICE("payload"), van_arena_printf(f->arena, "uid %d", i)), 0);
	fixture_commit(f);
	assert_int_equal(looks(f, &id, "payload", "uid 0"), 1000);
	assert_int_equal(look_with_little(f, &id, "uid 0"), 0);
	assert_int_equal(look_with_little(f, &id, "uid 1000"), 0);
	assert_int_equal(looks(f, &id, "payload", "uid 999"), 1001);
}

static void test_collected_taken_restored(void **state)
{
	struct fixture *f = *state;
	struct van_id id = order(f, "<1@a>", "17", 0), out = fixture_child(f, &id, 0);
	struct queue_message m = fixture_message(f, &out);
	struct slice name = van_arena_slice(f->arena, m.file_name);
	fixture_commit(f);
	for (int i = 0; i < 2; i++) {
		fixture_begin(f, STORE_WRITE);
		assert_int_equal(queue_mailbox_collected(&f->w, &(struct queue_place){SLICE("volt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, name}, id_slice(&out), SLICE("sftp user volt")), 0);
		fixture_commit(f);
		fixture_assert_states(f, &out, "processed/collected/expected");
	}
	fixture_assert_states(f, &id, "processed/collected/expected"); /* the sender can see it */
	assert_true(fixture_history_has(f, &out, "sftp-out", "downloaded"));
	assert_true(fixture_history_has(f, &out, "sftp-out", "downloaded once more"));
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_restore(&f->w, id_slice(&out), SLICE("uid 0")), VAN_ESTATE);
	assert_int_equal(queue_mailbox_taken(&f->w, &(struct queue_place){SLICE("volt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, name}, SLICE("sftp user volt")), 0);
	assert_int_equal(queue_mailbox_taken(&f->w, &(struct queue_place){SLICE("volt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, name}, SLICE("sftp user volt")), VAN_ENOTFOUND);
	assert_int_equal(queue_mailbox_taken(&f->w, &(struct queue_place){SLICE("acme-box"), QUEUE_FOLDER_OUT, SLICE_NONE, name}, SLICE("sftp user volt")), VAN_ENOTFOUND);
	fixture_commit(f);
	assert_folder(f, "volt-box", QUEUE_FOLDER_OUT, NULL, NULL, "");
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_restore(&f->w, id_slice(&out), SLICE("uid 0")), 0);
	fixture_commit(f);
	fixture_assert_states(f, &out, "processed/available/expected");
	assert_folder(f, "volt-box", QUEUE_FOLDER_OUT_ARCHIVE, today(f), NULL, "");
	const struct queue_removal why = {RECEIPT_OPERATOR, SLICE("volt"), SLICE("uid 0")};
	struct slice file;
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_purge(&f->w, &(struct queue_place){SLICE("volt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, name}, &why, &file), 0);
	fixture_commit(f);
	assert_null(file.p); /* the document stays */
	fixture_assert_states(f, &out, "processed/dropped/expected");
}

static void test_names_in_use(void **state)
{
	struct fixture *f = *state;
	hand_in(f, "same.edi", "one");
	struct van_id id = van_id_new(f->now);
	struct queue_upload u = {.id = id_slice(&id), .partner = SLICE("volt"), .connection = SLICE("volt-box"), .name = SLICE("same.edi"),
				 .content = SLICE("another"), .bytes = 7};
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_hand_in(&f->w, &u), VAN_EEXISTS);
	fixture_abort(f);
}

/* What lies in /out of volt-box under that name: VAN_ENOTFOUND, or 0. */
static int waiting(struct fixture *f, struct slice name, struct queue_mailbox_entry *ret)
{
	fixture_begin(f, STORE_READ);
	int rc = queue_mailbox_find(&f->w, &(struct queue_place){SLICE("volt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, name}, ret);
	fixture_commit(f);
	return rc;
}

/* Two sessions read the same document. The first takes it, another of that name comes, and then the second one's close. */
static void test_late_close(void **state)
{
	struct fixture *f = *state;
	struct slice name = SLICE("orders.edi"), actor = SLICE("sftp user volt");
	struct queue_place at = {SLICE("volt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, name};
	struct queue_mailbox_entry e;
	struct van_id old = hand_in(f, "orders.edi", "ISA~ISA~");
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_collected(&f->w, &at, id_slice(&old), actor), 0);
	assert_int_equal(queue_mailbox_taken(&f->w, &at, actor), 0);
	fixture_commit(f);
	struct van_id new = hand_in(f, "orders.edi", "ISA~ISA~");
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_collected(&f->w, &at, id_slice(&old), actor), VAN_ENOTFOUND);
	assert_int_equal(queue_mailbox_fetched(&f->w, &at, id_slice(&old), 3), VAN_ENOTFOUND);
	assert_int_equal(queue_mailbox_collected_late(&f->w, at.connection, id_slice(&old), actor), 0);
	assert_int_equal(queue_mailbox_collected_late(&f->w, SLICE("acme-box"), id_slice(&old), actor), VAN_ENOTFOUND); /* another's */
	assert_int_equal(queue_mailbox_looked_at(&f->w, &at, id_slice(&old), actor), 0); /* it was read wherever it lies */
	assert_int_equal(queue_mailbox_looked_at(&f->w, &(struct queue_place){SLICE("acme-box"), QUEUE_FOLDER_OUT, SLICE_NONE, name}, id_slice(&old), actor),
			 VAN_ENOTFOUND);
	fixture_commit(f);
	assert_int_equal(waiting(f, name, &e), 0);
	assert_true(slice_eq(e.message, id_slice(&new)) && e.state == QUEUE_MAILBOX_WAITING && e.fetched == 0);
	fixture_assert_states(f, &new, "processed/available/none");
	assert_true(fixture_history_has(f, &old, "sftp-out", "gone from its place meanwhile"));
	assert_true(fixture_history_has(f, &old, "looked-at", "payload"));
	assert_false(fixture_history_has(f, &new, "sftp-out", ""));
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_fetched(&f->w, &at, id_slice(&new), 3), 0);
	fixture_commit(f);
	assert_true(waiting(f, name, &e) == 0 && e.fetched == 3);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_fetched(&f->w, &at, id_slice(&new), 2), 0); /* a later session that read less */
	fixture_commit(f);
	assert_true(waiting(f, name, &e) == 0 && e.fetched == 3);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_mailbox_collected(&f->w, &at, id_slice(&new), actor), 0);
	fixture_commit(f);
	assert_true(waiting(f, name, &e) == 0 && e.fetched == 0); /* fetched once more, it begins again */
}

static void test_names_are_unique_and_clean(void **state)
{
	struct fixture *f = *state;
	struct names n = {.text = ""};
	for (int i = 0; i < 2; i++) {
		char message_id[20], control[20];
		snprintf(message_id, sizeof message_id, "<%d@a>", i);
		snprintf(control, sizeof control, "%d", i + 1);
		struct van_id id = fixture_receive(f, message_id, "ISA~", QUEUE_ACCEPT_NEW);
		struct ipc_job_result r = fixture_result(f, &id, BOLT, control);
		struct ipc_output *o = fixture_add_output(f, &r, IPC_OUTPUT_PASS_THROUGH, "bolt", "bolt-box");
		o->type = SLICE("../8 5\xc3\xa9");
		assert_int_equal(fixture_done(f, &r), 0);
	}
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_mailbox_each(&f->w, &(struct queue_place){SLICE("bolt-box"), QUEUE_FOLDER_OUT, SLICE_NONE, SLICE_NONE}, SLICE_NONE, add_name, &n), 0);
	fixture_commit(f);
	assert_true(strncmp(n.text, "-.-8-5--.edi(waiting) -.-8-5--_", 31) == 0);
	assert_folder(f, "bolt-box", QUEUE_FOLDER_OUT, NULL, "zzz", "");
}

static void test_names_that_are_too_long(void **state)
{
	struct fixture *f = *state;
	char pattern[202] = "", expected[64];
	struct van_id id = van_id_new(f->now);
	struct queue_message m = {.id = id_slice(&id)};
	memset(pattern, 'x', 200);
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_mailbox_name(&f->w, slice_str(pattern), &m, SLICE("edi")), 0);
	assert_true(slice_is(m.file_name, pattern));
	pattern[200] = 'x';
	snprintf(expected, sizeof expected, "%s.edi", id.text);
	assert_int_equal(queue_mailbox_name(&f->w, slice_str(pattern), &m, SLICE("edi")), 0);
	assert_true(slice_is(m.file_name, expected));
	fixture_commit(f);
}

/* --- log-ins -------------------------------------------------------------------------------------------------------------------- */

static const struct queue_login_policy policy = {.failures = 3, .within = 60 * VAN_SECOND, .ban = 600 * VAN_SECOND, .address_factor = 2};

/* So many failures of the name at the address are counted; *ret: who is banned by it. */
static uint64_t failed(struct fixture *f, const char *address, const char *user, bool known, bool spare, char ret[80])
{
	struct queue_login l = {.address = slice_str(address), .user = slice_str(user), .partner = known ? SLICE("volt") : SLICE_NONE, .text = SLICE("password")};
	struct queue_ban ban;
	uint64_t failures = 0;
	bool banned;
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_login_failed(&f->w, &l, &policy, spare, &failures, &banned, &ban), 0);
	ret[0] = 0;
	if (banned)
		snprintf(ret, 80, "%.*s %.*s", SLICE_ARG(ban.network), SLICE_ARG(ban.user));
	fixture_commit(f);
	return failures;
}

static void succeeded(struct fixture *f, const char *address, const char *user)
{
	struct queue_login l = {.address = slice_str(address), .user = slice_str(user), .partner = SLICE("volt"), .text = SLICE("password")};
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_login_succeeded(&f->w, &l), 0);
	fixture_commit(f);
}

static void test_failed_logins(void **state)
{
	struct fixture *f = *state;
	char banned[80];
	assert_int_equal(failed(f, "192.0.2.1", "volt", true, false, banned), 1);
	assert_int_equal(failed(f, "192.0.2.1", "volt", true, false, banned), 2);
	assert_int_equal(failed(f, "192.0.2.2", "volt", true, false, banned), 1); /* from elsewhere */
	f->now += policy.within + VAN_SECOND;
	assert_int_equal(failed(f, "192.0.2.1", "volt", true, false, banned), 1); /* those before are long ago */
	failed(f, "192.0.2.1", "volt", true, false, banned);
	succeeded(f, "192.0.2.1", "volt");
	assert_int_equal(failed(f, "192.0.2.1", "volt", true, false, banned), 1); /* forgotten */
	failed(f, "192.0.2.1", "volt", true, false, banned);
	assert_string_equal(banned, "");
	assert_int_equal(failed(f, "192.0.2.1", "volt", true, false, banned), 3);
	assert_string_equal(banned, "192.0.2.1 volt");
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_ban_remove(&f->w, SLICE("192.0.2.1"), SLICE("volt"), SLICE("uid 0")), 0);
	assert_int_equal(queue_ban_remove(&f->w, SLICE("192.0.2.1"), SLICE("volt"), SLICE("uid 0")), VAN_ENOTFOUND);
	fixture_commit(f);
	assert_int_equal(failed(f, "192.0.2.1", "volt", true, false, banned), 1); /* with the ban its failures are lifted */
}

/* Names that nobody has here: the address is banned, unless it is everybody's or somebody logged in from there. */
static void test_failed_logins_of_unknown_names(void **state)
{
	struct fixture *f = *state;
	char banned[80], name[16];
	static const struct {
		const char *address;
		bool known, spare, success;
		const char *expected;
	} cases[] = {
		{"198.51.100.1", false, false, false, "198.51.100.1 "},
		{"198.51.100.2", true, false, false, ""},
		{"198.51.100.3", false, true, false, ""},
		{"198.51.100.4", false, false, true, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (cases[i].success)
			succeeded(f, cases[i].address, "volt");
		for (int k = 0; k < 6; k++) {
			snprintf(name, sizeof name, "n%d", k);
			assert_int_equal(failed(f, cases[i].address, name, cases[i].known, cases[i].spare, banned), 1);
			assert_string_equal(banned, k < 5 ? "" : cases[i].expected);
		}
	}
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_logins_tidy(&f->w, policy.within, 1000), 0); /* all of it is new */
	fixture_commit(f);
	f->now += policy.within + policy.ban + VAN_SECOND;
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_logins_tidy(&f->w, policy.within, 1000), 26); /* names 24, an address, a ban; not the address that somebody logged in from */
	fixture_commit(f);
}

/* --- profiles and lists --------------------------------------------------------------------------------------------------------- */

static int count_version(void *arg, const struct queue_profile *p)
{
	(void)p;
	++*(int *)arg;
	return 0;
}

static void test_profile_versions(void **state)
{
	struct fixture *f = *state;
	struct profile_set *set;
	struct profile_errors errors = {0};
	struct queue_profile stored;
	struct directory *d = directory_new();
	int versions = 0;
	bool changed;
	const char *texts[] = {"kind: agreement\nid: a\nfrom: '*'\nto: '*'\n", "kind: agreement\nid: a\nfrom: '*'\nto: '*'\n",
			       "kind: agreement\nid: a\nfrom: '*'\nto: '*'\nacknowledged_by: none\n"};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(profile_text_load(slice_str(texts[i]), "a.yaml", &set, &errors), 0);
		fixture_begin(f, STORE_WRITE);
		assert_int_equal(queue_profile_put(&f->w, set->v[0], SLICE("uid 0"), &changed), 0);
		fixture_commit(f);
		assert_int_equal(changed, i != 1);
		assert_int_equal(set->v[0]->version, i < 2 ? 1 : 2);
		profile_set_free(set);
	}
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_profiles_load(&f->w, d), 0);
	assert_int_equal(directory_get(d, PROFILE_AGREEMENT, SLICE("a"))->version, 2);
	assert_int_equal(queue_profile_versions(&f->w, PROFILE_AGREEMENT, SLICE("a"), count_version, &versions), 0);
	assert_int_equal(versions, 2);
	fixture_commit(f);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_profile_remove(&f->w, PROFILE_AGREEMENT, SLICE("a"), SLICE("uid 0")), 0);
	assert_int_equal(queue_profile_get(&f->w, PROFILE_AGREEMENT, SLICE("a"), 0, &stored), VAN_ENOTFOUND);
	assert_int_equal(queue_profile_get(&f->w, PROFILE_AGREEMENT, SLICE("a"), 1, &stored), 0);
	fixture_commit(f);
	directory_free(d);
	profile_errors_free(&errors);
}

static void test_lists(void **state)
{
	struct fixture *f = *state;
	struct van_id first = order(f, "<1@a>", "17", 0);
	struct queue_filter q = QUEUE_FILTER_ANY;
	f->now += 5 * VAN_SECOND;
	order(f, "<2@a>", "18", 0);
	assert_int_equal(fixture_count(f, &q), 4);
	q.partner = SLICE("acme");
	assert_int_equal(fixture_count(f, &q), 2);
	q.until = f->now;
	assert_int_equal(fixture_count(f, &q), 1);
	q = QUEUE_FILTER_ANY;
	q.since = f->now;
	assert_int_equal(fixture_count(f, &q), 2);
	q = QUEUE_FILTER_ANY;
	q.search = SLICE("PO-17");
	assert_int_equal(fixture_count(f, &q), 2);
	q.direction = QUEUE_IN;
	assert_int_equal(fixture_count(f, &q), 1);
	q = QUEUE_FILTER_ANY;
	q.search = SLICE("1@a");
	assert_int_equal(fixture_count(f, &q), 1);
	q = QUEUE_FILTER_ANY;
	q.to = SLICE("ZZ:VOLT");
	assert_int_equal(fixture_count(f, &q), 4);
	q = QUEUE_FILTER_ANY;
	q.ack = QUEUE_ACK_EXPECTED;
	assert_int_equal(fixture_count(f, &q), 4);
	q = QUEUE_FILTER_ANY;
	q.before = id_slice(&first);
	assert_int_equal(fixture_count(f, &q), 0);
	q = QUEUE_FILTER_ANY;
	q.limit = 3;
	assert_int_equal(fixture_count(f, &q), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_many_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_matched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unmatched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contradictions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overdue_and_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_by_hand, setup, teardown),
		cmocka_unit_test_setup_teardown(test_uploads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_staged_uploads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restored_beside_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_collected_taken_restored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_close, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_are_unique_and_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_are_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_logins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_logins_of_unknown_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_profile_versions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		/* last: clocks go on in them, and ids never go back */
		cmocka_unit_test_setup_teardown(test_usage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_looks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_looks_at_what_many_looked_at, setup, teardown),
	};
	return cmocka_run_group_tests_name("queue: acknowledgements and mailboxes", tests, NULL, NULL);
}
