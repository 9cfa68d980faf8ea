/* Names and limits of a bundle's files, for the writer and the verifier. */
#ifndef OPENVAN_RECEIPT_BUNDLE_NAMES_H
#define OPENVAN_RECEIPT_BUNDLE_NAMES_H

#include "receipt/receipt.h"
#include "receipt/tar.h"

#define BUNDLE_ROOT "openvan-receipts/"
#define BUNDLE_VERSION 1
#define BUNDLE_LOGS_MAX 200 /* years */
#define BUNDLE_NUMBER "%012llu"
#define TILE_WIDTH 256
#define TILE_BITS 8

struct bundle_name {
	char text[TAR_NAME_MAX + 1];
};
/* ROOT YEAR/what */
struct bundle_name bundle_log_file(uint32_t year, const char *what);
/* ROOT YEAR/folder/NUMBER ending; for artefacts and salts the ending is "/NAME". */
struct bundle_name bundle_leaf_file(uint32_t year, const char *folder, uint64_t index, struct slice ending);
struct bundle_name bundle_certificate(const struct receipt_hash *sha256);
/* tile/L/N[.p/W] as in c2sp.org/tlog-tiles; width 256 is a full tile. */
struct bundle_name bundle_tile(uint32_t year, unsigned level, uint64_t number, unsigned width);

extern const char bundle_verify_md[];
extern const char bundle_verify_sh[];

/* bundle.json */
struct bundle_log {
	uint32_t year;
	char origin[RECEIPT_ORIGIN_MAX + 1];
	uint64_t first, last; /* leaves in the bundle, both inclusive */
};
struct bundle_manifest {
	van_time from, until; /* 0: open */
	size_t n;
	struct bundle_log log[BUNDLE_LOGS_MAX];
};
int bundle_manifest_write(const struct bundle_manifest *m, struct van_buf *to);
int bundle_manifest_parse(struct slice json, struct bundle_manifest *ret, struct van_error *err);

#endif
