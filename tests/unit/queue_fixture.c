#include "queue_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char profiles[] =
	"kind: partner\nid: acme\nname: ACME\nidentities: [{standard: x12, id: '01:123456789'}]\n"
	"connections:\n  - {id: acme-box, protocol: sftp-mailbox, user: acme, password: '$y$j9T$x$y'}\n"
	"---\n"
	"kind: partner\nid: volt\nname: Volt\nidentities: [{standard: x12, id: 'ZZ:VOLT'}]\n"
	"connections:\n  - {id: volt-box, protocol: sftp-mailbox, user: volt, password: '$y$j9T$x$y'}\n"
	"---\n"
	"kind: partner\nid: bolt\nname: Bolt\nidentities: [{standard: x12, id: 'ZZ:BOLT'}]\n"
	"connections:\n  - {id: bolt-box, protocol: sftp-mailbox, user: bolt, password: '$y$j9T$x$y', file_name: '{type}.{ext}'}\n";

static void open_all(struct fixture *f)
{
	struct store_options o = {.dirfd = f->dirfd, .map_size = 4 << 20, .map_growth = 4 << 20};
	struct van_error err = {0};
	f->dirfd = open(f->folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	o.dirfd = f->dirfd;
	assert_int_equal(store_open(&o, &f->store, &err), 0);
	assert_int_equal(receipts_open(f->store, SLICE("van.example"), &f->receipts, &err), 0);
	assert_int_equal(payload_dir_open(f->dirfd, &f->payload, &err), 0);
	assert_int_equal(queue_open(f->store, f->receipts, f->payload, f->dirfd, &f->queue, &err), 0);
}

static void close_all(struct fixture *f)
{
	queue_close(f->queue);
	payload_dir_close(f->payload);
	receipts_close(f->receipts);
	store_close(f->store);
	close(f->dirfd);
}

static void load_profiles(struct fixture *f)
{
	struct profile_set *set;
	struct profile_errors errors = {0};
	if (profile_text_load(slice_str(profiles), "profiles.yaml", &set, &errors) < 0)
		fail_msg("%s", errors.n ? errors.v[0].text : "profiles");
	profile_errors_free(&errors);
	f->directory = directory_new();
	for (size_t i = 0; i < set->n; i++) {
		assert_int_equal(directory_put(f->directory, set->v[i]), 0);
		set->v[i] = NULL;
	}
	profile_set_free(set);
}

struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/openvan-queue-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->arena = van_arena_new(0);
	f->now = van_clock_now();
	open_all(f);
	load_profiles(f);
	return f;
}

