/* The maps that are in force: those of a folder, and in front of them versions that a store keeps. */
#ifndef OPENVAN_MAP_LIBRARY_H
#define OPENVAN_MAP_LIBRARY_H

#include "base/clock.h"
#include "map/map.h"

#include <stdint.h>

/* One thread at a time. Sheets are compiled when they are first asked for; one in error spoils nothing but itself. */
struct map_library;

#define MAP_VERSION_ACTIVE UINT64_MAX
#define MAP_VERSION_SHIPPED 0 /* of the folder */

struct map_sheet {
	struct slice name;  /* of the sheet, as a file's without .csv: "table-unit" is a table, "rules-order" business rules */
	uint64_t version;   /* from 1; MAP_VERSION_SHIPPED: of the folder */
	bool active;
	struct slice text;  /* CSV */
};

/* Reads the folder that map_set_open() names, and compiles it. Opens files: call it before rights are dropped. Errors as there. */
int map_library_open(const char *path, struct map_library **ret, struct van_error *e);
/* Where the maps look up loops and the order of segments; as map_set_dictionaries(). */
void map_library_dictionaries(struct map_library *l, struct edi_dictionary_set *dictionaries);
/* Most bytes of all tables, compiled (512 MiB unless told; asked when tables are next compiled), and map_set_remember() of every sheet. */
void map_library_bounds(struct map_library *l, size_t tables, size_t remember);
void map_library_free(struct map_library *l); /* NULL is fine */

/* Replaces everything that is not of the folder; texts are copied. Maps found before are gone. Of a name there is at most one
 * active sheet; where there is none the folder's is active. Rows of an active table stand before those of the folder's table of
 * the same name. 0, VAN_ENOMEM (nothing has changed). */
int map_library_set(struct map_library *l, const struct map_sheet *v, size_t n, struct van_error *e);

/* A map by its name, of the sheet that is active or of this version of it. *ret_sheet (may be NULL): which one it is of. 0;
 * VAN_ENOTFOUND (no such map or version); VAN_ESYNTAX (its sheet is in error: file, row and remedy); VAN_ENOMEM. */
int map_library_find(struct map_library *l, struct slice name, uint64_t version, const struct map **ret,
	const struct map_sheet **ret_sheet, struct van_error *e);
/* The only active map from this message type and version, as map_find_for(). VAN_ENOTFOUND also where there are several. */
int map_library_find_for(struct map_library *l, const char *standard, struct slice type, struct slice version, const struct map **ret,
	const struct map_sheet **ret_sheet, struct van_error *e);

/* A flat sheet (flat.h) by its name; with `document` ("order/1.0") and no name the only active one that writes it. As map_library_find(). */
struct flat_sheet;
int map_library_flat(struct map_library *l, struct slice name, struct slice document, uint64_t version, const struct flat_sheet **ret,
	const struct map_sheet **ret_sheet, struct van_error *e);

/* Business rules (rules.h) by the name of their active sheet, with or without "rules-". As map_library_find(). */
struct map_rules;
int map_library_rules(struct map_library *l, struct slice name, const struct map_rules **ret, const struct map_sheet **ret_sheet,
	struct van_error *e);
/* An expression_table_fn, with the library as its context: the value of a table, in its present scope, on the way in. */
int map_library_look_up(void *library, struct slice table, struct slice value, struct slice *ret, struct van_error *e);

/* Every sheet in the order of names, until fn returns something else than 0; that is returned. */
int map_library_each(const struct map_library *l, int (*fn)(void *arg, const struct map_sheet *s), void *arg);

/* Whose rows of tables count from now on (absent: only those for all), and on which day (0: rows hold whatever their days are). */
void map_library_scope(struct map_library *l, struct slice partner, van_time now);

/* Compiles a sheet with the tables of the library, without taking it in; *ret_set is the caller's and must be freed first. It is empty
 * for a table, and for rules. */
int map_library_compile(struct map_library *l, struct slice name, struct slice text, struct map_set **ret_set, struct van_error *e);

#endif
