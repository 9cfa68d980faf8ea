/* `vanctl import openas2`. */
#ifndef OPENVAN_VANCTL_IMPORT_OPENAS2_H
#define OPENVAN_VANCTL_IMPORT_OPENAS2_H

#include "vanctl/ctl.h"

extern const struct ctl_option import_openas2_options[];
int import_openas2(struct ctl *c);

#endif
