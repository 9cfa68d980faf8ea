/* RFC 6962: roots, inclusion and consistency for all sizes up to 66, against the definitions written out, and known vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/error.h"
#include "receipt/tree.h"

#define MAX 66

static struct receipt_hash leaves[MAX];

static int setup(void **state)
{
	(void)state;
	for (unsigned char i = 0; i < MAX; i++)
		leaves[i] = receipt_leaf_hash(slice_make(&i, 1));
	return 0;
}

/* MTH of RFC 6962 section 2.1, as it stands there. */
static struct receipt_hash root_by_definition(const struct receipt_hash *d, size_t n)
{
	if (n == 0)
		return receipt_sha256("", 0);
	if (n == 1)
		return d[0];
	size_t k = 1;
	while (k * 2 < n)
		k *= 2;
	struct receipt_hash l = root_by_definition(d, k), r = root_by_definition(d + k, n - k);
	return receipt_node_hash(&l, &r);
}

static int node_of_leaves(void *arg, unsigned level, uint64_t index, struct receipt_hash *ret)
{
	unsigned *asked = arg;
	if (asked)
		++*asked;
	*ret = root_by_definition(leaves + (index << level), (size_t)1 << level);
	return 0;
}

static bool same(const struct receipt_hash *a, const struct receipt_hash *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

struct nodes {
	struct receipt_hash h[8][MAX];
	int seen[8][MAX];
};

static void keep(void *arg, unsigned level, uint64_t index, const struct receipt_hash *h)
{
	struct nodes *n = arg;
	n->h[level][index] = *h;
	n->seen[level][index]++;
}

static void edges_give_the_roots(void **state)
{
	(void)state;
	static struct receipt_edge e;
	static struct nodes nodes;
	for (size_t n = 0; n <= MAX; n++) {
		struct receipt_hash edge = receipt_edge_root(&e), def = root_by_definition(leaves, n), tree;
		assert_true(same(&edge, &def));
		assert_int_equal(receipt_tree_root(node_of_leaves, NULL, n, &tree), 0);
		assert_true(same(&tree, &def));
		if (n < MAX)
			receipt_edge_add(&e, &leaves[n], keep, &nodes);
	}
	for (unsigned level = 0; level < 8; level++)
		for (uint64_t i = 0; i < MAX; i++) {
			bool whole = ((i + 1) << level) <= MAX;
			assert_int_equal(nodes.seen[level][i], whole);
			if (whole) {
				struct receipt_hash def = root_by_definition(leaves + (i << level), (size_t)1 << level);
				assert_true(same(&nodes.h[level][i], &def));
			}
		}
}

static void published_roots(void **state)
{
	(void)state;
	/* The eight leaves that Certificate Transparency's implementations test with. */
	static const struct slice in[] = {SLICE(""), SLICE("\0"), SLICE("\x10"), SLICE("\x20\x21"), SLICE("\x30\x31"), SLICE("\x40\x41\x42\x43"),
		SLICE("\x50\x51\x52\x53\x54\x55\x56\x57"), SLICE("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f")};
	static const char *const roots[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct receipt_edge e = {0};
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		char hex[65];
		struct receipt_hash h = receipt_edge_root(&e);
		assert_string_equal(hex_encode(hex, h.b, 32), roots[i]);
		if (i < 8) {
			h = receipt_leaf_hash(in[i]);
			receipt_edge_add(&e, &h, NULL, NULL);
		}
	}
}

static void inclusion_of_every_leaf_in_every_tree(void **state)
{
	(void)state;
	struct receipt_hash proof[RECEIPT_PROOF_MAX + 1];
	for (uint64_t size = 1; size <= MAX; size++) {
		struct receipt_hash root = root_by_definition(leaves, size);
		for (uint64_t i = 0; i < size; i++) {
			unsigned asked = 0;
			int n = receipt_tree_inclusion(node_of_leaves, &asked, i, size, proof);
			assert_in_range(n, 0, 7);
			assert_in_range(asked, 0, 14);
			assert_int_equal(receipt_inclusion_check(&leaves[i], i, size, &root, proof, (size_t)n), 0);
			/* Everything near it is refused. */
			assert_int_equal(receipt_inclusion_check(&leaves[(i + 1) % MAX], i, size, &root, proof, (size_t)n), VAN_ECRYPTO);
			assert_int_equal(receipt_inclusion_check(&leaves[i], size, size, &root, proof, (size_t)n), VAN_ECRYPTO);
			for (uint64_t other = 0; other < size; other++)
				if (other != i)
					assert_int_equal(receipt_inclusion_check(&leaves[i], other, size, &root, proof, (size_t)n), VAN_ECRYPTO);
			assert_int_equal(receipt_inclusion_check(&leaves[i], i, size, &leaves[0], proof, (size_t)n), size == 1 && i == 0 ? 0 : VAN_ECRYPTO);
			proof[n] = leaves[3];
			assert_int_equal(receipt_inclusion_check(&leaves[i], i, size, &root, proof, (size_t)n + 1), VAN_ECRYPTO);
			for (int p = 0; p < n; p++) {
				proof[p].b[p] ^= 1;
				assert_int_equal(receipt_inclusion_check(&leaves[i], i, size, &root, proof, (size_t)n), VAN_ECRYPTO);
				proof[p].b[p] ^= 1;
			}
			if (n)
				assert_int_equal(receipt_inclusion_check(&leaves[i], i, size, &root, proof, (size_t)n - 1), VAN_ECRYPTO);
		}
	}
	assert_int_equal(receipt_tree_inclusion(node_of_leaves, NULL, 5, 5, proof), VAN_EINVAL);
}

static void consistency_of_every_pair_of_trees(void **state)
{
	(void)state;
	struct receipt_hash proof[RECEIPT_PROOF_MAX + 1];
	for (uint64_t new_size = 0; new_size <= MAX; new_size++) {
		struct receipt_hash new_root = root_by_definition(leaves, new_size);
		for (uint64_t old_size = 0; old_size <= new_size; old_size++) {
			struct receipt_hash old_root = root_by_definition(leaves, old_size), wrong = old_root;
			wrong.b[31] ^= 1;
			int n = receipt_tree_consistency(node_of_leaves, NULL, old_size, new_size, proof);
			assert_in_range(n, 0, 8);
			assert_int_equal(receipt_consistency_check(old_size, &old_root, new_size, &new_root, proof, (size_t)n), 0);
			if (old_size)
				assert_int_equal(receipt_consistency_check(old_size, &wrong, new_size, &new_root, proof, (size_t)n), VAN_ECRYPTO);
			if (old_size && old_size < new_size)
				assert_int_equal(receipt_consistency_check(old_size, &old_root, new_size, &wrong, proof, (size_t)n), VAN_ECRYPTO);
			proof[n] = leaves[1];
			assert_int_equal(receipt_consistency_check(old_size, &old_root, new_size, &new_root, proof, (size_t)n + 1), VAN_ECRYPTO);
			for (int p = 0; p < n; p++) {
				proof[p].b[0] ^= 1;
				assert_int_equal(receipt_consistency_check(old_size, &old_root, new_size, &new_root, proof, (size_t)n), VAN_ECRYPTO);
				proof[p].b[0] ^= 1;
			}
			if (n)
				assert_int_equal(receipt_consistency_check(old_size, &old_root, new_size, &new_root, proof, (size_t)n - 1), VAN_ECRYPTO);
			/* Another size with the same hashes: refused, unless it is the same statement. */
			if (old_size > 1)
				assert_int_equal(receipt_consistency_check(old_size - 1, &old_root, new_size, &new_root, proof, (size_t)n), VAN_ECRYPTO);
		}
	}
	assert_int_equal(receipt_tree_consistency(node_of_leaves, NULL, 6, 5, proof), VAN_EINVAL);
	assert_int_equal(receipt_consistency_check(6, &leaves[0], 5, &leaves[0], proof, 0), VAN_ECRYPTO);
}

static void a_rewritten_history_is_not_consistent(void **state)
{
	(void)state;
	struct receipt_hash proof[RECEIPT_PROOF_MAX];
	for (uint64_t old_size = 1; old_size < 40; old_size++) {
		struct receipt_hash old_root = root_by_definition(leaves, old_size), saved = leaves[old_size / 2];
		leaves[old_size / 2].b[0] ^= 1;
		struct receipt_hash new_root = root_by_definition(leaves, 40);
		int n = receipt_tree_consistency(node_of_leaves, NULL, old_size, 40, proof);
		assert_int_equal(receipt_consistency_check(old_size, &old_root, 40, &new_root, proof, (size_t)n), VAN_ECRYPTO);
		leaves[old_size / 2] = saved;
	}
}

static void absurd_sizes_are_refused(void **state)
{
	(void)state;
	struct receipt_hash proof[RECEIPT_PROOF_MAX] = {0};
	assert_int_equal(receipt_inclusion_check(&leaves[0], 0, UINT64_MAX, &leaves[0], proof, 64), VAN_ECRYPTO);
	assert_int_equal(receipt_inclusion_check(&leaves[0], 5, (UINT64_MAX >> 1) - 1, &leaves[0], proof, 64), VAN_ECRYPTO);
	assert_int_equal(receipt_inclusion_check(&leaves[0], 0, 0, &leaves[0], proof, 0), VAN_ECRYPTO);
	assert_int_equal(receipt_consistency_check(UINT64_MAX - 1, &leaves[0], UINT64_MAX, &leaves[0], proof, 64), VAN_ECRYPTO);
	assert_int_equal(receipt_consistency_check(1, &leaves[0], UINT64_MAX >> 1, &leaves[0], proof, 64), VAN_ECRYPTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_give_the_roots),
		cmocka_unit_test(published_roots),
		cmocka_unit_test(inclusion_of_every_leaf_in_every_tree),
		cmocka_unit_test(consistency_of_every_pair_of_trees),
		cmocka_unit_test(a_rewritten_history_is_not_consistent),
		cmocka_unit_test(absurd_sizes_are_refused),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
