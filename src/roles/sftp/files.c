#include "roles/sftp/files.h"

#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "roles/sftp/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define AHEAD_GOOD VAN_SECOND
#define TAKE_OVER_BLOCK ((size_t)256 << 10)
#define LOOK_EVERY ((uint64_t)16 << 20) /* bytes written between two looks at the disk */

struct file {
	struct file *next; /* uploads of the session */
	struct sftpd_upload *upload; /* or a download when NULL */
	enum ipc_folder folder;
	char name[SFTPD_NAME_MAX + 1];
	size_t name_n;
	char section[SFTPD_NAME_MAX + 1];
	size_t section_n;
	bool append; /* every write goes to the end, whatever offset the client names */
	bool was_read;
	bool untouched; /* opened without truncating what is a message already: nothing is written so far */
	/* download */
	int fd;
	char *bytes; /* a small one, whole, where there is no descriptor */
	char id[48]; /* of the entry, as the store knows it: its name may be another one's by the time of the close */
	bool in_pieces; /* fd is that of one piece, which begins at piece_at; else the whole file */
	uint64_t piece_at;
	uint64_t offset; /* where the content begins */
	struct sftpd_attributes attributes;
	struct sftpd_progress *progress; /* NULL: nobody has to know how much was read */
};

static struct slice name_of(const struct file *f)
{
	return slice_make(f->name, f->name_n);
}

static struct slice section_of(const struct file *f)
{
	return slice_make(f->section_n ? f->section : NULL, f->section_n);
}

static struct file *file_new(const struct sftpd_place *at)
{
	struct file *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->fd = -1;
	f->folder = at->folder;
	f->name_n = at->name.n;
	memcpy(f->name, at->name.p, at->name.n);
	f->section_n = at->section.n;
	if (at->section.n)
		memcpy(f->section, at->section.p, at->section.n);
	return f;
}

static void file_free(struct sftpd_mailbox *m, struct file *f)
{
	for (struct file **at = &m->uploads; *at; at = &(*at)->next)
		if (*at == f) {
			*at = f->next;
			break;
		}
	sftpd_upload_free(f->upload);
	if (m->at_work == f)
		m->at_work = NULL;
	if (f->progress)
		f->progress->handles--;
	if (f->fd >= 0)
		close(f->fd);
	free(f->bytes);
	free(f);
}

static enum sftpd_status ask_about(struct sftpd_mailbox *m, uint32_t type, const struct sftpd_place *at, struct ipc_mailbox_reply *ret,
				   int *ret_fd, struct sftpd_why *why)
{
	struct ipc_mailbox_name name = {.folder = at->folder, .section = at->section, .name = at->name};
	return sftpd_store_mailbox(m->store, type, &ipc_mailbox_name_table, &name, -1, ret, ret_fd, why);
}

/* The one that is under way, or a free one, or the oldest that nobody reads. NULL when there is none. */
static struct sftpd_progress *progress_of(struct sftpd_mailbox *m, const struct ipc_mailbox_entry *e)
{
	struct slice id = e->id.n ? e->id : e->name;
	struct sftpd_progress *best = NULL;
	if (id.n >= sizeof best->id)
		return NULL;
	for (size_t i = 0; i < SFTPD_PROGRESS_MAX; i++) {
		struct sftpd_progress *p = &m->progress[i];
		if (slice_is(id, p->id)) {
			best = p;
			break;
		}
		if (!p->handles && (!best || p->used < best->used))
			best = p;
	}
	if (!best)
		return NULL;
	if (!slice_is(id, best->id)) {
		sftpd_spans_free(&best->read);
		memcpy(best->id, id.p, id.n);
		best->id[id.n] = '\0';
		best->told = e->fetched;
		best->looked = false;
		if (e->fetched)
			sftpd_spans_add(&best->read, 0, e->fetched); /* an earlier session sent so much: this one may resume */
	}
	best->handles++;
	best->used = ++m->opened;
	return best;
}

