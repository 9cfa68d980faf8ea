/* A document as a tree, with line numbers: what YAML files and JSON texts have in common. Bounded in bytes, depth and
 * nodes; YAML aliases and tags are refused, so the tree is never larger than its text. */
#ifndef OPENVAN_PARTNER_NODE_H
#define OPENVAN_PARTNER_NODE_H

#include "base/arena.h"
#include "partner/problems.h"

enum schema_node_kind { SCHEMA_NODE_NULL, SCHEMA_NODE_SCALAR, SCHEMA_NODE_LIST, SCHEMA_NODE_MAP };

struct schema_node {
	enum schema_node_kind kind;
	unsigned line;     /* from 1; 0 for JSON texts */
	struct slice text; /* of a scalar, NUL-terminated, without control characters other than \n \r \t */
	struct slice key;  /* in a map */
	unsigned key_line;
	struct schema_node *first, *next;
	size_t n; /* children */
};

struct schema_bounds {
	size_t bytes; /* of the text */
	size_t depth;
	size_t nodes;
};
#define SCHEMA_BOUNDS_DEFAULT ((struct schema_bounds){.bytes = (size_t)32 << 20, .depth = 24, .nodes = 2000000})

/* Documents of a YAML text, one after the other. */
struct schema_yaml;

/* `text` and `file` (may be NULL) must live as long as the reader. NULL when out of memory. */
struct schema_yaml *schema_yaml_new(struct slice text, const char *file, struct schema_bounds bounds);
void schema_yaml_free(struct schema_yaml *y); /* NULL is fine */

/* The next document, in `arena`. 1 and *ret; 0 at the end; VAN_ESYNTAX or VAN_ELIMIT with `errors` filled (nothing more
 * can be read then), VAN_ENOMEM. Empty documents are skipped. */
int schema_yaml_next(struct schema_yaml *y, struct van_arena *arena, struct profile_errors *errors, struct schema_node **ret);

/* A JSON text. 0, VAN_ESYNTAX or VAN_ELIMIT with `errors` filled, VAN_ENOMEM. */
int schema_json_parse(struct slice text, struct schema_bounds bounds, struct van_arena *arena, struct profile_errors *errors,
		      struct schema_node **ret);

/* A child of a map, or NULL (also when n is NULL or no map). */
const struct schema_node *schema_node_get(const struct schema_node *n, const char *key);
/* By path: "connections[1].station"; *ret_exact (may be NULL): else it is the nearest thing around it. NULL for NULL. */
const struct schema_node *schema_node_find(const struct schema_node *n, const char *path, bool *ret_exact);

#endif
