/* agreement.list, show, waiting, hold, release, let-go, promote: the terms between partners, and what waits for them. */
#include "queue/queue.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

#define LET_GO_MOST CONTROL_WAKES /* held messages that are looked at in one transaction */

static const struct profile *find(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id");
	const struct profile *p = id.p ? directory_get(c->work->directory, PROFILE_AGREEMENT, id) : NULL;
	if (!p)
		control_say(c, 1, "there is no agreement '%.*s'; vanctl agreement list shows them", SLICE_ARG(id));
	return p;
}

/* --- lists ------------------------------------------------------------------------------------------------------------------------ */

struct listing {
	struct control_call *c;
	bool more;
};

static void put(struct van_buf *to, const char *key, struct slice value)
{
	van_buf_printf(to, ",\"%s\":", key);
	if (value.p)
		json_put_text(to, value);
	else
		van_buf_append_str(to, "null");
}

static int put_agreement(void *arg, const struct profile *p)
{
	struct listing *l = arg;
	struct van_buf *to = l->c->out;
	const struct profile_agreement *a = p->agreement;
	van_buf_append_str(to, l->more ? ",{\"id\":" : "{\"id\":");
	l->more = true;
	json_put_text(to, a->id);
	put(to, "name", a->name);
	put(to, "from", a->from);
	put(to, "to", a->to);
	put(to, "type", a->type);
	put(to, "version", a->version);
	put(to, "environment", slice_str(profile_environment_names[a->environment]));
	put(to, "mode", slice_str(profile_mode_names[a->mode]));
	put(to, "format", a->output ? a->output->format : SLICE_NONE);
	put(to, "map", a->output ? a->output->map : SLICE_NONE);
	put(to, "acknowledged_by", slice_str(profile_acknowledged_by_names[a->acknowledged_by]));
	return van_buf_printf(to, ",\"hold\":%s,\"enabled\":%s,\"profile_version\":%" PRIu64 "}", a->hold ? "true" : "false",
			      a->enabled ? "true" : "false", p->version);
}

int control_agreement_list(struct control_call *c)
{
	struct listing l = {.c = c};
	van_buf_append_char(c->out, '[');
	directory_each(c->work->directory, PROFILE_AGREEMENT, put_agreement, &l);
	return van_buf_append_char(c->out, ']');
}

int control_agreement_show(struct control_call *c)
{
	const struct profile *p = find(c);
	return p ? control_put_profile(c, p) : 1;
}

struct waiting {
	struct slice agreement;
	uint64_t n;
};
struct waitings {
	struct control_call *c;
	struct waiting *v;
	size_t n, room;
};

static int count_waiting(void *arg, const struct queue_message *m)
{
	struct waitings *all = arg;
	if (!queue_waits_for_agreement(m))
		return 0;
	for (size_t i = 0; i < all->n; i++)
		if (slice_eq(all->v[i].agreement, m->agreement)) {
			all->v[i].n++;
			return 0;
		}
	if (all->n == all->room) {
		size_t room = all->room ? 2 * all->room : 64;
		struct waiting *v = van_arena_array(all->c->arena, room, sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		if (all->n)
			memcpy(v, all->v, all->n * sizeof *v);
		all->v = v;
		all->room = room;
	}
	all->v[all->n] = (struct waiting){van_arena_slice(all->c->arena, m->agreement), 1};
	return all->v[all->n++].agreement.p ? 0 : VAN_ENOMEM;
}

/* How many messages wait for each agreement's release. */
int control_agreement_waiting(struct control_call *c)
{
	struct queue_filter f = QUEUE_FILTER_ANY;
	struct waitings all = {.c = c};
	f.state = QUEUE_HELD;
	f.limit = UINT64_MAX;
	int rc = queue_message_list(c->work, &f, count_waiting, &all);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_char(c->out, '{');
	for (size_t i = 0; i < all.n; i++) {
		if (i)
			van_buf_append_char(c->out, ',');
		json_put_text(c->out, all.v[i].agreement);
		van_buf_printf(c->out, ":%" PRIu64, all.v[i].n);
	}
	return van_buf_append_char(c->out, '}');
}

/* --- changes ------------------------------------------------------------------------------------------------------------------------ */

static int set_hold(struct control_call *c, bool hold)
{
	const struct profile *p = find(c);
	return p ? control_change_profile(c, p, NULL, "hold", json_boolean(hold)) : 1;
}

int control_agreement_hold_prepare(struct control_call *c)
{
	return set_hold(c, true);
}

int control_agreement_release_prepare(struct control_call *c)
{
	return set_hold(c, false);
}

/* `as`: the agreement of the test stays, and one of this id is made for production. */
int control_agreement_promote_prepare(struct control_call *c)
{
	struct slice as = control_arg_text(&c->args, "as");
	const struct profile *p = find(c);
	if (!p)
		return 1;
	if (p->agreement->environment == PROFILE_PRODUCTION)
		return control_say(c, 1, "agreement %.*s is for production already", SLICE_ARG(p->id));
	if (as.p && directory_get(c->work->directory, PROFILE_AGREEMENT, as))
		return control_say(c, 1, "there is an agreement %.*s already: choose another id, or remove it", SLICE_ARG(as));
	return control_change_profile(c, p, as.p ? &as : NULL, "environment", json_string("production"));
}

static void let_go(void *arg, struct slice id)
{
	struct listing *l = arg;
	if (l->more)
		van_buf_append_char(l->c->out, ',');
	l->more = true;
	json_put_text(l->c->out, id);
	control_wake_job(l->c, id);
}

/* A few of what waits for the agreement; {"released":[…],"after":…}: call again with `after` until it is null. */
int control_agreement_let_go(struct control_call *c)
{
	struct listing l = {.c = c};
	struct slice last, after = control_arg_text(&c->args, "after");
	const struct profile *p = find(c);
	if (!p)
		return 1;
	if (p->agreement->hold)
		return control_say(c, 1, "agreement %.*s is on hold", SLICE_ARG(p->id));
	van_buf_append_str(c->out, "{\"released\":[");
	int rc = queue_release_agreement(c->work, p->id, after, LET_GO_MOST, c->actor, let_go, &l, &last);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_char(c->out, ']');
	put(c->out, "after", last);
	return van_buf_append_char(c->out, '}');
}
