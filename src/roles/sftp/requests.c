#include "roles/sftp/requests.h"

#include <unistd.h>

#define ANSWER_MEMORY ((size_t)1 << 20)
#define OWED_MEMORY ((size_t)4 << 10)

int sftpd_store_open(struct sftpd_store *s, int fd, van_time timeout)
{
	*s = (struct sftpd_store){.timeout = timeout};
	s->channel = ipc_channel_new(fd);
	s->arena = van_arena_new(ANSWER_MEMORY);
	s->owed = VAN_BUF_INIT(OWED_MEMORY);
	return s->channel && s->arena ? 0 : VAN_ENOMEM;
}

void sftpd_store_close(struct sftpd_store *s)
{
	ipc_channel_free(s->channel);
	van_arena_free(s->arena);
	van_buf_free(&s->owed);
	*s = (struct sftpd_store){.gone = true};
}

/* The answer to request `s->request`; answers that came too late for an earlier one are dropped. What nobody asked for has no number. */
static int await(struct sftpd_store *s, van_time timeout, struct ipc_message *ret)
{
	for (;;) {
		int rc = ipc_receive(s->channel, timeout, ret);
		if (rc < 0)
			return rc;
		if (ret->request == s->request)
			return 0;
		if (!ret->request && s->unasked)
			s->unasked(s->unasked_arg, ret);
		for (size_t i = 0; i < ret->nfds; i++)
			if (ret->fds[i] >= 0)
				close(ipc_take_fd(ret, i));
	}
}

int sftpd_store_call(struct sftpd_store *s, const struct sftpd_call *c, void *ret, int *ret_fd)
{
	struct ipc_message m;
	if (s->gone)
		return VAN_ECLOSED;
	sftpd_store_pay(s, 0);
	int rc = ipc_send(s->channel, c->type, ++s->request, c->table, c->message, &c->fd, c->fd >= 0 ? 1 : 0);
	if (rc == 0)
		rc = await(s, s->timeout, &m);
	if (rc < 0) {
		s->gone = rc != VAN_ELIMIT && rc != VAN_ENOMEM;
		return rc;
	}
	van_arena_reset(s->arena);
	rc = m.type == c->answer ? record_decode(c->answer_table, m.body, s->arena, ret) : VAN_ESTATE;
	int fd = rc == 0 && ret_fd ? ipc_take_fd(&m, 0) : -1;
	for (size_t i = 0; i < m.nfds; i++)
		if (m.fds[i] >= 0)
			close(m.fds[i]);
	if (ret_fd)
		*ret_fd = fd;
	return rc;
}

void sftpd_store_tell(struct sftpd_store *s, uint32_t type, const struct record_table *t, const void *message)
{
	sftpd_store_pay(s, 0);
	van_buf_reset(&s->owed);
	if (s->gone || record_encode(t, message, &s->owed) < 0)
		return;
	s->owed_type = type;
	s->owed_since = van_clock_monotonic();
	s->told = true;
}

void sftpd_store_pay(struct sftpd_store *s, van_time longest)
{
	if (!s->owed_type || s->gone || (longest && van_clock_monotonic() - s->owed_since < longest))
		return;
	ipc_send_raw(s->channel, s->owed_type, 0, van_buf_slice(&s->owed), NULL, 0);
	s->owed_type = 0;
}

void sftpd_store_settle(struct sftpd_store *s, van_time patience)
{
	struct ipc_message m;
	if (!s->told || s->gone)
		return;
	sftpd_store_pay(s, 0);
	s->told = false;
	if (ipc_send(s->channel, IPC_MAILBOX_SYNC, ++s->request, NULL, NULL, NULL, 0) == 0 && await(s, patience, &m) == 0)
		for (size_t i = 0; i < m.nfds; i++)
			close(ipc_take_fd(&m, i));
}

static enum sftpd_status status_of(uint32_t status)
{
	switch (status) {
	case IPC_MAILBOX_OK:
		return SFTPD_OK;
	case IPC_MAILBOX_NO_FILE:
		return SFTPD_NO_SUCH_FILE;
	case IPC_MAILBOX_DENIED:
		return SFTPD_PERMISSION_DENIED;
	default:
		return SFTPD_FAILURE;
	}
}

static const char *text_of(uint32_t status)
{
	switch (status) {
	case IPC_MAILBOX_FULL:
		return "The mailbox is full: try again later";
	case IPC_MAILBOX_BUSY:
		return "The mailbox is busy: try again later";
	case IPC_MAILBOX_FAILED:
		return "The mailbox could not do this: try again later";
	default:
		return "";
	}
}

enum sftpd_status sftpd_refuse_as_told(struct sftpd_why *why, enum sftpd_status status, struct slice text)
{
	char first = text.p[0];
	return sftpd_refuse(why, status, "%c%.*s", first >= 'a' && first <= 'z' ? first - 'a' + 'A' : first, (int)text.n - 1, text.p + 1);
}

enum sftpd_status sftpd_store_mailbox(struct sftpd_store *s, uint32_t type, const struct record_table *t, const void *message,
				      int fd, struct ipc_mailbox_reply *ret, int *ret_fd, struct sftpd_why *why)
{
	struct sftpd_call c = {type, t, message, fd, IPC_MAILBOX_REPLY, &ipc_mailbox_reply_table};
	if (sftpd_store_call(s, &c, ret, ret_fd) < 0)
		return sftpd_refuse(why, SFTPD_FAILURE, "The mailbox can't be reached just now: log in again later");
	if (ret->status == IPC_MAILBOX_OK)
		return SFTPD_OK;
	if (ret->text.n)
		return sftpd_refuse_as_told(why, status_of(ret->status), ret->text);
	return sftpd_refuse(why, status_of(ret->status), "%s", text_of(ret->status));
}
