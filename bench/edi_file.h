/* What the EDI benchmarks share: a large file, memchr over it, and the product run over it. */
#ifndef OPENVAN_BENCH_EDI_FILE_H
#define OPENVAN_BENCH_EDI_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Runs `vanctl edi VERB FILE` over a generated interchange of 168,000 850s of 40 segments and one of 169,000 ORDERS, against
 * memchr over the same file; the lower of the two ratios counts.
 * `share`: the target is memchr's rate divided by this (memchr makes 4.0 GB/s on the reference machine).
 * Prints the figures and a last line "NAME ratio=R target=1.00"; returns an exit status. */
int edi_bench(const char *name, const char *verb, double share, int argc, char **argv);

/* The same over 56,000 850s alone, for what holds its output in memory until an interchange ends. */
int edi_bench_850(const char *name, const char *verb, double share, int argc, char **argv);

#endif
