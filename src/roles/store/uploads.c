/* What changes a mailbox: uploads, renames, downloads, removals. All are answered after the store's commit. */
#include "roles/store/sessions.h"

#include "base/fdio.h"
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

struct changing {
	struct write_request base;
	struct session *e;
	uint64_t request;
	bool answered;
	uint32_t type; /* IPC_MAILBOX_… */
	struct van_id id;
	int fd;
	struct queue_upload upload;
	struct ipc_mailbox_name name;
	struct ipc_mailbox_rename rename;
	struct ipc_pickup pickup;
	struct slice replaced; /* a message id whose staged file goes */
	struct slice received; /* a message id whose job waits now */
	bool late; /* it was read from a place where it lies no more: nothing there was changed */
};

static struct changing *changing_new(struct session *e, struct ipc_message *m, const struct write_ops *ops)
{
	struct changing *c = write_request_new(e->s->writer, sizeof *c, ops);
	if (!c)
		return NULL;
	struct van_arena *a = c->base.arena;
	c->e = e;
	c->request = m->request;
	c->type = m->type;
	c->fd = -1;
	c->id = van_id_new(van_clock_now());
	c->upload = (struct queue_upload){
		.id = slice_make(c->id.text, VAN_ID_LEN), .partner = van_arena_slice(a, slice_str(e->partner)),
		.connection = van_arena_slice(a, slice_str(e->connection)), .peer = van_arena_slice(a, slice_str(e->peer)),
		.actor = van_arena_printf(a, e->poll ? "poll of %s" : "sftp user %s", e->poll ? e->peer : e->user), .partner_version = e->partner_version,
	};
	session_hold(e);
	return c;
}

static void changing_free(struct changing *c)
{
	session_unhold(c->e);
	if (c->fd >= 0)
		close(c->fd);
	write_request_free(&c->base);
}

static void remove_file(struct changing *c, struct slice id)
{
	if (id.p)
		payload_remove(c->e->s->payload, id, "payload", NULL);
}

static struct ipc_mailbox_entry uploaded(const struct changing *c)
{
	return (struct ipc_mailbox_entry){.name = c->upload.name, .id = c->upload.id, .bytes = c->upload.bytes};
}

/* Writer's thread. */
static void answer_past(struct write_request *r)
{
	struct changing *c = (struct changing *)r;
	struct ipc_mailbox_entry entry = uploaded(c);
	const struct ipc_mailbox_reply ok = {.status = IPC_MAILBOX_OK, .entry = c->type == IPC_MAILBOX_COMMIT ? &entry : NULL};
	c->answered = c->request && session_reply_past(c->e, c->request, &ok);
}

static void answer(struct changing *c)
{
	struct session *e = c->e;
	struct ipc_mailbox_entry entry = uploaded(c);
	if (!e->channel || !c->request || c->answered)
		return;
	if (c->base.rc == 0)
		session_reply(e, c->request, IPC_MAILBOX_OK, NULL, c->type == IPC_MAILBOX_COMMIT ? &entry : NULL, -1);
	else
		session_refuse(e, c->request, c->base.rc, &c->base.err);
}

/* The client waits for the answer, for all else nobody does. */
static void done(struct write_request *r)
{
	struct changing *c = (struct changing *)r;
	struct session *e = c->e;
	answer(c);
	if (r->rc == 0) {
		remove_file(c, c->replaced);
		if (c->received.p)
			jobs_add(e->s, c->received, 0);
		if (c->late)
			log_event(LOG_LEVEL_INFO, "mailbox-read-late", "partner", e->partner, "connection", e->connection, "file", log_slice(c->name.name),
				  "message", log_slice(c->name.id), "result", "it is not there any more; nothing was changed", NULL);
		else if (c->type != IPC_MAILBOX_SYNC)
			log_event(LOG_LEVEL_INFO, "mailbox-changed", "partner", e->partner, "request", log_u64(c->type), "message",
				  log_slice(c->received), NULL);
	} else if (c->upload.file) {
		remove_file(c, c->upload.id);
	}
	changing_free(c);
}

/* --- upload ---------------------------------------------------------------------------------------------------------------------- */

static int prepare_upload(struct write_request *r)
{
	struct changing *c = (struct changing *)r;
	if (!c->upload.file)
		return 0;
	r->files = true;
	return payload_link(writer_payload(r->writer), c->fd, c->upload.id, "payload", &r->err);
}

static int run_upload(struct write_request *r, struct queue_work *w)
{
	struct changing *c = (struct changing *)r;
	int rc = queue_mailbox_upload(w, &c->upload, &c->replaced);
	c->received = rc == 0 && c->upload.kind == QUEUE_UPLOAD_FINAL ? c->upload.id : SLICE_NONE;
	return rc;
}

static const struct write_ops upload_ops = {.prepare = prepare_upload, .run = run_upload, .answer = answer_past, .done = done};

