#include "base/error.h"
#include "partner/node.h"

#include <stdlib.h>
#include <yaml.h>

#define DEPTH_MAX 64 /* of the reader's stack; bounds.depth is at most this */

struct schema_yaml {
	yaml_parser_t parser;
	const char *file;
	struct slice text;
	struct schema_bounds bounds;
	size_t nodes;
	bool started, ended;
};

/* Where the next node goes. */
struct place {
	struct schema_node *node;
	struct schema_node **tail;
	struct slice key; /* of a map, when its key has been read */
	unsigned key_line;
	bool has_key;
};

struct builder {
	struct schema_yaml *y;
	struct van_arena *arena;
	struct profile_errors *errors;
	struct place stack[DEPTH_MAX];
	size_t depth;
	struct schema_node *root;
};

struct schema_yaml *schema_yaml_new(struct slice text, const char *file, struct schema_bounds bounds)
{
	struct schema_yaml *y = calloc(1, sizeof *y);
	if (!y)
		return NULL;
	if (!yaml_parser_initialize(&y->parser)) {
		free(y);
		return NULL;
	}
	/* With the encoding given, libyaml takes a byte order mark for text. */
	if (slice_starts(text, "\xef\xbb\xbf"))
		text = slice_make(text.p + 3, text.n - 3);
	yaml_parser_set_input_string(&y->parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
	y->file = file;
	y->text = text;
	y->bounds = bounds;
	if (y->bounds.depth > DEPTH_MAX)
		y->bounds.depth = DEPTH_MAX;
	return y;
}

void schema_yaml_free(struct schema_yaml *y)
{
	if (!y)
		return;
	yaml_parser_delete(&y->parser);
	free(y);
}

static unsigned line_of(yaml_mark_t m)
{
	return m.line >= 0xffffffff ? 0 : (unsigned)m.line + 1;
}

/* libyaml's message, and what usually is behind it. */
static int report_syntax(struct schema_yaml *y, struct profile_errors *errors)
{
	const yaml_parser_t *p = &y->parser;
	if (p->error == YAML_MEMORY_ERROR)
		return VAN_ENOMEM;
	const char *what = p->problem ? p->problem : "not YAML";
	unsigned line = line_of(p->problem_mark);
	if (p->error == YAML_READER_ERROR) {
		/* The reader knows the offset only. */
		line = 1;
		for (size_t i = 0; i < p->problem_offset && i < y->text.n; i++)
			line += y->text.p[i] == '\n';
		profile_errors_add(errors, false, y->file, line, "", "%s (byte %zu): save the file as UTF-8 text", what,
				   p->problem_offset);
		return VAN_ESYNTAX;
	}
	const char *hint = "";
	if (strstr(what, "cannot start any token"))
		hint = ": indent with spaces, not tabs, and put text that begins with @ ` % or & in quotes";
	else if (strstr(what, "did not find expected"))
		hint = ": look at brackets, quotes and indentation above this line";
	else if (strstr(what, "mapping values are not allowed"))
		hint = ": put text that holds \": \" in quotes, or indent the line above";
	if (p->context)
		profile_errors_add(errors, false, y->file, line, "", "%s %s (line %u)%s", what, p->context, line_of(p->context_mark),
				   hint);
	else
		profile_errors_add(errors, false, y->file, line, "", "%s%s", what, hint);
	return VAN_ESYNTAX;
}

static int refuse(struct builder *b, yaml_mark_t at, int code, const char *what)
{
	profile_errors_add(b->errors, false, b->y->file, line_of(at), "", "%s", what);
	return code;
}

static bool is_null(const char *p, size_t n)
{
	struct slice s = slice_make(p, n);
	return n == 0 || slice_is(s, "~") || slice_is(s, "null") || slice_is(s, "Null") || slice_is(s, "NULL");
}

static bool has_controls(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < 32 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t') || p[i] == 127)
			return true;
	return false;
}

static int add_node(struct builder *b, enum schema_node_kind kind, const yaml_event_t *e, struct schema_node **ret)
{
	if (b->y->nodes++ >= b->y->bounds.nodes)
		return refuse(b, e->start_mark, VAN_ELIMIT, "too many values in one file: split it");
	struct schema_node *n = van_arena_alloc(b->arena, sizeof *n);
	if (!n)
		return VAN_ENOMEM;
	n->kind = kind;
	n->line = line_of(e->start_mark);
	if (b->depth == 0) {
		b->root = n;
	} else {
		struct place *p = &b->stack[b->depth - 1];
		if (p->node->kind == SCHEMA_NODE_MAP) {
			n->key = p->key;
			n->key_line = p->key_line;
			p->has_key = false;
		}
		*p->tail = n;
		p->tail = &n->next;
		p->node->n++;
	}
	*ret = n;
	return 0;
}

static bool key_expected(const struct builder *b)
{
	return b->depth && b->stack[b->depth - 1].node->kind == SCHEMA_NODE_MAP && !b->stack[b->depth - 1].has_key;
}

static int on_scalar(struct builder *b, const yaml_event_t *e)
{
	const unsigned char *p = e->data.scalar.value;
	size_t len = e->data.scalar.length;
	if (e->data.scalar.tag)
		return refuse(b, e->start_mark, VAN_ESYNTAX, "tags (!…) are not used here: remove it");
	if (has_controls(p, len) && (len != 1 || key_expected(b)))
		return refuse(b, e->start_mark, VAN_ESYNTAX, "control characters are not allowed in a value: remove them");
	struct slice text = van_arena_slice(b->arena, slice_make(p, len));
	if (!text.p)
		return VAN_ENOMEM;
	if (key_expected(b)) {
		struct place *place = &b->stack[b->depth - 1];
		place->key = text;
		place->key_line = line_of(e->start_mark);
		place->has_key = true;
		return 0;
	}
	bool null = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null(text.p, text.n);
	struct schema_node *n;
	int rc = add_node(b, null ? SCHEMA_NODE_NULL : SCHEMA_NODE_SCALAR, e, &n);
	if (rc == 0)
		n->text = text;
	return rc;
}

static int on_start(struct builder *b, enum schema_node_kind kind, const yaml_event_t *e)
{
	const unsigned char *tag = kind == SCHEMA_NODE_MAP ? e->data.mapping_start.tag : e->data.sequence_start.tag;
	if (tag)
		return refuse(b, e->start_mark, VAN_ESYNTAX, "tags (!…) are not used here: remove it");
	if (key_expected(b))
		return refuse(b, e->start_mark, VAN_ESYNTAX, "a key must be text, not a list or a map");
	if (b->depth >= b->y->bounds.depth)
		return refuse(b, e->start_mark, VAN_ELIMIT, "nested too deeply: no profile needs this many levels");
	struct schema_node *n;
	int rc = add_node(b, kind, e, &n);
	if (rc == 0)
		b->stack[b->depth++] = (struct place){.node = n, .tail = &n->first};
	return rc;
}

/* 1: the document is complete. */
static int on_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT: return on_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT: return on_start(b, SCHEMA_NODE_LIST, e);
	case YAML_MAPPING_START_EVENT: return on_start(b, SCHEMA_NODE_MAP, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: b->depth--; return 0;
	case YAML_ALIAS_EVENT:
		return refuse(b, e->start_mark, VAN_ESYNTAX, "aliases (*name) are not supported: write the value out; \"*\" needs quotes");
	case YAML_DOCUMENT_END_EVENT: return 1;
	case YAML_STREAM_END_EVENT: b->y->ended = true; return 1;
	default: return 0;
	}
}

static int read_document(struct builder *b)
{
	int rc;
	do {
		yaml_event_t e;
		if (!yaml_parser_parse(&b->y->parser, &e))
			return report_syntax(b->y, b->errors);
		rc = on_event(b, &e);
		yaml_event_delete(&e);
	} while (rc == 0);
	return rc < 0 ? rc : 0;
}

int schema_yaml_next(struct schema_yaml *y, struct van_arena *arena, struct profile_errors *errors, struct schema_node **ret)
{
	if (!y->started && y->text.n > y->bounds.bytes) {
		y->ended = true;
		profile_errors_add(errors, false, y->file, 0, "", "the file is larger than %zu bytes: split it", y->bounds.bytes);
		return VAN_ELIMIT;
	}
	y->started = true;
	while (!y->ended) {
		struct builder b = {.y = y, .arena = arena, .errors = errors};
		int rc = read_document(&b);
		if (rc < 0) {
			y->ended = true;
			return rc;
		}
		if (b.root && b.root->kind != SCHEMA_NODE_NULL) {
			*ret = b.root;
			return 1;
		}
	}
	return 0;
}
