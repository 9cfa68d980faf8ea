#include "vanctl/table.h"

#include "base/error.h"
#include "map/csv.h"
#include "map/sheet_json.h"

#include <string.h>

enum { FROM, TO, PARTNER, DIRECTION, VALID_FROM, VALID_UNTIL, NOTE, NAMED };
static const char *const names[NAMED] = {"from", "to", "partner", "direction", "valid_from", "valid_until", "note"};

struct edit {
	struct van_buf *to;
	struct slice columns[CSV_MAX_FIELDS];
	size_t ncolumns;
	int at[NAMED]; /* which column; -1: not there */
};

static int add_column(struct edit *e, int k)
{
	if (e->at[k] >= 0)
		return 0;
	if (e->ncolumns == CSV_MAX_FIELDS)
		return VAN_ELIMIT;
	e->at[k] = (int)e->ncolumns;
	e->columns[e->ncolumns++] = slice_str(names[k]);
	return 0;
}

static void put_row(struct edit *e, const struct slice *f)
{
	for (size_t i = 0; i < e->ncolumns; i++) {
		if (i)
			van_buf_append_char(e->to, ',');
		sheet_put_cell(e->to, f[i]);
	}
	van_buf_append_char(e->to, '\n');
}

static int read_head(struct edit *e, const struct slice *f)
{
	for (size_t i = 0; i < CSV_MAX_FIELDS; i++)
		if (f[i].n)
			e->ncolumns = i + 1;
	memcpy(e->columns, f, sizeof e->columns);
	for (int k = 0; k < NAMED; k++) {
		e->at[k] = -1;
		for (size_t i = 0; i < e->ncolumns; i++)
			if (slice_case_is(f[i], names[k]))
				e->at[k] = (int)i;
	}
	return 0;
}

static int prepare_columns(struct edit *e, const struct table_change *k)
{
	const struct slice *cells[NAMED] = {[PARTNER] = &k->partner, [DIRECTION] = &k->direction, [VALID_FROM] = &k->valid_from,
					    [VALID_UNTIL] = &k->valid_until, [NOTE] = &k->note};
	int rc = add_column(e, FROM);
	if (rc == 0)
		rc = add_column(e, TO);
	for (int i = PARTNER; i < NAMED && rc == 0; i++)
		if (cells[i]->n)
			rc = add_column(e, i);
	return rc;
}

static struct slice cell(const struct edit *e, const struct slice *f, int k)
{
	return e->at[k] < 0 ? SLICE("") : f[e->at[k]];
}

static bool is_that(const struct edit *e, const struct slice *f, const struct table_change *k)
{
	return slice_eq(cell(e, f, FROM), k->from) && slice_eq(cell(e, f, PARTNER), k->partner) &&
	       slice_eq(cell(e, f, DIRECTION), k->direction) && slice_eq(cell(e, f, VALID_FROM), k->valid_from);
}

static void set_cells(const struct edit *e, const struct table_change *k, struct slice *f)
{
	const struct slice cells[NAMED] = {k->from, k->to, k->partner, k->direction, k->valid_from, k->valid_until, k->note};
	for (int i = 0; i < NAMED; i++)
		if (e->at[i] >= 0)
			f[e->at[i]] = cells[i];
}

int table_edit(struct van_arena *a, struct slice text, const struct table_change *k, struct van_buf *csv, bool *ret_found)
{
	struct edit e = {.to = csv};
	struct slice f[CSV_MAX_FIELDS] = {{0}};
	struct csv c;
	csv_begin(&c, text);
	int rc = csv_next(&c, a, f);
	if (rc < 0)
		return rc;
	bool any = rc == 1;
	read_head(&e, f);
	rc = prepare_columns(&e, k);
	if (rc < 0)
		return rc;
	put_row(&e, e.columns);
	*ret_found = false;
	while (any && (rc = csv_next(&c, a, f)) == 1) {
		bool that = is_that(&e, f, k);
		*ret_found = *ret_found || that;
		if (that && k->remove)
			continue;
		if (that)
			set_cells(&e, k, f);
		put_row(&e, f);
	}
	if (rc < 0)
		return rc;
	if (!*ret_found && !k->remove) {
		for (size_t i = 0; i < CSV_MAX_FIELDS; i++)
			f[i] = SLICE("");
		set_cells(&e, k, f);
		put_row(&e, f);
	}
	return csv->error;
}
