/* Expressions over trees: a named subset of JSONata's syntax with exact decimals (doc/map-expressions.md names every operator
 * and function, and where it differs). Compiled once, run many times; bounded in steps, depth and memory. */
#ifndef OPENVAN_MAP_EXPRESSION_H
#define OPENVAN_MAP_EXPRESSION_H

#include "base/error.h"

#include "map/tree.h"

#include <stdint.h>

struct expression;

#define EXPRESSION_TEXT_MAX ((size_t)16 << 10) /* bytes of an expression's text */
#define EXPRESSION_DEPTH_MAX 64                /* of its nesting */

/* `text` is copied; all that is made lives in the arena. 0; VAN_ESYNTAX (`e` names the column, from 1, and the remedy);
 * VAN_ELIMIT; VAN_ENOMEM. Opens the files of time zones that it names: call it before rights are dropped. */
int expression_compile(struct van_arena *arena, struct slice text, const struct expression **ret, struct van_error *e);

/* $table('name', 'value'): 1 with *ret set, 0 when the value is not in the table, or negative with `e` set (there is no such
 * table). *ret lives as long as the run's results. */
typedef int (*expression_table_fn)(void *ctx, struct slice name, struct slice value, struct slice *ret, struct van_error *e);

/* $name in an expression; `value` NULL: nothing. */
struct expression_variable {
	struct slice name; /* without the $ */
	const struct tree *value;
};

struct expression_context {
	struct tree_room *room; /* results, and what is made on the way, live in its arena and count against room->left */
	const struct expression_variable *variables;
	size_t variable_count;
	expression_table_fn table; /* NULL: $table says that there are no tables here */
	void *table_ctx;
	uint64_t max_steps;        /* 0: 1,000,000 */
	uint32_t max_depth;        /* of calls and nested evaluation; 0: 200 */
};

/* `input` is what paths begin at ($ and $$); NULL: nothing. *ret: the result, NULL where there is none; it may be a part of the
 * input, or of a variable, itself, and is not to be changed. Arrays of results are TREE_ARRAY.
 * 0; VAN_ESYNTAX (a value that does not fit: `e` names column, value and remedy); VAN_ELIMIT (steps, depth, values); VAN_ENOMEM. */
int expression_run(const struct expression *x, const struct tree *input, const struct expression_context *context,
	const struct tree **ret, struct van_error *e);

/* Whether its result may depend on the input; where not, NULL does for it. */
bool expression_takes_input(const struct expression *x);

/* What a condition makes of a result: nothing, false, 0, "", {} and [] are false ($boolean). */
bool expression_true(const struct tree *value);

/* The answer of an expression that only asks whether members are there, from object to object: 1 or 0, without a step or a value. -1: it
 * is another, or meets a list; then it is to be run. No variable is called exists or not. */
int expression_asks(const struct expression *x, const struct tree *input, const struct expression_variable *variables, size_t count);

/* A result as the text of a cell: a text's own bytes, digits, true or false; objects and arrays as JSON. Absent for NULL.
 * Absent with room->error set: no memory. */
struct slice expression_text(struct tree_room *room, const struct tree *value);

#endif
