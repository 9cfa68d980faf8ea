/* Deadlines of acknowledgements: looked at every few seconds; the write happens only when one has passed. */
#include "roles/store/store_role.h"

#include "base/log.h"

#include <stdlib.h>

#define EVERY (2 * VAN_SECOND)
#define AT_ONCE 200

struct overdue {
	struct loop_timer *timer;
	bool writing;
};

struct scanning {
	struct write_request base;
	struct store_role *s;
	int marked;
};

static int run_scan(struct write_request *r, struct queue_work *w)
{
	struct scanning *c = (struct scanning *)r;
	c->marked = queue_ack_scan(w, AT_ONCE);
	return c->marked < 0 ? c->marked : 0;
}

static void done_scan(struct write_request *r)
{
	struct scanning *c = (struct scanning *)r;
	if (c->s->overdue)
		c->s->overdue->writing = false;
	if (r->rc == 0 && c->marked)
		log_event(LOG_LEVEL_WARNING, "acknowledgements-overdue", "messages", log_u64((unsigned)c->marked), NULL);
	write_request_free(r);
}

static const struct write_ops scan_ops = {.run = run_scan, .done = done_scan};

static bool anything_due(struct store_role *s)
{
	struct store_read r;
	van_time next = 0;
	van_arena_reset(s->arena);
	if (store_read_begin(s, s->arena, &r) < 0)
		return false;
	int rc = queue_ack_next(&r.work, &next);
	bool due = rc == 0 && next && next <= r.work.now;
	store_read_end(s, &r);
	return due;
}

static void on_timer(void *arg)
{
	struct store_role *s = arg;
	struct overdue *o = s->overdue;
	if (!o->writing && !s->stopping && anything_due(s)) {
		struct scanning *c = write_request_new(s->writer, sizeof *c, &scan_ops);
		if (c) {
			c->s = s;
			o->writing = true;
			writer_submit(&c->base);
		}
	}
	o->timer = loop_after(s->role->loop, EVERY, on_timer, s);
}

int overdue_start(struct store_role *s)
{
	s->overdue = calloc(1, sizeof *s->overdue);
	if (!s->overdue)
		return VAN_ENOMEM;
	s->overdue->timer = loop_after(s->role->loop, EVERY, on_timer, s);
	return s->overdue->timer ? 0 : VAN_ENOMEM;
}

void overdue_free(struct store_role *s)
{
	free(s->overdue);
	s->overdue = NULL;
}
