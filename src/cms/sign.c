/* Detached SignedData from a digest, written as DER by hand: what differs from one signature to the next is the signing
 * time, the digest and the signature itself, so that all the rest is laid out once for each key. */
#include "cms/sign.h"

#include "cms/ber.h"
#include "cms/cert.h"
#include "cms/digest.h"
#include "cms/evp.h"
#include "cms/oid.h"
#include "cms/prepared.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#define SIGNATURE_MAX 2048 /* bytes: RSA with 16384 bits */

struct cms_signer {
	EVP_PKEY *key;
	bool ec;
	struct prepared *prepared; /* by digest and scheme */
	struct van_buf certificates; /* [0] with the certificate */
	struct van_buf identifier;   /* version and issuerAndSerialNumber */
};

static int lay_out(struct cms_signer *s, const struct cms_cert *cert)
{
	struct van_buf id = VAN_BUF_INIT(0);
	der_put(&s->certificates, BER_CONTEXT_CONSTRUCTED + 0, cert->der);
	van_buf_append_slice(&id, cert->issuer);
	der_put(&id, BER_INTEGER, cert->serial);
	van_buf_append(&s->identifier, "\x02\x01\x01", 3);
	der_put(&s->identifier, BER_SEQUENCE, van_buf_slice(&id));
	int rc = id.error ? id.error : s->identifier.error ? s->identifier.error : s->certificates.error;
	van_buf_free(&id);
	return rc;
}

int cms_signer_new(EVP_PKEY *key, const struct cms_cert *cert, struct cms_signer **ret, struct van_error *err)
{
	int rc = cms_key_matches(key, cert, err);
	if (rc)
		return rc;
	bool rsa = EVP_PKEY_is_a(key, "RSA") == 1, ec = EVP_PKEY_is_a(key, "EC") == 1;
	if ((!rsa && !ec) || EVP_PKEY_get_size(key) > SIGNATURE_MAX)
		return van_error_set(err, VAN_EDENIED, "the key of %s is of type %s, which can't sign a digest: use an RSA or EC key",
				     cert->facts.subject, cert->facts.key_type);
	struct cms_signer *s = calloc(1, sizeof *s);
	if (s)
		s->prepared = prepared_new(2 * DIGEST_COUNT);
	if (!s || !s->prepared || lay_out(s, cert) != 0) {
		cms_signer_free(s);
		return van_error_set(err, VAN_ENOMEM, "no memory for a signing key");
	}
	EVP_PKEY_up_ref(key);
	s->key = key;
	s->ec = ec;
	*ret = s;
	return 0;
}

void cms_signer_free(struct cms_signer *s)
{
	if (!s)
		return;
	prepared_free(s->prepared);
	EVP_PKEY_free(s->key);
	van_buf_free(&s->certificates);
	van_buf_free(&s->identifier);
	free(s);
}

/* One Attribute: OID and a SET with one value. */
static void put_attribute(struct van_buf *to, struct slice oid, unsigned char tag, struct slice value)
{
	size_t in_set = der_head_size(value.n) + value.n;
	size_t all = der_head_size(oid.n) + oid.n + der_head_size(in_set) + in_set;
	der_head(to, BER_SEQUENCE, all);
	der_put(to, BER_OID, oid);
	der_head(to, BER_SET, in_set);
	der_put(to, tag, value);
}

/* UTCTime until 2049, GeneralizedTime after (RFC 5652 section 11.3). */
static struct slice time_text(van_time now, char to[32], unsigned char *tag)
{
	struct van_civil c = van_time_civil(now);
	bool utc = c.year >= 1950 && c.year < 2050;
	*tag = utc ? BER_UTC_TIME : BER_GENERAL_TIME;
	int n = snprintf(to, 32, utc ? "%02d%02d%02d%02d%02d%02dZ" : "%04d%02d%02d%02d%02d%02dZ",
			 utc ? c.year % 100 : c.year, c.month, c.day, c.hour, c.minute, c.second);
	return slice_make(to, (size_t)n);
}

/* The attributes in the order that DER wants for a SET OF, which their lengths decide: content type, time, digest. */
static void put_attributes(struct van_buf *to, enum digest_alg alg, const unsigned char *digest, van_time now)
{
	char text[32];
	unsigned char tag;
	struct slice t = time_text(now, text, &tag);
	put_attribute(to, OID_ATTR_CONTENT_TYPE, BER_OID, OID_DATA);
	put_attribute(to, OID_ATTR_SIGNING_TIME, tag, t);
	put_attribute(to, OID_ATTR_MESSAGE_DIGEST, BER_OCTETS, slice_make(digest, digest_size(alg)));
}

