#include "queue/mailbox.h"
#include "queue/internal.h"

#define DATE_TEXT 11 /* "2026-01-31" and a NUL */

static bool is_archive(enum queue_folder f)
{
	return f == QUEUE_FOLDER_IN_ARCHIVE || f == QUEUE_FOLDER_OUT_ARCHIVE;
}

static void folder_key(struct store_key *k, struct slice connection, enum queue_folder folder)
{
	*k = STORE_KEY_INIT;
	queue_key_foreign(k, connection);
	store_key_u8(k, (uint8_t)folder);
}

static void entry_key(struct store_key *k, struct slice connection, enum queue_folder folder, struct slice date, struct slice name)
{
	folder_key(k, connection, folder);
	if (is_archive(folder))
		store_key_text(k, date);
	store_key_text(k, name);
}

void queue_mailbox_key(struct store_key *k, struct slice connection, enum queue_folder folder, struct slice name)
{
	entry_key(k, connection, folder, SLICE_NONE, name);
}

static struct slice date_of(char to[DATE_TEXT], van_time t)
{
	char text[VAN_TIME_TEXT];
	memcpy(to, van_time_rfc3339(text, t), DATE_TEXT - 1);
	to[DATE_TEXT - 1] = 0;
	return slice_make(to, DATE_TEXT - 1);
}

/* --- looking ---------------------------------------------------------------------------------------------------------- */

