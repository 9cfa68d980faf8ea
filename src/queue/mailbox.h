/* Mailboxes: what waits for one connection (out), what is being uploaded (staged), and archives by date.
 * Keys are by connection, so that one session can never name another's entries. */
#ifndef OPENVAN_QUEUE_MAILBOX_H
#define OPENVAN_QUEUE_MAILBOX_H

#include "ipc/messages.h"
#include "queue/queue.h"

/* Entries of a folder in the order of names, after `after` (absent: from the start). Archives: `date` "2026-01-31".
 * `fn` returns 0 to go on; another value ends and is returned. */
int queue_mailbox_each(struct queue_work *w, struct slice connection, enum queue_folder folder, struct slice date,
		       struct slice after, int (*fn)(void *arg, const struct queue_mailbox_entry *e), void *arg);
/* Dates of an archive, in order. */
int queue_mailbox_dates(struct queue_work *w, struct slice connection, enum queue_folder folder,
			int (*fn)(void *arg, struct slice date), void *arg);
int queue_mailbox_find(struct queue_work *w, struct slice connection, enum queue_folder folder, struct slice date,
		       struct slice name, struct queue_mailbox_entry *ret);
/* A file in /in that was taken lately (today or yesterday, UTC), for clients that look at what they have just uploaded. */
int queue_mailbox_find_uploaded(struct queue_work *w, struct slice connection, struct slice name,
				struct queue_mailbox_entry *ret);

/* An uploaded file. `id`: of the message it becomes, whose part "payload" is linked already when it is in a file
 * (`file`; else `content`). A staged one waits for its rename. */
struct queue_upload {
	struct slice id, partner, connection, name, peer, actor;
	uint64_t partner_version;
	bool staged, file;
	struct slice content;
	uint64_t bytes;
	struct slice sha256, salt, salted_sha256;
};
/* Becomes a received message with a job, or a staged entry (an earlier one of that name is replaced:
 * *ret_replaced (may be NULL) is its message id, whose file the caller removes after the commit; absent if none). */
int queue_mailbox_upload(struct queue_work *w, const struct queue_upload *u, struct slice *ret_replaced);
/* Staged → staged under another name, or → message (then *ret_message is its id and a job waits). VAN_ENOTFOUND. */
int queue_mailbox_rename_staged(struct queue_work *w, struct slice connection, struct slice from, struct slice to, bool staged,
				const struct queue_upload *who, struct slice *ret_message);
int queue_mailbox_remove_staged(struct queue_work *w, struct slice connection, struct slice name, struct slice *ret_message);

/* A complete download. The first marks it collected; later ones are recorded. */
int queue_mailbox_collected(struct queue_work *w, struct slice connection, struct slice name);
/* The partner deleted or renamed it: to the archive of the day. */
int queue_mailbox_taken(struct queue_work *w, struct slice connection, struct slice name);
/* Puts a taken document back; VAN_ESTATE when it waits already or was no mailbox message. */
int queue_mailbox_restore(struct queue_work *w, struct slice message, struct slice actor);

#endif
