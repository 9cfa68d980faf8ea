/* A folder of files that appears whole or not at all: written beside its place as PATH.part, flushed, then renamed. Each file is hashed as it
 * is written. Functions return an exit status (ctl.h) and have printed what went wrong, and what to do. */
#ifndef OPENVAN_VANCTL_COPY_FOLDER_H
#define OPENVAN_VANCTL_COPY_FOLDER_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#define COPY_HASH_TEXT 65 /* SHA-256 in hex, with its end */

struct copy_folder;

/* `path` must be new or an empty folder. */
int copy_folder_new(const char *path, struct copy_folder **ret);
/* Bytes a second at most; 0: as fast as it goes. */
void copy_folder_set_rate(struct copy_folder *f, uint64_t rate);
/* The new folder gets this owner, and so does what `given` says yes to, of files (their paths) and the folders that they make necessary; all
 * else stays with the one who makes it. */
void copy_folder_set_owner(struct copy_folder *f, uid_t user, gid_t group, bool (*given)(const char *path));
/* A new file below the folder; folders on the way are made. */
int copy_file_begin(struct copy_folder *f, const char *path, mode_t mode);
int copy_file_write(struct copy_folder *f, const void *p, size_t n);
/* Owner and group as `like` has them, where we may set that. */
void copy_file_own(struct copy_folder *f, const struct stat *like);
int copy_file_end(struct copy_folder *f, char hash[COPY_HASH_TEXT]);
/* A file of the folder's own, not counted, to be written and read: the caller's to close before the folder is freed. */
int copy_folder_list(struct copy_folder *f, const char *name, FILE **ret);
/* Flushes everything that was written so far. */
int copy_folder_flush(struct copy_folder *f);
/* Flushes, and gives it its name. */
int copy_folder_commit(struct copy_folder *f);
uint64_t copy_folder_files(const struct copy_folder *f);
uint64_t copy_folder_bytes(const struct copy_folder *f);
/* Frees; what was not committed is removed. May be NULL. */
void copy_folder_free(struct copy_folder *f);

/* A path below a folder that can be written without leaving it. */
bool copy_path_ok(const char *path);
/* Begins to notice SIGINT and SIGTERM: copy_file_write() then fails, and what was begun is removed. */
void copy_catch_signals(void);

#endif
