/* The seam between flat_sheet.c (sheets), flat_value.c (what a row does to a value), flat_read.c and flat_write.c. */
#ifndef OPENVAN_MAP_FLAT_PRIVATE_H
#define OPENVAN_MAP_FLAT_PRIVATE_H

#include "map/expression.h"
#include "map/flat.h"
#include "map/rows.h"

#include "edi/charset.h"

enum flat_transform { FLAT_DATE, FLAT_TIME, FLAT_DECIMAL, FLAT_NUMBER, FLAT_BOOL, FLAT_UPPER, FLAT_LOWER, FLAT_CUT };

/* COLUMN=A|B, or /PLACE=A */
struct flat_condition {
	int32_t column;           /* -1: a place */
	struct slice place;
	bool unequal;
	struct slice_list values; /* none: it must be there */
};

struct flat_row {
	unsigned line;
	unsigned way;             /* MAP_WAY_IN | MAP_WAY_OUT */
	bool in_line;             /* below the loop; `place` is then below its object */
	struct slice target, place;
	int32_t column;           /* -1: none */
	struct slice literal;     /* source 'text'; or target 'text' */
	const struct expression *computed; /* source or target */
	struct flat_condition conditions[MAP_MAX_CONDITIONS];
	uint32_t condition_count;
	struct {
		enum flat_transform kind;
		uint32_t argument;
	} transforms[MAP_MAX_TRANSFORMS];
	uint32_t transform_count;
	struct slice table_name;
	const struct map_table *table;
	enum { FLAT_MISS_FAIL, FLAT_MISS_PASS, FLAT_MISS_DEFAULT } miss;
	struct slice fallback;
	bool required;
};

struct flat_sheet {
	struct flat_sheet *next;
	const struct map_set *set;
	struct slice name, document;
	unsigned ways;
	struct slice loop;        /* "OrderLine[]" */
	struct flat_row *rows;
	uint32_t count, room;
	struct slice *columns;    /* in the order in which rows name them */
	uint32_t column_count;
	/* options */
	char delimiter, quote, decimal, thousands; /* thousands 0: none */
	enum edi_charset charset; /* EDI_CHARSET_NONE: UTF-8 */
	struct slice date;        /* "DD.MM.CCYY" */
	int32_t key;              /* column whose change begins a new document; -1: one document in a file */
	bool repeat, header;
};

/* One file being read or written. */
struct flat_run {
	const struct flat_sheet *s;
	struct tree_room *room;
	struct van_error *e;
	unsigned line; /* of the file */
};

/* "csv-order: row 7, column Qty: …; …" */
int flat_fail(struct flat_run *r, const struct flat_row *row, enum van_err code, const char *format, ...) __attribute__((format(printf, 4, 5)));
int flat_no_memory(struct flat_run *r);
/* Transforms and table. 0 or negative with the error told; *value absent: a table's miss with "default". */
int flat_value_in(struct flat_run *r, const struct flat_row *row, struct slice *value);
int flat_value_out(struct flat_run *r, const struct flat_row *row, struct slice *value);
/* Evaluates over `input`; *ret absent: nothing. */
int flat_compute(struct flat_run *r, const struct flat_row *row, const struct tree *input, const struct tree *more, struct slice *ret);
enum tree_kind flat_kind(const struct flat_row *row);

#endif
