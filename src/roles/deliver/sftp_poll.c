/* What lies on a partner's server becomes messages here, each file once: the store remembers a file (name, length, time) in the very
 * transaction that makes the message, and forgets it when it is gone from the server. So whatever breaks between fetching and
 * deleting, the next poll only deletes. */
#include "roles/deliver/sftp_job.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/id.h"
#include "base/log.h"
#include "partner/profile.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES_MAX 10000 /* of one poll; the others wait for the next */
#define PIECE ((size_t)32768)
#define ANSWER_TIME (60 * VAN_SECOND)
#define FLUSH_HERE ((uint64_t)64 << 10)
#define SALT 16

struct remote {
	char *name;
	uint64_t bytes, time;
};

struct poll {
	struct sftp_client *c;
	const struct ipc_poll *what;
	struct ipc_channel *store;
	struct van_arena *arena;
	uint64_t request;
	struct remote *files;
	size_t n;
	bool more;
	unsigned taken, failed;
};

/* --- the store ----------------------------------------------------------------------------------------------------------------- */

/* 0, VAN_ENOTFOUND (the answer is no) or another negative, with the client's error. *ret_fd as in the answer, may be NULL. */
static int ask(struct poll *p, uint32_t type, const struct record_table *t, const void *message, int fd, int *ret_fd)
{
	struct ipc_message m;
	struct ipc_mailbox_reply r;
	int rc = ipc_send(p->store, type, ++p->request, t, message, fd >= 0 ? &fd : NULL, fd >= 0);
	alarm(0); /* the server is not to blame */
	while (rc >= 0 && (rc = ipc_receive(p->store, ANSWER_TIME, &m)) >= 0 && m.request != p->request)
		;
	sftp_client_progress(p->c);
	van_arena_reset(p->arena);
	if (rc >= 0)
		rc = record_decode(&ipc_mailbox_reply_table, m.body, p->arena, &r);
	if (rc < 0) {
		snprintf(p->c->error, sizeof p->c->error, "the store does not answer");
		return rc == VAN_ENOTFOUND ? VAN_ECLOSED : rc;
	}
	if (ret_fd)
		*ret_fd = ipc_take_fd(&m, 0);
	if (r.status == IPC_MAILBOX_OK)
		return 0;
	snprintf(p->c->error, sizeof p->c->error, "%.*s", SLICE_ARG(r.text));
	return r.status == IPC_MAILBOX_NO_FILE ? VAN_ENOTFOUND : VAN_ENOSPC;
}

static struct ipc_pickup pickup_of(const struct remote *f)
{
	return (struct ipc_pickup){slice_str(f->name), f->bytes, f->time};
}

/* --- looking ------------------------------------------------------------------------------------------------------------------- */

static bool ends_with(struct slice name, const char *suffix)
{
	size_t n = strlen(suffix);
	return name.n > n && slice_case_is(slice_make(name.p + name.n - n, n), suffix);
}

static bool wanted(const struct ipc_poll *w, const char *name)
{
	char pattern[256];
	struct slice s = slice_str(name);
	if (!w->patterns.n)
		return name[0] != '.' && !ends_with(s, ".part") && !ends_with(s, ".filepart") && !ends_with(s, ".tmp");
	for (size_t i = 0; i < w->patterns.n; i++) {
		snprintf(pattern, sizeof pattern, "%.*s", SLICE_ARG(w->patterns.v[i]));
		if (fnmatch(pattern, name, FNM_NOESCAPE | FNM_CASEFOLD | FNM_PERIOD) == 0)
			return true;
	}
	return false;
}

