/* One table of keys drives everything: reading YAML and JSON, checking, writing JSON and YAML, and the reference page.
 * A field names its key, its kind, where it lies in the struct, its default as one would write it, and its help text. */
#ifndef OPENVAN_PARTNER_SCHEMA_H
#define OPENVAN_PARTNER_SCHEMA_H

#include "base/clock.h"
#include "base/record.h"
#include "partner/node.h"

enum schema_kind {
	SCHEMA_TEXT,     /* struct slice, absent when not given */
	SCHEMA_INTEGER,  /* uint64_t within min..max; `word` stands for 0 */
	SCHEMA_BOOL,     /* bool: true, false, yes, no */
	SCHEMA_ENUM,     /* uint32_t, index of `names` */
	SCHEMA_SET,      /* uint64_t: a list of `names` as bits */
	SCHEMA_DURATION, /* van_time, microseconds: 500ms 90s 15m 2h 7d, and sums: 1h30m */
	SCHEMA_SIZE,     /* uint64_t, bytes: 64KiB 1GiB 500MB unlimited (UINT64_MAX) */
	SCHEMA_TIME,     /* van_time: RFC 3339 or a date; 0 when not given */
	SCHEMA_PATH,     /* struct slice: absolute path */
	SCHEMA_IDENTITY, /* struct slice: canonical identity */
	SCHEMA_PARTY,    /* struct slice: canonical identity, or "*" */
	SCHEMA_TEXTS,      /* struct slice_list */
	SCHEMA_PATHS,      /* struct slice_list */
	SCHEMA_IDENTITIES, /* struct slice_list */
	SCHEMA_DURATIONS,  /* struct profile_durations */
	SCHEMA_OBJECT,   /* a struct within the struct, with its defaults when not given */
	SCHEMA_ONE,      /* pointer to a struct, NULL when not given */
	SCHEMA_MANY,     /* struct record_list of structs */
};

enum {
	SCHEMA_REQUIRED = 1,
	SCHEMA_NOT_EMPTY = 2, /* a list needs one entry, a text one character */
	SCHEMA_DERIVED = 4,   /* filled in by loading; accepted in input and then made anew; not in YAML output */
	SCHEMA_ALWAYS = 8,    /* SCHEMA_ONE: made with its defaults when not given */
	SCHEMA_SECRET = 16,   /* the value is never repeated in a message */
	SCHEMA_CONTROL = 32,  /* may be a single control character: a delimiter */
};

/* A single control character, as delimiters may be; texts with others in them are refused before they get here. */
static inline bool schema_is_control(struct slice s)
{
	return s.n == 1 && ((unsigned char)*s.p < 32 || *s.p == 127) && *s.p != '\n' && *s.p != '\r' && *s.p != '\t';
}

/* Looks at one text. NULL: fine; else constant text: what is wrong and what to do. *ret_warning: no error. */
typedef const char *schema_check_fn(struct slice text, bool *ret_warning);

struct schema_field {
	const char *key;
	uint8_t kind;
	uint8_t flags;
	uint32_t offset;
	uint32_t only;        /* bits of the table's `select` values it belongs to; 0: all */
	const char *fallback; /* default, as written; lists with commas; NULL: none */
	const char *const *names;
	const struct schema_table *sub;
	uint64_t min, max;    /* SCHEMA_INTEGER, also SCHEMA_DURATION's and SCHEMA_SIZE's least and most, SCHEMA_MANY's most entries; 0,0: any */
	const char *word;
	schema_check_fn *check; /* text kinds, and each entry of their lists */
	const char *help;
};

struct schema_reader;

struct schema_table {
	const char *name; /* heading in the reference */
	uint32_t size;    /* of the struct */
	const struct schema_field *fields; /* ends with key NULL */
	const char *shorthand; /* a plain value stands for an object with this key; NULL: none */
	const char *select;    /* key of an enum that says which fields there are; NULL: all */
	/* Checks between fields, fills derived ones in. Reports through schema_problem(); negative only for VAN_ENOMEM. */
	int (*finish)(struct schema_reader *r, const struct schema_node *at, void *object);
	const char *help;
};

struct schema_reader {
	struct van_arena *arena; /* of what is read */
	struct profile_errors *errors;
	const char *file;    /* NULL: none */
	struct slice folder; /* where relative paths start, absolute; absent: paths must be absolute, no file is read */
	bool trusted;        /* our own stored bytes: derived fields need not be made anew */
	char path[256];      /* field being read */
	size_t path_n;
};

/* Fills `object` (t->size zeroed bytes) from a document. 0 when it has no errors (warnings may be there), VAN_EINVAL,
 * VAN_ENOMEM. Every problem is reported, not the first only. */
int schema_read(struct schema_reader *r, const struct schema_table *t, const struct schema_node *n, void *object);

/* A problem at the node (line) and field (r->path, and `key` below it if not NULL). */
void schema_problem(struct schema_reader *r, const struct schema_node *at, const char *key, bool warning, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* The index of a name, or -1; on -1 *ret_near (may be NULL) is the most similar name or NULL. */
int schema_name_find(const char *const *names, struct slice s, const char **ret_near);

/* JSON: keys in the table's order, no blanks, defaults written out, absent values left out. 0 or the buffer's error. */
int schema_to_json(const struct schema_table *t, const void *object, struct van_buf *to);
/* The members alone, for a caller who writes the braces; *first says whether a comma is needed. */
int schema_members_to_json(const struct schema_table *t, const void *object, bool *first, struct van_buf *to);

/* YAML in block style, derived fields left out. `indent` in blanks. */
int schema_to_yaml(const struct schema_table *t, const void *object, unsigned indent, struct van_buf *to);

/* Markdown: a table of keys of this table, then those of its sub-tables under their own headings (each once).
 * `done`: tables written already, NULL-terminated, room for `room`. */
int schema_reference(const struct schema_table *t, const struct schema_table **done, size_t room, struct van_buf *to);

/* Scalars. 0 or VAN_ESYNTAX. */
int schema_duration_parse(struct slice s, van_time *ret);
int schema_size_parse(struct slice s, uint64_t *ret);
void schema_duration_print(struct van_buf *to, van_time t);
void schema_size_print(struct van_buf *to, uint64_t n);

/* Which fields the object has, by its `select` value. */
bool schema_applies(const struct schema_table *t, const struct schema_field *f, const void *object);

/* Similarity of two keys: 0 the same, then edits; ignores case, '-' against '_'. At most 64 bytes are looked at. */
unsigned schema_distance(struct slice a, struct slice b);

#endif
