/* What lies on a partner's server becomes messages here, each file once: the store remembers a file (name, length, time) in the very
 * transaction that makes the message, and forgets it when it is gone from the server. So whatever breaks between fetching and
 * deleting, the next poll only deletes. */
#include "roles/deliver/sftp_folder.h"
#include "roles/deliver/sftp_job.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/id.h"
#include "base/log.h"
#include "base/clock.h"
#include "partner/profile.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE ((size_t)32768)
#define ANSWER_TIME (60 * VAN_SECOND)
#define FLUSH_HERE ((uint64_t)64 << 10)
#define SALT 16
#define AWAKE (10 * VAN_SECOND) /* no server hears less of us while files settle */
#define TOLD_MAX 20	       /* files that a look names */

struct poll {
	struct sftp_client *c;
	const struct ipc_poll *what;
	struct ipc_channel *store;
	struct van_arena *arena;
	uint64_t request;
	struct sftp_folder folder;
	unsigned taken, failed, unsettled;
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

static struct ipc_pickup pickup_of(const struct sftp_remote *f)
{
	return (struct ipc_pickup){slice_str(f->name), f->bytes, f->time};
}

/* --- looking ------------------------------------------------------------------------------------------------------------------- */

/* A name that is not asked for now wasn't looked for. */
static bool is_wanted(const struct poll *p, struct slice name)
{
	char text[SFTP_CLIENT_PATH];
	snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
	return sftp_folder_wants(p->what->patterns, text);
}

/* What the store remembers and the server has no more: gone, though we could not say so at the time. */
static int forget_gone(struct poll *p)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && !p->folder.more && i < p->what->remembered.n; i++) {
		struct ipc_pickup gone = {.name = p->what->remembered.v[i]};
		bool there = false;
		for (size_t k = 0; k < p->folder.n; k++)
			there |= slice_is(gone.name, p->folder.files[k].name);
		if (!there && is_wanted(p, gone.name))
			rc = ask(p, IPC_PICKUP_GONE, &ipc_pickup_table, &gone, -1, NULL);
	}
	return rc;
}

static bool too_large(const struct poll *p, const struct sftp_remote *f)
{
	return p->what->max && f->bytes > p->what->max;
}

/* 1, 0 or negative with the client's error. */
static int was_taken(void *arg, const struct sftp_remote *f)
{
	struct ipc_pickup pickup = pickup_of(f);
	int rc = ask(arg, IPC_PICKUP_SEEN, &ipc_pickup_table, &pickup, -1, NULL);
	return rc == VAN_ENOTFOUND ? 0 : rc < 0 ? rc : 1;
}

static int list(struct poll *p, struct sftp_folder *ret)
{
	const struct sftp_folder_known known = {was_taken, p};
	return sftp_folder_list(p->c, p->what, &known, ret);
}

/* Which of them were fetched before? *ret_new: how many were not, and could be. */
static int ask_what_was_taken(struct poll *p, size_t *ret_new)
{
	*ret_new = 0;
	for (size_t i = 0; i < p->folder.n; i++) {
		struct sftp_remote *f = &p->folder.files[i];
		int rc = was_taken(p, f);
		if (rc < 0)
			return rc;
		f->taken = rc;
		*ret_new += !f->taken && !too_large(p, f);
	}
	return 0;
}

/* Waits, but hears when the store wants no more, and lets the server hear of us. */
static int pause_for(struct poll *p, van_time pause)
{
	char folder[SFTP_CLIENT_PATH];
	van_time until = van_clock_monotonic() + pause, least = (van_time)p->c->server->timeout / 2, left;
	snprintf(folder, sizeof folder, "%.*s", SLICE_ARG(p->what->folder));
	while ((left = until - van_clock_monotonic()) > 0) {
		struct pollfd store = {.fd = ipc_channel_fd(p->store), .events = POLLIN};
		van_time step = least < AWAKE ? least : AWAKE;
		if (poll(&store, 1, (int)((left < step ? left : step) / 1000) + 1) > 0) {
			snprintf(p->c->error, sizeof p->c->error, "the poll was ended");
			return VAN_ECLOSED;
		}
		sftp_attributes a = sftp_stat(p->c->sftp, folder);
		if (!a && !ssh_is_connected(p->c->ssh))
			return sftp_client_failed(p->c, VAN_ECLOSED, "the connection broke off while files settled:", folder);
		sftp_attributes_free(a);
		sftp_client_progress(p->c);
	}
	return 0;
}

/* Partners write their files in place, and no server says who is still writing: what is as long and as old a while later is whole. */
static int settle(struct poll *p, size_t new)
{
	struct sftp_folder later = {0};
	int rc = 0;
	for (size_t i = 0; i < p->folder.n && !p->what->settle; i++)
		p->folder.files[i].settled = true;
	if (!new || !p->what->settle)
		return 0;
	rc = pause_for(p, (van_time)p->what->settle);
	if (rc == 0)
		rc = list(p, &later);
	if (rc == 0)
		sftp_folder_settle(&p->folder, &later);
	sftp_folder_free(&later);
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

static int copy(struct poll *p, const struct sftp_remote *f, const char *path, int to, struct hashes *h)
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
		p->unsettled++;
		rc = VAN_EAGAIN;
	}
	sftp_attributes_free(a);
	if (rc == 0 && at >= FLUSH_HERE && fdatasync(to) < 0)
		rc = VAN_EIO;
	return rc;
}

