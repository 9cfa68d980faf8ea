/* Which algorithms of SSH are offered, and what is told of clients that have none of them. */
#ifndef OPENVAN_ROLES_SFTP_ALGORITHMS_H
#define OPENVAN_ROLES_SFTP_ALGORITHMS_H

#include "base/buf.h"

#include <libssh/server.h>

/* The usual ones; SSH_OK or SSH_ERROR. Those of host keys are set after each key: libssh leaves out those for which it has none. */
int sftpd_algorithms_offer(ssh_bind bind);
int sftpd_algorithms_offer_host_keys(ssh_bind bind);
/* For one session, before its key exchange: these old ones, too (names of base/legacy.h, a comma behind each), after the usual. */
int sftpd_algorithms_allow(ssh_session ssh, const char *legacy);

/* The old ones that were agreed upon, to `to`, with commas between them. After the key exchange. */
void sftpd_algorithms_old(ssh_session ssh, struct van_buf *to);
/* Logs what the client offers and what to do, when `error` (libssh's, of the key exchange) says that nothing matched; else false. */
bool sftpd_algorithms_log_mismatch(ssh_session ssh, const char *error);
/* The algorithm of a user's signature that libssh has refused without an answer to the client, as its error says; else absent. */
struct slice sftpd_algorithms_refused_signature(ssh_session ssh);

#endif
