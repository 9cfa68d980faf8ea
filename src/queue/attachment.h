/* What came beside an interchange (RFC 6362) goes where the interchange goes. */
#ifndef OPENVAN_QUEUE_ATTACHMENT_H
#define OPENVAN_QUEUE_ATTACHMENT_H

#include "queue/queue.h"

/* After `output`, made of the received message `source`, is stored. Over AS2 they travel within the same message: it gets the parts
 * "attachments" and "attachment-list", which are the source's. Elsewhere each becomes a file, and so a message, of its own
 * (made_as "attachment"), which `deliver` hands on. */
int queue_attachments_follow(struct queue_work *w, const struct queue_message *source, const struct queue_message *output,
			     int (*deliver)(struct queue_work *w, struct queue_message *m, struct slice extension));

#endif
