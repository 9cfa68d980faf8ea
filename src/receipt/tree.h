/* The Merkle tree of RFC 6962 section 2.1 with SHA-256: pure functions on bytes, without the store, for keyd and verifiers.
 *
 * A proof is an array of 32-byte hashes one after another. Sizes and indexes are below 2^63. */
#ifndef OPENVAN_RECEIPT_TREE_H
#define OPENVAN_RECEIPT_TREE_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

#define RECEIPT_HASH 32
#define RECEIPT_PROOF_MAX 64 /* hashes; an inclusion or consistency proof of any tree fits (62 and 63) */

struct receipt_hash {
	unsigned char b[RECEIPT_HASH];
};

struct receipt_hash receipt_sha256(const void *p, size_t n);
struct receipt_hash receipt_leaf_hash(struct slice leaf);                                   /* SHA-256(00 ‖ leaf) */
struct receipt_hash receipt_node_hash(const struct receipt_hash *l, const struct receipt_hash *r); /* SHA-256(01 ‖ l ‖ r) */

/* The right edge of a tree: the roots of its complete subtrees, largest first, one for each 1-bit of the size. */
struct receipt_edge {
	uint64_t size;
	struct receipt_hash h[RECEIPT_PROOF_MAX];
};
/* Adds one leaf. Where completed subtrees appear calls `done` (may be NULL) with level (0 the leaf) and index in level. */
void receipt_edge_add(struct receipt_edge *e, const struct receipt_hash *leaf,
	void (*done)(void *arg, unsigned level, uint64_t index, const struct receipt_hash *h), void *arg);
/* The tree's root; SHA-256 of nothing for an empty tree. */
struct receipt_hash receipt_edge_root(const struct receipt_edge *e);

/* Proofs from a function that knows the hashes of complete subtrees: level 0 are leaf hashes; returns 0 or a negative
 * enum van_err, which is passed on. `to` has room for RECEIPT_PROOF_MAX. Return the number of hashes.
 * VAN_EINVAL where index >= size, or old_size > new_size. */
typedef int receipt_node_fn(void *arg, unsigned level, uint64_t index, struct receipt_hash *ret);
int receipt_tree_root(receipt_node_fn *node, void *arg, uint64_t size, struct receipt_hash *ret);
int receipt_tree_inclusion(receipt_node_fn *node, void *arg, uint64_t index, uint64_t size, struct receipt_hash *to);
int receipt_tree_consistency(receipt_node_fn *node, void *arg, uint64_t old_size, uint64_t new_size, struct receipt_hash *to);

/* RFC 9162 sections 2.1.3.2 and 2.1.4.2 (the same trees as RFC 6962's). 0, or VAN_ECRYPTO when the proof does not hold. An empty
 * old tree and equal sizes need an empty proof. Any input is safe. */
int receipt_inclusion_check(const struct receipt_hash *leaf, uint64_t index, uint64_t size, const struct receipt_hash *root,
	const struct receipt_hash *proof, size_t n);
int receipt_consistency_check(uint64_t old_size, const struct receipt_hash *old_root, uint64_t new_size,
	const struct receipt_hash *new_root, const struct receipt_hash *proof, size_t n);

#endif
