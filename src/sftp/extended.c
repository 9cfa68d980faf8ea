#include "sftp/engine.h"

static void serve_limits(struct sftpd *s, uint32_t id)
{
	size_t begin = packet_begin(&s->out, PACKET_EXTENDED_REPLY, id);
	packet_put_u64(&s->out, s->o.packet_max);
	packet_put_u64(&s->out, s->o.read_max);
	packet_put_u64(&s->out, s->o.write_max);
	packet_put_u64(&s->out, s->o.handles_max);
	packet_end(&s->out, begin);
}

static void serve_posix_rename(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct sftpd_path from, to;
	struct sftpd_why why = {""};
	if (!request_path(s, id, k, &from) || !request_path(s, id, k, &to))
		return;
	enum sftpd_status status = SFTPD_OP_UNSUPPORTED;
	if (s->ops->rename)
		status = s->ops->rename(s->arg, sftpd_path_slice(&from), sftpd_path_slice(&to), true, &why);
	reply_status(s, id, status, &why);
}

static void serve_fsync(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct sftpd_why why = {""};
	struct handle *h = handle_find(s, packet_string(k), HANDLE_FILE);
	enum sftpd_status status = SFTPD_OP_UNSUPPORTED;
	if (!h)
		status = sftpd_refuse(&why, SFTPD_FAILURE, "This handle is not open");
	else if (s->ops->sync)
		status = s->ops->sync(s->arg, h->thing, &why);
	reply_status(s, id, status, &why);
}

static void reply_space(struct sftpd *s, uint32_t id, const struct sftpd_space *v)
{
	const uint64_t words[] = {v->block, v->fragment, v->blocks, v->free_blocks, v->available_blocks, v->files,
				  v->free_files, v->available_files, v->id, v->flags, v->name_max};
	size_t begin = packet_begin(&s->out, PACKET_EXTENDED_REPLY, id);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		packet_put_u64(&s->out, words[i]);
	packet_end(&s->out, begin);
}

static void answer_space(struct sftpd *s, uint32_t id, struct slice path)
{
	struct sftpd_space space = {0};
	struct sftpd_why why = {""};
	enum sftpd_status status = s->ops->space ? s->ops->space(s->arg, path, &space, &why) : SFTPD_OP_UNSUPPORTED;
	if (status == SFTPD_OK)
		reply_space(s, id, &space);
	else
		reply_status(s, id, status, &why);
}

/* The whole mailbox is one space, so any open file will do. */
static void serve_fstatvfs(struct sftpd *s, uint32_t id, struct packet *k)
{
	if (handle_find(s, packet_string(k), HANDLE_FILE))
		answer_space(s, id, SLICE("/"));
	else
		reply_status(s, id, SFTPD_FAILURE, &(struct sftpd_why){"This handle is not open"});
}

void extended_serve(struct sftpd *s, uint32_t id, struct packet *k)
{
	struct slice name = packet_string(k);
	struct sftpd_path path;
	if (k->bad)
		reply_status(s, id, SFTPD_BAD_MESSAGE, NULL);
	else if (slice_is(name, "limits@openssh.com"))
		serve_limits(s, id);
	else if (slice_is(name, "posix-rename@openssh.com"))
		serve_posix_rename(s, id, k);
	else if (slice_is(name, "fsync@openssh.com"))
		serve_fsync(s, id, k);
	else if (slice_is(name, "fstatvfs@openssh.com"))
		serve_fstatvfs(s, id, k);
	else if (slice_is(name, "home-directory"))
		reply_name(s, id, SLICE("/"));
	else if (!slice_is(name, "statvfs@openssh.com"))
		reply_status(s, id, SFTPD_OP_UNSUPPORTED, NULL);
	else if (request_path(s, id, k, &path))
		answer_space(s, id, sftpd_path_slice(&path));
}
