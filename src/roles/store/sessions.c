/* SFTP sessions: each has a channel of its own, is bound to one mailbox when it logs in, and sees nothing else. */
#include "roles/store/sessions.h"

#include "roles/store/polls.h"
#include "roles/store/session_proof.h"
#include "roles/store/throttles.h"

#include "base/fdio.h"
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

#define FULL_TEXT "the mailbox takes no more files for now; try again later"

/* --- answers ------------------------------------------------------------------------------------------------------------------ */

void session_reply(struct session *e, uint64_t request, enum ipc_mailbox_status status, const char *text,
		   const struct ipc_mailbox_entry *entry, int fd)
{
	struct ipc_mailbox_reply r = {.status = status, .text = slice_str(text), .entry = (struct ipc_mailbox_entry *)entry};
	ipc_send(e->channel, IPC_MAILBOX_REPLY, request, &ipc_mailbox_reply_table, &r, fd >= 0 ? &fd : NULL, fd >= 0);
}

bool session_reply_past(struct session *e, uint64_t request, const struct ipc_mailbox_reply *r)
{
	struct van_buf body = VAN_BUF_INIT(IPC_MESSAGE_MAX);
	int rc = record_encode(&ipc_mailbox_reply_table, r, &body);
	pthread_mutex_lock(&e->answering);
	if (rc == 0)
		rc = e->channel ? ipc_send_past(e->channel, IPC_MAILBOX_REPLY, request, van_buf_slice(&body)) : VAN_ECLOSED;
	pthread_mutex_unlock(&e->answering);
	van_buf_free(&body);
	return rc == 0;
}

void session_refuse(struct session *e, uint64_t request, int rc, const struct van_error *err)
{
	const char *text = err && err->text[0] ? err->text : "it could not be done; try again later";
	enum ipc_mailbox_status status = rc == VAN_ENOTFOUND ? IPC_MAILBOX_NO_FILE
					 : rc == VAN_ENOSPC ? IPC_MAILBOX_FULL
					 : rc == VAN_EINVAL || rc == VAN_EDENIED || rc == VAN_ESTATE || rc == VAN_ELIMIT ? IPC_MAILBOX_DENIED
												     : IPC_MAILBOX_FAILED;
	session_reply(e, request, status, rc == VAN_ENOSPC ? FULL_TEXT : text, NULL, -1);
}

/* --- reading ------------------------------------------------------------------------------------------------------------------ */

enum queue_folder session_folder(uint32_t folder)
{
	switch ((enum ipc_folder)folder) {
	case IPC_FOLDER_IN: return QUEUE_FOLDER_STAGED;
	case IPC_FOLDER_OUT: return QUEUE_FOLDER_OUT;
	case IPC_FOLDER_IN_ARCHIVE: return QUEUE_FOLDER_IN_ARCHIVE;
	case IPC_FOLDER_OUT_ARCHIVE: return QUEUE_FOLDER_OUT_ARCHIVE;
	}
	return QUEUE_FOLDER_OUT;
}

struct page {
	struct ipc_mailbox_entry *v;
	size_t n, max, bytes; /* of contents */
	struct slice after;
	struct van_arena *arena;
	struct queue_work *work;
	bool more;
};

static struct ipc_mailbox_entry entry_of(const struct queue_mailbox_entry *e)
{
	return (struct ipc_mailbox_entry){.name = e->name, .id = e->message, .bytes = e->bytes, .time = e->time,
					  .staged = e->state == QUEUE_MAILBOX_STAGED,
					  .collected = e->state == QUEUE_MAILBOX_COLLECTED,
					  .unfinished = e->state == QUEUE_MAILBOX_UNFINISHED, .fetched = e->fetched};
}

static int add_entry(void *arg, const struct queue_mailbox_entry *e)
{
	struct page *p = arg;
	if (p->n == p->max) {
		p->more = true;
		return 1;
	}
	p->v[p->n++] = entry_of(e);
	return 0;
}

