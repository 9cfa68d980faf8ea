#include "ipc/channel.h"

#include "base/error.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_BUFFER (4 << 20)
#define MESSAGES_AT_ONCE 64
#define CROWDED_TRIES 30000 /* a millisecond apart */

/* Precedes every body; both ends are the same binary, so host order will do. */
struct header {
	uint32_t type;
	uint32_t nfds;
	uint64_t request;
};

struct queued {
	struct queued *next;
	struct header header;
	size_t n;
	size_t nfds;
	int fds[IPC_FDS_MAX];
	char body[];
};

struct ipc_channel {
	int fd;
	struct loop_watch *watch;
	ipc_message_fn *on_message;
	ipc_closed_fn *on_closed;
	void *arg;
	void *tag;
	struct queued *first, **last;
	size_t queued;
	bool paused, closed, freed, busy;
	struct van_buf scratch;    /* for encoding */
	struct ipc_message current; /* whose left-over descriptors are ours to close */
	char *in;
	van_time patience; /* of blocking receives, as the socket has it; -1: for ever, which is how sockets begin */
};

int ipc_pair(int ret_fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return van_err_from_errno(errno);
	for (int i = 0; i < 2; i++) {
		int size = SOCKET_BUFFER;
		if (setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
			setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	}
	return 0;
}

struct ipc_channel *ipc_channel_new(int fd)
{
	struct ipc_channel *c = calloc(1, sizeof *c);
	char *in = malloc(IPC_MESSAGE_MAX);
	if (!c || !in) {
		free(c);
		free(in);
		return NULL;
	}
	c->fd = fd;
	c->in = in;
	c->patience = -1;
	c->last = &c->first;
	c->scratch = VAN_BUF_INIT(IPC_MESSAGE_MAX);
	return c;
}

static void close_fds(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void drop_current(struct ipc_channel *c)
{
	close_fds(c->current.fds, c->current.nfds);
	c->current.nfds = 0;
}

static void drop_queue(struct ipc_channel *c)
{
	while (c->first) {
		struct queued *q = c->first;
		c->first = q->next;
		close_fds(q->fds, q->nfds);
		free(q);
	}
	c->last = &c->first;
	c->queued = 0;
}

void ipc_channel_free(struct ipc_channel *c)
{
	if (!c)
		return;
	if (c->busy) { /* inside its own callback: the dispatcher frees it */
		c->freed = true;
		return;
	}
	loop_unwatch(c->watch);
	drop_current(c);
	drop_queue(c);
	van_buf_free(&c->scratch);
	close(c->fd);
	free(c->in);
	free(c);
}

int ipc_channel_fd(const struct ipc_channel *c)
{
	return c->fd;
}

void ipc_channel_set_tag(struct ipc_channel *c, void *tag)
{
	c->tag = tag;
}

void *ipc_channel_tag(const struct ipc_channel *c)
{
	return c->tag;
}

/* 0 sent, VAN_EAGAIN would block, or an error. Of one user's descriptors no more may be under way, those of all its processes together, than
 * the sender may have open (unix(7), ETOOMANYREFS): that is over as soon as others have received theirs. */
static int send_packet(int fd, const struct header *h, struct slice body, const int *fds, size_t nfds)
{
	struct iovec iov[2] = {{(void *)h, sizeof *h}, {(void *)body.p, body.n}};
	union {
		char room[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
		struct cmsghdr align;
	} control = {0};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	if (nfds) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * nfds);
	}
	ssize_t n;
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK || (nfds && errno == ETOOMANYREFS))
		return VAN_EAGAIN;
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
		return VAN_ECLOSED;
	return van_err_from_errno(errno);
}

static uint32_t wanted_events(const struct ipc_channel *c)
{
	return (c->paused ? 0u : (uint32_t)EPOLLIN) | (c->first ? (uint32_t)EPOLLOUT : 0u);
}

