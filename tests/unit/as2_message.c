/* Receiving AS2 messages that the openssl command made. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "as2_peer.h"

#include "as2/receive.h"
#include "base/codec.h"
#include "cms/ber.h"
#include "cms/digest.h"
#include "cms/oid.h"

#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <zlib.h>

#include <cmocka.h>

static struct cms_cert *acme, *hub, *stranger, *ec;
static struct cms_unwrapper *hub_unwrapper;
static struct van_buf document, entity; /* what is sent, and it with its MIME headers */
static const char headers[] = "Content-Type: application/edi-x12; name=\"../../etc/po.x12\"\r\n"
			      "Content-Disposition: attachment; filename=\"..\\\\po 850.x12\"\r\n\r\n";

struct outcome {
	struct as2_received got;
	struct van_buf payload, entity;
	int fail_at; /* > 0: the payload sink fails at this byte */
	bool no_read_back, once;
	unsigned unwraps;
};

static int unwrap(void *arg, const struct cms_cert *cert, const struct cms_recipient *r, unsigned char *key, size_t n)
{
	((struct outcome *)arg)->unwraps++;
	assert_ptr_equal(cert, hub);
	cms_unwrap(hub_unwrapper, r->wrap, r->wrap_params, r->encrypted_key, n, key);
	return 0;
}

static int take_payload(void *arg, const void *p, size_t n)
{
	struct outcome *o = arg;
	if (o->fail_at && o->payload.n + n >= (size_t)o->fail_at)
		return VAN_ENOSPC;
	return van_buf_append(&o->payload, p, n);
}

static int take_entity(void *arg, const void *p, size_t n)
{
	return van_buf_append(&((struct outcome *)arg)->entity, p, n);
}

static int read_entity(void *arg, uint64_t at, void *p, size_t n)
{
	struct outcome *o = arg;
	assert_true(at + n <= o->entity.n);
	memcpy(p, o->entity.p + at, n);
	return 0;
}

enum split { WHOLE, ONE_BYTE, RANDOM };

static const struct as2_policy secure = {.require_signed = true, .require_encrypted = true, .payload_sha256 = true};
static const struct as2_policy open_policy = {.payload_sha256 = true};

static int feed(struct as2_receiver *r, struct slice body, enum split split)
{
	int rc = 0;
	for (size_t at = 0; !rc && at < body.n;) {
		size_t left = body.n - at;
		size_t n = split == WHOLE ? left : split == ONE_BYTE ? 1 : 1 + peer_random(300);
		n = n < left ? n : left;
		char *copy = malloc(n); /* so that a read past the end is seen */
		memcpy(copy, body.p + at, n);
		rc = as2_receiver_feed(r, copy, n);
		free(copy);
		at += n;
	}
	return rc;
}

static const char *micalg_options = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, SHA256, sha1";

static int receive(struct slice body, const char *type, const char *encoding, const struct as2_policy *policy, enum split split,
		   struct outcome *o)
{
	struct mime_header v[] = {
		{SLICE("AS2-From"), SLICE("\"ACME AS2\"")}, {SLICE("AS2-To"), SLICE("HUBNET")}, {SLICE("Message-ID"), SLICE("<1@acme>")},
		{SLICE("AS2-Version"), SLICE("1.2")}, {SLICE("Disposition-Notification-To"), SLICE("x@y")},
		{SLICE("Disposition-Notification-Options"), slice_str(micalg_options)}, {SLICE("Content-Type"), slice_str(type)},
		{SLICE("Content-Transfer-Encoding"), slice_str(encoding)},
	};
	struct mime_headers h = {v, 8};
	struct van_arena *arena = van_arena_new(0);
	struct as2_request q;
	assert_int_equal(as2_request_parse(&h, arena, &q, NULL), 0);
	const struct cms_cert *decrypt[] = {stranger, hub}, *partner[] = {hub, ec, acme};
	struct as2_receiver_config c = {.request = &q, .policy = *policy, .decrypt_certs = decrypt + 1, .ndecrypt_certs = 1,
					.partner_certs = partner, .npartner_certs = 3, .arg = o, .unwrap = unwrap,
					.payload = take_payload, .entity = take_entity, .payload_within_entity = o->once,
					.entity_read = o->no_read_back ? NULL : read_entity};
	struct as2_receiver *r;
	assert_int_equal(as2_receiver_new(&c, &r, NULL), 0);
	int rc = feed(r, body, split);
	if (!rc)
		rc = as2_receiver_finish(r, &o->got, NULL);
	as2_receiver_free(r);
	van_arena_free(arena);
	return rc;
}

