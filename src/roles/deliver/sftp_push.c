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

static int write_all(struct sftp_client *c, const struct ipc_deliver *w, int body, bool piped, const char *path)
{
	sftp_file f = sftp_open(c->sftp, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	char piece[PIECE];
	int rc = f ? 0 : sftp_client_failed(c, VAN_EIO, "can't write", path);
	for (uint64_t at = 0; rc == 0 && at < w->bytes;) {
		size_t n = w->bytes - at < sizeof piece ? (size_t)(w->bytes - at) : sizeof piece;
		if (w->body.p)
			memcpy(piece, w->body.p + at, n);
		else if (piped)
			rc = fd_read_all(body, piece, n);
		else
			rc = fd_pread_all(body, piece, n, (off_t)(w->offset + at));
		if (rc < 0)
			snprintf(c->error, sizeof c->error, "the document could not be read here");
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

int sftp_push(struct sftp_client *c, const struct ipc_deliver *w, int body, bool piped)
{
	char final[SFTP_CLIENT_PATH], temporary[SFTP_CLIENT_PATH], name[512];
	bool other = false;
	struct slice written = temporary_name(w, name, sizeof name);
	bool renamed = !slice_eq(written, w->name);
	if (!sftp_client_path(c, final, w->folder, w->name) || !sftp_client_path(c, temporary, w->folder, written))
		return VAN_ELIMIT;
	if (w->again && is_there(c, final, w->bytes, &other))
		return 0; /* an earlier try got so far */
	if (renamed && !w->again && (is_there(c, final, w->bytes, &other) || other)) {
		snprintf(c->error, sizeof c->error, "%.200s is there already, and it is another document: add {id} to push.file_name", final);
		return VAN_EEXISTS;
	}
	int rc = write_all(c, w, body, piped, temporary);
	if (rc == 0 && !is_there(c, temporary, w->bytes, &other) && other) {
		snprintf(c->error, sizeof c->error, "%.200s has another length there than was written", temporary);
		rc = VAN_EIO;
	}
	van_fault_point("deliver-before-rename");
	if (rc == 0 && renamed && sftp_rename(c->sftp, temporary, final) < 0 && !is_there(c, final, w->bytes, &other))
		rc = sftp_client_failed(c, VAN_EIO, "can't rename to", final);
	van_fault_point("deliver-after-rename");
	return rc;
}