static int enqueue(struct ipc_channel *c, const struct header *h, struct slice body, const int *fds, size_t nfds)
{
	if (c->queued + body.n > IPC_QUEUE_MAX)
		return VAN_ELIMIT;
	struct queued *q = calloc(1, sizeof *q + body.n);
	if (!q)
		return VAN_ENOMEM;
	q->header = *h;
	q->n = body.n;
	if (body.n)
		memcpy(q->body, body.p, body.n);
	for (; q->nfds < nfds; q->nfds++) {
		q->fds[q->nfds] = fcntl(fds[q->nfds], F_DUPFD_CLOEXEC, 0);
		if (q->fds[q->nfds] < 0) {
			close_fds(q->fds, q->nfds);
			free(q);
			return VAN_EAGAIN;
		}
	}
	bool was_empty = !c->first;
	*c->last = q;
	c->last = &q->next;
	c->queued += body.n;
	return was_empty ? loop_watch_change(c->watch, wanted_events(c)) : 0;
}

int ipc_send_raw(struct ipc_channel *c, uint32_t type, uint64_t request, struct slice body, const int *fds, size_t nfds)
{
	struct header h = {.type = type, .nfds = (uint32_t)nfds, .request = request};
	if (nfds > IPC_FDS_MAX || body.n > IPC_MESSAGE_MAX - sizeof h)
		return VAN_ELIMIT;
	if (c->closed)
		return VAN_ECLOSED;
	if (c->first)
		return enqueue(c, &h, body, fds, nfds);
	int rc = send_packet(c->fd, &h, body, fds, nfds);
	if (rc == VAN_EAGAIN && c->watch)
		return enqueue(c, &h, body, fds, nfds);
	for (int i = 0; rc == VAN_EAGAIN && i < CROWDED_TRIES; i++) { /* a blocking socket waits for room by itself */
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		rc = send_packet(c->fd, &h, body, fds, nfds);
	}
	return rc;
}

int ipc_send_past(struct ipc_channel *c, uint32_t type, uint64_t request, struct slice body)
{
	struct header h = {.type = type, .request = request};
	return body.n > IPC_MESSAGE_MAX - sizeof h ? VAN_ELIMIT : send_packet(c->fd, &h, body, NULL, 0);
}

int ipc_send(struct ipc_channel *c, uint32_t type, uint64_t request, const struct record_table *t, const void *msg,
	     const int *fds, size_t nfds)
{
	struct slice body = SLICE("");
	van_buf_reset(&c->scratch);
	if (t) {
		int rc = record_encode(t, msg, &c->scratch);
		if (rc < 0)
			return rc;
		body = van_buf_slice(&c->scratch);
	}
	return ipc_send_raw(c, type, request, body, fds, nfds);
}

/* 1 received, VAN_EAGAIN, VAN_ECLOSED or another error. */
static int receive_packet(struct ipc_channel *c, int flags)
{
	struct header h;
	struct iovec iov[2] = {{&h, sizeof h}, {c->in, IPC_MESSAGE_MAX}};
	union {
		char room[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = control.room, .msg_controllen = sizeof control.room};
	drop_current(c);
	bool reset = false; /* the error of a peer that ended without reading all we sent: once, and behind it stands what it had sent */
	ssize_t n;
	while ((n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | flags)) < 0 && (errno == EINTR || (errno == ECONNRESET && !reset)))
		reset |= errno == ECONNRESET;
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? VAN_EAGAIN : errno == ECONNRESET ? VAN_ECLOSED
												    : (int)van_err_from_errno(errno);
	if (n == 0)
		return VAN_ECLOSED;
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS) {
		c->current.nfds = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(c->current.fds, CMSG_DATA(cm), c->current.nfds * sizeof(int));
	}
	/* Descriptors are lost when this process has no slots left (MSG_CTRUNC): the message can't be acted upon. */
	if ((size_t)n < sizeof h || m.msg_flags & MSG_TRUNC || h.nfds != c->current.nfds) {
		drop_current(c);
		return (size_t)n < sizeof h || m.msg_flags & MSG_TRUNC ? VAN_ESYNTAX : VAN_ENOSPC;
	}
	c->current.type = h.type;
	c->current.request = h.request;
	c->current.body = slice_make(c->in, (size_t)n - sizeof h);
	return 1;
}

