#include "map/sheet_json.h"

#include "base/record.h"
#include "map/csv.h"
#include "map/tree_read.h"

#define SHEET_MEMORY ((size_t)128 << 20)
#define VALUES_MAX 5000000

static int no_memory(struct van_error *e)
{
	return van_error_set(e, VAN_ENOMEM, "the sheet needs more memory than %zu MiB", SHEET_MEMORY >> 20);
}

/* --- to JSON ----------------------------------------------------------------------------------------------------------------- */

static size_t count_columns(const struct slice *f)
{
	size_t n = CSV_MAX_FIELDS;
	while (n && !f[n - 1].n)
		n--;
	return n;
}

static int put_row(const struct slice *columns, size_t n, const struct slice *f, unsigned line, struct van_buf *to, struct van_error *e)
{
	bool first = true;
	van_buf_append_char(to, '{');
	for (size_t i = 0; i < CSV_MAX_FIELDS; i++) {
		if (!f[i].n)
			continue;
		if (i >= n || !columns[i].n)
			return van_error_set(e, VAN_ESYNTAX, "row %u: '%.*s' stands in a column without a name; name it in the first line, or empty "
				"the cell", line, SLICE_ARG(f[i]));
		van_buf_append_str(to, first ? "" : ",");
		first = false;
		json_put_text(to, columns[i]);
		van_buf_append_char(to, ':');
		json_put_text(to, f[i]);
	}
	return van_buf_append_char(to, '}');
}

static int put_columns(const struct slice *columns, size_t n, struct van_buf *to, struct van_error *e)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++)
			if (columns[i].n && slice_eq(columns[i], columns[k]))
				return van_error_set(e, VAN_ESYNTAX, "row 1: column '%.*s' is there twice; name each once", SLICE_ARG(columns[i]));
		van_buf_append_str(to, i ? "," : "");
		json_put_text(to, columns[i]);
	}
	return to->error;
}

static int put_rows(struct csv *c, struct van_arena *a, const struct slice *columns, size_t n, struct van_buf *to, struct van_error *e)
{
	struct slice f[CSV_MAX_FIELDS];
	unsigned next = c->next_line;
	bool first = true;
	int rc;
	while ((rc = csv_next(c, a, f)) == 1) {
		for (; next < c->line; next++, first = false) /* empty lines */
			van_buf_append_str(to, first ? "\n{}" : ",\n{}");
		van_buf_append_str(to, first ? "\n" : ",\n");
		first = false;
		rc = put_row(columns, n, f, c->line, to, e);
		if (rc < 0)
			return rc;
		next = c->next_line;
	}
	return rc;
}

int sheet_to_json(struct slice name, struct slice csv, struct van_buf *to, struct van_error *e)
{
	struct van_arena *a = van_arena_new(SHEET_MEMORY);
	struct slice columns[CSV_MAX_FIELDS];
	struct csv c;
	csv_begin(&c, csv);
	int rc = a ? csv_next(&c, a, columns) : VAN_ENOMEM;
	size_t n = rc == 1 ? count_columns(columns) : 0;
	van_buf_append_str(to, "{\"name\":");
	json_put_text(to, name);
	van_buf_append_str(to, ",\n\"columns\":[");
	if (rc == 1)
		rc = put_columns(columns, n, to, e);
	van_buf_append_str(to, "],\n\"rows\":[");
	if (rc == 0 && n)
		rc = put_rows(&c, a, columns, n, to, e);
	van_buf_append_str(to, "\n]}\n");
	van_arena_free(a);
	if (rc == VAN_ENOMEM || to->error == VAN_ENOMEM)
		return no_memory(e);
	if (rc == VAN_ESYNTAX && e && !e->text[0])
		van_error_set(e, VAN_ESYNTAX, "row %u: a quote has no end, or the row has too many columns; mend it", c.line);
	return rc < 0 ? rc : to->error;
}

/* --- to CSV ------------------------------------------------------------------------------------------------------------------ */

