/* Checkpoints: C2SP tlog-checkpoint texts as signed notes (c2sp.org/signed-note) with Ed25519. Pure functions on bytes.
 *
 *	HOST/receipts/2026          the origin, which is also the key's name
 *	1234                        number of leaves
 *	BASE64(root)
 *	                            (the signed text ends before this empty line)
 *	— HOST/receipts/2026 BASE64(key id (4 bytes) ‖ signature (64 bytes)) */
#ifndef OPENVAN_RECEIPT_CHECKPOINT_H
#define OPENVAN_RECEIPT_CHECKPOINT_H

#include "base/buf.h"
#include "base/error.h"
#include "receipt/tree.h"

#define RECEIPT_ORIGIN_MAX 255
#define RECEIPT_KEY 32       /* bytes of an Ed25519 public key */
#define RECEIPT_SIGNATURE 64 /* bytes of an Ed25519 signature */
#define RECEIPT_NOTE_MAX 65536

/* A verifier key, "NAME+8 hex digits+BASE64(01 ‖ public key)". */
struct receipt_vkey {
	char name[RECEIPT_ORIGIN_MAX + 1];
	unsigned char id[4];
	unsigned char key[RECEIPT_KEY];
};
/* VAN_EINVAL for a name that is empty, too long, or holds a blank, control character or plus. */
int receipt_vkey_make(struct slice name, const unsigned char key[RECEIPT_KEY], struct receipt_vkey *ret);
int receipt_vkey_parse(struct slice text, struct receipt_vkey *ret, struct van_error *err);
int receipt_vkey_text(const struct receipt_vkey *k, struct van_buf *to);
/* The public key as PEM (SubjectPublicKeyInfo), for OpenSSL. */
int receipt_vkey_pem(const struct receipt_vkey *k, struct van_buf *to);

struct receipt_checkpoint {
	char origin[RECEIPT_ORIGIN_MAX + 1];
	uint64_t size;
	struct receipt_hash root;
};
/* Appends the text to sign: three lines. */
int receipt_checkpoint_text(struct slice origin, uint64_t size, const struct receipt_hash *root, struct van_buf *to);
/* Reads the text, or a whole note of which it reads the text without checking signatures. Extension lines are refused. */
int receipt_checkpoint_parse(struct slice note, struct receipt_checkpoint *ret, struct van_error *err);
/* Appends the whole note: text, empty line, signature line. */
int receipt_checkpoint_assemble(struct slice text, const struct receipt_vkey *key, const unsigned char sig[RECEIPT_SIGNATURE],
	struct van_buf *to);
/* Parses and requires: origin is the key's name, and a good signature by it. Lines of other keys are ignored.
 * VAN_ESYNTAX, or VAN_ECRYPTO. */
int receipt_checkpoint_verify(struct slice note, const struct receipt_vkey *key, struct receipt_checkpoint *ret,
	struct van_error *err);
/* The raw signature of `key`'s line, not verified; VAN_ENOTFOUND. */
int receipt_checkpoint_signature(struct slice note, const struct receipt_vkey *key, unsigned char sig[RECEIPT_SIGNATURE]);

/* One Ed25519 signature over bytes: what keyd does with its EVP_PKEY, here from a raw 32-byte private key (tests, tools). */
int receipt_ed25519_sign(const unsigned char private_key[32], struct slice bytes, unsigned char sig[RECEIPT_SIGNATURE]);
int receipt_ed25519_public(const unsigned char private_key[32], unsigned char key[RECEIPT_KEY]);
int receipt_ed25519_verify(const unsigned char key[RECEIPT_KEY], struct slice bytes, const unsigned char sig[RECEIPT_SIGNATURE]);

/* c2sp.org/tlog-proof@v1: index, inclusion proof, checkpoint note. */
int receipt_proof_text(uint64_t index, const struct receipt_hash *proof, size_t n, struct slice note, struct van_buf *to);
struct receipt_proof {
	uint64_t index;
	size_t n;
	struct receipt_hash h[RECEIPT_PROOF_MAX];
	struct slice note; /* points into the text */
};
int receipt_proof_parse(struct slice text, struct receipt_proof *ret, struct van_error *err);

#endif
