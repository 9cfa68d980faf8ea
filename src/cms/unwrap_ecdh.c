#include "cms/unwrap_ecdh.h"

#include "cms/ber.h"
#include "cms/ecdh.h"
#include "cms/oid.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define WRAPPED_MAX (CIPHER_KEY_MAX + 16)

static bool parse(struct slice params, struct ecdh_agreement *a, struct slice *ret_point)
{
	struct ber outer = ber_over(params), b = ber_over(ber_expect(&outer, BER_SEQUENCE));
	struct slice none;
	struct slice scheme = ber_algorithm(&b, &a->wrap);
	*ret_point = ber_expect(&b, BER_OCTETS);
	a->ukm = ber_more(&b) ? ber_expect(&b, BER_OCTETS) : SLICE_NONE;
	struct ber wrap = ber_over(a->wrap);
	struct slice oid = ber_algorithm(&wrap, &none);
	if (!ber_ok(&outer) || !ber_ok(&b) || !ber_ok(&wrap))
		return false;
	a->digest = oid_ecdh(scheme, &a->cofactor);
	a->kek = oid_key_wrap(oid);
	a->tdes = slice_eq(oid, OID_3DES_WRAP);
	return a->digest != DIGEST_NONE && a->kek;
}

/* The originator's point, on the curve of our own key; OpenSSL refuses one that is not on it. */
static EVP_PKEY *peer_key(EVP_PKEY *key, struct slice point)
{
	EVP_PKEY *peer = EVP_PKEY_new();
	if (peer && EVP_PKEY_copy_parameters(peer, key) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(peer, (const unsigned char *)point.p, point.n) == 1)
		return peer;
	EVP_PKEY_free(peer);
	return NULL;
}

static bool unwrap(const struct ecdh_agreement *a, const unsigned char *kek, struct slice blob, size_t len, unsigned char *out)
{
	unsigned char plain[WRAPPED_MAX + 16];
	int n = 0, more = 0;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	if (!ctx || blob.n > WRAPPED_MAX) {
		EVP_CIPHER_CTX_free(ctx);
		return false;
	}
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	bool ok = EVP_DecryptInit_ex(ctx, ecdh_wrap_cipher(a), NULL, kek, NULL) == 1 &&
		  EVP_DecryptUpdate(ctx, plain, &n, (const unsigned char *)blob.p, (int)blob.n) == 1 &&
		  EVP_DecryptFinal_ex(ctx, plain + n, &more) == 1 && (size_t)(n + more) == len;
	if (ok)
		memcpy(out, plain, len);
	OPENSSL_cleanse(plain, sizeof plain);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool unwrap_ecdh(EVP_PKEY *key, struct slice params, struct slice blob, size_t len, unsigned char out[CIPHER_KEY_MAX])
{
	unsigned char kek[ECDH_KEK_MAX];
	struct ecdh_agreement a;
	struct slice point;
	EVP_PKEY *peer = len <= CIPHER_KEY_MAX && parse(params, &a, &point) ? peer_key(key, point) : NULL;
	bool ok = peer && ecdh_kek(key, peer, &a, kek) && unwrap(&a, kek, blob, len, out);
	EVP_PKEY_free(peer);
	OPENSSL_cleanse(kek, sizeof kek);
	return ok;
}
