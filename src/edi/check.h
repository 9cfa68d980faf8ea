/* Check EDI input: envelopes, dictionaries, business keys, received acknowledgements, in one pass and bounded memory.
 *
 * Two forms: edi_check_* collects a whole report in an arena; a checker pushes what it finds to a sink, so that any
 * number of messages fits (what the sink gets is only valid during the call). */
#ifndef OPENVAN_EDI_CHECK_H
#define OPENVAN_EDI_CHECK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#include "edi/dictionary.h"
#include "edi/report.h"

struct edi_guide;

/* What a rejected message takes along. */
enum edi_reach { EDI_REJECTS_MESSAGE, EDI_REJECTS_GROUP, EDI_REJECTS_INTERCHANGE };

/* By what terms documents are judged: those of an agreement. Zeros: errors reject their message, and what leaves no doubt is
 * read and reported. */
struct edi_check_policy {
	bool tolerate_counts;        /* wrong counts in SE, GE, IEA, UNT, UNE, UNZ: accepted with errors, not rejected */
	bool tolerate_elements;      /* errors of elements (AK403): accepted with errors, not rejected */
	bool strict_syntax;          /* EDIFACT: what is against the syntax but leaves no doubt is rejected, not only reported: characters
	                              * outside the repertoire, service characters not advised, separators at a segment's end, dates of
	                              * another syntax version */
	bool nearest_version;        /* a type that is known in other versions only: checked as the nearest one */
	bool known_only;             /* messages of a type or version without a dictionary are rejected */
	bool strict_codes;           /* a value that an open code list does not name is an error */
	enum edi_reach rejects;      /* of a group or interchange that is rejected as a whole, listed messages are so, too */
	const struct edi_guide *const *guides; /* the first that is for a message is checked with it. They outlive the checker */
	size_t guide_count;
};

/* Asked when a message begins, of which type, version and control number are known: whose terms hold for it. *ret lives until the
 * interchange ends. A negative return stops the checker. Its group and interchange are judged by the strictest of their messages'. */
typedef int (*edi_policy_fn)(void *ctx, const struct edi_interchange *i, const struct edi_group *g, const struct edi_message *m,
	const struct edi_check_policy **ret);

/* Every bound; 0 takes the default. */
struct edi_check_options {
	bool envelopes_only;         /* no dictionaries: `vanctl edi stats` */
	struct edi_check_policy policy; /* for all, or where policy_for has nothing to say */
	edi_policy_fn policy_for;    /* NULL: nobody is asked */
	void *policy_ctx;
	size_t max_segment;          /* bytes; default 1 MiB; at most 16 MiB */
	size_t max_value;            /* bytes of bad data kept; default 99 (AK404's maximum) */
	uint32_t max_message_errors; /* listed for one message; default 100 */
	uint32_t max_errors;         /* listed in all; default 10000 */
	uint32_t max_messages;       /* listed; default 250000. Counts stay right beyond it, report.truncated says so */
	uint32_t max_keys;           /* listed for one message; default 4 */
};

/* Report on all the bytes. Errors of the input are in the report, never a failure. 0, VAN_ENOMEM (arena full), or what
 * edi_dictionary_find returns for a dictionary that is in error. */
int edi_check_bytes(struct slice input, struct edi_dictionary_set *set, const struct edi_check_options *options,
	struct van_arena *arena, struct edi_report **ret, struct van_error *e);
/* The same for a descriptor, from its present offset to the end of file (pipes too). VAN_EIO, VAN_ENOMEM. */
int edi_check_fd(int fd, struct edi_dictionary_set *set, const struct edi_check_options *options,
	struct van_arena *arena, struct edi_report **ret, struct van_error *e);

/* Sink of a checker. All may be NULL. Structs are complete at the `_end` calls, and have what their first segment
 * says at the `_begin` calls. A negative return stops the checker and is returned by feed. */
struct edi_check_sink {
	int (*interchange_begin)(void *ctx, const struct edi_interchange *i);
	int (*group_begin)(void *ctx, const struct edi_group *g);
	int (*message_end)(void *ctx, const struct edi_message *m);
	int (*group_end)(void *ctx, const struct edi_group *g);
	int (*interchange_end)(void *ctx, const struct edi_interchange *i);
	void *ctx;
};

struct edi_checker;
/* `set` and the strings behind it must outlive the checker. NULL when out of memory. */
struct edi_checker *edi_checker_new(struct edi_dictionary_set *set, const struct edi_check_options *options,
	const struct edi_check_sink *sink);
void edi_checker_free(struct edi_checker *c);
/* Any chunking gives the same calls. `last` ends the input (chunk may be empty). 0, VAN_ENOMEM or the sink's error. */
int edi_checker_feed(struct edi_checker *c, struct slice chunk, bool last);
/* Bytes of the input before this offset are of no message to come, nor of the one at hand: it is where that one begins (*message), or
 * where the last segment ended. */
uint64_t edi_checker_open(const struct edi_checker *c, bool *message);
/* Feeds a descriptor from its present offset to the end of file. As feed, or VAN_EIO. */
int edi_checker_read(struct edi_checker *c, int fd, struct van_error *e);
/* Totals and errors outside interchanges; valid after the last feed, until the checker is freed. Its lists of interchanges
 * are empty: the sink had them. */
const struct edi_report *edi_checker_report(const struct edi_checker *c);

/* Appends the report as the JSON object of `vanctl edi validate --json`. 0 or the buffer's error. */
int edi_report_to_json(const struct edi_report *r, const char *file, struct van_buf *to);
/* Its pieces, for writing while checking: an array of errors; a message; the members of a group and of an interchange,
 * without braces, "messages" and "groups". */
void edi_errors_to_json(const struct edi_error *errors, struct van_buf *to);
void edi_message_to_json(const struct edi_message *m, struct van_buf *to);
void edi_group_members_to_json(const struct edi_group *g, struct van_buf *to);
void edi_interchange_members_to_json(const struct edi_interchange *i, struct van_buf *to);

#endif
