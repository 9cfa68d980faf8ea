#include "store/key.h"

#include "base/codec.h"

#include <openssl/evp.h>

/* Inside a text: 00 → 01 01, 01 → 01 02; 01 03 begins a hash. Order is kept: end (00) < 01 01 < 01 02 < 02. */
enum { END = 0, ESCAPE = 1, IS_ZERO = 1, IS_ONE = 2, IS_HASH = 3 };

void store_key_fixed(struct store_key *k, const void *p, size_t n)
{
	if (k->bad || n > sizeof k->p - k->n) {
		k->bad = true;
		return;
	}
	if (n)
		memcpy(k->p + k->n, p, n);
	k->n += n;
}

static void put_hash(struct store_key *k, struct slice s)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	char hex[65];
	if (!EVP_Digest(s.p, s.n, hash, &n, EVP_sha256(), NULL)) {
		k->bad = true;
		return;
	}
	store_key_fixed(k, (const char[]){ESCAPE, IS_HASH}, 2);
	store_key_fixed(k, hex_encode(hex, hash, 32), 64);
	store_key_u8(k, END);
}

void store_key_text(struct store_key *k, struct slice s)
{
	size_t n = s.n;
	for (size_t i = 0; i < s.n && n <= STORE_KEY_TEXT_MAX; i++)
		n += (unsigned char)s.p[i] <= ESCAPE;
	if (n > STORE_KEY_TEXT_MAX) {
		put_hash(k, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= ESCAPE)
			store_key_fixed(k, (const char[]){ESCAPE, c == 0 ? IS_ZERO : IS_ONE}, 2);
		else
			store_key_u8(k, c);
	}
	store_key_u8(k, END);
}

void store_key_str(struct store_key *k, const char *z)
{
	store_key_text(k, slice_str(z));
}

static void put_number(struct store_key *k, uint64_t v, unsigned bytes)
{
	unsigned char b[8];
	for (unsigned i = 0; i < bytes; i++)
		b[i] = (unsigned char)(v >> 8 * (bytes - 1 - i));
	store_key_fixed(k, b, bytes);
}

void store_key_u64(struct store_key *k, uint64_t v)
{
	put_number(k, v, 8);
}

void store_key_u32(struct store_key *k, uint32_t v)
{
	put_number(k, v, 4);
}

void store_key_u8(struct store_key *k, uint8_t v)
{
	put_number(k, v, 1);
}

void store_key_time(struct store_key *k, van_time t)
{
	put_number(k, (uint64_t)t ^ (uint64_t)1 << 63, 8);
}

static uint64_t take_number(struct wire *w, unsigned bytes)
{
	struct slice s = wire_bytes(w, bytes);
	uint64_t v = 0;
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return w->bad ? 0 : v;
}

uint64_t store_key_take_u64(struct wire *w)
{
	return take_number(w, 8);
}

uint32_t store_key_take_u32(struct wire *w)
{
	return (uint32_t)take_number(w, 4);
}

van_time store_key_take_time(struct wire *w)
{
	return (van_time)(take_number(w, 8) ^ (uint64_t)1 << 63);
}

struct slice store_key_take_text(struct wire *w, char to[STORE_KEY_TEXT_MAX])
{
	size_t n = 0;
	while (!w->bad) {
		uint8_t c = wire_u8(w);
		if (c == END)
			break;
		if (c == ESCAPE) {
			uint8_t e = wire_u8(w);
			if (e != IS_ZERO && e != IS_ONE)
				w->bad = true;
			c = e == IS_ONE;
		}
		if (n == STORE_KEY_TEXT_MAX)
			w->bad = true;
		if (!w->bad)
			to[n++] = (char)c;
	}
	return w->bad ? SLICE_NONE : slice_make(to, n);
}
