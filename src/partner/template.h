/* Partner templates: a profile file with places to fill in, for `vanctl partner new` and `vanctl template list`.
 *
 *   #: What the template is for, one line.
 *   #? as2_id -- the partner's AS2 name
 *   #? days = 30 -- a key with a default; "=" with nothing behind it: may stay empty
 *   kind: partner
 *   id: "${id}"
 *
 * "${id}" is always there. Places stand within double quotes: values are escaped for that, so that no value can add a
 * line or a key. A line with a place whose value is empty is left out. Lines "#:" and "#?" don't appear in the result. */
#ifndef OPENVAN_PARTNER_TEMPLATE_H
#define OPENVAN_PARTNER_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define PARTNER_TEMPLATE_KEYS_MAX 32

struct partner_template_key {
	struct slice key;
	struct slice fallback; /* absent: a value must be given */
	struct slice help;
};

struct partner_template {
	struct slice summary;
	struct partner_template_key keys[PARTNER_TEMPLATE_KEYS_MAX];
	size_t nkeys;
	struct slice text; /* the whole file */
};

struct partner_template_value {
	struct slice key, value;
};

/* Slices of *ret point into `text`, which must outlive it. 0 or VAN_ESYNTAX. */
int partner_template_read(struct slice text, struct partner_template *ret, struct van_error *e);

/* Appends the filled-in profile. VAN_EINVAL: a value is missing, not known to the template, or not one line of text. */
int partner_template_fill(const struct partner_template *t, struct slice id, const struct partner_template_value *values,
			  size_t n, struct van_buf *to, struct van_error *e);

#endif
