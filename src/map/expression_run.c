/* Evaluation: a walk over the tree of the expression. */
#include "map/expression_private.h"

#define DEFAULT_STEPS 1000000
#define DEFAULT_DEPTH 200

/* --- variables --------------------------------------------------------------------------------------------------------- */

static const struct value *find_variable(const struct frame *f, struct slice name)
{
	for (; f; f = f->parent)
		for (const struct binding *b = f->first; b; b = b->next)
			if (slice_eq(b->name, name))
				return &b->value;
	return NULL;
}

static int set_variable(struct run *r, const struct node *at, struct frame *f, struct slice name, const struct value *v)
{
	struct binding *b = f->first;
	while (b && !slice_eq(b->name, name))
		b = b->next;
	if (!b) {
		b = run_alloc(r, sizeof *b);
		if (!b)
			return run_no_memory(r, at);
		b->next = f->first;
		b->name = name;
		f->first = b;
	}
	b->value = *v;
	return 0;
}

static struct frame *new_frame(struct run *r, struct frame *parent)
{
	struct frame *f = run_alloc(r, sizeof *f);
	if (f)
		f->parent = parent;
	return f;
}

static int function_value(struct run *r, const struct node *n, struct closure c, struct value *ret)
{
	struct closure *copy = run_alloc(r, sizeof *copy);
	if (!copy)
		return run_no_memory(r, n);
	*copy = c;
	*ret = (struct value){.kind = V_FUNCTION, .function = copy};
	return 0;
}

static int run_variable(struct run *r, const struct node *n, const struct value *input, const struct frame *f, struct value *ret)
{
	if (!n->text.n) {
		*ret = *input;
		return 0;
	}
	if (slice_is(n->text, "$")) {
		*ret = r->root;
		return 0;
	}
	const struct value *v = find_variable(f, n->text);
	*ret = v ? *v : NOTHING;
	return !v && n->builtin ? function_value(r, n, (struct closure){.builtin = n->builtin}, ret) : 0;
}

/* --- calls ------------------------------------------------------------------------------------------------------------- */

uint32_t function_arity(const struct value *function)
{
	uint32_t n = 0;
	if (function->function->builtin) {
		for (const char *s = function->function->builtin->signature; *s; s++)
			n += *s != '?' && *s != '-';
		return n;
	}
	for (const struct node *a = function->function->lambda->a; a; a = a->next)
		n++;
	return n;
}

static bool fits(char letter, const struct value *v, bool lenient)
{
	struct decimal d;
	switch (v->kind == V_NOTHING && letter != 'f' ? 'x' : letter) { /* nothing is in the place of any value, but of no function */
	case 's': return v->kind == V_TEXT;
	case 'n': return v->kind == V_NUMBER || (lenient && v->kind == V_TEXT && decimal_read(v->text, &d) != VAN_ESYNTAX) ||
	                 (lenient && v->kind == V_OBJECT && tree_find(v->tree, SLICE("value")));
	case 'f': return v->kind == V_FUNCTION;
	default: return true;
	}
}

/* Do the arguments fit in order? `context`: what stands in for the first, or NULL. */
static bool all_fit(const char *signature, const struct value *context, const struct value *a, uint32_t count, bool lenient)
{
	uint32_t used = 0;
	bool first = true;
	for (const char *s = signature; *s; s++) {
		if (*s == '-' || *s == '?')
			continue;
		bool optional = s[1] == '?';
		if (first && context) {
			if (s[1] != '-' || !fits(*s, context, lenient))
				return false;
		} else if (used < count) {
			if (!fits(*s, &a[used++], lenient))
				return false;
		} else if (!optional) {
			return false;
		}
		first = false;
	}
	return used == count;
}

