/* A CSV file to canonical documents. */
#include "map/flat_private.h"

#include "base/utf8.h"
#include "map/csv.h"
#include "map/tree_each.h"

#include <stdio.h>
#include <stdlib.h>

struct reading {
	struct flat_run run;
	struct slice *fields;      /* of the row at hand */
	size_t field_count, width; /* of the row; of the first line */
	struct slice *titles;      /* of the file's columns */
	int32_t *at;               /* by the sheet's column: the file's, -1: it has none */
	bool *taken;               /* by the file's column: a row of the sheet names it */
	struct tree *documents, *document, *lines, *rows; /* rows: as objects, when an expression wants them */
	unsigned *head_line;       /* by the sheet's row: where its value was found */
	struct slice *head_value;
	struct slice key;
	bool computes;
	struct van_arena *own;     /* of what lasts longer than a document */
	flat_document_fn fn;       /* NULL: all are kept, in `documents` */
	void *ctx;
	size_t values;             /* with fn: of one document */
	struct van_buf key_text;   /* with fn: where `key` stands */
	struct tree_starts *starts; /* NULL: nobody asks */
	bool lenient, failed;      /* what is wrong with a document spoils it alone; rows of one that is are passed over */
};

static struct slice value_of(const struct reading *r, int32_t column)
{
	int32_t at = column < 0 ? -1 : r->at[column];
	return at >= 0 && (size_t)at < r->field_count ? r->fields[at] : SLICE("");
}

/* --- the first line ---------------------------------------------------------------------------------------------------- */

static int find_columns(struct reading *r)
{
	const struct flat_sheet *s = r->run.s;
	for (uint32_t i = 0; i < s->column_count; i++) {
		r->at[i] = -1;
		for (size_t k = 0; k < r->width && r->at[i] < 0; k++)
			if (slice_case_eq(r->titles[k], s->columns[i])) {
				r->at[i] = (int32_t)k;
				r->taken[k] = true;
			}
	}
	for (uint32_t i = 0; i < s->count; i++) {
		const struct flat_row *row = &s->rows[i];
		if (row->required && row->way & MAP_WAY_IN && row->column >= 0 && r->at[row->column] < 0 && !row->fallback.p)
			return flat_fail(&r->run, row, VAN_ESYNTAX, "the file's first line does not name it, and row %u of the sheet requires it; ask for it, "
				"or mend the sheet", row->line);
	}
	if (s->key >= 0 && r->at[s->key] < 0)
		return flat_fail(&r->run, NULL, VAN_ESYNTAX, "there is no column %.*s, which @document names", SLICE_ARG(s->columns[s->key]));
	return 0;
}

static int take_titles(struct reading *r)
{
	r->width = r->field_count;
	for (size_t i = 0; i < r->field_count; i++) {
		r->titles[i] = r->run.s->header ? van_arena_slice(r->own, slice_trim(r->fields[i])) : van_arena_printf(r->own, "%zu", i + 1);
		if (!r->titles[i].p)
			return flat_no_memory(&r->run);
		for (size_t k = 0; k < i && r->titles[i].n; k++)
			if (slice_case_eq(r->titles[k], r->titles[i]))
				return flat_fail(&r->run, NULL, VAN_ESYNTAX, "the first line names the column %.*s twice", SLICE_ARG(r->titles[i]));
	}
	return find_columns(r);
}

/* --- values into their places ------------------------------------------------------------------------------------------ */

/* The place below the object, made where it is missing; a list's first item, or a new one at its end. */
static struct tree *reach(struct reading *r, struct tree *object, struct slice place, enum tree_kind kind)
{
	struct tree_room *room = r->run.room;
	struct tree *at = object;
	while (place.p && at) {
		struct slice part = slice_cut(&place, '.');
		bool list = slice_ends(part, "[]"), last = !place.p;
		part.n -= list ? 2 : 0;
		at = tree_member(room, at, part, list ? TREE_ARRAY : last ? kind : TREE_OBJECT);
		if (at && list)
			at = last || !at->first ? tree_append(room, at, last ? kind : TREE_OBJECT) : at->first;
	}
	return at;
}

