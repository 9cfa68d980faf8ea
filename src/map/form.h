/* Interchanges as JSON or XML and back, without loss (doc/edi-forms.md). Both ways stream: any size in little memory. */
#ifndef OPENVAN_MAP_FORM_H
#define OPENVAN_MAP_FORM_H

#include "base/error.h"
#include "base/slice.h"

#include "edi/charset.h"
#include "edi/report.h"

enum form { FORM_JSON, FORM_XML };

/* Takes output; negative stops. */
typedef int (*form_output_fn)(void *ctx, struct slice bytes);

struct form_options {
	/* What bytes above ASCII are in interchanges that say no character set that has them (X12, UNOA, UNOB, unknown ones):
	 * EDI_CHARSET_NONE takes them for UTF-8. */
	enum edi_charset fallback;
	bool lines;                  /* back to EDI: a line feed after each segment */
	enum edi_standard standard;  /* back to EDI: only interchanges of this standard; EDI_UNKNOWN: all */
	size_t max_segment;          /* bytes; default and most 16 MiB */
};

struct form_counts {
	uint64_t interchanges, segments;
	uint64_t skipped; /* back to EDI: interchanges of the other standard. To a form: bytes outside of interchanges */
};

/* Reads all of the input before, in any chunking, to know the fallback: UTF-8 where all of it is that, else ISO 8859-1. */
struct form_guess {
	char held[4]; /* the beginning of a character that a chunk ended in */
	size_t held_n;
	bool latin;
};
void form_guess_feed(struct form_guess *g, struct slice chunk);
enum edi_charset form_guess_fallback(const struct form_guess *g);

/* --- EDI to a form ----------------------------------------------------------------------------------------------------- */

struct form_writer;
struct form_writer *form_writer_new(enum form form, const struct form_options *options, form_output_fn fn, void *ctx); /* NULL: no memory */
void form_writer_free(struct form_writer *w); /* NULL is fine */
/* Any chunking gives the same output. `last` ends the input. 0, VAN_ENOMEM, VAN_ELIMIT (a segment past the bound, which could
 * not be written whole), VAN_ENOTFOUND (at the end: no interchange), or fn's error. */
int form_writer_feed(struct form_writer *w, struct slice chunk, bool last, struct van_error *e);
struct form_counts form_writer_counts(const struct form_writer *w);

/* --- a form to EDI ----------------------------------------------------------------------------------------------------- */

struct form_reader;
struct form_reader *form_reader_new(enum form form, const struct form_options *options, form_output_fn fn, void *ctx); /* NULL: no memory */
void form_reader_free(struct form_reader *r); /* NULL is fine */
/* Any chunking gives the same output. 0, VAN_ESYNTAX (`e` names the line), VAN_EINVAL (a value that cannot be written),
 * VAN_ELIMIT, VAN_ENOMEM, or fn's error. */
int form_reader_feed(struct form_reader *r, struct slice chunk, bool last, struct van_error *e);
struct form_counts form_reader_counts(const struct form_reader *r);

#endif
