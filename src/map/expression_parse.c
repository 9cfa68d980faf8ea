/* From words to the tree of an expression: operator precedence (Pratt), then names and dots become paths. */
#include "map/expression_private.h"

#include "map/zone_table.h"

#define NAMES_MAX 64

struct parser {
	struct lexer l;
	struct word word; /* the one at hand */
	int depth;
	struct slice names[NAMES_MAX]; /* variables and parameters that the text itself makes */
	uint32_t name_count;
	struct node *calls[NAMES_MAX]; /* of functions that are none of ours: must be one of these names */
	uint32_t call_count;
};

static int expression(struct parser *p, int power, struct node **ret);

static int fail(struct parser *p, uint32_t at, const char *what)
{
	return expression_fail(p->l.text, at, p->l.e, VAN_ESYNTAX, "%s", what);
}

static int no_memory(struct parser *p)
{
	return van_error_set(p->l.e, VAN_ENOMEM, "no memory for an expression");
}

static int advance(struct parser *p, bool operand)
{
	return expression_word(&p->l, operand, &p->word);
}

static bool is(const struct parser *p, int op)
{
	return p->word.kind == W_OPERATOR && p->word.op == op;
}

static int expect(struct parser *p, int op, bool operand, const char *where)
{
	if (is(p, op))
		return advance(p, operand);
	if (p->word.kind == W_END)
		return expression_fail(p->l.text, p->word.at, p->l.e, VAN_ESYNTAX, "the expression ends too early: '%c' is missing %s", op, where);
	return expression_fail(p->l.text, p->word.at, p->l.e, VAN_ESYNTAX, "'%c' is expected %s, not '%.*s'", op, where,
		(int)(p->word.text.n < 40 ? p->word.text.n : 40), p->word.text.p);
}

static struct node *new_node(struct parser *p, enum node_kind kind, uint32_t at)
{
	struct node *n = van_arena_alloc(p->l.arena, sizeof *n);
	if (n) {
		n->kind = kind;
		n->at = at;
	}
	return n;
}

static int know_name(struct parser *p, const struct node *n)
{
	if (p->name_count == NAMES_MAX)
		return expression_fail(p->l.text, n->at, p->l.e, VAN_ELIMIT, "more than %d variables; cut the expression into several rows", NAMES_MAX);
	p->names[p->name_count++] = n->text;
	return 0;
}

/* --- paths ------------------------------------------------------------------------------------------------------------- */

static struct node *last_of(struct node *list)
{
	while (list && list->next)
		list = list->next;
	return list;
}

/* A name is a path of one step. */
static struct node *path_of(struct parser *p, struct node *n)
{
	struct node *path = n->kind == N_PATH ? n : new_node(p, N_PATH, n->at);
	if (path && path != n) {
		path->a = n;
		path->keep = n->keep;
	}
	return path;
}

/* Behind a dot: what a step is, or the steps of a path. */
static int add_step(struct parser *p, struct node *path, struct node *rest)
{
	if (rest->kind == N_PATH) {
		last_of(path->a)->next = rest->a;
		path->keep |= rest->keep;
	} else {
		if (!rest->stages) {
			rest->stages = rest->predicates;
			rest->predicates = NULL;
		}
		last_of(path->a)->next = rest;
		path->keep |= rest->keep;
	}
	for (struct node *s = path->a; s; s = s->next) {
		if (s->kind == N_NUMBER || s->kind == N_BOOL)
			return fail(p, s->at, "a number, true or false can't be a step of a path; a name goes in backquotes: `1`");
		if (s->kind == N_TEXT)
			s->kind = N_NAME;
	}
	path->a->cons = path->a->kind == N_ARRAY;
	struct node *last = last_of(path->a);
	last->cons = last->kind == N_ARRAY;
	return 0;
}

static int dot(struct parser *p, struct node *left, struct node **ret)
{
	struct node *right = NULL, *path = path_of(p, left);
	int rc = path ? expression(p, 75, &right) : no_memory(p);
	if (rc < 0)
		return rc;
	*ret = path;
	return add_step(p, path, right);
}

static void add_last(struct node **list, struct node *n)
{
	while (*list)
		list = &(*list)->next;
	*list = n;
}

/* a[…]: of a path its last step's results are filtered, each step's own; of anything else the result. */
static int bracket(struct parser *p, struct node *left, struct node **ret)
{
	struct node *filter = NULL;
	*ret = left;
	if (is(p, ']')) {
		left->keep = true;
		if (left->kind == N_PATH)
			last_of(left->a)->keep = true;
		return advance(p, false);
	}
	int rc = expression(p, 0, &filter);
	rc = rc < 0 ? rc : expect(p, ']', false, "behind a filter");
	if (rc < 0)
		return rc;
	/* an item of its own, because a node stands in one list */
	struct node *item = new_node(p, N_BLOCK, filter->at);
	if (!item)
		return no_memory(p);
	item->a = filter;
	add_last(left->kind == N_PATH ? &last_of(left->a)->stages : &left->predicates, item);
	return 0;
}