static void outcome_free(struct outcome *o)
{
	van_buf_free(&o->payload);
	van_buf_free(&o->entity);
	*o = (struct outcome){.fail_at = 0};
}

/* The MIC as the openssl command sees it. */
static void assert_mic(const struct as2_received *got, const char *file, const char *digest, const char *name)
{
	char expected[160];
	assert_int_equal(peer_run("openssl dgst -%s -binary %s | openssl base64 -A >mic", digest, file), 0);
	struct van_buf mic = peer_read("mic");
	snprintf(expected, sizeof expected, "%.*s, %s", SLICE_ARG(van_buf_slice(&mic)), name);
	van_buf_free(&mic);
	assert_string_equal(got->mic_text, expected);
}

static void assert_document(const struct outcome *o)
{
	if (o->got.disposition != AS2_PROCESSED)
		fail_msg("%s: %s", as2_disposition_name(o->got.disposition), o->got.text);
	assert_int_equal(o->payload.n, document.n);
	assert_memory_equal(o->payload.p, document.p, document.n);
	assert_int_equal(o->got.payload_size, document.n);
	unsigned char md[64];
	digest_bytes(DIGEST_SHA256, document.p, document.n, md);
	assert_memory_equal(md, o->got.payload_sha256, 32);
}

static void assert_refused(struct slice body, const char *type, const struct as2_policy *policy, enum as2_disposition d)
{
	struct outcome o = {.fail_at = 0};
	assert_int_equal(receive(body, type, "binary", policy, RANDOM, &o), 0);
	if (o.got.disposition != d)
		fail_msg("%s instead of %s: %s", as2_disposition_name(o.got.disposition), as2_disposition_name(d), o.got.text);
	assert_true(o.got.text[0]);
	assert_string_equal(o.got.mic_text, "");
	assert_string_equal(o.got.signer_sha256, "");
	outcome_free(&o);
}

#define ENVELOPED "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"

/* openssl writes the headers of its multipart/signed into the file, which is just what is to be encrypted. */
static void sign_file(const char *options)
{
	assert_int_equal(peer_run("openssl cms -sign -in entity -binary -signer acme.pem -inkey acme.key %s -out signed", options), 0);
}

static struct van_buf encrypt_file(const char *in, const char *options)
{
	assert_int_equal(peer_run("openssl cms -encrypt -binary -in %s -outform DER -out enveloped %s", in, options), 0);
	return peer_read("enveloped");
}

static void receive_good(const char *sign_options, const char *encrypt_options, const char *digest, const char *name)
{
	sign_file(sign_options);
	struct van_buf body = encrypt_file("signed", encrypt_options);
	for (int split = WHOLE; split <= RANDOM; split++) {
		struct outcome o = {.fail_at = 0};
		struct as2_policy p = secure;
		p.digests = DIGESTS_SHA2 | ALG_BIT(DIGEST_SHA1);
		assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &p, (enum split)split, &o), 0);
		assert_document(&o);
		assert_mic(&o.got, "entity", digest, name);
		assert_true(o.got.was_signed && o.got.was_encrypted && !o.got.was_compressed);
		assert_string_equal(o.got.signer_sha256, acme->facts.sha256);
		assert_string_equal(o.got.decrypt_key_id, hub->facts.key_id);
		assert_string_equal(o.got.content_type, "application/edi-x12");
		assert_string_equal(o.got.file_name, "po 850.x12");
		assert_int_equal(o.got.entity_size, entity.n);
		assert_memory_equal(o.entity.p, entity.p, entity.n);
		assert_int_equal(o.got.payload_offset, sizeof headers - 1);
		assert_int_equal(o.unwraps, 1);
		outcome_free(&o);
	}
	van_buf_free(&body);
}

