/* Does the authority's signature of a user certificate hold? */
#ifndef OPENVAN_ROLES_SFTP_AUTHORITY_H
#define OPENVAN_ROLES_SFTP_AUTHORITY_H

#include "sftp/certificate.h"

/* Authorities are Ed25519, ECDSA on NIST's curves, or RSA of 2048 bits and more with SHA-2. 0, VAN_EDENIED (the signature is
 * wrong, or of another kind), VAN_ESYNTAX. */
int sftpd_authority_verify(const struct sftpd_certificate *c, struct van_error *e);

#endif
