/* One code point of UTF-8 at a time. */
#ifndef OPENVAN_RECEIPT_UTF8_H
#define OPENVAN_RECEIPT_UTF8_H

#include "base/buf.h"

#define UTF8_BAD UINT32_MAX

/* Cuts one code point off s (not empty), or one byte and returns UTF8_BAD: overlong forms, surrogates, beyond U+10FFFF. */
uint32_t utf8_next(struct slice *s);
int utf8_put(struct van_buf *to, uint32_t c);

#endif
