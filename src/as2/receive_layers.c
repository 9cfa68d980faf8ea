/* The layers of a message: how each is opened by its headers, fed, and finished. */
#include "as2/receiver.h"

#include <stdio.h>

static struct layer *next(struct layer *l)
{
	return l->depth + 1 < l->r->nlayers ? &l->r->layers[l->depth + 1] : NULL;
}

/* ---- the entity that a layer contains ------------------------------------------------------------------------------- */

static int inner_headers(void *arg, const struct mime_headers *h, struct slice block)
{
	struct layer *l = arg;
	struct as2_receiver *r = l->r;
	if (r->out.was_encrypted && h->n == 0)
		return receiver_refuse_decryption(r);
	return layer_open(r, mime_header_get(h, "Content-Type"), mime_header_get(h, "Content-Transfer-Encoding"),
			  mime_header_get(h, "Content-Disposition"), block);
}

static int inner_body(void *arg, const void *p, size_t n)
{
	struct layer *in = next(arg);
	return in ? layer_feed(in, p, n) : VAN_EINTERNAL;
}

static int open_inner(struct layer *l)
{
	struct mime_entity_events ev = {l, inner_headers, inner_body};
	l->inner = mime_entity_new(&ev, 0);
	if (!l->inner)
		l->r->fatal = VAN_ENOMEM;
	return l->inner ? 0 : VAN_ENOMEM;
}

static int feed_inner(struct layer *l, const void *p, size_t n)
{
	int rc = mime_entity_feed(l->inner, p, n);
	return rc ? receiver_malformed(l->r, rc, "a MIME header inside is broken") : 0;
}

static int finish_inner(struct layer *l)
{
	if (l->inner_closed)
		return 0;
	l->inner_closed = true;
	int rc = mime_entity_finish(l->inner);
	if (rc)
		return receiver_malformed(l->r, rc, "a MIME header inside is broken");
	struct layer *in = next(l);
	return in ? layer_finish(in) : 0;
}

/* ---- the document --------------------------------------------------------------------------------------------------- */

static int document_bytes(void *arg, const void *p, size_t n)
{
	struct as2_receiver *r = ((struct layer *)arg)->r;
	r->out.payload_size += n;
	if (r->c.policy.payload_max && r->out.payload_size > r->c.policy.payload_max)
		return receiver_refuse(r, AS2_UNEXPECTED_ERROR, "The message is larger than the %llu bytes that we take. Split it.",
				       (unsigned long long)r->c.policy.payload_max);
	int rc = digest_set_update(&r->payload_digest, p, n);
	if (!rc && !r->document_elsewhere)
		rc = r->c.payload(r->c.arg, p, n);
	if (rc && !r->fatal)
		r->fatal = rc;
	return rc;
}

/* Required security is looked at as soon as it is certain what there is, and before the last block was decrypted: so the
 * answer does not depend on the padding. */
static int check_security(struct as2_receiver *r)
{
	const struct as2_policy *p = &r->c.policy;
	if (p->require_encrypted && !r->out.was_encrypted)
		return receiver_refuse(r, AS2_INSUFFICIENT_SECURITY, "The message was not encrypted, and our agreement asks for it. "
								     "Encrypt it for our certificate.");
	if (p->require_signed && !r->out.was_signed)
		return receiver_refuse(r, AS2_INSUFFICIENT_SECURITY, "The message was not signed, and our agreement asks for it. "
								     "Sign it with the key of the certificate that we have.");
	return 0;
}

static void document_names(struct as2_receiver *r, const struct mime_value *type, struct slice disposition)
{
	struct mime_value d;
	struct slice name = SLICE_NONE;
	if (mime_value_parse(disposition, r->arena, &d) == 0)
		name = mime_value_param(&d, "filename");
	if (!name.n)
		name = mime_value_param(type, "name");
	mime_safe_file_name(r->out.file_name, sizeof r->out.file_name, name);
	size_t n = 0;
	for (size_t i = 0; i < type->value.n && n + 1 < sizeof r->out.content_type; i++)
		if (type->value.p[i] > ' ' && type->value.p[i] <= '~')
			r->out.content_type[n++] = type->value.p[i];
	r->out.content_type[n] = 0;
}

/* Where the MIC's input begins (RFC 4130 section 7.3.1): signed: the signed entity, which is tapped where it is taken
 * apart. Else encrypted or compressed: the innermost entity with its headers. Else the body without headers. */
static int open_document(struct layer *l, const struct mime_value *type, struct slice disposition, struct slice headers)
{
	struct as2_receiver *r = l->r;
	int rc = check_security(r);
	if (rc)
		return rc;
	document_names(r, type, disposition);
	r->document = true;
	bool direct = l->depth == 0 || !r->out.was_signed || r->layers[l->depth - 1].kind == LAYER_SIGNED ||
		      (r->opaque && cms_reader_type(r->layers[l->depth - 1].cms) == CMS_TYPE_SIGNED);
	if (direct && l->decoder.encoding == MIME_BINARY) {
		r->out.payload_offset = headers.n;
		r->document_elsewhere = r->c.entity && r->c.payload_within_entity;
	}
	if (r->out.was_signed)
		return 0;
	struct slice name;
	l->tapped = true;
	rc = digest_set_begin(&r->mic, ALG_BIT(as2_request_mic(r->c.request, DIGEST_NONE, &name)));
	if (rc) {
		r->fatal = rc;
		return rc;
	}
	return headers.n ? receiver_mic(r, headers.p, headers.n) : 0;
}