/* A file that the store has given: whole, as a descriptor, or to be fetched in pieces. Owns the descriptor when it succeeds. NULL: it has nothing
 * to read, or there is no memory. */
static struct file *download_new(struct sftpd_mailbox *m, const struct sftpd_place *at, const struct ipc_mailbox_entry *e, struct slice content, int fd)
{
	bool whole = fd < 0 && content.n == e->bytes, pieces = e->in_pieces, named = e->id.n < sizeof ((struct file *)0)->id;
	struct file *f = named && (fd >= 0 || whole || pieces) ? file_new(at) : NULL;
	if (f && whole && !(f->bytes = malloc(content.n + 1))) {
		free(f);
		f = NULL;
	}
	if (!f)
		return NULL;
	if (whole && content.n)
		memcpy(f->bytes, content.p, content.n);
	if (e->id.n)
		memcpy(f->id, e->id.p, e->id.n);
	f->in_pieces = pieces;
	f->fd = fd;
	f->offset = e->offset;
	f->attributes = sftpd_entry_attributes(m, e);
	if (at->folder == IPC_FOLDER_OUT || at->folder == IPC_FOLDER_OUT_ARCHIVE)
		f->progress = progress_of(m, e);
	return f;
}

/* `*ret_until`: how long what is read of it is known to be there still. */
static enum sftpd_status open_download(struct sftpd_mailbox *m, const struct sftpd_place *at, struct file **ret, van_time *ret_until,
				       struct sftpd_why *why)
{
	struct ipc_mailbox_reply reply;
	int fd = -1;
	const struct ipc_mailbox_entry *next = sftpd_ahead_take(m, at, ret_until);
	if (next)
		return (*ret = download_new(m, at, next, next->content, -1)) ? SFTPD_OK : SFTPD_FAILURE;
	*ret_until = van_clock_monotonic() + AHEAD_GOOD;
	enum sftpd_status status = ask_about(m, IPC_MAILBOX_OPEN, at, &reply, &fd, why);
	if (status != SFTPD_OK)
		return status;
	struct file *f = reply.entry ? download_new(m, at, reply.entry, reply.content, fd) : NULL;
	if (!f) {
		if (fd >= 0)
			close(fd);
		return SFTPD_FAILURE;
	}
	if (fd >= 0)
		posix_fadvise(fd, (off_t)f->offset, (off_t)f->attributes.size, POSIX_FADV_SEQUENTIAL);
	*ret = f;
	return SFTPD_OK;
}

/* --- looking, then opening ---------------------------------------------------------------------------------------------------- */

static void forget_last(struct sftpd_mailbox *m)
{
	m->looked_at.n = 0;
	if (m->ahead)
		file_free(m, m->ahead);
	m->ahead = NULL;
}

void sftpd_file_forget_look(struct sftpd_mailbox *m)
{
	forget_last(m);
	sftpd_neighbours_forget(m);
	sftpd_ahead_forget(m);
}

enum sftpd_status sftpd_file_look(struct sftpd_mailbox *m, struct slice path, const struct sftpd_place *at, struct sftpd_attributes *ret,
				  struct sftpd_why *why)
{
	struct ipc_mailbox_reply reply;
	struct sftpd_path last = m->looked_at;
	if (last.n) /* it looks on and opens nothing */
		m->opens_after_look = false;
	forget_last(m);
	if (at->folder == IPC_FOLDER_OUT && path.n <= SFTPD_PATH_MAX) {
		memcpy(m->looked_at.text, path.p, path.n);
		m->looked_at.n = path.n;
	}
	if (m->opens_after_look && m->looked_at.n && open_download(m, at, &m->ahead, &m->ahead_until, NULL) == SFTPD_OK) {
		*ret = m->ahead->attributes;
		if (!m->ahead->bytes) { /* a descriptor would keep what is purged on the disk */
			file_free(m, m->ahead);
			m->ahead = NULL;
		}
		return SFTPD_OK;
	}
	struct sftpd_place before = last.n && m->looked_at.n ? sftpd_view_find(&m->view, sftpd_path_slice(&last)) : (struct sftpd_place){.kind = SFTPD_PLACE_NONE};
	if (before.kind == SFTPD_PLACE_FILE && sftpd_neighbours_look(m, &before, at, ret))
		return SFTPD_OK;
	enum sftpd_status status = ask_about(m, IPC_MAILBOX_STAT, at, &reply, NULL, why);
	if (status == SFTPD_OK && !reply.entry)
		return SFTPD_NO_SUCH_FILE;
	if (status == SFTPD_OK)
		*ret = sftpd_entry_attributes(m, reply.entry);
	return status;
}

