#include "as2/mdn_read.h"

#include "base/codec.h"
#include "cms/digest.h"
#include "cms/signed.h"
#include "mime/multipart.h"
#include "mime/transfer.h"

#define PARTS_MAX 8

/* Where the parts of a multipart lie; the whole MDN is in memory. */
struct parts {
	struct van_buf bytes;
	size_t from[PARTS_MAX], end[PARTS_MAX];
	size_t n;
};

static int part_begin(void *arg, unsigned part)
{
	struct parts *p = arg;
	p->from[part] = p->end[part] = p->bytes.n;
	p->n = part + 1;
	return 0;
}

static int part_bytes(void *arg, unsigned part, const void *data, size_t n)
{
	struct parts *p = arg;
	int rc = van_buf_append(&p->bytes, data, n);
	p->end[part] = p->bytes.n;
	return rc;
}

static int split(struct slice body, struct slice boundary, struct parts *ret)
{
	struct mime_multipart m;
	struct mime_multipart_events ev = {ret, part_begin, part_bytes, NULL};
	*ret = (struct parts){.bytes = VAN_BUF_INIT(AS2_MDN_SIZE_MAX)};
	int rc = mime_multipart_init(&m, boundary, PARTS_MAX, &ev);
	if (!rc)
		rc = mime_multipart_feed(&m, body.p, body.n);
	return rc; /* a missing last boundary is forgiven: signature or fields will tell */
}

/* One entity in memory. */
struct entity {
	struct mime_headers headers;
	struct mime_value type;
	struct slice body; /* as transferred */
};

static int parse_entity(struct slice bytes, struct van_arena *arena, struct entity *ret, struct van_error *err)
{
	size_t end = mime_headers_end(bytes);
	*ret = (struct entity){.body = slice_make(bytes.p + end, bytes.n - end)};
	if (end == 0) { /* headers only */
		end = bytes.n;
		ret->body = SLICE("");
	}
	int rc = mime_headers_parse(slice_make(bytes.p, end), arena, &ret->headers, err);
	return rc ? rc : mime_value_parse(mime_header_get(&ret->headers, "Content-Type"), arena, &ret->type);
}

static int to_buf(void *arg, const void *p, size_t n)
{
	return van_buf_append(arg, p, n);
}

/* The body with its transfer encoding undone, in the arena. */
static int decode(const struct entity *e, enum mime_encoding encoding, struct van_arena *arena, struct slice *ret)
{
	struct van_buf out = VAN_BUF_INIT(AS2_MDN_SIZE_MAX);
	struct mime_decoder d;
	mime_decoder_init(&d, encoding, (struct byte_sink){to_buf, &out});
	int rc = mime_decoder_feed(&d, e->body.p, e->body.n);
	if (!rc)
		rc = mime_decoder_finish(&d);
	if (!rc)
		*ret = van_arena_slice(arena, van_buf_slice(&out));
	van_buf_free(&out);
	return rc ? rc : ret->p ? 0 : VAN_ENOMEM;
}

static enum mime_encoding encoding_of(const struct entity *e)
{
	enum mime_encoding said = mime_encoding_parse(mime_header_get(&e->headers, "Content-Transfer-Encoding"));
	return said == MIME_ENCODING_UNKNOWN ? MIME_BINARY : said;
}

/* The one of that size. */
static enum digest_alg digest_by_size(size_t n)
{
	for (int d = DIGEST_MD5; d < DIGEST_COUNT; d++)
		if (digest_size((enum digest_alg)d) == n)
			return (enum digest_alg)d;
	return DIGEST_NONE;
}

/* "base64, algorithm": the blank is optional; the algorithm is sometimes missing, or named in a way of its own, and then its
 * size tells which one it is: the comparison proves it. */
static void parse_mic(struct slice field, struct as2_mdn *m)
{
	size_t end = 0;
	while (end < field.n && field.p[end] != ',' && field.p[end] != ';')
		end++;
	struct slice text = slice_trim(slice_make(field.p, end));
	struct slice name = end < field.n ? slice_trim(slice_make(field.p + end + 1, field.n - end - 1)) : SLICE("");
	struct van_buf out = VAN_BUF_INIT(4096);
	int rc = base64_decode(&out, text);
	m->mic_field = field;
	m->mic_alg = digest_from_name(name);
	if (m->mic_alg == DIGEST_NONE)
		m->mic_alg = digest_by_size(out.n);
	if (rc == 0 && out.n && out.n == digest_size(m->mic_alg)) {
		memcpy(m->mic, out.p, out.n);
		m->mic_size = out.n;
	} else {
		m->mic_alg = DIGEST_NONE;
	}
	van_buf_free(&out);
}

