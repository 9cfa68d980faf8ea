/* control.list and control.set: the counters of what we write; control.gaps: numbers that senders left out. */
#include "roles/store/control.h"
#include "roles/store/control_handlers.h"

#include "partner/identity.h"

static const char *const levels[] = {"interchange", "group", NULL};

struct listing {
	struct control_call *c;
	struct slice from, to; /* absent: any */
	bool more;
};

static void begin(struct listing *l)
{
	if (l->more)
		van_buf_append_char(l->c->out, ',');
	l->more = true;
}

static void put_ends(struct van_buf *to, struct slice from, struct slice receiver, uint32_t env)
{
	van_buf_append_str(to, "{\"from\":");
	json_put_text(to, from);
	van_buf_append_str(to, ",\"to\":");
	json_put_text(to, receiver);
	van_buf_printf(to, ",\"env\":\"%s\"", queue_env_names[env]);
}

static bool fits(const struct listing *l, struct slice from, struct slice to)
{
	return (!l->from.p || slice_eq(l->from, from)) && (!l->to.p || slice_eq(l->to, to));
}

static int put_counter(void *arg, const struct queue_counter *k)
{
	struct listing *l = arg;
	if (!fits(l, k->from, k->to))
		return 0;
	begin(l);
	put_ends(l->c->out, k->from, k->to, k->env);
	van_buf_printf(l->c->out, ",\"level\":\"%s\",\"last\":%llu}", levels[k->level == QUEUE_LEVEL_GROUP], (unsigned long long)k->last);
	return l->c->out->error;
}

static int put_gap(void *arg, const struct queue_gap *g)
{
	struct listing *l = arg;
	if (!fits(l, g->from, g->to))
		return 0;
	begin(l);
	put_ends(l->c->out, g->from, g->to, g->env);
	van_buf_append_str(l->c->out, ",\"standard\":");
	json_put_text(l->c->out, g->standard);
	van_buf_printf(l->c->out, ",\"first\":%llu,\"last\":%llu,\"missing\":%llu}", (unsigned long long)g->first, (unsigned long long)g->last,
		       (unsigned long long)(g->last - g->first + 1));
	return l->c->out->error;
}

static int list(struct control_call *c, bool gaps)
{
	struct listing l = {.c = c, .from = control_arg_text(&c->args, "from"), .to = control_arg_text(&c->args, "to")};
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	van_buf_append_char(c->out, '[');
	int rc = gaps ? queue_control_gaps(c->work, put_gap, &l) : queue_counters(c->work, put_counter, &l);
	van_buf_append_char(c->out, ']');
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

int control_control_list(struct control_call *c)
{
	return list(c, false);
}

int control_control_gaps(struct control_call *c)
{
	return list(c, true);
}

int control_control_set(struct control_call *c)
{
	struct slice from = control_arg_text(&c->args, "from"), to = control_arg_text(&c->args, "to");
	static const char *const envs[] = {"production", "test", NULL};
	int level = control_arg_name(&c->args, "level", levels), env = control_arg_name(&c->args, "env", envs);
	uint64_t last = control_arg_number(&c->args, "last", UINT64_MAX, 999999999);
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (!from.n || !to.n || last == UINT64_MAX)
		return control_say(c, 2, "from, to and the number used last are needed: vanctl control set --from 'x12 ZZ:HUB' --to 'x12 ZZ:VOLT' 41");
	int rc = queue_counter_set(c->work, from, to, env == 1 ? QUEUE_TEST : QUEUE_PRODUCTION, level == 1 ? QUEUE_LEVEL_GROUP : QUEUE_LEVEL_INTERCHANGE,
				   last, c->actor);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	put_ends(c->out, from, to, env == 1 ? QUEUE_TEST : QUEUE_PRODUCTION);
	van_buf_printf(c->out, ",\"level\":\"%s\",\"last\":%llu}", levels[level == 1], (unsigned long long)last);
	return 0;
}