static void signed_and_encrypted(void **state)
{
	(void)state;
	receive_good("-md sha256", "-aes256 hub.pem", "sha256", "SHA256");
	receive_good("-md sha256", "-aes128 -stream hub.pem", "sha256", "SHA256");
	receive_good("-md sha1 -crlfeol", "-aes-192-cbc hub.pem", "sha1", "sha1");
	receive_good("-md sha512", "-aes256 -keyid -recip hub.pem", "sha256", "SHA256");
	receive_good("-md sha256 -noattr", "-aes256 acme.pem hub.pem", "sha256", "SHA256");
	receive_good("-md sha256 -nocerts -keyid", "-aes-256-gcm hub.pem", "sha256", "SHA256");
	receive_good("-md sha256 -keyopt rsa_padding_mode:pss", "-aes256 -recip hub.pem -keyopt rsa_padding_mode:oaep", "sha256", "SHA256");
	receive_good("-md sha384 -stream", "-aes256 -recip hub.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512 "
		     "-keyopt rsa_mgf1_md:sha512", "sha256", "SHA256");
}

static void base64_body(void **state)
{
	(void)state;
	sign_file("-md sha256");
	assert_int_equal(peer_run("openssl cms -encrypt -binary -in signed -aes256 -outform DER hub.pem | openssl base64 >body64"), 0);
	struct van_buf body = peer_read("body64");
	static const char *const encodings[] = {"base64", "binary", NULL}; /* it is seen, not believed */
	for (size_t i = 0; i < 3; i++) {
		struct outcome o = {.fail_at = 0};
		assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, encodings[i], &secure, RANDOM, &o), 0);
		assert_document(&o);
		outcome_free(&o);
	}
	van_buf_free(&body);
}

static void elliptic_signature(void **state)
{
	(void)state;
	struct outcome o = {.fail_at = 0};
	assert_int_equal(peer_run("openssl cms -sign -in entity -binary -signer ec.pem -inkey ec.key -md sha384 -out signed"), 0);
	struct van_buf body = encrypt_file("signed", "-aes256 hub.pem");
	assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, RANDOM, &o), 0);
	assert_document(&o);
	assert_string_equal(o.got.signer_sha256, ec->facts.sha256);
	assert_int_equal(o.got.signature_digest, DIGEST_SHA384);
	outcome_free(&o);
	van_buf_free(&body);
}

/* What was signed with CRLF, and came with LF. */
static void line_ends(void **state)
{
	(void)state;
	assert_int_equal(peer_run("printf 'Content-Type: application/edi-x12\r\n\r\nISA*00~\r\nGS*1~\r\n' >crlf; openssl cms -sign -in crlf "
				  "-binary -signer acme.pem -inkey acme.key -md sha256 | tr -d '\r' >signed"), 0);
	struct van_buf body = encrypt_file("signed", "-aes256 hub.pem");
	struct outcome o = {.fail_at = 0};
	assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, RANDOM, &o), 0);
	assert_int_equal(o.got.disposition, AS2_PROCESSED);
	assert_mic(&o.got, "crlf", "sha256", "SHA256");
	assert_true(slice_is(van_buf_slice(&o.payload), "ISA*00~\nGS*1~\n"));
	outcome_free(&o);
	van_buf_free(&body);
}

/* One copy is enough where the entity holds the document as it is. */
static void written_once(void **state)
{
	(void)state;
	sign_file("-md sha256");
	struct van_buf body = encrypt_file("signed", "-aes256 hub.pem");
	struct outcome o = {.once = true};
	assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, RANDOM, &o), 0);
	assert_int_equal(o.payload.n, 0);
	van_buf_append(&o.payload, o.entity.p + o.got.payload_offset, o.got.payload_size);
	assert_document(&o);
	outcome_free(&o);
	van_buf_free(&body);
}

/* The document itself in base64 within the signed part: the MIC is over the encoded part, the payload is decoded. */
static void base64_part(void **state)
{
	(void)state;
	assert_int_equal(peer_run("cp entity keep && ( printf 'Content-Type: application/edi-x12\\r\\nContent-Transfer-Encoding: base64\\r\\n"
				  "\\r\\n'; openssl base64 -in document ) >entity"), 0);
	sign_file("-md sha256");
	struct van_buf body = encrypt_file("signed", "-aes256 hub.pem");
	for (int split = WHOLE; split <= RANDOM; split++) {
		struct outcome o = {.fail_at = 0};
		assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, (enum split)split, &o), 0);
		assert_document(&o);
		assert_mic(&o.got, "entity", "sha256", "SHA256");
		assert_true(o.got.payload_offset == AS2_NO_OFFSET);
		outcome_free(&o);
	}
	assert_int_equal(peer_run("mv keep entity"), 0);
	van_buf_free(&body);
}

