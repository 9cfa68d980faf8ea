#include "sftp/engine.h"

#include <stdarg.h>
#include <stdio.h>

enum sftpd_status sftpd_refuse(struct sftpd_why *why, enum sftpd_status status, const char *fmt, ...)
{
	if (why) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(why->text, sizeof why->text, fmt, ap);
		va_end(ap);
	}
	return status;
}

static const char *usual_text(enum sftpd_status status)
{
	static const char *const texts[] = {"Success", "End of file", "No such file", "Permission denied", "Failure",
					    "Bad message", "No connection", "Connection lost", "Operation unsupported"};
	return (size_t)status < sizeof texts / sizeof *texts ? texts[status] : "Failure";
}

void reply_status(struct sftpd *s, uint32_t id, enum sftpd_status status, const struct sftpd_why *why)
{
	size_t begin = packet_begin(&s->out, PACKET_STATUS, id);
	packet_put_u32(&s->out, status);
	packet_put_string(&s->out, slice_str(status != SFTPD_OK && why && why->text[0] ? why->text : usual_text(status)));
	packet_put_string(&s->out, SLICE("")); /* language */
	packet_end(&s->out, begin);
}

void reply_version(struct sftpd *s)
{
	static const char *const extensions[][2] = {
		{"posix-rename@openssh.com", "1"}, {"statvfs@openssh.com", "2"}, {"fstatvfs@openssh.com", "2"},
		{"fsync@openssh.com", "1"},	   {"limits@openssh.com", "1"},  {"home-directory", "1"},
	};
	size_t begin = packet_begin(&s->out, PACKET_VERSION, 3); /* the version stands where the id does */
	for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
		packet_put_string(&s->out, slice_str(extensions[i][0]));
		packet_put_string(&s->out, slice_str(extensions[i][1]));
	}
	packet_end(&s->out, begin);
}

void reply_handle(struct sftpd *s, uint32_t id, const struct handle *h)
{
	char text[HANDLE_BYTES];
	handle_text(s, h, text);
	size_t begin = packet_begin(&s->out, PACKET_HANDLE, id);
	packet_put_string(&s->out, slice_make(text, sizeof text));
	packet_end(&s->out, begin);
}

void reply_attributes(struct sftpd *s, uint32_t id, const struct sftpd_attributes *a)
{
	size_t begin = packet_begin(&s->out, PACKET_ATTRS, id);
	packet_put_attributes(&s->out, a);
	packet_end(&s->out, begin);
}

void reply_name(struct sftpd *s, uint32_t id, struct slice name)
{
	size_t begin = packet_begin(&s->out, PACKET_NAME, id);
	packet_put_u32(&s->out, 1);
	packet_put_string(&s->out, name);
	packet_put_string(&s->out, name);
	packet_put_u32(&s->out, 0); /* no attributes */
	packet_end(&s->out, begin);
}

bool sftpd_names_add(struct sftpd_names *to, struct slice name, const struct sftpd_attributes *a)
{
	struct van_buf *out = &to->s->out;
	size_t before = out->n;
	if (name.n > SFTPD_NAME_MAX)
		return true; /* nobody could ask for it */
	packet_put_string(out, name);
	size_t length_at = out->n;
	packet_put_u32(out, 0);
	sftpd_long_name(out, name, a, to->s->owner, to->s->now);
	packet_set_u32(out, length_at, (uint32_t)(out->n - length_at - 4));
	packet_put_attributes(out, a);
	if (to->count && out->n > to->limit) { /* the first one always fits: names are bounded */
		out->n = before;
		return false;
	}
	to->count++;
	return true;
}