static const struct tree *look(const struct tree *object, struct slice place)
{
	const struct tree *at = object;
	while (place.p && at && at->kind == TREE_OBJECT) {
		struct slice part = slice_cut(&place, '.');
		bool list = slice_ends(part, "[]");
		part.n -= list ? 2 : 0;
		at = tree_find(at, part);
		if (at && list && place.p)
			at = at->first;
	}
	return place.p ? NULL : at;
}

static int put(struct reading *r, const struct flat_row *row, struct tree *object, struct slice v)
{
	bool many = slice_ends(row->place, "[]");
	if (!many && look(object, row->place))
		return 0; /* an earlier row has set it */
	struct tree *t = reach(r, object, row->place, flat_kind(row));
	if (!t)
		return r->run.room->error ? flat_no_memory(&r->run)
		                          : flat_fail(&r->run, row, VAN_EINVAL, "the target %.*s of row %u of the sheet is an object in one row and a value in another",
		                                      SLICE_ARG(row->target), row->line);
	t->text = v;
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct flat_condition *c = &row->conditions[i];
		if (!c->place.p || c->unequal || !c->values.n || look(object, c->place))
			continue;
		struct tree *other = reach(r, object, c->place, TREE_TEXT);
		if (other)
			other->text = c->values.v[0];
	}
	return r->run.room->error ? flat_no_memory(&r->run) : 0;
}

static bool holds(const struct reading *r, const struct flat_row *row)
{
	for (uint32_t i = 0; i < row->condition_count; i++) {
		const struct flat_condition *c = &row->conditions[i];
		struct slice v = value_of(r, c->column);
		bool found = !c->values.n && v.n;
		for (size_t k = 0; k < c->values.n && !found; k++)
			found = slice_eq(v, c->values.v[k]);
		if (!c->place.p && found == c->unequal)
			return false;
	}
	return true;
}

/* What the row finds in the file's row at hand; absent: nothing. */
static int find_value(struct reading *r, const struct flat_row *row, const struct tree *object, struct slice *v)
{
	*v = SLICE_NONE;
	if (!holds(r, row))
		return 0;
	if (row->computed)
		return flat_compute(&r->run, row, object, r->rows, v);
	if (row->literal.p)
		*v = row->literal;
	struct slice field = row->column >= 0 ? value_of(r, row->column) : SLICE("");
	if (!field.n)
		return 0;
	*v = field;
	return flat_value_in(&r->run, row, v);
}

static int required_is_missing(struct reading *r, const struct flat_row *row)
{
	return flat_fail(&r->run, row, VAN_ESYNTAX, "it is empty, and row %u of the sheet (%.*s) requires it; ask for it, or give the row a default",
		row->line, SLICE_ARG(row->target));
}

/* An earlier row has found a value: what this one would find is not asked, nor whether it is sound. */
static bool is_set(const struct flat_row *row, const struct tree *object)
{
	return !slice_ends(row->place, "[]") && look(object, row->place);
}

static bool is_head_set(const struct reading *r, uint32_t number)
{
	const struct flat_row *row = &r->run.s->rows[number];
	bool set = false;
	for (uint32_t i = 0; i < number && !set && !slice_ends(row->place, "[]"); i++)
		set = r->head_value[i].p && !r->run.s->rows[i].in_line && slice_eq(r->run.s->rows[i].place, row->place);
	return set;
}

static int read_line(struct reading *r, struct tree *item, const struct tree *object)
{
	const struct flat_sheet *s = r->run.s;
	int rc = 0;
	for (uint32_t i = 0; i < s->count && rc == 0; i++) {
		const struct flat_row *row = &s->rows[i];
		struct slice v;
		if (!row->in_line || !(row->way & MAP_WAY_IN) || is_set(row, item))
			continue;
		rc = find_value(r, row, object, &v);
		if (rc == 0 && !v.p && holds(r, row))
			v = row->fallback;
		if (rc == 0 && v.p)
			rc = put(r, row, item, v);
		else if (rc == 0 && row->required && !look(item, row->place))
			rc = required_is_missing(r, row);
	}
	return rc;
}

