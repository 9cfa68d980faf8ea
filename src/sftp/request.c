#include "sftp/engine.h"

static void no_handle(struct sftpd *s, uint32_t id)
{
	reply_status(s, id, SFTPD_FAILURE, &(struct sftpd_why){"This handle is not open"});
}

static void bad_packet(struct sftpd *s, uint32_t id)
{
	reply_status(s, id, SFTPD_BAD_MESSAGE, &(struct sftpd_why){"The request is shorter than its fields say"});
}

static void unsupported(struct sftpd *s, uint32_t id)
{
	reply_status(s, id, SFTPD_OP_UNSUPPORTED, NULL);
}

bool request_path(struct sftpd *s, uint32_t id, struct packet *k, struct sftpd_path *ret)
{
	struct slice text = packet_string(k);
	if (k->bad) {
		bad_packet(s, id);
		return false;
	}
	switch (sftpd_path_normalise(text, ret)) {
	case 0:
		return true;
	case VAN_ESYNTAX:
		reply_status(s, id, SFTPD_NO_SUCH_FILE, &(struct sftpd_why){"A file name can't hold a NUL byte"});
		return false;
	default:
		reply_status(s, id, SFTPD_FAILURE,
			     &(struct sftpd_why){"The name is too long: at most 255 bytes for a name and 1024 for a path"});
		return false;
	}
}

/* Keeps what the backend opened, or gives it up when all handles are taken. */
static void opened(struct sftpd *s, uint32_t id, enum handle_kind kind, void *thing)
{
	struct handle *h = handle_take(s, kind, thing);
	if (h)
		reply_handle(s, id, h);
	else if (kind == HANDLE_FILE)
		s->ops->abandon(s->arg, thing);
	else
		s->ops->folder_close(s->arg, thing);
}

static bool handles_left(struct sftpd *s, uint32_t id)
{
	if (*s->open < s->o.handles_max)
		return true;
	struct sftpd_why why;
	reply_status(s, id, sftpd_refuse(&why, SFTPD_FAILURE, "At most %u files may be open: close some first", s->o.handles_max), &why);
	return false;
}

static void serve_open(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct sftpd_path path;
	struct sftpd_attributes a;
	struct sftpd_why why = {""};
	void *file = NULL;
	if (!request_path(s, id, k, &path))
		return;
	uint32_t flags = packet_u32(k);
	packet_attributes(k, &a);
	if (k->bad)
		return bad_packet(s, id);
	if (!s->ops->open)
		return unsupported(s, id);
	if (!handles_left(s, id))
		return;
	enum sftpd_status status = s->ops->open(s->arg, sftpd_path_slice(&path), flags, &a, &file, &why);
	if (status == SFTPD_OK)
		opened(s, id, HANDLE_FILE, file);
	else
		reply_status(s, id, status, &why);
}

static void serve_opendir(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct sftpd_path path;
	struct sftpd_why why = {""};
	void *folder = NULL;
	if (!request_path(s, id, k, &path))
		return;
	if (!s->ops->folder_open)
		return unsupported(s, id);
	if (!handles_left(s, id))
		return;
	enum sftpd_status status = s->ops->folder_open(s->arg, sftpd_path_slice(&path), &folder, &why);
	if (status == SFTPD_OK)
		opened(s, id, HANDLE_FOLDER, folder);
	else
		reply_status(s, id, status, &why);
}

static void serve_close(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct slice text = packet_string(k);
	struct sftpd_why why = {""};
	enum sftpd_status status = SFTPD_OK;
	struct handle *h;
	if (k->bad)
		return bad_packet(s, id);
	if ((h = handle_find(s, text, HANDLE_FILE)))
		status = s->ops->close(s->arg, h->thing, &why);
	else if ((h = handle_find(s, text, HANDLE_FOLDER)))
		s->ops->folder_close(s->arg, h->thing);
	else
		return no_handle(s, id);
	handle_release(s, h);
	reply_status(s, id, status, &why);
}

/* The backend reads straight into the reply. */
static void serve_read(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct slice text = packet_string(k);
	uint64_t at = packet_u64(k);
	uint32_t want = packet_u32(k);
	struct sftpd_why why = {""};
	if (k->bad)
		return bad_packet(s, id);
	struct handle *h = handle_find(s, text, HANDLE_FILE);
	if (!h)
		return no_handle(s, id);
	if (!s->ops->read)
		return unsupported(s, id);
	if (want > s->o.read_max)
		want = s->o.read_max;
	size_t begin = packet_begin(&s->out, PACKET_DATA, id), got = 0;
	packet_put_u32(&s->out, 0);
	char *to = van_buf_reserve(&s->out, want);
	if (!to)
		return;
	enum sftpd_status status = want ? s->ops->read(s->arg, h->thing, at, to, want, &got, &why) : SFTPD_OK;
	if (status == SFTPD_OK && (got || !want)) {
		s->out.n += got;
		packet_set_u32(&s->out, begin + 9, (uint32_t)got);
		packet_end(&s->out, begin);
		return;
	}
	s->out.n = begin;
	reply_status(s, id, status == SFTPD_OK ? SFTPD_EOF : status, &why);
}

