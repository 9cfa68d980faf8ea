/* One SFTP session in a process of its own: log-in, then the mailbox. */
#ifndef OPENVAN_ROLES_SFTP_SESSION_H
#define OPENVAN_ROLES_SFTP_SESSION_H

#include "roles/sftp/confine.h"

#include <libssh/server.h>

struct sftpd_session_start {
	ssh_bind keys;
	const struct sftpd_confinement *confinement;
	const struct sftpd_limits *limits;
	int client;       /* the accepted connection */
	int store;        /* this session's channel to the store */
	const char *peer; /* address, for the log */
	const char *legacy; /* old algorithms that it may use, too, with commas between them; NULL: none */
};

/* In the child, after fork; returns the exit status. */
int sftpd_session_run(struct sftpd_session_start *start);

#endif