static int bad_arguments(struct run *r, const struct node *at, const struct builtin *b, const struct value *a, uint32_t count)
{
	uint32_t least = 0, most = 0, i = 0;
	for (const char *s = b->signature; *s; s++) {
		most += *s != '?' && *s != '-';
		least += *s != '?' && *s != '-' && s[1] != '?' && s[1] != '-';
	}
	if (count < least || count > most)
		return run_fail(r, at, "$%s takes %u to %u arguments, not %u", b->name, least, most, count);
	for (const char *s = b->signature; *s && i < count; s++) {
		if (*s == '?' || *s == '-')
			continue;
		if (!fits(*s, &a[i], true))
			return run_fail(r, at, "argument %u of $%s is %s, not %s%s", i + 1, b->name, *s == 's' ? "a text" : *s == 'n' ? "a number" : "a function",
				value_kind_name(&a[i]), *s == 's' && a[i].kind == V_NUMBER ? "; $string makes one of it" : "");
		i++;
	}
	return run_fail(r, at, "$%s has too few arguments, and what stands left of it is not what it takes", b->name);
}

static int make_array(struct run *r, const struct node *at, struct value *v)
{
	struct value one = *v;
	if (v->kind == V_ARRAY || v->kind == V_NOTHING)
		return 0;
	int rc = value_new_list(r, at, false, v);
	return rc < 0 ? rc : list_push(r, at, v->list, &one);
}

static int call_builtin(struct run *r, const struct node *at, const struct builtin *b, const struct value *a, uint32_t count,
	const struct value *input, struct value *ret)
{
	struct value all[CALL_ARGUMENTS + 1] = {NOTHING};
	struct call c = {.r = r, .at = at, .builtin = b, .a = all};
	bool plain = all_fit(b->signature, NULL, a, count, false);
	bool context = !plain && all_fit(b->signature, input, a, count, false);
	plain = plain || (!context && all_fit(b->signature, NULL, a, count, true));
	context = context || (!plain && all_fit(b->signature, input, a, count, true));
	if (!plain && !context)
		return bad_arguments(r, at, b, a, count);
	if (context)
		all[c.count++] = *input;
	for (uint32_t i = 0; i < count && c.count < CALL_ARGUMENTS; i++)
		all[c.count++] = a[i];
	uint32_t i = 0;
	for (const char *s = b->signature; *s; s++) {
		if (*s == '-' || *s == '?')
			continue;
		int rc = *s == 'a' ? make_array(r, at, &all[i]) : 0;
		if (rc < 0)
			return rc;
		if (!b->nothing && i < c.count && all[i].kind == V_NOTHING && s[1] != '?') {
			*ret = b->whole ? all[0] : NOTHING;
			return 0;
		}
		i++;
	}
	*ret = NOTHING;
	int rc = b->fn(&c, ret);
	if (rc == 0)
		value_settle(ret);
	return rc;
}

static int call_lambda(struct run *r, const struct closure *f, const struct value *a, uint32_t count, struct value *ret)
{
	struct frame *frame = new_frame(r, f->frame);
	uint32_t i = 0;
	int rc = frame ? 0 : run_no_memory(r, f->lambda);
	for (const struct node *p = f->lambda->a; p && rc == 0; p = p->next, i++)
		rc = set_variable(r, p, frame, p->text, i < count ? &a[i] : &NOTHING);
	return rc < 0 ? rc : run_node(r, f->lambda->b, &f->input, frame, ret);
}

int run_function(struct run *r, const struct node *at, const struct value *function, struct value *arguments, uint32_t count,
	const struct value *input, struct value *ret)
{
	if (function->function->builtin)
		return call_builtin(r, at, function->function->builtin, arguments, count, input, ret);
	return call_lambda(r, function->function, arguments, count, ret);
}

