#include "map/tree_each.h"

#include "map/json_push.h"

#include <ctype.h>

int tree_starts_add(struct van_arena *arena, struct tree_starts *s, uint64_t at)
{
	if (s && s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		uint64_t *v = van_arena_array(arena, room, sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		if (s->n)
			memcpy(v, s->v, s->n * sizeof *v);
		s->v = v;
		s->room = room;
	}
	if (s)
		s->v[s->n++] = at;
	return 0;
}

/* Walks over a text, looking at brackets and quotes alone. */
struct walk {
	struct slice text;
	size_t at;
	uint64_t line;
	char open[JSON_DEPTH];
	int depth;
};

/* From behind a quote to behind the next; false: it has none, or what cannot stand in a text. */
static bool skip_text(struct walk *w)
{
	for (; w->at < w->text.n; w->at++) {
		char c = w->text.p[w->at];
		if (c == '"') {
			w->at++;
			return true;
		}
		if ((unsigned char)c < ' ')
			return false;
		w->at += c == '\\';
	}
	return false;
}

/* Words, too, that are no value of JSON: they end where such a value would. */
static bool may_stand_outside(char c)
{
	return isalnum((unsigned char)c) || strchr(" \t\r\n:,+-.", c);
}

/* One bracket, text or character further. */
static bool step(struct walk *w)
{
	char c = w->text.p[w->at++];
	w->line += c == '\n';
	if (c == '"')
		return skip_text(w);
	if (c == '{' || c == '[') {
		if (w->depth == JSON_DEPTH)
			return false;
		w->open[w->depth++] = c == '{' ? '}' : ']';
		return true;
	}
	if (c == '}' || c == ']')
		return w->depth && w->open[--w->depth] == c;
	return c && may_stand_outside(c);
}

/* From behind an array's bracket or comma to the comma or bracket that ends the item. */
static bool find_end(struct walk *w)
{
	int depth = w->depth;
	while (w->at < w->text.n) {
		char c = w->text.p[w->at];
		if (w->depth == depth && (c == ',' || c == ']'))
			return true;
		if (!step(w))
			return false;
	}
	return false;
}

/* Is all of it an array whose items can be told apart? */
static bool can_be_cut(struct slice text)
{
	struct walk w = {.text = text};
	if (!text.n || *text.p != '[')
		return false;
	while (w.at < text.n && step(&w))
		if (!w.depth)
			return w.at == text.n;
	return false;
}

static bool is_null(struct slice text)
{
	return slice_is(slice_trim(text), "null");
}

static int read_item(struct tree_room *room, struct tree *list, struct slice text, uint64_t line, struct van_error *e)
{
	struct tree *item = NULL;
	struct van_error why = {0};
	int rc = tree_read_at(room, text, line, &item, &why);
	if (rc < 0 && rc != VAN_ESYNTAX) {
		*e = why;
		return rc;
	}
	if (rc == 0) {
		tree_adopt(list, item);
		return 0;
	}
	item = tree_append(room, list, TREE_OBJECT);
	struct tree *error = item ? tree_member(room, item, SLICE("_error"), TREE_TEXT) : NULL;
	if (error)
		error->text = van_arena_slice(room->arena, slice_str(why.text));
	return error && error->text.p ? 0 : VAN_ENOMEM;
}

/* can_be_cut() has seen that each has its end. */
static int read_items(struct tree_room *room, struct slice text, struct tree *list, struct tree_starts *starts, struct van_error *e)
{
	struct walk w = {.text = text, .at = 1, .line = 1, .depth = 1};
	int rc = 0;
	for (bool more = true; rc == 0 && more;) {
		size_t from = w.at;
		uint64_t line = w.line;
		if (!find_end(&w))
			return VAN_ESYNTAX;
		struct slice item = slice_make(text.p + from, w.at - from);
		more = text.p[w.at++] == ',';
		bool nothing = !more && !list->first && !slice_trim(item).n; /* "[ ]" */
		if (nothing || is_null(item)) /* as if it were not there */
			continue;
		rc = tree_starts_add(room->arena, starts, from);
		rc = rc < 0 ? rc : read_item(room, list, item, line, e);
	}
	return rc;
}

int tree_read_each(struct tree_room *room, struct slice json, struct tree **ret, struct tree_starts *starts, struct van_error *e)
{
	struct slice text = slice_trim(json);
	if (!can_be_cut(text))
		return tree_read(room, json, ret, e);
	struct tree *list = tree_new(room, TREE_ARRAY);
	int rc = list ? read_items(room, text, list, starts, e) : VAN_ENOMEM;
	if (rc == 0)
		*ret = list;
	return rc;
}
