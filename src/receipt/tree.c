#include "receipt/tree.h"

#include "base/error.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define SIZE_LIMIT ((uint64_t)1 << 63)

/* SHA-256 of up to three pieces. Without memory for a digest there is no log to keep: stop. */
static struct receipt_hash digest(unsigned char prefix, bool has_prefix, struct slice a, struct slice b)
{
	struct receipt_hash h;
	unsigned int n = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) || (has_prefix && !EVP_DigestUpdate(ctx, &prefix, 1)) ||
		!EVP_DigestUpdate(ctx, a.p, a.n) || !EVP_DigestUpdate(ctx, b.p, b.n) || !EVP_DigestFinal_ex(ctx, h.b, &n))
		abort();
	EVP_MD_CTX_free(ctx);
	return h;
}

struct receipt_hash receipt_sha256(const void *p, size_t n)
{
	return digest(0, false, slice_make(p, n), SLICE(""));
}

struct receipt_hash receipt_leaf_hash(struct slice leaf)
{
	return digest(0, true, leaf, SLICE(""));
}

struct receipt_hash receipt_node_hash(const struct receipt_hash *l, const struct receipt_hash *r)
{
	return digest(1, true, slice_make(l->b, RECEIPT_HASH), slice_make(r->b, RECEIPT_HASH));
}

/* --- the right edge --- */

void receipt_edge_add(struct receipt_edge *e, const struct receipt_hash *leaf,
	void (*done)(void *arg, unsigned level, uint64_t index, const struct receipt_hash *h), void *arg)
{
	struct receipt_hash h = *leaf;
	int n = __builtin_popcountll(e->size);
	unsigned level = 0;
	if (done)
		done(arg, 0, e->size, &h);
	for (; e->size >> level & 1; level++) {
		h = receipt_node_hash(&e->h[--n], &h);
		if (done)
			done(arg, level + 1, e->size >> (level + 1), &h);
	}
	e->h[n] = h;
	e->size++;
}

struct receipt_hash receipt_edge_root(const struct receipt_edge *e)
{
	int n = __builtin_popcountll(e->size);
	if (n == 0)
		return receipt_sha256("", 0);
	struct receipt_hash h = e->h[n - 1];
	for (int i = n - 2; i >= 0; i--)
		h = receipt_node_hash(&e->h[i], &h);
	return h;
}

/* --- proofs --- */

struct source {
	receipt_node_fn *node;
	void *arg;
};

