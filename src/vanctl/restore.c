/* restore: a data folder out of a backup, and configuration and keys to where they were. */
#include "vanctl/backup.h"

#include "base/error.h"
#include "base/fdio.h"
#include "ipc/copy_stream.h"
#include "vanctl/print.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- configuration and keys, to where they were ---------------------------------------------------------------------------------------------- */

static int make_way(const char *path, mode_t mode)
{
	char *folder = strdup(path);
	int bad = folder ? 0 : ENOMEM;
	for (char *at = folder; !bad && (at = strchr(at + 1, '/'));) {
		*at = 0;
		bad = mkdir(folder, mode) && errno != EEXIST ? errno : 0;
		*at = '/';
	}
	free(folder);
	return bad ? ctl_fail(CTL_USAGE, "%s: the folder can't be made: %s", path, strerror(bad)) : CTL_DONE;
}

static int write_to(void *arg, const void *p, size_t n)
{
	int rc = fd_write_all(*(int *)arg, p, n);
	return rc < 0 ? ctl_fail(CTL_USAGE, "a file of the configuration can't be written: %s", van_err_name(rc)) : CTL_DONE;
}

/* Under another name first, so that nobody reads half of it. */
static int put_file(int from, const char *path, const char *wanted)
{
	char part[PATH_MAX], hash[COPY_HASH_TEXT] = "";
	struct stat st;
	uint64_t bytes;
	if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
		return ctl_fail(CTL_USAGE, "%s: the path is too long", path);
	int fd = fstat(from, &st) ? -1 : open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ctl_fail(CTL_USAGE, "%s: %s", part, strerror(errno));
	int status = backup_hash(from, path, write_to, &fd, &bytes, hash);
	if (!status && strcmp(hash, wanted))
		status = backup_differs(path, "was changed since the backup was made: use another backup");
	bool ok = !status && (geteuid() || !fchown(fd, st.st_uid, st.st_gid)) && !fchmod(fd, st.st_mode & 07777) && !fsync(fd) && !rename(part, path);
	if (!ok && !status)
		status = ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
	if (!ok)
		unlink(part);
	close(fd);
	return status;
}

/* What is there stays as it is. */
static int restore_outside(int from, const char *path, const char *wanted, mode_t folders)
{
	char hash[COPY_HASH_TEXT] = "";
	uint64_t bytes;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
	if (fd < 0) {
		int status = make_way(path, folders);
		return status ? status : put_file(from, path, wanted);
	}
	int status = backup_hash(fd, path, NULL, NULL, &bytes, hash);
	close(fd);
	if (!status && strcmp(hash, wanted))
		ctl_fail(CTL_DONE, "%s is there and differs from the backup's: it stays as it is", path);
	return status;
}

static int make_folders_of(const json_t *folders)
{
	const json_t *v;
	size_t i;
	int status = CTL_DONE;
	json_array_foreach(folders, i, v) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/", json_string_value(v) ? json_string_value(v) : "");
		status = status ? status : make_way(path, 0755);
	}
	return status;
}

/* --- restore ----------------------------------------------------------------------------------------------------------------------------- */

static int write_piece(void *arg, const void *p, size_t n)
{
	return copy_file_write(arg, p, n);
}

/* A key in the data folder keeps owner and mode, as keys elsewhere do. */
static int restore_file(struct copy_folder *to, int fd, const char *path, const char *wanted)
{
	char hash[COPY_HASH_TEXT] = "", written[COPY_HASH_TEXT];
	const char *place = path + strlen("data/");
	bool key = !copy_path_streamed(place);
	struct stat st;
	uint64_t bytes;
	if (fstat(fd, &st))
		return ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
	int status = copy_file_begin(to, place, key ? st.st_mode & 0777 : 0600);
	if (!status && key)
		copy_file_own(to, &st);
	if (!status)
		status = backup_hash(fd, path, write_piece, to, &bytes, hash);
	if (!status)
		status = copy_file_end(to, written);
	if (!status && strcmp(hash, wanted))
		status = backup_differs(path, "was changed since the backup was made: use another backup");
	return status;
}

struct restoring {
	struct backup_reading from;
	struct copy_folder *to;
	bool files; /* configuration and keys, too */
	bool keys;  /* there are some */
};

