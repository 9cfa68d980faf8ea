/* Requests, dispositions, and MDNs: written, verified by the openssl command, read. */
#include "as2_peer.h"

#include "as2/mdn.h"
#include "as2/mdn_read.h"
#include "as2/url.h"
#include "base/codec.h"
#include "base/fdio.h"
#include "cms/digest.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct van_arena *arena;
static struct cms_cert *hub, *acme, *ec;
#define NOW ((van_time)1767225600 * VAN_SECOND) /* 2026-01-01 */

static struct as2_request parse(const char *options, const char *message_id)
{
	struct mime_header v[] = {
		{SLICE("as2-from"), SLICE("\"ACME \\\"A\\\\S2\\\"\"")}, {SLICE("AS2-To"), SLICE("HUBNET")},
		{SLICE("Message-ID"), slice_str(message_id)},           {SLICE("AS2-Version"), SLICE("1.1")},
		{SLICE("Disposition-Notification-To"), SLICE("x")},     {SLICE("Disposition-Notification-Options"), slice_str(options)},
		{SLICE("EDIINT-Features"), SLICE("multiple-attachments, AS2-Reliability,other")},
	};
	struct mime_headers h = {v, 7};
	struct as2_request q;
	assert_int_equal(as2_request_parse(&h, arena, &q, NULL), 0);
	return q;
}

static void requests(void **state)
{
	(void)state;
	struct slice name;
	struct as2_request q = parse("signed-receipt-protocol=required,pkcs7-signature;signed-receipt-micalg=required, foo, SHA_512,sha1",
				     "<a [b] c>");
	assert_true(slice_is(q.from, "ACME \"A\\S2\""));
	assert_true(slice_is(q.message_id, "<a [b] c>"));
	assert_int_equal(q.version_minor, 1);
	assert_int_equal(q.features, AS2_FEATURE_MULTIPLE_ATTACHMENTS | AS2_FEATURE_RELIABILITY);
	assert_true(q.mdn_signed && q.protocol == AS2_OPTION_REQUIRED && q.micalg == AS2_OPTION_REQUIRED);
	assert_int_equal(q.nmicalgs, 2);
	assert_int_equal(as2_request_mic(&q, DIGEST_SHA256, &name), DIGEST_SHA512);
	assert_true(slice_is(name, "SHA_512"));
	assert_int_equal(as2_request_mic(&q, DIGEST_SHA1, &name), DIGEST_SHA1);
	q = parse("signed-receipt-micalg=optional, rsa-sha256", "no brackets at all");
	assert_true(q.mdn_signed);
	assert_int_equal(as2_request_mic(&q, DIGEST_NONE, &name), DIGEST_SHA256);
	q = parse("", "<1>");
	assert_false(q.mdn_signed);
	assert_int_equal(as2_request_mic(&q, DIGEST_SHA384, &name), DIGEST_SHA384);
	assert_true(slice_is(name, "sha-384"));
}

static void bad_requests(void **state)
{
	(void)state;
	struct mime_header v[] = {{SLICE("AS2-From"), SLICE("A")}, {SLICE("AS2-To"), SLICE("B")}, {SLICE("Message-ID"), SLICE("<1>")},
				  {SLICE("AS2-To"), SLICE("B")}};
	struct as2_request q;
	struct van_error e;
	assert_int_equal(as2_request_parse(&(struct mime_headers){v, 3}, arena, &q, &e), 0);
	assert_int_equal(as2_request_parse(&(struct mime_headers){v, 2}, arena, &q, &e), VAN_ESYNTAX);
	assert_non_null(strstr(e.text, "Message-ID"));
	/* what may be an MDN may be without; a document may not */
	struct mime_header report[] = {v[0], v[1], {SLICE("Content-Type"), SLICE("Multipart/Signed; boundary=x")}};
	assert_int_equal(as2_request_parse(&(struct mime_headers){report, 3}, arena, &q, &e), 0);
	assert_true(q.maybe_mdn && !q.is_mdn);
	assert_int_equal(as2_request_named(&q, &e), VAN_ESYNTAX);
	assert_int_equal(as2_request_parse(&(struct mime_headers){v, 4}, arena, &q, &e), VAN_ESYNTAX);
	static const char *const ids[] = {"", "\"\"", "a\tb", "\xc3\xa4", "\"a\x01\""};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		v[0].value = slice_str(ids[i]);
		assert_int_equal(as2_request_parse(&(struct mime_headers){v, 3}, arena, &q, &e), VAN_ESYNTAX);
	}
	char longest[130];
	memset(longest, 'x', sizeof longest);
	v[0].value = slice_make(longest, 128);
	assert_int_equal(as2_request_parse(&(struct mime_headers){v, 3}, arena, &q, &e), 0);
	v[0].value = slice_make(longest, 129);
	assert_int_equal(as2_request_parse(&(struct mime_headers){v, 3}, arena, &q, &e), VAN_ESYNTAX);
}

