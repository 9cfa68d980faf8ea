/* ContentInfo as a stream. The header (all before the content's octets) is gathered and parsed again as it grows, which is
 * simple and, being bounded, cheap; then a small machine walks the octet string, however it is cut up; what follows is
 * the trailer. */
#include "cms/reader.h"

#include "base/buf.h"
#include "cms/ber.h"
#include "cms/cert.h"
#include "cms/decrypt.h"
#include "cms/inflate.h"
#include "cms/oid.h"
#include "cms/recipient.h"

#include <stdlib.h>

#define FRAMES_MAX 12

enum state { HEADER, ELEMENT, LEAF, TRAILER };

struct cms_reader {
	struct cms_reader_events ev;
	struct cms_limits limits;
	struct van_arena *arena; /* only while the header is parsed */
	struct van_buf header, trailer;
	size_t need;             /* bytes of header wanted before the next try */
	enum state state;
	enum cms_type type;
	enum cipher_alg cipher;
	struct decryptor *decryptor;
	struct inflater *inflater;
	uint64_t content_bytes;

	/* walking the octet string */
	unsigned char head[16];
	size_t nhead;
	uint64_t pos, leaf;
	uint64_t frames[FRAMES_MAX]; /* end positions, or BER_INDEFINITE */
	unsigned nframes;
	int error; /* sticky */
};

static int content_out(void *arg, const void *p, size_t n)
{
	struct cms_reader *r = arg;
	r->content_bytes += n;
	if (r->limits.content_max && r->content_bytes > r->limits.content_max)
		return VAN_ELIMIT;
	return r->ev.content(r->ev.arg, p, n);
}

struct cms_reader *cms_reader_new(const struct cms_reader_events *ev, const struct cms_limits *limits)
{
	struct cms_reader *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->ev = *ev;
	r->limits = limits ? *limits : (struct cms_limits){.header_max = 0};
	struct cms_limits *l = &r->limits;
	l->header_max = l->header_max ? l->header_max : 262144;
	l->trailer_max = l->trailer_max ? l->trailer_max : 262144;
	l->recipients_max = l->recipients_max ? l->recipients_max : 64;
	l->expansion_max = l->expansion_max ? l->expansion_max : 200;
	l->ciphers = l->ciphers ? l->ciphers : CIPHERS_AES;
	r->header = VAN_BUF_INIT(l->header_max);
	r->trailer = VAN_BUF_INIT(l->trailer_max);
	return r;
}

void cms_reader_free(struct cms_reader *r)
{
	if (!r)
		return;
	decryptor_free(r->decryptor);
	inflater_free(r->inflater);
	van_arena_free(r->arena);
	van_buf_free(&r->header);
	van_buf_free(&r->trailer);
	free(r);
}

enum cms_type cms_reader_type(const struct cms_reader *r)
{
	return r->type;
}

enum cipher_alg cms_reader_cipher(const struct cms_reader *r)
{
	return r->cipher;
}

struct slice cms_reader_trailer(const struct cms_reader *r)
{
	return van_buf_slice(&r->trailer);
}

static enum cms_type type_of(struct slice oid)
{
	if (slice_eq(oid, OID_ENVELOPED_DATA))
		return CMS_TYPE_ENVELOPED;
	if (slice_eq(oid, OID_SIGNED_DATA))
		return CMS_TYPE_SIGNED;
	if (slice_eq(oid, OID_COMPRESSED_DATA))
		return CMS_TYPE_COMPRESSED;
	return slice_eq(oid, OID_AUTH_ENVELOPED_DATA) ? CMS_TYPE_AUTH_ENVELOPED : CMS_TYPE_NONE;
}

/* EnvelopedData and AuthEnvelopedData, up to the encrypted content. */
static int parse_enveloped(struct cms_reader *r, struct ber *b)
{
	struct cms_recipient *recipients;
	struct slice params;
	size_t n;
	unsigned char key[CIPHER_KEY_MAX];
	ber_expect(b, BER_INTEGER);
	ber_skip_if(b, BER_CONTEXT_CONSTRUCTED + 0); /* originatorInfo */
	struct slice set = ber_expect(b, BER_SET);
	ber_enter(b, BER_SEQUENCE);
	ber_expect(b, BER_OID);
	struct slice oid = ber_algorithm(b, &params);
	unsigned char tag = ber_peek(b);
	if (ber_ok(b) && b->p == b->end)
		b->need = (size_t)(b->p - b->start) + 1;
	if (!ber_ok(b))
		return 0;
	if (tag != BER_CONTEXT + 0 && tag != BER_CONTEXT_CONSTRUCTED + 0)
		return VAN_ESYNTAX;
	int rc = recipients_parse(set, r->limits.recipients_max, r->arena, &recipients, &n);
	if (rc)
		return rc;
	r->cipher = oid_cipher(oid);
	bool gcm = r->cipher >= CIPHER_AES128_GCM;
	if (!(r->limits.ciphers & ALG_BIT(r->cipher)) || r->cipher == CIPHER_NONE)
		return VAN_EDENIED;
	if (gcm != (r->type == CMS_TYPE_AUTH_ENVELOPED))
		return VAN_ESYNTAX;
	rc = r->ev.key ? r->ev.key(r->ev.arg, recipients, n, r->cipher, key) : VAN_ENOTFOUND;
	if (!rc)
		rc = decryptor_new(r->cipher, params, key, (struct byte_sink){content_out, r}, &r->decryptor);
	explicit_bzero(key, sizeof key);
	return rc;
}