/* "rfc822; name" → name */
static struct slice recipient(struct slice field)
{
	struct slice rest = field;
	slice_cut(&rest, ';');
	return rest.p ? slice_trim(rest) : field;
}

static int parse_notification(const struct entity *e, struct van_arena *arena, struct as2_mdn *m, struct van_error *err)
{
	struct slice text = SLICE_NONE;
	struct mime_headers h;
	int rc = decode(e, encoding_of(e), arena, &text);
	while (text.n && (text.p[0] == '\r' || text.p[0] == '\n'))
		text = slice_make(text.p + 1, text.n - 1);
	if (!rc)
		rc = mime_headers_parse(text, arena, &h, NULL);
	if (rc)
		return van_error_set(err, rc, "the disposition notification in the MDN is broken");
	m->disposition_field = mime_header_get(&h, "Disposition");
	if (!m->disposition_field.p)
		return van_error_set(err, VAN_ESYNTAX, "the MDN has no Disposition");
	m->disposition = as2_disposition_parse(m->disposition_field);
	m->original_message_id = mime_header_get(&h, "Original-Message-ID");
	m->final_recipient = recipient(mime_header_get(&h, "Final-Recipient"));
	m->original_recipient = recipient(mime_header_get(&h, "Original-Recipient"));
	m->reporting_ua = mime_header_get(&h, "Reporting-UA");
	struct slice mic = mime_header_get(&h, "Received-Content-MIC");
	if (mic.n)
		parse_mic(mic, m);
	return 0;
}

static int parse_report(const struct entity *e, struct van_arena *arena, struct as2_mdn *m, struct van_error *err)
{
	struct parts parts;
	int rc = split(e->body, mime_value_param(&e->type, "boundary"), &parts);
	bool found = false;
	for (size_t i = 0; !rc && i < parts.n; i++) {
		struct entity in;
		const char *from = van_buf_slice(&parts.bytes).p + parts.from[i];
		struct slice bytes = van_arena_slice(arena, slice_make(from, parts.end[i] - parts.from[i]));
		rc = bytes.p ? parse_entity(bytes, arena, &in, NULL) : VAN_ENOMEM;
		if (rc)
			break;
		if (slice_is(in.type.value, "message/disposition-notification")) {
			rc = parse_notification(&in, arena, m, err);
			found = true;
			if (rc)
				break;
		} else if (i == 0) {
			rc = decode(&in, encoding_of(&in), arena, &m->text);
		}
	}
	van_buf_free(&parts.bytes);
	if (rc == VAN_ENOMEM)
		return van_error_set(err, rc, "no memory for an MDN");
	if (rc || !found)
		return found ? rc : van_error_set(err, VAN_ESYNTAX, "the answer holds no disposition notification: it is no MDN");
	return 0;
}

static int parse_plain(const struct entity *e, struct van_arena *arena, struct as2_mdn *m, struct van_error *err)
{
	if (slice_is(e->type.value, "message/disposition-notification"))
		return parse_notification(e, arena, m, err);
	if (slice_starts(e->type.value, "multipart/"))
		return parse_report(e, arena, m, err);
	return van_error_set(err, VAN_ESYNTAX, "the answer is of type \"%.*s\": it is no MDN", SLICE_ARG(e->type.value));
}

/* The two parts of a multipart/signed. */
struct signed_parts {
	struct slice content, signature;
};