/* `first`: of x ~> $f(y), or NULL. */
static int run_call(struct run *r, const struct node *n, const struct value *first, const struct value *input, struct frame *f,
	struct value *ret)
{
	struct value a[CALL_ARGUMENTS + 1], function = NOTHING;
	uint32_t count = 0;
	const struct value *shadow = n->builtin ? find_variable(f, n->b->text) : NULL;
	int rc = n->builtin && !shadow ? 0 : run_node(r, n->b, input, f, &function);
	if (rc < 0)
		return rc;
	if (function.kind != V_FUNCTION && (shadow || !n->builtin))
		return run_fail(r, n, "%s is no function, but %s", n->b->kind == N_VARIABLE ? "this variable" : "this", value_kind_name(&function));
	if (first)
		a[count++] = *first;
	for (const struct node *x = n->a; x; x = x->next) {
		if (count == CALL_ARGUMENTS)
			return run_fail(r, n, "a function takes at most %d arguments", CALL_ARGUMENTS);
		rc = run_node(r, x, input, f, &a[count++]);
		if (rc < 0)
			return rc;
	}
	if (function.kind == V_FUNCTION)
		return run_function(r, n, &function, a, count, input, ret);
	return call_builtin(r, n, n->builtin, a, count, input, ret);
}

static int run_apply(struct run *r, const struct node *n, const struct value *input, struct frame *f, struct value *ret)
{
	struct value left, function;
	int rc = run_node(r, n->a, input, f, &left);
	if (rc < 0)
		return rc;
	if (n->b->kind == N_CALL && !n->b->predicates)
		return run_call(r, n->b, &left, input, f, ret);
	rc = run_node(r, n->b, input, f, &function);
	if (rc == 0 && (function.kind != V_FUNCTION || left.kind == V_FUNCTION))
		return run_fail(r, n, "right of ~> stands a function, and a value left of it");
	return rc < 0 ? rc : run_function(r, n, &function, &left, 1, input, ret);
}

/* --- constructors ------------------------------------------------------------------------------------------------------ */

static int run_array(struct run *r, const struct node *n, const struct value *input, struct frame *f, struct value *ret)
{
	int rc = value_new_list(r, n, false, ret);
	for (const struct node *x = n->a; x && rc == 0; x = x->next) {
		struct value v;
		rc = run_node(r, x, input, f, &v);
		if (rc == 0 && v.kind != V_NOTHING)
			rc = x->kind == N_ARRAY ? list_push(r, x, ret->list, &v) : list_push_all(r, x, ret->list, &v);
	}
	if (rc == 0)
		ret->list->cons = n->cons;
	return rc;
}

struct member {
	struct member *next;
	struct slice name;
	const struct node *pair;
	struct value data;
};

/* One name of one item: what has the same name is one member, of all these items. */
static int add_member(struct run *r, const struct node *pair, const struct value *item, struct frame *f, struct member ***tail,
	struct member **list)
{
	struct value name, all;
	int rc = run_node(r, pair->a, item, f, &name);
	if (rc < 0 || name.kind == V_NOTHING)
		return rc;
	if (name.kind != V_TEXT)
		return run_fail(r, pair, "a member's name is a text, not %s", value_kind_name(&name));
	struct member *m = *list;
	for (; m && !slice_eq(m->name, name.text); m = m->next)
		if ((rc = run_steps(r, pair, 1)) < 0)
			return rc;
	if (!m) {
		m = run_alloc(r, sizeof *m);
		if (!m)
			return run_no_memory(r, pair);
		*m = (struct member){.name = name.text, .pair = pair, .data = *item};
		**tail = m;
		*tail = &m->next;
		return 0;
	}
	if (m->pair != pair)
		return run_fail(r, pair, "the object has '%.*s' twice", SLICE_ARG(name.text));
	rc = value_new_list(r, pair, true, &all);
	rc = rc < 0 || m->data.kind == V_NOTHING ? rc : list_push_all(r, pair, all.list, &m->data);
	rc = rc < 0 || item->kind == V_NOTHING ? rc : list_push_all(r, pair, all.list, item);
	m->data = all;
	return rc;
}

