#include "roles/sftp/hashing.h"

#include "base/id.h"

#include <string.h>

#define VERSION 1

void sftpd_hashing_begin(struct sftpd_hashing *h)
{
	van_random(h->salt, sizeof h->salt);
	h->bytes = 0;
	SHA256_Init(&h->plain);
	SHA256_Init(&h->salted);
	SHA256_Update(&h->salted, h->salt, sizeof h->salt);
}

void sftpd_hashing_add(struct sftpd_hashing *h, const void *p, size_t n)
{
	SHA256_Update(&h->plain, p, n);
	SHA256_Update(&h->salted, p, n);
	h->bytes += n;
}

void sftpd_hashing_end(struct sftpd_hashing *h, struct sftpd_hashes *ret)
{
	memcpy(ret->salt, h->salt, sizeof ret->salt);
	SHA256_Final(ret->sha256, &h->plain);
	SHA256_Final(ret->salted_sha256, &h->salted);
}

/* --- kept: version, salt, number of bytes, and of each hash its eight words and the block that is not full ----------------------------- */

static unsigned char *put_number(unsigned char *to, uint64_t n, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (unsigned char)(n >> (8 * (size - 1 - i)));
	return to + size;
}

static const unsigned char *take_number(const unsigned char *from, uint64_t *ret, size_t size)
{
	*ret = 0;
	for (size_t i = 0; i < size; i++)
		*ret = *ret << 8 | from[i];
	return from + size;
}

static unsigned char *keep(unsigned char *to, const SHA256_CTX *c)
{
	for (size_t i = 0; i < 8; i++)
		to = put_number(to, c->h[i], 4);
	memset(to, 0, SHA256_CBLOCK);
	memcpy(to, c->data, c->num);
	return to + SHA256_CBLOCK;
}

/* `n`: bytes that went in; FIPS 180-4 section 5.1.1 wants their number in bits. */
static const unsigned char *resume(const unsigned char *from, SHA256_CTX *c, uint64_t n)
{
	SHA256_Init(c);
	for (size_t i = 0; i < 8; i++) {
		uint64_t word;
		from = take_number(from, &word, 4);
		c->h[i] = (SHA_LONG)word;
	}
	c->Nl = (SHA_LONG)(n << 3);
	c->Nh = (SHA_LONG)(n >> 29);
	c->num = (unsigned)(n % SHA256_CBLOCK);
	memcpy(c->data, from, c->num);
	return from + SHA256_CBLOCK;
}

void sftpd_hashing_keep(const struct sftpd_hashing *h, unsigned char to[SFTPD_HASHING_KEPT])
{
	to = put_number(to, VERSION, 1);
	memcpy(to, h->salt, sizeof h->salt);
	to = put_number(to + sizeof h->salt, h->bytes, 8);
	keep(keep(to, &h->plain), &h->salted);
}

bool sftpd_hashing_resume(struct sftpd_hashing *h, struct slice kept)
{
	const unsigned char *from = (const unsigned char *)kept.p;
	if (kept.n != SFTPD_HASHING_KEPT || *from != VERSION)
		return false;
	memcpy(h->salt, ++from, sizeof h->salt);
	from = take_number(from + sizeof h->salt, &h->bytes, 8);
	resume(resume(from, &h->plain, h->bytes), &h->salted, h->bytes + sizeof h->salt);
	return true;
}
