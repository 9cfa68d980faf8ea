/* Which stretches of a file were touched, in any order. */
#ifndef OPENVAN_ROLES_SFTP_SPANS_H
#define OPENVAN_ROLES_SFTP_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sftpd_span {
	uint64_t from, to;
};
/* In order, none touching another. Zeroed is empty; `v` is allocated as needed. */
struct sftpd_spans {
	struct sftpd_span *v;
	size_t n, room;
};

/* Most separate stretches that are kept: a client has some requests under way, not thousands. */
#define SFTPD_SPANS_MAX 1024

void sftpd_spans_free(struct sftpd_spans *s);
/* Joins [from, to). false when there are too many separate stretches, or no memory. */
bool sftpd_spans_add(struct sftpd_spans *s, uint64_t from, uint64_t to);
/* Forgets what lies beyond `size`. */
void sftpd_spans_cut(struct sftpd_spans *s, uint64_t size);
/* How much there is from 0 on without a gap. */
uint64_t sftpd_spans_prefix(const struct sftpd_spans *s);
/* Everything of [0, size)? */
bool sftpd_spans_cover(const struct sftpd_spans *s, uint64_t size);

#endif
