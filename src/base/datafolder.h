/* Where dictionaries, maps and templates are: in the installed tree, or in the source tree of a build that is run in place. */
#ifndef OPENVAN_BASE_DATAFOLDER_H
#define OPENVAN_BASE_DATAFOLDER_H

#include <stddef.h>

/* Path of the folder `name` ("dict", "maps", "templates"): $OPENVAN_DATADIR/NAME if set; beside the running program's build
 * (source tree) when it is run from there; else the installed one. 0, VAN_ENOTFOUND, or VAN_ELIMIT (`room` too small). */
int van_data_folder(const char *name, char *to, size_t room);

#endif