/* The file if it is open already, else NULL. */
static struct file *take_ahead(struct sftpd_mailbox *m, struct slice path)
{
	struct file *f = NULL;
	m->opens_after_look = m->looked_at.n && slice_eq(path, sftpd_path_slice(&m->looked_at));
	if (m->opens_after_look && m->ahead && van_clock_monotonic() < m->ahead_until) {
		f = m->ahead;
		m->ahead = NULL;
	}
	forget_last(m);
	sftpd_neighbours_forget(m);
	return f;
}

/* --- opening ------------------------------------------------------------------------------------------------------------------- */

static enum sftpd_status may_upload(struct sftpd_mailbox *m, const struct sftpd_place *at, struct sftpd_why *why)
{
	if (at->folder != IPC_FOLDER_IN)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "This folder can only be read: put files into %s", m->view.in.text);
	if (at->name.n > SFTPD_FILE_NAME_MAX)
		return sftpd_refuse(why, SFTPD_FAILURE, "The name is too long: at most 255 bytes");
	if (!sftpd_view_is_temporary(&m->view, at->name) && !sftpd_view_accepts(&m->view, at->name))
		return sftpd_refuse_name(m, at->name, why);
	return SFTPD_OK;
}

/* What the flags say about a file that is there already, or not. */
struct before {
	bool waits;	/* its content is to be gone on with */
	bool taken;	/* it is a message: what is written now is another one, from its beginning on */
};

static enum sftpd_status look_before(struct sftpd_mailbox *m, const struct sftpd_place *at, uint32_t flags, struct before *ret, struct sftpd_why *why)
{
	struct ipc_mailbox_reply reply;
	if (flags & SFTPD_OPEN_TRUNCATE && flags & SFTPD_OPEN_CREATE && !(flags & SFTPD_OPEN_EXCLUSIVE))
		return SFTPD_OK;
	enum sftpd_status status = ask_about(m, IPC_MAILBOX_STAT, at, &reply, NULL, why);
	if (status == SFTPD_NO_SUCH_FILE && flags & SFTPD_OPEN_CREATE)
		return SFTPD_OK;
	if (status != SFTPD_OK)
		return status;
	if (!reply.entry)
		return SFTPD_FAILURE;
	if (flags & SFTPD_OPEN_EXCLUSIVE)
		return sftpd_refuse(why, SFTPD_FAILURE, "A file of this name exists already");
	bool waits = reply.entry->staged || reply.entry->unfinished;
	if (!waits && flags & SFTPD_OPEN_APPEND)
		return sftpd_refuse(why, SFTPD_FAILURE, "This file was taken as message %.*s already: send the whole file under another name",
				    SLICE_ARG(reply.entry->id));
	if (!(flags & SFTPD_OPEN_TRUNCATE))
		*ret = (struct before){.waits = waits, .taken = !waits};
	return SFTPD_OK;
}

/* What the mailbox still takes, were there something new at that place. */
static enum sftpd_status ask_room(struct sftpd_mailbox *m, const struct sftpd_place *at, struct ipc_mailbox_reply *ret, struct sftpd_why *why)
{
	int fd = -1;
	*ret = (struct ipc_mailbox_reply){0};
	enum sftpd_status status = ask_about(m, IPC_MAILBOX_CREATE, at, ret, &fd, why);
	if (fd >= 0)
		close(fd);
	m->files_left = ret->files_left;
	return status;
}

