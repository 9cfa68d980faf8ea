/* vanctl map …: sheets in files, shipped ones, and those of the store. */
#ifndef OPENVAN_VANCTL_MAP_H
#define OPENVAN_VANCTL_MAP_H

#include "edi/dictionary.h"
#include "map/library.h"
#include "vanctl/ctl.h"

#include <stdint.h>

extern const struct ctl_command commands_map[];

struct map_case {
	struct slice name, input, expected; /* expected absent: there is none */
};

/* A sheet, wherever it is. Ends with map_source_free(). */
struct map_source {
	struct van_arena *arena;
	const char *file;   /* its path; NULL: it is not a file */
	struct slice name;
	uint64_t version;   /* MAP_VERSION_SHIPPED; of a file: MAP_VERSION_ACTIVE */
	struct slice text;
	struct map_case *cases;
	size_t ncases;
	struct edi_dictionary_set *dictionaries;
	struct map_library *library; /* shipped sheets, and where a vand answers those of its store before them */
};

/* `what`: a path (it has a '/', or ends in .csv or .json), else the name of a sheet, or of a map of one: the store's where a vand
 * answers (its active version, or --map-version), else the shipped one. Says why not; returns the exit status. */
int map_source_open(struct ctl *c, const char *what, struct map_source *ret);
/* The store's newest version. */
int map_source_newest(struct ctl *c, const char *name, struct map_source *ret);
/* No sheet, only the library. */
int map_source_library(struct ctl *c, struct map_source *ret);
void map_source_free(struct map_source *s);

/* Where a message about it begins: the file, or "NAME version 3". */
const char *map_source_place(const struct map_source *s);

/* map_files.c */
int map_read_file(const char *path, size_t most, struct van_arena *arena, struct slice *ret);
/* The sheet of a .csv or .json file: name (of the file, else as the JSON says) and CSV. */
int map_read_sheet(const char *path, struct van_arena *arena, struct slice *ret_name, struct slice *ret_csv);
/* samples/NAME/ in `folder`: none there is no error. */
int map_read_cases(const char *folder, struct slice name, struct map_source *to);
/* Has each sample both its halves? Says which has not; the exit status. */
int map_cases_complete(const struct map_source *s);

/* map_test.c */
int map_check(struct ctl *c);
int map_test(struct ctl *c);
/* Every error of a sheet, each on a line with file and row, to standard error, or into a list of objects; how many. */
size_t map_print_errors(struct map_source *s, json_t *list);
/* map_diff.c */
int map_diff(struct ctl *c);
/* map.c, for tables too */
int map_export(struct ctl *c);
int map_activate(struct ctl *c);

#endif
