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

#define SFTP_FOLDER_FILES 10000 /* of one poll; the others wait for the next */

struct sftp_folder {
	struct sftp_remote *files; /* the oldest first; of the same second by name */
	size_t n;
	uint64_t others; /* files that are not wanted: another name, or a temporary one */
	uint64_t known;	 /* wanted ones that were fetched before, stay there, and were left out to make room */
	bool more;	 /* ... lie there than a poll takes */
};

/* Would it be fetched, by its name? `patterns` empty: any. Temporary names never are, but by a pattern that asks for them. */
bool sftp_folder_wants(struct slice_list patterns, const char *name);

/* Was it fetched before? 1 or 0; negative with the client's error. */
struct sftp_folder_known {
	int (*is)(void *arg, const struct sftp_remote *f);
	void *arg;
};

/* *ret is sftp_folder_free()'s, also on failure: negative with c->error. `known` is asked when there are more than SFTP_FOLDER_FILES and fetched ones
 * stay there. */
int sftp_folder_list(struct sftp_client *c, const struct ipc_poll *what, const struct sftp_folder_known *known, struct sftp_folder *ret);
void sftp_folder_free(struct sftp_folder *f);

/* Marks what has the same length and time in a later listing. */
void sftp_folder_settle(struct sftp_folder *f, const struct sftp_folder *later);

#endif
