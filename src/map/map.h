/* Maps: rows of a spreadsheet turn EDI messages into canonical documents and back (maps/README.md says how rows work).
 *
 * A set holds the sheets of a folder. Each sheet yields a map for each version and way. A run holds the memory of one
 * translation after the other: map_read() makes a document of a message, map_write() a message of a document. */
#ifndef OPENVAN_MAP_MAP_H
#define OPENVAN_MAP_MAP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

#include "edi/write_envelope.h"

struct map_set;
struct map;
struct tree;
struct edi_dictionary_set;
struct map_table_scope;

/* Reads all *.csv below the first of these folders that exists: $OPENVAN_MAPS, `path` (may be NULL), VAN_DATADIR/maps.
 * Opens files: call it before rights are dropped. 0, VAN_ENOTFOUND, VAN_ESYNTAX (text names file, row and remedy). */
int map_set_open(const char *path, struct map_set **ret, struct van_error *e);
/* An empty set, which sees the tables of another one as well (NULL: none; it must outlive this one); texts are added, then it is
 * linked once. 0, VAN_ENOMEM. */
int map_set_new(const struct map_set *tables, struct map_set **ret, struct van_error *e);
/* For whom the tables are asked that are added from now on (table.h); it may change between runs. NULL: nobody. */
void map_set_scope(struct map_set *set, const struct map_table_scope *scope);
/* `name` as a file's without its .csv: "table-unit" is a table, whose rows come before those of one of that name which is there. 0, VAN_ESYNTAX (as above), VAN_ENOMEM. */
int map_set_add(struct map_set *set, struct slice name, struct slice text, struct van_error *e);
int map_set_link(struct map_set *set, struct van_error *e);
void map_set_free(struct map_set *set); /* NULL is fine */
/* Most bytes in which a set remembers what rows had to do in loops of the same shape, for those that come, and as many again for objects on
 * the way out; 512 KiB unless told. 0: nothing. */
void map_set_remember(struct map_set *set, size_t bytes);
#define MAP_REMEMBER ((size_t)512 << 10)
/* Where loops and the order of segments are looked up; without them maps go one way only, in, and loops name their segments.
 * The dictionaries must outlive the set, and are used by one thread at a time. */
void map_set_dictionaries(struct map_set *set, struct edi_dictionary_set *dictionaries);

enum map_way { MAP_IN, MAP_OUT };

/* By name, e.g. "x12-004010-850-to-order" or "order-to-edifact-d96a-orders"; NULL when there is none. */
const struct map *map_find(const struct map_set *set, struct slice name);
/* The only map from this message type and version to the canonical document, or NULL. standard "x12", "edifact". */
const struct map *map_find_for(const struct map_set *set, const char *standard, struct slice type, struct slice version);
/* The only map of this document ("order/1.0") to this message type and version, or NULL. An absent slice stands for any. */
const struct map *map_find_out(const struct map_set *set, struct slice document, const char *standard, struct slice type,
	struct slice version);
/* All maps, the ways in and out of each version. */
void map_each(const struct map_set *set, void (*fn)(void *ctx, const struct map *m), void *ctx);

const char *map_name(const struct map *m);
const char *map_target(const struct map *m); /* "order/1.0", of both ways */
const char *map_standard(const struct map *m); /* "x12", "edifact" */
enum map_way map_way(const struct map *m);
struct slice map_type(const struct map *m);    /* "850", "ORDERS" */
struct slice map_version(const struct map *m); /* "004010", "D:96A" */
/* The map of the same sheet and version the other way, or NULL. */
const struct map *map_reverse(const struct map *m);

/* What the envelope says of the message; copied into the document. Absent slices are left out. */
struct map_envelope {
	struct slice sender, receiver;   /* "ZZ:ACME" */
	struct slice interchange_control_number, group_control_number, message_control_number;
	bool test;
	struct slice version;            /* ISA12; "UNOC:3". Says the character set of EDIFACT */
	struct slice date, time;         /* of the group where there is one, else of the interchange, as they came */
};