/* The head's columns say the same in all rows of a document, or nothing. */
static int read_head(struct reading *r, const struct tree *object)
{
	const struct flat_sheet *s = r->run.s;
	int rc = 0;
	for (uint32_t i = 0; i < s->count && rc == 0; i++) {
		const struct flat_row *row = &s->rows[i];
		struct slice v, *known = &r->head_value[i];
		if (row->in_line || !(row->way & MAP_WAY_IN) || (known->p && row->column < 0) || is_head_set(r, i))
			continue;
		rc = find_value(r, row, object, &v);
		if (rc < 0 || !v.p)
			continue;
		if (known->p && !slice_eq(*known, v))
			return flat_fail(&r->run, row, VAN_ESYNTAX, "'%.*s' stands here and '%.*s' in row %u, but it belongs to the whole document; mend the file, or "
				"name the column in @document that begins a new one", (int)(v.n < 50 ? v.n : 50), v.p, (int)(known->n < 50 ? known->n : 50), known->p,
				r->head_line[i]);
		if (known->p)
			continue;
		*known = v;
		r->head_line[i] = r->run.line;
	}
	return rc;
}

/* --- documents --------------------------------------------------------------------------------------------------------- */

static int end_document(struct reading *r)
{
	const struct flat_sheet *s = r->run.s;
	int rc = 0;
	for (uint32_t i = 0; i < s->count && rc == 0 && r->document; i++) {
		const struct flat_row *row = &s->rows[i];
		struct slice v = r->head_value[i].p ? r->head_value[i] : row->fallback;
		if (row->in_line || !(row->way & MAP_WAY_IN))
			continue;
		if (v.p)
			rc = put(r, row, r->document, v);
		else if (row->required && !look(r->document, row->place))
			rc = required_is_missing(r, row);
	}
	/* lines and what is left over stand behind the head */
	struct tree *behind[] = {r->lines, r->document ? tree_find(r->document, SLICE("_unmapped")) : NULL};
	for (int i = 0; i < 2 && rc == 0; i++) {
		if (!behind[i] || !r->document)
			continue;
		struct tree **link = &r->document->first;
		while (*link && *link != behind[i])
			link = &(*link)->next;
		if (!*link || !behind[i]->next)
			continue; /* below another member, or the last already */
		*link = behind[i]->next;
		behind[i]->next = NULL;
		*r->document->tail = behind[i];
		r->document->tail = &behind[i]->next;
	}
	return rc;
}

static int begin_document(struct reading *r)
{
	struct tree_room *room = r->run.room;
	int rc = end_document(r);
	if (rc < 0)
		return rc;
	r->document = r->documents ? tree_append(room, r->documents, TREE_OBJECT) : tree_new(room, TREE_OBJECT);
	struct tree *kind = r->document ? tree_member(room, r->document, SLICE("_document"), TREE_TEXT) : NULL;
	if (kind)
		kind->text = r->run.s->document;
	r->lines = NULL;
	if (kind && r->run.s->loop.n) { /* the list itself: all but the last [] */
		struct slice place = r->run.s->loop, parent = place;
		while (parent.n && parent.p[parent.n - 1] != '.')
			parent.n--;
		struct slice name = slice_make(place.p + parent.n, place.n - parent.n - 2);
		struct tree *holder = parent.n ? reach(r, r->document, slice_make(parent.p, parent.n - 1), TREE_OBJECT) : r->document;
		r->lines = holder ? tree_member(room, holder, name, TREE_ARRAY) : NULL;
	}
	if (kind)
		tree_member(room, r->document, SLICE("_unmapped"), TREE_ARRAY);
	r->rows = r->computes ? tree_new(room, TREE_ARRAY) : NULL;
	memset(r->head_value, 0, (r->run.s->count + 1) * sizeof *r->head_value);
	return room->error || tree_starts_add(room->arena, r->starts, r->run.line) < 0 ? flat_no_memory(&r->run) : 0;
}

