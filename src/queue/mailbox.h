/* Mailboxes: what waits for one connection (out), what is being uploaded (staged), and archives by date.
 * Keys are by connection, so that one session can never name another's entries. */
#ifndef OPENVAN_QUEUE_MAILBOX_H
#define OPENVAN_QUEUE_MAILBOX_H

#include "ipc/messages.h"
#include "queue/queue.h"

/* Where something lies. `section`: of an archive its date, "2026-01-31"; of the others a subfolder, absent for the folder
 * itself. `name` may be absent where a whole section is meant. */
struct queue_place {
	struct slice connection;
	enum queue_folder folder;
	struct slice section, name;
};

/* Entries of a section in the order of names (names of more than STORE_KEY_TEXT_MAX bytes come in an order of their own), after
 * the one that `after` names (NULL: from the start). `fn` returns 0 to go on; another value ends and is returned. */
int queue_mailbox_each(struct queue_work *w, const struct queue_place *at, struct slice after,
		       int (*fn)(void *arg, const struct queue_mailbox_entry *e), void *arg);
/* Sections that hold something, in order: dates of an archive, subfolders of the others. */
int queue_mailbox_sections(struct queue_work *w, struct slice connection, enum queue_folder folder,
			   int (*fn)(void *arg, struct slice section), void *arg);
/* 0 or VAN_ENOTFOUND. */
int queue_mailbox_find(struct queue_work *w, const struct queue_place *at, struct queue_mailbox_entry *ret);
/* A file in /in that was taken within so many days, the newest of that name: for clients that look at what they have uploaded. */
#define QUEUE_UPLOADED_LATELY 2
#define QUEUE_UPLOADED_STATUS 62
int queue_mailbox_find_uploaded(struct queue_work *w, struct slice connection, struct slice name, int days,
				struct queue_mailbox_entry *ret);

/* What becomes of an upload. */
enum queue_upload_kind {
	QUEUE_UPLOAD_FINAL,      /* a message */
	QUEUE_UPLOAD_STAGED,     /* a temporary name: waits for the rename */
	QUEUE_UPLOAD_UNFINISHED, /* the connection broke: waits to be resumed */
};
/* What a mailbox's uploads may be; 0: no limit. */
struct queue_mailbox_limits {
	uint64_t storage; /* bytes that are kept */
	uint64_t files;   /* ... and how many files */
	uint64_t uploads; /* files in one day */
};
/* An uploaded file. `id`: of the message it becomes, whose part "payload" is linked already when it is in a file
 * (`file`; else `content`). */
struct queue_upload {
	struct slice id, partner, connection, section, name, peer, actor;
	uint64_t partner_version;
	enum queue_upload_kind kind;
	bool file;
	struct slice content;
	uint64_t bytes;
	struct queue_mailbox_limits limits;
	struct slice sha256, salt, salted_sha256;
	struct slice hashing; /* unfinished: kept for who resumes it */
	/* fetched from a partner's server: the file there, remembered in the same transaction, so that it is taken once; absent: no */
	struct slice pickup_name;
	uint64_t pickup_bytes, pickup_time; /* as the server told them */
};
/* Was this very file (name, length, time) fetched before? *ret_message is the message it became; VAN_ENOTFOUND. */
int queue_pickup_find(struct queue_work *w, struct slice connection, struct slice name, uint64_t bytes, uint64_t time, struct slice *ret_message);
/* Every file remembered of that connection. `fn` returns 0 to go on. */
int queue_pickups(struct queue_work *w, struct slice connection, int (*fn)(void *arg, struct slice name), void *arg);
/* It is gone from the server: the next one of that name is another. 0 also when nothing was known. */
int queue_pickup_forget(struct queue_work *w, struct slice connection, struct slice name);
/* Becomes a received message with a job, or a staged entry. What was staged under that name goes: *ret_replaced (may be NULL)
 * is its message id, whose file the caller removes after the commit; absent if none. VAN_EINVAL for a bad name, VAN_ELIMIT
 * when the mailbox is full. */
