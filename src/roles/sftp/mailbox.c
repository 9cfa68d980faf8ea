#include "roles/sftp/mailbox.h"

#include "roles/sftp/files.h"
#include "roles/sftp/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct sftpd_mailbox *sftpd_mailbox_new(struct sftpd_store *store, const struct ipc_auth_reply *who, const struct sftpd_limits *l,
					van_time now)
{
	struct sftpd_mailbox *m = calloc(1, sizeof *m);
	if (!m || sftpd_view_init(&m->view, who) < 0) {
		free(m);
		return NULL;
	}
	m->store = store;
	m->limits = *l;
	sftpd_mailbox_limit(m, l, who->max_message);
	m->started = now;
	m->taken_by_download = slice_is(who->taken, "download");
	return m;
}

void sftpd_mailbox_limit(struct sftpd_mailbox *m, const struct sftpd_limits *l, uint64_t max_message)
{
	m->limits.file_size = max_message && (!l->file_size || max_message < l->file_size) ? max_message : l->file_size;
}

void sftpd_mailbox_free(struct sftpd_mailbox *m)
{
	for (size_t i = 0; m && i < SFTPD_PROGRESS_MAX; i++)
		sftpd_spans_free(&m->progress[i].read);
	if (m) {
		sftpd_file_forget_look(m);
		sftpd_ahead_free(m);
		sftpd_writer_free(m->idle_writer);
	}
	free(m);
}

static uint32_t seconds(van_time t)
{
	t /= VAN_SECOND;
	return t < 0 ? 0 : t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

struct sftpd_attributes sftpd_folder_attributes(const struct sftpd_mailbox *m, bool writable)
{
	uint32_t t = seconds(m->started);
	return (struct sftpd_attributes){.mode = SFTPD_MODE_FOLDER | (writable ? 0755 : 0555), .accessed = t, .modified = t};
}

struct sftpd_attributes sftpd_entry_attributes(const struct sftpd_mailbox *m, const struct ipc_mailbox_entry *e)
{
	if (e->is_folder)
		return sftpd_folder_attributes(m, false);
	uint32_t t = seconds(e->time);
	return (struct sftpd_attributes){.size = e->bytes, .mode = SFTPD_MODE_FILE | 0644, .accessed = t, .modified = t};
}

static enum sftpd_status m_stat(void *arg, struct slice path, struct sftpd_attributes *ret, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct sftpd_place at = sftpd_view_find(&m->view, path);
	if (at.kind == SFTPD_PLACE_NONE)
		return SFTPD_NO_SUCH_FILE;
	if (at.kind != SFTPD_PLACE_FILE) {
		*ret = sftpd_folder_attributes(m, sftpd_place_writable(&at));
		return SFTPD_OK;
	}
	if (sftpd_file_uploading(m, &at, ret)) /* sshfs looks at what it has just opened, and takes it for lost otherwise */
		return SFTPD_OK;
	return sftpd_file_look(m, path, &at, ret, why);
}

/* Clients set times and permissions of what they upload; they have no meaning here, and are not worth a failed transfer. */
static enum sftpd_status m_setstat(void *arg, struct slice path, const struct sftpd_attributes *a, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct sftpd_place at = sftpd_view_find(&m->view, path);
	struct sftpd_attributes there;
	enum sftpd_status status = m_stat(m, path, &there, why);
	if (status != SFTPD_OK)
		return status;
	if (at.kind == SFTPD_PLACE_FILE && a->has & SFTPD_HAS_SIZE && a->size != there.size)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "The length of a file can't be changed: upload it again");
	return SFTPD_OK;
}

static enum sftpd_status m_remove(void *arg, struct slice path, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	sftpd_file_forget_look(m);
	struct sftpd_place at = sftpd_view_find(&m->view, path);
	if (at.kind == SFTPD_PLACE_NONE)
		return SFTPD_NO_SUCH_FILE;
	if (at.kind != SFTPD_PLACE_FILE)
		return sftpd_refuse(why, SFTPD_FAILURE, "This is a folder: folders can't be removed");
	if (at.folder > IPC_FOLDER_OUT)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "The archive can only be read");
	struct ipc_mailbox_name name = {.folder = at.folder, .section = at.section, .name = at.name};
	struct ipc_mailbox_reply reply;
	return sftpd_store_mailbox(m->store, IPC_MAILBOX_REMOVE, &ipc_mailbox_name_table, &name, -1, &reply, NULL, why);
}

/* "*.edi, *.x12" as far as there is room. */
enum sftpd_status sftpd_refuse_name(const struct sftpd_mailbox *m, struct slice name, struct sftpd_why *why)
{
	char patterns[160];
	size_t n = 0;
	for (size_t i = 0; i < m->view.accept.n && n + m->view.accept.v[i].n + 3 < sizeof patterns; i++)
		n += (size_t)snprintf(patterns + n, sizeof patterns - n, "%s%.*s", i ? ", " : "", SLICE_ARG(m->view.accept.v[i]));
	return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "Files named %.*s are not taken here, but %s", (int)(name.n < 64 ? name.n : 64), name.p,
			    n ? patterns : "others");
}