/* --- what begins with a word of its own -------------------------------------------------------------------------------- */

/* Expressions up to `close`, parted by `separator`. */
static int list_until(struct parser *p, int separator, int close, const char *where, struct node **list)
{
	int rc = 0;
	while (rc == 0 && !is(p, close)) {
		struct node *one = NULL;
		rc = expression(p, 0, &one);
		if (rc == 0 && separator == ',' && close == ']' && is(p, OP_RANGE)) {
			struct node *range = new_node(p, N_BINARY, p->word.at);
			rc = range ? advance(p, true) : no_memory(p);
			if (rc == 0) {
				range->op = OP_RANGE;
				range->a = one;
				rc = expression(p, 0, &range->b);
				one = range;
			}
		}
		if (rc < 0)
			return rc;
		*list = one;
		list = &one->next;
		if (!is(p, separator))
			break;
		rc = advance(p, true);
		if (rc == 0 && separator == ',' && is(p, close))
			rc = fail(p, p->word.at, "something is expected behind the comma");
	}
	return rc < 0 ? rc : expect(p, close, false, where);
}

static int object(struct parser *p, struct node *n)
{
	struct node **pair = &n->a;
	int rc = 0;
	while (rc == 0 && !is(p, '}')) {
		struct node *one = new_node(p, N_OBJECT, p->word.at);
		rc = one ? expression(p, 0, &one->a) : no_memory(p);
		rc = rc < 0 ? rc : expect(p, ':', true, "behind a member's name");
		rc = rc < 0 ? rc : expression(p, 0, &one->b);
		if (rc < 0)
			return rc;
		*pair = one;
		pair = &one->next;
		if (!is(p, ','))
			break;
		rc = advance(p, true);
		if (rc == 0 && is(p, '}'))
			rc = fail(p, p->word.at, "another member is expected behind the comma");
	}
	return rc < 0 ? rc : expect(p, '}', false, "at the end of an object");
}

static int lambda(struct parser *p, struct node *n)
{
	n->kind = N_LAMBDA;
	uint32_t count = 0;
	for (struct node *a = n->a; a; a = a->next) {
		if (a->kind != N_VARIABLE || a->predicates || !a->text.n)
			return fail(p, a->at, "a function's parameters are variables: function($x, $y) { … }");
		int rc = ++count > CALL_ARGUMENTS ? fail(p, a->at, "a function has at most 4 parameters") : know_name(p, a);
		if (rc < 0)
			return rc;
	}
	int rc = expect(p, '{', true, "behind a function's parameters");
	rc = rc < 0 ? rc : expression(p, 0, &n->b);
	return rc < 0 ? rc : expect(p, '}', false, "at the end of a function");
}

/* The zone is read now: where expressions are run no file can be opened. */
static int find_zone(struct parser *p, struct node *n)
{
	struct node *last = last_of(n->a);
	size_t missing = 0;
	for (const char *s = n->builtin->signature; *s; s++)
		missing += *s != '?' && *s != '-';
	for (const struct node *a = n->a; a && missing; a = a->next)
		missing--;
	if (!n->builtin->zone || missing)
		return 0;
	if (last->kind != N_TEXT)
		return fail(p, last->at, "a zone is written out as a text, 'Europe/Berlin' or '+01:00'");
	int rc = zone_open(p->l.arena, last->text, &n->zone);
	return rc == VAN_ENOTFOUND ? expression_fail(p->l.text, last->at, p->l.e, VAN_ESYNTAX, "there is no time zone %.*s on this machine; write "
		"one like 'Europe/Berlin', or an offset like '+01:00'", SLICE_ARG(last->text)) : rc < 0 ? no_memory(p) : 0;
}

/* a(…): a call, or a function that is written out. */
static int parenthesis(struct parser *p, struct node *left, struct node **ret)
{
	struct node *n = new_node(p, N_CALL, left->at);
	if (!n)
		return no_memory(p);
	int rc = list_until(p, ',', ')', "behind a function's arguments", &n->a);
	if (rc < 0)
		return rc;
	*ret = n;
	struct node *name = left->kind == N_PATH && !left->a->next ? left->a : left;
	if (name->kind == N_NAME && (slice_is(name->text, "function") || slice_is(name->text, "\xce\xbb")))
		return lambda(p, n);
	if (name->kind == N_NAME && builtin_find(name->text))
		return expression_fail(p->l.text, name->at, p->l.e, VAN_ESYNTAX, "functions begin with $: $%.*s(…)", SLICE_ARG(name->text));
	if (left->kind != N_VARIABLE && left->kind != N_LAMBDA && left->kind != N_BLOCK && left->kind != N_CALL)
		return fail(p, left->at, "only functions are called: $name(…)");
	n->b = left;
	n->builtin = left->kind == N_VARIABLE && !left->predicates ? left->builtin : NULL;
	if (n->builtin)
		return find_zone(p, n);
	if (left->kind == N_VARIABLE && p->call_count < NAMES_MAX)
		p->calls[p->call_count++] = left;
	return 0;
}