/* ---- CMS ------------------------------------------------------------------------------------------------------------ */

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

/* Each kind of layer may come once, and encryption only outside of a signature. */
static int cms_type(void *arg, enum cms_type type)
{
	struct layer *l = arg;
	struct as2_received *out = &l->r->out;
	bool again = false;
	switch (type) {
	case CMS_TYPE_ENVELOPED:
	case CMS_TYPE_AUTH_ENVELOPED:
		again = out->was_encrypted || out->was_signed;
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

static int begin_signed(struct as2_receiver *r, uint32_t mask)
{
	for (int d = DIGEST_MD5; d < DIGEST_COUNT; d++) {
		struct slice name;
		if (mask & ALG_BIT(d))
			mask |= ALG_BIT(as2_request_mic(r->c.request, (enum digest_alg)d, &name));
	}
	int rc = digest_set_begin(&r->mic, mask);
	if (rc)
		r->fatal = rc;
	return rc;
}

static int cms_digests(void *arg, uint32_t mask)
{
	return begin_signed(((struct layer *)arg)->r, mask ? mask : DIGESTS_SHA2 | ALG_BIT(DIGEST_SHA1));
}

static int cms_content(void *arg, const void *p, size_t n)
{
	struct layer *l = arg;
	int rc = cms_reader_type(l->cms) == CMS_TYPE_SIGNED ? receiver_mic(l->r, p, n) : 0;
	return rc ? rc : feed_inner(l, p, n);
}

static int cms_bytes(void *arg, const void *p, size_t n)
{
	struct layer *l = arg;
	int rc = cms_reader_feed(l->cms, p, n);
	return rc ? cms_refused(l, rc) : 0;
}

static int open_cms(struct layer *l)
{
	struct cms_reader_events ev = {l, cms_type, cms_key, cms_digests, cms_content};
	const struct as2_policy *p = &l->r->c.policy;
	struct cms_limits limits = {.trailer_max = p->signature_max, .expansion_max = p->expansion_max, .ciphers = p->ciphers};
	l->cms = cms_reader_new(&ev, &limits);
	if (!l->cms)
		return l->r->fatal = VAN_ENOMEM;
	return open_inner(l);
}

static int finish_cms(struct layer *l)
{
	int rc = cms_reader_finish(l->cms);
	if (rc)
		return cms_refused(l, rc);
	if (cms_reader_type(l->cms) == CMS_TYPE_SIGNED)
		van_buf_append_slice(&l->r->signature, cms_reader_trailer(l->cms));
	return finish_inner(l);
}

/* The Content-Transfer-Encoding of CMS bodies is often wrong, and need not be believed: BER begins with "0", its base64
 * with "M". */
static enum mime_encoding sniff(enum mime_encoding said, unsigned char first)
{
	if (said == MIME_QUOTED_PRINTABLE)
		return said;
	return first == '0' ? MIME_BINARY : first == 'M' ? MIME_BASE64 : said;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Feeds through a decoder whose encoding is seen from the first byte that is no blank. */
static int sniffing_feed(struct mime_decoder *d, bool *sniffed, const char *p, size_t n)
{
	while (!*sniffed && n && is_space(*p)) {
		p++;
		n--;
	}
	if (!n)
		return 0;
	if (!*sniffed)
		d->encoding = sniff(d->encoding, (unsigned char)*p);
	*sniffed = true;
	return mime_decoder_feed(d, p, n);
}

/* ---- multipart/signed ----------------------------------------------------------------------------------------------- */

static int signature_headers(void *arg, const struct mime_headers *h, struct slice block)
{
	struct layer *l = arg;
	(void)block;
	l->signature_decoder.encoding = mime_encoding_parse(mime_header_get(h, "Content-Transfer-Encoding"));
	return 0;
}

static int signature_body(void *arg, const void *p, size_t n)
{
	struct layer *l = arg;
	return sniffing_feed(&l->signature_decoder, &l->signature_sniffed, p, n);
}

static int signature_bytes(void *arg, const void *p, size_t n)
{
	return van_buf_append(&((struct layer *)arg)->r->signature, p, n);
}

static int part_bytes(void *arg, unsigned part, const void *p, size_t n)
{
	struct layer *l = arg;
	int rc = 0;
	if (part == 0) {
		rc = receiver_mic(l->r, p, n);
		return rc ? rc : feed_inner(l, p, n);
	}
	if (part == 1)
		rc = mime_entity_feed(l->signature_part, p, n);
	return rc ? receiver_malformed(l->r, rc, "the part with the signature is broken or too long") : 0;
}

static int part_end(void *arg, unsigned part)
{
	struct layer *l = arg;
	int rc = 0;
	if (part == 0)
		return finish_inner(l);
	if (part == 1)
		rc = mime_entity_finish(l->signature_part);
	if (!rc && part == 1)
		rc = mime_decoder_finish(&l->signature_decoder);
	return rc ? receiver_malformed(l->r, rc, "the part with the signature is broken") : 0;
}

/* The digests that micalg announces; when it says nothing that we know, all that it may be. */
static uint32_t micalg_mask(struct slice list)
{
	uint32_t mask = 0;
	while (list.p) {
		enum digest_alg d = digest_from_name(slice_trim(slice_cut(&list, ',')));
		if (d != DIGEST_NONE)
			mask |= ALG_BIT(d);
	}
	return mask ? mask : DIGESTS_SHA2 | ALG_BIT(DIGEST_SHA1);
}

static int open_signed(struct layer *l, const struct mime_value *type)
{
	struct as2_receiver *r = l->r;
	struct mime_multipart_events ev = {l, NULL, part_bytes, part_end};
	struct mime_entity_events sig = {l, signature_headers, signature_body};
	if (r->out.was_signed)
		return receiver_malformed(r, VAN_ESYNTAX, "it is signed twice");
	r->out.was_signed = true;
	if (mime_multipart_init(&l->parts, mime_value_param(type, "boundary"), 8, &ev) != 0)
		return receiver_malformed(r, VAN_ELIMIT, "its MIME boundary is too long");
	l->signature_part = mime_entity_new(&sig, 0);
	if (!l->signature_part)
		return r->fatal = VAN_ENOMEM;
	mime_decoder_init(&l->signature_decoder, MIME_BINARY, (struct byte_sink){signature_bytes, l});
	int rc = begin_signed(r, micalg_mask(mime_value_param(type, "micalg")));
	return rc ? rc : open_inner(l);
}

/* Something behind the closing boundary is where one would put blocks to try a decryptor's padding with: then it is no
 * proper content. */
static int finish_signed(struct layer *l)
{
	int rc = mime_multipart_finish(&l->parts);
	if (rc || l->parts.part < 1)
		return receiver_malformed(l->r, VAN_ESYNTAX, "its signed parts do not end");
	if (l->parts.epilogue && l->r->out.was_encrypted)
		return receiver_refuse_decryption(l->r);
	return 0;
}

/* ---- all layers ----------------------------------------------------------------------------------------------------- */

static bool is_cms(const struct mime_value *type)
{
	return slice_is(type->value, "application/pkcs7-mime") || slice_is(type->value, "application/x-pkcs7-mime");
}

int layer_open(struct as2_receiver *r, struct slice content_type, struct slice encoding, struct slice disposition,
	       struct slice headers)
{
	struct mime_value type;
	if (r->nlayers >= r->c.policy.depth_max)
		return receiver_malformed(r, VAN_ELIMIT, "it is wrapped too many times");
	struct layer *l = &r->layers[r->nlayers];
	*l = (struct layer){.r = r, .depth = r->nlayers++};
	int rc = mime_value_parse(content_type, r->arena, &type);
	if (rc)
		return receiver_malformed(r, rc, "its Content-Type has too many parameters");
	enum mime_encoding e = mime_encoding_parse(encoding);
	l->kind = is_cms(&type) ? LAYER_CMS : slice_is(type.value, "multipart/signed") ? LAYER_SIGNED : LAYER_DOCUMENT;
	if (e == MIME_ENCODING_UNKNOWN && l->kind != LAYER_DOCUMENT)
		e = MIME_BINARY;
	if (e == MIME_ENCODING_UNKNOWN)
		return receiver_malformed(r, VAN_ESYNTAX, "its Content-Transfer-Encoding is unknown");
	mime_decoder_init(&l->decoder, e, (struct byte_sink){l->kind == LAYER_CMS ? cms_bytes : document_bytes, l});
	if (l->kind == LAYER_CMS)
		return open_cms(l);
	return l->kind == LAYER_SIGNED ? open_signed(l, &type) : open_document(l, &type, disposition, headers);
}

int layer_feed(struct layer *l, const void *p, size_t n)
{
	int rc;
	switch (l->kind) {
	case LAYER_CMS: rc = sniffing_feed(&l->decoder, &l->sniffed, p, n); break;
	case LAYER_SIGNED: rc = mime_multipart_feed(&l->parts, p, n); break;
	default:
		rc = l->tapped ? receiver_mic(l->r, p, n) : 0;
		if (!rc)
			rc = mime_decoder_feed(&l->decoder, p, n);
	}
	return rc ? receiver_malformed(l->r, rc, "its content does not follow its transfer encoding or MIME structure") : 0;
}

int layer_finish(struct layer *l)
{
	int rc = 0;
	if (l->kind == LAYER_SIGNED)
		return finish_signed(l);
	rc = mime_decoder_finish(&l->decoder);
	if (rc)
		return receiver_malformed(l->r, rc, "its content does not follow its transfer encoding");
	return l->kind == LAYER_CMS ? finish_cms(l) : 0;
}

void layer_free(struct layer *l)
{
	cms_reader_free(l->cms);
	mime_entity_free(l->inner);
	mime_entity_free(l->signature_part);
}
