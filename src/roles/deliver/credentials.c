#include "roles/deliver/deliver.h"

#include "base/error.h"
#include "base/fdio.h"

int credential_read(struct deliver *d, struct slice path, struct van_buf *to)
{
	for (size_t i = 0; i < d->role->nfiles; i++) {
		struct role_file *f = &d->role->files[i];
		if (strcmp(f->name, "credential") == 0 && f->path && slice_is(path, f->path) && f->fd >= 0) {
			int rc = fd_read_file(f->fd, to);
			if (rc == 0)
				rc = van_buf_append_char(to, 0);
			if (rc == 0)
				to->n--;
			return rc;
		}
	}
	return VAN_ENOTFOUND;
}
