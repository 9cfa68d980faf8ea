/* UTF-8 (RFC 3629). */
#ifndef OPENVAN_BASE_UTF8_H
#define OPENVAN_BASE_UTF8_H

#include "base/buf.h"

/* Length of the valid sequence at s.p, or 0: no overlong forms, no surrogates, up to U+10FFFF. */
size_t van_utf8_length(struct slice s);
bool van_utf8_valid(struct slice s);
/* The character at s.p, which is not empty, and its length; no valid sequence: 0, and a length of one byte. */
unsigned van_utf8_decode(struct slice s, size_t *ret_length);
/* A character of the basic plane, up to U+FFFF. Errors stay in `to`. */
void van_utf8_append(struct van_buf *to, unsigned character);

#endif
