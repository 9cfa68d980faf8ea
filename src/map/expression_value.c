/* Values of expressions: what they are, how they compare, and what becomes of them. */
#include "map/expression_private.h"

#include "base/record.h"

#include <stdarg.h>
#include <stdio.h>

int run_fail(struct run *r, const struct node *at, const char *format, ...)
{
	char what[380];
	va_list ap;
	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	return expression_fail(r->x->text, at->at, r->e, VAN_ESYNTAX, "%s", what);
}

int run_no_memory(struct run *r, const struct node *at)
{
	if (r->room->error == VAN_ELIMIT)
		return expression_fail(r->x->text, at->at, r->e, VAN_ELIMIT, "the expression makes more values than a document may have here");
	r->room->error = VAN_ENOMEM;
	return expression_fail(r->x->text, at->at, r->e, VAN_ENOMEM, "the expression needs more memory than it may have");
}

int run_steps(struct run *r, const struct node *at, uint64_t n)
{
	if (n > r->steps_left)
		return expression_fail(r->x->text, at->at, r->e, VAN_ELIMIT, "the expression takes more steps than it may");
	r->steps_left -= n;
	return 0;
}

void *run_alloc(struct run *r, size_t n)
{
	void *p = van_arena_alloc(r->room->arena, n);
	if (!p)
		r->room->error = VAN_ENOMEM;
	return p;
}

/* --- making ------------------------------------------------------------------------------------------------------------ */

struct value value_of_tree(const struct tree *t)
{
	static const enum value_kind kinds[] = {[TREE_TEXT] = V_TEXT, [TREE_NUMBER] = V_NUMBER, [TREE_BOOL] = V_BOOL, [TREE_OBJECT] = V_OBJECT,
		[TREE_ARRAY] = V_ARRAY};
	if (!t)
		return NOTHING;
	struct value v = {.kind = kinds[t->kind], .tree = t};
	if (v.kind == V_TEXT)
		v.text = t->text.p ? t->text : SLICE("");
	if (v.kind == V_BOOL)
		v.truth = slice_is(t->text, "true");
	return v;
}

struct value value_text(struct slice s)
{
	return (struct value){.kind = V_TEXT, .text = s};
}

struct value value_bool(bool b)
{
	return (struct value){.kind = V_BOOL, .truth = b};
}

int value_number(struct run *r, const struct node *at, const struct decimal *d, struct value *ret)
{
	struct decimal *copy = run_alloc(r, sizeof *copy);
	if (!copy)
		return run_no_memory(r, at);
	*copy = *d;
	*ret = (struct value){.kind = V_NUMBER, .number = copy};
	return 0;
}

int value_int(struct run *r, const struct node *at, int64_t v, struct value *ret)
{
	struct decimal d = decimal_int(v);
	return value_number(r, at, &d, ret);
}

const char *value_kind_name(const struct value *v)
{
	static const char *const names[] = {[V_NOTHING] = "nothing", [V_TEXT] = "a text", [V_NUMBER] = "a number", [V_BOOL] = "true or false",
		[V_OBJECT] = "an object", [V_ARRAY] = "an array", [V_FUNCTION] = "a function"};
	return names[v->kind];
}

/* --- lists ------------------------------------------------------------------------------------------------------------- */

int value_new_list(struct run *r, const struct node *at, bool sequence, struct value *ret)
{
	struct list *l = run_alloc(r, sizeof *l);
	if (!l)
		return run_no_memory(r, at);
	l->sequence = sequence;
	*ret = (struct value){.kind = V_ARRAY, .list = l};
	return 0;
}

int list_push(struct run *r, const struct node *at, struct list *l, const struct value *v)
{
	int rc = run_steps(r, at, 1);
	if (rc < 0)
		return rc;
	if (l->n == l->room) {
		uint32_t room = l->room ? 2 * l->room : 4;
		struct value *more = van_arena_array(r->room->arena, room, sizeof *more);
		if (!more)
			return run_no_memory(r, at);
		if (l->n)
			memcpy(more, l->v, l->n * sizeof *more);
		l->v = more;
		l->room = room;
	}
	l->v[l->n++] = *v;
	return 0;
}

struct list *value_list(struct run *r, const struct value *v)
{
	if (v->list)
		return v->list;
	struct list *l = run_alloc(r, sizeof *l);
	uint32_t n = 0;
	for (const struct tree *t = v->tree->first; t; t = t->next)
		n++;
	if (!l || n > r->steps_left || (n && !(l->v = van_arena_array(r->room->arena, n, sizeof *l->v)))) {
		r->room->error = r->room->error ? r->room->error : n > r->steps_left ? VAN_ELIMIT : VAN_ENOMEM;
		return NULL;
	}
	r->steps_left -= n;
	l->room = n;
	for (const struct tree *t = v->tree->first; t; t = t->next)
		l->v[l->n++] = value_of_tree(t);
	return l;
}

