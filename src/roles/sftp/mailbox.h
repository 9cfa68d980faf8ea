/* The mailbox of one session as the protocol library's backend: paths become the store's requests. */
#ifndef OPENVAN_ROLES_SFTP_MAILBOX_H
#define OPENVAN_ROLES_SFTP_MAILBOX_H

#include "roles/sftp/options.h"
#include "roles/sftp/requests.h"

struct sftpd_mailbox;

extern const struct sftpd_ops sftpd_mailbox_ops; /* their `arg` is a struct sftpd_mailbox */

/* `store` must outlive it. `now` dates the folders. NULL when out of memory or when the folders' names make no sense. */
struct sftpd_mailbox *sftpd_mailbox_new(struct sftpd_store *store, const struct ipc_auth_reply *who, const struct sftpd_limits *l,
					van_time now);
/* Files that are opened from now on are at most so large; 0: no limit but that of `l`. */
void sftpd_mailbox_limit(struct sftpd_mailbox *m, const struct sftpd_limits *l, uint64_t max_message);
void sftpd_mailbox_free(struct sftpd_mailbox *m); /* m may be NULL; after the engine, which owns the open files */

#endif
