/* A partner's SFTP server, over libssh, in a process of its own: connects, insists on the pinned host key, logs in. Every step must
 * make progress within the server's timeout, else SIGALRM ends the process. */
#ifndef OPENVAN_ROLES_DELIVER_SFTP_CLIENT_H
#define OPENVAN_ROLES_DELIVER_SFTP_CLIENT_H

#include "base/buf.h"
#include "ipc/messages.h"

#include <libssh/libssh.h>
#include <libssh/sftp.h>

struct sftp_client {
	const struct ipc_sftp_server *server;
	ssh_session ssh;
	sftp_session sftp;
	char error[400]; /* for people: what failed, and what to do */
};

/* `key`, `password`: contents, absent where there is none. 0 or negative with c->error. */
int sftp_client_open(struct sftp_client *c, const struct ipc_sftp_server *server, struct slice key, struct slice password);
void sftp_client_close(struct sftp_client *c);
/* The clock starts anew. */
void sftp_client_progress(const struct sftp_client *c);
/* "FOLDER/NAME"; `to` holds SFTP_CLIENT_PATH bytes. NULL with c->error when it is too long. */
#define SFTP_CLIENT_PATH 1024
char *sftp_client_path(struct sftp_client *c, char to[SFTP_CLIENT_PATH], struct slice folder, struct slice name);
/* Notes what the server said about `what`; returns `rc`. */
int sftp_client_failed(struct sftp_client *c, int rc, const char *what, const char *path);

#endif
