/* Dictionaries: text files (doc/dictionary-format.md) compiled to tables. A set is read-only once opened, so threads
 * and forked processes share it. */
#ifndef OPENVAN_EDI_DICTIONARY_H
#define OPENVAN_EDI_DICTIONARY_H

#include "base/error.h"
#include "base/slice.h"

#include "edi/report.h"

struct edi_dictionary_set;
struct edi_message_def;

/* Reads all *.dict below the first of these folders that exists: $OPENVAN_DICT, `path` (may be NULL), VAN_DATADIR/dict.
 * Opens files: call it before rights are dropped. 0, VAN_ENOTFOUND, VAN_ESYNTAX (text names file and line). */
int edi_dictionary_set_open(const char *path, struct edi_dictionary_set **ret, struct van_error *e);
void edi_dictionary_set_free(struct edi_dictionary_set *set); /* NULL is fine */

/* The message's definition, or NULL. X12 versions match on their first six characters ("004010VICS" is 004010). */
const struct edi_message_def *edi_dictionary_find(const struct edi_dictionary_set *set, enum edi_standard standard,
	struct slice version, struct slice type);

#endif