static int run_object(struct run *r, const struct node *n, const struct value *input, struct frame *f, struct value *ret)
{
	struct member *list = NULL, **tail = &list;
	const struct list *items = input->kind == V_ARRAY ? value_list(r, input) : NULL;
	struct tree *object = tree_new(r->room, TREE_OBJECT);
	int rc = object && (items || input->kind != V_ARRAY) ? 0 : run_no_memory(r, n);
	uint32_t count = rc == 0 && items && items->n ? items->n : 1;
	for (uint32_t i = 0; i < count && rc == 0; i++)
		for (const struct node *pair = n->a; pair && rc == 0; pair = pair->next)
			rc = add_member(r, pair, items && items->n ? &items->v[i] : items ? &NOTHING : input, f, &tail, &list);
	for (struct member *m = list; m && rc == 0; m = m->next) {
		struct value v;
		rc = run_node(r, m->pair->b, &m->data, f, &v);
		struct tree *t = rc == 0 ? value_copy_to_tree(r, &v) : NULL;
		if (rc == 0 && r->room->error)
			return run_no_memory(r, n);
		if (!t)
			continue;
		t->name = m->name;
		*object->tail = t;
		object->tail = &t->next;
	}
	*ret = value_of_tree(object);
	return rc;
}

/* --- the rest ---------------------------------------------------------------------------------------------------------- */

static int run_condition(struct run *r, const struct node *n, const struct value *input, struct frame *f, struct value *ret)
{
	struct value v;
	int rc = run_node(r, n->a, input, f, &v);
	if (rc < 0)
		return rc;
	*ret = NOTHING;
	bool yes = n->kind == N_COALESCE ? v.kind != V_NOTHING : value_true(r, &v);
	if (n->kind != N_CONDITION) {
		*ret = v;
		return yes ? 0 : run_node(r, n->b, input, f, ret);
	}
	const struct node *next = yes ? n->b : n->c;
	return next ? run_node(r, next, input, f, ret) : 0;
}

static int run_block(struct run *r, const struct node *n, const struct value *input, struct frame *f, struct value *ret)
{
	struct frame *inner = new_frame(r, f);
	int rc = inner ? 0 : run_no_memory(r, n);
	*ret = NOTHING;
	for (const struct node *x = n->a; x && rc == 0; x = x->next)
		rc = run_node(r, x, input, inner, ret);
	return rc;
}

static int run_bind(struct run *r, const struct node *n, const struct value *input, struct frame *f, struct value *ret)
{
	int rc = run_node(r, n->a, input, f, ret);
	return rc < 0 ? rc : set_variable(r, n, f, n->text, ret);
}

static int run_negative(struct run *r, const struct node *n, const struct value *input, struct frame *f, struct value *ret)
{
	struct value v;
	struct decimal d;
	int rc = run_node(r, n->a, input, f, &v);
	*ret = NOTHING;
	if (rc < 0 || v.kind == V_NOTHING)
		return rc;
	rc = value_need_number(r, n, &v, "- takes", &d);
	if (rc < 0)
		return rc;
	d.minus = d.digits && !d.minus;
	return value_number(r, n, &d, ret);
}

/* Arrays in arrays too. */
static int push_flat(struct run *r, const struct node *n, struct list *to, const struct value *v)
{
	if (v->kind != V_ARRAY)
		return list_push(r, n, to, v);
	const struct list *l = value_list(r, v);
	if (!l || !r->depth_left)
		return l ? run_fail(r, n, "arrays stand too deep in one another") : run_no_memory(r, n);
	int rc = 0;
	r->depth_left--;
	for (uint32_t i = 0; i < l->n && rc == 0; i++)
		rc = push_flat(r, n, to, &l->v[i]);
	r->depth_left++;
	return rc;
}

static int run_wildcard(struct run *r, const struct node *n, const struct value *input, struct value *ret)
{
	int rc = value_new_list(r, n, true, ret);
	if (input->kind == V_ARRAY) {
		const struct list *l = rc == 0 ? value_list(r, input) : NULL;
		for (uint32_t i = 0; l && i < l->n && rc == 0; i++)
			rc = push_flat(r, n, ret->list, &l->v[i]);
		return l || rc < 0 ? rc : run_no_memory(r, n);
	}
	for (const struct tree *t = input->kind == V_OBJECT ? input->tree->first : NULL; t && rc == 0; t = t->next) {
		struct value v = value_of_tree(t);
		ret->list->sequence = ret->list->sequence && v.kind != V_ARRAY; /* as in JSONata: what has an array in it stays one */
		rc = push_flat(r, n, ret->list, &v);
	}
	return rc;
}

