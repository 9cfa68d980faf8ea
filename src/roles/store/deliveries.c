/* Which delivery is tried next: lanes take turns, each with a bounded number of tries under way, so that what a slow partner
 * holds up is its own. */
#include "roles/store/deliveries.h"

#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

#define AGAIN_LATER (5 * VAN_SECOND) /* when the store could not be read */
#define NARROW 2 /* tries at a time where nobody answers: one that is never answered must not stop the others, nor all of them everybody's */
#define ARENA_MAX ((size_t)16 << 20)

/* --- lanes ---------------------------------------------------------------------------------------------------------------- */

static size_t bucket_of(uint32_t kind, struct slice connection)
{
	uint64_t h = 1469598103934665603u + kind; /* FNV-1a */
	for (size_t i = 0; i < connection.n; i++)
		h = (h ^ (unsigned char)connection.p[i]) * 1099511628211u;
	return (size_t)(h >> 20) % LANE_BUCKETS;
}

static struct lane *find_lane(struct store_role *s, uint32_t kind, struct slice connection)
{
	struct lane **bucket = &s->deliveries->buckets[bucket_of(kind, connection)];
	for (struct lane *l = *bucket; l; l = l->next)
		if (l->kind == kind && slice_is(connection, l->connection))
			return l;
	struct lane *l = connection.n <= LANE_NAME_MAX ? calloc(1, sizeof *l) : NULL;
	if (!l)
		return NULL;
	l->s = s;
	l->kind = kind;
	memcpy(l->connection, connection.p ? connection.p : "", connection.n);
	l->next = *bucket;
	return *bucket = l;
}

static void make_ready(struct lane *l)
{
	struct deliveries *d = l->s->deliveries;
	loop_cancel(l->timer);
	l->timer = NULL;
	if (l->ready)
		return;
	l->ready = true;
	l->next_ready = NULL;
	*d->last_ready = l;
	d->last_ready = &l->next_ready;
}

static struct lane *take_ready(struct deliveries *d)
{
	struct lane *l = d->ready;
	if (!l)
		return NULL;
	d->ready = l->next_ready;
	if (!d->ready)
		d->last_ready = &d->ready;
	l->ready = false;
	return l;
}

static void on_due(void *arg)
{
	struct lane *l = arg;
	l->timer = NULL;
	make_ready(l);
	deliveries_pass(l->s);
}

static void wake_at(struct lane *l, van_time delay)
{
	if (!l->timer && !l->ready)
		l->timer = loop_after(l->s->role->loop, delay > 0 ? delay : 0, on_due, l);
}

static bool has_room(const struct lane *l)
{
	unsigned width = l->width ? l->width : NARROW;
	return l->running < width && l->running < l->s->role->config->deliver.in_flight_per_connection;
}

void lane_answered(struct lane *l, bool answered)
{
	unsigned width = l->width ? l->width : NARROW;
	if (!answered)
		l->width = NARROW;
	else if (width < l->s->role->config->deliver.in_flight_per_connection)
		l->width = 2 * width;
}

/* --- what is due ------------------------------------------------------------------------------------------------------------ */

struct search {
	struct lane *lane;
	van_time now, next; /* next: of what is not due yet; 0: none */
	struct van_id found;
};

static bool under_way(const struct lane *l, struct slice id)
{
	for (const struct outgoing *o = l->s->deliveries->all; o; o = o->next)
		if (o->lane == l && slice_is(id, o->id.text))
			return true;
	return false;
}

static int look_at(void *arg, struct slice id, van_time when)
{
	struct search *x = arg;
	if (under_way(x->lane, id))
		return 0;
	if (when > x->now) {
		x->next = when;
		return 1;
	}
	memcpy(x->found.text, id.p, VAN_ID_LEN);
	return 1;
}

/* The first delivery of the lane that is due and not under way. 1 found, 0 none, or negative. */
static int find_next(struct lane *l, struct search *x, uint32_t *ret_state)
{
	struct store_role *s = l->s;
	struct store_read r;
	struct queue_delivery d;
	struct queue_lane lane = {l->kind, slice_str(l->connection)};
	van_arena_reset(s->arena);
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return rc;
	x->now = r.work.now;
	rc = queue_lane_each(&r.work, &lane, look_at, x);
	bool found = rc >= 0 && x->found.text[0];
	if (found && (rc = queue_delivery_get(&r.work, slice_str(x->found.text), &d)) == 0)
		*ret_state = d.state;
	store_read_end(s, &r);
	return rc < 0 ? rc : found;
}

static bool start_next(struct lane *l)
{
	struct search x = {.lane = l};
	uint32_t state;
	int rc = find_next(l, &x, &state);
	struct outgoing *o = rc > 0 ? outgoing_new(l->s, l, slice_str(x.found.text), l->kind) : NULL;
	if (o)
		outgoing_start(o, state);
	else if (rc)
		wake_at(l, AGAIN_LATER);
	else if (x.next)
		wake_at(l, x.next - x.now);
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "delivery-unreadable", "connection", l->connection, "error", van_err_name(rc), NULL);
	return o;
}