/* The row as an object, for expressions. */
static struct tree *row_object(struct reading *r)
{
	struct tree *object = tree_append(r->run.room, r->rows, TREE_OBJECT);
	for (size_t i = 0; i < r->field_count && i < r->width && object; i++) {
		struct tree *t = r->fields[i].n && r->titles[i].n ? tree_member(r->run.room, object, r->titles[i], TREE_TEXT) : NULL;
		if (t)
			t->text = r->fields[i];
	}
	return object;
}

static int list_unmapped(struct reading *r)
{
	struct tree_room *room = r->run.room;
	struct tree *list = tree_find(r->document, SLICE("_unmapped"));
	for (size_t i = 0; i < r->field_count && list; i++) {
		if (!r->fields[i].n || (i < r->width && r->taken[i]))
			continue;
		struct tree *one = tree_append(room, list, TREE_OBJECT);
		const struct {
			const char *name;
			enum tree_kind kind;
			struct slice text;
		} members[] = {{"segment", TREE_TEXT, i < r->width && r->titles[i].n ? r->titles[i] : SLICE("?")},
			{"position", TREE_NUMBER, van_arena_printf(room->arena, "%u", r->run.line)},
			{"element", TREE_NUMBER, van_arena_printf(room->arena, "%zu", i + 1)}, {"value", TREE_TEXT, r->fields[i]}};
		for (size_t k = 0; k < 4 && one; k++) {
			struct tree *t = tree_member(room, one, slice_str(members[k].name), members[k].kind);
			if (t)
				t->text = members[k].text;
		}
	}
	return room->error ? flat_no_memory(&r->run) : 0;
}

/* For whom it is stays known where its rows so far, or with `row` the one at hand, say so: it goes to quarantine under its own terms. */
static void keep_envelope(struct reading *r, bool row)
{
	const struct flat_sheet *s = r->run.s;
	for (uint32_t i = 0; i < s->count; i++) {
		struct slice v = r->head_value[i];
		if (s->rows[i].in_line || !(s->rows[i].way & MAP_WAY_IN) || !slice_starts(s->rows[i].place, "_envelope."))
			continue;
		if (row && !v.p && !s->rows[i].computed && find_value(r, &s->rows[i], NULL, &v) < 0)
			v = SLICE_NONE;
		if (v.p)
			put(r, &s->rows[i], r->document, v);
	}
}

/* A document that can't be read stands among the others with what is wrong, where the caller wants that and a column tells documents apart.
 * `row`: the one at hand is its own. */
static int settle(struct reading *r, int rc, bool row)
{
	struct tree_room *room = r->run.room;
	if (rc != VAN_ESYNTAX || !r->lenient || r->run.s->key < 0 || !r->document)
		return rc;
	char said[sizeof r->run.e->text];
	memcpy(said, r->run.e->text, sizeof said);
	keep_envelope(r, row);
	struct tree *id = tree_find(r->document, SLICE("ID")) ? NULL : tree_member(room, r->document, SLICE("ID"), TREE_TEXT);
	struct tree *why = tree_member(room, r->document, SLICE("_error"), TREE_TEXT);
	if (id)
		id->text = r->key;
	if (why)
		why->text = van_arena_slice(room->arena, slice_str(said));
	*r->run.e = (struct van_error){0};
	r->document = r->lines = NULL;
	r->failed = true;
	return why && why->text.p ? 0 : flat_no_memory(&r->run);
}

/* A document is whole: with fn it is gone behind this. */
static int give(struct reading *r)
{
	struct tree_room *room = r->run.room;
	struct tree *document = r->document;
	if (!r->fn || !document)
		return 0;
	int rc = r->fn(r->ctx, document);
	van_arena_reset(room->arena);
	*room = (struct tree_room){.arena = room->arena, .left = r->values};
	return rc;
}