int list_push_all(struct run *r, const struct node *at, struct list *l, const struct value *v)
{
	if (v->kind != V_ARRAY)
		return list_push(r, at, l, v);
	const struct list *from = value_list(r, v);
	int rc = from ? 0 : run_no_memory(r, at);
	for (uint32_t i = 0; rc == 0 && i < from->n; i++)
		rc = list_push(r, at, l, &from->v[i]);
	return rc;
}

void value_settle(struct value *v)
{
	if (v->kind != V_ARRAY || !v->list || !v->list->sequence)
		return;
	if (v->list->n == 0)
		*v = NOTHING;
	else if (v->list->n == 1 && !v->list->keep)
		*v = v->list->v[0];
}

int value_member(struct run *r, const struct node *at, const struct value *v, struct slice name, struct value *ret)
{
	*ret = NOTHING;
	if (v->kind == V_OBJECT)
		*ret = value_of_tree(tree_find(v->tree, name));
	if (v->kind != V_ARRAY)
		return 0;
	const struct list *l = value_list(r, v);
	struct value all;
	int rc = l ? value_new_list(r, at, true, &all) : run_no_memory(r, at);
	for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
		struct value one;
		if (r->depth_left == 0)
			return run_fail(r, at, "arrays stand too deep in one another");
		r->depth_left--;
		rc = value_member(r, at, &l->v[i], name, &one);
		r->depth_left++;
		if (rc == 0 && one.kind != V_NOTHING)
			rc = list_push_all(r, at, all.list, &one);
	}
	if (rc == 0)
		*ret = all;
	return rc;
}

/* --- what they say ----------------------------------------------------------------------------------------------------- */

static int digits_of(struct run *r, const struct node *at, struct slice s, struct decimal *ret)
{
	if (s.n > DECIMAL_TEXT)
		return 1; /* no number that could be calculated with */
	int rc = decimal_read(s, ret);
	if (rc == VAN_ELIMIT)
		return expression_fail(r->x->text, at->at, r->e, VAN_ELIMIT, "%.*s has more than %d digits", (int)(s.n < 60 ? s.n : 60), s.p,
			DECIMAL_DIGITS);
	return rc == 0 ? 0 : 1;
}

int value_read_number(struct run *r, const struct node *at, const struct value *v, struct decimal *ret)
{
	if (v->kind == V_NUMBER && v->number) {
		*ret = *v->number;
		return 0;
	}
	if (v->kind == V_NUMBER)
		return digits_of(r, at, v->tree->text, ret);
	if (v->kind == V_TEXT)
		return digits_of(r, at, v->text, ret);
	const struct tree *member = v->kind == V_OBJECT ? tree_find(v->tree, SLICE("value")) : NULL;
	return member && (member->kind == TREE_TEXT || member->kind == TREE_NUMBER) ? digits_of(r, at, member->text, ret) : 1;
}

int value_need_number(struct run *r, const struct node *at, const struct value *v, const char *what, struct decimal *ret)
{
	int rc = value_read_number(r, at, v, ret);
	if (rc <= 0)
		return rc;
	if (v->kind == V_TEXT)
		return run_fail(r, at, "%s a number, not the text '%.*s'", what, (int)(v->text.n < 60 ? v->text.n : 60), v->text.p);
	return run_fail(r, at, "%s a number, not %s%s", what, value_kind_name(v), v->kind == V_ARRAY ? "; take one with [0], or $sum" : "");
}

bool value_true(struct run *r, const struct value *v)
{
	struct decimal d;
	switch (v->kind) {
	case V_TEXT: return v->text.n > 0;
	case V_BOOL: return v->truth;
	case V_NUMBER:
		if (v->number)
			return v->number->digits != 0;
		return decimal_read(v->tree->text, &d) != 0 || d.digits != 0;
	case V_OBJECT: return v->tree->first != NULL;
	case V_ARRAY: break;
	default: return false;
	}
	const struct list *l = value_list(r, v);
	for (uint32_t i = 0; l && i < l->n; i++)
		if (value_true(r, &l->v[i]))
			return true;
	return false;
}

static int equal_trees(struct run *r, const struct node *at, const struct tree *a, const struct tree *b, bool *ret);

static int equal_members(struct run *r, const struct node *at, const struct tree *a, const struct tree *b, bool *ret)
{
	uint32_t count = 0, others = 0;
	int rc = 0;
	for (const struct tree *t = b->first; t; t = t->next)
		others++;
	*ret = true;
	for (const struct tree *t = a->first; t && *ret && rc == 0; t = t->next, count++) {
		const struct tree *other = tree_find(b, t->name);
		*ret = other != NULL;
		if (other)
			rc = equal_trees(r, at, t, other, ret);
	}
	*ret = *ret && count == others;
	return rc;
}

