/* OpenSSH user certificates: ssh-…-cert-v01@openssh.com, as OpenSSH's PROTOCOL.certkeys describes them. Reads what one says;
 * whether the authority's signature holds is the caller's to find out (`signed_part`, `signature`). */
#ifndef OPENVAN_SFTP_CERTIFICATE_H
#define OPENVAN_SFTP_CERTIFICATE_H

#include "base/clock.h"
#include "base/error.h"

#define SFTPD_PRINCIPALS_MAX 256
#define SFTPD_CERTIFICATE_ADDRESSES_MAX 64

struct sftpd_certificate {
	uint64_t serial;
	struct slice key_id;
	struct slice principals[SFTPD_PRINCIPALS_MAX];
	size_t nprincipals; /* never 0: a certificate for everybody is refused */
	van_time from, until; /* 0: no limit */
	struct slice addresses[SFTPD_CERTIFICATE_ADDRESSES_MAX]; /* of source-address; none: any */
	size_t naddresses;
	struct slice authority;   /* the signer's public key, as on the wire */
	struct slice signed_part; /* what was signed */
	struct slice signature;   /* as on the wire: algorithm and signature */
};

/* Is the key of such a type? By its first field. */
bool sftpd_certificate_is(struct slice blob);
/* Slices point into the blob. 0; VAN_ESYNTAX; VAN_EDENIED for one that is no user's, names nobody, or asks for a restriction that
 * is not known here (critical options other than source-address, and force-command=internal-sftp). `e` says which. */
int sftpd_certificate_read(struct slice blob, struct sftpd_certificate *ret, struct van_error *e);

#endif