/* Whoever may put no more files here learns it before sending one. */
static enum sftpd_status may_have_another(struct sftpd_mailbox *m, const struct sftpd_place *at, struct sftpd_why *why)
{
	struct ipc_mailbox_reply reply;
	if (!m->uploads)
		m->bounded = false; /* what was known may be old: a large upload asks anew */
	if (m->files_left)
		return SFTPD_OK;
	enum sftpd_status status = ask_room(m, at, &reply, why);
	if (status == SFTPD_OK && !reply.files_left && reply.text.n)
		status = sftpd_refuse_as_told(why, SFTPD_PERMISSION_DENIED, reply.text);
	return status;
}

/* Goes on in the file of the earlier upload, without looking at what is there. False: it has to be read. */
static bool go_on(struct sftpd_mailbox *m, const struct sftpd_place *at, struct sftpd_upload *u)
{
	struct ipc_mailbox_reply reply;
	int fd = -1;
	bool done = ask_about(m, IPC_MAILBOX_RESUME, at, &reply, &fd, NULL) == SFTPD_OK && fd >= 0 && sftpd_upload_resume(u, fd, reply.content);
	if (!done && fd >= 0)
		close(fd);
	if (done && ask_room(m, at, &reply, NULL) == SFTPD_OK) {
		m->bounded = reply.bounded;
		m->room = reply.room;
	}
	return done;
}

/* What an earlier upload left is read into the new file first, where it is small, was not sent in order, or somebody else goes on with it. */
static enum sftpd_status take_over(struct sftpd_mailbox *m, const struct sftpd_place *at, struct sftpd_upload *u, struct sftpd_why *why)
{
	struct ipc_mailbox_reply reply;
	int fd = -1;
	struct ipc_mailbox_name name = {.folder = at->folder, .section = at->section, .name = at->name, .to_go_on = true};
	enum sftpd_status status = sftpd_store_mailbox(m->store, IPC_MAILBOX_OPEN, &ipc_mailbox_name_table, &name, -1, &reply, &fd, why);
	uint64_t offset = status == SFTPD_OK && reply.entry ? reply.entry->offset : 0, size = status == SFTPD_OK && reply.entry ? reply.entry->bytes : 0;
	if (status == SFTPD_OK && fd < 0 && reply.content.n == size) /* a small one came with the answer */
		return size ? sftpd_upload_write(u, 0, reply.content.p, size, why) : SFTPD_OK;
	char *block = status == SFTPD_OK ? malloc(TAKE_OVER_BLOCK) : NULL;
	if (status == SFTPD_OK && (!block || fd < 0))
		status = SFTPD_FAILURE;
	for (uint64_t done = 0; status == SFTPD_OK && done < size;) {
		size_t n = size - done < TAKE_OVER_BLOCK ? (size_t)(size - done) : TAKE_OVER_BLOCK;
		if (fd_pread_all(fd, block, n, (off_t)(offset + done)) < 0)
			status = sftpd_refuse(why, SFTPD_FAILURE, "What was sent before could not be read: send the whole file again");
		else
			status = sftpd_upload_write(u, done, block, n, why);
		done += n;
	}
	free(block);
	if (fd >= 0)
		close(fd);
	return status;
}

/* What an earlier session left of it is the beginning of this one. */
static enum sftpd_status resume_upload(struct sftpd_mailbox *m, const struct sftpd_place *at, struct sftpd_upload *u, struct sftpd_why *why)
{
	bool copied = !go_on(m, at, u);
	enum sftpd_status status = copied ? take_over(m, at, u, why) : SFTPD_OK;
	if (status == SFTPD_OK)
		log_event(LOG_LEVEL_INFO, "upload-resumed", "file", log_slice(at->name), "bytes", log_u64(sftpd_upload_size(u)), "copied",
			  copied ? "yes" : "no", NULL);
	return status;
}

