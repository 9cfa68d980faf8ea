/* What converting by maps shares: maps, the run, the report. */
#ifndef OPENVAN_VANCTL_EDI_MAP_H
#define OPENVAN_VANCTL_EDI_MAP_H

#include "map/map.h"
#include "vanctl/edi_input.h"
#include "vanctl/edi_sheets.h"

struct edi_map {
	const struct edi_command *c;
	struct edi_dictionary_set *dictionaries;
	struct edi_sheets maps;
	struct map_run_state *run;
	const struct map *last; /* that the message before had by its type and version */
	struct van_buf out, report;
	bool report_begun;     /* of --json: its first note was put */
	uint64_t documents;
	uint64_t untold;       /* values that did not go along */
	int status;            /* of an error that was told; EDI_DONE */
};

/* Opens maps and dictionaries. EDI_DONE, or a status after an error was printed. */
int edi_map_open(struct edi_map *x, const struct edi_command *c);
void edi_map_close(struct edi_map *x);
/* Tells what the message's run noted; `chain`: the document is not kept, so what no row took is gone. */
void edi_map_report(struct edi_map *x, struct slice message, bool chain);
/* What is left of the report to standard error, and how much did not go along. */
void edi_map_tell(struct edi_map *x);
/* Writes what was made so far to standard output, and the report to standard error, once they are 64 KiB; all of the output with
 * `last`. EDI_DONE, or a status after an error was printed. */
int edi_map_flow(struct edi_map *x, bool last);

struct edi_map_message {
	const struct edi_interchange *interchange;
	const struct edi_group *group;
	const struct edi_message *message;
	struct slice bytes;
	struct map_delimiters delimiters;
	struct map_envelope envelope;
};

/* Each message of the input but acknowledgements; the interchange's end with `m` NULL. No more than the message at hand is held. fn
 * returns EDI_DONE, or a status that ends it. */
typedef int (*edi_map_message_fn)(struct edi_map *x, void *ctx, const struct edi_map_message *m);
int edi_map_each(struct edi_map *x, struct edi_input *in, edi_map_message_fn fn, void *ctx);
/* The document of one message, by the map that its type and version have, or `map`. */
int edi_map_read(struct edi_map *x, const struct edi_map_message *m, const char *map, struct tree **ret);

#endif
