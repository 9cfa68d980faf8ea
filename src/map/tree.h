/* JSON values that live in an arena; members keep the order in which they were set. */
#ifndef OPENVAN_MAP_TREE_H
#define OPENVAN_MAP_TREE_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

enum tree_kind { TREE_TEXT, TREE_NUMBER, TREE_BOOL, TREE_OBJECT, TREE_ARRAY };

struct tree {
	struct tree *next, *first, **tail; /* siblings; children of objects and arrays */
	enum tree_kind kind;
	bool closed;       /* object: a loop has filled it */
	bool shared;       /* object: rows of two loops set its members */
	uint32_t hash;     /* of the name; 0: not known */
	uint32_t origin;   /* position of the segment that it was read from, from 1; 0: of none */
	uint32_t taken;    /* value: the number of the writing that a row took it in; 0: none */
	struct slice name; /* in an object */
	struct slice text; /* text; a number's digits; "true" or "false" */
};

struct tree_room {
	struct van_arena *arena;
	size_t left; /* values that may still be made */
	int error;   /* VAN_ENOMEM or VAN_ELIMIT, latched */
	char *piece; /* of the arena: what small things are cut from */
	size_t piece_left;
};

void *tree_room_piece(struct tree_room *r, size_t n);
/* For anything small that is written whole; as van_arena_room. */
static inline void *tree_room_take(struct tree_room *r, size_t n)
{
	n = (n + 7) & ~(size_t)7;
	if (n > r->piece_left)
		return tree_room_piece(r, n);
	void *p = r->piece;
	r->piece += n;
	r->piece_left -= n;
	return p;
}
/* Zeroed; as van_arena_alloc. */
static inline void *tree_room_alloc(struct tree_room *r, size_t n)
{
	void *p = tree_room_take(r, n);
	return p ? memset(p, 0, n) : NULL;
}

struct tree *tree_refused(struct tree_room *r); /* NULL: there is no room, which it latches */
static inline struct tree *tree_new(struct tree_room *r, enum tree_kind kind)
{
	struct tree *t = r->error || !r->left ? NULL : (struct tree *)tree_room_take(r, sizeof *t);
	if (!t)
		return tree_refused(r);
	r->left--;
	*t = (struct tree){.kind = kind, .tail = &t->first};
	return t;
}
static inline struct tree *tree_adopt(struct tree *parent, struct tree *child) /* which may be NULL */
{
	if (child) {
		*parent->tail = child;
		parent->tail = &child->next;
	}
	return child;
}
/* The member of an object, made where it is missing. NULL after an error, or when it is of another kind. */
struct tree *tree_member(struct tree_room *r, struct tree *object, struct slice name, enum tree_kind kind);
/* A member that is known not to be there yet, with its text; `hash` is tree_hash(name). Written in one go: most of a document is made here. */
static inline struct tree *tree_value_new(struct tree_room *r, struct tree *object, struct slice name, uint32_t hash, enum tree_kind kind,
	struct slice text, uint32_t origin)
{
	struct tree *t = r->error || !r->left ? NULL : (struct tree *)tree_room_take(r, sizeof *t);
	if (!t)
		return tree_refused(r);
	r->left--;
	*t = (struct tree){.kind = kind, .tail = &t->first, .name = name, .hash = hash, .text = text, .origin = origin};
	*object->tail = t;
	object->tail = &t->next;
	return t;
}
static inline struct tree *tree_member_new(struct tree_room *r, struct tree *object, struct slice name, uint32_t hash, enum tree_kind kind)
{
	return tree_value_new(r, object, name, hash, kind, SLICE_NONE, 0);
}
uint32_t tree_hash(struct slice name); /* never 0 */
struct tree *tree_find(const struct tree *object, struct slice name);
static inline struct tree *tree_append(struct tree_room *r, struct tree *array, enum tree_kind kind)
{
	return tree_adopt(array, tree_new(r, kind));
}
int tree_write(const struct tree *t, bool pretty, struct van_buf *to);

#endif