/* An unnamed file of the store's. */
static int new_file(void *arg)
{
	struct sftpd_mailbox *m = arg;
	struct ipc_mailbox_reply reply = {0};
	int fd = -1;
	if (!m->at_work)
		return VAN_ESTATE;
	struct ipc_mailbox_name at = {.folder = m->at_work->folder, .section = section_of(m->at_work), .name = name_of(m->at_work)};
	enum sftpd_status status = sftpd_store_mailbox(m->store, IPC_MAILBOX_CREATE, &ipc_mailbox_name_table, &at, -1, &reply, &fd, NULL);
	m->bounded = reply.bounded;
	m->room = reply.room;
	if (status == SFTPD_OK && fd >= 0)
		return fd;
	return reply.status == IPC_MAILBOX_FULL ? VAN_ENOSPC : VAN_EIO;
}

static enum sftpd_status open_upload(struct sftpd_mailbox *m, const struct sftpd_place *at, uint32_t flags, struct file **ret,
				     struct sftpd_why *why)
{
	struct before before = {.waits = false};
	enum sftpd_status status = may_upload(m, at, why);
	if (status == SFTPD_OK)
		status = look_before(m, at, flags, &before, why);
	if (status == SFTPD_OK)
		status = may_have_another(m, at, why);
	if (status != SFTPD_OK)
		return status;
	struct file *f = file_new(at);
	if (f)
		f->upload = sftpd_upload_new(new_file, m, m->limits.file_size, &m->idle_writer);
	if (!f || !f->upload) {
		free(f);
		return sftpd_refuse(why, SFTPD_FAILURE, "There is no room for another file just now: try again later");
	}
	f->append = flags & SFTPD_OPEN_APPEND;
	f->untouched = before.taken;
	f->next = m->uploads;
	m->uploads = f;
	m->at_work = f;
	status = before.waits ? resume_upload(m, at, f->upload, why) : SFTPD_OK;
	if (status != SFTPD_OK) {
		file_free(m, f);
		return status;
	}
	*ret = f;
	return SFTPD_OK;
}

enum sftpd_status sftpd_file_open(void *arg, struct slice path, uint32_t flags, const struct sftpd_attributes *a, void **ret_file,
				  struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct file *f = NULL;
	struct sftpd_place at = sftpd_view_find(&m->view, path);
	enum sftpd_status status;
	(void)a;
	if (at.kind == SFTPD_PLACE_NONE && flags & SFTPD_OPEN_WRITE)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "Files can't be put here: put them into %s", m->view.in.text);
	if (at.kind == SFTPD_PLACE_NONE)
		return SFTPD_NO_SUCH_FILE;
	if (at.kind != SFTPD_PLACE_FILE)
		return sftpd_refuse(why, SFTPD_FAILURE, "This is a folder");
	struct file *ahead = take_ahead(m, path);
	van_time until;
	if (flags & (SFTPD_OPEN_WRITE | SFTPD_OPEN_APPEND)) {
		sftpd_ahead_forget(m);
		if (ahead)
			file_free(m, ahead);
		status = open_upload(m, &at, flags, &f, why);
	} else if (ahead) {
		f = ahead;
		status = SFTPD_OK;
	} else {
		status = open_download(m, &at, &f, &until, why);
	}
	if (f && f->bytes)
		sftpd_ahead_opened(m, &at);
	if (status == SFTPD_OK)
		*ret_file = f;
	return status;
}

/* Holds the piece in which `at` lies. */
static enum sftpd_status need_piece(struct sftpd_mailbox *m, struct file *f, uint64_t at, struct sftpd_why *why)
{
	struct ipc_mailbox_read ask = {slice_str(f->id), at - at % IPC_PIECE};
	struct ipc_mailbox_reply reply;
	if (f->fd >= 0 && f->piece_at == ask.at)
		return SFTPD_OK;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	enum sftpd_status status = sftpd_store_mailbox(m->store, IPC_MAILBOX_READ, &ipc_mailbox_read_table, &ask, -1, &reply, &f->fd, why);
	f->piece_at = ask.at;
	return status;
}

