/* Uploads: staged ones, unfinished ones, and those that became messages. */
#include "queue/mailbox_private.h"

static struct queue_message uploaded(struct queue_work *w, const struct queue_upload *u, const struct queue_mailbox_entry *e, struct slice section)
{
	struct slice name = e->name;
	if (section.n)
		name = van_arena_printf(w->arena, "%.*s/%.*s", SLICE_ARG(section), SLICE_ARG(e->name));
	return (struct queue_message){
		.id = e->message, .time = w->now, .direction = QUEUE_IN, .state = QUEUE_RECEIVED, .protocol = SLICE("sftp"),
		.partner = u->partner, .connection = u->connection, .peer = u->peer, .partner_version = u->partner_version,
		.file_name = name, .bytes = e->bytes, .sha256 = queue_sha256_hex(w, e->sha256),
	};
}

/* The upload is complete and has its final name: a message with a job. */
static int receive(struct queue_work *w, const struct queue_upload *u, const struct queue_mailbox_entry *e, struct slice section)
{
	struct queue_message m = uploaded(w, u, e, section);
	struct queue_job job = {0};
	struct receipt_artefact artefact;
	size_t n = queue_artefact(&artefact, SLICE("payload"), e->bytes, e->salt, e->salted_sha256);
	int rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = queue_job_put(w, m.id, &job);
	if (rc == 0)
		rc = queue_search_put(w, m.file_name, m.id);
	if (rc == 0)
		rc = queue_search_put(w, m.sha256, m.id);
	if (rc == 0)
		rc = mailbox_archive(w, u->connection, QUEUE_FOLDER_IN_ARCHIVE, w->q->zone, *e);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SFTP_IN, &m, SLICE("uploaded"), u->actor, &artefact, n);
}

/* Takes away what is staged under that name; *ret_replaced is its message id, absent if none. */
static int drop_staged(struct queue_work *w, const struct queue_place *at, struct slice *ret_replaced)
{
	struct queue_mailbox_entry older;
	int rc = queue_mailbox_find(w, at, &older);
	if (rc == VAN_ENOTFOUND)
		return 0;
	if (rc == 0)
		rc = mailbox_del(w, at, &older);
	if (rc == 0)
		rc = queue_part_forget(w, older.message, SLICE("payload"));
	if (rc == 0 && ret_replaced)
		*ret_replaced = older.message;
	return rc;
}

static bool has_room(struct queue_work *w, const struct queue_upload *u)
{
	uint64_t used;
	return !u->storage || (queue_mailbox_storage(w, u->connection, &used) == 0 && used <= u->storage && u->bytes <= u->storage - used);
}

int queue_mailbox_upload(struct queue_work *w, const struct queue_upload *u, struct slice *ret_replaced)
{
	struct queue_mailbox_entry e = {.name = u->name, .message = u->id, .part = SLICE("payload"), .bytes = u->bytes,
					.time = w->now, .sha256 = u->sha256, .salt = u->salt, .salted_sha256 = u->salted_sha256};
	struct queue_part p = {.kind = u->file ? QUEUE_PART_FILE : QUEUE_PART_INLINE, .name = SLICE("payload"), .bytes = u->bytes,
			       .sha256 = u->sha256, .content = u->file ? SLICE_NONE : u->content};
	struct queue_place at = {u->connection, QUEUE_FOLDER_STAGED, u->section, u->name};
	if (!mailbox_name_ok(u->name))
		return van_error_set(&w->err, VAN_EINVAL, "a file name has 1 to 255 bytes and no slash");
	if (!has_room(w, u))
		return van_error_set(&w->err, VAN_ELIMIT, "the mailbox holds all it may (%llu bytes): ask the network's operator",
				     (unsigned long long)u->storage);
	if (ret_replaced)
		*ret_replaced = SLICE_NONE;
	int rc = queue_part_put(w, u->id, &p);
	if (rc == 0)
		rc = drop_staged(w, &at, ret_replaced);
	if (rc < 0)
		return rc;
	if (u->kind == QUEUE_UPLOAD_FINAL)
		return receive(w, u, &e, u->section);
	e.state = u->kind == QUEUE_UPLOAD_STAGED ? QUEUE_MAILBOX_STAGED : QUEUE_MAILBOX_UNFINISHED;
	return mailbox_put(w, &at, &e);
}

int queue_mailbox_rename_staged(struct queue_work *w, const struct queue_place *from, const struct queue_place *to, bool staged, bool replace,
				const struct queue_upload *who, struct slice *ret_message, struct slice *ret_replaced)
{
	struct queue_mailbox_entry e, other;
	*ret_message = *ret_replaced = SLICE_NONE;
	if (!mailbox_name_ok(to->name))
		return van_error_set(&w->err, VAN_EINVAL, "a file name has 1 to 255 bytes and no slash");
	int rc = queue_mailbox_find(w, from, &e);
	if (rc < 0)
		return rc;
	if (e.state == QUEUE_MAILBOX_UNFINISHED)
		return van_error_set(&w->err, VAN_ESTATE, "this upload broke off: resume it or send the whole file again, then rename it");
	bool itself = slice_eq(from->name, to->name) && slice_eq(from->section, to->section);
	if (itself)
		return staged ? 0 : VAN_ESTATE;
	if (!replace && queue_mailbox_find(w, to, &other) == 0)
		return van_error_set(&w->err, VAN_EEXISTS, "a file of that name exists already");
	rc = mailbox_del(w, from, &e);
	e.name = to->name;
	if (rc == 0)
		rc = drop_staged(w, to, ret_replaced);
	if (rc < 0)
		return rc;
	if (staged)
		return mailbox_put(w, to, &e);
	*ret_message = e.message;
	return receive(w, who, &e, to->section);
}

int queue_mailbox_remove_staged(struct queue_work *w, const struct queue_place *at, struct slice *ret_message)
{
	*ret_message = SLICE_NONE;
	int rc = drop_staged(w, at, ret_message);
	return rc < 0 ? rc : ret_message->p ? 0 : van_error_set(&w->err, VAN_ENOTFOUND, "no such file");
}
