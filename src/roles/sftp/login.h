/* Who logs in: what the client proves, and what the store makes of it. */
#ifndef OPENVAN_ROLES_SFTP_LOGIN_H
#define OPENVAN_ROLES_SFTP_LOGIN_H

#include "roles/sftp/options.h"
#include "roles/sftp/requests.h"

#include <libssh/libssh.h>

struct sftpd_login {
	struct sftpd_store *store;
	const struct sftpd_limits *limits;
	bool authenticated; /* the only thing that opens a channel */
	const char *give_up; /* set when the session must end, and why */
	uint32_t failures, refused_offers;
	/* once authenticated */
	struct ipc_auth_reply reply; /* its slices point into `text` */
	struct van_buf text;
	struct van_arena *lists; /* of the reply */
	char partner[33];
};

/* Each: true when the answer to the client is yes. */
bool sftpd_login_password(struct sftpd_login *l, const char *user, const char *password);
bool sftpd_login_offer(struct sftpd_login *l, const char *user, ssh_key key);
/* `valid`: the client's signature holds. */
bool sftpd_login_key(struct sftpd_login *l, const char *user, ssh_key key, bool valid);

#endif
