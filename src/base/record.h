/* Records: one table describes a struct, its bytes (stored, or sent between roles) and its JSON.
 *
 * Bytes: one version byte, then fields, each a tag byte, a length (LEB128) and that many bytes. Numbers are big-endian
 * without leading zero bytes. Unknown tags are skipped; an unknown version is refused. Absent values take no bytes.
 * In memory a field is one of the kinds below; slices of a decoded record point into the bytes it was decoded from. */
#ifndef OPENVAN_BASE_RECORD_H
#define OPENVAN_BASE_RECORD_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum record_kind {
	RECORD_U64,   /* uint64_t; always present */
	RECORD_BOOL,  /* bool */
	RECORD_ENUM,  /* uint32_t; `names` gives the JSON strings; out-of-range is refused */
	RECORD_TIME,  /* van_time; 0 is absent; RFC 3339 in JSON */
	RECORD_TEXT,  /* struct slice */
	RECORD_BYTES, /* struct slice; hex in JSON */
	RECORD_TEXTS, /* struct slice_list */
	RECORD_ONE,   /* pointer to a struct described by `sub`; NULL is absent */
	RECORD_MANY,  /* struct record_list of structs described by `sub` */
};

struct record_list {
	void *v; /* array of `n` structs */
	size_t n;
};

struct record_table;

struct record_field {
	uint8_t tag; /* 1..255; never used again for another meaning */
	uint8_t kind;
	uint32_t offset;
	const char *name; /* JSON name; NULL keeps it out of JSON */
	const char *const *names; /* RECORD_ENUM: NULL-terminated */
	const struct record_table *sub;
};

struct record_table {
	const char *name;
	uint8_t version;
	uint32_t size; /* of the struct */
	const struct record_field *fields; /* ends with tag 0 */
};

#define RECORD_FIELD(tag_, kind_, type_, member_) {.tag = tag_, .kind = kind_, .offset = offsetof(type_, member_), .name = #member_}
#define RECORD_HIDDEN(tag_, kind_, type_, member_) {.tag = tag_, .kind = kind_, .offset = offsetof(type_, member_)}
#define RECORD_FIELD_ENUM(tag_, type_, member_, names_) \
	{.tag = tag_, .kind = RECORD_ENUM, .offset = offsetof(type_, member_), .name = #member_, .names = names_}
#define RECORD_FIELD_SUB(tag_, kind_, type_, member_, sub_) \
	{.tag = tag_, .kind = kind_, .offset = offsetof(type_, member_), .name = #member_, .sub = sub_}
#define RECORD_END {.tag = 0}

/* The i-th element of a RECORD_MANY member. */
#define RECORD_AT(list_, type_, i_) (&((type_ *)(list_).v)[i_])

/* Appends the record's bytes. 0 or the buffer's error. */
int record_encode(const struct record_table *t, const void *from, struct van_buf *to);

/* Fills *ret (t->size bytes) from the bytes. Lists and sub-records are allocated in `arena`; slices point into `bytes`.
 * 0, VAN_EVERSION, VAN_ESYNTAX (damaged) or VAN_ENOMEM. */
int record_decode(const struct record_table *t, struct slice bytes, struct van_arena *arena, void *ret);

/* Appends the JSON object: every named field, absent values as null. */
int record_to_json(const struct record_table *t, const void *from, struct van_buf *to);

/* Appends a JSON string with quotes; bytes that are not UTF-8 become U+FFFD. An absent slice becomes null. */
int json_put_text(struct van_buf *to, struct slice s);

/* Cursor over foreign or stored bytes, with a sticky error (false once, false for ever). */
struct wire {
	const unsigned char *p;
	size_t n;
	bool bad;
};
uint8_t wire_u8(struct wire *w);
uint64_t wire_varint(struct wire *w);
struct slice wire_bytes(struct wire *w, size_t n);
int wire_put_varint(struct van_buf *to, uint64_t v);

#endif
