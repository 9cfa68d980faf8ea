/* Composed keys: parts one after another so that byte order is the order of the parts.
 *
 *	struct store_key k = STORE_KEY_INIT;
 *	store_key_text(&k, partner);
 *	store_key_time(&k, received);
 *	rc = store_put(txn, table, store_key_slice(&k), value);
 *
 * A text part ends with a zero byte; bytes 0 and 1 inside it are escaped, so that no text can imitate two parts. A text
 * part longer than STORE_KEY_TEXT_MAX encoded bytes is replaced by its SHA-256: it can be looked up, not ordered or
 * read back. Too many parts latch: store_key_slice() is then absent, which the store refuses. */
#ifndef OPENVAN_STORE_KEY_H
#define OPENVAN_STORE_KEY_H

#include "base/clock.h"
#include "base/record.h"
#include "store/store.h"

#define STORE_KEY_TEXT_MAX 160 /* encoded bytes of one text part */

struct store_key {
	char p[STORE_KEY_MAX];
	size_t n;
	bool bad;
};
#define STORE_KEY_INIT ((struct store_key){.n = 0})

void store_key_text(struct store_key *k, struct slice s); /* absent is the same as empty */
void store_key_str(struct store_key *k, const char *z);
void store_key_u64(struct store_key *k, uint64_t v); /* 8 bytes, big-endian */
void store_key_u32(struct store_key *k, uint32_t v); /* 4 bytes */
void store_key_u8(struct store_key *k, uint8_t v);
void store_key_time(struct store_key *k, van_time t); /* 8 bytes; times before 1970 sort first */
void store_key_fixed(struct store_key *k, const void *p, size_t n); /* raw, for parts that always have the same length */

static inline struct slice store_key_slice(const struct store_key *k)
{
	return k->bad ? SLICE_NONE : slice_make(k->p, k->n);
}

/* Reading a key back, part by part: a wire over the key's bytes, sticky error in w->bad. */
static inline struct wire store_key_wire(struct slice key)
{
	return (struct wire){.p = (const unsigned char *)key.p, .n = key.n};
}
uint64_t store_key_take_u64(struct wire *w);
uint32_t store_key_take_u32(struct wire *w);
van_time store_key_take_time(struct wire *w);
/* Unescaped into `to` (STORE_KEY_TEXT_MAX bytes). A part that was replaced by its hash sets w->bad. */
struct slice store_key_take_text(struct wire *w, char to[STORE_KEY_TEXT_MAX]);

#endif
