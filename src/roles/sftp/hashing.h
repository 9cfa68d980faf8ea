/* The two hashes of an upload: of its bytes, and of a random salt and its bytes, for the receipt. What was hashed can be kept and gone on with
 * another day, so that whoever resumes an upload of gigabytes needn't wait until all of it is read again. */
#ifndef OPENVAN_ROLES_SFTP_HASHING_H
#define OPENVAN_ROLES_SFTP_HASHING_H

#include "base/slice.h"

/* OpenSSL has marked its SHA256_Update() and the like as deprecated, for EVP, whose state can't be had. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <stdbool.h>
#include <stdint.h>

#define SFTPD_SALT 16
struct sftpd_hashes {
	unsigned char sha256[32], salt[SFTPD_SALT], salted_sha256[32]; /* the last of salt‖bytes */
};

struct sftpd_hashing {
	SHA256_CTX plain, salted;
	unsigned char salt[SFTPD_SALT];
	uint64_t bytes; /* so many went in */
};

void sftpd_hashing_begin(struct sftpd_hashing *h); /* with a new salt */
void sftpd_hashing_add(struct sftpd_hashing *h, const void *p, size_t n);
void sftpd_hashing_end(struct sftpd_hashing *h, struct sftpd_hashes *ret);

/* The state in SFTPD_HASHING_KEPT bytes at `to`. */
#define SFTPD_HASHING_KEPT 217
void sftpd_hashing_keep(const struct sftpd_hashing *h, unsigned char to[SFTPD_HASHING_KEPT]);
/* Goes on where it was kept. False: these bytes are of another version, or no state. */
bool sftpd_hashing_resume(struct sftpd_hashing *h, struct slice kept);

#endif
