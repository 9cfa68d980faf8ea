/* A session's requests to the store: one at a time, each waits for its answer. */
#ifndef OPENVAN_ROLES_SFTP_REQUESTS_H
#define OPENVAN_ROLES_SFTP_REQUESTS_H

#include "base/buf.h"
#include "ipc/channel.h"
#include "ipc/messages.h"
#include "sftp/sftpd.h"

struct sftpd_store {
	struct ipc_channel *channel;
	struct van_arena *arena; /* of the last answer */
	uint64_t request;
	van_time timeout;
	uint32_t owed_type;  /* what is still to be told; 0: nothing */
	struct van_buf owed; /* ... encoded */
	van_time owed_since; /* by the monotonic clock */
	bool told;           /* something was, since the last sftpd_store_settle() */
	void (*unasked)(void *arg, struct ipc_message *m); /* what the store says of itself; NULL: nobody hears it */
	void *unasked_arg;
	bool gone; /* the channel closed, or an answer didn't come: nothing more can be asked */
};

/* Owns the descriptor. 0 or VAN_ENOMEM. */
int sftpd_store_open(struct sftpd_store *s, int fd, van_time timeout);
void sftpd_store_close(struct sftpd_store *s);

/* Asks and waits. `fd`: sent along, stays the caller's; -1 none. Fills *ret (described by `answer_table`), whose slices live
 * until the next call; *ret_fd (may be NULL) becomes the answer's descriptor, the caller's, or -1. 0 or negative; after
 * VAN_ECLOSED and VAN_ETIMEOUT s->gone is set. */
struct sftpd_call {
	uint32_t type;
	const struct record_table *table;
	const void *message;
	int fd;
	uint32_t answer;
	const struct record_table *answer_table;
};
int sftpd_store_call(struct sftpd_store *s, const struct sftpd_call *c, void *ret, int *ret_fd);

/* What needs no answer, nobody could do anything about it. It goes with the next request, to wake the store once for both, or when
 * sftpd_store_pay() finds that it has waited for `longest`. */
void sftpd_store_tell(struct sftpd_store *s, uint32_t type, const struct record_table *t, const void *message);
void sftpd_store_pay(struct sftpd_store *s, van_time longest);
/* Waits until everything told is on the disk, at most `patience`. */
void sftpd_store_settle(struct sftpd_store *s, van_time patience);

/* A mailbox request answered by IPC_MAILBOX_REPLY, its status turned into the protocol's. */
enum sftpd_status sftpd_store_mailbox(struct sftpd_store *s, uint32_t type, const struct record_table *t, const void *message,
				      int fd, struct ipc_mailbox_reply *ret, int *ret_fd, struct sftpd_why *why);

/* With a text of the store's, of one character at least: those are parts of sentences, ours are whole ones. Returns `status`. */
enum sftpd_status sftpd_refuse_as_told(struct sftpd_why *why, enum sftpd_status status, struct slice text);

#endif
