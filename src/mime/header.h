/* Headers of HTTP, MIME and MDN parts: one tokenizer for all of them (RFC 5322 section 2.2, RFC 2045 section 5,
 * RFC 2231). It forgives what the field sends: bare LF, odd quoting, blanks around "=" and "/", missing semicolons'
 * values; it never forgives a bound. */
#ifndef OPENVAN_MIME_HEADER_H
#define OPENVAN_MIME_HEADER_H

#include "base/arena.h"
#include "base/error.h"

struct mime_header {
	struct slice name;
	struct slice value; /* unfolded, without blanks at both ends */
};

struct mime_headers {
	struct mime_header *v;
	size_t n;
};

#define MIME_HEADERS_MAX 256         /* fields in one block */
#define MIME_HEADER_BYTES_MAX 65536  /* bytes of one block */
#define MIME_PARAMS_MAX 32           /* parameters of one value */

/* Where the header block that starts at block.p ends: the offset behind its empty line, or 0 when there is none yet.
 * A block that starts with an empty line has no headers. */
size_t mime_headers_end(struct slice block);

/* Splits a block (with or without its empty line). Slices point into `block`, or into `arena` where a value was folded.
 * 0, VAN_ESYNTAX (a line without a colon), VAN_ELIMIT, VAN_ENOMEM. */
int mime_headers_parse(struct slice block, struct van_arena *arena, struct mime_headers *ret, struct van_error *err);

/* The first field of that name, case ignored; absent when there is none. */
struct slice mime_header_get(const struct mime_headers *h, const char *name);
/* How many fields have that name. */
size_t mime_header_count(const struct mime_headers *h, const char *name);

struct mime_param {
	struct slice name;  /* lower case, RFC 2231 suffixes removed */
	struct slice value; /* without quotes and escapes, continuations joined, percent-decoded where RFC 2231 says so */
};

/* A structured value such as Content-Type, Content-Disposition, Disposition-Notification-Options. */
struct mime_value {
	struct slice value; /* before the first ";", lower case, inner blanks removed; may be empty */
	struct mime_param params[MIME_PARAMS_MAX];
	size_t nparams;
};

/* A value that is wholly quoted ("\"multipart/signed; a=\\\"b\\\"\"") is unquoted first. What can't be understood is skipped;
 * errors are only VAN_ELIMIT and VAN_ENOMEM. */
int mime_value_parse(struct slice text, struct van_arena *arena, struct mime_value *ret);
struct slice mime_value_param(const struct mime_value *v, const char *name);

/* A safe base name for a file name that a peer gave: the last component after "/", "\\" and ":", in UTF-8, without control
 * characters and leading dots and blanks, at most `size` - 1 bytes of whole characters. An empty string when nothing is left. RFC 2047
 * words in UTF-8, ASCII or Latin-1 are decoded; bytes that are no UTF-8 are taken for Latin-1. Returns `to`. */
char *mime_safe_file_name(char *to, size_t size, struct slice name);
/* Had something to be left out to get `safe` from `name`? */
bool mime_file_name_changed(const char *safe, struct slice name);

#endif
