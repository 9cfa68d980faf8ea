/* Keys, certificates, signing, unwrapping, and what they cost. */
#include "as2_peer.h"

#include "as2/receive.h"
#include "base/codec.h"
#include "cms/ber.h"
#include "cms/digest.h"
#include "cms/signed.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct cms_cert *hub, *acme;
static EVP_PKEY *hub_key;
#define NOW ((van_time)1767225600 * VAN_SECOND)

static void facts(void **state)
{
	(void)state;
	char id[KEY_ID_LEN + 1];
	assert_string_equal(hub->facts.subject, "CN=hub,O=Test");
	assert_string_equal(hub->facts.key_type, "RSA");
	assert_int_equal(hub->facts.key_bits, 2048);
	assert_true(hub->facts.not_after - hub->facts.not_before == 30 * 86400 * VAN_SECOND);
	assert_int_equal(peer_run("openssl x509 -in hub.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r "
				  "| cut -c1-64 | tr -d '\\n' >id && openssl x509 -in hub.pem -outform DER | openssl dgst -sha256 -r | "
				  "cut -c1-64 | tr -d '\\n' >print && openssl x509 -in hub.pem -noout -serial | sed 's/.*=//' | tr A-F a-f "
				  "| tr -d '\\n' >serial"), 0);
	struct van_buf spki = peer_read("id"), print = peer_read("print"), serial = peer_read("serial");
	assert_true(slice_is(van_buf_slice(&spki), hub->facts.key_id));
	assert_true(slice_is(van_buf_slice(&print), hub->facts.sha256));
	const char *ours = hub->facts.serial;
	assert_true(slice_is(van_buf_slice(&serial), strncmp(ours, "00", 2) == 0 ? ours + 2 : ours));
	assert_int_equal(cms_key_id(hub_key, id), 0);
	assert_string_equal(id, hub->facts.key_id);
	assert_int_equal(cms_key_matches(hub_key, hub, NULL), 0);
	assert_int_equal(cms_key_matches(hub_key, acme, NULL), VAN_ECONFLICT);
	van_buf_free(&spki);
	van_buf_free(&print);
	van_buf_free(&serial);
}

static void bad_files(void **state)
{
	(void)state;
	struct cms_cert *c;
	EVP_PKEY *k;
	struct van_error e;
	struct van_buf pem = peer_read("hub.pem"), key = peer_read("hub.key");
	assert_int_equal(cms_cert_new(SLICE("nonsense"), &c, &e), VAN_ESYNTAX);
	assert_int_equal(cms_cert_new(SLICE(""), &c, &e), VAN_ESYNTAX);
	assert_int_equal(cms_cert_new(van_buf_slice(&key), &c, &e), VAN_ESYNTAX);
	assert_non_null(strstr(e.text, "certificate file"));
	for (size_t n = 0; n < hub->der.n; n += 7)
		assert_int_equal(cms_cert_new(slice_make(hub->der.p, n), &c, &e), VAN_ESYNTAX);
	assert_int_equal(cms_private_key(van_buf_slice(&pem), &k, &e), VAN_ESYNTAX);
	van_buf_free(&pem);
	van_buf_free(&key);
}

static void cache(void **state)
{
	(void)state;
	struct cms_cert_cache *c = cms_cert_cache_new(2);
	const struct cms_cert *a, *b, *again;
	struct van_buf stranger = peer_read("stranger.pem");
	assert_int_equal(cms_cert_cache_get(c, hub->der, &a, NULL), 0);
	assert_int_equal(cms_cert_cache_get(c, acme->der, &b, NULL), 0);
	assert_int_equal(cms_cert_cache_get(c, hub->der, &again, NULL), 0);
	assert_ptr_equal(a, again);
	assert_int_equal(cms_cert_cache_get(c, SLICE("x"), &again, NULL), VAN_ESYNTAX);
	assert_int_equal(cms_cert_cache_get(c, van_buf_slice(&stranger), &again, NULL), 0); /* hub's is dropped */
	assert_int_equal(cms_cert_cache_get(c, acme->der, &again, NULL), 0);
	assert_ptr_equal(b, again);
	van_buf_free(&stranger);
	cms_cert_cache_free(c);
}

static struct van_buf wrap(const char *options, const unsigned char *key, size_t n)
{
	peer_write("contentkey", key, n);
	assert_int_equal(peer_run("openssl pkeyutl -encrypt -certin -inkey hub.pem -in contentkey -out wrapped %s", options), 0);
	return peer_read("wrapped");
}