static void dispositions(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum as2_disposition d;
	} table[] = {
		{"automatic-action/MDN-sent-automatically; processed", AS2_PROCESSED},
		{"Automatic-action/mdn-sent-automatically;Processed", AS2_PROCESSED},
		{"automatic-action/MDN-sent-automatically; processed/Error: Decryption-Failed", AS2_DECRYPTION_FAILED},
		{"automatic-action/MDN-sent-automatically; processed/error:integrity-check-failed", AS2_INTEGRITY_CHECK_FAILED},
		{"automatic-action/MDN-sent-automatically; processed/error: something new", AS2_OTHER_ERROR},
		{"automatic-action/MDN-sent-automatically; processed/warning: duplicate-document", AS2_DUPLICATE_DOCUMENT},
		{"automatic-action/MDN-sent-automatically; processed/Warning: authentication-failed, processing continued", AS2_PROCESSED_WARNING},
		{"automatic-action/MDN-sent-automatically; failed/Failure: unsupported MIC-algorithms", AS2_UNSUPPORTED_MIC},
		{"automatic-action/MDN-sent-automatically; failed/failure: sender-equals-receiver", AS2_SENDER_EQUALS_RECEIVER},
		{"automatic-action/MDN-sent-automatically; failed", AS2_OTHER_ERROR},
		{"", AS2_OTHER_ERROR},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(as2_disposition_parse(slice_str(table[i].text)), table[i].d);
	for (int d = 0; d < AS2_DUPLICATE_DOCUMENT; d++) {
		char field[200];
		snprintf(field, sizeof field, "automatic-action/x; %s", as2_disposition_text((enum as2_disposition)d, 3));
		assert_int_equal(as2_disposition_parse(slice_str(field)), d);
	}
	assert_string_equal(as2_disposition_text(AS2_UNKNOWN_RELATIONSHIP, 2), "processed/error: authentication-failed");
	assert_false(as2_disposition_ok(AS2_DECRYPTION_FAILED));
	assert_true(as2_disposition_ok(AS2_DUPLICATE_DOCUMENT));
}

struct mdn {
	struct van_buf report, der, headers, body;
};

static void mdn_free(struct mdn *m)
{
	van_buf_free(&m->report);
	van_buf_free(&m->der);
	van_buf_free(&m->headers);
	van_buf_free(&m->body);
}

static struct mdn write_mdn(const struct as2_request *q, enum digest_alg sign, const char *signer, const struct cms_cert *cert)
{
	struct mdn m = {VAN_BUF_INIT(0), VAN_BUF_INIT(0), VAN_BUF_INIT(0), VAN_BUF_INIT(0)};
	struct as2_mdn_facts f = {.request = q, .from = SLICE("HUBNET"), .to = q->from, .message_id = SLICE("<mdn1@hub>"),
				  .unique = SLICE("01ABCDEF"), .reporting_ua = SLICE("openvan@van.example"), .subject = SLICE("Receipt"),
				  .now = NOW, .text = SLICE("All is well.\n\xc3\x84nd"), .sign = sign,
				  .mic_text = SLICE("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=, SHA256")};
	assert_int_equal(as2_mdn_build(&f, &m.report, NULL), 0);
	if (sign != DIGEST_NONE) {
		unsigned char md[DIGEST_SIZE_MAX];
		struct cms_signer *s;
		EVP_PKEY *key = peer_key(signer);
		assert_int_equal(digest_bytes(sign, m.report.p, m.report.n, md), 0);
		assert_int_equal(cms_signer_new(key, cert, &s, NULL), 0);
		assert_int_equal(cms_sign_digest(s, SIGN_PKCS1, sign, md, NOW, &m.der, NULL), 0);
		cms_signer_free(s);
		cms_private_key_free(key);
	}
	assert_int_equal(as2_mdn_finish(&f, van_buf_slice(&m.report), van_buf_slice(&m.der), &m.headers, &m.body, NULL), 0);
	return m;
}

