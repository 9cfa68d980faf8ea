/* What waits for a partner: fetched, taken, put back, purged. */
#include "queue/mailbox_private.h"

static int find_with_message(struct queue_work *w, const struct queue_place *at, struct queue_mailbox_entry *e, struct queue_message *m)
{
	int rc = queue_mailbox_find(w, at, e);
	return rc < 0 ? rc : queue_message_get(w, e->message, m);
}

static int find_same(struct queue_work *w, const struct queue_place *at, struct slice message, struct queue_mailbox_entry *e)
{
	int rc = queue_mailbox_find(w, at, e);
	return rc == 0 && !slice_eq(e->message, message) ? van_error_set(&w->err, VAN_ENOTFOUND, "no such file") : rc;
}

static int get_own(struct queue_work *w, struct slice connection, struct slice message, struct queue_message *m)
{
	int rc = queue_message_get(w, message, m);
	return rc == 0 && !slice_eq(m->connection, connection) ? van_error_set(&w->err, VAN_ENOTFOUND, "no such message") : rc;
}

int queue_mailbox_fetched(struct queue_work *w, const struct queue_place *at, struct slice message, uint64_t bytes)
{
	struct queue_mailbox_entry e;
	int rc = find_same(w, at, message, &e);
	if (rc < 0 || bytes <= e.fetched)
		return rc;
	e.fetched = bytes < e.bytes ? bytes : e.bytes;
	return mailbox_put(w, at, &e);
}

int queue_mailbox_looked_at(struct queue_work *w, const struct queue_place *at, struct slice message, struct slice actor)
{
	struct queue_mailbox_entry e;
	struct queue_message m;
	int rc = get_own(w, at->connection, message, &m);
	if (rc == VAN_ENOTFOUND && at->folder == QUEUE_FOLDER_STAGED)
		rc = find_same(w, at, message, &e);
	return rc < 0 ? rc : queue_message_looked_at(w, message, SLICE("payload"), actor);
}

int queue_mailbox_collected_late(struct queue_work *w, struct slice connection, struct slice message, struct slice actor)
{
	struct queue_message m;
	int rc = get_own(w, connection, message, &m);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SFTP_OUT, &m, SLICE("downloaded, and gone from its place meanwhile"), actor, NULL, 0);
}

int queue_mailbox_collected(struct queue_work *w, const struct queue_place *at, struct slice message, struct slice actor)
{
	struct queue_mailbox_entry e;
	struct queue_message m;
	int rc = find_same(w, at, message, &e);
	if (rc == 0)
		rc = queue_message_get(w, message, &m);
	if (rc < 0)
		return rc;
	struct queue_message old = m;
	bool archive = at->folder == QUEUE_FOLDER_OUT_ARCHIVE, first = !m.downloads++;
	struct slice text = archive ? SLICE("downloaded from the archive") : first ? SLICE("downloaded") : SLICE("downloaded once more");
	if (!first) {
		rc = queue_message_put(w, &old, &m);
		return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SFTP_OUT, &m, text, actor, NULL, 0);
	}
	if (!archive)
		e.state = QUEUE_MAILBOX_COLLECTED;
	e.fetched = 0; /* fetched once more, it begins again */
	m.collected = e.collected = w->now;
	rc = mailbox_put(w, at, &e);
	if (rc == 0)
		rc = queue_delivery_move(w, &m, QUEUE_DELIVERY_COLLECTED);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SFTP_OUT, &m, text, actor, NULL, 0);
}

int queue_mailbox_taken(struct queue_work *w, const struct queue_place *at, struct slice actor)
{
	struct queue_mailbox_entry e;
	struct queue_message m;
	int rc = find_with_message(w, at, &e, &m);
	if (rc == 0)
		rc = mailbox_del(w, at, &e);
	if (rc == 0)
		rc = mailbox_archive(w, at->connection, QUEUE_FOLDER_OUT_ARCHIVE, mailbox_zone(w, m.agreement), e);
	if (rc < 0)
		return rc;
	struct queue_message old = m;
	m.taken = w->now;
	rc = queue_message_put(w, &old, &m);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_SFTP_OUT, &m, SLICE("removed from the mailbox by the partner"), actor, NULL, 0);
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

/* The agreement's zone may have changed since: the days around are looked at, too. *at becomes where it lies. 0 or negative. */
static int find_taken(struct queue_work *w, const struct queue_message *m, struct queue_place *at, char date[VAN_DATE_TEXT], struct search *s)
{
	static const int days[] = {0, -1, 1};
	struct slice zone = mailbox_zone(w, m->agreement);
	for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
		van_zone_date(date, zone, m->taken + days[i] * 86400 * VAN_SECOND);
		*at = (struct queue_place){m->connection, QUEUE_FOLDER_OUT_ARCHIVE, slice_str(date), SLICE_NONE};
		int rc = queue_mailbox_each(w, at, SLICE_NONE, is_of_message, s);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	return van_error_set(&w->err, VAN_ENOTFOUND, "message %.*s is not in the archive any more", SLICE_ARG(m->id));
}