/* Into an EncapsulatedContentInfo (RFC 5652, 5.2), up to its content. 1; 0: not all of it is there yet (b->need), or it is malformed, which `b` has;
 * VAN_ESYNTAX: detached, so that there is nothing to stream. */
static int enter_encapsulated(struct ber *b)
{
	ber_enter(b, BER_SEQUENCE);
	ber_expect(b, BER_OID);
	if (ber_ok(b) && b->p == b->end)
		b->need = (size_t)(b->p - b->start) + 1;
	if (!ber_ok(b))
		return 0;
	return ber_peek(b) == BER_CONTEXT_CONSTRUCTED + 0 ? 1 : VAN_ESYNTAX;
}

static int parse_signed(struct cms_reader *r, struct ber *b)
{
	uint32_t mask = 0;
	struct slice params;
	ber_expect(b, BER_INTEGER);
	struct slice set = ber_expect(b, BER_SET);
	int rc = enter_encapsulated(b);
	if (rc <= 0)
		return rc;
	for (struct ber in = ber_over(set); ber_more(&in);)
		mask |= ALG_BIT(oid_digest(ber_algorithm(&in, &params)));
	return r->ev.digests ? r->ev.digests(r->ev.arg, mask & ~ALG_BIT(DIGEST_NONE)) : 0;
}

static int parse_compressed(struct cms_reader *r, struct ber *b)
{
	struct slice params;
	ber_expect(b, BER_INTEGER);
	struct slice oid = ber_algorithm(b, &params);
	int rc = enter_encapsulated(b);
	if (rc <= 0)
		return rc;
	if (!slice_eq(oid, OID_ZLIB))
		return VAN_EDENIED;
	r->inflater = inflater_new((struct byte_sink){content_out, r}, r->limits.expansion_max);
	return r->inflater ? 0 : VAN_ENOMEM;
}

static int parse_body(struct cms_reader *r, struct ber *b)
{
	switch (r->type) {
	case CMS_TYPE_SIGNED: return parse_signed(r, b);
	case CMS_TYPE_COMPRESSED: return parse_compressed(r, b);
	case CMS_TYPE_NONE: return VAN_ESYNTAX;
	default: return parse_enveloped(r, b);
	}
}

static int parse_type(struct cms_reader *r, struct ber *b)
{
	ber_enter(b, BER_SEQUENCE);
	struct slice oid = ber_expect(b, BER_OID);
	if (!ber_ok(b) || r->type != CMS_TYPE_NONE)
		return 0;
	r->type = type_of(oid);
	if (r->type == CMS_TYPE_NONE)
		return VAN_ESYNTAX;
	return r->ev.type ? r->ev.type(r->ev.arg, r->type) : 0;
}

/* Tries to parse what there is of the header. On success the bytes behind it are in *rest. */
static int parse_header(struct cms_reader *r, struct slice *rest)
{
	struct ber b = ber_over(van_buf_slice(&r->header));
	if (!r->arena && !(r->arena = van_arena_new((size_t)4 << 20)))
		return VAN_ENOMEM;
	int rc = parse_type(r, &b);
	ber_enter(&b, BER_CONTEXT_CONSTRUCTED + 0);
	ber_enter(&b, BER_SEQUENCE);
	if (!rc && ber_ok(&b))
		rc = parse_body(r, &b);
	if (rc)
		return rc;
	if (b.bad)
		return VAN_ESYNTAX;
	r->need = b.need;
	if (b.need)
		return b.need > r->limits.header_max ? VAN_ELIMIT : 0;
	r->state = ELEMENT;
	*rest = slice_make(b.p, (size_t)(b.end - b.p));
	return 0;
}

static int content(struct cms_reader *r, const unsigned char *p, size_t n)
{
	if (r->decryptor)
		return decryptor_feed(r->decryptor, p, n);
	if (r->inflater)
		return inflater_feed(r->inflater, p, n);
	return content_out(r, p, n);
}

/* Elements that end here are closed; with none left the content is complete. */
static int close_frames(struct cms_reader *r)
{
	while (r->nframes && r->frames[r->nframes - 1] != BER_INDEFINITE && r->pos >= r->frames[r->nframes - 1])
		if (r->pos > r->frames[--r->nframes])
			return VAN_ESYNTAX;
	r->state = r->nframes ? ELEMENT : TRAILER;
	return 0;
}