static int parse_signed(const struct entity *e, struct van_arena *arena, struct signed_parts *ret, struct as2_mdn *m,
			struct van_error *err)
{
	struct parts parts;
	struct entity in, sig;
	int rc = split(e->body, mime_value_param(&e->type, "boundary"), &parts);
	if (!rc && parts.n < 2)
		rc = VAN_ESYNTAX;
	struct slice all = rc ? SLICE_NONE : van_arena_slice(arena, van_buf_slice(&parts.bytes));
	van_buf_free(&parts.bytes);
	if (rc || !all.p)
		return van_error_set(err, rc ? rc : VAN_ENOMEM, "the signed MDN has no two parts: it was damaged on the way");
	ret->content = slice_make(all.p + parts.from[0], parts.end[0] - parts.from[0]);
	rc = parse_entity(ret->content, arena, &in, err);
	if (!rc)
		rc = parse_plain(&in, arena, m, err);
	if (rc)
		return rc;
	ret->signature = SLICE("");
	struct slice second = slice_make(all.p + parts.from[1], parts.end[1] - parts.from[1]);
	if (parse_entity(second, arena, &sig, NULL) != 0)
		return 0;
	struct slice start = slice_trim(sig.body);
	enum mime_encoding enc = start.n && start.p[0] == '0' ? MIME_BINARY : encoding_of(&sig);
	if (decode(&sig, enc, arena, &ret->signature) != 0)
		ret->signature = SLICE("");
	return 0;
}

static int parse(const struct mime_headers *headers, struct slice body, struct van_arena *arena, struct as2_mdn *ret,
		 struct signed_parts *sig, struct van_error *err)
{
	struct entity e = {.headers = *headers, .body = body};
	struct as2_mdn m = {.disposition = AS2_OTHER_ERROR};
	struct slice type = mime_header_get(headers, "Content-Type");
	size_t end = mime_headers_end(body);
	if (body.n > AS2_MDN_SIZE_MAX)
		return van_error_set(err, VAN_ELIMIT, "an MDN of more than %zu bytes", AS2_MDN_SIZE_MAX);
	int rc = mime_value_parse(type, arena, &e.type);
	/* captures and some peers repeat the header block within the body */
	if (!rc && end && body.n > 2 && body.p[0] != '-' && slice_starts(e.type.value, "multipart/")) {
		struct mime_headers again;
		if (mime_headers_parse(slice_make(body.p, end), arena, &again, NULL) == 0 && mime_header_get(&again, "Content-Type").p)
			e.body = slice_make(body.p + end, body.n - end);
	}
	m.was_signed = slice_is(e.type.value, "multipart/signed");
	if (!rc)
		rc = m.was_signed ? parse_signed(&e, arena, sig, &m, err) : parse_plain(&e, arena, &m, err);
	else
		van_error_set(err, rc, "the Content-Type of the MDN has too many parameters");
	if (!rc)
		*ret = m;
	return rc;
}

int as2_mdn_parse(const struct mime_headers *headers, struct slice body, struct van_arena *arena, struct as2_mdn *ret,
		  struct van_error *err)
{
	struct signed_parts sig;
	return parse(headers, body, arena, ret, &sig, err);
}

static void digests_of(struct slice bytes, const struct cms_signed *s, unsigned char md[DIGEST_COUNT][DIGEST_SIZE_MAX],
		      const unsigned char *known[DIGEST_COUNT])
{
	for (size_t i = 0; i < s->nsigners; i++) {
		enum digest_alg d = s->signers[i].digest;
		if (d != DIGEST_NONE && digest_bytes(d, bytes.p, bytes.n, md[d]) == 0)
			known[d] = md[d];
	}
}

int as2_mdn_verify(const struct mime_headers *headers, struct slice body, const struct cms_cert *const *certs,
		   size_t ncerts, struct van_arena *arena, struct as2_mdn *ret, struct van_error *err)
{
	struct signed_parts sig;
	struct cms_signed s;
	unsigned char md[DIGEST_COUNT][DIGEST_SIZE_MAX];
	const unsigned char *known[DIGEST_COUNT] = {NULL};
	const struct cms_signer_info *signer;
	enum digest_alg missing;
	int rc = parse(headers, body, arena, ret, &sig, err);
	if (rc)
		return rc;
	if (!ret->was_signed)
		return van_error_set(err, VAN_ENOTFOUND, "the MDN is not signed");
	rc = cms_signed_parse(sig.signature, arena, &s, err);
	if (rc)
		return rc == VAN_ESYNTAX ? van_error_set(err, VAN_ECRYPTO, "the signature of the MDN is damaged: it is no CMS "
									   "SignedData") : rc;
	digests_of(sig.content, &s, md, known);
	return cms_signed_verify(&s, known, certs, ncerts, &ret->signer, &signer, &missing, err);
}
