/* Dictionaries: text files (doc/dictionary-format.md) compiled to tables.
 *
 * Opening a set only lists the files; a file is read and compiled when a message that needs it is first looked for, found
 * by its name (STANDARD-VERSION-TYPE.dict over STANDARD-VERSION.dict). So a set changes as it is used: one thread at a time. */
#ifndef OPENVAN_EDI_DICTIONARY_H
#define OPENVAN_EDI_DICTIONARY_H

#include "base/error.h"
#include "base/slice.h"

#include "edi/report.h"

struct edi_dictionary_set;
struct edi_message_def;

/* Lists the *.dict of the first of these folders that exists: $OPENVAN_DICT, `path` (may be NULL), VAN_DATADIR/dict.
 * 0, VAN_ENOTFOUND, VAN_ENOMEM. */
int edi_dictionary_set_open(const char *path, struct edi_dictionary_set **ret, struct van_error *e);
void edi_dictionary_set_free(struct edi_dictionary_set *set); /* NULL is fine */
/* Another folder, searched before those there are: what it has replaces what they have. Before the first look-up.
 * VAN_ENOTFOUND when it is not there or has no *.dict. */
int edi_dictionary_set_add(struct edi_dictionary_set *set, const char *folder, struct van_error *e);
/* One file, searched before all there are. VAN_EINVAL when its name does not tell what it holds. */
int edi_dictionary_set_add_file(struct edi_dictionary_set *set, const char *path, struct van_error *e);
/* Code meanings and envelope segments are wanted too (they have no part in validation). Before the first look-up. */
void edi_dictionary_set_explain(struct edi_dictionary_set *set);
/* Reads all files' text now, so that no file is opened later: call it before rights are dropped. 0 or VAN_EIO, VAN_ENOMEM. */
int edi_dictionary_set_preload(struct edi_dictionary_set *set, struct van_error *e);

/* Loads and links all that every file says (explanations when they are wanted), to find errors. As edi_dictionary_find. */
int edi_dictionary_set_check(struct edi_dictionary_set *set, struct van_error *e);

/* The same for the file that was added last. */
int edi_dictionary_set_check_first(struct edi_dictionary_set *set, struct van_error *e);

struct edi_dictionary_entry {
	enum edi_standard standard;
	struct slice version, type, name;
	const char *path;
	bool hidden; /* a file that is searched before has it too */
};
/* Each message of the set, which was checked, in the order of search. */
void edi_dictionary_set_each(const struct edi_dictionary_set *set, void (*fn)(void *ctx, const struct edi_dictionary_entry *entry),
	void *ctx);

/* *ret: the message's definition, NULL when there is none. X12 versions match on their first six characters ("004010VICS"
 * is 004010). 0, or negative when a file cannot be read or is in error (VAN_ESYNTAX, `e` names file and line). */
int edi_dictionary_find(struct edi_dictionary_set *set, enum edi_standard standard, struct slice version, struct slice type,
	const struct edi_message_def **ret, struct van_error *e);

/* The same in the version nearest to this one: the newest that is older, else the oldest that is newer. *ret_version: which that
 * is, as in a message ("D:96A", "004010"). Only versions like these are compared. *ret NULL: the type has none. As
 * edi_dictionary_find; it reads names of files only. */
int edi_dictionary_nearest(struct edi_dictionary_set *set, enum edi_standard standard, struct slice version, struct slice type,
	const struct edi_message_def **ret, struct slice *ret_version, struct van_error *e);

/* For people. The name of a segment's definition and its fields, and what codes mean: of the message (which may be NULL)
 * or, for envelopes, of the standard. The set was opened to explain. *ret NULL: there is none. As edi_dictionary_find. */
struct edi_segment_def;
int edi_dictionary_segment(struct edi_dictionary_set *set, enum edi_standard standard, const struct edi_message_def *message,
	struct slice id, const struct edi_segment_def **ret, struct van_error *e);
struct slice edi_dictionary_meaning(struct edi_dictionary_set *set, enum edi_standard standard, const struct edi_message_def *message,
	struct slice element, struct slice value); /* absent: not known */

#endif
