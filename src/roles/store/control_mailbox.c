/* mailbox.list, mailbox.usage and queue.list: what waits, for whom. */
#include "queue/delivery.h"
#include "queue/mailbox.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

#define MAILBOX_DEFAULT 1000
#define MAILBOX_MOST 1000000

const char *const control_folders[] = {"out", "uploads", "in-archive", "out-archive", "archive", NULL};

bool control_folder_is(int name, int place)
{
	return name == place || (name == 4 && place >= 2);
}

struct listing {
	struct van_buf *to;
	struct slice connection;
	uint64_t left;
	bool first;
};

static void put_time(struct van_buf *to, const char *key, van_time t)
{
	char text[VAN_TIME_TEXT];
	van_buf_printf(to, ",\"%s\":", key);
	json_put_text(to, t ? slice_str(van_time_rfc3339(text, t)) : SLICE_NONE);
}

static void begin_object(struct listing *l, const char *key, struct slice value)
{
	van_buf_append_str(l->to, l->first ? "{\"" : ",{\"");
	l->first = false;
	van_buf_append_str(l->to, key);
	van_buf_append_str(l->to, "\":");
	json_put_text(l->to, value);
}

static void put_text(struct van_buf *to, const char *key, struct slice value)
{
	van_buf_printf(to, ",\"%s\":", key);
	json_put_text(to, value);
}

static int add_entry(void *arg, const struct queue_mailbox_entry *e)
{
	struct listing *l = arg;
	if (!l->left)
		return 1;
	l->left--;
	begin_object(l, "id", e->message);
	put_text(l->to, "name", e->name);
	van_buf_printf(l->to, ",\"bytes\":%" PRIu64, e->bytes);
	put_time(l->to, "time", e->time);
	put_text(l->to, "state", slice_str(queue_mailbox_state_names[e->state]));
	put_text(l->to, "connection", l->connection);
	put_time(l->to, "collected", e->collected);
	return van_buf_append_char(l->to, '}');
}

struct sections {
	struct queue_work *work;
	struct listing *l;
	enum queue_folder folder;
};

static int add_section(void *arg, struct slice section)
{
	struct sections *a = arg;
	struct queue_place at = {a->l->connection, a->folder, section, SLICE_NONE};
	return queue_mailbox_each(a->work, &at, SLICE_NONE, add_entry, a->l);
}

static int add_folder(struct control_call *c, enum queue_folder folder, struct listing *l)
{
	struct sections s = {c->work, l, folder};
	struct queue_place at = {l->connection, folder, SLICE_NONE, SLICE_NONE};
	int rc = 0;
	if (folder == QUEUE_FOLDER_OUT || folder == QUEUE_FOLDER_STAGED)
		rc = queue_mailbox_each(c->work, &at, SLICE_NONE, add_entry, l);
	return rc == 0 ? queue_mailbox_sections(c->work, l->connection, folder, add_section, &s) : rc;
}

/* What waits; with `all` what is uploaded and what was taken, too; or the folders of that name alone (an index of control_folders, or -1). */
static int add_connection(struct control_call *c, struct slice connection, bool all, int folder, struct listing *l)
{
	static const enum queue_folder places[] = {QUEUE_FOLDER_OUT, QUEUE_FOLDER_STAGED, QUEUE_FOLDER_IN_ARCHIVE, QUEUE_FOLDER_OUT_ARCHIVE};
	int rc = 0;
	l->connection = connection;
	for (int i = 0; rc == 0 && i < 4; i++) {
		bool wanted = folder >= 0 ? control_folder_is(folder, i) : i == 0 || (all && places[i] != QUEUE_FOLDER_IN_ARCHIVE);
		if (wanted)
			rc = add_folder(c, places[i], l);
	}
	return rc < 0 ? rc : 0;
}

int control_mailbox_list(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "partner");
	bool all = control_arg_flag(&c->args, "all");
	struct listing l = {.to = c->out, .left = control_arg_number(&c->args, "limit", MAILBOX_DEFAULT, MAILBOX_MOST), .first = true};
	const struct profile *p = directory_get(c->work->directory, PROFILE_PARTNER, id);
	int rc = 0, folder = control_arg_name(&c->args, "folder", control_folders);
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (!p)
		return control_say(c, 1, "there is no partner '%.*s'; vanctl partner list shows them", SLICE_ARG(id));
	van_buf_append_char(c->out, '[');
	for (size_t i = 0; rc == 0 && i < p->partner->connections.n; i++) {
		const struct profile_connection *connection = RECORD_AT(p->partner->connections, const struct profile_connection, i);
		if (connection->protocol == PROFILE_SFTP_MAILBOX)
			rc = add_connection(c, connection->id, all, folder, &l);
	}
	van_buf_append_char(c->out, ']');
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

