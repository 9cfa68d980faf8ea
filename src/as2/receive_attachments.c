/* Several documents in one message (RFC 6362): multipart/related as the innermost layer. The first part, and every other that is
 * EDI, makes up the payload, one behind the other, as one file of several interchanges does; the others are attachments. */
#include "as2/receiver.h"

#include <stdio.h>

static bool is_edi(struct slice type)
{
	return slice_is(type, "application/edi-x12") || slice_is(type, "application/edifact") || slice_is(type, "application/edi-consent");
}

static int failed(struct as2_receiver *r, int rc)
{
	return rc ? receiver_malformed(r, rc, "one of its attachments does not follow its MIME structure") : 0;
}

static void copy_text(char *to, size_t size, struct slice s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n && n + 1 < size; i++)
		if (s.p[i] > ' ' && s.p[i] <= '~')
			to[n++] = s.p[i];
	to[n] = 0;
}

static int part_bytes(void *arg, const void *p, size_t n)
{
	struct as2_receiver *r = arg;
	struct related *a = r->related;
	if (!a->current)
		return layer_document_bytes(a->layer, p, n);
	a->current->bytes += n;
	r->out.payload_size += n; /* counts against the limit like the rest */
	if (r->c.policy.payload_max && r->out.payload_size > r->c.policy.payload_max)
		return receiver_refuse(r, AS2_UNEXPECTED_ERROR, "The message is larger than the %llu bytes that we take. Split it.",
				       (unsigned long long)r->c.policy.payload_max);
	int rc = digest_set_update(&a->digest, p, n);
	if (!rc)
		rc = r->c.attachment(r->c.arg, p, n);
	if (rc && !r->fatal)
		r->fatal = rc;
	return rc;
}

/* A further attachment begins. */
static int begin_attachment(struct as2_receiver *r, const struct mime_value *type, struct slice disposition)
{
	struct related *a = r->related;
	struct mime_value d;
	if (r->out.nattachments == AS2_ATTACHMENTS_MAX)
		return receiver_refuse(r, AS2_UNEXPECTED_ERROR, "The message has more than %d attachments. Send them in several messages.",
				       AS2_ATTACHMENTS_MAX);
	a->current = &r->out.attachments[r->out.nattachments++];
	struct slice name = mime_value_parse(disposition, r->arena, &d) == 0 ? mime_value_param(&d, "filename") : SLICE_NONE;
	if (!name.n)
		name = mime_value_param(type, "name");
	mime_safe_file_name(a->current->file_name, sizeof a->current->file_name, name);
	r->file_name_changed = r->file_name_changed || mime_file_name_changed(a->current->file_name, name);
	copy_text(a->current->content_type, sizeof a->current->content_type, type->value);
	int rc = digest_set_begin(&a->digest, ALG_BIT(DIGEST_SHA256));
	if (rc)
		r->fatal = rc;
	return rc;
}

static int part_headers(void *arg, const struct mime_headers *h, struct slice block)
{
	struct as2_receiver *r = arg;
	struct related *a = r->related;
	struct mime_value type;
	(void)block;
	enum mime_encoding e = mime_encoding_parse(mime_header_get(h, "Content-Transfer-Encoding"));
	int rc = mime_value_parse(mime_header_get(h, "Content-Type"), r->arena, &type);
	if (rc || e == MIME_ENCODING_UNKNOWN)
		return failed(r, rc ? rc : VAN_ESYNTAX);
	mime_decoder_init(&a->decoder, e, (struct byte_sink){part_bytes, r});
	a->current = NULL;
	if (a->root)
		return is_edi(type.value) ? 0 : begin_attachment(r, &type, mime_header_get(h, "Content-Disposition"));
	a->root = true;
	layer_document_names(r, &type, mime_header_get(h, "Content-Disposition"));
	return 0;
}

static int part_body(void *arg, const void *p, size_t n)
{
	struct as2_receiver *r = arg;
	return failed(r, mime_decoder_feed(&r->related->decoder, p, n));
}

static int on_begin(void *arg, unsigned part)
{
	struct as2_receiver *r = arg;
	struct mime_entity_events ev = {r, part_headers, part_body};
	(void)part;
	mime_entity_free(r->related->entity);
	r->related->entity = mime_entity_new(&ev, 0);
	return r->related->entity ? 0 : (r->fatal = VAN_ENOMEM);
}

static int on_bytes(void *arg, unsigned part, const void *p, size_t n)
{
	struct as2_receiver *r = arg;
	(void)part;
	return failed(r, mime_entity_feed(r->related->entity, p, n));
}

static int on_end(void *arg, unsigned part)
{
	struct as2_receiver *r = arg;
	struct related *a = r->related;
	(void)part;
	int rc = mime_entity_finish(a->entity);
	if (!rc)
		rc = mime_decoder_finish(&a->decoder);
	if (!rc && a->current)
		rc = digest_set_end(&a->digest, DIGEST_SHA256, a->hash);
	if (!rc && a->current)
		memcpy(a->current->sha256, a->hash, sizeof a->current->sha256);
	return failed(r, rc);
}

int related_open(struct layer *l, const struct mime_value *type)
{
	struct as2_receiver *r = l->r;
	struct mime_multipart_events ev = {r, on_begin, on_bytes, on_end};
	r->related = van_arena_alloc(r->arena, sizeof *r->related);
	if (!r->related)
		return r->fatal = VAN_ENOMEM;
	*r->related = (struct related){.layer = l};
	int rc = mime_multipart_init(&r->related->parts, mime_value_param(type, "boundary"), 2 * AS2_ATTACHMENTS_MAX, &ev);
	return rc ? receiver_malformed(r, rc, "its MIME boundary is too long") : 0;
}

int related_bytes(void *layer, const void *p, size_t n)
{
	struct as2_receiver *r = ((struct layer *)layer)->r;
	return failed(r, mime_multipart_feed(&r->related->parts, p, n));
}

int related_finish(struct as2_receiver *r)
{
	int rc = mime_multipart_finish(&r->related->parts);
	return failed(r, rc || r->related->root ? rc : VAN_ESYNTAX);
}

void related_free(struct related *a)
{
	if (!a)
		return;
	mime_entity_free(a->entity);
	digest_set_free(&a->digest);
}
