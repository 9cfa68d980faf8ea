#include "cms/certs_only.h"

#include "base/codec.h"
#include "cms/ber.h"
#include "cms/oid.h"

#define BYTES_MAX ((size_t)1 << 20)

int cms_certs_only_write(struct van_buf *to, const struct slice *certs, size_t n)
{
	struct van_buf list = VAN_BUF_INIT(BYTES_MAX), encap = VAN_BUF_INIT(0), body = VAN_BUF_INIT(BYTES_MAX), info = VAN_BUF_INIT(BYTES_MAX),
		       outer = VAN_BUF_INIT(BYTES_MAX);
	for (size_t i = 0; i < n; i++)
		van_buf_append_slice(&list, certs[i]);
	der_put(&encap, BER_OID, OID_DATA);
	van_buf_append(&body, "\x02\x01\x01\x31\x00", 5); /* version 1, no digest algorithms */
	der_put(&body, BER_SEQUENCE, van_buf_slice(&encap));
	der_put(&body, BER_CONTEXT_CONSTRUCTED + 0, van_buf_slice(&list));
	van_buf_append(&body, "\x31\x00", 2); /* no signers */
	der_put(&info, BER_SEQUENCE, van_buf_slice(&body));
	der_put(&outer, BER_OID, OID_SIGNED_DATA);
	der_put(&outer, BER_CONTEXT_CONSTRUCTED + 0, van_buf_slice(&info));
	int rc = list.error ? list.error : encap.error ? encap.error : body.error ? body.error : info.error ? info.error : outer.error;
	if (rc == 0)
		rc = der_put(to, BER_SEQUENCE, van_buf_slice(&outer));
	van_buf_free(&list);
	van_buf_free(&encap);
	van_buf_free(&body);
	van_buf_free(&info);
	van_buf_free(&outer);
	return rc;
}

/* Base64 with or without PEM's lines around it. */
static int undo_text(struct slice text, struct van_arena *arena, struct slice *ret)
{
	struct van_buf out = VAN_BUF_INIT(BYTES_MAX);
	const char *at = memmem(text.p, text.n, "-----BEGIN", 10);
	if (at) {
		struct slice rest = slice_make(at, (size_t)(text.p + text.n - at));
		slice_cut(&rest, '\n');
		const char *end = rest.p ? memmem(rest.p, rest.n, "-----END", 8) : NULL;
		text = end ? slice_make(rest.p, (size_t)(end - rest.p)) : SLICE("");
	}
	int rc = base64_decode(&out, slice_trim(text));
	*ret = rc == 0 ? van_arena_slice(arena, van_buf_slice(&out)) : SLICE_NONE;
	van_buf_free(&out);
	return rc < 0 ? VAN_ESYNTAX : ret->p ? 0 : VAN_ENOMEM;
}

int cms_certs_only_read(struct slice bytes, struct van_arena *arena, struct slice ret[CERTS_ONLY_MAX], size_t *ret_n)
{
	struct ber_element one;
	size_t n = 0;
	if (!bytes.n || bytes.n > BYTES_MAX)
		return VAN_ESYNTAX;
	int rc = bytes.p[0] == '0' ? 0 : undo_text(bytes, arena, &bytes);
	if (rc < 0)
		return rc;
	struct ber outer = ber_over(bytes), info = ber_over(ber_expect(&outer, BER_SEQUENCE));
	if (!slice_eq(ber_expect(&info, BER_OID), OID_SIGNED_DATA))
		return VAN_ESYNTAX;
	struct ber tagged = ber_over(ber_expect(&info, BER_CONTEXT_CONSTRUCTED + 0)), body = ber_over(ber_expect(&tagged, BER_SEQUENCE));
	ber_expect(&body, BER_INTEGER);
	ber_expect(&body, BER_SET);
	ber_expect(&body, BER_SEQUENCE);
	struct ber list = ber_over(ber_expect(&body, BER_CONTEXT_CONSTRUCTED + 0));
	while (ber_ok(&body) && ber_more(&list)) {
		if (!ber_next(&list, &one))
			return VAN_ESYNTAX;
		if (one.tag != BER_SEQUENCE) /* attribute certificates and the like */
			continue;
		if (n == CERTS_ONLY_MAX)
			return VAN_ELIMIT;
		ret[n++] = one.whole;
	}
	*ret_n = n;
	return ber_ok(&body) && ber_ok(&list) && n ? 0 : VAN_ESYNTAX;
}
