#include "as2_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

struct text {
	char *p;
	size_t n, max;
};

__attribute__((format(printf, 2, 3))) static void text_add(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->p + t->n, t->max - t->n, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->max - t->n)
		abort(); /* sized by the caller */
	t->n += (size_t)n;
}

/* One 850 of about `size` bytes; `control` counts from 1 in its group. */
static void order_add(uint32_t number, unsigned control, size_t size, struct text *t)
{
	size_t start = t->n;
	text_add(t, "ST*850*%04u~BEG*00*SA*B%08u-%u**20260801~CUR*BY*USD~REF*DP*0042~", control, number, control);
	text_add(t, "DTM*010*20260815~TD5*O*2*UPSN*M*GROUND~N1*BY*BUYER STORES INC*92*0001~N1*ST*DISTRIBUTION CENTER 7*92*0007~"
		    "N3*4200 INDUSTRIAL PARKWAY*DOCK 12~N4*COLUMBUS*OH*43085*US~");
	unsigned segments = 10, items = 0;
	while (t->n - start + 60 < size) {
		items++;
		text_add(t, "PO1*%u*%u*EA*%u.%02u**VP*%u*UP*%012u~PID*F****WORK LIGHT, MODEL %u~", items, (items * 7 + number) % 96 + 1,
			 (items * 31 + number) % 400, items % 100, 10000 + items, 70000 + items * 13, (number + items) % 1000);
		segments += 2;
	}
	text_add(t, "CTT*%u~SE*%u*%04u~", items, segments + 2, control);
}

/* An interchange of 850s with enough PO1 loops to reach the wanted size. */
static void orders_add(const struct as2_sender *s, uint32_t number, struct text *t)
{
	const char *from = strchr(s->edi_from, ':') + 1, *to = strchr(s->edi_to, ':') + 1;
	text_add(t, "ISA*00*          *00*          *%.2s*%-15s*%.2s*%-15s*260801*1204*U*00401*%09u*0*P*>~", s->edi_from, from,
		 s->edi_to, to, number);
	text_add(t, "GS*PO*%s*%s*20260801*1204*%u*X*004010~", from, to, number);
	for (unsigned i = 1; i <= s->orders; i++)
		order_add(number, i, (s->payload_size - 180) / s->orders, t);
	text_add(t, "GE*%u*%u~IEA*1*%09u~", s->orders, number, number);
}

/* The MIME part that is signed: what the MIC is taken over. */
static struct text part_make(const struct as2_sender *s, uint32_t number)
{
	struct text t = {.max = s->payload_size + 4096 + 512 * (size_t)s->orders};
	t.p = malloc(t.max);
	if (!t.p)
		return t;
	text_add(&t, "Content-Type: application/edi-x12\r\nContent-Transfer-Encoding: binary\r\n\r\n");
	orders_add(s, number, &t);
	return t;
}