void sheet_put_cell(struct van_buf *to, struct slice cell)
{
	struct slice trimmed = slice_trim(cell);
	bool quotes = trimmed.n != cell.n || (cell.n && (memchr(cell.p, ',', cell.n) || memchr(cell.p, '"', cell.n) ||
		memchr(cell.p, '\n', cell.n)));
	if (!quotes) {
		van_buf_append_slice(to, cell);
		return;
	}
	van_buf_append_char(to, '"');
	for (size_t i = 0; i < cell.n; i++) {
		if (cell.p[i] == '"')
			van_buf_append_char(to, '"');
		van_buf_append_char(to, cell.p[i]);
	}
	van_buf_append_char(to, '"');
}

static int bad(struct van_error *e, unsigned row, const char *what, struct slice value)
{
	return van_error_set(e, VAN_ESYNTAX, "rows[%u]: %s '%.*s'; see maps/README.md", row, what, SLICE_ARG(value));
}

static bool is_cell(const struct tree *t)
{
	return t->kind != TREE_OBJECT && t->kind != TREE_ARRAY;
}

static int put_csv_row(const struct tree *columns, const struct tree *row, unsigned number, struct van_buf *to, struct van_error *e)
{
	size_t cells = 0, members = 0;
	bool first = true;
	if (row->kind != TREE_OBJECT)
		return bad(e, number, "a row is an object, not", row->text);
	for (const struct tree *k = row->first; k; k = k->next, members++)
		if (!is_cell(k))
			return bad(e, number, "a cell is a text; mend", k->name);
	for (const struct tree *c = columns->first; c; c = c->next) {
		const struct tree *cell = c->text.n ? tree_find(row, c->text) : NULL;
		if (!first && members)
			van_buf_append_char(to, ',');
		first = false;
		if (cell)
			sheet_put_cell(to, cell->text);
		cells += cell != NULL;
	}
	if (cells != members) {
		for (const struct tree *k = row->first; k; k = k->next) {
			const struct tree *c = columns->first;
			while (c && !slice_eq(c->text, k->name))
				c = c->next;
			if (!c)
				return bad(e, number, "\"columns\" does not name", k->name);
		}
	}
	return van_buf_append_char(to, '\n');
}

static int put_csv(const struct tree *sheet, struct van_buf *to, struct van_error *e)
{
	const struct tree *columns = tree_find(sheet, SLICE("columns")), *rows = tree_find(sheet, SLICE("rows"));
	unsigned number = 0, n = 0;
	if (!columns || columns->kind != TREE_ARRAY || !columns->first || !rows || rows->kind != TREE_ARRAY)
		return van_error_set(e, VAN_ESYNTAX, "a sheet has \"columns\", an array of names, and \"rows\", an array of objects");
	for (const struct tree *c = columns->first; c; c = c->next, n++) {
		if (!is_cell(c) || n == CSV_MAX_FIELDS)
			return van_error_set(e, VAN_ESYNTAX, "\"columns\" is an array of at most %d names", CSV_MAX_FIELDS);
		van_buf_append_str(to, n ? "," : "");
		sheet_put_cell(to, c->text);
	}
	int rc = van_buf_append_char(to, '\n');
	for (const struct tree *r = rows->first; rc == 0 && r; r = r->next)
		rc = put_csv_row(columns, r, number++, to, e);
	return rc < 0 ? rc : to->error;
}

int sheet_from_json(struct van_arena *arena, struct slice json, struct slice *ret_name, struct van_buf *csv, struct van_error *e)
{
	struct tree_room room = {.arena = van_arena_new(SHEET_MEMORY), .left = VALUES_MAX};
	struct tree *sheet = NULL;
	int rc = room.arena ? tree_read(&room, json, &sheet, e) : VAN_ENOMEM;
	if (rc == 0 && (!sheet || sheet->kind != TREE_OBJECT))
		rc = van_error_set(e, VAN_ESYNTAX, "a sheet is an object with \"columns\" and \"rows\"");
	if (rc == 0)
		rc = put_csv(sheet, csv, e);
	const struct tree *name = rc == 0 ? tree_find(sheet, SLICE("name")) : NULL;
	*ret_name = name && is_cell(name) ? van_arena_slice(arena, name->text) : SLICE_NONE;
	van_arena_free(room.arena);
	return rc == VAN_ENOMEM ? no_memory(e) : rc;
}
