/* Certificates as files, and in profiles: cert create, export, import, roll. */
#ifndef OPENVAN_VANCTL_CERTIFICATE_H
#define OPENVAN_VANCTL_CERTIFICATE_H

#include "base/clock.h"
#include "base/error.h"
#include "vanctl/ctl.h"

#include <openssl/types.h>

extern const struct ctl_option certificate_create_options[], certificate_export_options[], certificate_import_options[], certificate_roll_options[];
int certificate_create(struct ctl *c);
int certificate_export(struct ctl *c);
int certificate_import(struct ctl *c);
int certificate_roll(struct ctl *c);

/* Where a certificate and its key lie: certs/NAME.pem and keys/NAME.key in the folder of vand.yaml, which init made. */
struct certificate_place {
	int folder;             /* descriptor, or -1 */
	char path[4096];        /* its absolute path */
	char certificate[300], key[300]; /* below it */
};

/* Opens the folder; makes certs, keys and partners where they are missing. An exit status; certificate_place_close() in any case. */
int certificate_place_open(const struct ctl *c, const char *name, struct certificate_place *ret);
void certificate_place_close(struct certificate_place *p);

/* A key and a certificate signed with it, for S/MIME ("sign", "decrypt") or TLS ("tls"), as files. An exit status. */
struct certificate_wish {
	const char *use, *name, *organization, *host;
	int days; /* 0: as init makes them */
};
int certificate_make(const struct certificate_place *at, const struct certificate_wish *wish);

/* What is in a file: PEM, DER, or PKCS #7 with one certificate. The caller frees *ret. An exit status. */
struct cms_cert;
int certificate_read(const char *path, struct cms_cert **ret);
/* The first line of the file that the option password_file names, or "". An exit status. */
int certificate_password(const struct ctl *c, char to[1024]);
/* PEM text as a new JSON string; NULL: no memory. */
json_t *certificate_pem(X509 *x);

#endif
