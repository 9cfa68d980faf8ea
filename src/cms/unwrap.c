/* Unwrapping content keys without telling why it failed (RFC 3218; Bleichenbacher 1998, Manger 2001). A key that comes out
 * of a failure is derived from the blob and a secret of the private key, as OpenSSL 3.2 does: a second try with the same blob
 * gives the same key, so that repeated tries tell nothing either. */
#include "cms/ber.h"
#include "cms/digest.h"
#include "cms/evp.h"
#include "cms/oid.h"
#include "cms/prepared.h"
#include "cms/sign.h"
#include "cms/unwrap_ecdh.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define MODULUS_MAX 2048

struct cms_unwrapper {
	EVP_PKEY *key;
	size_t modulus; /* bytes; 0: an EC key */
	unsigned char secret[32];
	struct prepared *raw; /* without padding */
};

int cms_unwrapper_new(EVP_PKEY *key, struct cms_unwrapper **ret, struct van_error *err)
{
	int size = EVP_PKEY_get_size(key);
	bool rsa = EVP_PKEY_is_a(key, "RSA") == 1 && size <= MODULUS_MAX && size >= 64;
	if (!rsa && EVP_PKEY_is_a(key, "EC") != 1)
		return van_error_set(err, VAN_EDENIED, "a decryption key has to be an RSA or EC key");
	unsigned char *der = NULL;
	int n = i2d_PrivateKey(key, &der);
	struct cms_unwrapper *u = n > 0 ? calloc(1, sizeof *u) : NULL;
	int rc = u ? 0 : VAN_ENOMEM;
	if (u) {
		/* domain-separated from other uses of a hash of the key by its own HMAC label below */
		rc = digest_bytes(DIGEST_SHA256, der, (size_t)n, u->secret);
		u->raw = prepared_new(1);
		rc = u->raw ? rc : VAN_ENOMEM;
		EVP_PKEY_up_ref(key);
		u->key = key;
		u->modulus = rsa ? (size_t)size : 0;
	}
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	ERR_clear_error();
	if (rc) {
		cms_unwrapper_free(u);
		return van_error_set(err, rc, "a decryption key could not be prepared");
	}
	*ret = u;
	return 0;
}

void cms_unwrapper_free(struct cms_unwrapper *u)
{
	if (!u)
		return;
	prepared_free(u->raw);
	EVP_PKEY_free(u->key);
	OPENSSL_cleanse(u->secret, sizeof u->secret);
	free(u);
}

static void synthetic_key(const struct cms_unwrapper *u, struct slice blob, unsigned char out[CIPHER_KEY_MAX])
{
	static const char label[] = "content key of a failed unwrap";
	unsigned char hash[32], message[sizeof label + 32];
	unsigned n = 0;
	memset(out, 0, CIPHER_KEY_MAX);
	if (digest_bytes(DIGEST_SHA256, blob.p, blob.n, hash) != 0)
		return;
	memcpy(message, label, sizeof label);
	memcpy(message + sizeof label, hash, sizeof hash);
	HMAC(EVP_sha256(), u->secret, sizeof u->secret, message, sizeof message, out, &n);
}

/* All ones when a == b, else zero; no branch. */
static unsigned mask_eq(unsigned a, unsigned b)
{
	unsigned d = a ^ b;
	return ((d | (0u - d)) >> (sizeof d * 8 - 1)) - 1;
}