/* As much as the descriptor at hand has. */
static enum sftpd_status read_some(struct sftpd_mailbox *m, struct file *f, uint64_t at, char *to, size_t n, size_t *ret_got, struct sftpd_why *why)
{
	enum sftpd_status status = f->in_pieces ? need_piece(m, f, at, why) : SFTPD_OK;
	uint64_t from = f->offset + at;
	if (f->in_pieces) {
		uint64_t left = IPC_PIECE - at % IPC_PIECE;
		from = at % IPC_PIECE;
		n = n < left ? n : (size_t)left;
	}
	ssize_t k = -1;
	while (status == SFTPD_OK && (k = pread(f->fd, to, n, (off_t)from)) < 0 && errno == EINTR)
		;
	if (status == SFTPD_OK && k <= 0) /* the store never shortens a file */
		status = sftpd_refuse(why, SFTPD_FAILURE, "The file could not be read: try again later");
	*ret_got = k > 0 ? (size_t)k : 0;
	return status;
}

enum sftpd_status sftpd_file_read(void *arg, void *file, uint64_t at, void *to, size_t n, size_t *ret_n, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct file *f = file;
	uint64_t size = f->attributes.size;
	size_t got = 0;
	m->at_work = f;
	if (f->untouched)
		return sftpd_refuse(why, SFTPD_FAILURE, "This file was taken already: open it for reading alone");
	if (f->upload)
		return sftpd_upload_read(f->upload, at, to, n, ret_n, why);
	if (at < size && n > size - at)
		n = (size_t)(size - at);
	if (f->bytes && at < size) {
		memcpy(to, f->bytes + at, n);
		got = n;
	}
	while (at < size && got < n) {
		size_t k;
		enum sftpd_status status = read_some(m, f, at + got, (char *)to + got, n - got, &k, why);
		if (status != SFTPD_OK)
			return status;
		got += k;
	}
	f->was_read |= got > 0;
	if (f->progress && got && !sftpd_spans_add(&f->progress->read, at, at + got))
		sftpd_spans_free(&f->progress->read); /* read in a thousand places: begin again */
	*ret_n = got;
	return SFTPD_OK;
}

/* Whoever may keep so much only, or fills the disk, learns it while sending, not when all was sent. */
static enum sftpd_status room_for(struct sftpd_mailbox *m, const struct file *f, uint64_t end, size_t n, struct sftpd_why *why)
{
	uint64_t all = sftpd_upload_size(f->upload) < end ? end - sftpd_upload_size(f->upload) : 0;
	struct statvfs v;
	for (const struct file *u = m->bounded ? m->uploads : NULL; u; u = u->next)
		all = sftpd_upload_size(u->upload) > UINT64_MAX - all ? UINT64_MAX : all + sftpd_upload_size(u->upload);
	if (m->bounded && all > m->room)
		return sftpd_upload_fail(f->upload, SFTPD_PERMISSION_DENIED, "The mailbox holds all it may: ask the network's operator", why);
	m->unlooked += n;
	if (m->unlooked < LOOK_EVERY || sftpd_upload_fd(f->upload) < 0)
		return SFTPD_OK;
	m->unlooked = 0;
	if (fstatvfs(sftpd_upload_fd(f->upload), &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < m->limits.disk_reserve)
		return sftpd_upload_fail(f->upload, SFTPD_FAILURE, "The mailbox has no room left: try again later", why);
	return SFTPD_OK;
}

enum sftpd_status sftpd_file_write(void *arg, void *file, uint64_t at, const void *p, size_t n, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct file *f = file;
	if (!f->upload)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "The file was opened to be read");
	f->untouched = false;
	m->at_work = f;
	if (f->append)
		at = sftpd_upload_size(f->upload);
	enum sftpd_status status = room_for(m, f, at + n, n, why);
	return status == SFTPD_OK ? sftpd_upload_write(f->upload, at, p, n, why) : status;
}

