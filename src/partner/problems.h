/* The list of what is wrong in configuration and profile files: several at once, each with file, line and field. */
#ifndef OPENVAN_PARTNER_PROBLEMS_H
#define OPENVAN_PARTNER_PROBLEMS_H

#include "base/buf.h"

#include <stdbool.h>

struct profile_problem {
	bool warning; /* works as written, but surely isn't meant */
	const char *file; /* NULL: none (JSON from a request) */
	unsigned line;    /* from 1; 0: unknown */
	const char *field; /* "connections[0].receive.digests"; "" for the document itself */
	const char *text;  /* what is wrong and what to do */
	const char *kind, *id; /* the profile it is about, "partner" and "acme"; NULL: it has none, or only a file and line */
};

#define PROFILE_PROBLEMS_MAX 100

/* Starts as {0}. Owns its texts. Past the maximum only counted. */
struct profile_errors {
	struct profile_problem *v;
	size_t n;
	size_t errors, warnings; /* all that were found */
	bool out_of_memory;
};

void profile_errors_free(struct profile_errors *e); /* back to {0}; NULL is fine */
void profile_errors_add(struct profile_errors *e, bool warning, const char *file, unsigned line, const char *field,
			const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Says which profile the problem added last is about. */
void profile_errors_about(struct profile_errors *e, const char *kind, struct slice id);

/* "FILE:LINE: FIELD: what is wrong and what to do", one line each, errors and warnings ("warning: ") in file order. Without a
 * file "KIND ID" stands in its place. */
int profile_errors_print(const struct profile_errors *e, struct van_buf *to);
/* [{"severity":"error","file":…,"line":…,"kind":…,"id":…,"field":…,"text":…}]; what isn't known is null. */
int profile_errors_to_json(const struct profile_errors *e, struct van_buf *to);

#endif