/* An element of the octet string begins: its head was read. */
static int begin_element(struct cms_reader *r, unsigned char tag, uint64_t len)
{
	bool first = r->nframes == 0;
	uint64_t parent = first ? BER_INDEFINITE : r->frames[r->nframes - 1];
	if (len != BER_INDEFINITE && (len > UINT64_MAX / 2 || (parent != BER_INDEFINITE && r->pos + len > parent)))
		return VAN_ESYNTAX;
	if (!first && tag == 0) {
		if (parent != BER_INDEFINITE || len != 0)
			return VAN_ESYNTAX;
		r->nframes--;
		return close_frames(r);
	}
	if (tag == (first ? BER_CONTEXT + 0 : BER_OCTETS)) {
		r->leaf = len;
		r->state = LEAF;
		if (first)
			r->frames[r->nframes++] = r->pos + len;
		return len ? 0 : close_frames(r);
	}
	if (tag != (first ? BER_CONTEXT_CONSTRUCTED + 0 : BER_OCTETS_CONSTRUCTED) || r->nframes == FRAMES_MAX)
		return VAN_ESYNTAX;
	r->frames[r->nframes++] = len == BER_INDEFINITE ? BER_INDEFINITE : r->pos + len;
	return close_frames(r);
}

static int element_byte(struct cms_reader *r, unsigned char c)
{
	unsigned char tag;
	uint64_t len;
	if (r->nhead == sizeof r->head)
		return VAN_ESYNTAX;
	r->head[r->nhead++] = c;
	r->pos++;
	struct ber b = ber_over(slice_make(r->head, r->nhead));
	if (!ber_head(&b, &tag, &len))
		return b.bad ? VAN_ESYNTAX : 0;
	r->nhead = 0;
	return begin_element(r, tag, len);
}

static int leaf(struct cms_reader *r, const unsigned char *p, size_t n, size_t *used)
{
	*used = n < r->leaf ? n : (size_t)r->leaf;
	r->leaf -= *used;
	r->pos += *used;
	int rc = content(r, p, *used);
	return rc || r->leaf ? rc : close_frames(r);
}

/* What follows the content. Only outermost encryption may be followed by anything (unprotected attributes): whatever is
 * inside of it has to end where it ends, or blocks could be appended to try the decryptor's padding with. */
static int trailer(struct cms_reader *r, const unsigned char *p, size_t n)
{
	if (r->type == CMS_TYPE_SIGNED || r->type == CMS_TYPE_AUTH_ENVELOPED)
		return van_buf_append(&r->trailer, p, n);
	return r->type == CMS_TYPE_COMPRESSED && !ber_only_ends(slice_make(p, n)) ? VAN_ESYNTAX : 0;
}

static int walk(struct cms_reader *r, const unsigned char *p, size_t n)
{
	while (n) {
		size_t used = 1;
		int rc = 0;
		switch (r->state) {
		case ELEMENT: rc = element_byte(r, *p); break;
		case LEAF: rc = leaf(r, p, n, &used); break;
		default: rc = trailer(r, p, used = n); break;
		}
		if (rc)
			return rc;
		p += used;
		n -= used;
	}
	return 0;
}

/* Bytes that are taken for the header may be the content's already: they are walked over after it was parsed. */
static int header(struct cms_reader *r, const unsigned char *p, size_t n)
{
	struct slice rest = SLICE_NONE;
	size_t left = r->limits.header_max - r->header.n;
	size_t take = n < left ? n : left;
	int rc = van_buf_append(&r->header, p, take);
	if (!rc && r->header.n >= r->need)
		rc = parse_header(r, &rest);
	if (rc)
		return rc;
	if (r->state == HEADER)
		return take < n ? VAN_ELIMIT : 0;
	van_arena_free(r->arena);
	r->arena = NULL;
	rc = walk(r, (const unsigned char *)rest.p, rest.n);
	van_buf_free(&r->header);
	return rc ? rc : walk(r, p + take, n - take);
}

int cms_reader_feed(struct cms_reader *r, const void *p, size_t n)
{
	if (!r->error && n)
		r->error = r->state == HEADER ? header(r, p, n) : walk(r, p, n);
	return r->error;
}

/* AuthEnvelopedData ends with [1] authAttrs, which GCM would need before the content, and the tag. */
static int finish_authenticated(struct cms_reader *r)
{
	struct ber b = ber_over(van_buf_slice(&r->trailer));
	while (ber_peek(&b) == 0 && ber_more(&b) && b.end - b.p >= 2)
		b.p += 2; /* ends of indefinite lengths */
	if (ber_peek(&b) == BER_CONTEXT_CONSTRUCTED + 1)
		return VAN_EDENIED;
	struct slice tag = ber_expect(&b, BER_OCTETS);
	return ber_ok(&b) ? decryptor_finish(r->decryptor, tag) : VAN_ESYNTAX;
}

int cms_reader_finish(struct cms_reader *r)
{
	if (r->error)
		return r->error;
	if (r->state != TRAILER)
		return r->error = VAN_ESYNTAX;
	if (r->type == CMS_TYPE_AUTH_ENVELOPED)
		return r->error = finish_authenticated(r);
	if (r->decryptor)
		return r->error = decryptor_finish(r->decryptor, SLICE_NONE);
	return r->error = r->inflater ? inflater_finish(r->inflater) : 0;
}