/* Whoever fetches one small file after the other gets several at a time. */
static int add_content(void *arg, const struct queue_mailbox_entry *e)
{
	struct page *p = arg;
	struct ipc_mailbox_entry to = entry_of(e);
	int fd = -1;
	if (p->n == p->max || e->bytes > IPC_INLINE_MAX || p->bytes + e->bytes > SESSION_CONTENTS)
		return 1;
	int rc = session_open_entry(p->work, e, &to, &to.content, &fd);
	if (fd >= 0)
		close(fd);
	if (rc < 0 || fd >= 0 || to.content.n != e->bytes) /* whoever opens it will be told why */
		return 1;
	p->bytes += e->bytes;
	p->v[p->n++] = to;
	return 0;
}

static int add_date(void *arg, struct slice date)
{
	struct page *p = arg;
	if (p->after.p && slice_cmp(date, p->after) <= 0)
		return 0;
	if (p->n == p->max) {
		p->more = true;
		return 1;
	}
	struct slice name = van_arena_slice(p->arena, date);
	van_time t = 0;
	van_time_parse(name, &t);
	p->v[p->n++] = (struct ipc_mailbox_entry){.name = name, .time = t, .is_folder = true};
	return 0;
}

static void on_list(struct session *e, struct ipc_message *m)
{
	struct store_role *s = e->s;
	struct ipc_mailbox_list l;
	struct store_read r;
	struct page p = {.max = SESSION_PAGE, .arena = s->arena};
	struct slice mailbox = slice_str(e->connection);
	int rc = record_decode(&ipc_mailbox_list_table, m->body, s->arena, &l);
	p.v = van_arena_array(s->arena, SESSION_PAGE, sizeof *p.v);
	if (rc == 0 && p.v)
		rc = store_read_begin(s, s->arena, &r);
	if (rc < 0 || !p.v) {
		struct ipc_mailbox_entries none = {0};
		ipc_send(e->channel, IPC_MAILBOX_ENTRIES, m->request, &ipc_mailbox_entries_table, &none, NULL, 0);
		return;
	}
	if (l.limit && l.limit < p.max)
		p.max = l.limit;
	p.after = l.after;
	p.work = &r.work;
	enum queue_folder folder = session_folder(l.folder);
	bool archive = folder == QUEUE_FOLDER_IN_ARCHIVE || folder == QUEUE_FOLDER_OUT_ARCHIVE;
	struct queue_place at = {mailbox, folder, l.section, SLICE_NONE};
	if (archive && !l.section.p)
		queue_mailbox_sections(&r.work, mailbox, folder, add_date, &p);
	else if (!l.contents)
		queue_mailbox_each(&r.work, &at, l.after, add_entry, &p);
	else if (folder == QUEUE_FOLDER_OUT)
		queue_mailbox_each(&r.work, &at, l.after, add_content, &p);
	struct ipc_mailbox_entries reply = {.entries = {p.v, p.n}, .more = p.more};
	ipc_send(e->channel, IPC_MAILBOX_ENTRIES, m->request, &ipc_mailbox_entries_table, &reply, NULL, 0);
	store_read_end(s, &r);
}

/* Clients look at what they have uploaded, which is in the archive by then. */
static int find(struct session *e, struct queue_work *w, const struct ipc_mailbox_name *name, struct queue_mailbox_entry *ret)
{
	struct queue_place at = {slice_str(e->connection), session_folder(name->folder), name->section, name->name};
	int rc = queue_mailbox_find(w, &at, ret);
	if (rc == VAN_ENOTFOUND && name->folder == IPC_FOLDER_IN)
		rc = queue_mailbox_find_uploaded(w, at.connection, name->name, QUEUE_UPLOADED_LATELY, ret);
	return rc;
}

