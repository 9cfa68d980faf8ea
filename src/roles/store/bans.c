#include "roles/store/bans.h"

#include "base/cidr.h"
#include "base/log.h"
#include "partner/settings.h"
#include "roles/store/sessions.h"

#include <stdlib.h>

#define TIDY_EVERY (600 * VAN_SECOND)
#define TIDY_AT_ONCE 1000
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
	struct loop_timer *tidy;
	struct loop_timer *over; /* the next end of a ban that the listener was told */
	bool tidying;
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

/* --- housekeeping -------------------------------------------------------------------------------------------------------------- */

struct tidying {
	struct write_request base;
	struct store_role *s;
	van_time within, keep;
	int logins;
	struct slice files[TIDY_AT_ONCE]; /* of uploads that are gone */
	size_t nfiles;
};

struct old_uploads {
	struct queue_work *w;
	struct tidying *t;
	struct queue_place at;
	struct slice names[TIDY_AT_ONCE];
	size_t n;
};

static int add_old(void *arg, const struct queue_mailbox_entry *e)
{
	struct old_uploads *o = arg;
	if (o->w->now - e->time <= o->t->keep)
		return 0;
	if (o->n + o->t->nfiles == TIDY_AT_ONCE)
		return 1;
	o->names[o->n++] = e->name;
	return 0;
}

static int drop_old(struct queue_work *w, struct tidying *t, struct slice partner, struct slice connection, struct slice section)
{
	const struct queue_removal too_old = {.event = RECEIPT_ARTEFACT_DELETED, .partner = partner, .actor = SLICE("vand")};
	struct old_uploads o = {.w = w, .t = t, .at = {connection, QUEUE_FOLDER_STAGED, section, SLICE_NONE}};
	int rc = queue_mailbox_each(w, &o.at, SLICE_NONE, add_old, &o);
	for (size_t i = 0; rc >= 0 && i < o.n; i++) {
		o.at.name = o.names[i];
		rc = queue_mailbox_remove_staged(w, &o.at, &too_old, &t->files[t->nfiles]);
		t->nfiles += rc == 0;
	}
	return rc < 0 ? rc : 0;
}

struct sections {
	struct queue_work *w;
	struct tidying *t;
	struct slice connection;
	struct slice v[64];
	size_t n;
};

static int add_section(void *arg, struct slice section)
{
	struct sections *s = arg;
	if (s->n == sizeof s->v / sizeof *s->v)
		return 1;
	s->v[s->n] = van_arena_slice(s->w->arena, section);
	return s->v[s->n++].p ? 0 : VAN_ENOMEM;
}

static int tidy_partner(void *arg, const struct profile *p)
{
	struct sections *s = arg;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < p->partner->connections.n; i++) {
		const struct profile_connection *c = RECORD_AT(p->partner->connections, struct profile_connection, i);
		if (c->protocol != PROFILE_SFTP_MAILBOX)
			continue;
		s->n = 0;
		rc = drop_old(s->w, s->t, p->id, c->id, SLICE_NONE);
		if (rc == 0)
			rc = queue_mailbox_sections(s->w, c->id, QUEUE_FOLDER_STAGED, add_section, s);
		for (size_t k = 0; rc >= 0 && k < s->n; k++)
			rc = drop_old(s->w, s->t, p->id, c->id, s->v[k]);
	}
	return rc < 0 ? rc : 0;
}

static int run_tidy(struct write_request *r, struct queue_work *w)
{
	struct tidying *t = (struct tidying *)r;
	struct sections s = {.w = w, .t = t};
	t->nfiles = 0;
	t->logins = queue_logins_tidy(w, t->within, TIDY_AT_ONCE);
	return t->logins < 0 ? t->logins : directory_each(w->directory, PROFILE_PARTNER, tidy_partner, &s);
}

static void done_tidy(struct write_request *r)
{
	struct tidying *t = (struct tidying *)r;
	if (t->s->bans)
		t->s->bans->tidying = false;
	for (size_t i = 0; r->rc == 0 && i < t->nfiles; i++)
		payload_remove(t->s->payload, t->files[i], "payload", NULL);
	if (r->rc == 0 && t->nfiles)
		log_event(LOG_LEVEL_INFO, "unfinished-uploads-deleted", "files", log_u64(t->nfiles), NULL);
	if (r->rc == 0 && t->logins && t->s->bans && !t->s->stopping)
		bans_reload(t->s);
	write_request_free(r);
}

static const struct write_ops tidy_ops = {.run = run_tidy, .done = done_tidy};

static void on_tidy(void *arg)
{
	struct store_role *s = arg;
	struct bans *b = s->bans;
	struct tidying *t = b->tidying || s->stopping ? NULL : write_request_new(s->writer, sizeof *t, &tidy_ops);
	if (t) {
		t->s = s;
		t->within = s->role->config->sftp.failures_within;
		t->keep = s->role->config->sftp.keep_unfinished;
		t->base.patient = true;
		b->tidying = true;
		writer_submit(&t->base);
	}
	b->tidy = loop_after(s->role->loop, TIDY_EVERY, on_tidy, s);
}

int bans_start(struct store_role *s)
{
	s->bans = calloc(1, sizeof *s->bans);
	if (!s->bans)
		return VAN_ENOMEM;
	int rc = load(s);
	if (rc == 0)
		s->bans->tidy = loop_after(s->role->loop, 10 * VAN_SECOND, on_tidy, s);
	return rc;
}

void bans_free(struct store_role *s)
{
	if (!s->bans)
		return;
	loop_cancel(s->bans->tidy);
	loop_cancel(s->bans->over);
	forget_all(s->bans);
	free(s->bans->v);
	free(s->bans);
	s->bans = NULL;
}
