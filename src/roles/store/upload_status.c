/* "NAME.status" in the archive of /in: what became of an upload, as text for scripts. */
#include "roles/store/sessions.h"

#include "base/fdio.h"

#include <inttypes.h>

#define STATUS_MAX ((size_t)1 << 20)
#define LINES_MAX 1000 /* interchanges and messages that are named one by one */

struct report {
	struct queue_work *w;
	struct van_buf *to;
	unsigned lines;
};

static void put(struct van_buf *to, const char *key, struct slice value)
{
	if (!value.n)
		return;
	van_buf_append_str(to, key);
	van_buf_append_str(to, ": ");
	for (size_t i = 0; i < value.n; i++) /* one line for each value, whatever a partner sent */
		van_buf_append_char(to, (unsigned char)value.p[i] < 32 ? ' ' : value.p[i]);
	van_buf_append_char(to, '\n');
}

static void put_time(struct van_buf *to, const char *key, van_time t)
{
	char text[VAN_TIME_TEXT];
	if (t)
		put(to, key, slice_str(van_time_rfc3339(text, t)));
}

static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int rank(struct slice status)
{
	return slice_is(status, "rejected") ? 2 : slice_is(status, "accepted-with-errors") ? 1 : 0;
}

static int worst_transaction(const struct queue_message *m)
{
	int worst = 0;
	for (size_t i = 0; i < m->transactions.n; i++)
		worst = worse(worst, rank(RECORD_AT(m->transactions, struct queue_transaction, i)->status));
	return worst;
}

/* What validation said of one interchange: "pending" until it was processed. */
static const char *verdict_of(const struct queue_message *m)
{
	static const char *const names[] = {"accepted", "accepted-with-errors", "rejected"};
	if (m->state == QUEUE_RECEIVED)
		return "pending";
	if (m->state != QUEUE_PROCESSED)
		return queue_state_names[m->state];
	return names[worst_transaction(m)];
}

static void put_transactions(struct report *r, const struct queue_message *m)
{
	for (size_t i = 0; i < m->transactions.n && r->lines < LINES_MAX; i++, r->lines++) {
		const struct queue_transaction *t = RECORD_AT(m->transactions, struct queue_transaction, i);
		van_buf_printf(r->to, "message: %.*s %.*s %.*s, %" PRIu64 " errors\n", SLICE_ARG(t->type), SLICE_ARG(t->control_number),
			       SLICE_ARG(t->status), t->errors);
	}
}

static void put_interchange(struct report *r, const struct queue_message *m)
{
	if (!m->control_number.n || r->lines >= LINES_MAX)
		return;
	r->lines++;
	van_buf_printf(r->to, "interchange: %.*s %.*s from %.*s to %.*s %s\n", SLICE_ARG(m->standard), SLICE_ARG(m->control_number), SLICE_ARG(m->from),
		       SLICE_ARG(m->to), verdict_of(m));
	put_transactions(r, m);
}

struct children {
	struct report *r;
	struct van_buf lines;
	int worst;
	bool pending, any;
	const char *trouble; /* held, unroutable …: no verdict of validation */
};

static int add_child(void *arg, const struct queue_message *m)
{
	struct children *c = arg;
	if (!m->child)
		return 0;
	c->any = true;
	c->pending |= m->state == QUEUE_RECEIVED;
	if (m->state == QUEUE_REJECTED)
		c->worst = 2;
	else if (m->state != QUEUE_RECEIVED && m->state != QUEUE_PROCESSED)
		c->trouble = queue_state_names[m->state];
	c->worst = worse(c->worst, worst_transaction(m));
	put_interchange(c->r, m);
	if (m->error.n && c->r->lines < LINES_MAX) {
		c->r->lines++;
		put(c->r->to, "error", m->error);
	}
	/* documents of this one that wait in quarantine; these have nothing below them */
	return m->only ? 0 : queue_message_children(c->r->w, m->id, add_child, c);
}

static const char *overall(const struct queue_message *m, const struct children *c)
{
	static const char *const names[] = {"accepted", "accepted-with-errors", "partially-accepted"};
	if (!c->any)
		return verdict_of(m);
	return c->pending ? "pending" : c->trouble ? c->trouble : names[c->worst];
}

static int write_report(struct queue_work *w, const struct queue_message *m, struct van_buf *to)
{
	struct van_buf lines = VAN_BUF_INIT(STATUS_MAX);
	struct report r = {w, &lines, 0};
	struct children c = {.r = &r};
	put_interchange(&r, m);
	int rc = queue_message_children(w, m->id, add_child, &c);
	if (rc == 0) {
		put(to, "id", m->id);
		put(to, "file", m->file_name);
		put_time(to, "received", m->time);
		van_buf_printf(to, "bytes: %" PRIu64 "\n", m->bytes);
		put(to, "sha256", m->sha256);
		put(to, "state", slice_str(queue_state_names[m->state]));
		put(to, "verdict", slice_str(overall(m, &c)));
		put(to, "acknowledgement", slice_str(m->ack ? queue_ack_state_names[m->ack] : NULL));
		put(to, "error", m->error);
		van_buf_append_slice(to, van_buf_slice(&lines));
	}
	van_buf_free(&lines);
	return rc < 0 ? rc : to->error;
}

int upload_status(struct session *e, struct queue_work *w, const struct ipc_mailbox_name *name, struct ipc_mailbox_entry *ret, int *ret_fd)
{
	struct queue_mailbox_entry found;
	struct queue_message m;
	struct van_buf text = VAN_BUF_INIT(STATUS_MAX + 65536);
	struct slice of = slice_make(name->name.p, name->name.n - strlen(IPC_STATUS_SUFFIX));
	struct queue_place at = {slice_str(e->connection), QUEUE_FOLDER_IN_ARCHIVE, name->section, of};
	int rc = name->section.p ? queue_mailbox_find(w, &at, &found)
				 : queue_mailbox_find_uploaded(w, at.connection, of, QUEUE_UPLOADED_STATUS, &found);
	if (rc == 0)
		rc = queue_message_get(w, found.message, &m);
	if (rc == 0)
		rc = write_report(w, &m, &text);
	if (rc == 0 && ret_fd)
		rc = *ret_fd = memfd_with("status", text.p, text.n);
	if (rc >= 0)
		*ret = (struct ipc_mailbox_entry){.name = name->name, .bytes = text.n, .time = found.time};
	van_buf_free(&text);
	return rc < 0 ? rc : 0;
}
