#include "cms/unwrap_ecdh.h"

#include "cms/ber.h"
#include "cms/evp.h"
#include "cms/oid.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define SHARED_MAX 72 /* P-521: 66 */
#define KEK_MAX 32
#define WRAPPED_MAX (CIPHER_KEY_MAX + 16)

struct agreement {
	enum digest_alg digest;
	bool cofactor;
	struct slice wrap;     /* the whole AlgorithmIdentifier of the key wrap: it is part of what is derived from */
	size_t kek;            /* bytes */
	bool tdes;
	struct slice point, ukm; /* ukm may be absent */
};

static bool parse(struct slice params, struct agreement *a)
{
	struct ber outer = ber_over(params), b = ber_over(ber_expect(&outer, BER_SEQUENCE));
	struct slice none;
	struct slice scheme = ber_algorithm(&b, &a->wrap);
	a->point = ber_expect(&b, BER_OCTETS);
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

static bool derive(EVP_PKEY *key, const struct agreement *a, unsigned char *shared, size_t *n)
{
	EVP_PKEY *peer = peer_key(key, a->point);
	EVP_PKEY_CTX *ctx = peer ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	*n = SHARED_MAX;
	bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_CTX_set_ecdh_cofactor_mode(ctx, a->cofactor) == 1 &&
		  EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, shared, n) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return ok;
}

/* ECC-CMS-SharedInfo (RFC 5753 section 7.2): keyInfo, [0] entityUInfo, [2] suppPubInfo, the key's length in bits. */
static int shared_info(const struct agreement *a, struct van_buf *to)
{
	unsigned bits = (unsigned)a->kek * 8;
	const unsigned char length[4] = {0, 0, (unsigned char)(bits >> 8), (unsigned char)bits};
	struct van_buf in = VAN_BUF_INIT(0);
	van_buf_append_slice(&in, a->wrap);
	if (a->ukm.p) {
		der_head(&in, BER_CONTEXT_CONSTRUCTED + 0, der_head_size(a->ukm.n) + a->ukm.n);
		der_put(&in, BER_OCTETS, a->ukm);
	}
	der_head(&in, BER_CONTEXT_CONSTRUCTED + 2, der_head_size(sizeof length) + sizeof length);
	der_put(&in, BER_OCTETS, slice_make(length, sizeof length));
	int rc = in.error ? in.error : der_put(to, BER_SEQUENCE, van_buf_slice(&in));
	van_buf_free(&in);
	return rc;
}

/* ANSI X9.63 key derivation. */
static bool derive_kek(const struct agreement *a, const unsigned char *shared, size_t n, unsigned char *kek)
{
	struct van_buf info = VAN_BUF_INIT(0);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_X963KDF, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool ok = ctx && shared_info(a, &info) == 0;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)EVP_MD_get0_name(evp_digest(a->digest)), 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)shared, n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.p, info.n),
		OSSL_PARAM_construct_end(),
	};
	ok = ok && EVP_KDF_derive(ctx, kek, a->kek, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	van_buf_free(&info);
	return ok;
}

static const EVP_CIPHER *wrap_cipher(const struct agreement *a)
{
	if (a->tdes)
		return EVP_des_ede3_wrap();
	return a->kek == 16 ? EVP_aes_128_wrap() : a->kek == 24 ? EVP_aes_192_wrap() : EVP_aes_256_wrap();
}

static bool unwrap(const struct agreement *a, const unsigned char *kek, struct slice blob, size_t len, unsigned char *out)
{
	unsigned char plain[WRAPPED_MAX + 16];
	int n = 0, more = 0;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	if (!ctx || blob.n > WRAPPED_MAX) {
		EVP_CIPHER_CTX_free(ctx);
		return false;
	}
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	bool ok = EVP_DecryptInit_ex(ctx, wrap_cipher(a), NULL, kek, NULL) == 1 &&
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
	unsigned char shared[SHARED_MAX], kek[KEK_MAX];
	struct agreement a;
	size_t n;
	bool ok = len <= CIPHER_KEY_MAX && parse(params, &a) && derive(key, &a, shared, &n) && derive_kek(&a, shared, n, kek) &&
		  unwrap(&a, kek, blob, len, out);
	OPENSSL_cleanse(shared, sizeof shared);
	OPENSSL_cleanse(kek, sizeof kek);
	return ok;
}
