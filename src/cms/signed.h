/* SignedData (RFC 5652 section 5): reading signer infos and verifying them against certificates that the caller trusts.
 * Embedded certificates are never decoded, and never trusted. */
#ifndef OPENVAN_CMS_SIGNED_H
#define OPENVAN_CMS_SIGNED_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "cms/algorithm.h"

#define SIGNERS_MAX 8

struct cms_cert;

struct cms_signer_info {
	struct slice issuer, serial, subject_key_id; /* as in cms_recipient */
	enum digest_alg digest;
	struct slice signed_attrs;   /* DER of SET OF Attribute, as it was signed; absent when there are none */
	struct slice message_digest; /* absent without signed attributes */
	struct slice content_type;   /* content octets of the OID; absent without signed attributes */
	van_time signing_time;       /* 0 when not given */
	struct slice signature_alg;  /* DER of the AlgorithmIdentifier */
	struct slice signature;
};

struct cms_signed {
	struct cms_signer_info signers[SIGNERS_MAX];
	size_t nsigners;
	bool has_content; /* eContent is present: not a detached signature */
};

/* A whole ContentInfo, as in application/pkcs7-signature. Slices point into `bytes` or `arena`.
 * VAN_ESYNTAX, VAN_ELIMIT, VAN_ENOMEM. */
int cms_signed_parse(struct slice bytes, struct van_arena *arena, struct cms_signed *ret, struct van_error *err);
/* What follows eContent in opaque signed data: certificates, revocation lists, signer infos. */
int cms_signed_parse_trailer(struct slice bytes, struct van_arena *arena, struct cms_signed *ret, struct van_error *err);

/* Verifies one signer info over content whose digest (by s->digest) is `content_digest`, with one certificate's key.
 * 0; VAN_ECRYPTO: the signature is not this key's; VAN_ECONFLICT: the signature is right, but the content was changed after
 * it was signed (messageDigest differs); VAN_EDENIED: unknown signature algorithm. */
int cms_signer_info_verify(const struct cms_signer_info *s, const unsigned char *content_digest,
			   const struct cms_cert *cert, struct van_error *err);

/* The signature is that of some signer by some of the certificates: those that the signer info names are tried first.
 * `digests`: the content's digest by algorithm, NULL where it is not known (then VAN_ENOTFOUND asks for it, with
 * *ret_missing set). On success *ret_cert and *ret_signer say who. */
int cms_signed_verify(const struct cms_signed *s, const unsigned char *const digests[DIGEST_COUNT],
		      const struct cms_cert *const *certs, size_t ncerts, const struct cms_cert **ret_cert,
		      const struct cms_signer_info **ret_signer, enum digest_alg *ret_missing, struct van_error *err);

#endif