/* --- mailbox.usage ----------------------------------------------------------------------------------------------------------------- */

static void put_limited(struct van_buf *to, const char *key, uint64_t n, uint64_t limit)
{
	van_buf_printf(to, ",\"%s\":%" PRIu64 ",\"%s_limit\":", key, n, key);
	if (limit && limit != UINT64_MAX)
		van_buf_printf(to, "%" PRIu64, limit);
	else
		van_buf_append_str(to, "null");
}

static int add_usage(struct control_call *c, const struct profile_connection *x, struct listing *l)
{
	const struct profile_mailbox_limits *limits = &x->limits;
	struct queue_mailbox_usage u;
	int rc = queue_mailbox_usage(c->work, x->id, &u);
	if (rc < 0)
		return rc;
	begin_object(l, "connection", x->id);
	put_text(l->to, "user", x->user);
	put_limited(l->to, "bytes", u.bytes, limits->storage);
	put_limited(l->to, "files", u.files, limits->files);
	put_limited(l->to, "uploads_today", u.uploads, limits->uploads);
	return van_buf_append_char(l->to, '}');
}

/* What the partner's uploads take of its mailboxes, and what they may. */
int control_mailbox_usage(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "partner");
	struct listing l = {.to = c->out, .first = true};
	const struct profile *p = directory_get(c->work->directory, PROFILE_PARTNER, id);
	int rc = 0;
	if (!p)
		return control_say(c, 1, "there is no partner '%.*s'; vanctl partner list shows them", SLICE_ARG(id));
	van_buf_append_char(c->out, '[');
	for (size_t i = 0; rc == 0 && i < p->partner->connections.n; i++) {
		const struct profile_connection *x = RECORD_AT(p->partner->connections, const struct profile_connection, i);
		if (x->protocol == PROFILE_SFTP_MAILBOX)
			rc = add_usage(c, x, &l);
	}
	van_buf_append_char(c->out, ']');
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

/* `messages`: of a batch; 0: it is none. */
static int add_waiting(void *arg, const struct queue_delivery *d, uint64_t messages)
{
	struct listing *l = arg;
	if (!l->left)
		return 1;
	l->left--;
	begin_object(l, "id", d->id);
	put_text(l->to, "message", d->message);
	put_text(l->to, "connection", d->connection);
	van_buf_printf(l->to, ",\"tries\":%" PRIu64, d->tries);
	put_time(l->to, "next", d->next);
	put_text(l->to, "last_error", d->last_error);
	put_text(l->to, "state", slice_str(queue_delivery_state_names[d->state]));
	put_text(l->to, "partner", d->partner);
	put_text(l->to, "kind", slice_str(queue_delivery_kind_names[d->kind]));
	put_text(l->to, "url", d->url);
	put_time(l->to, "created", d->created);
	if (messages)
		van_buf_printf(l->to, ",\"messages\":%" PRIu64, messages);
	else
		van_buf_append_str(l->to, ",\"messages\":null");
	return van_buf_append_char(l->to, '}');
}

static int add_delivery(void *arg, const struct queue_delivery *d)
{
	return add_waiting(arg, d, 0);
}

int control_queue_list(struct control_call *c)
{
	struct listing l = {.to = c->out, .left = control_arg_number(&c->args, "limit", MAILBOX_DEFAULT, MAILBOX_MOST), .first = true};
	int state = control_arg_name(&c->args, "state", queue_delivery_state_names);
	struct slice connection = control_arg_text(&c->args, "connection");
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	van_buf_append_char(c->out, '[');
	int rc = queue_deliveries(c->work, state, connection, add_delivery, &l);
	if (rc >= 0)
		rc = queue_batches(c->work, state, connection, add_waiting, &l);
	van_buf_append_char(c->out, ']');
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

int control_queue_show(struct control_call *c)
{
	struct listing l = {.to = c->out, .left = 1, .first = true};
	struct slice id = control_arg_text(&c->args, "id");
	struct queue_delivery d;
	uint64_t messages = 0;
	int rc = queue_batch_get(c->work, id, &d, &messages);
	if (rc == VAN_ENOTFOUND)
		rc = queue_delivery_get(c->work, id, &d);
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : add_waiting(&l, &d, messages);
}