static void other_structures(void **state)
{
	(void)state;
	struct outcome o = {.fail_at = 0};
	/* plain: the MIC is over the body without headers */
	assert_int_equal(receive(van_buf_slice(&document), "application/edi-x12", NULL, &open_policy, RANDOM, &o), 0);
	assert_document(&o);
	assert_mic(&o.got, "document", "sha256", "SHA256");
	assert_int_equal(o.got.payload_offset, 0);
	outcome_free(&o);
	assert_refused(SLICE("--b\r\n\r\n--b--"), "multipart/report; report-type=disposition-notification; boundary=b", &open_policy,
		       AS2_UNEXPECTED_ERROR);
	/* encrypted only: over the entity with its headers */
	struct van_buf body = encrypt_file("entity", "-aes256 hub.pem");
	assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &open_policy, RANDOM, &o), 0);
	assert_document(&o);
	assert_mic(&o.got, "entity", "sha256", "SHA256");
	assert_int_equal(o.got.payload_offset, sizeof headers - 1);
	outcome_free(&o);
	assert_refused(van_buf_slice(&body), ENVELOPED, &secure, AS2_INSUFFICIENT_SECURITY);
	van_buf_free(&body);
	/* signed only */
	sign_file("-md sha256");
	body = peer_read("signed");
	char *text = strstr(body.p, "boundary=\""), type[256];
	snprintf(type, sizeof type, "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; %.*s",
		 (int)(strchr(text + 10, '"') - text + 1), text);
	struct slice all = van_buf_slice(&body);
	size_t end = mime_headers_end(all);
	struct slice signed_body = slice_make(all.p + end, all.n - end);
	assert_int_equal(receive(signed_body, type, NULL, &open_policy, RANDOM, &o), 0);
	assert_document(&o);
	assert_mic(&o.got, "entity", "sha256", "SHA256");
	outcome_free(&o);
	assert_refused(signed_body, type, &secure, AS2_INSUFFICIENT_SECURITY);
	/* without a boundary */
	assert_int_equal(receive(signed_body, "multipart/signed; micalg=sha256", NULL, &open_policy, ONE_BYTE, &o), 0);
	assert_document(&o);
	outcome_free(&o);
	/* micalg lies: read back, or refuse */
	char lie[300];
	snprintf(lie, sizeof lie, "%s", type);
	memcpy(strstr(lie, "sha-256"), "sha-512", 7);
	assert_int_equal(receive(signed_body, lie, NULL, &open_policy, RANDOM, &o), 0);
	assert_document(&o);
	outcome_free(&o);
	micalg_options = NULL;
	o.no_read_back = true;
	assert_int_equal(receive(signed_body, lie, NULL, &open_policy, RANDOM, &o), 0);
	assert_int_equal(o.got.disposition, AS2_AUTHENTICATION_FAILED);
	outcome_free(&o);
	micalg_options = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, SHA256, sha1";
	van_buf_free(&body);
}

static void opaque_signed(void **state)
{
	(void)state;
	static const char *const options[] = {"-nodetach", "-nodetach -stream", "-nodetach -nocerts -noattr"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(peer_run("openssl cms -sign -in entity -binary -signer acme.pem -inkey acme.key -md sha256 %s -outform DER "
					  "-out opaque", options[i]), 0);
		struct van_buf body = peer_read("opaque");
		for (int split = WHOLE; split <= RANDOM; split++) {
			struct outcome o = {.fail_at = 0};
			assert_int_equal(receive(van_buf_slice(&body), "application/pkcs7-mime; smime-type=signed-data", NULL, &open_policy,
						 (enum split)split, &o), 0);
			assert_document(&o);
			assert_mic(&o.got, "entity", "sha256", "SHA256");
			assert_int_equal(o.got.payload_offset, sizeof headers - 1);
			outcome_free(&o);
		}
		body.p[body.n / 2] ^= 1;
		/* without signed attributes nobody can tell a changed content from a foreign key */
		assert_refused(van_buf_slice(&body), "application/pkcs7-mime", &open_policy,
			       i == 2 ? AS2_AUTHENTICATION_FAILED : AS2_INTEGRITY_CHECK_FAILED);
		van_buf_free(&body);
	}
}

