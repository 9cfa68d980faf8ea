/* Uploads: staged ones, unfinished ones, and those that became messages. */
#include "queue/mailbox_private.h"

struct pickup {
	struct slice name, message;
	uint64_t bytes, time;
};
static const struct record_field pickup_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct pickup, message),
	RECORD_FIELD(2, RECORD_U64, struct pickup, bytes),
	RECORD_FIELD(3, RECORD_U64, struct pickup, time),
	RECORD_FIELD(4, RECORD_TEXT, struct pickup, name),
	RECORD_END,
};
static const struct record_table pickup_table = {"pickup", 1, sizeof(struct pickup), pickup_fields};

static void pickup_key(struct store_key *k, struct slice connection, struct slice name)
{
	*k = STORE_KEY_INIT;
	queue_key_foreign(k, connection);
	store_key_text(k, name);
}

static int put_pickup(struct queue_work *w, const struct queue_upload *u)
{
	struct store_key k;
	struct pickup p = {u->pickup_name, u->id, u->pickup_bytes, u->pickup_time};
	pickup_key(&k, u->connection, u->pickup_name);
	return u->pickup_name.p ? queue_put_record(w, w->q->pickup, store_key_slice(&k), &pickup_table, &p) : 0;
}

int queue_pickup_find(struct queue_work *w, struct slice connection, struct slice name, uint64_t bytes, uint64_t time, struct slice *ret_message)
{
	struct store_key k;
	struct pickup p;
	pickup_key(&k, connection, name);
	int rc = queue_get_record(w, w->q->pickup, store_key_slice(&k), &pickup_table, &p);
	if (rc == 0 && (p.bytes != bytes || p.time != time))
		rc = VAN_ENOTFOUND;
	if (rc == 0)
		*ret_message = p.message;
	return rc;
}

