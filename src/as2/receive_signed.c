/* The layer multipart/signed. */
#include "as2/receiver.h"

int receiver_begin_signed(struct as2_receiver *r, uint32_t mask)
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
	return layer_sniffing_feed(&l->signature_decoder, &l->signature_sniffed, p, n);
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
		return rc ? rc : layer_feed_inner(l, p, n);
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
		return layer_finish_inner(l);
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

int layer_open_signed(struct layer *l, const struct mime_value *type)
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
	int rc = receiver_begin_signed(r, micalg_mask(mime_value_param(type, "micalg")));
	return rc ? rc : layer_open_inner(l);
}

/* Something behind the closing boundary is where one would put blocks to try a decryptor's padding with: then it is no
 * proper content, nor is what ends without that boundary. What was not encrypted may do without it: the signature tells whether
 * all is there. */
int layer_finish_signed(struct layer *l)
{
	int rc = mime_multipart_finish(&l->parts);
	if (rc && l->parts.part >= 1 && !l->r->out.was_encrypted)
		rc = l->parts.part == 1 ? part_end(l, 1) : 0;
	if (rc || l->parts.part < 1)
		return receiver_malformed(l->r, VAN_ESYNTAX, "its signed parts do not end");
	if (l->parts.epilogue && l->r->out.was_encrypted)
		return receiver_refuse_decryption(l->r);
	return 0;
}
