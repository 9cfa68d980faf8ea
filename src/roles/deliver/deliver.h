/* The deliver role: makes the tries that the store asks for. It has the network and transport credentials; it has no database,
 * no S/MIME key, and parses nothing of an answer but HTTP, which libcurl does. */
#ifndef OPENVAN_ROLES_DELIVER_DELIVER_H
#define OPENVAN_ROLES_DELIVER_DELIVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "ipc/channel.h"
#include "ipc/messages.h"
#include "roles/role.h"

#include <curl/curl.h>

struct poller;
struct transfer;
struct sftp_job;

struct deliver {
	struct role *role;
	struct ipc_channel *store; /* NULL: gone, the supervisor sends another */
	struct poller *poller;
	struct transfer *transfers;
	struct sftp_job *sftp_jobs;
	size_t nsftp_jobs;
};

/* --- poller.c: libcurl's connections in the role's loop --- */

/* `done` is called once for each handle that was added, when its transfer has ended; the handle is out of the poller then. */
struct poller *poller_new(struct loop *l, void (*done)(void *arg, CURL *easy, CURLcode code), void *arg);
void poller_free(struct poller *p); /* NULL is fine; every handle must have been removed */
int poller_add(struct poller *p, CURL *easy);
void poller_remove(struct poller *p, CURL *easy);

/* --- transfer.c: one try over HTTP --- */

/* Takes the message's descriptor over. Answers the store itself when it can't even start. */
void transfer_start(struct deliver *d, struct ipc_message *m);
/* The poller's `done`. */
void transfer_done(void *deliver, CURL *easy, CURLcode code);
/* Nobody waits for them any more. */
void transfer_cancel_all(struct deliver *d);

/* --- credentials.c: what the supervisor opened for us --- */

/* The file's content, the caller's to free; VAN_ENOTFOUND when the supervisor has not handed it over. */
int credential_read(struct deliver *d, struct slice path, struct van_buf *to);

#endif
