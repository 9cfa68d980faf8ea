/* Who looked at a document: one receipt for each who, what and day, however often they look. When it was last is an index: a document may have
 * any number of receipts, and none of them is read. */
#include "queue/internal.h"

struct look {
	van_time time; /* of the receipt */
};
static const struct record_field look_fields[] = {
	RECORD_FIELD(1, RECORD_TIME, struct look, time),
	RECORD_END,
};
static const struct record_table look_table = {"look", 1, sizeof(struct look), look_fields};

static void look_key(struct store_key *k, struct slice id, struct slice what, struct slice actor)
{
	*k = STORE_KEY_INIT;
	store_key_text(k, id);
	queue_key_foreign(k, actor);
	queue_key_foreign(k, what);
}

static int put_look(struct queue_work *w, const struct store_key *k)
{
	const struct look now = {w->now};
	return queue_put_record(w, w->q->look, store_key_slice(k), &look_table, &now);
}

int queue_message_looked_at(struct queue_work *w, struct slice id, struct slice what, struct slice actor)
{
	struct queue_message m;
	struct look last = {0};
	struct store_key k;
	int rc = queue_message_get(w, id, &m);
	if (rc == VAN_ENOTFOUND) /* an upload that is no message yet */
		m = (struct queue_message){.id = id};
	else if (rc < 0)
		return rc;
	look_key(&k, id, what, actor);
	rc = queue_get_record(w, w->q->look, store_key_slice(&k), &look_table, &last);
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	if (rc == 0 && last.time > w->now - QUEUE_LOOK_ONCE_IN)
		return 0;
	rc = put_look(w, &k);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_LOOKED_AT, &m, what, actor, NULL, 0);
}

int queue_bundle_handed_out(struct queue_work *w, struct slice what, struct slice actor)
{
	const struct queue_message none = {0};
	return queue_trail_receipt(w, RECEIPT_LOOKED_AT, &none, what, actor, NULL, 0);
}