static EVP_PKEY_CTX *prepare_raw(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	if (ctx && EVP_PKEY_decrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

/* RSA without padding: `em` is the block with leading zeros. Whether it fails depends on public values only; it takes as long all the same. */
static unsigned raw_decrypt(const struct cms_unwrapper *u, struct slice blob, unsigned char *em)
{
	unsigned char block[MODULUS_MAX] = {0};
	size_t n = u->modulus;
	if (blob.n > u->modulus)
		return 0;
	memcpy(block + (u->modulus - blob.n), blob.p, blob.n); /* some senders drop leading zeros */
	EVP_PKEY_CTX *ctx = prepared_take(u->raw, 0);
	if (!ctx)
		ctx = prepare_raw(u->key);
	bool ok = ctx && EVP_PKEY_decrypt(ctx, em, &n, block, u->modulus) == 1 && n == u->modulus;
	if (ctx && !ok) { /* above the modulus */
		block[0] = 0;
		n = u->modulus;
		EVP_PKEY_decrypt(ctx, em, &n, block, u->modulus);
	}
	if (ok)
		prepared_give(u->raw, 0, ctx);
	else
		EVP_PKEY_CTX_free(ctx);
	return ok ? ~0u : 0;
}

/* EME-PKCS1-v1_5: 00 02 PS 00 key. The key's length is known, so the place of everything is. */
static unsigned unwrap_pkcs1(const struct cms_unwrapper *u, struct slice blob, size_t len, unsigned char *key)
{
	unsigned char em[MODULUS_MAX] = {0};
	if (u->modulus < len + 11)
		return 0;
	size_t zero = u->modulus - len - 1;
	unsigned good = raw_decrypt(u, blob, em);
	good &= mask_eq(em[0], 0) & mask_eq(em[1], 2) & mask_eq(em[zero], 0);
	for (size_t i = 2; i < zero; i++)
		good &= ~mask_eq(em[i], 0);
	memcpy(key, em + zero + 1, len);
	OPENSSL_cleanse(em, sizeof em);
	return good;
}

struct oaep {
	enum digest_alg digest, mgf;
	struct slice label;
};

/* RSAES-OAEP-params: [0] hash, [1] mask generation, [2] label; defaults are SHA-1 and no label. */
static bool parse_oaep(struct slice params, struct oaep *ret)
{
	struct ber outer = ber_over(params), b = ber_over(params.n ? ber_expect(&outer, BER_SEQUENCE) : SLICE(""));
	struct ber_element e;
	struct slice inner;
	*ret = (struct oaep){DIGEST_SHA1, DIGEST_SHA1, SLICE("")};
	while (ber_more(&b) && ber_next(&b, &e)) {
		struct ber in = ber_over(e.content);
		struct slice oid = ber_algorithm(&in, &inner);
		struct ber sub = ber_over(inner);
		if (e.tag == BER_CONTEXT_CONSTRUCTED + 0)
			ret->digest = oid_digest(oid);
		else if (e.tag == BER_CONTEXT_CONSTRUCTED + 1 && slice_eq(oid, OID_MGF1))
			ret->mgf = oid_digest(ber_algorithm(&sub, &inner));
		else if (e.tag == BER_CONTEXT_CONSTRUCTED + 2 && slice_eq(oid, OID_P_SPECIFIED))
			ret->label = ber_expect(&sub, BER_OCTETS);
		else
			return false;
		if (!ber_ok(&in) || !ber_ok(&sub))
			return false;
	}
	return ber_ok(&b) && ber_ok(&outer) && ret->digest && ret->mgf;
}

static bool set_oaep(EVP_PKEY_CTX *ctx, const struct oaep *o)
{
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, evp_digest(o->digest)) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, evp_digest(o->mgf)) != 1)
		return false;
	if (!o->label.n)
		return true;
	void *label = OPENSSL_memdup(o->label.p, o->label.n);
	if (label && EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)o->label.n) == 1)
		return true;
	OPENSSL_free(label);
	return false;
}

/* The check of EME-OAEP is OpenSSL's, which is constant in time. */
static unsigned unwrap_oaep(const struct cms_unwrapper *u, struct slice params, struct slice blob, size_t len,
			    unsigned char *key)
{
	unsigned char out[MODULUS_MAX] = {0};
	struct oaep o;
	size_t n = sizeof out;
	if (!parse_oaep(params, &o) || blob.n != u->modulus)
		return 0;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(u->key, NULL);
	unsigned ready = ctx && EVP_PKEY_decrypt_init(ctx) == 1 && set_oaep(ctx, &o);
	int rc = ready ? EVP_PKEY_decrypt(ctx, out, &n, (const unsigned char *)blob.p, blob.n) : 0;
	unsigned good = mask_eq((unsigned)rc, 1) & mask_eq((unsigned)n, (unsigned)len);
	EVP_PKEY_CTX_free(ctx);
	memcpy(key, out, len);
	OPENSSL_cleanse(out, sizeof out);
	return good;
}

void cms_unwrap(const struct cms_unwrapper *u, enum wrap_alg alg, struct slice params, struct slice blob,
		size_t expected_len, unsigned char *out)
{
	unsigned char key[CIPHER_KEY_MAX] = {0}, other[CIPHER_KEY_MAX];
	unsigned good = 0;
	synthetic_key(u, blob, other);
	if (expected_len > CIPHER_KEY_MAX || !blob.p)
		expected_len = expected_len > CIPHER_KEY_MAX ? CIPHER_KEY_MAX : expected_len;
	else if (alg == WRAP_RSA_PKCS1 && u->modulus)
		good = unwrap_pkcs1(u, blob, expected_len, key);
	else if (alg == WRAP_RSA_OAEP && u->modulus)
		good = unwrap_oaep(u, params, blob, expected_len, key);
	else if (alg == WRAP_ECDH && !u->modulus)
		good = unwrap_ecdh(u->key, params, blob, expected_len, key) ? ~0u : 0;
	for (size_t i = 0; i < expected_len; i++)
		out[i] = (unsigned char)((key[i] & good) | (other[i] & ~good));
	OPENSSL_cleanse(key, sizeof key);
	OPENSSL_cleanse(other, sizeof other);
	ERR_clear_error();
}
