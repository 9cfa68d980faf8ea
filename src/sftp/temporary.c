#include "sftp/temporary.h"

#include <stddef.h>
#include <string.h>

/* lftp and rsync begin with a dot; rclone ends in .partial, WinSCP in .filepart, Spring Integration in .writing, routes of Camel in .inprogress. */
static const char *const endings[] = {".part", ".partial", ".filepart", ".tmp", ".writing", ".inprogress"};

bool sftpd_name_is_temporary(struct slice name)
{
	if (name.n && name.p[0] == '.')
		return true;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t n = strlen(endings[i]);
		if (name.n > n && slice_case_is(slice_make(name.p + name.n - n, n), endings[i]))
			return true;
	}
	return false;
}