/* "orders/x.edi" lies in the subfolder orders. */
static struct queue_place place_of_name(struct slice connection, struct slice file_name)
{
	const char *slash = memrchr(file_name.p, '/', file_name.n);
	size_t n = slash ? (size_t)(slash - file_name.p) : 0;
	return (struct queue_place){connection, QUEUE_FOLDER_OUT, slash ? slice_make(file_name.p, n) : SLICE_NONE,
				    slash ? slice_make(slash + 1, file_name.n - n - 1) : file_name};
}

int queue_mailbox_restore(struct queue_work *w, struct slice message, struct slice actor)
{
	struct search s = {.message = message};
	struct queue_place at;
	struct queue_message m;
	char date[VAN_DATE_TEXT];
	int rc = queue_message_get(w, message, &m);
	if (rc < 0)
		return rc;
	if (!m.taken)
		return van_error_set(&w->err, VAN_ESTATE, "message %.*s was not taken from a mailbox: there is nothing to restore",
				     SLICE_ARG(message));
	rc = find_taken(w, &m, &at, date, &s);
	if (rc == 0)
		rc = mailbox_del(w, &at, &s.found);
	if (rc < 0)
		return rc;
	at = place_of_name(m.connection, m.file_name);
	at.name = s.found.name = mailbox_name_alone(w, &at, at.name, m.id); /* another document may have come by that name since */
	if (!at.name.p)
		return VAN_ENOMEM;
	s.found.state = QUEUE_MAILBOX_WAITING;
	s.found.collected = 0;
	s.found.fetched = 0;
	rc = mailbox_put(w, &at, &s.found);
	if (rc == 0) {
		struct queue_message old = m;
		m.taken = 0;
		m.downloads = 0;
		m.file_name = at.section.n ? van_arena_printf(w->arena, "%.*s/%.*s", SLICE_ARG(at.section), SLICE_ARG(at.name)) : at.name;
		rc = queue_message_put(w, &old, &m);
	}
	if (rc == 0)
		rc = queue_search_put(w, m.file_name, m.id);
	if (rc == 0)
		rc = queue_delivery_move(w, &m, QUEUE_DELIVERY_AVAILABLE);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &m, SLICE("put back into the mailbox"), actor, NULL, 0);
}

/* --- purging ------------------------------------------------------------------------------------------------------------ */

int queue_mailbox_purge(struct queue_work *w, const struct queue_place *at, const struct queue_removal *why, struct slice *ret_message)
{
	struct queue_mailbox_entry e;
	struct queue_message m;
	*ret_message = SLICE_NONE;
	if (at->folder == QUEUE_FOLDER_STAGED)
		return queue_mailbox_remove_staged(w, at, why, ret_message);
	int rc = find_with_message(w, at, &e, &m);
	if (rc == 0)
		rc = mailbox_del(w, at, &e);
	if (rc == 0 && at->folder == QUEUE_FOLDER_OUT)
		rc = queue_delivery_move(w, &m, QUEUE_DELIVERY_DROPPED);
	return rc < 0 ? rc : queue_trail_receipt(w, why->event, &m, SLICE("purged from the mailbox"), why->actor, NULL, 0);
}

/* --- by an operator's hand ---------------------------------------------------------------------------------------------- */

int queue_mailbox_hand_in(struct queue_work *w, const struct queue_upload *u)
{
	struct queue_mailbox_entry other, e = {.name = u->name, .message = u->id, .part = SLICE("payload"), .bytes = u->bytes, .time = w->now};
	struct queue_part p = {.kind = u->file ? QUEUE_PART_FILE : QUEUE_PART_INLINE, .name = SLICE("payload"), .bytes = u->bytes,
			       .sha256 = u->sha256, .content = u->file ? SLICE_NONE : u->content};
	struct queue_message m = {.id = u->id, .time = w->now, .direction = QUEUE_OUT, .state = QUEUE_PROCESSED, .delivery = QUEUE_DELIVERY_AVAILABLE,
				  .protocol = SLICE("sftp"), .partner = u->partner, .connection = u->connection, .partner_version = u->partner_version,
				  .file_name = u->name, .bytes = u->bytes, .sha256 = queue_sha256_hex(w, u->sha256)};
	struct queue_place at = {u->connection, QUEUE_FOLDER_OUT, SLICE_NONE, u->name};
	struct receipt_artefact artefact;
	size_t n = queue_artefact(&artefact, SLICE("payload"), u->bytes, u->salt, u->salted_sha256);
	if (!mailbox_name_ok(u->name))
		return van_error_set(&w->err, VAN_EINVAL, "a file name has 1 to 255 bytes and no slash: give another with --name");
	if (queue_mailbox_find(w, &at, &other) == 0)
		return van_error_set(&w->err, VAN_EEXISTS, "a file named %.*s waits there already: give another name with --name", SLICE_ARG(u->name));
	int rc = queue_part_put(w, u->id, &p);
	if (rc == 0)
		rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = queue_search_put(w, m.file_name, m.id);
	if (rc == 0)
		rc = queue_search_put(w, m.sha256, m.id);
	if (rc == 0)
		rc = mailbox_put(w, &at, &e);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &m, SLICE("put into the mailbox by an operator"), u->actor, &artefact, n);
}
