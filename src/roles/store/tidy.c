/* What nobody needs any more goes: uploads that nobody finishes, when they are old, and failed log-ins that no longer count. */
#include "roles/store/tidy.h"

#include "base/log.h"
#include "partner/settings.h"
#include "queue/logins.h"
#include "roles/store/bans.h"
#include "roles/store/store_role.h"

#include <stdlib.h>

#define AFTER_START (10 * VAN_SECOND)
#define EVERY (600 * VAN_SECOND)
#define AT_ONCE 1000 /* what is more waits for the next time */

struct tidy {
	struct loop_timer *timer;
	bool writing;
};

struct tidying {
	struct write_request base;
	struct store_role *s;
	van_time within, keep;
	int logins;
	struct slice files[AT_ONCE]; /* of uploads that are gone */
	size_t nfiles;
};

struct old_uploads {
	struct queue_work *w;
	struct tidying *t;
	struct queue_place at;
	struct slice names[AT_ONCE];
	size_t n;
};

static int add_old(void *arg, const struct queue_mailbox_entry *e)
{
	struct old_uploads *o = arg;
	if (o->w->now - e->time <= o->t->keep)
		return 0;
	if (o->n + o->t->nfiles == AT_ONCE)
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
	struct slice *v;
	size_t n, room;
};

static int add_section(void *arg, struct slice section)
{
	struct sections *s = arg;
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct slice *v = van_arena_array(s->w->arena, room, sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		if (s->n)
			memcpy(v, s->v, s->n * sizeof *v);
		s->v = v;
		s->room = room;
	}
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
	t->logins = queue_logins_tidy(w, t->within, AT_ONCE);
	return t->logins < 0 ? t->logins : directory_each(w->directory, PROFILE_PARTNER, tidy_partner, &s);
}

static void done_tidy(struct write_request *r)
{
	struct tidying *t = (struct tidying *)r;
	if (t->s->tidy)
		t->s->tidy->writing = false;
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
	struct tidy *y = s->tidy;
	struct tidying *t = y->writing || s->stopping ? NULL : write_request_new(s->writer, sizeof *t, &tidy_ops);
	if (t) {
		t->s = s;
		t->within = s->role->config->sftp.failures_within;
		t->keep = s->role->config->sftp.keep_unfinished;
		t->base.patient = true;
		y->writing = true;
		writer_submit(&t->base);
	}
	y->timer = loop_after(s->role->loop, EVERY, on_tidy, s);
}

int tidy_start(struct store_role *s)
{
	s->tidy = calloc(1, sizeof *s->tidy);
	if (!s->tidy)
		return VAN_ENOMEM;
	s->tidy->timer = loop_after(s->role->loop, AFTER_START, on_tidy, s);
	return s->tidy->timer ? 0 : VAN_ENOMEM;
}

void tidy_free(struct store_role *s)
{
	if (!s->tidy)
		return;
	loop_cancel(s->tidy->timer);
	free(s->tidy);
	s->tidy = NULL;
}
