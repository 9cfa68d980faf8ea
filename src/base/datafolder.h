/* Where dictionaries, maps and templates are: in the installed tree, or in the source tree of a build that is run in place. */
#ifndef OPENVAN_BASE_DATAFOLDER_H
#define OPENVAN_BASE_DATAFOLDER_H

#include "base/error.h"
#include "base/slice.h"

#include <stddef.h>

/* Path of the folder `name` ("dict", "maps", "templates"): $OPENVAN_DATADIR/NAME if set; beside the running program's build
 * (source tree) when it is run from there; else the installed one. 0, VAN_ENOTFOUND, or VAN_ELIMIT (`room` too small). */
int van_data_folder(const char *name, char *to, size_t room);

/* Takes one file's text in; `path` is for messages. 0 or negative with `e`. */
typedef int van_data_file_fn(void *arg, struct slice name, const char *path, struct slice text, struct van_error *e);

/* Reads every file of the folder whose name ends in `suffix` and does not begin with a dot, in the order of names, each at
 * most `max` bytes, and gives it to `fn`; ends at the first failure. VAN_ENOTFOUND when there is no folder or no such file. */
int van_data_files(const char *folder, const char *suffix, size_t max, van_data_file_fn *fn, void *arg, struct van_error *e);

#endif
