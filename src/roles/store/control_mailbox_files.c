/* mailbox.get, mailbox.put, mailbox.purge: an operator's hands in a mailbox. */
#include "base/fdio.h"
#include "queue/mailbox.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"
#include "roles/store/store_role.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#define PUT_MAX ((uint64_t)64 << 20) /* the writer waits while it is copied: larger files come over SFTP */
#define PURGE_AT_ONCE 10000

/* The first mailbox of the partner, or that connection. NULL with c->error set. */
static const struct profile_connection *find_mailbox(struct control_call *c, const struct profile **ret_partner)
{
	struct slice id = control_arg_text(&c->args, "partner"), wanted = control_arg_text(&c->args, "connection");
	const struct profile *p = directory_get(c->work->directory, PROFILE_PARTNER, id);
	if (!p) {
		control_say(c, 1, "there is no partner '%.*s'; vanctl partner list shows them", SLICE_ARG(id));
		return NULL;
	}
	for (size_t i = 0; i < p->partner->connections.n; i++) {
		const struct profile_connection *x = RECORD_AT(p->partner->connections, struct profile_connection, i);
		if (x->protocol != PROFILE_SFTP_MAILBOX || (wanted.p && !slice_eq(wanted, x->id)))
			continue;
		if (ret_partner)
			*ret_partner = p;
		return x;
	}
	control_say(c, 1, "partner '%.*s' has no mailbox%s%.*s; vanctl partner show prints its connections", SLICE_ARG(id), wanted.p ? " " : "", SLICE_ARG(wanted));
	return NULL;
}

/* --- looking for a file -------------------------------------------------------------------------------------------------------------- */

struct finding {
	struct queue_work *w;
	struct slice message; /* absent: any */
	struct queue_place at;
	struct queue_mailbox_entry found;
	bool any;
};

