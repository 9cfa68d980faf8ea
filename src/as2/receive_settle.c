/* The end of a message: signature and MIC. */
#include "as2/receiver.h"

#include "base/codec.h"

#include <stdio.h>

struct digests {
	unsigned char bytes[DIGEST_COUNT][DIGEST_SIZE_MAX];
	const unsigned char *known[DIGEST_COUNT];
	bool canonical; /* of the entity with every line end as CRLF */
};

static void end_digests(struct as2_receiver *r, struct digests *d)
{
	for (int i = DIGEST_MD5; i < DIGEST_COUNT; i++)
		if (digest_set_end(&r->mic, (enum digest_alg)i, d->bytes[i]) == 0)
			d->known[i] = d->bytes[i];
}

/* With CR before each LF that has none; *last is the byte before p. */
static int update_canonical(struct digest_set *set, const unsigned char *p, size_t n, unsigned char *last)
{
	int rc = 0;
	size_t from = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		if (p[i] == '\n' && *last != '\r') {
			rc = digest_set_update(set, p + from, i - from);
			if (!rc)
				rc = digest_set_update(set, "\r", 1);
			from = i;
		}
		*last = p[i];
	}
	return rc ? rc : digest_set_update(set, p + from, n - from);
}

/* The entity once more, for a digest that nobody had announced. VAN_ENOTFOUND when it can't be read back. */
static int digest_again(struct as2_receiver *r, enum digest_alg alg, struct digests *d)
{
	unsigned char chunk[16384], last = 0;
	if (!r->c.entity_read)
		return VAN_ENOTFOUND;
	struct digest_set set = {{NULL}};
	int rc = digest_set_begin(&set, ALG_BIT(alg));
	for (uint64_t at = 0; !rc && at < r->out.entity_size;) {
		uint64_t left = r->out.entity_size - at;
		size_t n = left < sizeof chunk ? (size_t)left : sizeof chunk;
		rc = r->c.entity_read(r->c.arg, at, chunk, n);
		if (!rc)
			rc = d->canonical ? update_canonical(&set, chunk, n, &last) : digest_set_update(&set, chunk, n);
		at += n;
	}
	if (!rc)
		rc = digest_set_end(&set, alg, d->bytes[alg]);
	digest_set_free(&set);
	if (rc)
		return r->fatal = rc;
	d->known[alg] = d->bytes[alg];
	return 0;
}

static void refuse_signature(struct as2_receiver *r, int rc, const struct van_error *e)
{
	if (rc == VAN_ENOMEM)
		r->fatal = rc;
	else if (r->opaque && r->out.was_encrypted)
		/* the last blocks are the signature's own octets here, so a failure would tell that their padding was right;
		 * of multipart/signed they are the closing boundary, without which nothing gets this far */
		receiver_refuse_decryption(r);
	else if (rc == VAN_ECONFLICT)
		receiver_refuse(r, AS2_INTEGRITY_CHECK_FAILED, "The signature does not fit the content: %s. Something on the way "
				"rewrites messages; send it again, as binary.", e->text);
	else
		receiver_refuse(r, AS2_AUTHENTICATION_FAILED, "The signature could not be verified: %s. Sign with the key of the "
				"certificate that we have, or send us the new certificate.", e->text);
}

struct signature {
	struct cms_signed parsed;
	const struct cms_cert *cert;
	const struct cms_signer_info *signer;
};

/* Verifies with the digests that are there, and with more of them as long as one is asked for. */
static int check(struct as2_receiver *r, struct digests *d, struct signature *s, struct van_error *e)
{
	enum digest_alg missing = DIGEST_NONE;
	int rc = VAN_ENOTFOUND;
	for (size_t i = 0; i <= SIGNERS_MAX && rc == VAN_ENOTFOUND; i++) {
		if (i > 0 && digest_again(r, missing, d) != 0)
			break;
		rc = cms_signed_verify(&s->parsed, d->known, r->c.partner_certs, r->c.npartner_certs, &s->cert, &s->signer, &missing, e);
	}
	return rc;
}

/* Something on the way, or the sender's own software, left bare LF in what was signed with CRLF (RFC 8551 section 3.1.1):
 * then the canonical form is what was signed, and what the sender's MIC is of. */
static int check_canonical(struct as2_receiver *r, struct digests *d, struct signature *s)
{
	struct digests canonical = {.known = {NULL}, .canonical = true};
	if (!r->c.entity_read)
		return VAN_ECONFLICT;
	int rc = check(r, &canonical, s, NULL);
	if (rc)
		return VAN_ECONFLICT;
	*d = canonical;
	for (int i = 0; i < DIGEST_COUNT; i++)
		d->known[i] = canonical.known[i] ? d->bytes[i] : NULL;
	return 0;
}