static void serve_readdir(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct slice text = packet_string(k);
	struct sftpd_why why = {""};
	if (k->bad)
		return bad_packet(s, id);
	struct handle *h = handle_find(s, text, HANDLE_FOLDER);
	if (!h)
		return no_handle(s, id);
	size_t begin = packet_begin(&s->out, PACKET_NAME, id);
	packet_put_u32(&s->out, 0);
	struct sftpd_names names = {.s = s, .limit = begin + s->o.names_max};
	enum sftpd_status status = s->ops->folder_read(s->arg, h->thing, &names, &why);
	if (status == SFTPD_OK && names.count) {
		packet_set_u32(&s->out, begin + 9, names.count);
		packet_end(&s->out, begin);
		return;
	}
	s->out.n = begin;
	reply_status(s, id, status == SFTPD_OK ? SFTPD_EOF : status, &why);
}

static void serve_stat(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct sftpd_path path;
	struct sftpd_attributes a = {0};
	struct sftpd_why why = {""};
	if (!request_path(s, id, k, &path))
		return;
	if (!s->ops->stat)
		return unsupported(s, id);
	enum sftpd_status status = s->ops->stat(s->arg, sftpd_path_slice(&path), &a, &why);
	if (status == SFTPD_OK)
		reply_attributes(s, id, &a);
	else
		reply_status(s, id, status, &why);
}

static void serve_fstat(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct slice text = packet_string(k);
	struct sftpd_attributes a = {0};
	struct sftpd_why why = {""};
	if (k->bad)
		return bad_packet(s, id);
	struct handle *h = handle_find(s, text, HANDLE_FILE);
	if (!h)
		return no_handle(s, id);
	if (!s->ops->fstat)
		return unsupported(s, id);
	enum sftpd_status status = s->ops->fstat(s->arg, h->thing, &a, &why);
	if (status == SFTPD_OK)
		reply_attributes(s, id, &a);
	else
		reply_status(s, id, status, &why);
}

static void serve_setstat(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct sftpd_path path;
	struct sftpd_attributes a;
	struct sftpd_why why = {""};
	if (!request_path(s, id, k, &path))
		return;
	packet_attributes(k, &a);
	if (k->bad)
		return bad_packet(s, id);
	if (!s->ops->setstat)
		return unsupported(s, id);
	reply_status(s, id, s->ops->setstat(s->arg, sftpd_path_slice(&path), &a, &why), &why);
}

static void serve_fsetstat(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct slice text = packet_string(k);
	struct sftpd_attributes a;
	struct sftpd_why why = {""};
	packet_attributes(k, &a);
	if (k->bad)
		return bad_packet(s, id);
	struct handle *h = handle_find(s, text, HANDLE_FILE);
	if (!h)
		return no_handle(s, id);
	if (!s->ops->fsetstat)
		return unsupported(s, id);
	reply_status(s, id, s->ops->fsetstat(s->arg, h->thing, &a, &why), &why);
}

/* REMOVE, MKDIR, RMDIR: a path and a status. */
static void serve_plain(struct sftpd *s, uint32_t id, struct packet *k,
			enum sftpd_status (*op)(void *, struct slice, struct sftpd_why *))
{
	struct sftpd_path path;
	struct sftpd_why why = {""};
	if (!request_path(s, id, k, &path))
		return;
	if (!op)
		return unsupported(s, id);
	reply_status(s, id, op(s->arg, sftpd_path_slice(&path), &why), &why);
}

static void serve_rename(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct sftpd_path from, to;
	struct sftpd_why why = {""};
	if (!request_path(s, id, k, &from) || !request_path(s, id, k, &to))
		return;
	if (!s->ops->rename)
		return unsupported(s, id);
	reply_status(s, id, s->ops->rename(s->arg, sftpd_path_slice(&from), sftpd_path_slice(&to), false, &why), &why);
}

static void serve_realpath(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct sftpd_path path;
	if (request_path(s, id, k, &path))
		reply_name(s, id, sftpd_path_slice(&path));
}

void request_serve(struct sftpd *s, uint8_t type, struct packet *k)
{
	uint32_t id = packet_u32(k);
	switch (type) {
	case PACKET_OPEN:
		return serve_open(s, id, k);
	case PACKET_CLOSE:
		return serve_close(s, id, k);
	case PACKET_READ:
		return serve_read(s, id, k);
	case PACKET_LSTAT: /* there are no links */
	case PACKET_STAT:
		return serve_stat(s, id, k);
	case PACKET_FSTAT:
		return serve_fstat(s, id, k);
	case PACKET_SETSTAT:
		return serve_setstat(s, id, k);
	case PACKET_FSETSTAT:
		return serve_fsetstat(s, id, k);
	case PACKET_OPENDIR:
		return serve_opendir(s, id, k);
	case PACKET_READDIR:
		return serve_readdir(s, id, k);
	case PACKET_REMOVE:
		return serve_plain(s, id, k, s->ops->remove);
	case PACKET_MKDIR:
		return serve_plain(s, id, k, s->ops->mkdir);
	case PACKET_RMDIR:
		return serve_plain(s, id, k, s->ops->rmdir);
	case PACKET_REALPATH:
		return serve_realpath(s, id, k);
	case PACKET_RENAME:
		return serve_rename(s, id, k);
	case PACKET_EXTENDED:
		return extended_serve(s, id, k);
	case PACKET_WRITE: /* the engine serves those that hold at least a handle's length */
		return bad_packet(s, id);
	default: /* READLINK and SYMLINK too */
		return unsupported(s, id);
	}
}