/* CompressedData by hand: Debian's openssl is built without zlib. */
static struct van_buf compress_bytes(struct slice in, const char *mime_headers)
{
	uLongf n = compressBound(in.n);
	unsigned char *z = malloc(n);
	assert_int_equal(compress2(z, &n, (const unsigned char *)in.p, in.n, 9), Z_OK);
	struct van_buf octets = VAN_BUF_INIT(0), explicit = VAN_BUF_INIT(0), encap = VAN_BUF_INIT(0), alg = VAN_BUF_INIT(0);
	struct van_buf data = VAN_BUF_INIT(0), body = VAN_BUF_INIT(0), info = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	der_put(&octets, BER_OCTETS, slice_make(z, n));
	der_put(&explicit, 0xa0, van_buf_slice(&octets));
	der_put(&encap, BER_OID, OID_DATA);
	van_buf_append_slice(&encap, van_buf_slice(&explicit));
	der_put(&alg, BER_OID, OID_ZLIB);
	der_put(&data, BER_INTEGER, slice_make("\0", 1));
	der_put(&data, BER_SEQUENCE, van_buf_slice(&alg));
	der_put(&data, BER_SEQUENCE, van_buf_slice(&encap));
	der_put(&body, BER_SEQUENCE, van_buf_slice(&data));
	der_put(&info, BER_OID, OID_COMPRESSED_DATA);
	der_put(&info, 0xa0, van_buf_slice(&body));
	van_buf_append_str(&out, mime_headers);
	der_put(&out, BER_SEQUENCE, van_buf_slice(&info));
	struct van_buf *all[] = {&octets, &explicit, &encap, &alg, &data, &body, &info};
	for (size_t i = 0; i < 7; i++)
		van_buf_free(all[i]);
	free(z);
	return out;
}

#define COMPRESSED "application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z"
#define COMPRESSED_HEADERS "Content-Type: " COMPRESSED "\r\nContent-Transfer-Encoding: binary\r\n\r\n"

static void compressed(void **state)
{
	(void)state;
	struct outcome o = {.fail_at = 0};
	/* alone: the MIC is over the uncompressed data with its headers */
	struct van_buf z = compress_bytes(van_buf_slice(&entity), "");
	assert_int_equal(receive(van_buf_slice(&z), COMPRESSED, NULL, &open_policy, ONE_BYTE, &o), 0);
	assert_document(&o);
	assert_mic(&o.got, "entity", "sha256", "SHA256");
	assert_true(o.got.was_compressed);
	outcome_free(&o);
	z.p[z.n / 2] ^= 0x55;
	assert_refused(van_buf_slice(&z), COMPRESSED, &open_policy, AS2_DECOMPRESSION_FAILED);
	van_buf_free(&z);
	/* compressed, then signed: over the compressed part */
	z = compress_bytes(van_buf_slice(&entity), COMPRESSED_HEADERS);
	peer_write("compressed", z.p, z.n);
	van_buf_free(&z);
	assert_int_equal(peer_run("openssl cms -sign -in compressed -binary -signer acme.pem -inkey acme.key -md sha256 -out signed"), 0);
	struct van_buf body = encrypt_file("signed", "-aes256 hub.pem");
	assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, RANDOM, &o), 0);
	assert_document(&o);
	assert_mic(&o.got, "compressed", "sha256", "SHA256");
	assert_true(o.got.payload_offset == AS2_NO_OFFSET);
	outcome_free(&o);
	van_buf_free(&body);
	/* signed, then compressed, then encrypted: over the signed part */
	sign_file("-md sha256");
	struct van_buf s = peer_read("signed");
	z = compress_bytes(van_buf_slice(&s), COMPRESSED_HEADERS);
	peer_write("compressed", z.p, z.n);
	body = encrypt_file("compressed", "-aes256 hub.pem");
	assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, RANDOM, &o), 0);
	assert_document(&o);
	assert_mic(&o.got, "entity", "sha256", "SHA256");
	outcome_free(&o);
	van_buf_free(&body);
	van_buf_free(&s);
	van_buf_free(&z);
	/* a bomb: 64 MiB of nothing */
	char *zeros = calloc(1, (size_t)64 << 20);
	z = compress_bytes(slice_make(zeros, (size_t)64 << 20), "");
	free(zeros);
	struct as2_policy p = open_policy;
	assert_refused(van_buf_slice(&z), COMPRESSED, &p, AS2_UNEXPECTED_ERROR); /* no MIME header comes first */
	van_buf_free(&z);
	struct van_buf big = VAN_BUF_INIT((size_t)128 << 20);
	van_buf_append_str(&big, headers);
	memset(van_buf_reserve(&big, (size_t)64 << 20), 0, (size_t)64 << 20);
	big.n += (size_t)64 << 20;
	z = compress_bytes(van_buf_slice(&big), "");
	assert_refused(van_buf_slice(&z), COMPRESSED, &p, AS2_DECOMPRESSION_FAILED);
	p.expansion_max = 2000; /* where it is agreed that there is such content */
	o.payload = o.entity = VAN_BUF_INIT((size_t)128 << 20);
	assert_int_equal(receive(van_buf_slice(&z), COMPRESSED, "binary", &p, WHOLE, &o), 0);
	assert_int_equal(o.got.disposition, AS2_PROCESSED);
	assert_int_equal(o.got.payload_size, 64 << 20);
	outcome_free(&o);
	van_buf_free(&z);
	van_buf_free(&big);
}