/* Behind give(), which empties the room. */
static int keep_fields(struct reading *r, struct slice key)
{
	if (key.n && r->fn && !slice_eq(key, r->key)) {
		van_buf_reset(&r->key_text);
		van_buf_append_slice(&r->key_text, key);
		key = van_buf_slice(&r->key_text);
	}
	if (key.n && !slice_eq(key, r->key))
		r->key = key;
	for (size_t i = 0; i < r->field_count && r->fn; i++) {
		r->fields[i] = van_arena_slice(r->run.room->arena, r->fields[i]);
		if (!r->fields[i].p)
			return flat_no_memory(&r->run);
	}
	return van_buf_error(&r->key_text) ? flat_no_memory(&r->run) : 0;
}

static int read_row(struct reading *r)
{
	const struct flat_sheet *s = r->run.s;
	struct slice key = value_of(r, s->key);
	int rc = 0;
	if ((!r->document && !r->failed) || (key.n && !slice_eq(key, r->key))) {
		rc = settle(r, end_document(r), false);
		rc = rc < 0 ? rc : give(r);
		r->document = NULL;
		r->failed = false;
		rc = rc < 0 ? rc : begin_document(r);
	}
	rc = rc < 0 ? rc : keep_fields(r, key);
	if (rc == 0 && r->failed)
		return 0;
	struct tree *object = rc == 0 && r->rows ? row_object(r) : NULL;
	rc = rc < 0 ? rc : read_head(r, object);
	struct tree *item = rc == 0 && r->lines ? tree_append(r->run.room, r->lines, TREE_OBJECT) : NULL;
	if (rc == 0 && r->run.room->error)
		return flat_no_memory(&r->run);
	rc = rc < 0 || !item ? rc : read_line(r, item, object);
	return rc < 0 ? rc : list_unmapped(r);
}

/* --- files ------------------------------------------------------------------------------------------------------------- */

static void begin_text(struct reading *r, struct csv *csv, struct slice text)
{
	csv_begin(csv, text);
	csv->delimiter = r->run.s->delimiter;
	csv->quote = r->run.s->quote;
}

static int take_record(struct reading *r, bool first)
{
	int rc = first ? take_titles(r) : 0;
	return rc == 0 && !(first && r->run.s->header) ? settle(r, read_row(r), true) : rc;
}

/* Behind the last record, of which csv_read said `rc`. */
static int end_file(struct reading *r, const struct csv *csv, int rc)
{
	r->run.line = csv->line ? csv->line : 1;
	if (rc == VAN_ENOMEM)
		return flat_no_memory(&r->run);
	if (rc < 0)
		return flat_fail(&r->run, NULL, VAN_ESYNTAX, "a quote (%c) has no end, a field is longer than %zu bytes, or there are more than %d columns",
			r->run.s->quote, CSV_MAX_FIELD, FLAT_MAX_COLUMNS);
	if (!r->document && !r->failed)
		return flat_fail(&r->run, NULL, VAN_ESYNTAX, "the file has no rows below its first line");
	rc = settle(r, end_document(r), false);
	return rc < 0 ? rc : give(r);
}

static int read_rows(struct reading *r, struct slice text)
{
	struct csv csv;
	int rc;
	bool first = true;
	begin_text(r, &csv, text);
	while ((rc = csv_read(&csv, r->run.room->arena, r->fields, FLAT_MAX_COLUMNS, &r->field_count)) == 1) {
		r->run.line = csv.line;
		int bad = take_record(r, first);
		if (bad < 0)
			return bad;
		first = false;
	}
	return end_file(r, &csv, rc);
}

static int check_utf8(struct flat_run *r, struct slice text)
{
	for (size_t i = 0, n; i < text.n; i += n) {
		r->line += text.p[i] == '\n';
		if (!(n = van_utf8_length(slice_make(text.p + i, text.n - i))))
			return flat_fail(r, NULL, VAN_ESYNTAX, "the file is not UTF-8 here; ask for UTF-8, or say what it is: @encoding,ISO-8859-1");
	}
	return 0;
}

