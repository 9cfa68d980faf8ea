#include "cms/recipient.h"

#include "cms/ber.h"
#include "cms/cert.h"
#include "cms/oid.h"

bool cms_recipient_is(const struct cms_recipient *r, const struct cms_cert *cert)
{
	if (r->subject_key_id.p)
		return cert->subject_key_id.p && slice_eq(r->subject_key_id, cert->subject_key_id);
	return r->issuer.p && slice_eq(r->issuer, cert->issuer) && slice_eq(r->serial, cert->serial);
}

struct list {
	struct cms_recipient *v;
	size_t n, max;
	struct van_arena *arena;
};

static int add(struct list *l, struct cms_recipient r)
{
	if (l->n == l->max)
		return VAN_ELIMIT;
	r.index = (unsigned)l->n;
	l->v[l->n++] = r;
	return 0;
}

static bool parse_issuer_and_serial(struct ber *b, struct cms_recipient *to)
{
	struct ber id = ber_over(ber_expect(b, BER_SEQUENCE));
	struct ber_element name;
	if (!ber_next(&id, &name))
		return false;
	to->issuer = name.whole;
	to->serial = ber_expect(&id, BER_INTEGER);
	return ber_ok(&id);
}

/* KeyTransRecipientInfo (RFC 5652 section 6.2.1). */
static int parse_transport(struct list *l, struct slice content)
{
	struct ber b = ber_over(content);
	struct cms_recipient r = {.wrap = WRAP_NONE};
	ber_expect(&b, BER_INTEGER);
	if (ber_peek(&b) == BER_SEQUENCE) {
		if (!parse_issuer_and_serial(&b, &r))
			return VAN_ESYNTAX;
	} else {
		r.subject_key_id = ber_octets(&b, BER_CONTEXT + 0, l->arena);
	}
	struct slice oid = ber_algorithm(&b, &r.wrap_params);
	r.wrap = slice_eq(oid, OID_RSA) ? WRAP_RSA_PKCS1 : slice_eq(oid, OID_RSA_OAEP) ? WRAP_RSA_OAEP : WRAP_NONE;
	r.encrypted_key = ber_octets(&b, BER_OCTETS, l->arena);
	return ber_ok(&b) ? add(l, r) : VAN_ESYNTAX;
}

/* OriginatorPublicKey: the point of an ephemeral key. Absent for an originator named by a certificate, which AS2 has none of. */
static struct slice parse_originator(struct slice content)
{
	struct ber b = ber_over(content), key = ber_over(ber_expect(&b, BER_CONTEXT_CONSTRUCTED + 1));
	struct slice params;
	if (!ber_ok(&b))
		return SLICE_NONE;
	ber_algorithm(&key, &params);
	struct slice bits = ber_expect(&key, BER_BITS);
	return ber_ok(&key) && bits.n > 1 && bits.p[0] == 0 ? slice_make(bits.p + 1, bits.n - 1) : SLICE_NONE;
}

/* What the key holder needs besides the wrapped key, see unwrap_ecdh.h. */
static struct slice agreement_params(struct slice algorithm, struct slice point, struct slice ukm, struct van_arena *arena)
{
	struct van_buf in = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	van_buf_append_slice(&in, algorithm);
	der_put(&in, BER_OCTETS, point);
	if (ukm.p)
		der_put(&in, BER_OCTETS, ukm);
	int rc = der_put(&out, BER_SEQUENCE, van_buf_slice(&in));
	struct slice s = in.error || rc ? SLICE_NONE : van_arena_slice(arena, van_buf_slice(&out));
	van_buf_free(&in);
	van_buf_free(&out);
	return s;
}

/* RecipientEncryptedKey: KeyAgreeRecipientIdentifier, OCTET STRING. */
static int parse_agreed_key(struct list *l, struct slice content, struct cms_recipient r)
{
	struct ber b = ber_over(content);
	if (ber_peek(&b) == BER_SEQUENCE) {
		if (!parse_issuer_and_serial(&b, &r))
			return VAN_ESYNTAX;
	} else {
		struct ber id = ber_over(ber_expect(&b, BER_CONTEXT_CONSTRUCTED + 0));
		r.subject_key_id = ber_octets(&id, BER_OCTETS, l->arena);
		if (!ber_ok(&id))
			return VAN_ESYNTAX;
	}
	r.encrypted_key = ber_octets(&b, BER_OCTETS, l->arena);
	return ber_ok(&b) ? add(l, r) : VAN_ESYNTAX;
}

/* KeyAgreeRecipientInfo (RFC 5652 section 6.2.2, RFC 5753 section 3.1.1). */
static int parse_agreement(struct list *l, struct slice content)
{
	struct ber b = ber_over(content);
	struct ber_element algorithm;
	struct slice ukm = SLICE_NONE;
	ber_expect(&b, BER_INTEGER);
	struct slice point = parse_originator(ber_expect(&b, BER_CONTEXT_CONSTRUCTED + 0));
	if (ber_peek(&b) == BER_CONTEXT_CONSTRUCTED + 1) {
		struct ber in = ber_over(ber_expect(&b, BER_CONTEXT_CONSTRUCTED + 1));
		ukm = ber_octets(&in, BER_OCTETS, l->arena);
		if (!ber_ok(&in))
			return VAN_ESYNTAX;
	}
	if (!ber_next(&b, &algorithm))
		return VAN_ESYNTAX;
	struct ber keys = ber_over(ber_expect(&b, BER_SEQUENCE));
	if (!ber_ok(&b))
		return VAN_ESYNTAX;
	struct cms_recipient r = {.wrap = point.p ? WRAP_ECDH : WRAP_NONE};
	if (point.p && !(r.wrap_params = agreement_params(algorithm.whole, point, ukm, l->arena)).p)
		return VAN_ENOMEM;
	int rc = 0;
	while (ber_more(&keys) && !rc) {
		struct slice one = ber_expect(&keys, BER_SEQUENCE);
		rc = ber_ok(&keys) ? parse_agreed_key(l, one, r) : VAN_ESYNTAX;
	}
	return rc || ber_ok(&keys) ? rc : VAN_ESYNTAX;
}

int recipients_parse(struct slice set, size_t max, struct van_arena *arena, struct cms_recipient **ret, size_t *ret_n)
{
	struct ber b = ber_over(set);
	struct list l = {.v = van_arena_array(arena, max, sizeof *l.v), .max = max, .arena = arena};
	int rc = l.v ? 0 : VAN_ENOMEM;
	for (size_t i = 0; ber_more(&b) && !rc; i++) {
		struct ber_element e;
		if (i >= max)
			return VAN_ELIMIT;
		if (!ber_next(&b, &e))
			return VAN_ESYNTAX;
		if (e.tag == BER_SEQUENCE)
			rc = parse_transport(&l, e.content);
		else if (e.tag == BER_CONTEXT_CONSTRUCTED + 1)
			rc = parse_agreement(&l, e.content);
	}
	*ret = l.v;
	*ret_n = l.n;
	return rc;
}
