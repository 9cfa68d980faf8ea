/* Messages that an operator sends: from a file, again, or processed anew. Each is a new stored message under the id given. */
#ifndef OPENVAN_QUEUE_SEND_H
#define OPENVAN_QUEUE_SEND_H

#include "queue/queue.h"

struct queue_send {
	struct slice id;          /* for the new message */
	struct slice station, partner, connection; /* who speaks, to whom, how */
	struct slice file_name, content_type; /* may be absent */
	struct slice bytes;       /* the document; absent: the linked file "payload" of `length` bytes */
	uint64_t length;
	struct slice sha256, salt, salted_sha256; /* of a file: made by who wrote it; absent: the receipt names no hash */
	struct slice actor;
};
/* Queues the document for the connection, or puts it into its mailbox. VAN_ENOTFOUND, VAN_ESTATE with w->err. */
int queue_send(struct queue_work *w, const struct queue_send *s);

/* The same bytes and control numbers once more, under a new AS2 Message-ID; linked to the original. VAN_ESTATE for a message
 * that was not sent by us. *ret_kind: enum queue_delivery_kind to wake, -1 for a mailbox. */
int queue_resend(struct queue_work *w, struct slice id, struct slice new_id, struct slice actor);

/* Runs a job over what was received, under today's agreements and maps, with new control numbers; for a message made of another,
 * over that one. What was acknowledged is not acknowledged again. What waited (held, in quarantine …) waits no longer. The caller dispatches the job of `new_id`. */
int queue_reprocess(struct queue_work *w, struct slice id, struct slice new_id, struct slice actor);

#endif