enum sftpd_status sftpd_file_sync(void *arg, void *file, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct file *f = file;
	m->at_work = f;
	return f->upload ? sftpd_upload_sync(f->upload, why) : SFTPD_OK;
}

enum sftpd_status sftpd_file_stat(void *arg, void *file, struct sftpd_attributes *ret, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct file *f = file;
	(void)why;
	if (f->upload) {
		struct ipc_mailbox_entry e = {.bytes = sftpd_upload_size(f->upload), .time = m->started};
		*ret = sftpd_entry_attributes(m, &e);
	} else {
		*ret = f->attributes;
	}
	return SFTPD_OK;
}

bool sftpd_file_uploading(const struct sftpd_mailbox *m, const struct sftpd_place *at, struct sftpd_attributes *ret)
{
	for (const struct file *f = m->uploads; f; f = f->next)
		if (f->folder == at->folder && slice_eq(section_of(f), at->section) && slice_eq(name_of(f), at->name)) {
			struct ipc_mailbox_entry e = {.bytes = sftpd_upload_size(f->upload), .time = m->started};
			*ret = sftpd_entry_attributes(m, &e);
			return true;
		}
	return false;
}

enum sftpd_status sftpd_file_setstat(void *arg, void *file, const struct sftpd_attributes *a, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct file *f = file;
	if (!(a->has & SFTPD_HAS_SIZE))
		return SFTPD_OK;
	if (!f->upload)
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "The file was opened to be read");
	f->untouched = false;
	m->at_work = f;
	return sftpd_upload_resize(f->upload, a->size, why);
}

/* The client's close is answered after the store has committed. */
static enum sftpd_status commit(struct sftpd_mailbox *m, struct file *f, struct sftpd_why *why)
{
	struct sftpd_hashes h;
	struct ipc_mailbox_reply reply;
	enum sftpd_status status = sftpd_upload_finish(f->upload, &h, why);
	if (status == SFTPD_OK) {
		struct ipc_mailbox_commit c = {
			.name = name_of(f),
			.section = section_of(f),
			.staged = sftpd_view_is_temporary(&m->view, name_of(f)),
			.bytes = sftpd_upload_size(f->upload),
			.sha256 = slice_make(h.sha256, sizeof h.sha256),
			.salt = slice_make(h.salt, sizeof h.salt),
			.salted_sha256 = slice_make(h.salted_sha256, sizeof h.salted_sha256),
			.content = sftpd_upload_bytes(f->upload),
		};
		van_fault_point("sftp-before-commit");
		status = sftpd_store_mailbox(m->store, IPC_MAILBOX_COMMIT, &ipc_mailbox_commit_table, &c, sftpd_upload_fd(f->upload), &reply,
					     NULL, why);
		van_fault_point("sftp-after-commit");
		m->files_left -= m->files_left > 0;
	}
	if (status != SFTPD_OK && !m->store->gone)
		sftpd_upload_give_back(f->upload);
	log_event(status == SFTPD_OK ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, status == SFTPD_OK ? "upload-taken" : "upload-refused",
		  "file", log_slice(name_of(f)), "bytes", log_u64(sftpd_upload_size(f->upload)), "error",
		  status == SFTPD_OK ? NULL : why->text, NULL);
	return status;
}

