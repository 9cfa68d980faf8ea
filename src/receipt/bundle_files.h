/* A bundle under verification: its files by name, and the list of problems. */
#ifndef OPENVAN_RECEIPT_BUNDLE_FILES_H
#define OPENVAN_RECEIPT_BUNDLE_FILES_H

#include "receipt/bundle.h"
#include "receipt/bundle_names.h"

#define BUNDLE_FILES_MAX 2000000            /* some 90 bytes of memory each */
#define BUNDLE_SUMS_MAX ((uint64_t)1 << 30) /* bytes of SHA256SUMS, read in pieces */
#define BUNDLE_PROBLEMS_MAX 100             /* lines kept; the rest is counted */

struct bundle_file {
	size_t name; /* offset in names */
	uint64_t offset, size;
	bool summed; /* SHA256SUMS was right about it */
	bool used;   /* somebody knew what it is for */
};

struct bundle_files {
	int fd;
	struct van_buf names;
	struct bundle_file *v;
	size_t n, room;
	struct receipt_report *report;
};

/* Reads the archive's headers and sorts the files. What is wrong with the archive becomes a problem. */
int bundle_files_open(struct bundle_files *b, int fd, struct receipt_report *report, struct van_error *err);
void bundle_files_free(struct bundle_files *b);

void bundle_problem(struct bundle_files *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Marks it used. NULL when absent. */
struct bundle_file *bundle_find(struct bundle_files *b, const char *name);
/* Appends the file's bytes to an empty buffer; a file that is absent or larger than `max` is a problem and VAN_ENOTFOUND. */
int bundle_read(struct bundle_files *b, const char *name, size_t max, struct van_buf *to);
/* SHA-256 over `before` and the file's bytes. */
int bundle_hash(struct bundle_files *b, const struct bundle_file *f, struct slice before, struct receipt_hash *ret);

/* Compares SHA256SUMS with the files: each is listed once, and right. */
int bundle_check_sums(struct bundle_files *b);
/* Files that nobody used. */
void bundle_check_strangers(struct bundle_files *b);

/* Everything about one year's log; see bundle_verify_log.c. */
struct bundle_verifier {
	struct bundle_files files;
	struct receipt_report *report;
	const struct bundle_manifest *manifest;
	unsigned char key[RECEIPT_KEY];
	struct van_arena *arena;
	van_time last_time; /* of the leaf before, through all logs */
	struct receipt_checkpoint before; /* of the log before; origin empty: none */
};
int bundle_verify_log(struct bundle_verifier *v, size_t which);
/* Tiles of one log against each other and its checkpoint: bundle_verify_tiles.c. */
int bundle_verify_tiles(struct bundle_verifier *v, const struct bundle_log *log, const struct receipt_checkpoint *c);
/* A leaf's hash as the tiles have it; VAN_ENOTFOUND. */
int bundle_tile_leaf(struct bundle_verifier *v, const struct bundle_log *log, uint64_t size, uint64_t index, struct receipt_hash *ret);

#endif