static int literal(struct parser *p, const struct word *w, struct node *n)
{
	int rc = decimal_read(w->text, &n->number);
	if (rc < 0)
		return fail(p, w->at, "the number has more than 34 digits, or too large an exponent");
	return advance(p, false);
}

static int negative(struct parser *p, struct node *n)
{
	int rc = advance(p, true);
	rc = rc < 0 ? rc : expression(p, 70, &n->a);
	if (rc == 0 && n->a->kind == N_NUMBER) {
		n->kind = N_NUMBER;
		n->number = n->a->number;
		n->predicates = n->a->predicates;
		n->number.minus = n->number.digits && !n->number.minus;
	}
	return rc;
}

static int prefix_operator(struct parser *p, struct node *n)
{
	int op = p->word.op, rc;
	switch (op) {
	case '-': n->kind = N_NEGATE; return negative(p, n);
	case '*': n->kind = N_WILDCARD; return advance(p, false);
	case OP_AND:
	case OP_OR:
	case OP_IN: return advance(p, false); /* names where an operand is expected */
	case '(':
		n->kind = N_BLOCK;
		rc = advance(p, true);
		return rc < 0 ? rc : list_until(p, ';', ')', "at the end of a block", &n->a);
	case '[':
		n->kind = N_ARRAY;
		rc = advance(p, true);
		return rc < 0 ? rc : list_until(p, ',', ']', "at the end of an array", &n->a);
	case '{':
		n->kind = N_OBJECT;
		rc = advance(p, true);
		return rc < 0 ? rc : object(p, n);
	default:
		return expression_fail(p->l.text, n->at, p->l.e, VAN_ESYNTAX, "a value is expected, not '%.*s'", SLICE_ARG(p->word.text));
	}
}

static int prefix(struct parser *p, struct node **ret)
{
	struct word w = p->word;
	static const enum node_kind kinds[] = {[W_OPERATOR] = N_NAME, [W_NAME] = N_NAME, [W_VARIABLE] = N_VARIABLE, [W_TEXT] = N_TEXT,
		[W_NUMBER] = N_NUMBER, [W_TRUE] = N_BOOL, [W_FALSE] = N_BOOL};
	if (w.kind == W_END)
		return fail(p, w.at, "the expression ends where a value is expected");
	struct node *n = new_node(p, kinds[w.kind], w.at);
	if (!n)
		return no_memory(p);
	n->text = w.text;
	n->truth = w.kind == W_TRUE;
	if (w.kind == W_VARIABLE)
		n->builtin = builtin_find(w.text);
	if (w.kind == W_NAME && slice_is(w.text, "null") && p->l.text.p[w.at] != '`')
		return fail(p, w.at, "there is no null here: a member that is not there is nothing, and $exists asks for it");
	int rc = w.kind == W_OPERATOR ? prefix_operator(p, n) : w.kind == W_NUMBER ? literal(p, &w, n) : advance(p, false);
	if (rc < 0)
		return rc;
	*ret = n->kind == N_NAME || n->kind == N_WILDCARD ? path_of(p, n) : n;
	return *ret ? 0 : no_memory(p);
}

/* --- what stands between operands -------------------------------------------------------------------------------------- */

static int power_of(const struct parser *p)
{
	if (p->word.kind == W_END)
		return 0;
	if (p->word.kind != W_OPERATOR)
		return -1;
	switch (p->word.op) {
	case '[':
	case '(': return 80;
	case '.': return 75;
	case '*':
	case '/':
	case '%': return 60;
	case '+':
	case '-':
	case '&': return 50;
	case '=':
	case '<':
	case '>':
	case OP_UNEQUAL:
	case OP_ABOVE_EQUAL:
	case OP_BELOW_EQUAL:
	case OP_IN:
	case OP_APPLY:
	case OP_ELSE:
	case OP_COALESCE: return 40;
	case OP_AND: return 30;
	case OP_OR: return 25;
	case '?': return 20;
	case OP_BIND: return 10;
	case '^':
	case '@':
	case '#':
	case '|':
	case '!':
	case '~': return -1;
	default: return 0;
	}
}