/* To UTF-8. */
static int decode(struct flat_run *r, struct slice text, struct van_buf *utf8, struct slice *ret)
{
	*ret = text;
	if (r->s->charset == EDI_CHARSET_NONE)
		return check_utf8(r, text);
	utf8->max = 2 * text.n + 16;
	if (edi_charset_to_utf8(r->s->charset, text, utf8) < 0)
		return flat_no_memory(r);
	*ret = van_buf_slice(utf8);
	return 0;
}

/* What lasts as long as the file; false: no memory. */
static bool make_tables(struct reading *r)
{
	const struct flat_sheet *s = r->run.s;
	r->fields = van_arena_array(r->own, FLAT_MAX_COLUMNS, sizeof *r->fields);
	r->titles = van_arena_array(r->own, FLAT_MAX_COLUMNS, sizeof *r->titles);
	r->taken = van_arena_array(r->own, FLAT_MAX_COLUMNS, sizeof *r->taken);
	r->at = van_arena_array(r->own, s->column_count + 1, sizeof *r->at);
	r->head_line = van_arena_array(r->own, s->count + 1, sizeof *r->head_line);
	r->head_value = van_arena_array(r->own, s->count + 1, sizeof *r->head_value);
	for (uint32_t i = 0; i < s->count; i++)
		r->computes = r->computes || (s->rows[i].computed && s->rows[i].way & MAP_WAY_IN);
	return r->fields && r->titles && r->taken && r->at && r->head_line && r->head_value;
}

static int only_writes(struct flat_run *r)
{
	return r->s->ways & MAP_WAY_IN ? 0 : flat_fail(r, NULL, VAN_EINVAL, "the sheet only writes files (<-)");
}

static int read_file(const struct flat_sheet *s, struct tree_room *room, struct slice text, size_t max_bytes, bool lenient, struct tree **ret,
	struct tree_starts *starts, struct van_error *e)
{
	struct reading r = {.run = {.s = s, .room = room, .e = e, .line = 1}, .own = room->arena, .lenient = lenient, .starts = starts};
	struct van_buf utf8 = {0};
	int rc = only_writes(&r.run);
	if (rc < 0)
		return rc;
	if (text.n > (max_bytes ? max_bytes : FLAT_MAX_BYTES))
		return flat_fail(&r.run, NULL, VAN_ELIMIT, "the file is larger than %zu bytes", max_bytes ? max_bytes : FLAT_MAX_BYTES);
	r.documents = tree_new(room, TREE_ARRAY);
	if (!make_tables(&r) || !r.documents)
		return flat_no_memory(&r.run);
	struct slice plain;
	rc = decode(&r.run, text, &utf8, &plain);
	rc = rc < 0 ? rc : read_rows(&r, plain);
	van_buf_free(&utf8);
	if (rc == 0)
		*ret = r.documents;
	return rc;
}

int flat_read(const struct flat_sheet *s, struct tree_room *room, struct slice text, size_t max_bytes, struct tree **ret, struct van_error *e)
{
	return read_file(s, room, text, max_bytes, false, ret, NULL, e);
}

int flat_read_each(const struct flat_sheet *s, struct tree_room *room, struct slice text, size_t max_bytes, struct tree **ret, struct tree_starts *starts,
	struct van_error *e)
{
	return read_file(s, room, text, max_bytes, true, ret, starts, e);
}

/* --- files that are fed ------------------------------------------------------------------------------------------------- */

#define RECORD_MAX ((CSV_MAX_FIELD + 3) * FLAT_MAX_COLUMNS) /* bytes of a record that is read at all */
#define CHUNK_MAX ((size_t)1 << 20)                         /* what is taken at a time */
#define OWN_MAX ((size_t)32 << 20)

struct flat_reader {
	struct reading r;
	struct tree_room room;
	struct csv csv;
	struct van_arena *row; /* of the fields of a record, until its document is known */
	struct van_buf text;   /* UTF-8 that was not read yet */
	bool begun, any;       /* there was a byte, a record */
};