static void on_stat_or_open(struct session *e, struct ipc_message *m, bool open)
{
	struct store_role *s = e->s;
	struct ipc_mailbox_name name;
	struct queue_mailbox_entry found;
	struct store_read r;
	struct slice content = SLICE_NONE;
	int fd = -1;
	int rc = record_decode(&ipc_mailbox_name_table, m->body, s->arena, &name);
	if (rc == 0)
		rc = store_read_begin(s, s->arena, &r);
	if (rc < 0) {
		session_refuse(e, m->request, rc, NULL);
		return;
	}
	struct ipc_mailbox_entry entry = {0};
	rc = name.folder == IPC_FOLDER_IN_ARCHIVE && !name.section.p ? VAN_ENOTFOUND : find(e, &r.work, &name, &found);
	if (rc == 0) {
		entry = entry_of(&found);
		if (open)
			rc = session_open_entry(&r.work, &found, &entry, &content, &fd);
	} else if (rc == VAN_ENOTFOUND && name.folder == IPC_FOLDER_IN_ARCHIVE && slice_ends(name.name, IPC_STATUS_SUFFIX)) {
		rc = upload_status(e, &r.work, &name, &entry, open ? &fd : NULL);
	}
	struct ipc_mailbox_reply reply = {.status = IPC_MAILBOX_OK, .entry = &entry, .content = content};
	if (rc >= 0)
		ipc_send(e->channel, IPC_MAILBOX_REPLY, m->request, &ipc_mailbox_reply_table, &reply, fd >= 0 ? &fd : NULL, fd >= 0);
	else
		session_refuse(e, m->request, rc, &r.work.err);
	bool own = name.folder == IPC_FOLDER_IN || name.folder == IPC_FOLDER_IN_ARCHIVE;
	if (rc >= 0 && open && own && entry.id.n && !name.to_go_on)
		session_note_look(e, &name, entry.id);
	store_read_end(s, &r);
	if (fd >= 0)
		close(fd);
}

static void on_pickup_seen(struct session *e, struct ipc_message *m)
{
	struct ipc_pickup p;
	struct store_read r;
	struct slice message;
	int rc = record_decode(&ipc_pickup_table, m->body, e->s->arena, &p);
	if (rc == 0)
		rc = store_read_begin(e->s, e->s->arena, &r);
	if (rc < 0) {
		session_refuse(e, m->request, rc, NULL);
		return;
	}
	rc = queue_pickup_find(&r.work, slice_str(e->connection), p.name, p.bytes, p.time, &message);
	store_read_end(e->s, &r);
	if (rc == 0)
		session_reply(e, m->request, IPC_MAILBOX_OK, NULL, NULL, -1);
	else
		session_refuse(e, m->request, rc, NULL);
}

/* What the mailbox may still take, so that nobody sends in vain what can't be kept. */
static void tell_room(struct session *e, struct slice body, struct ipc_mailbox_reply *to)
{
	const struct queue_mailbox_limits *l = &e->limits;
	struct ipc_mailbox_name name;
	struct store_read r;
	struct queue_mailbox_usage used;
	struct queue_place at = {slice_str(e->connection), QUEUE_FOLDER_STAGED, SLICE_NONE, SLICE_NONE};
	to->bounded = l->storage != 0;
	to->room = l->storage;
	to->files_left = UINT64_MAX;
	if (body.n && record_decode(&ipc_mailbox_name_table, body, e->s->arena, &name) == 0) {
		at.section = name.section;
		at.name = name.name;
	}
	if ((!l->storage && !l->files && !l->uploads) || store_read_begin(e->s, e->s->arena, &r) < 0)
		return;
	if (queue_mailbox_usage_without(&r.work, &at, &used) == 0) {
		to->room = used.bytes < l->storage ? l->storage - used.bytes : 0;
		to->files_left = queue_mailbox_files_left(&r.work, &used, l, &to->text);
	}
	store_read_end(e->s, &r);
}

