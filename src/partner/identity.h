/* EDI identities as text: "x12 QUALIFIER:ID", "edifact QUALIFIER:ID" or "edifact QUALIFIER:ID:SUB".
 * The canonical text has no trailing padding in any part; two identities are the same exactly when their canonical texts
 * are. X12 and EDIFACT qualifiers are different spaces, so the standard is part of the text. */
#ifndef OPENVAN_PARTNER_IDENTITY_H
#define OPENVAN_PARTNER_IDENTITY_H

#include "base/arena.h"

enum identity_standard { IDENTITY_X12, IDENTITY_EDIFACT };
extern const char *const identity_standard_names[]; /* "x12", "edifact", NULL */

struct identity {
	enum identity_standard standard;
	struct slice qualifier; /* may be empty in EDIFACT (0007 is conditional) */
	struct slice id;
	struct slice sub; /* EDIFACT's internal identification (0008, 0014); absent or not empty */
};

#define IDENTITY_TEXT_MAX 160

/* Parts point into the text. 0 or VAN_ESYNTAX; *ret_why (may be NULL) is then a constant text that says what to do. */
int identity_parse(struct slice text, struct identity *ret, const char **ret_why);

/* Canonical text of the parts as they stood in an envelope, padded or not. Absent when out of memory or when the
 * identity is empty or longer than IDENTITY_TEXT_MAX. */
struct slice identity_text(struct van_arena *a, enum identity_standard standard, struct slice qualifier, struct slice id,
			   struct slice sub);

/* Canonical form of a text; absent when it is no identity. */
struct slice identity_canonical(struct van_arena *a, struct slice text);

#endif
