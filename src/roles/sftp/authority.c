#include "roles/sftp/authority.h"

#include "sftp/packet.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#define RSA_BITS_LEAST 2048

static struct packet cursor(struct slice s)
{
	return (struct packet){.p = (const unsigned char *)s.p, .n = s.n};
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;
	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *read_rsa(struct packet *k)
{
	struct slice e = packet_string(k), n = packet_string(k);
	OSSL_PARAM_BLD *b = k->bad || k->n || e.n > 8 || n.n > 2049 ? NULL : OSSL_PARAM_BLD_new();
	BIGNUM *be = b ? BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL) : NULL, *bn = b ? BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL) : NULL;
	EVP_PKEY *key = NULL;
	if (be && bn && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) == 1 && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		key = from_params("RSA", b);
	if (key && EVP_PKEY_get_bits(key) < RSA_BITS_LEAST) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	BN_free(be);
	BN_free(bn);
	OSSL_PARAM_BLD_free(b);
	return key;
}

static EVP_PKEY *read_ecdsa(struct packet *k, const char *group)
{
	packet_string(k); /* the curve, which the type names already */
	struct slice point = packet_string(k);
	OSSL_PARAM_BLD *b = k->bad || k->n ? NULL : OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	if (b && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) == 1)
		key = from_params("EC", b);
	OSSL_PARAM_BLD_free(b);
	return key;
}

static EVP_PKEY *read_ed25519(struct packet *k)
{
	struct slice raw = packet_string(k);
	return k->bad || k->n ? NULL : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)raw.p, raw.n);
}

static int verify(EVP_PKEY *key, const EVP_MD *md, struct slice signature, struct slice text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		 EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n, (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* On the wire two integers; OpenSSL takes DER. */
static int verify_ecdsa(EVP_PKEY *key, const EVP_MD *md, struct slice signature, struct slice text)
{
	struct packet k = cursor(signature);
	struct slice r = packet_string(&k), s = packet_string(&k);
	ECDSA_SIG *sig = k.bad || k.n || r.n > 67 || s.n > 67 ? NULL : ECDSA_SIG_new();
	BIGNUM *br = sig ? BN_bin2bn((const unsigned char *)r.p, (int)r.n, NULL) : NULL, *bs = sig ? BN_bin2bn((const unsigned char *)s.p, (int)s.n, NULL) : NULL;
	unsigned char *der = NULL;
	int ok = 0;
	if (br && bs && ECDSA_SIG_set0(sig, br, bs) == 1) {
		int n = i2d_ECDSA_SIG(sig, &der);
		ok = n > 0 && verify(key, md, slice_make((const char *)der, (size_t)n), text);
	} else {
		BN_free(br);
		BN_free(bs);
	}
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	return ok;
}

static const struct {
	const char *key, *signature, *group;
	const EVP_MD *(*md)(void);
} kinds[] = {
	{"ssh-ed25519", "ssh-ed25519", NULL, NULL},
	{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "P-256", EVP_sha256},
	{"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "P-384", EVP_sha384},
	{"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "P-521", EVP_sha512},
	{"ssh-rsa", "rsa-sha2-256", NULL, EVP_sha256},
	{"ssh-rsa", "rsa-sha2-512", NULL, EVP_sha512},
};

int sftpd_authority_verify(const struct sftpd_certificate *c, struct van_error *e)
{
	struct packet key = cursor(c->authority), signature = cursor(c->signature);
	struct slice type = packet_string(&key), algorithm = packet_string(&signature), bytes = packet_string(&signature);
	if (key.bad || signature.bad || signature.n)
		return van_error_set(e, VAN_ESYNTAX, "the certificate's signature is damaged");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!slice_is(type, kinds[i].key) || !slice_is(algorithm, kinds[i].signature))
			continue;
		EVP_PKEY *k = kinds[i].group ? read_ecdsa(&key, kinds[i].group) : kinds[i].md ? read_rsa(&key) : read_ed25519(&key);
		const EVP_MD *md = kinds[i].md ? kinds[i].md() : NULL;
		int ok = k && (kinds[i].group ? verify_ecdsa(k, md, bytes, c->signed_part) : verify(k, md, bytes, c->signed_part));
		EVP_PKEY_free(k);
		return ok ? 0 : van_error_set(e, VAN_EDENIED, "the authority's signature of the certificate is wrong");
	}
	return van_error_set(e, VAN_EDENIED, "certificates signed with %.*s are not taken", (int)(algorithm.n < 64 ? algorithm.n : 64), algorithm.p);
}