void deliveries_pass(struct store_role *s)
{
	struct deliveries *d = s->deliveries;
	const struct van_config_deliver *limits = &s->role->config->deliver;
	struct lane *l;
	while (!s->stopping && !atomic_load(&s->sending_held) && s->deliver && d->running < limits->in_flight && (l = take_ready(d)))
		if (has_room(l) && start_next(l))
			make_ready(l);
	jobs_dispatch(s);
}

void deliveries_wake(struct store_role *s, uint32_t kind, struct slice connection)
{
	struct lane *l = find_lane(s, kind, connection);
	if (!l)
		return;
	make_ready(l);
	deliveries_pass(s);
}

static int ready_lane(void *arg, const struct queue_lane *q)
{
	struct lane *l = find_lane(arg, q->kind, q->connection);
	if (l)
		make_ready(l);
	return 0;
}

int deliveries_look(struct store_role *s)
{
	struct store_read r;
	van_arena_reset(s->arena);
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return rc;
	rc = queue_lanes(&r.work, ready_lane, s);
	store_read_end(s, &r);
	deliveries_pass(s);
	return rc;
}

/* --- tries ------------------------------------------------------------------------------------------------------------------- */

struct outgoing *outgoing_new(struct store_role *s, struct lane *lane, struct slice id, uint32_t kind)
{
	struct deliveries *d = s->deliveries;
	struct outgoing *o = calloc(1, sizeof *o);
	struct van_arena *arena = o ? van_arena_new(ARENA_MAX) : NULL;
	if (!arena) {
		free(o);
		return NULL;
	}
	*o = (struct outgoing){.s = s, .lane = lane, .kind = kind, .number = ++d->last_number, .arena = arena, .body = -1, .next = d->all,
			       .place = &d->all, .answer = VAN_BUF_INIT((size_t)1 << 20)};
	memcpy(o->id.text, id.p, VAN_ID_LEN);
	if (o->next)
		o->next->place = &o->next;
	d->all = o;
	if (lane) {
		lane->running++;
		d->running++;
	}
	return o;
}

static void forget(struct outgoing *o)
{
	*o->place = o->next;
	if (o->next)
		o->next->place = o->place;
	if (o->body >= 0)
		close(o->body);
	van_buf_free(&o->answer);
	van_arena_free(o->arena);
	free(o);
}

void outgoing_free(struct outgoing *o)
{
	struct store_role *s = o->s;
	struct lane *l = o->lane;
	forget(o);
	if (!l)
		return;
	l->running--;
	s->deliveries->running--;
	make_ready(l);
	deliveries_pass(s);
}

void outgoing_task(struct outgoing *o, enum outgoing_phase phase)
{
	struct deliveries *d = o->s->deliveries;
	o->phase = phase;
	o->next_task = NULL;
	*d->last_task = o;
	d->last_task = &o->next_task;
	jobs_dispatch(o->s);
}

bool deliveries_give(struct store_role *s, struct peer_worker *w)
{
	struct deliveries *d = s->deliveries;
	struct outgoing *o = d ? d->tasks : NULL;
	if (!o)
		return false;
	d->tasks = o->next_task;
	if (!d->tasks)
		d->last_task = &d->tasks;
	if (o->phase == OUTGOING_CHECK)
		outgoing_give_check(o, w);
	else
		outgoing_give(o, w);
	return true; /* this one or another: the caller asks again while its worker is idle */
}

/* --- the role ------------------------------------------------------------------------------------------------------------------ */

int deliveries_start(struct store_role *s)
{
	s->deliveries = calloc(1, sizeof *s->deliveries);
	if (!s->deliveries)
		return VAN_ENOMEM;
	s->deliveries->last_ready = &s->deliveries->ready;
	s->deliveries->last_task = &s->deliveries->tasks;
	return deliveries_look(s);
}

void deliveries_free(struct store_role *s)
{
	struct deliveries *d = s->deliveries;
	if (!d)
		return;
	while (d->all)
		forget(d->all);
	for (size_t i = 0; i < LANE_BUCKETS; i++)
		while (d->buckets[i]) {
			struct lane *l = d->buckets[i];
			d->buckets[i] = l->next;
			free(l);
		}
	free(d);
	s->deliveries = NULL;
}

/* deliver has ended: what it was sending nobody will tell about. */
void deliveries_channel_gone(struct store_role *s)
{
	struct outgoing *next;
	for (struct outgoing *o = s->deliveries ? s->deliveries->all : NULL; o && !s->stopping; o = next) {
		next = o->next;
		if (o->phase == OUTGOING_SENDING)
			outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "the sending process ended during the try");
	}
}