int queue_mailbox_each(struct queue_work *w, struct slice connection, enum queue_folder folder, struct slice date,
		       struct slice after, int (*fn)(void *arg, const struct queue_mailbox_entry *e), void *arg)
{
	struct store_key prefix, from;
	struct store_cursor *c;
	struct slice value, key;
	folder_key(&prefix, connection, folder);
	if (is_archive(folder))
		store_key_text(&prefix, date);
	int rc = store_cursor_open(w->txn, w->q->mailbox, store_key_slice(&prefix), &c);
	if (rc < 0)
		return rc;
	if (after.p) {
		entry_key(&from, connection, folder, date, after);
		rc = store_cursor_seek(c, store_key_slice(&from), &key, &value);
		if (rc == 0 && slice_eq(key, store_key_slice(&from)))
			rc = store_cursor_next(c, NULL, &value);
	} else {
		rc = store_cursor_next(c, NULL, &value);
	}
	for (; rc == 0; rc = store_cursor_next(c, NULL, &value)) {
		struct queue_mailbox_entry e;
		rc = record_decode(&queue_mailbox_entry_table, queue_keep(w, value), w->arena, &e);
		if (rc < 0 || (rc = fn(arg, &e)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_mailbox_dates(struct queue_work *w, struct slice connection, enum queue_folder folder,
			int (*fn)(void *arg, struct slice date), void *arg)
{
	struct store_key prefix, next;
	struct store_cursor *c;
	struct slice key;
	char text[STORE_KEY_TEXT_MAX];
	folder_key(&prefix, connection, folder);
	int rc = store_cursor_open(w->txn, w->q->mailbox, store_key_slice(&prefix), &c);
	if (rc < 0)
		return rc;
	for (rc = store_cursor_next(c, &key, NULL); rc == 0;) {
		struct wire rest = store_key_wire(slice_make(key.p + prefix.n, key.n - prefix.n));
		struct slice date = store_key_take_text(&rest, text);
		if (rest.bad) {
			rc = VAN_EINTERNAL;
			break;
		}
		/* On to the first entry of a later date. */
		next = prefix;
		store_key_text(&next, date);
		next.p[next.n - 1] = 1;
		if ((rc = fn(arg, date)))
			break;
		rc = store_cursor_seek(c, store_key_slice(&next), &key, NULL);
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_mailbox_find(struct queue_work *w, struct slice connection, enum queue_folder folder, struct slice date,
		       struct slice name, struct queue_mailbox_entry *ret)
{
	struct store_key k;
	entry_key(&k, connection, folder, date, name);
	int rc = queue_get_record(w, w->q->mailbox, store_key_slice(&k), &queue_mailbox_entry_table, ret);
	if (rc == VAN_ENOTFOUND)
		van_error_set(&w->err, VAN_ENOTFOUND, "no such file");
	return rc;
}

int queue_mailbox_find_uploaded(struct queue_work *w, struct slice connection, struct slice name, struct queue_mailbox_entry *ret)
{
	char date[DATE_TEXT];
	for (int days = 0; days < 2; days++) {
		int rc = queue_mailbox_find(w, connection, QUEUE_FOLDER_IN_ARCHIVE, date_of(date, w->now - days * 86400 * VAN_SECOND),
					    name, ret);
		if (rc != VAN_ENOTFOUND)
			return rc;
	}
	return VAN_ENOTFOUND;
}

/* --- changing ---------------------------------------------------------------------------------------------------------- */

static int put_entry(struct queue_work *w, struct slice connection, enum queue_folder folder, struct slice date,
		     const struct queue_mailbox_entry *e)
{
	struct store_key k;
	entry_key(&k, connection, folder, date, e->name);
	return queue_put_record(w, w->q->mailbox, store_key_slice(&k), &queue_mailbox_entry_table, e);
}

static int del_entry(struct queue_work *w, struct slice connection, enum queue_folder folder, struct slice date, struct slice name)
{
	struct store_key k;
	entry_key(&k, connection, folder, date, name);
	w->writes++;
	return store_del(w->txn, w->q->mailbox, store_key_slice(&k));
}

static struct slice id_tail(struct slice id)
{
	return slice_make(id.p + id.n - 6, 6);
}

/* The newest of a name keeps it: an older one of the same day gets "~" and the end of its identifier. */
static int archive(struct queue_work *w, struct slice connection, enum queue_folder folder, struct queue_mailbox_entry e)
{
	char text[DATE_TEXT];
	struct slice date = date_of(text, w->now);
	struct queue_mailbox_entry older;
	int rc = queue_mailbox_find(w, connection, folder, date, e.name, &older);
	if (rc == 0) {
		older.name = van_arena_printf(w->arena, "%.*s~%.*s", SLICE_ARG(older.name), SLICE_ARG(id_tail(older.message)));
		rc = put_entry(w, connection, folder, date, &older);
	}
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	e.state = QUEUE_MAILBOX_TAKEN;
	return put_entry(w, connection, folder, date, &e);
}

static struct queue_message uploaded(struct queue_work *w, const struct queue_upload *u, struct slice id, struct slice name)
{
	return (struct queue_message){
		.id = id, .time = w->now, .direction = QUEUE_IN, .state = QUEUE_RECEIVED, .protocol = SLICE("sftp"),
		.partner = u->partner, .connection = u->connection, .peer = u->peer, .partner_version = u->partner_version,
		.file_name = name,
	};
}

/* The upload is complete and has its final name: a message with a job. */
static int receive(struct queue_work *w, const struct queue_upload *u, const struct queue_mailbox_entry *e)
{
	struct queue_message m = uploaded(w, u, e->message, e->name);
	struct queue_job job = {0};
	struct receipt_artefact artefact;
	m.bytes = e->bytes;
	m.sha256 = queue_sha256_hex(w, e->sha256);
	size_t n = queue_artefact(&artefact, SLICE("payload"), e->bytes, e->salt, e->salted_sha256);
	int rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = queue_job_put(w, m.id, &job);
	if (rc == 0)
		rc = queue_search_put(w, m.file_name, m.id);
	if (rc == 0)
		rc = queue_search_put(w, m.sha256, m.id);
	if (rc == 0)
		rc = archive(w, u->connection, QUEUE_FOLDER_IN_ARCHIVE, *e);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SFTP_IN, &m, SLICE("uploaded"), u->actor, &artefact, n);
}

static bool name_ok(struct slice name)
{
	return name.p && name.n >= 1 && name.n <= 255 && !memchr(name.p, '/', name.n) && !memchr(name.p, 0, name.n) &&
	       !slice_is(name, ".") && !slice_is(name, "..");
}

static int put_staged(struct queue_work *w, const struct queue_upload *u, struct queue_mailbox_entry *e, struct slice *ret_replaced)
{
	struct queue_mailbox_entry older;
	int rc = queue_mailbox_find(w, u->connection, QUEUE_FOLDER_STAGED, SLICE_NONE, e->name, &older);
	if (rc == 0 && ret_replaced)
		*ret_replaced = older.message;
	if (rc == 0)
		rc = queue_part_forget(w, older.message, SLICE("payload"));
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	e->state = QUEUE_MAILBOX_STAGED;
	return put_entry(w, u->connection, QUEUE_FOLDER_STAGED, SLICE_NONE, e);
}

int queue_mailbox_upload(struct queue_work *w, const struct queue_upload *u, struct slice *ret_replaced)
{
	struct queue_mailbox_entry e = {.name = u->name, .message = u->id, .part = SLICE("payload"), .bytes = u->bytes,
					.time = w->now, .sha256 = u->sha256, .salt = u->salt, .salted_sha256 = u->salted_sha256};
	struct queue_part p = {.kind = u->file ? QUEUE_PART_FILE : QUEUE_PART_INLINE, .name = SLICE("payload"), .bytes = u->bytes,
			       .sha256 = u->sha256, .content = u->file ? SLICE_NONE : u->content};
	if (!name_ok(u->name))
		return van_error_set(&w->err, VAN_EINVAL, "a file name has 1 to 255 bytes and no slash");
	if (ret_replaced)
		*ret_replaced = SLICE_NONE;
	int rc = queue_part_put(w, u->id, &p);
	if (rc < 0)
		return rc;
	return u->staged ? put_staged(w, u, &e, ret_replaced) : receive(w, u, &e);
}

int queue_mailbox_rename_staged(struct queue_work *w, struct slice connection, struct slice from, struct slice to, bool staged,
				const struct queue_upload *who, struct slice *ret_message)
{
	struct queue_mailbox_entry e;
	if (!name_ok(to))
		return van_error_set(&w->err, VAN_EINVAL, "a file name has 1 to 255 bytes and no slash");
	int rc = queue_mailbox_find(w, connection, QUEUE_FOLDER_STAGED, SLICE_NONE, from, &e);
	if (rc < 0)
		return rc;
	*ret_message = SLICE_NONE;
	rc = del_entry(w, connection, QUEUE_FOLDER_STAGED, SLICE_NONE, from);
	e.name = to;
	if (rc == 0 && staged)
		return put_staged(w, who, &e, NULL);
	if (rc == 0)
		rc = receive(w, who, &e);
	if (rc == 0)
		*ret_message = e.message;
	return rc;
}

int queue_mailbox_remove_staged(struct queue_work *w, struct slice connection, struct slice name, struct slice *ret_message)
{
	struct queue_mailbox_entry e;
	int rc = queue_mailbox_find(w, connection, QUEUE_FOLDER_STAGED, SLICE_NONE, name, &e);
	if (rc < 0)
		return rc;
	rc = del_entry(w, connection, QUEUE_FOLDER_STAGED, SLICE_NONE, name);
	if (rc == 0)
		rc = queue_part_forget(w, e.message, SLICE("payload"));
	if (rc == 0)
		*ret_message = e.message;
	return rc;
}

int queue_mailbox_collected(struct queue_work *w, struct slice connection, struct slice name)
{
	struct queue_mailbox_entry e;
	struct queue_message m;
	int rc = queue_mailbox_find(w, connection, QUEUE_FOLDER_OUT, SLICE_NONE, name, &e);
	if (rc == 0)
		rc = queue_message_get(w, e.message, &m);
	if (rc < 0)
		return rc;
	struct queue_message old = m;
	bool first = !m.downloads++;
	if (!first) {
		rc = queue_message_put(w, &old, &m);
		return rc < 0 ? rc : queue_trail_event(w, m.id, "collected-again", SLICE("downloaded once more"));
	}
	e.state = QUEUE_MAILBOX_COLLECTED;
	m.collected = e.collected = w->now;
	rc = put_entry(w, connection, QUEUE_FOLDER_OUT, SLICE_NONE, &e);
	if (rc == 0)
		rc = queue_delivery_move(w, &m, QUEUE_DELIVERY_COLLECTED);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SFTP_OUT, &m, SLICE("downloaded"), SLICE_NONE, NULL, 0);
}

int queue_mailbox_taken(struct queue_work *w, struct slice connection, struct slice name)
{
	struct queue_mailbox_entry e;
	struct queue_message m;
	int rc = queue_mailbox_find(w, connection, QUEUE_FOLDER_OUT, SLICE_NONE, name, &e);
	if (rc == 0)
		rc = queue_message_get(w, e.message, &m);
	if (rc == 0)
		rc = del_entry(w, connection, QUEUE_FOLDER_OUT, SLICE_NONE, name);
	if (rc == 0)
		rc = archive(w, connection, QUEUE_FOLDER_OUT_ARCHIVE, e);
	if (rc < 0)
		return rc;
	struct queue_message old = m;
	m.taken = w->now;
	rc = queue_message_put(w, &old, &m);
	return rc < 0 ? rc : queue_trail_event(w, m.id, "taken", SLICE("removed from the mailbox by the partner"));
}

/* --- putting back ------------------------------------------------------------------------------------------------------ */

struct search {
	struct slice message;
	struct queue_mailbox_entry found;
};

static int is_of_message(void *arg, const struct queue_mailbox_entry *e)
{
	struct search *s = arg;
	if (!slice_eq(e->message, s->message))
		return 0;
	s->found = *e;
	return 1;
}

int queue_mailbox_restore(struct queue_work *w, struct slice message, struct slice actor)
{
	struct search s = {.message = message};
	struct queue_message m;
	char text[DATE_TEXT];
	int rc = queue_message_get(w, message, &m);
	if (rc < 0)
		return rc;
	if (!m.taken)
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s was not taken from a mailbox: there is nothing to restore",
				     SLICE_ARG(message));
	struct slice date = date_of(text, m.taken);
	rc = queue_mailbox_each(w, m.connection, QUEUE_FOLDER_OUT_ARCHIVE, date, SLICE_NONE, is_of_message, &s);
	if (rc != 1)
		return rc < 0 ? rc : van_error_set(&w->err, VAN_ENOTFOUND, "message %.*s is not in the archive any more", SLICE_ARG(message));
	rc = del_entry(w, m.connection, QUEUE_FOLDER_OUT_ARCHIVE, date, s.found.name);
	s.found.name = m.file_name;
	s.found.state = QUEUE_MAILBOX_WAITING;
	s.found.collected = 0;
	if (rc == 0)
		rc = put_entry(w, m.connection, QUEUE_FOLDER_OUT, SLICE_NONE, &s.found);
	if (rc == 0) {
		struct queue_message old = m;
		m.taken = 0;
		m.downloads = 0;
		rc = queue_message_put(w, &old, &m);
	}
	if (rc == 0)
		rc = queue_delivery_move(w, &m, QUEUE_DELIVERY_AVAILABLE);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &m, SLICE("put back into the mailbox"), actor, NULL, 0);
}
