/* What a partner's paths mean: /in, /out and their archives by date, under the names its profile gives them. */
#ifndef OPENVAN_ROLES_SFTP_VIEW_H
#define OPENVAN_ROLES_SFTP_VIEW_H

#include "ipc/messages.h"
#include "sftp/path.h"

struct sftpd_view {
	struct sftpd_path in, out;
};

/* The folders' names as the profile has them; absent ones are /in and /out. 0, or VAN_EINVAL when both are the same or
 * one is not a path. */
int sftpd_view_init(struct sftpd_view *v, struct slice in, struct slice out);

enum sftpd_place_kind {
	SFTPD_PLACE_NONE,
	SFTPD_PLACE_ABOVE,  /* a folder on the way to /in or /out, e.g. "/" */
	SFTPD_PLACE_FOLDER, /* `folder`: /in, /out, or the list of dates of an archive */
	SFTPD_PLACE_DATE,   /* one day of an archive */
	SFTPD_PLACE_FILE,   /* `name` in `folder`, in archives of day `date` */
};
struct sftpd_place {
	enum sftpd_place_kind kind;
	enum ipc_folder folder;
	struct slice date, name; /* point into the path */
};
/* `path` is normalised. */
struct sftpd_place sftpd_view_find(const struct sftpd_view *v, struct slice path);

/* Names of what lies in an ABOVE folder, at most two: returns how many. */
size_t sftpd_view_below(const struct sftpd_view *v, struct slice path, struct slice ret[2]);

/* A name that clients use while they upload: .part .filepart .tmp at the end, or a dot in front. */
bool sftpd_name_is_temporary(struct slice name);

#endif
