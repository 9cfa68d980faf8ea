/* What a partner's paths mean: /in, /out, their subfolders and their archives by date, under the names its profile gives them;
 * and which file names are temporary or may be uploaded. */
#ifndef OPENVAN_ROLES_SFTP_VIEW_H
#define OPENVAN_ROLES_SFTP_VIEW_H

#include "ipc/messages.h"
#include "sftp/path.h"

struct sftpd_view {
	struct sftpd_path in, out;
	/* borrowed */
	struct slice_list in_subfolders, out_subfolders;
	struct slice_list accept, temporary; /* patterns */
};

/* As the log-in's answer has it, which must outlive the view; absent folders are /in and /out. 0, or VAN_EINVAL when both
 * are the same or one is not a path. */
int sftpd_view_init(struct sftpd_view *v, const struct ipc_auth_reply *who);

enum sftpd_place_kind {
	SFTPD_PLACE_NONE,
	SFTPD_PLACE_ABOVE,   /* a folder on the way to /in or /out, e.g. "/" */
	SFTPD_PLACE_FOLDER,  /* `folder`: /in, /out, or the list of dates of an archive */
	SFTPD_PLACE_SECTION, /* one day of an archive, or a subfolder */
	SFTPD_PLACE_FILE,    /* `name` in `folder` and `section` */
};
struct sftpd_place {
	enum sftpd_place_kind kind;
	enum ipc_folder folder;
	struct slice section, name; /* point into the path */
};
/* A folder in which files are put, deleted or renamed. */
bool sftpd_place_writable(const struct sftpd_place *at);
/* `path` is normalised. */
struct sftpd_place sftpd_view_find(const struct sftpd_view *v, struct slice path);

/* Names of what lies in an ABOVE folder, at most two: returns how many. */
size_t sftpd_view_below(const struct sftpd_view *v, struct slice path, struct slice ret[2]);
/* Subfolders of /in or /out; none of archives. */
struct slice_list sftpd_view_subfolders(const struct sftpd_view *v, enum ipc_folder folder);

/* A name that clients use while they upload: one of the usual (sftp/temporary.h), or by a pattern of the profile. */
bool sftpd_view_is_temporary(const struct sftpd_view *v, struct slice name);
/* May a file have this name for good? */
bool sftpd_view_accepts(const struct sftpd_view *v, struct slice name);

#endif
