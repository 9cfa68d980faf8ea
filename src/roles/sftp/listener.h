/* Accepts connections and gives each a process of its own. */
#ifndef OPENVAN_ROLES_SFTP_LISTENER_H
#define OPENVAN_ROLES_SFTP_LISTENER_H

#include "base/error.h"
#include "ipc/channel.h"
#include "roles/sftp/options.h"

struct sftpd_listener;

/* NULL with *e filled in. */
struct sftpd_listener *sftpd_listener_new(struct loop *l, const struct sftpd_limits *limits, struct van_error *e);
/* Stops accepting; sessions go on. NULL is fine. */
void sftpd_listener_free(struct sftpd_listener *s);

/* For new sessions from now on. */
void sftpd_listener_set_limits(struct sftpd_listener *s, const struct sftpd_limits *limits);
/* Where new sessions are announced (IPC_SESSION_OPEN); not owned; NULL: refuse connections until there is one again. */
void sftpd_listener_set_store(struct sftpd_listener *s, struct ipc_channel *store);
/* Adds a listening socket; owns the descriptor from now on. `index`: for sftpd_listener_set_proxies(). 0 or negative. */
int sftpd_listener_add_socket(struct sftpd_listener *s, int fd, uint64_t index);
/* Connections to that socket from these networks must begin with a PROXY header, and no others may. 0 or VAN_ENOMEM. */
int sftpd_listener_set_proxies(struct sftpd_listener *s, uint64_t index, const struct slice_list *networks);
/* Sessions that come to that socket may use these old algorithms, too (base/legacy.h); others are passed over. 0 or VAN_ENOMEM. */
int sftpd_listener_set_legacy(struct sftpd_listener *s, uint64_t index, const struct slice_list *algorithms);
/* Connections from these networks are refused. 0 or VAN_ENOMEM, when the former list stays. */
int sftpd_listener_set_bans(struct sftpd_listener *s, const struct slice_list *networks);
/* Host keys: first _begin_keys, then _add_key for each (the descriptor stays the caller's), then _use_keys, which fails, and
 * leaves the former ones in use, when none was good. */
int sftpd_listener_begin_keys(struct sftpd_listener *s);
int sftpd_listener_add_key(struct sftpd_listener *s, int fd, const char *path, struct van_error *e);
int sftpd_listener_use_keys(struct sftpd_listener *s, struct van_error *e);

/* Sessions under way. */
size_t sftpd_listener_sessions(const struct sftpd_listener *s);
/* Tells them to end after what they are doing (SIGTERM): uploads that were not closed leave nothing. */
void sftpd_listener_end_sessions(struct sftpd_listener *s);

#endif
