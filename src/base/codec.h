/* Text forms of bytes: lower-case hex and RFC 4648 base64. */
#ifndef OPENVAN_BASE_CODEC_H
#define OPENVAN_BASE_CODEC_H

#include "base/buf.h"

/* Writes 2n digits and a NUL; `to` holds 2n+1 bytes. Returns `to`. */
char *hex_encode(char *to, const void *p, size_t n);
/* 0 to 15; -1: no hexadecimal digit. */
int hex_digit(char c);
/* Decodes s.n/2 bytes into `to`. 0, or VAN_ESYNTAX for odd length or a non-hex digit. */
int hex_decode(void *to, struct slice s);

/* Appends base64 with padding; `line` > 0 puts CRLF after every `line` characters (64 or 76, a multiple of 4). */
int base64_encode(struct van_buf *to, const void *p, size_t n, size_t line);
/* Appends the decoded bytes; blanks and line ends are skipped. 0, VAN_ESYNTAX, or the buffer's error. */
int base64_decode(struct van_buf *to, struct slice s);

#endif