static bool set_padding(const struct cms_signer *s, EVP_PKEY_CTX *ctx, bool pss)
{
	if (s->ec)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
	       (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static EVP_PKEY_CTX *prepare(const struct cms_signer *s, bool pss, enum digest_alg alg)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->key, NULL);
	if (ctx && EVP_PKEY_sign_init(ctx) == 1 && set_padding(s, ctx, pss) && EVP_PKEY_CTX_set_signature_md(ctx, evp_digest(alg)) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

/* Signs the attributes under the tag of a SET (RFC 5652 section 5.4). */
static int sign_attributes(const struct cms_signer *s, bool pss, enum digest_alg alg, struct slice attrs, unsigned char *to, size_t *n)
{
	unsigned char md[DIGEST_SIZE_MAX];
	size_t kind = (size_t)alg + (pss ? DIGEST_COUNT : 0);
	struct van_buf set = VAN_BUF_INIT(0);
	der_put(&set, BER_SET, attrs);
	int rc = set.error ? set.error : digest_bytes(alg, set.p, set.n, md);
	van_buf_free(&set);
	if (rc)
		return rc;
	EVP_PKEY_CTX *ctx = prepared_take(s->prepared, kind);
	if (!ctx)
		ctx = prepare(s, pss, alg);
	bool ok = ctx && EVP_PKEY_sign(ctx, to, n, md, digest_size(alg)) == 1;
	if (ok)
		prepared_give(s->prepared, kind, ctx);
	else
		EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : VAN_ECRYPTO;
}

static size_t sized(size_t content)
{
	return der_head_size(content) + content;
}

static const struct slice no_params = {"", 0}, null_params = {"\x05\x00", 2};

/* AlgorithmIdentifier: without parameters for digests (RFC 5754) and ECDSA, NULL for RSA. */
static size_t put_algorithm(struct van_buf *to, struct slice oid, struct slice params)
{
	size_t n = sized(oid.n) + params.n;
	if (to) {
		der_head(to, BER_SEQUENCE, n);
		der_put(to, BER_OID, oid);
		van_buf_append_slice(to, params);
	}
	return sized(n);
}

/* RSASSA-PSS-params (RFC 4055 section 3.1): what is SHA-1's is the default, which DER leaves out. */
static int put_pss_params(struct van_buf *to, enum digest_alg alg)
{
	struct van_buf hash = VAN_BUF_INIT(0), mgf = VAN_BUF_INIT(0), in = VAN_BUF_INIT(0);
	const unsigned char salt[] = {BER_INTEGER, 1, (unsigned char)digest_size(alg)};
	if (alg != DIGEST_SHA1) {
		put_algorithm(&hash, oid_of_digest(alg), null_params);
		put_algorithm(&mgf, OID_MGF1, van_buf_slice(&hash));
		der_put(&in, BER_CONTEXT_CONSTRUCTED + 0, van_buf_slice(&hash));
		der_put(&in, BER_CONTEXT_CONSTRUCTED + 1, van_buf_slice(&mgf));
		der_put(&in, BER_CONTEXT_CONSTRUCTED + 2, slice_make(salt, sizeof salt));
	}
	der_put(to, BER_SEQUENCE, van_buf_slice(&in));
	int rc = hash.error ? hash.error : mgf.error ? mgf.error : in.error ? in.error : to->error;
	van_buf_free(&hash);
	van_buf_free(&mgf);
	van_buf_free(&in);
	return rc;
}

static void assemble(const struct cms_signer *s, struct slice pss, enum digest_alg alg, struct slice attrs, struct slice signature,
		     struct van_buf *to)
{
	struct slice digest = oid_of_digest(alg), scheme = s->ec ? oid_of_ecdsa(alg) : pss.n ? OID_RSA_PSS : OID_RSA;
	struct slice params = s->ec ? no_params : pss.n ? pss : null_params;
	size_t digest_n = put_algorithm(NULL, digest, no_params);
	size_t signer = s->identifier.n + digest_n + sized(attrs.n) + put_algorithm(NULL, scheme, params) + sized(signature.n);
	size_t encap = sized(OID_DATA.n);
	size_t body = 3 + sized(digest_n) + sized(encap) + s->certificates.n + sized(sized(signer));
	size_t info = sized(OID_SIGNED_DATA.n) + sized(sized(body));
	der_head(to, BER_SEQUENCE, info);
	der_put(to, BER_OID, OID_SIGNED_DATA);
	der_head(to, BER_CONTEXT_CONSTRUCTED + 0, sized(body));
	der_head(to, BER_SEQUENCE, body);
	van_buf_append(to, "\x02\x01\x01", 3);
	der_head(to, BER_SET, digest_n);
	put_algorithm(to, digest, no_params);
	der_head(to, BER_SEQUENCE, encap);
	der_put(to, BER_OID, OID_DATA);
	van_buf_append_slice(to, van_buf_slice(&s->certificates));
	der_head(to, BER_SET, sized(signer));
	der_head(to, BER_SEQUENCE, signer);
	van_buf_append_slice(to, van_buf_slice(&s->identifier));
	put_algorithm(to, digest, no_params);
	der_put(to, BER_CONTEXT_CONSTRUCTED + 0, attrs);
	put_algorithm(to, scheme, params);
	der_put(to, BER_OCTETS, signature);
}

int cms_sign_digest(const struct cms_signer *s, enum sign_scheme scheme, enum digest_alg alg, const unsigned char *digest, van_time now,
		    struct van_buf *to, struct van_error *err)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n = sizeof signature;
	struct van_buf attrs = VAN_BUF_INIT(0), params = VAN_BUF_INIT(0);
	bool pss = scheme == SIGN_PSS && !s->ec;
	if (digest_size(alg) == 0 || (s->ec && !oid_of_ecdsa(alg).p))
		return van_error_set(err, VAN_EINVAL, "no such digest for a signature");
	put_attributes(&attrs, alg, digest, now);
	int rc = attrs.error ? attrs.error : pss ? put_pss_params(&params, alg) : 0;
	if (!rc)
		rc = sign_attributes(s, pss, alg, van_buf_slice(&attrs), signature, &n);
	if (!rc) {
		assemble(s, van_buf_slice(&params), alg, van_buf_slice(&attrs), slice_make(signature, n), to);
		rc = to->error;
	}
	van_buf_free(&attrs);
	van_buf_free(&params);
	return rc ? van_error_set(err, rc, "a signature could not be made") : 0;
}
