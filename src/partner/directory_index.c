#include "partner/directory_index.h"

#include "base/error.h"

#include <search.h>
#include <stdlib.h>

struct leaf {
	struct slice a, b; /* first, so that a key can be compared with a leaf */
	struct directory_entry *v;
	size_t n, room;
	char text[];
};

static int compare(const void *x, const void *y)
{
	const struct leaf *k = x, *l = y;
	int c = slice_cmp(k->a, l->a);
	return c ? c : slice_cmp(k->b, l->b);
}

static void leaf_free(void *p)
{
	struct leaf *l = p;
	free(l->v);
	free(l);
}

void directory_index_free(struct directory_index *ix)
{
	tdestroy(ix->root, leaf_free);
	ix->root = NULL;
}

static struct leaf *find(const struct directory_index *ix, struct slice a, struct slice b)
{
	struct leaf key = {.a = a, .b = b};
	struct leaf *const *hit = tfind(&key, &ix->root, compare);
	return hit ? *hit : NULL;
}

static struct leaf *add_leaf(struct directory_index *ix, struct slice a, struct slice b)
{
	struct leaf *l = calloc(1, sizeof *l + a.n + b.n);
	if (!l)
		return NULL;
	if (a.n)
		memcpy(l->text, a.p, a.n);
	if (b.n)
		memcpy(l->text + a.n, b.p, b.n);
	l->a = slice_make(l->text, a.n);
	l->b = slice_make(l->text + a.n, b.n);
	if (!tsearch(l, &ix->root, compare)) {
		free(l);
		return NULL;
	}
	return l;
}

int directory_index_add(struct directory_index *ix, struct slice a, struct slice b, const struct profile *p, const void *item)
{
	struct leaf *l = find(ix, a, b);
	if (!l && !(l = add_leaf(ix, a, b)))
		return VAN_ENOMEM;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 1;
		struct directory_entry *v = realloc(l->v, room * sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		l->v = v;
		l->room = room;
	}
	l->v[l->n++] = (struct directory_entry){p, item};
	return 0;
}

void directory_index_remove(struct directory_index *ix, struct slice a, struct slice b, const struct profile *p)
{
	struct leaf *l = find(ix, a, b);
	if (!l)
		return;
	size_t kept = 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].p != p)
			l->v[kept++] = l->v[i];
	l->n = kept;
	if (kept == 0) {
		tdelete(l, &ix->root, compare);
		leaf_free(l);
	}
}

struct directory_entries directory_index_find(const struct directory_index *ix, struct slice a, struct slice b)
{
	const struct leaf *l = find(ix, a, b);
	return l ? (struct directory_entries){l->v, l->n} : (struct directory_entries){NULL, 0};
}

struct walk {
	void (*fn)(void *arg, const struct directory_entry *e);
	void *arg;
};

static void visit(const void *node, VISIT which, void *closure)
{
	const struct leaf *l = *(struct leaf *const *)node;
	const struct walk *w = closure;
	if (which == postorder || which == leaf) /* glibc's name for "in order" is postorder */
		for (size_t i = 0; i < l->n; i++)
			w->fn(w->arg, &l->v[i]);
}

void directory_index_each(const struct directory_index *ix, void (*fn)(void *arg, const struct directory_entry *e), void *arg)
{
	struct walk w = {fn, arg};
	twalk_r(ix->root, visit, &w);
}