static void assert_openssl_verifies(const struct mdn *m, const char *signer)
{
	struct van_buf all = VAN_BUF_INIT(0);
	van_buf_append(&all, m->headers.p, m->headers.n);
	van_buf_append_str(&all, "\r\n");
	van_buf_append(&all, m->body.p, m->body.n);
	peer_write("mdn", all.p, all.n);
	van_buf_free(&all);
	assert_int_equal(peer_run("openssl cms -verify -in mdn -CAfile %s.pem -purpose any -out verified", signer), 0);
	struct van_buf verified = peer_read("verified");
	assert_int_equal(verified.n, m->report.n);
	assert_memory_equal(verified.p, m->report.p, verified.n);
	van_buf_free(&verified);
	/* what was signed, and when */
	assert_int_equal(peer_run("openssl cms -cmsout -print -in mdn | grep -q 'UTCTIME:Jan  1 00:00:00 2026 GMT'"), 0);
}

static void assert_we_read(const struct mdn *m, const struct as2_request *q, const struct cms_cert *cert, bool was_signed)
{
	struct mime_headers h;
	struct as2_mdn got;
	struct van_error e;
	const struct cms_cert *certs[] = {acme, cert};
	assert_int_equal(mime_headers_parse(van_buf_slice(&m->headers), arena, &h, NULL), 0);
	assert_int_equal(as2_mdn_parse(&h, van_buf_slice(&m->body), arena, &got, &e), 0);
	assert_int_equal(got.was_signed, was_signed);
	assert_int_equal(got.disposition, AS2_PROCESSED);
	assert_true(slice_eq(got.original_message_id, q->message_id));
	assert_true(slice_is(got.final_recipient, "HUBNET"));
	assert_true(slice_is(got.text, "All is well.\r\n??nd\r\n"));
	assert_int_equal(got.mic_alg, DIGEST_SHA256);
	assert_int_equal(got.mic[0], 0x2c);
	int rc = as2_mdn_verify(&h, van_buf_slice(&m->body), certs, 2, arena, &got, &e);
	assert_int_equal(rc, was_signed ? 0 : VAN_ENOTFOUND);
	if (!was_signed)
		return;
	assert_ptr_equal(got.signer, cert);
	assert_int_equal(as2_mdn_verify(&h, van_buf_slice(&m->body), certs, 1, arena, &got, &e), VAN_ECRYPTO);
	struct van_buf changed = VAN_BUF_INIT(0);
	van_buf_append(&changed, m->body.p, m->body.n);
	memcpy(strstr(changed.p, "All is"), "All iz", 6);
	assert_int_equal(as2_mdn_verify(&h, van_buf_slice(&changed), certs, 2, arena, &got, &e), VAN_ECONFLICT);
	van_buf_free(&changed);
}