static void on_create(struct session *e, struct ipc_message *m)
{
	struct van_error err = {0};
	if (!store_has_room(e->s)) {
		session_reply(e, m->request, IPC_MAILBOX_FULL, FULL_TEXT, NULL, -1);
		return;
	}
	int fd = payload_create_unnamed(e->s->payload, &err);
	if (fd < 0) {
		session_refuse(e, m->request, fd, &err);
		return;
	}
	struct ipc_mailbox_reply r = {.status = IPC_MAILBOX_OK};
	tell_room(e, m->body, &r);
	ipc_send(e->channel, IPC_MAILBOX_REPLY, m->request, &ipc_mailbox_reply_table, &r, &fd, 1);
	close(fd);
}

/* --- the channel ---------------------------------------------------------------------------------------------------------------- */

static void session_release(struct session *e)
{
	if (--e->references)
		return;
	free(e->user);
	free(e->method);
	session_login_free(e);
	pthread_mutex_destroy(&e->answering);
	free(e->partner);
	free(e->connection);
	free(e->peer);
	free(e);
}

void session_hold(struct session *e)
{
	e->references++;
}

void session_unhold(struct session *e)
{
	session_release(e);
}

static void session_end(struct session *e)
{
	struct ipc_channel *c = e->channel;
	if (!c)
		return;
	pthread_mutex_lock(&e->answering);
	e->channel = NULL;
	pthread_mutex_unlock(&e->answering);
	*e->place = e->next;
	if (e->next)
		e->next->place = e->place;
	session_login_stop(e);
	ipc_channel_free(c);
	if (e->poll)
		polls_ended(e->s, e->poll);
	session_release(e);
}

void session_stop(struct session *e, const char *reason)
{
	struct ipc_session_end m = {.reason = slice_str(reason)};
	if (!e->channel)
		return;
	ipc_send(e->channel, IPC_SESSION_END, 0, &ipc_session_end_table, &m, NULL, 0);
	session_end(e);
}

static void on_closed(void *arg, struct ipc_channel *c)
{
	(void)c;
	session_end(arg);
}

static void on_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct session *e = arg;
	(void)c;
	van_arena_reset(e->s->arena);
	if (m->type == IPC_AUTH) {
		session_auth(e, m);
		return;
	}
	if (!e->open) {
		session_reply(e, m->request, IPC_MAILBOX_DENIED, "log in first", NULL, -1);
		return;
	}
	switch (m->type) {
	case IPC_MAILBOX_LIST: on_list(e, m); return;
	case IPC_MAILBOX_STAT: on_stat_or_open(e, m, false); return;
	case IPC_MAILBOX_OPEN: on_stat_or_open(e, m, true); return;
	case IPC_MAILBOX_RESUME: session_resume(e, m); return;
	case IPC_MAILBOX_READ: session_read(e, m); return;
	case IPC_MAILBOX_CREATE: on_create(e, m); return;
	case IPC_MAILBOX_COMMIT: session_commit(e, m); return;
	case IPC_MAILBOX_COLLECTED:
	case IPC_MAILBOX_FETCHED:
	case IPC_MAILBOX_SYNC:
	case IPC_MAILBOX_REMOVE:
	case IPC_PICKUP_GONE:
	case IPC_MAILBOX_RENAME: session_change(e, m); return;
	case IPC_PICKUP_SEEN: on_pickup_seen(e, m); return;
	case IPC_POLL_DONE: polls_done(e->s, e->poll, m); return;
	default: session_reply(e, m->request, IPC_MAILBOX_FAILED, "unknown request", NULL, -1);
	}
}

void sessions_open(struct store_role *s, struct ipc_message *m)
{
	struct ipc_session_open o;
	int fd = ipc_take_fd(m, 0);
	struct session *e = fd < 0 ? NULL : calloc(1, sizeof *e);
	struct ipc_channel *c = e ? ipc_channel_new(fd) : NULL;
	if (!c || record_decode(&ipc_session_open_table, m->body, s->arena, &o) < 0 ||
	    ipc_channel_attach(c, s->role->loop, on_message, on_closed, e) < 0) {
		if (c)
			ipc_channel_free(c);
		else if (fd >= 0)
			close(fd);
		free(e);
		return;
	}
	*e = (struct session){.s = s, .channel = c, .references = 1, .next = s->sessions, .place = &s->sessions, .number = ++s->sessions_seen,
			      .since = van_clock_now()};
	pthread_mutex_init(&e->answering, NULL);
	e->peer = strndup(o.peer.p ? o.peer.p : "", o.peer.n);
	if (e->next)
		e->next->place = &e->next;
	s->sessions = e;
}

