#include "as2/package.h"

#include "as2/package_private.h"
#include "base/codec.h"
#include "cms/compress.h"
#include "cms/digest.h"
#include "cms/encrypt.h"

#define CHUNK ((size_t)65536)
#define PIECES_MAX (16 + 2 * AS2_ATTACHED_MAX)
#define TEXT_MAX ((size_t)262144)

/* Bytes in a row, some in memory and some to be read: what an entity is made of. */
struct piece {
	struct slice bytes; /* absent: of `from` */
	const struct as2_source *from;
};
struct rope {
	struct piece v[PIECES_MAX];
	size_t n;
	uint64_t size;
};
/* A MIME entity: header lines, and what follows the empty line. */
struct entity {
	struct slice headers;
	struct rope body;
};

struct packing {
	const struct as2_package_config *c;
	struct as2_source compressed; /* what lies in the scratch */
	char *chunk;
	struct van_error *err;
};

static void add_bytes(struct rope *r, struct slice s)
{
	r->v[r->n++] = (struct piece){.bytes = s};
	r->size += s.n;
}

static void add_source(struct rope *r, const struct as2_source *s)
{
	r->v[r->n++] = (struct piece){.from = s};
	r->size += s->size;
}

static void add_rope(struct rope *r, const struct rope *in)
{
	for (size_t i = 0; i < in->n; i++)
		r->v[r->n++] = in->v[i];
	r->size += in->size;
}

/* The entity with its headers, as a part or as what is compressed or encrypted. */
static void add_entity(struct rope *r, const struct entity *e)
{
	add_bytes(r, e->headers);
	add_bytes(r, SLICE("\r\n"));
	add_rope(r, &e->body);
}

static int feed_source(struct packing *k, const struct as2_source *s, int (*fn)(void *arg, const void *p, size_t n), void *arg)
{
	for (uint64_t at = 0; at < s->size;) {
		size_t n = s->size - at < CHUNK ? (size_t)(s->size - at) : CHUNK;
		int rc = s->read(s->arg, at, k->chunk, n);
		if (rc == 0)
			rc = fn(arg, k->chunk, n);
		if (rc)
			return rc;
		at += n;
	}
	return 0;
}

static int feed(struct packing *k, const struct rope *r, int (*fn)(void *arg, const void *p, size_t n), void *arg)
{
	int rc = 0;
	for (size_t i = 0; i < r->n && rc == 0; i++) {
		const struct piece *p = &r->v[i];
		rc = p->bytes.p ? p->bytes.n ? fn(arg, p->bytes.p, p->bytes.n) : 0 : feed_source(k, p->from, fn, arg);
	}
	return rc;
}

static int keep(struct packing *k, struct van_buf *b, struct slice *ret)
{
	int rc = b->error;
	if (rc == 0)
		*ret = van_arena_slice(k->c->arena, van_buf_slice(b));
	van_buf_free(b);
	return rc ? rc : ret->p ? 0 : VAN_ENOMEM;
}

/* --- digests ------------------------------------------------------------------------------------------------------------ */

static int digest_more(void *arg, const void *p, size_t n)
{
	return digest_set_update(arg, p, n);
}

static int digest_rope(struct packing *k, const struct rope *r, enum digest_alg alg, unsigned char *to)
{
	struct digest_set d = {0};
	int rc = digest_set_begin(&d, ALG_BIT(alg));
	if (rc == 0)
		rc = feed(k, r, digest_more, &d);
	if (rc == 0)
		rc = digest_set_end(&d, alg, to);
	digest_set_free(&d);
	return rc;
}

static int digest_entity(struct packing *k, const struct entity *e, enum digest_alg alg, unsigned char *to)
{
	struct rope all = {.n = 0};
	add_entity(&all, e);
	return digest_rope(k, &all, alg, to);
}

/* --- layers --------------------------------------------------------------------------------------------------------------- */

/* The line between two parts, the headers of the one that follows, and its empty line. */
static int add_boundary(struct packing *k, struct rope *r, bool first, const struct as2_attached *next)
{
	struct van_buf b = VAN_BUF_INIT(TEXT_MAX);
	struct slice kept = SLICE_NONE;
	van_buf_printf(&b, "%s--=_related_%.*s\r\n", first ? "" : "\r\n", SLICE_ARG(k->c->related));
	if (next)
		package_put_attached_headers(next, &b);
	else
		package_put_document_headers(k->c, &b);
	van_buf_append_str(&b, "\r\n");
	int rc = keep(k, &b, &kept);
	if (rc == 0)
		add_bytes(r, kept);
	return rc;
}

