#include "receipt/bundle_files.h"

#include "base/fdio.h"

struct tiles {
	struct bundle_verifier *v;
	const struct bundle_log *log;
	uint64_t size;
};

static unsigned width_of(uint64_t size, unsigned level, uint64_t number)
{
	uint64_t nodes = size >> level * TILE_BITS, from = number * TILE_WIDTH;
	return nodes <= from ? 0 : nodes - from < TILE_WIDTH ? (unsigned)(nodes - from) : TILE_WIDTH;
}

/* `count` hashes from place `at` of a tile. */
static int read_tile(struct tiles *t, unsigned level, uint64_t number, unsigned at, unsigned count, struct receipt_hash *to)
{
	unsigned width = width_of(t->size, level, number);
	if (at + count > width)
		return VAN_ENOTFOUND;
	struct bundle_file *f = bundle_find(&t->v->files, bundle_tile(t->log->year, level, number, width).text);
	if (!f || f->size != (uint64_t)width * RECEIPT_HASH)
		return VAN_ENOTFOUND;
	return fd_pread_all(t->v->files.fd, to, count * RECEIPT_HASH, (off_t)(f->offset + at * RECEIPT_HASH));
}

/* Root of a power of two of hashes, in place. */
static struct receipt_hash fold(struct receipt_hash *h, unsigned n)
{
	for (; n > 1; n /= 2)
		for (unsigned i = 0; i < n / 2; i++)
			h[i] = receipt_node_hash(&h[2 * i], &h[2 * i + 1]);
	return h[0];
}

static int node(void *arg, unsigned level, uint64_t index, struct receipt_hash *ret)
{
	struct receipt_hash h[TILE_WIDTH];
	unsigned in_tile = level % TILE_BITS, count = 1u << in_tile;
	uint64_t first = index << in_tile;
	int rc = read_tile(arg, level / TILE_BITS, first / TILE_WIDTH, (unsigned)(first % TILE_WIDTH), count, h);
	if (rc == 0)
		*ret = fold(h, count);
	return rc;
}

int bundle_tile_leaf(struct bundle_verifier *v, const struct bundle_log *log, uint64_t size, uint64_t index, struct receipt_hash *ret)
{
	struct tiles t = {v, log, size};
	return read_tile(&t, 0, index / TILE_WIDTH, (unsigned)(index % TILE_WIDTH), 1, ret);
}

/* A full tile's root is an entry of the tile above it. */
static int check_tile(struct tiles *t, unsigned level, uint64_t number)
{
	struct receipt_hash h[TILE_WIDTH], above;
	unsigned width = width_of(t->size, level, number);
	int rc = read_tile(t, level, number, 0, width, h);
	if (rc == VAN_ENOTFOUND) {
		bundle_problem(&t->v->files, "%s is missing or has a wrong size",
			bundle_tile(t->log->year, level, number, width).text + sizeof BUNDLE_ROOT - 1);
		return 0;
	}
	if (rc || width < TILE_WIDTH)
		return rc;
	rc = read_tile(t, level + 1, number / TILE_WIDTH, (unsigned)(number % TILE_WIDTH), 1, &above);
	struct receipt_hash root = fold(h, TILE_WIDTH);
	if (rc == VAN_ENOTFOUND)
		return 0; /* that tile's absence is reported when its turn comes */
	if (rc == 0 && memcmp(root.b, above.b, RECEIPT_HASH) != 0)
		bundle_problem(&t->v->files, "%s does not fit the tile above it",
			bundle_tile(t->log->year, level, number, width).text + sizeof BUNDLE_ROOT - 1);
	return rc;
}

int bundle_verify_tiles(struct bundle_verifier *v, const struct bundle_log *log, const struct receipt_checkpoint *c)
{
	struct tiles t = {v, log, c->size};
	struct receipt_hash root;
	int rc = 0;
	for (unsigned level = 0; rc == 0 && c->size >> level * TILE_BITS; level++) {
		unsigned bits = (level + 1) * TILE_BITS;
		uint64_t newest = ((c->size >> level * TILE_BITS) - 1) / TILE_WIDTH;
		uint64_t last = log->last >> bits < newest ? log->last >> bits : newest;
		for (uint64_t n = log->first >> bits; rc == 0 && n <= last; n++)
			rc = check_tile(&t, level, n);
		if (rc == 0 && newest > last)
			rc = check_tile(&t, level, newest);
	}
	if (rc)
		return rc;
	rc = receipt_tree_root(node, &t, c->size, &root);
	if (rc == VAN_ENOTFOUND || (rc == 0 && memcmp(root.b, c->root.b, RECEIPT_HASH) != 0)) {
		bundle_problem(&v->files, "%04u: the tiles do not give the signed root hash", log->year);
		return 0;
	}
	return rc;
}