/* Small files ride on the store's flush; their bytes are read here. */
static int read_upload(struct changing *c, struct slice body)
{
	struct ipc_mailbox_commit commit;
	uint64_t size;
	struct van_arena *a = c->base.arena;
	int rc = record_decode(&ipc_mailbox_commit_table, body, a, &commit);
	size = commit.content.n;
	if (rc == 0 && c->fd >= 0)
		rc = fd_size(c->fd, &size);
	if (rc < 0)
		return rc;
	if (size != commit.bytes)
		return van_error_set(&c->base.err, VAN_EINVAL, "the file is not complete");
	c->upload.name = commit.name;
	if (commit.pickup && c->e->poll) {
		c->upload.pickup_name = commit.pickup->name;
		c->upload.pickup_bytes = commit.pickup->bytes;
		c->upload.pickup_time = commit.pickup->time;
	}
	c->upload.section = commit.section;
	c->upload.kind = commit.unfinished ? QUEUE_UPLOAD_UNFINISHED : commit.staged ? QUEUE_UPLOAD_STAGED : QUEUE_UPLOAD_FINAL;
	c->upload.limits = c->e->limits;
	c->upload.bytes = commit.bytes;
	c->upload.sha256 = commit.sha256;
	c->upload.salt = commit.salt;
	c->upload.salted_sha256 = commit.salted_sha256;
	c->upload.hashing = commit.hashing;
	c->upload.file = commit.bytes > QUEUE_INLINE_MAX;
	c->upload.content = slice_make(commit.content.p ? commit.content.p : "", commit.content.n);
	if (c->upload.file || c->fd < 0)
		return c->fd < 0 && c->upload.file ? VAN_EINVAL : 0;
	char *bytes = van_arena_alloc(a, commit.bytes + 1);
	rc = bytes ? fd_pread_all(c->fd, bytes, commit.bytes, 0) : VAN_ENOMEM;
	c->upload.content = slice_make(bytes, commit.bytes);
	return rc;
}

void session_commit(struct session *e, struct ipc_message *m)
{
	struct changing *c = changing_new(e, m, &upload_ops);
	struct slice body = c ? van_arena_slice(c->base.arena, m->body) : SLICE_NONE;
	if (c)
		c->fd = ipc_take_fd(m, 0);
	int rc = body.p ? read_upload(c, body) : VAN_ENOMEM;
	if (rc == 0 && e->max_message && c->upload.bytes > e->max_message)
		rc = van_error_set(&c->base.err, VAN_EDENIED, "the file is larger than this mailbox takes");
	if (rc == 0 && !store_has_room(e->s))
		rc = VAN_ENOSPC;
	if (rc == 0) {
		c->base.small = !c->upload.file;
		writer_submit(&c->base);
		return;
	}
	session_refuse(e, m->request, rc, c ? &c->base.err : NULL);
	if (c)
		changing_free(c);
}

/* --- the others -------------------------------------------------------------------------------------------------------------------- */

/* What was uploaded is a message already: no one's to take away or rename any more, and clients that try are told it went well
 * when they only tidy up. */
static int uploaded_already(struct changing *c, struct queue_work *w, struct slice name)
{
	struct queue_mailbox_entry e;
	int rc = queue_mailbox_find_uploaded(w, c->upload.connection, name, QUEUE_UPLOADED_LATELY, &e);
	return rc == VAN_ENOTFOUND ? van_error_set(&w->err, VAN_ENOTFOUND, "no such file") : rc;
}

static struct queue_place place_in(const struct changing *c, enum queue_folder folder, struct slice section, struct slice name)
{
	return (struct queue_place){c->upload.connection, folder, section, name};
}

static int run_collected(struct changing *c, struct queue_work *w)
{
	bool archive = c->name.folder == IPC_FOLDER_OUT_ARCHIVE;
	struct queue_place at = place_in(c, archive ? QUEUE_FOLDER_OUT_ARCHIVE : QUEUE_FOLDER_OUT, c->name.section, c->name.name);
	if (c->name.folder != IPC_FOLDER_OUT && !archive)
		return 0;
	int rc = queue_mailbox_collected(w, &at, c->name.id, c->upload.actor);
	if (rc == VAN_ENOTFOUND) {
		c->late = true;
		return queue_mailbox_collected_late(w, at.connection, c->name.id, c->upload.actor);
	}
	return rc == 0 && !archive && c->e->taken == PROFILE_TAKEN_DOWNLOAD ? queue_mailbox_taken(w, &at, c->upload.actor) : rc;
}

static int run_fetched(struct changing *c, struct queue_work *w)
{
	struct queue_place at = place_in(c, session_folder(c->name.folder), c->name.section, c->name.name);
	int rc = c->name.folder == IPC_FOLDER_OUT ? queue_mailbox_fetched(w, &at, c->name.id, c->name.fetched) : 0;
	c->late = rc == VAN_ENOTFOUND;
	if (rc == 0 || c->late)
		rc = queue_mailbox_looked_at(w, &at, c->name.id, c->upload.actor);
	c->late |= rc == VAN_ENOTFOUND;
	return rc == VAN_ENOTFOUND ? 0 : rc; /* an upload that another one has replaced since */
}