int queue_mailbox_upload(struct queue_work *w, const struct queue_upload *u, struct slice *ret_replaced);
/* Staged → staged under another name, or → message (then *ret_message is its id and a job waits). `to` is of the same
 * connection and folder. Without `replace` a staged file of that name is in the way. VAN_ENOTFOUND, VAN_EEXISTS, VAN_ESTATE
 * (not whole yet). */
int queue_mailbox_rename_staged(struct queue_work *w, const struct queue_place *from, const struct queue_place *to, bool staged, bool replace,
				const struct queue_upload *who, struct slice *ret_message, struct slice *ret_replaced);
/* Deleted before it was taken, by the partner or an operator (`event` says whose receipt it is). *ret_message is the id whose file the caller
 * removes after the commit. */
struct queue_removal {
	enum receipt_event event;
	struct slice partner, actor;
};
int queue_mailbox_remove_staged(struct queue_work *w, const struct queue_place *at, const struct queue_removal *why, struct slice *ret_message);
/* The name that an entry of an archive gets when a later one of the same day takes its own. */
struct slice queue_mailbox_older_name(struct queue_work *w, struct slice name, struct slice message);
/* What a mailbox's uploads take: staged ones and those in the archive of /in; and how many came today. */
int queue_mailbox_usage(struct queue_work *w, struct slice connection, struct queue_mailbox_usage *ret);
/* The same without what is staged at that place (a place without a name: all), which an upload to it replaces. */
int queue_mailbox_usage_without(struct queue_work *w, const struct queue_place *at, struct queue_mailbox_usage *ret);
/* So many files more may come, UINT64_MAX: any number. At 0 *ret_why (of w->arena) says which limit it is, and what to do. */
uint64_t queue_mailbox_files_left(struct queue_work *w, const struct queue_mailbox_usage *u, const struct queue_mailbox_limits *l, struct slice *ret_why);

/* What was read is named by its place and by the message that lay there when it was opened: a session may end long after another took the
 * document, and one that bears its name since is nobody's yet. VAN_ENOTFOUND where that message lies there no more: nothing is changed. */
/* So much of it, from its start on, was sent to the partner: a download may be resumed there. */
int queue_mailbox_fetched(struct queue_work *w, const struct queue_place *at, struct slice message, uint64_t bytes);
/* A complete download, of what waits or from the archive. The first marks it collected; each has its receipt. */
int queue_mailbox_collected(struct queue_work *w, const struct queue_place *at, struct slice message, struct slice actor);
/* A complete download of a document of this connection that lies there no more: a receipt, and nothing else. 0 or VAN_ENOTFOUND. */
int queue_mailbox_collected_late(struct queue_work *w, struct slice connection, struct slice message, struct slice actor);
/* It was read, if only in part: a document of the connection, wherever it lies by now, or what is staged at that place. 0 or VAN_ENOTFOUND. */
int queue_mailbox_looked_at(struct queue_work *w, const struct queue_place *at, struct slice message, struct slice actor);
/* The partner deleted or renamed it: to the archive of the day. */
int queue_mailbox_taken(struct queue_work *w, const struct queue_place *at, struct slice actor);
/* Puts a taken document back; VAN_ESTATE when it waits already or was no mailbox message. */
int queue_mailbox_restore(struct queue_work *w, struct slice message, struct slice actor);
/* A file that an operator puts into a mailbox: a message that waits in /out. `u` as for an upload (kind and section don't matter). */
int queue_mailbox_hand_in(struct queue_work *w, const struct queue_upload *u);
/* Removes an entry for good: from an archive the view alone, its message stays; from out the delivery is dropped; a staged one
 * with its bytes (*ret_message is then its id, whose file the caller removes after the commit; else absent). */
int queue_mailbox_purge(struct queue_work *w, const struct queue_place *at, const struct queue_removal *why, struct slice *ret_message);

#endif