struct map_options {
	size_t max_values;   /* most JSON values in the document; 0: 1,000,000 */
	size_t max_memory;   /* bytes of one run; 0: 256 MiB */
	uint64_t max_steps;  /* of one run, rows and segments looked at; 0: 10,000,000 */
	bool pretty;         /* indented */
	bool explain;        /* notes of all that was taken and written, too */
	bool counts_only;    /* notes are counted and not kept: map_run_count(). Together with no_side_car */
	bool row_by_row;     /* every row looks for itself: nothing is planned for a loop, nothing remembered. The same comes of it, slower: to compare with */
	bool no_side_car;    /* neither _unmapped nor _source in the document: its notes tell */
};

struct map_delimiters {
	char element, component, repetition, release, terminator; /* 0: none */
};

/* What a translation did, for its report. In the order in which it happened. */
struct map_note {
	enum map_note_kind {
		MAP_NOTE_TAKEN,     /* explain: a row took a value into the document */
		MAP_NOTE_WRITTEN,   /* explain: a row wrote a value into the message */
		MAP_NOTE_UNMAPPED,  /* in: no row took this element */
		MAP_NOTE_UNWRITTEN, /* out: no row took this value of the document */
		MAP_NOTE_CUT,       /* out: the value was cut, as its row says */
	} kind;
	struct map_note *next;
	const struct map *map;
	unsigned row;                 /* of the sheet; 0: none */
	struct slice place;           /* in the document, "OrderLine[2].LineItem.ID"; absent: unmapped */
	struct slice segment;         /* absent: unwritten */
	uint32_t position;            /* of the segment in its message, from 1 */
	uint32_t element, component;  /* component 0: the whole element */
	struct slice loop;            /* "PO1[3]", absent in the head */
	struct slice value;           /* as it is on the side it comes from; raw bytes in base64: */
	bool binary;
};

struct map_run_state;
/* NULL: no memory. `options` may be NULL. */
struct map_run_state *map_run_new(const struct map_options *options);
void map_run_free(struct map_run_state *r); /* NULL is fine */
/* Forgets the documents and notes made so far. */
void map_run_reset(struct map_run_state *r);
/* Of the reads and writes since the last reset. */
const struct map_note *map_run_notes(const struct map_run_state *r);

/* How many of a kind there were, kept or not. */
uint64_t map_run_count(const struct map_run_state *r, enum map_note_kind kind);

/* Makes the document of one message: exactly the bytes ST..SE (or UNH..UNT) of the report's offset and length. *ret lives until
 * the reset. 0; VAN_ESYNTAX (text names row, segment and remedy), VAN_ELIMIT, VAN_ENOMEM. */
int map_read(struct map_run_state *r, const struct map *in, struct slice message, struct map_delimiters delimiters,
	const struct map_envelope *envelope, struct tree **ret, struct van_error *e);
/* Reads a document from its JSON. As map_read. */
int map_read_json(struct map_run_state *r, struct slice json, struct tree **ret, struct van_error *e);
/* Documents of a JSON text that is fed in any pieces: it is one, or an array of them. Each is in the run, reset before it, until fn returns. */
struct map_documents;
typedef int (*map_document_fn)(void *ctx, struct tree *document); /* negative: stops */
struct map_documents *map_documents_new(struct map_run_state *r, map_document_fn fn, void *ctx); /* NULL: no memory */
void map_documents_free(struct map_documents *d); /* NULL is fine */
/* 0; VAN_ESYNTAX (the text names the line), VAN_ELIMIT, VAN_ENOMEM; what fn returned. */
int map_documents_feed(struct map_documents *d, struct slice chunk, bool last, struct van_error *e);

/* Appends the document's message, from its first segment to its last, to an interchange (and group) that was begun. 0;
 * VAN_ESYNTAX, VAN_EINVAL (text names row, place and remedy), VAN_ELIMIT, VAN_ENOMEM, VAN_ENOTFOUND: there is no dictionary. */
int map_write(struct map_run_state *r, const struct map *out, const struct tree *document, struct edi_outbound *to,
	struct van_error *e);
/* The group its messages stand in: code and version. Slices are the map's. 0 or VAN_ENOTFOUND: there is no dictionary. */
int map_group(const struct map *out, struct edi_group_terms *ret, struct van_error *e);

/* All in one: appends the JSON of the document made from one message. What no row took is listed in its `_unmapped`. */
int map_run(const struct map *m, struct slice message, struct map_delimiters delimiters, const struct map_envelope *envelope,
	const struct map_options *options, struct van_buf *to, struct van_error *e);

#endif