static int run_remove(struct changing *c, struct queue_work *w)
{
	struct queue_place at = place_in(c, QUEUE_FOLDER_OUT, c->name.section, c->name.name);
	if (c->name.folder == IPC_FOLDER_OUT)
		return queue_mailbox_taken(w, &at, c->upload.actor);
	if (c->name.folder != IPC_FOLDER_IN)
		return van_error_set(&w->err, VAN_EDENIED, "the archive can only be read");
	at.folder = QUEUE_FOLDER_STAGED;
	struct queue_removal why = {RECEIPT_SFTP_IN, c->upload.partner, c->upload.actor};
	int rc = queue_mailbox_remove_staged(w, &at, &why, &c->replaced);
	return rc == VAN_ENOTFOUND ? uploaded_already(c, w, c->name.name) : rc;
}

/* Renamed or moved, a file is taken. A name that another one bears stays that one's; its own name is no change at all. */
static int take_by_rename(struct changing *c, struct queue_work *w, const struct queue_place *from)
{
	const struct ipc_mailbox_rename *n = &c->rename;
	struct queue_place to = place_in(c, QUEUE_FOLDER_OUT, n->to_section, n->to);
	struct queue_mailbox_entry other;
	bool itself = slice_eq(n->from, n->to) && slice_eq(n->from_section, n->to_section);
	int rc = n->to_folder == IPC_FOLDER_OUT ? queue_mailbox_find(w, &to, &other) : VAN_ENOTFOUND;
	if (rc == 0 && (!itself || !n->replace))
		return van_error_set(&w->err, VAN_EEXISTS, "a file of that name waits here already: fetch and delete it first");
	return rc == VAN_ENOTFOUND ? queue_mailbox_taken(w, from, c->upload.actor) : rc;
}

static int run_rename(struct changing *c, struct queue_work *w)
{
	const struct ipc_mailbox_rename *n = &c->rename;
	struct queue_place from = place_in(c, QUEUE_FOLDER_OUT, n->from_section, n->from);
	if (n->folder == IPC_FOLDER_OUT && n->to_folder != IPC_FOLDER_IN)
		return take_by_rename(c, w, &from);
	if (n->folder != IPC_FOLDER_IN || n->to_folder != IPC_FOLDER_IN)
		return van_error_set(&w->err, VAN_EDENIED, "files can't be moved between these folders");
	from.folder = QUEUE_FOLDER_STAGED;
	struct queue_place to = place_in(c, QUEUE_FOLDER_STAGED, n->to_section, n->to);
	int rc = queue_mailbox_rename_staged(w, &from, &to, n->staged, n->replace, &c->upload, &c->received, &c->replaced);
	return rc == VAN_ENOTFOUND ? uploaded_already(c, w, n->from) : rc;
}

static int run_change(struct write_request *r, struct queue_work *w)
{
	struct changing *c = (struct changing *)r;
	c->replaced = c->received = SLICE_NONE;
	c->late = false;
	switch (c->type) {
	case IPC_MAILBOX_COLLECTED: return run_collected(c, w);
	case IPC_MAILBOX_FETCHED: return run_fetched(c, w);
	case IPC_MAILBOX_SYNC: return 0;
	case IPC_PICKUP_GONE: return queue_pickup_forget(w, c->upload.connection, c->pickup.name);
	case IPC_MAILBOX_REMOVE: return run_remove(c, w);
	default: return run_rename(c, w);
	}
}

static const struct write_ops change_ops = {.run = run_change, .answer = answer_past, .done = done};

void session_change(struct session *e, struct ipc_message *m)
{
	struct changing *c = changing_new(e, m, &change_ops);
	struct slice body = c ? van_arena_slice(c->base.arena, m->body) : SLICE_NONE;
	int rc = VAN_ENOMEM;
	if (body.p && m->type == IPC_MAILBOX_RENAME)
		rc = record_decode(&ipc_mailbox_rename_table, body, c->base.arena, &c->rename);
	else if (body.p && m->type == IPC_PICKUP_GONE)
		rc = record_decode(&ipc_pickup_table, body, c->base.arena, &c->pickup);
	else if (body.p && m->type == IPC_MAILBOX_SYNC)
		rc = 0;
	else if (body.p)
		rc = record_decode(&ipc_mailbox_name_table, body, c->base.arena, &c->name);
	if (rc == 0) {
		/* That something was fetched is noted in passing: the client goes on meanwhile, and must not be slowed by it. */
		c->base.patient = c->base.aside = !m->request;
		c->base.small = true;
		writer_submit(&c->base);
		return;
	}
	if (m->request)
		session_refuse(e, m->request, rc, NULL);
	if (c)
		changing_free(c);
}

void session_note_look(struct session *e, const struct ipc_mailbox_name *name, struct slice id)
{
	struct ipc_message m = {.type = IPC_MAILBOX_FETCHED};
	struct changing *c = changing_new(e, &m, &change_ops);
	if (!c)
		return;
	c->name = (struct ipc_mailbox_name){.folder = name->folder, .section = van_arena_slice(c->base.arena, name->section),
					    .name = van_arena_slice(c->base.arena, name->name), .id = van_arena_slice(c->base.arena, id)};
	c->base.patient = c->base.aside = true;
	writer_submit(&c->base);
}
