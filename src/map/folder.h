/* The folder of shipped maps. */
#ifndef OPENVAN_MAP_FOLDER_H
#define OPENVAN_MAP_FOLDER_H

#include "base/datafolder.h"

#define MAP_TEXT_MAX ((size_t)16 << 20) /* bytes of one sheet */

/* Calls `fn` for each *.csv of the first of these folders that exists: $OPENVAN_MAPS, `path` (may be NULL), VAN_DATADIR/maps.
 * VAN_ENOTFOUND (e says where it looked), what fn returned, or 0. */
int map_folder_each(const char *path, van_data_file_fn *fn, void *arg, struct van_error *e);

#endif
