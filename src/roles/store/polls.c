#include "roles/store/polls.h"

#include "base/cron.h"
#include "base/log.h"
#include "partner/settings.h"
#include "roles/store/connections.h"
#include "roles/store/sessions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define AFTER_START (2 * VAN_SECOND) /* roles are up by then */
#define LATER (10 * VAN_SECOND)      /* deliver is not there, or all is held since a restore */
#define BROKEN_OFF (30 * VAN_SECOND)   /* its process ended without a word: not as late as the schedule says */
#define UNSETTLED (5 * VAN_SECOND)     /* something is being written there */
#define DOUBLED_MAX 10		       /* times */
#define LOOK_AGAIN (3600 * VAN_SECOND) /* clocks are set meanwhile */
#define REMEMBERED_MAX 1000          /* told to one poll */

struct poll {
	struct store_role *s;
	struct poll *next;
	char *connection;
	struct loop_timer *timer;
	van_time due, last; /* wall clock; last: begun */
	bool running;
	bool seen; /* still in the directory */
	bool told; /* its process said how it went */
	bool reached;   /* ... and that the server let it in */
	bool unsettled; /* ... and that something is being written there */
	unsigned early; /* so many in a row came before the schedule's time, or would have */
	van_time settle;
	bool is_look; /* in no list */
	struct pending_call *asker; /* of a look, who waits for it; NULL: was answered */
};

struct polls {
	struct poll *all;
};

struct ipc_sftp_server polls_server(const struct profile_connection *c)
{
	const struct profile_server *s = c->server;
	return (struct ipc_sftp_server){s->host, s->port, s->user, s->host_keys, s->key, s->password_file, (uint64_t)s->timeout};
}

/* --- when -------------------------------------------------------------------------------------------------------------------------- */

static void on_timer(void *arg);

static void set_timer(struct poll *p)
{
	van_time pause = p->due - van_clock_now();
	loop_cancel(p->timer);
	p->timer = NULL;
	if (p->due && !p->s->stopping)
		p->timer = loop_after(p->s->role->loop, pause < 0 ? 0 : pause > LOOK_AGAIN ? LOOK_AGAIN : pause, on_timer, p);
}

/* 0: never. */
static van_time next_of(const struct poll *p, const struct profile_poll *how, struct slice network_zone)
{
	van_time now = van_clock_now(), next = 0;
	for (size_t i = 0; i < how->at.n; i++) {
		struct van_cron c;
		van_time t = van_cron_parse(how->at.v[i], &c) == 0 ? van_cron_next(&c, how->time_zone.p ? how->time_zone : network_zone, now) : 0;
		if (t && (!next || t < next))
			next = t;
	}
	if (how->at.n)
		return next;
	return p->last ? p->last + how->every : now + AFTER_START;
}

/* --- one poll ------------------------------------------------------------------------------------------------------------------------ */

struct names {
	struct slice v[REMEMBERED_MAX];
	size_t n;
};

static int add_name(void *arg, struct slice name)
{
	struct names *n = arg;
	if (n->n == REMEMBERED_MAX)
		return 1;
	n->v[n->n++] = name;
	return 0;
}

/* What this connection and the network take. 0: any size. */
static uint64_t largest(const struct store_role *s, const struct profile_connection *c)
{
	uint64_t all = s->role->config->limits.message, one = c->max_message < all ? c->max_message : all;
	return one == UINT64_MAX ? 0 : one;
}

static struct ipc_poll what_to_poll(const struct store_role *s, const struct profile_connection *c, const struct ipc_sftp_server *server)
{
	return (struct ipc_poll){.connection = c->id, .server = (struct ipc_sftp_server *)server, .folder = c->poll->folder, .patterns = c->poll->patterns,
				 .after = c->poll->after, .archive = c->poll->archive, .max = largest(s, c), .settle = (uint64_t)c->poll->settle};
}

/* Under the directory's lock. */
static int send_poll(struct poll *p, const struct profile *partner, const struct profile_connection *c)
{
	struct store_role *s = p->s;
	struct store_read r;
	struct ipc_sftp_server server = polls_server(c);
	struct ipc_poll m = what_to_poll(s, c, &server);
	struct names *names = van_arena_alloc(s->arena, sizeof *names);
	int fd = -1, rc = names ? store_read_begin(s, s->arena, &r) : VAN_ENOMEM;
	if (rc < 0)
		return rc;
	names->n = 0;
	p->settle = c->poll->settle;
	rc = c->poll->after == PROFILE_FETCHED_KEEP ? 0 : queue_pickups(&r.work, c->id, add_name, names);
	m.remembered = (struct slice_list){names->v, names->n};
	struct session *e = rc >= 0 ? session_new_poll(s, p, partner, c, &fd) : NULL;
	rc = e ? ipc_send(s->deliver, IPC_POLL, 0, &ipc_poll_table, &m, &fd, 1) : VAN_ENOMEM;
	p->running = e != NULL;
	store_read_end(s, &r);
	if (fd >= 0)
		close(fd);
	if (rc < 0 && e)
		session_stop(e, "the poll could not be begun");
	return rc;
}

