/* Who logs in: what the client proves, and what the store makes of it. */
#ifndef OPENVAN_ROLES_SFTP_LOGIN_H
#define OPENVAN_ROLES_SFTP_LOGIN_H

#include "ipc/throttle.h"
#include "roles/sftp/options.h"
#include "roles/sftp/requests.h"

#include <libssh/libssh.h>

#define SFTPD_USER_MAX 128

struct sftpd_login {
	struct sftpd_store *store;
	const struct sftpd_limits *limits;
	const char *client; /* how its software introduces itself; NULL: not known yet */
	struct van_buf old_algorithms; /* that were agreed upon, see algorithms.h */
	char user[SFTPD_USER_MAX + 1]; /* who tried last; empty: libssh hasn't told */
	bool authenticated; /* the only thing that opens a channel */
	const char *give_up; /* set when the session must end, and why */
	const char *next;    /* what was proven is good as far as it goes: "key" or "password" is wanted, too */
	char said[256];      /* the store's words, of which give_up may be one */
	uint32_t failures, refused_offers;
	/* once authenticated */
	struct ipc_auth_reply reply; /* its slices point into `text` */
	struct van_buf text;
	struct van_arena *lists; /* of the reply */
	char partner[33];
	struct throttle_page *throttle; /* never NULL where reply.bandwidth isn't 0 */
};

enum sftpd_login_result { SFTPD_LOGIN_NO, SFTPD_LOGIN_PARTIAL, SFTPD_LOGIN_YES };

enum sftpd_login_result sftpd_login_password(struct sftpd_login *l, const char *user, const char *password);
enum sftpd_login_result sftpd_login_offer(struct sftpd_login *l, const char *user, ssh_key key);
/* `valid`: the client's signature holds. */
enum sftpd_login_result sftpd_login_key(struct sftpd_login *l, const char *user, ssh_key key, bool valid);
/* The client signed with an algorithm that is not taken. */
void sftpd_login_refused_signature(struct sftpd_login *l, struct slice algorithm);

/* Other limits count from now on. `fd` as the store sends it with a bandwidth: it stays the caller's; -1: none. */
void sftpd_login_limits(struct sftpd_login *l, const struct ipc_session_limits *to, int fd);

#endif
