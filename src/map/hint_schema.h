/* The schemas of canonical documents, as far as places are looked up in them. Internal to src/map. */
#ifndef OPENVAN_MAP_HINT_SCHEMA_H
#define OPENVAN_MAP_HINT_SCHEMA_H

#include "base/error.h"
#include "map/tree.h"

struct hint_schemas;
struct hint_schemas *hint_schemas_new(const char *folder); /* NULL: no memory */
void hint_schemas_free(struct hint_schemas *s);            /* NULL is fine */

/* What is wrong with this place ("OrderLine[].LineItem.ID") of a document ("order/1.0"): *ret absent: nothing, or there is no such schema.
 * `value`: a value is put there, not an object. 0, VAN_ESYNTAX (a schema is broken), VAN_ENOMEM. */
int hint_schema_place(struct hint_schemas *s, struct slice document, struct slice place, bool value, struct van_arena *arena, struct slice *ret,
	struct van_error *e);

/* Does any document have this place? Indexes and [] do not matter. *ret is true where there is no schema at all. As above. */
int hint_schema_any(struct hint_schemas *s, struct slice place, bool *ret, struct van_error *e);

#endif
