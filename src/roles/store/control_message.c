/* message.list, message.show, message.get, ack.list: reads of messages. */
#include "queue/queue.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <stdio.h>

#define LIST_DEFAULT 100
#define LIST_MOST 1000000000

struct listing {
	struct van_buf *to;
	bool first;
};

static int add_message(void *arg, const struct queue_message *m)
{
	struct listing *l = arg;
	if (!l->first)
		van_buf_append_char(l->to, ',');
	l->first = false;
	return queue_message_json(m, l->to);
}

/* "ZZ:ACME" may stand for "x12 ZZ:ACME"; what is no identity matches nothing. */
static struct slice identity_arg(struct control_args *a, const char *key, struct van_arena *arena)
{
	struct slice text = control_arg_text(a, key), name = SLICE_NONE;
	if (!text.p)
		return text;
	name = identity_canonical(arena, text);
	if (!name.p)
		name = identity_canonical(arena, van_arena_printf(arena, "x12 %.*s", SLICE_ARG(text)));
	return name.p ? name : text;
}

static int read_filter(struct control_args *a, struct van_arena *arena, struct queue_filter *f)
{
	*f = QUEUE_FILTER_ANY;
	f->partner = control_arg_text(a, "partner");
	f->direction = control_arg_name(a, "direction", queue_direction_names);
	f->since = control_arg_time(a, "since");
	f->until = control_arg_time(a, "until");
	f->type = control_arg_text(a, "type");
	f->from = identity_arg(a, "from", arena);
	f->to = identity_arg(a, "to", arena);
	f->env = control_arg_name(a, "env", queue_env_names);
	f->state = control_arg_name(a, "state", queue_state_names);
	f->delivery = control_arg_name(a, "delivery", queue_delivery_state_names);
	f->ack = control_arg_name(a, "ack", queue_ack_state_names);
	f->search = control_arg_text(a, "search");
	f->before = control_arg_text(a, "before");
	f->limit = control_arg_number(a, "limit", LIST_DEFAULT, LIST_MOST);
	return a->err.code;
}

static int list(struct control_call *c, const struct queue_filter *f, struct listing *l)
{
	int rc = queue_message_list(c->work, f, add_message, l);
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

int control_message_list(struct control_call *c)
{
	struct queue_filter f;
	struct listing l = {c->out, true};
	if (read_filter(&c->args, c->work->arena, &f) < 0)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	van_buf_append_char(c->out, '[');
	int rc = list(c, &f, &l);
	van_buf_append_char(c->out, ']');
	return rc;
}

int control_message_show(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id");
	int rc = queue_message_show_json(c->work, id, c->out);
	if (rc == VAN_ENOTFOUND)
		return control_say(c, 1, "there is no message %.*s; vanctl message list --search TEXT finds messages", SLICE_ARG(id));
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

/* --- message.get ------------------------------------------------------------------------------------------------------- */

struct made {
	struct slice as; /* "ack", "translated" */
	char id[64];
};

static int find_made(void *arg, const struct queue_message *m)
{
	struct made *made = arg;
	if (!slice_eq(m->made_as, made->as) || m->id.n >= sizeof made->id)
		return 0;
	snprintf(made->id, sizeof made->id, "%.*s", SLICE_ARG(m->id));
	return 1;
}

/* The part itself; for "ack" and "translated" the payload of what was made of the message: then *id and *part become that's. */
static int open_part(struct control_call *c, struct slice *id, struct slice *part, struct queue_content *ret)
{
	struct made made = {.as = *part};
	int rc = queue_part_open(c->work, *id, *part, ret);
	if (rc != VAN_ENOTFOUND || queue_message_children(c->work, *id, find_made, &made) != 1)
		return rc;
	*id = van_arena_slice(c->arena, slice_str(made.id));
	*part = SLICE("payload");
	return id->p ? queue_part_open(c->work, *id, *part, ret) : VAN_ENOMEM;
}

int control_message_get(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id"), name = control_arg_text(&c->args, "part");
	struct queue_content content = {.fd = -1};
	struct queue_message m;
	if (!name.p)
		name = SLICE("payload");
	if (queue_message_get(c->work, id, &m) < 0)
		return control_say(c, 1, "there is no message %.*s; vanctl message list --search TEXT finds messages", SLICE_ARG(id));
	struct slice owner = id, part = name;
	int rc = open_part(c, &owner, &part, &content);
	if (rc == VAN_ENOTFOUND)
		return control_say(c, 1, "message %.*s has no part '%.*s'; vanctl message show lists its parts", SLICE_ARG(id), SLICE_ARG(name));
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : control_take_content(c, owner, part, id, name, &content);
}

/* --- ack.list ----------------------------------------------------------------------------------------------------------- */

/* What is overdue before what is only awaited; or what was unmatched. */
int control_ack_list(struct control_call *c)
{
	struct queue_filter f = QUEUE_FILTER_ANY;
	struct listing l = {c->out, true};
	bool overdue = control_arg_flag(&c->args, "overdue"), unmatched = control_arg_flag(&c->args, "unmatched");
	f.limit = control_arg_number(&c->args, "limit", LIST_DEFAULT, LIST_MOST);
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	van_buf_append_char(c->out, '[');
	int rc = 0;
	if (overdue || !unmatched) {
		f.ack = QUEUE_ACK_OVERDUE;
		rc = list(c, &f, &l);
	}
	if (!rc && !overdue && !unmatched) {
		f.ack = QUEUE_ACK_EXPECTED;
		rc = list(c, &f, &l);
	}
	if (!rc && unmatched) {
		f.ack = QUEUE_ACK_UNMATCHED;
		rc = list(c, &f, &l);
	}
	van_buf_append_char(c->out, ']');
	return rc;
}