static void mdns(void **state)
{
	(void)state;
	struct as2_request q = parse("signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha256",
				     "<strange \"id\" [1] without at>");
	static const enum digest_alg digests[] = {DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};
	for (size_t i = 0; i < 4; i++) {
		struct mdn m = write_mdn(&q, digests[i], "hub", hub);
		assert_openssl_verifies(&m, "hub");
		assert_we_read(&m, &q, hub, true);
		mdn_free(&m);
		m = write_mdn(&q, digests[i], "ec", ec);
		assert_openssl_verifies(&m, "ec");
		assert_we_read(&m, &q, ec, true);
		mdn_free(&m);
	}
	struct mdn m = write_mdn(&q, DIGEST_NONE, NULL, NULL);
	assert_we_read(&m, &q, hub, false);
	assert_non_null(strstr(m.body.p, "Original-Message-ID: <strange \"id\" [1] without at>\r\n"));
	assert_non_null(memmem(m.headers.p, m.headers.n, "AS2-To: \"ACME \\\"A\\\\S2\\\"\"\r\n", 26));
	assert_non_null(memmem(m.headers.p, m.headers.n, "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n", 37));
	mdn_free(&m);
	assert_int_equal(as2_mdn_sign_digest(&q, DIGEST_SHA256), DIGEST_SHA256);
	assert_int_equal(as2_mdn_sign_digest(&q, DIGEST_MD5), DIGEST_SHA256);
	q.mdn_signed = false;
	assert_int_equal(as2_mdn_sign_digest(&q, DIGEST_SHA256), DIGEST_NONE);
}

static void no_injection(void **state)
{
	(void)state;
	struct as2_request q = parse("", "<1>");
	struct as2_mdn_facts f = {.request = &q, .from = SLICE("A"), .to = SLICE("B"), .message_id = SLICE("<2>\r\nX: y"),
				  .unique = SLICE("u1"), .reporting_ua = SLICE("u")};
	struct van_buf b = VAN_BUF_INIT(0);
	assert_int_equal(as2_mdn_build(&f, &b, NULL), VAN_EINVAL);
	f.message_id = SLICE("<2>");
	q.message_id = SLICE("a\nb");
	assert_int_equal(as2_mdn_build(&f, &b, NULL), VAN_EINVAL);
	q.message_id = SLICE("a");
	f.unique = SLICE("u\"");
	assert_int_equal(as2_mdn_build(&f, &b, NULL), VAN_EINVAL);
	assert_int_equal(b.n, 0);
	van_buf_free(&b);
}

static struct van_buf corpus(const char *name)
{
	char path[512];
	struct van_buf b = VAN_BUF_INIT(0);
	const char *src = getenv("VAN_SRCDIR");
	snprintf(path, sizeof path, "%s/../shared/corpus/as2/mdn/%s", src ? src : ".", name);
	if (file_read(path, &b) != 0)
		van_buf_reset(&b);
	return b;
}

/* Captured from two real systems; the capture damaged their signatures. */
static void captured(void **state)
{
	(void)state;
	static const struct {
		const char *name, *message_id, *recipient;
	} table[] = {
		{"issue97", "<mftas2_07102019213832125_ctm_mft_ctm_mft_dedc08b2181a4553a0996dc5eb258615_mfttest_0>", "ctm_mft"},
		{"4af6f84c-d882-4466-8e0c-305a7fbe37b3", "4af6f84c-d882-4466-8e0c-305a7fbe37b3@QVALIA-PSE000094", "POP000046"},
	};
	for (size_t i = 0; i < 2; i++) {
		char file[128];
		struct mime_headers h;
		struct as2_mdn m = {.was_signed = false};
		struct van_error e = {.text = ""};
		const struct cms_cert *certs[] = {acme};
		snprintf(file, sizeof file, "%s.header", table[i].name);
		struct van_buf header = corpus(file);
		snprintf(file, sizeof file, "%s.payload", table[i].name);
		struct van_buf payload = corpus(file);
		if (!header.n) {
			print_message("# no corpus\n");
			skip();
		}
		assert_int_equal(mime_headers_parse(van_buf_slice(&header), arena, &h, NULL), 0);
		assert_int_equal(as2_mdn_parse(&h, van_buf_slice(&payload), arena, &m, &e), 0);
		assert_int_equal(m.disposition, AS2_PROCESSED);
		assert_int_equal(m.mic_alg, DIGEST_SHA1);
		assert_true(slice_is(m.original_message_id, table[i].message_id));
		assert_true(slice_is(m.final_recipient, table[i].recipient));
		assert_true(m.was_signed && m.text.n > 20);
		assert_int_equal(as2_mdn_verify(&h, van_buf_slice(&payload), certs, 1, arena, &m, &e), VAN_ECRYPTO);
		assert_true(e.text[0]);
		assert_null(m.signer);
		for (size_t n = 0; n < payload.n; n += 17) /* cut anywhere: an error or the same, never worse */
			as2_mdn_verify(&h, slice_make(payload.p, n), certs, 1, arena, &m, &e);
		van_arena_reset(arena);
		van_buf_free(&header);
		van_buf_free(&payload);
	}
}