/* In /in: what was uploaded under a temporary name gets its final one. In /out: the partner puts a file aside. */
static enum sftpd_status m_rename(void *arg, struct slice from, struct slice to, bool replace, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct sftpd_place a = sftpd_view_find(&m->view, from), b = sftpd_view_find(&m->view, to);
	sftpd_file_forget_look(m);
	if (a.kind == SFTPD_PLACE_NONE)
		return SFTPD_NO_SUCH_FILE;
	if (a.kind != SFTPD_PLACE_FILE)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "Folders can't be renamed");
	if (a.folder > IPC_FOLDER_OUT)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "The archive can only be read");
	if (a.folder == IPC_FOLDER_IN && (b.kind != SFTPD_PLACE_FILE || b.folder != IPC_FOLDER_IN))
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "An upload can only be renamed within %s", m->view.in.text);
	if (a.folder == IPC_FOLDER_OUT && b.kind == SFTPD_PLACE_FILE && b.folder == IPC_FOLDER_IN)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "What was sent to you can't be moved to %s", m->view.in.text);
	struct slice name = b.kind == SFTPD_PLACE_FILE ? b.name : a.name;
	bool staged = sftpd_view_is_temporary(&m->view, name);
	if (a.folder == IPC_FOLDER_IN && !staged && !sftpd_view_accepts(&m->view, name))
		return sftpd_refuse_name(m, name, why);
	struct ipc_mailbox_rename rename = {
		.folder = a.folder,
		.to_folder = b.kind == SFTPD_PLACE_FILE ? b.folder : IPC_FOLDER_OUT_ARCHIVE,
		.from = a.name,
		.to = name,
		.staged = a.folder == IPC_FOLDER_IN && staged,
		.from_section = a.section,
		.to_section = b.kind == SFTPD_PLACE_FILE ? b.section : SLICE_NONE,
		.replace = replace,
	};
	struct ipc_mailbox_reply reply;
	return sftpd_store_mailbox(m->store, IPC_MAILBOX_RENAME, &ipc_mailbox_rename_table, &rename, -1, &reply, NULL, why);
}

/* The folders exist already, and clients that make sure of it must not fail. */
static enum sftpd_status m_mkdir(void *arg, struct slice path, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct sftpd_place at = sftpd_view_find(&m->view, path);
	if (at.kind != SFTPD_PLACE_NONE && at.kind != SFTPD_PLACE_FILE)
		return sftpd_refuse(why, SFTPD_FAILURE, "The folder exists already");
	return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "A mailbox has no other folders: put files into %s", m->view.in.text);
}

static enum sftpd_status m_rmdir(void *arg, struct slice path, struct sftpd_why *why)
{
	(void)arg, (void)path;
	return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "The folders of a mailbox can't be removed");
}

/* A file of the store's tells about its file system, which the session can't see otherwise. */
static enum sftpd_status m_space(void *arg, struct slice path, struct sftpd_space *ret, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct ipc_mailbox_reply reply;
	struct statvfs v;
	int fd = -1;
	if (sftpd_view_find(&m->view, path).kind == SFTPD_PLACE_NONE)
		return SFTPD_NO_SUCH_FILE;
	enum sftpd_status status = sftpd_store_mailbox(m->store, IPC_MAILBOX_CREATE, NULL, NULL, -1, &reply, &fd, why);
	if (status != SFTPD_OK)
		return status;
	if (fd < 0 || fstatvfs(fd, &v) < 0)
		status = SFTPD_FAILURE;
	else
		*ret = (struct sftpd_space){v.f_bsize, v.f_frsize, v.f_blocks, v.f_bfree, v.f_bavail, v.f_files, v.f_ffree, v.f_favail,
					    1, 0, SFTPD_FILE_NAME_MAX};
	if (status == SFTPD_OK && reply.bounded && reply.room / v.f_frsize < ret->available_blocks)
		ret->free_blocks = ret->available_blocks = reply.room / v.f_frsize;
	if (fd >= 0)
		close(fd);
	return status;
}

const struct sftpd_ops sftpd_mailbox_ops = {
	.open = sftpd_file_open,
	.read = sftpd_file_read,
	.write = sftpd_file_write,
	.sync = sftpd_file_sync,
	.fstat = sftpd_file_stat,
	.fsetstat = sftpd_file_setstat,
	.close = sftpd_file_close,
	.abandon = sftpd_file_abandon,
	.folder_open = sftpd_listing_open,
	.folder_read = sftpd_listing_read,
	.folder_close = sftpd_listing_close,
	.stat = m_stat,
	.setstat = m_setstat,
	.remove = m_remove,
	.rename = m_rename,
	.mkdir = m_mkdir,
	.rmdir = m_rmdir,
	.space = m_space,
};
