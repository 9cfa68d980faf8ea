/* The seam between ubl_table.c (what UBL's parts hold), ubl_read.c, ubl_write.c and ubl_despatch.c. */
#ifndef OPENVAN_MAP_UBL_PRIVATE_H
#define OPENVAN_MAP_UBL_PRIVATE_H

#include "map/ubl.h"

#define UBL_NAMESPACE "urn:oasis:names:specification:ubl:schema:xsd:"
#define UBL_VALUES UBL_NAMESPACE "CommonBasicComponents-2"
#define UBL_PARTS UBL_NAMESPACE "CommonAggregateComponents-2"
#define UBL_EXTENSIONS UBL_NAMESPACE "CommonExtensionComponents-2"

struct ubl_type {
	const char *name, *members;
};
extern const struct ubl_type ubl_types[]; /* sorted by name */
extern const size_t ubl_type_count;

/* NULL: there is none. */
const struct ubl_type *ubl_type_find(struct slice name);

struct ubl_member {
	struct slice name;
	const struct ubl_type *type; /* NULL: a value */
	bool required, many;
};
/* Cuts one off; false at the end. */
bool ubl_member_next(struct slice *rest, struct ubl_member *ret);
bool ubl_member_find(const struct ubl_type *type, struct slice name, struct ubl_member *ret);

/* What a value is, by the end of its name. */
enum ubl_kind { UBL_TEXT, UBL_AMOUNT, UBL_QUANTITY, UBL_DECIMAL, UBL_NUMBER, UBL_INDICATOR, UBL_BINARY };
enum ubl_kind ubl_kind_of(struct slice name);

/* A member's name in canonical documents, where it is another. */
struct slice ubl_canonical_name(const struct ubl_type *type, struct slice name);

/* Is it a list in canonical documents? `many`: UBL allows several. Some that hardly ever come twice are one there, so that sheets needn't
 * say which, and one is a list. */
bool ubl_canonical_many(const struct ubl_type *type, struct slice name, bool many);

struct ubl_document {
	const char *type, *canonical; /* "Invoice", "invoice/1.0" */
};
extern const struct ubl_document ubl_documents[]; /* ends with a type of NULL */

/* A canonical despatch advice holds lines in its shipment, orders and units; UBL's holds them at its root, and once more in handling
 * units. Both return 0 or the room's error; the document read is changed in place, the one to write is copied. */
int ubl_despatch_in(struct tree_room *room, struct tree *document);
int ubl_despatch_out(struct tree_room *room, const struct tree *document, struct tree **ret);

#endif
