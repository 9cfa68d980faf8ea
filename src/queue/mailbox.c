#include "queue/mailbox_private.h"

/* Subfolders have folders of their own in keys, so that those without are stored as they ever were. */
enum { KEY_OUT_SECTION = 16, KEY_STAGED_SECTION = 17 };

static bool is_archive(enum queue_folder f)
{
	return f == QUEUE_FOLDER_IN_ARCHIVE || f == QUEUE_FOLDER_OUT_ARCHIVE;
}

static uint8_t key_folder(enum queue_folder folder, bool section)
{
	if (is_archive(folder) || !section)
		return (uint8_t)folder;
	return folder == QUEUE_FOLDER_OUT ? KEY_OUT_SECTION : KEY_STAGED_SECTION;
}

static void section_key(struct store_key *k, const struct queue_place *at)
{
	bool section = is_archive(at->folder) || at->section.n;
	*k = STORE_KEY_INIT;
	queue_key_foreign(k, at->connection);
	store_key_u8(k, key_folder(at->folder, section));
	if (section)
		store_key_text(k, at->section);
}

static void entry_key(struct store_key *k, const struct queue_place *at, struct slice name)
{
	section_key(k, at);
	store_key_text(k, name);
}

/* --- looking ---------------------------------------------------------------------------------------------------------- */

