/* The forms that `vanctl edi convert` writes without a map. */
#ifndef OPENVAN_VANCTL_EDI_CONVERT_H
#define OPENVAN_VANCTL_EDI_CONVERT_H

#include "edi/report.h"
#include "base/buf.h"
#include "base/error.h"

/* Appends the interchanges as JSON: delimiters, and each segment as an array of its elements as they came.
 * Bytes are taken for UTF-8; when they are not, for ISO 8859-1 ("encoding" tells). 0 or a negative enum van_err. */
int edi_to_json(struct slice in, struct van_buf *to);
/* Back from that JSON; `standard` says which interchanges are wanted. VAN_ESYNTAX, VAN_ENOTFOUND (none of that standard). */
int edi_from_json(struct slice json, enum edi_standard standard, struct van_buf *to, struct van_error *e);

#endif