static int binary(struct parser *p, const struct word *w, struct node *left, int power, struct node **ret)
{
	struct node *n = new_node(p, N_BINARY, w->at);
	if (!n)
		return no_memory(p);
	*ret = n;
	n->op = w->op;
	n->a = left;
	if (w->op == OP_APPLY)
		n->kind = N_APPLY;
	if (w->op == OP_ELSE || w->op == OP_COALESCE) {
		n->kind = w->op == OP_ELSE ? N_ELSE : N_COALESCE;
		power = 0;
	}
	return expression(p, power, &n->b);
}

static int condition(struct parser *p, const struct word *w, struct node *left, struct node **ret)
{
	struct node *n = new_node(p, N_CONDITION, w->at);
	if (!n)
		return no_memory(p);
	*ret = n;
	n->a = left;
	int rc = expression(p, 0, &n->b);
	if (rc == 0 && is(p, ':')) {
		rc = advance(p, true);
		rc = rc < 0 ? rc : expression(p, 0, &n->c);
	}
	return rc;
}

static int bind(struct parser *p, const struct word *w, struct node *left, struct node **ret)
{
	if (left->kind != N_VARIABLE || left->predicates || !left->text.n || slice_is(left->text, "$"))
		return fail(p, left->at, "left of := stands a variable: $name := value");
	struct node *n = new_node(p, N_BIND, w->at);
	if (!n)
		return no_memory(p);
	*ret = n;
	n->text = left->text;
	int rc = know_name(p, left);
	return rc < 0 ? rc : expression(p, 9, &n->a);
}

static int infix(struct parser *p, struct node *left, int power, struct node **ret)
{
	struct word w = p->word;
	int rc = advance(p, true);
	if (rc < 0)
		return rc;
	switch (w.op) {
	case '.': return dot(p, left, ret);
	case '[': return bracket(p, left, ret);
	case '(': return parenthesis(p, left, ret);
	case '?': return condition(p, &w, left, ret);
	case OP_BIND: return bind(p, &w, left, ret);
	default: return binary(p, &w, left, power, ret);
	}
}

static int expression(struct parser *p, int power, struct node **ret)
{
	struct node *left = NULL;
	if (++p->depth > EXPRESSION_DEPTH_MAX)
		return expression_fail(p->l.text, p->word.at, p->l.e, VAN_ELIMIT, "nested deeper than %d; cut the expression into several rows",
			EXPRESSION_DEPTH_MAX);
	int rc = prefix(p, &left);
	while (rc == 0) {
		int here = power_of(p);
		if (here < 0)
			rc = expression_fail(p->l.text, p->word.at, p->l.e, VAN_ESYNTAX, "an operator is expected, not '%.*s'; texts need quotes",
				(int)(p->word.text.n < 40 ? p->word.text.n : 40), p->word.text.p);
		if (rc < 0 || here <= power)
			break;
		rc = infix(p, left, here, &left);
	}
	p->depth--;
	*ret = left;
	return rc;
}

static int calls_are_known(struct parser *p)
{
	for (uint32_t i = 0; i < p->call_count; i++) {
		bool known = false;
		for (uint32_t k = 0; k < p->name_count && !known; k++)
			known = slice_eq(p->names[k], p->calls[i]->text);
		if (!known)
			return expression_fail(p->l.text, p->calls[i]->at, p->l.e, VAN_ESYNTAX, "there is no function $%.*s; doc/map-expressions.md lists "
				"them", SLICE_ARG(p->calls[i]->text));
	}
	return 0;
}

int expression_parse(struct van_arena *arena, struct slice text, struct node **ret, struct van_error *e)
{
	struct parser p = {.l = {.arena = arena, .text = text, .e = e}};
	int rc = advance(&p, true);
	rc = rc < 0 ? rc : expression(&p, 0, ret);
	if (rc == 0 && p.word.kind != W_END)
		rc = expression_fail(text, p.word.at, e, VAN_ESYNTAX, "the expression is complete before '%.*s'",
			(int)(p.word.text.n < 40 ? p.word.text.n : 40), p.word.text.p);
	return rc < 0 ? rc : calls_are_known(&p);
}

int expression_compile(struct van_arena *arena, struct slice text, const struct expression **ret, struct van_error *e)
{
	if (text.n > EXPRESSION_TEXT_MAX)
		return van_error_set(e, VAN_ELIMIT, "the expression is longer than %zu KiB", EXPRESSION_TEXT_MAX >> 10);
	struct expression *x = van_arena_alloc(arena, sizeof *x);
	struct slice copy = van_arena_slice(arena, text);
	if (!x || !copy.p)
		return van_error_set(e, VAN_ENOMEM, "no memory for an expression");
	x->text = copy;
	int rc = expression_parse(arena, copy, &x->root, e);
	if (rc < 0)
		return rc;
	expression_find_input(x);
	x->asks = expression_only_asks(x->root);
	*ret = x;
	return 0;
}
