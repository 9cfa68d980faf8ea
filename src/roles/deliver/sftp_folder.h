/* What lies in a folder of a partner's server, as far as the profile wants it. */
#ifndef OPENVAN_ROLES_DELIVER_SFTP_FOLDER_H
#define OPENVAN_ROLES_DELIVER_SFTP_FOLDER_H

#include "roles/deliver/sftp_client.h"

struct sftp_remote {
	char *name;
	uint64_t bytes, time; /* as the server tells them; time in seconds */
	bool taken;	      /* it was fetched before */
	bool settled;	      /* nobody writes it any more */
};

struct sftp_folder {
	struct sftp_remote *files; /* the oldest first; of the same second by name */
	size_t n;
	uint64_t others; /* files that are not wanted: another name, or a temporary one */
	bool more;	 /* ... lie there than a poll takes */
};

/* Would it be fetched, by its name? `patterns` empty: any. Temporary names never are, but by a pattern that asks for them. */
bool sftp_folder_wants(struct slice_list patterns, const char *name);

/* *ret is sftp_folder_free()'s, also on failure: negative with c->error. */
int sftp_folder_list(struct sftp_client *c, const struct ipc_poll *what, struct sftp_folder *ret);
void sftp_folder_free(struct sftp_folder *f);

/* Marks what has the same length and time in a later listing. */
void sftp_folder_settle(struct sftp_folder *f, const struct sftp_folder *later);

#endif
