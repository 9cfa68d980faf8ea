#include "cms/trust.h"

#include "cms/cert.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

static int check_time(const struct cms_trust *t, const struct cms_cert *c, struct van_error *err)
{
	char when[VAN_TIME_TEXT];
	if (t->now > c->facts.not_after)
		return van_error_set(err, VAN_EDENIED, "the certificate %s (serial %s) expired at %s", c->facts.subject, c->facts.serial,
				     van_time_rfc3339(when, c->facts.not_after));
	if (t->now < c->facts.not_before)
		return van_error_set(err, VAN_EDENIED, "the certificate %s (serial %s) is not valid before %s", c->facts.subject,
				     c->facts.serial, van_time_rfc3339(when, c->facts.not_before));
	return 0;
}

/* Any one of them ends the chain, so that an intermediate is enough. */
static X509_STORE *store_of(const struct cms_trust *t)
{
	X509_STORE *s = X509_STORE_new();
	for (size_t i = 0; s && i < t->nauthorities; i++)
		if (X509_STORE_add_cert(s, t->authorities[i]->x509) != 1) {
			X509_STORE_free(s);
			return NULL;
		}
	return s;
}

static int verify_chain(const struct cms_trust *t, const struct cms_cert *c, X509_STORE *store, X509_STORE_CTX *ctx,
			struct van_error *err)
{
	if (!store || !ctx || X509_STORE_CTX_init(ctx, store, c->x509, NULL) != 1)
		return van_error_set(err, VAN_ENOMEM, "no memory to check a certificate");
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN | (t->expiry ? 0 : X509_V_FLAG_NO_CHECK_TIME));
	if (t->expiry) /* a time that is set would be checked whatever the flags say */
		X509_VERIFY_PARAM_set_time(p, (time_t)(t->now / VAN_SECOND));
	if (X509_verify_cert(ctx) == 1)
		return 0;
	return van_error_set(err, VAN_EDENIED, "the certificate %s (serial %s) does not chain up to an authority that was agreed on: %s",
			     c->facts.subject, c->facts.serial, X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

static int check_chain(const struct cms_trust *t, const struct cms_cert *c, struct van_error *err)
{
	X509_STORE *store = store_of(t);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int rc = verify_chain(t, c, store, ctx, err);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return rc;
}

int cms_trust_check(const struct cms_trust *t, const struct cms_cert *c, struct van_error *err)
{
	int rc = t->expiry ? check_time(t, c, err) : 0;
	if (rc == 0 && t->purpose && X509_check_purpose(c->x509, X509_PURPOSE_SMIME_SIGN, 0) != 1)
		rc = van_error_set(err, VAN_EDENIED, "the certificate %s (serial %s) is not for signing messages: its key usage says otherwise",
				   c->facts.subject, c->facts.serial);
	if (rc == 0 && t->chain)
		rc = check_chain(t, c, err);
	return rc ? rc : cms_crls_check(t->crls, t->revocation, t->now, c, t->authorities, t->nauthorities, err);
}