static int equal_trees(struct run *r, const struct node *at, const struct tree *a, const struct tree *b, bool *ret)
{
	struct value x = value_of_tree(a), y = value_of_tree(b);
	return value_equal(r, at, &x, &y, ret);
}

static int equal_lists(struct run *r, const struct node *at, const struct value *a, const struct value *b, bool *ret)
{
	const struct list *x = value_list(r, a), *y = value_list(r, b);
	int rc = x && y ? 0 : run_no_memory(r, at);
	*ret = rc == 0 && x->n == y->n;
	for (uint32_t i = 0; rc == 0 && *ret && i < x->n; i++)
		rc = value_equal(r, at, &x->v[i], &y->v[i], ret);
	return rc;
}

static int equal_numbers(struct run *r, const struct node *at, const struct value *a, const struct value *b, bool *ret)
{
	struct decimal x, y;
	int rc = value_read_number(r, at, a, &x);
	rc = rc == 0 ? value_read_number(r, at, b, &y) : rc;
	*ret = rc == 0 && decimal_compare(&x, &y) == 0;
	return rc < 0 ? rc : 0;
}

int value_equal(struct run *r, const struct node *at, const struct value *a, const struct value *b, bool *ret)
{
	*ret = false;
	int rc = run_steps(r, at, 1 + (a->kind == V_TEXT && b->kind == V_TEXT && a->text.n == b->text.n ? a->text.n / 64 : 0));
	if (rc < 0)
		return rc;
	if (a->kind == V_NUMBER || b->kind == V_NUMBER)
		return equal_numbers(r, at, a, b, ret);
	if (a->kind != b->kind)
		return 0;
	if (!r->depth_left)
		return run_fail(r, at, "the values to compare are nested too deep");
	r->depth_left--;
	if (a->kind == V_TEXT)
		*ret = slice_eq(a->text, b->text);
	else if (a->kind == V_BOOL)
		*ret = a->truth == b->truth;
	else if (a->kind == V_OBJECT)
		rc = a->tree == b->tree ? (*ret = true, 0) : equal_members(r, at, a->tree, b->tree, ret);
	else if (a->kind == V_ARRAY)
		rc = equal_lists(r, at, a, b, ret);
	r->depth_left++;
	return rc;
}

int value_order(struct run *r, const struct node *at, const struct value *a, const struct value *b, int *order)
{
	struct decimal x, y;
	int rc = value_read_number(r, at, a, &x);
	rc = rc == 0 ? value_read_number(r, at, b, &y) : rc;
	if (rc < 0)
		return rc;
	if (rc == 0) {
		*order = decimal_compare(&x, &y);
		return 0;
	}
	if (a->kind != V_TEXT || b->kind != V_TEXT)
		return run_fail(r, at, "numbers are compared with numbers and texts with texts, not %s with %s", value_kind_name(a),
			value_kind_name(b));
	*order = slice_cmp(a->text, b->text);
	return run_steps(r, at, (a->text.n < b->text.n ? a->text.n : b->text.n) / 64);
}

/* --- what becomes of them ---------------------------------------------------------------------------------------------- */

static struct slice number_text(struct run *r, const struct value *v)
{
	char text[DECIMAL_TEXT];
	struct decimal d;
	if (!v->number && decimal_read(v->tree->text, &d) < 0)
		return v->tree->text; /* past what is calculated with: its own digits */
	size_t n = decimal_write(v->number ? v->number : &d, text);
	struct slice s = van_arena_slice(r->room->arena, slice_make(text, n));
	if (!s.p)
		r->room->error = VAN_ENOMEM;
	return s;
}

static int put_json(struct run *r, const struct node *at, const struct value *v, struct van_buf *to);

static int put_object(struct run *r, const struct node *at, const struct tree *t, struct van_buf *to)
{
	int rc = 0;
	van_buf_append_char(to, '{');
	for (const struct tree *m = t->first; m && rc == 0; m = m->next) {
		struct value v = value_of_tree(m);
		if (m != t->first)
			van_buf_append_char(to, ',');
		json_put_text(to, m->name);
		van_buf_append_char(to, ':');
		rc = put_json(r, at, &v, to);
	}
	van_buf_append_char(to, '}');
	return rc;
}

static int put_array(struct run *r, const struct node *at, const struct value *v, struct van_buf *to)
{
	const struct list *l = value_list(r, v);
	int rc = l ? 0 : run_no_memory(r, at);
	van_buf_append_char(to, '[');
	for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
		if (i)
			van_buf_append_char(to, ',');
		rc = put_json(r, at, &l->v[i], to);
	}
	van_buf_append_char(to, ']');
	return rc;
}