/* A renewed certificate keeps its key, and senders may still name the old one: any with that key will do. */
static int check_trust(struct as2_receiver *r, const struct cms_cert *signer)
{
	struct van_error e, other;
	int rc = r->c.trust ? cms_trust_check(r->c.trust, signer, &e) : 0;
	for (size_t i = 0; i < r->c.npartner_certs && rc == VAN_EDENIED; i++)
		if (strcmp(r->c.partner_certs[i]->facts.key_id, signer->facts.key_id) == 0 &&
		    cms_trust_check(r->c.trust, r->c.partner_certs[i], &other) == 0)
			return 0;
	if (rc == VAN_EDENIED)
		return receiver_refuse(r, AS2_AUTHENTICATION_FAILED, "The signature is right, but %s. Sign with the key of a certificate that our "
				       "agreement allows.", e.text);
	if (rc)
		r->fatal = rc;
	return rc;
}

static int verify(struct as2_receiver *r, struct digests *d, enum digest_alg *ret_alg)
{
	struct signature s = {.cert = NULL};
	struct van_error e = {.code = VAN_OK};
	struct slice bytes = van_buf_slice(&r->signature);
	int rc = r->opaque ? cms_signed_parse_trailer(bytes, r->arena, &s.parsed, &e)
			   : cms_signed_parse(bytes, r->arena, &s.parsed, &e);
	if (!rc)
		rc = check(r, d, &s, &e);
	if (rc == VAN_ECONFLICT && !r->fatal)
		rc = check_canonical(r, d, &s);
	if (r->fatal)
		return r->fatal;
	if (rc) {
		refuse_signature(r, rc, &e);
		return rc;
	}
	r->out.signature_digest = *ret_alg = s.signer->digest;
	if (!(r->c.policy.digests & ALG_BIT(s.signer->digest)))
		return receiver_refuse(r, AS2_INSUFFICIENT_SECURITY, "The signature uses %s, which our agreement does not allow: use SHA-256.",
				       digest_name(s.signer->digest));
	rc = check_trust(r, s.cert);
	if (rc == 0)
		snprintf(r->out.signer_sha256, sizeof r->out.signer_sha256, "%s", s.cert->facts.sha256);
	return rc;
}

static int settle_mic(struct as2_receiver *r, struct digests *d, enum digest_alg signature_digest)
{
	struct slice name;
	struct van_buf text = VAN_BUF_INIT(sizeof r->out.mic_text);
	enum digest_alg alg = as2_request_mic(r->c.request, signature_digest, &name);
	if (!d->known[alg] && digest_again(r, alg, d) != 0)
		return r->fatal;
	r->out.mic_alg = alg;
	r->out.mic_size = digest_size(alg);
	memcpy(r->out.mic, d->bytes[alg], r->out.mic_size);
	if (base64_encode(&text, r->out.mic, r->out.mic_size, 0) != 0)
		r->fatal = text.error;
	snprintf(r->out.mic_text, sizeof r->out.mic_text, "%.*s, %.*s", SLICE_ARG(van_buf_slice(&text)), SLICE_ARG(name));
	van_buf_free(&text);
	return r->fatal;
}

/* Looked at after the signature, for it depends on what was encrypted. */
static int check_file_name(struct as2_receiver *r)
{
	if (!r->c.policy.refuse_illegal_file_name || !r->file_name_changed)
		return 0;
	return receiver_refuse(r, AS2_ILLEGAL_FILENAME, "The file name has a path or characters that are not taken here. Send the document "
							"under a plain name; its usable part is \"%s\".", r->out.file_name);
}

/* A signed receipt that must be as we can't make it is a failure (RFC 4130 section 7.4.3), not an error. */
static int check_receipt(struct as2_receiver *r)
{
	const struct as2_request *q = r->c.request;
	if (q->mdn_wanted && q->protocol == AS2_OPTION_REQUIRED && !q->protocol_known)
		return receiver_refuse(r, AS2_UNSUPPORTED_FORMAT, "The only format of signed receipts here is pkcs7-signature.");
	if (q->mdn_wanted && q->micalg == AS2_OPTION_REQUIRED && q->nmicalgs == 0)
		return receiver_refuse(r, AS2_UNSUPPORTED_MIC, "None of the MIC algorithms asked for is known here: ask for sha-256.");
	return 0;
}

void receiver_settle(struct as2_receiver *r)
{
	struct digests d = {.known = {NULL}};
	enum digest_alg signature_digest = DIGEST_NONE;
	end_digests(r, &d);
	if (r->out.was_signed && verify(r, &d, &signature_digest) != 0)
		return;
	if (check_file_name(r) != 0 || check_receipt(r) != 0 || settle_mic(r, &d, signature_digest) != 0)
		return;
	if (r->c.policy.payload_sha256) {
		unsigned char md[DIGEST_SIZE_MAX];
		if (digest_set_end(&r->payload_digest, DIGEST_SHA256, md) == 0)
			memcpy(r->out.payload_sha256, md, sizeof r->out.payload_sha256);
	}
}
