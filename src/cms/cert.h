/* Certificates and private keys: loading, facts, and a cache of decoded ones (decoding costs 145 µs, so each is decoded
 * once in a process). A key id is the lower-case hex SHA-256 of the certificate's SubjectPublicKeyInfo in DER. */
#ifndef OPENVAN_CMS_CERT_H
#define OPENVAN_CMS_CERT_H

#include "base/clock.h"
#include "base/error.h"

#include <openssl/types.h>

#define KEY_ID_LEN 64

struct cms_cert_facts {
	char subject[256]; /* RFC 2253 text, cut when longer */
	char issuer[256];
	char serial[64 + 1]; /* lower-case hex */
	char sha256[64 + 1]; /* of the certificate's DER, lower-case hex */
	char sha1[40 + 1];
	char key_id[KEY_ID_LEN + 1];
	char key_type[16]; /* "RSA", "RSA-PSS", "EC", "ED25519" … */
	unsigned key_bits;
	van_time not_before, not_after;
};

struct prepared;

/* A decoded certificate. It does not change; what is prepared for verifying with it is kept beside it. */
struct cms_cert {
	struct cms_cert_facts facts;
	X509 *x509;
	EVP_PKEY *key;            /* public key; owned by this struct */
	struct prepared *verify;  /* by digest */
	struct slice der;         /* all owned by this struct */
	struct slice issuer;      /* DER of the issuer's Name */
	struct slice serial;      /* content octets of the serial number's INTEGER */
	struct slice subject_key_id; /* absent when the certificate has none */
};

/* From PEM text (the first CERTIFICATE block) or DER. The caller frees. VAN_ESYNTAX with a text for people. */
int cms_cert_new(struct slice pem_or_der, struct cms_cert **ret, struct van_error *err);
void cms_cert_free(struct cms_cert *c);

/* A cache keyed by the SHA-256 of the bytes given (DER or PEM text). Not thread-safe: one for each process or thread. */
struct cms_cert_cache;
/* `max`: most certificates kept, 0 for 4096; the oldest is dropped beyond it, so hold no more than `max` at a time. */
struct cms_cert_cache *cms_cert_cache_new(size_t max);
void cms_cert_cache_free(struct cms_cert_cache *cache);
/* The decoded certificate, owned by the cache. Errors as cms_cert_new. */
int cms_cert_cache_get(struct cms_cert_cache *cache, struct slice pem_or_der, const struct cms_cert **ret,
		       struct van_error *err);

/* A private key from PEM (not encrypted). The caller frees with EVP_PKEY_free. */
int cms_private_key(struct slice pem, EVP_PKEY **ret, struct van_error *err);
void cms_private_key_free(EVP_PKEY *key);
/* `to` holds KEY_ID_LEN + 1 bytes. Works on a private or a public key. 0 or VAN_ECRYPTO. */
int cms_key_id(EVP_PKEY *key, char *to);
/* 0 when `key` is the private half of the certificate's key, VAN_ECONFLICT with a text when not. */
int cms_key_matches(EVP_PKEY *key, const struct cms_cert *cert, struct van_error *err);

#endif
