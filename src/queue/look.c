/* Who looked at a document: one receipt for each who, what and day, however often they look. */
#include "queue/internal.h"

struct look {
	struct queue_work *w;
	struct slice text, actor;
	bool known;
};

static int is_look(void *arg, struct receipt_ref ref, struct slice json)
{
	struct look *l = arg;
	struct receipt_leaf leaf;
	(void)ref;
	int rc = receipt_leaf_parse(json, l->w->arena, &leaf, &l->w->err);
	if (rc < 0)
		return rc;
	l->known = leaf.event == RECEIPT_LOOKED_AT && slice_eq(leaf.actor, l->actor) && slice_eq(leaf.text, l->text) &&
		   leaf.time > l->w->now - QUEUE_LOOK_ONCE_IN;
	return l->known;
}

int queue_message_looked_at(struct queue_work *w, struct slice id, struct slice what, struct slice actor)
{
	struct queue_message m;
	struct look l = {.w = w, .text = what, .actor = actor};
	int rc = queue_message_get(w, id, &m);
	if (rc == VAN_ENOTFOUND) { /* an upload that is no message yet */
		m = (struct queue_message){.id = id};
		rc = 0;
	}
	if (rc == 0)
		rc = receipt_each_of_message(w->txn, w->q->receipts, id, is_look, &l);
	if (rc < 0 || l.known)
		return rc < 0 ? rc : 0;
	return queue_trail_receipt(w, RECEIPT_LOOKED_AT, &m, what, actor, NULL, 0);
}

int queue_bundle_handed_out(struct queue_work *w, struct slice what, struct slice actor)
{
	const struct queue_message none = {0};
	return queue_trail_receipt(w, RECEIPT_LOOKED_AT, &none, what, actor, NULL, 0);
}
