/* Names of payload files, and the sweep that sets those aside that nothing refers to. */
#include "store/payload_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* as in base/id.c */

static bool part_valid(struct slice part)
{
	if (part.n == 0 || part.n > PAYLOAD_PART_MAX)
		return false;
	for (size_t i = 0; i < part.n; i++)
		if (!((part.p[i] >= 'a' && part.p[i] <= 'z') || (part.p[i] >= '0' && part.p[i] <= '9') || part.p[i] == '-'))
			return false;
	return true;
}

int payload_name(struct slice id, const char *part, char *to)
{
	if (!van_id_valid(id) || !part_valid(slice_str(part)))
		return VAN_EINVAL;
	snprintf(to, PAYLOAD_NAME_MAX + 1, "%.*s.%s", SLICE_ARG(id), part);
	return 0;
}

bool payload_name_split(const char *name, struct slice *id, struct slice *part)
{
	struct slice whole = slice_str(name);
	if (whole.n < VAN_ID_LEN + 2 || name[VAN_ID_LEN] != '.')
		return false;
	*id = slice_make(name, VAN_ID_LEN);
	*part = slice_make(name + VAN_ID_LEN + 1, whole.n - VAN_ID_LEN - 1);
	return van_id_valid(*id) && part_valid(*part);
}

void payload_folder_name(char to[PAYLOAD_FOLDER_LEN + 1], van_time t)
{
	uint64_t v = t > 0 ? (uint64_t)(t / 1000) >> 20 : 0;
	for (int i = PAYLOAD_FOLDER_LEN - 1; i >= 0; i--, v >>= 5)
		to[i] = digits[v & 31];
	to[PAYLOAD_FOLDER_LEN] = 0;
}

bool payload_folder_valid(const char *name)
{
	return strlen(name) == PAYLOAD_FOLDER_LEN && strspn(name, digits) == PAYLOAD_FOLDER_LEN;
}

struct sweep {
	bool (*wanted)(void *arg, struct slice id, struct slice part);
	void *arg;
	int root;
	uint64_t aside;
};

static DIR *open_list(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	if (!list && fd >= 0)
		close(fd);
	return list;
}

/* An unfinished copy is nobody's. */
static int remove_copy(DIR *list, const char *name)
{
	return unlinkat(dirfd(list), name, 0) && errno != ENOENT ? errno : 0;
}

/* Names are never given twice: what stands there under this one is the same file. */
static int set_aside(struct sweep *s, DIR *list, const char *name)
{
	char to[sizeof PAYLOAD_ASIDE + 1 + NAME_MAX];
	snprintf(to, sizeof to, PAYLOAD_ASIDE "/%s", name);
	if (mkdirat(s->root, PAYLOAD_ASIDE, 0700) && errno != EEXIST)
		return errno;
	if (renameat(dirfd(list), name, s->root, to))
		return errno;
	s->aside++;
	return 0;
}

static int sweep_folder(struct sweep *s, int root, const char *folder)
{
	DIR *list = open_list(root, folder);
	if (!list)
		return errno;
	int rc = 0;
	for (struct dirent *e; !rc && (errno = 0, e = readdir(list));) {
		struct slice id, part;
		if (strncmp(e->d_name, PAYLOAD_COPY, sizeof PAYLOAD_COPY - 1) == 0)
			rc = remove_copy(list, e->d_name);
		else if (payload_name_split(e->d_name, &id, &part) && !s->wanted(s->arg, id, part))
			rc = set_aside(s, list, e->d_name);
	}
	rc = rc ? rc : errno;
	closedir(list);
	if (!rc)
		unlinkat(root, folder, AT_REMOVEDIR); /* goes when it is empty */
	return rc;
}

int payload_sweep(struct payload_dir *d, van_time since, bool (*wanted)(void *arg, struct slice id, struct slice part), void *arg,
	uint64_t *ret_aside, struct van_error *err)
{
	struct sweep s = {.wanted = wanted, .arg = arg, .root = d->fd};
	char first[PAYLOAD_FOLDER_LEN + 1];
	payload_folder_name(first, since > 1200 * VAN_SECOND ? since - 1200 * VAN_SECOND : 0);
	DIR *list = open_list(d->fd, ".");
	int rc = list ? 0 : errno;
	for (struct dirent *e; !rc && (errno = 0, e = readdir(list));) {
		if (payload_folder_valid(e->d_name) && strcmp(e->d_name, first) >= 0)
			rc = sweep_folder(&s, d->fd, e->d_name);
		else if (strncmp(e->d_name, PAYLOAD_COPY, sizeof PAYLOAD_COPY - 1) == 0)
			rc = remove_copy(list, e->d_name);
	}
	rc = rc ? rc : errno;
	if (list)
		closedir(list);
	if (rc)
		return van_error_set(err, van_err_from_errno(rc), "payload folder: sweeping: %s", strerror(rc));
	if (s.aside && fsync(d->fd))
		return van_error_set(err, van_err_from_errno(errno), "payload folder: flushing it: %s", strerror(errno));
	if (ret_aside)
		*ret_aside = s.aside;
	return 0;
}