static void begin(struct poll *p)
{
	struct store_role *s = p->s;
	const struct profile *partner = NULL;
	int rc = VAN_ECLOSED;
	van_arena_reset(s->arena);
	p->last = van_clock_now();
	p->told = p->reached = p->unsettled = false;
	pthread_rwlock_rdlock(&s->directory_lock);
	const struct profile_connection *c = directory_connection(s->directory, slice_str(p->connection), &partner);
	bool wanted = c && c->poll && c->enabled && partner->partner->enabled, held = atomic_load(&s->sending_held);
	p->due = wanted ? next_of(p, c->poll, s->role->config->time_zone) : 0;
	if (wanted && s->deliver && !held)
		rc = send_poll(p, partner, c);
	pthread_rwlock_unlock(&s->directory_lock);
	if (wanted && held) { /* what is fetched is taken from there: the original may still do that */
		p->due = van_clock_now() + LATER;
	} else if (wanted && rc < 0) {
		log_event(LOG_LEVEL_WARNING, "poll-not-begun", "connection", p->connection, "error", van_err_name(rc), NULL);
		p->due = van_clock_now() + LATER;
	}
	set_timer(p);
}

static void on_timer(void *arg)
{
	struct poll *p = arg;
	p->timer = NULL;
	if (p->running || van_clock_now() < p->due)
		set_timer(p);
	else
		begin(p);
}

/* --- a look ---------------------------------------------------------------------------------------------------------------------------- */

static void put_text(struct van_buf *to, const char *key, struct slice value)
{
	van_buf_printf(to, ",\"%s\":", key);
	json_put_text(to, value);
}

static void put_file(struct van_buf *to, const struct ipc_polled_file *f)
{
	static const char *const fates[] = {"wanted", "taken", "too-large"};
	char time[VAN_TIME_TEXT];
	van_buf_append_str(to, "{\"name\":");
	json_put_text(to, f->name);
	put_text(to, "time", slice_str(van_time_rfc3339(time, f->time)));
	van_buf_printf(to, ",\"bytes\":%" PRIu64 ",\"fate\":\"%s\"}", f->bytes, f->fate < 3 ? fates[f->fate] : fates[0]);
}

static void answer_look(struct poll *p, const struct ipc_polled *v)
{
	struct van_buf *to = &p->asker->out;
	van_buf_printf(to, "{\"ok\":%s,\"reached\":%s", v->ok ? "true" : "false", v->reached ? "true" : "false");
	put_text(to, "text", v->report);
	van_buf_printf(to, ",\"listed\":%" PRIu64 ",\"others\":%" PRIu64 ",\"wanted\":%" PRIu64 ",\"files\":[", v->listed, v->others, v->wanted);
	for (size_t i = 0; i < v->files.n; i++) {
		if (i)
			van_buf_append_char(to, ',');
		put_file(to, RECORD_AT(v->files, struct ipc_polled_file, i));
	}
	van_buf_append_str(to, "]}");
	pending_call_finish(p->asker, 0);
	p->asker = NULL;
}

static void look_ended(struct poll *p)
{
	if (p->asker && !p->s->stopping)
		pending_call_finish(p->asker, control_say(&p->asker->call, 1, "the look at %s ended without a result: the server makes no progress, or vand's log says why",
							  p->connection));
	free(p->connection);
	free(p);
}

int polls_look_for(struct store_role *s, const struct profile *partner, const struct profile_connection *c, struct pending_call *asker)
{
	struct ipc_sftp_server server = polls_server(c);
	struct ipc_poll m = what_to_poll(s, c, &server);
	struct poll *p = calloc(1, sizeof *p);
	int fd = -1;
	m.look = true;
	if (!p || !(p->connection = strndup(c->id.p, c->id.n))) {
		free(p);
		return VAN_ENOMEM;
	}
	p->s = s;
	p->is_look = true;
	struct session *e = s->deliver ? session_new_poll(s, p, partner, c, &fd) : NULL;
	int rc = e ? ipc_send(s->deliver, IPC_POLL, 0, &ipc_poll_table, &m, &fd, 1) : VAN_ECLOSED;
	if (fd >= 0)
		close(fd);
	if (e && rc < 0)
		session_stop(e, "the look could not be begun"); /* and with it the look */
	else if (!e)
		look_ended(p);
	else
		p->asker = asker;
	return rc;
}

