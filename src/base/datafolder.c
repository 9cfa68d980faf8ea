#include "base/datafolder.h"

#include "base/error.h"
#include "base/fdio.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int try_folder(const char *parent, const char *name, char *to, size_t room)
{
	int n = snprintf(to, room, "%s/%s", parent, name);
	if (n < 0 || (size_t)n >= room)
		return VAN_ELIMIT;
	return access(to, R_OK | X_OK) == 0 ? 0 : VAN_ENOTFOUND;
}

static int runs_from_build_tree(void)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	size_t prefix = strlen(VAN_BUILD_TREE);
	return n > 0 && (size_t)n > prefix && memcmp(exe, VAN_BUILD_TREE, prefix) == 0 && exe[prefix] == '/';
}

int van_data_folder(const char *name, char *to, size_t room)
{
	const char *forced = getenv("OPENVAN_DATADIR");
	if (forced && *forced)
		return try_folder(forced, name, to, room);
	if (runs_from_build_tree() && try_folder(VAN_SOURCE_TREE, name, to, room) == 0)
		return 0;
	return try_folder(VAN_DATADIR, name, to, room);
}

static int read_one(const char *folder, const char *name, size_t max, van_data_file_fn *fn, void *arg, struct van_error *e)
{
	char path[4096];
	struct van_buf text = VAN_BUF_INIT(max);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int rc = file_read(path, &text);
	if (rc < 0)
		rc = van_error_set(e, (enum van_err)rc, "%s: cannot be read; check its rights", path);
	else
		rc = fn(arg, slice_str(name), path, van_buf_slice(&text), e);
	van_buf_free(&text);
	return rc;
}

int van_data_files(const char *folder, const char *suffix, size_t max, van_data_file_fn *fn, void *arg, struct van_error *e)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	if (n < 0)
		return VAN_ENOTFOUND;
	int rc = 0, found = 0;
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		if (rc == 0 && name[0] != '.' && slice_ends(slice_str(name), suffix)) {
			found = 1;
			rc = read_one(folder, name, max, fn, arg, e);
		}
		free(names[i]);
	}
	free(names);
	return rc == 0 && !found ? VAN_ENOTFOUND : rc;
}
