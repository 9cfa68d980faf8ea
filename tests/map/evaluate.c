/* Evaluates expressions for tests: reads lines of JSON {"expression": "…", "document": {…}}, writes for each a line: the result as JSON,
 * "nothing", or "error: " and why. A member "table" {"name": {"from": "to"}} is what $table asks. */
#include "map/expression.h"
#include "map/tree_read.h"

#include <stdio.h>
#include <stdlib.h>

static int look_up(void *ctx, struct slice name, struct slice value, struct slice *ret, struct van_error *e)
{
	const struct tree *tables = ctx, *table = tables ? tree_find(tables, name) : NULL;
	if (!table)
		return van_error_set(e, VAN_ESYNTAX, "there is no table %.*s", SLICE_ARG(name));
	const struct tree *row = tree_find(table, value);
	if (row)
		*ret = row->text;
	return row != NULL;
}

static int evaluate(struct tree_room *room, const struct tree *line, const struct tree **ret, struct van_error *e)
{
	const struct tree *text = tree_find(line, SLICE("expression"));
	const struct expression *x = NULL;
	struct expression_context context = {.room = room, .table = look_up, .table_ctx = tree_find(line, SLICE("table"))};
	int rc = expression_compile(room->arena, text->text, &x, e);
	return rc < 0 ? rc : expression_run(x, tree_find(line, SLICE("document")), &context, ret, e);
}

static void one(struct slice line, struct van_buf *out)
{
	struct tree_room room = {.arena = van_arena_new((size_t)64 << 20), .left = 1000000};
	struct van_error e = {0};
	struct tree *t = NULL;
	const struct tree *result = NULL;
	int rc = tree_read(&room, line, &t, &e);
	rc = rc < 0 ? rc : evaluate(&room, t, &result, &e);
	if (rc < 0)
		van_buf_printf(out, "error: %s", e.text);
	else if (!result)
		van_buf_append_str(out, "nothing");
	else
		tree_write(result, false, out);
	van_buf_append_char(out, '\n');
	van_arena_free(room.arena);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	struct van_buf out = VAN_BUF_INIT((size_t)1 << 30);
	while ((n = getline(&line, &size, stdin)) > 0)
		one(slice_trim(slice_make(line, (size_t)n)), &out);
	fwrite(out.p, 1, out.n, stdout);
	free(line);
	van_buf_free(&out);
	return ferror(stdout) != 0;
}
