/* Dictionaries from what others publish: UNECE's directory texts (EDMD, EDSD, EDCD, EDED, UNCL of D.93A and later), and EDI
 * schemas of BizTalk and Azure Logic Apps (XSD with annotations). The result is text in our format (doc/dictionary-format.md). */
#ifndef OPENVAN_MAP_IMPORT_H
#define OPENVAN_MAP_IMPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#include "edi/report.h"

struct import_code {
	struct import_code *next;
	struct slice value, text;
};

struct import_element {
	struct import_element *next;
	struct slice id, name;
	char type[4]; /* "AN", "ID", "N2" … */
	uint32_t min, max;
	struct import_code *codes;
	bool closed; /* they bind, whatever open_codes says: a service element's */
};

struct import_field {
	struct import_field *next;
	struct slice id; /* of an element or composite */
	bool mandatory;
	uint32_t repeat; /* 0: any number */
};

/* A composite or segment. */
struct import_group {
	struct import_group *next;
	struct slice id, name;
	struct import_field *fields;
	struct slice notes; /* "P0304 C0506"; may be absent */
};

struct import_node {
	struct import_node *next, *first; /* first: what stands in a loop */
	struct slice id, when;            /* of the segment, or the loop's name; when: "1=85,87" or absent */
	bool loop, mandatory;
	uint32_t max;                     /* 0: any number */
};

struct import {
	struct van_arena *arena;
	enum edi_standard standard;
	struct slice version; /* "D:96A", "004010" */
	struct import_element *elements;
	struct import_group *composites, *segments;
	/* of a message; `type` absent: there is none */
	struct slice type, group, name;
	struct import_node *nodes;
	unsigned merged;      /* segments that differ by place, whose widest form was taken */
	bool open_codes;      /* code lists tell people only */
};

/* Adds what one UNECE file holds: shared definitions, or a message (then type, name, nodes are of this one). `version`
 * ("D:96A") where the text does not say it; absent: unknown. VAN_ESYNTAX, VAN_ENOMEM. */
int import_unece(struct import *m, struct slice text, struct slice version, struct van_error *e);
/* Reads one schema. VAN_ESYNTAX, VAN_ENOMEM. */
int import_xsd(struct import *m, struct slice text, struct van_error *e);

/* Appends our text: what is shared; the message. Both begin with a dictionary statement unless `follows`. */
int import_write_shared(const struct import *m, struct van_buf *to);
int import_write_message(const struct import *m, bool follows, struct van_buf *to);
/* "edifact-D96A-ORDERS.dict", or without the message. */
struct slice import_file_name(const struct import *m, bool message);

/* Finds, or adds and copies the id. NULL: no memory. */
struct import_element *import_get_element(struct import *m, struct slice id);
struct import_group *import_get_group(struct import *m, struct import_group **list, struct slice id);
struct import_field *import_add_field(struct import *m, struct import_group *g, struct slice id);
/* False: no memory. A value that is there gets no second entry. */
bool import_add_code(struct import *m, struct import_element *x, struct slice value, struct slice text);
/* UNH, UNT, UNS and what they hold, or ST and SE: no directory or schema has them as we need them. */
bool import_service_segments(struct import *m);

#endif
