/* What the mailbox files share. */
#ifndef OPENVAN_QUEUE_MAILBOX_PRIVATE_H
#define OPENVAN_QUEUE_MAILBOX_PRIVATE_H

#include "base/zone.h"
#include "queue/internal.h"
#include "queue/mailbox.h"

#define MAILBOX_NAME_MAX 255

bool mailbox_name_ok(struct slice name);
/* Keep the count of what uploads take. */
int mailbox_put(struct queue_work *w, const struct queue_place *at, const struct queue_mailbox_entry *e); /* under e->name */
int mailbox_del(struct queue_work *w, const struct queue_place *at, const struct queue_mailbox_entry *e);
int mailbox_count_upload(struct queue_work *w, struct slice connection);
/* Into the archive of the day in that zone. The newest of a name keeps it: an older one gets "~" and the end of its id. */
int mailbox_archive(struct queue_work *w, struct slice connection, enum queue_folder folder, struct slice zone, struct queue_mailbox_entry e);
struct slice mailbox_name_cut(struct slice name, size_t most); /* not within a character of UTF-8 */
/* That name, or with the message's id before its ending where one of that name lies in the folder. Absent: out of memory. */
struct slice mailbox_name_alone(struct queue_work *w, const struct queue_place *folder, struct slice name, struct slice message);
/* Of the agreement, else of the network. */
struct slice mailbox_zone(const struct queue_work *w, struct slice agreement);

#endif