void fixture_free(struct fixture *f)
{
	char command[128];
	close_all(f);
	directory_free(f->directory);
	van_arena_free(f->arena);
	snprintf(command, sizeof command, "rm -rf %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
}

void fixture_reopen(struct fixture *f)
{
	close_all(f);
	open_all(f);
}

void fixture_begin(struct fixture *f, enum store_mode mode)
{
	struct store_txn *t;
	assert_int_equal(store_begin(f->store, mode, &t, NULL), 0);
	queue_work_begin(&f->w, f->queue, t, f->arena, f->now, f->directory);
}

void fixture_commit(struct fixture *f)
{
	struct van_error err = {0};
	struct store_txn *t = f->w.txn;
	queue_work_end(&f->w);
	if (store_txn_mode(t) == STORE_WRITE) {
		if (queue_commit(f->queue, t, &err) < 0 || (++f->commits % 5 == 0 && queue_settle(f->queue, &err) < 0))
			fail_msg("%s", err.text);
	} else {
		store_abort(t);
	}
}

void fixture_abort(struct fixture *f)
{
	bool write = store_txn_mode(f->w.txn) == STORE_WRITE;
	queue_work_end(&f->w);
	if (write)
		queue_abort(f->queue, f->w.txn);
	else
		store_abort(f->w.txn);
}

struct ipc_as2_accept fixture_accept(struct fixture *f, const char *message_id, const char *content, bool accepted)
{
	struct ipc_artefact *v = van_arena_array(f->arena, 3, sizeof *v);
	struct ipc_http_reply *reply = van_arena_alloc(f->arena, sizeof *reply);
	struct slice mdn = van_arena_printf(f->arena, "MDN for %s", content);
	v[0] = (struct ipc_artefact){.name = SLICE("signed"), .bytes = van_arena_printf(f->arena, "entity:%s", content)};
	v[1] = (struct ipc_artefact){.name = SLICE("payload"), .within = SLICE("signed"), .offset = 7, .length = strlen(content)};
	v[2] = (struct ipc_artefact){.name = SLICE("mdn"), .bytes = van_arena_printf(f->arena, "Header: x\r\n\r\n%.*s", SLICE_ARG(mdn))};
	*reply = (struct ipc_http_reply){.status = 200, .body = mdn};
	return (struct ipc_as2_accept){
		.http_request = 1, .outcome = accepted ? IPC_AS2_OUTCOME_ACCEPTED : IPC_AS2_OUTCOME_REJECTED, .received = f->now,
		.partner = SLICE("acme"), .connection = SLICE("acme-box"), .as2_from = SLICE("ACME"), .as2_to = SLICE("HUB"),
		.as2_message_id = van_arena_slice(f->arena, slice_str(message_id)), .mic = van_arena_printf(f->arena, "mic-%s", content),
		.micalg = SLICE("sha-256"), .disposition = accepted ? SLICE("processed") : SLICE("processed/error: decryption-failed"),
		.error = accepted ? SLICE_NONE : SLICE("can't be decrypted"), .artefacts = {v, 3}, .reply = reply,
		.mdn_message_id = SLICE("<mdn@hub>"),
	};
}

struct van_id fixture_receive(struct fixture *f, const char *message_id, const char *content, enum queue_accept_outcome expected)
{
	struct queue_accept_result result;
	struct van_id id = van_id_new(f->now);
	struct ipc_as2_accept a = fixture_accept(f, message_id, content, expected != QUEUE_ACCEPT_REJECTED);
	fixture_begin(f, STORE_WRITE);
	assert_int_equal(queue_accept_as2(&f->w, id_slice(&id), &a, &result), 0);
	assert_int_equal(result.outcome, expected);
	memcpy(id.text, result.message.p, VAN_ID_LEN);
	fixture_commit(f);
	return id;
}

struct ipc_job_result fixture_result(struct fixture *f, const struct van_id *message, const char *to, const char *control)
{
	struct ipc_interchange *ic = van_arena_alloc(f->arena, sizeof *ic);
	struct ipc_transaction *t = van_arena_alloc(f->arena, sizeof *t);
	struct ipc_business_key *k = van_arena_alloc(f->arena, sizeof *k);
	struct slice number = van_arena_slice(f->arena, slice_str(control));
	*k = (struct ipc_business_key){SLICE("po"), van_arena_printf(f->arena, "PO-%s", control)};
	*t = (struct ipc_transaction){.type = SLICE("850"), .version = SLICE("004010"), .control_number = SLICE("0001"),
				      .group_code = SLICE("PO"), .group_control_number = number, .group_from = SLICE("123456789"),
				      .group_to = SLICE("SUPPLIER"), .status = SLICE("accepted"), .keys = {k, 1}};
	*ic = (struct ipc_interchange){.standard = SLICE("X12"), .version = SLICE("00401"), .control_number = number,
				       .from = SLICE(ACME), .to = slice_str(to), .env = SLICE("production"), .offset = 0, .length = 4,
				       .agreement = SLICE("orders"), .agreement_version = 1, .duplicates = SLICE("hold"),
				       .ack = SLICE("none"), .transactions = {t, 1}};
	return (struct ipc_job_result){.message = id_slice(message), .standard = SLICE("X12"), .interchanges = {ic, 1}};
}

struct ipc_output *fixture_add_output(struct fixture *f, struct ipc_job_result *r, enum ipc_output_kind kind, const char *partner,
				      const char *connection)
{
	struct ipc_output *v = van_arena_array(f->arena, r->outputs.n + 1, sizeof *v);
	if (r->outputs.n)
		memcpy(v, r->outputs.v, r->outputs.n * sizeof *v);
	struct ipc_output *o = &v[r->outputs.n++];
	r->outputs.v = v;
	*o = (struct ipc_output){.kind = kind, .partner = slice_str(partner), .connection = slice_str(connection),
				 .agreement = SLICE("orders"), .agreement_version = 1, .standard = SLICE("X12"), .type = SLICE("850"),
				 .from = SLICE(ACME), .to = SLICE(VOLT), .env = SLICE("production"), .extension = SLICE("edi"),
				 .length = 4, .ack = SLICE("none")};
	return o;
}

int fixture_done(struct fixture *f, const struct ipc_job_result *r)
{
	struct van_id children[8], outputs[8];
	struct queue_output_file files[8] = {{.hashed = false}};
	for (size_t i = 0; i < 8; i++) {
		children[i] = van_id_new(f->now);
		outputs[i] = van_id_new(f->now);
	}
	struct queue_job_ids ids = {.children = children, .outputs = outputs, .files = files, .made_name = "x"};
	fixture_begin(f, STORE_WRITE);
	int rc = queue_job_done(&f->w, r, &ids);
	if (rc < 0)
		fixture_abort(f);
	else
		fixture_commit(f);
	return rc;
}

struct queue_message fixture_message(struct fixture *f, const struct van_id *id)
{
	struct queue_message m;
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_message_get(&f->w, id_slice(id), &m), 0);
	return m;
}