static int add_related(struct packing *k, struct rope *r)
{
	struct slice last = van_arena_printf(k->c->arena, "\r\n--=_related_%.*s--\r\n", SLICE_ARG(k->c->related));
	int rc = last.p ? add_boundary(k, r, true, NULL) : VAN_ENOMEM;
	if (rc == 0)
		add_source(r, &k->c->document);
	for (size_t i = 0; i < k->c->nattached && rc == 0; i++) {
		rc = add_boundary(k, r, false, &k->c->attached[i]);
		if (rc == 0)
			add_source(r, &k->c->attached[i].source);
	}
	if (rc == 0)
		add_bytes(r, last);
	return rc;
}

static int make_document(struct packing *k, struct entity *e)
{
	struct van_buf headers = VAN_BUF_INIT(TEXT_MAX);
	package_put_entity_headers(k->c, &headers);
	*e = (struct entity){.body = {.n = 0}};
	int rc = 0;
	if (k->c->nattached)
		rc = add_related(k, &e->body);
	else
		add_source(&e->body, &k->c->document);
	int kept = keep(k, &headers, &e->headers);
	return rc ? rc : kept;
}

static int compress_more(void *arg, const void *p, size_t n)
{
	return cms_compressor_feed(arg, p, n);
}

struct counted {
	const struct byte_sink *to;
	uint64_t n;
};

static int count_write(void *arg, const void *p, size_t n)
{
	struct counted *c = arg;
	c->n += n;
	return sink_write(c->to, p, n);
}

static int deflate_entity(struct packing *k, const struct entity *e)
{
	struct counted out = {.to = &k->c->scratch};
	struct cms_compressor *z = cms_compressor_new((struct byte_sink){count_write, &out});
	struct rope all = {.n = 0};
	add_entity(&all, e);
	int rc = z ? feed(k, &all, compress_more, z) : VAN_ENOMEM;
	if (rc == 0)
		rc = cms_compressor_finish(z);
	cms_compressor_free(z);
	k->compressed = (struct as2_source){.arg = k->c->arg, .read = k->c->scratch_read, .size = out.n};
	return rc;
}

static int compress(struct packing *k, struct entity *e)
{
	struct van_buf head = VAN_BUF_INIT(TEXT_MAX);
	struct slice kept;
	int rc = deflate_entity(k, e);
	if (rc == 0)
		rc = cms_compressed_head(&head, k->compressed.size);
	if (rc == 0)
		rc = keep(k, &head, &kept);
	van_buf_free(&head);
	if (rc)
		return rc;
	*e = (struct entity){.headers = SLICE("Content-Type: application/pkcs7-mime; smime-type=compressed-data; name=\"smime.p7z\"\r\n"
					      "Content-Transfer-Encoding: binary\r\n"
					      "Content-Disposition: attachment; filename=\"smime.p7z\"\r\n")};
	add_bytes(&e->body, kept);
	add_source(&e->body, &k->compressed);
	return 0;
}

static int sign(struct packing *k, const unsigned char *digest, struct entity *e)
{
	const struct as2_package_config *c = k->c;
	struct van_buf der = VAN_BUF_INIT(TEXT_MAX), headers = VAN_BUF_INIT(TEXT_MAX), first = VAN_BUF_INIT(TEXT_MAX), last = VAN_BUF_INIT(TEXT_MAX);
	struct slice before = SLICE_NONE, after = SLICE_NONE;
	struct entity made = {.body = {.n = 0}};
	int rc = c->sign_digest(c->arg, c->sign, digest, &der, k->err);
	van_buf_printf(&headers, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=%s; "
				 "boundary=\"=_signed_%.*s\"\r\n", digest_micalg(c->sign), SLICE_ARG(c->unique));
	van_buf_printf(&first, "--=_signed_%.*s\r\n", SLICE_ARG(c->unique));
	van_buf_printf(&last, "\r\n--=_signed_%.*s\r\n", SLICE_ARG(c->unique));
	van_buf_append_str(&last, "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n"
				  "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n");
	if (rc == 0)
		rc = base64_encode(&last, der.p, der.n, 64);
	van_buf_printf(&last, "\r\n--=_signed_%.*s--\r\n", SLICE_ARG(c->unique));
	int kept = keep(k, &headers, &made.headers);
	if (kept == 0)
		kept = keep(k, &first, &before);
	if (kept == 0)
		kept = keep(k, &last, &after);
	van_buf_free(&der);
	van_buf_free(&headers);
	van_buf_free(&first);
	van_buf_free(&last);
	if (rc || kept)
		return rc ? rc : kept;
	add_bytes(&made.body, before);
	add_entity(&made.body, e);
	add_bytes(&made.body, after);
	*e = made;
	return 0;
}

static int encrypt_more(void *arg, const void *p, size_t n)
{
	return cms_encryptor_feed(arg, p, n);
}