struct session *session_new_poll(struct store_role *s, struct poll *p, const struct profile *partner, const struct profile_connection *c, int *ret_fd)
{
	int pair[2];
	struct session *e = ipc_pair(pair) == 0 ? calloc(1, sizeof *e) : NULL;
	struct ipc_channel *channel = e ? ipc_channel_new(pair[0]) : NULL;
	if (!e)
		return NULL;
	if (!channel || ipc_channel_attach(channel, s->role->loop, on_message, on_closed, e) < 0) {
		close(pair[1]);
		free(e);
		return NULL;
	}
	*e = (struct session){.s = s, .channel = channel, .references = 1, .next = s->sessions, .place = &s->sessions, .number = ++s->sessions_seen,
			      .since = van_clock_now(), .open = true, .partner_version = partner->version, .max_message = c->max_message, .poll = p};
	pthread_mutex_init(&e->answering, NULL);
	e->user = strndup(c->server->user.p, c->server->user.n);
	e->partner = strndup(partner->id.p, partner->id.n);
	e->connection = strndup(c->id.p, c->id.n);
	e->peer = strndup(c->server->host.p, c->server->host.n);
	e->method = strdup("poll");
	if (e->next)
		e->next->place = &e->next;
	s->sessions = e;
	*ret_fd = pair[1];
	if (e->user && e->partner && e->connection && e->peer && e->method)
		return e;
	close(pair[1]);
	e->poll = NULL;
	session_end(e);
	return NULL;
}

void sessions_free(struct store_role *s)
{
	while (s->sessions)
		session_end(s->sessions);
}

void session_limit(struct session *e, const struct directory_sftp *who)
{
	e->max_message = who->max_message;
	e->bandwidth = who->bandwidth;
	e->limits = (struct queue_mailbox_limits){who->storage, who->files, who->uploads};
}

/* The session's process keeps two of them itself. */
static void tell_limits(struct session *e, const struct directory_sftp *who)
{
	bool same = e->max_message == who->max_message && e->bandwidth == who->bandwidth;
	struct ipc_session_limits m = {.bandwidth = who->bandwidth, .max_message = who->max_message == UINT64_MAX ? 0 : who->max_message};
	int fd = who->bandwidth && !same ? throttles_get(e->s, who->connection) : -1;
	session_limit(e, who);
	if (!same)
		ipc_send(e->channel, IPC_SESSION_LIMITS, 0, &ipc_session_limits_table, &m, fd >= 0 ? &fd : NULL, fd >= 0);
}

/* NULL: it may go on, with its limits as they are now. */
static const char *look_again(struct session *e)
{
	struct directory_sftp who;
	if (!session_account(e, slice_str(e->user), &who) || !slice_is(who.connection, e->connection))
		return "this account may not log in any more";
	const char *why = session_proof_misfit(&e->login.proof, e->login.proven, &who, slice_str(e->peer), e->s->arena);
	if (!why)
		tell_limits(e, &who);
	return why;
}

void sessions_check(struct store_role *s)
{
	struct session *next;
	for (struct session *e = s->sessions; e; e = next) {
		next = e->next;
		if (!e->open || e->poll)
			continue;
		pthread_rwlock_rdlock(&s->directory_lock);
		const char *why = look_again(e);
		pthread_rwlock_unlock(&s->directory_lock);
		if (why && session_end_by(e, SLICE("vand"), why) < 0)
			session_stop(e, why);
	}
}
