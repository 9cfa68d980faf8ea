/* Canonical documents as a CSV file. */
#include "map/flat_private.h"

#include <stdlib.h>

struct writing {
	struct flat_run run;
	struct van_buf *to;
	struct slice *cells;           /* of the row at hand, by column */
	struct slice *head;            /* of the document */
	const struct tree *document;
	const struct tree **used;      /* values that a row took, sorted at the end */
	size_t used_count, used_room;
	flat_remark_fn fn;
	void *ctx;
	struct van_buf place;
};

/* --- values of the document -------------------------------------------------------------------------------------------- */

/* The first value at the place; of a list its first item. */
static const struct tree *look(const struct tree *object, struct slice place)
{
	const struct tree *at = object;
	while (place.p && at && at->kind == TREE_OBJECT) {
		struct slice part = slice_cut(&place, '.');
		part.n -= slice_ends(part, "[]") ? 2 : 0;
		at = tree_find(at, part);
		if (at && at->kind == TREE_ARRAY)
			at = at->first;
	}
	return place.p ? NULL : at;
}

static bool is_value(const struct tree *t)
{
	return t && t->kind != TREE_OBJECT && t->kind != TREE_ARRAY;
}

static int use(struct writing *w, const struct tree *t)
{
	if (!w->fn)
		return 0;
	if (w->used_count == w->used_room) {
		size_t room = w->used_room ? 2 * w->used_room : 256;
		const struct tree **more = van_arena_array(w->run.room->arena, room, sizeof *more);
		if (!more)
			return flat_no_memory(&w->run);
		if (w->used_count)
			memcpy(more, w->used, w->used_count * sizeof *more);
		w->used = more;
		w->used_room = room;
	}
	w->used[w->used_count++] = t;
	return 0;
}

/* Does the document say what the row's places ask for? Marks them. */
static bool places_hold(struct writing *w, const struct flat_row *row, const struct tree *object)
{
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct flat_condition *c = &row->conditions[i];
		const struct tree *t = c->place.p ? look(object, c->place) : NULL;
		struct slice v = is_value(t) ? t->text : SLICE("");
		bool found = !c->values.n && v.n;
		for (size_t k = 0; k < c->values.n && !found; k++)
			found = slice_eq(v, c->values.v[k]);
		if (c->place.p && found == c->unequal)
			return false;
		if (c->place.p && found)
			use(w, t);
	}
	return true;
}

static int find_value(struct writing *w, const struct flat_row *row, const struct tree *object, struct slice *v)
{
	*v = SLICE_NONE;
	if (!places_hold(w, row, object))
		return 0;
	if (row->computed && !row->place.p)
		return flat_compute(&w->run, row, object, w->document, v);
	if (!row->place.p) {
		*v = row->literal;
		return 0;
	}
	const struct tree *t = look(object, row->place);
	if (!is_value(t) || !t->text.n)
		return 0;
	*v = t->text;
	int rc = use(w, t);
	return rc < 0 ? rc : flat_value_out(&w->run, row, v);
}

/* Columns that a row's when asks for by value are written with the first. */
static void put_conditions(const struct flat_row *row, struct slice *cells)
{
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct flat_condition *c = &row->conditions[i];
		if (c->column >= 0 && !c->unequal && c->values.n && !cells[c->column].p)
			cells[c->column] = c->values.v[0];
	}
}

/* The first row that has a value for a column fills it. What another row would put there is taken too when it is the same. */
static int fill(struct writing *w, bool line, const struct tree *object, struct slice *cells)
{
	const struct flat_sheet *s = w->run.s;
	int rc = 0;
	for (uint32_t i = 0; i < s->count && rc == 0; i++) {
		const struct flat_row *row = &s->rows[i];
		struct slice v;
		size_t used = w->used_count;
		if (row->in_line != line || !(row->way & MAP_WAY_OUT) || row->column < 0)
			continue;
		rc = find_value(w, row, object, &v);
		if (rc == 0 && cells[row->column].p) {
			if (!v.p || !slice_eq(v, cells[row->column]))
				w->used_count = used;
		} else if (rc == 0 && v.p) {
			cells[row->column] = v;
			put_conditions(row, cells);
		} else if (rc == 0 && row->required && !row->fallback.p) {
			rc = flat_fail(&w->run, row, VAN_ESYNTAX, "the document has no %.*s, and row %u of the sheet requires it; complete the document, or give "
				"the row a default", SLICE_ARG(row->target), row->line);
		}
	}
	return rc;
}

