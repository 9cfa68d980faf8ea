#include "map/tree.h"

#include "base/error.h"
#include "base/record.h"

#define PIECE ((size_t)4096)

void *tree_room_piece(struct tree_room *r, size_t n)
{
	if (n > PIECE / 4)
		return van_arena_room(r->arena, n);
	char *p = van_arena_room(r->arena, PIECE);
	if (!p) /* a little may be left */
		return van_arena_room(r->arena, n);
	r->piece = p + n;
	r->piece_left = PIECE - n;
	return p;
}

struct tree *tree_refused(struct tree_room *r)
{
	if (!r->error)
		r->error = r->left ? VAN_ENOMEM : VAN_ELIMIT;
	return NULL;
}

struct tree *tree_find(const struct tree *object, struct slice name)
{
	struct tree *t = object->first;
	while (t && !slice_eq(t->name, name))
		t = t->next;
	return t;
}

struct tree *tree_member(struct tree_room *r, struct tree *object, struct slice name, enum tree_kind kind)
{
	struct tree *t = tree_find(object, name);
	if (t)
		return t->kind == kind ? t : NULL;
	t = tree_adopt(object, tree_new(r, kind));
	if (t)
		t->name = name;
	return t;
}

uint32_t tree_hash(struct slice name)
{
	uint32_t h = 5381;
	for (size_t i = 0; i < name.n; i++)
		h = h * 33 + (unsigned char)name.p[i];
	return h ? h : 1;
}

static void line(struct van_buf *to, bool pretty, int depth)
{
	if (!pretty)
		return;
	van_buf_append_char(to, '\n');
	for (int i = 0; i < depth; i++)
		van_buf_append_str(to, "  ");
}

/* Depth is that of the map's targets: bounded by MAP_MAX_PARTS. */
static void write_value(const struct tree *t, bool pretty, int depth, struct van_buf *to)
{
	if (t->kind == TREE_TEXT) {
		json_put_text(to, t->text);
		return;
	}
	if (t->kind == TREE_NUMBER || t->kind == TREE_BOOL) {
		van_buf_append_slice(to, t->text);
		return;
	}
	van_buf_append_char(to, t->kind == TREE_OBJECT ? '{' : '[');
	for (const struct tree *c = t->first; c; c = c->next) {
		if (c != t->first)
			van_buf_append_char(to, ',');
		line(to, pretty, depth + 1);
		if (t->kind == TREE_OBJECT) {
			json_put_text(to, c->name);
			van_buf_append_str(to, pretty ? ": " : ":");
		}
		write_value(c, pretty, depth + 1, to);
	}
	if (t->first)
		line(to, pretty, depth);
	van_buf_append_char(to, t->kind == TREE_OBJECT ? '}' : ']');
}

int tree_write(const struct tree *t, bool pretty, struct van_buf *to)
{
	write_value(t, pretty, 0, to);
	if (pretty)
		van_buf_append_char(to, '\n');
	return van_buf_error(to);
}