static void unwrapping(void **state)
{
	(void)state;
	struct cms_unwrapper *u;
	unsigned char key[32], out[32], again[32];
	for (int i = 0; i < 32; i++)
		key[i] = (unsigned char)(i * 7);
	assert_int_equal(cms_unwrapper_new(hub_key, &u, NULL), 0);
	struct van_buf blob = wrap("", key, 32), oaep = wrap("-pkeyopt rsa_padding_mode:oaep", key, 32);
	struct slice b = van_buf_slice(&blob);
	cms_unwrap(u, WRAP_RSA_PKCS1, SLICE_NONE, b, 32, out);
	assert_memory_equal(out, key, 32);
	cms_unwrap(u, WRAP_RSA_OAEP, SLICE_NONE, van_buf_slice(&oaep), 32, out);
	assert_memory_equal(out, key, 32);
	/* failures: another key, the same each time, different for each blob */
	cms_unwrap(u, WRAP_RSA_PKCS1, SLICE_NONE, b, 16, out);
	assert_memory_not_equal(out, key, 16);
	assert_memory_not_equal(out, key + 16, 16);
	cms_unwrap(u, WRAP_RSA_PKCS1, SLICE_NONE, b, 16, again);
	assert_memory_equal(out, again, 16);
	cms_unwrap(u, WRAP_RSA_OAEP, SLICE_NONE, b, 32, out);
	assert_memory_not_equal(out, key, 32);
	cms_unwrap(u, WRAP_RSA_OAEP, SLICE("\x30\x03\x01"), van_buf_slice(&oaep), 32, out);
	assert_memory_not_equal(out, key, 32);
	blob.p[100] ^= 1;
	cms_unwrap(u, WRAP_RSA_PKCS1, SLICE_NONE, b, 32, again);
	assert_memory_not_equal(out, again, 32);
	cms_unwrap(u, WRAP_RSA_PKCS1, SLICE_NONE, slice_make(blob.p, 10), 32, out);
	assert_memory_not_equal(out, again, 32);
	cms_unwrap(u, WRAP_NONE, SLICE_NONE, SLICE_NONE, 32, out);
	char large[5000] = {1};
	cms_unwrap(u, WRAP_RSA_PKCS1, SLICE_NONE, slice_make(large, sizeof large), 32, out);
	memset(large, 0xff, 256);
	cms_unwrap(u, WRAP_RSA_PKCS1, SLICE_NONE, slice_make(large, 256), 32, out);
	cms_unwrapper_free(u);
	van_buf_free(&blob);
	van_buf_free(&oaep);
}

static void sign(const struct cms_signer *s, struct van_buf *to)
{
	unsigned char md[DIGEST_SIZE_MAX];
	digest_bytes(DIGEST_SHA256, "text", 4, md);
	assert_int_equal(cms_sign_digest(s, SIGN_PKCS1, DIGEST_SHA256, md, NOW, to, NULL), 0);
}

/* As pyAS2 signs: with the longest salt that the key allows. */
static struct slice sign_with_long_salt(EVP_PKEY *key, enum digest_alg alg, struct slice attrs, unsigned char to[256])
{
	unsigned char md[DIGEST_SIZE_MAX];
	size_t n = 256;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(digest_bytes(alg, attrs.p, attrs.n, md), 0);
	assert_true(ctx && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_MAX) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(digest_name(alg))) == 1 &&
		    EVP_PKEY_sign(ctx, to, &n, md, digest_size(alg)) == 1);
	EVP_PKEY_CTX_free(ctx);
	return slice_make(to, n);
}

