/* Paths as clients send them, made absolute and plain. */
#ifndef OPENVAN_SFTP_PATH_H
#define OPENVAN_SFTP_PATH_H

#include "base/slice.h"

#define SFTPD_PATH_MAX 1024 /* bytes of a path, as sent and as normalised */
#define SFTPD_FILE_NAME_MAX 255 /* bytes of a file's name, as with any file system */
#define SFTPD_NAME_MAX (SFTPD_FILE_NAME_MAX + 7) /* ... of one part of a path: a report on a file has that file's name and .status */

struct sftpd_path {
	char text[SFTPD_PATH_MAX + 1]; /* always begins with '/', no '/' at the end unless it is all */
	size_t n;
};

/* Relative paths begin at "/". ".." of "/" is "/": nothing lies above. 0; VAN_ESYNTAX for a NUL; VAN_ELIMIT for a path or
 * part that is too long. *ret is written on success only. */
int sftpd_path_normalise(struct slice in, struct sftpd_path *ret);

static inline struct slice sftpd_path_slice(const struct sftpd_path *p)
{
	return slice_make(p->text, p->n);
}

#endif