static int fetch(struct poll *p, const struct sftp_remote *f, const char *path)
{
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
static int clear_away(struct poll *p, const struct sftp_remote *f, const char *path)
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

static int take(struct poll *p, const struct sftp_remote *f)
{
	char path[SFTP_CLIENT_PATH];
	if (!sftp_client_path(p->c, path, p->what->folder, slice_str(f->name)))
		return VAN_ELIMIT;
	if (!f->taken && too_large(p, f)) {
		snprintf(p->c->error, sizeof p->c->error, "%.200s is larger than this connection takes: it stays there", path);
		return VAN_EDENIED;
	}
	if (!f->taken && !f->settled) {
		p->unsettled++;
		return 0;
	}
	int rc = f->taken ? 0 : fetch(p, f, path);
	return rc < 0 ? rc : clear_away(p, f, path);
}

/* One file's trouble is not the others'; the store's is. */
static int take_all(struct poll *p)
{
	char first[sizeof p->c->error] = "";
	int rc = 0;
	for (size_t i = 0; i < p->folder.n; i++) {
		int one = take(p, &p->folder.files[i]);
		if (one == 0)
			continue;
		p->failed++;
		if (!first[0])
			snprintf(first, sizeof first, "%s", p->c->error);
		rc = one;
		log_event(LOG_LEVEL_WARNING, "poll-file", "file", p->folder.files[i].name, "error", p->c->error, NULL);
		if (one == VAN_ECLOSED || one == VAN_ETIMEOUT || one == VAN_ENOSPC || !ssh_is_connected(p->c->ssh))
			break;
	}
	if (first[0])
		snprintf(p->c->error, sizeof p->c->error, "%s", first);
	return rc;
}

/* --- telling ---------------------------------------------------------------------------------------------------------------------- */

static enum ipc_poll_fate fate_of(const struct poll *p, const struct sftp_remote *f)
{
	return f->taken ? IPC_POLL_TAKEN : too_large(p, f) ? IPC_POLL_TOO_LARGE : IPC_POLL_WANTED;
}

/* What a look found. */
static void tell_files(const struct poll *p, struct ipc_polled *to, struct ipc_polled_file v[TOLD_MAX])
{
	for (size_t i = 0; i < p->folder.n; i++) {
		const struct sftp_remote *f = &p->folder.files[i];
		if (to->files.n < TOLD_MAX)
			v[to->files.n++] = (struct ipc_polled_file){slice_str(f->name), f->bytes, (van_time)f->time * VAN_SECOND, fate_of(p, f)};
		to->wanted += fate_of(p, f) == IPC_POLL_WANTED;
	}
	to->files.v = v;
}

static void report(struct poll *p, int rc, char *to, size_t room)
{
	struct ipc_polled_file files[TOLD_MAX];
	size_t all = p->folder.n + p->folder.known;
	struct ipc_polled told = {.ok = rc == 0, .reached = true, .unsettled = p->unsettled, .listed = all, .others = p->folder.others};
	char waits[64] = "";
	if (p->unsettled)
		snprintf(waits, sizeof waits, ", %u still being written", p->unsettled);
	if (p->what->look)
		snprintf(to, room, "looked at %zu%s%s", all, rc < 0 ? ": " : "", rc < 0 ? p->c->error : "");
	else
		snprintf(to, room, "%u fetched of %zu%s%s%s", p->taken, all, waits, rc < 0 ? ": " : "", rc < 0 ? p->c->error : "");
	if (p->what->look)
		tell_files(p, &told, files);
	told.report = slice_str(p->what->look && rc < 0 ? p->c->error : to);
	if (p->store)
		ipc_send(p->store, IPC_POLL_DONE, 0, &ipc_polled_table, &told, NULL, 0);
}

void sftp_poll_not_begun(int store, const char *why)
{
	struct ipc_polled told = {.report = slice_str(why)};
	struct ipc_channel *c = ipc_channel_new(store);
	if (c)
		ipc_send(c, IPC_POLL_DONE, 0, &ipc_polled_table, &told, NULL, 0);
}

int sftp_poll(struct sftp_client *c, const struct ipc_poll *what, int store, char *ret_report, size_t room)
{
	struct poll p = {.c = c, .what = what, .store = ipc_channel_new(store), .arena = van_arena_new(1 << 20)};
	size_t new = 0;
	int rc = p.store && p.arena ? 0 : VAN_ENOMEM;
	if (rc == 0)
		rc = list(&p, &p.folder);
	if (rc == 0 && !what->look)
		rc = forget_gone(&p);
	if (rc == 0)
		rc = ask_what_was_taken(&p, &new);
	if (rc == 0 && !what->look)
		rc = settle(&p, new);
	if (rc == 0 && !what->look)
		rc = take_all(&p);
	report(&p, rc, ret_report, room);
	return rc; /* the process ends: what it holds goes with it */
}
