/* The multipart reader (RFC 2046 section 5.1): a push parser that reports the exact bytes of each part, its headers
 * included, so that a MIC or a signature can be taken over them. The line end before a boundary belongs to the boundary.
 * Boundaries are recognised at the start of the body and after LF; a bare LF line end is accepted everywhere. */
#ifndef OPENVAN_MIME_MULTIPART_H
#define OPENVAN_MIME_MULTIPART_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define MIME_BOUNDARY_MAX 200 /* RFC 2046 says 70; the field is longer */

struct mime_multipart_events {
	void *arg;
	int (*begin)(void *arg, unsigned part); /* part counts from 0 */
	int (*bytes)(void *arg, unsigned part, const void *p, size_t n);
	int (*end)(void *arg, unsigned part);
};

/* Plain memory, nothing allocated. */
struct mime_multipart {
	struct mime_multipart_events ev;
	unsigned part, parts_max;
	int state;
	bool closed;        /* the closing boundary was seen */
	bool epilogue;      /* bytes other than blanks and line ends followed it */
	bool guess;         /* no boundary was given: the first line that starts with "--" gives it */
	char delimiter[MIME_BOUNDARY_MAX + 3]; /* "--" and the boundary */
	size_t ndelimiter;
	char held[MIME_BOUNDARY_MAX + 8]; /* bytes that may begin a delimiter */
	size_t nheld;
};

/* `boundary` absent or empty: it is taken from the first line that starts with "--". `parts_max` 0 means 64.
 * 0, or VAN_ELIMIT for a boundary that is too long. */
int mime_multipart_init(struct mime_multipart *m, struct slice boundary, unsigned parts_max,
			const struct mime_multipart_events *ev);
/* 0, VAN_ELIMIT, VAN_ESYNTAX, or what an event returned. */
int mime_multipart_feed(struct mime_multipart *m, const void *p, size_t n);
/* VAN_ESYNTAX when the closing boundary is missing; the part that was open is not ended. */
int mime_multipart_finish(struct mime_multipart *m);

#endif