struct flat_reader *flat_reader_new(const struct flat_sheet *s, size_t memory, size_t values, flat_document_fn fn, void *ctx)
{
	struct flat_reader *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->room = (struct tree_room){.arena = van_arena_new(memory), .left = values};
	f->row = van_arena_new(2 * RECORD_MAX);
	f->text = VAN_BUF_INIT(2 * RECORD_MAX + 4 * CHUNK_MAX);
	f->r = (struct reading){.run = {.s = s, .room = &f->room, .line = 1}, .own = van_arena_new(OWN_MAX), .fn = fn, .ctx = ctx, .values = values,
		.key_text = VAN_BUF_INIT(CSV_MAX_FIELD + 1)};
	if (f->room.arena && f->row && f->r.own && make_tables(&f->r))
		return f;
	flat_reader_free(f);
	return NULL;
}

void flat_reader_free(struct flat_reader *f)
{
	if (!f)
		return;
	van_arena_free(f->room.arena);
	van_arena_free(f->row);
	van_arena_free(f->r.own);
	van_buf_free(&f->text);
	van_buf_free(&f->r.key_text);
	free(f);
}

static int append(struct flat_reader *f, struct slice chunk)
{
	struct flat_run *run = &f->r.run;
	if (run->s->charset == EDI_CHARSET_NONE)
		van_buf_append_slice(&f->text, chunk);
	else
		edi_charset_to_utf8(run->s->charset, chunk, &f->text);
	if (van_buf_error(&f->text) == VAN_ENOMEM)
		return flat_no_memory(run);
	run->line = f->csv.next_line;
	return van_buf_error(&f->text) ? end_file(&f->r, &f->csv, VAN_ESYNTAX) : 0;
}

/* The records that are whole. */
static int read_whole(struct flat_reader *f, bool last)
{
	struct reading *r = &f->r;
	int rc = 1;
	while (rc == 1 && (last || csv_is_whole(&f->csv))) {
		struct slice before = f->csv.rest;
		van_arena_reset(f->row);
		r->run.line = f->csv.next_line;
		rc = csv_read(&f->csv, f->row, r->fields, FLAT_MAX_COLUMNS, &r->field_count);
		if (rc != 1)
			break;
		int bad = r->run.s->charset == EDI_CHARSET_NONE ? check_utf8(&r->run, slice_make(before.p, before.n - f->csv.rest.n)) : 0;
		r->run.line = f->csv.line;
		bad = bad < 0 ? bad : take_record(r, !f->any);
		if (bad < 0)
			return bad;
		f->any = true;
	}
	return last || rc < 0 ? end_file(r, &f->csv, rc < 0 ? rc : 0) : 0;
}

static int feed_some(struct flat_reader *f, struct slice chunk, bool last)
{
	int rc = append(f, chunk);
	if (rc < 0)
		return rc;
	/* a mark at the beginning is of three bytes: only then can it be told */
	if (!f->begun && (last || f->text.n >= 3)) {
		begin_text(&f->r, &f->csv, van_buf_slice(&f->text));
		f->begun = true;
	} else if (f->begun) {
		f->csv.rest = van_buf_slice(&f->text);
	}
	if (!f->begun)
		return 0;
	rc = read_whole(f, last);
	van_buf_consume(&f->text, f->text.n - f->csv.rest.n);
	return rc;
}

int flat_reader_feed(struct flat_reader *f, struct slice chunk, bool last, struct van_error *e)
{
	struct van_error own = {0};
	f->r.run.e = e ? e : &own;
	int rc = only_writes(&f->r.run);
	while (rc == 0 && chunk.n > CHUNK_MAX) {
		rc = feed_some(f, slice_make(chunk.p, CHUNK_MAX), false);
		chunk = slice_make(chunk.p + CHUNK_MAX, chunk.n - CHUNK_MAX);
	}
	return rc < 0 ? rc : feed_some(f, chunk, last);
}
