#include "powercut.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where a file system has no handles: inode and birth. */
static int key_by_birth(int fd, const char *name, char ret[POWERCUT_KEY_MAX])
{
	struct statx st;
	if (statx(fd, name ? name : "", AT_SYMLINK_NOFOLLOW | (name ? 0 : AT_EMPTY_PATH), STATX_INO | STATX_BTIME, &st) != 0)
		return -1;
	snprintf(ret, POWERCUT_KEY_MAX, "i%llx.%llx.%x", (unsigned long long)st.stx_ino, (unsigned long long)st.stx_btime.tv_sec,
		 st.stx_btime.tv_nsec);
	return 0;
}

int powercut_key(int fd, const char *name, char ret[POWERCUT_KEY_MAX])
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = {.handle.handle_bytes = MAX_HANDLE_SZ};
	int mount;
	if (name_to_handle_at(fd, name ? name : "", &u.handle, &mount, name ? 0 : AT_EMPTY_PATH) != 0)
		return key_by_birth(fd, name, ret);
	for (unsigned i = 0; i < u.handle.handle_bytes; i++)
		snprintf(ret + 2 * i, 3, "%02x", u.handle.f_handle[i]);
	return 0;
}