/* The whole multipart/signed entity. NULL on failure. */
static BIO *signed_make(const struct as2_sender *s, const struct text *part)
{
	BIO *content = BIO_new_mem_buf(part->p, (int)part->n), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = CMS_sign(s->certificate, s->key, NULL, content, CMS_BINARY | CMS_DETACHED | CMS_NOSMIMECAP);
	unsigned char random[12], *der = NULL;
	int size = cms ? i2d_CMS_ContentInfo(cms, &der) : -1;
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	if (size <= 0 || RAND_bytes(random, sizeof random) != 1) {
		OPENSSL_free(der);
		BIO_free(out);
		return NULL;
	}
	char boundary[2 * sizeof random + 1];
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(boundary + 2 * i, 3, "%02x", random[i]);
	unsigned char *base64 = malloc((size_t)size / 3 * 4 + 8);
	int base64_size = base64 ? EVP_EncodeBlock(base64, der, size) : 0;
	OPENSSL_free(der);
	BIO_printf(out, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"%s\"\r\n\r\n--%s\r\n",
		   boundary, boundary);
	BIO_write(out, part->p, (int)part->n);
	BIO_printf(out, "\r\n--%s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		   boundary);
	for (int at = 0; at < base64_size; at += 76)
		BIO_printf(out, "%.*s\r\n", base64_size - at < 76 ? base64_size - at : 76, (const char *)base64 + at);
	BIO_printf(out, "--%s--\r\n", boundary);
	free(base64);
	return out;
}

/* `entity` encrypted for the recipient, as DER: size, or -1. A new content key each time. */
static int envelope_make(const struct as2_sender *s, BIO *entity, unsigned char **ret)
{
	STACK_OF(X509) *recipients = sk_X509_new_null();
	sk_X509_push(recipients, s->recipient);
	CMS_ContentInfo *cms = CMS_encrypt(recipients, entity, EVP_aes_256_cbc(), CMS_BINARY);
	sk_X509_free(recipients);
	*ret = NULL;
	int size = cms ? i2d_CMS_ContentInfo(cms, ret) : -1;
	CMS_ContentInfo_free(cms);
	return size;
}

static void message_id(const struct as2_sender *s, uint32_t number, char *to, size_t max)
{
	snprintf(to, max, "<load-%llx-%u@buyer.example>", (unsigned long long)s->run, number);
}

static void head_add(const struct as2_sender *s, uint32_t number, int body_size, struct text *t)
{
	char id[128];
	message_id(s, number, id, sizeof id);
	text_add(t, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: as2_load\r\nAS2-Version: 1.2\r\nAS2-From: %s\r\nAS2-To: %s\r\n", s->path,
		 s->host, s->from, s->to);
	text_add(t, "Message-ID: %s\r\nSubject: Purchase order %u\r\nMIME-Version: 1.0\r\n", id, number);
	text_add(t, "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: binary\r\n"
		    "Disposition-Notification-To: edi@buyer.example\r\nDisposition-Notification-Options: "
		    "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256\r\n");
	text_add(t, "Content-Length: %d\r\n\r\n", body_size);
}

int as2_message_make(const struct as2_sender *s, uint32_t number, struct as2_message *ret)
{
	struct text part = part_make(s, number);
	if (!part.p)
		return -1;
	struct as2_message m = {.number = number};
	SHA256((const unsigned char *)part.p, part.n, m.mic);
	BIO *entity = signed_make(s, &part);
	free(part.p);
	unsigned char *der = NULL;
	int size = entity ? envelope_make(s, entity, &der) : -1;
	BIO_free(entity);
	if (size <= 0)
		return -1;
	struct text request = {.max = (size_t)size + 2048};
	request.p = malloc(request.max);
	if (!request.p) {
		OPENSSL_free(der);
		return -1;
	}
	head_add(s, number, size, &request);
	memcpy(request.p + request.n, der, (size_t)size);
	OPENSSL_free(der);
	m.request = (unsigned char *)request.p;
	m.size = request.n + (size_t)size;
	*ret = m;
	return 0;
}

void as2_message_free(struct as2_message *m)
{
	free(m->request);
	m->request = NULL;
}

/* Verifies the S/MIME entity; the signed content in *ret_content (to be freed). */
static int mdn_verify(const struct as2_sender *s, const char *content_type, const char *body, size_t size, BIO **ret_content)
{
	BIO *in = BIO_new(BIO_s_mem()), *content = NULL, *out = BIO_new(BIO_s_mem());
	BIO_printf(in, "MIME-Version: 1.0\r\nContent-Type: %s\r\n\r\n", content_type);
	BIO_write(in, body, (int)size);
	CMS_ContentInfo *cms = SMIME_read_CMS(in, &content);
	STACK_OF(X509) *signers = sk_X509_new_null();
	sk_X509_push(signers, s->mdn_certificate);
	int ok = cms && CMS_verify(cms, signers, NULL, content, out, CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1;
	sk_X509_free(signers);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	BIO_free(in);
	if (!ok) {
		BIO_free(out);
		return -1;
	}
	*ret_content = out;
	return 0;
}

const char *as2_mdn_check(const struct as2_sender *s, const struct as2_message *m, const char *content_type, const char *body,
			  size_t size)
{
	BIO *content = NULL;
	if (mdn_verify(s, content_type, body, size, &content) != 0)
		return "signature does not verify";
	BIO_write(content, "", 1);
	char *report = NULL;
	BIO_get_mem_data(content, &report);
	char id[128], mic[64];
	message_id(s, m->number, id, sizeof id);
	EVP_EncodeBlock((unsigned char *)mic, m->mic, sizeof m->mic);
	const char *disposition = strcasestr(report, "disposition: "), *why = NULL;
	if (!strstr(report, id))
		why = "Original-Message-ID is not the message's";
	else if (!strstr(report, mic))
		why = "MIC differs";
	else if (!disposition || !strstr(disposition, "processed") || strncmp(strstr(disposition, "processed"), "processed/", 10) == 0)
		why = "disposition is not `processed`";
	BIO_free(content);
	return why;
}
