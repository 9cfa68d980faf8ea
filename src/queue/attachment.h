/* What came beside an interchange (RFC 6362) goes where the interchange goes. */
#ifndef OPENVAN_QUEUE_ATTACHMENT_H
#define OPENVAN_QUEUE_ATTACHMENT_H

#include "queue/queue.h"

/* The attachments of `from` become those of `to`, too, without a copy; 0 also when there are none. */
int queue_attachments_lend(struct queue_work *w, struct slice from, struct slice to);

/* After the interchanges of a received message have become messages of their own (`r->targets`): what came beside them all belongs to one of
 * these where one receiver gets them all. Where there are several nobody can know: it stays with the whole, and the whole says so. */
struct result;
int queue_attachments_share(struct queue_work *w, struct result *r);

/* After `output`, made of the received message `source`, is stored. Over AS2 they travel within the same message: it gets the parts
 * "attachments" and "attachment-list", which are the source's. Elsewhere each becomes a file, and so a message, of its own
 * (made_as "attachment"), which `deliver` hands on. */
int queue_attachments_follow(struct queue_work *w, const struct queue_message *source, const struct queue_message *output,
			     int (*deliver)(struct queue_work *w, struct queue_message *m, struct slice extension));

#endif