static int run_kind(struct run *r, const struct node *n, const struct value *input, struct frame *f, struct value *ret)
{
	switch (n->kind) {
	case N_TEXT: *ret = value_text(n->text); return 0;
	case N_NUMBER: *ret = (struct value){.kind = V_NUMBER, .number = &n->number}; return 0;
	case N_BOOL: *ret = value_bool(n->truth); return 0;
	case N_NAME: return value_member(r, n, input, n->text, ret);
	case N_WILDCARD: return run_wildcard(r, n, input, ret);
	case N_VARIABLE: return run_variable(r, n, input, f, ret);
	case N_PATH: return run_path(r, n, input, f, ret);
	case N_BINARY: return run_binary(r, n, input, f, ret);
	case N_NEGATE: return run_negative(r, n, input, f, ret);
	case N_ARRAY: return run_array(r, n, input, f, ret);
	case N_OBJECT: return run_object(r, n, input, f, ret);
	case N_CONDITION:
	case N_ELSE:
	case N_COALESCE: return run_condition(r, n, input, f, ret);
	case N_BLOCK: return run_block(r, n, input, f, ret);
	case N_BIND: return run_bind(r, n, input, f, ret);
	case N_LAMBDA: return function_value(r, n, (struct closure){.lambda = n, .frame = f, .input = *input}, ret);
	case N_CALL: return run_call(r, n, NULL, input, f, ret);
	case N_APPLY: return run_apply(r, n, input, f, ret);
	}
	return VAN_EINTERNAL;
}

int run_node(struct run *r, const struct node *n, const struct value *input, struct frame *frame, struct value *ret)
{
	int rc = run_steps(r, n, 1);
	if (rc < 0)
		return rc;
	if (!r->depth_left)
		return expression_fail(r->x->text, n->at, r->e, VAN_ELIMIT, "the expression is nested too deep, or calls itself too often");
	r->depth_left--;
	rc = run_kind(r, n, input, frame, ret);
	for (const struct node *p = n->predicates; p && rc == 0; p = p->next) {
		struct value all = *ret;
		rc = run_filter(r, p->a, &all, frame, ret);
	}
	if (rc == 0 && n->keep && n->kind != N_PATH && ret->kind == V_ARRAY && ret->list)
		ret->list->keep = true;
	if (rc == 0)
		value_settle(ret);
	r->depth_left++;
	return rc;
}

int expression_run(const struct expression *x, const struct tree *input, const struct expression_context *context, const struct tree **ret,
	struct van_error *e)
{
	struct run r = {.x = x, .context = context, .room = context->room, .e = e, .root = value_of_tree(input),
		.steps_left = context->max_steps ? context->max_steps : DEFAULT_STEPS,
		.depth_left = context->max_depth ? context->max_depth : DEFAULT_DEPTH};
	struct binding given[4]; /* the first of them, as nearly always all */
	struct frame frame = {0};
	struct value v;
	int rc = 0;
	for (size_t i = 0; i < context->variable_count && rc == 0; i++) {
		struct value one = value_of_tree(context->variables[i].value);
		if (i < sizeof given / sizeof *given) {
			given[i] = (struct binding){.next = frame.first, .name = context->variables[i].name, .value = one};
			frame.first = &given[i];
		} else {
			rc = set_variable(&r, x->root, &frame, context->variables[i].name, &one);
		}
	}
	rc = rc < 0 ? rc : run_node(&r, x->root, &r.root, &frame, &v);
	if (rc < 0)
		return rc;
	*ret = value_to_tree(&r, &v);
	return r.room->error ? run_no_memory(&r, x->root) : 0; /* also what ran out on the way, unseen */
}
