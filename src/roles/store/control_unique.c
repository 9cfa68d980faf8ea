/* unique.list, unique.clear: values that business rules let only one document have (kind "unique"). */
#include "queue/queue.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include "partner/identity.h"

#define LIST_DEFAULT 100
#define LIST_MOST 1000000000
#define CLEAR_MOST 500 /* in one transaction */

struct listing {
	struct control_call *c;
	uint64_t n;
};

static void put(struct van_buf *to, const char *key, struct slice value)
{
	van_buf_printf(to, ",\"%s\":", key);
	if (value.n)
		json_put_text(to, value);
	else
		van_buf_append_str(to, "null");
}

static int put_kept(void *arg, const struct queue_kept *k)
{
	struct listing *l = arg;
	struct van_buf *to = l->c->out;
	char time[VAN_TIME_TEXT];
	van_buf_append_str(to, l->n++ ? ",{\"message\":" : "{\"message\":");
	json_put_text(to, k->message);
	put(to, "sheet", k->sheet);
	put(to, "rule", k->rule);
	put(to, "from", k->from);
	put(to, "value", k->value);
	put(to, "time", slice_str(van_time_rfc3339(time, k->time)));
	put(to, "until", k->window ? slice_str(van_time_rfc3339(time, k->time + (van_time)k->window)) : SLICE_NONE);
	return van_buf_append_char(to, '}');
}

static struct slice sender(struct control_call *c)
{
	struct slice text = control_arg_text(&c->args, "from"), name = text.p ? identity_canonical(c->arena, text) : text;
	if (text.p && !name.p)
		name = identity_canonical(c->arena, van_arena_printf(c->arena, "x12 %.*s", SLICE_ARG(text)));
	return name.p ? name : text;
}

static struct queue_kept_filter read_filter(struct control_call *c)
{
	return (struct queue_kept_filter){
		.sheet = control_arg_text(&c->args, "sheet"), .rule = control_arg_text(&c->args, "rule"), .from = sender(c),
		.value = control_arg_text(&c->args, "value"), .message = control_arg_text(&c->args, "message"), .until = control_arg_time(&c->args, "until"),
	};
}

int control_unique_list(struct control_call *c)
{
	const struct queue_kept_filter f = read_filter(c);
	uint64_t limit = control_arg_number(&c->args, "limit", LIST_DEFAULT, LIST_MOST);
	struct listing l = {.c = c};
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	van_buf_append_char(c->out, '[');
	int rc = queue_unique_list(c->work, &f, limit, put_kept, &l);
	van_buf_append_char(c->out, ']');
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

/* {"cleared":[…],"more":…}: call again while there are more. */
int control_unique_clear(struct control_call *c)
{
	const struct queue_kept_filter f = read_filter(c);
	struct listing l = {.c = c};
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (!f.sheet.p && !f.rule.p && !f.value.p && !f.message.p && !f.from.p && !f.until)
		return control_say(c, 2, "name the value to forget, or which with --sheet, --rule, --from, --message or --until");
	van_buf_append_str(c->out, "{\"cleared\":[");
	int rc = queue_unique_clear(c->work, &f, CLEAR_MOST, c->actor, put_kept, &l);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	return van_buf_printf(c->out, "],\"more\":%s}", l.n == CLEAR_MOST ? "true" : "false");
}
