/* `vanctl template list` and `vanctl partner new`. */
#ifndef OPENVAN_VANCTL_TEMPLATE_H
#define OPENVAN_VANCTL_TEMPLATE_H

#include "vanctl/ctl.h"

int template_list(struct ctl *c);
int partner_new(struct ctl *c);

#endif
