#include "base/error.h"
#include "partner/node.h"

#include <jansson.h>

struct converter {
	struct van_arena *arena;
	struct schema_bounds bounds;
	size_t nodes;
};

static int convert(struct converter *c, const json_t *j, size_t depth, struct schema_node **ret);

static int convert_children(struct converter *c, const json_t *j, size_t depth, struct schema_node *n)
{
	struct schema_node **tail = &n->first;
	const char *key;
	json_t *value;
	size_t i;
	int rc = 0;
	if (json_is_array(j)) {
		json_array_foreach(j, i, value)
		{
			if ((rc = convert(c, value, depth + 1, tail)) < 0)
				return rc;
			tail = &(*tail)->next;
		}
		n->n = json_array_size(j);
		return 0;
	}
	json_object_foreach((json_t *)(uintptr_t)j, key, value)
	{
		if ((rc = convert(c, value, depth + 1, tail)) < 0)
			return rc;
		(*tail)->key = van_arena_slice(c->arena, slice_str(key));
		if (!(*tail)->key.p)
			return VAN_ENOMEM;
		tail = &(*tail)->next;
	}
	n->n = json_object_size(j);
	return 0;
}

static struct slice scalar_text(struct converter *c, const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_STRING: return van_arena_slice(c->arena, slice_make(json_string_value(j), json_string_length(j)));
	case JSON_INTEGER: return van_arena_printf(c->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
	case JSON_REAL: return van_arena_printf(c->arena, "%.17g", json_real_value(j));
	case JSON_TRUE: return SLICE("true");
	default: return SLICE("false");
	}
}

static bool has_controls(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		if ((ch < 32 && ch != '\n' && ch != '\r' && ch != '\t') || ch == 127)
			return true;
	}
	return false;
}

static int convert(struct converter *c, const json_t *j, size_t depth, struct schema_node **ret)
{
	if (depth >= c->bounds.depth || c->nodes++ >= c->bounds.nodes)
		return VAN_ELIMIT;
	struct schema_node *n = van_arena_alloc(c->arena, sizeof *n);
	if (!n)
		return VAN_ENOMEM;
	*ret = n;
	if (json_is_null(j))
		return 0;
	if (json_is_array(j) || json_is_object(j)) {
		n->kind = json_is_array(j) ? SCHEMA_NODE_LIST : SCHEMA_NODE_MAP;
		return convert_children(c, j, depth, n);
	}
	n->kind = SCHEMA_NODE_SCALAR;
	n->text = scalar_text(c, j);
	if (!n->text.p)
		return VAN_ENOMEM;
	return has_controls(n->text) && n->text.n != 1 ? VAN_ESYNTAX : 0;
}

int schema_json_parse(struct slice text, struct schema_bounds bounds, struct van_arena *arena, struct profile_errors *errors,
		      struct schema_node **ret)
{
	if (text.n > bounds.bytes) {
		profile_errors_add(errors, false, NULL, 0, "", "the JSON text is larger than %zu bytes: send less at once", bounds.bytes);
		return VAN_ELIMIT;
	}
	json_error_t problem;
	json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (!j) {
		profile_errors_add(errors, false, NULL, 0, "", "not JSON: %s (line %d, column %d)", problem.text, problem.line,
				   problem.column);
		return VAN_ESYNTAX;
	}
	struct converter c = {arena, bounds, 0};
	struct schema_node *root = NULL;
	int rc = convert(&c, j, 0, &root);
	json_decref(j);
	if (rc == VAN_ELIMIT)
		profile_errors_add(errors, false, NULL, 0, "", "the JSON text is nested too deeply or has too many values");
	else if (rc == VAN_ESYNTAX)
		profile_errors_add(errors, false, NULL, 0, "", "control characters are not allowed in a value: remove them");
	if (rc == 0)
		*ret = root;
	return rc;
}
