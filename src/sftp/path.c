#include "sftp/path.h"

#include "base/error.h"

int sftpd_path_normalise(struct slice in, struct sftpd_path *ret)
{
	struct sftpd_path to = {.n = 0};
	if (in.n > SFTPD_PATH_MAX)
		return VAN_ELIMIT;
	if (in.n && memchr(in.p, '\0', in.n))
		return VAN_ESYNTAX;
	struct slice rest = in;
	while (rest.p && rest.n) {
		struct slice part = slice_cut(&rest, '/');
		if (part.n == 0 || slice_is(part, "."))
			continue;
		if (!to.n && slice_is(part, "~")) /* home, which is the top */
			continue;
		if (slice_is(part, "..")) {
			while (to.n && to.text[--to.n] != '/')
				;
			continue;
		}
		if (part.n > SFTPD_NAME_MAX || to.n + 1 + part.n > SFTPD_PATH_MAX)
			return VAN_ELIMIT;
		to.text[to.n++] = '/';
		memcpy(to.text + to.n, part.p, part.n);
		to.n += part.n;
	}
	if (!to.n)
		to.text[to.n++] = '/';
	to.text[to.n] = '\0';
	*ret = to;
	return 0;
}
