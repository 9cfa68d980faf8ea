/* The fuzz targets over seeds that the openssl command makes, and over damaged copies of them. With VAN_FUZZ_SEEDS set to
 * an existing folder the seeds are also left there, for a fuzzer to start from. */
#include "as2_peer.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

int as2_fuzz_mime(const uint8_t *data, size_t size);
int as2_fuzz_cms(const uint8_t *data, size_t size);
int as2_fuzz_as2(const uint8_t *data, size_t size);

#define HEADERS "AS2-From: \"a b\"\r\nAS2-To: b\r\nMessage-ID: <1>\r\nDisposition-Notification-To: x\r\n" \
		"Disposition-Notification-Options: signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha1\r\n"
#define DAMAGED 150

static void save(const char *target, const char *name, const struct van_buf *b)
{
	char path[512];
	const char *dir = getenv("VAN_FUZZ_SEEDS");
	snprintf(path, sizeof path, "%s/%s-%s", dir ? dir : "", target, name);
	FILE *f = dir ? fopen(path, "w") : NULL;
	if (!f)
		return;
	fwrite(b->p, 1, b->n, f);
	fclose(f);
}

/* A byte changed, a stretch removed, doubled or overwritten. */
static void damage(struct van_buf *b)
{
	size_t at = peer_random((unsigned)b->n), n = peer_random(40);
	n = n < b->n - at ? n : b->n - at;
	switch (peer_random(4)) {
	case 0: b->p[at] = (char)peer_random(256); break;
	case 1:
		memmove(b->p + at, b->p + at + n, b->n - at - n);
		b->n -= n;
		break;
	case 2: memmove(b->p, b->p + at, n); break;
	default: memset(b->p + at, (int)peer_random(256), n); break;
	}
}

static void replay(const char *target, int (*run)(const uint8_t *, size_t), const char *front, size_t nfront, const char *name)
{
	struct van_buf seed = VAN_BUF_INIT(0), file = peer_read(name);
	van_buf_append(&seed, front, nfront);
	van_buf_append(&seed, file.p, file.n);
	save(target, name, &seed);
	run((const uint8_t *)seed.p, seed.n);
	for (int i = 0; i < DAMAGED; i++) {
		struct van_buf copy = VAN_BUF_INIT(0);
		van_buf_append(&copy, seed.p, seed.n);
		for (unsigned k = 1 + peer_random(3); k && copy.n > 2; k--)
			damage(&copy);
		run((const uint8_t *)copy.p, copy.n);
		van_buf_free(&copy);
	}
	van_buf_free(&seed);
	van_buf_free(&file);
}

static const char *const cms_files[] = {"aes256", "stream", "gcm", "keyid", "opaque", "bare", "detached", "ecdh", "two"};

static void mime(void **state)
{
	(void)state;
	for (char kind = 0; kind < 5; kind++) {
		char front[2] = {5, kind};
		replay("mime", as2_fuzz_mime, front, 2, "signed");
		replay("mime", as2_fuzz_mime, front, 2, "entity");
	}
}

static void cms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cms_files / sizeof *cms_files; i++)
		replay("cms", as2_fuzz_cms, "\x03", 1, cms_files[i]);
}

static void as2(void **state)
{
	(void)state;
	static const char front[] = "\x03" HEADERS "Content-Type: application/pkcs7-mime\r\n\r\n";
	for (size_t i = 0; i < sizeof cms_files / sizeof *cms_files; i++)
		replay("as2", as2_fuzz_as2, front, sizeof front - 1, cms_files[i]);
	replay("as2", as2_fuzz_as2, "\x03" HEADERS, sizeof HEADERS, "signed");
	replay("as2", as2_fuzz_as2, "\x03" HEADERS, sizeof HEADERS, "entity");
	static const char later[] = "\x03" HEADERS "Receipt-Delivery-Option: http://[::1]:80/x?y=z\r\n";
	replay("as2", as2_fuzz_as2, later, sizeof later - 1, "related");
}

static int set_up(void **state)
{
	(void)state;
	if (peer_start() != 0)
		return -1;
	return peer_run("printf 'Content-Type: application/edi-x12; name=\"a.b\"\\r\\nContent-Transfer-Encoding: quoted-printable\\r\\n\\r\\n"
			"ISA*=\\r\\n=41~\\r\\n' >entity; S='openssl cms -sign -in entity -binary -signer acme.pem -inkey acme.key'; "
			"E='openssl cms -encrypt -binary -in signed -outform DER'; $S | grep -v '^MIME-V' >signed && "
			"$S -nodetach -stream -outform DER -out opaque && $S -nodetach -nocerts -noattr -outform DER -out bare && "
			"$S -outform DER -out detached && $E -aes256 -out aes256 hub.pem && $E -aes128 -stream -out stream hub.pem && "
			"$E -aes-256-gcm -out gcm hub.pem && $E -des3 -keyid -out keyid hub.pem && $E -aes128 -recip ec.pem -out ecdh && "
			"$E -aes256 -recip ec.pem -keyopt ecdh_kdf_md:sha256 -recip hub.pem -keyopt rsa_padding_mode:oaep -out two && "
			"printf 'Content-Type: multipart/related; boundary=b\\r\\n\\r\\n--b\\r\\nContent-Type: application/edifact\\r\\n\\r\\n"
			"UNA:+.? ~\\r\\n--b\\r\\nContent-Type: image/png; name=x\\r\\nContent-Transfer-Encoding: base64\\r\\n\\r\\nQUJD\\r\\n"
			"--b\\r\\n\\r\\n\\r\\n--b--\\r\\n' >related");
}

static int tear_down(void **state)
{
	(void)state;
	peer_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(mime), cmocka_unit_test(cms), cmocka_unit_test(as2)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