static int restore_one(struct restoring *x, int fd, const char *path, const char *wanted)
{
	bool data = strncmp(path, "data/", 5) == 0, config = strncmp(path, "config/", 7) == 0, keys = strncmp(path, "keys/", 5) == 0;
	x->keys |= keys;
	if (!data && !(x->files && (config || keys)))
		return CTL_DONE;
	if (fd < 0)
		return backup_differs(path, errno == ENOENT ? "is missing: use another backup" : strerror(errno));
	return data ? restore_file(x->to, fd, path, wanted) : restore_outside(fd, path + (keys ? 4 : 6), wanted, keys ? 0700 : 0755);
}

static int restore_files(struct restoring *x)
{
	char wanted[COPY_HASH_TEXT];
	const char *path;
	int fd, more = 0, status = x->files ? make_folders_of(json_object_get(x->from.facts, "folders")) : CTL_DONE;
	while (!status && (more = backup_next(&x->from, &path, wanted, &fd)) > 0) {
		status = restore_one(x, fd, path, wanted);
		if (fd >= 0)
			close(fd);
	}
	return status ? status : more < 0 ? -more : CTL_DONE;
}

/* The store looks for it (roles/store/restored.c); it may be another user's process. */
static int mark_restored(const struct restoring *x)
{
	char hash[COPY_HASH_TEXT];
	json_t *mark = json_pack("{s:s}", "point", backup_text(&x->from, "point"));
	char *text = mark ? json_dumps(mark, 0) : NULL;
	int status = text ? copy_file_begin(x->to, "restored", 0644) : ctl_fail(CTL_USAGE, "out of memory");
	if (!status)
		status = copy_file_write(x->to, text, strlen(text));
	if (!status)
		status = copy_file_end(x->to, hash);
	free(text);
	json_decref(mark);
	return status;
}

/* As root the files become the user's that vand's roles run as. */
static int choose_owner(const struct ctl *c, const struct restoring *x)
{
	const char *name = ctl_text(c, "owner") ? ctl_text(c, "owner") : backup_text(&x->from, "owner");
	struct passwd *p = *name ? getpwnam(name) : NULL;
	if (geteuid() != 0)
		return CTL_DONE;
	if (!p)
		return ctl_fail(CTL_USAGE, "there is no user '%s' here, whose the data was; make it (useradd --system %s), or name another with --owner", name, name);
	copy_folder_set_owner(x->to, p->pw_uid, p->pw_gid, copy_path_streamed);
	return CTL_DONE;
}

static void print_next(const struct ctl *c, const struct restoring *x, bool hold)
{
	const struct backup_reading *r = &x->from;
	printf("%s is as %s was at %s. Next:\n\n", c->args[1], backup_text(r, "data"), backup_text(r, "point"));
	if (!x->files)
		printf("  configuration%s: see that %s and what it names are in place; the backup's lie in %s/config%s\n", x->keys ? " and keys" : "",
		       backup_text(r, "config"), c->args[0], x->keys ? " and keys, and --files puts them back" : "");
	if (!x->keys)
		puts("  private keys and passwords are not in this backup: put them where they were");
	printf("  see that `data` in vand.yaml names %s, and start vand\n", c->args[1]);
	if (hold)
		puts("\nDeliveries are held, for the original may have sent them since. Look at `vanctl queue list`, drop what partners have, set\n"
		     "control numbers past those that were used since (vanctl control list, vanctl control set), then: vanctl queue resume");
}

static int restore(struct ctl *c, struct restoring *x, bool hold)
{
	int status = copy_folder_new(c->args[1], &x->to);
	if (!status)
		status = choose_owner(c, x);
	if (!status)
		status = restore_files(x);
	if (!status && hold)
		status = mark_restored(x);
	if (!status)
		status = copy_folder_commit(x->to);
	copy_folder_free(x->to);
	return status;
}

int network_restore(struct ctl *c)
{
	struct restoring x = {.files = json_is_true(json_object_get(c->options, "files"))};
	bool hold = !json_is_true(json_object_get(c->options, "no_hold"));
	umask(022); /* all is made with modes that say more, but for what the user of the roles is to read */
	copy_catch_signals();
	int status = backup_open(c->args[0], &x.from);
	if (status)
		return status;
	status = restore(c, &x, hold);
	if (!status && c->json)
		print_json(x.from.facts);
	else if (!status)
		print_next(c, &x, hold);
	if (!status && backup_tell_missing(&x.from))
		status = CTL_NO;
	backup_close(&x.from);
	return status;
}