static int set_up(void **state)
{
	(void)state;
	arena = van_arena_new(0);
	if (peer_start() != 0)
		return -1;
	hub = peer_cert("hub");
	acme = peer_cert("acme");
	ec = peer_cert("ec");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cms_cert_free(hub);
	cms_cert_free(acme);
	cms_cert_free(ec);
	van_arena_free(arena);
	peer_stop();
	return 0;
}

/* Receipt-Delivery-Option: the host that is checked is the one that would be connected to, or the address is refused. */
static void addresses(void **state)
{
	static const struct {
		const char *url, *allowed;
		bool fits;
	} hosts[] = {
		{"http://mdn.example/x?a=b&c=http://evil/", "mdn.example", true},
		{"HTTPS://MDN.Example:8443/x", "mdn.example", true},
		{"https://mdn.example:8443/x", "mdn.example:8443", true},
		{"https://mdn.example/x", "mdn.example:8443", false},
		{"https://mdn.example/x", "mdn.example:443", true},
		{"http://[2001:db8::1]:80/x", "[2001:db8::1]", true},
		{"http://[2001:db8::1]/x", "2001:db8::1", true},
		{"http://mdn.example.evil/x", "mdn.example", false},
		{"http://evil/mdn.example", "mdn.example", false},
		{"http://evil?mdn.example", "mdn.example", false},
		{"http://xmdn.example/", "mdn.example", false},
	};
	static const char *const bad[] = {
		"", "http:", "http:/x", "http://", "http:///x", "mdn.example/x", "ftp://mdn.example/x", "mailto:a@b", "file:///etc/passwd",
		"gopher://mdn.example/", "http://mdn.example@evil/", "http://user:pw@mdn.example/", "http://evil\\@mdn.example/", "http://mdn.example\\x",
		"http://mdn.example/a b", "http://mdn.example/\r\nX: y", "http://mdn.example#@evil/", "http://mdn.example:x/", "http://mdn.example:0/",
		"http://mdn.example:99999/", "http://mdn%2eexample/", "http://[::1/", "http://[::1]x/", "http://[:81]:80/", "http://[1.2.3]/", "http://[]/", "http://mdn.example:80:81/",
	};
	struct as2_url u;
	char buffer[AS2_URL_MAX + 2] = "http://h/";
	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		assert_int_equal(as2_url_parse(slice_str(hosts[i].url), &u), 0);
		assert_int_equal(as2_url_host_is(&u, slice_str(hosts[i].allowed)), hosts[i].fits);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (as2_url_parse(slice_str(bad[i]), &u) != VAN_ESYNTAX)
			fail_msg("taken: %s", bad[i]);
	memset(buffer + 9, 'x', sizeof buffer - 9);
	assert_int_equal(as2_url_parse(slice_make(buffer, AS2_URL_MAX), &u), 0); /* long ones are common in the field */
	assert_int_equal(as2_url_parse(slice_make(buffer, AS2_URL_MAX + 1), &u), VAN_ELIMIT);
}

static void message_ids(void **state)
{
	(void)state;
	assert_true(as2_message_id_proper(SLICE("<1@x>")));
	assert_true(as2_message_id_proper(SLICE("<a.b-c_[d]@[192.0.2.1]>")));
	static const char *const odd[] = {"", "<>", "1@x", "<1@x", "<@x>", "<1@>", "<1>", "<1@x@y>", "<1 2@x>", "<<1@x>>", "<1\t@x>", "<\xc3\xa4@x>"};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		assert_false(as2_message_id_proper(slice_str(odd[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests), cmocka_unit_test(bad_requests), cmocka_unit_test(dispositions),
		cmocka_unit_test(mdns),     cmocka_unit_test(no_injection), cmocka_unit_test(captured),
		cmocka_unit_test(addresses), cmocka_unit_test(message_ids),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
