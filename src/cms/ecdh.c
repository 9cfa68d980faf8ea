#include "cms/ecdh.h"

#include "cms/ber.h"
#include "cms/evp.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static bool derive(EVP_PKEY *own, EVP_PKEY *peer, bool cofactor, unsigned char *shared, size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	*n = ECDH_SHARED_MAX;
	bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_CTX_set_ecdh_cofactor_mode(ctx, cofactor) == 1 &&
		  EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, shared, n) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* ECC-CMS-SharedInfo (RFC 5753 section 7.2): keyInfo, [0] entityUInfo, [2] suppPubInfo, the key's length in bits. */
static int shared_info(const struct ecdh_agreement *a, struct van_buf *to)
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
static bool derive_kek(const struct ecdh_agreement *a, const unsigned char *shared, size_t n, unsigned char *kek)
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

bool ecdh_kek(EVP_PKEY *own, EVP_PKEY *peer, const struct ecdh_agreement *a, unsigned char *kek)
{
	unsigned char shared[ECDH_SHARED_MAX];
	size_t n;
	bool ok = derive(own, peer, a->cofactor, shared, &n) && derive_kek(a, shared, n, kek);
	OPENSSL_cleanse(shared, sizeof shared);
	return ok;
}

const EVP_CIPHER *ecdh_wrap_cipher(const struct ecdh_agreement *a)
{
	if (a->tdes)
		return EVP_des_ede3_wrap();
	return a->kek == 16 ? EVP_aes_128_wrap() : a->kek == 24 ? EVP_aes_192_wrap() : EVP_aes_256_wrap();
}
