/* Every allocation of ours fails in turn: the result is an error of ours, never a refusal of the peer's message, and nothing
 * leaks. Linked with --wrap for malloc, calloc and realloc. */
#include "as2_peer.h"

#include "as2/mdn.h"
#include "as2/receive.h"
#include "cms/digest.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static long left = -1; /* allocations until one fails; negative: none does */
static bool failed;

static bool fails(void)
{
	if (left < 0)
		return false;
	if (left-- > 0)
		return false;
	failed = true;
	return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static struct cms_cert *acme, *hub;
static struct cms_unwrapper *unwrapper;
static struct cms_signer *signer;
static struct van_buf bodies[2];
static const char *const types[2] = {"application/pkcs7-mime", "application/pkcs7-mime; smime-type=signed-data"};

static int unwrap(void *arg, const struct cms_cert *cert, const struct cms_recipient *r, unsigned char *key, size_t n)
{
	(void)arg, (void)cert;
	cms_unwrap(unwrapper, r->wrap, r->wrap_params, r->encrypted_key, n, key);
	return 0;
}

static int discard(void *arg, const void *p, size_t n)
{
	(void)arg, (void)p, (void)n;
	return 0;
}

static int answer(const struct as2_request *q, const struct as2_received *got)
{
	struct van_buf report = VAN_BUF_INIT(0), der = VAN_BUF_INIT(0), headers = VAN_BUF_INIT(0), body = VAN_BUF_INIT(0);
	struct as2_mdn_facts f = {.request = q, .from = q->to, .to = q->from, .message_id = SLICE("<2>"), .unique = SLICE("u"),
				  .reporting_ua = SLICE("t"), .mic_text = slice_str(got->mic_text),
				  .sign = as2_mdn_sign_digest(q, got->mic_alg)};
	unsigned char md[DIGEST_SIZE_MAX];
	int rc = as2_mdn_build(&f, &report, NULL);
	if (!rc)
		rc = digest_bytes(f.sign, report.p, report.n, md);
	if (!rc)
		rc = cms_sign_digest(signer, SIGN_PKCS1, f.sign, md, 0, &der, NULL);
	if (!rc)
		rc = as2_mdn_finish(&f, van_buf_slice(&report), van_buf_slice(&der), &headers, &body, NULL);
	van_buf_free(&report);
	van_buf_free(&der);
	van_buf_free(&headers);
	van_buf_free(&body);
	return rc;
}

static int whole_way(size_t i, struct as2_received *got)
{
	struct mime_header v[] = {{SLICE("AS2-From"), SLICE("A")}, {SLICE("AS2-To"), SLICE("B")}, {SLICE("Message-ID"), SLICE("<1>")},
				  {SLICE("Content-Type"), slice_str(types[i])}, {SLICE("Disposition-Notification-To"), SLICE("x")},
				  {SLICE("Disposition-Notification-Options"), SLICE("signed-receipt-micalg=optional, sha256")}};
	struct mime_headers h = {v, 6};
	struct van_arena *arena = van_arena_new(0);
	struct as2_request q;
	struct as2_receiver *r = NULL;
	const struct cms_cert *decrypt[] = {hub}, *partner[] = {acme};
	int rc = arena ? as2_request_parse(&h, arena, &q, NULL) : VAN_ENOMEM;
	struct as2_receiver_config c = {.request = &q, .policy = {.require_signed = true, .payload_sha256 = true}, .decrypt_certs = decrypt,
					.ndecrypt_certs = 1, .partner_certs = partner, .npartner_certs = 1, .unwrap = unwrap,
					.payload = discard};
	if (!rc)
		rc = as2_receiver_new(&c, &r, NULL);
	for (size_t at = 0; !rc && at < bodies[i].n; at += 1000)
		rc = as2_receiver_feed(r, bodies[i].p + at, bodies[i].n - at < 1000 ? bodies[i].n - at : 1000);
	if (!rc)
		rc = as2_receiver_finish(r, got, NULL);
	as2_receiver_free(r);
	if (!rc)
		rc = answer(&q, got);
	van_arena_free(arena);
	return rc;
}

static void torture(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (long n = 0;; n++) {
			struct as2_received got = {.disposition = AS2_PROCESSED};
			failed = false;
			left = n;
			int rc = whole_way(i, &got);
			left = -1;
			if (rc == 0 && !failed) {
				assert_int_equal(got.disposition, AS2_PROCESSED);
				assert_true(got.mic_text[0]);
				break;
			}
			if (rc == 0 && got.disposition != AS2_PROCESSED)
				fail_msg("allocation %ld: %s", n, got.text);
			assert_true(rc == 0 || rc == VAN_ENOMEM);
		}
}

static int set_up(void **state)
{
	(void)state;
	if (peer_start() != 0)
		return -1;
	if (peer_run("printf 'Content-Type: a/b; name=x\\r\\n\\r\\nISA' >e; S='openssl cms -sign -in e -binary -signer acme.pem -inkey acme.key'; "
		     "$S -out s && openssl cms -encrypt -binary -aes256 -in s -outform DER -out b0 hub.pem && $S -nodetach -outform DER -out b1"))
		return -1;
	bodies[0] = peer_read("b0");
	bodies[1] = peer_read("b1");
	acme = peer_cert("acme");
	hub = peer_cert("hub");
	EVP_PKEY *key = peer_key("hub");
	int rc = cms_unwrapper_new(key, &unwrapper, NULL) || cms_signer_new(key, hub, &signer, NULL);
	cms_private_key_free(key);
	return rc;
}

static int tear_down(void **state)
{
	(void)state;
	cms_cert_free(acme);
	cms_cert_free(hub);
	cms_unwrapper_free(unwrapper);
	cms_signer_free(signer);
	van_buf_free(&bodies[0]);
	van_buf_free(&bodies[1]);
	peer_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(torture)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
