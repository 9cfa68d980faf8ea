/* What a backup holds beside the data folder: vand.yaml, each file that it or a profile names, and the folders of one's own. Everything lies
 * under its absolute path: `cp -a` puts it back where it was. */
#include "vanctl/backup.h"

#include "base/error.h"
#include "partner/settings.h"
#include "vanctl/client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACE_MAX (PATH_MAX + sizeof "config")
#define DEPTH_MAX 64 /* of folders in folders; each takes a descriptor, and a page of the stack */

struct copying {
	struct backup_making *b;
	const struct van_config *config;
	json_t *seen; /* paths, as keys */
	bool secret;
	bool beside;  /* in a folder that we don't know what is in */
	int status;   /* latches */
};

/* --- one file --------------------------------------------------------------------------------------------------------------------------- */

static int copy_opened(struct copying *k, int from, const char *path, const struct stat *st)
{
	char room[65536];
	ssize_t n = 0;
	int status = copy_file_begin(k->b->to, path, st->st_mode & (k->secret ? 0600 : 0777));
	copy_file_own(k->b->to, st);
	while (!status && (n = read(from, room, sizeof room)) > 0)
		status = copy_file_write(k->b->to, room, (size_t)n);
	if (!status && n < 0)
		status = ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
	return status ? status : backup_file_end(k->b, path);
}

static void note_folder(json_t *folders, const char *path, size_t n)
{
	const json_t *v;
	size_t i;
	json_array_foreach(folders, i, v)
		if (json_string_length(v) == n && memcmp(json_string_value(v), path, n) == 0)
			return;
	json_array_append_new(folders, json_stringn(path, n));
}

/* Without "." and ".."; a folder that ".." leaves again is noted, because the path as it stands leads through it. */
static void straighten(struct copying *k, const char *path, char to[PATH_MAX])
{
	size_t n = 0;
	for (const char *at = path; *at; ) {
		size_t part = strcspn(at, "/");
		if (part == 2 && at[0] == '.' && at[1] == '.') {
			note_folder(k->b->folders, to, n);
			while (n && to[--n] != '/')
				;
		} else if (part && !(part == 1 && at[0] == '.')) { /* no longer than the path was */
			to[n++] = '/';
			memcpy(to + n, at, part);
			n += part;
		}
		at += part + (at[part] == '/');
	}
	to[n] = 0;
}

/* A key in the data folder (the receipt key, by default) is part of that. */
static void place_of(const struct copying *k, const char *path, char to[PLACE_MAX])
{
	struct slice data = k->config->data;
	bool inside = strncmp(path, data.p, data.n) == 0 && path[data.n] == '/';
	snprintf(to, PLACE_MAX, "%s%s", inside ? "data" : k->secret ? "keys" : "config", inside ? path + data.n : path);
}

static int cannot_read(const struct copying *k, const char *path, int errnum)
{
	if (errnum == EACCES && k->secret)
		return ctl_fail(CTL_USAGE, "no right to read %s; run vanctl as root, or with --without-keys", path);
	return ctl_fail(CTL_USAGE, "%s: %s; see vand -c %s --check", path, strerror(errnum), k->b->c->config);
}

static void copy_path(struct copying *k, const char *named)
{
	char place[PLACE_MAX], path[PATH_MAX];
	struct stat st;
	straighten(k, named, path);
	if (k->status || (k->secret && !k->b->keys) || json_object_get(k->seen, path))
		return;
	json_object_set_new(k->seen, path, json_true());
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ENOENT) { /* as vand takes it: a log line, and on it goes */
		json_array_append_new(k->b->missing, json_string(path));
		return;
	}
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		k->status = cannot_read(k, path, fd < 0 ? errno : EINVAL);
	} else {
		place_of(k, path, place);
		k->status = copy_opened(k, fd, place, &st);
		k->b->nkeys += k->secret && !k->status;
	}
	if (fd >= 0)
		close(fd);
}

static void copy_slice(struct copying *k, struct slice path, bool secret)
{
	char name[PATH_MAX];
	if (!path.n || k->status)
		return;
	if (snprintf(name, sizeof name, "%.*s", SLICE_ARG(path)) >= (int)sizeof name) {
		k->status = ctl_fail(CTL_USAGE, "%.100s…: a path of more than %d bytes", name, PATH_MAX - 1);
		return;
	}
	k->secret = secret;
	copy_path(k, name);
}

static void copy_slices(struct copying *k, const struct slice_list *paths, bool secret)
{
	for (size_t i = 0; i < paths->n; i++)
		copy_slice(k, paths->v[i], secret);
}

/* --- what vand.yaml names ------------------------------------------------------------------------------------------------------------- */

static void copy_tls(struct copying *k, const struct van_config_tls *t)
{
	copy_slice(k, t->certificate, false);
	copy_slice(k, t->key, true);
	copy_slice(k, t->ocsp, false);
	copy_slice(k, t->client_ca, false);
	copy_slice(k, t->client_crl, false);
	for (size_t i = 0; i < t->sni.n; i++) {
		const struct van_config_tls_pair *p = RECORD_AT(t->sni, struct van_config_tls_pair, i);
		copy_slice(k, p->certificate, false);
		copy_slice(k, p->key, true);
		copy_slice(k, p->ocsp, false);
	}
}

