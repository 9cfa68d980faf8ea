/* Bundles: one tar with everything an auditor needs to verify receipts with openssl and sha256sum, or with
 * `vanctl receipt verify`. */
#ifndef OPENVAN_RECEIPT_BUNDLE_H
#define OPENVAN_RECEIPT_BUNDLE_H

#include "receipt/receipt.h"

/* Where an artefact's bytes are: in memory, or `length` bytes at `offset` of a descriptor that the export closes. */
struct receipt_content {
	struct slice bytes; /* used when fd is -1; must stay good until the next call */
	int fd;
	uint64_t offset, length;
};

struct receipt_bundle_options {
	van_time from, until; /* leaves with from <= time < until; 0 is open on that side */
	unsigned char public_key[RECEIPT_KEY]; /* of the key that signed the checkpoints */
	van_time now; /* becomes the files' times */
	/* Bytes of an artefact; VAN_ENOTFOUND when they were deleted. NULL: the bundle is of hashes only. */
	int (*artefact)(void *arg, struct receipt_ref ref, const struct receipt_leaf *leaf, const struct receipt_artefact *a,
		struct receipt_content *ret);
	/* Appends the DER of the certificate with this SHA-256; VAN_ENOTFOUND. May be NULL. */
	int (*certificate)(void *arg, const struct receipt_hash *sha256, struct van_buf *der);
	void *arg;
};

struct receipt_bundle_stat {
	uint64_t leaves, artefacts, deleted, bytes;
};

/* Writes the tar to `fd` (pipe or file), from one read transaction. Holds what the newest checkpoint of each log covers: sign
 * first (VAN_ESTATE where a log of the period has no checkpoint). A period without leaves gives a bundle without leaves. */
int receipt_bundle_export(struct store_txn *t, struct receipts *r, const struct receipt_bundle_options *o, int fd,
	struct receipt_bundle_stat *ret, struct van_error *err);

struct receipt_report {
	uint64_t size;    /* leaves in the checkpointed trees, all logs of the bundle */
	uint64_t checked; /* leaves of the bundle whose inclusion was proven */
	uint64_t artefacts, missing; /* artefacts whose hash was right; those that the bundle does not hold */
	bool other_texts; /* verify.sh or VERIFY.md are not the ones this program writes: of another version, or altered */
	bool own_key; /* no key was given: the bundle's own was used */
	char vkey[RECEIPT_ORIGIN_MAX + 80]; /* the verifier key used */
	struct van_buf problems; /* lines, each ended by a newline; at most 100, then a line that says how many more */
	uint64_t n_problems;
};

/* Reads a bundle from a seekable descriptor. `vkey` may be absent. Hostile input is bounded: see the limits in bundle_verify.c.
 * 0 when the reading came to an end (verified when n_problems is 0); negative when the file could not be read at all.
 * The caller frees report->problems. */
int receipt_bundle_verify(int fd, struct slice vkey, struct receipt_report *report, struct van_error *err);

#endif
