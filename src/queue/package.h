/* The package of a delivery that may be continued (AS2 Restart): the very bytes that an earlier try sent, and what was said of them.
 * They are parts of the message, "package" (a file that the caller links) and "package-facts", until the delivery ends. */
#ifndef OPENVAN_QUEUE_PACKAGE_H
#define OPENVAN_QUEUE_PACKAGE_H

#include "queue/queue.h"

#define QUEUE_PACKAGE_PART "package"

/* `facts`: any bytes of the caller's. */
int queue_package_put(struct queue_work *w, struct slice message, struct slice facts, uint64_t bytes);
/* VAN_ENOTFOUND: there is none. */
int queue_package_get(struct queue_work *w, struct slice message, struct slice *ret_facts, struct queue_content *ret);
/* Nothing happens when there is none. *ret_was: there was one, whose file the caller removes. */
int queue_package_forget(struct queue_work *w, struct slice message, bool *ret_was);

#endif
