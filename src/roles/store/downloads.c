/* What a session gets to read, or to go on with. It never holds a descriptor of a file in which others' documents stand, too: one interchange of many
 * comes to it as copies of its own stretch, piece by piece. */
#include "roles/store/sessions.h"

#include "base/fdio.h"

#include <ctype.h>
#include <unistd.h>

#define BLANK_MAX 256 /* bytes around the only interchange of a file: line ends */

static bool blank(int fd, uint64_t at, uint64_t n)
{
	char around[BLANK_MAX];
	if (n > sizeof around || fd_pread_all(fd, around, n, (off_t)at) < 0)
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (!isspace((unsigned char)around[i]))
			return false;
	return true;
}

/* Does nothing else stand in the file? */
static bool alone(const struct queue_content *c)
{
	uint64_t size, end = c->offset + c->length;
	if (fd_size(c->fd, &size) < 0 || end > size)
		return false;
	return blank(c->fd, 0, c->offset) && blank(c->fd, end, size - end);
}

static int small_copy(struct queue_work *w, const struct queue_content *c, struct slice *ret)
{
	char *bytes = van_arena_alloc(w->arena, c->length + 1);
	int rc = bytes ? fd_pread_all(c->fd, bytes, c->length, (off_t)c->offset) : VAN_ENOMEM;
	if (rc == 0)
		*ret = slice_make(bytes, c->length);
	return rc;
}

static int in_memory(const struct queue_content *c, struct slice *ret_content, int *ret_fd)
{
	if (c->bytes.n > IPC_INLINE_MAX)
		return *ret_fd = memfd_with("mailbox", c->bytes.p, c->bytes.n);
	*ret_content = c->bytes;
	return 0;
}

int session_open_entry(struct queue_work *w, const struct queue_mailbox_entry *e, struct ipc_mailbox_entry *ret, struct slice *ret_content, int *ret_fd)
{
	struct queue_content c;
	int rc = queue_part_open(w, e->message, e->part, &c);
	if (rc < 0)
		return rc;
	if (c.fd < 0) {
		rc = in_memory(&c, ret_content, ret_fd);
		return rc < 0 ? rc : 0;
	}
	if (c.length <= IPC_INLINE_MAX) {
		rc = small_copy(w, &c, ret_content);
	} else if (e->state == QUEUE_MAILBOX_UNFINISHED || alone(&c)) { /* behind its end stands what another session goes on with, of the same upload */
		ret->offset = c.offset;
		*ret_fd = c.fd;
		return 0;
	} else {
		ret->in_pieces = true;
	}
	close(c.fd);
	return rc;
}

/* A document of this mailbox, by its id: it may have been put into the archive while it is read. */
static int open_own(struct session *e, struct queue_work *w, struct slice id, struct queue_content *ret)
{
	struct queue_message m;
	int rc = queue_message_get(w, id, &m);
	if (rc == 0 && !slice_is(m.connection, e->connection))
		rc = VAN_ENOTFOUND;
	return rc < 0 ? rc : queue_part_open(w, id, SLICE("payload"), ret);
}

static int copy_piece(const struct queue_content *c, uint64_t at)
{
	char block[16384];
	uint64_t left = at < c->length ? c->length - at : 0, done = 0;
	int fd = c->fd < 0 || !left ? VAN_ENOTFOUND : memfd_new("piece"), rc = fd < 0 ? fd : 0;
	if (left > IPC_PIECE)
		left = IPC_PIECE;
	for (size_t n; rc == 0 && done < left; done += n) {
		n = left - done < sizeof block ? (size_t)(left - done) : sizeof block;
		rc = fd_pread_all(c->fd, block, n, (off_t)(c->offset + at + done));
		if (rc == 0)
			rc = fd_pwrite_all(fd, block, n, (off_t)done);
	}
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

void session_read(struct session *e, struct ipc_message *m)
{
	struct ipc_mailbox_read ask;
	struct queue_content c = {.fd = -1};
	struct store_read r;
	int rc = record_decode(&ipc_mailbox_read_table, m->body, e->s->arena, &ask);
	if (rc == 0)
		rc = store_read_begin(e->s, e->s->arena, &r);
	if (rc < 0) {
		session_refuse(e, m->request, rc, NULL);
		return;
	}
	rc = open_own(e, &r.work, ask.id, &c);
	store_read_end(e->s, &r);
	int fd = rc == 0 ? copy_piece(&c, ask.at) : rc;
	if (c.fd >= 0)
		close(c.fd);
	if (fd < 0) {
		session_refuse(e, m->request, fd, NULL);
		return;
	}
	session_reply(e, m->request, IPC_MAILBOX_OK, NULL, NULL, fd);
	close(fd);
}

/* --- going on with an upload ------------------------------------------------------------------------------------------------------- */

/* Only a file in which nothing else stands, and of which the hashes are known so far. */
static int open_unfinished(struct queue_work *w, struct store_role *s, const struct queue_mailbox_entry *e)
{
	struct queue_part p;
	if (e->state != QUEUE_MAILBOX_UNFINISHED || !e->hashing.n)
		return VAN_ESTATE;
	int rc = queue_part_get(w, e->message, e->part, &p);
	if (rc == 0 && p.kind != QUEUE_PART_FILE)
		rc = VAN_ESTATE;
	return rc < 0 ? rc : payload_open_to_append(s->payload, e->message, "payload", e->bytes, &w->err);
}

void session_resume(struct session *e, struct ipc_message *m)
{
	struct ipc_mailbox_name name;
	struct queue_mailbox_entry found;
	struct store_read r;
	int rc = record_decode(&ipc_mailbox_name_table, m->body, e->s->arena, &name);
	if (rc == 0)
		rc = store_read_begin(e->s, e->s->arena, &r);
	if (rc < 0) {
		session_refuse(e, m->request, rc, NULL);
		return;
	}
	const struct queue_place at = {slice_str(e->connection), QUEUE_FOLDER_STAGED, name.section, name.name};
	rc = queue_mailbox_find(&r.work, &at, &found);
	int fd = rc == 0 ? open_unfinished(&r.work, e->s, &found) : rc;
	struct ipc_mailbox_reply reply = {.status = IPC_MAILBOX_OK, .content = found.hashing};
	if (fd >= 0)
		ipc_send(e->channel, IPC_MAILBOX_REPLY, m->request, &ipc_mailbox_reply_table, &reply, &fd, 1);
	else
		session_refuse(e, m->request, fd, &r.work.err);
	store_read_end(e->s, &r);
	if (fd >= 0)
		close(fd);
}
