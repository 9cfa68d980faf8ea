#include "roles/sftp/spans.h"

#include <stdlib.h>
#include <string.h>

void sftpd_spans_free(struct sftpd_spans *s)
{
	free(s->v);
	*s = (struct sftpd_spans){0};
}

static bool grow(struct sftpd_spans *s)
{
	if (s->n < s->room)
		return true;
	size_t room = s->room ? s->room * 4 : 4;
	if (s->n >= SFTPD_SPANS_MAX)
		return false;
	struct sftpd_span *v = realloc(s->v, room * sizeof *v);
	if (!v)
		return false;
	s->v = v;
	s->room = room;
	return true;
}

bool sftpd_spans_add(struct sftpd_spans *s, uint64_t from, uint64_t to)
{
	size_t i = s->n;
	while (i > 0 && s->v[i - 1].to >= from) /* the last one in nearly every case */
		i--;
	size_t end = i;
	for (; end < s->n && s->v[end].from <= to; end++) {
		from = s->v[end].from < from ? s->v[end].from : from;
		to = s->v[end].to > to ? s->v[end].to : to;
	}
	if (end == i && !grow(s))
		return false;
	memmove(&s->v[i + 1], &s->v[end], (s->n - end) * sizeof *s->v);
	s->v[i] = (struct sftpd_span){from, to};
	s->n = s->n + 1 - (end - i);
	return true;
}

void sftpd_spans_cut(struct sftpd_spans *s, uint64_t size)
{
	while (s->n && s->v[s->n - 1].from >= size)
		s->n--;
	if (s->n && s->v[s->n - 1].to > size)
		s->v[s->n - 1].to = size;
}

bool sftpd_spans_cover(const struct sftpd_spans *s, uint64_t size)
{
	return size == 0 || (s->n == 1 && s->v[0].from == 0 && s->v[0].to >= size);
}

uint64_t sftpd_spans_prefix(const struct sftpd_spans *s)
{
	return s->n && s->v[0].from == 0 ? s->v[0].to : 0;
}
