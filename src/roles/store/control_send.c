/* message.send, message.resend, message.reprocess: what an operator sets going. */
#include "base/codec.h"
#include "base/fdio.h"
#include "queue/delivery.h"
#include "queue/send.h"
#include "roles/store/control.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>
#include <unistd.h>

/* --- message.room ---------------------------------------------------------------------------------------------------------- */

/* A file for vanctl to write a large document into: nothing is copied when it becomes a message. */
int control_message_room(struct control_call *c)
{
	struct van_error err = {0};
	c->fd = payload_create_unnamed(queue_payload(c->work->q), &err);
	return c->fd < 0 ? control_refuse(c, c->fd, &err) : van_buf_append_str(c->out, "{}");
}

/* --- message.send ---------------------------------------------------------------------------------------------------------- */

struct sending {
	struct van_buf bytes; /* a short document */
	struct queue_send send;
};

static void sending_free(void *arg)
{
	struct sending *s = arg;
	if (s)
		van_buf_free(&s->bytes);
}

static struct slice hex_arg(struct control_call *c, const char *key)
{
	struct slice hex = control_arg_text(&c->args, key);
	char *raw = hex.p ? van_arena_alloc(c->arena, hex.n / 2 + 1) : NULL;
	return raw && hex_decode(raw, hex) == 0 ? slice_make(raw, hex.n / 2) : SLICE_NONE;
}

static bool usable(const struct profile_connection *c, const struct profile *station)
{
	if (!c->enabled)
		return false;
	if (c->protocol == PROFILE_SFTP_MAILBOX)
		return true;
	bool ours = !station || c->protocol != PROFILE_AS2 || slice_eq(c->station, station->id);
	return ours && queue_delivery_kind_of(c) >= 0;
}

/* The connection named, else the partner's first over which something can be sent. */
static int choose_connection(struct control_call *c, struct queue_send *s)
{
	const struct directory *d = c->work->directory;
	struct slice from = control_arg_text(&c->args, "from"), to = control_arg_text(&c->args, "to");
	struct slice named = control_arg_text(&c->args, "connection");
	const struct profile *station = directory_get(d, PROFILE_STATION, from), *sender = directory_get(d, PROFILE_PARTNER, from);
	const struct profile *receiver = directory_get(d, PROFILE_PARTNER, to);
	if (!station && !sender)
		return control_say(c, 1, "--from: there is no station or partner '%.*s'; vanctl partner list shows them", SLICE_ARG(from));
	if (!receiver)
		return control_say(c, 1, "--to: there is no partner '%.*s'; vanctl partner list shows them", SLICE_ARG(to));
	if (!receiver->partner->enabled)
		return control_say(c, 1, "partner '%.*s' is disabled; vanctl partner enable %.*s", SLICE_ARG(to), SLICE_ARG(to));
	const struct profile_connection *found = NULL;
	for (size_t i = 0; i < receiver->partner->connections.n && !found; i++) {
		const struct profile_connection *k = RECORD_AT(receiver->partner->connections, struct profile_connection, i);
		if (usable(k, station) && (!named.p || slice_eq(k->id, named)))
			found = k;
	}
	if (!found)
		return control_say(c, 1, "nothing can be sent from '%.*s' to '%.*s'%s%.*s: its profile has no such connection with \"send\", "
					 "and no mailbox", SLICE_ARG(from), SLICE_ARG(to), named.p ? " over " : "", SLICE_ARG(named));
	s->partner = receiver->id;
	s->connection = found->id;
	s->station = station ? station->id : found->station;
	return 0;
}

static int take_file(struct control_call *c, struct sending *s)
{
	uint64_t size = 0;
	int rc = c->in_fd < 0 ? VAN_EINVAL : fd_size(c->in_fd, &size);
	if (rc == 0 && size <= QUEUE_INLINE_MAX) {
		rc = fd_read_file(c->in_fd, &s->bytes);
		s->send.bytes = van_buf_slice(&s->bytes);
	} else if (rc == 0) {
		s->send.length = size;
		s->send.sha256 = hex_arg(c, "sha256");
		s->send.salt = hex_arg(c, "salt");
		s->send.salted_sha256 = hex_arg(c, "salted_sha256");
		rc = payload_link(queue_payload(c->work->q), c->in_fd, s->send.id, "payload", &c->work->err);
	}
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

int control_send_prepare(struct control_call *c)
{
	struct sending *s = van_arena_alloc(c->arena, sizeof *s);
	if (!s)
		return VAN_ENOMEM;
	s->bytes = VAN_BUF_INIT(QUEUE_INLINE_MAX);
	s->send.id = slice_str(c->id.text);
	s->send.actor = c->actor;
	s->send.file_name = control_arg_text(&c->args, "file_name");
	s->send.content_type = control_arg_text(&c->args, "content_type");
	c->state = s;
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	int status = choose_connection(c, &s->send);
	if (status == 0)
		status = take_file(c, s);
	/* the connection's names are the directory's, which may change before the transaction */
	s->send.partner = van_arena_slice(c->arena, s->send.partner);
	s->send.connection = van_arena_slice(c->arena, s->send.connection);
	s->send.station = van_arena_slice(c->arena, s->send.station);
	struct slice bytes = s->send.bytes.p ? van_arena_slice(c->arena, s->send.bytes) : SLICE_NONE;
	s->send.bytes = bytes;
	sending_free(s);
	return status;
}

static int answer(struct control_call *c, int rc, struct slice id, struct slice original)
{
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_str(c->out, "{\"id\":");
	json_put_text(c->out, id);
	van_buf_append_str(c->out, ",\"original\":");
	json_put_text(c->out, original);
	return van_buf_append_char(c->out, '}');
}

int control_send_write(struct control_call *c)
{
	struct sending *s = c->state;
	return answer(c, queue_send(c->work, &s->send), s->send.id, SLICE_NONE);
}

/* --- again -------------------------------------------------------------------------------------------------------------------- */

int control_message_resend(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id"), new_id = slice_str(c->id.text);
	return answer(c, queue_resend(c->work, id, new_id, c->actor), new_id, id);
}

int control_message_reprocess(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id"), new_id = slice_str(c->id.text);
	int rc = queue_reprocess(c->work, id, new_id, c->actor);
	if (rc == 0)
		control_wake_job(c, new_id);
	return answer(c, rc, new_id, id);
}