/* The whole file was read: the sender may know. */
static enum sftpd_status collect(struct sftpd_mailbox *m, struct file *f, struct sftpd_why *why)
{
	struct ipc_mailbox_reply reply;
	struct ipc_mailbox_name name = {.folder = f->folder, .section = section_of(f), .name = name_of(f), .id = slice_str(f->id)};
	enum sftpd_status status = SFTPD_OK;
	/* Where the file stays until it is deleted, nothing depends on when this is durable: the client needn't wait. */
	if (m->taken_by_download && f->folder == IPC_FOLDER_OUT)
		status = sftpd_store_mailbox(m->store, IPC_MAILBOX_COLLECTED, &ipc_mailbox_name_table, &name, -1, &reply, NULL, why);
	else
		sftpd_store_tell(m->store, IPC_MAILBOX_COLLECTED, &ipc_mailbox_name_table, &name);
	sftpd_spans_free(&f->progress->read); /* fetched once more, it is told once more */
	log_event(status == SFTPD_OK ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "download-complete", "file", log_slice(name_of(f)), "bytes",
		  log_u64(f->attributes.size), "error", status == SFTPD_OK ? NULL : why->text, NULL);
	return status == SFTPD_NO_SUCH_FILE ? SFTPD_OK : status; /* deleted while it was read: taken already */
}

/* It was read without being collected: the store remembers that, and how far, so that the rest may be fetched another time. No answer is
 * waited for. Of what the partner has sent itself the store knows since it was opened. */
static void note_progress(struct sftpd_mailbox *m, const struct file *f)
{
	uint64_t prefix = f->progress ? sftpd_spans_prefix(&f->progress->read) : 0;
	struct ipc_mailbox_name at = {.folder = f->folder, .section = section_of(f), .name = name_of(f), .fetched = prefix, .id = slice_str(f->id)};
	bool out = f->folder == IPC_FOLDER_OUT || f->folder == IPC_FOLDER_OUT_ARCHIVE;
	if (!f->was_read || !out || (f->progress && f->progress->looked && prefix <= f->progress->told))
		return;
	if (f->progress) {
		f->progress->told = prefix > f->progress->told ? prefix : f->progress->told;
		f->progress->looked = true;
	}
	sftpd_store_tell(m->store, IPC_MAILBOX_FETCHED, &ipc_mailbox_name_table, &at);
}

/* The session ends within an upload: what came is kept, so that the client can resume. */
static bool keep_unfinished(struct sftpd_mailbox *m, struct file *f)
{
	struct ipc_mailbox_reply reply;
	int64_t size = m->store->gone ? 0 : sftpd_upload_keep(f->upload);
	if (size <= 0) {
		sftpd_upload_give_back(f->upload);
		return false;
	}
	struct ipc_mailbox_commit c = {.name = name_of(f), .section = section_of(f), .unfinished = true, .bytes = (uint64_t)size};
	unsigned char hashing[SFTPD_HASHING_KEPT];
	if (sftpd_upload_kept(f->upload, hashing))
		c.hashing = slice_make(hashing, sizeof hashing);
	bool kept = sftpd_store_mailbox(m->store, IPC_MAILBOX_COMMIT, &ipc_mailbox_commit_table, &c, sftpd_upload_fd(f->upload), &reply, NULL, NULL) ==
		    SFTPD_OK;
	if (!kept && !m->store->gone) /* refused: so it is known that it was not taken */
		sftpd_upload_give_back(f->upload);
	return kept;
}

enum sftpd_status sftpd_file_close(void *arg, void *file, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct file *f = file;
	enum sftpd_status status = SFTPD_OK;
	m->at_work = f;
	if (f->upload) /* whoever opens a message to write and writes nothing (touch) has sent nothing */
		status = f->untouched ? SFTPD_OK : commit(m, f, why);
	else if (f->progress && sftpd_spans_cover(&f->progress->read, f->attributes.size))
		status = collect(m, f, why);
	else
		note_progress(m, f);
	file_free(m, f);
	return status;
}

void sftpd_file_abandon(void *arg, void *file)
{
	struct sftpd_mailbox *m = arg;
	struct file *f = file;
	m->at_work = f;
	if (f->upload) {
		bool kept = keep_unfinished(m, f);
		log_event(LOG_LEVEL_WARNING, "upload-abandoned", "file", log_slice(name_of(f)), "bytes", log_u64(sftpd_upload_size(f->upload)),
			  "kept", kept ? "yes" : "no", NULL);
	} else {
		note_progress(m, f);
	}
	file_free(m, f);
}