/* Largest power of two below n; n > 1. RFC 6962 calls it k. */
static uint64_t split(uint64_t n)
{
	return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* Root of the leaves [begin, end). `begin` is a multiple of a power of two that is at least end - begin. */
static int range_hash(const struct source *s, uint64_t begin, uint64_t end, struct receipt_hash *ret)
{
	uint64_t n = end - begin;
	if ((n & (n - 1)) == 0) {
		unsigned level = (unsigned)__builtin_ctzll(n);
		return s->node(s->arg, level, begin >> level, ret);
	}
	struct receipt_hash left, right;
	uint64_t k = split(n);
	int rc = range_hash(s, begin, begin + k, &left);
	if (rc == 0)
		rc = range_hash(s, begin + k, end, &right);
	if (rc == 0)
		*ret = receipt_node_hash(&left, &right);
	return rc;
}

int receipt_tree_root(receipt_node_fn *node, void *arg, uint64_t size, struct receipt_hash *ret)
{
	if (size >= SIZE_LIMIT)
		return VAN_EINVAL;
	if (size == 0) {
		*ret = receipt_sha256("", 0);
		return 0;
	}
	return range_hash(&(struct source){node, arg}, 0, size, ret);
}

/* RFC 6962 section 2.1.1, PATH. */
static int path(const struct source *s, uint64_t index, uint64_t begin, uint64_t end, struct receipt_hash *to)
{
	if (end - begin == 1)
		return 0;
	uint64_t middle = begin + split(end - begin);
	bool left = index < middle;
	int n = left ? path(s, index, begin, middle, to) : path(s, index, middle, end, to);
	if (n < 0)
		return n;
	int rc = left ? range_hash(s, middle, end, &to[n]) : range_hash(s, begin, middle, &to[n]);
	return rc ? rc : n + 1;
}

int receipt_tree_inclusion(receipt_node_fn *node, void *arg, uint64_t index, uint64_t size, struct receipt_hash *to)
{
	if (index >= size || size >= SIZE_LIMIT)
		return VAN_EINVAL;
	return path(&(struct source){node, arg}, index, 0, size, to);
}

/* RFC 6962 section 2.1.2, SUBPROOF: leaves [begin, end), of which the old tree had those before `old`. */
static int subproof(const struct source *s, uint64_t old, uint64_t begin, uint64_t end, bool whole, struct receipt_hash *to)
{
	if (old == end) {
		if (whole)
			return 0;
		int rc = range_hash(s, begin, end, &to[0]);
		return rc ? rc : 1;
	}
	uint64_t middle = begin + split(end - begin);
	bool left = old <= middle;
	int n = left ? subproof(s, old, begin, middle, whole, to) : subproof(s, old, middle, end, false, to);
	if (n < 0)
		return n;
	int rc = left ? range_hash(s, middle, end, &to[n]) : range_hash(s, begin, middle, &to[n]);
	return rc ? rc : n + 1;
}

int receipt_tree_consistency(receipt_node_fn *node, void *arg, uint64_t old_size, uint64_t new_size, struct receipt_hash *to)
{
	if (old_size > new_size || new_size >= SIZE_LIMIT)
		return VAN_EINVAL;
	if (old_size == 0 || old_size == new_size)
		return 0;
	return subproof(&(struct source){node, arg}, old_size, 0, new_size, true, to);
}

/* --- checks --- */

static bool same(const struct receipt_hash *a, const struct receipt_hash *b)
{
	return memcmp(a->b, b->b, RECEIPT_HASH) == 0;
}

/* One step up for node numbers in the old (or the leaf's) and the new tree, past levels without a sibling. */
static void climb_lonely(uint64_t *fn, uint64_t *sn)
{
	while (*fn && !(*fn & 1)) {
		*fn >>= 1;
		*sn >>= 1;
	}
}

int receipt_inclusion_check(const struct receipt_hash *leaf, uint64_t index, uint64_t size, const struct receipt_hash *root,
	const struct receipt_hash *proof, size_t n)
{
	if (index >= size || size >= SIZE_LIMIT || n > RECEIPT_PROOF_MAX)
		return VAN_ECRYPTO;
	uint64_t fn = index, sn = size - 1;
	struct receipt_hash r = *leaf;
	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return VAN_ECRYPTO;
		if ((fn & 1) || fn == sn) {
			r = receipt_node_hash(&proof[i], &r);
			climb_lonely(&fn, &sn);
		} else {
			r = receipt_node_hash(&r, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&r, root) ? 0 : VAN_ECRYPTO;
}

int receipt_consistency_check(uint64_t old_size, const struct receipt_hash *old_root, uint64_t new_size,
	const struct receipt_hash *new_root, const struct receipt_hash *proof, size_t n)
{
	if (old_size > new_size || new_size >= SIZE_LIMIT || n > RECEIPT_PROOF_MAX)
		return VAN_ECRYPTO;
	if (old_size == new_size)
		return n == 0 && same(old_root, new_root) ? 0 : VAN_ECRYPTO;
	if (old_size == 0)
		return n == 0 ? 0 : VAN_ECRYPTO;
	if (n == 0)
		return VAN_ECRYPTO;
	bool power = (old_size & (old_size - 1)) == 0; /* then the old root is itself the first node */
	uint64_t fn = old_size - 1, sn = new_size - 1;
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	struct receipt_hash fr = power ? *old_root : proof[0], sr = fr;
	for (size_t i = power ? 0 : 1; i < n; i++) {
		if (sn == 0)
			return VAN_ECRYPTO;
		if ((fn & 1) || fn == sn) {
			fr = receipt_node_hash(&proof[i], &fr);
			sr = receipt_node_hash(&proof[i], &sr);
			climb_lonely(&fn, &sn);
		} else {
			sr = receipt_node_hash(&sr, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&fr, old_root) && same(&sr, new_root) ? 0 : VAN_ECRYPTO;
}