/* Parameters of RSASSA-PSS that aren't there: the digest that the signer info announces. There, and empty: they say SHA-1. */
static void pss_without_parameters(void **state)
{
	static const unsigned char absent[] = {0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0a};
	static const unsigned char empty[] = {0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0a, 0x30, 0};
	static const enum digest_alg digests[] = {DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};
	struct van_arena *arena = van_arena_new(0);
	EVP_PKEY *key = peer_key("acme");
	struct cms_cert *cert = peer_cert("acme");
	struct cms_signer *s;
	(void)state;
	assert_int_equal(cms_signer_new(key, cert, &s, NULL), 0);
	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
		unsigned char md[DIGEST_SIZE_MAX], long_salt[256];
		struct van_buf der = VAN_BUF_INIT(0);
		struct cms_signed parsed;
		assert_int_equal(digest_bytes(digests[i], "text", 4, md), 0);
		assert_int_equal(cms_sign_digest(s, SIGN_PSS, digests[i], md, NOW, &der, NULL), 0);
		assert_int_equal(cms_signed_parse(van_buf_slice(&der), arena, &parsed, NULL), 0);
		struct cms_signer_info *info = &parsed.signers[0];
		assert_int_equal(cms_signer_info_verify(info, md, cert, NULL), 0);
		info->signature_alg = slice_make(absent, sizeof absent);
		assert_int_equal(cms_signer_info_verify(info, md, cert, NULL), 0);
		assert_int_equal(cms_signer_info_verify(info, md, hub, NULL), VAN_ECRYPTO);
		struct cms_signer_info other = *info;
		other.signature = sign_with_long_salt(key, digests[i], info->signed_attrs, long_salt);
		assert_int_equal(cms_signer_info_verify(&other, md, cert, NULL), 0);
		other.digest = digests[i] == DIGEST_SHA256 ? DIGEST_SHA512 : DIGEST_SHA256;
		assert_int_not_equal(cms_signer_info_verify(&other, md, cert, NULL), 0);
		info->signature_alg = slice_make(empty, sizeof empty);
		assert_int_equal(cms_signer_info_verify(info, md, cert, NULL), digests[i] == DIGEST_SHA1 ? 0 : VAN_EDENIED);
		van_buf_free(&der);
	}
	cms_signer_free(s);
	cms_cert_free(cert);
	cms_private_key_free(key);
	van_arena_free(arena);
}

static void *sign_many(void *arg)
{
	struct van_buf b = VAN_BUF_INIT(0);
	for (int i = 0; i < 20; i++) {
		van_buf_reset(&b);
		sign(arg, &b);
	}
	van_buf_free(&b);
	return NULL;
}

static void signing(void **state)
{
	(void)state;
	struct cms_signer *s;
	struct van_error e;
	struct van_buf der = VAN_BUF_INIT(0);
	assert_int_equal(cms_signer_new(hub_key, acme, &s, &e), VAN_ECONFLICT);
	assert_int_equal(cms_signer_new(hub_key, hub, &s, &e), 0);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_many, s), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	sign(s, &der);
	peer_write("sig", der.p, der.n);
	peer_write("content", "text", 4);
	assert_int_equal(peer_run("openssl cms -verify -inform DER -in sig -content content -binary -CAfile hub.pem -purpose any -out v"), 0);
	assert_int_not_equal(peer_run("printf Text >c2; openssl cms -verify -inform DER -in sig -content c2 -binary -CAfile hub.pem -purpose any "
				      "-out v"), 0);
	unsigned char md[DIGEST_SIZE_MAX];
	assert_int_equal(cms_sign_digest(s, SIGN_PKCS1, DIGEST_NONE, md, NOW, &der, &e), VAN_EINVAL);
	/* every cut of it is refused, every changed byte is harmless */
	struct van_arena *arena = van_arena_new(0);
	struct cms_signed got;
	for (size_t n = 0; n < der.n; n++)
		assert_int_equal(cms_signed_parse(slice_make(der.p, n), arena, &got, &e), VAN_ESYNTAX);
	assert_int_equal(cms_signed_parse(van_buf_slice(&der), arena, &got, &e), 0);
	assert_true(got.signers[0].signing_time == NOW);
	for (size_t i = 0; i < der.n; i++) {
		der.p[i] ^= 0x21;
		cms_signed_parse(van_buf_slice(&der), arena, &got, &e);
		der.p[i] ^= 0x21;
		van_arena_reset(arena);
	}
	van_arena_free(arena);
	van_buf_free(&der);
	cms_signer_free(s);
}

/* ---- what it costs -------------------------------------------------------------------------------------------------- */

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double bare_rsa(unsigned rounds)
{
	unsigned char md[32] = {1}, sig[256];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(hub_key, NULL);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256());
	double from = now_us();
	for (unsigned i = 0; i < rounds; i++) {
		size_t n = sizeof sig;
		EVP_PKEY_sign(ctx, sig, &n, md, 32);
	}
	double us = (now_us() - from) / rounds;
	EVP_PKEY_CTX_free(ctx);
	return us;
}