static int encrypt(struct packing *k, struct entity *e)
{
	const struct as2_package_config *c = k->c;
	struct cms_encryptor *x = NULL;
	struct rope all = {.n = 0};
	add_entity(&all, e);
	e->headers = c->encrypt >= CIPHER_AES128_GCM
			     ? SLICE("Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data; name=\"smime.p7m\"\r\n"
				     "Content-Transfer-Encoding: binary\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n")
			     : SLICE("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"\r\n"
				     "Content-Transfer-Encoding: binary\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n");
	int rc = cms_encryptor_new(c->encrypt, c->wrap, c->recipient, all.size, c->body, &x, k->err);
	if (rc == 0)
		rc = feed(k, &all, encrypt_more, x);
	if (rc == 0)
		rc = cms_encryptor_finish(x);
	cms_encryptor_free(x);
	return rc;
}

/* --- all of it ------------------------------------------------------------------------------------------------------------- */

static bool compressed_first(const struct as2_package_config *c)
{
	return c->compress == AS2_COMPRESS_BEFORE_SIGNING && c->sign != DIGEST_NONE;
}

/* The entity that the MIC is over (RFC 4130 section 7.3.1, RFC 5402 section 4), or the document alone where nothing protects
 * it: signed: what is signed; unsigned: the document with its headers, not compressed. */
static int mic_entity(struct packing *k, struct entity *e)
{
	int rc = make_document(k, e);
	return rc == 0 && compressed_first(k->c) ? compress(k, e) : rc;
}

static int make_mic(struct packing *k, const struct entity *e, enum digest_alg alg, unsigned char *mic)
{
	const struct as2_package_config *c = k->c;
	bool bare = c->sign == DIGEST_NONE && c->encrypt == CIPHER_NONE && c->compress == AS2_COMPRESS_NONE;
	return bare ? digest_rope(k, &e->body, alg, mic) : digest_entity(k, e, alg, mic);
}

static int write_body(struct packing *k, struct entity *e, struct as2_packaged *ret)
{
	const struct as2_package_config *c = k->c;
	if (c->encrypt != CIPHER_NONE)
		return encrypt(k, e);
	ret->document_is_body = e->body.n == 1 && e->body.v[0].from == &c->document;
	return ret->document_is_body ? 0 : feed(k, &e->body, c->body.write, c->body.arg);
}

static int begin(struct packing *k, const struct as2_package_config *c, struct van_error *err)
{
	*k = (struct packing){.c = c, .err = err, .chunk = van_arena_alloc(c->arena, CHUNK)};
	if (c->nattached > AS2_ATTACHED_MAX || (c->nattached && !c->related.n))
		return van_error_set(err, VAN_EINVAL, "more than %d attachments, or no boundary for them", AS2_ATTACHED_MAX);
	if (!package_values_ok(c))
		return van_error_set(err, VAN_EINVAL, "a line end in a value for an AS2 header");
	return k->chunk ? 0 : VAN_ENOMEM;
}

int as2_package(const struct as2_package_config *c, struct as2_packaged *ret, struct van_error *err)
{
	struct packing k;
	struct entity e;
	struct van_buf headers = VAN_BUF_INIT(TEXT_MAX);
	*ret = (struct as2_packaged){.mic_alg = c->sign != DIGEST_NONE ? c->sign : DIGEST_SHA256};
	int rc = begin(&k, c, err);
	if (rc == 0)
		rc = mic_entity(&k, &e);
	if (rc == 0 && compressed_first(c)) {
		package_put_entity_headers(c, &headers);
		rc = keep(&k, &headers, &ret->entity_headers);
	} else if (rc == 0) {
		ret->entity_headers = e.headers;
	}
	if (rc == 0)
		rc = make_mic(&k, &e, ret->mic_alg, ret->mic);
	if (rc == 0 && c->sign != DIGEST_NONE)
		rc = sign(&k, ret->mic, &e);
	if (rc == 0 && c->compress != AS2_COMPRESS_NONE && !compressed_first(c))
		rc = compress(&k, &e);
	if (rc == 0)
		rc = write_body(&k, &e, ret);
	if (rc == 0) {
		package_put_headers(c, &headers);
		van_buf_append_slice(&headers, e.headers);
		rc = keep(&k, &headers, &ret->headers);
	}
	van_buf_free(&headers);
	if (rc && err && !err->text[0])
		van_error_set(err, (enum van_err)rc, "the message could not be packaged: %s", van_err_name(rc));
	return rc;
}

int as2_package_mic(const struct as2_package_config *c, enum digest_alg alg, unsigned char *mic, struct van_error *err)
{
	struct packing k;
	struct entity e;
	int rc = begin(&k, c, err);
	if (rc == 0)
		rc = mic_entity(&k, &e);
	return rc == 0 ? make_mic(&k, &e, alg, mic) : rc;
}
