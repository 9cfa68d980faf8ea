/* Host keys, and how the server introduces itself: a libssh "bind" that never binds, kept by the listener. */
#ifndef OPENVAN_ROLES_SFTP_HOSTKEYS_H
#define OPENVAN_ROLES_SFTP_HOSTKEYS_H

#include "base/error.h"

#include <libssh/server.h>

/* With the algorithms we offer. NULL when out of memory. Free with ssh_bind_free(). */
ssh_bind sftpd_hostkeys_new(void);

/* Reads a private key (OpenSSH's format or PEM, without a passphrase) from the descriptor, which stays the caller's. `path` is
 * for messages. One key of each kind (Ed25519, ECDSA, RSA) is used. 0 or negative. */
int sftpd_hostkeys_add(ssh_bind bind, int fd, const char *path, struct van_error *e);

#endif
