/* The channels of a session: each is one SFTP conversation over the session's one mailbox, or a command, which is refused in words.
 * Clients that keep a connection open several on it, at once or one after the other. */
#ifndef OPENVAN_ROLES_SFTP_CHANNEL_H
#define OPENVAN_ROLES_SFTP_CHANNEL_H

#include "roles/sftp/login.h"

struct sftpd_channel;

struct sftpd_channels {
	/* the session's */
	ssh_session ssh;
	const struct sftpd_limits *limits;
	struct sftpd_login *login;
	struct sftpd_store *store;
	/* what becomes of them, for the session to read */
	const char *broken;  /* why the session must end, or NULL */
	bool left;	     /* there were some, and all have ended */
	van_time last_heard; /* when a byte came or was taken, by the monotonic clock */
	/* kept here */
	struct sftpd_channel *first;
	uint32_t n, handles;
	struct sftpd_mailbox *mailbox; /* NULL until the first conversation begins */
	bool sending;		       /* inside of a call of libssh's, which may call back */
};

/* For libssh, when a client that is logged in asks for another one. NULL: it may not. */
ssh_channel sftpd_channels_open(struct sftpd_channels *s);
/* Sends what waits, takes what was left, ends what is done. False: nothing could be done before something comes. */
bool sftpd_channels_work(struct sftpd_channels *s);
/* The session is over: what is answered already still goes out. */
void sftpd_channels_flush(struct sftpd_channels *s);
/* Abandons what is open, and waits until the store has taken note. */
void sftpd_channels_free(struct sftpd_channels *s);

#endif
