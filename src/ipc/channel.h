/* Channels between roles: SOCK_SEQPACKET pairs that carry typed messages with a request number and up to
 * IPC_FDS_MAX descriptors. One message is one packet of at most IPC_MESSAGE_MAX bytes; larger things travel as
 * descriptors. A message's body is a record (base/record.h). */
#ifndef OPENVAN_IPC_CHANNEL_H
#define OPENVAN_IPC_CHANNEL_H

#include "base/record.h"
#include "ipc/loop.h"

#define IPC_MESSAGE_MAX ((size_t)160 * 1024)
#define IPC_FDS_MAX 8
#define IPC_QUEUE_MAX ((size_t)64 << 20) /* bytes that wait for a slow peer before the channel is closed */

struct ipc_message {
	uint32_t type;    /* enum ipc_type */
	uint64_t request; /* chosen by who asks; echoed in the answer */
	struct slice body; /* valid until the next receive on this channel */
	int fds[IPC_FDS_MAX]; /* the receiver owns them; take one with ipc_take_fd, what is left is closed at the next receive */
	size_t nfds;
};

struct ipc_channel;

/* A connected pair, close-on-exec, with large socket buffers. 0 or negative. */
int ipc_pair(int ret_fds[2]);

/* Owns the descriptor. NULL when out of memory. */
struct ipc_channel *ipc_channel_new(int fd);
void ipc_channel_free(struct ipc_channel *c); /* closes; NULL is fine */
int ipc_channel_fd(const struct ipc_channel *c);

/* Sends a message; `fds` stay the caller's (they are duplicated by the kernel; when the message must wait, by us).
 * On a channel attached to a loop a message that the peer can't take yet is queued; on a blocking channel this waits. So it is when the
 * user's processes have so many descriptors under way that the kernel takes no more from this one.
 * 0, VAN_ECLOSED, VAN_ELIMIT (too large, or the queue is full), VAN_ENOMEM. Thread-safe only on blocking channels. */
int ipc_send(struct ipc_channel *c, uint32_t type, uint64_t request, const struct record_table *t, const void *msg,
	     const int *fds, size_t nfds);
/* The same with a body that is encoded already. */
int ipc_send_raw(struct ipc_channel *c, uint32_t type, uint64_t request, struct slice body, const int *fds, size_t nfds);
/* As ipc_send_raw, from a thread that isn't the channel's, past what is queued: of an attached channel that lives as long as the call,
 * and whose peer doesn't mind the order. VAN_EAGAIN when there is no room now. */
int ipc_send_past(struct ipc_channel *c, uint32_t type, uint64_t request, struct slice body);

/* Blocking channels: waits for one message at most `timeout` microseconds (negative: for ever).
 * 1 message received, VAN_ETIMEOUT, VAN_ECLOSED or another error. */
int ipc_receive(struct ipc_channel *c, van_time timeout, struct ipc_message *ret);

/* Moves descriptor `i` out of the message: -1 if there is none. */
int ipc_take_fd(struct ipc_message *m, size_t i);

typedef void ipc_message_fn(void *arg, struct ipc_channel *c, struct ipc_message *m);
typedef void ipc_closed_fn(void *arg, struct ipc_channel *c); /* may free the channel */

/* Non-blocking from now on: messages arrive through `on_message`; `on_closed` once when the peer is gone. 0 or negative. */
int ipc_channel_attach(struct ipc_channel *c, struct loop *l, ipc_message_fn *on_message, ipc_closed_fn *on_closed, void *arg);

/* Gives the messages that have arrived to `on_message`, and `on_closed` when the peer is gone (the channel may be freed then): for
 * an owner who learned of the end in another way. Not inside the channel's own callbacks. */
void ipc_channel_drain(struct ipc_channel *c);

/* Pauses or resumes reading of an attached channel (backpressure). */
void ipc_channel_pause(struct ipc_channel *c, bool paused);

/* Free use by the owner. */
void ipc_channel_set_tag(struct ipc_channel *c, void *tag);
void *ipc_channel_tag(const struct ipc_channel *c);

#endif
