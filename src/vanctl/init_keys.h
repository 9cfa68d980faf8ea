/* Fresh keys and self-signed certificates for a new network, made in this process. Files are created below the open
 * folder `dir`; private keys with mode 0600, never over an existing file. Each returns 0 or negative, with `e` filled. */
#ifndef OPENVAN_VANCTL_INIT_KEYS_H
#define OPENVAN_VANCTL_INIT_KEYS_H

#include "base/clock.h"
#include "base/error.h"

enum init_use { INIT_SIGN, INIT_DECRYPT, INIT_TLS };

struct init_certificate {
	enum init_use use;
	const char *name;         /* subject CN, up to 64 characters */
	const char *organization; /* subject O, up to 64 characters */
	const char *host;         /* TLS: subjectAltName */
	const char *key_path, *certificate_path; /* below `dir` */
	van_time now;
	int days;
};

/* RSA-2048 for sign and decrypt (what every partner's software takes), P-256 for TLS. */
int init_make_certificate(int dir, const struct init_certificate *c, struct van_error *e);

/* An SSH host key in OpenSSH's format and its ".pub"; `type` is "ed25519", "ecdsa" or "rsa". */
int init_make_host_key(int dir, const char *type, const char *path, struct van_error *e);

/* Writes a new file below `dir`, flushed. */
int init_write_file(int dir, const char *path, const void *p, size_t n, unsigned mode, struct van_error *e);

#endif