/* --- the file ---------------------------------------------------------------------------------------------------------- */

static int put_field(struct writing *w, struct slice v, int32_t column)
{
	const struct flat_sheet *s = w->run.s;
	bool quotes = false;
	size_t lost = 0, begin = w->to->n;
	for (size_t i = 0; i < v.n && !quotes; i++)
		quotes = v.p[i] == s->delimiter || v.p[i] == s->quote || v.p[i] == '\r' || v.p[i] == '\n';
	quotes = quotes || (v.n && slice_trim(v).n != v.n);
	if (quotes)
		van_buf_append_char(w->to, s->quote);
	if (s->charset == EDI_CHARSET_NONE && !memchr(v.p ? v.p : "", s->quote, v.n)) {
		van_buf_append_slice(w->to, v);
	} else {
		struct van_buf doubled = VAN_BUF_INIT(2 * v.n + 16);
		for (size_t i = 0; i < v.n; i++) {
			if (v.p[i] == s->quote)
				van_buf_append_char(&doubled, s->quote);
			van_buf_append_char(&doubled, v.p[i]);
		}
		if (s->charset == EDI_CHARSET_NONE)
			van_buf_append_slice(w->to, van_buf_slice(&doubled));
		else
			edi_charset_from_utf8(s->charset, van_buf_slice(&doubled), w->to, &lost);
		van_buf_free(&doubled);
	}
	if (quotes)
		van_buf_append_char(w->to, s->quote);
	if (!lost)
		return 0;
	w->to->n = begin;
	return van_error_set(w->run.e, VAN_EINVAL, "map %.*s: row %u, column %.*s: '%.*s' has a character that %s has not; change @encoding in the sheet, or "
		"the value", SLICE_ARG(s->name), w->run.line, SLICE_ARG(s->columns[column]), (int)(v.n < 60 ? v.n : 60), v.p, edi_charset_encoding(s->charset));
}

static int put_row(struct writing *w, const struct slice *cells)
{
	const struct flat_sheet *s = w->run.s;
	int rc = 0;
	for (uint32_t i = 0; i < s->column_count && rc == 0; i++) {
		if (i)
			van_buf_append_char(w->to, s->delimiter);
		rc = put_field(w, cells[i].p ? cells[i] : SLICE(""), (int32_t)i);
	}
	van_buf_append_str(w->to, "\r\n");
	w->run.line++;
	return rc < 0 ? rc : van_buf_error(w->to) ? flat_fail(&w->run, NULL, VAN_ELIMIT, "the file becomes larger than it may") : 0;
}

/* Columns that no row of either kind filled get their defaults. */
static void put_defaults(const struct flat_sheet *s, struct slice *cells)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct flat_row *row = &s->rows[i];
		if (row->way & MAP_WAY_OUT && row->column >= 0 && !cells[row->column].p && row->fallback.p && row->required)
			cells[row->column] = row->fallback;
	}
}

static int write_line(struct writing *w, const struct tree *item, bool first)
{
	const struct flat_sheet *s = w->run.s;
	for (uint32_t i = 0; i < s->column_count; i++)
		w->cells[i] = first || s->repeat || (int32_t)i == s->key ? w->head[i] : SLICE_NONE;
	int rc = item ? fill(w, true, item, w->cells) : 0;
	if (rc < 0)
		return rc;
	put_defaults(s, w->cells);
	return put_row(w, w->cells);
}

static const struct tree *lines_of(const struct flat_sheet *s, const struct tree *document)
{
	const struct tree *at = document;
	struct slice place = s->loop;
	while (place.n && at && at->kind == TREE_OBJECT) {
		struct slice part = slice_cut(&place, '.');
		bool list = slice_ends(part, "[]");
		part.n -= list ? 2 : 0;
		at = tree_find(at, part);
		if (at && at->kind == TREE_ARRAY && place.p)
			at = at->first;
	}
	return at && at->kind == TREE_ARRAY ? at->first : NULL;
}

