/* What we encrypt and sign, read by the openssl command: every kind of recipient key with every cipher, every way to sign. */
#include "as2_peer.h"

#include "cms/certs_only.h"
#include "cms/digest.h"
#include "cms/encrypt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int append(void *arg, const void *p, size_t n)
{
	return van_buf_append(arg, p, n);
}

static void encrypt_for(const char *name, enum cipher_alg cipher, enum wrap_alg wrap, struct slice text)
{
	struct van_buf out = VAN_BUF_INIT(0);
	struct cms_cert *cert = peer_cert(name);
	struct cms_encryptor *e = NULL;
	struct van_error err = {0};
	if (cms_encryptor_new(cipher, wrap, cert, text.n, (struct byte_sink){append, &out}, &e, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(cms_encryptor_feed(e, text.p, text.n), 0);
	assert_int_equal(cms_encryptor_finish(e), 0);
	peer_write("enveloped", out.p, out.n);
	cms_encryptor_free(e);
	cms_cert_free(cert);
	van_buf_free(&out);
}

static void assert_decrypts(const char *name, struct slice text)
{
	assert_int_equal(peer_run("openssl cms -decrypt -binary -inform DER -in enveloped -recip %s.pem -inkey %s.key -out plain", name, name), 0);
	struct van_buf plain = peer_read("plain");
	assert_true(slice_eq(van_buf_slice(&plain), text));
	van_buf_free(&plain);
}

static void every_recipient_decrypts(void **state)
{
	static const struct {
		const char *name;
		enum wrap_alg wrap;
		const char *algorithm;
	} keys[] = {
		{"hub", WRAP_RSA_PKCS1, "rsaEncryption"},
		{"hub", WRAP_RSA_OAEP, "rsaesOaep"},
		{"ec", WRAP_RSA_PKCS1, "dhSinglePass-stdDH-sha256kdf-scheme"},
		{"p384", WRAP_RSA_PKCS1, "dhSinglePass-stdDH-sha384kdf-scheme"},
		{"p521", WRAP_RSA_OAEP, "dhSinglePass-stdDH-sha512kdf-scheme"},
	};
	struct slice text = SLICE("Content-Type: application/edifact\r\n\r\nUNB+UNOA:1\0\n'\r\n");
	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		for (enum cipher_alg c = CIPHER_3DES_CBC; c < CIPHER_COUNT; c++) {
			encrypt_for(keys[i].name, c, keys[i].wrap, text);
			assert_decrypts(keys[i].name, text);
			assert_int_equal(peer_run("openssl cms -cmsout -print -noout -inform DER -in enveloped | grep -q 'algorithm: %s'",
						  keys[i].algorithm), 0);
		}
}

/* The key that wraps is as long as the content key, and the version says that a key was agreed. */
static void an_agreed_key_is_told(void **state)
{
	static const struct {
		enum cipher_alg cipher;
		const char *wrap;
		int version;
	} cases[] = {{CIPHER_AES128_CBC, "aes128-wrap", 2}, {CIPHER_AES192_CBC, "aes192-wrap", 2}, {CIPHER_AES256_CBC, "aes256-wrap", 2},
		     {CIPHER_AES256_GCM, "aes256-wrap", 0}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		encrypt_for("ec", cases[i].cipher, WRAP_RSA_PKCS1, SLICE("x"));
		assert_int_equal(peer_run("openssl asn1parse -inform DER -in enveloped >dump && grep -q 'id-%s' dump && "
					  "grep -m1 INTEGER dump | grep -q ':0%d$'", cases[i].wrap, cases[i].version), 0);
	}
}

/* Every message has a key pair of its own. */
static void ephemeral_keys_differ(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		encrypt_for("ec", CIPHER_AES128_CBC, WRAP_RSA_PKCS1, SLICE("x"));
		assert_int_equal(peer_run("openssl cms -cmsout -print -noout -inform DER -in enveloped | grep -A8 'publicKey:' >key%d", i), 0);
	}
	assert_int_equal(peer_run("test -s key0 && ! cmp -s key0 key1"), 0);
}

/* What we write, openssl lists; what openssl writes, we read, in DER, PEM and base64. */
static void certificates_alone(void **state)
{
	struct cms_cert *one = peer_cert("acme"), *two = peer_cert("ec");
	struct slice certs[] = {one->der, two->der}, got[CERTS_ONLY_MAX];
	struct van_arena *arena = van_arena_new(0);
	struct van_buf der = VAN_BUF_INIT(0);
	size_t n;
	(void)state;
	assert_int_equal(cms_certs_only_write(&der, certs, 2), 0);
	peer_write("both.p7c", der.p, der.n);
	assert_int_equal(peer_run("test $(openssl pkcs7 -inform DER -in both.p7c -print_certs | grep -c 'BEGIN CERT') = 2 && openssl crl2pkcs7 -nocrl "
				  "-certfile acme.pem -certfile ec.pem -outform DER -out der && openssl crl2pkcs7 -nocrl -certfile acme.pem -certfile "
				  "ec.pem -out pem && grep -v -- ----- pem >base64"), 0);
	static const char *const names[] = {"both.p7c", "der", "pem", "base64"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct van_buf file = peer_read(names[i]);
		assert_int_equal(cms_certs_only_read(van_buf_slice(&file), arena, got, &n), 0);
		assert_int_equal(n, 2);
		assert_true((slice_eq(got[0], one->der) && slice_eq(got[1], two->der)) || (slice_eq(got[1], one->der) && slice_eq(got[0], two->der)));
		for (size_t cut = 0; cut < file.n; cut += 7) /* never more than is there */
			cms_certs_only_read(slice_make(file.p, cut), arena, got, &n);
		van_buf_free(&file);
	}
	assert_int_equal(cms_certs_only_read(SLICE("0\003\002\001\001"), arena, got, &n), VAN_ESYNTAX);
	van_buf_free(&der);
	van_arena_free(arena);
	cms_cert_free(one);
	cms_cert_free(two);
}

static void a_key_that_can_not_be_used(void **state)
{
	struct van_buf out = VAN_BUF_INIT(0);
	struct cms_encryptor *e = NULL;
	struct van_error err = {0};
	(void)state;
	assert_int_equal(peer_run("openssl req -x509 -newkey ed25519 -nodes -keyout ed.key -out ed.pem -subj /CN=ed -days 9 2>/dev/null"), 0);
	struct cms_cert *cert = peer_cert("ed");
	assert_int_equal(cms_encryptor_new(CIPHER_AES128_CBC, WRAP_RSA_PKCS1, cert, 1, (struct byte_sink){append, &out}, &e, &err), VAN_EDENIED);
	assert_non_null(strstr(err.text, "RSA or EC"));
	assert_int_equal(out.n, 0);
	cms_cert_free(cert);
	van_buf_free(&out);
}

static void every_signature_verifies(void **state)
{
	static const enum digest_alg digests[] = {DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};
	static const struct {
		const char *name;
		enum sign_scheme scheme;
		const char *algorithm;
	} signers[] = {{"acme", SIGN_PKCS1, "rsaEncryption"}, {"acme", SIGN_PSS, "rsassaPss"}, {"ec", SIGN_PSS, "ecdsa-with-SHA"}};
	struct slice text = SLICE("ISA*00*~\r\n\0");
	unsigned char md[DIGEST_SIZE_MAX];
	(void)state;
	peer_write("signed-text", text.p, text.n);
	for (size_t i = 0; i < sizeof signers / sizeof *signers; i++) {
		EVP_PKEY *key = peer_key(signers[i].name);
		struct cms_cert *cert = peer_cert(signers[i].name);
		struct cms_signer *s;
		assert_int_equal(cms_signer_new(key, cert, &s, NULL), 0);
		for (size_t d = 0; d < 2 * sizeof digests / sizeof *digests; d++) { /* twice: with a context that was kept, too */
			enum digest_alg alg = digests[d / 2];
			struct van_buf der = VAN_BUF_INIT(0);
			assert_int_equal(digest_bytes(alg, text.p, text.n, md), 0);
			assert_int_equal(cms_sign_digest(s, signers[i].scheme, alg, md, 1700000000 * VAN_SECOND, &der, NULL), 0);
			peer_write("signature", der.p, der.n);
			assert_int_equal(peer_run("openssl cms -verify -binary -inform DER -in signature -content signed-text -CAfile %s.pem "
						  "-purpose any -no_check_time -out /dev/null 2>/dev/null", signers[i].name), 0);
			assert_int_equal(peer_run("openssl cms -cmsout -print -noout -inform DER -in signature | grep -q 'algorithm: %s'",
						  signers[i].algorithm), 0);
			van_buf_free(&der);
		}
		cms_signer_free(s);
		cms_cert_free(cert);
		cms_private_key_free(key);
	}
}

static int set_up(void **state)
{
	(void)state;
	return peer_start() < 0 ? -1
				: peer_run("for c in 384 521; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-$c -nodes -keyout p$c.key "
					   "-out p$c.pem -subj /CN=p$c -days 9 2>/dev/null; done");
}

static int tear_down(void **state)
{
	(void)state;
	peer_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recipient_decrypts), cmocka_unit_test(an_agreed_key_is_told), cmocka_unit_test(ephemeral_keys_differ),
		cmocka_unit_test(certificates_alone), cmocka_unit_test(a_key_that_can_not_be_used), cmocka_unit_test(every_signature_verifies),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