static int put_json(struct run *r, const struct node *at, const struct value *v, struct van_buf *to)
{
	int rc = run_steps(r, at, 1);
	if (rc < 0)
		return rc;
	if (!r->depth_left)
		return run_fail(r, at, "the value is nested too deep");
	r->depth_left--;
	if (v->kind == V_OBJECT)
		rc = put_object(r, at, v->tree, to);
	else if (v->kind == V_ARRAY)
		rc = put_array(r, at, v, to);
	else if (v->kind == V_NUMBER)
		van_buf_append_slice(to, number_text(r, v));
	else if (v->kind == V_BOOL)
		van_buf_append_str(to, v->truth ? "true" : "false");
	else
		json_put_text(to, v->kind == V_TEXT ? v->text : SLICE(""));
	r->depth_left++;
	return rc;
}

int value_to_text(struct run *r, const struct node *at, const struct value *v, struct slice *ret)
{
	struct van_buf text = VAN_BUF_INIT((size_t)1 << 24);
	int rc = 0;
	if (v->kind == V_TEXT)
		*ret = v->text;
	else if (v->kind == V_BOOL)
		*ret = v->truth ? SLICE("true") : SLICE("false");
	else if (v->kind == V_NUMBER)
		*ret = number_text(r, v);
	else if (v->kind == V_NOTHING || v->kind == V_FUNCTION)
		*ret = SLICE("");
	else {
		rc = put_json(r, at, v, &text);
		*ret = van_arena_slice(r->room->arena, van_buf_slice(&text));
		if (rc == 0 && van_buf_error(&text))
			rc = expression_fail(r->x->text, at->at, r->e, VAN_ELIMIT, "the text is longer than 16 MiB");
	}
	van_buf_free(&text);
	return rc < 0 ? rc : ret->p ? 0 : run_no_memory(r, at);
}

static struct tree *copy_list(struct run *r, const struct value *v)
{
	struct tree *t = tree_new(r->room, TREE_ARRAY);
	for (uint32_t i = 0; t && i < v->list->n; i++) {
		struct tree *item = value_copy_to_tree(r, &v->list->v[i]);
		if (!item && r->room->error)
			return NULL;
		if (!item)
			continue;
		*t->tail = item;
		t->tail = &item->next;
	}
	return t;
}

/* Children are shared: nothing that comes out of an expression is changed. */
struct tree *value_copy_to_tree(struct run *r, const struct value *v)
{
	static const enum tree_kind kinds[] = {[V_TEXT] = TREE_TEXT, [V_NUMBER] = TREE_NUMBER, [V_BOOL] = TREE_BOOL, [V_OBJECT] = TREE_OBJECT,
		[V_ARRAY] = TREE_ARRAY};
	if (v->kind == V_NOTHING || v->kind == V_FUNCTION)
		return NULL;
	if (v->kind == V_ARRAY && v->list)
		return copy_list(r, v);
	struct tree *t = tree_new(r->room, kinds[v->kind]);
	if (!t)
		return NULL;
	if (v->tree) {
		t->first = v->tree->first;
		t->tail = t->first ? v->tree->tail : &t->first;
		t->text = v->tree->text;
	} else if (v->kind == V_TEXT) {
		t->text = v->text;
	} else if (v->kind == V_NUMBER) {
		t->text = number_text(r, v);
	} else {
		t->text = v->truth ? SLICE("true") : SLICE("false");
	}
	return t;
}

const struct tree *value_to_tree(struct run *r, const struct value *v)
{
	static const struct tree yes = {.kind = TREE_BOOL, .text = {"true", 4}}, no = {.kind = TREE_BOOL, .text = {"false", 5}};
	if (v->kind == V_BOOL && !v->tree)
		return v->truth ? &yes : &no;
	return v->tree ? v->tree : value_copy_to_tree(r, v);
}

bool expression_true(const struct tree *t)
{
	struct decimal d;
	if (!t)
		return false;
	switch (t->kind) {
	case TREE_TEXT: return t->text.n > 0;
	case TREE_BOOL: return slice_is(t->text, "true");
	case TREE_NUMBER: return decimal_read(t->text, &d) != 0 || d.digits != 0;
	case TREE_OBJECT: return t->first != NULL;
	case TREE_ARRAY: break;
	}
	for (const struct tree *item = t->first; item; item = item->next)
		if (expression_true(item))
			return true;
	return false;
}

struct slice expression_text(struct tree_room *room, const struct tree *t)
{
	if (!t)
		return SLICE_NONE;
	if (t->kind != TREE_OBJECT && t->kind != TREE_ARRAY)
		return t->text.p ? t->text : SLICE("");
	struct van_buf text = VAN_BUF_INIT((size_t)1 << 24);
	tree_write(t, false, &text);
	struct slice s = van_buf_error(&text) ? SLICE_NONE : van_arena_slice(room->arena, van_buf_slice(&text));
	van_buf_free(&text);
	if (!s.p)
		room->error = VAN_ENOMEM;
	return s;
}
