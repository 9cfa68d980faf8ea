/* What a session process gives up before it reads a byte from the network. */
#ifndef OPENVAN_ROLES_SFTP_CONFINE_H
#define OPENVAN_ROLES_SFTP_CONFINE_H

#include "roles/sftp/options.h"

#include <stdint.h>

struct sftpd_confinement; /* the system call filter, built once by the listener */

/* NULL where it can't be built; *ret_error (may be NULL) then says why. */
struct sftpd_confinement *sftpd_confinement_new(const char **ret_error);
void sftpd_confinement_free(struct sftpd_confinement *c);

/* In the session, at once after fork: keeps only these descriptors (and the standard ones), renumbered; no core dumps, not
 * traceable, no new privileges, resource limits. 0 or negative. */
int sftpd_confine_process(const struct sftpd_limits *l, int *fds, unsigned nfds);
/* Installs the filter; c may be NULL. From now on: reading, writing and memory, no opening of files, no sockets, no other
 * processes, no signal to any of them. 0 or negative. */
int sftpd_confine_calls(const struct sftpd_confinement *c);

/* How many names the file has, also behind the filter, where glibc's fstat() fails: it asks with newfstatat(), which could look at names.
 * 0 or negative. */
int sftpd_count_names(int fd, uint64_t *ret);

#endif