static void bad_signatures(void **state)
{
	(void)state;
	assert_int_equal(peer_run("openssl cms -sign -in entity -binary -signer stranger.pem -inkey stranger.key -out signed"), 0);
	struct van_buf body = encrypt_file("signed", "-aes256 hub.pem");
	assert_refused(van_buf_slice(&body), ENVELOPED, &secure, AS2_AUTHENTICATION_FAILED);
	van_buf_free(&body);
	/* content changed after signing, signature intact */
	sign_file("-md sha256");
	assert_int_equal(peer_run("sed -i 's/ORDER/0RDER/' signed"), 0);
	body = encrypt_file("signed", "-aes256 hub.pem");
	assert_refused(van_buf_slice(&body), ENVELOPED, &secure, AS2_INTEGRITY_CHECK_FAILED);
	van_buf_free(&body);
	/* the signature is something else */
	sign_file("-md sha256");
	assert_int_equal(peer_run("sed -i 's/^MII.*/AAAA/' signed"), 0);
	body = encrypt_file("signed", "-aes256 hub.pem");
	assert_refused(van_buf_slice(&body), ENVELOPED, &secure, AS2_AUTHENTICATION_FAILED);
	van_buf_free(&body);
	/* a digest that the profile does not allow */
	sign_file("-md sha1");
	body = encrypt_file("signed", "-aes256 hub.pem");
	assert_refused(van_buf_slice(&body), ENVELOPED, &secure, AS2_INSUFFICIENT_SECURITY);
	van_buf_free(&body);
	/* a cipher that is not allowed */
	sign_file("-md sha256");
	body = encrypt_file("signed", "-des3 hub.pem");
	assert_refused(van_buf_slice(&body), ENVELOPED, &secure, AS2_INSUFFICIENT_SECURITY);
	struct as2_policy p = secure;
	struct outcome o = {.fail_at = 0};
	p.ciphers = CIPHERS_AES | ALG_BIT(CIPHER_3DES_CBC);
	assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &p, RANDOM, &o), 0);
	assert_document(&o);
	outcome_free(&o);
	van_buf_free(&body);
}

/* Whatever is wrong with the encryption, the answer is the same. */
static void decryption_says_nothing(void **state)
{
	(void)state;
	sign_file("-md sha256");
	struct van_buf wrong = encrypt_file("signed", "-aes256 stranger.pem"), good = encrypt_file("signed", "-aes256 hub.pem");
	struct outcome first = {.fail_at = 0};
	assert_int_equal(receive(van_buf_slice(&wrong), ENVELOPED, "binary", &secure, WHOLE, &first), 0);
	assert_int_equal(first.got.disposition, AS2_DECRYPTION_FAILED);
	char *wrapped = memmem(good.p, good.n, "\x04\x82\x01\x00", 4);
	assert_non_null(wrapped);
	for (int i = 0; i < 120; i++) {
		struct van_buf body = VAN_BUF_INIT(0);
		van_buf_append(&body, good.p, good.n);
		size_t last = body.n - 1;
		if (i < 40)
			body.p[last - peer_random(16)] ^= (char)(1 + peer_random(255)); /* padding */
		else if (i < 60)
			body.n -= 16 * (1 + peer_random(20)); /* truncated at a block */
		else if (i < 80)
			body.n -= 1 + peer_random(15);
		else
			body.p[wrapped - good.p + 4 + peer_random(256)] ^= (char)(1 + peer_random(255)); /* the wrapped key */
		struct outcome o = {.fail_at = 0};
		assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, WHOLE, &o), 0);
		assert_int_equal(o.got.disposition, AS2_DECRYPTION_FAILED);
		assert_string_equal(o.got.text, first.got.text);
		outcome_free(&o);
		van_buf_free(&body);
	}
	outcome_free(&first);
	van_buf_free(&wrong);
	van_buf_free(&good);
}

