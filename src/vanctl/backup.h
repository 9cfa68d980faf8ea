/* backup and restore. A backup is a folder:
 *
 *	backup.json   what it is: the point in time, how many files and bytes, the hash of SHA256SUMS; written last
 *	SHA256SUMS    a line for each other file, as sha256sum(1) writes and checks them
 *	data/         the data folder, ready to be served
 *	config/       vand.yaml and the files without secrets that it names, each under its absolute path
 *	keys/         private keys and passwords, the same way; absent with --without-keys */
#ifndef OPENVAN_VANCTL_BACKUP_H
#define OPENVAN_VANCTL_BACKUP_H

#include "vanctl/copy_folder.h"
#include "vanctl/ctl.h"

#include <stdio.h>

#define BACKUP_FORMAT "openvan-backup 1"
#define BACKUP_FILE "backup.json"
#define BACKUP_SUMS "SHA256SUMS"

extern const struct ctl_command commands_backup[]; /* backup, restore */

/* One that is being made. */
struct backup_making {
	struct ctl *c;
	struct copy_folder *to;
	FILE *sums;
	bool keys;       /* private keys go in */
	size_t nkeys;
	json_t *missing; /* paths */
	json_t *folders; /* that must be there for a path with ".." in it to be found */
};
/* Ends the file at hand, `path` below the backup, and notes its hash. */
int backup_file_end(struct backup_making *b, const char *path);
/* backup_files.c: copies configuration and keys. */
struct van_config;
int backup_copy_configuration(struct backup_making *b, const struct van_config *config);

/* One that is read (backup_read.c). */
struct backup_reading {
	const char *path;
	int fd;
	json_t *facts;   /* backup.json */
	FILE *sums;
	uint64_t files, bytes; /* seen so far */
};
/* Opens it and checks backup.json and the hash of SHA256SUMS. An exit status. */
int backup_open(const char *path, struct backup_reading *ret);
void backup_close(struct backup_reading *r);
/* The next file: 1 with its path (good until the next call), its hash and an open descriptor (the caller's; -1 when it can't be opened: errno);
 * 0 at the end; or minus an exit status. */
int backup_next(struct backup_reading *r, const char **ret_path, char hash[COPY_HASH_TEXT], int *ret_fd);
/* Reads a whole file; `write` (may be NULL) gets its bytes. An exit status. */
int backup_hash(int fd, const char *path, int (*write)(void *arg, const void *p, size_t n), void *arg, uint64_t *ret_bytes, char hash[COPY_HASH_TEXT]);
/* What there should be, after the last file. */
int backup_check_counts(const struct backup_reading *r);
const char *backup_text(const struct backup_reading *r, const char *key); /* of backup.json; "" when absent */
/* Says of a file what is wrong with it: CTL_NO. */
int backup_differs(const char *path, const char *how);
/* Names, a line each, what was not there already when the backup was made, and what to do. How many there are. */
size_t backup_tell_missing(const struct backup_reading *r);

int network_restore(struct ctl *c); /* restore.c */
int backup_verify(struct ctl *c);   /* backup_verify.c */

#endif
