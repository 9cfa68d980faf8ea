/* What we package is taken apart by our own receiver: every combination of layers, with the same bytes and the same MIC. */
#include "as2_peer.h"

#include "as2/package.h"
#include "as2/receive.h"
#include "cms/ber.h"
#include "cms/digest.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cms_cert *acme, *hub;
static struct cms_signer *acme_signer;
static struct cms_unwrapper *hub_unwrapper;

/* One package on its way. */
struct trip {
	struct van_arena *arena;
	struct van_buf document, scratch, body, payload, entity;
	struct as2_package_config config;
	struct as2_packaged made;
	size_t fail_at; /* > 0: the body's sink fails there */
	bool no_key;
};

static int read_document(void *arg, uint64_t at, void *p, size_t n)
{
	struct trip *t = arg;
	assert_true(at + n <= t->document.n);
	if (n)
		memcpy(p, t->document.p + at, n);
	return 0;
}

static int sign_digest(void *arg, enum digest_alg alg, const unsigned char *digest, struct van_buf *der, struct van_error *err)
{
	struct trip *t = arg;
	if (t->no_key)
		return van_error_set(err, VAN_EDENIED, "no key");
	return cms_sign_digest(acme_signer, SIGN_PKCS1, alg, digest, 1700000000 * VAN_SECOND, der, err);
}

static int write_scratch(void *arg, const void *p, size_t n)
{
	return van_buf_append(&((struct trip *)arg)->scratch, p, n);
}

static int read_scratch(void *arg, uint64_t at, void *p, size_t n)
{
	struct trip *t = arg;
	assert_true(at + n <= t->scratch.n);
	memcpy(p, t->scratch.p + at, n);
	return 0;
}

static int write_body(void *arg, const void *p, size_t n)
{
	struct trip *t = arg;
	if (t->fail_at && t->body.n + n >= t->fail_at)
		return VAN_ENOSPC;
	return van_buf_append(&t->body, p, n);
}

static struct trip *trip_new(size_t size)
{
	struct trip *t = calloc(1, sizeof *t);
	t->arena = van_arena_new(0);
	for (size_t i = 0; i < size; i++)
		van_buf_append_char(&t->document, i % 7 ? "\r\n\0x- "[i % 6] : (char)peer_random(256));
	t->config = (struct as2_package_config){
		.from = SLICE("ACME \"East\""), .to = SLICE("HUB"), .message_id = SLICE("<m1@acme.example>"), .unique = SLICE("0123456789abc"),
		.host = SLICE("acme.example"), .product = SLICE("openvan:test"), .content_type = SLICE("application/edi-x12"),
		.file_name = SLICE("po 850.x12"), .now = 1700000000 * VAN_SECOND, .document = {t, read_document, size}, .recipient = hub,
		.wrap = WRAP_RSA_PKCS1, .mdn_wanted = true, .mdn_signed = true, .arena = t->arena, .arg = t, .sign_digest = sign_digest,
		.scratch = {write_scratch, t}, .scratch_read = read_scratch, .body = {write_body, t},
	};
	return t;
}

static void trip_free(struct trip *t)
{
	van_buf_free(&t->document);
	van_buf_free(&t->scratch);
	van_buf_free(&t->body);
	van_buf_free(&t->payload);
	van_buf_free(&t->entity);
	van_arena_free(t->arena);
	free(t);
}

static void package(struct trip *t)
{
	struct van_error e = {0};
	int rc = as2_package(&t->config, &t->made, &e);
	if (rc < 0)
		fail_msg("%s", e.text);
}

/* --- the receiver ---------------------------------------------------------------------------------------------------------- */

static int unwrap(void *arg, const struct cms_cert *cert, const struct cms_recipient *r, unsigned char *key, size_t n)
{
	(void)arg;
	assert_ptr_equal(cert, hub);
	cms_unwrap(hub_unwrapper, r->wrap, r->wrap_params, r->encrypted_key, n, key);
	return 0;
}

static int take_payload(void *arg, const void *p, size_t n)
{
	return van_buf_append(&((struct trip *)arg)->payload, p, n);
}

static int take_entity(void *arg, const void *p, size_t n)
{
	return van_buf_append(&((struct trip *)arg)->entity, p, n);
}

