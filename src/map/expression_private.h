/* The seam between expression_lex.c (words), expression_parse.c (the tree of an expression), expression_run.c (its evaluation),
 * expression_value.c (what values are) and the functions by subject. */
#ifndef OPENVAN_MAP_EXPRESSION_PRIVATE_H
#define OPENVAN_MAP_EXPRESSION_PRIVATE_H

#include "map/decimal.h"
#include "map/expression.h"

/* --- words ------------------------------------------------------------------------------------------------------------- */

enum word_kind { W_END, W_OPERATOR, W_NAME, W_VARIABLE, W_TEXT, W_NUMBER, W_TRUE, W_FALSE };

/* Operators of one character are that character; the others: */
enum { OP_RANGE = 128, OP_BIND, OP_UNEQUAL, OP_ABOVE_EQUAL, OP_BELOW_EQUAL, OP_APPLY, OP_ELSE, OP_COALESCE, OP_AND, OP_OR, OP_IN };

struct word {
	enum word_kind kind;
	int op;
	struct slice text; /* as written; of a text: what it says */
	uint32_t at;       /* bytes from the beginning */
};

struct lexer {
	struct van_arena *arena;
	struct slice text;
	size_t at;
	struct van_error *e;
};

/* `operand`: a value is expected here, so that '/' would begin a regular expression, which is refused. */
int expression_word(struct lexer *l, bool operand, struct word *ret);
/* "column 12: …", counted in characters. */
int expression_fail(struct slice text, uint32_t at, struct van_error *e, enum van_err code, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* --- the tree of an expression ----------------------------------------------------------------------------------------- */

enum node_kind { N_TEXT, N_NUMBER, N_BOOL, N_NAME, N_WILDCARD, N_VARIABLE, N_PATH, N_BINARY, N_NEGATE, N_ARRAY, N_OBJECT, N_CONDITION,
	N_BLOCK, N_BIND, N_LAMBDA, N_CALL, N_APPLY, N_ELSE, N_COALESCE };

struct builtin;

struct node {
	struct node *next;    /* in its parent's list */
	enum node_kind kind;
	int op;               /* binary */
	uint32_t at;
	bool cons;            /* array constructor at an end of a path: not flattened */
	bool keep;            /* x[]: stays an array; of a path: a step of it does */
	bool truth;
	struct slice text;    /* text; name, of a variable without $; bind: the variable */
	uint32_t hash;        /* of a name that is only asked for */
	struct decimal number;
	struct node *a, *b, *c; /* operands; a: the first of a list (steps, items, arguments, expressions, parameters) */
	struct node *predicates, *stages; /* filters of the result; of each of a step's results */
	const struct builtin *builtin;    /* call, variable: unless a variable has the name; NULL: there is none */
	const struct zone *zone;          /* call: what its last argument names */
};

struct expression {
	struct slice text;
	struct node *root;
	bool input; /* it looks at its input */
	bool asks;  /* it only asks whether something is there */
};

/* Sets x->input. */
void expression_find_input(struct expression *x);
/* Is it made of $exists with names, $not, `and` and `or` alone? */
bool expression_only_asks(struct node *root);
int expression_parse(struct van_arena *arena, struct slice text, struct node **ret, struct van_error *e);

/* --- values ------------------------------------------------------------------------------------------------------------ */

enum value_kind { V_NOTHING, V_TEXT, V_NUMBER, V_BOOL, V_OBJECT, V_ARRAY, V_FUNCTION };

struct list;
struct closure;

struct value {
	enum value_kind kind;
	const struct tree *tree; /* what it was made of: any object; NULL: a value of our own */
	union {
		struct slice text;
		bool truth;
		const struct decimal *number; /* NULL: the tree's digits are not read yet */
		struct list *list;            /* NULL: the tree's items are not listed yet */
		const struct closure *function;
	};
};

/* Arrays; `sequence`: what a path found, which is nothing when empty and the value itself when it has one. */
struct list {
	struct value *v;
	uint32_t n, room;
	bool sequence, cons, keep;
};

struct binding {
	struct binding *next;
	struct slice name;
	struct value value;
};

struct frame {
	struct frame *parent;
	struct binding *first;
};

/* A function as a value: one of ours, or a lambda with where it was made. */
struct closure {
	const struct builtin *builtin;
	const struct node *lambda;
	struct frame *frame;
	struct value input;
};

struct run {
	const struct expression *x;
	const struct expression_context *context;
	struct tree_room *room;
	struct van_error *e;
	struct value root;
	uint64_t steps_left;
	uint32_t depth_left;
};

#define NOTHING ((struct value){.kind = V_NOTHING})

int run_fail(struct run *r, const struct node *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
int run_no_memory(struct run *r, const struct node *at);
/* So much work; VAN_ELIMIT when it is too much. */
int run_steps(struct run *r, const struct node *at, uint64_t n);
void *run_alloc(struct run *r, size_t n); /* NULL with room->error set */

struct value value_of_tree(const struct tree *t);
struct value value_text(struct slice s);
struct value value_bool(bool b);
/* Negative after an error. */
int value_number(struct run *r, const struct node *at, const struct decimal *d, struct value *ret);
int value_int(struct run *r, const struct node *at, int64_t v, struct value *ret);
/* The kind in words, for errors: "a text". */
const char *value_kind_name(const struct value *v);
/* Items of an array. NULL: no memory. */
struct list *value_list(struct run *r, const struct value *v);
/* An empty list as a value. */
int value_new_list(struct run *r, const struct node *at, bool sequence, struct value *ret);
int list_push(struct run *r, const struct node *at, struct list *l, const struct value *v);
/* Pushes the items of an array, or the value itself. */
int list_push_all(struct run *r, const struct node *at, struct list *l, const struct value *v);
/* A sequence with no item is nothing, with one that item. */
void value_settle(struct value *v);
bool value_true(struct run *r, const struct value *v);

/* Digits as a number: a number; a text of digits; an object's member "value" of these. 0, 1: it is none; VAN_ELIMIT with `e` set. */
int value_read_number(struct run *r, const struct node *at, const struct value *v, struct decimal *ret);
/* The same, or an error that names `what`. */
int value_need_number(struct run *r, const struct node *at, const struct value *v, const char *what, struct decimal *ret);
int value_equal(struct run *r, const struct node *at, const struct value *a, const struct value *b, bool *ret);
/* *order below 0, 0, above 0. Texts both of digits, numbers, and mixtures of them by size; other texts by character. */
int value_order(struct run *r, const struct node *at, const struct value *a, const struct value *b, int *order);
/* As $string makes it. */
int value_to_text(struct run *r, const struct node *at, const struct value *v, struct slice *ret);
/* NULL for nothing and functions, or with room->error set. */
const struct tree *value_to_tree(struct run *r, const struct value *v);
/* A copy under a name, for an object or array that is made. NULL as above. */
struct tree *value_copy_to_tree(struct run *r, const struct value *v);
/* The member, through arrays too; nothing when it is not there. */
int value_member(struct run *r, const struct node *at, const struct value *v, struct slice name, struct value *ret);

/* --- evaluation -------------------------------------------------------------------------------------------------------- */

int run_node(struct run *r, const struct node *n, const struct value *input, struct frame *frame, struct value *ret);
int run_function(struct run *r, const struct node *at, const struct value *function, struct value *arguments, uint32_t count,
	const struct value *input, struct value *ret);
uint32_t function_arity(const struct value *function);
int run_path(struct run *r, const struct node *n, const struct value *input, struct frame *frame, struct value *ret);
int run_filter(struct run *r, const struct node *predicate, const struct value *input, struct frame *frame, struct value *ret);
int run_binary(struct run *r, const struct node *n, const struct value *input, struct frame *frame, struct value *ret);

/* --- functions --------------------------------------------------------------------------------------------------------- */

/* `a` holds all of the signature's arguments, nothing for those that were left out. */
struct call {
	struct run *r;
	const struct node *at;
	const struct builtin *builtin;
	struct value *a;
	uint32_t count;
};

/* The signature has a letter for each argument: s text, n number, a array (one value is made one), f function, x anything;
 * - behind it: the context stands in when it is left out; ? it may be left out, and is when it is nothing. When another argument is nothing and
 * `nothing` is not set, the function is not called and gives nothing; with `whole`, when the first is there, that. */
struct builtin {
	const char *name, *signature;
	int (*fn)(struct call *c, struct value *ret);
	bool nothing, whole;
	bool zone; /* its last argument names a zone, which is read when the expression is compiled */
};

#define CALL_ARGUMENTS 4

const struct builtin *builtin_find(struct slice name);
extern const struct builtin builtins_number[], builtins_text[], builtins_array[], builtins_own[], builtins_trade[];

static inline struct slice slice_rest(struct slice s, size_t from)
{
	return slice_make(s.p + from, s.n - from);
}

/* Bytes of the character at the beginning; an invalid one counts as one. */
size_t utf8_length(struct slice s);
size_t utf8_count(struct slice s);

#endif
