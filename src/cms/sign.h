/* What keyd does with private keys: sign a digest into a detached CMS SignedData, and unwrap content keys. */
#ifndef OPENVAN_CMS_SIGN_H
#define OPENVAN_CMS_SIGN_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "cms/algorithm.h"

#include <openssl/types.h>

struct cms_cert;

/* A private key with its certificate, ready to sign; immutable, so that several threads may use one at a time. */
struct cms_signer;
/* Takes its own references. VAN_ECONFLICT when key and certificate don't belong together, VAN_EDENIED for a key type that
 * can't sign a digest (RSA and EC can). */
int cms_signer_new(EVP_PKEY *key, const struct cms_cert *cert, struct cms_signer **ret, struct van_error *err);
void cms_signer_free(struct cms_signer *s);

/* How an RSA key signs; an EC key signs by ECDSA whichever it is. Values are sent between roles: never renumber. */
enum sign_scheme { SIGN_PKCS1 = 0, SIGN_PSS = 1 /* RFC 4056: MGF1 by the same digest, a salt of its length */ };

/* Appends a detached SignedData in DER: content type id-data, signing time `now`, message digest `digest`
 * (digest_size(alg) bytes), the certificate included, no S/MIME capabilities. micalg is the caller's to write. Thread-safe.
 * 0, VAN_EINVAL (algorithm), VAN_ECRYPTO, or the buffer's error. */
int cms_sign_digest(const struct cms_signer *s, enum sign_scheme scheme, enum digest_alg alg, const unsigned char *digest, van_time now,
		    struct van_buf *to, struct van_error *err);

/* A private key (RSA or EC) ready to unwrap; immutable, so that several threads may use one at a time. VAN_EDENIED for other
 * kinds of keys. */
struct cms_unwrapper;
int cms_unwrapper_new(EVP_PKEY *key, struct cms_unwrapper **ret, struct van_error *err);
void cms_unwrapper_free(struct cms_unwrapper *u);

/* Unwraps a content key. `out` always receives `expected_len` bytes (at most CIPHER_KEY_MAX): the key, or, on any failure
 * whatever, bytes that are derived from the private key and the blob and look random. So a peer learns nothing from the
 * answer or its time, and a second try with the same blob gives the same. `params`: RSA-OAEP: DER of RSAES-OAEP-params or
 * absent; ECDH: what unwrap_ecdh.h says. */
void cms_unwrap(const struct cms_unwrapper *u, enum wrap_alg alg, struct slice params, struct slice blob,
		size_t expected_len, unsigned char *out);

#endif
