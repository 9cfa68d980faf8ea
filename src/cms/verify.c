/* Verifying signer infos: PKCS #1 v1.5, PSS, ECDSA; over signed attributes or over the content's digest. */
#include "cms/ber.h"
#include "cms/cert.h"
#include "cms/digest.h"
#include "cms/evp.h"
#include "cms/oid.h"
#include "cms/prepared.h"
#include "cms/signed.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

struct scheme {
	enum signature_kind kind;
	enum digest_alg digest, mgf; /* mgf: of MGF1, for PSS */
	int salt;
};

/* RSASSA-PSS-params: [0] hash, [1] mask generation, [2] salt length, [3] trailer; defaults are SHA-1 and 20. They have to be there (RFC 4055
 * section 3.1); a signer that leaves them out altogether (pyAS2) means `announced`, and nothing weaker is taken; its salt is as long as it is. */
static bool parse_pss(struct slice params, enum digest_alg announced, struct scheme *s)
{
	if (!params.p) {
		s->digest = s->mgf = announced;
		s->salt = RSA_PSS_SALTLEN_AUTO;
		return true;
	}
	struct ber outer = ber_over(params), b = ber_over(ber_expect(&outer, BER_SEQUENCE));
	struct ber_element e;
	struct slice inner;
	s->digest = s->mgf = DIGEST_SHA1;
	s->salt = 20;
	while (ber_more(&b) && ber_next(&b, &e)) {
		struct ber in = ber_over(e.content);
		if (e.tag == BER_CONTEXT_CONSTRUCTED + 0) {
			s->digest = oid_digest(ber_algorithm(&in, &inner));
		} else if (e.tag == BER_CONTEXT_CONSTRUCTED + 1) {
			if (!slice_eq(ber_algorithm(&in, &inner), OID_MGF1))
				return false;
			struct ber hash = ber_over(inner);
			s->mgf = oid_digest(ber_algorithm(&hash, &inner));
		} else if (e.tag == BER_CONTEXT_CONSTRUCTED + 2) {
			struct slice n = ber_expect(&in, BER_INTEGER);
			s->salt = n.n == 1 ? (unsigned char)n.p[0] : n.n == 2 && n.p[0] == 0 ? (unsigned char)n.p[1] : 0;
		}
		if (!ber_ok(&in))
			return false;
	}
	return ber_ok(&b) && s->digest && s->mgf;
}

static bool parse_scheme(const struct cms_signer_info *s, struct scheme *ret)
{
	struct ber b = ber_over(s->signature_alg);
	struct slice params, oid = ber_algorithm(&b, &params);
	*ret = (struct scheme){.kind = SIGNATURE_UNKNOWN};
	ret->kind = oid_signature(oid, &ret->digest);
	if (ret->kind == SIGNATURE_PSS)
		return parse_pss(params, s->digest, ret);
	if (ret->digest == DIGEST_NONE)
		ret->digest = s->digest;
	return ret->kind != SIGNATURE_UNKNOWN && ret->digest != DIGEST_NONE;
}

static int set_padding(EVP_PKEY_CTX *ctx, const struct scheme *s)
{
	if (s->kind == SIGNATURE_ECDSA)
		return 1;
	if (s->kind == SIGNATURE_RSA)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, s->salt) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, evp_digest(s->mgf)) == 1;
}

static bool key_fits(const EVP_PKEY *key, const struct scheme *s)
{
	int id = EVP_PKEY_get_base_id(key);
	if (s->kind == SIGNATURE_ECDSA)
		return id == EVP_PKEY_EC;
	return id == EVP_PKEY_RSA || (s->kind == SIGNATURE_PSS && id == EVP_PKEY_RSA_PSS);
}