/* A name that a message can have, whatever the server says. */
static bool name_ok(const char *name)
{
	size_t n = strlen(name);
	return n >= 1 && n <= 255 && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int add(struct poll *p, sftp_attributes a)
{
	if (a->type != SSH_FILEXFER_TYPE_REGULAR || !a->name || !name_ok(a->name) || !wanted(p->what, a->name))
		return 0;
	if (p->n == FILES_MAX) {
		p->more = true;
		return 0;
	}
	struct remote *f = &p->files[p->n];
	*f = (struct remote){strdup(a->name), a->size, a->mtime64 ? a->mtime64 : a->mtime};
	if (!f->name)
		return VAN_ENOMEM;
	p->n++;
	return 0;
}

static int list(struct poll *p)
{
	char folder[SFTP_CLIENT_PATH];
	snprintf(folder, sizeof folder, "%.*s", SLICE_ARG(p->what->folder));
	sftp_dir d = sftp_opendir(p->c->sftp, folder);
	sftp_attributes a;
	int rc = d ? 0 : sftp_client_failed(p->c, VAN_EIO, "can't list", folder);
	while (rc == 0 && (a = sftp_readdir(p->c->sftp, d))) {
		sftp_client_progress(p->c);
		rc = add(p, a);
		sftp_attributes_free(a);
	}
	if (rc == 0 && !sftp_dir_eof(d))
		rc = sftp_client_failed(p->c, VAN_EIO, "the listing broke off:", folder);
	if (d)
		sftp_closedir(d);
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const struct remote *x = a, *y = b;
	return x->time != y->time ? x->time < y->time ? -1 : 1 : strcmp(x->name, y->name);
}

/* What the store remembers and the server has no more: gone, though we could not say so at the time. */
static int forget_gone(struct poll *p)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && !p->more && i < p->what->remembered.n; i++) {
		struct ipc_pickup gone = {.name = p->what->remembered.v[i]};
		bool there = false;
		for (size_t k = 0; k < p->n; k++)
			there |= slice_is(gone.name, p->files[k].name);
		if (!there)
			rc = ask(p, IPC_PICKUP_GONE, &ipc_pickup_table, &gone, -1, NULL);
	}
	return rc;
}

/* --- fetching ------------------------------------------------------------------------------------------------------------------ */

struct hashes {
	EVP_MD_CTX *plain, *salted;
	unsigned char salt[SALT], sha256[32], salted_sha256[32];
};

