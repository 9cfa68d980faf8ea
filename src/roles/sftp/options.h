/* Bounds of the SFTP role. Filled with the usual values by sftpd_limits_default(); all may be changed. */
#ifndef OPENVAN_ROLES_SFTP_OPTIONS_H
#define OPENVAN_ROLES_SFTP_OPTIONS_H

#include "base/clock.h"

struct sftpd_limits {
	uint32_t connections;             /* at once, in all */
	uint32_t connections_per_address;
	van_time login_grace;             /* from accept to authenticated */
	van_time idle;                    /* without a byte from the client */
	van_time session;                 /* whole sessions; 0: no limit */
	van_time store_timeout;           /* for one answer of the store */
	uint32_t login_failures;          /* passwords and signatures refused before the session is ended */
	uint32_t key_offers;              /* keys refused before the session is ended: agents offer many */
	uint32_t handles;                 /* open files of one session */
	uint32_t channels;                /* of one session, at once */
	uint64_t memory;                  /* address space of one session, bytes; 0: no limit */
	uint64_t folder_entries;          /* most that one listing shows; 0: all */
	bool passwords;                   /* log-in by password allowed at all */
	uint64_t file_size;               /* largest upload, bytes; 0: no limit */
	uint64_t disk_reserve;            /* bytes of the disk that stay free: uploads that go on past it are refused */
};

struct sftpd_limits sftpd_limits_default(void);

#endif
