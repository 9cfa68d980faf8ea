#include "cms/oid.h"

struct named {
	struct slice oid;
	int value;
};

static int find(const struct named *v, size_t n, struct slice oid)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].oid, oid))
			return v[i].value;
	return 0;
}

#define COUNT(v) (sizeof(v) / sizeof *(v))

#define O(bytes) {"" bytes, sizeof(bytes) - 1}
static const struct named digests[] = {
	{O("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), DIGEST_SHA256}, {O("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), DIGEST_SHA384},
	{O("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), DIGEST_SHA512}, {O("\x60\x86\x48\x01\x65\x03\x04\x02\x04"), DIGEST_SHA224},
	{O("\x2b\x0e\x03\x02\x1a"), DIGEST_SHA1},                   {O("\x2a\x86\x48\x86\xf7\x0d\x02\x05"), DIGEST_MD5},
};

static const struct named ciphers[] = {
	{O("\x60\x86\x48\x01\x65\x03\x04\x01\x2a"), CIPHER_AES256_CBC}, {O("\x60\x86\x48\x01\x65\x03\x04\x01\x02"), CIPHER_AES128_CBC},
	{O("\x60\x86\x48\x01\x65\x03\x04\x01\x16"), CIPHER_AES192_CBC}, {O("\x2a\x86\x48\x86\xf7\x0d\x03\x07"), CIPHER_3DES_CBC},
	{O("\x60\x86\x48\x01\x65\x03\x04\x01\x06"), CIPHER_AES128_GCM}, {O("\x60\x86\x48\x01\x65\x03\x04\x01\x1a"), CIPHER_AES192_GCM},
	{O("\x60\x86\x48\x01\x65\x03\x04\x01\x2e"), CIPHER_AES256_GCM},
};

/* PKCS #1: 4 md5, 5 sha1, 11 sha256, 12 sha384, 13 sha512, 14 sha224; sha-1WithRSASignature of OIW. */
static const struct named rsa[] = {
	{O("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), DIGEST_SHA256}, {O("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), DIGEST_SHA384},
	{O("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), DIGEST_SHA512}, {O("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"), DIGEST_SHA224},
	{O("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), DIGEST_SHA1},   {O("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), DIGEST_MD5},
	{O("\x2b\x0e\x03\x02\x1d"), DIGEST_SHA1},
};

static const struct named ecdsa[] = {
	{O("\x2a\x86\x48\xce\x3d\x04\x03\x02"), DIGEST_SHA256}, {O("\x2a\x86\x48\xce\x3d\x04\x03\x03"), DIGEST_SHA384},
	{O("\x2a\x86\x48\xce\x3d\x04\x03\x04"), DIGEST_SHA512}, {O("\x2a\x86\x48\xce\x3d\x04\x03\x01"), DIGEST_SHA224},
	{O("\x2a\x86\x48\xce\x3d\x04\x01"), DIGEST_SHA1},
};

/* dhSinglePass-stdDH-…kdf-scheme of RFC 5753 and SEC 1, and with the cofactor. */
static const struct named ecdh[] = {
	{O("\x2b\x81\x04\x01\x0b\x01"), DIGEST_SHA256}, {O("\x2b\x81\x04\x01\x0b\x02"), DIGEST_SHA384},
	{O("\x2b\x81\x04\x01\x0b\x03"), DIGEST_SHA512}, {O("\x2b\x81\x04\x01\x0b\x00"), DIGEST_SHA224},
	{O("\x2b\x81\x05\x10\x86\x48\x3f\x00\x02"), DIGEST_SHA1},
};

static const struct named ecdh_cofactor[] = {
	{O("\x2b\x81\x04\x01\x0e\x01"), DIGEST_SHA256}, {O("\x2b\x81\x04\x01\x0e\x02"), DIGEST_SHA384},
	{O("\x2b\x81\x04\x01\x0e\x03"), DIGEST_SHA512}, {O("\x2b\x81\x04\x01\x0e\x00"), DIGEST_SHA224},
	{O("\x2b\x81\x05\x10\x86\x48\x3f\x00\x03"), DIGEST_SHA1},
};

static const struct named key_wraps[] = {
	{O("\x60\x86\x48\x01\x65\x03\x04\x01\x05"), 16}, {O("\x60\x86\x48\x01\x65\x03\x04\x01\x19"), 24},
	{O("\x60\x86\x48\x01\x65\x03\x04\x01\x2d"), 32}, {O("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x06"), 24},
};

enum digest_alg oid_digest(struct slice oid)
{
	int d = find(digests, COUNT(digests), oid);
	if (d)
		return (enum digest_alg)d;
	/* the field puts a signature algorithm here now and then */
	d = find(rsa, COUNT(rsa), oid);
	return (enum digest_alg)(d ? d : find(ecdsa, COUNT(ecdsa), oid));
}

static struct slice reverse(const struct named *v, size_t n, int value)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].value == value)
			return v[i].oid;
	return SLICE_NONE;
}

struct slice oid_of_digest(enum digest_alg d)
{
	return reverse(digests, COUNT(digests), d);
}

struct slice oid_of_ecdsa(enum digest_alg d)
{
	return reverse(ecdsa, COUNT(ecdsa), d);
}

struct slice oid_of_cipher(enum cipher_alg c)
{
	return reverse(ciphers, COUNT(ciphers), c);
}

enum cipher_alg oid_cipher(struct slice oid)
{
	return (enum cipher_alg)find(ciphers, COUNT(ciphers), oid);
}

enum signature_kind oid_signature(struct slice oid, enum digest_alg *ret_digest)
{
	*ret_digest = DIGEST_NONE;
	if (slice_eq(oid, OID_RSA))
		return SIGNATURE_RSA;
	if (slice_eq(oid, OID_RSA_PSS))
		return SIGNATURE_PSS;
	if (slice_eq(oid, OID_EC_PUBLIC_KEY))
		return SIGNATURE_ECDSA;
	if ((*ret_digest = (enum digest_alg)find(rsa, COUNT(rsa), oid)))
		return SIGNATURE_RSA;
	if ((*ret_digest = (enum digest_alg)find(ecdsa, COUNT(ecdsa), oid)))
		return SIGNATURE_ECDSA;
	return SIGNATURE_UNKNOWN;
}

enum digest_alg oid_ecdh(struct slice oid, bool *ret_cofactor)
{
	int d = find(ecdh, COUNT(ecdh), oid);
	*ret_cofactor = !d;
	return (enum digest_alg)(d ? d : find(ecdh_cofactor, COUNT(ecdh_cofactor), oid));
}

size_t oid_key_wrap(struct slice oid)
{
	return (size_t)find(key_wraps, COUNT(key_wraps), oid);
}

struct slice oid_of_ecdh(enum digest_alg d)
{
	return reverse(ecdh, COUNT(ecdh), d);
}

struct slice oid_of_aes_wrap(size_t bytes)
{
	return reverse(key_wraps, COUNT(key_wraps), (int)bytes); /* AES stands before 3DES */
}
