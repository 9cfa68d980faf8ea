/* The layers of a message: how each is opened by its headers, fed, and finished. */
#include "as2/receiver.h"

static struct layer *next(struct layer *l)
{
	return l->depth + 1 < l->r->nlayers ? &l->r->layers[l->depth + 1] : NULL;
}

static int inner_headers(void *arg, const struct mime_headers *h, struct slice block)
{
	struct layer *l = arg;
	struct as2_receiver *r = l->r;
	/* what a wrong key makes of a message has no headers; a signed part may go without (RFC 2045 section 5.2) */
	if (r->out.was_encrypted && !r->out.was_signed && h->n == 0)
		return receiver_refuse_decryption(r);
	return layer_open(r, mime_header_get(h, "Content-Type"), mime_header_get(h, "Content-Transfer-Encoding"),
			  mime_header_get(h, "Content-Disposition"), block);
}

static int inner_body(void *arg, const void *p, size_t n)
{
	struct layer *in = next(arg);
	return in ? layer_feed(in, p, n) : VAN_EINTERNAL;
}

int layer_open_inner(struct layer *l)
{
	struct mime_entity_events ev = {l, inner_headers, inner_body};
	l->inner = mime_entity_new(&ev, 0);
	if (!l->inner)
		l->r->fatal = VAN_ENOMEM;
	return l->inner ? 0 : VAN_ENOMEM;
}

int layer_feed_inner(struct layer *l, const void *p, size_t n)
{
	int rc = mime_entity_feed(l->inner, p, n);
	return rc ? receiver_malformed(l->r, rc, "a MIME header inside is broken") : 0;
}

int layer_finish_inner(struct layer *l)
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
int layer_sniffing_feed(struct mime_decoder *d, bool *sniffed, const char *p, size_t n)
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
	mime_decoder_init(&l->decoder, e, (struct byte_sink){l->kind == LAYER_CMS ? layer_cms_bytes : layer_document_bytes, l});
	if (l->kind == LAYER_CMS)
		return layer_open_cms(l);
	return l->kind == LAYER_SIGNED ? layer_open_signed(l, &type) : layer_open_document(l, &type, disposition, headers);
}

int layer_feed(struct layer *l, const void *p, size_t n)
{
	int rc;
	switch (l->kind) {
	case LAYER_CMS: rc = layer_sniffing_feed(&l->decoder, &l->sniffed, p, n); break;
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
		return layer_finish_signed(l);
	rc = mime_decoder_finish(&l->decoder);
	if (rc)
		return receiver_malformed(l->r, rc, "its content does not follow its transfer encoding");
	if (l->kind == LAYER_DOCUMENT && l->r->related)
		return related_finish(l->r);
	return l->kind == LAYER_CMS ? layer_finish_cms(l) : 0;
}

void layer_free(struct layer *l)
{
	cms_reader_free(l->cms);
	mime_entity_free(l->inner);
	mime_entity_free(l->signature_part);
}
