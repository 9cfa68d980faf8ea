#include "cms/signed.h"

#include "cms/ber.h"
#include "cms/oid.h"

#include <stdio.h>

static int damaged(struct van_error *err)
{
	return van_error_set(err, VAN_ESYNTAX, "the signature is no CMS SignedData: it was damaged on the way, or the sender's "
					       "software wrote something else");
}

static void find_signing_time(struct slice value, struct cms_signer_info *s)
{
	struct ber b = ber_over(value);
	struct ber_element e;
	char text[32];
	if (!ber_next(&b, &e) || e.content.n < 11 || e.content.n > 20)
		return;
	const char *p = e.content.p;
	if (e.tag == BER_UTC_TIME && e.content.n >= 13)
		snprintf(text, sizeof text, "%s%.2s-%.2s-%.2sT%.2s:%.2s:%.2sZ", p[0] < '5' ? "20" : "19", p, p + 2, p + 4, p + 6,
			 p + 8, p + 10);
	else if (e.tag == BER_GENERAL_TIME && e.content.n >= 15)
		snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", p, p + 4, p + 6, p + 8, p + 10, p + 12);
	else
		return;
	van_time_parse(slice_str(text), &s->signing_time);
}

/* What was signed is the DER of a SET OF; in the message it stands under [0] (RFC 5652 section 5.4). */
static int parse_attributes(struct ber_element *e, struct van_arena *arena, struct cms_signer_info *s)
{
	struct van_buf der = VAN_BUF_INIT(0);
	der_put(&der, BER_SET, e->content);
	s->signed_attrs = der.error ? SLICE_NONE : van_arena_slice(arena, van_buf_slice(&der));
	van_buf_free(&der);
	if (!s->signed_attrs.p)
		return VAN_ENOMEM;
	struct ber b = ber_over(e->content);
	while (ber_more(&b)) {
		struct ber attr = ber_over(ber_expect(&b, BER_SEQUENCE));
		struct slice oid = ber_expect(&attr, BER_OID), values = ber_expect(&attr, BER_SET);
		struct ber v = ber_over(values);
		if (!ber_ok(&b) || !ber_ok(&attr))
			return VAN_ESYNTAX;
		if (slice_eq(oid, OID_ATTR_MESSAGE_DIGEST))
			s->message_digest = ber_octets(&v, BER_OCTETS, arena);
		else if (slice_eq(oid, OID_ATTR_CONTENT_TYPE))
			s->content_type = ber_expect(&v, BER_OID);
		else if (slice_eq(oid, OID_ATTR_SIGNING_TIME))
			find_signing_time(values, s);
		if (!ber_ok(&v))
			return VAN_ESYNTAX;
	}
	return ber_ok(&b) && s->message_digest.p ? 0 : VAN_ESYNTAX;
}

static int parse_signer(struct slice content, struct van_arena *arena, struct cms_signer_info *s)
{
	struct ber b = ber_over(content);
	struct ber_element e;
	struct slice params;
	ber_expect(&b, BER_INTEGER);
	if (ber_peek(&b) == BER_SEQUENCE) {
		struct ber id = ber_over(ber_expect(&b, BER_SEQUENCE));
		if (!ber_next(&id, &e))
			return VAN_ESYNTAX;
		s->issuer = e.whole;
		s->serial = ber_expect(&id, BER_INTEGER);
		if (!ber_ok(&id))
			return VAN_ESYNTAX;
	} else {
		s->subject_key_id = ber_octets(&b, BER_CONTEXT + 0, arena);
	}
	s->digest = oid_digest(ber_algorithm(&b, &params));
	if (ber_peek(&b) == BER_CONTEXT_CONSTRUCTED + 0) {
		int rc = ber_next(&b, &e) ? parse_attributes(&e, arena, s) : VAN_ESYNTAX;
		if (rc)
			return rc;
	}
	if (!ber_next(&b, &e) || e.tag != BER_SEQUENCE)
		return VAN_ESYNTAX;
	s->signature_alg = e.whole;
	s->signature = ber_octets(&b, BER_OCTETS, arena);
	return ber_ok(&b) ? 0 : VAN_ESYNTAX;
}

/* certificates [0], crls [1], signerInfos SET */
static int parse_tail(struct ber *b, struct van_arena *arena, struct cms_signed *ret, struct van_error *err)
{
	if (ber_peek(b) == BER_CONTEXT_CONSTRUCTED + 0)
		ber_skip_if(b, BER_CONTEXT_CONSTRUCTED + 0);
	if (ber_peek(b) == BER_CONTEXT_CONSTRUCTED + 1)
		ber_skip_if(b, BER_CONTEXT_CONSTRUCTED + 1);
	struct slice set = ber_expect(b, BER_SET);
	if (!ber_ok(b))
		return damaged(err);
	for (struct ber in = ber_over(set); ber_more(&in);) {
		struct slice signer = ber_expect(&in, BER_SEQUENCE);
		if (ret->nsigners == SIGNERS_MAX)
			return van_error_set(err, VAN_ELIMIT, "more than %d signers", SIGNERS_MAX);
		int rc = ber_ok(&in) ? parse_signer(signer, arena, &ret->signers[ret->nsigners++]) : VAN_ESYNTAX;
		if (rc == VAN_ENOMEM)
			return van_error_set(err, VAN_ENOMEM, "no memory for a signature");
		if (rc)
			return damaged(err);
	}
	return ret->nsigners ? 0 : van_error_set(err, VAN_ESYNTAX, "the SignedData has no signer");
}

int cms_signed_parse(struct slice bytes, struct van_arena *arena, struct cms_signed *ret, struct van_error *err)
{
	struct ber b = ber_over(bytes);
	memset(ret, 0, sizeof *ret);
	ber_enter(&b, BER_SEQUENCE);
	struct slice oid = ber_expect(&b, BER_OID);
	if (!ber_ok(&b) || !slice_eq(oid, OID_SIGNED_DATA))
		return damaged(err);
	ber_enter(&b, BER_CONTEXT_CONSTRUCTED + 0);
	ber_enter(&b, BER_SEQUENCE);
	ber_expect(&b, BER_INTEGER);
	ber_expect(&b, BER_SET);
	struct ber encap = ber_over(ber_expect(&b, BER_SEQUENCE));
	ber_expect(&encap, BER_OID);
	ret->has_content = ber_peek(&encap) == BER_CONTEXT_CONSTRUCTED + 0;
	if (!ber_ok(&b) || !ber_ok(&encap))
		return damaged(err);
	return parse_tail(&b, arena, ret, err);
}

int cms_signed_parse_trailer(struct slice bytes, struct van_arena *arena, struct cms_signed *ret, struct van_error *err)
{
	struct ber b = ber_over(bytes);
	memset(ret, 0, sizeof *ret);
	ret->has_content = true;
	while (b.end - b.p >= 2 && b.p[0] == 0 && b.p[1] == 0)
		b.p += 2; /* ends of the content's indefinite lengths */
	int rc = parse_tail(&b, arena, ret, err);
	return !rc && !ber_only_ends(slice_make(b.p, (size_t)(b.end - b.p))) ? damaged(err) : rc;
}
