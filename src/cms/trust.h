/* What an agreement may ask of a certificate besides being the partner's: its time, its purpose, who issued it, and that nobody
 * revoked it. */
#ifndef OPENVAN_CMS_TRUST_H
#define OPENVAN_CMS_TRUST_H

#include "base/clock.h"
#include "base/error.h"
#include "cms/crl.h"

struct cms_cert;

struct cms_trust {
	van_time now;
	bool expiry;  /* it has to be valid now */
	bool purpose; /* its key usages, where it has any, have to allow signing messages (RFC 8550 section 4.4) */
	bool chain;   /* it has to chain up to one of: */
	const struct cms_cert *const *authorities; /* roots and intermediates */
	size_t nauthorities;
	enum cms_revocation revocation; /* it must not be in one of: */
	const struct cms_crls *crls;    /* NULL: none */
};

/* 0, VAN_EDENIED with a text for people, VAN_ENOMEM. */
int cms_trust_check(const struct cms_trust *t, const struct cms_cert *cert, struct van_error *err);

#endif