/* Entries are asked for by their names, one for each day of an archive: a mailbox may hold millions. */
static int look(struct finding *f)
{
	struct queue_mailbox_entry e;
	int rc = queue_mailbox_find(f->w, &f->at, &e);
	if (rc == 0 && (!f->message.p || slice_eq(e.message, f->message))) {
		f->found = e;
		f->any = true;
	}
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static int in_section(void *arg, struct slice section)
{
	struct finding *f = arg;
	f->at.section = van_arena_slice(f->w->arena, section);
	return f->at.section.p ? look(f) : VAN_ENOMEM; /* the latest one counts: archives are in the order of dates */
}

/* What waits first, then archives, then what is being uploaded. */
static int find_name(struct finding *f, struct slice connection, struct slice name)
{
	static const enum queue_folder folders[] = {QUEUE_FOLDER_OUT, QUEUE_FOLDER_OUT_ARCHIVE, QUEUE_FOLDER_IN_ARCHIVE, QUEUE_FOLDER_STAGED};
	int rc = 0;
	for (size_t i = 0; rc == 0 && !f->any && i < sizeof folders / sizeof *folders; i++) {
		f->at = (struct queue_place){connection, folders[i], SLICE_NONE, name};
		if (folders[i] == QUEUE_FOLDER_OUT || folders[i] == QUEUE_FOLDER_STAGED)
			rc = look(f);
		if (rc == 0)
			rc = queue_mailbox_sections(f->w, connection, folders[i], in_section, f);
	}
	return rc < 0 ? rc : 0;
}

/* By the name that its message has, or that it got in the archive when a later one took that. */
static int find_message(struct finding *f, struct slice connection, struct slice id)
{
	struct queue_message m;
	int rc = queue_message_get(f->w, id, &m);
	const char *slash = rc == 0 && m.file_name.n ? memrchr(m.file_name.p, '/', m.file_name.n) : NULL;
	if (rc < 0 || !m.file_name.n)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	size_t before = slash ? (size_t)(slash - m.file_name.p) + 1 : 0;
	struct slice name = slice_make(m.file_name.p + before, m.file_name.n - before);
	f->message = id;
	rc = find_name(f, connection, name);
	if (rc == 0 && !f->any)
		rc = find_name(f, connection, queue_mailbox_older_name(f->w, name, id));
	return rc;
}

/* 0, VAN_ENOTFOUND or another negative. */
static int find_file(struct queue_work *w, struct slice connection, struct slice wanted, struct queue_mailbox_entry *ret)
{
	struct finding f = {.w = w};
	int rc = find_name(&f, connection, wanted);
	if (rc == 0 && !f.any && van_id_valid(wanted))
		rc = find_message(&f, connection, wanted);
	if (f.any)
		*ret = f.found;
	return rc < 0 ? rc : f.any ? 0 : VAN_ENOTFOUND;
}

int control_mailbox_get(struct control_call *c)
{
	struct slice name = control_arg_text(&c->args, "name");
	struct queue_mailbox_entry e;
	struct queue_content content = {.fd = -1};
	const struct profile_connection *m = find_mailbox(c, NULL);
	if (!m)
		return 1;
	int rc = find_file(c->work, m->id, name, &e);
	if (rc == VAN_ENOTFOUND)
		return control_say(c, 1, "there is no file '%.*s' in that mailbox; vanctl mailbox list --all shows them", SLICE_ARG(name));
	if (rc == 0)
		rc = queue_part_open(c->work, e.message, e.part, &content);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	return control_take_content(c, e.message, e.part, e.message, e.name, &content);
}

/* --- putting ------------------------------------------------------------------------------------------------------------------------- */

/* What prepare leaves for write. */
struct put {
	char *bytes; /* of a small file */
	bool file;
	uint64_t size;
	unsigned char sha256[32];
	struct receipt_artefact artefact;
};

static int hash_file(int fd, unsigned char to[32], uint64_t *ret_size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char piece[65536];
	ssize_t n = -1;
	uint64_t at = 0;
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
	while (ok && (n = pread(fd, piece, sizeof piece, (off_t)at)) > 0) {
		ok = EVP_DigestUpdate(ctx, piece, (size_t)n) == 1;
		at += (uint64_t)n;
	}
	ok = ok && n == 0 && EVP_DigestFinal_ex(ctx, to, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	*ret_size = at;
	return ok ? 0 : VAN_EIO;
}

/* Copies: the operator's file stays the operator's. */
static int copy_and_link(struct control_call *c, struct put *p)
{
	struct payload_dir *d = queue_payload(c->work->q);
	char piece[65536];
	int fd = payload_create_unnamed(d, &c->work->err), rc = fd < 0 ? fd : 0;
	for (uint64_t at = 0; rc == 0 && at < p->size;) {
		size_t n = p->size - at < sizeof piece ? (size_t)(p->size - at) : sizeof piece;
		rc = fd_pread_all(c->in_fd, piece, n, (off_t)at);
		if (rc == 0)
			rc = fd_pwrite_all(fd, piece, n, (off_t)at);
		at += n;
	}
	if (rc == 0)
		rc = hash_file(fd, p->sha256, &p->size); /* of what is kept, whatever happens to the operator's file */
	if (rc == 0)
		rc = receipt_artefact_of_fd(&p->artefact, "payload", fd);
	if (rc == 0)
		rc = payload_link(d, fd, slice_make(c->id.text, VAN_ID_LEN), "payload", &c->work->err);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int take_small(struct control_call *c, struct put *p)
{
	p->bytes = van_arena_alloc(c->arena, p->size + 1);
	int rc = p->bytes ? fd_pread_all(c->in_fd, p->bytes, p->size, 0) : VAN_ENOMEM;
	if (rc < 0)
		return rc;
	struct receipt_hash h = receipt_sha256(p->bytes, p->size);
	memcpy(p->sha256, h.b, sizeof p->sha256);
	receipt_artefact_of(&p->artefact, "payload", slice_make(p->bytes, p->size));
	return 0;
}

int control_mailbox_put_prepare(struct control_call *c)
{
	struct put *p = van_arena_alloc(c->arena, sizeof *p);
	if (!p)
		return VAN_ENOMEM;
	*p = (struct put){.file = false};
	if (!find_mailbox(c, NULL))
		return 1;
	int rc = c->in_fd < 0 ? VAN_EINVAL : fd_size(c->in_fd, &p->size);
	if (rc < 0)
		return control_say(c, 2, "the file did not come with the request, or is no plain file");
	if (p->size > PUT_MAX)
		return control_say(c, 1, "files of more than 64 MiB are put into mailboxes over SFTP or AS2");
	p->file = p->size > QUEUE_INLINE_MAX;
	rc = p->file ? copy_and_link(c, p) : take_small(c, p);
	c->state = p;
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

int control_mailbox_put(struct control_call *c)
{
	const struct put *p = c->state;
	const struct profile *partner;
	const struct profile_connection *m = find_mailbox(c, &partner);
	if (!m)
		return 1;
	struct queue_upload u = {
		.id = slice_make(c->id.text, VAN_ID_LEN), .partner = partner->id, .connection = m->id, .name = control_arg_text(&c->args, "name"),
		.actor = c->actor, .partner_version = partner->version, .kind = QUEUE_UPLOAD_FINAL, .file = p->file,
		.content = slice_make(p->bytes, p->bytes ? p->size : 0), .bytes = p->size, .sha256 = slice_make(p->sha256, sizeof p->sha256),
		.salt = slice_make(p->artefact.salt, sizeof p->artefact.salt), .salted_sha256 = slice_make(p->artefact.sha256.b, RECEIPT_HASH),
	};
	bool in = control_arg_flag(&c->args, "in");
	int rc = in ? queue_mailbox_upload(c->work, &u, NULL) : queue_mailbox_hand_in(c->work, &u);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	if (in)
		control_wake_job(c, u.id);
	van_buf_append_str(c->out, "{\"id\":");
	json_put_text(c->out, u.id);
	van_buf_append_str(c->out, ",\"name\":");
	json_put_text(c->out, u.name);
	return van_buf_append_char(c->out, '}');
}

/* --- purging ------------------------------------------------------------------------------------------------------------------------- */

struct purge {
	struct control_call *c;
	struct slice wanted; /* absent: everything that is old enough */
	van_time before;
	struct queue_place at;
	struct queue_place *v;
	size_t n;
	bool more;
};

static int add_old(void *arg, const struct queue_mailbox_entry *e)
{
	struct purge *p = arg;
	if (p->wanted.p ? !slice_eq(e->name, p->wanted) && !slice_eq(e->message, p->wanted) : e->time >= p->before)
		return 0;
	if (p->n == PURGE_AT_ONCE) {
		p->more = true;
		return 1;
	}
	p->v[p->n] = p->at;
	p->v[p->n++].name = e->name;
	return 0;
}

static int purge_section(void *arg, struct slice section)
{
	struct purge *p = arg;
	p->at.section = van_arena_slice(p->c->arena, section);
	int rc = p->at.section.p ? queue_mailbox_each(p->c->work, &p->at, SLICE_NONE, add_old, p) : VAN_ENOMEM;
	return rc;
}

static int collect(struct purge *p, struct slice connection, enum queue_folder folder)
{
	int rc = 0;
	p->at = (struct queue_place){connection, folder, SLICE_NONE, SLICE_NONE};
	if (folder == QUEUE_FOLDER_OUT || folder == QUEUE_FOLDER_STAGED)
		rc = queue_mailbox_each(p->c->work, &p->at, SLICE_NONE, add_old, p);
	if (rc == 0)
		rc = queue_mailbox_sections(p->c->work, connection, folder, purge_section, p);
	return rc < 0 ? rc : 0;
}

static int purge_all(struct control_call *c, struct purge *p)
{
	struct slice_list *files = van_arena_alloc(c->arena, sizeof *files);
	struct slice *v = van_arena_array(c->arena, p->n + 1, sizeof *v);
	if (!files || !v)
		return VAN_ENOMEM;
	*files = (struct slice_list){v, 0};
	const struct queue_removal by = {RECEIPT_OPERATOR, control_arg_text(&c->args, "partner"), c->actor};
	for (size_t i = 0; i < p->n; i++) {
		int rc = queue_mailbox_purge(c->work, &p->v[i], &by, &v[files->n]);
		if (rc < 0)
			return control_refuse(c, rc, &c->work->err);
		files->n += v[files->n].p != NULL;
	}
	c->state = files;
	return van_buf_printf(c->out, "{\"purged\":%zu,\"more\":%s}", p->n, p->more ? "true" : "false");
}

void control_mailbox_purge_committed(struct control_call *c, struct directory *d)
{
	const struct slice_list *files = c->state;
	(void)d;
	for (size_t i = 0; i < files->n; i++)
		payload_remove(c->role->payload, files->v[i], "payload", NULL);
}

int control_mailbox_purge(struct control_call *c)
{
	struct purge p = {.c = c, .wanted = control_arg_text(&c->args, "name"), .before = control_arg_time(&c->args, "before")};
	int folder = control_arg_name(&c->args, "folder", control_folders);
	const struct profile_connection *m = find_mailbox(c, NULL);
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (!m)
		return 1;
	if (!p.wanted.p && !p.before)
		return control_say(c, 2, "say what: a file's name or id, or --before TIME with --folder");
	if (!p.wanted.p && folder < 0)
		return control_say(c, 2, "say where: --folder out, uploads, archive, in-archive or out-archive");
	p.v = van_arena_array(c->arena, PURGE_AT_ONCE, sizeof *p.v);
	int rc = p.v ? 0 : VAN_ENOMEM;
	static const enum queue_folder places[] = {QUEUE_FOLDER_OUT, QUEUE_FOLDER_STAGED, QUEUE_FOLDER_IN_ARCHIVE, QUEUE_FOLDER_OUT_ARCHIVE};
	for (int i = 0; rc == 0 && i < 4; i++)
		if (folder < 0 || control_folder_is(folder, i))
			rc = collect(&p, m->id, places[i]);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	if (p.wanted.p && !p.n)
		return control_say(c, 1, "there is no file '%.*s' in that mailbox; vanctl mailbox list --all shows them", SLICE_ARG(p.wanted));
	return purge_all(c, &p);
}
