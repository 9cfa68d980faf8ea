/* The little of character sets that parameters and file names need. */
#ifndef OPENVAN_MIME_CHARSET_H
#define OPENVAN_MIME_CHARSET_H

#include "base/slice.h"

/* Bytes in `charset` as UTF-8: `to` holds at least 2 * s.n bytes. Latin-1 is converted; everything else is taken as it is.
 * Returns the length. */
size_t mime_to_utf8(char *to, struct slice s, struct slice charset);

#endif
