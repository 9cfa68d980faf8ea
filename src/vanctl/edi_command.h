/* What the `vanctl edi` verbs share: options, input, output. */
#ifndef OPENVAN_VANCTL_EDI_COMMAND_H
#define OPENVAN_VANCTL_EDI_COMMAND_H

#include "edi/check.h"

struct edi_input;
struct tree;

struct edi_command {
	const char *verb, *file;
	bool json, ta1, lines, pretty, strict, nearest, explain;
	const char *type, *to, *map, *version, *charset, *guide, *sender, *receiver, *rejects; /* options with values; NULL: not given */
	struct edi_guide *rules;               /* what --guide names; NULL: it was not given */
	const char *dict[8];                   /* --dict, the first goes first */
	unsigned dict_count;
	const char *sheet;                     /* --sheet: of CSV documents */
	uint32_t document;                     /* --document: which of several, from 1; 0: not given */
	uint32_t control;                      /* --control: first control number written; 0: not given */
};

enum { EDI_DONE = 0, EDI_NO = 1, EDI_USAGE = 2 };

/* One line on standard error; returns `status`. */
int edi_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What --strict and --nearest ask of a check, the bounds at their defaults. */
struct edi_check_options edi_options(const struct edi_command *c);
/* The file, or standard input for "-". A descriptor, or negative after an error was printed. */
int edi_open(const struct edi_command *c);
/* All of the file. EDI_DONE or EDI_USAGE after an error was printed. */
int edi_read(const struct edi_command *c, struct van_buf *to);
/* The dictionaries, those of --dict before the shipped ones; NULL after an error was printed. */
struct edi_dictionary_set *edi_dictionaries(const struct edi_command *c);
/* Takes one option; returns how many words it has, 0 for an unknown one, -1 for a bad value. */
int edi_take_option(struct edi_command *c, const char *word, const char *value);
/* Writes the buffer to standard output and empties it. */
int edi_flush(struct van_buf *b);

int edi_run_stats(const struct edi_command *c);
int edi_run_validate(const struct edi_command *c);
int edi_run_inspect(const struct edi_command *c);
int edi_run_ack(const struct edi_command *c);
int edi_run_convert(const struct edi_command *c);
int edi_run_dict(int argc, char **argv); /* argv[0]: "dict" */
/* Its forms without a map: to JSON or XML, and back. */
int edi_run_to_form(const struct edi_command *c);
/* A UBL document, whose `fd` has been read up to `head` and is closed, as canonical JSON. EDI_DONE, or a status after an error was printed. */
int edi_ubl_read(const struct edi_command *c, int fd, struct slice head, struct van_buf *json);
/* `fd` has been read up to `head`, whose memory is taken. */
int edi_run_from_form(const struct edi_command *c, int fd, char *head, size_t n);
/* `in`, a CSV file, becomes one of the canonical documents that the sheet of --sheet makes of it, one after the other; *ret is its own, for
 * edi_flat_close. As above. */
struct edi_flat;
int edi_flat_open(const struct edi_command *c, struct edi_input *in, struct edi_flat **ret);
void edi_flat_close(struct edi_flat *f); /* NULL is fine */

/* Where canonical documents become a file of another form: they are given one after the other, then comes the end. What is printed waits until it is
 * 64 KiB: an error in a small input leaves nothing behind. As above. */
struct edi_sink;
int edi_sink_open(const struct edi_command *c, struct edi_sink **ret); /* by --to: ubl-xml, csv, canonical or json */
int edi_sink_document(void *sink, const struct tree *document); /* an edi_document_fn */
int edi_sink_end(struct edi_sink *s);
void edi_sink_close(struct edi_sink *s); /* NULL is fine */

/* By maps: messages to documents, documents to messages, messages to others (edi_map.c), one after the other. What they become goes to
 * standard output as it is made, but for its first 64 KiB, which wait for the end: an error in a small input leaves nothing behind.
 * `fn`: documents are given to it instead. */
int edi_run_to_canonical(const struct edi_command *c, struct edi_input *in, int (*fn)(void *ctx, const struct tree *document), void *ctx);
int edi_run_to_messages(const struct edi_command *c, struct edi_input *in);

#endif
