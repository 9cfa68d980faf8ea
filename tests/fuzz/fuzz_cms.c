/* The CMS readers against any bytes: no crash, bounded, and the same content in any split. The first byte says how the rest
 * is cut up. */
#include "base/buf.h"
#include "cms/reader.h"
#include "cms/signed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int key(void *arg, const struct cms_recipient *v, size_t n, enum cipher_alg cipher, unsigned char *to)
{
	(void)arg;
	for (size_t i = 0; i < n; i++)
		check(v[i].encrypted_key.p && (v[i].issuer.p || v[i].subject_key_id.p));
	memset(to, 7, cipher_key_size(cipher));
	return 0;
}

static int content(void *arg, const void *p, size_t n)
{
	return van_buf_append(arg, p, n);
}

static int run(struct slice in, size_t step, struct van_buf *out, struct van_arena *arena)
{
	struct cms_reader_events ev = {.arg = out, .key = key, .content = content};
	struct cms_limits limits = {.content_max = 1 << 20, .header_max = 16384, .trailer_max = 16384,
				    .ciphers = CIPHERS_AES | ALG_BIT(CIPHER_3DES_CBC)};
	struct cms_reader *r = cms_reader_new(&ev, &limits);
	struct cms_signed s;
	int rc = r ? 0 : VAN_ENOMEM;
	for (size_t at = 0; !rc && at < in.n; at += step) {
		size_t n = in.n - at < step ? in.n - at : step;
		char *copy = malloc(n);
		memcpy(copy, in.p + at, n);
		rc = cms_reader_feed(r, copy, n);
		free(copy);
	}
	if (!rc)
		rc = cms_reader_finish(r);
	if (!rc)
		cms_signed_parse_trailer(cms_reader_trailer(r), arena, &s, NULL);
	cms_reader_free(r);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 1 << 16)
		return 0;
	struct slice in = slice_make(data + 1, size - 1);
	struct van_arena *arena = van_arena_new((size_t)8 << 20);
	struct van_buf whole = VAN_BUF_INIT(0), cut = VAN_BUF_INIT(0);
	struct cms_signed s;
	int a = run(in, in.n ? in.n : 1, &whole, arena), b = run(in, 1 + data[0], &cut, arena);
	check((a == 0) == (b == 0));
	check(a || slice_eq(van_buf_slice(&whole), van_buf_slice(&cut)));
	if (cms_signed_parse(in, arena, &s, NULL) == 0) {
		const unsigned char *none[DIGEST_COUNT] = {NULL};
		const struct cms_cert *cert;
		const struct cms_signer_info *signer;
		enum digest_alg missing;
		check(cms_signed_verify(&s, none, NULL, 0, &cert, &signer, &missing, NULL) != 0);
	}
	van_buf_free(&whole);
	van_buf_free(&cut);
	van_arena_free(arena);
	return 0;
}
