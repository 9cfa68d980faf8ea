/* Dispositions of RFC 4130 section 7.4.3 and its coming revision. */
#ifndef OPENVAN_AS2_DISPOSITION_H
#define OPENVAN_AS2_DISPOSITION_H

#include "base/slice.h"

/* Values are stored and sent between roles: never renumber. */
enum as2_disposition {
	AS2_PROCESSED = 0,
	AS2_AUTHENTICATION_FAILED = 1,
	AS2_DECOMPRESSION_FAILED = 2,
	AS2_DECRYPTION_FAILED = 3,
	AS2_INSUFFICIENT_SECURITY = 4,
	AS2_INTEGRITY_CHECK_FAILED = 5,
	AS2_UNEXPECTED_ERROR = 6,
	AS2_UNKNOWN_RELATIONSHIP = 7,   /* only to a peer of AS2-Version 1.3; written as authentication-failed to others */
	AS2_DUPLICATE_FILENAME = 8,     /* 1.3 */
	AS2_ILLEGAL_FILENAME = 9,       /* 1.3 */
	AS2_INVALID_MESSAGE_ID = 10,    /* 1.3 */
	AS2_UNSUPPORTED_FORMAT = 11,    /* failed/Failure */
	AS2_UNSUPPORTED_MIC = 12,       /* failed/Failure */
	AS2_SENDER_EQUALS_RECEIVER = 13,/* failed/Failure */
	AS2_DUPLICATE_DOCUMENT = 14,    /* processed/warning */
	AS2_PROCESSED_WARNING = 15,     /* any other warning; processed */
	AS2_OTHER_ERROR = 16,           /* read from an MDN only: an error that is not in this list */
	AS2_DISPOSITION_COUNT = 17,
};

/* "processed", "processed/error: decryption-failed", "failed/Failure: unsupported format" …
 * `version_minor`: of the peer's AS2-Version 1.N. */
const char *as2_disposition_text(enum as2_disposition d, unsigned version_minor);
/* The short name for logs and lists: "decryption-failed". */
const char *as2_disposition_name(enum as2_disposition d);
/* Was the message accepted? */
bool as2_disposition_ok(enum as2_disposition d);
/* From the whole field ("automatic-action/MDN-sent-automatically; processed/error: decryption-failed"), case ignored,
 * blanks forgiven. */
enum as2_disposition as2_disposition_parse(struct slice field);

#endif
