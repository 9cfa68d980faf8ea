/* Layers that are CMS: encrypted, compressed, signed with the content inside. */
#include "as2/receiver.h"

#include <stdio.h>

static int cms_refused(struct layer *l, int rc)
{
	struct as2_receiver *r = l->r;
	enum cms_type type = cms_reader_type(l->cms);
	if (r->failed || r->fatal)
		return rc;
	if (rc == VAN_ENOMEM)
		return r->fatal = rc;
	bool enveloped = type == CMS_TYPE_ENVELOPED || type == CMS_TYPE_AUTH_ENVELOPED;
	if (enveloped && rc == VAN_EDENIED)
		return receiver_refuse(r, AS2_INSUFFICIENT_SECURITY,
				       "The cipher of the message (%s) is not among those that our agreement allows: use AES-256-CBC.",
				       cipher_name(cms_reader_cipher(l->cms)));
	if (enveloped)
		return receiver_refuse_decryption(r);
	/* an error that shows before the last block was decrypted is the same whatever the padding is; later it is not */
	if (type == CMS_TYPE_COMPRESSED && !(r->out.was_encrypted && r->finishing))
		return receiver_refuse(r, AS2_DECOMPRESSION_FAILED, "%s", rc == VAN_ELIMIT
					       ? "The compressed content expands beyond what we take. Send it uncompressed."
					       : "The compressed content is damaged, or not compressed with ZLIB.");
	return receiver_malformed(r, rc, "it announces CMS (PKCS #7) content, but holds something else");
}

/* Each kind of layer may come once, and encryption only outside of a signature. Of the latter nothing was decrypted, so its sender
 * may be told. */
static int cms_type(void *arg, enum cms_type type)
{
	struct layer *l = arg;
	struct as2_received *out = &l->r->out;
	bool again = false;
	switch (type) {
	case CMS_TYPE_ENVELOPED:
	case CMS_TYPE_AUTH_ENVELOPED:
		if (out->was_signed && !out->was_encrypted)
			return receiver_malformed(l->r, VAN_ESYNTAX, "it is encrypted inside of its signature: sign first, then encrypt");
		again = out->was_encrypted;
		out->was_encrypted = true;
		break;
	case CMS_TYPE_COMPRESSED:
		again = out->was_compressed;
		out->was_compressed = true;
		break;
	default:
		again = out->was_signed;
		out->was_signed = l->r->opaque = true;
		break;
	}
	return again ? receiver_malformed(l->r, VAN_ESYNTAX, "it is wrapped in the same way twice") : 0;
}

/* Issuers are sometimes encoded anew by the sender's software, so that only the serial number is the same. */
static bool serial_is(const struct cms_recipient *r, const struct cms_cert *cert)
{
	return r->serial.p && slice_eq(r->serial, cert->serial);
}

static int cms_key(void *arg, const struct cms_recipient *v, size_t n, enum cipher_alg cipher, unsigned char *key)
{
	struct as2_receiver *r = ((struct layer *)arg)->r;
	r->out.cipher = cipher;
	for (int loose = 0; loose < 2; loose++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < r->c.ndecrypt_certs && r->c.unwrap && v[i].wrap != WRAP_NONE; j++) {
				const struct cms_cert *cert = r->c.decrypt_certs[j];
				if (!(loose ? serial_is(&v[i], cert) : cms_recipient_is(&v[i], cert)))
					continue;
				snprintf(r->out.decrypt_key_id, sizeof r->out.decrypt_key_id, "%s", cert->facts.key_id);
				int rc = r->c.unwrap(r->c.arg, cert, &v[i], key, cipher_key_size(cipher));
				if (rc)
					r->fatal = rc;
				return rc;
			}
	return VAN_ENOTFOUND;
}

static int cms_digests(void *arg, uint32_t mask)
{
	return receiver_begin_signed(((struct layer *)arg)->r, mask ? mask : DIGESTS_SHA2 | ALG_BIT(DIGEST_SHA1));
}

static int cms_content(void *arg, const void *p, size_t n)
{
	struct layer *l = arg;
	int rc = cms_reader_type(l->cms) == CMS_TYPE_SIGNED ? receiver_mic(l->r, p, n) : 0;
	return rc ? rc : layer_feed_inner(l, p, n);
}

int layer_cms_bytes(void *arg, const void *p, size_t n)
{
	struct layer *l = arg;
	int rc = cms_reader_feed(l->cms, p, n);
	return rc ? cms_refused(l, rc) : 0;
}

int layer_open_cms(struct layer *l)
{
	struct cms_reader_events ev = {l, cms_type, cms_key, cms_digests, cms_content};
	const struct as2_policy *p = &l->r->c.policy;
	struct cms_limits limits = {.trailer_max = p->signature_max, .expansion_max = p->expansion_max, .ciphers = p->ciphers};
	l->cms = cms_reader_new(&ev, &limits);
	if (!l->cms)
		return l->r->fatal = VAN_ENOMEM;
	return layer_open_inner(l);
}

int layer_finish_cms(struct layer *l)
{
	int rc = cms_reader_finish(l->cms);
	if (rc)
		return cms_refused(l, rc);
	if (cms_reader_type(l->cms) == CMS_TYPE_SIGNED)
		rc = van_buf_append_slice(&l->r->signature, cms_reader_trailer(l->cms));
	if (rc)
		return receiver_malformed(l->r, rc, "its signature is too long");
	return layer_finish_inner(l);
}