int queue_pickups(struct queue_work *w, struct slice connection, int (*fn)(void *arg, struct slice name), void *arg)
{
	struct store_key prefix = STORE_KEY_INIT;
	struct store_cursor *c;
	struct slice value;
	queue_key_foreign(&prefix, connection);
	int rc = store_cursor_open(w->txn, w->q->pickup, store_key_slice(&prefix), &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct pickup p;
		rc = record_decode(&pickup_table, queue_keep(w, value), w->arena, &p);
		if (rc < 0 || (rc = fn(arg, p.name)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_pickup_forget(struct queue_work *w, struct slice connection, struct slice name)
{
	struct store_key k;
	pickup_key(&k, connection, name);
	w->writes++;
	int rc = store_del(w->txn, w->q->pickup, store_key_slice(&k));
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

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
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SFTP_IN, &m, u->pickup_name.p ? SLICE("fetched from the partner's server") : SLICE("uploaded"), u->actor, &artefact, n);
}

/* What was done to a file that is no message yet. The receipt bears the id that its message has or would have had. */
static int staged_receipt(struct queue_work *w, const struct queue_place *at, const struct queue_mailbox_entry *e, const struct queue_removal *who,
			  struct slice text)
{
	struct queue_message m = {.id = e->message, .direction = QUEUE_IN, .partner = who->partner, .connection = at->connection, .bytes = e->bytes};
	return queue_trail_receipt(w, who->event, &m, text, who->actor, NULL, 0);
}

static struct slice described(struct queue_work *w, const char *what, const struct queue_place *at, const char *then)
{
	return van_arena_printf(w->arena, "%s%.*s%s%.*s%s", what, SLICE_ARG(at->section), at->section.n ? "/" : "", SLICE_ARG(at->name), then);
}

/* Takes away what is staged under that name; *ret_replaced is its message id, absent if none. */
static int drop_staged(struct queue_work *w, const struct queue_place *at, const struct queue_removal *why, const char *how, struct slice *ret_replaced)
{
	struct queue_mailbox_entry older;
	int rc = queue_mailbox_find(w, at, &older);
	if (rc == VAN_ENOTFOUND)
		return 0;
	if (rc == 0)
		rc = mailbox_del(w, at, &older);
	if (rc == 0)
		rc = queue_part_forget(w, older.message, SLICE("payload"));
	if (rc == 0 && why->event)
		rc = staged_receipt(w, at, &older, why, described(w, "upload ", at, how));
	if (rc == 0 && ret_replaced)
		*ret_replaced = older.message;
	return rc;
}

uint64_t queue_mailbox_files_left(struct queue_work *w, const struct queue_mailbox_usage *u, const struct queue_mailbox_limits *l, struct slice *ret_why)
{
	uint64_t files = !l->files ? UINT64_MAX : u->files < l->files ? l->files - u->files : 0;
	uint64_t uploads = !l->uploads ? UINT64_MAX : u->uploads < l->uploads ? l->uploads - u->uploads : 0;
	*ret_why = SLICE_NONE;
	if (!files)
		*ret_why = van_arena_printf(w->arena, "the mailbox holds as many files as it may (%llu): ask the network's operator",
					    (unsigned long long)l->files);
	else if (!uploads)
		*ret_why = van_arena_printf(w->arena, "the mailbox takes %llu files a day, and had them: send the rest tomorrow, or ask the network's operator",
					    (unsigned long long)l->uploads);
	return files < uploads ? files : uploads;
}

static int check_room(struct queue_work *w, const struct queue_upload *u, const struct queue_place *at)
{
	const struct queue_mailbox_limits *l = &u->limits;
	struct queue_mailbox_usage used;
	struct slice why;
	if (!l->storage && !l->files && !l->uploads)
		return 0;
	int rc = queue_mailbox_usage_without(w, at, &used);
	if (rc < 0)
		return rc;
	if (l->storage && (used.bytes > l->storage || u->bytes > l->storage - used.bytes))
		return van_error_set(&w->err, VAN_ELIMIT, "the mailbox holds all it may (%llu bytes): ask the network's operator",
				     (unsigned long long)l->storage);
	if (!queue_mailbox_files_left(w, &used, l, &why))
		return van_error_set(&w->err, VAN_ELIMIT, "%.*s", SLICE_ARG(why));
	return 0;
}

int queue_mailbox_upload(struct queue_work *w, const struct queue_upload *u, struct slice *ret_replaced)
{
	struct queue_mailbox_entry e = {.name = u->name, .message = u->id, .part = SLICE("payload"), .bytes = u->bytes,
					.time = w->now, .sha256 = u->sha256, .salt = u->salt, .salted_sha256 = u->salted_sha256};
	struct queue_part p = {.kind = u->file ? QUEUE_PART_FILE : QUEUE_PART_INLINE, .name = SLICE("payload"), .bytes = u->bytes,
			       .sha256 = u->sha256, .content = u->file ? SLICE_NONE : u->content};
	struct queue_place at = {u->connection, QUEUE_FOLDER_STAGED, u->section, u->name};
	struct queue_removal who = {RECEIPT_SFTP_IN, u->partner, u->actor};
	if (!mailbox_name_ok(u->name))
		return van_error_set(&w->err, VAN_EINVAL, "a file name has 1 to 255 bytes and no slash");
	int rc = check_room(w, u, &at);
	if (rc < 0)
		return rc;
	if (ret_replaced)
		*ret_replaced = SLICE_NONE;
	rc = mailbox_count_upload(w, u->connection);
	if (rc == 0)
		rc = queue_part_put(w, u->id, &p);
	if (rc == 0)
		rc = drop_staged(w, &at, &who, " replaced by a later one", ret_replaced);
	if (rc == 0)
		rc = put_pickup(w, u);
	if (rc < 0)
		return rc;
	if (u->kind == QUEUE_UPLOAD_FINAL)
		return receive(w, u, &e, u->section);
	e.hashing = u->kind == QUEUE_UPLOAD_UNFINISHED ? u->hashing : SLICE_NONE;
	e.state = u->kind == QUEUE_UPLOAD_STAGED ? QUEUE_MAILBOX_STAGED : QUEUE_MAILBOX_UNFINISHED;
	rc = mailbox_put(w, &at, &e);
	if (rc < 0 || u->kind == QUEUE_UPLOAD_UNFINISHED)
		return rc;
	return staged_receipt(w, &at, &e, &who, described(w, "uploaded as ", &at, ", a temporary name"));
}

int queue_mailbox_rename_staged(struct queue_work *w, const struct queue_place *from, const struct queue_place *to, bool staged, bool replace,
				const struct queue_upload *who, struct slice *ret_message, struct slice *ret_replaced)
{
	struct queue_mailbox_entry e, other;
	struct queue_removal by = {RECEIPT_SFTP_IN, who->partner, who->actor};
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
		rc = drop_staged(w, to, &by, " replaced by another that was renamed", ret_replaced);
	if (rc < 0)
		return rc;
	if (staged) {
		rc = mailbox_put(w, to, &e);
		return rc < 0 ? rc : staged_receipt(w, to, &e, &by, described(w, "renamed to ", to, ", a temporary name"));
	}
	*ret_message = e.message;
	return receive(w, who, &e, to->section);
}

int queue_mailbox_remove_staged(struct queue_work *w, const struct queue_place *at, const struct queue_removal *why, struct slice *ret_message)
{
	*ret_message = SLICE_NONE;
	int rc = drop_staged(w, at, why, " deleted before it was taken", ret_message);
	return rc < 0 ? rc : ret_message->p ? 0 : van_error_set(&w->err, VAN_ENOTFOUND, "no such file");
}