static int discard(void *arg, const void *p, size_t n)
{
	(void)p;
	*(size_t *)arg += n;
	return 0;
}

static unsigned char known_key[32];
static int known;

static int unwrap_once(void *arg, const struct cms_cert *cert, const struct cms_recipient *r, unsigned char *key, size_t n)
{
	struct cms_unwrapper *u;
	(void)arg;
	(void)cert;
	if (!known) {
		assert_int_equal(cms_unwrapper_new(hub_key, &u, NULL), 0);
		cms_unwrap(u, r->wrap, r->wrap_params, r->encrypted_key, n, known_key);
		cms_unwrapper_free(u);
		known = 1;
	}
	memcpy(key, known_key, n);
	return 0;
}

static void receive_once(struct slice body, struct van_arena *arena, struct as2_received *got)
{
	struct mime_header v[] = {
		{SLICE("AS2-From"), SLICE("ACME")}, {SLICE("AS2-To"), SLICE("HUB")}, {SLICE("Message-ID"), SLICE("<1@acme>")},
		{SLICE("Disposition-Notification-To"), SLICE("x")},
		{SLICE("Disposition-Notification-Options"), SLICE("signed-receipt-protocol=optional, pkcs7-signature; "
								  "signed-receipt-micalg=optional, sha256")},
		{SLICE("Content-Type"), SLICE("application/pkcs7-mime; smime-type=enveloped-data")},
	};
	struct mime_headers h = {v, 6};
	struct as2_request q;
	struct as2_receiver *r;
	size_t payload = 0;
	const struct cms_cert *ours[] = {hub}, *theirs[] = {acme};
	van_arena_reset(arena);
	as2_request_parse(&h, arena, &q, NULL);
	struct as2_receiver_config c = {.request = &q, .policy = {.require_signed = true, .require_encrypted = true, .payload_sha256 = true},
					.decrypt_certs = ours, .ndecrypt_certs = 1, .partner_certs = theirs, .npartner_certs = 1,
					.arg = &payload, .unwrap = unwrap_once, .payload = discard};
	assert_int_equal(as2_receiver_new(&c, &r, NULL), 0);
	assert_int_equal(as2_receiver_feed(r, body.p, body.n), 0);
	assert_int_equal(as2_receiver_finish(r, got, NULL), 0);
	as2_receiver_free(r);
	assert_int_equal(got->disposition, AS2_PROCESSED);
}

static void cost(void **state)
{
	(void)state;
	struct cms_signer *s;
	struct cms_unwrapper *u;
	struct van_buf out = VAN_BUF_INIT(0), entity = VAN_BUF_INIT(0);
	unsigned char key[32] = {0}, got_key[32];
	const unsigned rounds = 200;
	assert_int_equal(cms_signer_new(hub_key, hub, &s, NULL), 0);
	assert_int_equal(cms_unwrapper_new(hub_key, &u, NULL), 0);
	struct van_buf blob = wrap("", key, 32);
	double rsa = bare_rsa(rounds), from = now_us();
	for (unsigned i = 0; i < rounds; i++) {
		van_buf_reset(&out);
		sign(s, &out);
	}
	double signing_us = (now_us() - from) / rounds;
	from = now_us();
	for (unsigned i = 0; i < rounds; i++)
		cms_unwrap(u, WRAP_RSA_PKCS1, SLICE_NONE, van_buf_slice(&blob), 32, got_key);
	double unwrap_us = (now_us() - from) / rounds;
	rsa = (rsa + bare_rsa(rounds)) / 2;
	van_buf_append_str(&entity, "Content-Type: application/edi-x12\r\n\r\n");
	for (int i = 0; entity.n < 10240; i++)
		van_buf_printf(&entity, "PO1*%d*%u*EA*%u.5**VP*ITEM%d~\n", i, i * 7 % 100, i % 1000, i);
	peer_write("entity", entity.p, entity.n);
	assert_int_equal(peer_run("openssl cms -sign -in entity -binary -signer acme.pem -inkey acme.key -md sha256 | "
				  "openssl cms -encrypt -binary -aes256 -outform DER -out body hub.pem"), 0);
	struct van_buf body = peer_read("body");
	struct van_arena *arena = van_arena_new(0);
	struct as2_received got;
	receive_once(van_buf_slice(&body), arena, &got);
	from = now_us();
	for (unsigned i = 0; i < 10 * rounds; i++)
		receive_once(van_buf_slice(&body), arena, &got);
	double receive_us = (now_us() - from) / (10 * rounds);
	print_message("# bare RSA %.0f us; sign CMS %+.1f us; unwrap %+.1f us; receive 10 KB without its RSA private operation %.1f us\n", rsa,
		      signing_us - rsa, unwrap_us - rsa, receive_us);
	van_arena_free(arena);
	van_buf_free(&body);
	van_buf_free(&entity);
	van_buf_free(&out);
	van_buf_free(&blob);
	cms_signer_free(s);
	cms_unwrapper_free(u);
}

