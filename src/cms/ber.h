/* A bounded cursor over BER (X.690 section 8): definite and indefinite lengths, tag numbers below 31. Private to src/cms.
 * The error is sticky; `need` tells how many bytes of the input would have to be there to read on, when the input is only
 * the beginning of something. */
#ifndef OPENVAN_CMS_BER_H
#define OPENVAN_CMS_BER_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

#define BER_DEPTH_MAX 24
#define BER_INDEFINITE UINT64_MAX

/* Identifier octets. */
enum {
	BER_INTEGER = 0x02, BER_BITS = 0x03, BER_OCTETS = 0x04, BER_NULL = 0x05, BER_OID = 0x06, BER_UTC_TIME = 0x17, BER_GENERAL_TIME = 0x18,
	BER_OCTETS_CONSTRUCTED = 0x24, BER_SEQUENCE = 0x30, BER_SET = 0x31,
	BER_CONTEXT = 0x80, BER_CONTEXT_CONSTRUCTED = 0xa0, /* plus the tag number */
	BER_CONSTRUCTED = 0x20,
};

struct ber {
	const unsigned char *start, *p, *end;
	bool bad;    /* the bytes are no BER that we accept */
	size_t need; /* > 0: the input ended; at least this many bytes from `start` are wanted */
};

struct ber_element {
	unsigned char tag;
	struct slice content; /* for indefinite lengths without the end-of-contents octets */
	struct slice whole;
};

struct ber ber_over(struct slice s);
static inline bool ber_ok(const struct ber *b)
{
	return !b->bad && !b->need;
}
static inline bool ber_more(const struct ber *b)
{
	return ber_ok(b) && b->p < b->end;
}
/* The next identifier octet, 0 at the end or after an error. */
unsigned char ber_peek(const struct ber *b);
/* Reads identifier and length only; *len is BER_INDEFINITE for the indefinite form. */
bool ber_head(struct ber *b, unsigned char *tag, uint64_t *len);
/* Reads a whole element. */
bool ber_next(struct ber *b, struct ber_element *ret);
/* A whole element of that tag, else the cursor goes bad. */
struct slice ber_expect(struct ber *b, unsigned char tag);
/* Steps into a constructed element of that tag without asking that all of it is there. */
void ber_enter(struct ber *b, unsigned char tag);
/* When the next element has that tag, skips it. */
void ber_skip_if(struct ber *b, unsigned char tag);
/* The octets of an OCTET STRING element (tag `primitive`, or it with BER_CONSTRUCTED): nested pieces are joined in `arena`. */
struct slice ber_octets(struct ber *b, unsigned char primitive, struct van_arena *arena);
/* AlgorithmIdentifier: its OID; *params is the whole parameters element or absent. */
struct slice ber_algorithm(struct ber *b, struct slice *params);

/* Nothing but ends of indefinite lengths, blanks and line ends: what may follow the last element. */
bool ber_only_ends(struct slice s);

/* Writing DER: identifier and length; element with content. */
int der_head(struct van_buf *to, unsigned char tag, size_t len);
int der_put(struct van_buf *to, unsigned char tag, struct slice content);
/* Bytes of identifier and length for that many bytes of content. */
size_t der_head_size(size_t len);

#endif
