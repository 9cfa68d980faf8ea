#include "base/datafolder.h"

#include "base/error.h"

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