/* ---- BER that openssl does not write -------------------------------------------------------------------------------- */

static struct van_buf seen;
static int reader_content(void *arg, const void *p, size_t n)
{
	(void)arg;
	return van_buf_append(&seen, p, n);
}

static int read_cms(struct slice in, size_t step)
{
	struct cms_reader_events ev = {.content = reader_content};
	struct cms_reader *r = cms_reader_new(&ev, NULL);
	int rc = 0;
	van_buf_reset(&seen);
	for (size_t at = 0; !rc && at < in.n; at += step)
		rc = cms_reader_feed(r, in.p + at, in.n - at < step ? in.n - at : step);
	if (!rc)
		rc = cms_reader_finish(r);
	cms_reader_free(r);
	return rc;
}

#define SIGNED_HEAD "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x80\x00\x00\x30\x80\x06\x09" \
		    "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"

static void nested_octets(void **state)
{
	(void)state;
	static const struct {
		struct slice in;
		int rc;
	} table[] = {
		{SLICE(SIGNED_HEAD "\xa0\x80\x24\x80\x04\x02" "ab\x24\x80\x24\x05\x04\x01" "c\x04\x00\x00\x00\x04\x81\x01" "d\x00\x00\x00\x00"), 0},
		{SLICE(SIGNED_HEAD "\xa0\x06\x04\x04" "abcd"), 0},
		{SLICE(SIGNED_HEAD "\xa0\x80\x04\x02" "ab\x04\x02" "cd\x00\x00"), 0},
		{SLICE(SIGNED_HEAD "\xa0\x80\x24\x80\x04\x04" "abcd\x00\x00"), VAN_ESYNTAX},   /* not closed */
		{SLICE(SIGNED_HEAD "\xa0\x05\x04\x04" "abcd"), VAN_ESYNTAX},                    /* longer than what it is in */
		{SLICE(SIGNED_HEAD "\xa0\x80\x02\x01\x01\x00\x00"), VAN_ESYNTAX},               /* not octets */
		{SLICE(SIGNED_HEAD "\xa0\x80\x24\x08\x24\x80\x04\x04" "abcd\x00\x00\x00\x00"), VAN_ESYNTAX},
		{SLICE(SIGNED_HEAD "\xa0\x80\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff"), VAN_ESYNTAX},
		{SLICE(SIGNED_HEAD "\xa0\x80\x24\x80\x24\x80\x24\x80\x24\x80\x24\x80\x24\x80\x24\x80\x24\x80\x24\x80\x24\x80\x24\x80\x24\x80"), VAN_ESYNTAX},
		{SLICE("\x30\x80\x06\x03\x2a\x03\x04"), VAN_ESYNTAX},
		{SLICE(""), VAN_ESYNTAX},
	};
	seen = VAN_BUF_INIT(0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (size_t step = 1; step < 100; step++) {
			int rc = read_cms(table[i].in, step);
			if (rc != table[i].rc || (!rc && !slice_is(van_buf_slice(&seen), "abcd")))
				fail_msg("%zu in steps of %zu: %d, \"%.*s\"", i, step, rc, SLICE_ARG(van_buf_slice(&seen)));
		}
	van_buf_free(&seen);
}

static int set_up(void **state)
{
	(void)state;
	if (peer_start() != 0)
		return -1;
	hub = peer_cert("hub");
	acme = peer_cert("acme");
	hub_key = peer_key("hub");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cms_cert_free(hub);
	cms_cert_free(acme);
	cms_private_key_free(hub_key);
	peer_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts),   cmocka_unit_test(bad_files), cmocka_unit_test(cache),         cmocka_unit_test(unwrapping),
		cmocka_unit_test(signing), cmocka_unit_test(cost),      cmocka_unit_test(nested_octets), cmocka_unit_test(pss_without_parameters),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
