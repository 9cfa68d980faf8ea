/* Object identifiers as their content octets. Private to src/cms. */
#ifndef OPENVAN_CMS_OID_H
#define OPENVAN_CMS_OID_H

#include "cms/algorithm.h"

#define OID_DATA SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")
#define OID_SIGNED_DATA SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
#define OID_ENVELOPED_DATA SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03")
#define OID_COMPRESSED_DATA SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09")
#define OID_AUTH_ENVELOPED_DATA SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17")
#define OID_ZLIB SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08")
#define OID_ATTR_CONTENT_TYPE SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03")
#define OID_ATTR_MESSAGE_DIGEST SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04")
#define OID_ATTR_SIGNING_TIME SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05")
#define OID_RSA SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_RSA_OAEP SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07")
#define OID_MGF1 SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08")
#define OID_P_SPECIFIED SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x09")
#define OID_RSA_PSS SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
#define OID_EC_PUBLIC_KEY SLICE("\x2a\x86\x48\xce\x3d\x02\x01")

#define OID_3DES_WRAP SLICE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x06")

enum signature_kind { SIGNATURE_UNKNOWN, SIGNATURE_RSA, SIGNATURE_PSS, SIGNATURE_ECDSA };

enum digest_alg oid_digest(struct slice oid);
struct slice oid_of_digest(enum digest_alg d);
enum cipher_alg oid_cipher(struct slice oid);
struct slice oid_of_cipher(enum cipher_alg c);
/* *ret_digest is DIGEST_NONE where the OID names no digest. */
enum signature_kind oid_signature(struct slice oid, enum digest_alg *ret_digest);
/* The digest of a key derivation for ECDH (RFC 5753 section 7.1.4); *ret_cofactor: with the curve's cofactor. DIGEST_NONE:
 * unknown. */
enum digest_alg oid_ecdh(struct slice oid, bool *ret_cofactor);
/* Bytes of the key for AES key wrap (RFC 3394) or 3DES key wrap; 0: unknown. */
size_t oid_key_wrap(struct slice oid);
/* dhSinglePass-stdDH with that digest; absent for one that has none. */
struct slice oid_of_ecdh(enum digest_alg d);
/* AES key wrap with a key of so many bytes. */
struct slice oid_of_aes_wrap(size_t bytes);
/* ecdsa-with-SHA*: absent for a digest that has none. */
struct slice oid_of_ecdsa(enum digest_alg d);

#endif