static EVP_PKEY_CTX *prepare(EVP_PKEY *key, const struct scheme *s)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	if (ctx && EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_CTX_set_signature_md(ctx, evp_digest(s->digest)) == 1 &&
	    set_padding(ctx, s) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

/* Contexts are kept for the scheme that nearly all signatures have; those with parameters of their own are set up each time. */
static bool check(const struct cms_cert *cert, const struct scheme *s, const unsigned char *md, struct slice signature)
{
	bool keep = s->kind == SIGNATURE_RSA;
	EVP_PKEY_CTX *ctx = keep ? prepared_take(cert->verify, s->digest) : NULL;
	if (!ctx)
		ctx = prepare(cert->key, s);
	bool ok = ctx && EVP_PKEY_verify(ctx, (const unsigned char *)signature.p, signature.n, md, digest_size(s->digest)) == 1;
	if (ok && keep)
		prepared_give(cert->verify, s->digest, ctx);
	else
		EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

int cms_signer_info_verify(const struct cms_signer_info *s, const unsigned char *content_digest,
			   const struct cms_cert *cert, struct van_error *err)
{
	unsigned char md[DIGEST_SIZE_MAX];
	struct scheme scheme;
	if (s->digest == DIGEST_NONE || !parse_scheme(s, &scheme))
		return van_error_set(err, VAN_EDENIED, "the signature uses an algorithm that is not known here");
	if (scheme.digest < s->digest) /* policies look at the content's digest: nothing weaker may hide behind it */
		return van_error_set(err, VAN_EDENIED, "the signature uses a weaker digest (%s) than the one it announces (%s)",
				     digest_name(scheme.digest), digest_name(s->digest));
	if (!s->signed_attrs.p) {
		if (scheme.digest != s->digest)
			return van_error_set(err, VAN_EDENIED, "the signature names two digests that differ");
		memcpy(md, content_digest, digest_size(s->digest));
	} else if (digest_bytes(scheme.digest, s->signed_attrs.p, s->signed_attrs.n, md) != 0) {
		return van_error_set(err, VAN_EDENIED, "the digest of the signature is not available here");
	}
	if (!key_fits(cert->key, &scheme) || !check(cert, &scheme, md, s->signature))
		return van_error_set(err, VAN_ECRYPTO, "the signature was not made with the key of certificate %s (serial %s)",
				     cert->facts.subject, cert->facts.serial);
	if (s->signed_attrs.p && (s->message_digest.n != digest_size(s->digest) ||
				  memcmp(s->message_digest.p, content_digest, s->message_digest.n) != 0))
		return van_error_set(err, VAN_ECONFLICT, "the signature is %s's, but the signed content was changed after signing",
				     cert->facts.subject);
	return 0;
}

static bool names(const struct cms_signer_info *s, const struct cms_cert *cert)
{
	if (s->subject_key_id.p)
		return cert->subject_key_id.p && slice_eq(s->subject_key_id, cert->subject_key_id);
	return slice_eq(s->issuer, cert->issuer) && slice_eq(s->serial, cert->serial);
}

/* Tries one signer with the certificates that it names, then with the others (a renewed certificate keeps its key). */
static int verify_signer(const struct cms_signer_info *s, const unsigned char *digest, const struct cms_cert *const *certs,
			 size_t ncerts, const struct cms_cert **ret_cert, struct van_error *err)
{
	int worst = van_error_set(err, VAN_ECRYPTO, "no certificate is known for this partner");
	bool tried = false;
	for (int named = 1; named >= 0; named--)
		for (size_t i = 0; i < ncerts; i++) {
			if (names(s, certs[i]) != (named == 1))
				continue;
			struct van_error e;
			int rc = cms_signer_info_verify(s, digest, certs[i], &e);
			if (rc == 0) {
				*ret_cert = certs[i];
				return 0;
			}
			if (!tried || (rc == VAN_ECONFLICT && worst != rc)) { /* the first is the likeliest */
				worst = rc;
				if (err)
					*err = e;
			}
			tried = true;
		}
	return worst;
}

int cms_signed_verify(const struct cms_signed *s, const unsigned char *const digests[DIGEST_COUNT],
		      const struct cms_cert *const *certs, size_t ncerts, const struct cms_cert **ret_cert,
		      const struct cms_signer_info **ret_signer, enum digest_alg *ret_missing, struct van_error *err)
{
	int rc = van_error_set(err, VAN_ESYNTAX, "the SignedData has no signer");
	for (size_t i = 0; i < s->nsigners; i++) {
		const struct cms_signer_info *signer = &s->signers[i];
		if (signer->digest != DIGEST_NONE && !digests[signer->digest]) {
			*ret_missing = signer->digest;
			return van_error_set(err, VAN_ENOTFOUND, "the signature uses %s, which was not announced",
					     digest_name(signer->digest));
		}
		int one = signer->digest == DIGEST_NONE
				  ? van_error_set(err, VAN_EDENIED, "the signature uses a digest that is not known here")
				  : verify_signer(signer, digests[signer->digest], certs, ncerts, ret_cert, err);
		if (one == 0) {
			*ret_signer = signer;
			return 0;
		}
		rc = one;
	}
	return rc;
}