void polls_done(struct store_role *s, struct poll *p, struct ipc_message *m)
{
	struct ipc_polled v;
	if (!p || record_decode(&ipc_polled_table, m->body, s->arena, &v) < 0)
		return;
	if (p->asker) {
		answer_look(p, &v);
		return;
	}
	p->told = true;
	p->reached = v.reached;
	p->unsettled = v.unsettled;
	bool quiet = v.ok && slice_starts(v.report, "0 fetched");
	log_event(quiet ? LOG_LEVEL_DEBUG : v.ok ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "polled", "connection", p->connection, "result", log_slice(v.report), NULL);
}

static void poll_free(struct poll *p)
{
	loop_cancel(p->timer);
	free(p->connection);
	free(p);
}

/* What is being written is whole soon; who has a schedule of once a day needn't wait for the next one. But a file that changes for ever, or a server that
 * refuses us, is no reason to come every few seconds: the pause doubles, until the schedule is sooner. */
static void poll_soon(struct poll *p, van_time pause)
{
	van_time when = van_clock_now() + (pause << (p->early < DOUBLED_MAX ? p->early : DOUBLED_MAX));
	p->early++;
	if (p->due > when)
		p->due = when;
}

void polls_ended(struct store_role *s, struct poll *p)
{
	if (p->is_look) {
		look_ended(p);
		return;
	}
	if (!p->told)
		log_event(LOG_LEVEL_WARNING, "polled", "connection", p->connection, "result", "it broke off", NULL);
	p->running = false;
	if (!p->reached)
		poll_soon(p, BROKEN_OFF);
	else if (p->unsettled)
		poll_soon(p, p->settle > UNSETTLED ? p->settle : UNSETTLED);
	else
		p->early = 0;
	if (s->polls && p->due && p->due < van_clock_now()) /* it took longer than the pause between two */
		p->due = van_clock_now() + VAN_SECOND;
	set_timer(p);
}

/* --- which ------------------------------------------------------------------------------------------------------------------------------ */

static struct poll *find_or_make(struct store_role *s, struct slice connection)
{
	for (struct poll *p = s->polls->all; p; p = p->next)
		if (slice_is(connection, p->connection))
			return p;
	struct poll *p = calloc(1, sizeof *p);
	if (!p || !(p->connection = strndup(connection.p, connection.n))) {
		free(p);
		return NULL;
	}
	p->s = s;
	p->next = s->polls->all;
	return s->polls->all = p;
}

static int look_at(void *arg, const struct profile *profile)
{
	struct store_role *s = arg;
	for (size_t i = 0; i < profile->partner->connections.n; i++) {
		const struct profile_connection *c = RECORD_AT(profile->partner->connections, struct profile_connection, i);
		struct poll *p = c->poll && c->enabled && profile->partner->enabled ? find_or_make(s, c->id) : NULL;
		if (!p)
			continue;
		p->seen = true;
		p->due = next_of(p, c->poll, s->role->config->time_zone);
		set_timer(p);
	}
	return 0;
}

void polls_look(struct store_role *s)
{
	if (!s->polls)
		return;
	for (struct poll *p = s->polls->all; p; p = p->next)
		p->seen = false;
	pthread_rwlock_rdlock(&s->directory_lock);
	directory_each(s->directory, PROFILE_PARTNER, look_at, s);
	pthread_rwlock_unlock(&s->directory_lock);
	for (struct poll *p = s->polls->all; p; p = p->next)
		if (!p->seen) { /* it stays, asleep: a process of its may be under way, and it may come again */
			p->due = 0;
			set_timer(p);
		}
}

int polls_start(struct store_role *s)
{
	s->polls = calloc(1, sizeof *s->polls);
	if (!s->polls)
		return VAN_ENOMEM;
	polls_look(s);
	return 0;
}

void polls_free(struct store_role *s)
{
	if (!s->polls)
		return;
	while (s->polls->all) {
		struct poll *p = s->polls->all;
		s->polls->all = p->next;
		poll_free(p);
	}
	free(s->polls);
	s->polls = NULL;
}