static bool begin(struct hashes *h)
{
	van_random(h->salt, sizeof h->salt);
	h->plain = EVP_MD_CTX_new();
	h->salted = EVP_MD_CTX_new();
	return h->plain && h->salted && EVP_DigestInit_ex(h->plain, EVP_sha256(), NULL) == 1 && EVP_DigestInit_ex(h->salted, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(h->salted, h->salt, sizeof h->salt) == 1;
}

static bool end(struct hashes *h)
{
	return EVP_DigestFinal_ex(h->plain, h->sha256, NULL) == 1 && EVP_DigestFinal_ex(h->salted, h->salted_sha256, NULL) == 1;
}

static int copy(struct poll *p, const struct remote *f, const char *path, int to, struct hashes *h)
{
	char piece[PIECE];
	uint64_t at = 0;
	ssize_t n = 0;
	int rc = 0;
	sftp_file in = sftp_open(p->c->sftp, path, O_RDONLY, 0);
	if (!in)
		return sftp_client_failed(p->c, VAN_EIO, "can't read", path);
	while (rc == 0 && (n = sftp_read(in, piece, sizeof piece)) > 0) {
		sftp_client_progress(p->c);
		rc = fd_pwrite_all(to, piece, (size_t)n, (off_t)at);
		if (rc == 0 && (EVP_DigestUpdate(h->plain, piece, (size_t)n) != 1 || EVP_DigestUpdate(h->salted, piece, (size_t)n) != 1))
			rc = VAN_ECRYPTO;
		at += (uint64_t)n;
		if (at > f->bytes) /* it grows, or has no end */
			break;
	}
	if (rc < 0)
		snprintf(p->c->error, sizeof p->c->error, "%.200s could not be written here: %s", path, van_err_name(rc));
	else if (n < 0)
		rc = sftp_client_failed(p->c, VAN_EIO, "reading broke off at", path);
	sftp_close(in);
	/* Was it being written while we read? Then the next poll takes it. */
	sftp_attributes a = rc == 0 ? sftp_stat(p->c->sftp, path) : NULL;
	if (rc == 0 && (!a || a->size != f->bytes || at != f->bytes || (a->mtime64 ? a->mtime64 : a->mtime) != f->time)) {
		snprintf(p->c->error, sizeof p->c->error, "%.200s changed while it was fetched: it is taken another time", path);
		rc = VAN_EAGAIN;
	}
	sftp_attributes_free(a);
	if (rc == 0 && at >= FLUSH_HERE && fdatasync(to) < 0)
		rc = VAN_EIO;
	return rc;
}

static int too_large(struct poll *p, const char *path)
{
	snprintf(p->c->error, sizeof p->c->error, "%.200s is larger than this connection takes: it stays there", path);
	return VAN_EDENIED;
}

static int fetch(struct poll *p, const struct remote *f, const char *path)
{
	if (p->what->max && f->bytes > p->what->max)
		return too_large(p, path);
	struct hashes h = {0};
	struct ipc_pickup pickup = pickup_of(f);
	int fd = -1, rc = ask(p, IPC_MAILBOX_CREATE, NULL, NULL, -1, &fd);
	if (rc == 0)
		rc = fd >= 0 && begin(&h) ? copy(p, f, path, fd, &h) : VAN_ENOMEM;
	if (rc == 0 && !end(&h))
		rc = VAN_ECRYPTO;
	if (rc == 0) {
		struct ipc_mailbox_commit m = {.name = slice_str(f->name), .bytes = f->bytes, .sha256 = slice_make(h.sha256, sizeof h.sha256),
					       .salt = slice_make(h.salt, sizeof h.salt),
					       .salted_sha256 = slice_make(h.salted_sha256, sizeof h.salted_sha256), .pickup = &pickup};
		van_fault_point("poll-before-commit");
		rc = ask(p, IPC_MAILBOX_COMMIT, &ipc_mailbox_commit_table, &m, fd, NULL);
		van_fault_point("poll-after-commit");
	}
	EVP_MD_CTX_free(h.plain);
	EVP_MD_CTX_free(h.salted);
	if (fd >= 0)
		close(fd);
	p->taken += rc == 0;
	return rc;
}

/* Deletes it there, or puts it into the archive. */
static int clear_away(struct poll *p, const struct remote *f, const char *path)
{
	char to[SFTP_CLIENT_PATH];
	struct ipc_pickup pickup = pickup_of(f);
	if (p->what->after == PROFILE_FETCHED_KEEP)
		return 0;
	if (p->what->after == PROFILE_FETCHED_DELETE && sftp_unlink(p->c->sftp, path) < 0)
		return sftp_client_failed(p->c, VAN_EIO, "fetched, but can't delete", path);
	if (p->what->after == PROFILE_FETCHED_ARCHIVE) {
		if (!sftp_client_path(p->c, to, p->what->archive, slice_str(f->name)))
			return VAN_ELIMIT;
		if (sftp_rename(p->c->sftp, path, to) < 0) { /* one of that name may be there from another day */
			size_t n = strlen(to);
			snprintf(to + n, sizeof to - n, "~%llu", (unsigned long long)f->time);
			if (sftp_rename(p->c->sftp, path, to) < 0)
				return sftp_client_failed(p->c, VAN_EIO, "fetched, but can't archive", path);
		}
	}
	van_fault_point("poll-after-delete");
	return ask(p, IPC_PICKUP_GONE, &ipc_pickup_table, &pickup, -1, NULL);
}

static int take(struct poll *p, const struct remote *f)
{
	char path[SFTP_CLIENT_PATH];
	struct ipc_pickup pickup = pickup_of(f);
	if (!sftp_client_path(p->c, path, p->what->folder, slice_str(f->name)))
		return VAN_ELIMIT;
	int rc = ask(p, IPC_PICKUP_SEEN, &ipc_pickup_table, &pickup, -1, NULL);
	if (rc == VAN_ENOTFOUND)
		rc = fetch(p, f, path);
	return rc < 0 ? rc : clear_away(p, f, path);
}

/* One file's trouble is not the others'; the store's is. */
static int take_all(struct poll *p)
{
	char first[sizeof p->c->error] = "";
	int rc = 0;
	for (size_t i = 0; i < p->n; i++) {
		int one = take(p, &p->files[i]);
		if (one == 0)
			continue;
		p->failed++;
		if (!first[0])
			snprintf(first, sizeof first, "%s", p->c->error);
		rc = one;
		log_event(LOG_LEVEL_WARNING, "poll-file", "file", p->files[i].name, "error", p->c->error, NULL);
		if (one == VAN_ECLOSED || one == VAN_ETIMEOUT || one == VAN_ENOSPC || !ssh_is_connected(p->c->ssh))
			break;
	}
	if (first[0])
		snprintf(p->c->error, sizeof p->c->error, "%s", first);
	return rc;
}

int sftp_poll(struct sftp_client *c, const struct ipc_poll *what, int store, char *ret_report, size_t room)
{
	struct poll p = {.c = c, .what = what, .store = ipc_channel_new(store), .arena = van_arena_new(1 << 20),
			 .files = calloc(FILES_MAX, sizeof *p.files)};
	int rc = p.store && p.arena && p.files ? 0 : VAN_ENOMEM;
	if (rc == 0)
		rc = list(&p);
	if (rc == 0)
		rc = forget_gone(&p);
	if (rc == 0)
		qsort(p.files, p.n, sizeof *p.files, by_time);
	if (rc == 0)
		rc = take_all(&p);
	snprintf(ret_report, room, "%u fetched of %zu%s%s", p.taken, p.n, rc < 0 ? ": " : "", rc < 0 ? c->error : "");
	struct ipc_verdict v = {.ok = rc == 0, .error = slice_str(ret_report)};
	if (p.store)
		ipc_send(p.store, IPC_POLL_DONE, 0, &ipc_verdict_table, &v, NULL, 0);
	return rc; /* the process ends: what it holds goes with it */
}
