/* UTF-8 (RFC 3629). */
#ifndef OPENVAN_BASE_UTF8_H
#define OPENVAN_BASE_UTF8_H

#include "base/slice.h"

/* Length of the valid sequence at s.p, or 0: no overlong forms, no surrogates, up to U+10FFFF. */
size_t van_utf8_length(struct slice s);

#endif