int queue_mailbox_each(struct queue_work *w, const struct queue_place *at, struct slice after,
		       int (*fn)(void *arg, const struct queue_mailbox_entry *e), void *arg)
{
	struct store_key prefix, from;
	struct store_cursor *c;
	struct slice value, key;
	section_key(&prefix, at);
	int rc = store_cursor_open(w->txn, w->q->mailbox, store_key_slice(&prefix), &c);
	if (rc < 0)
		return rc;
	if (after.p) {
		entry_key(&from, at, after);
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

int queue_mailbox_sections(struct queue_work *w, struct slice connection, enum queue_folder folder,
			   int (*fn)(void *arg, struct slice section), void *arg)
{
	struct store_key prefix = STORE_KEY_INIT, next;
	struct store_cursor *c;
	struct slice key;
	char text[STORE_KEY_TEXT_MAX];
	queue_key_foreign(&prefix, connection);
	store_key_u8(&prefix, key_folder(folder, true));
	int rc = store_cursor_open(w->txn, w->q->mailbox, store_key_slice(&prefix), &c);
	if (rc < 0)
		return rc;
	for (rc = store_cursor_next(c, &key, NULL); rc == 0;) {
		struct wire rest = store_key_wire(slice_make(key.p + prefix.n, key.n - prefix.n));
		struct slice section = store_key_take_text(&rest, text);
		if (rest.bad) {
			rc = VAN_EINTERNAL;
			break;
		}
		/* On to the first entry of a later section. */
		next = prefix;
		store_key_text(&next, section);
		next.p[next.n - 1] = 1;
		if ((rc = fn(arg, section)))
			break;
		rc = store_cursor_seek(c, store_key_slice(&next), &key, NULL);
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_mailbox_find(struct queue_work *w, const struct queue_place *at, struct queue_mailbox_entry *ret)
{
	struct store_key k;
	entry_key(&k, at, at->name);
	int rc = queue_get_record(w, w->q->mailbox, store_key_slice(&k), &queue_mailbox_entry_table, ret);
	if (rc == VAN_ENOTFOUND)
		van_error_set(&w->err, VAN_ENOTFOUND, "no such file");
	return rc;
}

int queue_mailbox_find_uploaded(struct queue_work *w, struct slice connection, struct slice name, int days, struct queue_mailbox_entry *ret)
{
	char date[VAN_DATE_TEXT];
	for (int day = 0; day < days; day++) {
		van_time t = w->now - day * 86400 * VAN_SECOND;
		struct queue_place at = {connection, QUEUE_FOLDER_IN_ARCHIVE, slice_str(van_zone_date(date, w->q->zone, t)), name};
		int rc = queue_mailbox_find(w, &at, ret);
		if (rc != VAN_ENOTFOUND)
			return rc;
	}
	return VAN_ENOTFOUND;
}

/* --- changing ---------------------------------------------------------------------------------------------------------- */

static void storage_key(struct store_key *k, struct slice connection)
{
	*k = STORE_KEY_INIT;
	queue_key_foreign(k, connection);
}

int queue_mailbox_storage(struct queue_work *w, struct slice connection, uint64_t *ret)
{
	struct store_key k;
	struct slice value;
	storage_key(&k, connection);
	int rc = queue_get(w, w->q->mailbox_storage, store_key_slice(&k), &value);
	*ret = 0;
	if (rc == VAN_ENOTFOUND)
		return 0;
	if (rc == 0 && value.n != sizeof *ret)
		rc = VAN_EINTERNAL;
	if (rc == 0)
		memcpy(ret, value.p, sizeof *ret);
	return rc;
}

int queue_mailbox_storage_without(struct queue_work *w, const struct queue_place *at, uint64_t *ret)
{
	struct queue_mailbox_entry e;
	int rc = queue_mailbox_storage(w, at->connection, ret);
	if (rc == 0 && at->name.n && queue_mailbox_find(w, at, &e) == 0)
		*ret = *ret > e.bytes ? *ret - e.bytes : 0;
	return rc;
}

/* Only what the partner puts there itself is counted. */
static int count_bytes(struct queue_work *w, const struct queue_place *at, uint64_t more, uint64_t less)
{
	struct store_key k;
	uint64_t n;
	if (at->folder != QUEUE_FOLDER_STAGED && at->folder != QUEUE_FOLDER_IN_ARCHIVE)
		return 0;
	int rc = queue_mailbox_storage(w, at->connection, &n);
	if (rc < 0)
		return rc;
	n = n + more > less ? n + more - less : 0;
	storage_key(&k, at->connection);
	w->writes++;
	return store_put(w->txn, w->q->mailbox_storage, store_key_slice(&k), slice_make(&n, sizeof n));
}

int mailbox_put(struct queue_work *w, const struct queue_place *at, const struct queue_mailbox_entry *e)
{
	struct store_key k;
	entry_key(&k, at, e->name);
	int rc = queue_put_record(w, w->q->mailbox, store_key_slice(&k), &queue_mailbox_entry_table, e);
	return rc < 0 ? rc : count_bytes(w, at, e->bytes, 0);
}

int mailbox_del(struct queue_work *w, const struct queue_place *at, const struct queue_mailbox_entry *e)
{
	struct store_key k;
	entry_key(&k, at, e->name);
	w->writes++;
	int rc = store_del(w->txn, w->q->mailbox, store_key_slice(&k));
	return rc < 0 ? rc : count_bytes(w, at, 0, e->bytes);
}

bool mailbox_name_ok(struct slice name)
{
	return name.p && name.n >= 1 && name.n <= MAILBOX_NAME_MAX && !memchr(name.p, '/', name.n) && !memchr(name.p, 0, name.n) &&
	       !slice_is(name, ".") && !slice_is(name, "..");
}

struct slice mailbox_zone(const struct queue_work *w, struct slice agreement)
{
	const struct profile *p = w->directory && agreement.p ? directory_get(w->directory, PROFILE_AGREEMENT, agreement) : NULL;
	return p && p->agreement->time_zone.p ? p->agreement->time_zone : w->q->zone;
}

/* "name~123456": cut where it would grow past what a name may have. */
struct slice queue_mailbox_older_name(struct queue_work *w, struct slice name, struct slice message)
{
	struct slice tail = slice_make(message.p + message.n - 6, 6);
	size_t most = MAILBOX_NAME_MAX - 7;
	while (most < name.n && most && ((unsigned char)name.p[most] & 0xc0) == 0x80) /* not within a character */
		most--;
	return van_arena_printf(w->arena, "%.*s~%.*s", (int)(name.n < most ? name.n : most), name.p, SLICE_ARG(tail));
}

int mailbox_archive(struct queue_work *w, struct slice connection, enum queue_folder folder, struct slice zone, struct queue_mailbox_entry e)
{
	char date[VAN_DATE_TEXT];
	struct queue_place at = {connection, folder, slice_str(van_zone_date(date, zone, w->now)), e.name};
	struct queue_mailbox_entry older;
	int rc = queue_mailbox_find(w, &at, &older);
	if (rc == 0) {
		rc = mailbox_del(w, &at, &older);
		older.name = queue_mailbox_older_name(w, older.name, older.message);
		if (rc == 0)
			rc = mailbox_put(w, &at, &older);
	}
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	e.state = QUEUE_MAILBOX_TAKEN;
	return mailbox_put(w, &at, &e);
}