static void receive(struct trip *t, struct as2_request *request, struct as2_received *got)
{
	const struct cms_cert *mine[] = {hub}, *theirs[] = {acme};
	struct mime_headers headers;
	struct as2_receiver *r;
	struct slice body = t->made.document_is_body ? van_buf_slice(&t->document) : van_buf_slice(&t->body);
	assert_int_equal(mime_headers_parse(t->made.headers, t->arena, &headers, NULL), 0);
	assert_int_equal(as2_request_parse(&headers, t->arena, request, NULL), 0);
	struct as2_receiver_config c = {
		.request = request, .policy = {.ciphers = CIPHERS_AES | ALG_BIT(CIPHER_3DES_CBC), .digests = DIGESTS_SHA2 | ALG_BIT(DIGEST_SHA1)},
		.decrypt_certs = mine, .ndecrypt_certs = 1, .partner_certs = theirs, .npartner_certs = 1, .arg = t, .unwrap = unwrap,
		.payload = take_payload, .entity = take_entity,
	};
	assert_int_equal(as2_receiver_new(&c, &r, NULL), 0);
	assert_int_equal(as2_receiver_feed(r, body.p, body.n), 0);
	assert_int_equal(as2_receiver_finish(r, got, NULL), 0);
	as2_receiver_free(r);
}

static void assert_arrives(struct trip *t)
{
	struct as2_request request;
	struct as2_received got;
	package(t);
	receive(t, &request, &got);
	if (!as2_disposition_ok(got.disposition))
		fail_msg("%s", got.text);
	assert_int_equal(t->payload.n, t->document.n);
	assert_true(slice_eq(van_buf_slice(&t->payload), van_buf_slice(&t->document)));
	assert_int_equal(got.was_signed, t->config.sign != DIGEST_NONE);
	assert_int_equal(got.was_encrypted, t->config.encrypt != CIPHER_NONE);
	assert_int_equal(got.was_compressed, t->config.compress != AS2_COMPRESS_NONE);
	assert_int_equal(got.cipher, t->config.encrypt);
	assert_int_equal(got.mic_alg, t->made.mic_alg);
	assert_memory_equal(got.mic, t->made.mic, digest_size(got.mic_alg));
	assert_string_equal(got.file_name, "po 850.x12");
	assert_string_equal(got.content_type, "application/edi-x12");
	assert_true(slice_is(request.from, "ACME \"East\"") && slice_is(request.message_id, "<m1@acme.example>"));
	assert_true(request.mdn_wanted && request.mdn_signed && request.nmicalgs == 1);
}

/* --- tests -------------------------------------------------------------------------------------------------------------------- */

static void every_combination_arrives(void **state)
{
	static const enum digest_alg digests[] = {DIGEST_NONE, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};
	static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 70000};
	unsigned nth = 0;
	(void)state;
	for (size_t d = 0; d < sizeof digests / sizeof *digests; d++)
		for (enum cipher_alg cipher = CIPHER_NONE; cipher < CIPHER_COUNT; cipher++)
			for (enum as2_compress z = AS2_COMPRESS_NONE; z <= AS2_COMPRESS_AFTER_SIGNING; z++) {
				struct trip *t = trip_new(sizes[nth % (sizeof sizes / sizeof *sizes)]);
				t->config.sign = digests[d];
				t->config.encrypt = cipher;
				t->config.compress = z;
				t->config.wrap = nth++ % 2 ? WRAP_RSA_OAEP : WRAP_RSA_PKCS1;
				assert_arrives(t);
				trip_free(t);
			}
}

/* Lengths of DER change their form at these sizes; the padding of the last block, too. */
static void every_length_arrives(void **state)
{
	(void)state;
	for (size_t size = 0; size < 700; size += size < 40 || (size > 90 && size < 140) ? 1 : 37) {
		struct trip *t = trip_new(size);
		t->config.sign = DIGEST_SHA256;
		t->config.encrypt = CIPHER_AES256_CBC;
		assert_arrives(t);
		trip_free(t);
	}
	for (size_t size = 65000; size < 66000; size += 97) {
		struct trip *t = trip_new(size);
		t->config.encrypt = CIPHER_AES128_GCM;
		assert_arrives(t);
		trip_free(t);
	}
}

