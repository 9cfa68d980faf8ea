/* The end of message.get and mailbox.get: the receipt of who looked is committed, then the bytes go out. */
#include "base/fdio.h"
#include "queue/queue.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

struct taken {
	struct slice id, part; /* of whom the receipt is */
	struct slice shown, name;
	uint64_t offset, bytes;
};

int control_take_content(struct control_call *c, struct slice id, struct slice part, struct slice shown, struct slice name, struct queue_content *content)
{
	struct taken *t = van_arena_alloc(c->arena, sizeof *t);
	if (content->fd < 0) {
		content->offset = 0;
		content->length = content->bytes.n;
		content->fd = memfd_with("part", content->bytes.p, content->bytes.n);
	}
	c->fd = content->fd;
	if (c->fd < 0 || !t)
		return control_say(c, 2, "vand has no memory or descriptors left; try again later");
	/* copies: names found in the store are good only as long as the transaction */
	*t = (struct taken){van_arena_slice(c->arena, id), van_arena_slice(c->arena, part), van_arena_slice(c->arena, shown),
			    van_arena_slice(c->arena, name), content->offset, content->length};
	c->state = t;
	return 0;
}

/* The answer's descriptor may hold more than the part: "offset" and "bytes" say where it is. */
int control_hand_out(struct control_call *c)
{
	const struct taken *t = c->state;
	int rc = queue_message_looked_at(c->work, t->id, t->part, c->actor);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_str(c->out, "{\"id\":");
	json_put_text(c->out, t->shown);
	van_buf_append_str(c->out, ",\"name\":");
	json_put_text(c->out, t->name);
	return van_buf_printf(c->out, ",\"offset\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", t->offset, t->bytes);
}