/* Blocks behind the end, as a padding oracle would try them: never accepted, always the same answer. */
static void assert_tails(const char *name)
{
	static const char *const tails[] = {"\r\n\r\n", "x", "\r\n garbage", "\x01\x02\x03", "AAAA"};
	struct van_buf s = peer_read(name);
	for (int tail = 0; tail < 5; tail++) {
		struct van_buf in = VAN_BUF_INIT(0);
		van_buf_append(&in, s.p, s.n);
		van_buf_append_str(&in, tails[tail]);
		peer_write("tailed", in.p, in.n);
		struct van_buf body = encrypt_file("tailed", "-aes256 hub.pem");
		struct outcome o = {.fail_at = 0};
		assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, RANDOM, &o), 0);
		/* blocks behind compressed data are seen before the last one is decrypted */
		bool early = o.got.disposition == AS2_DECOMPRESSION_FAILED && strcmp(name, "compressed") == 0;
		if (!early)
			assert_int_equal(o.got.disposition, tail ? AS2_DECRYPTION_FAILED : AS2_PROCESSED);
		outcome_free(&o);
		van_buf_free(&body);
		van_buf_free(&in);
	}
	van_buf_free(&s);
}

static void appended_blocks(void **state)
{
	(void)state;
	sign_file("-md sha256");
	assert_tails("signed");
	struct van_buf s = peer_read("signed"), z = compress_bytes(van_buf_slice(&s), COMPRESSED_HEADERS);
	peer_write("compressed", z.p, z.n);
	assert_tails("compressed");
	static const char sign[] = "openssl cms -sign -in entity -binary -nodetach -signer acme.pem -inkey acme.key -md sha256 -outform DER";
	assert_int_equal(peer_run("( printf 'Content-Type: application/pkcs7-mime\r\n\r\n'; %s ) >opaque", sign), 0);
	assert_tails("opaque");
	assert_int_equal(peer_run("( printf 'Content-Type: application/pkcs7-mime\r\n\r\n'; %s | openssl base64 ) >opaque", sign), 0);
	assert_tails("opaque");
	van_buf_free(&s);
	van_buf_free(&z);
}

static void truncation_and_garbage(void **state)
{
	(void)state;
	sign_file("-md sha256");
	struct van_buf body = encrypt_file("signed", "-aes256 hub.pem");
	for (size_t n = 0; n < body.n; n += n < 700 ? 13 : 977) {
		struct outcome o = {.fail_at = 0};
		assert_int_equal(receive(slice_make(body.p, n), ENVELOPED, "binary", &secure, WHOLE, &o), 0);
		assert_false(as2_disposition_ok(o.got.disposition));
		outcome_free(&o);
	}
	char *garbage = malloc(100000);
	for (int round = 0; round < 20; round++) {
		struct outcome o = {.fail_at = 0};
		for (size_t i = 0; i < 100000; i++)
			garbage[i] = (char)peer_random(256);
		if (round % 2)
			memcpy(garbage, body.p, 20 + peer_random(600));
		assert_int_equal(receive(slice_make(garbage, 100000), round % 3 ? ENVELOPED : "multipart/signed", "binary", &secure, RANDOM, &o), 0);
		assert_false(as2_disposition_ok(o.got.disposition));
		outcome_free(&o);
	}
	free(garbage);
	van_buf_free(&body);
}

static void our_own_errors(void **state)
{
	(void)state;
	sign_file("-md sha256");
	struct van_buf body = encrypt_file("signed", "-aes256 hub.pem");
	struct outcome o = {.fail_at = 100};
	assert_int_equal(receive(van_buf_slice(&body), ENVELOPED, "binary", &secure, RANDOM, &o), VAN_ENOSPC);
	outcome_free(&o);
	struct as2_policy p = secure;
	p.payload_max = 1000;
	assert_refused(van_buf_slice(&body), ENVELOPED, &p, AS2_UNEXPECTED_ERROR);
	van_buf_free(&body);
}

static int count(void *arg, const void *p, size_t n)
{
	(void)p;
	(void)arg, (void)n;
	return 0;
}