/* The kernel's own time-out of a blocking receive: one system call where poll and receive would be two. */
static int set_patience(struct ipc_channel *c, van_time timeout)
{
	if (timeout == c->patience)
		return 0;
	struct timeval t = {0, 0}; /* for ever */
	if (timeout > 0) {
		t.tv_sec = (time_t)(timeout / VAN_SECOND);
		t.tv_usec = (suseconds_t)(timeout % VAN_SECOND);
	}
	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) < 0)
		return van_err_from_errno(errno);
	c->patience = timeout;
	return 0;
}

int ipc_receive(struct ipc_channel *c, van_time timeout, struct ipc_message *ret)
{
	if (timeout < 0)
		timeout = -1;
	int rc = timeout ? set_patience(c, timeout) : 0;
	if (rc < 0)
		return rc;
	rc = receive_packet(c, timeout ? 0 : MSG_DONTWAIT);
	if (rc == VAN_EAGAIN)
		return VAN_ETIMEOUT;
	if (rc == 1) {
		*ret = c->current;
		c->current.nfds = 0; /* blocking use: the caller's copy owns them */
	}
	return rc;
}

int ipc_take_fd(struct ipc_message *m, size_t i)
{
	if (i >= m->nfds)
		return -1;
	int fd = m->fds[i];
	m->fds[i] = -1;
	return fd;
}

static void flush_queue(struct ipc_channel *c)
{
	while (c->first) {
		struct queued *q = c->first;
		int rc = send_packet(c->fd, &q->header, slice_make(q->body, q->n), q->fds, q->nfds);
		if (rc == VAN_EAGAIN) {
			sched_yield(); /* there may be room, and too many descriptors under way */
			return;
		}
		c->first = q->next;
		if (!c->first)
			c->last = &c->first;
		c->queued -= q->n;
		close_fds(q->fds, q->nfds);
		free(q);
		if (rc < 0)
			return; /* the hang-up will be reported by epoll */
	}
	loop_watch_change(c->watch, wanted_events(c));
}

static void hang_up(struct ipc_channel *c)
{
	c->closed = true;
	loop_unwatch(c->watch);
	c->watch = NULL;
	drop_queue(c);
	c->on_closed(c->arg, c);
}

static void receive_some(struct ipc_channel *c, int most, bool paused_too)
{
	for (int i = 0; i < most && !c->freed && !c->closed && (!c->paused || paused_too); i++) {
		int rc = receive_packet(c, MSG_DONTWAIT);
		if (rc == VAN_EAGAIN)
			break;
		if (rc == VAN_ENOSPC)
			continue;
		if (rc < 0) {
			hang_up(c);
			break;
		}
		c->on_message(c->arg, c, &c->current);
	}
}

static void on_events(void *arg, uint32_t events)
{
	struct ipc_channel *c = arg;
	c->busy = true;
	if (events & EPOLLOUT)
		flush_queue(c);
	receive_some(c, MESSAGES_AT_ONCE, events & EPOLLHUP);
	c->busy = false;
	if (c->freed)
		ipc_channel_free(c);
}

void ipc_channel_drain(struct ipc_channel *c)
{
	c->busy = true;
	receive_some(c, INT_MAX, true);
	c->busy = false;
	if (c->freed)
		ipc_channel_free(c);
}

int ipc_channel_attach(struct ipc_channel *c, struct loop *l, ipc_message_fn *on_message, ipc_closed_fn *on_closed, void *arg)
{
	int rc = fd_set_nonblock(c->fd);
	if (rc < 0)
		return rc;
	c->on_message = on_message;
	c->on_closed = on_closed;
	c->arg = arg;
	c->watch = loop_watch(l, c->fd, EPOLLIN, on_events, c);
	return c->watch ? 0 : VAN_ENOMEM;
}

void ipc_channel_pause(struct ipc_channel *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	if (c->watch)
		loop_watch_change(c->watch, wanted_events(c));
}
