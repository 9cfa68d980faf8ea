#include "map/tree_copy.h"

struct tree *tree_add(struct tree *parent, struct tree *child)
{
	if (child) {
		child->next = NULL;
		*parent->tail = child;
		parent->tail = &child->next;
	}
	return child;
}

struct tree *tree_copy_node(struct tree_room *room, const struct tree *t)
{
	struct tree *copy = tree_new(room, t->kind);
	if (copy) {
		copy->name = t->name;
		copy->text = t->text;
		copy->first = t->first;
		copy->tail = t->first ? t->tail : &copy->first;
	}
	return copy;
}

struct tree *tree_copy_without(struct tree_room *room, const struct tree *object, const char *const *without)
{
	struct tree *copy = tree_new(room, TREE_OBJECT);
	if (copy)
		copy->name = object->name;
	for (const struct tree *t = object->first; copy && t; t = t->next) {
		bool out = false;
		for (size_t i = 0; without[i] && !out; i++)
			out = slice_is(t->name, without[i]);
		if (!out && !tree_add(copy, tree_copy_node(room, t)))
			return NULL;
	}
	return copy;
}

const struct tree *tree_items(const struct tree *object, const char *name)
{
	const struct tree *t = object ? tree_find(object, slice_str(name)) : NULL;
	return t && t->kind == TREE_ARRAY ? t->first : NULL;
}

const struct tree *tree_part(const struct tree *object, const char *name)
{
	const struct tree *t = object ? tree_find(object, slice_str(name)) : NULL;
	return t && t->kind == TREE_OBJECT ? t : NULL;
}
