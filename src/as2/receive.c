#include "as2/receiver.h"

#include "base/codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void fill_defaults(struct as2_policy *p)
{
	p->digests = p->digests ? p->digests : DIGESTS_SHA2;
	p->ciphers = p->ciphers ? p->ciphers : CIPHERS_AES;
	p->expansion_max = p->expansion_max ? p->expansion_max : 200;
	p->depth_max = p->depth_max && p->depth_max < LAYERS_MAX ? p->depth_max : LAYERS_MAX;
	p->signature_max = p->signature_max ? p->signature_max : 262144;
}

int as2_receiver_new(const struct as2_receiver_config *config, struct as2_receiver **ret, struct van_error *err)
{
	if (!config->request || !config->payload || (config->entity_read && !config->entity))
		return van_error_set(err, VAN_EINVAL, "a receiver needs a request and a payload sink");
	struct as2_receiver *r = calloc(1, sizeof *r);
	if (r)
		r->arena = van_arena_new((size_t)4 << 20);
	if (!r || !r->arena) {
		free(r);
		return van_error_set(err, VAN_ENOMEM, "no memory for a message");
	}
	r->c = *config;
	fill_defaults(&r->c.policy);
	r->signature = VAN_BUF_INIT(r->c.policy.signature_max);
	r->out.payload_offset = AS2_NO_OFFSET;
	const struct as2_request *q = config->request;
	if (r->c.policy.payload_sha256 && digest_set_begin(&r->payload_digest, ALG_BIT(DIGEST_SHA256)) != 0)
		r->fatal = VAN_ENOMEM;
	else
		layer_open(r, q->content_type, q->content_encoding, q->content_disposition, SLICE(""));
	*ret = r;
	return 0;
}

void as2_receiver_free(struct as2_receiver *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->nlayers; i++)
		layer_free(&r->layers[i]);
	related_free(r->related);
	digest_set_free(&r->mic);
	digest_set_free(&r->payload_digest);
	van_buf_free(&r->signature);
	van_arena_free(r->arena);
	free(r);
}

int receiver_refuse(struct as2_receiver *r, enum as2_disposition d, const char *fmt, ...)
{
	va_list ap;
	if (r->failed || r->fatal)
		return VAN_ESTATE;
	va_start(ap, fmt);
	vsnprintf(r->out.text, sizeof r->out.text, fmt, ap);
	va_end(ap);
	r->out.disposition = d;
	r->failed = true;
	return VAN_ESTATE;
}

int receiver_refuse_decryption(struct as2_receiver *r)
{
	char serials[160] = "";
	size_t at = 0;
	for (size_t i = 0; i < r->c.ndecrypt_certs && at < sizeof serials - 1; i++)
		at += (size_t)snprintf(serials + at, sizeof serials - at, "%s%s", i ? ", " : "", r->c.decrypt_certs[i]->facts.serial);
	return receiver_refuse(r, AS2_DECRYPTION_FAILED,
			       "The message could not be decrypted. Encrypt it for our current certificate (serial number %s) "
			       "and send it again; if that does not help, exchange certificates anew.", serials[0] ? serials : "unknown");
}

int receiver_malformed(struct as2_receiver *r, int rc, const char *what)
{
	if (r->failed || r->fatal)
		return rc;
	if (rc == VAN_ENOMEM) {
		r->fatal = rc;
		return rc;
	}
	if (r->out.was_encrypted)
		return receiver_refuse_decryption(r);
	return receiver_refuse(r, AS2_UNEXPECTED_ERROR, "The message is damaged or cut off: %s. Send it again.", what);
}

int receiver_mic(struct as2_receiver *r, const void *p, size_t n)
{
	r->out.entity_size += n;
	int rc = digest_set_update(&r->mic, p, n);
	if (!rc && r->c.entity)
		rc = r->c.entity(r->c.arg, p, n);
	if (rc && !r->fatal)
		r->fatal = rc;
	return rc;
}

int as2_receiver_feed(struct as2_receiver *r, const void *p, size_t n)
{
	if (!r->fatal && !r->failed && n)
		layer_feed(&r->layers[0], p, n); /* its result is in `failed` or `fatal` */
	return r->fatal;
}

/* What a document that came through says of itself, for people. */
static void success_text(struct as2_receiver *r)
{
	snprintf(r->out.text, sizeof r->out.text,
		 "The message was received%s%s and stored. This says nothing about whether its content is correct or was accepted.",
		 r->out.was_encrypted ? ", decrypted" : "", r->out.was_signed ? ", its signature verified" : "");
}

int as2_receiver_finish(struct as2_receiver *r, struct as2_received *ret, struct van_error *err)
{
	r->finishing = true;
	if (!r->fatal && !r->failed)
		layer_finish(&r->layers[0]);
	if (!r->fatal && !r->failed && !r->document)
		receiver_malformed(r, VAN_ESYNTAX, "it has no content");
	if (!r->fatal && !r->failed)
		receiver_settle(r);
	if (r->fatal)
		return van_error_set(err, r->fatal, "the message could not be taken in: %s", van_err_name(r->fatal));
	if (!r->failed)
		success_text(r);
	*ret = r->out;
	return 0;
}

void as2_received_unknown(const struct as2_request *q, struct as2_received *ret)
{
	*ret = (struct as2_received){.disposition = AS2_UNKNOWN_RELATIONSHIP, .payload_offset = AS2_NO_OFFSET};
	if (slice_eq(q->from, q->to)) { /* most likely a mistake in the sender's set-up */
		ret->disposition = AS2_SENDER_EQUALS_RECEIVER;
		snprintf(ret->text, sizeof ret->text, "AS2-From and AS2-To are the same name, \"%.*s\": put yours into AS2-From and ours into AS2-To.",
			 SLICE_ARG(q->from));
		return;
	}
	snprintf(ret->text, sizeof ret->text,
		 "No partner with AS2-From \"%.*s\" and AS2-To \"%.*s\" is known here. Check both names, which are case-sensitive, "
		 "or ask us to set the connection up.", SLICE_ARG(q->from), SLICE_ARG(q->to));
}

void as2_received_bad_message_id(struct as2_received *ret)
{
	*ret = (struct as2_received){.disposition = AS2_INVALID_MESSAGE_ID, .payload_offset = AS2_NO_OFFSET};
	snprintf(ret->text, sizeof ret->text, "The Message-ID is not of the form <left@right> without blanks, which our agreement asks for. "
					      "Send the document under a proper one.");
}
