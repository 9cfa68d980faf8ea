#include "cms/cert.h"

#include "base/buf.h"
#include "base/codec.h"
#include "cms/digest.h"
#include "cms/prepared.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct slice copy_bytes(const void *p, size_t n)
{
	char *to = malloc(n + 1);
	if (!to)
		return SLICE_NONE;
	memcpy(to, p, n);
	return slice_make(to, n);
}

static void name_text(char *to, size_t size, const X509_NAME *name)
{
	char *text;
	BIO *bio = BIO_new(BIO_s_mem());
	to[0] = 0;
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		long n = BIO_get_mem_data(bio, &text);
		snprintf(to, size, "%.*s", (int)n, text);
	}
	BIO_free(bio);
}

static van_time time_of(const ASN1_TIME *t)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	struct van_civil c = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, 0};
	return van_time_from_civil(&c);
}

static void hash_hex(char *to, enum digest_alg d, const void *p, size_t n)
{
	unsigned char md[DIGEST_SIZE_MAX];
	to[0] = 0;
	if (digest_bytes(d, p, n, md) == 0)
		hex_encode(to, md, digest_size(d));
}

/* Content octets of the INTEGER, as they stand in a CMS issuerAndSerialNumber. */
static struct slice serial_bytes(X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &der);
	struct slice s = n > 2 && n < 130 ? copy_bytes(der + 2, (size_t)n - 2) : SLICE_NONE;
	OPENSSL_free(der);
	return s;
}

static int fill_names(struct cms_cert *c)
{
	const unsigned char *p;
	size_t n;
	if (X509_NAME_get0_der(X509_get_issuer_name(c->x509), &p, &n) != 1)
		return VAN_ESYNTAX;
	c->issuer = copy_bytes(p, n);
	c->serial = serial_bytes(c->x509);
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(c->x509);
	if (ski)
		c->subject_key_id = copy_bytes(ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski));
	return c->issuer.p && c->serial.p ? 0 : VAN_ESYNTAX;
}

static void fill_facts(struct cms_cert *c)
{
	struct cms_cert_facts *f = &c->facts;
	name_text(f->subject, sizeof f->subject, X509_get_subject_name(c->x509));
	name_text(f->issuer, sizeof f->issuer, X509_get_issuer_name(c->x509));
	hex_encode(f->serial, c->serial.p, c->serial.n < 32 ? c->serial.n : 32);
	hash_hex(f->sha256, DIGEST_SHA256, c->der.p, c->der.n);
	hash_hex(f->sha1, DIGEST_SHA1, c->der.p, c->der.n);
	snprintf(f->key_type, sizeof f->key_type, "%s", EVP_PKEY_get0_type_name(c->key));
	f->key_bits = (unsigned)EVP_PKEY_get_bits(c->key);
	f->not_before = time_of(X509_get0_notBefore(c->x509));
	f->not_after = time_of(X509_get0_notAfter(c->x509));
}

/* The key id is over the SubjectPublicKeyInfo as it stands in the certificate. */
static int fill(struct cms_cert *c)
{
	unsigned char *spki = NULL;
	unsigned char *der = NULL;
	int n = i2d_X509(c->x509, &der);
	if (n > 0)
		c->der = copy_bytes(der, (size_t)n);
	OPENSSL_free(der);
	c->key = X509_get_pubkey(c->x509);
	if (!c->der.p || !c->key || fill_names(c) != 0)
		return VAN_ESYNTAX;
	fill_facts(c);
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x509), &spki);
	if (n > 0)
		hash_hex(c->facts.key_id, DIGEST_SHA256, spki, (size_t)n);
	OPENSSL_free(spki);
	return c->facts.key_id[0] ? 0 : VAN_ESYNTAX;
}

static X509 *decode(struct slice in)
{
	const unsigned char *p = (const unsigned char *)in.p;
	if (in.n > 0 && p[0] == 0x30)
		return d2i_X509(NULL, &p, (long)in.n);
	BIO *bio = BIO_new_mem_buf(in.p, (int)in.n);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return x;
}

int cms_cert_new(struct slice pem_or_der, struct cms_cert **ret, struct van_error *err)
{
	struct cms_cert *c = pem_or_der.n < (1 << 20) ? calloc(1, sizeof *c) : NULL;
	if (!c)
		return van_error_set(err, VAN_ENOMEM, "no memory for a certificate");
	c->x509 = decode(pem_or_der);
	c->verify = prepared_new(DIGEST_COUNT);
	int rc = c->x509 && c->verify ? fill(c) : VAN_ESYNTAX;
	ERR_clear_error();
	if (rc) {
		cms_cert_free(c);
		return van_error_set(err, VAN_ESYNTAX, "this is no X.509 certificate in PEM or DER form: give the partner's "
						       "certificate file, not its key or a request");
	}
	*ret = c;
	return 0;
}

void cms_cert_free(struct cms_cert *c)
{
	if (!c)
		return;
	prepared_free(c->verify);
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
	free((char *)(uintptr_t)c->der.p);
	free((char *)(uintptr_t)c->issuer.p);
	free((char *)(uintptr_t)c->serial.p);
	free((char *)(uintptr_t)c->subject_key_id.p);
	free(c);
}

int cms_private_key(struct slice pem, EVP_PKEY **ret, struct van_error *err)
{
	BIO *bio = pem.n < (1 << 20) ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	char no_passphrase[] = "";
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, no_passphrase) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	if (!key)
		return van_error_set(err, VAN_ESYNTAX, "this is no private key in PEM form, or it is encrypted: store it without "
						       "a passphrase, readable by the key holder's user only");
	*ret = key;
	return 0;
}

void cms_private_key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
}

int cms_key_id(EVP_PKEY *key, char *to)
{
	unsigned char *spki = NULL;
	int n = i2d_PUBKEY(key, &spki);
	if (n > 0)
		hash_hex(to, DIGEST_SHA256, spki, (size_t)n);
	OPENSSL_free(spki);
	ERR_clear_error();
	return n > 0 && to[0] ? 0 : VAN_ECRYPTO;
}

int cms_key_matches(EVP_PKEY *key, const struct cms_cert *cert, struct van_error *err)
{
	if (EVP_PKEY_eq(key, cert->key) == 1)
		return 0;
	ERR_clear_error();
	return van_error_set(err, VAN_ECONFLICT, "the private key does not belong to the certificate of %s: pair each key with its "
						 "own certificate", cert->facts.subject);
}
