#include "map/tree_read.h"

#include "map/json_push.h"

#include <stdlib.h>

#define TEXT_MAX ((size_t)16 << 20)

struct tree_reader {
	struct tree_room *room;
	struct json_push push;
	struct van_error *e;
	struct tree *root;
	tree_document_fn fn; /* NULL: the text is one document */
	void *ctx;
	bool list, any;      /* an array of documents is open; there was a document */
	struct tree *open[JSON_DEPTH];
	uint32_t members[JSON_DEPTH];
	int depth;
	struct slice name; /* of the member to come */
};

static int full(struct tree_reader *r)
{
	if (r->room->error == VAN_ELIMIT)
		return van_error_set(r->e, VAN_ELIMIT, "line %llu: more values than a document may have here", (unsigned long long)r->push.line);
	return van_error_set(r->e, VAN_ENOMEM, "line %llu: the document needs more memory than it may have", (unsigned long long)r->push.line);
}

static int add_member(struct tree_reader *r, struct tree *object, enum tree_kind kind, struct tree **ret)
{
	if (tree_find(object, r->name))
		return van_error_set(r->e, VAN_ESYNTAX, "line %llu: \"%.*s\" is there twice in one object", (unsigned long long)r->push.line,
			(int)(r->name.n < 100 ? r->name.n : 100), r->name.p);
	if (++r->members[r->depth - 1] > TREE_READ_MEMBERS)
		return van_error_set(r->e, VAN_ELIMIT, "line %llu: more than %d members in one object", (unsigned long long)r->push.line,
			TREE_READ_MEMBERS);
	*ret = tree_member(r->room, object, r->name, kind);
	return *ret ? 0 : full(r);
}

static int add(struct tree_reader *r, enum tree_kind kind, struct tree **ret)
{
	struct tree *parent = r->depth ? r->open[r->depth - 1] : NULL;
	if (parent && parent->kind == TREE_OBJECT)
		return add_member(r, parent, kind, ret);
	*ret = parent ? tree_append(r->room, parent, kind) : tree_new(r->room, kind);
	if (!parent)
		r->root = *ret;
	return *ret ? 0 : full(r);
}

static int add_open(struct tree_reader *r, enum tree_kind kind)
{
	struct tree *t = NULL;
	int rc = add(r, kind, &t);
	if (rc == 0) {
		r->members[r->depth] = 0;
		r->open[r->depth++] = t;
	}
	return rc;
}

static int add_value(struct tree_reader *r, enum tree_kind kind, struct slice text)
{
	struct tree *t = NULL;
	int rc = add(r, kind, &t);
	if (rc < 0)
		return rc;
	t->text = van_arena_slice(r->room->arena, text);
	if (!t->text.p)
		r->room->error = VAN_ENOMEM;
	return t->text.p ? 0 : full(r);
}

static size_t digits(struct slice s, size_t at)
{
	size_t n = at;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n - at;
}

/* RFC 8259, section 6; json_push.h takes any word of a number's characters. */
static bool is_number(struct slice s)
{
	size_t at = s.n && *s.p == '-', n = digits(s, at);
	if (!n || (n > 1 && s.p[at] == '0'))
		return false;
	at += n;
	if (at < s.n && s.p[at] == '.') {
		n = digits(s, ++at);
		if (!n)
			return false;
		at += n;
	}
	if (at < s.n && (s.p[at] | 32) == 'e') {
		at += 1 + (at + 1 < s.n && (s.p[at + 1] == '-' || s.p[at + 1] == '+'));
		n = digits(s, at);
		if (!n)
			return false;
		at += n;
	}
	return at == s.n;
}

static int add_number(struct tree_reader *r, struct slice text)
{
	if (!is_number(text))
		return van_error_set(r->e, VAN_ESYNTAX, "line %llu: not JSON: %.*s is not a number; a text needs quotes",
			(unsigned long long)r->push.line, (int)(text.n < 100 ? text.n : 100), text.p);
	return add_value(r, TREE_NUMBER, text);
}

/* A value ends: perhaps a document. */
static int done(struct tree_reader *r, int rc)
{
	if (rc < 0 || r->depth || !r->fn)
		return rc;
	struct tree *document = r->root;
	r->root = NULL;
	r->any = true;
	return document ? r->fn(r->ctx, document) : 0;
}

static int open_array(struct tree_reader *r)
{
	if (!r->fn || r->depth || r->list)
		return add_open(r, TREE_ARRAY);
	r->list = r->any = true;
	return 0;
}

static int close_nest(struct tree_reader *r)
{
	if (!r->depth) /* the array of the documents */
		return 0;
	r->depth--;
	return done(r, 0);
}

static int take(void *ctx, enum json_token token, struct slice text)
{
	struct tree_reader *r = ctx;
	switch (token) {
	case JSON_OBJECT: return add_open(r, TREE_OBJECT);
	case JSON_ARRAY: return open_array(r);
	case JSON_OBJECT_END:
	case JSON_ARRAY_END: return close_nest(r);
	case JSON_NAME:
		r->name = van_arena_slice(r->room->arena, text);
		if (!r->name.p)
			r->room->error = VAN_ENOMEM;
		return r->name.p ? 0 : full(r);
	case JSON_NUMBER: return done(r, add_number(r, text));
	case JSON_LITERAL: return slice_is(text, "null") ? 0 : done(r, add_value(r, TREE_BOOL, text));
	default: return done(r, add_value(r, TREE_TEXT, text));
	}
}

int tree_read(struct tree_room *room, struct slice json, struct tree **ret, struct van_error *e)
{
	return tree_read_at(room, json, 1, ret, e);
}

int tree_read_at(struct tree_room *room, struct slice json, uint64_t line, struct tree **ret, struct van_error *e)
{
	struct van_error own = {0};
	struct tree_reader r = {.room = room, .e = e ? e : &own};
	json_push_begin(&r.push, take, &r, TEXT_MAX, r.e);
	r.push.line = line;
	int rc = json_push_feed(&r.push, slice_starts(json, "\xef\xbb\xbf") ? slice_make(json.p + 3, json.n - 3) : json, true);
	json_push_free(&r.push);
	if (rc == 0 && !r.root)
		rc = van_error_set(r.e, VAN_ESYNTAX, "the document is null");
	if (rc == 0)
		*ret = r.root;
	return rc;
}

/* --- in pieces ---------------------------------------------------------------------------------------------------------------- */

struct tree_reader *tree_reader_new(struct tree_room *room, tree_document_fn fn, void *ctx)
{
	struct tree_reader *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->room = room;
	r->fn = fn;
	r->ctx = ctx;
	json_push_begin(&r->push, take, r, TEXT_MAX, NULL);
	return r;
}

void tree_reader_free(struct tree_reader *r)
{
	if (!r)
		return;
	json_push_free(&r->push);
	free(r);
}

int tree_reader_feed(struct tree_reader *r, struct slice chunk, bool last, struct van_error *e)
{
	struct van_error own = {0};
	r->e = r->push.e = e ? e : &own;
	int rc = json_push_feed(&r->push, chunk, last);
	if (rc == 0 && last && !r->any)
		rc = van_error_set(r->e, VAN_ESYNTAX, "the document is null");
	return rc;
}
