/* JSON as the receipt log needs it: a strict bounded reader, and RFC 8785 (JCS) canonical writing. */
#ifndef OPENVAN_RECEIPT_JSON_H
#define OPENVAN_RECEIPT_JSON_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

enum canon_kind { CANON_NULL, CANON_FALSE, CANON_TRUE, CANON_NUMBER, CANON_STRING, CANON_ARRAY, CANON_OBJECT };

struct canon_value;
struct canon_member {
	struct slice name; /* unescaped UTF-8; absent in arrays */
	struct canon_value *value;
	struct canon_member *next;
};
struct canon_value {
	enum canon_kind kind;
	double number;
	struct slice text; /* unescaped UTF-8 */
	struct canon_member *first; /* elements or members, in order of appearance */
	size_t n;
};

#define CANON_DEPTH_MAX 32
#define CANON_SAFE_INTEGER (((uint64_t)1 << 53) - 1)

/* Parses one whole value, I-JSON (RFC 7493): valid UTF-8, no lone surrogates, no member twice. VAN_ESYNTAX, VAN_ELIMIT (depth),
 * VAN_ENOMEM. */
int canon_parse(struct slice text, struct van_arena *arena, struct canon_value **ret);
/* NULL when it is no object or has no such member. */
const struct canon_value *canon_get(const struct canon_value *object, const char *name);
/* A string's text, else absent. */
struct slice canon_get_text(const struct canon_value *object, const char *name);
/* A whole number from 0 to CANON_SAFE_INTEGER; false otherwise. */
bool canon_get_u64(const struct canon_value *object, const char *name, uint64_t *ret);

/* Appends the canonical form; sorts the members of `v` in place. */
int canon_put(struct canon_value *v, struct van_buf *to);
/* Its pieces. Bytes that are not UTF-8 become U+FFFD. A number that is not finite is VAN_EINVAL. */
int canon_put_text(struct van_buf *to, struct slice s);
int canon_put_number(struct van_buf *to, double v);
/* UTF-16 code unit order of two UTF-8 texts: <0, 0, >0. */
int canon_name_order(struct slice a, struct slice b);

#endif