static void copy_listeners(struct copying *k, const struct record_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct van_config_listener *l = RECORD_AT(*list, struct van_config_listener, i);
		if (l->tls)
			copy_tls(k, l->tls);
		copy_slices(k, &l->host_keys, true);
	}
}

/* --- folders: dictionaries, maps, templates, guides of one's own ------------------------------------------------------------------------- */

struct inside { /* the folders around the one at hand */
	const struct inside *around;
	unsigned depth;
	dev_t dev;
	ino_t ino;
};

static bool is_inside(const struct inside *in, const struct stat *st)
{
	for (; in; in = in->around)
		if (in->dev == st->st_dev && in->ino == st->st_ino)
			return true;
	return false;
}

static void copy_folder(struct copying *k, const char *folder, const struct inside *around);

static void copy_entry(struct copying *k, const char *path, const struct inside *in)
{
	struct stat st;
	if (stat(path, &st)) {
		if (errno == ENOENT || errno == ELOOP) /* a link to nothing, or it is gone by now */
			json_array_append_new(k->b->missing, json_string(path));
		else
			k->status = cannot_read(k, path, errno);
		return;
	}
	k->secret = k->beside && !(st.st_mode & S_IROTH); /* who hid it had a reason */
	if (S_ISREG(st.st_mode))
		copy_path(k, path);
	else if (S_ISDIR(st.st_mode) && is_inside(in, &st))
		k->status = ctl_fail(CTL_USAGE, "%s is a link to a folder that it lies in: remove it", path);
	else if (S_ISDIR(st.st_mode) && in->depth == DEPTH_MAX)
		k->status = ctl_fail(CTL_USAGE, "%s is more than %d folders deep: move it further up", path, DEPTH_MAX);
	else if (S_ISDIR(st.st_mode))
		copy_folder(k, path, in);
}

/* All that is in it, however deep, but for hidden files, which vand doesn't read. */
static void copy_folder(struct copying *k, const char *folder, const struct inside *around)
{
	struct stat st = {0};
	DIR *d = opendir(folder);
	if ((!d && errno != ENOENT) || (d && fstat(dirfd(d), &st)))
		k->status = cannot_read(k, folder, errno);
	struct inside in = {around, around ? around->depth + 1 : 1, st.st_dev, st.st_ino};
	for (struct dirent *e; d && !k->status && (errno = 0, e = readdir(d));) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (e->d_name[0] == '.')
			continue;
		if (n >= (int)sizeof path)
			k->status = cannot_read(k, folder, ENAMETOOLONG);
		else
			copy_entry(k, path, &in);
	}
	if (d && !k->status && errno)
		k->status = cannot_read(k, folder, errno);
	if (d)
		closedir(d);
}

static void copy_folders(struct copying *k, const struct slice_list *folders)
{
	for (size_t i = 0; i < folders->n; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%.*s", SLICE_ARG(folders->v[i]));
		copy_folder(k, path, NULL);
	}
}

/* --- what profiles name: keys and files with passwords; their certificates are in them --------------------------------------------------- */

static void copy_profile_files(struct copying *k, const json_t *v)
{
	const char *key;
	const json_t *inner;
	size_t i;
	if (json_is_array(v)) {
		json_array_foreach(v, i, inner)
			copy_profile_files(k, inner);
	} else if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, inner) {
			const char *text = json_string_value(inner);
			if (text && text[0] == '/' && (!strcmp(key, "key") || !strcmp(key, "password_file")))
				copy_slice(k, slice_str(text), true);
			else
				copy_profile_files(k, inner);
		}
	}
}

/* As `vanctl init` makes them, for people: profiles as they were written, certificates to give away. */
static void copy_beside(struct copying *k, const char *name)
{
	char path[PATH_MAX];
	struct slice file = k->config->file;
	const char *slash = file.n ? memrchr(file.p, '/', file.n) : NULL;
	k->beside = true;
	if (slash && snprintf(path, sizeof path, "%.*s/%s", (int)(slash - file.p), file.p, name) < (int)sizeof path)
		copy_folder(k, path, NULL);
}

int backup_copy_configuration(struct backup_making *b, const struct van_config *config)
{
	struct copying k = {.b = b, .config = config, .seen = json_object()};
	json_t *profiles = NULL;
	k.status = k.seen ? client_ask(b->c, "partner.dump", NULL, &profiles, NULL) : ctl_fail(CTL_USAGE, "out of memory");
	copy_slice(&k, config->file, false);
	copy_listeners(&k, &config->listen.as2);
	copy_listeners(&k, &config->listen.sftp);
	copy_listeners(&k, &config->listen.admin);
	copy_slices(&k, &config->as2.crls, false);
	copy_slice(&k, config->receipts.key, true);
	copy_folders(&k, &config->dictionaries);
	copy_folders(&k, &config->maps);
	copy_folders(&k, &config->templates);
	copy_folders(&k, &config->guides);
	copy_beside(&k, "partners");
	copy_beside(&k, "certs");
	copy_profile_files(&k, profiles);
	json_decref(profiles);
	json_decref(k.seen);
	return k.status;
}
