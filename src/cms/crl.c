#include "cms/crl.h"

#include "cms/cert.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define LISTS_MAX 256 /* in all files together */
#define REMOVED 2     /* X509_CRL_get0_by_cert(): it was on hold, and is not any more */

struct cms_crls {
	X509_CRL *v[LISTS_MAX];
	size_t n;
};

struct cms_crls *cms_crls_new(void)
{
	return calloc(1, sizeof(struct cms_crls));
}

void cms_crls_free(struct cms_crls *c)
{
	for (size_t i = 0; c && i < c->n; i++)
		X509_CRL_free(c->v[i]);
	free(c);
}

static X509_CRL *next_crl(BIO *b, bool der)
{
	return der ? d2i_X509_CRL_bio(b, NULL) : PEM_read_bio_X509_CRL(b, NULL, NULL, NULL);
}

int cms_crls_add(struct cms_crls *c, struct slice bytes, struct van_error *err)
{
	bool der = bytes.n && bytes.p[0] == '0';
	BIO *b = bytes.n < (1u << 30) ? BIO_new_mem_buf(bytes.p ? bytes.p : "", (int)bytes.n) : NULL;
	size_t before = c->n;
	X509_CRL *one = NULL;
	while (b && c->n < LISTS_MAX && (one = next_crl(b, der)))
		c->v[c->n++] = one;
	bool more = b && c->n == LISTS_MAX && (one = next_crl(b, der));
	if (more)
		X509_CRL_free(one);
	BIO_free(b);
	ERR_clear_error();
	if (!b)
		return van_error_set(err, VAN_ENOMEM, "no memory for a revocation list");
	if (more)
		return van_error_set(err, VAN_ELIMIT, "more than %d revocation lists", LISTS_MAX);
	return c->n > before ? 0 : van_error_set(err, VAN_ESYNTAX, "the file holds no revocation list (-----BEGIN X509 CRL-----, or DER)");
}

static bool current(X509_CRL *l, van_time now)
{
	time_t t = (time_t)(now / VAN_SECOND);
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(l);
	return X509_cmp_time(X509_CRL_get0_lastUpdate(l), &t) <= 0 && (!next || X509_cmp_time(next, &t) > 0);
}

/* Where we know the issuer, the list has to be its own. */
static bool genuine(X509_CRL *l, const struct cms_cert *const *issuers, size_t n)
{
	bool known = false, signed_ = false;
	for (size_t i = 0; i < n && !signed_; i++) {
		if (X509_NAME_cmp(X509_get_subject_name(issuers[i]->x509), X509_CRL_get_issuer(l)) != 0)
			continue;
		known = true;
		signed_ = X509_CRL_verify(l, issuers[i]->key) == 1;
	}
	ERR_clear_error();
	return signed_ || !known;
}

int cms_crls_check(const struct cms_crls *c, enum cms_revocation policy, van_time now, const struct cms_cert *cert,
		   const struct cms_cert *const *issuers, size_t nissuers, struct van_error *err)
{
	bool covered = false;
	for (size_t i = 0; c && policy != CMS_REVOCATION_NEVER && i < c->n; i++) {
		X509_REVOKED *entry;
		X509_CRL *l = c->v[i];
		if (X509_NAME_cmp(X509_CRL_get_issuer(l), X509_get_issuer_name(cert->x509)) != 0 || !genuine(l, issuers, nissuers))
			continue;
		int found = X509_CRL_get0_by_cert(l, &entry, cert->x509);
		if (found && found != REMOVED)
			return van_error_set(err, VAN_EDENIED, "the certificate %s (serial %s) was revoked by its issuer", cert->facts.subject,
					     cert->facts.serial);
		covered |= current(l, now);
	}
	if (policy == CMS_REVOCATION_ALWAYS && !covered)
		return van_error_set(err, VAN_EDENIED, "there is no current revocation list of %s, which issued the certificate %s (serial %s)",
				     cert->facts.issuer, cert->facts.subject, cert->facts.serial);
	return 0;
}