void fixture_assert_states(struct fixture *f, const struct van_id *id, const char *expected)
{
	char states[100];
	struct queue_message m = fixture_message(f, id);
	snprintf(states, sizeof states, "%s/%s/%s", queue_state_names[m.state], queue_delivery_state_names[m.delivery],
		 queue_ack_state_names[m.ack]);
	fixture_commit(f);
	assert_string_equal(states, expected);
}

struct nth {
	size_t left;
	struct van_id id;
};

static int take_nth(void *arg, const struct queue_message *m)
{
	struct nth *n = arg;
	if (n->left--)
		return 0;
	memcpy(n->id.text, m->id.p, VAN_ID_LEN);
	return 1;
}

struct van_id fixture_child(struct fixture *f, const struct van_id *parent, size_t number)
{
	struct nth n = {.left = number};
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_message_children(&f->w, id_slice(parent), take_nth, &n), 1);
	fixture_commit(f);
	return n.id;
}

static int count_one(void *arg, const struct queue_message *m)
{
	(void)m;
	++*(size_t *)arg;
	return 0;
}

size_t fixture_count(struct fixture *f, const struct queue_filter *filter)
{
	size_t n = 0;
	fixture_begin(f, STORE_READ);
	assert_int_equal(queue_message_list(&f->w, filter, count_one, &n), 0);
	fixture_commit(f);
	return n;
}

struct wanted_step {
	const char *event, *text;
};

static int find_step(void *arg, const struct queue_step *s)
{
	const struct wanted_step *w = arg;
	return slice_is(s->event, w->event) && (!*w->text || (s->text.n && memmem(s->text.p, s->text.n, w->text, strlen(w->text))));
}

bool fixture_history_has(struct fixture *f, const struct van_id *id, const char *event, const char *text)
{
	struct wanted_step w = {event, text};
	fixture_begin(f, STORE_READ);
	int rc = queue_message_history(&f->w, id_slice(id), find_step, &w);
	assert_true(rc >= 0);
	fixture_commit(f);
	return rc == 1;
}
