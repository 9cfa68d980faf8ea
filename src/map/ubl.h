/* UBL 2.1 (ISO/IEC 19845:2015) as XML: order, order response, despatch advice, invoice, credit note. Read into canonical documents and
 * written from them (doc/ubl.md). No network, no DTD, no entities but XML's own five; every bound is explicit. */
#ifndef OPENVAN_MAP_UBL_H
#define OPENVAN_MAP_UBL_H

#include "base/error.h"

#include "map/tree.h"

#include <stdint.h>

/* 0: the default. Elements count against the room's values. */
struct ubl_limits {
	size_t max_bytes;        /* of the document; 64 MiB */
	size_t max_value;        /* of one value, tag or comment; 1 MiB */
	uint32_t max_depth;      /* of elements; 32 */
	uint32_t max_attributes; /* of one element; 16 */
};

/* True for what is XML, no form of EDI (form.h), and so given to ubl_reader. `head`: the file's beginning. */
#define UBL_HEAD ((size_t)8192)
bool ubl_looks_like(struct slice head);

struct ubl_reader;
/* The document is made in the room. NULL: no memory. */
struct ubl_reader *ubl_reader_new(struct tree_room *room, const struct ubl_limits *limits);
void ubl_reader_free(struct ubl_reader *r); /* NULL is fine */
/* Any chunking gives the same. 0; VAN_ESYNTAX (not XML, not UBL, a DTD, another encoding: `e` names line and remedy); VAN_ELIMIT; VAN_ENOMEM. */
int ubl_reader_feed(struct ubl_reader *r, struct slice chunk, bool last, struct van_error *e);
/* After the last chunk: the canonical document. What it has no place for is in _unmapped, attributes beside in _source. */
struct tree *ubl_reader_document(struct ubl_reader *r);

enum ubl_remark {
	UBL_LEFT_OUT, /* UBL has no place for this value */
	UBL_MISSING,  /* UBL wants it, and the document doesn't have it */
};
/* `path` is the document's ("InvoiceLine[0].Item.Colour"); valid during the call. */
typedef void (*ubl_remark_fn)(void *ctx, enum ubl_remark what, struct slice path);

/* Appends the document as UBL XML; the room is for what is made on the way. `fn` may be NULL.
 * 0; VAN_ENOTFOUND (no UBL document of this kind); VAN_EINVAL (a value that XML or UBL can't hold: `e` names its path); VAN_ELIMIT; VAN_ENOMEM. */
int ubl_write(const struct tree *document, struct tree_room *room, struct van_buf *to, ubl_remark_fn fn, void *ctx, struct van_error *e);

#endif
