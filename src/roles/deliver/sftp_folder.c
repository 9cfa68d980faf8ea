#include "roles/deliver/sftp_folder.h"

#include "base/error.h"
#include "partner/profile.h"
#include "sftp/temporary.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

bool sftp_folder_wants(struct slice_list patterns, const char *name)
{
	char pattern[256];
	bool temporary = sftpd_name_is_temporary(slice_str(name));
	for (size_t i = 0; i < patterns.n; i++) {
		if (temporary && !sftpd_name_is_temporary(patterns.v[i]))
			continue;
		snprintf(pattern, sizeof pattern, "%.*s", SLICE_ARG(patterns.v[i]));
		if (fnmatch(pattern, name, FNM_NOESCAPE | FNM_CASEFOLD | FNM_PERIOD) == 0)
			return true;
	}
	return !patterns.n && !temporary;
}

/* A name that a message can have, whatever the server says. */
static bool name_ok(const char *name)
{
	size_t n = strlen(name);
	return n >= 1 && n <= 255 && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* What stays there for ever must not take the places of what is new. */
static int leave_out_known(struct sftp_folder *f, const struct sftp_folder_known *known)
{
	size_t n = 0;
	int rc = 0;
	for (size_t i = 0; i < f->n; i++) {
		int one = rc == 0 ? known->is(known->arg, &f->files[i]) : 0;
		if (one < 0)
			rc = one;
		if (one > 0)
			free(f->files[i].name);
		else
			f->files[n++] = f->files[i];
	}
	f->known += f->n - n;
	f->n = n;
	return rc;
}

static int add(struct sftp_folder *f, const struct ipc_poll *what, const struct sftp_folder_known *known, sftp_attributes a)
{
	if (a->type != SSH_FILEXFER_TYPE_REGULAR || !a->name || !name_ok(a->name))
		return 0;
	if (!sftp_folder_wants(what->patterns, a->name)) {
		f->others++;
		return 0;
	}
	if (f->n == SFTP_FOLDER_FILES && !f->more && what->after == PROFILE_FETCHED_KEEP) {
		int rc = leave_out_known(f, known);
		if (rc < 0)
			return rc;
	}
	f->more |= f->n == SFTP_FOLDER_FILES;
	if (f->more)
		return 0;
	struct sftp_remote *one = &f->files[f->n];
	*one = (struct sftp_remote){.name = strdup(a->name), .bytes = a->size, .time = a->mtime64 ? a->mtime64 : a->mtime};
	if (!one->name)
		return VAN_ENOMEM;
	f->n++;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct sftp_remote *x = a, *y = b;
	return x->time != y->time ? x->time < y->time ? -1 : 1 : strcmp(x->name, y->name);
}

int sftp_folder_list(struct sftp_client *c, const struct ipc_poll *what, const struct sftp_folder_known *known, struct sftp_folder *ret)
{
	char folder[SFTP_CLIENT_PATH];
	sftp_attributes a;
	*ret = (struct sftp_folder){.files = calloc(SFTP_FOLDER_FILES, sizeof *ret->files)};
	if (!ret->files)
		return VAN_ENOMEM;
	snprintf(folder, sizeof folder, "%.*s", SLICE_ARG(what->folder));
	sftp_dir d = sftp_opendir(c->sftp, folder);
	int rc = d ? 0 : sftp_client_failed(c, VAN_EIO, "can't list", folder);
	while (rc == 0 && (a = sftp_readdir(c->sftp, d))) {
		sftp_client_progress(c);
		rc = add(ret, what, known, a);
		sftp_attributes_free(a);
	}
	if (rc == 0 && !sftp_dir_eof(d))
		rc = sftp_client_failed(c, VAN_EIO, "the listing broke off:", folder);
	if (d)
		sftp_closedir(d);
	qsort(ret->files, ret->n, sizeof *ret->files, by_time);
	return rc;
}

void sftp_folder_free(struct sftp_folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->files[i].name);
	free(f->files);
	*f = (struct sftp_folder){0};
}

void sftp_folder_settle(struct sftp_folder *f, const struct sftp_folder *later)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct sftp_remote *same = later->n ? bsearch(&f->files[i], later->files, later->n, sizeof *later->files, by_time) : NULL;
		f->files[i].settled = same && same->bytes == f->files[i].bytes;
	}
}
