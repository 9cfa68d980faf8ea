/* The other side of AS2 in tests: the openssl command in a folder of its own, keys and certificates made by it. */
#ifndef OPENVAN_TESTS_AS2_PEER_H
#define OPENVAN_TESTS_AS2_PEER_H

#include "base/buf.h"
#include "cms/cert.h"
#include "cms/sign.h"

/* Makes the folder, and NAME.key and NAME.pem for acme (partner), hub (station), stranger; ec is an EC partner. 0 or -1. */
int peer_start(void);
void peer_stop(void);

/* Runs a shell command in the folder; its exit status. */
int peer_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void peer_write(const char *name, const void *p, size_t n);
/* The caller frees. Fails the test when there is no such file. */
struct van_buf peer_read(const char *name);

/* The folder. */
const char *peer_dir(void);

struct cms_cert *peer_cert(const char *name);
EVP_PKEY *peer_key(const char *name);

/* A repeatable random number below `below`. */
unsigned peer_random(unsigned below);

#endif
