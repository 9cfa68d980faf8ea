/* One document to a partner's server: under a temporary name, then renamed. A try that nobody knows the end of is looked for first. */
#include "roles/deliver/sftp_job.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/fdio.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PIECE ((size_t)32768) /* what every server takes */

/* Is it there, with that length? */
static bool is_there(struct sftp_client *c, const char *path, uint64_t bytes, bool *ret_other)
{
	sftp_attributes a = sftp_stat(c->sftp, path);
	bool same = a && a->size == bytes;
	*ret_other = a && !same;
	sftp_attributes_free(a);
	return same;
}

/* The next bytes of the document; of a pipe each comes once. */
static int next_piece(const struct ipc_deliver *w, int body, bool piped, uint64_t at, void *to, size_t n)
{
	if (w->body.p)
		memcpy(to, w->body.p + at, n);
	else if (piped)
		return fd_read_all(body, to, n);
	else
		return fd_pread_all(body, to, n, (off_t)(w->offset + at));
	return 0;
}

static bool read_piece(sftp_file f, char *to, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t k = sftp_read(f, to + got, n - got);
		if (k <= 0)
			return false;
		got += (size_t)k;
	}
	return true;
}

static int unreadable(struct sftp_client *c)
{
	snprintf(c->error, sizeof c->error, "the document could not be read here");
	return VAN_EIO;
}

static bool may_not_read(const struct sftp_client *c)
{
	int status = sftp_get_error(c->sftp);
	return ssh_is_connected(c->ssh) && (status == SSH_FX_PERMISSION_DENIED || status == SSH_FX_OP_UNSUPPORTED);
}

/* What is there has our document's length: is it ours? 1; 0: it is another one; negative: reading broke off. Where we may write and not read, nobody can
 * say: then it is. */
static int is_ours(struct sftp_client *c, const struct ipc_deliver *w, int body, bool piped, const char *path)
{
	char ours[PIECE], there[PIECE];
	int rc = 1;
	sftp_file f = sftp_open(c->sftp, path, O_RDONLY, 0);
	if (!f && !ssh_is_connected(c->ssh))
		rc = sftp_client_failed(c, VAN_ECLOSED, "the connection broke off at", path);
	for (uint64_t at = 0; f && rc == 1 && at < w->bytes; at += PIECE) {
		size_t n = w->bytes - at < PIECE ? (size_t)(w->bytes - at) : PIECE;
		if (!read_piece(f, there, n))
			rc = may_not_read(c) ? 1 : sftp_client_failed(c, VAN_EIO, "can't compare with what is there: reading broke off at", path);
		else if (next_piece(w, body, piped, at, ours, n) < 0)
			rc = unreadable(c);
		else
			rc = memcmp(ours, there, n) == 0;
		sftp_client_progress(c);
	}
	if (f)
		sftp_close(f);
	return rc;
}

static int write_all(struct sftp_client *c, const struct ipc_deliver *w, int body, bool piped, const char *path)
{
	sftp_file f = sftp_open(c->sftp, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	char piece[PIECE];
	int rc = f ? 0 : sftp_client_failed(c, VAN_EIO, "can't write", path);
	for (uint64_t at = 0; rc == 0 && at < w->bytes;) {
		size_t n = w->bytes - at < sizeof piece ? (size_t)(w->bytes - at) : sizeof piece;
		rc = next_piece(w, body, piped, at, piece, n);
		if (rc < 0)
			rc = unreadable(c);
		else if (sftp_write(f, piece, n) != (ssize_t)n)
			rc = sftp_client_failed(c, VAN_EIO, "writing broke off at", path);
		sftp_client_progress(c);
		at += n;
	}
	if (f && sftp_close(f) != SSH_OK && rc == 0)
		rc = sftp_client_failed(c, VAN_EIO, "the server refuses", path);
	return rc;
}

static struct slice temporary_name(const struct ipc_deliver *w, char *to, size_t room)
{
	static const char mark[] = "{name}";
	const char *at = w->temporary.p ? memmem(w->temporary.p, w->temporary.n, mark, sizeof mark - 1) : NULL;
	if (!at)
		return w->name;
	size_t before = (size_t)(at - w->temporary.p);
	int n = snprintf(to, room, "%.*s%.*s%.*s", (int)before, w->temporary.p, SLICE_ARG(w->name), (int)(w->temporary.n - before - (sizeof mark - 1)),
			 at + sizeof mark - 1);
	return n > 0 && (size_t)n < room ? slice_make(to, (size_t)n) : w->name;
}

/* 1: an earlier try got so far; 0: to be written; negative: another document has the name, which a rename must not replace. */
static int look_first(struct sftp_client *c, const struct ipc_deliver *w, int body, bool piped, bool renamed, const char *final)
{
	bool other, same = is_there(c, final, w->bytes, &other), ask = w->again && same;
	if (ask && !renamed && piped) /* what was compared could not be written any more */
		return 0;
	int ours = ask ? is_ours(c, w, body, piped, final) : 0;
	if (ours)
		return ours;
	if (!renamed || (!same && !other)) /* written under its own name, it replaces what is there */
		return 0;
	snprintf(c->error, sizeof c->error, "%.200s is there already, and it is another document: tried again later; with {id} in push.file_name no two share a name",
		 final);
	return VAN_EEXISTS;
}

int sftp_push(struct sftp_client *c, const struct ipc_deliver *w, int body, bool piped)
{
	char final[SFTP_CLIENT_PATH], temporary[SFTP_CLIENT_PATH], name[512];
	bool other = false;
	struct slice written = temporary_name(w, name, sizeof name);
	bool renamed = !slice_eq(written, w->name);
	if (!sftp_client_path(c, final, w->folder, w->name) || !sftp_client_path(c, temporary, w->folder, written))
		return VAN_ELIMIT;
	int rc = look_first(c, w, body, piped, renamed, final);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = write_all(c, w, body, piped, temporary);
	if (rc == 0 && !is_there(c, temporary, w->bytes, &other) && other) {
		snprintf(c->error, sizeof c->error, "%.200s has another length there than was written", temporary);
		rc = VAN_EIO;
	}
	van_fault_point("deliver-before-rename");
	if (rc == 0 && renamed && sftp_rename(c->sftp, temporary, final) < 0) {
		rc = sftp_client_failed(c, VAN_EIO, "can't rename to", final);
		if (!is_there(c, temporary, w->bytes, &other) && !other && is_there(c, final, w->bytes, &other))
			rc = 0; /* it was done, whatever the answer says */
	}
	van_fault_point("deliver-after-rename");
	return rc;
}
