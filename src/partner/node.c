#include "partner/node.h"

#include <stdlib.h>

const struct schema_node *schema_node_get(const struct schema_node *n, const char *key)
{
	if (!n || n->kind != SCHEMA_NODE_MAP)
		return NULL;
	for (const struct schema_node *c = n->first; c; c = c->next)
		if (slice_is(c->key, key))
			return c;
	return NULL;
}

static const struct schema_node *child_at(const struct schema_node *n, size_t at)
{
	if (n->kind != SCHEMA_NODE_LIST)
		return NULL;
	const struct schema_node *c = n->first;
	while (c && at--)
		c = c->next;
	return c;
}

const struct schema_node *schema_node_find(const struct schema_node *n, const char *path, bool *ret_exact)
{
	while (n && *path) {
		const struct schema_node *child = NULL;
		if (*path == '[') {
			char *end;
			child = child_at(n, strtoul(path + 1, &end, 10));
			path = *end == ']' ? end + 1 : "";
		} else {
			char key[64];
			path += *path == '.';
			size_t len = strcspn(path, ".[");
			if (len == 0)
				break;
			if (len < sizeof key) {
				memcpy(key, path, len);
				key[len] = 0;
				child = schema_node_get(n, key);
			}
			path += len;
		}
		if (!child) {
			if (ret_exact)
				*ret_exact = false;
			return n;
		}
		n = child;
	}
	if (ret_exact)
		*ret_exact = n != NULL;
	return n;
}
