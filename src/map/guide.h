/* Guides as rows of a spreadsheet (doc/edi-guides.md). */
#ifndef OPENVAN_MAP_GUIDE_H
#define OPENVAN_MAP_GUIDE_H

#include "edi/guide.h"

/* Reads the rows; `file` is for errors. VAN_ESYNTAX (`e` names row and remedy), VAN_ENOMEM. Free with edi_guide_free. */
int guide_read(struct slice text, const char *file, struct edi_guide **ret, struct van_error *e);

/* Guides by name: the *.csv files of folders, each known by its file's name without ".csv". */
struct guide_set;
struct guide_set *guide_set_new(void); /* NULL: no memory */
void guide_set_free(struct guide_set *set); /* NULL is fine */
/* Adds a folder's; a name that is there already stays. Opens files: call it before rights are dropped. 0; VAN_ESYNTAX: a file is in error
 * (`e` names row and remedy), and all others were read; VAN_ENOTFOUND: no *.csv; VAN_ENOMEM, VAN_EIO. */
int guide_set_add(struct guide_set *set, const char *folder, struct van_error *e);
const struct edi_guide *guide_find(const struct guide_set *set, struct slice name); /* NULL: there is none */

#endif
