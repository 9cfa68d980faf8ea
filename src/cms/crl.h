/* Certificate revocation lists (RFC 5280 section 5) that an operator keeps as files. */
#ifndef OPENVAN_CMS_CRL_H
#define OPENVAN_CMS_CRL_H

#include "base/clock.h"
#include "base/error.h"

struct cms_cert;

enum cms_revocation { CMS_REVOCATION_NEVER, CMS_REVOCATION_LISTED, CMS_REVOCATION_ALWAYS };

struct cms_crls;
struct cms_crls *cms_crls_new(void); /* NULL when out of memory */
void cms_crls_free(struct cms_crls *c); /* NULL is fine */
/* Adds every list of a file, PEM or DER. VAN_ESYNTAX with a text, VAN_ENOMEM. */
int cms_crls_add(struct cms_crls *c, struct slice pem_or_der, struct van_error *err);

/* LISTED: VAN_EDENIED when a list of the certificate's issuer names it. ALWAYS: also when there is no such list that is still good at
 * `now`. A list of an issuer that is among `issuers` counts only when that one has signed it. */
int cms_crls_check(const struct cms_crls *c, enum cms_revocation policy, van_time now, const struct cms_cert *cert,
		   const struct cms_cert *const *issuers, size_t nissuers, struct van_error *err);

#endif
