/* The innermost layer: the document, and what the agreement asks of the layers around it. */
#include "as2/receiver.h"

int layer_document_bytes(void *arg, const void *p, size_t n)
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

static bool is_mdn(const struct mime_value *type)
{
	return slice_is(type->value, "message/disposition-notification") ||
	       (slice_is(type->value, "multipart/report") &&
		slice_case_is(mime_value_param(type, "report-type"), "disposition-notification"));
}

void layer_document_names(struct as2_receiver *r, const struct mime_value *type, struct slice disposition)
{
	struct mime_value d;
	struct slice name = SLICE_NONE;
	if (mime_value_parse(disposition, r->arena, &d) == 0)
		name = mime_value_param(&d, "filename");
	if (!name.n)
		name = mime_value_param(type, "name");
	mime_safe_file_name(r->out.file_name, sizeof r->out.file_name, name);
	r->file_name_changed = mime_file_name_changed(r->out.file_name, name);
	size_t n = 0;
	for (size_t i = 0; i < type->value.n && n + 1 < sizeof r->out.content_type; i++)
		if (type->value.p[i] > ' ' && type->value.p[i] <= '~')
			r->out.content_type[n++] = type->value.p[i];
	r->out.content_type[n] = 0;
}

/* Where the MIC's input begins (RFC 4130 section 7.3.1): signed: the signed entity, which is tapped where it is taken
 * apart. Else encrypted or compressed: the innermost entity with its headers. Else the body without headers. */
int layer_open_document(struct layer *l, const struct mime_value *type, struct slice disposition, struct slice headers)
{
	struct as2_receiver *r = l->r;
	r->out.is_mdn = is_mdn(type);
	int rc = r->out.is_mdn ? receiver_refuse(r, AS2_UNEXPECTED_ERROR, "This is a disposition notification, and no document.")
			       : check_security(r);
	if (rc)
		return rc;
	layer_document_names(r, type, disposition);
	r->document = true;
	bool several = r->c.attachment && slice_is(type->value, "multipart/related");
	if (several && (rc = related_open(l, type)) != 0)
		return rc;
	if (several)
		l->decoder.to = (struct byte_sink){related_bytes, l};
	bool direct = l->depth == 0 || !r->out.was_signed || r->layers[l->depth - 1].kind == LAYER_SIGNED ||
		      (r->opaque && cms_reader_type(r->layers[l->depth - 1].cms) == CMS_TYPE_SIGNED);
	if (direct && !several && l->decoder.encoding == MIME_BINARY) {
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
