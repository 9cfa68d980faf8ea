/* keyd's keys: every S/MIME private key by key id, and the receipt log's signing key. Safe for several threads. */
#ifndef OPENVAN_ROLES_KEYD_KEYRING_H
#define OPENVAN_ROLES_KEYD_KEYRING_H

#include "base/buf.h"
#include "base/error.h"
#include "ipc/messages.h"

struct keyring;

struct keyring *keyring_new(void);
void keyring_free(struct keyring *k);

/* Reads the PEM key from `fd` (not closed) and takes it in when it belongs to key->certificate; replaces one of the same id. */
int keyring_add(struct keyring *k, const struct ipc_key *key, int fd, struct van_error *e);
int keyring_set_receipt_key(struct keyring *k, int fd, struct van_error *e);

/* The three requests. unwrap always writes u->expected bytes (≤ CIPHER_KEY_MAX) to `key`, whatever the blob holds; VAN_ENOTFOUND
 * only says that the key is not held (just restarted, or its file can't be read): that is our trouble, not the sender's. */
int keyring_unwrap(struct keyring *k, const struct ipc_unwrap *u, unsigned char *key);
int keyring_sign(struct keyring *k, const struct ipc_sign *s, struct van_buf *der, struct van_error *e);
/* Refuses a tree that is smaller than, or inconsistent with, the last one it signed for this log. */
int keyring_checkpoint(struct keyring *k, const struct ipc_checkpoint *c, unsigned char signature[64], unsigned char public_key[32],
		       struct van_error *e);
/* Size of the tree signed last for this log; 0: none. */
uint64_t keyring_signed_size(struct keyring *k, struct slice origin);

#endif