/* The receiver may name another digest in its MDN: what it should have computed is found again from what is kept. */
static void mic_by_another_digest(void **state)
{
	(void)state;
	for (enum as2_compress z = AS2_COMPRESS_NONE; z <= AS2_COMPRESS_AFTER_SIGNING; z++)
		for (int sign = 0; sign < 2; sign++) {
			struct trip *t = trip_new(5000);
			struct as2_request request;
			struct as2_received got;
			unsigned char mic[DIGEST_SIZE_MAX], expected[DIGEST_SIZE_MAX];
			t->config.sign = sign ? DIGEST_SHA256 : DIGEST_NONE;
			t->config.encrypt = CIPHER_AES128_CBC;
			t->config.compress = z;
			package(t);
			receive(t, &request, &got);
			assert_int_equal(digest_bytes(DIGEST_SHA1, t->entity.p, t->entity.n, expected), 0);
			t->config.entity_headers = t->made.entity_headers;
			t->config.content_type = SLICE("changed/meanwhile");
			van_buf_reset(&t->scratch);
			assert_int_equal(as2_package_mic(&t->config, DIGEST_SHA1, mic, NULL), 0);
			assert_memory_equal(mic, expected, digest_size(DIGEST_SHA1));
			trip_free(t);
		}
}

static void a_plain_document_is_not_copied(void **state)
{
	struct trip *t = trip_new(3000);
	(void)state;
	assert_arrives(t);
	assert_true(t->made.document_is_body);
	assert_int_equal(t->body.n, 0);
	trip_free(t);
}

static void headers_cannot_be_broken_out_of(void **state)
{
	static const char *const bad[] = {"a\r\nX: y", "a\nb", "a\rb"};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct trip *t = trip_new(10);
		t->config.subject = slice_str(bad[i]);
		assert_int_equal(as2_package(&t->config, &t->made, NULL), VAN_EINVAL);
		t->config.subject = SLICE_NONE;
		t->config.file_name = slice_str(bad[i]); /* foreign: made harmless */
		package(t);
		assert_null(memmem(t->made.headers.p, t->made.headers.n, "\nX: y", 5));
		assert_null(memmem(t->made.headers.p, t->made.headers.n, "\nb", 2));
		trip_free(t);
	}
}

static void failures_are_handed_on(void **state)
{
	struct trip *t = trip_new(100000);
	struct van_error e = {0};
	(void)state;
	t->config.sign = DIGEST_SHA256;
	t->config.encrypt = CIPHER_AES256_CBC;
	t->fail_at = 40000;
	assert_int_equal(as2_package(&t->config, &t->made, &e), VAN_ENOSPC);
	assert_non_null(strstr(e.text, "packaged"));
	t->fail_at = 0;
	t->no_key = true;
	assert_int_equal(as2_package(&t->config, &t->made, &e), VAN_EDENIED);
	t->no_key = false;
	trip_free(t);
}

/* A document of more than 4 GiB needs five bytes for its length. */
static void long_lengths(void **state)
{
	struct van_buf b = VAN_BUF_INIT(64);
	(void)state;
	assert_int_equal(der_head_size(127), 2);
	assert_int_equal(der_head_size(128), 3);
	assert_int_equal(der_head_size(65535), 4);
	assert_int_equal(der_head_size((size_t)1 << 32), 7);
	assert_int_equal(der_head(&b, BER_OCTETS, ((size_t)5 << 32) + 3), 0);
	assert_int_equal(b.n, 7);
	assert_memory_equal(b.p, "\x04\x85\x05\x00\x00\x00\x03", 7);
	van_buf_free(&b);
}

static int setup(void **state)
{
	(void)state;
	if (peer_start() < 0)
		return -1;
	acme = peer_cert("acme");
	hub = peer_cert("hub");
	EVP_PKEY *sign = peer_key("acme"), *crypt = peer_key("hub");
	assert_int_equal(cms_signer_new(sign, acme, &acme_signer, NULL), 0);
	assert_int_equal(cms_unwrapper_new(crypt, &hub_unwrapper, NULL), 0);
	EVP_PKEY_free(sign);
	EVP_PKEY_free(crypt);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cms_signer_free(acme_signer);
	cms_unwrapper_free(hub_unwrapper);
	cms_cert_free(acme);
	cms_cert_free(hub);
	peer_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_arrives), cmocka_unit_test(every_length_arrives),
		cmocka_unit_test(mic_by_another_digest),     cmocka_unit_test(a_plain_document_is_not_copied),
		cmocka_unit_test(headers_cannot_be_broken_out_of), cmocka_unit_test(failures_are_handed_on),
		cmocka_unit_test(long_lengths),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
