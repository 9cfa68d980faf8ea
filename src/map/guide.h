/* Guides as rows of a spreadsheet (doc/edi-guides.md). */
#ifndef OPENVAN_MAP_GUIDE_H
#define OPENVAN_MAP_GUIDE_H

#include "edi/guide.h"

/* Reads the rows; `file` is for errors. VAN_ESYNTAX (`e` names row and remedy), VAN_ENOMEM. Free with edi_guide_free. */
int guide_read(struct slice text, const char *file, struct edi_guide **ret, struct van_error *e);

#endif
