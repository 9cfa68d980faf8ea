#include "sftp/engine.h"

#include <stdlib.h>

struct handle *handle_take(struct sftpd *s, enum handle_kind kind, void *thing)
{
	for (uint32_t i = 0; i < s->o.handles_max; i++) {
		struct handle *h = &s->handles[i];
		if (h->kind != HANDLE_FREE)
			continue;
		h->kind = kind;
		h->generation++;
		h->thing = thing;
		(*s->open)++;
		return h;
	}
	return NULL;
}

struct handle *handle_find(struct sftpd *s, struct slice text, enum handle_kind kind)
{
	if (text.n != HANDLE_BYTES)
		return NULL;
	uint32_t i = packet_peek_u32(text.p);
	if (i >= s->o.handles_max)
		return NULL;
	struct handle *h = &s->handles[i];
	return h->kind == kind && h->generation == packet_peek_u32(text.p + 4) ? h : NULL;
}

void handle_text(const struct sftpd *s, const struct handle *h, char to[HANDLE_BYTES])
{
	uint32_t words[2] = {(uint32_t)(h - s->handles), h->generation};
	for (int i = 0; i < HANDLE_BYTES; i++)
		to[i] = (char)(words[i / 4] >> (24 - 8 * (i % 4)));
}

void handle_release(struct sftpd *s, struct handle *h)
{
	if (s->write.handle == h)
		s->write.handle = NULL;
	h->kind = HANDLE_FREE;
	h->thing = NULL;
	(*s->open)--;
}

void handle_abandon_all(struct sftpd *s)
{
	for (uint32_t i = 0; s->handles && i < s->o.handles_max; i++) {
		struct handle *h = &s->handles[i];
		if (h->kind == HANDLE_FILE)
			s->ops->abandon(s->arg, h->thing);
		else if (h->kind == HANDLE_FOLDER)
			s->ops->folder_close(s->arg, h->thing);
		if (h->kind != HANDLE_FREE)
			handle_release(s, h);
	}
}
