#include "roles/store/bans.h"

#include "base/cidr.h"
#include "base/log.h"
#include "partner/settings.h"
#include "roles/store/sessions.h"

#include <stdlib.h>

#define OVER_AT_MOST (3600 * VAN_SECOND) /* the clock may be set meanwhile */
#define NETWORKS_TOLD 3000 /* most that the listener is told; further ones are refused at their log-in */

struct ban {
	struct van_cidr network;
	char *user; /* NULL: everybody */
	van_time until;
	bool manual;
};

struct bans {
	struct ban *v;
	size_t n, room;
	struct loop_timer *over; /* the next end of a ban that the listener was told */
};

static void forget_all(struct bans *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].user);
	b->n = 0;
}

static int add(void *arg, const struct queue_ban *from)
{
	struct bans *b = arg;
	struct ban ban = {.until = from->until, .manual = !from->failures};
	if (van_cidr_parse(from->network, &ban.network) < 0)
		return 0;
	if (b->n == b->room) {
		size_t room = b->room ? 2 * b->room : 64;
		struct ban *v = realloc(b->v, room * sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		b->v = v;
		b->room = room;
	}
	if (from->user.n && !(ban.user = strndup(from->user.p, from->user.n)))
		return VAN_ENOMEM;
	b->v[b->n++] = ban;
	return 0;
}

static bool in_force(const struct ban *b, van_time now)
{
	return !b->until || now < b->until;
}

static bool meets(const struct ban *b, const struct van_address *a, struct slice user, van_time now)
{
	return in_force(b, now) && van_cidr_contains(&b->network, a) && (!b->user || slice_is(user, b->user));
}

bool bans_hit(const struct store_role *s, struct slice address, struct slice user)
{
	struct van_address a;
	van_time now = van_clock_now();
	if (van_address_parse(address, &a) < 0)
		return false;
	for (size_t i = 0; i < s->bans->n; i++)
		if (meets(&s->bans->v[i], &a, user, now))
			return true;
	return false;
}

static void end_sessions(struct store_role *s)
{
	struct session *next;
	struct van_address a;
	van_time now = van_clock_now();
	for (struct session *e = s->sessions; e; e = next) {
		bool over = false;
		next = e->next;
		if (van_address_parse(slice_str(e->peer), &a) < 0)
			continue;
		for (size_t i = 0; !over && i < s->bans->n; i++)
			over = s->bans->v[i].manual && meets(&s->bans->v[i], &a, slice_str(e->user), now);
		if (over)
			session_stop(e, "this address is banned: ask the network's operator");
	}
}

static void on_over(void *arg)
{
	struct store_role *s = arg;
	s->bans->over = NULL;
	bans_tell_listener(s);
}

void bans_tell_listener(struct store_role *s)
{
	struct bans *b = s->bans;
	struct slice *v;
	struct ipc_bans m = {0};
	van_time now = van_clock_now(), end = 0;
	if (!b || !s->sftp)
		return;
	van_arena_reset(s->arena);
	v = van_arena_array(s->arena, b->n + 1, sizeof *v);
	for (size_t i = 0; v && i < b->n && m.networks.n < NETWORKS_TOLD; i++) {
		char *text = van_arena_alloc(s->arena, VAN_CIDR_TEXT);
		if (!text || b->v[i].user || !in_force(&b->v[i], now))
			continue;
		v[m.networks.n++] = slice_str(van_cidr_text(text, &b->v[i].network));
		if (b->v[i].until && (!end || b->v[i].until < end))
			end = b->v[i].until;
	}
	m.networks.v = v;
	loop_cancel(b->over);
	b->over = end && !s->stopping ? loop_after(s->role->loop, end - now < OVER_AT_MOST ? end - now : OVER_AT_MOST, on_over, s) : NULL;
	ipc_send(s->sftp, IPC_BANS, 0, &ipc_bans_table, &m, NULL, 0);
}

static int load(struct store_role *s)
{
	struct store_read r;
	van_arena_reset(s->arena);
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return rc;
	forget_all(s->bans);
	rc = queue_bans(&r.work, add, s->bans);
	store_read_end(s, &r);
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "bans-not-read", "error", van_err_name(rc), NULL);
	return rc;
}

void bans_reload(struct store_role *s)
{
	load(s);
	bans_tell_listener(s);
	end_sessions(s);
}

int bans_start(struct store_role *s)
{
	s->bans = calloc(1, sizeof *s->bans);
	if (!s->bans)
		return VAN_ENOMEM;
	return load(s);
}

void bans_free(struct store_role *s)
{
	if (!s->bans)
		return;
	loop_cancel(s->bans->over);
	forget_all(s->bans);
	free(s->bans->v);
	free(s->bans);
	s->bans = NULL;
}
