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

static bool is_counted(enum queue_folder f)
{
	return f == QUEUE_FOLDER_STAGED || f == QUEUE_FOLDER_IN_ARCHIVE;
}

struct counting {
	struct queue_work *w;
	struct queue_place at;
	struct queue_mailbox_usage *to;
};

static int add_to_usage(void *arg, const struct queue_mailbox_entry *e)
{
	struct counting *c = arg;
	c->to->bytes += e->bytes;
	c->to->files++;
	return 0;
}

static int add_section(void *arg, struct slice section)
{
	struct counting *c = arg;
	c->at.section = van_arena_slice(c->w->arena, section);
	return c->at.section.p ? queue_mailbox_each(c->w, &c->at, SLICE_NONE, add_to_usage, c) : VAN_ENOMEM;
}

/* A mailbox of which nothing is noted so far: mostly it is empty. */
static int count_all(struct queue_work *w, struct slice connection, struct queue_mailbox_usage *ret)
{
	struct counting c = {w, {connection, QUEUE_FOLDER_STAGED, SLICE_NONE, SLICE_NONE}, ret};
	int rc = queue_mailbox_each(w, &c.at, SLICE_NONE, add_to_usage, &c);
	if (rc == 0)
		rc = queue_mailbox_sections(w, connection, QUEUE_FOLDER_STAGED, add_section, &c);
	c.at.folder = QUEUE_FOLDER_IN_ARCHIVE;
	return rc < 0 ? rc : queue_mailbox_sections(w, connection, QUEUE_FOLDER_IN_ARCHIVE, add_section, &c);
}

static struct slice today(struct queue_work *w)
{
	char date[VAN_DATE_TEXT];
	return van_arena_slice(w->arena, slice_str(van_zone_date(date, w->q->zone, w->now)));
}

int queue_mailbox_usage(struct queue_work *w, struct slice connection, struct queue_mailbox_usage *ret)
{
	struct store_key k = STORE_KEY_INIT;
	struct slice day = today(w);
	queue_key_foreign(&k, connection);
	int rc = queue_get_record(w, w->q->mailbox_usage, store_key_slice(&k), &queue_mailbox_usage_table, ret);
	if (rc == VAN_ENOTFOUND) {
		*ret = (struct queue_mailbox_usage){0};
		rc = count_all(w, connection, ret);
	}
	if (!slice_eq(ret->day, day))
		ret->uploads = 0;
	ret->day = day;
	return rc;
}

int queue_mailbox_usage_without(struct queue_work *w, const struct queue_place *at, struct queue_mailbox_usage *ret)
{
	struct queue_mailbox_entry e;
	int rc = queue_mailbox_usage(w, at->connection, ret);
	if (rc == 0 && at->name.n && queue_mailbox_find(w, at, &e) == 0) {
		ret->bytes = ret->bytes > e.bytes ? ret->bytes - e.bytes : 0;
		ret->files -= ret->files > 0;
	}
	return rc;
}

static int put_usage(struct queue_work *w, struct slice connection, const struct queue_mailbox_usage *u)
{
	struct store_key k = STORE_KEY_INIT;
	queue_key_foreign(&k, connection);
	return queue_put_record(w, w->q->mailbox_usage, store_key_slice(&k), &queue_mailbox_usage_table, u);
}

int mailbox_count_upload(struct queue_work *w, struct slice connection)
{
	struct queue_mailbox_usage u;
	int rc = queue_mailbox_usage(w, connection, &u);
	u.uploads++;
	return rc < 0 ? rc : put_usage(w, connection, &u);
}

/* The usage as it was before the entry is put. */
int mailbox_put(struct queue_work *w, const struct queue_place *at, const struct queue_mailbox_entry *e)
{
	struct store_key k;
	struct queue_mailbox_usage u;
	int rc = is_counted(at->folder) ? queue_mailbox_usage(w, at->connection, &u) : 0;
	entry_key(&k, at, e->name);
	if (rc == 0)
		rc = queue_put_record(w, w->q->mailbox, store_key_slice(&k), &queue_mailbox_entry_table, e);
	if (rc < 0 || !is_counted(at->folder))
		return rc;
	u.bytes += e->bytes;
	u.files++;
	return put_usage(w, at->connection, &u);
}

int mailbox_del(struct queue_work *w, const struct queue_place *at, const struct queue_mailbox_entry *e)
{
	struct store_key k;
	struct queue_mailbox_usage u;
	int rc = is_counted(at->folder) ? queue_mailbox_usage(w, at->connection, &u) : 0;
	entry_key(&k, at, e->name);
	w->writes++;
	if (rc == 0)
		rc = store_del(w->txn, w->q->mailbox, store_key_slice(&k));
	if (rc < 0 || !is_counted(at->folder))
		return rc;
	u.bytes = u.bytes > e->bytes ? u.bytes - e->bytes : 0;
	u.files -= u.files > 0;
	return put_usage(w, at->connection, &u);
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

struct slice mailbox_name_cut(struct slice name, size_t most)
{
	while (most < name.n && most && ((unsigned char)name.p[most] & 0xc0) == 0x80)
		most--;
	return slice_make(name.p, name.n < most ? name.n : most);
}

/* "name~123456": cut where it would grow past what a name may have. */
struct slice queue_mailbox_older_name(struct queue_work *w, struct slice name, struct slice message)
{
	struct slice tail = slice_make(message.p + message.n - 6, 6);
	name = mailbox_name_cut(name, MAILBOX_NAME_MAX - 7);
	return van_arena_printf(w->arena, "%.*s~%.*s", SLICE_ARG(name), SLICE_ARG(tail));
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
