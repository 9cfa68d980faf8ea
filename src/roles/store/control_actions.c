/* What operators do: message.release, message.hold, message.reject; ack.close; queue.retry, queue.hold, queue.release, queue.drop;
 * mailbox.restore. Each names one message or delivery by its `id` and leaves a receipt that says who did it. */
#include "queue/delivery.h"
#include "queue/package.h"
#include "queue/mailbox.h"
#include "roles/store/control.h"
#include "roles/store/control_handlers.h"
#include "roles/store/store_role.h"

static int finish(struct control_call *c, int rc, struct slice id)
{
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_str(c->out, "{\"id\":");
	json_put_text(c->out, id);
	return van_buf_append_char(c->out, '}');
}

/* False: the arguments are refused, with c->error set. */
static bool read_id(struct control_call *c, struct slice *ret)
{
	*ret = control_arg_text(&c->args, "id");
	if (ret->p)
		return true;
	control_say(c, 2, "an id is missing");
	return false;
}

int control_message_release(struct control_call *c)
{
	struct slice id;
	if (!read_id(c, &id))
		return 2;
	int rc = queue_message_release(c->work, id, c->actor);
	if (rc == 0)
		control_wake_job(c, id);
	return finish(c, rc, id);
}

int control_message_hold(struct control_call *c)
{
	struct slice id;
	return read_id(c, &id) ? finish(c, queue_message_hold(c->work, id, c->actor), id) : 2;
}

int control_message_settle(struct control_call *c)
{
	struct slice id, text = control_arg_text(&c->args, "text");
	if (!read_id(c, &id))
		return 2;
	if (!text.n)
		return control_say(c, 2, "a text is missing: it is what the history will say");
	return finish(c, queue_message_settle(c->work, id, c->actor, text), id);
}

int control_message_reject(struct control_call *c)
{
	struct slice id, reason = control_arg_text(&c->args, "reason");
	if (!read_id(c, &id))
		return 2;
	if (!reason.n)
		return control_say(c, 2, "a reason is missing: it is what the history will say");
	return finish(c, queue_message_reject(c->work, id, c->actor, reason), id);
}

int control_ack_close(struct control_call *c)
{
	struct slice id, reason = control_arg_text(&c->args, "reason");
	if (!read_id(c, &id))
		return 2;
	if (!reason.n)
		return control_say(c, 2, "a reason is missing: it is what the receipt will say");
	return finish(c, queue_ack_close(c->work, id, c->actor, reason), id);
}

static int act(struct control_call *c, const char *action)
{
	struct slice id;
	if (!read_id(c, &id))
		return 2;
	int rc = queue_delivery_act(c->work, id, action, c->actor);
	bool package = false;
	if (rc == 0 && strcmp(action, "drop") == 0)
		rc = queue_package_forget(c->work, id, &package);
	if (rc == 0 && package) /* without it a delivery is packaged anew: this may go before the commit */
		payload_remove(c->role->payload, id, QUEUE_PACKAGE_PART, NULL);
	return finish(c, rc, id);
}

int control_queue_retry(struct control_call *c)
{
	return act(c, "retry");
}

int control_queue_hold(struct control_call *c)
{
	return act(c, "hold");
}

int control_queue_release(struct control_call *c)
{
	return act(c, "release");
}

int control_queue_drop(struct control_call *c)
{
	return act(c, "drop");
}

int control_mailbox_restore(struct control_call *c)
{
	struct slice id;
	return read_id(c, &id) ? finish(c, queue_mailbox_restore(c->work, id, c->actor), id) : 2;
}