/* 64 MiB go through without the process growing. */
static void constant_memory(void **state)
{
	(void)state;
#ifdef VAN_SANITIZERS
	skip(); /* freed memory is kept back there */
#endif
	struct mime_header v[] = {{SLICE("AS2-From"), SLICE("A")}, {SLICE("AS2-To"), SLICE("B")}, {SLICE("Message-ID"), SLICE("<1>")},
				  {SLICE("Content-Type"), SLICE(ENVELOPED)}};
	struct mime_headers h = {v, 4};
	struct van_arena *arena = van_arena_new(0);
	struct as2_request q;
	struct outcome o = {.fail_at = 0};
	const struct cms_cert *decrypt[] = {hub}, *partner[] = {acme};
	struct as2_receiver *r;
	struct rusage before, after;
	char path[256], chunk[65536];
	size_t n;
	assert_int_equal(peer_run("( printf 'Content-Type: a/b\r\n\r\n'; head -c 64M /dev/zero ) >entity64; openssl cms -sign -in entity64 -binary "
				  "-signer acme.pem -inkey acme.key -out signed64 && openssl cms -encrypt -binary -aes256 -in signed64 -outform "
				  "DER -stream -out body64 hub.pem"), 0);
	snprintf(path, sizeof path, "%s/body64", peer_dir());
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(as2_request_parse(&h, arena, &q, NULL), 0);
	struct as2_receiver_config c = {.request = &q, .policy = secure, .decrypt_certs = decrypt, .ndecrypt_certs = 1,
					.partner_certs = partner, .npartner_certs = 1, .arg = &o, .unwrap = unwrap, .payload = count};
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(as2_receiver_new(&c, &r, NULL), 0);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		assert_int_equal(as2_receiver_feed(r, chunk, n), 0);
	assert_int_equal(as2_receiver_finish(r, &o.got, NULL), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(o.got.disposition, AS2_PROCESSED);
	assert_int_equal(o.got.payload_size, 64 << 20);
	assert_true(after.ru_maxrss - before.ru_maxrss < 2048);
	fclose(f);
	as2_receiver_free(r);
	van_arena_free(arena);
}

static void make_document(void)
{
	document = VAN_BUF_INIT(0);
	entity = VAN_BUF_INIT(0);
	van_buf_append_str(&document, "ISA*00*ORDER\n");
	for (int i = 0; i < 330; i++)
		van_buf_printf(&document, "PO1*%d*%u*EA*%u.5**VP*ITEM%d~%s", i, peer_random(100), peer_random(1000), i,
			       i % 3 ? "\n" : i % 2 ? "\r\n--" : "\r\r\n");
	for (int i = 0; i < 600; i++)
		van_buf_append_char(&document, (char)peer_random(256));
	van_buf_append_str(&document, "\r\n");
	van_buf_append_str(&entity, headers);
	van_buf_append(&entity, document.p, document.n);
	peer_write("document", document.p, document.n);
	peer_write("entity", entity.p, entity.n);
}

static int set_up(void **state)
{
	(void)state;
	if (peer_start() != 0)
		return -1;
	acme = peer_cert("acme");
	hub = peer_cert("hub");
	stranger = peer_cert("stranger");
	ec = peer_cert("ec");
	EVP_PKEY *key = peer_key("hub");
	if (cms_unwrapper_new(key, &hub_unwrapper, NULL) != 0)
		return -1;
	cms_private_key_free(key);
	make_document();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cms_cert_free(acme);
	cms_cert_free(hub);
	cms_cert_free(stranger);
	cms_cert_free(ec);
	cms_unwrapper_free(hub_unwrapper);
	van_buf_free(&document);
	van_buf_free(&entity);
	peer_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* first: the peak of the process counts */
		cmocka_unit_test(constant_memory),
		cmocka_unit_test(signed_and_encrypted), cmocka_unit_test(base64_body),
		cmocka_unit_test(elliptic_signature),   cmocka_unit_test(line_ends),            cmocka_unit_test(written_once),
		cmocka_unit_test(base64_part),          cmocka_unit_test(other_structures),
		cmocka_unit_test(opaque_signed),        cmocka_unit_test(compressed),
		cmocka_unit_test(bad_signatures),       cmocka_unit_test(decryption_says_nothing),
		cmocka_unit_test(appended_blocks),      cmocka_unit_test(truncation_and_garbage),
		cmocka_unit_test(our_own_errors),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
