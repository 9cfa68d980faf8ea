/* Files that are removed while a copy is being made: they move into a folder of their own, until the copy is done. */
#include "store/payload_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_MOST (sizeof PAYLOAD_PINNED + PAYLOAD_NAME_MAX + 1)

int payload_pin(struct payload_dir *d, struct van_error *err)
{
	if (mkdirat(d->fd, PAYLOAD_PINNED, 0700) && errno != EEXIST)
		return van_error_set(err, van_err_from_errno(errno), "payload folder: making " PAYLOAD_PINNED ": %s", strerror(errno));
	atomic_fetch_add(&d->pins, 1);
	return 0;
}

void payload_unpin(struct payload_dir *d)
{
	if (atomic_fetch_sub(&d->pins, 1) == 1)
		payload_pinned_drop(d);
}

bool payload_is_pinned(const struct payload_dir *d)
{
	return atomic_load(&d->pins) > 0;
}

/* The folder itself stays: somebody may pin again meanwhile. */
void payload_pinned_drop(struct payload_dir *d)
{
	int fd = openat(d->fd, PAYLOAD_PINNED, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	struct slice id, part;
	if (!list && fd >= 0)
		close(fd);
	for (struct dirent *e; list && (e = readdir(list));)
		if (payload_name_split(e->d_name, &id, &part))
			unlinkat(dirfd(list), e->d_name, 0);
	if (list)
		closedir(list);
}

int payload_pinned_keep(struct payload_dir *d, const char *path)
{
	char to[PATH_MOST];
	snprintf(to, sizeof to, PAYLOAD_PINNED "/%s", path + PAYLOAD_FOLDER_LEN + 1);
	return renameat(d->fd, path, d->fd, to) ? errno : 0;
}

/* It may move between the two looks, but only this way. */
int payload_open_pinned(struct payload_dir *d, struct slice id, const char *part, struct van_error *err)
{
	char name[PAYLOAD_NAME_MAX + 1], path[PATH_MOST];
	int fd = payload_open(d, id, part, err);
	if (fd != VAN_ENOTFOUND || payload_name(id, part, name))
		return fd;
	snprintf(path, sizeof path, PAYLOAD_PINNED "/%s", name);
	int pinned = openat(d->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return pinned >= 0 ? pinned : fd;
}

const char *payload_path(struct slice id, const char *part, char to[PAYLOAD_PATH_MAX])
{
	static const char folder[] = PAYLOAD_TOP "/";
	memcpy(to, folder, sizeof folder);
	return payload_path_in(id, part, to + sizeof folder - 1, PAYLOAD_PATH_MAX - (sizeof folder - 1)) ? NULL : to;
}