/* --- what no row took -------------------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct tree *x = *(const struct tree *const *)a, *y = *(const struct tree *const *)b;
	return x < y ? -1 : x > y;
}

static void remark_rest(struct writing *w, const struct tree *t)
{
	size_t n = w->place.n, index = 0;
	for (const struct tree *c = t->first; c; c = c->next, index++) {
		w->place.n = n;
		if (t->kind == TREE_ARRAY)
			van_buf_printf(&w->place, "[%zu]", index);
		else
			van_buf_printf(&w->place, "%s%.*s", n ? "." : "", SLICE_ARG(c->name));
		if (!n && slice_starts(c->name, "_"))
			continue;
		if (c->kind == TREE_OBJECT || c->kind == TREE_ARRAY)
			remark_rest(w, c); /* as deep as a document may be read */
		else if (!w->used_count || !bsearch(&c, w->used, w->used_count, sizeof *w->used, by_address))
			w->fn(w->ctx, van_buf_slice(&w->place));
	}
	w->place.n = n;
}

/* --- documents --------------------------------------------------------------------------------------------------------- */

static int write_document(struct writing *w, const struct tree *document)
{
	const struct flat_sheet *s = w->run.s;
	const struct tree *kind = document->kind == TREE_OBJECT ? tree_find(document, SLICE("_document")) : NULL;
	if (!kind || !slice_eq(kind->text, s->document))
		return flat_fail(&w->run, NULL, VAN_ESYNTAX, "the document is no %.*s (its _document is '%.*s')", SLICE_ARG(s->document), kind ? (int)kind->text.n : 0,
			kind ? kind->text.p : "");
	w->document = document;
	w->used_count = 0;
	memset(w->head, 0, (s->column_count + 1) * sizeof *w->head);
	int rc = fill(w, false, document, w->head);
	const struct tree *item = lines_of(s, document);
	bool first = true;
	do {
		rc = rc < 0 ? rc : write_line(w, item, first);
		first = false;
		item = item ? item->next : NULL;
	} while (rc == 0 && item);
	if (rc == 0 && w->fn) {
		if (w->used_count)
			qsort(w->used, w->used_count, sizeof *w->used, by_address);
		remark_rest(w, document);
	}
	return rc;
}

/* --- files ------------------------------------------------------------------------------------------------------------- */

struct flat_writer {
	struct writing w;
	bool begun;
};

struct flat_writer *flat_writer_new(const struct flat_sheet *s, flat_remark_fn fn, void *ctx)
{
	struct flat_writer *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->w = (struct writing){.run = {.s = s, .line = 1}, .fn = fn, .ctx = ctx, .place = VAN_BUF_INIT((size_t)1 << 16)};
	f->w.cells = calloc(s->column_count + 1, sizeof *f->w.cells);
	f->w.head = calloc(s->column_count + 1, sizeof *f->w.head);
	if (f->w.cells && f->w.head)
		return f;
	flat_writer_free(f);
	return NULL;
}

void flat_writer_free(struct flat_writer *f)
{
	if (!f)
		return;
	van_buf_free(&f->w.place);
	free(f->w.cells);
	free(f->w.head);
	free(f);
}

static int begin(struct flat_writer *f, struct tree_room *room, struct van_buf *to, struct van_error *e)
{
	struct writing *w = &f->w;
	w->run.room = room;
	w->run.e = e;
	w->to = to;
	w->used = NULL; /* it was of the room that was */
	w->used_count = w->used_room = 0;
	if (f->begun)
		return 0;
	f->begun = true;
	if (!(w->run.s->ways & MAP_WAY_OUT))
		return flat_fail(&w->run, NULL, VAN_EINVAL, "the sheet only reads files (->)");
	return w->run.s->header ? put_row(w, w->run.s->columns) : 0;
}

int flat_writer_document(struct flat_writer *f, struct tree_room *room, const struct tree *document, struct van_buf *to, struct van_error *e)
{
	int rc = begin(f, room, to, e);
	return rc < 0 ? rc : write_document(&f->w, document);
}

int flat_write(const struct flat_sheet *s, struct tree_room *room, const struct tree *documents, struct van_buf *to, flat_remark_fn fn,
	void *ctx, struct van_error *e)
{
	struct flat_writer *f = flat_writer_new(s, fn, ctx);
	int rc = f ? begin(f, room, to, e) : VAN_ENOMEM;
	if (rc == 0 && documents->kind != TREE_ARRAY)
		rc = write_document(&f->w, documents);
	for (const struct tree *d = documents->kind == TREE_ARRAY ? documents->first : NULL; d && rc == 0; d = d->next)
		rc = write_document(&f->w, d);
	flat_writer_free(f);
	return rc;
}
